#include "step_emit.h"

#include <assert.h>

chief__action *chief__emit(chief__model *m, chief__action_kind kind, const chief__life *w) {
    assert(m->n_actions < m->actions_capacity);
    chief__action *action = &m->actions[m->n_actions++];
    *action = (chief__action){.kind = kind, .id = CHIEF__NONE, .other = CHIEF__NONE, .until = INT64_MAX, .delay = -1};
    if (w == NULL) return action;
    action->id = chief__model_id(m, w);
    action->generation = w->generation;
    action->previous = action->state = w->state;
    action->phase = w->phase;
    return action;
}

void chief__emit_state(chief__model *m, chief__life *w, chief_state_t state, int32_t reason) {
    bool legal = chief_state_transition(w->state, state) == state;
    assert(legal);
    if (!legal) {
        (void)chief__emit_wrong(m, w, state);
        return;
    }
    chief__action *action = chief__emit(m, STEP_A_STATE, w);
    action->state = state;
    action->reason = reason;
    w->reason = reason;
    chief__model_set_state(m, w, state);
}

int chief__emit_wrong(chief__model *m, const chief__life *w, chief_state_t state) {
    chief__emit(m, STEP_A_WRONG, w)->state = state;
    return CHIEF_WORKER_WRONG_STATE_CHANGE;
}

void chief__emit_phase(chief__model *m, chief__life *w, int32_t phase, int64_t until, int64_t delay) {
    if (w->phase == phase && w->phase_until == until && w->phase_delay == delay) return;
    w->phase = phase;
    w->phase_until = until;
    w->phase_delay = delay;
    chief__action *action = chief__emit(m, STEP_A_PHASE, w);
    action->until = until;
    action->delay = delay;
}

void chief__emit_rest(chief__model *m, chief__life *w, int32_t phase) { chief__emit_phase(m, w, phase, INT64_MAX, -1); }
