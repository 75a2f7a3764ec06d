/* Bytes cut into lines. */
#include "support.h"

#include "lines.h"

static chief__lines lines;

static int setup(void **state) {
    (void)state;
    memset(&lines, 0, sizeof lines);
    return 0;
}

/* Puts in as much as there is room for, and returns how much that was. */
static size_t put(const char *bytes, size_t len) {
    size_t room;
    char *at = chief__lines_room(&lines, &room);
    size_t n = len < room ? len : room;
    memcpy(at, bytes, n);
    chief__lines_added(&lines, n);
    return n;
}

static void put_all(const char *text) { assert_int_equal(put(text, strlen(text)), strlen(text)); }

static void assert_next(const char *expected, uint64_t part, bool last) {
    chief__line line;
    assert_true(chief__lines_next(&lines, last, &line));
    assert_int_equal(line.len, strlen(expected));
    assert_memory_equal(line.bytes, expected, line.len);
    assert_int_equal(line.part, part);
}

static void assert_none(bool last) {
    chief__line line;
    assert_false(chief__lines_next(&lines, last, &line));
}

static void test_lines__a_line_comes_when_its_break_does(void **state) {
    (void)state;
    put_all("one\ntwo\r\n\nthr");
    assert_next("one", 0, false);
    assert_next("two", 0, false);
    assert_next("", 0, false);
    assert_none(false);
    put_all("ee\n");
    assert_next("three", 0, false);
    assert_none(true);
}

static void test_lines__the_last_needs_no_break(void **state) {
    (void)state;
    put_all("one\ntwo");
    assert_next("one", 0, true);
    assert_next("two", 0, true);
    assert_none(true);
}

static void test_lines__each_byte_on_its_own(void **state) {
    (void)state;
    const char text[] = "ab\n\ncd\n";
    const char *const expected[] = {"ab", "", "cd"};
    size_t n = 0;
    for (size_t i = 0; text[i] != '\0' && n < 3; i++) {
        chief__line line;
        (void)put(text + i, 1);
        if (!chief__lines_next(&lines, false, &line)) continue;
        assert_int_equal(line.len, strlen(expected[n]));
        assert_memory_equal(line.bytes, expected[n], line.len);
        n++;
    }
    assert_int_equal(n, 3);
    assert_none(false);
}

/* A long line without a break: every byte comes, in order, in pieces that are numbered, then its neighbour whole. */
static void test_lines__a_long_line_comes_in_pieces(void **state) {
    (void)state;
    const size_t total = 10 * 1024 * 1024;
    size_t sent = 0;
    size_t received = 0;
    uint64_t part = 0;
    chief__line line;
    while (sent < total) {
        char chunk[1000];
        for (size_t i = 0; i < sizeof chunk; i++) chunk[i] = (char)('a' + (sent + i) % 26);
        size_t want = total - sent < sizeof chunk ? total - sent : sizeof chunk;
        sent += put(chunk, want);
        while (chief__lines_next(&lines, false, &line)) {
            assert_int_equal(line.part, ++part);
            for (size_t i = 0; i < line.len; i++) assert_int_equal(line.bytes[i], 'a' + (char)((received + i) % 26));
            received += line.len;
        }
    }
    put_all("\nnext\n");
    assert_true(chief__lines_next(&lines, false, &line));
    assert_int_equal(line.part, part + 1);
    assert_int_equal(received + line.len, total);
    assert_next("next", 0, false);
}

static void test_lines__a_piece_does_not_cut_a_character(void **state) {
    (void)state;
    static char text[2 * CHIEF__LINE_SIZE];
    for (size_t lead = 0; lead < 4; lead++) {
        chief__line line;
        (void)setup(NULL);
        memset(text, 'x', lead);
        for (size_t i = lead; i + 4 <= sizeof text; i += 4) memcpy(text + i, "\xF0\x9F\x90\x9D", 4);
        (void)put(text, CHIEF__LINE_SIZE);
        assert_true(chief__lines_next(&lines, false, &line));
        assert_int_equal((line.len - lead) % 4, 0);
        assert_true(line.len > CHIEF__LINE_SIZE - 4);
    }
}

static void test_lines__what_is_no_text_does_not_hold_up_a_piece(void **state) {
    (void)state;
    static char text[CHIEF__LINE_SIZE];
    chief__line line;
    memset(text, 0x80, sizeof text);
    (void)put(text, sizeof text);
    assert_true(chief__lines_next(&lines, false, &line));
    assert_int_equal(line.len, sizeof text);
}

static void assert_text(const char *bytes, size_t len, const char *expected) {
    char out[CHIEF__LINE_TEXT_SIZE];
    chief__line line = {.bytes = bytes, .len = len};
    chief__line_text(&line, out);
    assert_string_equal(out, expected);
}

static void test_lines__text_is_valid_utf8(void **state) {
    (void)state;
    assert_text("", 0, "");
    assert_text("plain", 5, "plain");
    assert_text("gr\xC3\xBC\xC3\x9F", 6, "gr\xC3\xBC\xC3\x9F");
    assert_text("a\xFF"
                "b\0c",
                5, "a\\xffb\\x00c");
    assert_text("\xC3", 1, "\\xc3");
    assert_text("\xED\xA0\x80", 3, "\\xed\\xa0\\x80"); /* a surrogate */
}

static void test_lines__text_has_room_for_the_worst(void **state) {
    (void)state;
    static char bytes[CHIEF__LINE_SIZE];
    static char out[CHIEF__LINE_TEXT_SIZE];
    chief__line line = {.bytes = bytes, .len = sizeof bytes};
    chief__line_text(&line, out);
    assert_int_equal(strlen(out), sizeof out - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lines__a_line_comes_when_its_break_does, setup),
        cmocka_unit_test_setup(test_lines__the_last_needs_no_break, setup),
        cmocka_unit_test_setup(test_lines__each_byte_on_its_own, setup),
        cmocka_unit_test_setup(test_lines__a_long_line_comes_in_pieces, setup),
        cmocka_unit_test_setup(test_lines__a_piece_does_not_cut_a_character, setup),
        cmocka_unit_test_setup(test_lines__what_is_no_text_does_not_hold_up_a_piece, setup),
        cmocka_unit_test_setup(test_lines__text_is_valid_utf8, setup),
        cmocka_unit_test_setup(test_lines__text_has_room_for_the_worst, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
