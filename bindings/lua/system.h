/*
 * system: the little that a command line needs of the operating system.
 */
#ifndef CHIEF_LUA_SYSTEM_H
#define CHIEF_LUA_SYSTEM_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* A write into a pipe or socket that nobody reads is an error from now on, and no signal's. */
void chief__lua_outlive_sigpipe(void);

/* In Lua: ignore_sigpipe(), isatty(fd), exit(code). */
int chief__lua_ignore_sigpipe(lua_State *L);
int chief__lua_isatty(lua_State *L);
int chief__lua_exit(lua_State *L);

#pragma GCC visibility pop
#endif
