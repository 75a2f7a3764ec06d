#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "life.h"
#include "transport.h"

#define PLACE_SIZE 256 /* of its first line, in a sentence */

/* ---- a generation's life as an object ---- */

static int make_log(chief_worker *w, const chief__surroundings *around) {
    chief_value held = {0};
    chief_log *base = around->log;
    if (base == NULL && chief_context_get(w->context, CHIEF_CTX_KEY_LOG, &held) == CHIEF_OK &&
        held.type == CHIEF_POINTER)
        base = held.pointer;
    chief_log *made = NULL;
    int rc = base == NULL ? chief_log_new(&made, NULL) : CHIEF_OK;
    if (rc == CHIEF_OK) {
        chief_field field = {.key = "worker", .value = {.type = CHIEF_BYTES}};
        field.value.bytes.data = w->unit->name;
        field.value.bytes.len = strlen(w->unit->name);
        rc = chief_log_with_fields(&w->log, base != NULL ? base : made, &field, 1);
    }
    chief_log_unref(made);
    chief_value_clear(&held);
    return rc;
}

int chief__worker_new(chief_worker **out, chief__unit *unit, uint64_t generation, const chief__surroundings *around) {
    *out = NULL;
    chief_worker *w = chief__calloc(1, sizeof *w);
    if (w == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&w->refs, 1);
    chief__mutex_init(&w->lock);
    chief__cond_init(&w->told);
    w->unit = chief__unit_ref(unit);
    w->generation = generation;
    w->inbox = chief__inbox_ref(around->inbox);
    w->hub = around->hub != NULL ? chief__hub_ref(around->hub) : NULL;
    w->pool = around->pool != NULL ? chief__pool_ref(around->pool) : NULL;
    int rc = chief_context_new(&w->context, around->context);
    if (rc == CHIEF_OK) rc = make_log(w, around);
    if (rc != CHIEF_OK) {
        chief__worker_unref(w);
        return rc;
    }
    chief__party_init(&w->party, unit->name, w->context, w->hub);
    w->party.far = around->far;
    *out = w;
    return CHIEF_OK;
}

chief_worker *chief__worker_ref(chief_worker *w) {
    (void)atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void chief__worker_unref(chief_worker *w) {
    if (w == NULL || atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1) return;
    chief__party_fini(&w->party);
    chief_log_unref(w->log);
    chief_context_unref(w->context);
    if (w->pool != NULL) chief__pool_unref(w->pool);
    if (w->hub != NULL) chief__hub_unref(w->hub);
    chief__inbox_unref(w->inbox);
    chief__unit_unref(w->unit);
    chief__free(w->error);
    chief__free(w->traceback);
    chief__free(w->place);
    chief__cond_fini(&w->told);
    chief__mutex_fini(&w->lock);
    chief__free(w);
}

/* ---- the home ---- */

/* By the loop, whose reference keeps it until its home has ended. Who is woken finds the lock free. */
static void set_word(chief_worker *w, chief__word what) {
    chief__lock(&w->lock);
    w->word = what;
    chief__cond_wake_all(&w->told); /* a thread of the host's that leads it */
    chief__unlock(&w->lock);
    if (w->is_fiber || w->mate != NULL) chief__waiter_wake(&w->party.waiter);
    if (w->guest.on_word != NULL) w->guest.on_word(w);
}

static chief__word wait_for_word(chief_worker *w) {
    chief__word what = chief__worker_word(w);
    w->party.waiter.parker.spun = true; /* others begin meanwhile, so it takes longer than spinning pays */
    while (what == WORD_NONE) {
        (void)chief__park(&w->party.waiter.parker, INT64_MAX);
        what = chief__worker_word(w);
    }
    return what;
}

static bool is_failure(int32_t reason) { return reason > CHIEF_REASON_OK && reason <= CHIEF_REASON_CANCELLED; }

/* Fills in what the worker did not say itself, or said wrongly: a failure's reason is one. */
static void note_failure(chief_worker *w, int rc, const char *what) {
    if (!is_failure(w->reason)) w->reason = rc == CHIEF_ECANCELED ? CHIEF_REASON_CANCELLED : CHIEF_REASON_ERROR;
    if (w->error != NULL) return;
    char text[128];
    if (w->exit_code != 0) (void)snprintf(text, sizeof text, "exit %d", (int)w->exit_code);
    else if (rc <= CHIEF_EINVAL) (void)snprintf(text, sizeof text, "%s returned %d (%s)", what, rc, chief_strerror(rc));
    else (void)snprintf(text, sizeof text, "%s returned %d", what, rc);
    w->error = chief__strdup(text);
}

/* From now on interrupt is given `reach`; one that was given the old one has returned. */
static void set_reach(chief_worker *w, void *reach) {
    chief__lock(&w->lock);
    w->reach = reach;
    while (w->interrupting) (void)chief__cond_wait(&w->told, &w->lock, INT64_MAX);
    chief__unlock(&w->lock);
}

void chief__worker_begin_init(chief_worker *w) {
    w->instance = w->unit->data;
    set_reach(w, w->unit->data);
}

int chief__worker_end_init(chief_worker *w, int rc) {
    set_reach(w, rc == 0 ? w->instance : NULL);
    if (rc == 0) return CHIEF_OK;
    note_failure(w, rc, "init");
    w->reason = CHIEF_REASON_INIT_ERROR;
    chief__party_end(&w->party, false);
    return CHIEF_EFAILED;
}

int chief__worker_init(chief_worker *w) {
    chief__worker_begin_init(w);
    return chief__worker_end_init(w, w->unit->ops.init != NULL ? w->unit->ops.init(w, w->unit->data, &w->instance) : 0);
}

static void clear_failure(chief_worker *w) {
    chief__free(w->error);
    chief__free(w->traceback);
    w->error = w->traceback = NULL;
    w->reason = CHIEF_REASON_OK;
    w->exit_code = 0;
}

static chief__clocks look_at_clocks(void) {
    chief__clocks clocks = {.now = chief__now_ms(), .wall = chief__wall_ms()};
    return clocks;
}

/* A clean return acknowledges all that the worker has in hand. */
static void ack_all(chief_worker *w) {
    if (w->party.far != NULL) w->party.far->ops->ack_all(w->party.far);
    else chief__party_ack(&w->party);
}

/* Run after run, until one fails or a stop is asked. */
static int run_by_schedule(chief_worker *w) {
    chief__rota rota;
    chief__rota_begin(&rota, &w->unit->schedule, look_at_clocks());
    for (;;) {
        int64_t wait = chief__rota_wait(&rota, look_at_clocks());
        if (wait > 0 && chief_worker_sleep(w, wait) == CHIEF_OK) continue;
        if (chief__party_err(&w->party) != CHIEF_OK || chief__party_is_abandoned(&w->party)) return 0;
        int rc = w->unit->ops.run(w, w->instance);
        if (rc != 0) return rc;
        ack_all(w);
        chief__rota_ran(&rota, look_at_clocks());
    }
}

int chief__worker_end_run(chief_worker *w, int rc) {
    if (rc == 0) clear_failure(w);
    else note_failure(w, rc, "run");
    chief__worker_fini(w, rc == 0);
    return rc == 0 ? CHIEF_OK : CHIEF_EFAILED;
}

int chief__worker_exec(chief_worker *w) {
    return chief__worker_end_run(w, w->unit->scheduled ? run_by_schedule(w) : w->unit->ops.run(w, w->instance));
}

void chief__worker_fini(chief_worker *w, bool clean) {
    set_reach(w, NULL);
    if (w->unit->ops.fini != NULL) w->unit->ops.fini(w->instance);
    chief__party_end(&w->party, clean);
}

static chief__report_bit live(chief_worker *w) {
    if (chief__worker_init(w) != CHIEF_OK) return REPORT_INIT_FAILED;
    chief__inbox_report(w->inbox, &w->report, REPORT_INITIALIZED);
    if (wait_for_word(w) == WORD_FINISH) {
        chief__worker_fini(w, true);
        return REPORT_FINISHED;
    }
    chief__inbox_report(w->inbox, &w->report, REPORT_ENTERED);
    (void)chief__worker_exec(w);
    return REPORT_EXITED;
}

/* The last report comes before the thread's own reference goes: what it drops then, the host's destructors among it,
 * can't delay the loop. */
static void home_main(void *arg) {
    chief_worker *w = arg;
    chief__inbox_enter(w->inbox, false);
    chief__report_bit last = live(w);
    chief__inbox_report(w->inbox, &w->report, last);
    chief__worker_unref(w);
}

int chief__worker_launch(chief_worker *w, chief__crew *crew) {
    int rc = chief__crew_start(&w->mate, crew, home_main, chief__worker_ref(w), w->unit->name);
    if (rc != CHIEF_OK) chief__worker_unref(w);
    return rc;
}

/* ---- the home of a fiber ---- */

/* Messages and ticks for a fiber of callbacks, until there is nothing more to do now. CHIEF_EAGAIN: it waits. */
static int serve(chief_worker *w) {
    const chief_fiber_ops *ops = &w->unit->fiber;
    chief_channel *own = NULL;
    for (;;) {
        chief_msg *msg;
        int rc = CHIEF_EAGAIN;
        if (ops->on_message != NULL) {
            rc = chief_worker_recv(w, 0, &msg);
            if (rc == CHIEF_OK) {
                rc = ops->on_message(w, w->instance, msg);
                chief_msg_free(msg);
                if (rc != 0) return rc;
                continue;
            }
            if (rc == CHIEF_ECANCELED) return 0; /* also where one that is abandoned is not given what is there */
        }
        if (ops->on_timer != NULL && chief__now_ms() >= w->next_timer && chief_context_err(w->context) == CHIEF_OK) {
            w->next_timer += ops->interval;
            rc = ops->on_timer(w, w->instance);
            if (rc != 0) return rc;
            continue;
        }
        chief_wait wait = {
            .size = sizeof wait, .kind = CHIEF_WAIT_RECV, .channels = &own, .n = 1, .deadline = INT64_MAX};
        if (ops->on_timer != NULL) wait.deadline = w->next_timer;
        if (ops->on_message == NULL) wait.kind = CHIEF_WAIT_TIME;
        rc = chief_wait_prepare(w, &wait);
        if (rc == CHIEF_EAGAIN) return rc;
        if (rc != CHIEF_OK && rc != CHIEF_ETIMEDOUT) return chief_context_err(w->context) != CHIEF_OK ? 0 : rc;
    }
}

static int resume_part(chief_worker *w, int32_t which) {
    const chief_fiber_ops *ops = &w->unit->fiber;
    if (ops->resume != NULL) return ops->resume(w, w->unit->data, &w->instance, which);
    if (which == CHIEF_PART_RUN) return serve(w);
    w->next_timer = chief__deadline(ops->interval);
    return w->unit->ops.init != NULL ? w->unit->ops.init(w, w->unit->data, &w->instance) : 0;
}

static int wait_until(chief_worker *w, int64_t deadline) {
    chief_wait wait = {.size = sizeof wait, .kind = CHIEF_WAIT_TIME, .deadline = deadline};
    return chief_wait_prepare(w, &wait);
}

/* The same as run_by_schedule. CHIEF_EAGAIN: it waits. */
static int resume_by_schedule(chief_worker *w) {
    for (;;) {
        int64_t wait = w->in_turn ? 0 : chief__rota_wait(&w->rota, look_at_clocks());
        int rc = wait > 0 ? wait_until(w, chief__deadline(wait)) : CHIEF_OK;
        if (rc == CHIEF_EAGAIN) return rc;
        if (!w->in_turn && (chief__party_err(&w->party) != CHIEF_OK || chief__party_is_abandoned(&w->party))) return 0;
        if (wait > 0 && rc != CHIEF_ETIMEDOUT && rc != CHIEF_OK) return rc;
        if (wait > 0) continue;
        w->in_turn = true;
        rc = resume_part(w, CHIEF_PART_RUN);
        if (rc != 0) return rc;
        w->in_turn = false;
        ack_all(w);
        chief__rota_ran(&w->rota, look_at_clocks());
    }
}

chief__word chief__worker_word(chief_worker *w) {
    chief__lock(&w->lock);
    chief__word what = w->word;
    chief__unlock(&w->lock);
    return what;
}

/* Takes its life as far as it goes without waiting; 0 when it waits, else its last report. */
static uint32_t live_on(chief_worker *w) {
    for (;;) {
        int rc;
        switch (w->part) {
        case PART_BEGIN:
            chief__worker_begin_init(w);
            w->part = PART_INIT;
            break;
        case PART_INIT:
            rc = resume_part(w, CHIEF_PART_INIT);
            if (rc == CHIEF_EAGAIN) return 0;
            if (chief__worker_end_init(w, rc) != CHIEF_OK) return REPORT_INIT_FAILED;
            w->part = PART_HELD;
            chief__inbox_report(w->inbox, &w->report, REPORT_INITIALIZED);
            break;
        case PART_HELD:
            switch (chief__worker_word(w)) {
            case WORD_NONE: return 0;
            case WORD_FINISH: chief__worker_fini(w, true); return REPORT_FINISHED;
            case WORD_RUN: break;
            }
            w->part = PART_RUN;
            if (w->unit->scheduled) chief__rota_begin(&w->rota, &w->unit->schedule, look_at_clocks());
            chief__inbox_report(w->inbox, &w->report, REPORT_ENTERED);
            break;
        case PART_RUN:
            rc = w->unit->scheduled ? resume_by_schedule(w) : resume_part(w, CHIEF_PART_RUN);
            if (rc == CHIEF_EAGAIN) return 0;
            (void)chief__worker_end_run(w, rc);
            return REPORT_EXITED;
        }
    }
}

static bool fiber_resume(chief__fiber *f) {
    chief_worker *w = (chief_worker *)(void *)((char *)f - offsetof(struct chief_worker, fiber));
    chief__prepared_resume(&w->party);
    uint32_t last = live_on(w);
    if (last == 0) return true;
    chief__fiber_end(f);
    chief__inbox_report(w->inbox, &w->report, (chief__report_bit)last);
    chief__worker_unref(w);
    return false;
}

int chief__worker_launch_fiber(chief_worker *w, chief__scheds *scheds) {
    w->is_fiber = true;
    w->party.fiber = &w->fiber;
    int rc = chief__fiber_start(&w->fiber, scheds, &chief__worker_ref(w)->party.waiter, fiber_resume);
    if (rc != CHIEF_OK) chief__worker_unref(w);
    return rc;
}

const atomic_bool *chief__worker_slow(const chief_worker *w) { return w->is_fiber ? &w->fiber.slow : NULL; }

void chief__worker_run(chief_worker *w) { set_word(w, WORD_RUN); }

void chief__worker_finish(chief_worker *w) { set_word(w, WORD_FINISH); }

void chief__worker_cancel(chief_worker *w, int64_t deadline, const char *reason) {
    chief__party_set_grace(&w->party, deadline);
    chief_context_cancel(w->context, reason);
}

/* Under lock. */
static void keep_why(chief_worker *w, const char *why) {
    if (w->why[0] == '\0') (void)snprintf(w->why, sizeof w->why, "%s", why);
}

void chief__worker_force(chief_worker *w, const char *why) {
    chief__lock(&w->lock);
    keep_why(w, why);
    void *reach = w->reach;
    w->interrupting = true;
    chief__unlock(&w->lock);
    if (w->unit->ops.interrupt != NULL) w->unit->ops.interrupt(w, reach);
    chief__lock(&w->lock);
    w->interrupting = false;
    chief__cond_wake_all(&w->told);
    chief__unlock(&w->lock);
}

int32_t chief__worker_expiry(chief_worker *w) {
    chief__lock(&w->lock);
    int32_t reason = w->expiry;
    chief__unlock(&w->lock);
    return reason;
}

int chief__worker_look(chief_worker *w, char *buf, size_t size, size_t *len, int64_t timeout_ms) {
    if (size > 0) buf[0] = '\0';
    if (w->unit->ops.look == NULL)
        return chief__fail(CHIEF_ENOTSUP, "worker %s: a worker of this kind has no traceback", w->unit->name);
    *len = w->unit->ops.look(w, buf, size, timeout_ms);
    return CHIEF_OK;
}

bool chief__worker_try_join(chief_worker *w) {
    if (w->mate != NULL && !chief__crew_try_end(w->mate)) return false;
    w->mate = NULL;
    return true;
}

void chief__worker_detach(chief_worker *w) {
    if (w->mate != NULL) chief__crew_let_go(w->mate);
    w->mate = NULL;
}

void *chief__worker_data(const chief_worker *w) { return w->unit->data; }

int64_t chief__worker_grace_end(const chief_worker *w) {
    return atomic_load_explicit(&w->party.grace_deadline, memory_order_acquire);
}

chief_worker *chief__worker_of_report(chief__report *slot) {
    return (chief_worker *)(void *)((char *)slot - offsetof(struct chief_worker, report));
}

chief__report *chief__worker_report(chief_worker *w) { return &w->report; }

uint32_t chief__worker_id(const chief_worker *w) { return w->id; }

void chief__worker_set_id(chief_worker *w, uint32_t id) { w->id = id; }

chief_worker *chief__worker_next(const chief_worker *w) { return w->next; }

void chief__worker_set_next(chief_worker *w, chief_worker *next) { w->next = next; }

static void replace(char **where, const char *text) {
    chief__free(*where);
    *where = text != NULL ? chief__strdup(text) : NULL;
}

/* It has said nothing of where it was, so what was seen from outside is told, as of one that was abandoned. */
static void tell_place(chief_worker *w) {
    char text[CHIEF__WHY_SIZE + PLACE_SIZE];
    (void)snprintf(text, sizeof text, "%s: %.*s", w->why, (int)strcspn(w->place, "\n"), w->place);
    replace(&w->error, text);
    w->traceback = w->place;
    w->place = NULL;
}

/* It may have said the same, and where it was. */
static bool says_why(const chief_worker *w) {
    return w->error != NULL && strncmp(w->error, w->why, strlen(w->why)) == 0;
}

int32_t chief__worker_take_failure(chief_worker *w, char **error, char **traceback) {
    bool expired = w->expiry != CHIEF_REASON_NONE; /* however it took its end */
    if ((w->error == NULL || (expired && !says_why(w))) && w->why[0] != '\0') replace(&w->error, w->why);
    if (expired && w->traceback == NULL && w->place != NULL) tell_place(w);
    *error = w->error;
    *traceback = w->traceback;
    w->error = w->traceback = NULL;
    return expired ? w->expiry : w->reason;
}

int32_t chief__worker_exit_code(const chief_worker *w) { return w->exit_code; }

/* ---- what a worker can ask ---- */

const char *chief_worker_name(const chief_worker *ctx) { return ctx->unit->name; }

uint64_t chief_worker_generation(const chief_worker *ctx) { return ctx->generation; }

chief_context *chief_worker_context(chief_worker *ctx) { return ctx->context; }

chief_log *chief_worker_log(chief_worker *ctx) { return ctx->log; }

chief_bytes chief_worker_args(const chief_worker *ctx) { return ctx->unit->args; }

void chief_worker_ready(chief_worker *ctx) {
    if (ctx->party.far != NULL) ctx->party.far->ops->ready(ctx->party.far);
    else chief__inbox_report(ctx->inbox, &ctx->report, REPORT_READY);
}

size_t chief_worker_interrupt_reason(chief_worker *ctx, char *buf, size_t size) {
    chief__lock(&ctx->lock);
    size_t len = strlen(ctx->why);
    if (size > 0) (void)snprintf(buf, size, "%s", ctx->why);
    chief__unlock(&ctx->lock);
    return len;
}

void chief_worker_expire(chief_worker *ctx, int32_t reason, const char *why, const char *place) {
    if (!is_failure(reason)) reason = CHIEF_REASON_KILLED;
    if (why == NULL) why = chief_reason_name(reason);
    chief__lock(&ctx->lock);
    if (ctx->expiry == CHIEF_REASON_NONE) {
        ctx->expiry = reason;
        replace(&ctx->place, place != NULL && place[0] != '\0' ? place : NULL);
    }
    keep_why(ctx, why);
    chief__unlock(&ctx->lock);
    if (ctx->party.far != NULL) ctx->party.far->ops->expire(ctx->party.far, reason, why, place);
    else chief__inbox_report(ctx->inbox, &ctx->report, REPORT_EXPIRED);
}

void chief_worker_set_error(chief_worker *ctx, int32_t reason, const char *text, const char *traceback) {
    ctx->reason = reason;
    replace(&ctx->error, text);
    replace(&ctx->traceback, traceback);
}

void chief_worker_set_exit_code(chief_worker *ctx, int32_t code) { ctx->exit_code = code & 0xff; }

int chief_worker_states(chief_worker *ctx, chief_snapshot **out) {
    *out = NULL;
    if (ctx->party.far != NULL) return ctx->party.far->ops->states(ctx->party.far, out);
    if (ctx->pool == NULL) return chief__fail(CHIEF_ENOENT, "this worker runs outside a pool");
    return chief_pool_states(ctx->pool, out);
}
