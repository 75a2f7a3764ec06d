/* chief.core and memory. In a Lua state that runs out of it, at each of its allocations in turn: an error every time, nothing of
 * the library's is lost, and no crash. And how many copies of a large string there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static const char *const scripts[] = {
    "local core = require 'chief.core' local v = { 1, -70000, 1.5, true, 'text', '\\xff', { a = { b = {} } }, core.map {} }"
    "for _ = 1, 2 do assert(core.unpack(core.pack(v))) end assert(not core.unpack '\\xc1')",

    "local core = require 'chief.core' local ch = assert(core.channel('c', { capacity = 10 }))"
    "assert(ch:send { x = 1 }) assert(ch:recv()) assert(ch:send_many { 'a', 'b' } == 2) assert(#ch:recv_many() == 2)"
    "ch:send(1) for v, info in ch:iter() do if info.sender == '' then ch:close() end end ch:stats() tostring(ch)",

    "local core = require 'chief.core' local parent = assert(core.context()) assert(parent:set('k', 'v'))"
    "local child = assert(core.context(parent, 100)) assert(child:get 'k' == 'v') parent:cancel 'why' child:reason()"
    "assert(parent:set('chief-log', assert(core.log { level = 'off' }))) child:get 'chief-log':info('x', { a = 1, b = {} })",

    "local core = require 'chief.core' local rule = assert(core.rule({ 'a', 'b' }, 'none')) rule:validate { 'c' }"
    "rule:available() core.state.scan 'run' core.state.transition('run', 'enabled')",

    "local core = require 'chief.core' local t = core.json_decode '{\"a\":[1,null,{\"b\":{}}],\"c\":\"d\"}'"
    "assert(#core.json_encode(t) > 10) core.function_spec(function() return core == nil end == nil and print or load 'x()')",

    "local core = require 'chief.core' local pool = assert(core.pool())"
    "assert(pool:set_worker('w', { init = function(ctx) return { ctx.name } end, run = function() error 'x' end }))"
    "assert(pool:enable 'w') assert(pool:init 'w') pool:run_exec 'w' pool:states() pool:states_json()",

    "local core = require 'chief.core' local c = assert(core.chief { name = 'x', log = core.log { level = 'off' } })"
    "assert(c:add_channel 'c') assert(c:channel 'c') assert(c:add_value('k', 1))"
    "assert(c:add_worker('w', core.function_spec(load 'local ctx = ... ctx:recv()'))) c:states() c:pool():states()"
    "c:add_worker('no', { module = 'no.such', after = { 'w' }, args = { 1 } }) c:enable_workers { 'w' } c:context()",
};

#define LARGE ((size_t)1 << 20)

/* What the library holds; and how many blocks for a large string it has asked for. */
static long blocks;
static long large_blocks;

static void *count_blocks(void *data, void *ptr, size_t size) {
    (void)data;
    if (size == 0) {
        blocks -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    void *block = realloc(ptr, size);
    large_blocks += size >= LARGE;
    blocks += block != NULL && ptr == NULL;
    return block;
}

/* How many more allocations there is memory for; below 0: for all. */
typedef struct budget {
    long left;
    long large; /* allocations for a large string so far */
} budget;

static void *allocate(void *ud, void *ptr, size_t before, size_t size) {
    budget *b = ud;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (b->left == 0 && (ptr == NULL || size > before)) return NULL;
    if (b->left > 0) b->left--;
    b->large += size >= LARGE;
    return realloc(ptr, size);
}

/* The collector stands still until the end: a finalizer that Lua has no memory to call is never called, which is Lua's own
 * affair. */
static int play(lua_State *L) {
    luaL_openlibs(L);
    (void)lua_gc(L, LUA_GCSTOP);
    if (chief_lua_open(L) != CHIEF_OK) return luaL_error(L, "%s", chief_last_error());
    if (luaL_loadstring(L, lua_touserdata(L, 1)) != LUA_OK) return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

/* Whether the script got through with memory for n allocations. */
static int survives(const char *script, long n) {
    budget b = {.left = -1};
    lua_State *L = lua_newstate(allocate, &b);
    assert_non_null(L);
    b.left = n;
    lua_pushcfunction(L, play);
    lua_pushlightuserdata(L, (void *)(uintptr_t)script);
    int status = lua_pcall(L, 1, 0, 0);
    b.left = -1;
    /* Only memory may be what was missing; in a protected part it comes back as text. */
    if (n < 0 && status != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
    assert_int_equal(blocks, 0);
    return status == LUA_OK;
}

static void test_chief_core__gives_back_what_it_has_when_memory_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        assert_true(survives(scripts[i], -1));
        long n = 1;
        while (!survives(scripts[i], n)) n += 1;
    }
}

static int open_all(lua_State *L) {
    luaL_openlibs(L);
    return chief_lua_open(L) == CHIEF_OK ? 0 : luaL_error(L, "%s", chief_last_error());
}

/* Runs it and says how many large blocks Lua and the library took for it. */
static void take(lua_State *L, budget *b, const char *script, long by_lua, long by_library) {
    b->large = 0;
    large_blocks = 0;
    if (luaL_dostring(L, script) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
    assert_int_equal(b->large, by_lua);
    assert_int_equal(large_blocks, by_library);
}

/* The message is one, what is received the other. */
static void test_chief_core__a_large_string_is_copied_twice(void **state) {
    (void)state;
    budget b = {.left = -1};
    lua_State *L = lua_newstate(allocate, &b);
    assert_non_null(L);
    lua_pushcfunction(L, open_all);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
    take(L, &b, "ch = require 'chief.core'.channel 'c' text = ('x'):rep(1 << 20)", 2, 0);
    take(L, &b, "assert(ch:send(text))", 0, 1);
    take(L, &b, "got = ch:recv()", 1, 0);
    take(L, &b, "assert(got == text and ch:try_send(text))", 0, 1);
    take(L, &b, "assert(ch:send { text })", 1, 1);
    lua_close(L);
    assert_int_equal(blocks, 0);
}

int main(void) {
    const chief_allocator counting = {.size = sizeof counting, .realloc = count_blocks};
    if (chief_set_allocator(&counting) != CHIEF_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chief_core__gives_back_what_it_has_when_memory_ends),
                                       cmocka_unit_test(test_chief_core__a_large_string_is_copied_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
