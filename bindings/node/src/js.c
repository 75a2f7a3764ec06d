/* js: what the other files need of N-API. */
#include "js.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"

typedef struct piece {
    struct piece *next;
    max_align_t bytes[];
} piece;

void *arena_get(arena *a, napi_env env, size_t size) {
    piece *p = calloc(1, sizeof *p + (size > 0 ? size : 1));
    if (p == NULL) {
        (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
        return NULL;
    }
    p->next = a->pieces;
    a->pieces = p;
    return p->bytes;
}

void arena_end(arena *a) {
    while (a->pieces != NULL) {
        piece *p = a->pieces;
        a->pieces = p->next;
        free(p);
    }
}

bool js_args(napi_env env, napi_callback_info info, napi_value *argv, size_t n) {
    return napi_get_cb_info(env, info, &n, argv, NULL, NULL) == napi_ok;
}

napi_value js_undefined(napi_env env) {
    napi_value value;
    return napi_get_undefined(env, &value) == napi_ok ? value : NULL;
}

napi_value js_text(napi_env env, const char *text) {
    napi_value value;
    return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : NULL;
}

napi_value js_number(napi_env env, double number) {
    napi_value value;
    return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
}

napi_value js_boolean(napi_env env, bool yes) {
    napi_value value;
    return napi_get_boolean(env, yes, &value) == napi_ok ? value : NULL;
}

static bool has_type(napi_env env, napi_value value, napi_valuetype type) {
    napi_valuetype actual;
    return value != NULL && napi_typeof(env, value, &actual) == napi_ok && actual == type;
}

bool js_is_missing(napi_env env, napi_value value) {
    return value == NULL || has_type(env, value, napi_undefined) || has_type(env, value, napi_null);
}

const char *js_get_text(napi_env env, arena *a, napi_value value) {
    size_t len;
    if (!has_type(env, value, napi_string)) return NULL;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok) return NULL;
    char *text = arena_get(a, env, len + 1);
    if (text != NULL) (void)napi_get_value_string_utf8(env, value, text, len + 1, &len);
    return text;
}

int64_t js_get_integer(napi_env env, napi_value value, int64_t otherwise) {
    int64_t number;
    if (!has_type(env, value, napi_number)) return otherwise;
    return napi_get_value_int64(env, value, &number) == napi_ok ? number : otherwise;
}

double js_get_number(napi_env env, napi_value value, double otherwise) {
    double number;
    if (!has_type(env, value, napi_number)) return otherwise;
    return napi_get_value_double(env, value, &number) == napi_ok ? number : otherwise;
}

bool js_get_boolean(napi_env env, napi_value value) {
    bool yes = false;
    return has_type(env, value, napi_boolean) && napi_get_value_bool(env, value, &yes) == napi_ok && yes;
}

napi_value js_member(napi_env env, napi_value object, const char *name) {
    napi_value value;
    if (js_is_missing(env, object)) return js_undefined(env);
    return napi_get_named_property(env, object, name, &value) == napi_ok ? value : js_undefined(env);
}

const char *js_member_text(napi_env env, arena *a, napi_value object, const char *name) {
    return js_get_text(env, a, js_member(env, object, name));
}

int64_t js_member_integer(napi_env env, napi_value object, const char *name, int64_t otherwise) {
    return js_get_integer(env, js_member(env, object, name), otherwise);
}

const char *const *js_texts(napi_env env, arena *a, napi_value array, size_t *n) {
    uint32_t len = 0;
    *n = 0;
    if (js_is_missing(env, array) || napi_get_array_length(env, array, &len) != napi_ok) return NULL;
    const char **texts = arena_get(a, env, len * sizeof *texts);
    if (texts == NULL) return NULL;
    for (uint32_t i = 0; i < len; i++) {
        napi_value item;
        if (napi_get_element(env, array, i, &item) != napi_ok) return NULL;
        texts[i] = js_get_text(env, a, item);
    }
    *n = len;
    return texts;
}

const char *const *js_member_texts(napi_env env, arena *a, napi_value object, const char *name, size_t *n) {
    return js_texts(env, a, js_member(env, object, name), n);
}

void js_set(napi_env env, napi_value object, const char *name, napi_value value) {
    if (object != NULL && value != NULL) (void)napi_set_named_property(env, object, name, value);
}

void js_push(napi_env env, napi_value array, napi_value value) {
    uint32_t len;
    if (napi_get_array_length(env, array, &len) == napi_ok) (void)napi_set_element(env, array, len, value);
}

/* ---- errors ---- */

napi_value js_error(napi_env env, int code, const char *text) {
    napi_value maker, self, error = NULL;
    if (text == NULL || text[0] == '\0') text = chief_last_error();
    napi_value argv[] = {js_text(env, chief_error_code(code)),
                         js_text(env, text[0] != '\0' ? text : chief_strerror(code))};
    host *h = host_of(env);
    if (h != NULL && h->error_maker != NULL && napi_get_reference_value(env, h->error_maker, &maker) == napi_ok &&
        napi_get_undefined(env, &self) == napi_ok)
        (void)napi_call_function(env, self, maker, 2, argv, &error);
    else (void)napi_create_error(env, argv[0], argv[1], &error);
    return error;
}

napi_value js_throw(napi_env env, int code) {
    bool pending = true;
    if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
        (void)napi_throw(env, js_error(env, code, NULL));
    return NULL;
}

napi_value js_result(napi_env env, int code) { return code == CHIEF_OK ? js_undefined(env) : js_throw(env, code); }

/* ---- handles ---- */

#define HANDLE_MARK 0x63686965

/* Handles never leave lib/, so that the mark is for mistakes there. */
typedef struct handle {
    uint32_t mark;
    handle_kind kind;
    void *object;
    void (*release)(void *object);
} handle;

static void collect(napi_env env, void *data, void *hint) {
    handle *h = data;
    (void)env;
    (void)hint;
    if (h->release != NULL) h->release(h->object);
    free(h);
}

napi_value js_handle(napi_env env, handle_kind kind, void *object, void (*release)(void *object)) {
    napi_value value;
    handle *h = malloc(sizeof *h);
    if (h == NULL) return js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    *h = (handle){.mark = HANDLE_MARK, .kind = kind, .object = object};
    if (napi_create_external(env, h, collect, NULL, &value) != napi_ok) {
        free(h);
        return NULL;
    }
    h->release = release;
    return value;
}

void *js_object(napi_env env, napi_value value, handle_kind kind) {
    void *data = NULL;
    if (has_type(env, value, napi_external)) (void)napi_get_value_external(env, value, &data);
    const handle *h = data;
    if (h != NULL && h->mark == HANDLE_MARK && h->kind == kind) return h->object;
    (void)js_throw(env, chief_set_last_error(CHIEF_EINVAL, "this is not a handle of the kind that was expected"));
    return NULL;
}
