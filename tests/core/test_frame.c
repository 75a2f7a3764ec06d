/* Frames: what is written is read; what is cut, too large, unknown or put together wrongly is told apart and hurts nobody. */
#include "support.h"

#include "alloc.h"
#include "chief.h"
#include "frame.h"

#define LIMIT ((size_t)1024 * 1024)

static chief__frames send_frame(void) {
    chief__frames w = {0};
    chief__frame_begin(&w, FRAME_SEND);
    chief__frame_int(&w, 3);
    chief__frame_int(&w, -1);
    chief__frame_bytes(&w, "one", 3);
    chief__frame_bytes(&w, "", 0);
    chief__frame_bytes(&w, "\0three", 6);
    assert_int_equal(chief__frame_end(&w), CHIEF_OK);
    return w;
}

static void test_frame__reads_what_was_written(void **state) {
    (void)state;
    chief__frames w = send_frame();
    chief__frame f;
    chief__fields item;
    size_t used;
    assert_int_equal(chief__frame_read(w.buf, w.len, LIMIT, &f, &used), CHIEF_OK);
    assert_int_equal(used, w.len);
    assert_int_equal(f.kind, FRAME_SEND);
    assert_int_equal(f.fields.ints[0], 3);
    assert_int_equal(f.fields.ints[1], -1);
    assert_int_equal(chief__frame_count(&f), 3);
    assert_true(chief__frame_next(&f, &item));
    assert_memory_equal(item.bytes[0].data, "one", 3);
    assert_true(chief__frame_next(&f, &item));
    assert_int_equal(item.bytes[0].len, 0);
    assert_true(chief__frame_next(&f, &item));
    assert_int_equal(item.bytes[0].len, 6);
    assert_false(chief__frame_next(&f, &item));
    chief__frames_free(&w);
}

static void test_frame__keeps_numbers_and_texts(void **state) {
    (void)state;
    chief__frames w = {0};
    chief__frame f;
    size_t used;
    chief__frame_begin(&w, FRAME_CANCEL);
    chief__frame_int(&w, INT64_MIN);
    chief__frame_text(&w, "the application stops");
    assert_int_equal(chief__frame_end(&w), CHIEF_OK);
    chief__frame_begin(&w, FRAME_CANCEL);
    chief__frame_int(&w, INT64_MAX);
    chief__frame_text(&w, NULL);
    assert_int_equal(chief__frame_end(&w), CHIEF_OK);
    assert_int_equal(chief__frame_read(w.buf, w.len, LIMIT, &f, &used), CHIEF_OK);
    assert_true(f.fields.ints[0] == INT64_MIN);
    assert_string_equal(chief__field_text(&f.fields, 0), "the application stops");
    assert_int_equal(f.fields.bytes[0].len, 21);
    assert_int_equal(chief__frame_read(w.buf + used, w.len - used, LIMIT, &f, &used), CHIEF_OK);
    assert_true(f.fields.ints[0] == INT64_MAX);
    assert_string_equal(chief__field_text(&f.fields, 0), "");
    chief__frames_free(&w);
}

static void test_frame__waits_for_the_rest_at_every_byte(void **state) {
    (void)state;
    chief__frames w = send_frame();
    chief__frame f;
    for (size_t len = 0; len < w.len; len++) {
        size_t used;
        uint8_t *cut = malloc(len > 0 ? len : 1); /* of the exact size, for who checks addresses */
        memcpy(cut, w.buf, len);
        assert_int_equal(chief__frame_read(cut, len, LIMIT, &f, &used), CHIEF_EAGAIN);
        assert_int_equal(used, len < CHIEF__FRAME_HEAD ? CHIEF__FRAME_HEAD : w.len);
        free(cut);
    }
    chief__frames_free(&w);
}

/* A frame whose head says that it ends earlier, at every byte: never read beyond, never taken for a whole one unless the
 * cut is between two repetitions. */
static void test_frame__refuses_fields_cut_at_every_byte(void **state) {
    (void)state;
    chief__frames w = send_frame();
    size_t good = 0;
    for (size_t len = 0; len < w.len - CHIEF__FRAME_HEAD; len++) {
        chief__frame f;
        size_t used;
        uint8_t *cut = malloc(CHIEF__FRAME_HEAD + len);
        memcpy(cut, w.buf, CHIEF__FRAME_HEAD + len);
        cut[2] = (uint8_t)len;
        int rc = chief__frame_read(cut, CHIEF__FRAME_HEAD + len, LIMIT, &f, &used);
        if (rc == CHIEF_OK) good++;
        else assert_int_equal(rc, CHIEF_EDATA);
        if (rc != CHIEF_OK) assert_non_null(strstr(chief_last_error(), "malformed send frame"));
        free(cut);
    }
    assert_int_equal(good, 3); /* none, one or two of the three payloads */
    chief__frames_free(&w);
}

static int read_bytes(const char *bytes, size_t len) {
    chief__frame f;
    size_t used;
    uint8_t *exact = malloc(len);
    memcpy(exact, bytes, len);
    int rc = chief__frame_read(exact, len, LIMIT, &f, &used);
    free(exact);
    return rc;
}

static void refuses(const char *bytes, size_t len, const char *text) {
    assert_int_equal(read_bytes(bytes, len), CHIEF_EDATA);
    if (strstr(chief_last_error(), text) == NULL) fail_msg("«%s» does not say «%s»", chief_last_error(), text);
}

static void test_frame__says_what_is_wrong(void **state) {
    (void)state;
    refuses("\x02", 1, "a frame of version 2, where 1 is spoken");
    refuses("GET / HTTP/1.1", 14, "a frame of version 71");
    refuses("\x01\xff", 2, "a frame of the unknown kind 255");
    refuses("\x01\x00", 2, "a frame of the unknown kind 0");
    refuses("\x01\x26\xff\xff\xff\xff\xff\xff", 8, "a send frame of 281474976710655 bytes, where 1048576 are allowed");
    refuses("\x01\x2d\x04\0\0\0\0\0abcd", 12, "malformed ack frame: it ends within a number");
    refuses("\x01\x2d\x09\0\0\0\0\0\0\0\0\0\0\0\0\0x", 17, "malformed ack frame: there is more in it");
    refuses("\x01\x32\x08\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16, "a field is longer than the frame");
    refuses("\x01\x32\x08\0\0\0\0\0\x01\0\0\0\0\0\0\0", 16, "a field is longer than the frame");
    refuses("\x01\x25\x08\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "a text does not end");
    refuses("\x01\x25\x09\0\0\0\0\0\x01\0\0\0\0\0\0\0x", 17, "a text does not end");
    refuses("\x01\x25\x0a\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0", 18, "a text has a NUL in it");
    assert_int_equal(read_bytes("\x01\x25\x0a\0\0\0\0\0\x02\0\0\0\0\0\0\0x\0", 18), CHIEF_OK);
}

/* What a fuzzer begins with: any bytes at all, and good frames with a byte changed. */
static void test_frame__survives_noise(void **state) {
    (void)state;
    uint64_t seed = 42;
    chief__frames w = send_frame();
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[128];
        chief__frame f;
        chief__fields item;
        size_t used;
        size_t len = w.len < sizeof bytes ? w.len : sizeof bytes;
        memcpy(bytes, w.buf, len);
        for (int k = 0; k < 3; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[(seed >> 33) % len] = (uint8_t)(seed >> 24);
        }
        bytes[0] = CHIEF__FRAME_VERSION;
        if (i % 2 == 0) bytes[1] = (uint8_t)(seed >> 40);
        if (chief__frame_read(bytes, len, LIMIT, &f, &used) != CHIEF_OK) continue;
        assert_in_range(used, CHIEF__FRAME_HEAD, len);
        size_t n = chief__frame_count(&f);
        while (chief__frame_next(&f, &item)) n--;
        assert_int_equal(n, 0);
    }
    chief__frames_free(&w);
}

static void test_frame__every_kind_has_a_word(void **state) {
    (void)state;
    assert_string_equal(chief__frame_word(FRAME_HELLO), "hello");
    assert_string_equal(chief__frame_word(FRAME_LOG), "log");
    assert_string_equal(chief__frame_word((chief__frame_kind)200), "?");
    assert_string_equal(chief__frame_word((chief__frame_kind)1000), "?");
}

static void test_frame__survives_no_memory(void **state) {
    (void)state;
    support_heap heap;
    for (long n = 1;; n++) {
        chief__frames w = {0};
        support_heap_begin(&heap, n);
        int rc = CHIEF_OK;
        for (int i = 0; rc == CHIEF_OK && i < 20; i++) {
            chief__frame_begin(&w, FRAME_COMMIT);
            chief__frame_int(&w, i);
            chief__frame_bytes(&w, "a payload that takes some room", 30);
            rc = chief__frame_end(&w);
        }
        bool failed = atomic_load(&heap.failed);
        assert_int_equal(rc, failed ? CHIEF_ENOMEM : CHIEF_OK);
        /* those before it are whole */
        chief__frame f;
        size_t used;
        for (size_t at = 0; at < w.len; at += used)
            assert_int_equal(chief__frame_read(w.buf + at, w.len - at, LIMIT, &f, &used), CHIEF_OK);
        chief__frames_free(&w);
        support_heap_end(&heap);
        if (!failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame__reads_what_was_written),
        cmocka_unit_test(test_frame__keeps_numbers_and_texts),
        cmocka_unit_test(test_frame__waits_for_the_rest_at_every_byte),
        cmocka_unit_test(test_frame__refuses_fields_cut_at_every_byte),
        cmocka_unit_test(test_frame__says_what_is_wrong),
        cmocka_unit_test(test_frame__survives_noise),
        cmocka_unit_test(test_frame__every_kind_has_a_word),
        cmocka_unit_test(test_frame__survives_no_memory),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
