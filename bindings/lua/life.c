#include "life.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "memory.h"
#include "signals.h"
#include "watch.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static chief__lua_life *first; /* under lock */

/* Of this thread; its handlers read `life` too, never before the thread has written it once. */
typedef struct thread {
    chief__lua_life *life; /* whose Lua code it runs */
    pid_t tid;             /* 0: it has entered no life yet */
} thread;

static _Thread_local thread myself;

static void open_list(void) {
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&told, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void chief__lua_lives_lock(void) {
    (void)pthread_once(&once, open_list);
    (void)pthread_mutex_lock(&lock);
}

void chief__lua_lives_unlock(void) { (void)pthread_mutex_unlock(&lock); }

void chief__lua_lives_wait(const struct timespec *deadline) { (void)pthread_cond_timedwait(&told, &lock, deadline); }

void chief__lua_lives_tell(void) { (void)pthread_cond_broadcast(&told); }

void chief__lua_life_lock(chief__lua_life *life) {
    (void)pthread_mutex_lock(&life->gate);
    (void)atomic_fetch_or_explicit(&life->passage, CHIEF__LUA_BARRED, memory_order_acq_rel);
}

void chief__lua_life_unlock(chief__lua_life *life) {
    (void)atomic_fetch_and_explicit(&life->passage, ~(uint32_t)CHIEF__LUA_BARRED, memory_order_release);
    (void)pthread_mutex_unlock(&life->gate);
}

/* A fiber passes twice with each switch, and hardly ever is anybody at the gate: then it is one exchange. Who is there takes
 * its bar away before it gives the gate back. */
static void pass(chief__lua_life *life, uint32_t from, uint32_t to) {
    uint32_t seen = from;
    if (atomic_compare_exchange_strong_explicit(&life->passage, &seen, to, memory_order_acq_rel, memory_order_relaxed))
        return;
    (void)pthread_mutex_lock(&life->gate);
    atomic_store_explicit(&life->passage, to, memory_order_release);
    (void)pthread_mutex_unlock(&life->gate);
}

chief__lua_life *chief__lua_lives_find(const chief_worker *worker) {
    chief__lua_life *life = first;
    while (life != NULL && life->worker != worker) life = life->next;
    return life;
}

chief__lua_life *chief__lua_lives_next(const chief__lua_life *life) { return life == NULL ? first : life->next; }

void chief__lua_life_open(chief__lua_life *life) {
    (void)pthread_mutex_init(&life->gate, NULL);
    chief__lua_lives_lock();
    life->next = first;
    if (first != NULL) first->previous = life;
    first = life;
    chief__lua_lives_unlock();
}

void chief__lua_life_close(chief__lua_life *life) {
    chief__lua_lives_lock();
    while (life->watch.telling) (void)pthread_cond_wait(&told, &lock);
    if (life->previous != NULL) life->previous->next = life->next;
    else first = life->next;
    if (life->next != NULL) life->next->previous = life->previous;
    chief__lua_lives_tell(); /* who looks for it does so no more */
    chief__lua_lives_unlock();
    (void)pthread_mutex_destroy(&life->gate);
    free(life->warning);
    free(life->own_why);
    free(atomic_load_explicit(&life->place, memory_order_relaxed));
}

/* Once for each life in a thread of its own. The threads that resume fibers are the chief's: what was done once holds for all, and
 * a switch makes no system call. */
static void know_thread(thread *me, const chief__lua_life *life) {
    if (me->tid != 0 && (life->op != NULL || life->tid == me->tid)) return;
    chief__lua_signals_open();
    if (me->tid == 0) me->tid = (pid_t)syscall(SYS_gettid);
}

/* It was interrupted while it was not entered, and nobody has sent it a signal. */
static void catch_up(chief__lua_life *life) {
    chief__lua_life_lock(life);
    chief__lua_signal_end(life);
    chief__lua_life_unlock(life);
}

void chief__lua_life_enter(chief__lua_life *life) {
    thread *me = &myself;
    life->outer = me->life;
    me->life = life;
    know_thread(me, life);
    life->thread = pthread_self(); /* nobody reads it before it is entered */
    life->tid = me->tid;
    pass(life, 0, CHIEF__LUA_ENTERED);
    if (chief__lua_interrupted(life) != NULL) catch_up(life);
    if (life->waiting == NULL) chief__lua_watch_begin(life);
}

/* Nobody makes it a timer any more once it is left, and one that was made is seen. */
void chief__lua_life_leave(chief__lua_life *life) {
    pass(life, CHIEF__LUA_ENTERED, 0);
    chief__lua_signal_stop(life);
    myself.life = life->outer;
    life->outer = NULL;
}

chief__lua_life *chief__lua_life_current(void) { return myself.life; }

chief__lua_life *chief__lua_life_of(lua_State *L) {
    void *data;
    return lua_getallocf(L, &data) == chief__lua_memory_alloc ? data : NULL;
}

void chief__lua_call_begin(lua_State *L, const char *name) { chief__lua_life_call(chief__lua_life_of(L), name); }

void chief__lua_call_end(lua_State *L) { chief__lua_life_call(chief__lua_life_of(L), NULL); }

void chief__lua_call_pass(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    if (life != NULL) chief__lua_life_count(life, 2);
}
