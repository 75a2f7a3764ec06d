#include "remote.h"

#include <string.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "snapshot.h"

#define BATCH_BYTES ((size_t)256 * 1024) /* of payloads in one frame, unless one alone is more */

/* ---- asking ---- */

/* What an answer brings; the asker sets what it wants. */
typedef struct answer {
    int code; /* this and the next: of the result */
    int64_t number;
    chief__label *label; /* of the channel that messages come from */
    chief_msg **msgs;    /* room for `max`, or NULL */
    size_t max, n;
    chief_channel *opened; /* held */
    const char *name;      /* of the channel that is opened */
    chief_channel_stats *stats;
    chief_snapshot *snapshot;
} answer;

static int unexpected(const chief__frame *f) {
    return chief__fail(CHIEF_EDATA, "the chief said %s, which was not asked for", chief__frame_word(f->kind));
}

static int take_message(chief__remote *r, answer *a, const chief__frame *f) {
    if (a->msgs == NULL || a->n == a->max) return unexpected(f);
    chief_msg *msg =
        chief__msg_new(chief__field_text(&f->fields, 0), a->label, f->fields.bytes[1].data, f->fields.bytes[1].len);
    if (msg == NULL) return chief__fail_code(CHIEF_ENOMEM);
    a->msgs[a->n++] = msg;
    msg->kind = (chief__msg_kind)f->fields.ints[0];
    atomic_store_explicit(&msg->deliveries, (uint32_t)f->fields.ints[1], memory_order_relaxed);
    if (f->fields.ints[2] == 0) return CHIEF_OK;
    msg->call = chief__call_new_far(&r->far, f->fields.ints[2]);
    return msg->call != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static chief_channel *find_channel(const chief__remote *r, int64_t number) {
    for (size_t i = 0; i < r->n_channels; i++)
        if (r->channels[i]->number == number) return r->channels[i];
    return NULL;
}

static int take_channel(chief__remote *r, answer *a, const chief__frame *f) {
    const int64_t *is = f->fields.ints;
    a->opened = find_channel(r, is[0]);
    if (a->opened != NULL || a->name == NULL) return CHIEF_OK;
    chief_channel_options o = {.size = sizeof o,
                               .max_message = is[1] != 0 ? is[1] : CHIEF_ZERO,
                               .capacity = (uint32_t)is[2],
                               .overflow = (int32_t)is[3],
                               .delivery = (int32_t)is[4]};
    chief_channel *ch;
    int rc = chief_channel_new(&ch, a->name, &o);
    if (rc != CHIEF_OK) return rc;
    chief_channel **grown = chief__realloc(r->channels, (r->n_channels + 1) * sizeof(chief_channel *));
    if (grown == NULL) {
        chief_channel_unref(ch);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    ch->far = &r->far;
    ch->number = is[0];
    r->channels = grown;
    r->channels[r->n_channels++] = ch;
    a->opened = ch;
    return CHIEF_OK;
}

static int take_counts(const answer *a, const chief__frame *f) {
    const int64_t *is = f->fields.ints;
    if (a->stats == NULL) return unexpected(f);
    *a->stats = (chief_channel_stats){.size = a->stats->size,
                                      .capacity = (uint32_t)is[0],
                                      .sent = (uint64_t)is[1],
                                      .received = (uint64_t)is[2],
                                      .queued = (uint64_t)is[3],
                                      .dropped = (uint64_t)is[4],
                                      .acknowledged = (uint64_t)is[5],
                                      .in_hand = (uint64_t)is[6],
                                      .redelivered = (uint64_t)is[7],
                                      .dead = (uint64_t)is[8]};
    return CHIEF_OK;
}

static chief_worker_status status_of(const chief__fields *one) {
    return (chief_worker_status){.size = sizeof(chief_worker_status),
                                 .state = (chief_state_t)one->ints[0],
                                 .phase = (int32_t)one->ints[1],
                                 .reason = (int32_t)one->ints[2],
                                 .generation = (uint64_t)one->ints[3],
                                 .restarts = (uint64_t)one->ints[4],
                                 .until_ms = one->ints[5],
                                 .name = chief__field_text(one, 0),
                                 .waiting_for = chief__field_text(one, 1),
                                 .error = chief__field_text(one, 2),
                                 .traceback = chief__field_text(one, 3),
                                 .why = chief__field_text(one, 4)};
}

static int take_snapshot(answer *a, const chief__frame *f) {
    chief__fields one;
    size_t size = strlen(chief__field_text(&f->fields, 0)) + 1;
    chief__frame copy = *f;
    size_t n = 0;
    for (; chief__frame_next(&copy, &one); n++) {
        chief_worker_status s = status_of(&one);
        size += chief__snapshot_text_size(&s);
    }
    chief_snapshot_free(a->snapshot);
    a->snapshot = chief__snapshot_new(n, size);
    if (a->snapshot == NULL) return chief__fail_code(CHIEF_ENOMEM);
    a->snapshot->seq = (uint64_t)f->fields.ints[0];
    chief__snapshot_set_app(a->snapshot, chief__field_text(&f->fields, 0));
    for (copy = *f; chief__frame_next(&copy, &one);) {
        chief_worker_status s = status_of(&one);
        chief__snapshot_add(a->snapshot, &s);
    }
    return CHIEF_OK;
}

static int take(chief__remote *r, answer *a, const chief__frame *f) {
    switch (f->kind) {
    case FRAME_MESSAGE: return take_message(r, a, f);
    case FRAME_CHANNEL: return take_channel(r, a, f);
    case FRAME_COUNTS: return take_counts(a, f);
    case FRAME_SNAPSHOT: return take_snapshot(a, f);
    default: return unexpected(f);
    }
}

int chief__remote_say(chief__remote *r) { return chief__wire_write(r->call.fd, &r->out, -1); }

int chief__remote_hear(chief__remote *r, chief__frame *f) {
    for (;;) {
        int rc = chief__wire_read(&r->call, f);
        if (rc != CHIEF_OK) return rc;
        if (f->kind != FRAME_CANCEL && f->kind != FRAME_VALUE && f->kind != FRAME_LEVEL) return rc;
        r->beside.hear(r->beside.data, f);
    }
}

/* An error is one of the way, not the answer's. */
static int hear_answer(chief__remote *r, answer *a) {
    chief__frame f;
    int rc;
    while ((rc = chief__remote_hear(r, &f)) == CHIEF_OK && f.kind != FRAME_RESULT)
        if ((rc = take(r, a, &f)) != CHIEF_OK) break;
    if (rc != CHIEF_OK) return rc;
    a->number = f.fields.ints[1];
    a->code = (int)f.fields.ints[0];
    if (a->code != CHIEF_OK) (void)chief_set_last_error(a->code, chief__field_text(&f.fields, 0));
    return CHIEF_OK;
}

/* With the lock held: sends the question that stands in `out`. */
static int say(chief__remote *r) {
    if (r->broken != CHIEF_OK) {
        chief__frames_reset(&r->out);
        return chief__fail(r->broken, "the way to the chief is broken");
    }
    int rc = chief__frame_end(&r->out);
    if (rc != CHIEF_OK) chief__frames_reset(&r->out);
    return rc == CHIEF_OK ? chief__remote_say(r) : rc;
}

/* The same, and waits for the answer. What can't be understood, or kept, would be lost if the next question went on as if
 * nothing had been: so none does. */
static int ask(chief__remote *r, answer *a) {
    int rc = say(r);
    if (rc != CHIEF_OK) return rc;
    rc = hear_answer(r, a);
    if (rc != CHIEF_OK) r->broken = rc;
    return rc == CHIEF_OK ? a->code : rc;
}

/* ---- the calls ---- */

static chief__remote *lock(chief__far *far, chief__frame_kind kind) {
    chief__remote *r = (chief__remote *)(void *)far;
    chief__lock(&r->lock);
    chief__frame_begin(&r->out, kind);
    return r;
}

static int unlock(chief__remote *r, int rc) {
    chief__unlock(&r->lock);
    return rc;
}

static int64_t number_of(const chief_channel *ch) { return ch != NULL ? ch->number : 0; }

/* What is left of a timeout, and still one that waits where it was. */
static int64_t time_left(int64_t timeout_ms, int64_t deadline) {
    if (timeout_ms <= 0) return timeout_ms;
    int64_t left = deadline - chief__now_ms();
    return left > 1 ? left : 1;
}

static int far_open(chief__far *far, const char *name, chief_channel **out) {
    answer a = {.name = name};
    *out = NULL;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__remote *r = lock(far, FRAME_OPEN);
    chief__frame_text(&r->out, name);
    int rc = ask(r, &a);
    if (rc == CHIEF_OK) *out = a.opened;
    return unlock(r, rc);
}

#define ITEM_HEAD 8 /* bytes of a frame before those of an item */

/* As many as fit into one frame, at least one. */
static size_t put_items(chief__remote *r, const chief_bytes *items, size_t n) {
    size_t bytes = 0;
    size_t i = 0;
    for (; i < n && (i == 0 || bytes + ITEM_HEAD + items[i].len <= BATCH_BYTES); i++) {
        chief__frame_bytes(&r->out, items[i].data, items[i].len);
        bytes += ITEM_HEAD + items[i].len;
    }
    return i;
}

static int check_items(const chief_bytes *items, size_t n) {
    if (items == NULL && n > 0) return chief__fail_code(CHIEF_EINVAL);
    for (size_t i = 0; i < n; i++)
        if (items[i].data == NULL && items[i].len > 0)
            return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", items[i].len);
    return CHIEF_OK;
}

/* To a channel, or to the worker `to`. */
static int send_items(chief__far *far, const chief_channel *ch, const char *to, const chief_bytes *items, size_t n,
                      int64_t timeout_ms, size_t *sent) {
    int64_t deadline = chief__deadline(timeout_ms);
    size_t done = 0;
    int rc = CHIEF_OK;
    for (bool first = true; rc == CHIEF_OK && (first || done < n); first = false) {
        answer a = {0};
        chief__remote *r = lock(far, to != NULL ? FRAME_POST : FRAME_SEND);
        if (to == NULL) chief__frame_int(&r->out, number_of(ch));
        chief__frame_int(&r->out, time_left(timeout_ms, deadline));
        if (to != NULL) chief__frame_text(&r->out, to);
        (void)put_items(r, items + done, n - done);
        rc = unlock(r, ask(r, &a));
        done += (size_t)a.number;
    }
    if (sent != NULL) *sent = done;
    return rc;
}

static int far_send(chief__far *far, chief_channel *ch, const chief_bytes *items, size_t n, int64_t timeout_ms,
                    size_t *sent) {
    return send_items(far, ch, NULL, items, n, timeout_ms, sent);
}

static int far_post(chief__far *far, const char *to, const chief_bytes *items, size_t n, int64_t timeout_ms,
                    size_t *sent) {
    int rc = to != NULL ? check_items(items, n) : chief__fail_code(CHIEF_EINVAL);
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++)
        if (items[i].len > (size_t)CHIEF__MAX_MESSAGE)
            rc = chief__fail(CHIEF_ETOOBIG, "a message of %zu bytes is more than the %zu that fit", items[i].len,
                             (size_t)CHIEF__MAX_MESSAGE);
    return rc == CHIEF_OK ? send_items(far, NULL, to, items, n, timeout_ms, sent) : rc;
}

static int far_reserve(chief__far *far, chief_channel *ch, size_t len, int64_t timeout_ms, int64_t *number) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_RESERVE);
    chief__frame_int(&r->out, number_of(ch));
    chief__frame_int(&r->out, (int64_t)len);
    chief__frame_int(&r->out, timeout_ms);
    int rc = unlock(r, ask(r, &a));
    *number = a.number;
    return rc;
}

static int far_commit(chief__far *far, int64_t number, const void *data, size_t len) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_COMMIT);
    chief__frame_int(&r->out, number);
    chief__frame_bytes(&r->out, data, len);
    return unlock(r, ask(r, &a));
}

/* One number, and no answer is waited for. */
static void tell(chief__far *far, chief__frame_kind kind, int64_t number) {
    chief__remote *r = lock(far, kind);
    chief__frame_int(&r->out, number);
    (void)unlock(r, say(r));
}

static void far_drop(chief__far *far, int64_t number) { tell(far, FRAME_DROP, number); }

static void far_ack(chief__far *far, chief_channel *ch) { tell(far, FRAME_ACK, number_of(ch)); }

/* What came before the way broke is the chief's again when this process ends. */
static int received(const answer *a, int rc) {
    if (rc == CHIEF_OK) return rc;
    for (size_t i = 0; i < a->n; i++) chief_msg_free(a->msgs[i]);
    return rc;
}

static int far_recv(chief__far *far, chief_channel *ch, int64_t timeout_ms, chief_msg **out, size_t max, size_t *n) {
    chief__remote *r = lock(far, FRAME_RECV);
    answer a = {.msgs = out, .max = max, .label = ch != NULL ? ch->label : r->mailbox};
    chief__frame_int(&r->out, number_of(ch));
    chief__frame_int(&r->out, max < INT64_MAX ? (int64_t)max : INT64_MAX);
    chief__frame_int(&r->out, timeout_ms);
    int rc = unlock(r, received(&a, ask(r, &a)));
    *n = rc == CHIEF_OK ? a.n : 0;
    if (rc != CHIEF_OK) *out = NULL;
    return rc;
}

/* Which channel it comes from is said after the message. */
static void relabel(const chief__remote *r, chief_msg *msg, const chief_channel *ch) {
    chief__label *label = ch != NULL ? ch->label : r->mailbox;
    if (msg->channel == label) return;
    chief__label_unref(msg->channel);
    msg->channel = chief__label_ref(label);
}

static int far_select(chief__far *far, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                      chief_msg **out) {
    chief__remote *r = lock(far, FRAME_SELECT);
    answer a = {.msgs = out, .max = 1, .label = r->mailbox};
    chief__frame_int(&r->out, timeout_ms);
    for (size_t i = 0; i < n; i++) chief__frame_int(&r->out, number_of(channels[i]));
    int rc = received(&a, ask(r, &a));
    if (rc == CHIEF_OK && (a.n != 1 || a.number < 0 || (size_t)a.number >= n)) {
        r->broken = CHIEF_EDATA;
        rc = received(&a, chief__fail(CHIEF_EDATA, "the chief's answer to a select names none of its channels"));
    }
    if (rc == CHIEF_OK) relabel(r, *out, channels[a.number]);
    else *out = NULL;
    *index = rc == CHIEF_OK ? (size_t)a.number : 0;
    return unlock(r, rc);
}

static void far_close(chief__far *far, chief_channel *ch) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_CLOSE);
    chief__frame_int(&r->out, number_of(ch));
    (void)unlock(r, ask(r, &a));
}

static int far_count(chief__far *far, chief_channel *ch, chief_channel_stats *out) {
    answer a = {.stats = out};
    chief__remote *r = lock(far, FRAME_COUNT);
    chief__frame_int(&r->out, number_of(ch));
    return unlock(r, ask(r, &a));
}

/* The descriptor is the channel's here, as it is there. */
static int far_watch(chief__far *far, chief_channel *ch) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_WATCH);
    int *fd = ch != NULL ? &ch->fd : &r->mailbox_fd;
    if (*fd >= 0) {
        chief__frames_reset(&r->out);
        return unlock(r, *fd);
    }
    chief__frame_int(&r->out, number_of(ch));
    int rc = ask(r, &a);
    *fd = chief__wire_take_fd(&r->call);
    if (rc == CHIEF_OK) rc = *fd >= 0 ? *fd : chief__fail(CHIEF_ESYS, "no descriptor came from the chief");
    return unlock(r, rc);
}

static int far_broadcast(chief__far *far, const void *data, size_t len, size_t *reached) {
    answer a = {0};
    if (data == NULL && len > 0) return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", len);
    if (len > (size_t)CHIEF__MAX_MESSAGE)
        return chief__fail(CHIEF_ETOOBIG, "a broadcast of %zu bytes is more than %zu", len, (size_t)CHIEF__MAX_MESSAGE);
    chief__remote *r = lock(far, FRAME_BROADCAST);
    chief__frame_bytes(&r->out, data, len);
    int rc = unlock(r, ask(r, &a));
    if (reached != NULL) *reached = (size_t)a.number;
    return rc;
}

static int far_call(chief__far *far, const char *to, const void *data, size_t len, int64_t timeout_ms,
                    chief_msg **reply) {
    if (reply == NULL || to == NULL || (data == NULL && len > 0)) return chief__fail_code(CHIEF_EINVAL);
    if (len > (size_t)CHIEF__MAX_MESSAGE)
        return chief__fail(CHIEF_ETOOBIG, "a message of %zu bytes is more than the %zu that fit", len,
                           (size_t)CHIEF__MAX_MESSAGE);
    chief__remote *r = lock(far, FRAME_CALL);
    answer a = {.msgs = reply, .max = 1, .label = r->mailbox};
    chief__frame_int(&r->out, timeout_ms);
    chief__frame_text(&r->out, to);
    chief__frame_bytes(&r->out, data, len);
    int rc = unlock(r, received(&a, ask(r, &a)));
    if (rc != CHIEF_OK) *reply = NULL;
    return rc;
}

static int far_answer(chief__far *far, int64_t call, bool failed, const void *data, size_t len) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_ANSWER);
    chief__frame_int(&r->out, call);
    chief__frame_int(&r->out, failed);
    chief__frame_bytes(&r->out, data, len);
    return unlock(r, ask(r, &a));
}

static int far_states(chief__far *far, chief_snapshot **out) {
    answer a = {0};
    chief__remote *r = lock(far, FRAME_STATES);
    int rc = unlock(r, ask(r, &a));
    if (rc == CHIEF_OK && a.snapshot == NULL) rc = chief__fail(CHIEF_EDATA, "the chief's answer shows no states");
    *out = a.snapshot;
    return rc;
}

static void far_ready(chief__far *far) {
    chief__remote *r = lock(far, FRAME_READY);
    (void)unlock(r, say(r));
}

/* Said by another thread than the one that waits for answers, and must not wait for it: so it goes beside. Without memory
 * the worker is left alone. */
static void far_expire(chief__far *far, int32_t reason, const char *why, const char *place) {
    const chief__remote *r = (const chief__remote *)(const void *)far;
    chief__frames out = {0};
    chief__frame_begin(&out, FRAME_EXPIRED);
    chief__frame_int(&out, reason);
    chief__frame_text(&out, why);
    chief__frame_text(&out, place);
    if (chief__frame_end(&out) == CHIEF_OK) r->beside.say(r->beside.data, &out);
    chief__frames_free(&out);
}

static void far_ack_all(chief__far *far) { tell(far, FRAME_ACK, CHIEF__ALL_CHANNELS); }

static const chief__far_ops operations = {.open = far_open,
                                          .send = far_send,
                                          .reserve = far_reserve,
                                          .commit = far_commit,
                                          .drop = far_drop,
                                          .recv = far_recv,
                                          .select = far_select,
                                          .ack = far_ack,
                                          .ack_all = far_ack_all,
                                          .close = far_close,
                                          .count = far_count,
                                          .watch = far_watch,
                                          .post = far_post,
                                          .broadcast = far_broadcast,
                                          .call = far_call,
                                          .answer = far_answer,
                                          .states = far_states,
                                          .ready = far_ready,
                                          .expire = far_expire};

/* ---- life ---- */

int chief__remote_init(chief__remote *r, int fd, const chief__beside *beside) {
    memset(r, 0, sizeof *r);
    r->far.ops = &operations;
    r->beside = *beside;
    r->mailbox_fd = -1;
    chief__mutex_init(&r->lock);
    chief__wire_init(&r->call, fd, SIZE_MAX / 2); /* the chief is trusted with the size of what was asked for */
    r->mailbox = chief__label_new("");
    return r->mailbox != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

void chief__remote_fini(chief__remote *r) {
    for (size_t i = 0; i < r->n_channels; i++) chief_channel_unref(r->channels[i]);
    chief__free(r->channels);
    chief__fd_close(r->mailbox_fd);
    chief__label_unref(r->mailbox);
    chief__frames_free(&r->out);
    chief__wire_fini(&r->call);
    chief__mutex_fini(&r->lock);
}
