#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "buffer.h"
#include "fail.h"
#include "inspect.h"
#include "kind.h"
#include "options.h"

static const chief__lua_kind kind;

static int close_findings(lua_State *L) {
    chief__lua_findings_clear(chief__lua_kind_check(L, 1, &kind));
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.findings", .methods = methods, .close = close_findings};

chief__lua_findings *chief__lua_new_findings(lua_State *L) {
    return chief__lua_kind_new(L, &kind, sizeof(chief__lua_findings), 0);
}

/* package.<key> of this state. [-0, +1, v] */
static void push_own_path(lua_State *L, const char *key) {
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_LOADLIBNAME);
    if (lua_istable(L, -1)) lua_getfield(L, -1, key);
    else lua_pushnil(L);
    lua_insert(L, -3);
    lua_pop(L, 2);
}

/* Pushed, so that it stays. [-0, +1, v] */
static const char *path_of(lua_State *L, int t, const char *key) {
    if (lua_getfield(L, t, key) == LUA_TNIL) {
        lua_pop(L, 1);
        push_own_path(L, key);
    }
    return lua_tostring(L, -1);
}

static const char *const libraries[] = {"lazy", "eager", NULL};

chief__lua_source chief__lua_check_source(lua_State *L, int t) {
    luaL_checktype(L, t, LUA_TTABLE);
    chief__lua_source source = {.module = chief__lua_field_string(L, t, "module"),
                                .chunk = chief__lua_field_string(L, t, "chunk"),
                                .chunkname = chief__lua_field_string(L, t, "chunkname")};
    if ((source.module == NULL) == (source.chunk == NULL)) luaL_argerror(L, t, "a spec has either module or chunk");
    if (source.chunk != NULL) {
        lua_getfield(L, t, "chunk");
        source.chunk_len = (size_t)lua_rawlen(L, -1);
        lua_pop(L, 1);
    }
    source.eager = chief__lua_field_word(L, t, "libraries", libraries, 0) != 0;
    source.path = path_of(L, t, "path");
    source.cpath = path_of(L, t, "cpath");
    return source;
}

static void set_flag(lua_State *L, const char *key, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

int chief__lua_inspect_spec(lua_State *L) {
    chief__lua_source source = chief__lua_check_source(L, 1);
    chief__lua_findings *findings = chief__lua_new_findings(L);
    int rc = chief__lua_inspect(&source, findings);
    if (rc != CHIEF_OK) {
        lua_pushnil(L);
        lua_pushstring(L, findings->text != NULL ? findings->text : chief_strerror(rc));
        lua_pushstring(L, chief_error_code(rc));
        return 3;
    }
    lua_createtable(L, 0, 5);
    set_flag(L, "run", true);
    set_flag(L, "init", findings->init);
    set_flag(L, "restart_on_fail", findings->restart_on_fail);
    set_flag(L, "ready", findings->ready);
    chief__lua_set_text(L, "file", findings->file);
    return 1;
}

/* ---- Functions as workers ---- */

/* A function goes into another state as its code alone; of what it captured only _ENV has a counterpart there. Raised
 * without a position, as a sentence for whoever passed the function. */
static void check_captures(lua_State *L) {
    const char *name;
    for (int i = 1; (name = lua_getupvalue(L, 1, i)) != NULL; i++) {
        lua_pop(L, 1);
        if (strcmp(name, "_ENV") == 0) continue;
        lua_pushfstring(L,
                        "the function uses the local '%s' from around it, which the worker's own state does not "
                        "have; pass it by args",
                        *name == '\0' ? "?" : name);
        lua_error(L);
    }
}

static int append(lua_State *L, const void *bytes, size_t len, void *buffer) {
    chief__lua_buffer *b = buffer;
    memcpy(chief__lua_buffer_extend(L, b, len), bytes, len);
    return 0;
}

int chief__lua_function_spec(lua_State *L) {
    lua_Debug ar;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_argcheck(L, !lua_iscfunction(L, 1), 1, "a C function can't be taken into another state");
    check_captures(L);
    lua_settop(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 1);
    chief__lua_buffer *b = chief__lua_buffer_scratch(L); /* after what may run a finalizer that uses it, too */
    if (lua_dump(L, append, b, 0) != 0) return luaL_error(L, "the function can't be dumped");
    lua_pop(L, 1);
    lua_pushlstring(L, b->data, b->len);
    lua_setfield(L, -2, "chunk");
    lua_pushvalue(L, 1);
    lua_getinfo(L, ">S", &ar);
    lua_pushstring(L, ar.source);
    lua_setfield(L, -2, "chunkname");
    return 1;
}
