/* Workers that are fibers, in a whole chief: they wait, talk, fail, are restarted, stopped, interrupted and abandoned as
 * workers in threads are. */
#include "support.h"

#define ANSWER_MS ((int64_t)20000)

/* ---- a fiber by resume ---- */

typedef enum act { RECEIVES, SENDS, SLEEPS, CALLS, ANSWERS, FAILS, SPINS, BLOCKS, IGNORES } act;

typedef struct probe {
    act what;
    const char *to;
    uint32_t n; /* messages, or calls */
    atomic_int done;
    atomic_int resumed;
    atomic_int inits;
    atomic_int finis;
    atomic_int destroyed;
    atomic_int runs;
    atomic_bool let_go;
    atomic_int interrupted;
    int64_t deadline;
    chief_pending *call;
    bool out_of_order;
} probe;

/* Prepares to wait; what else chief_wait_prepare says is the result. */
static int wait_for(chief_worker *ctx, int32_t kind, chief_channel *ch, int64_t deadline) {
    chief_wait wait = {.size = sizeof wait, .kind = kind, .channels = &ch, .n = 1, .deadline = deadline};
    return chief_wait_prepare(ctx, &wait);
}

/* Numbers in order, from the channel "ch". */
static int receive(chief_worker *ctx, probe *p) {
    chief_channel *ch;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    while (rc == CHIEF_OK) {
        chief_msg *msg;
        rc = chief_channel_recv(ch, ctx, 0, &msg);
        if (rc == CHIEF_OK) {
            int32_t number;
            memcpy(&number, chief_msg_data(msg).data, sizeof number);
            if (number != atomic_load(&p->done)) p->out_of_order = true;
            (void)atomic_fetch_add(&p->done, 1);
            chief_msg_free(msg);
        } else if (rc == CHIEF_EAGAIN) {
            if ((uint32_t)atomic_load(&p->done) >= p->n) return 0;
            rc = wait_for(ctx, CHIEF_WAIT_RECV, ch, INT64_MAX);
        }
    }
    return rc == CHIEF_ECANCELED ? 0 : rc;
}

static int send(chief_worker *ctx, probe *p) {
    chief_channel *ch;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    while (rc == CHIEF_OK && (uint32_t)atomic_load(&p->done) < p->n) {
        int32_t number = atomic_load(&p->done);
        rc = chief_channel_send(ch, ctx, &number, sizeof number, 0);
        if (rc == CHIEF_OK) (void)atomic_fetch_add(&p->done, 1);
        else if (rc == CHIEF_EAGAIN) rc = wait_for(ctx, CHIEF_WAIT_SEND, ch, INT64_MAX);
    }
    return rc;
}

static int sleep_long(chief_worker *ctx, probe *p) {
    if (p->deadline == 0) p->deadline = chief_wait_deadline(3600000);
    int rc = wait_for(ctx, CHIEF_WAIT_TIME, NULL, p->deadline);
    return rc == CHIEF_ECANCELED ? 0 : rc;
}

/* A question each time, until the answers are as many as asked for. */
static int ask(chief_worker *ctx, probe *p) {
    chief_channel *mailbox;
    int rc = chief_worker_mailbox(ctx, p->to, 0, &mailbox);
    chief_channel_unref(mailbox); /* the chief has it as long as the worker is there */
    while (rc == CHIEF_OK && (uint32_t)atomic_load(&p->done) < p->n) {
        chief_msg *reply;
        if (p->call == NULL) rc = chief_call_begin(ctx, mailbox, "?", 1, &p->call);
        if (rc == CHIEF_EAGAIN) {
            rc = wait_for(ctx, CHIEF_WAIT_SEND, mailbox, INT64_MAX);
            continue;
        }
        if (rc != CHIEF_OK) return rc;
        rc = chief_call_take(p->call, &reply);
        if (rc == CHIEF_EAGAIN) {
            chief_wait wait = {.size = sizeof wait, .kind = CHIEF_WAIT_REPLY, .call = p->call, .deadline = INT64_MAX};
            rc = chief_wait_prepare(ctx, &wait);
            continue;
        }
        chief_call_end(p->call);
        p->call = NULL;
        if (rc == CHIEF_OK) (void)atomic_fetch_add(&p->done, 1);
        chief_msg_free(reply);
    }
    return rc;
}

static int answer(chief_worker *ctx, probe *p) {
    int rc = CHIEF_OK;
    while (rc == CHIEF_OK) {
        chief_msg *msg;
        rc = chief_worker_recv(ctx, 0, &msg);
        if (rc == CHIEF_OK) {
            (void)atomic_fetch_add(&p->done, 1);
            (void)chief_msg_reply(msg, "!", 1);
            chief_msg_free(msg);
        } else if (rc == CHIEF_EAGAIN) {
            rc = wait_for(ctx, CHIEF_WAIT_RECV, NULL, INT64_MAX);
        }
    }
    return rc == CHIEF_ECANCELED ? 0 : rc;
}

/* Keeps its thread until it is let go or interrupted. */
static int spin(probe *p) {
    while (!atomic_load(&p->let_go) && atomic_load(&p->interrupted) == 0) chief__pause_ms(1);
    return 0;
}

static int run_part(chief_worker *ctx, probe *p) {
    switch (p->what) {
    case RECEIVES: return receive(ctx, p);
    case SENDS: return send(ctx, p);
    case SLEEPS: return sleep_long(ctx, p);
    case CALLS: return ask(ctx, p);
    case ANSWERS: return answer(ctx, p);
    case FAILS:
        if (chief_worker_generation(ctx) > 2) return sleep_long(ctx, p);
        chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "boom", "trace");
        return 1;
    case SPINS: return spin(p);
    case BLOCKS: return chief_worker_sleep(ctx, CHIEF_FOREVER) == CHIEF_ECANCELED ? 0 : 1;
    case IGNORES:
        while (!atomic_load(&p->let_go)) chief__pause_ms(1);
        return 0;
    }
    return 1;
}

static int resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    probe *p = data;
    *instance = p;
    if (part == CHIEF_PART_INIT) return atomic_fetch_add(&p->inits, 1) < 0 ? 1 : 0;
    if (atomic_fetch_add(&p->resumed, 1) == 0) (void)atomic_fetch_add(&p->runs, 1);
    return run_part(ctx, p);
}

static void fini(void *instance) { (void)atomic_fetch_add(&((probe *)instance)->finis, 1); }
static void destroy(void *data) { (void)atomic_fetch_add(&((probe *)data)->destroyed, 1); }
static void interrupt(chief_worker *ctx, void *instance) {
    (void)ctx;
    if (instance != NULL) (void)atomic_fetch_add(&((probe *)instance)->interrupted, 1);
}

static const chief_worker_ops ops = {.size = sizeof ops, .fini = fini, .interrupt = interrupt};
static const chief_worker_ops deaf_ops = {.size = sizeof deaf_ops, .fini = fini};
static const chief_fiber_ops fiber_ops = {.size = sizeof fiber_ops, .resume = resume};

/* ---- helpers ---- */

static void add_with(chief *c, const char *name, const chief_worker_ops *with, probe *p, chief_worker_options *o) {
    chief_worker_options none = {0};
    if (o == NULL) o = &none;
    o->size = sizeof *o;
    o->isolation = CHIEF_FIBER;
    o->fiber = &fiber_ops;
    o->destroy = destroy;
    assert_int_equal(chief_add_worker_with(c, name, with, p, o), CHIEF_OK);
}

static void add(chief *c, const char *name, probe *p) { add_with(c, name, &ops, p, NULL); }

static void add_channel(chief *c, uint32_t capacity) {
    chief_channel_options o = {.size = sizeof o, .capacity = capacity};
    assert_int_equal(chief_add_channel(c, "ch", &o), CHIEF_OK);
}

static void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, support_ms(ANSWER_MS)), CHIEF_OK);
}

static void stop_and_free(chief *c, int expected) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), expected);
    chief_free(c);
}

/* ---- tests ---- */

static void test_fiber_worker__a_pipeline_keeps_the_order(void **state) {
    (void)state;
    for (uint32_t capacity = 1; capacity <= 1000; capacity *= 10) {
        probe from = {.what = SENDS, .n = 20000};
        probe to = {.what = RECEIVES, .n = 20000};
        chief *c = support_quiet_chief(NULL);
        add_channel(c, capacity);
        add(c, "to", &to);
        add(c, "from", &from);
        launch(c);
        await_state(c, "to", CHIEF_WORKER_STOPPED);
        await_state(c, "from", CHIEF_WORKER_STOPPED);
        assert_int_equal(atomic_load(&to.done), 20000);
        assert_false(to.out_of_order);
        stop_and_free(c, CHIEF_OK);
        assert_int_equal(atomic_load(&to.finis), 1);
        assert_int_equal(atomic_load(&from.destroyed), 1);
    }
}

static void test_fiber_worker__questions_are_answered(void **state) {
    (void)state;
    probe caller = {.what = CALLS, .to = "callee", .n = 5000};
    probe callee = {.what = ANSWERS};
    chief *c = support_quiet_chief(NULL);
    add(c, "callee", &callee);
    add(c, "caller", &caller);
    launch(c);
    await_state(c, "caller", CHIEF_WORKER_STOPPED);
    assert_int_equal(atomic_load(&caller.done), 5000);
    assert_int_equal(atomic_load(&callee.done), 5000);
    stop_and_free(c, CHIEF_OK);
}

static bool is_third(void *data) {
    chief_snapshot *states;
    assert_int_equal(chief_states(data, &states), CHIEF_OK);
    bool third = chief_snapshot_at(states, 0)->generation == 3;
    chief_snapshot_free(states);
    return third;
}

static void test_fiber_worker__a_failed_one_is_restarted_with_its_text(void **state) {
    (void)state;
    chief_snapshot *states;
    chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_worker_options o = {.restart = &at_once};
    probe p = {.what = FAILS};
    chief *c = support_quiet_chief(NULL);
    add_with(c, "p", &ops, &p, &o);
    launch(c);
    assert_true(support_until(is_third, c, ANSWER_MS));
    assert_int_equal(chief_states(c, &states), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(states, 0)->error, "boom");
    assert_string_equal(chief_snapshot_at(states, 0)->traceback, "trace");
    chief_snapshot_free(states);
    stop_and_free(c, CHIEF_OK);
    assert_int_equal(atomic_load(&p.inits), 3);
    assert_int_equal(atomic_load(&p.finis), 3);
}

/* What would be a thousand threads is a few. */
static void test_fiber_worker__a_crowd_shares_a_few_threads_and_stops_at_once(void **state) {
    (void)state;
    enum { CROWD = 1000 };
    static probe crowd[CROWD];
    char name[16];
    chief *c = support_quiet_chief(NULL);
    memset(crowd, 0, sizeof crowd);
    for (int i = 0; i < CROWD; i++) {
        crowd[i].what = SLEEPS;
        (void)snprintf(name, sizeof name, "w%d", i);
        add(c, name, &crowd[i]);
    }
    launch(c);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    int64_t begun = chief__now_ms();
    stop_and_free(c, CHIEF_OK);
    assert_true(chief__now_ms() - begun < support_ms(2000));
    for (int i = 0; i < CROWD; i++) assert_int_equal(atomic_load(&crowd[i].finis), 1);
}

static void test_fiber_worker__one_that_spins_or_blocks_leaves_the_others_their_thread(void **state) {
    (void)state;
    for (int what = 0; what < 2; what++) {
        chief_options one = {.fiber_threads = 1};
        probe slow = {.what = what == 0 ? SPINS : BLOCKS};
        probe caller = {.what = CALLS, .to = "callee", .n = 100};
        probe callee = {.what = ANSWERS};
        chief *c = support_quiet_chief(&one);
        add(c, "slow", &slow);
        add(c, "callee", &callee);
        add(c, "caller", &caller);
        launch(c);
        await_state(c, "caller", CHIEF_WORKER_STOPPED);
        assert_int_equal(atomic_load(&caller.done), 100);
        assert_int_equal(chief_pool_get_state(chief_get_pool(c), "slow"), CHIEF_WORKER_RUN);
        atomic_store(&slow.let_go, true);
        stop_and_free(c, CHIEF_OK);
    }
}

static void test_fiber_worker__one_that_spins_is_interrupted(void **state) {
    (void)state;
    probe slow = {.what = SPINS};
    chief_worker_options o = {.grace = 20};
    chief *c = support_quiet_chief(NULL);
    add_with(c, "slow", &ops, &slow, &o);
    launch(c);
    await_state(c, "slow", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    assert_true(atomic_load(&slow.interrupted) > 0);
    assert_int_equal(chief_exit_code(c), 75);
    chief_free(c);
    assert_int_equal(atomic_load(&slow.destroyed), 1);
}

static bool is_destroyed(void *data) { return atomic_load(&((probe *)data)->destroyed) == 1; }

static void test_fiber_worker__one_that_ignores_the_stop_is_abandoned(void **state) {
    (void)state;
    static probe slow;
    chief_worker_options o = {.grace = 20};
    chief *c = support_quiet_chief(NULL);
    memset(&slow, 0, sizeof slow);
    slow.what = IGNORES;
    add_with(c, "slow", &deaf_ops, &slow, &o);
    launch(c);
    await_state(c, "slow", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    support_says("slow");
    chief_free(c);
    assert_int_equal(atomic_load(&slow.destroyed), 0);
    atomic_store(&slow.let_go, true);
    assert_true(support_until(is_destroyed, &slow, ANSWER_MS));
}

/* ---- a fiber of callbacks ---- */

typedef struct served {
    atomic_int messages;
    atomic_int ticks;
    int fail_at;
} served;

static int on_message(chief_worker *ctx, void *instance, const chief_msg *msg) {
    served *s = instance;
    (void)ctx;
    assert_int_equal(chief_msg_data(msg).len, 1);
    return atomic_fetch_add(&s->messages, 1) + 1 == s->fail_at ? 5 : 0;
}

static int on_timer(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)atomic_fetch_add(&((served *)instance)->ticks, 1);
    return 0;
}

static chief *serve(served *s, const chief_fiber_ops *callbacks) {
    chief_worker_ops none = {.size = sizeof none};
    chief_worker_options o = {.size = sizeof o, .isolation = CHIEF_FIBER, .fiber = callbacks};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_worker_with(c, "s", &none, s, &o), CHIEF_OK);
    launch(c);
    await_state(c, "s", CHIEF_WORKER_RUN);
    return c;
}

static bool has_ticked(void *data) { return atomic_load(&((served *)data)->ticks) >= 3; }

static void test_fiber_worker__callbacks_get_messages_and_ticks(void **state) {
    (void)state;
    served s = {.fail_at = -1};
    const chief_fiber_ops callbacks = {
        .size = sizeof callbacks, .on_message = on_message, .on_timer = on_timer, .interval = 1};
    chief *c = serve(&s, &callbacks);
    for (int i = 0; i < 100; i++) assert_int_equal(chief_send(c, "s", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    assert_true(support_until(has_ticked, &s, ANSWER_MS));
    stop_and_free(c, CHIEF_OK);
    assert_int_equal(atomic_load(&s.messages), 100); /* what was queued is served before the end */
}

static void test_fiber_worker__a_callback_can_fail(void **state) {
    (void)state;
    served s = {.fail_at = 2};
    const chief_fiber_ops callbacks = {.size = sizeof callbacks, .on_message = on_message};
    chief *c = serve(&s, &callbacks);
    for (int i = 0; i < 2; i++) assert_int_equal(chief_send(c, "s", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    await_state(c, "s", CHIEF_WORKER_FAILED);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_EFAILED);
    support_says("s");
    chief_free(c);
}

static int ignore_the_stop(chief_worker *ctx, void *instance, const chief_msg *msg) {
    probe *p = instance;
    (void)ctx, (void)msg;
    (void)atomic_fetch_add(&p->done, 1);
    while (!atomic_load(&p->let_go)) chief__pause_ms(1);
    return 0;
}

static bool has_one(void *data) { return atomic_load(&((probe *)data)->done) == 1; }

static void test_fiber_worker__one_that_is_abandoned_is_called_no_more_and_ends(void **state) {
    (void)state;
    static probe p;
    const chief_fiber_ops callbacks = {.size = sizeof callbacks, .on_message = ignore_the_stop};
    chief_worker_options o = {.size = sizeof o, .isolation = CHIEF_FIBER, .grace = 20, .destroy = destroy};
    chief *c = support_quiet_chief(NULL);
    o.fiber = &callbacks;
    assert_int_equal(chief_add_worker_with(c, "p", &deaf_ops, &p, &o), CHIEF_OK);
    launch(c);
    for (int i = 0; i < 2; i++) assert_int_equal(chief_send(c, "p", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    assert_true(support_until(has_one, &p, ANSWER_MS));
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    chief_free(c);
    atomic_store(&p.let_go, true);
    assert_true(support_until(is_destroyed, &p, ANSWER_MS));
    assert_int_equal(atomic_load(&p.finis), 1);
    assert_int_equal(atomic_load(&p.done), 1);
}

static void test_fiber_worker__wrong_callbacks_are_refused(void **state) {
    (void)state;
    chief_worker_ops none = {.size = sizeof none};
    chief_fiber_ops callbacks = {.size = sizeof callbacks};
    chief_worker_options o = {.size = sizeof o, .isolation = CHIEF_FIBER, .fiber = &callbacks};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_worker_with(c, "s", &none, NULL, &o), CHIEF_EINVAL);
    support_says("neither resume, on_message nor on_timer");
    callbacks.on_timer = on_timer;
    assert_int_equal(chief_add_worker_with(c, "s", &none, NULL, &o), CHIEF_EINVAL);
    support_says("on_timer needs an interval");
    callbacks.resume = resume;
    assert_int_equal(chief_add_worker_with(c, "s", &none, NULL, &o), CHIEF_EINVAL);
    support_says("a fiber with resume has no on_message");
    chief_free(c);
}

/* ---- the waits themselves, also of a thread ---- */

static int waits_wrongly(chief_worker *ctx, void *instance) {
    chief_wait wait = {.size = sizeof wait, .kind = 9, .deadline = INT64_MAX};
    (void)instance;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 1;
    wait.kind = CHIEF_WAIT_FD;
    wait.fd = -1;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 2;
    wait.fd = 0;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 3;
    wait.kind = CHIEF_WAIT_RECV;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 4;
    wait.kind = CHIEF_WAIT_REPLY;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 5;
    chief_wait descriptor = {
        .size = sizeof wait, .kind = CHIEF_WAIT_FD, .events = CHIEF_FD_READ, .deadline = INT64_MAX};
    wait.kind = CHIEF_WAIT_WAKE;
    wait.also = &descriptor;
    if (chief_wait_prepare(ctx, &wait) != CHIEF_EINVAL) return 7;
    wait.also = NULL;
    wait.kind = CHIEF_WAIT_TIME;
    wait.deadline = chief_wait_deadline(0);
    return chief_wait_prepare(ctx, &wait) == CHIEF_ETIMEDOUT ? 0 : 6;
}

/* A thread parks for what it has prepared. */
static int parks(chief_worker *ctx, void *instance) {
    atomic_int *n = instance;
    for (;;) {
        chief_msg *msg;
        int rc = chief_worker_recv(ctx, 0, &msg);
        if (rc == CHIEF_OK) {
            (void)atomic_fetch_add(n, 1);
            chief_msg_free(msg);
            continue;
        }
        if (rc == CHIEF_EAGAIN) rc = wait_for(ctx, CHIEF_WAIT_RECV, NULL, INT64_MAX);
        if (rc == CHIEF_EAGAIN) chief_wait_park(ctx);
        else if (rc != CHIEF_OK) return rc == CHIEF_ECANCELED ? 0 : rc;
    }
}

static void test_fiber_worker__a_thread_can_wait_in_parts_too(void **state) {
    (void)state;
    atomic_int n = 0;
    chief_worker_ops wrong = {.size = sizeof wrong, .run = waits_wrongly};
    chief_worker_ops right = {.size = sizeof right, .run = parks};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_worker(c, "wrong", &wrong, NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker(c, "right", &right, &n), CHIEF_OK);
    launch(c);
    await_state(c, "wrong", CHIEF_WORKER_STOPPED);
    for (int i = 0; i < 1000; i++) assert_int_equal(chief_send(c, "right", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    stop_and_free(c, CHIEF_OK);
    assert_int_equal(atomic_load(&n), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fiber_worker__a_pipeline_keeps_the_order),
        cmocka_unit_test(test_fiber_worker__questions_are_answered),
        cmocka_unit_test(test_fiber_worker__a_failed_one_is_restarted_with_its_text),
        cmocka_unit_test(test_fiber_worker__a_crowd_shares_a_few_threads_and_stops_at_once),
        cmocka_unit_test(test_fiber_worker__one_that_spins_or_blocks_leaves_the_others_their_thread),
        cmocka_unit_test(test_fiber_worker__one_that_spins_is_interrupted),
        cmocka_unit_test(test_fiber_worker__one_that_ignores_the_stop_is_abandoned),
        cmocka_unit_test(test_fiber_worker__one_that_is_abandoned_is_called_no_more_and_ends),
        cmocka_unit_test(test_fiber_worker__callbacks_get_messages_and_ticks),
        cmocka_unit_test(test_fiber_worker__a_callback_can_fail),
        cmocka_unit_test(test_fiber_worker__wrong_callbacks_are_refused),
        cmocka_unit_test(test_fiber_worker__a_thread_can_wait_in_parts_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
