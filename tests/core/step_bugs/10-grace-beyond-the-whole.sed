# step_stop.c: an own grace exceeds force_stop_timeout
s/return until < end ? until : end;/return until;/
