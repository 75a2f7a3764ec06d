/*
 * step_judge: what must hold at every step of the brain, whoever chooses the events. It knows the homes only from what it was
 * told by actions and from what it reported itself. Who includes it says by `pick` what is left open, and by `wrong` what
 * becomes of a step that must not be.
 */
#ifndef CHIEF_TEST_STEP_JUDGE_H
#define CHIEF_TEST_STEP_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "replica.h"

enum { MOST = 12, INIT_TIMEOUT = 50, FORCE_TIMEOUT = 200, FORCE_MS = 20, ANSWER_MS = 15, GROUPS = 2, TIMES = 8 };

typedef enum home { NOBODY, IN_INIT, HELD, RUNNING, IN_FINI, ABANDONED } home;

/* When something happened, the latest last, and how often it may. */
typedef struct limit {
    int64_t most; /* at most TIMES - 1; -1: as often as it likes */
    int64_t window;
    int64_t times[TIMES];
    int len;
} limit;

typedef struct group {
    int32_t policy;
    int n;
    char names[MOST][8];
} group;

typedef enum turn { NO_TURN, ENDING, WAITING, STARTING } turn;

typedef struct worker {
    bool there;
    char name[8];
    home home;
    uint64_t generation;
    chief_state_t state;
    int32_t phase;
    bool asked; /* was told to end, by whatever */
    bool forceable;
    bool expired;              /* has to be ended by force */
    int64_t interrupted_until; /* 0: is not */
    bool reports; /* its report comes with this step, whose deadlines may still take its home for what it was */
    bool held;    /* until that report */
    bool first;   /* its answer is what STEP_INIT waits for */
    bool critical;
    bool served;       /* was ready in its last generation */
    bool let_go;       /* was stopped or removed by a request, which its group has to respect */
    bool takes;        /* has to take its group along in this step */
    bool fresh;        /* began, or became ready, in this step */
    turn turn;         /* in the restart of its group */
    bool ready;        /* in its present generation, or when that ended well */
    bool shares_grace; /* has none of its own */
    bool missed;       /* failed in this step though it was told to end: right only for one that is abandoned */
    int32_t policy;
    bool has_codes;
    int32_t code; /* of its last end; 2 is final */
    int32_t reason;
    bool asks;
    bool questioned;  /* its host has been asked about its last end */
    bool in_question; /* and has not answered yet */
    limit restarts;
    char after_names[2][8];
    size_t n_after;
} worker;

static struct {
    chief__model *m;
    uint64_t random;
    uint64_t seed;
    int64_t now;
    worker w[MOST];
    int names; /* given so far */
    group groups[GROUPS];
    int n_groups;
    limit budget;
    bool has_to_stop;  /* in this step, because of a critical worker */
    int32_t code;      /* of the report in this step */
    uint32_t answered; /* whose host answers in this step; UINT32_MAX: nobody's */
    int32_t answer;
    int64_t answer_delay;
    uint32_t requested; /* who a request in this step is about */
    int twin;           /* the number of the last one that was the first of two replicas; 0: none */
    bool initing, init_sent, inited, launched, stopping, forced, ended, exit_when_done;
    int64_t stop_by;
    bool signalled;
    int64_t first_signal;
    int64_t held_up; /* ms for which the loop did not turn, since the stop began */
} sim;

static size_t most_actions;
static uint64_t steps;

/* How often what is rare has happened: a judge that never sat proves nothing. */
static uint64_t along, in_turn, unanswered, answers[CHIEF_ANSWER_ISOLATE + 1], given_up[WHY_ABANDONED + 1];

#define CHECK(what)                \
    do {                           \
        if (!(what)) wrong(#what); \
    } while (0)

static void wrong(const char *what);
static uint32_t pick(uint32_t n);

static bool alive(const worker *w) { return w->home != NOBODY && w->home != ABANDONED; }

static uint32_t count_alive(void) {
    uint32_t n = 0;
    for (int i = 0; i < MOST; i++) n += alive(&sim.w[i]);
    return n;
}

/* ---- groups and limits, as the judge sees them ---- */

static const group *group_of(const worker *w, int *place) {
    for (int i = 0; w->there && i < sim.n_groups; i++) {
        for (int j = 0; j < sim.groups[i].n; j++) {
            if (strcmp(sim.groups[i].names[j], w->name) != 0) continue;
            *place = j;
            return sim.groups[i].policy == CHIEF_ONE_FOR_ONE ? NULL : &sim.groups[i];
        }
    }
    return NULL;
}

/* Calls for each other member of w's group, with its place less w's own. */
static void with_group(worker *w, void (*look)(worker *w, worker *other, int distance)) {
    int place = 0;
    int other_place = 0;
    const group *g = group_of(w, &place);
    for (int i = 0; g != NULL && i < MOST; i++) {
        worker *other = &sim.w[i];
        if (other != w && group_of(other, &other_place) == g) look(w, other, other_place - place);
    }
}

static bool goes_along(worker *w, int distance) {
    int place = 0;
    const group *g = group_of(w, &place);
    return g != NULL && (g->policy == CHIEF_ONE_FOR_ALL || distance > 0);
}

/* Once more, now: how often that was within the window. */
static int count_in(limit *l) {
    int n = 0;
    if (l->len == TIMES) memmove(l->times, l->times + 1, sizeof l->times[0] * (size_t)--l->len);
    l->times[l->len++] = sim.now;
    for (int i = 0; i < l->len; i++) n += sim.now - l->times[i] <= l->window;
    return n;
}

/* Whose end has been dealt with and who neither waits nor starts drops out. */
static void settle_turns(void) {
    for (int i = 0; i < MOST; i++) {
        worker *w = &sim.w[i];
        bool rests =
            w->phase == CHIEF_PHASE_IDLE || w->phase == CHIEF_PHASE_GIVEN_UP || w->phase == CHIEF_PHASE_ABANDONED;
        if (w->turn == NO_TURN || alive(w)) continue;
        if (!w->there || rests) w->turn = NO_TURN;
        else if (w->turn == ENDING && w->phase == CHIEF_PHASE_WAITING) w->turn = WAITING;
    }
}

/* ---- the judge ---- */

/* It starts in its turn: nobody has to end any more, and those before it are ready or gone. */
static void judge_turn(worker *w, worker *other, int distance) {
    (void)w;
    CHECK(other->turn != ENDING || !alive(other));
    CHECK(distance > 0 || other->turn == NO_TURN);
}

/* What a request has just asked of the other one stands. */
static void judge_taken(worker *w, worker *other, int distance) {
    if (sim.requested == (uint32_t)(other - sim.w)) return;
    bool lived = alive(other) && !other->fresh;
    if (goes_along(w, distance) && lived && !other->let_go) CHECK(other->turn == ENDING);
}

static void judge_going_along(const chief__action *a, worker *w) {
    int place = 0;
    int its = 0;
    worker *failed = &sim.w[a->other];
    CHECK(a->other < MOST && failed != w && failed->takes && (alive(w) || w->reports) && !w->let_go &&
          w->turn != ENDING);
    CHECK(group_of(w, &place) != NULL && group_of(w, &place) == group_of(failed, &its));
    CHECK(goes_along(failed, place - its));
    w->turn = ENDING;
    along++;
}

/* Once about each end that nobody asked for; and nothing is to be asked where a limit has decided. */
static void judge_question(const chief__action *a, worker *w) {
    CHECK(w->asks && !w->questioned && !alive(w) && !sim.stopping && sim.launched);
    CHECK(a->generation == w->generation && a->until == sim.now + ANSWER_MS && a->reason == w->reason);
    CHECK(w->state == CHIEF_WORKER_FAILED || w->state == CHIEF_WORKER_STOPPED);
    CHECK((a->count > 0) == (w->state == CHIEF_WORKER_FAILED));
    if (w->state == CHIEF_WORKER_FAILED) {
        int n = count_in(&w->restarts);
        CHECK(w->restarts.most < 0 || n <= w->restarts.most);
        CHECK(!w->has_codes || w->code != 2 || w->reason == CHIEF_REASON_START_TIMEOUT || w->expired);
    }
    w->questioned = w->in_question = true;
}

/* The answer, in this step, that decides about it; DEFAULT where its policy does. */
static int32_t judge_answer(uint32_t id) {
    worker *w = &sim.w[id];
    int32_t answer = sim.answered == id ? sim.answer : CHIEF_ANSWER_DEFAULT;
    CHECK(!w->asks || w->in_question);
    w->in_question = false;
    if (w->asks) answers[answer]++;
    return answer;
}

static void judge_policy(const worker *w) {
    CHECK(w->policy != CHIEF_RESTART_NEVER);
    CHECK(w->policy == CHIEF_RESTART_ALWAYS || w->state == CHIEF_WORKER_FAILED);
}

static void judge_restart(const chief__action *a, worker *w) {
    int place = 0;
    CHECK(!sim.stopping && sim.launched && a->until == sim.now + a->delay);
    if (a->other != UINT32_MAX) {
        judge_going_along(a, w);
        return;
    }
    CHECK(!alive(w));
    int32_t answer = judge_answer(a->id);
    if (answer == CHIEF_ANSWER_DEFAULT) judge_policy(w);
    CHECK(answer != CHIEF_ANSWER_GIVE_UP);
    if (answer == CHIEF_ANSWER_DELAY) CHECK(a->delay == sim.answer_delay);
    if (w->state == CHIEF_WORKER_FAILED) {
        int n = w->asks ? 0 : count_in(&w->restarts);
        CHECK(w->restarts.most < 0 || n <= w->restarts.most);
        n = count_in(&sim.budget);
        CHECK(sim.budget.most < 0 || n <= sim.budget.most);
        CHECK(!w->has_codes || w->code != 2 || w->reason == CHIEF_REASON_START_TIMEOUT || w->expired);
    }
    if (group_of(w, &place) == NULL) return;
    if (w->served || w->turn != NO_TURN) w->turn = WAITING;
    w->takes = w->served;
}

static void judge_given_up(const chief__action *a, worker *w) {
    CHECK(!alive(w) && w->state == CHIEF_WORKER_FAILED && !sim.stopping);
    given_up[a->why]++;
    bool answered = a->why == WHY_POLICY || a->why == WHY_BUDGET || a->why == WHY_ANSWER;
    int32_t answer = w->asks && answered ? judge_answer(a->id) : CHIEF_ANSWER_DEFAULT;
    if (a->why == WHY_POLICY) CHECK(answer == CHIEF_ANSWER_DEFAULT);
    if (a->why == WHY_ANSWER) CHECK(answer == CHIEF_ANSWER_GIVE_UP);
    else CHECK(answer != CHIEF_ANSWER_GIVE_UP);
    if (a->why == WHY_INTENSITY) CHECK(count_in(&w->restarts) > w->restarts.most && w->restarts.most >= 0);
    if (a->why == WHY_BUDGET) CHECK(count_in(&sim.budget) > sim.budget.most && sim.budget.most >= 0);
    if (a->why == WHY_CODE) CHECK(w->has_codes && w->code == 2);
    if (a->why == WHY_ABANDONED) CHECK(w->home == ABANDONED || w->reports);
    if (a->why == WHY_BUDGET || (w->critical && !w->let_go)) sim.has_to_stop = true;
}

static bool names_it(const worker *w, const char *name) {
    for (size_t i = 0; i < w->n_after; i++) {
        if (!w->there) continue;
        if (strcmp(w->after_names[i], name) == 0 || chief__replica_of(name, w->after_names[i])) return true;
    }
    return false;
}

/* Who has a dependency that takes part does not start before that is ready. */
static void judge_dependencies(const worker *w) {
    for (uint32_t i = 0; i < MOST; i++) {
        const worker *d = &sim.w[i];
        bool takes_part = d->there && d->state >= CHIEF_WORKER_ENABLED;
        CHECK(!takes_part || d->ready || !names_it(w, d->name));
    }
}

/* Nobody above it lives any more: no dependent, and no one of a higher level. */
static void judge_order(uint32_t id) {
    for (uint32_t i = 0; i < MOST; i++) {
        if (!alive(&sim.w[i])) continue;
        CHECK(!names_it(&sim.w[i], sim.w[id].name));
        CHECK(chief__model_level(sim.m, i) <= chief__model_level(sim.m, id));
    }
}

static int count_living_levels(void) {
    int n = 0;
    for (uint32_t i = 0; i < MOST; i++) {
        bool first = alive(&sim.w[i]);
        for (uint32_t j = 0; first && j < i; j++)
            first = !alive(&sim.w[j]) || chief__model_level(sim.m, j) != chief__model_level(sim.m, i);
        n += first;
    }
    return n;
}

/* No longer than the whole, and than its share of that where it has no grace of its own. */
static void judge_grace(const chief__action *a, const worker *w) {
    int64_t end = sim.stop_by > sim.now ? sim.stop_by : sim.now;
    CHECK(a->until <= end);
    CHECK(!w->shares_grace || a->until <= sim.now + (end - sim.now) / count_living_levels());
}

/* One of a group that is restarted is told when those behind it have ended; or because of itself. */
static void judge_last(worker *w, worker *other, int distance) {
    uint32_t id = (uint32_t)(w - sim.w);
    bool itself = sim.requested == id || sim.m->members[id].overdue;
    CHECK(distance < 0 || !alive(other) || other->turn != ENDING || itself);
}

static void judge_asked(const chief__action *a, worker *w) {
    if (sim.stopping && !sim.forced && !w->asked) {
        judge_order(a->id);
        if (a->kind == STEP_A_CANCEL) judge_grace(a, w);
    }
    if (!sim.stopping && w->turn == ENDING && !w->asked) with_group(w, judge_last);
    w->asked = true;
}

static void judge_state(const chief__action *a, worker *w) {
    CHECK(a->previous == w->state);
    CHECK(chief_state_transition(a->previous, a->state) == a->state);
    CHECK(a->previous != a->state || a->state == CHIEF_WORKER_FAILED);
    if (a->state == CHIEF_WORKER_FAILED) {
        bool by_itself = a->reason == CHIEF_REASON_START_TIMEOUT || sim.m->members[a->id].expired != CHIEF_REASON_NONE;
        w->missed = w->asked && w->reports && !by_itself;
        w->ready = false;
    }
    if (a->state == CHIEF_WORKER_STOPPED) CHECK(w->interrupted_until == 0 || a->reason == CHIEF_REASON_KILLED);
    w->state = a->state;
    w->reason = a->reason;
}

static void judge_home(const chief__action *a, worker *w) {
    CHECK(a->kind == STEP_A_INIT || a->generation == w->generation);
    switch (a->kind) {
    case STEP_A_INIT:
        CHECK(w->home == NOBODY && !sim.stopping && !sim.ended && a->generation == w->generation + 1);
        judge_dependencies(w);
        settle_turns();
        if (w->turn == ENDING || w->turn == WAITING) {
            with_group(w, judge_turn);
            w->turn = STARTING;
            in_turn++;
        }
        w->fresh = true;
        w->served = w->let_go = w->ready = false;
        w->code = 0;
        w->generation = a->generation;
        w->interrupted_until = 0;
        w->expired = w->questioned = w->in_question = false;
        w->home = IN_INIT;
        w->asked = false;
        w->first = sim.initing;
        break;
    case STEP_A_RUN:
        CHECK(w->home == HELD || (w->reports && w->held));
        CHECK(sim.launched && !sim.stopping && !w->asked && w->state == CHIEF_WORKER_RUN);
        if (w->home == HELD) w->home = RUNNING;
        break;
    case STEP_A_FINI:
        CHECK(w->home == HELD && (w->state == CHIEF_WORKER_INITIALIZED || w->interrupted_until != 0));
        if (w->interrupted_until == 0) judge_asked(a, w); /* else its end was due before it was asked */
        w->home = IN_FINI;
        break;
    case STEP_A_CANCEL:
        CHECK((w->home == IN_INIT || w->home == RUNNING || w->reports) && a->until >= sim.now);
        judge_asked(a, w);
        break;
    case STEP_A_FORCE:
        CHECK((alive(w) || w->reports) && w->forceable && w->interrupted_until == 0 && a->in_stop == sim.stopping);
        CHECK(w->asked || w->home == IN_INIT || w->reports);
        CHECK(a->until == sim.now + FORCE_MS);
        w->interrupted_until = a->until;
        break;
    default: /* STEP_A_ABANDON: who can be interrupted has been, and had its time */
        CHECK(!w->forceable || (w->interrupted_until != 0 && sim.now >= w->interrupted_until));
        CHECK((alive(w) || w->reports) && a->in_stop == sim.stopping && a->state == CHIEF_WORKER_FAILED);
        CHECK(w->asked || w->interrupted_until != 0 || w->home == IN_INIT || w->reports);
        if (alive(w)) w->home = ABANDONED;
        w->missed = false;
        break;
    }
}

static void judge_all(const chief__action *a) {
    switch (a->kind) {
    case STEP_A_INITED:
        CHECK(sim.init_sent && !sim.inited && !sim.ended);
        for (int i = 0; i < MOST; i++) CHECK(sim.w[i].home != IN_INIT || !sim.w[i].first);
        sim.inited = true;
        break;
    case STEP_A_NOTHING_LEFT: CHECK(count_alive() == 0 && !sim.exit_when_done && !sim.stopping); break;
    case STEP_A_STOPPING:
        CHECK(!sim.stopping && !sim.ended);
        sim.stopping = true;
        for (int i = 0; i < MOST; i++) sim.w[i].turn = NO_TURN;
        sim.stop_by = sim.now + FORCE_TIMEOUT;
        sim.held_up = 0;
        break;
    default: /* STEP_A_ALL_ENDED */
        CHECK(!sim.ended && count_alive() == 0 && (sim.stopping || sim.exit_when_done));
        CHECK(!sim.init_sent || sim.inited);
        sim.ended = true;
        break;
    }
}

static void judge(const chief__action *a) {
    worker *w = a->id < MOST ? &sim.w[a->id] : NULL;
    CHECK(!sim.ended); /* nothing comes after the end */
    CHECK(w == NULL || w->there);
    if (w == NULL) {
        judge_all(a);
        return;
    }
    switch (a->kind) {
    case STEP_A_STATE: judge_state(a, w); break;
    case STEP_A_PHASE:
        w->phase = a->phase;
        if (!alive(w) && w->phase == CHIEF_PHASE_IDLE) w->turn = NO_TURN;
        break;
    case STEP_A_ASK: judge_question(a, w); break;
    case STEP_A_ISOLATE: CHECK(w->in_question && sim.answered == a->id && sim.answer == CHIEF_ANSWER_ISOLATE); break;
    case STEP_A_UNANSWERED:
        CHECK(w->in_question && sim.answered != a->id);
        unanswered++;
        break;
    case STEP_A_WRONG: CHECK(a->previous == w->state); break;
    case STEP_A_READY:
        CHECK(w->home == RUNNING && !w->asked && w->phase == CHIEF_PHASE_UP);
        w->served = w->ready = w->fresh = true;
        if (w->turn != ENDING) w->turn = NO_TURN;
        break;
    case STEP_A_RESTART: judge_restart(a, w); break;
    case STEP_A_GIVEN_UP: judge_given_up(a, w); break;
    case STEP_A_CRITICAL: CHECK(sim.has_to_stop && !sim.stopping); break;
    case STEP_A_NOTE_AFTER: CHECK(a->other < MOST && sim.w[a->other].there); break;
    case STEP_A_REMOVED:
        CHECK(!alive(w));
        w->turn = NO_TURN;
        w->there = false;
        break;
    default: judge_home(a, w); break;
    }
}

/* A phase says what its home does. */
static void judge_phase(uint32_t id) {
    const worker *w = &sim.w[id];
    CHECK(chief__model_state(sim.m, id) == w->state && chief__model_phase(sim.m, id) == w->phase);
    switch (w->phase) {
    case CHIEF_PHASE_STARTING: CHECK(w->home == IN_INIT || w->home == RUNNING); break;
    case CHIEF_PHASE_UP: CHECK(w->home == RUNNING && w->state == CHIEF_WORKER_RUN); break;
    case CHIEF_PHASE_STOPPING: CHECK(alive(w) && (w->asked || w->interrupted_until != 0)); break;
    case CHIEF_PHASE_ABANDONED: CHECK(!alive(w) && w->state == CHIEF_WORKER_FAILED); break;
    case CHIEF_PHASE_GIVEN_UP: CHECK(w->home == NOBODY && w->state == CHIEF_WORKER_FAILED); break;
    case CHIEF_PHASE_WAITING: CHECK((w->home == NOBODY || w->home == HELD) && !sim.stopping); break;
    default: CHECK(w->home == NOBODY || w->home == HELD); break;
    }
}

/* What the model keeps counted is what there is. */
static void judge_counts(void) {
    uint32_t live = 0;
    uint32_t scheduled = 0;
    uint32_t awaited = 0;
    uint32_t unready = 0;
    for (uint32_t id = 0; id < sim.m->len; id++) {
        const chief__life *w = &sim.m->members[id];
        live += w->home != HOME_NONE && w->home != HOME_ABANDONED;
        if (w->name == NULL) continue;
        scheduled += w->wait == WAIT_RESTART || w->wait == WAIT_ANSWER;
        awaited += w->awaited;
        unready += w->unready;
    }
    CHECK(live == sim.m->live && live == count_alive());
    CHECK(scheduled == sim.m->scheduled && awaited == sim.m->awaited && unready == sim.m->unready);
}

static int step(chief__step_kind kind, uint32_t id, uint64_t generation, int32_t reason) {
    const chief__action *actions;
    size_t n;
    chief__step_event event = {.kind = kind, .id = id, .generation = generation, .reason = reason};
    event.code = sim.code;
    sim.answered = kind == STEP_ANSWER ? id : UINT32_MAX;
    event.answer = sim.answer;
    event.delay = sim.answer_delay;
    sim.has_to_stop = false;
    sim.requested = kind >= STEP_ENABLE && kind <= STEP_REMOVE ? id : UINT32_MAX;
    sim.initing = kind == STEP_INIT;
    if (kind == STEP_INIT) sim.init_sent = true;
    if (kind == STEP_LAUNCH && !sim.stopping) sim.launched = true;
    if (kind == STEP_FORCE || (kind == STEP_SIGNAL && sim.signalled && sim.now - sim.first_signal >= 500))
        sim.forced = true;
    if (kind == STEP_SIGNAL && !sim.signalled) {
        sim.signalled = true;
        sim.first_signal = sim.now;
    }
    int rc = chief__step(sim.m, &event, sim.now, &actions, &n);
    steps++;
    most_actions = n > most_actions ? n : most_actions;
    for (size_t i = 0; i < n; i++) judge(&actions[i]);
    for (uint32_t i = 0; i < MOST; i++) {
        if (sim.w[i].there) judge_phase(i);
        if (sim.w[i].takes && !sim.stopping) with_group(&sim.w[i], judge_taken);
        CHECK(!sim.w[i].missed);
        sim.w[i].takes = false;
        if (sim.w[i].phase != CHIEF_PHASE_WAITING) sim.w[i].in_question = false;
    }
    for (uint32_t i = 0; i < MOST; i++) sim.w[i].fresh = false;
    settle_turns();
    CHECK(!sim.has_to_stop || sim.stopping);
    sim.code = 0;
    judge_counts();
    return rc;
}

/* As the loop does: a tick whenever one is due; a model that always wants another would hang it. */
static void pass(int64_t ms) {
    int64_t end = sim.now + ms;
    for (int ticks = 0; chief__model_deadline(sim.m) <= end; ticks++) {
        CHECK(ticks < 2000);
        if (chief__model_deadline(sim.m) > sim.now) sim.now = chief__model_deadline(sim.m);
        step(STEP_TICK, 0, 0, 0);
    }
    sim.now = end;
}

/* ---- the homes ---- */

static void initialized(uint32_t id) {
    sim.w[id].reports = true;
    sim.w[id].home = HELD;
    step(STEP_INITIALIZED, id, sim.w[id].generation, 0);
    sim.w[id].reports = false;
}

static void ends(uint32_t id, chief__step_kind kind, int32_t reason) {
    sim.w[id].reports = true;
    sim.w[id].held = sim.w[id].home == HELD;
    sim.w[id].home = NOBODY;
    sim.w[id].code = sim.code = (int32_t)pick(4);
    step(kind, id, sim.w[id].generation, reason);
    sim.w[id].reports = sim.w[id].held = false;
}

/* It has to be ended by force. */
static void expire(uint32_t id) {
    worker *w = &sim.w[id];
    w->reports = true;
    w->expired = true;
    step(STEP_EXPIRED, id, w->generation, CHIEF_REASON_WATCHDOG);
    w->reports = false;
    CHECK(w->interrupted_until != 0 || w->home == ABANDONED);
}

/* Asks it of one worker. A stop that is granted lets its group go on in the same step. */
static int ask(worker *w, chief__step_kind kind) {
    bool lets_go = kind == STEP_STOP || kind == STEP_REMOVE;
    bool rested = !alive(w) && w->phase != CHIEF_PHASE_WAITING;
    turn before = w->turn;
    if (lets_go) w->turn = NO_TURN;
    int rc = step(kind, (uint32_t)(w - sim.w), 0, 0);
    if (rc != CHIEF_OK && w->turn == NO_TURN) w->turn = before;
    settle_turns();
    if (rc != CHIEF_OK) return rc;
    if (lets_go || kind == STEP_START || kind == STEP_RESTART) w->in_question = false;
    if (lets_go) w->turn = NO_TURN; /* its group may have taken it along in this very step, before */
    if (alive(w)) w->let_go = lets_go || (w->let_go && kind != STEP_RESTART);
    if (rested && (kind == STEP_START || kind == STEP_RESTART)) w->restarts.len = 0;
    return rc;
}

/* A loop that does not turn for a while. */
static void hold_up(int64_t ms) {
    sim.now += ms;
    sim.held_up += ms;
}

#endif
