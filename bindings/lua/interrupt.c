#include "interrupt.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "corun.h"
#include "memory.h"
#include "signals.h"
#include "trace.h"

/* Microseconds after the first raise. */
#define STAYS_AFTER 40000    /* the hook stays */
#define NO_MERCY_AFTER 70000 /* and fires at every instruction, and never yields */

/* Between two raises; a signal that was on its way comes too early. */
#define PERIOD 15000
#define TOO_EARLY (PERIOD - 1000)

/* What a __close handler gets to run while the hook stays. */
#define MERCY 1000

static int64_t now_us(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- hooks ---- */

static void on_hook(lua_State *L, lua_Debug *ar);

static void set_hook(lua_State *L, int count) { lua_sethook(L, on_hook, LUA_MASKCOUNT, count); }

static void hook_each(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    (void)life;
    (void)old;
    set_hook(L, 1);
}

static void hook_gently(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    (void)life;
    (void)old;
    set_hook(L, MERCY);
}

static void unhook(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    (void)life;
    (void)old;
    if (lua_gethook(L) == on_hook) lua_sethook(L, NULL, 0, 0);
}

/* lua_sethook is safe in a signal handler, Lua's manual says, and on every coroutine of the list (memory.h). */
static void arm(chief__lua_life *life) {
    int64_t now = now_us();
    int64_t since = life->first_raise != 0 ? now - life->first_raise : 0;
    if (life->first_raise != 0 && since < STAYS_AFTER && now - life->last_raise < TOO_EARLY) return;
    bool gently = since >= STAYS_AFTER && since < NO_MERCY_AFTER;
    chief__lua_each_coroutine(life, gently ? hook_gently : hook_each);
}

void chief__lua_interrupt_again(chief__lua_life *life) { chief__lua_each_coroutine(life, hook_each); }

void chief__lua_on_end(void) {
    chief__lua_life *life = chief__lua_life_current();
    if (life != NULL && life->L != NULL && chief__lua_interrupted(life) != NULL) chief__lua_place_note(life);
    for (; life != NULL; life = life->outer)
        if (chief__lua_interrupted(life) != NULL) arm(life);
}

/* ---- raising ---- */

static const char *why_of(lua_State *L) {
    const chief__lua_life *life = chief__lua_interrupted(chief__lua_life_of(L));
    return life != NULL ? life->why : NULL;
}

/* Whoever passes it on has come nearer to the end: the __close handlers that follow have their time, too. */
static int raise(lua_State *L) {
    const char *why = why_of(L);
    lua_pushstring(L, why != NULL ? why : "interrupted");
    return lua_error(L);
}

/* Whoever handles errors may have added to its text. */
bool chief__lua_is_interrupt(lua_State *L, int idx) {
    const char *why = why_of(L);
    return why != NULL && lua_type(L, idx) == LUA_TSTRING && strstr(lua_tostring(L, idx), why) != NULL;
}

/* Whether L may and can yield now; what closes it later has to find it then. */
static bool prepare_cut(lua_State *L, chief__lua_life *life) {
    if (L == life->L || !lua_isyieldable(L) || L == life->closing ||
        life->last_raise - life->first_raise >= NO_MERCY_AFTER)
        return false;
    lua_pushcfunction(L, chief__lua_corun_keep);
    lua_pushthread(L);
    bool kept = lua_pcall(L, 1, 0, 0) == LUA_OK;
    if (kept) life->cut = L;
    else lua_pop(L, 1);
    return kept;
}

int chief__lua_raise(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    if (life->first_raise != 0) {
        life->last_raise = now_us();
        chief__lua_signal_pace(life);
    }
    return raise(L);
}

/* Before an error or a yield: none of the hooks that are set now may disturb the __close handlers that follow. */
static void begin_raise(lua_State *L, chief__lua_life *life) {
    chief__lua_place_forget(life);
    if (life->traceback == NULL) life->traceback = chief__lua_trace(L); /* where it was when its end began */
    if (life->first_raise == 0) chief__lua_corun_keep_all(L);
    life->last_raise = now_us();
    if (life->first_raise == 0) life->first_raise = life->last_raise;
    if (life->last_raise - life->first_raise < STAYS_AFTER) chief__lua_each_coroutine(life, unhook);
    chief__lua_signal_pace(life);
}

static void on_hook(lua_State *L, lua_Debug *ar) {
    chief__lua_life *life = chief__lua_life_of(L);
    (void)ar;
    if (chief__lua_interrupted(life) == NULL) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    begin_raise(L, life);
    if (prepare_cut(L, life)) (void)lua_yield(L, 0);
    else (void)raise(L);
}

int chief__lua_interrupt_here(lua_State *L, chief__lua_life *life, int32_t reason, const char *why) {
    chief__lua_interrupt(life, reason, why);
    begin_raise(L, life);
    return prepare_cut(L, life) ? lua_yield(L, 0) : raise(L);
}

/* ---- asking ---- */

/* A fiber that is suspended runs nothing to be ended: its wait is. */
static void end_wait(const chief__lua_life *life) {
    if (life->op != NULL) chief_context_cancel(chief_worker_context(life->worker), life->why);
}

void chief__lua_interrupt_locked(chief__lua_life *life, int32_t reason, const char *why) {
    if (!atomic_load_explicit(&life->asked, memory_order_relaxed)) {
        life->reason = reason;
        life->own_why = strdup(why);
        life->why = life->own_why != NULL ? life->own_why : chief_reason_name(reason);
        chief__lua_place_make(life);
        atomic_store_explicit(&life->asked, true, memory_order_release);
    }
    chief__lua_life_lock(life);
    bool entered = chief__lua_life_is_entered(life);
    if (entered) chief__lua_signal_end(life);
    bool here = entered && pthread_equal(life->thread, pthread_self()) != 0;
    chief__lua_life_unlock(life);
    if (here) arm(life);
    if (!entered) end_wait(life);
}

void chief__lua_interrupt(chief__lua_life *life, int32_t reason, const char *why) {
    chief__lua_lives_lock();
    chief__lua_interrupt_locked(life, reason, why);
    chief__lua_lives_unlock();
}

void chief__lua_interrupt_worker(const chief_worker *worker, int32_t reason, const char *why) {
    chief__lua_lives_lock();
    chief__lua_life *life = chief__lua_lives_find(worker);
    if (life != NULL) chief__lua_interrupt_locked(life, reason, why);
    chief__lua_lives_unlock();
}

/* ---- closing ---- */

int chief__lua_close_coroutine(lua_State *L, lua_State *coroutine) {
    chief__lua_life *life = chief__lua_life_of(L);
    lua_State *before = life->closing;
    life->closing = coroutine;
    int status = lua_resetthread(coroutine);
    life->closing = before;
    return status;
}

bool chief__lua_take_cut(chief__lua_life *life, const lua_State *coroutine) {
    if (life->cut != coroutine) return false;
    life->cut = NULL;
    return true;
}

void chief__lua_interrupt_settle(chief__lua_life *life) {
    if (chief__lua_interrupted(life) != NULL) chief__lua_corun_close_all(life->L);
    chief__lua_life_lock(life);
    chief__lua_signal_stop(life);
    chief__lua_life_unlock(life);
    chief__lua_each_coroutine(life, unhook);
}
