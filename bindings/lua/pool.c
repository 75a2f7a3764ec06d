#include "pool.h"

#include "context.h"
#include "ctx.h"
#include "fail.h"
#include "instance.h"
#include "kind.h"
#include "log.h"
#include "options.h"
#include "snapshot.h"
#include "state.h"

/* User value 1 of a pool: a table with a record's user data by its address, and by the worker's name what was
 * given. Of a view: the chief's object. */
typedef struct box {
    chief_pool *pool;
    chief *const *owner; /* of a view: the chief, NULL once that is closed */
    lua_State *L;        /* who is in a call that runs workers; the pool is at its stack index 1 */
} box;

/* User values of a record. */
enum { DEFINITION = 1, INSTANCE = 2, CTX = 3, USER_VALUES = 3 };

typedef struct record {
    box *pool;
    chief__lua_ctx *ctx; /* kept alive by the user value */
    int restart_on_fail;
} record;

typedef struct run {
    record *record;
    chief_worker *worker;
    int rc;
} run;

static const chief__lua_kind kind;

static chief_pool *check_pool(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    if (b->owner != NULL) {
        luaL_argcheck(L, *b->owner != NULL, 1, "its chief is closed");
        return chief_get_pool(*b->owner);
    }
    luaL_argcheck(L, b->pool != NULL, 1, "the pool is closed");
    return b->pool;
}

/* ---- Workers' functions, called by core ---- */

/* pool, run → pushes the record. [-0, +1, v] */
static run *open_record(lua_State *L) {
    run *r = lua_touserdata(L, 2);
    lua_getiuservalue(L, 1, 1);
    lua_rawgetp(L, -1, r->record);
    lua_replace(L, -2);
    return r;
}

/* [-1, +0, m] */
static void keep(lua_State *L, int record_at, int which) { lua_setiuservalue(L, record_at, which); }

static int init_protected(lua_State *L) {
    run *r = open_record(L);
    lua_getiuservalue(L, 3, DEFINITION);
    r->record->ctx = chief__lua_push_ctx(L, r->worker);
    lua_pushvalue(L, -1);
    keep(L, 3, CTX);
    if (lua_getfield(L, 4, "init") != LUA_TNIL) {
        lua_pushvalue(L, 5);
        lua_call(L, 1, LUA_MULTRET);
        r->rc = chief__lua_verdict(L, 6, r->worker, "init");
        lua_settop(L, 6);
    }
    if (r->rc != CHIEF_OK) return 0;
    chief__lua_settle_instance(L, 4);
    keep(L, 3, INSTANCE);
    return 0;
}

static int run_protected(lua_State *L) {
    run *r = open_record(L);
    lua_getiuservalue(L, 3, DEFINITION);
    lua_getfield(L, 4, "run");
    lua_getiuservalue(L, 3, INSTANCE);
    lua_getiuservalue(L, 3, CTX);
    lua_call(L, 2, LUA_MULTRET);
    r->rc = chief__lua_verdict(L, 5, r->worker, "run");
    return 0;
}

/* Nothing that the functions raise may jump over core's frames. */
static int protect(run *r, lua_CFunction part, int32_t reason) {
    lua_State *L = r->record->pool->L;
    int top = lua_gettop(L);
    lua_pushcfunction(L, chief__lua_on_error);
    lua_pushcfunction(L, part);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, r);
    if (lua_pcall(L, 2, 0, top + 1) != LUA_OK) {
        chief_worker_set_error(r->worker, reason, chief__lua_failure_text(L), chief__lua_failure_traceback(L));
        r->rc = CHIEF_EFAILED;
    }
    lua_settop(L, top);
    return r->rc;
}

static void end_ctx(record *rec) {
    if (rec->ctx != NULL) rec->ctx->worker = NULL;
}

static int pool_init(chief_worker *worker, void *data, void **instance) {
    run r = {.record = data, .worker = worker};
    *instance = data;
    int rc = protect(&r, init_protected, CHIEF_REASON_INIT_ERROR);
    end_ctx(r.record);
    return rc;
}

static int pool_run(chief_worker *worker, void *instance) {
    run r = {.record = instance, .worker = worker};
    r.record->ctx->worker = worker;
    int rc = protect(&r, run_protected, CHIEF_REASON_LUA_ERROR);
    end_ctx(r.record);
    return rc;
}

static int pool_restart_on_fail(void *data) { return ((const record *)data)->restart_on_fail; }

static const chief_worker_ops pool_ops = {
    .size = sizeof pool_ops, .init = pool_init, .run = pool_run, .restart_on_fail = pool_restart_on_fail};

/* ---- Registering ---- */

static void check_definition(lua_State *L, int arg) {
    luaL_checktype(L, arg, LUA_TTABLE);
    if (lua_getfield(L, arg, "run") != LUA_TFUNCTION) luaL_argerror(L, arg, "run should be a function");
    int init = lua_getfield(L, arg, "init");
    if (init != LUA_TNIL && init != LUA_TFUNCTION) luaL_argerror(L, arg, "init should be a function");
    lua_pop(L, 2);
}

/* Pushes a record of the pool at 1 for the definition at 3. [-0, +1, m] */
static record *new_record(lua_State *L) {
    record *rec = lua_newuserdatauv(L, sizeof *rec, USER_VALUES);
    *rec = (record){.pool = lua_touserdata(L, 1), .restart_on_fail = chief__lua_field_bool(L, 3, "restart_on_fail")};
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, DEFINITION);
    return rec;
}

/* pool, name, definition; what core is given is anchored before it is given. */
static int set_worker(lua_State *L) {
    lua_settop(L, 3);
    chief_pool *pool = check_pool(L);
    const char *name = luaL_checkstring(L, 2);
    check_definition(L, 3);
    if (((box *)lua_touserdata(L, 1))->owner != NULL) return chief__lua_fail(L, CHIEF_EBUSY);
    record *rec = new_record(L);
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, rec);
    int rc = chief_pool_set_worker(pool, name, &pool_ops, rec);
    if (rc != CHIEF_OK) {
        lua_pushnil(L);
        lua_rawsetp(L, -2, rec);
        return chief__lua_fail(L, rc);
    }
    return chief__lua_done(L, rc);
}

static int get_worker(lua_State *L) {
    void *data = NULL;
    chief_worker_ops ops = {.size = sizeof ops};
    int rc = chief_pool_get_worker(check_pool(L), luaL_checkstring(L, 2), &ops, &data);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_getiuservalue(L, 1, 1);
    if (!lua_istable(L, -1) || lua_rawgetp(L, -1, data) != LUA_TUSERDATA) {
        lua_newtable(L); /* a worker of a chief, whose functions live in another state */
        return 1;
    }
    lua_getiuservalue(L, -1, DEFINITION);
    return 1;
}

static int set_log(lua_State *L) {
    chief_pool *pool = check_pool(L);
    chief_log *log = chief__lua_test_log(L, 2);
    luaL_argexpected(L, log != NULL || lua_isnoneornil(L, 2), 2, "logger");
    return chief__lua_done(L, chief_pool_set_log(pool, log));
}

/* ---- Verbs ---- */

static int verb(lua_State *L, chief_state_t (*f)(chief_pool *, const char *)) {
    return chief__lua_state_result(L, f(check_pool(L), luaL_checkstring(L, 2)));
}

static int get_state(lua_State *L) { return verb(L, chief_pool_get_state); }
static int enable(lua_State *L) { return verb(L, chief_pool_enable); }
static int disable(lua_State *L) { return verb(L, chief_pool_disable); }
static int start(lua_State *L) { return verb(L, chief_pool_start); }
static int stop(lua_State *L) { return verb(L, chief_pool_stop); }
static int fail(lua_State *L) { return verb(L, chief_pool_fail); }

static int set_state(lua_State *L) {
    chief_pool *pool = check_pool(L);
    const char *name = luaL_checkstring(L, 2);
    return chief__lua_state_result(L, chief_pool_set_state(pool, name, chief__lua_check_state(L, 3)));
}

static int question(lua_State *L, int (*f)(chief_pool *, const char *)) {
    lua_pushboolean(L, f(check_pool(L), luaL_checkstring(L, 2)));
    return 1;
}

static int is_enabled(lua_State *L) { return question(L, chief_pool_is_enabled); }
static int is_alive(lua_State *L) { return question(L, chief_pool_is_alive); }

/* Makes this the state that workers' functions run in; returns the one before. */
static lua_State *enter(lua_State *L) {
    box *b = lua_touserdata(L, 1);
    lua_State *before = b->L;
    luaL_checkstack(L, LUA_MINSTACK, NULL); /* core's callbacks can't */
    b->L = L;
    return before;
}

static void leave(lua_State *L, lua_State *before) { ((box *)lua_touserdata(L, 1))->L = before; }

static int init(lua_State *L) {
    chief_pool *pool = check_pool(L);
    const char *name = luaL_checkstring(L, 2);
    chief_context *parent = chief__lua_opt_context(L, 3);
    lua_State *before = enter(L);
    chief_state_t result = chief_pool_init(pool, name, parent);
    leave(L, before);
    return chief__lua_state_result(L, result);
}

static int run_exec(lua_State *L) {
    chief_pool *pool = check_pool(L);
    const char *name = luaL_checkstring(L, 2);
    lua_State *before = enter(L);
    int rc = chief_pool_run_exec(pool, name);
    leave(L, before);
    return chief__lua_done(L, rc);
}

static int with_snapshot(lua_State *L, int (*push)(lua_State *, const chief_snapshot *)) {
    chief_pool *pool = check_pool(L);
    chief_snapshot **snapshot = chief__lua_new_snapshot(L);
    int rc = chief_pool_states(pool, snapshot);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    int n = push(L, *snapshot);
    chief__lua_drop_snapshot(snapshot);
    return n;
}

static int states(lua_State *L) { return with_snapshot(L, chief__lua_push_statuses); }
static int states_json(lua_State *L) { return with_snapshot(L, chief__lua_push_snapshot_json); }

static int close_pool(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    luaL_argcheck(L, b->L == NULL, 1, "a worker of the pool runs");
    chief_pool *pool = b->pool;
    b->pool = NULL;
    chief_pool_free(pool);
    return 0;
}

static const luaL_Reg methods[] = {
    {"set_worker", set_worker},
    {"get_worker", get_worker},
    {"set_log", set_log},
    {"get_state", get_state},
    {"set_state", set_state},
    {"enable", enable},
    {"disable", disable},
    {"init", init},
    {"start", start},
    {"stop", stop},
    {"fail", fail},
    {"is_enabled", is_enabled},
    {"is_alive", is_alive},
    {"run_exec", run_exec},
    {"states", states},
    {"states_json", states_json},
    {"close", close_pool},
    {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.pool", .methods = methods, .close = close_pool};

int chief__lua_pool(lua_State *L) {
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 1);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    int rc = chief_pool_new(&b->pool);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}

void chief__lua_push_pool_view(lua_State *L, chief *const *c, int owner) {
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 1);
    b->owner = c;
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 1);
}
