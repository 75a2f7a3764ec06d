/*
 * nested: a chief as a worker of another one. The outer chief sees a worker like every other; its life makes an inner chief,
 * runs it to its end and frees it. The inner one watches the life's context, so that the outer's stop is its own.
 */
#include "nested.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "run.h"

/* What `interrupt` is given is one of the two: the worker's data until its init has returned, then its instance. */
typedef enum kind { KIND_NEST, KIND_INNER } kind;

typedef struct nest nest;

/* One life. */
typedef struct inner {
    kind kind;
    nest *of;
    chief_worker *life; /* the home is alive as long as this */
    chief *c;
    struct inner *next; /* under the nest's lock */
} inner;

/* One worker, with all its replicas. */
struct nest {
    kind kind;
    chief_chief_maker make;
    void *data;
    chief_destructor destroy;
    chief__mutex lock;
    inner *lives; /* under lock: those that can be looked at */
};

/* ---- a life ---- */

static int make(chief_worker *ctx, void *data, void **instance) {
    nest *n = data;
    inner *i = chief__calloc(1, sizeof *i);
    if (i == NULL) return chief__fail_code(CHIEF_ENOMEM);
    *i = (inner){.kind = KIND_INNER, .of = n, .life = ctx};
    int rc = n->make(ctx, n->data, &i->c);
    if (rc == CHIEF_OK && i->c == NULL) rc = chief__fail(CHIEF_EINVAL, "no chief was made");
    if (rc == CHIEF_OK) rc = chief__nest_into(i->c, ctx);
    if (rc != CHIEF_OK) {
        chief_worker_set_error(ctx, CHIEF_REASON_INIT_ERROR, chief_last_error(), NULL);
        chief_free(i->c);
        chief__free(i);
        return rc;
    }
    chief__lock(&n->lock);
    i->next = n->lives;
    n->lives = i;
    chief__unlock(&n->lock);
    *instance = i;
    return CHIEF_OK;
}

/* The outer chief's logger, which does not name this worker as the one whose words these are. */
static int make_log(chief_log **out, chief_worker *ctx) {
    chief_value held = {0};
    int rc = chief_context_get(chief_worker_context(ctx), CHIEF_CTX_KEY_LOG, &held);
    chief_log *log = rc == CHIEF_OK && held.type == CHIEF_POINTER ? held.pointer : chief_worker_log(ctx);
    const char *name = chief_worker_name(ctx);
    chief_field field = {.key = "chief", .value = {.type = CHIEF_BYTES}};
    field.value.bytes = (chief_bytes){name, strlen(name)};
    rc = chief_log_with_fields(out, log, &field, 1);
    chief_value_clear(&held);
    return rc;
}

/* Ready when all inside are; over when the inner chief is. */
static int lead(chief_worker *ctx, chief *c) {
    chief_log *log;
    int rc = chief_set_exit_when_done(c, 1);
    if (rc == CHIEF_OK) rc = make_log(&log, ctx);
    if (rc != CHIEF_OK) return rc;
    rc = chief__init_workers_begin(c, log);
    chief_log_unref(log);
    if (rc == CHIEF_OK) rc = chief_launch(c, chief_worker_context(ctx));
    if (rc != CHIEF_OK) return rc;
    if (chief_wait_ready(c, CHIEF_FOREVER) == CHIEF_OK) chief_worker_ready(ctx);
    return chief_join(c, CHIEF_FOREVER);
}

static int run(chief_worker *ctx, void *instance) {
    chief *c = ((inner *)instance)->c;
    int rc = lead(ctx, c);
    if (rc == CHIEF_OK) return rc;
    chief_worker_set_error(ctx, CHIEF_REASON_ERROR, chief_last_error(), NULL);
    if (chief_exit_code(c) > 0) chief_worker_set_exit_code(ctx, chief_exit_code(c));
    return rc;
}

static void fini(void *instance) {
    inner *i = instance;
    nest *n = i->of;
    chief__lock(&n->lock);
    inner **at = &n->lives;
    while (*at != i) at = &(*at)->next;
    *at = i->next;
    chief__unlock(&n->lock);
    chief_free(i->c);
    chief__free(i);
}

/* One whose maker does not return can't be ended. */
static void interrupt(chief_worker *ctx, void *reach) {
    (void)ctx;
    if (reach == NULL || *(kind *)reach != KIND_INNER) return;
    (void)chief_force_stop(((inner *)reach)->c);
}

static void destroy(void *data) {
    nest *n = data;
    if (n->destroy != NULL) n->destroy(n->data);
    chief__mutex_fini(&n->lock);
    chief__free(n);
}

static const chief_worker_ops ops = {
    .size = sizeof ops, .init = make, .run = run, .fini = fini, .interrupt = interrupt};

bool chief__is_nest(const chief__unit *unit) { return unit->ops.run == run; }

/* ---- for the outer chief's host ---- */

int chief_add_chief(chief *c, const char *name, chief_chief_maker maker, void *data,
                    const chief_worker_options *options) {
    chief_worker_options o;
    int rc = chief__check(c);
    if (rc == CHIEF_OK && maker == NULL) rc = chief__fail_code(CHIEF_EINVAL);
    if (rc == CHIEF_OK) rc = chief__options_read(&o, sizeof o, options, "chief_worker_options");
    if (rc != CHIEF_OK) return rc;
    if (o.isolation > CHIEF_THREAD || o.schedule != NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: a nested chief runs in a thread, all the time", name);
    nest *n = chief__calloc(1, sizeof *n);
    if (n == NULL) return chief__fail_code(CHIEF_ENOMEM);
    *n = (nest){.kind = KIND_NEST, .make = maker, .data = data, .destroy = o.destroy};
    chief__mutex_init(&n->lock);
    o.size = sizeof o;
    o.flags |= CHIEF_WORKER_SAYS_READY;
    o.destroy = destroy;
    rc = chief_add_worker_with(c, name, &ops, n, &o);
    if (rc != CHIEF_OK) {
        n->destroy = NULL; /* what could not be added stays the caller's */
        destroy(n);
    }
    return rc;
}

typedef struct sought {
    const char *name;
    bool is_chief;
    chief *found; /* the inner chief of a life, held; NULL: none lives */
} sought;

/* With the lock of the outer chief's pool, from which a worker goes before its data does. */
static void hold(void *to, const chief_worker_ops *got, void *data) {
    sought *s = to;
    nest *n = data;
    s->is_chief = got->run == run;
    if (!s->is_chief) return;
    chief__lock(&n->lock);
    for (inner *i = n->lives; i != NULL && s->found == NULL; i = i->next)
        if (strcmp(chief_worker_name(i->life), s->name) == 0) s->found = chief__ref(i->c);
    chief__unlock(&n->lock);
}

int chief_nested_states(chief *c, const char *name, chief_snapshot **out) {
    sought s = {.name = name};
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (!chief__pool_visit(c->pool, name, hold, &s)) return chief__unknown_name(c, name);
    if (!s.is_chief) return chief__fail(CHIEF_EINVAL, "worker %s is no chief", name);
    if (s.found == NULL) return chief__fail(CHIEF_EAGAIN, "worker %s does not run", name);
    rc = chief_states(s.found, out);
    chief__unref(s.found);
    return rc;
}
