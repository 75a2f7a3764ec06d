# step_group.c: the first of a group is stopped first
/^static bool end_last(/,/^}/s/for (.*)/for (uint32_t place = 0; place < group->n; place++)/
