/* Payloads that were not written by us, decoded in a Lua state; what decodes is the same after another round. */
#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fuzz.h"

static const char round_trip[] =
    "local core = require 'chief.core'\n"
    "local function same(a, b)\n"
    "  if a ~= a then return b ~= b end\n"
    "  if math.type(a) ~= math.type(b) then return false end\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end\n"
    "  for key, value in pairs(a) do if not same(value, b[key]) then return false end end\n"
    "  for key in pairs(b) do if a[key] == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "return function(bytes)\n"
    "  local value, message, code = core.unpack(bytes)\n"
    "  if value == nil then\n"
    "    assert(code == 'bad_data' and message:find('^not a valid message: .+%(byte %d+%)$'), message)\n"
    "    return\n"
    "  end\n"
    "  assert(same(value, (core.unpack(core.pack(value)))), 'another value after a round')\n"
    "end\n";

static lua_State *open_state(void) {
    lua_State *L = luaL_newstate();
    MUST(L != NULL);
    luaL_openlibs(L);
    MUST(chief_lua_open(L) == CHIEF_OK);
    MUST(luaL_loadstring(L, round_trip) == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK);
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static lua_State *L; /* reachable at the end */
    if (L == NULL) L = open_state();
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    MUST(lua_gettop(L) == 1);
    return 0;
}
