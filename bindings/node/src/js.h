/*
 * js: what the other files need of N-API: arguments, properties, texts, errors. Whatever fails leaves an exception pending
 * and returns NULL or false.
 */
#ifndef CHIEF_NODE_JS_H
#define CHIEF_NODE_JS_H

#define NAPI_VERSION 8
#include <chief.h>
#include <node_api.h>
#include <stdbool.h>

/* What one call needs only while it lasts: freed at once, at its end. */
typedef struct arena {
    struct piece *pieces;
} arena;

void *arena_get(arena *a, napi_env env, size_t size); /* zeroed; NULL: an exception is pending */
void arena_end(arena *a);

/* The arguments of a call; those not given are undefined. */
bool js_args(napi_env env, napi_callback_info info, napi_value *argv, size_t n);

napi_value js_undefined(napi_env env);
napi_value js_text(napi_env env, const char *text);
napi_value js_number(napi_env env, double number);
napi_value js_boolean(napi_env env, bool yes);
bool js_is_missing(napi_env env, napi_value value); /* undefined or null */

/* A text, which may be missing (NULL). */
const char *js_get_text(napi_env env, arena *a, napi_value value);
int64_t js_get_integer(napi_env env, napi_value value, int64_t otherwise);
double js_get_number(napi_env env, napi_value value, double otherwise);
bool js_get_boolean(napi_env env, napi_value value);

/* Members of an object; a missing object has none. */
napi_value js_member(napi_env env, napi_value object, const char *name);
const char *js_member_text(napi_env env, arena *a, napi_value object, const char *name);
int64_t js_member_integer(napi_env env, napi_value object, const char *name, int64_t otherwise);
const char *const *js_member_texts(napi_env env, arena *a, napi_value object, const char *name, size_t *n);
const char *const *js_texts(napi_env env, arena *a, napi_value array, size_t *n);
void js_set(napi_env env, napi_value object, const char *name, napi_value value);
void js_push(napi_env env, napi_value array, napi_value value);

/* An error as JavaScript sees it: with the code as a word, and the text. `text` NULL: this thread's last error. */
napi_value js_error(napi_env env, int code, const char *text);

/* Throws it; always NULL. */
napi_value js_throw(napi_env env, int code);

/* CHIEF_OK: undefined; else throws. */
napi_value js_result(napi_env env, int code);

/* What a handle is of. */
typedef enum handle_kind {
    HANDLE_CHIEF = 1,
    HANDLE_CHANNEL,
    HANDLE_LIFE,
    HANDLE_MESSAGE,
    HANDLE_POLL,
    HANDLE_CONTEXT,
    HANDLE_LOG,
    HANDLE_QUESTION
} handle_kind;

/* A value that stands for `object`, whose `release` is called when it is collected, at the end of the environment at the
 * latest. On failure the object stays the caller's. */
napi_value js_handle(napi_env env, handle_kind kind, void *object, void (*release)(void *object));
/* The object of a handle, or NULL and an exception. */
void *js_object(napi_env env, napi_value handle, handle_kind kind);

#endif
