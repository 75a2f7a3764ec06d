#include "step_group.h"

#include "step_emit.h"
#include "step_life.h"

static bool lives(const chief__life *w) { return w->home != HOME_NONE && w->home != HOME_ABANDONED; }

/* What somebody has asked of it stands: it stays stopped, or goes. */
static bool is_let_go(const chief__life *w) { return w->asked && w->then != THEN_START; }

static void take_along(chief__model *m, chief__life *w, const chief__life *failed, int64_t due) {
    bool ends_already = w->turn == TURN_ENDING;
    if (w == failed || !lives(w) || is_let_go(w) || ends_already) return;
    chief__model_set_turn(m, w, TURN_ENDING);
    chief__action *action = chief__emit(m, STEP_A_RESTART, w);
    action->other = chief__model_id(m, failed);
    action->delay = failed->last_delay;
    action->until = due;
}

/* Whose turn it was, and which still waits for what it is after, waits for its turn again, wherever it stands: somebody may
 * have to end first. */
static void turn_back(chief__model *m, chief__life *w) {
    if (w->turn == TURN_STARTING && !lives(w)) chief__model_set_turn(m, w, TURN_WAITING);
}

void chief__group_restart(chief__model *m, chief__life *w, int64_t due) {
    chief__group *group = chief__model_group(m, w);
    if (group == NULL) return;
    if (w->served || w->turn != TURN_NONE) chief__model_set_turn(m, w, TURN_WAITING);
    if (!w->served) return;
    uint32_t first = group->policy == CHIEF_ONE_FOR_ALL ? 0 : w->name->place + 1;
    for (uint32_t place = 0; place < group->n; place++) {
        chief__life *other = chief__model_at(m, group, place);
        if (other == NULL) continue;
        turn_back(m, other);
        if (place >= first) take_along(m, other, w, due);
    }
}

/* Somebody of the group still has to end, or is to start before this one. */
static bool has_to_wait(const chief__model *m, const chief__group *group, const chief__life *w) {
    for (uint32_t place = 0; place < group->n; place++) {
        const chief__life *other = chief__model_at(m, group, place);
        if (other == NULL || other->turn == TURN_NONE) continue;
        if (other->turn == TURN_ENDING || place < w->name->place) return true;
    }
    return false;
}

bool chief__group_lets(chief__model *m, chief__life *w) {
    if (w->turn != TURN_WAITING) return true;
    if (has_to_wait(m, chief__model_group(m, w), w)) return false;
    chief__model_set_turn(m, w, TURN_STARTING);
    return true;
}

void chief__group_ended(chief__model *m, chief__life *w) {
    if (w->turn == TURN_ENDING) chief__model_set_turn(m, w, TURN_WAITING);
}

void chief__group_started(chief__model *m, chief__life *w) {
    if (w->turn == TURN_ENDING) return;
    chief__group_pass(m, w);
}

void chief__group_pass(chief__model *m, chief__life *w) { chief__model_set_turn(m, w, TURN_NONE); }

/* The last one that has to end is asked, unless it was already; false when nobody has to. */
static bool end_last(chief__model *m, const chief__group *group) {
    for (uint32_t place = group->n; place-- > 0;) {
        chief__life *w = chief__model_at(m, group, place);
        if (w == NULL || w->turn != TURN_ENDING) continue;
        if (w->asked || w->overdue) return true;
        w->then = THEN_START;
        chief__life_ask(m, w, chief__life_grace(m, w));
        return true;
    }
    return false;
}

/* The first whose turn it is, if that waits for nothing else. */
static void start_first(chief__model *m, const chief__group *group) {
    for (uint32_t place = 0; place < group->n; place++) {
        chief__life *w = chief__model_at(m, group, place);
        if (w == NULL || w->turn == TURN_NONE) continue;
        if (w->wait == WAIT_TURN) chief__life_begin(m, w);
        return;
    }
}

void chief__groups_proceed(chief__model *m) {
    for (uint32_t i = 0; m->turns > 0 && !m->stopping && i < m->n_groups; i++) {
        const chief__group *group = m->groups[i];
        if (group->turns > 0 && !end_last(m, group)) start_first(m, group);
    }
}
