#include "step_policy.h"

#include "policy.h"
#include "step_emit.h"
#include "step_group.h"
#include "step_stop.h"

/* What both actions about a worker that is given up say. */
static void emit_why(chief__model *m, chief__action_kind kind, const chief__life *w, chief__why why) {
    chief__action *action = chief__emit(m, kind, w);
    action->why = why;
    action->code = w->code;
    action->count = why == WHY_BUDGET ? m->budget.most : w->intensity.most + 1;
    action->window = why == WHY_BUDGET ? m->budget.window : w->intensity.window;
}

static void end_application(chief__model *m, const chief__life *w, chief__why why) {
    emit_why(m, STEP_A_CRITICAL, w, why);
    chief__stop_all(m);
}

static void give_up(chief__model *m, chief__life *w, chief__why why) {
    chief__group_pass(m, w);
    chief__emit_rest(m, w, CHIEF_PHASE_GIVEN_UP);
    emit_why(m, STEP_A_GIVEN_UP, w, why);
    if (w->critical || why == WHY_BUDGET) end_application(m, w, why);
}

static void schedule(chief__model *m, chief__life *w, int64_t delay) {
    w->last_delay = delay;
    int64_t due = chief__model_after(m, w->last_delay);
    chief__model_set_wait(m, w, WAIT_RESTART);
    chief__agenda_set(&m->agenda, chief__model_id(m, w), due);
    chief__action *action = chief__emit(m, STEP_A_RESTART, w);
    action->delay = w->last_delay;
    action->until = due;
    chief__emit_phase(m, w, CHIEF_PHASE_WAITING, due, w->last_delay);
    chief__group_restart(m, w, due);
}

static bool is_final(const chief__life *w) {
    for (uint32_t i = 0; i < w->n_codes; i++) {
        if (w->codes[i] == w->code) return true;
    }
    return false;
}

static int64_t next_delay(chief__model *m, const chief__life *w) {
    return chief__policy_delay(&w->restart, w->failures, &m->random);
}

/* What bounds every policy, that of the host, too: the failure has not been counted in the window yet. */
static chief__why judge_limits(chief__model *m, chief__life *w) {
    if (is_final(w)) return WHY_CODE;
    return chief__intensity_allows(&w->intensity, m->now) ? WHY_NONE : WHY_INTENSITY;
}

/* Who had to be ended by force too often can be ended in a process only. */
static void count_force(chief__model *m, chief__life *w) {
    bool by_force = w->forced || w->reason == CHIEF_REASON_WATCHDOG || w->reason == CHIEF_REASON_MEMORY_LIMIT;
    if (!by_force || w->restart.isolate_after == 0 || w->forced_ends == INT64_MAX) return;
    if (++w->forced_ends < w->restart.isolate_after) return;
    chief__emit(m, STEP_A_ISOLATE, w)->count = (uint32_t)w->restart.isolate_after;
    w->forced_ends = INT64_MAX;
}

/* A restart after a failure is one of all together. */
static void restart(chief__model *m, chief__life *w, bool failed, int64_t delay) {
    if (failed) count_force(m, w);
    if (failed && !chief__intensity_allows(&m->budget, m->now)) give_up(m, w, WHY_BUDGET);
    else schedule(m, w, delay);
}

static void decide(chief__model *m, chief__life *w, bool failed) {
    bool again = chief__policy_restarts(&w->restart, failed);
    if (again) restart(m, w, failed, next_delay(m, w));
    else if (failed) give_up(m, w, WHY_POLICY);
    else chief__policy_rest(m, w);
}

static void ask(chief__model *m, chief__life *w) {
    int64_t due = chief__model_after(m, w->answer_ms);
    chief__model_set_wait(m, w, WAIT_ANSWER);
    chief__agenda_set(&m->agenda, chief__model_id(m, w), due);
    chief__emit_phase(m, w, CHIEF_PHASE_WAITING, due, -1);
    chief__action *action = chief__emit(m, STEP_A_ASK, w);
    action->until = due;
    action->reason = w->reason;
    action->code = w->code;
    action->count = w->failures < UINT32_MAX ? (uint32_t)w->failures : UINT32_MAX;
    action->delay = w->served ? m->now - w->up_since : 0;
}

void chief__policy_follow(chief__model *m, chief__life *w, bool failed) {
    chief__why why = WHY_NONE;
    bool judged = w->asks || chief__policy_restarts(&w->restart, true);
    w->failures = failed ? w->failures + 1 : 0;
    if (failed && judged) why = judge_limits(m, w);
    if (why != WHY_NONE) give_up(m, w, why);
    else if (w->asks) ask(m, w);
    else decide(m, w, failed);
}

static void isolate(chief__model *m, chief__life *w, bool failed) {
    chief__emit(m, STEP_A_ISOLATE, w);
    restart(m, w, failed, next_delay(m, w));
}

/* To give up one that ended well is to let it rest. */
void chief__policy_answered(chief__model *m, chief__life *w, int32_t answer, int64_t delay) {
    bool failed = w->state == CHIEF_WORKER_FAILED;
    chief__model_set_wait(m, w, WAIT_NONE);
    switch (answer) {
    case CHIEF_ANSWER_RESTART: restart(m, w, failed, next_delay(m, w)); break;
    case CHIEF_ANSWER_DELAY: restart(m, w, failed, delay > 0 ? delay : 0); break;
    case CHIEF_ANSWER_ISOLATE: isolate(m, w, failed); break;
    case CHIEF_ANSWER_GIVE_UP:
        if (failed) give_up(m, w, WHY_ANSWER);
        else chief__policy_rest(m, w);
        break;
    default: decide(m, w, failed); break;
    }
}

void chief__policy_unanswered(chief__model *m, chief__life *w) {
    chief__emit(m, STEP_A_UNANSWERED, w)->until = m->now;
    chief__policy_answered(m, w, CHIEF_ANSWER_DEFAULT, 0);
}

void chief__policy_rest(chief__model *m, chief__life *w) {
    chief__group_pass(m, w);
    chief__emit_rest(m, w, CHIEF_PHASE_IDLE);
}

/* One that somebody wanted stopped is missed by nobody. */
void chief__policy_abandoned(chief__model *m, chief__life *w) {
    bool missed = !w->asked || w->then != THEN_REST;
    emit_why(m, STEP_A_GIVEN_UP, w, WHY_ABANDONED);
    if (w->critical && missed) end_application(m, w, WHY_ABANDONED);
}

void chief__policy_forget(chief__life *w) {
    w->failures = 0;
    if (w->forced_ends != INT64_MAX) w->forced_ends = 0;
    chief__intensity_clear(&w->intensity);
}
