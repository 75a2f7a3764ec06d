#include "state.h"

#include <lauxlib.h>

#include "fail.h"

static const chief_state_t all[] = {
    CHIEF_WORKER_WRONG_STATE_CHANGE,
    CHIEF_WORKER_NULL,
    CHIEF_WORKER_DISABLED,
    CHIEF_WORKER_PRESENT,
    CHIEF_WORKER_ENABLED,
    CHIEF_WORKER_INITIALIZED,
    CHIEF_WORKER_RUN,
    CHIEF_WORKER_STOPPED,
    CHIEF_WORKER_FAILED,
};

void chief__lua_push_state(lua_State *L, chief_state_t state) {
    char name[40];
    chief_state_to_string(state, name, sizeof name);
    lua_pushstring(L, name);
}

/* A number as it is; a string by its name, CHIEF_ESTATE for another. [-0, +0, v] */
static int read_state(lua_State *L, int arg, chief_state_t *out) {
    if (lua_isinteger(L, arg)) {
        lua_Integer n = lua_tointeger(L, arg);
        *out = n >= INT32_MIN && n <= INT32_MAX ? (chief_state_t)n : 0;
        return CHIEF_OK;
    }
    chief_value name = {.type = CHIEF_BYTES};
    name.bytes.data = luaL_checklstring(L, arg, &name.bytes.len);
    return chief_state_scan(&name, out);
}

chief_state_t chief__lua_check_state(lua_State *L, int arg) {
    chief_state_t state;
    if (read_state(L, arg, &state) != CHIEF_OK || chief_state_validate(state) != CHIEF_OK)
        luaL_argerror(L, arg, lua_pushfstring(L, "'%s' is not a worker state", luaL_tolstring(L, arg, NULL)));
    return state;
}

int chief__lua_state_result(lua_State *L, chief_state_t result) {
    if (result <= 0) return chief__lua_fail(L, result);
    chief__lua_push_state(L, result);
    return 1;
}

static int to_string(lua_State *L) {
    chief_state_t state;
    if (read_state(L, 1, &state) != CHIEF_OK) return chief__lua_fail(L, CHIEF_ESTATE);
    chief__lua_push_state(L, state);
    return 1;
}

static int validate(lua_State *L) {
    chief_state_t state;
    int rc = read_state(L, 1, &state);
    return chief__lua_done(L, rc == CHIEF_OK ? chief_state_validate(state) : rc);
}

static int to_json(lua_State *L) {
    chief_state_t state;
    char text[40];
    size_t len = 0;
    int rc = read_state(L, 1, &state);
    if (rc == CHIEF_OK) rc = chief_state_to_json(state, text, sizeof text, &len);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushlstring(L, text, len);
    return 1;
}

/* The state, or why there is none. [-0, +(1|3), m] */
static int answer(lua_State *L, int rc, chief_state_t state) {
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    chief__lua_push_state(L, state);
    return 1;
}

static int from_json(lua_State *L) {
    size_t len;
    const char *json = luaL_checklstring(L, 1, &len);
    chief_state_t state;
    int rc = chief_state_from_json(json, len, &state);
    return answer(L, rc, state);
}

static int value(lua_State *L) {
    chief_state_t state;
    int rc = read_state(L, 1, &state);
    lua_pushstring(L, rc == CHIEF_OK ? chief_state_value(state) : NULL);
    return 1;
}

/* What a driver of a database may hand over; core refuses all but text and integers. [-0, +0, -] */
static chief_value column(lua_State *L, int arg) {
    chief_value v = {.type = CHIEF_NIL};
    if (lua_isinteger(L, arg)) {
        v.type = CHIEF_INTEGER;
        v.integer = lua_tointeger(L, arg);
    } else if (lua_type(L, arg) == LUA_TNUMBER) {
        v.type = CHIEF_NUMBER;
        v.number = lua_tonumber(L, arg);
    } else if (lua_type(L, arg) == LUA_TSTRING) {
        v.type = CHIEF_BYTES;
        v.bytes.data = lua_tolstring(L, arg, &v.bytes.len);
    } else if (lua_isboolean(L, arg)) {
        v.type = CHIEF_BOOL;
        v.boolean = lua_toboolean(L, arg);
    } else if (!lua_isnoneornil(L, arg)) {
        v.type = CHIEF_POINTER;
    }
    return v;
}

static int scan(lua_State *L) {
    chief_value v = column(L, 1);
    chief_state_t state;
    int rc = chief_state_scan(&v, &state);
    return answer(L, rc, state);
}

static int transition(lua_State *L) {
    chief_state_t from = chief__lua_check_state(L, 1);
    chief_state_t to = chief__lua_check_state(L, 2);
    chief_state_t result = chief_state_transition(from, to);
    if (result > 0) return chief__lua_state_result(L, result);
    lua_pushnil(L);
    chief__lua_push_state(L, from);
    chief__lua_push_state(L, to);
    lua_pushfstring(L, "a worker can't go from %s to %s", lua_tostring(L, -2), lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_pushstring(L, chief_error_code(CHIEF_WORKER_WRONG_STATE_CHANGE));
    return 3;
}

static const luaL_Reg functions[] = {
    {"to_string", to_string}, {"validate", validate}, {"to_json", to_json},       {"from_json", from_json},
    {"value", value},         {"scan", scan},         {"transition", transition}, {NULL, NULL},
};

void chief__lua_push_states(lua_State *L) {
    luaL_newlib(L, functions);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        chief__lua_push_state(L, all[i]);
        lua_pushinteger(L, all[i]);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "numbers");
}
