# step_group.c: a group takes along who was stopped by hand
/^static bool is_let_go(/s/return .*;/return w->asked \&\& false;/
