/*
 * spawn: children of the chief. One long-lived thread per chief, the spawner, starts them (a child that asks to be told
 * of its parent's death is bound to the thread that made it), watches them by pidfd, reads what they print into the log
 * and moves the bytes of their side channel. It never touches SIGCHLD and reaps nobody but its own. Knows nothing of
 * workers, frames and messages.
 *
 * A child is a process group. It has
 *   0       /dev/null
 *   1, 2    pipes, whose lines go to the log
 *   3       the call channel: a stream socket that belongs to the caller, blocking on both ends
 *   4       the side channel: a stream socket that the spawner's thread reads and writes on this end
 * and nothing else: no other descriptor, no blocked or ignored signal. Its environment is the host's, what `env` adds,
 * and CHIEF_PARENT, the pid of the chief (leash.h).
 */
#ifndef CHIEF_SPAWN_H
#define CHIEF_SPAWN_H

#include <stdbool.h>

#include "plat.h"

#pragma GCC visibility push(hidden)

#define CHIEF__CALL_FD 3
#define CHIEF__SIDE_FD 4

/* How the leader of a child's group ended. */
typedef struct chief__spawn_end {
    int32_t code;   /* its exit code; 128 + signal when a signal killed it; -1: unknown, the host has reaped it */
    int32_t signal; /* 0: it exited */
    bool dumped;    /* it left a core */
} chief__spawn_end;

/* «exited with 3», «killed by signal 9 (Killed)», cut to `size`; returns `buf`. */
const char *chief__spawn_end_text(const chief__spawn_end *end, char *buf, size_t size);

typedef struct chief__spawner chief__spawner;

/* One child. Reference-counted: the caller of chief__spawn has one, the spawner another until the child is gone. */
typedef struct chief__spawned chief__spawned;

/* What is called on the spawner's thread, with no lock held. None of them may block, and none is called after
 * chief__spawned_forget has returned. */
typedef struct chief__spawn_hooks {
    void *data;
    /* The leader has ended; its group may live on. Once. */
    void (*on_end)(void *data, const chief__spawn_end *end);
    /* Bytes from the child's side channel, as they come (frames are for the caller to find); false: they make no sense,
     * and the group is killed. NULL: they are read and forgotten. */
    bool (*on_side)(void *data, const void *bytes, size_t len);
    /* The side channel took what had been pushed, after a push had been refused. NULL: nobody waits for that. */
    void (*on_room)(void *data);
    /* At each turn of the thread, as after chief__spawned_nudge. NULL: there is nothing to do then. */
    void (*on_turn)(void *data);
} chief__spawn_hooks;

/* Everything borrowed for the call. */
typedef struct chief__spawn_how {
    const char *const *argv; /* argv[0] is the path of the program */
    size_t n_argv;
    const char *const *env; /* "NAME=value", in place of the host's value of that name */
    size_t n_env;
    const char *worker; /* the name, for texts and the log */
    chief_log *log;     /* where its lines go */
    chief__spawn_hooks hooks;
} chief__spawn_how;

/* No thread yet: the first chief__spawn makes it. */
int chief__spawner_new(chief__spawner **out);
chief__spawner *chief__spawner_ref(chief__spawner *sp);
void chief__spawner_unref(chief__spawner *sp);

/* Refuses further children, kills the groups of those that are left, and waits until `deadline` (monotonic ms) for the
 * thread to end; one that can't be waited for (a child in an uninterruptible system call) ends by itself with it. */
void chief__spawner_close(chief__spawner *sp, int64_t deadline);

/*
 * Starts a child and returns when it runs its program. Waits for the spawner's thread, so it is nothing for the
 * supervisor's loop. CHIEF_ESYS with «worker resizer: can't start /usr/libexec/chief/chief-worker: No such file or
 * directory», CHIEF_ENOMEM, CHIEF_ECLOSED.
 */
int chief__spawn(chief__spawned **out, chief__spawner *sp, const chief__spawn_how *how);

chief__spawned *chief__spawned_ref(chief__spawned *s);
void chief__spawned_unref(chief__spawned *s);

/* Its process id, which stays its name after its end. */
int32_t chief__spawned_pid(const chief__spawned *s);

/* The chief's end of the call channel; closed with the last reference. */
int chief__spawned_call_fd(const chief__spawned *s);

/* Appends bytes to what goes down the side channel, all or nothing; false when there is no room for them now (they are
 * more than CHIEF__SIDE_ROOM with what waits already; a queue that is empty takes any size), no memory, or the child has
 * ended. Never blocks; callable from any thread. */
#define CHIEF__SIDE_ROOM 1048576
bool chief__spawned_push(chief__spawned *s, const void *bytes, size_t len);

/* Makes the thread take a turn soon. Never blocks; callable under any lock. */
void chief__spawned_nudge(const chief__spawned *s);

/* TERM and CONT, or KILL, to the whole group, as long as there is one. From any thread, and any number of times. */
void chief__spawned_terminate(chief__spawned *s);
void chief__spawned_kill(chief__spawned *s);

/* True when the leader has been reaped, its group is empty and what it printed is in the log; false when the deadline
 * (monotonic ms) passed first. When the leader ends, the rest of its group gets TERM and CONT by itself; KILL is the
 * caller's to send. `end` may be NULL. */
bool chief__spawned_wait(chief__spawned *s, int64_t deadline, chief__spawn_end *end);

/* No hook is called any more when this returns. Not from a hook. */
void chief__spawned_forget(chief__spawned *s);

#pragma GCC visibility pop
#endif
