#include "snapshot.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "json.h"
#include "state.h"

const char *chief_phase_name(int32_t phase) {
    static const char *const names[] = {"idle", "waiting", "starting", "up", "stopping", "abandoned", "given_up"};
    return phase >= 0 && phase <= CHIEF_PHASE_GIVEN_UP ? names[phase] : "";
}

const char *chief_reason_name(int32_t reason) {
    static const char *const names[] = {
        "",         "ok",           "error",  "lua_error", "init_error", "start_timeout",
        "watchdog", "memory_limit", "killed", "cancelled"};
    return reason >= 0 && reason <= CHIEF_REASON_CANCELLED ? names[reason] : "";
}

chief_snapshot *chief__snapshot_new(size_t n, size_t text_size) {
    size_t head = sizeof(chief_snapshot) + n * sizeof(chief_worker_status);
    chief_snapshot *s = chief__alloc(head + text_size);
    if (s == NULL) return NULL;
    s->seq = 0;
    s->n = 0;
    s->capacity = n;
    s->app = "";
    s->text = (char *)s + head;
    s->end = s->text + text_size;
    return s;
}

static size_t text_size(const char *text) { return text != NULL ? strlen(text) + 1 : 1; }

size_t chief__snapshot_text_size(const chief_worker_status *status) {
    return text_size(status->name) + text_size(status->waiting_for) + text_size(status->error) +
           text_size(status->traceback) + text_size(status->why);
}

static const char *put_text(chief_snapshot *s, const char *text) {
    size_t size = text_size(text);
    char *to = s->text;
    memcpy(to, text != NULL ? text : "", size);
    s->text += size;
    return to;
}

void chief__snapshot_set_app(chief_snapshot *s, const char *json) { s->app = put_text(s, json); }

void chief__snapshot_add(chief_snapshot *s, const chief_worker_status *status) {
    chief_worker_status *to = &s->workers[s->n++];
    *to = *status;
    to->size = sizeof *to;
    to->name = put_text(s, status->name);
    to->waiting_for = put_text(s, status->waiting_for);
    to->error = put_text(s, status->error);
    to->traceback = put_text(s, status->traceback);
    to->why = put_text(s, status->why);
}

size_t chief_snapshot_len(const chief_snapshot *snapshot) { return snapshot != NULL ? snapshot->n : 0; }

const chief_worker_status *chief_snapshot_at(const chief_snapshot *snapshot, size_t i) {
    return snapshot != NULL && i < snapshot->n ? &snapshot->workers[i] : NULL;
}

const chief_worker_status *chief_snapshot_find(const chief_snapshot *snapshot, const char *name) {
    for (size_t i = 0; name != NULL && i < chief_snapshot_len(snapshot); i++)
        if (strcmp(snapshot->workers[i].name, name) == 0) return &snapshot->workers[i];
    return NULL;
}

uint64_t chief_snapshot_seq(const chief_snapshot *snapshot) { return snapshot != NULL ? snapshot->seq : 0; }

void chief_snapshot_free(chief_snapshot *snapshot) { chief__free(snapshot); }

/* ---- JSON ---- */

static void put_pair(chief__writer *w, const char *key, const char *text) {
    chief__put_text(w, key);
    chief__put_string(w, text, strlen(text));
}

static void put_count(chief__writer *w, const char *key, int64_t n) {
    chief__put_text(w, key);
    chief__put_integer(w, n);
}

static void put_status(chief__writer *w, const chief_worker_status *s) {
    char state[32];
    (void)chief_state_to_string(s->state, state, sizeof state);
    put_pair(w, "{\"name\":", s->name);
    put_pair(w, ",\"state\":", state);
    put_pair(w, ",\"phase\":", chief_phase_name(s->phase));
    put_count(w, ",\"generation\":", (int64_t)s->generation);
    put_count(w, ",\"restarts\":", (int64_t)s->restarts);
    if (s->slow != 0) chief__put_text(w, ",\"slow\":true");
    if (s->until_ms >= 0) put_count(w, ",\"until_ms\":", s->until_ms);
    if (s->waiting_for[0] != '\0') put_pair(w, ",\"waiting_for\":", s->waiting_for);
    if (s->why[0] != '\0') put_pair(w, ",\"why\":", s->why);
    if (s->reason != CHIEF_REASON_NONE) put_pair(w, ",\"reason\":", chief_reason_name(s->reason));
    if (s->error[0] != '\0') put_pair(w, ",\"error\":", s->error);
    if (s->traceback[0] != '\0') put_pair(w, ",\"traceback\":", s->traceback);
    chief__put(w, "}", 1);
}

size_t chief_snapshot_json(const chief_snapshot *snapshot, char *buf, size_t size) {
    chief__writer w = {.buf = buf, .size = buf != NULL ? size : 0};
    put_count(&w, "{\"seq\":", (int64_t)chief_snapshot_seq(snapshot));
    if (snapshot != NULL && snapshot->app[0] != '\0') {
        chief__put_text(&w, ",\"app\":");
        chief__put_text(&w, snapshot->app);
    }
    chief__put_text(&w, ",\"workers\":[");
    for (size_t i = 0; i < chief_snapshot_len(snapshot); i++) {
        if (i > 0) chief__put(&w, ",", 1);
        put_status(&w, &snapshot->workers[i]);
    }
    chief__put_text(&w, "]}");
    return chief__writer_end(&w);
}
