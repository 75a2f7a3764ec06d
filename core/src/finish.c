#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "context.h"
#include "err.h"
#include "loop.h"

/* ---- the result ---- */

/* The names of the workers whose last generation failed, with the text of the first; NULL when there is none, or no
 * memory. */
static char *failed_text(chief *c, size_t *failed) {
    char *text = NULL;
    size_t len = 0;
    *failed = 0;
    for (size_t i = 0; i < c->n_members; i++) {
        const chief__member *m = c->members[i];
        if (m == NULL || m->removed || chief__model_state(c->model, m->id) != CHIEF_WORKER_FAILED) continue;
        char *grown = chief__realloc(text, len + strlen(m->unit->name) + 32);
        (*failed)++;
        if (grown == NULL) continue;
        text = grown;
        len += (size_t)sprintf(text + len, "%s%s", len > 0 ? ", " : "worker failed: ", m->unit->name);
    }
    return text;
}

static char *timeout_text(const chief *c) {
    static const char begin[] = "Graceful exit timeout exceeded: ";
    const char *names = c->names_late != NULL ? c->names_late : "";
    char *text = chief__alloc(sizeof begin + strlen(names));
    if (text != NULL) (void)sprintf(text, "%s%s", begin, names);
    return text;
}

static void settle(chief *c) {
    size_t failed;
    c->result = CHIEF_OK;
    if (c->exit_code == 75) {
        c->result = CHIEF_ETIMEDOUT;
        c->result_text = timeout_text(c);
        return;
    }
    if (c->lost_critical) {
        c->result = CHIEF_EFAILED;
        c->exit_code = 70;
        c->result_text = c->lost;
        c->lost = NULL;
        return;
    }
    c->result_text = failed_text(c, &failed);
    if (failed > 0) {
        c->result = CHIEF_EFAILED;
        c->exit_code = 1;
    }
}

/* ---- closing ---- */

/* The order matters: no thread may send to the loop once its handle closes (the inbox first), and who waits for the end
 * finds everything in its last state. */
static void conclude(chief *c) {
    const char *text;
    c->ended = true;
    settle(c);
    chief__take_notes(c); /* what the last death lost */
    chief_context_cancel(c->context, "the chief has stopped");
    chief__hub_close(c->hub);
    text = c->result == CHIEF_OK ? "" : c->result_text != NULL ? c->result_text : chief_strerror(c->result);
    chief_event e = {
        .kind = CHIEF_EVENT_STOPPED, .level = c->result == CHIEF_OK ? CHIEF_INFO : CHIEF_ERROR, .error = text};
    chief__tell(c, &e);
    chief_field field = {.key = "error", .value = {.type = CHIEF_BYTES}};
    field.value.bytes.data = text;
    field.value.bytes.len = strlen(text);
    chief_log_write(c->log, e.level, "stopped", &field, text[0] != '\0' ? 1 : 0);
    chief__events_close(c->events);
    chief__inbox_close(c->inbox);
    c->homes->close(c);
}

/* ---- hooks ---- */

void chief__hooks_free(chief__hook *first) {
    while (first != NULL) {
        chief__hook *next = first->next;
        chief__free(first);
        first = next;
    }
}

static void hook_run_unref(chief__hook_run *run) {
    if (atomic_fetch_sub_explicit(&run->refs, 1, memory_order_acq_rel) != 1) return;
    chief__hooks_free(run->first);
    chief__inbox_unref(run->inbox);
    chief_context_unref(run->context);
    chief__free(run);
}

static void hooks_main(void *arg) {
    chief__hook_run *run = arg;
    chief__inbox_enter(run->inbox, false);
    for (chief__hook *hook = run->first; hook != NULL; hook = hook->next) hook->run(hook->data);
    chief__inbox_call(run->inbox, CALL_HOOKS_DONE);
    hook_run_unref(run);
}

static chief__hook *take_hooks(chief *c) {
    chief__lock(&c->lock);
    chief__hook *first = c->hooks;
    c->hooks = NULL;
    c->hooks_taken = true;
    chief__unlock(&c->lock);
    return first;
}

/* The thread and the loop have a reference each. */
static int hooks_start(chief *c, chief__hook *first) {
    chief__hook_run *run = chief__calloc(1, sizeof *run);
    if (run == NULL) {
        chief__hooks_free(first);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    atomic_init(&run->refs, 2);
    run->inbox = chief__inbox_ref(c->inbox);
    run->context = chief_context_ref(c->context);
    run->first = first;
    int rc = chief__thread_start(&run->thread, hooks_main, run, c->thread_stack, "chief-hooks");
    if (rc != CHIEF_OK) {
        hook_run_unref(run);
        hook_run_unref(run);
        return rc;
    }
    c->hook_run = run;
    c->hook_deadline = chief__deadline(c->hook_timeout);
    return CHIEF_OK;
}

void chief__end(chief *c) {
    chief__hook *first = take_hooks(c);
    if (first == NULL) {
        conclude(c);
        return;
    }
    if (hooks_start(c, first) == CHIEF_OK) return;
    chief__note(c, CHIEF_ERROR, NULL, "the shutdown hooks could not run: %s", chief_last_error());
    conclude(c);
}

static void hooks_let_go(chief *c) {
    chief__hook_run *run = c->hook_run;
    c->hook_run = NULL;
    if (!chief__thread_try_join(&run->thread)) chief__thread_detach(&run->thread);
    hook_run_unref(run);
}

void chief__hooks_done(chief *c) {
    if (c->hook_run == NULL) return;
    hooks_let_go(c);
    conclude(c);
}

void chief__hooks_late(chief *c) {
    chief_event e = {.kind = CHIEF_EVENT_HOOK_TIMEOUT,
                     .level = CHIEF_ERROR,
                     .error = "a shutdown hook did not end within hook_timeout"};
    chief__tell(c, &e);
    chief_log_write(c->log, CHIEF_ERROR, e.error, NULL, 0);
    hooks_let_go(c);
    conclude(c);
}
