/* The allocator hook, and that what is built on it keeps its promises when memory ends. */
#include "support.h"

#include "alloc.h"

static support_heap heap;

static void test_alloc__all_goes_through_the_hook(void **state) {
    (void)state;
    support_heap_begin(&heap, 0);
    void *a = chief__alloc(10);
    char *b = chief__strdup("text");
    a = chief__realloc(a, 1000);
    assert_int_equal(atomic_load(&heap.live), 2);
    assert_string_equal(b, "text");
    chief__free(a);
    chief__free(b);
    chief__free(NULL);
    support_heap_end(&heap);
}

static void test_alloc__a_size_of_zero_is_a_block(void **state) {
    (void)state;
    support_heap_begin(&heap, 0);
    void *a = chief__alloc(0);
    void *b = chief__calloc(0, 8);
    void *c = chief__realloc(a, 0);
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal(atomic_load(&heap.live), 2);
    chief__free(b);
    chief__free(c);
    support_heap_end(&heap);
}

static void test_alloc__calloc_is_zeroed_and_does_not_overflow(void **state) {
    (void)state;
    unsigned char *a = chief__calloc(3, 7);
    for (size_t i = 0; i < 21; i++) assert_int_equal(a[i], 0);
    chief__free(a);
    assert_null(chief__calloc(SIZE_MAX / 2, 3));
}

static void test_alloc__a_failed_realloc_keeps_the_block(void **state) {
    (void)state;
    support_heap_begin(&heap, 2);
    char *a = chief__strdup("kept");
    assert_null(chief__realloc(a, 100));
    assert_string_equal(a, "kept");
    chief__free(a);
    support_heap_end(&heap);
}

static void test_alloc__copies_of_texts(void **state) {
    (void)state;
    char *nothing = chief__strdup(NULL);
    char *part = chief__strndup("abcdef", 3);
    char *none = chief__strndup(NULL, 0);
    assert_string_equal(nothing, "");
    assert_string_equal(part, "abc");
    assert_string_equal(none, "");
    chief__free(nothing);
    chief__free(part);
    chief__free(none);
}

static void test_alloc__a_hook_needs_size_and_function(void **state) {
    (void)state;
    chief_allocator hook = {.size = sizeof hook};
    assert_int_equal(chief_set_allocator(&hook), CHIEF_EINVAL);
    hook.realloc = support_realloc;
    hook.size = sizeof hook - 1;
    assert_int_equal(chief_set_allocator(&hook), CHIEF_EINVAL);
    assert_int_equal(chief_set_allocator(NULL), CHIEF_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc__all_goes_through_the_hook),
        cmocka_unit_test(test_alloc__a_size_of_zero_is_a_block),
        cmocka_unit_test(test_alloc__calloc_is_zeroed_and_does_not_overflow),
        cmocka_unit_test(test_alloc__a_failed_realloc_keeps_the_block),
        cmocka_unit_test(test_alloc__copies_of_texts),
        cmocka_unit_test(test_alloc__a_hook_needs_size_and_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
