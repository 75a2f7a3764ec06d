/*
 * inbox: what threads tell the loop. Reports from homes are bits in a slot that exists before the home does, so that a
 * report cannot fail; requests wait for the loop's answer; notes are news that may be lost when memory is short. The
 * inbox outlives its chief as long as an abandoned thread may still report to it.
 */
#ifndef CHIEF_INBOX_H
#define CHIEF_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "plat.h"

#pragma GCC visibility push(hidden)

typedef enum chief__report_bit {
    REPORT_INITIALIZED = 1,
    REPORT_INIT_FAILED = 2, /* last: the home ends */
    REPORT_ENTERED = 4,
    REPORT_READY = 8,
    REPORT_EXITED = 16,   /* last */
    REPORT_FINISHED = 32, /* last: told to end without a run */
    REPORT_EXPIRED = 64   /* it has to be ended by force */
} chief__report_bit;

#define REPORT_LAST (REPORT_INIT_FAILED | REPORT_EXITED | REPORT_FINISHED)

/* A home's slot, embedded in what the loop knows it by. All fields under the inbox's lock. */
typedef struct chief__report {
    struct chief__report *next;
    uint32_t bits;
    bool queued;
} chief__report;

/* A request lives on the stack of the caller, who waits for `done`. */
typedef struct chief__request {
    struct chief__request *next;
    int kind; /* of the loop's own meaning */
    const char *name;
    void *data;
    int64_t number;
    int rc;
    bool done;      /* under the inbox's lock */
    char text[512]; /* the last error on the loop's thread, for the caller's */
} chief__request;

/* A message that left its channel at max_deliveries. */
typedef struct chief__dropped {
    struct chief__dropped *next;
    char *channel;
    char *worker;
} chief__dropped;

/* Asked for from anywhere without memory. */
typedef enum chief__call_bit { CALL_STOP = 1, CALL_FORCE = 2, CALL_HOOKS_DONE = 4, CALL_ANSWERS = 8 } chief__call_bit;

typedef struct chief__inbox chief__inbox;

/* `wake` is called under the inbox's lock when something came into an empty inbox; it must not block. */
int chief__inbox_new(chief__inbox **out, void (*wake)(void *data), void *data);
chief__inbox *chief__inbox_ref(chief__inbox *in);
void chief__inbox_unref(chief__inbox *in);

/* From now on nothing comes in and nobody is woken: reports and notes are forgotten, requests (also those waiting)
 * answered with CHIEF_ECLOSED. */
void chief__inbox_close(chief__inbox *in);

void chief__inbox_report(chief__inbox *in, chief__report *slot, chief__report_bit bit);
void chief__inbox_call(chief__inbox *in, chief__call_bit bit);
void chief__inbox_note(chief__inbox *in, const char *channel, const char *worker);

/* Hands a request to the loop, waits for the answer, and makes it this thread's last error when it is one. */
int chief__inbox_request(chief__inbox *in, chief__request *request);

/* For the loop. Each takes the oldest of its kind, NULL or 0 when there is none. */
chief__report *chief__inbox_next_report(chief__inbox *in, uint32_t *bits);
chief__request *chief__inbox_next_request(chief__inbox *in);
chief__dropped *chief__inbox_next_note(chief__inbox *in);
uint32_t chief__inbox_take_calls(chief__inbox *in);
uint64_t chief__inbox_take_lost(chief__inbox *in); /* notes lost for want of memory */
void chief__inbox_answer(chief__inbox *in, chief__request *request, int rc);
void chief__dropped_free(chief__dropped *note);

/* Whether this thread is one of the chief's: its loop (`loop` true), a worker or the hooks. Threads say so when they
 * begin. */
void chief__inbox_enter(const chief__inbox *in, bool loop);
/* The same for a thread of the host's, for as long as it leads lives of one chief's. False, and nothing to leave, for one that
 * is another's already. */
bool chief__inbox_visit(const chief__inbox *in);
void chief__inbox_leave(void);

bool chief__inbox_is_own_thread(const chief__inbox *in);
bool chief__inbox_is_loop(const chief__inbox *in);

#pragma GCC visibility pop
#endif
