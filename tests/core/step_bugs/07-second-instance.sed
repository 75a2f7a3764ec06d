# step_request.c: a start beside an abandoned home
s/HOME_ABANDONED) return fail_abandoned(w);/HOME_ABANDONED) return start_anew(m, w);/
