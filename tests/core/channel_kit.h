/*
 * channel_kit: parties without workers, and calls that run in a thread of their own, for the tests of channels and
 * mailboxes. That somebody waits is seen in the queue where it stands, never by sleeping.
 */
#ifndef CHIEF_TEST_CHANNEL_KIT_H
#define CHIEF_TEST_CHANNEL_KIT_H

#include "support.h"

#include "channel.h"
#include "context.h"
#include "mailbox.h"

/* ---- parties ---- */

typedef struct kit_worker {
    chief__party party; /* first, as in a chief_worker */
    chief_context *context;
} kit_worker;

static inline chief_worker *as(kit_worker *w) { return (chief_worker *)&w->party; }

static inline void kit_open(kit_worker *w, const char *name, chief__hub *hub) {
    assert_int_equal(chief_context_new(&w->context, NULL), CHIEF_OK);
    chief__party_init(&w->party, name, w->context, hub);
}

static inline void kit_close(kit_worker *w, bool clean) {
    chief__party_end(&w->party, clean);
    chief__party_fini(&w->party);
    chief_context_unref(w->context);
}

/* Asked to stop, with a grace that ends in `ms` (negative: never). */
static inline void kit_stop(kit_worker *w, int64_t ms) {
    chief__party_set_grace(&w->party, ms < 0 ? INT64_MAX - 1 : chief__now_ms() + ms);
    chief_context_cancel(w->context, "asked to stop");
}

/* ---- channels ---- */

static inline chief_channel *kit_channel_with(const chief_channel_options *options) {
    chief_channel *ch;
    assert_int_equal(chief_channel_new(&ch, "jobs", options), CHIEF_OK);
    return ch;
}

static inline chief_channel *kit_channel(uint32_t capacity, int32_t overflow, int32_t delivery) {
    chief_channel_options o = {.size = sizeof o, .capacity = capacity, .overflow = overflow, .delivery = delivery};
    return kit_channel_with(&o);
}

static inline chief_channel_stats kit_stats(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    return s;
}

/* Checks the sums, and returns the counters. */
static inline chief_channel_stats kit_sums(chief_channel *ch) {
    chief_channel_stats s = kit_stats(ch);
    assert_int_equal(s.received, s.acknowledged + s.in_hand);
    assert_int_equal(s.sent, s.received + s.queued + s.dropped);
    return s;
}

static inline int kit_send(chief_channel *ch, kit_worker *w, int32_t number) {
    return chief_channel_send(ch, w != NULL ? as(w) : NULL, &number, sizeof number, 0);
}

static inline void kit_fill(chief_channel *ch, int32_t from, int32_t to) {
    for (int32_t i = from; i <= to; i++) assert_int_equal(kit_send(ch, NULL, i), CHIEF_OK);
}

static inline int32_t kit_number(const chief_msg *msg) {
    int32_t number;
    assert_int_equal(chief_msg_data(msg).len, sizeof number);
    memcpy(&number, chief_msg_data(msg).data, sizeof number);
    return number;
}

/* The number received without waiting, or the (negative) error. */
static inline int32_t kit_recv(chief_channel *ch, kit_worker *w) {
    chief_msg *msg;
    int rc = chief_channel_recv(ch, w != NULL ? as(w) : NULL, 0, &msg);
    if (rc != CHIEF_OK) {
        assert_null(msg);
        return rc;
    }
    int32_t number = kit_number(msg);
    chief_msg_free(msg);
    return number;
}

/* ---- who waits ---- */

typedef struct kit_crowd {
    chief__mutex *lock;
    const chief__queue *queue;
    size_t n;
} kit_crowd;

static inline bool kit_is_crowd(void *data) {
    const kit_crowd *crowd = data;
    size_t n = 0;
    chief__lock(crowd->lock);
    for (const chief__place *at = crowd->queue->first; at != NULL; at = at->next) n++;
    chief__unlock(crowd->lock);
    return n == crowd->n;
}

static inline void kit_until_senders(chief_channel *ch, size_t n) {
    kit_crowd crowd = {&ch->back, &ch->senders, n};
    assert_true(support_until(kit_is_crowd, &crowd, 10000));
}

static inline void kit_until_receivers(chief_channel *ch, size_t n) {
    kit_crowd crowd = {&ch->back, &ch->receivers, n};
    assert_true(support_until(kit_is_crowd, &crowd, 10000));
}

static inline bool kit_is_parked(void *data) {
    chief__party *p = data;
    return atomic_load_explicit(&p->waiter.parker.word, memory_order_relaxed) == 2;
}

/* Until the worker's thread waits for whatever it is. */
static inline void kit_until_waiting(kit_worker *w) { assert_true(support_until(kit_is_parked, &w->party, 10000)); }

/* ---- one call in a thread of its own ---- */

typedef enum kit_verb { KIT_SEND, KIT_RECV, KIT_SELECT, KIT_SLEEP, KIT_CALL, KIT_POST } kit_verb;

typedef struct kit_op {
    kit_verb verb;
    chief_channel *ch;
    chief_channel *other; /* the second to select from */
    kit_worker *worker;   /* NULL: the host */
    chief__hub *hub;
    const char *to;
    int32_t number;
    int64_t timeout;
    chief__thread thread;
    int rc;
    size_t index;
    int64_t took; /* ms */
    chief_msg *msg;
    char text[256];
} kit_op;

static inline int kit_perform(kit_op *op) {
    chief_worker *w = op->worker != NULL ? as(op->worker) : NULL;
    chief__party *p = op->worker != NULL ? &op->worker->party : NULL;
    chief_channel *both[] = {op->ch, op->other};
    switch (op->verb) {
    case KIT_SEND: return chief_channel_send(op->ch, w, &op->number, sizeof op->number, op->timeout);
    case KIT_RECV: return chief_channel_recv(op->ch, w, op->timeout, &op->msg);
    case KIT_SELECT: return chief_select(w, both, 2, op->timeout, &op->index, &op->msg);
    case KIT_SLEEP: return chief_worker_sleep(w, op->timeout);
    case KIT_CALL: return chief__hub_call(op->hub, p, op->to, &op->number, sizeof op->number, op->timeout, &op->msg);
    case KIT_POST: return chief__hub_send(op->hub, p, op->to, &op->number, sizeof op->number, op->timeout);
    }
    return CHIEF_EINVAL;
}

static inline void kit_run(void *data) {
    kit_op *op = data;
    int64_t begin = chief__now_ms();
    op->rc = kit_perform(op);
    op->took = chief__now_ms() - begin;
    if (op->rc != CHIEF_OK) (void)chief_last_error_take(op->text, sizeof op->text);
}

static inline void kit_start(kit_op *op) { support_thread(&op->thread, kit_run, op); }

/* Waits for its end and returns what the call returned. */
static inline int kit_end(kit_op *op) {
    chief__thread_join(&op->thread);
    return op->rc;
}

/* The same for one that received: the number, or the error. */
static inline int32_t kit_end_number(kit_op *op) {
    int rc = kit_end(op);
    if (rc != CHIEF_OK) return rc;
    int32_t number = kit_number(op->msg);
    chief_msg_free(op->msg);
    return number;
}

#endif
