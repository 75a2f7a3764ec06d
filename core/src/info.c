#include "info.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "json.h"
#include "log.h"

#define NAME_SIZE 128

static int copy(char **out, const char *text) {
    if (text == NULL) return CHIEF_OK;
    *out = chief__strdup(text);
    return *out != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

int chief__info_take(chief *c, const chief_app_info *given) {
    chief_app_info info;
    int rc = chief__options_read(&info, sizeof info, given, "chief_app_info");
    if (rc == CHIEF_OK) rc = copy(&c->about.version, info.version);
    if (rc == CHIEF_OK) rc = copy(&c->about.build, info.build);
    if (rc == CHIEF_OK) rc = copy(&c->about.tag, info.tag);
    return rc;
}

void chief__info_clear(chief *c) {
    chief__free(c->about.version);
    chief__free(c->about.build);
    chief__free(c->about.tag);
}

static const char *or_empty(const char *text) { return text != NULL ? text : ""; }

static chief_app_info info_of(const chief *c) {
    chief_app_info info = {.size = sizeof info,
                           .pid = c->about.pid,
                           .started_ms = c->about.started_ms,
                           .name = c->name,
                           .version = or_empty(c->about.version),
                           .build = or_empty(c->about.build),
                           .tag = or_empty(c->about.tag)};
    return info;
}

/* ---- in snapshots ---- */

static void put_pair(chief__writer *w, const char *key, const char *text) {
    if (text[0] == '\0') return;
    chief__put_text(w, key);
    chief__put_string(w, text, strlen(text));
}

static size_t put_info(const chief_app_info *info, char *buf, size_t size) {
    chief__writer w = {.buf = buf, .size = buf != NULL ? size : 0};
    chief__put_text(&w, "{\"name\":");
    chief__put_string(&w, info->name, strlen(info->name));
    put_pair(&w, ",\"version\":", info->version);
    put_pair(&w, ",\"build\":", info->build);
    put_pair(&w, ",\"tag\":", info->tag);
    put_pair(&w, ",\"chief\":", CHIEF_VERSION);
    if (info->started_ms != 0) {
        chief__put_text(&w, ",\"pid\":");
        chief__put_integer(&w, info->pid);
        chief__put_text(&w, ",\"started_at\":\"");
        chief__put_time(&w, info->started_ms);
        chief__put(&w, "\"", 1);
    }
    chief__put(&w, "}", 1);
    return chief__writer_end(&w);
}

/* Writes the text as far as it goes, under the lock, so that it is of one moment. */
static size_t write_now(chief *c, char *buf, size_t size) {
    chief__lock(&c->lock);
    chief_app_info info = info_of(c);
    size_t len = put_info(&info, buf, size);
    chief__unlock(&c->lock);
    return len;
}

static void note_start(chief *c) {
    chief__lock(&c->lock);
    c->about.started_ms = chief__wall_ms();
    c->about.pid = chief__pid();
    chief__unlock(&c->lock);
}

/* Memory is taken outside the lock; when the name has become longer meanwhile, again. */
int chief__info_show(chief *c, bool start) {
    char *text = NULL;
    size_t size = 0;
    if (start) note_start(c);
    for (size_t len; (len = write_now(c, text, size)) >= size;) {
        chief__free(text);
        size = len + 1;
        text = chief__alloc(size);
        if (text == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    chief__pool_set_app(c->pool, text);
    return CHIEF_OK;
}

/* ---- in the log ---- */

static void add(chief_field *fields, size_t *n, const char *key, const char *text) {
    if (text[0] == '\0') return;
    chief_field *field = &fields[(*n)++];
    *field = (chief_field){.key = key, .value = {.type = CHIEF_BYTES}};
    field->value.bytes.data = text;
    field->value.bytes.len = strlen(text);
}

void chief__info_log(chief *c) {
    chief_field fields[6];
    char name[NAME_SIZE]; /* the host may change it meanwhile */
    size_t n = 0;
    chief__lock(&c->lock);
    chief_app_info info = info_of(c);
    (void)snprintf(name, sizeof name, "%s", info.name);
    chief__unlock(&c->lock);
    add(fields, &n, "app", name);
    add(fields, &n, "version", info.version);
    add(fields, &n, "build", info.build);
    add(fields, &n, "tag", info.tag);
    add(fields, &n, "chief", CHIEF_VERSION);
    fields[n++] = (chief_field){.key = "pid", .value = {.type = CHIEF_INTEGER, .integer = info.pid}};
    chief_log_write(c->log, CHIEF_INFO, "starting", fields, n);
}

int chief_get_info(chief *c, chief_app_info *out) {
    chief_app_info mine;
    int rc = chief__check(c);
    if (rc != CHIEF_OK) return rc;
    if (out == NULL || out->size < sizeof out->size) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&c->lock);
    mine = info_of(c);
    chief__unlock(&c->lock);
    uint32_t size = out->size;
    size_t known = size < sizeof mine ? size : sizeof mine;
    memcpy(out, &mine, known);
    memset((char *)out + known, 0, size - known);
    out->size = size;
    return CHIEF_OK;
}
