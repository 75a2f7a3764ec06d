/*
 * Channels under everything at once: 1 to 8 senders and receivers that time out, reserve, select, die, are given up and
 * come again, until the channel is closed or all are asked to stop. Every message is numbered and counted here. In the
 * patient rounds only the first of each kind has time limits; it is stopped first, and the others, who wait for ever, have
 * to get everything through: a wake that was lost is seen there.
 *
 * CHIEF_STRESS_MS (default 2000) is how long, CHIEF_STRESS_SEED where the rounds begin; a failure names its seed.
 */
#include "channel_kit.h"

enum { MOST = 8, NUMBERS = 20000 };

typedef struct ground ground;

typedef struct actor {
    ground *g;
    uint64_t random; /* its own generator */
    int32_t index;
    int32_t accepted;   /* sender: numbers 0 .. accepted - 1 were taken */
    int32_t last[MOST]; /* receiver: the newest first delivery of each sender */
    chief__thread thread;
    chief__mutex lock;
    kit_worker *life; /* under lock: may be given up or stopped by the controller */
    bool stop;        /* under lock: no further life */
    bool given_up;    /* under lock: by the controller, in this life */
} actor;

struct ground {
    uint64_t seed;
    chief_channel *ch, *idle;
    int32_t overflow, delivery;
    int32_t n_senders, n_receivers;
    actor senders[MOST], receivers[MOST];
    atomic_int inversions;
    atomic_int running;
    atomic_int senders_running;
    bool patient;
    atomic_bool enough; /* what is sent is sent */
    _Atomic uint8_t seen[MOST][NUMBERS];
};

static int64_t patience(actor *a) {
    return a->g->patient && a->index > 0 ? CHIEF_FOREVER : support_below(&a->random, 4) - 1;
}

/* ---- lives ---- */

/* False when there shall be no further one. */
static bool be_born(actor *a, kit_worker *w) {
    kit_open(w, "actor", NULL);
    chief__party_set_grace(&w->party, INT64_MAX - 1);
    chief__lock(&a->lock);
    bool stop = a->stop;
    a->life = stop ? NULL : w;
    a->given_up = false;
    chief__unlock(&a->lock);
    if (stop) kit_close(w, true);
    return !stop;
}

static void die(actor *a, kit_worker *w, bool clean) {
    chief__lock(&a->lock);
    a->life = NULL;
    chief__unlock(&a->lock);
    kit_close(w, clean);
}

static void give_up(actor *a) {
    chief__lock(&a->lock);
    if (a->life != NULL) {
        a->given_up = true;
        chief__party_abandon(&a->life->party);
    }
    chief__unlock(&a->lock);
}

static void ask_to_stop(actor *a, int64_t grace) {
    chief__lock(&a->lock);
    a->stop = true;
    if (a->life != NULL) kit_stop(a->life, grace);
    chief__unlock(&a->lock);
}

/* ---- senders ---- */

static int send_reserved(actor *a, kit_worker *w, int32_t number, int64_t timeout) {
    chief_reservation *r;
    void *room;
    int rc = chief_send_reserve(a->g->ch, as(w), 64, timeout, &r, &room);
    if (rc != CHIEF_OK) return rc;
    memcpy(room, &number, sizeof number);
    switch (support_below(&a->random, 8)) {
    case 0: chief_send_cancel(r); return CHIEF_EAGAIN;
    case 1: return support_below(&a->random, 8) == 0 ? CHIEF_EFAILED : (chief_send_cancel(r), CHIEF_EAGAIN);
    default: return chief_send_commit(r, sizeof number);
    }
}

static int send_somehow(actor *a, kit_worker *w) {
    int32_t number = a->index * NUMBERS + a->accepted;
    int64_t timeout = patience(a);
    if (support_below(&a->random, 4) == 0) return send_reserved(a, w, number, timeout);
    return chief_channel_send(a->g->ch, as(w), &number, sizeof number, timeout);
}

/* CHIEF_EFAILED: it dies with a reservation open. */
static bool one_sending_life(actor *a) {
    kit_worker w;
    int rc = CHIEF_OK;
    if (!be_born(a, &w)) return false;
    while (rc != CHIEF_ECLOSED && rc != CHIEF_ECANCELED && rc != CHIEF_EFAILED && a->accepted < NUMBERS &&
           !atomic_load(&a->g->enough)) {
        rc = send_somehow(a, &w);
        a->accepted += rc == CHIEF_OK;
    }
    die(a, &w, support_below(&a->random, 2));
    return rc != CHIEF_ECLOSED && a->accepted < NUMBERS && !atomic_load(&a->g->enough);
}

static void send_all(void *data) {
    actor *a = data;
    while (one_sending_life(a)) continue;
    (void)atomic_fetch_sub(&a->g->senders_running, 1);
    (void)atomic_fetch_sub(&a->g->running, 1);
}

/* ---- receivers ---- */

static void see(actor *a, chief_msg *msg) {
    int32_t number = kit_number(msg);
    int32_t sender = number / NUMBERS, i = number % NUMBERS;
    (void)atomic_fetch_add(&a->g->seen[sender][i], 1);
    if (chief_msg_deliveries(msg) == 1) {
        if (i <= a->last[sender]) (void)atomic_fetch_add(&a->g->inversions, 1);
        a->last[sender] = i;
    }
    chief_msg_free(msg);
}

static int receive_somehow(actor *a, kit_worker *w) {
    chief_channel *both[] = {a->g->idle, a->g->ch};
    chief_msg *out[8];
    size_t n = 1, index;
    int64_t timeout = patience(a);
    int rc;
    switch (support_below(&a->random, 3)) {
    case 0: rc = chief_channel_recv(a->g->ch, as(w), timeout, out); break;
    case 1:
        rc = chief_channel_recv_many(a->g->ch, as(w), timeout, out, (size_t)support_below(&a->random, 8) + 1, &n);
        break;
    default: rc = chief_select(as(w), both, 2, timeout, &index, out); break;
    }
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++) see(a, out[i]);
    if (support_below(&a->random, 16) == 0) chief_channel_ack(a->g->ch, as(w));
    return rc;
}

static bool one_receiving_life(actor *a) {
    kit_worker w;
    int rc = CHIEF_OK;
    if (!be_born(a, &w)) return false;
    for (int32_t left = support_below(&a->random, 200) + 1; left > 0; left--) {
        rc = receive_somehow(a, &w);
        if (rc == CHIEF_ECLOSED || rc == CHIEF_ECANCELED) break;
    }
    die(a, &w, support_below(&a->random, 2));
    return rc != CHIEF_ECLOSED;
}

static void receive_all(void *data) {
    actor *a = data;
    while (one_receiving_life(a)) continue;
    (void)atomic_fetch_sub(&a->g->running, 1);
}

/* ---- a round ---- */

static void ground_open(ground *g, uint64_t seed) {
    static const uint32_t capacities[] = {1, 2, 1024};
    chief_channel_options o = {.size = sizeof o, .max_deliveries = CHIEF_ZERO};
    uint64_t random = seed;
    memset(g, 0, sizeof *g);
    g->seed = seed;
    g->overflow = o.overflow = support_below(&random, 4) == 0 ? CHIEF_DROP_OLDEST : CHIEF_BLOCK;
    g->delivery = o.delivery = support_below(&random, 2);
    o.capacity = capacities[support_below(&random, 3)];
    g->ch = kit_channel_with(&o);
    g->idle = kit_channel(0, CHIEF_BLOCK, CHIEF_AT_MOST_ONCE);
    g->patient = support_below(&random, 2) == 0;
    int32_t least = g->patient ? 2 : 1;
    g->n_senders = support_below(&random, MOST + 1 - least) + least;
    g->n_receivers = support_below(&random, MOST + 1 - least) + least;
    for (int32_t i = 0; i < MOST; i++)
        for (int both = 0; both < 2; both++) {
            actor *a = both ? &g->senders[i] : &g->receivers[i];
            a->g = g;
            a->index = i;
            a->random = support_random(&random);
            chief__mutex_init(&a->lock);
            for (int32_t s = 0; s < MOST; s++) a->last[s] = -1;
        }
}

static void start_all(ground *g) {
    atomic_store(&g->running, g->n_senders + g->n_receivers);
    atomic_store(&g->senders_running, g->n_senders);
    for (int32_t i = 0; i < g->n_senders; i++) support_thread(&g->senders[i].thread, send_all, &g->senders[i]);
    for (int32_t i = 0; i < g->n_receivers; i++) support_thread(&g->receivers[i].thread, receive_all, &g->receivers[i]);
}

static bool all_ended(void *data) { return atomic_load(&((ground *)data)->running) == 0; }

static bool all_is_through(void *data) {
    ground *g = data;
    return atomic_load(&g->senders_running) == 0 && chief_channel_len(g->ch) == 0;
}

/* Without a close and without a time limit. */
static void get_through(ground *g) {
    ask_to_stop(&g->senders[0], -1);
    ask_to_stop(&g->receivers[0], -1);
    atomic_store(&g->enough, true);
    if (!support_until(all_is_through, g, 20000))
        fail_msg("seed %llu: a wake was lost, %zu are queued", (unsigned long long)g->seed, chief_channel_len(g->ch));
}

static void disturb(ground *g, uint64_t *random) {
    for (int32_t left = support_below(random, 12); left > 0; left--) {
        if (support_below(random, 3) == 0) chief__pause_ms(1);
        (void)kit_sums(g->ch);
        if (support_below(random, 2) == 0) give_up(&g->receivers[support_below(random, g->n_receivers)]);
        else if (support_below(random, 4) == 0) give_up(&g->senders[support_below(random, g->n_senders)]);
    }
}

static void end_all(ground *g, uint64_t *random) {
    if (support_below(random, 2) == 0) {
        chief_channel_close(g->ch);
        chief_channel_close(g->idle);
    }
    for (int32_t i = 0; i < g->n_senders; i++) ask_to_stop(&g->senders[i], support_below(random, 3) - 1);
    for (int32_t i = 0; i < g->n_receivers; i++) ask_to_stop(&g->receivers[i], support_below(random, 3) - 1);
    if (!support_until(all_ended, g, 20000))
        fail_msg("seed %llu: somebody waits for ever", (unsigned long long)g->seed);
    for (int32_t i = 0; i < g->n_senders; i++) chief__thread_join(&g->senders[i].thread);
    for (int32_t i = 0; i < g->n_receivers; i++) chief__thread_join(&g->receivers[i].thread);
}

/* What is left goes to the host, as one more receiver. */
static void drain(ground *g) {
    chief_msg *msg;
    while (chief_channel_recv(g->ch, NULL, 0, &msg) == CHIEF_OK) {
        int32_t number = kit_number(msg);
        (void)atomic_fetch_add(&g->seen[number / NUMBERS][number % NUMBERS], 1);
        chief_msg_free(msg);
    }
}

static void check(ground *g) {
    uint64_t accepted = 0, unseen = 0, twice = 0;
    chief_channel_stats s = kit_sums(g->ch);
    for (int32_t i = 0; i < g->n_senders; i++) {
        accepted += (uint64_t)g->senders[i].accepted;
        for (int32_t k = 0; k < NUMBERS; k++) {
            int seen = atomic_load(&g->seen[i][k]);
            if (k >= g->senders[i].accepted) assert_int_equal(seen, 0);
            else if (seen == 0) unseen++;
            else if (seen > 1) twice++;
        }
    }
    assert_int_equal(s.sent, accepted);
    assert_int_equal(s.in_hand, 0);
    assert_int_equal(s.queued, 0);
    assert_int_equal(atomic_load(&g->inversions), 0);
    if (g->delivery == CHIEF_AT_MOST_ONCE) assert_int_equal(twice, 0);
    if (g->overflow == CHIEF_BLOCK) assert_int_equal(unseen, 0);
    assert_true(unseen <= s.dropped);
    if (g->delivery == CHIEF_AT_LEAST_ONCE && g->overflow == CHIEF_BLOCK) assert_int_equal(s.acknowledged, accepted);
}

static void play(ground *g, uint64_t seed) {
    uint64_t random = seed ^ 0x5eed;
    ground_open(g, seed);
    start_all(g);
    disturb(g, &random);
    if (g->patient) get_through(g);
    end_all(g, &random);
    drain(g);
    check(g);
    assert_null(g->ch->senders.first);
    assert_null(g->ch->receivers.first);
    assert_null(g->idle->receivers.first);
    assert_null(g->ch->hands);
    assert_int_equal(g->ch->reserved, 0);
    chief_channel_unref(g->ch);
    chief_channel_unref(g->idle);
}

static int64_t from_env(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? strtoll(text, NULL, 10) : otherwise;
}

static uint64_t last_seed;

static int tell_seed(void **state) {
    (void)state;
    print_message("the last round was CHIEF_STRESS_SEED=%llu\n", (unsigned long long)last_seed);
    return 0;
}

static void test_channel_stress__nothing_is_lost_nobody_is_forgotten(void **state) {
    (void)state;
    static ground g;
    uint64_t seed = (uint64_t)from_env("CHIEF_STRESS_SEED", chief__wall_ms());
    int64_t end = chief__now_ms() + from_env("CHIEF_STRESS_MS", 2000);
    int rounds = 0;
    print_message("CHIEF_STRESS_SEED=%llu\n", (unsigned long long)seed);
    do {
        last_seed = seed++;
        play(&g, last_seed);
        rounds++;
    } while (chief__now_ms() < end);
    print_message("%d rounds\n", rounds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_channel_stress__nothing_is_lost_nobody_is_forgotten, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
