# step_life.c: the first answer ends the waiting for all inits
s/if (--m->awaited == 0) /--m->awaited; /
