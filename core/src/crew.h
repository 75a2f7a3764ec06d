/*
 * crew: threads that are used again. A job is one life in a thread; the thread that has ended one is called for the next, which saves
 * making one and the first touch of its stack. What a job changed in its thread and the system keeps by thread (name, signal
 * mask, locale, the last error) is put back before the next. Whoever starts and ends jobs is one thread.
 */
#ifndef CHIEF_CREW_H
#define CHIEF_CREW_H

#include "plat.h"

#pragma GCC visibility push(hidden)

/* So many threads wait for jobs at most. */
#define CHIEF__CREW_IDLE 16

typedef struct chief__crew chief__crew;
typedef struct chief__mate chief__mate; /* a thread of the crew */

/* CHIEF_ENOMEM. */
int chief__crew_new(chief__crew **out, size_t stack);

/* Joins those that wait, and drops the reference. Those in jobs that were let go end by themselves. Takes NULL. */
void chief__crew_close(chief__crew *crew);

/* Has `run(arg)` done by a thread, which is its mate until that has ended or was let go. CHIEF_ENOMEM; CHIEF_ESYS, with the
 * system's text. */
int chief__crew_start(chief__mate **out, chief__crew *crew, void (*run)(void *), void *arg, const char *name);

/* True when the job has ended, and nothing of it runs any more: the mate is the crew's again. Never waits. */
bool chief__crew_try_end(chief__mate *mate);

/* Nobody will ask any more. */
void chief__crew_let_go(chief__mate *mate);

#pragma GCC visibility pop
#endif
