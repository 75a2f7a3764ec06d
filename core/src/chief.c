#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "info.h"
#include "intensity.h"
#include "loop.h"
#include "replica.h"
#include "request.h"

#define FORCE_STOP_TIMEOUT_MS 45000
#define INIT_TIMEOUT_MS 30000
#define HOOK_TIMEOUT_MS 5000
#define FORCE_TIME_MS 100
#define EVENT_CAPACITY 1024
#define RESTART_WINDOW_MS 60000
#define STACK_SIZE ((size_t)1024 * 1024)
#define STACK_SIZE_LEAST ((size_t)512 * 1024)
#define DEFAULT_NAME "chief"

static int check_process(void) {
    return chief__forked()
               ? chief__fail(CHIEF_EFORK, "a chief lives in the process that made it, not in a forked child")
               : CHIEF_OK;
}

int chief__check(const chief *c) { return c != NULL ? check_process() : chief__fail_code(CHIEF_EINVAL); }

/* ---- making and freeing ---- */

static uint64_t seed_of(uint64_t given) {
    uint64_t seed = given;
    if (seed == 0 && !chief__random(&seed, sizeof seed)) seed = (uint64_t)chief__now_ms();
    return seed != 0 ? seed : 1;
}

static void on_dropped(void *inbox, const char *channel, const char *worker) {
    chief__inbox_note(inbox, channel, worker);
}

/* What is refused through the pool before the chief runs is an event like what is refused later. */
static void tell_refusal(void *events, const chief_event *event) { chief__events_push(events, event); }

static int make_parts(chief *c, const chief_options *o) {
    chief__model_options model = {.force_stop_timeout = chief__or_default(o->force_stop_timeout, FORCE_STOP_TIMEOUT_MS),
                                  .init_timeout = chief__or_default(o->init_timeout, INIT_TIMEOUT_MS),
                                  .seed = seed_of(o->seed),
                                  .exit_when_done = o->exit_when_done != 0,
                                  .limited = o->max_restarts != 0,
                                  .max_restarts = chief__or_default(o->max_restarts, 0),
                                  .restart_window = chief__or_default(o->restart_window, RESTART_WINDOW_MS)};
    int rc = chief__inbox_new(&c->inbox, chief__wake, c);
    if (rc == CHIEF_OK) rc = chief_pool_new(&c->pool);
    if (rc == CHIEF_OK) rc = chief__hub_new(&c->hub, on_dropped, c->inbox);
    if (rc == CHIEF_OK) rc = chief__events_new(&c->events, o->event_capacity != 0 ? o->event_capacity : EVENT_CAPACITY);
    if (rc == CHIEF_OK) rc = chief_pool_set_log(c->pool, o->log);
    if (rc == CHIEF_OK) chief__pool_watch(c->pool, tell_refusal, c->events);
    if (rc == CHIEF_OK) rc = chief_context_new(&c->context, NULL);
    if (rc == CHIEF_OK) rc = chief_context_new(&c->stop_context, c->context);
    if (rc == CHIEF_OK) rc = chief__model_new(&c->model, &model);
    return rc;
}

static int check_level(int32_t level) {
    if (level >= CHIEF_DEBUG && level <= CHIEF_OFF) return CHIEF_OK;
    return chief__fail(CHIEF_EINVAL, "event_level should be CHIEF_DEBUG (1) to CHIEF_OFF (5), got %d", (int)level);
}

static int check_options(const chief_options *o) {
    if ((o->force_stop_timeout < 0 && o->force_stop_timeout != CHIEF_ZERO) ||
        (o->init_timeout < 0 && o->init_timeout != CHIEF_ZERO) ||
        (o->hook_timeout < 0 && o->hook_timeout != CHIEF_ZERO) || (o->force_time < 0 && o->force_time != CHIEF_ZERO))
        return chief__fail(CHIEF_EINVAL, "chief_options: a timeout is negative");
    if ((o->max_restarts < 0 && o->max_restarts != CHIEF_ZERO) || o->max_restarts > CHIEF__INTENSITY_MOST)
        return chief__fail(CHIEF_EINVAL, "chief_options: max_restarts should be from 0 to %d",
                           (int)CHIEF__INTENSITY_MOST);
    if (o->restart_window < 0 && o->restart_window != CHIEF_ZERO)
        return chief__fail(CHIEF_EINVAL, "chief_options: restart_window is negative");
    if (o->restart_window != 0 && o->max_restarts == 0)
        return chief__fail(CHIEF_EINVAL, "chief_options: a restart_window without max_restarts limits nothing");
    if (o->thread_stack != 0 && o->thread_stack < STACK_SIZE_LEAST)
        return chief__fail(CHIEF_EINVAL, "chief_options: thread_stack should be at least %zu bytes", STACK_SIZE_LEAST);
    return o->event_level != 0 ? check_level(o->event_level) : CHIEF_OK;
}

int chief_new(chief **out, const chief_options *options) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    chief_options o;
    int rc = check_process();
    if (rc == CHIEF_OK) rc = chief__options_read(&o, sizeof o, options, "chief_options");
    if (rc == CHIEF_OK) rc = check_options(&o);
    if (rc != CHIEF_OK) return rc;
    chief *c = chief__calloc(1, sizeof *c);
    if (c == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&c->refs, 1);
    chief__mutex_init(&c->lock);
    chief__cond_init(&c->changed);
    c->homes = &chief__thread_homes;
    c->enable_by_default = o.require_names == 0;
    c->exit_when_done = o.exit_when_done != 0;
    c->hook_timeout = chief__or_default(o.hook_timeout, HOOK_TIMEOUT_MS);
    c->force_time = chief__or_default(o.force_time, FORCE_TIME_MS);
    c->thread_stack = o.thread_stack != 0 ? o.thread_stack : STACK_SIZE;
    c->fiber_threads = o.fiber_threads;
    c->log = chief_log_ref(o.log);
    c->name = chief__strdup(o.name != NULL ? o.name : DEFAULT_NAME);
    rc = c->name != NULL ? make_parts(c, &o) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK) rc = chief__info_take(c, o.info);
    if (rc == CHIEF_OK) rc = chief__info_show(c, false);
    if (rc == CHIEF_OK && o.event_level != 0) chief__events_set_level(c->events, o.event_level);
    if (rc == CHIEF_OK) *out = c;
    else chief__unref(c);
    return rc;
}

chief *chief__ref(chief *c) {
    (void)atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void chief__unref(chief *c) {
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < c->n_members; i++)
        if (c->members[i] != NULL) chief__member_drop(c, c->members[i]);
    chief__free(c->members);
    chief__model_free(c->model);
    chief__hooks_free(c->hooks);
    if (c->context != NULL) chief_context_cancel(c->context, "the chief is gone");
    chief_context_unref(c->parent);
    chief__worker_unref(c->outer_life);
    chief_context_unref(c->stop_context);
    chief_context_unref(c->context);
    if (c->hub != NULL) chief__hub_close(c->hub);
    chief__hub_unref(c->hub);
    chief__events_unref(c->events);
    if (c->inbox != NULL) chief__inbox_close(c->inbox);
    chief__inbox_unref(c->inbox);
    if (c->pool != NULL) chief__pool_end_lives(c->pool);
    chief__pool_unref(c->pool);
    chief_log_unref(c->log);
    chief__spawner_unref(c->spawner);
    chief__free(c->names_late);
    chief__info_clear(c);
    chief__free(c->lost);
    chief__free(c->stop_text);
    chief__free(c->result_text);
    chief__free(c->name);
    chief__cond_fini(&c->changed);
    chief__mutex_fini(&c->lock);
    chief__free(c);
}

/* Whether the caller has to join the loop's thread. */
static bool begin_free(chief *c) {
    chief__lock(&c->lock);
    bool runs = c->stage != STAGE_NEW && !c->joined;
    if (chief__inbox_is_own_thread(c->inbox)) {
        if (runs && c->stage == STAGE_STOPPED) chief__thread_detach(&c->thread); /* the loop has looked already */
        c->detached = runs;
        runs = false;
    } else {
        c->joined = true;
    }
    chief__unlock(&c->lock);
    return runs;
}

void chief_free(chief *c) {
    if (c == NULL || chief__forked()) return;
    (void)chief_stop(c);
    if (begin_free(c)) chief__thread_join(&c->thread);
    chief__unref(c);
}

/* ---- members ---- */

chief__member *chief__member_find(chief *c, const char *name) {
    chief__entry *entry = chief__pool_find(c->pool, name);
    return entry != NULL ? chief__entry_owner(entry) : NULL;
}

chief__members_of chief__members_named(chief *c, const char *name) {
    uint32_t last = chief__model_replicas(c->model, name);
    return (chief__members_of){.name = name, .next = last > 0, .last = last};
}

chief__member *chief__members_next(chief *c, chief__members_of *of) {
    char name[CHIEF__REPLICA_NAME_SIZE];
    if (of->next == 0) {
        of->next = 1; /* beyond `last`, which is 0 */
        return chief__member_find(c, of->name);
    }
    while (of->next <= of->last) {
        chief__replica_name(name, of->name, of->next++);
        chief__member *member = chief__member_find(c, name);
        if (member != NULL) return member;
    }
    return NULL;
}

const char *chief__plain_name(const chief__member *member) {
    const chief__unit *unit = member->unit;
    return unit->whole != NULL ? unit->whole->name : unit->name;
}

bool chief__members_there(chief *c, const char *name) {
    chief__members_of of = chief__members_named(c, name);
    return chief__members_next(c, &of) != NULL;
}

static int room_for(chief *c, uint32_t id) {
    if (id < c->n_members) return CHIEF_OK;
    size_t n = c->n_members == 0 ? 16 : 2 * c->n_members;
    while (n <= id) n *= 2;
    chief__member **grown = chief__realloc(c->members, n * sizeof *grown);
    if (grown == NULL) return chief__fail_code(CHIEF_ENOMEM);
    memset(grown + c->n_members, 0, (n - c->n_members) * sizeof *grown);
    c->members = grown;
    c->n_members = n;
    return CHIEF_OK;
}

static int add_to_model(chief *c, chief__unit *unit, bool enabled, uint32_t *id) {
    chief__model_worker w = {.name = unit->name,
                             .restart = unit->restart,
                             .after = (const char *const *)unit->after,
                             .n_after = unit->n_after,
                             .says_ready = (unit->flags & CHIEF_WORKER_SAYS_READY) != 0,
                             .enabled = enabled,
                             .grace = unit->grace,
                             .start_timeout = unit->start_timeout,
                             .forceable = unit->ops.interrupt != NULL,
                             .force_ms = c->force_time,
                             .critical = (unit->flags & CHIEF_WORKER_CRITICAL) != 0,
                             .no_restart_codes = unit->no_restart_codes,
                             .n_no_restart_codes = unit->n_no_restart_codes,
                             .asks = unit->policy.on_exit != NULL,
                             .answer_ms = unit->policy.timeout};
    return chief__model_add(c->model, &w, id);
}

/* The model comes last: it is the one that can't forget again. */
static int member_fill(chief *c, chief__member *member, bool enabled) {
    chief__unit *unit = member->unit;
    int rc = chief__pool_add(c->pool, unit->name, &unit->ops, unit->data, &member->entry);
    if (rc != CHIEF_OK) return rc;
    chief__entry_set_owner(member->entry, member);
    rc = chief__hub_add_worker(c->hub, unit->name, unit->mailbox_capacity);
    if (rc == CHIEF_OK) {
        rc = room_for(c, (uint32_t)chief__model_room(c->model));
        if (rc == CHIEF_OK) rc = add_to_model(c, unit, enabled, &member->id);
        if (rc != CHIEF_OK) chief__hub_remove_worker(c->hub, unit->name);
    }
    if (rc != CHIEF_OK) chief__pool_drop(c->pool, member->entry);
    return rc;
}

static int member_add(chief *c, chief__unit *unit, bool enabled) {
    size_t n_history = unit->policy.on_exit != NULL ? CHIEF__HISTORY : 0;
    chief__member *member = chief__calloc(1, sizeof *member + n_history * sizeof member->history[0]);
    if (member == NULL) return chief__fail_code(CHIEF_ENOMEM);
    member->unit = chief__unit_ref(unit);
    int rc = member_fill(c, member, enabled);
    if (rc != CHIEF_OK) {
        chief__unit_unref(member->unit);
        chief__free(member);
        return rc;
    }
    c->members[member->id] = member;
    return CHIEF_OK;
}

static int add_replica(chief *c, chief__unit *whole, uint32_t number, bool enabled) {
    chief__unit *unit;
    int rc = chief__unit_replica(&unit, whole, number);
    if (rc != CHIEF_OK) return rc;
    rc = member_add(c, unit, enabled);
    chief__unit_unref(unit);
    return rc;
}

/* Nobody was told of them. */
static void take_back(chief *c, const char *name) {
    chief__members_of of = chief__members_named(c, name);
    for (chief__member *m; (m = chief__members_next(c, &of)) != NULL;) {
        chief__model_take_back(c->model, m->id);
        chief__hub_remove_worker(c->hub, m->unit->name);
        chief__pool_drop(c->pool, m->entry);
        chief__member_drop(c, m);
    }
}

static int add_replicas(chief *c, chief__unit *whole, bool enabled) {
    int rc = CHIEF_OK;
    for (uint32_t number = 1; rc == CHIEF_OK && number <= whole->count; number++)
        rc = add_replica(c, whole, number, enabled);
    if (rc != CHIEF_OK) take_back(c, whole->name);
    return rc;
}

/* The worker, or each of its replicas, or on an error none. */
int chief__members_add(chief *c, chief__unit *unit, bool enabled) {
    if (chief__pool_find(c->pool, unit->name) != NULL || chief__model_replicas(c->model, unit->name) > 0)
        return chief__fail(CHIEF_EEXIST, "there is a worker %s already", unit->name);
    int rc = unit->count > 1 ? add_replicas(c, unit, enabled) : member_add(c, unit, enabled);
    if (rc != CHIEF_OK) return rc;
    unit->armed = true;
    chief__members_of of = chief__members_named(c, unit->name);
    for (chief__member *m; (m = chief__members_next(c, &of)) != NULL;) {
        chief__record_state(c, m, CHIEF_WORKER_NULL, CHIEF_WORKER_PRESENT);
        if (enabled) chief__record_state(c, m, CHIEF_WORKER_PRESENT, CHIEF_WORKER_ENABLED);
    }
    return CHIEF_OK;
}

void chief__member_drop(chief *c, chief__member *member) {
    c->members[member->id] = NULL;
    if (member->role.queued) chief__sim_forget(member);
    chief__free(member->birth_error);
    chief__free(member->role.init_error);
    chief__free(member->where);
    chief__unit_unref(member->unit);
    chief__free(member);
}

int chief__unknown_name(chief *c, const char *name) { return chief__pool_unknown(c->pool, name); }

int chief__add_unit(chief *c, chief__unit *unit) {
    int rc = CHIEF_OK;
    chief__lock(&c->lock);
    bool running = c->stage != STAGE_NEW;
    if (!running) rc = chief__members_add(c, unit, false);
    chief__unlock(&c->lock);
    return running ? chief__ask(c, REQUEST_ADD, NULL, unit, 0) : rc;
}

int chief_add_worker(chief *c, const char *name, const chief_worker_ops *ops, void *data) {
    return chief_add_worker_with(c, name, ops, data, NULL);
}

int chief_add_worker_with(chief *c, const char *name, const chief_worker_ops *ops, void *data,
                          const chief_worker_options *options) {
    chief__unit *unit;
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = chief__unit_new(&unit, name, ops, data, options);
    if (rc != CHIEF_OK) return rc;
    if (unit->isolation == CHIEF_PROCESS)
        rc = chief__fail(CHIEF_EINVAL,
                         "worker %s: a table of callbacks can't go into a process: chief_add_process and "
                         "chief_add_plugin can",
                         name);
    else rc = chief__unit_set_apart(c, unit, options);
    if (rc == CHIEF_OK) rc = chief__add_unit(c, unit);
    chief__unit_unref(unit);
    return rc;
}

int chief_add_group(chief *c, const char *name, int32_t policy, const char *const *names, size_t n) {
    if (c == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__name_check(name, "group");
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    bool late = c->stage != STAGE_NEW;
    if (!late) rc = chief__model_add_group(c->model, name, policy, names, n);
    chief__unlock(&c->lock);
    return late ? chief__fail(CHIEF_EBUSY, "group %s: groups are made before chief_init_workers", name) : rc;
}

int chief_add_channel(chief *c, const char *name, const chief_channel_options *options) {
    int rc = chief__check(c);
    return rc == CHIEF_OK ? chief__hub_add_channel(c->hub, name, options) : rc;
}

int chief_get_channel(chief *c, const char *name, chief_channel **out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    chief_channel *ch;
    rc = chief__hub_channel(c->hub, name, &ch);
    if (rc == CHIEF_OK) *out = chief_channel_ref(ch);
    return rc;
}

/* ---- enabling ---- */

static void enable_member(chief *c, chief__member *member) {
    chief_state_t state = chief_pool_get_state(c->pool, member->unit->name);
    member->named = true;
    if (state == CHIEF_WORKER_PRESENT || state == CHIEF_WORKER_DISABLED)
        chief__record_state(c, member, state, CHIEF_WORKER_ENABLED);
}

static int enable_named(chief *c, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!chief__members_there(c, names[i])) return chief__unknown_name(c, names[i]);
    for (size_t i = 0; i < n; i++) {
        chief__members_of of = chief__members_named(c, names[i]);
        for (chief__member *m; (m = chief__members_next(c, &of)) != NULL;) enable_member(c, m);
    }
    c->any_named = c->any_named || n > 0;
    return CHIEF_OK;
}

int chief_enable_workers(chief *c, const char *const *names, size_t n) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (names == NULL && n > 0) return chief__fail_code(CHIEF_EINVAL);
    for (size_t i = 0; i < n; i++)
        if (names[i] == NULL) return chief__fail(CHIEF_EINVAL, "name %zu is NULL", i);
    chief__name_list list = {names, n};
    chief__lock(&c->lock);
    bool running = c->stage != STAGE_NEW;
    if (!running) rc = enable_named(c, names, n);
    chief__unlock(&c->lock);
    return running ? chief__ask(c, REQUEST_ENABLE, NULL, &list, 0) : rc;
}

int chief_enable_worker(chief *c, const char *name) { return chief_enable_workers(c, &name, 1); }

int chief_is_enabled(chief *c, const char *name) {
    if (chief__check(c) != CHIEF_OK || name == NULL) return 0;
    chief__lock(&c->lock);
    chief_state_t least = chief__pool_least(c->pool, name);
    bool by_default = c->stage == STAGE_NEW && c->enable_by_default && !c->any_named;
    chief__unlock(&c->lock);
    return least >= (by_default ? CHIEF_WORKER_PRESENT : CHIEF_WORKER_ENABLED);
}

/* ---- settings ---- */

int chief_set_enable_by_default(chief *c, int on) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    bool late = c->stage != STAGE_NEW;
    if (!late) c->enable_by_default = on != 0;
    chief__unlock(&c->lock);
    return late ? chief__fail(CHIEF_EBUSY, "enable_by_default is looked at once, by chief_init_workers") : CHIEF_OK;
}

static int set_in_model(chief *c, chief__request_kind kind, int64_t number) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    bool running = c->stage != STAGE_NEW;
    if (!running && kind == REQUEST_FORCE_STOP_TIMEOUT) chief__model_set_force_stop_timeout(c->model, number);
    if (!running && kind == REQUEST_EXIT_WHEN_DONE) chief__model_set_exit_when_done(c->model, number != 0);
    chief__unlock(&c->lock);
    return running ? chief__ask(c, kind, NULL, NULL, number) : CHIEF_OK;
}

int chief_set_force_stop_timeout(chief *c, int64_t ms) {
    if (ms < 0 && ms != CHIEF_ZERO) return chief__fail(CHIEF_EINVAL, "force_stop_timeout is negative");
    return set_in_model(c, REQUEST_FORCE_STOP_TIMEOUT, chief__or_default(ms, FORCE_STOP_TIMEOUT_MS));
}

int chief_set_exit_when_done(chief *c, int on) { return set_in_model(c, REQUEST_EXIT_WHEN_DONE, on != 0); }

int chief_on_shutdown(chief *c, void (*hook)(void *data), void *data) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (hook == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__hook *made = chief__calloc(1, sizeof *made);
    if (made == NULL) return chief__fail_code(CHIEF_ENOMEM);
    made->run = hook;
    made->data = data;
    chief__lock(&c->lock);
    bool closed = c->hooks_taken || c->stage == STAGE_STOPPED;
    if (!closed) {
        made->next = c->hooks;
        c->hooks = made;
    }
    chief__unlock(&c->lock);
    if (!closed) return CHIEF_OK;
    chief__free(made);
    return chief__fail(CHIEF_ECLOSED, "the shutdown hooks have begun or are over");
}

int chief_catch_signals(chief *c, uint32_t catches) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if ((catches & ~(uint32_t)(CHIEF_CATCH_STOP | CHIEF_CATCH_HUP | CHIEF_CATCH_USR2 | CHIEF_CATCH_LAST)) != 0)
        return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&c->lock);
    bool late = c->stage != STAGE_NEW;
    if (!late) c->catches = catches;
    chief__unlock(&c->lock);
    return late ? chief__fail(CHIEF_EBUSY, "signals are to be caught before chief_init_workers") : CHIEF_OK;
}

int chief_set_locker(chief *c, int (*wait)(void *data, chief_context *ctx), void *data) {
    if (c == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&c->lock);
    bool late = c->stage != STAGE_NEW || c->starting;
    if (!late) {
        c->locker = wait;
        c->locker_data = data;
    }
    chief__unlock(&c->lock);
    return late ? chief__fail(CHIEF_EBUSY, "a locker is to be set before chief_init_workers") : CHIEF_OK;
}

/* ---- looking ---- */

int chief_states(chief *c, chief_snapshot **out) {
    if (out != NULL) *out = NULL;
    int rc = chief__check(c);
    return rc == CHIEF_OK ? chief_pool_states(c->pool, out) : rc;
}

chief_pool *chief_get_pool(chief *c) { return c != NULL ? c->pool : NULL; }

chief_context *chief_get_context(chief *c) { return c != NULL ? c->context : NULL; }

chief_context *chief_get_stop_context(chief *c) { return c != NULL ? c->stop_context : NULL; }

int chief_add_value(chief *c, const char *key, const chief_value *value) {
    return c == NULL ? chief__fail_code(CHIEF_EINVAL) : chief_context_set(c->context, key, value);
}

const char *chief_get_name(chief *c) { return c != NULL ? c->name : ""; }

int chief_exit_code(chief *c) { return c != NULL && chief_has_stopped(c) ? c->exit_code : 0; }

int chief_send(chief *c, const char *to, const void *data, size_t len, int64_t timeout_ms) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (to == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (strcmp(to, "*") == 0) return chief_broadcast(c, data, len, NULL);
    return chief__hub_send(c->hub, NULL, to, data, len, timeout_ms);
}

int chief_broadcast(chief *c, const void *data, size_t len, size_t *reached) {
    int rc = chief__check(c);
    return rc == CHIEF_OK ? chief__hub_broadcast(c->hub, NULL, data, len, reached) : rc;
}

int chief_call(chief *c, const char *to, const void *data, size_t len, int64_t timeout_ms, chief_msg **reply) {
    if (reply == NULL) return chief__fail_code(CHIEF_EINVAL);
    *reply = NULL;
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (to == NULL) return chief__fail_code(CHIEF_EINVAL);
    return chief__hub_call(c->hub, NULL, to, data, len, timeout_ms, reply);
}

int chief_take_events(chief *c, chief_event **out, size_t max, int64_t timeout_ms, size_t *n) {
    if (n != NULL) *n = 0;
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (out == NULL || n == NULL || max == 0) return chief__fail_code(CHIEF_EINVAL);
    return chief__events_take(c->events, out, max, timeout_ms, n);
}

int chief_set_event_level(chief *c, int32_t level) {
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = check_level(level);
    if (rc == CHIEF_OK) chief__events_set_level(c->events, level);
    return rc;
}

uint64_t chief_late_replies(chief *c) { return chief__check(c) == CHIEF_OK ? chief__hub_late_replies(c->hub) : 0; }

uint64_t chief_events_dropped(chief *c) { return chief__check(c) == CHIEF_OK ? chief__events_dropped(c->events) : 0; }

int chief_events_fd(chief *c) {
    int rc = chief__check(c);
    return rc == CHIEF_OK ? chief__events_fd(c->events) : rc;
}
