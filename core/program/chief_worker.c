/*
 * chief-worker: the process of a worker that is a C plug-in. A chief starts it (chief_add_plugin with CHIEF_PROCESS) and
 * tells it which. Exit codes: 0 a clean end, 1 the worker failed and the chief knows why, 64 not started by a chief,
 * 75 the chief has gone.
 */
#include <chief.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 64, EXIT_ALONE = 75 };

static int complain(int code) {
    fprintf(stderr, "chief-worker: %s\n", chief_last_error());
    return code;
}

/* The path of the plug-in, which does not end in NUL where it comes from. */
static char *copy(chief_bytes bytes) {
    char *path = malloc(bytes.len + 1);
    if (path == NULL) return NULL;
    if (bytes.len > 0) memcpy(path, bytes.data, bytes.len);
    path[bytes.len] = '\0';
    return path;
}

static int host(chief_child *child) {
    chief_worker_ops ops;
    char *path = copy(chief_child_spec(child));
    int rc = path != NULL ? chief_load_plugin(path, &ops) : chief_set_last_error(CHIEF_ENOMEM, NULL);
    free(path);
    if (rc == CHIEF_OK) rc = chief_child_run(child, &ops, NULL);
    else chief_child_refuse(child, chief_last_error());
    if (rc == CHIEF_OK) return EXIT_SUCCESS;
    return rc == CHIEF_ECLOSED ? EXIT_ALONE : EXIT_FAILED;
}

int main(void) {
    chief_child *child;
    /* What is printed is read line by line; what a crash would leave in a buffer is lost. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int rc = chief_child_open(&child);
    if (rc == CHIEF_ENOTSUP) return complain(EXIT_USAGE);
    if (rc != CHIEF_OK) return complain(rc == CHIEF_ECLOSED ? EXIT_ALONE : EXIT_FAILED);
    int code = host(child);
    chief_child_close(child);
    return code;
}
