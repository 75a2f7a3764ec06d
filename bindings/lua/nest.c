#include "nest.h"

#include <lauxlib.h>
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

#define STATE_KEY "chief-lua-app" /* of the value in the inner chief's context that keeps the state */

/* Where its registry keeps what runs the hooks. */
static const char hooks_key;

/* The context has gone, and with it the chief, and the thread of its hooks where that was late. */
static void close_state(void *L) { lua_close(L); }

static void run_hooks(void *data) {
    lua_State *L = data;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &hooks_key);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1); /* each hook's failure has been logged by then */
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
static int keep(lua_State *L, chief *c, bool has_hooks) {
    chief_value value = {.type = CHIEF_POINTER, .destroy = close_state};
    value.pointer = L;
    int rc = chief_add_value(c, STATE_KEY, &value);
    if (rc == CHIEF_OK && has_hooks) return chief_on_shutdown(c, run_hooks, L);
    if (rc != CHIEF_OK) lua_close(L);
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
    lua_State *L = luaL_newstate();
    if (L == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &m);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        int rc = chief_set_last_error(CHIEF_EINVAL, chief__lua_failure_text(L));
        lua_close(L);
        return rc;
    }
    *out = m.c;
    return keep(L, m.c, m.has_hooks);
}

static void free_recipe(void *data) {
    recipe *r = data;
    chief__lua_spec_free(r->spec);
    free(r);
}

/* ---- Adding ---- */

static const char *const isolations[] = {"", "thread", "fiber", "process", NULL};

static recipe *new_recipe(const chief__lua_source *source, const char *isolation) {
    recipe *r = calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->isolation = isolation;
    r->spec = chief__lua_spec_new(source);
    if (r->spec != NULL) return r;
    free(r);
    return NULL;
}

/* The policy is the last that is read, since nothing may raise once it is there. */
int chief__lua_add_chief(lua_State *L, chief *c) {
    chief_worker_options options;
    chief_restart restart;
    chief_policy policy;
    lua_settop(L, 3);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    chief__lua_source source = {.module = chief__lua_field_string(L, 3, "app"),
                                .path = chief__lua_field_string(L, 3, "path"),
                                .cpath = chief__lua_field_string(L, 3, "cpath")};
    luaL_argcheck(L, source.module != NULL, 3, "no app");
    int isolation = chief__lua_field_word(L, 3, "inside", isolations, 0);
    chief__lua_worker_options(L, 3, &options, &restart);
    if (chief__lua_read_policy(L, 3, &policy)) options.policy = &policy;
    recipe *r = new_recipe(&source, isolation > 0 ? isolations[isolation] : NULL);
    int rc = r != NULL ? CHIEF_OK : chief_set_last_error(CHIEF_ENOMEM, NULL);
    options.destroy = free_recipe;
    chief__lua_pin();
    if (rc == CHIEF_OK) rc = chief_add_chief(c, name, make, r, &options);
    if (rc != CHIEF_OK && r != NULL) free_recipe(r);
    if (rc != CHIEF_OK && options.policy != NULL) policy.destroy(policy.data);
    return chief__lua_done(L, rc);
}
