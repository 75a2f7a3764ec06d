/*
 * launch: starts one child by posix_spawn, in the calling thread, with its descriptors, signals and environment. Knows
 * nothing of what becomes of it.
 */
#ifndef CHIEF_LAUNCH_H
#define CHIEF_LAUNCH_H

#include "spawn.h"

#pragma GCC visibility push(hidden)

/* The chief's ends; each is closed on exec and -1 where it is not open. */
typedef struct chief__launched {
    int32_t pid;
    int pidfd;      /* -1: there is none to be had */
    int call_fd;    /* blocking */
    int side_fd;    /* this and the next not blocking */
    int out_fds[2]; /* what the child prints on stdout and stderr */
} chief__launched;

/* On failure nothing is left open or running. */
int chief__launch(chief__launched *out, const chief__spawn_how *how);

/* Closes what is open. */
void chief__launched_close(chief__launched *l);

#pragma GCC visibility pop
#endif
