/*
 * place: where a thread is that runs no Lua instructions now, taken by a signal handler of that thread. Reading Lua's stack
 * from there is safe under two conditions: nothing is read of the function that runs (its record may be half written), only
 * of those that called it, by a name that they have for it; and Lua's stacks do not move, which is so inside a call of the
 * chief's and, elsewhere, when several looks in a row found no allocation since the one before.
 */
#ifndef CHIEF_LUA_PLACE_H
#define CHIEF_LUA_PLACE_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_PLACE_DEPTH 12
#define CHIEF__LUA_NAME_SIZE 48

struct chief__lua_life;

typedef struct chief__lua_frame {
    char source[LUA_IDSIZE];
    int line; /* -1: a C function */
} chief__lua_frame;

typedef struct chief__lua_place {
    /* The worker's thread and its handlers. */
    size_t allocations; /* at the last look */
    int still;          /* looks in a row that found no more of them */
    /* Whoever holds `state`. */
    char name[CHIEF__LUA_NAME_SIZE]; /* of the function on top, "" where it has none */
    int depth;
    chief__lua_frame frames[CHIEF__LUA_PLACE_DEPTH];
    atomic_int
        state; /* EMPTY → (handler) FULL → (reader) TAKEN → EMPTY; the worker's own thread may empty a full one */
} chief__lua_place;

/* The callers of the function on top, and what they call it. Nobody runs L, or the conditions above hold. */
void chief__lua_place_fill(chief__lua_place *place, lua_State *L);

/* Any thread, the life's list locked, before a signal is sent: room for what is to be noted. Without memory nothing is. */
void chief__lua_place_make(struct chief__lua_life *life);

/* In a signal handler of the life's own thread. */
void chief__lua_place_note(struct chief__lua_life *life);

/* By the worker's thread when it is in Lua after all: what was noted is of the past. */
void chief__lua_place_forget(struct chief__lua_life *life);

/* Any thread, the life's list locked: whether it has been noted. */
bool chief__lua_place_is_known(struct chief__lua_life *life);

/* Any thread, the life's list locked: moves what was noted into `out`; false when there is nothing. */
bool chief__lua_place_take(struct chief__lua_life *life, chief__lua_place *out);

#pragma GCC visibility pop
#endif
