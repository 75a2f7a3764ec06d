# model.c: ending the wait for a restart leaves its timer
/^void chief__model_set_wait(/,/^}/{/agenda_clear/d}
