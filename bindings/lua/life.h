/*
 * life: one life of a Lua worker as other threads and signal handlers see it: its state, the thread it is in, what it does.
 *
 * A life is in one list from open to close, under one lock, so that who knows only the worker finds it and nobody sends a
 * signal to a thread that has ended. It is *entered* while a thread runs its Lua code: only then signals are sent. A fiber's
 * life is entered anew, perhaps on another thread, each time it is resumed; in between others may read its stacks.
 *
 * Who wants a worker to end says so from any thread, the worker's own and its allocator (memory.h) included:
 *
 *     chief__lua_interrupt(life, CHIEF_REASON_MEMORY_LIMIT, "memory limit: 64 MiB")     interrupt.h; the first one wins
 *
 * From then on no pcall keeps the worker alive, and it fails with that reason and text and with the traceback of where it
 * was. Who has only the chief_worker takes chief__lua_interrupt_worker. The life of a state is chief__lua_life_of(L).
 */
#ifndef CHIEF_LUA_LIFE_H
#define CHIEF_LUA_LIFE_H

#include <chief.h>
#include <lua.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "arena.h"
#include "place.h"

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_WHY_SIZE 256

typedef struct chief__lua_mark chief__lua_mark; /* memory.h: one coroutine */
typedef struct chief__lua_look chief__lua_look; /* look.c: somebody waits for the traceback */
struct chief__lua_op;                           /* suspend.h: a call that may wait */

/* A debug hook that the worker's own code had set. */
typedef struct chief__lua_old_hook {
    lua_Hook hook;
    int mask;
    int count;
} chief__lua_old_hook;

/* What the watchdog knows of a life (watch.h). Under the lock of the list. */
typedef struct chief__lua_watch {
    int64_t time;   /* that it may be without a call, ns; 0: as long as it likes. Const after open */
    int64_t looked; /* when it was looked at last */
    int64_t still;  /* for how long its counter has stood still then */
    uint64_t calls; /* the counter */
    bool told;      /* it has stalled, which is said once */
    bool telling;   /* without the lock: the life must stay */
} chief__lua_watch;

typedef struct chief__lua_life {
    lua_State *L;         /* the main coroutine; worker's thread and its signal handlers; NULL before and after */
    chief_worker *worker; /* const after open */

    /* Worker's thread and its signal handlers. */
    struct chief__lua_life *outer; /* on the same thread: this one runs inside a call of that one */
    chief__lua_mark *_Atomic coroutines;
    void *main_block;
    chief__arena arena;              /* what the allocator takes from */
    size_t allocations;              /* calls of the allocator: while it stands still, Lua's stacks do, too */
    size_t live;                     /* bytes that Lua has */
    size_t limit;                    /* of those; 0: none. Const after open */
    size_t refused;                  /* the most that was asked for in vain since the last instruction */
    bool crossed;                    /* the limit was, and the next instruction is to see to it */
    lua_State *volatile running;     /* as far as our resume and wrap know; NULL: the main one */
    lua_State *volatile closing;     /* a coroutine whose __close handlers are being called by us */
    lua_State *cut;                  /* the one that the hook made yield last */
    int64_t first_raise, last_raise; /* microseconds; 0: none yet */
    char *traceback;                 /* of the first raise; NULL: none, or no memory */
    char *failure;                   /* the text of a failure that is longer than `why`, or NULL */
    chief__lua_old_hook old_hook;    /* of the main coroutine */
    bool has_libraries;              /* its state was made ahead (spare.h). Const after open */
    bool warns, warned;              /* warn("@on"); in the middle of a warning */
    char *warning;                   /* its text so far, of memory.c; NULL before the first */
    chief__lua_place *_Atomic place; /* of a thread that is in C; made by the first who wants to know it (place.h) */
    struct chief__lua_local *local;  /* local.h: owned by the state; NULL: not made yet */
    const void *ctx; /* what its worker was given, which the state keeps; compared only. NULL: not made yet */

    /* Under the lock of the list. */
    struct chief__lua_life *next, *previous;
    chief__lua_look *look;
    chief__lua_watch watch;
    int32_t reason; /* this and the next two: const once `asked` */
    const char *why;
    char *own_why; /* what `why` is mostly, to be freed */

    /* The gate, which is taken after the lock of the list and never with another one: whoever looks from outside has it, and
     * meanwhile the life is not entered or left. */
    pthread_mutex_t gate;     /* of those outside, and of a thread that has found one of them there */
    _Atomic uint32_t passage; /* of enum chief__lua_passage */
    /* Under the gate. */
    pthread_t thread; /* valid while entered, as is tid */
    pid_t tid;
    timer_t timer;

    atomic_bool asked;      /* to end; stored with release after reason and why */
    atomic_bool has_timer;  /* stored with release after timer */
    atomic_bool looked_for; /* the handler is to set the look's hook */

    /* What the worker's thread does with the chief; any thread may read. */
    _Atomic uint64_t calls; /* begun and ended: odd while inside one that may wait. Written by that thread alone */
    const char *_Atomic last_call; /* "ctx:recv"; NULL before the first */

    /* A fiber's, the thread's that runs it. */
    struct chief__lua_op *op; /* room for the one that it waits in; NULL: no fiber. Const after open */
    lua_State *waiting; /* the coroutine that it waits in, or NULL; under the gate others read it while not entered */
} chief__lua_life;

enum chief__lua_passage {
    CHIEF__LUA_ENTERED = 1, /* by the thread that runs its code, which alone changes it */
    CHIEF__LUA_BARRED = 2   /* by who has the gate */
};

/* Puts a zeroed life with its worker set into the list; takes it out again. Its state is made and closed in between. */
void chief__lua_life_open(chief__lua_life *life);
void chief__lua_life_close(chief__lua_life *life);

/* Its gate: while one has it, the life is not entered or left. */
void chief__lua_life_lock(chief__lua_life *life);
void chief__lua_life_unlock(chief__lua_life *life);

/* With the gate. */
static inline bool chief__lua_life_is_entered(const chief__lua_life *life) {
    return (atomic_load_explicit(&life->passage, memory_order_relaxed) & CHIEF__LUA_ENTERED) != 0;
}

/* Around everything that runs its Lua code, on the thread that does. */
void chief__lua_life_enter(chief__lua_life *life);
void chief__lua_life_leave(chief__lua_life *life);

/* The life whose Lua code this thread runs, or NULL. Safe in a signal handler. */
chief__lua_life *chief__lua_life_current(void);

/* The life that a state belongs to; NULL for a state that is no worker's. */
chief__lua_life *chief__lua_life_of(lua_State *L);

/* The lock of the list, and under it the life of a worker, or NULL; and each life after the other, from NULL to NULL. */
void chief__lua_lives_lock(void);
void chief__lua_lives_unlock(void);
chief__lua_life *chief__lua_lives_find(const chief_worker *worker);
chief__lua_life *chief__lua_lives_next(const chief__lua_life *life);

/* With the lock: waits until told or `deadline` (CLOCK_MONOTONIC); tells all who wait. */
void chief__lua_lives_wait(const struct timespec *deadline);
void chief__lua_lives_tell(void);

/* Around a call of the chief's that may wait; `name` is a constant ("ctx:recv"). For a state that is no worker's: nothing. */
void chief__lua_call_begin(lua_State *L, const char *name);
void chief__lua_call_end(lua_State *L);

/* The worker's thread alone writes the counter. */
static inline void chief__lua_life_count(chief__lua_life *life, unsigned by) {
    uint64_t calls = atomic_load_explicit(&life->calls, memory_order_relaxed);
    atomic_store_explicit(&life->calls, calls + by, memory_order_release);
}

/* The same for who has its life already; takes NULL. The end has no name. */
static inline void chief__lua_life_call(chief__lua_life *life, const char *name) {
    if (life == NULL) return;
    if (name != NULL) atomic_store_explicit(&life->last_call, name, memory_order_relaxed);
    chief__lua_life_count(life, 1);
}

/* In one that does not wait. */
void chief__lua_call_pass(lua_State *L);

#pragma GCC visibility pop
#endif
