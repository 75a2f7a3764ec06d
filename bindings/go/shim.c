#include "shim.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

static void *key(uintptr_t number) { return (void *)number; }

static int init(chief_worker *ctx, void *data, void **instance) {
    uintptr_t life = 0;
    int rc = goInit(ctx, (uintptr_t)data, &life);
    if (rc == CHIEF_OK) *instance = key(life);
    return rc;
}

static int run(chief_worker *ctx, void *instance) {
    (void)ctx;
    return goRun((uintptr_t)instance);
}

static void fini(void *instance) { goFini((uintptr_t)instance); }

static int restart_on_fail(void *data) { return goRestartOnFail((uintptr_t)data); }

static void interrupt(chief_worker *ctx, void *instance) { goInterrupt(ctx, (uintptr_t)instance); }

static const chief_worker_ops worker_ops = {.size = sizeof worker_ops,
                                            .init = init,
                                            .run = run,
                                            .fini = fini,
                                            .restart_on_fail = restart_on_fail,
                                            .interrupt = interrupt};

static void forget(void *number) { goForget((uintptr_t)number); }

int chief_go_add_worker(chief *c, const char *name, uintptr_t number, chief_worker_options *options) {
    options->destroy = forget;
    return chief_add_worker_with(c, name, &worker_ops, key(number), options);
}

int chief_go_pool_set_worker(chief_pool *pool, const char *name, uintptr_t number) {
    return chief_pool_set_worker(pool, name, &worker_ops, key(number));
}

int chief_go_pool_get_worker(chief_pool *pool, const char *name, uintptr_t *number) {
    chief_worker_ops ops = {.size = sizeof ops};
    void *data = NULL;
    int rc = chief_pool_get_worker(pool, name, &ops, &data);
    *number = rc == CHIEF_OK && ops.run == run ? (uintptr_t)data : 0;
    return rc;
}

static int make(chief_worker *ctx, void *number, chief **out) {
    (void)ctx;
    return goMake((uintptr_t)number, out);
}

int chief_go_add_chief(chief *c, const char *name, uintptr_t number, chief_worker_options *options) {
    options->destroy = forget;
    return chief_add_chief(c, name, make, key(number), options);
}

static void hook(void *number) { goHook((uintptr_t)number); }

int chief_go_on_shutdown(chief *c, uintptr_t number) { return chief_on_shutdown(c, hook, key(number)); }

static void sink(void *number, const chief_record *record) { goSink((uintptr_t)number, (chief_record *)record); }

void chief_go_set_sink(chief_log_options *options, uintptr_t number) {
    options->sink = sink;
    options->data = key(number);
    options->destroy = forget;
}

void chief_go_set_number(chief_value *value, uintptr_t number) {
    *value = (chief_value){.type = CHIEF_POINTER, .pointer = key(number), .destroy = forget};
}

uintptr_t chief_go_number(const chief_value *value) { return (uintptr_t)value->pointer; }

static int on_exit_of(void *number, const chief_exit *exit, chief_answer *answer) {
    return goOnExit((uintptr_t)number, (chief_exit *)exit, answer);
}

void chief_go_set_policy(chief_policy *policy, uintptr_t number) {
    policy->on_exit = on_exit_of;
    policy->data = key(number);
    policy->destroy = forget;
}

uintptr_t chief_go_policy(const chief_policy *policy) { return (uintptr_t)policy->data; }

static int receive(chief_worker *as, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                   chief_msg **out) {
    *index = 0;
    if (n != 1) return chief_select(as, channels, n, timeout_ms, index, out);
    if (channels[0] == NULL) return chief_worker_recv(as, timeout_ms, out);
    return chief_channel_recv(channels[0], as, timeout_ms, out);
}

static chief_go_received describe(chief_msg *msg) {
    chief_bytes bytes = chief_msg_data(msg);
    return (chief_go_received){.msg = msg,
                               .data = bytes.data,
                               .len = bytes.len,
                               .sender = chief_msg_sender(msg),
                               .channel = chief_msg_channel(msg),
                               .kind = chief_msg_kind(msg)[0],
                               .deliveries = chief_msg_deliveries(msg)};
}

int chief_go_receive(chief_worker *as, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                     chief_go_received *out) {
    chief_msg *msg;
    int rc = receive(as, channels, n, timeout_ms, index, &msg);
    if (rc == CHIEF_OK) *out = describe(msg);
    return rc;
}

static int no_room(void) { return chief_set_last_error(CHIEF_ENOMEM, NULL); }

int chief_go_receive_many(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_go_received *out, size_t max,
                          size_t *n) {
    *n = 0;
    chief_msg **list = calloc(max, sizeof *list);
    if (list == NULL) return no_room();
    int rc = ch != NULL ? chief_channel_recv_many(ch, as, timeout_ms, list, max, n)
                        : chief_worker_recv_many(as, timeout_ms, list, max, n);
    for (size_t i = 0; rc == CHIEF_OK && i < *n; i++) out[i] = describe(list[i]);
    free(list);
    return rc;
}

void chief_go_free_many(const chief_go_received *messages, size_t n) {
    for (size_t i = 0; i < n; i++) chief_msg_free(messages[i].msg);
}

int chief_go_send_many(chief_channel *ch, chief_worker *as, const char *to, const char *data, const size_t *ends,
                       size_t n, int64_t timeout_ms, size_t *sent) {
    *sent = 0;
    chief_bytes *items = calloc(n, sizeof *items);
    if (items == NULL) return no_room();
    for (size_t i = 0; i < n; i++) {
        size_t start = i > 0 ? ends[i - 1] : 0;
        items[i] = (chief_bytes){.data = data + start, .len = ends[i] - start};
    }
    int rc = ch != NULL ? chief_channel_send_many(ch, as, items, n, timeout_ms, sent)
                        : chief_worker_send_many(as, to, items, n, timeout_ms, sent);
    free(items);
    return rc;
}

/* So many tokens are kept on the stack. */
enum { FEW = 64 };

/* Room for n tokens: `few`, or memory of its own; NULL without memory. */
static chief_token *room(chief_token *few, size_t n) { return n <= FEW ? few : calloc(n, sizeof *few); }

int chief_go_unpack(const void *data, size_t len, chief_go_token *out, size_t max, size_t *n) {
    chief_token few[FEW];
    chief_token *tokens = room(few, max);
    if (tokens == NULL) return no_room();
    int rc = chief_pack_read(data, len, tokens, max, n);
    for (size_t i = 0; rc == CHIEF_OK && i < *n; i++) {
        const chief_token *t = &tokens[i];
        uint64_t offset = t->data != NULL ? (uint64_t)(t->data - (const char *)data) : 0;
        out[i] = (chief_go_token){t->kind, t->integer, t->number, offset, t->len};
    }
    if (tokens != few) free(tokens);
    return rc;
}

int chief_go_pack(const chief_go_token *tokens, size_t n, const char *texts, void *buf, size_t size, size_t *len) {
    chief_token few[FEW];
    few[0] = (chief_token){.kind = CHIEF_TOKEN_NIL}; /* n may be 0 */
    chief_token *pointing = room(few, n);
    if (pointing == NULL) return no_room();
    for (size_t i = 0; i < n; i++) {
        const chief_go_token *t = &tokens[i];
        bool text = t->kind == CHIEF_TOKEN_STR || t->kind == CHIEF_TOKEN_BIN;
        pointing[i] = (chief_token){.kind = t->kind,
                                    .integer = t->integer,
                                    .number = t->number,
                                    .data = text && t->len > 0 ? texts + t->offset : NULL,
                                    .len = t->len};
    }
    int rc = chief_pack_write(pointing, n, buf, size, len);
    if (pointing != few) free(pointing);
    return rc;
}

int chief_go_pack_many(const chief_go_token *tokens, const size_t *counts, size_t n, const char *texts, void *buf,
                       size_t size, size_t *ends) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len;
        int rc = chief_go_pack(tokens, counts[i], texts, (char *)buf + at, size - at, &len);
        if (rc != CHIEF_OK) return rc;
        tokens += counts[i];
        at += len;
        ends[i] = at;
    }
    return CHIEF_OK;
}

int chief_go_wait(chief_worker *ctx, chief_channel *room, chief_pending *call) {
    int64_t never = chief_wait_deadline(CHIEF_FOREVER);
    chief_wait wake = {.size = sizeof wake, .kind = CHIEF_WAIT_WAKE, .deadline = never};
    chief_wait what = {.size = sizeof what,
                       .kind = room != NULL ? CHIEF_WAIT_SEND : CHIEF_WAIT_REPLY,
                       .deadline = never,
                       .channels = room != NULL ? &room : NULL,
                       .n = room != NULL ? 1 : 0,
                       .call = call,
                       .also = &wake};
    int rc = chief_wait_prepare(ctx, &what);
    if (rc != CHIEF_EAGAIN) return rc;
    chief_wait_park(ctx);
    return CHIEF_OK;
}

static void leave_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGRTMAX - 1, &action, NULL);
    (void)sigaction(SIGRTMAX - 2, &action, NULL);
}

void chief_go_leave_signals(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, leave_signals);
}
