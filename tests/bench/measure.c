/*
 * Runs a program for at most so many seconds, and appends a line of what it took: «usage CPU-SECONDS PEAK-KIB», of all its
 * threads and of the children that it waited for. Ends as the program did, with 124 when its time was up.
 *   measure SECONDS PROGRAM [ARGUMENT…]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t late;
static pid_t child;

static void on_alarm(int number) {
    (void)number;
    late = 1;
    (void)kill(-child, SIGKILL);
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char **argv) {
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct rusage usage;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: measure SECONDS PROGRAM [ARGUMENT…]\n");
        return 64;
    }
    child = fork();
    if (child < 0) return 71;
    if (child == 0) {
        (void)setpgid(0, 0);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    (void)setpgid(child, child);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm((unsigned)strtoul(argv[1], NULL, 10));
    if (wait4(child, &status, 0, &usage) < 0) return 71;
    printf("usage %.3f %ld\n", seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
    if (late) return 124;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
