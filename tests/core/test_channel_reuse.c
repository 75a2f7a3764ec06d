/* Small messages that were done with carry the next ones: no memory in a steady flow, and nothing left of before. */
#include "channel_kit.h"

#include <stdarg.h>

static atomic_long kernel_calls;

/* NOLINTBEGIN(bugprone-reserved-identifier): names that the linker prescribes (tests/CMakeLists.txt) */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* The core's calls that the C library has no name for are those of a sleep and a wake, with six arguments each. */
long __wrap_syscall(long number, ...) {
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (size_t i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    (void)atomic_fetch_add(&kernel_calls, 1);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
/* NOLINTEND(bugprone-reserved-identifier) */

typedef struct pair {
    chief_channel *ch;
    kit_worker sender, receiver;
} pair;

static pair *pair_open(uint32_t capacity) {
    static pair p;
    p.ch = kit_channel(capacity, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    kit_open(&p.sender, "sender", NULL);
    kit_open(&p.receiver, "receiver", NULL);
    return &p;
}

static void pair_close(pair *p) {
    kit_close(&p->sender, true);
    kit_close(&p->receiver, true);
    (void)kit_sums(p->ch);
    chief_channel_unref(p->ch);
}

/* How many there are for the senders, once the ends have met. */
static size_t spares(chief_channel *ch) {
    chief__channel_lock(ch);
    size_t n = ch->spare.len;
    chief__channel_unlock(ch);
    return n;
}

/* So many messages go through at once, and there are as many to be used again. */
static void warm_up(pair *p, int32_t n) {
    for (int32_t i = 1; i <= n; i++) assert_int_equal(kit_send(p->ch, &p->sender, i), CHIEF_OK);
    for (int32_t i = 1; i <= n; i++) assert_int_equal(kit_recv(p->ch, &p->receiver), i);
    chief_channel_ack(p->ch, as(&p->receiver));
}

static void test_channel_reuse__a_steady_flow_takes_no_memory(void **state) {
    (void)state;
    static support_heap heap;
    const long many = 1000000;
    support_heap_begin(&heap, many);
    pair *p = pair_open(8);
    warm_up(p, 8);
    long before = atomic_load(&heap.until);
    for (int32_t i = 1; i <= 1000; i++) {
        assert_int_equal(kit_send(p->ch, &p->sender, i), CHIEF_OK);
        assert_int_equal(kit_recv(p->ch, &p->receiver), i);
    }
    assert_int_equal(before - atomic_load(&heap.until), 0);
    pair_close(p);
    support_heap_end(&heap);
}

static void test_channel_reuse__keeps_no_more_than_the_capacity(void **state) {
    (void)state;
    pair *p = pair_open(3);
    chief_msg *out[3];
    size_t n;
    for (int32_t round = 0; round < 4; round++) {
        for (int32_t i = 0; i < 3; i++) assert_int_equal(kit_send(p->ch, &p->sender, i), CHIEF_OK);
        assert_int_equal(chief_channel_recv_many(p->ch, as(&p->receiver), 0, out, 3, &n), CHIEF_OK);
        for (size_t i = 0; i < n; i++) chief_msg_free(out[i]);
    }
    chief_channel_ack(p->ch, as(&p->receiver));
    assert_int_equal(spares(p->ch), 3);
    pair_close(p);
}

static void test_channel_reuse__what_somebody_still_holds_stays_as_it_was(void **state) {
    (void)state;
    pair *p = pair_open(4);
    chief_msg *held;
    assert_int_equal(kit_send(p->ch, &p->sender, 7), CHIEF_OK);
    assert_int_equal(chief_channel_recv(p->ch, as(&p->receiver), 0, &held), CHIEF_OK);
    chief_channel_ack(p->ch, as(&p->receiver));
    assert_int_equal(kit_send(p->ch, NULL, 8), CHIEF_OK);
    assert_int_equal(kit_number(held), 7);
    assert_string_equal(chief_msg_sender(held), "sender");
    chief_msg_free(held);
    pair_close(p);
}

static void test_channel_reuse__nothing_is_left_of_before(void **state) {
    (void)state;
    pair *p = pair_open(1);
    chief_msg *msg;
    warm_up(p, 1);
    assert_int_equal(spares(p->ch), 1);
    assert_int_equal(chief_channel_send(p->ch, NULL, "xy", 2, 0), CHIEF_OK);
    assert_int_equal(spares(p->ch), 0);
    assert_int_equal(chief_channel_recv(p->ch, as(&p->receiver), 0, &msg), CHIEF_OK);
    assert_string_equal(chief_msg_sender(msg), "");
    assert_string_equal(chief_msg_kind(msg), "message");
    assert_int_equal(chief_msg_deliveries(msg), 1);
    assert_int_equal(chief_msg_data(msg).len, 2);
    assert_memory_equal(chief_msg_data(msg).data, "xy", 2);
    chief_msg_free(msg);
    pair_close(p);
}

/* Receives what `from` sent as the bytes `text`, and answers its origin. */
static uint64_t pass(pair *p, kit_worker *from, const char *text) {
    chief_msg *msg;
    assert_int_equal(chief_channel_send(p->ch, from != NULL ? as(from) : NULL, text, strlen(text), 0), CHIEF_OK);
    assert_int_equal(chief_channel_recv(p->ch, as(&p->receiver), 0, &msg), CHIEF_OK);
    assert_string_equal(chief_msg_sender(msg), from != NULL ? from->party.name : "");
    assert_int_equal(chief_msg_data(msg).len, strlen(text));
    assert_memory_equal(chief_msg_data(msg).data, text, strlen(text));
    uint64_t origin = chief_msg_origin(msg);
    chief_msg_free(msg);
    return origin;
}

/* The same message carries them all, and the names are of different lengths. */
static void test_channel_reuse__says_each_time_who_it_is_from(void **state) {
    (void)state;
    static char longest[128];
    kit_worker other;
    pair *p = pair_open(1);
    kit_open(&other, "another-sender", NULL);
    warm_up(p, 1);
    uint64_t first = pass(p, &p->sender, "one");
    assert_int_not_equal(first, 0);
    assert_int_equal(pass(p, &p->sender, "twelve"), first);
    uint64_t second = pass(p, &other, "three");
    assert_int_not_equal(second, 0);
    assert_int_not_equal(second, first);
    assert_int_equal(pass(p, &other, ""), second);
    assert_int_equal(pass(p, NULL, "four"), 0);
    assert_int_equal(pass(p, &p->sender, "five"), first);
    for (size_t len = 100; len < sizeof longest; len++) { /* up to where it no longer fits, and beyond */
        memset(longest, 'a', len);
        assert_int_equal(pass(p, &p->sender, longest), first);
    }
    kit_close(&other, true);
    pair_close(p);
}

/* Nor has what its next generation sends, though it has the name. */
static void test_channel_reuse__another_channel_is_another_origin(void **state) {
    (void)state;
    pair *p = pair_open(1);
    uint64_t here = pass(p, &p->sender, "here");
    pair there = {.ch = kit_channel(1, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE)};
    kit_open(&there.receiver, "receiver", NULL);
    assert_int_not_equal(pass(&there, &p->sender, "there"), here);
    kit_close(&p->sender, true);
    kit_open(&p->sender, "sender", NULL);
    assert_int_not_equal(pass(p, &p->sender, "here"), here);
    kit_close(&there.receiver, true);
    chief_channel_unref(there.ch);
    pair_close(p);
}

static void test_channel_reuse__a_large_one_is_not_kept(void **state) {
    (void)state;
    static char large[4096];
    pair *p = pair_open(2);
    chief_msg *msg;
    warm_up(p, 1);
    assert_int_equal(chief_channel_send(p->ch, as(&p->sender), large, sizeof large, 0), CHIEF_OK);
    assert_int_equal(chief_channel_recv(p->ch, as(&p->receiver), 0, &msg), CHIEF_OK);
    assert_int_equal(chief_msg_data(msg).len, sizeof large);
    chief_msg_free(msg);
    chief_channel_ack(p->ch, as(&p->receiver));
    assert_int_equal(spares(p->ch), 1);
    pair_close(p);
}

static void send_both_sizes(void *data) {
    static char large[4096];
    pair *p = data;
    assert_int_equal(kit_send(p->ch, &p->sender, 1), CHIEF_OK);
    assert_int_equal(chief_channel_send(p->ch, as(&p->sender), large, sizeof large, 0), CHIEF_OK);
}

/* Who takes the other end's lock would wait for it here, and for ever. */
static void test_channel_reuse__a_sender_needs_the_back_alone(void **state) {
    (void)state;
    chief__thread thread;
    pair *p = pair_open(2);
    warm_up(p, 2);
    chief__lock(&p->ch->front);
    support_thread(&thread, send_both_sizes, p);
    chief__thread_join(&thread);
    chief__unlock(&p->ch->front);
    assert_int_equal(chief_channel_len(p->ch), 2);
    pair_close(p);
}

/* As long as nobody sleeps. Nor is there a descriptor before it was asked for. */
static void test_channel_reuse__a_steady_flow_calls_no_kernel(void **state) {
    (void)state;
    pair *p = pair_open(8);
    warm_up(p, 8);
    long before = atomic_load(&kernel_calls);
    for (int32_t i = 1; i <= 1000; i++) {
        assert_int_equal(kit_send(p->ch, &p->sender, i), CHIEF_OK);
        assert_int_equal(kit_recv(p->ch, &p->receiver), i);
    }
    assert_int_equal(atomic_load(&kernel_calls) - before, 0);
    assert_int_equal(p->ch->fd, -1);
    atomic_store(&p->sender.party.waiter.parker.word, 2); /* as if it slept */
    (void)chief__unpark(&p->sender.party.waiter.parker);
    assert_int_equal(atomic_load(&kernel_calls) - before, 1);
    pair_close(p);
}

static void test_channel_reuse__a_batch_ends_at_what_can_not_be_sent(void **state) {
    (void)state;
    pair *p = pair_open(8);
    size_t sent;
    warm_up(p, 8);
    chief_bytes items[] = {{"a", 1}, {"b", 1}, {"c", 1}, {NULL, 1}, {"e", 1}};
    assert_int_equal(chief_channel_send_many(p->ch, as(&p->sender), items, 5, 0, &sent), CHIEF_EINVAL);
    assert_int_equal(sent, 3);
    assert_int_equal(chief_channel_len(p->ch), 3);
    pair_close(p);
}

static void test_channel_reuse__a_batch_goes_as_far_as_there_is_room(void **state) {
    (void)state;
    pair *p = pair_open(4);
    chief_bytes items[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}};
    chief_msg *out[8];
    size_t n;
    warm_up(p, 4);
    assert_int_equal(chief_channel_send_many(p->ch, as(&p->sender), items, 6, 0, &n), CHIEF_EAGAIN);
    assert_int_equal(n, 4);
    assert_int_equal(chief_channel_recv_many(p->ch, as(&p->receiver), 0, out, 8, &n), CHIEF_OK);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(chief_msg_data(out[i]).data, items[i].data, 1);
        chief_msg_free(out[i]);
    }
    pair_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_reuse__a_steady_flow_takes_no_memory),
        cmocka_unit_test(test_channel_reuse__keeps_no_more_than_the_capacity),
        cmocka_unit_test(test_channel_reuse__what_somebody_still_holds_stays_as_it_was),
        cmocka_unit_test(test_channel_reuse__nothing_is_left_of_before),
        cmocka_unit_test(test_channel_reuse__says_each_time_who_it_is_from),
        cmocka_unit_test(test_channel_reuse__another_channel_is_another_origin),
        cmocka_unit_test(test_channel_reuse__a_large_one_is_not_kept),
        cmocka_unit_test(test_channel_reuse__a_sender_needs_the_back_alone),
        cmocka_unit_test(test_channel_reuse__a_steady_flow_calls_no_kernel),
        cmocka_unit_test(test_channel_reuse__a_batch_ends_at_what_can_not_be_sent),
        cmocka_unit_test(test_channel_reuse__a_batch_goes_as_far_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
