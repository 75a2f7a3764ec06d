#include "load.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "exit.h"
#include "fail.h"
#include "libraries.h"
#include "module.h"
#include "search.h"

/* ---- The state ---- */

/* Closing a state would unload its C libraries, with the code that threads they started still run. */
static void keep_libraries(lua_State *L) {
    if (lua_getfield(L, LUA_REGISTRYINDEX, "_CLIBS") == LUA_TTABLE) {
        lua_pushnil(L);
        lua_setmetatable(L, -2);
    }
    lua_pop(L, 1);
}

/* The path with what the state has by itself in the place of «;;», as LUA_PATH has it. The package table is on top.
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

/* One that is there already is not made once more. */
static void set_path(lua_State *L, const char *key, const char *path) {
    bool is_there = lua_getfield(L, -1, key) == LUA_TSTRING && path != NULL && strcmp(lua_tostring(L, -1), path) == 0;
    lua_pop(L, 1);
    if (path == NULL || is_there) return;
    push_path(L, key, path);
    lua_setfield(L, -2, key);
}

static void set_paths(lua_State *L, const chief__lua_source *source) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    set_path(L, "path", source->path);
    set_path(L, "cpath", source->cpath);
    lua_pop(L, 1);
}

void chief__lua_prepare(lua_State *L, const chief__lua_source *source, chief_worker *worker) {
    luaL_checkversion(L);
    chief__lua_open_libraries(L, source->eager);
    keep_libraries(L);
    chief__lua_exit_of(L, worker);
    set_paths(L, source);
    chief__lua_search_open(L);
    chief__lua_preload(L);
}

/* ---- The module ---- */

/* [-0, +1, m] */
static void push_searched(lua_State *L, const char *list) {
    static const char before[] = "\n\tno file '";
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (const char *at = strstr(list, before); at != NULL; at = strstr(at, before)) {
        at += sizeof before - 1;
        size_t len = strcspn(at, "'");
        if (len >= 3 && strncmp(at + len - 3, ".so", 3) == 0) continue; /* workers are Lua modules */
        luaL_addstring(&b, "\n  ");
        luaL_addlstring(&b, at, len);
    }
    luaL_pushresult(&b);
}

/* Whether the text says that this module, and not one that it requires, was not found. */
static int is_not_found(const char *text, const char *module) {
    static const char begin[] = "module '";
    static const char end[] = "' not found:";
    size_t len = strlen(module);
    if (strncmp(text, begin, sizeof begin - 1) != 0) return 0;
    text += sizeof begin - 1;
    return strncmp(text, module, len) == 0 && strncmp(text + len, end, sizeof end - 1) == 0;
}

/* What follows «error loading module 'm' from file 'f':» names the file itself; NULL when it is something else. */
static const char *loader_text(const char *text) {
    static const char end[] = "':\n\t";
    if (strncmp(text, "error loading module", 20) != 0) return NULL;
    const char *at = strstr(text, end);
    return at != NULL ? at + sizeof end - 1 : text;
}

/* Raises what require raised, a failure on top, in words for who wrote the module. */
static int explain(lua_State *L, const char *module) {
    const char *text = chief__lua_failure_text(L);
    const char *traceback = chief__lua_failure_traceback(L);
    if (is_not_found(text, module)) {
        push_searched(L, text);
        lua_pushfstring(L, "module '%s' not found; looked for:%s", module, lua_tostring(L, -1));
        lua_pushnil(L);
    } else if (loader_text(text) != NULL) {
        lua_pushstring(L, loader_text(text));
        lua_pushnil(L);
    } else {
        lua_pushfstring(L, "module '%s' raised while loading: %s", module, text);
        lua_pushstring(L, traceback);
    }
    chief__lua_make_failure(L);
    return lua_error(L);
}

static void refuse_value(lua_State *L, const char *module) {
    const char *hint = lua_isboolean(L, -2) ? ": forgot `return M`?" : "";
    lua_pushfstring(L, "module '%s' returned a %s, not a table%s", module, luaL_typename(L, -2), hint);
    lua_pushnil(L);
    chief__lua_make_failure(L);
    lua_error(L);
}

static void require_module(lua_State *L, const char *module) {
    lua_pushcfunction(L, chief__lua_on_error);
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    if (lua_pcall(L, 1, 2, -3) != LUA_OK) explain(L, module);
    lua_remove(L, -3);
    if (!lua_istable(L, -2)) refuse_value(L, module);
}

/* A function that runs is a module of nothing else. */
static void load_chunk(lua_State *L, const chief__lua_source *s) {
    const char *name = s->chunkname != NULL ? s->chunkname : "=worker";
    lua_createtable(L, 0, 1);
    if (luaL_loadbufferx(L, s->chunk, s->chunk_len, name, "b") != LUA_OK) lua_error(L);
    lua_setfield(L, -2, "run");
    lua_pushnil(L);
}

void chief__lua_load(lua_State *L, const chief__lua_source *source) {
    if (source->module != NULL) require_module(L, source->module);
    else load_chunk(L, source);
}
