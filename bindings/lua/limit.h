/*
 * limit: how much memory a worker's state may have. What is alive counts, not what was ever asked for, so crossing the limit
 * is no failure yet: at its next instruction (pause.h) the worker collects all there is to collect, and only if it is still
 * over is it interrupted. Until it comes to that instruction it may have a quarter more, at least a MiB; beyond that
 * allocations are refused.
 */
#ifndef CHIEF_LUA_LIMIT_H
#define CHIEF_LUA_LIMIT_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* For a state that has just been opened; 0 bytes: no limit. */
void chief__lua_limit_open(chief__lua_life *life, uint64_t bytes);

/* For the allocator: whether a block of `had` bytes may have `wanted`. The first is for a state with a limit, for more than it had. */
bool chief__lua_limit_judge(chief__lua_life *life, size_t had, size_t wanted);
static inline bool chief__lua_limit_allows(chief__lua_life *life, size_t had, size_t wanted) {
    return life->limit == 0 || wanted <= had || chief__lua_limit_judge(life, had, wanted);
}

/* Between two instructions: collects when the limit was crossed, and says whether it still is. [-0, +0, -] */
bool chief__lua_limit_is_over(lua_State *L, chief__lua_life *life);

/* In a hook, at its end: interrupts the worker, which raises or has made the hook yield. [-0, +0, e] */
void chief__lua_limit_end(lua_State *L, chief__lua_life *life);

/* Whether an allocation was refused since the last instruction: why it ended when an error of memory did it. */
bool chief__lua_limit_refused(const chief__lua_life *life);

/* The sentence about it, in a buffer of the caller's. */
void chief__lua_limit_text(const chief__lua_life *life, char *buf, size_t size);

#pragma GCC visibility pop
#endif
