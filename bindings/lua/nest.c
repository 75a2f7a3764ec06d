#include "nest.h"

#include <lauxlib.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "add.h"
#include "boss.h"
#include "fail.h"
#include "load.h"
#include "options.h"
#include "policy.h"
#include "runtime.h"
#include "spec.h"

/* ---- The state of one life ---- */

/* Who comes second closes it: the inner chief's end, or a hook that is still on its way then. */
enum { IDLE, IN_HOOK, CHIEF_GONE };

typedef struct nest {
    lua_State *L;
    atomic_int use; /* swapped with acq_rel */
} nest;

#define STATE_KEY "chief-lua-app" /* of the value in the inner chief's context that keeps the state */

/* Where its registry keeps what runs the hooks. */
static const char hooks_key;

static void close_nest(nest *n) {
    lua_close(n->L);
    free(n);
}

static void on_chief_gone(void *data) {
    nest *n = data;
    if (atomic_exchange_explicit(&n->use, CHIEF_GONE, memory_order_acq_rel) == IDLE) close_nest(n);
}

static void run_hooks(void *data) {
    nest *n = data;
    atomic_store_explicit(&n->use, IN_HOOK, memory_order_release); /* the chief that calls is there */
    lua_rawgetp(n->L, LUA_REGISTRYINDEX, &hooks_key);
    if (lua_pcall(n->L, 0, 0, 0) != LUA_OK) lua_pop(n->L, 1); /* each hook's failure has been logged by then */
    if (atomic_exchange_explicit(&n->use, IDLE, memory_order_acq_rel) == CHIEF_GONE) close_nest(n);
}

/* ---- Making the inner chief ---- */

typedef struct making {
    const chief__lua_source *source; /* `module` is the app file */
    const char *isolation;
    chief *c;
    bool has_hooks;
} making;

/* require("chief.nest")(file, isolation) gives the chief, which is lent to this state from then on, and the hooks. */
static int make_protected(lua_State *L) {
    making *m = lua_touserdata(L, 1);
    chief__lua_prepare(L, m->source, NULL);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "chief.nest");
    lua_call(L, 1, 1);
    lua_pushstring(L, m->source->module);
    lua_pushstring(L, m->isolation);
    lua_call(L, 2, 2);
    m->has_hooks = lua_isfunction(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &hooks_key);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, STATE_KEY); /* its userdata is not collected before the state is closed */
    m->c = chief__lua_lend_chief(L, -1);           /* after all that can raise: then the chief is nobody's but ours */
    return 0;
}

/* From here on the inner chief keeps the state. */
static int keep(nest *n, chief *c, bool has_hooks) {
    chief_value value = {.type = CHIEF_POINTER, .destroy = on_chief_gone};
    value.pointer = n;
    int rc = chief_add_value(c, STATE_KEY, &value);
    if (rc == CHIEF_OK && has_hooks) return chief_on_shutdown(c, run_hooks, n);
    if (rc != CHIEF_OK) on_chief_gone(n);
    return rc;
}

/* What a life needs of what the worker was added with. */
typedef struct recipe {
    chief__lua_spec *spec;
    const char *isolation; /* static, or NULL */
} recipe;

static int make(chief_worker *ctx, void *data, chief **out) {
    const recipe *r = data;
    making m = {.source = &r->spec->source, .isolation = r->isolation};
    (void)ctx;
    *out = NULL;
    nest *n = calloc(1, sizeof *n);
    lua_State *L = n != NULL ? luaL_newstate() : NULL;
    if (L == NULL) {
        free(n);
        return chief_set_last_error(CHIEF_ENOMEM, NULL);
    }
    n->L = L;
    atomic_init(&n->use, IDLE);
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &m);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        int rc = chief_set_last_error(CHIEF_EINVAL, chief__lua_failure_text(L));
        close_nest(n);
        return rc;
    }
    *out = m.c;
    return keep(n, m.c, m.has_hooks);
}

static void free_recipe(void *data) {
    recipe *r = data;
    chief__lua_spec_free(r->spec);
    free(r);
}

/* ---- Adding ---- */

static const char *const isolations[] = {"", "thread", "fiber", "process", NULL};

static recipe *new_recipe(lua_State *L, int spec) {
    chief__lua_source source = {.module = chief__lua_field_string(L, spec, "app"),
                                .path = chief__lua_field_string(L, spec, "path"),
                                .cpath = chief__lua_field_string(L, spec, "cpath")};
    int isolation = chief__lua_field_word(L, spec, "inside", isolations, 0);
    luaL_argcheck(L, source.module != NULL, spec, "no app");
    recipe *r = calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->isolation = isolation > 0 ? isolations[isolation] : NULL;
    r->spec = chief__lua_spec_new(&source);
    if (r->spec != NULL) return r;
    free(r);
    return NULL;
}

int chief__lua_add_chief(lua_State *L, chief *c) {
    chief_worker_options options;
    chief_restart restart;
    lua_settop(L, 3);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    chief__lua_worker_options(L, 3, &options, &restart);
    recipe *r = new_recipe(L, 3);
    if (r == NULL) return chief__lua_done(L, chief_set_last_error(CHIEF_ENOMEM, NULL));
    options.destroy = free_recipe;
    chief_policy policy;
    if (chief__lua_read_policy(L, 3, &policy)) options.policy = &policy; /* from here on nothing raises */
    chief__lua_pin();
    int rc = chief_add_chief(c, name, make, r, &options);
    if (rc != CHIEF_OK) free_recipe(r);
    if (rc != CHIEF_OK && options.policy != NULL) policy.destroy(policy.data);
    return chief__lua_done(L, rc);
}
