#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "alloc.h"
#include "err.h"
#include "plat.h"

#define ROOM_LEAST ((size_t)16 * 1024)
#define ROOM_KEPT ((size_t)256 * 1024) /* more than this goes back once it is empty */

void chief__wire_init(chief__wire *w, int fd, size_t limit) {
    memset(w, 0, sizeof *w);
    w->fd = fd;
    w->limit = limit;
    w->passed = -1;
}

void chief__wire_fini(chief__wire *w) {
    chief__free(w->buf);
    chief__fd_close(w->passed);
    w->buf = NULL;
    w->passed = -1;
}

int chief__wire_take_fd(chief__wire *w) {
    int fd = w->passed;
    w->passed = -1;
    return fd;
}

/* ---- reading ---- */

static int closed(void) { return chief__fail(CHIEF_ECLOSED, "the other end has gone"); }

/* Room for a frame of `wanted` bytes that begins at `start`. */
static int make_room(chief__wire *w, size_t wanted) {
    if (w->buf != NULL && w->start > 0 && w->end > w->start) memmove(w->buf, w->buf + w->start, w->end - w->start);
    w->end -= w->start;
    w->start = 0;
    if (w->end == 0 && w->size > ROOM_KEPT && wanted <= ROOM_LEAST) {
        chief__free(w->buf);
        w->buf = NULL;
        w->size = 0;
    }
    if (wanted <= w->size && w->size > 0) return CHIEF_OK;
    size_t size = wanted > ROOM_LEAST ? wanted : ROOM_LEAST;
    unsigned char *grown = chief__realloc(w->buf, size);
    if (grown == NULL) return chief__fail_code(CHIEF_ENOMEM);
    w->buf = grown;
    w->size = size;
    return CHIEF_OK;
}

/* The last one stays. There is room for more than one, as what a control message takes is rounded up. */
static void keep_fds(chief__wire *w, struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
            chief__fd_close(w->passed);
            memcpy(&w->passed, CMSG_DATA(c) + at, sizeof(int));
        }
    }
}

/* Takes more bytes. CHIEF_EAGAIN when there are none and it may not wait (any longer). */
static int fill(chief__wire *w, int flags) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {w->buf + w->end, w->size - w->end};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do n = recvmsg(w->fd, &message, MSG_CMSG_CLOEXEC | flags);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return CHIEF_EAGAIN;
    if (n <= 0) return closed();
    keep_fds(w, &message);
    w->end += (size_t)n;
    return CHIEF_OK;
}

static int next_frame(chief__wire *w, chief__frame *out, int flags) {
    if (w->buf == NULL && make_room(w, 0) != CHIEF_OK) return CHIEF_ENOMEM;
    for (;;) {
        size_t used;
        int rc = chief__frame_read(w->buf + w->start, w->end - w->start, w->limit, out, &used);
        if (rc == CHIEF_OK) w->start += used;
        if (rc != CHIEF_EAGAIN) return rc;
        rc = make_room(w, used);
        if (rc == CHIEF_OK) rc = fill(w, flags);
        if (rc != CHIEF_OK) return rc;
    }
}

int chief__wire_read(chief__wire *w, chief__frame *out) { return next_frame(w, out, 0); }

int chief__wire_try(chief__wire *w, chief__frame *out) { return next_frame(w, out, MSG_DONTWAIT); }

/* ---- writing ---- */

static void add_fd(struct msghdr *message, void *room, size_t size, int fd) {
    message->msg_control = room;
    message->msg_controllen = size;
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

static int write_all(int socket, unsigned char *bytes, size_t len, int fd) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    while (len > 0) {
        struct iovec part = {bytes, len};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (fd >= 0) add_fd(&message, &control, sizeof control, fd);
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return closed();
        fd = -1;
        bytes += n;
        len -= (size_t)n;
    }
    return CHIEF_OK;
}

int chief__wire_write(int socket, chief__frames *frames, int fd) {
    int rc = frames->failed ? chief__fail_code(CHIEF_ENOMEM) : write_all(socket, frames->buf, frames->len, fd);
    chief__frames_reset(frames);
    return rc;
}
