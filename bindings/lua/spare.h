/*
 * spare: clean states that are ready before somebody needs one, their libraries opened. A few are kept by one thread of their own, as
 * soon as lives end and others begin: a program whose workers go on has neither the thread nor the states. None is ever used
 * twice; all are closed with the last worker that might have taken one.
 */
#ifndef CHIEF_LUA_SPARE_H
#define CHIEF_LUA_SPARE_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* So many there are at most. */
#define CHIEF__LUA_SPARES 16

/* Around the time in which a worker may want one. The last release has closed all when it returns. */
void chief__lua_spares_hold(void);
void chief__lua_spares_release(void);

/* A life has ended: another may begin in its place. */
void chief__lua_spares_expect(void);

/* One that has_libraries, which fill themselves, in no list; NULL: there is none now. */
chief__lua_life *chief__lua_spare_take(void);

/* How many there are; for tests. */
size_t chief__lua_spares(void);

#pragma GCC visibility pop
#endif
