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

/*
 * What somebody found out about a file that is kept, from what it does as the module of that name: a number, -1 where nothing
 * was noted or the file is another by now. `about` is from just before, or from after what was found out.
 */
int chief__lua_bytecode_findings(const char *path, const struct stat *about, const char *module);
void chief__lua_bytecode_note(const char *path, const struct stat *about, const char *module, int findings);

/* How often a file was compiled, and how many bytes are kept; for tests. */
size_t chief__lua_bytecode_compiled(void);
size_t chief__lua_bytecode_size(void);

#pragma GCC visibility pop
#endif
