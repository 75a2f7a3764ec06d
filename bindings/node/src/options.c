/* options: JavaScript's options, whose names and types lib/options.js has checked, as the library's structures. */
#include <math.h>
#include <stdlib.h>

#include "chief_node.h"

/* A duration or count for which 0 is meaningful. */
static int64_t zeroable(napi_env env, napi_value from, const char *name) {
    int64_t number = js_member_integer(env, from, name, INT64_MIN + 1);
    return number == INT64_MIN + 1 ? 0 : number == 0 ? CHIEF_ZERO : number;
}

static int32_t small(napi_env env, napi_value from, const char *name) {
    return (int32_t)js_member_integer(env, from, name, 0);
}

static bool flag(napi_env env, napi_value from, const char *name) {
    return js_get_boolean(env, js_member(env, from, name));
}

static void read_restart(napi_env env, napi_value from, chief_restart *out) {
    napi_value jitter = js_member(env, from, "jitter");
    *out = (chief_restart){
        .size = sizeof *out,
        .policy = small(env, from, "policy"),
        .delay = zeroable(env, from, "delay"),
        .factor = js_get_number(env, js_member(env, from, "factor"), 0),
        .max_delay = zeroable(env, from, "maxDelay"),
        .jitter = js_get_number(env, jitter, 0),
        .max_restarts = zeroable(env, from, "maxRestarts"),
        .window = js_member_integer(env, from, "window", 0),
        .isolate_after = js_member_integer(env, from, "isolateAfter", 0),
    };
    if (!js_is_missing(env, jitter) && out->jitter == 0) out->jitter = -1;
}

static void read_schedule(napi_env env, arena *a, napi_value from, chief_schedule *out) {
    *out = (chief_schedule){
        .size = sizeof *out,
        .later = flag(env, from, "later"),
        .every = js_member_integer(env, from, "every", 0),
        .cron = js_member_text(env, a, from, "cron"),
        .tz = js_member_text(env, a, from, "tz"),
    };
}

static void read_process(napi_env env, arena *a, napi_value from, chief_process *out) {
    *out = (chief_process){
        .size = sizeof *out,
        .restart_on_fail = flag(env, from, "restartOnFail"),
        .cwd = js_member_text(env, a, from, "cwd"),
        .user = js_member_text(env, a, from, "user"),
        .group = js_member_text(env, a, from, "group"),
        .umask = zeroable(env, from, "umask"),
        .memory = js_member_integer(env, from, "memory", 0),
        .cpu = js_member_integer(env, from, "cpu", 0),
        .files = js_member_integer(env, from, "files", 0),
        .file_size = js_member_integer(env, from, "fileSize", 0),
        .processes = js_member_integer(env, from, "processes", 0),
        .core = zeroable(env, from, "core"),
    };
    out->argv = js_member_texts(env, a, from, "argv", &out->n_argv);
    out->env = js_member_texts(env, a, from, "env", &out->n_env);
    const char *spec = js_member_text(env, a, from, "spec");
    size_t len = 0;
    if (spec != NULL) (void)napi_get_value_string_utf8(env, js_member(env, from, "spec"), NULL, 0, &len);
    out->spec = (chief_bytes){spec, len};
}

static const int32_t *read_codes(napi_env env, arena *a, napi_value array, size_t *n) {
    uint32_t len = 0;
    *n = 0;
    if (js_is_missing(env, array) || napi_get_array_length(env, array, &len) != napi_ok) return NULL;
    int32_t *codes = arena_get(a, env, len * sizeof *codes);
    for (uint32_t i = 0; codes != NULL && i < len; i++) {
        napi_value item;
        if (napi_get_element(env, array, i, &item) == napi_ok) codes[i] = (int32_t)js_get_integer(env, item, 0);
    }
    *n = codes != NULL ? len : 0;
    return codes;
}

static bool read_args(napi_env env, napi_value from, worker_options *out) {
    napi_value args = js_member(env, from, "args");
    if (js_is_missing(env, args)) return true;
    if (!payload_read(env, args, false, &out->args)) return false;
    out->worker.args = (chief_bytes){out->args.data, out->args.len};
    return true;
}

static void read_names(napi_env env, napi_value from, worker_options *out) {
    chief_worker_options *w = &out->worker;
    w->after = js_member_texts(env, &out->arena, from, "after", &w->n_after);
    w->sends = js_member_texts(env, &out->arena, from, "sends", &w->n_sends);
    w->receives = js_member_texts(env, &out->arena, from, "receives", &w->n_receives);
}

static void read_parts(napi_env env, napi_value from, worker_options *out) {
    napi_value restart = js_member(env, from, "restart"), schedule = js_member(env, from, "schedule"),
               process = js_member(env, from, "process");
    if (!js_is_missing(env, restart)) {
        read_restart(env, restart, &out->restart);
        out->worker.restart = &out->restart;
    }
    if (!js_is_missing(env, schedule)) {
        read_schedule(env, &out->arena, schedule, &out->schedule);
        out->worker.schedule = &out->schedule;
    }
    if (!js_is_missing(env, process)) {
        read_process(env, &out->arena, process, &out->process);
        out->worker.process = &out->process;
    }
}

static bool read_policy(napi_env env, napi_value from, worker_options *out) {
    napi_value decide = js_member(env, from, "onExit");
    if (js_is_missing(env, decide)) return true;
    out->worker.policy = &out->policy;
    return policy_read(env, decide, js_member_integer(env, from, "onExitTimeout", 0), &out->policy);
}

bool options_read_worker(napi_env env, napi_value from, worker_options *out) {
    *out = (worker_options){.worker = {.size = sizeof out->worker}};
    chief_worker_options *w = &out->worker;
    w->flags = (flag(env, from, "saysReady") ? CHIEF_WORKER_SAYS_READY : 0u) |
               (flag(env, from, "critical") ? CHIEF_WORKER_CRITICAL : 0u);
    w->grace = js_member_integer(env, from, "grace", 0);
    w->start_timeout = js_member_integer(env, from, "startTimeout", 0);
    w->mailbox_capacity = (uint32_t)js_member_integer(env, from, "mailbox", 0);
    w->isolation = small(env, from, "isolation");
    w->count = (uint32_t)js_member_integer(env, from, "count", 0);
    w->no_restart_codes = read_codes(env, &out->arena, js_member(env, from, "noRestartCodes"), &w->n_no_restart_codes);
    read_names(env, from, out);
    read_parts(env, from, out);
    return read_policy(env, from, out) && read_args(env, from, out);
}

void options_added(worker_options *o, int rc) {
    if (rc == CHIEF_OK) o->policy.data = NULL;
}

void options_end(worker_options *o) {
    policy_drop(&o->policy);
    arena_end(&o->arena);
    free(o->args.data);
}

static void read_info(napi_env env, arena *a, napi_value from, chief_options *out) {
    napi_value info = js_member(env, from, "info");
    if (js_is_missing(env, info)) return;
    chief_app_info *made = arena_get(a, env, sizeof *made);
    if (made == NULL) return;
    made->size = sizeof *made;
    made->version = js_member_text(env, a, info, "version");
    made->build = js_member_text(env, a, info, "build");
    made->tag = js_member_text(env, a, info, "tag");
    out->info = made;
}

bool options_read_chief(napi_env env, arena *a, napi_value from, chief_options *out) {
    bool pending = false;
    *out = (chief_options){
        .size = sizeof *out,
        .require_names = flag(env, from, "requireNames"),
        .name = js_member_text(env, a, from, "name"),
        .force_stop_timeout = zeroable(env, from, "forceStopTimeout"),
        .init_timeout = js_member_integer(env, from, "initTimeout", 0),
        .hook_timeout = js_member_integer(env, from, "hookTimeout", 0),
        .seed = (uint64_t)js_member_integer(env, from, "seed", 0),
        .event_capacity = (uint32_t)js_member_integer(env, from, "eventCapacity", 0),
        .exit_when_done = flag(env, from, "exitWhenDone"),
        .thread_stack = (size_t)js_member_integer(env, from, "threadStack", 0),
        .force_time = js_member_integer(env, from, "forceTime", 0),
        .event_level = small(env, from, "eventLevel"),
        .fiber_threads = (uint32_t)js_member_integer(env, from, "fiberThreads", 0),
        .max_restarts = zeroable(env, from, "maxRestarts"),
        .restart_window = js_member_integer(env, from, "restartWindow", 0),
    };
    read_info(env, a, from, out);
    out->log = log_read(env, js_member(env, from, "log"));
    return napi_is_exception_pending(env, &pending) == napi_ok && !pending;
}

bool options_read_channel(napi_env env, arena *a, napi_value from, chief_channel_options *out) {
    *out = (chief_channel_options){
        .size = sizeof *out,
        .overflow = small(env, from, "overflow"),
        .delivery = small(env, from, "delivery"),
        .capacity = (uint32_t)js_member_integer(env, from, "capacity", 0),
        .max_deliveries = zeroable(env, from, "maxDeliveries"),
        .max_message = js_member_integer(env, from, "maxMessage", 0),
        .dead = js_member_text(env, a, from, "dead"),
    };
    return true;
}
