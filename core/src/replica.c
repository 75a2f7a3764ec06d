#include "replica.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 5

/* The number behind the last '/', 0 where there is none; `*stem` is the length of what is before it. */
static uint32_t split(const char *name, size_t *stem) {
    const char *slash = strrchr(name, '/');
    uint32_t number = 0;
    size_t digits = slash != NULL ? strspn(slash + 1, "0123456789") : 0;
    *stem = strlen(name);
    if (slash == NULL || digits == 0 || digits > DIGITS_MAX || slash[1] == '0' || slash[1 + digits] != '\0') return 0;
    for (size_t i = 1; i <= digits; i++) number = 10 * number + (uint32_t)(slash[i] - '0');
    *stem = (size_t)(slash - name);
    return number;
}

size_t chief__replica_stem(const char *name) {
    size_t stem;
    (void)split(name, &stem);
    return stem;
}

uint32_t chief__replica_number(const char *name) {
    size_t stem;
    return split(name, &stem);
}

bool chief__replica_of(const char *name, const char *stem) {
    size_t len = strlen(stem);
    if (strncmp(name, stem, len) != 0 || name[len] != '/') return false;
    return chief__replica_stem(name) == len;
}

void chief__replica_name(char *buf, const char *stem, uint32_t number) {
    (void)snprintf(buf, CHIEF__REPLICA_NAME_SIZE, "%s/%u", stem, (unsigned)number);
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len) {
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    if (order != 0) return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

int chief__replica_compare_stems(const char *a, const char *b) {
    return compare_bytes(a, chief__replica_stem(a), b, chief__replica_stem(b));
}

int chief__replica_compare(const char *a, const char *b) {
    int order = chief__replica_compare_stems(a, b);
    uint32_t m = chief__replica_number(a);
    uint32_t n = chief__replica_number(b);
    if (order != 0) return order;
    return m < n ? -1 : m > n;
}
