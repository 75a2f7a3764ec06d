#include "prober.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON 20000 /* ms: much more than anything takes that is to come */

/* ---- what is not as it should be ---- */

static int wrong(chief_worker *w, const char *what, int line, long long got, long long wanted) {
    char text[512];
    (void)snprintf(text, sizeof text, "line %d: %s is %lld and should be %lld (%s)", line, what, got, wanted,
                   chief_last_error());
    chief_worker_set_error(w, CHIEF_REASON_ERROR, text, NULL);
    return CHIEF_EFAILED;
}

#define WANT(expression, wanted)                                                                            \
    do {                                                                                                    \
        long long got_ = (long long)(expression);                                                           \
        if (got_ != (long long)(wanted)) return wrong(w, #expression, __LINE__, got_, (long long)(wanted)); \
    } while (0)

static int says(const char *part) { return strstr(chief_last_error(), part) != NULL; }

static int is_text(const chief_msg *msg, const char *text) {
    chief_bytes b = chief_msg_data(msg);
    return b.len == strlen(text) && memcmp(b.data, text, b.len) == 0;
}

static chief_channel_stats stats_of(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    (void)chief_channel_get_stats(ch, &s);
    return s;
}

static int is_readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* ---- the probes ---- */

/* On "four", a channel of that capacity. */
static int probe_channel(chief_worker *w) {
    chief_channel *ch;
    chief_channel *again;
    chief_msg *msg;
    chief_msg *got[8];
    size_t n;
    WANT(chief_worker_channel(w, "nowhere", &ch), CHIEF_ENOENT);
    WANT(says("no channel \"nowhere\"") && says("four"), 1);
    WANT(ch == NULL, 1);
    WANT(chief_worker_channel(w, "four", &ch), CHIEF_OK);
    WANT(chief_worker_channel(w, "four", &again), CHIEF_OK);
    WANT(again == ch, 1);
    WANT(strcmp(chief_channel_name(ch), "four"), 0);
    WANT(chief_channel_recv(ch, w, 0, &msg), CHIEF_EAGAIN);
    WANT(chief_channel_recv(ch, w, 5, &msg), CHIEF_ETIMEDOUT);
    WANT(msg == NULL, 1);
    WANT(chief_channel_send(ch, w, "a", 1, 0), CHIEF_OK);
    WANT(chief_channel_len(ch), 1);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "a"), 1);
    WANT(strcmp(chief_msg_sender(msg), chief_worker_name(w)), 0);
    WANT(strcmp(chief_msg_kind(msg), "message"), 0);
    WANT(strcmp(chief_msg_channel(msg), "four"), 0);
    WANT(chief_msg_deliveries(msg), 1);
    WANT(stats_of(ch).in_hand, 1);
    chief_channel_ack(ch, w);
    WANT(stats_of(ch).acknowledged, 1);
    WANT(chief_msg_reply(msg, "x", 1), CHIEF_ENOENT);
    chief_msg_free(msg);
    const chief_bytes items[] = {{"b", 1}, {NULL, 0}, {"dd", 2}, {"e", 1}, {"f", 1}, {"g", 1}};
    WANT(chief_channel_send_many(ch, w, items, 6, 0, &n), CHIEF_EAGAIN);
    WANT(n, 4);
    WANT(chief_channel_send_many(ch, w, items, 6, 5, &n), CHIEF_ETIMEDOUT);
    WANT(n, 0);
    WANT(chief_channel_recv_many(ch, w, SOON, got, 8, &n), CHIEF_OK);
    WANT(n, 4);
    WANT(is_text(got[0], "b") && is_text(got[1], "") && is_text(got[2], "dd") && is_text(got[3], "e"), 1);
    for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
    WANT(stats_of(ch).in_hand, 4);
    WANT(chief_channel_recv(ch, w, 0, &msg), CHIEF_EAGAIN); /* it asks for the next */
    chief_channel_stats s = stats_of(ch);
    WANT(s.capacity == 4 && s.sent == 5 && s.received == 5 && s.in_hand == 0 && s.queued == 0, 1);
    return CHIEF_OK;
}

/* On "four", with messages of up to ten bytes. */
static int probe_reservations(chief_worker *w) {
    chief_channel *ch;
    chief_reservation *r[5];
    void *room;
    chief_msg *msg;
    WANT(chief_worker_channel(w, "four", &ch), CHIEF_OK);
    WANT(chief_channel_send(ch, w, "more than ten", 13, 0), CHIEF_ETOOBIG);
    WANT(says("13 bytes is more than the 10"), 1);
    WANT(chief_send_reserve(ch, w, 11, 0, &r[0], &room), CHIEF_ETOOBIG);
    for (int i = 0; i < 4; i++) WANT(chief_send_reserve(ch, w, 10, SOON, &r[i], &room), CHIEF_OK);
    memcpy(room, "reserved", 8);
    WANT(chief_send_reserve(ch, w, 1, 0, &r[4], &room), CHIEF_EAGAIN);
    WANT(r[4] == NULL, 1);
    WANT(chief_channel_len(ch), 0);
    WANT(chief_send_commit(r[3], 8), CHIEF_OK);
    chief_send_cancel(r[2]);
    WANT(chief_send_commit(r[1], 11), CHIEF_EINVAL);
    WANT(says("11 bytes in a reservation of 10"), 1);
    WANT(chief_channel_len(ch), 1);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "reserved"), 1);
    chief_msg_free(msg);
    WANT(chief_send_reserve(ch, w, 3, 0, &r[1], &room), CHIEF_OK);
    chief_channel_close(ch);
    WANT(chief_send_commit(r[1], 3), CHIEF_ECLOSED);
    chief_send_cancel(r[0]);
    return CHIEF_OK;
}

/* "full" fails, "old" drops its oldest; each holds two. */
static int probe_overflow(chief_worker *w) {
    chief_channel *full;
    chief_channel *old;
    chief_msg *msg;
    const chief_bytes items[] = {{"1", 1}, {"2", 1}, {"3", 1}};
    size_t n;
    WANT(chief_worker_channel(w, "full", &full), CHIEF_OK);
    WANT(chief_worker_channel(w, "old", &old), CHIEF_OK);
    WANT(chief_channel_send_many(full, w, items, 3, SOON, &n), CHIEF_EFULL);
    WANT(n == 2 && says("channel \"full\" is full"), 1);
    WANT(chief_channel_send_many(old, w, items, 3, SOON, &n), CHIEF_OK);
    WANT(n, 3);
    WANT(stats_of(old).dropped, 1);
    WANT(chief_channel_recv(old, w, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "2"), 1);
    chief_msg_free(msg);
    return CHIEF_OK;
}

static int probe_close(chief_worker *w) {
    chief_channel *ch;
    chief_msg *msg;
    WANT(chief_worker_channel(w, "four", &ch), CHIEF_OK);
    WANT(chief_channel_send(ch, w, "last", 4, SOON), CHIEF_OK);
    chief_channel_close(ch);
    chief_channel_close(ch);
    WANT(chief_channel_send(ch, w, "late", 4, SOON), CHIEF_ECLOSED);
    WANT(says("channel \"four\" is closed"), 1);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "last"), 1);
    chief_msg_free(msg);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_ECLOSED);
    return CHIEF_OK;
}

static int probe_descriptor(chief_worker *w) {
    chief_channel *ch;
    chief_msg *msg;
    WANT(chief_worker_channel(w, "four", &ch), CHIEF_OK);
    int fd = chief_channel_fd(ch);
    WANT(fd >= 0 && chief_channel_fd(ch) == fd, 1);
    WANT(is_readable(fd), 0);
    WANT(chief_channel_send(ch, w, "x", 1, SOON), CHIEF_OK);
    WANT(is_readable(fd), 1);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_OK);
    chief_msg_free(msg);
    WANT(is_readable(fd), 0);
    chief_channel_close(ch);
    WANT(is_readable(fd), 1);
    return CHIEF_OK;
}

/* What a worker with a loop of its own waits for, and takes then. */
static int probe_batches(chief_worker *w) {
    chief_msg *got[4];
    size_t n;
    int fd = chief_worker_fd(w);
    WANT(fd >= 0 && chief_worker_fd(w) == fd, 1);
    WANT(is_readable(fd), 0);
    WANT(chief_worker_recv_many(w, 0, got, 4, &n), CHIEF_EAGAIN);
    for (int i = 0; i < 3; i++) WANT(chief_worker_send(w, chief_worker_name(w), "m", 1, SOON), CHIEF_OK);
    WANT(is_readable(fd), 1);
    WANT(chief_worker_recv_many(w, SOON, got, 4, &n), CHIEF_OK);
    WANT(n, 3);
    WANT(is_text(got[2], "m") && strcmp(chief_msg_channel(got[2]), "") == 0, 1);
    for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
    WANT(is_readable(fd), 0);
    return CHIEF_OK;
}

static int probe_select(chief_worker *w) {
    chief_channel *channels[3] = {NULL, NULL, NULL};
    chief_msg *msg;
    size_t index;
    WANT(chief_worker_channel(w, "four", &channels[0]), CHIEF_OK);
    WANT(chief_worker_channel(w, "old", &channels[2]), CHIEF_OK);
    WANT(chief_select(w, channels, 3, 0, &index, &msg), CHIEF_EAGAIN);
    WANT(chief_select(w, channels, 3, 5, &index, &msg), CHIEF_ETIMEDOUT);
    WANT(chief_channel_send(channels[2], w, "c", 1, SOON), CHIEF_OK);
    WANT(chief_worker_send(w, chief_worker_name(w), "m", 1, SOON), CHIEF_OK);
    WANT(chief_select(w, channels, 3, SOON, &index, &msg), CHIEF_OK);
    WANT(index == 1 && is_text(msg, "m") && strcmp(chief_msg_channel(msg), "") == 0, 1);
    chief_msg_free(msg);
    WANT(chief_select(w, channels, 3, SOON, &index, &msg), CHIEF_OK);
    WANT(index == 2 && is_text(msg, "c") && strcmp(chief_msg_channel(msg), "old") == 0, 1);
    chief_msg_free(msg);
    WANT(chief_select(w, channels, 0, SOON, &index, &msg), CHIEF_EINVAL);
    chief_channel_close(channels[0]);
    WANT(chief_select(w, channels, 1, SOON, &index, &msg), CHIEF_ECLOSED);
    WANT(says("all the channels are closed"), 1);
    return CHIEF_OK;
}

/* Beside a worker "echo". */
static int probe_mailbox(chief_worker *w) {
    const char *me = chief_worker_name(w);
    const chief_bytes items[] = {{"1", 1}, {"2", 1}};
    chief_msg *msg;
    size_t n;
    WANT(chief_worker_recv(w, 0, &msg), CHIEF_EAGAIN);
    WANT(chief_worker_send(w, "nobody", "x", 1, SOON), CHIEF_ENOENT);
    WANT(says("no worker \"nobody\""), 1);
    WANT(chief_worker_send(w, NULL, "x", 1, SOON), CHIEF_EINVAL);
    WANT(chief_worker_send_many(w, me, items, 2, SOON, &n), CHIEF_OK);
    WANT(n, 2);
    WANT(chief_worker_recv(w, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "1") && strcmp(chief_msg_sender(msg), me) == 0, 1);
    chief_msg_free(msg);
    WANT(chief_worker_recv(w, SOON, &msg), CHIEF_OK);
    chief_msg_free(msg);
    WANT(chief_worker_call(w, "echo", "hello", 5, SOON, &msg), CHIEF_OK);
    WANT(is_text(msg, "hello") && strcmp(chief_msg_sender(msg), "echo") == 0, 1);
    chief_msg_free(msg);
    WANT(chief_worker_call(w, me, "hello", 5, SOON, &msg), CHIEF_EDEADLK);
    WANT(chief_worker_call(w, "nobody", "hello", 5, SOON, &msg), CHIEF_ENOENT);
    WANT(chief_worker_broadcast(w, "all", 3, &n), CHIEF_OK);
    WANT(n, 1); /* echo */
    WANT(chief_worker_send(w, "*", "all", 3, SOON), CHIEF_OK);
    return CHIEF_OK;
}

/* The host calls it three times: it answers, fails, and takes the next without an answer. */
static int probe_calls(chief_worker *w) {
    chief_msg *msg;
    chief_msg *first;
    WANT(chief_worker_recv(w, SOON, &first), CHIEF_OK);
    WANT(strcmp(chief_msg_kind(first), "call") == 0 && strcmp(chief_msg_sender(first), "") == 0, 1);
    WANT(chief_msg_reply(first, "yes", 3), CHIEF_OK);
    WANT(chief_msg_reply(first, "again", 5), CHIEF_ENOENT);
    WANT(says("answered before"), 1);
    WANT(chief_worker_recv(w, SOON, &msg), CHIEF_OK);
    WANT(chief_msg_fail(msg, "no way"), CHIEF_OK);
    chief_msg_free(msg);
    WANT(chief_worker_recv(w, SOON, &msg), CHIEF_OK);
    WANT(chief_worker_recv(w, 0, &(chief_msg *){NULL}), CHIEF_EAGAIN);
    WANT(chief_msg_reply(msg, "late", 4), CHIEF_ENOENT);
    WANT(chief_msg_reply(first, "late", 4), CHIEF_ENOENT);
    chief_msg_free(msg);
    chief_msg_free(first);
    return CHIEF_OK;
}

/* The states, once they show that this worker runs. */
static int states_that_show(chief_worker *w, chief_snapshot **out) {
    for (;;) {
        WANT(chief_worker_states(w, out), CHIEF_OK);
        const chief_worker_status *me = chief_snapshot_find(*out, chief_worker_name(w));
        if (me != NULL && me->phase == CHIEF_PHASE_UP) return CHIEF_OK;
        chief_snapshot_free(*out);
        WANT(chief_worker_sleep(w, 1), CHIEF_OK);
    }
}

static int probe_states(chief_worker *w) {
    chief_snapshot *s;
    char json[4096];
    WANT(states_that_show(w, &s), CHIEF_OK);
    WANT(chief_snapshot_len(s), 2);
    const chief_worker_status *me = chief_snapshot_find(s, chief_worker_name(w));
    WANT(me->state, CHIEF_WORKER_RUN);
    WANT(me->generation, chief_worker_generation(w));
    WANT(me->until_ms, -1);
    WANT(me->restarts, 0);
    WANT(strcmp(me->error, "") == 0 && strcmp(me->why, "") == 0, 1);
    WANT(chief_snapshot_seq(s) > 0, 1);
    WANT(chief_snapshot_json(s, json, sizeof json) < sizeof json && strstr(json, "\"app\":{\"name\":") != NULL, 1);
    chief_snapshot_free(s);
    return CHIEF_OK;
}

static int probe_large(chief_worker *w) {
    static unsigned char big[3 * 1024 * 1024];
    chief_channel *ch;
    chief_msg *msg;
    chief_msg *got[4];
    size_t n;
    for (size_t i = 0; i < sizeof big; i++) big[i] = (unsigned char)(i * 7);
    const chief_bytes items[] = {{big, sizeof big}, {"small", 5}, {big, 300000}, {big, 300001}};
    WANT(chief_worker_channel(w, "large", &ch), CHIEF_OK);
    WANT(chief_channel_send_many(ch, w, items, 4, SOON, &n), CHIEF_OK);
    WANT(n, 4);
    WANT(chief_channel_recv(ch, w, SOON, &msg), CHIEF_OK);
    WANT(chief_msg_data(msg).len == sizeof big && memcmp(chief_msg_data(msg).data, big, sizeof big) == 0, 1);
    chief_msg_free(msg);
    WANT(chief_channel_recv_many(ch, w, SOON, got, 4, &n), CHIEF_OK);
    WANT(n == 3 && is_text(got[0], "small") && chief_msg_data(got[2]).len == 300001, 1);
    for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
    return CHIEF_OK;
}

/* It is ready when it says so; then it goes on until it is asked to stop, in a wait of its own for the descriptor. */
static int probe_ready(chief_worker *w) {
    struct pollfd p = {.fd = chief_context_fd(chief_worker_context(w)), .events = POLLIN};
    char reason[64];
    chief_msg *msg;
    chief_worker_ready(w);
    while (poll(&p, 1, SOON) < 0 && errno == EINTR) continue; /* a process is told by a signal, too */
    WANT(is_readable(p.fd), 1);
    WANT(chief_context_err(chief_worker_context(w)), CHIEF_ECANCELED);
    (void)chief_context_reason(chief_worker_context(w), reason, sizeof reason);
    WANT(strcmp(reason, "the application stops"), 0);
    WANT(chief_worker_recv(w, SOON, &msg), CHIEF_ECANCELED);
    WANT(chief_worker_sleep(w, SOON), CHIEF_ECANCELED);
    return CHIEF_OK;
}

/* The host sets a value, then calls: who has the message sees the value. */
static int probe_values(chief_worker *w) {
    chief_context *ctx = chief_worker_context(w);
    chief_msg *msg;
    chief_value v;
    for (int i = 0; i < 50; i++) {
        WANT(chief_worker_recv(w, SOON, &msg), CHIEF_OK);
        WANT(chief_context_get(ctx, "round", &v), CHIEF_OK);
        WANT(v.type, CHIEF_INTEGER);
        WANT(v.integer, i);
        WANT(chief_msg_reply(msg, "", 0), CHIEF_OK);
        chief_msg_free(msg);
        chief_value_clear(&v);
    }
    return CHIEF_OK;
}

/* Without a call: the value comes by itself. */
static int probe_new_value(chief_worker *w) {
    chief_value v;
    chief_worker_ready(w);
    while (chief_context_get(chief_worker_context(w), "word", &v) != CHIEF_OK) WANT(chief_worker_sleep(w, 1), CHIEF_OK);
    WANT(v.type == CHIEF_BYTES && v.bytes.len == 5 && memcmp(v.bytes.data, "go on", 5) == 0, 1);
    chief_value_clear(&v);
    return CHIEF_OK;
}

/* A stop ends a wait in a call, and what the call says is true of the context as well. */
static int probe_cancel(chief_worker *w) {
    chief_channel *ch;
    chief_msg *msg;
    WANT(chief_worker_channel(w, "four", &ch), CHIEF_OK);
    chief_worker_ready(w);
    WANT(chief_channel_recv(ch, w, CHIEF_FOREVER, &msg), CHIEF_ECANCELED);
    WANT(chief_context_err(chief_worker_context(w)), CHIEF_ECANCELED);
    return CHIEF_OK;
}

/* As test_process_calls has it started. */
static int probe_process(chief_worker *w) {
    char folder[64];
    struct rlimit files;
    struct rlimit core;
    WANT(getcwd(folder, sizeof folder) != NULL && strcmp(folder, "/") == 0, 1);
    WANT(umask(0), 027);
    WANT(getrlimit(RLIMIT_NOFILE, &files), 0);
    WANT(files.rlim_cur, 40);
    WANT(getrlimit(RLIMIT_CORE, &core), 0);
    WANT(core.rlim_cur, 0);
    const char *probe = getenv("PROBE");
    WANT(probe != NULL && strcmp(probe, "yes") == 0, 1);
    WANT(getpgrp() == getpid(), 1);
    WANT(fcntl(3, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    WANT(getenv("CHIEF_PARENT") == NULL, 1);
    return CHIEF_OK;
}

/* ---- what goes on for long ---- */

/* Passes messages from "in" to "out", up to `most` at once. */
static int relay(chief_worker *w, size_t most) {
    chief_channel *in;
    chief_channel *out;
    chief_msg *got[64];
    chief_bytes items[64];
    size_t n;
    size_t sent;
    WANT(chief_worker_channel(w, "in", &in), CHIEF_OK);
    WANT(chief_worker_channel(w, "out", &out), CHIEF_OK);
    for (;;) {
        int rc = chief_channel_recv_many(in, w, CHIEF_FOREVER, got, most, &n);
        if (rc == CHIEF_ECANCELED || rc == CHIEF_ECLOSED) return CHIEF_OK;
        WANT(rc, CHIEF_OK);
        for (size_t i = 0; i < n; i++) items[i] = chief_msg_data(got[i]);
        rc = chief_channel_send_many(out, w, items, n, CHIEF_FOREVER, &sent);
        for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
        WANT(rc, CHIEF_OK);
    }
}

static int relay_many(chief_worker *w) { return relay(w, 64); }

static int relay_one(chief_worker *w) { return relay(w, 1); }

/* ---- which ---- */

static const struct probe {
    const char *name;
    int (*run)(chief_worker *w);
} probes[] = {{"channel", probe_channel},       {"reservations", probe_reservations},
              {"overflow", probe_overflow},     {"close", probe_close},
              {"descriptor", probe_descriptor}, {"select", probe_select},
              {"batches", probe_batches},       {"mailbox", probe_mailbox},
              {"calls", probe_calls},           {"states", probe_states},
              {"large", probe_large},           {"ready", probe_ready},
              {"values", probe_values},         {"cancel", probe_cancel},
              {"new_value", probe_new_value},   {"process", probe_process},
              {"relay_many", relay_many},       {"relay_one", relay_one}};

static int probe_run(chief_worker *w, void *instance) {
    chief_bytes args = chief_worker_args(w);
    (void)instance;
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strlen(probes[i].name) == args.len && memcmp(probes[i].name, args.data, args.len) == 0)
            return probes[i].run(w);
    return CHIEF_EINVAL;
}

const chief_worker_ops prober_ops = {.size = sizeof prober_ops, .run = probe_run};
