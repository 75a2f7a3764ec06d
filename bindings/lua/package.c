#include "package.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "globals.h"
#include "life.h"
#include "luv.h"
#include "module.h"
#include "search.h"

/* Where the registry keeps the source, and the library's own require once that is there. */
static const char source_key;
static const char require_key;

void chief__lua_package_of(lua_State *L, const chief__lua_source *source) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)source);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &source_key);
}

/* ---- The table, on top ---- */

/* Closing a state would unload its C libraries, with the code that threads they started still run. [-0, +0, -] */
static void keep_libraries(lua_State *L) {
    if (lua_getfield(L, LUA_REGISTRYINDEX, "_CLIBS") == LUA_TTABLE) {
        lua_pushnil(L);
        lua_setmetatable(L, -2);
    }
    lua_pop(L, 1);
}

/* The path with what the state has by itself in the place of «;;», as LUA_PATH has it. The table is on top.
 * [-0, +1, m] */
static void push_path(lua_State *L, const char *key, const char *path) {
    const char *mark = strstr(path, LUA_PATH_SEP LUA_PATH_SEP);
    if (mark == NULL) {
        lua_pushstring(L, path);
        return;
    }
    luaL_Buffer b;
    lua_getfield(L, -1, key);
    const char *own = luaL_checkstring(L, -1);
    luaL_buffinit(L, &b);
    luaL_addlstring(&b, path, (size_t)(mark - path));
    if (mark > path) luaL_addstring(&b, LUA_PATH_SEP);
    luaL_addstring(&b, own);
    if (mark[2] != '\0') luaL_addstring(&b, LUA_PATH_SEP);
    luaL_addstring(&b, mark + 2);
    luaL_pushresult(&b);
    lua_remove(L, -2);
}

/* One that is there already is not made once more. [-0, +0, m] */
static void set_path(lua_State *L, const char *key, const char *path) {
    bool is_there = lua_getfield(L, -1, key) == LUA_TSTRING && path != NULL && strcmp(lua_tostring(L, -1), path) == 0;
    lua_pop(L, 1);
    if (path == NULL || is_there) return;
    push_path(L, key, path);
    lua_setfield(L, -2, key);
}

/* [-0, +0, m] */
static void set_paths(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &source_key);
    const chief__lua_source *source = lua_touserdata(L, -1);
    lua_pop(L, 1);
    set_path(L, "path", source->path);
    set_path(L, "cpath", source->cpath);
}

/* ---- Its functions ---- */

/* The function on top looks into that table, not into its own. [-0, +0, -] */
static void lead_to(lua_State *L, int table) {
    lua_pushvalue(L, table);
    if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
}

/* The library's table is on top. [-0, +0, m] */
static void lead_searchers(lua_State *L, int table) {
    lua_getfield(L, -1, "searchers");
    for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        lead_to(L, table);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    chief__lua_search_open(L, table);
    lua_pop(L, 1);
}

/* ---- require ---- */

/* Its upvalue is the table, as that of the library's own is, and looking into it fills it. The other's function runs in our place,
 * so that what it says is about who called us. */
static int fill_and_require(lua_State *L) {
    if (lua_type(L, 1) == LUA_TSTRING) chief__lua_globals_give(L, lua_tostring(L, 1)); /* it may be a library */
    lua_getfield(L, lua_upvalueindex(1), "loaded");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_key);
    lua_CFunction require = lua_tocfunction(L, -1);
    lua_pop(L, 2);
    return require(L);
}

void chief__lua_package_push_require(lua_State *L) { lua_pushcclosure(L, fill_and_require, 1); }

/* What is there without a file. [-0, +0, m] */
static void preload(lua_State *L, int table) {
    chief__lua_preload(L);
    if (chief__lua_life_of(L) == NULL) return; /* no worker: nothing of its runs in a loop */
    lua_pushvalue(L, table);
    chief__lua_package_push_require(L);
    chief__lua_luv_open(L);
}

bool chief__lua_package_has(const char *module) {
    return strcmp(module, CHIEF__LUA_CORE) == 0 || strcmp(module, CHIEF__LUA_LUV) == 0;
}

/* The global `require`, as it is. [-0, +1, m] */
static void push_global_require(lua_State *L) {
    lua_pushglobaltable(L);
    lua_pushliteral(L, "require");
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

/* Opening the library has set the global, which becomes again what it was, at `before`: ours, or what the worker made of it.
 * [-0, +0, m] */
static void settle_require(lua_State *L, int before, int table) {
    push_global_require(L);
    lead_to(L, table);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &require_key);
    lua_pushglobaltable(L);
    lua_pushliteral(L, "require");
    lua_pushvalue(L, before);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void chief__lua_package_push(lua_State *L, int table) {
    push_global_require(L);
    int before = lua_gettop(L);
    lua_pushcfunction(L, luaopen_package);
    lua_pushliteral(L, LUA_LOADLIBNAME);
    lua_call(L, 1, 1);
    keep_libraries(L);
    set_paths(L);
    settle_require(L, before, table);
    lead_searchers(L, table);
    preload(L, table);
    lua_remove(L, before);
}
