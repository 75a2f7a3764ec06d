/*
 * process: Lua workers, and plug-ins that a Lua program adds, in processes of their own: the chief's side. The child's is
 * child.h.
 */
#ifndef CHIEF_LUA_PROCESS_H
#define CHIEF_LUA_PROCESS_H

#include <chief.h>
#include <limits.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* How a child is started, and what that borrows. */
typedef struct chief__lua_launch {
    chief_process how;
    const char *argv[1];
    char program[PATH_MAX];
} chief__lua_launch;

/* The same as `process` (NULL: all defaults), with the spec, and a program where that has none: CHIEF_ENOENT where there is
 * none. Borrows from all of them. */
int chief__lua_fill_process(chief__lua_launch *child, chief_bytes spec, int restart_on_fail,
                            const chief_process *process);

/*
 * Adds a worker whose child hosts what the packed spec says. `process` (NULL: all defaults) says the rest; without argv it
 * gets the program that was installed beside this library, which a rock does not have.
 */
int chief__lua_add_process(chief *c, const char *name, chief_bytes spec, int restart_on_fail,
                           const chief_process *process, const chief_worker_options *options);

/* Adds a C plug-in in a process. */
int chief__lua_add_native_process(chief *c, const char *name, const char *path, const chief_process *process,
                                  const chief_worker_options *options);

/* Reads spec.process and spec.program of the table at `t` into `out`. What it borrows is pushed. [-0, +3, v] */
void chief__lua_read_process(lua_State *L, int t, chief_process *out);

/* → the program that hosts Lua workers in processes; nil where that is the interpreter, which only Lua can say; or nil,
 * message, code */
int chief__lua_worker_program(lua_State *L);

/* → the path of the file that this process runs, or nil; the folder it is in */
int chief__lua_executable(lua_State *L);
int chief__lua_folder(lua_State *L);

#pragma GCC visibility pop
#endif
