/*
 * chief.h: the whole public interface of libchief.
 *
 * A chief runs a named set of workers, keeps them running and stops them without losing work. The
 * order of this file is the order in which a reader needs it:
 *
 *    1. conventions, errors, memory         6. messages, channels, values as messages
 *    2. values and contexts                 7. workers and what they can call
 *    3. logs                                8. pools and snapshots
 *    4. worker states                       9. events, schedules
 *    5. the worker-exists rule             10. the chief itself, chiefs inside chiefs, workers
 *                                              on the host's threads and in processes, plug-ins
 *                                          11. simulation
 *
 * Conventions, said once:
 *
 *  - `int` results are CHIEF_OK (0) or a CHIEF_E* code; text for people is in chief_last_error().
 *    Verbs of a pool answer a `chief_state_t`: the new state (> 0),
 *    CHIEF_WORKER_WRONG_STATE_CHANGE (-1) or a CHIEF_E* code (all of them at -1001 and below).
 *  - What makes an object (chief_…_new and its like) has `**out` first; elsewhere it comes after what it is got from.
 *    `**out` (or `*out`) is NULL or 0 on failure, and is the caller's on success. A returned pointer is borrowed.
 *  - Strings are UTF-8 and end in NUL where no length is given; names are 1 to 64 bytes of
 *    [A-Za-z0-9_.-], the first not '.' and not '-'. Only `count` adds "/N" to a worker's name: `resizer` with a
 *    count of 2 is the two workers resizer/1 and resizer/2, its replicas, and `resizer` means all of them.
 *  - Times are int64_t milliseconds on the monotonic clock. A timeout that is negative waits for ever,
 *    0 does not wait (CHIEF_EAGAIN instead of CHIEF_ETIMEDOUT).
 *  - An options structure begins with `uint32_t size` = sizeof of what the caller was compiled
 *    against; zero in any field means its default; CHIEF_ZERO says zero where zero is meaningful.
 *    A structure larger than the library's is accepted when the bytes beyond are zero.
 *  - `@thread any`: callable from every thread at once. `@thread owner`: one thread at a time.
 *    `@thread worker`: only inside the callbacks of that worker.
 *    `@blocks never | timeout | forever` says how long a call can take.
 *  - Passing NULL or an object of the wrong kind is CHIEF_EINVAL; destructors take NULL.
 */
#ifndef CHIEF_H
#define CHIEF_H

#include <stddef.h>
#include <stdint.h>

#if defined(CHIEF_IN_ROCK)
#define CHIEF_API __attribute__((visibility("hidden")))
#elif defined(__GNUC__)
#define CHIEF_API __attribute__((visibility("default")))
#else
#define CHIEF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Conventions, errors, memory -------------------------------------------------------- */

#define CHIEF_VERSION "0.1.0"
#define CHIEF_ABI 0

/* In a duration or count of an options structure: zero itself, where plain 0 means the default. */
#define CHIEF_ZERO INT64_MIN

/* In a timeout: wait until it happens. */
#define CHIEF_FOREVER (-1)

/* X(NAME, number, "code in Lua", "text"). The numbers are permanent. */
#define CHIEF_ERROR_MAP(X)                                                  \
    X(EINVAL, -1001, "invalid", "invalid argument")                         \
    X(ENOMEM, -1002, "no_memory", "out of memory")                          \
    X(ENOENT, -1003, "not_found", "no such name")                           \
    X(EEXIST, -1004, "exists", "name already taken")                        \
    X(EBUSY, -1005, "busy", "in use")                                       \
    X(ESTATE, -1006, "invalid_state", "not a worker state")                 \
    X(ENOTINIT, -1007, "not_initialized", "worker not initialized")         \
    X(ETIMEDOUT, -1008, "timeout", "timed out")                             \
    X(ECANCELED, -1009, "cancelled", "cancelled")                           \
    X(ECLOSED, -1010, "closed", "closed")                                   \
    X(EAGAIN, -1011, "would_block", "nothing to do without waiting")        \
    X(EFULL, -1012, "full", "channel is full")                              \
    X(ETOOBIG, -1013, "too_big", "message too big")                         \
    X(ENOREPLY, -1014, "no_reply", "no reply")                              \
    X(ECALL, -1015, "call_failed", "the callee answered with a failure")    \
    X(EFAILED, -1016, "failed", "worker failed")                            \
    X(ECYCLE, -1017, "cycle", "dependency cycle")                           \
    X(EDEADLK, -1018, "deadlock", "the call would wait for its own thread") \
    X(EFORK, -1019, "forked", "not usable in a forked child")               \
    X(ESYS, -1020, "system", "system call failed")                          \
    X(ENOTSUP, -1021, "not_supported", "not in this version yet")           \
    X(EDATA, -1022, "bad_data", "malformed data")                           \
    X(EENABLE, -1023, "not_enabled", "worker not enabled")

enum chief_error {
    CHIEF_OK = 0,
#define CHIEF_X(name, number, code, text) CHIEF_##name = (number),
    CHIEF_ERROR_MAP(CHIEF_X)
#undef CHIEF_X
};

/*
 * The ABI number the library was built with; a program compares it with CHIEF_ABI.
 * @thread any  @blocks never
 */
CHIEF_API uint32_t chief_abi(void);

/*
 * The version of the library, "0.1.0".
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_version(void);

/*
 * The fixed text of an error code; «unknown error» for a number that is none. Never NULL.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_strerror(int code);

/*
 * The code as one word ("timeout", "closed" …), as Lua and JSON show it; "ok" for CHIEF_OK, "unknown"
 * for a number that is none. -1 is "wrong_state_change". Never NULL.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_error_code(int code);

/*
 * What went wrong in the last failing call of this thread, for people. Borrowed until the thread's
 * next call into the library; never NULL, "" when nothing failed yet.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_last_error(void);

/*
 * Copies the text of chief_last_error() into `buf` (always terminated, cut to `size`), forgets it, and
 * returns its full length. For runtimes whose tasks move between threads.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_last_error_take(char *buf, size_t size);

/*
 * Keeps `text` (NULL: the code's own) as this thread's last error and returns `code`: for bindings, whose failures read
 * like the library's.
 * @thread any  @blocks never
 */
CHIEF_API int chief_set_last_error(int code, const char *text);

/* Memory: `realloc` with `size` 0 frees and returns NULL; NULL means out of memory. It is called by any thread, several
 * at once, and while a chief is configured (before chief_init_workers has returned) under that chief's lock: it must
 * not call the library. */
typedef struct chief_allocator {
    uint32_t size;
    void *(*realloc)(void *data, void *ptr, size_t size);
    void *data;
} chief_allocator;

/*
 * Sets the process-wide allocator; NULL puts malloc back. To be called before anything else of the
 * library is alive. Memory of libuv and cJSON is the host's own business.
 * @thread owner  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_set_allocator(const chief_allocator *allocator);

/* Bytes with their length; `data` may be NULL when `len` is 0. */
typedef struct chief_bytes {
    const void *data;
    size_t len;
} chief_bytes;

/* Called exactly once, on the thread that drops the last reference to `data`. */
typedef void (*chief_destructor)(void *data);

/* ---- 2. Values and contexts ------------------------------------------------------------------ */

enum chief_type {
    CHIEF_NIL = 0,
    CHIEF_BOOL = 1,
    CHIEF_INTEGER = 2,
    CHIEF_NUMBER = 3,
    CHIEF_BYTES = 4,
    CHIEF_POINTER = 5
};

/* A small tagged value. Given to the library it is read and copied; got from it, see
 * chief_value_clear. */
typedef struct chief_value {
    int32_t type; /* enum chief_type */
    int32_t boolean;
    int64_t integer;
    double number;
    chief_bytes bytes;
    void *pointer;
    chief_destructor destroy; /* of `pointer`; NULL when it needs none */
    void *owner;              /* the library's; NULL in a value that a caller makes */
} chief_value;

/*
 * Releases what a value got from the library refers to and makes it nil. A value made by the caller is
 * only made nil.
 * @thread any  @blocks never
 */
CHIEF_API void chief_value_clear(chief_value *value);

/* A node in a tree of contexts: cancellation, a deadline, values by name. Reference-counted. */
typedef struct chief_context chief_context;

/*
 * A new context below `parent` (NULL: a root). It is done when it or any context above it is
 * cancelled or past its deadline. A parent may be released before its children.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_context_new(chief_context **out, chief_context *parent);

/*
 * The same, done by itself after `timeout_ms` (>= 0), or earlier if the parent's deadline is earlier.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_context_new_deadline(chief_context **out, chief_context *parent, int64_t timeout_ms);

/*
 * One more reference; returns its argument.
 * @thread any  @blocks never
 */
CHIEF_API chief_context *chief_context_ref(chief_context *ctx);

/*
 * Drops a reference; the last one frees the node and runs the destructors of its values.
 * @thread any  @blocks never
 */
CHIEF_API void chief_context_unref(chief_context *ctx);

/*
 * Cancels the context and all below it, with a reason for people (NULL: «cancelled»). The first
 * cancellation wins; a later one changes nothing. A reason of 96 bytes or more is cut to fewer when
 * there is no memory for it.
 * @thread any  @blocks never
 */
CHIEF_API void chief_context_cancel(chief_context *ctx, const char *reason);

/*
 * CHIEF_OK while it is not done, CHIEF_ECANCELED when cancelled, CHIEF_ETIMEDOUT past a deadline.
 * @thread any  @blocks never
 */
CHIEF_API int chief_context_err(chief_context *ctx);

/*
 * Copies the reason into `buf` (terminated, cut to `size`) and returns its full length; 0 while not
 * done.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_context_reason(chief_context *ctx, char *buf, size_t size);

/*
 * The time left until the deadline in ms (0 when past), -1 when there is none.
 * @thread any  @blocks never
 */
CHIEF_API int64_t chief_context_remaining(chief_context *ctx);

/*
 * Waits until the context is done.
 * @thread any  @blocks timeout
 * Errors: CHIEF_OK when it is done, else CHIEF_ETIMEDOUT or CHIEF_EAGAIN.
 */
CHIEF_API int chief_context_wait(chief_context *ctx, int64_t timeout_ms);

/*
 * A descriptor that is readable from the moment the context is done, for another event loop. Made at
 * the first call; the context's: do not read from it and do not close it.
 * @thread any  @blocks never
 * Errors: CHIEF_ESYS (as a negative result; a descriptor is >= 0).
 */
CHIEF_API int chief_context_fd(chief_context *ctx);

/*
 * Sets a value under a name, at any time; the contexts below see it. A pointer's destructor runs once:
 * when it was replaced and nobody holds it any more, or when the context is freed. On failure the
 * pointer stays the caller's.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_context_set(chief_context *ctx, const char *key, const chief_value *value);

/*
 * The value under a name here or in the nearest context above. The caller clears it with
 * chief_value_clear; until then its bytes and pointer stay valid.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT.
 */
CHIEF_API int chief_context_get(chief_context *ctx, const char *key, chief_value *out);

/* ---- 3. Logs ---------------------------------------------------------------------------------- */

enum chief_level { CHIEF_DEBUG = 1, CHIEF_INFO = 2, CHIEF_WARN = 3, CHIEF_ERROR = 4, CHIEF_OFF = 5 };

enum chief_log_format { CHIEF_LOG_TEXT = 0, CHIEF_LOG_JSON = 1 };

typedef struct chief_field {
    const char *key;
    chief_value value; /* a pointer is shown as its address */
} chief_field;

/* One record, valid during the sink's call. `time_ms` is wall-clock time since 1970. */
typedef struct chief_record {
    uint32_t size;
    int32_t level; /* enum chief_level */
    int64_t time_ms;
    const char *message;
    const chief_field *fields; /* the logger's own first, then the call's */
    size_t n_fields;
} chief_record;

/* Gets each record, from any thread and several at once; no lock is held. */
typedef void (*chief_sink)(void *data, const chief_record *record);

typedef struct chief_log_options {
    uint32_t size;
    int32_t level;  /* least level that is written; default CHIEF_INFO */
    int32_t format; /* enum chief_log_format, of the built-in sink (stderr, one write per line) */
    chief_sink sink;
    void *data;
    chief_destructor destroy; /* of data */
} chief_log_options;

/* A logger: a sink, a least level, fields. Immutable but for the level; reference-counted. */
typedef struct chief_log chief_log;

/*
 * A logger; NULL options: text at CHIEF_INFO to stderr, the only thing in the library that writes there.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_log_new(chief_log **out, const chief_log_options *options);

/*
 * One more reference; returns its argument.
 * @thread any  @blocks never
 */
CHIEF_API chief_log *chief_log_ref(chief_log *log);

/*
 * Drops a reference.
 * @thread any  @blocks never
 */
CHIEF_API void chief_log_unref(chief_log *log);

/*
 * A logger with the same sink and level and these fields more; a field of the same key is replaced.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_log_with_fields(chief_log **out, chief_log *log, const chief_field *fields, size_t n);

/*
 * Sets the least level of this logger and of all made from it with fields (and of those it was made
 * from: they share it).
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_log_set_level(chief_log *log, int32_t level);

/*
 * Writes one record. A record that cannot be written is lost; logging never fails and never waits for
 * more than the sink.
 * @thread any  @blocks never (but for the sink)
 */
CHIEF_API void chief_log_write(chief_log *log, int32_t level, const char *message, const chief_field *fields, size_t n);

/* ---- 4. Worker states (Go: WorkerState) -------------------------------------------------------- */

typedef int32_t chief_state_t;

/* The numbers are part of the ABI, also when stored in a database. 0 is not a state. */
enum chief_state {
    CHIEF_WORKER_WRONG_STATE_CHANGE = -1,
    CHIEF_WORKER_NULL = 1,
    CHIEF_WORKER_DISABLED = 2,
    CHIEF_WORKER_PRESENT = 3,
    CHIEF_WORKER_ENABLED = 4,
    CHIEF_WORKER_INITIALIZED = 5,
    CHIEF_WORKER_RUN = 6,
    CHIEF_WORKER_STOPPED = 7,
    CHIEF_WORKER_FAILED = 8
};

/*
 * Writes the name of a state, or `WorkerState(N)` for another number, into `buf` (terminated, cut to
 * `size`) and returns its full length. Go: WorkerState.String.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_state_to_string(chief_state_t state, char *buf, size_t size);

/*
 * CHIEF_OK for the nine states, CHIEF_ESTATE for any other number. Go: WorkerState.Validate.
 * @thread any  @blocks never
 */
CHIEF_API int chief_state_validate(chief_state_t state);

/*
 * Writes the JSON form, the quoted name (terminated, cut to `size`), and sets `*len` to its full length.
 * Go: WorkerState.MarshalJSON.
 * @thread any  @blocks never
 * Errors: CHIEF_ESTATE for an unknown number.
 */
CHIEF_API int chief_state_to_json(chief_state_t state, char *buf, size_t size, size_t *len);

/*
 * Reads the JSON form. Go: WorkerState.UnmarshalJSON.
 * @thread any  @blocks never
 * Errors: CHIEF_ESTATE: «WorkerState should be a string, got …» or «… is invalid value»; CHIEF_EDATA for
 * what is not JSON.
 */
CHIEF_API int chief_state_from_json(const char *json, size_t len, chief_state_t *out);

/*
 * The database form: the name, or NULL for an unknown number. Go: WorkerState.Value.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_state_value(chief_state_t state);

/*
 * Reads the database form: bytes (the name, or its JSON form) or an integer. Go: WorkerState.Scan, which
 * lets unknown texts and numbers through.
 * @thread any  @blocks never
 * Errors: CHIEF_ESTATE.
 */
CHIEF_API int chief_state_scan(const chief_value *value, chief_state_t *out);

/*
 * The state after a legal transition (`to`), CHIEF_WORKER_WRONG_STATE_CHANGE for an illegal one. Enabling
 * an enabled and failing a failed worker is legal and changes nothing.
 * @thread any  @blocks never
 */
CHIEF_API chief_state_t chief_state_transition(chief_state_t from, chief_state_t to);

/* ---- 5. The worker-exists rule (Go: WorkerExistRule) --------------------------------------------- */

/* The names there are, and the message for one that is not among them. Immutable. */
typedef struct chief_rule chief_rule;

/*
 * A rule over a copy of `names`, with the message «invalid service name».
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_rule_new(chief_rule **out, const char *const *names, size_t n);

/*
 * Frees a rule.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_rule_free(chief_rule *rule);

/*
 * CHIEF_OK when each name is known, else CHIEF_ENOENT, and the text names the first that is not and lists
 * those there are: «invalid service name foo; there are: api, resizer (resizer/1, resizer/2)». A name whose replicas
 * are among the rule's is known, too. Go: WorkerExistRule.Validate.
 * @thread any  @blocks never
 */
CHIEF_API int chief_rule_validate(const chief_rule *rule, const char *const *names, size_t n);

/*
 * A rule with another message and the same names (the Go code forgets them). Go: WorkerExistRule.Error.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_rule_error(chief_rule **out, const chief_rule *rule, const char *message);

/*
 * The names, sorted, replicas by their number; `*n` is how many. Borrowed from the rule. Go:
 * WorkerExistRule.AvailableWorkers.
 * @thread any  @blocks never
 */
CHIEF_API const char *const *chief_rule_available(const chief_rule *rule, size_t *n);

/* ---- 6. Messages and channels --------------------------------------------------------------------- */

/* One received message. Reference-counted; the bytes live as long as a reference does, apart from who
 * has to acknowledge it. */
typedef struct chief_msg chief_msg;

/* A running worker, as seen from inside it (section 7). */
typedef struct chief_worker chief_worker;

/*
 * The payload; borrowed from the message.
 * @thread any  @blocks never
 */
CHIEF_API chief_bytes chief_msg_data(const chief_msg *msg);

/*
 * The name of the worker that sent it; "" from the host. Borrowed from the message.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_msg_sender(const chief_msg *msg);

/*
 * "message", "call" or "broadcast".
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_msg_kind(const chief_msg *msg);

/*
 * The name of the channel it came by; "" for a mailbox. Borrowed from the message.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_msg_channel(const chief_msg *msg);

/*
 * A number for the sender's name and the channel's together. Two messages with the same one, that is not 0, have the same of both,
 * so who made something of these names needs not compare them with each message. 0: nothing is known.
 * @thread any  @blocks never
 */
CHIEF_API uint64_t chief_msg_origin(const chief_msg *msg);

/*
 * How often it has been handed to a receiver, this time included; 1 is a first delivery.
 * @thread any  @blocks never
 */
CHIEF_API uint32_t chief_msg_deliveries(const chief_msg *msg);

/*
 * Answers a call. A message that is no call, or was answered, or whose caller has gone: CHIEF_ENOENT, and
 * the reply is dropped and counted.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_ETOOBIG, CHIEF_ENOMEM.
 */
CHIEF_API int chief_msg_reply(chief_msg *msg, const void *data, size_t len);

/*
 * Answers a call with a failure; the caller gets CHIEF_ECALL and this text.
 * @thread any  @blocks never
 * Errors: as chief_msg_reply.
 */
CHIEF_API int chief_msg_fail(chief_msg *msg, const char *text);

/*
 * Drops a reference to the bytes. This acknowledges nothing.
 * @thread any  @blocks never
 */
CHIEF_API void chief_msg_free(chief_msg *msg);

enum chief_overflow { CHIEF_BLOCK = 0, CHIEF_DROP_OLDEST = 1, CHIEF_FAIL = 2 };
enum chief_delivery { CHIEF_AT_MOST_ONCE = 0, CHIEF_AT_LEAST_ONCE = 1 };

typedef struct chief_channel_options {
    uint32_t size;
    int32_t overflow;       /* enum chief_overflow */
    int32_t delivery;       /* enum chief_delivery */
    uint32_t capacity;      /* messages; default 64 */
    int64_t max_deliveries; /* default 5; CHIEF_ZERO: no limit */
    int64_t max_message;    /* bytes; default 16 MiB */
    const char *dead;       /* where a message goes after max_deliveries; NULL: dropped */
} chief_channel_options;

/* Counters of a channel, all taken at one moment: sent = received + queued + dropped, where received
 * = acknowledged + in_hand. */
typedef struct chief_channel_stats {
    uint32_t size;
    uint32_t capacity;
    uint64_t sent;     /* accepted from senders */
    uint64_t received; /* with a receiver, or done with */
    uint64_t queued;   /* waiting, those that came back included */
    uint64_t dropped;  /* lost by policy, by a death, at max_deliveries (the dead ones included) */
    uint64_t acknowledged;
    uint64_t in_hand;
    uint64_t redelivered; /* came back to the front */
    uint64_t dead;        /* of the dropped: moved to the channel named by `dead` */
} chief_channel_stats;

/* A bounded queue of messages with a name, many senders and many receivers. Reference-counted. */
typedef struct chief_channel chief_channel;

/*
 * A channel outside any chief, for hosts and tests. Those of a chief are made by chief_add_channel.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_channel_new(chief_channel **out, const char *name, const chief_channel_options *options);

/*
 * One more reference; returns its argument.
 * @thread any  @blocks never
 */
CHIEF_API chief_channel *chief_channel_ref(chief_channel *ch);

/*
 * Drops a reference. The last one frees what is still queued.
 * @thread any  @blocks never
 */
CHIEF_API void chief_channel_unref(chief_channel *ch);

/*
 * Its name. Borrowed.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_channel_name(const chief_channel *ch);

/*
 * Sends a copy of the bytes. `as` is the sending worker, NULL for the host. Waits for room only where the
 * channel's overflow is `block`; on a done context the wait is bound to the end of the worker's grace,
 * and ends as soon as no receiver is left.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECANCELED, CHIEF_ECLOSED, CHIEF_EFULL, CHIEF_ETOOBIG,
 * CHIEF_ENOMEM. On an error nothing was sent.
 */
CHIEF_API int chief_channel_send(chief_channel *ch, chief_worker *as, const void *data, size_t len, int64_t timeout_ms);

/*
 * Sends several in order, the timeout over all; `*sent` (if not NULL) is how many went, also on an error.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: as chief_channel_send, for the first that did not go.
 */
CHIEF_API int chief_channel_send_many(chief_channel *ch, chief_worker *as, const chief_bytes *items, size_t n,
                                      int64_t timeout_ms, size_t *sent);

/*
 * Sends the bytes of all `n` parts, one after the other, as one message: for who has them in several places and would copy
 * them into one only for this.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: as chief_channel_send.
 */
CHIEF_API int chief_channel_send_parts(chief_channel *ch, chief_worker *as, const chief_bytes *parts, size_t n,
                                       int64_t timeout_ms);

/* Room in a channel that is promised to a sender who still has to fill it. */
typedef struct chief_reservation chief_reservation;

/*
 * Reserves room for one message of at most `len` bytes and gives memory to write it into. The reservation
 * ends by commit or cancel; one left open when the worker's generation ends is cancelled then.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: as chief_channel_send.
 */
CHIEF_API int chief_send_reserve(chief_channel *ch, chief_worker *as, size_t len, int64_t timeout_ms,
                                 chief_reservation **out, void **data);

/*
 * Sends the first `len` bytes of the reservation and ends it, also on an error.
 * @thread owner (the one that reserved)  @blocks never
 * Errors: CHIEF_ECLOSED when the channel was closed meanwhile, CHIEF_EINVAL when `len` is more than
 * reserved.
 */
CHIEF_API int chief_send_commit(chief_reservation *reservation, size_t len);

/*
 * Gives the room back, nothing is sent. Takes NULL.
 * @thread owner (the one that reserved)  @blocks never
 */
CHIEF_API void chief_send_cancel(chief_reservation *reservation);

/*
 * Receives the next message. Received by a worker it is in that worker's hand until it asks this channel
 * for the next, calls chief_channel_ack, or its generation ends: acknowledged by a clean end, else
 * dropped or back to the front, as `delivery` says. Received by the host (`as` NULL) it is
 * acknowledged at once. What is queued comes also on a done context and from a closed channel.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECANCELED, CHIEF_ECLOSED.
 */
CHIEF_API int chief_channel_recv(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out);

/*
 * Receives between 1 and `max` messages, as many as are there once there is one; as a batch they are in
 * hand as a whole. Into a process come no more than 256 at once, nor than 1 MiB, or one. Fills `out[0 .. *n)`.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: as chief_channel_recv.
 */
CHIEF_API int chief_channel_recv_many(chief_channel *ch, chief_worker *as, int64_t timeout_ms, chief_msg **out,
                                      size_t max, size_t *n);

/*
 * Acknowledges all that the worker holds from this channel.
 * @thread worker  @blocks never
 */
CHIEF_API void chief_channel_ack(chief_channel *ch, chief_worker *as);

/*
 * Receives from the first of several channels that has something, in the order given. A NULL among
 * them stands for the mailbox of `as`. `*index` says which it was. A channel that is closed and empty counts
 * as having nothing; when all are, the answer is CHIEF_ECLOSED.
 * @thread any (`as`: worker)  @blocks timeout
 * Errors: as chief_channel_recv.
 */
CHIEF_API int chief_select(chief_worker *as, chief_channel *const *channels, size_t n, int64_t timeout_ms,
                           size_t *index, chief_msg **out);

/*
 * No more sends; what is queued is still received, then CHIEF_ECLOSED. Closing twice is no error.
 * @thread any  @blocks never
 */
CHIEF_API void chief_channel_close(chief_channel *ch);

/*
 * How many messages are queued now.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_channel_len(chief_channel *ch);

/*
 * Fills `out`, whose `size` the caller has set.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_channel_get_stats(chief_channel *ch, chief_channel_stats *out);

/*
 * A descriptor that is readable while something is queued or the channel is closed. Made at the first
 * call; the channel's: do not read from it and do not close it.
 * @thread any  @blocks never
 * Errors: CHIEF_ESYS (as a negative result).
 */
CHIEF_API int chief_channel_fd(chief_channel *ch);

/* ---- Values as messages ----
 *
 * What a Lua worker sends and receives is MessagePack; here is its reader and writer for every other runtime, so that
 * all of them have the same rules. A message is one value. It is read into tokens, and made of them, in the order in
 * which they are written: a container's token, then its elements; in a map key, value, key, value.
 */

enum chief_token_kind {
    CHIEF_TOKEN_NIL = 0,
    CHIEF_TOKEN_BOOL = 1,
    CHIEF_TOKEN_INT = 2,
    CHIEF_TOKEN_FLOAT = 3,
    CHIEF_TOKEN_STR = 4, /* text */
    CHIEF_TOKEN_BIN = 5, /* bytes */
    CHIEF_TOKEN_ARRAY = 6,
    CHIEF_TOKEN_MAP = 7
};

/* One token; what its kind does not use is 0. It has no size, and stays as it is for ever. */
typedef struct chief_token {
    int32_t kind;      /* enum chief_token_kind */
    uint32_t reserved; /* 0 */
    int64_t integer;   /* BOOL: 0 or 1; INT */
    double number;     /* FLOAT */
    const char *data;  /* STR, BIN: the bytes, without a NUL; may be NULL when `len` is 0 */
    uint64_t len;      /* STR, BIN: bytes; ARRAY: elements; MAP: pairs */
} chief_token;

/*
 * Reads a whole message into `out`, `n` tokens. A STR is valid UTF-8 (what was sent as text and is none comes as BIN);
 * since a Lua string can be either, it comes as STR when it is UTF-8 and at most 64 KiB long, else as BIN. Keys are
 * STR, BIN, INT or BOOL. A nil among the elements or values is read; Lua has none there. `max` may be 0, to ask how
 * many there are; there are never more tokens than bytes. `data` of the tokens lies within the message, and lives as
 * long as that does.
 * @thread any  @blocks never
 * Errors: CHIEF_EDATA, with the place in its text: what is no message, has a key of another kind, an integer above
 * INT64_MAX or an extension type, is nested more than 100 deep, or is nil; CHIEF_ETOOBIG when there are more than `max`
 * tokens: `*n` is their number, and `out` holds the first `max`; CHIEF_EINVAL. Else `*n` is 0 on failure.
 */
CHIEF_API int chief_pack_read(const void *data, size_t len, chief_token *out, size_t max, size_t *n);

/*
 * Writes the message that the tokens are into `buf`. Each takes the shortest form there is; a STR that is not UTF-8
 * or longer than 64 KiB becomes bytes, as a Lua string does. Nil may be an element or a value in a map, where Lua
 * sees nothing, but not the message. `size` may be 0, to ask for the length; a token takes at most 9 bytes beside
 * those it points to.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL for tokens that are not one value that can be sent, with a text that says why and where, as
 * for a Lua value: «can't send a nil key (at .tags[3])», elements counted from 1; CHIEF_ETOOBIG when it takes more
 * than `size` bytes: `*len` is how many, and what was written is of no use. Else `*len` is 0 on failure.
 */
CHIEF_API int chief_pack_write(const chief_token *tokens, size_t n, void *buf, size_t size, size_t *len);

/* ---- 7. Workers, and what they can call (Go: Worker) ------------------------------------------------ */

/*
 * A worker in C. All callbacks of one generation run in one thread of their own, its home.
 *  init             makes what will run, fresh at every (re)start; NULL: `data` itself is the instance.
 *                   Non-zero fails the start. Go: Worker.Init.
 *  run              works until its context is done or its work is; 0 is a clean end. Go: Worker.Run.
 *  fini             exactly once for each init that succeeded, in the same home; NULL: nothing to do.
 *  restart_on_fail  non-zero: restart after a failure, where the options say nothing; NULL: never.
 *                   Go: Worker.RestartOnFail.
 *  interrupt        called when a stop, a start or an init has used up its time, on a thread that is not the home,
 *                   and perhaps again: makes init, run or fini return soon. Its context is done then. `instance` is
 *                   `data` until init has returned and NULL once fini is called or init has failed; what it is given
 *                   stays valid until it returns, so it must not block. A worker that has not ended `force_time`
 *                   later is abandoned; NULL: nothing can be done, it is abandoned at once.
 *  look             writes where the worker is now (a line, then perhaps a traceback) into `buf`, terminated and cut to
 *                   `size`, and returns the full length; from any thread, at any time until the worker has ended, and
 *                   without disturbing it. It may wait up to `timeout_ms` to find out more. NULL: nobody knows.
 */
typedef struct chief_worker_ops {
    uint32_t size;
    int (*init)(chief_worker *ctx, void *data, void **instance);
    int (*run)(chief_worker *ctx, void *instance);
    void (*fini)(void *instance);
    int (*restart_on_fail)(void *data);
    void (*interrupt)(chief_worker *ctx, void *instance);
    size_t (*look)(chief_worker *ctx, char *buf, size_t size, int64_t timeout_ms);
} chief_worker_ops;

/* Why a generation ended. */
enum chief_reason {
    CHIEF_REASON_NONE = 0,
    CHIEF_REASON_OK = 1,
    CHIEF_REASON_ERROR = 2,
    CHIEF_REASON_LUA_ERROR = 3,
    CHIEF_REASON_INIT_ERROR = 4,
    CHIEF_REASON_START_TIMEOUT = 5,
    CHIEF_REASON_WATCHDOG = 6,
    CHIEF_REASON_MEMORY_LIMIT = 7,
    CHIEF_REASON_KILLED = 8,
    CHIEF_REASON_CANCELLED = 9
};

/*
 * The reason as a word: "ok", "error", "lua_error" …; "" for none. Never NULL.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_reason_name(int32_t reason);

/*
 * The worker's name. Borrowed.
 * @thread worker  @blocks never
 */
CHIEF_API const char *chief_worker_name(const chief_worker *ctx);

/*
 * Which life this is: 1 at the first start, one more at each restart.
 * @thread worker  @blocks never
 */
CHIEF_API uint64_t chief_worker_generation(const chief_worker *ctx);

/*
 * The worker's context, done when it is asked to stop; below the chief's. Borrowed.
 * @thread worker  @blocks never
 */
CHIEF_API chief_context *chief_worker_context(chief_worker *ctx);

/*
 * Its logger, with the field `worker`. Borrowed.
 * @thread worker  @blocks never
 */
CHIEF_API chief_log *chief_worker_log(chief_worker *ctx);

/*
 * The bytes given as `args` when it was added. Borrowed.
 * @thread worker  @blocks never
 */
CHIEF_API chief_bytes chief_worker_args(const chief_worker *ctx);

/*
 * Says that the worker is ready, where it was added with CHIEF_WORKER_SAYS_READY; else no more than a
 * repetition.
 * @thread worker  @blocks never
 */
CHIEF_API void chief_worker_ready(chief_worker *ctx);

/*
 * Says why the init or run that is about to return non-zero failed. The texts are copied; traceback may be
 * NULL.
 * @thread worker  @blocks never
 */
CHIEF_API void chief_worker_set_error(chief_worker *ctx, int32_t reason, const char *text, const char *traceback);

/*
 * Why the worker is interrupted («interrupted: did not end within its grace of 0.5 s»), into `buf` (terminated, cut to
 * `size`); returns the full length, 0 while it is not. Also for its ops' interrupt.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_worker_interrupt_reason(chief_worker *ctx, char *buf, size_t size);

/*
 * Asks the chief to end this worker by force now, as at the end of a grace: it is interrupted where that can be done,
 * has `force_time` to end in, and is abandoned. Unless a stop was asked, it has then failed for this reason (enum
 * chief_reason) and with this text, however it ends. `place`, which may be NULL, is where it was, as its ops' look
 * would say it, for one that will not say it itself: a process is killed. For who watches over a worker and finds it
 * stuck; the first one counts. In a pool without a chief nothing.
 * @thread any, until its fini returns  @blocks never
 */
CHIEF_API void chief_worker_expire(chief_worker *ctx, int32_t reason, const char *why, const char *place);

/*
 * Says with which code this life ends, as a process would have one (its low 8 bits count); for no_restart_codes. It
 * is looked at when the init or run that is about to return fails; where no text was set that is «exit N». 0 takes it
 * back.
 * @thread worker  @blocks never
 */
CHIEF_API void chief_worker_set_exit_code(chief_worker *ctx, int32_t code);

/*
 * Sleeps. Ends at once when the context is done.
 * @thread worker  @blocks timeout
 * Errors: CHIEF_ECANCELED.
 */
CHIEF_API int chief_worker_sleep(chief_worker *ctx, int64_t ms);

/*
 * One of the chief's channels, borrowed for the worker's life. An unknown name is CHIEF_ENOENT, and the text
 * lists those there are.
 * @thread worker  @blocks never
 */
CHIEF_API int chief_worker_channel(chief_worker *ctx, const char *name, chief_channel **out);

/*
 * Sends to another worker's mailbox; "*" is chief_worker_broadcast. To a worker that is not there, not
 * enabled, removed or given up: CHIEF_ENOENT; between two of its runs the message waits for it. A name with replicas
 * is one of them in turn, whatever state the others are in; `name/2` is that one.
 * @thread worker  @blocks timeout
 * Errors: CHIEF_ENOENT, and as chief_channel_send.
 */
CHIEF_API int chief_worker_send(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms);

/*
 * Sends several to one mailbox, as chief_channel_send_many; where the name has replicas, each goes to the next in turn.
 * @thread worker  @blocks timeout
 * Errors: as chief_worker_send, for the first that did not go.
 */
CHIEF_API int chief_worker_send_many(chief_worker *ctx, const char *to, const chief_bytes *items, size_t n,
                                     int64_t timeout_ms, size_t *sent);

/*
 * Sends to every other worker that has a mailbox, without waiting; `*reached` (if not NULL) is how many took
 * it, a full mailbox does not.
 * @thread worker  @blocks never
 * Errors: CHIEF_ETOOBIG, CHIEF_ENOMEM.
 */
CHIEF_API int chief_worker_broadcast(chief_worker *ctx, const void *data, size_t len, size_t *reached);

/*
 * Asks another worker (of several replicas one in turn, but not the caller) and waits for its answer. A callee that
 * ends, or takes its next message, without answering: CHIEF_ENOREPLY. One that answered with a failure: CHIEF_ECALL
 * and its text.
 * @thread worker  @blocks timeout
 * Errors: CHIEF_ENOENT, CHIEF_ENOREPLY, CHIEF_ECALL, CHIEF_EDEADLK (calling itself), and as
 * chief_channel_send.
 */
CHIEF_API int chief_worker_call(chief_worker *ctx, const char *to, const void *data, size_t len, int64_t timeout_ms,
                                chief_msg **reply);

/*
 * Receives from the worker's own mailbox, as chief_channel_recv.
 * @thread worker  @blocks timeout
 * Errors: as chief_channel_recv.
 */
CHIEF_API int chief_worker_recv(chief_worker *ctx, int64_t timeout_ms, chief_msg **out);

/*
 * Receives between 1 and `max` messages from it, as chief_channel_recv_many.
 * @thread worker  @blocks timeout
 * Errors: as chief_channel_recv.
 */
CHIEF_API int chief_worker_recv_many(chief_worker *ctx, int64_t timeout_ms, chief_msg **out, size_t max, size_t *n);

/*
 * A descriptor that is readable while something is queued in it, as chief_channel_fd; for a worker with a loop of its
 * own, which hears of its stop by chief_context_fd.
 * @thread worker  @blocks never
 * Errors: CHIEF_ESYS, CHIEF_ENOENT (a worker without a chief has no mailbox), as a negative result.
 */
CHIEF_API int chief_worker_fd(chief_worker *ctx);

/* ---- Waiting without keeping a thread ----
 *
 * What the calls above wait with, for who must not wait in a call: try with timeout 0; at CHIEF_EAGAIN prepare; and
 * when that says CHIEF_EAGAIN too, give the thread up (a fiber returns it from resume, any other worker may
 * chief_wait_park) and try again afterwards. A wait with `received` is the try as well, so it is all that is called, again and
 * again: that is the fastest way to receive one by one.
 */

enum chief_wait_kind {
    CHIEF_WAIT_TIME = 0,  /* for nothing but the deadline: a sleep */
    CHIEF_WAIT_RECV = 1,  /* for a message in one of `channels` */
    CHIEF_WAIT_SEND = 2,  /* for room in the only one of `channels` */
    CHIEF_WAIT_REPLY = 3, /* for the answer to `call` */
    CHIEF_WAIT_FD = 4,    /* for `fd` to be ready for `events` */
    CHIEF_WAIT_WAKE = 5 /* for chief_wait_wake; also on a done context, which ends every other wait but that for room */
};

enum chief_fd_event { CHIEF_FD_READ = 1, CHIEF_FD_WRITE = 2 };

/* A question that was sent and is not answered yet. */
typedef struct chief_pending chief_pending;

typedef struct chief_wait {
    uint32_t size;
    int32_t kind;                   /* enum chief_wait_kind */
    int64_t deadline;               /* of chief_wait_deadline */
    chief_channel *const *channels; /* NULL among them: the worker's own mailbox */
    size_t n;
    chief_pending *call;
    int32_t fd;
    uint32_t events;               /* of enum chief_fd_event */
    const struct chief_wait *also; /* one more to wait for as well, and so on; NULL: none. Not with CHIEF_WAIT_FD */
    chief_msg **received; /* of CHIEF_WAIT_RECV for one channel alone: receives what is there; NULL: only says so */
} chief_wait;

/*
 * The deadline for a timeout as all calls take it.
 * @thread any  @blocks never
 */
CHIEF_API int64_t chief_wait_deadline(int64_t timeout_ms);

/*
 * Prepares one wait, or several at once (`also`); it is undone when the worker goes on. `what` is read now, its
 * channels are held until then.
 * @thread worker  @blocks never
 * Errors: CHIEF_OK when it, or one of several, is there already: try again, or take `*received`. CHIEF_EAGAIN when it is
 * prepared.
 * CHIEF_ETIMEDOUT and CHIEF_ECANCELED as the call that blocks would say; CHIEF_ENOENT, CHIEF_EINVAL, CHIEF_EBUSY and
 * CHIEF_ESYS (`fd`), CHIEF_ENOMEM.
 */
CHIEF_API int chief_wait_prepare(chief_worker *ctx, const chief_wait *what);

/*
 * Waits in this thread for what was prepared, or for anything that may have changed it; then try again.
 * @thread worker  @blocks timeout (its deadline)
 */
CHIEF_API void chief_wait_park(chief_worker *ctx);

/*
 * Ends the wait that the worker has prepared with CHIEF_WAIT_WAKE, or else the next one of that kind: for who has
 * given it something to do from another thread. It may end another wait early, too, which then tries again.
 * @thread any, until its fini returns  @blocks never
 */
CHIEF_API void chief_wait_wake(chief_worker *ctx);

/*
 * The mailbox that a message to the worker `to` goes into now (one of its replicas in turn), with a reference of the
 * caller's (chief_channel_unref): to be sent to with chief_channel_send, waited for with CHIEF_WAIT_SEND, or asked with
 * chief_call_begin. `but_own` non-zero: not the worker's own, where there are others.
 * @thread worker  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_EDEADLK.
 */
CHIEF_API int chief_worker_mailbox(chief_worker *ctx, const char *to, int but_own, chief_channel **out);

/*
 * chief_worker_call in parts: sends the question without waiting (CHIEF_EAGAIN: wait for room) …
 * @thread worker  @blocks never
 * Errors: as chief_worker_call.
 */
CHIEF_API int chief_call_begin(chief_worker *ctx, chief_channel *mailbox, const void *data, size_t len,
                               chief_pending **out);

/*
 * … takes the answer once it is there …
 * @thread worker  @blocks never
 * Errors: CHIEF_EAGAIN while there is none, CHIEF_ENOREPLY, CHIEF_ECALL.
 */
CHIEF_API int chief_call_take(chief_pending *call, chief_msg **reply);

/*
 * … and ends it; an answer that comes later is a late one. Takes NULL.
 * @thread worker  @blocks never
 */
CHIEF_API void chief_call_end(chief_pending *call);

/* A copy of what a pool knew at one moment (section 8). */
typedef struct chief_snapshot chief_snapshot;

/*
 * The states of all workers of its chief, or of the pool that runs it, as chief_states.
 * @thread worker  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_worker_states(chief_worker *ctx, chief_snapshot **out);

/* ---- 8. Pools and snapshots (Go: WorkerPool) ----------------------------------------------------------- */

/*
 * A thread-safe registry of workers and their states. Alone, its verbs record and check transitions, and only
 * chief_pool_init and chief_pool_run_exec run code, in the caller's thread. The pool of a running chief is
 * written by its loop alone: the verbs answer CHIEF_EBUSY there. Replicas are in it one by one, and a verb that writes
 * takes the name of one.
 *
 * A verb that is refused with CHIEF_WORKER_WRONG_STATE_CHANGE changes nothing but the number of the last event: a line
 * in the pool's log tells it and, where the pool is a chief's, the event CHIEF_EVENT_WRONG_STATE_CHANGE.
 */
typedef struct chief_pool chief_pool;

/*
 * An empty pool.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_pool_new(chief_pool **out);

/*
 * Frees the pool; an instance that was initialised and never run gets its fini. Nobody may be in a call on it.
 * @thread owner  @blocks forever (as long as the fini calls)
 */
CHIEF_API void chief_pool_free(chief_pool *pool);

/*
 * Where refused verbs are logged; NULL, as in the beginning: by the default logger with service=worker-chief (a
 * chief's pool: by the logger of its options).
 * @thread any  @blocks never
 * Errors: CHIEF_EBUSY (the pool of a running chief).
 */
CHIEF_API int chief_pool_set_log(chief_pool *pool, chief_log *log);

/*
 * Registers a worker: null → present. `ops` is copied; `data` stays the caller's.
 * Go: WorkerPool.SetWorker, which replaces one of the same name.
 * @thread any  @blocks never
 * Errors: CHIEF_EEXIST, CHIEF_EINVAL (name, ops), CHIEF_ENOMEM.
 */
CHIEF_API int chief_pool_set_worker(chief_pool *pool, const char *name, const chief_worker_ops *ops, void *data);

/*
 * The callbacks and data of a worker. Either out pointer may be NULL. `ops->size` says how much the caller has room
 * for: what it does not know is not written. Go: WorkerPool.GetWorker.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_EINVAL (the size is not set); then all members but the size are zero.
 */
CHIEF_API int chief_pool_get_worker(chief_pool *pool, const char *name, chief_worker_ops *ops, void **data);

/*
 * The state of a worker; never fails, an unknown name is `disabled`. A name with replicas: `run` when all of them run,
 * else the state of the first that does not. Go: WorkerPool.GetState.
 * @thread any  @blocks never
 */
CHIEF_API chief_state_t chief_pool_get_state(chief_pool *pool, const char *name);

/*
 * The explicit override: sets a state whatever it was. Go: WorkerPool.SetState.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_ESTATE, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_set_state(chief_pool *pool, const char *name, chief_state_t state);

/*
 * present or disabled → enabled. Go: WorkerPool.EnableWorker.
 * @thread any  @blocks never
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_enable(chief_pool *pool, const char *name);

/*
 * → disabled, where that is legal. Go: WorkerPool.DisableWorker (unguarded there).
 * @thread any  @blocks never
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_disable(chief_pool *pool, const char *name);

/*
 * Runs the worker's init in this thread below `parent` (NULL: a root) and records → initialized, or → failed.
 * The logger is found in the context under "chief-log". Go: WorkerPool.InitWorker.
 * @thread any (one at a time for one worker: else CHIEF_EBUSY)  @blocks forever (as long as init)
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY, CHIEF_EFAILED with the worker's text.
 */
CHIEF_API chief_state_t chief_pool_init(chief_pool *pool, const char *name, chief_context *parent);

/*
 * Records initialized or stopped or failed → run. Go: WorkerPool.StartWorker.
 * @thread any  @blocks never
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_start(chief_pool *pool, const char *name);

/*
 * Records run or failed → stopped. Go: WorkerPool.StopWorker.
 * @thread any  @blocks never
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_stop(chief_pool *pool, const char *name);

/*
 * Records → failed. Go: WorkerPool.FailWorker (unguarded there).
 * @thread any  @blocks never
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY.
 */
CHIEF_API chief_state_t chief_pool_fail(chief_pool *pool, const char *name);

/*
 * 1 when the state (of all replicas) is enabled or beyond. Go: WorkerPool.IsEnabled.
 * @thread any  @blocks never
 */
CHIEF_API int chief_pool_is_enabled(chief_pool *pool, const char *name);

/*
 * 1 when the state (of all replicas) is run. Go: WorkerPool.IsAlive.
 * @thread any  @blocks never
 */
CHIEF_API int chief_pool_is_alive(chief_pool *pool, const char *name);

/*
 * Runs one initialised worker in this thread until it returns, then its fini. Clean: stopped and CHIEF_OK;
 * else failed and CHIEF_EFAILED with the worker's text. Go: WorkerPool.RunWorkerExec.
 * @thread any (one at a time for one worker: else CHIEF_EBUSY)  @blocks forever (as long as run)
 * Errors: CHIEF_ENOTINIT, CHIEF_ENOENT, CHIEF_EBUSY, CHIEF_EFAILED.
 */
CHIEF_API int chief_pool_run_exec(chief_pool *pool, const char *name);

/*
 * A snapshot of the pool. Go: WorkerPool.GetWorkersStates.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_pool_states(chief_pool *pool, chief_snapshot **out);

/* What a worker does now, beside its state. */
enum chief_phase {
    CHIEF_PHASE_IDLE = 0,
    CHIEF_PHASE_WAITING = 1,
    CHIEF_PHASE_STARTING = 2,
    CHIEF_PHASE_UP = 3,
    CHIEF_PHASE_STOPPING = 4,
    CHIEF_PHASE_ABANDONED = 5,
    CHIEF_PHASE_GIVEN_UP = 6
};

/*
 * The phase as a word: "idle", "waiting" …; "" for a number that is none. Never NULL.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_phase_name(int32_t phase);

/* One worker of a snapshot; the strings are the snapshot's and never NULL. */
typedef struct chief_worker_status {
    uint32_t size;
    chief_state_t state;
    int32_t phase;  /* enum chief_phase */
    int32_t reason; /* enum chief_reason: of the last generation that ended */
    const char *name;
    uint64_t generation;     /* 0: never started */
    uint64_t restarts;       /* restarts by policy */
    int64_t until_ms;        /* waiting, stopping: ms left at the time of the snapshot; -1: no limit */
    const char *waiting_for; /* "restart", the names of the dependencies, comma separated, or "its group x" */
    const char *error;       /* text of the last failure, also after the restart */
    const char *traceback;
    const char *why; /* given up: why it is not restarted, «4 failures in 5.0 s» */
    int32_t slow;    /* non-zero: a fiber that blocks or runs for long, and keeps a thread of its own meanwhile */
} chief_worker_status;

/*
 * How many workers it has.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_snapshot_len(const chief_snapshot *snapshot);

/*
 * The i-th worker in registration order; NULL beyond the end. Borrowed.
 * @thread any  @blocks never
 */
CHIEF_API const chief_worker_status *chief_snapshot_at(const chief_snapshot *snapshot, size_t i);

/*
 * The worker of that name, or NULL (also for one with replicas, which have statuses of their own). Borrowed.
 * @thread any  @blocks never
 */
CHIEF_API const chief_worker_status *chief_snapshot_find(const chief_snapshot *snapshot, const char *name);

/*
 * The number of the last event whose effect it shows.
 * @thread any  @blocks never
 */
CHIEF_API uint64_t chief_snapshot_seq(const chief_snapshot *snapshot);

/*
 * Writes it as JSON (terminated, cut to `size`) and returns the full length:
 * {"seq":7,"app":{…},"workers":[{"name":"api","state":"run","phase":"up",…},…]}, `app` (chief_app_info) only from a
 * chief.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_snapshot_json(const chief_snapshot *snapshot, char *buf, size_t size);

/*
 * Frees a snapshot.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_snapshot_free(chief_snapshot *snapshot);

/* ---- 9. Events --------------------------------------------------------------------------------------------- */

enum chief_event_kind {
    CHIEF_EVENT_STATE = 1,              /* worker, previous, state; reason, error, traceback when it ended */
    CHIEF_EVENT_WRONG_STATE_CHANGE = 2, /* worker, previous = as it stays, state = what was asked */
    CHIEF_EVENT_READY = 3,              /* worker */
    CHIEF_EVENT_RESTART = 4,            /* worker: a restart is scheduled in delay_ms; error: with whom of its group */
    CHIEF_EVENT_GIVEN_UP = 5,           /* worker, error = «given up: » and why: failed and will not be restarted */
    CHIEF_EVENT_ABANDONED = 6,          /* worker: its thread did not end in time */
    CHIEF_EVENT_REMOVED = 7,            /* worker */
    CHIEF_EVENT_MESSAGE_DROPPED = 8,    /* channel, worker = the receiver it killed last: max_deliveries */
    CHIEF_EVENT_NOTE = 9,               /* error = the text: what is odd in the configuration or in its use */
    CHIEF_EVENT_SIGNAL = 10,            /* error = its name */
    CHIEF_EVENT_STOPPING = 11,          /* error = why */
    CHIEF_EVENT_HOOK_TIMEOUT = 12,      /* a shutdown hook did not end in time */
    CHIEF_EVENT_STOPPED = 13,           /* the last one: error = "" or what is wrong about the stop */
    CHIEF_EVENT_FORCED = 14             /* worker, reason, error = why: it is interrupted; has force_time to end in */
};

/* One event; the strings are its own and never NULL. */
typedef struct chief_event {
    uint32_t size;
    int32_t kind;        /* enum chief_event_kind */
    uint64_t seq;        /* 1, 2, 3 …: a gap is what the ring dropped, or what was below the event level */
    int64_t time_ms;     /* monotonic */
    uint64_t generation; /* of the worker */
    chief_state_t state;
    chief_state_t previous;
    int32_t reason; /* enum chief_reason */
    int32_t level;  /* enum chief_level */
    int64_t delay_ms;
    const char *worker;
    const char *channel;
    const char *error;
    const char *traceback;
} chief_event;

/*
 * The kind as a word: "state", "ready", "restart" …; "" for a number that is none. Never NULL.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_event_kind_name(int32_t kind);

/*
 * Frees an event.
 * @thread any  @blocks never
 */
CHIEF_API void chief_event_free(chief_event *event);

/* ---- Schedules: when a worker runs that does not run all the time ---------------------------------------------- */

/* A time zone: what clocks showed there and will show. Immutable. */
typedef struct chief_zone chief_zone;

/*
 * The zone of a name. "Europe/Berlin" is looked for in the system's zone database ($TZDIR, else /usr/share/zoneinfo);
 * "UTC" needs none; a POSIX rule, "CET-1CEST,M3.5.0,M10.5.0/3", says itself what holds; NULL is the system's own
 * ($TZ, else /etc/localtime, else UTC). Later changes of the database are seen by a new zone.
 * @thread any  @blocks never (but for reading a file)
 * Errors: CHIEF_ENOENT, CHIEF_EINVAL (no name and no rule), CHIEF_EDATA (a malformed file), CHIEF_ESYS, CHIEF_ENOMEM.
 */
CHIEF_API int chief_zone_new(chief_zone **out, const char *name);

/*
 * Frees a zone.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_zone_free(chief_zone *zone);

/*
 * Writes a wall-clock time (ms since 1970) as it is shown there, "2026-03-29T03:00:00+02:00" (terminated, cut to
 * `size`), and returns its full length. `zone` NULL is UTC.
 * @thread any  @blocks never
 */
CHIEF_API size_t chief_zone_text(const chief_zone *zone, int64_t time_ms, char *buf, size_t size);

/* When: bit n of a field is set where the value n is among those named. Made by chief_cron_parse. */
typedef struct chief_cron {
    uint32_t size;
    uint32_t hours;    /* 0 to 23 */
    uint64_t minutes;  /* 0 to 59 */
    uint32_t days;     /* 1 to 31 */
    uint32_t months;   /* 1 to 12 */
    uint32_t weekdays; /* 0 to 6, 0 is Sunday */
    uint32_t reserved; /* 0 */
} chief_cron;

/*
 * Reads a cron expression: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or jan-dec), day of week (0-7
 * or sun-sat, 0 and 7 are Sunday), each `*`, a value, a range `a-b`, a step over either (`8-18/2`; over all, a star
 * and `/15`), or a list of those with commas; or @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually).
 * When both days leave something out, a day that either of them names is meant.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL: «cron "61 * * * *": minute should be 0 to 59, got 61»; also for a time that never comes.
 */
CHIEF_API int chief_cron_parse(const char *text, chief_cron *out);

/*
 * The first time after `after_ms` (both wall-clock ms since 1970) that the expression names in that zone (NULL: UTC).
 *
 * When clocks are put forward, a time that they skip is taken at the end of the gap, once however many are skipped:
 * 02:30 comes at 03:00. When they are put back, a time that they show twice is taken the first time only. An
 * expression that names all 24 hours goes by the hours that there are instead: it takes a repeated time twice and a
 * skipped one not at all.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL (a malformed `cron`, a time beyond the year 9999), CHIEF_ENOENT (none within ten years).
 */
CHIEF_API int chief_cron_next(const chief_cron *cron, const chief_zone *zone, int64_t after_ms, int64_t *next_ms);

/*
 * When a worker runs that does not run all the time: its home, instance and messages stay, its `run` is called again
 * and again, never twice at once. A run that returns 0 acknowledges what it received and waits for the next time;
 * another result is the worker's failure, which its restart policy takes up (and the schedule begins anew). Between
 * two runs it is in state `run`, and a stop ends it at once.
 *
 * `every` counts from the beginning of the first run on the monotonic clock and does not drift; times that pass while
 * a run goes on are left out. `cron` goes by the wall clock: what falls into a run that goes on, or into a jump
 * forward of the clock, is made up for once. After a jump back of less than an hour nothing is run twice; after a
 * longer one it goes by the new time. A jump is noticed within a minute.
 */
typedef struct chief_schedule {
    uint32_t size;
    int32_t later;    /* with `every`; non-zero: the first run comes after that time, not at once */
    int64_t every;    /* ms; or: */
    const char *cron; /* see chief_cron_parse */
    const char *tz;   /* of `cron`: see chief_zone_new; NULL: the system's */
} chief_schedule;

/* ---- 10. The chief (Go: Chief) -------------------------------------------------------------------------------- */

typedef struct chief chief;

/* The name of the logger in the chief's context. Go: CtxKeyLog. */
#define CHIEF_CTX_KEY_LOG "chief-log"

/* What an application says of itself, for people and tools: in the first line of its log, in its snapshots as JSON, and
 * to who asks. */
typedef struct chief_app_info {
    uint32_t size;
    int32_t pid;         /* this and the next two are filled in by chief_get_info and not looked at in options */
    int64_t started_ms;  /* wall-clock ms since 1970 of chief_init_workers; 0 before */
    const char *name;    /* the chief's */
    const char *version; /* "1.2.3"; in options NULL says nothing, which chief_get_info gives as "" */
    const char *build;   /* what it was built from or by, a commit say */
    const char *tag;     /* what else tells this one from others: "staging" */
} chief_app_info;

typedef struct chief_options {
    uint32_t size;
    int32_t require_names;      /* non-zero: enable_by_default off, see chief_set_enable_by_default */
    const char *name;           /* of the application; default "chief" */
    int64_t force_stop_timeout; /* ms, the whole stop; default 45 s; CHIEF_ZERO: force at once */
    int64_t init_timeout;       /* ms; default 30 s */
    int64_t hook_timeout;       /* ms for the shutdown hooks; default 5 s */
    uint64_t seed;              /* of the jitter; default: from the system */
    uint32_t event_capacity;    /* of the event ring; default 1024 */
    int32_t exit_when_done;     /* non-zero: end when nothing runs and nothing is scheduled */
    chief_log *log;             /* default: see chief_init_workers */
    size_t thread_stack;        /* bytes for a worker's thread; default 1 MiB, at least 512 KiB */
    int64_t force_time;         /* ms that an interrupted worker has to end in; default 100; then it is abandoned */
    int32_t event_level;        /* enum chief_level: see chief_set_event_level; default CHIEF_DEBUG, all of them */
    uint32_t fiber_threads;     /* that fibers share; default: one per core */
    /* After failures, of all together; one more within restart_window stops the application as a critical worker does.
     * Default: no limit; CHIEF_ZERO: none; at most 65536. */
    int64_t max_restarts;
    int64_t restart_window;     /* ms; default 60 s; only with max_restarts */
    const chief_app_info *info; /* copied; NULL: only what the library knows itself */
} chief_options;

enum chief_restart_policy {
    CHIEF_RESTART_DEFAULT = 0, /* what the worker's restart_on_fail says, else never */
    CHIEF_RESTART_NEVER = 1,
    CHIEF_RESTART_ON_FAILURE = 2,
    CHIEF_RESTART_ALWAYS = 3
};

/*
 * The delay before the k-th restart in a row is min(max_delay, delay * factor^(k-1) * (1 ± jitter)). With
 * max_restarts a worker that fails more often than that within `window` is given up; a failure exactly `window` after
 * the first of them still counts. Starting it by hand forgets them.
 */
typedef struct chief_restart {
    uint32_t size;
    int32_t policy;       /* enum chief_restart_policy */
    int64_t delay;        /* ms; default 100; CHIEF_ZERO: none */
    double factor;        /* default 2; at least 1 */
    int64_t max_delay;    /* ms; default 30 s */
    double jitter;        /* a share; default 0.2; below 0: none; at most 1 */
    int64_t max_restarts; /* default: no limit; CHIEF_ZERO: given up at the first failure; at most 65536 */
    int64_t window;       /* ms; default 30 s; only with max_restarts */
    /* Failures by force (its watchdog, its memory limit, an interrupt) after which it is led in a process, which
     * chief_worker_options.process says how to start; 0: never. */
    int64_t isolate_after;
} chief_restart;

enum chief_worker_flag {
    CHIEF_WORKER_SAYS_READY = 1, /* ready when it calls chief_worker_ready, not when run is entered */
    CHIEF_WORKER_CRITICAL = 2    /* when it is given up the application stops, and its exit code is 70 */
};

/* Where a worker runs. */
enum chief_isolation {
    CHIEF_ISOLATION_DEFAULT = 0, /* a thread */
    CHIEF_THREAD = 1,
    CHIEF_FIBER = 2,  /* with others on a few threads, see chief_fiber_ops */
    CHIEF_PROCESS = 3 /* a child of the chief, see chief_add_process */
};

/* The parts of a life that a fiber is resumed in. */
enum chief_part { CHIEF_PART_INIT = 1, CHIEF_PART_RUN = 2 };

/*
 * What a worker needs, beside its ops, to share a few threads with others (CHIEF_FIBER). One of:
 *  resume      takes init or run a step further; CHIEF_EAGAIN when it has prepared a wait (chief_wait_prepare), else
 *              what init and run return. It may block or run for long all the same: then it keeps its thread, and the
 *              others move on. `*instance` is `data` at first. The ops' init and run are not called, their fini and
 *              interrupt are. Where it runs by a schedule, each run ends with 0 and the next begins with
 *              CHIEF_PART_RUN again.
 *  on_message  called with each message of the worker's mailbox, on_timer every `interval` ms; the ops' init comes
 *              before. Non-zero fails the worker. It ends cleanly when it is asked to stop and has had what was
 *              queued. The message stays the library's.
 */
typedef struct chief_fiber_ops {
    uint32_t size;
    int32_t reserved;
    int (*resume)(chief_worker *ctx, void *data, void **instance, int32_t part);
    int (*on_message)(chief_worker *ctx, void *instance, const chief_msg *msg);
    int (*on_timer)(chief_worker *ctx, void *instance);
    int64_t interval; /* ms; needed for on_timer */
} chief_fiber_ops;

/* What a policy of the host's answers when a worker has ended by itself. */
enum chief_answer_kind {
    CHIEF_ANSWER_DEFAULT = 0, /* what the worker's chief_restart says */
    CHIEF_ANSWER_RESTART = 1, /* it is restarted, after the delay that its chief_restart says */
    CHIEF_ANSWER_DELAY = 2,   /* it is restarted after delay_ms */
    CHIEF_ANSWER_GIVE_UP = 3, /* it is not restarted: given up after a failure, and stays stopped after a clean end */
    CHIEF_ANSWER_ISOLATE = 4  /* as RESTART; from its next generation on it is led in a process of its own */
};

typedef struct chief_answer {
    uint32_t size;
    int32_t kind;     /* enum chief_answer_kind */
    int64_t delay_ms; /* of CHIEF_ANSWER_DELAY */
} chief_answer;

/* How a generation of a worker ended. */
typedef struct chief_end {
    uint64_t generation;
    int32_t reason;  /* enum chief_reason */
    int32_t code;    /* the exit code of a process or of os.exit; 0: none, or a clean one */
    int64_t time_ms; /* when, by the clock of an event's time_ms */
    int64_t up_ms;   /* for how long it had been ready */
} chief_end;

/* What a policy is asked about. All of it is borrowed during the call. */
typedef struct chief_exit {
    uint32_t size;
    uint32_t n_history; /* at most 32 */
    const char *worker;
    const char *error;        /* "": none */
    uint64_t failures;        /* in a row, this one included; 0: it ended cleanly */
    uint64_t restarts;        /* so far */
    const chief_end *history; /* its last ends that a policy was asked about, the oldest first: the last is this one */
} chief_exit;

/*
 * A policy of the host's for one worker: what is to follow when it has ended and nobody had asked it to. Neither a
 * code among no_restart_codes nor a failure beyond max_restarts is asked about: those are given up as ever; and the
 * budget of all together counts its restarts. `on_exit` is called on a thread of its own, the same for all policies
 * of a chief, without a lock and one call at a time (in a simulation on the thread that calls). It answers by filling
 * `*answer`, which is CHIEF_ANSWER_DEFAULT before, and returns CHIEF_OK; with anything else, or an answer that can't
 * be followed, what the worker's chief_restart says is done, and an event tells so with the text of
 * chief_set_last_error. The same when no answer has come within `timeout`; one that comes later is ignored, and so is
 * one about a worker that was stopped, started or removed meanwhile. It may not call the chief and wait for it.
 */
typedef struct chief_policy {
    uint32_t size;
    int32_t reserved;
    int (*on_exit)(void *data, const chief_exit *exit, chief_answer *answer);
    void *data;
    chief_destructor destroy; /* of `data`, once, when the worker is gone and no call is on its way */
    int64_t timeout;          /* ms; default 1 s */
} chief_policy;

struct chief_process;

typedef struct chief_worker_options {
    uint32_t size;
    uint32_t flags;               /* enum chief_worker_flag */
    const chief_restart *restart; /* NULL: CHIEF_RESTART_DEFAULT */
    const char *const *after;     /* names of workers that must be ready before */
    size_t n_after;
    const char *const *sends; /* names of channels, for checks and warnings */
    size_t n_sends;
    const char *const *receives;
    size_t n_receives;
    chief_bytes args;                /* what chief_worker_args gives; copied */
    int64_t grace;                   /* ms to end in when asked to stop; default: its share of the whole */
    int64_t start_timeout;           /* ms until it must be ready; default 30 s */
    chief_destructor destroy;        /* of `data`, once, when no generation can use it any more */
    uint32_t mailbox_capacity;       /* messages; default 1024 */
    int32_t isolation;               /* enum chief_isolation */
    uint32_t count;                  /* replicas; default 1, at most 65535 */
    const int32_t *no_restart_codes; /* 1 to 255: one that fails with such an exit code is given up at once */
    size_t n_no_restart_codes;
    const chief_fiber_ops *fiber;        /* for CHIEF_FIBER; copied */
    const chief_schedule *schedule;      /* copied; NULL: it runs all the time */
    const chief_policy *policy;          /* copied; what follows its ends; NULL: `restart` alone */
    const struct chief_process *process; /* how it is started when it is isolated; copied; NULL: that can't be */
} chief_worker_options;

/*
 * A chief with no workers; NULL options: all defaults. Nothing runs until chief_init_workers.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_new(chief **out, const chief_options *options);

/*
 * Stops what still runs (as chief_stop and chief_join would), then frees the chief. Called by one of its own
 * workers or callbacks, it only asks for that and returns; the loop frees it at its end. Abandoned workers
 * keep what they can reach.
 * @thread owner  @blocks timeout (force_stop_timeout and hook_timeout)
 */
CHIEF_API void chief_free(chief *c);

/*
 * Adds a worker with default options; while the chief runs, it is started as its dependencies allow. Go:
 * Chief.AddWorker.
 * @thread any  @blocks never
 * Errors: as chief_add_worker_with.
 */
CHIEF_API int chief_add_worker(chief *c, const char *name, const chief_worker_ops *ops, void *data);

/*
 * The same with options, all copied. On failure `data` stays the caller's. Names in `after` may be added later, but
 * before chief_init_workers, which refuses unknown ones and cycles.
 *
 * A `count` of 2 or more adds the workers `name/1` … `name/N`, all of them or, on an error, none. Each has a life, a
 * mailbox and restarts of its own; they run at once over the same `data`, which is destroyed when the last of them is
 * gone. A count of 1 is what 0 is: one worker of that name. `name` means all replicas where a worker is enabled,
 * started, stopped, restarted, removed, waited for, or named in `after` (all have to be ready), and one in turn for a
 * message or a call; `name/2` is that one.
 * @thread any  @blocks never
 * Errors: CHIEF_EEXIST, CHIEF_EINVAL (also for CHIEF_PROCESS: a table of callbacks can't go into a process),
 * CHIEF_ENOENT and CHIEF_ECYCLE (while running), CHIEF_ECLOSED (it has ended), CHIEF_ENOMEM.
 */
CHIEF_API int chief_add_worker_with(chief *c, const char *name, const chief_worker_ops *ops, void *data,
                                    const chief_worker_options *options);

/* Who is restarted along with a worker whose policy restarts it. */
enum chief_group_policy {
    CHIEF_ONE_FOR_ONE = 1, /* nobody */
    CHIEF_ONE_FOR_ALL = 2, /* all others of its group */
    CHIEF_REST_FOR_ONE = 3 /* those after it in the group's list */
};

/*
 * Makes a group of workers that are restarted together; the order of the names is that of the group. When one that had
 * been ready is restarted by its policy, those of the group that live and are to go along are stopped, the last first,
 * each within its grace; then, when the delay of the one that failed is over too, all start in the order of the group,
 * each when the one before is ready. One that fails before it is ready is retried alone; those after it wait. One that
 * was stopped by hand, has ended or was given up stays as it is, and the others go on without it. A worker belongs to
 * one group at most. Names may be added later, but before chief_init_workers, which refuses unknown ones, and a group
 * whose order contradicts `after`.
 * @thread any  @blocks never
 * Errors: CHIEF_EEXIST (the name is taken, or a worker is in a group already), CHIEF_EINVAL, CHIEF_EBUSY (after
 * chief_init_workers), CHIEF_ENOMEM.
 */
CHIEF_API int chief_add_group(chief *c, const char *name, int32_t policy, const char *const *names, size_t n);

/*
 * Adds a channel that every worker can ask for by its name.
 * @thread any  @blocks never
 * Errors: CHIEF_EEXIST, CHIEF_EINVAL, CHIEF_ENOMEM.
 */
CHIEF_API int chief_add_channel(chief *c, const char *name, const chief_channel_options *options);

/*
 * The channel of that name with a reference of its own (chief_channel_unref), so that it may outlive the chief.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT, with the names there are.
 */
CHIEF_API int chief_get_channel(chief *c, const char *name, chief_channel **out);

/*
 * Enables one worker. By default all are enabled; after the first call of this kind only those named. Go:
 * Chief.EnableWorker.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT: «invalid service name …» and the names there are.
 */
CHIEF_API int chief_enable_worker(chief *c, const char *name);

/*
 * Enables several: all of them or, when a name is unknown, none. Go: Chief.EnableWorkers.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT.
 */
CHIEF_API int chief_enable_workers(chief *c, const char *const *names, size_t n);

/*
 * 1 when the worker (each of its replicas) is enabled, or would be by default, 0 when not or unknown. Go:
 * Chief.IsEnabled.
 * @thread any  @blocks never
 */
CHIEF_API int chief_is_enabled(chief *c, const char *name);

/*
 * Whether every worker is enabled when none is named; on at first. Off: starting without a name is an error.
 * Go: Chief.EnableByDefault.
 * @thread any  @blocks never
 * Errors: CHIEF_EBUSY after chief_init_workers.
 */
CHIEF_API int chief_set_enable_by_default(chief *c, int on);

/*
 * The limit of the whole stop in ms. Go: Chief.ForceStopTimeout.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL for a negative one (CHIEF_ZERO is zero).
 */
CHIEF_API int chief_set_force_stop_timeout(chief *c, int64_t ms);

/*
 * Whether the chief ends by itself when nothing runs and nothing is scheduled.
 * @thread any  @blocks never
 * Errors: CHIEF_ECLOSED (it has stopped), CHIEF_EDEADLK (from a callback on the chief's own loop).
 */
CHIEF_API int chief_set_exit_when_done(chief *c, int on);

/*
 * Adds a hook that runs after the last worker has stopped, on a thread of its own, the hooks in reverse order
 * of their registration and together no longer than `hook_timeout`.
 * What values of the chief's context keep is there until each hook has returned, also one that is late.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOMEM, CHIEF_ECLOSED.
 */
CHIEF_API int chief_on_shutdown(chief *c, void (*hook)(void *data), void *data);

/*
 * Starts the loop, makes a home for every enabled worker that waits for no other, runs the inits there in parallel
 * and waits for all answers. A failed init leaves that worker `failed` and is no error here. `log` NULL: the
 * logger of the options, else the default one with service=worker-chief. Go: Chief.InitWorkers.
 * @thread any  @blocks timeout (init_timeout)
 * Errors: CHIEF_EENABLE (no worker enabled and none by default), CHIEF_ENOENT and CHIEF_ECYCLE (in `after`),
 * CHIEF_EBUSY (called before), CHIEF_ESYS, CHIEF_ENOMEM.
 */
CHIEF_API int chief_init_workers(chief *c, chief_log *log);

/*
 * Lets the initialised workers run, and returns. `parent` (NULL: none): when it is done, the chief stops; its values
 * are seen by the workers.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOTINIT (chief_init_workers was not called), CHIEF_EBUSY (called before), CHIEF_ENOMEM, CHIEF_ESYS.
 */
CHIEF_API int chief_launch(chief *c, chief_context *parent);

/*
 * Waits until the chief has stopped.
 * @thread any (not the chief's own: CHIEF_EDEADLK)  @blocks timeout
 * Errors: CHIEF_OK after a clean stop; CHIEF_ETIMEDOUT with «Graceful exit timeout exceeded: …» and the names when
 * workers had to be interrupted or abandoned, or «still running» when the wait was too short (CHIEF_EAGAIN for 0);
 * CHIEF_EFAILED when a critical worker was given up or a worker's last generation had failed; CHIEF_ENOTINIT before a
 * launch. chief_has_stopped tells a stop from a short wait.
 */
CHIEF_API int chief_join(chief *c, int64_t timeout_ms);

/*
 * 1 once the chief has stopped and joining does not wait, else 0.
 * @thread any  @blocks never
 */
CHIEF_API int chief_has_stopped(chief *c);

/*
 * chief_launch and chief_join. Go: Chief.Start.
 * @thread any  @blocks forever
 * Errors: of both.
 */
CHIEF_API int chief_start(chief *c, chief_context *parent);

/*
 * Enables the workers named (none: as by default), initialises and starts them, and stops at SIGTERM or SIGINT; a
 * second signal, 500 ms or more after the first, forces. With a locker (chief_set_locker) it waits for that instead.
 * Sets the application's name (NULL: keeps it). Go: Chief.RunAll.
 * @thread any (one chief of a process at a time catches signals)  @blocks forever
 * Errors: of chief_enable_workers, chief_init_workers, chief_start; CHIEF_EFAILED when the locker failed.
 */
CHIEF_API int chief_run_all(chief *c, const char *app, const char *const *names, size_t n);

/*
 * Gives chief_run_all something else to wait for than signals: once the workers have been let run, `wait` is called
 * in the thread of chief_run_all, with no lock held, and its return begins the graceful stop. SIGTERM and SIGINT are
 * not caught then. `ctx` is chief_get_stop_context: done when the chief stops for another reason, so that `wait`
 * returns. A `wait` that does not return keeps its own thread and nobody else. Non-zero is a failure: it is logged,
 * the stop begins all the same, and where that ends clean chief_run_all answers CHIEF_EFAILED. NULL puts the signals
 * back.
 * @thread any  @blocks never
 * Errors: CHIEF_EBUSY after chief_init_workers.
 */
CHIEF_API int chief_set_locker(chief *c, int (*wait)(void *data, chief_context *ctx), void *data);

enum chief_catch {
    CHIEF_CATCH_STOP = 1, /* SIGTERM and SIGINT, as chief_run_all */
    CHIEF_CATCH_HUP = 2,  /* SIGHUP: logged, an event, and nothing else in this version */
    CHIEF_CATCH_USR2 = 4, /* SIGUSR2: the snapshot goes into the log */
    CHIEF_CATCH_LAST = 8  /* for a program that ends with its chief: what was caught is ignored from its end on */
};

/*
 * Says which signals the loop takes while it lives (for bindings that write their own chief_run_all). To be called
 * before chief_init_workers. When the chief has stopped, the host's own handlers are back (but for
 * CHIEF_CATCH_LAST); at no moment in between does a signal find the system's default.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_EBUSY.
 */
CHIEF_API int chief_catch_signals(chief *c, uint32_t catches);

/*
 * Asks for a graceful stop, in the reverse of the start order. Asking again changes nothing.
 * @thread any, and any number of times  @blocks never
 * Errors: CHIEF_ENOTINIT when it was never initialised.
 */
CHIEF_API int chief_stop(chief *c);

/*
 * The same with a reason for people, which the event `stopping` and the log then give (NULL: «asked to stop»).
 * @thread any  @blocks never (the loop's answer)
 * Errors: as chief_stop; CHIEF_EDEADLK (from a callback on the chief's own loop).
 */
CHIEF_API int chief_stop_because(chief *c, const char *why);

/*
 * Ends the graceful part: what still runs is forced now.
 * @thread any  @blocks never
 * Errors: as chief_stop.
 */
CHIEF_API int chief_force_stop(chief *c);

/*
 * Requests to the running chief about one worker. They answer at once; what they set in motion shows in the events
 * and with chief_wait_state. An illegal one (starting a running worker) is CHIEF_WORKER_WRONG_STATE_CHANGE, an event
 * and a line in the log, and changes nothing. A manual stop is no failure, and no policy undoes it.
 *   start    enabled, stopped, failed → initialized → run
 *   stop     → stopped; also ends the waiting for a restart
 *   restart  stop, then start; starts one that does not run
 *   remove   stop, then forget; its name is free when the event `removed` comes
 * With a name that has replicas each is asked for which it is legal; it is illegal only when it is so for all.
 * @thread any  @blocks never (the loop's answer)
 * Errors: -1, CHIEF_ENOENT, CHIEF_EBUSY (its last life was abandoned and still lives; the chief is stopping),
 * CHIEF_EENABLE, CHIEF_ENOTINIT, CHIEF_ECLOSED, CHIEF_EDEADLK (from a callback on the chief's own loop).
 */
CHIEF_API int chief_start_worker(chief *c, const char *name);
/* @thread any  @blocks never */
CHIEF_API int chief_stop_worker(chief *c, const char *name);
/* @thread any  @blocks never */
CHIEF_API int chief_restart_worker(chief *c, const char *name);
/* @thread any  @blocks never */
CHIEF_API int chief_remove_worker(chief *c, const char *name);

/*
 * Waits until the worker, or each of its replicas at one moment, is in that state.
 * @thread any  @blocks timeout
 * Errors: CHIEF_ENOENT, CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECLOSED when the chief has stopped and it is not,
 * CHIEF_EDEADLK.
 */
CHIEF_API int chief_wait_state(chief *c, const char *name, chief_state_t state, int64_t timeout_ms);

/*
 * Waits until every enabled worker is ready (a finished one counts).
 * @thread any  @blocks timeout
 * Errors: CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECLOSED, CHIEF_EDEADLK.
 */
CHIEF_API int chief_wait_ready(chief *c, int64_t timeout_ms);

/*
 * Writes where a worker is now into `buf` (terminated, cut to `size`) and sets `*len` (if not NULL) to the full length,
 * without disturbing it: for one in Lua a line («in Lua, at x.lua:7», «in ctx:recv, called from x.lua:7», «in C (find),
 * called from x.lua:7») and the traceback. Also for an abandoned one.
 * @thread any  @blocks timeout (100 ms)
 * Errors: CHIEF_ENOENT, CHIEF_ENOTSUP (its ops have no look), CHIEF_EAGAIN (it does not run now), CHIEF_ENOTINIT,
 * CHIEF_ECLOSED, CHIEF_EDEADLK.
 */
CHIEF_API int chief_traceback(chief *c, const char *name, char *buf, size_t size, size_t *len);

/*
 * A snapshot of all workers. Go: Chief.GetWorkersStates.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_states(chief *c, chief_snapshot **out);

/*
 * The chief's pool, borrowed: to look at, and before chief_init_workers to write.
 * @thread any  @blocks never
 */
CHIEF_API chief_pool *chief_get_pool(chief *c);

/*
 * The chief's context, borrowed; it holds the logger under CHIEF_CTX_KEY_LOG from chief_init_workers on. Go:
 * Chief.GetContext.
 * @thread any  @blocks never
 */
CHIEF_API chief_context *chief_get_context(chief *c);

/*
 * A context below the chief's that is done, with the reason, from the moment the chief begins to stop: for what the
 * host does besides. Borrowed.
 * @thread any  @blocks never
 */
CHIEF_API chief_context *chief_get_stop_context(chief *c);

/*
 * Sets a value in the chief's context, at any time; running workers see it. Go: Chief.AddValueToContext.
 * @thread any  @blocks never
 * Errors: as chief_context_set.
 */
CHIEF_API int chief_add_value(chief *c, const char *key, const chief_value *value);

/*
 * The application's name. Borrowed until it is changed.
 * @thread any  @blocks never
 */
CHIEF_API const char *chief_get_name(chief *c);

/*
 * Fills `out`, whose `size` the caller has set. The strings are the chief's, the name until it is changed.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_get_info(chief *c, chief_app_info *out);

/*
 * How a program that ran this chief should exit: 0 clean, 1 a worker's last generation had failed, 70 a critical
 * worker was given up, 75 a worker had to be interrupted or was abandoned by the stop; of several, 75 before 70
 * before 1. Valid once it has stopped.
 * @thread any  @blocks never
 */
CHIEF_API int chief_exit_code(chief *c);

/*
 * The host's side of a mailbox: as chief_worker_send, chief_worker_broadcast and chief_worker_call, from outside. What is
 * sent before the launch waits for it, and so does a call without a timeout.
 * @thread any (not the chief's own loop)  @blocks timeout
 * Errors: as those.
 */
CHIEF_API int chief_send(chief *c, const char *to, const void *data, size_t len, int64_t timeout_ms);
/* @thread any  @blocks never */
CHIEF_API int chief_broadcast(chief *c, const void *data, size_t len, size_t *reached);
/* @thread any  @blocks timeout */
CHIEF_API int chief_call(chief *c, const char *to, const void *data, size_t len, int64_t timeout_ms, chief_msg **reply);

/*
 * Takes between 1 and `max` events, the oldest first. They are the caller's, each with chief_event_free. The ring keeps
 * the newest `event_capacity`; nobody has to read it. After CHIEF_EVENT_STOPPED and when it is empty: CHIEF_ECLOSED.
 * @thread any  @blocks timeout
 * Errors: CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECLOSED.
 */
CHIEF_API int chief_take_events(chief *c, chief_event **out, size_t max, int64_t timeout_ms, size_t *n);

/*
 * The least level of the events that are kept for chief_take_events, at any time: one below it takes no room in the
 * ring and is not counted as dropped. It has its number all the same, so that numbers go on meaning the same at every
 * level; who counts gaps reads at CHIEF_DEBUG. CHIEF_OFF keeps none, and the end is told by CHIEF_ECLOSED alone. What
 * is in the ring stays there.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_set_event_level(chief *c, int32_t level);

/*
 * How many events were lost because nobody read them.
 * @thread any  @blocks never
 */
CHIEF_API uint64_t chief_events_dropped(chief *c);

/*
 * How many answers to calls were dropped because they came late: their caller had gone, or they had been answered
 * before. Whoever gave one was told CHIEF_ENOENT.
 * @thread any  @blocks never
 */
CHIEF_API uint64_t chief_late_replies(chief *c);

/*
 * A descriptor that is readable while events wait (or none will come any more). Made at the first call; the chief's.
 * @thread any  @blocks never
 * Errors: CHIEF_ESYS (as a negative result).
 */
CHIEF_API int chief_events_fd(chief *c);

/* ---- Chiefs inside chiefs -------------------------------------------------------------------------------------- */

/*
 * Makes a chief that has not been started: `*out`, which becomes the library's. Called in the thread of the worker
 * whose life it is to be, once for each life. Another result than CHIEF_OK fails that worker's init, with
 * chief_last_error().
 */
typedef int (*chief_chief_maker)(chief_worker *ctx, void *data, chief **out);

/*
 * Adds a worker that is a chief itself. Each of its lives makes an inner chief, runs it to its end and frees it:
 *  - it is ready when all workers inside are, and ends when nothing runs inside and nothing is scheduled there;
 *  - it fails when the inner chief has not ended well (its text is the worker's error, its exit code the worker's),
 *    and is restarted as its policy says, with a new inner chief;
 *  - a stop of the worker is a stop of the inner chief, whose force_stop_timeout ends before the worker's grace; who
 *    had to be forced inside makes the exit code of the outer chief 75 as well;
 *  - it logs to the outer chief's logger, with the worker's name as «chief», and sees the outer context's values.
 *    Channels, mailboxes and events are its own.
 * Options are those of chief_add_worker_with; `destroy` is of `data`. It runs in a thread, and all the time.
 * @thread any  @blocks never
 * Errors: as chief_add_worker_with.
 */
CHIEF_API int chief_add_chief(chief *c, const char *name, chief_chief_maker make, void *data,
                              const chief_worker_options *options);

/*
 * The states inside a worker that is a chief.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_EINVAL (it is no chief), CHIEF_EAGAIN (it does not live now), CHIEF_ENOMEM.
 */
CHIEF_API int chief_nested_states(chief *c, const char *name, chief_snapshot **out);

/* ---- Workers on threads of the host's ----------------------------------------------------------------------------
 *
 * A runtime that makes its own threads, or has only one, leads the lives of such a worker itself: it comes for a
 * life, does what an init would, enters its run when the chief says so, and ends it. In between everything is as for
 * a worker with callbacks: the calls of section 7, its states and events, order, restarts, a new generation each
 * time.
 */

/* Where threads of the host's come for the lives of one worker, or of its replicas. Reference-counted. */
typedef struct chief_hosted chief_hosted;

/*
 * Adds a worker whose lives are led on threads of the host's. A life that no thread has come for within init_timeout
 * has failed; one that does not end within its grace is interrupted (chief_worker_interrupt_reason has it, and its
 * calls return) and, `force_time` later, abandoned, as any worker. It is restarted as `options->restart` says, by
 * default never; `destroy` and `schedule` have to be NULL. chief_init_workers waits for its init too, so a thread
 * that calls that has to leave the worker to another one, or add it afterwards. `*out` is the caller's and may
 * outlive the chief.
 * @thread any  @blocks never
 * Errors: as chief_add_worker_with.
 */
CHIEF_API int chief_add_hosted(chief *c, const char *name, const chief_worker_options *options, chief_hosted **out);

/*
 * One more reference; returns its argument.
 * @thread any  @blocks never
 */
CHIEF_API chief_hosted *chief_hosted_ref(chief_hosted *hosted);

/*
 * Drops a reference.
 * @thread any  @blocks never
 */
CHIEF_API void chief_hosted_unref(chief_hosted *hosted);

/*
 * Waits until the worker is wanted and begins its next life: the calling thread is its home until chief_hosted_end,
 * and its init has begun. Of several replicas it is one that has waited longest; their lives may be led on several
 * threads, or by turns on one. The worker stays the library's.
 * @thread any  @blocks timeout
 * Errors: CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_ECLOSED (the worker was removed, or its chief has stopped: there will
 * be no more lives), CHIEF_EINVAL, CHIEF_EFORK.
 */
CHIEF_API int chief_hosted_begin(chief_hosted *hosted, int64_t timeout_ms, chief_worker **out);

/*
 * Says that the init has succeeded, and waits until the worker may run: CHIEF_OK, and its run begins. When the time
 * is over first, the call may be repeated.
 * @thread worker  @blocks timeout
 * Errors: CHIEF_ECANCELED (it is not to run: what was made by the init is to be undone, and chief_hosted_end follows),
 * CHIEF_ETIMEDOUT, CHIEF_EAGAIN, CHIEF_EBUSY (its run has begun), CHIEF_EINVAL (no hosted worker).
 */
CHIEF_API int chief_hosted_enter(chief_worker *ctx, int64_t timeout_ms);

/*
 * Ends the life, whatever part of it was reached: 0 is a clean end, anything else a failure, which
 * chief_worker_set_error has explained before. An end before chief_hosted_enter has returned CHIEF_OK or
 * CHIEF_ECANCELED is a failure in any case, of the init or before the run. The worker is not to be used after it.
 * @thread worker  @blocks never
 * Errors: CHIEF_EINVAL (no hosted worker).
 */
CHIEF_API int chief_hosted_end(chief_worker *ctx, int code);

/*
 * A descriptor that is readable while chief_hosted_begin, or chief_hosted_enter of one of its lives, would not wait;
 * for a thread that has a loop of its own. Made at the first call; do not read from it and do not close it.
 * @thread any  @blocks never
 * Errors: CHIEF_ESYS, CHIEF_EINVAL, CHIEF_EFORK (as a negative result).
 */
CHIEF_API int chief_hosted_fd(chief_hosted *hosted);

/* ---- Workers in processes of their own ------------------------------------------------------------------------ */

/*
 * How the child of a process worker is started. In a limit and in `umask` 0 means: as the chief's own, and CHIEF_ZERO
 * none at all.
 */
typedef struct chief_process {
    uint32_t size;
    int32_t restart_on_fail; /* non-zero: restart after a failure, where the options say nothing */
    const char *const *argv; /* the program and its arguments; NULL: chief-worker, which hosts plug-ins */
    size_t n_argv;           /* without a NULL at the end */
    chief_bytes spec;        /* what chief_child_spec gives; for chief-worker the path of a plug-in */
    const char *const *env;  /* "NAME=value", beside and before what the chief has in its environment */
    size_t n_env;
    const char *cwd;   /* the folder it starts in */
    const char *user;  /* whom it becomes, a name or a number; the chief has to be allowed to */
    const char *group; /* default: that of `user` */
    int64_t umask;
    int64_t memory;    /* bytes of address space (RLIMIT_AS) */
    int64_t cpu;       /* seconds of processor time (RLIMIT_CPU) */
    int64_t files;     /* open descriptors (RLIMIT_NOFILE) */
    int64_t file_size; /* bytes of a file it writes (RLIMIT_FSIZE) */
    int64_t processes; /* of its user (RLIMIT_NPROC) */
    int64_t core;      /* bytes of a core dump (RLIMIT_CORE) */
} chief_process;

/*
 * Adds a worker whose every generation is a child process: init, run and fini of one generation happen in one child,
 * a restart makes a new one. What it can call, its events, states and limits are those of a worker in a thread; a
 * pointer among the values of the context does not reach it. The child is a group of its own: it is asked to stop by
 * SIGTERM too (so that a system call may end with EINTR), at the end of the grace the whole group is killed, and the
 * worker has ended when the group is empty. A child that dies is a failure («killed by signal 9 (Killed)», «exited
 * with 3»), and what it had in hand is treated as by any other death. `how` and `options` are copied;
 * `options->isolation` may be 0 or CHIEF_PROCESS.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, and as chief_add_worker_with.
 */
CHIEF_API int chief_add_process(chief *c, const char *name, const chief_process *how,
                                const chief_worker_options *options);

/*
 * Where a program of that name is that was installed beside this library (libexec/chief/NAME under the same prefix):
 * what chief_process.argv may begin with. The environment variable of that name (CHIEF_WORKER for chief-worker) goes
 * first. Writes it to `buf`, terminated.
 * @thread any  @blocks never
 * Errors: CHIEF_EINVAL, CHIEF_ENOENT with the places that were looked at, CHIEF_ETOOBIG.
 */
CHIEF_API int chief_find_program(const char *name, char *buf, size_t size);

/* The other end: what a child process has of its chief. */
typedef struct chief_child chief_child;

/*
 * To be called in a process that chief_add_process has started: takes over the descriptors 3 and 4, which lead to the
 * chief, and waits for what it says first.
 * @thread owner  @blocks timeout (10 s)
 * Errors: CHIEF_ENOTSUP when the process was not started by a chief, or by one whose version does not fit; CHIEF_EBUSY
 * the second time; CHIEF_ECLOSED when the chief has gone; CHIEF_EDATA, CHIEF_ENOMEM, CHIEF_ESYS.
 */
CHIEF_API int chief_child_open(chief_child **out);

/*
 * The bytes of chief_process.spec: what is to run here. Borrowed from the child.
 * @thread any  @blocks never
 */
CHIEF_API chief_bytes chief_child_spec(const chief_child *child);

/*
 * Lives the one generation that this process is for, in the calling thread: init, the word of the chief, run, fini,
 * as in a home of the chief's own; then tells how it ended. The ops see an ordinary chief_worker, and every
 * chief_worker_*, chief_channel_*, chief_msg_* and chief_select works on it, in this thread. When the chief has gone
 * the context is cancelled, and if the worker does not end by itself, the process ends with code 75 after the grace
 * (at least 1 s).
 * @thread owner (once)  @blocks forever (as long as the callbacks)
 * Errors: CHIEF_OK after a clean end, CHIEF_EFAILED when init or run has failed (the chief knows why), CHIEF_ECLOSED
 * when the chief has gone, CHIEF_EBUSY the second time.
 */
CHIEF_API int chief_child_run(chief_child *child, const chief_worker_ops *ops, void *data);

/*
 * Tells the chief that what the spec asks for can't be run here, before chief_child_run: the init of this generation
 * has failed with this text.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_child_refuse(chief_child *child, const char *text);

/*
 * Closes the way to the chief and frees the child.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_child_close(chief_child *child);

/* ---- C plug-ins ---------------------------------------------------------------------------------------------- */

/* What a plug-in can call; it links nothing. New members come at the end, `size` says how many there are. */
typedef struct chief_api {
    uint32_t size;
    uint32_t abi;
    const char *(*worker_name)(const chief_worker *);
    uint64_t (*worker_generation)(const chief_worker *);
    chief_context *(*worker_context)(chief_worker *);
    chief_log *(*worker_log)(chief_worker *);
    chief_bytes (*worker_args)(const chief_worker *);
    void (*worker_ready)(chief_worker *);
    void (*worker_set_error)(chief_worker *, int32_t, const char *, const char *);
    int (*worker_sleep)(chief_worker *, int64_t);
    int (*worker_channel)(chief_worker *, const char *, chief_channel **);
    int (*worker_send)(chief_worker *, const char *, const void *, size_t, int64_t);
    int (*worker_call)(chief_worker *, const char *, const void *, size_t, int64_t, chief_msg **);
    int (*worker_broadcast)(chief_worker *, const void *, size_t, size_t *);
    int (*worker_recv)(chief_worker *, int64_t, chief_msg **);
    int (*channel_send)(chief_channel *, chief_worker *, const void *, size_t, int64_t);
    int (*send_reserve)(chief_channel *, chief_worker *, size_t, int64_t, chief_reservation **, void **);
    int (*send_commit)(chief_reservation *, size_t);
    void (*send_cancel)(chief_reservation *);
    int (*channel_recv)(chief_channel *, chief_worker *, int64_t, chief_msg **);
    void (*channel_ack)(chief_channel *, chief_worker *);
    int (*select)(chief_worker *, chief_channel *const *, size_t, int64_t, size_t *, chief_msg **);
    void (*channel_close)(chief_channel *);
    size_t (*channel_len)(chief_channel *);
    chief_bytes (*msg_data)(const chief_msg *);
    const char *(*msg_sender)(const chief_msg *);
    const char *(*msg_kind)(const chief_msg *);
    uint32_t (*msg_deliveries)(const chief_msg *);
    int (*msg_reply)(chief_msg *, const void *, size_t);
    int (*msg_fail)(chief_msg *, const char *);
    void (*msg_free)(chief_msg *);
    int (*context_err)(chief_context *);
    int (*context_fd)(chief_context *);
    int (*context_get)(chief_context *, const char *, chief_value *);
    void (*value_clear)(chief_value *);
    void (*log_write)(chief_log *, int32_t, const char *, const chief_field *, size_t);
    const char *(*strerror)(int);
    const char *(*last_error)(void);
    int (*pack_read)(const void *, size_t, chief_token *, size_t, size_t *);
    int (*pack_write)(const chief_token *, size_t, void *, size_t, size_t *);
    int (*channel_send_many)(chief_channel *, chief_worker *, const chief_bytes *, size_t, int64_t, size_t *);
    int (*channel_recv_many)(chief_channel *, chief_worker *, int64_t, chief_msg **, size_t, size_t *);
    int (*channel_fd)(chief_channel *);
    int (*worker_send_many)(chief_worker *, const char *, const chief_bytes *, size_t, int64_t, size_t *);
    int (*worker_recv_many)(chief_worker *, int64_t, chief_msg **, size_t, size_t *);
    int (*worker_fd)(chief_worker *);
    void (*worker_set_exit_code)(chief_worker *, int32_t);
    size_t (*worker_interrupt_reason)(chief_worker *, char *, size_t);
    int64_t (*wait_deadline)(int64_t);
    int (*wait_prepare)(chief_worker *, const chief_wait *);
    void (*wait_park)(chief_worker *);
    void (*wait_wake)(chief_worker *);
    const char *(*msg_channel)(const chief_msg *);
    size_t (*context_reason)(chief_context *, char *, size_t);
    int64_t (*context_remaining)(chief_context *);
    int (*context_wait)(chief_context *, int64_t);
    int (*set_last_error)(int, const char *);
    uint64_t (*msg_origin)(const chief_msg *);
} chief_api;

/*
 * The table for plug-ins. Constant, the library's.
 * @thread any  @blocks never
 */
CHIEF_API const chief_api *chief_get_api(void);

/* What a plug-in exports as `chief_plugin_v1`: fills `out` (zeroed, its size set) and returns CHIEF_OK. */
typedef int (*chief_plugin_fn)(const chief_api *api, chief_worker_ops *out);

/*
 * Loads the shared object at `path`, which stays loaded, and asks it for its callbacks: what a program does that hosts
 * plug-ins in a process of its own (chief_child_run takes them with NULL as data).
 * @thread any  @blocks never (but for the plug-in)
 * Errors: CHIEF_EINVAL, CHIEF_ENOENT (no such file or no chief_plugin_v1 in it, with the loader's text),
 * CHIEF_EFAILED (the plug-in refused).
 */
CHIEF_API int chief_load_plugin(const char *path, chief_worker_ops *out);

/*
 * Adds a worker whose callbacks come from the shared object at `path`, which stays loaded. Its `data` is NULL;
 * what it needs comes by `args`. With CHIEF_PROCESS the object is loaded here too, to see
 * that it can be and what its restart_on_fail says, and run by chief-worker in a child.
 * @thread any  @blocks never
 * Errors: CHIEF_ENOENT (no such file or no chief_plugin_v1 in it, with the loader's text), CHIEF_EFAILED (the plug-in
 * refused), and as chief_add_worker_with.
 */
CHIEF_API int chief_add_plugin(chief *c, const char *name, const char *path, const chief_worker_options *options);

/* ---- 11. Simulation ------------------------------------------------------------------------------------------ */

/*
 * A chief for tests of one's own policies: it decides as a chief does and tells the same events, but runs nothing. What
 * becomes of its workers is told by the test, and its clock, which begins at 0, moves only when that is asked for. An
 * init is over at once and well, run is entered at once, and who is asked to stop does so at once, unless it is told
 * otherwise. Everything that follows from a call has happened when it returns.
 */
typedef struct chief_sim chief_sim;

/* What a simulated worker does when it is asked to stop. */
enum chief_sim_manners {
    CHIEF_SIM_OBEYS = 0, /* ends at once */
    CHIEF_SIM_BUSY = 1,  /* ends when it is interrupted at the end of its grace, or when the test says so */
    CHIEF_SIM_STUCK = 2  /* is interrupted in vain, and abandoned */
};

/*
 * A simulation without workers. Of the options the log is not used, event_capacity is 65536 by default, and the seed
 * 1, so that the delays are the same each time.
 * @thread any  @blocks never
 * Errors: as chief_new.
 */
CHIEF_API int chief_sim_new(chief_sim **out, const chief_options *options);

/*
 * Frees a simulation, whatever state it is in.
 * @thread owner  @blocks never
 */
CHIEF_API void chief_sim_free(chief_sim *sim);

/*
 * Adds a worker, or its replicas, before the start or after it. `args` and `destroy` are not used; a policy of
 * CHIEF_RESTART_DEFAULT is CHIEF_RESTART_NEVER, since there is no worker to ask.
 * @thread owner  @blocks never
 * Errors: as chief_add_worker_with.
 */
CHIEF_API int chief_sim_add_worker(chief_sim *sim, const char *name, const chief_worker_options *options);

/*
 * As chief_add_group.
 * @thread owner  @blocks never
 * Errors: as chief_add_group.
 */
CHIEF_API int chief_sim_add_group(chief_sim *sim, const char *name, int32_t policy, const char *const *names, size_t n);

/*
 * As chief_enable_workers.
 * @thread owner  @blocks never
 * Errors: as chief_enable_workers.
 */
CHIEF_API int chief_sim_enable_workers(chief_sim *sim, const char *const *names, size_t n);

/*
 * As chief_init_workers and chief_launch. Channels that workers name need not be there.
 * @thread owner  @blocks never
 * Errors: CHIEF_EBUSY (started before), CHIEF_EENABLE, CHIEF_ENOENT and CHIEF_ECYCLE (in `after`).
 */
CHIEF_API int chief_sim_start(chief_sim *sim);

/*
 * Lets time pass, with all that falls due in it.
 * @thread owner  @blocks never
 * Errors: CHIEF_EINVAL (it would go backwards).
 */
CHIEF_API int chief_sim_advance(chief_sim *sim, int64_t ms);

/*
 * The time, in ms since the simulation was made.
 * @thread owner  @blocks never
 */
CHIEF_API int64_t chief_sim_now(const chief_sim *sim);

/*
 * When something falls due next by itself (a restart, the end of a grace …); -1 when nothing will.
 * @thread owner  @blocks never
 */
CHIEF_API int64_t chief_sim_deadline(const chief_sim *sim);

/*
 * The worker's run fails, for this reason (enum chief_reason; NONE: error), with this exit code (0: none) and this text
 * (NULL: the code's or the reason's).
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_EINVAL (no reason of a failure), CHIEF_ESTATE (it does not run; the text says what it
 * does), CHIEF_ENOMEM.
 */
CHIEF_API int chief_sim_fail(chief_sim *sim, const char *name, int32_t reason, int32_t code, const char *text);

/*
 * The worker's next `n` inits fail with this text (NULL: «init failed»). Of a name with replicas those of each.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_ENOMEM.
 */
CHIEF_API int chief_sim_fail_init(chief_sim *sim, const char *name, uint32_t n, const char *text);

/*
 * The worker's run returns cleanly; the thread of an abandoned one ends after all.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_ESTATE (it does not run).
 */
CHIEF_API int chief_sim_finish(chief_sim *sim, const char *name);

/*
 * The worker says that it is ready.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_ESTATE (it does not run), CHIEF_EINVAL (it was added without CHIEF_WORKER_SAYS_READY,
 * and is ready when it runs).
 */
CHIEF_API int chief_sim_ready(chief_sim *sim, const char *name);

/*
 * Says how the worker, or each of its replicas, takes it to be asked to stop (enum chief_sim_manners), from now on.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOENT, CHIEF_EINVAL.
 */
CHIEF_API int chief_sim_behave(chief_sim *sim, const char *name, int32_t manners);

/*
 * As chief_stop, chief_force_stop, and a SIGTERM to a chief that catches it.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOTINIT.
 */
CHIEF_API int chief_sim_stop(chief_sim *sim);
/* @thread owner  @blocks never */
CHIEF_API int chief_sim_force_stop(chief_sim *sim);
/* @thread owner  @blocks never */
CHIEF_API int chief_sim_signal(chief_sim *sim);

/*
 * As the requests chief_start_worker … about one worker.
 * @thread owner  @blocks never
 * Errors: as those.
 */
CHIEF_API int chief_sim_start_worker(chief_sim *sim, const char *name);
/* @thread owner  @blocks never */
CHIEF_API int chief_sim_stop_worker(chief_sim *sim, const char *name);
/* @thread owner  @blocks never */
CHIEF_API int chief_sim_restart_worker(chief_sim *sim, const char *name);
/* @thread owner  @blocks never */
CHIEF_API int chief_sim_remove_worker(chief_sim *sim, const char *name);

/*
 * A snapshot of all workers, as chief_states.
 * @thread owner  @blocks never
 * Errors: CHIEF_ENOMEM.
 */
CHIEF_API int chief_sim_states(chief_sim *sim, chief_snapshot **out);

/*
 * Takes up to `max` of the events since the last time, the oldest first; they are the caller's, each with
 * chief_event_free. `time_ms` is the simulation's. `*n` is 0 when there are none.
 * @thread owner  @blocks never
 * Errors: CHIEF_EINVAL.
 */
CHIEF_API int chief_sim_take_events(chief_sim *sim, chief_event **out, size_t max, size_t *n);

/*
 * 1 once everything has stopped, or nothing is left to run and exit_when_done is set; else 0.
 * @thread owner  @blocks never
 */
CHIEF_API int chief_sim_has_stopped(const chief_sim *sim);

/*
 * As chief_exit_code; 0 until it has stopped.
 * @thread owner  @blocks never
 */
CHIEF_API int chief_sim_exit_code(const chief_sim *sim);

#ifdef __cplusplus
}
#endif

#endif /* CHIEF_H */
