#include <chief_lua.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "host.h"
#include "module.h"
#include "runtime.h"

/* Lua's functions have to be 5.4's, and visible to C modules, before any state of ours exists. */
static int prepare(void) {
    const char *wrong = chief__lua_check_runtime();
    if (wrong != NULL) return chief_set_last_error(CHIEF_ENOTSUP, wrong);
    chief__lua_promote();
    return CHIEF_OK;
}

/* false when the caller's structure says more than this version knows. */
static int copy_options(chief_lua_options *out, const chief_lua_options *given) {
    *out = (chief_lua_options){.size = sizeof *out};
    if (given == NULL) return 1;
    size_t known = given->size < sizeof *out ? given->size : sizeof *out;
    for (size_t i = known; i < given->size; i++)
        if (((const char *)given)[i] != 0) return 0;
    memcpy(out, given, known);
    return given->size >= sizeof given->size;
}

int chief_lua_add_worker(chief *c, const char *name, const char *module, const chief_lua_options *options) {
    chief_lua_options own;
    if (c == NULL || module == NULL || !copy_options(&own, options)) return chief_set_last_error(CHIEF_EINVAL, NULL);
    int rc = prepare();
    if (rc != CHIEF_OK) return rc;
    chief__lua_source source = {
        .module = module, .path = own.path, .cpath = own.cpath, .eager = own.eager_libraries != 0};
    chief__lua_limits limits = {.memory = own.memory_limit, .watchdog = own.watchdog};
    chief__lua_findings findings;
    rc = chief__lua_add(c, name, &source, own.worker, &limits, own.process, &findings);
    chief__lua_findings_clear(&findings);
    return rc;
}

static int preload_protected(lua_State *L) {
    chief__lua_preload(L);
    return 0;
}

int chief_lua_open(struct lua_State *L) {
    if (L == NULL) return chief_set_last_error(CHIEF_EINVAL, NULL);
    int rc = prepare();
    if (rc != CHIEF_OK) return rc;
    if (!lua_checkstack(L, 2)) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    lua_pushcfunction(L, preload_protected);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK) return CHIEF_OK;
    lua_pop(L, 1);
    return chief_set_last_error(CHIEF_ENOMEM, NULL);
}

int chief_lua_live(void) {
    if (prepare() != CHIEF_OK) {
        fprintf(stderr, "chief: %s\n", chief_last_error());
        return 1;
    }
    return chief__lua_live();
}
