#include "context.h"

#include "fail.h"
#include "kind.h"
#include "life.h"
#include "options.h"
#include "value.h"

typedef struct box {
    chief_context *context;
} box;

static const chief__lua_kind kind;

static int close_context(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief_context_unref(b->context);
    b->context = NULL;
    return 0;
}

static chief_context *check_context(lua_State *L, int arg) {
    box *b = chief__lua_kind_check(L, arg, &kind);
    luaL_argcheck(L, b->context != NULL, arg, "the context is closed");
    return b->context;
}

chief_context *chief__lua_opt_context(lua_State *L, int arg) {
    return lua_isnoneornil(L, arg) ? NULL : check_context(L, arg);
}

void chief__lua_push_context(lua_State *L, chief_context *context) {
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    b->context = chief_context_ref(context);
}

int chief__lua_context_done(lua_State *L, chief_context *context) {
    lua_pushboolean(L, chief_context_err(context) != CHIEF_OK);
    return 1;
}

int chief__lua_context_err(lua_State *L, chief_context *context) {
    int rc = chief_context_err(context);
    lua_pushstring(L, rc == CHIEF_OK ? NULL : chief_error_code(rc));
    return 1;
}

int chief__lua_context_reason(lua_State *L, chief_context *context) {
    luaL_Buffer b;
    size_t len = chief_context_reason(context, NULL, 0);
    if (len == 0) {
        lua_pushnil(L);
        return 1;
    }
    char *room = luaL_buffinitsize(L, &b, len + 1); /* once it is there a reason does not change */
    (void)chief_context_reason(context, room, len + 1);
    luaL_pushresultsize(&b, len);
    return 1;
}

int chief__lua_descriptor(lua_State *L, int fd) {
    if (fd < 0) return chief__lua_fail(L, fd);
    lua_pushinteger(L, fd);
    return 1;
}

int chief__lua_context_fd(lua_State *L, chief_context *context) {
    return chief__lua_descriptor(L, chief_context_fd(context));
}

static int cancel(lua_State *L) {
    chief_context_cancel(check_context(L, 1), luaL_optstring(L, 2, NULL));
    return 0;
}

static int done(lua_State *L) { return chief__lua_context_done(L, check_context(L, 1)); }
static int err(lua_State *L) { return chief__lua_context_err(L, check_context(L, 1)); }
static int reason(lua_State *L) { return chief__lua_context_reason(L, check_context(L, 1)); }
static int fd(lua_State *L) { return chief__lua_context_fd(L, check_context(L, 1)); }

static int remaining(lua_State *L) {
    int64_t ms = chief_context_remaining(check_context(L, 1));
    if (ms < 0) lua_pushnil(L);
    else lua_pushnumber(L, (lua_Number)ms / 1000);
    return 1;
}

static int wait_done(lua_State *L) {
    chief_context *context = check_context(L, 1);
    int64_t timeout_ms = chief__lua_timeout(L, 2);
    chief__lua_call_begin(L, "context:wait");
    int rc = chief_context_wait(context, timeout_ms);
    chief__lua_call_end(L);
    return chief__lua_done(L, rc);
}

static int set(lua_State *L) {
    chief_context *context = check_context(L, 1);
    const char *key = luaL_checkstring(L, 2);
    chief_value value = chief__lua_check_context_value(L, 3);
    int rc = chief_context_set(context, key, &value);
    if (rc != CHIEF_OK && value.destroy != NULL) value.destroy(value.pointer);
    return chief__lua_done(L, rc);
}

static int get(lua_State *L) {
    chief__lua_push_context_value(L, check_context(L, 1), luaL_checkstring(L, 2));
    return 1;
}

static const luaL_Reg methods[] = {
    {"cancel", cancel},  {"done", done}, {"err", err}, {"reason", reason},       {"fd", fd},   {"remaining", remaining},
    {"wait", wait_done}, {"set", set},   {"get", get}, {"close", close_context}, {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.context", .methods = methods, .close = close_context};

/* A first argument that is a number is the timeout of a root. */
int chief__lua_context(lua_State *L) {
    lua_settop(L, 2);
    if (lua_type(L, 1) == LUA_TNUMBER && lua_isnil(L, 2)) {
        lua_pushnil(L);
        lua_insert(L, 1);
    }
    chief_context *parent = chief__lua_opt_context(L, 1);
    int64_t timeout = chief__lua_timeout(L, 2);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc =
        timeout < 0 ? chief_context_new(&b->context, parent) : chief_context_new_deadline(&b->context, parent, timeout);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
