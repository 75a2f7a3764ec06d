/* The memory of a state: blocks that keep what is in them, whatever is done to others; what goes back, and what stays warm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "arena.h"

/* ---- blocks with a pattern ---- */

#define BLOCKS 600

typedef struct block {
    unsigned char *at;
    size_t size;
    unsigned char mark;
} block;

static uint32_t seed;

static uint32_t random_below(uint32_t n) {
    seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return (seed >> 8) % n;
}

/* Mostly as small as strings and tables are, sometimes a large array. */
static size_t random_size(void) {
    uint32_t kind = random_below(20);
    if (kind < 14) return 1 + random_below(130);
    return 1 + random_below(kind < 18 ? 2048 : 9000);
}

static void check(const block *b) {
    for (size_t i = 0; i < b->size; i++)
        if (b->at[i] != b->mark) fail_msg("byte %zu of a block of %zu has changed", i, b->size);
}

static void fill(block *b, size_t from) {
    if (b->size > from) memset(b->at + from, b->mark, b->size - from);
}

static void take(chief__arena *arena, block *b) {
    *b = (block){.size = random_size(), .mark = (unsigned char)random_below(256)};
    b->at = chief__arena_take(arena, b->size);
    assert_non_null(b->at);
    assert_int_equal((uintptr_t)b->at % 8, 0);
    fill(b, 0);
}

static void give(chief__arena *arena, block *b) {
    check(b);
    chief__arena_give(arena, b->at, b->size);
    b->at = NULL;
}

static void resize(chief__arena *arena, block *b) {
    size_t old = b->size;
    size_t size = random_size();
    check(b);
    b->at = chief__arena_resize(arena, b->at, old, size);
    assert_non_null(b->at);
    b->size = size < old ? size : old;
    check(b);
    b->size = size;
    fill(b, old < size ? old : size);
}

static void churn(uint32_t from, size_t n) {
    static block blocks[BLOCKS];
    chief__arena arena = {0};
    seed = from;
    for (size_t i = 0; i < n; i++) {
        block *b = &blocks[random_below(BLOCKS)];
        if (b->at == NULL) take(&arena, b);
        else if (random_below(3) == 0) resize(&arena, b);
        else give(&arena, b);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].at != NULL) give(&arena, &blocks[i]);
    chief__arena_close(&arena);
}

/* Beyond what an arena grows to, so that small blocks are of both kinds. */
static void test_arena__blocks_keep_what_is_in_them(void **state) {
    (void)state;
    for (uint32_t from = 1; from <= 20; from++) {
        print_message("seed %u\n", (unsigned)from);
        churn(from, 20000);
    }
}

static void test_arena__a_block_that_is_given_is_taken_again(void **state) {
    (void)state;
    chief__arena arena = {0};
    for (int i = 0; i < 100000; i++) {
        void *small = chief__arena_take(&arena, 40);
        void *large = chief__arena_take(&arena, 1536);
        chief__arena_give(&arena, small, 40);
        chief__arena_give(&arena, large, 1536);
    }
    assert_true(arena.size <= CHIEF__CHUNK_FIRST);
    chief__arena_close(&arena);
}

static void test_arena__it_grows_to_its_size_and_no_further(void **state) {
    (void)state;
    enum { N = 4000 };
    static void *blocks[N];
    chief__arena arena = {0};
    for (size_t i = 0; i < N; i++) assert_non_null(blocks[i] = chief__arena_take(&arena, 100));
    assert_true(arena.size <= CHIEF__ARENA_SIZE);
    assert_true(arena.is_mixed);
    for (size_t i = 0; i < N; i++) chief__arena_give(&arena, blocks[i], 100);
    chief__arena_close(&arena);
}

#if !CHIEF__ARENA_IS_MALLOC

/* ---- chunks ---- */

static void test_arena__the_next_one_takes_over_warm_memory(void **state) {
    (void)state;
    chief__arena arena = {0};
    void *first = chief__arena_take(&arena, 64);
    chief__arena_close(&arena);
    size_t size = chief__slabs_size();
    for (int i = 0; i < 1000; i++) {
        assert_ptr_equal(chief__arena_take(&arena, 64), first);
        chief__arena_close(&arena);
    }
    assert_int_equal(chief__slabs_size(), size);
}

#define MANY 2000

static chief__arena many[MANY];

static void test_arena__what_is_kept_warm_is_bounded(void **state) {
    (void)state;
    for (size_t i = 0; i < MANY; i++) assert_non_null(chief__arena_take(&many[i], 64));
    assert_true(chief__slabs_size() > MANY * CHIEF__CHUNK_FIRST);
    for (size_t i = 0; i < MANY; i++) chief__arena_close(&many[i]);
    assert_true(chief__slabs_warm() <= CHIEF__SLABS_WARM);
    assert_int_equal(chief__slabs_size(), chief__slabs_warm());
}

static void *open_and_close(void *arg) {
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        chief__arena arenas[20] = {{0}};
        for (size_t j = 0; j < 20; j++)
            for (size_t k = 0; k < 20; k++) memset(chief__arena_take(&arenas[j], 1000), (int)j, 1000);
        for (size_t j = 0; j < 20; j++) chief__arena_close(&arenas[j]);
    }
    return NULL;
}

static void test_arena__threads_share_the_slabs(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(chief__slabs_size(), chief__slabs_warm());
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__blocks_keep_what_is_in_them),
        cmocka_unit_test(test_arena__a_block_that_is_given_is_taken_again),
        cmocka_unit_test(test_arena__it_grows_to_its_size_and_no_further),
#if !CHIEF__ARENA_IS_MALLOC
        cmocka_unit_test(test_arena__the_next_one_takes_over_warm_memory),
        cmocka_unit_test(test_arena__what_is_kept_warm_is_bounded),
        cmocka_unit_test(test_arena__threads_share_the_slabs),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
