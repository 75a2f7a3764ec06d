#include "plat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

/* A lock of one's own is known to ThreadSanitizer by what it is told: then it finds locks that are taken in two orders. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#define TSAN_BEFORE_LOCK(m) __tsan_mutex_pre_lock(m, 0)
#define TSAN_AFTER_LOCK(m) __tsan_mutex_post_lock(m, 0, 0)
#define TSAN_BEFORE_UNLOCK(m) (void)__tsan_mutex_pre_unlock(m, 0)
#define TSAN_AFTER_UNLOCK(m) __tsan_mutex_post_unlock(m, 0)
#define TSAN_FORGET(m) __tsan_mutex_destroy(m, 0)
#else
#define TSAN_BEFORE_LOCK(m) (void)(m)
#define TSAN_AFTER_LOCK(m) (void)(m)
#define TSAN_BEFORE_UNLOCK(m) (void)(m)
#define TSAN_AFTER_UNLOCK(m) (void)(m)
#define TSAN_FORGET(m) (void)(m)
#endif

#define MS_PER_S 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

static int64_t clock_ms(clockid_t id) {
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
}

int64_t chief__now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

int64_t chief__wall_ms(void) { return clock_ms(CLOCK_REALTIME); }

int64_t chief__deadline(int64_t timeout_ms) {
    if (timeout_ms < 0) return INT64_MAX;
    int64_t now = chief__now_ms();
    return timeout_ms < INT64_MAX - now ? now + timeout_ms : INT64_MAX;
}

static struct timespec timespec_of(int64_t ms) {
    struct timespec t = {.tv_sec = (time_t)(ms / MS_PER_S), .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};
    return t;
}

void chief__pause_ms(int64_t ms) {
    struct timespec t = timespec_of(ms);
    (void)nanosleep(&t, NULL);
}

/* ---- short waits ---- */

#define SPIN_NS 2000   /* what is never exceeded, but by being preempted */
#define SPIN_PAUSES 16 /* between two looks, in the end: each takes a cache line from who is to fill it */
#define LOCK_LOOKS 200 /* longer than a batch of a hundred keeps a lock */
#define MISSES_MAX 4   /* in a row, and it is not tried any more */
#define MISSES_AGAIN 256
#define NAP_NS 100000 /* a sleep so short that most of it is the kernel's waking of two threads */
#define NAPS 4        /* in a row, and a few long tries are made */
#define LONG_TRIES 8

/* Tells the core that this thread only waits for another one. */
static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* On one core whoever waits keeps the other from running. */
static bool more_cores(void) {
    static _Atomic uint32_t known;
    uint32_t cores = atomic_load_explicit(&known, memory_order_relaxed);
    if (cores == 0) {
        cores = chief__cores();
        atomic_store_explicit(&known, cores, memory_order_relaxed);
    }
    return cores > 1;
}

static int64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- sleeping on a word ---- */

/* Sleeps while the word has this value, at the longest until the deadline (monotonic ms); false when that has passed. */
static bool sleep_on(_Atomic uint32_t *word, uint32_t value, int64_t deadline_ms) {
    struct timespec until = timespec_of(deadline_ms);
    int kept = errno; /* a lock has no business with what its caller is about to report */
    /* FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock. */
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
                      deadline_ms == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    bool in_time = rc == 0 || errno != ETIMEDOUT;
    errno = kept;
    return in_time;
}

#ifdef WITH_TSAN
#define SLICE_MS 20

/* ThreadSanitizer keeps a signal back until its thread calls something that it knows, and it knows no futex: without these
 * slices a signal that meets a thread which sleeps here is never heard. */
static bool futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline_ms) {
    const struct timespec moment = {.tv_nsec = 1};
    for (;;) {
        int64_t slice = chief__now_ms() + SLICE_MS;
        if (slice >= deadline_ms) return sleep_on(word, value, deadline_ms);
        if (sleep_on(word, value, slice)) return true;
        (void)nanosleep(&moment, NULL);
    }
}
#else
static bool futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline_ms) {
    return sleep_on(word, value, deadline_ms);
}
#endif

static void futex_wake(_Atomic uint32_t *word, int most) {
    int kept = errno;
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, most, NULL, NULL, 0);
    errno = kept;
}

/* ---- locks ---- */

enum { FREE = 0, HELD = 1, WANTED = 2 };

void chief__mutex_init(chief__mutex *m) { atomic_init(&m->word, FREE); }

void chief__mutex_fini(chief__mutex *m) { TSAN_FORGET(m); }

static bool try_lock(chief__mutex *m) {
    uint32_t seen = FREE;
    return atomic_compare_exchange_strong_explicit(&m->word, &seen, HELD, memory_order_acquire, memory_order_relaxed);
}

/* Our locks are held for a few dozen instructions. Who finds one held is there sooner by looking again than by going to sleep:
 * a sleep and the wake-up that ends it cost microseconds. Who has slept does not know whether others still do, and so takes
 * it as WANTED. */
static void lock_slowly(chief__mutex *m) {
    for (int i = 0; i < LOCK_LOOKS; i++) {
        relax();
        if (atomic_load_explicit(&m->word, memory_order_relaxed) == FREE && try_lock(m)) return;
    }
    while (atomic_exchange_explicit(&m->word, WANTED, memory_order_acquire) != FREE)
        (void)futex_wait(&m->word, WANTED, INT64_MAX);
}

void chief__lock(chief__mutex *m) {
    TSAN_BEFORE_LOCK(m);
    if (!try_lock(m)) lock_slowly(m);
    TSAN_AFTER_LOCK(m);
}

/* Once it is free the next one may have it, and free its memory: the kernel only looks for who sleeps at that address. */
void chief__unlock(chief__mutex *m) {
    TSAN_BEFORE_UNLOCK(m);
    if (atomic_exchange_explicit(&m->word, FREE, memory_order_release) == WANTED) futex_wake(&m->word, 1);
    TSAN_AFTER_UNLOCK(m);
}

void chief__cond_init(chief__cond *c) {
    atomic_init(&c->times, 0);
    atomic_init(&c->waiters, 0);
}

void chief__cond_fini(chief__cond *c) { (void)c; }

/* What is waited for was changed under the lock, so who has looked before that has counted itself already. */
void chief__cond_wake_all(chief__cond *c) {
    (void)atomic_fetch_add_explicit(&c->times, 1, memory_order_relaxed);
    if (atomic_load_explicit(&c->waiters, memory_order_relaxed) > 0) futex_wake(&c->times, INT_MAX);
}

/* A wake after the unlock changes the word first, and the kernel does not let the thread sleep. */
bool chief__cond_wait(chief__cond *c, chief__mutex *m, int64_t deadline_ms) {
    (void)atomic_fetch_add_explicit(&c->waiters, 1, memory_order_relaxed);
    uint32_t seen = atomic_load_explicit(&c->times, memory_order_relaxed);
    chief__unlock(m);
    bool in_time = futex_wait(&c->times, seen, deadline_ms);
    chief__lock(m);
    (void)atomic_fetch_sub_explicit(&c->waiters, 1, memory_order_relaxed);
    return in_time;
}

/* ---- threads ---- */

struct start {
    void (*run)(void *);
    void *arg;
    char name[16];
};

/* What this thread had blocked when it began. */
static _Thread_local sigset_t first_mask;

static void *thread_main(void *arg) {
    struct start s = *(struct start *)arg;
    chief__free(arg);
    (void)pthread_setname_np(pthread_self(), s.name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &first_mask);
    s.run(s.arg);
    return NULL;
}

void chief__thread_renew(const char *name) {
    (void)pthread_setname_np(pthread_self(), name);
    (void)pthread_sigmask(SIG_SETMASK, &first_mask, NULL);
    (void)uselocale(LC_GLOBAL_LOCALE);
    (void)chief_last_error_take(NULL, 0);
}

/* A thread inherits its mask, so it is set around the creation. Other signals stay as the host has them: the
 * children of a worker (os.execute, io.popen) inherit its mask in turn. */
static void mask_for_thread(sigset_t *saved) {
    sigset_t add;
    (void)sigemptyset(&add);
    (void)sigaddset(&add, SIGPIPE);
    (void)sigaddset(&add, SIGTSTP);
    (void)sigaddset(&add, SIGTTIN);
    (void)sigaddset(&add, SIGTTOU);
    (void)pthread_sigmask(SIG_BLOCK, &add, saved);
}

int chief__thread_start_on(chief__thread *t, void (*run)(void *), void *arg, void *base, size_t size,
                           const char *name) {
    struct start *s = chief__calloc(1, sizeof *s);
    if (s == NULL) return chief__fail_code(CHIEF_ENOMEM);
    s->run = run;
    s->arg = arg;
    size_t len = strnlen(name, sizeof s->name - 1);
    memcpy(s->name, name, len);
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);
    if (rc == 0) {
        if (base != NULL) (void)pthread_attr_setstack(&attr, base, size);
        else if (size > 0) (void)pthread_attr_setstacksize(&attr, size);
        sigset_t saved;
        mask_for_thread(&saved);
        rc = pthread_create(&t->handle, &attr, thread_main, s);
        (void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
        (void)pthread_attr_destroy(&attr);
    }
    if (rc == 0) return CHIEF_OK;
    chief__free(s);
    return chief__fail(CHIEF_ESYS, "a thread for %s could not be created: %s", name, strerror(rc));
}

int chief__thread_start(chief__thread *t, void (*run)(void *), void *arg, size_t stack, const char *name) {
    return chief__thread_start_on(t, run, arg, NULL, stack, name);
}

bool chief__thread_try_join(chief__thread *t) { return pthread_tryjoin_np(t->handle, NULL) == 0; }

void chief__thread_join(chief__thread *t) { (void)pthread_join(t->handle, NULL); }

void chief__thread_detach(chief__thread *t) { (void)pthread_detach(t->handle); }

void chief__thread_detach_self(void) { (void)pthread_detach(pthread_self()); }

/* ---- parking ---- */

enum { EMPTY = 0, TOKEN = 1, PARKED = 2, SUSPENDED = 3 };

static bool has_token(const chief__parker *p) { return atomic_load_explicit(&p->word, memory_order_relaxed) == TOKEN; }

/* A partner that runs on another core answers sooner than the kernel puts a thread to sleep. Only looks: the token is taken
 * by who parks. How long it took, or -1 where it was in vain. */
static int64_t spin(const chief__parker *p, bool (*is_there)(const void *what), const void *what, int64_t most_ns) {
    int64_t begin = now_ns();
    int64_t took = 0;
    int pauses = 1;
    do {
        if (has_token(p) || is_there(what)) return took;
        for (int i = 0; i < pauses; i++) relax();
        if (pauses < SPIN_PAUSES) pauses *= 2;
        took = now_ns() - begin;
    } while (took < most_ns);
    return -1;
}

/* Whether it is time for one of the long tries. Two threads that answer each other do so through the kernel as long as each
 * sleeps when the other answers, and are faster than it once both are awake. As both wait equally long, both begin to try
 * at about the same time. */
static bool may_become_quick(chief__parker *p) {
    if (p->naps < NAPS || p->long_tries == LONG_TRIES) return false;
    p->long_tries++;
    return true;
}

static bool spin_long(chief__parker *p, bool (*is_there)(const void *what), const void *what) {
    int64_t took = spin(p, is_there, what, NAP_NS);
    if (took >= 0 && took < SPIN_NS) p->misses = p->long_tries = 0;
    return took >= 0;
}

/* Who waits for long, or for somebody on the same core, would only lose the time: after a few misses in a row it is tried
 * again once in a while. */
static bool spin_if_it_pays(chief__parker *p, bool (*is_there)(const void *what), const void *what) {
    if (!more_cores() || has_token(p)) return has_token(p);
    if (p->misses >= MISSES_MAX && may_become_quick(p)) return spin_long(p, is_there, what);
    if (p->misses >= MISSES_MAX && ++p->misses < MISSES_AGAIN) return false;
    bool paid = spin(p, is_there, what, SPIN_NS) >= 0;
    if (paid || p->misses >= MISSES_AGAIN) p->long_tries = 0;
    if (paid) p->misses = 0;
    else p->misses = p->misses >= MISSES_MAX ? MISSES_MAX : p->misses + 1;
    return paid;
}

bool chief__spin(chief__parker *p, bool (*is_there)(const void *what), const void *what) {
    p->spun = !spin_if_it_pays(p, is_there, what);
    return !p->spun;
}

static bool only_a_token(const void *what) {
    (void)what;
    return false;
}

static void nap(chief__parker *p, int64_t deadline_ms) {
    int64_t begin = now_ns();
    (void)futex_wait(&p->word, PARKED, deadline_ms);
    if (now_ns() - begin >= NAP_NS) p->naps = 0;
    else if (p->naps < NAPS) p->naps++;
}

/*
 * Only the parker's thread moves EMPTY to PARKED and back; only an unpark moves anything to TOKEN. The exchange in unpark
 * releases what was written before it, the exchange that takes the token acquires it. An unpark between the
 * compare-exchange and the wait makes the word TOKEN, and the kernel does not let the thread sleep.
 */
bool chief__park(chief__parker *p, int64_t deadline_ms) {
    if (!p->spun) (void)spin_if_it_pays(p, only_a_token, NULL);
    p->spun = false;
    for (;;) {
        uint32_t seen = EMPTY;
        if (!atomic_compare_exchange_strong_explicit(&p->word, &seen, PARKED, memory_order_acquire,
                                                     memory_order_acquire) &&
            seen == TOKEN) {
            (void)atomic_exchange_explicit(&p->word, EMPTY, memory_order_acquire);
            return true;
        }
        if (deadline_ms != INT64_MAX && chief__now_ms() >= deadline_ms)
            return atomic_exchange_explicit(&p->word, EMPTY, memory_order_acquire) == TOKEN;
        nap(p, deadline_ms);
    }
}

bool chief__unpark(chief__parker *p) {
    uint32_t was = atomic_exchange_explicit(&p->word, TOKEN, memory_order_acq_rel);
    if (was == PARKED) futex_wake(&p->word, 1);
    return was == SUSPENDED;
}

/* It is counted before there is a token to go on with, so that who has taken that sees the count. */
chief__unparked chief__unpark_softly(chief__parker *p) {
    uint32_t seen = atomic_load_explicit(&p->word, memory_order_relaxed);
    for (;;) {
        bool asleep = seen == PARKED;
        if (asleep) (void)atomic_fetch_add_explicit(&p->rousers, 1, memory_order_relaxed);
        uint32_t was = seen;
        if (atomic_compare_exchange_strong_explicit(&p->word, &seen, TOKEN, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            if (asleep) return UNPARKED_ASLEEP;
            return was == SUSPENDED ? UNPARKED_SUSPENDED : UNPARKED_AWAKE;
        }
        if (asleep) (void)atomic_fetch_sub_explicit(&p->rousers, 1, memory_order_relaxed);
    }
}

void chief__rouse(chief__parker *p) {
    futex_wake(&p->word, 1);
    (void)atomic_fetch_sub_explicit(&p->rousers, 1, memory_order_release);
}

/* In a forked child there is nobody who would. */
void chief__parker_settle(chief__parker *p) {
    for (int looks = 0; atomic_load_explicit(&p->rousers, memory_order_acquire) > 0 && !chief__forked(); looks++) {
        if (looks < LOCK_LOOKS) relax();
        else chief__pause_ms(1);
    }
}

/* The compare-exchange releases what its owner wrote to whoever takes SUSPENDED away. */
bool chief__suspend(chief__parker *p) {
    uint32_t seen = EMPTY;
    return atomic_compare_exchange_strong_explicit(&p->word, &seen, SUSPENDED, memory_order_release,
                                                   memory_order_acquire);
}

void chief__take_token(chief__parker *p) { (void)atomic_exchange_explicit(&p->word, EMPTY, memory_order_acquire); }

/* ---- descriptors ---- */

int chief__fd_new(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void chief__fd_set(int fd) {
    uint64_t one = 1;
    /* EAGAIN: it is readable already, which is what was wanted */
    if (write(fd, &one, sizeof one) < 0) return;
}

void chief__fd_clear(int fd) {
    uint64_t count;
    /* EAGAIN: it is clear already */
    if (read(fd, &count, sizeof count) < 0) return;
}

static void timerfd_arm(int fd, struct timespec at) {
    struct itimerspec when = {.it_value = at};
    (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
}

int chief__timerfd_new(int64_t deadline_ms) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    /* A time of zero would disarm it. */
    if (fd >= 0 && deadline_ms != INT64_MAX) timerfd_arm(fd, timespec_of(deadline_ms > 0 ? deadline_ms : 1));
    return fd;
}

void chief__timerfd_fire(int fd) {
    struct timespec past = {.tv_nsec = 1};
    timerfd_arm(fd, past);
}

/* ---- sets of descriptors ---- */

#define POLL_BATCH 64

int chief__poller_init(chief__poller *p) {
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    p->wake = chief__fd_new();
    struct epoll_event e = {.events = EPOLLIN};
    if (p->fd >= 0 && p->wake >= 0 && epoll_ctl(p->fd, EPOLL_CTL_ADD, p->wake, &e) == 0) return CHIEF_OK;
    int why = errno;
    chief__poller_fini(p);
    return chief__fail(CHIEF_ESYS, "no descriptors to wait with: %s", strerror(why));
}

void chief__poller_fini(chief__poller *p) {
    chief__fd_close(p->fd);
    chief__fd_close(p->wake);
    p->fd = p->wake = -1;
}

int chief__poller_add(chief__poller *p, int fd, uint32_t events, void *data) {
    struct epoll_event e = {.events = EPOLLONESHOT, .data = {.ptr = data}};
    if ((events & POLL_READ) != 0) e.events |= EPOLLIN;
    if ((events & POLL_WRITE) != 0) e.events |= EPOLLOUT;
    if (epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e) == 0) return CHIEF_OK;
    if (errno == EEXIST) return chief__fail(CHIEF_EBUSY, "descriptor %d is waited for already", fd);
    return chief__fail(CHIEF_ESYS, "descriptor %d can't be waited for: %s", fd, strerror(errno));
}

/* One that was closed meanwhile has left by itself. */
void chief__poller_remove(chief__poller *p, int fd) { (void)epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL); }

void chief__poller_wake(chief__poller *p) { chief__fd_set(p->wake); }

static int poll_timeout(int64_t deadline) {
    if (deadline == INT64_MAX) return -1;
    int64_t left = deadline - chief__now_ms();
    return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

size_t chief__poller_wait(chief__poller *p, int64_t deadline, void **out, size_t max) {
    struct epoll_event events[POLL_BATCH];
    size_t found = 0;
    int n = epoll_wait(p->fd, events, max < POLL_BATCH ? (int)max : POLL_BATCH, poll_timeout(deadline));
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL) out[found++] = events[i].data.ptr;
        else chief__fd_clear(p->wake);
    }
    return found;
}

void chief__fd_wait(int fd, uint32_t events, int other, int64_t deadline) {
    struct pollfd set[2] = {{.fd = fd}, {.fd = other, .events = POLLIN}};
    if ((events & POLL_READ) != 0) set[0].events |= POLLIN;
    if ((events & POLL_WRITE) != 0) set[0].events |= POLLOUT;
    (void)poll(set, 2, poll_timeout(deadline));
}

uint32_t chief__cores(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 1 ? (uint32_t)n : 1;
}

static int read_all(int fd, const char *path, char *bytes, size_t size, size_t *len) {
    *len = 0;
    for (;;) {
        ssize_t n = read(fd, bytes + *len, size - *len);
        if (n == 0) return CHIEF_OK;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return chief__fail(CHIEF_ESYS, "%s can't be read: %s", path, strerror(errno));
        *len += (size_t)n;
        if (*len == size) return chief__fail(CHIEF_EDATA, "%s has more than %zu bytes", path, size - 1);
    }
}

static int read_open(int fd, const char *path, size_t most, char **bytes, size_t *len) {
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return CHIEF_ENOENT;
    *bytes = chief__alloc(most + 1);
    if (*bytes == NULL) return chief__fail_code(CHIEF_ENOMEM);
    int rc = read_all(fd, path, *bytes, most + 1, len);
    if (rc == CHIEF_OK) return rc;
    chief__free(*bytes);
    *bytes = NULL;
    return rc;
}

int chief__read_file(const char *path, size_t most, char **bytes, size_t *len) {
    *bytes = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return CHIEF_ENOENT;
    if (fd < 0) return chief__fail(CHIEF_ESYS, "%s can't be read: %s", path, strerror(errno));
    int rc = read_open(fd, path, most, bytes, len);
    (void)close(fd);
    return rc;
}

void chief__fd_close(int fd) {
    if (fd >= 0) (void)close(fd);
}

int32_t chief__pid(void) { return (int32_t)getpid(); }

bool chief__random(void *buf, size_t len) { return getrandom(buf, len, 0) == (ssize_t)len; }

void chief__write(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        data += n;
        len -= (size_t)n;
    }
}

/* ---- fork ---- */

static _Atomic bool in_child;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void note_child(void) { atomic_store_explicit(&in_child, true, memory_order_relaxed); }

static void watch_fork(void) { (void)pthread_atfork(NULL, NULL, note_child); }

bool chief__forked(void) {
    (void)pthread_once(&fork_once, watch_fork);
    return atomic_load_explicit(&in_child, memory_order_relaxed);
}
