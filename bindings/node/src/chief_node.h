/*
 * chief_node.h: the parts of the addon, as they see each other.
 */
#ifndef CHIEF_NODE_H
#define CHIEF_NODE_H

#include "host.h"

/* ---- value: JavaScript's values as messages, by the library's own rules ---- */

typedef struct payload {
    char *data; /* malloc'ed */
    size_t len;
} payload;

/* `raw`: a Buffer as it is. false and an exception when it can't be sent. */
bool payload_read(napi_env env, napi_value value, bool raw, payload *out);
napi_value payload_show(napi_env env, chief_bytes bytes, bool raw);
/* The bytes of a Buffer or a Uint8Array, and of nothing else: N-API's own look at a buffer takes any view, or aborts. */
bool bytes_of(napi_env env, napi_value value, void **data, size_t *len);
/* The value of a context or of a log's field, copied; false and an exception. */
bool value_read(napi_env env, arena *a, napi_value value, chief_value *out);
napi_value value_show(napi_env env, const chief_value *value);

/* ---- message: [value, sender, kind, channel, deliveries, handle]; takes over the message ---- */

napi_value message_show(napi_env env, chief_msg *msg, bool raw);
void message_define(napi_env env, napi_value exports);

/* ---- options ---- */

typedef struct worker_options {
    chief_worker_options worker;
    chief_restart restart;
    chief_schedule schedule;
    chief_process process;
    chief_policy policy; /* its data goes with a worker that was added, see options_added */
    payload args;        /* freed by options_end */
    arena arena;
} worker_options;

bool options_read_worker(napi_env env, napi_value from, worker_options *out);
bool options_read_chief(napi_env env, arena *a, napi_value from, chief_options *out);
bool options_read_channel(napi_env env, arena *a, napi_value from, chief_channel_options *out);
void options_end(worker_options *o);

/* After the worker was added, or not: the library keeps the policy of one that was. */
void options_added(worker_options *o, int rc);

/* A policy over a function (question, about); false and an exception. */
bool policy_read(napi_env env, napi_value decide, int64_t timeout_ms, chief_policy *out);
void policy_drop(const chief_policy *of);
void policy_define(napi_env env, napi_value exports);

/* ---- chief ---- */

void chief_define(napi_env env, napi_value exports);
void chiefs_stop(host *h);
void chiefs_free(host *h);

/* ---- task: a call of the library's that waits, on a thread of its own ---- */

typedef struct task {
    post post;
    host *host;
    napi_deferred deferred;
    int rc;
    char text[512];                                   /* of the failure */
    int (*work)(struct task *t);                      /* the thread */
    napi_value (*show)(struct task *t, napi_env env); /* JavaScript's thread; NULL: undefined */
    void (*cancel)(struct task *t);                   /* at the end of the environment; NULL: it ends by itself */
    void (*free)(struct task *t);
    member member; /* of the list of those that wait, under the host's lock */
} task;

/* Starts it and gives the promise of its end; on failure the task is freed. */
napi_value task_start(napi_env env, task *t);
void tasks_close(host *h);

/* ---- life: a worker in JavaScript ---- */

int life_add_worker(napi_env env, chief *c, const char *name, napi_value lead, int restart_on_fail,
                    chief_worker_options *options);
void life_define(napi_env env, napi_value exports);
void lives_close(host *h);

/* ---- the others ---- */

void channel_define(napi_env env, napi_value exports);
chief_channel *channel_of(napi_env env, napi_value handle);
napi_value channel_handle(napi_env env, chief_channel *ch); /* takes over the reference */
napi_value event_show(napi_env env, const chief_event *event);
napi_value snapshot_show(napi_env env, chief_snapshot *snapshot); /* takes it over */
void poll_define(napi_env env, napi_value exports);
void cron_define(napi_env env, napi_value exports);
void context_define(napi_env env, napi_value exports);
napi_value context_handle(napi_env env, chief_context *ctx); /* with a reference of its own */
napi_value log_handle(napi_env env, chief_log *log);         /* with a reference of its own */
chief_log *log_read(napi_env env, napi_value from); /* of options, a new one; NULL: none given, or an exception */

/* Members of `exports`. */
typedef struct export {
    const char *name;
    napi_callback call;
}
export;
void define(napi_env env, napi_value exports, const export *list, size_t n);

#endif
