#include "sim.h"

#include <chief.h>

#include "add.h"
#include "boss.h"
#include "event.h"
#include "fail.h"
#include "kind.h"
#include "options.h"
#include "policy.h"
#include "runtime.h"
#include "snapshot.h"

typedef struct box {
    chief_sim *sim;
} box;

static const chief__lua_kind kind;

/* enum chief_reason and enum chief_sim_manners */
static const char *const reasons[] = {"",         "ok",           "error",  "lua_error", "init_error", "start_timeout",
                                      "watchdog", "memory_limit", "killed", "cancelled", NULL};
static const char *const manners[] = {"obeys", "busy", "stuck", NULL};

static int close_sim(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief_sim *sim = b->sim;
    b->sim = NULL;
    chief_sim_free(sim);
    return 0;
}

static chief_sim *check_sim(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    luaL_argcheck(L, b->sim != NULL, 1, "the simulation is closed");
    return b->sim;
}

static int add_worker(lua_State *L) {
    chief_worker_options options;
    chief_restart restart;
    lua_settop(L, 3);
    chief_sim *sim = check_sim(L);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    chief__lua_worker_options(L, 3, &options, &restart);
    chief_policy policy;
    if (chief__lua_read_policy(L, 3, &policy)) options.policy = &policy; /* from here on nothing raises */
    int rc = chief_sim_add_worker(sim, name, &options);
    if (options.policy != NULL && rc != CHIEF_OK) policy.destroy(policy.data);
    if (options.policy != NULL && rc == CHIEF_OK) chief__lua_pin();
    return chief__lua_done(L, rc);
}

static int add_group(lua_State *L) {
    size_t n;
    lua_settop(L, 4);
    chief_sim *sim = check_sim(L);
    const char *name = luaL_checkstring(L, 2);
    int32_t policy = chief__lua_check_group_policy(L, 3);
    const char *const *names = chief__lua_strings(L, 4, "workers", &n);
    return chief__lua_done(L, chief_sim_add_group(sim, name, policy, names, n));
}

static int enable_workers(lua_State *L) {
    size_t n;
    chief_sim *sim = check_sim(L);
    const char *const *names = chief__lua_strings(L, 2, "names", &n);
    return chief__lua_done(L, chief_sim_enable_workers(sim, names, n));
}

static int start(lua_State *L) { return chief__lua_done(L, chief_sim_start(check_sim(L))); }
static int stop(lua_State *L) { return chief__lua_done(L, chief_sim_stop(check_sim(L))); }
static int force_stop(lua_State *L) { return chief__lua_done(L, chief_sim_force_stop(check_sim(L))); }
static int signal(lua_State *L) { return chief__lua_done(L, chief_sim_signal(check_sim(L))); }

/* ---- Time ---- */

static int advance(lua_State *L) {
    chief_sim *sim = check_sim(L);
    double seconds = luaL_checknumber(L, 2);
    return chief__lua_done(L, chief_sim_advance(sim, seconds < 0 ? -1 : chief__lua_to_ms(seconds)));
}

static int push_seconds(lua_State *L, int64_t ms) {
    lua_pushnumber(L, (lua_Number)ms / 1000);
    return 1;
}

static int now(lua_State *L) { return push_seconds(L, chief_sim_now(check_sim(L))); }

static int deadline(lua_State *L) {
    int64_t due = chief_sim_deadline(check_sim(L));
    if (due >= 0) return push_seconds(L, due);
    lua_pushnil(L);
    return 1;
}

/* ---- What becomes of a worker ---- */

static int fail(lua_State *L) {
    chief_sim *sim = check_sim(L);
    const char *name = luaL_checkstring(L, 2);
    const char *text = luaL_optstring(L, 3, NULL);
    int32_t reason = luaL_checkoption(L, 4, "error", reasons);
    lua_Integer code = luaL_optinteger(L, 5, 0);
    luaL_argcheck(L, code >= INT32_MIN && code <= INT32_MAX, 5, "an exit code is smaller");
    return chief__lua_done(L, chief_sim_fail(sim, name, reason, (int32_t)code, text));
}

static int fail_init(lua_State *L) {
    chief_sim *sim = check_sim(L);
    const char *name = luaL_checkstring(L, 2);
    const char *text = luaL_optstring(L, 3, NULL);
    lua_Integer n = luaL_optinteger(L, 4, 1);
    luaL_argcheck(L, n >= 0 && n <= UINT32_MAX, 4, "a number of inits");
    return chief__lua_done(L, chief_sim_fail_init(sim, name, (uint32_t)n, text));
}

static int behave(lua_State *L) {
    chief_sim *sim = check_sim(L);
    const char *name = luaL_checkstring(L, 2);
    return chief__lua_done(L, chief_sim_behave(sim, name, luaL_checkoption(L, 3, NULL, manners)));
}

static int one(lua_State *L, int (*f)(chief_sim *, const char *)) {
    return chief__lua_done(L, f(check_sim(L), luaL_checkstring(L, 2)));
}

static int finish(lua_State *L) { return one(L, chief_sim_finish); }
static int ready(lua_State *L) { return one(L, chief_sim_ready); }
static int start_worker(lua_State *L) { return one(L, chief_sim_start_worker); }
static int stop_worker(lua_State *L) { return one(L, chief_sim_stop_worker); }
static int restart_worker(lua_State *L) { return one(L, chief_sim_restart_worker); }
static int remove_worker(lua_State *L) { return one(L, chief_sim_remove_worker); }

/* ---- Looking ---- */

static int states(lua_State *L) {
    chief_sim *sim = check_sim(L);
    chief_snapshot **snapshot = chief__lua_new_snapshot(L);
    int rc = chief_sim_states(sim, snapshot);
    return rc == CHIEF_OK ? chief__lua_push_statuses(L, *snapshot) : chief__lua_fail(L, rc);
}

static int take_events(lua_State *L) { return chief__lua_take_sim_events(L, check_sim(L)); }

static int has_stopped(lua_State *L) {
    lua_pushboolean(L, chief_sim_has_stopped(check_sim(L)));
    return 1;
}

static int exit_code(lua_State *L) {
    lua_pushinteger(L, chief_sim_exit_code(check_sim(L)));
    return 1;
}

static const luaL_Reg methods[] = {
    {"add_worker", add_worker},
    {"add_group", add_group},
    {"enable_workers", enable_workers},
    {"start", start},
    {"stop", stop},
    {"force_stop", force_stop},
    {"signal", signal},
    {"advance", advance},
    {"now", now},
    {"deadline", deadline},
    {"fail", fail},
    {"fail_init", fail_init},
    {"finish", finish},
    {"ready", ready},
    {"behave", behave},
    {"start_worker", start_worker},
    {"stop_worker", stop_worker},
    {"restart_worker", restart_worker},
    {"remove_worker", remove_worker},
    {"states", states},
    {"take_events", take_events},
    {"has_stopped", has_stopped},
    {"exit_code", exit_code},
    {"close", close_sim},
    {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.simulation", .methods = methods, .close = close_sim};

int chief__lua_simulation(lua_State *L) {
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TTABLE);
    chief_options options = chief__lua_chief_options(L);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_sim_new(&b->sim, &options);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
