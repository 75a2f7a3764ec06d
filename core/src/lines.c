#include "lines.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

char *chief__lines_room(chief__lines *lines, size_t *room) {
    if (lines->start > 0) {
        memmove(lines->buf, lines->buf + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->scanned -= lines->start;
        lines->start = 0;
    }
    *room = sizeof lines->buf - lines->end;
    return lines->buf + lines->end;
}

void chief__lines_added(chief__lines *lines, size_t n) { lines->end += n; }

/* How much of a full buffer is cut off: as far as no sequence is begun at its end that could still become one. */
static size_t whole_sequences(const char *bytes, size_t len) {
    for (size_t back = 1; back <= 3 && back < len; back++) {
        unsigned char c = (unsigned char)bytes[len - back];
        size_t wanted = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        if ((c & 0xC0) == 0x80) continue;
        return wanted > back ? len - back : len;
    }
    return len;
}

/* Gives out `len` bytes and goes on `skip` bytes behind them. */
static void give(chief__lines *lines, chief__line *out, size_t len, size_t skip, bool ends) {
    out->bytes = lines->buf + lines->start;
    out->len = len;
    out->part = ends && lines->part == 0 ? 0 : ++lines->part;
    if (ends) lines->part = 0;
    lines->start += len + skip;
    lines->scanned = lines->start;
}

/* A line may end in \r\n. */
static size_t without_return(const char *bytes, size_t len) {
    return len > 0 && bytes[len - 1] == '\r' ? len - 1 : len;
}

bool chief__lines_next(chief__lines *lines, bool last, chief__line *out) {
    const char *at = memchr(lines->buf + lines->scanned, '\n', lines->end - lines->scanned);
    const char *begin = lines->buf + lines->start;
    size_t held = lines->end - lines->start;
    if (at != NULL) {
        size_t to_break = (size_t)(at - begin);
        size_t len = without_return(begin, to_break);
        give(lines, out, len, to_break - len + 1, true);
        return true;
    }
    lines->scanned = lines->end;
    if (held == sizeof lines->buf) {
        give(lines, out, whole_sequences(begin, held), 0, false);
        return true;
    }
    if (!last || held == 0) return false;
    give(lines, out, held, 0, true);
    return true;
}

void chief__line_text(const chief__line *line, char *out) {
    for (size_t i = 0; i < line->len;) {
        size_t n = line->bytes[i] == '\0' ? 0 : chief__utf8_len(line->bytes + i, line->len - i);
        if (n == 0) {
            out += sprintf(out, "\\x%02x", (unsigned char)line->bytes[i]);
            i++;
        } else {
            memcpy(out, line->bytes + i, n);
            out += n;
            i += n;
        }
    }
    *out = '\0';
}
