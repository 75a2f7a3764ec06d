#include "proxy.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define SIDE_LIMIT ((size_t)4 * 1024 * 1024) /* bytes of what it says there, which is log records in the main */
#define TEXT_SIZE 512
#define EOF_PATIENCE 1000 /* ms for a leader to end in that has closed its call channel */
#define LOG_FIELDS 32

/* ---- the list of lives ---- */

static void enlist(chief__proxy *p) {
    chief__lock(&p->plan->lock);
    p->next = p->plan->first;
    p->plan->first = p;
    chief__unlock(&p->plan->lock);
}

static void strike(chief__proxy *p) {
    chief__lock(&p->plan->lock);
    chief__proxy **at = &p->plan->first;
    while (*at != NULL && *at != p) at = &(*at)->next;
    if (*at == p) *at = p->next;
    chief__unlock(&p->plan->lock);
}

/* The child of a life, with a reference of the caller's; NULL when there is none (yet). */
static chief__spawned *child_of(chief__plan *plan, const chief_worker *worker) {
    chief__spawned *child = NULL;
    chief__lock(&plan->lock);
    for (const chief__proxy *p = plan->first; p != NULL && child == NULL; p = p->next)
        if (p->worker == worker && p->child != NULL) child = chief__spawned_ref(p->child);
    chief__unlock(&plan->lock);
    return child;
}

/* ---- from other threads ---- */

/* Without memory the child learns by TERM alone that it is to end, and not why. */
static void push_cancel(chief__spawned *child, int64_t until, const char *why) {
    chief__frames out = {0};
    chief__frame_begin(&out, FRAME_CANCEL);
    chief__frame_int(&out, until);
    chief__frame_text(&out, why);
    if (chief__frame_end(&out) == CHIEF_OK) (void)chief__spawned_push(child, out.buf, out.len);
    chief__frames_free(&out);
    chief__spawned_terminate(child);
}

void chief__proxy_cancel(chief_worker *worker, chief__plan *plan, int64_t until, const char *why) {
    chief__spawned *child = child_of(plan, worker);
    if (child == NULL) return; /* it looks when it has one */
    push_cancel(child, until, why);
    chief__spawned_unref(child);
}

/* It may have no instance yet, so its life is looked for. */
static void interrupt(chief_worker *worker, void *instance) {
    (void)instance;
    chief__spawned *child = child_of(chief__worker_data(worker), worker);
    if (child == NULL) return;
    chief__spawned_kill(child);
    chief__spawned_unref(child);
}

/* What was asked before there was a child. */
static void catch_up(chief__proxy *p) {
    char why[TEXT_SIZE];
    chief_context *ctx = chief_worker_context(p->worker);
    if (chief_context_err(ctx) == CHIEF_OK) return;
    (void)chief_context_reason(ctx, why, sizeof why);
    push_cancel(p->child, chief__worker_grace_end(p->worker), why);
    if (chief_worker_interrupt_reason(p->worker, why, sizeof why) > 0) chief__spawned_kill(p->child);
}

/* ---- on the spawner's thread ---- */

/* A child that waits for an answer has said nothing after its question: it is dead in the middle of its run, and what waits
 * on its behalf must not go on. Else the home's thread reads what it had still said. */
static void on_end(void *data, const chief__spawn_end *end) {
    chief__proxy *p = data;
    (void)end;
    chief__lock(&p->lock);
    p->ended = true;
    bool serving = p->serving;
    chief__unlock(&p->lock);
    if (serving) chief__party_abandon(chief__party_of(p->worker));
}

static chief_field log_field(const chief__fields *f) {
    chief_field field = {.key = chief__field_text(f, 0), .value = {.type = (int32_t)f->ints[0]}};
    switch (field.value.type) {
    case CHIEF_BOOL: field.value.boolean = f->ints[1] != 0; break;
    case CHIEF_INTEGER: field.value.integer = f->ints[1]; break;
    case CHIEF_NUMBER: memcpy(&field.value.number, &f->ints[1], sizeof field.value.number); break;
    case CHIEF_BYTES: field.value.bytes = f->bytes[1]; break;
    case CHIEF_POINTER: field.value.pointer = (void *)(uintptr_t)f->ints[1]; break;
    default: field.value.type = CHIEF_NIL; break;
    }
    return field;
}

/* The worker's own logger says who it is. */
static void write_log(const chief__proxy *p, chief__frame *frame) {
    chief_field fields[LOG_FIELDS];
    chief__fields one;
    size_t n = 0;
    while (n < LOG_FIELDS && chief__frame_next(frame, &one)) {
        fields[n] = log_field(&one);
        if (strcmp(fields[n].key, "worker") != 0) n++;
    }
    chief__log_write_at(chief_worker_log(p->worker), (int32_t)frame->fields.ints[0], frame->fields.ints[1],
                        chief__field_text(&frame->fields, 0), fields, n);
}

static bool keep_bytes(chief__proxy *p, const unsigned char *bytes, size_t len) {
    if (p->side_len + len > p->side_size) {
        unsigned char *grown = chief__realloc(p->side, p->side_len + len);
        if (grown == NULL) return false;
        p->side = grown;
        p->side_size = p->side_len + len;
    }
    memcpy(p->side + p->side_len, bytes, len);
    p->side_len += len;
    return true;
}

static void expire(const chief__proxy *p, const chief__fields *f) {
    chief_worker_expire(p->worker, (int32_t)f->ints[0], chief__field_text(f, 0), chief__field_text(f, 1));
}

static int take_side(chief__proxy *p) {
    chief__frame frame;
    size_t used;
    size_t done = 0;
    int rc;
    while ((rc = chief__frame_read(p->side + done, p->side_len - done, SIDE_LIMIT, &frame, &used)) == CHIEF_OK) {
        if (frame.kind == FRAME_LOG) write_log(p, &frame);
        else if (frame.kind == FRAME_EXPIRED) expire(p, &frame.fields);
        else
            return chief__fail(CHIEF_EDATA, "a frame of the kind %s on the side channel",
                               chief__frame_word(frame.kind));
        done += used;
    }
    p->side_len -= done;
    memmove(p->side, p->side + done, p->side_len);
    return rc;
}

/* Bytes that no memory can be had for are a record that is lost, and what follows it would make no sense. */
static bool on_side(void *data, const void *bytes, size_t len) {
    chief__proxy *p = data;
    int rc = keep_bytes(p, bytes, len) ? take_side(p) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_EAGAIN) return true;
    chief__lock(&p->lock);
    (void)chief_last_error_take(p->wrong, sizeof p->wrong);
    chief__unlock(&p->lock);
    return false;
}

/* What there is no room for comes when there is. */
static void on_turn(void *data) {
    chief__proxy *p = data;
    chief__frames out = {0};
    if (p->side_full) return;
    int rc = chief__tell_values(p, &p->by_side, &out);
    p->side_full = rc == CHIEF_OK && out.len > 0 && !chief__spawned_push(p->child, out.buf, out.len);
    if (p->side_full) chief__tell_again(&p->by_side);
    chief__frames_free(&out);
}

static void on_room(void *data) {
    chief__proxy *p = data;
    p->side_full = false;
    on_turn(p);
}

/* ---- what the child is told at first ---- */

static void put_hello(chief__proxy *p) {
    chief_bytes args = chief_worker_args(p->worker);
    p->level = chief__log_level(chief_worker_log(p->worker));
    chief__frame_begin(&p->out, FRAME_HELLO);
    chief__frame_int(&p->out, (int64_t)chief_worker_generation(p->worker));
    chief__frame_int(&p->out, p->level);
    chief__frame_text(&p->out, chief_worker_name(p->worker));
    chief__frame_bytes(&p->out, args.data, args.len);
    chief__frame_bytes(&p->out, p->plan->how.spec.data, p->plan->how.spec.len);
    (void)chief__frame_end(&p->out);
}

static void put_limits(chief__proxy *p) {
    const chief_process *how = &p->plan->how;
    const int64_t numbers[] = {how->umask,     how->memory,    how->cpu, how->files,
                               how->file_size, how->processes, how->core};
    chief__frame_begin(&p->out, FRAME_LIMITS);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) chief__frame_int(&p->out, numbers[i]);
    chief__frame_text(&p->out, how->cwd);
    chief__frame_text(&p->out, how->user);
    chief__frame_text(&p->out, how->group);
    (void)chief__frame_end(&p->out);
}

static void put_schedule(chief__proxy *p) {
    const chief_schedule *when = &p->plan->schedule;
    if (when->every == 0 && when->cron == NULL) return;
    chief__frame_begin(&p->out, FRAME_SCHEDULE);
    chief__frame_int(&p->out, when->later);
    chief__frame_int(&p->out, when->every);
    chief__frame_text(&p->out, when->cron);
    chief__frame_text(&p->out, when->tz);
    (void)chief__frame_end(&p->out);
}

static void put_word(chief__proxy *p, chief__frame_kind kind) {
    chief__frame_begin(&p->out, kind);
    (void)chief__frame_end(&p->out);
}

static int greet(chief__proxy *p) {
    put_hello(p);
    put_limits(p);
    put_schedule(p);
    chief__tell_begin(p);
    int rc = chief__tell_values(p, &p->by_call, &p->out);
    put_word(p, FRAME_SYNC);
    return rc == CHIEF_OK ? chief__proxy_send(p, -1) : rc;
}

/* ---- what it says ---- */

static bool ends_a_part(chief__frame_kind kind) {
    return kind == FRAME_INITIALIZED || kind == FRAME_INIT_FAILED || kind == FRAME_EXITED;
}

/* Serves the child until it says how a part of its life ended. CHIEF_ECLOSED when it has gone without a word. */
static int serve_until(chief__proxy *p, chief__frame *said) {
    for (;;) {
        int rc = chief__wire_read(&p->call, said);
        if (rc != CHIEF_OK || ends_a_part(said->kind)) return rc;
        rc = chief__serve(p, said);
        if (rc != CHIEF_OK && rc != CHIEF_ECLOSED) return rc; /* the way up is read to its end all the same */
    }
}

static const char *text_or_null(const chief__fields *f, size_t i) {
    return f->bytes[i].len > 0 ? chief__field_text(f, i) : NULL;
}

/* The last three of its numbers and texts say why. */
static int take_failure(chief__proxy *p, const chief__frame *said, size_t first) {
    const chief__fields *f = &said->fields;
    chief_worker_set_error(p->worker, (int32_t)f->ints[first], text_or_null(f, 0), text_or_null(f, 1));
    chief_worker_set_exit_code(p->worker, (int32_t)f->ints[first + 1]);
    return CHIEF_EFAILED;
}

/* ---- its end ---- */

static int64_t patience(const chief__proxy *p) {
    int64_t asked = chief__worker_grace_end(p->worker);
    return asked != INT64_MAX ? asked : chief__deadline(p->plan->grace);
}

/* A worker has ended when its whole group has. What is left of that after the leader has had TERM, and has as long as a
 * stop would give it. */
static chief__spawn_end wait_gone(chief__proxy *p, int64_t until) {
    chief__spawn_end end = {0};
    if (chief__spawned_wait(p->child, until, &end)) return end;
    chief__spawned_kill(p->child);
    (void)chief__spawned_wait(p->child, INT64_MAX, &end);
    return end;
}

static bool has_ended(chief__proxy *p) {
    chief__lock(&p->lock);
    bool ended = p->ended;
    chief__unlock(&p->lock);
    return ended;
}

#define NONSENSE "killed for what it said to the chief: "

/* Why it was not its own doing; false when it was. */
static bool was_our_doing(chief__proxy *p, char *text, size_t size) {
    if (chief_worker_interrupt_reason(p->worker, text, size) > 0) return true;
    chief__lock(&p->lock);
    bool wrong = p->wrong[0] != '\0';
    if (wrong) (void)snprintf(text, size, NONSENSE "%s", p->wrong);
    chief__unlock(&p->lock);
    return wrong;
}

static int fail_with(chief__proxy *p, int32_t reason, const char *text) {
    chief_worker_set_error(p->worker, reason, text, NULL);
    return CHIEF_EFAILED;
}

/* It has gone without saying how its run or init ended. */
static int autopsy(chief__proxy *p) {
    char text[TEXT_SIZE];
    chief__party_abandon(chief__party_of(p->worker)); /* what it had in hand is wanted by others at once */
    bool closed = !chief__spawned_wait(p->child, chief__deadline(EOF_PATIENCE), NULL) && !has_ended(p);
    if (closed) chief__spawned_kill(p->child);
    chief__spawn_end end = wait_gone(p, patience(p));
    if (closed) return fail_with(p, CHIEF_REASON_ERROR, "closed its channel to the chief");
    chief_worker_set_exit_code(p->worker, end.signal == 0 && end.code > 0 ? end.code : 0);
    int32_t reason = end.signal != 0 ? CHIEF_REASON_KILLED : CHIEF_REASON_ERROR;
    if (was_our_doing(p, text, sizeof text)) return fail_with(p, reason, text);
    return fail_with(p, reason, chief__spawn_end_text(&end, text, sizeof text));
}

/* It says what makes no sense, or there is no memory to understand it. */
static int put_down(chief__proxy *p, int rc) {
    char why[TEXT_SIZE];
    char text[TEXT_SIZE + sizeof NONSENSE];
    (void)chief_last_error_take(why, sizeof why);
    chief__spawned_kill(p->child);
    (void)wait_gone(p, INT64_MAX);
    (void)snprintf(text, sizeof text, "%s%s", rc == CHIEF_EDATA ? NONSENSE : "killed: ", why);
    return fail_with(p, CHIEF_REASON_KILLED, text);
}

static int end_badly(chief__proxy *p, int rc) { return rc == CHIEF_ECLOSED ? autopsy(p) : put_down(p, rc); }

static void proxy_free(chief__proxy *p) {
    if (p == NULL) return;
    strike(p);
    if (p->child != NULL) chief__spawned_forget(p->child);
    chief__tell_fini(p);
    chief__serve_fini(p);
    chief__wire_fini(&p->call);
    chief__frames_free(&p->out);
    chief__free(p->side);
    chief__spawned_unref(p->child);
    chief__mutex_fini(&p->value_lock);
    chief__mutex_fini(&p->lock);
    chief__free(p);
}

/* ---- the three parts of its life ---- */

static int start_child(chief__proxy *p) {
    chief__spawned *child;
    const chief_process *process = &p->plan->how;
    chief__spawn_how how = {
        .argv = process->argv,
        .n_argv = process->n_argv,
        .env = process->env,
        .n_env = process->n_env,
        .worker = chief_worker_name(p->worker),
        .log = chief_worker_log(p->worker),
        .hooks = {.data = p, .on_end = on_end, .on_side = on_side, .on_room = on_room, .on_turn = on_turn}};
    int rc = chief__spawn(&child, p->plan->spawner, &how);
    if (rc != CHIEF_OK) return rc;
    chief__wire_init(&p->call, chief__spawned_call_fd(child), (size_t)CHIEF__MAX_MESSAGE + CHIEF__SLACK);
    chief__lock(&p->plan->lock);
    p->child = child;
    chief__unlock(&p->plan->lock);
    catch_up(p);
    return CHIEF_OK;
}

static chief__proxy *proxy_new(chief_worker *worker, chief__plan *plan) {
    chief__proxy *p = chief__calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    chief__mutex_init(&p->lock);
    chief__mutex_init(&p->value_lock);
    chief__wire_init(&p->call, -1, 0);
    p->plan = plan;
    p->worker = worker;
    enlist(p);
    return p;
}

/* Its text is the last error. */
static int unborn(chief__proxy *p, chief_worker *worker, int rc) {
    char text[TEXT_SIZE];
    (void)chief_last_error_take(text, sizeof text);
    chief_worker_set_error(worker, CHIEF_REASON_INIT_ERROR, text, NULL);
    proxy_free(p);
    return rc;
}

static int init(chief_worker *worker, void *data, void **instance) {
    chief__frame said;
    chief__proxy *p = proxy_new(worker, data);
    int rc = p != NULL ? start_child(p) : chief__fail_code(CHIEF_ENOMEM);
    if (rc != CHIEF_OK) return unborn(p, worker, rc);
    rc = greet(p);
    if (rc == CHIEF_OK || rc == CHIEF_ECLOSED) rc = serve_until(p, &said);
    if (rc != CHIEF_OK) rc = end_badly(p, rc);
    else if (said.kind == FRAME_INIT_FAILED) rc = take_failure(p, &said, 0);
    else if (said.kind == FRAME_EXITED) rc = put_down(p, chief__fail(CHIEF_EDATA, "its run ended before its init"));
    if (rc == CHIEF_OK) {
        *instance = p;
        return rc;
    }
    (void)wait_gone(p, patience(p));
    proxy_free(p);
    return rc;
}

static int end_of_run(chief__proxy *p) {
    chief__frame said;
    int rc = serve_until(p, &said);
    if (rc != CHIEF_OK) return end_badly(p, rc);
    if (said.kind != FRAME_EXITED) return put_down(p, chief__fail(CHIEF_EDATA, "its init ended twice"));
    rc = said.fields.ints[0] != 0 ? CHIEF_OK : take_failure(p, &said, 1);
    (void)wait_gone(p, patience(p));
    return rc;
}

static int run(chief_worker *worker, void *instance) {
    chief__proxy *p = instance;
    (void)worker;
    put_word(p, FRAME_RUN);
    (void)chief__proxy_send(p, -1); /* a child that has gone is found by what it does not say */
    return end_of_run(p);
}

/* After a run nothing is left to wait for; before one the child is told to end. */
static void fini(void *instance) {
    chief__proxy *p = instance;
    if (!chief__spawned_wait(p->child, 0, NULL)) {
        put_word(p, FRAME_FINISH);
        (void)chief__proxy_send(p, -1);
        (void)end_of_run(p);
    }
    proxy_free(p);
}

static int restart_on_fail(void *data) { return ((const chief__plan *)data)->how.restart_on_fail; }

void chief__proxy_ops(chief_worker_ops *out) {
    *out = (chief_worker_ops){.size = sizeof *out,
                              .init = init,
                              .run = run,
                              .fini = fini,
                              .restart_on_fail = restart_on_fail,
                              .interrupt = interrupt};
}
