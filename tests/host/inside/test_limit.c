/* The memory limit of a state, on one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>

#include "interrupt.h"
#include "libraries.h"
#include "limit.h"
#include "memory.h"

#define MIB ((size_t)1024 * 1024)

static int open_life(void **state) {
    chief__lua_life *life = calloc(1, sizeof *life);
    if (life == NULL || !chief__lua_memory_open(life)) return -1;
    chief__lua_life_open(life);
    chief__lua_life_enter(life);
    chief__lua_open_libraries(life->L, false);
    chief__lua_limit_open(life, 4 * MIB);
    *state = life;
    return 0;
}

static int close_life(void **state) {
    chief__lua_life *life = *state;
    chief__lua_interrupt_settle(life);
    chief__lua_memory_close(life);
    assert_int_equal(life->live, 0);
    chief__lua_life_leave(life);
    chief__lua_life_close(life);
    free(life->traceback);
    free(life);
    return 0;
}

static int run(chief__lua_life *life, const char *text) {
    assert_int_equal(luaL_loadstring(life->L, text), LUA_OK);
    int status = lua_pcall(life->L, 0, 0, 0);
    chief__lua_interrupt_settle(life);
    return status;
}

static void assert_over(chief__lua_life *life, const char *text) {
    assert_int_not_equal(run(life, text), LUA_OK);
    assert_non_null(chief__lua_interrupted(life));
    assert_int_equal(life->reason, CHIEF_REASON_MEMORY_LIMIT);
    assert_memory_equal(life->why, "memory limit: ", 14);
    assert_non_null(life->traceback);
}

static void test_limit__what_lives_is_counted_as_lua_counts_it(void **state) {
    chief__lua_life *life = *state;
    assert_int_equal(run(life, "t = {} for i = 1, 1000 do t[i] = {i, 'x' .. i} end"), LUA_OK);
    size_t counted = (size_t)lua_gc(life->L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(life->L, LUA_GCCOUNTB);
    assert_int_equal(life->live, counted);
}

static void test_limit__what_lives_beyond_it_ends_the_worker(void **state) {
    chief__lua_life *life = *state;
    assert_over(life, "t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end");
    assert_true(life->live > 4 * MIB);
    assert_true(life->live <= 5 * MIB);
}

static void test_limit__what_is_refused_ends_the_worker(void **state) {
    chief__lua_life *life = *state;
    assert_over(life, "while true do pcall(string.rep, 'x', 1 << 30) end");
    assert_non_null(strstr(life->why, "1024.0 MiB more asked for"));
}

/* A want that a collection satisfies is none. */
static void test_limit__what_can_be_had_after_a_collection_is_not_refused(void **state) {
    chief__lua_life *life = *state;
    assert_int_equal(run(life, "collectgarbage 'stop'\n"
                               "t = string.rep('x', 1 << 20) t = nil\n"
                               "t = string.rep('x', 1 << 20) t = nil\n"
                               "t = string.rep('x', 1 << 20)"),
                     LUA_OK);
    assert_null(chief__lua_interrupted(life));
    assert_false(chief__lua_limit_refused(life));
}

static void test_limit__an_error_of_memory_with_nothing_after_it_is_remembered(void **state) {
    chief__lua_life *life = *state;
    lua_getglobal(life->L, "string");
    lua_getfield(life->L, -1, "rep");
    lua_pushliteral(life->L, "x");
    lua_pushinteger(life->L, 1 << 30);
    assert_int_not_equal(lua_pcall(life->L, 2, 0, 0), LUA_OK);
    assert_true(chief__lua_limit_refused(life));
}

/* In Lua: takes much memory, and says that it had it. No hook comes in between, however long that takes. */
static int take_much(lua_State *L) {
    (void)lua_newuserdatauv(L, MIB / 2, 0);
    lua_pushboolean(L, 1);
    lua_setglobal(L, "had");
    return 0;
}

static void test_limit__an_interrupted_worker_has_room_for_its_end(void **state) {
    chief__lua_life *life = *state;
    lua_register(life->L, "take_much", take_much);
    assert_over(life, "local c <close> = setmetatable({}, {__close = take_much})\n"
                      "t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end");
    lua_getglobal(life->L, "had");
    assert_true(lua_toboolean(life->L, -1));
}

#define LIMIT_TEST(f) cmocka_unit_test_setup_teardown(f, open_life, close_life)

int main(void) {
    const struct CMUnitTest tests[] = {
        LIMIT_TEST(test_limit__what_lives_is_counted_as_lua_counts_it),
        LIMIT_TEST(test_limit__what_lives_beyond_it_ends_the_worker),
        LIMIT_TEST(test_limit__what_is_refused_ends_the_worker),
        LIMIT_TEST(test_limit__what_can_be_had_after_a_collection_is_not_refused),
        LIMIT_TEST(test_limit__an_error_of_memory_with_nothing_after_it_is_remembered),
        LIMIT_TEST(test_limit__an_interrupted_worker_has_room_for_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
