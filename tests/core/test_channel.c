/* Channels seen from one thread: order, overflow, closing, counters, reservations, select, the descriptor. */
#include "channel_kit.h"

#include <poll.h>

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* ---- what goes in comes out ---- */

static void test_channel__a_message_says_what_it_is(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    chief_msg *msg;
    kit_open(&w, "api", NULL);
    assert_int_equal(chief_channel_send(ch, as(&w), "hello", 5, 0), CHIEF_OK);
    assert_int_equal(chief_channel_send(ch, NULL, NULL, 0, 0), CHIEF_OK);
    assert_int_equal(chief_channel_recv(ch, NULL, 0, &msg), CHIEF_OK);
    assert_int_equal(chief_msg_data(msg).len, 5);
    assert_memory_equal(chief_msg_data(msg).data, "hello", 5);
    assert_string_equal(chief_msg_sender(msg), "api");
    assert_string_equal(chief_msg_kind(msg), "message");
    assert_string_equal(chief_msg_channel(msg), "jobs");
    assert_int_equal(chief_msg_deliveries(msg), 1);
    assert_int_equal(chief_msg_reply(msg, "x", 1), CHIEF_ENOENT);
    chief_msg_free(msg);
    assert_int_equal(chief_channel_recv(ch, NULL, 0, &msg), CHIEF_OK);
    assert_string_equal(chief_msg_sender(msg), "");
    assert_int_equal(chief_msg_data(msg).len, 0);
    kit_close(&w, true);
    chief_channel_unref(ch);
    assert_string_equal(chief_msg_channel(msg), "jobs");
    chief_msg_free(msg);
}

static void test_channel__keeps_the_order(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(64, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_fill(ch, 1, 50);
    assert_int_equal(chief_channel_len(ch), 50);
    for (int32_t i = 1; i <= 50; i++) assert_int_equal(kit_recv(ch, NULL), i);
    assert_int_equal(kit_recv(ch, NULL), CHIEF_EAGAIN);
    chief_channel_unref(ch);
}

static void test_channel__many_go_and_come_in_order(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(3, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_bytes items[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
    chief_msg *out[8];
    size_t n;
    assert_int_equal(chief_channel_send_many(ch, NULL, items, 4, 0, &n), CHIEF_EAGAIN);
    assert_int_equal(n, 3);
    assert_int_equal(chief_channel_recv_many(ch, NULL, 0, out, 8, &n), CHIEF_OK);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(chief_msg_data(out[i]).data, items[i].data, 1);
        chief_msg_free(out[i]);
    }
    assert_int_equal(chief_channel_recv_many(ch, NULL, 0, out, 8, &n), CHIEF_EAGAIN);
    assert_int_equal(n, 0);
    assert_int_equal(chief_channel_send_many(ch, NULL, items, 4, 5, &n), CHIEF_ETIMEDOUT);
    assert_int_equal(n, 3);
    chief_channel_unref(ch);
}

/* ---- overflow ---- */

static void test_channel__parts_come_as_one(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(2, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_msg *msg;
    const chief_bytes parts[] = {{"one", 3}, {NULL, 0}, {" ", 1}, {"message", 7}};
    assert_int_equal(chief_channel_send_parts(ch, NULL, parts, 4, 0), CHIEF_OK);
    assert_int_equal(chief_channel_send_parts(ch, NULL, NULL, 0, 0), CHIEF_OK);
    assert_int_equal(chief_channel_send_parts(ch, NULL, parts, 4, 0), CHIEF_EAGAIN);
    assert_int_equal(kit_sums(ch).sent, 2);
    assert_int_equal(chief_channel_recv(ch, NULL, 0, &msg), CHIEF_OK);
    assert_int_equal(chief_msg_data(msg).len, 11);
    assert_memory_equal(chief_msg_data(msg).data, "one message", 11);
    chief_msg_free(msg);
    assert_int_equal(chief_channel_recv(ch, NULL, 0, &msg), CHIEF_OK);
    assert_int_equal(chief_msg_data(msg).len, 0);
    chief_msg_free(msg);
    chief_channel_unref(ch);
}

static void test_channel__a_full_one_that_blocks_lets_nobody_in(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(2, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    int32_t number = 3;
    kit_fill(ch, 1, 2);
    assert_int_equal(kit_send(ch, NULL, 3), CHIEF_EAGAIN);
    assert_int_equal(chief_channel_send(ch, NULL, &number, sizeof number, 5), CHIEF_ETIMEDOUT);
    assert_int_equal(kit_sums(ch).sent, 2);
    chief_channel_unref(ch);
}

static void test_channel__fail_says_full_at_once(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_FAIL, CHIEF_AT_MOST_ONCE);
    int32_t number = 2;
    kit_fill(ch, 1, 1);
    assert_int_equal(chief_channel_send(ch, NULL, &number, sizeof number, CHIEF_FOREVER), CHIEF_EFULL);
    support_says("channel \"jobs\" is full");
    assert_int_equal(kit_sums(ch).dropped, 0);
    chief_channel_unref(ch);
}

static void test_channel__drop_oldest_loses_the_oldest_and_counts(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(2, CHIEF_DROP_OLDEST, CHIEF_AT_MOST_ONCE);
    kit_fill(ch, 1, 5);
    assert_int_equal(kit_sums(ch).dropped, 3);
    assert_int_equal(kit_recv(ch, NULL), 4);
    assert_int_equal(kit_recv(ch, NULL), 5);
    assert_int_equal(kit_sums(ch).sent, 5);
    chief_channel_unref(ch);
}

static void test_channel__what_is_in_hand_takes_no_room(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_DROP_OLDEST, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), 1);
    kit_fill(ch, 2, 2);
    assert_int_equal(kit_sums(ch).dropped, 0);
    assert_int_equal(kit_sums(ch).in_hand, 1);
    kit_close(&w, true);
    chief_channel_unref(ch);
}

/* ---- limits and misuse ---- */

static void test_channel__what_is_too_big_is_refused(void **state) {
    (void)state;
    chief_channel_options o = {.size = sizeof o, .max_message = 4};
    chief_channel *ch = kit_channel_with(&o);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_channel_send(ch, NULL, "12345", 5, 0), CHIEF_ETOOBIG);
    assert_int_equal(chief_channel_send_parts(ch, NULL, (chief_bytes[]){{"123", 3}, {"45", 2}}, 2, 0), CHIEF_ETOOBIG);
    assert_int_equal(chief_channel_send_parts(ch, NULL, (chief_bytes[]){{"1", 1}, {"", SIZE_MAX}}, 2, 0),
                     CHIEF_ETOOBIG);
    assert_int_equal(chief_send_reserve(ch, NULL, 5, 0, &r, &room), CHIEF_ETOOBIG);
    assert_int_equal(chief_channel_send(ch, NULL, "1234", 4, 0), CHIEF_OK);
    assert_int_equal(kit_sums(ch).sent, 1);
    chief_channel_unref(ch);
}

static void test_channel__options_are_looked_at(void **state) {
    (void)state;
    chief_channel *ch;
    const chief_channel_options wrong[] = {
        {.size = sizeof wrong[0], .overflow = 3},          {.size = sizeof wrong[0], .delivery = -1},
        {.size = sizeof wrong[0], .max_deliveries = -1},   {.size = sizeof wrong[0], .max_message = -1},
        {.size = sizeof wrong[0], .dead = "jobs"},         {.size = 0},
        {.size = sizeof wrong[0], .dead = "no such/name"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(chief_channel_new(&ch, "jobs", &wrong[i]), CHIEF_EINVAL);
        assert_null(ch);
    }
    assert_int_equal(chief_channel_new(&ch, ".hidden", NULL), CHIEF_EINVAL);
    assert_int_equal(chief_channel_new(&ch, NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_channel_new(NULL, "jobs", NULL), CHIEF_EINVAL);
    assert_int_equal(chief_channel_new(&ch, "jobs", NULL), CHIEF_OK);
    assert_int_equal(kit_stats(ch).capacity, 64);
    chief_channel_unref(ch);
}

static void test_channel__nothing_given_is_refused(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_channel_stats stats = {.size = 0};
    chief_channel *none[] = {NULL};
    chief_msg *msg;
    size_t n;
    assert_int_equal(chief_channel_send(NULL, NULL, "x", 1, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_send(ch, NULL, NULL, 1, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_send_many(ch, NULL, NULL, 1, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_channel_send_parts(NULL, NULL, NULL, 0, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_send_parts(ch, NULL, NULL, 1, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_send_parts(ch, NULL, (chief_bytes[]){{"x", 1}, {NULL, 1}}, 2, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_recv(ch, NULL, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_channel_recv_many(ch, NULL, 0, &msg, 0, &n), CHIEF_EINVAL);
    assert_int_equal(chief_channel_get_stats(ch, &stats), CHIEF_EINVAL);
    assert_int_equal(chief_channel_get_stats(ch, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_select(NULL, none, 1, 0, &n, &msg), CHIEF_EINVAL);
    assert_int_equal(chief_select(NULL, &ch, 0, 0, &n, &msg), CHIEF_EINVAL);
    assert_int_equal(chief_send_commit(NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_fd(NULL), CHIEF_EINVAL);
    assert_int_equal(chief_worker_sleep(NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_channel_len(NULL), 0);
    assert_int_equal(chief_msg_data(NULL).len, 0);
    assert_string_equal(chief_channel_name(ch), "jobs");
    chief_send_cancel(NULL);
    chief_channel_ack(ch, NULL);
    chief_channel_close(NULL);
    chief_channel_unref(NULL);
    chief_msg_free(NULL);
    chief_channel_unref(ch);
}

static void test_channel__an_older_callers_stats_are_filled_as_far_as_they_go(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_channel_stats s;
    memset(&s, 0xee, sizeof s);
    s.size = offsetof(chief_channel_stats, received);
    kit_fill(ch, 1, 2);
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    assert_int_equal(s.sent, 2);
    assert_int_equal(s.received, 0xeeeeeeeeeeeeeeeeu);
    chief_channel_unref(ch);
}

/* ---- closing ---- */

static void test_channel__a_closed_one_is_drained_and_then_closed(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_fill(ch, 1, 2);
    chief_channel_close(ch);
    chief_channel_close(ch);
    assert_int_equal(kit_send(ch, NULL, 3), CHIEF_ECLOSED);
    support_says("channel \"jobs\" is closed");
    assert_int_equal(kit_recv(ch, NULL), 1);
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_int_equal(kit_recv(ch, NULL), CHIEF_ECLOSED);
    assert_int_equal(kit_sums(ch).sent, 2);
    chief_channel_unref(ch);
}

static void test_channel__a_done_context_still_receives_what_is_queued(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    chief_msg *msg;
    size_t index;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 2);
    kit_stop(&w, -1);
    assert_int_equal(kit_recv(ch, &w), 1);
    assert_int_equal(chief_select(as(&w), &ch, 1, CHIEF_FOREVER, &index, &msg), CHIEF_OK);
    assert_int_equal(kit_number(msg), 2);
    chief_msg_free(msg);
    assert_int_equal(chief_channel_recv(ch, as(&w), CHIEF_FOREVER, &msg), CHIEF_ECANCELED);
    assert_int_equal(chief_select(as(&w), &ch, 1, CHIEF_FOREVER, &index, &msg), CHIEF_ECANCELED);
    assert_int_equal(chief_worker_sleep(as(&w), CHIEF_FOREVER), CHIEF_ECANCELED);
    kit_close(&w, true);
    chief_channel_unref(ch);
}

static void test_channel__a_done_context_still_sends_while_there_is_room(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    int32_t number = 2;
    kit_open(&w, "w", NULL);
    kit_stop(&w, 0);
    assert_int_equal(kit_send(ch, &w, 1), CHIEF_OK);
    assert_int_equal(chief_channel_send(ch, as(&w), &number, sizeof number, CHIEF_FOREVER), CHIEF_ECANCELED);
    kit_close(&w, true);
    chief_channel_unref(ch);
}

/* ---- reservations ---- */

static void test_channel__a_reservation_holds_its_place(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 16, 0, &r, &room), CHIEF_OK);
    assert_int_equal(kit_send(ch, NULL, 1), CHIEF_EAGAIN);
    assert_int_equal(chief_channel_len(ch), 0);
    int32_t number = 7;
    memcpy(room, &number, sizeof number);
    assert_int_equal(chief_send_commit(r, sizeof number), CHIEF_OK);
    assert_int_equal(kit_recv(ch, NULL), 7);
    assert_int_equal(chief_send_reserve(ch, NULL, 16, 0, &r, &room), CHIEF_OK);
    chief_send_cancel(r);
    assert_int_equal(kit_send(ch, NULL, 1), CHIEF_OK);
    assert_int_equal(kit_sums(ch).sent, 2);
    chief_channel_unref(ch);
}

static void test_channel__a_commit_of_more_than_reserved_gives_the_room_back(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 4, 0, &r, &room), CHIEF_OK);
    assert_int_equal(chief_send_commit(r, 5), CHIEF_EINVAL);
    assert_int_equal(kit_send(ch, NULL, 1), CHIEF_OK);
    chief_channel_unref(ch);
}

static void test_channel__a_commit_after_the_close_is_closed(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 4, 0, &r, &room), CHIEF_OK);
    chief_channel_close(ch);
    assert_int_equal(chief_send_commit(r, 4), CHIEF_ECLOSED);
    assert_int_equal(kit_recv(ch, NULL), CHIEF_ECLOSED);
    chief_channel_unref(ch);
}

static void test_channel__a_reservation_outlives_the_last_reference(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 4, 0, &r, &room), CHIEF_OK);
    chief_channel_unref(ch);
    assert_int_equal(chief_send_commit(r, 0), CHIEF_OK);
}

static void test_channel__what_is_reserved_cannot_be_dropped(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_DROP_OLDEST, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 4, 0, &r, &room), CHIEF_OK);
    assert_int_equal(kit_send(ch, NULL, 1), CHIEF_EFULL);
    chief_send_cancel(r);
    assert_int_equal(kit_send(ch, NULL, 1), CHIEF_OK);
    chief_channel_unref(ch);
}

/* ---- select ---- */

static void test_channel__select_takes_from_the_first_that_has_something(void **state) {
    (void)state;
    chief_channel *a = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_channel *b = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_channel *both[] = {a, b};
    chief_msg *msg;
    size_t index;
    assert_int_equal(chief_select(NULL, both, 2, 0, &index, &msg), CHIEF_EAGAIN);
    assert_int_equal(chief_select(NULL, both, 2, 5, &index, &msg), CHIEF_ETIMEDOUT);
    assert_null(msg);
    kit_fill(b, 2, 2);
    assert_int_equal(chief_select(NULL, both, 2, 0, &index, &msg), CHIEF_OK);
    assert_int_equal(index, 1);
    assert_int_equal(kit_number(msg), 2);
    chief_msg_free(msg);
    kit_fill(b, 4, 4);
    kit_fill(a, 3, 3);
    assert_int_equal(chief_select(NULL, both, 2, 0, &index, &msg), CHIEF_OK);
    assert_int_equal(index, 0);
    chief_msg_free(msg);
    chief_channel_unref(a);
    chief_channel_unref(b);
}

static void test_channel__select_is_closed_when_all_are(void **state) {
    (void)state;
    chief_channel *many[12];
    chief_msg *msg;
    size_t index;
    for (size_t i = 0; i < 12; i++) many[i] = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_fill(many[11], 1, 1);
    for (size_t i = 0; i < 12; i++) {
        if (i < 11) assert_int_equal(chief_select(NULL, many, 11, 0, &index, &msg), CHIEF_EAGAIN);
        chief_channel_close(many[i]);
    }
    assert_int_equal(chief_select(NULL, many, 12, CHIEF_FOREVER, &index, &msg), CHIEF_OK);
    assert_int_equal(index, 11);
    chief_msg_free(msg);
    assert_int_equal(chief_select(NULL, many, 12, CHIEF_FOREVER, &index, &msg), CHIEF_ECLOSED);
    for (size_t i = 0; i < 12; i++) chief_channel_unref(many[i]);
}

static void test_channel__select_acknowledges_as_a_receive_does(void **state) {
    (void)state;
    chief_channel *a = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    chief_msg *msg;
    size_t index;
    kit_open(&w, "w", NULL);
    kit_fill(a, 1, 2);
    for (int32_t i = 1; i <= 2; i++) {
        assert_int_equal(chief_select(as(&w), &a, 1, 0, &index, &msg), CHIEF_OK);
        assert_int_equal(kit_sums(a).in_hand, 1);
        assert_int_equal(kit_sums(a).acknowledged, i - 1);
        chief_msg_free(msg);
    }
    assert_int_equal(chief_select(as(&w), &a, 1, 0, &index, &msg), CHIEF_EAGAIN);
    assert_int_equal(kit_sums(a).acknowledged, 2);
    kit_close(&w, true);
    chief_channel_unref(a);
}

/* ---- the descriptor ---- */

static void test_channel__its_descriptor_follows_the_queue(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    int fd = chief_channel_fd(ch);
    assert_int_equal(chief_channel_fd(ch), fd);
    assert_false(readable(fd));
    kit_fill(ch, 1, 2);
    assert_true(readable(fd));
    assert_int_equal(kit_recv(ch, &w), 1);
    assert_true(readable(fd));
    assert_int_equal(kit_recv(ch, &w), 2);
    assert_false(readable(fd));
    kit_close(&w, false);
    assert_true(readable(fd));
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_false(readable(fd));
    chief_channel_close(ch);
    assert_true(readable(fd));
    chief_channel_unref(ch);
}

static void test_channel__its_descriptor_knows_what_was_queued_before(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_DROP_OLDEST, CHIEF_AT_MOST_ONCE);
    kit_fill(ch, 1, 1);
    int fd = chief_channel_fd(ch);
    assert_true(readable(fd));
    kit_fill(ch, 2, 2);
    assert_true(readable(fd));
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_false(readable(fd));
    chief_channel_unref(ch);
}

/* ---- memory ---- */

static int use_a_channel(void) {
    chief_channel_options o = {.size = sizeof o, .capacity = 2, .dead = "dead", .delivery = CHIEF_AT_LEAST_ONCE};
    chief_channel *ch = NULL, *second = NULL;
    chief_reservation *r = NULL;
    chief_msg *msg = NULL;
    kit_worker w;
    void *room;
    size_t index;
    int rc = chief_context_new(&w.context, NULL);
    if (rc != CHIEF_OK) return rc;
    chief__party_init(&w.party, "w", w.context, NULL);
    rc = chief_channel_new(&ch, "jobs", &o);
    if (rc == CHIEF_OK) rc = chief_channel_new(&second, "more", NULL);
    if (rc == CHIEF_OK) rc = chief_channel_send(ch, as(&w), "a", 1, 0);
    if (rc == CHIEF_OK) rc = chief_channel_send_parts(second, as(&w), (chief_bytes[]){{"b", 1}, {"c", 1}}, 2, 0);
    if (rc == CHIEF_OK) rc = chief_send_reserve(ch, as(&w), 1, 0, &r, &room);
    if (rc == CHIEF_OK) rc = chief_send_commit(r, 1);
    if (rc == CHIEF_OK) rc = chief_channel_recv(ch, as(&w), 0, &msg);
    chief_channel *many[] = {second, second, second, second, second, second, second, second, ch};
    if (rc == CHIEF_OK) {
        chief_msg_free(msg);
        rc = chief_select(as(&w), many, 9, 0, &index, &msg);
        chief_msg_free(msg);
    }
    if (ch != NULL) (void)kit_sums(ch);
    kit_close(&w, false);
    if (ch != NULL) (void)kit_sums(ch);
    chief_channel_unref(ch);
    chief_channel_unref(second);
    return rc;
}

static void test_channel__without_memory_nothing_is_sent_and_nothing_lost(void **state) {
    (void)state;
    assert_true(support_out_of_memory(use_a_channel) >= 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel__a_message_says_what_it_is),
        cmocka_unit_test(test_channel__keeps_the_order),
        cmocka_unit_test(test_channel__many_go_and_come_in_order),
        cmocka_unit_test(test_channel__parts_come_as_one),
        cmocka_unit_test(test_channel__a_full_one_that_blocks_lets_nobody_in),
        cmocka_unit_test(test_channel__fail_says_full_at_once),
        cmocka_unit_test(test_channel__drop_oldest_loses_the_oldest_and_counts),
        cmocka_unit_test(test_channel__what_is_in_hand_takes_no_room),
        cmocka_unit_test(test_channel__what_is_too_big_is_refused),
        cmocka_unit_test(test_channel__options_are_looked_at),
        cmocka_unit_test(test_channel__nothing_given_is_refused),
        cmocka_unit_test(test_channel__an_older_callers_stats_are_filled_as_far_as_they_go),
        cmocka_unit_test(test_channel__a_closed_one_is_drained_and_then_closed),
        cmocka_unit_test(test_channel__a_done_context_still_receives_what_is_queued),
        cmocka_unit_test(test_channel__a_done_context_still_sends_while_there_is_room),
        cmocka_unit_test(test_channel__a_reservation_holds_its_place),
        cmocka_unit_test(test_channel__a_commit_of_more_than_reserved_gives_the_room_back),
        cmocka_unit_test(test_channel__a_commit_after_the_close_is_closed),
        cmocka_unit_test(test_channel__a_reservation_outlives_the_last_reference),
        cmocka_unit_test(test_channel__what_is_reserved_cannot_be_dropped),
        cmocka_unit_test(test_channel__select_takes_from_the_first_that_has_something),
        cmocka_unit_test(test_channel__select_is_closed_when_all_are),
        cmocka_unit_test(test_channel__select_acknowledges_as_a_receive_does),
        cmocka_unit_test(test_channel__its_descriptor_follows_the_queue),
        cmocka_unit_test(test_channel__its_descriptor_knows_what_was_queued_before),
        cmocka_unit_test(test_channel__without_memory_nothing_is_sent_and_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
