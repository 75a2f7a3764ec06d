/*
 * actor: a plug-in that does what its args say, so that one test can have workers of all kinds, in threads and in processes
 * alike. The args are steps, separated by ';'. A step that begins with "init" and a space is done by init, the others by
 * run, in their order; "N:" before it (or before its "init") says that only generation N does it, "N+:" that N and all
 * later ones do.
 *
 *    fail TEXT          returns with that error      wait               sleeps until it is asked to stop
 *    end                returns cleanly              busy               does not look whether it is asked to stop
 *    kill SIGNAL        raises a signal              exit CODE          ends its process
 *    crash              writes where it may not      log TEXT           logs
 *    value KEY          logs a value of the context  ready              says so
 *    pump FROM TO       passes messages on until that ends             deaf               ignores SIGTERM from now on
 *    hold CHANNEL       receives one and keeps it    send CHANNEL TEXT  sends one
 *    echo               answers calls until that ends                  ask WHO TEXT       calls, and logs the answer
 *    spawn              starts a process that ignores SIGTERM          pid                logs «pid N»
 *    reserve CHANNEL    reserves room and keeps it  expect KEY         looks until the context has that value
 */
#include <chief.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP_SIZE 256
#define STOPPED 1 /* of a step: the whole ends cleanly */

static const chief_api *api;

static void pause_ms(long ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static void say(chief_worker *w, const char *text) { api->log_write(api->worker_log(w), CHIEF_INFO, text, NULL, 0); }

static void say_value(chief_worker *w, const char *key) {
    char text[STEP_SIZE + 128];
    chief_value v;
    int rc = api->context_get(api->worker_context(w), key, &v);
    if (rc != CHIEF_OK) (void)snprintf(text, sizeof text, "%s: %s", key, api->last_error());
    else if (v.type == CHIEF_BYTES)
        (void)snprintf(text, sizeof text, "%s = %.*s", key, (int)v.bytes.len, (const char *)v.bytes.data);
    else if (v.type == CHIEF_NUMBER) (void)snprintf(text, sizeof text, "%s = %g", key, v.number);
    else (void)snprintf(text, sizeof text, "%s = %lld", key, (long long)(v.type == CHIEF_BOOL ? v.boolean : v.integer));
    say(w, text);
    api->value_clear(&v);
}

/* Asks the chief nothing. */
static void expect_value(chief_worker *w, const char *key) {
    chief_value v;
    while (api->context_get(api->worker_context(w), key, &v) != CHIEF_OK) pause_ms(1);
    api->value_clear(&v);
}

/* A wait that was ended by a stop ends the worker cleanly. */
static int over(int rc) { return rc == CHIEF_ECANCELED || rc == CHIEF_ECLOSED ? STOPPED : rc; }

static int pump(chief_worker *w, const char *from, const char *to) {
    chief_channel *in;
    chief_channel *out;
    int rc = api->worker_channel(w, from, &in);
    if (rc == CHIEF_OK) rc = api->worker_channel(w, to, &out);
    while (rc == CHIEF_OK) {
        chief_msg *msg;
        rc = api->channel_recv(in, w, -1, &msg);
        if (rc != CHIEF_OK) break;
        chief_bytes b = api->msg_data(msg);
        rc = api->channel_send(out, w, b.data, b.len, -1);
        api->msg_free(msg);
    }
    return over(rc);
}

static int hold(chief_worker *w, const char *name) {
    chief_channel *ch;
    chief_msg *msg;
    int rc = api->worker_channel(w, name, &ch);
    if (rc == CHIEF_OK) rc = api->channel_recv(ch, w, -1, &msg);
    if (rc == CHIEF_OK) api->msg_free(msg);
    return over(rc);
}

static int send_text(chief_worker *w, const char *name, const char *text) {
    chief_channel *ch;
    int rc = api->worker_channel(w, name, &ch);
    return rc == CHIEF_OK ? api->channel_send(ch, w, text, strlen(text), -1) : rc;
}

static int reserve(chief_worker *w, const char *name) {
    chief_channel *ch;
    chief_reservation *kept;
    void *room;
    int rc = api->worker_channel(w, name, &ch);
    return rc == CHIEF_OK ? api->send_reserve(ch, w, 1, -1, &kept, &room) : rc;
}

static void say_pid(chief_worker *w) {
    char text[32];
    (void)snprintf(text, sizeof text, "pid %ld", (long)getpid());
    say(w, text);
}

static int echo(chief_worker *w) {
    chief_msg *msg;
    int rc;
    while ((rc = api->worker_recv(w, -1, &msg)) == CHIEF_OK) {
        chief_bytes b = api->msg_data(msg);
        if (strcmp(api->msg_kind(msg), "call") == 0) (void)api->msg_reply(msg, b.data, b.len);
        api->msg_free(msg);
    }
    return over(rc);
}

static int ask(chief_worker *w, const char *who, const char *text) {
    char said[STEP_SIZE];
    chief_msg *reply;
    int rc = api->worker_call(w, who, text, strlen(text), -1, &reply);
    if (rc != CHIEF_OK) return over(rc);
    chief_bytes b = api->msg_data(reply);
    (void)snprintf(said, sizeof said, "%s said %.*s", api->msg_sender(reply), (int)b.len, (const char *)b.data);
    api->msg_free(reply);
    say(w, said);
    return CHIEF_OK;
}

static int fail_with(chief_worker *w, const char *text) {
    api->worker_set_error(w, CHIEF_REASON_ERROR, text, NULL);
    return CHIEF_EFAILED;
}

static int wait_for_end(chief_worker *w) {
    while (api->worker_sleep(w, 3600000) == CHIEF_OK) continue;
    return STOPPED;
}

/* It is deaf when this returns, and a test reads so in the log. */
static void start_deaf_one(void) {
    char line[16];
    FILE *shell = popen("(trap '' TERM; echo deaf; while :; do sleep 1; done) &", "r");
    if (shell == NULL || fgets(line, sizeof line, shell) == NULL) abort();
    (void)pclose(shell);
    (void)printf("%s", line);
    (void)fflush(stdout);
}

static void crash(void) {
    volatile int *nowhere = (volatile int *)(uintptr_t)8;
    *nowhere = 1;
}

static int act(chief_worker *w, char *step) {
    char *verb = strtok(step, " ");
    char *first = strtok(NULL, " ");
    char *second = strtok(NULL, "");
    if (verb == NULL) return CHIEF_OK;
    if (strcmp(verb, "fail") == 0) return fail_with(w, first);
    if (strcmp(verb, "end") == 0) return STOPPED;
    if (strcmp(verb, "wait") == 0) return wait_for_end(w);
    if (strcmp(verb, "echo") == 0) return echo(w);
    if (strcmp(verb, "pump") == 0) return pump(w, first, second);
    if (strcmp(verb, "hold") == 0) return hold(w, first);
    if (strcmp(verb, "send") == 0) return send_text(w, first, second);
    if (strcmp(verb, "ask") == 0) return ask(w, first, second);
    if (strcmp(verb, "busy") == 0)
        for (;;) pause_ms(10);
    if (strcmp(verb, "pid") == 0) say_pid(w);
    if (strcmp(verb, "reserve") == 0) return reserve(w, first);
    if (strcmp(verb, "kill") == 0) (void)raise((int)strtol(first, NULL, 10));
    if (strcmp(verb, "exit") == 0) _exit((int)strtol(first, NULL, 10));
    if (strcmp(verb, "crash") == 0) crash();
    if (strcmp(verb, "deaf") == 0) (void)signal(SIGTERM, SIG_IGN);
    if (strcmp(verb, "spawn") == 0) start_deaf_one();
    if (strcmp(verb, "log") == 0) say(w, first);
    if (strcmp(verb, "value") == 0) say_value(w, first);
    if (strcmp(verb, "expect") == 0) expect_value(w, first);
    if (strcmp(verb, "ready") == 0) api->worker_ready(w);
    return CHIEF_OK;
}

/* Whether this generation does the step; moves it behind its number. */
static int is_meant(const chief_worker *w, char **step) {
    char *end;
    unsigned long n = strtoul(*step, &end, 10);
    unsigned long now = (unsigned long)api->worker_generation(w);
    if (end == *step) return 1;
    int and_later = *end == '+';
    *step = end + 1 + and_later;
    return and_later ? now >= n : now == n;
}

static int perform(chief_worker *w, int in_init) {
    chief_bytes args = api->worker_args(w);
    const char *at = args.data;
    const char *end = at + args.len;
    int rc = CHIEF_OK;
    if (at < end && (*at & 0xe0) == 0xa0) at++; /* a short text of Lua's, as MessagePack has it */
    while (rc == CHIEF_OK && at < end) {
        char step[STEP_SIZE];
        const char *stop = memchr(at, ';', (size_t)(end - at));
        if (stop == NULL) stop = end;
        (void)snprintf(step, sizeof step, "%.*s", (int)(stop - at), at);
        at = stop + 1;
        char *text = step + strspn(step, " ");
        int meant = is_meant(w, &text);
        text += strspn(text, " ");
        int of_init = strncmp(text, "init ", 5) == 0;
        if (meant && of_init == in_init) rc = act(w, text + (of_init ? 5 : 0));
    }
    return rc == STOPPED ? CHIEF_OK : rc;
}

static int actor_init(chief_worker *w, void *data, void **instance) {
    (void)data;
    *instance = NULL;
    return perform(w, 1);
}

static int actor_run(chief_worker *w, void *instance) {
    (void)instance;
    return perform(w, 0);
}

int chief_plugin_v1(const chief_api *given, chief_worker_ops *out);

__attribute__((visibility("default"))) int chief_plugin_v1(const chief_api *given, chief_worker_ops *out) {
    api = given;
    out->init = actor_init;
    out->run = actor_run;
    return CHIEF_OK;
}
