# step_life.c: an init that comes after its interrupt goes on to run
s/if (w->forced \&\& !w->asked) {/if (false) {/
