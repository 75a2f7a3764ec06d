/* What the interrupt is made of, on one thread and without signals: what they do is called here. */
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
#include "look.h"
#include "memory.h"

/* A life with its state entered. Nothing here asks its worker for anything. */
static int open_life(void **state) {
    chief__lua_life *life = calloc(1, sizeof *life);
    if (life == NULL || !chief__lua_memory_open(life)) return -1;
    chief__lua_life_open(life);
    chief__lua_life_enter(life);
    chief__lua_open_libraries(life->L, false);
    *state = life;
    return 0;
}

static int close_life(void **state) {
    chief__lua_life *life = *state;
    chief__lua_interrupt_settle(life);
    chief__lua_memory_close(life);
    chief__lua_life_leave(life);
    chief__lua_life_close(life);
    assert_null(life->coroutines);
    free(life->traceback);
    free(life);
    return 0;
}

/* In Lua: what a signal does. */
static int end_signal(lua_State *L) {
    (void)L;
    chief__lua_on_end();
    return 0;
}

/* In Lua: lets so many milliseconds pass since the raises there were. */
static int age(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    int64_t us = (int64_t)luaL_checkinteger(L, 1) * 1000;
    life->first_raise -= us;
    life->last_raise -= us;
    return 0;
}

static int ask(lua_State *L) {
    chief__lua_interrupt(chief__lua_life_of(L), CHIEF_REASON_WATCHDOG, "told to end");
    return 0;
}

static int run(chief__lua_life *life, const char *text) {
    lua_register(life->L, "signal", end_signal);
    lua_register(life->L, "ask", ask);
    lua_register(life->L, "age", age);
    assert_int_equal(luaL_loadstring(life->L, text), LUA_OK);
    return lua_pcall(life->L, 0, 0, 0);
}

/* When it has been ended: what is in its globals. */
static void assert_left(chief__lua_life *life, const char *condition) {
    chief__lua_interrupt_settle(life);
    lua_pushfstring(life->L, "assert(%s)", condition);
    assert_int_equal(luaL_dostring(life->L, lua_tostring(life->L, -1)), LUA_OK);
}

static void assert_ended(chief__lua_life *life, int status) {
    assert_int_equal(status, LUA_ERRRUN);
    assert_string_equal(lua_tostring(life->L, -1), "told to end");
    assert_int_equal(chief__lua_interrupted(life)->reason, CHIEF_REASON_WATCHDOG);
    assert_non_null(life->traceback);
}

/* ---- the list of coroutines ---- */

static void count_one(chief__lua_life *life, lua_State *L, chief__lua_old_hook *old) {
    (void)old;
    assert_ptr_equal(chief__lua_life_of(L), life);
    life->first_raise++;
}

static int64_t count(chief__lua_life *life) {
    life->first_raise = 0;
    chief__lua_each_coroutine(life, count_one);
    int64_t n = life->first_raise;
    life->first_raise = 0;
    return n;
}

static void test_interrupt__every_coroutine_is_in_the_list_until_it_is_freed(void **state) {
    chief__lua_life *life = *state;
    assert_int_equal(count(life), 1);
    assert_int_equal(run(life, "all = {} for i = 1, 100 do all[i] = coroutine.create(print) end"), LUA_OK);
    assert_int_equal(count(life), 101);
    assert_int_equal(run(life, "for i = 1, 100, 3 do all[i] = nil end collectgarbage() collectgarbage()"), LUA_OK);
    assert_int_equal(count(life), 67);
    assert_int_equal(run(life, "all = nil collectgarbage() collectgarbage()"), LUA_OK);
    assert_int_equal(count(life), 1);
}

/* Blocks of exactly a coroutine's size carry a mark; none of them is taken for one. */
static void test_interrupt__other_blocks_of_that_size_are_no_coroutines(void **state) {
    chief__lua_life *life = *state;
    lua_State *co = lua_newthread(life->L);
    size_t size = (size_t)((char *)chief__lua_mark_of(co) - (char *)lua_getextraspace(co));
    assert_ptr_equal(chief__lua_coroutine_of(chief__lua_mark_of(co)), co);
    char *block = chief__lua_memory_alloc(life, NULL, LUA_TSTRING, size);
    assert_int_equal(count(life), 2);
    memset(block, 7, size);
    block = chief__lua_memory_alloc(life, block, size, size + 100);
    assert_int_equal(block[size - 1], 7);
    block = chief__lua_memory_alloc(life, block, size + 100, size);
    block = chief__lua_memory_alloc(life, block, size, 10);
    block = chief__lua_memory_alloc(life, block, 10, size);
    assert_int_equal(block[9], 7);
    (void)chief__lua_memory_alloc(life, block, size, 0);
    assert_int_equal(count(life), 2);
    lua_pop(life->L, 1);
}

/* ---- ending ---- */

static void test_interrupt__a_loop_ends(void **state) {
    chief__lua_life *life = *state;
    assert_ended(life, run(life, "ask() while true do end"));
    assert_int_equal(lua_gethookmask(life->L), 0); /* until it comes again */
}

static void test_interrupt__the_first_asker_wins(void **state) {
    chief__lua_life *life = *state;
    chief__lua_interrupt(life, CHIEF_REASON_WATCHDOG, "told to end");
    chief__lua_interrupt(life, CHIEF_REASON_KILLED, "told again");
    assert_ended(life, run(life, "while true do end"));
}

static void test_interrupt__no_pcall_and_no_coroutine_keeps_it(void **state) {
    chief__lua_life *life = *state;
    assert_ended(life,
                 run(life, "pcall(function() coroutine.wrap(function() xpcall(function() ask() while true do end end,"
                           " debug.traceback) end)() end) while true do end"));
}

static void test_interrupt__other_errors_are_caught_meanwhile(void **state) {
    chief__lua_life *life = *state;
    assert_ended(life,
                 run(life, "caught = {} local c <close> = setmetatable({}, { __close = function()\n"
                           "caught[1] = pcall(error, 'other') caught[2] = coroutine.resume(coroutine.create(error), 1)"
                           "end }) ask() while true do end"));
    assert_left(life, "caught[1] == false and caught[2] == false");
}

/* A signal that was already on its way when the hook raised must not cut a __close short. */
static void test_interrupt__a_signal_too_early_changes_nothing(void **state) {
    chief__lua_life *life = *state;
    assert_ended(life, run(life, "local c <close> = setmetatable({}, { __close = function()\n"
                                 "signal() for i = 1, 1000 do end done = true end }) ask() while true do end"));
    assert_left(life, "done");
}

static void test_interrupt__a_signal_in_time_raises_again(void **state) {
    chief__lua_life *life = *state;
    assert_ended(life, run(life, "local c <close> = setmetatable({}, { __close = function()\n"
                                 "age(15) signal() for i = 1, 1000 do end done = true end }) ask() while true do end"));
    assert_left(life, "not done");
}

/* How many of three handlers that loop got to their first instruction, when the first of all came back after so long. */
static lua_Integer entered_after(chief__lua_life *life, int ms) {
    lua_pushinteger(life->L, ms);
    lua_setglobal(life->L, "ms");
    assert_ended(life, run(life, "entered = 0 local function enter() entered = entered + 1 while true do end end\n"
                                 "local loops = setmetatable({}, { __close = enter })\n"
                                 "local a <close> = loops local b <close> = loops local c <close> = loops\n"
                                 "local d <close> = setmetatable({}, { __close = function() age(ms) signal() end })\n"
                                 "ask() while true do end"));
    assert_int_not_equal(lua_gethookmask(life->L), 0);
    chief__lua_interrupt_settle(life);
    lua_getglobal(life->L, "entered");
    return lua_tointeger(life->L, -1);
}

static void test_interrupt__the_hook_stays_after_40_ms(void **state) { assert_int_equal(entered_after(*state, 45), 3); }

static void test_interrupt__the_hook_has_no_mercy_after_70_ms(void **state) {
    assert_int_equal(entered_after(*state, 80), 0);
}

/* A coroutine that C resumed stays where it was cut, and is closed at the top level, with hooks on. */
static int resume_in_c(lua_State *L) {
    int results;
    lua_State *co = lua_tothread(L, 1);
    assert_int_equal(lua_resume(co, L, 0, &results), LUA_YIELD);
    return 0;
}

static void test_interrupt__what_c_resumed_is_closed_at_the_top(void **state) {
    chief__lua_life *life = *state;
    lua_register(life->L, "resume_in_c", resume_in_c);
    int status = run(life, "resume_in_c(coroutine.create(function()\n"
                           "local c <close> = setmetatable({}, { __close = function() closed = true end })\n"
                           "ask() while true do end end)) error('told to end', 0)");
    assert_ended(life, status);
    lua_getglobal(life->L, "closed");
    assert_true(lua_isnil(life->L, -1));
    assert_left(life, "closed");
}

static void test_interrupt__who_only_knows_the_worker_finds_the_life(void **state) {
    chief__lua_life *life = *state;
    life->worker = (chief_worker *)life; /* compared, never followed */
    chief__lua_interrupt_worker((chief_worker *)state, CHIEF_REASON_KILLED, "another");
    assert_null(chief__lua_interrupted(life));
    chief__lua_interrupt_worker(life->worker, CHIEF_REASON_WATCHDOG, "told to end");
    assert_ended(life, run(life, "while true do end"));
    life->worker = NULL;
}

static void test_interrupt__one_before_it_runs_ends_it_at_once(void **state) {
    chief__lua_life *life = *state;
    chief__lua_life_leave(life);
    chief__lua_interrupt(life, CHIEF_REASON_WATCHDOG, "told to end");
    chief__lua_life_enter(life);
    chief__lua_on_end();
    assert_ended(life, run(life, "while true do end"));
}

/* ---- looking ---- */

static int look_signal(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    atomic_store(&life->looked_for, true);
    chief__lua_on_look();
    return 0;
}

static void test_interrupt__a_look_sets_a_hook_once_and_takes_it_away(void **state) {
    chief__lua_life *life = *state;
    lua_register(life->L, "look", look_signal);
    assert_int_equal(run(life, "local n = 0 debug.sethook(function() n = n + 1 end, '', 10)\n"
                               "look() look() assert(debug.gethook() ~= 'external hook')\n"
                               "for i = 1, 1000 do end assert(n > 90) debug.sethook()"),
                     LUA_OK);
}

/* Where it is in C: by its callers, once the allocator has been quiet for two looks. */
static int note_thrice(lua_State *L) {
    for (int i = 0; i < 3; i++) (void)look_signal(L);
    return 0;
}

static void test_interrupt__a_place_in_c_is_known_by_its_callers(void **state) {
    chief__lua_life *life = *state;
    chief__lua_place place;
    chief__lua_place_make(life);
    lua_register(life->L, "deep", note_thrice);
    lua_register(life->L, "look", look_signal);
    assert_int_equal(luaL_loadbuffer(life->L, "\n\ndeep()", 8, "@x.lua"), LUA_OK);
    lua_sethook(life->L, NULL, 0, 0);
    assert_int_equal(lua_pcall(life->L, 0, 0, 0), LUA_OK);
    chief__lua_lives_lock();
    bool known = chief__lua_place_take(life, &place);
    chief__lua_lives_unlock();
    assert_false(known); /* it came back to Lua: what was noted is of the past */
}

static int note_and_take(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    chief__lua_place *place = lua_touserdata(L, lua_upvalueindex(1));
    for (int i = 0; i < 2; i++) chief__lua_place_note(life);
    assert_false(chief__lua_place_take(life, place));
    chief__lua_place_note(life);
    assert_true(chief__lua_place_take(life, place));
    chief__lua_call_begin(L, "ctx:recv");
    chief__lua_place_forget(life);
    chief__lua_place_note(life); /* nothing moves inside a call of the chief's */
    assert_true(chief__lua_place_take(life, place));
    chief__lua_call_end(L);
    return 0;
}

static void test_interrupt__a_place_is_noted_when_stacks_stand_still(void **state) {
    chief__lua_life *life = *state;
    chief__lua_place_make(life);
    (void)lua_newuserdatauv(life->L, sizeof(chief__lua_place), 0);
    lua_pushcclosure(life->L, note_and_take, 1);
    lua_setglobal(life->L, "deep");
    lua_gc(life->L, LUA_GCSTOP);
    assert_int_equal(luaL_loadbuffer(life->L, "\n\nkeep = deep\ndeep()", 20, "@x.lua"), LUA_OK);
    assert_int_equal(lua_pcall(life->L, 0, 0, 0), LUA_OK);
    lua_getglobal(life->L, "keep");
    (void)lua_getupvalue(life->L, -1, 1);
    const chief__lua_place *place = lua_touserdata(life->L, -1);
    assert_string_equal(place->name, "deep");
    assert_string_equal(place->frames[0].source, "x.lua");
    assert_int_equal(place->frames[0].line, 4);
    assert_int_equal(place->depth, 1);
}

#define LIFE_TEST(f) cmocka_unit_test_setup_teardown(f, open_life, close_life)

int main(void) {
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_interrupt__every_coroutine_is_in_the_list_until_it_is_freed),
        LIFE_TEST(test_interrupt__other_blocks_of_that_size_are_no_coroutines),
        LIFE_TEST(test_interrupt__a_loop_ends),
        LIFE_TEST(test_interrupt__the_first_asker_wins),
        LIFE_TEST(test_interrupt__no_pcall_and_no_coroutine_keeps_it),
        LIFE_TEST(test_interrupt__other_errors_are_caught_meanwhile),
        LIFE_TEST(test_interrupt__a_signal_too_early_changes_nothing),
        LIFE_TEST(test_interrupt__a_signal_in_time_raises_again),
        LIFE_TEST(test_interrupt__the_hook_stays_after_40_ms),
        LIFE_TEST(test_interrupt__the_hook_has_no_mercy_after_70_ms),
        LIFE_TEST(test_interrupt__what_c_resumed_is_closed_at_the_top),
        LIFE_TEST(test_interrupt__who_only_knows_the_worker_finds_the_life),
        LIFE_TEST(test_interrupt__one_before_it_runs_ends_it_at_once),
        LIFE_TEST(test_interrupt__a_look_sets_a_hook_once_and_takes_it_away),
        LIFE_TEST(test_interrupt__a_place_in_c_is_known_by_its_callers),
        LIFE_TEST(test_interrupt__a_place_is_noted_when_stacks_stand_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
