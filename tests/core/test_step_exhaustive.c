/*
 * All that can happen to two workers, within a scope: whatever order their reports, the requests, the failures, the stop and
 * the time come in. The judge (step_judge.h) looks at every step, and from every state there is three more things must
 * hold: what is said of lives that are over changes nothing; everything ends in time when it is told to, though nobody answers
 * any more; and when everybody behaves well, nobody waits in vain.
 *
 * A state is left and come back to by copying memory: the model lives in an arena, the judge in one structure. Times count
 * only by their distance from now, so that there are finitely many states and each is looked at once.
 * CHIEF_STEP_DEPTH=2 looks further (minutes).
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"
#include "space.h"
#include "step_judge.h"

/* After MOST_FAILURES in a row the delay grows no more. */
enum { WORKERS = 2, DEEPEST = 4000, LONG_TIME = 20000, PATIENCE = 200, MOST_FAILURES = 2 };

/* ---- what is explored ---- */

/* What two workers may be, by bits; without any they are independent and restarted after a failure. */
enum {
    B_AFTER_A = 1 << 0,
    ONE_FOR_ALL = 1 << 1,
    REST_FOR_ONE = 1 << 2,
    CRITICAL = 1 << 3, /* a */
    SAYS_READY = 1 << 4,
    FORCEABLE = 1 << 5,
    ALWAYS_RESTARTED = 1 << 6,
    NEVER_RESTARTED = 1 << 7,
    LIMITED = 1 << 8, /* one restart in a window, and two of all together */
    ENDS_WHEN_DONE = 1 << 9,
    SHORT_GRACE = 1 << 10,
    LONG_GRACE = 1 << 11, /* than the whole may last */
    FINAL_CODE = 1 << 12
};

/* How often what could be repeated for ever may happen. */
typedef struct scope {
    uint8_t ends;     /* that nobody asked for: failures and clean ones */
    uint8_t requests; /* for one worker */
    uint8_t holds;    /* the loop stands still, or a long time passes */
    uint8_t forces;
    bool launched;
} scope;

typedef enum move {
    TIME = 0, /* until something is due */
    HOLD,     /* the same, but the loop learns it with the next event only */
    LAUNCH,
    STOP_ALL,
    SIGNAL,
    FORCE,
    OF_ALL, /* the rest is about one worker */
    INITIALIZED = OF_ALL,
    INIT_FAILS,
    ENTERED,
    READY,
    ENDS_WELL,
    FAILS,
    FAILS_FINALLY,
    EXPIRES, /* what watches over it wants it ended by force */
    FINISHED,
    LATE,
    START,
    STOP,
    RESTART,
    REMOVE,
    MOVES
} move;

static const char *const move_names[MOVES] = {"time passes",  "the loop stands still",
                                              "launch",       "stop all",
                                              "signal",       "force",
                                              "initialized",  "init fails",
                                              "entered",      "ready",
                                              "ends",         "fails",
                                              "fails with 2", "expires",
                                              "finished",     "late end",
                                              "start",        "stop",
                                              "restart",      "remove"};

static unsigned variation;
static scope left;
static uint8_t trail[DEEPEST + 1]; /* move * WORKERS + worker */
static int depth;
static uint32_t code; /* of the next end */
static uint64_t transitions;

static uint32_t pick(uint32_t n) { return code % n; }

static bool has(unsigned bit) { return (variation & bit) != 0; }

static void wrong(const char *what) {
    print_error("variation %u:%s", variation, depth > 100 ? " …" : "");
    for (int i = depth > 100 ? depth - 100 : 0; i < depth; i++) {
        move m = (move)(trail[i] / WORKERS);
        if (m < OF_ALL) print_error(" %s;", move_names[m]);
        else print_error(" %c %s;", 'a' + trail[i] % WORKERS, move_names[m]);
    }
    fail_msg("then does not hold: %s", what);
}

/* ---- going back ---- */

typedef struct place {
    char *arena;
    char sim[sizeof sim];
    scope left;
} place;

static place places[DEEPEST + 2];

static void keep_place(place *p) {
    memcpy(p->arena, arena, arena_used);
    memcpy(p->sim, &sim, sizeof sim);
    p->left = left;
}

static void go_back(const place *p) {
    memcpy(arena, p->arena, arena_used);
    memcpy(&sim, p->sim, sizeof sim);
    left = p->left;
}

/* ---- which states have been seen ---- */

static uint64_t mixed;

static void mix(int64_t value) {
    mixed = (mixed ^ (uint64_t)value) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29;
}

/* What is over is over, however long. */
static void mix_until(int64_t time) { mix(time == INT64_MAX ? -1 : time > sim.now ? time - sim.now : 0); }

static void mix_intensity(const chief__intensity *in) {
    mix(in->len);
    for (uint32_t i = 0; i < in->len; i++) {
        int64_t time = in->times[(in->next + in->most - 1 - i) % in->most];
        mix(sim.now - time > in->window ? -1 : sim.now - time);
    }
}

static void mix_life(uint32_t id) {
    const chief__life *w = &sim.m->members[id];
    bool told = w->asked || w->overdue;
    int32_t flags = w->served | w->expected << 1 | w->ready << 2 | w->asked << 3 | w->overdue << 4 | w->forced << 5 |
                    w->awaited << 6 | (w->name != NULL) << 7;
    mix(flags);
    mix(w->home | w->wait << 4 | (int64_t)w->then << 8 | (int64_t)w->turn << 12);
    mix(w->state * 256 + w->phase);
    mix(w->failures < MOST_FAILURES ? (int64_t)w->failures : MOST_FAILURES);
    mix(w->last_delay);
    mix(w->code);
    mix(w->expired);
    mix_until(chief__agenda_due(&sim.m->agenda, id));
    if (w->ready && w->home == HOME_RUN) mix(chief__policy_healthy(sim.now - w->up_since, w->last_delay));
    if (told && w->home != HOME_NONE) mix(w->told_until - w->told_at);
    mix_intensity(&w->intensity);
}

static void mix_judged(const worker *w) {
    mix(w->there | w->asked << 1 | w->first << 2 | w->served << 3 | w->let_go << 4);
    mix(w->home | w->turn << 4);
    mix(w->reason * 256 + w->code);
    mix_until(w->interrupted_until == 0 ? INT64_MAX : w->interrupted_until);
}

static uint64_t number_of_state(void) {
    const chief__model *m = sim.m;
    mixed = 1;
    for (uint32_t id = 0; id < WORKERS; id++) {
        mix_life(id);
        mix_judged(&sim.w[id]);
    }
    mix_intensity(&m->budget);
    mix(m->launched | m->nothing_left << 1 | m->stopping << 2 | m->ended << 3 | m->signalled << 4 | sim.inited << 5 |
        sim.forced << 6);
    if (m->stopping) {
        mix_until(m->stop_deadline);
        mix((int64_t)m->next_asked * 64 + m->stop_level);
        mix(sim.held_up);
    }
    mix(left.ends | left.requests << 8 | left.holds << 16 | left.forces << 24);
    return mixed != 0 ? mixed : 1;
}

/* ---- the moves ---- */

static bool takes(uint8_t *budget) {
    if (*budget == 0) return false;
    --*budget;
    return true;
}

static bool tick(void) {
    int64_t due = chief__model_deadline(sim.m);
    if (due == INT64_MAX) return false;
    if (due > sim.now) sim.now = due;
    step(STEP_TICK, 0, 0, 0);
    return true;
}

/* Where nothing is due, a long time: long enough for a worker to be healthy. */
static bool hold(void) {
    int64_t due = chief__model_deadline(sim.m);
    if (sim.ended || due <= sim.now || !takes(&left.holds)) return false;
    if (due == INT64_MAX) pass(LONG_TIME);
    else hold_up(due - sim.now);
    return true;
}

static bool about_all(move what) {
    switch (what) {
    case TIME: return tick();
    case HOLD: return hold();
    case LAUNCH:
        if (left.launched) return false;
        left.launched = true;
        step(STEP_LAUNCH, 0, 0, 0);
        return true;
    case STOP_ALL:
        if (sim.stopping) return false;
        step(STEP_STOP_ALL, 0, 0, 0);
        return true;
    case SIGNAL:
        if (sim.signalled || sim.ended) return false;
        step(STEP_SIGNAL, 0, 0, 0);
        return true;
    default:
        if (sim.ended || !takes(&left.forces)) return false;
        step(STEP_FORCE, 0, 0, 0);
        return true;
    }
}

static bool tells(worker *w, bool in_place, chief__step_kind kind) {
    if (!in_place) return false;
    step(kind, (uint32_t)(w - sim.w), w->generation, 0);
    return true;
}

/* An end that was asked for is none of those that are counted. */
static bool ends_now(worker *w, bool in_place, chief__step_kind kind, int32_t reason) {
    if (!in_place ||
        (!w->asked && w->interrupted_until == 0 && kind != STEP_FINISHED && kind != STEP_LATE && !takes(&left.ends)))
        return false;
    ends((uint32_t)(w - sim.w), kind, reason);
    code = 0;
    return true;
}

static bool fails_finally(worker *w) {
    if (!has(FINAL_CODE)) return false;
    code = 2;
    return ends_now(w, w->home == RUNNING && !w->asked, STEP_EXITED, CHIEF_REASON_ERROR);
}

static bool expires(worker *w) {
    bool lives = w->home == IN_INIT || w->home == RUNNING;
    if (!lives || w->interrupted_until != 0 || !takes(&left.ends)) return false;
    expire((uint32_t)(w - sim.w));
    return true;
}

static bool requests(worker *w, chief__step_kind kind) {
    if (!w->there || sim.stopping || sim.ended || !left.launched || !takes(&left.requests)) return false;
    bool accepted = chief__model_accepts(sim.m, kind, (uint32_t)(w - sim.w));
    bool moved = chief__model_deadline(sim.m) <= sim.now; /* what is due comes first, and may change the answer */
    int rc = ask(w, kind);
    CHECK(moved || accepted == (rc == CHIEF_OK));
    return true;
}

static bool about_one(move what, worker *w) {
    bool inits = w->home == IN_INIT;
    bool runs = w->home == RUNNING;
    bool was_ready = runs && sim.m->members[w - sim.w].ready;
    switch (what) {
    case INITIALIZED:
        if (!inits) return false;
        initialized((uint32_t)(w - sim.w));
        return true;
    case INIT_FAILS: return ends_now(w, inits, STEP_INIT_FAILED, CHIEF_REASON_INIT_ERROR);
    case ENTERED: return tells(w, runs && !was_ready && !has(SAYS_READY), STEP_ENTERED);
    case READY: return tells(w, runs && !was_ready && has(SAYS_READY), STEP_READY);
    case ENDS_WELL: return ends_now(w, runs, STEP_EXITED, CHIEF_REASON_OK);
    case FAILS: return ends_now(w, runs || w->home == HELD, STEP_EXITED, CHIEF_REASON_ERROR);
    case FAILS_FINALLY: return fails_finally(w);
    case EXPIRES: return expires(w);
    case FINISHED: return ends_now(w, w->home == IN_FINI, STEP_FINISHED, 0);
    case LATE: return ends_now(w, w->home == ABANDONED, STEP_LATE, 0);
    case START: return requests(w, STEP_START);
    case STOP: return requests(w, STEP_STOP);
    case RESTART: return requests(w, STEP_RESTART);
    default: return requests(w, STEP_REMOVE);
    }
}

/* ---- what must hold from every state on ---- */

/* Though no home says a word any more. */
static void end_in_silence(void) {
    int64_t most = FORCE_TIMEOUT + WORKERS * FORCE_MS + sim.held_up;
    if (!sim.stopping) step(STEP_STOP_ALL, 0, 0, 0);
    while (!sim.ended) {
        if (!tick()) wrong("a stop that nobody answers ends");
        CHECK(sim.now - (sim.stop_by - FORCE_TIMEOUT) <= most);
    }
}

static bool answer_well(worker *w) {
    bool told = w->asked || w->interrupted_until != 0 || w->phase == CHIEF_PHASE_STOPPING;
    if (told && w->home == RUNNING) return about_one(ENDS_WELL, w);
    return about_one(INITIALIZED, w) || about_one(ENTERED, w) || about_one(READY, w) || about_one(FINISHED, w) ||
           about_one(LATE, w);
}

/* Nothing comes of it unless somebody asks. */
static bool rests(const worker *w) {
    return w->phase == CHIEF_PHASE_IDLE || w->phase == CHIEF_PHASE_GIVEN_UP || w->phase == CHIEF_PHASE_ABANDONED;
}

/* Everybody answers, and well: then each comes to where it stays. */
static void end_well(void) {
    left.ends = 255;
    if (!left.launched) (void)about_all(LAUNCH);
    for (int rounds = 0;; rounds++) {
        bool moved = false;
        if (rounds > PATIENCE) wrong("workers that behave well come to rest");
        for (int id = 0; id < WORKERS; id++) moved = answer_well(&sim.w[id]) || moved;
        if (!moved && !tick()) break;
    }
    CHECK(!sim.stopping || sim.ended);
    for (int id = 0; id < WORKERS && !sim.ended; id++) {
        const worker *w = &sim.w[id];
        if (!w->there) continue;
        bool settled = w->phase == CHIEF_PHASE_UP || rests(w);
        CHECK(w->phase != CHIEF_PHASE_ABANDONED || chief__model_accepts(sim.m, STEP_START, (uint32_t)id));
        CHECK(settled || (w->phase == CHIEF_PHASE_WAITING && w->n_after > 0 && rests(&sim.w[0])));
    }
}

/* What is said of a life that is over changes nothing. */
static void judge_stale_reports(void) {
    static const chief__step_kind kinds[] = {STEP_INITIALIZED, STEP_EXITED, STEP_LATE};
    if (sim.ended || chief__model_deadline(sim.m) <= sim.now) return;
    uint64_t before = number_of_state();
    for (size_t i = 0; i < WORKERS * sizeof kinds / sizeof *kinds; i++) {
        uint32_t id = i % WORKERS;
        step(kinds[i / WORKERS], id, sim.w[id].generation - 1, CHIEF_REASON_ERROR);
        CHECK(sim.m->n_actions == 0);
    }
    CHECK(number_of_state() == before);
}

static void judge_future(const place *here) {
    judge_stale_reports();
    end_in_silence();
    go_back(here);
    end_well();
    go_back(here);
}

/* ---- the exploration ---- */

static bool make(move what, worker *w) { return what < OF_ALL ? about_all(what) : about_one(what, w); }

static void explore(void) {
    place *here = &places[depth];
    if (here->arena == NULL) here->arena = malloc(sizeof arena);
    assert_non_null(here->arena);
    keep_place(here);
    judge_future(here);
    for (int i = 0; i < MOVES * WORKERS; i++) {
        move what = (move)(i / WORKERS);
        if (what < OF_ALL && i % WORKERS != 0) continue;
        trail[depth++] = (uint8_t)i;
        if (depth == DEEPEST) wrong("the states are finitely many");
        if (make(what, &sim.w[i % WORKERS])) {
            transitions++;
            if (see(number_of_state())) explore();
            go_back(here);
        } else {
            left = here->left;
            code = 0;
        }
        depth--;
    }
}

static void add_one(int number) {
    static const int32_t final[] = {2};
    static const char *const after[] = {"a"};
    worker w = {.there = true, .critical = has(CRITICAL) && number == 0, .forceable = has(FORCEABLE)};
    uint32_t id;
    chief__model_worker given = {.name = number == 0 ? "a" : "b",
                                 .restart = {.policy = has(ALWAYS_RESTARTED)  ? CHIEF_RESTART_ALWAYS
                                                       : has(NEVER_RESTARTED) ? CHIEF_RESTART_NEVER
                                                                              : CHIEF_RESTART_ON_FAILURE,
                                             .delay = 5,
                                             .factor = 2,
                                             .max_delay = 10,
                                             .max_restarts = has(LIMITED) ? 1 : -1,
                                             .window = 100},
                                 .enabled = true,
                                 .says_ready = has(SAYS_READY),
                                 .start_timeout = 40,
                                 .grace = has(SHORT_GRACE)  ? 10
                                          : has(LONG_GRACE) ? 2 * FORCE_TIMEOUT
                                                            : -1,
                                 .critical = w.critical,
                                 .forceable = w.forceable,
                                 .force_ms = FORCE_MS};
    memcpy(w.name, given.name, 2);
    if (has(FINAL_CODE)) {
        w.has_codes = true;
        given.no_restart_codes = final;
        given.n_no_restart_codes = 1;
    }
    if (number == 1 && has(B_AFTER_A)) {
        memcpy(w.after_names[w.n_after++], "a", 2);
        given.after = after;
        given.n_after = 1;
    }
    w.shares_grace = given.grace < 0;
    w.policy = given.restart.policy;
    w.restarts.most = given.restart.max_restarts;
    w.restarts.window = given.restart.window;
    w.state = CHIEF_WORKER_ENABLED;
    CHECK(chief__model_add(sim.m, &given, &id) == CHIEF_OK && id == (uint32_t)number);
    sim.w[id] = w;
}

static void group_them(void) {
    static const char *const names[] = {"a", "b"};
    group *g = &sim.groups[sim.n_groups++];
    g->policy = has(ONE_FOR_ALL) ? CHIEF_ONE_FOR_ALL : CHIEF_REST_FOR_ONE;
    g->n = WORKERS;
    memcpy(g->names[0], "a", 2);
    memcpy(g->names[1], "b", 2);
    CHECK(chief__model_add_group(sim.m, "g", g->policy, names, WORKERS) == CHIEF_OK);
}

static void make_model(void) {
    chief__model_options options = {.force_stop_timeout = FORCE_TIMEOUT, .init_timeout = INIT_TIMEOUT, .seed = 1};
    sim.exit_when_done = options.exit_when_done = has(ENDS_WHEN_DONE);
    options.limited = has(LIMITED);
    options.max_restarts = 2;
    options.restart_window = 100;
    sim.budget.most = options.limited ? options.max_restarts : -1;
    sim.budget.window = options.restart_window;
    CHECK(chief__model_new(&sim.m, &options) == CHIEF_OK);
    for (int i = 0; i < WORKERS; i++) add_one(i);
    if (has(ONE_FOR_ALL) || has(REST_FOR_ONE)) group_them();
    CHECK(chief__model_link(sim.m) == CHIEF_OK);
}

/* Answers how many states there are. The allocator is the process's, so that nothing else of the library may run here. */
static uint64_t explore_variation(unsigned bits, scope within) {
    chief_allocator from_arena = {sizeof from_arena, arena_realloc, NULL};
    variation = bits;
    left = within;
    depth = 0;
    arena_used = 0;
    memset(&sim, 0, sizeof sim);
    sim.now = 1000;
    forget_seen();
    assert_int_equal(chief_set_allocator(&from_arena), CHIEF_OK);
    make_model();
    step(STEP_INIT, 0, 0, 0);
    explore();
    assert_int_equal(chief_set_allocator(NULL), CHIEF_OK);
    return seen.len;
}

/* ---- the tests ---- */

static const unsigned plain[] = {0,
                                 B_AFTER_A,
                                 ONE_FOR_ALL,
                                 REST_FOR_ONE,
                                 B_AFTER_A | REST_FOR_ONE | LONG_GRACE,
                                 LIMITED | CRITICAL,
                                 LIMITED | CRITICAL | ONE_FOR_ALL,
                                 LIMITED | REST_FOR_ONE,
                                 ALWAYS_RESTARTED | B_AFTER_A | FINAL_CODE,
                                 ENDS_WHEN_DONE | NEVER_RESTARTED | B_AFTER_A,
                                 SAYS_READY | REST_FOR_ONE | SHORT_GRACE};

/* An interrupt is one more stage with times of its own, which makes many more states. */
static const unsigned interrupted[] = {FORCEABLE | B_AFTER_A, FORCEABLE | B_AFTER_A | ONE_FOR_ALL | SHORT_GRACE,
                                       FORCEABLE | B_AFTER_A | SAYS_READY};

static void explore_all(const unsigned *variations, size_t n, scope within) {
    uint64_t states = 0;
    uint64_t before = transitions;
    for (size_t i = 0; i < n; i++) states += explore_variation(variations[i], within);
    printf("%u ends, %u requests, %u holds, %u forces: %zu variations, %" PRIu64 " states, %" PRIu64 " transitions\n",
           within.ends, within.requests, within.holds, within.forces, n, states, transitions - before);
    (void)fflush(stdout);
    assert_true(states > 500 * n); /* a world that is cut short proves nothing */
}

#define EXPLORE(variations, ...) \
    explore_all((variations), sizeof(variations) / sizeof *(variations), (scope){__VA_ARGS__})

/* 1: in seconds; 2: in minutes; 0: in one; -1, the smallest, is what a sanitizer or valgrind sees. */
static int64_t chosen_depth(void) {
    const char *text = getenv("CHIEF_STEP_DEPTH");
    const char *slow = getenv("CHIEF_TEST_SLOW");
    if (text != NULL && *text != '\0') return strtol(text, NULL, 10);
    return slow != NULL && strtol(slow, NULL, 10) > 4 ? -1 : 1;
}

static void test_step__two_workers_fail_three_times(void **state) {
    (void)state;
    int64_t deep = chosen_depth();
    if (deep < 0) EXPLORE(plain, .ends = 1);
    if (deep == 0) EXPLORE(plain, .ends = 2);
    if (deep <= 0) EXPLORE(interrupted, .ends = 0);
    if (deep <= 0) return;
    EXPLORE(plain, .ends = 3);
    EXPLORE(interrupted, .ends = 1);
    if (deep > 1) EXPLORE(plain, .ends = 3, .holds = 1, .forces = 1);
    if (deep > 1) EXPLORE(interrupted, .ends = 3, .forces = 1);
}

static void test_step__two_workers_and_requests(void **state) {
    (void)state;
    int64_t deep = chosen_depth();
    if (deep <= 0) EXPLORE(plain, .requests = 1);
    if (deep > 0) EXPLORE(plain, .ends = 1, .requests = 1);
    if (deep > 1) EXPLORE(plain, .ends = 3, .requests = 1);
    if (deep > 1) EXPLORE(plain, .ends = 1, .requests = 2);
    if (deep > 1) EXPLORE(interrupted, .ends = 2, .requests = 1);
}

static void test_step__two_workers_and_a_loop_that_stands_still(void **state) {
    (void)state;
    int64_t deep = chosen_depth();
    if (deep > 0) EXPLORE(plain, .ends = 1, .holds = 1, .forces = 1);
    if (deep > 1) EXPLORE(plain, .ends = 2, .requests = 1, .holds = 1);
    if (deep > 1) EXPLORE(interrupted, .ends = 1, .requests = 1, .holds = 1);
}

static int free_all(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) free(places[i].arena);
    free(seen.slots);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step__two_workers_fail_three_times),
        cmocka_unit_test(test_step__two_workers_and_requests),
        cmocka_unit_test(test_step__two_workers_and_a_loop_that_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, free_all);
}
