/* hand: what a party holds of a channel, and what becomes of it at its end. */
#include "alloc.h"
#include "channel.h"
#include "err.h"
#include "mailbox.h"

/* ---- life ---- */

static void hand_unref(chief__hand *hand) {
    if (atomic_fetch_sub_explicit(&hand->refs, 1, memory_order_acq_rel) != 1) return;
    chief_channel_unref(hand->ch);
    chief__free(hand);
}

void chief__hand_hold(chief__hand *hand) { (void)atomic_fetch_add_explicit(&hand->refs, 1, memory_order_relaxed); }

static chief__hand *hand_new(chief__party *p, chief_channel *ch) {
    chief__hand *hand = chief__calloc(1, sizeof *hand);
    if (hand == NULL) return NULL;
    atomic_init(&hand->refs, 1);
    hand->party = p;
    hand->origin = chief__origin_number();
    hand->ch = chief_channel_ref(ch);
    return hand;
}

static void enter(chief__hand *hand) {
    chief_channel *ch = hand->ch;
    chief__channel_lock(ch);
    hand->next = ch->hands;
    if (hand->next != NULL) hand->next->previous = hand;
    ch->hands = hand;
    chief__channel_unlock(ch);
}

/* An abandonment that comes between the two locks finds the hand in the party's list, closed by it or entered closed. */
static bool adopt(chief__party *p, chief__hand *hand) {
    chief__lock(&p->lock);
    bool alive = !chief__party_is_abandoned(p);
    if (alive) {
        hand->next_of_party = p->hands;
        p->hands = hand;
    }
    chief__unlock(&p->lock);
    return alive;
}

int chief__hand_new(chief__hand **out, chief__party *p, chief_channel *ch) {
    *out = NULL;
    chief__hand *hand = hand_new(p, ch);
    if (hand == NULL) return chief__fail_code(CHIEF_ENOMEM);
    if (!adopt(p, hand)) {
        hand_unref(hand);
        return chief__fail_code(CHIEF_ECANCELED);
    }
    enter(hand);
    *out = hand;
    return CHIEF_OK;
}

/* ---- what becomes of what it holds ---- */

/* What has to be seen to after the lock. */
typedef struct spoils {
    chief__msg_list gone;
    chief__msg_list too_often; /* left at max_deliveries */
} spoils;

static bool too_often(const chief_channel *ch, const chief_msg *msg) {
    return ch->max_deliveries > 0 && chief_msg_deliveries(msg) >= ch->max_deliveries;
}

/* With the lock held. What comes back is older than all that was never received, so it goes to the front, among others that
 * came back in the order in which they were sent. */
static void give_back(chief_channel *ch, chief__hand *hand, spoils *s) {
    chief__msg_list back = {0};
    chief_msg *msg;
    while ((msg = chief__list_pop(&hand->held)) != NULL) {
        ch->in_hand--;
        if (ch->delivery == CHIEF_AT_LEAST_ONCE && !too_often(ch, msg)) {
            chief__list_push(&back, msg);
            continue;
        }
        ch->dropped++;
        chief__list_push(ch->delivery == CHIEF_AT_LEAST_ONCE ? &s->too_often : &s->gone, msg);
    }
    ch->redelivered += back.len;
    size_t n = back.len;
    chief__list_merge(&ch->queue, &back);
    if (n > 0) chief__channel_update_fd(ch);
    while (n-- > 0) chief__channel_wake_one(ch, &ch->receivers);
}

/* A message as the dead-letter channel gets it: itself when nobody else looks at it, else a copy; NULL without memory. */
static chief_msg *as_dead_letter(chief_msg *msg, chief_channel *dead) {
    if (atomic_load_explicit(&msg->refs, memory_order_acquire) != 1)
        return chief__msg_new(msg->sender, dead->label, msg->data, msg->len);
    chief__label_unref(msg->channel);
    msg->channel = chief__label_ref(dead->label);
    msg->origin = 0;
    atomic_store_explicit(&msg->deliveries, 0, memory_order_relaxed);
    return msg;
}

/* Without waiting: a dead-letter channel that is full or closed does not take it. What is not moved, or moved as a copy,
 * goes to `gone`. */
static bool bury(chief_msg *msg, chief_channel *dead, chief__msg_list *gone) {
    chief_msg *letter = as_dead_letter(msg, dead);
    bool taken = false;
    if (letter != msg) chief__list_push(gone, msg);
    if (letter == NULL) return false;
    chief__channel_lock(dead);
    taken = !dead->closed && chief__channel_has_room(dead);
    if (taken) chief__channel_put(dead, letter);
    chief__channel_unlock(dead);
    if (!taken) chief__list_push(gone, letter);
    return taken;
}

static void count_buried(chief_channel *ch) {
    chief__channel_lock(ch);
    ch->dead_lettered++;
    chief__channel_unlock(ch);
}

/* Without a lock. */
static void settle(chief_channel *ch, spoils *s, const char *worker) {
    chief_msg *msg;
    chief__hub *hub = NULL;
    if (s->too_often.len > 0) {
        chief__channel_lock(ch);
        hub = ch->hub != NULL ? chief__hub_ref(ch->hub) : NULL;
        chief__channel_unlock(ch);
    }
    chief_channel *dead = hub != NULL && ch->dead != NULL ? chief__hub_find(hub, ch->dead) : NULL;
    while ((msg = chief__list_pop(&s->too_often)) != NULL) {
        if (dead == NULL) chief__list_push(&s->gone, msg);
        else if (bury(msg, dead, &s->gone)) count_buried(ch);
        if (hub != NULL) chief__hub_dropped(hub, ch->label->text, worker);
    }
    chief_channel_unref(dead);
    chief__hub_unref(hub);
    chief__list_discard(&s->gone);
}

/* ---- the end ---- */

/* With the lock held. The reservations themselves stay their holder's. */
static void close_reservations(chief__hand *hand) {
    for (chief_reservation *r = hand->reservations; r != NULL; r = r->next) {
        r->closed = true;
        hand->ch->reserved--;
        chief__channel_freed(hand->ch, 1);
    }
}

/* With the lock held. Senders that wait for the last receiver look again. */
static void close_hand(chief__hand *hand, bool clean, spoils *s) {
    if (hand->closed) return;
    if (clean) chief__channel_ack(hand->ch, hand, &s->gone);
    else give_back(hand->ch, hand, s);
    close_reservations(hand);
    hand->closed = true;
    if (hand->received || !hand->sent) chief__channel_wake_all(hand->ch, &hand->ch->senders);
}

/* With the lock held. */
static void leave(chief__hand *hand) {
    if (hand->previous != NULL) hand->previous->next = hand->next;
    else hand->ch->hands = hand->next;
    if (hand->next != NULL) hand->next->previous = hand->previous;
}

static void free_reservations(chief_reservation *r) {
    while (r != NULL) {
        chief_reservation *next = r->next;
        r->hand = NULL;
        chief_send_cancel(r);
        r = next;
    }
}

void chief__hand_end(chief__hand *hand, bool clean) {
    spoils s = {0};
    chief__channel_lock(hand->ch);
    close_hand(hand, clean, &s);
    leave(hand);
    chief_reservation *left = hand->reservations;
    hand->reservations = NULL;
    chief__channel_unlock(hand->ch);
    settle(hand->ch, &s, hand->party->name);
    free_reservations(left);
    hand_unref(hand);
}

void chief__hand_abandon(chief__hand *hand) {
    spoils s = {0};
    chief__channel_lock(hand->ch);
    close_hand(hand, false, &s);
    chief__channel_unlock(hand->ch);
    settle(hand->ch, &s, hand->party->name);
    hand_unref(hand);
}
