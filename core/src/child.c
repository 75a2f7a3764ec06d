/* child: the side of a process worker that is in the child: one life, led in the calling thread. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "alloc.h"
#include "err.h"
#include "leash.h"
#include "limits.h"
#include "remote.h"
#include "replica.h"
#include "sideline.h"
#include "spawn.h"
#include "worker.h"

#define OPEN_SECONDS 10
#define TEXT_SIZE 512

struct chief_child {
    chief__remote remote; /* what was said at first is const after open */
    chief__sideline side;
    uint64_t generation;
    char *name;
    chief_bytes args;
    chief_bytes spec;
    chief_schedule schedule; /* `size` 0: none */
    bool greeted;
    bool lived;
};

static void hear_beside(void *side, const chief__frame *frame) { (void)chief__sideline_take(side, frame); }

static void say_beside(void *side, chief__frames *frames) { chief__sideline_say(side, frames); }

/* ---- opening ---- */

static int copy(chief_bytes *to, chief_bytes from) {
    to->len = from.len;
    to->data = chief__strndup(from.len > 0 ? from.data : "", from.len);
    return to->data != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static int take_hello(chief_child *child, const chief__fields *f) {
    child->generation = (uint64_t)f->ints[0];
    (void)chief_log_set_level(child->side.log, (int32_t)f->ints[1]);
    child->name = chief__strdup(chief__field_text(f, 0));
    int rc = child->name != NULL ? copy(&child->args, f->bytes[1]) : chief__fail_code(CHIEF_ENOMEM);
    return rc == CHIEF_OK ? copy(&child->spec, f->bytes[2]) : rc;
}

static const char *given(const chief__fields *f, size_t i) {
    const char *text = chief__field_text(f, i);
    return *text != '\0' ? text : NULL;
}

static int take_limits(const chief__fields *f) {
    const chief_process how = {.size = sizeof how,
                               .umask = f->ints[0],
                               .memory = f->ints[1],
                               .cpu = f->ints[2],
                               .files = f->ints[3],
                               .file_size = f->ints[4],
                               .processes = f->ints[5],
                               .core = f->ints[6],
                               .cwd = given(f, 0),
                               .user = given(f, 1),
                               .group = given(f, 2)};
    int rc = chief__limits_apply(&how);
    return rc == CHIEF_OK && how.user != NULL ? chief__leash_renew() : rc;
}

static int keep_text(const char **to, const char *text) {
    chief__free((void *)(uintptr_t)*to);
    *to = text != NULL ? chief__strdup(text) : NULL;
    return text == NULL || *to != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static int take_schedule(chief_schedule *to, const chief__fields *f) {
    to->size = sizeof *to;
    to->later = f->ints[0] != 0;
    to->every = f->ints[1];
    int rc = keep_text(&to->cron, given(f, 0));
    return rc == CHIEF_OK ? keep_text(&to->tz, given(f, 1)) : rc;
}

static int take(chief_child *child, const chief__frame *f) {
    if (f->kind == FRAME_HELLO && child->name == NULL) return take_hello(child, &f->fields);
    if (f->kind == FRAME_SCHEDULE) return take_schedule(&child->schedule, &f->fields);
    if (f->kind == FRAME_LIMITS) return take_limits(&f->fields);
    if (chief__sideline_take(&child->side, f)) return CHIEF_OK;
    return chief__fail(CHIEF_EDATA, "the chief began with %s", chief__frame_word(f->kind));
}

/* All that is said at first, up to SYNC. A limit that can't be set is told when all of it was read. */
static int hear_greeting(chief_child *child) {
    chief__frame f = {.kind = FRAME_HELLO};
    int wrong = CHIEF_OK;
    char text[TEXT_SIZE] = "";
    while (f.kind != FRAME_SYNC) {
        int rc = chief__wire_read(&child->remote.call, &f);
        if (rc == CHIEF_EAGAIN) return chief__fail(CHIEF_ESYS, "the chief said nothing for %d s", OPEN_SECONDS);
        if (rc != CHIEF_OK) return rc;
        rc = take(child, &f);
        if (rc == CHIEF_OK || wrong != CHIEF_OK) continue;
        wrong = rc;
        (void)chief_last_error_take(text, sizeof text);
    }
    child->greeted = child->name != NULL;
    if (wrong != CHIEF_OK) return chief__fail(wrong, "%s", text);
    return child->greeted ? CHIEF_OK : chief__fail(CHIEF_EDATA, "the chief did not say hello");
}

static int limit_waits(int seconds) {
    struct timeval limit = {.tv_sec = seconds};
    int rc = setsockopt(CHIEF__CALL_FD, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return rc == 0 ? CHIEF_OK : chief__fail(CHIEF_ENOTSUP, "descriptor %d does not lead to a chief", CHIEF__CALL_FD);
}

/* What the worker starts has neither. */
static int keep_descriptors(void) {
    for (int fd = CHIEF__CALL_FD; fd <= CHIEF__SIDE_FD; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return chief__fail(CHIEF_ENOTSUP, "this process was not started by a chief: no descriptor %d", fd);
    return limit_waits(OPEN_SECONDS);
}

static void say_word(chief_child *child, chief__frame_kind kind) {
    chief__frame_begin(&child->remote.out, kind);
    (void)chief__frame_end(&child->remote.out);
    (void)chief__remote_say(&child->remote);
}

static int open_child(chief_child *child) {
    int rc = chief__sideline_init(&child->side, CHIEF__SIDE_FD);
    const chief__beside beside = {hear_beside, say_beside, &child->side};
    int made = chief__remote_init(&child->remote, CHIEF__CALL_FD, &beside);
    if (rc == CHIEF_OK) rc = made;
    if (rc == CHIEF_OK) rc = hear_greeting(child);
    if (rc == CHIEF_OK) rc = limit_waits(0);
    if (rc == CHIEF_OK) rc = chief__sideline_start(&child->side);
    return rc;
}

int chief_child_open(chief_child **out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__leash_tie();
    if (rc == CHIEF_OK) rc = keep_descriptors();
    if (rc != CHIEF_OK) return rc;
    chief_child *child = chief__calloc(1, sizeof *child);
    if (child == NULL) return chief__fail_code(CHIEF_ENOMEM);
    rc = open_child(child);
    if (rc == CHIEF_OK) {
        say_word(child, FRAME_OPENED);
        *out = child;
        return rc;
    }
    if (child->greeted) chief_child_refuse(child, chief_last_error());
    chief_child_close(child);
    return rc;
}

chief_bytes chief_child_spec(const chief_child *child) { return child != NULL ? child->spec : (chief_bytes){NULL, 0}; }

/* ---- one life ---- */

/* A name with a number is a replica's, which no other name may look like. */
static int make_unit(chief__unit **out, const chief_child *child, const chief_worker_ops *ops, void *data) {
    char plain[CHIEF__REPLICA_NAME_SIZE];
    chief__unit *unit;
    uint32_t number = chief__replica_number(child->name);
    chief_worker_options options = {.size = sizeof options, .args = child->args};
    if (child->schedule.size > 0) options.schedule = &child->schedule;
    *out = NULL;
    (void)snprintf(plain, sizeof plain, "%s", child->name);
    if (number > 0) plain[chief__replica_stem(child->name)] = '\0';
    int rc = chief__unit_new(&unit, plain, ops, data, &options);
    if (rc != CHIEF_OK || number == 0) {
        *out = unit;
        return rc;
    }
    rc = chief__unit_replica(out, unit, number);
    chief__unit_unref(unit);
    return rc;
}

static int make_worker(chief_worker **out, chief_child *child, const chief_worker_ops *ops, void *data) {
    chief__unit *unit;
    chief__surroundings around = {.context = child->side.context, .log = child->side.log, .far = &child->remote.far};
    *out = NULL;
    int rc = make_unit(&unit, child, ops, data);
    if (rc == CHIEF_OK) rc = chief__worker_new(out, unit, child->generation, &around);
    chief__unit_unref(unit);
    return rc;
}

/* `clean` counts for EXITED only. */
static void tell_end(chief_child *child, chief_worker *w, chief__frame_kind kind, bool clean) {
    char *error;
    char *traceback;
    chief__frames *out = &child->remote.out;
    clean = clean && chief__worker_expiry(w) == CHIEF_REASON_NONE; /* which may come there after this */
    int32_t reason = chief__worker_take_failure(w, &error, &traceback);
    chief__lock(&child->remote.lock);
    chief__frame_begin(out, kind);
    if (kind == FRAME_EXITED) chief__frame_int(out, clean);
    chief__frame_int(out, clean ? CHIEF_REASON_OK : reason);
    chief__frame_int(out, clean ? 0 : chief__worker_exit_code(w));
    chief__frame_text(out, clean ? NULL : error);
    chief__frame_text(out, clean ? NULL : traceback);
    (void)chief__frame_end(out);
    (void)chief__remote_say(&child->remote);
    chief__unlock(&child->remote.lock);
    chief__free(error);
    chief__free(traceback);
}

static int wait_for_word(chief_child *child, chief__frame_kind *word) {
    chief__frame f;
    chief__lock(&child->remote.lock);
    int rc = chief__remote_hear(&child->remote, &f);
    chief__unlock(&child->remote.lock);
    *word = rc == CHIEF_OK ? f.kind : FRAME_FINISH;
    if (rc != CHIEF_OK || f.kind == FRAME_RUN || f.kind == FRAME_FINISH) return rc;
    *word = FRAME_FINISH;
    return chief__fail(CHIEF_EDATA, "the chief's word is %s", chief__frame_word(f.kind));
}

static int live(chief_child *child, chief_worker *w) {
    chief__frame_kind word;
    if (chief__worker_init(w) != CHIEF_OK) {
        tell_end(child, w, FRAME_INIT_FAILED, false);
        return chief__fail_code(CHIEF_EFAILED);
    }
    chief__lock(&child->remote.lock);
    say_word(child, FRAME_INITIALIZED);
    chief__unlock(&child->remote.lock);
    int rc = wait_for_word(child, &word);
    if (word == FRAME_FINISH) chief__worker_fini(w, true);
    else rc = chief__worker_exec(w);
    tell_end(child, w, FRAME_EXITED, rc == CHIEF_OK);
    if (rc != CHIEF_EFAILED) return rc;
    return child->remote.broken == CHIEF_ECLOSED ? chief__fail_code(CHIEF_ECLOSED) : chief__fail_code(rc);
}

int chief_child_run(chief_child *child, const chief_worker_ops *ops, void *data) {
    chief_worker *w;
    if (child == NULL || ops == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (child->lived) return chief__fail(CHIEF_EBUSY, "this process has lived its generation");
    child->lived = true;
    int rc = make_worker(&w, child, ops, data);
    if (rc != CHIEF_OK) {
        chief_child_refuse(child, chief_last_error());
        return rc;
    }
    rc = live(child, w);
    chief__worker_unref(w);
    return rc;
}

/* ---- the end ---- */

void chief_child_refuse(chief_child *child, const char *text) {
    if (child == NULL) return;
    chief__frames *out = &child->remote.out;
    char kept[TEXT_SIZE]; /* it may be the last error, which this thread's next call changes */
    (void)snprintf(kept, sizeof kept, "%s", text != NULL ? text : "");
    child->lived = true;
    chief__frame_begin(out, FRAME_INIT_FAILED);
    chief__frame_int(out, CHIEF_REASON_INIT_ERROR);
    chief__frame_int(out, 0);
    chief__frame_text(out, kept);
    chief__frame_text(out, NULL);
    (void)chief__frame_end(out);
    (void)chief__remote_say(&child->remote);
    (void)chief_set_last_error(CHIEF_EFAILED, kept);
}

void chief_child_close(chief_child *child) {
    if (child == NULL) return;
    chief__sideline_fini(&child->side);
    chief__remote_fini(&child->remote);
    chief__fd_close(CHIEF__CALL_FD);
    chief__fd_close(CHIEF__SIDE_FD);
    chief__free(child->name);
    chief__free((void *)(uintptr_t)child->args.data);
    chief__free((void *)(uintptr_t)child->spec.data);
    chief__free((void *)(uintptr_t)child->schedule.cron);
    chief__free((void *)(uintptr_t)child->schedule.tz);
    chief__free(child);
}
