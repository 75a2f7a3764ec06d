# step_life.c: a worker starts when the first of those it waits for is ready
s/wait != WAIT_DEPENDENCIES || dependent->unmet > 0/wait != WAIT_DEPENDENCIES/
