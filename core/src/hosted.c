#include "hosted.h"

#include "alloc.h"
#include "err.h"
#include "life.h"
#include "loop.h"

struct chief_hosted {
    atomic_uint refs; /* the host's and its unit's; dropped with release, the last one acquires */
    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    chief_worker *first; /* that want a thread; each with a reference, which its thread has later */
    chief_worker *last;
    size_t n_told; /* lives with a word that was not heard */
    bool closed;
    int fd; /* -1 until asked for */
};

/* ---- as an object ---- */

static int hosted_new(chief_hosted **out) {
    chief_hosted *h = *out = chief__calloc(1, sizeof *h);
    if (h == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&h->refs, 1);
    chief__mutex_init(&h->lock);
    chief__cond_init(&h->changed);
    h->fd = -1;
    return CHIEF_OK;
}

chief_hosted *chief_hosted_ref(chief_hosted *hosted) {
    if (hosted != NULL) (void)atomic_fetch_add_explicit(&hosted->refs, 1, memory_order_relaxed);
    return hosted;
}

void chief_hosted_unref(chief_hosted *hosted) {
    if (hosted == NULL || atomic_fetch_sub_explicit(&hosted->refs, 1, memory_order_acq_rel) != 1) return;
    chief__fd_close(hosted->fd);
    chief__cond_fini(&hosted->changed);
    chief__mutex_fini(&hosted->lock);
    chief__free(hosted);
}

/* ---- who waits ---- */

/* Under lock. */
static void show(const chief_hosted *h) {
    if (h->fd < 0) return;
    if (h->first != NULL || h->n_told > 0 || h->closed) chief__fd_set(h->fd);
    else chief__fd_clear(h->fd);
}

/* Under lock. */
static void append(chief_hosted *h, chief_worker *w) {
    w->guest.next = NULL;
    w->guest.waiting = true;
    if (h->last != NULL) h->last->guest.next = w;
    else h->first = w;
    h->last = w;
    show(h);
    chief__cond_wake_all(&h->changed);
}

/* Under lock. */
static void take(chief_hosted *h, chief_worker *w) {
    chief_worker *before = NULL;
    for (chief_worker *at = h->first; at != w; at = at->guest.next) before = at;
    if (before != NULL) before->guest.next = w->guest.next;
    else h->first = w->guest.next;
    if (h->last == w) h->last = before;
    w->guest.waiting = false;
    show(h);
}

static void on_word(chief_worker *w) {
    chief_hosted *h = w->unit->data;
    chief__lock(&h->lock);
    if (!w->guest.told && !w->guest.gone) {
        w->guest.told = true;
        h->n_told++;
        show(h);
    }
    chief__unlock(&h->lock);
}

static void hear_word(chief_worker *w, bool last) {
    chief_hosted *h = w->unit->data;
    chief__lock(&h->lock);
    if (w->guest.told) h->n_told--;
    w->guest.told = false;
    w->guest.gone = last;
    show(h);
    chief__unlock(&h->lock);
}

void chief__hosted_launch(chief_worker *home) {
    chief_hosted *h = home->unit->data;
    chief__guest_launch(home, on_word);
    chief__lock(&h->lock);
    append(h, chief__worker_ref(home));
    chief__unlock(&h->lock);
}

void chief__hosted_withdraw(chief_worker *home) {
    chief_hosted *h = home->unit->data;
    chief__lock(&h->lock);
    bool waits = home->guest.waiting;
    if (waits) take(h, home);
    home->guest.gone = home->guest.gone || waits;
    chief__unlock(&h->lock);
    if (waits) chief__guest_miss(home);
}

static void shut(chief_hosted *h) {
    chief__lock(&h->lock);
    h->closed = true;
    show(h);
    chief__cond_wake_all(&h->changed);
    chief__unlock(&h->lock);
}

/* ---- the worker that it is to the chief ---- */

static int never_run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

/* It hears of it by its context and chief_worker_interrupt_reason; that there is an interrupt gives it the time to. */
static void interrupt(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
}

static const chief_worker_ops ops = {.size = sizeof ops, .run = never_run, .interrupt = interrupt};

bool chief__is_hosted(const chief__unit *unit) { return unit->ops.run == never_run; }

void chief__hosted_close(const chief__unit *unit) { shut(unit->data); }

static void destroy(void *data) {
    shut(data);
    chief_hosted_unref(data);
}

static int read_options(chief_worker_options *out, const char *name, const chief_worker_options *given) {
    int rc = chief__options_read(out, sizeof *out, given, "chief_worker_options");
    if (rc != CHIEF_OK) return rc;
    if (out->isolation != CHIEF_ISOLATION_DEFAULT && out->isolation != CHIEF_THREAD)
        return chief__fail(CHIEF_EINVAL, "worker %s: a hosted worker runs in a thread", name);
    if (out->schedule != NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: a hosted worker can't run by a schedule", name);
    if (out->destroy != NULL) return chief__fail(CHIEF_EINVAL, "worker %s: there is no data to destroy", name);
    out->destroy = destroy;
    return CHIEF_OK;
}

static int add(chief *c, const char *name, chief_hosted *h, const chief_worker_options *o) {
    chief__unit *unit;
    int rc = chief__unit_new(&unit, name, &ops, chief_hosted_ref(h), o);
    if (rc == CHIEF_OK) {
        rc = chief__unit_set_apart(c, unit, o);
        if (rc == CHIEF_OK) rc = chief__add_unit(c, unit);
        chief__unit_unref(unit);
    }
    if (rc != CHIEF_OK) chief_hosted_unref(h); /* the unit's, which did not come to own it */
    return rc;
}

int chief_add_hosted(chief *c, const char *name, const chief_worker_options *options, chief_hosted **out) {
    chief_worker_options o;
    chief_hosted *h;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = chief__name_check(name, "worker");
    if (rc == CHIEF_OK) rc = read_options(&o, name, options);
    if (rc == CHIEF_OK) rc = hosted_new(&h);
    if (rc != CHIEF_OK) return rc;
    rc = add(c, name, h, &o);
    if (rc == CHIEF_OK) *out = h;
    else chief_hosted_unref(h);
    return rc;
}

/* ---- the host's threads ---- */

static int fail_waiting(int64_t timeout_ms) {
    return chief__fail_code(timeout_ms == 0 ? CHIEF_EAGAIN : CHIEF_ETIMEDOUT);
}

int chief_hosted_begin(chief_hosted *hosted, int64_t timeout_ms, chief_worker **out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (hosted == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (chief__forked()) return chief__fail_code(CHIEF_EFORK);
    int64_t deadline = chief__deadline(timeout_ms);
    chief__lock(&hosted->lock);
    while (hosted->first == NULL && !hosted->closed && chief__cond_wait(&hosted->changed, &hosted->lock, deadline))
        continue;
    chief_worker *w = hosted->first;
    bool closed = hosted->closed;
    if (w != NULL) take(hosted, w);
    chief__unlock(&hosted->lock);
    if (w == NULL) return closed ? chief__fail_code(CHIEF_ECLOSED) : fail_waiting(timeout_ms);
    chief__guest_arrive(w);
    *out = w;
    return CHIEF_OK;
}

static int check_life(const chief_worker *ctx) {
    if (ctx == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (ctx->guest.on_word != NULL) return CHIEF_OK;
    return chief__fail(CHIEF_EINVAL, "worker %s is no hosted one", ctx->unit->name);
}

int chief_hosted_enter(chief_worker *ctx, int64_t timeout_ms) {
    int rc = check_life(ctx);
    if (rc != CHIEF_OK) return rc;
    rc = chief__guest_enter(ctx, chief__deadline(timeout_ms));
    if (rc == CHIEF_ETIMEDOUT) return fail_waiting(timeout_ms);
    if (rc == CHIEF_EBUSY) return chief__fail(rc, "worker %s: its run has begun", ctx->unit->name);
    hear_word(ctx, false);
    return rc == CHIEF_OK ? rc : chief__fail_code(rc);
}

int chief_hosted_end(chief_worker *ctx, int code) {
    int rc = check_life(ctx);
    if (rc != CHIEF_OK) return rc;
    hear_word(ctx, true);
    chief__guest_leave(ctx, code);
    return CHIEF_OK;
}

int chief_hosted_fd(chief_hosted *hosted) {
    if (hosted == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (chief__forked()) return chief__fail_code(CHIEF_EFORK);
    chief__lock(&hosted->lock);
    if (hosted->fd < 0) {
        hosted->fd = chief__fd_new();
        show(hosted);
    }
    int fd = hosted->fd;
    chief__unlock(&hosted->lock);
    return fd >= 0 ? fd : chief__fail(CHIEF_ESYS, "no descriptor for the hosted worker");
}
