/* The tree of contexts: cancellation, deadlines, values, the descriptor. */
#include "support.h"

#include <poll.h>

#include "context.h"

static chief_context *make(chief_context *parent) {
    chief_context *ctx;
    assert_int_equal(chief_context_new(&ctx, parent), CHIEF_OK);
    return ctx;
}

static void says(chief_context *ctx, const char *reason) {
    char buf[128];
    assert_int_equal(chief_context_reason(ctx, buf, sizeof buf), strlen(reason));
    assert_string_equal(buf, reason);
}

static bool readable(int fd, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* ---- cancellation ---- */

static void test_context__cancels_itself_and_all_below(void **state) {
    (void)state;
    chief_context *root = make(NULL), *left = make(root), *right = make(root), *leaf = make(left);
    chief_context_cancel(left, "enough");
    assert_int_equal(chief_context_err(leaf), CHIEF_ECANCELED);
    assert_int_equal(chief_context_err(left), CHIEF_ECANCELED);
    assert_int_equal(chief_context_err(right), CHIEF_OK);
    assert_int_equal(chief_context_err(root), CHIEF_OK);
    says(leaf, "enough");
    says(right, "");
    chief_context_unref(leaf);
    chief_context_unref(right);
    chief_context_unref(left);
    chief_context_unref(root);
}

static void test_context__the_first_cancellation_wins(void **state) {
    (void)state;
    chief_context *root = make(NULL), *child = make(root);
    chief_context_cancel(child, "mine");
    chief_context_cancel(root, NULL);
    chief_context_cancel(root, "later");
    says(child, "mine");
    says(root, "cancelled");
    chief_context_unref(child);
    chief_context_unref(root);
}

static void test_context__a_child_of_a_done_parent_is_done(void **state) {
    (void)state;
    chief_context *root = make(NULL);
    chief_context_cancel(root, "over");
    chief_context *child = make(root);
    assert_int_equal(chief_context_err(child), CHIEF_ECANCELED);
    says(child, "over");
    chief_context_unref(child);
    chief_context_unref(root);
}

static void test_context__a_parent_may_be_released_first(void **state) {
    (void)state;
    chief_context *root = make(NULL), *middle = make(root), *leaf = make(middle);
    chief_value value = {.type = CHIEF_INTEGER, .integer = 7};
    assert_int_equal(chief_context_set(middle, "n", &value), CHIEF_OK);
    chief_context_unref(middle);
    chief_value got;
    assert_int_equal(chief_context_get(leaf, "n", &got), CHIEF_OK);
    assert_int_equal(got.integer, 7);
    chief_value_clear(&got);
    chief_context_cancel(root, "from far above");
    chief_context_unref(root);
    assert_int_equal(chief_context_err(leaf), CHIEF_ECANCELED);
    says(leaf, "from far above");
    chief_context_unref(leaf);
}

static void test_context__a_long_chain_is_freed_without_recursion(void **state) {
    (void)state;
    chief_context *at = make(NULL);
    for (int i = 0; i < 100000; i++) {
        chief_context *child = make(at);
        chief_context_unref(at);
        at = child;
    }
    chief_context_unref(at);
}

static void test_context__a_reason_is_cut_and_measured(void **state) {
    (void)state;
    chief_context *ctx = make(NULL);
    char buf[4];
    assert_int_equal(chief_context_reason(ctx, buf, sizeof buf), 0);
    chief_context_cancel(ctx, "abcdef");
    assert_int_equal(chief_context_reason(ctx, buf, sizeof buf), 6);
    assert_string_equal(buf, "abc");
    assert_int_equal(chief_context_reason(ctx, NULL, 0), 6);
    chief_context_unref(ctx);
}

/* `len` bytes, each character of two but the last, which makes it odd. */
static char *long_reason(size_t len) {
    char *reason = malloc(len + 1);
    for (size_t i = 0; i + 1 < len; i += 2) memcpy(reason + i, "\xc3\xa4", 2);
    reason[len - 1] = '!';
    reason[len] = '\0';
    return reason;
}

static void test_context__a_reason_is_kept_whole(void **state) {
    (void)state;
    static const size_t lengths[] = {93, 95, 97, 255, 10001};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *reason = long_reason(lengths[i]);
        char *got = malloc(lengths[i] + 1);
        chief_context *root = make(NULL), *child = make(root), *cousin = make(root);
        chief_context_cancel(root, reason);
        chief_context *late = make(child);
        chief_context_unref(root);
        chief_context_unref(child);
        assert_int_equal(chief_context_reason(late, got, lengths[i] + 1), lengths[i]);
        assert_string_equal(got, reason);
        assert_int_equal(chief_context_reason(cousin, NULL, 0), lengths[i]);
        chief_context_unref(late);
        chief_context_unref(cousin);
        free(got);
        free(reason);
    }
}

static void test_context__without_memory_a_reason_is_cut_between_characters(void **state) {
    (void)state;
    support_heap heap;
    char got[256];
    char *reason = long_reason(sizeof got - 1);
    support_heap_begin(&heap, 0);
    chief_context *ctx = make(NULL);
    atomic_store(&heap.until, 1);
    chief_context_cancel(ctx, reason);
    assert_true(atomic_load(&heap.failed));
    assert_int_equal(chief_context_reason(ctx, got, sizeof got), 94);
    assert_memory_equal(got, reason, 94);
    chief_context_unref(ctx);
    support_heap_end(&heap);
    free(reason);
}

/* ---- waiting ---- */

typedef struct sleeper {
    chief_context *ctx;
    chief__thread thread;
    support_gate begun;
    int rc;
} sleeper;

static void sleep_on(void *data) {
    sleeper *s = data;
    support_gate_open(&s->begun);
    s->rc = chief_context_wait(s->ctx, CHIEF_FOREVER);
}

static void test_context__cancel_wakes_all_who_wait_below(void **state) {
    (void)state;
    chief_context *root = make(NULL);
    sleeper sleepers[4];
    for (size_t i = 0; i < 4; i++) {
        sleepers[i].ctx = make(root);
        support_gate_init(&sleepers[i].begun);
        support_thread(&sleepers[i].thread, sleep_on, &sleepers[i]);
    }
    for (size_t i = 0; i < 4; i++) assert_true(support_gate_pass(&sleepers[i].begun));
    chief_context_cancel(root, NULL);
    for (size_t i = 0; i < 4; i++) {
        chief__thread_join(&sleepers[i].thread);
        assert_int_equal(sleepers[i].rc, CHIEF_OK);
        support_gate_fini(&sleepers[i].begun);
        chief_context_unref(sleepers[i].ctx);
    }
    chief_context_unref(root);
}

static void test_context__waiting_has_a_limit(void **state) {
    (void)state;
    chief_context *ctx = make(NULL);
    assert_int_equal(chief_context_wait(ctx, 0), CHIEF_EAGAIN);
    assert_int_equal(chief_context_wait(ctx, 5), CHIEF_ETIMEDOUT);
    chief_context_cancel(ctx, NULL);
    assert_int_equal(chief_context_wait(ctx, 0), CHIEF_OK);
    chief_context_unref(ctx);
}

/* ---- deadlines ---- */

static void test_context__a_deadline_ends_it(void **state) {
    (void)state;
    chief_context *ctx;
    assert_int_equal(chief_context_new_deadline(&ctx, NULL, 20), CHIEF_OK);
    assert_int_equal(chief_context_wait(ctx, CHIEF_FOREVER), CHIEF_OK);
    assert_int_equal(chief_context_err(ctx), CHIEF_ETIMEDOUT);
    assert_int_equal(chief_context_remaining(ctx), 0);
    says(ctx, "deadline exceeded");
    chief_context_cancel(ctx, "too late");
    assert_int_equal(chief_context_err(ctx), CHIEF_ETIMEDOUT);
    chief_context_unref(ctx);
}

static void test_context__the_earlier_deadline_counts(void **state) {
    (void)state;
    chief_context *root, *child, *plain;
    assert_int_equal(chief_context_new_deadline(&root, NULL, 50000), CHIEF_OK);
    assert_int_equal(chief_context_new_deadline(&child, root, 5000000), CHIEF_OK);
    plain = make(root);
    assert_int_equal(chief_context_err(child), CHIEF_OK);
    assert_in_range(chief_context_remaining(child), 1, 50000);
    assert_in_range(chief_context_remaining(plain), 1, 50000);
    chief_context *endless = make(NULL), *none = endless;
    assert_int_equal(chief_context_remaining(endless), -1);
    assert_int_equal(chief_context_new_deadline(&none, NULL, -1), CHIEF_EINVAL);
    assert_null(none);
    chief_context_unref(endless);
    chief_context_unref(plain);
    chief_context_unref(child);
    chief_context_unref(root);
}

/* ---- the descriptor ---- */

static void test_context__its_descriptor_becomes_readable_at_a_cancel(void **state) {
    (void)state;
    chief_context *root = make(NULL), *child = make(root);
    int fd = chief_context_fd(child);
    assert_true(fd >= 0);
    assert_int_equal(chief_context_fd(child), fd);
    assert_false(readable(fd, 0));
    chief_context_cancel(root, NULL);
    assert_true(readable(fd, 10000));
    assert_true(readable(chief_context_fd(root), 10000));
    chief_context_unref(child);
    chief_context_unref(root);
}

static void test_context__its_descriptor_becomes_readable_at_a_deadline(void **state) {
    (void)state;
    chief_context *root, *child;
    assert_int_equal(chief_context_new_deadline(&root, NULL, 20), CHIEF_OK);
    child = make(root);
    assert_true(readable(chief_context_fd(child), 10000));
    assert_int_equal(chief_context_err(child), CHIEF_ETIMEDOUT);
    chief_context_unref(child);
    chief_context_unref(root);
}

/* ---- values ---- */

static _Atomic int destroyed;

static void count(void *data) {
    (void)data;
    destroyed++;
}

static void test_context__children_see_the_nearest_value(void **state) {
    (void)state;
    chief_context *root = make(NULL), *child = make(root);
    chief_value one = {.type = CHIEF_INTEGER, .integer = 1}, two = {.type = CHIEF_INTEGER, .integer = 2}, got;
    assert_int_equal(chief_context_get(child, "n", &got), CHIEF_ENOENT);
    assert_int_equal(chief_context_set(root, "n", &one), CHIEF_OK);
    assert_int_equal(chief_context_get(child, "n", &got), CHIEF_OK);
    assert_int_equal(got.integer, 1);
    chief_value_clear(&got);
    assert_int_equal(chief_context_set(child, "n", &two), CHIEF_OK);
    assert_int_equal(chief_context_get(child, "n", &got), CHIEF_OK);
    assert_int_equal(got.integer, 2);
    chief_value_clear(&got);
    assert_int_equal(chief_context_get(root, "n", &got), CHIEF_OK);
    assert_int_equal(got.integer, 1);
    chief_value_clear(&got);
    chief_context_unref(child);
    chief_context_unref(root);
}

static void test_context__a_replaced_pointer_lives_while_somebody_holds_it(void **state) {
    (void)state;
    destroyed = 0;
    chief_context *ctx = make(NULL);
    chief_value first = {.type = CHIEF_POINTER, .pointer = &destroyed, .destroy = count}, held;
    chief_value nothing = {.type = CHIEF_NIL};
    assert_int_equal(chief_context_set(ctx, "p", &first), CHIEF_OK);
    assert_int_equal(chief_context_get(ctx, "p", &held), CHIEF_OK);
    assert_int_equal(chief_context_set(ctx, "p", &nothing), CHIEF_OK);
    assert_int_equal(destroyed, 0);
    chief_value_clear(&held);
    assert_int_equal(destroyed, 1);
    assert_int_equal(chief_context_set(ctx, "p", &first), CHIEF_OK);
    chief_context_unref(ctx);
    assert_int_equal(destroyed, 2);
}

static void ask_again(void *data) {
    chief_value got;
    assert_int_equal(chief_context_get(data, "other", &got), CHIEF_OK);
    chief_value_clear(&got);
    destroyed++;
}

static void test_context__a_destructor_may_use_the_context(void **state) {
    (void)state;
    destroyed = 0;
    chief_context *ctx = make(NULL);
    chief_value other = {.type = CHIEF_BOOL, .boolean = 1};
    chief_value curious = {.type = CHIEF_POINTER, .pointer = ctx, .destroy = ask_again};
    assert_int_equal(chief_context_set(ctx, "other", &other), CHIEF_OK);
    assert_int_equal(chief_context_set(ctx, "p", &curious), CHIEF_OK);
    assert_int_equal(chief_context_set(ctx, "p", &other), CHIEF_OK);
    assert_int_equal(destroyed, 1);
    chief_context_unref(ctx);
}

static void test_context__a_root_can_see_the_values_of_another_tree(void **state) {
    (void)state;
    chief_context *outer = make(NULL), *root = make(NULL), *child = make(root);
    chief_value one = {.type = CHIEF_INTEGER, .integer = 1}, got;
    chief__context_see(root, outer);
    assert_int_equal(chief_context_set(outer, "n", &one), CHIEF_OK);
    assert_int_equal(chief_context_get(child, "n", &got), CHIEF_OK);
    assert_int_equal(got.integer, 1);
    chief_value_clear(&got);
    chief_context_cancel(outer, NULL);
    assert_int_equal(chief_context_err(root), CHIEF_OK);
    chief_context_unref(outer);
    chief_context_unref(child);
    chief_context_unref(root);
}

static void test_context__nothing_given_is_refused(void **state) {
    (void)state;
    chief_value value = {0};
    assert_int_equal(chief_context_new(NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_context_err(NULL), CHIEF_EINVAL);
    assert_int_equal(chief_context_wait(NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_context_fd(NULL), CHIEF_EINVAL);
    assert_int_equal(chief_context_set(NULL, "k", &value), CHIEF_EINVAL);
    assert_int_equal(chief_context_get(NULL, "k", &value), CHIEF_EINVAL);
    assert_int_equal(chief_context_reason(NULL, NULL, 0), 0);
    assert_int_equal(chief_context_remaining(NULL), -1);
    chief_context_cancel(NULL, NULL);
    assert_null(chief_context_ref(NULL));
    chief_context_unref(NULL);
}

/* ---- many at once, and too little memory ---- */

enum { THREADS = 4, ROUNDS = 400 };

static void grow_and_cut(void *data) {
    chief_context *root = data;
    for (int i = 0; i < ROUNDS; i++) {
        chief_context *child = make(root), *leaf = make(child);
        chief_value value = {.type = CHIEF_POINTER, .pointer = root, .destroy = count}, got;
        assert_int_equal(chief_context_set(root, "shared", &value), CHIEF_OK);
        if (chief_context_get(leaf, "shared", &got) == CHIEF_OK) chief_value_clear(&got);
        chief_context_unref(child);
        if (i % 3 == 0) chief_context_cancel(leaf, "cut");
        chief_context_unref(leaf);
    }
}

static void test_context__many_threads_share_a_tree(void **state) {
    (void)state;
    destroyed = 0;
    chief_context *root = make(NULL);
    chief__thread threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) support_thread(&threads[i], grow_and_cut, root);
    chief_context_cancel(root, "all of you");
    for (size_t i = 0; i < THREADS; i++) chief__thread_join(&threads[i]);
    chief_context_unref(root);
    assert_int_equal(destroyed, THREADS * ROUNDS);
}

static int live_and_die(void) {
    chief_context *root = NULL, *child = NULL;
    chief_value value = {.type = CHIEF_BYTES, .bytes = {"abc", 3}};
    int rc = chief_context_new(&root, NULL);
    if (rc == CHIEF_OK) rc = chief_context_new_deadline(&child, root, 1000);
    if (rc == CHIEF_OK) rc = chief_context_set(child, "k", &value);
    chief_context_cancel(root,
                         "a reason so long that it does not fit into the context itself, so that all those which it "
                         "cancels share one copy of it");
    chief_context_unref(child);
    chief_context_unref(root);
    return rc;
}

static void test_context__survives_without_memory(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(live_and_die), 6);
}

/* ---- all values, and followers ---- */

static void set_integer(chief_context *ctx, const char *key, int64_t n) {
    chief_value v = {.type = CHIEF_INTEGER, .integer = n};
    assert_int_equal(chief_context_set(ctx, key, &v), CHIEF_OK);
}

static int64_t listed(const chief__keyed *list, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].key, key) == 0) return list[i].value.integer;
    return -1;
}

static void test_context__lists_what_it_sees_each_name_once(void **state) {
    (void)state;
    chief_context *other;
    chief_context *root;
    chief_context *child;
    chief__keyed *list;
    size_t n;
    assert_int_equal(chief_context_new(&other, NULL), CHIEF_OK);
    assert_int_equal(chief_context_new(&root, NULL), CHIEF_OK);
    assert_int_equal(chief_context_new(&child, root), CHIEF_OK);
    assert_int_equal(chief__context_see(root, other), CHIEF_OK);
    assert_int_equal(chief__context_list(child, &list, &n), CHIEF_OK);
    assert_int_equal(n, 0);
    chief__context_list_free(list, n);
    set_integer(other, "a", 1);
    set_integer(other, "b", 2);
    set_integer(root, "b", 3);
    set_integer(root, "c", 4);
    set_integer(child, "c", 5);
    assert_int_equal(chief__context_list(child, &list, &n), CHIEF_OK);
    assert_int_equal(n, 3);
    assert_true(listed(list, n, "a") == 1 && listed(list, n, "b") == 3 && listed(list, n, "c") == 5);
    chief__context_list_free(list, n);
    chief_context_unref(child);
    chief_context_unref(root);
    chief_context_unref(other);
}

static void test_context__a_withheld_value_says_why(void **state) {
    (void)state;
    chief_context *ctx;
    chief_value v;
    chief__keyed *list;
    size_t n;
    assert_int_equal(chief_context_new(&ctx, NULL), CHIEF_OK);
    assert_int_equal(chief__context_withhold(ctx, "k", "it is elsewhere"), CHIEF_OK);
    assert_int_equal(chief_context_get(ctx, "k", &v), CHIEF_ENOENT);
    support_says("value \"k\": it is elsewhere");
    assert_int_equal(chief__context_list(ctx, &list, &n), CHIEF_OK);
    assert_int_equal(n, 0);
    chief__context_list_free(list, n);
    set_integer(ctx, "k", 1);
    assert_int_equal(chief_context_get(ctx, "k", &v), CHIEF_OK);
    chief_value_clear(&v);
    chief_context_unref(ctx);
}

static void count_change(void *data) { ++*(int *)data; }

static void test_context__followers_hear_of_what_it_sees(void **state) {
    (void)state;
    chief_context *other;
    chief_context *ctx;
    int changes = 0;
    chief__follower followers[3] = {{.changed = count_change, .data = &changes}};
    assert_int_equal(chief_context_new(&other, NULL), CHIEF_OK);
    assert_int_equal(chief_context_new(&ctx, NULL), CHIEF_OK);
    chief__context_follow(ctx, followers, 3);
    set_integer(ctx, "a", 1);
    assert_int_equal(changes, 1);
    set_integer(other, "b", 1);
    assert_int_equal(changes, 1);
    assert_int_equal(chief__context_see(ctx, other), CHIEF_OK);
    assert_int_equal(changes, 2);
    chief__context_follow(ctx, followers, 3); /* as far as it looks now */
    set_integer(other, "b", 2);
    assert_int_equal(changes, 3);
    chief__context_unfollow(followers, 3);
    set_integer(ctx, "a", 2);
    assert_int_equal(changes, 3);
    chief_context_unref(ctx);
    chief_context_unref(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context__cancels_itself_and_all_below),
        cmocka_unit_test(test_context__the_first_cancellation_wins),
        cmocka_unit_test(test_context__a_child_of_a_done_parent_is_done),
        cmocka_unit_test(test_context__a_parent_may_be_released_first),
        cmocka_unit_test(test_context__a_long_chain_is_freed_without_recursion),
        cmocka_unit_test(test_context__a_reason_is_cut_and_measured),
        cmocka_unit_test(test_context__a_reason_is_kept_whole),
        cmocka_unit_test(test_context__without_memory_a_reason_is_cut_between_characters),
        cmocka_unit_test(test_context__cancel_wakes_all_who_wait_below),
        cmocka_unit_test(test_context__waiting_has_a_limit),
        cmocka_unit_test(test_context__a_deadline_ends_it),
        cmocka_unit_test(test_context__the_earlier_deadline_counts),
        cmocka_unit_test(test_context__its_descriptor_becomes_readable_at_a_cancel),
        cmocka_unit_test(test_context__its_descriptor_becomes_readable_at_a_deadline),
        cmocka_unit_test(test_context__children_see_the_nearest_value),
        cmocka_unit_test(test_context__a_replaced_pointer_lives_while_somebody_holds_it),
        cmocka_unit_test(test_context__a_destructor_may_use_the_context),
        cmocka_unit_test(test_context__a_root_can_see_the_values_of_another_tree),
        cmocka_unit_test(test_context__lists_what_it_sees_each_name_once),
        cmocka_unit_test(test_context__a_withheld_value_says_why),
        cmocka_unit_test(test_context__followers_hear_of_what_it_sees),
        cmocka_unit_test(test_context__nothing_given_is_refused),
        cmocka_unit_test(test_context__many_threads_share_a_tree),
        cmocka_unit_test(test_context__survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
