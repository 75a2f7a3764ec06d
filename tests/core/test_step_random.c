/*
 * Random events against what must always hold (step_judge.h). A failure names the seed of its sequence;
 * CHIEF_STEP_SEED=<that> CHIEF_STEP_SEQUENCES=1 runs it alone.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "step_judge.h"

enum { EVENTS = 100 };

static uint64_t overtaken; /* answers that nobody waited for any more */
static uint64_t refused;   /* sequences whose groups contradicted their dependencies */

#ifndef CHIEF_STEP_BY_OTHERS /* a fuzz target (tests/fuzz/fuzz_step.c) brings the choices, and its own way to fail */
static void wrong(const char *what) { fail_msg("sequence CHIEF_STEP_SEED=%" PRIu64 ": %s", sim.seed, what); }

static uint32_t pick(uint32_t n) {
    sim.random ^= sim.random << 13;
    sim.random ^= sim.random >> 7;
    sim.random ^= sim.random << 17;
    return (uint32_t)(sim.random >> 32) % n;
}
#endif

/* What a home in its place may report. */
static void report(uint32_t id) {
    worker *w = &sim.w[id];
    int32_t reason = pick(3) == 0 ? CHIEF_REASON_OK : (int32_t)(1 + pick(9));
    switch (w->home) {
    case NOBODY: break;
    case IN_INIT:
        if (pick(4) == 0) ends(id, STEP_INIT_FAILED, CHIEF_REASON_INIT_ERROR);
        else initialized(id);
        break;
    case HELD:
        if (pick(10) == 0) ends(id, STEP_EXITED, CHIEF_REASON_KILLED);
        break;
    case RUNNING:
        if (pick(3) > 0) step(pick(2) == 0 ? STEP_ENTERED : STEP_READY, id, w->generation, 0);
        else ends(id, STEP_EXITED, reason);
        break;
    case IN_FINI: ends(id, STEP_FINISHED, 0); break;
    case ABANDONED: ends(id, pick(2) == 0 ? STEP_LATE : STEP_EXITED, reason); break;
    }
}

static void expire_one(uint32_t id) {
    if (sim.w[id].home == IN_INIT || sim.w[id].home == RUNNING) expire(id);
}

/* Whoever's question it is; nobody waits for it any more where it was stopped, started or removed meanwhile. */
static void answer_question(uint32_t id) {
    worker *w = &sim.w[id];
    bool waits = w->there && w->in_question;
    if (!w->questioned) return;
    pass(0); /* or its time is over in this step */
    waits = waits && w->in_question;
    sim.answer = (int32_t)pick(CHIEF_ANSWER_ISOLATE + 1);
    sim.answer_delay = pick(30);
    step(STEP_ANSWER, id, w->generation, 0);
    overtaken += !waits;
    CHECK(!w->in_question);
}

/* One that is waited for, if there is any. */
static void answer_one(void) {
    uint32_t from = pick(MOST);
    uint32_t id = from;
    while (!sim.w[id].in_question && (id = (id + 1) % MOST) != from) continue;
    answer_question(id);
}

/* Of another generation, or of nobody: must be silent. */
static void report_nonsense(void) {
    pass(0); /* or a restart that is due would make it true */
    uint32_t id = pick(MOST + 2);
    uint64_t generation = id < MOST ? sim.w[id].generation + 1 + pick(2) : pick(3);
    step((chief__step_kind)(STEP_INITIALIZED + (int)pick(9)), id, generation, (int32_t)pick(10));
}

static void request(void) {
    uint32_t id = pick(MOST);
    chief__step_kind kind = (chief__step_kind)(STEP_ENABLE + (int)pick(6));
    if (kind == STEP_REMOVE && pick(3) > 0) return;
    bool over = sim.ended;
    int rc = ask(&sim.w[id], kind);
    if (!sim.w[id].there) return;
    CHECK(!over || rc == CHIEF_EBUSY || rc == CHIEF_ENOENT);
    CHECK(sim.launched || sim.stopping || kind == STEP_ENABLE || kind == STEP_ADDED || rc == CHIEF_ENOTINIT ||
          rc == CHIEF_ENOENT);
}

/* Sometimes the name that replicas have in common. */
static void choose_after(worker *w, const char **after) {
    for (w->n_after = 0; w->n_after < 2 && pick(2) == 0;) {
        uint32_t other = pick(MOST);
        if (!sim.w[other].there) break;
        char *name = w->after_names[w->n_after];
        memcpy(name, sim.w[other].name, sizeof w->name);
        if (pick(2) == 0) name[chief__replica_stem(name)] = '\0';
        after[w->n_after++] = name;
    }
}

/* Plain, or one of two replicas; true for the second, which may close a circle through those that wait for both. */
static bool choose_name(worker *w) {
    bool second = sim.twin > 0 && pick(2) == 0;
    if (second) {
        snprintf(w->name, sizeof w->name, "w%d/2", sim.twin);
        sim.twin = 0;
        return true;
    }
    int number = 1 + sim.names++ % 99;
    bool first = pick(4) == 0;
    snprintf(w->name, sizeof w->name, first ? "w%d/1" : "w%d", number);
    if (first) sim.twin = number;
    return false;
}

static void add(void) {
    static const int64_t graces[] = {-1, -1, 0, 10, 100, 1000};
    static const int32_t codes[] = {2};
    worker w = {.there = true, .critical = pick(24) == 0, .has_codes = pick(2), .asks = pick(3) == 0};
    const char *after[2];
    uint32_t id;
    bool second = choose_name(&w);
    if (!second || sim.init_sent) choose_after(&w, after);
    chief__model_worker given = {.name = w.name,
                                 .restart = {.policy = (int32_t)(1 + pick(3)),
                                             .delay = pick(20),
                                             .factor = 1 + pick(2),
                                             .max_delay = 40,
                                             .jitter = pick(2) * 0.2,
                                             .max_restarts = pick(2) == 0 ? -1 : (int64_t)pick(TIMES - 1),
                                             .window = pick(200)},
                                 .after = after,
                                 .n_after = w.n_after,
                                 .says_ready = pick(2),
                                 .enabled = pick(8) > 0,
                                 .critical = w.critical,
                                 .no_restart_codes = codes,
                                 .n_no_restart_codes = w.has_codes,
                                 .asks = w.asks,
                                 .answer_ms = ANSWER_MS,
                                 .grace = graces[pick(6)],
                                 .start_timeout = pick(40),
                                 .forceable = pick(2) == 0,
                                 .force_ms = FORCE_MS};
    w.forceable = given.forceable;
    w.shares_grace = given.grace < 0;
    w.policy = given.restart.policy;
    w.restarts.most = given.restart.max_restarts;
    w.restarts.window = given.restart.window;
    size_t room = chief__model_room(sim.m);
    int rc = chief__model_add(sim.m, &given, &id);
    CHECK(rc == CHIEF_OK || (rc == CHIEF_ECLOSED && (sim.stopping || sim.ended)) || (rc == CHIEF_ECYCLE && second));
    if (rc != CHIEF_OK) return;
    CHECK(id < MOST && id <= room && !sim.w[id].there && sim.w[id].home == NOBODY);
    w.state = given.enabled ? CHIEF_WORKER_ENABLED : CHIEF_WORKER_PRESENT;
    sim.w[id] = w;
    if (sim.init_sent) step(STEP_ADDED, id, 0, 0);
}

/* A slot whose abandoned home still lives is taken, too. */
static bool has_room(void) {
    int taken = 0;
    for (int i = 0; i < MOST; i++) taken += sim.w[i].there || sim.w[i].home != NOBODY;
    return taken < MOST;
}

/* The end of a question can restart a whole group. The judge tells that from what an event brings only where they come one
 * after the other. */
static void end_questions(void) {
    for (uint32_t id = 0; id < MOST; id++) {
        if (sim.w[id].in_question && chief__model_deadline(sim.m) <= sim.now) pass(0);
    }
}

static void something(void) {
    end_questions();
    uint32_t dice = pick(100);
    if (dice < 50) report(pick(MOST));
    else if (dice < 54) answer_one();
    else if (dice < 56) expire_one(pick(MOST));
    else if (dice < 60) report_nonsense();
    else if (dice < 75) request();
    else if (dice < 90) pass(pick(4) == 0 ? pick(60) : pick(6));
    else if (dice < 93) hold_up((int64_t)pick(100));
    else if (dice < 96) {
        if (has_room()) add();
    } else if (dice < 97) step(STEP_STOP_ALL, 0, 0, 0);
    else if (dice < 98) step(STEP_SIGNAL, 0, 0, 0);
    else if (!sim.launched) step(STEP_LAUNCH, 0, 0, 0);
}

/* However the workers behave, it ends within its limit. */
static void end_it(void) {
    step(STEP_STOP_ALL, 0, 0, 0);
    if (pick(4) == 0 && !sim.ended) {
        step(STEP_FORCE, 0, 0, 0);
        pass(50 + FORCE_MS);
        CHECK(sim.ended);
    }
    while (!sim.ended) {
        /* each level that had to be interrupted has its time for that */
        CHECK(sim.now - sim.stop_by <= sim.held_up + MOST * FORCE_MS + 10);
        if (pick(2) == 0) report(pick(MOST));
        pass(pick(10));
    }
    for (int i = 0; i < 10; i++) something();
}

/* Of those there are, mostly in the order in which they can wait for each other. */
static void add_group(void) {
    group *g = &sim.groups[sim.n_groups];
    const char *names[MOST];
    bool turned = pick(16) == 0;
    int place;
    g->policy = (int32_t)(1 + pick(3));
    for (int i = 0; i < MOST; i++) {
        const worker *w = &sim.w[turned ? MOST - 1 - i : i];
        bool taken = false;
        for (int j = 0; w->there && j < sim.n_groups; j++)
            for (place = 0; place < sim.groups[j].n; place++)
                taken = taken || strcmp(sim.groups[j].names[place], w->name) == 0;
        if (!w->there || taken || pick(3) == 0) continue;
        memcpy(g->names[g->n], w->name, sizeof w->name);
        names[g->n] = g->names[g->n];
        g->n++;
    }
    int rc = chief__model_add_group(sim.m, sim.n_groups == 0 ? "g" : "h", g->policy, names, (size_t)g->n);
    CHECK(rc == (g->n > 0 ? CHIEF_OK : CHIEF_EINVAL));
    if (rc == CHIEF_OK) sim.n_groups++;
}

static void all_well(void) {
    for (uint32_t id = 0; id < MOST; id++) {
        if (sim.w[id].home == IN_INIT) initialized(id);
        if (sim.w[id].home == RUNNING) step(STEP_ENTERED, id, sim.w[id].generation, 0);
        if (sim.w[id].home == RUNNING) step(STEP_READY, id, sim.w[id].generation, 0);
    }
}

static void live(void) {
    step(STEP_INIT, 0, 0, 0);
    if (pick(4) > 0) {
        for (uint32_t id = 0; id < MOST; id++) report(id);
        step(STEP_LAUNCH, 0, 0, 0);
    }
    for (int rounds = pick(2) == 0 ? 3 : 0; rounds > 0; rounds--) all_well();
    for (uint32_t n = pick(EVENTS); n > 0; n--) something();
    end_it();
}

static void one_sequence(uint64_t seed) {
    chief__model_options options = {.force_stop_timeout = FORCE_TIMEOUT, .init_timeout = INIT_TIMEOUT, .seed = seed};
    memset(&sim, 0, sizeof sim);
    sim.seed = seed;
    sim.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 8; i++) pick(2);
    sim.now = 1000;
    sim.exit_when_done = options.exit_when_done = pick(3) == 0;
    options.limited = pick(8) == 0;
    options.max_restarts = pick(TIMES - 1);
    options.restart_window = pick(100);
    sim.budget.most = options.limited ? options.max_restarts : -1;
    sim.budget.window = options.restart_window;
    CHECK(chief__model_new(&sim.m, &options) == CHIEF_OK);
    for (uint32_t n = 1 + pick(6); n > 0; n--) add();
    for (uint32_t n = pick(GROUPS + 1); n > 0; n--) add_group();
    int rc = chief__model_link(sim.m);
    CHECK(rc == CHIEF_OK || (rc == CHIEF_ECYCLE && sim.n_groups > 0));
    if (rc == CHIEF_OK) live();
    refused += rc != CHIEF_OK;
    chief__model_free(sim.m);
}

#ifndef CHIEF_STEP_BY_OTHERS

static uint64_t number(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 10);
}

static void test_step__random_events_keep_what_must_hold(void **state) {
    (void)state;
    uint64_t slow = number("CHIEF_TEST_SLOW", 1);
    uint64_t n = number("CHIEF_STEP_SEQUENCES", 1000000 / (slow > 0 ? slow * slow : 1));
    uint64_t seed = number("CHIEF_STEP_SEED", (uint64_t)time(NULL) * 1000003);
    printf("CHIEF_STEP_SEED=%" PRIu64 ", %" PRIu64 " sequences\n", seed, n);
    (void)fflush(stdout); /* also when an assertion ends it */
    for (uint64_t i = 0; i < n; i++) one_sequence(seed + i);
    printf("%" PRIu64 " steps, at most %zu actions in one; %" PRIu64 " refused\n", steps, most_actions, refused);
    assert_true(most_actions <= 8 * MOST);
    printf("%" PRIu64 " went along, %" PRIu64 " started in their turn; given up", along, in_turn);
    for (int why = WHY_POLICY; why <= WHY_ABANDONED; why++) printf(" %" PRIu64, given_up[why]);
    printf("\nunanswered %" PRIu64 ", overtaken %" PRIu64 ", answers", unanswered, overtaken);
    for (int answer = 0; answer <= CHIEF_ANSWER_ISOLATE; answer++) printf(" %" PRIu64, answers[answer]);
    printf("\n");
    if (n < 1000) return;
    assert_true(unanswered > n / 1000 && overtaken > n / 1000);
    for (int answer = 0; answer <= CHIEF_ANSWER_ISOLATE; answer++) assert_true(answers[answer] > n / 1000);
    assert_true(refused <= n / 20 && along > n / 100 && in_turn > n / 100);
    for (int why = WHY_POLICY; why <= WHY_ABANDONED; why++) assert_true(given_up[why] > n / 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step__random_events_keep_what_must_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
