# step_group.c: rest_for_one takes those before it along
s/CHIEF_ONE_FOR_ALL ? 0 : w->name->place + 1/CHIEF_ONE_FOR_ALL ? 0 : 0/
