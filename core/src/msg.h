/*
 * msg: one message, made in one block, and lists of them. Knows nothing of channels but a name.
 */
#ifndef CHIEF_MSG_H
#define CHIEF_MSG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* The most bytes in a message where nothing else is said. */
#define CHIEF__MAX_MESSAGE ((int64_t)16 * 1024 * 1024)

/* A name that messages share with their channel. */
typedef struct chief__label {
    atomic_uint refs; /* dropped with release, the last one acquires */
    char text[];
} chief__label;

chief__label *chief__label_new(const char *text);
chief__label *chief__label_ref(chief__label *label);
void chief__label_unref(chief__label *label);

typedef enum chief__msg_kind { MSG_MESSAGE, MSG_CALL, MSG_BROADCAST } chief__msg_kind;

typedef struct chief__call chief__call; /* call.h */
typedef struct chief__body chief__body; /* bytes that several messages share */

#define CHIEF__CACHE_LINE 64

/*
 * A message begins on a cache line, with what stays as it is when a small one is used again: both cores keep a copy of that line.
 * What each message changes comes after it, so that a number and its sender's name travel in one line, and no two messages
 * share one.
 */
struct chief_msg {
    chief__label *channel; /* held; changed only while nobody else holds the message */
    chief__call *call;     /* held; NULL: not a call. This and the next two: const once sent */
    chief__body *body;     /* held; NULL: the bytes are the message's own */
    chief__msg_kind kind;
    uint8_t gap;   /* bytes of its block before it. This and the next: const after new */
    bool is_small; /* with room for any other small one */

    _Alignas(CHIEF__CACHE_LINE) atomic_uint refs; /* dropped with release, the last one acquires */
    _Atomic uint32_t
        deliveries;            /* written under the front's lock, relaxed: a holder that was given up may still look */
    chief_msg *next;           /* under the lock of what its list belongs to, as `seq` */
    uint64_t seq;              /* its place among all that its channel accepted */
    const unsigned char *data; /* this and the following: const once sent */
    size_t len;
    uint64_t origin; /* chief__origin */
    char sender[];   /* then the bytes */
};

/* Who sends by which channel. The number is that of the two together, and of no other two in this process; 0: nobody numbered
 * them. */
typedef struct chief__origin {
    const char *sender; /* NULL: the host */
    uint64_t number;
} chief__origin;

uint64_t chief__origin_number(void);

/* Room for `len` bytes, copied from `data` unless that is NULL. The sender NULL: the host. NULL: out of memory. */
chief_msg *chief__msg_new(const char *sender, chief__label *channel, const void *data, size_t len);

/* The memory of a message that is not sent yet. */
unsigned char *chief__msg_room(chief_msg *msg);

/* Whether these bytes, from this sender, make a small message. */
bool chief__msg_fits(const char *sender, chief_bytes bytes);

/* Makes a message that is in nobody's hands any more (chief__msg_is_free) into a new one of the same channel; false when it
 * does not fit. */
bool chief__msg_reuse(chief_msg *msg, chief__origin from, chief_bytes bytes);

/* Whether the caller is the last to hold it, and it is a small and plain one that belongs to nothing but its channel. */
static inline bool chief__msg_is_free(const chief_msg *msg, const chief__label *channel) {
    return msg->is_small && msg->kind == MSG_MESSAGE && msg->call == NULL && msg->body == NULL &&
           msg->channel == channel && atomic_load_explicit(&msg->refs, memory_order_acquire) == 1;
}

/* A message over shared bytes. */
chief_msg *chief__msg_new_shared(const char *sender, chief__label *channel, chief__body *body);
chief__body *chief__body_new(const void *data, size_t len);
void chief__body_unref(chief__body *body);

/* The only holder needs no atomic addition or subtraction: nobody is left who could change it meanwhile. Who comes next to know of
 * the message learns it through a lock. */
static inline chief_msg *chief__msg_ref(chief_msg *msg) {
    if (atomic_load_explicit(&msg->refs, memory_order_acquire) == 1)
        atomic_store_explicit(&msg->refs, 2, memory_order_relaxed);
    else (void)atomic_fetch_add_explicit(&msg->refs, 1, memory_order_relaxed);
    return msg;
}

/* A list in order; zeroed is empty. Not thread-safe. */
typedef struct chief__msg_list {
    chief_msg *first;
    chief_msg *last;
    size_t len;
} chief__msg_list;

static inline void chief__list_push(chief__msg_list *list, chief_msg *msg) {
    msg->next = NULL;
    if (list->last != NULL) list->last->next = msg;
    else list->first = msg;
    list->last = msg;
    list->len++;
}

/* Has a cache line brought here, for writing. x86-64 has an instruction for that, which the compiler uses only where it is told
 * that the processor has it; one without it does nothing there. */
#if defined __x86_64__
#define CHIEF__PREFETCH(at) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(at)))
#else
#define CHIEF__PREFETCH(at) __builtin_prefetch((at), 1)
#endif

/* Another core has written last what changes with each message, its bytes included, and it comes next. */
static inline void chief__msg_prefetch(const chief_msg *msg) {
    const char *changing = (const char *)&msg->refs;
    CHIEF__PREFETCH(changing);
    CHIEF__PREFETCH(changing + CHIEF__CACHE_LINE);
}

static inline chief_msg *chief__list_pop(chief__msg_list *list) {
    chief_msg *msg = list->first;
    if (msg == NULL) return NULL;
    list->first = msg->next;
    if (list->first == NULL) list->last = NULL;
    else chief__msg_prefetch(list->first);
    list->len--;
    return msg;
}

/* Moves all of `more` behind what is in `list`, or before it. */
static inline void chief__list_append(chief__msg_list *list, chief__msg_list *more) {
    if (more->first == NULL) return;
    if (list->last != NULL) list->last->next = more->first;
    else list->first = more->first;
    list->last = more->last;
    list->len += more->len;
    *more = (chief__msg_list){0};
}

static inline void chief__list_prepend(chief__msg_list *list, chief__msg_list *more) {
    if (more->first == NULL) return;
    more->last->next = list->first;
    list->first = more->first;
    if (list->last == NULL) list->last = more->last;
    list->len += more->len;
    *more = (chief__msg_list){0};
}

/* Merges `more` into `list`, both in the order of `seq`. As long as the first of `list` is at most a few places into
 * `more`, it costs no more than those. */
void chief__list_merge(chief__msg_list *list, chief__msg_list *more);

/* Ends the calls of all and drops a reference of each. No lock may be held. */
void chief__list_discard_all(chief__msg_list *list);

static inline void chief__list_discard(chief__msg_list *list) {
    if (list->first != NULL) chief__list_discard_all(list);
}

#pragma GCC visibility pop
#endif
