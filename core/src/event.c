#include "event.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "plat.h"

struct chief__events {
    atomic_uint refs;  /* dropped with release, the last one acquires */
    uint32_t capacity; /* const after new */
    atomic_int level;  /* relaxed: it orders nothing */
    chief__mutex lock;
    chief__cond came;
    /* under lock */
    uint32_t first;
    uint32_t len;
    uint64_t dropped;
    bool closed;
    int fd; /* -1 until asked for */
    chief_event *slots[];
};

/* ---- one event ---- */

const char *chief_event_kind_name(int32_t kind) {
    static const char *const names[] = {"",
                                        "state",
                                        "wrong_state_change",
                                        "ready",
                                        "restart",
                                        "given_up",
                                        "abandoned",
                                        "removed",
                                        "message_dropped",
                                        "note",
                                        "signal",
                                        "stopping",
                                        "hook_timeout",
                                        "stopped",
                                        "forced"};
    return kind > 0 && kind <= CHIEF_EVENT_FORCED ? names[kind] : "";
}

static size_t text_size(const char *text) { return text != NULL ? strlen(text) + 1 : 1; }

static const char *put_text(char **at, const char *text) {
    size_t size = text_size(text);
    char *to = *at;
    memcpy(to, text != NULL ? text : "", size);
    *at += size;
    return to;
}

static chief_event *event_copy(const chief_event *e) {
    size_t size =
        sizeof *e + text_size(e->worker) + text_size(e->channel) + text_size(e->error) + text_size(e->traceback);
    chief_event *copy = chief__alloc(size);
    if (copy == NULL) return NULL;
    char *at = (char *)(copy + 1);
    *copy = *e;
    copy->size = sizeof *copy;
    copy->worker = put_text(&at, e->worker);
    copy->channel = put_text(&at, e->channel);
    copy->error = put_text(&at, e->error);
    copy->traceback = put_text(&at, e->traceback);
    return copy;
}

void chief_event_free(chief_event *event) { chief__free(event); }

/* ---- the ring ---- */

int chief__events_new(chief__events **out, uint32_t capacity) {
    chief__events *ring = chief__calloc(1, sizeof *ring + capacity * sizeof ring->slots[0]);
    *out = ring;
    if (ring == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&ring->refs, 1);
    ring->capacity = capacity;
    atomic_init(&ring->level, 0);
    ring->fd = -1;
    chief__mutex_init(&ring->lock);
    chief__cond_init(&ring->came);
    return CHIEF_OK;
}

static chief_event *pop(chief__events *ring) {
    chief_event *event = ring->slots[ring->first];
    ring->first = (ring->first + 1) % ring->capacity;
    ring->len--;
    return event;
}

void chief__events_unref(chief__events *ring) {
    if (ring == NULL || atomic_fetch_sub_explicit(&ring->refs, 1, memory_order_acq_rel) != 1) return;
    while (ring->len > 0) chief_event_free(pop(ring));
    chief__fd_close(ring->fd);
    chief__cond_fini(&ring->came);
    chief__mutex_fini(&ring->lock);
    chief__free(ring);
}

void chief__events_set_level(chief__events *ring, int32_t level) {
    atomic_store_explicit(&ring->level, level, memory_order_relaxed);
}

void chief__events_push(chief__events *ring, const chief_event *event) {
    if (event->level < atomic_load_explicit(&ring->level, memory_order_relaxed)) return;
    chief_event *oldest = NULL;
    chief_event *copy = event_copy(event);
    chief__lock(&ring->lock);
    if (copy == NULL) {
        ring->dropped++;
    } else {
        if (ring->len == ring->capacity) {
            oldest = pop(ring);
            ring->dropped++;
        }
        ring->slots[(ring->first + ring->len++) % ring->capacity] = copy;
        if (ring->fd >= 0 && ring->len == 1) chief__fd_set(ring->fd);
        chief__cond_wake_all(&ring->came);
    }
    chief__unlock(&ring->lock);
    chief_event_free(oldest);
}

void chief__events_count_dropped(chief__events *ring, uint64_t n) {
    chief__lock(&ring->lock);
    ring->dropped += n;
    chief__unlock(&ring->lock);
}

void chief__events_close(chief__events *ring) {
    chief__lock(&ring->lock);
    ring->closed = true;
    if (ring->fd >= 0) chief__fd_set(ring->fd);
    chief__cond_wake_all(&ring->came);
    chief__unlock(&ring->lock);
}

/* With the lock held: waits until there is something or nothing will come; an error when neither happened in time. */
static int wait_for_event(chief__events *ring, int64_t timeout_ms) {
    int64_t deadline = chief__deadline(timeout_ms);
    while (ring->len == 0 && !ring->closed) {
        if (timeout_ms == 0) return CHIEF_EAGAIN;
        if (!chief__cond_wait(&ring->came, &ring->lock, deadline) && ring->len == 0 && !ring->closed)
            return CHIEF_ETIMEDOUT;
    }
    return ring->len > 0 ? CHIEF_OK : CHIEF_ECLOSED;
}

int chief__events_take(chief__events *ring, chief_event **out, size_t max, int64_t timeout_ms, size_t *n) {
    chief__lock(&ring->lock);
    int rc = wait_for_event(ring, timeout_ms);
    for (*n = 0; *n < max && ring->len > 0; (*n)++) out[*n] = pop(ring);
    if (ring->fd >= 0 && ring->len == 0 && !ring->closed) chief__fd_clear(ring->fd);
    chief__unlock(&ring->lock);
    return rc == CHIEF_OK ? rc : chief__fail_code(rc);
}

uint64_t chief__events_dropped(chief__events *ring) {
    chief__lock(&ring->lock);
    uint64_t dropped = ring->dropped;
    chief__unlock(&ring->lock);
    return dropped;
}

int chief__events_fd(chief__events *ring) {
    chief__lock(&ring->lock);
    if (ring->fd < 0) {
        ring->fd = chief__fd_new();
        if (ring->fd >= 0 && (ring->len > 0 || ring->closed)) chief__fd_set(ring->fd);
    }
    int fd = ring->fd;
    chief__unlock(&ring->lock);
    return fd >= 0 ? fd : chief__fail(CHIEF_ESYS, "no descriptor for the events");
}
