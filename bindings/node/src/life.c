/*
 * life: one life of a worker in JavaScript. JavaScript runs in its own thread only, so the worker's thread serves it: it hands
 * init, run and fini over, does what they ask for meanwhile (request.c), and returns what they have come to. Where the
 * worker is a fiber that is a step at a time, and takes no thread while it waits.
 */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All lives of the process. Lock order: this, a host's, a life's. */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static member all; /* under all_lock */

/* ---- references ---- */

life *life_ref(life *l) {
    (void)pthread_mutex_lock(&l->lock);
    l->refs++;
    (void)pthread_mutex_unlock(&l->lock);
    return l;
}

static void free_life(life *l) {
    for (request *r = l->first; r != NULL;) {
        request *next = r->next;
        request_free(r);
        r = next;
    }
    chief_log_unref(l->log);
    chief_context_unref(l->context);
    (void)pthread_cond_destroy(&l->settled_cond);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->waits);
    free(l->args.data);
    free(l->reason);
    free(l->text);
    free(l->trace);
    free(l->name);
    host_unref(l->host);
    free(l);
}

void life_unref(void *object) {
    life *l = object;
    if (l == NULL) return;
    (void)pthread_mutex_lock(&l->lock);
    bool last = --l->refs == 0;
    (void)pthread_mutex_unlock(&l->lock);
    if (last) free_life(l);
}

void life_wake(life *l) {
    (void)pthread_cond_broadcast(&l->settled_cond);
    if (l->ctx != NULL) chief_wait_wake(l->ctx);
}

/* ---- in JavaScript's thread ---- */

/* What JavaScript gets at the beginning: name, generation, args, context, log. */
static void describe(napi_env env, const life *l, napi_value *argv) {
    argv[0] = js_text(env, l->name);
    argv[1] = js_number(env, (double)l->generation);
    argv[2] = l->args.len > 0 ? payload_show(env, (chief_bytes){l->args.data, l->args.len}, false) : js_undefined(env);
    argv[3] = context_handle(env, l->context);
    argv[4] = log_handle(env, l->log);
}

static napi_value handle_of(napi_env env, life *l) {
    napi_value handle;
    if (l->handle != NULL) return napi_get_reference_value(env, l->handle, &handle) == napi_ok ? handle : NULL;
    handle = js_handle(env, HANDLE_LIFE, life_ref(l), life_unref);
    if (handle == NULL) life_unref(l);
    else (void)napi_create_reference(env, handle, 1, &l->handle);
    return handle;
}

static void call_leader(napi_env env, life *l, const char *what, napi_value *more, size_t n) {
    napi_value argv[7] = {js_text(env, what), handle_of(env, l)};
    for (size_t i = 0; i < n; i++) argv[2 + i] = more[i];
    if (argv[1] != NULL) host_call(env, l->leader->lead, 2 + n, argv);
}

static void begin_part(post *p, napi_env env) {
    static const char *const names[] = {"init", "run", "fini", "over"};
    life *l = (life *)((char *)p - offsetof(life, begin));
    napi_value more[5];
    if (env != NULL && l->part == PART_INIT) describe(env, l, more);
    if (env != NULL) call_leader(env, l, names[l->part], more, l->part == PART_INIT ? 5 : 0);
    if (env != NULL && l->part == PART_OVER && l->handle != NULL) (void)napi_delete_reference(env, l->handle);
    life_unref(l);
}

void life_tell_cancel(post *p, napi_env env) {
    life *l = (life *)((char *)p - offsetof(life, cancel));
    napi_value reason = env != NULL ? js_text(env, l->reason != NULL ? l->reason : "cancelled") : NULL;
    if (env != NULL) call_leader(env, l, "cancel", &reason, 1);
    life_unref(l);
}

static char *copy_text(napi_env env, napi_value value) {
    arena a = {NULL};
    const char *text = js_get_text(env, &a, value);
    char *copy = text != NULL ? strdup(text) : NULL;
    arena_end(&a);
    return copy;
}

/* (life, failed, cancelled, text, traceback): the part is over. */
static napi_value life_settle(napi_env env, napi_callback_info info) {
    napi_value argv[5];
    if (!js_args(env, info, argv, 5)) return NULL;
    life *l = js_object(env, argv[0], HANDLE_LIFE);
    if (l == NULL) return NULL;
    char *text = copy_text(env, argv[3]), *trace = copy_text(env, argv[4]);
    (void)pthread_mutex_lock(&l->lock);
    l->settled = true;
    l->failed = js_get_boolean(env, argv[1]);
    l->cancelled = js_get_boolean(env, argv[2]);
    free(l->text);
    free(l->trace);
    l->text = text;
    l->trace = trace;
    life_wake(l);
    (void)pthread_mutex_unlock(&l->lock);
    return js_undefined(env);
}

static bool give(life *l, request *r) {
    (void)pthread_mutex_lock(&l->lock);
    bool open = l->ctx != NULL && !l->settled;
    bool first = l->first == NULL;
    if (open && first) l->first = r;
    else if (open) l->last->next = r;
    if (open) l->last = r;
    if (open && first) life_wake(l);
    (void)pthread_mutex_unlock(&l->lock);
    return open;
}

/* (life, kind, target, payload, timeout, max, raw) → promise */
static napi_value life_ask(napi_env env, napi_callback_info info) {
    napi_value argv[7], promise;
    if (!js_args(env, info, argv, 7)) return NULL;
    life *l = js_object(env, argv[0], HANDLE_LIFE);
    request *r = l != NULL ? request_new(env, argv + 1, &promise) : NULL;
    if (r == NULL) return NULL;
    atomic_store(&l->last_asked, (int)r->kind);
    if (give(l, r)) return promise;
    request_end(r, CHIEF_ECANCELED, "this life of the worker is over");
    request_finish(r);
    return promise;
}

bool life_hand_over(life *l, part which) {
    (void)pthread_mutex_lock(&l->lock);
    l->settled = false;
    l->refs++;
    bool open = !l->closing;
    (void)pthread_mutex_unlock(&l->lock);
    l->part = which;
    l->begin.run = begin_part;
    open = open && host_post(l->host, &l->begin);
    if (!open) life_unref(l);
    return open;
}

void life_define(napi_env env, napi_value exports) {
    static const export list[] = {{"lifeSettle", life_settle}, {"lifeAsk", life_ask}};
    define(env, exports, list, sizeof list / sizeof *list);
}

/* ---- in the worker's thread ---- */

static bool fill(life *l, leader *from, chief_worker *ctx) {
    chief_bytes args = chief_worker_args(ctx);
    l->refs = 1;
    atomic_init(&l->last_asked, -1);
    l->leader = from;
    l->host = host_ref(from->host);
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->settled_cond, NULL);
    l->ctx = ctx;
    l->log = chief_log_ref(chief_worker_log(ctx));
    l->context = chief_context_ref(chief_worker_context(ctx));
    l->generation = chief_worker_generation(ctx);
    l->name = strdup(chief_worker_name(ctx));
    if (args.len > 0) l->args.data = malloc(args.len);
    if (l->args.data != NULL) memcpy(l->args.data, args.data, args.len);
    if (l->args.data != NULL) l->args.len = args.len;
    return l->name != NULL && l->args.len == args.len;
}

static life *new_life(leader *from, chief_worker *ctx) {
    life *l = calloc(1, sizeof *l);
    if (l == NULL) return NULL;
    if (!fill(l, from, ctx)) {
        life_unref(l);
        return NULL;
    }
    (void)pthread_mutex_lock(&all_lock);
    l->closing = host_is_closing(l->host);
    member_add(&all, &l->member, l);
    (void)pthread_mutex_unlock(&all_lock);
    return l;
}

/* The worker's thread leaves it: nobody wakes it any more, and JavaScript forgets it. */
static void leave(life *l) {
    (void)pthread_mutex_lock(&all_lock);
    member_remove(&l->member);
    (void)pthread_mutex_unlock(&all_lock);
    (void)pthread_mutex_lock(&l->lock);
    l->ctx = NULL;
    (void)pthread_mutex_unlock(&l->lock);
    (void)life_hand_over(l, PART_OVER);
    life_unref(l);
}

/* ---- the callbacks ---- */

/* What failed in init has no fini. */
static int end_init(life *l, int rc) {
    if (rc != CHIEF_OK && rc != CHIEF_EAGAIN) leave(l);
    return rc;
}

static int init(chief_worker *ctx, void *data, void **instance) {
    int rc;
    life *l = new_life(data, ctx);
    if (l == NULL) return CHIEF_ENOMEM;
    while ((rc = life_step(l, ctx, PART_INIT)) == CHIEF_EAGAIN) chief_wait_park(ctx);
    if (rc == CHIEF_OK) *instance = l;
    return end_init(l, rc);
}

static int run(chief_worker *ctx, void *instance) {
    int rc;
    while ((rc = life_step(instance, ctx, PART_RUN)) == CHIEF_EAGAIN) chief_wait_park(ctx);
    return rc;
}

static int resume(chief_worker *ctx, void *data, void **instance, int32_t which) {
    if (which == CHIEF_PART_RUN) return life_step(*instance, ctx, PART_RUN);
    if (*instance == data) {
        life *l = new_life(data, ctx);
        if (l == NULL) return CHIEF_ENOMEM;
        *instance = l;
    }
    return end_init(*instance, life_step(*instance, ctx, PART_INIT));
}

static void fini(void *instance) {
    life *l = instance;
    if (life_hand_over(l, PART_FINI)) {
        (void)pthread_mutex_lock(&l->lock);
        while (!l->settled && !l->closing) (void)pthread_cond_wait(&l->settled_cond, &l->lock);
        (void)pthread_mutex_unlock(&l->lock);
    }
    leave(l);
}

static int restart_on_fail(void *data) {
    const leader *from = data;
    return from->restart_on_fail;
}

/* The life whose worker this is, with a reference; NULL: none. */
static life *find(const chief_worker *ctx) {
    life *found = NULL;
    (void)pthread_mutex_lock(&all_lock);
    for (member *m = all.next; m != NULL && found == NULL; m = m->next) {
        life *l = m->object;
        (void)pthread_mutex_lock(&l->lock);
        if (l->ctx == ctx) found = l;
        if (l->ctx == ctx) l->refs++;
        (void)pthread_mutex_unlock(&l->lock);
    }
    (void)pthread_mutex_unlock(&all_lock);
    return found;
}

/* JavaScript can't be interrupted, but each call of chief's that it waits for fails, and so does each further one. */
static void interrupt(chief_worker *ctx, void *instance) {
    life *l = find(ctx);
    (void)instance;
    if (l == NULL) return;
    (void)pthread_mutex_lock(&l->lock);
    l->interrupted = true;
    life_wake(l);
    (void)pthread_mutex_unlock(&l->lock);
    life_unref(l);
}

static size_t look(chief_worker *ctx, char *buf, size_t size, int64_t timeout_ms) {
    life *l = find(ctx);
    (void)timeout_ms;
    if (l == NULL) return 0;
    int last = atomic_load(&l->last_asked);
    const char *what = last >= 0 ? request_kind_name((request_kind)last) : NULL;
    int len = what != NULL ? snprintf(buf, size, "in JavaScript; the last call was %s", what)
                           : snprintf(buf, size, "in JavaScript; it has called nothing of chief's yet");
    life_unref(l);
    return len > 0 ? (size_t)len : 0;
}

void lives_close(host *h) {
    (void)pthread_mutex_lock(&all_lock);
    for (member *m = all.next; m != NULL; m = m->next) {
        life *l = m->object;
        if (l->host != h) continue;
        (void)pthread_mutex_lock(&l->lock);
        l->closing = true;
        life_wake(l);
        (void)pthread_mutex_unlock(&l->lock);
    }
    (void)pthread_mutex_unlock(&all_lock);
}

/* ---- added ---- */

static void leader_gone(post *p, napi_env env) {
    leader *from = (leader *)((char *)p - offsetof(leader, gone));
    if (env != NULL) (void)napi_delete_reference(env, from->lead);
    host_unref(from->host);
    free(from);
}

/* No life can use it any more. */
static void destroy(void *data) {
    leader *from = data;
    from->gone.run = leader_gone;
    host_bury(from->host, &from->gone);
}

static leader *new_leader(napi_env env, napi_value lead, int restart) {
    leader *from = calloc(1, sizeof *from);
    if (from == NULL) return NULL;
    if (napi_create_reference(env, lead, 1, &from->lead) != napi_ok) {
        free(from);
        return NULL;
    }
    from->host = host_ref(host_of(env));
    from->restart_on_fail = restart;
    return from;
}

int life_add_worker(napi_env env, chief *c, const char *name, napi_value lead, int restart,
                    chief_worker_options *options) {
    static const chief_worker_ops ops = {.size = sizeof ops,
                                         .init = init,
                                         .run = run,
                                         .fini = fini,
                                         .restart_on_fail = restart_on_fail,
                                         .interrupt = interrupt,
                                         .look = look};
    static const chief_fiber_ops fiber = {.size = sizeof fiber, .resume = resume};
    leader *from = new_leader(env, lead, restart);
    if (from == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    options->destroy = destroy;
    if (options->isolation == CHIEF_FIBER) options->fiber = &fiber;
    int rc = chief_add_worker_with(c, name, &ops, from, options);
    if (rc != CHIEF_OK) leader_gone(&from->gone, env);
    return rc;
}
