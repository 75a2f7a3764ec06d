#include "module.h"

#include <chief.h>
#include <lauxlib.h>

#include "boss.h"
#include "channel.h"
#include "child.h"
#include "codec.h"
#include "context.h"
#include "cron.h"
#include "globals.h"
#include "inspect.h"
#include "json.h"
#include "log.h"
#include "pool.h"
#include "process.h"
#include "rule.h"
#include "runtime.h"
#include "sim.h"
#include "state.h"
#include "system.h"

static const luaL_Reg functions[] = {
    {"map", chief__lua_map},
    {"pack", chief__lua_pack},
    {"unpack", chief__lua_unpack},
    {"json_encode", chief__lua_json_encode},
    {"json_decode", chief__lua_json_decode},
    {"rule", chief__lua_rule},
    {"context", chief__lua_context},
    {"cron_times", chief__lua_cron_times},
    {"log", chief__lua_log},
    {"channel", chief__lua_channel},
    {"pool", chief__lua_pool},
    {"chief", chief__lua_chief},
    {"simulation", chief__lua_simulation},
    {"inspect", chief__lua_inspect_spec},
    {"function_spec", chief__lua_function_spec},
    {"ignore_sigpipe", chief__lua_ignore_sigpipe},
    {"isatty", chief__lua_isatty},
    {"exit", chief__lua_exit},
    {"child", chief__lua_child},
    {"worker_program", chief__lua_worker_program},
    {"executable", chief__lua_executable},
    {"folder", chief__lua_folder},
    {NULL, NULL},
};

int luaopen_chief_core(lua_State *L) {
    const char *wrong = chief__lua_check_runtime();
    if (wrong != NULL) return luaL_error(L, "%s", wrong);
    luaL_checkversion(L);
    chief__lua_globals_settle(L); /* what is ours looks into package.loaded */
    luaL_newlib(L, functions);
    chief__lua_push_states(L);
    lua_setfield(L, -2, "state");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pushstring(L, chief_version());
    lua_setfield(L, -2, "version");
    lua_pushinteger(L, chief_abi());
    lua_setfield(L, -2, "abi");
    return 1;
}

void chief__lua_preload(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_chief_core);
    lua_setfield(L, -2, CHIEF__LUA_CORE);
    lua_pop(L, 1);
}
