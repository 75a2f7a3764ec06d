# step_policy.c: a critical worker that is given up is not missed
s/if (w->critical || why == WHY_BUDGET)/if (why == WHY_BUDGET)/
