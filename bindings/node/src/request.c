/* request: what a worker in JavaScript asks of its chief. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

const char *request_kind_name(request_kind kind) {
    static const char *const names[] = {"recv", "send", "call", "broadcast", "sleep", "ack", "ready", "states"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

/* ---- made, in JavaScript's thread ---- */

void request_free(request *r) {
    for (size_t i = 0; i < r->n_channels; i++) chief_channel_unref(r->channels[i]);
    for (size_t i = 0; i < r->n_items; i++) free(r->items[i].data);
    for (size_t i = 0; i < r->n_msgs; i++) chief_msg_free(r->msgs[i]);
    chief_channel_unref(r->mailbox);
    chief_snapshot_free(r->states);
    free(r->channels);
    free(r->items);
    free(r->bytes);
    free(r->msgs);
    free(r->to);
    free(r->text);
    if (r->host != NULL) host_unref(r->host);
    free(r);
}

static void *make(napi_env env, size_t n, size_t size) {
    void *made = calloc(n > 0 ? n : 1, size);
    if (made == NULL) (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    return made;
}

static bool add_channel(napi_env env, request *r, napi_value handle) {
    chief_channel *ch = NULL;
    if (!js_is_missing(env, handle)) {
        ch = channel_of(env, handle);
        if (ch == NULL) return false;
    }
    r->channels[r->n_channels++] = chief_channel_ref(ch);
    return true;
}

static bool read_channels(napi_env env, request *r, napi_value array) {
    uint32_t n;
    if (napi_get_array_length(env, array, &n) != napi_ok) return false;
    r->channels = make(env, n, sizeof *r->channels);
    for (uint32_t i = 0; r->channels != NULL && i < n; i++) {
        napi_value handle;
        if (napi_get_element(env, array, i, &handle) != napi_ok || !add_channel(env, r, handle)) return false;
    }
    return r->channels != NULL;
}

static bool read_target(napi_env env, request *r, napi_value target) {
    arena a = {NULL};
    bool is_array = false;
    const char *name = js_get_text(env, &a, target);
    if (name != NULL) {
        r->to = strdup(name);
        arena_end(&a);
        return r->to != NULL;
    }
    if (napi_is_array(env, target, &is_array) == napi_ok && is_array) return read_channels(env, r, target);
    r->channels = make(env, 1, sizeof *r->channels);
    return r->channels != NULL && add_channel(env, r, target);
}

static bool read_items(napi_env env, request *r, napi_value value, bool several) {
    uint32_t n = 1;
    if (several && napi_get_array_length(env, value, &n) != napi_ok) return false;
    r->items = make(env, n, sizeof *r->items);
    r->bytes = make(env, n, sizeof *r->bytes);
    if (r->items == NULL || r->bytes == NULL) return false;
    for (uint32_t i = 0; i < n; i++) {
        napi_handle_scope scope;
        napi_value item = value;
        if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
        bool ok = (!several || napi_get_element(env, value, i, &item) == napi_ok) &&
                  payload_read(env, item, r->raw, &r->items[i]);
        (void)napi_close_handle_scope(env, scope);
        if (!ok) return false;
        r->n_items++;
        r->bytes[i] = (chief_bytes){r->items[i].data, r->items[i].len};
    }
    return true;
}

static bool read_all(napi_env env, request *r, const napi_value *argv) {
    int64_t timeout = js_get_integer(env, argv[3], CHIEF_FOREVER);
    r->kind = (request_kind)js_get_integer(env, argv[0], 0);
    r->max = (size_t)js_get_integer(env, argv[4], 0);
    r->raw = js_get_boolean(env, argv[5]);
    r->hasty = timeout == 0;
    r->deadline = chief_wait_deadline(timeout);
    bool has_items = r->kind == ASK_SEND || r->kind == ASK_CALL || r->kind == ASK_BROADCAST;
    return read_target(env, r, argv[1]) && (!has_items || read_items(env, r, argv[2], r->max > 0));
}

request *request_new(napi_env env, const napi_value *argv, napi_value *promise) {
    request *r = make(env, 1, sizeof *r);
    if (r == NULL) return NULL;
    if (read_all(env, r, argv) && napi_create_promise(env, &r->deferred, promise) == napi_ok) {
        r->host = host_ref(host_of(env));
        return r;
    }
    (void)js_throw(env, chief_set_last_error(CHIEF_EINVAL, "this can't be asked of a chief"));
    request_free(r);
    return NULL;
}

/* ---- tried, in the worker's thread ---- */

static int receive(request *r, chief_worker *ctx) {
    size_t max = r->max > 0 ? r->max : 1;
    if (r->msgs == NULL) r->msgs = calloc(max, sizeof(chief_msg *));
    if (r->msgs == NULL) return CHIEF_ENOMEM;
    if (r->max > 0 && r->channels[0] == NULL) return chief_worker_recv_many(ctx, 0, r->msgs, max, &r->n_msgs);
    if (r->max > 0) return chief_channel_recv_many(r->channels[0], ctx, 0, r->msgs, max, &r->n_msgs);
    int rc = r->n_channels > 1        ? chief_select(ctx, r->channels, r->n_channels, 0, &r->index, r->msgs)
             : r->channels[0] != NULL ? chief_channel_recv(r->channels[0], ctx, 0, r->msgs)
                                      : chief_worker_recv(ctx, 0, r->msgs);
    if (rc == CHIEF_OK) r->n_msgs = 1;
    return rc;
}

chief_channel *request_target(request *r) {
    if (r->kind != ASK_SEND && r->kind != ASK_CALL) return NULL;
    return r->to != NULL ? r->mailbox : r->channels[0];
}

static int send_items(request *r, chief_worker *ctx) {
    int rc = CHIEF_OK;
    if (r->to != NULL && r->mailbox == NULL) rc = chief_worker_mailbox(ctx, r->to, 0, &r->mailbox);
    while (rc == CHIEF_OK && r->sent < r->n_items) {
        size_t sent = 0;
        rc = chief_channel_send_many(request_target(r), ctx, r->bytes + r->sent, r->n_items - r->sent, 0, &sent);
        r->sent += sent;
    }
    return rc;
}

static int ask(request *r, chief_worker *ctx) {
    int rc = CHIEF_OK;
    if (r->mailbox == NULL) rc = chief_worker_mailbox(ctx, r->to, 1, &r->mailbox);
    if (rc == CHIEF_OK && r->call == NULL)
        rc = chief_call_begin(ctx, r->mailbox, r->items[0].data, r->items[0].len, &r->call);
    if (rc != CHIEF_OK) return rc;
    r->msgs = r->msgs != NULL ? r->msgs : calloc(1, sizeof *r->msgs);
    if (r->msgs == NULL) return CHIEF_ENOMEM;
    rc = chief_call_take(r->call, r->msgs);
    if (rc == CHIEF_OK) r->n_msgs = 1;
    return rc;
}

static int attempt(request *r, chief_worker *ctx) {
    switch (r->kind) {
    case ASK_RECV: return receive(r, ctx);
    case ASK_SEND: return send_items(r, ctx);
    case ASK_CALL: return ask(r, ctx);
    case ASK_BROADCAST: return chief_worker_broadcast(ctx, r->items[0].data, r->items[0].len, &r->reached);
    case ASK_STATES: return chief_worker_states(ctx, &r->states);
    case ASK_ACK: chief_channel_ack(r->channels[0], ctx); return CHIEF_OK;
    case ASK_READY: chief_worker_ready(ctx); return CHIEF_OK;
    case ASK_SLEEP: return CHIEF_EAGAIN;
    }
    return chief_set_last_error(CHIEF_EINVAL, NULL);
}

static int64_t now(void) { return chief_wait_deadline(1) - 1; }

bool request_try(request *r, chief_worker *ctx, bool done) {
    int rc = attempt(r, ctx);
    if (rc != CHIEF_EAGAIN) {
        request_end(r, rc, NULL);
        return true;
    }
    bool over = r->deadline != INT64_MAX && (r->hasty || now() >= r->deadline);
    if (r->kind == ASK_SLEEP && over) request_end(r, CHIEF_OK, NULL);
    else if (done && r->kind != ASK_SEND) request_end(r, CHIEF_ECANCELED, chief_strerror(CHIEF_ECANCELED));
    else if (over && r->hasty) request_end(r, CHIEF_EAGAIN, chief_strerror(CHIEF_EAGAIN));
    else if (over) request_end(r, CHIEF_ETIMEDOUT, chief_strerror(CHIEF_ETIMEDOUT));
    else return false;
    return true;
}

void request_wait(request *r, chief_wait *out) {
    *out = (chief_wait){.size = sizeof *out, .kind = CHIEF_WAIT_TIME, .deadline = r->deadline};
    if (r->kind == ASK_RECV) {
        out->kind = CHIEF_WAIT_RECV;
        out->channels = r->channels;
        out->n = r->n_channels;
    } else if (r->call != NULL) {
        out->kind = CHIEF_WAIT_REPLY;
        out->call = r->call;
    } else if (r->kind != ASK_SLEEP) {
        out->kind = CHIEF_WAIT_SEND;
        out->channels = r->to != NULL ? &r->mailbox : r->channels;
        out->n = 1;
    }
}

/* ---- over ---- */

static napi_value show_messages(napi_env env, request *r) {
    napi_value array;
    if (napi_create_array(env, &array) != napi_ok) return NULL;
    for (size_t i = 0; i < r->n_msgs; i++) {
        napi_handle_scope scope;
        chief_msg *msg = r->msgs[i];
        if (napi_open_handle_scope(env, &scope) != napi_ok) return NULL;
        r->msgs[i] = NULL;
        napi_value shown = message_show(env, msg, r->raw);
        if (shown != NULL) (void)napi_set_element(env, array, (uint32_t)i, shown);
        (void)napi_close_handle_scope(env, scope);
        if (shown == NULL) return NULL;
    }
    return array;
}

static napi_value show_one(napi_env env, request *r) {
    chief_msg *msg = r->msgs[0];
    r->msgs[0] = NULL;
    napi_value shown = message_show(env, msg, r->raw), pair;
    if (r->n_channels < 2) return shown;
    if (napi_create_array_with_length(env, 2, &pair) != napi_ok) return NULL;
    (void)napi_set_element(env, pair, 0, js_number(env, (double)r->index));
    (void)napi_set_element(env, pair, 1, shown);
    return pair;
}

static napi_value show(napi_env env, request *r) {
    if (r->kind == ASK_RECV && r->max > 0) return show_messages(env, r);
    if (r->kind == ASK_RECV) return show_one(env, r);
    if (r->kind == ASK_CALL) return payload_show(env, chief_msg_data(r->msgs[0]), r->raw);
    if (r->kind == ASK_BROADCAST) return js_number(env, (double)r->reached);
    if (r->kind != ASK_STATES) return js_undefined(env);
    chief_snapshot *states = r->states;
    r->states = NULL;
    return snapshot_show(env, states);
}

static void reject(napi_env env, request *r) {
    napi_value error = js_error(env, r->rc, r->text != NULL ? r->text : chief_strerror(r->rc));
    if (r->kind == ASK_SEND && r->n_items > 1) js_set(env, error, "sent", js_number(env, (double)r->sent));
    (void)napi_reject_deferred(env, r->deferred, error);
}

static void settle(post *p, napi_env env) {
    request *r = (request *)((char *)p - offsetof(request, post));
    if (env != NULL && r->rc == CHIEF_OK) {
        napi_value value = show(env, r), error;
        if (value != NULL) (void)napi_resolve_deferred(env, r->deferred, value);
        else if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
            (void)napi_reject_deferred(env, r->deferred, error);
    } else if (env != NULL) {
        reject(env, r);
    }
    request_free(r);
}

void request_end(request *r, int rc, const char *text) {
    if (rc != CHIEF_OK) {
        if (text == NULL) text = chief_last_error();
        r->text = text[0] != '\0' ? strdup(text) : NULL;
    }
    r->rc = rc;
    chief_call_end(r->call);
    r->call = NULL;
}

void request_finish(request *r) {
    r->post.run = settle;
    if (!host_post(r->host, &r->post)) request_free(r);
}
