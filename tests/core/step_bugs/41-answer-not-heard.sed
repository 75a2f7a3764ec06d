# step_policy.c: who is to be given up is restarted
s/case CHIEF_ANSWER_GIVE_UP:/case CHIEF_ANSWER_GIVE_UP: restart(m, w, failed, 0); break; case -1:/
