/* Children: how they are started, watched, listened to and ended. Most of them are shell scripts. */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

#define LINES_MAX 64
#define TEXT_MAX 4200

/* ---- what the system refuses ---- */

/* This program's posix_spawn is found before the C library's. */
int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp);

static atomic_int spawn_error; /* how the next one fails */

int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp) {
    int (*real)(pid_t *, const char *, const void *, const void *, char *const *, char *const *);
    int error = atomic_exchange(&spawn_error, 0);
    if (error != 0) return error;
    void *found = dlsym(RTLD_NEXT, "posix_spawn");
    memcpy(&real, &found, sizeof real);
    return real(pid, path, actions, attr, argv, envp);
}

/* ---- a log that remembers ---- */

typedef struct line {
    int32_t level;
    char text[TEXT_MAX];
    char worker[32];
    char stream[16];
    int64_t pid;
    int64_t part;
} line;

static struct notes {
    chief__mutex lock;
    size_t n;
    size_t bytes;
    line lines[LINES_MAX]; /* the first ones */
} notes;

static chief_log *log_to_notes;
static chief__spawner *spawner;
static int spawner_fds; /* that its thread will open */

static void note_field(line *l, const chief_field *f) {
    if (strcmp(f->key, "pid") == 0) l->pid = f->value.integer;
    if (strcmp(f->key, "part") == 0) l->part = f->value.integer;
    char *text = strcmp(f->key, "worker") == 0 ? l->worker : strcmp(f->key, "stream") == 0 ? l->stream : NULL;
    if (text != NULL) memcpy(text, f->value.bytes.data, f->value.bytes.len);
}

static void note(void *data, const chief_record *record) {
    (void)data;
    chief__lock(&notes.lock);
    notes.bytes += strlen(record->message);
    if (notes.n < LINES_MAX) {
        line *l = &notes.lines[notes.n];
        l->level = record->level;
        (void)snprintf(l->text, sizeof l->text, "%s", record->message);
        for (size_t i = 0; i < record->n_fields; i++) note_field(l, &record->fields[i]);
    }
    notes.n++;
    chief__unlock(&notes.lock);
}

static bool has_said(void *text) {
    bool found = false;
    chief__lock(&notes.lock);
    for (size_t i = 0; i < notes.n && i < LINES_MAX; i++) found = found || strcmp(notes.lines[i].text, text) == 0;
    chief__unlock(&notes.lock);
    return found;
}

static void assert_says(const char *text) {
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%s", text);
    assert_true(support_until(has_said, copy, 10000));
}

static int setup(void **state) {
    (void)state;
    chief_log_options options = {.size = sizeof options, .sink = note};
    memset(&notes, 0, sizeof notes);
    chief__mutex_init(&notes.lock);
    assert_int_equal(chief_log_new(&log_to_notes, &options), CHIEF_OK);
    assert_int_equal(chief__spawner_new(&spawner), CHIEF_OK);
    spawner_fds = 2;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    chief__spawner_close(spawner, chief__deadline(support_ms(10000)));
    chief__spawner_unref(spawner);
    chief_log_unref(log_to_notes);
    return 0;
}

/* ---- children ---- */

static int spawn_argv(chief__spawned **out, const char *const *argv, size_t n, const chief__spawn_hooks *hooks) {
    chief__spawn_how how = {.argv = argv, .n_argv = n, .worker = "w", .log = log_to_notes};
    if (hooks != NULL) how.hooks = *hooks;
    return chief__spawn(out, spawner, &how);
}

static chief__spawned *shell_with(const char *script, const chief__spawn_hooks *hooks) {
    const char *argv[] = {"/bin/sh", "-c", script};
    chief__spawned *s;
    assert_int_equal(spawn_argv(&s, argv, 3, hooks), CHIEF_OK);
    return s;
}

static chief__spawned *shell(const char *script) { return shell_with(script, NULL); }

static int64_t soon(void) { return chief__deadline(support_ms(10000)); }

/* Waits for its end and lets it go. */
static chief__spawn_end finish(chief__spawned *s) {
    chief__spawn_end end = {0};
    bool gone = chief__spawned_wait(s, soon(), &end);
    chief__spawned_unref(s);
    assert_true(gone);
    return end;
}

static chief__spawn_end run(const char *script) { return finish(shell(script)); }

static int count_fds(void) {
    int n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static bool are_fds(void *n) { return count_fds() == *(int *)n; }

/* How many descriptors a spawner without children has open beside others; its thread drops the last child a moment
 * after that has been told. */
static int settled_fds(void) {
    int fds = count_fds();
    assert_int_equal(run("exit 0").code, 0);
    fds += spawner_fds;
    assert_true(support_until(are_fds, &fds, 10000));
    spawner_fds = 0;
    return fds;
}

/* ---- ends ---- */

static void test_spawn__the_end_is_told(void **state) {
    (void)state;
    char text[80];
    chief__spawn_end end = run("exit 3");
    assert_int_equal(end.code, 3);
    assert_int_equal(end.signal, 0);
    assert_string_equal(chief__spawn_end_text(&end, text, sizeof text), "exited with 3");
    end = run("kill -9 $$");
    assert_int_equal(end.code, 137);
    assert_int_equal(end.signal, SIGKILL);
    assert_string_equal(chief__spawn_end_text(&end, text, sizeof text), "killed by signal 9 (Killed)");
    end = run("exit 0");
    assert_int_equal(end.code, 0);
}

static void note_end(void *data, const chief__spawn_end *end) {
    (void)end;
    support_gate_open(data);
}

static void test_spawn__the_leaders_end_is_told_before_its_groups(void **state) {
    (void)state;
    support_gate ended;
    support_gate_init(&ended);
    chief__spawn_hooks hooks = {.data = &ended, .on_end = note_end};
    chief__spawned *s = shell_with("(trap '' TERM; echo up; while :; do sleep 1; done) & read x <&3; exit 5", &hooks);
    assert_says("up");
    assert_int_equal(write(chief__spawned_call_fd(s), "\n", 1), 1);
    assert_true(support_gate_pass(&ended));
    /* it ignores TERM, so the group is not empty, and that is waited for no longer than asked */
    assert_false(chief__spawned_wait(s, chief__now_ms(), NULL));
    chief__spawned_kill(s);
    chief__spawn_end end = finish(s);
    assert_int_equal(end.code, 5);
    support_gate_fini(&ended);
}

static void test_spawn__the_rest_of_a_group_is_asked_to_end(void **state) {
    (void)state;
    chief__spawned *s = shell("(trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.01; done) & read x <&3");
    assert_says("up");
    assert_int_equal(write(chief__spawned_call_fd(s), "\n", 1), 1);
    assert_int_equal(finish(s).code, 0);
    assert_says("asked");
}

static void test_spawn__a_stopped_child_is_continued(void **state) {
    (void)state;
    chief__spawned *s = shell("trap 'echo asked; exit 7' TERM; echo up; kill -STOP $$; while :; do sleep 0.01; done");
    assert_says("up");
    siginfo_t info = {0}; /* it is our child, so we hear of the stop, and reap nothing */
    assert_int_equal(waitid(P_PID, (id_t)chief__spawned_pid(s), &info, WSTOPPED), 0);
    chief__spawned_terminate(s);
    assert_int_equal(finish(s).code, 7);
    assert_says("asked");
}

static void test_spawn__others_children_are_left_alone(void **state) {
    (void)state;
    pid_t own = fork();
    if (own == 0) _exit(42);
    assert_int_equal(run("exit 0").code, 0);
    int status = 0;
    assert_int_equal(waitpid(own, &status, 0), own);
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_spawn__a_host_that_reaps_everything_takes_only_the_how(void **state) {
    (void)state;
    char text[80];
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    (void)sigaction(SIGCHLD, &ignore, &before);
    chief__spawned *s = shell("read x <&3; exit 3");
    (void)shutdown(chief__spawned_call_fd(s), SHUT_WR);
    chief__spawn_end end = finish(s);
    (void)sigaction(SIGCHLD, &before, NULL);
    assert_int_equal(end.code, -1);
    assert_non_null(strstr(chief__spawn_end_text(&end, text, sizeof text), "ended"));
}

static void test_spawn__closing_kills_what_is_left(void **state) {
    (void)state;
    chief__spawned *one = shell("trap '' TERM; echo up; while :; do sleep 1; done");
    chief__spawned *two = shell("kill -STOP $$");
    assert_says("up");
    chief__spawner_close(spawner, soon());
    assert_true(chief__spawned_wait(one, chief__now_ms(), NULL));
    assert_int_equal(finish(one).signal, SIGKILL);
    assert_int_equal(finish(two).signal, SIGKILL);
    const char *argv[] = {"/bin/true"};
    chief__spawned *late;
    assert_int_equal(spawn_argv(&late, argv, 1, NULL), CHIEF_ECLOSED);
    assert_null(late);
    support_says("worker w: the chief starts no more processes");
}

/* ---- what a child is given ---- */

static void test_spawn__a_child_has_five_descriptors(void **state) {
    (void)state;
    int leak = fcntl(0, F_DUPFD, 50);
    assert_true(leak >= 50);
    assert_int_equal(run("cd /proc/self/fd && echo 1 2>/dev/null >&3; for f in $(seq 0 99); do "
                         "[ -e $f ] && printf '%s ' $f; done; echo end; readlink 0")
                         .code,
                     0);
    (void)close(leak);
    assert_says("0 1 2 3 4 end");
    assert_says("/dev/null");
}

static void test_spawn__closed_standard_descriptors_do_not_matter(void **state) {
    (void)state;
    int saved[3];
    int fds = settled_fds();
    for (int i = 0; i < 3; i++) saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
    for (int i = 0; i < 3; i++) (void)close(i);
    chief__spawn_end end = run("echo out; echo err >&2; exit 9");
    while (count_fds() > fds) chief__pause_ms(1); /* what it had could be where the standard ones come back */
    for (int i = 0; i < 3; i++) (void)dup2(saved[i], i);
    for (int i = 0; i < 3; i++) (void)close(saved[i]);
    assert_int_equal(end.code, 9);
    assert_says("out");
    assert_says("err");
}

static void test_spawn__signals_are_reset(void **state) {
    (void)state;
    sigset_t mask;
    sigset_t before;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction pipe_before;
    struct sigaction hup_before;
    (void)sigfillset(&mask);
    (void)sigaction(SIGPIPE, &ignore, &pipe_before);
    (void)sigaction(SIGHUP, &ignore, &hup_before);
    (void)pthread_sigmask(SIG_BLOCK, &mask, &before); /* the spawner's thread inherits it */
    /* the two below the real-time signals are the C library's own, and it ignores them in a child */
    chief__spawn_end end = run("exec grep -c -E 'SigBlk:.0{16}$|SigIgn:.[0-9a-f]{8}[08]0{7}$' /proc/self/status");
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
    (void)sigaction(SIGHUP, &hup_before, NULL);
    assert_int_equal(end.code, 0);
    assert_says("2");
}

static void test_spawn__a_child_leads_its_group(void **state) {
    (void)state;
    assert_int_equal(run("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $1 = $$ ]").code, 0);
}

static void test_spawn__the_environment_is_added_to(void **state) {
    (void)state;
    const char *script = "[ \"$ONE\" = 1 ] && [ \"$TWO\" = '' ] && [ $CHIEF_PARENT = $PPID ] && "
                         "[ \"$KEPT\" = yes ] && [ $(env | grep -c ^ONE=) = 1 ]";
    const char *argv[] = {"/bin/sh", "-c", script};
    const char *env[] = {"ONE=1", "TWO="};
    chief__spawn_how how = {.argv = argv, .n_argv = 3, .env = env, .n_env = 2, .worker = "w", .log = log_to_notes};
    chief__spawned *s;
    (void)setenv("ONE", "host", 1);
    (void)setenv("TWO", "host", 1);
    (void)setenv("KEPT", "yes", 1);
    assert_int_equal(chief__spawn(&s, spawner, &how), CHIEF_OK);
    assert_int_equal(finish(s).code, 0);
    assert_string_equal(getenv("ONE"), "host");
    (void)unsetenv("ONE");
    (void)unsetenv("TWO");
    (void)unsetenv("KEPT");
}

/* ---- what a child prints ---- */

static void test_spawn__lines_go_to_the_log(void **state) {
    (void)state;
    chief__spawned *s = shell("echo one; printf 'bad \\377 byte\\nlast, no break'");
    int32_t pid = chief__spawned_pid(s);
    assert_int_equal(finish(s).code, 0);
    assert_int_equal(notes.n, 3);
    assert_string_equal(notes.lines[0].text, "one");
    assert_string_equal(notes.lines[1].text, "bad \\xff byte");
    assert_string_equal(notes.lines[2].text, "last, no break");
    assert_string_equal(notes.lines[0].worker, "w");
    assert_string_equal(notes.lines[0].stream, "stdout");
    assert_int_equal(notes.lines[0].pid, pid);
    assert_int_equal(notes.lines[0].level, CHIEF_INFO);
    assert_int_equal(run("echo oops >&2").code, 0);
    assert_int_equal(notes.n, 4);
    assert_string_equal(notes.lines[3].stream, "stderr");
    assert_int_equal(notes.lines[3].level, CHIEF_WARN);
}

static void test_spawn__a_line_of_ten_mebibytes_comes_in_pieces(void **state) {
    (void)state;
    assert_int_equal(run("head -c 10485760 /dev/zero | tr '\\0' x").code, 0);
    assert_int_equal(notes.bytes, 10485760);
    assert_int_equal(notes.n, 10485760 / 4096);
    assert_int_equal(notes.lines[0].part, 1);
    assert_int_equal(notes.lines[1].part, 2);
}

static void await_a_line(void) {
    size_t n = 0;
    while (n == 0) {
        chief__lock(&notes.lock);
        n = notes.n;
        chief__unlock(&notes.lock);
        chief__pause_ms(1);
    }
}

/* While one child prints without end, another is started, heard and seen to its end, and the first can be killed. */
static void test_spawn__a_flood_leaves_the_others_their_turn(void **state) {
    (void)state;
    chief__spawned *flood = shell("exec yes");
    await_a_line();
    for (int i = 0; i < 5; i++) assert_int_equal(run("exit 4").code, 4);
    chief__spawned_kill(flood);
    assert_int_equal(finish(flood).signal, SIGKILL);
}

/* A process that left the group keeps the pipe open; its worker has ended nevertheless, and its last line is there. */
static void test_spawn__who_left_the_group_holds_nobody_up(void **state) {
    (void)state;
    chief__spawned *s = shell("setsid sh -c 'echo $$; kill -STOP $$' & sleep 0.01; read x <&3; echo over");
    await_a_line();
    assert_int_equal(write(chief__spawned_call_fd(s), "\n", 1), 1);
    chief__spawn_end end = finish(s);
    pid_t daemon = (pid_t)strtol(notes.lines[0].text, NULL, 10);
    assert_true(daemon > 1);
    (void)kill(daemon, SIGKILL);
    assert_int_equal(end.code, 0);
    assert_says("over");
}

/* ---- channels ---- */

static void test_spawn__the_call_channel_is_the_callers(void **state) {
    (void)state;
    char answer[8] = "";
    chief__spawned *s = shell("read line <&3; echo $line back >&3");
    int fd = chief__spawned_call_fd(s);
    assert_int_equal(write(fd, "a\n", 2), 2);
    assert_int_equal(read(fd, answer, sizeof answer), 7);
    assert_memory_equal(answer, "a back\n", 7);
    /* it ends with the child, also where another process has a copy of the other end */
    assert_int_equal(read(fd, answer, sizeof answer), 0);
    assert_int_equal(finish(s).code, 0);
}

static void test_spawn__the_call_channel_ends_with_the_leader(void **state) {
    (void)state;
    char byte;
    chief__spawned *s = shell("(trap '' TERM; while :; do sleep 1; done) & printf x >&3; kill -9 $$");
    int fd = chief__spawned_call_fd(s);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), 0);
    chief__spawned_kill(s);
    assert_int_equal(finish(s).signal, SIGKILL);
}

typedef struct side {
    chief__mutex lock;
    chief__cond changed;
    size_t n;
    unsigned sum;
    bool room;
    bool sense;
} side;

static bool take_side(void *data, const void *bytes, size_t len) {
    side *s = data;
    chief__lock(&s->lock);
    for (size_t i = 0; i < len; i++) s->sum = s->sum * 31 + ((const unsigned char *)bytes)[i];
    s->n += len;
    chief__cond_wake_all(&s->changed);
    bool sense = s->sense;
    chief__unlock(&s->lock);
    return sense;
}

static void note_room(void *data) {
    side *s = data;
    chief__lock(&s->lock);
    s->room = true;
    chief__cond_wake_all(&s->changed);
    chief__unlock(&s->lock);
}

static chief__spawn_hooks side_hooks(side *s) {
    *s = (side){.sense = true};
    chief__mutex_init(&s->lock);
    chief__cond_init(&s->changed);
    return (chief__spawn_hooks){.data = s, .on_side = take_side, .on_room = note_room};
}

static bool side_has(side *s, size_t n) {
    int64_t until = soon();
    chief__lock(&s->lock);
    while (s->n < n && chief__cond_wait(&s->changed, &s->lock, until)) continue;
    bool there = s->n >= n;
    chief__unlock(&s->lock);
    return there;
}

/* Far more than a socket holds goes down and comes back; where there is no room, the end of that is told. */
static void test_spawn__the_side_channel_goes_both_ways(void **state) {
    (void)state;
    enum { PIECE = 50000, N = 200 };
    static unsigned char piece[PIECE];
    side told;
    chief__spawn_hooks hooks = side_hooks(&told);
    chief__spawned *s = shell_with("exec cat <&4 >&4", &hooks);
    unsigned sum = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < PIECE; j++) piece[j] = (unsigned char)(i * 7 + j);
        for (size_t j = 0; j < PIECE; j++) sum = sum * 31 + piece[j];
        while (!chief__spawned_push(s, piece, PIECE)) {
            int64_t until = soon();
            chief__lock(&told.lock);
            while (!told.room && chief__cond_wait(&told.changed, &told.lock, until)) continue;
            assert_true(told.room);
            told.room = false;
            chief__unlock(&told.lock);
        }
    }
    assert_true(side_has(&told, (size_t)PIECE * N));
    assert_int_equal(told.sum, sum);
    chief__spawned_kill(s);
    assert_int_equal(finish(s).signal, SIGKILL);
}

static void test_spawn__the_side_channels_queue_is_bounded(void **state) {
    (void)state;
    static char piece[CHIEF__SIDE_ROOM / 4];
    side told;
    chief__spawn_hooks hooks = side_hooks(&told);
    chief__spawned *s = shell_with("echo up; read x <&3; exec cat <&4 >/dev/null", &hooks);
    int n = 0;
    while (chief__spawned_push(s, piece, sizeof piece)) assert_true(++n < 100);
    assert_true(n >= 3);
    assert_int_equal(write(chief__spawned_call_fd(s), "\n", 1), 1);
    int64_t until = soon();
    chief__lock(&told.lock);
    while (!told.room && chief__cond_wait(&told.changed, &told.lock, until)) continue;
    assert_true(told.room);
    chief__unlock(&told.lock);
    assert_true(chief__spawned_push(s, piece, sizeof piece));
    chief__spawned_kill(s);
    (void)finish(s);
}

/* Nor does the spawner's thread try for ever then. */
static void test_spawn__what_a_child_refuses_to_hear_is_dropped(void **state) {
    (void)state;
    static char piece[CHIEF__SIDE_ROOM];
    const char *argv[] = {"/proc/self/exe", "refuse-to-hear"};
    chief__spawned *s;
    if (support_under_valgrind()) skip();
    assert_int_equal(spawn_argv(&s, argv, 2, NULL), CHIEF_OK);
    assert_says("refuses");
    assert_true(chief__spawned_push(s, "x", 1));
    assert_true(chief__spawned_push(s, piece, sizeof piece));
    chief__spawned_kill(s);
    (void)finish(s);
}

/* This program as that child. */
static int refuse_to_hear(void) {
    if (shutdown(CHIEF__SIDE_FD, SHUT_RD) != 0 || write(STDOUT_FILENO, "refuses\n", 8) != 8) return 1;
    for (;;) (void)pause();
}

static void test_spawn__what_a_child_said_last_is_heard(void **state) {
    (void)state;
    side told;
    chief__spawn_hooks hooks = side_hooks(&told);
    chief__spawned *s = shell_with("printf last >&4; kill -9 $$", &hooks);
    assert_int_equal(finish(s).signal, SIGKILL);
    assert_int_equal(told.n, 4);
}

static void test_spawn__a_child_that_talks_nonsense_is_killed(void **state) {
    (void)state;
    side told;
    chief__spawn_hooks hooks = side_hooks(&told);
    told.sense = false;
    chief__spawned *s = shell_with("echo nonsense >&4; read x <&3", &hooks);
    assert_int_equal(finish(s).signal, SIGKILL);
}

static void test_spawn__after_the_end_nothing_is_pushed(void **state) {
    (void)state;
    chief__spawned *s = shell("exit 0");
    assert_true(chief__spawned_wait(s, soon(), NULL));
    assert_false(chief__spawned_push(s, "x", 1));
    chief__spawned_terminate(s);
    chief__spawned_kill(s);
    chief__spawned_unref(s);
}

static void count_call(void *data, const chief__spawn_end *end) {
    (void)end;
    (void)atomic_fetch_add((atomic_int *)data, 1);
}

static void test_spawn__a_forgotten_child_tells_nothing(void **state) {
    (void)state;
    atomic_int calls = 0;
    chief__spawn_hooks hooks = {.data = &calls, .on_end = count_call};
    chief__spawned *s = shell_with("read x <&3", &hooks);
    chief__spawned_forget(s);
    chief__spawned_kill(s);
    (void)finish(s);
    assert_int_equal(atomic_load(&calls), 0);
}

/* ---- what can't be started ---- */

static void assert_refused(const char *program, int code, const char *text) {
    chief__spawned *s;
    int fds = count_fds();
    assert_int_equal(spawn_argv(&s, &program, 1, NULL), code);
    assert_null(s);
    support_says(text);
    assert_int_equal(count_fds(), fds);
}

static void test_spawn__what_the_system_refuses_is_said(void **state) {
    (void)state;
    if (support_under_valgrind()) skip();
    (void)settled_fds();
    assert_refused("/no/such/program", CHIEF_ESYS, "worker w: can't start /no/such/program: No such file or directory");
    assert_refused("/etc", CHIEF_ESYS, "worker w: can't start /etc: Permission denied");
    atomic_store(&spawn_error, EAGAIN);
    assert_refused("/bin/true", CHIEF_ESYS, "worker w: can't start /bin/true: Resource temporarily unavailable");
    atomic_store(&spawn_error, ENOMEM);
    assert_refused("/bin/true", CHIEF_ENOMEM, "out of memory");
    assert_int_equal(run("exit 0").code, 0);
}

/* Fewer and fewer descriptors are left: an error each time, and none is lost. */
static void test_spawn__without_descriptors_it_fails_cleanly(void **state) {
    (void)state;
    if (support_under_valgrind()) skip();
    struct rlimit before;
    int fds = settled_fds();
    (void)getrlimit(RLIMIT_NOFILE, &before);
    int refused = 0;
    for (rlim_t limit = (rlim_t)fds + 1; limit < (rlim_t)fds + 40; limit++) {
        struct rlimit less = {.rlim_cur = limit, .rlim_max = before.rlim_max};
        const char *argv[] = {"/bin/true"};
        chief__spawned *s;
        (void)setrlimit(RLIMIT_NOFILE, &less);
        int rc = spawn_argv(&s, argv, 1, NULL);
        (void)setrlimit(RLIMIT_NOFILE, &before);
        if (rc == CHIEF_OK) {
            (void)finish(s);
        } else {
            refused++;
            assert_int_equal(rc, CHIEF_ESYS);
            support_says("worker w: can't start /bin/true: Too many open files");
        }
    }
    assert_true(refused > 3);
    chief__spawner_close(spawner, soon());
    assert_true(count_fds() <= fds);
}

static int attempt(void) {
    chief_log_options options = {.size = sizeof options, .sink = note};
    chief_log *log = NULL;
    chief__spawner *sp = NULL;
    chief__spawned *s = NULL;
    const char *argv[] = {"/bin/echo", "text"};
    int rc = chief_log_new(&log, &options);
    if (rc == CHIEF_OK) rc = chief__spawner_new(&sp);
    if (rc == CHIEF_OK) {
        chief__spawn_how how = {.argv = argv, .n_argv = 2, .worker = "w", .log = log};
        rc = chief__spawn(&s, sp, &how);
        bool taken = s != NULL && chief__spawned_push(s, "x", 1);
        assert_true(s == NULL || chief__spawned_wait(s, soon(), NULL));
        (void)taken;
        chief__spawned_unref(s);
        chief__spawner_close(sp, soon());
    }
    chief__spawner_unref(sp);
    chief_log_unref(log);
    return rc;
}

static void test_spawn__out_of_memory(void **state) {
    (void)state;
    teardown(NULL);
    assert_true(support_out_of_memory(attempt) > 5);
    setup(NULL);
}

static void test_spawn__many_leave_nothing_behind(void **state) {
    (void)state;
    int fds = settled_fds();
    for (int i = 0; i < 100; i++) {
        const char *argv[] = {"/bin/true"};
        chief__spawned *s;
        assert_int_equal(spawn_argv(&s, argv, 1, NULL), CHIEF_OK);
        if (i % 2 == 0) chief__spawned_kill(s);
        (void)finish(s);
    }
    assert_true(support_until(are_fds, &fds, 10000));
    siginfo_t info;
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1);
    assert_int_equal(errno, ECHILD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_spawn__##name, setup, teardown)

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "refuse-to-hear") == 0) return refuse_to_hear();
    const struct CMUnitTest tests[] = {
        TEST(the_end_is_told),
        TEST(the_leaders_end_is_told_before_its_groups),
        TEST(the_rest_of_a_group_is_asked_to_end),
        TEST(a_stopped_child_is_continued),
        TEST(others_children_are_left_alone),
        TEST(a_host_that_reaps_everything_takes_only_the_how),
        TEST(closing_kills_what_is_left),
        TEST(a_child_has_five_descriptors),
        TEST(closed_standard_descriptors_do_not_matter),
        TEST(signals_are_reset),
        TEST(a_child_leads_its_group),
        TEST(the_environment_is_added_to),
        TEST(lines_go_to_the_log),
        TEST(a_line_of_ten_mebibytes_comes_in_pieces),
        TEST(a_flood_leaves_the_others_their_turn),
        TEST(who_left_the_group_holds_nobody_up),
        TEST(the_call_channel_is_the_callers),
        TEST(the_call_channel_ends_with_the_leader),
        TEST(the_side_channel_goes_both_ways),
        TEST(the_side_channels_queue_is_bounded),
        TEST(what_a_child_refuses_to_hear_is_dropped),
        TEST(what_a_child_said_last_is_heard),
        TEST(a_child_that_talks_nonsense_is_killed),
        TEST(after_the_end_nothing_is_pushed),
        TEST(a_forgotten_child_tells_nothing),
        TEST(what_the_system_refuses_is_said),
        TEST(without_descriptors_it_fails_cleanly),
        TEST(out_of_memory),
        TEST(many_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
