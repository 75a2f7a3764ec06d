#include <assert.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "registry.h"
#include "replica.h"
#include "rule.h"

#define WAITING_MOST 255

/* ---- life ---- */

int chief__pool_new(chief_pool **out) {
    chief_pool *pool = chief__calloc(1, sizeof *pool);
    *out = pool;
    if (pool == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&pool->refs, 1);
    chief__mutex_init(&pool->lock);
    chief__cond_init(&pool->changed);
    return CHIEF_OK;
}

void chief__pool_set_clock(chief_pool *pool, int64_t (*now)(const void *data), const void *data) {
    pool->now = now;
    pool->clock = data;
}

chief_pool *chief__pool_ref(chief_pool *pool) {
    (void)atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

static void end_life(chief__entry *entry) {
    void *life = entry->life;
    entry->life = NULL;
    if (life != NULL) entry->discard(life);
}

static void entry_free(chief__entry *entry) {
    end_life(entry);
    chief__free(entry->waiting_for);
    chief__free(entry->error);
    chief__free(entry->traceback);
    chief__free(entry->name);
    chief__free(entry);
}

void chief__pool_unref(chief_pool *pool) {
    if (pool == NULL || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < pool->n; i++) entry_free(pool->entries[i]);
    chief__free(pool->entries);
    chief_log_unref(pool->log);
    chief__free(pool->app);
    chief__map_fini(&pool->names);
    chief__cond_fini(&pool->changed);
    chief__mutex_fini(&pool->lock);
    chief__free(pool);
}

void chief__pool_end_lives(chief_pool *pool) {
    for (size_t i = 0; i < pool->n; i++) end_life(pool->entries[i]);
}

void chief_pool_free(chief_pool *pool) {
    if (pool == NULL) return;
    chief__pool_end_lives(pool);
    chief__pool_unref(pool);
}

void chief__pool_watch(chief_pool *pool, chief__watcher watcher, void *data) {
    pool->watcher = watcher;
    pool->watcher_data = data;
}

/* With the lock held: somebody whose init or run_exec is on its way through the pool. */
static const chief__entry *claimed(const chief_pool *pool) {
    for (size_t i = 0; i < pool->n; i++)
        if (pool->entries[i]->claimed) return pool->entries[i];
    return NULL;
}

int chief__pool_own(chief_pool *pool) {
    chief__lock(&pool->lock);
    const chief__entry *busy = claimed(pool);
    if (busy != NULL) (void)chief__fail(CHIEF_EBUSY, "worker %s is being run through the pool", busy->name);
    else pool->owned = true;
    chief__unlock(&pool->lock);
    return busy != NULL ? CHIEF_EBUSY : CHIEF_OK;
}

void chief__pool_release(chief_pool *pool) {
    chief__lock(&pool->lock);
    pool->owned = false;
    chief__unlock(&pool->lock);
}

void chief__pool_close(chief_pool *pool) {
    chief__lock(&pool->lock);
    pool->closed = true;
    chief__cond_wake_all(&pool->changed);
    chief__unlock(&pool->lock);
}

uint64_t chief__pool_next_seq(chief_pool *pool) {
    return atomic_fetch_add_explicit(&pool->numbers, 1, memory_order_relaxed) + 1;
}

/* ---- entries ---- */

static chief__entry *entry_new(const char *name, const chief_worker_ops *ops, void *data) {
    chief__entry *entry = chief__calloc(1, sizeof *entry);
    if (entry == NULL) return NULL;
    entry->name = chief__strdup(name);
    if (entry->name == NULL) {
        chief__free(entry);
        return NULL;
    }
    entry->ops = *ops;
    entry->data = data;
    entry->state = CHIEF_WORKER_NULL;
    entry->until = INT64_MAX;
    return entry;
}

/* With the lock held. */
void chief__pool_move(chief_pool *pool, chief__entry *entry, chief_state_t to) {
    if (entry->state == to) return;
    entry->state = to;
    pool->seq = chief__pool_next_seq(pool);
    chief__cond_wake_all(&pool->changed);
}

int chief__pool_owned(void) {
    return chief__fail(CHIEF_EBUSY, "this pool is written by its running chief: ask that (chief_start_worker …)");
}

static int may_always(chief_pool *pool) {
    (void)pool;
    return CHIEF_OK;
}

static int may_if_not_owned(chief_pool *pool) { return pool->owned ? chief__pool_owned() : CHIEF_OK; }

/* Memory for one more entry, taken while the pool is not locked. */
typedef struct room {
    chief__entry **entries;
    size_t capacity;
    size_t wanted; /* what the pool lacked */
    chief__map_spare names;
} room;

static int room_make(room *r) {
    if (r->wanted > 0) {
        chief__free(r->entries);
        r->entries = chief__calloc(r->wanted, sizeof(chief__entry *));
        r->capacity = r->entries != NULL ? r->wanted : 0;
        if (r->entries == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    return r->names.wanted > 0 ? chief__map_spare_make(&r->names) : CHIEF_OK;
}

static void room_free(room *r) {
    chief__free(r->entries);
    chief__map_spare_fini(&r->names);
}

/* With the lock held. The old list is left in the room. */
static bool make_list_longer(chief_pool *pool, room *r) {
    r->wanted = 0;
    if (pool->n < pool->capacity) return true;
    size_t wanted = pool->capacity > 0 ? 2 * pool->capacity : 8;
    if (r->capacity < wanted) {
        r->wanted = wanted;
        return false;
    }
    assert(r->entries != NULL);
    chief__entry **old = pool->entries;
    if (pool->n > 0) memcpy(r->entries, old, pool->n * sizeof *old);
    pool->entries = r->entries;
    pool->capacity = r->capacity;
    r->entries = old;
    r->capacity = 0;
    return true;
}

/* With the lock held: CHIEF_EAGAIN when the room is too small. */
static int insert(chief_pool *pool, chief__entry *entry, room *r) {
    if (chief__map_get(&pool->names, entry->name) != NULL)
        return chief__fail(CHIEF_EEXIST, "there is a worker %s already", entry->name);
    if (!make_list_longer(pool, r) || !chief__map_put(&pool->names, entry->name, entry, &r->names)) return CHIEF_EAGAIN;
    pool->entries[pool->n++] = entry;
    return CHIEF_OK;
}

/* As far as `may` lets it, with the lock held. */
static int add_entry(chief_pool *pool, chief__entry *entry, int (*may)(chief_pool *), chief_state_t state) {
    room r = {0};
    int rc;
    do {
        chief__lock(&pool->lock);
        rc = may(pool);
        if (rc == CHIEF_OK) rc = insert(pool, entry, &r);
        if (rc == CHIEF_OK) chief__pool_move(pool, entry, state); /* nobody sees it before */
        chief__unlock(&pool->lock);
    } while (rc == CHIEF_EAGAIN && (rc = room_make(&r)) == CHIEF_OK);
    room_free(&r);
    if (rc != CHIEF_OK) entry_free(entry);
    return rc;
}

int chief__pool_add(chief_pool *pool, const char *name, const chief_worker_ops *ops, void *data, chief__entry **out) {
    chief__entry *entry = entry_new(name, ops, data);
    *out = NULL;
    if (entry == NULL) return chief__fail_code(CHIEF_ENOMEM);
    int rc = add_entry(pool, entry, may_always, CHIEF_WORKER_NULL);
    if (rc == CHIEF_OK) *out = entry;
    return rc;
}

int chief_pool_set_worker(chief_pool *pool, const char *name, const chief_worker_ops *ops, void *data) {
    chief_worker_ops read;
    if (pool == NULL || ops == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__name_check(name, "worker");
    if (rc == CHIEF_OK) rc = chief__options_read(&read, sizeof read, ops, "chief_worker_ops");
    if (rc != CHIEF_OK) return rc;
    if (read.run == NULL) return chief__fail(CHIEF_EINVAL, "worker %s has no run", name);
    chief__entry *entry = entry_new(name, &read, data);
    if (entry == NULL) return chief__fail_code(CHIEF_ENOMEM);
    return add_entry(pool, entry, may_if_not_owned, CHIEF_WORKER_PRESENT);
}

static void take_out(chief_pool *pool, const chief__entry *entry) {
    size_t i = 0;
    while (pool->entries[i] != entry) i++;
    memmove(&pool->entries[i], &pool->entries[i + 1], (pool->n - i - 1) * sizeof entry);
    pool->n--;
    chief__map_remove(&pool->names, entry->name);
}

void chief__pool_drop(chief_pool *pool, chief__entry *entry) {
    chief__lock(&pool->lock);
    take_out(pool, entry);
    chief__cond_wake_all(&pool->changed);
    chief__unlock(&pool->lock);
    entry_free(entry);
}

chief__entry *chief__pool_at(chief_pool *pool, const char *name) {
    return name != NULL ? chief__map_get(&pool->names, name) : NULL;
}

chief__entry *chief__pool_find(chief_pool *pool, const char *name) {
    chief__lock(&pool->lock);
    chief__entry *entry = chief__pool_at(pool, name);
    chief__unlock(&pool->lock);
    return entry;
}

bool chief__pool_visit(chief_pool *pool, const char *name,
                       void (*visit)(void *to, const chief_worker_ops *ops, void *data), void *to) {
    chief__lock(&pool->lock);
    const chief__entry *entry = chief__pool_at(pool, name);
    if (entry != NULL) visit(to, &entry->ops, entry->data);
    chief__unlock(&pool->lock);
    return entry != NULL;
}

/* With the lock held: the worker of that name, else its replicas, one after the other as they were registered. */
chief__entry *chief__pool_next_of(chief_pool *pool, const char *name, size_t *at) {
    chief__entry *entry = *at == 0 ? chief__pool_at(pool, name) : NULL;
    if (entry != NULL) {
        *at = pool->n;
        return entry;
    }
    while (name != NULL && *at < pool->n) {
        entry = pool->entries[(*at)++];
        if (chief__replica_of(entry->name, name)) return entry;
    }
    return NULL;
}

chief_state_t chief__pool_least(chief_pool *pool, const char *name) {
    size_t at = 0;
    chief_state_t least = 0;
    chief__lock(&pool->lock);
    for (const chief__entry *e; (e = chief__pool_next_of(pool, name, &at)) != NULL;)
        if (least == 0 || e->state < least) least = e->state;
    chief__unlock(&pool->lock);
    return least != 0 ? least : CHIEF_WORKER_DISABLED;
}

void chief__entry_set_owner(chief__entry *entry, void *owner) { entry->owner = owner; }

void *chief__entry_owner(const chief__entry *entry) { return entry->owner; }

int chief__pool_unknown(chief_pool *pool, const char *name) {
    chief_snapshot *now = NULL;
    const char **names = NULL;
    const char *replica = NULL;
    if (name == NULL) name = "(NULL)";
    if (chief_pool_states(pool, &now) == CHIEF_OK) names = chief__calloc(chief_snapshot_len(now) + 1, sizeof *names);
    for (size_t i = chief_snapshot_len(now); names != NULL && i-- > 0;) {
        names[i] = chief_snapshot_at(now, i)->name;
        if (chief__replica_of(names[i], name)) replica = names[i];
    }
    if (replica == NULL) (void)chief__rule_unknown("invalid service name", name, names, chief_snapshot_len(now));
    else (void)chief__fail(CHIEF_ENOENT, "%s has replicas: name one of them, such as %s", name, replica);
    chief__free(names);
    chief_snapshot_free(now);
    return CHIEF_ENOENT;
}

/* What an answer from under the lock needs more: the names there are, which take memory. */
int chief__pool_explain(chief_pool *pool, const char *name, int rc) {
    return rc == CHIEF_ENOENT ? chief__pool_unknown(pool, name) : rc;
}

/* ---- writing ---- */

static void swap_text(char **a, char **b) {
    char *old = *a;
    *a = *b;
    *b = old;
}

/* What comes with a phase, for the entry to keep; NULL also without memory. */
char *chief__change_waiting(const chief__change *change) {
    const char *text = change->phase >= 0 ? change->waiting_for : NULL;
    return text != NULL && text[0] != '\0' ? chief__strndup(text, strnlen(text, WAITING_MOST)) : NULL;
}

static void set_phase(chief__entry *entry, const chief__change *change, char **waiting_for) {
    entry->phase = change->phase;
    entry->until = change->until;
    swap_text(&entry->waiting_for, waiting_for);
}

/* With the lock held. The replaced texts are left in the change and in `waiting_for`. */
void chief__pool_apply(chief_pool *pool, chief__entry *entry, chief__change *change, char **waiting_for) {
    if (change->state != 0) entry->state = change->state;
    if (change->phase >= 0) set_phase(entry, change, waiting_for);
    if (change->reason != CHIEF_REASON_NONE) entry->reason = change->reason;
    if (change->seq != 0) pool->seq = change->seq;
    entry->generation = change->generation;
    entry->restarts = change->restarts;
    if (change->error != NULL || change->traceback != NULL) {
        swap_text(&entry->error, &change->error);
        swap_text(&entry->traceback, &change->traceback);
    }
    chief__cond_wake_all(&pool->changed);
}

void chief__pool_record(chief_pool *pool, chief__entry *entry, chief__change *change) {
    char *waiting_for = chief__change_waiting(change);
    chief__lock(&pool->lock);
    chief__pool_apply(pool, entry, change, &waiting_for);
    chief__unlock(&pool->lock);
    chief__free(waiting_for);
    chief__free(change->error);
    chief__free(change->traceback);
}

/* ---- for runner.c ---- */

void *chief__entry_life(const chief__entry *entry) { return entry->life; }

void chief__entry_set_life(chief__entry *entry, void *life, void (*discard)(void *life)) {
    entry->life = life;
    entry->discard = discard;
}

void chief__entry_get(const chief__entry *entry, const char **name, chief_worker_ops *ops, void **data) {
    *name = entry->name;
    *ops = entry->ops;
    *data = entry->data;
}

uint64_t chief__entry_generation(const chief__entry *entry) { return entry->generation; }

const char *chief__entry_error(const chief__entry *entry) { return entry->error; }

void chief__pool_set_slow(chief_pool *pool, chief__entry *entry, const atomic_bool *slow) {
    if (entry == NULL) return;
    chief__lock(&pool->lock);
    entry->slow = slow;
    chief__unlock(&pool->lock);
}

/* ---- reading ---- */

static chief_worker_status status_of(const chief__entry *e, int64_t now) {
    bool given_up = e->phase == CHIEF_PHASE_GIVEN_UP;
    chief_worker_status s = {.state = e->state,
                             .phase = e->phase,
                             .reason = e->reason,
                             .name = e->name,
                             .generation = e->generation,
                             .restarts = e->restarts,
                             .until_ms = e->until == INT64_MAX ? -1
                                         : e->until > now      ? e->until - now
                                                               : 0,
                             .waiting_for = given_up ? "" : e->waiting_for,
                             .error = e->error,
                             .traceback = e->traceback,
                             .why = given_up ? e->waiting_for : "",
                             .slow = e->slow != NULL && atomic_load_explicit(e->slow, memory_order_relaxed)};
    return s;
}

static size_t measure(const chief_pool *pool) {
    size_t size = pool->app != NULL ? strlen(pool->app) + 1 : 1;
    for (size_t i = 0; i < pool->n; i++) {
        chief_worker_status s = status_of(pool->entries[i], 0);
        size += chief__snapshot_text_size(&s);
    }
    return size;
}

static bool fill(const chief_pool *pool, chief_snapshot *snapshot) {
    if (pool->n > snapshot->capacity || measure(pool) > (size_t)(snapshot->end - snapshot->text)) return false;
    int64_t now = pool->now != NULL ? pool->now(pool->clock) : chief__now_ms();
    chief__snapshot_set_app(snapshot, pool->app);
    for (size_t i = 0; i < pool->n; i++) {
        chief_worker_status s = status_of(pool->entries[i], now);
        chief__snapshot_add(snapshot, &s);
    }
    snapshot->seq = pool->seq;
    return true;
}

void chief__pool_set_app(chief_pool *pool, char *json) {
    chief__lock(&pool->lock);
    char *old = pool->app;
    pool->app = json;
    chief__unlock(&pool->lock);
    chief__free(old);
}

/* Memory is taken outside the lock; when the pool has grown meanwhile, again. */
int chief_pool_states(chief_pool *pool, chief_snapshot **out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    for (;;) {
        chief__lock(&pool->lock);
        size_t n = pool->n;
        size_t text = measure(pool);
        chief__unlock(&pool->lock);
        chief_snapshot *snapshot = chief__snapshot_new(n, text);
        if (snapshot == NULL) return chief__fail_code(CHIEF_ENOMEM);
        chief__lock(&pool->lock);
        bool filled = fill(pool, snapshot);
        chief__unlock(&pool->lock);
        if (filled) {
            *out = snapshot;
            return CHIEF_OK;
        }
        chief_snapshot_free(snapshot);
    }
}

/* With the lock held: CHIEF_EAGAIN while there is reason to wait. */
static int look(chief_pool *pool, const char *name, chief_state_t state) {
    size_t at = 0;
    const chief__entry *entry = chief__pool_next_of(pool, name, &at);
    if (entry == NULL) return CHIEF_ENOENT;
    while (entry != NULL && entry->state == state) entry = chief__pool_next_of(pool, name, &at);
    if (entry == NULL) return CHIEF_OK;
    return pool->closed ? chief__fail(CHIEF_ECLOSED, "the chief has stopped") : CHIEF_EAGAIN;
}

int chief__pool_wait_state(chief_pool *pool, const char *name, chief_state_t state, int64_t timeout_ms) {
    int64_t deadline = chief__deadline(timeout_ms);
    int rc;
    chief__lock(&pool->lock);
    while ((rc = look(pool, name, state)) == CHIEF_EAGAIN && timeout_ms != 0)
        if (!chief__cond_wait(&pool->changed, &pool->lock, deadline)) {
            rc = look(pool, name, state);
            break;
        }
    chief__unlock(&pool->lock);
    if (rc != CHIEF_EAGAIN) return rc;
    return chief__fail(timeout_ms == 0 ? CHIEF_EAGAIN : CHIEF_ETIMEDOUT, "worker %s is not in that state yet", name);
}
