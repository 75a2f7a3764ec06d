/*
 * step: the supervisor's brain. A model of all workers, fed with events and the time, answers with actions; the loop
 * (chief.c) carries them out. It has no clock, no thread and no I/O, and never calls out: every decision can be
 * tested with a virtual clock. Memory is taken only by adding workers, so a step cannot fail.
 *
 * One worker's life, and who moves it (E: an event from its home, T: time, R: a request, D: its dependencies):
 *
 *   present ─▶ enabled ─A_INIT─▶ (init runs) ─E─▶ initialized ─A_RUN─▶ run ─E─▶ stopped | failed
 *                 ▲                   │E,T                                          │R   │T (restart) or R
 *                 R                   ▼                                             ▼    ▼
 *              disabled ◀─stop── initialized        failed                        (A_INIT, next generation)
 *
 * Ids are small integers, reused only after a removal was answered with STEP_A_REMOVED. Every event from a home carries
 * the generation it was made for; one of another generation than the worker's present one changes nothing.
 */
#ifndef CHIEF_STEP_H
#define CHIEF_STEP_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

typedef struct chief__model chief__model;

typedef struct chief__model_options {
    int64_t force_stop_timeout; /* ms, resolved (no defaults here) */
    int64_t init_timeout;       /* ms */
    uint64_t seed;              /* of the jitter */
    bool exit_when_done;
    bool limited;         /* the next two count */
    int64_t max_restarts; /* after failures, of all together; resolved */
    int64_t restart_window;
} chief__model_options;

/* One worker as the model needs it; all values resolved, `restart.policy` never DEFAULT, `restart.max_restarts` -1 for no
 * limit. A replica ("db/2") is a worker like every other; `after` may also name its stem ("db"), and then means all
 * replicas. */
typedef struct chief__model_worker {
    const char *name; /* borrowed during the call; the model copies it */
    chief_restart restart;
    const char *const *after;
    size_t n_after;
    bool says_ready;
    bool enabled;
    int64_t grace;         /* ms; -1: its share of what is left */
    int64_t start_timeout; /* ms */
    bool forceable;        /* can be interrupted when its grace is over */
    int64_t force_ms;      /* what it has to end in then, before it is abandoned */
    bool critical;
    const int32_t *no_restart_codes;
    size_t n_no_restart_codes;
    bool asks;         /* its host is asked what is to follow when it has ended by itself */
    int64_t answer_ms; /* how long for, before its policy decides */
} chief__model_worker;

typedef enum chief__step_kind {
    STEP_TICK = 0,    /* nothing but time has passed */
    STEP_INIT,        /* chief_init_workers: init whoever waits for no other */
    STEP_LAUNCH,      /* chief_launch: let them run */
    STEP_ENABLE,      /* R id: disabled (or present) → enabled; starts nothing by itself */
    STEP_ADDED,       /* R id: a worker added while running: starts as its dependencies allow */
    STEP_START,       /* R id */
    STEP_STOP,        /* R id */
    STEP_RESTART,     /* R id */
    STEP_REMOVE,      /* R id */
    STEP_INITIALIZED, /* E id generation: init succeeded */
    STEP_INIT_FAILED, /* E id generation reason code: init failed, and its home has ended */
    STEP_ENTERED,     /* E id generation: run is entered */
    STEP_READY,       /* E id generation: the worker says it is ready */
    STEP_EXPIRED,     /* E id generation reason: it has to be ended by force */
    STEP_EXITED,      /* E id generation reason code: run and fini are over, and its home has ended */
    STEP_FINISHED,    /* E id generation: an initialised home that was told to end without a run has had its fini and
                         ended */
    STEP_LATE,        /* E id generation: the home of an abandoned generation has ended after all */
    STEP_ANSWER,      /* id generation answer delay: what its host says to STEP_A_ASK */
    STEP_STOP_ALL,    /* a graceful stop of everything */
    STEP_SIGNAL,      /* SIGTERM or SIGINT: the first stops, another one 500 ms or more after the first forces */
    STEP_FORCE        /* what still runs is interrupted now, or abandoned where that is not possible */
} chief__step_kind;

typedef struct chief__step_event {
    chief__step_kind kind;
    int32_t reason; /* enum chief_reason, of EXPIRED, EXITED and INIT_FAILED */
    uint32_t id;
    uint64_t generation;
    int32_t code;   /* of EXITED and INIT_FAILED: the exit code of a process or of os.exit; 0: none, or a clean one */
    int32_t answer; /* enum chief_answer_kind, of ANSWER */
    int64_t delay;  /* ms, of CHIEF_ANSWER_DELAY */
} chief__step_event;

/* Why a worker is given up. */
typedef enum chief__why {
    WHY_NONE = 0,
    WHY_POLICY,    /* no policy restarts it */
    WHY_INTENSITY, /* `count` failures in `window` ms */
    WHY_CODE,      /* `code` is one of its no_restart_codes */
    WHY_BUDGET, /* all together are restarted more than `count` times in `window` ms. The stop of everything follows */
    WHY_ANSWER, /* its host has said so */
    WHY_ABANDONED /* its thread still lives */
} chief__why;

typedef enum chief__action_kind {
    STEP_A_STATE,  /* id, previous, state, reason, generation: record and tell it. previous == state only when a failed
                         worker failed again (its init, at a restart) */
    STEP_A_WRONG,  /* id, previous (as it stays), state (what was asked): log, an event, nothing else */
    STEP_A_PHASE,  /* id, phase, until (deadline, INT64_MAX none): WAITING with `delay` >= 0 is a restart, with -1 for
                         dependencies */
    STEP_A_INIT,   /* id, generation: make a home and run init there */
    STEP_A_RUN,    /* id, generation: the home goes on with run */
    STEP_A_FINI,   /* id, generation: the home, initialised, ends without a run */
    STEP_A_CANCEL, /* id, generation, until: cancel its context; sends are bound to `until`, the end of its grace. Comes
                         again, with an earlier `until`, when a stop of everything overtakes a stop of this worker */
    STEP_A_FORCE, /* id, generation, until, reason, delay, in_stop: interrupt its home, which has until `until` to end in
                     before it is abandoned. Why: KILLED (`delay`: the grace it had, -1 when the force was asked for),
                     START_TIMEOUT (`delay`: the grace it had after that), INIT_ERROR (`delay`: the init_timeout) or what its
                     home said (STEP_EXPIRED) */
    STEP_A_ABANDON, /* id, generation, state as it stays: close its slot; it is named in the answer of the stop when
                         `in_stop` */
    STEP_A_READY,   /* id: an event */
    STEP_A_RESTART, /* id, delay, until, other: an event, a restart is scheduled (by policy; one that was asked for has none);
                       of a living one because the worker `other` of its group is restarted */
    STEP_A_ASK, /* id, generation, until, reason, code, count, delay: ask its host what is to follow (STEP_ANSWER), which it
                     may say until `until`. `count`: failures in a row, `delay`: for how long it was ready, in ms */
    STEP_A_UNANSWERED, /* id, until: no answer came in time: its policy decides */
    STEP_A_ISOLATE,  /* id, count: from its next generation on it is led in a process; after so many failures by force,
                            0: since the answer says so */
    STEP_A_GIVEN_UP, /* id, why, count, window, code: an event, it is not restarted; its mailbox closes */
    STEP_A_CRITICAL, /* id, why …: that was a critical worker, or one too many. The stop of everything follows */
    STEP_A_REMOVED,  /* id: forget it. Its id is not used again while an abandoned home of it lives (STEP_LATE) */
    STEP_A_NOTE_AFTER,   /* id, other: a dependency that is not enabled here: a note. `whole`: all replicas of other's
                               stem are */
    STEP_A_INITED,       /* every init asked for by STEP_INIT has been answered or has timed out */
    STEP_A_NOTHING_LEFT, /* without exit_when_done: nothing lives and nothing is scheduled; at each change to that */
    STEP_A_STOPPING,     /* the stop of everything has begun */
    STEP_A_ALL_ENDED     /* nothing lives any more and nothing will: hooks, then the end. Comes once */
} chief__action_kind;

typedef struct chief__action {
    chief__action_kind kind;
    uint32_t id;
    uint32_t other;
    uint64_t generation;
    chief_state_t previous;
    chief_state_t state;
    int32_t reason;
    int32_t phase;
    int64_t until;
    int64_t delay;
    chief__why why;
    int32_t code;
    uint32_t count;
    int64_t window;
    bool in_stop;
    bool whole;
} chief__action;

int chief__model_new(chief__model **out, const chief__model_options *options);
void chief__model_free(chief__model *m);

/*
 * Adds a worker (state present, or enabled when `given->enabled`) and sets `*id`. Before STEP_INIT names in `after` may be
 * unknown yet; afterwards they must be known: CHIEF_ENOENT, CHIEF_ECYCLE («a → b → a»), CHIEF_EEXIST, CHIEF_ENOMEM.
 * A failure leaves the model as it was. It emits no actions: the caller records present (and enabled) itself.
 */
int chief__model_add(chief__model *m, const chief__model_worker *given, uint32_t *id);

/* Takes back an addition since which nothing was said to the model. */
void chief__model_take_back(chief__model *m, uint32_t id);

/* The greatest id that the next addition can give. */
size_t chief__model_room(const chief__model *m);

/*
 * Makes a group of these names, whose workers may come later. Before chief__model_link only: CHIEF_EBUSY; CHIEF_EEXIST,
 * CHIEF_EINVAL, CHIEF_ENOMEM.
 */
int chief__model_add_group(chief__model *m, const char *name, int32_t policy, const char *const *names, size_t n);

/* Resolves `after` of all and the groups; CHIEF_ENOENT («worker b: after names "x"; there are: …») or CHIEF_ECYCLE with the
 * path. To be called before STEP_INIT. */
int chief__model_link(chief__model *m);

/* Before STEP_INIT only: whether the worker is enabled (its state is then enabled, or disabled). */
void chief__model_set_enabled(chief__model *m, uint32_t id, bool enabled);
int64_t chief__model_force_stop_timeout(const chief__model *m);
void chief__model_set_force_stop_timeout(chief__model *m, int64_t ms);
void chief__model_set_exit_when_done(chief__model *m, bool on);

/*
 * Takes one event at a time `now` (which never goes back) and returns CHIEF_OK, or for a request
 * CHIEF_WORKER_WRONG_STATE_CHANGE, CHIEF_EBUSY (its abandoned home still lives, or everything is stopping),
 * CHIEF_EENABLE (start of a disabled worker), CHIEF_ENOTINIT (before launch). `*actions` (`*n` of them, in the order to be
 * carried out) belong to the model and live until its next call. Whatever the kind, deadlines that have passed by `now`
 * are dealt with in the same step, before the event itself.
 */
int chief__step(chief__model *m, const chief__step_event *event, int64_t now, const chief__action **actions, size_t *n);

/* Whether a request (START, STOP, RESTART, REMOVE) would set something in motion. */
bool chief__model_accepts(const chief__model *m, chief__step_kind kind, uint32_t id);

/* When the next STEP_TICK is due (monotonic ms), INT64_MAX for never. */
int64_t chief__model_deadline(const chief__model *m);

/* What there is to ask about one worker; an id that is none: CHIEF_WORKER_NULL, IDLE, 0, NULL. */
chief_state_t chief__model_state(const chief__model *m, uint32_t id);
int32_t chief__model_phase(const chief__model *m, uint32_t id);
uint64_t chief__model_generation(const chief__model *m, uint32_t id);
const char *chief__model_name(const chief__model *m, uint32_t id);

/* The greatest number among the replicas of that name, 0 when it has none. */
uint32_t chief__model_replicas(const chief__model *m, const char *stem);

/* Writes the names `id` waits for, comma separated, into `buf` (terminated, cut); returns the full length. */
size_t chief__model_waiting_for(const chief__model *m, uint32_t id, char *buf, size_t size);

/* True when every enabled worker has been ready in its present generation, or has ended cleanly. */
bool chief__model_all_ready(const chief__model *m);

/* The start level (0: waits for nobody enabled here). The stop goes from the highest down. */
uint32_t chief__model_level(const chief__model *m, uint32_t id);

#pragma GCC visibility pop
#endif
