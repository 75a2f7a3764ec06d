/*
 * One channel and all that workers can be: 1 to 8 senders and receivers in threads, as fibers of three kinds, in processes,
 * or mixed; capacities of 1, 2 and 1024; all goes well, or the channel is closed, the chief stopped, workers die and are
 * killed. Every message is numbered, and counted in memory that the workers' processes map too.
 *
 * The seed of a round says all of its shape: seeds that follow each other lead through the whole matrix in N_SHAPES
 * rounds. CHIEF_STRESS_SEED is where to begin (else the clock says it), CHIEF_STRESS_ROUNDS how many rounds («all»: the
 * matrix once), CHIEF_STRESS_MS (default 2000) for how long otherwise. A failure names its seed; the last line is about
 * the round that was the last.
 */
#include "../faults/probe.h"

#include <signal.h>

enum { MOST = 8, MOST_NUMBERS = 2048, BATCH = 8, SMALL = 104, LARGE = 6000, LARGE_EVERY = 64 };

typedef enum place { IN_THREAD, IN_STEPS, IN_CALLBACKS, IN_BLOCKING_FIBER, IN_PROCESS, MIXED, N_PLACES } place;
typedef enum ending { ALL_IS_WELL, CLOSE, CANCEL, KILL, N_ENDINGS } ending;

static const char *const places[] = {"threads",           "fibers by resume", "fibers by callbacks",
                                     "fibers that block", "processes",        "all places"};
static const char *const endings[] = {"all is well", "close", "cancel", "kill"};
static const uint32_t capacities[] = {1, 2, 1024};

#define N_SHAPES ((uint64_t)MOST * MOST * 3 * N_PLACES * N_ENDINGS)

/* Of a number: not sent (yet), in the middle of a call, accepted. A sender that is killed leaves the middle one behind. */
typedef enum fate { UNSENT, TRIED, ACCEPTED } fate;

typedef struct actor {
    int32_t index, place;
    bool sends;
    atomic_int pid;  /* of its process, while it has an instance there */
    atomic_int next; /* sender: below it all was accepted, or tried */
    atomic_uchar fates[MOST_NUMBERS];
} actor;

/* A round, at the beginning of the memory that is shared. */
typedef struct ground {
    uint64_t seed;
    int32_t n_senders, n_receivers, places, ending, overflow, delivery;
    uint32_t capacity;
    int32_t numbers;       /* of each sender */
    bool hasty;            /* a grace that is over before many notice: they are abandoned, or killed */
    atomic_int homes;      /* instances there are, but those in processes */
    atomic_int inversions; /* of one sender's messages, in one life of a receiver */
    atomic_int garbled;
    atomic_int odd; /* the newest result of a call that nobody expects */
    atomic_uchar seen[MOST][MOST_NUMBERS];
    actor senders[MOST], receivers[MOST];
} ground;

/* One generation of an actor. */
typedef struct life {
    ground *g;
    actor *a;
    uint64_t random;
    chief_channel *ch, *idle;
    int32_t last[MOST]; /* receiver: the newest first delivery of each sender */
    char room[BATCH][LARGE];
} life;

/* ---- messages: a number, and bytes that tell whether it is whole ---- */

static size_t size_of(int32_t number) {
    if (number % LARGE_EVERY == LARGE_EVERY - 1) return LARGE;
    return sizeof number + (size_t)(number % (SMALL - (int32_t)sizeof number));
}

static size_t fill(char *at, int32_t number) {
    memset(at, number & 0xff, size_of(number));
    memcpy(at, &number, sizeof number);
    return size_of(number);
}

/* The number, or -1. */
static int32_t read_number(chief_bytes b) {
    int32_t number = -1;
    if (b.len >= sizeof number) memcpy(&number, b.data, sizeof number);
    if (number < 0 || number >= MOST * MOST_NUMBERS || b.len != size_of(number)) return -1;
    for (size_t i = sizeof number; i < b.len; i++)
        if (((const unsigned char *)b.data)[i] != (number & 0xff)) return -1;
    return number;
}

/* ---- senders ---- */

static void mark(actor *a, int32_t from, int32_t n, fate f) {
    for (int32_t i = 0; i < n; i++) atomic_store(&a->fates[from + i], (unsigned char)f);
}

static int send_reserved(life *l, chief_worker *w, int32_t i, int64_t timeout) {
    chief_reservation *r;
    void *room;
    int rc = chief_send_reserve(l->ch, w, LARGE, timeout, &r, &room);
    if (rc != CHIEF_OK) return rc;
    if (l->g->ending != ALL_IS_WELL && support_below(&l->random, 32) == 0)
        return CHIEF_EFAILED; /* dies, and leaves it open */
    if (support_below(&l->random, 8) == 0) {
        chief_send_cancel(r);
        return CHIEF_OK;
    }
    size_t len = fill(room, l->a->index * MOST_NUMBERS + i);
    mark(l->a, i, 1, TRIED);
    rc = chief_send_commit(r, len);
    mark(l->a, i, 1, rc == CHIEF_OK ? ACCEPTED : UNSENT);
    if (rc == CHIEF_OK) atomic_store(&l->a->next, i + 1);
    return rc;
}

static int send_batch(life *l, chief_worker *w, int32_t i, int64_t timeout) {
    chief_bytes items[BATCH];
    size_t sent = 0;
    int32_t n = support_below(&l->random, 2) == 0 ? 1 : 1 + support_below(&l->random, BATCH);
    if (n > l->g->numbers - i) n = l->g->numbers - i;
    for (int32_t k = 0; k < n; k++)
        items[k] = (chief_bytes){l->room[k], fill(l->room[k], l->a->index * MOST_NUMBERS + i + k)};
    mark(l->a, i, n, TRIED);
    int rc = n == 1 ? chief_channel_send(l->ch, w, items[0].data, items[0].len, timeout)
                    : chief_channel_send_many(l->ch, w, items, (size_t)n, timeout, &sent);
    if (n == 1) sent = rc == CHIEF_OK;
    mark(l->a, i, (int32_t)sent, ACCEPTED);
    mark(l->a, i + (int32_t)sent, n - (int32_t)sent, UNSENT);
    atomic_store(&l->a->next, i + (int32_t)sent);
    return rc;
}

/* What is in doubt since its sender was killed is not sent again. */
static int32_t next_number(life *l) {
    int32_t i = atomic_load(&l->a->next);
    while (i < l->g->numbers && atomic_load(&l->a->fates[i]) != UNSENT) i++;
    atomic_store(&l->a->next, i);
    return i;
}

static int send_some(life *l, chief_worker *w, int64_t timeout) {
    int32_t i = next_number(l);
    if (i == l->g->numbers) return CHIEF_OK;
    return support_below(&l->random, 4) == 0 ? send_reserved(l, w, i, timeout) : send_batch(l, w, i, timeout);
}

/* ---- receivers ---- */

static void see(life *l, chief_msg *msg) {
    int32_t number = read_number(chief_msg_data(msg));
    uint64_t deliveries = chief_msg_deliveries(msg);
    chief_msg_free(msg);
    if (number < 0) {
        (void)atomic_fetch_add(&l->g->garbled, 1);
        return;
    }
    int32_t sender = number / MOST_NUMBERS, i = number % MOST_NUMBERS;
    (void)atomic_fetch_add(&l->g->seen[sender][i], 1);
    if (deliveries > 1) return;
    if (i <= l->last[sender]) (void)atomic_fetch_add(&l->g->inversions, 1);
    l->last[sender] = i;
}

static int receive_some(life *l, chief_worker *w, int64_t timeout) {
    chief_channel *all[] = {NULL, l->idle, l->ch};
    chief_msg *out[BATCH];
    size_t n = 1, index = 2;
    int rc;
    switch (support_below(&l->random, 3)) {
    case 0: rc = chief_channel_recv(l->ch, w, timeout, out); break;
    case 1:
        rc = chief_channel_recv_many(l->ch, w, timeout, out, (size_t)support_below(&l->random, BATCH) + 1, &n);
        break;
    default: rc = chief_select(w, all, 3, timeout, &index, out); break;
    }
    if (rc == CHIEF_OK && index == 0) chief_msg_free(out[0]); /* a nudge */
    else
        for (size_t i = 0; rc == CHIEF_OK && i < n; i++) see(l, out[i]);
    if (support_below(&l->random, 16) == 0) chief_channel_ack(l->ch, w);
    return rc;
}

/* ---- one life, wherever it is ---- */

static int life_begin(chief_worker *w, void *data, void **instance) {
    actor *a = data;
    life *l = calloc(1, sizeof *l);
    if (l == NULL) return CHIEF_ENOMEM;
    l->g = (ground *)(void *)space->room;
    l->a = a;
    l->random = l->g->seed + (uint64_t)(a->index * 2 + a->sends) * 7919 + chief_worker_generation(w) * 104729;
    for (int32_t s = 0; s < MOST; s++) l->last[s] = -1;
    int rc = chief_worker_channel(w, "ch", &l->ch);
    if (rc == CHIEF_OK) rc = chief_worker_channel(w, "idle", &l->idle);
    if (rc != CHIEF_OK) {
        free(l);
        return rc;
    }
    if (a->place == IN_PROCESS) atomic_store(&a->pid, (int)getpid());
    else (void)atomic_fetch_add(&l->g->homes, 1);
    *instance = l;
    return CHIEF_OK;
}

static void life_end(void *instance) {
    life *l = instance;
    if (l->a->place == IN_PROCESS) atomic_store(&l->a->pid, 0);
    else (void)atomic_fetch_sub(&l->g->homes, 1);
    free(l);
}

/* Anybody else: a nudge is what fibers by callbacks act at, and what ends a select. */
static void nudge(life *l, chief_worker *w) {
    char name[8];
    bool sender = support_below(&l->random, 2) == 0;
    int32_t i = support_below(&l->random, sender ? l->g->n_senders : l->g->n_receivers);
    (void)snprintf(name, sizeof name, "%c%d", sender ? 's' : 'r', (int)i);
    (void)chief_worker_send(w, name, "go", 2, 0);
}

static int act(life *l, chief_worker *w, int64_t timeout) {
    if (support_below(&l->random, 32) == 0) nudge(l, w);
    int rc = l->a->sends ? send_some(l, w, timeout) : receive_some(l, w, timeout);
    if (rc == CHIEF_OK && l->g->ending != ALL_IS_WELL && support_below(&l->random, 200) == 0) return CHIEF_EFAILED;
    return rc;
}

/* Where all is well everybody waits for ever, so that a wake that was lost is seen. */
static int64_t patience(life *l) {
    return l->g->ending == ALL_IS_WELL ? CHIEF_FOREVER : support_below(&l->random, 4) - 1;
}

/* Full is what drops the oldest while others have reserved all the room. */
static bool has_more(int rc) {
    return rc == CHIEF_OK || rc == CHIEF_ETIMEDOUT || rc == CHIEF_EAGAIN || rc == CHIEF_EFULL;
}

static bool is_over(life *l, chief_worker *w) {
    return l->a->sends && (next_number(l) == l->g->numbers || chief_context_err(chief_worker_context(w)) != CHIEF_OK);
}

/* How run ends by a call's result. */
static int result(life *l, int rc) {
    if (has_more(rc) || rc == CHIEF_ECLOSED || rc == CHIEF_ECANCELED) return CHIEF_OK;
    if (rc != CHIEF_EFAILED) atomic_store(&l->g->odd, rc);
    return CHIEF_EFAILED;
}

static int run_blocking(chief_worker *w, void *instance) {
    life *l = instance;
    int rc = CHIEF_OK;
    while (has_more(rc) && !is_over(l, w)) rc = act(l, w, patience(l));
    return result(l, rc);
}

static int prepare(life *l, chief_worker *w) {
    chief_channel *all[] = {l->ch, NULL, l->idle};
    chief_wait wait = {.size = sizeof wait, .channels = all, .deadline = chief_wait_deadline(patience(l))};
    wait.kind = l->a->sends ? CHIEF_WAIT_SEND : CHIEF_WAIT_RECV;
    wait.n = l->a->sends ? 1 : 3;
    return chief_wait_prepare(w, &wait);
}

static int resume_step(chief_worker *w, void *data, void **instance, int32_t which) {
    if (which == CHIEF_PART_INIT) return life_begin(w, data, instance);
    life *l = *instance;
    int rc = CHIEF_OK;
    while (has_more(rc) && !is_over(l, w)) {
        rc = act(l, w, 0);
        if (rc != CHIEF_EAGAIN) continue;
        rc = prepare(l, w);
        if (rc == CHIEF_EAGAIN) return rc;
    }
    return result(l, rc);
}

static int call_back(chief_worker *w, void *instance) {
    life *l = instance;
    int rc = CHIEF_OK;
    for (int32_t left = 1 + support_below(&l->random, 32); left > 0 && rc == CHIEF_OK && !is_over(l, w); left--)
        rc = act(l, w, support_below(&l->random, 8) == 0);
    return result(l, rc);
}

static int call_back_at_message(chief_worker *w, void *instance, const chief_msg *msg) {
    if (chief_msg_data(msg).len != 2) return CHIEF_EDATA;
    return call_back(w, instance);
}

/* ---- a round ---- */

static const chief_worker_ops ops = {.size = sizeof ops, .init = life_begin, .run = run_blocking, .fini = life_end};

static const chief_fiber_ops by_resume = {.size = sizeof by_resume, .resume = resume_step};
static const chief_fiber_ops by_callbacks = {
    .size = sizeof by_callbacks, .on_message = call_back_at_message, .on_timer = call_back, .interval = 1};

static int resume_blocking(chief_worker *w, void *data, void **instance, int32_t which) {
    return which == CHIEF_PART_INIT ? life_begin(w, data, instance) : run_blocking(w, *instance);
}

static const chief_fiber_ops by_blocking = {.size = sizeof by_blocking, .resume = resume_blocking};

/* The seed's place in the matrix; the factor has no divisor in common with N_SHAPES, so that each shape comes. */
static void shape(ground *g, uint64_t seed) {
    uint64_t at = seed % N_SHAPES * 2849 % N_SHAPES;
    g->seed = seed;
    g->n_senders = 1 + (int32_t)(at % MOST), at /= MOST;
    g->n_receivers = 1 + (int32_t)(at % MOST), at /= MOST;
    g->capacity = capacities[at % 3], at /= 3;
    g->places = (int32_t)(at % N_PLACES), at /= N_PLACES;
    g->ending = (int32_t)at;
}

static void make_ground(ground *g, uint64_t seed) {
    uint64_t random = seed;
    shape(g, seed);
    g->overflow = g->ending != ALL_IS_WELL && support_below(&random, 4) == 0 ? CHIEF_DROP_OLDEST : CHIEF_BLOCK;
    g->delivery = support_below(&random, 2) == 0 ? CHIEF_AT_MOST_ONCE : CHIEF_AT_LEAST_ONCE;
    g->numbers = 1 + support_below(&random, 400);
    g->hasty = g->ending == CANCEL && support_below(&random, 2) == 0;
    for (int32_t i = 0; i < 2 * MOST; i++) {
        actor *a = i < MOST ? &g->senders[i] : &g->receivers[i - MOST];
        a->index = i % MOST;
        a->sends = i < MOST;
        a->place = g->places == MIXED ? support_below(&random, MIXED) : g->places;
    }
}

static const char *describe(const ground *g) {
    static char text[256];
    (void)snprintf(text, sizeof text, "CHIEF_STRESS_SEED=%llu: %d to %d, %s, capacity %d, %s%s, %s, %s",
                   (unsigned long long)g->seed, g->n_senders, g->n_receivers, places[g->places], (int)g->capacity,
                   endings[g->ending], g->hasty ? " in haste" : "",
                   g->delivery == CHIEF_AT_LEAST_ONCE ? "at least once" : "at most once",
                   g->overflow == CHIEF_BLOCK ? "block" : "drop the oldest");
    return text;
}

static chief_channel *add_channel(chief *c, const char *name, const ground *g) {
    chief_channel *ch;
    chief_channel_options o = {.size = sizeof o, .max_deliveries = CHIEF_ZERO, .capacity = g->capacity};
    o.overflow = g->overflow;
    o.delivery = g->delivery;
    assert_int_equal(chief_add_channel(c, name, &o), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, name, &ch), CHIEF_OK);
    return ch;
}

static int add_actor(chief *c, const char *name, actor *a, chief_worker_options *o) {
    switch (a->place) {
    case IN_THREAD: o->isolation = CHIEF_THREAD; break;
    case IN_PROCESS: o->isolation = CHIEF_PROCESS; return add_process(c, name, &ops, a, o);
    case IN_STEPS: o->fiber = &by_resume; break;
    case IN_CALLBACKS: o->fiber = &by_callbacks; break;
    default: o->fiber = &by_blocking; break;
    }
    if (o->fiber != NULL) o->isolation = CHIEF_FIBER;
    return chief_add_worker_with(c, name, &ops, a, o);
}

static void add_actors(chief *c, ground *g) {
    const chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .max_delay = 2, .jitter = -1};
    for (int32_t i = 0; i < g->n_senders + g->n_receivers; i++) {
        char name[8];
        actor *a = i < g->n_senders ? &g->senders[i] : &g->receivers[i - g->n_senders];
        chief_worker_options o = {.size = sizeof o, .restart = &at_once, .start_timeout = support_ms(30000)};
        o.grace = g->hasty ? 1 : support_ms(20000);
        (void)snprintf(name, sizeof name, "%c%d", a->sends ? 's' : 'r', (int)a->index);
        if (add_actor(c, name, a, &o) != CHIEF_OK) fail_msg("%s: %s", describe(g), chief_last_error());
    }
}

/* ---- what happens to them ---- */

typedef struct wait_for {
    ground *g;
    chief_channel *ch;
    int32_t n;
} wait_for;

static int32_t so_far(const ground *g) {
    int32_t n = 0;
    for (int32_t i = 0; i < g->n_senders; i++) n += atomic_load(&g->senders[i].next);
    return n;
}

static bool are_sent(void *data) { return so_far(((wait_for *)data)->g) >= ((wait_for *)data)->n; }

static bool are_through(void *data) { return are_sent(data) && chief_channel_len(((wait_for *)data)->ch) == 0; }

static void await(bool (*ask)(void *), ground *g, chief_channel *ch, int32_t n) {
    wait_for w = {g, ch, n};
    if (!support_until(ask, &w, 20000))
        fail_msg("%s: a wake was lost, %d of %d are sent, %zu queued", describe(g), (int)so_far(g), (int)n,
                 chief_channel_len(ch));
}

/* A process by its number, which is its own until it has ended; others are restarted. */
static void disturb_one(chief *c, ground *g, uint64_t *random) {
    char name[8];
    bool sender = support_below(random, 2) == 0;
    int32_t i = support_below(random, sender ? g->n_senders : g->n_receivers);
    actor *a = sender ? &g->senders[i] : &g->receivers[i];
    pid_t pid = atomic_exchange(&a->pid, 0);
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        return;
    }
    (void)snprintf(name, sizeof name, "%c%d", sender ? 's' : 'r', (int)i);
    int rc = chief_restart_worker(c, name); /* -1 where that is not legal now */
    if (rc != CHIEF_OK && rc != -1 && rc != CHIEF_EBUSY) atomic_store(&g->odd, rc);
}

static chief_channel_stats sums(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    assert_int_equal(s.received, s.acknowledged + s.in_hand);
    assert_int_equal(s.sent, s.received + s.queued + s.dropped);
    return s;
}

static void happen(chief *c, ground *g, chief_channel *ch) {
    uint64_t random = g->seed ^ 0x5eed;
    int32_t all = g->n_senders * g->numbers;
    for (int32_t left = g->ending == KILL ? 4 + support_below(&random, 12) : support_below(&random, 4); left > 0;
         left--) {
        await(are_sent, g, ch, support_below(&random, all));
        (void)sums(ch);
        if (g->ending == KILL) disturb_one(c, g, &random);
    }
    if (g->ending == ALL_IS_WELL || g->ending == KILL) await(are_through, g, ch, all);
    if (g->ending != CANCEL) chief_channel_close(ch);
}

/* What is left goes to the host, as one more receiver. */
static void drain(ground *g, chief_channel *ch) {
    chief_msg *msg;
    while (chief_channel_recv(ch, NULL, 0, &msg) == CHIEF_OK) {
        int32_t number = read_number(chief_msg_data(msg));
        chief_msg_free(msg);
        assert_true(number >= 0);
        (void)atomic_fetch_add(&g->seen[number / MOST_NUMBERS][number % MOST_NUMBERS], 1);
    }
}

typedef struct account {
    uint64_t accepted, in_doubt, unseen, twice;
} account;

static account count(ground *g) {
    account n = {0};
    for (int32_t s = 0; s < MOST; s++)
        for (int32_t i = 0; i < MOST_NUMBERS; i++) {
            int seen = atomic_load(&g->seen[s][i]);
            int was = atomic_load(&g->senders[s].fates[i]);
            if (was == UNSENT && seen > 0)
                fail_msg("%s: %d of sender %d came from nowhere", describe(g), (int)i, (int)s);
            n.accepted += was == ACCEPTED || seen > 0;
            n.in_doubt += was == TRIED && seen == 0;
            n.unseen += was == ACCEPTED && seen == 0;
            n.twice += seen > 1;
        }
    return n;
}

static void check(ground *g, chief_channel *ch) {
    account n = count(g);
    chief_channel_stats s = sums(ch);
    assert_int_equal(atomic_load(&g->odd), 0);
    assert_int_equal(atomic_load(&g->garbled), 0);
    assert_int_equal(atomic_load(&g->inversions), 0);
    assert_int_equal(s.in_hand + s.queued, 0);
    assert_in_range(s.sent, n.accepted, n.accepted + n.in_doubt);
    assert_true(n.unseen <= s.dropped);
    if (g->delivery == CHIEF_AT_MOST_ONCE) assert_int_equal(n.twice, 0);
    bool may_drop = g->overflow != CHIEF_BLOCK || (g->delivery == CHIEF_AT_MOST_ONCE && g->ending != ALL_IS_WELL);
    if (!may_drop) assert_int_equal(s.dropped, 0);
}

static bool have_gone(void *data) { return atomic_load(&((ground *)data)->homes) == 0; }

static void play(uint64_t seed) {
    ground *g = share_room(sizeof *g);
    make_ground(g, seed);
    chief *c = support_quiet_chief(&(chief_options){.event_capacity = 16, .fiber_threads = 1 + (uint32_t)(seed % 3)});
    chief_channel *ch = add_channel(c, "ch", g);
    chief_channel *idle = add_channel(c, "idle", g);
    add_actors(c, g);
    launch(c);
    happen(c, g, ch);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    (void)chief_join(c, support_ms(30000));
    if (!chief_has_stopped(c)) fail_msg("%s: somebody waits for ever", describe(g));
    if (!support_until(have_gone, g, 20000)) fail_msg("%s: somebody has not ended", describe(g));
    drain(g, ch);
    check(g, ch);
    chief_channel_unref(ch);
    chief_channel_unref(idle);
    chief_free(c);
}

static int64_t from_env(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? strtoll(text, NULL, 10) : otherwise;
}

static int64_t rounds_wanted(void) {
    const char *text = getenv("CHIEF_STRESS_ROUNDS");
    return text != NULL && strcmp(text, "all") == 0 ? (int64_t)N_SHAPES : from_env("CHIEF_STRESS_ROUNDS", 0);
}

static int tell_round(void **state) {
    print_message("%s\n", describe((ground *)(void *)space->room));
    return forget(state);
}

static void test_matrix__nothing_is_lost_wherever_the_workers_are(void **state) {
    uint64_t seed = (uint64_t)from_env("CHIEF_STRESS_SEED", chief__wall_ms());
    int64_t rounds = rounds_wanted();
    int64_t end = chief__now_ms() + from_env("CHIEF_STRESS_MS", 2000);
    int64_t played = 0;
    print_message("CHIEF_STRESS_SEED=%llu\n", (unsigned long long)seed);
    do {
        forget(state);
        play(seed++);
        played++;
    } while (rounds > 0 ? played < rounds : chief__now_ms() < end);
    print_message("%lld rounds of the %d there are\n", (long long)played, (int)N_SHAPES);
}

int main(int argc, char **argv) {
    int code;
    if (!probe_begin(argc, argv, &code)) return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_matrix__nothing_is_lost_wherever_the_workers_are, tell_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
