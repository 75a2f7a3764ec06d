# step_stop.c: the first level gets all the time
s, / (int64_t)m->live_levels,,
