#include "instance.h"

#include <lauxlib.h>

/* The table on top. [-0, +0, m] */
static void give_methods(lua_State *L, int module) {
    if (lua_rawequal(L, -1, module)) return; /* it would look for a field in itself for ever */
    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, module);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

void chief__lua_settle_instance(lua_State *L, int module) {
    if (lua_isnil(L, -1) || (lua_isboolean(L, -1) && lua_toboolean(L, -1))) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    if (lua_istable(L, -1)) give_methods(L, module);
    else if (!lua_isuserdata(L, -1))
        luaL_error(L, "init returned a %s; it returns the instance, a table, or nothing", luaL_typename(L, -1));
}
