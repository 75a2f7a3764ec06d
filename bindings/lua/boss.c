#include "boss.h"

#include <chief.h>

#include "add.h"
#include "channel.h"
#include "codec.h"
#include "context.h"
#include "event.h"
#include "fail.h"
#include "kind.h"
#include "life.h"
#include "log.h"
#include "message.h"
#include "nest.h"
#include "options.h"
#include "pool.h"
#include "runtime.h"
#include "snapshot.h"
#include "state.h"
#include "value.h"

typedef struct box {
    chief *c;
    chief_msg *msg; /* the inlet of call */
    bool lent;      /* somebody else frees it */
} box;

static const chief__lua_kind kind;

static int close_chief(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief *c = b->c;
    b->c = NULL;
    chief__lua_drop(&b->msg);
    if (!b->lent) chief_free(c);
    return 0;
}

chief *chief__lua_lend_chief(lua_State *L, int idx) {
    box *b = chief__lua_kind_check(L, idx, &kind);
    b->lent = true;
    return b->c;
}

static int describe(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    lua_pushfstring(L, "chief (%s)", b->c == NULL ? "closed" : chief_get_name(b->c));
    return 1;
}

static chief *check_chief(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    luaL_argcheck(L, b->c != NULL, 1, "the chief is closed");
    return b->c;
}

/* ---- What it has ---- */

static int add_worker(lua_State *L) { return chief__lua_add_worker(L, check_chief(L)); }

static int add_chief(lua_State *L) { return chief__lua_add_chief(L, check_chief(L)); }

static int add_channel(lua_State *L) {
    lua_settop(L, 3);
    chief *c = check_chief(L);
    const char *name = luaL_checkstring(L, 2);
    chief_channel_options options = chief__lua_channel_options(L, 3);
    return chief__lua_done(L, chief_add_channel(c, name, &options));
}

static int add_group(lua_State *L) {
    size_t n;
    lua_settop(L, 4);
    chief *c = check_chief(L);
    const char *name = luaL_checkstring(L, 2);
    int32_t policy = chief__lua_check_group_policy(L, 3);
    const char *const *names = chief__lua_strings(L, 4, "workers", &n);
    return chief__lua_done(L, chief_add_group(c, name, policy, names, n));
}

static int channel(lua_State *L) {
    chief *c = check_chief(L);
    const char *name = luaL_checkstring(L, 2);
    chief_channel **found = chief__lua_new_channel(L);
    int rc = chief_get_channel(c, name, found);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}

static int enable_worker(lua_State *L) {
    return chief__lua_done(L, chief_enable_worker(check_chief(L), luaL_checkstring(L, 2)));
}

static int enable_workers(lua_State *L) {
    size_t n;
    chief *c = check_chief(L);
    const char *const *names = chief__lua_strings(L, 2, "names", &n);
    return chief__lua_done(L, chief_enable_workers(c, names, n));
}

static int is_enabled(lua_State *L) {
    lua_pushboolean(L, chief_is_enabled(check_chief(L), luaL_checkstring(L, 2)));
    return 1;
}

/* ---- Settings ---- */

static int set_enable_by_default(lua_State *L) {
    return chief__lua_done(L, chief_set_enable_by_default(check_chief(L), lua_toboolean(L, 2)));
}

static int set_exit_when_done(lua_State *L) {
    return chief__lua_done(L, chief_set_exit_when_done(check_chief(L), lua_toboolean(L, 2)));
}

static int set_force_stop_timeout(lua_State *L) {
    int64_t ms = chief__lua_seconds(L, 2);
    return chief__lua_done(L, chief_set_force_stop_timeout(check_chief(L), ms == 0 ? CHIEF_ZERO : ms));
}

static int set_event_level(lua_State *L) {
    chief *c = check_chief(L);
    return chief__lua_done(L, chief_set_event_level(c, chief__lua_check_level(L, 2)));
}

static int catch_signals(lua_State *L) {
    chief *c = check_chief(L);
    uint32_t catches = 0;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (chief__lua_field_bool(L, 2, "stop")) catches |= CHIEF_CATCH_STOP;
    if (chief__lua_field_bool(L, 2, "hup")) catches |= CHIEF_CATCH_HUP;
    if (chief__lua_field_bool(L, 2, "usr2")) catches |= CHIEF_CATCH_USR2;
    if (chief__lua_field_bool(L, 2, "last")) catches |= CHIEF_CATCH_LAST;
    return chief__lua_done(L, chief_catch_signals(c, catches));
}

static int add_value(lua_State *L) {
    chief *c = check_chief(L);
    const char *key = luaL_checkstring(L, 2);
    chief_value value = chief__lua_check_context_value(L, 3);
    int rc = chief_add_value(c, key, &value);
    if (rc != CHIEF_OK && value.destroy != NULL) value.destroy(value.pointer);
    return chief__lua_done(L, rc);
}

/* ---- Its life ---- */

/* From here on threads run this library's code. */
static int init_workers(lua_State *L) {
    chief *c = check_chief(L);
    chief_log *log = chief__lua_test_log(L, 2);
    luaL_argcheck(L, log != NULL || lua_isnoneornil(L, 2), 2, "a log or nothing");
    chief__lua_pin();
    return chief__lua_done(L, chief_init_workers(c, log));
}

static int launch(lua_State *L) {
    return chief__lua_done(L, chief_launch(check_chief(L), chief__lua_opt_context(L, 2)));
}

static int join(lua_State *L) {
    chief *c = check_chief(L);
    int64_t timeout_ms = chief__lua_timeout(L, 2);
    chief__lua_call_begin(L, "chief:join");
    int rc = chief_join(c, timeout_ms);
    chief__lua_call_end(L);
    return chief__lua_done(L, rc);
}

static int stop(lua_State *L) { return chief__lua_done(L, chief_stop(check_chief(L))); }
static int force_stop(lua_State *L) { return chief__lua_done(L, chief_force_stop(check_chief(L))); }

static int stop_because(lua_State *L) {
    return chief__lua_done(L, chief_stop_because(check_chief(L), luaL_checkstring(L, 2)));
}

static int has_stopped(lua_State *L) {
    lua_pushboolean(L, chief_has_stopped(check_chief(L)));
    return 1;
}

static int exit_code(lua_State *L) {
    lua_pushinteger(L, chief_exit_code(check_chief(L)));
    return 1;
}

/* ---- One worker ---- */

static int request(lua_State *L, int (*f)(chief *, const char *)) {
    return chief__lua_done(L, f(check_chief(L), luaL_checkstring(L, 2)));
}

static int start_worker(lua_State *L) { return request(L, chief_start_worker); }
static int stop_worker(lua_State *L) { return request(L, chief_stop_worker); }
static int restart_worker(lua_State *L) { return request(L, chief_restart_worker); }
static int remove_worker(lua_State *L) { return request(L, chief_remove_worker); }

static int wait_state(lua_State *L) {
    chief *c = check_chief(L);
    const char *name = luaL_checkstring(L, 2);
    chief_state_t state = chief__lua_check_state(L, 3);
    return chief__lua_done(L, chief_wait_state(c, name, state, chief__lua_timeout(L, 4)));
}

static int wait_ready(lua_State *L) {
    return chief__lua_done(L, chief_wait_ready(check_chief(L), chief__lua_timeout(L, 2)));
}

/* ---- Looking ---- */

static int with_snapshot(lua_State *L, int (*push)(lua_State *, const chief_snapshot *)) {
    chief *c = check_chief(L);
    chief_snapshot **snapshot = chief__lua_new_snapshot(L);
    int rc = chief_states(c, snapshot);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    int n = push(L, *snapshot);
    chief__lua_drop_snapshot(snapshot);
    return n;
}

static int states(lua_State *L) { return with_snapshot(L, chief__lua_push_statuses); }
static int states_json(lua_State *L) { return with_snapshot(L, chief__lua_push_snapshot_json); }

static int nested_states(lua_State *L) {
    chief *c = check_chief(L);
    const char *worker = luaL_checkstring(L, 2);
    chief_snapshot **snapshot = chief__lua_new_snapshot(L);
    int rc = chief_nested_states(c, worker, snapshot);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    int n = chief__lua_push_statuses(L, *snapshot);
    chief__lua_drop_snapshot(snapshot);
    return n;
}

#define TRACEBACK_SIZE 16384

static int traceback(lua_State *L) {
    char text[TRACEBACK_SIZE];
    chief *c = check_chief(L);
    const char *worker = luaL_checkstring(L, 2);
    chief__lua_call_begin(L, "chief:traceback");
    int rc = chief_traceback(c, worker, text, sizeof text, NULL);
    chief__lua_call_end(L);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushstring(L, text);
    return 1;
}

static int pool(lua_State *L) {
    check_chief(L);
    chief__lua_push_pool_view(L, &((box *)lua_touserdata(L, 1))->c, 1);
    return 1;
}

static int context(lua_State *L) {
    chief__lua_push_context(L, chief_get_context(check_chief(L)));
    return 1;
}

static int stop_context(lua_State *L) {
    chief__lua_push_context(L, chief_get_stop_context(check_chief(L)));
    return 1;
}

static int info(lua_State *L) {
    chief_app_info found = {.size = sizeof found};
    int rc = chief_get_info(check_chief(L), &found);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_createtable(L, 0, 6);
    chief__lua_set_text(L, "name", found.name);
    chief__lua_set_text(L, "version", found.version);
    chief__lua_set_text(L, "build", found.build);
    chief__lua_set_text(L, "tag", found.tag);
    if (found.started_ms == 0) return 1;
    lua_pushinteger(L, found.pid);
    lua_setfield(L, -2, "pid");
    lua_pushnumber(L, (lua_Number)found.started_ms / 1000);
    lua_setfield(L, -2, "started");
    return 1;
}

static int name(lua_State *L) {
    lua_pushstring(L, chief_get_name(check_chief(L)));
    return 1;
}

static int take_events(lua_State *L) { return chief__lua_take_events(L, check_chief(L)); }
static int wait_events(lua_State *L) { return chief__lua_wait_events(L, check_chief(L)); }
static int events_fd(lua_State *L) { return chief__lua_descriptor(L, chief_events_fd(check_chief(L))); }

static int events_dropped(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)chief_events_dropped(check_chief(L)));
    return 1;
}

static int late_replies(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)chief_late_replies(check_chief(L)));
    return 1;
}

/* ---- Messages from outside ---- */

static int send_one(lua_State *L) {
    chief *c = check_chief(L);
    const char *to = luaL_checkstring(L, 2);
    luaL_checkany(L, 3);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    chief_bytes bytes = chief__lua_encode(L, 3);
    return chief__lua_done(L, chief_send(c, to, bytes.data, bytes.len, timeout_ms));
}

static int broadcast(lua_State *L) {
    size_t reached = 0;
    chief *c = check_chief(L);
    luaL_checkany(L, 2);
    chief_bytes bytes = chief__lua_encode(L, 2);
    int rc = chief_broadcast(c, bytes.data, bytes.len, &reached);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushinteger(L, (lua_Integer)reached);
    return 1;
}

static int call(lua_State *L) {
    chief *c = check_chief(L);
    const char *to = luaL_checkstring(L, 2);
    luaL_checkany(L, 3);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    chief_msg **inlet = chief__lua_inlet(L, &((box *)lua_touserdata(L, 1))->msg);
    chief_bytes bytes = chief__lua_encode(L, 3);
    int rc = chief_call(c, to, bytes.data, bytes.len, timeout_ms, inlet);
    return rc == CHIEF_OK ? chief__lua_push_payload(L, inlet) : chief__lua_fail(L, rc);
}

static const luaL_Reg methods[] = {
    {"add_worker", add_worker},
    {"add_chief", add_chief},
    {"nested_states", nested_states},
    {"add_channel", add_channel},
    {"add_group", add_group},
    {"channel", channel},
    {"enable_worker", enable_worker},
    {"enable_workers", enable_workers},
    {"is_enabled", is_enabled},
    {"set_enable_by_default", set_enable_by_default},
    {"set_exit_when_done", set_exit_when_done},
    {"set_force_stop_timeout", set_force_stop_timeout},
    {"set_event_level", set_event_level},
    {"catch_signals", catch_signals},
    {"add_value", add_value},
    {"init_workers", init_workers},
    {"launch", launch},
    {"join", join},
    {"stop", stop},
    {"stop_because", stop_because},
    {"force_stop", force_stop},
    {"has_stopped", has_stopped},
    {"exit_code", exit_code},
    {"start_worker", start_worker},
    {"stop_worker", stop_worker},
    {"restart_worker", restart_worker},
    {"remove_worker", remove_worker},
    {"wait_state", wait_state},
    {"wait_ready", wait_ready},
    {"states", states},
    {"states_json", states_json},
    {"traceback", traceback},
    {"pool", pool},
    {"context", context},
    {"stop_context", stop_context},
    {"info", info},
    {"name", name},
    {"take_events", take_events},
    {"wait_events", wait_events},
    {"events_fd", events_fd},
    {"events_dropped", events_dropped},
    {"late_replies", late_replies},
    {"send", send_one},
    {"broadcast", broadcast},
    {"call", call},
    {"close", close_chief},
    {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief", .methods = methods, .close = close_chief, .describe = describe};

/* The log of options.log, borrowed from it. [-0, +0, v] */
static chief_log *read_log(lua_State *L) {
    if (lua_isnil(L, 1)) return NULL;
    lua_pushliteral(L, "log");
    if (lua_rawget(L, 1) == LUA_TNIL) return NULL;
    chief_log *log = chief__lua_test_log(L, -1);
    luaL_argcheck(L, log != NULL, 1, "log should be a log");
    lua_pop(L, 1);
    return log;
}

/* 0 where there is none. [-0, +0, v] */
static int32_t read_level(lua_State *L, const char *key) {
    if (chief__lua_field_string(L, 1, key) == NULL) return 0;
    lua_getfield(L, 1, key);
    int32_t level = chief__lua_check_level(L, lua_gettop(L));
    lua_pop(L, 1);
    return level;
}

/* options.info; its strings live as long as the options do. [-0, +0, v] */
static chief_app_info read_info(lua_State *L) {
    chief_app_info info = {.size = sizeof info};
    if (lua_isnil(L, 1)) return info;
    int type = lua_getfield(L, 1, "info");
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, 1, "info should be a table");
    int t = lua_gettop(L);
    info.version = chief__lua_field_string(L, t, "version");
    info.build = chief__lua_field_string(L, t, "build");
    info.tag = chief__lua_field_string(L, t, "tag");
    lua_pop(L, 1);
    return info;
}

/* [-0, +0, v] */
static void read_budget(lua_State *L, chief_options *out) {
    if (lua_isnil(L, 1)) return;
    if (lua_getfield(L, 1, "restart_budget") != LUA_TNIL) {
        luaL_argcheck(L, lua_istable(L, -1), 1, "restart_budget should be a table");
        out->max_restarts = chief__lua_field_count(L, lua_gettop(L), "max_restarts");
        out->restart_window = chief__lua_field_ms(L, lua_gettop(L), "window");
    }
    lua_pop(L, 1);
}

chief_options chief__lua_chief_options(lua_State *L) {
    chief_options options = {.size = sizeof options};
    int64_t capacity = chief__lua_field_integer(L, 1, "event_capacity");
    luaL_argcheck(L, capacity >= 0 && capacity <= UINT32_MAX, 1, "event_capacity is out of range");
    options.event_capacity = (uint32_t)capacity;
    options.require_names = chief__lua_field_bool(L, 1, "require_names");
    options.exit_when_done = chief__lua_field_bool(L, 1, "exit_when_done");
    options.name = chief__lua_field_string(L, 1, "name");
    options.force_stop_timeout = chief__lua_field_ms(L, 1, "force_stop_timeout");
    options.init_timeout = chief__lua_field_ms(L, 1, "init_timeout");
    options.hook_timeout = chief__lua_field_ms(L, 1, "hook_timeout");
    options.force_time = chief__lua_field_ms(L, 1, "force_time");
    int64_t threads = chief__lua_field_integer(L, 1, "fiber_threads");
    luaL_argcheck(L, threads >= 0 && threads <= UINT16_MAX, 1, "fiber_threads is out of range");
    options.fiber_threads = (uint32_t)threads;
    read_budget(L, &options);
    options.seed = (uint64_t)chief__lua_field_integer(L, 1, "seed");
    options.event_level = read_level(L, "event_level");
    options.log = read_log(L);
    return options;
}

int chief__lua_chief(lua_State *L) {
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TTABLE);
    chief_options options = chief__lua_chief_options(L);
    chief_app_info info = read_info(L);
    options.info = &info;
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_new(&b->c, &options);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
