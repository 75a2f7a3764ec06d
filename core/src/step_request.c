#include "step_request.h"

#include "err.h"
#include "step_emit.h"
#include "step_group.h"
#include "step_life.h"
#include "step_policy.h"

/* Starts nothing by itself: whoever enables says when. */
static int enable(chief__model *m, chief__life *w) {
    if (!w->expected) chief__model_set_expected(m, w, true);
    if (w->state == CHIEF_WORKER_DISABLED || w->state == CHIEF_WORKER_PRESENT)
        chief__emit_state(m, w, CHIEF_WORKER_ENABLED, CHIEF_REASON_NONE);
    return CHIEF_OK;
}

static int added(chief__model *m, chief__life *w) {
    if (m->init_begun) chief__life_note_after(m, w);
    if (m->launched && w->state == CHIEF_WORKER_ENABLED && w->home == HOME_NONE && w->wait == WAIT_NONE)
        chief__life_begin(m, w);
    return CHIEF_OK;
}

/* Nothing of it lives. A restart that was waited for comes now, as the one it was; else its failures are forgotten. */
static int start_anew(chief__model *m, chief__life *w) {
    if (w->state == CHIEF_WORKER_DISABLED || w->state == CHIEF_WORKER_PRESENT)
        return chief__fail(CHIEF_EENABLE, "worker %s is not enabled", w->name->text);
    if (w->wait == WAIT_NONE) chief__policy_forget(w);
    chief__life_begin(m, w);
    return CHIEF_OK;
}

static int fail_abandoned(const chief__life *w) {
    return chief__fail(CHIEF_EBUSY, "worker %s: its last life was abandoned and still lives", w->name->text);
}

static int start(chief__model *m, chief__life *w) {
    if (w->home == HOME_ABANDONED) return fail_abandoned(w);
    return w->home == HOME_NONE ? start_anew(m, w) : chief__emit_wrong(m, w, CHIEF_WORKER_RUN);
}

static int ask_to_end(chief__model *m, chief__life *w, chief__then then) {
    w->then = then;
    if (then != THEN_START) chief__group_pass(m, w);
    chief__life_ask(m, w, chief__life_grace(m, w));
    return CHIEF_OK;
}

static bool lives(const chief__life *w) { return w->home != HOME_NONE && w->home != HOME_ABANDONED; }

static int stop(chief__model *m, chief__life *w) {
    if (lives(w)) return ask_to_end(m, w, THEN_REST);
    if (w->wait == WAIT_NONE) return chief__emit_wrong(m, w, CHIEF_WORKER_STOPPED);
    chief__model_set_wait(m, w, WAIT_NONE);
    chief__policy_rest(m, w);
    return CHIEF_OK;
}

static int restart(chief__model *m, chief__life *w) {
    if (w->home == HOME_ABANDONED) return fail_abandoned(w);
    if (w->wait == WAIT_DEPENDENCIES) return CHIEF_OK; /* it will start anew anyway, once */
    return lives(w) ? ask_to_end(m, w, THEN_START) : start_anew(m, w);
}

static int take_away(chief__model *m, chief__life *w) {
    if (lives(w)) return ask_to_end(m, w, THEN_REMOVE);
    chief__life_remove(m, w);
    return CHIEF_OK;
}

bool chief__model_accepts(const chief__model *m, chief__step_kind kind, uint32_t id) {
    if (id >= m->len || m->members[id].name == NULL) return false;
    const chief__life *w = &m->members[id];
    bool enabled = w->state != CHIEF_WORKER_DISABLED && w->state != CHIEF_WORKER_PRESENT;
    if (w->then == THEN_REMOVE) return false;
    switch (kind) {
    case STEP_START: return w->home == HOME_NONE && enabled;
    case STEP_STOP: return lives(w) || w->wait != WAIT_NONE;
    case STEP_RESTART: return w->home != HOME_ABANDONED && (lives(w) || enabled);
    default: return true;
    }
}

int chief__step_request(chief__model *m, chief__step_kind kind, uint32_t id) {
    chief__life *w = chief__model_life(m, id);
    if (w == NULL || w->then == THEN_REMOVE) return chief__fail_code(CHIEF_ENOENT);
    if (m->stopping) return chief__fail(CHIEF_EBUSY, "the chief is stopping");
    if (kind == STEP_ENABLE) return enable(m, w);
    if (kind == STEP_ADDED) return added(m, w);
    if (!m->launched) return chief__fail_code(CHIEF_ENOTINIT);
    switch (kind) {
    case STEP_START: return start(m, w);
    case STEP_STOP: return stop(m, w);
    case STEP_RESTART: return restart(m, w);
    default: return take_away(m, w);
    }
}
