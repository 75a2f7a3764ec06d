/*
 * spawned: one child as the spawner's thread sees it: what it prints, its side channel, its end. Shared by spawned.c and
 * spawn.c alone; others see spawn.h.
 */
#ifndef CHIEF_SPAWNED_H
#define CHIEF_SPAWNED_H

#include "lines.h"
#include "spawn.h"

#pragma GCC visibility push(hidden)

/* What the spawner's thread works with, whichever child's turn it is. */
typedef struct chief__bench {
    int epoll;
    char chunk[65536];
    char text[CHIEF__LINE_TEXT_SIZE];
} chief__bench;

/* What a descriptor of the epoll set is about. */
typedef struct chief__watch {
    enum { WATCH_LEADER, WATCH_STREAM, WATCH_SIDE } kind;
    chief__spawned *child;
    struct chief__stream *stream;
} chief__watch;

/* The list of all children is the spawner's. */
typedef struct chief__sibling {
    chief__spawned *next;
    chief__spawned **back; /* what points to it */
} chief__sibling;

chief__sibling *chief__spawned_sibling(chief__spawned *s);

/* Puts a descriptor into the epoll set, or changes what is heard of it; -1 and errno. */
int chief__bench_watch(const chief__bench *bench, int op, int fd, uint32_t events, chief__watch *w);

/* Starts a child and watches it. */
int chief__spawned_start(chief__spawned **out, chief__spawner *sp, const chief__bench *bench,
                         const chief__spawn_how *how);

void chief__spawned_on_event(chief__bench *bench, const chief__watch *w, uint32_t events);

/* Does what a child needs beside events; the time (monotonic ms) at which it needs something again. True in `gone` from
 * then on: who waits for it has been told, and nothing is left to do but to drop it. */
int64_t chief__spawned_tend(chief__spawned *s, chief__bench *bench, int64_t now, bool *gone);

/* Makes the spawner's thread look at everything once more. Never blocks. */
void chief__spawner_wake(chief__spawner *sp);

#pragma GCC visibility pop
#endif
