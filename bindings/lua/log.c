#include "log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "kind.h"
#include "options.h"
#include "value.h"

typedef struct box {
    chief_log *log;
} box;

static const chief__lua_kind kind;
static const char *const levels[] = {"debug", "info", "warn", "error", "off", NULL}; /* from CHIEF_DEBUG on */
static const char *const formats[] = {"text", "json", NULL};

static int close_log(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief_log_unref(b->log);
    b->log = NULL;
    return 0;
}

static chief_log *check_log(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    luaL_argcheck(L, b->log != NULL, 1, "the log is closed");
    return b->log;
}

chief_log *chief__lua_test_log(lua_State *L, int idx) {
    box *b = chief__lua_kind_test(L, idx, &kind);
    return b == NULL ? NULL : b->log;
}

void chief__lua_push_log(lua_State *L, chief_log *log) {
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    b->log = chief_log_ref(log);
}

int32_t chief__lua_check_level(lua_State *L, int arg) { return luaL_checkoption(L, arg, NULL, levels) + CHIEF_DEBUG; }

void chief__lua_push_level(lua_State *L, int32_t level) {
    lua_pushstring(L, level >= CHIEF_DEBUG && level <= CHIEF_OFF ? levels[level - CHIEF_DEBUG] : "");
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const chief_field *)a)->key, ((const chief_field *)b)->key);
}

/* How many fields there are; `*plain` says whether a log has a form for all of them. */
static size_t count(lua_State *L, int t, bool *plain) {
    size_t n = 0;
    chief_value ignored;
    *plain = true;
    lua_pushnil(L);
    for (; lua_next(L, t); n++) {
        if (chief__lua_to_value(L, -1, &ignored) != CHIEF_OK) *plain = false;
        lua_pop(L, 1);
    }
    return n;
}

/* Pushes a copy of the table in which text stands for what a log has no form for. What __tostring may do to the table
 * does not reach the copy. [-0, +1, v] */
static void push_plain(lua_State *L, int t) {
    chief_value ignored;
    lua_newtable(L);
    int copy = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, t)) {
        lua_pushvalue(L, -2);
        if (chief__lua_to_value(L, -2, &ignored) == CHIEF_OK) lua_pushvalue(L, -2);
        else (void)luaL_tolstring(L, -2, NULL);
        lua_rawset(L, copy);
        lua_pop(L, 1);
    }
}

/* The field whose key and value are on top. [-1, +0, v] */
static void read_field(lua_State *L, int arg, chief_field *out) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_argerror(L, arg, "the names of fields are strings");
    out->key = lua_tostring(L, -2);
    (void)chief__lua_to_value(L, -1, &out->value);
    lua_pop(L, 1);
}

/* The fields of the table at `arg` by name; pushes what holds them. [-0, +2, v] */
static const chief_field *check_fields(lua_State *L, int arg, size_t *n) {
    bool plain;
    *n = 0;
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        lua_pushnil(L);
        return NULL;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t room = count(L, arg, &plain);
    if (plain) lua_pushvalue(L, arg);
    else push_plain(L, arg);
    int from = lua_gettop(L);
    chief_field *fields = lua_newuserdatauv(L, (room + 1) * sizeof *fields, 0);
    memset(fields, 0, (room + 1) * sizeof *fields);
    lua_pushnil(L);
    while (*n < room && lua_next(L, from)) read_field(L, arg, &fields[(*n)++]);
    lua_settop(L, from + 1);
    qsort(fields, *n, sizeof *fields, by_key);
    return fields;
}

static int write_record(lua_State *L, int32_t level) {
    size_t n;
    lua_settop(L, 3);
    chief_log *log = check_log(L);
    luaL_checkany(L, 2);
    const char *message = luaL_tolstring(L, 2, NULL);
    const chief_field *fields = check_fields(L, 3, &n);
    chief_log_write(log, level, message, fields, n);
    return 0;
}

static int debug(lua_State *L) { return write_record(L, CHIEF_DEBUG); }
static int info(lua_State *L) { return write_record(L, CHIEF_INFO); }
static int warn(lua_State *L) { return write_record(L, CHIEF_WARN); }
static int error(lua_State *L) { return write_record(L, CHIEF_ERROR); }

static int with_fields(lua_State *L) {
    size_t n;
    lua_settop(L, 2);
    chief_log *log = check_log(L);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    const chief_field *fields = check_fields(L, 2, &n);
    lua_pushvalue(L, 3);
    int rc = chief_log_with_fields(&b->log, log, fields, n);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}

static int with_field(lua_State *L) {
    lua_settop(L, 3);
    luaL_checkstring(L, 2);
    lua_newtable(L);
    lua_rotate(L, 2, 1);
    lua_rawset(L, 2);
    return with_fields(L);
}

static int set_level(lua_State *L) {
    return chief__lua_done(L, chief_log_set_level(check_log(L), chief__lua_check_level(L, 2)));
}

static const luaL_Reg methods[] = {
    {"debug", debug},
    {"info", info},
    {"warn", warn},
    {"error", error},
    {"with_field", with_field},
    {"with_fields", with_fields},
    {"set_level", set_level},
    {"close", close_log},
    {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.log", .methods = methods, .close = close_log};

int chief__lua_log(lua_State *L) {
    chief_log_options options = {.size = sizeof options};
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TTABLE);
    options.level = chief__lua_field_word(L, 1, "level", levels, CHIEF_INFO - CHIEF_DEBUG) + CHIEF_DEBUG;
    options.format = chief__lua_field_word(L, 1, "format", formats, CHIEF_LOG_TEXT);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_log_new(&b->log, &options);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
