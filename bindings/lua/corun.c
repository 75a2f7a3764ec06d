#include "corun.h"

#include <lauxlib.h>
#include <lualib.h>

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

/* Two sets in the registry: those that our create and wrap have made, as long as somebody else holds them, and those that
 * are kept. */
static const char made_key;
static const char kept_key;

/* [-0, +1, m] */
static void push_set(lua_State *L, const char *key, const char *mode) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    if (mode != NULL) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, mode);
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* Puts the value on top into the set. [-1, +0, m] */
static void put_into(lua_State *L, const char *key, const char *mode) {
    push_set(L, key, mode);
    lua_insert(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

int chief__lua_corun_keep(lua_State *L) {
    lua_settop(L, 1);
    put_into(L, &kept_key, NULL);
    return 0;
}

/* Appends the members of a set to the list at 1. [-0, +0, m] */
static void list_members(lua_State *L, const char *key) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
        }
    }
    lua_settop(L, 1);
}

/* One that died by an error has its handlers still to come, too. The list comes first: handlers may make coroutines. */
static int close_all(lua_State *L) {
    lua_newtable(L);
    list_members(L, &made_key);
    list_members(L, &kept_key);
    for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TTHREAD; i++) {
        lua_State *co = lua_tothread(L, -1);
        if (lua_status(co) != LUA_OK) (void)chief__lua_close_coroutine(L, co);
        lua_settop(L, 1);
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

/* Resumes co with n values from the top of L. How many results are on top of L, or -1 and an error. */
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

static int resume(lua_State *L) {
    lua_State *co = check_coroutine(L);
    int n = resume_with(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, n >= 0);
    n = n < 0 ? 1 : n;
    lua_insert(L, -(n + 1));
    return n + 1;
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

static int resume_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = resume_with(L, co, lua_gettop(L));
    return n >= 0 ? n : raise_from(L, co);
}

static int create(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushvalue(L, -1);
    put_into(L, &made_key, "k");
    return 1;
}

static int wrap(lua_State *L) {
    (void)create(L);
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

static const luaL_Reg base_functions[] = {{"pcall", protected_call}, {"xpcall", protected_call_with}, {NULL, NULL}};

static const luaL_Reg coroutine_functions[] = {
    {"create", create}, {"resume", resume}, {"wrap", wrap}, {"close", close_one}, {NULL, NULL}};

void chief__lua_corun_open(lua_State *L) {
    lua_pushglobaltable(L);
    luaL_setfuncs(L, base_functions, 0);
    lua_getfield(L, -1, LUA_COLIBNAME);
    luaL_setfuncs(L, coroutine_functions, 0);
    lua_pop(L, 2);
}
