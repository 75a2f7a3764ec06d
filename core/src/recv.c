/* recv: the receivers' side of one channel. */
#include "channel.h"
#include "err.h"

/* ---- what a receiver does under the lock ---- */

int chief__channel_look(const chief_channel *ch, const chief__hand *hand) {
    if (hand != NULL && hand->closed) return CHIEF_ECANCELED;
    if (ch->queue.len > 0) return CHIEF_OK;
    return ch->closed ? CHIEF_ECLOSED : CHIEF_EAGAIN;
}

/* What stays with a hand is held by it beside the reference that goes out. */
static void hand_over(chief_channel *ch, chief__hand *hand, chief_msg *msg) {
    uint32_t deliveries = atomic_load_explicit(&msg->deliveries, memory_order_relaxed);
    atomic_store_explicit(&msg->deliveries, deliveries + 1, memory_order_relaxed);
    if (hand == NULL) {
        ch->acknowledged++;
        return;
    }
    chief__list_push(&hand->held, chief__msg_ref(msg));
    ch->in_hand++;
}

size_t chief__channel_take(chief_channel *ch, chief__hand *hand, chief_msg **out, chief__batch most) {
    size_t n = 0;
    size_t bytes = 0;
    while (n < most.messages && ch->queue.len > 0) {
        bytes += ch->queue.first->len;
        if (n > 0 && bytes > most.bytes) break;
        out[n] = chief__list_pop(&ch->queue);
        hand_over(ch, hand, out[n++]);
    }
    if (ch->queue.len == 0) chief__channel_update_fd(ch);
    chief__channel_freed(ch, n);
    return n;
}

void chief__channel_ack(chief_channel *ch, chief__hand *hand, chief__msg_list *gone) {
    if (hand->held.len == 0) return;
    ch->in_hand -= hand->held.len;
    ch->acknowledged += hand->held.len;
    chief_msg *msg;
    while ((msg = chief__list_pop(&hand->held)) != NULL)
        if (!chief__channel_spare_keep(ch, msg)) chief__list_push(gone, msg);
}

void chief__channel_ask(chief_channel *ch, chief__hand *hand, chief__msg_list *gone) {
    if (hand == NULL) {
        ch->host_receives = true;
        return;
    }
    hand->received = true;
    chief__channel_ack(ch, hand, gone);
}

/* Without a lock: a guess. */
static bool may_have_more(const void *what) {
    const chief_channel *ch = what;
    return atomic_load_explicit(&ch->sent, memory_order_relaxed) !=
           atomic_load_explicit(&ch->left, memory_order_relaxed);
}

/* The slow way, with the lock held but for the parking. A receiver that was woken for a message and ends without one
 * leaves it to the next. */
static int wait_for_message(chief_channel *ch, const chief__hand *hand, chief__party *p, int64_t deadline) {
    chief__stay stay;
    chief__place place = {0};
    int rc;
    chief__stay_begin(&stay, p);
    while ((rc = chief__channel_look(ch, hand)) == CHIEF_EAGAIN) {
        rc = chief__stay_over(p, deadline);
        if (rc != CHIEF_OK) break;
        if (chief__channel_spin(ch, &stay, may_have_more)) continue;
        chief__queue_join(&ch->receivers, &place, stay.waiter);
        chief__channel_unlock(ch);
        chief__stay_park(&stay, deadline);
        chief__channel_lock(ch);
        (void)chief__queue_leave(&ch->receivers, &place);
    }
    if (rc != CHIEF_OK && ch->queue.len > 0) chief__channel_wake_one(ch, &ch->receivers);
    return rc;
}

/* ---- at the front alone ---- */

/* With the front's lock held: whether as much as was asked for is there, and nothing else to see to. */
static bool is_easy(const chief_channel *ch, const chief__hand *hand, size_t max) {
    if (ch->queue.len < max || ch->fd >= 0 || ch->senders.first != NULL) return false;
    return hand != NULL ? hand->received && !hand->closed : ch->host_receives;
}

/* With the front's lock held. */
static void take_easily(chief_channel *ch, chief__hand *hand, chief_msg **out, size_t max) {
    uint64_t left = atomic_load_explicit(&ch->left, memory_order_relaxed);
    for (size_t i = 0; i < max; i++) {
        out[i] = chief__list_pop(&ch->queue);
        hand_over(ch, hand, out[i]);
    }
    atomic_store_explicit(&ch->left, left + max, memory_order_release);
}

/* 0 when that is not the way today. */
static size_t receive_easily(chief_channel *ch, chief__hand *hand, chief_msg **out, size_t max) {
    chief__msg_list gone = {0};
    chief__lock(&ch->front);
    bool easy = is_easy(ch, hand, max);
    if (easy) {
        chief__channel_ask(ch, hand, &gone);
        take_easily(ch, hand, out, max);
    }
    chief__unlock(&ch->front);
    chief__list_discard(&gone);
    return easy ? max : 0;
}

/* ---- receiving ---- */

static int receive_slowly(chief_channel *ch, chief__hand *hand, chief__party *p, int64_t deadline, chief_msg **out,
                          chief__batch most, size_t *n) {
    chief__msg_list gone = {0};
    chief__channel_lock(ch);
    chief__channel_ask(ch, hand, &gone);
    int rc = chief__channel_look(ch, hand);
    if (rc == CHIEF_EAGAIN) {
        chief__channel_unlock(ch);
        chief__list_discard(&gone); /* whose callers must not wait as long as this does */
        chief__channel_lock(ch);
        rc = wait_for_message(ch, hand, p, deadline);
    }
    if (rc == CHIEF_OK) *n = chief__channel_take(ch, hand, out, most);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
    return chief__channel_explain(ch, rc);
}

static int receive(chief_channel *ch, chief__party *p, int64_t timeout_ms, chief_msg **out, size_t max, size_t *n) {
    chief__hand *hand;
    int rc = chief__hand_get(&hand, p, ch);
    if (rc != CHIEF_OK) return rc;
    *n = receive_easily(ch, hand, out, max);
    if (*n > 0) return CHIEF_OK;
    return receive_slowly(ch, hand, p, chief__limit(timeout_ms), out, (chief__batch){max, SIZE_MAX}, n);
}

bool chief__channel_receive_easily(chief_channel *ch, chief__hand *hand, chief_msg **out) {
    return may_have_more(ch) && receive_easily(ch, hand, out, 1) > 0;
}

/* With the lock held, where there is nothing. */
static int stand(chief_channel *ch, chief__party *p, int64_t deadline, chief__place *place) {
    int rc = chief__stay_over(p, deadline);
    if (rc != CHIEF_OK) return rc == CHIEF_EAGAIN ? CHIEF_ETIMEDOUT : rc;
    chief__queue_join(&ch->receivers, place, &p->waiter);
    return CHIEF_EAGAIN;
}

int chief__channel_receive_or_stand(chief_channel *ch, chief__hand *hand, int64_t deadline, chief_msg **out,
                                    chief__place *place) {
    chief__msg_list gone = {0};
    chief__channel_lock(ch);
    chief__channel_ask(ch, hand, &gone);
    int rc = chief__channel_look(ch, hand);
    if (rc == CHIEF_OK) (void)chief__channel_take(ch, hand, out, (chief__batch){1, SIZE_MAX});
    if (rc == CHIEF_EAGAIN) rc = stand(ch, hand->party, deadline, place);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
    return rc == CHIEF_EAGAIN ? rc : chief__channel_explain(ch, rc);
}

int chief_channel_recv_many(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out, size_t max,
                            size_t *n) {
    if (n != NULL) *n = 0;
    if (ch == NULL || out == NULL || n == NULL || max == 0) return chief__fail_code(CHIEF_EINVAL);
    if (ch->far != NULL) return ch->far->ops->recv(ch->far, ch, timeout_ms, out, max, n);
    return receive(ch, chief__party_of(as), timeout_ms, out, max, n);
}

int chief__channel_recv_batch(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out,
                              chief__batch most, size_t *n) {
    *n = 0;
    chief__hand *hand;
    chief__party *p = chief__party_of(as);
    int rc = chief__hand_get(&hand, p, ch);
    return rc == CHIEF_OK ? receive_slowly(ch, hand, p, chief__limit(timeout_ms), out, most, n) : rc;
}

int chief_channel_recv(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out) {
    size_t n;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (ch == NULL || ch->far != NULL) return chief_channel_recv_many(ch, as, timeout_ms, out, 1, &n);
    return receive(ch, chief__party_of(as), timeout_ms, out, 1, &n);
}

void chief_channel_ack(chief_channel *ch, chief_worker *as) {
    chief__hand *hand;
    chief__msg_list gone = {0};
    if (ch != NULL && ch->far != NULL) {
        ch->far->ops->ack(ch->far, ch);
        return;
    }
    if (ch == NULL || as == NULL || chief__hand_get(&hand, chief__party_of(as), ch) != CHIEF_OK) return;
    chief__channel_lock(ch);
    chief__channel_ack(ch, hand, &gone);
    chief__channel_unlock(ch);
    chief__list_discard(&gone);
}

/* A worker whose chief is gone, or that has none, has no mailbox. */
static int fail_without_mailbox(void) { return chief__fail(CHIEF_ENOENT, "this worker has no mailbox"); }

int chief_worker_recv_many(chief_worker *ctx, int64_t timeout_ms, chief_msg **out, size_t max, size_t *n) {
    chief__party *p = chief__party_of(ctx);
    if (n != NULL) *n = 0;
    if (p == NULL || out == NULL || n == NULL || max == 0) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->recv(p->far, NULL, timeout_ms, out, max, n);
    if (p->mailbox == NULL) return fail_without_mailbox();
    return chief_channel_recv_many(p->mailbox, ctx, timeout_ms, out, max, n);
}

int chief_worker_recv(chief_worker *ctx, int64_t timeout_ms, chief_msg **out) {
    size_t n;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    return chief_worker_recv_many(ctx, timeout_ms, out, 1, &n);
}

int chief_worker_fd(chief_worker *ctx) {
    chief__party *p = chief__party_of(ctx);
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->watch(p->far, NULL);
    return p->mailbox != NULL ? chief_channel_fd(p->mailbox) : fail_without_mailbox();
}
