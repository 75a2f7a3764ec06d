/*
 * host: one environment of Node's (the main thread's, or one of a Node worker thread) as the threads of the library see it.
 * They post what JavaScript has to be told; its thread takes all that is there in one go. From the beginning of its end on
 * nothing is posted any more, and whoever waits for JavaScript is told so.
 */
#ifndef CHIEF_NODE_HOST_H
#define CHIEF_NODE_HOST_H

#include <pthread.h>

#include "js.h"

typedef struct host host;

/* Something to do in JavaScript's thread. `run` owns it; with `env` NULL it is only to be freed. */
typedef struct post {
    struct post *next;
    void (*run)(struct post *p, napi_env env);
} post;

/* A member of one of the host's lists. */
typedef struct member {
    struct member *next, *previous;
    void *object;
} member;

struct host {
    napi_env env;
    napi_threadsafe_function wake;
    napi_ref error_maker; /* (code, text) → error */
    napi_ref describe;    /* (object) → how it is sent, see value.c */
    size_t holds;         /* JavaScript's thread: what keeps the process alive */
    member chiefs;        /* JavaScript's thread: those that are not freed */
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* with lock */
    member waiting;       /* under lock: the tasks in a call of the library's that waits */
    size_t tasks;         /* under lock: those threads that have not gone yet */
    post *first, *last;   /* under lock */
    post *late;           /* under lock: what is to be freed in JavaScript's thread, while the environment ends */
    bool closing;         /* under lock */
    bool closed;          /* under lock */
    size_t refs;          /* under lock */
};

/* The environment's host, made at first use; NULL and an exception. */
host *host_open(napi_env env);
host *host_of(napi_env env);
host *host_ref(host *h);
void host_unref(host *h);

/* From any thread; false when the environment ends: then the post stays the caller's. */
bool host_post(host *h, post *p);
bool host_is_closing(host *h);

/* From any thread: what frees something of JavaScript's, which is also done while the environment ends. */
void host_bury(host *h, post *p);

/* While something is held the process does not end by itself. JavaScript's thread. */
void host_hold(host *h);
void host_release(host *h);

void member_add(member *list, member *m, void *object);
void member_remove(member *m);

/* Calls a function; what it throws is an uncaught exception of the process. */
void host_call(napi_env env, napi_ref function, size_t argc, napi_value *argv);

#endif
