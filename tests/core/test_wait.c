/* Queues of waiters: who is woken, and what a place knows. */
#include "support.h"

#include "wait.h"

enum { N = 3 };

typedef struct line {
    chief__queue queue;
    chief__waiter waiters[N];
    chief__place places[N];
} line;

static void line_up(line *l) {
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < N; i++) chief__queue_join(&l->queue, &l->places[i], &l->waiters[i]);
}

/* Whether it holds a token, which this takes. */
static bool is_woken(line *l, size_t i) { return chief__park(&l->waiters[i].parker, chief__now_ms()); }

static void test_wait__one_wake_takes_the_first_out(void **state) {
    (void)state;
    line l;
    line_up(&l);
    chief__queue_wake_one(&l.queue);
    assert_true(is_woken(&l, 0));
    assert_false(is_woken(&l, 1));
    assert_false(chief__queue_leave(&l.queue, &l.places[0]));
    chief__queue_wake_one(&l.queue);
    assert_true(is_woken(&l, 1));
    assert_false(is_woken(&l, 2));
    assert_true(chief__queue_leave(&l.queue, &l.places[2]));
    assert_null(l.queue.first);
    assert_null(l.queue.last);
}

static void test_wait__who_leaves_from_the_middle_is_not_woken(void **state) {
    (void)state;
    line l;
    line_up(&l);
    assert_true(chief__queue_leave(&l.queue, &l.places[1]));
    chief__queue_wake_all(&l.queue);
    assert_true(is_woken(&l, 0));
    assert_false(is_woken(&l, 1));
    assert_true(is_woken(&l, 2));
    assert_null(l.queue.first);
}

static void test_wait__a_place_that_never_joined_leaves_nothing(void **state) {
    (void)state;
    chief__queue queue = {0};
    chief__place place = {0};
    assert_false(chief__queue_leave(&queue, &place));
    chief__queue_wake_one(&queue);
    chief__queue_wake_all(&queue);
}

static void test_wait__a_place_can_join_again(void **state) {
    (void)state;
    line l;
    line_up(&l);
    chief__queue_wake_one(&l.queue);
    chief__queue_join(&l.queue, &l.places[0], &l.waiters[0]);
    assert_true(is_woken(&l, 0));
    chief__queue_wake_one(&l.queue);
    chief__queue_wake_one(&l.queue);
    assert_false(is_woken(&l, 0));
    chief__queue_wake_one(&l.queue);
    assert_true(is_woken(&l, 0));
}

static void test_wait__one_waiter_stands_in_several_queues(void **state) {
    (void)state;
    chief__queue queues[2] = {{0}, {0}};
    chief__place places[2] = {{0}, {0}};
    chief__waiter waiter = {0};
    for (size_t i = 0; i < 2; i++) chief__queue_join(&queues[i], &places[i], &waiter);
    chief__queue_wake_one(&queues[1]);
    assert_true(chief__park(&waiter.parker, chief__now_ms()));
    assert_true(chief__queue_leave(&queues[0], &places[0]));
    assert_false(chief__queue_leave(&queues[1], &places[1]));
}

static void test_wait__who_is_awake_need_not_be_roused_later(void **state) {
    (void)state;
    line l;
    chief__sleepers later = {0};
    line_up(&l);
    for (size_t i = 0; i < sizeof l.waiters / sizeof *l.waiters; i++) l.waiters[i].lasts = true;
    chief__queue_wake_later(&l.queue, &later);
    assert_int_equal(later.n, 0);
    assert_true(is_woken(&l, 0));
    assert_false(is_woken(&l, 1));
}

static void park(void *data) { (void)chief__park(data, INT64_MAX); }

static bool is_parked(void *data) {
    const chief__parker *p = data;
    return atomic_load_explicit(&p->word, memory_order_relaxed) == 2;
}

/* More than there is room for are roused at once. */
static void test_wait__who_sleeps_is_roused_later(void **state) {
    (void)state;
    enum { MANY = CHIEF__SLEEPERS + 1 };
    chief__queue queue = {0};
    chief__place places[MANY] = {{0}};
    chief__waiter waiters[MANY];
    chief__thread threads[MANY];
    chief__sleepers later = {0};
    memset(waiters, 0, sizeof waiters);
    for (size_t i = 0; i < MANY; i++) {
        waiters[i].lasts = true;
        chief__queue_join(&queue, &places[i], &waiters[i]);
        support_thread(&threads[i], park, &waiters[i].parker);
        assert_true(support_until(is_parked, &waiters[i].parker, 10000));
    }
    for (size_t i = 0; i < MANY; i++) chief__queue_wake_later(&queue, &later);
    assert_int_equal(later.n, CHIEF__SLEEPERS);
    assert_int_equal(atomic_load(&waiters[0].parker.rousers), 1);
    chief__sleepers_rouse(&later);
    for (size_t i = 0; i < MANY; i++) {
        chief__parker_settle(&waiters[i].parker);
        chief__thread_join(&threads[i]);
    }
}

/* One in a frame that may be gone by then is not left for later. */
static void test_wait__who_does_not_last_is_roused_at_once(void **state) {
    (void)state;
    chief__queue queue = {0};
    chief__place place = {0};
    chief__waiter waiter = {0};
    chief__thread thread;
    chief__sleepers later = {0};
    chief__queue_join(&queue, &place, &waiter);
    support_thread(&thread, park, &waiter.parker);
    assert_true(support_until(is_parked, &waiter.parker, 10000));
    chief__queue_wake_later(&queue, &later);
    chief__thread_join(&thread);
    assert_int_equal(later.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait__one_wake_takes_the_first_out),
        cmocka_unit_test(test_wait__who_leaves_from_the_middle_is_not_woken),
        cmocka_unit_test(test_wait__a_place_that_never_joined_leaves_nothing),
        cmocka_unit_test(test_wait__a_place_can_join_again),
        cmocka_unit_test(test_wait__one_waiter_stands_in_several_queues),
        cmocka_unit_test(test_wait__who_is_awake_need_not_be_roused_later),
        cmocka_unit_test(test_wait__who_sleeps_is_roused_later),
        cmocka_unit_test(test_wait__who_does_not_last_is_roused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
