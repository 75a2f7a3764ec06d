/*
 * sim: a chief without a loop and without threads. The same brain is fed and its answers are carried out as always; only
 * where lives are led (chief__homes) is another: here a life is a role that reports what the test says, at the time that
 * the test says.
 */
#include <stdio.h>

#include "alloc.h"
#include "err.h"
#include "loop.h"
#include "request.h"

#define EVENT_CAPACITY 65536

struct chief_sim {
    chief *c;
    int64_t now;
    chief__member *first_report; /* in the order in which they came */
    chief__member *last_report;
    chief__question *first_answer;
    chief__question *last_answer;
};

/* ---- what a role reports ---- */

static void report(chief__member *member, chief__report_bit bit) {
    chief__role *role = &member->role;
    chief_sim *sim = role->sim;
    role->reports |= (uint32_t)bit;
    if (role->queued) return;
    role->queued = true;
    role->next_report = NULL;
    if (sim->last_report != NULL) sim->last_report->role.next_report = member;
    else sim->first_report = member;
    sim->last_report = member;
}

static void end(chief__member *member, int32_t reason) {
    member->role.reason = reason;
    report(member, member->role.stage == ROLE_HELD ? REPORT_FINISHED : REPORT_EXITED);
}

/* ---- where lives are led ---- */

static int64_t now(const chief *c) { return c->sim->now; }

static int64_t pool_now(const void *data) { return ((const chief_sim *)data)->now; }

static int init(chief *c, chief__member *member) {
    chief__role *role = &member->role;
    role->sim = c->sim;
    role->stage = ROLE_INIT;
    report(member, role->failing_inits > 0 ? REPORT_INIT_FAILED : REPORT_INITIALIZED);
    return CHIEF_OK;
}

static void run(chief__member *member) {
    member->role.stage = ROLE_RUN;
    report(member, REPORT_ENTERED);
}

static void finish(chief__member *member) { end(member, CHIEF_REASON_OK); }

static void cancel(chief__member *member, int64_t until, const char *why) {
    (void)until;
    (void)why;
    if (member->role.manners == CHIEF_SIM_OBEYS) end(member, CHIEF_REASON_OK);
}

static void force(chief__member *member, const char *why) {
    (void)why;
    if (member->role.manners != CHIEF_SIM_STUCK) end(member, CHIEF_REASON_KILLED);
}

static void abandon(chief__member *member) { member->role.stage = ROLE_ABANDONED; }

/* Here a policy of the host's answers at once. The brain learns of it when what it has just said has been carried out. */
static int ask_at_once(chief *c, chief__question *q) {
    chief_sim *sim = c->sim;
    chief__question_put(q);
    if (sim->last_answer != NULL) sim->last_answer->next = q;
    else sim->first_answer = q;
    sim->last_answer = q;
    return CHIEF_OK;
}

static void close_nothing(chief *c) { (void)c; }

static const chief__homes homes = {.now = now,
                                   .init = init,
                                   .run = run,
                                   .finish = finish,
                                   .cancel = cancel,
                                   .force = force,
                                   .abandon = abandon,
                                   .ask = ask_at_once,
                                   .close = close_nothing};

/* ---- hearing the reports ---- */

static void feed(chief *c, const chief__member *member, chief__step_kind kind, int32_t reason) {
    (void)chief__feed(c, kind, member->id, member->generation, reason);
}

static void init_failed(chief *c, chief__member *member) {
    chief__role *role = &member->role;
    role->failing_inits--;
    role->stage = ROLE_NONE;
    if (role->init_error != NULL) c->failure = chief__strdup(role->init_error);
    feed(c, member, STEP_INIT_FAILED, CHIEF_REASON_INIT_ERROR);
}

static void ended(chief *c, chief__member *member, chief__step_kind kind) {
    chief__step_event event = {.kind = kind,
                               .id = member->id,
                               .generation = member->generation,
                               .reason = member->role.reason,
                               .code = member->role.code};
    member->role.stage = ROLE_NONE;
    member->role.code = 0;
    chief__name_late(c, member);
    (void)chief__feed_event(c, &event);
}

/* The bits in the order in which a life has them. What follows from one of them may remove the member. */
static void hear(chief *c, chief__member *member, uint32_t bits) {
    uint32_t id = member->id;
    if (member->role.stage == ROLE_ABANDONED) return;
    if ((bits & REPORT_INIT_FAILED) != 0) {
        init_failed(c, member);
        return;
    }
    if ((bits & REPORT_INITIALIZED) != 0) {
        member->role.stage = ROLE_HELD;
        feed(c, member, STEP_INITIALIZED, CHIEF_REASON_NONE);
    }
    if ((bits & REPORT_ENTERED) != 0) feed(c, member, STEP_ENTERED, CHIEF_REASON_NONE);
    if ((bits & REPORT_LAST) == 0 || c->members[id] != member) return;
    ended(c, member, (bits & REPORT_FINISHED) != 0 ? STEP_FINISHED : STEP_EXITED);
}

void chief__sim_forget(chief__member *member) {
    chief_sim *sim = member->role.sim;
    chief__member **link = &sim->first_report;
    chief__member *before = NULL;
    for (; *link != member; link = &before->role.next_report) before = *link;
    *link = member->role.next_report;
    if (sim->last_report == member) sim->last_report = before;
    member->role.queued = false;
}

static void hear_report(chief_sim *sim) {
    chief__member *member = sim->first_report;
    uint32_t bits = member->role.reports;
    chief__sim_forget(member);
    member->role.reports = 0;
    hear(sim->c, member, bits);
}

static void hear_answer(chief_sim *sim) {
    chief__question *q = sim->first_answer;
    sim->first_answer = q->next;
    if (sim->first_answer == NULL) sim->last_answer = NULL;
    chief__hear_answer(sim->c, q);
}

static void settle(chief_sim *sim) {
    while (sim->first_report != NULL || sim->first_answer != NULL) {
        if (sim->first_report != NULL) hear_report(sim);
        else hear_answer(sim);
    }
}

static int obey(chief_sim *sim, chief__request_kind kind, const char *name, void *data) {
    chief__request request = {.kind = (int)kind, .name = name, .data = data};
    char text[sizeof request.text];
    int rc = chief__obey(sim->c, &request);
    if (rc != CHIEF_OK) (void)chief_last_error_take(text, sizeof text);
    settle(sim);
    return rc == CHIEF_OK ? rc : chief__fail(rc, "%s", text);
}

/* ---- making ---- */

int chief_sim_new(chief_sim **out, const chief_options *options) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    chief_options o;
    int rc = chief__options_read(&o, sizeof o, options, "chief_options");
    if (rc != CHIEF_OK) return rc;
    if (o.seed == 0) o.seed = 1;
    if (o.event_capacity == 0) o.event_capacity = EVENT_CAPACITY;
    o.log = NULL;
    chief_sim *sim = chief__calloc(1, sizeof *sim);
    if (sim == NULL) return chief__fail_code(CHIEF_ENOMEM);
    rc = chief_new(&sim->c, &o);
    if (rc != CHIEF_OK) {
        chief__free(sim);
        return rc;
    }
    sim->c->sim = sim;
    sim->c->homes = &homes;
    chief__pool_set_clock(sim->c->pool, pool_now, sim);
    *out = sim;
    return CHIEF_OK;
}

/* The chief has neither a thread nor lives: nothing has to end before it goes. */
void chief_sim_free(chief_sim *sim) {
    if (sim == NULL) return;
    chief__unref(sim->c);
    chief__free(sim);
}

static bool is_started(const chief_sim *sim) { return sim->c->stage != STAGE_NEW; }

static int never_run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

/* That there is an interrupt lets the brain try it; what comes of it is a matter of manners. */
static void never_interrupt(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
}

static const chief_worker_ops ops = {.size = sizeof ops, .run = never_run, .interrupt = never_interrupt};

int chief_sim_add_worker(chief_sim *sim, const char *name, const chief_worker_options *options) {
    chief_worker_options o;
    chief__unit *unit;
    if (sim == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__options_read(&o, sizeof o, options, "chief_worker_options");
    if (rc != CHIEF_OK) return rc;
    o.destroy = NULL;
    o.args = (chief_bytes){NULL, 0};
    o.process = NULL;
    rc = chief__unit_new(&unit, name, &ops, NULL, &o);
    if (rc != CHIEF_OK) return rc;
    rc = is_started(sim) ? obey(sim, REQUEST_ADD, NULL, unit) : chief__members_add(sim->c, unit, false);
    chief__unit_unref(unit);
    return rc;
}

int chief_sim_add_group(chief_sim *sim, const char *name, int32_t policy, const char *const *names, size_t n) {
    return sim == NULL ? chief__fail_code(CHIEF_EINVAL) : chief_add_group(sim->c, name, policy, names, n);
}

int chief_sim_enable_workers(chief_sim *sim, const char *const *names, size_t n) {
    if (sim == NULL || (names == NULL && n > 0)) return chief__fail_code(CHIEF_EINVAL);
    if (!is_started(sim)) return chief_enable_workers(sim->c, names, n);
    for (size_t i = 0; i < n; i++)
        if (names[i] == NULL) return chief__fail(CHIEF_EINVAL, "name %zu is NULL", i);
    chief__name_list list = {names, n};
    return obey(sim, REQUEST_ENABLE, NULL, &list);
}

int chief_sim_start(chief_sim *sim) {
    if (sim == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief *c = sim->c;
    if (is_started(sim)) return chief__fail(CHIEF_EBUSY, "the simulation was started before");
    int rc = chief__model_link(c->model);
    if (rc == CHIEF_OK) rc = chief__settle_members(c);
    if (rc != CHIEF_OK) return rc;
    (void)chief__pool_own(c->pool); /* which nobody else knows */
    c->stage = STAGE_LAUNCHED;
    rc = obey(sim, REQUEST_INIT, NULL, NULL);
    return rc == CHIEF_OK ? obey(sim, REQUEST_LAUNCH, NULL, NULL) : rc;
}

/* ---- time ---- */

int chief_sim_advance(chief_sim *sim, int64_t ms) {
    if (sim == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (ms < 0) return chief__fail(CHIEF_EINVAL, "time does not go backwards");
    int64_t until = ms < INT64_MAX - sim->now ? sim->now + ms : INT64_MAX - 1;
    int64_t due;
    while ((due = chief__model_deadline(sim->c->model)) <= until) {
        if (due > sim->now) sim->now = due;
        (void)chief__feed(sim->c, STEP_TICK, 0, 0, 0);
        settle(sim);
    }
    sim->now = until;
    return CHIEF_OK;
}

int64_t chief_sim_now(const chief_sim *sim) { return sim != NULL ? sim->now : 0; }

int64_t chief_sim_deadline(const chief_sim *sim) {
    int64_t due = sim != NULL ? chief__model_deadline(sim->c->model) : INT64_MAX;
    return due == INT64_MAX ? -1 : due;
}

/* ---- what becomes of a worker ---- */

/* A name with replicas does not say whose fate is meant. */
static int find_one(chief_sim *sim, const char *name, chief__member **out) {
    *out = NULL;
    if (sim == NULL || name == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = chief__member_find(sim->c, name);
    if (*out != NULL) return CHIEF_OK;
    if (chief__members_there(sim->c, name))
        return chief__fail(CHIEF_ENOENT, "worker %s has replicas: say which, such as %s/1", name, name);
    return chief__unknown_name(sim->c, name);
}

static int fail_not_running(const chief_sim *sim, const chief__member *member) {
    char state[32];
    (void)chief_state_to_string(chief__model_state(sim->c->model, member->id), state, sizeof state);
    return chief__fail(CHIEF_ESTATE, "worker %s does not run: it is %s (%s)", member->unit->name, state,
                       chief_phase_name(chief__model_phase(sim->c->model, member->id)));
}

static int find_running(chief_sim *sim, const char *name, chief__member **out) {
    int rc = find_one(sim, name, out);
    if (*out == NULL) return rc;
    return (*out)->role.stage == ROLE_RUN ? CHIEF_OK : fail_not_running(sim, *out);
}

int chief_sim_fail(chief_sim *sim, const char *name, int32_t reason, int32_t code, const char *text) {
    chief__member *member;
    char exit_text[24];
    int rc = find_running(sim, name, &member);
    if (rc != CHIEF_OK) return rc;
    if (reason == CHIEF_REASON_NONE) reason = CHIEF_REASON_ERROR;
    if (reason < CHIEF_REASON_ERROR || reason > CHIEF_REASON_CANCELLED)
        return chief__fail(CHIEF_EINVAL, "%d is no reason of a failure", (int)reason);
    if (text == NULL && code != 0) {
        (void)snprintf(exit_text, sizeof exit_text, "exit %d", (int)code);
        text = exit_text;
    }
    char *copy = text != NULL ? chief__strdup(text) : NULL;
    if (text != NULL && copy == NULL) return chief__fail_code(CHIEF_ENOMEM);
    sim->c->failure = copy;
    member->role.reason = reason;
    member->role.code = code;
    ended(sim->c, member, STEP_EXITED);
    settle(sim);
    return CHIEF_OK;
}

static int set_init_error(chief__role *role, uint32_t n, const char *text) {
    char *copy = text != NULL ? chief__strdup(text) : NULL;
    if (text != NULL && copy == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__free(role->init_error);
    role->init_error = copy;
    role->failing_inits = n;
    return CHIEF_OK;
}

int chief_sim_fail_init(chief_sim *sim, const char *name, uint32_t n, const char *text) {
    if (sim == NULL || name == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (!chief__members_there(sim->c, name)) return chief__unknown_name(sim->c, name);
    chief__members_of of = chief__members_named(sim->c, name);
    int rc = CHIEF_OK;
    for (chief__member *m; rc == CHIEF_OK && (m = chief__members_next(sim->c, &of)) != NULL;)
        rc = set_init_error(&m->role, n, text);
    return rc;
}

/* The thread of an abandoned generation ends after all. */
static void end_late(chief *c, chief__member *member) {
    member->role.stage = ROLE_NONE;
    member->abandoned = false;
    feed(c, member, STEP_LATE, CHIEF_REASON_NONE);
}

int chief_sim_finish(chief_sim *sim, const char *name) {
    chief__member *member;
    int rc = find_one(sim, name, &member);
    if (rc != CHIEF_OK) return rc;
    member->role.reason = CHIEF_REASON_OK;
    if (member->role.stage == ROLE_ABANDONED) end_late(sim->c, member);
    else if (member->role.stage == ROLE_RUN) ended(sim->c, member, STEP_EXITED);
    else return fail_not_running(sim, member);
    settle(sim);
    return CHIEF_OK;
}

int chief_sim_ready(chief_sim *sim, const char *name) {
    chief__member *member;
    int rc = find_running(sim, name, &member);
    if (rc != CHIEF_OK) return rc;
    if ((member->unit->flags & CHIEF_WORKER_SAYS_READY) == 0)
        return chief__fail(CHIEF_EINVAL, "worker %s is ready when it runs: it does not say so itself", name);
    feed(sim->c, member, STEP_READY, CHIEF_REASON_NONE);
    settle(sim);
    return CHIEF_OK;
}

int chief_sim_behave(chief_sim *sim, const char *name, int32_t manners) {
    if (sim == NULL || name == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (manners < CHIEF_SIM_OBEYS || manners > CHIEF_SIM_STUCK)
        return chief__fail(CHIEF_EINVAL, "%d is none of the manners", (int)manners);
    if (!chief__members_there(sim->c, name)) return chief__unknown_name(sim->c, name);
    chief__members_of of = chief__members_named(sim->c, name);
    for (chief__member *m; (m = chief__members_next(sim->c, &of)) != NULL;) m->role.manners = manners;
    return CHIEF_OK;
}

/* ---- requests ---- */

static int check_started(const chief_sim *sim) {
    if (sim == NULL) return chief__fail_code(CHIEF_EINVAL);
    return is_started(sim) ? CHIEF_OK : chief__fail(CHIEF_ENOTINIT, "the simulation has not been started");
}

static int tell_all(chief_sim *sim, chief__step_kind kind, const char *why) {
    int rc = check_started(sim);
    if (rc != CHIEF_OK || sim->c->ended) return rc;
    if (sim->c->stop_why == NULL) sim->c->stop_why = why;
    (void)chief__feed(sim->c, kind, 0, 0, 0);
    settle(sim);
    return CHIEF_OK;
}

int chief_sim_stop(chief_sim *sim) { return tell_all(sim, STEP_STOP_ALL, NULL); }

int chief_sim_force_stop(chief_sim *sim) { return tell_all(sim, STEP_FORCE, NULL); }

int chief_sim_signal(chief_sim *sim) { return tell_all(sim, STEP_SIGNAL, "SIGTERM"); }

static int ask(chief_sim *sim, chief__request_kind kind, const char *name) {
    int rc = check_started(sim);
    if (rc != CHIEF_OK) return rc;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    return sim->c->ended ? chief__fail(CHIEF_ECLOSED, "the chief has stopped") : obey(sim, kind, name, NULL);
}

int chief_sim_start_worker(chief_sim *sim, const char *name) { return ask(sim, REQUEST_START, name); }

int chief_sim_stop_worker(chief_sim *sim, const char *name) { return ask(sim, REQUEST_STOP, name); }

int chief_sim_restart_worker(chief_sim *sim, const char *name) { return ask(sim, REQUEST_RESTART, name); }

int chief_sim_remove_worker(chief_sim *sim, const char *name) { return ask(sim, REQUEST_REMOVE, name); }

/* ---- looking ---- */

int chief_sim_states(chief_sim *sim, chief_snapshot **out) {
    if (out != NULL) *out = NULL;
    return sim == NULL ? chief__fail_code(CHIEF_EINVAL) : chief_pool_states(sim->c->pool, out);
}

int chief_sim_take_events(chief_sim *sim, chief_event **out, size_t max, size_t *n) {
    if (n != NULL) *n = 0;
    if (sim == NULL || out == NULL || n == NULL || max == 0) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__events_take(sim->c->events, out, max, 0, n);
    return rc == CHIEF_EAGAIN || rc == CHIEF_ECLOSED ? CHIEF_OK : rc;
}

int chief_sim_has_stopped(const chief_sim *sim) { return sim != NULL && sim->c->ended; }

int chief_sim_exit_code(const chief_sim *sim) { return chief_sim_has_stopped(sim) ? sim->c->exit_code : 0; }
