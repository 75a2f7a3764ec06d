#include "zone.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "calendar.h"
#include "err.h"
#include "rulezone.h"

#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define TYPES_MAX 256
#define OFFSET_LEAST (-25 * 3600) /* RFC 8536: more than -25 and less than 26 hours */
#define OFFSET_MOST (26 * 3600)

struct chief_zone {
    size_t n; /* changes; const after new, as all */
    size_t n_types;
    int64_t *times;       /* of the changes, ascending, seconds since 1970 */
    uint8_t *kinds;       /* what each change brings */
    int32_t *offsets;     /* by kind; the first holds before the first change */
    chief__rulezone rule; /* after the last change */
    bool has_rule;
};

void chief_zone_free(chief_zone *zone) {
    if (zone == NULL) return;
    chief__free(zone->times);
    chief__free(zone->kinds);
    chief__free(zone->offsets);
    chief__free(zone);
}

static chief_zone *zone_new(size_t n, size_t n_types) {
    chief_zone *zone = chief__calloc(1, sizeof *zone);
    if (zone == NULL) return NULL;
    zone->n = n;
    zone->n_types = n_types;
    zone->times = chief__calloc(n + 1, sizeof *zone->times);
    zone->kinds = chief__calloc(n + 1, sizeof *zone->kinds);
    zone->offsets = chief__calloc(n_types, sizeof *zone->offsets);
    if (zone->times != NULL && zone->kinds != NULL && zone->offsets != NULL) return zone;
    chief_zone_free(zone);
    return NULL;
}

int chief__zone_of_rule(chief_zone **out, const char *text, size_t len) {
    chief__rulezone rule;
    *out = NULL;
    if (!chief__rulezone_parse(text, len, &rule))
        return chief__fail(CHIEF_EINVAL,
                           "\"%.*s\" is neither a zone's name nor a rule such as CET-1CEST,M3.5.0,M10.5.0/3",
                           (int)(len < 64 ? len : 64), text);
    chief_zone *zone = zone_new(0, 1);
    if (zone == NULL) return chief__fail_code(CHIEF_ENOMEM);
    zone->offsets[0] = rule.offset;
    zone->rule = rule;
    zone->has_rule = true;
    *out = zone;
    return CHIEF_OK;
}

/* ---- files ---- */

/* What a header says: how many there are of each. */
typedef struct header {
    uint32_t utc_flags, std_flags, leaps, changes, types, chars;
    char version;
} header;

typedef struct bytes {
    const unsigned char *at;
    size_t left;
} bytes;

static uint32_t big_32(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

/* Two's complement, without a conversion that the compiler defines. */
static int64_t big_signed(const unsigned char *b, size_t size) {
    uint64_t n = size == 8 ? (uint64_t)big_32(b) << 32 | big_32(b + 4) : big_32(b);
    uint64_t sign = (uint64_t)1 << (8 * size - 1);
    if ((n & sign) == 0) return (int64_t)n;
    return size == 8 ? -(int64_t)(~n) - 1 : (int64_t)n - ((int64_t)1 << 32);
}

static bool skip(bytes *b, size_t n) {
    if (b->left < n) return false;
    b->at += n;
    b->left -= n;
    return true;
}

static bool read_header(bytes *b, header *h) {
    const unsigned char *at = b->at;
    if (b->left < HEADER_SIZE || memcmp(at, "TZif", 4) != 0) return false;
    h->version = (char)at[4];
    h->utc_flags = big_32(at + 20);
    h->std_flags = big_32(at + 24);
    h->leaps = big_32(at + 28);
    h->changes = big_32(at + 32);
    h->types = big_32(at + 36);
    h->chars = big_32(at + 40);
    return skip(b, HEADER_SIZE);
}

/* The counts are below 2^32 and the factors small, so that the sum fits. */
static uint64_t data_size(const header *h, uint64_t time_size) {
    return h->changes * (time_size + 1) + (uint64_t)h->types * TYPE_SIZE + h->chars + h->leaps * (time_size + 4) +
           h->std_flags + h->utc_flags;
}

static bool fill(chief_zone *zone, const unsigned char *at, size_t time_size) {
    for (size_t i = 0; i < zone->n; i++) {
        zone->times[i] = big_signed(at + i * time_size, time_size);
        if (i > 0 && zone->times[i] <= zone->times[i - 1]) return false;
    }
    at += zone->n * time_size;
    for (size_t i = 0; i < zone->n; i++) {
        zone->kinds[i] = at[i];
        if (zone->kinds[i] >= zone->n_types) return false;
    }
    at += zone->n;
    for (size_t i = 0; i < zone->n_types; i++) {
        zone->offsets[i] = (int32_t)big_signed(at + i * TYPE_SIZE, 4);
        if (zone->offsets[i] <= OFFSET_LEAST || zone->offsets[i] >= OFFSET_MOST) return false;
    }
    return true;
}

/* What comes after the data of a newer file: a rule between two line ends, or nothing there. */
static bool read_footer(chief_zone *zone, const bytes *b) {
    const unsigned char *end = b->left > 1 && b->at[0] == '\n' ? memchr(b->at + 1, '\n', b->left - 1) : NULL;
    if (end == NULL) return false;
    if (end == b->at + 1) return true;
    zone->has_rule = chief__rulezone_parse((const char *)b->at + 1, (size_t)(end - b->at - 1), &zone->rule);
    return zone->has_rule;
}

/* The second half of a file of version 2 and above says the same with 64 bits. */
static bool find_data(bytes *b, header *h, size_t *time_size) {
    *time_size = 4;
    if (!read_header(b, h)) return false;
    if (h->version == '\0') return true;
    *time_size = 8;
    return data_size(h, 4) <= b->left && skip(b, (size_t)data_size(h, 4)) && read_header(b, h);
}

static int malformed(const char *what) { return chief__fail(CHIEF_EDATA, "the zone file of %s is malformed", what); }

int chief__zone_of_file(chief_zone **out, const char *given, size_t len, const char *what) {
    bytes b = {.at = (const unsigned char *)given, .left = len};
    header h;
    size_t time_size;
    *out = NULL;
    if (!find_data(&b, &h, &time_size) || data_size(&h, time_size) > b.left || h.types == 0 || h.types > TYPES_MAX)
        return malformed(what);
    if (h.leaps > 0) return chief__fail(CHIEF_EDATA, "the zone file of %s counts leap seconds; cron does not", what);
    chief_zone *zone = zone_new(h.changes, h.types);
    if (zone == NULL) return chief__fail_code(CHIEF_ENOMEM);
    bool right = fill(zone, b.at, time_size);
    if (right && h.version != '\0') right = skip(&b, (size_t)data_size(&h, time_size)) && read_footer(zone, &b);
    if (right) {
        *out = zone;
        return CHIEF_OK;
    }
    chief_zone_free(zone);
    return malformed(what);
}

/* ---- spans ---- */

static chief__span whole(int32_t offset) {
    chief__span span = {.from = INT64_MIN, .until = INT64_MAX, .offset = offset, .before = offset};
    return span;
}

/* A change by the rule; those of a year in the order of time. */
typedef struct turn {
    int64_t time;
    int32_t offset;
} turn;

static void turns_of(const chief__rulezone *rule, int64_t year, turn out[2]) {
    turn begin = {chief__rulezone_change(rule, year, true), rule->summer};
    turn end = {chief__rulezone_change(rule, year, false), rule->offset};
    bool in_order = begin.time <= end.time;
    out[0] = in_order ? begin : end;
    out[1] = in_order ? end : begin;
}

#define YEARS_AROUND 5
#define TURNS (2 * YEARS_AROUND)

/* The changes of some years around are looked at: a rule may put one more than a week beyond its year, and there has to be
 * one on each side of the time. Of several at one moment the last holds. */
static chief__span span_of_rule(const chief__rulezone *rule, int64_t time) {
    if (!rule->has_summer) return whole(rule->offset);
    int64_t year = chief__date_of_day(chief__floor_div(time, CHIEF__SECONDS_PER_DAY)).year;
    turn turns[TURNS];
    size_t at = 0;
    for (int64_t i = 0; i < YEARS_AROUND; i++) turns_of(rule, year - 2 + i, &turns[2 * i]);
    while (at + 2 < TURNS && turns[at + 1].time <= time) at++;
    chief__span span = {.from = turns[at].time, .until = turns[at + 1].time, .offset = turns[at].offset};
    size_t earlier = at;
    while (earlier > 0 && turns[earlier].time == span.from) earlier--;
    span.before = turns[earlier].offset;
    return span;
}

/* How many changes are at or before the time. */
static size_t count_until(const chief_zone *zone, int64_t time) {
    size_t low = 0;
    size_t high = zone->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= time) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int32_t offset_after(const chief_zone *zone, size_t changes) {
    return zone->offsets[changes > 0 ? zone->kinds[changes - 1] : 0];
}

chief__span chief__zone_span(const chief_zone *zone, int64_t time) {
    if (zone == NULL) return whole(0);
    size_t passed = count_until(zone, time);
    chief__span span = {.from = passed > 0 ? zone->times[passed - 1] : INT64_MIN,
                        .until = passed < zone->n ? zone->times[passed] : INT64_MAX,
                        .offset = offset_after(zone, passed),
                        .before = offset_after(zone, passed > 0 ? passed - 1 : 0)};
    if (passed < zone->n || !zone->has_rule) return span;
    chief__span by_rule = span_of_rule(&zone->rule, time);
    if (by_rule.from > span.from) return by_rule;
    span.until = by_rule.until;
    return span;
}

/* ---- a time in words ---- */

size_t chief_zone_text(const chief_zone *zone, int64_t time_ms, char *buf, size_t size) {
    int64_t time = chief__floor_div(time_ms, 1000);
    int32_t offset = chief__zone_span(zone, time).offset;
    int64_t day = chief__floor_div(time + offset, CHIEF__SECONDS_PER_DAY);
    int rest = (int)chief__floor_mod(time + offset, CHIEF__SECONDS_PER_DAY);
    int away = offset < 0 ? -offset : offset;
    chief__date date = chief__date_of_day(day);
    int len = snprintf(buf, buf != NULL ? size : 0, "%04lld-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", (long long)date.year,
                       (int)date.month, (int)date.day, rest / 3600, rest / 60 % 60, rest % 60, offset < 0 ? '-' : '+',
                       away / 3600, away / 60 % 60);
    return len > 0 ? (size_t)len : 0;
}
