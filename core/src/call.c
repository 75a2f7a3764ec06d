#include "call.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "msg.h"

#define NAME_SIZE 65

typedef enum state { OPEN, REPLIED, FAILED, UNANSWERED, GONE } state;

struct chief__call {
    atomic_uint refs;     /* dropped with release, the last one acquires */
    chief__counter *late; /* this and the next three: const after new; NULL in one that came from afar */
    chief__far *far;      /* where it is answered; NULL: here */
    int64_t number;       /* its name there */
    char callee[NAME_SIZE];
    chief__mutex lock;
    /* under lock */
    state state;
    chief_msg *answer; /* the reply, or the text of the failure */
    chief__queue caller;
};

/* ---- life ---- */

chief__counter *chief__counter_new(void) {
    chief__counter *counter = chief__calloc(1, sizeof *counter);
    if (counter != NULL) atomic_init(&counter->refs, 1);
    return counter;
}

void chief__counter_unref(chief__counter *counter) {
    if (counter != NULL && atomic_fetch_sub_explicit(&counter->refs, 1, memory_order_acq_rel) == 1)
        chief__free(counter);
}

chief__call *chief__call_new(const char *callee, chief__counter *late) {
    chief__call *call = chief__calloc(1, sizeof *call);
    if (call == NULL) return NULL;
    atomic_init(&call->refs, 1);
    chief__mutex_init(&call->lock);
    (void)strncpy(call->callee, callee, sizeof call->callee - 1);
    (void)atomic_fetch_add_explicit(&late->refs, 1, memory_order_relaxed);
    call->late = late;
    return call;
}

chief__call *chief__call_new_far(chief__far *far, int64_t number) {
    chief__call *call = chief__calloc(1, sizeof *call);
    if (call == NULL) return NULL;
    atomic_init(&call->refs, 1);
    chief__mutex_init(&call->lock);
    call->far = far;
    call->number = number;
    return call;
}

chief__call *chief__call_ref(chief__call *call) {
    (void)atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
    return call;
}

void chief__call_unref(chief__call *call) {
    if (call == NULL || atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) != 1) return;
    chief_msg_free(call->answer);
    chief__counter_unref(call->late);
    chief__mutex_fini(&call->lock);
    chief__free(call);
}

/* ---- the callee's side ---- */

/* True when the call was still open and is answered now; then `answer` is the call's. */
static bool settle(chief__call *call, state how, chief_msg *answer) {
    chief__lock(&call->lock);
    bool open = call->state == OPEN;
    if (open) {
        call->state = how;
        call->answer = answer;
        chief__queue_wake_all(&call->caller);
    }
    chief__unlock(&call->lock);
    return open;
}

void chief__call_end(chief__call *call) { (void)settle(call, UNANSWERED, NULL); }

bool chief__call_is_open(chief__call *call) {
    chief__lock(&call->lock);
    bool open = call->state == OPEN;
    chief__unlock(&call->lock);
    return open;
}

int chief__call_too_late(chief__counter *late) {
    (void)atomic_fetch_add_explicit(&late->n, 1, memory_order_relaxed);
    return chief__fail(CHIEF_ENOENT, "the call was answered before, or its caller has gone");
}

static int answer_with(chief_msg *msg, state how, const void *data, size_t len) {
    if (msg == NULL || (data == NULL && len > 0)) return chief__fail_code(CHIEF_EINVAL);
    if (msg->call == NULL) return chief__fail(CHIEF_ENOENT, "this message is not a call: there is nobody to answer");
    if (len > (size_t)CHIEF__MAX_MESSAGE)
        return chief__fail(CHIEF_ETOOBIG, "a reply of %zu bytes is more than %zu", len, (size_t)CHIEF__MAX_MESSAGE);
    if (msg->call->far != NULL)
        return msg->call->far->ops->answer(msg->call->far, msg->call->number, how == FAILED, data, len);
    chief_msg *answer = chief__msg_new(msg->call->callee, msg->channel, data, len);
    if (answer == NULL) return chief__fail_code(CHIEF_ENOMEM);
    if (settle(msg->call, how, answer)) return CHIEF_OK;
    chief_msg_free(answer);
    return chief__call_too_late(msg->call->late);
}

int chief__call_answer(chief_msg *msg, bool failed, const void *data, size_t len) {
    return answer_with(msg, failed ? FAILED : REPLIED, data, len);
}

int chief_msg_reply(chief_msg *msg, const void *data, size_t len) { return answer_with(msg, REPLIED, data, len); }

int chief_msg_fail(chief_msg *msg, const char *text) {
    return answer_with(msg, FAILED, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

/* ---- the caller's side ---- */

/* With the lock held: what the caller gets, CHIEF_EAGAIN while there is nothing. The answer moves to the caller. */
static int outcome(chief__call *call, chief_msg **answer) {
    *answer = call->answer;
    call->answer = NULL;
    switch (call->state) {
    case REPLIED: return CHIEF_OK;
    case FAILED: return CHIEF_ECALL;
    case OPEN: return CHIEF_EAGAIN;
    default: return CHIEF_ENOREPLY;
    }
}

static int explain(const chief__call *call, int rc, const chief_msg *answer) {
    switch (rc) {
    case CHIEF_OK: return rc;
    case CHIEF_ECALL:
        if (answer == NULL) return chief__fail_code(rc);
        return chief__fail(rc, "%.*s", (int)answer->len, (const char *)answer->data);
    case CHIEF_ENOREPLY: return chief__fail(rc, "no reply from worker \"%s\"", call->callee);
    case CHIEF_ETIMEDOUT: return chief__fail(rc, "worker \"%s\" did not answer in time", call->callee);
    default: return chief__fail_code(rc);
    }
}

int chief__call_explain(const chief__call *call, int rc) { return explain(call, rc, NULL); }

int chief__call_take(chief__call *call, chief_msg **reply) {
    chief_msg *answer;
    chief__lock(&call->lock);
    int rc = outcome(call, &answer);
    if (rc != CHIEF_EAGAIN) call->state = GONE;
    chief__unlock(&call->lock);
    (void)explain(call, rc, answer);
    if (rc == CHIEF_OK) *reply = answer;
    else chief_msg_free(answer);
    return rc;
}

void chief__call_leave(chief__call *call) {
    chief__lock(&call->lock);
    chief_msg *answer = call->answer;
    call->answer = NULL;
    call->state = GONE;
    chief__unlock(&call->lock);
    chief_msg_free(answer);
}

bool chief__call_join(chief__call *call, chief__place *place, chief__waiter *waiter) {
    chief__lock(&call->lock);
    bool open = call->state == OPEN;
    if (open) chief__queue_join(&call->caller, place, waiter);
    chief__unlock(&call->lock);
    return open;
}

void chief__call_unjoin(chief__call *call, chief__place *place) {
    chief__lock(&call->lock);
    (void)chief__queue_leave(&call->caller, place);
    chief__unlock(&call->lock);
}

int chief__call_wait(chief__call *call, chief__party *party, int64_t deadline, chief_msg **reply) {
    chief__stay stay;
    chief__place place = {0};
    chief_msg *answer = NULL;
    int rc;
    chief__stay_begin(&stay, party);
    chief__lock(&call->lock);
    while ((rc = outcome(call, &answer)) == CHIEF_EAGAIN) {
        rc = chief__stay_over(party, deadline);
        if (rc != CHIEF_OK) break;
        chief__queue_join(&call->caller, &place, stay.waiter);
        chief__unlock(&call->lock);
        chief__stay_park(&stay, deadline);
        chief__lock(&call->lock);
        (void)chief__queue_leave(&call->caller, &place);
    }
    call->state = GONE;
    chief__unlock(&call->lock);
    (void)explain(call, rc, answer);
    if (rc == CHIEF_OK) *reply = answer;
    else chief_msg_free(answer);
    return rc;
}
