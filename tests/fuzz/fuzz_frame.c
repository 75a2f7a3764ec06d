/* Frames of a child process that says what it likes. */
#include <string.h>

#include "frame.h"
#include "fuzz.h"

#define LIMIT 4096

/* What was read lies within the input, and its texts end in their only NUL. */
static void check_bytes(const uint8_t *data, size_t size, const chief__fields *fields) {
    for (size_t i = 0; i < CHIEF__FRAME_TEXTS; i++) {
        const uint8_t *at = fields->bytes[i].data;
        if (at == NULL) continue;
        MUST(at >= data && at + fields->bytes[i].len <= data + size);
    }
}

/* Writes the fields as they stand in `layout`, up to a star or the end. */
static void write_fields(chief__frames *w, const char *layout, const chief__fields *fields) {
    size_t ints = 0;
    size_t bytes = 0;
    for (; *layout != '\0' && *layout != '*'; layout++) {
        if (*layout == 'i') chief__frame_int(w, fields->ints[ints++]);
        else if (*layout == 's') chief__frame_text(w, chief__field_text(fields, bytes++));
        else {
            chief__frame_bytes(w, fields->bytes[bytes].data, fields->bytes[bytes].len);
            bytes++;
        }
    }
}

static const char *layout_of(chief__frame_kind kind) {
    switch (kind) {
#define X(name, number, word, layout) \
    case FRAME_##name: return layout;
        CHIEF__FRAME_MAP(X)
#undef X
    }
    return NULL;
}

/* A frame that was read is written as the same bytes. */
static void write_again(const uint8_t *data, size_t used, chief__frame frame) {
    chief__frames w = {0};
    chief__fields item;
    const char *layout = layout_of(frame.kind);
    MUST(layout != NULL);
    size_t n = chief__frame_count(&frame);
    chief__frame_begin(&w, frame.kind);
    write_fields(&w, layout, &frame.fields);
    for (; chief__frame_next(&frame, &item); n--) {
        check_bytes(data, used, &item);
        write_fields(&w, strchr(layout, '*') + 1, &item);
    }
    MUST(n == 0 && frame.rest.len == 0);
    MUST(chief__frame_end(&w) == CHIEF_OK);
    MUST(w.len == used && memcmp(w.buf, data, used) == 0);
    chief__frames_reset(&w);
    chief__frames_free(&w);
}

/* Less of the same is not whole, and says how much more would tell; it does not turn into something wrong. */
static void read_in_parts(const uint8_t *data, size_t used) {
    chief__frame frame;
    for (size_t len = 0; len < used;) {
        size_t wants;
        MUST(chief__frame_read(data, len, LIMIT, &frame, &wants) == CHIEF_EAGAIN);
        MUST(wants > len && wants <= used);
        len = wants;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    while (size > 0) {
        chief__frame frame;
        size_t used;
        int rc = chief__frame_read(data, size, LIMIT, &frame, &used);
        MUST(rc == CHIEF_OK || rc == CHIEF_EAGAIN || rc == CHIEF_EDATA);
        if (rc == CHIEF_EDATA) MUST(chief_last_error()[0] != '\0');
        if (rc == CHIEF_EAGAIN) MUST(used > size && used <= CHIEF__FRAME_HEAD + LIMIT);
        if (rc != CHIEF_OK) return 0;
        MUST(used >= CHIEF__FRAME_HEAD && used <= size && chief__frame_word(frame.kind)[0] != '?');
        check_bytes(data, used, &frame.fields);
        read_in_parts(data, used);
        write_again(data, used, frame);
        data += used;
        size -= used;
    }
    return 0;
}
