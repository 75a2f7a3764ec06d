/*
 * msg: one message, and the call it may be part of.
 */
#ifndef CHIEF_MSG_H
#define CHIEF_MSG_H

#include "wait.h"

#pragma GCC visibility push(hidden)

/* A name that messages share with their channel. */
typedef struct chief__label {
    atomic_uint refs; /* dropped with release, the last one acquires */
    char text[];
} chief__label;

chief__label *chief__label_new(const char *text);
chief__label *chief__label_ref(chief__label *label);
void chief__label_unref(chief__label *label);

/* Counts that outlive who counts. */
typedef struct chief__counter {
    atomic_uint refs;
    _Atomic uint64_t n; /* relaxed */
} chief__counter;

chief__counter *chief__counter_new(void);
chief__counter *chief__counter_ref(chief__counter *counter);
void chief__counter_unref(chief__counter *counter);

/* ---- calls ---- */

typedef struct chief__call chief__call;

/* `late` counts replies that came when the caller had gone. */
chief__call *chief__call_new(chief__counter *late);
void chief__call_unref(chief__call *call);

/* The callee is done with the message: no reply, unless there was one. */
void chief__call_end(chief__call *call);

/* The caller's thread waits for the answer, as `party`; it is gone afterwards whatever came. */
struct chief__party;
int chief__call_wait(chief__call *call, struct chief__party *party, int64_t deadline, int64_t timeout_ms,
                     chief_msg **reply);

/* ---- messages ---- */

typedef enum chief__msg_kind { MSG_MESSAGE, MSG_CALL, MSG_BROADCAST } chief__msg_kind;

/* Bytes that several messages share. */
typedef struct chief__body chief__body;

struct chief_msg {
    atomic_uint refs;          /* dropped with release, the last one acquires */
    _Atomic uint32_t deliveries; /* written under the channel's lock; relaxed */
    chief_msg *next;           /* under the lock of the list it is in */
    chief__label *channel;     /* const once sent, as the following */
    chief__call *call;         /* NULL: not a call */
    chief__body *body;         /* NULL: the bytes are the message's own */
    const unsigned char *data;
    size_t len;
    chief__msg_kind kind;
    char sender[]; /* then the bytes */
};

/* Room for `len` bytes, copied from `data` unless that is NULL. The sender NULL: the host. */
chief_msg *chief__msg_new(const char *sender, chief__label *channel, const void *data, size_t len);

/* A message over shared bytes. */
chief_msg *chief__msg_new_shared(const char *sender, chief__label *channel, chief__body *body);
chief__body *chief__body_new(const void *data, size_t len);
void chief__body_unref(chief__body *body);

chief_msg *chief__msg_ref(chief_msg *msg);

/* A list in order; zeroed is empty. Not thread-safe. */
typedef struct chief__msg_list {
    chief_msg *first;
    chief_msg *last;
    size_t len;
} chief__msg_list;

void chief__list_push(chief__msg_list *list, chief_msg *msg);
chief_msg *chief__list_pop(chief__msg_list *list);
void chief__list_append(chief__msg_list *list, chief__msg_list *more);

/* Ends the calls of all and drops a reference of each. No lock may be held. */
void chief__list_discard(chief__msg_list *list);

#pragma GCC visibility pop
#endif
