# step_life.c: who is initialised during the stop runs
s/if (m->launched \&\& !m->stopping)/if (m->launched)/
