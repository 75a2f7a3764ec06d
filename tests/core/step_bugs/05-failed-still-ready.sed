# step_life.c: who failed still counts as ready for others
/^static void fail(/,/^}/{/set_ready/d}
