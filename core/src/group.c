#include "group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BY_PIDFD 3      /* P_PIDFD, which is younger than some C libraries */
#define TO_ITS_GROUP 4U /* PIDFD_SIGNAL_PROCESS_GROUP, likewise */
#define SIGNAL_BASE 128 /* as shells have it */
#define STAT_SIZE 512   /* of the beginning of /proc/N/stat, which is what counts */

const char *chief__spawn_end_text(const chief__spawn_end *end, char *buf, size_t size) {
    if (end->code < 0) (void)snprintf(buf, size, "ended, and something else in this process has taken how");
    else if (end->signal == 0) (void)snprintf(buf, size, "exited with %d", (int)end->code);
    else
        (void)snprintf(buf, size, "killed by signal %d (%s)%s", (int)end->signal, strsignal(end->signal),
                       end->dumped ? ", core dumped" : "");
    return buf;
}

int chief__group_watch(int32_t pid) { return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0U); }

void chief__group_discard(int32_t pid) {
    (void)kill(-(pid_t)pid, SIGKILL);
    while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR) continue;
}

static int wait_leader(int32_t pid, int pidfd, siginfo_t *info, int options) {
    int rc;
    do {
        memset(info, 0, sizeof *info);
        if (pidfd >= 0) rc = waitid((idtype_t)BY_PIDFD, (id_t)pidfd, info, WEXITED | options);
        else rc = waitid(P_PID, (id_t)pid, info, WEXITED | options);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

bool chief__group_leader_ended(int32_t pid, int pidfd, chief__spawn_end *end) {
    siginfo_t info;
    *end = (chief__spawn_end){.code = -1};
    /* ECHILD: the host reaps every child or ignores SIGCHLD, and how this one ended is lost */
    if (wait_leader(pid, pidfd, &info, WNOWAIT | WNOHANG) != 0) return errno == ECHILD;
    if (info.si_pid == 0) return false;
    end->code = info.si_status;
    if (info.si_code == CLD_EXITED) return true;
    end->signal = info.si_status;
    end->code = SIGNAL_BASE + info.si_status;
    end->dumped = info.si_code == CLD_DUMPED;
    return true;
}

void chief__group_reap_leader(int32_t pid, int pidfd) {
    siginfo_t info;
    (void)wait_leader(pid, pidfd, &info, WNOHANG);
}

/* 0, or the errno. */
static int send_signal(int32_t pid, int pidfd, int signal) {
#ifdef SYS_pidfd_send_signal
    if (pidfd >= 0) {
        if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, TO_ITS_GROUP) == 0) return 0;
        if (errno != EINVAL && errno != ENOSYS) return errno;
    }
#else
    (void)pidfd;
#endif
    return kill(-(pid_t)pid, signal) == 0 ? 0 : errno;
}

void chief__group_signal(int32_t pid, int pidfd, int signal) { (void)send_signal(pid, pidfd, signal); }

/* Where this process is the one that orphans are given to (the first of a container), the rest of a group is ours. */
static void reap_orphans(int32_t pid) {
    siginfo_t info;
    do info.si_pid = 0;
    while (waitid(P_PGID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0);
}

/* Whether the process of this folder in /proc is in the group and not dead. The name in its second field may hold
 * anything, its last ')' ends it. */
static bool is_live_member(const char *folder, int32_t group) {
    char path[300];
    char text[STAT_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%s/stat", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n <= 0) return false;
    text[n] = '\0';
    const char *after = strrchr(text, ')'); /* «) S PPID PGRP»: the name before it may hold anything */
    if (after == NULL || strlen(after) < 4) return false;
    char state = after[2];
    char *end;
    (void)strtol(after + 3, &end, 10);
    return strtol(end, NULL, 10) == group && state != 'Z' && state != 'X';
}

static bool has_live_member(int32_t group) {
    DIR *dir = opendir("/proc");
    if (dir == NULL) return true; /* nobody can tell */
    bool found = false;
    struct dirent *entry;
    while (!found && (entry = readdir(dir)) != NULL)
        found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_live_member(entry->d_name, group);
    (void)closedir(dir);
    return found;
}

bool chief__group_lives(int32_t pid, int pidfd, bool thoroughly) {
    if (send_signal(pid, pidfd, 0) == ESRCH) return false;
    reap_orphans(pid);
    if (send_signal(pid, pidfd, 0) == ESRCH) return false;
    return !thoroughly || has_live_member(pid);
}
