#include "log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "calendar.h"
#include "err.h"
#include "plat.h"

#define STDERR_FD 2
#define LINE_SIZE 1024

/* What all loggers made from one share. */
struct output {
    atomic_uint refs;      /* dropped with release, the last one acquires */
    _Atomic int32_t level; /* relaxed: a change need not be seen at once */
    int32_t format;        /* this and the next three: const after new */
    chief_sink sink;
    void *data;
    chief_destructor destroy;
};

struct chief_log {
    atomic_uint refs; /* as above */
    struct output *output;
    size_t n; /* const after new, with the fields' keys and bytes owned */
    chief_field fields[];
};

/* ---- the built-in sink ---- */

static const char *level_name(int32_t level) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return level >= CHIEF_DEBUG && level <= CHIEF_ERROR ? names[level - 1] : "?";
}

#define MS_PER_DAY 86400000

void chief__put_time(chief__writer *w, int64_t ms) {
    if (ms < 0) ms = 0;
    chief__date date = chief__date_of_day(ms / MS_PER_DAY);
    int rest = (int)(ms % MS_PER_DAY);
    char text[96];
    int n = snprintf(text, sizeof text, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)date.year, (int)date.month,
                     (int)date.day, rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
    chief__put(w, text, (size_t)n);
}

/* Control characters become '?', so that nobody forges a line or colours a terminal. */
static void put_line(chief__writer *w, const char *s, size_t len) {
    for (size_t i = 0; i < len;) {
        size_t n = chief__utf8_len(s + i, len - i);
        if (n == 0) chief__put_text(w, CHIEF__REPLACEMENT);
        else if (chief__is_control(s + i, n)) chief__put(w, "?", 1);
        else chief__put(w, s + i, n);
        i += n > 0 ? n : 1;
    }
}

static void put_lines(chief__writer *w, const char *s, size_t len) {
    while (len > 0) {
        const char *end = memchr(s, '\n', len);
        size_t n = end != NULL ? (size_t)(end - s) : len;
        while (n > 0 && *s == '\t') s++, n--, len--;
        chief__put_text(w, "\n    ");
        put_line(w, s, n);
        n += end != NULL;
        s += n;
        len -= n;
    }
}

static bool is_many_lines(const chief_value *v) {
    return v->type == CHIEF_BYTES && v->bytes.len > 0 && memchr(v->bytes.data, '\n', v->bytes.len) != NULL;
}

static bool is_plain(const char *s, size_t len) {
    for (size_t i = 0, n; i < len; i += n) {
        n = chief__utf8_len(s + i, len - i);
        if (n == 0 || chief__is_control(s + i, n) || memchr(" \"=\\", s[i], 4) != NULL) return false;
    }
    return len > 0;
}

static void put_field(chief__writer *w, const chief_field *f) {
    const chief_value *v = &f->value;
    chief__put(w, " ", 1);
    put_line(w, f->key, strlen(f->key));
    chief__put(w, "=", 1);
    if (v->type == CHIEF_BYTES && is_plain(v->bytes.data, v->bytes.len)) chief__put(w, v->bytes.data, v->bytes.len);
    else chief__put_value(w, v);
}

/* Several lines (an error with a traceback) come below the line they belong to. */
void chief__log_text(chief__writer *w, const chief_record *r) {
    char level[8];
    chief__put_time(w, r->time_ms);
    (void)snprintf(level, sizeof level, " %-5s ", level_name(r->level));
    chief__put_text(w, level);
    put_line(w, r->message, strlen(r->message));
    for (size_t i = 0; i < r->n_fields; i++)
        if (!is_many_lines(&r->fields[i].value)) put_field(w, &r->fields[i]);
    for (size_t i = 0; i < r->n_fields; i++)
        if (is_many_lines(&r->fields[i].value))
            put_lines(w, r->fields[i].value.bytes.data, r->fields[i].value.bytes.len);
    chief__put(w, "\n", 1);
}

void chief__log_json(chief__writer *w, const chief_record *r) {
    chief__put_text(w, "{\"time\":\"");
    chief__put_time(w, r->time_ms);
    chief__put_text(w, "\",\"level\":\"");
    chief__put_text(w, level_name(r->level));
    chief__put_text(w, "\",\"message\":");
    chief__put_string(w, r->message, strlen(r->message));
    for (size_t i = 0; i < r->n_fields; i++) {
        chief__put(w, ",", 1);
        chief__put_string(w, r->fields[i].key, strlen(r->fields[i].key));
        chief__put(w, ":", 1);
        chief__put_value(w, &r->fields[i].value);
    }
    chief__put_text(w, "}\n");
}

static void format_record(chief__writer *w, const struct output *o, const chief_record *r) {
    if (o->format == CHIEF_LOG_JSON) chief__log_json(w, r);
    else chief__log_text(w, r);
}

/* One write per line. A line that is longer than the stack's buffer takes memory, and is cut when there is none. */
static void write_line(const struct output *o, const chief_record *r) {
    char small[LINE_SIZE];
    chief__writer w = {.buf = small, .size = sizeof small};
    format_record(&w, o, r);
    if (w.len <= sizeof small) {
        chief__write(STDERR_FD, small, w.len);
        return;
    }
    chief__writer big = {.size = w.len, .buf = chief__alloc(w.len)};
    if (big.buf != NULL) {
        format_record(&big, o, r);
        chief__write(STDERR_FD, big.buf, big.len);
    } else {
        memcpy(small + sizeof small - 5, " ...\n", 5);
        chief__write(STDERR_FD, small, sizeof small);
    }
    chief__free(big.buf);
}

/* ---- loggers ---- */

static void output_unref(struct output *o) {
    if (atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1) return;
    if (o->destroy != NULL) o->destroy(o->data);
    chief__free(o);
}

static chief_log *log_alloc(struct output *o, size_t n) {
    chief_log *log = chief__calloc(1, sizeof *log + n * sizeof log->fields[0]);
    if (log == NULL) return NULL;
    atomic_init(&log->refs, 1);
    log->output = o;
    return log;
}

int chief_log_new(chief_log **out, const chief_log_options *options) {
    chief_log_options o;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__options_read(&o, sizeof o, options, "chief_log_options");
    if (rc != CHIEF_OK) return rc;
    if (o.level < 0 || o.level > CHIEF_OFF) return chief__fail(CHIEF_EINVAL, "log level %d is none", (int)o.level);
    if (o.format < CHIEF_LOG_TEXT || o.format > CHIEF_LOG_JSON)
        return chief__fail(CHIEF_EINVAL, "log format %d is none", (int)o.format);
    struct output *output = chief__calloc(1, sizeof *output);
    chief_log *log = output != NULL ? log_alloc(output, 0) : NULL;
    if (log == NULL) {
        chief__free(output);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    atomic_init(&output->refs, 1);
    atomic_init(&output->level, o.level != 0 ? o.level : CHIEF_INFO);
    output->format = o.format;
    output->sink = o.sink;
    output->data = o.data;
    output->destroy = o.destroy;
    *out = log;
    return CHIEF_OK;
}

int chief__log_default(chief_log **out) {
    static const char service[] = "worker-chief";
    chief_field field = {.key = "service", .value = {.type = CHIEF_BYTES}};
    field.value.bytes.data = service;
    field.value.bytes.len = sizeof service - 1;
    chief_log *base;
    *out = NULL;
    int rc = chief_log_new(&base, NULL);
    if (rc == CHIEF_OK) rc = chief_log_with_fields(out, base, &field, 1);
    chief_log_unref(base);
    return rc;
}

chief_log *chief_log_ref(chief_log *log) {
    if (log != NULL) (void)atomic_fetch_add_explicit(&log->refs, 1, memory_order_relaxed);
    return log;
}

static void free_fields(chief_log *log) {
    for (size_t i = 0; i < log->n; i++) {
        chief__free((void *)(uintptr_t)log->fields[i].key);
        if (log->fields[i].value.type == CHIEF_BYTES) chief__free((void *)(uintptr_t)log->fields[i].value.bytes.data);
    }
}

void chief_log_unref(chief_log *log) {
    if (log == NULL || atomic_fetch_sub_explicit(&log->refs, 1, memory_order_acq_rel) != 1) return;
    free_fields(log);
    if (log->output != NULL) output_unref(log->output);
    chief__free(log);
}

static bool copy_field(chief_log *log, const chief_field *f) {
    chief_field *to = &log->fields[log->n];
    char *key = chief__strdup(f->key);
    char *bytes = NULL;
    if (f->value.type == CHIEF_BYTES) bytes = chief__strndup(f->value.bytes.data, f->value.bytes.len);
    if (key == NULL || (f->value.type == CHIEF_BYTES && bytes == NULL)) {
        chief__free(key);
        chief__free(bytes);
        return false;
    }
    *to = *f;
    to->key = key;
    if (bytes != NULL) to->value.bytes.data = bytes;
    to->value.destroy = NULL;
    to->value.owner = NULL;
    log->n++;
    return true;
}

static bool has_key(const chief_field *fields, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].key, key) == 0) return true;
    return false;
}

static int check_fields(const chief_field *fields, size_t n) {
    if (fields == NULL && n > 0) return chief__fail(CHIEF_EINVAL, "%zu log fields and no list", n);
    for (size_t i = 0; i < n; i++)
        if (fields[i].key == NULL) return chief__fail(CHIEF_EINVAL, "log field %zu has no key", i);
    return CHIEF_OK;
}

int chief_log_with_fields(chief_log **out, chief_log *log, const chief_field *fields, size_t n) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (log == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = check_fields(fields, n);
    if (rc != CHIEF_OK) return rc;
    chief_log *made = log_alloc(NULL, log->n + n);
    if (made == NULL) return chief__fail_code(CHIEF_ENOMEM);
    bool ok = true;
    for (size_t i = 0; ok && i < log->n; i++)
        if (!has_key(fields, n, log->fields[i].key)) ok = copy_field(made, &log->fields[i]);
    for (size_t i = 0; ok && i < n; i++)
        if (!has_key(fields + i + 1, n - i - 1, fields[i].key)) ok = copy_field(made, &fields[i]);
    if (!ok) {
        chief_log_unref(made);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    made->output = log->output;
    (void)atomic_fetch_add_explicit(&log->output->refs, 1, memory_order_relaxed);
    *out = made;
    return CHIEF_OK;
}

int chief_log_set_level(chief_log *log, int32_t level) {
    if (log == NULL || level < CHIEF_DEBUG || level > CHIEF_OFF)
        return chief__fail(CHIEF_EINVAL, "log level %d is none", (int)level);
    atomic_store_explicit(&log->output->level, level, memory_order_relaxed);
    return CHIEF_OK;
}

/* ---- writing ---- */

#define FIELDS_ON_STACK 16

static void write_record(chief_log *log, chief_record *r, chief_field *all, const chief_field *fields, size_t n) {
    if (log->n > 0) memcpy(all, log->fields, log->n * sizeof *all);
    if (n > 0) memcpy(all + log->n, fields, n * sizeof *all);
    r->fields = all;
    r->n_fields = log->n + n;
    if (log->output->sink != NULL) log->output->sink(log->output->data, r);
    else write_line(log->output, r);
}

int32_t chief__log_level(const chief_log *log) {
    return atomic_load_explicit(&log->output->level, memory_order_relaxed);
}

void chief__log_write_at(chief_log *log, int32_t level, int64_t time_ms, const char *message, const chief_field *fields,
                         size_t n) {
    if (level < chief__log_level(log) || level >= CHIEF_OFF) return;
    chief_record r = {.size = sizeof r, .level = level, .time_ms = time_ms, .message = message != NULL ? message : ""};
    chief_field few[FIELDS_ON_STACK];
    if (log->n + n <= FIELDS_ON_STACK) {
        write_record(log, &r, few, fields, n);
        return;
    }
    chief_field *many = chief__alloc((log->n + n) * sizeof *many);
    if (many != NULL) write_record(log, &r, many, fields, n);
    chief__free(many);
}

void chief_log_write(chief_log *log, int32_t level, const char *message, const chief_field *fields, size_t n) {
    if (log == NULL || level < chief__log_level(log) || check_fields(fields, n) != CHIEF_OK) return;
    chief__log_write_at(log, level, chief__wall_ms(), message, fields, n);
}
