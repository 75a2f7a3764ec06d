# step_policy.c: a group waits for a member that was given up
/^static void give_up(/,/^}/{/group_pass/d}
