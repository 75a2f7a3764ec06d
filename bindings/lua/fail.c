#include "fail.h"

#include <lauxlib.h>
#include <string.h>

enum { TEXT = 1, TRACEBACK = 2 };

static const char failure_key;

/* Two have one fixed text in Lua: programs compare it, and a worker that hands «cancelled» on as its own result is
 * recognised by it. */
static const char *message_of(int rc) {
    const char *text = chief_last_error();
    if (rc == CHIEF_ECANCELED || rc == CHIEF_ENOREPLY || *text == '\0') return chief_strerror(rc);
    return text;
}

int chief__lua_fail(lua_State *L, int rc) {
    lua_pushnil(L);
    lua_pushstring(L, message_of(rc));
    lua_pushstring(L, chief_error_code(rc));
    return 3;
}

int chief__lua_done(lua_State *L, int rc) {
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

static int tostring_unprotected(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* [-0, +0, m] */
static int has_text(lua_State *L) {
    if (lua_type(L, -1) == LUA_TNUMBER) return 1;
    if (luaL_getmetafield(L, -1, "__tostring") == LUA_TNIL) return 0;
    lua_pop(L, 1);
    return 1;
}

void chief__lua_textify(lua_State *L) {
    int type = lua_type(L, -1);
    if (type == LUA_TSTRING) return;
    if (has_text(L)) {
        lua_pushcfunction(L, tostring_unprotected);
        lua_pushvalue(L, -2);
        int status = lua_pcall(L, 1, 1, 0);
        if (status != LUA_OK && status != LUA_ERRMEM) { /* «not enough memory» says enough */
            lua_pop(L, 1);
            lua_pushfstring(L, "(error object is a %s value whose __tostring raises)", lua_typename(L, type));
        }
    } else {
        lua_pushfstring(L, "(error object is a %s value)", lua_typename(L, type));
    }
    lua_remove(L, -2);
}

/* [-0, +1, m] */
static void push_failure_mark(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &failure_key) != LUA_TNIL) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failure_key);
}

/* [-0, +0, -] */
static int is_failure(lua_State *L, int idx) {
    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) return 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &failure_key);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

void chief__lua_make_failure(lua_State *L) {
    lua_createtable(L, 2, 0);
    lua_insert(L, -3);
    lua_rawseti(L, -3, TRACEBACK);
    lua_rawseti(L, -2, TEXT);
    push_failure_mark(L);
    lua_setmetatable(L, -2);
}

int chief__lua_on_error(lua_State *L) {
    if (is_failure(L, 1)) return 1;
    lua_settop(L, 1);
    chief__lua_textify(L);
    luaL_traceback(L, L, NULL, 1);
    chief__lua_make_failure(L);
    return 1;
}

/* The string stays alive in the failure while that is on the stack. */
static const char *part(lua_State *L, int which) {
    lua_rawgeti(L, -1, which);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    lua_pop(L, 1);
    return text;
}

const char *chief__lua_failure_text(lua_State *L) {
    if (is_failure(L, -1)) return part(L, TEXT);
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error in error handling";
}

const char *chief__lua_failure_traceback(lua_State *L) { return is_failure(L, -1) ? part(L, TRACEBACK) : ""; }

/* [-0, +0, -] */
static int says_cancelled(lua_State *L, int idx) {
    return lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), chief_error_code(CHIEF_ECANCELED)) == 0;
}

int chief__lua_verdict(lua_State *L, int first, chief_worker *worker, const char *what) {
    int n = lua_gettop(L) - first + 1;
    int says_why = n >= 2 && !lua_isnil(L, first + 1);
    if (n == 0 || lua_toboolean(L, first) || (lua_isnil(L, first) && !says_why)) return CHIEF_OK;
    int cancelled = says_why && (says_cancelled(L, first + 1) || (n >= 3 && says_cancelled(L, first + 2)));
    luaL_checkstack(L, 6, NULL);
    if (says_why) lua_pushvalue(L, first + 1);
    else lua_pushfstring(L, "%s returned false", what);
    chief__lua_textify(L);
    chief_worker_set_error(worker, cancelled ? CHIEF_REASON_CANCELLED : CHIEF_REASON_ERROR, lua_tostring(L, -1), NULL);
    lua_pop(L, 1);
    return CHIEF_EFAILED;
}
