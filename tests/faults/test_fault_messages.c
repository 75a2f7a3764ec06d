/* The fault cases of waits and messages, for C workers in threads, as fibers and in processes. Each test bears its number;
 * the table is tests/faults/README.md. */
#include <poll.h>

#include "probe.h"

/* ---- 23: a stop ends every wait ---- */

enum { IN_CHANNEL, IN_MAILBOX, IN_SLEEP, IN_SELECT, IN_CALL, IN_LOOP, N_WAITS };

typedef struct waiter {
    atomic_int waits;
    atomic_int answer; /* of its wait */
    int kind;
} waiter;

/* A loop of the worker's own, over the descriptor of its context. */
static int wait_in_loop(chief_worker *ctx) {
    chief_context *context = chief_worker_context(ctx);
    struct pollfd p = {.fd = chief_context_fd(context), .events = POLLIN};
    while (poll(&p, 1, -1) < 1) continue;
    return chief_context_err(context);
}

static int wait_in(chief_worker *ctx, chief_channel *never, int kind) {
    chief_msg *msg;
    size_t index;
    switch (kind) {
    case IN_CHANNEL: return chief_channel_recv(never, ctx, CHIEF_FOREVER, &msg);
    case IN_MAILBOX: return chief_worker_recv(ctx, CHIEF_FOREVER, &msg);
    case IN_SLEEP: return chief_worker_sleep(ctx, CHIEF_FOREVER);
    case IN_SELECT: return chief_select(ctx, &never, 1, CHIEF_FOREVER, &index, &msg);
    case IN_CALL: return chief_worker_call(ctx, "deaf", "x", 1, CHIEF_FOREVER, &msg);
    default: return wait_in_loop(ctx);
    }
}

static int waiter_run(chief_worker *ctx, void *instance) {
    waiter *w = instance;
    chief_channel *never;
    int rc = chief_worker_channel(ctx, "never", &never);
    if (rc != CHIEF_OK) return rc;
    (void)atomic_fetch_add(&w->waits, 1);
    rc = wait_in(ctx, never, w->kind);
    atomic_store(&w->answer, rc);
    return rc;
}

static const chief_worker_ops waiter_ops = {.size = sizeof waiter_ops, .run = waiter_run};

static int64_t end_every_wait(void) {
    static const char *const names[N_WAITS] = {"channel", "mailbox", "sleep", "select", "call", "loop"};
    waiter *w[N_WAITS];
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "never", NULL), CHIEF_OK);
    add(c, "deaf", PROBE(0), NULL);
    for (int i = 0; i < N_WAITS; i++) {
        w[i] = share(&(waiter){.kind = i}, sizeof *w[i]);
        assert_int_equal(add_worker(c, names[i], &waiter_ops, w[i], NULL), CHIEF_OK);
    }
    launch(c);
    for (int i = 0; i < N_WAITS; i++) await_count(&w[i]->waits, 1);
    int64_t begun = chief__now_ms();
    for (int i = 0; i < N_WAITS; i++) assert_int_equal(chief_stop_worker(c, names[i]), CHIEF_OK);
    for (int i = 0; i < N_WAITS; i++) await_state(c, names[i], CHIEF_WORKER_STOPPED);
    int64_t took = chief__now_ms() - begun;
    for (int i = 0; i < N_WAITS; i++) assert_int_equal(w[i]->answer, CHIEF_ECANCELED);
    end(c, CHIEF_OK);
    return took;
}

static void test_fault_23__a_stop_ends_every_wait_at_once(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3 && best >= support_ms(50); i++) {
        int64_t took = end_every_wait();
        if (took < best) best = took;
    }
    assert_true(best < support_ms(50));
}

/* Sends until it can't. */
static int sender_run(chief_worker *ctx, void *instance) {
    waiter *w = instance;
    chief_channel *full;
    int rc = chief_worker_channel(ctx, "full", &full);
    while (rc == CHIEF_OK) {
        (void)atomic_fetch_add(&w->waits, 1);
        rc = chief_channel_send(full, ctx, "x", 1, CHIEF_FOREVER);
    }
    atomic_store(&w->answer, rc);
    return rc;
}

/* Receives one and keeps it. */
static int keeper_run(chief_worker *ctx, void *instance) {
    waiter *w = instance;
    chief_channel *full;
    chief_msg *msg;
    int rc = chief_worker_channel(ctx, "full", &full);
    if (rc == CHIEF_OK) rc = chief_channel_recv(full, ctx, CHIEF_FOREVER, &msg);
    if (rc != CHIEF_OK) return rc;
    (void)atomic_fetch_add(&w->waits, 1);
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    chief_msg_free(msg);
    return 0;
}

/* A sender that waits at a full channel of one, whose receiver runs. Its third wait is the one that lasts. */
static chief *make_full(waiter *sender, int64_t grace) {
    static const chief_worker_ops sender_ops = {.size = sizeof sender_ops, .run = sender_run};
    static const chief_worker_ops keeper_ops = {.size = sizeof keeper_ops, .run = keeper_run};
    chief_channel_options of_full = {.size = sizeof of_full, .capacity = 1};
    chief_worker_options o = {.size = sizeof o, .grace = grace};
    waiter *keeper = share_room(sizeof *keeper);
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "full", &of_full), CHIEF_OK);
    assert_int_equal(add_worker(c, "keeper", &keeper_ops, keeper, NULL), CHIEF_OK);
    assert_int_equal(add_worker(c, "sender", &sender_ops, sender, &o), CHIEF_OK);
    launch(c);
    await_count(&keeper->waits, 1);
    await_count(&sender->waits, 3);
    return c;
}

static bool has_answer(void *data) { return atomic_load(&((waiter *)data)->answer) != 0; }

/* A process is killed when its grace is over, before it can say so. */
static void await_end_of_send(chief *c, waiter *sender) {
    if (isolation == CHIEF_PROCESS) await_state(c, "sender", CHIEF_WORKER_STOPPED);
    else assert_true(support_until(has_answer, sender, ANSWER_MS));
    if (has_answer(sender)) assert_int_equal(sender->answer, CHIEF_ECANCELED);
}

static void test_fault_23__a_send_ends_with_the_grace_or_the_last_receiver(void **state) {
    (void)state;
    waiter *sender = share_room(sizeof *sender);
    int64_t begun = chief__now_ms();
    chief *c = make_full(sender, 30);
    assert_int_equal(chief_stop_worker(c, "sender"), CHIEF_OK);
    await_end_of_send(c, sender);
    assert_true(chief__now_ms() - begun >= 30);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    (void)chief_join(c, support_ms(ANSWER_MS)); /* whether it was in time is a matter of luck */
    chief_free(c);
    sender = share_room(sizeof *sender);
    c = make_full(sender, 3600000);
    assert_int_equal(chief_stop_worker(c, "sender"), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "sender"), CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "keeper"), CHIEF_OK);
    await_state(c, "sender", CHIEF_WORKER_STOPPED);
    end(c, CHIEF_OK);
    assert_int_equal(sender->answer, CHIEF_ECANCELED);
}

/* ---- 35, 36: order and bounds ---- */

enum { MANY = 100000, BATCH = 100, SINGLES = 10 /* of so many batches one is sent message by message */ };

static int numberer_run(chief_worker *ctx, void *instance) {
    int numbers[BATCH];
    chief_bytes items[BATCH];
    chief_channel *to;
    (void)instance;
    int rc = chief_worker_channel(ctx, "many", &to);
    for (int first = 0; rc == CHIEF_OK && first < MANY; first += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            numbers[i] = first + i;
            items[i] = (chief_bytes){(const char *)&numbers[i], sizeof numbers[i]};
        }
        bool one_by_one = first / BATCH % SINGLES == 0;
        size_t sent;
        if (!one_by_one) rc = chief_channel_send_many(to, ctx, items, BATCH, CHIEF_FOREVER, &sent);
        for (int i = 0; one_by_one && rc == CHIEF_OK && i < BATCH; i++)
            rc = chief_channel_send(to, ctx, items[i].data, items[i].len, CHIEF_FOREVER);
    }
    return rc;
}

typedef struct tally {
    atomic_int count, inversions;
} tally;

static int tally_run(chief_worker *ctx, void *instance) {
    tally *t = instance;
    chief_channel *from;
    chief_msg *got[64];
    size_t n;
    int last = -1;
    int rc = chief_worker_channel(ctx, "many", &from);
    while (rc == CHIEF_OK && (rc = chief_channel_recv_many(from, ctx, CHIEF_FOREVER, got, 64, &n)) == CHIEF_OK)
        for (size_t i = 0; i < n; i++) {
            int number;
            memcpy(&number, chief_msg_data(got[i]).data, sizeof number);
            if (number != last + 1) (void)atomic_fetch_add(&t->inversions, 1);
            last = number;
            chief_msg_free(got[i]);
            (void)atomic_fetch_add(&t->count, 1);
        }
    return rc;
}

static void test_fault_35__a_hundred_thousand_stay_in_order(void **state) {
    (void)state;
    static const chief_worker_ops from_ops = {.size = sizeof from_ops, .run = numberer_run};
    static const chief_worker_ops to_ops = {.size = sizeof to_ops, .run = tally_run};
    tally *t = share_room(sizeof *t);
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "many", NULL), CHIEF_OK);
    assert_int_equal(add_worker(c, "to", &to_ops, t, NULL), CHIEF_OK);
    assert_int_equal(add_worker(c, "from", &from_ops, PROBE(0), NULL), CHIEF_OK);
    launch(c);
    await_count(&t->count, MANY);
    end(c, CHIEF_OK);
    assert_int_equal(t->count, MANY);
    assert_int_equal(t->inversions, 0);
}

enum { ROOM = 8, SENDS = 1000 };

/* What a sender to somebody who never reads was told. */
typedef struct flood {
    atomic_int done;
    int sent[3];
    int refusal[3];
} flood;

static const char *const overflows[] = {"block", "drop_oldest", "fail"};

static int flood_run(chief_worker *ctx, void *instance) {
    flood *f = instance;
    for (int k = 0; k < 3; k++) {
        chief_channel *ch;
        int rc = chief_worker_channel(ctx, overflows[k], &ch);
        if (rc != CHIEF_OK) return rc;
        for (int i = 0; i < SENDS; i++) {
            rc = chief_channel_send(ch, ctx, "x", 1, 0);
            f->sent[k] += rc == CHIEF_OK;
            if (rc != CHIEF_OK) f->refusal[k] = rc;
        }
    }
    (void)atomic_fetch_add(&f->done, 1);
    return 0;
}

static void test_fault_36__who_never_reads_bounds_what_is_kept(void **state) {
    (void)state;
    static const chief_worker_ops flood_ops = {.size = sizeof flood_ops, .run = flood_run};
    const int sent[] = {ROOM, SENDS, ROOM};
    const int refusal[] = {CHIEF_EAGAIN, 0, CHIEF_EFULL};
    flood *f = share_room(sizeof *f);
    chief *c = support_quiet_chief(NULL);
    for (int32_t k = 0; k < 3; k++) {
        chief_channel_options o = {.size = sizeof o, .capacity = ROOM, .overflow = k};
        assert_int_equal(chief_add_channel(c, overflows[k], &o), CHIEF_OK);
    }
    assert_int_equal(add_worker(c, "flood", &flood_ops, f, NULL), CHIEF_OK);
    launch(c);
    await_count(&f->done, 1);
    for (int k = 0; k < 3; k++) {
        chief_channel *ch;
        chief_channel_stats s = {.size = sizeof s};
        assert_int_equal(chief_get_channel(c, overflows[k], &ch), CHIEF_OK);
        assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
        assert_int_equal(f->sent[k], sent[k]);
        assert_int_equal(f->refusal[k], refusal[k]);
        assert_int_equal(s.queued, ROOM);
        assert_int_equal(s.sent, s.received + s.queued + s.dropped);
        chief_channel_unref(ch);
    }
    end(c, CHIEF_OK);
}

/* Receives as many as there are, at once. */
static int glutton_run(chief_worker *ctx, void *instance) {
    tally *t = instance;
    chief_channel *from;
    chief_msg *got[ROOM];
    size_t n;
    int rc = chief_worker_channel(ctx, "big", &from);
    if (rc == CHIEF_OK) rc = chief_channel_recv_many(from, ctx, CHIEF_FOREVER, got, ROOM, &n);
    if (rc != CHIEF_OK) return rc;
    for (size_t i = 0; i < n; i++) chief_msg_free(got[i]);
    atomic_store(&t->count, (int)n);
    return 0;
}

/* Into a process go no more than 1 MiB in one answer, or one message. */
static void test_fault_36__what_goes_over_at_once_is_bounded(void **state) {
    (void)state;
    static const chief_worker_ops glutton_ops = {.size = sizeof glutton_ops, .run = glutton_run};
    static char bytes[1200 * 1024];
    const size_t lens[] = {400 * 1024, sizeof bytes};
    const int over[] = {2, 1};
    for (int k = 0; k < 2; k++) {
        chief_channel *ch;
        tally *t = share_room(sizeof *t);
        chief *c = support_quiet_chief(NULL);
        assert_int_equal(chief_add_channel(c, "big", NULL), CHIEF_OK);
        assert_int_equal(chief_get_channel(c, "big", &ch), CHIEF_OK);
        for (int i = 0; i < ROOM; i++) assert_int_equal(chief_channel_send(ch, NULL, bytes, lens[k], 0), CHIEF_OK);
        assert_int_equal(add_worker(c, "glutton", &glutton_ops, t, NULL), CHIEF_OK);
        launch(c);
        await_count(&t->count, 1);
        await_state(c, "glutton", CHIEF_WORKER_STOPPED);
        int expected = isolation == CHIEF_PROCESS ? over[k] : ROOM;
        assert_int_equal(t->count, expected);
        assert_int_equal(chief_channel_len(ch), (size_t)(ROOM - expected));
        chief_channel_unref(ch);
        end(c, CHIEF_OK);
    }
}

/* ---- 37, 38, 48: deaths ---- */

static char first_of(const chief_msg *msg) { return *(const char *)chief_msg_data(msg).data; }

typedef struct mourner {
    atomic_int lives;
    atomic_int served;
    char said[8]; /* what its second life received, each with its deliveries */
} mourner;

/* Dies with the first message in its hand; its second life notes what it gets. */
static int mourner_run(chief_worker *ctx, void *instance) {
    mourner *m = instance;
    chief_channel *from;
    chief_msg *msg;
    int life = atomic_fetch_add(&m->lives, 1);
    int rc = chief_worker_channel(ctx, "jobs", &from);
    for (int i = 0; rc == CHIEF_OK && (rc = chief_channel_recv(from, ctx, CHIEF_FOREVER, &msg)) == CHIEF_OK; i++) {
        m->said[2 * i] = first_of(msg);
        m->said[2 * i + 1] = (char)('0' + chief_msg_deliveries(msg));
        chief_msg_free(msg);
        if (life == 0) return 9;
        (void)atomic_fetch_add(&m->served, 1);
    }
    return rc;
}

static void mourn(int32_t delivery, const char *said, int served, uint64_t dropped) {
    static const chief_worker_ops mourner_ops = {.size = sizeof mourner_ops, .run = mourner_run};
    chief_channel_options oc = {.size = sizeof oc, .delivery = delivery};
    chief_worker_options o = {.size = sizeof o, .restart = &soon};
    chief_channel_stats s = {.size = sizeof s};
    chief_channel *ch;
    mourner *m = share_room(sizeof *m);
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "jobs", &oc), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "jobs", &ch), CHIEF_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(chief_channel_send(ch, NULL, &"abc"[i], 1, 0), CHIEF_OK);
    assert_int_equal(add_worker(c, "w", &mourner_ops, m, &o), CHIEF_OK);
    launch(c);
    await_count(&m->served, served);
    end(c, CHIEF_OK);
    assert_string_equal(m->said, said);
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    assert_int_equal(s.dropped, dropped);
    assert_int_equal(s.sent, s.received + s.queued + s.dropped);
    chief_channel_unref(ch);
}

static void test_fault_37_48__what_the_dead_held_comes_first_or_is_counted(void **state) {
    (void)state;
    mourn(CHIEF_AT_LEAST_ONCE, "a2b1c1", 3, 0);
    mourn(CHIEF_AT_MOST_ONCE, "b1c1", 2, 1);
}

/* Dies between reserve and commit. */
static int reserver_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_channel *to;
    chief_reservation *kept;
    void *room;
    int rc = chief_worker_channel(ctx, "one", &to);
    if (rc == CHIEF_OK) rc = chief_send_reserve(to, ctx, 1, CHIEF_FOREVER, &kept, &room);
    (void)atomic_fetch_add(&p->runs, 1);
    return rc == CHIEF_OK ? 9 : rc;
}

static void test_fault_38__a_death_before_the_commit_gives_the_room_back(void **state) {
    (void)state;
    static const chief_worker_ops reserver_ops = {.size = sizeof reserver_ops, .run = reserver_run};
    chief_channel_options one = {.size = sizeof one, .capacity = 1};
    chief_channel *ch;
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "one", &one), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "one", &ch), CHIEF_OK);
    assert_int_equal(add_worker(c, "w", &reserver_ops, PROBE(0), NULL), CHIEF_OK);
    launch(c);
    await_state(c, "w", CHIEF_WORKER_FAILED);
    assert_int_equal(chief_channel_send(ch, NULL, "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief_channel_send(ch, NULL, "x", 1, 0), CHIEF_EAGAIN);
    chief_channel_unref(ch);
    end(c, CHIEF_EFAILED);
}

/* Every life dies of the first. */
static int victim_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_channel *from;
    chief_msg *msg;
    int rc = chief_worker_channel(ctx, "jobs", &from);
    while (rc == CHIEF_OK && (rc = chief_channel_recv(from, ctx, CHIEF_FOREVER, &msg)) == CHIEF_OK) {
        bool poison = first_of(msg) == 'p';
        chief_msg_free(msg);
        (void)atomic_fetch_add(poison ? &p->inits : &p->runs, 1);
        if (poison) return 9;
    }
    return rc;
}

static void test_fault_48__what_kills_each_time_leaves_the_queue(void **state) {
    (void)state;
    static const chief_worker_ops victim_ops = {.size = sizeof victim_ops, .run = victim_run};
    chief_channel_options oc = {.size = sizeof oc, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = 3};
    chief_worker_options o = {.size = sizeof o, .restart = &soon};
    probe *p = PROBE(0);
    chief_channel *ch;
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "jobs", &oc), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "jobs", &ch), CHIEF_OK);
    assert_int_equal(chief_channel_send(ch, NULL, "p", 1, 0), CHIEF_OK);
    assert_int_equal(chief_channel_send(ch, NULL, "g", 1, 0), CHIEF_OK);
    assert_int_equal(add_worker(c, "w", &victim_ops, p, &o), CHIEF_OK);
    launch(c);
    await_count(&p->runs, 1);
    end(c, CHIEF_OK);
    assert_int_equal(p->inits, 3);
    assert_int_equal(p->runs, 1);
    chief_channel_unref(ch);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_23__a_stop_ends_every_wait_at_once),
        FAULT(test_fault_23__a_send_ends_with_the_grace_or_the_last_receiver),
        FAULT(test_fault_35__a_hundred_thousand_stay_in_order),
        FAULT(test_fault_36__who_never_reads_bounds_what_is_kept),
        FAULT(test_fault_36__what_goes_over_at_once_is_bounded),
        FAULT(test_fault_37_48__what_the_dead_held_comes_first_or_is_counted),
        FAULT(test_fault_38__a_death_before_the_commit_gives_the_room_back),
        FAULT(test_fault_48__what_kills_each_time_leaves_the_queue),
    };
    int code;
    return probe_begin(argc, argv, &code) ? in_each_isolation(tests) : code;
}
