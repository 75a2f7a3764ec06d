/* The ring of events: bounded, counting what it loses, readable through a descriptor. */
#include "support.h"

#include <poll.h>

#include "event.h"

static chief__events *make(uint32_t capacity) {
    chief__events *ring = NULL;
    assert_int_equal(chief__events_new(&ring, capacity), CHIEF_OK);
    return ring;
}

static void push(chief__events *ring, uint64_t seq) {
    const chief_event event = {
        .size = sizeof event, .kind = CHIEF_EVENT_STATE, .seq = seq, .level = CHIEF_INFO, .worker = "a"};
    chief__events_push(ring, &event);
}

static void push_level(chief__events *ring, uint64_t seq, int32_t level) {
    const chief_event event = {.size = sizeof event, .kind = CHIEF_EVENT_NOTE, .seq = seq, .level = level};
    chief__events_push(ring, &event);
}

/* Takes without waiting; 0 when there is none. */
static uint64_t take(chief__events *ring) {
    chief_event *event = NULL;
    size_t n = 7;
    int rc = chief__events_take(ring, &event, 1, 0, &n);
    assert_int_equal(n, rc == CHIEF_OK);
    uint64_t seq = rc == CHIEF_OK ? event->seq : 0;
    chief_event_free(event);
    return seq;
}

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_event__an_event_is_a_copy(void **state) {
    (void)state;
    char error[] = "broken";
    const chief_event given = {.size = 4,
                               .kind = CHIEF_EVENT_GIVEN_UP,
                               .level = CHIEF_WARN,
                               .seq = 9,
                               .generation = 3,
                               .delay_ms = 70,
                               .worker = "resizer",
                               .error = error,
                               .traceback = "a\nb"};
    chief__events *ring = make(4);
    chief_event *got = NULL;
    size_t n = 0;
    chief__events_push(ring, &given);
    error[0] = '#';
    assert_int_equal(chief__events_take(ring, &got, 1, 0, &n), CHIEF_OK);
    chief__events_unref(ring);
    assert_int_equal(got->size, sizeof *got);
    assert_int_equal(got->kind, CHIEF_EVENT_GIVEN_UP);
    assert_int_equal(got->seq, 9);
    assert_int_equal(got->generation, 3);
    assert_int_equal(got->delay_ms, 70);
    assert_string_equal(got->worker, "resizer");
    assert_string_equal(got->channel, "");
    assert_string_equal(got->error, "broken");
    assert_string_equal(got->traceback, "a\nb");
    chief_event_free(got);
    chief_event_free(NULL);
}

static void test_event__the_oldest_comes_first_in_batches(void **state) {
    (void)state;
    chief__events *ring = make(8);
    chief_event *got[8];
    size_t n = 0;
    for (uint64_t seq = 1; seq <= 5; seq++) push(ring, seq);
    assert_int_equal(chief__events_take(ring, got, 3, 0, &n), CHIEF_OK);
    assert_int_equal(n, 3);
    assert_int_equal(chief__events_take(ring, got + 3, 5, 0, &n), CHIEF_OK);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(got[i]->seq, i + 1);
        chief_event_free(got[i]);
    }
    assert_int_equal(chief__events_dropped(ring), 0);
    chief__events_unref(ring);
}

static void test_event__a_full_ring_drops_the_oldest_and_counts(void **state) {
    (void)state;
    for (uint32_t capacity = 1; capacity <= 5; capacity++) {
        chief__events *ring = make(capacity);
        for (uint64_t seq = 1; seq <= 17; seq++) push(ring, seq);
        assert_int_equal(chief__events_dropped(ring), 17 - capacity);
        for (uint64_t seq = 17 - capacity + 1; seq <= 17; seq++) assert_int_equal(take(ring), seq);
        assert_int_equal(take(ring), 0);
        chief__events_unref(ring);
    }
}

static void test_event__one_below_the_level_takes_no_room(void **state) {
    (void)state;
    chief__events *ring = make(3);
    push_level(ring, 1, CHIEF_DEBUG);
    chief__events_set_level(ring, CHIEF_WARN);
    for (uint64_t seq = 2; seq <= 20; seq++) push_level(ring, seq, CHIEF_INFO);
    push_level(ring, 21, CHIEF_WARN);
    push_level(ring, 22, CHIEF_ERROR);
    assert_int_equal(chief__events_dropped(ring), 0);
    assert_int_equal(take(ring), 1); /* what is there stays */
    assert_int_equal(take(ring), 21);
    assert_int_equal(take(ring), 22);
    assert_int_equal(take(ring), 0);
    chief__events_set_level(ring, CHIEF_DEBUG);
    push_level(ring, 23, CHIEF_DEBUG);
    assert_int_equal(take(ring), 23);
    chief__events_set_level(ring, CHIEF_OFF);
    push_level(ring, 24, CHIEF_ERROR);
    assert_int_equal(take(ring), 0);
    chief__events_unref(ring);
}

static void test_event__one_below_the_level_wakes_nobody(void **state) {
    (void)state;
    chief__events *ring = make(3);
    int fd = chief__events_fd(ring);
    chief__events_set_level(ring, CHIEF_ERROR);
    push_level(ring, 1, CHIEF_WARN);
    assert_false(readable(fd));
    push_level(ring, 2, CHIEF_ERROR);
    assert_true(readable(fd));
    chief__events_unref(ring);
}

static void test_event__what_is_counted_from_outside(void **state) {
    (void)state;
    chief__events *ring = make(1);
    chief__events_count_dropped(ring, 5);
    push(ring, 1);
    push(ring, 2);
    assert_int_equal(chief__events_dropped(ring), 6);
    chief__events_unref(ring);
}

static void test_event__an_empty_ring_keeps_to_the_timeout(void **state) {
    (void)state;
    chief__events *ring = make(1);
    chief_event *got = NULL;
    size_t n = 7;
    assert_int_equal(chief__events_take(ring, &got, 1, 0, &n), CHIEF_EAGAIN);
    assert_int_equal(n, 0);
    int64_t begun = chief__now_ms();
    assert_int_equal(chief__events_take(ring, &got, 1, 10, &n), CHIEF_ETIMEDOUT);
    assert_true(chief__now_ms() - begun >= 10);
    assert_int_equal(n, 0);
    chief__events_unref(ring);
}

static void test_event__a_closed_ring_gives_what_it_has(void **state) {
    (void)state;
    chief__events *ring = make(4);
    chief_event *got = NULL;
    size_t n = 7;
    push(ring, 1);
    chief__events_close(ring);
    chief__events_close(ring);
    assert_int_equal(take(ring), 1);
    assert_int_equal(chief__events_take(ring, &got, 1, CHIEF_FOREVER, &n), CHIEF_ECLOSED);
    assert_int_equal(n, 0);
    assert_string_equal(chief_last_error(), "closed");
    chief__events_unref(ring);
}

/* ---- the descriptor ---- */

static void test_event__the_descriptor_is_readable_while_something_waits(void **state) {
    (void)state;
    chief__events *ring = make(2);
    int fd = chief__events_fd(ring);
    assert_int_equal(chief__events_fd(ring), fd);
    for (int round = 0; round < 3; round++) {
        assert_false(readable(fd));
        for (uint64_t seq = 1; seq <= 3; seq++) push(ring, seq);
        assert_true(readable(fd));
        assert_int_equal(take(ring), 2);
        assert_true(readable(fd));
        assert_int_equal(take(ring), 3);
    }
    assert_false(readable(fd));
    chief__events_unref(ring);
}

static void test_event__a_late_descriptor_knows_what_waits(void **state) {
    (void)state;
    chief__events *ring = make(2);
    push(ring, 1);
    int fd = chief__events_fd(ring);
    assert_true(readable(fd));
    assert_int_equal(take(ring), 1);
    assert_false(readable(fd));
    chief__events_close(ring);
    assert_true(readable(fd));
    assert_int_equal(take(ring), 0);
    assert_true(readable(fd));
    chief__events_unref(ring);
    ring = make(2);
    chief__events_close(ring);
    assert_true(readable(chief__events_fd(ring)));
    chief__events_unref(ring);
}

/* ---- threads ---- */

enum { EVENTS = 3000 };

static void push_all(void *data) {
    for (uint64_t seq = 1; seq <= EVENTS; seq++) push(data, seq);
    chief__events_close(data);
}

static void test_event__what_is_taken_and_dropped_is_all(void **state) {
    (void)state;
    chief__events *ring = make(64);
    chief__thread thread;
    chief_event *got[16];
    size_t n = 0;
    uint64_t taken = 0;
    uint64_t last = 0;
    support_thread(&thread, push_all, ring);
    while (chief__events_take(ring, got, 16, support_ms(10000), &n) == CHIEF_OK)
        for (size_t i = 0; i < n; i++, taken++) {
            assert_true(got[i]->seq > last);
            last = got[i]->seq;
            chief_event_free(got[i]);
        }
    chief__thread_join(&thread);
    assert_int_equal(last, EVENTS);
    assert_int_equal(taken + chief__events_dropped(ring), EVENTS);
    chief__events_unref(ring);
}

struct taker {
    chief__events *ring;
    support_gate begun;
    int rc;
};

static void take_for_ever(void *data) {
    struct taker *taker = data;
    chief_event *event = NULL;
    size_t n;
    support_gate_open(&taker->begun);
    taker->rc = chief__events_take(taker->ring, &event, 1, CHIEF_FOREVER, &n);
    chief_event_free(event);
}

static void test_event__closing_wakes_who_waits(void **state) {
    (void)state;
    struct taker taker = {.ring = make(4)};
    chief__thread thread;
    support_gate_init(&taker.begun);
    support_thread(&thread, take_for_ever, &taker);
    assert_true(support_gate_pass(&taker.begun));
    chief__events_close(taker.ring);
    chief__thread_join(&thread);
    assert_int_equal(taker.rc, CHIEF_ECLOSED);
    support_gate_fini(&taker.begun);
    chief__events_unref(taker.ring);
}

/* ---- memory ---- */

static int push_three(void) {
    chief__events *ring = NULL;
    int rc = chief__events_new(&ring, 2);
    if (rc != CHIEF_OK) return rc;
    for (uint64_t seq = 1; seq <= 3; seq++) push(ring, seq);
    uint64_t taken = 0;
    while (take(ring) != 0) taken++;
    assert_int_equal(taken, 2); /* of three one is lost: for want of room or of memory */
    assert_int_equal(chief__events_dropped(ring), 1);
    push(ring, 4);
    chief__events_unref(ring);
    return CHIEF_OK;
}

static void test_event__out_of_memory_is_counted(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(push_three), 5);
}

static void test_event__names_of_kinds(void **state) {
    (void)state;
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_STATE), "state");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_WRONG_STATE_CHANGE), "wrong_state_change");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_READY), "ready");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_RESTART), "restart");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_GIVEN_UP), "given_up");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_ABANDONED), "abandoned");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_REMOVED), "removed");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_MESSAGE_DROPPED), "message_dropped");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_NOTE), "note");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_SIGNAL), "signal");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_STOPPING), "stopping");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_HOOK_TIMEOUT), "hook_timeout");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_STOPPED), "stopped");
    assert_string_equal(chief_event_kind_name(0), "");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_FORCED), "forced");
    assert_string_equal(chief_event_kind_name(CHIEF_EVENT_FORCED + 1), "");
    assert_string_equal(chief_event_kind_name(-1), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event__an_event_is_a_copy),
        cmocka_unit_test(test_event__the_oldest_comes_first_in_batches),
        cmocka_unit_test(test_event__a_full_ring_drops_the_oldest_and_counts),
        cmocka_unit_test(test_event__one_below_the_level_takes_no_room),
        cmocka_unit_test(test_event__one_below_the_level_wakes_nobody),
        cmocka_unit_test(test_event__what_is_counted_from_outside),
        cmocka_unit_test(test_event__an_empty_ring_keeps_to_the_timeout),
        cmocka_unit_test(test_event__a_closed_ring_gives_what_it_has),
        cmocka_unit_test(test_event__the_descriptor_is_readable_while_something_waits),
        cmocka_unit_test(test_event__a_late_descriptor_knows_what_waits),
        cmocka_unit_test(test_event__what_is_taken_and_dropped_is_all),
        cmocka_unit_test(test_event__closing_wakes_who_waits),
        cmocka_unit_test(test_event__out_of_memory_is_counted),
        cmocka_unit_test(test_event__names_of_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
