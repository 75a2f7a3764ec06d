/*
 * mailbox: the hub, all channels and mailboxes of one chief by their names. A mailbox is a channel that belongs to a
 * worker's name, from its registration to its removal, whatever lives it has in between. Knows nothing of states.
 */
#ifndef CHIEF_MAILBOX_H
#define CHIEF_MAILBOX_H

#include "channel.h"

#pragma GCC visibility push(hidden)

/* A hub without names. Reference-counted: abandoned workers outlive their chief. `on_dropped` (may be NULL) is told,
 * without any lock, of each message that left at max_deliveries, until the hub is closed. */
typedef void (*chief__on_dropped)(void *data, const char *channel, const char *worker);
int chief__hub_new(chief__hub **out, chief__on_dropped on_dropped, void *data);
chief__hub *chief__hub_ref(chief__hub *hub);
void chief__hub_unref(chief__hub *hub);

/* CHIEF_EEXIST, CHIEF_EINVAL, CHIEF_ENOMEM, CHIEF_ECLOSED. */
int chief__hub_add_channel(chief__hub *hub, const char *name, const chief_channel_options *options);

/* Borrowed for the hub's life. CHIEF_ENOENT lists those there are. */
int chief__hub_channel(chief__hub *hub, const char *name, chief_channel **out);

/* The same with a reference of the caller's; NULL when there is none. */
chief_channel *chief__hub_find(chief__hub *hub, const char *name);

/* CHIEF_ENOENT for a channel whose `dead` names none. */
int chief__hub_check(chief__hub *hub);

/* A worker's mailbox, open at first. CHIEF_EEXIST, CHIEF_ENOMEM, CHIEF_ECLOSED. */
int chief__hub_add_worker(chief__hub *hub, const char *name, uint32_t capacity);

/* Its mailbox goes: who waits to send there gets CHIEF_ENOENT, who waits for an answer CHIEF_ENOREPLY. */
void chief__hub_remove_worker(chief__hub *hub, const char *name);

/* Not open: not enabled, or given up. Sends are CHIEF_ENOENT, what is queued stays. CHIEF_ENOENT for an unknown name. */
int chief__hub_open_worker(chief__hub *hub, const char *name, bool open);

/* The mailbox of a worker with a reference of the caller's; NULL when there is none. */
chief_channel *chief__hub_mailbox(chief__hub *hub, const char *name);

/* Whose mailbox a message to `to` goes into: the worker's of that name, or that of one of its replicas in turn that is open
 * and not `but`; with a reference of the caller's. `*shared` when there are replicas, so that one which closes meanwhile
 * is no reason to fail. CHIEF_ENOENT; CHIEF_EDEADLK when `but` is the only one. */
int chief__hub_addressee(chief__hub *hub, const char *to, const chief_channel *but, chief_channel **mailbox,
                         bool *shared);

/* The chief has ended: every channel and mailbox is closed, every waiter woken, every call ended. What is queued stays
 * countable. Again changes nothing. */
void chief__hub_close(chief__hub *hub);

/* As the chief_worker_* of these names; `from` NULL is the host. */
int chief__hub_send(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms);
int chief__hub_send_many(chief__hub *hub, chief__party *from, const char *to, const chief_bytes *items, size_t n,
                         int64_t timeout_ms, size_t *sent);
int chief__hub_call(chief__hub *hub, chief__party *from, const char *to, const void *data, size_t len,
                    int64_t timeout_ms, chief_msg **reply);
int chief__hub_broadcast(chief__hub *hub, chief__party *from, const void *data, size_t len, size_t *reached);

/* Replies that came when their caller had gone. */
uint64_t chief__hub_late_replies(chief__hub *hub);

/* ---- for the files beside this one ---- */

/* All mailboxes as they are now, each held, until chief__hub_list_free. CHIEF_ENOMEM, with none. */
int chief__hub_mailboxes(chief__hub *hub, chief_channel ***out, size_t *n);
void chief__hub_list_free(chief_channel **channels, size_t n);

struct chief__counter;
struct chief__counter *chief__hub_late_counter(chief__hub *hub);

/* Tells whom the hub was made for. No lock may be held. */
void chief__hub_dropped(chief__hub *hub, const char *channel, const char *worker);

#pragma GCC visibility pop
#endif
