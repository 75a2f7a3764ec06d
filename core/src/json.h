/*
 * json: an append-only JSON writer into a fixed buffer. It counts the full length, so that a caller can measure first
 * and write then. Strings come out as valid UTF-8 whatever goes in.
 */
#ifndef CHIEF_JSON_H
#define CHIEF_JSON_H

#include "chief.h"

#pragma GCC visibility push(hidden)

typedef struct chief__writer {
    char *buf;   /* NULL when size is 0 */
    size_t size; /* of buf */
    size_t len;  /* what would have been written, without the NUL */
} chief__writer;

/* Appends bytes as they are. */
void chief__put(chief__writer *w, const char *bytes, size_t len);
void chief__put_text(chief__writer *w, const char *text);
void chief__put_integer(chief__writer *w, int64_t n);

/* A quoted JSON string; a byte that is not UTF-8 becomes U+FFFD. */
void chief__put_string(chief__writer *w, const char *bytes, size_t len);

/* One value of a log field. A NaN or an infinity is a string. */
void chief__put_value(chief__writer *w, const chief_value *value);

/* Ends the buffer with NUL, cutting what did not fit, and returns the full length. */
size_t chief__writer_end(chief__writer *w);

/* What stands for a byte that is not UTF-8: U+FFFD. */
#define CHIEF__REPLACEMENT "\xEF\xBF\xBD"

/* The length of the UTF-8 sequence at `s`, 0 when it is none. `len` > 0. */
size_t chief__utf8_len(const char *s, size_t len);

/* Whether a sequence (of that length) is a control character. */
int chief__is_control(const char *s, size_t len);

#pragma GCC visibility pop
#endif
