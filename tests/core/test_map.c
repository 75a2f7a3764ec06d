/* The map from names, against a plain array. */
#include "support.h"

#include "map.h"

enum { NAMES = 300, ROUNDS = 20000 };

static char names[NAMES][16];
static bool there[NAMES];

static void make_names(void) {
    for (int i = 0; i < NAMES; i++) (void)snprintf(names[i], sizeof names[i], "w%d", i * 7919);
    memset(there, 0, sizeof there);
}

static void compare(const chief__map *map) {
    size_t len = 0;
    for (int i = 0; i < NAMES; i++) {
        void *expected = there[i] ? &there[i] : NULL;
        assert_ptr_equal(chief__map_get(map, names[i]), expected);
        len += there[i];
    }
    assert_int_equal(map->len, len);
}

static int put(chief__map *map, const char *name, void *value) {
    chief__map_spare spare = {0};
    int rc = CHIEF_OK;
    while (rc == CHIEF_OK && !chief__map_put(map, name, value, &spare)) rc = chief__map_spare_make(&spare);
    chief__map_spare_fini(&spare);
    return rc;
}

static void test_map__is_what_an_array_is(void **state) {
    (void)state;
    chief__map map = {0};
    uint64_t random = 88172645463325252u;
    print_message("seed %llu\n", (unsigned long long)random);
    make_names();
    compare(&map);
    for (int round = 0; round < ROUNDS; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t i = random % NAMES;
        if (there[i]) chief__map_remove(&map, names[i]);
        else assert_int_equal(put(&map, names[i], &there[i]), CHIEF_OK);
        there[i] = !there[i];
        if (round % 97 == 0) compare(&map);
    }
    compare(&map);
    chief__map_fini(&map);
}

static void test_map__removing_what_is_not_there(void **state) {
    (void)state;
    chief__map map = {0};
    chief__map_remove(&map, "a");
    assert_int_equal(put(&map, "a", &map), CHIEF_OK);
    chief__map_remove(&map, "b");
    assert_ptr_equal(chief__map_get(&map, "a"), &map);
    chief__map_fini(&map);
    assert_null(chief__map_get(&map, "a"));
}

static int fill(void) {
    chief__map map = {0};
    int rc = CHIEF_OK;
    make_names();
    for (int i = 0; i < NAMES && rc == CHIEF_OK; i++) {
        rc = put(&map, names[i], &there[i]);
        there[i] = rc == CHIEF_OK;
    }
    compare(&map);
    chief__map_fini(&map);
    return rc;
}

static void test_map__out_of_memory_leaves_it_as_it_was(void **state) {
    (void)state;
    assert_true(support_out_of_memory(fill) > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map__is_what_an_array_is),
        cmocka_unit_test(test_map__removing_what_is_not_there),
        cmocka_unit_test(test_map__out_of_memory_leaves_it_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
