#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "interrupt.h"
#include "look.h"

/* Linux has it under this name everywhere, C libraries do not. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define PERIOD_NS 15000000
#define QUIET_STACK ((size_t)128 * 1024)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int look_signal, end_signal; /* 0: there was none; const once opened */

static void on_look(int number) {
    int saved = errno;
    (void)number;
    chief__lua_on_look();
    errno = saved;
}

static void on_end(int number) {
    int saved = errno;
    (void)number;
    chief__lua_on_end();
    errno = saved;
}

/* Whether nobody has an action for it; one that can't even be asked about is somebody's (valgrind keeps one so). */
static bool is_free(int number) {
    struct sigaction there;
    if (sigaction(number, NULL, &there) != 0) return false;
    return (there.sa_flags & SA_SIGINFO) == 0 && there.sa_handler == SIG_DFL;
}

/* From the top down: what people choose by hand is near SIGRTMIN. */
static int take(void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK | flags;
    (void)sigfillset(&action.sa_mask);
    for (int number = SIGRTMAX - 1; number > SIGRTMIN; number--)
        if (is_free(number) && sigaction(number, &action, NULL) == 0) return number;
    return 0;
}

static void open_signals(void) {
    look_signal = take(on_look, SA_RESTART);
    end_signal = take(on_end, 0);
}

/* A thread inherits the mask of who made it, which may be a host that blocks everything. */
void chief__lua_signals_open(void) {
    (void)pthread_once(&once, open_signals);
    sigset_t ours;
    (void)sigemptyset(&ours);
    if (look_signal != 0) (void)sigaddset(&ours, look_signal);
    if (end_signal != 0) (void)sigaddset(&ours, end_signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void chief__lua_signal_look(chief__lua_life *life) {
    if (look_signal != 0) (void)pthread_kill(life->thread, look_signal);
}

static void set_timer(const chief__lua_life *life, long first_ns) {
    struct itimerspec when = {.it_interval = {.tv_nsec = PERIOD_NS}, .it_value = {.tv_nsec = first_ns}};
    (void)timer_settime(life->timer, 0, &when, NULL);
}

static bool make_timer(chief__lua_life *life) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = end_signal;
    event.sigev_notify_thread_id = life->tid;
    return timer_create(CLOCK_MONOTONIC, &event, &life->timer) == 0;
}

/* Where there can be no timer (a limit on signals that wait), one signal is better than none. */
void chief__lua_signal_end(chief__lua_life *life) {
    if (end_signal == 0) return;
    bool has_timer = atomic_load_explicit(&life->has_timer, memory_order_relaxed) || make_timer(life);
    atomic_store_explicit(&life->has_timer, has_timer, memory_order_release);
    if (has_timer) set_timer(life, 1);
    else (void)pthread_kill(life->thread, end_signal);
}

void chief__lua_signal_stop(chief__lua_life *life) {
    if (!atomic_load_explicit(&life->has_timer, memory_order_relaxed)) return;
    if (!atomic_exchange_explicit(&life->has_timer, false, memory_order_acq_rel)) return;
    (void)timer_delete(life->timer);
}

void chief__lua_signal_pace(chief__lua_life *life) {
    if (atomic_load_explicit(&life->has_timer, memory_order_acquire)) set_timer(life, PERIOD_NS);
}

/* ---- threads that are nobody's ---- */

bool chief__lua_start_quiet(void *(*run)(void *)) {
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, QUIET_STACK);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attr, run, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return started;
}
