/*
 * task: a call of the library's that waits, on a thread of its own: Node's pool has four threads for everybody, which one
 * chief that starts slowly must not keep.
 */
#include <stdlib.h>

#include "chief_node.h"

static void settle(post *p, napi_env env) {
    task *t = (task *)((char *)p - offsetof(task, post));
    host *h = t->host;
    if (env != NULL) {
        napi_value value = t->rc == CHIEF_OK && t->show != NULL ? t->show(t, env) : js_undefined(env);
        if (t->rc != CHIEF_OK) (void)napi_reject_deferred(env, t->deferred, js_error(env, t->rc, t->text));
        else if (value != NULL) (void)napi_resolve_deferred(env, t->deferred, value);
        else if (napi_get_and_clear_last_exception(env, &value) == napi_ok)
            (void)napi_reject_deferred(env, t->deferred, value);
        host_release(h);
    }
    t->free(t);
    host_unref(h);
}

static void *work(void *data) {
    task *t = data;
    host *h = t->host;
    t->rc = t->work(t);
    if (t->rc != CHIEF_OK) (void)chief_last_error_take(t->text, sizeof t->text);
    (void)pthread_mutex_lock(&h->lock);
    member_remove(&t->member);
    (void)pthread_mutex_unlock(&h->lock);
    (void)host_ref(h); /* the post's may go before what follows */
    if (!host_post(h, &t->post)) settle(&t->post, NULL);
    (void)pthread_mutex_lock(&h->lock);
    h->tasks--;
    (void)pthread_cond_broadcast(&h->quiet);
    (void)pthread_mutex_unlock(&h->lock);
    host_unref(h);
    return NULL;
}

static bool run_in_thread(task *t) {
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, (size_t)512 * 1024);
    bool made = pthread_create(&thread, &attributes, work, t) == 0;
    (void)pthread_attr_destroy(&attributes);
    return made;
}

napi_value task_start(napi_env env, task *t) {
    napi_value promise = NULL;
    host *h = host_of(env);
    t->host = host_ref(h);
    t->post.run = settle;
    if (napi_create_promise(env, &t->deferred, &promise) != napi_ok) {
        t->free(t);
        host_unref(h);
        return NULL;
    }
    host_hold(h);
    (void)pthread_mutex_lock(&h->lock);
    h->tasks++;
    member_add(&h->waiting, &t->member, t);
    (void)pthread_mutex_unlock(&h->lock);
    if (run_in_thread(t)) return promise;
    (void)pthread_mutex_lock(&h->lock);
    h->tasks--;
    member_remove(&t->member);
    (void)pthread_mutex_unlock(&h->lock);
    t->rc = CHIEF_ESYS;
    settle(&t->post, env);
    return promise;
}

/* The chiefs have stopped by now, so that what waits for them has come back. */
void tasks_close(host *h) {
    struct timespec until;
    (void)pthread_mutex_lock(&h->lock);
    for (member *m = h->waiting.next; m != NULL; m = m->next) {
        task *t = m->object;
        if (t->cancel != NULL) t->cancel(t);
    }
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    int rc = 0;
    while (h->tasks > 0 && rc == 0) rc = pthread_cond_timedwait(&h->quiet, &h->lock, &until);
    (void)pthread_mutex_unlock(&h->lock);
}
