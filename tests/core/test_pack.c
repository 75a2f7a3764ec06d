/* Tokens: what is written is read, in the shortest form; what is no message and what can't be one is refused by its place. */
#include "support.h"

#include "chief.h"

#define MANY 64

static chief_token nil(void) { return (chief_token){.kind = CHIEF_TOKEN_NIL}; }
static chief_token boolean(int64_t v) { return (chief_token){.kind = CHIEF_TOKEN_BOOL, .integer = v}; }
static chief_token integer(int64_t v) { return (chief_token){.kind = CHIEF_TOKEN_INT, .integer = v}; }
static chief_token floating(double v) { return (chief_token){.kind = CHIEF_TOKEN_FLOAT, .number = v}; }
static chief_token bin(const char *s, size_t n) { return (chief_token){.kind = CHIEF_TOKEN_BIN, .data = s, .len = n}; }
static chief_token str_n(const char *s, size_t n) {
    return (chief_token){.kind = CHIEF_TOKEN_STR, .data = s, .len = n};
}
static chief_token str(const char *s) { return str_n(s, strlen(s)); }
static chief_token array(uint64_t n) { return (chief_token){.kind = CHIEF_TOKEN_ARRAY, .len = n}; }
static chief_token map(uint64_t n) { return (chief_token){.kind = CHIEF_TOKEN_MAP, .len = n}; }

#define TOKENS(...) (const chief_token[]){__VA_ARGS__}, sizeof((chief_token[]){__VA_ARGS__}) / sizeof(chief_token)

static void writes(const chief_token *tokens, size_t n, const char *bytes, size_t len) {
    char buf[256];
    size_t got;
    assert_int_equal(chief_pack_write(tokens, n, buf, sizeof buf, &got), CHIEF_OK);
    assert_int_equal(got, len);
    assert_memory_equal(buf, bytes, len);
}

static void refuses(const chief_token *tokens, size_t n, const char *text) {
    size_t len = 1;
    assert_int_equal(chief_pack_write(tokens, n, NULL, 0, &len), CHIEF_EINVAL);
    assert_int_equal(len, 0);
    assert_string_equal(chief_last_error(), text);
}

static size_t reads(const char *bytes, size_t len, chief_token *out) {
    size_t n;
    assert_int_equal(chief_pack_read(bytes, len, out, MANY, &n), CHIEF_OK);
    return n;
}

static void malformed(const char *bytes, size_t len, const char *text) {
    chief_token out[MANY];
    size_t n = 1;
    char *exact = malloc(len > 0 ? len : 1); /* for who checks addresses */
    memcpy(exact, bytes, len);
    assert_int_equal(chief_pack_read(exact, len, out, MANY, &n), CHIEF_EDATA);
    assert_int_equal(n, 0);
    assert_string_equal(chief_last_error(), text);
    free(exact);
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void same(const chief_token *a, const chief_token *b) {
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->reserved, 0);
    assert_true(a->integer == b->integer);
    assert_memory_equal(&a->number, &b->number, sizeof a->number);
    assert_true(a->len == b->len);
    if (a->data != NULL) assert_memory_equal(a->data, b->data, (size_t)a->len);
}

static void round_trip(const chief_token *tokens, size_t n) {
    char buf[1024];
    chief_token out[MANY];
    size_t len;
    assert_int_equal(chief_pack_write(tokens, n, buf, sizeof buf, &len), CHIEF_OK);
    assert_int_equal(reads(buf, len, out), n);
    for (size_t i = 0; i < n; i++) same(&out[i], &tokens[i]);
}

static void test_pack__reads_what_was_written(void **state) {
    (void)state;
    round_trip(TOKENS(map(4), str("name"), str("gr\xc3\xbc\xc3\x9f"), integer(7), array(3), boolean(1), nil(),
                      floating(-0.5), boolean(0), bin("\0\xff", 2), bin("\xff", 1), map(0)));
    round_trip(TOKENS(array(0)));
    round_trip(TOKENS(boolean(0)));
    round_trip(TOKENS(str("")));
}

static void test_pack__keeps_numbers_apart_and_whole(void **state) {
    (void)state;
    static const int64_t edges[] = {0,          1,
                                    127,        128,
                                    255,        256,
                                    65535,      65536,
                                    -1,         -32,
                                    -33,        -128,
                                    -129,       -32768,
                                    -32769,     INT32_MIN,
                                    INT32_MAX,  (int64_t)INT32_MIN - 1,
                                    UINT32_MAX, (int64_t)UINT32_MAX + 1,
                                    INT64_MAX,  INT64_MIN};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) round_trip(TOKENS(integer(edges[i])));
    round_trip(TOKENS(floating(1)));
    round_trip(TOKENS(floating(-0.0)));
    round_trip(TOKENS(floating(1e308 * 10)));
}

static void test_pack__takes_the_shortest_form(void **state) {
    (void)state;
    writes(TOKENS(integer(127)), BYTES("\x7f"));
    writes(TOKENS(integer(128)), BYTES("\xcc\x80"));
    writes(TOKENS(integer(256)), BYTES("\xcd\x01\x00"));
    writes(TOKENS(integer(65536)), BYTES("\xce\x00\x01\x00\x00"));
    writes(TOKENS(integer(INT64_C(1) << 32)), BYTES("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"));
    writes(TOKENS(integer(-32)), BYTES("\xe0"));
    writes(TOKENS(integer(-33)), BYTES("\xd0\xdf"));
    writes(TOKENS(integer(-129)), BYTES("\xd1\xff\x7f"));
    writes(TOKENS(floating(1)), BYTES("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"));
    writes(TOKENS(str("a")), BYTES("\xa1"
                                   "a"));
    writes(TOKENS(map(1), str("k"), array(1), nil()), BYTES("\x81\xa1k\x91\xc0"));
}

static void test_pack__text_that_is_none_goes_as_bytes(void **state) {
    (void)state;
    writes(TOKENS(str("\xff")), BYTES("\xc4\x01\xff"));
    writes(TOKENS(str("abcdefgh\xed\xa0\x80")), BYTES("\xc4\x0b"
                                                      "abcdefgh\xed\xa0\x80")); /* a surrogate */
    writes(TOKENS(bin("abc", 3)), BYTES("\xc4\x03"
                                        "abc"));
    chief_token out[MANY];
    assert_int_equal(reads(BYTES("\xa1\xff"), out), 1);
    assert_int_equal(out[0].kind, CHIEF_TOKEN_BIN);
}

/* A string of `len` letters as text, by the head that it gets. */
static unsigned head_of(size_t len) {
    char *text = malloc(len);
    unsigned char *buf = malloc(len + 9);
    size_t got;
    memset(text, 'x', len);
    const chief_token token = str_n(text, len);
    assert_int_equal(chief_pack_write(&token, 1, buf, len + 9, &got), CHIEF_OK);
    unsigned head = buf[0];
    chief_token out;
    size_t n;
    assert_int_equal(chief_pack_read(buf, got, &out, 1, &n), CHIEF_OK);
    assert_true(out.len == len && memcmp(out.data, text, len) == 0);
    free(buf);
    free(text);
    return head;
}

static void test_pack__long_text_goes_as_bytes(void **state) {
    (void)state;
    assert_int_equal(head_of(31), 0xbf);
    assert_int_equal(head_of(32), 0xd9);
    assert_int_equal(head_of(256), 0xda);
    assert_int_equal(head_of(65536), 0xdb);
    assert_int_equal(head_of(65537), 0xc6);
}

static void test_pack__says_how_much_room_it_takes(void **state) {
    (void)state;
    static const chief_token tokens[] = {{.kind = CHIEF_TOKEN_ARRAY, .len = 2},
                                         {.kind = CHIEF_TOKEN_INT, .integer = 1000},
                                         {.kind = CHIEF_TOKEN_STR, .data = "four", .len = 4}};
    char buf[9];
    chief_token out[3];
    for (size_t size = 0; size < sizeof buf; size++) {
        size_t len;
        char *exact = malloc(size > 0 ? size : 1);
        assert_int_equal(chief_pack_write(tokens, 3, exact, size, &len), CHIEF_ETOOBIG);
        assert_int_equal(len, sizeof buf);
        free(exact);
    }
    size_t len;
    assert_int_equal(chief_pack_write(tokens, 3, buf, sizeof buf, &len), CHIEF_OK);
    for (size_t max = 0; max < 3; max++) {
        size_t n;
        memset(out, 0xff, sizeof out);
        assert_int_equal(chief_pack_read(buf, len, max > 0 ? out : NULL, max, &n), CHIEF_ETOOBIG);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < max; i++) same(&out[i], &tokens[i]);
        assert_int_equal(out[max].kind, -1);
    }
}

static void test_pack__refuses_what_is_no_message(void **state) {
    (void)state;
    malformed("", 0, "not a valid message: it ends where a value should begin (byte 1)");
    malformed(BYTES("\xc0"), "not a valid message: nil (byte 2)");
    malformed(BYTES("\xc1"), "not a valid message: the byte c1, which begins nothing (byte 2)");
    malformed(BYTES("\x01\x02"), "not a valid message: 1 bytes after the value (byte 2)");
    malformed(BYTES("\xcd\x01"), "not a valid message: it ends in the middle of a value (byte 2)");
    malformed(BYTES("\xcf\x80\0\0\0\0\0\0\0"), "not a valid message: an integer above 2^63 - 1 (byte 10)");
    malformed(BYTES("\xd4\x01\x01"),
              "not a valid message: an extension type (mark d4), which Lua has no value for (byte 2)");
    malformed(BYTES("\xa3"
                    "ab"),
              "not a valid message: a string of 3 bytes where 2 are left (byte 2)");
    malformed(BYTES("\xdd\xff\xff\xff\xff\x01"),
              "not a valid message: 4294967295 values promised where 1 bytes are left (byte 6)");
    malformed(BYTES("\x81\xc0\x01"), "not a valid message: a map key that is a nil (byte 3)");
    malformed(BYTES("\x81\xca\0\0\0\0\x01"), "not a valid message: a map key that is a float (byte 7)");
    malformed(BYTES("\x81\x90\x01"), "not a valid message: a map key that is a table (byte 3)");
    malformed(BYTES("\x92\xa2"
                    "ab"),
              "not a valid message: a string of 2 bytes where 1 are left (byte 3)");
}

static void test_pack__is_at_most_a_hundred_deep(void **state) {
    (void)state;
    unsigned char deep[101];
    chief_token tokens[101];
    size_t n;
    memset(deep, 0x91, sizeof deep);
    deep[100] = 0x90;
    for (size_t i = 0; i < 101; i++) tokens[i] = array(i < 100);
    assert_int_equal(chief_pack_read(deep + 1, 100, tokens, 0, &n), CHIEF_ETOOBIG);
    assert_int_equal(n, 100);
    malformed((const char *)deep, 101, "not a valid message: nested more than 100 deep (byte 102)");
    assert_int_equal(chief_pack_write(tokens + 1, 100, deep, sizeof deep, &n), CHIEF_OK);
    assert_int_equal(chief_pack_write(tokens, 101, deep, sizeof deep, &n), CHIEF_EINVAL);
    support_says("can't send something nested more than 100 deep (at [1][1]");
}

static void test_pack__refuses_by_the_place(void **state) {
    (void)state;
    refuses(NULL, 0, "can't send nothing; a message is one value");
    refuses(TOKENS(nil()), "can't send nil; send false or {}");
    refuses(TOKENS(map(1), str("tags"), array(3), integer(1), integer(2), map(1), nil(), integer(1)),
            "can't send a nil key (at .tags[3])");
    refuses(TOKENS(map(1), floating(1), nil()), "can't send a float as a key");
    refuses(TOKENS(array(1), map(1), array(0), nil()), "can't send an array as a key (at [1])");
    refuses(TOKENS(array(1), map(1), map(0), nil()), "can't send a map as a key (at [1])");
    refuses(TOKENS(map(1), str("a b"), boolean(2)), "can't send a boolean that is 2 (at [\"a b\"])");
    refuses(TOKENS(map(1), boolean(1), boolean(2)), "can't send a boolean that is 2 (at [true])");
    refuses(TOKENS(map(1), integer(-4), boolean(2)), "can't send a boolean that is 2 (at [-4])");
    refuses(TOKENS(map(1), str("2nd"), boolean(2)), "can't send a boolean that is 2 (at [\"2nd\"])");
    refuses(TOKENS(array(1), (chief_token){.kind = 8}), "can't send a token of kind 8, which is none (at [1])");
    refuses(TOKENS((chief_token){.kind = CHIEF_TOKEN_INT, .reserved = 1}),
            "can't send a token whose `reserved` is not 0");
    refuses(TOKENS(array(1), str_n(NULL, 4)), "can't send a string without bytes (at [1])");
    refuses(TOKENS(array(1), bin("", UINT64_C(1) << 32)), "can't send a string of 4 GiB or more (at [1])");
}

static void test_pack__counts_the_tokens(void **state) {
    (void)state;
    refuses(TOKENS(integer(1), integer(2)), "can't send more than one value; 1 tokens follow the first");
    refuses(TOKENS(array(3), integer(1)), "can't send 3 elements with 1 tokens left");
    refuses(TOKENS(map(1), integer(1)), "can't send 1 pairs with 1 tokens left");
    refuses(TOKENS(array(2), array(1), integer(1)), "can't send a value whose tokens end before it does (at [2])");
    refuses(TOKENS(map(2), str("a"), array(2), nil(), nil()), "can't send a map whose tokens end before it does");
    refuses(TOKENS(map(UINT64_MAX), integer(1)), "can't send more than 2^32 - 1 values in one");
}

static void test_pack__cuts_a_path_that_is_too_long(void **state) {
    (void)state;
    char key[300];
    chief_token tokens[41];
    size_t len;
    memset(key, 'k', sizeof key);
    for (size_t i = 0; i < 40; i += 2) {
        tokens[i] = map(1);
        tokens[i + 1] = str_n(key, sizeof key);
    }
    tokens[40] = boolean(2);
    assert_int_equal(chief_pack_write(tokens, 41, NULL, 0, &len), CHIEF_EINVAL);
    support_says("can't send a boolean that is 2 (at .kkkk");
}

static void test_pack__refuses_wrong_use(void **state) {
    (void)state;
    const chief_token token = integer(1);
    chief_token out;
    size_t n;
    assert_int_equal(chief_pack_read("\x01", 1, &out, 1, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pack_read(NULL, 1, &out, 1, &n), CHIEF_EINVAL);
    assert_int_equal(chief_pack_read("\x01", 1, NULL, 1, &n), CHIEF_EINVAL);
    assert_int_equal(chief_pack_write(&token, 1, NULL, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pack_write(NULL, 1, NULL, 0, &n), CHIEF_EINVAL);
    assert_int_equal(chief_pack_write(&token, 1, NULL, 1, &n), CHIEF_EINVAL);
}

static void test_pack__token_has_its_layout(void **state) {
    (void)state;
    assert_int_equal(offsetof(chief_token, integer), 8);
    assert_int_equal(offsetof(chief_token, number), 16);
    assert_int_equal(offsetof(chief_token, data), 24);
    if (sizeof(void *) == 8) assert_int_equal(sizeof(chief_token), 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack__reads_what_was_written),
        cmocka_unit_test(test_pack__keeps_numbers_apart_and_whole),
        cmocka_unit_test(test_pack__takes_the_shortest_form),
        cmocka_unit_test(test_pack__text_that_is_none_goes_as_bytes),
        cmocka_unit_test(test_pack__long_text_goes_as_bytes),
        cmocka_unit_test(test_pack__says_how_much_room_it_takes),
        cmocka_unit_test(test_pack__refuses_what_is_no_message),
        cmocka_unit_test(test_pack__is_at_most_a_hundred_deep),
        cmocka_unit_test(test_pack__refuses_by_the_place),
        cmocka_unit_test(test_pack__counts_the_tokens),
        cmocka_unit_test(test_pack__cuts_a_path_that_is_too_long),
        cmocka_unit_test(test_pack__refuses_wrong_use),
        cmocka_unit_test(test_pack__token_has_its_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
