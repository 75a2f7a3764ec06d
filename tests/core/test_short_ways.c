/* The short ways of two that talk: a wait that receives in the same step, and a mailbox that is found again without its hub. */
#include "town_kit.h"

static chief_channel *own; /* NULL: the mailbox */

/* Of its own mailbox. */
static int receive_or_wait(kit_worker *w, chief_msg **msg) {
    chief_wait wait = {.size = sizeof wait, .kind = CHIEF_WAIT_RECV, .channels = &own, .n = 1, .received = msg};
    wait.deadline = INT64_MAX;
    return chief_wait_prepare(as(w), &wait);
}

static void tell(town *t, const char *to, const char *text) {
    assert_int_equal(chief_worker_send(as(&t->a), to, text, 1, 0), CHIEF_OK);
}

static void expect(kit_worker *w, const char *text) {
    chief_msg *msg;
    assert_int_equal(receive_or_wait(w, &msg), CHIEF_OK);
    assert_memory_equal(chief_msg_data(msg).data, text, 1);
    chief_msg_free(msg);
}

static void expect_nothing(kit_worker *w) {
    chief_msg *msg;
    assert_int_equal(receive_or_wait(w, &msg), CHIEF_EAGAIN);
    assert_null(msg);
}

/* Takes the token, if there is one. */
static bool is_woken(kit_worker *w) { return chief__park(&w->party.waiter.parker, chief__now_ms()); }

/* ---- a wait that receives ---- */

static void test_short_ways__a_wait_receives_what_is_there(void **state) {
    (void)state;
    town t;
    town_open(&t);
    tell(&t, "b", "1");
    tell(&t, "b", "2");
    expect(&t.b, "1");
    expect(&t.b, "2");
    expect_nothing(&t.b);
    tell(&t, "b", "3");
    chief_wait_park(as(&t.b));
    expect(&t.b, "3");
    assert_int_equal(kit_sums(t.b.party.mailbox).in_hand, 1);
    expect_nothing(&t.b); /* and acknowledges */
    assert_int_equal(kit_sums(t.b.party.mailbox).acknowledged, 3);
    town_close(&t);
}

/* As a fiber does it, with and without a wake by its mailbox. */
static void test_short_ways__a_spot_is_kept_from_wait_to_wait(void **state) {
    (void)state;
    town t;
    town_open(&t);
    for (int i = 0; i < 10; i++) {
        expect_nothing(&t.b);
        if (i % 2 == 0) {
            tell(&t, "b", "x");
            assert_true(is_woken(&t.b));
        }
        chief__prepared_resume(&t.b.party);
        assert_null(t.b.party.mailbox->receivers.first);
        if (i % 2 == 0) expect(&t.b, "x");
    }
    town_close(&t);
}

static void test_short_ways__a_wait_that_receives_is_for_one_channel(void **state) {
    (void)state;
    town t;
    chief_msg *msg;
    town_open(&t);
    chief_channel *both[2] = {NULL, NULL};
    chief_wait wait = {.size = sizeof wait, .kind = CHIEF_WAIT_RECV, .channels = both, .n = 2, .received = &msg};
    assert_int_equal(chief_wait_prepare(as(&t.b), &wait), CHIEF_EINVAL);
    support_says("one channel");
    wait.n = 1;
    wait.kind = CHIEF_WAIT_SEND;
    assert_int_equal(chief_wait_prepare(as(&t.b), &wait), CHIEF_EINVAL);
    wait.kind = CHIEF_WAIT_RECV; /* and its deadline has passed */
    assert_int_equal(chief_wait_prepare(as(&t.b), &wait), CHIEF_ETIMEDOUT);
    support_says("the mailbox of worker \"b\": timed out");
    chief_context_cancel(t.b.context, "enough");
    assert_int_equal(receive_or_wait(&t.b, &msg), CHIEF_ECANCELED);
    assert_null(t.b.party.mailbox->receivers.first);
    town_close(&t);
}

/* The one that was given up was first in line for the message. */
static void test_short_ways__who_is_given_up_passes_its_wake_on(void **state) {
    (void)state;
    town t;
    kit_worker next;
    town_open(&t);
    expect_nothing(&t.b);
    chief__party_abandon(&t.b.party);
    kit_open(&next, "b", t.hub);
    expect_nothing(&next);
    tell(&t, "b", "x");
    assert_false(is_woken(&next));
    chief__prepared_resume(&t.b.party);
    assert_true(is_woken(&next));
    chief_msg *msg;
    assert_int_equal(receive_or_wait(&t.b, &msg), CHIEF_ECANCELED);
    expect(&next, "x");
    kit_close(&next, true);
    town_close(&t);
}

/* ---- a mailbox that is found again ---- */

static void test_short_ways__a_name_that_is_anothers_now_is_looked_for(void **state) {
    (void)state;
    town t;
    kit_worker next;
    town_open(&t);
    tell(&t, "b", "1");
    tell(&t, "b", "2");
    assert_ptr_equal(t.a.party.addressee, t.b.party.mailbox);
    chief__hub_remove_worker(t.hub, "b");
    assert_int_equal(chief_worker_send(as(&t.a), "b", "3", 1, 0), CHIEF_ENOENT);
    assert_null(t.a.party.addressee); /* nor kept for nothing */
    assert_int_equal(chief__hub_add_worker(t.hub, "b", 4), CHIEF_OK);
    kit_open(&next, "b", t.hub);
    tell(&t, "b", "4");
    tell(&t, "a", "5");
    tell(&t, "b", "6");
    expect(&next, "4");
    expect(&next, "6");
    expect(&t.a, "5");
    kit_close(&next, true);
    town_close(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_ways__a_wait_receives_what_is_there),
        cmocka_unit_test(test_short_ways__a_spot_is_kept_from_wait_to_wait),
        cmocka_unit_test(test_short_ways__a_wait_that_receives_is_for_one_channel),
        cmocka_unit_test(test_short_ways__who_is_given_up_passes_its_wake_on),
        cmocka_unit_test(test_short_ways__a_name_that_is_anothers_now_is_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
