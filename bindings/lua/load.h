/*
 * load: a fresh state made ready for a worker, and the worker's module in it. The same for looking at a module
 * before it is added and for running it.
 */
#ifndef CHIEF_LUA_LOAD_H
#define CHIEF_LUA_LOAD_H

#include <chief.h>
#include <lua.h>

#include "spec.h"

#pragma GCC visibility push(hidden)

/* Opens the libraries, sets the paths, and takes away what would reach beyond the worker, which is NULL where the module
 * is only looked at. [-0, +0, v] */
void chief__lua_prepare(lua_State *L, const chief__lua_source *source, chief_worker *worker);

/*
 * Pushes the module, a table, and the file it came from (or nil). Raises a failure in words for the person who
 * wrote it: not found, a syntax error, raised while loading, not a table. [-0, +2, v]
 */
void chief__lua_load(lua_State *L, const chief__lua_source *source);

#pragma GCC visibility pop
#endif
