# step.c: an answer decides though nobody waits for it any more
s/ || w->wait != WAIT_ANSWER//
