#include <signal.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "loop.h"

/* The host's handlers. libuv leaves SIG_DFL behind when its last watcher of a signal closes. */
struct chief__saved_signals {
    struct sigaction before[N_SIGNALS];
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

/* ---- what a signal does ---- */

static const char *name_of(int number) {
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (wanted[i].number == number) return wanted[i].name;
    return "";
}

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

static void on_signal(uv_signal_t *watcher, int number) {
    chief *c = watcher->data;
    const char *name = name_of(number);
    if (c->ended) return;
    if (number == SIGTERM || number == SIGINT) {
        tell_signal(c, name, c->stopping ? "signal during the stop" : "signal: stopping");
        if (c->stop_why == NULL) c->stop_why = name;
        (void)chief__feed(c, STEP_SIGNAL, 0, 0, 0);
    } else if (number == SIGHUP) {
        tell_signal(c, name,
                    c->stopping ? "signal ignored during the stop"
                                : "signal ignored: reload is not in this version yet");
    } else {
        tell_signal(c, name, "signal: dumping the states");
        dump_states(c);
    }
    chief__wake(c);
}

/* ---- taking and giving back ---- */

static int watch(chief *c, size_t i) {
    int rc = uv_signal_init(&c->loop, &c->signals[i]);
    if (rc == 0) {
        c->signals[i].data = c;
        (void)sigaction(wanted[i].number, NULL, &c->saved->before[i]);
        rc = uv_signal_start(&c->signals[i], on_signal, wanted[i].number);
    }
    return rc == 0 ? CHIEF_OK : chief__fail(CHIEF_ESYS, "%s can't be watched: %s", wanted[i].name, uv_strerror(rc));
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
    int rc = CHIEF_OK;
    for (size_t i = 0; i < N_SIGNALS && rc == CHIEF_OK; i++)
        if ((c->catches & wanted[i].catch_bit) != 0) rc = watch(c, i);
    return rc;
}

void chief__catch_close(chief *c) {
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (c->signals[i].data != NULL) uv_close((uv_handle_t *)&c->signals[i], NULL);
    if (c->watching_parent) uv_close((uv_handle_t *)&c->parent_watch, NULL);
}

void chief__catch_restore(chief *c) {
    if (c->saved == NULL) return;
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (c->signals[i].data != NULL) {
            (void)sigaction(wanted[i].number, &c->saved->before[i], NULL);
            c->signals[i].data = NULL; /* another chief_init_workers may watch anew */
        }
    chief__free(c->saved);
    c->saved = NULL;
    atomic_store_explicit(&taken, false, memory_order_release);
}

/* ---- the parent context ---- */

static void on_parent(uv_poll_t *watcher, int status, int events) {
    chief *c = watcher->data;
    (void)status;
    (void)events;
    (void)uv_poll_stop(watcher);
    if (c->ended) return;
    if (c->stop_why == NULL) c->stop_why = "the parent context is done";
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
