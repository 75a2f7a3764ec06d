#include "ctx.h"

#include <poll.h>
#include <string.h>

#include "channel.h"
#include "codec.h"
#include "context.h"
#include "fail.h"
#include "kind.h"
#include "log.h"
#include "message.h"
#include "options.h"
#include "snapshot.h"
#include "suspend.h"
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

/* The ctx of a call that is counted where it begins and ends. Most often it is the one that the worker was given, which is known
 * by its address. [-0, +0, v] */
static inline chief__lua_ctx *self(lua_State *L, const chief__lua_life *life, int arg) {
    chief__lua_ctx *ctx = lua_touserdata(L, arg);
    if (life != NULL && ctx != NULL && ctx == life->ctx) return ctx;
    return chief__lua_kind_check(L, arg, &kind);
}

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

static int block_to_sleep(chief__lua_op *op, int64_t timeout_ms) { return chief_worker_sleep(op->worker, timeout_ms); }

/* Only its end ends it. */
static int try_to_sleep(chief__lua_op *op) {
    (void)op;
    return CHIEF_EAGAIN;
}

static int slept(lua_State *L, chief__lua_op *op, int rc) {
    (void)op;
    return chief__lua_done(L, rc == CHIEF_ETIMEDOUT ? CHIEF_OK : rc);
}

static int sleep_for(lua_State *L) {
    chief__lua_op op = {.name = "ctx:sleep", .block = block_to_sleep, .attempt = try_to_sleep, .finish = slept};
    op.worker = check_worker(L);
    op.wait.kind = CHIEF_WAIT_TIME;
    return chief__lua_do(L, &op, chief__lua_seconds(L, 2));
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

static int block_to_post(chief__lua_op *op, int64_t timeout_ms) {
    size_t sent = 0;
    if (op->n == 0) return CHIEF_OK;
    int rc = chief_worker_send_many(op->worker, op->to, op->items, op->n, timeout_ms, &sent);
    op->done += sent;
    return rc;
}

/* One after the other, since each may be the next replica's. One that closes while it is waited for is not the last word. */
static int try_to_post(chief__lua_op *op) {
    bool waited = op->mailbox != NULL;
    while (op->done < op->n) {
        int rc = op->mailbox == NULL ? chief_worker_mailbox(op->worker, op->to, 0, &op->mailbox) : CHIEF_OK;
        if (rc != CHIEF_OK) return rc;
        const chief_bytes *item = &op->items[op->done];
        rc = chief_channel_send(op->mailbox, op->worker, item->data, item->len, 0);
        if (rc == CHIEF_EAGAIN) return rc;
        chief_channel_unref(op->mailbox);
        op->mailbox = NULL;
        if (rc == CHIEF_OK) op->done++;
        else if (rc != CHIEF_ENOENT || !waited) return rc;
        waited = false;
    }
    return CHIEF_OK;
}

/* To everybody, or as one of many. */
static int block_to_send(chief__lua_op *op, int64_t timeout_ms) {
    return chief_worker_send(op->worker, op->to, op->item.data, op->item.len, timeout_ms);
}

static int try_to_send(chief__lua_op *op) {
    if (strcmp(op->to, "*") == 0) return block_to_send(op, 0);
    op->items = &op->item;
    op->n = 1;
    return try_to_post(op);
}

static int posted_one(lua_State *L, chief__lua_op *op, int rc) {
    (void)op;
    return chief__lua_done(L, rc);
}

static int send_one(lua_State *L) {
    static const char name[] = "ctx:send";
    chief__lua_item item;
    chief__lua_life *life = chief__lua_life_of(L);
    chief_worker *worker = chief__lua_ctx_worker(L, self(L, life, 1));
    const char *to = luaL_checkstring(L, 2);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    chief__lua_encode_item(L, 3, &item, false);
    chief__lua_first first = chief__lua_first_begin(life, name, timeout_ms);
    int rc = chief_worker_send(worker, to, item.bytes.data, item.bytes.len, first.may_wait);
    if (chief__lua_first_end(&first, rc)) return chief__lua_done(L, rc);
    chief__lua_op op = {.name = name, .block = block_to_send, .attempt = try_to_send, .finish = posted_one};
    op.worker = worker;
    op.to = to;
    op.wait.kind = CHIEF_WAIT_SEND;
    op.item =
        item.bytes.data == item.room ? chief__lua_encode(L, 3) : item.bytes; /* the room does not outlive this call */
    return chief__lua_do(L, &op, timeout_ms);
}

static int send_many(lua_State *L) {
    chief__lua_op op = {.name = "ctx:send_many", .block = block_to_post, .attempt = try_to_post};
    op.finish = chief__lua_sent_many;
    op.worker = check_worker(L);
    op.to = luaL_checkstring(L, 2);
    op.wait.kind = CHIEF_WAIT_SEND;
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    op.items = chief__lua_encode_list(L, 3, &op.n);
    return chief__lua_do(L, &op, timeout_ms);
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

static int block_to_call(chief__lua_op *op, int64_t timeout_ms) {
    return chief_worker_call(op->worker, op->to, op->item.data, op->item.len, timeout_ms, op->out);
}

/* The question, as soon as there is room for it. */
static int try_to_ask(chief__lua_op *op) {
    bool waited = op->mailbox != NULL;
    for (;;) {
        int rc = op->mailbox == NULL ? chief_worker_mailbox(op->worker, op->to, 1, &op->mailbox) : CHIEF_OK;
        if (rc == CHIEF_OK) rc = chief_call_begin(op->worker, op->mailbox, op->item.data, op->item.len, &op->call);
        if (rc == CHIEF_EAGAIN) return rc;
        chief_channel_unref(op->mailbox);
        op->mailbox = NULL;
        if (rc != CHIEF_ENOENT || !waited) return rc;
        waited = false;
    }
}

static int try_to_call(chief__lua_op *op) {
    op->wait.kind = CHIEF_WAIT_SEND;
    int rc = op->call == NULL ? try_to_ask(op) : CHIEF_OK;
    if (rc != CHIEF_OK) return rc;
    op->wait.kind = CHIEF_WAIT_REPLY;
    return chief_call_take(op->call, op->out);
}

static int called(lua_State *L, chief__lua_op *op, int rc) {
    return rc == CHIEF_OK ? chief__lua_push_payload(L, op->out) : chief__lua_fail(L, rc);
}

static int call(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief__lua_op op = {.name = "ctx:call", .block = block_to_call, .attempt = try_to_call, .finish = called};
    op.worker = check_worker(L);
    op.to = luaL_checkstring(L, 2);
    luaL_checkany(L, 3);
    int64_t timeout_ms = chief__lua_timeout(L, 4);
    op.out = chief__lua_inlet(L, &ctx->msg);
    op.item = chief__lua_encode(L, 3);
    return chief__lua_do(L, &op, timeout_ms);
}

/* The ctx is at `arg`. */
static int recv_as(lua_State *L, int arg, const char *name, int64_t timeout_ms, chief__lua_receiver *receive) {
    chief__lua_life *life = chief__lua_life_of(L);
    chief__lua_ctx *ctx = self(L, life, arg);
    chief__lua_reception how = {.name = name, .worker = chief__lua_ctx_worker(L, ctx), .receive = receive};
    how.out = chief__lua_inlet(L, &ctx->msg);
    return chief__lua_receive(L, life, &how, timeout_ms);
}

static int recv_one(lua_State *L) { return recv_as(L, 1, "ctx:recv", chief__lua_timeout(L, 2), chief__lua_received); }

static int step(lua_State *L) {
    return recv_as(L, lua_upvalueindex(1), "ctx:iter", CHIEF_FOREVER, chief__lua_iterated);
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

static int block_to_select(chief__lua_op *op, int64_t timeout_ms) {
    return chief_select(op->worker, op->sources, op->n, timeout_ms, &op->index, op->out);
}

/* Of several channels none is named. */
static int selected(lua_State *L, chief__lua_op *op, int rc) {
    if (rc == CHIEF_ETIMEDOUT) (void)chief_set_last_error(rc, NULL);
    return chief__lua_received(L, rc, op->out);
}

static int select_one(lua_State *L) {
    chief__lua_ctx *ctx = chief__lua_kind_check(L, 1, &kind);
    chief__lua_op op = {.name = "ctx:select", .block = block_to_select, .finish = selected};
    op.worker = check_worker(L);
    op.wait.kind = CHIEF_WAIT_RECV;
    int64_t timeout_ms = chief__lua_timeout(L, 3);
    op.sources = check_sources(L, 2, &op.n);
    op.out = chief__lua_inlet(L, &ctx->msg);
    return chief__lua_do(L, &op, timeout_ms);
}

/* ---- Descriptors ---- */

/* CHIEF_OK when it is ready for something it is waited for, which `index` says then. Who is to stop is told so first: others
 * may keep a socket ready for ever. */
static int look_at_descriptor(chief__lua_op *op) {
    struct pollfd at = {.fd = op->wait.fd};
    if (chief_context_err(chief_worker_context(op->worker)) != CHIEF_OK)
        return chief_set_last_error(CHIEF_ECANCELED, NULL);
    if ((op->wait.events & CHIEF_FD_READ) != 0) at.events |= POLLIN;
    if ((op->wait.events & CHIEF_FD_WRITE) != 0) at.events |= POLLOUT;
    if (poll(&at, 1, 0) <= 0) return CHIEF_EAGAIN;
    if ((at.revents & POLLNVAL) != 0) return chief_set_last_error(CHIEF_EINVAL, "this descriptor is not open");
    bool broken = (at.revents & (POLLERR | POLLHUP)) != 0; /* the next call says how */
    op->index = 0;
    if (broken || (at.revents & POLLIN) != 0) op->index |= op->wait.events & CHIEF_FD_READ;
    if (broken || (at.revents & POLLOUT) != 0) op->index |= op->wait.events & CHIEF_FD_WRITE;
    return op->index != 0 ? CHIEF_OK : CHIEF_EAGAIN;
}

static int block_for_descriptor(chief__lua_op *op, int64_t timeout_ms) {
    op->wait.size = sizeof op->wait;
    op->wait.deadline = chief_wait_deadline(timeout_ms);
    int rc = look_at_descriptor(op);
    while (rc == CHIEF_EAGAIN && timeout_ms != 0) {
        rc = chief_wait_prepare(op->worker, &op->wait);
        if (rc != CHIEF_EAGAIN) return rc;
        chief_wait_park(op->worker);
        rc = look_at_descriptor(op);
    }
    return rc == CHIEF_EAGAIN ? chief_set_last_error(rc, NULL) : rc;
}

static int descriptor_is_ready(lua_State *L, chief__lua_op *op, int rc) {
    static const char *const words[] = {"", "r", "w", "rw"}; /* enum chief_fd_event */
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushstring(L, words[op->index]);
    return 1;
}

static int wait_fd(lua_State *L) {
    static const char *const words[] = {"r", "w", "rw", NULL};
    chief__lua_op op = {.name = "ctx:wait_fd", .block = block_for_descriptor, .attempt = look_at_descriptor};
    op.finish = descriptor_is_ready;
    op.worker = check_worker(L);
    op.wait.kind = CHIEF_WAIT_FD;
    lua_Integer fd = luaL_checkinteger(L, 2);
    luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 2, "a descriptor is a number of 0 or more");
    op.wait.fd = (int32_t)fd;
    op.wait.events = (uint32_t)luaL_checkoption(L, 3, NULL, words) + 1;
    return chief__lua_do(L, &op, chief__lua_timeout(L, 4));
}

static const luaL_Reg methods[] = {
    {"done", done},           {"err", err},         {"reason", reason},       {"fd", fd},
    {"value", value},         {"sleep", sleep_for}, {"ready", ready},         {"states", states},
    {"channel", channel},     {"send", send_one},   {"send_many", send_many}, {"call", call},
    {"broadcast", broadcast}, {"recv", recv_one},   {"iter", iter},           {"select", select_one},
    {"wait_fd", wait_fd},     {NULL, NULL},
};

static const luaL_Reg getters[] = {
    {"args", get_args},       {"log", get_log}, {"name", get_name}, {"generation", get_generation},
    {"context", get_context}, {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.ctx",
                                     .methods = methods,
                                     .getters = getters,
                                     .lasting = 2, /* args and log */
                                     .close = close_ctx,
                                     .describe = describe,
                                     .looks = offsetof(chief__lua_ctx, looks)};
