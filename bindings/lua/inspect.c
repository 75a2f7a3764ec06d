#include "inspect.h"

#include <chief.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode.h"
#include "fail.h"
#include "globals.h"
#include "load.h"
#include "search.h"

/* Stack of the protected part. */
enum { LOOK = 1, MODULE = 2, FILE_NAME = 3 };

typedef struct look {
    const chief__lua_source *source;
    chief__lua_findings *findings;
} look;

/* Raises «<file>: <what is wrong>». */
static void refuse(lua_State *L, const char *what) {
    if (lua_isstring(L, FILE_NAME)) lua_pushfstring(L, "%s: %s", lua_tostring(L, FILE_NAME), what);
    else lua_pushstring(L, what);
    lua_pushnil(L);
    chief__lua_make_failure(L);
    lua_error(L);
}

/* Pushes a field and returns whether it is there; what is there is a function. [-0, +1, v] */
static bool push_function(lua_State *L, const char *key) {
    int type = lua_getfield(L, MODULE, key);
    if (type != LUA_TNIL && type != LUA_TFUNCTION)
        refuse(L, lua_pushfstring(L, "%s should be a function, not a %s", key, lua_typename(L, type)));
    return type == LUA_TFUNCTION;
}

/* The name of the function's first parameter, or "". The function is on top. [-0, +0, -] */
static const char *first_parameter(lua_State *L) {
    if (lua_iscfunction(L, -1)) return "";
    lua_pushvalue(L, -1);
    const char *name = lua_getlocal(L, NULL, 1);
    lua_pop(L, 1);
    return name == NULL ? "" : name;
}

static int parameters(lua_State *L, bool *vararg) {
    lua_Debug ar;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">u", &ar);
    *vararg = ar.isvararg;
    return ar.nparams;
}

static bool check_init(lua_State *L) {
    bool there = push_function(L, "init");
    if (there && strcmp(first_parameter(L), "self") == 0)
        refuse(L, "init is written with a colon, so it gets ctx as self; write function M.init(ctx)");
    lua_pop(L, 1);
    return there;
}

static void check_run(lua_State *L) {
    bool vararg;
    if (!push_function(L, "run"))
        refuse(L, "the module has no run; a worker is a module with function M.run(self, ctx)");
    if (parameters(L, &vararg) == 1 && !vararg && strcmp(first_parameter(L), "ctx") == 0)
        refuse(L, "run gets (self, ctx), so its only parameter ctx is self; write function M.run(self, ctx)");
    lua_pop(L, 1);
}

static bool check_ready(lua_State *L) {
    int type = lua_getfield(L, MODULE, "ready");
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        refuse(L, "ready should be true or false; call ctx:ready() to say when");
    bool ready = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return ready;
}

/* A function is asked now, once: the policy is known when the worker is added. */
static bool check_restart(lua_State *L, bool *asked) {
    int type = lua_getfield(L, MODULE, "restart_on_fail");
    *asked = type == LUA_TFUNCTION;
    if (*asked) {
        lua_pushvalue(L, MODULE);
        lua_call(L, 1, 1);
    } else if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        refuse(L, "restart_on_fail should be true, false or a function that returns one of them");
    }
    bool restart = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return restart;
}

/* ---- Looking once ---- */

/* Ten thousand workers of one module are looked at once: while its file is the same, so are its findings, if nothing else has a
 * say in them, no other module and no function. */
enum { HAS_INIT = 1, RESTARTS = 2, SAYS_READY = 4 };

static int count_loaded(lua_State *L) {
    int n = 0;
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) n++;
    lua_pop(L, 1);
    return n;
}

static void remember(const chief__lua_source *source, const chief__lua_findings *findings) {
    struct stat about;
    if (source->module == NULL || findings->file == NULL || stat(findings->file, &about) != 0) return;
    int known = (findings->init ? HAS_INIT : 0) | (findings->restart_on_fail ? RESTARTS : 0);
    chief__lua_bytecode_note(findings->file, &about, source->module, known | (findings->ready ? SAYS_READY : 0));
}

static bool recall(const chief__lua_source *source, chief__lua_findings *findings) {
    struct stat about;
    char file[CHIEF__LUA_FILE_SIZE];
    if (source->module == NULL || source->path == NULL ||
        !chief__lua_search_find(file, source->path, source->module, &about))
        return false;
    int known = chief__lua_bytecode_findings(file, &about, source->module);
    if (known < 0) return false;
    findings->init = (known & HAS_INIT) != 0;
    findings->restart_on_fail = (known & RESTARTS) != 0;
    findings->ready = (known & SAYS_READY) != 0;
    findings->file = strdup(file);
    return true;
}

/* ---- Looking ---- */

static int look_protected(lua_State *L) {
    look *l = lua_touserdata(L, LOOK);
    bool asked;
    chief__lua_prepare(L, l->source, NULL);
    chief__lua_globals_settle(L); /* a library that comes at its first use is no other module */
    int before = count_loaded(L);
    chief__lua_load(L, l->source);
    bool alone = count_loaded(L) == before + 1;
    l->findings->init = check_init(L);
    if (l->source->module != NULL) check_run(L);
    l->findings->ready = check_ready(L);
    l->findings->restart_on_fail = check_restart(L, &asked);
    const char *file = lua_tostring(L, FILE_NAME);
    if (file != NULL) l->findings->file = strdup(file);
    if (alone && !asked) remember(l->source, l->findings);
    return 0;
}

/* What went wrong, with the traceback where there is one; NULL without memory. */
static char *describe(lua_State *L) {
    const char *text = chief__lua_failure_text(L);
    const char *traceback = chief__lua_failure_traceback(L);
    size_t size = strlen(text) + strlen(traceback) + 2;
    char *all = malloc(size);
    if (all == NULL) return NULL;
    strcpy(all, text);
    if (*traceback != '\0') strcat(strcat(all, "\n"), traceback);
    return all;
}

int chief__lua_inspect(const chief__lua_source *source, chief__lua_findings *findings) {
    *findings = (chief__lua_findings){0};
    look l = {source, findings};
    if (recall(source, findings)) return CHIEF_OK;
    lua_State *L = luaL_newstate();
    if (L == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    lua_pushcfunction(L, chief__lua_on_error);
    lua_pushcfunction(L, look_protected);
    lua_pushlightuserdata(L, &l);
    int rc = CHIEF_OK;
    if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
        findings->text = describe(L);
        rc = chief_set_last_error(findings->text == NULL ? CHIEF_ENOMEM : CHIEF_EINVAL, findings->text);
    }
    lua_close(L);
    return rc;
}

void chief__lua_findings_clear(chief__lua_findings *findings) {
    free(findings->file);
    free(findings->text);
    *findings = (chief__lua_findings){0};
}
