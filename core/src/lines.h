/*
 * lines: a stream of bytes cut into lines for the log. Bounded: a longer line comes in pieces. Pure.
 */
#ifndef CHIEF_LINES_H
#define CHIEF_LINES_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

#define CHIEF__LINE_SIZE 4096

/* Zeroed is empty. */
typedef struct chief__lines {
    char buf[CHIEF__LINE_SIZE];
    size_t start;   /* of what has not been given out */
    size_t end;     /* of what there is */
    size_t scanned; /* no line break before it */
    uint64_t part;  /* pieces of the line given out so far */
} chief__lines;

/* A line without its break, or a piece of one; the bytes are the buffer's until the next call. */
typedef struct chief__line {
    const char *bytes;
    size_t len;
    uint64_t part; /* 0: a whole line; else the number of the piece, 1 for the first */
} chief__line;

/* Where to put what comes next, and how much of it (0 when lines have to be taken first); then how much that was. */
char *chief__lines_room(chief__lines *lines, size_t *room);
void chief__lines_added(chief__lines *lines, size_t n);

/* The next line; false when there is none yet. A full buffer without a line break is a piece, cut between two UTF-8
 * sequences. `last`: nothing will come any more, and what is left is a line too. */
bool chief__lines_next(chief__lines *lines, bool last, chief__line *out);

/* The line as a C string of valid UTF-8: a NUL and what is no UTF-8 become \xNN. Room for four bytes of each and the NUL
 * at `out`. */
void chief__line_text(const chief__line *line, char *out);

#define CHIEF__LINE_TEXT_SIZE (4 * CHIEF__LINE_SIZE + 1)

#pragma GCC visibility pop
#endif
