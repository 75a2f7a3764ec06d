#include "loop.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "nested.h"

#define JOIN_DELAY_FIRST 1 /* ms; doubled at each try that found the thread still ending */
#define JOIN_DELAY_MAX 100
#define LAST_STEPS 10 /* ms in which a thread that has nothing more to do has ended */

static void schedule(chief *c);

/* ---- the brain ---- */

int chief__feed_event(chief *c, const chief__step_event *event) {
    const chief__action *actions;
    size_t n;
    int rc = chief__step(c->model, event, c->homes->now(c), &actions, &n);
    for (size_t i = 0; i < n; i++) chief__act(c, &actions[i], n - i - 1);
    chief__free(c->failure);
    chief__free(c->traceback);
    c->failure = c->traceback = NULL;
    if (n > 0) chief__note_ready(c);
    return rc;
}

int chief__feed(chief *c, chief__step_kind kind, uint32_t id, uint64_t generation, int32_t reason) {
    chief__step_event event = {.kind = kind, .id = id, .generation = generation, .reason = reason};
    return chief__feed_event(c, &event);
}

void chief__note_ready(chief *c) {
    chief__lock(&c->lock);
    if (c->ready_waiters > 0) {
        c->all_ready = chief__model_all_ready(c->model);
        if (c->all_ready) chief__cond_wake_all(&c->changed);
    }
    chief__unlock(&c->lock);
}

/* ---- threads that end ---- */

static void join_later(chief *c, chief_worker *home) {
    chief__worker_set_next(home, c->ending);
    c->ending = home;
    c->join_delay = JOIN_DELAY_FIRST;
}

/* A thread that gave its last report has a few instructions left, and the host's destructors. */
static void join_ended(chief *c) {
    chief_worker *still = NULL;
    while (c->ending != NULL) {
        chief_worker *home = c->ending;
        c->ending = chief__worker_next(home);
        if (chief__worker_try_join(home)) {
            chief__worker_unref(home);
        } else {
            chief__worker_set_next(home, still);
            still = home;
        }
    }
    c->ending = still;
}

/* ---- reports ---- */

static void forget_home(chief *c, chief__member *member) {
    chief__pool_set_slow(c->pool, member->entry, NULL);
    member->home = NULL;
}

/* The home of an abandoned generation says something: only its end matters. */
static void late(chief *c, chief__member *member, uint32_t bits) {
    if ((bits & REPORT_LAST) == 0) return;
    chief_worker *home = member->home;
    forget_home(c, member);
    join_later(c, home);
    member->abandoned = false;
    (void)chief__feed(c, STEP_LATE, member->id, member->generation, 0);
    if (member->removed) chief__member_drop(c, member);
}

static void last_report(chief *c, chief__member *member, uint32_t bits) {
    chief_worker *home = member->home;
    chief__step_kind kind = (bits & REPORT_INIT_FAILED) != 0 ? STEP_INIT_FAILED
                            : (bits & REPORT_EXITED) != 0    ? STEP_EXITED
                                                             : STEP_FINISHED;
    chief__step_event event = {
        .kind = kind, .id = member->id, .generation = member->generation, .reason = CHIEF_REASON_OK};
    if (kind != STEP_FINISHED) {
        event.reason = chief__worker_take_failure(home, &c->failure, &c->traceback);
        event.code = chief__worker_exit_code(home);
    }
    forget_home(c, member);
    if (c->stopping && event.code == 75 && chief__is_nest(member->unit)) chief__note_late(c, member);
    chief__name_late(c, member);
    join_later(c, home);
    (void)chief__feed_event(c, &event);
}

static void one_bit(chief *c, chief__member *member, uint32_t bits, chief__report_bit bit, chief__step_kind kind) {
    if ((bits & (uint32_t)bit) == 0 || member->abandoned) return;
    int32_t reason = kind == STEP_EXPIRED ? chief__worker_expiry(member->home) : CHIEF_REASON_NONE;
    (void)chief__feed(c, kind, member->id, member->generation, reason);
}

/* The bits of one slot in the order in which a life has them. A step in between may abandon the worker, because its time
 * was over before the report came. */
static void take_report(chief *c, chief__report *slot, uint32_t bits) {
    chief_worker *home = chief__worker_of_report(slot);
    chief__member *member = c->members[chief__worker_id(home)];
    one_bit(c, member, bits, REPORT_INITIALIZED, STEP_INITIALIZED);
    one_bit(c, member, bits, REPORT_ENTERED, STEP_ENTERED);
    one_bit(c, member, bits, REPORT_READY, STEP_READY);
    one_bit(c, member, bits, REPORT_EXPIRED, STEP_EXPIRED);
    if (member->abandoned) late(c, member, bits);
    else if ((bits & REPORT_LAST) != 0) last_report(c, member, bits);
}

/* The brain may have abandoned it by now, or does so in this very step: with this it has also heard of its end. And it may
 * be told to make the next one in the same step. */
static void bury(chief *c, chief__member *member) {
    member->stillborn = false;
    member->in_burial = true;
    c->n_stillborn--;
    c->failure = member->birth_error;
    member->birth_error = NULL;
    (void)chief__feed(c, STEP_INIT_FAILED, member->id, member->generation, CHIEF_REASON_INIT_ERROR);
    member->in_burial = false;
    member->abandoned = false;
    if (member->removed) chief__member_drop(c, member);
}

static void take_stillborn(chief *c) {
    for (size_t i = 0; c->n_stillborn > 0 && i < c->n_members; i++)
        if (c->members[i] != NULL && c->members[i]->stillborn) bury(c, c->members[i]);
}

void chief__take_notes(chief *c) {
    chief__dropped *note;
    while ((note = chief__inbox_next_note(c->inbox)) != NULL) {
        chief_event e = {.kind = CHIEF_EVENT_MESSAGE_DROPPED,
                         .level = CHIEF_WARN,
                         .worker = note->worker,
                         .channel = note->channel,
                         .error = "a message was dropped after max_deliveries"};
        chief__tell(c, &e);
        chief_field fields[2] = {{.key = "channel", .value = {.type = CHIEF_BYTES}},
                                 {.key = "worker", .value = {.type = CHIEF_BYTES}}};
        fields[0].value.bytes = (chief_bytes){note->channel, strlen(note->channel)};
        fields[1].value.bytes = (chief_bytes){note->worker, strlen(note->worker)};
        chief_log_write(c->log, CHIEF_WARN, e.error, fields, 2);
        chief__dropped_free(note);
    }
    uint64_t lost = chief__inbox_take_lost(c->inbox);
    if (lost > 0) chief__events_count_dropped(c->events, lost);
}

static void take_calls(chief *c) {
    uint32_t calls = chief__inbox_take_calls(c->inbox);
    if ((calls & CALL_STOP) != 0) (void)chief__feed(c, STEP_STOP_ALL, 0, 0, 0);
    if ((calls & CALL_FORCE) != 0) (void)chief__feed(c, STEP_FORCE, 0, 0, 0);
    if ((calls & CALL_ANSWERS) != 0) chief__take_answers(c);
    if ((calls & CALL_HOOKS_DONE) != 0) chief__hooks_done(c);
}

/* Sends coalesce, so everything that is there is taken, until nothing is. The end (chief__end) closes the inbox. */
static void drain(chief *c) {
    chief__report *slot;
    uint32_t bits;
    take_calls(c);
    chief__take_signals(c);
    chief__answer_requests(c);
    while (!c->ended && (slot = chief__inbox_next_report(c->inbox, &bits)) != NULL) take_report(c, slot, bits);
    take_stillborn(c);
    chief__take_notes(c);
    schedule(c);
}

/* ---- time ---- */

static int64_t earliest(int64_t a, int64_t b) { return a < b ? a : b; }

static void on_timer(uv_timer_t *timer) {
    chief *c = timer->data;
    if (c->hook_run != NULL && chief__now_ms() >= c->hook_deadline) chief__hooks_late(c);
    if (!c->ended) (void)chief__feed(c, STEP_TICK, 0, 0, 0);
    if (c->ending != NULL) c->join_delay = earliest(2 * c->join_delay, JOIN_DELAY_MAX);
    drain(c);
}

static void schedule(chief *c) {
    if (c->ended) return;
    join_ended(c);
    int64_t now = chief__now_ms();
    int64_t due = chief__model_deadline(c->model);
    if (c->hook_run != NULL) due = earliest(due, c->hook_deadline);
    if (c->ending != NULL) due = earliest(due, now + c->join_delay);
    if (c->n_stillborn > 0) due = now;
    if (due == INT64_MAX) {
        (void)uv_timer_stop(&c->timer);
        return;
    }
    /* libuv's own idea of now is of the beginning of this turn of the loop */
    uv_update_time(&c->loop);
    (void)uv_timer_start(&c->timer, on_timer, (uint64_t)(due > now ? due - now : 0), 0);
}

/* ---- the thread ---- */

static void on_async(uv_async_t *async) { drain(async->data); }

void chief__wake(void *data) {
    chief *c = data;
    if (atomic_load_explicit(&c->loop_ready, memory_order_acquire)) (void)uv_async_send(&c->async);
}

int chief__loop_open(chief *c) {
    int rc = uv_loop_init(&c->loop);
    if (rc != 0) return chief__fail(CHIEF_ESYS, "the loop could not be made: %s", uv_strerror(rc));
    rc = uv_async_init(&c->loop, &c->async, on_async);
    if (rc != 0) {
        (void)uv_loop_close(&c->loop);
        return chief__fail(CHIEF_ESYS, "the loop could not be made: %s", uv_strerror(rc));
    }
    c->async.data = c;
    (void)uv_timer_init(&c->loop, &c->timer);
    c->timer.data = c;
    return CHIEF_OK;
}

void chief__loop_close(chief *c) {
    chief__catch_close(c);
    if (c->watching_parent) uv_close((uv_handle_t *)&c->parent_watch, NULL);
    uv_close((uv_handle_t *)&c->async, NULL);
    uv_close((uv_handle_t *)&c->timer, NULL);
}

/* For a loop whose thread could not be started: its handles close in one turn. */
void chief__loop_discard(chief *c) {
    chief__loop_close(c);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&c->loop);
    chief__catch_restore(c);
}

static void join_or_detach(chief *c) {
    int64_t until = chief__now_ms() + JOIN_DELAY_MAX;
    join_ended(c);
    while (c->ending != NULL && chief__now_ms() < until) {
        chief__pause_ms(JOIN_DELAY_FIRST);
        join_ended(c);
    }
    while (c->ending != NULL) {
        chief_worker *home = c->ending;
        c->ending = chief__worker_next(home);
        chief__worker_detach(home);
        chief__worker_unref(home);
    }
}

/* Abandoned threads go on with references of their own; the system takes them back when they end. */
static void let_go(chief *c) {
    for (size_t i = 0; i < c->n_members; i++) {
        chief__member *member = c->members[i];
        if (member == NULL || member->home == NULL) continue;
        if (!chief__worker_try_join(member->home)) chief__worker_detach(member->home);
        chief_worker *home = member->home;
        forget_home(c, member);
        chief__worker_unref(home);
    }
}

static bool is_left(const chief *c) {
    for (size_t i = 0; i < c->n_members; i++)
        if (c->members[i] != NULL && c->members[i]->home != NULL) return true;
    return false;
}

/* A thread that keeps an abandoned fiber goes on by itself: no more is waited for it than the others need. */
static void end_fibers(chief *c) {
    if (c->scheds == NULL) return;
    (void)chief__scheds_close(c->scheds, chief__deadline(is_left(c) ? LAST_STEPS : JOIN_DELAY_MAX));
    chief__scheds_unref(c->scheds);
    c->scheds = NULL;
}

/* A policy that does not come back keeps its thread. */
static void end_questions(chief *c) {
    chief__asker_close(c->asker, chief__deadline(JOIN_DELAY_MAX));
    c->asker = NULL;
}

/* Of abandoned workers; nothing of any other is left. */
static void end_children(chief *c) {
    chief__lock(&c->lock);
    chief__spawner *spawner = c->spawner;
    chief__unlock(&c->lock);
    if (spawner != NULL) chief__spawner_close(spawner, chief__deadline(JOIN_DELAY_MAX));
}

void chief__loop_main(void *data) {
    chief *c = data;
    chief__inbox_enter(c->inbox, true);
    drain(c);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&c->loop);
    chief__catch_restore(c);
    join_or_detach(c);
    end_questions(c);
    end_fibers(c);
    end_children(c);
    let_go(c);
    chief__crew_close(c->crew);
    c->crew = NULL;
    chief__lock(&c->lock);
    c->stage = STAGE_STOPPED;
    if (c->detached) chief__thread_detach(&c->thread);
    chief__cond_wake_all(&c->changed);
    chief__unlock(&c->lock);
    chief__pool_close(c->pool);
    chief__unref(c);
}
