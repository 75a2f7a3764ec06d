/*
 * Channels between threads: who waits, who is woken, who is not forgotten. FAULTS 23, 35 and 36 in C at this level.
 */
#include "channel_kit.h"

/* ---- waking ---- */

static void test_channel_threads__a_message_wakes_one_receiver(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_op ops[3];
    for (size_t i = 0; i < 3; i++) {
        ops[i] = (kit_op){.verb = KIT_RECV, .ch = ch, .timeout = CHIEF_FOREVER};
        kit_start(&ops[i]);
    }
    kit_until_receivers(ch, 3);
    kit_fill(ch, 1, 1);
    kit_until_receivers(ch, 2);
    kit_fill(ch, 2, 3);
    int32_t sum = 0;
    for (size_t i = 0; i < 3; i++) sum += kit_end_number(&ops[i]);
    assert_int_equal(sum, 6);
    chief_channel_unref(ch);
}

static void test_channel_threads__a_freed_place_lets_one_sender_in(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_op ops[3];
    kit_fill(ch, 0, 0);
    for (int32_t i = 0; i < 3; i++) {
        ops[i] = (kit_op){.verb = KIT_SEND, .ch = ch, .number = i + 1, .timeout = CHIEF_FOREVER};
        kit_start(&ops[i]);
        kit_until_senders(ch, (size_t)i + 1);
    }
    for (int32_t i = 0; i < 4; i++) {
        assert_int_equal(kit_recv(ch, NULL), i);
        if (i < 3) assert_int_equal(kit_end(&ops[i]), CHIEF_OK);
    }
    assert_int_equal(kit_sums(ch).sent, 4);
    chief_channel_unref(ch);
}

static void test_channel_threads__a_batch_lets_as_many_in_as_it_took(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(3, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_op ops[3];
    chief_msg *out[3];
    size_t n;
    kit_fill(ch, 1, 3);
    for (int32_t i = 0; i < 3; i++) {
        ops[i] = (kit_op){.verb = KIT_SEND, .ch = ch, .number = i, .timeout = CHIEF_FOREVER};
        kit_start(&ops[i]);
    }
    kit_until_senders(ch, 3);
    assert_int_equal(chief_channel_recv_many(ch, NULL, 0, out, 3, &n), CHIEF_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(kit_end(&ops[i]), CHIEF_OK);
        chief_msg_free(out[i]);
    }
    assert_int_equal(chief_channel_len(ch), 3);
    chief_channel_unref(ch);
}

static void test_channel_threads__a_cancelled_reservation_lets_a_sender_in(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_reservation *r;
    void *room;
    assert_int_equal(chief_send_reserve(ch, NULL, 4, 0, &r, &room), CHIEF_OK);
    kit_op op = {.verb = KIT_SEND, .ch = ch, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_senders(ch, 1);
    chief_send_cancel(r);
    assert_int_equal(kit_end(&op), CHIEF_OK);
    chief_channel_unref(ch);
}

static void test_channel_threads__a_death_wakes_receivers_for_what_comes_back(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_worker dying, other;
    kit_open(&dying, "dying", NULL);
    kit_open(&other, "other", NULL);
    kit_fill(ch, 5, 5);
    assert_int_equal(kit_recv(ch, &dying), 5);
    kit_op op = {.verb = KIT_RECV, .ch = ch, .worker = &other, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_receivers(ch, 1);
    kit_close(&dying, false);
    assert_int_equal(kit_end_number(&op), 5);
    kit_close(&other, true);
    chief_channel_unref(ch);
}

static void test_channel_threads__close_wakes_everybody(void **state) {
    (void)state;
    chief_channel *full = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief_channel *empty = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_op ops[5];
    kit_fill(full, 1, 1);
    for (size_t i = 0; i < 5; i++) {
        ops[i] = (kit_op){.verb = i < 2 ? KIT_SEND : i < 4 ? KIT_RECV : KIT_SELECT, .timeout = CHIEF_FOREVER};
        ops[i].ch = i < 2 ? full : empty;
        ops[i].other = empty;
        kit_start(&ops[i]);
    }
    kit_until_senders(full, 2);
    kit_until_receivers(empty, 4);
    chief_channel_close(full);
    chief_channel_close(empty);
    for (size_t i = 0; i < 5; i++) assert_int_equal(kit_end(&ops[i]), CHIEF_ECLOSED);
    assert_int_equal(kit_recv(full, NULL), 1);
    chief_channel_unref(full);
    chief_channel_unref(empty);
}

/* ---- select ---- */

static void test_channel_threads__select_hears_each_of_its_channels(void **state) {
    (void)state;
    for (size_t which = 0; which < 2; which++) {
        chief_channel *pair[2];
        for (size_t i = 0; i < 2; i++) pair[i] = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        kit_op op = {.verb = KIT_SELECT, .ch = pair[0], .other = pair[1], .timeout = CHIEF_FOREVER};
        kit_start(&op);
        kit_until_receivers(pair[0], 1);
        kit_until_receivers(pair[1], 1);
        chief_channel_close(pair[1 - which]);
        kit_fill(pair[which], 3, 3);
        assert_int_equal(kit_end_number(&op), 3);
        assert_int_equal(op.index, which);
        for (size_t i = 0; i < 2; i++) {
            assert_null(pair[i]->receivers.first);
            chief_channel_unref(pair[i]);
        }
    }
}

/* Both messages find the selector first; the one it does not take is for the receiver behind it. */
static void test_channel_threads__select_passes_on_a_wake_it_does_not_use(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++) {
        chief_channel *a = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        chief_channel *b = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        kit_op selector = {.verb = KIT_SELECT, .ch = a, .other = b, .timeout = CHIEF_FOREVER};
        kit_op receiver = {.verb = KIT_RECV, .ch = b, .timeout = CHIEF_FOREVER};
        kit_start(&selector);
        kit_until_receivers(b, 1);
        kit_start(&receiver);
        kit_until_receivers(b, 2);
        kit_fill(b, 2, 2);
        kit_fill(a, 1, 1);
        int32_t first = kit_end_number(&selector);
        if (first == 2) kit_fill(b, 3, 3);
        assert_true(kit_end_number(&receiver) >= 2);
        chief_channel_unref(a);
        chief_channel_unref(b);
    }
}

/* ---- giving up ---- */

/* A receiver that is woken for a message in the moment its time is over must take it or leave it to the other. */
static void test_channel_threads__a_timeout_loses_no_wake(void **state) {
    (void)state;
    for (int round = 0; round < 100; round++) {
        chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        kit_op impatient = {.verb = KIT_RECV, .ch = ch, .timeout = 2};
        kit_op patient = {.verb = KIT_RECV, .ch = ch, .timeout = CHIEF_FOREVER};
        kit_start(&impatient);
        kit_start(&patient);
        chief__pause_ms(2);
        kit_fill(ch, 1, 1);
        int32_t got = kit_end_number(&impatient);
        if (got == 1) kit_fill(ch, 2, 2);
        else assert_int_equal(got, CHIEF_ETIMEDOUT);
        assert_int_equal(kit_end_number(&patient), got == 1 ? 2 : 1);
        chief_channel_unref(ch);
    }
}

static void test_channel_threads__an_abandoned_receiver_leaves_its_message_to_others(void **state) {
    (void)state;
    for (int round = 0; round < 100; round++) {
        chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
        kit_worker w;
        kit_open(&w, "w", NULL);
        kit_op given_up = {.verb = KIT_RECV, .ch = ch, .worker = &w, .timeout = CHIEF_FOREVER};
        kit_op other = {.verb = KIT_RECV, .ch = ch, .timeout = CHIEF_FOREVER};
        kit_start(&given_up);
        kit_until_receivers(ch, 1);
        kit_start(&other);
        kit_until_receivers(ch, 2);
        kit_fill(ch, 1, 1);
        chief__party_abandon(&w.party);
        int32_t got = kit_end_number(&given_up);
        assert_true(got == 1 || got == CHIEF_ECANCELED);
        assert_int_equal(kit_end_number(&other), 1);
        kit_close(&w, false);
        assert_int_equal(kit_sums(ch).acknowledged, 1);
        chief_channel_unref(ch);
    }
}

/* ---- stopping (23) ---- */

static void test_channel_threads__a_stop_ends_every_wait_but_a_send(void **state) {
    (void)state;
    const kit_verb verbs[] = {KIT_RECV, KIT_SELECT, KIT_SLEEP};
    for (size_t i = 0; i < 3; i++) {
        chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        kit_worker w;
        kit_open(&w, "w", NULL);
        kit_op op = {.verb = verbs[i], .ch = ch, .other = ch, .worker = &w, .timeout = CHIEF_FOREVER};
        kit_start(&op);
        kit_until_waiting(&w);
        kit_stop(&w, -1);
        assert_int_equal(kit_end(&op), CHIEF_ECANCELED);
        kit_close(&w, true);
        chief_channel_unref(ch);
    }
}

static void test_channel_threads__a_contexts_deadline_ends_a_wait(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    chief_msg *msg;
    assert_int_equal(chief_context_new_deadline(&w.context, NULL, 10), CHIEF_OK);
    chief__party_init(&w.party, "w", w.context, NULL);
    assert_int_equal(chief_channel_recv(ch, as(&w), CHIEF_FOREVER, &msg), CHIEF_ECANCELED);
    assert_int_equal(chief_worker_sleep(as(&w), 0), CHIEF_ECANCELED);
    kit_close(&w, true);
    chief_channel_unref(ch);
}

static void test_channel_threads__a_sleep_lasts_as_long_as_it_was_asked(void **state) {
    (void)state;
    kit_worker w;
    kit_open(&w, "w", NULL);
    int64_t begin = chief__now_ms();
    assert_int_equal(chief_worker_sleep(as(&w), 10), CHIEF_OK);
    assert_true(chief__now_ms() - begin >= 10);
    assert_int_equal(chief_worker_sleep(as(&w), 0), CHIEF_OK);
    kit_close(&w, true);
}

/* A full channel, a live receiver, and a sender that blocks. */
typedef struct jam {
    chief_channel *ch;
    kit_worker sender, receiver;
    kit_op op;
} jam;

static void jam_open(jam *j, bool stopped_before) {
    memset(j, 0, sizeof *j);
    j->ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    kit_open(&j->sender, "sender", NULL);
    kit_open(&j->receiver, "receiver", NULL);
    kit_fill(j->ch, 1, 1);
    assert_int_equal(kit_recv(j->ch, &j->receiver), 1);
    kit_fill(j->ch, 2, 2);
    if (stopped_before) kit_stop(&j->sender, -1);
    j->op = (kit_op){.verb = KIT_SEND, .ch = j->ch, .worker = &j->sender, .number = 3, .timeout = CHIEF_FOREVER};
    kit_start(&j->op);
    kit_until_senders(j->ch, 1);
}

static void jam_close(jam *j) {
    kit_close(&j->sender, true);
    (void)kit_sums(j->ch);
    chief_channel_unref(j->ch);
}

static void test_channel_threads__a_stopped_sender_waits_for_its_receiver(void **state) {
    (void)state;
    for (int before = 0; before < 2; before++) {
        jam j;
        jam_open(&j, before);
        if (!before) kit_stop(&j.sender, -1);
        assert_int_equal(kit_recv(j.ch, &j.receiver), 2);
        assert_int_equal(kit_end(&j.op), CHIEF_OK);
        assert_int_equal(kit_recv(j.ch, &j.receiver), 3);
        kit_close(&j.receiver, true);
        jam_close(&j);
    }
}

static void test_channel_threads__a_stopped_sender_ends_with_its_grace(void **state) {
    (void)state;
    jam j;
    jam_open(&j, false);
    kit_stop(&j.sender, 30);
    assert_int_equal(kit_end(&j.op), CHIEF_ECANCELED);
    assert_true(j.op.took >= 25);
    kit_close(&j.receiver, true);
    jam_close(&j);
}

static void test_channel_threads__a_force_moves_the_grace(void **state) {
    (void)state;
    jam j;
    jam_open(&j, true);
    chief__party_set_grace(&j.sender.party, chief__now_ms());
    assert_int_equal(kit_end(&j.op), CHIEF_ECANCELED);
    kit_close(&j.receiver, true);
    jam_close(&j);
}

static void test_channel_threads__a_stopped_sender_ends_with_the_last_receiver(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        jam j;
        jam_open(&j, true);
        if (how == 2) chief__party_abandon(&j.receiver.party);
        else chief__party_end(&j.receiver.party, how == 1);
        assert_int_equal(kit_end(&j.op), CHIEF_ECANCELED);
        kit_close(&j.receiver, true);
        jam_close(&j);
    }
}

static void test_channel_threads__a_stopped_sender_without_any_receiver_ends_at_once(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w, other;
    kit_open(&w, "w", NULL);
    kit_open(&other, "another sender", NULL);
    assert_int_equal(kit_send(ch, &other, 1), CHIEF_OK);
    kit_op op = {.verb = KIT_SEND, .ch = ch, .worker = &w, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_senders(ch, 1);
    kit_stop(&w, -1);
    assert_int_equal(kit_end(&op), CHIEF_ECANCELED);
    kit_close(&w, true);
    kit_close(&other, true);
    chief_channel_unref(ch);
}

static void test_channel_threads__one_that_sends_first_is_no_receiver_to_wait_for(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w, other;
    chief__hand *hand;
    kit_open(&w, "w", NULL);
    kit_open(&other, "has opened it", NULL);
    assert_int_equal(chief__hand_get(&hand, &other.party, ch), CHIEF_OK);
    assert_int_equal(kit_send(ch, &w, 1), CHIEF_OK);
    kit_stop(&w, -1);
    kit_op op = {.verb = KIT_SEND, .ch = ch, .worker = &w, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_senders(ch, 1);
    assert_int_equal(kit_send(ch, &other, 2), CHIEF_EAGAIN);
    assert_int_equal(kit_end(&op), CHIEF_ECANCELED);
    kit_close(&w, true);
    kit_close(&other, true);
    chief_channel_unref(ch);
}

static void test_channel_threads__one_that_receives_and_sends_is_waited_for(void **state) {
    (void)state;
    jam j;
    jam_open(&j, true);
    assert_int_equal(kit_send(j.ch, &j.receiver, 9), CHIEF_EAGAIN);
    kit_until_senders(j.ch, 1);
    assert_int_equal(kit_recv(j.ch, &j.receiver), 2);
    assert_int_equal(kit_end(&j.op), CHIEF_OK);
    kit_close(&j.receiver, true);
    jam_close(&j);
}

static void test_channel_threads__the_host_is_a_receiver_once_it_has_received(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_worker w;
    kit_open(&w, "w", NULL);
    kit_fill(ch, 1, 1);
    assert_int_equal(kit_recv(ch, NULL), 1);
    kit_fill(ch, 2, 2);
    kit_stop(&w, -1);
    kit_op op = {.verb = KIT_SEND, .ch = ch, .worker = &w, .number = 3, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_senders(ch, 1);
    assert_int_equal(kit_recv(ch, NULL), 2);
    assert_int_equal(kit_end(&op), CHIEF_OK);
    kit_close(&w, true);
    chief_channel_unref(ch);
}

static void test_channel_threads__an_abandonment_ends_every_wait(void **state) {
    (void)state;
    const kit_verb verbs[] = {KIT_RECV, KIT_SELECT, KIT_SLEEP};
    for (size_t i = 0; i < 3; i++) {
        chief_channel *ch = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
        kit_worker w;
        kit_open(&w, "w", NULL);
        kit_op op = {.verb = verbs[i], .ch = ch, .other = ch, .worker = &w, .timeout = CHIEF_FOREVER};
        kit_start(&op);
        kit_until_waiting(&w);
        chief__party_abandon(&w.party);
        assert_int_equal(kit_end(&op), CHIEF_ECANCELED);
        kit_close(&w, true);
        chief_channel_unref(ch);
    }
    jam j;
    jam_open(&j, true);
    chief__party_abandon(&j.sender.party);
    assert_int_equal(kit_end(&j.op), CHIEF_ECANCELED);
    kit_close(&j.receiver, true);
    jam_close(&j);
}

/* ---- a pipeline of three, stopped under load (23) ---- */

typedef struct stage {
    kit_worker worker;
    chief_channel *in, *out;
    chief__thread thread;
    int32_t passed;
} stage;

static void feed(void *data) {
    stage *s = data;
    for (int32_t i = 0;; i++) {
        if (chief_channel_send(s->out, as(&s->worker), &i, sizeof i, CHIEF_FOREVER) != CHIEF_OK) break;
        s->passed++;
        if (chief_context_err(s->worker.context) != CHIEF_OK) break;
    }
    chief__party_end(&s->worker.party, true);
}

static void pass(void *data) {
    stage *s = data;
    chief_msg *msg;
    while (chief_channel_recv(s->in, as(&s->worker), CHIEF_FOREVER, &msg) == CHIEF_OK) {
        int32_t number = kit_number(msg);
        chief_msg_free(msg);
        assert_int_equal(number, s->passed);
        if (s->out != NULL &&
            chief_channel_send(s->out, as(&s->worker), &number, sizeof number, CHIEF_FOREVER) != CHIEF_OK)
            break;
        s->passed++;
    }
    chief__party_end(&s->worker.party, true);
}

static void test_channel_threads__a_stopped_pipeline_has_stored_all_it_accepted(void **state) {
    (void)state;
    chief_channel *first = kit_channel(4, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    chief_channel *second = kit_channel(4, CHIEF_BLOCK, CHIEF_AT_LEAST_ONCE);
    stage stages[] = {{.in = second}, {.in = first, .out = second}, {.out = first}};
    for (size_t i = 0; i < 3; i++) {
        kit_open(&stages[i].worker, "stage", NULL);
        support_thread(&stages[i].thread, i < 2 ? pass : feed, &stages[i]);
    }
    chief__pause_ms(20);
    for (size_t i = 3; i-- > 0;) {
        kit_stop(&stages[i].worker, -1);
        chief__thread_join(&stages[i].thread);
    }
    assert_true(stages[2].passed > 0);
    assert_int_equal(stages[1].passed, stages[2].passed);
    assert_int_equal(stages[0].passed, stages[2].passed);
    assert_int_equal(kit_sums(first).acknowledged, stages[2].passed);
    assert_int_equal(kit_sums(second).acknowledged, stages[2].passed);
    for (size_t i = 0; i < 3; i++) kit_close(&stages[i].worker, true);
    chief_channel_unref(first);
    chief_channel_unref(second);
}

/* ---- order and bounds (35, 36) ---- */

enum { MANY = 100000 };

static void send_many_numbers(void *data) {
    chief_channel *ch = data;
    for (int32_t i = 0; i < MANY; i++) {
        if (chief_channel_send(ch, NULL, &i, sizeof i, CHIEF_FOREVER) != CHIEF_OK) break;
    }
    chief_channel_close(ch);
}

static void test_channel_threads__a_hundred_thousand_keep_their_order(void **state) {
    (void)state;
    chief_channel *ch = kit_channel(64, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    chief__thread thread;
    chief_msg *out[16];
    size_t n;
    int32_t next = 0, inversions = 0;
    support_thread(&thread, send_many_numbers, ch);
    while (chief_channel_recv_many(ch, NULL, CHIEF_FOREVER, out, 16, &n) == CHIEF_OK)
        for (size_t i = 0; i < n; i++) {
            inversions += kit_number(out[i]) != next++;
            chief_msg_free(out[i]);
        }
    chief__thread_join(&thread);
    assert_int_equal(inversions, 0);
    assert_int_equal(next, MANY);
    chief_channel_unref(ch);
}

static support_heap heap;

static void test_channel_threads__a_receiver_that_never_reads_costs_a_bounded_memory(void **state) {
    (void)state;
    support_heap_begin(&heap, 0);
    for (int32_t overflow = CHIEF_BLOCK; overflow <= CHIEF_FAIL; overflow++) {
        chief_channel *ch = kit_channel(8, overflow, CHIEF_AT_MOST_ONCE);
        int32_t sent = 0;
        for (int32_t i = 0; i < 1000; i++) sent += kit_send(ch, NULL, i) == CHIEF_OK;
        assert_int_equal(sent, overflow == CHIEF_DROP_OLDEST ? 1000 : 8);
        assert_int_equal(kit_sums(ch).queued, 8);
        assert_true(atomic_load(&heap.live) < 16);
        chief_channel_unref(ch);
    }
    support_heap_end(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_threads__a_message_wakes_one_receiver),
        cmocka_unit_test(test_channel_threads__a_freed_place_lets_one_sender_in),
        cmocka_unit_test(test_channel_threads__a_batch_lets_as_many_in_as_it_took),
        cmocka_unit_test(test_channel_threads__a_cancelled_reservation_lets_a_sender_in),
        cmocka_unit_test(test_channel_threads__a_death_wakes_receivers_for_what_comes_back),
        cmocka_unit_test(test_channel_threads__close_wakes_everybody),
        cmocka_unit_test(test_channel_threads__select_hears_each_of_its_channels),
        cmocka_unit_test(test_channel_threads__select_passes_on_a_wake_it_does_not_use),
        cmocka_unit_test(test_channel_threads__a_timeout_loses_no_wake),
        cmocka_unit_test(test_channel_threads__an_abandoned_receiver_leaves_its_message_to_others),
        cmocka_unit_test(test_channel_threads__a_stop_ends_every_wait_but_a_send),
        cmocka_unit_test(test_channel_threads__a_contexts_deadline_ends_a_wait),
        cmocka_unit_test(test_channel_threads__a_sleep_lasts_as_long_as_it_was_asked),
        cmocka_unit_test(test_channel_threads__a_stopped_sender_waits_for_its_receiver),
        cmocka_unit_test(test_channel_threads__a_stopped_sender_ends_with_its_grace),
        cmocka_unit_test(test_channel_threads__a_force_moves_the_grace),
        cmocka_unit_test(test_channel_threads__a_stopped_sender_ends_with_the_last_receiver),
        cmocka_unit_test(test_channel_threads__a_stopped_sender_without_any_receiver_ends_at_once),
        cmocka_unit_test(test_channel_threads__one_that_sends_first_is_no_receiver_to_wait_for),
        cmocka_unit_test(test_channel_threads__one_that_receives_and_sends_is_waited_for),
        cmocka_unit_test(test_channel_threads__the_host_is_a_receiver_once_it_has_received),
        cmocka_unit_test(test_channel_threads__an_abandonment_ends_every_wait),
        cmocka_unit_test(test_channel_threads__a_stopped_pipeline_has_stored_all_it_accepted),
        cmocka_unit_test(test_channel_threads__a_hundred_thousand_keep_their_order),
        cmocka_unit_test(test_channel_threads__a_receiver_that_never_reads_costs_a_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
