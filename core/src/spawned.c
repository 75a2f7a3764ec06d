#include "spawned.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "group.h"
#include "launch.h"

#define N_STREAMS 2
#define LINES_PER_TURN 32 /* of one stream, so that a flood leaves the others their turn */
#define LAST_BYTES \
    131072 /* of a stream, read after its group's end; a process that left the group may go on for ever */
#define LAST_SIDE_CHUNKS 64 /* read after the leader's end, likewise */
#define LEADER_DELAY 10     /* ms until a leader without a pidfd is asked after again */
#define LOOK_DELAY_FIRST 1  /* ms until a group without its leader is looked at again; doubled each time */
#define LOOK_DELAY_MAX 50

typedef enum stage {
    LIVE,     /* the leader lives */
    ORPHANED, /* it has been reaped, its group may have other members */
    EMPTY,    /* nobody is left, what they printed is read to its end */
} stage;

/* Spawner's thread only. */
typedef struct chief__stream {
    chief__watch watch;
    int fd; /* -1 after its end */
    int32_t level;
    bool more; /* the buffer may hold further lines */
    size_t last_bytes;
    chief_log *log;
    chief__lines lines;
} stream;

struct chief__spawned {
    atomic_uint refs;        /* dropped with release, the last one acquires */
    chief__spawner *spawner; /* this and the next three: const after chief__spawn */
    int32_t pid;
    int call_fd;
    chief__spawn_hooks hooks;
    /* spawner's thread */
    chief__sibling sibling;
    chief__watch leader_watch;
    chief__watch side_watch;
    stream streams[N_STREAMS];
    stage stage;
    bool side_armed; /* told when the side channel can be written */
    int64_t look_at; /* at the group without its leader, again */
    int64_t look_delay;
    int64_t walk_at; /* over all processes, not before this */

    chief__mutex lock;
    chief__cond changed;
    /* under lock; the descriptors are changed by the spawner's thread only */
    int pidfd;
    int side_fd;  /* -1 when closed */
    bool ended;   /* the leader */
    bool gone;    /* all of it */
    bool calling; /* a hook */
    bool forgotten;
    bool refused; /* a push, and on_room is owed */
    chief__spawn_end end;
    char *queue; /* of the side channel, from `queue_start` */
    size_t queue_start, queue_len, queue_size;
};

int chief__bench_watch(const chief__bench *bench, int op, int fd, uint32_t events, chief__watch *w) {
    struct epoll_event event = {.events = events, .data = {.ptr = w}};
    return epoll_ctl(bench->epoll, op, fd, &event);
}

/* ---- a child as an object ---- */

chief__sibling *chief__spawned_sibling(chief__spawned *s) { return &s->sibling; }

chief__spawned *chief__spawned_ref(chief__spawned *s) {
    (void)atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void chief__spawned_unref(chief__spawned *s) {
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    for (int i = 0; i < N_STREAMS; i++) {
        chief__fd_close(s->streams[i].fd);
        chief_log_unref(s->streams[i].log);
    }
    chief__fd_close(s->call_fd);
    chief__fd_close(s->side_fd);
    chief__fd_close(s->pidfd);
    chief__free(s->queue);
    chief__cond_fini(&s->changed);
    chief__mutex_fini(&s->lock);
    chief__spawner_unref(s->spawner);
    chief__free(s);
}

static chief__spawned *new_child(chief__spawner *sp, const chief__spawn_how *how) {
    chief__spawned *s = chief__calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    atomic_init(&s->refs, 1);
    chief__mutex_init(&s->lock);
    chief__cond_init(&s->changed);
    s->spawner = chief__spawner_ref(sp);
    s->hooks = how->hooks;
    s->call_fd = s->side_fd = s->pidfd = -1;
    s->leader_watch = (chief__watch){WATCH_LEADER, s, NULL};
    s->side_watch = (chief__watch){WATCH_SIDE, s, NULL};
    for (int i = 0; i < N_STREAMS; i++) {
        stream *st = &s->streams[i];
        st->watch = (chief__watch){WATCH_STREAM, s, st};
        st->fd = -1;
        st->level = i == 0 ? CHIEF_INFO : CHIEF_WARN;
        st->last_bytes = LAST_BYTES;
    }
    return s;
}

int32_t chief__spawned_pid(const chief__spawned *s) { return s->pid; }

int chief__spawned_call_fd(const chief__spawned *s) { return s->call_fd; }

/* ---- hooks ---- */

/* Whether a hook may be called now; end_call is owed then. */
static bool begin_call(chief__spawned *s) {
    chief__lock(&s->lock);
    bool may = !s->forgotten;
    s->calling = may;
    chief__unlock(&s->lock);
    return may;
}

static void end_call(chief__spawned *s) {
    chief__lock(&s->lock);
    s->calling = false;
    chief__cond_wake_all(&s->changed);
    chief__unlock(&s->lock);
}

void chief__spawned_forget(chief__spawned *s) {
    chief__lock(&s->lock);
    s->forgotten = true;
    while (s->calling) (void)chief__cond_wait(&s->changed, &s->lock, INT64_MAX);
    chief__unlock(&s->lock);
}

static bool call_side(chief__spawned *s, const char *bytes, size_t len) {
    if (s->hooks.on_side == NULL || !begin_call(s)) return true;
    bool sense = s->hooks.on_side(s->hooks.data, bytes, len);
    end_call(s);
    return sense;
}

static void call_room(chief__spawned *s) {
    if (s->hooks.on_room == NULL || !begin_call(s)) return;
    s->hooks.on_room(s->hooks.data);
    end_call(s);
}

static void call_turn(chief__spawned *s) {
    if (s->hooks.on_turn == NULL || !begin_call(s)) return;
    s->hooks.on_turn(s->hooks.data);
    end_call(s);
}

static void call_end(chief__spawned *s) {
    if (s->hooks.on_end == NULL || !begin_call(s)) return;
    s->hooks.on_end(s->hooks.data, &s->end);
    end_call(s);
}

/* ---- what the child prints ---- */

static void write_line(chief__bench *bench, const stream *st, const chief__line *line) {
    if (line->len == 0 && line->part > 1) return; /* its line was just as long as its pieces */
    chief_field part = {.key = "part", .value = {.type = CHIEF_INTEGER, .integer = (int64_t)line->part}};
    chief__line_text(line, bench->text);
    chief_log_write(st->log, st->level, bench->text, &part, line->part > 0 ? 1 : 0);
}

/* Up to a turn's share of the lines that the buffer holds. */
static void write_lines(chief__bench *bench, stream *st) {
    chief__line line;
    st->more = true;
    for (int i = 0; st->more && i < LINES_PER_TURN; i++) {
        st->more = chief__lines_next(&st->lines, st->fd < 0, &line);
        if (st->more) write_line(bench, st, &line);
    }
}

static void end_stream(stream *st) {
    chief__fd_close(st->fd); /* and so it leaves the epoll set: there is no copy of it */
    st->fd = -1;
    st->more = true;
}

/* How much came. */
static size_t read_stream(stream *st) {
    size_t room;
    char *at = chief__lines_room(&st->lines, &room);
    if (st->fd < 0 || room == 0) return 0;
    ssize_t n = read(st->fd, at, room);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) end_stream(st);
    if (n <= 0) return 0;
    chief__lines_added(&st->lines, (size_t)n);
    return (size_t)n;
}

static void on_stream(chief__bench *bench, stream *st) {
    (void)read_stream(st);
    write_lines(bench, st);
}

/* One turn with a stream into which nobody of the group writes any more; true when it is done. */
static bool finish_stream(chief__bench *bench, stream *st) {
    if (st->fd >= 0 && !st->more) {
        size_t n = read_stream(st);
        st->last_bytes -= n < st->last_bytes ? n : st->last_bytes;
        if (st->fd >= 0 && (n == 0 || st->last_bytes == 0)) end_stream(st);
    }
    write_lines(bench, st);
    return st->fd < 0 && !st->more;
}

/* ---- the side channel ---- */

/* With the lock held: sends what the socket takes. What the other end refuses to hear is dropped: to wait until it can be
 * written would be to wait without a pause, since that is what the socket says of itself then. */
static void flush(chief__spawned *s) {
    while (s->side_fd >= 0 && s->queue_len > 0) {
        ssize_t n = send(s->side_fd, s->queue + s->queue_start, s->queue_len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) s->queue_len = 0;
        if (n < 0) break;
        s->queue_start += (size_t)n;
        s->queue_len -= (size_t)n;
    }
    s->queue_start = 0;
}

/* With the lock held. */
static bool append(chief__spawned *s, const void *bytes, size_t len) {
    if (s->queue_start > 0) memmove(s->queue, s->queue + s->queue_start, s->queue_len);
    s->queue_start = 0;
    if (s->queue_len + len > s->queue_size) {
        char *grown = chief__realloc(s->queue, s->queue_len + len);
        if (grown == NULL) return false;
        s->queue = grown;
        s->queue_size = s->queue_len + len;
    }
    memcpy(s->queue + s->queue_len, bytes, len);
    s->queue_len += len;
    return true;
}

void chief__spawned_nudge(const chief__spawned *s) { chief__spawner_wake(s->spawner); }

bool chief__spawned_push(chief__spawned *s, const void *bytes, size_t len) {
    chief__lock(&s->lock);
    bool open = s->side_fd >= 0 && !s->ended;
    bool room = s->queue_len == 0 || s->queue_len + len <= CHIEF__SIDE_ROOM;
    bool idle = s->queue_len == 0;
    bool taken = open && room && append(s, bytes, len);
    s->refused = s->refused || (open && !taken);
    if (taken && idle) flush(s);
    bool waits = taken && idle && s->queue_len > 0;
    chief__unlock(&s->lock);
    if (waits) chief__spawner_wake(s->spawner);
    return taken;
}

/* Sends what waits, and asks to be told when that can go on. */
static void tend_side(chief__bench *bench, chief__spawned *s) {
    chief__lock(&s->lock);
    flush(s);
    bool waits = s->side_fd >= 0 && s->queue_len > 0;
    bool room = !waits && s->refused;
    if (room) s->refused = false;
    int fd = s->side_fd;
    chief__unlock(&s->lock);
    if (fd >= 0 && waits != s->side_armed) {
        uint32_t events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
        if (chief__bench_watch(bench, EPOLL_CTL_MOD, fd, events, &s->side_watch) == 0) s->side_armed = waits;
    }
    if (room) call_room(s);
}

static void close_side(chief__spawned *s) {
    chief__lock(&s->lock);
    chief__fd_close(s->side_fd);
    s->side_fd = -1;
    chief__unlock(&s->lock);
}

/* True when something came and more may. */
static bool read_side(chief__bench *bench, chief__spawned *s) {
    if (s->side_fd < 0) return false;
    ssize_t n = recv(s->side_fd, bench->chunk, sizeof bench->chunk, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n > 0 && call_side(s, bench->chunk, (size_t)n)) return true;
    close_side(s);
    if (n > 0) chief__spawned_kill(s);
    return false;
}

/* ---- the end of a child ---- */

static void send_to_group(chief__spawned *s, int first, int second) {
    chief__lock(&s->lock);
    bool alive = !s->gone;
    if (alive) chief__group_signal(s->pid, s->pidfd, first);
    if (alive && second != 0) chief__group_signal(s->pid, s->pidfd, second);
    chief__unlock(&s->lock);
}

void chief__spawned_terminate(chief__spawned *s) { send_to_group(s, SIGTERM, SIGCONT); }

void chief__spawned_kill(chief__spawned *s) { send_to_group(s, SIGKILL, 0); }

/* The rest of the group is asked to end while the leader still keeps its number from being anybody else's. */
static void on_leader(chief__bench *bench, chief__spawned *s) {
    chief__spawn_end end;
    if (s->stage != LIVE || !chief__group_leader_ended(s->pid, s->pidfd, &end)) return;
    for (int i = 0; i < LAST_SIDE_CHUNKS && read_side(bench, s); i++) continue;
    close_side(s);
    if (s->pidfd >= 0) (void)epoll_ctl(bench->epoll, EPOLL_CTL_DEL, s->pidfd, NULL);
    chief__lock(&s->lock);
    chief__group_signal(s->pid, s->pidfd, SIGTERM);
    chief__group_signal(s->pid, s->pidfd, SIGCONT);
    chief__group_reap_leader(s->pid, s->pidfd);
    s->end = end;
    s->ended = true;
    s->stage = chief__group_lives(s->pid, s->pidfd, false) ? ORPHANED : EMPTY;
    chief__unlock(&s->lock);
    s->look_delay = LOOK_DELAY_FIRST;
    s->look_at = chief__now_ms() + s->look_delay;
    (void)shutdown(s->call_fd, SHUT_RDWR); /* some other process may hold a copy of its other end */
    call_end(s);
}

/* Whether all that is left of the group is dead and only not reaped. That costs a walk over all processes, so it is done
 * at most a twentieth of the time. */
static bool is_only_dead(chief__spawned *s, int64_t now) {
    if (s->look_delay < LOOK_DELAY_MAX || now < s->walk_at) return false;
    bool lives = chief__group_lives(s->pid, s->pidfd, true);
    s->walk_at = now + 20 * (chief__now_ms() - now);
    return !lives;
}

static void look_at_group(chief__spawned *s, int64_t now) {
    chief__lock(&s->lock);
    bool lives = chief__group_lives(s->pid, s->pidfd, false);
    if (!lives) s->stage = EMPTY;
    chief__unlock(&s->lock);
    if (lives && is_only_dead(s, now)) s->stage = EMPTY;
    s->look_delay = 2 * s->look_delay < LOOK_DELAY_MAX ? 2 * s->look_delay : LOOK_DELAY_MAX;
    s->look_at = now + s->look_delay;
}

static void tell_gone(chief__spawned *s) {
    chief__lock(&s->lock);
    s->gone = true;
    chief__cond_wake_all(&s->changed);
    chief__unlock(&s->lock);
}

bool chief__spawned_wait(chief__spawned *s, int64_t deadline, chief__spawn_end *end) {
    chief__lock(&s->lock);
    while (!s->gone && chief__cond_wait(&s->changed, &s->lock, deadline)) continue;
    bool gone = s->gone;
    if (gone && end != NULL) *end = s->end;
    chief__unlock(&s->lock);
    return gone;
}

/* ---- starting one ---- */

static int make_logs(chief__spawned *s, const chief__spawn_how *how) {
    static const char *const names[N_STREAMS] = {"stdout", "stderr"};
    for (int i = 0; i < N_STREAMS; i++) {
        chief_field fields[] = {{.key = "worker", .value = {.type = CHIEF_BYTES}},
                                {.key = "stream", .value = {.type = CHIEF_BYTES}},
                                {.key = "pid", .value = {.type = CHIEF_INTEGER, .integer = s->pid}}};
        fields[0].value.bytes = (chief_bytes){how->worker, strlen(how->worker)};
        fields[1].value.bytes = (chief_bytes){names[i], strlen(names[i])};
        int rc = chief_log_with_fields(&s->streams[i].log, how->log, fields, sizeof fields / sizeof *fields);
        if (rc != CHIEF_OK) return rc;
    }
    return CHIEF_OK;
}

static int watch_child(const chief__bench *bench, chief__spawned *s) {
    int rc = s->pidfd < 0 ? 0 : chief__bench_watch(bench, EPOLL_CTL_ADD, s->pidfd, EPOLLIN, &s->leader_watch);
    if (rc == 0) rc = chief__bench_watch(bench, EPOLL_CTL_ADD, s->side_fd, EPOLLIN, &s->side_watch);
    for (int i = 0; rc == 0 && i < N_STREAMS; i++)
        rc = chief__bench_watch(bench, EPOLL_CTL_ADD, s->streams[i].fd, EPOLLIN, &s->streams[i].watch);
    if (rc == 0) return CHIEF_OK;
    return chief__fail(errno == ENOMEM ? CHIEF_ENOMEM : CHIEF_ESYS, "a child can't be watched: %s", strerror(errno));
}

int chief__spawned_start(chief__spawned **out, chief__spawner *sp, const chief__bench *bench,
                         const chief__spawn_how *how) {
    *out = NULL;
    chief__launched made;
    chief__spawned *s = new_child(sp, how);
    if (s == NULL) return chief__fail_code(CHIEF_ENOMEM);
    int rc = chief__launch(&made, how);
    if (rc == CHIEF_OK) {
        s->pid = made.pid;
        s->pidfd = made.pidfd;
        s->call_fd = made.call_fd;
        s->side_fd = made.side_fd;
        for (int i = 0; i < N_STREAMS; i++) s->streams[i].fd = made.out_fds[i];
        rc = make_logs(s, how);
        if (rc == CHIEF_OK) rc = watch_child(bench, s);
        if (rc != CHIEF_OK) chief__group_discard(made.pid);
    }
    if (rc == CHIEF_OK) *out = s;
    else chief__spawned_unref(s);
    return rc;
}

/* ---- its turns ---- */

void chief__spawned_on_event(chief__bench *bench, const chief__watch *w, uint32_t events) {
    if (w->kind == WATCH_LEADER) on_leader(bench, w->child);
    else if (w->kind == WATCH_STREAM && w->stream->fd >= 0) on_stream(bench, w->stream);
    else if (w->kind == WATCH_SIDE && (events & ~(uint32_t)EPOLLOUT) != 0) (void)read_side(bench, w->child);
}

/* True when a stream has lines for a further turn. */
static bool go_on_writing(chief__spawned *s, chief__bench *bench) {
    bool more = false;
    for (int i = 0; i < N_STREAMS; i++) {
        if (s->streams[i].more) write_lines(bench, &s->streams[i]);
        more = more || s->streams[i].more;
    }
    return more;
}

static bool finish_streams(chief__spawned *s, chief__bench *bench) {
    bool done = true;
    for (int i = 0; i < N_STREAMS; i++) done = finish_stream(bench, &s->streams[i]) && done;
    return done;
}

int64_t chief__spawned_tend(chief__spawned *s, chief__bench *bench, int64_t now, bool *gone) {
    *gone = false;
    if (s->stage == LIVE && s->pidfd < 0) on_leader(bench, s);
    if (s->stage == LIVE) call_turn(s);
    if (s->stage == LIVE) tend_side(bench, s);
    if (s->stage == ORPHANED && now >= s->look_at) look_at_group(s, now);
    if (s->stage == EMPTY) {
        *gone = finish_streams(s, bench);
        if (*gone) tell_gone(s);
        return *gone ? INT64_MAX : now;
    }
    if (go_on_writing(s, bench)) return now;
    if (s->stage == ORPHANED) return s->look_at;
    return s->pidfd < 0 ? now + LEADER_DELAY : INT64_MAX;
}
