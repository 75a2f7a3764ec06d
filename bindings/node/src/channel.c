/* channel: channels as JavaScript's own thread uses them, which never waits in a call: it tries, and a descriptor (poll.c)
 * says when to try again. Only room is waited for in a thread. */
#include <stdlib.h>
#include <string.h>

#include "chief_node.h"

static void release(void *object) { chief_channel_unref(object); }

chief_channel *channel_of(napi_env env, napi_value handle) { return js_object(env, handle, HANDLE_CHANNEL); }

napi_value channel_handle(napi_env env, chief_channel *ch) {
    napi_value handle = js_handle(env, HANDLE_CHANNEL, ch, release);
    if (handle == NULL) chief_channel_unref(ch);
    return handle;
}

/* (name, options) */
static napi_value channel_new(napi_env env, napi_callback_info info) {
    napi_value argv[2], handle = NULL;
    arena a = {NULL};
    chief_channel_options options;
    chief_channel *ch;
    if (!js_args(env, info, argv, 2)) return NULL;
    const char *name = js_get_text(env, &a, argv[0]);
    if (options_read_channel(env, &a, argv[1], &options)) {
        int rc = chief_channel_new(&ch, name, &options);
        handle = rc == CHIEF_OK ? channel_handle(env, ch) : js_throw(env, rc);
    }
    arena_end(&a);
    return handle;
}

/* ---- sending ---- */

typedef struct sending {
    task task;
    chief_channel *ch; /* held */
    int64_t timeout;
    size_t n, sent;
    payload *items;
    chief_bytes *bytes;
} sending;

static void free_sending(task *t) {
    sending *s = (sending *)t;
    for (size_t i = 0; i < s->n; i++) free(s->items[i].data);
    chief_channel_unref(s->ch);
    free(s->items);
    free(s->bytes);
    free(s);
}

static int send_items(sending *s, int64_t timeout) {
    size_t sent = 0;
    int rc = chief_channel_send_many(s->ch, NULL, s->bytes + s->sent, s->n - s->sent, timeout, &sent);
    s->sent += sent;
    return rc;
}

static int work(task *t) { return send_items((sending *)t, ((sending *)t)->timeout); }

static void cancel(task *t) { chief_channel_close(((sending *)t)->ch); }

static bool read_item(napi_env env, sending *s, napi_value value, bool raw) {
    if (!payload_read(env, value, raw, &s->items[s->n])) return false;
    s->bytes[s->n] = (chief_bytes){s->items[s->n].data, s->items[s->n].len};
    s->n++;
    return true;
}

static bool read_items(napi_env env, sending *s, napi_value array, bool raw) {
    uint32_t n = 0;
    if (napi_get_array_length(env, array, &n) != napi_ok) return false;
    s->items = calloc(n > 0 ? n : 1, sizeof *s->items);
    s->bytes = calloc(n > 0 ? n : 1, sizeof *s->bytes);
    for (uint32_t i = 0; s->items != NULL && s->bytes != NULL && i < n; i++) {
        napi_handle_scope scope;
        napi_value item;
        if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
        bool ok = napi_get_element(env, array, i, &item) == napi_ok && read_item(env, s, item, raw);
        (void)napi_close_handle_scope(env, scope);
        if (!ok) return false;
    }
    return s->items != NULL && s->bytes != NULL;
}

static sending *new_sending(napi_env env, const napi_value *argv) {
    chief_channel *ch = channel_of(env, argv[0]);
    sending *s = ch != NULL ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
        return NULL;
    }
    s->task = (task){.work = work, .cancel = cancel, .free = free_sending};
    s->ch = chief_channel_ref(ch);
    s->timeout = js_get_integer(env, argv[2], CHIEF_FOREVER);
    if (read_items(env, s, argv[1], js_get_boolean(env, argv[3]))) return s;
    (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    free_sending(&s->task);
    return NULL;
}

/* (channel, array of payloads, timeout, raw): undefined when all went at once, else the promise of it. */
static napi_value channel_send(napi_env env, napi_callback_info info) {
    napi_value argv[4];
    if (!js_args(env, info, argv, 4)) return NULL;
    sending *s = new_sending(env, argv);
    if (s == NULL) return NULL;
    int rc = s->n > 0 ? send_items(s, 0) : CHIEF_OK;
    if (rc == CHIEF_EAGAIN && s->timeout != 0) return task_start(env, &s->task);
    free_sending(&s->task);
    return js_result(env, rc);
}

/* ---- receiving ---- */

/* (channel, max, raw): an array of up to `max`; undefined when there is none now. */
static napi_value channel_recv(napi_env env, napi_callback_info info) {
    napi_value argv[3], array;
    chief_msg *few[64];
    size_t n = 0;
    if (!js_args(env, info, argv, 3)) return NULL;
    chief_channel *ch = channel_of(env, argv[0]);
    size_t max = (size_t)js_get_integer(env, argv[1], 1);
    bool raw = js_get_boolean(env, argv[2]);
    if (ch == NULL) return NULL;
    int rc = chief_channel_recv_many(ch, NULL, 0, few, max < 64 ? max : 64, &n);
    if (rc == CHIEF_EAGAIN) return js_undefined(env);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    if (napi_create_array_with_length(env, n, &array) != napi_ok) array = NULL;
    for (size_t i = 0; i < n; i++) {
        napi_value shown = array != NULL ? message_show(env, few[i], raw) : NULL;
        if (array == NULL) chief_msg_free(few[i]);
        if (shown != NULL) (void)napi_set_element(env, array, (uint32_t)i, shown);
    }
    return array;
}

/* ---- the rest ---- */

static napi_value channel_close(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_channel *ch = channel_of(env, handle);
    if (ch == NULL) return NULL;
    chief_channel_close(ch);
    return js_undefined(env);
}

static napi_value channel_name(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_channel *ch = channel_of(env, handle);
    return ch != NULL ? js_text(env, chief_channel_name(ch)) : NULL;
}

static napi_value channel_len(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_channel *ch = channel_of(env, handle);
    return ch != NULL ? js_number(env, (double)chief_channel_len(ch)) : NULL;
}

static napi_value channel_fd(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_channel *ch = channel_of(env, handle);
    if (ch == NULL) return NULL;
    int fd = chief_channel_fd(ch);
    return fd >= 0 ? js_number(env, fd) : js_throw(env, fd);
}

static napi_value channel_stats(napi_env env, napi_callback_info info) {
    napi_value handle, object;
    chief_channel_stats s = {.size = sizeof s};
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_channel *ch = channel_of(env, handle);
    if (ch == NULL || napi_create_object(env, &object) != napi_ok) return NULL;
    int rc = chief_channel_get_stats(ch, &s);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    js_set(env, object, "capacity", js_number(env, s.capacity));
    js_set(env, object, "sent", js_number(env, (double)s.sent));
    js_set(env, object, "received", js_number(env, (double)s.received));
    js_set(env, object, "queued", js_number(env, (double)s.queued));
    js_set(env, object, "dropped", js_number(env, (double)s.dropped));
    js_set(env, object, "acknowledged", js_number(env, (double)s.acknowledged));
    js_set(env, object, "inHand", js_number(env, (double)s.in_hand));
    js_set(env, object, "redelivered", js_number(env, (double)s.redelivered));
    js_set(env, object, "dead", js_number(env, (double)s.dead));
    return object;
}

void channel_define(napi_env env, napi_value exports) {
    static const export list[] = {{"channelNew", channel_new},   {"channelSend", channel_send},
                                  {"channelRecv", channel_recv}, {"channelClose", channel_close},
                                  {"channelName", channel_name}, {"channelLen", channel_len},
                                  {"channelFd", channel_fd},     {"channelStats", channel_stats}};
    define(env, exports, list, sizeof list / sizeof *list);
}
