# step_stop.c: the end is told with every step
s/!m->stopping || m->ended/!m->stopping/
