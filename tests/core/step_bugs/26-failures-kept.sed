# step_policy.c: starting by hand forgets no failure
/^void chief__policy_forget(/,/^}/{/intensity_clear/d}
