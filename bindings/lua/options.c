#include "options.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#define MS_MAX 9.0e15 /* what a double still counts one by one */
#define NOISE 1e-6    /* ms */

int64_t chief__lua_to_ms(double seconds) {
    double ms = seconds * 1000.0;
    if (ms > MS_MAX) return (int64_t)MS_MAX;
    int64_t whole = (int64_t)ms;
    bool more = ms - (double)whole > NOISE || (whole == 0 && ms > 0);
    return more ? whole + 1 : whole;
}

int64_t chief__lua_seconds(lua_State *L, int arg) {
    double seconds = luaL_checknumber(L, arg);
    luaL_argcheck(L, seconds >= 0, arg, "seconds are 0 or more");
    return chief__lua_to_ms(seconds);
}

int64_t chief__lua_timeout(lua_State *L, int arg) {
    if (lua_isnoneornil(L, arg)) return CHIEF_FOREVER;
    double seconds = luaL_checknumber(L, arg);
    luaL_argcheck(L, seconds >= 0, arg, "a timeout is 0 or more seconds, or nil to wait for ever");
    return isinf(seconds) ? CHIEF_FOREVER : chief__lua_to_ms(seconds);
}

/* Pushes what the table itself has, which stays alive with it; LUA_TNIL also where there is no table. [-0, +1, m] */
static int push_field(lua_State *L, int t, const char *key) {
    if (lua_isnoneornil(L, t)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    t = lua_absindex(L, t);
    lua_pushstring(L, key);
    return lua_rawget(L, t);
}

/* The field on top. */
static int bad_field(lua_State *L, const char *key, const char *wanted) {
    if (lua_type(L, -1) == LUA_TNUMBER)
        return luaL_error(L, "%s should be %s, not %s", key, wanted, lua_tostring(L, -1));
    return luaL_error(L, "%s should be %s, not a %s", key, wanted, luaL_typename(L, -1));
}

double chief__lua_field_number(lua_State *L, int t, const char *key, double otherwise) {
    int type = push_field(L, t, key);
    if (type != LUA_TNIL && type != LUA_TNUMBER) bad_field(L, key, "a number");
    double value = type == LUA_TNIL ? otherwise : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

int64_t chief__lua_field_ms(lua_State *L, int t, const char *key) {
    double seconds = chief__lua_field_number(L, t, key, -1);
    int absent = push_field(L, t, key) == LUA_TNIL;
    if (!absent && !(seconds >= 0)) bad_field(L, key, "0 or more seconds");
    lua_pop(L, 1);
    if (absent) return 0;
    return seconds > 0 ? chief__lua_to_ms(seconds) : CHIEF_ZERO;
}

int64_t chief__lua_field_integer(lua_State *L, int t, const char *key) {
    int type = push_field(L, t, key);
    int ok = type == LUA_TNIL;
    lua_Integer value = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &ok) : 0;
    if (!ok) bad_field(L, key, "an integer");
    lua_pop(L, 1);
    return value;
}

int64_t chief__lua_field_count(lua_State *L, int t, const char *key) {
    int64_t value = chief__lua_field_integer(L, t, key);
    int absent = push_field(L, t, key) == LUA_TNIL;
    if (value < 0) bad_field(L, key, "0 or more");
    lua_pop(L, 1);
    return !absent && value == 0 ? CHIEF_ZERO : value;
}

bool chief__lua_field_bool(lua_State *L, int t, const char *key) {
    push_field(L, t, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

const char *chief__lua_field_string(lua_State *L, int t, const char *key) {
    int type = push_field(L, t, key);
    if (type != LUA_TNIL && type != LUA_TSTRING) bad_field(L, key, "a string");
    const char *value = type == LUA_TNIL ? NULL : lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

int chief__lua_field_word(lua_State *L, int t, const char *key, const char *const *words, int otherwise) {
    const char *value = chief__lua_field_string(L, t, key);
    if (value == NULL) return otherwise;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], value) == 0) return i;
    return luaL_error(L, "%s can't be '%s'", key, value);
}

const char *const *chief__lua_strings(lua_State *L, int idx, const char *what, size_t *n) {
    idx = lua_absindex(L, idx);
    *n = 0;
    if (lua_isnoneornil(L, idx)) {
        lua_pushnil(L);
        return NULL;
    }
    if (!lua_istable(L, idx)) luaL_error(L, "%s should be a list of strings", what);
    *n = (size_t)lua_rawlen(L, idx);
    const char **list = lua_newuserdatauv(L, (*n + 1) * sizeof *list, 0);
    for (size_t i = 0; i < *n; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "%s should be a list of strings", what);
        list[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    list[*n] = NULL;
    return list;
}

const char *const *chief__lua_field_strings(lua_State *L, int t, const char *key, size_t *n) {
    push_field(L, t, key);
    const char *const *list = chief__lua_strings(L, -1, key, n);
    lua_remove(L, -2);
    return list;
}

static int32_t check_code(lua_State *L, const char *key) {
    int whole = 0;
    lua_Integer code = lua_tointegerx(L, -1, &whole);
    if (!whole || code < INT32_MIN || code > INT32_MAX) luaL_error(L, "%s should be a list of integers", key);
    return (int32_t)code;
}

const int32_t *chief__lua_field_codes(lua_State *L, int t, const char *key, size_t *n) {
    *n = 0;
    int type = push_field(L, t, key);
    if (type == LUA_TNIL) return NULL;
    if (type != LUA_TTABLE) bad_field(L, key, "a list of integers");
    *n = (size_t)lua_rawlen(L, -1);
    int32_t *codes = lua_newuserdatauv(L, (*n + 1) * sizeof *codes, 0);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        codes[i] = check_code(L, key);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return codes;
}

void chief__lua_set_text(lua_State *L, const char *key, const char *text) {
    if (text == NULL || *text == '\0') return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}
