/* serve: what the child of a process worker asks for is done here, by the public calls, as that worker. */
#include <string.h>

#include "alloc.h"
#include "call.h"
#include "channel.h"
#include "err.h"
#include "proxy.h"
#include "snapshot.h"

#define REASON_SIZE 512
#define BATCH 256                         /* messages in one answer */
#define BATCH_BYTES ((size_t)1024 * 1024) /* of their payloads, unless one alone is more */

/* ---- answers ---- */

/* The child is to know that it is asked to end before it is told of a wait that ended by that. */
static void put_cancel(chief__proxy *p, chief__frames *out) {
    char why[REASON_SIZE];
    (void)chief_context_reason(chief_worker_context(p->worker), why, sizeof why);
    chief__frame_begin(out, FRAME_CANCEL);
    chief__frame_int(out, chief__worker_grace_end(p->worker));
    chief__frame_text(out, why);
    p->told = chief__frame_end(out) == CHIEF_OK;
}

static void put_level(chief__proxy *p, chief__frames *out) {
    p->level = chief__log_level(chief_worker_log(p->worker));
    chief__frame_begin(out, FRAME_LEVEL);
    chief__frame_int(out, p->level);
    (void)chief__frame_end(out);
}

int chief__proxy_send(chief__proxy *p, int fd) {
    chief__frames first = {0};
    int rc = CHIEF_OK;
    if (!p->told && chief_context_err(chief_worker_context(p->worker)) != CHIEF_OK) put_cancel(p, &first);
    if (p->level != chief__log_level(chief_worker_log(p->worker))) put_level(p, &first);
    rc = chief__tell_values(p, &p->by_call, &first);
    if (rc == CHIEF_OK && first.len > 0) rc = chief__wire_write(p->call.fd, &first, -1);
    chief__frames_free(&first);
    return rc == CHIEF_OK ? chief__wire_write(p->call.fd, &p->out, fd) : rc;
}

/* From here on the child may say more and go: its end must not take from it what it still says of that. */
static void end(chief__proxy *p) {
    chief__lock(&p->lock);
    p->serving = false;
    chief__unlock(&p->lock);
}

/* What it carries is in `out` already. The text of an error is the last one. */
static int answer_with(chief__proxy *p, int rc, int64_t first, int64_t second, int fd) {
    const char *text = rc == CHIEF_OK ? "" : chief_last_error();
    chief__frame_begin(&p->out, FRAME_RESULT);
    chief__frame_int(&p->out, rc);
    chief__frame_int(&p->out, first);
    chief__frame_int(&p->out, second);
    chief__frame_text(&p->out, text);
    (void)chief__frame_end(&p->out);
    end(p);
    return chief__proxy_send(p, fd);
}

static int answer(chief__proxy *p, int rc, int64_t number) { return answer_with(p, rc, number, 0, -1); }

/* ---- what it has ---- */

static int nonsense(const char *what) { return chief__fail(CHIEF_EDATA, "it names a %s that it does not have", what); }

static chief_channel *channel_at(const chief__proxy *p, int64_t number) {
    if (number == 0) return chief__party_of(p->worker)->mailbox;
    return number > 0 && (uint64_t)number <= p->n_channels ? p->channels[number - 1] : NULL;
}

static void free_asked(chief__asked *asked) {
    chief_msg_free(asked->msg);
    chief__free(asked);
}

/* Those that nobody waits for any more: a later answer finds none, and that is what it is told then. */
static void drop_settled(chief__proxy *p) {
    for (chief__asked **at = &p->asked; *at != NULL;) {
        chief__asked *asked = *at;
        if (chief__call_is_open(asked->msg->call)) {
            at = &asked->next;
            continue;
        }
        *at = asked->next;
        free_asked(asked);
    }
}

static int64_t keep_asked(chief__proxy *p, chief_msg *msg) {
    chief__asked *asked = chief__calloc(1, sizeof *asked);
    if (asked == NULL) {
        p->out.failed = true; /* which the child can't be told in an answer */
        return 0;
    }
    asked->number = ++p->last_number;
    asked->msg = chief__msg_ref(msg);
    asked->next = p->asked;
    p->asked = asked;
    return asked->number;
}

static chief__held *find_held(chief__proxy *p, int64_t number) {
    chief__held **at = &p->held;
    while (*at != NULL && (*at)->number != number) at = &(*at)->next;
    chief__held *held = *at;
    if (held != NULL) *at = held->next;
    return held;
}

void chief__serve_fini(chief__proxy *p) {
    while (p->asked != NULL) {
        chief__asked *asked = p->asked;
        p->asked = asked->next;
        free_asked(asked);
    }
    while (p->held != NULL) {
        chief__held *held = p->held;
        p->held = held->next;
        chief_send_cancel(held->reservation);
        chief__free(held);
    }
    chief__free(p->channels);
    p->channels = NULL;
    p->n_channels = 0;
}

static void put_message(chief__proxy *p, chief_msg *msg) {
    int64_t call = msg->call != NULL ? keep_asked(p, msg) : 0;
    chief__frame_begin(&p->out, FRAME_MESSAGE);
    chief__frame_int(&p->out, msg->kind);
    chief__frame_int(&p->out, chief_msg_deliveries(msg));
    chief__frame_int(&p->out, call);
    chief__frame_text(&p->out, msg->sender);
    chief__frame_bytes(&p->out, msg->data, msg->len);
    (void)chief__frame_end(&p->out);
}

/* ---- channels ---- */

static int add_channel(chief__proxy *p, chief_channel *ch, int64_t *number) {
    for (size_t i = 0; i < p->n_channels; i++)
        if (p->channels[i] == ch) {
            *number = (int64_t)i + 1;
            return CHIEF_OK;
        }
    chief_channel **grown = chief__realloc(p->channels, (p->n_channels + 1) * sizeof(chief_channel *));
    if (grown == NULL) return chief__fail_code(CHIEF_ENOMEM);
    grown[p->n_channels++] = ch;
    p->channels = grown;
    *number = (int64_t)p->n_channels;
    return CHIEF_OK;
}

static void put_channel(chief__proxy *p, const chief_channel *ch, int64_t number) {
    size_t room = ch->max_message < SIZE_MAX / 4 ? ch->max_message + CHIEF__SLACK : SIZE_MAX / 4;
    if (room > p->call.limit) p->call.limit = room;
    chief__frame_begin(&p->out, FRAME_CHANNEL);
    chief__frame_int(&p->out, number);
    chief__frame_int(&p->out, (int64_t)(ch->max_message < SIZE_MAX / 4 ? ch->max_message : SIZE_MAX / 4));
    chief__frame_int(&p->out, (int64_t)ch->capacity);
    chief__frame_int(&p->out, ch->overflow);
    chief__frame_int(&p->out, ch->delivery);
    (void)chief__frame_end(&p->out);
}

static int serve_open(chief__proxy *p, chief__frame *f) {
    chief_channel *ch;
    int64_t number = 0;
    int rc = chief_worker_channel(p->worker, chief__field_text(&f->fields, 0), &ch);
    if (rc == CHIEF_OK) rc = add_channel(p, ch, &number);
    if (rc == CHIEF_OK) put_channel(p, ch, number);
    return answer(p, rc, 0);
}

/* The payloads of a frame as items of a call; NULL without memory. */
static chief_bytes *payloads(chief__frame *f, size_t *n) {
    chief__fields one;
    chief_bytes *items = chief__calloc(chief__frame_count(f) + 1, sizeof *items);
    for (*n = 0; items != NULL && chief__frame_next(f, &one); (*n)++) items[*n] = one.bytes[0];
    return items;
}

static int serve_send(chief__proxy *p, chief__frame *f) {
    size_t n;
    size_t sent = 0;
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL) return nonsense("channel");
    chief_bytes *items = payloads(f, &n);
    int rc = items != NULL ? chief_channel_send_many(ch, p->worker, items, n, f->fields.ints[1], &sent)
                           : chief__fail_code(CHIEF_ENOMEM);
    chief__free(items);
    return answer(p, rc, (int64_t)sent);
}

static int reserve(chief__proxy *p, chief_channel *ch, int64_t len, int64_t timeout_ms) {
    chief__held *held = chief__calloc(1, sizeof *held);
    if (held == NULL) return chief__fail_code(CHIEF_ENOMEM);
    held->size = (size_t)len;
    int rc = chief_send_reserve(ch, p->worker, held->size, timeout_ms, &held->reservation, &held->data);
    if (rc != CHIEF_OK) {
        chief__free(held);
        return rc;
    }
    held->number = ++p->last_number;
    held->next = p->held;
    p->held = held;
    return CHIEF_OK;
}

static int serve_reserve(chief__proxy *p, chief__frame *f) {
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL || f->fields.ints[1] < 0) return nonsense("channel");
    int rc = reserve(p, ch, f->fields.ints[1], f->fields.ints[2]);
    return answer(p, rc, p->last_number);
}

static int serve_commit(chief__proxy *p, chief__frame *f) {
    chief__held *held = find_held(p, f->fields.ints[0]);
    chief_bytes data = f->fields.bytes[0];
    if (held == NULL) return nonsense("reservation");
    if (data.len > 0 && data.len <= held->size) memcpy(held->data, data.data, data.len);
    int rc = chief_send_commit(held->reservation, data.len);
    chief__free(held);
    return answer(p, rc, 0);
}

static int serve_drop(chief__proxy *p, chief__frame *f) {
    chief__held *held = find_held(p, f->fields.ints[0]);
    if (held == NULL) return nonsense("reservation");
    chief_send_cancel(held->reservation);
    chief__free(held);
    return CHIEF_OK;
}

static int serve_recv(chief__proxy *p, chief__frame *f) {
    chief_msg *got[BATCH];
    size_t n = 0;
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL || f->fields.ints[1] <= 0) return nonsense("channel");
    size_t most = f->fields.ints[1] < BATCH ? (size_t)f->fields.ints[1] : BATCH;
    int rc = chief__channel_recv_batch(ch, p->worker, f->fields.ints[2], got, (chief__batch){most, BATCH_BYTES}, &n);
    for (size_t i = 0; i < n; i++) {
        put_message(p, got[i]);
        chief_msg_free(got[i]);
    }
    drop_settled(p);
    return answer(p, rc, (int64_t)n);
}

static int select_from(chief__proxy *p, chief__frame *f, chief_channel **channels, size_t *index) {
    chief__fields one;
    chief_msg *msg = NULL;
    size_t n = 0;
    for (; chief__frame_next(f, &one); n++)
        if ((channels[n] = channel_at(p, one.ints[0])) == NULL) return nonsense("channel");
    if (n == 0) return nonsense("channel");
    int rc = chief_select(p->worker, channels, n, f->fields.ints[0], index, &msg);
    if (rc == CHIEF_OK) put_message(p, msg);
    chief_msg_free(msg);
    return rc;
}

static int serve_select(chief__proxy *p, chief__frame *f) {
    size_t index = 0;
    chief_channel **channels = chief__calloc(chief__frame_count(f) + 1, sizeof(chief_channel *));
    int rc = channels != NULL ? select_from(p, f, channels, &index) : chief__fail_code(CHIEF_ENOMEM);
    chief__free(channels);
    drop_settled(p);
    return rc != CHIEF_EDATA ? answer(p, rc, (int64_t)index) : rc;
}

static int serve_ack(chief__proxy *p, chief__frame *f) {
    if (f->fields.ints[0] == CHIEF__ALL_CHANNELS) {
        chief__party_ack(chief__party_of(p->worker));
        return CHIEF_OK;
    }
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL) return nonsense("channel");
    chief_channel_ack(ch, p->worker);
    return CHIEF_OK;
}

static int serve_close(chief__proxy *p, chief__frame *f) {
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL) return nonsense("channel");
    chief_channel_close(ch);
    return answer(p, CHIEF_OK, 0);
}

static int serve_count(chief__proxy *p, chief__frame *f) {
    chief_channel_stats s = {.size = sizeof s};
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL) return nonsense("channel");
    int rc = chief_channel_get_stats(ch, &s);
    const uint64_t counts[] = {s.capacity,     s.sent,    s.received,    s.queued, s.dropped,
                               s.acknowledged, s.in_hand, s.redelivered, s.dead};
    chief__frame_begin(&p->out, FRAME_COUNTS);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) chief__frame_int(&p->out, (int64_t)counts[i]);
    (void)chief__frame_end(&p->out);
    return answer(p, rc, 0);
}

/* The channel's own descriptor goes over: it is readable there when it is here. */
static int serve_watch(chief__proxy *p, chief__frame *f) {
    chief_channel *ch = channel_at(p, f->fields.ints[0]);
    if (ch == NULL) return nonsense("channel");
    int fd = chief_channel_fd(ch);
    return answer_with(p, fd < 0 ? fd : CHIEF_OK, 0, 0, fd < 0 ? -1 : fd);
}

/* ---- mailboxes ---- */

static int serve_post(chief__proxy *p, chief__frame *f) {
    size_t n;
    size_t sent = 0;
    chief_bytes *items = payloads(f, &n);
    int rc = items != NULL ? chief_worker_send_many(p->worker, chief__field_text(&f->fields, 0), items, n,
                                                    f->fields.ints[0], &sent)
                           : chief__fail_code(CHIEF_ENOMEM);
    chief__free(items);
    return answer(p, rc, (int64_t)sent);
}

static int serve_broadcast(chief__proxy *p, chief__frame *f) {
    size_t reached = 0;
    int rc = chief_worker_broadcast(p->worker, f->fields.bytes[0].data, f->fields.bytes[0].len, &reached);
    return answer(p, rc, (int64_t)reached);
}

static int serve_call(chief__proxy *p, chief__frame *f) {
    chief_msg *reply = NULL;
    chief_bytes question = f->fields.bytes[1];
    int rc = chief_worker_call(p->worker, chief__field_text(&f->fields, 0), question.data, question.len,
                               f->fields.ints[0], &reply);
    if (rc == CHIEF_OK) put_message(p, reply);
    chief_msg_free(reply);
    return answer(p, rc, 0);
}

/* One that is not there any more has been answered before, or nobody waits for it: a late one. */
static int serve_answer(chief__proxy *p, chief__frame *f) {
    chief_bytes data = f->fields.bytes[0];
    for (const chief__asked *a = p->asked; a != NULL; a = a->next)
        if (a->number == f->fields.ints[0]) {
            int rc = chief__call_answer(a->msg, f->fields.ints[1] != 0, data.data, data.len);
            return answer(p, rc, 0);
        }
    if (f->fields.ints[0] <= 0 || f->fields.ints[0] > p->last_number) return nonsense("question");
    return answer(p, chief__call_too_late(chief__hub_late_counter(chief__party_of(p->worker)->hub)), 0);
}

/* ---- the rest ---- */

static void put_status(chief__proxy *p, const chief_worker_status *s) {
    chief__frame_int(&p->out, s->state);
    chief__frame_int(&p->out, s->phase);
    chief__frame_int(&p->out, s->reason);
    chief__frame_int(&p->out, (int64_t)s->generation);
    chief__frame_int(&p->out, (int64_t)s->restarts);
    chief__frame_int(&p->out, s->until_ms);
    chief__frame_text(&p->out, s->name);
    chief__frame_text(&p->out, s->waiting_for);
    chief__frame_text(&p->out, s->error);
    chief__frame_text(&p->out, s->traceback);
    chief__frame_text(&p->out, s->why);
}

static int serve_states(chief__proxy *p, chief__frame *f) {
    chief_snapshot *snapshot;
    (void)f;
    int rc = chief_worker_states(p->worker, &snapshot);
    if (rc != CHIEF_OK) return answer(p, rc, 0);
    chief__frame_begin(&p->out, FRAME_SNAPSHOT);
    chief__frame_int(&p->out, (int64_t)snapshot->seq);
    chief__frame_text(&p->out, snapshot->app);
    for (size_t i = 0; i < snapshot->n; i++) put_status(p, &snapshot->workers[i]);
    (void)chief__frame_end(&p->out);
    chief_snapshot_free(snapshot);
    return answer(p, CHIEF_OK, 0);
}

static int serve_ready(chief__proxy *p, chief__frame *f) {
    (void)f;
    chief_worker_ready(p->worker);
    return CHIEF_OK;
}

static int serve_opened(chief__proxy *p, chief__frame *f) {
    (void)p;
    (void)f;
    return CHIEF_OK;
}

typedef struct service {
    int (*serve)(chief__proxy *p, chief__frame *f);
    bool waits; /* for an answer */
} service;

static const service services[256] = {
    [FRAME_OPENED] = {serve_opened, false},      [FRAME_READY] = {serve_ready, false},
    [FRAME_OPEN] = {serve_open, true},           [FRAME_SEND] = {serve_send, true},
    [FRAME_RESERVE] = {serve_reserve, true},     [FRAME_COMMIT] = {serve_commit, true},
    [FRAME_DROP] = {serve_drop, false},          [FRAME_RECV] = {serve_recv, true},
    [FRAME_SELECT] = {serve_select, true},       [FRAME_ACK] = {serve_ack, false},
    [FRAME_CLOSE] = {serve_close, true},         [FRAME_COUNT] = {serve_count, true},
    [FRAME_WATCH] = {serve_watch, true},         [FRAME_POST] = {serve_post, true},
    [FRAME_BROADCAST] = {serve_broadcast, true}, [FRAME_CALL] = {serve_call, true},
    [FRAME_ANSWER] = {serve_answer, true},       [FRAME_STATES] = {serve_states, true},
};

/* False when its leader has ended meanwhile, and nobody waits for the answer. */
static bool begin(chief__proxy *p, bool waits) {
    chief__lock(&p->lock);
    bool alive = !waits || !p->ended;
    p->serving = alive && waits;
    chief__unlock(&p->lock);
    return alive;
}

int chief__serve(chief__proxy *p, chief__frame *f) {
    const service *s = &services[f->kind];
    if (s->serve == NULL)
        return chief__fail(CHIEF_EDATA, "a %s frame does not come from a child", chief__frame_word(f->kind));
    if (!begin(p, s->waits)) return CHIEF_ECLOSED;
    int rc = s->serve(p, f);
    end(p);
    return rc;
}
