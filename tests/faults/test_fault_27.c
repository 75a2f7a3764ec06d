/* FAULTS 27: the states are read a million times by four threads while 64 workers flap and others come and go. What was
 * read is compared afterwards with the events: a snapshot shows what the events up to its number say. */
#include "probe.h"

enum { FLAPPERS = 64, READERS = 4, READS = 1000000, KEPT = 64 };

/* Those in processes cost a fork and an exec each time; that the states are read a million times is a matter of the chief's. */
static int flappers(void) { return isolation == CHIEF_PROCESS ? 4 : FLAPPERS; }
static int reads(void) { return isolation == CHIEF_THREAD ? READS : READS / 20; }

static int fail_at_once(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 9;
}

static int wait_for_the_stop(chief_worker *ctx, void *instance) {
    (void)instance;
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    return 0;
}

static void count(void *data) { (void)atomic_fetch_add((atomic_int *)data, 1); }

/* ---- those who read ---- */

typedef struct reader {
    chief__thread thread;
    chief *c;
    int rounds;
    atomic_int *reading;
    int bad; /* an older one than the last, or one without all its workers */
    chief_snapshot *kept[KEPT];
} reader;

static size_t n_flappers;

static bool has_all(const chief_snapshot *s) {
    size_t n = chief_snapshot_len(s);
    for (size_t i = 0; i < n; i++)
        if (chief_state_validate(chief_snapshot_at(s, i)->state) != CHIEF_OK) return false;
    return n >= n_flappers;
}

static void read_states(void *data) {
    reader *r = data;
    uint64_t seq = 0;
    for (int i = 0; i < r->rounds; i++) {
        chief_snapshot *s;
        if (chief_states(r->c, &s) != CHIEF_OK) {
            r->bad++;
            continue;
        }
        r->bad += chief_snapshot_seq(s) < seq || !has_all(s);
        seq = chief_snapshot_seq(s);
        int place = (int)((int64_t)i * KEPT / r->rounds);
        if (r->kept[place] == NULL) r->kept[place] = s;
        else chief_snapshot_free(s);
    }
    (void)atomic_fetch_sub(r->reading, 1);
}

/* ---- what the events say ---- */

typedef struct change {
    uint64_t seq;
    int worker;
    chief_state_t state;
} change;

typedef struct history {
    change *changes;
    size_t n, room;
} history;

static void note(history *h, const chief_event *e) {
    if (e->kind != CHIEF_EVENT_STATE || e->worker[0] != 'w') return;
    char *end;
    int worker = (int)strtol(e->worker + 1, &end, 10);
    if (*end != '\0' || end == e->worker + 1) return;
    if (h->n == h->room) {
        h->room = h->room > 0 ? 2 * h->room : 4096;
        h->changes = realloc(h->changes, h->room * sizeof *h->changes);
        assert_non_null(h->changes);
    }
    h->changes[h->n++] = (change){e->seq, worker, e->state};
}

/* CHIEF_ECLOSED after the last. */
static int note_some(history *h, chief *c, int64_t timeout) {
    chief_event *events[256];
    size_t n;
    int rc = chief_take_events(c, events, 256, timeout, &n);
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++) {
        note(h, events[i]);
        chief_event_free(events[i]);
    }
    return rc;
}

static void compare(const history *h, const chief_snapshot *s) {
    chief_state_t states[FLAPPERS] = {0};
    for (size_t i = 0; i < h->n && h->changes[i].seq <= chief_snapshot_seq(s); i++)
        states[h->changes[i].worker] = h->changes[i].state;
    for (int i = 0; i < flappers(); i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(chief_snapshot_find(s, name)->state, states[i]);
    }
}

/* ---- the case ---- */

static chief *make_flappers(void) {
    static const chief_worker_ops flapper = {.size = sizeof flapper, .run = fail_at_once};
    static const chief_restart flap = {
        .size = sizeof flap, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 20, .max_delay = 20};
    chief_options o = {.event_capacity = 1 << 16};
    chief_worker_options of_flapper = {.size = sizeof of_flapper, .restart = &flap};
    chief *c = support_quiet_chief(&o);
    n_flappers = (size_t)flappers();
    for (int i = 0; i < flappers(); i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(add_worker(c, name, &flapper, PROBE(0), &of_flapper), CHIEF_OK);
    }
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    return c;
}

typedef struct guest_name {
    chief *c;
    char name[16];
} guest_name;

static bool is_gone(void *data) {
    const guest_name *g = data;
    chief_snapshot *s;
    assert_int_equal(chief_states(g->c, &s), CHIEF_OK);
    bool gone = chief_snapshot_find(s, g->name) == NULL;
    chief_snapshot_free(s);
    return gone;
}

/* Where it is a process the next one waits for its end: the flappers' are started one after the other with it. */
static void add_and_remove(chief *c, int number, atomic_int *destroyed) {
    static const chief_worker_ops guest = {.size = sizeof guest, .run = wait_for_the_stop};
    chief_worker_options o = {.size = sizeof o, .destroy = count};
    guest_name g = {.c = c};
    (void)snprintf(g.name, sizeof g.name, "guest-%d", number);
    assert_int_equal(add_worker(c, g.name, &guest, destroyed, &o), CHIEF_OK);
    assert_int_equal(chief_remove_worker(c, g.name), CHIEF_OK);
    if (isolation == CHIEF_PROCESS) assert_true(support_until(is_gone, &g, ANSWER_MS));
}

static void test_fault_27__states_are_read_while_workers_flap(void **state) {
    (void)state;
    static reader readers[READERS];
    memset(readers, 0, sizeof readers);
    history h = {0};
    atomic_int reading = READERS;
    atomic_int *destroyed = share_room(sizeof *destroyed);
    int guests = 0;
    chief *c = make_flappers();
    for (int i = 0; i < READERS; i++) {
        readers[i].c = c;
        readers[i].rounds = reads() / READERS / (int)support_ms(1);
        readers[i].reading = &reading;
        support_thread(&readers[i].thread, read_states, &readers[i]);
    }
    while (atomic_load(&reading) > 0) {
        add_and_remove(c, guests++, destroyed);
        while (note_some(&h, c, 0) == CHIEF_OK) continue;
    }
    for (int i = 0; i < READERS; i++) chief__thread_join(&readers[i].thread);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    while (note_some(&h, c, CHIEF_FOREVER) == CHIEF_OK) continue;
    (void)chief_join(c, support_ms(10000)); /* flapping: how their last generations ended is not the point */
    assert_int_equal(chief_events_dropped(c), 0);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].bad, 0);
        for (int k = 0; k < KEPT; k++) {
            compare(&h, readers[i].kept[k]);
            chief_snapshot_free(readers[i].kept[k]);
        }
    }
    assert_true(h.n > 3 * n_flappers);
    print_message("%zu changes, %d came and went\n", h.n, guests);
    chief_free(c);
    if (isolation != CHIEF_PROCESS) assert_int_equal(*destroyed, guests);
    free(h.changes);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_27__states_are_read_while_workers_flap),
    };
    int code;
    return probe_begin(argc, argv, &code) ? in_each_isolation(tests) : code;
}
