/*
 * remote: the chief as its worker sees it from a process of its own. A transport (transport.h) whose every call is a frame
 * to the chief and the wait for its answer. Used in the child only.
 */
#ifndef CHIEF_REMOTE_H
#define CHIEF_REMOTE_H

#include "channel.h"
#include "wire.h"

#pragma GCC visibility push(hidden)

/* The other way to the chief, which is free while an answer is waited for. */
typedef struct chief__beside {
    void (*hear)(void *data, const chief__frame *frame); /* gets what is told before an answer: CANCEL, VALUE, LEVEL */
    void (*say)(void *data, chief__frames *frames);      /* any thread; empties them */
    void *data;
} chief__beside;

typedef struct chief__remote {
    chief__far far;        /* first: what the calls get */
    chief__beside beside;  /* const after init */
    chief__label *mailbox; /* held: the channel's name in messages from the mailbox */
    chief__mutex lock;     /* held while an answer is waited for: one asks at a time */
    /* under lock */
    chief__wire call;
    chief__frames out;
    chief_channel **channels; /* those that were opened, each held */
    size_t n_channels;
    int mailbox_fd; /* -1 until asked for */
    int broken;     /* why nothing more can be asked, CHIEF_OK */
} chief__remote;

/* Over the socket `fd`. CHIEF_ENOMEM; then fini is still to be called. */
int chief__remote_init(chief__remote *r, int fd, const chief__beside *beside);
void chief__remote_fini(chief__remote *r);

/* Sends what is in `out`. With the lock held, as the next. */
int chief__remote_say(chief__remote *r);

/* The next frame that is no aside. */
int chief__remote_hear(chief__remote *r, chief__frame *frame);

#pragma GCC visibility pop
#endif
