#include "model.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "replica.h"

/* More than one step can say about one worker (its deadline, then the event, then a stop), and about all. What a step does
 * not write is never touched. */
enum { ACTIONS_EACH = 16, ACTIONS_MORE = 16 };

int chief__model_new(chief__model **out, const chief__model_options *options) {
    chief__model *m = chief__calloc(1, sizeof *m);
    *out = m;
    if (m == NULL) return chief__fail_code(CHIEF_ENOMEM);
    m->options = *options;
    m->random = options->seed;
    m->free_slot = m->first = m->last = CHIEF__NONE;
    m->actions_capacity = ACTIONS_MORE;
    m->actions = chief__alloc(m->actions_capacity * sizeof *m->actions);
    int rc = m->actions != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK && options->limited)
        rc = chief__intensity_init(&m->budget, options->max_restarts, options->restart_window);
    if (rc == CHIEF_OK) return rc;
    chief__model_free(m);
    *out = NULL;
    return rc;
}

static void free_parts(chief__life *w) {
    chief__free(w->after);
    chief__free(w->codes);
    chief__intensity_fini(&w->intensity);
}

void chief__model_free(chief__model *m) {
    if (m == NULL) return;
    for (uint32_t id = 0; id < m->len; id++) free_parts(&m->members[id]);
    chief__model_free_groups(m);
    chief__names_fini(&m->names);
    chief__agenda_fini(&m->agenda);
    chief__free(m->members);
    chief__intensity_fini(&m->budget);
    chief__free(m->actions);
    chief__free(m->order);
    chief__free(m->level_live);
    chief__free(m->level_from);
    chief__free(m);
}

static int grow_ids(uint32_t **block, uint32_t n) {
    uint32_t *larger = chief__realloc(*block, sizeof **block * n);
    if (larger == NULL) return chief__fail_code(CHIEF_ENOMEM);
    *block = larger;
    return CHIEF_OK;
}

/* Room for one more slot in everything that is as long as there are slots. */
static int reserve_slot(chief__model *m) {
    if (m->free_slot != CHIEF__NONE || m->len < m->capacity) return CHIEF_OK;
    uint32_t n = m->capacity > 0 ? 2 * m->capacity : 16;
    int rc = chief__agenda_reserve(&m->agenda, n);
    if (rc == CHIEF_OK) rc = grow_ids(&m->order, n);
    if (rc == CHIEF_OK) rc = grow_ids(&m->level_live, n);
    if (rc == CHIEF_OK) rc = grow_ids(&m->level_from, n);
    if (rc != CHIEF_OK) return rc;
    chief__life *members = chief__realloc(m->members, sizeof *members * n);
    if (members == NULL) return chief__fail_code(CHIEF_ENOMEM);
    m->members = members;
    m->capacity = n;
    return CHIEF_OK;
}

static int reserve_actions(chief__model *m, size_t n_after) {
    size_t want = ACTIONS_EACH * ((size_t)m->count + 1) + m->n_edges + n_after + ACTIONS_MORE;
    if (want <= m->actions_capacity) return CHIEF_OK;
    want *= 2;
    chief__action *actions = chief__alloc(want * sizeof *actions);
    if (actions == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__free(m->actions);
    m->actions = actions;
    m->actions_capacity = want;
    return CHIEF_OK;
}

static bool named_before(const chief__model_worker *given, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (strcmp(given->after[i], given->after[j]) == 0) return true;
    }
    return false;
}

static void drop_uses(chief__model *m, chief__life *w) {
    for (uint32_t i = 0; i < w->n_after; i++) chief__names_drop(&m->names, w->after[i].dependency);
    chief__names_drop(&m->names, w->name);
    chief__names_drop(&m->names, w->stem);
    free_parts(w);
}

/* CHIEF_ENOMEM; a plain name is no replica and has none. */
static int take_stem(chief__model *m, chief__life *w, const char *name) {
    char stem[CHIEF__REPLICA_NAME_SIZE];
    if (chief__replica_number(name) == 0) return CHIEF_OK;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)chief__replica_stem(name), name);
    w->stem = chief__names_use(&m->names, stem);
    return w->stem != NULL ? CHIEF_OK : CHIEF_ENOMEM;
}

static int take_policy(chief__life *w, const chief__model_worker *given) {
    if (given->n_no_restart_codes > 0) {
        size_t size = sizeof *w->codes * given->n_no_restart_codes;
        w->codes = chief__alloc(size);
        if (w->codes == NULL) return chief__fail_code(CHIEF_ENOMEM);
        memcpy(w->codes, given->no_restart_codes, size);
        w->n_codes = (uint32_t)given->n_no_restart_codes;
    }
    return chief__intensity_init(&w->intensity, given->restart.max_restarts, given->restart.window);
}

/* Copies the names into `w`, which is in no list yet. */
static int take_names(chief__model *m, chief__life *w, const chief__model_worker *given) {
    w->name = chief__names_use(&m->names, given->name);
    w->after = chief__calloc(given->n_after, sizeof *w->after);
    bool whole = w->name != NULL && w->after != NULL && take_stem(m, w, given->name) == CHIEF_OK;
    for (size_t i = 0; whole && i < given->n_after; i++) {
        if (named_before(given, i)) continue;
        chief__name *name = chief__names_use(&m->names, given->after[i]);
        whole = name != NULL;
        if (whole) w->after[w->n_after++].dependency = name;
    }
    return whole ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static void fill(chief__life *w, const chief__model_worker *given) {
    w->restart = given->restart;
    w->says_ready = given->says_ready;
    w->critical = given->critical;
    w->asks = given->asks;
    w->answer_ms = given->answer_ms;
    w->grace = given->grace;
    w->start_timeout = given->start_timeout;
    w->forceable = given->forceable;
    w->force_ms = given->force_ms;
    w->expected = given->enabled;
    w->state = given->enabled ? CHIEF_WORKER_ENABLED : CHIEF_WORKER_PRESENT;
    w->phase_until = INT64_MAX;
    w->phase_delay = -1;
}

static uint32_t take_slot(chief__model *m) {
    uint32_t id = m->free_slot;
    if (id == CHIEF__NONE) return m->len++;
    m->free_slot = m->members[id].next;
    return id;
}

/* Whether others have to wait for it. */
static bool blocks(const chief__life *w) { return w->expected && !w->ready; }

static void tell_dependents(chief__model *m, const chief__life *w, bool blocked) {
    bool blocking = blocks(w);
    if (blocked == blocking) return;
    for (const chief__edge *edge = chief__model_dependent(w, NULL); edge != NULL;
         edge = chief__model_dependent(w, edge)) {
        chief__life *dependent = &m->members[edge->dependent];
        dependent->unmet = blocking ? dependent->unmet + 1 : dependent->unmet - 1;
    }
}

static void recount(chief__model *m, chief__life *w) {
    bool unready = w->expected && w->state >= CHIEF_WORKER_ENABLED && w->state != CHIEF_WORKER_STOPPED && !w->ready;
    if (unready != w->unready) m->unready = unready ? m->unready + 1 : m->unready - 1;
    w->unready = unready;
}

/* How many of those an edge leads to have to be waited for; `but` does not count. */
static uint32_t count_unmet(const chief__model *m, const chief__edge *edge, const chief__life *but) {
    uint32_t unmet = 0;
    for (const chief__life *d = chief__model_dependency(m, edge, NULL); d != NULL;
         d = chief__model_dependency(m, edge, d))
        unmet += d != but && blocks(d);
    return unmet;
}

static void join_replicas(chief__model *m, chief__life *w) {
    chief__name *stem = w->stem;
    uint32_t id = chief__model_id(m, w);
    w->previous_replica = stem->last_replica;
    w->next_replica = CHIEF__NONE;
    if (stem->last_replica != CHIEF__NONE) m->members[stem->last_replica].next_replica = id;
    if (stem->first_replica == CHIEF__NONE) stem->first_replica = id;
    stem->last_replica = id;
}

static void leave_replicas(chief__model *m, const chief__life *w) {
    chief__name *stem = w->stem;
    uint32_t id = chief__model_id(m, w);
    if (w->previous_replica != CHIEF__NONE) m->members[w->previous_replica].next_replica = w->next_replica;
    if (w->next_replica != CHIEF__NONE) m->members[w->next_replica].previous_replica = w->previous_replica;
    if (stem->first_replica == id) stem->first_replica = w->next_replica;
    if (stem->last_replica == id) stem->last_replica = w->previous_replica;
}

/* Into the registration order, the edges and the counters. */
static void enlist(chief__model *m, uint32_t id) {
    chief__life *w = &m->members[id];
    w->previous = m->last;
    w->next = CHIEF__NONE;
    if (m->last != CHIEF__NONE) m->members[m->last].next = id;
    if (m->first == CHIEF__NONE) m->first = id;
    m->last = id;
    m->count++;
    m->n_edges += w->n_after;
    w->name->id = id;
    if (w->stem != NULL) join_replicas(m, w);
    for (uint32_t i = 0; i < w->n_after; i++) {
        w->after[i].dependent = id;
        chief__edge_link(&w->after[i]);
        w->unmet += count_unmet(m, &w->after[i], w);
    }
    tell_dependents(m, w, false);
    recount(m, w);
}

static bool is_there(const chief__model *m, const char *text) {
    const chief__name *name = chief__names_find(&m->names, text);
    return name != NULL && (name->id != CHIEF__NONE || name->first_replica != CHIEF__NONE);
}

/* Before anything is changed: may it come at all? */
static int check_add(const chief__model *m, const chief__model_worker *given) {
    if (m->stopping) return chief__fail(CHIEF_ECLOSED, "worker %s: the chief is stopping", given->name);
    if (is_there(m, given->name)) return chief__fail(CHIEF_EEXIST, "worker %s: there is one of that name", given->name);
    for (size_t i = 0; m->linked && i < given->n_after; i++) {
        const char *name = given->after[i];
        if (strcmp(name, given->name) == 0 || chief__replica_of(given->name, name))
            return chief__fail(CHIEF_ECYCLE, "dependency cycle: %s → %s", name, name);
        if (!is_there(m, name)) return chief__model_fail_unknown(m, "worker", given->name, "after", name);
    }
    return CHIEF_OK;
}

static void set_level(chief__model *m, chief__life *w) {
    for (uint32_t i = 0; i < w->n_after; i++)
        for (const chief__life *d = chief__model_dependency(m, &w->after[i], NULL); d != NULL;
             d = chief__model_dependency(m, &w->after[i], d))
            if (d->expected && d->level >= w->level) w->level = d->level + 1;
}

/* A late comer changes others only when they still name one removed before it. */
static int place(chief__model *m, chief__life *w) {
    if (chief__model_dependent(w, NULL) == NULL && w->name->group == CHIEF__NONE) {
        set_level(m, w);
        return CHIEF_OK;
    }
    int rc = chief__model_count_levels(m);
    if (rc == CHIEF_OK) return CHIEF_OK;
    chief__model_forget(m, w);
    (void)chief__model_count_levels(m);
    return rc;
}

int chief__model_add(chief__model *m, const chief__model_worker *given, uint32_t *id) {
    chief__life made = {0};
    *id = 0;
    int rc = check_add(m, given);
    if (rc == CHIEF_OK) rc = reserve_slot(m);
    if (rc == CHIEF_OK) rc = reserve_actions(m, given->n_after);
    if (rc != CHIEF_OK) return rc;
    rc = take_names(m, &made, given);
    if (rc == CHIEF_OK) rc = take_policy(&made, given);
    if (rc != CHIEF_OK) {
        drop_uses(m, &made);
        return rc;
    }
    fill(&made, given);
    uint32_t slot = take_slot(m);
    m->members[slot] = made;
    enlist(m, slot);
    if (m->linked) rc = place(m, &m->members[slot]);
    if (rc == CHIEF_OK) *id = slot;
    return rc;
}

void chief__model_take_back(chief__model *m, uint32_t id) {
    chief__model_forget(m, &m->members[id]);
    if (m->linked) (void)chief__model_count_levels(m); /* which could be counted before it came */
}

size_t chief__model_room(const chief__model *m) { return m->len; }

void chief__model_forget(chief__model *m, chief__life *w) {
    uint32_t id = chief__model_id(m, w);
    chief__model_set_expected(m, w, false);
    chief__model_set_wait(m, w, WAIT_NONE);
    chief__model_set_turn(m, w, TURN_NONE);
    for (uint32_t i = 0; i < w->n_after; i++) chief__edge_unlink(&w->after[i]);
    if (w->previous != CHIEF__NONE) m->members[w->previous].next = w->next;
    if (w->next != CHIEF__NONE) m->members[w->next].previous = w->previous;
    if (m->first == id) m->first = w->next;
    if (m->last == id) m->last = w->previous;
    m->count--;
    m->n_edges -= w->n_after;
    w->name->id = CHIEF__NONE;
    if (w->stem != NULL) leave_replicas(m, w);
    drop_uses(m, w);
    w->name = w->stem = NULL;
    w->after = NULL;
    w->n_after = 0;
    w->codes = NULL;
    w->n_codes = 0;
    chief__model_release(m, w);
}

void chief__model_release(chief__model *m, chief__life *w) {
    if (w->name != NULL || w->home != HOME_NONE) return;
    w->next = m->free_slot;
    m->free_slot = chief__model_id(m, w);
}

chief__life *chief__model_life(chief__model *m, uint32_t id) {
    return id < m->len && m->members[id].name != NULL ? &m->members[id] : NULL;
}

chief__life *chief__model_home(chief__model *m, uint32_t id, uint64_t generation) {
    if (id >= m->len || m->members[id].home == HOME_NONE) return NULL;
    return m->members[id].generation == generation ? &m->members[id] : NULL;
}

uint32_t chief__model_id(const chief__model *m, const chief__life *w) { return (uint32_t)(w - m->members); }

chief__life *chief__model_next(chief__model *m, const chief__life *w) {
    uint32_t id = w == NULL ? m->first : w->next;
    return id == CHIEF__NONE ? NULL : &m->members[id];
}

chief__life *chief__model_dependency(const chief__model *m, const chief__edge *edge, const chief__life *after) {
    const chief__name *name = edge->dependency;
    uint32_t first = name->id != CHIEF__NONE ? name->id : name->first_replica;
    uint32_t id = after == NULL ? first : name->id != CHIEF__NONE ? CHIEF__NONE : after->next_replica;
    return id == CHIEF__NONE ? NULL : &m->members[id];
}

const chief__edge *chief__model_dependent(const chief__life *w, const chief__edge *after) {
    const chief__edge *of_stem = w->stem != NULL ? w->stem->first : NULL;
    if (after == NULL) return w->name->first != NULL ? w->name->first : of_stem;
    if (after->next != NULL) return after->next;
    return after->dependency == w->name ? of_stem : NULL;
}

void chief__model_set_expected(chief__model *m, chief__life *w, bool expected) {
    bool blocked = blocks(w);
    w->expected = expected;
    m->levels_stale = true;
    tell_dependents(m, w, blocked);
    recount(m, w);
}

void chief__model_set_ready(chief__model *m, chief__life *w, bool ready) {
    bool blocked = blocks(w);
    w->ready = ready;
    tell_dependents(m, w, blocked);
    recount(m, w);
}

void chief__model_set_state(chief__model *m, chief__life *w, chief_state_t state) {
    w->state = state;
    recount(m, w);
}

static bool is_alive(chief__home home) { return home != HOME_NONE && home != HOME_ABANDONED; }

void chief__model_set_home(chief__model *m, chief__life *w, chief__home home) {
    bool was = is_alive(w->home);
    w->home = home;
    if (!was && is_alive(home)) m->live++;
    if (!was || is_alive(home)) return;
    m->live--;
    chief__agenda_clear(&m->agenda, chief__model_id(m, w));
    if (m->stopping && --m->level_live[w->level] == 0) m->live_levels--;
}

/* What has a deadline of its own, after which it goes on. */
static bool is_scheduled(chief__wait wait) { return wait == WAIT_RESTART || wait == WAIT_ANSWER; }

void chief__model_set_wait(chief__model *m, chief__life *w, chief__wait wait) {
    if (is_scheduled(w->wait)) {
        m->scheduled--;
        chief__agenda_clear(&m->agenda, chief__model_id(m, w));
    }
    if (is_scheduled(wait)) m->scheduled++;
    w->wait = wait;
}

int64_t chief__model_after(const chief__model *m, int64_t ms) {
    return ms > INT64_MAX - m->now ? INT64_MAX : m->now + ms;
}

void chief__model_set_enabled(chief__model *m, uint32_t id, bool enabled) {
    chief__life *w = chief__model_life(m, id);
    if (w == NULL || m->init_begun) return;
    chief__model_set_expected(m, w, enabled);
    if (enabled) chief__model_set_state(m, w, CHIEF_WORKER_ENABLED);
    if (!enabled) chief__model_set_state(m, w, CHIEF_WORKER_DISABLED);
}

int64_t chief__model_force_stop_timeout(const chief__model *m) { return m->options.force_stop_timeout; }

void chief__model_set_force_stop_timeout(chief__model *m, int64_t ms) { m->options.force_stop_timeout = ms; }

void chief__model_set_exit_when_done(chief__model *m, bool on) { m->options.exit_when_done = on; }

static const chief__life *look(const chief__model *m, uint32_t id) {
    return id < m->len && m->members[id].name != NULL ? &m->members[id] : NULL;
}

chief_state_t chief__model_state(const chief__model *m, uint32_t id) {
    const chief__life *w = look(m, id);
    return w == NULL ? CHIEF_WORKER_NULL : w->state;
}

int32_t chief__model_phase(const chief__model *m, uint32_t id) {
    const chief__life *w = look(m, id);
    return w == NULL ? CHIEF_PHASE_IDLE : w->phase;
}

uint64_t chief__model_generation(const chief__model *m, uint32_t id) {
    const chief__life *w = look(m, id);
    return w == NULL ? 0 : w->generation;
}

const char *chief__model_name(const chief__model *m, uint32_t id) {
    const chief__life *w = look(m, id);
    return w == NULL ? NULL : w->name->text;
}

/* They came in the order of their numbers, all at once. */
uint32_t chief__model_replicas(const chief__model *m, const char *stem) {
    const chief__name *name = chief__names_find(&m->names, stem);
    if (name == NULL || name->last_replica == CHIEF__NONE) return 0;
    return chief__replica_number(m->members[name->last_replica].name->text);
}

uint32_t chief__model_level(const chief__model *m, uint32_t id) {
    const chief__life *w = look(m, id);
    return w == NULL ? 0 : w->level;
}

bool chief__model_all_ready(const chief__model *m) { return m->unready == 0; }

int64_t chief__model_deadline(const chief__model *m) { return chief__agenda_next(&m->agenda); }
