/*
 * The protocols that docs/concurrency.md argues for, as models that are gone through in every order: the lock, the word that a
 * thread or a fiber parks on (both plat.c), the gate of a Lua life (bindings/lua/life.c), and the two ends of a channel
 * (channel.c, send.c, recv.c). Each model has mistakes that can be
 * switched on, and the explorer has to find them.
 */
#include "explorer.h"

/* Who has the lock: a thread + 1. */
static bool take_lock(uint8_t *lock, int t) {
    if (*lock != 0) return false;
    *lock = (uint8_t)(t + 1);
    return true;
}

/* ---- the lock ---- */

enum { FREE, HELD, WANTED };
enum { TRIES, WANTS, DOZES, DOZING, INSIDE, WAKES, OUTSIDE };
enum { N_LOCKERS = 3 };

typedef struct locked {
    uint8_t word;
    uint8_t at[N_LOCKERS];
    uint8_t inside;
    uint8_t forgets; /* the mistake: who has slept takes it as if nobody else did */
} locked;

static explorer_step enter(locked *l, uint8_t *at, uint8_t as) {
    l->word = as;
    *at = INSIDE;
    return ++l->inside > 1 ? EXPLORER_WRONG : EXPLORER_DONE;
}

/* The kernel wakes any one of those that sleep. */
static explorer_step wake_one(locked *l, uint8_t *at, int choice) {
    bool any = false;
    for (int i = 0; i < N_LOCKERS; i++) any = any || l->at[i] == DOZING;
    if (any && l->at[choice] != DOZING) return EXPLORER_BLOCKED;
    if (any) l->at[choice] = WANTS;
    *at = OUTSIDE;
    return EXPLORER_DONE;
}

static explorer_step lock_step(void *state, int thread, int choice) {
    locked *l = state;
    uint8_t *at = &l->at[thread];
    uint8_t was = l->word;
    switch (*at) {
    case TRIES:
        if (was == FREE) return enter(l, at, HELD);
        *at = WANTS;
        break;
    case WANTS:
        if (was == FREE) return enter(l, at, l->forgets ? HELD : WANTED);
        l->word = WANTED;
        *at = DOZES;
        break;
    case DOZES: *at = was == WANTED ? DOZING : WANTS; break;
    case INSIDE:
        l->inside--;
        l->word = FREE;
        *at = was == WANTED ? WAKES : OUTSIDE;
        break;
    case WAKES: return wake_one(l, at, choice);
    default: return EXPLORER_BLOCKED;
    }
    return EXPLORER_DONE;
}

static bool lock_may_end(const void *state) {
    const locked *l = state;
    for (int i = 0; i < N_LOCKERS; i++)
        if (l->at[i] != OUTSIDE) return false;
    return true;
}

static bool lock_holds(bool forgets) {
    static const explorer_model model = {sizeof(locked), N_LOCKERS, N_LOCKERS, lock_step, lock_may_end};
    size_t states;
    locked first = {.forgets = forgets};
    bool holds = explorer_run(&model, &first, &states);
    print_message("%zu states\n", states);
    return holds;
}

static void test_interleavings__a_lock_lets_one_in_and_leaves_nobody_asleep(void **state) {
    (void)state;
    assert_true(lock_holds(false));
    assert_false(lock_holds(true));
}

/* ---- the word ---- */

enum { EMPTY, TOKEN, PARKED, SUSPENDED };
enum { WAITER, N_WAKERS = 2 };
enum { LOOKS, TAKES, SLEEPS, ASLEEP, GONE };

typedef struct word {
    uint8_t word;
    uint8_t at[1 + N_WAKERS];
    uint8_t set;                  /* how many wakers have done what they wake for */
    uint8_t in_line;              /* how often the fiber was put in line since it was suspended */
    uint8_t parked[1 + N_WAKERS]; /* by waker: what it found, so that the kernel has to be told */
    uint8_t is_fiber;
    uint8_t rousers;      /* that have still to tell the kernel of what they found */
    uint8_t forgets;      /* the mistakes: it sleeps without saying so first; */
    uint8_t rouses_first; /* the kernel is told before there is a token; */
    uint8_t goes_early;   /* it goes while somebody has still to tell the kernel */
} word;

/* A thread looks, says PARKED unless there is a token, and the kernel lets it sleep only while it still says so. */
static explorer_step wait_in_thread(word *w) {
    uint8_t *at = &w->at[WAITER];
    switch (*at) {
    case LOOKS:
        if (w->set == N_WAKERS && w->rousers > 0 && !w->goes_early) return EXPLORER_BLOCKED;
        *at = w->set == N_WAKERS ? GONE : TAKES;
        break;
    case TAKES:
        if (w->word == TOKEN) {
            w->word = EMPTY;
            *at = LOOKS;
        } else {
            if (!w->forgets) w->word = PARKED;
            *at = SLEEPS;
        }
        break;
    case SLEEPS: *at = w->word == PARKED || w->forgets ? ASLEEP : TAKES; break;
    default: return EXPLORER_BLOCKED;
    }
    return EXPLORER_DONE;
}

/* A fiber drops the token before it looks, and says SUSPENDED unless there is one; whoever takes that away puts it in line. */
static explorer_step wait_in_fiber(word *w) {
    uint8_t *at = &w->at[WAITER];
    switch (*at) {
    case TAKES:
        w->word = EMPTY;
        *at = LOOKS;
        break;
    case LOOKS: *at = w->set == N_WAKERS ? GONE : SLEEPS; break;
    case SLEEPS:
        if (w->word == EMPTY) w->word = SUSPENDED;
        *at = w->word == SUSPENDED ? ASLEEP : TAKES;
        break;
    case ASLEEP:
        if (w->in_line == 0) return EXPLORER_BLOCKED;
        if (w->in_line > 1) return EXPLORER_WRONG;
        w->in_line = 0;
        *at = TAKES;
        break;
    default: return EXPLORER_BLOCKED;
    }
    return EXPLORER_DONE;
}

static void give_token(word *w, int t) {
    w->parked[t] = w->word == PARKED;
    w->rousers += w->parked[t];
    if (w->word == SUSPENDED) w->in_line++;
    w->word = TOKEN;
}

static void rouse(word *w) {
    if (w->at[WAITER] == ASLEEP) w->at[WAITER] = TAKES;
}

/* Its memory has to be there. */
static explorer_step rouse_counted(word *w) {
    if (w->at[WAITER] == GONE) return EXPLORER_WRONG;
    rouse(w);
    w->rousers--;
    return EXPLORER_DONE;
}

/* In two halves, between which anything may happen, as a channel does it that gives its lock up between them. */
static explorer_step wake(word *w, int t) {
    switch (w->at[t]) {
    case 0: w->set++; break;
    case 1:
        if (w->rouses_first) w->parked[t] = w->word == PARKED;
        if (w->rouses_first && w->parked[t]) rouse(w);
        else if (!w->rouses_first) give_token(w, t);
        break;
    case 2:
        if (w->rouses_first) give_token(w, t);
        else if (w->parked[t] && rouse_counted(w) == EXPLORER_WRONG) return EXPLORER_WRONG;
        break;
    default: return EXPLORER_BLOCKED;
    }
    w->at[t]++;
    return EXPLORER_DONE;
}

static explorer_step word_step(void *state, int thread, int choice) {
    word *w = state;
    (void)choice;
    if (thread != WAITER) return wake(w, thread);
    return w->is_fiber ? wait_in_fiber(w) : wait_in_thread(w);
}

static bool word_may_end(const void *state) { return ((const word *)state)->at[WAITER] == GONE; }

static bool word_holds(word first) {
    static const explorer_model model = {sizeof(word), 1 + N_WAKERS, 1, word_step, word_may_end};
    size_t states;
    first.at[WAITER] = first.is_fiber ? TAKES : LOOKS;
    bool holds = explorer_run(&model, &first, &states);
    print_message("%zu states\n", states);
    return holds;
}

static void test_interleavings__no_wake_of_a_thread_is_lost(void **state) {
    (void)state;
    assert_true(word_holds((word){0}));
    assert_false(word_holds((word){.forgets = true}));
    assert_false(word_holds((word){.rouses_first = true}));
    assert_false(word_holds((word){.goes_early = true}));
}

static void test_interleavings__a_fiber_is_put_in_line_once(void **state) {
    (void)state;
    assert_true(word_holds((word){.is_fiber = true}));
}

/* ---- the gate of a life ---- */

enum { ENTERED = 1, BARRED = 2 };
enum { FIBER, ASKER, LOOKER, AT_GATE };
enum { ENTERS, ENTERS_LATE, HEARS, RUNS, LEAVES, LEAVES_LATE, ASKS, LOCKS, BARS, STAYS, UNBARS, DONE };
enum { ROUNDS = 2 };

typedef struct gate {
    uint8_t passage, mutex; /* the mutex: a thread + 1 */
    uint8_t at[AT_GATE];
    uint8_t found[AT_GATE]; /* whether it is entered, for who has the gate */
    uint8_t rounds, asked;
    uint8_t heard;      /* the fiber, or the signal that was sent to it */
    uint8_t hears_late; /* the mistakes: it looks whether it is asked before it is entered; */
    uint8_t runs_down;  /* it passes whoever is there */
} gate;

static void pass(gate *g, uint8_t *at, uint8_t to) {
    g->passage = (uint8_t)((g->passage & BARRED) | to);
    g->rounds = (uint8_t)(g->rounds + (to == 0));
    *at = to == ENTERED ? g->hears_late ? RUNS : HEARS : g->rounds == ROUNDS ? DONE : g->hears_late ? HEARS : ENTERS;
}

static explorer_step fiber_step(gate *g) {
    uint8_t *at = &g->at[FIBER];
    bool enters = *at == ENTERS || *at == ENTERS_LATE;
    switch (*at) {
    case ENTERS:
    case LEAVES:
        if ((g->passage & BARRED) == 0 || g->runs_down) pass(g, at, enters ? ENTERED : 0);
        else ++*at;
        return EXPLORER_DONE;
    case ENTERS_LATE:
    case LEAVES_LATE: /* takes the mutex, passes, gives it back */
        if (g->mutex != 0) return EXPLORER_BLOCKED;
        pass(g, at, enters ? ENTERED : 0);
        return EXPLORER_DONE;
    case HEARS:
        g->heard |= g->asked;
        *at = g->hears_late ? ENTERS : RUNS;
        return EXPLORER_DONE;
    case RUNS: /* who has asked and has gone has found it entered, or was heard */
        *at = LEAVES;
        return g->at[ASKER] == DONE && !g->heard ? EXPLORER_WRONG : EXPLORER_DONE;
    default: return EXPLORER_BLOCKED;
    }
}

/* From outside: it is as it was found until the gate is given back. */
static explorer_step outside_step(gate *g, int t) {
    uint8_t *at = &g->at[t];
    uint8_t entered = g->passage & ENTERED;
    switch (*at) {
    case ASKS: g->asked = 1; break;
    case LOCKS:
        if (!take_lock(&g->mutex, t)) return EXPLORER_BLOCKED;
        break;
    case BARS:
        g->passage |= BARRED;
        g->found[t] = entered;
        break;
    case STAYS:
        if (t == ASKER && entered) g->heard = 1;
        if (entered != g->found[t]) return EXPLORER_WRONG;
        break;
    case UNBARS:
        g->passage = entered;
        g->mutex = 0;
        break;
    default: return EXPLORER_BLOCKED;
    }
    ++*at;
    return EXPLORER_DONE;
}

static explorer_step gate_step(void *state, int thread, int choice) {
    (void)choice;
    return thread == FIBER ? fiber_step(state) : outside_step(state, thread);
}

static bool gate_may_end(const void *state) {
    const gate *g = state;
    return g->at[FIBER] == DONE && g->at[ASKER] == DONE && g->at[LOOKER] == DONE;
}

static bool gate_holds(gate first) {
    static const explorer_model model = {sizeof(gate), AT_GATE, 1, gate_step, gate_may_end};
    size_t states;
    first.at[FIBER] = first.hears_late ? HEARS : ENTERS;
    first.at[ASKER] = ASKS;
    first.at[LOOKER] = LOCKS;
    bool holds = explorer_run(&model, &first, &states);
    print_message("%zu states\n", states);
    return holds;
}

static void test_interleavings__a_life_is_not_passed_while_it_is_looked_at(void **state) {
    (void)state;
    assert_true(gate_holds((gate){0}));
    assert_false(gate_holds((gate){.hears_late = true}));
    assert_false(gate_holds((gate){.runs_down = true}));
}

/* ---- the two ends ---- */

enum { MOST = 4, MESSAGES = 8 };
enum { EASY, EASY_LOCKED, BRINGS, BACK, FRONT, LOCKED, PARKS, BACK_AGAIN, FRONT_AGAIN, OVER };
enum { NO_MISTAKE, JOINS_UNSEEN, COUNTS_EARLY, KEEPS_THE_WAKE };

typedef struct ends {
    uint8_t senders, receivers, each, capacity, mistake;
    uint8_t back, front; /* who has the lock: a thread + 1 */
    uint8_t fresh[MESSAGES], queue[MESSAGES];
    uint8_t n_fresh, n_queue;
    uint8_t sent, left, left_seen;
    uint8_t standing[2][MOST]; /* the threads that wait, + 1, in order: senders, receivers */
    uint8_t n_standing[2];
    uint8_t at[MOST];
    uint8_t spun[MOST], token[MOST], gives_up[MOST];
    uint8_t next[MOST]; /* of a sender: its next number */
    uint8_t got;
    uint8_t newest[MOST][MOST]; /* by receiver and sender */
} ends;

static bool is_sender(const ends *e, int t) { return t < e->senders; }

static void wake_first(ends *e, int which) {
    if (e->n_standing[which] == 0) return;
    e->token[e->standing[which][0] - 1] = 1;
    memmove(e->standing[which], e->standing[which] + 1, MOST - 1);
    e->standing[which][MOST - 1] = 0;
    e->n_standing[which]--;
}

/* True when it still stood there. */
static bool leave(ends *e, int t) {
    int which = is_sender(e, t) ? 0 : 1;
    uint8_t *line = e->standing[which];
    for (int i = 0; i < e->n_standing[which]; i++)
        if (line[i] == t + 1) {
            memmove(line + i, line + i + 1, (size_t)(MOST - 1 - i));
            line[MOST - 1] = 0;
            e->n_standing[which]--;
            return true;
        }
    return false;
}

static void push(uint8_t *list, uint8_t *n, uint8_t message) { list[(*n)++] = message; }

static uint8_t pop(uint8_t *list, uint8_t *n) {
    uint8_t message = list[0];
    memmove(list, list + 1, MESSAGES - 1);
    list[MESSAGES - 1] = 0;
    --*n;
    return message;
}

static uint8_t made(ends *e, int t) { return (uint8_t)(t << 4 | ++e->next[t]); }

static void meet(ends *e) {
    while (e->n_fresh > 0) push(e->queue, &e->n_queue, pop(e->fresh, &e->n_fresh));
}

static void part(ends *e) {
    e->left = e->left_seen = (uint8_t)(e->sent - e->n_queue);
    e->back = e->front = 0;
}

static void go_on(ends *e, int t) {
    e->spun[t] = 0;
    e->at[t] = is_sender(e, t) && e->next[t] == e->each ? OVER : EASY;
}

/* What arrives is newer than all of that sender that arrived here before. */
static bool receive(ends *e, int t) {
    uint8_t message = pop(e->queue, &e->n_queue);
    uint8_t *newest = &e->newest[t][message >> 4];
    bool in_order = (message & 15) > *newest;
    *newest = message & 15;
    e->got++;
    return in_order;
}

static bool has_room_behind(ends *e) {
    if (e->sent - e->left_seen < e->capacity) return true;
    e->left_seen = (uint8_t)(e->left + (e->mistake == COUNTS_EARLY));
    return e->sent - e->left_seen < e->capacity;
}

static explorer_step send_easily(ends *e, int t) {
    bool room = has_room_behind(e);
    if (room) {
        e->sent++;
        push(e->fresh, &e->n_fresh, made(e, t));
    }
    bool wakes = room && e->n_standing[1] > 0;
    if (wakes) e->at[t] = BRINGS;
    else if (room) go_on(e, t);
    else e->at[t] = BACK;
    if (!wakes) e->back = 0;
    return e->n_queue + e->n_fresh > e->capacity ? EXPLORER_WRONG : EXPLORER_DONE;
}

/* It has the back still, and who waits gets its message at the front. */
static explorer_step bring(ends *e, int t) {
    if (e->front != 0) return EXPLORER_BLOCKED;
    meet(e);
    wake_first(e, 1);
    e->back = 0;
    go_on(e, t);
    return EXPLORER_DONE;
}

static explorer_step receive_easily(ends *e, int t) {
    bool right = true;
    if (e->n_queue > 0 && e->n_standing[0] == 0) {
        right = receive(e, t);
        e->left++;
        go_on(e, t);
    } else {
        e->at[t] = BACK;
    }
    e->front = 0;
    return right ? EXPLORER_DONE : EXPLORER_WRONG;
}

/* With both locks, as the two halves of the slow way: false when there is nothing to do but to wait. */
static bool send_with_both(ends *e, int t) {
    if (e->n_queue >= e->capacity) return false;
    e->sent++;
    push(e->queue, &e->n_queue, made(e, t));
    wake_first(e, 1);
    return true;
}

static bool receive_with_both(ends *e, int t, bool *right) {
    if (e->n_queue == 0) return false;
    *right = receive(e, t);
    if (e->n_queue < e->capacity) wake_first(e, 0);
    return true;
}

static void stand(ends *e, int t) {
    int which = is_sender(e, t) ? 0 : 1;
    push(e->standing[which], &e->n_standing[which], (uint8_t)(t + 1));
    e->at[t] = PARKS;
}

static explorer_step with_both(ends *e, int t) {
    bool right = true;
    meet(e);
    if (e->mistake == JOINS_UNSEEN && e->spun[t] == 1) {
        e->spun[t] = 2;
        stand(e, t);
    } else if (is_sender(e, t) ? send_with_both(e, t) : receive_with_both(e, t, &right)) {
        go_on(e, t);
    } else if (e->gives_up[t] == 2) {
        e->at[t] = OVER;
    } else if (!e->spun[t]) {
        e->spun[t] = 1;
        e->at[t] = BACK;
    } else {
        stand(e, t);
    }
    part(e);
    return right ? EXPLORER_DONE : EXPLORER_WRONG;
}

/* Who gives up ends its wait without a token, at any moment; what it was woken for meanwhile it takes, or leaves to the next. */
static explorer_step park(ends *e, int t, int choice) {
    if (choice == 1 && e->gives_up[t] == 1) e->gives_up[t] = 2;
    else if (choice == 1 || !e->token[t]) return EXPLORER_BLOCKED;
    e->token[t] = 0;
    e->at[t] = e->mistake == KEEPS_THE_WAKE && e->gives_up[t] == 2 ? OVER : BACK_AGAIN;
    return EXPLORER_DONE;
}

static explorer_step ends_step(void *state, int t, int choice) {
    ends *e = state;
    if (choice == 1 && e->at[t] != PARKS) return EXPLORER_BLOCKED;
    switch (e->at[t]) {
    case EASY:
        if (!take_lock(is_sender(e, t) ? &e->back : &e->front, t)) return EXPLORER_BLOCKED;
        e->at[t] = EASY_LOCKED;
        return EXPLORER_DONE;
    case EASY_LOCKED: return is_sender(e, t) ? send_easily(e, t) : receive_easily(e, t);
    case BRINGS: return bring(e, t);
    case BACK:
    case BACK_AGAIN:
        if (!take_lock(&e->back, t)) return EXPLORER_BLOCKED;
        e->at[t]++;
        return EXPLORER_DONE;
    case FRONT:
    case FRONT_AGAIN:
        if (!take_lock(&e->front, t)) return EXPLORER_BLOCKED;
        if (e->at[t] == FRONT_AGAIN) (void)leave(e, t);
        e->at[t] = LOCKED;
        return EXPLORER_DONE;
    case LOCKED: return with_both(e, t);
    case PARKS: return park(e, t, choice);
    default: return EXPLORER_BLOCKED;
    }
}

/* All was sent and has arrived, and receivers alone wait. */
static bool ends_may_end(const void *state) {
    const ends *e = state;
    for (int t = 0; t < e->senders; t++)
        if (e->at[t] != OVER) return false;
    return e->n_fresh == 0 && e->n_queue == 0 && e->got == e->senders * e->each;
}

static bool ends_hold(ends first) {
    explorer_model model = {sizeof first, first.senders + first.receivers, 2, ends_step, ends_may_end};
    size_t states;
    bool holds = explorer_run(&model, &first, &states);
    print_message("%d to %d, %d each, capacity %d: %zu states\n", first.senders, first.receivers, first.each,
                  first.capacity, states);
    return holds;
}

static void test_interleavings__the_ends_of_a_channel_lose_nothing(void **state) {
    (void)state;
    assert_true(ends_hold((ends){.senders = 1, .receivers = 1, .each = 4, .capacity = 1}));
    assert_true(ends_hold((ends){.senders = 1, .receivers = 1, .each = 4, .capacity = 2}));
    assert_true(ends_hold((ends){.senders = 2, .receivers = 1, .each = 2, .capacity = 1}));
    assert_true(ends_hold((ends){.senders = 1, .receivers = 2, .each = 3, .capacity = 1}));
    assert_true(ends_hold((ends){.senders = 1, .receivers = 2, .each = 3, .capacity = 2}));
}

static void test_interleavings__a_receiver_that_gives_up_keeps_no_wake(void **state) {
    (void)state;
    assert_true(ends_hold((ends){.senders = 1, .receivers = 2, .each = 3, .capacity = 1, .gives_up = {0, 1}}));
    assert_true(ends_hold((ends){.senders = 1, .receivers = 2, .each = 3, .capacity = 2, .gives_up = {0, 1}}));
}

static void test_interleavings__mistakes_are_found(void **state) {
    (void)state;
    for (int mistake = JOINS_UNSEEN; mistake <= KEEPS_THE_WAKE; mistake++)
        assert_false(ends_hold((ends){.senders = 1,
                                      .receivers = 2,
                                      .each = 3,
                                      .capacity = 2,
                                      .mistake = (uint8_t)mistake,
                                      .gives_up = {0, mistake == KEEPS_THE_WAKE}}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interleavings__a_lock_lets_one_in_and_leaves_nobody_asleep),
        cmocka_unit_test(test_interleavings__no_wake_of_a_thread_is_lost),
        cmocka_unit_test(test_interleavings__a_fiber_is_put_in_line_once),
        cmocka_unit_test(test_interleavings__a_life_is_not_passed_while_it_is_looked_at),
        cmocka_unit_test(test_interleavings__the_ends_of_a_channel_lose_nothing),
        cmocka_unit_test(test_interleavings__a_receiver_that_gives_up_keeps_no_wake),
        cmocka_unit_test(test_interleavings__mistakes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
