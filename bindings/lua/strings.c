#include "strings.h"

#include <lauxlib.h>
#include <stdint.h>

#include "libraries.h"

static const char mark;

bool chief__lua_strings_stand_in(lua_State *L) {
    bool same = lua_rawgeti(L, -1, 0) == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &mark;
    lua_pop(L, 1);
    return same;
}

/* The library's own metatable takes the place of ours, if it has not yet; pushes what it has for the event. [-0, +1, m] */
static int push_own(lua_State *L, const char *event) {
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) {
        if (chief__lua_strings_stand_in(L)) chief__lua_library_fill_strings(L);
        lua_pop(L, 1);
    }
    int type = luaL_getmetafield(L, -1, event);
    if (type == LUA_TNIL) lua_pushnil(L);
    lua_remove(L, -2);
    return type;
}

static int get(lua_State *L) {
    lua_settop(L, 2);
    (void)push_own(L, "__index");
    lua_insert(L, 2);
    lua_gettable(L, 2);
    return 1;
}

/* Arithmetic with strings is done by the metatable that comes with the library. Its function runs in our place, so that what
 * it says of a wrong operand is about who called us. */
static int calculate(lua_State *L, const char *event) {
    lua_settop(L, 2);
    if (push_own(L, event) == LUA_TNIL) return luaL_error(L, "no %s of strings", event);
    lua_CFunction f = lua_tocfunction(L, -1);
    lua_settop(L, 2);
    return f(L);
}

static int add(lua_State *L) { return calculate(L, "__add"); }
static int sub(lua_State *L) { return calculate(L, "__sub"); }
static int mul(lua_State *L) { return calculate(L, "__mul"); }
static int mod(lua_State *L) { return calculate(L, "__mod"); }
static int power(lua_State *L) { return calculate(L, "__pow"); }
static int divide(lua_State *L) { return calculate(L, "__div"); }
static int floor_divide(lua_State *L) { return calculate(L, "__idiv"); }
static int negate(lua_State *L) { return calculate(L, "__unm"); }

static const luaL_Reg events[] = {
    {"__index", get}, {"__add", add},    {"__sub", sub},           {"__mul", mul},    {"__mod", mod},
    {"__pow", power}, {"__div", divide}, {"__idiv", floor_divide}, {"__unm", negate}, {NULL, NULL},
};

void chief__lua_strings_open(lua_State *L) {
    lua_pushliteral(L, "");
    lua_createtable(L, 0, sizeof events / sizeof *events);
    luaL_setfuncs(L, events, 0);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&mark);
    lua_rawseti(L, -2, 0);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
