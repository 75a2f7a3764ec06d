/*
 * group: a child's process group: its leader watched by a pidfd, signals to all of it, whether any of it is left. Reaps
 * nobody but what belongs to the group.
 *
 * As long as the leader has not been reaped, its number belongs to it; afterwards to the group as long as that has a
 * member. Where the kernel can (6.9), signals go through the pidfd, which is never anybody else's; else by the number.
 */
#ifndef CHIEF_GROUP_H
#define CHIEF_GROUP_H

#include <stdbool.h>

#include "spawn.h"

#pragma GCC visibility push(hidden)

/* A descriptor that is readable when the process has ended; -1 and errno. ENOSYS: something between us and the kernel
 * (valgrind, a sandbox) does not let it through; then every `pidfd` below is -1, and who watches has to ask again. */
int chief__group_watch(int32_t pid);

/* Kills and reaps a child that can't be watched. */
void chief__group_discard(int32_t pid);

/* How the leader ended, without reaping it; false when it has not. */
bool chief__group_leader_ended(int32_t pid, int pidfd, chief__spawn_end *end);

void chief__group_reap_leader(int32_t pid, int pidfd);

/* Sends a signal to all of the group. */
void chief__group_signal(int32_t pid, int pidfd, int signal);

/* Whether the group, its leader reaped, still has a member that can do anything. `thoroughly`: one that is dead and that
 * nobody reaps does not count (a parent that is none of ours). */
bool chief__group_lives(int32_t pid, int pidfd, bool thoroughly);

#pragma GCC visibility pop
#endif
