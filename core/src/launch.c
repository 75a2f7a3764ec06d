#include "launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "group.h"
#include "leash.h"

#define N_CHILD_FDS 5 /* stdin, stdout, stderr, call, side */
#define LOWEST_FD 10  /* above all that the child's are moved to, so that none is moved over another */

/* glibc 2.34 can close everything above a number in the child; elsewhere each descriptor is named. */
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))
#define HAS_CLOSEFROM 1
#else
#define HAS_CLOSEFROM 0
#endif

static int failed(const chief__spawn_how *how, int error) {
    if (error == ENOMEM) return chief__fail_code(CHIEF_ENOMEM);
    return chief__fail(CHIEF_ESYS, "worker %s: can't start %s: %s", how->worker, how->argv[0], strerror(error));
}

void chief__launched_close(chief__launched *l) {
    chief__fd_close(l->pidfd);
    chief__fd_close(l->call_fd);
    chief__fd_close(l->side_fd);
    chief__fd_close(l->out_fds[0]);
    chief__fd_close(l->out_fds[1]);
    *l = (chief__launched){.pidfd = -1, .call_fd = -1, .side_fd = -1, .out_fds = {-1, -1}};
}

/* ---- descriptors ---- */

static void close_all(const int *fds) {
    for (int i = 0; i < N_CHILD_FDS; i++) chief__fd_close(fds[i]);
}

/* Moves a descriptor out of the way of those that the child gets; an errno. */
static int lift(int *fd) {
    if (*fd >= LOWEST_FD) return 0;
    int higher = fcntl(*fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    if (higher < 0) return errno;
    (void)close(*fd);
    *fd = higher;
    return 0;
}

static int make_pair(int *ours, int *theirs) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return errno;
    *ours = fds[0];
    *theirs = fds[1];
    return 0;
}

static int make_pipe(int *ours, int *theirs) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return errno;
    *ours = fds[0];
    *theirs = fds[1];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

/* Both ends of everything; an errno, and then what was made is still open. */
static int make_ends(chief__launched *l, int *theirs) {
    theirs[STDIN_FILENO] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int error = theirs[STDIN_FILENO] < 0 ? errno : 0;
    if (error == 0) error = make_pipe(&l->out_fds[0], &theirs[STDOUT_FILENO]);
    if (error == 0) error = make_pipe(&l->out_fds[1], &theirs[STDERR_FILENO]);
    if (error == 0) error = make_pair(&l->call_fd, &theirs[CHIEF__CALL_FD]);
    if (error == 0) error = make_pair(&l->side_fd, &theirs[CHIEF__SIDE_FD]);
    if (error == 0 && fcntl(l->side_fd, F_SETFL, O_NONBLOCK) != 0) error = errno;
    for (int i = 0; error == 0 && i < N_CHILD_FDS; i++) error = lift(&theirs[i]);
    return error;
}

#if HAS_CLOSEFROM

static int close_others(posix_spawn_file_actions_t *actions) {
    return posix_spawn_file_actions_addclosefrom_np(actions, N_CHILD_FDS);
}

#else

/* A descriptor that another thread opens without O_CLOEXEC in this moment gets through. */
static int close_others(posix_spawn_file_actions_t *actions) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return 0;
    int error = 0;
    struct dirent *entry;
    while (error == 0 && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);
        if (fd < N_CHILD_FDS || fd == dirfd(dir)) continue;
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && (flags & FD_CLOEXEC) == 0) error = posix_spawn_file_actions_addclose(actions, fd);
    }
    (void)closedir(dir);
    return error;
}

#endif

static int add_actions(posix_spawn_file_actions_t *actions, const int *theirs) {
    int error = 0;
    for (int i = 0; error == 0 && i < N_CHILD_FDS; i++) error = posix_spawn_file_actions_adddup2(actions, theirs[i], i);
    return error == 0 ? close_others(actions) : error;
}

/* ---- signals ---- */

/* A group of its own, nothing blocked, nothing ignored. */
static int add_attributes(posix_spawnattr_t *attr) {
    sigset_t all;
    sigset_t none;
    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    int error = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawnattr_setpgroup(attr, 0);
    if (error == 0) error = posix_spawnattr_setsigdefault(attr, &all);
    return error == 0 ? posix_spawnattr_setsigmask(attr, &none) : error;
}

/* ---- environment and arguments ---- */

static bool same_name(const char *a, const char *b) {
    const char *equals = strchr(b, '=');
    size_t len = equals != NULL ? (size_t)(equals - b) : strlen(b);
    return strncmp(a, b, len) == 0 && a[len] == '=';
}

static bool is_replaced(const char *variable, const chief__spawn_how *how) {
    if (same_name(variable, CHIEF__PARENT_VARIABLE)) return true;
    for (size_t i = 0; i < how->n_env; i++)
        if (same_name(variable, how->env[i])) return true;
    return false;
}

/* The list is the caller's to free, its strings are borrowed. */
static char **make_environment(const chief__spawn_how *how, const char *parent) {
    size_t n = 0;
    while (environ != NULL && environ[n] != NULL) n++;
    char **list = chief__calloc(n + how->n_env + 2, sizeof *list);
    if (list == NULL) return NULL;
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(environ[i], how)) list[used++] = environ[i];
    for (size_t i = 0; i < how->n_env; i++) list[used++] = (char *)(uintptr_t)how->env[i];
    list[used] = (char *)(uintptr_t)parent;
    return list;
}

static char **make_arguments(const chief__spawn_how *how) {
    char **list = chief__calloc(how->n_argv + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < how->n_argv; i++) list[i] = (char *)(uintptr_t)how->argv[i];
    return list;
}

/* ---- all together ---- */

static int spawn_with(pid_t *pid, const chief__spawn_how *how, const int *theirs, char **arguments,
                      char **environment) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attr);
    if (error == 0) {
        error = add_actions(&actions, theirs);
        if (error == 0) error = add_attributes(&attr);
        if (error == 0) error = posix_spawn(pid, how->argv[0], &actions, &attr, arguments, environment);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int spawn_child(pid_t *pid, const chief__spawn_how *how, const int *theirs) {
    char parent[sizeof CHIEF__PARENT_VARIABLE + 24];
    (void)snprintf(parent, sizeof parent, "%s=%ld", CHIEF__PARENT_VARIABLE, (long)getpid());
    char **arguments = make_arguments(how);
    char **environment = make_environment(how, parent);
    int error = ENOMEM;
    if (arguments != NULL && environment != NULL) error = spawn_with(pid, how, theirs, arguments, environment);
    chief__free(arguments);
    chief__free(environment);
    return error;
}

int chief__launch(chief__launched *out, const chief__spawn_how *how) {
    int theirs[N_CHILD_FDS] = {-1, -1, -1, -1, -1};
    pid_t pid = 0;
    *out = (chief__launched){.pidfd = -1, .call_fd = -1, .side_fd = -1, .out_fds = {-1, -1}};
    int error = make_ends(out, theirs);
    if (error == 0) error = spawn_child(&pid, how, theirs);
    close_all(theirs);
    if (error == 0) {
        out->pid = (int32_t)pid;
        out->pidfd = chief__group_watch(out->pid);
        if (out->pidfd < 0 && errno != ENOSYS) error = errno;
        if (error != 0) chief__group_discard(out->pid);
    }
    if (error == 0) return CHIEF_OK;
    chief__launched_close(out);
    return failed(how, error);
}
