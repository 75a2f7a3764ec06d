#include "luv.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <string.h>

#include "fail.h"
#include "interrupt.h"
#include "life.h"

/* What luv.h has of this: a runner gets a function and its arguments on the stack, leaves the results and returns their
 * number, or leaves nothing and returns minus the status. This library does not link luv. */
typedef int (*runner)(lua_State *L, int n_args, int n_results, int flags);
typedef void (*set_runner)(lua_State *L, runner run);

/* Where the registry keeps luv.stop. */
static const char stop_key;

/* ---- running a callback ---- */

static void stop_loop(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &stop_key) != LUA_TFUNCTION || lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* A failure on top: the worker ends with it. */
static void end_worker(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    stop_loop(L);
    if (chief__lua_interrupted(life) != NULL) {
        chief__lua_interrupt_again(life);
        return;
    }
    const char *text = chief__lua_failure_text(L);
    life->failure = strdup(text);
    life->traceback = strdup(chief__lua_failure_traceback(L));
    chief__lua_interrupt(life, CHIEF_REASON_LUA_ERROR, text);
}

static int run_callback(lua_State *L, int n_args, int n_results, int flags) {
    int function = lua_gettop(L) - n_args;
    (void)flags;
    lua_pushcfunction(L, chief__lua_on_error);
    lua_insert(L, function);
    int status = lua_pcall(L, n_args, n_results, function);
    lua_remove(L, function);
    if (status == LUA_OK) return lua_gettop(L) - function + 1;
    end_worker(L);
    lua_pop(L, 1);
    return -status;
}

/* ---- loading luv ---- */

/* The library that a C function is from, which is open already; NULL where it is not known. */
static void *library_of(lua_CFunction function) {
    Dl_info found;
    void *address;
    memcpy(&address, &function, sizeof address);
    if (address == NULL || dladdr(address, &found) == 0) return NULL;
    return dlopen(found.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

/* ISO C has no cast between object and function pointers. */
static set_runner find_setter(void *library) {
    set_runner setter;
    void *symbol = dlsym(library, "luv_set_callback");
    memcpy(&setter, &symbol, sizeof setter);
    return setter;
}

static void warn(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    chief_log_write(chief_worker_log(life->worker), CHIEF_WARN,
                    "this luv does not let its callbacks be watched: an error in one of them ends the whole program",
                    NULL, 0);
}

/* The module is on top. [-0, +0, m] */
static void set_callback_runner(lua_State *L) {
    set_runner set_callback = NULL;
    lua_getfield(L, -1, "run");
    void *library = library_of(lua_tocfunction(L, -1));
    lua_pop(L, 1);
    if (library != NULL) {
        set_callback = find_setter(library);
        (void)dlclose(library);
    }
    if (set_callback == NULL) {
        warn(L);
        return;
    }
    set_callback(L, run_callback);
    lua_getfield(L, -1, "stop");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &stop_key);
}

/* [-1, +0, m] */
static void set_preload(lua_State *L, const char *name) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* The loader of `require "luv"`: requires it once more, without itself, and is back when that fails. */
static int load_luv(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushnil(L);
    set_preload(L, name);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushcclosure(L, load_luv, 1);
        set_preload(L, name);
        return lua_error(L);
    }
    if (lua_istable(L, -1)) set_callback_runner(L);
    return 1;
}

void chief__lua_luv_open(lua_State *L) {
    lua_pushcclosure(L, load_luv, 1);
    set_preload(L, CHIEF__LUA_LUV);
}
