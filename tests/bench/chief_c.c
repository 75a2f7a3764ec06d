/* What C workers of one chief reach: messages one way over a channel, ping-pong over mailboxes, failure to running
 * again. Prints lines of «work value unit». */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chief.h"

static long n_messages = 1000000;
static uint64_t sum;

static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int send_all(chief_worker *ctx, void *instance) {
    chief_channel *ch;
    (void)instance;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    for (int64_t i = 1; rc == CHIEF_OK && i <= n_messages; i++) rc = chief_channel_send(ch, ctx, &i, sizeof i, -1);
    return rc;
}

static int receive_all(chief_worker *ctx, void *instance) {
    chief_channel *ch;
    (void)instance;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    for (long i = 0; rc == CHIEF_OK && i < n_messages; i++) {
        chief_msg *msg;
        int64_t value;
        rc = chief_channel_recv(ch, ctx, -1, &msg);
        if (rc != CHIEF_OK) break;
        memcpy(&value, chief_msg_data(msg).data, sizeof value);
        sum += (uint64_t)value;
        chief_msg_free(msg);
    }
    return rc;
}

static int ping(chief_worker *ctx, void *instance) {
    long n = *(long *)instance;
    int rc = CHIEF_OK;
    for (long i = 0; rc == CHIEF_OK && i < n; i++) {
        chief_msg *reply = NULL;
        rc = chief_worker_call(ctx, "pong", "x", 1, -1, &reply);
        chief_msg_free(reply);
    }
    return rc;
}

static int pong(chief_worker *ctx, void *instance) {
    long n = *(long *)instance;
    int rc = CHIEF_OK;
    for (long i = 0; rc == CHIEF_OK && i < n; i++) {
        chief_msg *msg = NULL;
        rc = chief_worker_recv(ctx, -1, &msg);
        if (rc == CHIEF_OK) rc = chief_msg_reply(msg, "y", 1);
        chief_msg_free(msg);
    }
    return rc;
}

static int fail_often(chief_worker *ctx, void *instance) {
    (void)instance;
    return chief_worker_generation(ctx) <= 1000 ? 1 : 0;
}

static void check(int rc) {
    if (rc == CHIEF_OK) return;
    fprintf(stderr, "bench: %s\n", chief_last_error());
    exit(1);
}

static double run(const char *a, int (*run_a)(chief_worker *, void *), const char *b,
                  int (*run_b)(chief_worker *, void *), long *n) {
    static const chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_OFF};
    chief_channel_options wide = {.size = sizeof wide, .capacity = 1024};
    chief_worker_options again = {.size = sizeof again, .restart = &at_once};
    chief_worker_ops ops_a = {.size = sizeof ops_a, .run = run_a};
    chief_worker_ops ops_b = {.size = sizeof ops_b, .run = run_b};
    chief_options o = {.size = sizeof o, .exit_when_done = 1};
    chief *c;
    check(chief_log_new(&o.log, &quiet));
    check(chief_new(&c, &o));
    check(chief_add_channel(c, "ch", &wide));
    check(chief_add_worker_with(c, a, &ops_a, n, &again));
    if (b != NULL) check(chief_add_worker_with(c, b, &ops_b, n, NULL));
    check(chief_init_workers(c, NULL));
    double begun = now_s();
    check(chief_start(c, NULL));
    double took = now_s() - begun;
    chief_free(c);
    chief_log_unref(o.log);
    return took;
}

int main(int argc, char **argv) {
    if (argc > 1) n_messages = strtol(argv[1], NULL, 10);
    long n_calls = n_messages / 50;
    double took = run("receiver", receive_all, "sender", send_all, NULL);
    if (sum != (uint64_t)n_messages * ((uint64_t)n_messages + 1) / 2) {
        fprintf(stderr, "bench: the sum of what was received is wrong\n");
        return 1;
    }
    printf("oneway-8-bytes %.0f msg/s\n", (double)n_messages / took);
    took = run("pong", pong, "ping", ping, &n_calls);
    printf("pingpong %.2f us\n", took / (double)n_calls * 1e6);
    took = run("failing", fail_often, NULL, NULL, NULL);
    printf("restart %.1f us\n", took / 1000 * 1e6);
    return 0;
}
