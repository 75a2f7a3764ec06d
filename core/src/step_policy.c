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

static void schedule(chief__model *m, chief__life *w) {
    w->last_delay = chief__policy_delay(&w->restart, w->failures, &m->random);
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

/* The failure has been counted neither in the row nor in the window yet. */
static chief__why judge_failure(chief__model *m, chief__life *w) {
    w->failures++;
    if (!chief__policy_restarts(&w->restart, true)) return WHY_POLICY;
    if (is_final(w)) return WHY_CODE;
    if (!chief__intensity_allows(&w->intensity, m->now)) return WHY_INTENSITY;
    return chief__intensity_allows(&m->budget, m->now) ? WHY_NONE : WHY_BUDGET;
}

void chief__policy_follow(chief__model *m, chief__life *w, bool failed) {
    chief__why why = WHY_NONE;
    if (failed) why = judge_failure(m, w);
    else w->failures = 0;
    if (why != WHY_NONE) give_up(m, w, why);
    else if (failed || chief__policy_restarts(&w->restart, false)) schedule(m, w);
    else chief__policy_rest(m, w);
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
    chief__intensity_clear(&w->intensity);
}
