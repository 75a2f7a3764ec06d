/* A C program that runs Lua workers by chief_lua.h alone, as someone outside this project would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static int64_t limit(void) {
    const char *slow = getenv("CHIEF_TEST_SLOW");
    return 10000 * (slow == NULL ? 1 : strtol(slow, NULL, 10));
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
    chief_log_options quiet = {.size = sizeof quiet, .sink = silence};
    assert_int_equal(chief_log_new(&log, &quiet), CHIEF_OK);
    chief_options options = {.size = sizeof options, .name = "test", .log = log};
    assert_int_equal(chief_new(&c, &options), CHIEF_OK);
    chief_log_unref(log);
    return c;
}

static chief *started_echo(const chief_worker_options *worker) {
    chief *c = new_chief();
    chief_lua_options options = {.size = sizeof options, .path = path(), .worker = worker};
    assert_int_equal(chief_lua_add_worker(c, "echo", "workers.echo", &options), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    return c;
}

/* Whether the reply to these bytes has these in it. */
static void assert_answer(chief *c, const char *bytes, size_t len, const char *part, size_t part_len) {
    chief_msg *reply = NULL;
    assert_int_equal(chief_call(c, "echo", bytes, len, limit(), &reply), CHIEF_OK);
    chief_bytes data = chief_msg_data(reply);
    assert_non_null(memmem(data.data, data.len, part, part_len));
    chief_msg_free(reply);
}

static void test_chief_lua__a_module_runs_and_answers(void **state) {
    (void)state;
    chief *c = started_echo(NULL);
    assert_answer(c, "\x07", 1, "\xa5value\x07", 7);
    assert_answer(c, "\x07", 1,
                  "\xa6worker\xa4"
                  "echo",
                  12);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, limit()), CHIEF_OK);
    chief_free(c);
}

static void test_chief_lua__args_are_messagepack(void **state) {
    (void)state;
    static const char args[] = "\x81\xa6"
                               "factor\x03";
    chief_worker_options worker = {.size = sizeof worker, .args = {args, sizeof args - 1}};
    chief *c = started_echo(&worker);
    assert_answer(c, "\x07", 1, "\xa5value\x15", 7);
    chief_free(c);
}

static void test_chief_lua__a_failure_has_its_traceback_and_a_second_life(void **state) {
    (void)state;
    chief_restart restart = {.size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1};
    chief_worker_options worker = {.size = sizeof worker, .restart = &restart};
    chief *c = started_echo(&worker);
    chief_msg *reply = NULL;
    assert_int_equal(chief_call(c, "echo",
                                "\xa4"
                                "fail",
                                5, limit(), &reply),
                     CHIEF_ENOREPLY);
    assert_null(reply);
    assert_answer(c, "\x07", 1, "\xaageneration\x02", 12);
    chief_snapshot *snapshot = NULL;
    assert_int_equal(chief_states(c, &snapshot), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(snapshot, "echo");
    assert_int_equal(status->reason, CHIEF_REASON_LUA_ERROR);
    assert_non_null(strstr(status->error, "echo.lua:8: told to fail"));
    assert_non_null(strstr(status->traceback, "echo.lua:8"));
    chief_snapshot_free(snapshot);
    chief_free(c);
}

/* FAULTS 39, for a receiver in Lua. */
static void test_chief_lua__malformed_bytes_fail_only_who_reads_them(void **state) {
    (void)state;
    chief_restart restart = {.size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1};
    chief_worker_options worker = {.size = sizeof worker, .restart = &restart};
    chief *c = started_echo(&worker);
    chief_msg *reply = NULL;
    assert_int_equal(chief_call(c, "echo", "\xdd\xff\xff\xff\xff", 5, limit(), &reply), CHIEF_ENOREPLY);
    assert_answer(c, "\x07", 1, "\xaageneration\x02", 12);
    chief_free(c);
}

static void test_chief_lua__a_bad_module_is_refused_with_the_reason(void **state) {
    (void)state;
    chief *c = new_chief();
    chief_lua_options options = {.size = sizeof options, .path = path()};
    assert_int_equal(chief_lua_add_worker(c, "x", "workers.nosuch", &options), CHIEF_EINVAL);
    assert_non_null(strstr(chief_last_error(), "module 'workers.nosuch' not found; looked for:"));
    assert_int_equal(chief_lua_add_worker(c, "no good", "workers.echo", &options), CHIEF_EINVAL);
    assert_int_equal(chief_lua_add_worker(c, "x", NULL, &options), CHIEF_EINVAL);
    assert_int_equal(chief_lua_add_worker(NULL, "x", "workers.echo", &options), CHIEF_EINVAL);
    chief_free(c);
}

/* The places that were looked at for a module that is nowhere. */
static const char *places(const char *list) {
    static char text[4096];
    chief *c = new_chief();
    chief_lua_options options = {.size = sizeof options, .path = list};
    assert_int_equal(chief_lua_add_worker(c, "x", "nosuch", &options), CHIEF_EINVAL);
    (void)snprintf(text, sizeof text, "%s", chief_last_error());
    chief_free(c);
    return text;
}

static void test_chief_lua__two_semicolons_stand_for_the_usual_path(void **state) {
    (void)state;
    const char *text = places("./first/?.lua;;./last/?.lua");
    const char *first = strstr(text, "\n  ./first/nosuch.lua\n"), *usual = strstr(text, "/lua/5.4/nosuch.lua\n");
    const char *last = strstr(text, "\n  ./last/nosuch.lua");
    assert_true(first != NULL && usual != NULL && last != NULL && first < usual && usual < last);
    assert_null(strstr(text, "\n  \n"));
    assert_non_null(strstr(places(";;"), "/lua/5.4/nosuch.lua\n"));
    assert_null(strstr(places("./first/?.lua"), "/lua/5.4/nosuch.lua"));
}

/* The worker answers with all that it is sent. */
static void test_chief_lua__a_memory_limit_is_kept(void **state) {
    (void)state;
    static char many[1024 * 1024 + 5] = "\xdb\x00\x10\x00\x00"; /* a string of 1 MiB */
    chief_restart restart = {.size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1};
    chief_worker_options worker = {.size = sizeof worker, .restart = &restart};
    chief *c = new_chief();
    chief_lua_options options = {
        .size = sizeof options, .path = path(), .worker = &worker, .memory_limit = (uint64_t)512 * 1024};
    assert_int_equal(chief_lua_add_worker(c, "echo", "workers.echo", &options), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    chief_msg *reply = NULL;
    assert_int_equal(chief_call(c, "echo", many, sizeof many, limit(), &reply), CHIEF_ENOREPLY);
    assert_answer(c, "\x07", 1, "\xaageneration\x02", 12);
    chief_snapshot *snapshot = NULL;
    assert_int_equal(chief_states(c, &snapshot), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(snapshot, "echo");
    assert_int_equal(status->reason, CHIEF_REASON_MEMORY_LIMIT);
    assert_non_null(strstr(status->error, "memory limit: "));
    chief_snapshot_free(snapshot);
    chief_free(c);
}

static void test_chief_lua__limits_that_are_none_are_refused(void **state) {
    (void)state;
    chief *c = new_chief();
    chief_lua_options options = {.size = sizeof options, .path = path(), .memory_limit = CHIEF_LUA_LEAST_MEMORY - 1};
    assert_int_equal(chief_lua_add_worker(c, "echo", "workers.echo", &options), CHIEF_EINVAL);
    assert_string_equal(chief_last_error(), "a memory limit is 65536 bytes or more, or 0 for none");
    options.memory_limit = CHIEF_LUA_LEAST_MEMORY;
    options.watchdog = -1;
    assert_int_equal(chief_lua_add_worker(c, "echo", "workers.echo", &options), CHIEF_EINVAL);
    assert_string_equal(chief_last_error(), "a watchdog has 1 ms or more, or 0 for none");
    options.watchdog = 1;
    assert_int_equal(chief_lua_add_worker(c, "echo", "workers.echo", &options), CHIEF_OK);
    chief_free(c);
}

static void test_chief_lua__options_are_versioned(void **state) {
    (void)state;
    struct {
        chief_lua_options known;
        int64_t more;
    } later = {.known = {.size = sizeof later, .path = path()}};
    chief *c = new_chief();
    assert_int_equal(chief_lua_add_worker(c, "a", "workers.echo", &later.known), CHIEF_OK);
    later.more = 1;
    assert_int_equal(chief_lua_add_worker(c, "b", "workers.echo", &later.known), CHIEF_EINVAL);
    chief_lua_options unsized = {.path = path()};
    assert_int_equal(chief_lua_add_worker(c, "b", "workers.echo", &unsized), CHIEF_EINVAL);
    chief_worker_options worker = {.size = sizeof worker, .destroy = free};
    chief_lua_options options = {.size = sizeof options, .path = path(), .worker = &worker};
    assert_int_equal(chief_lua_add_worker(c, "b", "workers.echo", &options), CHIEF_EINVAL);
    chief_free(c);
}

static void test_chief_lua__a_state_of_ones_own_gets_the_module(void **state) {
    (void)state;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    assert_int_equal(chief_lua_open(L), CHIEF_OK);
    assert_int_equal(lua_gettop(L), 0);
    assert_int_equal(luaL_dostring(L, "return require('chief.core').version"), LUA_OK);
    assert_string_equal(lua_tostring(L, -1), chief_version());
    lua_close(L);
    assert_int_equal(chief_lua_open(NULL), CHIEF_EINVAL);
}

/* C modules link no Lua: they find its functions only when those are global. */
static void test_chief_lua__workers_load_c_modules(void **state) {
    (void)state;
    chief *c = new_chief();
    chief_lua_options options = {.size = sizeof options, .path = path()};
    assert_int_equal(chief_lua_add_worker(c, "folder", "workers.folder", &options), CHIEF_OK);
    chief_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief_lua__a_module_runs_and_answers),
        cmocka_unit_test(test_chief_lua__args_are_messagepack),
        cmocka_unit_test(test_chief_lua__a_failure_has_its_traceback_and_a_second_life),
        cmocka_unit_test(test_chief_lua__malformed_bytes_fail_only_who_reads_them),
        cmocka_unit_test(test_chief_lua__a_bad_module_is_refused_with_the_reason),
        cmocka_unit_test(test_chief_lua__two_semicolons_stand_for_the_usual_path),
        cmocka_unit_test(test_chief_lua__a_memory_limit_is_kept),
        cmocka_unit_test(test_chief_lua__limits_that_are_none_are_refused),
        cmocka_unit_test(test_chief_lua__options_are_versioned),
        cmocka_unit_test(test_chief_lua__a_state_of_ones_own_gets_the_module),
        cmocka_unit_test(test_chief_lua__workers_load_c_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
