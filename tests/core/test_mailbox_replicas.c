/* The mailboxes of replicas, which have a name in common: in turn, by broadcast, and when some come and go. */
#include "town_kit.h"

/* Two workers r/1 and r/2 beside the town's. */
typedef struct twins {
    town t;
    kit_worker one, two;
} twins;

static void twins_open(twins *w) {
    town_open(&w->t);
    assert_int_equal(chief__hub_add_worker(w->t.hub, "r/1", 4), CHIEF_OK);
    assert_int_equal(chief__hub_add_worker(w->t.hub, "r/2", 4), CHIEF_OK);
    kit_open(&w->one, "r/1", w->t.hub);
    kit_open(&w->two, "r/2", w->t.hub);
}

static void twins_close(twins *w) {
    kit_close(&w->one, true);
    kit_close(&w->two, true);
    town_close(&w->t);
}

static size_t queued(const twins *w, const char *name) {
    chief_channel *mailbox = chief__hub_mailbox(w->t.hub, name);
    size_t n = chief_channel_len(mailbox);
    chief_channel_unref(mailbox);
    return n;
}

static void test_mailbox_replicas__replicas_get_messages_in_turn(void **state) {
    (void)state;
    twins w;
    chief_bytes three[] = {{"1", 1}, {"2", 1}, {"3", 1}};
    size_t sent;
    twins_open(&w);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    assert_int_equal(queued(&w, "r/1"), 1);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r/1", "y", 1, 0), CHIEF_OK); /* by its own name: no turn */
    assert_int_equal(chief_worker_send(as(&w.t.b), "r", "z", 1, 0), CHIEF_OK);
    assert_int_equal(queued(&w, "r/1"), 2);
    assert_int_equal(queued(&w, "r/2"), 1);
    assert_int_equal(chief_worker_send_many(as(&w.t.a), "r", three, 3, 0, &sent), CHIEF_OK);
    assert_int_equal(sent, 3);
    assert_int_equal(queued(&w, "r/1"), 4);
    assert_int_equal(queued(&w, "r/2"), 2);
    assert_int_equal(chief_worker_send_many(as(&w.t.a), "r", three, 3, 0, &sent), CHIEF_EAGAIN);
    assert_int_equal(sent, 1); /* into r/2; then it is the turn of r/1, which is full */
    assert_int_equal(chief_worker_send_many(as(&w.t.a), "r", NULL, 0, 0, &sent), CHIEF_OK);
    assert_int_equal(chief_worker_send_many(as(&w.t.a), "s", NULL, 0, 0, &sent), CHIEF_ENOENT);
    twins_close(&w);
}

static void test_mailbox_replicas__replicas_that_are_shut_are_passed_over(void **state) {
    (void)state;
    twins w;
    twins_open(&w);
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/1", false), CHIEF_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    assert_int_equal(queued(&w, "r/1"), 0);
    assert_int_equal(queued(&w, "r/2"), 3);
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/2", false), CHIEF_OK);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_ENOENT);
    support_says("no replica of worker \"r\" is there");
    assert_int_equal(chief_worker_send(as(&w.t.a), "r/3", "x", 1, 0), CHIEF_ENOENT);
    support_says("no worker \"r/3\"; there are: a, b, r (r/1, r/2)");
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/1", true), CHIEF_OK);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    assert_int_equal(queued(&w, "r/1"), 1);
    twins_close(&w);
}

static void test_mailbox_replicas__removed_replicas_leave_their_turn(void **state) {
    (void)state;
    twins w;
    twins_open(&w);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    chief__hub_remove_worker(w.t.hub, "r/1");
    for (int i = 0; i < 2; i++) assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    assert_int_equal(queued(&w, "r/2"), 2);
    chief__hub_remove_worker(w.t.hub, "r/2");
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_ENOENT);
    support_says("no worker \"r\"; there are: a, b");
    assert_int_equal(chief__hub_add_worker(w.t.hub, "r", 4), CHIEF_OK);
    assert_int_equal(chief_worker_send(as(&w.t.a), "r", "x", 1, 0), CHIEF_OK);
    twins_close(&w);
}

static void test_mailbox_replicas__a_broadcast_reaches_each_replica(void **state) {
    (void)state;
    twins w;
    size_t reached;
    twins_open(&w);
    assert_int_equal(chief_worker_broadcast(as(&w.one), "x", 1, &reached), CHIEF_OK);
    assert_int_equal(reached, 3);
    assert_int_equal(queued(&w, "r/1"), 0);
    assert_int_equal(queued(&w, "r/2"), 1);
    twins_close(&w);
}

/* Answers what it is asked with its own name, until it is asked to end. */
static void answer_all(void *data) {
    kit_worker *w = data;
    chief_msg *msg;
    while (chief_worker_recv(as(w), CHIEF_FOREVER, &msg) == CHIEF_OK) {
        bool last = chief_msg_data(msg).len == 0;
        const char *name = w->party.name;
        (void)chief_msg_reply(msg, name, strlen(name));
        chief_msg_free(msg);
        if (last) return;
    }
}

static void expect_answer(kit_worker *caller, const char *to, const char *answer) {
    chief_msg *reply;
    assert_int_equal(chief_worker_call(as(caller), to, "?", 1, support_ms(10000), &reply), CHIEF_OK);
    chief_bytes bytes = chief_msg_data(reply);
    assert_int_equal(bytes.len, strlen(answer));
    assert_memory_equal(bytes.data, answer, bytes.len);
    chief_msg_free(reply);
}

static void test_mailbox_replicas__replicas_are_asked_in_turn(void **state) {
    (void)state;
    twins w;
    chief_msg *reply;
    chief__thread threads[2];
    twins_open(&w);
    support_thread(&threads[0], answer_all, &w.one);
    support_thread(&threads[1], answer_all, &w.two);
    expect_answer(&w.t.a, "r", "r/1");
    expect_answer(&w.t.a, "r", "r/2");
    expect_answer(&w.t.a, "r", "r/1");
    expect_answer(&w.t.a, "r/1", "r/1");
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/2", false), CHIEF_OK);
    expect_answer(&w.t.a, "r", "r/1");
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/2", true), CHIEF_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(chief_worker_call(as(&w.t.a), i == 0 ? "r/1" : "r/2", "", 0, support_ms(10000), &reply),
                         CHIEF_OK),
            chief_msg_free(reply);
    for (int i = 0; i < 2; i++) chief__thread_join(&threads[i]);
    twins_close(&w);
}

static void test_mailbox_replicas__a_replica_never_asks_itself(void **state) {
    (void)state;
    twins w;
    chief_msg *reply;
    chief__thread thread;
    twins_open(&w);
    support_thread(&thread, answer_all, &w.two);
    for (int i = 0; i < 3; i++) expect_answer(&w.one, "r", "r/2");
    assert_int_equal(chief_worker_call(as(&w.one), "r/2", "", 0, support_ms(10000), &reply), CHIEF_OK);
    chief_msg_free(reply);
    chief__thread_join(&thread);
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/2", false), CHIEF_OK);
    assert_int_equal(chief_worker_call(as(&w.one), "r", "?", 1, 0, &reply), CHIEF_EDEADLK);
    support_says("no other is there");
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/1", false), CHIEF_OK);
    twins_close(&w);
}

/* Its turn has come to one that is full; when that goes, what waits for it goes to the other. */
static void send_one_to_r(void *data) {
    kit_worker *w = data;
    assert_int_equal(chief_worker_send(as(w), "r", "x", 1, CHIEF_FOREVER), CHIEF_OK);
}

static bool somebody_waits(void *mailbox) {
    chief_channel *ch = mailbox;
    chief__channel_lock(ch);
    bool waits = ch->senders.first != NULL;
    chief__channel_unlock(ch);
    return waits;
}

static void test_mailbox_replicas__who_waits_for_a_replica_that_goes_gets_another(void **state) {
    (void)state;
    twins w;
    chief__thread thread;
    twins_open(&w);
    for (int i = 0; i < 4; i++) assert_int_equal(chief_worker_send(as(&w.t.a), "r/1", "x", 1, 0), CHIEF_OK);
    chief_channel *full = chief__hub_mailbox(w.t.hub, "r/1");
    support_thread(&thread, send_one_to_r, &w.t.a);
    assert_true(support_until(somebody_waits, full, 10000));
    chief_channel_unref(full);
    assert_int_equal(chief__hub_open_worker(w.t.hub, "r/1", false), CHIEF_OK);
    chief__thread_join(&thread);
    assert_int_equal(queued(&w, "r/2"), 1);
    twins_close(&w);
}

static int add_replicas(void) {
    chief__hub *hub;
    int rc = chief__hub_new(&hub, NULL, NULL);
    for (int i = 1; rc == CHIEF_OK && i <= 20; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "r/%d", i);
        rc = chief__hub_add_worker(hub, name, 4);
    }
    if (rc == CHIEF_OK) rc = chief__hub_send(hub, NULL, "r", "x", 1, 0);
    chief__hub_close(hub);
    chief__hub_unref(hub);
    return rc;
}

static void test_mailbox_replicas__replicas_out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(add_replicas) > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailbox_replicas__replicas_get_messages_in_turn),
        cmocka_unit_test(test_mailbox_replicas__replicas_that_are_shut_are_passed_over),
        cmocka_unit_test(test_mailbox_replicas__removed_replicas_leave_their_turn),
        cmocka_unit_test(test_mailbox_replicas__a_broadcast_reaches_each_replica),
        cmocka_unit_test(test_mailbox_replicas__replicas_are_asked_in_turn),
        cmocka_unit_test(test_mailbox_replicas__a_replica_never_asks_itself),
        cmocka_unit_test(test_mailbox_replicas__who_waits_for_a_replica_that_goes_gets_another),
        cmocka_unit_test(test_mailbox_replicas__replicas_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
