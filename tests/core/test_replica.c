/* The names of replicas. */
#include "support.h"

#include "replica.h"

static void test_replica__names_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t stem;
        uint32_t number;
    } cases[] = {
        {"db/2", 2, 2}, {"db/65535", 2, 65535}, {"db", 2, 0},    {"db/", 3, 0}, {"db/0", 4, 0}, {"db/02", 5, 0},
        {"db/x", 4, 0}, {"db/2x", 5, 0},        {"a/b/3", 3, 3}, {"", 0, 0},    {"/1", 0, 1},   {"db/123456", 9, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(chief__replica_stem(cases[i].name), cases[i].stem);
        assert_int_equal(chief__replica_number(cases[i].name), cases[i].number);
    }
}

static void test_replica__belong_to_their_stem_alone(void **state) {
    (void)state;
    assert_true(chief__replica_of("db/2", "db"));
    assert_false(chief__replica_of("db", "db"));
    assert_false(chief__replica_of("db-a/2", "db"));
    assert_false(chief__replica_of("db/x/2", "db"));
    assert_false(chief__replica_of("d/2", "db"));
}

static void test_replica__stand_by_their_number(void **state) {
    (void)state;
    static const char *const sorted[] = {"a", "a/1", "a/2", "a/10", "a-b", "a.c/1", "ab", "b"};
    size_t n = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int order = chief__replica_compare(sorted[i], sorted[j]);
            assert_int_equal(order < 0, i < j);
            assert_int_equal(order > 0, i > j);
        }
    assert_int_equal(chief__replica_compare_stems("a", "a/10"), 0);
    char name[CHIEF__REPLICA_NAME_SIZE];
    chief__replica_name(name, "a", 10);
    assert_string_equal(name, "a/10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replica__names_are_taken_apart),
        cmocka_unit_test(test_replica__belong_to_their_stem_alone),
        cmocka_unit_test(test_replica__stand_by_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
