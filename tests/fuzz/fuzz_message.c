/* Payloads that were not written by us, decoded in a Lua state; what decodes is the same after another round, and the tokens
 * of the core obey the same rules. */
#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

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
    "    return false, message\n"
    "  end\n"
    "  local packed = core.pack(value)\n"
    "  assert(same(value, (core.unpack(packed))), 'another value after a round')\n"
    "  return true, packed\n"
    "end\n";

static lua_State *open_state(void) {
    lua_State *L = luaL_newstate();
    MUST(L != NULL);
    luaL_openlibs(L);
    MUST(chief_lua_open(L) == CHIEF_OK);
    MUST(luaL_loadstring(L, round_trip) == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK);
    return L;
}

/* Refused by both with the same words, or by neither. */
static void judge_alike(lua_State *L, const uint8_t *data, size_t size) {
    size_t n;
    int rc = chief_pack_read(data, size, NULL, 0, &n);
    if (lua_toboolean(L, 2)) MUST(rc == CHIEF_ETOOBIG && n > 0);
    else MUST(rc == CHIEF_EDATA && strcmp(chief_last_error(), lua_tostring(L, 3)) == 0);
}

/* What Lua has packed is the same bytes when it is written from its tokens. */
static void write_alike(lua_State *L) {
    size_t len;
    size_t n;
    size_t written;
    if (!lua_toboolean(L, 2)) return;
    const char *packed = lua_tolstring(L, 3, &len);
    chief_token *tokens = malloc(len * sizeof *tokens);
    char *again = malloc(len);
    MUST(tokens != NULL && again != NULL);
    MUST(chief_pack_read(packed, len, tokens, len, &n) == CHIEF_OK);
    MUST(chief_pack_write(tokens, n, again, len, &written) == CHIEF_OK);
    MUST(written == len && memcmp(again, packed, len) == 0);
    free(again);
    free(tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static lua_State *L; /* reachable at the end */
    if (L == NULL) L = open_state();
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK) (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    MUST(lua_gettop(L) == 3);
    judge_alike(L, data, size);
    write_alike(L);
    return 0;
}
