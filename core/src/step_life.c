#include "step_life.h"

#include "policy.h"
#include "step_emit.h"
#include "step_group.h"
#include "step_policy.h"

static void set_deadline(chief__model *m, chief__life *w, int64_t due) {
    chief__agenda_set(&m->agenda, chief__model_id(m, w), due);
}

/* ---- starting ---- */

static void start_init(chief__model *m, chief__life *w) {
    int64_t due = chief__model_after(m, m->options.init_timeout);
    w->generation++;
    w->code = 0;
    w->asked = w->overdue = w->forced = false;
    w->expired = CHIEF_REASON_NONE;
    w->then = THEN_REST;
    chief__model_set_wait(m, w, WAIT_NONE);
    chief__model_set_ready(m, w, false);
    chief__model_set_home(m, w, HOME_INIT);
    set_deadline(m, w, due);
    chief__emit_phase(m, w, CHIEF_PHASE_STARTING, due, -1);
    chief__emit(m, STEP_A_INIT, w);
}

static void wait_for_turn(chief__model *m, chief__life *w) {
    chief__model_set_wait(m, w, WAIT_TURN);
    chief__emit_rest(m, w, CHIEF_PHASE_WAITING);
}

static void wait_for_dependencies(chief__model *m, chief__life *w) {
    chief__model_set_wait(m, w, WAIT_DEPENDENCIES);
    chief__emit_rest(m, w, CHIEF_PHASE_WAITING);
}

/* The state is told before the home goes on, so that a worker which looks finds itself running. */
static void run(chief__model *m, chief__life *w) {
    int64_t due = w->says_ready ? chief__model_after(m, w->start_timeout) : INT64_MAX;
    chief__model_set_wait(m, w, WAIT_NONE);
    chief__model_set_home(m, w, HOME_RUN);
    set_deadline(m, w, due);
    chief__emit_state(m, w, CHIEF_WORKER_RUN, CHIEF_REASON_NONE);
    chief__emit_phase(m, w, CHIEF_PHASE_STARTING, due, -1);
    chief__emit(m, STEP_A_RUN, w);
}

void chief__life_begin(chief__model *m, chief__life *w) {
    if (!chief__group_lets(m, w)) wait_for_turn(m, w);
    else if (w->unmet > 0) wait_for_dependencies(m, w);
    else start_init(m, w);
}

/* Those that wait for `w` and for nobody else any more. */
static void release_dependents(chief__model *m, const chief__life *w) {
    for (const chief__edge *edge = chief__model_dependent(w, NULL); edge != NULL;
         edge = chief__model_dependent(w, edge)) {
        chief__life *dependent = &m->members[edge->dependent];
        if (dependent->wait != WAIT_DEPENDENCIES || dependent->unmet > 0) continue;
        if (dependent->home == HOME_HELD) run(m, dependent);
        else chief__life_begin(m, dependent);
    }
}

/* Of several replicas it is enough that one takes part: that is waited for. */
static bool any_expected(const chief__model *m, const chief__edge *edge) {
    const chief__life *d = chief__model_dependency(m, edge, NULL);
    while (d != NULL && !d->expected) d = chief__model_dependency(m, edge, d);
    return d != NULL;
}

void chief__life_note_after(chief__model *m, chief__life *w) {
    for (uint32_t i = 0; w->expected && i < w->n_after; i++) {
        const chief__life *first = chief__model_dependency(m, &w->after[i], NULL);
        if (first == NULL || any_expected(m, &w->after[i])) continue;
        chief__action *action = chief__emit(m, STEP_A_NOTE_AFTER, w);
        action->other = chief__model_id(m, first);
        action->whole = first->stem == w->after[i].dependency;
    }
}

void chief__life_init_first(chief__model *m, chief__life *w) {
    if (!w->expected || w->unmet > 0) return;
    w->awaited = true;
    m->awaited++;
    start_init(m, w);
}

/* STEP_INIT has its answer from this worker; the last one is told. */
static void settle(chief__model *m, chief__life *w) {
    if (!w->awaited) return;
    w->awaited = false;
    if (--m->awaited == 0) chief__emit(m, STEP_A_INITED, NULL);
}

/* Who was abandoned before has been given up then. */
void chief__life_launch(chief__model *m, chief__life *w) {
    bool held = w->home == HOME_HELD;
    if (held && w->unmet == 0) run(m, w);
    else if (held) wait_for_dependencies(m, w);
    else if (w->home == HOME_NONE && w->state == CHIEF_WORKER_ENABLED) chief__life_begin(m, w);
    else if (w->home == HOME_NONE && w->state == CHIEF_WORKER_FAILED && w->phase == CHIEF_PHASE_IDLE)
        chief__policy_follow(m, w, true);
}

static void finish_without_run(chief__model *m, chief__life *w) {
    chief__model_set_home(m, w, HOME_FINI);
    chief__emit(m, STEP_A_FINI, w);
}

/* One that was interrupted comes too late: it ends without a run. */
void chief__life_initialized(chief__model *m, chief__life *w) {
    if (w->home != HOME_INIT) return;
    if (w->forced && !w->asked) {
        finish_without_run(m, w);
        return;
    }
    chief__emit_state(m, w, CHIEF_WORKER_INITIALIZED, CHIEF_REASON_NONE);
    settle(m, w);
    if (w->asked) {
        finish_without_run(m, w); /* within the grace that it has already */
        return;
    }
    chief__model_set_home(m, w, HOME_HELD);
    set_deadline(m, w, INT64_MAX);
    if (m->launched && !m->stopping) run(m, w);
    else chief__emit_rest(m, w, CHIEF_PHASE_IDLE);
}

static void become_ready(chief__model *m, chief__life *w) {
    if (w->home != HOME_RUN || w->ready || w->asked || w->overdue || w->forced) return;
    w->up_since = m->now;
    set_deadline(m, w, INT64_MAX);
    chief__model_set_ready(m, w, true);
    chief__emit_rest(m, w, CHIEF_PHASE_UP);
    chief__emit(m, STEP_A_READY, w);
    chief__group_started(m, w);
    release_dependents(m, w);
}

void chief__life_entered(chief__model *m, chief__life *w) {
    if (!w->says_ready) become_ready(m, w);
}

void chief__life_said_ready(chief__model *m, chief__life *w) {
    if (w->says_ready) become_ready(m, w);
}

/* ---- ending ---- */

/* Its home has ended. A failure before the launch waits for that. */
static void go_on(chief__model *m, chief__life *w, bool failed) {
    if (w->then == THEN_REMOVE) chief__life_remove(m, w);
    else if (w->then == THEN_START && !m->stopping) chief__life_begin(m, w);
    else if (!w->asked && m->launched && !m->stopping) chief__policy_follow(m, w, failed);
    else chief__policy_rest(m, w);
}

static void home_ended(chief__model *m, chief__life *w) {
    w->served = w->ready;
    chief__group_ended(m, w);
    if (w->ready && chief__policy_healthy(m->now - w->up_since, w->last_delay)) w->failures = 0;
    chief__model_set_home(m, w, HOME_NONE);
}

static void fail(chief__model *m, chief__life *w, int32_t reason) {
    chief__model_set_ready(m, w, false);
    chief__emit_state(m, w, CHIEF_WORKER_FAILED, reason);
}

/* An init that was asked to end has not failed; one that never came further than enabled is disabled, as after a fini. */
void chief__life_init_failed(chief__model *m, chief__life *w, int32_t reason) {
    if (w->home != HOME_INIT) return;
    bool asked = w->asked;
    home_ended(m, w);
    if (!asked) fail(m, w, reason == CHIEF_REASON_NONE ? CHIEF_REASON_INIT_ERROR : reason);
    else if (w->state == CHIEF_WORKER_ENABLED && w->then != THEN_START)
        chief__emit_state(m, w, CHIEF_WORKER_DISABLED, CHIEF_REASON_NONE);
    settle(m, w);
    go_on(m, w, !asked);
}

static void end_late_init(chief__model *m, chief__life *w) {
    home_ended(m, w);
    fail(m, w, CHIEF_REASON_INIT_ERROR);
    settle(m, w);
    go_on(m, w, true);
}

void chief__life_finished(chief__model *m, chief__life *w) {
    if (w->home != HOME_FINI) return;
    if (!w->asked) {
        end_late_init(m, w);
        return;
    }
    home_ended(m, w);
    settle(m, w);
    chief__emit_state(m, w, CHIEF_WORKER_DISABLED, CHIEF_REASON_NONE);
    if (w->then == THEN_START && !m->stopping) chief__emit_state(m, w, CHIEF_WORKER_ENABLED, CHIEF_REASON_NONE);
    go_on(m, w, false);
}

/* Whether a stop was asked is looked at before why it ended. */
static void run_ended(chief__model *m, chief__life *w, int32_t reason) {
    bool told = w->overdue || w->expired != CHIEF_REASON_NONE;
    bool failed = !w->asked && (told || reason != CHIEF_REASON_OK);
    if (failed && told) {
        reason = w->expired != CHIEF_REASON_NONE ? w->expired : CHIEF_REASON_START_TIMEOUT;
        w->code = 0; /* of an end that it was told */
    }
    if (!failed && w->forced) reason = CHIEF_REASON_KILLED;
    home_ended(m, w);
    if (failed) fail(m, w, reason);
    else chief__emit_state(m, w, CHIEF_WORKER_STOPPED, reason);
    go_on(m, w, failed);
}

/* A home that dies before it was told to run cannot have ended well. */
static void held_ended(chief__model *m, chief__life *w, int32_t reason) {
    chief__model_set_wait(m, w, WAIT_NONE);
    home_ended(m, w);
    fail(m, w, reason == CHIEF_REASON_OK ? CHIEF_REASON_KILLED : reason);
    go_on(m, w, true);
}

void chief__life_exited(chief__model *m, chief__life *w, int32_t reason) {
    if (w->home == HOME_INIT) chief__life_init_failed(m, w, reason);
    else if (w->home == HOME_HELD) held_ended(m, w, reason);
    else if (w->home == HOME_RUN) run_ended(m, w, reason);
    else chief__life_finished(m, w);
}

void chief__life_late(chief__model *m, chief__life *w) {
    chief__model_set_home(m, w, HOME_NONE);
    chief__model_release(m, w);
}

/* ---- being told to end ---- */

int64_t chief__life_grace(const chief__model *m, const chief__life *w) {
    return chief__model_after(m, w->grace >= 0 ? w->grace : m->options.force_stop_timeout);
}

static void cancel(chief__model *m, chief__life *w, int64_t until) {
    w->told_until = until;
    set_deadline(m, w, until);
    chief__emit_phase(m, w, CHIEF_PHASE_STOPPING, until, -1);
    if (w->home == HOME_INIT || w->home == HOME_RUN) chief__emit(m, STEP_A_CANCEL, w)->until = until;
}

void chief__life_ask(chief__model *m, chief__life *w, int64_t until) {
    bool told = w->asked || w->overdue;
    w->asked = true;
    if (w->forced) return;
    if (!told) w->told_at = m->now;
    if (told && chief__agenda_due(&m->agenda, chief__model_id(m, w)) <= until) return;
    chief__model_set_wait(m, w, WAIT_NONE);
    cancel(m, w, until);
    if (w->home == HOME_HELD) finish_without_run(m, w);
}

/* During the stop of everything its turn comes anyway. */
static void start_timed_out(chief__model *m, chief__life *w) {
    if (m->stopping) return;
    w->overdue = true;
    w->told_at = m->now;
    cancel(m, w, chief__life_grace(m, w));
}

static void abandon(chief__model *m, chief__life *w, int32_t reason) {
    chief__model_set_home(m, w, HOME_ABANDONED);
    fail(m, w, reason);
    chief__emit(m, STEP_A_ABANDON, w)->in_stop = m->stopping;
    settle(m, w);
    if (w->then == THEN_REMOVE) {
        chief__life_remove(m, w);
        return;
    }
    chief__group_pass(m, w);
    chief__emit_rest(m, w, CHIEF_PHASE_ABANDONED);
    if (!m->stopping) chief__policy_abandoned(m, w);
}

void chief__life_force(chief__model *m, chief__life *w, int32_t reason, int64_t grace) {
    if (!w->forceable || w->forced) {
        abandon(m, w, reason);
        return;
    }
    int64_t until = chief__model_after(m, w->force_ms);
    w->forced = true;
    set_deadline(m, w, until);
    chief__emit_phase(m, w, CHIEF_PHASE_STOPPING, until, -1);
    chief__action *action = chief__emit(m, STEP_A_FORCE, w);
    action->until = until;
    action->reason = reason;
    action->delay = grace;
    action->in_stop = m->stopping;
}

void chief__life_due(chief__model *m, chief__life *w) {
    int64_t grace = w->told_until - w->told_at;
    if (w->wait == WAIT_RESTART) chief__life_begin(m, w);
    else if (w->wait == WAIT_ANSWER) chief__policy_unanswered(m, w);
    else if (w->asked) chief__life_force(m, w, CHIEF_REASON_KILLED, grace);
    else if (w->expired != CHIEF_REASON_NONE) chief__life_force(m, w, w->expired, -1);
    else if (w->overdue) chief__life_force(m, w, CHIEF_REASON_START_TIMEOUT, grace);
    else if (w->home == HOME_INIT || w->forced)
        chief__life_force(m, w, CHIEF_REASON_INIT_ERROR, m->options.init_timeout);
    else if (w->home == HOME_RUN) start_timed_out(m, w);
}

/* Who is interrupted already has its time. */
void chief__life_expired(chief__model *m, chief__life *w, int32_t reason) {
    if (w->forced || (w->home != HOME_INIT && w->home != HOME_RUN)) return;
    if (!w->asked) w->expired = reason;
    chief__life_force(m, w, w->asked ? CHIEF_REASON_KILLED : reason, -1);
}

/* Who waited for it does not wait for ever: it is now one that is not enabled here. */
void chief__life_remove(chief__model *m, chief__life *w) {
    chief__emit(m, STEP_A_REMOVED, w);
    chief__model_set_expected(m, w, false);
    release_dependents(m, w);
    chief__model_forget(m, w);
}
