#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "info.h"
#include "loop.h"
#include "replica.h"
#include "request.h"

static void warn_of_open_ends(chief *c);

/* ---- on the loop's thread ---- */

static int ask_member(chief *c, const chief__member *member, chief__step_kind kind) {
    char name[CHIEF__REPLICA_NAME_SIZE]; /* of its own: the member may go */
    (void)snprintf(name, sizeof name, "%s", member->unit->name);
    int rc = chief__feed(c, kind, member->id, 0, 0);
    if (rc == CHIEF_EENABLE) return chief__fail(rc, "worker %s is not enabled", name);
    if (rc == CHIEF_EBUSY && c->stopping) return chief__fail(rc, "the chief is stopping");
    if (rc == CHIEF_EBUSY) return chief__fail(rc, "the abandoned thread of worker %s still lives", name);
    if (rc == CHIEF_ENOTINIT) return chief__fail(rc, "the chief has not been started yet");
    if (rc == CHIEF_ENOENT) return chief__fail(rc, "worker %s is being removed", name);
    return rc;
}

/* How many of those a name means would do something about the request. */
static size_t count_accepting(chief *c, const char *name, chief__step_kind kind) {
    size_t n = 0;
    chief__members_of of = chief__members_named(c, name);
    for (const chief__member *m; (m = chief__members_next(c, &of)) != NULL;)
        n += chief__model_accepts(c->model, kind, m->id);
    return n;
}

/* Those for which it is legal, if there are any, so that starting the rest of the replicas is no mistake; else all, of
 * which the first tells why. */
static int by_name(chief *c, const char *name, chief__step_kind kind) {
    int rc = CHIEF_EAGAIN;
    char text[256];
    bool some = count_accepting(c, name, kind) > 0;
    chief__members_of of = chief__members_named(c, name);
    for (const chief__member *m; (m = chief__members_next(c, &of)) != NULL;) {
        if (some && !chief__model_accepts(c->model, kind, m->id)) continue;
        int answer = ask_member(c, m, kind);
        if (rc != CHIEF_EAGAIN && rc != CHIEF_OK) continue;
        rc = answer;
        if (rc != CHIEF_OK) (void)chief_last_error_take(text, sizeof text);
    }
    if (rc == CHIEF_EAGAIN) return chief__unknown_name(c, name);
    return rc == CHIEF_OK ? rc : chief__fail(rc, "%s", text);
}

static int get_home(chief *c, const char *name, chief_worker **out) {
    chief__member *member = chief__member_find(c, name);
    if (member == NULL) return chief__unknown_name(c, name);
    if (member->home == NULL) return chief__fail(CHIEF_EAGAIN, "worker %s does not run now", name);
    *out = chief__worker_ref(member->home);
    return CHIEF_OK;
}

static int enable(chief *c, const chief__name_list *list) {
    for (size_t i = 0; i < list->n; i++)
        if (!chief__members_there(c, list->names[i])) return chief__unknown_name(c, list->names[i]);
    for (size_t i = 0; i < list->n; i++) {
        int rc = by_name(c, list->names[i], STEP_ENABLE);
        if (rc < 0) return rc;
    }
    return CHIEF_OK;
}

static int add(chief *c, chief__unit *unit) {
    if (c->stopping) return chief__fail(CHIEF_EBUSY, "the chief is stopping");
    int rc = chief__members_add(c, unit, true);
    chief__members_of of = chief__members_named(c, unit->name);
    for (const chief__member *m; rc == CHIEF_OK && (m = chief__members_next(c, &of)) != NULL;)
        rc = chief__feed(c, STEP_ADDED, m->id, 0, 0);
    return rc;
}

static int launch(chief *c, chief_context *parent) {
    int rc = parent != NULL ? chief__watch_parent(c, parent) : CHIEF_OK;
    return rc != CHIEF_OK ? rc : chief__feed(c, STEP_LAUNCH, 0, 0, 0);
}

static int init(chief *c) {
    chief__info_log(c);
    warn_of_open_ends(c);
    return chief__feed(c, STEP_INIT, 0, 0, 0);
}

static int set_exit_when_done(chief *c, bool on) {
    chief__model_set_exit_when_done(c->model, on);
    return chief__feed(c, STEP_TICK, 0, 0, 0);
}

/* The first reason given is the one that is told. */
static int stop_all(chief *c, const char *why) {
    if (why != NULL && c->stop_why == NULL && !c->stopping) c->stop_why = c->stop_text = chief__strdup(why);
    return chief__feed(c, STEP_STOP_ALL, 0, 0, 0);
}

int chief__obey(chief *c, const chief__request *r) {
    switch ((chief__request_kind)r->kind) {
    case REQUEST_INIT: return init(c);
    case REQUEST_LAUNCH: return launch(c, r->data);
    case REQUEST_ADD: return add(c, r->data);
    case REQUEST_ENABLE: return enable(c, r->data);
    case REQUEST_START: return by_name(c, r->name, STEP_START);
    case REQUEST_STOP: return by_name(c, r->name, STEP_STOP);
    case REQUEST_RESTART: return by_name(c, r->name, STEP_RESTART);
    case REQUEST_REMOVE: return by_name(c, r->name, STEP_REMOVE);
    case REQUEST_STOP_ALL: return stop_all(c, r->name);
    case REQUEST_HOME: return get_home(c, r->name, r->data);
    case REQUEST_LOOK: return CHIEF_OK; /* chief__note_ready below */
    case REQUEST_FORCE_STOP_TIMEOUT: chief__model_set_force_stop_timeout(c->model, r->number); return CHIEF_OK;
    case REQUEST_EXIT_WHEN_DONE: return set_exit_when_done(c, r->number != 0);
    }
    return chief__fail_code(CHIEF_EINVAL);
}

void chief__answer_requests(chief *c) {
    chief__request *r;
    while (!c->ended && (r = chief__inbox_next_request(c->inbox)) != NULL) {
        int rc = chief__obey(c, r);
        chief__note_ready(c);
        chief__inbox_answer(c->inbox, r, rc);
    }
}

/* ---- before the loop runs ---- */

static int channels_exist(chief *c, const chief__member *m, const char *what, char **names, size_t n) {
    chief_channel *ch;
    for (size_t i = 0; i < n; i++) {
        if (chief__hub_channel(c->hub, names[i], &ch) == CHIEF_OK) continue;
        char why[512];
        (void)chief_last_error_take(why, sizeof why);
        return chief__fail(CHIEF_ENOENT, "worker %s, %s: %s", m->unit->name, what, why);
    }
    return CHIEF_OK;
}

/* Each name in `sends`, `receives` and `dead` is that of a channel. */
int chief__check_channels(chief *c) {
    int rc = chief__hub_check(c->hub);
    for (size_t i = 0; rc == CHIEF_OK && i < c->n_members; i++) {
        const chief__member *m = c->members[i];
        if (m == NULL) continue;
        rc = channels_exist(c, m, "sends", m->unit->sends, m->unit->n_sends);
        if (rc == CHIEF_OK) rc = channels_exist(c, m, "receives", m->unit->receives, m->unit->n_receives);
    }
    return rc;
}

static bool has_name(char **names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool runs_here(chief *c, const chief__member *m) {
    return chief__model_state(c->model, m->id) >= CHIEF_WORKER_ENABLED;
}

/* Whether some enabled worker has the channel among what it sends to (or receives from). */
static bool is_served(chief *c, const char *channel, bool by_sender) {
    for (size_t i = 0; i < c->n_members; i++) {
        const chief__member *m = c->members[i];
        if (m == NULL || !runs_here(c, m)) continue;
        if (by_sender ? has_name(m->unit->sends, m->unit->n_sends, channel)
                      : has_name(m->unit->receives, m->unit->n_receives, channel))
            return true;
    }
    return false;
}

static void warn(chief *c, const chief__member *m, char **names, size_t n, bool sender) {
    for (size_t i = 0; i < n; i++)
        if (is_served(c, names[i], !sender) && !is_served(c, names[i], sender))
            chief__note(c, CHIEF_WARN, NULL, "channel %s: %s, its %s, does not run here", names[i],
                        chief__plain_name(m), sender ? "sender" : "receiver");
}

/* A channel with one end in this process and the other end not enabled. Replicas are told once, by the first. */
static void warn_of_open_ends(chief *c) {
    for (size_t i = 0; i < c->n_members; i++) {
        const chief__member *m = c->members[i];
        if (m == NULL || runs_here(c, m) || chief__replica_number(m->unit->name) > 1) continue;
        warn(c, m, m->unit->sends, m->unit->n_sends, true);
        warn(c, m, m->unit->receives, m->unit->n_receives, false);
    }
}

/* ---- on the caller's thread ---- */

int chief__ask(chief *c, chief__request_kind kind, const char *name, void *data, int64_t number) {
    chief__request r = {.kind = (int)kind, .name = name, .data = data, .number = number};
    return chief__inbox_request(c->inbox, &r);
}

static int ask_with(chief *c, chief__request_kind kind, const char *name, void *data) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&c->lock);
    chief__stage stage = c->stage;
    chief__unlock(&c->lock);
    if (stage == STAGE_NEW) return chief__fail(CHIEF_ENOTINIT, "the chief has not been initialised yet");
    return chief__ask(c, kind, name, data, 0);
}

static int ask_about(chief *c, chief__request_kind kind, const char *name) { return ask_with(c, kind, name, NULL); }

int chief_start_worker(chief *c, const char *name) { return ask_about(c, REQUEST_START, name); }

int chief_stop_worker(chief *c, const char *name) { return ask_about(c, REQUEST_STOP, name); }

int chief_restart_worker(chief *c, const char *name) { return ask_about(c, REQUEST_RESTART, name); }

int chief_remove_worker(chief *c, const char *name) { return ask_about(c, REQUEST_REMOVE, name); }

#define LOOK_MS 100

/* The look happens here and not on the loop, which must not wait for a worker. */
int chief_traceback(chief *c, const char *name, char *buf, size_t size, size_t *len) {
    size_t full = 0;
    chief_worker *home = NULL;
    if (buf == NULL && size > 0) return chief__fail_code(CHIEF_EINVAL);
    if (size > 0) buf[0] = '\0';
    int rc = ask_with(c, REQUEST_HOME, name, &home);
    if (rc == CHIEF_OK) rc = chief__worker_look(home, buf, size, &full, LOOK_MS);
    chief__worker_unref(home);
    if (len != NULL) *len = full;
    return rc;
}
