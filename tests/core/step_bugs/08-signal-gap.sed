# step_stop.c: a second signal after exactly 500 ms does not force
s/first_signal >= CHIEF__STOP_SIGNAL_GAP/first_signal > CHIEF__STOP_SIGNAL_GAP/
