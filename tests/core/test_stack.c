/* Stacks for threads that come and go in numbers. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#include "plat.h"
#include "stack.h"

#define SIZE ((size_t)256 * 1024)            /* of no other test: what it takes it finds as it was given */
#define GUEST_SIZE ((size_t)2 * 1024 * 1024) /* room for what ThreadSanitizer keeps on it */
#define PAGE ((size_t)4096)
#define MANY 100 /* more than one mapping holds */

/* The kernel, which reads for us, meets the guard as a thread would. */
static bool is_guarded(const void *page) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    bool guarded = write(ends[1], page, 1) < 0 && errno == EFAULT;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return guarded;
}

static void test_stack__each_is_apart_above_a_guard(void **state) {
    (void)state;
    static chief__stack stacks[MANY];
    for (int i = 0; i < MANY; i++) {
        stacks[i] = chief__stack_take(SIZE);
        assert_non_null(stacks[i].base);
        assert_int_equal(stacks[i].size, SIZE - PAGE);
        memset(stacks[i].base, i + 1, stacks[i].size);
        assert_true(is_guarded((char *)stacks[i].base - PAGE));
        assert_true(is_guarded((char *)stacks[i].base - 1));
    }
    for (int i = 0; i < MANY; i++) {
        const unsigned char *bytes = stacks[i].base;
        assert_int_equal(bytes[0], i + 1);
        assert_int_equal(bytes[stacks[i].size - 1], i + 1);
        chief__stack_give(stacks[i]);
    }
}

static void test_stack__one_that_was_given_is_taken_again_guarded(void **state) {
    (void)state;
    chief__stack first = chief__stack_take(2 * SIZE);
    chief__stack second = chief__stack_take(2 * SIZE);
    assert_ptr_not_equal(first.base, second.base);
    chief__stack_give(first);
    chief__stack again = chief__stack_take(2 * SIZE);
    assert_ptr_equal(again.base, first.base);
    assert_true(is_guarded((char *)again.base - PAGE));
    chief__stack_give(again);
    chief__stack_give(second);
}

static void test_stack__other_sizes_have_others(void **state) {
    (void)state;
    chief__stack small = chief__stack_take(SIZE);
    chief__stack large = chief__stack_take((size_t)64 * 1024 * 1024);
    assert_int_equal(large.size, (size_t)64 * 1024 * 1024 - PAGE);
    assert_int_equal(small.size, SIZE - PAGE);
    chief__stack_give(small);
    chief__stack_give(large);
}

static void test_stack__what_cannot_be_is_none(void **state) {
    (void)state;
    assert_null(chief__stack_take(0).base);
    assert_null(chief__stack_take(PAGE).base);
    assert_null(chief__stack_take(SIZE_MAX / 4).base);
    assert_null(chief__stack_take(SIZE_MAX).base);
    chief__stack none = {.slab = NULL};
    chief__stack_give(none);
    chief__stack_trim(none);
    chief__stack_leave(none);
}

typedef struct guest {
    chief__stack stack;
    support_gate go;
    long tid;
    bool inside;
    bool dropped; /* what it had used far down */
    bool alone;
} guest;

static bool is_resident(void *page) {
    unsigned char there;
    return mincore(page, PAGE, &there) == 0 && (there & 1) != 0;
}

static void visit(void *arg) {
    guest *g = arg;
    char *base = g->stack.base, *here = __builtin_frame_address(0);
    chief__stack stack = g->stack;
    bool alone = g->alone;
    g->inside = here >= base && here < base + g->stack.size;
    g->tid = (long)syscall(SYS_gettid);
    base[0] = 1;
    bool used = is_resident(base);
    chief__stack_trim(stack);
    g->dropped = used && !is_resident(base);
    support_gate_open(&g->go); /* who waits may go on without it */
    if (!alone) return;
    chief__thread_detach_self();
    chief__stack_leave(stack);
}

static void start(chief__thread *thread, guest *g) {
    support_gate_init(&g->go);
    g->stack = chief__stack_take(GUEST_SIZE);
    assert_non_null(g->stack.base);
    assert_int_equal(chief__thread_start_on(thread, visit, g, g->stack.base, g->stack.size, "guest"), CHIEF_OK);
    support_gate_pass(&g->go);
    assert_true(g->inside);
}

static void test_stack__a_thread_runs_on_it_and_gives_back_what_it_used(void **state) {
    (void)state;
    chief__thread thread;
    guest g = {.alone = false};
    start(&thread, &g);
    chief__thread_join(&thread);
    assert_true(g.dropped);
    chief__stack_give(g.stack);
}

/* Others are handed out until it is this one's turn again, which is never before its thread has gone. */
static bool comes_again(void *data) {
    const guest *g = data;
    bool gone = syscall(SYS_tgkill, getpid(), g->tid, 0) != 0 && errno == ESRCH;
    chief__stack stack = chief__stack_take(GUEST_SIZE);
    bool again = stack.base == g->stack.base;
    if (again) gone = syscall(SYS_tgkill, getpid(), g->tid, 0) != 0 && errno == ESRCH;
    chief__stack_give(stack);
    assert_true(!again || gone);
    return again;
}

static void test_stack__of_a_thread_that_nobody_joins_comes_back_when_it_has_gone(void **state) {
    (void)state;
    chief__thread thread;
    static guest g;
    g = (guest){.alone = true};
    start(&thread, &g);
    assert_true(support_until(comes_again, &g, 10000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack__each_is_apart_above_a_guard),
        cmocka_unit_test(test_stack__one_that_was_given_is_taken_again_guarded),
        cmocka_unit_test(test_stack__other_sizes_have_others),
        cmocka_unit_test(test_stack__what_cannot_be_is_none),
        cmocka_unit_test(test_stack__a_thread_runs_on_it_and_gives_back_what_it_used),
        cmocka_unit_test(test_stack__of_a_thread_that_nobody_joins_comes_back_when_it_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
