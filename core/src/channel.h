/*
 * channel: bounded queues of messages, and what each party has to do with them (its hands). A mailbox is a channel with
 * one receiver.
 *
 * A message that was accepted is queued, in somebody's hand, or done with (acknowledged or dropped), and the counters say
 * so at every moment under the channel's lock: sent = acknowledged + in_hand + queued + dropped.
 */
#ifndef CHIEF_CHANNEL_H
#define CHIEF_CHANNEL_H

#include "msg.h"
#include "party.h"

#pragma GCC visibility push(hidden)

/* Told, without a lock, of a message that left at max_deliveries. */
typedef void (*chief__on_dropped)(void *data, const char *channel, const char *worker);

struct chief__hand {
    chief__hand *next_of_party; /* the party's list */
    chief__party *party;        /* this and the next: const after new */
    chief_channel *ch;          /* held */
    /* under the channel's lock */
    chief__hand *next, *previous; /* the channel's list */
    chief__msg_list held;
    chief_reservation *reservations;
    bool sent, received;
    bool dead; /* abandoned: only its memory is left */
};

struct chief_reservation {
    chief_reservation *next; /* under the channel's lock */
    chief__hand *hand;       /* NULL: the host's, or the hand has gone */
    chief_channel *ch;       /* held */
    chief_msg *msg;
    size_t room;
    bool dead; /* under the channel's lock: its room was given back */
};

struct chief_channel {
    atomic_uint refs; /* dropped with release, the last one acquires */
    /* const after new */
    chief__label *label;
    int32_t overflow;
    int32_t delivery;
    size_t capacity;
    uint64_t max_deliveries; /* 0: no limit */
    size_t max_message;
    char *dead_name; /* NULL: none */
    chief__on_dropped on_dropped;
    void *on_dropped_data;

    chief__mutex lock;
    /* under lock */
    chief_channel *dead; /* held until the hub closes */
    chief__msg_list queue;
    size_t reserved;
    chief__queue senders;
    chief__queue receivers;
    chief__hand *hands;
    bool closed;
    bool shut;         /* a mailbox whose worker is not there: sends are CHIEF_ENOENT */
    bool had_receiver; /* some worker has received, ever */
    bool host_receives;
    int fd; /* -1 until asked for */
    uint64_t sent, acknowledged, in_hand, dropped, redelivered, dead_lettered;
};

int chief__channel_new(chief_channel **out, const char *name, const chief_channel_options *options,
                       chief__on_dropped on_dropped, void *data);

/* The party's hand for the channel, made at first use; NULL when there is no memory. Worker thread. */
chief__hand *chief__hand_get(chief__party *p, chief_channel *ch);

/* Waits for room as chief_channel_send says, with the channel's lock held before and after; then there is room and it is
 * the caller's. Messages that gave way go to `spoils`. */
int chief__room(chief_channel *ch, chief__hand *hand, chief__party *p, int64_t timeout_ms, int64_t deadline,
                chief__msg_list *spoils);

/* With the lock held: the message is sent now, whatever the capacity. */
void chief__put_last(chief_channel *ch, chief_msg *msg);

/* Sends a message that is made already and becomes the channel's on success. */
int chief__send_msg(chief_channel *ch, chief__party *p, chief_msg *msg, int64_t timeout_ms);

/* With the lock held: keeps the descriptor as it should be. */
void chief__update_fd(chief_channel *ch);

/* What becomes of messages after the lock: those that moved to `dead`, those whose worker died too often. */
typedef struct chief__spoils {
    chief__msg_list gone;     /* to be discarded */
    chief__msg_list too_often; /* left at max_deliveries */
} chief__spoils;

/* With the lock held: ends what a hand holds. */
void chief__hand_ack(chief__hand *hand, chief__spoils *spoils);
void chief__hand_return(chief__hand *hand, chief__spoils *spoils);

/* Without the lock. */
void chief__spoils_settle(chief_channel *ch, chief__spoils *spoils, const char *worker);

/* Leaves the channel for good; the hand is freed. */
void chief__hand_end(chief__hand *hand, bool clean);

/* As by an unclean end, from another thread; the hand stays. */
void chief__hand_abandon(chief__hand *hand);

/* Ends the calls that are queued, for a mailbox whose worker will not come. */
void chief__channel_end_calls(chief_channel *ch);

/* Whether sends are refused because the worker is not there. Wakes blocked senders. */
void chief__channel_shut(chief_channel *ch, bool shut);

#pragma GCC visibility pop
#endif
