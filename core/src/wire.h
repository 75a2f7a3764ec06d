/*
 * wire: frames over a blocking stream socket, at either end of it. One thread reads, one writes. Knows nothing of what the
 * frames are for.
 */
#ifndef CHIEF_WIRE_H
#define CHIEF_WIRE_H

#include "frame.h"

#pragma GCC visibility push(hidden)

typedef struct chief__wire {
    int fd;       /* borrowed */
    size_t limit; /* bytes that the fields of one frame may take */
    unsigned char *buf;
    size_t size;
    size_t start; /* of what was not given out yet */
    size_t end;   /* of what there is */
    int passed;   /* a descriptor that came along and nobody has taken; -1: none */
} chief__wire;

void chief__wire_init(chief__wire *w, int fd, size_t limit);
void chief__wire_fini(chief__wire *w);

/* Waits for the next frame; its fields stay until the next read. CHIEF_ECLOSED when the other end has gone, CHIEF_EDATA,
 * CHIEF_ENOMEM. */
int chief__wire_read(chief__wire *w, chief__frame *out);

/* The same without waiting: CHIEF_EAGAIN when none is whole yet. */
int chief__wire_try(chief__wire *w, chief__frame *out);

/* The descriptor that came along with what was read last, the caller's from now on; -1: none. */
int chief__wire_take_fd(chief__wire *w);

/* Sends all that `frames` holds and empties it. CHIEF_ECLOSED when the other end has gone, CHIEF_ENOMEM when a frame was
 * not whole. `fd` goes along unless it is -1. */
int chief__wire_write(int socket, chief__frames *frames, int fd);

#pragma GCC visibility pop
#endif
