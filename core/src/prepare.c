/* prepare: the waits of who must not wait in a call. What a party has prepared stands in the queues of what it waits for
 * until it goes on; a wake that it does not use then goes on to the next. */
#include <stddef.h>
#include <string.h>

#include "alloc.h"
#include "call.h"
#include "channel.h"
#include "context.h"
#include "err.h"
#include "fiber.h"

#define FEW 2                                            /* places that need no allocation */
#define SIZE_OF_SEVERAL (offsetof(chief_wait, received)) /* what each of them has to have at least */

/* A place in one queue: of a channel's receivers, of its senders, or of a call. */
typedef struct spot {
    chief_channel *ch; /* held; or: */
    chief__hand *hand; /* of one that receives one by one: its party's for the channel */
    chief__call *call; /* held */
    chief__place place;
    bool for_room;
    bool joined;
} spot;

struct chief__prepared {
    bool standing;
    bool rests;    /* it waits for nothing, and has a spot in no queue, ready for its own mailbox */
    int64_t until; /* when it looks again at the latest */
    int32_t fd;    /* -1: none */
    uint32_t events;
    size_t n;
    spot *spots; /* `few` or allocated */
    spot few[FEW];
};

typedef struct chief__prepared prepared;

int64_t chief_wait_deadline(int64_t timeout_ms) { return chief__limit(timeout_ms); }

/* ---- leaving ---- */

/* With the lock held: a wake has taken it out of its queue, and perhaps it was for another as well. */
static void pass_on(const spot *s) {
    if (s->for_room) chief__channel_freed(s->ch, 1);
    else if (s->ch->queue.len > 0) chief__channel_wake_one(s->ch, &s->ch->receivers);
}

static void leave_channel(spot *s) {
    chief__queue *queue = s->for_room ? &s->ch->senders : &s->ch->receivers;
    chief__channel_lock(s->ch);
    if (!chief__queue_leave(queue, &s->place)) pass_on(s);
    chief__channel_unlock(s->ch);
}

static void leave(spot *s) {
    if (s->joined && s->call != NULL) chief__call_unjoin(s->call, &s->place);
    else if (s->joined) leave_channel(s);
    chief_channel_unref(s->ch);
    chief__call_unref(s->call);
}

void chief__prepared_leave(chief__party *p) {
    prepared *w = p->prepared;
    if (w == NULL || !(w->standing || w->rests)) return;
    w->standing = w->rests = false;
    for (size_t i = 0; i < w->n; i++) leave(&w->spots[i]);
    w->n = 0;
    if (w->spots != w->few) chief__free(w->spots);
    w->spots = w->few;
}

/* Nobody else receives from its own mailbox, so when it was woken there is nobody to pass that on to, but after a
 * restart without it. */
void chief__prepared_resume(chief__party *p) {
    prepared *w = p->prepared;
    if (w == NULL || !w->standing) return;
    spot *s = &w->spots[0];
    bool alone = w->n == 1 && s->joined && !s->for_room && s->ch != NULL && s->ch == p->mailbox;
    if (!alone || !chief__place_was_woken(&s->place) || chief__party_is_abandoned(p)) {
        chief__prepared_leave(p);
        return;
    }
    w->standing = s->joined = false;
    w->rests = true;
}

void chief__prepared_free(prepared *w) { chief__free(w); }

/* ---- standing ---- */

static int box(chief__party *p, prepared **out) {
    if (p->prepared == NULL) p->prepared = chief__calloc(1, sizeof *p->prepared);
    *out = p->prepared;
    if (*out == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__prepared_leave(p);
    (*out)->standing = true;
    (*out)->fd = -1;
    (*out)->events = 0;
    (*out)->spots = (*out)->few;
    return CHIEF_OK;
}

static int make_spots(prepared *w, size_t n) {
    if (n > FEW) {
        spot *many = chief__calloc(n, sizeof *many);
        if (many == NULL) return chief__fail_code(CHIEF_ENOMEM);
        w->spots = many;
    }
    memset(w->spots, 0, n * sizeof *w->spots);
    return CHIEF_OK;
}

static int hold(prepared *w, const chief__party *p, chief_channel *ch) {
    if (ch == NULL) ch = p->mailbox;
    if (ch == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no mailbox");
    w->spots[w->n++].ch = chief_channel_ref(ch);
    return CHIEF_OK;
}

/* CHIEF_EAGAIN when it stands there; CHIEF_OK when there is something to look at. */
static int stand_for_message(chief__party *p, spot *s) {
    chief__hand *hand;
    int rc = chief__hand_get(&hand, p, s->ch);
    if (rc != CHIEF_OK) return rc;
    chief__channel_lock(s->ch);
    s->joined = chief__channel_look(s->ch, hand) == CHIEF_EAGAIN;
    if (s->joined) chief__queue_join(&s->ch->receivers, &s->place, &p->waiter);
    chief__channel_unlock(s->ch);
    return s->joined ? CHIEF_EAGAIN : CHIEF_OK;
}

/* A closed channel among several is no reason to look again. */
static bool is_over(spot *s) {
    chief__channel_lock(s->ch);
    bool over = s->ch->closed && s->ch->queue.len == 0;
    chief__channel_unlock(s->ch);
    return over;
}

static int stand_for_messages(chief__party *p, prepared *w, const chief_wait *what) {
    size_t standing = 0, first = w->n;
    if (what->channels == NULL || what->n == 0) return chief__fail_code(CHIEF_EINVAL);
    int rc = CHIEF_OK;
    for (size_t i = 0; rc == CHIEF_OK && i < what->n; i++) rc = hold(w, p, what->channels[i]);
    for (size_t i = first; rc == CHIEF_OK && i < w->n; i++) {
        rc = stand_for_message(p, &w->spots[i]);
        if (rc == CHIEF_OK && !is_over(&w->spots[i])) return CHIEF_OK;
        if (rc == CHIEF_EAGAIN) standing++;
        if (rc == CHIEF_EAGAIN) rc = CHIEF_OK;
    }
    return rc == CHIEF_OK && standing > 0 ? CHIEF_EAGAIN : rc;
}

static int stand_for_room(chief__party *p, prepared *w, const chief_wait *what) {
    chief__patience patience = {.deadline = what->deadline};
    int64_t until = what->deadline;
    if (what->channels == NULL || what->n != 1) return chief__fail_code(CHIEF_EINVAL);
    int rc = hold(w, p, what->channels[0]);
    if (rc != CHIEF_OK) return rc;
    spot *s = &w->spots[w->n - 1];
    s->for_room = true;
    chief__channel_lock(s->ch);
    rc = chief__channel_look_for_room(s->ch, p, patience, &until);
    s->joined = rc == CHIEF_EAGAIN && until != CHIEF__NOW;
    if (s->joined) chief__queue_join(&s->ch->senders, &s->place, &p->waiter);
    chief__channel_unlock(s->ch);
    if (until < w->until) w->until = until;
    return rc == CHIEF_EAGAIN || rc == CHIEF_ETIMEDOUT || rc == CHIEF_ECANCELED ? rc : CHIEF_OK;
}

static int stand_for_answer(chief__party *p, prepared *w, const chief_wait *what) {
    if (what->call == NULL) return chief__fail_code(CHIEF_EINVAL);
    spot *s = &w->spots[w->n++];
    s->call = chief__call_ref((chief__call *)what->call);
    s->joined = chief__call_join(s->call, &s->place, &p->waiter);
    return s->joined ? CHIEF_EAGAIN : CHIEF_OK;
}

/* What a scheduler could not wait for is told at the next try. */
static int stand_for_descriptor(const chief__party *p, prepared *w, const chief_wait *what) {
    int rc = p->fiber != NULL ? p->fiber->fd_rc : CHIEF_OK;
    if (rc != CHIEF_OK) p->fiber->fd_rc = CHIEF_OK;
    if (rc == CHIEF_EBUSY) return chief__fail(rc, "descriptor %d is waited for already", what->fd);
    if (rc != CHIEF_OK) return chief__fail(rc, "descriptor %d can't be waited for", what->fd);
    if (what->fd < 0) return chief__fail(CHIEF_EINVAL, "%d is not a descriptor", what->fd);
    if (what->events == 0 || (what->events & ~(uint32_t)(CHIEF_FD_READ | CHIEF_FD_WRITE)) != 0)
        return chief__fail(CHIEF_EINVAL, "a descriptor is waited for to be read, written, or both");
    w->fd = what->fd;
    w->events = what->events;
    return CHIEF_EAGAIN;
}

/* A wake that came before it stood here is not lost: chief_wait_wake leaves it behind. */
static int stand_for_wake(chief__party *p) {
    return atomic_exchange_explicit(&p->woken, false, memory_order_acquire) ? CHIEF_OK : CHIEF_EAGAIN;
}

static int stand(chief__party *p, prepared *w, const chief_wait *what) {
    switch (what->kind) {
    case CHIEF_WAIT_TIME: return CHIEF_EAGAIN;
    case CHIEF_WAIT_RECV: return stand_for_messages(p, w, what);
    case CHIEF_WAIT_SEND: return stand_for_room(p, w, what);
    case CHIEF_WAIT_REPLY: return stand_for_answer(p, w, what);
    case CHIEF_WAIT_FD: return stand_for_descriptor(p, w, what);
    case CHIEF_WAIT_WAKE: return stand_for_wake(p);
    default: return chief__fail(CHIEF_EINVAL, "kind %d of a wait is none", (int)what->kind);
    }
}

/* A fiber's scheduler has to know when to look, and at which descriptor. */
static void tell_fiber(const chief__party *p, const prepared *w) {
    chief__fiber *f = p->fiber;
    if (f == NULL) return;
    f->due = w->until;
    f->fd = w->fd;
    f->events = w->events;
}

/* It stands, until then or the deadline of a context that is not done yet. */
static void wait_until(const chief__party *p, prepared *w, int64_t until) {
    int64_t deadline = chief__context_deadline(p->context);
    w->until = deadline < until && chief__party_err(p) == CHIEF_OK ? deadline : until;
    tell_fiber(p, w);
}

/* The text of the call that blocks. */
static int explain(const prepared *w, int rc) {
    if (rc != CHIEF_ETIMEDOUT || w->n != 1) return chief__fail_code(rc);
    const spot *s = w->spots;
    return s->call != NULL ? chief__call_explain(s->call, rc) : chief__channel_explain(s->ch, rc);
}

/* A wait that a done context ends may not begin, and one that a deadline ends looks then. Room is looked for with a grace,
 * and who waits for a wake is told of the end by one. */
static int may_stand(const chief__party *p, const chief_wait *what) {
    if (what->kind == CHIEF_WAIT_SEND) return CHIEF_OK;
    int rc = chief__stay_over(p, what->deadline);
    if (rc == CHIEF_ECANCELED && what->kind == CHIEF_WAIT_WAKE) return CHIEF_OK;
    return rc == CHIEF_EAGAIN ? CHIEF_ETIMEDOUT : rc;
}

/* CHIEF_EAGAIN when it stands in the queues of all that `what` says and nothing is there yet. */
static int stand_in_all(chief__party *p, prepared *w, const chief_wait *what) {
    int rc = CHIEF_EAGAIN;
    for (const chief_wait *one = what; rc == CHIEF_EAGAIN && one != NULL; one = one->also) {
        if (one->deadline < w->until) w->until = one->deadline;
        rc = stand(p, w, one);
        /* looked at after it stands there: a wake that comes in between finds it */
        int over = rc == CHIEF_EAGAIN ? may_stand(p, one) : CHIEF_OK;
        if (over != CHIEF_OK) rc = over;
    }
    return rc;
}

/* ---- what is waited for ---- */

static int check_alone(const chief__party *p, const chief_wait *what) {
    bool timed = what->kind == CHIEF_WAIT_TIME || what->kind == CHIEF_WAIT_FD;
    if (p->far != NULL && !timed)
        return chief__fail(CHIEF_ENOTSUP, "a worker in a process waits for messages in the calls themselves");
    return CHIEF_OK;
}

/* How many places it takes, of all of them. */
static int count_spots(const chief__party *p, const chief_wait *what, size_t *n) {
    bool several = what->also != NULL;
    *n = 0;
    for (const chief_wait *one = what; one != NULL; one = one->also) {
        int rc = check_alone(p, one);
        if (rc != CHIEF_OK) return rc;
        if (several && one->kind == CHIEF_WAIT_FD) return chief__fail(CHIEF_EINVAL, "a descriptor is waited for alone");
        if (several && one->size < SIZE_OF_SEVERAL)
            return chief__fail(CHIEF_EINVAL, "chief_wait.size of one of several should be %zu, got %u", sizeof *one,
                               (unsigned)one->size);
        *n += one->kind == CHIEF_WAIT_RECV ? one->n : 1;
    }
    return CHIEF_OK;
}

/* ---- one message ---- */

static bool is_for_one(const chief_wait *what) {
    return what->kind == CHIEF_WAIT_RECV && what->channels != NULL && what->n == 1 && what->also == NULL;
}

/* The channel that is meant: CHIEF_ENOENT, CHIEF_EINVAL, CHIEF_ENOTSUP. */
static int find_channel(const chief__party *p, const chief_wait *what, chief_channel **out) {
    if (!is_for_one(what))
        return chief__fail(CHIEF_EINVAL, "chief_wait.received is for a message from one channel, and nothing else");
    if (p->far != NULL) return check_alone(p, what);
    *out = what->channels[0] != NULL ? what->channels[0] : p->mailbox;
    return *out != NULL ? CHIEF_OK : chief__fail(CHIEF_ENOENT, "this worker has no mailbox");
}

/* Whether it has a spot for the channel from the last time. */
static bool rests_at(const prepared *w, const chief_channel *ch) {
    return w != NULL && w->rests && w->spots[0].ch == ch;
}

static int take_spot(chief__party *p, chief_channel *ch, chief__hand *hand) {
    prepared *w;
    int rc = box(p, &w);
    if (rc != CHIEF_OK) return rc;
    memset(w->spots, 0, sizeof *w->spots);
    w->spots[0].hand = hand;
    w->standing = false;
    return hold(w, p, ch);
}

/* The try and the wait in one. */
static int receive_or_stand(chief__party *p, const chief_wait *what) {
    prepared *w;
    chief_channel *ch = NULL;
    chief__hand *hand = NULL;
    *what->received = NULL;
    int rc = find_channel(p, what, &ch);
    bool has_spot = rc == CHIEF_OK && rests_at(p->prepared, ch);
    if (has_spot) hand = p->prepared->spots[0].hand;
    else if (rc == CHIEF_OK) rc = chief__hand_get(&hand, p, ch);
    if (rc != CHIEF_OK || chief__channel_receive_easily(ch, hand, what->received)) return rc;
    if (!has_spot) rc = take_spot(p, ch, hand);
    if (rc != CHIEF_OK) return rc;
    w = p->prepared;
    rc = chief__channel_receive_or_stand(ch, hand, what->deadline, what->received, &w->spots[0].place);
    w->standing = w->spots[0].joined = rc == CHIEF_EAGAIN;
    w->rests = !w->standing;
    if (rc == CHIEF_EAGAIN) wait_until(p, w, what->deadline);
    else if (ch != p->mailbox) chief__prepared_leave(p);
    return rc;
}

/* One or several, of a caller that may know less than this version. */
static int prepare(chief__party *p, const chief_wait *what) {
    chief_wait given;
    prepared *w;
    size_t n;
    int rc = chief__options_read(&given, sizeof given, what, "chief_wait");
    if (rc == CHIEF_OK && given.received != NULL) return receive_or_stand(p, &given);
    if (rc == CHIEF_OK) rc = count_spots(p, &given, &n);
    if (rc == CHIEF_OK) rc = box(p, &w);
    if (rc != CHIEF_OK) return rc;
    w->until = INT64_MAX;
    rc = make_spots(w, n);
    if (rc == CHIEF_OK) rc = stand_in_all(p, w, &given);
    if (rc == CHIEF_ETIMEDOUT || rc == CHIEF_ECANCELED || rc == CHIEF_EFORK) rc = explain(w, rc);
    if (rc == CHIEF_EAGAIN) wait_until(p, w, w->until);
    else chief__prepared_leave(p);
    return rc;
}

int chief_wait_prepare(chief_worker *ctx, const chief_wait *what) {
    chief__party *p = chief__party_of(ctx);
    if (p == NULL || what == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (what->size == sizeof *what && what->received != NULL) return receive_or_stand(p, what);
    return prepare(p, what);
}

void chief_wait_park(chief_worker *ctx) {
    chief__party *p = chief__party_of(ctx);
    prepared *w = p != NULL ? p->prepared : NULL;
    if (w == NULL || !w->standing) return;
    if (p->fiber != NULL) chief__fiber_block(p->fiber);
    if (w->fd >= 0) chief__fd_wait(w->fd, w->events, chief_context_fd(p->context), w->until);
    else (void)chief__park(&p->waiter.parker, w->until);
    chief__prepared_leave(p);
}

void chief_wait_wake(chief_worker *ctx) {
    chief__party *p = chief__party_of(ctx);
    if (p == NULL) return;
    atomic_store_explicit(&p->woken, true, memory_order_release); /* read by stand_for_wake */
    chief__waiter_wake(&p->waiter);
}
