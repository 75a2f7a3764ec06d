#include "globals.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base.h"
#include "libraries.h"

/* Until all names are there the globals have a metatable that has its mark at 0. A name that was given once is not given again: who
 * sets it to nil, or to something else, means that. */
enum { GIVEN = 1, MISSES = 2 };

#define MANY_MISSES 64

static const char mark;

/* ---- names: first those of the base library, then the others ---- */

static int count_names(void) { return chief__lua_base_count() + chief__lua_library_count(); }

static const char *name_of(int n) {
    int of_base = chief__lua_base_count();
    return n < of_base ? chief__lua_base_name(n) : chief__lua_library_name(n - of_base);
}

/* -1: no name of ours. */
static int number_of(const char *name) {
    int n = count_names() - 1;
    while (n >= 0 && (*name_of(n) != *name || strcmp(name_of(n), name) != 0)) n--;
    return n;
}

static bool needs_all(const char *name) {
    static const char *const names[] = {"next", "rawget", "rawset", "package", "debug"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* [-0, +1, m] */
static void push_value(lua_State *L, int n) {
    int of_base = chief__lua_base_count();
    if (n < of_base) chief__lua_library_push_base(L, n);
    else chief__lua_library_push(L, n - of_base);
}

/* ---- giving; the metatable is at `meta` ---- */

static lua_Integer get_number(lua_State *L, int meta, int at) {
    lua_rawgeti(L, meta, at);
    lua_Integer value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value;
}

static void set_number(lua_State *L, int meta, int at, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_rawseti(L, meta, at);
}

/* What fails for want of memory is done once more when the name is asked for again. [-0, +0, m] */
static void give(lua_State *L, int meta, int n) {
    lua_Integer given = get_number(L, meta, GIVEN);
    if ((given & ((lua_Integer)1 << n)) != 0) return;
    lua_pushglobaltable(L);
    lua_pushstring(L, name_of(n));
    push_value(L, n);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    set_number(L, meta, GIVEN, get_number(L, meta, GIVEN) | (lua_Integer)1 << n);
}

static void give_all(lua_State *L, int meta) {
    for (int n = 0; n < count_names(); n++) give(L, meta, n);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* Pushes the metatable of the table at idx, or nothing and returns false when it is not ours. [-0, +(0|1), -] */
static bool push_meta(lua_State *L, int idx) {
    if (!lua_getmetatable(L, idx)) return false;
    bool is_ours = lua_rawgeti(L, -1, 0) == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &mark;
    lua_pop(L, is_ours ? 1 : 2);
    return is_ours;
}

/* The name is used, at stack index `name`; the metatable is on top. [-1, +0, m] */
static void use(lua_State *L, int name) {
    int meta = lua_gettop(L);
    const char *text = lua_type(L, name) == LUA_TSTRING ? lua_tostring(L, name) : NULL;
    int n = text != NULL ? number_of(text) : -1;
    lua_Integer misses = get_number(L, meta, MISSES) + 1;
    set_number(L, meta, MISSES, misses);
    if (misses >= MANY_MISSES || (n >= 0 && needs_all(text))) give_all(L, meta);
    else if (n >= 0) give(L, meta, n);
    lua_settop(L, meta - 1);
}

/* ---- metamethods ---- */

static int get(lua_State *L) {
    lua_settop(L, 2);
    if (push_meta(L, 1)) use(L, 2);
    lua_rawget(L, 1);
    return 1;
}

/* What would be there comes first, so that a library is in package.loaded even when its name means something else. */
static int set(lua_State *L) {
    lua_settop(L, 3);
    if (push_meta(L, 1)) use(L, 2);
    lua_rawset(L, 1);
    return 0;
}

/* pairs(_G) */
static int walk(lua_State *L) {
    lua_settop(L, 1);
    chief__lua_globals_settle_at(L, 1);
    lua_pushcfunction(L, chief__lua_base_function("next"));
    lua_insert(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ---- for others ---- */

void chief__lua_globals_open(lua_State *L) {
    lua_pushglobaltable(L);
    lua_createtable(L, MISSES, 4);
    lua_pushcfunction(L, get);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, set);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, walk);
    lua_setfield(L, -2, "__pairs");
    set_number(L, lua_gettop(L), GIVEN, 0);
    set_number(L, lua_gettop(L), MISSES, 0);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&mark);
    lua_rawseti(L, -2, 0);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void chief__lua_globals_give(lua_State *L, const char *name) {
    int top = lua_gettop(L);
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    if (push_meta(L, top + 1)) use(L, top + 2);
    lua_settop(L, top);
}

void chief__lua_globals_settle_at(lua_State *L, int idx) {
    if (!push_meta(L, idx)) return;
    give_all(L, lua_gettop(L));
    lua_pop(L, 1);
}

void chief__lua_globals_settle(lua_State *L) {
    lua_pushglobaltable(L);
    chief__lua_globals_settle_at(L, lua_gettop(L));
    lua_pop(L, 1);
}
