/* run: what other files of the chief need of the way from chief_init_workers to chief_join. */
#ifndef CHIEF_RUN_H
#define CHIEF_RUN_H

#include "loop.h"

#pragma GCC visibility push(hidden)

/* chief_init_workers without waiting for the answers of the inits. */
int chief__init_workers_begin(chief *c, chief_log *log);

#pragma GCC visibility pop
#endif
