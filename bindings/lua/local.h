/*
 * local: what this library keeps in each state for itself and looks for with every message: the scratch buffer, and the infos
 * that it gave out last.
 */
#ifndef CHIEF_LUA_LOCAL_H
#define CHIEF_LUA_LOCAL_H

#include <lua.h>

#include "buffer.h"

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_INFOS 8

typedef struct chief__lua_local {
    chief__lua_buffer scratch;
    int infos[CHIEF__LUA_INFOS]; /* keys of the registry; 0: none yet */
    unsigned last;               /* which of them was given out last */
} chief__lua_local;

/* The state's own, made at first use. [-0, +0, m] */
chief__lua_local *chief__lua_local_of(lua_State *L);

#pragma GCC visibility pop
#endif
