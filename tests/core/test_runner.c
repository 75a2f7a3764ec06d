/* Running a worker in the caller's thread: init, run_exec, and who may not do so at the same time. */
#include "support.h"

#include "pool.h"

/* What a worker of these tests does and saw. */
typedef struct story {
    int init_rc, run_rc;
    bool says_why;          /* by chief_worker_set_error */
    support_gate *in, *out; /* NULL: it goes on at once */
    support_gate *in_init;  /* the same for init */
    support_gate *out_init;
    int inits, runs, finis;
    uint64_t generation;
    char name[16];
    char greeting[16]; /* a value of its context */
} story;

static int tell_init(chief_worker *ctx, void *data, void **instance) {
    story *s = data;
    chief_value value = {0};
    s->inits++;
    s->generation = chief_worker_generation(ctx);
    (void)snprintf(s->name, sizeof s->name, "%s", chief_worker_name(ctx));
    if (chief_context_get(chief_worker_context(ctx), "greeting", &value) == CHIEF_OK)
        (void)snprintf(s->greeting, sizeof s->greeting, "%.*s", (int)value.bytes.len, (const char *)value.bytes.data);
    chief_value_clear(&value);
    if (s->in_init != NULL) support_gate_open(s->in_init);
    if (s->out_init != NULL) (void)support_gate_pass(s->out_init);
    if (s->init_rc != 0 && s->says_why) chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "no database", NULL);
    *instance = &s->inits;
    return s->init_rc;
}

static story *story_of(void *instance) { return (story *)(void *)((char *)instance - offsetof(story, inits)); }

static int tell_run(chief_worker *ctx, void *instance) {
    story *s = story_of(instance);
    s->runs++;
    chief_log_write(chief_worker_log(ctx), CHIEF_INFO, "running", NULL, 0);
    if (s->in != NULL) support_gate_open(s->in);
    if (s->out != NULL) (void)support_gate_pass(s->out);
    if (s->run_rc != 0 && s->says_why) chief_worker_set_error(ctx, CHIEF_REASON_LUA_ERROR, "x.lua:3: broken", "in run");
    return s->run_rc;
}

static void tell_fini(void *instance) { story_of(instance)->finis++; }

static const chief_worker_ops ops = {.size = sizeof ops, .init = tell_init, .run = tell_run, .fini = tell_fini};

/* Set by the tests that look at the log; the default one would write to stderr. */
static char logged[128];

static void note_log(void *data, const chief_record *r) {
    (void)data;
    int len = snprintf(logged, sizeof logged, "%s", r->message);
    for (size_t i = 0; i < r->n_fields; i++)
        len += snprintf(logged + len, sizeof logged - (size_t)len, " %s=%.*s", r->fields[i].key,
                        (int)r->fields[i].value.bytes.len, (const char *)r->fields[i].value.bytes.data);
}

static void drop_log(void *log) { chief_log_unref(log); }

static int make_log(chief_log **out) {
    chief_log_options options = {.size = sizeof options, .sink = note_log};
    return chief_log_new(out, &options);
}

/* A context with the logger above and a greeting. */
static int make_context(chief_context **out) {
    chief_value log = {.type = CHIEF_POINTER, .destroy = drop_log};
    chief_value greeting = {.type = CHIEF_BYTES, .bytes = {"hello", 5}};
    chief_log *made = NULL;
    int rc = chief_context_new(out, NULL);
    if (rc == CHIEF_OK) rc = make_log(&made);
    log.pointer = made;
    if (rc == CHIEF_OK) rc = chief_context_set(*out, CHIEF_CTX_KEY_LOG, &log);
    if (rc != CHIEF_OK) chief_log_unref(made);
    if (rc == CHIEF_OK) rc = chief_context_set(*out, "greeting", &greeting);
    return rc;
}

typedef struct scene {
    chief_pool *pool;
    chief_context *context;
    story story;
} scene;

/* One enabled worker `a`. */
static void begin(scene *s) {
    memset(s, 0, sizeof *s);
    chief_log *log = NULL;
    assert_int_equal(make_context(&s->context), CHIEF_OK);
    assert_int_equal(chief_pool_new(&s->pool), CHIEF_OK);
    assert_int_equal(make_log(&log), CHIEF_OK);
    assert_int_equal(chief_pool_set_log(s->pool, log), CHIEF_OK);
    chief_log_unref(log);
    assert_int_equal(chief_pool_set_worker(s->pool, "a", &ops, &s->story), CHIEF_OK);
    assert_int_equal(chief_pool_enable(s->pool, "a"), CHIEF_WORKER_ENABLED);
}

static void end(scene *s) {
    chief_pool_free(s->pool);
    chief_context_unref(s->context);
    assert_int_equal(s->story.finis, s->story.init_rc != 0 ? 0 : s->story.inits);
}

static chief_state_t init(scene *s) { return chief_pool_init(s->pool, "a", s->context); }

static chief_state_t state_of(scene *s) { return chief_pool_get_state(s->pool, "a"); }

/* What the snapshot says about a: its reason, error and traceback. */
static void expect_failure(scene *s, int32_t reason, const char *error, const char *traceback) {
    chief_snapshot *snapshot = NULL;
    assert_int_equal(chief_pool_states(s->pool, &snapshot), CHIEF_OK);
    const chief_worker_status *a = chief_snapshot_at(snapshot, 0);
    assert_int_equal(a->state, CHIEF_WORKER_FAILED);
    assert_int_equal(a->reason, reason);
    assert_string_equal(a->error, error);
    assert_string_equal(a->traceback, traceback);
    chief_snapshot_free(snapshot);
}

/* ---- a life ---- */

static void test_runner__a_clean_life(void **state) {
    (void)state;
    scene s;
    begin(&s);
    assert_int_equal(init(&s), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(state_of(&s), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(s.story.finis, 0);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_OK);
    assert_int_equal(state_of(&s), CHIEF_WORKER_STOPPED);
    assert_int_equal(s.story.inits, 1);
    assert_int_equal(s.story.runs, 1);
    assert_int_equal(s.story.finis, 1);
    end(&s);
}

static void test_runner__what_a_worker_finds(void **state) {
    (void)state;
    scene s;
    begin(&s);
    (void)init(&s);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_OK);
    assert_string_equal(s.story.name, "a");
    assert_string_equal(s.story.greeting, "hello");
    assert_int_equal(s.story.generation, 1);
    assert_string_equal(logged, "running worker=a");
    (void)init(&s);
    assert_int_equal(s.story.generation, 2);
    end(&s);
}

static void test_runner__every_transition_has_its_number(void **state) {
    (void)state;
    scene s;
    chief_snapshot *snapshot = NULL;
    begin(&s);
    (void)init(&s);
    (void)chief_pool_run_exec(s.pool, "a");
    assert_int_equal(chief_pool_states(s.pool, &snapshot), CHIEF_OK);
    assert_int_equal(chief_snapshot_seq(snapshot), 5); /* present, enabled, initialized, run, stopped */
    chief_snapshot_free(snapshot);
    end(&s);
}

/* ---- what it sees of its pool ---- */

typedef struct witness {
    chief_worker *ctx;
    chief_state_t in_init, in_run, in_fini; /* its own state as it saw it there */
} witness;

static chief_state_t own_state(chief_worker *ctx) {
    chief_snapshot *snapshot = NULL;
    assert_int_equal(chief_worker_states(ctx, &snapshot), CHIEF_OK);
    chief_state_t state = chief_snapshot_find(snapshot, chief_worker_name(ctx))->state;
    chief_snapshot_free(snapshot);
    return state;
}

static int witness_init(chief_worker *ctx, void *data, void **instance) {
    witness *w = data;
    w->ctx = ctx;
    w->in_init = own_state(ctx);
    *instance = w;
    return 0;
}

static int witness_run(chief_worker *ctx, void *instance) {
    ((witness *)instance)->in_run = own_state(ctx);
    return 0;
}

static void witness_fini(void *instance) {
    witness *w = instance;
    w->in_fini = own_state(w->ctx);
}

static const chief_worker_ops witness_ops = {
    .size = sizeof witness_ops, .init = witness_init, .run = witness_run, .fini = witness_fini};

static void test_runner__a_worker_sees_the_states_of_its_pool(void **state) {
    (void)state;
    scene s;
    witness w = {0};
    begin(&s);
    assert_int_equal(chief_pool_set_worker(s.pool, "w", &witness_ops, &w), CHIEF_OK);
    (void)chief_pool_enable(s.pool, "w");
    assert_int_equal(chief_pool_init(s.pool, "w", s.context), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(chief_pool_run_exec(s.pool, "w"), CHIEF_OK);
    assert_int_equal(w.in_init, CHIEF_WORKER_ENABLED);
    assert_int_equal(w.in_run, CHIEF_WORKER_RUN);
    assert_int_equal(w.in_fini, CHIEF_WORKER_RUN);
    end(&s);
}

/* The one that never ran holds the pool it is in, and still sees it whole when that is freed. */
static void test_runner__an_instance_that_never_ran_goes_with_its_pool(void **state) {
    (void)state;
    support_heap heap;
    support_heap_begin(&heap, 0);
    scene s;
    witness w = {0};
    begin(&s);
    assert_int_equal(chief_pool_set_worker(s.pool, "w", &witness_ops, &w), CHIEF_OK);
    (void)chief_pool_enable(s.pool, "w");
    assert_int_equal(chief_pool_init(s.pool, "w", s.context), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(init(&s), CHIEF_WORKER_INITIALIZED);
    end(&s);
    assert_int_equal(w.in_fini, CHIEF_WORKER_INITIALIZED);
    support_heap_end(&heap);
}

static int run_data(chief_worker *ctx, void *instance) {
    (void)ctx;
    return *(int *)instance;
}

static void test_runner__without_init_the_data_is_the_instance(void **state) {
    (void)state;
    const chief_worker_ops plain = {.size = sizeof plain, .run = run_data};
    int answer = 5;
    scene s;
    begin(&s);
    assert_int_equal(chief_pool_set_worker(s.pool, "b", &plain, &answer), CHIEF_OK);
    (void)chief_pool_enable(s.pool, "b");
    assert_int_equal(chief_pool_init(s.pool, "b", s.context), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(chief_pool_run_exec(s.pool, "b"), CHIEF_EFAILED);
    support_says("worker b: run returned 5");
    end(&s);
}

/* ---- failures ---- */

static void test_runner__a_failing_run(void **state) {
    (void)state;
    scene s;
    begin(&s);
    s.story.run_rc = 3;
    (void)init(&s);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_EFAILED);
    assert_string_equal(chief_last_error(), "worker a: run returned 3");
    expect_failure(&s, CHIEF_REASON_ERROR, "run returned 3", "");
    assert_int_equal(s.story.finis, 1);
    end(&s);
}

static void test_runner__a_run_that_says_why(void **state) {
    (void)state;
    scene s;
    begin(&s);
    s.story.run_rc = 1;
    s.story.says_why = true;
    (void)init(&s);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_EFAILED);
    assert_string_equal(chief_last_error(), "worker a: x.lua:3: broken");
    expect_failure(&s, CHIEF_REASON_LUA_ERROR, "x.lua:3: broken", "in run");
    end(&s);
}

static void test_runner__a_failing_init_runs_nothing(void **state) {
    (void)state;
    scene s;
    begin(&s);
    s.story.init_rc = 2;
    s.story.says_why = true;
    assert_int_equal(init(&s), CHIEF_EFAILED);
    assert_string_equal(chief_last_error(), "worker a: no database");
    expect_failure(&s, CHIEF_REASON_INIT_ERROR, "no database", "");
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_ENOTINIT);
    assert_int_equal(s.story.runs, 0);
    end(&s);
}

static void test_runner__a_failed_worker_is_initialised_anew(void **state) {
    (void)state;
    scene s;
    begin(&s);
    s.story.run_rc = 1;
    (void)init(&s);
    (void)chief_pool_run_exec(s.pool, "a");
    s.story.run_rc = 0;
    assert_int_equal(init(&s), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_OK);
    assert_int_equal(s.story.inits, 2);
    assert_int_equal(s.story.runs, 2);
    end(&s);
}

/* ---- what is refused ---- */

static void test_runner__run_needs_an_init(void **state) {
    (void)state;
    for (chief_state_t from = CHIEF_WORKER_NULL; from <= CHIEF_WORKER_FAILED; from++) {
        scene s;
        begin(&s);
        (void)chief_pool_set_state(s.pool, "a", from); /* also to initialized: by word alone nothing can run */
        assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_ENOTINIT);
        assert_string_equal(chief_last_error(), "worker a is not initialized");
        assert_int_equal(state_of(&s), from);
        end(&s);
    }
}

static void test_runner__init_follows_the_table(void **state) {
    (void)state;
    for (chief_state_t from = CHIEF_WORKER_NULL; from <= CHIEF_WORKER_FAILED; from++) {
        scene s;
        begin(&s);
        (void)chief_pool_set_state(s.pool, "a", from);
        chief_state_t expected = chief_state_transition(from, CHIEF_WORKER_INITIALIZED);
        assert_int_equal(init(&s), expected);
        assert_int_equal(s.story.inits, expected > 0);
        assert_int_equal(state_of(&s), expected > 0 ? CHIEF_WORKER_INITIALIZED : from);
        end(&s);
    }
}

static void test_runner__unknown_names_and_no_pool(void **state) {
    (void)state;
    scene s;
    begin(&s);
    assert_int_equal(chief_pool_init(s.pool, "b", NULL), CHIEF_ENOENT);
    assert_int_equal(chief_pool_run_exec(s.pool, "b"), CHIEF_ENOENT);
    assert_int_equal(chief_pool_init(NULL, "a", NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_run_exec(NULL, "a"), CHIEF_EINVAL);
    chief__pool_own(s.pool);
    assert_int_equal(init(&s), CHIEF_EBUSY);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_EBUSY);
    end(&s);
}

/* ---- instances nobody ran ---- */

static void test_runner__a_freed_pool_ends_what_was_initialised(void **state) {
    (void)state;
    scene s;
    begin(&s);
    (void)init(&s);
    end(&s);
    assert_int_equal(s.story.runs, 0);
    assert_int_equal(s.story.finis, 1);
}

static void test_runner__a_new_init_ends_the_one_before(void **state) {
    (void)state;
    scene s;
    begin(&s);
    (void)init(&s);
    assert_int_equal(chief_pool_disable(s.pool, "a"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_pool_enable(s.pool, "a"), CHIEF_WORKER_ENABLED);
    assert_int_equal(init(&s), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(s.story.inits, 2);
    assert_int_equal(s.story.finis, 1);
    end(&s);
}

/* ---- several threads ---- */

typedef struct call {
    scene *scene;
    bool init;
    int rc;
} call;

static void make_call(void *data) {
    call *c = data;
    c->rc = c->init ? init(c->scene) : chief_pool_run_exec(c->scene->pool, "a");
}

static void test_runner__init_and_run_in_different_threads(void **state) {
    (void)state;
    scene s;
    chief__thread thread;
    begin(&s);
    for (int round = 0; round < 3; round++) {
        call first = {&s, true, 0};
        call second = {&s, false, 0};
        support_thread(&thread, make_call, &first);
        chief__thread_join(&thread);
        assert_int_equal(first.rc, CHIEF_WORKER_INITIALIZED);
        support_thread(&thread, make_call, &second);
        chief__thread_join(&thread);
        assert_int_equal(second.rc, CHIEF_OK);
    }
    end(&s);
}

/* Calls in a thread that stops inside the worker; what `meanwhile` does happens then. */
static int while_inside(scene *s, bool in_init, void (*meanwhile)(scene *s)) {
    support_gate in;
    support_gate out;
    call c = {s, in_init, 0};
    chief__thread thread;
    support_gate_init(&in);
    support_gate_init(&out);
    *(in_init ? &s->story.in_init : &s->story.in) = &in;
    *(in_init ? &s->story.out_init : &s->story.out) = &out;
    support_thread(&thread, make_call, &c);
    assert_true(support_gate_pass(&in));
    meanwhile(s);
    support_gate_open(&out);
    chief__thread_join(&thread);
    s->story.in_init = s->story.out_init = s->story.in = s->story.out = NULL;
    support_gate_fini(&in);
    support_gate_fini(&out);
    return c.rc;
}

static void both_are_busy(scene *s) {
    chief_state_t before = state_of(s);
    assert_int_equal(init(s), CHIEF_EBUSY);
    support_says("run by another thread");
    assert_int_equal(chief_pool_run_exec(s->pool, "a"), CHIEF_EBUSY);
    assert_int_equal(state_of(s), before);
}

static void test_runner__never_two_at_once(void **state) {
    (void)state;
    scene s;
    begin(&s);
    assert_int_equal(while_inside(&s, true, both_are_busy), CHIEF_WORKER_INITIALIZED);
    assert_int_equal(while_inside(&s, false, both_are_busy), CHIEF_OK);
    assert_int_equal(s.story.inits, 1);
    assert_int_equal(s.story.runs, 1);
    end(&s);
}

/* Nothing is locked while a worker's code runs. */
static void the_pool_answers(scene *s) {
    chief_snapshot *snapshot = NULL;
    assert_int_equal(chief_pool_set_worker(s->pool, "late", &ops, &s->story), CHIEF_OK);
    assert_int_equal(chief_pool_states(s->pool, &snapshot), CHIEF_OK);
    assert_int_equal(chief_snapshot_len(snapshot), 2);
    chief_snapshot_free(snapshot);
}

static void test_runner__the_pool_answers_during_init(void **state) {
    (void)state;
    scene s;
    begin(&s);
    assert_int_equal(while_inside(&s, true, the_pool_answers), CHIEF_WORKER_INITIALIZED);
    end(&s);
}

static void disable_it(scene *s) { assert_int_equal(chief_pool_disable(s->pool, "a"), CHIEF_WORKER_DISABLED); }

static void test_runner__a_worker_disabled_during_its_init_stays_so(void **state) {
    (void)state;
    scene s;
    begin(&s);
    assert_int_equal(while_inside(&s, true, disable_it), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_string_equal(logged,
                        "wrong state change worker=a error=worker a: disabled to initialized is not a legal change");
    assert_int_equal(state_of(&s), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_pool_run_exec(s.pool, "a"), CHIEF_ENOTINIT);
    end(&s);
}

static void stop_it(scene *s) { assert_int_equal(chief_pool_stop(s->pool, "a"), CHIEF_WORKER_STOPPED); }

static void fail_it(scene *s) { assert_int_equal(chief_pool_fail(s->pool, "a"), CHIEF_WORKER_FAILED); }

static void test_runner__verbs_during_a_run(void **state) {
    (void)state;
    scene s;
    begin(&s);
    (void)init(&s);
    assert_int_equal(while_inside(&s, false, stop_it), CHIEF_OK);
    assert_int_equal(state_of(&s), CHIEF_WORKER_STOPPED);
    (void)init(&s);
    assert_int_equal(while_inside(&s, false, fail_it), CHIEF_OK);
    assert_int_equal(state_of(&s), CHIEF_WORKER_STOPPED);
    end(&s);
}

/* ---- memory ---- */

static int oom_run_rc;

/* A life from an empty pool to its end; a failure that was asked for counts as success. */
static int live_once(void) {
    static story told;
    chief_pool *pool = NULL;
    chief_context *context = NULL;
    memset(&told, 0, sizeof told);
    told.run_rc = oom_run_rc;
    told.says_why = true;
    int rc = make_context(&context);
    if (rc == CHIEF_OK) rc = chief_pool_new(&pool);
    if (rc == CHIEF_OK) rc = chief_pool_set_worker(pool, "a", &ops, &told);
    if (rc == CHIEF_OK) (void)chief_pool_enable(pool, "a");
    if (rc == CHIEF_OK) rc = chief_pool_init(pool, "a", context);
    if (rc > 0) rc = chief_pool_run_exec(pool, "a");
    if (rc == CHIEF_EFAILED && oom_run_rc != 0 && told.runs == 1) rc = CHIEF_OK;
    chief_pool_free(pool);
    chief_context_unref(context);
    assert_int_equal(told.finis, told.inits);
    return rc;
}

static void test_runner__out_of_memory(void **state) {
    (void)state;
    oom_run_rc = 0;
    assert_true(support_out_of_memory(live_once) > 10);
    oom_run_rc = 1;
    assert_true(support_out_of_memory(live_once) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runner__a_clean_life),
        cmocka_unit_test(test_runner__what_a_worker_finds),
        cmocka_unit_test(test_runner__every_transition_has_its_number),
        cmocka_unit_test(test_runner__a_worker_sees_the_states_of_its_pool),
        cmocka_unit_test(test_runner__an_instance_that_never_ran_goes_with_its_pool),
        cmocka_unit_test(test_runner__without_init_the_data_is_the_instance),
        cmocka_unit_test(test_runner__a_failing_run),
        cmocka_unit_test(test_runner__a_run_that_says_why),
        cmocka_unit_test(test_runner__a_failing_init_runs_nothing),
        cmocka_unit_test(test_runner__a_failed_worker_is_initialised_anew),
        cmocka_unit_test(test_runner__run_needs_an_init),
        cmocka_unit_test(test_runner__init_follows_the_table),
        cmocka_unit_test(test_runner__unknown_names_and_no_pool),
        cmocka_unit_test(test_runner__a_freed_pool_ends_what_was_initialised),
        cmocka_unit_test(test_runner__a_new_init_ends_the_one_before),
        cmocka_unit_test(test_runner__init_and_run_in_different_threads),
        cmocka_unit_test(test_runner__never_two_at_once),
        cmocka_unit_test(test_runner__the_pool_answers_during_init),
        cmocka_unit_test(test_runner__a_worker_disabled_during_its_init_stays_so),
        cmocka_unit_test(test_runner__verbs_during_a_run),
        cmocka_unit_test(test_runner__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
