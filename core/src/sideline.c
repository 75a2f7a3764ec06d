#include "sideline.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "leash.h"

#define EXIT_ALONE 75
#define ALONE_MS 1000 /* the least that a worker has to end in when its chief has gone */
#define MESSAGE_MAX ((size_t)1024 * 1024)

/* ---- up ---- */

static int64_t number_of(const chief_value *value) {
    int64_t bits = 0;
    switch (value->type) {
    case CHIEF_BOOL: return value->boolean;
    case CHIEF_INTEGER: return value->integer;
    case CHIEF_NUMBER: memcpy(&bits, &value->number, sizeof bits); return bits;
    case CHIEF_POINTER: return (int64_t)(uintptr_t)value->pointer;
    default: return 0;
    }
}

static void put_field(chief__frames *out, const chief_field *f) {
    chief_bytes bytes = f->value.type == CHIEF_BYTES ? f->value.bytes : (chief_bytes){NULL, 0};
    if (bytes.len > MESSAGE_MAX) bytes.len = MESSAGE_MAX;
    chief__frame_text(out, f->key);
    chief__frame_int(out, f->value.type);
    chief__frame_int(out, number_of(&f->value));
    chief__frame_bytes(out, bytes.data, bytes.len);
}

static void send_record(void *data, const chief_record *r) {
    chief__sideline *s = data;
    chief__frames out = {0};
    chief__frame_begin(&out, FRAME_LOG);
    chief__frame_int(&out, r->level);
    chief__frame_int(&out, r->time_ms);
    chief__frame_text(&out, r->message);
    for (size_t i = 0; i < r->n_fields; i++) put_field(&out, &r->fields[i]);
    (void)chief__frame_end(&out);
    chief__sideline_say(s, &out);
    chief__frames_free(&out);
}

void chief__sideline_say(chief__sideline *s, chief__frames *frames) {
    chief__lock(&s->write_lock);
    (void)chief__wire_write(s->fd, frames, -1);
    chief__unlock(&s->write_lock);
}

/* ---- down ---- */

/* Of the values of one name. */
struct chief__latest {
    struct chief__latest *next;
    int64_t order;
    char key[];
};

/* With the lock held: whether no newer one has come on the other way. Without memory to remember it counts as the newest. */
static bool is_newest(chief__sideline *s, const char *key, int64_t order) {
    struct chief__latest *l = s->latest;
    while (l != NULL && strcmp(l->key, key) != 0) l = l->next;
    if (l == NULL) {
        l = chief__calloc(1, sizeof *l + strlen(key) + 1);
        if (l == NULL) return true;
        (void)strcpy(l->key, key);
        l->next = s->latest;
        s->latest = l;
    }
    bool newest = order >= l->order;
    if (newest) l->order = order;
    return newest;
}

static void set_value(chief__sideline *s, const chief__fields *f) {
    const char *key = chief__field_text(f, 0);
    chief_value value = {.type = (int32_t)f->ints[1]};
    switch (value.type) {
    case CHIEF_BOOL: value.boolean = f->ints[2] != 0; break;
    case CHIEF_INTEGER: value.integer = f->ints[2]; break;
    case CHIEF_NUMBER: memcpy(&value.number, &f->ints[2], sizeof value.number); break;
    case CHIEF_BYTES: value.bytes = f->bytes[1]; break;
    case CHIEF_POINTER: (void)chief__context_withhold(s->context, key, "a pointer does not go into a process"); return;
    default: value.type = CHIEF_NIL; break;
    }
    (void)chief_context_set(s->context, key, &value);
}

/* Both ways at once: the newest is to be the one that stays. */
static void take_value(chief__sideline *s, const chief__fields *f) {
    chief__lock(&s->lock);
    if (is_newest(s, chief__field_text(f, 0), f->ints[0])) set_value(s, f);
    chief__unlock(&s->lock);
}

static void take_cancel(chief__sideline *s, const chief__fields *f) {
    chief__lock(&s->lock);
    s->grace_end = f->ints[0];
    chief__unlock(&s->lock);
    chief_context_cancel(s->context, chief__field_text(f, 0));
}

bool chief__sideline_take(chief__sideline *s, const chief__frame *frame) {
    switch (frame->kind) {
    case FRAME_CANCEL: take_cancel(s, &frame->fields); return true;
    case FRAME_VALUE: take_value(s, &frame->fields); return true;
    case FRAME_LEVEL: (void)chief_log_set_level(s->log, (int32_t)frame->fields.ints[0]); return true;
    case FRAME_SYNC: return true;
    default: return false;
    }
}

/* ---- the thread that listens ---- */

static void on_gone(chief__sideline *s) {
    int64_t least = chief__deadline(ALONE_MS);
    chief_context_cancel(s->context, "the chief has gone");
    chief__lock(&s->lock);
    int64_t until = s->grace_end != INT64_MAX && s->grace_end > least ? s->grace_end : least;
    while (!s->over && chief__cond_wait(&s->changed, &s->lock, until)) continue;
    bool over = s->over;
    chief__unlock(&s->lock);
    if (over) return;
    chief__leash_cut();
    _exit(EXIT_ALONE);
}

/* TERM is said beside the frame that tells why; it is all there is where that was lost. True when it was TERM. */
static bool wait_for_either(const chief__sideline *s, int term) {
    struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN}, {.fd = term, .events = POLLIN}};
    int n = poll(fds, term >= 0 ? 2 : 1, -1);
    return n > 0 && fds[0].revents == 0 && fds[1].revents != 0;
}

static void listen_main(void *data) {
    chief__sideline *s = data;
    chief__frame frame;
    int term = chief__leash_fd();
    int rc;
    while ((rc = chief__wire_try(&s->wire, &frame)) == CHIEF_OK || rc == CHIEF_EAGAIN) {
        if (rc == CHIEF_OK && !chief__sideline_take(s, &frame)) break;
        if (rc == CHIEF_OK || !wait_for_either(s, term)) continue;
        term = -1;
        chief_context_cancel(s->context, "SIGTERM");
    }
    on_gone(s);
}

/* ---- life ---- */

static void drop_log(void *log) { chief_log_unref(log); }

static int keep_log_in_context(chief__sideline *s) {
    chief_value value = {.type = CHIEF_POINTER, .pointer = chief_log_ref(s->log), .destroy = drop_log};
    int rc = chief_context_set(s->context, CHIEF_CTX_KEY_LOG, &value);
    if (rc != CHIEF_OK) chief_log_unref(s->log);
    return rc;
}

int chief__sideline_init(chief__sideline *s, int fd) {
    chief_log_options options = {.size = sizeof options, .sink = send_record, .data = s};
    memset(s, 0, sizeof *s);
    s->fd = fd;
    s->grace_end = INT64_MAX;
    chief__wire_init(&s->wire, fd, SIZE_MAX / 2);
    chief__mutex_init(&s->lock);
    chief__mutex_init(&s->write_lock);
    chief__cond_init(&s->changed);
    int rc = chief_context_new(&s->context, NULL);
    if (rc == CHIEF_OK) rc = chief_log_new(&s->log, &options);
    return rc == CHIEF_OK ? keep_log_in_context(s) : rc;
}

int chief__sideline_start(chief__sideline *s) {
    int rc = chief__thread_start(&s->thread, listen_main, s, 0, "chief-sideline");
    s->started = rc == CHIEF_OK;
    return rc;
}

void chief__sideline_fini(chief__sideline *s) {
    chief__lock(&s->lock);
    s->over = true;
    chief__cond_wake_all(&s->changed);
    chief__unlock(&s->lock);
    if (s->started) {
        (void)shutdown(s->fd, SHUT_RD); /* which ends its wait */
        chief__thread_join(&s->thread);
    }
    chief_context_unref(s->context);
    chief_log_unref(s->log);
    chief__wire_fini(&s->wire);
    while (s->latest != NULL) {
        struct chief__latest *l = s->latest;
        s->latest = l->next;
        chief__free(l);
    }
    chief__cond_fini(&s->changed);
    chief__mutex_fini(&s->write_lock);
    chief__mutex_fini(&s->lock);
}
