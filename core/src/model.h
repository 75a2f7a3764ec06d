/*
 * model: what the brain remembers: the workers, who waits for whom, and how far the whole is. It keeps its own counters and
 * lists true and decides nothing; step_*.c decide. Everything a step needs is allocated here when a worker is added.
 */
#ifndef CHIEF_MODEL_H
#define CHIEF_MODEL_H

#include "agenda.h"
#include "intensity.h"
#include "names.h"
#include "step.h"

#pragma GCC visibility push(hidden)

/* Where a worker's present generation is. All but NONE and ABANDONED count as alive. */
typedef enum chief__home {
    HOME_NONE = 0,
    HOME_INIT, /* init runs */
    HOME_HELD, /* initialised, waits to be told to run */
    HOME_RUN,  /* told to run */
    HOME_FINI, /* told to end without a run */
    HOME_ABANDONED
} chief__home;

typedef enum chief__wait { WAIT_NONE = 0, WAIT_RESTART, WAIT_DEPENDENCIES, WAIT_TURN, WAIT_ANSWER } chief__wait;

/* Where a worker is in the restart of its group. */
typedef enum chief__turn {
    TURN_NONE = 0,
    TURN_ENDING,  /* lives, and has to end; it may not have been asked yet */
    TURN_WAITING, /* waits for its delay or for those before it */
    TURN_STARTING /* has been started and is not ready yet */
} chief__turn;

/* What follows when a worker that was asked to end has ended. */
typedef enum chief__then { THEN_REST = 0, THEN_START, THEN_REMOVE } chief__then;

/*
 * One worker. It has at most one deadline at a time (in the agenda): of its init, its start, its grace, its restart or
 * the answer of its host; which one is told by `wait`, `asked`, `overdue` and `home`, in this order.
 */
typedef struct chief__life {
    chief__name *name; /* NULL: the slot is free, or waits for the end of an abandoned home */
    chief__name *stem; /* of a replica, else NULL */
    chief_restart restart;
    chief__edge *after;
    uint32_t n_after;
    uint32_t next; /* registration order; of a free slot: the next free one */
    uint32_t previous;
    uint32_t next_replica; /* of the same stem, in registration order */
    uint32_t previous_replica;
    uint32_t level;
    uint32_t missing; /* while levels are counted: dependencies without a level yet */
    uint32_t unmet;   /* dependencies that are expected here and not ready */
    int64_t grace;
    int64_t start_timeout;
    chief__intensity intensity;
    int32_t *codes; /* no_restart_codes */
    uint32_t n_codes;
    bool says_ready;
    bool forceable;
    int64_t force_ms;
    bool critical;
    bool asks;
    int64_t answer_ms;

    chief_state_t state;
    int32_t reason; /* of its last end */
    int32_t phase;
    int64_t phase_until;
    int64_t phase_delay;
    uint64_t generation;
    chief__home home;
    chief__wait wait;
    chief__then then;
    chief__turn turn;
    bool served;         /* had been ready in the generation that has ended */
    bool expected;       /* takes part in this process: others wait for it */
    bool ready;          /* in its present generation; stays so after a clean end, so that a job that is done counts */
    bool unready;        /* counted in the model's `unready` */
    bool asked;          /* was told to end by a request or the stop of everything */
    bool overdue;        /* was told to end because it did not become ready in time */
    int32_t expired;     /* enum chief_reason: its home said that it has to be ended by force; 0: it did not */
    int64_t forced_ends; /* failures by force; INT64_MAX once that has isolated it */
    bool forced;         /* was told to end and has been interrupted since; its deadline is that of the abandonment */
    bool awaited;        /* STEP_INIT still waits for its answer */
    int32_t code;        /* the exit code of its last generation */
    uint64_t failures;   /* in a row */
    int64_t last_delay;
    int64_t up_since;
    int64_t told_at;    /* when it was told to end */
    int64_t told_until; /* the end of the grace it got then */
} chief__life;

/* Workers that are restarted together, in this order. */
typedef struct chief__group {
    char *name;
    int32_t policy;         /* enum chief_group_policy */
    uint32_t n;             /* names */
    uint32_t turns;         /* members that take part in a restart of it */
    chief__name *members[]; /* who carries the name may not be there */
} chief__group;

struct chief__model {
    chief__model_options options;
    uint64_t random;
    chief__intensity budget; /* of restarts after failures */
    chief__names names;
    chief__agenda agenda;
    chief__life *members; /* by id */
    uint32_t len;         /* slots ever used */
    uint32_t capacity;
    uint32_t free_slot; /* CHIEF__NONE: none */
    uint32_t count;     /* workers */
    uint32_t first;     /* registration order */
    uint32_t last;
    size_t n_edges;
    chief__group **groups;
    uint32_t n_groups;
    uint32_t turns; /* members of groups that are restarted */

    chief__action *actions;
    size_t n_actions;
    size_t actions_capacity;
    int64_t now;

    uint32_t live;      /* homes alive */
    uint32_t scheduled; /* restarts, and answers that may bring one */
    uint32_t awaited;   /* answers that STEP_INIT waits for */
    uint32_t unready;   /* enabled workers neither ready nor cleanly ended */
    bool linked;
    bool levels_stale;
    bool init_begun; /* STEP_INIT has come */
    bool launched;
    bool nothing_left;
    bool stopping;
    bool ended;

    /* The stop. Levels do not change once it has begun. */
    int64_t stop_deadline;
    bool signalled;
    int64_t first_signal;
    uint32_t *order;      /* ids of the homes alive at its beginning, by level from the highest; a queue before that */
    uint32_t *level_live; /* by level: homes alive */
    uint32_t *level_from; /* by level: its first place in `order` */
    uint32_t n_order;
    uint32_t next_asked; /* place in `order` */
    uint32_t stop_level; /* the one asked last */
    uint32_t live_levels;
};

/* The worker of that id, or NULL. */
chief__life *chief__model_life(chief__model *m, uint32_t id);

/* The worker whose home of that generation lives, abandoned ones and those of removed workers included, or NULL. */
chief__life *chief__model_home(chief__model *m, uint32_t id, uint64_t generation);

uint32_t chief__model_id(const chief__model *m, const chief__life *w);

/* The next in registration order; from NULL the first; NULL after the last. */
chief__life *chief__model_next(chief__model *m, const chief__life *w);

/* The workers an edge leads to, in registration order: the one of that name, or its replicas. From NULL the first; NULL
 * after the last, and where nobody carries that name (any more). */
chief__life *chief__model_dependency(const chief__model *m, const chief__edge *edge, const chief__life *after);

/* The edges that lead to a worker, by its own name and then by its stem. From NULL the first; NULL after the last. */
const chief__edge *chief__model_dependent(const chief__life *w, const chief__edge *after);

/* Its group, where that has an order in which it is restarted; else NULL. */
chief__group *chief__model_group(const chief__model *m, const chief__life *w);

/* The worker at that place of the group, or NULL where nobody carries that name (any more). */
chief__life *chief__model_at(const chief__model *m, const chief__group *group, uint32_t place);

/* Who comes right before and right after it in its group's order, or NULL. */
chief__life *chief__model_before(const chief__model *m, const chief__life *w);
chief__life *chief__model_behind(const chief__model *m, const chief__life *w);

/* Puts replicas where a group lists their stem. CHIEF_ENOENT: it lists one that is not there; CHIEF_EEXIST, CHIEF_ENOMEM. */
int chief__model_link_groups(chief__model *m);
void chief__model_free_groups(chief__model *m);

/* These keep what is counted over dependents and over the model. */
void chief__model_set_expected(chief__model *m, chief__life *w, bool expected);
void chief__model_set_ready(chief__model *m, chief__life *w, bool ready);
void chief__model_set_state(chief__model *m, chief__life *w, chief_state_t state);
void chief__model_set_home(chief__model *m, chief__life *w, chief__home home);
void chief__model_set_wait(chief__model *m, chief__life *w, chief__wait wait);
void chief__model_set_turn(chief__model *m, chief__life *w, chief__turn turn);

/* Takes the worker out. Its slot is free once no abandoned home of it lives. */
void chief__model_forget(chief__model *m, chief__life *w);
void chief__model_release(chief__model *m, chief__life *w);

/* Counts the levels anew. CHIEF_ECYCLE, with the path, when that is impossible. */
int chief__model_count_levels(chief__model *m);

/* CHIEF_ENOENT, «worker b: after names "x"; there are: …»: `what` is worker, `who` b, `list` after. */
int chief__model_fail_unknown(const chief__model *m, const char *what, const char *who, const char *list,
                              const char *name);

/* now + ms, INT64_MAX (never) when that is too far. */
int64_t chief__model_after(const chief__model *m, int64_t ms);

#pragma GCC visibility pop
#endif
