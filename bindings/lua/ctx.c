#include "ctx.h"

#include "channel.h"
#include "codec.h"
#include "context.h"
#include "fail.h"
#include "kind.h"
#include "life.h"
#include "log.h"
#include "message.h"
#include "options.h"
#include "snapshot.h"
#include "value.h"

/* What is made at its first use and kept. */
enum { ARGS = 1, LOG = 2, USER_VALUES = 2 };

static const chief__lua_kind kind;

static int close_ctx(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief__lua_drop(&ctx->msg);
    return 0;
}

static int describe(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    lua_pushfstring(L, "chief.ctx (%s)", ctx->worker == NULL ? "ended" : chief_worker_name(ctx->worker));
    return 1;
}

chief__lua_ctx *chief__lua_push_ctx(lua_State *L, chief_worker *worker) {
    chief__lua_ctx *ctx = chief__lua_kind_new(L, &kind, sizeof *ctx, USER_VALUES);
    ctx->worker = worker;
    return ctx;
}

chief__lua_ctx *chief__lua_test_ctx(lua_State *L, int idx) { return chief__lua_kind_test(L, idx, &kind); }

chief_worker *chief__lua_ctx_worker(lua_State *L, const chief__lua_ctx *ctx) {
    if (ctx->worker == NULL) luaL_error(L, "the worker of this object has ended");
    return ctx->worker;
}

static chief_worker *check_worker(lua_State *L) { return chief__lua_ctx_worker(L, chief__lua_kind_check(L, 1, &kind)); }

static chief_context *check_context(lua_State *L) { return chief_worker_context(check_worker(L)); }

/* ---- What reads like a field ---- */

static int get_name(lua_State *L) {
    lua_pushstring(L, chief_worker_name(check_worker(L)));
    return 1;
}

static int get_generation(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)chief_worker_generation(check_worker(L)));
    return 1;
}

static int get_context(lua_State *L) {
    chief__lua_push_context(L, check_context(L));
    return 1;
}

/* Keeps the value on top and returns it. */
static int keep(lua_State *L, int which) {
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, which);
    return 1;
}

static int get_log(lua_State *L) {
    chief_worker *worker = check_worker(L);
    if (lua_getiuservalue(L, 1, LOG) != LUA_TNIL) return 1;
    chief__lua_push_log(L, chief_worker_log(worker));
    return keep(L, LOG);
}

static int get_args(lua_State *L) {
    chief_worker *worker = check_worker(L);
    if (lua_getiuservalue(L, 1, ARGS) != LUA_TNIL) return 1;
    chief_bytes bytes = chief_worker_args(worker);
    if (bytes.len == 0)
        lua_newtable(L); /* so that a worker can look for a field without asking whether there are any */
    else if (chief__lua_decode(L, bytes) != CHIEF_OK)
        return luaL_error(L, "args of this worker: %s", chief_last_error());
    return keep(L, ARGS);
}

/* ---- The context ---- */

static int done(lua_State *L) { return chief__lua_context_done(L, check_context(L)); }
static int err(lua_State *L) { return chief__lua_context_err(L, check_context(L)); }
static int reason(lua_State *L) { return chief__lua_context_reason(L, check_context(L)); }
static int fd(lua_State *L) { return chief__lua_context_fd(L, check_context(L)); }

static int value(lua_State *L) {
    chief__lua_push_context_value(L, check_context(L), luaL_checkstring(L, 2));
    return 1;
}

static int sleep_for(lua_State *L) {
    chief_worker *worker = check_worker(L);
    int64_t ms = chief__lua_seconds(L, 2);
    chief__lua_call_begin(L, "ctx:sleep");
    int rc = chief_worker_sleep(worker, ms);
    chief__lua_call_end(L);
    return chief__lua_done(L, rc);
}

static int ready(lua_State *L) {
    chief_worker_ready(check_worker(L));
    return 0;
}

static int states(lua_State *L) {
    chief_snapshot **snapshot = chief__lua_new_snapshot(L);
    int rc = chief_worker_states(check_worker(L), snapshot);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    chief__lua_push_state_map(L, *snapshot);
    chief__lua_drop_snapshot(snapshot);
    return 1;
}

/* ---- Messages ---- */

static int channel(lua_State *L) {
    chief_channel *found;
    chief_worker *worker = check_worker(L);
    if (chief_worker_channel(worker, luaL_checkstring(L, 2), &found) != CHIEF_OK)
        return luaL_argerror(L, 2, chief_last_error());
    chief__lua_push_channel(L, found, 1);
    return 1;
}

static int send_one(lua_State *L) {
    chief_worker *worker = check_worker(L);
    const char *to = luaL_checkstring(L, 2);
    luaL_checkany(L, 3);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    chief_bytes bytes = chief__lua_encode(L, 3);
    chief__lua_call_begin(L, "ctx:send");
    int rc = chief_worker_send(worker, to, bytes.data, bytes.len, timeout_ms);
    chief__lua_call_end(L);
    return chief__lua_done(L, rc);
}

static int send_many(lua_State *L) {
    size_t n;
    size_t sent = 0;
    chief_worker *worker = check_worker(L);
    const char *to = luaL_checkstring(L, 2);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    const chief_bytes *items = chief__lua_encode_list(L, 3, &n);
    chief__lua_call_begin(L, "ctx:send_many");
    int rc = n == 0 ? CHIEF_OK : chief_worker_send_many(worker, to, items, n, timeout_ms, &sent);
    chief__lua_call_end(L);
    return chief__lua_sent_many(L, rc, sent);
}

static int broadcast(lua_State *L) {
    size_t reached = 0;
    chief_worker *worker = check_worker(L);
    luaL_checkany(L, 2);
    chief_bytes bytes = chief__lua_encode(L, 2);
    int rc = chief_worker_broadcast(worker, bytes.data, bytes.len, &reached);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushinteger(L, (lua_Integer)reached);
    return 1;
}

static int call(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief_worker *worker = check_worker(L);
    const char *to = luaL_checkstring(L, 2);
    luaL_checkany(L, 3);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    chief_msg **inlet = chief__lua_inlet(L, &ctx->msg);
    chief_bytes bytes = chief__lua_encode(L, 3);
    chief__lua_call_begin(L, "ctx:call");
    int rc = chief_worker_call(worker, to, bytes.data, bytes.len, timeout_ms, inlet);
    chief__lua_call_end(L);
    return rc == CHIEF_OK ? chief__lua_push_payload(L, inlet) : chief__lua_fail(L, rc);
}

static int recv_one(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief_worker *worker = check_worker(L);
    int64_t timeout_ms = chief__lua_timeout(L, 2);
    chief_msg **inlet = chief__lua_inlet(L, &ctx->msg);
    chief__lua_call_begin(L, "ctx:recv");
    int rc = chief_worker_recv(worker, timeout_ms, inlet);
    chief__lua_call_end(L);
    return chief__lua_received(L, rc, inlet);
}

static int step(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, lua_upvalueindex(1), &kind);
    chief_worker *worker = chief__lua_ctx_worker(L, ctx);
    chief_msg **inlet = chief__lua_inlet(L, &ctx->msg);
    chief__lua_call_begin(L, "ctx:iter");
    int rc = chief_worker_recv(worker, CHIEF_FOREVER, inlet);
    chief__lua_call_end(L);
    return chief__lua_iterated(L, rc, inlet);
}

static int iter(lua_State *L) {
    check_worker(L);
    lua_settop(L, 1);
    lua_pushcclosure(L, step, 1);
    return 1;
}

/* The channels of the list at `arg`, NULL for the ctx itself; pushes what holds them. [-0, +1, v] */
static chief_channel **check_sources(lua_State *L, int arg, size_t *n) {
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, arg);
    luaL_argcheck(L, *n > 0, arg, "an empty list");
    chief_channel **sources = lua_newuserdatauv(L, *n * sizeof *sources, 0);
    for (size_t i = 0; i < *n; i++) {
        lua_rawgeti(L, arg, (lua_Integer)i + 1);
        sources[i] = chief__lua_test_channel(L, -1);
        if (sources[i] == NULL && !lua_rawequal(L, -1, 1))
            luaL_argerror(L, arg, lua_pushfstring(L, "item %d is neither a channel nor this ctx", (int)i + 1));
        lua_pop(L, 1);
    }
    return sources;
}

static int select_one(lua_State *L) {
    size_t n;
    size_t index;
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief_worker *worker = check_worker(L);
    int64_t timeout_ms = chief__lua_timeout(L, 3);
    chief_channel **sources = check_sources(L, 2, &n);
    chief_msg **inlet = chief__lua_inlet(L, &ctx->msg);
    chief__lua_call_begin(L, "ctx:select");
    int rc = chief_select(worker, sources, n, timeout_ms, &index, inlet);
    chief__lua_call_end(L);
    return chief__lua_received(L, rc, inlet);
}

static const luaL_Reg methods[] = {
    {"done", done},           {"err", err},     {"reason", reason},       {"fd", fd},           {"value", value},
    {"sleep", sleep_for},     {"ready", ready}, {"states", states},       {"channel", channel}, {"send", send_one},
    {"send_many", send_many}, {"call", call},   {"broadcast", broadcast}, {"recv", recv_one},   {"iter", iter},
    {"select", select_one},   {NULL, NULL},
};

static const luaL_Reg getters[] = {
    {"name", get_name}, {"generation", get_generation}, {"context", get_context}, {"log", get_log}, {"args", get_args},
    {NULL, NULL},
};

static const chief__lua_kind kind = {
    .name = "chief.ctx", .methods = methods, .getters = getters, .close = close_ctx, .describe = describe};
