/*
 * search: how `require` finds Lua files in a worker's state. As Lua's own searcher does, which is asked whenever something is not
 * as it should be, so that it says so; but files come from bytecode, and no file is opened to see whether it is there.
 */
#ifndef CHIEF_LUA_SEARCH_H
#define CHIEF_LUA_SEARCH_H

#include <lua.h>
#include <stdbool.h>
#include <sys/stat.h>

#pragma GCC visibility push(hidden)

/* Replaces the second of the searchers in the list on top, for the table package at that stack index. [-0, +0, m] */
void chief__lua_search_open(lua_State *L, int package);

/* The file of a module by package.path, into `out`, which has room for this much; false when there is none, or Lua itself has to
 * look. Leaves nothing behind in any state. */
#define CHIEF__LUA_FILE_SIZE 1024
bool chief__lua_search_find(char *out, const char *path, const char *module, struct stat *about);

#pragma GCC visibility pop
#endif
