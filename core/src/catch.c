#include <errno.h>
#include <signal.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "loop.h"

/*
 * Not by libuv: it leaves SIG_DFL behind when its last watcher of a signal closes, and a signal that comes before the host's
 * handler is back would end the process in the middle of its end. Terminals and wrappers send two.
 */
struct chief__saved_signals {
    struct sigaction before[N_SIGNALS];
    bool caught[N_SIGNALS];
};

static const struct {
    int number;
    uint32_t catch_bit;
    const char *name;
} wanted[N_SIGNALS] = {
    {SIGTERM, CHIEF_CATCH_STOP, "SIGTERM"},
    {SIGINT, CHIEF_CATCH_STOP, "SIGINT"},
    {SIGHUP, CHIEF_CATCH_HUP, "SIGHUP"},
    {SIGUSR2, CHIEF_CATCH_USR2, "SIGUSR2"},
};

/* Signals are the process's: one chief takes them at a time. Swapped with acq_rel by whoever takes and gives back. */
static atomic_bool taken;

/* What the handler sees, all sequentially consistent: what it wakes (NULL: nothing), which of the wanted came, and how many
 * handlers run. Who takes `woken` away waits until none does that may have read it before. */
static _Atomic(uv_async_t *) woken;
static atomic_uint arrived;
static atomic_int handlers;

/* ---- what a signal does ---- */

static void tell_signal(chief *c, const char *name, const char *message) {
    chief_event e = {.kind = CHIEF_EVENT_SIGNAL, .level = CHIEF_INFO, .error = name};
    chief__tell(c, &e);
    chief_field field = {.key = "signal", .value = {.type = CHIEF_BYTES}};
    field.value.bytes.data = name;
    field.value.bytes.len = strlen(name);
    chief_log_write(c->log, CHIEF_INFO, message, &field, 1);
}

static void dump_states(chief *c) {
    chief_snapshot *snapshot;
    if (chief_pool_states(c->pool, &snapshot) != CHIEF_OK) return;
    size_t len = chief_snapshot_json(snapshot, NULL, 0);
    char *json = chief__alloc(len + 1);
    if (json != NULL) {
        (void)chief_snapshot_json(snapshot, json, len + 1);
        chief_field field = {.key = "states", .value = {.type = CHIEF_BYTES}};
        field.value.bytes.data = json;
        field.value.bytes.len = len;
        chief_log_write(c->log, CHIEF_INFO, "states", &field, 1);
    }
    chief__free(json);
    chief_snapshot_free(snapshot);
}

static void take_signal(chief *c, size_t i) {
    const char *name = wanted[i].name;
    if (c->ended) return;
    if (wanted[i].catch_bit == CHIEF_CATCH_STOP) {
        tell_signal(c, name, c->stopping ? "signal during the stop" : "signal: stopping");
        if (c->stop_why == NULL) c->stop_why = name;
        (void)chief__feed(c, STEP_SIGNAL, 0, 0, 0);
    } else if (wanted[i].catch_bit == CHIEF_CATCH_HUP) {
        tell_signal(c, name,
                    c->stopping ? "signal ignored during the stop"
                                : "signal ignored: reload is not in this version yet");
    } else {
        tell_signal(c, name, "signal: dumping the states");
        dump_states(c);
    }
}

void chief__take_signals(chief *c) {
    if (c->saved == NULL) return;
    uint32_t bits = atomic_exchange(&arrived, 0);
    for (size_t i = 0; i < N_SIGNALS; i++)
        if ((bits & 1u << i) != 0) take_signal(c, i);
}

/* On any thread, in the middle of anything. */
static void on_signal(int number) {
    int before = errno;
    (void)atomic_fetch_add(&handlers, 1);
    uv_async_t *async = atomic_load(&woken);
    for (size_t i = 0; async != NULL && i < N_SIGNALS; i++)
        if (wanted[i].number == number) {
            (void)atomic_fetch_or(&arrived, 1u << i);
            (void)uv_async_send(async);
        }
    (void)atomic_fetch_sub(&handlers, 1);
    errno = before;
}

/* ---- taking and giving back ---- */

static int catch_one(struct chief__saved_signals *saved, size_t i) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    (void)sigfillset(&action.sa_mask);
    if (sigaction(wanted[i].number, &action, &saved->before[i]) != 0)
        return chief__fail(CHIEF_ESYS, "%s can't be caught: %s", wanted[i].name, strerror(errno));
    saved->caught[i] = true;
    return CHIEF_OK;
}

int chief__catch_open(chief *c) {
    if (c->catches == 0) return CHIEF_OK;
    if (atomic_exchange_explicit(&taken, true, memory_order_acq_rel))
        return chief__fail(CHIEF_EBUSY, "another chief of this process catches the signals");
    c->saved = chief__calloc(1, sizeof *c->saved);
    if (c->saved == NULL) {
        atomic_store_explicit(&taken, false, memory_order_release);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    atomic_store(&arrived, 0);
    atomic_store(&woken, &c->async);
    int rc = CHIEF_OK;
    for (size_t i = 0; i < N_SIGNALS && rc == CHIEF_OK; i++)
        if ((c->catches & wanted[i].catch_bit) != 0) rc = catch_one(c->saved, i);
    return rc;
}

/* Before what it wakes is closed. From now on signals are caught and change nothing. */
void chief__catch_close(chief *c) {
    if (c->saved == NULL) return;
    atomic_store(&woken, NULL);
    while (atomic_load(&handlers) > 0) chief__pause_ms(0);
}

void chief__catch_restore(chief *c) {
    if (c->saved == NULL) return;
    bool last = (c->catches & CHIEF_CATCH_LAST) != 0;
    for (size_t i = 0; i < N_SIGNALS; i++) {
        struct sigaction ignored = {.sa_handler = SIG_IGN};
        if (!c->saved->caught[i]) continue;
        (void)sigaction(wanted[i].number, last ? &ignored : &c->saved->before[i], NULL);
    }
    chief__free(c->saved);
    c->saved = NULL;
    atomic_store_explicit(&taken, false, memory_order_release);
}

/* ---- the parent context ---- */

#define LAST_MOMENT 50 /* ms that a nested chief has left to tell its end in */

int chief__nest_into(chief *c, chief_worker *life) {
    chief__lock(&c->lock);
    bool late = c->stage != STAGE_NEW || c->starting || c->outer_life != NULL;
    if (!late) c->outer_life = chief__worker_ref(life);
    chief__unlock(&c->lock);
    return late ? chief__fail(CHIEF_EBUSY, "a chief that has been started can't be nested") : CHIEF_OK;
}

/* It has to have ended, and named who is late, before the one outside says the same of it. */
static void bound_by_outer(chief *c) {
    int64_t left = chief__party_grace(chief__party_of(c->outer_life)) - chief__now_ms() - c->force_time - LAST_MOMENT;
    int64_t own = chief__model_force_stop_timeout(c->model);
    if (left < own) chief__model_set_force_stop_timeout(c->model, left > 0 ? left : 0);
}

static void on_parent(uv_poll_t *watcher, int status, int events) {
    chief *c = watcher->data;
    (void)status;
    (void)events;
    (void)uv_poll_stop(watcher);
    if (c->ended) return;
    if (c->stop_why == NULL) c->stop_why = "the parent context is done";
    if (c->outer_life != NULL) bound_by_outer(c);
    (void)chief__feed(c, STEP_STOP_ALL, 0, 0, 0);
    chief__wake(c);
}

int chief__watch_parent(chief *c, chief_context *parent) {
    int fd = chief_context_fd(parent);
    if (fd < 0) return fd;
    int rc = chief__context_see(c->context, parent);
    if (rc != CHIEF_OK) return rc;
    rc = uv_poll_init(&c->loop, &c->parent_watch, fd);
    if (rc != 0) return chief__fail(CHIEF_ESYS, "the parent context can't be watched: %s", uv_strerror(rc));
    c->watching_parent = true;
    c->parent_watch.data = c;
    c->parent = chief_context_ref(parent);
    (void)uv_poll_start(&c->parent_watch, UV_READABLE, on_parent);
    return CHIEF_OK;
}
