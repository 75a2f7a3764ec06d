/* run: the way of a chief from chief_init_workers to chief_join, on the host's threads. */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "info.h"
#include "log.h"
#include "loop.h"
#include "request.h"
#include "run.h"

/* ---- init ---- */

static void drop_log(void *log) { chief_log_unref(log); }

static int settle_log(chief *c, chief_log *log) {
    int rc = CHIEF_OK;
    if (log != NULL) {
        chief_log_unref(c->log);
        c->log = chief_log_ref(log);
    } else if (c->log == NULL) {
        rc = chief__log_default(&c->log);
    }
    if (rc != CHIEF_OK) return rc;
    chief_value value = {.type = CHIEF_POINTER, .destroy = drop_log};
    value.pointer = chief_log_ref(c->log);
    rc = chief_context_set(c->context, CHIEF_CTX_KEY_LOG, &value);
    if (rc != CHIEF_OK) chief_log_unref(c->log);
    return rc;
}

static int settle_member(chief *c, chief__member *member, size_t *enabled) {
    chief_state_t state = chief_pool_get_state(c->pool, member->unit->name);
    bool wanted = c->any_named ? member->named || state == CHIEF_WORKER_ENABLED : c->enable_by_default;
    if (state > CHIEF_WORKER_ENABLED)
        return chief__fail(CHIEF_EBUSY, "worker %s was already initialised through the pool", member->unit->name);
    if (state == CHIEF_WORKER_DISABLED) wanted = false;
    if (state == CHIEF_WORKER_PRESENT)
        chief__record_state(c, member, state, wanted ? CHIEF_WORKER_ENABLED : CHIEF_WORKER_DISABLED);
    else wanted = state == CHIEF_WORKER_ENABLED;
    chief__model_set_enabled(c->model, member->id, wanted);
    (void)chief__hub_open_worker(c->hub, member->unit->name, wanted);
    *enabled += wanted;
    return CHIEF_OK;
}

int chief__settle_members(chief *c) {
    size_t enabled = 0;
    size_t there = 0;
    for (size_t i = 0; i < c->n_members; i++) {
        if (c->members[i] == NULL) continue;
        int rc = settle_member(c, c->members[i], &enabled);
        if (rc != CHIEF_OK) return rc;
        there++;
    }
    if (enabled > 0 || there == 0) return CHIEF_OK;
    return chief__fail(CHIEF_EENABLE, "no worker is enabled: name at least one (enable_by_default is %s)",
                       c->enable_by_default ? "on, but all are disabled" : "off");
}

static int start_loop(chief *c) {
    int rc = chief__loop_open(c);
    if (rc != CHIEF_OK) return rc;
    rc = chief__catch_open(c);
    if (rc == CHIEF_OK) {
        atomic_store_explicit(&c->loop_ready, true, memory_order_release);
        rc = chief__thread_start(&c->thread, chief__loop_main, chief__ref(c), 0, "chief");
        if (rc == CHIEF_OK) return rc;
        atomic_store_explicit(&c->loop_ready, false, memory_order_release);
        chief__unref(c);
    }
    chief__loop_discard(c);
    return rc;
}

static int settle_and_start(chief *c) {
    int rc = chief__pool_own(c->pool);
    if (rc != CHIEF_OK) return rc;
    rc = chief__settle_members(c);
    if (rc == CHIEF_OK) rc = start_loop(c);
    if (rc != CHIEF_OK) chief__pool_release(c->pool);
    return rc;
}

/* Under the chief's lock: nothing of the host's is called in here. */
static int prepare(chief *c) {
    int rc = chief__model_link(c->model);
    if (rc == CHIEF_OK) rc = chief__check_channels(c);
    if (rc == CHIEF_OK) rc = settle_and_start(c);
    if (rc != CHIEF_OK) return rc;
    c->stage = STAGE_RUNNING;
    chief__cond_wake_all(&c->changed);
    return rc;
}

/* Claims the way to the running loop, so that the log can be settled without the lock: what it replaces is the host's. */
static int begin_init(chief *c) {
    chief__lock(&c->lock);
    bool again = c->stage != STAGE_NEW || c->starting;
    if (!again) c->starting = true;
    chief__unlock(&c->lock);
    return again ? chief__fail(CHIEF_EBUSY, "init_workers was called before") : CHIEF_OK;
}

int chief__init_workers_begin(chief *c, chief_log *log) {
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = begin_init(c);
    if (rc != CHIEF_OK) return rc;
    rc = settle_log(c, log);
    chief__lock(&c->lock);
    if (rc == CHIEF_OK) rc = prepare(c);
    c->starting = false;
    chief__unlock(&c->lock);
    if (rc == CHIEF_OK) (void)chief__info_show(c, true); /* without memory snapshots show it as not started */
    return rc == CHIEF_OK ? chief__ask(c, REQUEST_INIT, NULL, NULL, 0) : rc;
}

int chief_init_workers(chief *c, chief_log *log) {
    int rc = chief__init_workers_begin(c, log);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    while (!c->inited && c->stage != STAGE_STOPPED) (void)chief__cond_wait(&c->changed, &c->lock, INT64_MAX);
    chief__unlock(&c->lock);
    return CHIEF_OK;
}

/* ---- start, stop, join ---- */

static int begin_launch(chief *c) {
    chief__lock(&c->lock);
    chief__stage stage = c->stage;
    bool again = c->launching;
    if (stage == STAGE_RUNNING) c->launching = true;
    chief__unlock(&c->lock);
    if (stage == STAGE_NEW) return chief__fail(CHIEF_ENOTINIT, "init_workers has not been called");
    if (stage == STAGE_STOPPED) return chief__fail(CHIEF_ECLOSED, "the chief has stopped");
    return again ? chief__fail(CHIEF_EBUSY, "the chief was started before") : CHIEF_OK;
}

int chief_launch(chief *c, chief_context *parent) {
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = begin_launch(c);
    if (rc != CHIEF_OK) return rc;
    rc = chief__ask(c, REQUEST_LAUNCH, NULL, parent, 0);
    chief__lock(&c->lock);
    if (rc != CHIEF_OK) c->launching = false;
    else if (c->stage == STAGE_RUNNING) c->stage = STAGE_LAUNCHED;
    chief__unlock(&c->lock);
    return rc;
}

static int can_join(const chief *c) {
    if (c->stage >= STAGE_LAUNCHED || c->launching || c->stop_asked) return CHIEF_OK;
    return chief__fail(CHIEF_ENOTINIT, "the chief has not been started");
}

int chief_join(chief *c, int64_t timeout_ms) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (chief__inbox_is_own_thread(c->inbox))
        return chief__fail(CHIEF_EDEADLK, "a chief's own thread can't wait for its end");
    int64_t deadline = chief__deadline(timeout_ms);
    chief__lock(&c->lock);
    rc = can_join(c);
    while (rc == CHIEF_OK && c->stage != STAGE_STOPPED)
        if (timeout_ms == 0 || !chief__cond_wait(&c->changed, &c->lock, deadline)) break;
    bool stopped = c->stage == STAGE_STOPPED;
    chief__unlock(&c->lock);
    if (rc != CHIEF_OK) return rc;
    if (!stopped) return chief__fail(timeout_ms == 0 ? CHIEF_EAGAIN : CHIEF_ETIMEDOUT, "still running");
    if (c->result == CHIEF_OK) return CHIEF_OK;
    return chief__fail(c->result, "%s", c->result_text != NULL ? c->result_text : chief_strerror(c->result));
}

int chief_has_stopped(chief *c) {
    if (chief__check(c) != CHIEF_OK) return 0;
    chief__lock(&c->lock);
    bool stopped = c->stage == STAGE_STOPPED;
    chief__unlock(&c->lock);
    return stopped;
}

int chief_start(chief *c, chief_context *parent) {
    int rc = chief_launch(c, parent);
    return rc == CHIEF_OK ? chief_join(c, CHIEF_FOREVER) : rc;
}

static int set_name(chief *c, const char *app) {
    if (app == NULL) return CHIEF_OK;
    char *copy = chief__strdup(app);
    if (copy == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__lock(&c->lock);
    char *old = c->name;
    c->name = copy;
    chief__unlock(&c->lock);
    chief__free(old);
    return chief__info_show(c, false);
}

/* In the caller's thread, like all of the locker: what it does with its thread is the host's affair. */
static int wait_for_locker(chief *c) {
    int rc = chief_launch(c, NULL);
    if (rc != CHIEF_OK) return rc;
    int said = c->locker(c->locker_data, c->stop_context);
    if (said != 0) {
        chief_field field = {.key = "result", .value = {.type = CHIEF_INTEGER, .integer = said}};
        chief_log_write(c->log, CHIEF_ERROR, "the locker failed", &field, 1);
    }
    (void)chief_stop_because(c, said == 0 ? "the locker returned" : "the locker failed");
    rc = chief_join(c, CHIEF_FOREVER);
    return rc == CHIEF_OK && said != 0 ? chief__fail(CHIEF_EFAILED, "the locker failed: it returned %d", said) : rc;
}

static bool has_locker(chief *c) {
    chief__lock(&c->lock);
    bool has = c->locker != NULL;
    chief__unlock(&c->lock);
    return has;
}

int chief_run_all(chief *c, const char *app, const char *const *names, size_t n) {
    if (c == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = set_name(c, app);
    if (rc == CHIEF_OK) rc = chief_catch_signals(c, has_locker(c) ? 0 : CHIEF_CATCH_STOP);
    if (rc == CHIEF_OK && n > 0) rc = chief_enable_workers(c, names, n);
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc != CHIEF_OK) return rc;
    return c->locker == NULL ? chief_start(c, NULL) : wait_for_locker(c);
}

static int begin_stop(chief *c) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    bool initialised = c->stage != STAGE_NEW;
    c->stop_asked = c->stop_asked || initialised;
    chief__unlock(&c->lock);
    return initialised ? CHIEF_OK : chief__fail(CHIEF_ENOTINIT, "init_workers has not been called");
}

static int call(chief *c, chief__call_bit bit) {
    int rc = begin_stop(c);
    if (rc == CHIEF_OK) chief__inbox_call(c->inbox, bit);
    return rc;
}

int chief_stop(chief *c) { return call(c, CALL_STOP); }

int chief_stop_because(chief *c, const char *why) {
    int rc = begin_stop(c);
    if (rc == CHIEF_OK) rc = chief__ask(c, REQUEST_STOP_ALL, why, NULL, 0);
    return rc == CHIEF_ECLOSED ? CHIEF_OK : rc; /* it has stopped already */
}

int chief_force_stop(chief *c) { return call(c, CALL_FORCE); }

/* ---- waiting ---- */

int chief_wait_state(chief *c, const char *name, chief_state_t state, int64_t timeout_ms) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (chief_state_validate(state) != CHIEF_OK) return CHIEF_ESTATE;
    if (chief__inbox_is_loop(c->inbox))
        return chief__fail(CHIEF_EDEADLK, "the chief's own loop can't wait for what it does itself");
    rc = chief__pool_wait_state(c->pool, name, state, timeout_ms);
    if (rc == CHIEF_ENOENT) return chief__unknown_name(c, name);
    return rc;
}

/* Waits until there is a loop to ask, and counts as one that waits for its answer; false when there was none in time. */
static bool begin_wait_ready(chief *c, int64_t timeout_ms, int64_t deadline) {
    chief__lock(&c->lock);
    while (c->stage == STAGE_NEW && timeout_ms != 0 && chief__cond_wait(&c->changed, &c->lock, deadline)) continue;
    bool begun = c->stage != STAGE_NEW;
    if (begun) {
        c->ready_waiters++;
        c->all_ready = false;
    }
    chief__unlock(&c->lock);
    return begun;
}

static int not_ready(int64_t timeout_ms) {
    return chief__fail(timeout_ms == 0 ? CHIEF_EAGAIN : CHIEF_ETIMEDOUT, "not all workers are ready yet");
}

/* The loop looks whether all are ready while somebody waits for it. */
int chief_wait_ready(chief *c, int64_t timeout_ms) {
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    int64_t deadline = chief__deadline(timeout_ms);
    if (!begin_wait_ready(c, timeout_ms, deadline)) return not_ready(timeout_ms);
    rc = chief__ask(c, REQUEST_LOOK, NULL, NULL, 0);
    chief__lock(&c->lock);
    while (rc == CHIEF_OK && !c->all_ready && c->stage != STAGE_STOPPED)
        if (timeout_ms == 0 || !chief__cond_wait(&c->changed, &c->lock, deadline)) break;
    bool ready = c->all_ready;
    bool stopped = c->stage == STAGE_STOPPED;
    c->ready_waiters--;
    chief__unlock(&c->lock);
    if (rc != CHIEF_OK || ready) return rc;
    if (stopped) return chief__fail(CHIEF_ECLOSED, "the chief has stopped");
    return not_ready(timeout_ms);
}
