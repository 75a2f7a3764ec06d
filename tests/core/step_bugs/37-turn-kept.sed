# step_group.c: one that waits for others keeps its turn when the one before it fails
/^static void turn_back(/,/^}/{/TURN_STARTING/d}
