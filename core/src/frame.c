#include "frame.h"

#include <assert.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define NUMBER 8
#define KEPT ((size_t)64 * 1024)

/* ---- kinds ---- */

typedef struct shape {
    const char *word;
    const char *fields; /* NULL: no such kind */
} shape;

static const shape shapes[256] = {
#define X(name, number, text, layout) [number] = {text, layout},
    CHIEF__FRAME_MAP(X)
#undef X
};

const char *chief__frame_word(chief__frame_kind kind) {
    return (unsigned)kind < 256 && shapes[kind].fields != NULL ? shapes[kind].word : "?";
}

/* ---- reading ---- */

static uint64_t get_number(const uint8_t *p, size_t size) {
    uint64_t n = 0;
    for (size_t i = size; i > 0; i--) n = n << 8 | p[i - 1];
    return n;
}

/* What is left to read of one frame. */
typedef struct rest {
    const uint8_t *at;
    size_t len;
    const char *word;
} rest;

static int wrong(const rest *r, const char *what) {
    return chief__fail(CHIEF_EDATA, "malformed %s frame: %s", r->word, what);
}

static int get_int(rest *r, int64_t *out) {
    if (r->len < NUMBER) return wrong(r, "it ends within a number");
    *out = (int64_t)get_number(r->at, NUMBER);
    r->at += NUMBER;
    r->len -= NUMBER;
    return CHIEF_OK;
}

static int get_bytes(rest *r, chief_bytes *out) {
    int64_t len;
    int rc = get_int(r, &len);
    if (rc != CHIEF_OK) return rc;
    if (len < 0 || (uint64_t)len > r->len) return wrong(r, "a field is longer than the frame");
    out->data = r->at;
    out->len = (size_t)len;
    r->at += len;
    r->len -= (size_t)len;
    return CHIEF_OK;
}

static int get_text(rest *r, chief_bytes *out) {
    int rc = get_bytes(r, out);
    if (rc != CHIEF_OK) return rc;
    const char *nul = out->len > 0 ? memchr(out->data, '\0', out->len) : NULL;
    if (nul == NULL) return wrong(r, "a text does not end");
    if (nul != (const char *)out->data + out->len - 1) return wrong(r, "a text has a NUL in it");
    out->len--;
    return CHIEF_OK;
}

/* Up to a star or the end of `layout`. */
static int get_fields(rest *r, const char *layout, chief__fields *out) {
    int rc = CHIEF_OK;
    size_t ints = 0;
    size_t bytes = 0;
    for (; rc == CHIEF_OK && *layout != '\0' && *layout != '*'; layout++) {
        if (*layout == 'i') rc = get_int(r, &out->ints[ints++]);
        else if (*layout == 'b') rc = get_bytes(r, &out->bytes[bytes++]);
        else rc = get_text(r, &out->bytes[bytes++]);
    }
    return rc;
}

static int check_rest(rest r, const char *star) {
    chief__fields ignored;
    if (star == NULL) return r.len == 0 ? CHIEF_OK : wrong(&r, "there is more in it than its fields");
    while (r.len > 0) {
        int rc = get_fields(&r, star + 1, &ignored);
        if (rc != CHIEF_OK) return rc;
    }
    return CHIEF_OK;
}

static int read_head(const uint8_t *bytes, size_t len, size_t limit, size_t *size) {
    if (len > 0 && bytes[0] != CHIEF__FRAME_VERSION)
        return chief__fail(CHIEF_EDATA, "a frame of version %d, where %d is spoken", bytes[0], CHIEF__FRAME_VERSION);
    if (len > 1 && shapes[bytes[1]].fields == NULL)
        return chief__fail(CHIEF_EDATA, "a frame of the unknown kind %d", bytes[1]);
    *size = 0;
    if (len < CHIEF__FRAME_HEAD) return CHIEF_EAGAIN;
    uint64_t wanted = get_number(bytes + 2, CHIEF__FRAME_HEAD - 2);
    if (wanted > limit)
        return chief__fail(CHIEF_EDATA, "a %s frame of %llu bytes, where %zu are allowed", shapes[bytes[1]].word,
                           (unsigned long long)wanted, limit);
    *size = (size_t)wanted;
    return len - CHIEF__FRAME_HEAD < *size ? CHIEF_EAGAIN : CHIEF_OK;
}

int chief__frame_read(const uint8_t *bytes, size_t len, size_t limit, chief__frame *out, size_t *used) {
    size_t size;
    memset(out, 0, sizeof *out);
    *used = 0;
    int rc = read_head(bytes, len, limit, &size);
    if (rc == CHIEF_OK || rc == CHIEF_EAGAIN) *used = CHIEF__FRAME_HEAD + size;
    if (rc != CHIEF_OK) return rc;
    const shape *s = &shapes[bytes[1]];
    rest r = {bytes + CHIEF__FRAME_HEAD, size, s->word};
    out->kind = (chief__frame_kind)bytes[1];
    rc = get_fields(&r, s->fields, &out->fields);
    if (rc == CHIEF_OK) rc = check_rest(r, strchr(s->fields, '*'));
    out->rest = (chief_bytes){r.at, r.len};
    return rc;
}

bool chief__frame_next(chief__frame *frame, chief__fields *out) {
    memset(out, 0, sizeof *out);
    if (frame->rest.len == 0) return false;
    const shape *s = &shapes[frame->kind];
    rest r = {frame->rest.data, frame->rest.len, s->word};
    if (get_fields(&r, strchr(s->fields, '*') + 1, out) != CHIEF_OK) return false; /* not in one that was read */
    frame->rest = (chief_bytes){r.at, r.len};
    return true;
}

size_t chief__frame_count(const chief__frame *frame) {
    chief__frame copy = *frame;
    chief__fields ignored;
    size_t n = 0;
    while (chief__frame_next(&copy, &ignored)) n++;
    return n;
}

/* ---- writing ---- */

static unsigned char *room(chief__frames *w, size_t size) {
    if (w->failed) return NULL;
    if (size > w->capacity - w->len) {
        size_t capacity = w->capacity == 0 ? 256 : w->capacity;
        while (capacity - w->len < size && capacity <= SIZE_MAX / 2) capacity *= 2;
        unsigned char *grown = capacity - w->len >= size ? chief__realloc(w->buf, capacity) : NULL;
        if (grown == NULL) {
            w->failed = true;
            return NULL;
        }
        w->buf = grown;
        w->capacity = capacity;
    }
    unsigned char *at = w->buf + w->len;
    w->len += size;
    return at;
}

static void put_number(unsigned char *at, uint64_t n, size_t size) {
    for (size_t i = 0; i < size; i++, n >>= 8) at[i] = (unsigned char)(n & 0xff);
}

/* Debug builds see to it that a frame gets the fields of its kind. */
#ifndef NDEBUG
static void expect(chief__frames *w, char field) {
    if (*w->fields == '\0') w->fields = strchr(shapes[w->buf[w->start + 1]].fields, '*');
    assert(w->fields != NULL);
    if (*w->fields == '*') w->fields++;
    assert(*w->fields == field);
    w->fields++;
}
#else
#define expect(w, field) ((void)(w))
#endif

void chief__frame_begin(chief__frames *w, chief__frame_kind kind) {
    w->start = w->len;
    w->fields = shapes[kind].fields;
    unsigned char *at = room(w, CHIEF__FRAME_HEAD);
    if (at == NULL) return;
    at[0] = CHIEF__FRAME_VERSION;
    at[1] = (unsigned char)kind;
}

static void put_int(chief__frames *w, int64_t n) {
    unsigned char *at = room(w, NUMBER);
    if (at != NULL) put_number(at, (uint64_t)n, NUMBER);
}

static void put_bytes(chief__frames *w, const void *data, size_t len) {
    put_int(w, (int64_t)len);
    unsigned char *at = len > 0 ? room(w, len) : NULL;
    if (at != NULL) memcpy(at, data, len);
}

void chief__frame_int(chief__frames *w, int64_t n) {
    if (w->failed) return;
    expect(w, 'i');
    put_int(w, n);
}

void chief__frame_bytes(chief__frames *w, const void *data, size_t len) {
    if (w->failed) return;
    expect(w, 'b');
    put_bytes(w, data, len);
}

void chief__frame_text(chief__frames *w, const char *text) {
    if (w->failed) return;
    expect(w, 's');
    put_bytes(w, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

int chief__frame_end(chief__frames *w) {
    assert(w->failed || w->fields == NULL || *w->fields == '\0' || *w->fields == '*');
    if (w->failed) {
        w->len = w->start;
        return chief__fail_code(CHIEF_ENOMEM);
    }
    put_number(w->buf + w->start + 2, w->len - w->start - CHIEF__FRAME_HEAD, CHIEF__FRAME_HEAD - 2);
    return CHIEF_OK;
}

void chief__frames_reset(chief__frames *w) {
    if (w->capacity > KEPT) chief__frames_free(w);
    w->len = w->start = 0;
    w->failed = false;
}

void chief__frames_free(chief__frames *w) {
    chief__free(w->buf);
    memset(w, 0, sizeof *w);
}
