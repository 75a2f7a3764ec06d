/* runner: the two verbs of a pool without a chief that run code, in the caller's thread. */
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "worker.h"

int chief_pool_new(chief_pool **out) { return out != NULL ? chief__pool_new(out) : chief__fail_code(CHIEF_EINVAL); }

/* An instance that was initialised and never run. */
static void discard(void *life) {
    chief__worker_fini(life, true);
    chief__worker_unref(life);
}

static int make_life(chief_worker **out, chief_pool *pool, const chief__entry *entry, chief_context *parent) {
    const char *name;
    chief_worker_ops ops;
    void *data;
    chief__unit *unit;
    chief__surroundings around = {.pool = pool, .context = parent};
    chief__entry_get(entry, &name, &ops, &data);
    int rc = chief__unit_new(&unit, name, &ops, data, NULL);
    if (rc != CHIEF_OK) return rc;
    rc = chief__worker_new(out, unit, chief__entry_generation(entry), &around);
    chief__unit_unref(unit);
    return rc;
}

/* The change that tells how a life's part ended; its failure becomes the thread's last error. */
static chief__change outcome(chief_worker *life, int rc, chief_state_t good) {
    chief__change change = {.phase = -1, .state = rc == CHIEF_OK ? good : CHIEF_WORKER_FAILED};
    int32_t reason = chief__worker_take_failure(life, &change.error, &change.traceback);
    change.reason = reason;
    if (rc != CHIEF_OK)
        (void)chief__fail(CHIEF_EFAILED, "worker %s: %s", chief_worker_name(life),
                          change.error != NULL ? change.error : chief_reason_name(reason));
    return change;
}

/* The instance of an init that was never followed by a run ends when the next init begins. */
static void end_old_life(chief__entry *entry) {
    void *old = chief__entry_life(entry);
    chief__entry_set_life(entry, NULL, NULL);
    if (old != NULL) discard(old);
}

chief_state_t chief_pool_init(chief_pool *pool, const char *name, chief_context *parent) {
    chief__entry *entry;
    chief_worker *life = NULL;
    chief__change change = {.phase = -1, .state = CHIEF_WORKER_FAILED, .reason = CHIEF_REASON_INIT_ERROR};
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__pool_claim(pool, name, CHIEF_WORKER_INITIALIZED, &entry);
    if (rc != CHIEF_OK) return rc;
    end_old_life(entry);
    rc = make_life(&life, pool, entry, parent);
    if (rc == CHIEF_OK) {
        rc = chief__worker_init(life);
        change = outcome(life, rc, CHIEF_WORKER_INITIALIZED);
        if (rc == CHIEF_OK) chief__entry_set_life(entry, life, discard);
        else chief__worker_unref(life);
    }
    bool settled = chief__pool_settle(pool, entry, &change);
    if (rc != CHIEF_OK || settled) return rc == CHIEF_OK ? CHIEF_WORKER_INITIALIZED : rc;
    return chief__fail(CHIEF_WORKER_WRONG_STATE_CHANGE, "worker %s got another state while its init ran", name);
}

int chief_pool_run_exec(chief_pool *pool, const char *name) {
    chief__entry *entry;
    if (pool == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__pool_claim(pool, name, CHIEF_WORKER_RUN, &entry);
    if (rc != CHIEF_OK) return rc;
    chief_worker *life = chief__entry_life(entry);
    chief__entry_set_life(entry, NULL, NULL);
    rc = chief__worker_exec(life);
    chief__change change = outcome(life, rc, CHIEF_WORKER_STOPPED);
    chief__worker_unref(life);
    (void)chief__pool_settle(pool, entry, &change);
    return rc;
}
