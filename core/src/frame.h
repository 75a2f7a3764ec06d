/*
 * frame: what a chief and the child of a process worker say to each other, as bytes. Pure: knows nothing of sockets and of
 * what is done with a frame. It trusts nothing that it reads: a frame that it hands out is whole and has the fields of its
 * kind, each within its bytes.
 *
 *    version (1 byte) · kind (1) · length of the fields (6) · fields
 *
 * A field is an integer (8 bytes), bytes (a length of 8, then they), or a text (the same, its last byte is the NUL that
 * ends it and the only one). All numbers have their least byte first. The fields of a kind are a word: i, b, s; what comes
 * after a star stands any number of times, until the frame ends.
 */
#ifndef CHIEF_FRAME_H
#define CHIEF_FRAME_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

#define CHIEF__FRAME_VERSION 1
#define CHIEF__FRAME_HEAD 8

/* X(NAME, number, "word for people", fields) */
#define CHIEF__FRAME_MAP(X)                                                                                            \
    /* down the call channel, to the child */                                                                          \
    X(HELLO, 1, "hello", "iisbb")        /* generation, log level; name, args, spec */                                 \
    X(LIMITS, 2, "limits", "iiiiiiisss") /* umask, memory, cpu, files, file_size, processes, core; cwd, user, group */ \
    X(RUN, 3, "run", "")                 /* the word to an initialised worker */                                       \
    X(FINISH, 4, "finish", "")           /* the other word: end without a run */                                       \
    X(RESULT, 5, "result", "iiis")       /* code, two numbers; text of the error. Before it come: */                   \
    X(MESSAGE, 6, "message", "iiisb")    /* kind, deliveries, call; sender, payload */                                 \
    X(CHANNEL, 7, "channel", "iiiii")    /* its number, max_message, capacity, overflow, delivery */                   \
    X(COUNTS, 8, "counts", "iiiiiiiii")  /* chief_channel_stats */                                                     \
    X(SCHEDULE, 11, "schedule", "iiss")  /* later, every; cron, tz */                                                  \
    X(SNAPSHOT, 9, "snapshot", "is*iiiiiisssss") /* event; the application as JSON; chief_worker_status of each */     \
    /* down the side channel, and before an answer on the call channel */                                              \
    X(CANCEL, 16, "cancel", "is")  /* end of the grace (monotonic ms); reason */                                       \
    X(VALUE, 17, "value", "iiisb") /* order, type, the number or its bits; key, bytes */                               \
    X(LEVEL, 18, "level", "i")     /* of the log */                                                                    \
    X(SYNC, 19, "sync", "")        /* all that was so at the start has been said */                                    \
    /* up the call channel; those with a * of their own in the comment have an answer */                               \
    X(OPENED, 32, "opened", "")                                                                                        \
    X(INITIALIZED, 33, "initialized", "")                                                                              \
    X(INIT_FAILED, 34, "init_failed", "iiss") /* reason, exit code; text, traceback */                                 \
    X(EXITED, 35, "exited", "iiiss")          /* clean or not, reason, exit code; text, traceback */                   \
    X(READY, 36, "ready", "")                                                                                          \
    X(OPEN, 37, "open", "s")           /* *: name of a channel */                                                      \
    X(SEND, 38, "send", "ii*b")        /* *: channel, timeout; payloads */                                             \
    X(RESERVE, 40, "reserve", "iii")   /* *: channel, bytes, timeout */                                                \
    X(COMMIT, 41, "commit", "ib")      /* *: reservation; payload */                                                   \
    X(DROP, 42, "drop", "i")           /* reservation */                                                               \
    X(RECV, 43, "recv", "iii")         /* *: channel, at most, timeout */                                              \
    X(SELECT, 44, "select", "i*i")     /* *: timeout; channels */                                                      \
    X(ACK, 45, "ack", "i")             /* channel, -1: of all */                                                       \
    X(CLOSE, 46, "close", "i")         /* *: channel */                                                                \
    X(COUNT, 47, "count", "i")         /* *: channel */                                                                \
    X(WATCH, 48, "watch", "i")         /* *: channel */                                                                \
    X(POST, 49, "post", "is*b")        /* *: timeout; worker, payloads */                                              \
    X(BROADCAST, 50, "broadcast", "b") /* *: payload */                                                                \
    X(CALL, 51, "call", "isb")         /* *: timeout; worker, payload */                                               \
    X(ANSWER, 52, "answer", "iib")     /* *: call, whether it is a failure; payload */                                 \
    X(STATES, 53, "states", "")        /* * */                                                                         \
    /* up the side channel */                                                                                          \
    X(EXPIRED, 54, "expired", "iss") /* reason; why, where it was */                                                   \
    X(LOG, 64, "log", "iis*siib")    /* level, wall clock ms; message; key, type, number, bytes of each field */

typedef enum chief__frame_kind {
#define CHIEF__X(name, number, word, fields) FRAME_##name = (number),
    CHIEF__FRAME_MAP(CHIEF__X)
#undef CHIEF__X
} chief__frame_kind;

#define CHIEF__ALL_CHANNELS (-1) /* of ACK */
#define CHIEF__FRAME_INTS 10
#define CHIEF__FRAME_TEXTS 5

/* The fields of a frame, or of one repetition: the integers in their order, and bytes and texts in theirs. */
typedef struct chief__fields {
    int64_t ints[CHIEF__FRAME_INTS];
    chief_bytes bytes[CHIEF__FRAME_TEXTS]; /* in the frame's own memory; a text is `data`, without its NUL in `len` */
} chief__fields;

typedef struct chief__frame {
    chief__frame_kind kind;
    chief__fields fields; /* before the star */
    chief_bytes rest;     /* the repetitions; see chief__frame_next */
} chief__frame;

/*
 * Reads the frame at the beginning of `bytes`. CHIEF_EAGAIN when it is not whole: `*used` is then how many bytes it takes
 * to know more. CHIEF_EDATA, with what is wrong, for what can't become one, or one whose fields take more than `limit`
 * bytes, as soon as that can be seen. Else `*used` is its length.
 */
int chief__frame_read(const uint8_t *bytes, size_t len, size_t limit, chief__frame *out, size_t *used);

/* The next repetition; false when there is none. */
bool chief__frame_next(chief__frame *frame, chief__fields *out);

/* How many there are from here on. */
size_t chief__frame_count(const chief__frame *frame);

/* A text field, which ends in NUL. */
static inline const char *chief__field_text(const chief__fields *fields, size_t i) { return fields->bytes[i].data; }

/* The word of a kind, "?" for a number that is none. */
const char *chief__frame_word(chief__frame_kind kind);

/* ---- writing ---- */

/* Grows as needed; frames come one behind the other. Zeroed is empty. Out of memory makes it fail for good, which
 * chief__frame_end tells. */
typedef struct chief__frames {
    unsigned char *buf;
    size_t len;
    size_t capacity;
    size_t start;       /* of the frame that is being written */
    const char *fields; /* that are to come */
    bool failed;
} chief__frames;

void chief__frame_begin(chief__frames *w, chief__frame_kind kind);
void chief__frame_int(chief__frames *w, int64_t n);
void chief__frame_bytes(chief__frames *w, const void *data, size_t len);
void chief__frame_text(chief__frames *w, const char *text); /* NULL: "" */

/* CHIEF_OK, or CHIEF_ENOMEM: the frame is not there. */
int chief__frame_end(chief__frames *w);

/* Forgets what is in it, and memory beyond what is usual. */
void chief__frames_reset(chief__frames *w);
void chief__frames_free(chief__frames *w);

#pragma GCC visibility pop
#endif
