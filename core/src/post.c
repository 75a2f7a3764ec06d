/* post: what workers and the host send to mailboxes by name: messages, calls, broadcasts. */
#include <string.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "mailbox.h"

/* ---- to one ---- */

static int check_address(const chief__hub *hub, const char *to) {
    if (hub == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no chief, and so nobody to send to");
    return to != NULL ? CHIEF_OK : chief__fail_code(CHIEF_EINVAL);
}

/* The mailbox of that name when it is the one that was found last: then neither the hub's lock nor its map is needed. NULL:
 * it has to be looked for. */
static chief_channel *same_as_last(chief__party *from, const char *to) {
    chief_channel *mailbox = from != NULL ? from->addressee : NULL;
    if (mailbox == NULL || to == NULL || strcmp(mailbox->owner, to) != 0) return NULL;
    if (!atomic_load_explicit(&mailbox->unlisted, memory_order_relaxed)) return mailbox;
    chief__party_address(from, NULL);
    return NULL;
}

/* All to the worker of that name, or each to one of its replicas in turn. One that closes while it is waited for is not the
 * last word: there may be others. */
int chief__hub_send_many(chief__hub *hub, chief__party *from, const char *to, const chief_bytes *items, size_t n,
                         int64_t timeout_ms, size_t *sent) {
    chief_channel *mailbox;
    size_t i = 0;
    bool shared = true;
    int64_t deadline = chief__limit(timeout_ms);
    int rc = check_address(hub, to);
    if (rc == CHIEF_OK && items == NULL && n > 0) rc = chief__fail_code(CHIEF_EINVAL);
    for (bool first = true; rc == CHIEF_OK && shared && (first || i < n); first = false) {
        rc = chief__hub_addressee(hub, to, NULL, &mailbox, &shared);
        if (rc != CHIEF_OK) break;
        if (!shared) {
            if (from != NULL) chief__party_address(from, mailbox);
            rc = chief_channel_send_many(mailbox, (chief_worker *)from, items, n, timeout_ms, &i);
        } else if (i < n) {
            rc = chief__channel_send_bytes(mailbox, from, items[i], deadline);
            i += rc == CHIEF_OK;
            if (rc == CHIEF_ENOENT) rc = CHIEF_OK;
        }
        chief_channel_unref(mailbox);
    }
    if (sent != NULL) *sent = i;
    return rc;
}

int chief__hub_send(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms) {
    chief_bytes item = {data, len};
    chief_channel *mailbox = same_as_last(from, to);
    if (mailbox != NULL) return chief__channel_send_bytes(mailbox, from, item, chief__limit(timeout_ms));
    if (to != NULL && strcmp(to, "*") == 0) return chief__hub_broadcast(hub, from, data, len, NULL);
    return chief__hub_send_many(hub, from, to, &item, 1, timeout_ms, NULL);
}

/* ---- calls ---- */

static chief_msg *make_call(chief__hub *hub, const chief__party *from, const chief_channel *mailbox, const void *data,
                            size_t len, chief__call **call) {
    *call = chief__call_new(mailbox->owner, chief__hub_late_counter(hub));
    chief_msg *msg = *call != NULL ? chief__msg_new(from != NULL ? from->name : NULL, mailbox->label, data, len) : NULL;
    if (msg == NULL) return NULL;
    msg->kind = MSG_CALL;
    msg->call = chief__call_ref(*call);
    return msg;
}

/* Sends the question. */
static int pose(chief__hub *hub, chief__party *from, chief_channel *mailbox, chief_bytes question, int64_t deadline,
                chief__call **call) {
    chief__patience patience = {.deadline = deadline, .at_once = true};
    int rc = chief__message_check(mailbox, question.data, question.len);
    if (rc != CHIEF_OK) return rc;
    chief_msg *msg = make_call(hub, from, mailbox, question.data, question.len, call);
    rc = msg != NULL ? chief__channel_send(mailbox, from, msg, patience) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK) return rc;
    chief_msg_free(msg);
    chief__call_unref(*call);
    *call = NULL;
    return rc;
}

/* `*asked` once the callee has the question. */
static int ask(chief__hub *hub, chief__party *from, chief_channel *mailbox, chief_bytes question, int64_t deadline,
               chief_msg **reply, bool *asked) {
    chief__call *call = NULL;
    int rc = chief__stay_over(from, deadline);
    if (rc != CHIEF_OK) return chief__channel_explain(mailbox, rc);
    rc = pose(hub, from, mailbox, question, deadline, &call);
    *asked = rc == CHIEF_OK;
    if (*asked) rc = chief__call_wait(call, from, deadline, reply);
    chief__call_unref(call);
    return rc;
}

static int refuse_own(const chief_channel *own) {
    return chief__fail(CHIEF_EDEADLK, "worker \"%s\" can't wait for its own answer", own->owner);
}

/* Who asks is never the one of several replicas that is asked: it could not answer. */
static int ask_one(chief__hub *hub, chief__party *from, const char *to, chief_bytes question, int64_t deadline,
                   chief_msg **reply) {
    const chief_channel *own = from != NULL ? from->mailbox : NULL;
    chief_channel *mailbox;
    bool shared;
    bool asked = false;
    int rc;
    do {
        rc = chief__hub_addressee(hub, to, own, &mailbox, &shared);
        if (rc == CHIEF_OK && mailbox == own) rc = refuse_own(mailbox);
        if (rc == CHIEF_OK) rc = ask(hub, from, mailbox, question, deadline, reply, &asked);
        else shared = false;
        chief_channel_unref(mailbox);
    } while (rc == CHIEF_ENOENT && shared && !asked);
    return rc;
}

int chief__hub_call(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms, chief_msg **reply) {
    if (reply == NULL) return chief__fail_code(CHIEF_EINVAL);
    *reply = NULL;
    int rc = check_address(hub, to);
    return rc == CHIEF_OK ? ask_one(hub, from, to, (chief_bytes){data, len}, chief__limit(timeout_ms), reply) : rc;
}

/* ---- to all others ---- */

/* All are made before the first is sent, so that a failure sends none. */
static int make_letters(chief_msg **letters, chief_channel *const *to, size_t n, const chief__party *from,
                        chief__body *body) {
    for (size_t i = 0; i < n; i++) {
        letters[i] = chief__msg_new_shared(from != NULL ? from->name : NULL, to[i]->label, body);
        if (letters[i] == NULL) return chief__fail_code(CHIEF_ENOMEM);
        letters[i]->kind = MSG_BROADCAST;
    }
    return CHIEF_OK;
}

/* One that is full, or not open, goes without. */
static size_t deliver(chief_msg **letters, chief_channel *const *to, size_t n, chief__party *from) {
    const chief__patience none = {.deadline = CHIEF__NOW, .at_once = true};
    size_t reached = 0;
    for (size_t i = 0; i < n; i++) {
        if (from != NULL && to[i] == from->mailbox) continue;
        if (chief__channel_send(to[i], from, letters[i], none) != CHIEF_OK) continue;
        letters[i] = NULL;
        reached++;
    }
    return reached;
}

static int broadcast(chief_channel *const *to, size_t n, chief__party *from, const void *data, size_t len,
                     size_t *reached) {
    chief__body *body = chief__body_new(data, len);
    chief_msg **letters = body != NULL ? chief__calloc(n, sizeof(chief_msg *)) : NULL;
    int rc = letters != NULL ? make_letters(letters, to, n, from, body) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK) *reached = deliver(letters, to, n, from);
    for (size_t i = 0; letters != NULL && i < n; i++) chief_msg_free(letters[i]);
    chief__free(letters);
    chief__body_unref(body);
    return rc;
}

static int check_broadcast(const chief__hub *hub, const chief__party *from, const void *data, size_t len) {
    if (hub == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no chief, and so nobody to send to");
    if (data == NULL && len > 0) return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", len);
    if (chief__party_is_abandoned(from)) return chief__fail_code(CHIEF_ECANCELED);
    if (len > (size_t)CHIEF__MAX_MESSAGE)
        return chief__fail(CHIEF_ETOOBIG, "a broadcast of %zu bytes is more than %zu", len, (size_t)CHIEF__MAX_MESSAGE);
    return CHIEF_OK;
}

int chief__hub_broadcast(chief__hub *hub, chief__party *from, const void *data, size_t len, size_t *reached) {
    chief_channel **to = NULL;
    size_t n = 0;
    size_t count = 0;
    if (reached != NULL) *reached = 0;
    int rc = check_broadcast(hub, from, data, len);
    if (rc == CHIEF_OK) rc = chief__hub_mailboxes(hub, &to, &n);
    if (rc != CHIEF_OK) return rc;
    if (n > 0) rc = broadcast(to, n, from, data, len, &count);
    chief__hub_list_free(to, n);
    if (reached != NULL) *reached = count;
    return rc;
}

/* ---- in parts ---- */

int chief_worker_mailbox(chief_worker *ctx, const char *to, int but_own, chief_channel **out) {
    bool shared;
    const chief__party *p = chief__party_of(ctx);
    if (out != NULL) *out = NULL;
    if (p == NULL || out == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return chief__fail(CHIEF_ENOTSUP, "a worker in a process sends by chief_worker_send");
    int rc = check_address(p->hub, to);
    return rc == CHIEF_OK ? chief__hub_addressee(p->hub, to, but_own != 0 ? p->mailbox : NULL, out, &shared) : rc;
}

int chief_call_begin(chief_worker *ctx, chief_channel *mailbox, const void *data, size_t len, chief_pending **out) {
    chief__call *call = NULL;
    chief__party *p = chief__party_of(ctx);
    if (out != NULL) *out = NULL;
    if (p == NULL || mailbox == NULL || mailbox->owner == NULL || p->hub == NULL || out == NULL)
        return chief__fail_code(CHIEF_EINVAL);
    if (mailbox == p->mailbox) return refuse_own(mailbox);
    if (chief__party_err(p) != CHIEF_OK) return chief__fail_code(CHIEF_ECANCELED);
    int rc = pose(p->hub, p, mailbox, (chief_bytes){data, len}, CHIEF__NOW, &call);
    *out = (chief_pending *)call;
    return rc;
}

int chief_call_take(chief_pending *call, chief_msg **reply) {
    if (reply != NULL) *reply = NULL;
    if (call == NULL || reply == NULL) return chief__fail_code(CHIEF_EINVAL);
    return chief__call_take((chief__call *)call, reply);
}

void chief_call_end(chief_pending *call) {
    if (call == NULL) return;
    chief__call_leave((chief__call *)call);
    chief__call_unref((chief__call *)call);
}

/* ---- a worker's own ---- */

/* In another process one at a time is asked for over there. */
static int far_send(chief__far *far, const char *to, const void *data, size_t len, int64_t timeout_ms) {
    chief_bytes item = {data, len};
    if (to != NULL && strcmp(to, "*") == 0) return far->ops->broadcast(far, data, len, NULL);
    return far->ops->post(far, to, &item, 1, timeout_ms, NULL);
}

int chief_worker_send(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms) {
    chief__party *p = chief__party_of(ctx);
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return far_send(p->far, to, data, len, timeout_ms);
    return chief__hub_send(p->hub, p, to, data, len, timeout_ms);
}

int chief_worker_send_many(chief_worker *ctx, const char *to, const chief_bytes *items, size_t n, int64_t timeout_ms,
                           size_t *sent) {
    chief__party *p = chief__party_of(ctx);
    if (sent != NULL) *sent = 0;
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->post(p->far, to, items, n, timeout_ms, sent);
    return chief__hub_send_many(p->hub, p, to, items, n, timeout_ms, sent);
}

int chief_worker_broadcast(chief_worker *ctx, const void *data, size_t len, size_t *reached) {
    chief__party *p = chief__party_of(ctx);
    if (reached != NULL) *reached = 0;
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->broadcast(p->far, data, len, reached);
    return chief__hub_broadcast(p->hub, p, data, len, reached);
}

int chief_worker_call(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms,
                      chief_msg **reply) {
    chief__party *p = chief__party_of(ctx);
    if (reply != NULL) *reply = NULL;
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->call(p->far, to, data, len, timeout_ms, reply);
    return chief__hub_call(p->hub, p, to, data, len, timeout_ms, reply);
}
