#include "msg.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "party.h"

struct chief__body {
    atomic_uint refs; /* dropped with release, the last one acquires */
    size_t len;
    unsigned char data[];
};

struct chief__call {
    atomic_uint refs; /* as above */
    chief__counter *late; /* const after new */
    chief__mutex lock;
    /* under lock */
    enum { CALL_OPEN, CALL_REPLIED, CALL_FAILED, CALL_UNANSWERED, CALL_GONE } state;
    chief_msg *reply; /* the answer, or the text of the failure */
    chief__queue caller;
};

/* ---- labels and counters ---- */

chief__label *chief__label_new(const char *text) {
    size_t len = strlen(text);
    chief__label *label = chief__alloc(sizeof *label + len + 1);
    if (label == NULL) return NULL;
    atomic_init(&label->refs, 1);
    memcpy(label->text, text, len + 1);
    return label;
}

chief__label *chief__label_ref(chief__label *label) {
    (void)atomic_fetch_add_explicit(&label->refs, 1, memory_order_relaxed);
    return label;
}

void chief__label_unref(chief__label *label) {
    if (label != NULL && atomic_fetch_sub_explicit(&label->refs, 1, memory_order_acq_rel) == 1) chief__free(label);
}

chief__counter *chief__counter_new(void) {
    chief__counter *counter = chief__calloc(1, sizeof *counter);
    if (counter != NULL) atomic_init(&counter->refs, 1);
    return counter;
}

chief__counter *chief__counter_ref(chief__counter *counter) {
    (void)atomic_fetch_add_explicit(&counter->refs, 1, memory_order_relaxed);
    return counter;
}

void chief__counter_unref(chief__counter *counter) {
    if (counter != NULL && atomic_fetch_sub_explicit(&counter->refs, 1, memory_order_acq_rel) == 1)
        chief__free(counter);
}

/* ---- messages ---- */

static chief_msg *msg_alloc(const char *sender, chief__label *channel, size_t len, unsigned char **data) {
    size_t name = strlen(sender != NULL ? sender : "") + 1;
    if (len > SIZE_MAX / 2) return NULL;
    chief_msg *msg = chief__alloc(sizeof *msg + name + len);
    if (msg == NULL) return NULL;
    memset(msg, 0, sizeof *msg);
    atomic_init(&msg->refs, 1);
    msg->channel = chief__label_ref(channel);
    memcpy(msg->sender, sender != NULL ? sender : "", name);
    *data = (unsigned char *)msg->sender + name;
    return msg;
}

chief_msg *chief__msg_new(const char *sender, chief__label *channel, const void *data, size_t len) {
    unsigned char *to;
    chief_msg *msg = msg_alloc(sender, channel, len, &to);
    if (msg == NULL) return NULL;
    if (data != NULL && len > 0) memcpy(to, data, len);
    msg->data = to;
    msg->len = len;
    return msg;
}

chief_msg *chief__msg_new_shared(const char *sender, chief__label *channel, chief__body *body) {
    unsigned char *to;
    chief_msg *msg = msg_alloc(sender, channel, 0, &to);
    if (msg == NULL) return NULL;
    (void)atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
    msg->body = body;
    msg->data = body->data;
    msg->len = body->len;
    return msg;
}

chief__body *chief__body_new(const void *data, size_t len) {
    if (len > SIZE_MAX / 2) return NULL;
    chief__body *body = chief__alloc(sizeof *body + len);
    if (body == NULL) return NULL;
    atomic_init(&body->refs, 1);
    body->len = len;
    if (len > 0) memcpy(body->data, data, len);
    return body;
}

void chief__body_unref(chief__body *body) {
    if (body != NULL && atomic_fetch_sub_explicit(&body->refs, 1, memory_order_acq_rel) == 1) chief__free(body);
}

chief_msg *chief__msg_ref(chief_msg *msg) {
    (void)atomic_fetch_add_explicit(&msg->refs, 1, memory_order_relaxed);
    return msg;
}

void chief_msg_free(chief_msg *msg) {
    if (msg == NULL || atomic_fetch_sub_explicit(&msg->refs, 1, memory_order_acq_rel) != 1) return;
    chief__call_unref(msg->call);
    chief__body_unref(msg->body);
    chief__label_unref(msg->channel);
    chief__free(msg);
}

chief_bytes chief_msg_data(const chief_msg *msg) { return (chief_bytes){msg->data, msg->len}; }

const char *chief_msg_sender(const chief_msg *msg) { return msg->sender; }

const char *chief_msg_channel(const chief_msg *msg) { return msg->channel->text; }

const char *chief_msg_kind(const chief_msg *msg) {
    static const char *const names[] = {"message", "call", "broadcast"};
    return names[msg->kind];
}

uint32_t chief_msg_deliveries(const chief_msg *msg) {
    return atomic_load_explicit(&msg->deliveries, memory_order_relaxed);
}

/* ---- lists ---- */

void chief__list_push(chief__msg_list *list, chief_msg *msg) {
    msg->next = NULL;
    if (list->last != NULL) list->last->next = msg;
    else list->first = msg;
    list->last = msg;
    list->len++;
}

chief_msg *chief__list_pop(chief__msg_list *list) {
    chief_msg *msg = list->first;
    if (msg == NULL) return NULL;
    list->first = msg->next;
    if (list->first == NULL) list->last = NULL;
    list->len--;
    return msg;
}

void chief__list_append(chief__msg_list *list, chief__msg_list *more) {
    if (more->first == NULL) return;
    if (list->last != NULL) list->last->next = more->first;
    else list->first = more->first;
    list->last = more->last;
    list->len += more->len;
    memset(more, 0, sizeof *more);
}

void chief__list_discard(chief__msg_list *list) {
    chief_msg *msg;
    while ((msg = chief__list_pop(list)) != NULL) {
        if (msg->call != NULL) chief__call_end(msg->call);
        chief_msg_free(msg);
    }
}

/* ---- calls ---- */

chief__call *chief__call_new(chief__counter *late) {
    chief__call *call = chief__calloc(1, sizeof *call);
    if (call == NULL) return NULL;
    atomic_init(&call->refs, 1);
    chief__mutex_init(&call->lock);
    call->late = chief__counter_ref(late);
    return call;
}

void chief__call_unref(chief__call *call) {
    if (call == NULL || atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) != 1) return;
    chief_msg_free(call->reply);
    chief__counter_unref(call->late);
    chief__mutex_fini(&call->lock);
    chief__free(call);
}

/* True when the call was still open and is answered now; then `reply` is the call's. */
static bool answer(chief__call *call, int state, chief_msg *reply) {
    chief__lock(&call->lock);
    bool open = call->state == CALL_OPEN;
    if (open) {
        call->state = state;
        call->reply = reply;
        chief__queue_wake_all(&call->caller);
    }
    chief__unlock(&call->lock);
    return open;
}

void chief__call_end(chief__call *call) { (void)answer(call, CALL_UNANSWERED, NULL); }

static int reply_with(chief_msg *msg, int state, const void *data, size_t len) {
    if (msg == NULL || (data == NULL && len > 0)) return chief__fail_code(CHIEF_EINVAL);
    if (msg->call == NULL) return chief__fail(CHIEF_ENOENT, "this message is not a call: there is nobody to answer");
    chief_msg *reply = chief__msg_new(NULL, msg->channel, data, len);
    if (reply == NULL) return chief__fail_code(CHIEF_ENOMEM);
    if (answer(msg->call, state, reply)) return CHIEF_OK;
    chief_msg_free(reply);
    (void)atomic_fetch_add_explicit(&msg->call->late->n, 1, memory_order_relaxed);
    return chief__fail(CHIEF_ENOENT, "the call was answered before, or its caller has gone");
}

int chief_msg_reply(chief_msg *msg, const void *data, size_t len) { return reply_with(msg, CALL_REPLIED, data, len); }

int chief_msg_fail(chief_msg *msg, const char *text) {
    return reply_with(msg, CALL_FAILED, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

/* With the lock held: what the caller gets, CHIEF_EAGAIN while there is nothing. A failure's text goes into `failure`. */
static int outcome(chief__call *call, chief_msg **reply, chief_msg **failure) {
    switch (call->state) {
    case CALL_REPLIED:
        *reply = call->reply;
        call->reply = NULL;
        return CHIEF_OK;
    case CALL_FAILED:
        *failure = call->reply;
        call->reply = NULL;
        return CHIEF_ECALL;
    case CALL_UNANSWERED: return CHIEF_ENOREPLY;
    default: return CHIEF_EAGAIN;
    }
}

static int give_up(const chief__party *party, int64_t deadline, int64_t timeout_ms) {
    if (chief__party_is_abandoned(party) || chief__party_err(party) != CHIEF_OK) return CHIEF_ECANCELED;
    if (timeout_ms == 0) return CHIEF_EAGAIN;
    return deadline != INT64_MAX && chief__now_ms() >= deadline ? CHIEF_ETIMEDOUT : CHIEF_OK;
}

int chief__call_wait(chief__call *call, chief__party *party, int64_t deadline, int64_t timeout_ms, chief_msg **reply) {
    chief__waiter waiter = {0};
    chief__place place = {0};
    chief_msg *failure = NULL;
    int rc;
    chief__lock(&call->lock);
    while ((rc = outcome(call, reply, &failure)) == CHIEF_EAGAIN) {
        rc = give_up(party, deadline, timeout_ms);
        if (rc != CHIEF_OK) break;
        chief__queue_join(&call->caller, &place, &waiter);
        chief__unlock(&call->lock);
        chief__party_park(party, &waiter, false, deadline);
        chief__lock(&call->lock);
        (void)chief__queue_leave(&call->caller, &place);
    }
    call->state = CALL_GONE;
    chief__unlock(&call->lock);
    if (rc == CHIEF_ECALL) (void)chief__fail(rc, "%.*s", (int)failure->len, (const char *)failure->data);
    else if (rc != CHIEF_OK) (void)chief__fail_code(rc);
    chief_msg_free(failure);
    return rc;
}
