#include "pause.h"

#include "interrupt.h"
#include "limit.h"
#include "look.h"
#include "memory.h"

static void on_hook(lua_State *L, lua_Debug *ar);

/* The hook itself is asked for last: a signal's handler that sets ours in between is seen. */
static void hook(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    chief__lua_old_hook there = {.mask = lua_gethookmask(L), .count = lua_gethookcount(L)};
    (void)life;
    there.hook = lua_gethook(L);
    if (there.hook == on_hook) return;
    *old = there;
    lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
}

static void unhook(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    (void)life;
    if (lua_gethook(L) == on_hook) lua_sethook(L, old->hook, old->mask, old->count);
}

/* An allocator pauses again and again until the next instruction comes; where the main coroutine has the hook all have,
 * since new ones inherit it. */
void chief__lua_pause(chief__lua_life *life) {
    if (life->L == NULL || lua_gethook(life->L) == on_hook || chief__lua_interrupted(life) != NULL) return;
    chief__lua_each_coroutine(life, hook);
}

static void on_hook(lua_State *L, lua_Debug *ar) {
    chief__lua_life *life = chief__lua_life_of(L);
    (void)ar;
    if (atomic_load_explicit(&life->looked_for, memory_order_acquire)) chief__lua_look_here(L, life);
    bool over = chief__lua_limit_is_over(L, life);
    chief__lua_each_coroutine(life, unhook);
    if (over && chief__lua_interrupted(life) == NULL) chief__lua_limit_end(L, life);
}
