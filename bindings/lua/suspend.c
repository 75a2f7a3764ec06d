#include "suspend.h"

#include "interrupt.h"
#include "memory.h"

void chief__lua_op_release(chief__lua_op *op) {
    if (op == NULL) return;
    chief_channel_unref(op->mailbox);
    chief_call_end(op->call);
    op->mailbox = NULL;
    op->call = NULL;
}

static int end(lua_State *L, chief__lua_op *op, int rc) {
    chief__lua_op_release(op);
    chief__lua_call_end(L);
    return op->finish(L, op, rc);
}

/* Whether a yield of L gets through to the top: each coroutine on the way was resumed by our resume, and can yield. */
static bool can_suspend(lua_State *L, const chief__lua_life *life) {
    while (L != life->L) {
        lua_State *resumer = chief__lua_mark_of(L)->resumer;
        if (resumer == NULL || !lua_isyieldable(L)) return false;
        L = resumer;
    }
    return lua_isyieldable(L) != 0;
}

static int attempt(chief__lua_op *op) { return op->attempt != NULL ? op->attempt(op) : op->block(op, 0); }

/* The wait of a receiver is its attempt as well. */
static int prepare(chief__lua_op *op) {
    chief_wait *wait = &op->wait;
    wait->size = sizeof *wait;
    wait->channels = op->sources != NULL ? op->sources : op->mailbox != NULL ? &op->mailbox : &op->channel;
    wait->n = op->sources != NULL ? op->n : 1;
    wait->call = op->call;
    return chief_wait_prepare(op->worker, wait);
}

/* The life's op waits. Who is to end does not begin to. */
static int suspend(lua_State *L, chief__lua_life *life, lua_KFunction go_on) {
    if (chief__lua_interrupted(life) != NULL) {
        chief__lua_op_release(life->op);
        chief__lua_life_call(life, NULL);
        return chief__lua_raise(L);
    }
    life->waiting = L;
    return lua_yieldk(L, 0, (lua_KContext)life, go_on);
}

static int go_on(lua_State *L, int status, lua_KContext context);

static int try_until_done(lua_State *L, chief__lua_life *life, chief__lua_op *op) {
    for (;;) {
        int rc = op->tried ? CHIEF_EAGAIN : attempt(op);
        op->tried = false;
        if (rc != CHIEF_EAGAIN) return end(L, op, rc);
        rc = prepare(op);
        if (rc == CHIEF_EAGAIN) {
            *life->op = *op;
            return suspend(L, life, go_on);
        }
        if (rc != CHIEF_OK) return end(L, op, rc);
    }
}

/* The worker has been resumed. The op leaves its place, as its end may run code that waits for something else. */
static int go_on(lua_State *L, int status, lua_KContext context) {
    (void)status;
    chief__lua_life *life = (chief__lua_life *)context;
    chief__lua_op op = *life->op;
    life->op->mailbox = NULL;
    life->op->call = NULL;
    life->waiting = NULL;
    return try_until_done(L, life, &op);
}

int chief__lua_do(lua_State *L, chief__lua_op *op, int64_t timeout_ms) {
    chief__lua_life *life = op->worker != NULL ? chief__lua_life_of(L) : NULL;
    chief__lua_call_begin(L, op->name);
    if (life == NULL || life->op == NULL || timeout_ms == 0 || !can_suspend(L, life))
        return end(L, op, op->block(op, timeout_ms));
    op->wait.deadline = chief_wait_deadline(timeout_ms);
    return try_until_done(L, life, op);
}

/* ---- one message ---- */

static int receive_in_call(lua_State *L, chief__lua_life *life, const chief__lua_reception *how, int64_t timeout_ms) {
    int rc = how->channel != NULL ? chief_channel_recv(how->channel, how->worker, timeout_ms, how->out)
                                  : chief_worker_recv(how->worker, timeout_ms, how->out);
    chief__lua_life_call(life, NULL);
    return how->receive(L, rc, how->out);
}

/* As the life's op says, which stays in its place: nothing of it has to be released. */
static int receive_or_suspend(lua_State *L, chief__lua_life *life);

static int receive_on(lua_State *L, int status, lua_KContext context) {
    (void)status;
    chief__lua_life *life = (chief__lua_life *)context;
    life->waiting = NULL;
    return receive_or_suspend(L, life);
}

static int receive_or_suspend(lua_State *L, chief__lua_life *life) {
    chief__lua_op *op = life->op;
    int rc = chief_wait_prepare(op->worker, &op->wait);
    if (rc == CHIEF_EAGAIN) return suspend(L, life, receive_on);
    chief__lua_life_call(life, NULL);
    return op->receive(L, rc, op->out);
}

int chief__lua_receive(lua_State *L, chief__lua_life *life, const chief__lua_reception *how, int64_t timeout_ms) {
    chief__lua_life_call(life, how->name);
    if (life == NULL || life->op == NULL || how->worker == NULL || timeout_ms == 0 || !can_suspend(L, life))
        return receive_in_call(L, life, how, timeout_ms);
    chief__lua_op *op = life->op;
    op->receive = how->receive;
    op->worker = how->worker;
    op->channel = how->channel;
    op->out = how->out;
    op->wait = (chief_wait){.size = sizeof op->wait, .kind = CHIEF_WAIT_RECV, .channels = &op->channel, .n = 1};
    op->wait.deadline = chief_wait_deadline(timeout_ms);
    op->wait.received = op->out;
    return receive_or_suspend(L, life);
}
