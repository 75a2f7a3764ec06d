/*
 * probe: the C workers of the fault cases, which are the same in a thread, as a fiber and in a process. What a test and
 * its workers both look at is in memory that the workers' processes map too; such a process is the test's own program,
 * started again with --worker. All inline: a test is one file.
 */
#ifndef CHIEF_TEST_PROBE_H
#define CHIEF_TEST_PROBE_H

#include <fcntl.h>
#include <stdalign.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support.h"

#define ANSWER_MS ((int64_t)10000)

/* ---- memory of both sides ---- */

#define PROBE_SPACE ((size_t)1 << 20)

typedef struct probe_space {
    uintptr_t home; /* where the test sees it */
    size_t used;
    alignas(16) char room[];
} probe_space;

static probe_space *space;
static char space_path[64]; /* as another process can open it */

static inline int space_map(int fd) {
    void *at = mmap(NULL, PROBE_SPACE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return -1;
    space = at;
    return 0;
}

static inline void space_make(void) {
    char name[] = "/tmp/chief-probe-XXXXXX";
    int fd = mkstemp(name); /* stays open: its path is that of the descriptor */
    assert_true(fd >= 0 && unlink(name) == 0 && ftruncate(fd, (off_t)PROBE_SPACE) == 0 && space_map(fd) == 0);
    (void)snprintf(space_path, sizeof space_path, "/proc/%ld/fd/%d", (long)getpid(), fd);
    space->home = (uintptr_t)space;
}

/* Zeroes that both sides see, until the test ends. */
static inline void *share_room(size_t size) {
    size_t used = (space->used + 15) & ~(size_t)15;
    assert_true(sizeof *space + used + size <= PROBE_SPACE);
    space->used = used + size;
    return space->room + used;
}

static inline void *share(const void *data, size_t size) { return memcpy(share_room(size), data, size); }

/* Where what the test points to is on this side. */
static inline void *here(const volatile void *shared) {
    return shared != NULL ? (char *)space + ((uintptr_t)shared - space->home) : NULL;
}

/* A gate is closed at first; who comes waits until it is opened. */
typedef atomic_bool gate;

static inline gate *gate_new(void) { return share_room(sizeof(gate)); }

static inline bool gate_is_open(void *data) { return atomic_load((gate *)data); }

/* Passed on either side. */
static inline void gate_pass(gate *shared) {
    if (shared != NULL) (void)support_until(gate_is_open, here(shared), ANSWER_MS);
}

static inline void gate_open(gate *shared) { atomic_store(shared, true); }

/* ---- a worker ---- */

typedef struct probe {
    atomic_int inits, runs, finis;
    atomic_int destroyed; /* its data; not where it is in a process, which has none */
    atomic_int end_place; /* among those that ended */
    atomic_int *order;
    int fail_inits;     /* this many inits fail */
    int fail_runs;      /* this many runs fail at once */
    int32_t code;       /* the exit code that a failure says */
    int result;         /* of a run that was not told to fail */
    bool returns;       /* at once, else when it is stopped */
    bool returns_error; /* when it is stopped */
    int64_t drain_ms;
    bool deaf;    /* ignores the stop until it is let go */
    gate *enter;  /* init waits for it */
    gate *let_go; /* for one that is deaf */
} probe;

#define PROBE(...) share(&(probe){__VA_ARGS__}, sizeof(probe))

static inline int probe_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    *instance = p;
    gate_pass(p->enter);
    if (atomic_fetch_add(&p->inits, 1) >= p->fail_inits) return 0;
    if (p->code != 0) chief_worker_set_exit_code(ctx, p->code);
    return 7;
}

static inline void probe_note_end(probe *p) {
    atomic_int *order = here(p->order);
    if (order != NULL) atomic_store(&p->end_place, atomic_fetch_add(order, 1) + 1);
}

static inline int probe_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    if (atomic_fetch_add(&p->runs, 1) < p->fail_runs) {
        if (p->code != 0) chief_worker_set_exit_code(ctx, p->code);
        return 9;
    }
    if (p->returns) return p->result;
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    if (p->deaf) gate_pass(p->let_go);
    if (p->drain_ms > 0) chief__pause_ms(p->drain_ms);
    probe_note_end(p);
    return p->returns_error ? CHIEF_ECANCELED : 0;
}

static inline void probe_fini(void *instance) { (void)atomic_fetch_add(&((probe *)instance)->finis, 1); }

static inline void probe_destroy(void *data) { (void)atomic_fetch_add(&((probe *)data)->destroyed, 1); }

static const chief_worker_ops probe_ops = {
    .size = sizeof probe_ops, .init = probe_init, .run = probe_run, .fini = probe_fini};

/* ---- where the workers are ---- */

#define MOST_ROLES 2048

/* What a fiber is by its data: its resume calls the same init and run as a thread does, and blocks where they do. */
typedef struct role {
    const void *data;
    const chief_worker_ops *ops;
} role;

static int32_t isolation;
static role roles[MOST_ROLES];
static atomic_size_t n_roles;
static char *program;

static inline const chief_worker_ops *ops_of(const void *data) {
    size_t i = atomic_load(&n_roles);
    while (i > 0 && roles[i - 1].data != data) i--;
    assert_true(i > 0);
    return roles[i - 1].ops;
}

static inline int resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    const chief_worker_ops *of = ops_of(data);
    if (part == CHIEF_PART_RUN) return of->run(ctx, *instance);
    return of->init != NULL ? of->init(ctx, data, instance) : 0;
}

static const chief_fiber_ops fiber_ops = {.size = sizeof fiber_ops, .resume = resume};

/* One thread at a time, as the tests have it. */
static inline void cast(const void *data, const chief_worker_ops *of) {
    size_t n = atomic_load(&n_roles);
    if (n > 0 && roles[n - 1].data == data && roles[n - 1].ops == of) return; /* one after the other in the same role */
    assert_true(n < MOST_ROLES);
    roles[n] = (role){data, of};
    atomic_store(&n_roles, n + 1);
}

static inline int add_fiber(chief *c, const char *name, const chief_worker_ops *of, void *data,
                            const chief_worker_options *options) {
    chief_worker_options o = *options;
    o.fiber = &fiber_ops;
    cast(data, of);
    return chief_add_worker_with(c, name, of, data, &o);
}

/* What a process is to run, in terms of the one program that both sides are. */
typedef struct part {
    char path[sizeof space_path];
    size_t data;   /* behind the beginning of the space */
    ptrdiff_t ops; /* from those of a probe */
} part;

static inline int add_process(chief *c, const char *name, const chief_worker_ops *of, const void *data,
                              const chief_worker_options *options) {
    const char *argv[] = {program, "--worker"};
    part is = {.data = (uintptr_t)data - space->home, .ops = (const char *)of - (const char *)&probe_ops};
    memcpy(is.path, space_path, sizeof is.path);
    chief_process how = {.size = sizeof how, .argv = argv, .n_argv = 2, .spec = {(const char *)&is, sizeof is}};
    return chief_add_process(c, name, &how, options);
}

/* `data` is shared, or nothing that a worker looks at. */
static inline int add_worker(chief *c, const char *name, const chief_worker_ops *of, void *data,
                             const chief_worker_options *given) {
    chief_worker_options o = {.size = sizeof o};
    if (given != NULL) o = *given;
    o.isolation = isolation;
    if (isolation == CHIEF_PROCESS) return add_process(c, name, of, data, &o);
    if (isolation == CHIEF_FIBER) return add_fiber(c, name, of, data, &o);
    return chief_add_worker_with(c, name, of, data, &o);
}

/* The process of a worker, whole. */
static inline int be_worker(void) {
    part is;
    chief_child *child;
    if (chief_child_open(&child) != CHIEF_OK) return 64;
    chief_bytes spec = chief_child_spec(child);
    assert_int_equal(spec.len, sizeof is);
    memcpy(&is, spec.data, sizeof is);
    int fd = open(is.path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || space_map(fd) != 0) return 1;
    (void)close(fd);
    isolation = CHIEF_PROCESS;
    const void *of = (const char *)&probe_ops + is.ops;
    int rc = chief_child_run(child, of, (char *)space + is.data);
    chief_child_close(child);
    return rc == CHIEF_OK ? 0 : 1;
}

/* ---- the tests ---- */

static inline int in_thread(void **state) {
    (void)state;
    isolation = CHIEF_THREAD;
    return 0;
}

static inline int in_fiber(void **state) {
    (void)state;
    isolation = CHIEF_FIBER;
    return 0;
}

static inline int in_process(void **state) {
    (void)state;
    isolation = CHIEF_PROCESS;
    return 0;
}

static inline int forget(void **state) {
    (void)state;
    atomic_store(&n_roles, 0);
    memset(space->room, 0, space->used);
    space->used = 0;
    return 0;
}

#define FAULT(f) cmocka_unit_test_teardown(f, forget)

/* At the beginning of main: false where this process is a worker, with what main is to return. */
static inline bool probe_begin(int argc, char **argv, int *code) {
    program = argv[0];
    if (argc > 1 && strcmp(argv[1], "--worker") == 0) {
        *code = be_worker();
        return false;
    }
    support_spare_children();
    space_make();
    return true;
}

#define in_each_isolation(tests)                                         \
    (cmocka_run_group_tests_name("in threads", tests, in_thread, NULL) + \
     cmocka_run_group_tests_name("in fibers", tests, in_fiber, NULL) +   \
     cmocka_run_group_tests_name("in processes", tests, in_process, NULL))

/* ---- a chief with them ---- */

static const chief_restart soon = {.size = sizeof soon, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};

static inline void add(chief *c, const char *name, probe *p, const chief_worker_options *given) {
    chief_worker_options o = {0};
    if (given != NULL) o = *given;
    o.size = sizeof o;
    o.destroy = probe_destroy;
    assert_int_equal(add_worker(c, name, &probe_ops, p, &o), CHIEF_OK);
}

static inline void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static inline void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, support_ms(ANSWER_MS)), CHIEF_OK);
}

typedef struct wanted {
    atomic_int *count;
    int n;
} wanted;

static inline bool has_count(void *data) {
    const wanted *w = data;
    return atomic_load(w->count) >= w->n;
}

static inline void await_count(atomic_int *count, int n) {
    wanted w = {count, n};
    if (!support_until(has_count, &w, ANSWER_MS)) fail_msg("%d of %d", atomic_load(count), n);
}

/* One in a process has none. */
static inline void await_destroyed(probe *p) {
    if (isolation != CHIEF_PROCESS) await_count(&p->destroyed, 1);
}

static inline void end(chief *c, int expected) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), expected);
    chief_free(c);
}

#endif
