/*
 * suspend: the calls of the chief's that may wait. Each is an *op*: in a thread it waits in the call; in a fiber it is tried,
 * what it waits for is prepared, and the worker is suspended: the coroutine that called yields, those that resumed it pass
 * that on (corun.h), and the main one gives the thread back to the scheduler (host.c). Resumed, it is tried again.
 *
 * Where a yield would not get through to the top, because a C function in between can't be left (the callback of a gsub,
 * a sort, a require, a __gc, a coroutine that C resumed), it waits in the call as in a thread, and the scheduler's other
 * fibers go on in another.
 *
 * While a worker is suspended nothing else of its state runs, so one op at a time waits, and it is kept in the life.
 */
#ifndef CHIEF_LUA_SUSPEND_H
#define CHIEF_LUA_SUSPEND_H

#include <chief.h>
#include <lua.h>

#include "codec.h"
#include "life.h"

#pragma GCC visibility push(hidden)

typedef struct chief__lua_op chief__lua_op;

/* What becomes of a receive that ended with `rc`: pushes the results and returns how many. */
typedef int chief__lua_receiver(lua_State *L, int rc, chief_msg **inlet);

struct chief__lua_op {
    const char *name; /* a constant, "ctx:recv" */
    /* Waits in the call. */
    int (*block)(chief__lua_op *op, int64_t timeout_ms);
    /* Does not wait: CHIEF_EAGAIN when there is nothing yet, and `wait` says for what then. NULL: `block` with no time. */
    int (*attempt)(chief__lua_op *op);
    /* Pushes the results and returns how many. */
    int (*finish)(lua_State *L, chief__lua_op *op, int rc);
    chief__lua_receiver *receive; /* of chief__lua_receive, instead of the four above */
    chief_worker *worker;         /* NULL: the host's */
    chief_wait wait;              /* its kind, and what `attempt` says; the rest is filled in */
    /* What it works on: pointers into what the stack keeps. */
    chief_channel *channel; /* NULL: the worker's mailbox */
    const char *to;
    const chief_bytes *items;
    chief_bytes item;
    size_t n, done;
    chief_msg **out;
    chief_channel *const *sources;
    size_t index;
    bool tried;   /* just before: it begins with the wait */
    uint8_t head; /* not 0: so many bytes come before the item, which are these */
    char head_bytes[CHIEF__LUA_HEAD];
    /* Its own, released at its end. */
    chief_channel *mailbox;
    chief_pending *call;
};

/* Does it: what `finish` pushed, now or after a while. To be returned by a C function as its result. [-0, +n, v] */
int chief__lua_do(lua_State *L, chief__lua_op *op, int64_t timeout_ms);

/*
 * Most calls have nothing to wait for, and those are made without an op. It waits in the call
 * for `may_wait`, which in a fiber is not at all. At the end: true when that was all; else it goes on as an op that was tried.
 */
typedef struct chief__lua_first {
    chief__lua_life *life; /* NULL: no worker's */
    int64_t timeout_ms;
    int64_t may_wait;
} chief__lua_first;

static inline chief__lua_first chief__lua_first_begin(chief__lua_life *life, const char *name, int64_t timeout_ms) {
    chief__lua_life_call(life, name);
    return (chief__lua_first){life, timeout_ms, life != NULL && life->op != NULL ? 0 : timeout_ms};
}

static inline bool chief__lua_first_end(const chief__lua_first *first, int rc) {
    chief__lua_life_call(first->life, NULL);
    return rc != CHIEF_EAGAIN || first->timeout_ms == 0;
}

/* The receive of one message, which is what fibers do most: it is tried and waited for in one step. */
typedef struct chief__lua_reception {
    const char *name;       /* as an op's */
    chief_worker *worker;   /* NULL: the host's */
    chief_channel *channel; /* NULL: the worker's mailbox */
    chief_msg **out;        /* what the stack keeps */
    chief__lua_receiver *receive;
} chief__lua_reception;

/* As chief__lua_do; the life is the state's. */
int chief__lua_receive(lua_State *L, chief__lua_life *life, const chief__lua_reception *how, int64_t timeout_ms);

/* What an op of a life that is over has not given back. Takes NULL. */
void chief__lua_op_release(chief__lua_op *op);

#pragma GCC visibility pop
#endif
