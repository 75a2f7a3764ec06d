#include "refusal.h"

#include <stdio.h>
#include <string.h>

#include "err.h"
#include "log.h"
#include "plat.h"

#define TEXT_SIZE 256
#define ERROR_SIZE 1024

static void describe(const chief__refusal *refusal, char text[TEXT_SIZE]) {
    char from[32];
    char to[32];
    (void)chief_state_to_string(refusal->from, from, sizeof from);
    (void)chief_state_to_string(refusal->to, to, sizeof to);
    (void)snprintf(text, TEXT_SIZE, "worker %s: %s to %s is not a legal change", refusal->worker, from, to);
}

static chief_field text_field(const char *key, const char *text) {
    chief_field field = {.key = key, .value = {.type = CHIEF_BYTES}};
    field.value.bytes.data = text;
    field.value.bytes.len = strlen(text);
    return field;
}

/* Without memory for the default logger the line is lost; the answer and the event are not. */
static void write_line(const chief__refusal *refusal, const char *text) {
    chief_field fields[] = {text_field("worker", refusal->worker), text_field("error", text)};
    chief_log *log = refusal->log;
    if (log == NULL && chief__log_default(&log) != CHIEF_OK) return;
    chief_log_write(log, CHIEF_WARN, "wrong state change", fields, sizeof fields / sizeof *fields);
    chief_log_unref(log);
}

static void tell(const chief__refusal *refusal, const char *text) {
    chief_event event = {.kind = CHIEF_EVENT_WRONG_STATE_CHANGE,
                         .level = CHIEF_WARN,
                         .seq = refusal->seq,
                         .time_ms = chief__now_ms(),
                         .worker = refusal->worker,
                         .generation = refusal->generation,
                         .previous = refusal->from,
                         .state = refusal->to,
                         .error = text};
    if (refusal->watcher != NULL) refusal->watcher(refusal->watcher_data, &event);
    write_line(refusal, text);
}

/* A sink of the host's may call the library and fail, so the error is set after the telling. */
chief_state_t chief__refusal_tell(const chief__refusal *refusal) {
    char text[TEXT_SIZE];
    describe(refusal, text);
    tell(refusal, text);
    return chief__fail(CHIEF_WORKER_WRONG_STATE_CHANGE, "%s", text);
}

void chief__refusal_note(const chief__refusal *refusal) {
    char text[TEXT_SIZE];
    char kept[ERROR_SIZE];
    (void)chief_last_error_take(kept, sizeof kept);
    describe(refusal, text);
    tell(refusal, text);
    (void)chief_set_last_error(CHIEF_OK, kept);
}
