/*
 * step_kit: a model with a virtual clock and a diary. Each action of a step is written down as a few words; a test says
 * what it expects to read. Phases are kept out of the diary; all that is told is compared with what the model answers.
 *
 *   a:run  a:failed(error)   a state, with the reason where there is one   init a1  run a1  fini a1
 *   a!run                    a wrong change, and what was asked            cancel a1 +100   abandon a1   kill a1 (in_stop)
 *   ready a                  restart a +100   give_up a   removed a        note b a
 *   give_up a (4 in 5000)    give_up a (code 3)   critical a     restart c +100 (b): c goes along with b
 *   ask a1 +50 error 2 up 0: until when, why it ended, its failures in a row, how long it was ready
 *   unanswered a             isolate a
 *   force a1 +100 killed 300 (in_stop), interrupt a1 +100 start_timeout 0: until when, why, the grace it had
 */
#ifndef CHIEF_TEST_STEP_KIT_H
#define CHIEF_TEST_STEP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "step.h"

enum { KIT_MAX = 128, KIT_START = 1000 };

typedef struct kit {
    chief__model *m;
    int64_t now;
    int rc; /* of the last step */
    size_t used;
    char diary[32768];
    chief_state_t state[KIT_MAX]; /* as told */
    int32_t phase[KIT_MAX];
    int64_t until[KIT_MAX];
    int64_t delay[KIT_MAX];
} kit;

/* A worker: what is not given is as in WORKER(): enabled, never restarted, 100 ms doubling to 30 s, no jitter. */
typedef struct kit_worker {
    bool disabled;
    bool says_ready;
    int64_t grace; /* 0: its share; CHIEF_ZERO: none */
    int64_t start_timeout;
    int64_t force; /* ms; 0: can't be interrupted */
    bool critical;
    int64_t answer; /* ms; 0: its host is not asked */
    chief_restart restart;
    const int32_t *codes;
    size_t n_codes;
    const char *const *after;
    size_t n_after;
} kit_worker;

#define WORKER(...) ((kit_worker){.disabled = false, __VA_ARGS__})
#define DISABLED(...) ((kit_worker){.disabled = true, __VA_ARGS__})
#define AFTER(...) \
    .after = (const char *const[]){__VA_ARGS__}, .n_after = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define CODES(...) \
    .codes = (const int32_t[]){__VA_ARGS__}, .n_codes = sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)
#define INTENSITY(most, ms) .restart.max_restarts = (most), .restart.window = (ms)
#define ON_FAILURE .restart.policy = CHIEF_RESTART_ON_FAILURE
#define ALWAYS .restart.policy = CHIEF_RESTART_ALWAYS

static inline chief__model_worker kit_resolve(const char *name, kit_worker w) {
    chief__model_worker full = {.name = name,
                                .restart = w.restart,
                                .after = w.after,
                                .n_after = w.n_after,
                                .says_ready = w.says_ready,
                                .enabled = !w.disabled,
                                .grace = w.grace == 0            ? -1
                                         : w.grace == CHIEF_ZERO ? 0
                                                                 : w.grace,
                                .start_timeout = w.start_timeout == 0 ? 30000 : w.start_timeout,
                                .forceable = w.force != 0,
                                .force_ms = w.force,
                                .critical = w.critical,
                                .asks = w.answer != 0,
                                .answer_ms = w.answer,
                                .no_restart_codes = w.codes,
                                .n_no_restart_codes = w.n_codes};
    if (w.restart.policy == CHIEF_RESTART_DEFAULT) full.restart.policy = CHIEF_RESTART_NEVER;
    if (w.restart.delay == 0) full.restart.delay = 100;
    if (w.restart.delay == CHIEF_ZERO) full.restart.delay = 0;
    if (w.restart.factor < 1) full.restart.factor = 2;
    if (w.restart.max_delay == 0) full.restart.max_delay = 30000;
    if (w.restart.max_restarts == 0) full.restart.max_restarts = -1;
    if (w.restart.max_restarts == CHIEF_ZERO) full.restart.max_restarts = 0;
    return full;
}

static inline void kit_open(kit *k) {
    chief__model_options options = {.force_stop_timeout = 45000, .init_timeout = 30000, .seed = 1};
    memset(k, 0, sizeof *k);
    k->now = KIT_START;
    for (size_t i = 0; i < KIT_MAX; i++) {
        k->until[i] = INT64_MAX;
        k->delay[i] = -1;
    }
    assert_int_equal(chief__model_new(&k->m, &options), CHIEF_OK);
}

static inline void kit_close(kit *k) { chief__model_free(k->m); }

static inline int kit_try_add(kit *k, const char *name, kit_worker given) {
    uint32_t id;
    chief__model_worker w = kit_resolve(name, given);
    int rc = chief__model_add(k->m, &w, &id);
    if (rc != CHIEF_OK) return rc;
    assert_true(id < KIT_MAX);
    k->state[id] = w.enabled ? CHIEF_WORKER_ENABLED : CHIEF_WORKER_PRESENT;
    k->phase[id] = CHIEF_PHASE_IDLE;
    k->until[id] = INT64_MAX;
    k->delay[id] = -1;
    return CHIEF_OK;
}

static inline void kit_add(kit *k, const char *name, kit_worker w) {
    assert_int_equal(kit_try_add(k, name, w), CHIEF_OK);
}

#define kit_add_group(k, policy, ...)                                                                     \
    assert_int_equal(chief__model_add_group((k)->m, "g", (policy), (const char *const[]){__VA_ARGS__},    \
                                            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), \
                     CHIEF_OK)

static inline uint32_t kit_id(const kit *k, const char *name) {
    for (uint32_t id = 0; id < KIT_MAX; id++) {
        const char *there = chief__model_name(k->m, id);
        if (there != NULL && strcmp(there, name) == 0) return id;
    }
    return UINT32_MAX;
}

static inline const char *kit_state_name(chief_state_t state) {
    static const char *const names[] = {"-",           "null", "disabled", "present", "enabled",
                                        "initialized", "run",  "stopped",  "failed"};
    return names[state];
}

static inline const char *kit_reason_name(int32_t reason) {
    static const char *const names[] = {
        "",         "ok",           "error",  "lua_error", "init_error", "start_timeout",
        "watchdog", "memory_limit", "killed", "cancelled"};
    return names[reason];
}

static inline void kit_write(kit *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void kit_write(kit *k, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (k->used > 0) k->used += (size_t)snprintf(k->diary + k->used, sizeof k->diary - k->used, "; ");
    k->used += (size_t)vsnprintf(k->diary + k->used, sizeof k->diary - k->used, format, args);
    va_end(args);
    assert_true(k->used < sizeof k->diary);
}

static inline void kit_write_state(kit *k, const chief__action *a, const char *name) {
    assert_int_equal(a->previous, k->state[a->id]);
    assert_true(a->previous != a->state || a->state == CHIEF_WORKER_FAILED);
    k->state[a->id] = a->state;
    if (a->reason == CHIEF_REASON_NONE) kit_write(k, "%s:%s", name, kit_state_name(a->state));
    else kit_write(k, "%s:%s(%s)", name, kit_state_name(a->state), kit_reason_name(a->reason));
}

static inline void kit_write_why(kit *k, const chief__action *a, const char *name) {
    if (a->why == WHY_INTENSITY) kit_write(k, "give_up %s (%u in %d)", name, (unsigned)a->count, (int)a->window);
    else if (a->why == WHY_CODE) kit_write(k, "give_up %s (code %d)", name, (int)a->code);
    else if (a->why == WHY_BUDGET) kit_write(k, "give_up %s (all %u in %d)", name, (unsigned)a->count, (int)a->window);
    else kit_write(k, "give_up %s", name);
}

static inline void kit_write_action(kit *k, const chief__action *a, char names[KIT_MAX][16]) {
    const char *name = a->id < KIT_MAX ? names[a->id] : "";
    unsigned generation = (unsigned)a->generation;
    switch (a->kind) {
    case STEP_A_STATE: kit_write_state(k, a, name); break;
    case STEP_A_WRONG:
        assert_int_equal(a->previous, k->state[a->id]);
        kit_write(k, "%s!%s", name, kit_state_name(a->state));
        break;
    case STEP_A_PHASE:
        k->phase[a->id] = a->phase;
        k->until[a->id] = a->until;
        k->delay[a->id] = a->delay;
        break;
    case STEP_A_INIT: kit_write(k, "init %s%u", name, generation); break;
    case STEP_A_RUN: kit_write(k, "run %s%u", name, generation); break;
    case STEP_A_FINI: kit_write(k, "fini %s%u", name, generation); break;
    case STEP_A_CANCEL: kit_write(k, "cancel %s%u +%d", name, generation, (int)(a->until - k->now)); break;
    case STEP_A_FORCE:
        kit_write(k, "%s %s%u +%d %s %d", a->in_stop ? "force" : "interrupt", name, generation,
                  (int)(a->until - k->now), kit_reason_name(a->reason), (int)a->delay);
        break;
    case STEP_A_ABANDON: kit_write(k, "%s %s%u", a->in_stop ? "kill" : "abandon", name, generation); break;
    case STEP_A_READY: kit_write(k, "ready %s", name); break;
    case STEP_A_RESTART:
        assert_int_equal(a->until, k->now + a->delay);
        kit_write(k, "restart %s +%d", name, (int)a->delay);
        if (a->other < KIT_MAX) k->used += (size_t)sprintf(k->diary + k->used, " (%s)", names[a->other]);
        break;
    case STEP_A_ASK:
        kit_write(k, "ask %s%u +%d %s %u up %d", name, generation, (int)(a->until - k->now), kit_reason_name(a->reason),
                  (unsigned)a->count, (int)a->delay);
        break;
    case STEP_A_UNANSWERED: kit_write(k, "unanswered %s", name); break;
    case STEP_A_ISOLATE: kit_write(k, "isolate %s", name); break;
    case STEP_A_GIVEN_UP: kit_write_why(k, a, name); break;
    case STEP_A_CRITICAL: kit_write(k, "critical %s", name); break;
    case STEP_A_REMOVED: kit_write(k, "removed %s", name); break;
    case STEP_A_NOTE_AFTER: kit_write(k, "note %s %s", name, names[a->other]); break;
    case STEP_A_INITED: kit_write(k, "inited"); break;
    case STEP_A_NOTHING_LEFT: kit_write(k, "nothing_left"); break;
    case STEP_A_STOPPING: kit_write(k, "stopping"); break;
    case STEP_A_ALL_ENDED: kit_write(k, "all_ended"); break;
    }
}

/* What was told by actions and what the model answers are the same. */
static inline void kit_compare(const kit *k) {
    for (uint32_t id = 0; id < KIT_MAX; id++) {
        if (chief__model_name(k->m, id) == NULL) continue;
        assert_int_equal(chief__model_state(k->m, id), k->state[id]);
        assert_int_equal(chief__model_phase(k->m, id), k->phase[id]);
    }
}

static inline int kit_step_event(kit *k, const chief__step_event *event) {
    static char names[KIT_MAX][16];
    const chief__action *actions;
    size_t n;
    for (uint32_t i = 0; i < KIT_MAX; i++) {
        const char *name = chief__model_name(k->m, i);
        if (name != NULL) snprintf(names[i], sizeof names[i], "%s", name);
    }
    k->rc = chief__step(k->m, event, k->now, &actions, &n);
    for (size_t i = 0; i < n; i++) kit_write_action(k, &actions[i], names);
    kit_compare(k);
    return k->rc;
}

static inline int kit_step(kit *k, chief__step_kind kind, uint32_t id, uint64_t generation, int32_t reason) {
    chief__step_event event = {.kind = kind, .id = id, .generation = generation, .reason = reason};
    return kit_step_event(k, &event);
}

/* An event about all. */
static inline int kit_all(kit *k, chief__step_kind kind) { return kit_step(k, kind, UINT32_MAX, 0, 0); }

/* A request, or a report of the worker's present generation. */
static inline int kit_tell(kit *k, chief__step_kind kind, const char *name) {
    uint32_t id = kit_id(k, name);
    return kit_step(k, kind, id, chief__model_generation(k->m, id), 0);
}

static inline void kit_exit(kit *k, const char *name, int32_t reason) {
    uint32_t id = kit_id(k, name);
    kit_step(k, STEP_EXITED, id, chief__model_generation(k->m, id), reason);
}

static inline void kit_exit_code(kit *k, const char *name, int32_t code) {
    uint32_t id = kit_id(k, name);
    chief__step_event event = {.kind = STEP_EXITED, .id = id, .reason = CHIEF_REASON_ERROR, .code = code};
    event.generation = chief__model_generation(k->m, id);
    kit_step_event(k, &event);
}

/* What the host says about the worker's present generation. */
static inline void kit_answer(kit *k, const char *name, int32_t answer, int64_t delay) {
    uint32_t id = kit_id(k, name);
    chief__step_event event = {.kind = STEP_ANSWER, .id = id, .answer = answer, .delay = delay};
    event.generation = chief__model_generation(k->m, id);
    kit_step_event(k, &event);
}

static inline void kit_init_fails(kit *k, const char *name) {
    uint32_t id = kit_id(k, name);
    kit_step(k, STEP_INIT_FAILED, id, chief__model_generation(k->m, id), CHIEF_REASON_INIT_ERROR);
}

/* Lets the time pass, tick by tick as the loop would. */
static inline void kit_wait(kit *k, int64_t ms) {
    int64_t end = k->now + ms;
    while (chief__model_deadline(k->m) <= end) {
        if (chief__model_deadline(k->m) > k->now) k->now = chief__model_deadline(k->m);
        kit_all(k, STEP_TICK);
    }
    k->now = end;
}

static inline void kit_forget(kit *k) {
    k->used = 0;
    k->diary[0] = '\0';
}

/* Everything written down since the last time. */
#define kit_expect(k, text)                    \
    do {                                       \
        assert_string_equal((k)->diary, text); \
        kit_forget(k);                         \
    } while (0)

/* From its init, which has been asked for, until it is up. */
static inline void kit_bring_up(kit *k, const char *name) {
    kit_tell(k, STEP_INITIALIZED, name);
    kit_tell(k, STEP_ENTERED, name);
}

/* Init and launch with one worker initialised. */
static inline void kit_begin(kit *k, const char *name) {
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, name);
    kit_all(k, STEP_LAUNCH);
}

/* Init and launch of all that have been added, each up at once; what was told of it is forgotten. */
static inline void kit_launch(kit *k) {
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(kit_all(k, STEP_INIT), CHIEF_OK);
    for (uint32_t id = 0; id < KIT_MAX; id++) kit_step(k, STEP_INITIALIZED, id, 1, 0);
    assert_int_equal(kit_all(k, STEP_LAUNCH), CHIEF_OK);
    for (int round = 0; round < KIT_MAX; round++) {
        for (uint32_t id = 0; id < KIT_MAX; id++) {
            kit_step(k, STEP_INITIALIZED, id, 1, 0);
            kit_step(k, STEP_ENTERED, id, 1, 0);
        }
        if (chief__model_all_ready(k->m)) break;
    }
    kit_forget(k);
}

static inline int32_t kit_phase(const kit *k, const char *name) { return chief__model_phase(k->m, kit_id(k, name)); }
static inline chief_state_t kit_state(const kit *k, const char *name) {
    return chief__model_state(k->m, kit_id(k, name));
}
static inline uint64_t kit_generation(const kit *k, const char *name) {
    return chief__model_generation(k->m, kit_id(k, name));
}

/* A test gets a fresh kit as its state. */
static inline int kit_setup(void **state) {
    static kit k;
    kit_open(&k);
    *state = &k;
    return 0;
}
static inline int kit_teardown(void **state) {
    kit_close(*state);
    return 0;
}
#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

#endif
