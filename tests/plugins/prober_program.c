/* The prober as a program of its own, over libchief alone. */
#include <stdio.h>

#include "prober.h"

int main(void) {
    chief_child *child;
    int rc = chief_child_open(&child);
    if (rc != CHIEF_OK) {
        fprintf(stderr, "prober: %s\n", chief_last_error());
        return 64;
    }
    rc = chief_child_run(child, &prober_ops, NULL);
    chief_child_close(child);
    return rc == CHIEF_OK ? 0 : 1;
}
