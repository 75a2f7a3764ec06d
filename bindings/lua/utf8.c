#include "utf8.h"

#include <string.h>

/* How many bytes follow a first byte of UTF-8, -1 for what cannot be one; `*low` and `*high` bound the next byte. */
static int utf8_rest(unsigned first, unsigned *low, unsigned *high) {
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf) return 1;
    if (first >= 0xe0 && first <= 0xef) return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

static size_t ascii_length(const unsigned char *s, size_t len) {
    size_t i = 0;
    uint64_t word;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, s + i, sizeof word);
        if ((word & CHIEF__LUA_HIGH_BITS) != 0) break;
    }
    while (i < len && s[i] < 0x80) i++;
    return i;
}

bool chief__lua_is_utf8(const unsigned char *s, size_t len) {
    for (size_t i = ascii_length(s, len); i < len; i += ascii_length(s + i, len - i)) {
        unsigned low;
        unsigned high;
        int rest = utf8_rest(s[i++], &low, &high);
        if (rest < 0 || len - i < (size_t)rest) return false;
        for (; rest > 0; rest--, low = 0x80, high = 0xbf, i++)
            if (s[i] < low || s[i] > high) return false;
    }
    return true;
}
