/* A host that was there first: it forks and starts programs, has handlers of its own, embeds a Lua of its own, and frees a
 * chief from wherever it happens to be. Afterwards everything of the host's is as it was. */
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static int64_t limit(void) {
    const char *slow = getenv("CHIEF_TEST_SLOW");
    return (slow != NULL ? strtoll(slow, NULL, 10) : 1) * 20000;
}

/* ---- what is the host's ---- */

typedef struct belongings {
    struct sigaction actions[NSIG];
    sigset_t mask;
    int descriptors;
    mode_t umask;
    char cwd[256];
    char locale[64];
    char environment[4096];
} belongings;

static int count_descriptors(void) {
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}

static void look_around(belongings *all) {
    memset(all, 0, sizeof *all);
    for (int i = 1; i < NSIG; i++) (void)sigaction(i, NULL, &all->actions[i]);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &all->mask);
    all->descriptors = count_descriptors();
    all->umask = umask(0);
    (void)umask(all->umask);
    assert_non_null(getcwd(all->cwd, sizeof all->cwd));
    (void)snprintf(all->locale, sizeof all->locale, "%s", setlocale(LC_ALL, NULL));
    size_t len = 0;
    for (char **e = environ; *e != NULL && len < sizeof all->environment; e++)
        len += (size_t)snprintf(all->environment + len, sizeof all->environment - len, "%s\n", *e);
}

/* Of the signals that nobody used, two real-time ones may have a handler now: it ends Lua code (docs/embedding.md). */
static bool same_action(int signal, const struct sigaction *before, const struct sigaction *now) {
    if (before->sa_handler == now->sa_handler)
        return before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN || before->sa_flags == now->sa_flags;
    return signal >= SIGRTMIN && signal <= SIGRTMAX && before->sa_handler == SIG_DFL;
}

static void assert_same_belongings(const belongings *before) {
    belongings now;
    look_around(&now);
    for (int i = 1; i < NSIG; i++)
        if (!same_action(i, &before->actions[i], &now.actions[i])) fail_msg("signal %d is handled in another way", i);
    for (int i = 1; i < NSIG; i++) assert_int_equal(sigismember(&before->mask, i), sigismember(&now.mask, i));
    assert_int_equal(before->descriptors, now.descriptors);
    assert_int_equal(before->umask, now.umask);
    assert_string_equal(before->cwd, now.cwd);
    assert_string_equal(before->locale, now.locale);
    assert_string_equal(before->environment, now.environment);
}

/* ---- a chief ---- */

static int answer(chief_worker *ctx, void *instance) {
    (void)instance;
    chief_msg *msg = NULL;
    while (chief_worker_recv(ctx, CHIEF_FOREVER, &msg) == CHIEF_OK) {
        chief_bytes data = chief_msg_data(msg);
        (void)chief_msg_reply(msg, data.data, data.len);
        chief_msg_free(msg);
    }
    return 0;
}

static const chief_worker_ops answers = {.size = sizeof answers, .run = answer};

static chief *new_quiet(void) {
    chief *c = NULL;
    chief_log *log = NULL;
    assert_int_equal(chief_log_new(&log, &(chief_log_options){.size = sizeof(chief_log_options), .level = CHIEF_OFF}),
                     0);
    assert_int_equal(chief_new(&c, &(chief_options){.size = sizeof(chief_options), .log = log}), CHIEF_OK);
    chief_log_unref(log);
    return c;
}

static chief *launch_answering(void) {
    chief *c = new_quiet();
    assert_int_equal(chief_add_worker(c, "one", &answers, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    return c;
}

static void assert_answers(chief *c) {
    chief_msg *reply = NULL;
    assert_int_equal(chief_call(c, "one", "x", 1, limit(), &reply), CHIEF_OK);
    assert_int_equal(chief_msg_data(reply).len, 1);
    chief_msg_free(reply);
}

static void stop_and_free(chief *c) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, limit()), CHIEF_OK);
    chief_free(c);
}

/* What the library keeps for good, such as its own descriptors of the first use, is there from here on. */
static int warm_up(void **state) {
    (void)state;
    stop_and_free(launch_answering());
    return 0;
}

/* ---- it forks, and starts programs ---- */

static int status_of(pid_t child) {
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_host_program__forks(void **state) {
    (void)state;
    belongings before;
    look_around(&before);
    chief *c = launch_answering();
    pid_t child = fork();
    if (child == 0) { /* what it inherited is of no use to it, and does no harm */
        int refused =
            chief_call(c, "one", "x", 1, 0, &(chief_msg *){NULL}) == CHIEF_EFORK && chief_stop(c) == CHIEF_EFORK;
        chief_free(c);
        _exit(refused ? 7 : 1);
    }
    assert_int_equal(status_of(child), 7);
    assert_answers(c);
    stop_and_free(c);
    assert_same_belongings(&before);
}

/* How many descriptors a program has that is started here. */
static int open_in_a_program(void) {
    char line[32];
    FILE *program = popen("ls /proc/self/fd | wc -l", "r");
    assert_non_null(program);
    assert_non_null(fgets(line, sizeof line, program));
    assert_int_equal(pclose(program), 0);
    return (int)strtol(line, NULL, 10);
}

static void test_host_program__starts_programs(void **state) {
    (void)state;
    int before = open_in_a_program();
    chief *c = launch_answering();
    assert_true(chief_events_fd(c) >= 0);
    assert_true(chief_context_fd(chief_get_context(c)) >= 0);
    assert_int_equal(open_in_a_program(), before);
    assert_answers(c);
    stop_and_free(c);
}

/* ---- it has handlers of its own ---- */

static volatile sig_atomic_t children_seen, terms_seen;
static void on_child(int signal) { children_seen += signal == SIGCHLD; }
static void on_term(int signal) { terms_seen += signal == SIGTERM; }

static void handle(int signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    assert_int_equal(sigaction(signal, &action, NULL), 0);
}

/* A child that looks for leaks at its end does so from a process of its group, which the stop's SIGTERM ends: it would
 * wait for that one for ever. */
static const char *const no_leak_check[] = {"LSAN_OPTIONS=detect_leaks=0"};

static void add_in_process(chief *c, const char *name) {
    chief_worker_options options = {.size = sizeof options, .isolation = CHIEF_PROCESS};
    chief_process process = {.size = sizeof process, .env = no_leak_check, .n_env = 1};
    chief_lua_options lua = {
        .size = sizeof lua, .path = "tests/host/workers/?.lua", .worker = &options, .process = &process};
    if (chief_lua_add_worker(c, name, "echo", &lua) != CHIEF_OK) fail_msg("%s", chief_last_error());
}

static void test_host_program__sees_its_children_itself(void **state) {
    (void)state;
    handle(SIGCHLD, on_child);
    belongings before;
    look_around(&before);
    chief *c = new_quiet();
    add_in_process(c, "echo");
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    assert_int_equal(chief_wait_state(c, "echo", CHIEF_WORKER_RUN, limit()), CHIEF_OK);
    children_seen = 0;
    pid_t child = fork();
    if (child == 0) _exit(9);
    assert_int_equal(status_of(child), 9); /* nobody else has taken it */
    assert_true(children_seen > 0);
    stop_and_free(c);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and the chief leaves none of its own */
    assert_same_belongings(&before);
    handle(SIGCHLD, SIG_DFL);
}

/* A script that leaves `mark` and then is the program that there is. */
static void write_host(const char *path, const char *mark) {
    char program[4096];
    if (chief_find_program("chief-lua-worker", program, sizeof program) != CHIEF_OK) fail_msg("%s", chief_last_error());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\n: >'%s'\nexec '%s' \"$@\"\n", mark, program);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

/* NULL: it is to have none. */
static void set_variable(const char *name, const char *value) {
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_host_program__says_which_program_hosts_its_workers(void **state) {
    (void)state;
    char folder[] = "/tmp/chief-host-XXXXXX";
    char path[64];
    char mark[64];
    const char *given = getenv("CHIEF_LUA_WORKER");
    char *before = given != NULL ? strdup(given) : NULL;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/host", folder);
    (void)snprintf(mark, sizeof mark, "%s/mark", folder);
    write_host(path, mark);
    set_variable("CHIEF_LUA_WORKER", path);
    chief *c = new_quiet();
    add_in_process(c, "echo");
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    assert_int_equal(chief_wait_state(c, "echo", CHIEF_WORKER_RUN, limit()), CHIEF_OK);
    assert_int_equal(access(mark, F_OK), 0);
    stop_and_free(c);
    set_variable("CHIEF_LUA_WORKER", before);
    free(before);
    assert_int_equal(unlink(mark) | unlink(path) | rmdir(folder), 0);
}

static void test_host_program__has_its_sigterm_back(void **state) {
    (void)state;
    handle(SIGTERM, on_term);
    belongings before;
    look_around(&before);
    chief *c = new_quiet();
    assert_int_equal(chief_add_worker(c, "one", &answers, NULL), CHIEF_OK);
    assert_int_equal(chief_catch_signals(c, CHIEF_CATCH_STOP), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    (void)kill(getpid(), SIGTERM);
    assert_int_equal(chief_join(c, limit()), CHIEF_OK);
    chief_free(c);
    assert_int_equal(terms_seen, 0);
    assert_same_belongings(&before);
    (void)raise(SIGTERM);
    assert_int_equal(terms_seen, 1);
    handle(SIGTERM, SIG_DFL);
}

/* ---- it embeds a Lua of its own ---- */

static int hooked;
static void count_hook(lua_State *L, lua_Debug *ar) {
    (void)L;
    hooked += ar->event == LUA_HOOKCOUNT;
}

static void run_lua(lua_State *L, const char *script) {
    if (luaL_dostring(L, script) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

static void test_host_program__embeds_a_lua(void **state) {
    (void)state;
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    lua_sethook(L, count_hook, LUA_MASKCOUNT, 1000);
    void *data;
    lua_Alloc alloc = lua_getallocf(L, &data);
    run_lua(L, "n, packages = 0, {} for k in pairs(package.loaded) do packages[k] = true end");
    belongings before;
    look_around(&before);
    chief *c = new_quiet();
    chief_lua_options lua = {.size = sizeof lua, .path = "tests/host/workers/?.lua"};
    if (chief_lua_add_worker(c, "echo", "echo", &lua) != CHIEF_OK) fail_msg("%s", chief_last_error());
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    run_lua(L, "for i = 1, 100000 do n = n + 1 end");
    stop_and_free(c);
    run_lua(L, "assert(n == 100000) for k in pairs(package.loaded) do assert(packages[k], k) end");
    assert_true(hooked > 0);
    assert_ptr_equal(lua_gethook(L), count_hook);
    assert_true(lua_getallocf(L, &data) == alloc);
    lua_close(L);
    assert_same_belongings(&before);
}

/* ---- it frees from everywhere ---- */

enum place { IN_RUN = 1, IN_FINI, IN_HOOK, IN_LOG, IN_THREAD };

typedef struct odd {
    enum place place;
    chief *c;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool launched, gone; /* under lock */
    atomic_bool freed;
} odd;

static void tell(odd *o, bool *what) {
    (void)pthread_mutex_lock(&o->lock);
    *what = true;
    (void)pthread_cond_broadcast(&o->changed);
    (void)pthread_mutex_unlock(&o->lock);
}

static bool wait_for(odd *o, const bool *what) {
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += limit() / 1000;
    (void)pthread_mutex_lock(&o->lock);
    while (!*what && pthread_cond_timedwait(&o->changed, &o->lock, &end) == 0) continue;
    bool is = *what;
    (void)pthread_mutex_unlock(&o->lock);
    return is;
}

static void free_here(odd *o, enum place place) {
    if (o->place == place && !atomic_exchange(&o->freed, true)) chief_free(o->c);
}

static int odd_run(chief_worker *ctx, void *instance) {
    odd *o = instance;
    (void)ctx;
    (void)wait_for(o, &o->launched);
    free_here(o, IN_RUN);
    return 0;
}

static void odd_fini(void *instance) { free_here(instance, IN_FINI); }
static void odd_hook(void *data) { free_here(data, IN_HOOK); }

static void odd_sink(void *data, const chief_record *record) {
    odd *o = data;
    if (strcmp(record->message, "worker stopped") == 0) free_here(o, IN_LOG);
}

static void odd_gone(void *data) {
    odd *o = data;
    tell(o, &o->gone);
}

static void *odd_thread(void *data) {
    free_here(data, IN_THREAD);
    return NULL;
}

static void free_from(enum place place) {
    odd o = {.place = place, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    chief_log *log = NULL;
    pthread_t thread;
    chief_worker_ops ops = {.size = sizeof ops, .run = odd_run, .fini = odd_fini};
    chief_log_options to_sink = {.size = sizeof to_sink, .sink = odd_sink, .data = &o, .destroy = odd_gone};
    assert_int_equal(chief_log_new(&log, &to_sink), CHIEF_OK);
    chief_options options = {.size = sizeof options, .log = log, .exit_when_done = 1};
    assert_int_equal(chief_new(&o.c, &options), CHIEF_OK);
    chief_log_unref(log); /* its last reference is the chief's, so that it tells when that has gone */
    assert_int_equal(chief_add_worker(o.c, "odd", &ops, &o), CHIEF_OK);
    assert_int_equal(chief_on_shutdown(o.c, odd_hook, &o), CHIEF_OK);
    assert_int_equal(chief_init_workers(o.c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(o.c, NULL), CHIEF_OK);
    tell(&o, &o.launched);
    if (place == IN_THREAD) assert_int_equal(pthread_create(&thread, NULL, odd_thread, &o), 0);
    if (!wait_for(&o, &o.gone)) fail_msg("a chief freed in place %d has not gone", (int)place);
    if (place == IN_THREAD) assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_host_program__frees_from_everywhere(void **state) {
    (void)state;
    for (enum place place = IN_RUN; place <= IN_THREAD; place++) free_from(place);
}

static void test_host_program__frees_what_has_not_begun(void **state) {
    (void)state;
    belongings before;
    look_around(&before);
    chief_free(NULL);
    chief_free(new_quiet());
    chief *c = new_quiet();
    assert_int_equal(chief_add_worker(c, "one", &answers, NULL), CHIEF_OK);
    chief_free(c);
    c = new_quiet();
    assert_int_equal(chief_add_worker(c, "one", &answers, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    chief_free(c);
    chief_free(launch_answering());
    assert_same_belongings(&before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_program__forks),
        cmocka_unit_test(test_host_program__starts_programs),
        cmocka_unit_test(test_host_program__sees_its_children_itself),
        cmocka_unit_test(test_host_program__says_which_program_hosts_its_workers),
        cmocka_unit_test(test_host_program__has_its_sigterm_back),
        cmocka_unit_test(test_host_program__embeds_a_lua),
        cmocka_unit_test(test_host_program__frees_from_everywhere),
        cmocka_unit_test(test_host_program__frees_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
