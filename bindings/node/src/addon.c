/* addon: what `require` finds: the functions that lib/ is written with. */
#include <stdlib.h>

#include "chief_node.h"

void define(napi_env env, napi_value exports, const export *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        napi_value function;
        if (napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH, list[i].call, NULL, &function) == napi_ok)
            js_set(env, exports, list[i].name, function);
    }
}

/* (makes errors, describes objects) */
static napi_value setup(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    host *h = host_of(env);
    if (!js_args(env, info, argv, 2)) return NULL;
    if (napi_create_reference(env, argv[0], 1, &h->error_maker) != napi_ok) return NULL;
    return napi_create_reference(env, argv[1], 1, &h->describe) == napi_ok ? js_undefined(env) : NULL;
}

static napi_value version(napi_env env, napi_callback_info info) {
    (void)info;
    return js_text(env, chief_version());
}

NAPI_MODULE_INIT() {
    static const export list[] = {{"setup", setup}, {"version", version}};
    if (chief_abi() != CHIEF_ABI) {
        (void)napi_throw_error(env, "abi",
                               "libchief has another ABI than this addon was built for: build the addon again");
        return NULL;
    }
    if (host_open(env) == NULL) {
        (void)napi_throw_error(env, "no_memory", "out of memory");
        return NULL;
    }
    define(env, exports, list, sizeof list / sizeof *list);
    chief_define(env, exports);
    life_define(env, exports);
    message_define(env, exports);
    channel_define(env, exports);
    context_define(env, exports);
    poll_define(env, exports);
    policy_define(env, exports);
    cron_define(env, exports);
    return exports;
}
