/*
 * interrupt: ends a worker's Lua code, whatever it does. The ending signal's handler sets a hook on every coroutine. The hook
 * raises once and goes, so that __close handlers run; it comes again every 15 ms; 40 ms after the first it stays until the
 * top level, leaving each handler its first thousand instructions, and 70 ms after it not even those.
 *
 * A hook that raises leaves hooks off in its coroutine when the error reaches its end. So where it can, it yields, and who
 * resumed the coroutine (corun.h, or the top level for one that C resumed) closes it and goes on raising.
 */
#ifndef CHIEF_LUA_INTERRUPT_H
#define CHIEF_LUA_INTERRUPT_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* Any thread, the worker's allocator included. The first reason and text win. */
void chief__lua_interrupt(chief__lua_life *life, int32_t reason, const char *why);

/* The same with the lock of the lives. */
void chief__lua_interrupt_locked(chief__lua_life *life, int32_t reason, const char *why);

/* The same for who knows only the worker; nothing when no life of it is there. */
void chief__lua_interrupt_worker(const chief_worker *worker, int32_t reason, const char *why);

/* In a C function called by the worker's code: interrupts it here and does not come back. [-0, +0, e] */
int chief__lua_interrupt_here(lua_State *L, chief__lua_life *life, int32_t reason, const char *why);

/* The life whose interrupt ends this one (itself or one it runs inside of), or NULL. */
static inline const chief__lua_life *chief__lua_interrupted(const chief__lua_life *life) {
    while (life != NULL && !atomic_load_explicit(&life->asked, memory_order_acquire)) life = life->outer;
    return life;
}

/* Whether the value at idx is the error of an interrupt of this state. [-0, +0, -] */
bool chief__lua_is_interrupt(lua_State *L, int idx);

/* On the worker's thread, where C has caught it and all handlers have run: it goes on at the next instruction. */
void chief__lua_interrupt_again(chief__lua_life *life);

/* Raises it (once more). [-0, +1, e] */
int chief__lua_raise(lua_State *L);

/* Closes a coroutine as coroutine.close does, so that a hook meanwhile knows. The status; an error is left on its top. */
int chief__lua_close_coroutine(lua_State *L, lua_State *coroutine);

/* Whether the hook has made this one yield; asked once. */
bool chief__lua_take_cut(chief__lua_life *life, const lua_State *coroutine);

/* At the top level, the life still entered: closes the coroutines that wait, then no more hooks
 * and signals. [-0, +0, -] */
void chief__lua_interrupt_settle(chief__lua_life *life);

/* What the signals do; tests call them where signals do not arrive. */
void chief__lua_on_end(void);

#pragma GCC visibility pop
#endif
