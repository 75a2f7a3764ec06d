# step_policy.c: no exit code is final
/return WHY_CODE;/d
