#include "spare.h"

#include <stdlib.h>

#include "libraries.h"
#include "memory.h"
#include "signals.h"

/* When more are made. */
#define FEW (CHIEF__LUA_SPARES / 2)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Under lock. */
static size_t holders;
static bool expected; /* lives have ended since the first holder came */
static bool wanted;   /* the thread is to make more, until there are enough */
static bool running;  /* the thread is there */
static bool making;   /* it is at one, without the lock */
static chief__lua_life *spares;
static size_t n_spares;

/* ---- one ---- */

static int open_libraries(lua_State *L) {
    chief__lua_open_libraries(L, false);
    return 0;
}

static void drop(chief__lua_life *life) {
    chief__lua_memory_close(life);
    free(life);
}

/* NULL without memory. */
static chief__lua_life *make(void) {
    chief__lua_life *life = calloc(1, sizeof *life);
    if (life == NULL || !chief__lua_memory_open(life)) {
        free(life);
        return NULL;
    }
    lua_pushcfunction(life->L, open_libraries);
    life->has_libraries = lua_pcall(life->L, 0, 0, 0) == LUA_OK;
    if (life->has_libraries) return life;
    drop(life);
    return NULL;
}

/* ---- the thread that makes them ---- */

/* With the lock held, but for the making. */
static void add_one(void) {
    making = true;
    (void)pthread_mutex_unlock(&lock);
    chief__lua_life *life = make();
    (void)pthread_mutex_lock(&lock);
    making = false;
    if (life != NULL) {
        life->next = spares;
        spares = life;
        n_spares++;
    }
    wanted = life != NULL && n_spares < CHIEF__LUA_SPARES;
    (void)pthread_cond_broadcast(&changed);
}

static void *maker_main(void *nothing) {
    (void)pthread_mutex_lock(&lock);
    while (holders > 0) {
        if (wanted) add_one();
        else (void)pthread_cond_wait(&changed, &lock);
    }
    running = false;
    (void)pthread_mutex_unlock(&lock);
    return nothing;
}

/* With the lock held. Without a thread there are none, and whoever needs a state makes it. */
static void want_more(void) {
    wanted = true;
    if (running) (void)pthread_cond_broadcast(&changed);
    else running = chief__lua_start_quiet(maker_main);
}

/* ---- taking ---- */

chief__lua_life *chief__lua_spare_take(void) {
    (void)pthread_mutex_lock(&lock);
    chief__lua_life *life = spares;
    if (life != NULL) {
        spares = life->next;
        life->next = NULL;
        n_spares--;
    }
    if (expected && !wanted && n_spares <= FEW) want_more();
    (void)pthread_mutex_unlock(&lock);
    return life;
}

void chief__lua_spares_expect(void) {
    (void)pthread_mutex_lock(&lock);
    expected = holders > 0;
    (void)pthread_mutex_unlock(&lock);
}

void chief__lua_spares_hold(void) {
    (void)pthread_mutex_lock(&lock);
    holders++;
    (void)pthread_mutex_unlock(&lock);
}

/* With the lock held, the last holder gone: takes all there are, and the one that is being made. */
static chief__lua_life *take_all(void) {
    expected = wanted = false;
    while (making) (void)pthread_cond_wait(&changed, &lock);
    chief__lua_life *all = spares;
    spares = NULL;
    n_spares = 0;
    (void)pthread_cond_broadcast(&changed);
    return all;
}

void chief__lua_spares_release(void) {
    (void)pthread_mutex_lock(&lock);
    chief__lua_life *all = --holders == 0 ? take_all() : NULL;
    (void)pthread_mutex_unlock(&lock);
    while (all != NULL) {
        chief__lua_life *life = all;
        all = life->next;
        drop(life);
    }
}

size_t chief__lua_spares(void) {
    (void)pthread_mutex_lock(&lock);
    size_t n = n_spares;
    (void)pthread_mutex_unlock(&lock);
    return n;
}
