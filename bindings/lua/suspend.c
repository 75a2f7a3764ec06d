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

static int go_on(lua_State *L, int status, lua_KContext context);

/* Who is to end does not begin to wait. */
static int suspend(lua_State *L, chief__lua_life *life, const chief__lua_op *op) {
    *life->op = *op;
    if (chief__lua_interrupted(life) != NULL) {
        chief__lua_op_release(life->op);
        chief__lua_call_end(L);
        return chief__lua_raise(L);
    }
    life->waiting = L;
    return lua_yieldk(L, 0, 0, go_on);
}

static int try_until_done(lua_State *L, chief__lua_life *life, chief__lua_op *op) {
    for (;;) {
        bool both = op->wait.received != NULL;
        int rc = op->tried || both ? CHIEF_EAGAIN : attempt(op);
        op->tried = false;
        if (rc == CHIEF_EAGAIN && !op->stands) rc = prepare(op);
        else if (rc != CHIEF_EAGAIN) return end(L, op, rc);
        op->stands = false;
        if (rc == CHIEF_EAGAIN) return suspend(L, life, op);
        if (rc != CHIEF_OK || both) return end(L, op, rc);
    }
}

/* The worker has been resumed. The op leaves its place, as its end may run code that waits for something else. */
static int go_on(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    chief__lua_life *life = chief__lua_life_of(L);
    chief__lua_op op = *life->op;
    life->op->mailbox = NULL;
    life->op->call = NULL;
    life->waiting = NULL;
    return try_until_done(L, life, &op);
}

int chief__lua_first_receive(lua_State *L, chief__lua_first *first, chief_worker *worker, chief_channel *channel,
                             chief_msg **out) {
    bool suspends = first->may_wait != first->timeout_ms && can_suspend(L, first->life);
    if (!suspends && channel != NULL) return chief_channel_recv(channel, worker, first->may_wait, out);
    if (!suspends) return chief_worker_recv(worker, first->may_wait, out);
    chief_wait wait = {.size = sizeof wait, .kind = CHIEF_WAIT_RECV, .channels = &channel, .n = 1, .received = out};
    wait.deadline = chief_wait_deadline(first->timeout_ms);
    int rc = chief_wait_prepare(worker, &wait);
    first->stands = rc == CHIEF_EAGAIN;
    return rc;
}

int chief__lua_do(lua_State *L, chief__lua_op *op, int64_t timeout_ms) {
    chief__lua_life *life = op->worker != NULL ? chief__lua_life_of(L) : NULL;
    chief__lua_call_begin(L, op->name);
    if (life == NULL || life->op == NULL || timeout_ms == 0 || !can_suspend(L, life))
        return end(L, op, op->block(op, timeout_ms));
    op->wait.deadline = chief_wait_deadline(timeout_ms);
    return try_until_done(L, life, op);
}
