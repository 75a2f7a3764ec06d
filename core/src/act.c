#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "loop.h"

#define TEXT_SIZE 512
#define PLACE_SIZE 4096 /* a traceback */

/* ---- telling ---- */

/* Numbers the event and puts it into the ring, which copies the texts. */
void chief__tell(chief *c, chief_event *event) {
    if (event->seq == 0) event->seq = chief__pool_next_seq(c->pool);
    event->time_ms = c->homes->now(c);
    chief__events_push(c->events, event);
}

static chief_field text_field(const char *key, const char *text) {
    chief_field field = {.key = key, .value = {.type = CHIEF_BYTES}};
    field.value.bytes.data = text;
    field.value.bytes.len = strlen(text);
    return field;
}

static void log_worker(chief *c, int32_t level, const char *message, const chief_event *e) {
    chief_field fields[5];
    size_t n = 0;
    if (e->worker != NULL && e->worker[0] != '\0') fields[n++] = text_field("worker", e->worker);
    if (e->reason > CHIEF_REASON_OK) fields[n++] = text_field("reason", chief_reason_name(e->reason));
    if (e->error != NULL && e->error[0] != '\0') fields[n++] = text_field("error", e->error);
    if (e->traceback != NULL && e->traceback[0] != '\0') fields[n++] = text_field("traceback", e->traceback);
    chief_log_write(c->log, level, message, fields, n);
}

void chief__note(chief *c, int32_t level, const char *worker, const char *format, ...) {
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chief_event e = {.kind = CHIEF_EVENT_NOTE, .level = level, .worker = worker, .error = text};
    chief__tell(c, &e);
    chief_field field = text_field("worker", worker != NULL ? worker : "");
    chief_log_write(c->log, level, text, &field, worker != NULL ? 1 : 0);
}

/* ---- states ---- */

static int32_t level_of(chief_state_t state, const char *error) {
    if (state == CHIEF_WORKER_FAILED) return CHIEF_ERROR;
    if (state == CHIEF_WORKER_STOPPED) return error != NULL ? CHIEF_WARN : CHIEF_INFO;
    return CHIEF_DEBUG;
}

static void log_state(chief *c, const chief_event *e) {
    char message[64] = "worker ";
    (void)chief_state_to_string(e->state, message + strlen(message), sizeof message - strlen(message));
    log_worker(c, e->level, message, e);
}

static void set_phase(chief *c, chief__change *change, const chief__action *a, char *waiting_for, size_t size) {
    change->phase = a->phase;
    change->until = a->until;
    change->waiting_for = waiting_for;
    waiting_for[0] = '\0';
    if (a->phase == CHIEF_PHASE_WAITING && a->delay >= 0) (void)snprintf(waiting_for, size, "restart");
    else if (a->phase == CHIEF_PHASE_WAITING) (void)chief__model_waiting_for(c->model, a->id, waiting_for, size);
}

/* Writes the state, with the phase that goes with it (NULL: stays), into the pool and tells it, in this order: who saw the
 * event sees the state. The texts of a failure move into the pool and stay there at least until its next record, which is
 * this thread's. */
static void record(chief *c, chief__member *member, chief_event *e, const chief__action *phase) {
    char waiting_for[TEXT_SIZE];
    e->seq = chief__pool_next_seq(c->pool);
    e->worker = member->unit->name;
    e->level = level_of(e->state, e->error);
    chief__change change = {.state = e->state,
                            .seq = e->seq,
                            .phase = -1,
                            .reason = e->reason,
                            .generation = member->generation,
                            .restarts = member->restarts,
                            .error = (char *)(uintptr_t)e->error,
                            .traceback = (char *)(uintptr_t)e->traceback};
    if (phase != NULL) set_phase(c, &change, phase, waiting_for, sizeof waiting_for);
    chief__pool_record(c->pool, member->entry, &change);
    chief__tell(c, e);
    /* Before the loop runs this is done under the chief's lock, where the host's sink may not be called. */
    if (chief__inbox_is_loop(c->inbox)) log_state(c, e);
}

void chief__record_state(chief *c, chief__member *member, chief_state_t previous, chief_state_t state) {
    chief_event e = {.kind = CHIEF_EVENT_STATE, .previous = previous, .state = state, .generation = member->generation};
    record(c, member, &e, NULL);
}

static bool has_ended(chief_state_t state) { return state == CHIEF_WORKER_FAILED || state == CHIEF_WORKER_STOPPED; }

/* A home that fails while it lives is being given up: what can be said is where it is. */
static void look_at(chief *c, chief__member *member) {
    char text[PLACE_SIZE];
    size_t len = 0;
    chief__free(member->where);
    member->where = NULL;
    if (chief__worker_look(member->home, text, sizeof text, &len, 0) != CHIEF_OK || text[0] == '\0') return;
    c->traceback = chief__strdup(text);
    member->where = chief__strndup(text, strcspn(text, "\n"));
}

static char *with_place(const char *text, const char *where) {
    if (where == NULL) return chief__strdup(text);
    char *both = chief__alloc(strlen(text) + strlen(where) + 3);
    if (both != NULL) (void)sprintf(both, "%s: %s", text, where);
    return both;
}

/* Why it has to be ended by force, as its home has said it; "" when it has not. */
static void own_why(char *buf, size_t size, chief__member *member) {
    buf[0] = '\0';
    if (member->home == NULL || chief__worker_expiry(member->home) == CHIEF_REASON_NONE) return;
    (void)chief_worker_interrupt_reason(member->home, buf, size);
}

/* A failure whose text is unknown gets the reason's. */
static void fill_failure(chief *c, chief__member *member, int32_t reason) {
    if (member->home != NULL && c->traceback == NULL) look_at(c, member);
    if (c->failure != NULL) return;
    char why[TEXT_SIZE];
    const char *text = "";
    own_why(why, sizeof why, member);
    if (why[0] != '\0') text = why;
    else if (reason == CHIEF_REASON_START_TIMEOUT) text = "not ready within its start_timeout";
    else if (reason == CHIEF_REASON_KILLED) text = "did not end within its grace";
    else if (reason == CHIEF_REASON_INIT_ERROR)
        text = member->home != NULL ? "init did not end in time" : "init failed";
    else if (reason > CHIEF_REASON_OK) text = chief_reason_name(reason);
    if (text[0] != '\0') c->failure = with_place(text, member->home != NULL ? member->where : NULL);
}

/* The phase that the same answer of the brain brings for this state of the worker. */
static const chief__action *phase_of(const chief__action *a, size_t more) {
    for (const chief__action *next = a + 1; next <= a + more; next++) {
        if (next->id != a->id) continue;
        if (next->kind == STEP_A_PHASE) return next;
        if (next->kind == STEP_A_STATE) return NULL;
    }
    return NULL;
}

static void act_state(chief *c, chief__member *member, const chief__action *a, size_t more) {
    chief_event e = {.kind = CHIEF_EVENT_STATE,
                     .previous = a->previous,
                     .state = a->state,
                     .generation = a->generation,
                     .reason = has_ended(a->state) ? a->reason : CHIEF_REASON_NONE};
    if (a->state == CHIEF_WORKER_FAILED) fill_failure(c, member, a->reason);
    if (has_ended(a->state)) {
        e.error = c->failure;
        e.traceback = c->traceback;
        c->failure = c->traceback = NULL;
    }
    record(c, member, &e, phase_of(a, more));
    if (a->state == CHIEF_WORKER_DISABLED) (void)chief__hub_open_worker(c->hub, member->unit->name, false);
    if (a->state == CHIEF_WORKER_ENABLED) (void)chief__hub_open_worker(c->hub, member->unit->name, true);
}

static void act_wrong(chief *c, chief__member *member, const chief__action *a) {
    char from[32];
    char to[32];
    (void)chief_state_to_string(a->previous, from, sizeof from);
    (void)chief_state_to_string(a->state, to, sizeof to);
    (void)chief__fail(CHIEF_WORKER_WRONG_STATE_CHANGE, "worker %s: %s to %s is not a legal change", member->unit->name,
                      from, to);
    chief_event e = {.kind = CHIEF_EVENT_WRONG_STATE_CHANGE,
                     .level = CHIEF_WARN,
                     .worker = member->unit->name,
                     .generation = member->generation,
                     .previous = a->previous,
                     .state = a->state,
                     .error = chief_last_error()};
    chief__tell(c, &e);
    log_worker(c, CHIEF_WARN, "wrong state change", &e);
}

static void act_phase(chief *c, chief__member *member, const chief__action *a) {
    char waiting_for[TEXT_SIZE];
    chief__change change = {.generation = member->generation, .restarts = member->restarts};
    member->phase = a->phase;
    set_phase(c, &change, a, waiting_for, sizeof waiting_for);
    chief__pool_record(c->pool, member->entry, &change);
}

/* ---- homes ---- */

/* The brain learns of a home that could not be made after its answer has been carried out. */
static void stillborn(chief *c, chief__member *member) {
    chief__free(member->birth_error);
    member->birth_error = chief__strdup(chief_last_error());
    member->stillborn = true;
    c->n_stillborn++;
}

static void act_init(chief *c, chief__member *member, const chief__action *a) {
    member->generation = a->generation;
    (void)chief__hub_open_worker(c->hub, member->unit->name, true);
    if (c->homes->init(c, member) != CHIEF_OK) stillborn(c, member);
}

static void act_cancel(chief *c, chief__member *member, const chief__action *a) {
    c->homes->cancel(member, a->until, c->stopping ? "the application stops" : "asked to stop");
}

/* Once for each, when it has ended or has been abandoned. */
void chief__name_late(chief *c, chief__member *member) {
    if (!member->late) return;
    member->late = false;
    const char *name = member->unit->name;
    const char *where = member->abandoned && member->where != NULL ? member->where : "";
    size_t old = c->names_late != NULL ? strlen(c->names_late) : 0;
    char *grown = chief__realloc(c->names_late, old + strlen(name) + strlen(where) + 6);
    if (grown == NULL) return;
    int n = sprintf(grown + old, "%s%s", old > 0 ? ", " : "", name);
    if (where[0] != '\0') (void)sprintf(grown + old + n, " (%s)", where);
    c->names_late = grown;
}

/* It will be named by the stop, once it has ended or been abandoned. */
void chief__note_late(chief *c, chief__member *member) {
    c->exit_code = 75;
    member->late = true;
}

static void why_forced(char *buf, size_t size, chief__member *member, const chief__action *a) {
    own_why(buf, size, member);
    if (buf[0] != '\0') return;
    double grace = (double)a->delay / 1000;
    if (a->reason == CHIEF_REASON_INIT_ERROR)
        (void)snprintf(buf, size, "interrupted: init did not end within %g s", grace);
    else if (a->reason == CHIEF_REASON_START_TIMEOUT)
        (void)snprintf(buf, size, "interrupted: not ready within its start_timeout, nor ended %g s later", grace);
    else if (a->delay < 0) (void)snprintf(buf, size, "interrupted: the stop was forced");
    else (void)snprintf(buf, size, "interrupted: did not end within its grace of %g s", grace);
}

static void act_force(chief *c, chief__member *member, const chief__action *a) {
    char why[TEXT_SIZE];
    why_forced(why, sizeof why, member, a);
    if (a->in_stop) chief__note_late(c, member);
    chief_event e = {.kind = CHIEF_EVENT_FORCED,
                     .level = CHIEF_WARN,
                     .worker = member->unit->name,
                     .generation = a->generation,
                     .state = chief__model_state(c->model, a->id),
                     .reason = a->reason,
                     .error = why};
    chief__tell(c, &e);
    log_worker(c, CHIEF_WARN, "worker interrupted", &e);
    c->homes->force(member, why);
}

static void act_abandon(chief *c, chief__member *member, const chief__action *a) {
    member->abandoned = true;
    char text[TEXT_SIZE];
    const char *where = member->where;
    if (!member->stillborn && !member->in_burial) { /* one that never had a home holds up nobody */
        if (a->in_stop) chief__note_late(c, member);
        chief__name_late(c, member);
    }
    (void)snprintf(text, sizeof text, "did not end in time: abandoned%s%s", where != NULL ? " " : "",
                   where != NULL ? where : "");
    chief_event e = {.kind = CHIEF_EVENT_ABANDONED,
                     .level = CHIEF_ERROR,
                     .worker = member->unit->name,
                     .generation = a->generation,
                     .state = chief__model_state(c->model, a->id),
                     .error = text};
    chief__tell(c, &e);
    log_worker(c, CHIEF_ERROR, "worker abandoned: its thread goes on until it ends by itself", &e);
    c->homes->abandon(member);
}

/* ---- the rest ---- */

void chief__tell_worker(chief *c, const chief__member *member, chief_event *event, const char *message) {
    event->worker = member->unit->name;
    event->generation = member->generation;
    event->state = chief__model_state(c->model, member->id);
    chief__tell(c, event);
    log_worker(c, event->level, message, event);
}

static void act_ready(chief *c, const chief__member *member) {
    chief_event e = {.kind = CHIEF_EVENT_READY, .level = CHIEF_INFO};
    chief__tell_worker(c, member, &e, "worker ready");
}

/* The name is free when the event comes, so the event comes last. */
static void act_removed(chief *c, chief__member *member) {
    chief__hub_remove_worker(c->hub, member->unit->name);
    chief__pool_drop(c->pool, member->entry);
    member->entry = NULL;
    member->removed = true;
    chief_event e = {.kind = CHIEF_EVENT_REMOVED, .level = CHIEF_INFO};
    chief__tell_worker(c, member, &e, "worker removed");
    if (member->home == NULL && !member->stillborn && !member->in_burial) chief__member_drop(c, member);
}

static void act_inited(chief *c) {
    chief__lock(&c->lock);
    c->inited = true;
    chief__cond_wake_all(&c->changed);
    chief__unlock(&c->lock);
}

static void act_stopping(chief *c) {
    const char *why = c->stop_why != NULL ? c->stop_why : "asked to stop";
    c->stopping = true;
    chief_event e = {.kind = CHIEF_EVENT_STOPPING, .level = CHIEF_INFO, .error = why};
    chief__tell(c, &e);
    chief_field field = text_field("why", why);
    chief_log_write(c->log, CHIEF_INFO, "stopping", &field, 1);
    chief_context_cancel(c->stop_context, why);
}

static void act_nothing_left(chief *c) {
    char names[TEXT_SIZE] = "";
    size_t failed = 0;
    size_t len = 0;
    for (size_t i = 0; i < c->n_members; i++) {
        const chief__member *m = c->members[i];
        if (m == NULL || m->removed || chief__model_state(c->model, m->id) != CHIEF_WORKER_FAILED) continue;
        int n = snprintf(names + len, sizeof names - len, "%s%s", failed++ > 0 ? ", " : "", m->unit->name);
        len = n < 0 || (size_t)n >= sizeof names - len ? sizeof names - 1 : len + (size_t)n;
    }
    if (failed == 0) chief__note(c, CHIEF_INFO, NULL, "nothing left to run");
    else chief__note(c, CHIEF_WARN, NULL, "nothing left to run (%zu failed: %s)", failed, names);
}

static void act_note_after(chief *c, chief__member *member, const chief__action *a) {
    const chief__member *other = c->members[a->other];
    chief__note(c, CHIEF_INFO, member->unit->name, "after names %s, which is not enabled here: not waited for",
                a->whole ? chief__plain_name(other) : other->unit->name);
}

/* Actions about everything; false for one about a worker. */
static bool act_whole(chief *c, const chief__action *a) {
    switch (a->kind) {
    case STEP_A_INITED: act_inited(c); return true;
    case STEP_A_STOPPING: act_stopping(c); return true;
    case STEP_A_NOTHING_LEFT: act_nothing_left(c); return true;
    case STEP_A_ALL_ENDED: chief__end(c); return true;
    default: return false;
    }
}

void chief__act(chief *c, const chief__action *a, size_t more) {
    if (act_whole(c, a)) return;
    chief__member *member = c->members[a->id];
    switch (a->kind) {
    case STEP_A_STATE: act_state(c, member, a, more); break;
    case STEP_A_WRONG: act_wrong(c, member, a); break;
    case STEP_A_PHASE: act_phase(c, member, a); break;
    case STEP_A_INIT: act_init(c, member, a); break;
    case STEP_A_RUN: c->homes->run(member); break;
    case STEP_A_FINI: c->homes->finish(member); break;
    case STEP_A_CANCEL: act_cancel(c, member, a); break;
    case STEP_A_FORCE: act_force(c, member, a); break;
    case STEP_A_ABANDON: act_abandon(c, member, a); break;
    case STEP_A_READY: act_ready(c, member); break;
    case STEP_A_RESTART: chief__act_restart(c, member, a); break;
    case STEP_A_ASK: chief__act_ask(c, member, a); break;
    case STEP_A_UNANSWERED: chief__act_unanswered(c, member); break;
    case STEP_A_ISOLATE: chief__act_isolate(c, member, a); break;
    case STEP_A_GIVEN_UP: chief__act_given_up(c, member, a); break;
    case STEP_A_CRITICAL: chief__act_critical(c, member, a); break;
    case STEP_A_REMOVED: act_removed(c, member); break;
    case STEP_A_NOTE_AFTER: act_note_after(c, member, a); break;
    default: break;
    }
}
