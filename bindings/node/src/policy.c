/*
 * policy: what follows the end of a worker, decided in JavaScript. The library asks on a thread of its own, which waits here
 * for the answer; one that comes too late is dropped.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chief_node.h"

#define ANSWER_MS 1000 /* as the library's own default */
#define HEAD 4         /* values before the history */
#define PER_END 5      /* values for each end in it */

typedef struct policy {
    host *host; /* held */
    napi_ref decide;
    int64_t timeout;
    post gone;
} policy;

/* One question; the thread that asks and JavaScript each have a reference. */
typedef struct question {
    post post;
    policy *policy; /* there as long as the thread waits */
    napi_ref decide;
    payload about; /* of the post */
    pthread_mutex_t lock;
    pthread_cond_t answered_cond;
    bool answered; /* under lock, as the next */
    int32_t kind;  /* enum chief_answer_kind; -1: it has failed */
    int64_t delay;
    char *text; /* why */
    size_t refs;
} question;

static void question_unref(void *object) {
    question *q = object;
    (void)pthread_mutex_lock(&q->lock);
    bool last = --q->refs == 0;
    (void)pthread_mutex_unlock(&q->lock);
    if (!last) return;
    (void)pthread_cond_destroy(&q->answered_cond);
    (void)pthread_mutex_destroy(&q->lock);
    free(q->about.data);
    free(q->text);
    free(q);
}

/* ---- in JavaScript's thread ---- */

static void put_question(post *p, napi_env env) {
    question *q = (question *)((char *)p - offsetof(question, post));
    napi_value argv[2] = {NULL, NULL};
    (void)pthread_mutex_lock(&q->lock);
    bool late = q->answered; /* the policy may be gone then */
    (void)pthread_mutex_unlock(&q->lock);
    if (env != NULL && !late) {
        argv[0] = js_handle(env, HANDLE_QUESTION, q, question_unref);
        argv[1] = payload_show(env, (chief_bytes){q->about.data, q->about.len}, false);
    }
    if (argv[0] == NULL) question_unref(q);
    else if (argv[1] != NULL) host_call(env, q->decide, 2, argv);
}

/* (question, kind, delay, text) */
static napi_value policy_answer(napi_env env, napi_callback_info info) {
    napi_value argv[4];
    arena a = {NULL};
    if (!js_args(env, info, argv, 4)) return NULL;
    question *q = js_object(env, argv[0], HANDLE_QUESTION);
    if (q == NULL) return NULL;
    const char *text = js_get_text(env, &a, argv[3]);
    (void)pthread_mutex_lock(&q->lock);
    if (!q->answered) {
        q->answered = true;
        q->kind = (int32_t)js_get_integer(env, argv[1], -1);
        q->delay = js_get_integer(env, argv[2], 0);
        q->text = text != NULL ? strdup(text) : NULL;
        (void)pthread_cond_signal(&q->answered_cond);
    }
    (void)pthread_mutex_unlock(&q->lock);
    arena_end(&a);
    return js_undefined(env);
}

void policy_define(napi_env env, napi_value exports) {
    static const export list[] = {{"policyAnswer", policy_answer}};
    define(env, exports, list, sizeof list / sizeof *list);
}

/* ---- in the library's thread ---- */

static chief_token text_token(const char *text) {
    return (chief_token){.kind = CHIEF_TOKEN_STR, .data = text, .len = strlen(text)};
}

static chief_token integer_token(int64_t integer) { return (chief_token){.kind = CHIEF_TOKEN_INT, .integer = integer}; }

/* [worker, error, failures, restarts, then for each end generation, reason, code, time and up] */
static bool describe(const chief_exit *e, payload *out) {
    size_t n = 1 + HEAD + PER_END * (size_t)e->n_history, size = 9 * n;
    chief_token *tokens = calloc(n, sizeof *tokens), *at = tokens;
    if (tokens == NULL) return false;
    *at++ = (chief_token){.kind = CHIEF_TOKEN_ARRAY, .len = n - 1};
    *at++ = text_token(e->worker);
    *at++ = text_token(e->error);
    *at++ = integer_token((int64_t)e->failures);
    *at++ = integer_token((int64_t)e->restarts);
    for (uint32_t i = 0; i < e->n_history; i++) {
        *at++ = integer_token((int64_t)e->history[i].generation);
        *at++ = text_token(chief_reason_name(e->history[i].reason));
        *at++ = integer_token(e->history[i].code);
        *at++ = integer_token(e->history[i].time_ms);
        *at++ = integer_token(e->history[i].up_ms);
    }
    for (size_t i = 1; i < n; i++)
        if (tokens[i].kind == CHIEF_TOKEN_STR) size += (size_t)tokens[i].len;
    out->data = malloc(size);
    bool ok = out->data != NULL && chief_pack_write(tokens, n, out->data, size, &out->len) == CHIEF_OK;
    free(tokens);
    return ok;
}

static question *new_question(policy *p, const chief_exit *e) {
    question *q = calloc(1, sizeof *q);
    if (q == NULL) return NULL;
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->answered_cond, NULL);
    q->refs = 1;
    q->post.run = put_question;
    q->decide = p->decide;
    if (describe(e, &q->about)) return q;
    question_unref(q);
    return NULL;
}

/* False when none has come in time; from then on it is too late. */
static bool await_answer(question *q, int64_t timeout_ms) {
    struct timespec until;
    int rc = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&q->lock);
    while (!q->answered && rc == 0) rc = pthread_cond_timedwait(&q->answered_cond, &q->lock, &until);
    bool came = q->answered;
    q->answered = true;
    (void)pthread_mutex_unlock(&q->lock);
    return came;
}

static int read_answer(const question *q, chief_answer *answer) {
    if (q->kind < 0) return chief_set_last_error(CHIEF_EFAILED, q->text);
    answer->kind = q->kind;
    answer->delay_ms = q->delay;
    return CHIEF_OK;
}

static int on_exit_of(void *data, const chief_exit *e, chief_answer *answer) {
    policy *p = data;
    question *q = new_question(p, e);
    if (q == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    q->refs = 2;
    bool asked = host_post(p->host, &q->post);
    if (!asked) q->refs = 1;
    int rc = asked && await_answer(q, p->timeout)
                 ? read_answer(q, answer)
                 : chief_set_last_error(CHIEF_ETIMEDOUT, "onExit did not answer in time");
    question_unref(q);
    return rc;
}

/* ---- made and freed ---- */

static void policy_gone(post *at, napi_env env) {
    policy *p = (policy *)((char *)at - offsetof(policy, gone));
    if (env != NULL) (void)napi_delete_reference(env, p->decide);
    host_unref(p->host);
    free(p);
}

static void destroy(void *data) {
    policy *p = data;
    p->gone.run = policy_gone;
    host_bury(p->host, &p->gone);
}

bool policy_read(napi_env env, napi_value decide, int64_t timeout_ms, chief_policy *out) {
    policy *p = calloc(1, sizeof *p);
    if (p == NULL || napi_create_reference(env, decide, 1, &p->decide) != napi_ok) {
        free(p);
        (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
        return false;
    }
    p->host = host_ref(host_of(env));
    p->timeout = timeout_ms > 0 ? timeout_ms : ANSWER_MS;
    *out = (chief_policy){
        .size = sizeof *out, .on_exit = on_exit_of, .data = p, .destroy = destroy, .timeout = p->timeout};
    return true;
}

void policy_drop(const chief_policy *of) {
    if (of->data != NULL) destroy(of->data);
}
