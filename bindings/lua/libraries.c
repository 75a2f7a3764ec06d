#include "libraries.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <string.h>

#include "base.h"
#include "corun.h"
#include "exit.h"
#include "globals.h"
#include "life.h"
#include "package.h"
#include "pipes.h"
#include "strings.h"

typedef struct library {
    const char *name;
    lua_CFunction open;
    chief__lua_adjust adjust; /* NULL: as Lua has it */
    bool of_workers;          /* adjusted only where a worker runs, not where a module is looked at */
} library;

static void settle_both(lua_State *L);

/* STRING is named, as strings have its table without anybody asking for it, and PACKAGE, as it is more than its table: the name
 * after it is that of its function. */
enum { STRING = 1, PACKAGE = 9, LIBRARIES = 9, REQUIRE = 10 };

static const library libraries[LIBRARIES + 1] = {
    [STRING] = {LUA_STRLIBNAME, luaopen_string, NULL, false},
    {LUA_TABLIBNAME, luaopen_table, NULL, false},
    {LUA_IOLIBNAME, luaopen_io, chief__lua_pipes_adjust, true},
    {LUA_OSLIBNAME, luaopen_os, chief__lua_exit_adjust, false},
    {LUA_MATHLIBNAME, luaopen_math, NULL, false},
    {LUA_UTF8LIBNAME, luaopen_utf8, NULL, false},
    {LUA_COLIBNAME, luaopen_coroutine, chief__lua_corun_adjust, true},
    {LUA_DBLIBNAME, luaopen_debug, settle_both, false},
    [PACKAGE] = {LUA_LOADLIBNAME, luaopen_package, NULL, false},
};

/*
 * A library's table that was not used yet has the *filler* as its metatable: one for all of them, which has each at the place of
 * its number, and its own address at 0, by which it is known. The registry has it by that address, too.
 */
static const char filler_mark;

/* Whether the metatable on top is the filler. [-0, +0, -] */
static bool is_filler(lua_State *L) {
    bool same = lua_rawgeti(L, -1, 0) == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == &filler_mark;
    lua_pop(L, 1);
    return same;
}

/* ---- Filling ---- */

/* The number of the library whose table is at idx; the filler is on top. [-0, +0, -] */
static int number_of(lua_State *L, int idx) {
    int n = LIBRARIES;
    bool found = false;
    for (; !found && n > 0; n--) {
        lua_rawgeti(L, -1, n);
        found = lua_rawequal(L, -1, idx);
        lua_pop(L, 1);
    }
    return n + 1;
}

/* Pushes a table of the library's functions, as a worker is to have them. [-0, +1, m] */
static void push_functions(lua_State *L, const library *lib) {
    lua_pushcfunction(L, lib->open);
    lua_pushstring(L, lib->name);
    lua_call(L, 1, 1);
    if (lib->adjust != NULL && (!lib->of_workers || chief__lua_life_of(L) != NULL)) lib->adjust(L);
}

/* Moves what is in the table on top to the one at `to`; what somebody has put there already stays. [-1, +0, m] */
static void move_to(lua_State *L, int to) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        if (lua_rawget(L, to) == LUA_TNIL) {
            lua_pushvalue(L, -3);
            lua_pushvalue(L, -3);
            lua_rawset(L, to);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* Opening the library has given strings its own metatable, which is to lead to the table that everybody knows. [-0, +0, m] */
static void adopt_strings(lua_State *L, int table) {
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, table);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

static void fill(lua_State *L, int idx);

/* ---- C code ---- */

/* A searcher for C libraries, or loadlib: C code may look at tables in ways that nothing here can notice, and may count on
 * what opening a library leaves in the registry. */
static int fill_all(lua_State *L) {
    int top = lua_gettop(L);
    chief__lua_globals_settle(L);
    for (int n = 1; n <= LIBRARIES; n++) {
        lua_rawgeti(L, lua_upvalueindex(2), n);
        fill(L, lua_gettop(L));
        lua_settop(L, top);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, top, LUA_MULTRET);
    return lua_gettop(L);
}

/* The function on top is called only when all is filled; the filler is at idx. [-1, +1, m] */
static void guard(lua_State *L, int filler) {
    lua_pushvalue(L, filler);
    lua_pushcclosure(L, fill_all, 2);
}

/* The library's table is on top, the filler at idx. [-0, +0, m] */
static void guard_c_code(lua_State *L, int filler) {
    lua_getfield(L, -1, "loadlib");
    guard(L, filler);
    lua_setfield(L, -2, "loadlib");
    lua_getfield(L, -1, "searchers");
    for (int i = 3; i <= 4; i++) {
        lua_rawgeti(L, -1, i);
        guard(L, filler);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 1);
}

/* For the table at idx; the filler is on top. [-0, +1, v] */
static void push_package(lua_State *L, int idx) {
    int filler = lua_gettop(L);
    chief__lua_package_push(L, idx);
    guard_c_code(L, filler);
}

/* ---- Filling one ---- */

/* Fills the table at idx, if it is one that waits for that; until it is whole, it goes on waiting. [-0, +0, m] */
static void fill(lua_State *L, int idx) {
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (!lua_getmetatable(L, idx)) return;
    if (is_filler(L)) {
        int n = number_of(L, idx);
        if (n == PACKAGE) push_package(L, idx);
        else push_functions(L, &libraries[n]);
        move_to(L, idx);
        if (n == STRING) adopt_strings(L, idx);
        lua_pushnil(L);
        lua_setmetatable(L, idx);
    }
    lua_pop(L, 1);
}

static int fill_and_get(lua_State *L) {
    lua_settop(L, 2);
    fill(L, 1);
    lua_rawget(L, 1);
    return 1;
}

static int fill_and_set(lua_State *L) {
    lua_settop(L, 3);
    fill(L, 1);
    lua_rawset(L, 1);
    return 0;
}

/* pairs(library) */
static int fill_and_walk(lua_State *L) {
    lua_settop(L, 1);
    fill(L, 1);
    lua_pushcfunction(L, chief__lua_base_function("next"));
    lua_insert(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ---- Metatables ---- */

/* getmetatable, setmetatable and those of debug: who asks finds, or replaces, what would be there without us. */
static int settled(lua_State *L) {
    if (lua_gettop(L) > 0 && lua_getmetatable(L, 1)) {
        bool is_marked = lua_rawgeti(L, -1, 0) == LUA_TLIGHTUSERDATA;
        lua_pop(L, 1);
        bool is_library = is_marked && is_filler(L);
        bool is_string = is_marked && chief__lua_strings_stand_in(L);
        lua_pop(L, 1);
        if (is_library) fill(L, 1);
        else if (is_string) chief__lua_library_fill_strings(L);
        else if (is_marked) chief__lua_globals_settle_at(L, 1);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* In the table on top. [-0, +0, m] */
static void settle(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, settled, 1);
    lua_setfield(L, -2, name);
}

static void settle_both(lua_State *L) {
    settle(L, "getmetatable");
    settle(L, "setmetatable");
}

/* ---- Names ---- */

/* [-0, +1, m] */
static void push_new_filler(lua_State *L) {
    lua_createtable(L, LIBRARIES, 4);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&filler_mark);
    lua_rawseti(L, -2, 0);
    lua_pushcfunction(L, fill_and_get);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, fill_and_set);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, fill_and_walk);
    lua_setfield(L, -2, "__pairs");
}

/* The state's own. [-0, +1, m] */
static void push_filler(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &filler_mark) != LUA_TNIL) return;
    lua_pop(L, 1);
    push_new_filler(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &filler_mark);
}

/* The library's table, at first an empty one that fills itself. [-0, +1, m] */
static void push_table(lua_State *L, int n) {
    push_filler(L);
    if (lua_rawgeti(L, -1, n) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, n);
        lua_pushvalue(L, -2);
        lua_setmetatable(L, -2);
    }
    lua_remove(L, -2);
}

/* What is on top is the library in package.loaded. [-0, +0, m] */
static void set_loaded(lua_State *L, const char *name) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

int chief__lua_library_count(void) { return REQUIRE; }

const char *chief__lua_library_name(int n) { return n + 1 == REQUIRE ? "require" : libraries[n + 1].name; }

void chief__lua_library_push(lua_State *L, int n) {
    bool is_require = n + 1 == REQUIRE;
    push_table(L, is_require ? PACKAGE : n + 1);
    if (is_require) chief__lua_package_push_require(L);
    else set_loaded(L, libraries[n + 1].name);
}

void chief__lua_library_push_base(lua_State *L, int n) {
    const char *name = chief__lua_base_name(n);
    lua_CFunction own = chief__lua_life_of(L) != NULL ? chief__lua_corun_global(name) : NULL;
    if (own != NULL) {
        lua_pushcfunction(L, own);
        return;
    }
    chief__lua_base_push(L, n);
    if (strcmp(name, "getmetatable") == 0 || strcmp(name, "setmetatable") == 0) lua_pushcclosure(L, settled, 1);
}

/* Under its name, too, unless that means something else already: who looks for a function's name finds it there. */
void chief__lua_library_fill_strings(lua_State *L) {
    chief__lua_globals_give(L, libraries[STRING].name);
    push_table(L, STRING);
    fill(L, lua_gettop(L));
    lua_pop(L, 1);
}

/* ---- Opening ---- */

static void promise_all(lua_State *L) {
    lua_pushglobaltable(L);
    set_loaded(L, LUA_GNAME);
    lua_pop(L, 1);
    chief__lua_strings_open(L);
    chief__lua_globals_open(L);
}

static void set_global(lua_State *L, const char *name) {
    set_loaded(L, name);
    lua_setglobal(L, name);
}

static void open_all(lua_State *L) {
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    lua_pop(L, 1);
    if (chief__lua_life_of(L) != NULL) chief__lua_corun_globals(L);
    for (int n = 1; n < PACKAGE; n++) {
        push_functions(L, &libraries[n]);
        set_global(L, libraries[n].name);
    }
    lua_newtable(L);
    lua_pushvalue(L, -1);
    chief__lua_package_push_require(L);
    lua_setglobal(L, "require");
    chief__lua_package_push(L, lua_gettop(L));
    move_to(L, lua_gettop(L) - 1);
    set_global(L, LUA_LOADLIBNAME);
}

void chief__lua_open_libraries(lua_State *L, bool eager) {
    if (!eager && chief__lua_base_open()) promise_all(L);
    else open_all(L);
}
