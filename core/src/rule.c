#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "replica.h"
#include "rule.h"

#define MESSAGE "invalid service name"
#define LIST_SIZE 768

struct chief_rule {
    char *message;
    size_t n;
    char *names[]; /* sorted */
};

static int compare(const void *a, const void *b) {
    return chief__replica_compare(*(char *const *)a, *(char *const *)b);
}

/* Of a plain name and one of the rule's. */
static int compare_stems(const void *a, const void *b) {
    return chief__replica_compare_stems(*(char *const *)a, *(char *const *)b);
}

static int rule_make(chief_rule **out, const char *message, const char *const *names, size_t n) {
    chief_rule *rule = chief__calloc(1, sizeof *rule + n * sizeof rule->names[0]);
    if (rule == NULL) return chief__fail_code(CHIEF_ENOMEM);
    rule->message = chief__strdup(message);
    bool ok = rule->message != NULL;
    for (; ok && rule->n < n; rule->n += ok) {
        rule->names[rule->n] = chief__strdup(names[rule->n]);
        ok = rule->names[rule->n] != NULL;
    }
    if (!ok) {
        chief_rule_free(rule);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    if (n > 1) qsort(rule->names, n, sizeof rule->names[0], compare);
    *out = rule;
    return CHIEF_OK;
}

int chief_rule_new(chief_rule **out, const char *const *names, size_t n) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (names == NULL && n > 0) return chief__fail(CHIEF_EINVAL, "a rule needs its names");
    for (size_t i = 0; i < n; i++)
        if (names[i] == NULL) return chief__fail(CHIEF_EINVAL, "name %zu of the rule is NULL", i);
    return rule_make(out, MESSAGE, names, n);
}

void chief_rule_free(chief_rule *rule) {
    if (rule == NULL) return;
    for (size_t i = 0; i < rule->n; i++) chief__free(rule->names[i]);
    chief__free(rule->message);
    chief__free(rule);
}

int chief_rule_error(chief_rule **out, const chief_rule *rule, const char *message) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (rule == NULL || message == NULL) return chief__fail_code(CHIEF_EINVAL);
    return rule_make(out, message, (const char *const *)rule->names, rule->n);
}

const char *const *chief_rule_available(const chief_rule *rule, size_t *n) {
    if (n != NULL) *n = rule != NULL ? rule->n : 0;
    return rule != NULL ? (const char *const *)rule->names : NULL;
}

/* How many from the i-th on are replicas of one name with numbers that follow each other. */
static size_t run_of(const chief_rule *rule, size_t i) {
    size_t n = 1;
    uint32_t number = chief__replica_number(rule->names[i]);
    while (number > 0 && i + n < rule->n && chief__replica_number(rule->names[i + n]) == number + n &&
           chief__replica_compare_stems(rule->names[i], rule->names[i + n]) == 0)
        n++;
    return n;
}

/* One name, or «resizer (resizer/1 … resizer/4)»; returns the length. */
static int write_run(char *buf, size_t size, const char *const *names, size_t n) {
    int stem = (int)chief__replica_stem(names[0]);
    if (n == 1) return snprintf(buf, size, "%s", names[0]);
    return snprintf(buf, size, "%.*s (%s%s%s)", stem, names[0], names[0], n == 2 ? ", " : " … ", names[n - 1]);
}

/* The names as far as the buffer goes, whole ones only. */
static void list_names(const chief_rule *rule, char *buf, size_t size) {
    static const char more[] = ", ...";
    size_t len = 0;
    buf[0] = '\0';
    for (size_t i = 0, n; i < rule->n; i += n) {
        n = run_of(rule, i);
        size_t gap = len > 0 ? 2 : 0;
        size_t room = size - len - gap - sizeof more;
        int written = len + gap + sizeof more < size
                          ? write_run(buf + len + gap, room, (const char *const *)&rule->names[i], n)
                          : -1;
        if (written < 0 || (size_t)written >= room) {
            memcpy(buf + len, more, sizeof more);
            return;
        }
        if (gap > 0) memcpy(buf + len, ", ", 2);
        len += gap + (size_t)written;
    }
}

static int refuse(const chief_rule *rule, const char *name) {
    char list[LIST_SIZE];
    list_names(rule, list, sizeof list);
    if (rule->n == 0) return chief__fail(CHIEF_ENOENT, "%s %.80s; there are none", rule->message, name);
    return chief__fail(CHIEF_ENOENT, "%s %.80s; there are: %s", rule->message, name, list);
}

/* Itself one of them, or a plain name whose replicas are. */
static bool is_known(const chief_rule *rule, const char *name) {
    bool plain = chief__replica_number(name) == 0;
    return rule->n > 0 &&
           bsearch(&name, rule->names, rule->n, sizeof rule->names[0], plain ? compare_stems : compare) != NULL;
}

int chief_rule_validate(const chief_rule *rule, const char *const *names, size_t n) {
    if (rule == NULL || (names == NULL && n > 0)) return chief__fail_code(CHIEF_EINVAL);
    for (size_t i = 0; i < n; i++) {
        if (names[i] == NULL) return chief__fail(CHIEF_EINVAL, "name %zu is NULL", i);
        const char *name = names[i];
        if (!is_known(rule, name)) return refuse(rule, name);
    }
    return CHIEF_OK;
}

int chief__rule_unknown(const char *message, const char *name, const char *const *names, size_t n) {
    chief_rule *rule = NULL;
    if (names != NULL && rule_make(&rule, message, names, n) == CHIEF_OK) (void)refuse(rule, name);
    else (void)chief__fail(CHIEF_ENOENT, "%s %.80s", message, name);
    chief_rule_free(rule);
    return CHIEF_ENOENT;
}
