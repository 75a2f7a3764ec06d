/*
 * err: the texts of error codes, and the thread's last error. The text never allocates: it lives in a buffer of the
 * thread and is cut when it is too long.
 */
#ifndef CHIEF_ERR_H
#define CHIEF_ERR_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* Keeps the text for chief_last_error and returns `code`. Writes over an older text. */
int chief__fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text is «what "name"says», of parts that are not the old text. For what happens so often that its text may not cost much:
 * whoever does not want to wait is told so for each message. */
int chief__fail_about(int code, const char *what, const char *name, const char *says);

/* The same with the code's own text. */
int chief__fail_code(int code);

#ifdef __clang_analyzer__
/* It does not look into err.c, where the value is the code itself. */
#define chief__fail(code, ...) ((void)chief__fail(code, __VA_ARGS__), (code))
#define chief__fail_about(code, ...) ((void)chief__fail_about(code, __VA_ARGS__), (code))
#define chief__fail_code(code) ((void)chief__fail_code(code), (code))
#endif

/*
 * Reads an options structure of the caller's into `out` (the library's own, of `want` bytes): zeroes what the caller's
 * version did not have, refuses a larger one whose further bytes are not zero, and one without a size. `given` may be NULL:
 * all zero. `out` begins with its size afterwards.
 */
int chief__options_read(void *out, size_t want, const void *given, const char *what);

/*
 * The other way: fills the caller's structure, whose size says how much of it there is, from the library's own of `have`
 * bytes (NULL: all zero). Its size stays as it is, what the library does not have is zero.
 */
int chief__options_write(void *out, const void *own, size_t have, const char *what);

/* CHIEF_OK or CHIEF_EINVAL with «<what> name "…": …» for a name that is not 1 to 64 of [A-Za-z0-9_.-]. */
int chief__name_check(const char *name, const char *what);

/* A duration or count of an options structure: its default when 0, 0 when CHIEF_ZERO. */
static inline int64_t chief__or_default(int64_t value, int64_t otherwise) {
    return value == 0 ? otherwise : value == CHIEF_ZERO ? 0 : value;
}

#pragma GCC visibility pop
#endif
