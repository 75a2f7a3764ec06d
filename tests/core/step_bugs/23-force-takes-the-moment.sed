# step_stop.c: another force abandons who is being interrupted
s/if (w->forced) w->asked = true;/if (false) continue;/
