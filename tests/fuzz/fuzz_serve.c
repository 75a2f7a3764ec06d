/* What the child of a process worker asks its chief for, as the chief does it. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "proxy.h"

#define LIMIT 4096

typedef struct stage {
    chief__hub *hub;
    chief_pool *pool;
    chief_log *log;
    chief__unit *unit;
    chief_worker *worker;
    chief__proxy proxy;
    int ends[2];
} stage;

static int run(chief_worker *worker, void *instance) {
    (void)worker;
    (void)instance;
    return 0;
}

static void set(stage *s) {
    const chief_worker_ops ops = {.size = sizeof ops, .run = run};
    const chief_log_options off = {.size = sizeof off, .level = CHIEF_OFF};
    const chief_channel_options few = {.size = sizeof few, .capacity = 3, .max_message = 64};
    const chief_channel_options old = {.size = sizeof old, .overflow = CHIEF_DROP_OLDEST, .capacity = 2};
    memset(s, 0, sizeof *s);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->ends) == 0);
    MUST(chief_log_new(&s->log, &off) == CHIEF_OK);
    MUST(chief_pool_new(&s->pool) == CHIEF_OK);
    MUST(chief__hub_new(&s->hub, NULL, NULL) == CHIEF_OK);
    MUST(chief__hub_add_channel(s->hub, "a", &few) == CHIEF_OK);
    MUST(chief__hub_add_channel(s->hub, "b", &old) == CHIEF_OK);
    MUST(chief__hub_add_worker(s->hub, "w", 4) == CHIEF_OK);
    MUST(chief__hub_add_worker(s->hub, "v", 2) == CHIEF_OK);
    MUST(chief__unit_new(&s->unit, "w", &ops, NULL, NULL) == CHIEF_OK);
    const chief__surroundings around = {.hub = s->hub, .pool = s->pool, .log = s->log};
    MUST(chief__worker_new(&s->worker, s->unit, 1, &around) == CHIEF_OK);
    s->proxy.worker = s->worker;
    s->proxy.level = CHIEF_OFF;
    chief__mutex_init(&s->proxy.lock);
    chief__mutex_init(&s->proxy.value_lock);
    chief__wire_init(&s->proxy.call, s->ends[0], LIMIT);
}

static void strike(stage *s) {
    chief__serve_fini(&s->proxy);
    chief__frames_free(&s->proxy.out);
    chief__wire_fini(&s->proxy.call);
    chief__worker_unref(s->worker);
    chief__unit_unref(s->unit);
    chief__hub_close(s->hub);
    chief__hub_unref(s->hub);
    chief_pool_free(s->pool);
    chief_log_unref(s->log);
    (void)close(s->ends[0]);
    (void)close(s->ends[1]);
}

/* The answers: each is whole and has the fields of its kind. */
static void hear(stage *s) {
    chief__wire wire;
    chief__frame frame;
    int rc;
    chief__wire_init(&wire, s->ends[1], SIZE_MAX / 2);
    while ((rc = chief__wire_try(&wire, &frame)) == CHIEF_OK) continue;
    MUST(rc == CHIEF_EAGAIN && wire.start == wire.end);
    chief__wire_fini(&wire);
}

/* Nobody else is there to end a wait. */
static void be_impatient(chief__frame *f) {
    switch (f->kind) {
    case FRAME_SEND: f->fields.ints[1] = 0; break;
    case FRAME_RESERVE:
    case FRAME_RECV: f->fields.ints[2] = 0; break;
    case FRAME_SELECT:
    case FRAME_POST:
    case FRAME_CALL: f->fields.ints[0] = 0; break;
    default: break;
    }
}

static void must_add_up(stage *s, const char *name) {
    chief_channel *ch;
    chief_channel_stats c = {.size = sizeof c};
    MUST(chief__hub_channel(s->hub, name, &ch) == CHIEF_OK);
    MUST(chief_channel_get_stats(ch, &c) == CHIEF_OK);
    MUST(c.sent == c.received + c.queued + c.dropped && c.received == c.acknowledged + c.in_hand);
    MUST(c.queued <= c.capacity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    stage s;
    chief__frame frame;
    size_t used;
    set(&s);
    while (chief__frame_read(data, size, LIMIT, &frame, &used) == CHIEF_OK) {
        be_impatient(&frame);
        int rc = chief__serve(&s.proxy, &frame);
        MUST(rc == CHIEF_OK || rc == CHIEF_EDATA);
        hear(&s);
        must_add_up(&s, "a");
        must_add_up(&s, "b");
        if (rc != CHIEF_OK) break;
        data += used;
        size -= used;
    }
    strike(&s);
    return 0;
}
