/*
 * C workers of one chief, each in a thread, with the work of tests/bench/README.md: --work W --messages N --seed S. Prints lines
 * of «work value unit checksum»; ends with 69 where there is no such work.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chief.h"

#define NAME_SIZE 32
#define BATCH 100

static const char *work = "oneway-int";
static int64_t messages = 100000;
static int64_t seed = 1;
static size_t text_size; /* of a message: 0 for a number */
static int64_t senders = 1;
static int64_t receivers = 1;
static _Atomic int64_t sum;

static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t number(int64_t i) { return (i * 7 + seed) % 1000003; }

static void say(double value, const char *unit) {
    printf("%s %.3f %s %" PRId64 "\n", work, value, unit, atomic_load(&sum));
}

static void check(int rc) {
    if (rc == CHIEF_OK) return;
    fprintf(stderr, "bench: %s\n", chief_last_error());
    exit(1);
}

/* ---- workers ---- */

static int send_all(chief_worker *ctx, void *data) {
    char texts[16][64];
    chief_channel *ch;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    for (int k = 0; k < 16; k++) memset(texts[k], (int)('a' + (k + seed) % 26), sizeof texts[k]);
    for (int64_t i = *(int64_t *)data; rc == CHIEF_OK && i <= messages; i += senders) {
        int64_t value = number(i);
        if (text_size > 0) rc = chief_channel_send(ch, ctx, texts[i & 15], text_size, -1);
        else rc = chief_channel_send(ch, ctx, &value, sizeof value, -1);
    }
    return rc;
}

static int64_t count(chief_bytes bytes, int64_t i) {
    int64_t value;
    if (text_size > 0) return (int64_t)bytes.len + ((i & 63) == 0 ? *(const char *)bytes.data : 0);
    memcpy(&value, bytes.data, sizeof value);
    return value;
}

static int receive_all(chief_worker *ctx, void *data) {
    chief_channel *ch;
    int64_t mine = 0;
    (void)data;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    for (int64_t i = 1; rc == CHIEF_OK && i <= messages / receivers; i++) {
        chief_msg *msg;
        rc = chief_channel_recv(ch, ctx, -1, &msg);
        if (rc != CHIEF_OK) break;
        mine += count(chief_msg_data(msg), i);
        chief_msg_free(msg);
    }
    atomic_fetch_add(&sum, mine);
    return rc;
}

static int send_batches(chief_worker *ctx, void *data) {
    int64_t values[BATCH];
    chief_bytes items[BATCH];
    chief_channel *ch;
    (void)data;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    for (int64_t i = 1; rc == CHIEF_OK && i <= messages;) {
        size_t n = 0;
        for (; n < BATCH && i <= messages; n++, i++) {
            values[n] = number(i);
            items[n] = (chief_bytes){&values[n], sizeof values[n]};
        }
        rc = chief_channel_send_many(ch, ctx, items, n, -1, NULL);
    }
    return rc;
}

static int receive_batches(chief_worker *ctx, void *data) {
    chief_msg *batch[BATCH];
    chief_channel *ch;
    int64_t mine = 0, seen = 0;
    (void)data;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    while (rc == CHIEF_OK && seen < messages) {
        size_t n = 0;
        rc = chief_channel_recv_many(ch, ctx, -1, batch, BATCH, &n);
        for (size_t k = 0; k < n; k++) {
            mine += count(chief_msg_data(batch[k]), ++seen);
            chief_msg_free(batch[k]);
        }
    }
    atomic_fetch_add(&sum, mine);
    return rc;
}

static int ping(chief_worker *ctx, void *data) {
    int rc = CHIEF_OK;
    (void)data;
    for (int64_t i = 1; rc == CHIEF_OK && i <= messages; i++) {
        chief_msg *msg = NULL;
        int64_t value = number(i);
        rc = chief_worker_send(ctx, "pong", &value, sizeof value, -1);
        if (rc == CHIEF_OK) rc = chief_worker_recv(ctx, -1, &msg);
        if (rc == CHIEF_OK) atomic_fetch_add(&sum, count(chief_msg_data(msg), i));
        chief_msg_free(msg);
    }
    return rc;
}

static int pong(chief_worker *ctx, void *data) {
    int rc = CHIEF_OK;
    (void)data;
    for (int64_t i = 0; rc == CHIEF_OK && i < messages; i++) {
        chief_msg *msg = NULL;
        rc = chief_worker_recv(ctx, -1, &msg);
        if (rc == CHIEF_OK) rc = chief_worker_send(ctx, "ping", chief_msg_data(msg).data, sizeof(int64_t), -1);
        chief_msg_free(msg);
    }
    return rc;
}

static int fail_often(chief_worker *ctx, void *data) {
    (void)data;
    if (chief_worker_generation(ctx) <= (uint64_t)messages) return 1;
    atomic_store(&sum, (int64_t)chief_worker_generation(ctx));
    return 0;
}

/* ---- the chief ---- */

static chief *make(void) {
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_OFF};
    chief_channel_options wide = {.size = sizeof wide, .capacity = 1024};
    chief_options o = {.size = sizeof o, .exit_when_done = 1};
    chief *c;
    check(chief_log_new(&o.log, &quiet));
    check(chief_new(&c, &o));
    check(chief_add_channel(c, "ch", &wide));
    chief_log_unref(o.log);
    return c;
}

static void add(chief *c, const char *name, int (*run)(chief_worker *, void *), int64_t *data) {
    static const chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_worker_options options = {.size = sizeof options};
    chief_worker_ops ops = {.size = sizeof ops, .run = run};
    if (run == fail_often) options.restart = &at_once;
    check(chief_add_worker_with(c, name, &ops, data, &options));
}

static double run(chief *c) {
    check(chief_init_workers(c, NULL));
    double begun = now_s();
    check(chief_start(c, NULL));
    double took = now_s() - begun;
    chief_free(c);
    return took;
}

static void stream(void) {
    static int64_t from[4] = {1, 2, 3, 4};
    char name[NAME_SIZE];
    chief *c = make();
    messages = messages / 4 * 4;
    for (int64_t i = 0; i < receivers; i++) {
        (void)snprintf(name, sizeof name, "receiver%d", (int)i);
        add(c, name, receive_all, NULL);
    }
    for (int64_t i = 0; i < senders; i++) {
        (void)snprintf(name, sizeof name, "sender%d", (int)i);
        add(c, name, send_all, &from[i]);
    }
    double took = run(c);
    say((double)messages / took, "msg/s");
}

static void stream_batches(void) {
    chief *c = make();
    messages = messages / 4 * 4;
    add(c, "receiver", receive_batches, NULL);
    add(c, "sender", send_batches, NULL);
    double took = run(c);
    say((double)messages / took, "msg/s");
}

static void each(double took) { say(took / (double)messages * 1e6, "us"); }

static void play(void) {
    chief *c = make();
    add(c, "pong", pong, NULL);
    add(c, "ping", ping, NULL);
    each(run(c));
}

static void restart(void) {
    chief *c = make();
    add(c, "failing", fail_often, NULL);
    each(run(c));
}

static void choose(const char *name) {
    if (strcmp(name, "oneway-str64") == 0) text_size = 64;
    if (strcmp(name, "fanin-int") == 0) senders = 4;
    if (strcmp(name, "fanout-int") == 0) receivers = 4;
    if (strcmp(name, "binding-batch") == 0) stream_batches();
    else if (strstr(name, "oneway") != NULL || strncmp(name, "fan", 3) == 0) stream();
    else if (strcmp(name, "pingpong") == 0) play();
    else restart();
}

int main(int argc, char **argv) {
    static const char *const works[] = {"oneway-int", "oneway-str64",   "fanin-int",     "fanout-int",
                                        "pingpong",   "binding-oneway", "binding-batch", "restart"};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--work") == 0) work = argv[i + 1];
        else if (strcmp(argv[i], "--messages") == 0) messages = strtoll(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0) seed = strtoll(argv[i + 1], NULL, 10);
    }
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        if (strcmp(works[i], work) != 0) continue;
        choose(work);
        return 0;
    }
    fprintf(stderr, "there is no work %s\n", work);
    return 69;
}
