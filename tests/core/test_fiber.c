/* Fibers on a few threads: what resumes them, who wakes them, and that one that blocks or spins keeps nobody waiting. */
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "agenda.h"
#include "fiber.h"
#include "plat.h"
#include "support.h"

#define LONG_MS 20000

/* A fiber of the tests: `step` says what it does when it is resumed. */
typedef struct probe {
    chief__fiber fiber; /* first: the fiber is cast */
    chief__waiter waiter;
    bool (*step)(struct probe *p);
    struct probe *other;
    atomic_uint *ended;
    atomic_uint taken; /* bytes */
    atomic_uint resumed;
    atomic_uint tokens; /* what others have left for it */
    uint32_t rounds;
    int fds[2];
    support_gate *gate;
    uintptr_t thread;
} probe;

static bool resume(chief__fiber *f) {
    probe *p = (probe *)(void *)f;
    (void)atomic_fetch_add(&p->resumed, 1);
    if (p->step(p)) return true;
    atomic_uint *ended = p->ended;
    chief__fiber_end(f);
    (void)atomic_fetch_add(ended, 1);
    return false;
}

static void start(probe *p, chief__scheds *group, bool (*step)(probe *), atomic_uint *ended) {
    p->step = step;
    p->ended = ended;
    assert_int_equal(chief__fiber_start(&p->fiber, group, &p->waiter, resume), CHIEF_OK);
}

static chief__scheds *open_group(uint32_t n) {
    chief__scheds *group;
    assert_int_equal(chief__scheds_new(&group, n, 0, NULL, NULL), CHIEF_OK);
    return group;
}

static void close_group(chief__scheds *group) {
    assert_true(chief__scheds_close(group, chief__deadline(support_ms(LONG_MS))));
    chief__scheds_unref(group);
}

typedef struct tally {
    atomic_uint *count;
    uint32_t n;
} tally;

static bool is_reached(void *data) {
    tally *t = data;
    return atomic_load(t->count) >= t->n;
}

static void until(atomic_uint *count, uint32_t n) {
    tally t = {count, n};
    assert_true(support_until(is_reached, &t, LONG_MS));
}

/* ---- resuming and waking ---- */

static bool end_at_once(probe *p) {
    (void)p;
    return false;
}

static void test_fiber__each_is_resumed_until_it_ends(void **state) {
    (void)state;
    static probe probes[1000];
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    memset(probes, 0, sizeof probes);
    for (size_t i = 0; i < 1000; i++) start(&probes[i], group, end_at_once, &ended);
    until(&ended, 1000);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(atomic_load(&probes[i].resumed), 1);
    assert_int_equal(chief__scheds_threads(group), 2);
    close_group(group);
}

static bool wait_for_tokens(probe *p) { return atomic_load(&p->tokens) < p->rounds; }

static void give(probe *p) {
    (void)atomic_fetch_add(&p->tokens, 1);
    chief__waiter_wake(&p->waiter);
}

static void test_fiber__no_wake_is_lost(void **state) {
    (void)state;
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    probe p = {.rounds = 100000};
    start(&p, group, wait_for_tokens, &ended);
    for (uint32_t i = 0; i < p.rounds; i++) give(&p);
    until(&ended, 1);
    close_group(group);
}

/* Each gives the other a token and takes its own. */
static bool play(probe *p) {
    while (atomic_load(&p->tokens) > 0) {
        if (p->rounds == 0) return false;
        (void)atomic_fetch_sub(&p->tokens, 1);
        p->rounds--;
        p->thread = (uintptr_t)atomic_load(&p->fiber.sched);
        give(p->other);
    }
    return p->rounds > 0;
}

static void test_fiber__two_that_talk_come_together(void **state) {
    (void)state;
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    probe a = {.rounds = 20000};
    probe b = {.rounds = 20000};
    a.other = &b;
    b.other = &a;
    start(&a, group, play, &ended);
    start(&b, group, play, &ended);
    give(&a);
    until(&ended, 2);
    assert_true(a.thread == b.thread);
    close_group(group);
}

/* Wakes coalesce, so it takes all that is there. */
static bool ring(probe *p) {
    while (atomic_load(&p->tokens) > 0) {
        (void)atomic_fetch_sub(&p->tokens, 1);
        give(p->other);
        if (--p->rounds == 0) return false;
    }
    return true;
}

static void test_fiber__tokens_go_round_a_crowd(void **state) {
    (void)state;
    static probe crowd[200];
    atomic_uint ended = 0;
    chief__scheds *group = open_group(3);
    memset(crowd, 0, sizeof crowd);
    for (size_t i = 0; i < 200; i++) {
        crowd[i].rounds = 300;
        crowd[i].other = &crowd[(i + 1) % 200];
    }
    for (size_t i = 0; i < 200; i++) start(&crowd[i], group, ring, &ended);
    for (size_t i = 0; i < 200; i += 20) give(&crowd[i]);
    until(&ended, 200);
    close_group(group);
}

/* ---- each has its turn ---- */

#define TURNS 1000

/* Always ready once it has a token, as long as the others play: `rounds` is how often the other had been resumed at its last turn, `taken` the most that this
 * has grown by until the next. */
static bool stand_by(probe *p) {
    if (atomic_load(&p->tokens) == 0) return true;
    uint32_t turns = atomic_load(&p->other->resumed);
    if (p->rounds > 0 && turns - p->rounds > atomic_load(&p->taken)) atomic_store(&p->taken, turns - p->rounds);
    p->rounds = turns;
    chief__waiter_wake(&p->waiter);
    return atomic_load(p->ended) < 3; /* the opener and the two */
}

static probe pair[2], bystander, opener;

static bool open_all(probe *p) {
    give(p->other);
    give(&bystander);
    return false;
}

/* How many turns one of two that talk had between two of a third; 0: another thread has taken over meanwhile, and it says nothing. */
static uint32_t turns_between(void) {
    atomic_uint ended = 0;
    chief__scheds *group = open_group(1);
    memset(&bystander, 0, sizeof bystander);
    memset(&opener, 0, sizeof opener);
    bystander.other = opener.other = &pair[0];
    for (size_t i = 0; i < 2; i++) {
        pair[i] = (probe){.rounds = TURNS, .other = &pair[1 - i]};
        start(&pair[i], group, play, &ended);
    }
    start(&bystander, group, stand_by, &ended);
    until(&bystander.resumed, 1);
    start(&opener, group, open_all, &ended);
    until(&ended, 4);
    uint32_t most = chief__scheds_threads(group) == 1 ? atomic_load(&bystander.taken) : 0;
    close_group(group);
    return most;
}

static void test_fiber__two_that_talk_starve_nobody(void **state) {
    (void)state;
    uint32_t most = 0;
    for (int i = 0; i < 50 && most == 0; i++) most = turns_between();
    assert_in_range(most, 1, 2);
}

/* ---- deadlines and descriptors ---- */

static bool nap(probe *p) {
    if (p->rounds-- == 0) return false;
    p->fiber.due = chief__now_ms() + 1;
    return true;
}

static void test_fiber__a_deadline_resumes_it(void **state) {
    (void)state;
    static probe probes[100];
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    memset(probes, 0, sizeof probes);
    for (size_t i = 0; i < 100; i++) {
        probes[i].rounds = 20;
        start(&probes[i], group, nap, &ended);
    }
    until(&ended, 100);
    for (size_t i = 0; i < 100; i++) assert_int_equal(atomic_load(&probes[i].resumed), 21);
    close_group(group);
}

static bool wait_or_end(probe *p) {
    if (atomic_load(&p->tokens) > 0) return false;
    p->fiber.due = chief__now_ms() + 1000000;
    return true;
}

static void test_fiber__a_wake_comes_before_the_deadline(void **state) {
    (void)state;
    atomic_uint ended = 0;
    chief__scheds *group = open_group(1);
    probe p = {0};
    start(&p, group, wait_or_end, &ended);
    until(&p.resumed, 1);
    give(&p);
    until(&ended, 1);
    close_group(group);
}

static bool read_all(probe *p) {
    char byte;
    while (read(p->fds[0], &byte, 1) == 1) {
        (void)atomic_fetch_add(&p->taken, 1);
        if (--p->rounds == 0) return false;
    }
    p->fiber.fd = p->fds[0];
    p->fiber.events = POLL_READ;
    return true;
}

static void test_fiber__a_descriptor_resumes_it(void **state) {
    (void)state;
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    probe p = {.rounds = 3};
    assert_int_equal(pipe2(p.fds, O_NONBLOCK | O_CLOEXEC), 0);
    start(&p, group, read_all, &ended);
    for (uint32_t i = 1; i <= 3; i++) { /* the first may be there before it looks for the first time */
        assert_int_equal(write(p.fds[1], "x", 1), 1);
        until(&p.taken, i);
    }
    until(&ended, 1);
    assert_int_equal(close(p.fds[0]) + close(p.fds[1]), 0);
    close_group(group);
}

static bool wait_for_nonsense(probe *p) {
    if (p->fiber.fd_rc != CHIEF_OK) {
        atomic_store(&p->tokens, (unsigned)-p->fiber.fd_rc);
        return false;
    }
    p->fiber.fd = 1 << 20;
    p->fiber.events = POLL_READ;
    return true;
}

static void test_fiber__what_is_no_descriptor_is_told(void **state) {
    (void)state;
    atomic_uint ended = 0;
    chief__scheds *group = open_group(1);
    probe p = {0};
    start(&p, group, wait_for_nonsense, &ended);
    until(&ended, 1);
    assert_int_equal(atomic_load(&p.tokens), -CHIEF_ESYS);
    close_group(group);
}

/* ---- those that keep their thread ---- */

static bool block_in_place(probe *p) {
    chief__fiber_block(&p->fiber);
    assert_true(support_gate_pass(p->gate));
    return false;
}

static bool spin(probe *p) {
    while (atomic_load(&p->tokens) == 0) (void)sched_yield();
    return false;
}

/* The others of the only scheduler go on while the first keeps its thread. */
static void keeps_nobody(bool (*step)(probe *), bool gated) {
    atomic_uint ended = 0;
    atomic_uint others = 0;
    support_gate gate;
    probe slow = {.gate = &gate};
    probe quick[10];
    chief__scheds *group = open_group(1);
    support_gate_init(&gate);
    memset(quick, 0, sizeof quick);
    start(&slow, group, step, &ended);
    until(&slow.resumed, 1);
    for (size_t i = 0; i < 10; i++) start(&quick[i], group, end_at_once, &others);
    until(&others, 10);
    assert_int_equal(atomic_load(&ended), 0);
    assert_true(atomic_load(&slow.fiber.slow));
    if (gated) support_gate_open(&gate);
    else atomic_store(&slow.tokens, 1);
    until(&ended, 1);
    close_group(group);
    support_gate_fini(&gate);
}

static void test_fiber__one_that_blocks_keeps_nobody_waiting(void **state) {
    (void)state;
    keeps_nobody(block_in_place, true);
}

static void test_fiber__one_that_spins_keeps_nobody_waiting(void **state) {
    (void)state;
    keeps_nobody(spin, false);
}

/* The last of a fiber's thread takes long, and the others move on; by then the fiber may be no more. */
static bool linger(chief__fiber *f) {
    const probe *p = (const probe *)(void *)f;
    support_gate *gate = p->gate;
    atomic_uint *ended = p->ended;
    chief__fiber_end(f);
    (void)support_gate_pass(gate);
    (void)atomic_fetch_add(ended, 1);
    return false;
}

static void test_fiber__one_that_has_ended_is_left_alone(void **state) {
    (void)state;
    static support_gate gate;
    atomic_uint ended = 0;
    atomic_uint others_ended = 0;
    probe first = {.gate = &gate, .ended = &ended};
    probe other = {0};
    chief__scheds *group = open_group(1);
    support_gate_init(&gate);
    assert_int_equal(chief__fiber_start(&first.fiber, group, &first.waiter, linger), CHIEF_OK);
    start(&other, group, end_at_once, &others_ended);
    until(&others_ended, 1);
    assert_false(atomic_load(&first.fiber.slow));
    support_gate_open(&gate);
    until(&ended, 1);
    close_group(group);
    support_gate_fini(&gate);
}

static void test_fiber__one_that_is_stuck_does_not_hold_the_end(void **state) {
    (void)state;
    atomic_uint ended = 0;
    static probe stuck;
    memset(&stuck, 0, sizeof stuck);
    chief__scheds *group = open_group(1);
    start(&stuck, group, spin, &ended);
    until(&stuck.resumed, 1);
    assert_false(chief__scheds_close(group, chief__deadline(10)));
    chief__scheds_unref(group);
    atomic_store(&stuck.tokens, 1);
    until(&ended, 1);
}

/* It is ready again at once, as one is that has not been told yet. */
static bool take_many_turns(probe *p) {
    chief__waiter_wake(&p->waiter);
    return atomic_load(&p->resumed) < p->rounds;
}

static bool block_then_take_many_turns(probe *p) {
    if (atomic_load(&p->resumed) == 1) {
        chief__fiber_block(&p->fiber);
        (void)support_gate_pass(p->gate);
    }
    return take_many_turns(p);
}

static void test_fiber__those_that_are_ready_are_led_to_their_end(void **state) {
    (void)state;
    static probe probes[100];
    atomic_uint ended = 0;
    chief__scheds *group = open_group(2);
    memset(probes, 0, sizeof probes);
    for (size_t i = 0; i < 100; i++) {
        probes[i].rounds = 1000;
        start(&probes[i], group, take_many_turns, &ended);
    }
    close_group(group);
    assert_int_equal(atomic_load(&ended), 100);
}

/* Its scheduler has no thread any more when it comes back. */
static void test_fiber__one_that_was_stuck_goes_on_after_the_end(void **state) {
    (void)state;
    static support_gate gate;
    static probe stuck;
    atomic_uint ended = 0;
    memset(&stuck, 0, sizeof stuck);
    support_gate_init(&gate);
    stuck.gate = &gate;
    stuck.rounds = 1000;
    chief__scheds *group = open_group(1);
    start(&stuck, group, block_then_take_many_turns, &ended);
    until(&stuck.resumed, 1);
    assert_false(chief__scheds_close(group, chief__deadline(10)));
    chief__scheds_unref(group);
    support_gate_open(&gate);
    until(&ended, 1);
    support_gate_fini(&gate);
}

/* No thread has a stack of that size. */
static void test_fiber__without_threads_every_start_is_refused(void **state) {
    (void)state;
    chief__scheds *group;
    probe p = {.step = end_at_once};
    assert_int_equal(chief__scheds_new(&group, 2, (size_t)1 << 46, NULL, NULL), CHIEF_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(chief__fiber_start(&p.fiber, group, &p.waiter, resume), CHIEF_ESYS);
        support_says("could not be created");
    }
    close_group(group);
}

/* ---- memory ---- */

static int make_group(void) {
    chief__scheds *group;
    int rc = chief__scheds_new(&group, 2, 0, NULL, NULL);
    if (rc == CHIEF_OK) chief__scheds_unref(group);
    return rc;
}

static void test_fiber__making_a_group_survives_each_failing_allocation(void **state) {
    (void)state;
    assert_true(support_out_of_memory(make_group) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* first: the stuck one's thread may still be freeing at the end */
        cmocka_unit_test(test_fiber__making_a_group_survives_each_failing_allocation),
        cmocka_unit_test(test_fiber__each_is_resumed_until_it_ends),
        cmocka_unit_test(test_fiber__no_wake_is_lost),
        cmocka_unit_test(test_fiber__two_that_talk_come_together),
        cmocka_unit_test(test_fiber__tokens_go_round_a_crowd),
        cmocka_unit_test(test_fiber__two_that_talk_starve_nobody),
        cmocka_unit_test(test_fiber__a_deadline_resumes_it),
        cmocka_unit_test(test_fiber__a_wake_comes_before_the_deadline),
        cmocka_unit_test(test_fiber__a_descriptor_resumes_it),
        cmocka_unit_test(test_fiber__what_is_no_descriptor_is_told),
        cmocka_unit_test(test_fiber__one_that_blocks_keeps_nobody_waiting),
        cmocka_unit_test(test_fiber__one_that_spins_keeps_nobody_waiting),
        cmocka_unit_test(test_fiber__one_that_has_ended_is_left_alone),
        cmocka_unit_test(test_fiber__those_that_are_ready_are_led_to_their_end),
        cmocka_unit_test(test_fiber__without_threads_every_start_is_refused),
        cmocka_unit_test(test_fiber__one_that_is_stuck_does_not_hold_the_end),
        cmocka_unit_test(test_fiber__one_that_was_stuck_goes_on_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
