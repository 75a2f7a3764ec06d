/*
 * bytecode: the compiled form of Lua files, with all that tracebacks need, kept for every state of this process that loads the same
 * file again: by its path, and by what tells that it has not changed. Any thread.
 */
#ifndef CHIEF_LUA_BYTECODE_H
#define CHIEF_LUA_BYTECODE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#pragma GCC visibility push(hidden)

/* All that is kept together has at most so many bytes, and each at most an eighth of it. What was used longest ago goes first. */
#define CHIEF__LUA_BYTECODE_MAX ((size_t)16 << 20)

/*
 * Pushes the function of the file; false, with nothing pushed, when Lua has to say what is wrong with it. `about` is from just
 * before. Compiles it only when that was not done yet since it changed. [-0, +(0|1), m]
 */
bool chief__lua_bytecode_load(lua_State *L, const char *path, const struct stat *about);

/* How often a file was compiled, and how many bytes are kept; for tests. */
size_t chief__lua_bytecode_compiled(void);
size_t chief__lua_bytecode_size(void);

#pragma GCC visibility pop
#endif
