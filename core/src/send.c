/* send: the senders' side of a channel, reservations included. */
#include <string.h>

#include "alloc.h"
#include "channel.h"
#include "err.h"

#define SPIN_ROOM 16 /* places for which a sender spins, where there are many */

/* ---- room ---- */

bool chief__channel_has_room(const chief_channel *ch) { return ch->queue.len + ch->reserved < ch->capacity; }

void chief__channel_freed(chief_channel *ch, size_t freed) {
    size_t used = ch->queue.len + ch->reserved;
    size_t room = used < ch->capacity ? ch->capacity - used : 0;
    for (size_t n = freed < room ? freed : room; n > 0; n--) chief__channel_wake_one(ch, &ch->senders);
}

void chief__channel_put(chief_channel *ch, chief_msg *msg) {
    msg->seq = chief__channel_count_sent(ch);
    chief__list_push(&ch->queue, msg);
    if (ch->queue.len == 1) chief__channel_update_fd(ch);
    chief__channel_wake_one(ch, &ch->receivers);
}

/* Whether anybody but the sender itself may still receive: a live worker that has received, or has opened the channel
 * and not shown yet what for; the host, once it has received; a mailbox's owner. */
static bool receiver_left(const chief_channel *ch, const chief__party *but) {
    if (ch->host_receives) return true;
    if (ch->owner != NULL) return ch->owners > (but != NULL && but->mailbox == ch ? 1u : 0u);
    for (const chief__hand *h = ch->hands; h != NULL; h = h->next)
        if (h->party != but && !h->closed && (h->received || !h->sent)) return true;
    return false;
}

/* Without a chief nobody gives a grace. */
static int64_t grace_of(const chief__party *p) {
    int64_t grace = chief__party_grace(p);
    return grace == INT64_MAX && p->hub == NULL ? 0 : grace;
}

static int make_way(chief_channel *ch, chief__msg_list *gone) {
    chief_msg *oldest = chief__list_pop(&ch->queue);
    if (oldest == NULL) return CHIEF_EFULL; /* all of it is reserved */
    ch->dropped++;
    chief__list_push(gone, oldest);
    return CHIEF_OK;
}

/* A full channel that blocks: CHIEF_OK when the sender may wait, until `*until`. */
static int may_wait(const chief_channel *ch, const chief__party *p, chief__patience patience, int64_t *until) {
    *until = patience.deadline;
    if (patience.deadline == CHIEF__NOW) return CHIEF_EAGAIN;
    if (chief__forked()) return CHIEF_EFORK;
    int64_t now = chief__now_ms();
    if (chief__party_err(p) != CHIEF_OK) {
        int64_t grace = grace_of(p);
        if (patience.at_once || now >= grace || !receiver_left(ch, p)) return CHIEF_ECANCELED;
        if (grace < *until) *until = grace;
    }
    return now >= patience.deadline ? CHIEF_ETIMEDOUT : CHIEF_OK;
}

static bool is_given_up(const chief__hand *hand, const chief__party *p) {
    return (hand != NULL && hand->closed) || chief__party_is_abandoned(p);
}

/* With the lock held: what a sender finds. CHIEF_OK is room, and `*until` is set when it has to wait instead. */
static int look(chief_channel *ch, const chief__hand *hand, const chief__party *p, chief__patience patience,
                chief__msg_list *gone, int64_t *until) {
    *until = CHIEF__NOW;
    if (ch->refusal != CHIEF_OK) return ch->refusal;
    if (is_given_up(hand, p)) return CHIEF_ECANCELED;
    if (chief__channel_has_room(ch)) return CHIEF_OK;
    if (ch->overflow == CHIEF_FAIL) return CHIEF_EFULL;
    if (ch->overflow == CHIEF_DROP_OLDEST) return make_way(ch, gone);
    return may_wait(ch, p, patience, until);
}

int chief__channel_look_for_room(chief_channel *ch, chief__party *p, chief__patience patience, int64_t *until) {
    chief__msg_list gone = {0};
    int rc = look(ch, NULL, p, patience, &gone, until);
    return rc == CHIEF_OK && *until != CHIEF__NOW ? CHIEF_EAGAIN : rc;
}

/* With the lock held. Once it has sent it may be no receiver any more, and others in their grace look again. */
static void note_sender(chief_channel *ch, chief__hand *hand) {
    if (hand == NULL || hand->sent) return;
    hand->sent = true;
    if (!hand->received) chief__channel_wake_all(ch, &ch->senders);
}

/* Without a lock: a guess. For one place alone it would soon be here again. */
static bool may_have_room(const void *what) {
    const chief_channel *ch = what;
    uint64_t used =
        atomic_load_explicit(&ch->sent, memory_order_relaxed) - atomic_load_explicit(&ch->left, memory_order_relaxed);
    size_t enough = ch->capacity < SPIN_ROOM * 4 ? ch->capacity / 4 : SPIN_ROOM;
    return used + enough < ch->capacity;
}

/* The slow way, with the lock held but for the parking. A sender that was woken for a place and does not take it leaves it to
 * the next. */
static int wait_for_room(chief_channel *ch, const chief__hand *hand, chief__party *p, chief__patience patience,
                         chief__msg_list *gone) {
    chief__stay stay;
    chief__place place = {0};
    int64_t until;
    int rc;
    chief__stay_begin(&stay, p);
    while ((rc = look(ch, hand, p, patience, gone, &until)) == CHIEF_OK && until != CHIEF__NOW) {
        if (chief__channel_spin(ch, &stay, may_have_room)) continue;
        chief__queue_join(&ch->senders, &place, stay.waiter);
        chief__channel_unlock(ch);
        chief__stay_park(&stay, until);
        chief__channel_lock(ch);
        (void)chief__queue_leave(&ch->senders, &place);
    }
    if (rc != CHIEF_OK) chief__channel_freed(ch, 1);
    return rc;
}

/* With the lock held, which the slow way gives up for a while: CHIEF_OK when there is a place and it is the caller's. */
static int take_place(chief_channel *ch, chief__hand *hand, chief__party *p, chief__patience patience,
                      chief__msg_list *gone) {
    int64_t until;
    note_sender(ch, hand);
    int rc = look(ch, hand, p, patience, gone, &until);
    if (rc == CHIEF_OK && until != CHIEF__NOW) rc = wait_for_room(ch, hand, p, patience, gone);
    return rc;
}

/* ---- sending ---- */

/* Who has no hand in what it sends to sends to a mailbox. */
static chief__origin origin_of(const chief__hand *hand, const chief__party *p) {
    if (p == NULL) return (chief__origin){NULL, 0};
    return (chief__origin){p->name, hand != NULL ? hand->origin : p->origin};
}

static bool is_sendable(const chief_channel *ch, const chief_bytes *bytes) {
    return (bytes->data != NULL || bytes->len == 0) && bytes->len <= ch->max_message;
}

int chief__message_check(const chief_channel *ch, const void *data, size_t len) {
    if (data == NULL && len > 0) return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", len);
    if (len <= ch->max_message) return CHIEF_OK;
    return chief__fail(CHIEF_ETOOBIG, "a message of %zu bytes is more than the %zu that fit", len, ch->max_message);
}

/* A mailbox needs to know its owner only. */
static int sending_hand(chief__hand **out, chief__party *p, chief_channel *ch) {
    *out = NULL;
    return ch->owner == NULL ? chief__hand_get(out, p, ch) : CHIEF_OK;
}

/* NULL without memory. */
static chief_msg *new_message(chief_channel *ch, chief__origin from, chief_bytes bytes) {
    chief_msg *msg = chief__msg_new(from.sender, ch->label, bytes.data, bytes.len);
    if (msg != NULL) msg->origin = from.number;
    return msg;
}

/* With the lock held, which is given up while memory is taken. NULL without memory. */
static chief_msg *make_message(chief_channel *ch, chief__origin from, chief_bytes bytes) {
    chief_msg *msg = chief__channel_spare_take(ch, from, bytes);
    if (msg != NULL) return msg;
    chief__channel_unlock(ch);
    msg = new_message(ch, from, bytes);
    chief__channel_lock(ch);
    return msg;
}

/* With the lock held, but for waiting. What is not sent goes to `gone`. */
static int send_waiting(chief_channel *ch, chief__hand *hand, chief__party *p, chief_bytes bytes, int64_t deadline,
                        chief__msg_list *gone) {
    chief_msg *msg = make_message(ch, origin_of(hand, p), bytes);
    if (msg == NULL) return CHIEF_ENOMEM;
    int rc = take_place(ch, hand, p, (chief__patience){.deadline = deadline}, gone);
    if (rc == CHIEF_OK) chief__channel_put(ch, msg);
    else if (!chief__channel_spare_keep(ch, msg)) chief__list_push(gone, msg);
    return rc;
}

/* ---- at the back alone ---- */

static uint64_t used_behind(const chief_channel *ch) {
    return atomic_load_explicit(&ch->sent, memory_order_relaxed) - ch->left_seen + ch->reserved;
}

/* With the back's lock held: whether there is room for sure. A look at the front's counter is a look at the other core. */
static bool has_room_behind(chief_channel *ch) {
    if (used_behind(ch) < ch->capacity) return true;
    ch->left_seen = atomic_load_explicit(&ch->left, memory_order_acquire);
    return used_behind(ch) < ch->capacity;
}

/* With the back's lock held: whether one can be sent with nothing else to see to. */
static bool is_easy(chief_channel *ch, const chief__hand *hand, const chief__party *p) {
    return ch->refusal == CHIEF_OK && ch->fd < 0 && !is_given_up(hand, p) && (hand == NULL || hand->sent) &&
           has_room_behind(ch);
}

/* With the back's lock held. Who waits has found the front empty; brought there, the message is received with that lock
 * alone. */
static void put_behind(chief_channel *ch, chief_msg *msg) {
    msg->seq = chief__channel_count_sent(ch);
    chief__list_push(&ch->fresh, msg);
    if (ch->receivers.first == NULL) return;
    chief__lock(&ch->front);
    chief__list_append(&ch->queue, &ch->fresh);
    chief__unlock(&ch->front);
    chief__channel_wake_one(ch, &ch->receivers);
}

static bool send_easily(chief_channel *ch, const chief__hand *hand, const chief__party *p, chief_msg *msg) {
    chief__lock(&ch->back);
    bool easy = is_easy(ch, hand, p);
    if (easy) put_behind(ch, msg);
    chief__channel_unlock_back(ch);
    return easy;
}

int chief__channel_send(chief_channel *ch, chief__party *p, chief_msg *msg, chief__patience patience) {
    chief__hand *hand;
    chief__msg_list gone = {0};
    int rc = sending_hand(&hand, p, ch);
    if (rc != CHIEF_OK || send_easily(ch, hand, p, msg)) return rc;
    chief__channel_lock(ch);
    rc = take_place(ch, hand, p, patience, &gone);
    if (rc == CHIEF_OK) chief__channel_put(ch, msg);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
    return chief__channel_explain(ch, rc);
}

/* Sends what can be sent at once, up to `n`, as long as there are spare messages for it. */
static size_t send_burst(chief_channel *ch, const chief__hand *hand, const chief__party *p, const chief_bytes *items,
                         size_t n) {
    size_t i = 0;
    chief__origin from = origin_of(hand, p);
    chief__lock(&ch->back);
    for (; i < n && is_sendable(ch, &items[i]) && is_easy(ch, hand, p); i++) {
        chief_msg *msg = chief__channel_spare_take(ch, from, items[i]);
        if (msg == NULL) break;
        put_behind(ch, msg);
    }
    chief__channel_unlock_back(ch);
    return i;
}

static int send_small(chief_channel *ch, chief__hand *hand, chief__party *p, chief_bytes bytes, int64_t deadline) {
    chief__msg_list gone = {0};
    chief__channel_lock(ch);
    int rc = send_waiting(ch, hand, p, bytes, deadline, &gone);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
    return chief__channel_explain(ch, rc);
}

/* One that no spare message has room for: memory is taken, and the bytes are copied, without a lock. */
static int send_large(chief_channel *ch, const chief__hand *hand, chief__party *p, chief_bytes bytes,
                      int64_t deadline) {
    chief_msg *msg = new_message(ch, origin_of(hand, p), bytes);
    if (msg == NULL) return chief__fail_code(CHIEF_ENOMEM);
    int rc = chief__channel_send(ch, p, msg, (chief__patience){.deadline = deadline});
    if (rc != CHIEF_OK) chief_msg_free(msg);
    return rc;
}

/* One that could not go at once, however long it takes. */
static int send_slowly(chief_channel *ch, chief__hand *hand, chief__party *p, chief_bytes bytes, int64_t deadline) {
    int rc = chief__message_check(ch, bytes.data, bytes.len);
    if (rc != CHIEF_OK) return rc;
    return chief__msg_fits(p != NULL ? p->name : NULL, bytes) ? send_small(ch, hand, p, bytes, deadline)
                                                              : send_large(ch, hand, p, bytes, deadline);
}

/* Those that can go at once; or one. */
static int send_some(chief_channel *ch, chief__hand *hand, chief__party *p, const chief_bytes *items, size_t n,
                     int64_t deadline, size_t *sent) {
    size_t burst = send_burst(ch, hand, p, items, n);
    *sent += burst;
    if (burst > 0) return CHIEF_OK;
    int rc = send_slowly(ch, hand, p, items[0], deadline);
    if (rc == CHIEF_OK) *sent += 1;
    return rc;
}

int chief__channel_send_bytes(chief_channel *ch, chief__party *p, chief_bytes bytes, int64_t deadline) {
    chief__hand *hand;
    size_t sent = 0;
    int rc = sending_hand(&hand, p, ch);
    return rc == CHIEF_OK ? send_some(ch, hand, p, &bytes, 1, deadline, &sent) : rc;
}

/* What could not be taken is not sent on its way. */
static int far_send(chief_channel *ch, const chief_bytes *items, size_t n, int64_t timeout_ms, size_t *sent) {
    size_t fit = 0;
    size_t done = 0;
    while (fit < n && chief__message_check(ch, items[fit].data, items[fit].len) == CHIEF_OK) fit++;
    int rc = fit > 0 ? ch->far->ops->send(ch->far, ch, items, fit, timeout_ms, &done) : CHIEF_OK;
    if (sent != NULL) *sent = done;
    if (rc != CHIEF_OK || fit == n) return rc;
    return chief__message_check(ch, items[fit].data, items[fit].len);
}

int chief_channel_send(chief_channel *ch, chief_worker *as, const void *data, size_t len, int64_t timeout_ms) {
    if (ch == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief_bytes item = {data, len};
    if (ch->far != NULL) return far_send(ch, &item, 1, timeout_ms, NULL);
    chief__hand *hand;
    chief__party *p = chief__party_of(as);
    int rc = sending_hand(&hand, p, ch);
    if (rc != CHIEF_OK || send_burst(ch, hand, p, &item, 1) == 1) return rc;
    return send_slowly(ch, hand, p, item, chief__limit(timeout_ms)); /* the clock is looked at only now */
}

int chief_channel_send_many(chief_channel *ch, chief_worker *as, const chief_bytes *items, size_t n, int64_t timeout_ms,
                            size_t *sent) {
    size_t i = 0;
    int rc = CHIEF_OK;
    if (sent != NULL) *sent = 0;
    if (ch == NULL || (items == NULL && n > 0)) return chief__fail_code(CHIEF_EINVAL);
    if (ch->far != NULL) return far_send(ch, items, n, timeout_ms, sent);
    int64_t deadline = chief__limit(timeout_ms);
    chief__hand *hand = NULL;
    chief__party *p = chief__party_of(as);
    if (n > 0) rc = sending_hand(&hand, p, ch);
    while (rc == CHIEF_OK && i < n) rc = send_some(ch, hand, p, items + i, n - i, deadline, &i);
    if (sent != NULL) *sent = i;
    return rc;
}

/* ---- in parts ---- */

/* A sum that is too large is so for every channel. */
static int length_of(const chief_bytes *parts, size_t n, size_t *len) {
    *len = 0;
    if (parts == NULL && n > 0) return chief__fail_code(CHIEF_EINVAL);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].data == NULL && parts[i].len > 0)
            return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", parts[i].len);
        *len = parts[i].len > SIZE_MAX - *len ? SIZE_MAX : *len + parts[i].len;
    }
    return CHIEF_OK;
}

/* NULL without memory. */
static chief_msg *gather(const chief_channel *ch, const chief__party *p, const chief_bytes *parts, size_t n,
                         size_t len) {
    chief_msg *msg = chief__msg_new(origin_of(NULL, p).sender, ch->label, NULL, len);
    if (msg == NULL) return NULL;
    unsigned char *at = chief__msg_room(msg);
    for (size_t i = 0; i < n; at += parts[i++].len)
        if (parts[i].len > 0) memcpy(at, parts[i].data, parts[i].len);
    return msg;
}

/* Over there it is another message, so that this one is only where the parts came together. */
int chief_channel_send_parts(chief_channel *ch, chief_worker *as, const chief_bytes *parts, size_t n,
                             int64_t timeout_ms) {
    size_t len;
    if (ch == NULL) return chief__fail_code(CHIEF_EINVAL);
    int64_t deadline = chief__limit(timeout_ms);
    chief__party *p = chief__party_of(as);
    int rc = length_of(parts, n, &len);
    if (rc == CHIEF_OK) rc = chief__message_check(ch, "", len);
    if (rc != CHIEF_OK) return rc;
    chief_msg *msg = gather(ch, p, parts, n, len);
    if (msg == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief_bytes whole = {msg->data, len};
    rc = ch->far != NULL ? far_send(ch, &whole, 1, timeout_ms, NULL)
                         : chief__channel_send(ch, p, msg, (chief__patience){.deadline = deadline});
    if (rc != CHIEF_OK || ch->far != NULL) chief_msg_free(msg);
    return rc;
}

/* ---- reservations ---- */

static void reservation_free(chief_reservation *r) {
    chief_msg_free(r->msg);
    chief_channel_unref(r->ch);
    chief__free(r);
}

static chief_reservation *reservation_new(chief_channel *ch, chief__origin from, size_t len) {
    chief_reservation *r = chief__calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->ch = chief_channel_ref(ch);
    r->size = len;
    r->msg = new_message(ch, from, (chief_bytes){NULL, len});
    if (r->msg != NULL) return r;
    reservation_free(r);
    return NULL;
}

/* With the lock held. */
static void reserve(chief_channel *ch, chief__hand *hand, chief_reservation *r) {
    ch->reserved++;
    r->hand = hand;
    if (hand == NULL) return;
    r->next = hand->reservations;
    hand->reservations = r;
}

static int reserve_here(chief_channel *ch, chief__hand *hand, chief__party *p, chief_reservation *r, int64_t deadline) {
    chief__msg_list gone = {0};
    chief__channel_lock(ch);
    int rc = take_place(ch, hand, p, (chief__patience){.deadline = deadline}, &gone);
    if (rc == CHIEF_OK) reserve(ch, hand, r);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
    return chief__channel_explain(ch, rc);
}

int chief_send_reserve(chief_channel *ch, chief_worker *as, size_t len, int64_t timeout_ms, chief_reservation **out,
                       void **data) {
    chief__hand *hand = NULL;
    if (out != NULL) *out = NULL;
    if (data != NULL) *data = NULL;
    if (ch == NULL || out == NULL || data == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__party *p = chief__party_of(as);
    int rc = chief__message_check(ch, "", len);
    if (rc == CHIEF_OK && ch->far == NULL) rc = sending_hand(&hand, p, ch);
    if (rc != CHIEF_OK) return rc;
    chief_reservation *r = reservation_new(ch, origin_of(hand, p), len);
    if (r == NULL) return chief__fail_code(CHIEF_ENOMEM);
    rc = ch->far != NULL ? ch->far->ops->reserve(ch->far, ch, len, timeout_ms, &r->number)
                         : reserve_here(ch, hand, p, r, chief__limit(timeout_ms));
    if (rc != CHIEF_OK) {
        reservation_free(r);
        return rc;
    }
    *data = chief__msg_room(r->msg);
    *out = r;
    return CHIEF_OK;
}

void chief__reservation_release(chief_reservation *r) {
    if (r->hand != NULL) {
        chief_reservation **at = &r->hand->reservations;
        while (*at != NULL && *at != r) at = &(*at)->next;
        if (*at == r) *at = r->next;
        r->hand = NULL;
    }
    if (r->closed) return;
    r->closed = true;
    r->ch->reserved--;
}

/* With the lock held. The place that is given back is the one the message takes. */
static int commit(chief_reservation *r, size_t len) {
    chief_channel *ch = r->ch;
    bool closed = r->closed;
    chief__reservation_release(r);
    int rc = closed ? CHIEF_ECANCELED : ch->refusal;
    if (rc == CHIEF_OK && len > r->size) rc = CHIEF_EINVAL;
    if (rc == CHIEF_OK) {
        r->msg->len = len;
        chief__channel_put(ch, r->msg);
        r->msg = NULL;
    } else if (!closed) {
        chief__channel_freed(ch, 1);
    }
    return rc;
}

/* More than was reserved is no message over there either. */
static int commit_far(chief_reservation *r, size_t len) {
    chief__far *far = r->ch->far;
    int rc = CHIEF_OK;
    if (len > r->size) {
        far->ops->drop(far, r->number);
        rc = chief__fail(CHIEF_EINVAL, "%zu bytes in a reservation of %zu", len, r->size);
    } else {
        rc = far->ops->commit(far, r->number, chief__msg_room(r->msg), len);
    }
    reservation_free(r);
    return rc;
}

int chief_send_commit(chief_reservation *r, size_t len) {
    if (r == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief_channel *ch = r->ch;
    if (ch->far != NULL) return commit_far(r, len);
    chief__channel_lock(ch);
    int rc = commit(r, len);
    chief__channel_unlock(ch);
    if (rc == CHIEF_EINVAL) (void)chief__fail(rc, "%zu bytes in a reservation of %zu", len, r->size);
    else (void)chief__channel_explain(ch, rc);
    reservation_free(r);
    return rc;
}

void chief_send_cancel(chief_reservation *r) {
    if (r == NULL) return;
    if (r->ch->far != NULL) {
        r->ch->far->ops->drop(r->ch->far, r->number);
        reservation_free(r);
        return;
    }
    chief__channel_lock(r->ch);
    bool closed = r->closed;
    chief__reservation_release(r);
    if (!closed) chief__channel_freed(r->ch, 1);
    chief__channel_unlock(r->ch);
    reservation_free(r);
}
