# step_policy.c: an answer is waited for for ever
/^static void ask(/,/^}/{/chief__agenda_set/d}
