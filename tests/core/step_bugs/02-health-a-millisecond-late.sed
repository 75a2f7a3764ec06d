# policy.c: exactly ten seconds are not healthy
s/up >= CHIEF__POLICY_HEALTH/up > CHIEF__POLICY_HEALTH/
