#include "child.h"

#include <chief.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "spec.h"
#include "system.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 64, EXIT_ALONE = 75 };

static int run_native(chief_child *child, const char *path) {
    chief_worker_ops ops;
    int rc = chief_load_plugin(path, &ops);
    if (rc == CHIEF_OK) return chief_child_run(child, &ops, NULL);
    chief_child_refuse(child, chief_last_error());
    return rc;
}

static int host(chief_child *child) {
    chief__lua_spec *spec;
    char *native;
    int rc = chief__lua_spec_unpack(chief_child_spec(child), &spec, &native);
    if (rc != CHIEF_OK) chief_child_refuse(child, chief_last_error());
    else if (native != NULL) rc = run_native(child, native);
    else rc = chief_child_run(child, &chief__lua_host_ops, spec);
    chief__lua_spec_free(spec);
    free(native);
    return rc;
}

static int exit_code(int rc) {
    if (rc == CHIEF_OK) return EXIT_SUCCESS;
    return rc == CHIEF_ECLOSED ? EXIT_ALONE : rc == CHIEF_ENOTSUP ? EXIT_USAGE : EXIT_FAILED;
}

int chief__lua_live(void) {
    chief_child *child;
    /* What is printed is read line by line, and a crash loses what is in a buffer. A write into a closed socket is an
     * error of that write here as it is in a chief. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    chief__lua_outlive_sigpipe();
    int rc = chief_child_open(&child);
    if (rc != CHIEF_OK) {
        fprintf(stderr, "chief: %s\n", chief_last_error());
        return exit_code(rc);
    }
    rc = host(child);
    chief_child_close(child);
    return exit_code(rc);
}

int chief__lua_child(lua_State *L) {
    lua_pushinteger(L, chief__lua_live());
    return 1;
}
