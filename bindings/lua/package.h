/*
 * package: Lua's package library in a worker's state, which looks where its spec says and loads files from bytecode. A worker whose
 * module requires nothing never needs it: its table fills itself, as those of the other libraries do (libraries.h), and until
 * then there is a `require` that fills it first.
 */
#ifndef CHIEF_LUA_PACKAGE_H
#define CHIEF_LUA_PACKAGE_H

#include <lua.h>
#include <stdbool.h>

#include "spec.h"

#pragma GCC visibility push(hidden)

/* Before all else: where modules are looked for. The source stays as long as the state may ask. [-0, +0, m] */
void chief__lua_package_of(lua_State *L, const chief__lua_source *source);

/* Pushes a `require` that fills the table on top when it is called. [-1, +1, m] */
void chief__lua_package_push_require(lua_State *L);

/* Whether the library is to be asked for that module before any file is. */
bool chief__lua_package_has(const char *module);

/* Pushes the library's table, whole, for one that is at stack index `table`, where all of its functions look from then on: that is
 * to get what is in it. The global `require` stays as it is. [-0, +1, v] */
void chief__lua_package_push(lua_State *L, int table);

#pragma GCC visibility pop
#endif
