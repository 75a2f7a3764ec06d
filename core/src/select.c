/* select: one receiver at several channels. */
#include <string.h>

#include "alloc.h"
#include "channel.h"
#include "err.h"

#define FEW 8 /* channels that need no allocation */

typedef struct watch {
    chief_channel *ch;
    chief__hand *hand;
    chief__place place;
    bool joined;
    bool woken; /* a wake of this channel has come and was not passed on yet */
} watch;

typedef struct choice {
    watch few[FEW];
    watch *watches;
    size_t n;
    size_t index;
    chief_msg *msg;
} choice;

static int watch_fill(watch *w, chief__party *p, chief_channel *ch) {
    if (ch == NULL && p == NULL) return chief__fail(CHIEF_EINVAL, "the host has no mailbox to select from");
    if (ch == NULL && p->mailbox == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no mailbox");
    w->ch = ch != NULL ? ch : p->mailbox;
    return chief__hand_get(&w->hand, p, w->ch);
}

static int choice_init(choice *c, chief__party *p, chief_channel *const *channels, size_t n) {
    int rc = CHIEF_OK;
    memset(c, 0, sizeof *c);
    c->watches = n <= FEW ? c->few : chief__calloc(n, sizeof *c->watches);
    if (c->watches == NULL) return chief__fail_code(CHIEF_ENOMEM);
    c->n = n;
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++) rc = watch_fill(&c->watches[i], p, channels[i]);
    return rc;
}

static void choice_fini(choice *c) {
    if (c->watches != c->few) chief__free(c->watches);
}

/* It asks all of them for the next. */
static void ask(choice *c) {
    chief__msg_list gone = {0};
    for (watch *w = c->watches; w < c->watches + c->n; w++) {
        chief__channel_lock(w->ch);
        chief__channel_ask(w->ch, w->hand, &gone);
        chief__channel_unlock(w->ch);
    }
    chief__list_discard(&gone);
}

static int pick_from(watch *w, chief_msg **out) {
    chief__channel_lock(w->ch);
    int rc = chief__channel_look(w->ch, w->hand);
    if (rc == CHIEF_OK) (void)chief__channel_take(w->ch, w->hand, out, (chief__batch){1, SIZE_MAX});
    chief__channel_unlock(w->ch);
    return rc;
}

/* CHIEF_OK with the first message there is, CHIEF_ECLOSED when none can come any more, CHIEF_EAGAIN. */
static int pick(choice *c) {
    int all = CHIEF_ECLOSED;
    for (size_t i = 0; i < c->n; i++) {
        int rc = pick_from(&c->watches[i], &c->msg);
        c->index = i;
        if (rc == CHIEF_OK || rc == CHIEF_ECANCELED) return rc;
        if (rc == CHIEF_EAGAIN) all = rc;
    }
    return all;
}

/* Stands at every channel that is open and empty. True when it can park. */
static bool join(choice *c, chief__waiter *waiter) {
    bool empty = true;
    bool any = false;
    for (watch *w = c->watches; empty && w < c->watches + c->n; w++) {
        chief__channel_lock(w->ch);
        int rc = chief__channel_look(w->ch, w->hand);
        w->joined = rc == CHIEF_EAGAIN;
        if (w->joined) chief__queue_join(&w->ch->receivers, &w->place, waiter);
        chief__channel_unlock(w->ch);
        any = any || w->joined;
        empty = w->joined || rc == CHIEF_ECLOSED;
    }
    return empty && any;
}

static void leave(choice *c) {
    for (watch *w = c->watches; w < c->watches + c->n; w++) {
        if (!w->joined) continue;
        chief__channel_lock(w->ch);
        w->woken = !chief__queue_leave(&w->ch->receivers, &w->place);
        chief__channel_unlock(w->ch);
        w->joined = false;
    }
}

/* The wakes that came and are not used go on to the next receivers. */
static void pass_on(choice *c, const watch *used) {
    for (watch *w = c->watches; w < c->watches + c->n; w++) {
        if (w->woken && w != used) {
            chief__channel_lock(w->ch);
            if (w->ch->queue.len > 0) chief__channel_wake_one(w->ch, &w->ch->receivers);
            chief__channel_unlock(w->ch);
        }
        w->woken = false;
    }
}

static int choose(choice *c, chief__party *p, int64_t deadline) {
    chief__stay stay;
    int rc = pick(c);
    if (rc != CHIEF_EAGAIN || deadline == CHIEF__NOW) return rc == CHIEF_EAGAIN ? chief__stay_over(p, deadline) : rc;
    chief__stay_begin(&stay, p);
    for (;;) {
        rc = pick(c);
        pass_on(c, rc == CHIEF_OK ? &c->watches[c->index] : NULL);
        if (rc == CHIEF_EAGAIN) rc = chief__stay_over(p, deadline);
        else break;
        if (rc != CHIEF_OK) break;
        if (join(c, stay.waiter)) chief__stay_park(&stay, deadline);
        leave(c);
    }
    return rc;
}

static int explain(int rc) {
    switch (rc) {
    case CHIEF_OK: return rc;
    case CHIEF_ECLOSED: return chief__fail(rc, "all the channels are closed");
    default: return chief__fail_code(rc);
    }
}

int chief_select(chief_worker *as, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                 chief_msg **out) {
    choice c;
    if (out != NULL) *out = NULL;
    if (index != NULL) *index = 0;
    if (channels == NULL || n == 0 || index == NULL || out == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__party *p = chief__party_of(as);
    if (p != NULL && p->far != NULL) return p->far->ops->select(p->far, channels, n, timeout_ms, index, out);
    int64_t deadline = chief__limit(timeout_ms);
    int rc = choice_init(&c, p, channels, n);
    if (rc == CHIEF_OK) {
        ask(&c);
        rc = explain(choose(&c, p, deadline));
    }
    if (rc == CHIEF_OK) {
        *index = c.index;
        *out = c.msg;
    }
    choice_fini(&c);
    return rc;
}
