/* Workers whose lives are led on threads of the host's: here by the test itself, or by threads of its own. */
#include "support.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS support_ms(10000)

static int sleep_on(chief_worker *ctx, void *instance) {
    (void)instance;
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    return 0;
}

static const chief_worker_ops plain_ops = {.size = sizeof plain_ops, .run = sleep_on};

static chief *open_chief(chief_options o) {
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_OFF};
    chief *c;
    o.size = sizeof o;
    assert_int_equal(chief_log_new(&o.log, &quiet), CHIEF_OK);
    assert_int_equal(chief_new(&c, &o), CHIEF_OK);
    chief_log_unref(o.log);
    return c;
}

/* One that runs already, beside a worker of the ordinary kind: what is added is wanted at once, and nobody waits for it. */
static chief *start_chief(chief_options o) {
    chief *c = open_chief(o);
    assert_int_equal(chief_add_worker(c, "plain", &plain_ops, NULL), CHIEF_OK);
    assert_int_equal(chief_add_channel(c, "ch", NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    return c;
}

static chief_hosted *add(chief *c, chief_worker_options o) {
    chief_hosted *h;
    o.size = sizeof o;
    if (chief_add_hosted(c, "host", &o, &h) != CHIEF_OK) fail_msg("%s", chief_last_error());
    return h;
}

static const chief_restart at_once = {
    .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};

static chief_worker *begin(chief_hosted *h) {
    chief_worker *w;
    assert_int_equal(chief_hosted_begin(h, ANSWER_MS, &w), CHIEF_OK);
    return w;
}

static chief_worker *begin_and_enter(chief_hosted *h) {
    chief_worker *w = begin(h);
    assert_int_equal(chief_hosted_enter(w, ANSWER_MS), CHIEF_OK);
    return w;
}

static void becomes(chief *c, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, "host", state, ANSWER_MS), CHIEF_OK);
}

/* What is known of it, and its last error. */
static void ended_so(chief *c, const char *name, chief_state_t state, int32_t reason, const char *error) {
    chief_snapshot *states;
    assert_int_equal(chief_wait_state(c, name, state, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_states(c, &states), CHIEF_OK);
    const chief_worker_status *s = chief_snapshot_find(states, name);
    assert_int_equal(s->reason, reason);
    if (error != NULL) assert_string_equal(s->error, error);
    chief_snapshot_free(states);
}

static void close_chief(chief *c, chief_hosted *h) {
    chief_worker *w;
    chief_free(c);
    assert_int_equal(chief_hosted_begin(h, CHIEF_FOREVER, &w), CHIEF_ECLOSED);
    assert_null(w);
    chief_hosted_unref(h);
}

/* ---- a life ---- */

static void test_hosted__a_life_is_as_any_other(void **state) {
    (void)state;
    static const char args[] = "some args";
    chief_msg *msg;
    chief_worker_options o = {.args = {args, sizeof args}};
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, o);
    chief_worker *w = begin(h);
    assert_string_equal(chief_worker_name(w), "host");
    assert_int_equal(chief_worker_generation(w), 1);
    assert_memory_equal(chief_worker_args(w).data, args, sizeof args);
    assert_int_equal(chief_hosted_enter(w, ANSWER_MS), CHIEF_OK);
    becomes(c, CHIEF_WORKER_RUN);
    assert_int_equal(chief_send(c, "host", "hello", 5, 0), CHIEF_OK);
    assert_int_equal(chief_worker_recv(w, ANSWER_MS, &msg), CHIEF_OK);
    assert_memory_equal(chief_msg_data(msg).data, "hello", 5);
    chief_msg_free(msg);
    assert_int_equal(chief_worker_send(w, "plain", "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_STOPPED, CHIEF_REASON_OK, NULL);
    close_chief(c, h);
}

static void test_hosted__its_failures_are_restarted_as_new_generations(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){.restart = &at_once});
    chief_worker *w = begin_and_enter(h);
    assert_int_equal(chief_hosted_end(w, 3), CHIEF_OK);
    w = begin(h);
    assert_int_equal(chief_worker_generation(w), 2);
    assert_int_equal(chief_hosted_end(w, CHIEF_ENOMEM), CHIEF_OK); /* a failed init */
    for (uint64_t generation = 3; generation < 50; generation++) {
        w = begin_and_enter(h);
        assert_int_equal(chief_worker_generation(w), generation);
        chief_worker_set_error(w, CHIEF_REASON_ERROR, "it has thrown up", "in line 3");
        assert_int_equal(chief_hosted_end(w, 1), CHIEF_OK);
    }
    w = begin_and_enter(h);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_STOPPED, CHIEF_REASON_OK, NULL);
    close_chief(c, h);
}

static void test_hosted__tells_why_it_failed(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    chief_worker *w = begin(h);
    chief_worker_set_error(w, CHIEF_REASON_ERROR, "no such table", NULL);
    assert_int_equal(chief_hosted_end(w, 1), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_INIT_ERROR, "no such table");
    assert_int_equal(chief_start_worker(c, "host"), CHIEF_OK);
    w = begin_and_enter(h);
    assert_int_equal(chief_worker_generation(w), 2);
    assert_int_equal(chief_hosted_end(w, 7), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_ERROR, "run returned 7");
    close_chief(c, h);
}

static void test_hosted__an_end_before_its_time_is_a_failure(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    assert_int_equal(chief_hosted_end(begin(h), 0), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_INIT_ERROR, "it ended in its init");
    close_chief(c, h);
}

/* ---- on a thread of its own ---- */

typedef struct leader {
    chief_hosted *h;
    chief__thread thread;
    atomic_int lives;
    int (*run)(chief_worker *w); /* NULL: until its stop */
    bool early;                  /* it does not wait for its word */
} leader;

static int run_until_stop(chief_worker *w) {
    chief_msg *msg;
    int rc;
    while ((rc = chief_worker_recv(w, CHIEF_FOREVER, &msg)) == CHIEF_OK) chief_msg_free(msg);
    return rc == CHIEF_ECANCELED ? 0 : rc;
}

static void lead(void *data) {
    leader *host = data;
    chief_worker *w;
    while (chief_hosted_begin(host->h, CHIEF_FOREVER, &w) == CHIEF_OK) {
        (void)atomic_fetch_add(&host->lives, 1);
        int rc = chief_hosted_enter(w, host->early ? 0 : CHIEF_FOREVER);
        if (rc == CHIEF_OK) rc = host->run != NULL ? host->run(w) : run_until_stop(w);
        else if (rc == CHIEF_ECANCELED) rc = 0;
        (void)chief_hosted_end(w, rc);
    }
}

static int try_host(leader *host, chief_hosted *h) {
    host->h = h;
    return chief__thread_start(&host->thread, lead, host, 0, "host");
}

static void start_host(leader *host, chief_hosted *h) { assert_int_equal(try_host(host, h), CHIEF_OK); }

static void test_hosted__is_stopped_while_it_waits(void **state) {
    (void)state;
    leader host = {0};
    chief *c = open_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    start_host(&host, h);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    becomes(c, CHIEF_WORKER_INITIALIZED);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_stop_worker(c, "host"), CHIEF_OK);
    becomes(c, CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_restart_worker(c, "host"), CHIEF_OK);
    becomes(c, CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_OK);
    chief__thread_join(&host.thread); /* before the chief is freed: there will be no more lives */
    assert_int_equal(atomic_load(&host.lives), 2);
    close_chief(c, h);
}

static void test_hosted__one_that_is_not_to_run_is_told_so(void **state) {
    (void)state;
    leader host = {0};
    chief *c = open_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    start_host(&host, h);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    chief_free(c);
    chief__thread_join(&host.thread);
    assert_int_equal(atomic_load(&host.lives), 1);
    chief_hosted_unref(h);
}

static void test_hosted__one_that_leaves_before_its_run_has_failed(void **state) {
    (void)state;
    leader host = {.early = true};
    chief *c = open_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    start_host(&host, h);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_ERROR, "run returned -1011 (nothing to do without waiting)");
    chief_free(c);
    chief__thread_join(&host.thread);
    chief_hosted_unref(h);
}

static int fail_once_more(chief_worker *w) { return chief_worker_generation(w) < 200 ? 1 : 0; }

static void test_hosted__several_threads_share_the_lives(void **state) {
    (void)state;
    leader hosts[3] = {{.run = fail_once_more}, {.run = fail_once_more}, {.run = fail_once_more}};
    chief *c = open_chief((chief_options){.exit_when_done = 1});
    chief_hosted *h = add(c, (chief_worker_options){.restart = &at_once, .count = 2});
    for (size_t i = 0; i < 3; i++) start_host(&hosts[i], h);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    assert_int_equal(chief_join(c, 3 * ANSWER_MS), CHIEF_OK);
    int lives = 0;
    for (size_t i = 0; i < 3; i++) {
        chief__thread_join(&hosts[i].thread);
        lives += atomic_load(&hosts[i].lives);
    }
    assert_int_equal(lives, 400);
    close_chief(c, h);
}

/* Lives that are over before anyone has come for them, threads that come then, and an end at any moment. */
static void test_hosted__who_comes_too_late_harms_nobody(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 30; round++) {
        leader hosts[2] = {{.early = round % 3 == 0}, {.early = round % 3 == 1}};
        chief *c = start_chief((chief_options){.init_timeout = 1, .force_time = 1, .force_stop_timeout = 20});
        chief_hosted *h = add(c, (chief_worker_options){.restart = &at_once, .count = 3});
        for (size_t i = 0; i < 2; i++) start_host(&hosts[i], h);
        if (round % 2 == 0) (void)chief_wait_state(c, "host/2", CHIEF_WORKER_RUN, 1);
        chief_free(c);
        for (size_t i = 0; i < 2; i++) chief__thread_join(&hosts[i].thread);
        chief_hosted_unref(h);
    }
}

/* ---- hosts that don't do their part ---- */

static void test_hosted__nobody_comes(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){.init_timeout = 1});
    chief_hosted *h = add(c, (chief_worker_options){0});
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_INIT_ERROR, "no thread of the host's has come for it");
    chief_worker *w;
    assert_int_equal(chief_hosted_begin(h, 0, &w), CHIEF_EAGAIN);
    assert_int_equal(chief_hosted_begin(h, 1, &w), CHIEF_ETIMEDOUT);
    assert_null(w);
    close_chief(c, h);
}

static void test_hosted__a_stop_does_not_wait_for_who_has_not_come(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    becomes(c, CHIEF_WORKER_ENABLED);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "host"), CHIEF_WORKER_DISABLED);
    close_chief(c, h);
}

/* Who leads a life can't wait for its chief. */
static void end_in_vain(void *data) {
    chief *c = data;
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_ETIMEDOUT);
    support_says("host");
    chief_free(c);
}

static void test_hosted__one_that_does_not_end_is_abandoned(void **state) {
    (void)state;
    chief_msg *msg;
    char why[64];
    chief *c = start_chief((chief_options){.force_time = 1});
    chief_hosted *h = add(c, (chief_worker_options){.grace = 1});
    chief_worker *w = begin_and_enter(h);
    chief__thread thread;
    support_thread(&thread, end_in_vain, c);
    chief__thread_join(&thread);
    assert_true(chief_worker_interrupt_reason(w, why, sizeof why) > 0);
    assert_int_equal(chief_worker_recv(w, CHIEF_FOREVER, &msg), CHIEF_ECANCELED); /* what it has is still there */
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    assert_int_equal(chief_hosted_begin(h, CHIEF_FOREVER, &w), CHIEF_ECLOSED);
    chief_hosted_unref(h);
}

static void test_hosted__one_abandoned_in_its_init_has_no_word_to_wait_for(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){.init_timeout = 1, .force_time = 1});
    chief_hosted *h = add(c, (chief_worker_options){.restart = &at_once}); /* the first may be over before it begins */
    chief_worker *w = begin(h);
    ended_so(c, "host", CHIEF_WORKER_FAILED, CHIEF_REASON_INIT_ERROR, NULL);
    (void)chief_worker_sleep(w, CHIEF_FOREVER); /* until it is interrupted */
    assert_int_equal(chief_hosted_enter(w, CHIEF_FOREVER), CHIEF_ECANCELED);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    close_chief(c, h);
}

/* ---- the thread is the chief's for as long ---- */

static void test_hosted__its_thread_cannot_wait_for_its_own_end(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){.count = 2});
    chief_worker *first = begin_and_enter(h);
    chief_worker *second = begin_and_enter(h);
    assert_int_equal(chief_join(c, 0), CHIEF_EDEADLK);
    assert_int_equal(chief_hosted_end(first, 0), CHIEF_OK);
    assert_int_equal(chief_join(c, 0), CHIEF_EDEADLK);
    assert_int_equal(chief_hosted_end(second, 0), CHIEF_OK);
    assert_int_equal(chief_join(c, 0), CHIEF_EAGAIN);
    close_chief(c, h);
}

static void test_hosted__a_life_may_free_its_chief(void **state) {
    (void)state;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    chief_worker *w = begin_and_enter(h);
    chief_free(c);
    assert_int_equal(chief_worker_sleep(w, CHIEF_FOREVER), CHIEF_ECANCELED);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    assert_int_equal(chief_hosted_begin(h, CHIEF_FOREVER, &w), CHIEF_ECLOSED);
    chief_hosted_unref(h);
}

/* ---- a loop of the host's ---- */

static bool readable(int fd, int timeout) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout) == 1;
}

static void test_hosted__its_descriptor_says_when_to_go_on(void **state) {
    (void)state;
    chief_worker *w;
    const char *const after[] = {"host"};
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){.flags = CHIEF_WORKER_SAYS_READY});
    chief_hosted *later;
    chief_worker_options o = {.size = sizeof o, .after = after, .n_after = 1};
    assert_int_equal(chief_add_hosted(c, "later", &o, &later), CHIEF_OK);
    int fd = chief_hosted_fd(h);
    int later_fd = chief_hosted_fd(later);
    assert_true(fd >= 0 && later_fd >= 0);
    assert_true(readable(fd, (int)ANSWER_MS));
    assert_int_equal(chief_hosted_begin(h, 0, &w), CHIEF_OK);
    assert_false(readable(fd, 0));
    if (chief_hosted_enter(w, 0) == CHIEF_EAGAIN) {
        assert_true(readable(fd, (int)ANSWER_MS)); /* by its word */
        assert_int_equal(chief_hosted_enter(w, 0), CHIEF_OK);
    }
    assert_false(readable(fd, 0));
    assert_false(readable(later_fd, 0));
    chief_worker_ready(w);
    assert_true(readable(later_fd, (int)ANSWER_MS));
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    chief_free(c);
    assert_true(readable(fd, 0) && readable(later_fd, 0)); /* there is no more to wait for */
    chief_hosted_unref(h);
    chief_hosted_unref(later);
}

/* ---- ends ---- */

static void test_hosted__one_that_is_removed_has_no_more_lives(void **state) {
    (void)state;
    chief_worker *next;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    chief_worker *w = begin_and_enter(h);
    assert_int_equal(chief_remove_worker(c, "host"), CHIEF_OK);
    assert_int_equal(chief_worker_sleep(w, CHIEF_FOREVER), CHIEF_ECANCELED);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    assert_int_equal(chief_hosted_begin(h, ANSWER_MS, &next), CHIEF_ECLOSED);
    chief_hosted *other = add(c, (chief_worker_options){0}); /* the name is free */
    w = begin_and_enter(other);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    chief_hosted_unref(other);
    close_chief(c, h);
}

static void test_hosted__a_chief_that_never_ran_closes_it(void **state) {
    (void)state;
    chief *c = open_chief((chief_options){0});
    chief_hosted *h = chief_hosted_ref(add(c, (chief_worker_options){0}));
    chief_hosted_unref(h);
    close_chief(c, h);
}

/* The mutex of the line may have been locked as the child was made. */
static void test_hosted__a_forked_child_has_none_of_its_lives(void **state) {
    (void)state;
    int status;
    chief_worker *w;
    chief_hosted *other;
    chief *c = start_chief((chief_options){0});
    chief_hosted *h = add(c, (chief_worker_options){0});
    pid_t child = fork();
    if (child == 0) {
        (void)alarm((unsigned)(ANSWER_MS / 1000));
        bool refused = chief_hosted_begin(h, CHIEF_FOREVER, &w) == CHIEF_EFORK && chief_hosted_fd(h) == CHIEF_EFORK;
        _exit(refused && chief_add_hosted(c, "other", NULL, &other) == CHIEF_EFORK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(chief_hosted_end(begin_and_enter(h), 0), CHIEF_OK);
    close_chief(c, h);
}

static void test_hosted__refuses_what_makes_no_sense(void **state) {
    (void)state;
    chief_schedule every = {.size = sizeof every, .every = 1000};
    chief_worker_options o = {.size = sizeof o, .schedule = &every};
    chief_hosted *h;
    chief_worker *w;
    chief *c = start_chief((chief_options){0});
    assert_int_equal(chief_add_hosted(c, "host", &o, &h), CHIEF_EINVAL);
    support_says("a hosted worker can't run by a schedule");
    o = (chief_worker_options){.size = sizeof o, .isolation = CHIEF_PROCESS};
    assert_int_equal(chief_add_hosted(c, "host", &o, &h), CHIEF_EINVAL);
    support_says("a hosted worker runs in a thread");
    o = (chief_worker_options){.size = sizeof o, .destroy = free};
    assert_int_equal(chief_add_hosted(c, "host", &o, &h), CHIEF_EINVAL);
    assert_null(h);
    assert_int_equal(chief_add_hosted(c, "plain", NULL, &h), CHIEF_EEXIST);
    assert_int_equal(chief_add_hosted(c, NULL, NULL, &h), CHIEF_EINVAL);
    assert_int_equal(chief_add_hosted(c, "host", NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_add_hosted(NULL, "host", NULL, &h), CHIEF_EINVAL);
    assert_int_equal(chief_hosted_begin(NULL, 0, &w), CHIEF_EINVAL);
    assert_int_equal(chief_hosted_fd(NULL), CHIEF_EINVAL);
    assert_int_equal(chief_hosted_enter(NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_hosted_end(NULL, 0), CHIEF_EINVAL);
    assert_null(chief_hosted_ref(NULL));
    chief_hosted_unref(NULL);
    h = add(c, (chief_worker_options){0});
    assert_int_equal(chief_hosted_begin(h, 0, NULL), CHIEF_EINVAL);
    w = begin_and_enter(h);
    assert_int_equal(chief_hosted_enter(w, 0), CHIEF_EBUSY);
    assert_int_equal(chief_hosted_end(w, 0), CHIEF_OK);
    close_chief(c, h);
}

static int lead_another(chief_worker *ctx, void *instance) {
    atomic_int *refused = instance;
    if (chief_hosted_enter(ctx, 0) == CHIEF_EINVAL) (void)atomic_fetch_add(refused, 1);
    if (chief_hosted_end(ctx, 0) == CHIEF_EINVAL) (void)atomic_fetch_add(refused, 1);
    return 0;
}

static void test_hosted__is_not_for_workers_with_callbacks(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = lead_another};
    atomic_int refused = 0;
    chief *c = open_chief((chief_options){.exit_when_done = 1});
    assert_int_equal(chief_add_worker(c, "other", &ops, &refused), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_OK);
    chief_free(c);
    assert_int_equal(atomic_load(&refused), 2);
}

/* ---- memory ---- */

static int fail_at_first(chief_worker *w) {
    chief_channel *ch;
    int rc = chief_worker_channel(w, "ch", &ch);
    if (rc == CHIEF_OK) rc = chief_channel_send(ch, w, "x", 1, 0);
    return rc == CHIEF_OK && chief_worker_generation(w) == 1 ? 1 : rc;
}

static int whole_life(void) {
    leader host = {.run = fail_at_first};
    chief_log_options quiet = {.size = sizeof quiet, .level = CHIEF_OFF};
    chief_options o = {.size = sizeof o, .exit_when_done = 1};
    chief_worker_options wo = {.size = sizeof wo, .restart = &at_once};
    chief *c = NULL;
    chief_hosted *h = NULL;
    int rc = chief_log_new(&o.log, &quiet);
    if (rc == CHIEF_OK) rc = chief_new(&c, &o);
    if (rc == CHIEF_OK) rc = chief_add_channel(c, "ch", NULL);
    if (rc == CHIEF_OK) rc = chief_add_hosted(c, "host", &wo, &h);
    if (rc == CHIEF_OK) rc = try_host(&host, h);
    bool led = rc == CHIEF_OK;
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_start(c, NULL);
    chief_free(c);
    if (led) chief__thread_join(&host.thread);
    chief_hosted_unref(h);
    chief_log_unref(o.log);
    return rc == CHIEF_EFAILED ? CHIEF_ENOMEM : rc;
}

static void test_hosted__survives_every_failing_allocation(void **state) {
    (void)state;
    assert_true(support_out_of_memory(whole_life) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosted__survives_every_failing_allocation),
        cmocka_unit_test(test_hosted__a_life_is_as_any_other),
        cmocka_unit_test(test_hosted__its_failures_are_restarted_as_new_generations),
        cmocka_unit_test(test_hosted__tells_why_it_failed),
        cmocka_unit_test(test_hosted__an_end_before_its_time_is_a_failure),
        cmocka_unit_test(test_hosted__is_stopped_while_it_waits),
        cmocka_unit_test(test_hosted__one_that_is_not_to_run_is_told_so),
        cmocka_unit_test(test_hosted__one_that_leaves_before_its_run_has_failed),
        cmocka_unit_test(test_hosted__several_threads_share_the_lives),
        cmocka_unit_test(test_hosted__who_comes_too_late_harms_nobody),
        cmocka_unit_test(test_hosted__nobody_comes),
        cmocka_unit_test(test_hosted__a_stop_does_not_wait_for_who_has_not_come),
        cmocka_unit_test(test_hosted__one_that_does_not_end_is_abandoned),
        cmocka_unit_test(test_hosted__one_abandoned_in_its_init_has_no_word_to_wait_for),
        cmocka_unit_test(test_hosted__its_thread_cannot_wait_for_its_own_end),
        cmocka_unit_test(test_hosted__a_life_may_free_its_chief),
        cmocka_unit_test(test_hosted__its_descriptor_says_when_to_go_on),
        cmocka_unit_test(test_hosted__one_that_is_removed_has_no_more_lives),
        cmocka_unit_test(test_hosted__a_chief_that_never_ran_closes_it),
        cmocka_unit_test(test_hosted__a_forked_child_has_none_of_its_lives),
        cmocka_unit_test(test_hosted__refuses_what_makes_no_sense),
        cmocka_unit_test(test_hosted__is_not_for_workers_with_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
