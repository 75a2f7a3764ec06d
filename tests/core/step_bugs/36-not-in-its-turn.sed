# step_group.c: those of a group start before the one before them is ready
/^static bool has_to_wait(/,/^}/s/ || place < w->name->place//
