# policy.c: on_failure restarts after a clean end
s/return failed \&\& restart->policy/return restart->policy/
