/* context: contexts and loggers, which any thread may use, and so JavaScript's. */
#include <stdlib.h>
#include <string.h>

#include "chief_node.h"

static void release_context(void *object) { chief_context_unref(object); }

napi_value context_handle(napi_env env, chief_context *ctx) {
    napi_value handle = js_handle(env, HANDLE_CONTEXT, chief_context_ref(ctx), release_context);
    if (handle == NULL) chief_context_unref(ctx);
    return handle;
}

static chief_context *context_of(napi_env env, napi_value handle) { return js_object(env, handle, HANDLE_CONTEXT); }

/* (parent, timeout): either may be undefined */
static napi_value context_new(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief_context *ctx, *parent = NULL;
    if (!js_args(env, info, argv, 2)) return NULL;
    if (!js_is_missing(env, argv[0]) && (parent = context_of(env, argv[0])) == NULL) return NULL;
    int rc = js_is_missing(env, argv[1]) ? chief_context_new(&ctx, parent)
                                         : chief_context_new_deadline(&ctx, parent, js_get_integer(env, argv[1], 0));
    if (rc != CHIEF_OK) return js_throw(env, rc);
    napi_value handle = context_handle(env, ctx);
    chief_context_unref(ctx);
    return handle;
}

static napi_value context_cancel(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    if (!js_args(env, info, argv, 2)) return NULL;
    chief_context *ctx = context_of(env, argv[0]);
    if (ctx == NULL) return NULL;
    chief_context_cancel(ctx, js_get_text(env, &a, argv[1]));
    arena_end(&a);
    return js_undefined(env);
}

/* undefined while it is not done, then the reason. */
static napi_value context_reason(napi_env env, napi_callback_info info) {
    napi_value handle;
    char buf[512];
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_context *ctx = context_of(env, handle);
    if (ctx == NULL) return NULL;
    if (chief_context_err(ctx) == CHIEF_OK) return js_undefined(env);
    (void)chief_context_reason(ctx, buf, sizeof buf);
    return js_text(env, buf);
}

static napi_value context_remaining(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_context *ctx = context_of(env, handle);
    if (ctx == NULL) return NULL;
    int64_t left = chief_context_remaining(ctx);
    return left >= 0 ? js_number(env, (double)left) : js_undefined(env);
}

static napi_value context_fd(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    chief_context *ctx = context_of(env, handle);
    if (ctx == NULL) return NULL;
    int fd = chief_context_fd(ctx);
    return fd >= 0 ? js_number(env, fd) : js_throw(env, fd);
}

static napi_value context_set(napi_env env, napi_callback_info info) {
    napi_value argv[3], result = NULL;
    arena a = {NULL};
    chief_value value;
    if (!js_args(env, info, argv, 3)) return NULL;
    chief_context *ctx = context_of(env, argv[0]);
    const char *key = js_get_text(env, &a, argv[1]);
    if (ctx != NULL && value_read(env, &a, argv[2], &value))
        result = js_result(env, chief_context_set(ctx, key, &value));
    arena_end(&a);
    return result;
}

static napi_value context_get(napi_env env, napi_callback_info info) {
    napi_value argv[2], shown;
    arena a = {NULL};
    chief_value value;
    if (!js_args(env, info, argv, 2)) return NULL;
    chief_context *ctx = context_of(env, argv[0]);
    if (ctx == NULL) return NULL;
    int rc = chief_context_get(ctx, js_get_text(env, &a, argv[1]), &value);
    arena_end(&a);
    if (rc == CHIEF_ENOENT) return js_undefined(env);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    shown = value_show(env, &value);
    chief_value_clear(&value);
    return shown;
}

/* ---- logs ---- */

static void release_log(void *object) { chief_log_unref(object); }

napi_value log_handle(napi_env env, chief_log *log) {
    napi_value handle = js_handle(env, HANDLE_LOG, chief_log_ref(log), release_log);
    if (handle == NULL) chief_log_unref(log);
    return handle;
}

/* A sink in JavaScript: records are copied, and told in its own thread. */
typedef struct sink {
    host *host; /* held */
    napi_ref call;
    post gone;
} sink;

typedef struct record {
    post post;
    sink *sink;
    int32_t level;
    int64_t time_ms;
    payload fields; /* a message: the text, then each key and value */
} record;

static void sink_gone(post *p, napi_env env) {
    sink *s = (sink *)((char *)p - offsetof(sink, gone));
    if (env != NULL) (void)napi_delete_reference(env, s->call);
    host_unref(s->host);
    free(s);
}

static void destroy_sink(void *data) {
    sink *s = data;
    s->gone.run = sink_gone;
    host_bury(s->host, &s->gone);
}

static void tell_record(post *p, napi_env env) {
    record *r = (record *)((char *)p - offsetof(record, post));
    if (env != NULL) {
        napi_value argv[] = {js_number(env, r->level), js_number(env, (double)r->time_ms),
                             payload_show(env, (chief_bytes){r->fields.data, r->fields.len}, false)};
        if (argv[2] != NULL) host_call(env, r->sink->call, 3, argv);
    }
    free(r->fields.data);
    free(r);
}

static chief_token text_token(const char *text) {
    return (chief_token){.kind = CHIEF_TOKEN_STR, .data = text, .len = strlen(text)};
}

static chief_token value_token(const chief_value *v) {
    if (v->type == CHIEF_BOOL) return (chief_token){.kind = CHIEF_TOKEN_BOOL, .integer = v->boolean != 0};
    if (v->type == CHIEF_INTEGER) return (chief_token){.kind = CHIEF_TOKEN_INT, .integer = v->integer};
    if (v->type == CHIEF_NUMBER) return (chief_token){.kind = CHIEF_TOKEN_FLOAT, .number = v->number};
    if (v->type != CHIEF_BYTES) return (chief_token){.kind = CHIEF_TOKEN_NIL};
    return (chief_token){
        .kind = CHIEF_TOKEN_STR, .data = v->bytes.data != NULL ? v->bytes.data : "", .len = v->bytes.len};
}

static bool copy_record(const chief_record *from, payload *out) {
    size_t n = 2 + 2 * from->n_fields, size = 9 * n;
    chief_token *tokens = calloc(n, sizeof *tokens);
    if (tokens == NULL) return false;
    tokens[0] = (chief_token){.kind = CHIEF_TOKEN_ARRAY, .len = n - 1};
    tokens[1] = text_token(from->message);
    for (size_t i = 0; i < from->n_fields; i++) {
        tokens[2 + 2 * i] = text_token(from->fields[i].key);
        tokens[3 + 2 * i] = value_token(&from->fields[i].value);
    }
    for (size_t i = 1; i < n; i++)
        if (tokens[i].kind == CHIEF_TOKEN_STR) size += (size_t)tokens[i].len;
    out->data = malloc(size);
    bool ok = out->data != NULL && chief_pack_write(tokens, n, out->data, size, &out->len) == CHIEF_OK;
    free(tokens);
    return ok;
}

/* In any thread. A record that can't be told is lost, as the library's log does it. */
static void take_record(void *data, const chief_record *from) {
    sink *s = data;
    record *r = calloc(1, sizeof *r);
    if (r == NULL) return;
    *r = (record){.post = {.run = tell_record}, .sink = s, .level = from->level, .time_ms = from->time_ms};
    if (copy_record(from, &r->fields) && host_post(s->host, &r->post)) return;
    free(r->fields.data);
    free(r);
}

static sink *new_sink(napi_env env, napi_value call) {
    sink *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    if (napi_create_reference(env, call, 1, &s->call) != napi_ok) {
        free(s);
        return NULL;
    }
    s->host = host_ref(host_of(env));
    return s;
}

chief_log *log_read(napi_env env, napi_value from) {
    chief_log *log = NULL;
    sink *s = NULL;
    if (js_is_missing(env, from)) return NULL;
    napi_value call = js_member(env, from, "sink");
    chief_log_options options = {.size = sizeof options,
                                 .level = (int32_t)js_member_integer(env, from, "level", 0),
                                 .format = (int32_t)js_member_integer(env, from, "format", 0)};
    if (!js_is_missing(env, call)) {
        s = new_sink(env, call);
        if (s == NULL) return NULL;
        options.sink = take_record;
        options.data = s;
        options.destroy = destroy_sink;
    }
    int rc = chief_log_new(&log, &options);
    if (rc == CHIEF_OK) return log;
    if (s != NULL) destroy_sink(s);
    (void)js_throw(env, rc);
    return NULL;
}

/* From an array of a key and a value in turn. */
static const chief_field *read_fields(napi_env env, arena *a, napi_value array, size_t *n) {
    uint32_t len = 0;
    *n = 0;
    if (js_is_missing(env, array) || napi_get_array_length(env, array, &len) != napi_ok || len < 2) return NULL;
    chief_field *fields = arena_get(a, env, len / 2 * sizeof *fields);
    for (uint32_t i = 0; fields != NULL && i + 1 < len; i += 2) {
        napi_value key, value;
        if (napi_get_element(env, array, i, &key) != napi_ok ||
            napi_get_element(env, array, i + 1, &value) != napi_ok || !value_read(env, a, value, &fields[i / 2].value))
            return NULL;
        fields[i / 2].key = js_get_text(env, a, key);
    }
    *n = fields != NULL ? len / 2 : 0;
    return fields;
}

/* (log, level, message, fields) */
static napi_value log_write(napi_env env, napi_callback_info info) {
    napi_value argv[4];
    arena a = {NULL};
    size_t n;
    if (!js_args(env, info, argv, 4)) return NULL;
    chief_log *log = js_object(env, argv[0], HANDLE_LOG);
    const char *message = js_get_text(env, &a, argv[2]);
    const chief_field *fields = read_fields(env, &a, argv[3], &n);
    if (log != NULL && message != NULL)
        chief_log_write(log, (int32_t)js_get_integer(env, argv[1], CHIEF_INFO), message, fields, n);
    arena_end(&a);
    return js_undefined(env);
}

/* (log, fields) */
static napi_value log_with(napi_env env, napi_callback_info info) {
    napi_value argv[2], handle = NULL;
    arena a = {NULL};
    chief_log *made;
    size_t n;
    if (!js_args(env, info, argv, 2)) return NULL;
    chief_log *log = js_object(env, argv[0], HANDLE_LOG);
    const chief_field *fields = read_fields(env, &a, argv[1], &n);
    if (log != NULL) {
        int rc = chief_log_with_fields(&made, log, fields, n);
        handle = rc == CHIEF_OK ? log_handle(env, made) : js_throw(env, rc);
        if (rc == CHIEF_OK) chief_log_unref(made);
    }
    arena_end(&a);
    return handle;
}

static napi_value log_set_level(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    if (!js_args(env, info, argv, 2)) return NULL;
    chief_log *log = js_object(env, argv[0], HANDLE_LOG);
    return log != NULL ? js_result(env, chief_log_set_level(log, (int32_t)js_get_integer(env, argv[1], 0))) : NULL;
}

void context_define(napi_env env, napi_value exports) {
    static const export list[] = {{"contextNew", context_new},
                                  {"contextCancel", context_cancel},
                                  {"contextReason", context_reason},
                                  {"contextRemaining", context_remaining},
                                  {"contextFd", context_fd},
                                  {"contextSet", context_set},
                                  {"contextGet", context_get},
                                  {"logWrite", log_write},
                                  {"logWith", log_with},
                                  {"logSetLevel", log_set_level}};
    define(env, exports, list, sizeof list / sizeof *list);
}
