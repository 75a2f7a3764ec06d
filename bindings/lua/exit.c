#include "exit.h"

#include <lauxlib.h>

#include "interrupt.h"

/* Where the registry keeps the worker that the state is of; NULL where it is only looked at. */
static const char worker_key;

/* exit is for the whole program; of a worker it ends just that worker, and no pcall keeps it. */
static int exit_worker(lua_State *L) {
    int code = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &worker_key);
    chief_worker *worker = lua_touserdata(L, -1);
    if (worker != NULL) chief_worker_set_exit_code(worker, code);
    chief__lua_life *life = chief__lua_life_of(L);
    const char *text = lua_pushfstring(L, "exit %d", code);
    return life != NULL ? chief__lua_interrupt_here(L, life, CHIEF_REASON_LUA_ERROR, text) : lua_error(L);
}

static int refuse_setlocale(lua_State *L) {
    return luaL_error(L, "os.setlocale would change the locale of the whole program; a worker can't");
}

void chief__lua_exit_adjust(lua_State *L) {
    lua_pushcfunction(L, exit_worker);
    lua_setfield(L, -2, "exit");
    lua_pushcfunction(L, refuse_setlocale);
    lua_setfield(L, -2, "setlocale");
}

void chief__lua_exit_of(lua_State *L, chief_worker *worker) {
    lua_pushlightuserdata(L, worker);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &worker_key);
}
