/* The rule that tells a person which name is wrong and which there are. */
#include "support.h"

#include "rule.h"

static const char *const names[] = {"resizer", "api", "uploader"};

static chief_rule *make(size_t n) {
    chief_rule *rule = NULL;
    assert_int_equal(chief_rule_new(&rule, names, n), CHIEF_OK);
    return rule;
}

static void test_rule__known_names_pass(void **state) {
    (void)state;
    chief_rule *rule = make(3);
    const char *const asked[] = {"uploader", "api", "api"};
    assert_int_equal(chief_rule_validate(rule, asked, 3), CHIEF_OK);
    assert_int_equal(chief_rule_validate(rule, asked, 0), CHIEF_OK);
    assert_int_equal(chief_rule_validate(rule, NULL, 0), CHIEF_OK);
    chief_rule_free(rule);
}

static void test_rule__the_first_unknown_is_named_with_what_there_is(void **state) {
    (void)state;
    chief_rule *rule = make(3);
    const char *const asked[] = {"api", "foo", "bar"};
    assert_int_equal(chief_rule_validate(rule, asked, 3), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name foo; there are: api, resizer, uploader");
    chief_rule_free(rule);
}

static void test_rule__parts_of_a_name_are_unknown(void **state) {
    (void)state;
    chief_rule *rule = make(3);
    static const char *const asked[] = {"ap", "apis", "API", ""};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        assert_int_equal(chief_rule_validate(rule, &asked[i], 1), CHIEF_ENOENT);
    chief_rule_free(rule);
}

static void test_rule__without_names_it_says_so(void **state) {
    (void)state;
    chief_rule *rule = NULL;
    size_t n = 7;
    assert_int_equal(chief_rule_new(&rule, NULL, 0), CHIEF_OK);
    assert_int_equal(chief_rule_validate(rule, names, 1), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name resizer; there are none");
    (void)chief_rule_available(rule, &n);
    assert_int_equal(n, 0);
    chief_rule_free(rule);
}

static void test_rule__the_names_are_copied_and_sorted(void **state) {
    (void)state;
    char changing[] = "zebra";
    const char *const given[] = {changing, "api"};
    chief_rule *rule = NULL;
    size_t n = 0;
    assert_int_equal(chief_rule_new(&rule, given, 2), CHIEF_OK);
    changing[0] = 'a';
    const char *const *there = chief_rule_available(rule, &n);
    assert_int_equal(n, 2);
    assert_string_equal(there[0], "api");
    assert_string_equal(there[1], "zebra");
    chief_rule_free(rule);
}

/* Where the Go package forgets the names. */
static void test_rule__another_message_keeps_the_names(void **state) {
    (void)state;
    chief_rule *rule = make(2);
    chief_rule *other = NULL;
    const char *const asked[] = {"foo"};
    assert_int_equal(chief_rule_error(&other, rule, "no worker is called"), CHIEF_OK);
    chief_rule_free(rule);
    assert_int_equal(chief_rule_validate(other, asked, 1), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "no worker is called foo; there are: api, resizer");
    assert_int_equal(chief_rule_validate(other, names, 2), CHIEF_OK);
    chief_rule_free(other);
}

static void test_rule__a_long_list_ends_with_whole_names(void **state) {
    (void)state;
    enum { MANY = 200 };
    static char texts[MANY][16];
    const char *many[MANY];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "worker-%03d", i);
        many[i] = texts[i];
    }
    chief_rule *rule = NULL;
    assert_int_equal(chief_rule_new(&rule, many, MANY), CHIEF_OK);
    assert_int_equal(chief_rule_validate(rule, names, 1), CHIEF_ENOENT);
    support_says("worker-050, ");
    const char *end = strrchr(chief_last_error(), ',');
    assert_string_equal(end, ", ...");
    chief_rule_free(rule);
}

static void test_rule__a_name_stands_for_its_replicas(void **state) {
    (void)state;
    static const char *const there[] = {"db/10", "web", "db/9", "db/8", "api/1", "api/2", "gap/1", "gap/3", "api-x"};
    static const char *const known[] = {"db", "db/9", "api", "api/2", "web", "gap", "api-x"};
    static const char *const unknown[] = {"db/7", "api/3", "web/1", "ap", "db/", "db/09", "api-"};
    chief_rule *rule = NULL;
    size_t n;
    assert_int_equal(chief_rule_new(&rule, there, sizeof there / sizeof *there), CHIEF_OK);
    assert_int_equal(chief_rule_validate(rule, known, sizeof known / sizeof *known), CHIEF_OK);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(chief_rule_validate(rule, &unknown[i], 1), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name api-; there are: api (api/1, api/2), api-x, "
                                            "db (db/8 … db/10), gap/1, gap/3, web");
    assert_string_equal(chief_rule_available(rule, &n)[5], "db/10");
    chief_rule_free(rule);
}

static void test_rule__wrong_arguments(void **state) {
    (void)state;
    chief_rule *rule = make(3);
    chief_rule *other = rule;
    const char *const holes[] = {"api", NULL};
    size_t n = 7;
    assert_int_equal(chief_rule_new(NULL, names, 3), CHIEF_EINVAL);
    assert_int_equal(chief_rule_new(&other, NULL, 1), CHIEF_EINVAL);
    assert_null(other);
    assert_int_equal(chief_rule_new(&other, holes, 2), CHIEF_EINVAL);
    assert_int_equal(chief_rule_error(&other, rule, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_rule_error(&other, NULL, "m"), CHIEF_EINVAL);
    assert_int_equal(chief_rule_validate(NULL, names, 1), CHIEF_EINVAL);
    assert_int_equal(chief_rule_validate(rule, NULL, 1), CHIEF_EINVAL);
    assert_int_equal(chief_rule_validate(rule, holes, 2), CHIEF_EINVAL);
    assert_null(chief_rule_available(NULL, &n));
    assert_int_equal(n, 0);
    chief_rule_free(rule);
    chief_rule_free(NULL);
}

static int make_two(void) {
    chief_rule *rule = NULL;
    chief_rule *other = NULL;
    int rc = chief_rule_new(&rule, names, 3);
    if (rc == CHIEF_OK) rc = chief_rule_error(&other, rule, "message");
    else assert_null(rule);
    chief_rule_free(other);
    chief_rule_free(rule);
    return rc;
}

static void test_rule__out_of_memory(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(make_two), 10);
}

static void test_rule__an_unknown_name_is_told_without_a_rule(void **state) {
    (void)state;
    assert_int_equal(chief__rule_unknown("no channel", "foo", names, 3), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "no channel foo; there are: api, resizer, uploader");
    assert_int_equal(chief__rule_unknown("no channel", "foo", names, 0), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "no channel foo; there are none");
    assert_int_equal(chief__rule_unknown("no channel", "foo", NULL, 0), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "no channel foo");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule__known_names_pass),
        cmocka_unit_test(test_rule__the_first_unknown_is_named_with_what_there_is),
        cmocka_unit_test(test_rule__parts_of_a_name_are_unknown),
        cmocka_unit_test(test_rule__without_names_it_says_so),
        cmocka_unit_test(test_rule__the_names_are_copied_and_sorted),
        cmocka_unit_test(test_rule__another_message_keeps_the_names),
        cmocka_unit_test(test_rule__a_long_list_ends_with_whole_names),
        cmocka_unit_test(test_rule__a_name_stands_for_its_replicas),
        cmocka_unit_test(test_rule__wrong_arguments),
        cmocka_unit_test(test_rule__an_unknown_name_is_told_without_a_rule),
        cmocka_unit_test(test_rule__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
