# step_group.c: one starts while another of its group still ends
s/other->turn == TURN_ENDING || //
