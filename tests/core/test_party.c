/* Parties: what wakes them, and how their end and their abandonment meet. */
#include "channel_kit.h"

static void test_party__one_that_never_was_is_freed(void **state) {
    (void)state;
    chief__party p;
    memset(&p, 0, sizeof p);
    chief__party_fini(&p);
}

static void test_party__it_ends_once(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), 1);
    chief__party_end(&w.party, true);
    chief__party_end(&w.party, false);
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).acknowledged, 1);
    chief_channel_unref(ch);
}

static void test_party__one_that_is_freed_without_an_end_ends_uncleanly(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), 1);
    chief__party_fini(&w.party);
    chief_context_unref(w.context);
    assert_int_equal(kit_sums(ch).queued, 1);
    chief_channel_unref(ch);
}

static void test_party__a_host_is_never_done(void **state) {
    (void)state;
    assert_false(chief__party_is_abandoned(NULL));
    assert_int_equal(chief__party_err(NULL), CHIEF_OK);
    assert_int_equal(chief__stay_over(NULL, chief__limit(CHIEF_FOREVER)), CHIEF_OK);
    assert_int_equal(chief__stay_over(NULL, chief__limit(0)), CHIEF_EAGAIN);
    assert_int_equal(chief__stay_over(NULL, chief__now_ms() - 1), CHIEF_ETIMEDOUT);
}

/* Each of them comes after the stay began and before it parks, the moment in which it must not be missed. */
static void test_party__nothing_is_missed_before_the_parking(void **state) {
    (void)state;
    for (int what = 0; what < 3; what++) {
        kit_worker w;
        chief__stay stay;
        kit_open(&w, "w", NULL);
        chief__stay_begin(&stay, &w.party);
        if (what == 0) chief__party_set_grace(&w.party, 0);
        else if (what == 1) chief__party_abandon(&w.party);
        else chief_context_cancel(w.context, NULL);
        chief__stay_park(&stay, INT64_MAX);
        kit_close(&w, true);
    }
}

/* ---- an end that meets an abandonment ---- */

typedef struct meeting {
    kit_worker worker;
    support_gate begin;
    bool clean;
} meeting;

static void end_it(void *data) {
    meeting *m = data;
    assert_true(support_gate_pass(&m->begin));
    chief__party_end(&m->worker.party, m->clean);
}

static void test_party__an_end_and_an_abandonment_settle_it_once(void **state) {
    (void)state;
    for (int round = 0; round < 300; round++) {
        chief_channel *ch = kit_channel(2, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
        chief_reservation *r;
        chief__thread thread;
        meeting m = {.clean = round % 2 == 0};
        void *room;
        kit_open(&m.worker, "w", NULL);
        support_gate_init(&m.begin);
        kit_fill(ch, 1, 1);
        assert_int_equal(kit_recv(ch, &m.worker), 1);
        assert_int_equal(chief_send_reserve(ch, as(&m.worker), 4, 0, &r, &room), CHIEF_OK);
        support_thread(&thread, end_it, &m);
        support_gate_open(&m.begin);
        chief__party_abandon(&m.worker.party);
        chief__thread_join(&thread);
        chief_channel_stats s = kit_sums(ch);
        assert_int_equal(s.in_hand, 0);
        assert_int_equal(s.acknowledged + s.queued, 1);
        if (!m.clean) assert_int_equal(s.redelivered, 1);
        assert_int_equal(ch->reserved, 0);
        kit_close(&m.worker, false);
        support_gate_fini(&m.begin);
        chief_channel_unref(ch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_party__one_that_never_was_is_freed),
        cmocka_unit_test(test_party__it_ends_once),
        cmocka_unit_test(test_party__one_that_is_freed_without_an_end_ends_uncleanly),
        cmocka_unit_test(test_party__a_host_is_never_done),
        cmocka_unit_test(test_party__nothing_is_missed_before_the_parking),
        cmocka_unit_test(test_party__an_end_and_an_abandonment_settle_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
