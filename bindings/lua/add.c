#include "add.h"

#include <lauxlib.h>

#include "codec.h"
#include "fail.h"
#include "host.h"
#include "options.h"
#include "policy.h"
#include "process.h"
#include "runtime.h"

static const char *const policies[] = {"default", "never", "on_failure", "always", NULL};
static const char *const readiness[] = {"run", "explicit", NULL};
static const char *const firsts[] = {"now", "later", NULL};
static const char *const isolations[] = {"default", "thread", "fiber", "process", NULL}; /* enum chief_isolation */

/* jitter = 0 says none, where the core's 0 is the default. */
static double read_jitter(lua_State *L, int t) {
    double jitter = chief__lua_field_number(L, t, "jitter", 0);
    bool none = lua_getfield(L, t, "jitter") != LUA_TNIL && jitter == 0;
    lua_pop(L, 1);
    return none ? -1 : jitter;
}

/* spec.restart, a word or a table whose policy is on_failure where none is given. [-0, +0, v] */
static void read_restart(lua_State *L, int spec, chief_restart *out) {
    *out = (chief_restart){.size = sizeof *out};
    if (lua_getfield(L, spec, "restart") == LUA_TTABLE) {
        int t = lua_gettop(L);
        out->policy = chief__lua_field_word(L, t, "policy", policies, CHIEF_RESTART_ON_FAILURE);
        out->delay = chief__lua_field_ms(L, t, "delay");
        out->factor = chief__lua_field_number(L, t, "factor", 0);
        out->max_delay = chief__lua_field_ms(L, t, "max_delay");
        out->jitter = read_jitter(L, t);
        out->max_restarts = chief__lua_field_count(L, t, "max_restarts");
        out->window = chief__lua_field_ms(L, t, "window");
        out->isolate_after = chief__lua_field_integer(L, t, "isolate_after");
    } else {
        out->policy = chief__lua_field_word(L, spec, "restart", policies, CHIEF_RESTART_DEFAULT);
    }
    lua_pop(L, 1);
}

/* Whether it runs by a schedule. [-0, +0, v] */
static bool read_schedule(lua_State *L, int spec, chief_schedule *out) {
    *out = (chief_schedule){.size = sizeof *out};
    out->every = chief__lua_field_ms(L, spec, "every");
    out->cron = chief__lua_field_string(L, spec, "cron");
    out->tz = chief__lua_field_string(L, spec, "tz");
    out->later = chief__lua_field_word(L, spec, "first", firsts, 0);
    return out->every != 0 || out->cron != NULL;
}

/* The bytes of spec.args; none where it is nil. [-0, +1, v] */
static chief_bytes read_args(lua_State *L, int spec) {
    chief_bytes bytes = {NULL, 0};
    if (lua_getfield(L, spec, "args") != LUA_TNIL) bytes = chief__lua_encode(L, -1);
    return bytes;
}

int32_t chief__lua_check_group_policy(lua_State *L, int arg) {
    static const char *const words[] = {"one_for_one", "one_for_all", "rest_for_one", NULL};
    return CHIEF_ONE_FOR_ONE + luaL_checkoption(L, arg, NULL, words);
}

void chief__lua_worker_options(lua_State *L, int spec, chief_worker_options *out, chief_restart *restart) {
    *out = (chief_worker_options){.size = sizeof *out, .restart = restart};
    read_restart(L, spec, restart);
    out->after = chief__lua_field_strings(L, spec, "after", &out->n_after);
    out->sends = chief__lua_field_strings(L, spec, "sends", &out->n_sends);
    out->receives = chief__lua_field_strings(L, spec, "receives", &out->n_receives);
    out->grace = chief__lua_field_ms(L, spec, "grace");
    out->start_timeout = chief__lua_field_ms(L, spec, "start_timeout");
    if (chief__lua_field_word(L, spec, "ready", readiness, 0) != 0) out->flags |= CHIEF_WORKER_SAYS_READY;
    if (chief__lua_field_bool(L, spec, "critical")) out->flags |= CHIEF_WORKER_CRITICAL;
    out->no_restart_codes = chief__lua_field_codes(L, spec, "no_restart_codes", &out->n_no_restart_codes);
    int64_t capacity = chief__lua_field_integer(L, spec, "mailbox_capacity");
    luaL_argcheck(L, capacity >= 0 && capacity <= UINT32_MAX, spec, "mailbox_capacity is out of range");
    out->mailbox_capacity = (uint32_t)capacity;
    int64_t count = chief__lua_field_integer(L, spec, "count");
    luaL_argcheck(L, count >= 0 && count <= UINT32_MAX, spec, "count is out of range");
    out->count = (uint32_t)count;
    out->isolation = chief__lua_field_word(L, spec, "isolation", isolations, CHIEF_ISOLATION_DEFAULT);
    out->args = read_args(L, spec); /* the last, as it is in the scratch buffer */
}

/* [-0, +0, v] */
static void read_limits(lua_State *L, int spec, chief__lua_limits *out) {
    *out = (chief__lua_limits){0};
    int64_t memory = chief__lua_field_integer(L, spec, "memory_limit");
    luaL_argcheck(L, memory >= 0, spec, "memory_limit is out of range");
    out->memory = (uint64_t)memory;
    out->watchdog = chief__lua_field_ms(L, spec, "watchdog");
    luaL_argcheck(L, out->watchdog >= 0, spec, "watchdog should be more than 0 seconds");
}

/* The whole text, which the thread's last error has room for only in part. [-0, +3, m] */
static int refused(lua_State *L, const chief__lua_findings *findings) {
    lua_pushnil(L);
    lua_pushstring(L, findings->text);
    lua_pushstring(L, chief_error_code(CHIEF_EINVAL));
    return 3;
}

static int add_native(chief *c, const char *name, const char *path, const chief_process *process,
                      const chief_worker_options *options) {
    if (options->isolation == CHIEF_PROCESS) return chief__lua_add_native_process(c, name, path, process, options);
    return chief_add_plugin(c, name, path, options);
}

/* It is the worker's, which calls into this library, or nobody's. */
static void settle_policy(const chief_policy *policy, int rc) {
    if (rc == CHIEF_OK) chief__lua_pin();
    else policy->destroy(policy->data);
}

int chief__lua_add_worker(lua_State *L, chief *c) {
    chief_worker_options options;
    chief_restart restart;
    chief_schedule schedule;
    chief_process process;
    chief__lua_limits limits;
    lua_settop(L, 3);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    const char *native = chief__lua_field_string(L, 3, "native");
    chief__lua_findings *findings = chief__lua_new_findings(L);
    chief__lua_source source = {0};
    if (native == NULL) source = chief__lua_check_source(L, 3);
    chief__lua_read_process(L, 3, &process);
    read_limits(L, 3, &limits);
    chief__lua_worker_options(L, 3, &options, &restart);
    if (read_schedule(L, 3, &schedule)) options.schedule = &schedule;
    luaL_argcheck(L, native == NULL || (limits.memory == 0 && limits.watchdog == 0), 3, "a plug-in has no such limits");
    chief_policy policy;
    if (chief__lua_read_policy(L, 3, &policy)) options.policy = &policy; /* from here on nothing raises */
    int rc = native != NULL ? add_native(c, name, native, &process, &options)
                            : chief__lua_add(c, name, &source, &options, &limits, &process, findings);
    if (options.policy != NULL) settle_policy(&policy, rc);
    return findings->text != NULL ? refused(L, findings) : chief__lua_done(L, rc);
}
