/* boss_add: what a chief is made of: workers, groups, channels, and the settings. */
#include <chief_lua.h>
#include <stdlib.h>
#include <string.h>

#include "boss.h"

static napi_value added(napi_env env, worker_options *o, int rc) {
    options_added(o, rc);
    return js_result(env, rc);
}

/* (chief, name, function, restartOnFail, options) */
static napi_value add_worker(napi_env env, napi_callback_info info) {
    napi_value argv[5], result = NULL;
    worker_options o;
    chief *c = boss_args(env, info, argv, 5);
    if (c == NULL) return NULL;
    if (options_read_worker(env, argv[4], &o)) {
        const char *name = js_get_text(env, &o.arena, argv[1]);
        result = added(env, &o, life_add_worker(env, c, name, argv[2], js_get_boolean(env, argv[3]), &o.worker));
    }
    options_end(&o);
    return result;
}

/* (chief, name, module, options) */
static napi_value add_lua_worker(napi_env env, napi_callback_info info) {
    napi_value argv[4], result = NULL;
    worker_options o;
    chief *c = boss_args(env, info, argv, 4);
    if (c == NULL) return NULL;
    if (options_read_worker(env, argv[3], &o)) {
        napi_value from = argv[3];
        chief_lua_options lua = {
            .size = sizeof lua,
            .path = js_member_text(env, &o.arena, from, "path"),
            .cpath = js_member_text(env, &o.arena, from, "cpath"),
            .worker = &o.worker,
            .process = o.worker.process,
            .memory_limit = (uint64_t)js_member_integer(env, from, "memoryLimit", 0),
            .watchdog = js_member_integer(env, from, "watchdog", 0),
            .eager_libraries = js_get_boolean(env, js_member(env, from, "eagerLibraries")),
        };
        o.worker.process = NULL;
        result = added(
            env, &o,
            chief_lua_add_worker(c, js_get_text(env, &o.arena, argv[1]), js_get_text(env, &o.arena, argv[2]), &lua));
    }
    options_end(&o);
    return result;
}

/* (chief, name, path, options) */
static napi_value add_plugin(napi_env env, napi_callback_info info) {
    napi_value argv[4], result = NULL;
    worker_options o;
    chief *c = boss_args(env, info, argv, 4);
    if (c == NULL) return NULL;
    if (options_read_worker(env, argv[3], &o))
        result = added(
            env, &o,
            chief_add_plugin(c, js_get_text(env, &o.arena, argv[1]), js_get_text(env, &o.arena, argv[2]), &o.worker));
    options_end(&o);
    return result;
}

/* (chief, name, options, with how it is started in `process`) */
static napi_value add_process(napi_env env, napi_callback_info info) {
    napi_value argv[3], result = NULL;
    worker_options o;
    chief *c = boss_args(env, info, argv, 3);
    if (c == NULL) return NULL;
    if (options_read_worker(env, argv[2], &o)) {
        o.worker.process = NULL;
        result = added(env, &o, chief_add_process(c, js_get_text(env, &o.arena, argv[1]), &o.process, &o.worker));
    }
    options_end(&o);
    return result;
}

/* (chief, name, policy, names) */
static napi_value add_group(napi_env env, napi_callback_info info) {
    napi_value argv[4];
    arena a = {NULL};
    size_t n;
    chief *c = boss_args(env, info, argv, 4);
    if (c == NULL) return NULL;
    const char *const *names = js_texts(env, &a, argv[3], &n);
    int rc = chief_add_group(c, js_get_text(env, &a, argv[1]), (int32_t)js_get_integer(env, argv[2], 0), names, n);
    arena_end(&a);
    return js_result(env, rc);
}

/* (chief, name, options) */
static napi_value add_channel(napi_env env, napi_callback_info info) {
    napi_value argv[3], result = NULL;
    arena a = {NULL};
    chief_channel_options options;
    chief *c = boss_args(env, info, argv, 3);
    if (c == NULL) return NULL;
    if (options_read_channel(env, &a, argv[2], &options))
        result = js_result(env, chief_add_channel(c, js_get_text(env, &a, argv[1]), &options));
    arena_end(&a);
    return result;
}

/* (chief, name) */
static napi_value get_channel(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    chief_channel *ch;
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    int rc = chief_get_channel(c, js_get_text(env, &a, argv[1]), &ch);
    arena_end(&a);
    return rc == CHIEF_OK ? channel_handle(env, ch) : js_throw(env, rc);
}

/* (chief, names) */
static napi_value enable_workers(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    size_t n;
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    const char *const *names = js_texts(env, &a, argv[1], &n);
    int rc = chief_enable_workers(c, names, n);
    arena_end(&a);
    return js_result(env, rc);
}

static napi_value is_enabled(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    int yes = chief_is_enabled(c, js_get_text(env, &a, argv[1]));
    arena_end(&a);
    return js_boolean(env, yes != 0);
}

static napi_value set_enable_by_default(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    return c != NULL ? js_result(env, chief_set_enable_by_default(c, js_get_boolean(env, argv[1]))) : NULL;
}

static napi_value set_force_stop_timeout(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    if (c == NULL) return NULL;
    int64_t ms = js_get_integer(env, argv[1], -1);
    return js_result(env, chief_set_force_stop_timeout(c, ms != 0 ? ms : CHIEF_ZERO));
}

static napi_value set_exit_when_done(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    return c != NULL ? js_result(env, chief_set_exit_when_done(c, js_get_boolean(env, argv[1]))) : NULL;
}

static napi_value set_event_level(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    chief *c = boss_args(env, info, argv, 2);
    return c != NULL ? js_result(env, chief_set_event_level(c, (int32_t)js_get_integer(env, argv[1], 0))) : NULL;
}

/* (chief, key, value) */
static napi_value add_value(napi_env env, napi_callback_info info) {
    napi_value argv[3], result = NULL;
    arena a = {NULL};
    chief_value value;
    chief *c = boss_args(env, info, argv, 3);
    if (c == NULL) return NULL;
    const char *key = js_get_text(env, &a, argv[1]);
    if (value_read(env, &a, argv[2], &value)) result = js_result(env, chief_add_value(c, key, &value));
    arena_end(&a);
    return result;
}

void boss_add_define(napi_env env, napi_value exports) {
    static const export list[] = {{"addWorker", add_worker},
                                  {"addLuaWorker", add_lua_worker},
                                  {"addPlugin", add_plugin},
                                  {"addProcess", add_process},
                                  {"addGroup", add_group},
                                  {"addChannel", add_channel},
                                  {"getChannel", get_channel},
                                  {"enableWorkers", enable_workers},
                                  {"isEnabled", is_enabled},
                                  {"setEnableByDefault", set_enable_by_default},
                                  {"setForceStopTimeout", set_force_stop_timeout},
                                  {"setExitWhenDone", set_exit_when_done},
                                  {"setEventLevel", set_event_level},
                                  {"addValue", add_value}};
    define(env, exports, list, sizeof list / sizeof *list);
}
