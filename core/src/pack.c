/*
 * pack: messages as tokens and tokens as messages (MessagePack), for bindings whose values are not C's. Keeps nothing and
 * allocates nothing. Its rules and its refusals are those of the binding for Lua; a test holds the two together.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chief.h"
#include "err.h"
#include "json.h"

#define DEPTH 100
#define STR_MAX ((size_t)64 << 10)

static size_t ascii_len(const char *s, size_t len) {
    size_t i = 0;
    uint64_t word;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) break;
    }
    while (i < len && (unsigned char)s[i] < 0x80) i++;
    return i;
}

static bool is_utf8(const char *s, size_t len) {
    for (size_t i = ascii_len(s, len); i < len; i += ascii_len(s + i, len - i)) {
        size_t n = chief__utf8_len(s + i, len - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

/* ---- Reading ---- */

/* Every container that is open promises items that are still to come, each of at least one byte. So there are never more
 * tokens than bytes, whatever a message says. */
typedef struct reader {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    size_t promised;
    int depth;
    chief_token *out;
    size_t max;
    size_t n;
} reader;

static bool refuse(const reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(const reader *r, const char *format, ...) {
    char why[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    (void)chief__fail(CHIEF_EDATA, "not a valid message: %s (byte %zu)", why, (size_t)(r->at - r->start) + 1);
    return false;
}

static bool give(reader *r, chief_token token) {
    if (r->n < r->max) r->out[r->n] = token;
    r->n++;
    return true;
}

static size_t left(const reader *r) { return (size_t)(r->end - r->at); }

/* What is left for the value that is read now. A number may have taken bytes that others were promised. */
static size_t spare(const reader *r) { return left(r) > r->promised ? left(r) - r->promised : 0; }

/* The next n bytes as a number, the most significant first. */
static bool take_number(reader *r, size_t n, uint64_t *out) {
    *out = 0;
    if (left(r) < n) return refuse(r, "it ends in the middle of a value");
    for (; n > 0; n--) *out = *out << 8 | *r->at++;
    return true;
}

static bool give_integer(reader *r, int64_t value) {
    return give(r, (chief_token){.kind = CHIEF_TOKEN_INT, .integer = value});
}

static bool take_unsigned(reader *r, size_t n) {
    uint64_t value;
    if (!take_number(r, n, &value)) return false;
    if (value > (uint64_t)INT64_MAX) return refuse(r, "an integer above 2^63 - 1");
    return give_integer(r, (int64_t)value);
}

static bool take_signed(reader *r, size_t n) {
    uint64_t value;
    if (!take_number(r, n, &value)) return false;
    uint64_t sign = UINT64_C(1) << (8 * n - 1);
    return give_integer(r, (int64_t)((value ^ sign) - sign));
}

static bool take_float32(reader *r) {
    uint64_t bits;
    if (!take_number(r, 4, &bits)) return false;
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return give(r, (chief_token){.kind = CHIEF_TOKEN_FLOAT, .number = (double)value});
}

static bool take_float64(reader *r) {
    uint64_t bits;
    chief_token token = {.kind = CHIEF_TOKEN_FLOAT};
    if (!take_number(r, 8, &bits)) return false;
    memcpy(&token.number, &bits, sizeof token.number);
    return give(r, token);
}

static bool take_bytes(reader *r, uint64_t n, int32_t kind) {
    if (n > spare(r)) return refuse(r, "a string of %llu bytes where %zu are left", (unsigned long long)n, spare(r));
    const char *data = (const char *)r->at;
    r->at += n;
    if (kind == CHIEF_TOKEN_STR && !is_utf8(data, (size_t)n)) kind = CHIEF_TOKEN_BIN;
    return give(r, (chief_token){.kind = kind, .data = data, .len = n});
}

static bool take_str(reader *r, uint64_t n) { return take_bytes(r, n, CHIEF_TOKEN_STR); }

static bool take_bin(reader *r, uint64_t n) { return take_bytes(r, n, CHIEF_TOKEN_BIN); }

static bool enter(reader *r, uint64_t items) {
    if (items > spare(r))
        return refuse(r, "%llu values promised where %zu bytes are left", (unsigned long long)items, spare(r));
    if (r->depth == DEPTH) return refuse(r, "nested more than %d deep", DEPTH);
    r->promised += (size_t)items;
    r->depth++;
    return true;
}

/* The kind of the value that was read, since its token may not have fitted. */
static bool take_value(reader *r, int32_t *kind);

static bool take_array(reader *r, uint64_t n) {
    int32_t kind;
    if (!enter(r, n)) return false;
    (void)give(r, (chief_token){.kind = CHIEF_TOKEN_ARRAY, .len = n});
    for (; n > 0; n--) {
        r->promised--;
        if (!take_value(r, &kind)) return false;
    }
    r->depth--;
    return true;
}

static bool take_key(reader *r) {
    int32_t kind;
    r->promised--;
    if (!take_value(r, &kind)) return false;
    switch (kind) {
    case CHIEF_TOKEN_NIL: return refuse(r, "a map key that is a nil");
    case CHIEF_TOKEN_FLOAT: return refuse(r, "a map key that is a float");
    case CHIEF_TOKEN_ARRAY:
    case CHIEF_TOKEN_MAP: return refuse(r, "a map key that is a table");
    default: return true;
    }
}

static bool take_map(reader *r, uint64_t n) {
    int32_t kind;
    if (!enter(r, 2 * n)) return false;
    (void)give(r, (chief_token){.kind = CHIEF_TOKEN_MAP, .len = n});
    for (; n > 0; n--) {
        if (!take_key(r)) return false;
        r->promised--;
        if (!take_value(r, &kind)) return false;
    }
    r->depth--;
    return true;
}

/* What begins with a length of `width` bytes. */
static bool take_sized(reader *r, size_t width, bool (*take)(reader *, uint64_t)) {
    uint64_t n;
    return take_number(r, width, &n) && take(r, n);
}

static bool give_boolean(reader *r, int64_t value) {
    return give(r, (chief_token){.kind = CHIEF_TOKEN_BOOL, .integer = value});
}

static bool take_marked(reader *r, unsigned mark) {
    switch (mark) {
    case 0xc0: return give(r, (chief_token){.kind = CHIEF_TOKEN_NIL});
    case 0xc2: return give_boolean(r, 0);
    case 0xc3: return give_boolean(r, 1);
    case 0xc4:
    case 0xc5:
    case 0xc6: return take_sized(r, (size_t)1 << (mark - 0xc4), take_bin);
    case 0xca: return take_float32(r);
    case 0xcb: return take_float64(r);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return take_unsigned(r, (size_t)1 << (mark - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return take_signed(r, (size_t)1 << (mark - 0xd0));
    case 0xd9:
    case 0xda:
    case 0xdb: return take_sized(r, (size_t)1 << (mark - 0xd9), take_str);
    case 0xdc: return take_sized(r, 2, take_array);
    case 0xdd: return take_sized(r, 4, take_array);
    case 0xde: return take_sized(r, 2, take_map);
    case 0xdf: return take_sized(r, 4, take_map);
    case 0xc1: return refuse(r, "the byte c1, which begins nothing");
    default: return refuse(r, "an extension type (mark %02x), which Lua has no value for", mark);
    }
}

static bool take_any(reader *r, unsigned mark) {
    if (mark < 0x80) return give_integer(r, mark);
    if (mark < 0x90) return take_map(r, mark & 0x0f);
    if (mark < 0xa0) return take_array(r, mark & 0x0f);
    if (mark < 0xc0) return take_str(r, mark & 0x1f);
    return mark < 0xe0 ? take_marked(r, mark) : give_integer(r, (int64_t)mark - 0x100);
}

/* What a value that begins with this byte is to a key; strings and integers are all as good as each other. */
static int32_t kind_of(unsigned mark) {
    if (mark == 0xc0) return CHIEF_TOKEN_NIL;
    if (mark == 0xca || mark == 0xcb) return CHIEF_TOKEN_FLOAT;
    if ((mark >= 0x80 && mark < 0x90) || mark == 0xde || mark == 0xdf) return CHIEF_TOKEN_MAP;
    if ((mark >= 0x90 && mark < 0xa0) || mark == 0xdc || mark == 0xdd) return CHIEF_TOKEN_ARRAY;
    return CHIEF_TOKEN_INT;
}

static bool take_value(reader *r, int32_t *kind) {
    if (r->at == r->end) return refuse(r, "it ends where a value should begin");
    unsigned mark = *r->at++;
    *kind = kind_of(mark);
    return take_any(r, mark);
}

static bool take_whole(reader *r) {
    int32_t kind = CHIEF_TOKEN_NIL;
    if (!take_value(r, &kind)) return false;
    if (r->at != r->end) return refuse(r, "%zu bytes after the value", left(r));
    return kind != CHIEF_TOKEN_NIL || refuse(r, "nil");
}

int chief_pack_read(const void *data, size_t len, chief_token *out, size_t max, size_t *n) {
    static const unsigned char none[1] = {0};
    if (n == NULL) return chief__fail_code(CHIEF_EINVAL);
    *n = 0;
    if ((data == NULL && len > 0) || (out == NULL && max > 0)) return chief__fail_code(CHIEF_EINVAL);
    const unsigned char *start = len == 0 ? none : data;
    reader r = {.start = start, .at = start, .end = start + len, .out = out, .max = max};
    if (!take_whole(&r)) return CHIEF_EDATA;
    *n = r.n;
    if (r.n <= max) return CHIEF_OK;
    return chief__fail(CHIEF_ETOOBIG, "a message of %zu tokens where there is room for %zu", r.n, max);
}

/* ---- Writing ---- */

/* Where a token is, as a chain on the C stack: what a refusal names. */
typedef struct place {
    const struct place *up; /* NULL: the value itself */
    const chief_token *key; /* NULL: an element of an array */
    uint64_t index;         /* from 1, where key is NULL */
    int depth;
} place;

typedef struct writer {
    const chief_token *tokens;
    size_t n;
    size_t next; /* the token to be written */
    char *buf;
    size_t size;
    size_t len; /* what was written, or would have been */
} writer;

static bool is_identifier(const char *s, size_t len) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    for (size_t i = 0; i < len; i++)
        if (memchr(letters, s[i], sizeof letters - 1) == NULL) return false;
    return len > 0 && (s[0] < '0' || s[0] > '9');
}

static int shown(uint64_t len) { return len < 64 ? (int)len : 64; }

static int step_text(char *buf, size_t size, const place *at) {
    const chief_token *key = at->key;
    if (key == NULL) return snprintf(buf, size, "[%llu]", (unsigned long long)at->index);
    if (key->kind == CHIEF_TOKEN_BOOL) return snprintf(buf, size, key->integer != 0 ? "[true]" : "[false]");
    if (key->kind == CHIEF_TOKEN_INT) return snprintf(buf, size, "[%lld]", (long long)key->integer);
    if (is_identifier(key->data, (size_t)key->len)) return snprintf(buf, size, ".%.*s", shown(key->len), key->data);
    return snprintf(buf, size, "[\"%.*s\"]", shown(key->len), key->len > 0 ? key->data : "");
}

/* Cut where it is too long. */
static size_t path_text(char *buf, size_t size, const place *at) {
    buf[0] = '\0';
    if (at->up == NULL) return 0;
    size_t used = path_text(buf, size, at->up);
    int more = step_text(buf + used, size - used, at);
    if (more < 0) return used;
    return used + (size_t)more < size ? used + (size_t)more : size - 1;
}

static bool decline(const place *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool decline(const place *at, const char *format, ...) {
    char what[120];
    char path[320];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (path_text(path, sizeof path, at) == 0) (void)chief__fail(CHIEF_EINVAL, "can't send %s", what);
    else (void)chief__fail(CHIEF_EINVAL, "can't send %s (at %s)", what, path);
    return false;
}

static void put_bytes(writer *w, const void *data, size_t n) {
    if (n > 0 && w->len <= w->size && n <= w->size - w->len) memcpy(w->buf + w->len, data, n);
    w->len += n;
}

static void put_byte(writer *w, unsigned value) {
    char byte = (char)(unsigned char)value;
    put_bytes(w, &byte, 1);
}

/* A first byte and n bytes of `value`, the most significant first. */
static void put_number(writer *w, unsigned first, uint64_t value, size_t n) {
    char bytes[9] = {(char)(unsigned char)first};
    for (size_t i = n; i > 0; i--, value >>= 8) bytes[i] = (char)(unsigned char)(value & 0xff);
    put_bytes(w, bytes, n + 1);
}

/* The heads of strings, arrays and maps: c8 is 0 where the format has none. */
static void put_length(writer *w, unsigned c8, unsigned c16, unsigned c32, uint64_t n) {
    if (c8 != 0 && n <= 0xff) put_number(w, c8, n, 1);
    else if (n <= 0xffff) put_number(w, c16, n, 2);
    else put_number(w, c32, n, 4);
}

static void put_unsigned(writer *w, uint64_t n) {
    if (n < 0x80) put_byte(w, (unsigned)n);
    else if (n <= 0xff) put_number(w, 0xcc, n, 1);
    else if (n <= 0xffff) put_number(w, 0xcd, n, 2);
    else put_number(w, n <= 0xffffffff ? 0xce : 0xcf, n, n <= 0xffffffff ? 4 : 8);
}

static void put_negative(writer *w, int64_t n) {
    if (n >= -32) put_byte(w, (unsigned)(n & 0xff));
    else if (n >= INT8_MIN) put_number(w, 0xd0, (uint64_t)n, 1);
    else if (n >= INT16_MIN) put_number(w, 0xd1, (uint64_t)n, 2);
    else put_number(w, n >= INT32_MIN ? 0xd2 : 0xd3, (uint64_t)n, n >= INT32_MIN ? 4 : 8);
}

static void put_integer(writer *w, int64_t n) {
    if (n >= 0) put_unsigned(w, (uint64_t)n);
    else put_negative(w, n);
}

static void put_float(writer *w, double n) {
    uint64_t bits;
    memcpy(&bits, &n, sizeof bits);
    put_number(w, 0xcb, bits, 8);
}

static bool put_string(writer *w, const chief_token *token, const place *at) {
    if (token->data == NULL && token->len > 0) return decline(at, "a string without bytes");
    if (token->len > UINT32_MAX) return decline(at, "a string of 4 GiB or more");
    size_t len = (size_t)token->len;
    bool text = token->kind == CHIEF_TOKEN_STR && len <= STR_MAX && is_utf8(token->data, len);
    if (!text) put_length(w, 0xc4, 0xc5, 0xc6, len);
    else if (len < 32) put_byte(w, 0xa0 | (unsigned)len);
    else put_length(w, 0xd9, 0xda, 0xdb, len);
    put_bytes(w, token->data, len);
    return true;
}

static bool put_value(writer *w, const place *at);

static size_t tokens_left(const writer *w) { return w->n - w->next; }

/* `per` tokens for each of the n items, at least. */
static bool check_container(const writer *w, uint64_t n, size_t per, const place *at) {
    if (at->depth > DEPTH) return decline(at, "something nested more than %d deep", DEPTH);
    if (n > UINT32_MAX) return decline(at, "more than 2^32 - 1 values in one");
    if (n > tokens_left(w) / per)
        return decline(at, "%llu %s with %zu tokens left", (unsigned long long)n, per == 1 ? "elements" : "pairs",
                       tokens_left(w));
    return true;
}

static bool put_array(writer *w, uint64_t n, const place *at) {
    if (!check_container(w, n, 1, at)) return false;
    if (n < 16) put_byte(w, 0x90 | (unsigned)n);
    else put_length(w, 0, 0xdc, 0xdd, n);
    for (uint64_t i = 1; i <= n; i++)
        if (!put_value(w, &(place){.up = at, .index = i, .depth = at->depth + 1})) return false;
    return true;
}

static bool check_key(const chief_token *key, const place *at) {
    switch (key->kind) {
    case CHIEF_TOKEN_NIL: return decline(at, "a nil key");
    case CHIEF_TOKEN_FLOAT: return decline(at, "a float as a key");
    case CHIEF_TOKEN_ARRAY: return decline(at, "an array as a key");
    case CHIEF_TOKEN_MAP: return decline(at, "a map as a key");
    default: return true;
    }
}

static bool put_pair(writer *w, const place *at) {
    if (tokens_left(w) == 0) return decline(at, "a map whose tokens end before it does");
    const chief_token *key = &w->tokens[w->next];
    return check_key(key, at) && put_value(w, at) &&
           put_value(w, &(place){.up = at, .key = key, .depth = at->depth + 1});
}

static bool put_map(writer *w, uint64_t n, const place *at) {
    if (!check_container(w, n, 2, at)) return false;
    if (n < 16) put_byte(w, 0x80 | (unsigned)n);
    else put_length(w, 0, 0xde, 0xdf, n);
    for (; n > 0; n--)
        if (!put_pair(w, at)) return false;
    return true;
}

static bool put_boolean(writer *w, int64_t value, const place *at) {
    if (value != 0 && value != 1) return decline(at, "a boolean that is %lld", (long long)value);
    put_byte(w, value != 0 ? 0xc3 : 0xc2);
    return true;
}

static bool put_token(writer *w, const chief_token *token, const place *at) {
    switch (token->kind) {
    case CHIEF_TOKEN_NIL: put_byte(w, 0xc0); return true;
    case CHIEF_TOKEN_BOOL: return put_boolean(w, token->integer, at);
    case CHIEF_TOKEN_INT: put_integer(w, token->integer); return true;
    case CHIEF_TOKEN_FLOAT: put_float(w, token->number); return true;
    case CHIEF_TOKEN_STR:
    case CHIEF_TOKEN_BIN: return put_string(w, token, at);
    case CHIEF_TOKEN_ARRAY: return put_array(w, token->len, at);
    case CHIEF_TOKEN_MAP: return put_map(w, token->len, at);
    default: return decline(at, "a token of kind %d, which is none", (int)token->kind);
    }
}

static bool put_value(writer *w, const place *at) {
    if (tokens_left(w) == 0) return decline(at, "a value whose tokens end before it does");
    const chief_token *token = &w->tokens[w->next++];
    if (token->reserved != 0) return decline(at, "a token whose `reserved` is not 0");
    return put_token(w, token, at);
}

static bool put_whole(writer *w) {
    place root = {.depth = 1};
    if (w->n == 0) return decline(&root, "nothing; a message is one value");
    if (w->tokens[0].kind == CHIEF_TOKEN_NIL) return decline(&root, "nil; send false or {}");
    if (!put_value(w, &root)) return false;
    return tokens_left(w) == 0 || decline(&root, "more than one value; %zu tokens follow the first", tokens_left(w));
}

int chief_pack_write(const chief_token *tokens, size_t n, void *buf, size_t size, size_t *len) {
    if (len == NULL) return chief__fail_code(CHIEF_EINVAL);
    *len = 0;
    if ((tokens == NULL && n > 0) || (buf == NULL && size > 0)) return chief__fail_code(CHIEF_EINVAL);
    writer w = {.tokens = tokens, .n = n, .buf = buf, .size = size};
    if (!put_whole(&w)) return CHIEF_EINVAL;
    *len = w.len;
    if (w.len <= size) return CHIEF_OK;
    return chief__fail(CHIEF_ETOOBIG, "a message of %zu bytes where there is room for %zu", w.len, size);
}
