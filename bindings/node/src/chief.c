/* chief: a chief from its making to its end. */
#include <stdlib.h>

#include "boss.h"

#define EXIT_MS 2000 /* for a graceful end when the process ends with its chief still running */

boss *boss_of(napi_env env, napi_value handle) {
    boss *b = js_object(env, handle, HANDLE_CHIEF);
    if (b == NULL || b->c != NULL) return b;
    (void)js_throw(env, chief_set_last_error(CHIEF_ECLOSED, "this chief has been closed"));
    return NULL;
}

chief *boss_args(napi_env env, napi_callback_info info, napi_value *argv, size_t n) {
    boss *b = js_args(env, info, argv, n) ? boss_of(env, argv[0]) : NULL;
    return b != NULL ? b->c : NULL;
}

/* ---- made and freed ---- */

/* Collected: nobody in JavaScript holds it, so it was never started, or has stopped. */
static void release(void *object) {
    boss *b = object;
    if (b->c != NULL) {
        member_remove(&b->member);
        chief_free(b->c);
    }
    host_unref(b->host);
    free(b);
}

static napi_value new_boss(napi_env env, chief *c, int64_t exit_timeout) {
    boss *b = calloc(1, sizeof *b);
    if (b == NULL) {
        chief_free(c);
        return js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    }
    *b = (boss){.c = c, .host = host_ref(host_of(env)), .exit_timeout = exit_timeout};
    member_add(&b->host->chiefs, &b->member, b);
    napi_value handle = js_handle(env, HANDLE_CHIEF, b, release);
    if (handle == NULL) release(b);
    return handle;
}

/* (options) */
static napi_value make(napi_env env, napi_callback_info info) {
    napi_value from, handle = NULL;
    arena a = {NULL};
    chief_options options;
    chief *c;
    if (!js_args(env, info, &from, 1)) return NULL;
    if (options_read_chief(env, &a, from, &options)) {
        int rc = chief_new(&c, &options);
        int64_t exit_timeout = js_member_integer(env, from, "exitTimeout", EXIT_MS);
        handle = rc == CHIEF_OK ? new_boss(env, c, exit_timeout) : js_throw(env, rc);
    }
    chief_log_unref(options.log);
    arena_end(&a);
    return handle;
}

typedef struct freeing {
    task task;
    chief *c;
} freeing;

static int free_chief(task *t) {
    chief_free(((freeing *)t)->c);
    ((freeing *)t)->c = NULL;
    return CHIEF_OK;
}

static void end_freeing(task *t) { free(t); }

/* The promise of its end; all its calls have come back. */
static napi_value free_boss(napi_env env, napi_callback_info info) {
    napi_value handle;
    freeing *f = calloc(1, sizeof *f);
    boss *b = f != NULL && js_args(env, info, &handle, 1) ? boss_of(env, handle) : NULL;
    if (b == NULL) {
        free(f);
        return NULL;
    }
    *f = (freeing){.task = {.work = free_chief, .free = end_freeing}, .c = b->c};
    member_remove(&b->member);
    b->c = NULL;
    return task_start(env, &f->task);
}

/* ---- the end of the environment ---- */

/* All of them are asked before any is waited for. */
void chiefs_stop(host *h) {
    for (member *m = h->chiefs.next; m != NULL; m = m->next) {
        const boss *b = m->object;
        (void)chief_set_force_stop_timeout(b->c, b->exit_timeout > 0 ? b->exit_timeout : CHIEF_ZERO);
        (void)chief_stop_because(b->c, "the program ends");
    }
    for (member *m = h->chiefs.next; m != NULL; m = m->next)
        (void)chief_join(((const boss *)m->object)->c, CHIEF_FOREVER);
}

void chiefs_free(host *h) {
    while (h->chiefs.next != NULL) {
        boss *b = h->chiefs.next->object;
        member_remove(&b->member);
        chief *c = b->c;
        b->c = NULL;
        chief_free(c);
    }
}

/* ---- its life ---- */

typedef struct waiting {
    task task;
    chief *c;
    char *name;
    chief_state_t state;
    int64_t timeout;
    char *text; /* what a traceback is */
} waiting;

static void end_waiting(task *t) {
    waiting *w = (waiting *)t;
    free(w->name);
    free(w->text);
    free(w);
}

static napi_value start_waiting(napi_env env, waiting from) {
    waiting *w = malloc(sizeof *w);
    if (w == NULL) return js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    *w = from;
    w->task.free = end_waiting;
    return task_start(env, &w->task);
}

static char *copy_name(napi_env env, napi_value value) {
    arena a = {NULL};
    size_t len = 0;
    const char *name = js_get_text(env, &a, value);
    char *copy =
        name != NULL && napi_get_value_string_utf8(env, value, NULL, 0, &len) == napi_ok ? malloc(len + 1) : NULL;
    for (size_t i = 0; copy != NULL && i <= len; i++) copy[i] = name[i];
    arena_end(&a);
    return copy;
}

static int init_workers(task *t) { return chief_init_workers(((waiting *)t)->c, NULL); }

static napi_value do_init(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? start_waiting(env, (waiting){.task = {.work = init_workers}, .c = c}) : NULL;
}

static int wait_ready(task *t) { return chief_wait_ready(((waiting *)t)->c, ((waiting *)t)->timeout); }

/* (chief, timeout) */
static napi_value do_wait_ready(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    int64_t timeout = js_get_integer(env, argv[1], CHIEF_FOREVER);
    return start_waiting(env, (waiting){.task = {.work = wait_ready}, .c = c, .timeout = timeout});
}

static int wait_state(task *t) {
    const waiting *w = (const waiting *)t;
    return chief_wait_state(w->c, w->name, w->state, w->timeout);
}

/* (chief, name, state, timeout) */
static napi_value do_wait_state(napi_env env, napi_callback_info info) {
    napi_value argv[4];
    chief *c = boss_args(env, info, argv, 4);
    if (c == NULL) return NULL;
    return start_waiting(env, (waiting){.task = {.work = wait_state},
                                        .c = c,
                                        .name = copy_name(env, argv[1]),
                                        .state = (chief_state_t)js_get_integer(env, argv[2], 0),
                                        .timeout = js_get_integer(env, argv[3], CHIEF_FOREVER)});
}

static int traceback(task *t) {
    waiting *w = (waiting *)t;
    const size_t size = 64 * 1024;
    w->text = malloc(size);
    if (w->text == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    return chief_traceback(w->c, w->name, w->text, size, NULL);
}

static napi_value show_text(task *t, napi_env env) { return js_text(env, ((waiting *)t)->text); }

/* (chief, name) */
static napi_value do_traceback(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    return start_waiting(
        env, (waiting){.task = {.work = traceback, .show = show_text}, .c = c, .name = copy_name(env, argv[1])});
}

/* (chief, context) */
static napi_value launch(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief_context *parent = NULL;
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    if (!js_is_missing(env, argv[1]) && (parent = js_object(env, argv[1], HANDLE_CONTEXT)) == NULL) return NULL;
    return js_result(env, chief_launch(c, parent));
}

static int join(task *t) { return chief_join(((waiting *)t)->c, CHIEF_FOREVER); }

static napi_value do_join(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? start_waiting(env, (waiting){.task = {.work = join}, .c = c}) : NULL;
}

static napi_value has_stopped(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_boolean(env, chief_has_stopped(c) != 0) : NULL;
}

/* (chief, why) */
static napi_value stop(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    const char *why = js_get_text(env, &a, argv[1]);
    int rc = why != NULL ? chief_stop_because(c, why) : chief_stop(c);
    arena_end(&a);
    return js_result(env, rc);
}

static napi_value force_stop(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_result(env, chief_force_stop(c)) : NULL;
}

static napi_value exit_code(napi_env env, napi_callback_info info) {
    napi_value argv[1];
    chief *c = boss_args(env, info, argv, 1);
    return c != NULL ? js_number(env, chief_exit_code(c)) : NULL;
}

void chief_define(napi_env env, napi_value exports) {
    static const export list[] = {{"chiefNew", make},           {"chiefFree", free_boss},
                                  {"initWorkers", do_init},     {"waitReady", do_wait_ready},
                                  {"waitState", do_wait_state}, {"traceback", do_traceback},
                                  {"launch", launch},           {"join", do_join},
                                  {"hasStopped", has_stopped},  {"stop", stop},
                                  {"forceStop", force_stop},    {"exitCode", exit_code}};
    define(env, exports, list, sizeof list / sizeof *list);
    boss_add_define(env, exports);
    boss_call_define(env, exports);
}
