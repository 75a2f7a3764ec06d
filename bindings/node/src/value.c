/* value: JavaScript's values as messages and back, over the library's reader and writer of tokens, and as values of a
 * context. What JavaScript alone has (functions, symbols, instances of classes) is refused here, in the library's words. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chief_node.h"

#define DEPTH 100
#define FEW 64
#define EXACT 9007199254740991.0 /* Number.MAX_SAFE_INTEGER */

/* ---- writing ---- */

/* Where in the value it is. */
typedef struct place {
    const struct place *above;
    napi_value container; /* that it is in */
    napi_value key;       /* NULL: `index` */
    uint32_t index;
} place;

typedef struct writer {
    napi_env env;
    size_t n, room;
    chief_token *tokens; /* `few` or malloc'ed; data is an offset into text + 1 until the end */
    chief_token few[FEW];
    size_t text_len, text_room;
    char *text;
} writer;

static void *grow(napi_env env, void *old, size_t size) {
    void *more = realloc(old, size);
    if (more == NULL) (void)js_throw(env, chief_set_last_error(CHIEF_ENOMEM, NULL));
    return more;
}

static chief_token *add(writer *w, int32_t kind) {
    if (w->n == w->room) {
        bool on_heap = w->tokens != w->few;
        chief_token *more = grow(w->env, on_heap ? w->tokens : NULL, 2 * w->room * sizeof *more);
        if (more == NULL) return NULL;
        if (!on_heap) memcpy(more, w->few, sizeof w->few);
        w->tokens = more;
        w->room *= 2;
    }
    chief_token *token = &w->tokens[w->n++];
    *token = (chief_token){.kind = kind};
    return token;
}

static char *add_text(writer *w, size_t len) {
    if (w->text_room - w->text_len < len) {
        size_t room = 2 * w->text_room + len + 256;
        char *more = grow(w->env, w->text, room);
        if (more == NULL) return NULL;
        w->text = more;
        w->text_room = room;
    }
    return w->text + w->text_len;
}

static size_t write_path(napi_env env, const place *at, char *buf, size_t size) {
    char key[128];
    size_t used, n;
    if (at == NULL) return 0;
    used = write_path(env, at->above, buf, size);
    if (used + 1 >= size) return used;
    if (at->key == NULL) {
        n = (size_t)snprintf(buf + used, size - used, "[%u]", at->index + 1);
    } else {
        napi_value text;
        if (napi_coerce_to_string(env, at->key, &text) != napi_ok ||
            napi_get_value_string_utf8(env, text, key, sizeof key, &n) != napi_ok)
            return used;
        n = (size_t)snprintf(buf + used, size - used, ".%s", key);
    }
    return used + n < size ? used + n : size - 1;
}

static bool refuse(writer *w, const place *at, const char *what) {
    char path[512] = "", text[768];
    (void)write_path(w->env, at, path, sizeof path);
    (void)snprintf(text, sizeof text, at != NULL ? "can't send %s (at %s)" : "can't send %s", what, path);
    (void)js_throw(w->env, chief_set_last_error(CHIEF_EINVAL, text));
    return false;
}

static bool write_any(writer *w, napi_value value, const place *at, size_t depth);

static bool write_string(writer *w, napi_value value) {
    size_t len;
    if (napi_get_value_string_utf8(w->env, value, NULL, 0, &len) != napi_ok) return false;
    char *text = add_text(w, len + 1);
    chief_token *token = text != NULL ? add(w, CHIEF_TOKEN_STR) : NULL;
    if (token == NULL) return false;
    if (napi_get_value_string_utf8(w->env, value, text, len + 1, &len) != napi_ok) return false;
    token->integer = (int64_t)w->text_len;
    token->len = len;
    w->text_len += len;
    return true;
}

static bool write_bytes(writer *w, const void *data, size_t len) {
    char *text = add_text(w, len);
    chief_token *token = text != NULL || len == 0 ? add(w, CHIEF_TOKEN_BIN) : NULL;
    if (token == NULL) return false;
    if (len > 0) memcpy(text, data, len);
    token->integer = (int64_t)w->text_len;
    token->len = len;
    w->text_len += len;
    return true;
}

static bool write_number(writer *w, napi_value value) {
    double number;
    if (napi_get_value_double(w->env, value, &number) != napi_ok) return false;
    bool whole = number == floor(number) && fabs(number) <= EXACT && !(number == 0 && signbit(number));
    chief_token *token = add(w, whole ? CHIEF_TOKEN_INT : CHIEF_TOKEN_FLOAT);
    if (token == NULL) return false;
    if (whole) token->integer = (int64_t)number;
    else token->number = number;
    return true;
}

static bool write_bigint(writer *w, napi_value value, const place *at) {
    int64_t integer;
    bool lossless;
    if (napi_get_value_bigint_int64(w->env, value, &integer, &lossless) != napi_ok) return false;
    if (!lossless) return refuse(w, at, "a BigInt beyond 64 bits");
    chief_token *token = add(w, CHIEF_TOKEN_INT);
    if (token != NULL) token->integer = integer;
    return token != NULL;
}

static bool write_boolean(writer *w, napi_value value) {
    chief_token *token = add(w, CHIEF_TOKEN_BOOL);
    if (token != NULL) token->integer = js_get_boolean(w->env, value);
    return token != NULL;
}

static bool write_array(writer *w, napi_value array, const place *at, size_t depth) {
    uint32_t len;
    if (napi_get_array_length(w->env, array, &len) != napi_ok) return false;
    chief_token *token = add(w, CHIEF_TOKEN_ARRAY);
    if (token == NULL) return false;
    token->len = len;
    for (uint32_t i = 0; i < len; i++) {
        napi_handle_scope scope;
        napi_value item;
        place here = {.above = at, .container = array, .index = i};
        if (napi_open_handle_scope(w->env, &scope) != napi_ok) return false;
        bool ok = napi_get_element(w->env, array, i, &item) == napi_ok && write_any(w, item, &here, depth);
        (void)napi_close_handle_scope(w->env, scope);
        if (!ok) return false;
    }
    return true;
}

/* One pair of an object or a Map; a member that is undefined is one that is not there. */
static bool write_pair(writer *w, napi_value object, napi_value key, napi_value value, const place *at, size_t depth,
                       size_t *pairs) {
    napi_valuetype type;
    place here = {.above = at, .container = object, .key = key};
    if (napi_typeof(w->env, value, &type) != napi_ok) return false;
    if (type == napi_undefined) return true;
    ++*pairs;
    if (napi_typeof(w->env, key, &type) != napi_ok) return false;
    bool fits = type == napi_string || type == napi_number || type == napi_boolean || type == napi_bigint;
    if (!fits) return refuse(w, at, "a key that is neither a string, an integer nor a boolean");
    return write_any(w, key, &here, depth) && write_any(w, value, &here, depth);
}

static bool write_pairs(writer *w, napi_value object, napi_value keys, bool flat, const place *at, size_t depth) {
    uint32_t len;
    size_t pairs = 0, where = w->n;
    if (napi_get_array_length(w->env, keys, &len) != napi_ok || add(w, CHIEF_TOKEN_MAP) == NULL) return false;
    for (uint32_t i = 0; i < len; i += flat ? 2 : 1) {
        napi_handle_scope scope;
        napi_value key, value;
        if (napi_open_handle_scope(w->env, &scope) != napi_ok) return false;
        bool ok = napi_get_element(w->env, keys, i, &key) == napi_ok &&
                  (flat ? napi_get_element(w->env, keys, i + 1, &value)
                        : napi_get_property(w->env, object, key, &value)) == napi_ok &&
                  write_pair(w, object, key, value, at, depth, &pairs);
        (void)napi_close_handle_scope(w->env, scope);
        if (!ok) return false;
    }
    w->tokens[where].len = pairs;
    return true;
}

static bool write_object(writer *w, napi_value object, const place *at, size_t depth) {
    napi_value describe, self, described, keys;
    napi_valuetype type;
    host *h = host_of(w->env);
    /* the description: undefined for a plain object, pairs of a Map in a row, or the name of what can't be sent */
    if (napi_get_reference_value(w->env, h->describe, &describe) != napi_ok ||
        napi_get_undefined(w->env, &self) != napi_ok ||
        napi_call_function(w->env, self, describe, 1, &object, &described) != napi_ok ||
        napi_typeof(w->env, described, &type) != napi_ok)
        return false;
    if (type == napi_object) return write_pairs(w, object, described, true, at, depth);
    if (type == napi_string) {
        arena a = {NULL};
        const char *name = js_get_text(w->env, &a, described);
        if (name != NULL) (void)refuse(w, at, name);
        arena_end(&a);
        return false;
    }
    return napi_get_all_property_names(w->env, object, napi_key_own_only, napi_key_enumerable | napi_key_skip_symbols,
                                       napi_key_numbers_to_strings, &keys) == napi_ok &&
           write_pairs(w, object, keys, false, at, depth);
}

static bool is_above(napi_env env, const place *at, napi_value value) {
    bool same = false;
    for (; at != NULL && !same; at = at->above)
        if (napi_strict_equals(env, at->container, value, &same) != napi_ok) return false;
    return same;
}

bool bytes_of(napi_env env, napi_value value, void **data, size_t *len) {
    bool is = false;
    napi_typedarray_type type;
    if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
    if (napi_get_typedarray_info(env, value, &type, NULL, NULL, NULL, NULL) != napi_ok) return false;
    return type == napi_uint8_array && napi_get_buffer_info(env, value, data, len) == napi_ok;
}

static bool write_container(writer *w, napi_value value, const place *at, size_t depth) {
    bool is = false;
    void *data;
    size_t len;
    if (bytes_of(w->env, value, &data, &len)) return write_bytes(w, data, len);
    if (is_above(w->env, at, value)) return refuse(w, at, "a cycle");
    if (depth >= DEPTH) return refuse(w, at, "what is nested deeper than 100 levels");
    if (napi_is_array(w->env, value, &is) == napi_ok && is) return write_array(w, value, at, depth + 1);
    return write_object(w, value, at, depth + 1);
}

static bool write_any(writer *w, napi_value value, const place *at, size_t depth) {
    napi_valuetype type;
    if (napi_typeof(w->env, value, &type) != napi_ok) return false;
    switch (type) {
    case napi_undefined:
    case napi_null: return add(w, CHIEF_TOKEN_NIL) != NULL;
    case napi_boolean: return write_boolean(w, value);
    case napi_number: return write_number(w, value);
    case napi_string: return write_string(w, value);
    case napi_bigint: return write_bigint(w, value, at);
    case napi_object: return write_container(w, value, at, depth);
    case napi_function: return refuse(w, at, "a function");
    case napi_symbol: return refuse(w, at, "a symbol");
    case napi_external: return refuse(w, at, "a handle");
    }
    return false;
}

static bool finish(writer *w, payload *out) {
    for (size_t i = 0; i < w->n; i++) {
        chief_token *t = &w->tokens[i];
        bool is_text = t->kind == CHIEF_TOKEN_STR || t->kind == CHIEF_TOKEN_BIN;
        if (is_text) t->data = w->text != NULL ? w->text + t->integer : "";
        if (is_text) t->integer = 0;
    }
    size_t size = 9 * w->n + w->text_len; /* a token takes at most 9 bytes beside its text */
    out->data = grow(w->env, NULL, size);
    if (out->data == NULL) return false;
    int rc = chief_pack_write(w->tokens, w->n, out->data, size, &out->len);
    if (rc == CHIEF_OK) return true;
    free(out->data);
    out->data = NULL;
    (void)js_throw(w->env, rc);
    return false;
}

static bool read_raw(napi_env env, napi_value value, payload *out) {
    void *data;
    if (!bytes_of(env, value, &data, &out->len)) {
        (void)js_throw(env, chief_set_last_error(CHIEF_EINVAL, "a raw message should be a Buffer or a Uint8Array"));
        return false;
    }
    out->data = grow(env, NULL, out->len > 0 ? out->len : 1);
    if (out->data != NULL && out->len > 0) memcpy(out->data, data, out->len);
    return out->data != NULL;
}

bool payload_read(napi_env env, napi_value value, bool raw, payload *out) {
    writer w = {.env = env, .room = FEW};
    if (raw) return read_raw(env, value, out);
    w.tokens = w.few;
    bool ok = write_any(&w, value, NULL, 0) && finish(&w, out);
    if (!ok) (void)js_throw(env, chief_set_last_error(CHIEF_EINVAL, "this value can't be sent"));
    if (w.tokens != w.few) free(w.tokens);
    free(w.text);
    return ok;
}

/* ---- reading ---- */

static napi_value show(napi_env env, const chief_token **at);

static napi_value show_integer(napi_env env, int64_t integer) {
    napi_value value;
    if (integer <= (int64_t)EXACT && integer >= -(int64_t)EXACT) return js_number(env, (double)integer);
    return napi_create_bigint_int64(env, integer, &value) == napi_ok ? value : NULL;
}

static napi_value show_array(napi_env env, const chief_token **at, uint64_t len) {
    napi_value array;
    if (napi_create_array_with_length(env, (size_t)len, &array) != napi_ok) return NULL;
    for (uint32_t i = 0; i < len; i++) {
        napi_handle_scope scope;
        if (napi_open_handle_scope(env, &scope) != napi_ok) return NULL;
        napi_value item = show(env, at);
        bool ok = item != NULL && napi_set_element(env, array, i, item) == napi_ok;
        (void)napi_close_handle_scope(env, scope);
        if (!ok) return NULL;
    }
    return array;
}

/* A member like any other, whatever it is called: "__proto__" is not to set a prototype. */
static bool put(napi_env env, napi_value object, const chief_token *key, napi_value name, napi_value value) {
    static const char proto[] = "__proto__";
    if (key->len != sizeof proto - 1 || memcmp(key->data, proto, key->len) != 0)
        return napi_set_property(env, object, name, value) == napi_ok;
    napi_property_descriptor own = {
        .name = name, .value = value, .attributes = napi_writable | napi_enumerable | napi_configurable};
    return napi_define_properties(env, object, 1, &own) == napi_ok;
}

static const chief_token *skip(const chief_token *at) {
    uint64_t open = 1;
    while (open > 0) {
        if (at->kind == CHIEF_TOKEN_ARRAY) open += at->len;
        if (at->kind == CHIEF_TOKEN_MAP) open += 2 * at->len;
        open--;
        at++;
    }
    return at;
}

static bool has_text_keys(const chief_token *at, uint64_t pairs) {
    for (uint64_t i = 0; i < pairs; i++) {
        if (at->kind != CHIEF_TOKEN_STR) return false;
        at = skip(at + 1);
    }
    return true;
}

static bool set_in_map(napi_env env, napi_value map, napi_value key, napi_value value) {
    napi_value set, argv[] = {key, value}, result;
    return napi_get_named_property(env, map, "set", &set) == napi_ok &&
           napi_call_function(env, map, set, 2, argv, &result) == napi_ok;
}

static napi_value new_map(napi_env env) {
    napi_value global, constructor, map;
    if (napi_get_global(env, &global) != napi_ok) return NULL;
    if (napi_get_named_property(env, global, "Map", &constructor) != napi_ok) return NULL;
    return napi_new_instance(env, constructor, 0, NULL, &map) == napi_ok ? map : NULL;
}

/* Keys that are all texts make an object, others a Map. */
static napi_value show_map(napi_env env, const chief_token **at, uint64_t pairs) {
    napi_value map = NULL;
    bool plain = has_text_keys(*at, pairs);
    if (plain && napi_create_object(env, &map) != napi_ok) return NULL;
    if (!plain) map = new_map(env);
    if (map == NULL) return NULL;
    for (uint64_t i = 0; i < pairs; i++) {
        napi_handle_scope scope;
        if (napi_open_handle_scope(env, &scope) != napi_ok) return NULL;
        const chief_token *token = *at;
        napi_value key = show(env, at), value = key != NULL ? show(env, at) : NULL;
        bool ok = value != NULL && (plain ? put(env, map, token, key, value) : set_in_map(env, map, key, value));
        (void)napi_close_handle_scope(env, scope);
        if (!ok) return NULL;
    }
    return map;
}

static napi_value show_bytes(napi_env env, const void *data, size_t len) {
    napi_value value;
    void *copy;
    return napi_create_buffer_copy(env, len, data, &copy, &value) == napi_ok ? value : NULL;
}

static napi_value show_string(napi_env env, const char *data, size_t len) {
    napi_value value;
    return napi_create_string_utf8(env, data, len, &value) == napi_ok ? value : NULL;
}

static napi_value show(napi_env env, const chief_token **at) {
    const chief_token *t = (*at)++;
    napi_value null;
    switch (t->kind) {
    case CHIEF_TOKEN_BOOL: return js_boolean(env, t->integer != 0);
    case CHIEF_TOKEN_INT: return show_integer(env, t->integer);
    case CHIEF_TOKEN_FLOAT: return js_number(env, t->number);
    case CHIEF_TOKEN_STR: return show_string(env, t->data, (size_t)t->len);
    case CHIEF_TOKEN_BIN: return show_bytes(env, t->data, (size_t)t->len);
    case CHIEF_TOKEN_ARRAY: return show_array(env, at, t->len);
    case CHIEF_TOKEN_MAP: return show_map(env, at, t->len);
    default: return napi_get_null(env, &null) == napi_ok ? null : NULL;
    }
}

napi_value payload_show(napi_env env, chief_bytes bytes, bool raw) {
    chief_token few[FEW], *tokens = few;
    size_t n;
    if (raw) return show_bytes(env, bytes.data, bytes.len);
    int rc = chief_pack_read(bytes.data, bytes.len, few, FEW, &n);
    if (rc == CHIEF_ETOOBIG) {
        tokens = grow(env, NULL, n * sizeof *tokens);
        if (tokens == NULL) return NULL;
        rc = chief_pack_read(bytes.data, bytes.len, tokens, n, &n);
    }
    const chief_token *at = tokens;
    napi_value value = rc == CHIEF_OK ? show(env, &at) : js_throw(env, rc);
    if (tokens != few) free(tokens);
    return value;
}

/* ---- values of a context ---- */

static bool value_of_object(napi_env env, arena *a, napi_value value, chief_value *out) {
    void *data;
    if (!bytes_of(env, value, &data, &out->bytes.len)) return false;
    void *copy = arena_get(a, env, out->bytes.len);
    if (copy != NULL && out->bytes.len > 0) memcpy(copy, data, out->bytes.len);
    out->bytes.data = copy;
    out->type = CHIEF_BYTES;
    return copy != NULL;
}

static bool value_of_text(napi_env env, arena *a, napi_value value, chief_value *out) {
    const char *text = js_get_text(env, a, value);
    size_t len;
    if (text == NULL || napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok) return false;
    out->type = CHIEF_BYTES;
    out->bytes = (chief_bytes){.data = text, .len = len};
    return true;
}

static bool value_of_number(napi_env env, napi_value value, chief_value *out) {
    double number = js_get_number(env, value, 0);
    bool whole = number == floor(number) && fabs(number) <= EXACT;
    out->type = whole ? CHIEF_INTEGER : CHIEF_NUMBER;
    out->integer = whole ? (int64_t)number : 0;
    out->number = number;
    return true;
}

bool value_read(napi_env env, arena *a, napi_value value, chief_value *out) {
    napi_valuetype type;
    bool ok = false, lossless;
    *out = (chief_value){.type = CHIEF_NIL};
    if (napi_typeof(env, value, &type) != napi_ok) return false;
    if (type == napi_undefined || type == napi_null) ok = true;
    if (type == napi_string) ok = value_of_text(env, a, value, out);
    if (type == napi_number) ok = value_of_number(env, value, out);
    if (type == napi_object) ok = value_of_object(env, a, value, out);
    if (type == napi_boolean) {
        *out = (chief_value){.type = CHIEF_BOOL, .boolean = js_get_boolean(env, value)};
        ok = true;
    }
    if (type == napi_bigint) {
        out->type = CHIEF_INTEGER;
        ok = napi_get_value_bigint_int64(env, value, &out->integer, &lossless) == napi_ok && lossless;
    }
    if (!ok)
        (void)js_throw(env, chief_set_last_error(CHIEF_EINVAL, "a value should be a string, a number, a BigInt of 64 "
                                                               "bits, a boolean, a Buffer or undefined"));
    return ok;
}

/* Bytes are a string where they are valid UTF-8, as in a message. */
static napi_value bytes_as_value(napi_env env, chief_bytes bytes) {
    payload packed;
    chief_token token = {.kind = CHIEF_TOKEN_STR, .data = bytes.data, .len = bytes.len};
    size_t size = 9 + bytes.len;
    packed.data = grow(env, NULL, size);
    if (packed.data == NULL) return NULL;
    int rc = chief_pack_write(&token, 1, packed.data, size, &packed.len);
    napi_value value =
        rc == CHIEF_OK ? payload_show(env, (chief_bytes){packed.data, packed.len}, false) : js_throw(env, rc);
    free(packed.data);
    return value;
}

napi_value value_show(napi_env env, const chief_value *value) {
    switch (value->type) {
    case CHIEF_BOOL: return js_boolean(env, value->boolean != 0);
    case CHIEF_INTEGER: return show_integer(env, value->integer);
    case CHIEF_NUMBER: return js_number(env, value->number);
    case CHIEF_BYTES: return bytes_as_value(env, value->bytes);
    default: return js_undefined(env); /* a pointer is nothing in JavaScript */
    }
}
