/* boss_call: what is asked of a chief that runs: requests about workers, messages, states, events. */
#include <stdlib.h>
#include <string.h>

#include "boss.h"

/* ---- workers ---- */

static napi_value request_by(napi_env env, napi_callback_info info, int (*ask)(chief *c, const char *name)) {
    napi_value argv[2];
    arena a = {NULL};
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    int rc = ask(c, js_get_text(env, &a, argv[1]));
    arena_end(&a);
    return js_result(env, rc);
}

static napi_value start_worker(napi_env env, napi_callback_info info) {
    return request_by(env, info, chief_start_worker);
}
static napi_value stop_worker(napi_env env, napi_callback_info info) {
    return request_by(env, info, chief_stop_worker);
}
static napi_value restart_worker(napi_env env, napi_callback_info info) {
    return request_by(env, info, chief_restart_worker);
}
static napi_value remove_worker(napi_env env, napi_callback_info info) {
    return request_by(env, info, chief_remove_worker);
}

/* ---- messages ---- */

typedef struct mail {
    task task;
    chief *c;
    char *to;
    payload payload;
    bool raw;
    int64_t timeout;
    chief_msg *reply;
} mail;

static void free_mail(task *t) {
    mail *m = (mail *)t;
    chief_msg_free(m->reply);
    free(m->payload.data);
    free(m->to);
    free(m);
}

static int send_mail(task *t) {
    mail *m = (mail *)t;
    return chief_send(m->c, m->to, m->payload.data, m->payload.len, m->timeout);
}

static int call(task *t) {
    mail *m = (mail *)t;
    return chief_call(m->c, m->to, m->payload.data, m->payload.len, m->timeout, &m->reply);
}

static napi_value show_reply(task *t, napi_env env) {
    const mail *m = (const mail *)t;
    return payload_show(env, chief_msg_data(m->reply), m->raw);
}

static bool fill_mail(napi_env env, mail *m, const napi_value *argv) {
    arena a = {NULL};
    const char *to = js_get_text(env, &a, argv[1]);
    m->to = to != NULL ? strdup(to) : NULL;
    arena_end(&a);
    m->timeout = js_get_integer(env, argv[3], CHIEF_FOREVER);
    m->raw = js_get_boolean(env, argv[4]);
    return payload_read(env, argv[2], m->raw, &m->payload);
}

/* (chief, to, payload, timeout, raw) */
static mail *new_mail(napi_env env, napi_callback_info info) {
    napi_value argv[5];
    chief *c = boss_args(env, info, argv, 5);
    mail *m = c != NULL ? calloc(1, sizeof *m) : NULL;
    if (m == NULL) {
        (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
        return NULL;
    }
    m->c = c;
    m->task.free = free_mail;
    if (fill_mail(env, m, argv)) return m;
    free_mail(&m->task);
    return NULL;
}

/* undefined when it went at once, else the promise of it. */
static napi_value do_send(napi_env env, napi_callback_info info) {
    mail *m = new_mail(env, info);
    if (m == NULL) return NULL;
    m->task.work = send_mail;
    int rc = chief_send(m->c, m->to, m->payload.data, m->payload.len, 0);
    if (rc == CHIEF_EAGAIN && m->timeout != 0) return task_start(env, &m->task);
    free_mail(&m->task);
    return js_result(env, rc);
}

static napi_value do_call(napi_env env, napi_callback_info info) {
    mail *m = new_mail(env, info);
    if (m == NULL) return NULL;
    m->task.work = call;
    m->task.show = show_reply;
    return task_start(env, &m->task);
}

/* (chief, payload, raw) */
static napi_value broadcast(napi_env env, napi_callback_info info) {
    napi_value argv[3];
    payload p;
    size_t reached = 0;
    chief *c = boss_args(env, info, argv, 3);
    if (c == NULL || !payload_read(env, argv[1], js_get_boolean(env, argv[2]), &p)) return NULL;
    int rc = chief_broadcast(c, p.data, p.len, &reached);
    free(p.data);
    return rc == CHIEF_OK ? js_number(env, (double)reached) : js_throw(env, rc);
}

/* ---- what it tells ---- */

static napi_value states(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief_snapshot *snapshot;
    chief *c = boss_args(env, info, argv, 1);
    if (c == NULL) return NULL;
    int rc = chief_states(c, &snapshot);
    return rc == CHIEF_OK ? snapshot_show(env, snapshot) : js_throw(env, rc);
}

static napi_value states_json(napi_env env, napi_callback_info info) {
    napi_value argv[1], text = NULL;
    chief_snapshot *snapshot;
    arena a = {NULL};
    chief *c = boss_args(env, info, argv, 1);
    if (c == NULL) return NULL;
    int rc = chief_states(c, &snapshot);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    size_t len = chief_snapshot_json(snapshot, NULL, 0);
    char *buf = arena_get(&a, env, len + 1);
    if (buf != NULL) {
        (void)chief_snapshot_json(snapshot, buf, len + 1);
        text = js_text(env, buf);
    }
    arena_end(&a);
    chief_snapshot_free(snapshot);
    return text;
}

static napi_value show_events(napi_env env, chief_event **events, size_t n) {
    napi_value array = NULL;
    if (napi_create_array_with_length(env, n, &array) != napi_ok) array = NULL;
    for (size_t i = 0; i < n; i++) {
        napi_value shown = array != NULL ? event_show(env, events[i]) : NULL;
        if (shown != NULL) (void)napi_set_element(env, array, (uint32_t)i, shown);
        chief_event_free(events[i]);
    }
    return array;
}

/* (chief, max): an array; null when none will come any more. */
static napi_value take_events(napi_env env, napi_callback_info info) {
    napi_value argv[1], null;
    chief_event *events[128];
    size_t n = 0;
    chief *c = boss_args(env, info, argv, 1);
    if (c == NULL) return NULL;
    int rc = chief_take_events(c, events, sizeof events / sizeof *events, 0, &n);
    if (rc == CHIEF_ECLOSED) return napi_get_null(env, &null) == napi_ok ? null : NULL;
    return show_events(env, events, rc == CHIEF_OK ? n : 0);
}

static napi_value events_fd(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    if (c == NULL) return NULL;
    int fd = chief_events_fd(c);
    return fd >= 0 ? js_number(env, fd) : js_throw(env, fd);
}

static napi_value events_dropped(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_number(env, (double)chief_events_dropped(c)) : NULL;
}

static napi_value late_replies(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_number(env, (double)chief_late_replies(c)) : NULL;
}

static napi_value get_context(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? context_handle(env, chief_get_context(c)) : NULL;
}

static napi_value get_stop_context(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? context_handle(env, chief_get_stop_context(c)) : NULL;
}

static napi_value get_name(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_text(env, chief_get_name(c)) : NULL;
}

static napi_value get_info(napi_env env, napi_callback_info info) {
    napi_value argv[1], object;
    chief_app_info app = {.size = sizeof app};
    chief *c = boss_args(env, info, argv, 1);
    if (c == NULL) return NULL;
    int rc = chief_get_info(c, &app);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    if (napi_create_object(env, &object) != napi_ok) return NULL;
    js_set(env, object, "pid", js_number(env, app.pid));
    js_set(env, object, "started", js_number(env, (double)app.started_ms));
    js_set(env, object, "name", js_text(env, app.name));
    js_set(env, object, "version", js_text(env, app.version));
    js_set(env, object, "build", js_text(env, app.build));
    js_set(env, object, "tag", js_text(env, app.tag));
    return object;
}

void boss_call_define(napi_env env, napi_value exports) {
    static const export list[] = {{"startWorker", start_worker},
                                  {"stopWorker", stop_worker},
                                  {"restartWorker", restart_worker},
                                  {"removeWorker", remove_worker},
                                  {"send", do_send},
                                  {"call", do_call},
                                  {"broadcast", broadcast},
                                  {"states", states},
                                  {"statesJson", states_json},
                                  {"takeEvents", take_events},
                                  {"eventsFd", events_fd},
                                  {"eventsDropped", events_dropped},
                                  {"lateReplies", late_replies},
                                  {"context", get_context},
                                  {"stopContext", get_stop_context},
                                  {"name", get_name},
                                  {"info", get_info}};
    define(env, exports, list, sizeof list / sizeof *list);
}
