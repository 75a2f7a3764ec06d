/*
 * What plain pthreads reach: the least that each work costs on this machine. --floor F --work W --messages N --seed S, where F is
 * ring (one sender, one receiver, no lock, each waits by turning), queue (a mutex, two conditions and a malloc each), futex
 * (two threads wake each other), state (a thread with a Lua state and its libraries, one after the other) or crowd (the same, all
 * alive at once, each woken once and answering).
 */
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

enum { CAPACITY = 1024, CELL = 64, TURNS = 1000 };

static const char *work = "oneway-int";
static const char *floor_name = "ring";
static int64_t messages = 100000;
static int64_t seed = 1;
static size_t size = sizeof(int64_t);
static char texts[16][CELL];
static int64_t sum;

static double now_s(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t number(int64_t i) { return (i * 7 + seed) % 1000003; }

static void say(double value, const char *unit) { printf("%s %.3f %s %" PRId64 "\n", work, value, unit, sum); }

static const void *make(int64_t i, int64_t *value) {
    *value = number(i);
    return size == CELL ? (const void *)texts[i & 15] : value;
}

static void count(const void *cell, int64_t i) {
    int64_t value;
    memcpy(&value, cell, sizeof value);
    sum += size == CELL ? CELL + ((i & 63) == 0 ? *(const char *)cell : 0) : value;
}

/* ---- a ring ---- */

static struct {
    _Alignas(64) atomic_size_t head;
    _Alignas(64) atomic_size_t tail;
    char cells[CAPACITY][CELL];
} ring;

/* A thread that waits gives its core away now and then, for machines with few. */
static void turn(int *turns) {
    if (++*turns % TURNS == 0) sched_yield();
}

static void *ring_send(void *data) {
    (void)data;
    for (int64_t i = 1; i <= messages; i++) {
        int64_t value;
        const void *cell = make(i, &value);
        size_t at = atomic_load_explicit(&ring.tail, memory_order_relaxed);
        for (int turns = 0; at - atomic_load_explicit(&ring.head, memory_order_acquire) == CAPACITY;) turn(&turns);
        memcpy(ring.cells[at % CAPACITY], cell, size);
        atomic_store_explicit(&ring.tail, at + 1, memory_order_release);
    }
    return NULL;
}

static void ring_receive(void) {
    for (int64_t i = 1; i <= messages; i++) {
        size_t at = atomic_load_explicit(&ring.head, memory_order_relaxed);
        for (int turns = 0; at == atomic_load_explicit(&ring.tail, memory_order_acquire);) turn(&turns);
        count(ring.cells[at % CAPACITY], i);
        atomic_store_explicit(&ring.head, at + 1, memory_order_release);
    }
}

/* ---- a queue ---- */

typedef struct node {
    struct node *next;
    char bytes[];
} node;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    node *first;
    node *last;
    int len;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, .emptied = PTHREAD_COND_INITIALIZER};

static void *queue_send(void *data) {
    (void)data;
    for (int64_t i = 1; i <= messages; i++) {
        int64_t value;
        const void *cell = make(i, &value);
        node *n = malloc(sizeof *n + size);
        if (n == NULL) abort();
        n->next = NULL;
        memcpy(n->bytes, cell, size);
        pthread_mutex_lock(&queue.lock);
        while (queue.len == CAPACITY) pthread_cond_wait(&queue.emptied, &queue.lock);
        if (queue.first == NULL) queue.first = n;
        else queue.last->next = n;
        queue.last = n;
        queue.len++;
        pthread_cond_signal(&queue.filled);
        pthread_mutex_unlock(&queue.lock);
    }
    return NULL;
}

static void queue_receive(void) {
    for (int64_t i = 1; i <= messages; i++) {
        pthread_mutex_lock(&queue.lock);
        while (queue.len == 0) pthread_cond_wait(&queue.filled, &queue.lock);
        node *n = queue.first;
        queue.first = n->next;
        queue.len--;
        pthread_cond_signal(&queue.emptied);
        pthread_mutex_unlock(&queue.lock);
        count(n->bytes, i);
        free(n);
    }
}

/* ---- a futex ---- */

static atomic_int side;
static int64_t ball;

static void wait_for(int mine) {
    int other = 1 - mine;
    while (atomic_load(&side) != mine) (void)syscall(SYS_futex, &side, FUTEX_WAIT_PRIVATE, other, NULL, NULL, 0);
}

static void give(int to) {
    atomic_store(&side, to);
    (void)syscall(SYS_futex, &side, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_pong(void *data) {
    (void)data;
    for (int64_t i = 1; i <= messages; i++) {
        wait_for(1);
        give(0);
    }
    return NULL;
}

static void futex_ping(void) {
    for (int64_t i = 1; i <= messages; i++) {
        ball = number(i);
        give(1);
        wait_for(0);
        sum += ball;
    }
}

/* ---- a state ---- */

static void *live(void *data) {
    lua_State *L = luaL_newstate();
    if (L == NULL) abort();
    luaL_openlibs(L);
    lua_pushinteger(L, *(int64_t *)data);
    *(int64_t *)data = lua_tointeger(L, -1);
    lua_close(L);
    return NULL;
}

static void live_and_end(void) {
    for (int64_t i = 1; i <= messages; i++) {
        pthread_t thread;
        int64_t value = number(i);
        if (pthread_create(&thread, NULL, live, &value) != 0) abort();
        pthread_join(thread, NULL);
        sum += value;
    }
}

typedef struct member {
    pthread_t thread;
    sem_t told;
    int64_t value;
} member;

static void *answer_once(void *data) {
    member *m = data;
    lua_State *L = luaL_newstate();
    if (L == NULL) abort();
    luaL_openlibs(L);
    while (sem_wait(&m->told) != 0) continue;
    lua_pushinteger(L, m->value);
    m->value = lua_tointeger(L, -1);
    lua_close(L);
    return NULL;
}

static void live_at_once(void) {
    pthread_attr_t attr;
    member *members = calloc((size_t)messages, sizeof *members);
    if (members == NULL || pthread_attr_init(&attr) != 0) abort();
    (void)pthread_attr_setstacksize(&attr, 1024 * 1024); /* as large as a worker's */
    for (int64_t i = 0; i < messages; i++) {
        if (sem_init(&members[i].told, 0, 0) != 0) abort();
        if (pthread_create(&members[i].thread, &attr, answer_once, &members[i]) != 0) abort();
    }
    for (int64_t i = 0; i < messages; i++) {
        members[i].value = number(i + 1);
        (void)sem_post(&members[i].told);
    }
    for (int64_t i = 0; i < messages; i++) {
        pthread_join(members[i].thread, NULL);
        sum += members[i].value;
    }
    free(members);
}

static double beside(void *(*other)(void *), void (*mine)(void)) {
    pthread_t thread;
    double begun = now_s();
    if (pthread_create(&thread, NULL, other, NULL) != 0) abort();
    mine();
    pthread_join(thread, NULL);
    return now_s() - begun;
}

static int run(void) {
    bool one_way = strcmp(work, "oneway-int") == 0 || strcmp(work, "oneway-str64") == 0;
    messages = one_way ? messages / 4 * 4 : messages;
    if (strcmp(work, "oneway-str64") == 0) size = CELL;
    double begun = now_s();
    if (one_way && strcmp(floor_name, "ring") == 0) {
        say((double)messages / beside(ring_send, ring_receive), "msg/s");
    } else if (one_way && strcmp(floor_name, "queue") == 0) {
        say((double)messages / beside(queue_send, queue_receive), "msg/s");
    } else if (strcmp(work, "pingpong") == 0 && strcmp(floor_name, "futex") == 0) {
        say(beside(futex_pong, futex_ping) / (double)messages * 1e6, "us");
    } else if (strcmp(work, "spawn") == 0 && strcmp(floor_name, "state") == 0) {
        live_and_end();
        say((now_s() - begun) / (double)messages * 1e6, "us");
    } else if (strcmp(work, "spawn") == 0 && strcmp(floor_name, "crowd") == 0) {
        live_at_once();
        say((now_s() - begun) / (double)messages * 1e6, "us");
    } else {
        fprintf(stderr, "there is no work %s for %s\n", work, floor_name);
        return 69;
    }
    return 0;
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--work") == 0) work = argv[i + 1];
        else if (strcmp(argv[i], "--floor") == 0) floor_name = argv[i + 1];
        else if (strcmp(argv[i], "--messages") == 0) messages = strtoll(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0) seed = strtoll(argv[i + 1], NULL, 10);
    }
    for (int k = 0; k < 16; k++) memset(texts[k], (int)('a' + (k + seed) % 26), sizeof texts[k]);
    return run();
}
