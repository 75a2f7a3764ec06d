/*
 * A Lua worker's whole life with the n-th allocation of its states failing, for every n: an error each time, no crash, no
 * leak. Lua tries once more after a collection, so each failure is made twice: alone, which tests that collection, and with
 * the next try failing as well, which is an error in Lua.
 *
 * The allocator is put between Lua and whoever made the state by functions of this program that stand before Lua's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>

#include <chief_lua.h>
#pragma GCC visibility push(default) /* what stands before Lua's own has to be seen by its callers */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#pragma GCC visibility pop

/* ---- between Lua and its allocator ---- */

typedef struct layer {
    lua_Alloc alloc;
    void *data;
} layer;

static atomic_long taken;       /* allocations so far */
static atomic_long first, last; /* those that fail: first … last; 0: none */
static atomic_long live;        /* bytes */
static atomic_long hits;

static bool fails(void) {
    long n = atomic_fetch_add(&taken, 1) + 1;
    if (n < atomic_load(&first) || n > atomic_load(&last)) return false;
    (void)atomic_fetch_add(&hits, 1);
    return true;
}

/* Only what asks for more may fail: Lua relies on shrinking. */
static void *layer_alloc(void *ud, void *ptr, size_t old, size_t size) {
    layer *l = ud;
    size_t had = ptr != NULL ? old : 0;
    if (size > had && fails()) return NULL;
    void *made = l->alloc(l->data, ptr, old, size);
    if (made != NULL || size == 0) (void)atomic_fetch_add(&live, (long)size - (long)had);
    return made;
}

static void *find(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

lua_State *lua_newstate(lua_Alloc f, void *ud) {
    lua_State *(*real)(lua_Alloc, void *);
    *(void **)&real = find("lua_newstate");
    layer *l = malloc(sizeof *l);
    if (l == NULL) abort();
    *l = (layer){f, ud};
    lua_State *L = real(layer_alloc, l);
    if (L == NULL) free(l);
    return L;
}

static void *plain_alloc(void *ud, void *ptr, size_t old, size_t size) {
    (void)ud;
    (void)old;
    if (size > 0) return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static int panic(lua_State *L) {
    const char *text = lua_tostring(L, -1);
    fprintf(stderr, "unprotected error in Lua: %s\n", text != NULL ? text : "?");
    return 0; /* and Lua aborts */
}

/* As Lua's own but for its warnings; it would call a lua_newstate that it has found before ours. */
lua_State *luaL_newstate(void) {
    lua_State *L = lua_newstate(plain_alloc, NULL);
    if (L != NULL) (void)lua_atpanic(L, panic);
    return L;
}

lua_Alloc lua_getallocf(lua_State *L, void **ud) {
    lua_Alloc (*real)(lua_State *, void **);
    void *data;
    *(void **)&real = find("lua_getallocf");
    lua_Alloc f = real(L, &data);
    if (f == layer_alloc) {
        const layer *l = data;
        f = l->alloc;
        data = l->data;
    }
    if (ud != NULL) *ud = data;
    return f;
}

void lua_close(lua_State *L) {
    lua_Alloc (*real_getallocf)(lua_State *, void **);
    void (*real)(lua_State *);
    void *data;
    *(void **)&real_getallocf = find("lua_getallocf");
    *(void **)&real = find("lua_close");
    lua_Alloc f = real_getallocf(L, &data);
    real(L);
    if (f == layer_alloc) free(data);
}

/* ---- one life ---- */

static int64_t slow(void) {
    const char *text = getenv("CHIEF_TEST_SLOW");
    return text == NULL ? 1 : strtol(text, NULL, 10);
}

/* package.path for the workers of this folder. */
static const char *path(void) {
    static char text[1024];
    const char *source = getenv("CHIEF_SOURCE");
    (void)snprintf(text, sizeof text, "%s/tests/host/?.lua", source == NULL ? "." : source);
    return text;
}

static void silence(void *data, const chief_record *record) {
    (void)data;
    (void)record;
}

static chief *new_chief(void) {
    chief *c = NULL;
    chief_log *log = NULL;
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_DEBUG, .sink = silence};
    assert_int_equal(chief_log_new(&log, &quiet), CHIEF_OK);
    chief_options options = {.size = sizeof options, .log = log};
    assert_int_equal(chief_new(&c, &options), CHIEF_OK);
    chief_log_unref(log);
    return c;
}

static int32_t isolation;

static int in_thread(void **state) {
    (void)state;
    isolation = CHIEF_THREAD;
    return 0;
}

static int in_fiber(void **state) {
    (void)state;
    isolation = CHIEF_FIBER;
    return 0;
}

/* A module that can't be looked at for want of memory is an error that says so. */
static void add(chief *c) {
    static const char args[] = "\x91\xa3"
                               "abc";
    static const chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_worker_options worker = {.size = sizeof worker, .restart = &at_once, .isolation = isolation};
    worker.args = (chief_bytes){args, sizeof args - 1};
    chief_lua_options options = {.size = sizeof options, .path = path(), .worker = &worker};
    int rc;
    for (long tries = 1; (rc = chief_lua_add_worker(c, "life", "workers.life", &options)) != CHIEF_OK; tries++) {
        assert_true(tries <= atomic_load(&hits));
        if (rc != CHIEF_ENOMEM && strstr(chief_last_error(), "not enough memory") == NULL)
            fail_msg("%d: %s", rc, chief_last_error());
    }
}

static void add_channels(chief *c, chief_channel **jobs, chief_channel **done) {
    chief_channel_options o = {.size = sizeof o, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = CHIEF_ZERO};
    assert_int_equal(chief_add_channel(c, "jobs", &o), CHIEF_OK);
    assert_int_equal(chief_add_channel(c, "done", NULL), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "jobs", jobs), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "done", done), CHIEF_OK);
}

/* {text = "abc", list = {1, "two"}} */
static const char job[] = "\x82\xa4text\xa3"
                          "abc\xa4list\x92\x01\xa3two";

/* The failures that are not the worker's own are those of memory, and are told as such. Returns how many there were. */
static int check_events(chief *c) {
    chief_event *events[16];
    size_t n;
    int failures = 0;
    while (chief_take_events(c, events, 16, 0, &n) == CHIEF_OK)
        for (size_t i = 0; i < n; i++) {
            const chief_event *e = events[i];
            if (e->kind == CHIEF_EVENT_STATE && e->state == CHIEF_WORKER_FAILED &&
                strcmp(e->error, "fails once") != 0) {
                failures++;
                if (strstr(e->error, "memory") == NULL && strstr(e->error, "error in error handling") == NULL)
                    fail_msg("allocation %ld: the worker failed with «%s»", atomic_load(&first), e->error);
            }
            chief_event_free(events[i]);
        }
    return failures;
}

/* From the first allocation to the last; `at` fails, and what follows it up to `to`. Returns how many were made. */
static long live_once(long at, long to) {
    chief_channel *jobs, *done;
    chief_msg *msg;
    atomic_store(&taken, 0);
    atomic_store(&first, at);
    atomic_store(&last, to);
    atomic_store(&hits, 0);
    chief *c = new_chief();
    add_channels(c, &jobs, &done);
    add(c);
    assert_int_equal(chief_channel_send(jobs, NULL, job, sizeof job - 1, 0), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    int rc = chief_channel_recv(done, NULL, 10000 * slow(), &msg);
    if (rc != CHIEF_OK) fail_msg("allocation %ld: the job was not done: %s", at, chief_last_error());
    chief_msg_free(msg);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, 10000 * slow()), CHIEF_OK);
    assert_true(check_events(c) <= atomic_load(&hits));
    chief_channel_unref(jobs);
    chief_channel_unref(done);
    chief_free(c);
    assert_int_equal(atomic_load(&live), 0);
    return atomic_load(&taken);
}

/* Under valgrind and ThreadSanitizer one in many. */
static void fail_each(long more) {
    const char *sanitizer = getenv("CHIEF_SANITIZE");
    bool dear = slow() > 10 || (sanitizer != NULL && strcmp(sanitizer, "thread") == 0);
    long all = live_once(0, 0);
    long step = dear ? 13 : 1;
    long failed = 0;
    assert_true(all > 1000);
    for (long n = 1; n <= all; n += step) {
        (void)live_once(n, n + more);
        failed += atomic_load(&hits) > 0;
    }
    print_message("%ld allocations, %ld of them made to fail\n", all, failed);
}

static void test_lua_memory__a_single_failure_is_survived(void **state) {
    (void)state;
    fail_each(0);
}

static void test_lua_memory__a_failure_of_both_tries_is_the_worker_s(void **state) {
    (void)state;
    fail_each(1);
}

/* ---- a program that goes on after an error ---- */

static int fail_from_here(lua_State *L) {
    long n = (long)luaL_checkinteger(L, 1);
    atomic_store(&taken, 0);
    atomic_store(&hits, 0);
    atomic_store(&first, n);
    atomic_store(&last, n > 0 ? n + 1 : 0);
    return 0;
}

/* Makes objects of several kinds without memory, then with it. The collector stands still meanwhile: a finalizer that Lua has
 * no memory to call is never called, which is Lua's own affair. */
static const char use_twice[] = "local fail, n = ...\n"
                                "local core = require 'chief.core'\n"
                                "local function use()\n"
                                "  local log <close> = core.log { level = 'off' }\n"
                                "  log:with_fields { a = {}, b = 1 }:info 'x'\n"
                                "  local context <close> = core.context()\n"
                                "  context:set('chief-log', log)\n"
                                "  context:get('chief-log'):set_level 'off'\n"
                                "  local channel <close> = core.channel 'c'\n"
                                "  channel:send { 1, 'two', core.map {} }\n"
                                "  local value, info = channel:recv(0)\n"
                                "  assert(value[2] == 'two' and info.kind == 'message' and channel.name == 'c')\n"
                                "  assert(#tostring(channel) > 0 and #tostring(info) > 0)\n"
                                "  local pool <close> = core.pool()\n"
                                "  pool:set_worker('w', { run = function(_, ctx) return ctx.name == 'w' end })\n"
                                "  pool:enable 'w'\n"
                                "  assert(pool:init 'w')\n"
                                "  assert(pool:run_exec 'w')\n"
                                "  assert(#pool:states() == 1)\n"
                                "end\n"
                                "collectgarbage 'stop'\n"
                                "fail(n)\n"
                                "local ok = pcall(use)\n"
                                "fail(0)\n"
                                "collectgarbage 'restart'\n"
                                "use()\n"
                                "return ok\n";

static void test_lua_memory__what_was_cut_off_is_whole_the_next_time(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        atomic_store(&first, 0);
        atomic_store(&last, 0);
        lua_State *L = luaL_newstate();
        assert_non_null(L);
        luaL_openlibs(L);
        assert_int_equal(chief_lua_open(L), CHIEF_OK);
        assert_int_equal(luaL_loadstring(L, use_twice), LUA_OK);
        lua_pushcfunction(L, fail_from_here);
        lua_pushinteger(L, n);
        if (lua_pcall(L, 2, 1, 0) != LUA_OK) fail_msg("allocation %ld: %s", n, lua_tostring(L, -1));
        bool done = lua_toboolean(L, -1);
        lua_close(L);
        assert_int_equal(atomic_load(&live), 0);
        if (!done) continue;
        assert_true(n > 50);
        print_message("%ld allocations, each made to fail\n", n - 1);
        return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lua_memory__a_single_failure_is_survived),
        cmocka_unit_test(test_lua_memory__a_failure_of_both_tries_is_the_worker_s),
    };
    const struct CMUnitTest of_the_program[] = {
        cmocka_unit_test(test_lua_memory__what_was_cut_off_is_whole_the_next_time),
    };
    int failed = cmocka_run_group_tests_name("in a thread", tests, in_thread, NULL);
    failed += cmocka_run_group_tests_name("in a fiber", tests, in_fiber, NULL);
    return failed + cmocka_run_group_tests_name("in the program", of_the_program, NULL, NULL);
}
