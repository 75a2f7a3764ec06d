/* Waits for several things at once: a worker that waits for a message, for room and to be woken by another thread goes on
 * whichever comes first, in a thread and as a fiber. */
#include "support.h"

#define ANSWER_MS ((int64_t)20000)
#define WAKES 1000

/* What the worker tells the test, a letter each: (w)oken, (r)eceived, (s)ent, (d)one with its context. */
typedef struct server {
    chief_channel *in, *out, *told;
    _Atomic(chief_worker *) ctx;
    atomic_int asked; /* by the test, before it wakes */
    int served;       /* of those; the worker's */
    int to_send;      /* the worker's */
    bool done;        /* the worker's */
    atomic_bool last; /* the test's: end when woken */
} server;

static void tell(server *s, chief_worker *ctx, const char *what) {
    assert_int_equal(chief_channel_send(s->told, ctx, what, 1, CHIEF_FOREVER), CHIEF_OK);
}

/* CHIEF_OK when there was nothing to do, or it is not known yet. */
static int prepare(chief_worker *ctx, server *s) {
    chief_wait room = {
        .size = sizeof room, .kind = CHIEF_WAIT_SEND, .channels = &s->out, .n = 1, .deadline = INT64_MAX};
    chief_wait message = {
        .size = sizeof room, .kind = CHIEF_WAIT_RECV, .channels = &s->in, .n = 1, .deadline = INT64_MAX};
    chief_wait wake = {.size = sizeof room, .kind = CHIEF_WAIT_WAKE, .deadline = INT64_MAX};
    message.also = s->to_send > 0 ? &room : NULL;
    wake.also = s->done ? NULL : &message;
    int rc = chief_wait_prepare(ctx, &wake);
    return rc == CHIEF_ECANCELED ? CHIEF_OK : rc; /* done meanwhile: look again */
}

static void look_at_all(chief_worker *ctx, server *s) {
    chief_msg *msg;
    for (; s->served < atomic_load(&s->asked); s->served++) tell(s, ctx, "w");
    if (chief_channel_recv(s->in, ctx, 0, &msg) == CHIEF_OK) {
        chief_msg_free(msg);
        tell(s, ctx, "r");
    }
    if (s->to_send > 0 && chief_channel_send(s->out, ctx, "x", 1, 0) == CHIEF_OK) {
        s->to_send--;
        tell(s, ctx, "s");
    }
    if (!s->done && chief_context_err(chief_worker_context(ctx)) != CHIEF_OK) {
        s->done = true;
        tell(s, ctx, "d");
    }
}

static int serve(chief_worker *ctx, server *s) {
    int rc = CHIEF_OK;
    atomic_store(&s->ctx, ctx);
    while (rc == CHIEF_OK && !atomic_load(&s->last)) {
        look_at_all(ctx, s);
        rc = prepare(ctx, s);
    }
    return rc;
}

static int resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    (void)instance;
    return part == CHIEF_PART_INIT ? 0 : serve(ctx, data);
}

static int run(chief_worker *ctx, void *instance) {
    int rc;
    while ((rc = serve(ctx, instance)) == CHIEF_EAGAIN) chief_wait_park(ctx);
    return rc;
}

static void expect(server *s, const char *what) {
    chief_msg *msg;
    assert_int_equal(chief_channel_recv(s->told, NULL, support_ms(ANSWER_MS), &msg), CHIEF_OK);
    assert_memory_equal(chief_msg_data(msg).data, what, 1);
    chief_msg_free(msg);
}

static void wake_it_often(server *s) {
    for (int i = 0; i < WAKES; i++) {
        (void)atomic_fetch_add(&s->asked, 1);
        chief_wait_wake(atomic_load(&s->ctx));
        expect(s, "w");
    }
}

static chief *start(server *s, int32_t isolation) {
    static const chief_worker_ops ops = {.size = sizeof ops, .run = run};
    static const chief_fiber_ops fiber = {.size = sizeof fiber, .resume = resume};
    chief_worker_options o = {.size = sizeof o, .isolation = isolation};
    if (isolation == CHIEF_FIBER) o.fiber = &fiber;
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_OFF};
    chief_options options = {.size = sizeof options};
    chief_channel_options one = {.size = sizeof one, .capacity = 1};
    chief *c;
    assert_int_equal(chief_log_new(&options.log, &quiet), CHIEF_OK);
    assert_int_equal(chief_new(&c, &options), CHIEF_OK);
    chief_log_unref(options.log);
    assert_int_equal(chief_channel_new(&s->in, "in", NULL), CHIEF_OK);
    assert_int_equal(chief_channel_new(&s->out, "out", &one), CHIEF_OK);
    assert_int_equal(chief_channel_new(&s->told, "told", NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker_with(c, "s", &ops, s, &o), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    return c;
}

static void waits_for_all(int32_t isolation) {
    server s = {.to_send = 2};
    chief_msg *msg;
    chief *c = start(&s, isolation);
    expect(&s, "s"); /* and there is no room for the second */
    wake_it_often(&s);
    assert_int_equal(chief_channel_send(s.in, NULL, "m", 1, CHIEF_FOREVER), CHIEF_OK);
    expect(&s, "r");
    assert_int_equal(chief_channel_recv(s.out, NULL, CHIEF_FOREVER, &msg), CHIEF_OK);
    chief_msg_free(msg);
    expect(&s, "s");
    assert_int_equal(chief_stop(c), CHIEF_OK);
    expect(&s, "d");
    wake_it_often(&s); /* a done context does not end that wait */
    atomic_store(&s.last, true);
    chief_wait_wake(atomic_load(&s.ctx));
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_OK);
    chief_free(c);
    chief_channel_unref(s.in);
    chief_channel_unref(s.out);
    chief_channel_unref(s.told);
}

static void test_prepare__a_thread_waits_for_messages_room_and_a_wake(void **state) {
    (void)state;
    waits_for_all(CHIEF_THREAD);
}

static void test_prepare__a_fiber_waits_for_messages_room_and_a_wake(void **state) {
    (void)state;
    waits_for_all(CHIEF_FIBER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepare__a_thread_waits_for_messages_room_and_a_wake),
        cmocka_unit_test(test_prepare__a_fiber_waits_for_messages_room_and_a_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
