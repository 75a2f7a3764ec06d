/*
 * transport: what takes messages to where a channel really is, when that is not this process. Channels, parties and
 * questions that belong to another process name the way there, and the public calls go it instead of touching a queue.
 * One way is used by one worker. Timeouts are those of the public calls.
 */
#ifndef CHIEF_TRANSPORT_H
#define CHIEF_TRANSPORT_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* The beginning of whatever an implementation has. */
typedef struct chief__far {
    const struct chief__far_ops *ops;
} chief__far;

/* Each as the public call of that name says it; a channel of NULL is the worker's own mailbox. */
typedef struct chief__far_ops {
    int (*open)(chief__far *far, const char *name, chief_channel **out);
    int (*send)(chief__far *far, chief_channel *ch, const chief_bytes *items, size_t n, int64_t timeout_ms,
                size_t *sent);
    int (*reserve)(chief__far *far, chief_channel *ch, size_t len, int64_t timeout_ms, int64_t *number);
    int (*commit)(chief__far *far, int64_t number, const void *data, size_t len);
    void (*drop)(chief__far *far, int64_t number);
    int (*recv)(chief__far *far, chief_channel *ch, int64_t timeout_ms, chief_msg **out, size_t max, size_t *n);
    int (*select)(chief__far *far, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                  chief_msg **out);
    void (*ack)(chief__far *far, chief_channel *ch);
    void (*ack_all)(chief__far *far);
    void (*close)(chief__far *far, chief_channel *ch);
    int (*count)(chief__far *far, chief_channel *ch, chief_channel_stats *out);
    int (*watch)(chief__far *far, chief_channel *ch); /* a descriptor, the channel's; an error */
    int (*post)(chief__far *far, const char *to, const chief_bytes *items, size_t n, int64_t timeout_ms, size_t *sent);
    int (*broadcast)(chief__far *far, const void *data, size_t len, size_t *reached);
    int (*call)(chief__far *far, const char *to, const void *data, size_t len, int64_t timeout_ms, chief_msg **reply);
    int (*answer)(chief__far *far, int64_t call, bool failed, const void *data, size_t len);
    int (*states)(chief__far *far, chief_snapshot **out);
    void (*ready)(chief__far *far);
    void (*expire)(chief__far *far, int32_t reason, const char *why, const char *place);
} chief__far_ops;

#pragma GCC visibility pop
#endif
