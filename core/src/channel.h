/*
 * channel: bounded queues of messages, and what each party has to do with them (its hands). A mailbox is a channel that
 * belongs to a worker's name.
 *
 * A message that was accepted is queued, in somebody's hand, or done with (acknowledged or dropped), and the counters say
 * so at every moment under the channel's locks: sent = acknowledged + in_hand + queued + dropped.
 *
 * The queue has two ends with a lock each, on cache lines of their own. As long as there is room a sender needs the back only, and
 * as long as there is something at the front a receiver needs that only; so a sender and a receiver on two cores do not
 * meet for each message, but when the front is empty or the back is full: then, and for all that is rare, both locks are
 * taken, and what is new moves from the back to the front (docs/concurrency.md).
 *
 * Who waits stands in `senders` or `receivers`. Each message wakes one receiver, each freed place one sender; a waiter
 * that was woken and does not take what it was woken for wakes the next. Where the lock order is: wait.h.
 */
#ifndef CHIEF_CHANNEL_H
#define CHIEF_CHANNEL_H

#include "msg.h"
#include "party.h"
#include "transport.h"

#pragma GCC visibility push(hidden)

struct chief__hand {
    atomic_uint refs;            /* dropped with release, the last one acquires: its party's, and an abandonment's */
    chief__hand *next_of_party;  /* the party's list, under its lock */
    chief__hand *next_abandoned; /* loop thread */
    chief__party *party;         /* this and the next two: const after new */
    chief_channel *ch;           /* held */
    uint64_t origin;             /* of what its party sends there (msg.h) */
    /* under the channel's locks: `held` under the front's, the others changed with both and read with either */
    chief__hand *next, *previous; /* the channel's list */
    chief__msg_list held;
    chief_reservation *reservations;
    bool sent, received;
    bool closed; /* ended or abandoned: only its memory is left */
};

struct chief_reservation {
    chief_reservation *next; /* under the channel's lock, as the other fields that say so */
    chief__hand *hand;       /* under lock; NULL: the host's, or the hand has gone */
    chief_channel *ch;       /* held; this and the next two: const after new */
    chief_msg *msg;
    size_t size;
    int64_t number; /* its name over there, where the channel is far */
    bool closed;    /* under lock: its room was given back */
};

struct chief_channel {
    atomic_uint refs; /* dropped with release, the last one acquires */
    /* const after new */
    chief__label *label; /* "" for a mailbox */
    char *owner;         /* the worker whose mailbox it is; NULL: a channel */
    atomic_bool
        unlisted; /* a mailbox that is not found by its name any more. Stored once, under the hub's lock; relaxed: who
                             sends meanwhile was before that */
    int32_t overflow;
    int32_t delivery;
    size_t capacity;
    uint64_t max_deliveries; /* 0: no limit */
    size_t max_message;
    char *dead; /* NULL: none */
    chief__far
        *far;       /* where the channel really is: its queue is not used then; NULL: here. This and the next as well */
    int64_t number; /* its name over there */

    /* changed with both locks, read with either */
    chief__hub *hub; /* held until the hub closes; NULL outside a chief */
    chief__queue senders;
    chief__hand *hands;
    size_t owners; /* live parties whose mailbox it is */
    size_t reserved;
    uint64_t dropped, redelivered, dead_lettered;
    bool host_receives;
    bool closed;
    int refusal; /* why a sender is refused: CHIEF_OK, CHIEF_ECLOSED, CHIEF_ENOENT (a mailbox whose worker is not there) */
    int fd;      /* -1 until asked for */

    char gap[CHIEF__CACHE_LINE];
    chief__mutex back;
    /* under back */
    chief__msg_list fresh;  /* what was sent since the ends met */
    chief__msg_list spare;  /* small messages that were done with, for the next ones that are sent */
    _Atomic uint64_t sent;  /* relaxed: who spins until there is more looks without a lock */
    uint64_t left_seen;     /* `left` when it was looked at last */
    chief__queue receivers; /* joined and left with both locks */
    chief__sleepers woken;  /* threads of both queues that the kernel has to be told of when the back is free */

    char wide_gap[CHIEF__CACHE_LINE];
    chief__mutex front;
    /* under front */
    chief__msg_list queue;
    chief__msg_list used; /* spare ones on their way to the senders */
    uint64_t acknowledged, in_hand;
    _Atomic uint64_t
        left; /* how many of the sent are not in the channel any more; stored with release under front, loaded
                              with acquire under back */
};

/*
 * Both locks, the back's first: the ends meet, so that all that was sent is in `queue`, and everything may be looked at and
 * changed. Where nothing is said, «the lock held» is both.
 */
void chief__channel_lock(chief_channel *ch);
void chief__channel_unlock(chief_channel *ch);

/* The back's lock alone. Whom the kernel lets run may run on this core, and it would want the lock: so it is told after it. */
void chief__channel_unlock_back(chief_channel *ch);

/* With the back's lock held: who stands first, or all who stand, in one of the channel's queues. */
void chief__channel_wake_one(chief_channel *ch, chief__queue *queue);
void chief__channel_wake_all(chief_channel *ch, chief__queue *queue);

/* `owner` not NULL: a mailbox, whose channel name is "". */
int chief__channel_new(chief_channel **out, const char *name, const char *owner, const chief_channel_options *options);

/* A party whose mailbox it is came (1) or went (-1). */
void chief__channel_owned(chief_channel *mailbox, int change);

/* Whether senders to a mailbox are refused. What is queued stays, but who waits for an answer to it waits in vain. */
void chief__channel_shut(chief_channel *mailbox, bool shut);

/* Whether senders are not refused now. */
bool chief__channel_is_open(chief_channel *ch);

/* Closes it for good, with `refusal` for those who still send, ends its calls, and lets go of the hub. */
void chief__channel_retire(chief_channel *ch, int refusal);

/* With the lock held: keeps the descriptor as it should be after the queue or `closed` changed. */
void chief__channel_update_fd(chief_channel *ch);

/* With the lock held: waits a moment for what comes at once, the first time in a stay. True when the lock was given up for
 * that, so that everything has to be looked at again. */
bool chief__channel_spin(chief_channel *ch, chief__stay *stay, bool (*is_there)(const void *ch));

/* With the back's lock held: one more was sent, and which one that is. */
static inline uint64_t chief__channel_count_sent(chief_channel *ch) {
    uint64_t sent = atomic_load_explicit(&ch->sent, memory_order_relaxed);
    atomic_store_explicit(&ch->sent, sent + 1, memory_order_relaxed);
    return sent;
}

/* ---- sending ---- */

/* With the lock held. */
bool chief__channel_has_room(const chief_channel *ch);
void chief__channel_put(chief_channel *ch, chief_msg *msg);

/* With the lock held: wakes as many senders as there is room for, but no more than `freed`. */
void chief__channel_freed(chief_channel *ch, size_t freed);

/* CHIEF_EINVAL, CHIEF_ETOOBIG. */
int chief__message_check(const chief_channel *ch, const void *data, size_t len);

/* With the back's lock held: a message for these bytes out of the spare ones, or NULL. */
chief_msg *chief__channel_spare_take(chief_channel *ch, chief__origin from, chief_bytes bytes);

/* With the front's lock held: keeps a message that nobody holds any more; false when there are enough, or somebody does. */
bool chief__channel_spare_keep(chief_channel *ch, chief_msg *msg);

/* Sends a copy of the bytes; `deadline` of chief__limit. */
int chief__channel_send_bytes(chief_channel *ch, chief__party *p, chief_bytes bytes, int64_t deadline);

/* How long a sender may wait, and whether a done context ends that at once (for calls) or at the end of its grace. */
typedef struct chief__patience {
    int64_t deadline; /* of chief__limit */
    bool at_once;
} chief__patience;

/* With the lock held, for one that found it full: CHIEF_EAGAIN while it may wait, until `*until`; CHIEF_OK when there is room
 * now; else why it has to give up. */
int chief__channel_look_for_room(chief_channel *ch, chief__party *p, chief__patience patience, int64_t *until);

/* Sends a message that is made already; it becomes the channel's on success only. */
int chief__channel_send(chief_channel *ch, chief__party *p, chief_msg *msg, chief__patience patience);

/* ---- receiving ---- */

/* What a receiver finds, with the lock held: CHIEF_OK when something is queued, else CHIEF_ECLOSED or CHIEF_EAGAIN. A
 * closed hand is CHIEF_ECANCELED. */
int chief__channel_look(const chief_channel *ch, const chief__hand *hand);

/* How much is received at once. A message that is more than the bytes comes alone. */
typedef struct chief__batch {
    size_t messages;
    size_t bytes; /* of their payloads */
} chief__batch;

/* With the lock held: moves messages into the hand (NULL: the host acknowledges) and to `out`. */
size_t chief__channel_take(chief_channel *ch, chief__hand *hand, chief_msg **out, chief__batch most);

/* chief_channel_recv_many of a channel that is here, bounded by bytes, too. */
int chief__channel_recv_batch(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out,
                              chief__batch most, size_t *n);

/* Receives one message when that needs the front alone; false when it has to be looked for with both locks. */
bool chief__channel_receive_easily(chief_channel *ch, chief__hand *hand, chief_msg **out);

/* Receives one message, or stands in the queue for the next (CHIEF_EAGAIN), in one step. `place` is in no queue, and the
 * deadline of chief_wait_deadline. */
int chief__channel_receive_or_stand(chief_channel *ch, chief__hand *hand, int64_t deadline, chief_msg **out,
                                    chief__place *place);

/* With the front's lock held: what the hand holds is done with. It is kept for the next, or goes to `gone`, to be discarded
 * without the lock. */
void chief__channel_ack(chief_channel *ch, chief__hand *hand, chief__msg_list *gone);

/* With the lock held: it asks for the next, which acknowledges what it holds. */
void chief__channel_ask(chief_channel *ch, chief__hand *hand, chief__msg_list *gone);

/* The error with a text about this channel. */
int chief__channel_explain(const chief_channel *ch, int rc);

/* ---- hands ---- */

int chief__hand_new(chief__hand **out, chief__party *p, chief_channel *ch);

/* The party's hand for the channel, made at first use; NULL for the host. CHIEF_ENOMEM; CHIEF_ECANCELED when it was
 * abandoned. Worker's thread. */
static inline int chief__hand_get(chief__hand **out, chief__party *p, chief_channel *ch) {
    chief__hand *hand = p != NULL ? p->hands : NULL;
    while (hand != NULL && hand->ch != ch) hand = hand->next_of_party;
    *out = hand;
    return p == NULL || hand != NULL ? CHIEF_OK : chief__hand_new(out, p, ch);
}

/* A reference to keep its memory while it is looked at from outside its thread. */
void chief__hand_hold(chief__hand *hand);

/* Leaves the channel for good and drops its party's reference. */
void chief__hand_end(chief__hand *hand, bool clean);

/* As by an unclean end, from another thread; drops a reference of chief__hand_hold. */
void chief__hand_abandon(chief__hand *hand);

/* With the lock held: takes a reservation out of its hand and gives its room back, once. */
void chief__reservation_release(chief_reservation *r);

#pragma GCC visibility pop
#endif
