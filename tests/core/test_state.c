/* Every pair of states against a list written down by hand, and each form with what it must refuse. */
#include "support.h"

#include "state.h"

static const struct {
    chief_state_t number;
    const char *name;
} states[] = {{-1, "wrong_state_change"}, {1, "null"}, {2, "disabled"}, {3, "present"}, {4, "enabled"},
              {5, "initialized"},         {6, "run"},  {7, "stopped"},  {8, "failed"}};

enum { N = sizeof states / sizeof *states };

/* From a state to those after it; all else is refused. In the words of the design, not of the code. */
static const char *const legal[] = {
    "null>present",        "present>enabled",  "present>disabled",   "disabled>enabled",    "enabled>enabled",
    "enabled>initialized", "enabled>disabled", "enabled>failed",     "initialized>run",     "initialized>disabled",
    "initialized>failed",  "run>stopped",      "run>failed",         "stopped>initialized", "stopped>run",
    "stopped>failed",      "stopped>disabled", "failed>initialized", "failed>run",          "failed>stopped",
    "failed>disabled",     "failed>failed",
};

static bool is_legal(const char *from, const char *to) {
    char pair[64];
    (void)snprintf(pair, sizeof pair, "%s>%s", from, to);
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
        if (strcmp(legal[i], pair) == 0) return true;
    return false;
}

static void test_state__every_pair(void **state) {
    (void)state;
    size_t found = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            bool ok = is_legal(states[i].name, states[j].name);
            chief_state_t got = chief_state_transition(states[i].number, states[j].number);
            if (got != (ok ? states[j].number : -1))
                fail_msg("%s to %s gives %d", states[i].name, states[j].name, (int)got);
            found += ok;
        }
    assert_int_equal(found, sizeof legal / sizeof *legal);
}

static const chief_state_t unknown[] = {0, 9, 10, -2, 31, 32, 33, 64, INT32_MAX, INT32_MIN, -1001};

static void test_state__unknown_numbers_go_nowhere(void **state) {
    (void)state;
    for (size_t u = 0; u < sizeof unknown / sizeof *unknown; u++)
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(chief_state_transition(unknown[u], states[i].number), -1);
            assert_int_equal(chief_state_transition(states[i].number, unknown[u]), -1);
        }
}

static void test_state__names_and_numbers_are_fixed(void **state) {
    (void)state;
    char buf[32];
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(chief_state_to_string(states[i].number, buf, sizeof buf), strlen(states[i].name));
        assert_string_equal(buf, states[i].name);
        assert_int_equal(chief_state_validate(states[i].number), CHIEF_OK);
        assert_string_equal(chief_state_value(states[i].number), states[i].name);
    }
    assert_int_equal(CHIEF_WORKER_WRONG_STATE_CHANGE, -1);
    assert_int_equal(CHIEF_WORKER_FAILED, 8);
}

static void test_state__an_unknown_number_has_no_name(void **state) {
    (void)state;
    char buf[32];
    for (size_t u = 0; u < sizeof unknown / sizeof *unknown; u++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "WorkerState(%d)", (int)unknown[u]);
        assert_int_equal(chief_state_to_string(unknown[u], buf, sizeof buf), strlen(expected));
        assert_string_equal(buf, expected);
        assert_int_equal(chief_state_validate(unknown[u]), CHIEF_ESTATE);
        assert_null(chief_state_value(unknown[u]));
    }
}

static void test_state__a_short_buffer_is_cut_and_measured(void **state) {
    (void)state;
    char buf[4] = "###";
    size_t len = 0;
    assert_int_equal(chief_state_to_string(CHIEF_WORKER_ENABLED, buf, sizeof buf), 7);
    assert_string_equal(buf, "ena");
    assert_int_equal(chief_state_to_string(CHIEF_WORKER_ENABLED, NULL, 0), 7);
    assert_int_equal(chief_state_to_string(CHIEF_WORKER_ENABLED, NULL, 10), 7);
    assert_int_equal(chief_state_to_json(CHIEF_WORKER_RUN, buf, sizeof buf, &len), CHIEF_OK);
    assert_string_equal(buf, "\"ru");
    assert_int_equal(len, 5);
    assert_int_equal(chief_state_to_json(CHIEF_WORKER_RUN, NULL, 10, NULL), CHIEF_OK);
}

/* ---- JSON ---- */

static int from_json(const char *text, chief_state_t *out) { return chief_state_from_json(text, strlen(text), out); }

static void test_state__json_there_and_back(void **state) {
    (void)state;
    char buf[32];
    for (size_t i = 0; i < N; i++) {
        chief_state_t got = 0;
        size_t len = 0;
        assert_int_equal(chief_state_to_json(states[i].number, buf, sizeof buf, &len), CHIEF_OK);
        assert_int_equal(len, strlen(states[i].name) + 2);
        assert_int_equal(chief_state_from_json(buf, len, &got), CHIEF_OK);
        assert_int_equal(got, states[i].number);
    }
}

static void test_state__json_of_an_unknown_number(void **state) {
    (void)state;
    char buf[32] = "#";
    size_t len = 7;
    assert_int_equal(chief_state_to_json(0, buf, sizeof buf, &len), CHIEF_ESTATE);
    assert_string_equal(buf, "");
    assert_int_equal(len, 0);
    support_says("WorkerState(0) is invalid value");
}

static void test_state__json_may_have_spaces_and_escapes(void **state) {
    (void)state;
    chief_state_t got = 0;
    assert_int_equal(from_json(" \t\r\n\"run\" \n", &got), CHIEF_OK);
    assert_int_equal(got, CHIEF_WORKER_RUN);
    assert_int_equal(from_json("\"\\u0072un\"", &got), CHIEF_OK);
    assert_int_equal(got, CHIEF_WORKER_RUN);
}

static void refuses_json(const char *text, size_t len, int code, const char *says) {
    chief_state_t got = 77;
    if (chief_state_from_json(text, len, &got) != code) fail_msg("%s is not refused with %d", text, code);
    assert_int_equal(got, 0);
    support_says(says);
}

static void test_state__json_that_is_no_string(void **state) {
    (void)state;
    static const struct {
        const char *json, *type;
    } cases[] = {{"6", "number"},        {"-1.5e3", "number"}, {"true", "boolean"}, {"false", "boolean"},
                 {"[\"run\"]", "array"}, {"{}", "object"},     {"null", "null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuses_json(cases[i].json, strlen(cases[i].json), CHIEF_ESTATE, "WorkerState should be a string, got ");
        support_says(cases[i].type);
    }
}

static void test_state__json_that_names_no_state(void **state) {
    (void)state;
    static const char *const bad[] = {"\"\"",           "\"RUN\"",         "\"run \"",           "\" run\"",
                                      "\"running\"",    "\"ru\"",          "\"WorkerState(6)\"", "\"6\"",
                                      "\"run\\u0000\"", "\"run\\u0000x\"", "\"run\\n\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses_json(bad[i], strlen(bad[i]), CHIEF_ESTATE, "is invalid value");
}

static void test_state__what_is_no_json(void **state) {
    (void)state;
    static const char *const bad[] = {"run", "\"run",   "run\"", "\"run\"x", "\"run\" \"run\"", "\"run\",", "'run'",
                                      " ",   "\"\\x\"", "{",     "nul"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses_json(bad[i], strlen(bad[i]), CHIEF_EDATA, "WorkerState");
    refuses_json("", 0, CHIEF_EDATA, "no JSON given");
    refuses_json(NULL, 5, CHIEF_EDATA, "no JSON given");
    refuses_json("\"run\"\0x", 7, CHIEF_EDATA, "not JSON");
    refuses_json("\"r\0n\"", 5, CHIEF_EDATA, "not JSON");
    assert_int_equal(from_json("\"run\"", NULL), CHIEF_EINVAL);
}

/* The bytes end where the length says, with no NUL behind them. */
static void test_state__json_is_read_no_further_than_its_length(void **state) {
    (void)state;
    chief_state_t got = 0;
    char *exact = malloc(5);
    memcpy(exact, "\"run\"", 5);
    assert_int_equal(chief_state_from_json(exact, 5, &got), CHIEF_OK);
    for (size_t len = 0; len < 5; len++) {
        char *part = malloc(len > 0 ? len : 1);
        memcpy(part, exact, len);
        assert_int_equal(chief_state_from_json(part, len, &got), CHIEF_EDATA);
        free(part);
    }
    free(exact);
}

static void test_state__deep_json_is_refused(void **state) {
    (void)state;
    size_t len = 1000000;
    char *deep = malloc(len);
    memset(deep, '[', len);
    refuses_json(deep, len, CHIEF_EDATA, "not JSON");
    free(deep);
}

/* ---- the database form ---- */

static int scan_bytes(const char *text, chief_state_t *out) {
    chief_value value = {.type = CHIEF_BYTES, .bytes = {text, text != NULL ? strlen(text) : 0}};
    return chief_state_scan(&value, out);
}

static void test_state__scan_of_text_json_and_integer(void **state) {
    (void)state;
    char json[32];
    for (size_t i = 0; i < N; i++) {
        chief_state_t got = 0;
        chief_value number = {.type = CHIEF_INTEGER, .integer = states[i].number};
        (void)chief_state_to_json(states[i].number, json, sizeof json, NULL);
        assert_int_equal(scan_bytes(states[i].name, &got), CHIEF_OK);
        assert_int_equal(got, states[i].number);
        got = 0;
        assert_int_equal(scan_bytes(json, &got), CHIEF_OK);
        assert_int_equal(got, states[i].number);
        got = 0;
        assert_int_equal(chief_state_scan(&number, &got), CHIEF_OK);
        assert_int_equal(got, states[i].number);
    }
}

static void test_state__scan_refuses_unknown_texts(void **state) {
    (void)state;
    static const char *const bad[] = {NULL, "", "RUN", "run ", "6", "WorkerState(6)", "\"runs\"", "null\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        chief_state_t got = 77;
        assert_int_equal(scan_bytes(bad[i], &got), CHIEF_ESTATE);
        assert_int_equal(got, 0);
    }
    chief_state_t got = 77;
    chief_value nul = {.type = CHIEF_BYTES, .bytes = {"run\0", 4}};
    assert_int_equal(chief_state_scan(&nul, &got), CHIEF_ESTATE);
    assert_int_equal(scan_bytes("\"run", &got), CHIEF_ESTATE);
    assert_int_equal(got, 0);
}

static void test_state__scan_refuses_unknown_numbers(void **state) {
    (void)state;
    static const int64_t bad[] = {0, 9, -2, INT64_MAX, INT64_MIN, (INT64_C(1) << 32) + 6, -(INT64_C(1) << 32) - 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        chief_state_t got = 77;
        chief_value value = {.type = CHIEF_INTEGER, .integer = bad[i]};
        assert_int_equal(chief_state_scan(&value, &got), CHIEF_ESTATE);
        assert_int_equal(got, 0);
        support_says("is invalid value");
    }
}

static void test_state__scan_refuses_other_types(void **state) {
    (void)state;
    static const int32_t types[] = {CHIEF_NIL, CHIEF_BOOL, CHIEF_NUMBER, CHIEF_POINTER, 99, -1};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        chief_state_t got = 77;
        chief_value value = {.type = types[i], .boolean = 1, .integer = 6, .number = 6};
        assert_int_equal(chief_state_scan(&value, &got), CHIEF_ESTATE);
        assert_int_equal(got, 0);
        support_says("WorkerState should be text or an integer, got ");
    }
    chief_state_t got = 77;
    assert_int_equal(chief_state_scan(NULL, &got), CHIEF_EINVAL);
    assert_int_equal(got, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state__every_pair),
        cmocka_unit_test(test_state__unknown_numbers_go_nowhere),
        cmocka_unit_test(test_state__names_and_numbers_are_fixed),
        cmocka_unit_test(test_state__an_unknown_number_has_no_name),
        cmocka_unit_test(test_state__a_short_buffer_is_cut_and_measured),
        cmocka_unit_test(test_state__json_there_and_back),
        cmocka_unit_test(test_state__json_of_an_unknown_number),
        cmocka_unit_test(test_state__json_may_have_spaces_and_escapes),
        cmocka_unit_test(test_state__json_that_is_no_string),
        cmocka_unit_test(test_state__json_that_names_no_state),
        cmocka_unit_test(test_state__what_is_no_json),
        cmocka_unit_test(test_state__json_is_read_no_further_than_its_length),
        cmocka_unit_test(test_state__deep_json_is_refused),
        cmocka_unit_test(test_state__scan_of_text_json_and_integer),
        cmocka_unit_test(test_state__scan_refuses_unknown_texts),
        cmocka_unit_test(test_state__scan_refuses_unknown_numbers),
        cmocka_unit_test(test_state__scan_refuses_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
