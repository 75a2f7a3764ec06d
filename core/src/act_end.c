/* act_end: what the loop does when a worker that has ended is to be restarted or given up: it says so, and why. */
#include <stdarg.h>
#include <stdio.h>

#include "alloc.h"
#include "loop.h"

#define WHY_SIZE 128

void chief__act_restart(chief *c, chief__member *member, const chief__action *a) {
    char message[64];
    char with[WHY_SIZE] = "";
    const char *other = chief__model_name(c->model, a->other);
    member->restarts++;
    (void)snprintf(message, sizeof message, "restart in %.3f s", (double)a->delay / 1000);
    if (other != NULL) (void)snprintf(with, sizeof with, "its group restarts with %s", other);
    chief_event e = {.kind = CHIEF_EVENT_RESTART, .level = CHIEF_INFO, .delay_ms = a->delay, .error = with};
    chief__tell_worker(c, member, &e, message);
}

static void write_why(char *buf, size_t size, const chief__action *a) {
    switch (a->why) {
    case WHY_NONE: buf[0] = '\0'; break;
    case WHY_POLICY: (void)snprintf(buf, size, "it is not restarted after a failure"); break;
    case WHY_INTENSITY:
        (void)snprintf(buf, size, "%u failure%s in %.1f s", (unsigned)a->count, a->count == 1 ? "" : "s",
                       (double)a->window / 1000);
        break;
    case WHY_CODE: (void)snprintf(buf, size, "its exit code %d is one of no_restart_codes", (int)a->code); break;
    case WHY_BUDGET:
        (void)snprintf(buf, size, "all together were to be restarted more than %u time%s in %.1f s", (unsigned)a->count,
                       a->count == 1 ? "" : "s", (double)a->window / 1000);
        break;
    case WHY_ANSWER: (void)snprintf(buf, size, "on_exit has said so"); break;
    case WHY_ABANDONED: (void)snprintf(buf, size, "its thread has not ended"); break;
    }
}

/* NULL without memory. */
static char *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *sentence(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : chief__alloc((size_t)len + 1);
    if (text == NULL) return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

static const char *last_error(const chief__member *member) {
    const char *error = chief__entry_error(member->entry);
    return error != NULL ? error : "no reason is known";
}

/* The phase was recorded just before; its reason comes with it. */
static void record_why(chief *c, const chief__member *member, const char *why) {
    if (member->phase != CHIEF_PHASE_GIVEN_UP) return;
    chief__change change = {.phase = member->phase,
                            .until = INT64_MAX,
                            .generation = member->generation,
                            .restarts = member->restarts,
                            .waiting_for = why};
    chief__pool_record(c->pool, member->entry, &change);
}

void chief__act_given_up(chief *c, chief__member *member, const chief__action *a) {
    char why[WHY_SIZE];
    write_why(why, sizeof why, a);
    (void)chief__hub_open_worker(c->hub, member->unit->name, false);
    record_why(c, member, why);
    char *text = sentence("given up: %s: %s", why, last_error(member));
    chief_event e = {.kind = CHIEF_EVENT_GIVEN_UP, .level = CHIEF_WARN, .error = text != NULL ? text : why};
    chief__tell_worker(c, member, &e, "worker given up: it will not be restarted");
    chief__free(text);
}

void chief__act_critical(chief *c, const chief__member *member, const chief__action *a) {
    char why[WHY_SIZE];
    write_why(why, sizeof why, a);
    c->lost_critical = true;
    const char *what = a->why == WHY_BUDGET ? "restart budget spent, worker" : "critical worker";
    c->lost = sentence("%s %s given up: %s: %s", what, member->unit->name, why, last_error(member));
    if (c->stop_why == NULL) c->stop_why = c->lost != NULL ? c->lost : "a critical worker was given up";
}
