#include "fiber.h"

#include <string.h>

#include "agenda.h"
#include "alloc.h"
#include "err.h"

#define TICK_MS 10     /* how long a fiber may keep others waiting */
#define IDLE_TICKS 100 /* the monitor sleeps when nothing ran for so long */
#define SPARE_MS 5000  /* a thread that is not needed ends after this */
#define POLL_EVERY 64  /* turns between two looks at descriptors */
#define READY_BATCH 64
#define CLOSE_STEP_MS 1

/* A thread that can run schedulers. All under the group's lock. */
typedef struct runner {
    struct runner *next;
    chief__scheds *group;
    chief__thread thread;
    bool over; /* has nothing left to do but to return */
} runner;

struct chief__sched {
    chief__scheds *group; /* const after new, as the next */
    chief__poller poller;
    atomic_bool sleeping; /* its thread waits in the poller, and nobody has ended that yet */
    _Atomic uint32_t len; /* of the queue. Written under lock */
    chief__mutex lock;
    /* under lock */
    runner *owner; /* the thread that runs it; NULL: none, it is among the group's orphans */
    chief__fiber *first, *last;
    chief__agenda agenda;
    uint32_t n_fds;
    uint64_t turns;
    uint64_t seen_turns; /* by the monitor */
    chief__fiber *running;
    chief__sched *next_orphan; /* under the group's lock */
};

struct chief__scheds {
    atomic_uint refs; /* dropped with release, the last one acquires */
    /* const after new */
    uint32_t n;
    size_t stack;
    void (*on_thread)(void *);
    void *data;
    atomic_bool closing; /* set with release, read with acquire */
    atomic_bool monitor_sleeps;
    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    bool begun;
    chief__fiber **fibers; /* by id; NULL: free */
    uint32_t n_ids;
    uint32_t free_id;    /* where the search for a free one begins */
    uint32_t next_sched; /* loop thread, as the next */
    uint32_t n_used;     /* the first so many have had a thread each at the beginning */
    chief__sched *orphans;
    runner *runners;
    uint32_t n_runners; /* that are not over */
    uint32_t n_idle;
    bool let_go; /* nobody joins the threads that are not over by now */
    chief__thread monitor;
    bool monitored;
    chief__sched scheds[];
};

/* What this thread runs. */
static _Thread_local chief__sched *here;
static _Thread_local runner *myself;

/* Stands for the running one that has ended, until its thread comes back. */
static chief__fiber ended;

/* ---- the queue, with the scheduler's lock held ---- */

static void put(chief__sched *s, chief__fiber *f) {
    f->next = NULL;
    if (s->last != NULL) s->last->next = f;
    else s->first = f;
    s->last = f;
    atomic_store_explicit(&s->len, atomic_load_explicit(&s->len, memory_order_relaxed) + 1, memory_order_relaxed);
}

static chief__fiber *take(chief__sched *s) {
    chief__fiber *f = s->first;
    if (f == NULL) return NULL;
    s->first = f->next;
    if (s->first == NULL) s->last = NULL;
    atomic_store_explicit(&s->len, atomic_load_explicit(&s->len, memory_order_relaxed) - 1, memory_order_relaxed);
    return f;
}

/* What it waited for at this scheduler is over. */
static void withdraw(chief__sched *s, chief__fiber *f) {
    if (f->due != INT64_MAX) chief__agenda_clear(&s->agenda, f->id);
    f->due = INT64_MAX;
    if (f->fd_armed) {
        chief__poller_remove(&s->poller, f->fd);
        s->n_fds--;
    }
    f->fd_armed = false;
    f->fd = -1;
}

/* Ends the sleep of its thread. It falls asleep under the lock that whoever gave it work has had, so that is not missed. */
static bool rouse(chief__sched *s) {
    if (!atomic_load_explicit(&s->sleeping, memory_order_relaxed)) return false;
    if (!atomic_exchange_explicit(&s->sleeping, false, memory_order_relaxed)) return false;
    chief__poller_wake(&s->poller);
    return true;
}

/* One that sleeps may take from one that has more than it can run at once. */
static void rouse_another(const chief__sched *busy) {
    chief__scheds *group = busy->group;
    for (uint32_t i = 0; i < group->n; i++)
        if (&group->scheds[i] != busy && rouse(&group->scheds[i])) return;
}

/* ---- waking ---- */

/* A fiber that would wake a sleeping thread comes to the waker's scheduler instead, when that has nothing else to do
 * next: two that talk to each other end up together. */
static chief__sched *adopter(const chief__sched *home) {
    chief__sched *mine = here;
    if (mine == NULL || mine == home || mine->group != home->group) return NULL;
    if (!atomic_load_explicit(&home->sleeping, memory_order_relaxed)) return NULL;
    return atomic_load_explicit(&mine->len, memory_order_relaxed) == 0 ? mine : NULL;
}

/* A wake has taken it from its waiter. */
static void ready(void *data) {
    chief__fiber *f = data;
    chief__sched *home = atomic_load_explicit(&f->sched, memory_order_relaxed);
    chief__sched *to = adopter(home);
    chief__lock(&home->lock);
    withdraw(home, f);
    if (to != NULL) {
        chief__unlock(&home->lock);
        atomic_store_explicit(&f->sched, to, memory_order_release);
        chief__lock(&to->lock);
        home = to;
    }
    put(home, f);
    (void)rouse(home);
    bool many = atomic_load_explicit(&home->len, memory_order_relaxed) > 1;
    chief__unlock(&home->lock);
    if (many) rouse_another(home);
}

/* ---- running, with the scheduler's lock held but for the fiber itself ---- */

/* The fiber waits, if no wake has come while it was on its way. */
static void suspend(chief__sched *s, const runner *me, chief__fiber *f) {
    atomic_store_explicit(&f->slow, false, memory_order_relaxed);
    if (f->due != INT64_MAX) chief__agenda_set(&s->agenda, f->id, f->due);
    f->fd_rc = f->fd >= 0 ? chief__poller_add(&s->poller, f->fd, f->events, (void *)((uintptr_t)f->id + 1)) : CHIEF_OK;
    f->fd_armed = f->fd >= 0 && f->fd_rc == CHIEF_OK;
    if (f->fd_armed) s->n_fds++;
    if (me != s->owner && f->due != INT64_MAX) (void)rouse(s); /* whose sleep may be too long now */
    if (f->fd_rc == CHIEF_OK && chief__suspend(&f->waiter->parker)) return;
    withdraw(s, f);
    put(s, f);
    (void)rouse(s);
}

static void turn(chief__sched *s, const runner *me, chief__fiber *f) {
    s->running = f;
    s->turns++;
    chief__unlock(&s->lock);
    chief__take_token(&f->waiter->parker);
    bool goes_on = f->resume(f);
    chief__lock(&s->lock);
    if (s->owner == me) s->running = NULL;
    if (goes_on) suspend(s, me, f);
}

/* What an agenda or a poller knows by its id. Its entry at this scheduler goes under our lock, so one that has it is alive. */
static chief__fiber *fiber_of(chief__sched *s, uint32_t id) {
    chief__lock(&s->group->lock);
    chief__fiber *f = s->group->fibers[id];
    if (f != NULL && atomic_load_explicit(&f->sched, memory_order_acquire) != s) f = NULL;
    chief__unlock(&s->group->lock);
    return f;
}

/* Where another wake was faster, that has it, and waits for our lock. */
static void come(chief__sched *s, chief__fiber *f) {
    if (!chief__unpark(&f->waiter->parker)) return;
    withdraw(s, f);
    put(s, f);
}

static void take_due(chief__sched *s) {
    uint32_t id;
    if (s->agenda.len == 0) return;
    int64_t now = chief__now_ms();
    while (chief__agenda_take(&s->agenda, now, &id)) {
        chief__fiber *f = fiber_of(s, id);
        f->due = INT64_MAX;
        come(s, f);
    }
}

/* Waits until the deadline for descriptors, and for a wake. What is found may have been taken meanwhile, and its id be
 * another's: then that looks once in vain. */
static void poll(chief__sched *s, int64_t deadline) {
    void *found[READY_BATCH];
    chief__unlock(&s->lock);
    size_t n = chief__poller_wait(&s->poller, deadline, found, READY_BATCH);
    chief__lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        chief__fiber *f = fiber_of(s, (uint32_t)((uintptr_t)found[i] - 1));
        if (f != NULL && f->fd_armed) come(s, f);
    }
}

/* Half of what another has queued, when that is more than one. Without a lock. */
static bool steal(chief__sched *s) {
    chief__scheds *group = s->group;
    for (uint32_t i = 0; i < group->n; i++) {
        chief__sched *from = &group->scheds[i];
        if (from == s || atomic_load_explicit(&from->len, memory_order_relaxed) < 2) continue;
        chief__fiber *loot = NULL;
        chief__lock(&from->lock);
        for (uint32_t n = atomic_load_explicit(&from->len, memory_order_relaxed) / 2; n > 0; n--) {
            chief__fiber *f = take(from);
            f->next = loot;
            loot = f;
        }
        chief__unlock(&from->lock);
        if (loot == NULL) continue;
        chief__lock(&s->lock);
        while (loot != NULL) {
            chief__fiber *f = loot;
            loot = f->next;
            atomic_store_explicit(&f->sched, s, memory_order_release);
            put(s, f);
        }
        chief__unlock(&s->lock);
        return true;
    }
    return false;
}

/* Who sees it also sees whom the closing thread has made ready. */
static bool is_closing(const chief__scheds *group) {
    return atomic_load_explicit(&group->closing, memory_order_acquire);
}

static void wake_monitor(chief__scheds *group) {
    if (!atomic_exchange_explicit(&group->monitor_sleeps, false, memory_order_relaxed)) return;
    chief__lock(&group->lock);
    chief__cond_wake_all(&group->changed);
    chief__unlock(&group->lock);
}

static void idle(chief__sched *s, const runner *me) {
    chief__unlock(&s->lock);
    bool some = steal(s);
    chief__lock(&s->lock);
    if (some || s->first != NULL || s->owner != me) return;
    atomic_store_explicit(&s->sleeping, true, memory_order_relaxed);
    if (!is_closing(s->group)) poll(s, chief__agenda_next(&s->agenda));
    atomic_store_explicit(&s->sleeping, false, memory_order_relaxed);
    take_due(s);
    if (s->first != NULL && atomic_load_explicit(&s->group->monitor_sleeps, memory_order_relaxed))
        wake_monitor(s->group);
}

/* With the scheduler's lock held: it is to be run by whoever comes first. */
static void orphan(chief__sched *s) {
    chief__scheds *group = s->group;
    s->owner = NULL;
    s->running = NULL;
    chief__lock(&group->lock);
    s->next_orphan = group->orphans;
    group->orphans = s;
    chief__cond_wake_all(&group->changed);
    chief__unlock(&group->lock);
}

/* Until it is another thread's, or all is over. Who was abandoned before it had its turn has it still. */
static void run(chief__sched *s, const runner *me) {
    here = s;
    chief__lock(&s->lock);
    while (s->owner == me && (s->first != NULL || !is_closing(s->group))) {
        take_due(s);
        if (s->n_fds > 0 && s->turns % POLL_EVERY == 0) poll(s, 0);
        chief__fiber *f = take(s);
        if (f != NULL) turn(s, me, f);
        else idle(s, me);
    }
    if (s->owner == me) orphan(s); /* for a fiber that comes back from a thread of its own */
    chief__unlock(&s->lock);
    here = NULL;
}

/* ---- threads ---- */

/* With the group's lock held: a scheduler that nobody runs; at the end only one that has something to do. */
static chief__sched *take_orphan(chief__scheds *group) {
    chief__sched **at = &group->orphans;
    while (*at != NULL && is_closing(group) && atomic_load_explicit(&(*at)->len, memory_order_relaxed) == 0)
        at = &(*at)->next_orphan;
    chief__sched *s = *at;
    if (s != NULL) *at = s->next_orphan;
    return s;
}

/* NULL when there is nothing to do any more. */
static chief__sched *next_role(runner *r) {
    chief__scheds *group = r->group;
    int64_t until = chief__deadline(SPARE_MS);
    chief__sched *s;
    chief__lock(&group->lock);
    group->n_idle++;
    while ((s = take_orphan(group)) == NULL && !is_closing(group))
        if (!chief__cond_wait(&group->changed, &group->lock, until) && group->n_runners > group->n) break;
    if (s == NULL) s = take_orphan(group); /* that came with the end of the wait */
    group->n_idle--;
    chief__unlock(&group->lock);
    if (s == NULL) return NULL;
    chief__lock(&s->lock);
    s->owner = r;
    chief__unlock(&s->lock);
    return s;
}

static void runner_main(void *arg) {
    runner *r = arg;
    chief__scheds *group = r->group;
    chief__sched *s;
    myself = r;
    if (group->on_thread != NULL) group->on_thread(group->data);
    while ((s = next_role(r)) != NULL) run(s, r);
    chief__lock(&group->lock);
    bool alone = group->let_go;
    r->over = !alone;
    group->n_runners--;
    chief__cond_wake_all(&group->changed);
    chief__unlock(&group->lock);
    if (alone) chief__thread_detach_self();
    chief__scheds_unref(group);
}

/* Takes the threads that are over out of the list. */
static runner *take_over(chief__scheds *group) {
    runner *over = NULL;
    chief__lock(&group->lock);
    for (runner **at = &group->runners; *at != NULL;) {
        runner *r = *at;
        if (!r->over) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->next = over;
        over = r;
    }
    chief__unlock(&group->lock);
    return over;
}

/* They have a few instructions left. */
static void reap(chief__scheds *group) {
    runner *over = take_over(group);
    while (over != NULL) {
        runner *r = over;
        over = r->next;
        chief__thread_join(&r->thread);
        chief__free(r);
    }
}

static void forget(chief__scheds *group, runner *r) {
    chief__lock(&group->lock);
    for (runner **at = &group->runners; *at != NULL; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    group->n_runners--;
    chief__unlock(&group->lock);
    chief__free(r);
}

static int add_runner(chief__scheds *group) {
    runner *r = chief__calloc(1, sizeof *r);
    if (r == NULL) return chief__fail_code(CHIEF_ENOMEM);
    r->group = chief__scheds_ref(group);
    chief__lock(&group->lock);
    r->next = group->runners;
    group->runners = r;
    group->n_runners++;
    chief__unlock(&group->lock);
    int rc = chief__thread_start(&r->thread, runner_main, r, group->stack, "chief-fibers");
    if (rc == CHIEF_OK) return CHIEF_OK;
    forget(group, r);
    chief__scheds_unref(group);
    return rc;
}

/* Sees to it that somebody comes. Without a thread more, the next that comes back does. */
static void provide(chief__scheds *group) {
    chief__lock(&group->lock);
    uint32_t orphans = 0;
    for (const chief__sched *s = group->orphans; s != NULL; s = s->next_orphan) orphans++;
    bool enough = group->n_idle >= orphans;
    chief__unlock(&group->lock);
    reap(group);
    if (!enough && !is_closing(group)) (void)add_runner(group);
}

void chief__fiber_block(chief__fiber *f) {
    chief__sched *s = here;
    if (s == NULL) return;
    chief__lock(&s->lock);
    bool mine = s->owner == myself && s->running == f;
    if (mine) {
        atomic_store_explicit(&f->slow, true, memory_order_relaxed);
        orphan(s);
    }
    chief__unlock(&s->lock);
    if (mine) provide(s->group);
}

/* ---- the monitor ---- */

/* One whose fiber has not come back since the last look, while others wait. */
static bool is_stuck(chief__sched *s) {
    bool stuck = s->running != NULL && s->turns == s->seen_turns &&
                 (s->first != NULL || s->n_fds > 0 || chief__agenda_next(&s->agenda) != INT64_MAX);
    s->seen_turns = s->turns;
    return stuck;
}

/* True when any is at work. */
static bool look(chief__scheds *group) {
    bool busy = false;
    for (uint32_t i = 0; i < group->n; i++) {
        chief__sched *s = &group->scheds[i];
        chief__lock(&s->lock);
        busy = busy || s->running != NULL || s->first != NULL;
        bool stuck = is_stuck(s);
        if (stuck) {
            atomic_store_explicit(&s->running->slow, true, memory_order_relaxed);
            orphan(s);
        }
        chief__unlock(&s->lock);
        if (stuck) provide(group);
    }
    return busy;
}

static void monitor_main(void *arg) {
    chief__scheds *group = arg;
    uint32_t quiet = 0;
    while (!is_closing(group)) {
        quiet = look(group) ? 0 : quiet + 1;
        bool sleeps = quiet > IDLE_TICKS;
        atomic_store_explicit(&group->monitor_sleeps, sleeps, memory_order_relaxed);
        int64_t until = sleeps ? INT64_MAX : chief__deadline(TICK_MS);
        chief__lock(&group->lock);
        while (!is_closing(group) && (!sleeps || atomic_load_explicit(&group->monitor_sleeps, memory_order_relaxed)))
            if (!chief__cond_wait(&group->changed, &group->lock, until)) break;
        chief__unlock(&group->lock);
        if (sleeps) quiet = 0;
    }
    chief__scheds_unref(group);
}

/* ---- the group ---- */

int chief__scheds_new(chief__scheds **out, uint32_t n, size_t stack, void (*on_thread)(void *), void *data) {
    *out = NULL;
    if (n == 0) n = chief__cores();
    chief__scheds *group = chief__calloc(1, sizeof *group + n * sizeof *group->scheds);
    if (group == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&group->refs, 1);
    group->stack = stack;
    group->on_thread = on_thread;
    group->data = data;
    chief__mutex_init(&group->lock);
    chief__cond_init(&group->changed);
    int rc = CHIEF_OK;
    while (rc == CHIEF_OK && group->n < n) {
        chief__sched *s = &group->scheds[group->n];
        rc = chief__poller_init(&s->poller);
        if (rc != CHIEF_OK) break;
        s->group = group;
        chief__mutex_init(&s->lock);
        group->n++;
    }
    if (rc == CHIEF_OK) *out = group;
    else chief__scheds_unref(group);
    return rc;
}

chief__scheds *chief__scheds_ref(chief__scheds *group) {
    (void)atomic_fetch_add_explicit(&group->refs, 1, memory_order_relaxed);
    return group;
}

void chief__scheds_unref(chief__scheds *group) {
    if (group == NULL || atomic_fetch_sub_explicit(&group->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < group->n; i++) {
        chief__poller_fini(&group->scheds[i].poller);
        chief__agenda_fini(&group->scheds[i].agenda);
        chief__mutex_fini(&group->scheds[i].lock);
    }
    while (group->runners != NULL) {
        runner *r = group->runners;
        group->runners = r->next;
        chief__free(r);
    }
    chief__free(group->fibers);
    chief__cond_fini(&group->changed);
    chief__mutex_fini(&group->lock);
    chief__free(group);
}

uint32_t chief__scheds_threads(chief__scheds *group) {
    chief__lock(&group->lock);
    uint32_t n = group->n_runners;
    chief__unlock(&group->lock);
    return n;
}

/* ---- its beginning ---- */

static int start_monitor(chief__scheds *group) {
    int rc = chief__thread_start(&group->monitor, monitor_main, chief__scheds_ref(group), 0, "chief-monitor");
    if (rc != CHIEF_OK) chief__scheds_unref(group);
    return rc;
}

/* With fewer threads, or without the monitor, it goes on, slower; without any thread it does not, and the next fiber tries
 * again. */
static int begin(chief__scheds *group) {
    chief__lock(&group->lock);
    bool first = !group->begun;
    bool runs = group->n_runners > 0;
    group->begun = true;
    for (uint32_t i = group->n; first && i > 0; i--) {
        group->scheds[i - 1].next_orphan = group->orphans;
        group->orphans = &group->scheds[i - 1];
    }
    chief__unlock(&group->lock);
    if (runs) return CHIEF_OK;
    if (!group->monitored) group->monitored = start_monitor(group) == CHIEF_OK;
    int rc = CHIEF_OK;
    uint32_t n = 0;
    while (n < group->n && (rc = add_runner(group)) == CHIEF_OK) n++;
    group->n_used = n;
    return n > 0 ? CHIEF_OK : rc;
}

/* Room for one more in every agenda, so that suspending can't fail. */
static int reserve_agendas(chief__scheds *group, uint32_t n) {
    int rc = CHIEF_OK;
    for (uint32_t i = 0; rc == CHIEF_OK && i < group->n; i++) {
        chief__lock(&group->scheds[i].lock);
        rc = chief__agenda_reserve(&group->scheds[i].agenda, n);
        chief__unlock(&group->scheds[i].lock);
    }
    return rc;
}

/* A free id, with the group's lock held; n_ids when there is none. */
static uint32_t find_free(chief__scheds *group) {
    while (group->free_id < group->n_ids && group->fibers[group->free_id] != NULL) group->free_id++;
    return group->free_id;
}

static int more_ids(chief__scheds *group) {
    uint32_t n = group->n_ids * 2 + 16;
    int rc = reserve_agendas(group, n);
    if (rc != CHIEF_OK) return rc;
    chief__fiber **grown = chief__calloc(n, sizeof(chief__fiber *));
    if (grown == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__lock(&group->lock);
    chief__fiber **old = group->fibers;
    if (group->n_ids > 0) memcpy(grown, old, group->n_ids * sizeof *grown);
    group->fibers = grown;
    group->n_ids = n;
    chief__unlock(&group->lock);
    chief__free(old);
    return CHIEF_OK;
}

/* Called by the chief's loop alone, so that ids grow in one thread. */
static int take_id(chief__scheds *group, chief__fiber *f) {
    for (;;) {
        chief__lock(&group->lock);
        uint32_t id = find_free(group);
        bool found = id < group->n_ids;
        if (found) {
            f->id = id;
            group->fibers[id] = f;
        }
        chief__unlock(&group->lock);
        if (found) return CHIEF_OK;
        int rc = more_ids(group);
        if (rc != CHIEF_OK) return rc;
    }
}

int chief__fiber_start(chief__fiber *f, chief__scheds *group, chief__waiter *waiter,
                       bool (*resume)(chief__fiber *fiber)) {
    int rc = begin(group);
    if (rc != CHIEF_OK) return rc;
    memset(f, 0, sizeof *f);
    f->group = group;
    f->waiter = waiter;
    f->resume = resume;
    f->fd = -1;
    f->due = INT64_MAX;
    rc = take_id(group, f);
    if (rc != CHIEF_OK) return rc;
    (void)chief__scheds_ref(group); /* until its end: it may be woken after the chief's */
    waiter->fiber = f;
    waiter->ready = ready;
    chief__sched *s = &group->scheds[group->next_sched++ % group->n_used];
    atomic_store_explicit(&f->sched, s, memory_order_release);
    chief__lock(&s->lock);
    put(s, f);
    (void)rouse(s);
    chief__unlock(&s->lock);
    return CHIEF_OK;
}

/* The monitor marks the running one, which may be freed before its thread comes back. */
static void step_aside(const chief__fiber *f) {
    chief__sched *s = here;
    if (s == NULL) return;
    chief__lock(&s->lock);
    if (s->owner == myself && s->running == f) s->running = &ended;
    chief__unlock(&s->lock);
}

void chief__fiber_end(chief__fiber *f) {
    chief__scheds *group = f->group;
    step_aside(f);
    chief__lock(&group->lock);
    group->fibers[f->id] = NULL;
    if (f->id < group->free_id) group->free_id = f->id;
    chief__unlock(&group->lock);
    chief__scheds_unref(group); /* the thread that resumes it has one too */
}

/* ---- its end ---- */

static bool are_over(chief__scheds *group, int64_t deadline) {
    chief__lock(&group->lock);
    while (group->n_runners > 0 && chief__cond_wait(&group->changed, &group->lock, deadline)) {
    }
    bool over = group->n_runners == 0;
    chief__unlock(&group->lock);
    return over;
}

/* The threads that are stuck keep the group until they come back; and one that another of them is just about to start may
 * have no handle yet, so each sees to its own end. */
static void let_go(chief__scheds *group) {
    chief__lock(&group->lock);
    group->let_go = true;
    chief__unlock(&group->lock);
}

bool chief__scheds_close(chief__scheds *group, int64_t deadline) {
    atomic_store_explicit(&group->closing, true, memory_order_release);
    for (uint32_t i = 0; i < group->n; i++) chief__poller_wake(&group->scheds[i].poller);
    chief__lock(&group->lock);
    chief__cond_wake_all(&group->changed);
    chief__unlock(&group->lock);
    if (group->monitored) chief__thread_join(&group->monitor);
    group->monitored = false;
    bool over = are_over(group, deadline);
    if (!over) let_go(group);
    reap(group);
    return over;
}
