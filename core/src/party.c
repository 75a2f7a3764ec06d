#include "party.h"

#include <string.h>

#include "channel.h"
#include "context.h"
#include "err.h"
#include "fiber.h"
#include "mailbox.h"

void chief__party_init(chief__party *p, const char *name, chief_context *context, chief__hub *hub) {
    memset(p, 0, sizeof *p);
    p->name = name;
    p->origin = chief__origin_number();
    p->context = context;
    p->hub = hub;
    atomic_init(&p->grace_deadline, INT64_MAX);
    atomic_init(&p->abandoned, false);
    chief__mutex_init(&p->lock);
    p->waiter.lasts = true;
    chief__context_join(context, &p->done, &p->waiter);
    p->mailbox = hub != NULL ? chief__hub_mailbox(hub, name) : NULL;
    if (p->mailbox != NULL) chief__channel_owned(p->mailbox, 1);
}

void chief__party_fini(chief__party *p) {
    if (p->name == NULL) return;
    chief__party_end(p, false);
    chief__context_leave(p->context, &p->done);
    chief__prepared_free(p->prepared);
    chief__parker_settle(&p->waiter.parker);
    chief__mutex_fini(&p->lock);
}

int64_t chief__party_grace(const chief__party *p) {
    return atomic_load_explicit(&p->grace_deadline, memory_order_acquire);
}

int chief__party_err(const chief__party *p) { return p != NULL ? chief_context_err(p->context) : CHIEF_OK; }

void chief__party_set_grace(chief__party *p, int64_t deadline) {
    atomic_store_explicit(&p->grace_deadline, deadline, memory_order_release);
    chief__waiter_wake(&p->waiter);
}

/* ---- waiting ---- */

int64_t chief__limit(int64_t timeout_ms) { return timeout_ms == 0 ? CHIEF__NOW : chief__deadline(timeout_ms); }

void chief__stay_begin(chief__stay *stay, chief__party *p) {
    memset(stay, 0, sizeof *stay);
    stay->party = p;
    stay->waiter = p != NULL ? &p->waiter : &stay->own;
}

void chief__stay_park(chief__stay *stay, int64_t until) {
    const chief__party *p = stay->party;
    if (p != NULL && chief__party_err(p) == CHIEF_OK) {
        int64_t deadline = chief__context_deadline(p->context);
        if (deadline < until) until = deadline;
    }
    if (p != NULL && p->fiber != NULL) chief__fiber_block(p->fiber);
    (void)chief__park(&stay->waiter->parker, until);
}

int chief__stay_over(const chief__party *p, int64_t deadline) {
    if (chief__party_is_abandoned(p) || chief__party_err(p) != CHIEF_OK) return CHIEF_ECANCELED;
    if (chief__forked()) return CHIEF_EFORK; /* nobody is left who could end the wait */
    if (deadline == CHIEF__NOW) return CHIEF_EAGAIN;
    return deadline != INT64_MAX && chief__now_ms() >= deadline ? CHIEF_ETIMEDOUT : CHIEF_OK;
}

int chief_worker_sleep(chief_worker *ctx, int64_t ms) {
    chief__party *p = chief__party_of(ctx);
    chief__stay stay;
    int rc;
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    int64_t deadline = chief__deadline(ms);
    chief__stay_begin(&stay, p);
    while ((rc = chief__stay_over(p, deadline)) == CHIEF_OK) chief__stay_park(&stay, deadline);
    return rc == CHIEF_ETIMEDOUT ? CHIEF_OK : chief__fail_code(rc);
}

/* ---- the end ---- */

/* A mailbox without an owner has no receiver, and who is in its grace must not wait for one. */
static void disown(chief_channel *mailbox, bool counted) {
    if (mailbox != NULL && counted) chief__channel_owned(mailbox, -1);
    chief_channel_unref(mailbox);
}

void chief__party_end(chief__party *p, bool clean) {
    if (p->ended) return;
    p->ended = true;
    chief__prepared_leave(p);
    chief__lock(&p->lock);
    chief__hand *hand = p->hands;
    chief_channel *mailbox = p->mailbox;
    bool counted = !chief__party_is_abandoned(p);
    p->hands = NULL;
    p->mailbox = NULL;
    chief__unlock(&p->lock);
    while (hand != NULL) {
        chief__hand *next = hand->next_of_party;
        chief__hand_end(hand, clean);
        hand = next;
    }
    disown(mailbox, counted);
    chief__party_address(p, NULL);
}

void chief__party_address(chief__party *p, chief_channel *mailbox) {
    chief_channel *before = p->addressee;
    p->addressee = chief_channel_ref(mailbox);
    chief_channel_unref(before);
}

void chief__party_ack(chief__party *p) {
    for (chief__hand *hand = p->hands; hand != NULL; hand = hand->next_of_party)
        chief_channel_ack(hand->ch, (chief_worker *)p);
}

/*
 * The thread goes on meanwhile, and may even be ending the party: the hands are held while they are walked, outside the
 * lock, since what they give up may end in the host's code. Whichever of the two closes a hand first decides how.
 */
void chief__party_abandon(chief__party *p) {
    chief__hand *hands = NULL;
    chief__lock(&p->lock);
    bool first = !atomic_exchange_explicit(&p->abandoned, true, memory_order_acq_rel);
    chief_channel *mailbox = first ? chief_channel_ref(p->mailbox) : NULL;
    for (chief__hand *hand = first ? p->hands : NULL; hand != NULL; hand = hand->next_of_party) {
        chief__hand_hold(hand);
        hand->next_abandoned = hands;
        hands = hand;
    }
    chief__unlock(&p->lock);
    chief__waiter_wake(&p->waiter);
    while (hands != NULL) {
        chief__hand *next = hands->next_abandoned;
        chief__hand_abandon(hands);
        hands = next;
    }
    disown(mailbox, true);
}
