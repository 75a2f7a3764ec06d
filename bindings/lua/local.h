/*
 * local: what this library keeps in each state for itself and looks for with every message: the scratch buffer, and the infos
 * that it gave out last.
 */
#ifndef CHIEF_LUA_LOCAL_H
#define CHIEF_LUA_LOCAL_H

#include <lua.h>
#include <stdint.h>

#include "buffer.h"

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_INFOS 8

/* An info that was given out, and of which messages it says all. */
typedef struct chief__lua_given {
    int key; /* of the registry; 0: none yet */
    uint32_t deliveries;
    uint64_t origin; /* chief_msg_origin; 0: the names have to be compared */
    const char *kind;
} chief__lua_given;

typedef struct chief__lua_local {
    chief__lua_buffer scratch;
    chief__lua_given infos[CHIEF__LUA_INFOS];
    unsigned last; /* which of them was given out last */
} chief__lua_local;

/* The state's own, made at first use. [-0, +0, m] */
chief__lua_local *chief__lua_local_of(lua_State *L);

#pragma GCC visibility pop
#endif
