/* post: what workers and the host send to mailboxes by name: messages, calls, broadcasts. */
#include <string.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "mailbox.h"

/* ---- to one ---- */

static int addressee(chief__hub *hub, const char *to, chief_channel **mailbox) {
    *mailbox = NULL;
    if (hub == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no chief, and so nobody to send to");
    if (to == NULL) return chief__fail_code(CHIEF_EINVAL);
    *mailbox = chief__hub_mailbox(hub, to);
    return *mailbox != NULL ? CHIEF_OK : chief__hub_no_worker(hub, to);
}

int chief__hub_send_many(chief__hub *hub, chief__party *from, const char *to, const chief_bytes *items, size_t n,
                         int64_t timeout_ms, size_t *sent) {
    chief_channel *mailbox;
    if (sent != NULL) *sent = 0;
    int rc = addressee(hub, to, &mailbox);
    if (rc == CHIEF_OK) rc = chief_channel_send_many(mailbox, (chief_worker *)from, items, n, timeout_ms, sent);
    chief_channel_unref(mailbox);
    return rc;
}

int chief__hub_send(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms) {
    chief_bytes item = {data, len};
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

static int ask(chief__hub *hub, chief__party *from, chief_channel *mailbox, const void *data, size_t len,
               int64_t deadline, chief_msg **reply) {
    chief__call *call;
    chief__patience patience = {.deadline = deadline, .at_once = true};
    int rc = chief__message_check(mailbox, data, len);
    if (rc != CHIEF_OK) return rc;
    rc = chief__stay_over(from, deadline);
    if (rc != CHIEF_OK) return chief__channel_explain(mailbox, rc);
    chief_msg *msg = make_call(hub, from, mailbox, data, len, &call);
    rc = msg != NULL ? chief__channel_send(mailbox, from, msg, patience) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK) rc = chief__call_wait(call, from, deadline, reply);
    else chief_msg_free(msg);
    chief__call_unref(call);
    return rc;
}

int chief__hub_call(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms, chief_msg **reply) {
    chief_channel *mailbox;
    if (reply == NULL) return chief__fail_code(CHIEF_EINVAL);
    *reply = NULL;
    int rc = addressee(hub, to, &mailbox);
    if (rc == CHIEF_OK && from != NULL && from->mailbox == mailbox)
        rc = chief__fail(CHIEF_EDEADLK, "worker \"%s\" can't wait for its own answer", to);
    if (rc == CHIEF_OK) rc = ask(hub, from, mailbox, data, len, chief__limit(timeout_ms), reply);
    chief_channel_unref(mailbox);
    return rc;
}

/* ---- to all others ---- */

/* The mailboxes as they are now, each held. */
static int list_mailboxes(chief__hub *hub, chief_channel ***out, size_t *n) {
    size_t room = 0;
    chief_channel **list = NULL;
    while ((*n = chief__hub_mailboxes(hub, list, room)) > room) {
        chief__free(list);
        room = *n;
        list = chief__calloc(room, sizeof *list);
        if (list == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    *out = list;
    return CHIEF_OK;
}

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
    if (rc == CHIEF_OK) rc = list_mailboxes(hub, &to, &n);
    if (rc != CHIEF_OK) return rc;
    if (n > 0) rc = broadcast(to, n, from, data, len, &count);
    for (size_t i = 0; i < n; i++) chief_channel_unref(to[i]);
    chief__free(to);
    if (reached != NULL) *reached = count;
    return rc;
}

/* ---- a worker's own ---- */

int chief_worker_send(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms) {
    chief__party *p = chief__party_of(ctx);
    return p != NULL ? chief__hub_send(p->hub, p, to, data, len, timeout_ms) : chief__fail_code(CHIEF_EINVAL);
}

int chief_worker_send_many(chief_worker *ctx, const char *to, const chief_bytes *items, size_t n, int64_t timeout_ms,
                           size_t *sent) {
    chief__party *p = chief__party_of(ctx);
    if (sent != NULL) *sent = 0;
    return p != NULL ? chief__hub_send_many(p->hub, p, to, items, n, timeout_ms, sent) : chief__fail_code(CHIEF_EINVAL);
}

int chief_worker_broadcast(chief_worker *ctx, const void *data, size_t len, size_t *reached) {
    chief__party *p = chief__party_of(ctx);
    if (reached != NULL) *reached = 0;
    return p != NULL ? chief__hub_broadcast(p->hub, p, data, len, reached) : chief__fail_code(CHIEF_EINVAL);
}

int chief_worker_call(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms,
                      chief_msg **reply) {
    chief__party *p = chief__party_of(ctx);
    if (reply != NULL) *reply = NULL;
    return p != NULL ? chief__hub_call(p->hub, p, to, data, len, timeout_ms, reply) : chief__fail_code(CHIEF_EINVAL);
}
