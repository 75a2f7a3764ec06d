# step_group.c: one that becomes ready before it is asked to go along drops out
/^void chief__group_started(/,/^}/{/TURN_ENDING/d}
