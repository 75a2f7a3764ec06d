/* message: a received message as JavaScript gets it. Its bytes are copied at once; only a call, which is to be answered,
 * keeps the message itself. */
#include <stdlib.h>
#include <string.h>

#include "chief_node.h"

static void release(void *object) { chief_msg_free(object); }

/* The value; an error object, where the bytes are none that chief has written. */
static napi_value value_of(napi_env env, const chief_msg *msg, bool raw, bool *bad) {
    napi_value error;
    bool pending = false;
    napi_value value = payload_show(env, chief_msg_data(msg), raw);
    if (value != NULL) return value;
    *bad = napi_is_exception_pending(env, &pending) == napi_ok && pending;
    return napi_get_and_clear_last_exception(env, &error) == napi_ok ? error : js_undefined(env);
}

napi_value message_show(napi_env env, chief_msg *msg, bool raw) {
    napi_value array, handle = js_undefined(env);
    bool bad = false;
    if (napi_create_array_with_length(env, 7, &array) != napi_ok) {
        chief_msg_free(msg);
        return NULL;
    }
    (void)napi_set_element(env, array, 0, value_of(env, msg, raw, &bad));
    (void)napi_set_element(env, array, 1, js_text(env, chief_msg_sender(msg)));
    (void)napi_set_element(env, array, 2, js_text(env, chief_msg_kind(msg)));
    (void)napi_set_element(env, array, 3, js_text(env, chief_msg_channel(msg)));
    (void)napi_set_element(env, array, 4, js_number(env, chief_msg_deliveries(msg)));
    if (strcmp(chief_msg_kind(msg), "call") == 0) handle = js_handle(env, HANDLE_MESSAGE, msg, release);
    else chief_msg_free(msg);
    (void)napi_set_element(env, array, 5, handle);
    (void)napi_set_element(env, array, 6, js_boolean(env, bad));
    return array;
}

static napi_value message_reply(napi_env env, napi_callback_info info) {
    napi_value argv[3];
    payload p;
    if (!js_args(env, info, argv, 3)) return NULL;
    chief_msg *msg = js_object(env, argv[0], HANDLE_MESSAGE);
    if (msg == NULL || !payload_read(env, argv[1], js_get_boolean(env, argv[2]), &p)) return NULL;
    int rc = chief_msg_reply(msg, p.data, p.len);
    free(p.data);
    return js_result(env, rc);
}

static napi_value message_fail(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    if (!js_args(env, info, argv, 2)) return NULL;
    chief_msg *msg = js_object(env, argv[0], HANDLE_MESSAGE);
    const char *text = js_get_text(env, &a, argv[1]);
    napi_value result = msg != NULL ? js_result(env, chief_msg_fail(msg, text)) : NULL;
    arena_end(&a);
    return result;
}

static napi_value pack(napi_env env, napi_callback_info info) {
    napi_value value, buffer;
    payload p;
    void *copy;
    if (!js_args(env, info, &value, 1) || !payload_read(env, value, false, &p)) return NULL;
    napi_status status = napi_create_buffer_copy(env, p.len, p.data, &copy, &buffer);
    free(p.data);
    return status == napi_ok ? buffer : NULL;
}

static napi_value unpack(napi_env env, napi_callback_info info) {
    napi_value buffer;
    void *data;
    size_t len;
    if (!js_args(env, info, &buffer, 1)) return NULL;
    if (!bytes_of(env, buffer, &data, &len))
        return js_throw(env, chief_set_last_error(CHIEF_EINVAL, "what is unpacked should be a Buffer or a Uint8Array"));
    return payload_show(env, (chief_bytes){data, len}, false);
}

void message_define(napi_env env, napi_value exports) {
    static const export list[] = {
        {"messageReply", message_reply}, {"messageFail", message_fail}, {"pack", pack}, {"unpack", unpack}};
    define(env, exports, list, sizeof list / sizeof *list);
}
