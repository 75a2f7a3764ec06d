# step_policy.c: a spent budget ends nothing
s/w->critical || why == WHY_BUDGET/w->critical/
