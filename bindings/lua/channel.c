#include "channel.h"

#include <string.h>

#include "codec.h"
#include "context.h"
#include "fail.h"
#include "kind.h"
#include "message.h"
#include "options.h"
#include "suspend.h"

#define BATCH 64
#define BATCH_MAX 65536

typedef struct handle {
    chief_channel *channel;
    const chief__lua_ctx *ctx; /* kept alive by the user value; NULL: the host's */
    chief_msg *msg;            /* the inlet of recv */
    unsigned looks;            /* kind.h */
} handle;

static const chief__lua_kind kind;
static const char *const overflows[] = {"block", "drop_oldest", "fail", NULL};
static const char *const deliveries[] = {"at_most_once", "at_least_once", NULL};

static int close_handle(lua_State *L) {
    handle *h = chief__lua_kind_check(L, 1, &kind);
    chief__lua_drop(&h->msg);
    chief_channel_unref(h->channel);
    h->channel = NULL;
    return 0;
}

static int describe(lua_State *L) {
    handle *h = chief__lua_kind_check(L, 1, &kind);
    lua_pushfstring(L, "chief.channel (%s)", h->channel == NULL ? "closed" : chief_channel_name(h->channel));
    return 1;
}

static handle *check_handle(lua_State *L, int arg) {
    handle *h = chief__lua_kind_check(L, arg, &kind);
    luaL_argcheck(L, h->channel != NULL, arg, "the handle is closed");
    return h;
}

/* The same for a call that is counted where it begins and ends. [-0, +0, v] */
static handle *self(lua_State *L, int arg) {
    handle *h = chief__lua_kind_test(L, arg, &kind);
    return h != NULL && h->channel != NULL ? h : check_handle(L, arg);
}

/* Who sends and receives. [-0, +0, v] */
static chief_worker *as(lua_State *L, const handle *h) {
    return h->ctx == NULL ? NULL : chief__lua_ctx_worker(L, h->ctx);
}

chief_channel *chief__lua_test_channel(lua_State *L, int idx) {
    return chief__lua_kind_test(L, idx, &kind) == NULL ? NULL : check_handle(L, idx)->channel;
}

chief_channel **chief__lua_new_channel(lua_State *L) {
    handle *h = chief__lua_kind_new(L, &kind, sizeof *h, 1);
    return &h->channel;
}

void chief__lua_push_channel(lua_State *L, chief_channel *channel, int ctx) {
    handle *h = chief__lua_kind_new(L, &kind, sizeof *h, 1);
    if (ctx != 0) {
        h->ctx = chief__lua_test_ctx(L, ctx);
        lua_pushvalue(L, ctx);
        lua_setiuservalue(L, -2, 1);
    }
    h->channel = chief_channel_ref(channel);
}

/* ---- Sending ---- */

/* A large string goes from where it is, with what comes before it. */
static int put(chief_channel *channel, chief_worker *worker, chief_bytes item, chief_bytes head, int64_t timeout_ms) {
    if (head.len == 0) return chief_channel_send(channel, worker, item.data, item.len, timeout_ms);
    const chief_bytes parts[] = {head, item};
    return chief_channel_send_parts(channel, worker, parts, 2, timeout_ms);
}

static int block_to_send(chief__lua_op *op, int64_t timeout_ms) {
    return put(op->channel, op->worker, op->item, (chief_bytes){op->head_bytes, op->head}, timeout_ms);
}

static int sent_one(lua_State *L, chief__lua_op *op, int rc) {
    (void)op;
    return chief__lua_done(L, rc);
}

static int send_within(lua_State *L, int64_t timeout_ms) {
    static const char name[] = "ch:send";
    chief__lua_item item;
    handle *h = self(L, 1);
    chief_worker *worker = as(L, h);
    chief__lua_encode_item(L, 2, &item, true);
    chief__lua_first first = chief__lua_first_begin(chief__lua_life_of(L), name, timeout_ms);
    int rc = put(h->channel, worker, item.bytes, (chief_bytes){item.room, item.head}, first.may_wait);
    if (chief__lua_first_end(&first, rc)) return chief__lua_done(L, rc);
    chief__lua_op op = {.name = name, .block = block_to_send, .finish = sent_one, .tried = true};
    op.channel = h->channel;
    op.worker = worker;
    op.wait.kind = CHIEF_WAIT_SEND;
    op.item =
        item.bytes.data == item.room ? chief__lua_encode(L, 2) : item.bytes; /* the room does not outlive this call */
    op.head = (uint8_t)item.head;
    memcpy(op.head_bytes, item.room, item.head);
    return chief__lua_do(L, &op, timeout_ms);
}

static int send_one(lua_State *L) { return send_within(L, chief__lua_timeout(L, 3)); }
static int try_send(lua_State *L) { return send_within(L, 0); }

int chief__lua_sent_many(lua_State *L, chief__lua_op *op, int rc) {
    int n = rc == CHIEF_OK ? 0 : chief__lua_fail(L, rc);
    lua_pushinteger(L, (lua_Integer)op->done);
    return n + 1;
}

static int block_to_send_many(chief__lua_op *op, int64_t timeout_ms) {
    size_t sent = 0;
    if (op->n == 0) return CHIEF_OK;
    int rc =
        chief_channel_send_many(op->channel, op->worker, op->items + op->done, op->n - op->done, timeout_ms, &sent);
    op->done += sent;
    return rc;
}

static int send_many(lua_State *L) {
    handle *h = check_handle(L, 1);
    chief__lua_op op = {.name = "ch:send_many", .block = block_to_send_many, .channel = h->channel};
    op.finish = chief__lua_sent_many;
    op.worker = as(L, h);
    op.wait.kind = CHIEF_WAIT_SEND;
    int64_t timeout_ms = chief__lua_timeout(L, 3);
    op.items = chief__lua_encode_list(L, 2, &op.n);
    return chief__lua_do(L, &op, timeout_ms);
}

/* ---- Receiving ---- */

/* What comes goes through the handle's inlet. */
static int recv_as(lua_State *L, handle *h, const char *name, int64_t timeout_ms, chief__lua_receiver *receive) {
    chief__lua_reception how = {.name = name, .worker = as(L, h), .channel = h->channel, .receive = receive};
    how.out = chief__lua_inlet(L, &h->msg);
    return chief__lua_receive(L, chief__lua_life_of(L), &how, timeout_ms);
}

static int recv_within(lua_State *L, int64_t timeout_ms) {
    return recv_as(L, self(L, 1), "ch:recv", timeout_ms, chief__lua_received);
}

static int recv_one(lua_State *L) { return recv_within(L, chief__lua_timeout(L, 2)); }
static int try_recv(lua_State *L) { return recv_within(L, 0); }

static int block_to_recv_many(chief__lua_op *op, int64_t timeout_ms) {
    return chief_channel_recv_many(op->channel, op->worker, timeout_ms, op->out, op->n, &op->done);
}

static int received_many(lua_State *L, chief__lua_op *op, int rc) {
    return rc == CHIEF_OK ? chief__lua_push_batch(L, op->out, op->done) : chief__lua_fail(L, rc);
}

static int recv_many(lua_State *L) {
    handle *h = check_handle(L, 1);
    chief__lua_op op = {.name = "ch:recv_many", .block = block_to_recv_many, .channel = h->channel};
    op.finish = received_many;
    op.worker = as(L, h);
    op.wait.kind = CHIEF_WAIT_RECV;
    lua_Integer max = luaL_optinteger(L, 2, BATCH);
    luaL_argcheck(L, max >= 1 && max <= BATCH_MAX, 2, "a batch is of 1 to 65536 messages");
    int64_t timeout_ms = chief__lua_timeout(L, 3);
    op.n = (size_t)max;
    op.out = chief__lua_new_batch(L, op.n);
    return chief__lua_do(L, &op, timeout_ms);
}

int chief__lua_iterated(lua_State *L, int rc, chief_msg **inlet) {
    if (rc == CHIEF_ECANCELED || rc == CHIEF_ECLOSED) return 0;
    int n = chief__lua_received(L, rc, inlet);
    return n == 2 ? n : luaL_error(L, "%s", lua_tostring(L, -2));
}

/* The handle was looked at when the loop began, but it may have been closed since. */
static int step(lua_State *L) {
    handle *h = lua_touserdata(L, lua_upvalueindex(1));
    if (h->channel == NULL) (void)check_handle(L, lua_upvalueindex(1));
    return recv_as(L, h, "ch:iter", CHIEF_FOREVER, chief__lua_iterated);
}

static int iter(lua_State *L) {
    check_handle(L, 1);
    lua_settop(L, 1);
    lua_pushcclosure(L, step, 1);
    return 1;
}

static int ack(lua_State *L) {
    handle *h = check_handle(L, 1);
    chief_worker *worker = as(L, h);
    if (worker != NULL) chief_channel_ack(h->channel, worker); /* what the host receives is acknowledged at once */
    return 0;
}

/* ---- The channel itself ---- */

static int close_channel(lua_State *L) {
    chief_channel_close(check_handle(L, 1)->channel);
    return 0;
}

static int len(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)chief_channel_len(check_handle(L, 1)->channel));
    return 1;
}

static int fd(lua_State *L) { return chief__lua_descriptor(L, chief_channel_fd(check_handle(L, 1)->channel)); }

static int get_name(lua_State *L) {
    lua_pushstring(L, chief_channel_name(check_handle(L, 1)->channel));
    return 1;
}

static void set_count(lua_State *L, const char *key, uint64_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

static int stats(lua_State *L) {
    chief_channel_stats s = {.size = sizeof s};
    int rc = chief_channel_get_stats(check_handle(L, 1)->channel, &s);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_createtable(L, 0, 9);
    set_count(L, "capacity", s.capacity);
    set_count(L, "sent", s.sent);
    set_count(L, "received", s.received);
    set_count(L, "queued", s.queued);
    set_count(L, "dropped", s.dropped);
    set_count(L, "acknowledged", s.acknowledged);
    set_count(L, "in_hand", s.in_hand);
    set_count(L, "redelivered", s.redelivered);
    set_count(L, "dead", s.dead);
    return 1;
}

static const luaL_Reg methods[] = {
    {"send", send_one},
    {"try_send", try_send},
    {"send_many", send_many},
    {"recv", recv_one},
    {"try_recv", try_recv},
    {"recv_many", recv_many},
    {"iter", iter},
    {"ack", ack},
    {"close", close_channel},
    {"len", len},
    {"fd", fd},
    {"stats", stats},
    {NULL, NULL},
};

static const luaL_Reg getters[] = {{"name", get_name}, {NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.channel",
                                     .methods = methods,
                                     .getters = getters,
                                     .close = close_handle,
                                     .describe = describe,
                                     .looks = offsetof(handle, looks)};

chief_channel_options chief__lua_channel_options(lua_State *L, int t) {
    chief_channel_options options = {.size = sizeof options};
    if (!lua_isnoneornil(L, t)) luaL_checktype(L, t, LUA_TTABLE);
    int64_t capacity = chief__lua_field_integer(L, t, "capacity");
    luaL_argcheck(L, capacity >= 0 && capacity <= UINT32_MAX, t, "capacity is out of range");
    options.capacity = (uint32_t)capacity;
    options.overflow = chief__lua_field_word(L, t, "overflow", overflows, CHIEF_BLOCK);
    options.delivery = chief__lua_field_word(L, t, "delivery", deliveries, CHIEF_AT_MOST_ONCE);
    options.max_deliveries = chief__lua_field_count(L, t, "max_deliveries");
    options.max_message = chief__lua_field_integer(L, t, "max_message");
    options.dead = chief__lua_field_string(L, t, "dead");
    return options;
}

int chief__lua_channel(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    chief_channel_options options = chief__lua_channel_options(L, 2);
    chief_channel **channel = chief__lua_new_channel(L);
    int rc = chief_channel_new(channel, name, &options);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
