#include "channel.h"

#include <string.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "mailbox.h"

#define CAPACITY 64
#define MAX_DELIVERIES 5
#define SPARE 1024

/* ---- life ---- */

static int check_options(const char *name, const chief_channel_options *o) {
    if (o->overflow < CHIEF_BLOCK || o->overflow > CHIEF_FAIL)
        return chief__fail(CHIEF_EINVAL, "channel \"%s\": there is no overflow %d", name, (int)o->overflow);
    if (o->delivery < CHIEF_AT_MOST_ONCE || o->delivery > CHIEF_AT_LEAST_ONCE)
        return chief__fail(CHIEF_EINVAL, "channel \"%s\": there is no delivery %d", name, (int)o->delivery);
    if (o->max_deliveries < 0 && o->max_deliveries != CHIEF_ZERO)
        return chief__fail(CHIEF_EINVAL, "channel \"%s\": max_deliveries is negative", name);
    if (o->max_message < 0 && o->max_message != CHIEF_ZERO)
        return chief__fail(CHIEF_EINVAL, "channel \"%s\": max_message is negative", name);
    if (o->dead != NULL && strcmp(o->dead, name) == 0)
        return chief__fail(CHIEF_EINVAL, "channel \"%s\": dead can't be the channel itself", name);
    return o->dead != NULL ? chief__name_check(o->dead, "channel") : CHIEF_OK;
}

static chief_channel *channel_make(const char *name, const char *owner, const chief_channel_options *o) {
    chief_channel *ch = chief__calloc(1, sizeof *ch);
    if (ch == NULL) return NULL;
    atomic_init(&ch->refs, 1);
    chief__mutex_init(&ch->back);
    chief__mutex_init(&ch->front);
    ch->fd = -1;
    ch->overflow = o->overflow;
    ch->delivery = o->delivery;
    ch->capacity = o->capacity != 0 ? o->capacity : CAPACITY;
    ch->max_deliveries = (uint64_t)chief__or_default(o->max_deliveries, MAX_DELIVERIES);
    ch->max_message = (size_t)chief__or_default(o->max_message, CHIEF__MAX_MESSAGE);
    ch->label = chief__label_new(owner != NULL ? "" : name);
    if (owner != NULL) ch->owner = chief__strdup(owner);
    if (o->dead != NULL) ch->dead = chief__strdup(o->dead);
    if (ch->label != NULL && (ch->owner != NULL) == (owner != NULL) && (ch->dead != NULL) == (o->dead != NULL))
        return ch;
    chief_channel_unref(ch);
    return NULL;
}

int chief__channel_new(chief_channel **out, const char *name, const char *owner, const chief_channel_options *options) {
    chief_channel_options o;
    *out = NULL;
    int rc = chief__options_read(&o, sizeof o, options, "chief_channel_options");
    if (rc == CHIEF_OK) rc = check_options(name, &o);
    if (rc != CHIEF_OK) return rc;
    *out = channel_make(name, owner, &o);
    return *out != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

int chief_channel_new(chief_channel **out, const char *name, const chief_channel_options *options) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    int rc = chief__name_check(name, "channel");
    return rc == CHIEF_OK ? chief__channel_new(out, name, NULL, options) : rc;
}

chief_channel *chief_channel_ref(chief_channel *ch) {
    if (ch != NULL) (void)atomic_fetch_add_explicit(&ch->refs, 1, memory_order_relaxed);
    return ch;
}

void chief_channel_unref(chief_channel *ch) {
    if (ch == NULL || atomic_fetch_sub_explicit(&ch->refs, 1, memory_order_acq_rel) != 1) return;
    chief__list_discard(&ch->queue);
    chief__list_discard(&ch->fresh);
    chief__list_discard(&ch->spare);
    chief__list_discard(&ch->used);
    chief__fd_close(ch->fd);
    chief__label_unref(ch->label);
    chief__free(ch->owner);
    chief__free(ch->dead);
    chief__mutex_fini(&ch->front);
    chief__mutex_fini(&ch->back);
    chief__free(ch);
}

const char *chief_channel_name(const chief_channel *ch) { return ch != NULL ? ch->label->text : ""; }

/* ---- closing ---- */

/* With the lock held. */
static void close_for(chief_channel *ch, int refusal) {
    if (ch->refusal == CHIEF_OK || refusal == CHIEF_ENOENT) ch->refusal = refusal;
    ch->closed = true;
    chief__channel_update_fd(ch);
    chief__channel_wake_all(ch, &ch->senders);
    chief__channel_wake_all(ch, &ch->receivers);
}

void chief_channel_close(chief_channel *ch) {
    if (ch == NULL) return;
    if (ch->far != NULL) {
        ch->far->ops->close(ch->far, ch);
        return;
    }
    chief__channel_lock(ch);
    close_for(ch, CHIEF_ECLOSED);
    chief__channel_unlock(ch);
}

bool chief__channel_is_open(chief_channel *ch) {
    chief__channel_lock(ch);
    bool open = ch->refusal == CHIEF_OK;
    chief__channel_unlock(ch);
    return open;
}

static void end_calls(const chief__msg_list *list) {
    for (const chief_msg *msg = list->first; msg != NULL; msg = msg->next)
        if (msg->call != NULL) chief__call_end(msg->call);
}

void chief__channel_shut(chief_channel *mailbox, bool shut) {
    chief__channel_lock(mailbox);
    if (!mailbox->closed) mailbox->refusal = shut ? CHIEF_ENOENT : CHIEF_OK;
    if (shut) {
        chief__channel_wake_all(mailbox, &mailbox->senders);
        end_calls(&mailbox->queue);
    }
    chief__channel_unlock(mailbox);
}

void chief__channel_retire(chief_channel *ch, int refusal) {
    chief__channel_lock(ch);
    close_for(ch, refusal);
    end_calls(&ch->queue);
    for (const chief__hand *hand = ch->hands; hand != NULL; hand = hand->next) end_calls(&hand->held);
    chief__hub *hub = ch->hub;
    ch->hub = NULL;
    chief__channel_unlock(ch);
    chief__hub_unref(hub);
}

void chief__channel_owned(chief_channel *mailbox, int change) {
    chief__channel_lock(mailbox);
    if (change > 0) mailbox->owners++;
    else if (--mailbox->owners == 0) chief__channel_wake_all(mailbox, &mailbox->senders);
    chief__channel_unlock(mailbox);
}

/* ---- the two ends ---- */

static size_t spare_max(const chief_channel *ch) { return ch->capacity < SPARE ? ch->capacity : SPARE; }

/* The ones that were used last come first: they are in a cache. */
static void hand_back_used(chief_channel *ch) {
    if (ch->used.len == 0 || ch->spare.len + ch->used.len > spare_max(ch)) return;
    chief__list_prepend(&ch->spare, &ch->used);
}

void chief__channel_lock(chief_channel *ch) {
    chief__lock(&ch->back);
    chief__lock(&ch->front);
    chief__list_append(&ch->queue, &ch->fresh);
    hand_back_used(ch);
}

/* What was done with meanwhile is there for the next sender, who then needs the back alone. */
void chief__channel_unlock(chief_channel *ch) {
    hand_back_used(ch);
    ch->left_seen = atomic_load_explicit(&ch->sent, memory_order_relaxed) - ch->queue.len;
    atomic_store_explicit(&ch->left, ch->left_seen, memory_order_release);
    chief__unlock(&ch->front);
    chief__channel_unlock_back(ch);
}

void chief__channel_unlock_back(chief_channel *ch) {
    if (ch->woken.n == 0) {
        chief__unlock(&ch->back);
        return;
    }
    chief__sleepers woken = ch->woken;
    ch->woken.n = 0;
    chief__unlock(&ch->back);
    chief__sleepers_rouse(&woken);
}

void chief__channel_wake_one(chief_channel *ch, chief__queue *queue) { chief__queue_wake_later(queue, &ch->woken); }

void chief__channel_wake_all(chief_channel *ch, chief__queue *queue) {
    while (queue->first != NULL) chief__channel_wake_one(ch, queue);
}

bool chief__channel_spin(chief_channel *ch, chief__stay *stay, bool (*is_there)(const void *ch)) {
    if (stay->spun) return false;
    stay->spun = true;
    chief__channel_unlock(ch);
    (void)chief__spin(&stay->waiter->parker, is_there, ch);
    chief__channel_lock(ch);
    return true;
}

/* ---- messages that are used again ---- */

chief_msg *chief__channel_spare_take(chief_channel *ch, chief__origin from, chief_bytes bytes) {
    chief_msg *msg = ch->spare.first;
    if (msg == NULL || !chief__msg_reuse(msg, from, bytes)) return NULL;
    return chief__list_pop(&ch->spare);
}

/* The one that was used last comes first: it is in this core's cache. */
bool chief__channel_spare_keep(chief_channel *ch, chief_msg *msg) {
    if (ch->used.len >= spare_max(ch)) return false;
    if (!chief__msg_is_free(msg, ch->label)) return false;
    msg->next = ch->used.first;
    ch->used.first = msg;
    if (ch->used.last == NULL) ch->used.last = msg;
    ch->used.len++;
    return true;
}

/* ---- looking ---- */

static size_t far_len(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    return ch->far->ops->count(ch->far, ch, &s) == CHIEF_OK ? (size_t)s.queued : 0;
}

size_t chief_channel_len(chief_channel *ch) {
    if (ch == NULL) return 0;
    if (ch->far != NULL) return far_len(ch);
    chief__channel_lock(ch);
    size_t len = ch->queue.len;
    chief__channel_unlock(ch);
    return len;
}

static void count(chief_channel *ch, chief_channel_stats *out) {
    chief_channel_stats s = {.size = out->size, .capacity = (uint32_t)ch->capacity};
    chief__channel_lock(ch);
    s.sent = atomic_load_explicit(&ch->sent, memory_order_relaxed);
    s.received = ch->acknowledged + ch->in_hand;
    s.queued = ch->queue.len;
    s.dropped = ch->dropped;
    s.acknowledged = ch->acknowledged;
    s.in_hand = ch->in_hand;
    s.redelivered = ch->redelivered;
    s.dead = ch->dead_lettered;
    chief__channel_unlock(ch);
    *out = s;
}

int chief_channel_get_stats(chief_channel *ch, chief_channel_stats *out) {
    if (ch == NULL || out == NULL || out->size < sizeof out->size) return chief__fail_code(CHIEF_EINVAL);
    chief_channel_stats s = {.size = out->size};
    int rc = CHIEF_OK;
    if (ch->far != NULL) rc = ch->far->ops->count(ch->far, ch, &s);
    else count(ch, &s);
    if (rc != CHIEF_OK) return rc;
    memset(out, 0, s.size);
    memcpy(out, &s, s.size < sizeof s ? s.size : sizeof s);
    return CHIEF_OK;
}

void chief__channel_update_fd(chief_channel *ch) {
    if (ch->fd < 0) return;
    if (ch->queue.len > 0 || ch->closed) chief__fd_set(ch->fd);
    else chief__fd_clear(ch->fd);
}

int chief_channel_fd(chief_channel *ch) {
    if (ch == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (ch->far != NULL) return ch->far->ops->watch(ch->far, ch);
    chief__channel_lock(ch);
    if (ch->fd < 0) {
        ch->fd = chief__fd_new();
        chief__channel_update_fd(ch);
    }
    int fd = ch->fd;
    chief__channel_unlock(ch);
    return fd >= 0 ? fd : chief__fail(CHIEF_ESYS, "no descriptor for channel \"%s\"", ch->label->text);
}

int chief__channel_explain(const chief_channel *ch, int rc) {
    const char *what = ch->owner != NULL ? "the mailbox of worker" : "channel";
    const char *name = ch->owner != NULL ? ch->owner : ch->label->text;
    switch (rc) {
    case CHIEF_OK: return rc;
    case CHIEF_ECLOSED: return chief__fail_about(rc, what, name, " is closed");
    case CHIEF_EFULL: return chief__fail_about(rc, what, name, " is full");
    case CHIEF_ENOENT: return chief__fail(rc, "worker \"%s\" is not enabled, was given up or removed", name);
    case CHIEF_ETIMEDOUT: return chief__fail_about(rc, what, name, ": timed out");
    case CHIEF_EAGAIN: return chief__fail_about(rc, what, name, ": nothing to do without waiting");
    default: return chief__fail_code(rc);
    }
}
