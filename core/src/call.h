/*
 * call: a question to a worker that waits for its answer. The caller and the message share it; whoever of the two goes
 * first leaves it to the other.
 */
#ifndef CHIEF_CALL_H
#define CHIEF_CALL_H

#include "party.h"
#include "transport.h"

#pragma GCC visibility push(hidden)

typedef struct chief__call chief__call;

/* A count that outlives who counts. */
typedef struct chief__counter {
    atomic_uint refs;   /* dropped with release, the last one acquires */
    _Atomic uint64_t n; /* relaxed */
} chief__counter;

chief__counter *chief__counter_new(void);
void chief__counter_unref(chief__counter *counter);

/* To `callee`, who is the sender of the answer. `late` counts answers that came when the caller had gone. */
chief__call *chief__call_new(const char *callee, chief__counter *late);

/* A question that was received here from another process, where it has this number. */
chief__call *chief__call_new_far(chief__far *far, int64_t number);
chief__call *chief__call_ref(chief__call *call);
void chief__call_unref(chief__call *call);

/* Whether its caller still waits. */
bool chief__call_is_open(chief__call *call);

/* As chief_msg_reply, or as chief_msg_fail with that text. */
int chief__call_answer(chief_msg *msg, bool failed, const void *data, size_t len);

/* Counts an answer that came when its question was no more; CHIEF_ENOENT. */
int chief__call_too_late(chief__counter *late);

/* The callee is done with the message: no reply, unless there was one. */
void chief__call_end(chief__call *call);

/* The caller's side without waiting. take: CHIEF_OK, CHIEF_ECALL, CHIEF_ENOREPLY, CHIEF_EAGAIN. */
int chief__call_take(chief__call *call, chief_msg **reply);

/* The text of a wait for its answer that ends with `rc`, which it returns. */
int chief__call_explain(const chief__call *call, int rc);
void chief__call_leave(chief__call *call); /* the caller has gone */

/* Stands in the queue of who waits for the answer; false when it is there already. */
bool chief__call_join(chief__call *call, chief__place *place, chief__waiter *waiter);
void chief__call_unjoin(chief__call *call, chief__place *place);

/* Waits for the answer, as `party`; the caller counts as gone afterwards, whatever came. */
int chief__call_wait(chief__call *call, chief__party *party, int64_t deadline, chief_msg **reply);

#pragma GCC visibility pop
#endif
