#include "leash.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "err.h"
#include "plat.h"

/* Written once, before the handler is there; read by it. */
static volatile sig_atomic_t tied;
static pid_t chief_pid;
static int stop_fd = -1;

static bool chief_lives(void) { return getppid() == chief_pid; }

void chief__leash_cut(void) {
    /* 0 is our own group: nobody else's when we lead it */
    if (tied && getpgrp() == getpid()) (void)kill(0, SIGKILL);
}

/* TERM is also what the kernel sends when the thread that made us has ended. Only calls that a handler may make. */
static void on_term(int signal) {
    int saved = errno;
    (void)signal;
    if (chief_lives()) chief__fd_set(stop_fd);
    else chief__leash_cut();
    errno = saved;
}

/* A chief that died before it was said is no longer the parent now. */
int chief__leash_renew(void) {
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        return chief__fail(CHIEF_ESYS, "the kernel does not tell of the chief's end: %s", strerror(errno));
    return chief_lives() ? CHIEF_OK : chief__fail(CHIEF_ECLOSED, "the chief that started this process has ended");
}

static int read_parent(void) {
    const char *text = getenv(CHIEF__PARENT_VARIABLE);
    char *end = NULL;
    long pid = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL || *text == '\0' || *end != '\0' || pid <= 0)
        return chief__fail(CHIEF_ENOTSUP, "this process was not started by a chief");
    chief_pid = (pid_t)pid;
    return CHIEF_OK;
}

int chief__leash_tie(void) {
    if (tied) return chief__fail(CHIEF_EBUSY, "this process is tied to its chief already");
    int rc = read_parent();
    if (rc != CHIEF_OK) return rc;
    stop_fd = chief__fd_new();
    if (stop_fd < 0) return chief__fail(CHIEF_ESYS, "no descriptor for a stop: %s", strerror(errno));
    struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART | SA_ONSTACK};
    (void)sigemptyset(&action.sa_mask);
    tied = 1;
    if (sigaction(SIGTERM, &action, NULL) != 0) return chief__fail(CHIEF_ESYS, "SIGTERM: %s", strerror(errno));
    (void)unsetenv(CHIEF__PARENT_VARIABLE); /* what this process starts is no child of the chief's */
    return chief__leash_renew();
}

int chief__leash_fd(void) { return stop_fd; }
