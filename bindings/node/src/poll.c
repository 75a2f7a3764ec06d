/* poll: the library's descriptors in Node's own loop. */
#include <stdlib.h>
#include <uv.h>

#include "chief_node.h"

typedef struct watch {
    uv_poll_t poll;
    napi_env env;
    napi_ref ready;
    napi_async_cleanup_hook_handle cleanup;
    bool closing;
    bool closed; /* the loop has let go of it */
    bool collected;
} watch;

static void free_when_over(watch *w) {
    if (w->closed && w->collected) free(w);
}

static void on_closed(uv_handle_t *handle) {
    watch *w = handle->data;
    w->closed = true;
    if (w->cleanup != NULL) (void)napi_remove_async_cleanup_hook(w->cleanup);
    w->cleanup = NULL;
    free_when_over(w);
}

static void stop(watch *w) {
    if (w->closing) return;
    w->closing = true;
    if (w->ready != NULL) (void)napi_delete_reference(w->env, w->ready);
    w->ready = NULL;
    uv_close((uv_handle_t *)&w->poll, on_closed);
}

/* The environment ends, and waits until the loop has let go. */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
    watch *w = data;
    w->cleanup = handle;
    stop(w);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    watch *w = poll->data;
    napi_handle_scope scope;
    napi_value f, self, result;
    (void)status;
    (void)events;
    if (w->ready == NULL || napi_open_handle_scope(w->env, &scope) != napi_ok) return;
    if (napi_get_reference_value(w->env, w->ready, &f) == napi_ok && napi_get_global(w->env, &self) == napi_ok &&
        napi_make_callback(w->env, NULL, self, f, 0, NULL, &result) == napi_pending_exception) {
        napi_value error;
        if (napi_get_and_clear_last_exception(w->env, &error) == napi_ok) (void)napi_fatal_exception(w->env, error);
    }
    (void)napi_close_handle_scope(w->env, scope);
}

static void release(void *object) {
    watch *w = object;
    w->collected = true;
    stop(w);
    free_when_over(w);
}

static int start(watch *w, int fd) {
    uv_loop_t *loop;
    if (napi_get_uv_event_loop(w->env, &loop) != napi_ok || uv_poll_init(loop, &w->poll, fd) != 0) return CHIEF_ESYS;
    w->poll.data = w;
    uv_unref((uv_handle_t *)&w->poll); /* what keeps the process alive is said by hold */
    (void)napi_add_async_cleanup_hook(w->env, on_cleanup, w, &w->cleanup);
    return uv_poll_start(&w->poll, UV_READABLE, on_ready) == 0 ? CHIEF_OK : CHIEF_ESYS;
}

/* (descriptor, function): calls it while the descriptor is readable. */
static napi_value poll_start(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    if (!js_args(env, info, argv, 2)) return NULL;
    watch *w = calloc(1, sizeof *w);
    if (w == NULL) return js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    w->env = env;
    if (napi_create_reference(env, argv[1], 1, &w->ready) != napi_ok) {
        free(w);
        return NULL;
    }
    if (start(w, (int)js_get_integer(env, argv[0], -1)) != CHIEF_OK) {
        (void)napi_delete_reference(env, w->ready);
        free(
            w); /* a failure of uv_poll_init leaves nothing in the loop; that of start does not happen to a descriptor */
        return js_throw(env, chief_set_last_error(CHIEF_ESYS, "the descriptor can't be watched"));
    }
    napi_value handle = js_handle(env, HANDLE_POLL, w, release);
    if (handle == NULL) release(w);
    return handle;
}

static napi_value poll_stop(napi_env env, napi_callback_info info) {
    napi_value handle;
    if (!js_args(env, info, &handle, 1)) return NULL;
    watch *w = js_object(env, handle, HANDLE_POLL);
    if (w == NULL) return NULL;
    stop(w);
    return js_undefined(env);
}

/* The libuv that this process runs over, which the library found, too. */
static napi_value uv_version_of(napi_env env, napi_callback_info info) {
    (void)info;
    return js_text(env, uv_version_string());
}

static napi_value hold(napi_env env, napi_callback_info info) {
    napi_value yes;
    if (!js_args(env, info, &yes, 1)) return NULL;
    if (js_get_boolean(env, yes)) host_hold(host_of(env));
    else host_release(host_of(env));
    return js_undefined(env);
}

void poll_define(napi_env env, napi_value exports) {
    static const export list[] = {
        {"pollStart", poll_start}, {"pollStop", poll_stop}, {"uvVersion", uv_version_of}, {"hold", hold}};
    define(env, exports, list, sizeof list / sizeof *list);
}
