#include "load.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "bytecode.h"
#include "exit.h"
#include "fail.h"
#include "libraries.h"
#include "life.h"
#include "package.h"
#include "search.h"

/* ---- The state ---- */

void chief__lua_prepare(lua_State *L, const chief__lua_source *source, chief_worker *worker) {
    luaL_checkversion(L);
    chief__lua_package_of(L, source);
    const chief__lua_life *life = chief__lua_life_of(L);
    if (life == NULL || !life->has_libraries) chief__lua_open_libraries(L, source->eager);
    chief__lua_exit_of(L, worker);
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

/* ---- As require does it, without the library ---- */

/* The function of the module's file, with that; false where `require` has to look, or to say what is wrong. [-0, +(0|2), m] */
static bool push_loader(lua_State *L, const chief__lua_source *source) {
    struct stat about;
    char file[CHIEF__LUA_FILE_SIZE];
    if (source->path == NULL || chief__lua_package_has(source->module) ||
        !chief__lua_search_find(file, source->path, source->module, &about) ||
        !chief__lua_bytecode_load(L, file, &about))
        return false;
    lua_pushstring(L, file);
    return true;
}

/* What a loader returned is on top; what is in package.loaded takes its place. [-0, +0, m] */
static void settle_loaded(lua_State *L, const char *module) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_insert(L, -2);
    if (!lua_isnil(L, -1)) lua_setfield(L, -2, module);
    else lua_pop(L, 1);
    if (lua_getfield(L, -1, module) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, module);
    }
    lua_remove(L, -2);
}

/* handler, loader, file → value, file; or handler, an error */
static int run_loader(lua_State *L, const char *module) {
    lua_insert(L, -2);
    lua_pushstring(L, module);
    lua_pushvalue(L, -3);
    int status = lua_pcall(L, 2, 1, -5);
    if (status != LUA_OK) return status;
    settle_loaded(L, module);
    lua_replace(L, -3);
    return LUA_OK;
}

/* handler → value, file; or handler, an error */
static int run_require(lua_State *L, const char *module) {
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    int status = lua_pcall(L, 1, 2, -3);
    if (status == LUA_OK) lua_remove(L, -3);
    return status;
}

static void require_module(lua_State *L, const chief__lua_source *source) {
    const char *module = source->module;
    lua_pushcfunction(L, chief__lua_on_error);
    int status = push_loader(L, source) ? run_loader(L, module) : run_require(L, module);
    if (status != LUA_OK) explain(L, module);
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
    if (source->module != NULL) require_module(L, source);
    else load_chunk(L, source);
}
