/*
 * Who has a message, and what becomes of it when its receiver ends: cleanly, not cleanly, or given up by the loop. FAULTS
 * 37, 38 and 48; what was sent is numbered and counted here, not by the channel.
 */
#include "channel_kit.h"

static int32_t take(chief_channel *ch, kit_worker *w, uint32_t *deliveries) {
    chief_msg *msg;
    int rc = chief_channel_recv(ch, as(w), 0, &msg);
    if (rc != CHIEF_OK) return rc;
    int32_t number = kit_number(msg);
    *deliveries = chief_msg_deliveries(msg);
    chief_msg_free(msg);
    return number;
}

/* ---- acknowledging ---- */

static void test_channel_delivery__the_next_receive_acknowledges(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 2);
    assert_int_equal(kit_recv(ch, &w), 1);
    assert_int_equal(kit_sums(ch).in_hand, 1);
    assert_int_equal(kit_recv(ch, &w), 2);
    assert_int_equal(kit_sums(ch).acknowledged, 1);
    assert_int_equal(kit_recv(ch, &w), CHIEF_EAGAIN);
    assert_int_equal(kit_sums(ch).acknowledged, 2);
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).queued, 0);
    chief_channel_unref(ch);
}

static void test_channel_delivery__ack_acknowledges_all_that_is_held(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    chief_msg *out[3];
    size_t n;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 4);
    assert_int_equal(chief_channel_recv_many(ch, as(&w), 0, out, 3, &n), CHIEF_OK);
    assert_int_equal(n, 3);
    assert_int_equal(kit_sums(ch).in_hand, 3);
    chief_channel_ack(ch, as(&w));
    assert_int_equal(kit_sums(ch).acknowledged, 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(kit_number(out[i]), i + 1);
        chief_msg_free(out[i]);
    }
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).redelivered, 0);
    assert_int_equal(kit_recv(ch, NULL), 4);
    chief_channel_unref(ch);
}

static void test_channel_delivery__a_clean_end_acknowledges(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), 1);
    kit_close(&w, true);
    assert_int_equal(kit_sums(ch).acknowledged, 1);
    chief_channel_unref(ch);
}

static void test_channel_delivery__freeing_the_bytes_acknowledges_nothing(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    chief_msg *msg;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(chief_channel_recv(ch, as(&w), 0, &msg), CHIEF_OK);
    chief_msg_free(msg);
    assert_int_equal(kit_sums(ch).in_hand, 1);
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).queued, 1);
    chief_channel_unref(ch);
}

static void test_channel_delivery__the_host_has_nothing_in_hand(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, NULL), 1);
    assert_int_equal(kit_sums(ch).acknowledged, 1);
    chief_channel_unref(ch);
}

/* ---- dying with a message in hand (48) ---- */

static void test_channel_delivery__at_most_once_counts_what_died(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 3);
    assert_int_equal(kit_recv(ch, &w), 1);
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).dropped, 1);
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_int_equal(kit_recv(ch, NULL), 3);
    chief_channel_unref(ch);
}

static void test_channel_delivery__at_least_once_brings_it_back_first_and_flagged(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    chief_msg *out[3] = {NULL};
    uint32_t deliveries = 0;
    size_t n;
    kit_open(&w, "first", NULL);
    kit_fill(ch, 1, 5);
    assert_int_equal(chief_channel_recv_many(ch, as(&w), 0, out, 3, &n), CHIEF_OK);
    for (size_t i = 0; i < n; i++) chief_msg_free(out[i]);
    kit_close(&w, false);
    assert_int_equal(kit_sums(ch).redelivered, 3);
    assert_int_equal(kit_sums(ch).queued, 5);
    kit_open(&w, "second", NULL);
    for (int32_t i = 1; i <= 5; i++) {
        assert_int_equal(take(ch, &w, &deliveries), i);
        assert_int_equal(deliveries, i <= 3 ? 2 : 1);
    }
    kit_close(&w, true);
    chief_channel_unref(ch);
}

static void test_channel_delivery__two_that_die_put_back_in_the_order_sent(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker a, b;
    chief_msg *out[2];
    size_t n;
    kit_open(&a, "a", NULL);
    kit_open(&b, "b", NULL);
    kit_fill(ch, 1, 4);
    assert_int_equal(kit_recv(ch, &a), 1);
    assert_int_equal(chief_channel_recv_many(ch, as(&b), 0, out, 2, &n), CHIEF_OK);
    for (size_t i = 0; i < n; i++) chief_msg_free(out[i]);
    kit_close(&b, false);
    kit_close(&a, false);
    for (int32_t i = 1; i <= 4; i++) assert_int_equal(kit_recv(ch, NULL), i);
    chief_channel_unref(ch);
}

static void test_channel_delivery__what_comes_back_may_exceed_the_capacity(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), 1);
    kit_fill(ch, 2, 2);
    kit_close(&w, false);
    assert_int_equal(chief_channel_len(ch), 2);
    assert_int_equal(kit_recv(ch, NULL), 1);
    assert_int_equal(kit_send(ch, NULL, 3), CHIEF_EAGAIN);
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_int_equal(kit_send(ch, NULL, 3), CHIEF_OK);
    chief_channel_unref(ch);
}

static void test_channel_delivery__the_bytes_outlive_the_redelivery(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    chief_msg *kept;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 7, 7);
    assert_int_equal(chief_channel_recv(ch, as(&w), 0, &kept), CHIEF_OK);
    kit_close(&w, false);
    assert_int_equal(kit_recv(ch, NULL), 7);
    chief_channel_unref(ch);
    assert_int_equal(kit_number(kept), 7);
    chief_msg_free(kept);
}

/* ---- a message that kills ---- */

typedef struct deaths {
    int n;
    char channel[64], worker[64];
} deaths;

static void note_death(void *data, const char *channel, const char *worker) {
    deaths *d = data;
    d->n++;
    (void)snprintf(d->channel, sizeof d->channel, "%s", channel);
    (void)snprintf(d->worker, sizeof d->worker, "%s", worker);
}

typedef struct morgue {
    chief__hub *hub;
    chief_channel *jobs, *dead;
    deaths deaths;
} morgue;

static void morgue_open(morgue *m, int64_t max_deliveries, uint32_t dead_capacity) {
    chief_channel_options jobs = {.size = sizeof jobs, .delivery = CHIEF_AT_LEAST_ONCE, .dead = "dead"};
    chief_channel_options dead = {.size = sizeof dead, .capacity = dead_capacity};
    jobs.max_deliveries = max_deliveries;
    memset(m, 0, sizeof *m);
    assert_int_equal(chief__hub_new(&m->hub, note_death, &m->deaths), CHIEF_OK);
    assert_int_equal(chief__hub_add_channel(m->hub, "jobs", &jobs), CHIEF_OK);
    assert_int_equal(chief__hub_add_channel(m->hub, "dead", &dead), CHIEF_OK);
    assert_int_equal(chief__hub_channel(m->hub, "jobs", &m->jobs), CHIEF_OK);
    assert_int_equal(chief__hub_channel(m->hub, "dead", &m->dead), CHIEF_OK);
}

static void morgue_close(morgue *m) {
    (void)kit_sums(m->jobs);
    (void)kit_sums(m->dead);
    chief__hub_close(m->hub);
    chief__hub_unref(m->hub);
}

/* A worker that receives one and dies of it; what it received. */
static int32_t die_of_one(morgue *m, chief_channel *ch) {
    kit_worker w;
    kit_open(&w, "victim", m->hub);
    int32_t number = kit_recv(ch, &w);
    kit_close(&w, false);
    return number;
}

static void test_channel_delivery__one_that_kills_each_time_leaves_and_the_next_is_served(void **state) {
    (void)state;
    morgue m;
    chief_msg *msg;
    morgue_open(&m, 3, 0);
    kit_fill(m.jobs, 1, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(m.deaths.n, 0);
        assert_int_equal(die_of_one(&m, m.jobs), 1);
    }
    assert_int_equal(m.deaths.n, 1);
    assert_string_equal(m.deaths.channel, "jobs");
    assert_string_equal(m.deaths.worker, "victim");
    assert_int_equal(kit_recv(m.jobs, NULL), 2);
    assert_int_equal(chief_channel_recv(m.dead, NULL, 0, &msg), CHIEF_OK);
    assert_int_equal(kit_number(msg), 1);
    assert_string_equal(chief_msg_channel(msg), "dead");
    assert_int_equal(chief_msg_deliveries(msg), 1);
    chief_msg_free(msg);
    chief_channel_stats s = kit_sums(m.jobs);
    assert_int_equal(s.dropped, 1);
    assert_int_equal(s.dead, 1);
    assert_int_equal(s.redelivered, 2);
    morgue_close(&m);
}

/* It came by another channel than the others that its sender has sent. */
static void test_channel_delivery__a_dead_letter_has_no_origin(void **state) {
    (void)state;
    morgue m;
    chief_msg *msg;
    kit_worker sender;
    morgue_open(&m, 1, 0);
    kit_open(&sender, "sender", m.hub);
    assert_int_equal(kit_send(m.jobs, &sender, 1), CHIEF_OK);
    assert_int_equal(die_of_one(&m, m.jobs), 1);
    assert_int_equal(chief_channel_recv(m.dead, NULL, 0, &msg), CHIEF_OK);
    assert_string_equal(chief_msg_sender(msg), "sender");
    assert_string_equal(chief_msg_channel(msg), "dead");
    assert_int_equal(chief_msg_origin(msg), 0);
    chief_msg_free(msg);
    kit_close(&sender, true);
    morgue_close(&m);
}

static void test_channel_delivery__five_times_is_the_default(void **state) {
    (void)state;
    morgue m;
    morgue_open(&m, 0, 0);
    kit_fill(m.jobs, 1, 1);
    for (int i = 0; i < 5; i++) assert_int_equal(die_of_one(&m, m.jobs), 1);
    assert_int_equal(die_of_one(&m, m.jobs), CHIEF_EAGAIN);
    assert_int_equal(m.deaths.n, 1);
    morgue_close(&m);
}

static void test_channel_delivery__without_a_limit_it_comes_back_for_ever(void **state) {
    (void)state;
    morgue m;
    morgue_open(&m, CHIEF_ZERO, 0);
    kit_fill(m.jobs, 1, 1);
    for (int i = 0; i < 100; i++) assert_int_equal(die_of_one(&m, m.jobs), 1);
    assert_int_equal(m.deaths.n, 0);
    assert_int_equal(chief_channel_len(m.jobs), 1);
    morgue_close(&m);
}

static void test_channel_delivery__a_full_or_closed_dead_channel_drops(void **state) {
    (void)state;
    morgue m;
    morgue_open(&m, 1, 1);
    kit_fill(m.jobs, 1, 3);
    for (int32_t i = 1; i <= 2; i++) assert_int_equal(die_of_one(&m, m.jobs), i);
    assert_int_equal(kit_sums(m.jobs).dead, 1);
    assert_int_equal(kit_sums(m.jobs).dropped, 2);
    assert_int_equal(kit_recv(m.dead, NULL), 1);
    chief_channel_close(m.dead);
    assert_int_equal(die_of_one(&m, m.jobs), 3);
    assert_int_equal(m.deaths.n, 3);
    assert_int_equal(kit_sums(m.jobs).dead, 1);
    assert_int_equal(kit_sums(m.jobs).dropped, 3);
    morgue_close(&m);
}

static void test_channel_delivery__a_dead_letter_whose_bytes_are_still_held_is_a_copy(void **state) {
    (void)state;
    morgue m;
    kit_worker w;
    chief_msg *kept, *letter;
    morgue_open(&m, 1, 0);
    kit_fill(m.jobs, 9, 9);
    kit_open(&w, "w", m.hub);
    assert_int_equal(chief_channel_recv(m.jobs, as(&w), 0, &kept), CHIEF_OK);
    kit_close(&w, false);
    assert_int_equal(chief_channel_recv(m.dead, NULL, 0, &letter), CHIEF_OK);
    assert_ptr_not_equal(kept, letter);
    assert_string_equal(chief_msg_channel(kept), "jobs");
    assert_string_equal(chief_msg_channel(letter), "dead");
    assert_int_equal(kit_number(letter), 9);
    chief_msg_free(kept);
    chief_msg_free(letter);
    morgue_close(&m);
}

static void test_channel_delivery__without_a_dead_channel_it_is_dropped_and_told(void **state) {
    (void)state;
    chief_channel_options o = {.size = sizeof o, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = 1};
    morgue m;
    chief_channel *other;
    morgue_open(&m, 1, 0);
    assert_int_equal(chief__hub_add_channel(m.hub, "other", &o), CHIEF_OK);
    assert_int_equal(chief__hub_channel(m.hub, "other", &other), CHIEF_OK);
    kit_fill(other, 1, 1);
    assert_int_equal(die_of_one(&m, other), 1);
    assert_int_equal(m.deaths.n, 1);
    assert_string_equal(m.deaths.channel, "other");
    assert_int_equal(kit_sums(other).dropped, 1);
    assert_int_equal(kit_sums(other).dead, 0);
    morgue_close(&m);
}

static void ask_the_channel(void *data, const char *channel, const char *worker) {
    morgue *m = data;
    (void)channel;
    (void)worker;
    (void)kit_sums(m->jobs);
    assert_int_equal(chief__hub_check(m->hub), CHIEF_OK);
    m->deaths.n++;
}

static void test_channel_delivery__who_is_told_may_ask_back(void **state) {
    (void)state;
    chief_channel_options o = {.size = sizeof o, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = 1};
    morgue m = {0};
    assert_int_equal(chief__hub_new(&m.hub, ask_the_channel, &m), CHIEF_OK);
    assert_int_equal(chief__hub_add_channel(m.hub, "jobs", &o), CHIEF_OK);
    assert_int_equal(chief__hub_channel(m.hub, "jobs", &m.jobs), CHIEF_OK);
    kit_fill(m.jobs, 1, 1);
    assert_int_equal(die_of_one(&m, m.jobs), 1);
    assert_int_equal(m.deaths.n, 1);
    chief__hub_close(m.hub);
    chief__hub_unref(m.hub);
}

/* ---- ending in the middle of a call (38) ---- */

static void test_channel_delivery__one_that_ends_between_reserve_and_commit_gives_the_room_back(void **state) {
    (void)state;
    for (int clean = 0; clean < 2; clean++) {
        chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
        chief_reservation *r;
        kit_worker w;
        void *room;
        kit_open(&w, "w", NULL);
        assert_int_equal(chief_send_reserve(ch, as(&w), 8, 0, &r, &room), CHIEF_OK);
        assert_int_equal(kit_send(ch, NULL, 1), CHIEF_EAGAIN);
        kit_close(&w, clean);
        assert_int_equal(kit_send(ch, NULL, 1), CHIEF_OK);
        assert_int_equal(kit_sums(ch).sent, 1);
        chief_channel_unref(ch);
    }
}

/* ---- given up by the loop ---- */

static void test_channel_delivery__an_abandoned_one_gives_back_what_it_held(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 2);
    assert_int_equal(kit_recv(ch, &w), 1);
    chief__party_abandon(&w.party);
    chief__party_abandon(&w.party);
    assert_int_equal(kit_sums(ch).queued, 2);
    assert_int_equal(kit_recv(ch, &w), CHIEF_ECANCELED);
    assert_int_equal(kit_send(ch, &w, 3), CHIEF_ECANCELED);
    chief_channel_ack(ch, as(&w));
    kit_close(&w, true);
    assert_int_equal(kit_sums(ch).acknowledged, 0);
    assert_int_equal(kit_recv(ch, NULL), 1);
    assert_int_equal(kit_recv(ch, NULL), 2);
    chief_channel_unref(ch);
}

static void test_channel_delivery__an_abandoned_ones_reservation_is_void(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(2, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *commits, *cancels, *forgets;
    kit_worker w;
    void *room;
    kit_open(&w, "w", NULL);
    assert_int_equal(chief_send_reserve(ch, as(&w), 4, 0, &commits, &room), CHIEF_OK);
    assert_int_equal(chief_send_reserve(ch, as(&w), 4, 0, &cancels, &room), CHIEF_OK);
    chief__party_abandon(&w.party);
    kit_fill(ch, 1, 2);
    memset(room, 0, 4);
    assert_int_equal(chief_send_commit(commits, 4), CHIEF_ECANCELED);
    chief_send_cancel(cancels);
    assert_int_equal(kit_send(ch, NULL, 3), CHIEF_EAGAIN);
    assert_int_equal(chief_send_reserve(ch, as(&w), 4, 0, &forgets, &room), CHIEF_ECANCELED);
    assert_int_equal(kit_sums(ch).sent, 2);
    kit_close(&w, false);
    chief_channel_unref(ch);
}

static void test_channel_delivery__an_abandoned_one_opens_no_channel_any_more(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(2, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    chief_msg *msg;
    size_t index;
    kit_open(&w, "w", NULL);
    chief__party_abandon(&w.party);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, &w), CHIEF_ECANCELED);
    assert_int_equal(chief_select(as(&w), &ch, 1, 0, &index, &msg), CHIEF_ECANCELED);
    assert_int_equal(chief_worker_sleep(as(&w), CHIEF_FOREVER), CHIEF_ECANCELED);
    assert_int_equal(kit_sums(ch).queued, 1);
    kit_close(&w, false);
    chief_channel_unref(ch);
}

/* ---- memory ---- */

static support_heap heap;

static void test_channel_delivery__ending_takes_no_memory(void **state) {
    (void)state;
    support_heap_begin(&heap, 0);
    morgue m;
    kit_worker w;
    morgue_open(&m, 2, 0);
    kit_fill(m.jobs, 1, 4);
    for (int32_t i = 1; i <= 4; i++) {
        kit_open(&w, "w", m.hub);
        int32_t number = kit_recv(m.jobs, &w);
        assert_int_equal(number, (i + 1) / 2);
        atomic_store(&heap.until, 1);
        if (i == 4) chief__party_abandon(&w.party);
        else chief__party_end(&w.party, false);
        assert_false(atomic_load(&heap.failed));
        atomic_store(&heap.until, 0);
        kit_close(&w, false);
    }
    assert_int_equal(kit_sums(m.jobs).dead, 2);
    assert_int_equal(kit_sums(m.jobs).queued, 2);
    morgue_close(&m);
    support_heap_end(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_delivery__the_next_receive_acknowledges),
        cmocka_unit_test(test_channel_delivery__ack_acknowledges_all_that_is_held),
        cmocka_unit_test(test_channel_delivery__a_clean_end_acknowledges),
        cmocka_unit_test(test_channel_delivery__freeing_the_bytes_acknowledges_nothing),
        cmocka_unit_test(test_channel_delivery__the_host_has_nothing_in_hand),
        cmocka_unit_test(test_channel_delivery__at_most_once_counts_what_died),
        cmocka_unit_test(test_channel_delivery__at_least_once_brings_it_back_first_and_flagged),
        cmocka_unit_test(test_channel_delivery__two_that_die_put_back_in_the_order_sent),
        cmocka_unit_test(test_channel_delivery__what_comes_back_may_exceed_the_capacity),
        cmocka_unit_test(test_channel_delivery__the_bytes_outlive_the_redelivery),
        cmocka_unit_test(test_channel_delivery__one_that_kills_each_time_leaves_and_the_next_is_served),
        cmocka_unit_test(test_channel_delivery__a_dead_letter_has_no_origin),
        cmocka_unit_test(test_channel_delivery__five_times_is_the_default),
        cmocka_unit_test(test_channel_delivery__without_a_limit_it_comes_back_for_ever),
        cmocka_unit_test(test_channel_delivery__a_full_or_closed_dead_channel_drops),
        cmocka_unit_test(test_channel_delivery__a_dead_letter_whose_bytes_are_still_held_is_a_copy),
        cmocka_unit_test(test_channel_delivery__without_a_dead_channel_it_is_dropped_and_told),
        cmocka_unit_test(test_channel_delivery__who_is_told_may_ask_back),
        cmocka_unit_test(test_channel_delivery__one_that_ends_between_reserve_and_commit_gives_the_room_back),
        cmocka_unit_test(test_channel_delivery__an_abandoned_one_gives_back_what_it_held),
        cmocka_unit_test(test_channel_delivery__an_abandoned_ones_reservation_is_void),
        cmocka_unit_test(test_channel_delivery__an_abandoned_one_opens_no_channel_any_more),
        cmocka_unit_test(test_channel_delivery__ending_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
