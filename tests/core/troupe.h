/*
 * troupe: a chief whose workers are actors (tests/plugins/actor.c) in threads, fibers or processes, what they said in the
 * log, and what was told of them in events. For tests of processes.
 */
#ifndef CHIEF_TEST_TROUPE_H
#define CHIEF_TEST_TROUPE_H

#include "support.h"

#define TROUPE_SAID ((size_t)256 * 1024)

typedef struct troupe {
    chief *c;
    chief_log *log;
    chief__mutex lock;
    char said[TROUPE_SAID]; /* under lock: "worker: message\n" of each record */
    size_t len;
} troupe;

/* How an actor is added. */
typedef struct troupe_part {
    const char *name;
    const char *args;
    int32_t isolation;
    chief_worker_options options;
    chief_restart restart;
} troupe_part;

static inline const char *troupe_field(const chief_record *r, const char *key, int *len) {
    *len = 0;
    for (size_t i = 0; i < r->n_fields; i++)
        if (strcmp(r->fields[i].key, key) == 0 && r->fields[i].value.type == CHIEF_BYTES) {
            *len = (int)r->fields[i].value.bytes.len;
            return r->fields[i].value.bytes.data;
        }
    return "";
}

static inline void troupe_note(void *data, const chief_record *r) {
    troupe *t = data;
    int len;
    const char *worker = troupe_field(r, "worker", &len);
    chief__lock(&t->lock);
    int n = snprintf(t->said + t->len, TROUPE_SAID - t->len, "%.*s: %s\n", len, worker, r->message);
    if (n > 0 && (size_t)n < TROUPE_SAID - t->len) t->len += (size_t)n;
    chief__unlock(&t->lock);
}

static inline void troupe_begin(troupe *t, const chief_options *options) {
    chief_log_options log = {.size = sizeof log, .sink = troupe_note, .data = t, .level = CHIEF_INFO};
    chief_options o = {.size = sizeof o, .event_capacity = 65536, .seed = 1};
    if (options != NULL) o = *options;
    support_spare_children();
    memset(t, 0, sizeof *t);
    chief__mutex_init(&t->lock);
    assert_int_equal(chief_log_new(&t->log, &log), CHIEF_OK);
    o.log = t->log;
    assert_int_equal(chief_new(&t->c, &o), CHIEF_OK);
}

static inline void troupe_end(troupe *t) {
    chief_free(t->c);
    chief_log_unref(t->log);
}

/* A fiber that does what an actor in a thread does, and blocks where that does. */
static inline int troupe_resume(chief_worker *w, void *data, void **instance, int32_t part) {
    const chief_worker_ops *of = data;
    return part == CHIEF_PART_INIT ? of->init(w, data, instance) : of->run(w, *instance);
}

static inline int troupe_add_fiber(troupe *t, const char *name, chief_worker_options *o) {
    static chief_worker_ops actor = {.size = sizeof actor};
    static const chief_fiber_ops fiber = {.size = sizeof fiber, .resume = troupe_resume};
    int rc = chief_load_plugin(CHIEF_TEST_ACTOR, &actor);
    o->fiber = &fiber;
    return rc == CHIEF_OK ? chief_add_worker_with(t->c, name, &actor, &actor, o) : rc;
}

static inline void troupe_add(troupe *t, const troupe_part *part) {
    chief_worker_options o = part->options;
    chief_restart restart = part->restart;
    o.size = sizeof o;
    o.isolation = part->isolation;
    o.args = (chief_bytes){part->args, strlen(part->args)};
    restart.size = sizeof restart;
    if (restart.policy != 0) o.restart = &restart;
    int rc = part->isolation == CHIEF_FIBER ? troupe_add_fiber(t, part->name, &o)
                                            : chief_add_plugin(t->c, part->name, CHIEF_TEST_ACTOR, &o);
    if (rc != CHIEF_OK) fail_msg("%s: %s", part->name, chief_last_error());
}

/* One in a process that is not restarted. */
static inline void troupe_process(troupe *t, const char *name, const char *args) {
    troupe_part part = {.name = name, .args = args, .isolation = CHIEF_PROCESS};
    troupe_add(t, &part);
}

static inline void troupe_start(troupe *t) {
    assert_int_equal(chief_init_workers(t->c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(t->c, NULL), CHIEF_OK);
}

static inline void troupe_stop(troupe *t) {
    assert_int_equal(chief_stop(t->c), CHIEF_OK);
    (void)chief_join(t->c, support_ms(30000));
}

typedef struct troupe_wanted {
    troupe *t;
    const char *text;
} troupe_wanted;

static inline bool troupe_has(void *data) {
    const troupe_wanted *w = data;
    chief__lock(&w->t->lock);
    bool found = strstr(w->t->said, w->text) != NULL;
    chief__unlock(&w->t->lock);
    return found;
}

/* Waits until the log has it. */
static inline void troupe_says(troupe *t, const char *text) {
    troupe_wanted w = {t, text};
    if (!support_until(troupe_has, &w, 10000)) fail_msg("nobody said \"%s\"; said was:\n%s", text, t->said);
}

static inline bool troupe_said(troupe *t, const char *text) {
    troupe_wanted w = {t, text};
    return troupe_has(&w);
}

/* The state, reason and last error of a worker as a text: "failed error boom". */
static inline const char *troupe_status(troupe *t, const char *name, char *buf, size_t size) {
    chief_snapshot *snapshot;
    char state[32];
    assert_int_equal(chief_states(t->c, &snapshot), CHIEF_OK);
    const chief_worker_status *s = chief_snapshot_find(snapshot, name);
    assert_non_null(s);
    (void)chief_state_to_string(s->state, state, sizeof state);
    (void)snprintf(buf, size, "%s %s %s", state, chief_reason_name(s->reason), s->error);
    chief_snapshot_free(snapshot);
    return buf;
}

typedef struct troupe_becomes {
    troupe *t;
    const char *name;
    chief_state_t state;
} troupe_becomes;

static inline bool troupe_is(void *data) {
    const troupe_becomes *b = data;
    return chief_pool_get_state(chief_get_pool(b->t->c), b->name) == b->state;
}

static inline void troupe_await(troupe *t, const char *name, chief_state_t state) {
    char buf[512];
    troupe_becomes b = {t, name, state};
    if (!support_until(troupe_is, &b, 15000))
        fail_msg("%s is %s, and not in state %d", name, troupe_status(t, name, buf, sizeof buf), (int)state);
}

static inline void troupe_status_is(troupe *t, const char *name, const char *wanted) {
    char buf[512];
    assert_string_equal(troupe_status(t, name, buf, sizeof buf), wanted);
}

#endif
