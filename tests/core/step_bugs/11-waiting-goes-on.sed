# step_stop.c: a restart that is waited for outlives the stop
/^    end_waiting(m);/d
