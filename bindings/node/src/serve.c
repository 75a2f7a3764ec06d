/*
 * serve: what the worker's thread does for JavaScript: it tries what is asked for, waits for all of that at once, and ends a
 * part as its promise has ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "life.h"

/* What is new joins what waits; true when the part is over. */
static bool take_new(life *l, bool *interrupted) {
    request **end = &l->waiting;
    while (*end != NULL) end = &(*end)->next;
    (void)pthread_mutex_lock(&l->lock);
    *end = l->first;
    l->first = l->last = NULL;
    *interrupted = l->interrupted || l->closing;
    bool over = l->settled || l->closing;
    (void)pthread_mutex_unlock(&l->lock);
    return over;
}

static void tell_of_cancellation(life *l, chief_worker *ctx) {
    char buf[256];
    if (l->told) return;
    l->told = true;
    size_t len = chief_context_reason(chief_worker_context(ctx), buf, sizeof buf);
    l->reason = len > 0 ? strdup(buf) : NULL;
    l->cancel.run = life_tell_cancel;
    (void)life_ref(l);
    if (!host_post(l->host, &l->cancel)) life_unref(l);
}

/* Whether one that is before it waits for room in the same channel: then it is not its turn. */
static bool is_behind(const life *l, request *r) {
    chief_channel *to = request_target(r);
    if (to == NULL) return false;
    for (request *one = l->waiting; one != r; one = one->next)
        if (request_target(one) == to && one->call == NULL) return true;
    return false;
}

static void fail_all(life *l, const char *why) {
    while (l->waiting != NULL) {
        request *r = l->waiting;
        l->waiting = r->next;
        request_end(r, CHIEF_ECANCELED, why);
        request_finish(r);
    }
}

/* It asks these for the next, or acknowledges: what it has had of them is done with. */
static void let_go(life *l, const request *r) {
    if (r->kind != ASK_RECV && r->kind != ASK_ACK) return;
    for (size_t i = 0; i < r->n_channels; i++)
        for (size_t k = 0; k < l->n_held && l->n_held <= HELD; k++)
            if (l->held[k] == r->channels[i]) l->held[k--] = l->held[--l->n_held];
}

static void take_in_hand(life *l, const request *r) {
    if (r->kind != ASK_RECV || r->rc != CHIEF_OK || l->n_held > HELD) return;
    if (l->n_held < HELD) l->held[l->n_held] = r->channels[r->index];
    l->n_held++;
}

static void try_all(life *l, chief_worker *ctx, bool done) {
    for (request **at = &l->waiting; *at != NULL;) {
        request *r = *at;
        if (!is_behind(l, r)) let_go(l, r);
        if (is_behind(l, r) || !request_try(r, ctx, done)) {
            at = &r->next;
        } else {
            *at = r->next;
            take_in_hand(l, r);
            request_finish(r);
        }
    }
}

static bool make_room(life *l, size_t n) {
    if (n <= l->n_waits) return true;
    chief_wait *more = realloc(l->waits, n * sizeof *more);
    if (more == NULL) return false;
    l->waits = more;
    l->n_waits = n;
    return true;
}

/* Waits for all of them and for a wake. */
static int prepare_all(life *l, chief_worker *ctx) {
    size_t n = 1;
    for (request *r = l->waiting; r != NULL; r = r->next) n++;
    if (!make_room(l, n)) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    l->waits[0] = (chief_wait){.size = sizeof *l->waits, .kind = CHIEF_WAIT_WAKE, .deadline = INT64_MAX};
    n = 1;
    for (request *r = l->waiting; r != NULL; r = r->next) {
        if (is_behind(l, r)) continue;
        request_wait(r, &l->waits[n]);
        l->waits[n - 1].also = &l->waits[n];
        n++;
    }
    return chief_wait_prepare(ctx, l->waits);
}

/* One of them can't be waited for any longer; which one shows when each is prepared alone. */
static void judge(life *l, chief_worker *ctx) {
    for (request **at = &l->waiting; *at != NULL;) {
        request *r = *at;
        chief_wait wait;
        request_wait(r, &wait);
        int rc = is_behind(l, r) ? CHIEF_EAGAIN : chief_wait_prepare(ctx, &wait);
        if (rc == CHIEF_OK || rc == CHIEF_EAGAIN) {
            at = &r->next;
        } else {
            *at = r->next;
            request_end(r, rc, NULL);
            request_finish(r);
        }
    }
}

/* CHIEF_EAGAIN when it is to wait; CHIEF_OK when the part is over. */
static int serve(life *l, chief_worker *ctx) {
    for (;;) {
        char why[256] = "";
        bool interrupted;
        bool done = chief_context_err(chief_worker_context(ctx)) != CHIEF_OK;
        bool over = take_new(l, &interrupted);
        if (done) tell_of_cancellation(l, ctx);
        if (interrupted && chief_worker_interrupt_reason(ctx, why, sizeof why) == 0)
            (void)snprintf(why, sizeof why, "the program ends");
        if (interrupted) fail_all(l, why);
        try_all(l, ctx, done);
        if (over) return CHIEF_OK;
        int rc = prepare_all(l, ctx);
        if (rc == CHIEF_EAGAIN) return rc;
        if (rc == CHIEF_ENOMEM) fail_all(l, "out of memory");
        else if (rc != CHIEF_OK) judge(l, ctx);
    }
}

/* What the part has come to, as init and run return it. */
static int outcome(life *l, chief_worker *ctx) {
    fail_all(l, "this life of the worker is over");
    l->begun = false;
    (void)pthread_mutex_lock(&l->lock);
    int rc = l->failed ? CHIEF_EFAILED : CHIEF_OK;
    /* cut off by the stop: that is a clean end, but for messages that it has not done with */
    if (!l->settled || l->cancelled) rc = l->settled && l->n_held == 0 ? CHIEF_OK : CHIEF_ECANCELED;
    char *text = l->text, *trace = l->trace;
    l->text = l->trace = NULL;
    (void)pthread_mutex_unlock(&l->lock);
    if (rc == CHIEF_EFAILED || (rc == CHIEF_ECANCELED && text != NULL))
        chief_worker_set_error(ctx, CHIEF_REASON_ERROR, text != NULL ? text : "failed", trace);
    free(text);
    free(trace);
    return rc;
}

static int refuse(chief_worker *ctx) {
    chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "the program ends", NULL);
    return CHIEF_ECANCELED;
}

int life_step(life *l, chief_worker *ctx, part which) {
    if (!l->begun && !life_hand_over(l, which)) return refuse(ctx);
    l->begun = true;
    int rc = serve(l, ctx);
    return rc == CHIEF_OK ? outcome(l, ctx) : rc;
}
