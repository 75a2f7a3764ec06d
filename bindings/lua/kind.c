#include "kind.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "life.h"

#define BUSY 64 /* looks after which an object gets a table of methods */

/* NULL: there is none of that name. */
static const luaL_Reg *find(const luaL_Reg *functions, const char *name) {
    for (; functions != NULL && functions->name != NULL; functions++)
        if (*functions->name == *name && strcmp(functions->name, name) == 0) return functions;
    return NULL;
}

/* A table of all methods, for who looks with the debug library: the key is the upvalue of __index. */
static int list_methods(lua_State *L, const chief__lua_kind *kind) {
    lua_newtable(L);
    luaL_setfuncs(L, kind->methods, 0);
    return 1;
}

/* object, key → a method, or what the key's getter answers, or nil. */
static int answer(lua_State *L, const chief__lua_kind *kind) {
    if (lua_islightuserdata(L, 2) && lua_touserdata(L, 2) == kind) return list_methods(L, kind);
    const char *name = lua_tostring(L, 2);
    const luaL_Reg *method = name != NULL ? find(kind->methods, name) : NULL;
    const luaL_Reg *getter = name != NULL && method == NULL ? find(kind->getters, name) : NULL;
    if (getter != NULL) {
        lua_pushcfunction(L, getter->func);
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
    } else if (method != NULL) {
        lua_pushcfunction(L, method->func);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static bool lasts(const chief__lua_kind *kind, const char *name) {
    const luaL_Reg *getter = name != NULL ? find(kind->getters, name) : NULL;
    return getter != NULL && (size_t)(getter - kind->getters) < kind->lasting;
}

/* The table of its methods does not know this key, so the object is asked, which is an upvalue. What it always answers the
 * table knows from then on. */
static int index_busy(lua_State *L) {
    const chief__lua_kind *kind = lua_touserdata(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_replace(L, 1);
    (void)answer(L, kind);
    if (!lasts(kind, lua_tostring(L, 2))) return 1;
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 3);
    return 1;
}

/* metatable on top; the object at 1. [-0, +0, m] */
static void set_method_table(lua_State *L, const chief__lua_kind *kind) {
    (void)list_methods(L, kind);
    lua_createtable(L, 0, 1);
    lua_pushlightuserdata(L, (void *)(uintptr_t)kind);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, index_busy, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
}

static void make_metatable(lua_State *L, const chief__lua_kind *kind);

/* A table of methods is much faster than a function, and in ten thousand small states it would be ten thousand tables. So an
 * object gets one, in a metatable of its own, as soon as it has been asked often. */
static void count_look(lua_State *L, const chief__lua_kind *kind) {
    char *object = kind->looks != 0 ? chief__lua_kind_test(L, 1, kind) : NULL;
    if (object == NULL) return;
    unsigned looks;
    memcpy(&looks, object + kind->looks, sizeof looks);
    looks = (looks + 1) % BUSY;
    memcpy(object + kind->looks, &looks, sizeof looks);
    if (looks != 0) return;
    make_metatable(L, kind);
    set_method_table(L, kind);
    lua_setmetatable(L, 1);
}

/* Of an object that was not asked often yet. */
static int index_object(lua_State *L) {
    const chief__lua_kind *kind = lua_touserdata(L, lua_upvalueindex(1));
    count_look(L, kind);
    return answer(L, kind);
}

static int describe_object(lua_State *L) {
    lua_pushfstring(L, "%s: %p", lua_tostring(L, lua_upvalueindex(1)), lua_topointer(L, 1));
    return 1;
}

/* metatable on top. [-0, +0, m] */
static void set_index(lua_State *L, const chief__lua_kind *kind) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)kind);
    lua_pushcclosure(L, index_object, 1);
    lua_setfield(L, -2, "__index");
}

/* metatable on top. [-0, +0, m] */
static void set_close(lua_State *L, lua_CFunction close) {
    lua_pushcfunction(L, close);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__close");
}

/* [-0, +1, m] */
static void make_metatable(lua_State *L, const chief__lua_kind *kind) {
    lua_createtable(L, 0, 6);
    set_index(L, kind);
    if (kind->close != NULL) set_close(L, kind->close);
    lua_pushstring(L, kind->name);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__name");
    lua_pushcclosure(L, kind->describe != NULL ? kind->describe : describe_object, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

/* Known only when it is whole: a want of memory on the way leaves nothing of it. [-0, +1, m] */
static void push_metatable(lua_State *L, const chief__lua_kind *kind) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, kind) != LUA_TNIL) return;
    lua_pop(L, 1);
    make_metatable(L, kind);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, kind);
}

void *chief__lua_kind_new(lua_State *L, const chief__lua_kind *kind, size_t size, int user_values) {
    push_metatable(L, kind);
    char *object = lua_newuserdatauv(L, size + sizeof kind, user_values);
    memset(object, 0, size);
    memcpy(object + size, &kind, sizeof kind);
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
    return object;
}

void *chief__lua_kind_check(lua_State *L, int arg, const chief__lua_kind *kind) {
    void *object = chief__lua_kind_test(L, arg, kind);
    chief__lua_call_pass(L);
    if (object == NULL) luaL_typeerror(L, arg, kind->name);
    return object;
}
