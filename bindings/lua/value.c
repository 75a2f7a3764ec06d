#include "value.h"

#include <lauxlib.h>
#include <string.h>

#include "log.h"

int chief__lua_to_value(lua_State *L, int idx, chief_value *out) {
    *out = (chief_value){.type = CHIEF_NIL};
    switch (lua_type(L, idx)) {
    case LUA_TNONE:
    case LUA_TNIL: return CHIEF_OK;
    case LUA_TBOOLEAN:
        out->type = CHIEF_BOOL;
        out->boolean = lua_toboolean(L, idx);
        return CHIEF_OK;
    case LUA_TNUMBER:
        out->type = lua_isinteger(L, idx) ? CHIEF_INTEGER : CHIEF_NUMBER;
        if (out->type == CHIEF_INTEGER) out->integer = lua_tointeger(L, idx);
        else out->number = lua_tonumber(L, idx);
        return CHIEF_OK;
    case LUA_TSTRING:
        out->type = CHIEF_BYTES;
        out->bytes.data = lua_tolstring(L, idx, &out->bytes.len);
        return CHIEF_OK;
    default: return CHIEF_EINVAL;
    }
}

void chief__lua_push_value(lua_State *L, const chief_value *value) {
    switch (value->type) {
    case CHIEF_BOOL: lua_pushboolean(L, value->boolean); break;
    case CHIEF_INTEGER: lua_pushinteger(L, value->integer); break;
    case CHIEF_NUMBER: lua_pushnumber(L, value->number); break;
    case CHIEF_BYTES: lua_pushlstring(L, value->bytes.data, value->bytes.len); break;
    case CHIEF_POINTER: lua_pushlightuserdata(L, value->pointer); break;
    default: lua_pushnil(L); break;
    }
}

typedef struct held {
    chief_context *context;
    const char *key;
    chief_value value;
} held;

/* held → the Lua value */
static int push_held(lua_State *L) {
    held *h = lua_touserdata(L, 1);
    if (h->value.type == CHIEF_POINTER && strcmp(h->key, CHIEF_CTX_KEY_LOG) == 0)
        chief__lua_push_log(L, h->value.pointer);
    else chief__lua_push_value(L, &h->value);
    return 1;
}

void chief__lua_push_context_value(lua_State *L, chief_context *context, const char *key) {
    held h = {.context = context, .key = key};
    lua_pushcfunction(L, push_held);
    lua_pushlightuserdata(L, &h);
    if (chief_context_get(context, key, &h.value) != CHIEF_OK) {
        lua_pop(L, 2);
        lua_pushnil(L);
        return;
    }
    /* The value has to be given back also when there is no memory to push it. */
    int status = lua_pcall(L, 1, 1, 0);
    chief_value_clear(&h.value);
    if (status != LUA_OK) lua_error(L);
}

static void unref_log(void *log) { chief_log_unref(log); }

chief_value chief__lua_check_context_value(lua_State *L, int arg) {
    chief_value value;
    chief_log *log = chief__lua_test_log(L, arg);
    if (log != NULL) value = (chief_value){.type = CHIEF_POINTER, .pointer = chief_log_ref(log), .destroy = unref_log};
    else if (chief__lua_to_value(L, arg, &value) != CHIEF_OK)
        luaL_argerror(L, arg, "a context's value is nil, a boolean, a number, a string or a log");
    return value;
}
