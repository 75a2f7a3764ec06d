/* What is written is JSON whatever goes in: read back with cJSON. */
#include "support.h"

#include <cjson/cJSON.h>
#include <locale.h>
#include <math.h>

#include "json.h"

static char buf[4096];

static const char *written(const char *bytes, size_t len) {
    chief__writer w = {.buf = buf, .size = sizeof buf};
    chief__put_string(&w, bytes, len);
    size_t full = chief__writer_end(&w);
    assert_int_equal(full, strlen(buf));
    return buf;
}

static const char *value_text(chief_value value) {
    chief__writer w = {.buf = buf, .size = sizeof buf};
    chief__put_value(&w, &value);
    (void)chief__writer_end(&w);
    return buf;
}

static const char *number_text(double number) {
    return value_text((chief_value){.type = CHIEF_NUMBER, .number = number});
}

static void reads_back_as(const char *bytes, size_t len, const char *expected) {
    cJSON *json = cJSON_ParseWithOpts(written(bytes, len), NULL, 1);
    assert_true(cJSON_IsString(json));
    assert_string_equal(json->valuestring, expected);
    cJSON_Delete(json);
}

static void test_json__every_ascii_byte_reads_back(void **state) {
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char text[4] = {'<', (char)c, '>', '\0'};
        reads_back_as(text, 3, text);
        for (const char *at = buf; *at != '\0'; at++) assert_true(*at >= 0x20 && *at != 0x7F);
    }
    assert_string_equal(written("a\0b", 3), "\"a\\u0000b\"");
    assert_string_equal(written(NULL, 0), "\"\"");
}

static void test_json__valid_utf8_stays(void **state) {
    (void)state;
    static const char *const good[] = {"\xC3\xA9",         "\xE2\x82\xAC", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80",
                                       "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80", "\xE0\xA0\x80",
                                       "\xF0\x90\x80\x80", "\xC2\xA0",     "\xDF\xBF"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) reads_back_as(good[i], strlen(good[i]), good[i]);
}

/* Overlong forms, surrogates, beyond U+10FFFF, lone and missing continuation bytes: each byte becomes U+FFFD. */
static void test_json__what_is_not_utf8_is_replaced(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",         "\xBF",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x80\x80",     "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\xC3",         "\xE2\x82",     "\xF0\x9F\x98"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char expected[32] = "";
        for (size_t n = 0; n < strlen(bad[i]); n++) (void)strcat(expected, CHIEF__REPLACEMENT);
        reads_back_as(bad[i], strlen(bad[i]), expected);
    }
    reads_back_as("a\xC3z", 3, "a" CHIEF__REPLACEMENT "z");
    reads_back_as("\xE2\x82z", 3, CHIEF__REPLACEMENT CHIEF__REPLACEMENT "z");
}

/* Whatever two bytes follow each other, cJSON reads it and every byte of it is UTF-8. */
static void test_json__all_pairs_of_bytes(void **state) {
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        char bytes[2] = {(char)(pair >> 8), (char)(pair & 0xFF)};
        const char *text = written(bytes, 2);
        cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
        if (!cJSON_IsString(json)) fail_msg("%04x gives %s", pair, text);
        cJSON_Delete(json);
        size_t len = strlen(text);
        for (size_t i = 0, n; i < len; i += n) {
            n = chief__utf8_len(text + i, len - i);
            assert_true(n > 0);
        }
    }
}

static void test_json__control_characters_of_c1_are_escaped(void **state) {
    (void)state;
    assert_string_equal(written("\xC2\x9B"
                                "31m",
                                5),
                        "\"\\u009b31m\"");
    assert_string_equal(written("\xC2\xA0", 2), "\"\xC2\xA0\"");
}

static void test_json__numbers_read_back_exactly(void **state) {
    (void)state;
    static const double numbers[] = {0, -1, 0.1, 1.0 / 3, 1e300, -2.5e-300, 123456789012345678.0, 5e-324};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *text = number_text(numbers[i]);
        assert_true(strtod(text, NULL) == numbers[i]);
        cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
        assert_true(cJSON_IsNumber(json));
        cJSON_Delete(json);
    }
    assert_string_equal(number_text(0.1), "0.1");
}

static void test_json__no_number_is_a_string(void **state) {
    (void)state;
    assert_string_equal(number_text((double)INFINITY), "\"inf\"");
    assert_string_equal(number_text(-(double)INFINITY), "\"-inf\"");
    cJSON *json = cJSON_ParseWithOpts(number_text((double)NAN), NULL, 1);
    assert_true(cJSON_IsString(json));
    cJSON_Delete(json);
}

static void test_json__the_decimal_point_is_nobodys_locale(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR", "nl_NL.UTF-8"};
    const char *set = NULL;
    for (size_t i = 0; set == NULL && i < sizeof locales / sizeof *locales; i++)
        set = setlocale(LC_NUMERIC, locales[i]);
    if (set == NULL) skip(); /* no locale with a comma is installed */
    const char *text = number_text(1.5);
    (void)setlocale(LC_NUMERIC, "C");
    assert_string_equal(text, "1.5");
}

static void test_json__values(void **state) {
    (void)state;
    int x;
    assert_string_equal(value_text((chief_value){.type = CHIEF_NIL}), "null");
    assert_string_equal(value_text((chief_value){.type = 99}), "null");
    assert_string_equal(value_text((chief_value){.type = CHIEF_BOOL, .boolean = 1}), "true");
    assert_string_equal(value_text((chief_value){.type = CHIEF_BOOL}), "false");
    assert_string_equal(value_text((chief_value){.type = CHIEF_INTEGER, .integer = INT64_MIN}), "-9223372036854775808");
    assert_string_equal(value_text((chief_value){.type = CHIEF_BYTES, .bytes = {"a\"b", 3}}), "\"a\\\"b\"");
    assert_string_equal(value_text((chief_value){.type = CHIEF_BYTES}), "\"\"");
    assert_true(strncmp(value_text((chief_value){.type = CHIEF_POINTER, .pointer = &x}), "\"0x", 3) == 0);
}

static void test_json__the_full_length_is_counted(void **state) {
    (void)state;
    char small[6] = "#####";
    for (size_t size = 0; size <= sizeof small; size++) {
        chief__writer w = {.buf = size > 0 ? small : NULL, .size = size};
        chief__put_string(&w, "abcdef", 6);
        size_t full = chief__writer_end(&w);
        assert_int_equal(full, 8);
        if (size > 0) assert_int_equal(strlen(small), size - 1);
    }
    assert_string_equal(small, "\"abcd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__every_ascii_byte_reads_back),
        cmocka_unit_test(test_json__valid_utf8_stays),
        cmocka_unit_test(test_json__what_is_not_utf8_is_replaced),
        cmocka_unit_test(test_json__all_pairs_of_bytes),
        cmocka_unit_test(test_json__control_characters_of_c1_are_escaped),
        cmocka_unit_test(test_json__numbers_read_back_exactly),
        cmocka_unit_test(test_json__no_number_is_a_string),
        cmocka_unit_test(test_json__the_decimal_point_is_nobodys_locale),
        cmocka_unit_test(test_json__values),
        cmocka_unit_test(test_json__the_full_length_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
