/*
 * inspect: a look at a worker's module in a state of its own before it is added, so that what its author got wrong
 * is told at once and not at the first start.
 */
#ifndef CHIEF_LUA_INSPECT_H
#define CHIEF_LUA_INSPECT_H

#include <lua.h>
#include <stdbool.h>

#include "spec.h"

#pragma GCC visibility push(hidden)

typedef struct chief__lua_findings {
    bool init;
    bool restart_on_fail;
    bool ready;
    char *file; /* NULL: unknown */
    char *text; /* what is wrong; NULL: nothing */
} chief__lua_findings;

/* CHIEF_OK, CHIEF_EINVAL with findings.text, or CHIEF_ENOMEM. The findings are to be cleared in every case. */
int chief__lua_inspect(const chief__lua_source *source, chief__lua_findings *findings);

/* Findings may be cleared any number of times. */
void chief__lua_findings_clear(chief__lua_findings *findings);

/* Pushes empty findings that are cleared with their object. [-0, +1, m] */
chief__lua_findings *chief__lua_new_findings(lua_State *L);

/* Reads module, chunk, chunkname, path and cpath of the table at t; a path not given is that of this state. Pushes
 * what has to stay for as long as the source is used. [-0, +2, v] */
chief__lua_source chief__lua_check_source(lua_State *L, int t);

/* In Lua: inspect(spec), function_spec(f). */
int chief__lua_inspect_spec(lua_State *L);
int chief__lua_function_spec(lua_State *L);

#pragma GCC visibility pop
#endif
