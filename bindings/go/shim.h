/* What cgo cannot say itself: callbacks as C functions, and the signals that Go leaves to libchief-lua. */
#ifndef CHIEF_GO_SHIM_H
#define CHIEF_GO_SHIM_H

#include <chief.h>
#include <chief_lua.h>

/* C holds Go's objects by number, see registry.go, in the `void *` that goes with a callback. Go's runtime ends a program
   that has such a number in a pointer of its own when it moves a stack, so only C puts it there and takes it out. */

/* Adds the worker of that number; it is forgotten when the chief has no use for it. */
int chief_go_add_worker(chief *c, const char *name, uintptr_t number, chief_worker_options *options);
int chief_go_pool_set_worker(chief_pool *pool, const char *name, uintptr_t number);

/* The number of a worker; 0 for one that is not in Go. */
int chief_go_pool_get_worker(chief_pool *pool, const char *name, uintptr_t *number);

/* Adds a chief whose lives are made by the function of that number. */
int chief_go_add_chief(chief *c, const char *name, uintptr_t number, chief_worker_options *options);

/* Calls the function of that number after the last worker. */
int chief_go_on_shutdown(chief *c, uintptr_t number);

/* Gives the records to the function of that number. */
void chief_go_set_sink(chief_log_options *options, uintptr_t number);

/* A value that is a number; it is forgotten with the value. */
void chief_go_set_number(chief_value *value, uintptr_t number);
uintptr_t chief_go_number(const chief_value *value);

/* Asks the function of that number what is to follow. */
void chief_go_set_policy(chief_policy *policy, uintptr_t number);
uintptr_t chief_go_policy(const chief_policy *policy);

/* A message as Go takes it over, in one call. */
typedef struct chief_go_received {
    chief_msg *msg;
    const void *data;
    size_t len;
    const char *sender;
    const char *channel;
    int32_t kind; /* the first letter of its name */
    uint32_t deliveries;
} chief_go_received;

/* Waits for a message of `channels` (NULL among them: the mailbox of `as`). */
int chief_go_receive(chief_worker *as, chief_channel *const *channels, size_t n, int64_t timeout_ms, size_t *index,
                     chief_go_received *out);

/* A token without a pointer: what is text or bytes is found by its offset. */
typedef struct chief_go_token {
    int32_t kind;
    int64_t integer;
    double number;
    uint64_t offset;
    uint64_t len;
} chief_go_token;

/* chief_pack_read and chief_pack_write with such tokens; the offsets are into `data` and `texts`. */
int chief_go_unpack(const void *data, size_t len, chief_go_token *out, size_t max, size_t *n);
int chief_go_pack(const chief_go_token *tokens, size_t n, const char *texts, void *buf, size_t size, size_t *len);

/* Several messages in one call: where each ends in `buf` or `data` is in `ends`. */
int chief_go_pack_many(const chief_go_token *tokens, const size_t *counts, size_t n, const char *texts, void *buf,
                       size_t size, size_t *ends);
int chief_go_send_many(chief_channel *ch, chief_worker *as, const char *to, const char *data, const size_t *ends,
                       size_t n, int64_t timeout_ms, size_t *sent);
int chief_go_receive_many(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_go_received *out, size_t max,
                          size_t *n);
void chief_go_free_many(const chief_go_received *messages, size_t n);

/* Waits for room in `room`, or for the answer to `call`, or for chief_wait_wake; then it is time to try again. */
int chief_go_wait(chief_worker *ctx, chief_channel *room, chief_pending *call);

/* Go takes every signal for itself when it starts; two are given back, for libchief-lua to interrupt Lua with. */
void chief_go_leave_signals(void);

#endif /* CHIEF_GO_SHIM_H */
