#include "inbox.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

struct chief__inbox {
    atomic_uint refs;     /* dropped with release, the last one acquires */
    void (*wake)(void *); /* const after new */
    void *wake_data;      /* const after new */
    chief__mutex lock;
    chief__cond answered;
    /* under lock */
    bool closed;
    chief__report *first_report, *last_report;
    chief__request *first_request, *last_request;
    chief__dropped *first_note, *last_note;
    uint32_t calls;
    uint64_t lost;
};

static _Thread_local const chief__inbox *own; /* compared, never followed: it may be gone */
static _Thread_local bool own_loop;
static _Thread_local unsigned visits; /* of a thread of the host's: the lives that it leads */

int chief__inbox_new(chief__inbox **out, void (*wake)(void *data), void *data) {
    chief__inbox *in = chief__calloc(1, sizeof *in);
    *out = in;
    if (in == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&in->refs, 1);
    in->wake = wake;
    in->wake_data = data;
    chief__mutex_init(&in->lock);
    chief__cond_init(&in->answered);
    return CHIEF_OK;
}

chief__inbox *chief__inbox_ref(chief__inbox *in) {
    if (in != NULL) (void)atomic_fetch_add_explicit(&in->refs, 1, memory_order_relaxed);
    return in;
}

static void drop_notes(chief__inbox *in) {
    chief__dropped *note;
    while ((note = chief__inbox_next_note(in)) != NULL) chief__dropped_free(note);
}

void chief__inbox_unref(chief__inbox *in) {
    if (in == NULL || atomic_fetch_sub_explicit(&in->refs, 1, memory_order_acq_rel) != 1) return;
    drop_notes(in);
    chief__cond_fini(&in->answered);
    chief__mutex_fini(&in->lock);
    chief__free(in);
}

void chief__inbox_close(chief__inbox *in) {
    chief__lock(&in->lock);
    in->closed = true;
    in->first_report = in->last_report = NULL;
    in->calls = 0;
    for (chief__request *r = in->first_request; r != NULL; r = r->next) {
        r->rc = CHIEF_ECLOSED;
        (void)strcpy(r->text, "the chief has stopped");
        r->done = true;
    }
    in->first_request = in->last_request = NULL;
    chief__cond_wake_all(&in->answered);
    chief__unlock(&in->lock);
    drop_notes(in);
}

/* Waking under the lock: the loop closes its side only after it has closed the inbox under this lock. */
static void wake(chief__inbox *in) { in->wake(in->wake_data); }

void chief__inbox_report(chief__inbox *in, chief__report *slot, chief__report_bit bit) {
    if (in == NULL) return;
    chief__lock(&in->lock);
    slot->bits |= (uint32_t)bit;
    if (!in->closed && !slot->queued) {
        slot->queued = true;
        slot->next = NULL;
        if (in->last_report != NULL) in->last_report->next = slot;
        else in->first_report = slot;
        in->last_report = slot;
        wake(in);
    }
    chief__unlock(&in->lock);
}

void chief__inbox_call(chief__inbox *in, chief__call_bit bit) {
    chief__lock(&in->lock);
    if (!in->closed) {
        in->calls |= (uint32_t)bit;
        wake(in);
    }
    chief__unlock(&in->lock);
}

void chief__dropped_free(chief__dropped *note) {
    if (note == NULL) return;
    chief__free(note->channel);
    chief__free(note->worker);
    chief__free(note);
}

static chief__dropped *note_new(const char *channel, const char *worker) {
    chief__dropped *note = chief__calloc(1, sizeof *note);
    if (note == NULL) return NULL;
    note->channel = chief__strdup(channel);
    note->worker = chief__strdup(worker);
    if (note->channel != NULL && note->worker != NULL) return note;
    chief__dropped_free(note);
    return NULL;
}

void chief__inbox_note(chief__inbox *in, const char *channel, const char *worker) {
    chief__dropped *note = note_new(channel, worker);
    chief__lock(&in->lock);
    bool taken = !in->closed && note != NULL;
    if (taken) {
        if (in->last_note != NULL) in->last_note->next = note;
        else in->first_note = note;
        in->last_note = note;
        wake(in);
    } else {
        in->lost++;
    }
    chief__unlock(&in->lock);
    if (!taken) chief__dropped_free(note);
}

int chief__inbox_request(chief__inbox *in, chief__request *request) {
    if (chief__inbox_is_loop(in))
        return chief__fail(CHIEF_EDEADLK, "the chief's own loop can't wait for its own answer");
    chief__lock(&in->lock);
    if (in->closed) {
        chief__unlock(&in->lock);
        return chief__fail(CHIEF_ECLOSED, "the chief has stopped");
    }
    request->next = NULL;
    request->done = false;
    if (in->last_request != NULL) in->last_request->next = request;
    else in->first_request = request;
    in->last_request = request;
    wake(in);
    while (!request->done) (void)chief__cond_wait(&in->answered, &in->lock, INT64_MAX);
    chief__unlock(&in->lock);
    return request->rc < 0 ? chief__fail(request->rc, "%s", request->text) : request->rc;
}

chief__report *chief__inbox_next_report(chief__inbox *in, uint32_t *bits) {
    chief__lock(&in->lock);
    chief__report *slot = in->first_report;
    *bits = 0;
    if (slot != NULL) {
        in->first_report = slot->next;
        if (in->first_report == NULL) in->last_report = NULL;
        *bits = slot->bits;
        slot->bits = 0;
        slot->queued = false;
    }
    chief__unlock(&in->lock);
    return slot;
}

chief__request *chief__inbox_next_request(chief__inbox *in) {
    chief__lock(&in->lock);
    chief__request *request = in->first_request;
    if (request != NULL) {
        in->first_request = request->next;
        if (in->first_request == NULL) in->last_request = NULL;
    }
    chief__unlock(&in->lock);
    return request;
}

chief__dropped *chief__inbox_next_note(chief__inbox *in) {
    chief__lock(&in->lock);
    chief__dropped *note = in->first_note;
    if (note != NULL) {
        in->first_note = note->next;
        if (in->first_note == NULL) in->last_note = NULL;
    }
    chief__unlock(&in->lock);
    return note;
}

uint32_t chief__inbox_take_calls(chief__inbox *in) {
    chief__lock(&in->lock);
    uint32_t calls = in->calls;
    in->calls = 0;
    chief__unlock(&in->lock);
    return calls;
}

uint64_t chief__inbox_take_lost(chief__inbox *in) {
    chief__lock(&in->lock);
    uint64_t lost = in->lost;
    in->lost = 0;
    chief__unlock(&in->lock);
    return lost;
}

void chief__inbox_answer(chief__inbox *in, chief__request *request, int rc) {
    if (rc < 0) (void)chief_last_error_take(request->text, sizeof request->text);
    chief__lock(&in->lock);
    request->rc = rc;
    request->done = true;
    chief__cond_wake_all(&in->answered);
    chief__unlock(&in->lock);
}

void chief__inbox_enter(const chief__inbox *in, bool loop) {
    own = in;
    own_loop = loop;
}

bool chief__inbox_visit(const chief__inbox *in) {
    if (own != NULL && (own != in || visits == 0)) return false;
    own = in;
    visits++;
    return true;
}

void chief__inbox_leave(void) {
    if (--visits == 0) own = NULL;
}

bool chief__inbox_is_own_thread(const chief__inbox *in) { return own == in; }

bool chief__inbox_is_loop(const chief__inbox *in) { return own == in && own_loop; }
