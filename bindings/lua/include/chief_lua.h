/*
 * chief_lua.h: workers written in Lua 5.4, for programs that use libchief (the library libchief-lua). The
 * conventions are those of chief.h.
 */
#ifndef CHIEF_LUA_H
#define CHIEF_LUA_H

#include <chief.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;

/* The least memory_limit, in bytes: a state with Lua's libraries alone takes about half of it. */
#define CHIEF_LUA_LEAST_MEMORY 65536

typedef struct chief_lua_options {
    uint32_t size;
    const char
        *path; /* package.path of the worker's state; NULL: Lua's own, LUA_PATH included, which a «;;» stands for */
    const char *cpath;                  /* package.cpath, likewise */
    const chief_worker_options *worker; /* NULL: all defaults. `args` is MessagePack; `destroy` stays NULL */
    /* How its process is started, where worker->isolation is CHIEF_PROCESS. NULL: all defaults; without `argv`:
     * chief-lua-worker, or CHIEF_LUA_WORKER. */
    const chief_process *process;
    /* Bytes that its state may have alive; 0: any number. Over it even after a full collection, the worker fails with
     * CHIEF_REASON_MEMORY_LIMIT, whatever it catches. */
    uint64_t memory_limit;
    /* Ms that it may be without a call of the chief's, waiting in one not counted; 0: any time. It fails with
     * CHIEF_REASON_WATCHDOG and the traceback of where it was. */
    int64_t watchdog;
    /* Not 0: Lua's libraries are full from the start. Otherwise they fill themselves at first use, which only `next`
     * and `rawget` of one that was never used can see. */
    uint32_t eager_libraries;
} chief_lua_options;

/*
 * Adds a worker that is a Lua module. The module is loaded once here, in a state that is closed again, to see what
 * it is; every life of the worker then loads it into a state of its own, in the worker's thread. All options are
 * copied; NULL: all defaults. restart_on_fail and ready of the module are taken over. Lua's symbols become global
 * in this process, for C modules that the worker loads, and this library stays in memory.
 * @thread any  @blocks forever (as long as the module takes to load)
 * Errors: CHIEF_EINVAL with what is wrong with the module (not found, a syntax error, no run …) or with an option (a
 * negative watchdog, a memory_limit below CHIEF_LUA_LEAST_MEMORY), CHIEF_ENOTSUP in
 * a program whose Lua is not 5.4 (LuaJIT), and as chief_add_worker_with.
 */
CHIEF_API int chief_lua_add_worker(chief *c, const char *name, const char *module, const chief_lua_options *options);

/*
 * Makes `require "chief.core"`, and with it `require "chief"`, work in a state of the caller's.
 * @thread owner  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOTSUP as above, CHIEF_ENOMEM.
 */
CHIEF_API int chief_lua_open(struct lua_State *L);

/*
 * What a program does that was started by a chief to host a Lua worker in a process of its own (argv of chief_process):
 * all of it, from taking over the descriptors to the worker's end. Says on stderr why it could not.
 * @thread owner (once)  @blocks forever (as long as the worker)
 * Returns the exit code of the process: 0 after a clean end, 1 when the worker has failed (the chief knows why), 64
 * when no chief has started this process, 75 when the chief has gone.
 */
CHIEF_API int chief_lua_live(void);

#ifdef __cplusplus
}
#endif

#endif /* CHIEF_LUA_H */
