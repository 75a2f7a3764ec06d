/*
 * memory: the allocator of a worker's state. It is told of every coroutine that is made (osize is LUA_TTHREAD then) and keeps
 * them in a list that a signal handler of the same thread may walk at any moment.
 *
 * A coroutine's block has a mark behind it. Since a block that is freed comes with its size and not with its type, every
 * block of exactly that size has one, listed or not.
 */
#ifndef CHIEF_LUA_MEMORY_H
#define CHIEF_LUA_MEMORY_H

#include "life.h"

#pragma GCC visibility push(hidden)

struct chief__lua_mark {
    chief__lua_mark *_Atomic next;
    chief__lua_mark *previous;
    bool listed;
    lua_State *resumer; /* while our resume runs it */
    chief__lua_old_hook old_hook;
};

/* A fresh state that belongs to the life, which it is set in; false without memory. */
bool chief__lua_memory_open(chief__lua_life *life);

/* Closes it: __gc and all. */
void chief__lua_memory_close(chief__lua_life *life);

/* A lua_Alloc whose userdata is the life. */
void *chief__lua_memory_alloc(void *of, void *block, size_t old_size, size_t new_size);

/* Between a coroutine (not the main one) and its mark. */
chief__lua_mark *chief__lua_mark_of(lua_State *coroutine);
lua_State *chief__lua_coroutine_of(chief__lua_mark *mark);

/* Calls `f` for the main coroutine and all others. Safe in a signal handler of the worker's thread. */
void chief__lua_each_coroutine(chief__lua_life *life, void (*f)(chief__lua_life *, lua_State *, chief__lua_old_hook *));

#pragma GCC visibility pop
#endif
