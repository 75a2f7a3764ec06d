#include <string.h>

#include "alloc.h"
#include "err.h"
#include "loop.h"
#include "request.h"

/* ---- on the loop's thread ---- */

static int by_name(chief *c, const char *name, chief__step_kind kind) {
    chief__member *member = chief__member_find(c, name);
    if (member == NULL) return chief__unknown_name(c, name);
    int rc = chief__feed(c, kind, member->id, 0, 0);
    if (rc == CHIEF_EENABLE) return chief__fail(rc, "worker %s is not enabled", name);
    if (rc == CHIEF_EBUSY && c->stopping) return chief__fail(rc, "the chief is stopping");
    if (rc == CHIEF_EBUSY) return chief__fail(rc, "the abandoned thread of worker %s still lives", name);
    if (rc == CHIEF_ENOTINIT) return chief__fail(rc, "the chief has not been started yet");
    if (rc == CHIEF_ENOENT) return chief__fail(rc, "worker %s is being removed", name);
    return rc;
}

static int enable(chief *c, const chief__name_list *list) {
    for (size_t i = 0; i < list->n; i++)
        if (chief__member_find(c, list->names[i]) == NULL) return chief__unknown_name(c, list->names[i]);
    for (size_t i = 0; i < list->n; i++) {
        int rc = by_name(c, list->names[i], STEP_ENABLE);
        if (rc < 0) return rc;
    }
    return CHIEF_OK;
}

static int add(chief *c, chief__unit *unit) {
    int rc;
    if (c->stopping) return chief__fail(CHIEF_EBUSY, "the chief is stopping");
    chief__member *member = chief__member_add(c, unit, true, &rc);
    if (member == NULL) return rc;
    chief__record_state(c, member, CHIEF_WORKER_PRESENT, CHIEF_WORKER_ENABLED);
    return chief__feed(c, STEP_ADDED, member->id, 0, 0);
}

static int launch(chief *c, chief_context *parent) {
    int rc = parent != NULL ? chief__watch_parent(c, parent) : CHIEF_OK;
    return rc != CHIEF_OK ? rc : chief__feed(c, STEP_LAUNCH, 0, 0, 0);
}

static int init(chief *c) { return chief__feed(c, STEP_INIT, 0, 0, 0); }

static int set_exit_when_done(chief *c, bool on) {
    chief__model_set_exit_when_done(c->model, on);
    return chief__feed(c, STEP_TICK, 0, 0, 0);
}

static int answer(chief *c, const chief__request *r) {
    switch ((chief__request_kind)r->kind) {
    case REQUEST_INIT: return init(c);
    case REQUEST_LAUNCH: return launch(c, r->data);
    case REQUEST_ADD: return add(c, r->data);
    case REQUEST_ENABLE: return enable(c, r->data);
    case REQUEST_START: return by_name(c, r->name, STEP_START);
    case REQUEST_STOP: return by_name(c, r->name, STEP_STOP);
    case REQUEST_RESTART: return by_name(c, r->name, STEP_RESTART);
    case REQUEST_REMOVE: return by_name(c, r->name, STEP_REMOVE);
    case REQUEST_LOOK: return CHIEF_OK; /* chief__note_ready below */
    case REQUEST_FORCE_STOP_TIMEOUT: chief__model_set_force_stop_timeout(c->model, r->number); return CHIEF_OK;
    case REQUEST_EXIT_WHEN_DONE: return set_exit_when_done(c, r->number != 0);
    }
    return chief__fail_code(CHIEF_EINVAL);
}

void chief__answer_requests(chief *c) {
    chief__request *r;
    while (!c->ended && (r = chief__inbox_next_request(c->inbox)) != NULL) {
        int rc = answer(c, r);
        chief__note_ready(c);
        chief__inbox_answer(c->inbox, r, rc);
    }
}

/* ---- on the caller's thread ---- */

int chief__ask(chief *c, chief__request_kind kind, const char *name, void *data, int64_t number) {
    chief__request r = {.kind = (int)kind, .name = name, .data = data, .number = number};
    return chief__inbox_request(c->inbox, &r);
}

static int ask_about(chief *c, chief__request_kind kind, const char *name) {
    if (c == NULL || name == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__forked_check();
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    chief__stage stage = c->stage;
    chief__unlock(&c->lock);
    if (stage == STAGE_NEW) return chief__fail(CHIEF_ENOTINIT, "the chief has not been initialised yet");
    return chief__ask(c, kind, name, NULL, 0);
}

int chief_start_worker(chief *c, const char *name) { return ask_about(c, REQUEST_START, name); }

int chief_stop_worker(chief *c, const char *name) { return ask_about(c, REQUEST_STOP, name); }

int chief_restart_worker(chief *c, const char *name) { return ask_about(c, REQUEST_RESTART, name); }

int chief_remove_worker(chief *c, const char *name) { return ask_about(c, REQUEST_REMOVE, name); }
