#include "context.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "value.h"

#define REASON_SIZE 96

/* A reason that is too long for a node's own room, shared by all nodes that it cancelled. */
struct text {
    atomic_uint refs; /* dropped with release, the last one acquires */
    char bytes[];
};

/* What the nodes of one tree share; it lives as long as one of them. */
struct tree {
    atomic_uint refs; /* dropped with release, the last one acquires */
    chief__mutex lock;
    chief__follower *followers; /* under lock */
};

struct pair {
    struct pair *next;
    chief__box *box; /* NULL: the value is somewhere else, and can't be had here */
    const char *why; /* then */
    char key[];
};

struct chief_context {
    atomic_uint refs;      /* dropped with release, the last one acquires */
    struct tree *tree;     /* this and the next two: const after new */
    chief_context *parent; /* held, so that a parent may be released first */
    int64_t deadline;
    _Atomic int err; /* written under lock with release, after the reason; read with acquire */
    /* under the tree's lock */
    chief_context *first_child, *next, *previous;
    chief_context *seen;
    struct pair *pairs;
    chief__queue waiting;
    int fd;
    struct text *long_reason; /* NULL: the one below is whole, or there was no memory for more of it */
    char reason[REASON_SIZE];
};

/* ---- the tree ---- */

static struct tree *tree_new(void) {
    struct tree *tree = chief__calloc(1, sizeof *tree);
    if (tree == NULL) return NULL;
    atomic_init(&tree->refs, 1);
    chief__mutex_init(&tree->lock);
    return tree;
}

static void tree_unref(struct tree *tree) {
    if (atomic_fetch_sub_explicit(&tree->refs, 1, memory_order_acq_rel) != 1) return;
    chief__mutex_fini(&tree->lock);
    chief__free(tree);
}

/* ---- reasons ---- */

/* NULL when a node's own room is enough, or there is no memory. */
static struct text *long_text(const char *reason) {
    size_t len = strlen(reason);
    if (len < REASON_SIZE) return NULL;
    struct text *text = chief__alloc(sizeof *text + len + 1);
    if (text == NULL) return NULL;
    atomic_init(&text->refs, 1);
    memcpy(text->bytes, reason, len + 1);
    return text;
}

static struct text *text_ref(struct text *text) {
    if (text != NULL) (void)atomic_fetch_add_explicit(&text->refs, 1, memory_order_relaxed);
    return text;
}

static void text_unref(struct text *text) {
    if (text != NULL && atomic_fetch_sub_explicit(&text->refs, 1, memory_order_acq_rel) == 1) chief__free(text);
}

/* With the lock held. What has to be cut is cut between two characters. */
static void set_reason(chief_context *ctx, const char *reason, struct text *whole) {
    size_t len = strnlen(reason, REASON_SIZE);
    if (len == REASON_SIZE)
        for (len--; len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80; len--) {
        }
    memcpy(ctx->reason, reason, len);
    ctx->reason[len] = '\0';
    ctx->long_reason = text_ref(whole);
}

/* ---- nodes ---- */

static void adopt(chief_context *parent, chief_context *child) {
    chief__lock(&parent->tree->lock);
    child->next = parent->first_child;
    if (child->next != NULL) child->next->previous = child;
    parent->first_child = child;
    set_reason(child, parent->reason, parent->long_reason);
    atomic_store_explicit(&child->err, atomic_load_explicit(&parent->err, memory_order_relaxed), memory_order_release);
    chief__unlock(&parent->tree->lock);
}

static void disown(chief_context *child) {
    chief__lock(&child->tree->lock);
    if (child->previous != NULL) child->previous->next = child->next;
    else child->parent->first_child = child->next;
    if (child->next != NULL) child->next->previous = child->previous;
    chief__unlock(&child->tree->lock);
}

static int context_new(chief_context **out, chief_context *parent, int64_t deadline) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    chief_context *ctx = chief__calloc(1, sizeof *ctx);
    struct tree *tree = NULL;
    if (ctx != NULL) tree = parent != NULL ? parent->tree : tree_new();
    if (tree == NULL) {
        chief__free(ctx);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    atomic_init(&ctx->refs, 1);
    ctx->tree = tree;
    ctx->fd = -1;
    ctx->deadline = deadline;
    if (parent != NULL) {
        (void)atomic_fetch_add_explicit(&tree->refs, 1, memory_order_relaxed);
        ctx->parent = chief_context_ref(parent);
        if (parent->deadline < deadline) ctx->deadline = parent->deadline;
        adopt(parent, ctx);
    }
    *out = ctx;
    return CHIEF_OK;
}

int chief_context_new(chief_context **out, chief_context *parent) { return context_new(out, parent, INT64_MAX); }

int chief_context_new_deadline(chief_context **out, chief_context *parent, int64_t timeout_ms) {
    if (out != NULL) *out = NULL;
    if (timeout_ms < 0) return chief__fail(CHIEF_EINVAL, "a context's timeout is negative");
    return context_new(out, parent, chief__deadline(timeout_ms));
}

chief_context *chief_context_ref(chief_context *ctx) {
    if (ctx != NULL) (void)atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

static void context_free(chief_context *ctx) {
    struct tree *tree = ctx->tree;
    while (ctx->pairs != NULL) {
        struct pair *pair = ctx->pairs;
        ctx->pairs = pair->next;
        chief__box_unref(pair->box);
        chief__free(pair);
    }
    text_unref(ctx->long_reason);
    chief__fd_close(ctx->fd);
    chief_context_unref(ctx->seen);
    chief__free(ctx);
    tree_unref(tree);
}

/* Up the tree in a loop: a long chain of last children is no deep recursion. */
void chief_context_unref(chief_context *ctx) {
    while (ctx != NULL && atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) == 1) {
        chief_context *parent = ctx->parent;
        if (parent != NULL) disown(ctx);
        context_free(ctx);
        ctx = parent;
    }
}

/* ---- being done ---- */

int64_t chief__context_deadline(const chief_context *ctx) { return ctx->deadline; }

int chief_context_err(chief_context *ctx) {
    if (ctx == NULL) return chief__fail_code(CHIEF_EINVAL);
    int err = atomic_load_explicit(&ctx->err, memory_order_acquire);
    if (err != CHIEF_OK || ctx->deadline == INT64_MAX) return err;
    return chief__now_ms() >= ctx->deadline ? CHIEF_ETIMEDOUT : CHIEF_OK;
}

/* With the lock held. False when it was done before, also by its deadline: then all below it are done too. */
static bool finish(chief_context *ctx, const char *reason, struct text *whole) {
    if (chief_context_err(ctx) != CHIEF_OK) return false;
    set_reason(ctx, reason, whole);
    atomic_store_explicit(&ctx->err, CHIEF_ECANCELED, memory_order_release);
    chief__queue_wake_all(&ctx->waiting);
    if (ctx->fd >= 0) chief__timerfd_fire(ctx->fd);
    return true;
}

/* The next node below `top` in pre-order; the children of a node that was done before are done too. */
static chief_context *next_below(chief_context *top, chief_context *at, bool into) {
    if (into && at->first_child != NULL) return at->first_child;
    while (at != top && at->next == NULL) at = at->parent;
    return at != top ? at->next : NULL;
}

void chief_context_cancel(chief_context *ctx, const char *reason) {
    if (ctx == NULL) return;
    if (reason == NULL) reason = "cancelled";
    struct text *whole = long_text(reason);
    chief__lock(&ctx->tree->lock);
    for (chief_context *at = ctx; at != NULL;) {
        bool into = finish(at, reason, whole);
        at = next_below(ctx, at, into);
    }
    chief__unlock(&ctx->tree->lock);
    text_unref(whole);
}

size_t chief_context_reason(chief_context *ctx, char *buf, size_t size) {
    if (buf != NULL && size > 0) buf[0] = '\0';
    int err = chief_context_err(ctx);
    if (ctx == NULL || err == CHIEF_OK) return 0;
    if (buf == NULL) size = 0;
    if (err == CHIEF_ETIMEDOUT) return (size_t)snprintf(buf, size, "deadline exceeded");
    chief__lock(&ctx->tree->lock);
    int len = snprintf(buf, size, "%s", ctx->long_reason != NULL ? ctx->long_reason->bytes : ctx->reason);
    chief__unlock(&ctx->tree->lock);
    return (size_t)len;
}

int64_t chief_context_remaining(chief_context *ctx) {
    if (ctx == NULL || ctx->deadline == INT64_MAX) return -1;
    int64_t left = ctx->deadline - chief__now_ms();
    return left > 0 ? left : 0;
}

void chief__context_join(chief_context *ctx, chief__place *place, chief__waiter *waiter) {
    chief__lock(&ctx->tree->lock);
    /* one that was cancelled meanwhile wakes at once */
    if (atomic_load_explicit(&ctx->err, memory_order_relaxed) != CHIEF_OK) chief__waiter_wake(waiter);
    else chief__queue_join(&ctx->waiting, place, waiter);
    chief__unlock(&ctx->tree->lock);
}

void chief__context_leave(chief_context *ctx, chief__place *place) {
    chief__lock(&ctx->tree->lock);
    (void)chief__queue_leave(&ctx->waiting, place);
    chief__unlock(&ctx->tree->lock);
}

int chief_context_wait(chief_context *ctx, int64_t timeout_ms) {
    if (ctx == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (chief_context_err(ctx) != CHIEF_OK) return CHIEF_OK;
    if (timeout_ms == 0) return chief__fail(CHIEF_EAGAIN, "the context is not done");
    int64_t deadline = chief__deadline(timeout_ms);
    int64_t until = deadline < ctx->deadline ? deadline : ctx->deadline;
    chief__waiter waiter = {0};
    chief__place place = {0};
    chief__context_join(ctx, &place, &waiter);
    while (chief_context_err(ctx) == CHIEF_OK && chief__park(&waiter.parker, until)) {
    }
    chief__context_leave(ctx, &place);
    return chief_context_err(ctx) != CHIEF_OK ? CHIEF_OK : chief__fail(CHIEF_ETIMEDOUT, "the context is not done");
}

int chief_context_fd(chief_context *ctx) {
    if (ctx == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&ctx->tree->lock);
    if (ctx->fd < 0) {
        ctx->fd = chief__timerfd_new(ctx->deadline);
        if (ctx->fd >= 0 && atomic_load_explicit(&ctx->err, memory_order_relaxed) != CHIEF_OK)
            chief__timerfd_fire(ctx->fd);
    }
    int fd = ctx->fd;
    chief__unlock(&ctx->tree->lock);
    return fd >= 0 ? fd : chief__fail(CHIEF_ESYS, "no descriptor for the context");
}

/* ---- values ---- */

/* `value` NULL: withheld. */
static struct pair *pair_new(const char *key, const chief_value *value, int *rc) {
    size_t len = strlen(key);
    struct pair *pair = chief__calloc(1, sizeof *pair + len + 1);
    if (pair == NULL) {
        *rc = chief__fail_code(CHIEF_ENOMEM);
        return NULL;
    }
    *rc = value != NULL ? chief__box_new(&pair->box, value) : CHIEF_OK;
    if (*rc != CHIEF_OK) {
        chief__free(pair);
        return NULL;
    }
    memcpy(pair->key, key, len + 1);
    return pair;
}

/* With the lock held: puts the pair in and gives back the one it replaces. */
static struct pair *put_pair(chief_context *ctx, struct pair *pair) {
    struct pair **at = &ctx->pairs;
    while (*at != NULL && strcmp((*at)->key, pair->key) != 0) at = &(*at)->next;
    struct pair *old = *at;
    pair->next = old != NULL ? old->next : NULL;
    *at = pair;
    return old;
}

/* With the lock held. */
static void tell_followers(const struct tree *tree) {
    for (const chief__follower *w = tree->followers; w != NULL; w = w->next) w->changed(w->data);
}

static void set_pair(chief_context *ctx, struct pair *pair) {
    chief__lock(&ctx->tree->lock);
    struct pair *old = put_pair(ctx, pair);
    tell_followers(ctx->tree);
    chief__unlock(&ctx->tree->lock);
    if (old != NULL) chief__box_unref(old->box);
    chief__free(old);
}

int chief_context_set(chief_context *ctx, const char *key, const chief_value *value) {
    int rc;
    if (ctx == NULL || key == NULL || value == NULL) return chief__fail_code(CHIEF_EINVAL);
    struct pair *pair = pair_new(key, value, &rc);
    if (pair != NULL) set_pair(ctx, pair);
    return rc;
}

int chief__context_withhold(chief_context *ctx, const char *key, const char *why) {
    int rc;
    struct pair *pair = pair_new(key, NULL, &rc);
    if (pair == NULL) return rc;
    pair->why = why;
    set_pair(ctx, pair);
    return rc;
}

static const chief_context *root_of(const chief_context *ctx) {
    while (ctx->parent != NULL) ctx = ctx->parent;
    return ctx;
}

/* With the lock held. */
static const struct pair *look_up(const chief_context *ctx, const char *key) {
    for (; ctx != NULL; ctx = ctx->parent)
        for (const struct pair *pair = ctx->pairs; pair != NULL; pair = pair->next)
            if (strcmp(pair->key, key) == 0) return pair;
    return NULL;
}

int chief_context_get(chief_context *ctx, const char *key, chief_value *out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    memset(out, 0, sizeof *out);
    if (ctx == NULL || key == NULL) return chief__fail_code(CHIEF_EINVAL);
    const chief_context *root = root_of(ctx);
    chief__lock(&ctx->tree->lock);
    const struct pair *pair = look_up(ctx, key);
    const char *why = pair != NULL ? pair->why : NULL;
    bool found = pair != NULL && pair->box != NULL;
    if (found) chief__box_get(pair->box, out);
    chief_context *seen = root->seen;
    chief__unlock(&ctx->tree->lock);
    if (found) return CHIEF_OK;
    if (why != NULL) return chief__fail(CHIEF_ENOENT, "value \"%.64s\": %s", key, why);
    return seen != NULL ? chief_context_get(seen, key, out) : chief__fail(CHIEF_ENOENT, "no value \"%.64s\"", key);
}

/* What a root sees: set once, under its lock, and held by it. */
static chief_context *seen_by(const chief_context *root) {
    chief__lock(&root->tree->lock);
    chief_context *seen = root->seen;
    chief__unlock(&root->tree->lock);
    return seen;
}

static bool leads_to(const chief_context *from, const struct tree *tree) {
    for (; from != NULL; from = seen_by(root_of(from)))
        if (from->tree == tree) return true;
    return false;
}

int chief__context_see(chief_context *ctx, chief_context *other) {
    static chief__mutex seeing; /* before every tree's: two must not turn to each other */
    chief__lock(&seeing);
    bool circle = leads_to(other, ctx->tree);
    chief__lock(&ctx->tree->lock);
    if (!circle && ctx->seen == NULL) ctx->seen = chief_context_ref(other);
    tell_followers(ctx->tree);
    chief__unlock(&ctx->tree->lock);
    chief__unlock(&seeing);
    return circle ? chief__fail(CHIEF_EINVAL, "a chief's parent context can't lie below its own") : CHIEF_OK;
}

/* ---- all values ---- */

/* What is counted, and what there is room for. */
typedef struct listing {
    chief__keyed *list;
    size_t n, room;
    size_t bytes, bytes_room; /* of the names, behind the list */
} listing;

static bool is_listed(const listing *l, const char *key) {
    for (size_t i = 0; l->list != NULL && i < l->n; i++)
        if (strcmp(l->list[i].key, key) == 0) return true;
    return false;
}

/* With the tree's lock held: counts the value, and takes it where there is room. */
static void list_pair(listing *l, const struct pair *pair) {
    size_t len = strlen(pair->key) + 1;
    if (pair->box == NULL || is_listed(l, pair->key)) return;
    if (l->list != NULL && l->n < l->room && l->bytes + len <= l->bytes_room) {
        char *key = (char *)(l->list + l->room) + l->bytes;
        memcpy(key, pair->key, len);
        l->list[l->n].key = key;
        chief__box_get(pair->box, &l->list[l->n].value);
    } else if (l->list != NULL) {
        l->room = 0; /* values came meanwhile: it has to be done again */
        return;
    }
    l->n++;
    l->bytes += len;
}

static void list_all(listing *l, chief_context *ctx) {
    while (ctx != NULL) {
        chief__lock(&ctx->tree->lock);
        chief_context *seen = root_of(ctx)->seen;
        for (const chief_context *at = ctx; at != NULL; at = at->parent)
            for (const struct pair *pair = at->pairs; pair != NULL; pair = pair->next) list_pair(l, pair);
        chief__unlock(&ctx->tree->lock);
        ctx = seen;
    }
}

void chief__context_list_free(chief__keyed *list, size_t n) {
    for (size_t i = 0; i < n; i++) chief_value_clear(&list[i].value);
    chief__free(list);
}

int chief__context_list(chief_context *ctx, chief__keyed **out, size_t *n) {
    for (;;) {
        listing count = {0};
        list_all(&count, ctx);
        listing l = {.room = count.n, .bytes_room = count.bytes};
        l.list = chief__alloc(count.n * sizeof *l.list + count.bytes + 1);
        if (l.list == NULL) return chief__fail_code(CHIEF_ENOMEM);
        list_all(&l, ctx);
        *out = l.list;
        *n = l.n;
        if (l.room == count.n) return CHIEF_OK;
        chief__context_list_free(l.list, l.n);
    }
}

/* ---- following ---- */

static void follow(chief__follower *w, chief_context *ctx) {
    struct tree *tree = ctx->tree;
    w->context = chief_context_ref(ctx);
    w->previous = NULL;
    chief__lock(&tree->lock);
    w->next = tree->followers;
    if (w->next != NULL) w->next->previous = w;
    tree->followers = w;
    chief__unlock(&tree->lock);
}

void chief__context_follow(chief_context *ctx, chief__follower *followers, size_t n) {
    chief__context_unfollow(followers, n);
    for (size_t i = 0; i < n && ctx != NULL; i++) {
        followers[i].changed = followers[0].changed;
        followers[i].data = followers[0].data;
        follow(&followers[i], ctx);
        ctx = seen_by(root_of(ctx));
    }
}

void chief__context_unfollow(chief__follower *followers, size_t n) {
    for (chief__follower *w = followers; w < followers + n; w++) {
        if (w->context == NULL) continue;
        struct tree *tree = w->context->tree;
        chief__lock(&tree->lock);
        if (w->previous != NULL) w->previous->next = w->next;
        else tree->followers = w->next;
        if (w->next != NULL) w->next->previous = w->previous;
        chief__unlock(&tree->lock);
        chief_context_unref(w->context);
        w->context = NULL;
    }
}
