/*
 * kind: the kinds of userdata this binding makes. Each has a metatable with __name, __tostring, one function for
 * __gc and __close, methods, and getters for what reads like a field.
 */
#ifndef CHIEF_LUA_KIND_H
#define CHIEF_LUA_KIND_H

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#pragma GCC visibility push(hidden)

typedef struct chief__lua_kind {
    const char *name;        /* "chief.channel" */
    const luaL_Reg *methods; /* called with the object first */
    const luaL_Reg *getters; /* NULL: none */
    size_t lasting;          /* so many of the getters, from the first, always answer the same */
    lua_CFunction close;     /* NULL: nothing to release; called any number of times */
    lua_CFunction describe;  /* __tostring; NULL: name and address */
    size_t looks;            /* offset of an `unsigned` in the object, for the kind's use; 0: never asked often */
} chief__lua_kind;

/* A zeroed object with its metatable: it can be closed before it owns anything. [-0, +1, m] */
void *chief__lua_kind_new(lua_State *L, const chief__lua_kind *kind, size_t size, int user_values);

/* Whether the value at idx is of that kind; its memory, else NULL. Takes no memory, and neither does a check that succeeds:
 * a finalizer that raised would never be called again. Behind an object stands the address of its kind. Nobody else's
 * userdata can end with that, and to read it is much cheaper than to look up a metatable for each argument of each call.
 * [-0, +0, -] */
static inline void *chief__lua_kind_test(lua_State *L, int idx, const chief__lua_kind *kind) {
    const chief__lua_kind *own;
    char *object = (char *)lua_touserdata(L, idx);
    size_t size = object != NULL ? (size_t)lua_rawlen(L, idx) : 0; /* 0 for a light one */
    if (size < sizeof own) return NULL;
    memcpy(&own, object + size - sizeof own, sizeof own);
    return own == kind ? object : NULL;
}

/* The same, raising a bad argument. What is asked of an object is a call of the chief's, which the watchdog counts.
 * [-0, +0, v] */
void *chief__lua_kind_check(lua_State *L, int arg, const chief__lua_kind *kind);

#pragma GCC visibility pop
#endif
