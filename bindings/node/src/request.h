/*
 * request: what a worker in JavaScript asks of its chief. JavaScript makes it and gets its promise; the worker's thread tries
 * it until it is over, without ever waiting in a call.
 */
#ifndef CHIEF_NODE_REQUEST_H
#define CHIEF_NODE_REQUEST_H

#include "chief_node.h"

typedef enum request_kind {
    ASK_RECV,      /* channels, max */
    ASK_SEND,      /* channels[0] or to, items */
    ASK_CALL,      /* to, items[0] */
    ASK_BROADCAST, /* items[0] */
    ASK_SLEEP,
    ASK_ACK, /* channels[0] */
    ASK_READY,
    ASK_STATES
} request_kind;

typedef struct request {
    post post;
    struct request *next;
    host *host; /* held */
    napi_deferred deferred;
    request_kind kind;
    bool raw;
    bool hasty;        /* a timeout of 0: it does not wait */
    int64_t deadline;  /* of chief_wait_deadline */
    size_t n_channels; /* of channels, held; NULL: the own mailbox */
    chief_channel **channels;
    size_t max; /* 0: one message, else up to so many */
    char *to;
    size_t n_items, sent;
    payload *items;
    chief_bytes *bytes;     /* of items */
    chief_channel *mailbox; /* the worker's thread: of `to`, held */
    chief_pending *call;    /* the worker's thread */
    int rc;                 /* the outcome, from here on */
    char *text;             /* NULL: the code's */
    size_t index, reached;
    size_t n_msgs;
    chief_msg **msgs;
    chief_snapshot *states;
} request;

/* As people know it: "recv", "send" … */
const char *request_kind_name(request_kind kind);

/* From (kind, target, payload, timeout, max, raw): a request and its promise; NULL and an exception. The target is a name, a
 * channel, null for the mailbox, or an array of the latter two; a payload for several is an array. */
request *request_new(napi_env env, const napi_value *argv, napi_value *promise);
void request_free(request *r);

/* In the worker's thread: true when it is over. `done` is whether the context was done before. */
bool request_try(request *r, chief_worker *ctx, bool done);

/* What it waits for. */
void request_wait(request *r, chief_wait *out);

/* Where it sends to, once that is known; NULL for other requests. */
chief_channel *request_target(request *r);

/* It is over with this code and text (NULL: the thread's last error). The worker's thread. */
void request_end(request *r, int rc, const char *text);

/* Tells JavaScript of its end, and gives it up. */
void request_finish(request *r);

#endif
