/* The dispatcher: deadlines first, then the event, then what follows for all. */
#include "step.h"

#include "err.h"
#include "model.h"
#include "step_emit.h"
#include "step_group.h"
#include "step_life.h"
#include "step_policy.h"
#include "step_request.h"
#include "step_stop.h"

static int init_all(chief__model *m) {
    int rc = m->linked ? CHIEF_OK : chief__model_link(m);
    if (rc != CHIEF_OK || m->init_begun) return rc;
    /* Levels of an acyclic graph can always be counted. */
    if (m->levels_stale) (void)chief__model_count_levels(m);
    m->init_begun = true;
    for (chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        chief__life_note_after(m, w);
        if (!m->stopping) chief__life_init_first(m, w);
    }
    if (m->awaited == 0) chief__emit(m, STEP_A_INITED, NULL);
    return CHIEF_OK;
}

/* After a stop there is nothing to launch, which is no error: a signal may come between the two. */
static int launch(chief__model *m) {
    if (!m->init_begun) return chief__fail_code(CHIEF_ENOTINIT);
    if (m->launched) return chief__fail_code(CHIEF_EBUSY);
    m->launched = true;
    for (chief__life *w = chief__model_next(m, NULL); w != NULL && !m->stopping; w = chief__model_next(m, w))
        chief__life_launch(m, w);
    return CHIEF_OK;
}

/* Its home has ended. The report may have been on its way when the home was abandoned. */
static void hear_end(chief__model *m, chief__life *w, const chief__step_event *event) {
    w->code = event->code;
    if (w->home == HOME_ABANDONED) chief__life_late(m, w);
    else if (event->kind == STEP_EXITED) chief__life_exited(m, w, event->reason);
    else if (event->kind == STEP_INIT_FAILED) chief__life_init_failed(m, w, event->reason);
    else if (event->kind == STEP_FINISHED) chief__life_finished(m, w);
}

static void hear(chief__model *m, const chief__step_event *event) {
    chief__life *w = chief__model_home(m, event->id, event->generation);
    if (w == NULL) return;
    switch (event->kind) {
    case STEP_INITIALIZED: chief__life_initialized(m, w); break;
    case STEP_ENTERED: chief__life_entered(m, w); break;
    case STEP_READY: chief__life_said_ready(m, w); break;
    case STEP_EXPIRED: chief__life_expired(m, w, event->reason); break;
    default: hear_end(m, w, event); break;
    }
}

/* Whoever was stopped, started or removed meanwhile does not wait for it any more. */
static void hear_answer(chief__model *m, const chief__step_event *event) {
    chief__life *w = chief__model_life(m, event->id);
    if (w == NULL || w->wait != WAIT_ANSWER || w->generation != event->generation) return;
    chief__policy_answered(m, w, event->answer, event->delay);
}

static int take(chief__model *m, const chief__step_event *event) {
    switch (event->kind) {
    case STEP_TICK: break;
    case STEP_INIT: return init_all(m);
    case STEP_LAUNCH: return launch(m);
    case STEP_ENABLE:
    case STEP_ADDED:
    case STEP_START:
    case STEP_STOP:
    case STEP_RESTART:
    case STEP_REMOVE: return chief__step_request(m, event->kind, event->id);
    case STEP_INITIALIZED:
    case STEP_INIT_FAILED:
    case STEP_ENTERED:
    case STEP_READY:
    case STEP_EXPIRED:
    case STEP_EXITED:
    case STEP_FINISHED:
    case STEP_LATE: hear(m, event); break;
    case STEP_ANSWER: hear_answer(m, event); break;
    case STEP_STOP_ALL: chief__stop_all(m); break;
    case STEP_SIGNAL: chief__stop_signal(m); break;
    case STEP_FORCE: chief__stop_force(m); break;
    }
    return CHIEF_OK;
}

/* Who waits for others then waits in vain: nobody is left that could become ready. */
static void notice_nothing_left(chief__model *m) {
    bool nothing = m->launched && !m->stopping && m->live == 0 && m->scheduled == 0;
    if (nothing && m->options.exit_when_done) {
        m->stopping = m->ended = true;
        chief__emit(m, STEP_A_ALL_ENDED, NULL);
    } else if (nothing && !m->nothing_left) {
        chief__emit(m, STEP_A_NOTHING_LEFT, NULL);
    }
    m->nothing_left = nothing;
}

int chief__step(chief__model *m, const chief__step_event *event, int64_t now, const chief__action **actions,
                size_t *n) {
    uint32_t id;
    m->n_actions = 0;
    if (now > m->now) m->now = now;
    while (chief__agenda_take(&m->agenda, m->now, &id)) chief__life_due(m, &m->members[id]);
    int rc = take(m, event);
    chief__groups_proceed(m);
    chief__stop_proceed(m);
    notice_nothing_left(m);
    *actions = m->actions;
    *n = m->n_actions;
    return rc;
}
