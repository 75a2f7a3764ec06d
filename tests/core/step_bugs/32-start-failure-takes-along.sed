# step_group.c: one that fails to start takes its group along
s/if (!w->served) return;//
