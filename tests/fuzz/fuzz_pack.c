/* Payloads as tokens, of bytes and of tokens that were not written by us. */
#include <string.h>

#include "chief.h"
#include "fuzz.h"

#define MANY 4096 /* inputs are not longer, and there are never more tokens than bytes */

/* The bits of a number: not every NaN is itself. */
static uint64_t bits_of(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static int same(const chief_token *a, const chief_token *b) {
    return a->kind == b->kind && a->integer == b->integer && bits_of(a->number) == bits_of(b->number) &&
           a->len == b->len && (a->data == NULL || memcmp(a->data, b->data, (size_t)a->len) == 0);
}

static void lies_within(const chief_token *token, const char *data, size_t size) {
    if (token->data == NULL) return;
    MUST(token->data >= data && token->len <= size && token->data + token->len <= data + size);
}

/* What was read can be written, in not many more bytes, and is the same when it is read again. */
static void write_again(const chief_token *tokens, size_t n, size_t size) {
    static chief_token again[MANY];
    static char buf[MANY];
    size_t len;
    size_t m;
    MUST(chief_pack_write(tokens, n, buf, sizeof buf, &len) == CHIEF_OK && len <= sizeof buf);
    MUST(len <= size + 4 * n); /* a short float becomes a long one, text that is none becomes bytes */
    MUST(chief_pack_read(buf, len, again, MANY, &m) == CHIEF_OK && m == n);
    for (size_t i = 0; i < n; i++) MUST(same(&tokens[i], &again[i]));
}

static void read_bytes(const char *data, size_t size) {
    static chief_token tokens[MANY];
    size_t n;
    size_t count;
    int rc = chief_pack_read(data, size, tokens, MANY, &n);
    if (rc == CHIEF_EDATA) MUST(n == 0 && strncmp(chief_last_error(), "not a valid message: ", 21) == 0);
    if (rc == CHIEF_EDATA) return;
    MUST(rc == CHIEF_OK && n > 0 && n <= size);
    MUST(chief_pack_read(data, size, NULL, 0, &count) == CHIEF_ETOOBIG && count == n);
    for (size_t i = 0; i < n; i++) lies_within(&tokens[i], data, size);
    if (size <= MANY / 5) write_again(tokens, n, size);
}

/* Three bytes are a token: its kind, a length, and what its number is. */
static void write_tokens(const uint8_t *data, size_t size) {
    static chief_token tokens[MANY];
    static char buf[MANY];
    size_t n = size / 3 < MANY ? size / 3 : MANY;
    size_t len;
    for (size_t i = 0; i < n; i++, data += 3)
        tokens[i] = (chief_token){.kind = data[0] % 9,
                                  .reserved = data[0] > 250,
                                  .integer = (int8_t)data[2],
                                  .number = data[2],
                                  .data = (const char *)data,
                                  .len = data[1] % 4};
    int rc = chief_pack_write(tokens, n, buf, sizeof buf, &len);
    MUST(rc == CHIEF_OK || rc == CHIEF_EINVAL || rc == CHIEF_ETOOBIG);
    if (rc == CHIEF_EINVAL) MUST(len == 0 && strncmp(chief_last_error(), "can't send ", 11) == 0);
    if (rc == CHIEF_OK) read_bytes(buf, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > MANY) return 0;
    read_bytes((const char *)data, size);
    write_tokens(data, size);
    return 0;
}
