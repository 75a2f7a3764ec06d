/* tell: the values of a process worker's context as its child is told of them: all at first, then what has changed. On the
 * call channel before each answer, so that who has a message sees what was set before it was sent; on the side channel as
 * soon as possible. The order says which of two is the newer. */
#include <string.h>

#include "proxy.h"

/* Under the lock of one of the trees. */
static void on_change(void *data) {
    chief__proxy *p = data;
    atomic_store_explicit(&p->by_call.stale, true, memory_order_relaxed);
    atomic_store_explicit(&p->by_side.stale, true, memory_order_relaxed);
    chief__spawned_nudge(p->child);
}

void chief__tell_begin(chief__proxy *p) {
    p->followers[0].changed = on_change;
    p->followers[0].data = p;
    atomic_store_explicit(&p->by_call.stale, true, memory_order_relaxed);
    chief__context_follow(chief_worker_context(p->worker), p->followers, CHIEF__FOLLOWED);
}

static void forget(chief__teller *way) {
    if (way->told != NULL) chief__context_list_free(way->told, way->n_told);
    way->told = NULL;
    way->n_told = 0;
}

void chief__tell_fini(chief__proxy *p) {
    chief__context_unfollow(p->followers, CHIEF__FOLLOWED);
    forget(&p->by_call);
    forget(&p->by_side);
}

static int64_t number_of(const chief_value *value) {
    int64_t bits = 0;
    if (value->type == CHIEF_BOOL) return value->boolean;
    if (value->type == CHIEF_INTEGER) return value->integer;
    if (value->type == CHIEF_NUMBER) memcpy(&bits, &value->number, sizeof bits);
    return bits;
}

static void put_value(chief__frames *out, int64_t order, const chief__keyed *v) {
    chief_bytes bytes = v->value.type == CHIEF_BYTES ? v->value.bytes : (chief_bytes){NULL, 0};
    chief__frame_begin(out, FRAME_VALUE);
    chief__frame_int(out, order);
    chief__frame_int(out, v->value.type);
    chief__frame_int(out, number_of(&v->value));
    chief__frame_text(out, v->key);
    chief__frame_bytes(out, bytes.data, bytes.len);
    (void)chief__frame_end(out);
}

/* The logger has a way of its own. */
static bool is_known(const chief__teller *way, const chief__keyed *v) {
    if (strcmp(v->key, CHIEF_CTX_KEY_LOG) == 0) return true;
    for (size_t i = 0; i < way->n_told; i++)
        if (way->told[i].value.owner == v->value.owner && strcmp(way->told[i].key, v->key) == 0) return true;
    return false;
}

/* With the lock held. What it sees may have become more. What was told before is left in `old`: the host's destructors in
 * it run when the lock is free. */
static int look(chief__proxy *p, chief__teller *way, chief__frames *out, chief__teller *old) {
    chief__keyed *list;
    size_t n;
    chief_context *ctx = chief_worker_context(p->worker);
    chief__context_follow(ctx, p->followers, CHIEF__FOLLOWED);
    int rc = chief__context_list(ctx, &list, &n);
    if (rc != CHIEF_OK) return rc;
    p->value_order++;
    for (size_t i = 0; i < n; i++)
        if (!is_known(way, &list[i])) put_value(out, p->value_order, &list[i]);
    old->told = way->told;
    old->n_told = way->n_told;
    way->told = list;
    way->n_told = n;
    return out->failed ? CHIEF_ENOMEM : CHIEF_OK;
}

int chief__tell_values(chief__proxy *p, chief__teller *way, chief__frames *out) {
    if (!atomic_exchange_explicit(&way->stale, false, memory_order_relaxed)) return CHIEF_OK;
    chief__teller old = {0};
    chief__lock(&p->value_lock);
    int rc = look(p, way, out, &old);
    chief__unlock(&p->value_lock);
    forget(&old);
    if (rc != CHIEF_OK) chief__tell_again(way);
    return rc;
}

void chief__tell_again(chief__teller *way) {
    forget(way);
    atomic_store_explicit(&way->stale, true, memory_order_relaxed);
}
