/* verbs: what hosts and runner.c change in a pool by name, where the transition is legal; a refusal is an event. */
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "registry.h"

int chief_pool_set_log(chief_pool *pool, chief_log *log) {
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&pool->lock);
    int rc = pool->owned ? chief__pool_owned() : CHIEF_OK;
    chief_log *old = rc == CHIEF_OK ? pool->log : NULL;
    if (rc == CHIEF_OK) pool->log = chief_log_ref(log);
    chief__unlock(&pool->lock);
    chief_log_unref(old);
    return rc;
}

/* With the lock held. The refusal is an event, so it has a number, and is to be told when the lock is given back. */
static chief_state_t refuse(chief_pool *pool, const chief__entry *entry, chief_state_t to, chief__refusal *refusal) {
    pool->seq = chief__pool_next_seq(pool);
    *refusal = (chief__refusal){.from = entry->state,
                                .to = to,
                                .seq = pool->seq,
                                .generation = entry->generation,
                                .log = chief_log_ref(pool->log),
                                .watcher = pool->watcher,
                                .watcher_data = pool->watcher_data};
    (void)strncpy(refusal->worker, entry->name, sizeof refusal->worker - 1);
    return CHIEF_WORKER_WRONG_STATE_CHANGE;
}

/* With the lock held: what keeps a verb from writing. CHIEF_ENOENT is still to be explained. */
static int writable(const chief_pool *pool, const chief__entry *entry) {
    if (entry == NULL) return CHIEF_ENOENT;
    return pool->owned ? chief__pool_owned() : CHIEF_OK;
}

static chief_state_t transition(chief_pool *pool, const char *name, chief_state_t to) {
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__refusal refusal;
    chief__lock(&pool->lock);
    chief__entry *entry = chief__pool_at(pool, name);
    chief_state_t rc = writable(pool, entry);
    if (rc == CHIEF_OK) {
        rc = chief_state_transition(entry->state, to);
        if (rc > 0) chief__pool_move(pool, entry, to);
        else rc = refuse(pool, entry, to, &refusal);
    }
    chief__unlock(&pool->lock);
    return rc == CHIEF_WORKER_WRONG_STATE_CHANGE ? chief__refusal_tell(&refusal) : chief__pool_explain(pool, name, rc);
}

int chief_pool_get_worker(chief_pool *pool, const char *name, chief_worker_ops *ops, void **data) {
    if (data != NULL) *data = NULL;
    int rc = ops != NULL ? chief__options_write(ops, NULL, 0, "chief_worker_ops") : CHIEF_OK;
    if (rc != CHIEF_OK) return rc;
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&pool->lock);
    const chief__entry *entry = chief__pool_at(pool, name);
    rc = entry != NULL ? CHIEF_OK : CHIEF_ENOENT;
    if (entry != NULL && ops != NULL)
        rc = chief__options_write(ops, &entry->ops, sizeof entry->ops, "chief_worker_ops");
    if (entry != NULL && data != NULL) *data = entry->data;
    chief__unlock(&pool->lock);
    return chief__pool_explain(pool, name, rc);
}

chief_state_t chief_pool_get_state(chief_pool *pool, const char *name) {
    if (pool == NULL) return CHIEF_WORKER_DISABLED;
    size_t at = 0;
    chief_state_t state = 0;
    chief__lock(&pool->lock);
    for (const chief__entry *e;
         (state == 0 || state == CHIEF_WORKER_RUN) && (e = chief__pool_next_of(pool, name, &at)) != NULL;)
        state = e->state;
    chief__unlock(&pool->lock);
    return state != 0 ? state : CHIEF_WORKER_DISABLED;
}

chief_state_t chief_pool_set_state(chief_pool *pool, const char *name, chief_state_t state) {
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (chief_state_validate(state) != CHIEF_OK) return CHIEF_ESTATE;
    chief__lock(&pool->lock);
    chief__entry *entry = chief__pool_at(pool, name);
    chief_state_t rc = writable(pool, entry);
    if (rc == CHIEF_OK) {
        chief__pool_move(pool, entry, state);
        rc = state;
    }
    chief__unlock(&pool->lock);
    return chief__pool_explain(pool, name, rc);
}

chief_state_t chief_pool_enable(chief_pool *pool, const char *name) {
    return transition(pool, name, CHIEF_WORKER_ENABLED);
}

chief_state_t chief_pool_disable(chief_pool *pool, const char *name) {
    return transition(pool, name, CHIEF_WORKER_DISABLED);
}

chief_state_t chief_pool_start(chief_pool *pool, const char *name) { return transition(pool, name, CHIEF_WORKER_RUN); }

chief_state_t chief_pool_stop(chief_pool *pool, const char *name) {
    return transition(pool, name, CHIEF_WORKER_STOPPED);
}

chief_state_t chief_pool_fail(chief_pool *pool, const char *name) {
    return transition(pool, name, CHIEF_WORKER_FAILED);
}

int chief_pool_is_enabled(chief_pool *pool, const char *name) {
    return pool != NULL && chief__pool_least(pool, name) >= CHIEF_WORKER_ENABLED;
}

int chief_pool_is_alive(chief_pool *pool, const char *name) {
    return chief_pool_get_state(pool, name) == CHIEF_WORKER_RUN;
}

/* ---- running code ---- */

int chief__pool_claim(chief_pool *pool, const char *name, chief_state_t to, chief__entry **out) {
    *out = NULL;
    chief__refusal refusal;
    chief__lock(&pool->lock);
    chief__entry *entry = chief__pool_at(pool, name);
    int rc = writable(pool, entry);
    if (rc == CHIEF_OK && entry->claimed)
        rc = chief__fail(CHIEF_EBUSY, "worker %s is being run by another thread", name);
    if (rc == CHIEF_OK && to == CHIEF_WORKER_RUN && (entry->state != CHIEF_WORKER_INITIALIZED || entry->life == NULL))
        rc = chief__fail(CHIEF_ENOTINIT, "worker %s is not initialized", name);
    if (rc == CHIEF_OK && chief_state_transition(entry->state, to) != to) rc = refuse(pool, entry, to, &refusal);
    if (rc == CHIEF_OK) {
        entry->claimed = true;
        *out = entry;
        if (to == CHIEF_WORKER_RUN) chief__pool_move(pool, entry, to);
        else entry->generation++;
    }
    chief__unlock(&pool->lock);
    return rc == CHIEF_WORKER_WRONG_STATE_CHANGE ? chief__refusal_tell(&refusal) : chief__pool_explain(pool, name, rc);
}

/* Another thread may have recorded something meanwhile (a disable during init): where the outcome is no legal change
 * from that, that stays. The number is taken under the lock, so that a snapshot's never goes back. */
bool chief__pool_settle(chief_pool *pool, chief__entry *entry, chief__change *change) {
    chief__refusal refusal;
    char *waiting_for = chief__change_waiting(change);
    chief__lock(&pool->lock);
    bool same = entry->state == change->state;
    bool legal = same || chief_state_transition(entry->state, change->state) == change->state;
    if (!legal) {
        (void)refuse(pool, entry, change->state, &refusal);
        change->state = 0;
    }
    if (legal && !same) change->seq = chief__pool_next_seq(pool);
    change->generation = entry->generation;
    chief__pool_apply(pool, entry, change, &waiting_for);
    entry->claimed = false;
    chief__unlock(&pool->lock);
    chief__free(waiting_for);
    if (!legal) chief__refusal_note(&refusal);
    chief__free(change->error);
    chief__free(change->traceback);
    return legal;
}
