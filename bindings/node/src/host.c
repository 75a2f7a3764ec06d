/* host: one environment of Node's, as the threads of the library see it. */
#include "host.h"

#include <stdlib.h>

#include "chief_node.h"

host *host_of(napi_env env) {
    void *data = NULL;
    return napi_get_instance_data(env, &data) == napi_ok ? data : NULL;
}

host *host_ref(host *h) {
    (void)pthread_mutex_lock(&h->lock);
    h->refs++;
    (void)pthread_mutex_unlock(&h->lock);
    return h;
}

void host_unref(host *h) {
    (void)pthread_mutex_lock(&h->lock);
    bool last = --h->refs == 0;
    (void)pthread_mutex_unlock(&h->lock);
    if (!last) return;
    (void)pthread_cond_destroy(&h->quiet);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}

void member_add(member *list, member *m, void *object) {
    m->object = object;
    m->next = list->next;
    m->previous = list;
    if (list->next != NULL) list->next->previous = m;
    list->next = m;
}

void member_remove(member *m) {
    if (m->previous != NULL) m->previous->next = m->next;
    if (m->next != NULL) m->next->previous = m->previous;
    m->next = m->previous = NULL;
}

/* ---- posts ---- */

bool host_post(host *h, post *p) {
    p->next = NULL;
    (void)pthread_mutex_lock(&h->lock);
    bool open = !h->closing, first = h->first == NULL;
    if (open && first) h->first = p;
    else if (open) h->last->next = p;
    if (open) h->last = p;
    /* under the lock, so that the function is there: who closes it takes the lock first */
    if (open && first) (void)napi_call_threadsafe_function(h->wake, NULL, napi_tsfn_nonblocking);
    (void)pthread_mutex_unlock(&h->lock);
    return open;
}

void host_bury(host *h, post *p) {
    if (host_post(h, p)) return;
    (void)pthread_mutex_lock(&h->lock);
    bool late = !h->closed;
    if (late) {
        p->next = h->late;
        h->late = p;
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (!late) p->run(p, NULL);
}

bool host_is_closing(host *h) {
    (void)pthread_mutex_lock(&h->lock);
    bool closing = h->closing;
    (void)pthread_mutex_unlock(&h->lock);
    return closing;
}

static void report(napi_env env) {
    napi_value error;
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) (void)napi_fatal_exception(env, error);
}

static void run_post(napi_env env, post *p) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) {
        p->run(p, NULL);
        return;
    }
    p->run(p, env);
    report(env);
    (void)napi_close_handle_scope(env, scope);
}

static void drain(napi_env env, napi_value unused, void *context, void *data) {
    host *h = context;
    (void)unused;
    (void)data;
    (void)pthread_mutex_lock(&h->lock);
    post *p = h->first;
    h->first = h->last = NULL;
    (void)pthread_mutex_unlock(&h->lock);
    while (p != NULL) {
        post *next = p->next;
        if (env != NULL) run_post(env, p);
        else p->run(p, NULL);
        p = next;
    }
}

void host_call(napi_env env, napi_ref function, size_t argc, napi_value *argv) {
    napi_value f, self, result;
    if (napi_get_reference_value(env, function, &f) != napi_ok || f == NULL) return;
    if (napi_get_undefined(env, &self) == napi_ok) (void)napi_call_function(env, self, f, argc, argv, &result);
    report(env);
}

/* ---- what keeps the process alive ---- */

void host_hold(host *h) {
    if (h->holds++ == 0) (void)napi_ref_threadsafe_function(h->env, h->wake);
}

void host_release(host *h) {
    if (--h->holds == 0) (void)napi_unref_threadsafe_function(h->env, h->wake);
}

/* ---- beginning and end ---- */

static void bury_late(host *h) {
    (void)pthread_mutex_lock(&h->lock);
    post *p = h->late;
    h->late = NULL;
    h->closed = true;
    (void)pthread_mutex_unlock(&h->lock);
    while (p != NULL) {
        post *next = p->next;
        p->run(p, h->env);
        p = next;
    }
}

/*
 * The environment ends: by the end of the process, or of a Node worker thread. JavaScript runs no more, so the lives that it
 * leads end as if they were interrupted; then the chiefs are stopped and freed, and the threads that wait in the library's
 * calls return. Only then nobody knows the function that wakes.
 */
static void close_host(void *data) {
    host *h = data;
    (void)pthread_mutex_lock(&h->lock);
    h->closing = true;
    post *p = h->first;
    h->first = h->last = NULL;
    (void)pthread_mutex_unlock(&h->lock);
    while (p != NULL) {
        post *next = p->next;
        p->run(p, NULL);
        p = next;
    }
    lives_close(h);
    chiefs_stop(h);
    tasks_close(h);
    chiefs_free(h);
    bury_late(h);
    if (h->error_maker != NULL) (void)napi_delete_reference(h->env, h->error_maker);
    if (h->describe != NULL) (void)napi_delete_reference(h->env, h->describe);
    h->error_maker = h->describe = NULL;
    (void)napi_release_threadsafe_function(h->wake, napi_tsfn_abort);
}

static void forget(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    host_unref(data);
}

static bool make_wake(host *h) {
    napi_value name = js_text(h->env, "chief");
    return name != NULL &&
           napi_create_threadsafe_function(h->env, NULL, NULL, name, 0, 1, NULL, NULL, h, drain, &h->wake) == napi_ok &&
           napi_unref_threadsafe_function(h->env, h->wake) == napi_ok;
}

host *host_open(napi_env env) {
    host *h = calloc(1, sizeof *h);
    if (h == NULL) return NULL;
    h->env = env;
    h->refs = 1;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->quiet, NULL);
    if (!make_wake(h) || napi_set_instance_data(env, h, forget, NULL) != napi_ok) {
        host_unref(h);
        return NULL;
    }
    (void)napi_add_env_cleanup_hook(env, close_host, h);
    return h;
}
