/* prober: a worker that tries what a worker can call and compares the answers. The same in a thread and in a process. */
#ifndef CHIEF_TEST_PROBER_H
#define CHIEF_TEST_PROBER_H

#include <chief.h>

/* Its args name the probe. It fails with the line that was not as it should be. */
extern const chief_worker_ops prober_ops;

#endif
