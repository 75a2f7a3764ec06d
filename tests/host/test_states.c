/* The rock in a program that has several Lua states: each gets the module as if it were alone, and one that goes, workers
 * running or not, takes nothing from the others and leaves no thread in code that is gone. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static char folder[] = "/tmp/chief-states-XXXXXX";

static lua_State *open_state(void) {
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    lua_pushstring(L, folder);
    lua_setglobal(L, "folder");
    return L;
}

static void run(lua_State *L, const char *script) {
    if (luaL_dostring(L, script) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
    lua_settop(L, 0);
}

static const char *const make = "chief = require 'chief' assert(chief == require 'chief')"
                                "c = chief.new { name = 'states', log = { level = 'off' }, force_stop_timeout = 0.05 }";

/* A worker that answers with what it is asked. */
static const char *const echo = "c:add_worker('echo', function(ctx)"
                                "  for value, info in ctx:iter() do info:reply(value) end return true end)"
                                "assert(c:init_workers()) assert(c:launch())";

static const char *const ask = "assert(c:call('echo', 42, 30) == 42)";

static void test_states__two_at_once_do_not_know_each_other(void **state) {
    (void)state;
    lua_State *a = open_state();
    lua_State *b = open_state();
    run(a, make);
    run(b, make);
    run(a, echo);
    run(b, echo);
    run(a, ask);
    run(b, ask);
    run(a, "assert(c:stop()) assert(c:join(30))");
    lua_close(a);
    run(b, ask);
    run(b, "assert(c:stop()) assert(c:join(30))");
    lua_close(b);
}

static void test_states__one_that_closes_ends_its_workers(void **state) {
    (void)state;
    lua_State *a = open_state();
    lua_State *b = open_state();
    run(a, make);
    run(b, make);
    run(a, echo);
    run(b, echo);
    run(a, ask);
    lua_close(a);
    run(b, ask);
    lua_close(b);
    a = open_state(); /* and the module can be loaded again */
    run(a, make);
    run(a, echo);
    run(a, ask);
    lua_close(a);
}

/* The worker waits in C, in a command that reads from one pipe and, after that, writes to another. Nothing can interrupt
 * it, so that its thread outlives the state that it came from. */
static const char *const stuck = "c:add_worker('stuck', function(ctx) local folder = ctx.args.folder"
                                 "  os.execute('cat ' .. folder .. '/begin > ' .. folder .. '/end') return true end,"
                                 "  { args = { folder = folder } })"
                                 "assert(c:init_workers()) assert(c:launch())";

static void test_states__a_worker_in_c_outlives_its_state(void **state) {
    (void)state;
    char begin[64], end[64], byte;
    snprintf(begin, sizeof begin, "%s/begin", folder);
    snprintf(end, sizeof end, "%s/end", folder);
    assert_int_equal(mkfifo(begin, 0600), 0);
    assert_int_equal(mkfifo(end, 0600), 0);
    lua_State *L = open_state();
    run(L, make);
    run(L, stuck);
    int in = open(end, O_RDONLY | O_CLOEXEC); /* waits until the command is there, which opens this one first */
    int out = open(begin, O_WRONLY | O_CLOEXEC);
    assert_true(out >= 0 && in >= 0);
    lua_close(L);
    assert_int_equal(write(out, "x", 1), 1); /* its command still runs */
    close(out);
    assert_int_equal(read(in, &byte, 1), 1);
    assert_int_equal(read(in, &byte, 1), 0);
    close(in);
    L = open_state(); /* its thread goes on in the module while others use it */
    run(L, make);
    run(L, echo);
    run(L, ask);
    lua_close(L);
    unlink(begin);
    unlink(end);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states__two_at_once_do_not_know_each_other),
        cmocka_unit_test(test_states__one_that_closes_ends_its_workers),
        cmocka_unit_test(test_states__a_worker_in_c_outlives_its_state),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
