#include "host.h"

#include <chief_lua.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "corun.h"
#include "ctx.h"
#include "fail.h"
#include "instance.h"
#include "interrupt.h"
#include "life.h"
#include "limit.h"
#include "load.h"
#include "look.h"
#include "memory.h"
#include "process.h"
#include "runtime.h"
#include "spare.h"
#include "suspend.h"
#include "watch.h"

/* One life of a worker. */
typedef struct host {
    chief__lua_life *life;
    const chief__lua_spec *spec;
    chief_worker *worker;
    chief__lua_ctx *ctx; /* owned by the state */
    int rc;              /* of the protected part */
    int32_t part;        /* of enum chief_part: the fiber is in it; 0: in none */
    int status;          /* of the fiber's protected part */
} host;

/* Where the state's registry keeps them. */
static const char module_key;
static const char instance_key;
static const char ctx_key;

/* [-1, +0, m] */
static void keep(lua_State *L, const char *key) { lua_rawsetp(L, LUA_REGISTRYINDEX, key); }

/* The stack of both parts: the host, the module, and in init the ctx; then what init or run returned. */
enum { HOST = 1, MODULE = 2, CTX = 3 };

/* The instance is on top. */
static int keep_instance(lua_State *L) {
    chief__lua_settle_instance(L, MODULE);
    keep(L, &instance_key);
    lua_pushvalue(L, MODULE);
    keep(L, &module_key);
    return 0;
}

/* init has returned. */
static int init_on(lua_State *L, int status, lua_KContext context) {
    host *h = lua_touserdata(L, HOST);
    (void)status;
    (void)context;
    h->rc = chief__lua_verdict(L, CTX + 1, h->worker, "init");
    lua_settop(L, CTX + 1);
    return h->rc == CHIEF_OK ? keep_instance(L) : 0;
}

/* host → nothing; h->rc says how it went */
static int init_protected(lua_State *L) {
    host *h = lua_touserdata(L, 1);
    chief__lua_prepare(L, &h->spec->source, h->worker);
    chief__lua_load(L, &h->spec->source);
    lua_settop(L, MODULE);
    chief__lua_ctx *ctx = chief__lua_push_ctx(L, h->worker);
    lua_pushvalue(L, CTX);
    keep(L, &ctx_key);
    h->ctx = ctx; /* which the state keeps from now on, however this ends */
    chief__lua_life *life = chief__lua_life_of(L);
    if (life != NULL) life->ctx = ctx;
    if (lua_getfield(L, MODULE, "init") == LUA_TNIL) return keep_instance(L);
    lua_pushvalue(L, CTX);
    lua_callk(L, 1, LUA_MULTRET, 0, init_on);
    return init_on(L, LUA_OK, 0);
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

/* run has returned. */
static int run_on(lua_State *L, int status, lua_KContext context) {
    host *h = lua_touserdata(L, HOST);
    (void)status;
    (void)context;
    h->rc = chief__lua_verdict(L, MODULE + 1, h->worker, "run");
    return 0;
}

/* host → nothing; h->rc says how it went */
static int run_protected(lua_State *L) {
    const host *h = lua_touserdata(L, HOST);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
    lua_getfield(L, MODULE, "run");
    lua_callk(L, push_arguments(L, h), LUA_MULTRET, 0, run_on);
    return run_on(L, LUA_OK, 0);
}

/* However its code took it: a worker that was interrupted has failed, for the reason that it was interrupted for. */
static bool take_interrupt(host *h, int32_t init_error) {
    const chief__lua_life *why = chief__lua_interrupted(h->life);
    if (why == NULL) return false;
    const char *text = h->life->failure != NULL ? h->life->failure : why->why;
    chief_worker_set_error(h->worker, init_error != 0 ? init_error : why->reason, text, h->life->traceback);
    h->rc = CHIEF_EFAILED;
    return true;
}

/* Gives the failure what is known of it. An error of memory is its limit's when that refused the memory. */
static void take_failure(host *h, int32_t reason) {
    char limit[CHIEF__LUA_WHY_SIZE];
    const char *text = chief__lua_failure_text(h->life->L);
    if (chief__lua_limit_refused(h->life)) {
        chief__lua_limit_text(h->life, limit, sizeof limit);
        if (reason != CHIEF_REASON_INIT_ERROR) reason = CHIEF_REASON_MEMORY_LIMIT;
        text = limit;
    }
    chief_worker_set_error(h->worker, reason, text, chief__lua_failure_traceback(h->life->L));
    h->rc = CHIEF_EFAILED;
}

/* A part is over, the life still entered: leaves it. What it raised is on top, and becomes the worker's failure. */
static int conclude(host *h, int status, int32_t reason) {
    lua_State *L = h->life->L;
    chief__lua_interrupt_settle(h->life);
    chief__lua_life_leave(h->life);
    if (!take_interrupt(h, reason == CHIEF_REASON_INIT_ERROR ? reason : 0) && status != LUA_OK) take_failure(h, reason);
    lua_settop(L, 0);
    return h->rc;
}

/* Runs a part of the worker's life in a thread. */
static int protect(host *h, lua_CFunction part, int32_t reason) {
    lua_State *L = h->life->L;
    h->rc = CHIEF_OK;
    lua_settop(L, 0);
    lua_pushcfunction(L, chief__lua_on_error);
    lua_pushcfunction(L, part);
    lua_pushlightuserdata(L, h);
    chief__lua_life_enter(h->life);
    return conclude(h, lua_pcall(L, 1, 0, 1), reason);
}

static void host_fini(void *instance) {
    host *h = instance;
    chief__lua_life *life = h->life;
    /* What finalizers still do with ctx and its handles raises instead of reaching a worker that is no more. */
    if (h->ctx != NULL) h->ctx->worker = NULL;
    chief__lua_life_enter(life);
    chief__lua_memory_close(life);
    chief__lua_life_leave(life);
    chief__lua_life_close(life);
    chief__lua_watch_close(life);
    chief__lua_op_release(life->op);
    free(life->op);
    free(life->traceback);
    free(life->failure);
    free(life);
    free(h);
    chief__lua_spares_expect();
}

/* A state that was never entered, from the spare ones where its libraries are to fill themselves. NULL without memory. */
static chief__lua_life *take_life(const chief__lua_spec *spec) {
    chief__lua_life *life = spec->source.eager ? NULL : chief__lua_spare_take();
    if (life != NULL) return life;
    life = calloc(1, sizeof *life);
    if (life != NULL && chief__lua_memory_open(life)) return life;
    free(life);
    return NULL;
}

static void drop_life(chief__lua_life *life) {
    if (life == NULL) return;
    chief__lua_memory_close(life);
    free(life->op);
    free(life);
}

/* The host's own life, from here on in the list. */
static int open_life(host *h, bool is_fiber) {
    chief__lua_life *life = h->life = take_life(h->spec);
    if (life != NULL && is_fiber) life->op = calloc(1, sizeof *life->op);
    if (life == NULL || (is_fiber && life->op == NULL))
        return chief_set_last_error(CHIEF_ENOMEM, "not enough memory for a Lua state");
    life->worker = h->worker;
    chief__lua_limit_open(life, h->spec->limits.memory);
    int rc = h->spec->limits.watchdog > 0 ? chief__lua_watch_open(life, h->spec->limits.watchdog) : CHIEF_OK;
    if (rc == CHIEF_OK) chief__lua_life_open(life);
    return rc;
}

static int make_host(host **out, const chief__lua_spec *spec, chief_worker *worker, bool is_fiber) {
    host *h = *out = calloc(1, sizeof *h);
    if (h == NULL) return chief_set_last_error(CHIEF_ENOMEM, "not enough memory for a Lua state");
    h->spec = spec;
    h->worker = worker;
    int rc = open_life(h, is_fiber);
    if (rc == CHIEF_OK) return rc;
    drop_life(h->life);
    free(h);
    return rc;
}

/* What goes wrong is the failure of the worker's init. */
static int new_host(host **out, const chief__lua_spec *spec, chief_worker *worker, bool is_fiber) {
    int rc = make_host(out, spec, worker, is_fiber);
    if (rc != CHIEF_OK) chief_worker_set_error(worker, CHIEF_REASON_INIT_ERROR, chief_last_error(), NULL);
    return rc;
}

static int host_init(chief_worker *worker, void *data, void **instance) {
    host *h;
    int rc = new_host(&h, data, worker, false);
    if (rc != CHIEF_OK) return rc;
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

/* ---- As a fiber ---- */

/* The part has ended: the status stays, and an error on top. */
static int fiber_on(lua_State *L, int status, lua_KContext of) {
    host *h = (host *)of;
    h->status = status == LUA_YIELD ? LUA_OK : status;
    lua_settop(L, h->status == LUA_OK ? 0 : -1);
    return lua_gettop(L) > 0 ? 1 : 0;
}

/* part, host → nothing, or what it raised. The same as protect, but that it can yield inside. */
static int fiber_main(lua_State *L) {
    lua_KContext of = (lua_KContext)lua_touserdata(L, 2);
    lua_pushcfunction(L, chief__lua_on_error);
    lua_insert(L, 1);
    return fiber_on(L, lua_pcallk(L, 1, 0, 1, of, fiber_on), of);
}

static void begin_part(host *h, int32_t part) {
    lua_State *L = h->life->L;
    h->part = part;
    h->rc = CHIEF_OK;
    lua_settop(L, 0);
    lua_pushcfunction(L, fiber_main);
    lua_pushcfunction(L, part == CHIEF_PART_INIT ? init_protected : run_protected);
    lua_pushlightuserdata(L, h);
}

/* The main coroutine ended otherwise than by its end: by an error outside of the protected part, which is one of memory, or
 * by a C function that made it yield, where there is nobody to yield to. Whatever it was in is closed. */
static void break_off(host *h, int status) {
    lua_State *L = h->life->L;
    (void)chief__lua_close_coroutine(L, L);
    h->status = status == LUA_YIELD ? LUA_ERRRUN : status;
    if (status != LUA_YIELD) return;
    lua_settop(L, 0);
    lua_pushstring(L, CHIEF__LUA_YIELD_OUTSIDE);
}

/* CHIEF_EAGAIN when the worker waits. */
static int go_on(host *h, bool begins, int32_t reason) {
    int n;
    lua_State *L = h->life->L;
    chief__lua_life_enter(h->life);
    int status = lua_resume(L, NULL, begins ? 2 : 0, &n);
    if (status == LUA_YIELD && h->life->waiting != NULL) {
        chief__lua_life_leave(h->life);
        if (chief__lua_interrupted(h->life) != NULL) /* meanwhile, and it must not wait for long */
            chief_context_cancel(chief_worker_context(h->worker), h->life->why);
        return CHIEF_EAGAIN;
    }
    if (status != LUA_OK) break_off(h, status);
    h->part = 0;
    return conclude(h, h->status, reason);
}

/* Until init is over `*instance` is the data, and afterwards the host. */
static int host_resume(chief_worker *worker, void *data, void **instance, int32_t part) {
    host *h = *instance;
    bool in_init = part == CHIEF_PART_INIT;
    int rc = *instance == data ? new_host(&h, data, worker, true) : CHIEF_OK;
    if (rc != CHIEF_OK) return rc;
    *instance = h;
    bool begins = h->part == 0;
    if (begins) begin_part(h, part);
    rc = go_on(h, begins, in_init ? CHIEF_REASON_INIT_ERROR : CHIEF_REASON_LUA_ERROR);
    if (in_init && rc != CHIEF_OK && rc != CHIEF_EAGAIN) host_fini(h);
    return rc;
}

static const chief_fiber_ops chief__lua_fiber_ops = {.size = sizeof chief__lua_fiber_ops, .resume = host_resume};

/* ---- What other threads ask for ---- */

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

/* It may be isolated later, if there is a program to lead it; where its options ask for that there has to be one. */
static int add_isolable(chief *c, const char *name, chief__lua_spec *spec, chief_worker_options *options,
                        const chief_process *process) {
    chief__lua_launch child;
    chief_bytes packed = chief__lua_spec_pack(&spec->source, &spec->limits);
    if (packed.data == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    int rc = chief__lua_fill_process(&child, packed, spec->restart_on_fail, process);
    if (rc == CHIEF_OK) options->process = &child.how;
    if (rc == CHIEF_OK || options->policy != NULL)
        rc = chief_add_worker_with(c, name, &chief__lua_host_ops, spec, options);
    options->process = NULL;
    free((void *)(uintptr_t)packed.data);
    return rc;
}

static bool may_be_isolated(const chief_worker_options *o) {
    return o->policy != NULL || (o->restart != NULL && o->restart->isolate_after != 0);
}

/* The destructor of a worker that may want a spare state. */
static void release_spec(void *spec) {
    chief__lua_spec_free(spec);
    chief__lua_spares_release();
}

static int add_in_chief(chief *c, const char *name, const chief__lua_source *source, chief_worker_options *options,
                        const chief__lua_limits *limits, const chief_process *process,
                        const chief__lua_findings *findings) {
    chief__lua_spec *spec = chief__lua_spec_new(source);
    if (spec == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    spec->limits = *limits;
    spec->restart_on_fail = findings->restart_on_fail;
    spec->says_ready = findings->ready;
    options->destroy = release_spec;
    chief__lua_spares_hold();
    options->fiber = options->isolation == CHIEF_FIBER ? &chief__lua_fiber_ops : NULL;
    int rc = may_be_isolated(options) ? add_isolable(c, name, spec, options, process)
                                      : chief_add_worker_with(c, name, &chief__lua_host_ops, spec, options);
    if (rc != CHIEF_OK) release_spec(spec);
    return rc;
}

static int add_in_process(chief *c, const char *name, const chief__lua_source *source,
                          const chief_worker_options *options, const chief__lua_limits *limits,
                          const chief_process *process, const chief__lua_findings *findings) {
    chief_bytes spec = chief__lua_spec_pack(source, limits);
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
    if (own.isolation == CHIEF_PROCESS) rc = add_in_process(c, name, source, &own, limits, process, findings);
    else rc = add_in_chief(c, name, source, &own, limits, process, findings);
    if (rc == CHIEF_OK) chief__lua_pin();
    return rc;
}
