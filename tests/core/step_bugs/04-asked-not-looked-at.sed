# step_life.c: an error after a stop was asked is a failure
s/bool failed = !w->asked \&\& (/bool failed = (/
