/*
 * system: the little that a command line needs of the operating system.
 */
#ifndef CHIEF_LUA_SYSTEM_H
#define CHIEF_LUA_SYSTEM_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: ignore_sigpipe(), isatty(fd), exit(code). */
int chief__lua_ignore_sigpipe(lua_State *L);
int chief__lua_isatty(lua_State *L);
int chief__lua_exit(lua_State *L);

#pragma GCC visibility pop
#endif
