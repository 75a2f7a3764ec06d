/*
 * plat: the one place with pthread and operating system specifics: clocks, locks, threads, parking, descriptors.
 * Linux only. Knows nothing of workers.
 */
#ifndef CHIEF_PLAT_H
#define CHIEF_PLAT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* Milliseconds of the monotonic clock, and of the wall clock since 1970. */
int64_t chief__now_ms(void);
int64_t chief__wall_ms(void);

/* Sleeps, where there is nothing to be woken by. */
void chief__pause_ms(int64_t ms);

/* A deadline in monotonic ms for a timeout as the public calls take it; INT64_MAX for a negative one. */
int64_t chief__deadline(int64_t timeout_ms);

/* Four bytes, and no call of the kernel while nobody else wants it. Zeroed is free. */
typedef struct chief__mutex {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and perhaps somebody sleeps for it */
} chief__mutex;

void chief__mutex_init(chief__mutex *m);
void chief__mutex_fini(chief__mutex *m);
void chief__lock(chief__mutex *m);
void chief__unlock(chief__mutex *m);

typedef struct chief__cond {
    _Atomic uint32_t times;   /* that it was woken */
    _Atomic uint32_t waiters; /* those that wait with the lock that goes with it */
} chief__cond;

void chief__cond_init(chief__cond *c);
void chief__cond_fini(chief__cond *c);
void chief__cond_wake_all(chief__cond *c);

/* Waits with the lock held until woken (or spuriously) or past the deadline (monotonic ms, INT64_MAX: none); false
 * when past it. */
bool chief__cond_wait(chief__cond *c, chief__mutex *m, int64_t deadline_ms);

typedef struct chief__thread {
    pthread_t handle;
} chief__thread;

/* Starts a joinable thread named after the first 15 bytes of `name`, with SIGPIPE and the job-control signals
 * blocked. CHIEF_ESYS when there can be none, with the system's text. */
int chief__thread_start(chief__thread *t, void (*run)(void *), void *arg, size_t stack, const char *name);

/* The same on memory of the caller's, from `base` on; NULL: the system's. */
int chief__thread_start_on(chief__thread *t, void (*run)(void *), void *arg, void *base, size_t size, const char *name);

/* True when the thread had ended and is joined now; false when it still runs. Never waits. */
bool chief__thread_try_join(chief__thread *t);
void chief__thread_join(chief__thread *t);

/* Gives a thread that will not be joined to the system. */
void chief__thread_detach(chief__thread *t);
void chief__thread_detach_self(void);

/* Makes the calling thread, which chief__thread_start has made, as it was when it began, under another name of at most 15 bytes:
 * its signal mask, its locale and its last error. */
void chief__thread_renew(const char *name);

/*
 * A thread parks on its own word and is unparked by others; an unpark before the park is not lost. One thread parks on a
 * parker, any number unpark it. What is no thread of its own (a fiber) suspends instead, and whoever unparks it takes it.
 */
typedef struct chief__parker {
    _Atomic uint32_t word;    /* 0 empty, 1 token, 2 parked, 3 suspended */
    _Atomic uint32_t rousers; /* that have found it parked and not told the kernel yet */
    /* of its thread */
    uint32_t misses;          /* how often in a row it was in vain to spin before it slept */
    uint8_t naps, long_tries; /* how often in a row it slept for a moment only, and spun to stay awake then */
    bool spun;                /* just before: it parks at once */
} chief__parker;

/* Before it parks, and before anybody has to know that it will: looks for a moment (2 µs, a few times 100) whether what it waits for comes, or a token,
 * when that has paid lately. True when it should look again. `is_there` looks at atomics only. */
bool chief__spin(chief__parker *p, bool (*is_there)(const void *what), const void *what);

/* Waits for the token and takes it; false when the deadline (monotonic ms) passed first. Takes a token left by an
 * earlier unpark at once, so callers look at their condition in a loop. */
bool chief__park(chief__parker *p, int64_t deadline_ms);

/* True when it was suspended and the caller, alone of all who unpark it, has to see to it now. */
bool chief__unpark(chief__parker *p);

/*
 * The same in two halves, for who holds a lock that the woken one will want: the kernel lets it run at once, perhaps on this core,
 * and it would have to sleep again. The first half never calls the kernel; where it finds UNPARKED_ASLEEP the caller, alone of
 * all who unpark it, rouses it, when it holds no lock any more. The thread may have gone on by then, so the memory of such a
 * parker is given back only when chief__parker_settle has returned.
 */
typedef enum chief__unparked { UNPARKED_AWAKE, UNPARKED_ASLEEP, UNPARKED_SUSPENDED } chief__unparked;
chief__unparked chief__unpark_softly(chief__parker *p);
void chief__rouse(chief__parker *p);

/* Waits until nobody is between the two halves; the lock they began under is free, and nobody begins any more. */
void chief__parker_settle(chief__parker *p);

/* False when there is a token already. */
bool chief__suspend(chief__parker *p);
void chief__take_token(chief__parker *p);

/* A descriptor that is readable while it is set (an eventfd), -1 on failure. Setting and clearing never block. */
int chief__fd_new(void);
void chief__fd_set(int fd);
void chief__fd_clear(int fd);

/* A descriptor that becomes readable, and stays so, at a deadline (INT64_MAX: none) or when it is fired. */
int chief__timerfd_new(int64_t deadline_ms);
void chief__timerfd_fire(int fd);

/* A set of descriptors that one thread waits for. Each stands in it once, and is told of once. */
typedef struct chief__poller {
    int fd;
    int wake; /* an eventfd of its own, by which others end a wait */
} chief__poller;

enum chief__poll_event { POLL_READ = 1, POLL_WRITE = 2 };

/* CHIEF_ESYS. */
int chief__poller_init(chief__poller *p);
void chief__poller_fini(chief__poller *p);

/* `data` comes back when it is ready (or broken). CHIEF_EBUSY when it stands there already, CHIEF_ESYS with the system's
 * text for one that cannot be polled. Any thread, as the next two. */
int chief__poller_add(chief__poller *p, int fd, uint32_t events, void *data);
void chief__poller_remove(chief__poller *p, int fd);
void chief__poller_wake(chief__poller *p);

/* Waits until something is ready, a wake, or the deadline (monotonic ms; a past one does not wait); fills in the data of
 * up to `max` and returns how many. */
size_t chief__poller_wait(chief__poller *p, int64_t deadline, void **out, size_t max);

/* Waits until `fd` is ready for the events (of enum chief__poll_event), `other` (-1: none) is readable, or the deadline. */
void chief__fd_wait(int fd, uint32_t events, int other, int64_t deadline);

/* How many threads can run at once; at least 1. */
uint32_t chief__cores(void);
/* Reads a whole file of at most `most` bytes; `*bytes` is the caller's (chief__free). CHIEF_ENOENT without a text when there
 * is none (a folder is none), CHIEF_EDATA for a larger one, CHIEF_ESYS, CHIEF_ENOMEM. */
int chief__read_file(const char *path, size_t most, char **bytes, size_t *len);

/* Closes a descriptor; takes -1. */
void chief__fd_close(int fd);

/* The number of this process. */
int32_t chief__pid(void);

/* Bytes from the system's random source; false when it has none. */
bool chief__random(void *buf, size_t len);

/* Writes all of it to a descriptor as far as that goes (for the default log sink). */
void chief__write(int fd, const char *data, size_t len);

/* True in a child that was forked after the library was first used: only one thread lives there. */
bool chief__forked(void);

#pragma GCC visibility pop
#endif
