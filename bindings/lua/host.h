/*
 * host: a Lua module as the callbacks of a worker. Its state is made by init, in the worker's thread, and closed
 * by fini.
 */
#ifndef CHIEF_LUA_HOST_H
#define CHIEF_LUA_HOST_H

#include <chief.h>

#include "inspect.h"

#pragma GCC visibility push(hidden)

/* The callbacks; their data is a chief__lua_spec. */
extern const chief_worker_ops chief__lua_host_ops;

/*
 * Looks at the module, then adds the worker: in a thread or, as the options say, in a process (`process` NULL: as
 * everything is there by default). `options` may be NULL; its `destroy` is not the caller's to set. Pins this library.
 * CHIEF_EINVAL, with what is wrong with the module in findings->text, and the errors of chief_add_worker_with and
 * chief_add_process. The findings are to be cleared in every case.
 */
int chief__lua_add(chief *c, const char *name, const chief__lua_source *source, const chief_worker_options *options,
                   const chief__lua_limits *limits, const chief_process *process, chief__lua_findings *findings);

#pragma GCC visibility pop
#endif
