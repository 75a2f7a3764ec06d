/*
 * runtime: which Lua this code runs over, and what keeps that code in memory.
 */
#ifndef CHIEF_LUA_RUNTIME_H
#define CHIEF_LUA_RUNTIME_H

#pragma GCC visibility push(hidden)

/* NULL when all of Lua's functions are one Lua 5.4's, else what is wrong, in words. */
const char *chief__lua_check_runtime(void);

/* Keeps this library and Lua's in memory until the process ends: threads run their code. Done once. */
void chief__lua_pin(void);

/* Makes Lua's symbols global, for C modules that a worker loads: they link no Lua. Done once. */
void chief__lua_promote(void);

#pragma GCC visibility pop
#endif
