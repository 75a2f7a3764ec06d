#include "host.h"

#include <chief_lua.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctx.h"
#include "fail.h"
#include "instance.h"
#include "interrupt.h"
#include "life.h"
#include "limit.h"
#include "load.h"
#include "look.h"
#include "luv.h"
#include "memory.h"
#include "process.h"
#include "runtime.h"
#include "watch.h"

/* One life of a worker. */
typedef struct host {
    chief__lua_life life;
    const chief__lua_spec *spec;
    chief_worker *worker;
    chief__lua_ctx *ctx; /* owned by the state */
    int rc;              /* of the protected part */
} host;

/* Where the state's registry keeps them. */
static const char module_key;
static const char instance_key;
static const char ctx_key;

/* [-1, +0, m] */
static void keep(lua_State *L, const char *key) { lua_rawsetp(L, LUA_REGISTRYINDEX, key); }

/* Calls init, if there is one, and leaves what it returned; false when that says it failed. [-0, +(0|1), v] */
static bool call_init(lua_State *L, host *h, int module, int ctx) {
    if (lua_getfield(L, module, "init") == LUA_TNIL) return true;
    int first = lua_gettop(L);
    lua_pushvalue(L, ctx);
    lua_call(L, 1, LUA_MULTRET);
    h->rc = chief__lua_verdict(L, first, h->worker, "init");
    lua_settop(L, first);
    return h->rc == CHIEF_OK;
}

/* host → nothing; h->rc says how it went */
static int init_protected(lua_State *L) {
    host *h = lua_touserdata(L, 1);
    chief__lua_prepare(L, &h->spec->source, h->worker);
    chief__lua_luv_open(L);
    chief__lua_load(L, &h->spec->source);
    lua_settop(L, 2); /* host, module */
    chief__lua_ctx *ctx = chief__lua_push_ctx(L, h->worker);
    lua_pushvalue(L, 3);
    keep(L, &ctx_key);
    h->ctx = ctx; /* which the state keeps from now on, however this ends */
    if (!call_init(L, h, 2, 3)) return 0;
    chief__lua_settle_instance(L, 2);
    keep(L, &instance_key);
    lua_pushvalue(L, 2);
    keep(L, &module_key);
    return 0;
}

/* Pushes the arguments of run and returns how many: a function that was given as the worker may want its ctx only.
 * [-0, +(1|2), -] */
static int push_arguments(lua_State *L, const host *h) {
    lua_Debug ar = {.nparams = 2};
    if (h->spec->source.module == NULL) {
        lua_pushvalue(L, -1);
        lua_getinfo(L, ">u", &ar);
    }
    if (ar.nparams >= 2) lua_rawgetp(L, LUA_REGISTRYINDEX, &instance_key);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ctx_key);
    return ar.nparams >= 2 ? 2 : 1;
}

/* host → nothing; h->rc says how it went */
static int run_protected(lua_State *L) {
    host *h = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
    lua_getfield(L, -1, "run");
    int first = lua_gettop(L);
    lua_call(L, push_arguments(L, h), LUA_MULTRET);
    h->rc = chief__lua_verdict(L, first, h->worker, "run");
    return 0;
}

/* However its code took it: a worker that was interrupted has failed, for the reason that it was interrupted for. */
static bool take_interrupt(host *h, int32_t init_error) {
    const chief__lua_life *why = chief__lua_interrupted(&h->life);
    if (why == NULL) return false;
    const char *text = h->life.failure != NULL ? h->life.failure : why->why;
    chief_worker_set_error(h->worker, init_error != 0 ? init_error : why->reason, text, h->life.traceback);
    h->rc = CHIEF_EFAILED;
    return true;
}

/* Gives the failure what is known of it. An error of memory is its limit's when that refused the memory. */
static void take_failure(host *h, int32_t reason) {
    char limit[CHIEF__LUA_WHY_SIZE];
    const char *text = chief__lua_failure_text(h->life.L);
    if (chief__lua_limit_refused(&h->life)) {
        chief__lua_limit_text(&h->life, limit, sizeof limit);
        if (reason != CHIEF_REASON_INIT_ERROR) reason = CHIEF_REASON_MEMORY_LIMIT;
        text = limit;
    }
    chief_worker_set_error(h->worker, reason, text, chief__lua_failure_traceback(h->life.L));
    h->rc = CHIEF_EFAILED;
}

/* Runs a part of the worker's life; what it raises becomes the worker's failure. */
static int protect(host *h, lua_CFunction part, int32_t reason) {
    lua_State *L = h->life.L;
    h->rc = CHIEF_OK;
    lua_settop(L, 0);
    lua_pushcfunction(L, chief__lua_on_error);
    lua_pushcfunction(L, part);
    lua_pushlightuserdata(L, h);
    chief__lua_life_enter(&h->life);
    int status = lua_pcall(L, 1, 0, 1);
    chief__lua_interrupt_settle(&h->life);
    chief__lua_life_leave(&h->life);
    if (!take_interrupt(h, reason == CHIEF_REASON_INIT_ERROR ? reason : 0) && status != LUA_OK) take_failure(h, reason);
    lua_settop(L, 0);
    return h->rc;
}

static void host_fini(void *instance) {
    host *h = instance;
    /* What finalizers still do with ctx and its handles raises instead of reaching a worker that is no more. */
    if (h->ctx != NULL) h->ctx->worker = NULL;
    chief__lua_life_enter(&h->life);
    chief__lua_memory_close(&h->life);
    chief__lua_life_leave(&h->life);
    chief__lua_life_close(&h->life);
    chief__lua_watch_close(&h->life);
    free(h->life.traceback);
    free(h->life.failure);
    free(h);
}

/* A state that was never entered. */
static int open_life(chief__lua_life *life, const chief__lua_limits *limits) {
    if (!chief__lua_memory_open(life)) return chief_set_last_error(CHIEF_ENOMEM, "not enough memory for a Lua state");
    chief__lua_limit_open(life, limits->memory);
    int rc = limits->watchdog > 0 ? chief__lua_watch_open(life, limits->watchdog) : CHIEF_OK;
    if (rc != CHIEF_OK) chief__lua_memory_close(life);
    else chief__lua_life_open(life);
    return rc;
}

static int new_host(host **out, const chief__lua_spec *spec, chief_worker *worker) {
    host *h = *out = calloc(1, sizeof *h);
    if (h == NULL) return chief_set_last_error(CHIEF_ENOMEM, "not enough memory for a Lua state");
    h->spec = spec;
    h->worker = h->life.worker = worker;
    int rc = open_life(&h->life, &spec->limits);
    if (rc != CHIEF_OK) free(h);
    return rc;
}

static int host_init(chief_worker *worker, void *data, void **instance) {
    host *h;
    int rc = new_host(&h, data, worker);
    if (rc != CHIEF_OK) {
        chief_worker_set_error(worker, CHIEF_REASON_INIT_ERROR, chief_last_error(), NULL);
        return rc;
    }
    rc = protect(h, init_protected, CHIEF_REASON_INIT_ERROR);
    if (rc == CHIEF_OK) *instance = h;
    else host_fini(h);
    return rc;
}

static int host_run(chief_worker *worker, void *instance) {
    host *h = instance;
    h->worker = worker;
    h->ctx->worker = worker;
    return protect(h, run_protected, CHIEF_REASON_LUA_ERROR);
}

/* The life is found by its worker: it is there before init has returned and after fini has begun. */
static void host_interrupt(chief_worker *worker, void *instance) {
    char why[CHIEF__LUA_WHY_SIZE];
    (void)instance;
    (void)chief_worker_interrupt_reason(worker, why, sizeof why);
    chief__lua_interrupt_worker(worker, CHIEF_REASON_KILLED, why);
}

static size_t host_look(chief_worker *worker, char *buf, size_t size, int64_t timeout_ms) {
    return chief__lua_look_at(worker, buf, size, timeout_ms);
}

static int host_restart_on_fail(void *data) { return ((const chief__lua_spec *)data)->restart_on_fail; }

const chief_worker_ops chief__lua_host_ops = {
    .size = sizeof chief__lua_host_ops,
    .init = host_init,
    .run = host_run,
    .fini = host_fini,
    .restart_on_fail = host_restart_on_fail,
    .interrupt = host_interrupt,
    .look = host_look,
};

/* ---- Adding ---- */

/* The caller's options as far as this version knows them; false when they say more. */
static bool copy_options(chief_worker_options *out, const chief_worker_options *given) {
    *out = (chief_worker_options){.size = sizeof *out};
    if (given == NULL) return true;
    size_t known = given->size < sizeof *out ? given->size : sizeof *out;
    for (size_t i = known; i < given->size; i++)
        if (((const char *)given)[i] != 0) return false;
    memcpy(out, given, known);
    out->size = sizeof *out;
    return out->destroy == NULL;
}

static int add_in_thread(chief *c, const char *name, const chief__lua_source *source, chief_worker_options *options,
                         const chief__lua_limits *limits, const chief__lua_findings *findings) {
    chief__lua_spec *spec = chief__lua_spec_new(source);
    if (spec == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    spec->limits = *limits;
    spec->restart_on_fail = findings->restart_on_fail;
    spec->says_ready = findings->ready;
    options->destroy = chief__lua_spec_free;
    int rc = chief_add_worker_with(c, name, &chief__lua_host_ops, spec, options);
    if (rc != CHIEF_OK) chief__lua_spec_free(spec);
    return rc;
}

static int add_in_process(chief *c, const char *name, const chief__lua_source *source,
                          const chief_worker_options *options, const chief_process *process,
                          const chief__lua_findings *findings) {
    if (source->module == NULL)
        return chief_set_last_error(CHIEF_EINVAL, "a function can't go into a process: put it into a module and give "
                                                  "that module's name");
    chief_bytes spec = chief__lua_spec_pack(source);
    if (spec.data == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    int rc = chief__lua_add_process(c, name, spec, findings->restart_on_fail, process, options);
    free((void *)(uintptr_t)spec.data);
    return rc;
}

static int check_limits(const chief__lua_limits *limits) {
    if (limits->memory != 0 && limits->memory < CHIEF_LUA_LEAST_MEMORY)
        return chief_set_last_error(CHIEF_EINVAL, "a memory limit is 65536 bytes or more, or 0 for none");
    if (limits->watchdog < 0) return chief_set_last_error(CHIEF_EINVAL, "a watchdog has 1 ms or more, or 0 for none");
    return CHIEF_OK;
}

int chief__lua_add(chief *c, const char *name, const chief__lua_source *source, const chief_worker_options *options,
                   const chief__lua_limits *limits, const chief_process *process, chief__lua_findings *findings) {
    chief_worker_options own;
    int rc = chief__lua_inspect(source, findings);
    if (rc == CHIEF_OK) rc = check_limits(limits);
    if (rc != CHIEF_OK) return rc;
    if (!copy_options(&own, options))
        return chief_set_last_error(CHIEF_EINVAL, "worker options that a Lua worker does not have");
    if (findings->ready) own.flags |= CHIEF_WORKER_SAYS_READY;
    if (own.isolation == CHIEF_PROCESS) rc = add_in_process(c, name, source, &own, process, findings);
    else rc = add_in_thread(c, name, source, &own, limits, findings);
    if (rc == CHIEF_OK) chief__lua_pin();
    return rc;
}
