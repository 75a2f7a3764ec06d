#include "corun.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "interrupt.h"
#include "memory.h"

/* ---- pcall and xpcall ---- */

/* The results begin above `below`: true and, for xpcall, the function. */
static int finish_pcall(lua_State *L, int status, lua_KContext below) {
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)below;
    if (chief__lua_is_interrupt(L, -1)) return chief__lua_raise(L);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int protected_call(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(L, status, 0);
}

/* f, handler, arguments → f, handler, true, f, arguments */
static int protected_call_with(lua_State *L) {
    int n = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, finish_pcall);
    return finish_pcall(L, status, 2);
}

/* ---- coroutines ---- */

/* In the registry: the coroutines that are to be closed at the top level, as keys. */
static const char kept_key;

/* A heap up to this many KiB is collected in a few milliseconds. */
#define SMALL_HEAP 8192

/* [-0, +1, m] */
static void push_kept(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kept_key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
}

int chief__lua_corun_keep(lua_State *L) {
    lua_settop(L, 1);
    push_kept(L);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, 1);
    lua_rawset(L, 2);
    return 0;
}

static int keep_waiting(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    push_kept(L);
    chief__lua_mark *mark = atomic_load_explicit(&life->coroutines, memory_order_relaxed);
    for (; mark != NULL; mark = atomic_load_explicit(&mark->next, memory_order_relaxed)) {
        lua_State *co = chief__lua_coroutine_of(mark);
        if (lua_status(co) != LUA_YIELD || !lua_checkstack(co, 1)) continue;
        (void)lua_pushthread(co);
        lua_xmove(co, L, 1);
        lua_pushboolean(L, 1);
        lua_rawset(L, 1);
    }
    return 0;
}

/*
 * The list of the allocator has unreachable coroutines too, and what those refer to may be gone. After a whole collection
 * it has none, and until the next one begins none of the rest goes.
 */
void chief__lua_corun_keep_all(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    if (atomic_load_explicit(&life->coroutines, memory_order_relaxed) == NULL) return;
    if (lua_gc(L, LUA_GCCOUNT) > SMALL_HEAP || lua_gc(L, LUA_GCCOLLECT) != 0) return;
    bool runs = lua_gc(L, LUA_GCISRUNNING) != 0;
    (void)lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, keep_waiting);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1); /* of memory */
    if (runs) (void)lua_gc(L, LUA_GCRESTART);
}

/* One that died by an error has its handlers still to come, too. The list comes first: handlers may make coroutines. */
static int close_all(lua_State *L) {
    lua_newtable(L);
    push_kept(L);
    for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
    }
    for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TTHREAD; i++) {
        lua_State *co = lua_tothread(L, -1);
        if (lua_status(co) != LUA_OK) (void)chief__lua_close_coroutine(L, co);
        lua_settop(L, 2);
    }
    return 0;
}

/* An error here is one of memory; what is not closed then is freed all the same. */
void chief__lua_corun_close_all(lua_State *L) {
    lua_pushcfunction(L, close_all);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* An interrupt goes on from a coroutine to who resumed it, once its __close handlers have been called. */
static void pass_interrupt(lua_State *L, lua_State *co, int status) {
    bool cut = status == LUA_YIELD && chief__lua_take_cut(chief__lua_life_of(L), co);
    bool raised = status != LUA_OK && status != LUA_YIELD && chief__lua_is_interrupt(co, -1);
    if (!cut && !raised) return;
    (void)chief__lua_close_coroutine(L, co);
    (void)chief__lua_raise(L);
}

/* Instead of a number of results: the worker waits in the coroutine, or in one that that resumed, and who resumed it has to
 * yield, too. Resumed, it goes on by resuming the coroutine with nothing. */
#define WAITS (-2)

/* Resumes co with n values from the top of L. How many results are on top of L, -1 and an error, or WAITS. */
static int resume_with(lua_State *L, lua_State *co, int n) {
    int results;
    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    chief__lua_life *life = chief__lua_life_of(L);
    chief__lua_mark *mark = co != life->L ? chief__lua_mark_of(co) : NULL;
    lua_State *before = life->running;
    lua_State *resumer = mark != NULL ? mark->resumer : NULL;
    lua_xmove(L, co, n);
    if (mark != NULL) mark->resumer = L;
    life->running = co;
    int status = lua_resume(co, L, n, &results);
    life->running = before;
    if (mark != NULL) mark->resumer = resumer;
    if (life->waiting != NULL) return WAITS;
    if (chief__lua_interrupted(life) != NULL) pass_interrupt(L, co, status);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static lua_State *check_coroutine(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co != NULL, 1, "coroutine");
    return co;
}

static int resume_on(lua_State *L, int status, lua_KContext context);

static int resumed(lua_State *L, int n) {
    if (n == WAITS) return lua_yieldk(L, 0, 0, resume_on);
    lua_pushboolean(L, n >= 0);
    n = n < 0 ? 1 : n;
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int resume_on(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    return resumed(L, resume_with(L, lua_tothread(L, 1), 0));
}

static int resume(lua_State *L) {
    lua_State *co = check_coroutine(L);
    return resumed(L, resume_with(L, co, lua_gettop(L) - 1));
}

/* The error of a wrapped coroutine goes on, with the position where it has a text. */
static int raise_from(lua_State *L, lua_State *co) {
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = chief__lua_close_coroutine(L, co);
        lua_xmove(co, L, 1);
        if (chief__lua_is_interrupt(L, -1)) return chief__lua_raise(L);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrapped_on(lua_State *L, int status, lua_KContext context);

static int wrapped_resumed(lua_State *L, lua_State *co, int n) {
    if (n == WAITS) return lua_yieldk(L, 0, 0, wrapped_on);
    return n >= 0 ? n : raise_from(L, co);
}

static int wrapped_on(lua_State *L, int status, lua_KContext context) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    (void)status;
    (void)context;
    return wrapped_resumed(L, co, resume_with(L, co, 0));
}

static int resume_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return wrapped_resumed(L, co, resume_with(L, co, lua_gettop(L)));
}

static int wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, resume_wrapped, 1);
    return 1;
}

/* Why it can't be closed, or NULL. */
static const char *living(lua_State *L, lua_State *co) {
    lua_Debug ar;
    if (L == co) return "running";
    return lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar) ? "normal" : NULL;
}

static int close_one(lua_State *L) {
    lua_State *co = check_coroutine(L);
    const char *lives = living(L, co);
    if (lives != NULL) return luaL_error(L, "cannot close a %s coroutine", lives);
    if (chief__lua_close_coroutine(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return chief__lua_is_interrupt(L, -1) ? chief__lua_raise(L) : 2;
}

/* In a fiber the main coroutine can yield, and is not to: the worker's code sees what it sees in a thread. */

static int yield(lua_State *L) {
    if (L != chief__lua_life_of(L)->L) return lua_yield(L, lua_gettop(L));
    lua_pushstring(L, CHIEF__LUA_YIELD_OUTSIDE);
    return lua_error(L);
}

static int is_yieldable(lua_State *L) {
    lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L);
    lua_pushboolean(L, co != chief__lua_life_of(L)->L && lua_isyieldable(co));
    return 1;
}

static const luaL_Reg base_functions[] = {{"pcall", protected_call}, {"xpcall", protected_call_with}, {NULL, NULL}};

static const luaL_Reg coroutine_functions[] = {{"resume", resume}, {"wrap", wrap}, {"close", close_one}, {NULL, NULL}};

static const luaL_Reg fiber_functions[] = {{"yield", yield}, {"isyieldable", is_yieldable}, {NULL, NULL}};

lua_CFunction chief__lua_corun_global(const char *name) {
    const luaL_Reg *at = base_functions;
    while (at->name != NULL && strcmp(at->name, name) != 0) at++;
    return at->func;
}

void chief__lua_corun_globals(lua_State *L) {
    lua_pushglobaltable(L);
    luaL_setfuncs(L, base_functions, 0);
    lua_pop(L, 1);
}

void chief__lua_corun_adjust(lua_State *L) {
    luaL_setfuncs(L, coroutine_functions, 0);
    if (chief__lua_life_of(L)->op != NULL) luaL_setfuncs(L, fiber_functions, 0);
}
