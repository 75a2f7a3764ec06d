/*
 * loop: the chief itself. One libuv loop on a thread of its own feeds the brain (step.h) with what comes into the inbox
 * and with the time, and carries out its actions. Only this thread writes the pool and the events of a running chief.
 *
 *   chief.c    making, configuring, freeing a chief; looking at it
 *   run.c      from chief_init_workers to chief_join, on the host's threads
 *   request.c  what is asked of the running loop by name
 *   loop.c     the loop: reports in, time in, the brain's answers out
 *   act.c      carrying out one action
 *   info.c     what the application says of itself
 *   ask.c      the policies of the host: what they are asked, what is made of it
 *   act_end.c  those about a worker that is restarted or given up
 *   home.c     where the lives of workers are led
 *   sim.c      a chief without a loop: lives that are told, and a clock that is set
 *   finish.c   the end: hooks, the result, closing
 *   catch.c    signals and the parent context
 *   nested.c   a chief as a worker of another
 *   hosted.c   workers whose lives are led on threads of the host's
 */
#ifndef CHIEF_LOOP_H
#define CHIEF_LOOP_H

#include <uv.h>

#include "asker.h"
#include "event.h"
#include "spawn.h"
#include "step.h"
#include "worker.h"

#pragma GCC visibility push(hidden)

/* What a worker does in a simulation. */
typedef struct chief__role {
    struct chief_sim *sim;             /* set by its first init */
    struct chief__member *next_report; /* of those that have something to report */
    uint32_t reports;                  /* of chief__report_bit */
    bool queued;
    int32_t manners; /* enum chief_sim_manners */
    uint32_t failing_inits;
    char *init_error;
    enum { ROLE_NONE = 0, ROLE_INIT, ROLE_HELD, ROLE_RUN, ROLE_ABANDONED } stage;
    int32_t reason; /* of the REPORT_EXITED that is to come */
    int32_t code;
} chief__role;

/* A registered worker as the loop knows it. Before the loop runs: under the chief's lock. */
typedef struct chief__member {
    chief__unit *unit;
    chief__entry *entry;
    chief_worker *home;  /* the generation that lives, or was abandoned and still may; NULL */
    char *where;         /* where an abandoned home was; NULL: unknown */
    char *birth_error;   /* why a home could not be made; NULL also when there was no memory to say */
    uint64_t generation; /* of the home, or of the one that could not be made */
    uint64_t restarts;
    uint32_t id;
    int32_t phase;
    bool named;       /* enabled by name before the start */
    bool abandoned;   /* `home` is an abandoned one */
    bool late;        /* `home` was interrupted by the stop, which will name it */
    bool stillborn;   /* a home could not be made, the brain does not know it yet */
    bool in_burial;   /* the brain is being told so */
    bool removed;     /* the brain forgot it; it stays only for its abandoned home */
    bool isolated;    /* led in a process from the next generation on, though its unit is not */
    chief__role role; /* in a simulation */
    uint32_t n_history;
    chief_end history[]; /* CHIEF__HISTORY where it has a policy of the host's; the latest last */
} chief__member;

/* A walk over the members that a name means, in registration order: the worker of that name, or its replicas. Members may
 * come and go on the way. */
typedef struct chief__members_of {
    const char *name;
    uint32_t next; /* 0: the worker of that name itself */
    uint32_t last;
} chief__members_of;

/* Where the lives of workers are led, and what time it is there: in threads of their own, or in a simulation. What they do
 * comes back as reports. */
typedef struct chief__homes {
    int64_t (*now)(const chief *c);
    int (*init)(chief *c,
                chief__member *member); /* an error: a home could not be made, with its text as the last error */
    void (*run)(chief__member *member);
    void (*finish)(chief__member *member);
    void (*cancel)(chief__member *member, int64_t until, const char *why);
    void (*force)(chief__member *member, const char *why);
    void (*abandon)(chief__member *member);
    int (*ask)(chief *c, chief__question *q); /* the question stays the caller's on an error */
    void (*close)(chief *c);                  /* the end: nothing more will come */
} chief__homes;

extern const chief__homes chief__thread_homes; /* home.c */

typedef enum chief__stage {
    STAGE_NEW,      /* being configured; no loop */
    STAGE_RUNNING,  /* the loop runs, workers are initialised */
    STAGE_LAUNCHED, /* workers may run */
    STAGE_STOPPED   /* the loop is over */
} chief__stage;

typedef struct chief__hook {
    struct chief__hook *next;
    void (*run)(void *data);
    void *data;
} chief__hook;

/* The hooks on their way; shared by the loop and their thread, which may not come back. */
typedef struct chief__hook_run {
    atomic_uint refs; /* dropped with release, the last one acquires */
    chief__inbox *inbox;
    chief_context *context; /* held, since hooks may use what its values keep */
    chief__hook *first;
    chief__thread thread; /* loop thread */
} chief__hook_run;

/* What the application says of itself (info.c). */
typedef struct chief__about {
    char *version; /* this and the next two: const after new, NULL: not said */
    char *build;
    char *tag;
    int64_t started_ms; /* this and the next: under the chief's lock, written once */
    int32_t pid;
} chief__about;

#define N_SIGNALS 4 /* TERM, INT, HUP, USR2 */

struct chief {
    atomic_uint refs; /* the host's and the loop thread's; dropped with release, the last one acquires */
    /* const after new */
    chief__inbox *inbox;
    chief_pool *pool;
    chief__hub *hub;
    chief__events *events;
    const chief__homes *homes;
    struct chief_sim *sim; /* NULL: none */
    chief_context *context;
    chief_context *stop_context; /* below it; done when the stop begins */
    chief__about about;
    size_t thread_stack;
    uint32_t fiber_threads; /* 0: one per core */
    int64_t hook_timeout;
    int64_t force_time;
    atomic_bool loop_ready; /* stored with release when `async` may be sent to; the inbox's wake acquires it */

    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    chief__stage stage;
    bool starting; /* a chief_init_workers is on its way */
    bool hooks_taken;
    bool inited; /* every init has been answered */
    bool launching;
    bool stop_asked;
    bool all_ready;
    bool joined; /* somebody joins or has joined the loop thread */
    bool detached;
    uint32_t ready_waiters;
    uint32_t catches;
    int (*locker)(void *data, chief_context *ctx); /* this and the next: const once `starting` */
    void *locker_data;
    char *name;
    chief__spawner *spawner; /* of its children, made with the first process worker; then const */
    chief__hook *hooks;      /* the last registered first */
    chief__thread thread;
    /* under lock until STAGE_RUNNING, then loop thread; results also const after STAGE_STOPPED */
    chief_log *log; /* written by the one chief_init_workers on its way, without the lock; then loop thread */
    chief__model *model;
    chief__member **members; /* by id, NULL where there is none */
    size_t n_members;
    bool any_named;
    bool enable_by_default;
    bool exit_when_done;
    int result;
    int exit_code;
    char *result_text;

    /* loop thread */
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;
    struct chief__saved_signals *saved;
    uv_poll_t parent_watch;
    chief_context *parent;
    bool watching_parent;
    chief_worker *outer_life; /* of a nested chief: whose grace bounds its stop. Held; const once `starting` */
    bool stopping;
    bool ended; /* conclude has run */
    const char *stop_why;
    char *stop_text;  /* what stop_why may point to */
    char *names_late; /* of those interrupted or abandoned by the stop, comma separated */
    bool lost_critical;
    char *lost; /* the critical worker that was given up, and why, in a sentence; NULL also without memory */
    size_t n_stillborn;
    chief__scheds *scheds; /* from the first fiber on */
    chief__crew *crew;     /* from the first worker in a thread on */
    chief_worker *ending;  /* threads that reported their last and are to be joined */
    int64_t join_delay;
    chief__asker *asker; /* from the first question on */
    chief__hook_run *hook_run;
    int64_t hook_deadline;
    char *failure; /* of the report that is being dealt with; the loop's until an action takes them */
    char *traceback;
};

/* chief.c */
chief *chief__ref(chief *c);
void chief__unref(chief *c);
int chief__members_add(chief *c, chief__unit *unit, bool enabled);
void chief__member_drop(chief *c, chief__member *member);
chief__member *chief__member_find(chief *c, const char *name);
chief__members_of chief__members_named(chief *c, const char *name);
chief__member *chief__members_next(chief *c, chief__members_of *of);
bool chief__members_there(chief *c, const char *name);
const char *chief__plain_name(const chief__member *member); /* without the number of a replica */
int chief__add_unit(chief *c, chief__unit *unit);           /* also to one that runs */
int chief__unknown_name(chief *c, const char *name);
int chief__check(const chief *c); /* CHIEF_EINVAL for NULL, CHIEF_EFORK in a forked child */

/* request.c */
void chief__answer_requests(chief *c);
int chief__obey(chief *c, const chief__request *request);
int chief__check_channels(chief *c);

/* loop.c */
int chief__loop_open(chief *c);
void chief__loop_close(chief *c);
void chief__loop_discard(chief *c);
void chief__loop_main(void *data);
int chief__feed(chief *c, chief__step_kind kind, uint32_t id, uint64_t generation, int32_t reason);
int chief__feed_event(chief *c, const chief__step_event *event);
void chief__wake(void *data);
void chief__note_ready(chief *c);
void chief__take_notes(chief *c);

/* act.c */
/* `more` actions of the same answer come behind it. */
void chief__act(chief *c, const chief__action *action, size_t more);
void chief__name_late(chief *c, chief__member *member);
void chief__note_late(chief *c, chief__member *member);
void chief__tell(chief *c, chief_event *event);
void chief__tell_worker(chief *c, const chief__member *member, chief_event *event, const char *message);
void chief__note(chief *c, int32_t level, const char *worker, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void chief__record_state(chief *c, chief__member *member, chief_state_t previous, chief_state_t state);

/* act_end.c */
void chief__act_restart(chief *c, chief__member *member, const chief__action *a);
void chief__act_given_up(chief *c, chief__member *member, const chief__action *a);
void chief__act_critical(chief *c, const chief__member *member, const chief__action *a);

/* ask.c */
void chief__act_ask(chief *c, chief__member *member, const chief__action *a);
void chief__act_unanswered(chief *c, const chief__member *member);
void chief__act_isolate(chief *c, chief__member *member, const chief__action *a);
void chief__hear_answer(chief *c, chief__question *q); /* frees it */
void chief__take_answers(chief *c);

/* process.c */
int chief__unit_set_apart(chief *c, chief__unit *unit, const chief_worker_options *options);

/* run.c */
int chief__settle_members(chief *c);

/* sim.c */
void chief__sim_forget(chief__member *member); /* what it has to report: it is about to go */

/* finish.c */
void chief__end(chief *c);
void chief__hooks_done(chief *c);
void chief__hooks_late(chief *c);
void chief__hooks_free(chief__hook *first);

/* catch.c */
int chief__catch_open(chief *c);
void chief__take_signals(chief *c);
void chief__catch_close(chief *c);
void chief__catch_restore(chief *c);
int chief__watch_parent(chief *c, chief_context *parent);

/* Makes a chief that has not been started the inside of a worker's life. CHIEF_EBUSY. */
int chief__nest_into(chief *c, chief_worker *life);

#pragma GCC visibility pop
#endif
