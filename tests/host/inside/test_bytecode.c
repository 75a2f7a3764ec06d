/* What is kept of Lua files that were compiled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "bytecode.h"

typedef struct bench {
    lua_State *L;
    char folder[32];
    char path[64];
} bench;

static int open_bench(void **state) {
    static bench only;
    bench *b = &only;
    strcpy(b->folder, "/tmp/chief-bytecode-XXXXXX");
    if (mkdtemp(b->folder) == NULL) return -1;
    (void)snprintf(b->path, sizeof b->path, "%s/m.lua", b->folder);
    b->L = luaL_newstate();
    *state = b;
    return b->L != NULL ? 0 : -1;
}

static int close_bench(void **state) {
    bench *b = *state;
    lua_close(b->L);
    (void)unlink(b->path);
    (void)rmdir(b->folder);
    return 0;
}

static void put(const bench *b, const char *text) {
    FILE *f = fopen(b->path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static bool load(const bench *b) {
    struct stat about;
    assert_int_equal(stat(b->path, &about), 0);
    return chief__lua_bytecode_load(b->L, b->path, &about);
}

/* What the file returns, an integer. */
static lua_Integer result(const bench *b) {
    int top = lua_gettop(b->L);
    assert_true(load(b));
    assert_int_equal(lua_gettop(b->L), top + 1);
    assert_int_equal(lua_pcall(b->L, 0, 1, 0), LUA_OK);
    lua_Integer value = lua_tointeger(b->L, -1);
    lua_settop(b->L, top);
    return value;
}

static bool is_kept(const bench *b) {
    size_t before = chief__lua_bytecode_compiled();
    (void)load(b);
    lua_pop(b->L, 1);
    return chief__lua_bytecode_compiled() == before;
}

/* Only a file that has not changed for some milliseconds is kept. */
static bool is_kept_in_time(const bench *b) {
    const char *slow = getenv("CHIEF_TEST_SLOW");
    time_t limit = time(NULL) + 10 * (slow != NULL ? strtol(slow, NULL, 10) : 1);
    while (!is_kept(b))
        if (time(NULL) > limit) return false;
    return true;
}

static void test_bytecode__a_file_is_compiled_once(void **state) {
    const bench *b = *state;
    put(b, "return 41");
    assert_true(is_kept_in_time(b));
    size_t before = chief__lua_bytecode_compiled();
    for (int i = 0; i < 5; i++) assert_int_equal(result(b), 41);
    assert_int_equal(chief__lua_bytecode_compiled(), before);
}

static void test_bytecode__a_file_that_changed_is_compiled_again(void **state) {
    const bench *b = *state;
    put(b, "return 41");
    assert_true(is_kept_in_time(b));
    put(b, "return 42");
    assert_int_equal(result(b), 42);
    assert_true(is_kept_in_time(b));
    assert_int_equal(result(b), 42);
}

static int findings(const bench *b, const char *module) {
    struct stat about;
    assert_int_equal(stat(b->path, &about), 0);
    return chief__lua_bytecode_findings(b->path, &about, module);
}

static void note(const bench *b, const char *module, int what) {
    struct stat about;
    assert_int_equal(stat(b->path, &about), 0);
    chief__lua_bytecode_note(b->path, &about, module, what);
}

static void test_bytecode__what_was_found_out_goes_when_the_file_changes(void **state) {
    const bench *b = *state;
    put(b, "return 41");
    note(b, "m", 3);
    assert_int_equal(findings(b, "m"), -1); /* nothing is kept to note it with */
    assert_true(is_kept_in_time(b));
    assert_int_equal(findings(b, "m"), -1);
    note(b, "m", 3);
    assert_int_equal(findings(b, "m"), 3);
    assert_int_equal(findings(b, "n"), -1);
    note(b, "n", 0);
    assert_int_equal(findings(b, "n"), 0);
    put(b, "return 42");
    assert_int_equal(findings(b, "n"), -1);
    assert_true(is_kept_in_time(b));
    assert_int_equal(findings(b, "n"), -1);
}

static void test_bytecode__it_knows_files_and_lines(void **state) {
    const bench *b = *state;
    lua_Debug ar;
    put(b, "local x = 1\nerror('boom ' .. x)");
    assert_true(is_kept_in_time(b));
    assert_true(load(b));
    lua_pushvalue(b->L, -1);
    lua_getinfo(b->L, ">S", &ar);
    assert_int_equal(ar.source[0], '@');
    assert_string_equal(ar.source + 1, b->path);
    luaL_requiref(b->L, "_G", luaopen_base, 1);
    lua_pop(b->L, 1);
    assert_int_equal(lua_pcall(b->L, 0, 0, 0), LUA_ERRRUN);
    assert_non_null(strstr(lua_tostring(b->L, -1), "m.lua:2: boom 1"));
}

static void test_bytecode__what_is_no_lua_is_left_to_lua(void **state) {
    const bench *b = *state;
    put(b, "return return");
    assert_false(load(b));
    assert_int_equal(lua_gettop(b->L), 0);
}

static void put_large(const bench *b, size_t size) {
    FILE *f = fopen(b->path, "w");
    assert_non_null(f);
    (void)fputs("local s = '", f);
    for (size_t i = 0; i < size; i++) (void)fputc('x', f);
    (void)fputs("' return 7", f);
    assert_int_equal(fclose(f), 0);
}

static void test_bytecode__one_that_is_too_large_is_not_kept(void **state) {
    const bench *b = *state;
    bench small = *b;
    put_large(b, CHIEF__LUA_BYTECODE_MAX / 8);
    (void)snprintf(small.path, sizeof small.path, "%s/small.lua", b->folder);
    put(&small, "return 8");
    assert_true(is_kept_in_time(&small)); /* so long after it was written, the other would be, too */
    assert_int_equal(result(b), 7);
    assert_false(is_kept(b));
    (void)unlink(small.path);
}

static void test_bytecode__all_together_are_bounded(void **state) {
    bench *b = *state;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(b->path, sizeof b->path, "%s/%d.lua", b->folder, i);
        put_large(b, CHIEF__LUA_BYTECODE_MAX / 8 - 1024);
        assert_true(is_kept_in_time(b));
        assert_true(chief__lua_bytecode_size() <= CHIEF__LUA_BYTECODE_MAX);
    }
    assert_true(chief__lua_bytecode_size() > CHIEF__LUA_BYTECODE_MAX / 2);
    (void)snprintf(b->path, sizeof b->path, "%s/0.lua", b->folder);
    assert_false(is_kept(b));
    for (int i = 0; i < 10; i++) {
        (void)snprintf(b->path, sizeof b->path, "%s/%d.lua", b->folder, i);
        (void)unlink(b->path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytecode__a_file_is_compiled_once, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__a_file_that_changed_is_compiled_again, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__what_was_found_out_goes_when_the_file_changes, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__it_knows_files_and_lines, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__what_is_no_lua_is_left_to_lua, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__one_that_is_too_large_is_not_kept, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(test_bytecode__all_together_are_bounded, open_bench, close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
