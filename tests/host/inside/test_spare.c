/* Clean states that are made ahead: only where lives end and begin, as many as are wanted, and none that was used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <sched.h>

#include <lauxlib.h>

#include "memory.h"
#include "spare.h"

static void drop(chief__lua_life *life) {
    chief__lua_memory_close(life);
    free(life);
}

/* They are made by another thread. */
static bool are(size_t n) {
    const char *slow = getenv("CHIEF_TEST_SLOW");
    time_t limit = time(NULL) + 10 * (slow != NULL ? strtol(slow, NULL, 10) : 1);
    while (chief__lua_spares() != n) {
        if (time(NULL) > limit) return false;
        (void)sched_yield();
    }
    return true;
}

static void test_spare__there_are_none_where_no_life_has_ended(void **state) {
    (void)state;
    chief__lua_spares_expect(); /* nobody may want one */
    chief__lua_spares_hold();
    for (int i = 0; i < 100; i++) assert_null(chief__lua_spare_take());
    assert_int_equal(chief__lua_spares(), 0);
    chief__lua_spares_release();
}

static void test_spare__they_are_made_ahead_and_closed_with_the_last_who_may_want_one(void **state) {
    (void)state;
    chief__lua_spares_hold();
    chief__lua_spares_hold();
    chief__lua_spares_expect();
    assert_null(chief__lua_spare_take());
    assert_true(are(CHIEF__LUA_SPARES));
    for (size_t i = 0; i < 3 * CHIEF__LUA_SPARES; i++) {
        chief__lua_life *life = chief__lua_spare_take();
        if (life != NULL) drop(life);
    }
    assert_true(are(CHIEF__LUA_SPARES));
    chief__lua_spares_release();
    assert_int_equal(chief__lua_spares(), CHIEF__LUA_SPARES);
    chief__lua_spares_release();
    assert_int_equal(chief__lua_spares(), 0);
}

static void test_spare__each_has_its_libraries_and_is_nobody_else_s(void **state) {
    (void)state;
    chief__lua_spares_hold();
    chief__lua_spares_expect();
    (void)chief__lua_spare_take();
    for (int i = 0; i < 40; i++) {
        assert_true(are(CHIEF__LUA_SPARES));
        for (int j = 0; j < CHIEF__LUA_SPARES / 2; j++) {
            chief__lua_life *life = chief__lua_spare_take();
            assert_non_null(life);
            assert_true(life->has_libraries);
            assert_ptr_equal(chief__lua_life_of(life->L), life);
            assert_int_equal(luaL_dostring(life->L, "assert(mine == nil and ('x'):rep(3) == 'xxx') "
                                                    "mine, string.rep, _G.table = 1, nil, nil"),
                             LUA_OK);
            drop(life);
        }
    }
    chief__lua_spares_release();
}

/* ---- many at once ---- */

static void *lead_lives(void *nothing) {
    for (int i = 0; i < 300; i++) {
        chief__lua_spares_hold();
        chief__lua_life *life = chief__lua_spare_take();
        if (life != NULL) drop(life);
        chief__lua_spares_expect();
        chief__lua_spares_release();
    }
    return nothing;
}

static void test_spare__threads_take_and_release_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, lead_lives, NULL), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(chief__lua_spares(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spare__there_are_none_where_no_life_has_ended),
        cmocka_unit_test(test_spare__they_are_made_ahead_and_closed_with_the_last_who_may_want_one),
        cmocka_unit_test(test_spare__each_has_its_libraries_and_is_nobody_else_s),
        cmocka_unit_test(test_spare__threads_take_and_release_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
