#include "json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chief__put(chief__writer *w, const char *bytes, size_t len) {
    if (w->len < w->size) {
        size_t room = w->size - w->len;
        memcpy(w->buf + w->len, bytes, len < room ? len : room);
    }
    w->len += len;
}

void chief__put_text(chief__writer *w, const char *text) { chief__put(w, text, strlen(text)); }

void chief__put_integer(chief__writer *w, int64_t n) {
    char text[24];
    char *at = text + sizeof text;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (n < 0) *--at = '-';
    chief__put(w, at, (size_t)(text + sizeof text - at));
}

static size_t sequence_len(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

/* The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF. */
static int second_ok(unsigned char first, unsigned char second) {
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

size_t chief__utf8_len(const char *s, size_t len) {
    const unsigned char *bytes = (const unsigned char *)s;
    size_t n = sequence_len(bytes[0]);
    if (n <= 1 || n > len) return n <= len ? n : 0;
    if (!second_ok(bytes[0], bytes[1])) return 0;
    for (size_t i = 2; i < n; i++)
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    return n;
}

int chief__is_control(const char *s, size_t len) {
    unsigned char first = (unsigned char)s[0];
    if (len == 1) return first < 0x20 || first == 0x7F;
    return len == 2 && first == 0xC2 && (unsigned char)s[1] < 0xA0; /* C1, which some terminals obey */
}

static void put_escape(chief__writer *w, unsigned char c) {
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    const char *at = c != 0 ? strchr(plain, c) : NULL;
    char text[8];
    if (at != NULL) (void)snprintf(text, sizeof text, "\\%c", letter[at - plain]);
    else (void)snprintf(text, sizeof text, "\\u%04x", c);
    chief__put_text(w, text);
}

/* How many bytes from here on are themselves in JSON. */
static size_t plain_len(const char *bytes, size_t len) {
    size_t n = 0;
    while (n < len && bytes[n] >= ' ' && bytes[n] < 0x7F && bytes[n] != '"' && bytes[n] != '\\') n++;
    return n;
}

void chief__put_string(chief__writer *w, const char *bytes, size_t len) {
    chief__put(w, "\"", 1);
    for (size_t i = 0; i < len;) {
        size_t plain = plain_len(bytes + i, len - i);
        chief__put(w, bytes + i, plain);
        i += plain;
        if (i == len) break;
        unsigned char c = (unsigned char)bytes[i];
        size_t n = chief__utf8_len(bytes + i, len - i);
        if (n == 0) chief__put_text(w, CHIEF__REPLACEMENT);
        else if (chief__is_control(bytes + i, n)) put_escape(w, n == 1 ? c : (unsigned char)bytes[i + 1]);
        else if (c == '"' || c == '\\') put_escape(w, c);
        else chief__put(w, bytes + i, n);
        i += n > 0 ? n : 1;
    }
    chief__put(w, "\"", 1);
}

/* The host's locale may have another decimal point. */
static void put_digits(chief__writer *w, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        const char *known = strchr("0123456789+-e", text[i]);
        chief__put(w, known != NULL ? &text[i] : ".", 1);
    }
}

static void put_number(chief__writer *w, double number) {
    char text[40];
    int len = snprintf(text, sizeof text, "%.15g", number);
    if (isfinite(number) && strtod(text, NULL) != number) len = snprintf(text, sizeof text, "%.17g", number);
    if (isfinite(number)) put_digits(w, text, (size_t)len);
    else chief__put_string(w, text, (size_t)len);
}

void chief__put_value(chief__writer *w, const chief_value *value) {
    char text[24];
    switch (value->type) {
    case CHIEF_BOOL: chief__put_text(w, value->boolean != 0 ? "true" : "false"); break;
    case CHIEF_INTEGER: chief__put_integer(w, value->integer); break;
    case CHIEF_NUMBER: put_number(w, value->number); break;
    case CHIEF_BYTES: chief__put_string(w, value->bytes.data, value->bytes.len); break;
    case CHIEF_POINTER:
        (void)snprintf(text, sizeof text, "\"%p\"", value->pointer);
        chief__put_text(w, text);
        break;
    default: chief__put_text(w, "null"); break;
    }
}

size_t chief__writer_end(chief__writer *w) {
    if (w->size > 0) w->buf[w->len < w->size ? w->len : w->size - 1] = '\0';
    return w->len;
}
