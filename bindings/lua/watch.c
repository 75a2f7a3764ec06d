#include "watch.h"

#include <stdio.h>

#include "interrupt.h"
#include "look.h"
#include "signals.h"

#define NS_PER_MS 1000000
#define PARTS 40                               /* of its time between two looks at a worker */
#define FAR ((int64_t)3600 * 1000 * NS_PER_MS) /* between two looks at nobody */
#define PATIENCE ((int64_t)250 * NS_PER_MS)    /* with an interrupt, unless it is known to be in C by then */
#define PLACE_SIZE 4096

/* Under the lock of the lives. */
static unsigned watched;
static bool running;

static int64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static int64_t period(const chief__lua_watch *watch) { return watch->time / PARTS; }

/* A fiber that waits is not entered. */
static bool is_entered(chief__lua_life *life) {
    chief__lua_life_lock(life);
    bool entered = chief__lua_life_is_entered(life);
    chief__lua_life_unlock(life);
    return entered;
}

/* Whether it has stalled: its counter has stood still, entered and outside of a call, at each look for its whole time. What
 * passed between two looks counts for no more than two periods, since this thread may have been held up as well as the worker. */
static bool look(chief__lua_life *life, bool runs, int64_t now) {
    chief__lua_watch *watch = &life->watch;
    uint64_t calls = atomic_load_explicit(&life->calls, memory_order_acquire);
    int64_t passed = now - watch->looked;
    watch->looked = now;
    if (passed > 2 * period(watch)) passed = 2 * period(watch);
    runs = runs && calls == watch->calls && calls % 2 == 0;
    watch->still = runs ? watch->still + passed : 0;
    watch->calls = calls;
    return watch->still >= watch->time;
}

/* Looks at everybody who runs; `*next` is when to do so again. */
static chief__lua_life *find_stalled(int64_t *next) {
    int64_t now = now_ns();
    *next = now + FAR;
    for (chief__lua_life *life = chief__lua_lives_next(NULL); life != NULL; life = chief__lua_lives_next(life)) {
        if (life->watch.time == 0 || life->watch.told) continue;
        bool runs = is_entered(life);
        if (!runs && life->op == NULL) continue; /* it says when it is entered again */
        if (look(life, runs, now)) return life;
        if (now + period(&life->watch) < *next) *next = now + period(&life->watch);
    }
    return NULL;
}

/* With the lock, the life staying: whether it ends by its interrupt, which it does not where it is known to be in C. */
static bool ends_by_itself(chief__lua_life *life) {
    int64_t until = now_ns() + PATIENCE;
    while (is_entered(life) && now_ns() < until && !chief__lua_place_is_known(life)) {
        chief__lua_lives_unlock();
        (void)nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
        chief__lua_lives_lock();
    }
    return !is_entered(life);
}

/* The life stays while it is told, without the lock. One that is in C is the chief's to end. */
static void tell(chief__lua_life *life) {
    char why[CHIEF__LUA_WHY_SIZE];
    char place[PLACE_SIZE];
    double seconds = (double)life->watch.time / 1000 / NS_PER_MS;
    (void)snprintf(why, sizeof why, "watchdog: no call of the chief's within %g s", seconds);
    life->watch.told = true;
    life->watch.telling = true;
    chief__lua_interrupt_locked(life, CHIEF_REASON_WATCHDOG, why);
    bool ended = ends_by_itself(life);
    chief__lua_lives_unlock();
    if (!ended) {
        (void)chief__lua_look_at(life->worker, place, sizeof place, 0);
        chief_worker_expire(life->worker, CHIEF_REASON_WATCHDOG, why, place);
    }
    chief__lua_lives_lock();
    life->watch.telling = false;
    chief__lua_lives_tell();
}

static void wait_until(int64_t ns) {
    struct timespec t = {.tv_sec = (time_t)(ns / 1000 / NS_PER_MS),
                         .tv_nsec = (long)(ns % (1000 * (int64_t)NS_PER_MS))};
    chief__lua_lives_wait(&t);
}

static void *watch_main(void *nothing) {
    int64_t next;
    chief__lua_lives_lock();
    while (watched > 0) {
        chief__lua_life *life = find_stalled(&next);
        if (life != NULL) tell(life);
        else wait_until(next);
    }
    running = false;
    chief__lua_lives_unlock();
    return nothing;
}

int chief__lua_watch_open(chief__lua_life *life, int64_t ms) {
    chief__lua_lives_lock();
    bool there = running || chief__lua_start_quiet(watch_main);
    if (there) {
        running = true;
        watched++;
        life->watch.time = ms * NS_PER_MS;
    }
    chief__lua_lives_unlock();
    return there ? CHIEF_OK : chief_set_last_error(CHIEF_ESYS, "there can be no thread for the watchdog");
}

void chief__lua_watch_close(chief__lua_life *life) {
    if (life->watch.time == 0) return;
    chief__lua_lives_lock();
    if (--watched == 0) chief__lua_lives_tell();
    chief__lua_lives_unlock();
}

void chief__lua_watch_begin(chief__lua_life *life) {
    if (life->watch.time == 0) return;
    chief__lua_lives_lock();
    life->watch.still = 0;
    life->watch.looked = now_ns();
    life->watch.calls = atomic_load_explicit(&life->calls, memory_order_relaxed);
    chief__lua_lives_tell();
    chief__lua_lives_unlock();
}
