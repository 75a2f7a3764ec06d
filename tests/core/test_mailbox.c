/* The hub and its mailboxes: names, sending, broadcasts, calls, closing. */
#include <poll.h>

#include "town_kit.h"

/* ---- channels by their names ---- */

static void test_mailbox__channels_are_found_by_name(void **state) {
    (void)state;
    town t;
    chief_channel *ch, *again;
    town_open(&t);
    assert_int_equal(chief__hub_add_channel(t.hub, "uploads", NULL), CHIEF_OK);
    assert_int_equal(chief__hub_add_channel(t.hub, "thumbs", NULL), CHIEF_OK);
    assert_int_equal(chief__hub_add_channel(t.hub, "thumbs", NULL), CHIEF_EEXIST);
    support_says("\"thumbs\"");
    assert_int_equal(chief__hub_add_channel(t.hub, "no/good", NULL), CHIEF_EINVAL);
    assert_int_equal(chief_worker_channel(as(&t.a), "uploads", &ch), CHIEF_OK);
    assert_int_equal(chief__hub_channel(t.hub, "uploads", &again), CHIEF_OK);
    assert_ptr_equal(ch, again);
    assert_int_equal(chief_worker_channel(as(&t.a), "uplods", &ch), CHIEF_ENOENT);
    assert_null(ch);
    support_says("no channel \"uplods\"; there are: thumbs, uploads");
    assert_int_equal(chief_worker_channel(as(&t.a), NULL, &ch), CHIEF_EINVAL);
    assert_int_equal(chief_worker_channel(NULL, "uploads", &ch), CHIEF_EINVAL);
    town_close(&t);
}

static void test_mailbox__a_dead_channel_that_is_none_is_refused(void **state) {
    (void)state;
    town t;
    chief_channel_options o = {.size = sizeof o, .dead = "graves"};
    town_open(&t);
    assert_int_equal(chief__hub_add_channel(t.hub, "jobs", &o), CHIEF_OK);
    assert_int_equal(chief__hub_check(t.hub), CHIEF_ENOENT);
    support_says("jobs");
    support_says("graves");
    assert_int_equal(chief__hub_add_channel(t.hub, "graves", NULL), CHIEF_OK);
    assert_int_equal(chief__hub_check(t.hub), CHIEF_OK);
    town_close(&t);
}

static void test_mailbox__a_channel_outlives_the_hub(void **state) {
    (void)state;
    town t;
    chief_channel *ch;
    town_open(&t);
    assert_int_equal(chief__hub_add_channel(t.hub, "jobs", NULL), CHIEF_OK);
    ch = chief__hub_find(t.hub, "jobs");
    kit_fill(ch, 1, 1);
    town_close(&t);
    assert_int_equal(kit_send(ch, NULL, 2), CHIEF_ECLOSED);
    assert_int_equal(kit_sums(ch).queued, 1);
    assert_int_equal(kit_recv(ch, NULL), 1);
    assert_int_equal(kit_recv(ch, NULL), CHIEF_ECLOSED);
    chief_channel_unref(ch);
}

/* ---- messages ---- */

static void test_mailbox__a_message_reaches_its_worker(void **state) {
    (void)state;
    town t;
    town_open(&t);
    assert_int_equal(chief_worker_send(as(&t.a), "b", "hi", 2, 0), CHIEF_OK);
    assert_int_equal(chief__hub_send(t.hub, NULL, "b", "host", 4, 0), CHIEF_OK);
    chief_msg *msg = receive(&t.b);
    assert_memory_equal(chief_msg_data(msg).data, "hi", 2);
    assert_string_equal(chief_msg_sender(msg), "a");
    assert_string_equal(chief_msg_kind(msg), "message");
    assert_string_equal(chief_msg_channel(msg), "");
    chief_msg_free(msg);
    msg = receive(&t.b);
    assert_string_equal(chief_msg_sender(msg), "");
    chief_msg_free(msg);
    assert_int_equal(chief_worker_recv(as(&t.b), 0, &msg), CHIEF_EAGAIN);
    town_close(&t);
}

static void test_mailbox__one_may_send_to_itself(void **state) {
    (void)state;
    town t;
    town_open(&t);
    assert_int_equal(chief_worker_send(as(&t.a), "a", "x", 1, 0), CHIEF_OK);
    chief_msg_free(receive(&t.a));
    town_close(&t);
}

static void test_mailbox__it_is_bounded(void **state) {
    (void)state;
    town t;
    chief_bytes items[6] = {{"0", 1}, {"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}, {"5", 1}};
    size_t sent;
    town_open(&t);
    assert_int_equal(chief_worker_send_many(as(&t.a), "b", items, 6, 0, &sent), CHIEF_EAGAIN);
    assert_int_equal(sent, 4);
    for (size_t i = 0; i < 4; i++) {
        chief_msg *msg = receive(&t.b);
        assert_memory_equal(chief_msg_data(msg).data, items[i].data, 1);
        chief_msg_free(msg);
    }
    town_close(&t);
}

static void test_mailbox__who_is_not_there_is_told(void **state) {
    (void)state;
    town t;
    chief_msg *msg;
    town_open(&t);
    assert_int_equal(chief_worker_send(as(&t.a), "c", "x", 1, 0), CHIEF_ENOENT);
    support_says("no worker \"c\"; there are: a, b");
    assert_int_equal(chief__hub_open_worker(t.hub, "b", false), CHIEF_OK);
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, CHIEF_FOREVER), CHIEF_ENOENT);
    support_says("not enabled");
    assert_int_equal(chief_worker_call(as(&t.a), "b", "x", 1, CHIEF_FOREVER, &msg), CHIEF_ENOENT);
    assert_int_equal(chief__hub_open_worker(t.hub, "b", true), CHIEF_OK);
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief__hub_open_worker(t.hub, "c", true), CHIEF_ENOENT);
    chief__hub_remove_worker(t.hub, "b");
    chief__hub_remove_worker(t.hub, "b");
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, 0), CHIEF_ENOENT);
    assert_int_equal(chief__hub_add_worker(t.hub, "b", 1), CHIEF_OK);
    assert_int_equal(chief__hub_add_worker(t.hub, "b", 1), CHIEF_EEXIST);
    town_close(&t);
}

static void test_mailbox__between_two_lives_it_queues(void **state) {
    (void)state;
    town t;
    town_open(&t);
    kit_close(&t.b, false);
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, 0), CHIEF_OK);
    kit_open(&t.b, "b", t.hub);
    chief_msg_free(receive(&t.b));
    town_close(&t);
}

static void test_mailbox__is_received_in_batches(void **state) {
    (void)state;
    town t;
    chief_msg *got[4];
    size_t n;
    town_open(&t);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, got, 4, &n), CHIEF_EAGAIN);
    assert_int_equal(n, 0);
    for (size_t i = 0; i < 3; i++) assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, got, 2, &n), CHIEF_OK);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, got, 4, &n), CHIEF_OK);
    assert_int_equal(n, 1);
    chief_msg_free(got[0]);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, got, 0, &n), CHIEF_EINVAL);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, NULL, 4, &n), CHIEF_EINVAL);
    assert_int_equal(chief_worker_recv_many(as(&t.b), 0, got, 4, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_worker_recv_many(NULL, 0, got, 4, &n), CHIEF_EINVAL);
    town_close(&t);
}

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_mailbox__has_a_descriptor(void **state) {
    (void)state;
    town t;
    town_open(&t);
    int fd = chief_worker_fd(as(&t.b));
    assert_true(fd >= 0);
    assert_int_equal(chief_worker_fd(as(&t.b)), fd);
    assert_false(readable(fd));
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, 0), CHIEF_OK);
    assert_true(readable(fd));
    chief_msg_free(receive(&t.b));
    assert_false(readable(fd));
    assert_int_equal(chief_worker_fd(NULL), CHIEF_EINVAL);
    town_close(&t);
}

static void test_mailbox__a_worker_without_a_chief_has_none(void **state) {
    (void)state;
    kit_worker w;
    chief_channel *ch;
    chief_msg *msg;
    size_t index;
    kit_open(&w, "w", NULL);
    assert_int_equal(chief_worker_send(as(&w), "b", "x", 1, 0), CHIEF_ENOENT);
    assert_int_equal(chief_worker_recv(as(&w), 0, &msg), CHIEF_ENOENT);
    assert_int_equal(chief_worker_fd(as(&w)), CHIEF_ENOENT);
    assert_int_equal(chief_worker_call(as(&w), "b", "x", 1, 0, &msg), CHIEF_ENOENT);
    assert_int_equal(chief_worker_broadcast(as(&w), "x", 1, NULL), CHIEF_ENOENT);
    assert_int_equal(chief_worker_channel(as(&w), "b", &ch), CHIEF_ENOENT);
    ch = NULL;
    assert_int_equal(chief_select(as(&w), &ch, 1, 0, &index, &msg), CHIEF_ENOENT);
    kit_close(&w, true);
}

static void test_mailbox__select_takes_it_too(void **state) {
    (void)state;
    town t;
    chief_channel *both[2] = {NULL, NULL};
    chief_msg *msg;
    size_t index;
    town_open(&t);
    assert_int_equal(chief__hub_add_channel(t.hub, "jobs", NULL), CHIEF_OK);
    assert_int_equal(chief_worker_channel(as(&t.a), "jobs", &both[0]), CHIEF_OK);
    assert_int_equal(chief__hub_send(t.hub, NULL, "a", "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief_select(as(&t.a), both, 2, 0, &index, &msg), CHIEF_OK);
    assert_int_equal(index, 1);
    chief_msg_free(msg);
    kit_fill(both[0], 1, 1);
    assert_int_equal(chief_select(as(&t.a), both, 2, 0, &index, &msg), CHIEF_OK);
    assert_int_equal(index, 0);
    chief_msg_free(msg);
    town_close(&t);
}

/* ---- broadcasts ---- */

static void test_mailbox__a_broadcast_reaches_all_others_that_take_it(void **state) {
    (void)state;
    town t;
    size_t reached;
    town_open(&t);
    assert_int_equal(chief__hub_add_worker(t.hub, "full", 1), CHIEF_OK);
    assert_int_equal(chief__hub_add_worker(t.hub, "closed", 1), CHIEF_OK);
    assert_int_equal(chief__hub_send(t.hub, NULL, "full", "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief__hub_open_worker(t.hub, "closed", false), CHIEF_OK);
    assert_int_equal(chief_worker_broadcast(as(&t.a), "all", 3, &reached), CHIEF_OK);
    assert_int_equal(reached, 1);
    chief_msg *msg = receive(&t.b), *own;
    assert_string_equal(chief_msg_kind(msg), "broadcast");
    assert_string_equal(chief_msg_sender(msg), "a");
    assert_memory_equal(chief_msg_data(msg).data, "all", 3);
    assert_int_equal(chief_worker_recv(as(&t.a), 0, &own), CHIEF_EAGAIN);
    assert_int_equal(chief__hub_broadcast(t.hub, NULL, "more", 4, &reached), CHIEF_OK);
    assert_int_equal(reached, 2);
    assert_int_equal(chief_worker_send(as(&t.a), "*", NULL, 0, 0), CHIEF_OK);
    assert_int_equal(chief_worker_broadcast(as(&t.a), NULL, 1, &reached), CHIEF_EINVAL);
    town_close(&t);
    assert_memory_equal(chief_msg_data(msg).data, "all", 3);
    chief_msg_free(msg);
}

/* ---- calls ---- */

static void test_mailbox__a_call_is_answered(void **state) {
    (void)state;
    town t;
    town_open(&t);
    for (int from_host = 0; from_host < 2; from_host++) {
        kit_op op = call_to(&t, from_host ? NULL : &t.a, "b", CHIEF_FOREVER);
        kit_start(&op);
        chief_msg *msg = receive(&t.b);
        assert_string_equal(chief_msg_kind(msg), "call");
        int32_t answer = kit_number(msg) + 1;
        assert_int_equal(chief_msg_reply(msg, &answer, sizeof answer), CHIEF_OK);
        assert_int_equal(chief_msg_reply(msg, &answer, sizeof answer), CHIEF_ENOENT);
        chief_msg_free(msg);
        assert_int_equal(kit_end(&op), CHIEF_OK);
        assert_string_equal(chief_msg_sender(op.msg), "b");
        assert_int_equal(kit_number(op.msg), 21);
        chief_msg_free(op.msg);
    }
    town_close(&t);
}

static void test_mailbox__a_call_can_fail_with_a_text(void **state) {
    (void)state;
    town t;
    town_open(&t);
    kit_op op = call_to(&t, &t.a, "b", CHIEF_FOREVER);
    kit_start(&op);
    chief_msg *msg = receive(&t.b);
    assert_int_equal(chief_msg_fail(msg, "no such picture"), CHIEF_OK);
    chief_msg_free(msg);
    assert_int_equal(kit_end(&op), CHIEF_ECALL);
    assert_string_equal(op.text, "no such picture");
    assert_null(op.msg);
    town_close(&t);
}

typedef enum fate { TAKES_NEXT, ACKS, ENDS_CLEANLY, DIES, IS_ABANDONED, HUB_CLOSES } fate;

static void befall(town *t, fate how) {
    chief_msg *msg;
    switch (how) {
    case TAKES_NEXT: assert_int_equal(chief_worker_recv(as(&t->b), 0, &msg), CHIEF_EAGAIN); break;
    case ACKS: chief_channel_ack(t->b.party.mailbox, as(&t->b)); break;
    case ENDS_CLEANLY: chief__party_end(&t->b.party, true); break;
    case DIES: chief__party_end(&t->b.party, false); break;
    case IS_ABANDONED: chief__party_abandon(&t->b.party); break;
    case HUB_CLOSES: chief__hub_close(t->hub); break;
    }
}

static void test_mailbox__a_callee_that_does_not_answer_ends_the_call(void **state) {
    (void)state;
    for (fate how = TAKES_NEXT; how <= HUB_CLOSES; how++) {
        town t;
        town_open(&t);
        kit_op op = call_to(&t, &t.a, "b", CHIEF_FOREVER);
        kit_start(&op);
        chief_msg *msg = receive(&t.b);
        befall(&t, how);
        assert_int_equal(kit_end(&op), CHIEF_ENOREPLY);
        assert_int_equal(chief_msg_reply(msg, NULL, 0), CHIEF_ENOENT);
        assert_int_equal(chief__hub_late_replies(t.hub), 1);
        chief_msg_free(msg);
        town_close(&t);
    }
}

static void test_mailbox__a_call_that_is_never_received_ends_with_the_mailbox(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        town t;
        town_open(&t);
        kit_op op = call_to(&t, &t.a, "b", CHIEF_FOREVER);
        kit_start(&op);
        kit_until_waiting(&t.a);
        if (how == 0) chief__hub_remove_worker(t.hub, "b");
        else if (how == 1) (void)chief__hub_open_worker(t.hub, "b", false);
        else chief__hub_close(t.hub);
        int rc = kit_end(&op);
        if (rc != CHIEF_ENOREPLY) assert_int_equal(rc, how == 2 ? CHIEF_ECLOSED : CHIEF_ENOENT);
        town_close(&t);
    }
}

static void test_mailbox__a_caller_that_has_gone_is_told_to_who_answers(void **state) {
    (void)state;
    town t;
    chief_msg *reply;
    town_open(&t);
    assert_int_equal(chief_worker_call(as(&t.a), "b", "x", 1, 5, &reply), CHIEF_ETIMEDOUT);
    assert_null(reply);
    chief_msg *msg = receive(&t.b);
    assert_int_equal(chief_msg_reply(msg, "y", 1), CHIEF_ENOENT);
    assert_int_equal(chief__hub_late_replies(t.hub), 1);
    town_close(&t);
    assert_int_equal(chief_msg_fail(msg, "late"), CHIEF_ENOENT);
    chief_msg_free(msg);
}

static void test_mailbox__a_stop_ends_a_call_at_once(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++)
        for (int abandoned = 0; abandoned < 2; abandoned++) {
            town t;
            town_open(&t);
            for (int i = 0; full && i < 4; i++)
                assert_int_equal(chief__hub_send(t.hub, NULL, "b", "x", 1, 0), CHIEF_OK);
            kit_op op = call_to(&t, &t.a, "b", CHIEF_FOREVER);
            kit_start(&op);
            kit_until_waiting(&t.a);
            if (abandoned) chief__party_abandon(&t.a.party);
            else kit_stop(&t.a, -1);
            assert_int_equal(kit_end(&op), CHIEF_ECANCELED);
            assert_int_equal(kit_perform(&op), CHIEF_ECANCELED);
            town_close(&t);
        }
}

static void test_mailbox__calling_oneself_would_wait_for_ever(void **state) {
    (void)state;
    town t;
    chief_msg *reply;
    town_open(&t);
    assert_int_equal(chief_worker_call(as(&t.a), "a", "x", 1, CHIEF_FOREVER, &reply), CHIEF_EDEADLK);
    assert_int_equal(chief_worker_call(as(&t.a), "b", "x", 1, 0, &reply), CHIEF_EAGAIN);
    assert_int_equal(kit_sums(t.b.party.mailbox).sent, 0);
    assert_int_equal(chief_worker_call(as(&t.a), "b", "x", 1, 0, NULL), CHIEF_EINVAL);
    town_close(&t);
}

/* ---- stopping and closing ---- */

static void test_mailbox__a_stopped_sender_waits_only_while_the_owner_lives(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        town t;
        town_open(&t);
        for (int i = 0; i < 4; i++) assert_int_equal(chief__hub_send(t.hub, NULL, "b", "x", 1, 0), CHIEF_OK);
        kit_stop(&t.a, -1);
        kit_op op = {.verb = KIT_POST, .hub = t.hub, .worker = &t.a, .to = "b", .timeout = CHIEF_FOREVER};
        kit_start(&op);
        kit_until_senders(t.b.party.mailbox, 1);
        if (how == 0) chief_msg_free(receive(&t.b));
        else if (how == 1) chief__party_end(&t.b.party, true);
        else chief__party_abandon(&t.b.party);
        assert_int_equal(kit_end(&op), how == 0 ? CHIEF_OK : CHIEF_ECANCELED);
        town_close(&t);
    }
}

static void test_mailbox__what_blocks_is_told_when_it_goes(void **state) {
    (void)state;
    const int expected[] = {CHIEF_ENOENT, CHIEF_ENOENT, CHIEF_ECLOSED};
    for (int how = 0; how < 3; how++) {
        town t;
        town_open(&t);
        chief_channel *mailbox = chief_channel_ref(t.b.party.mailbox);
        for (int i = 0; i < 4; i++) assert_int_equal(chief__hub_send(t.hub, NULL, "b", "x", 1, 0), CHIEF_OK);
        kit_op op = {.verb = KIT_POST, .hub = t.hub, .worker = &t.a, .to = "b", .timeout = CHIEF_FOREVER};
        kit_start(&op);
        kit_until_senders(mailbox, 1);
        if (how == 0) chief__hub_remove_worker(t.hub, "b");
        else if (how == 1) (void)chief__hub_open_worker(t.hub, "b", false);
        else chief__hub_close(t.hub);
        assert_int_equal(kit_end(&op), expected[how]);
        assert_int_equal(kit_sums(mailbox).queued, 4);
        town_close(&t);
        chief_channel_unref(mailbox);
    }
}

static void test_mailbox__a_closed_hub_takes_nothing_more(void **state) {
    (void)state;
    town t;
    chief_msg *msg;
    town_open(&t);
    kit_op op = {.verb = KIT_RECV, .ch = t.b.party.mailbox, .worker = &t.b, .timeout = CHIEF_FOREVER};
    kit_start(&op);
    kit_until_receivers(t.b.party.mailbox, 1);
    chief__hub_close(t.hub);
    chief__hub_close(t.hub);
    assert_int_equal(kit_end(&op), CHIEF_ECLOSED);
    assert_int_equal(chief__hub_add_channel(t.hub, "late", NULL), CHIEF_ECLOSED);
    assert_int_equal(chief__hub_add_worker(t.hub, "late", 1), CHIEF_ECLOSED);
    assert_int_equal(chief_worker_send(as(&t.a), "b", "x", 1, CHIEF_FOREVER), CHIEF_ECLOSED);
    assert_int_equal(chief_worker_call(as(&t.a), "b", "x", 1, CHIEF_FOREVER, &msg), CHIEF_ECLOSED);
    assert_int_equal(chief__hub_broadcast(t.hub, NULL, "x", 1, NULL), CHIEF_OK);
    town_close(&t);
    chief__hub_close(NULL);
    chief__hub_unref(NULL);
}

/* ---- memory ---- */

static int live_in_a_town(void) {
    chief__hub *hub = NULL;
    kit_worker w;
    size_t reached;
    chief_msg *msg = NULL;
    chief_channel *ch;
    int rc = chief_context_new(&w.context, NULL);
    if (rc != CHIEF_OK) return rc;
    rc = chief__hub_new(&hub, NULL, NULL);
    if (rc == CHIEF_OK) rc = chief__hub_add_worker(hub, "a", 2);
    if (rc == CHIEF_OK) rc = chief__hub_add_worker(hub, "b", 2);
    if (rc == CHIEF_OK) rc = chief__hub_add_channel(hub, "jobs", NULL);
    chief__party_init(&w.party, "a", w.context, hub);
    if (rc == CHIEF_OK) rc = chief_worker_channel(as(&w), "jobs", &ch);
    if (rc == CHIEF_OK) rc = chief_worker_broadcast(as(&w), "x", 1, &reached);
    if (rc == CHIEF_OK) rc = chief__hub_send(hub, NULL, "a", "x", 1, 0);
    if (rc == CHIEF_OK) rc = chief_worker_recv(as(&w), 0, &msg);
    chief_msg_free(msg);
    if (rc == CHIEF_OK) {
        rc = chief_worker_call(as(&w), "b", "x", 1, 1, &msg);
        if (rc == CHIEF_ETIMEDOUT) rc = CHIEF_OK;
    }
    kit_close(&w, true);
    chief__hub_close(hub);
    chief__hub_unref(hub);
    return rc;
}

static void test_mailbox__survives_without_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(live_in_a_town) >= 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailbox__channels_are_found_by_name),
        cmocka_unit_test(test_mailbox__a_dead_channel_that_is_none_is_refused),
        cmocka_unit_test(test_mailbox__a_channel_outlives_the_hub),
        cmocka_unit_test(test_mailbox__a_message_reaches_its_worker),
        cmocka_unit_test(test_mailbox__one_may_send_to_itself),
        cmocka_unit_test(test_mailbox__it_is_bounded),
        cmocka_unit_test(test_mailbox__who_is_not_there_is_told),
        cmocka_unit_test(test_mailbox__between_two_lives_it_queues),
        cmocka_unit_test(test_mailbox__is_received_in_batches),
        cmocka_unit_test(test_mailbox__has_a_descriptor),
        cmocka_unit_test(test_mailbox__a_worker_without_a_chief_has_none),
        cmocka_unit_test(test_mailbox__select_takes_it_too),
        cmocka_unit_test(test_mailbox__a_broadcast_reaches_all_others_that_take_it),
        cmocka_unit_test(test_mailbox__a_call_is_answered),
        cmocka_unit_test(test_mailbox__a_call_can_fail_with_a_text),
        cmocka_unit_test(test_mailbox__a_callee_that_does_not_answer_ends_the_call),
        cmocka_unit_test(test_mailbox__a_call_that_is_never_received_ends_with_the_mailbox),
        cmocka_unit_test(test_mailbox__a_caller_that_has_gone_is_told_to_who_answers),
        cmocka_unit_test(test_mailbox__a_stop_ends_a_call_at_once),
        cmocka_unit_test(test_mailbox__calling_oneself_would_wait_for_ever),
        cmocka_unit_test(test_mailbox__a_stopped_sender_waits_only_while_the_owner_lives),
        cmocka_unit_test(test_mailbox__what_blocks_is_told_when_it_goes),
        cmocka_unit_test(test_mailbox__a_closed_hub_takes_nothing_more),
        cmocka_unit_test(test_mailbox__survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
