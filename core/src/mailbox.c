#include "mailbox.h"

#include <stdio.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "map.h"
#include "replica.h"
#include "turn.h"

#define QUOTED_SIZE (CHIEF__REPLICA_NAME_SIZE + 2)

struct chief__hub {
    atomic_uint refs;             /* dropped with release, the last one acquires */
    chief__on_dropped on_dropped; /* this and the next two: const after new */
    void *data;
    chief__counter *late;
    chief__mutex lock;
    /* under lock */
    chief__map channels; /* of chief_channel, each held */
    chief__map workers;  /* the same, by the worker whose mailbox it is */
    chief__map turns;    /* of chief__turn, by what the names of replicas have in common */
    bool closed;
};

/* ---- life ---- */

int chief__hub_new(chief__hub **out, chief__on_dropped on_dropped, void *data) {
    *out = NULL;
    chief__hub *hub = chief__calloc(1, sizeof *hub);
    if (hub == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&hub->refs, 1);
    chief__mutex_init(&hub->lock);
    hub->on_dropped = on_dropped;
    hub->data = data;
    hub->late = chief__counter_new();
    if (hub->late == NULL) {
        chief__hub_unref(hub);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    *out = hub;
    return CHIEF_OK;
}

chief__hub *chief__hub_ref(chief__hub *hub) {
    (void)atomic_fetch_add_explicit(&hub->refs, 1, memory_order_relaxed);
    return hub;
}

static void map_free(chief__map *map) {
    for (size_t i = 0; i < map->capacity; i++) chief_channel_unref(map->slots[i].value);
    chief__map_fini(map);
}

void chief__hub_unref(chief__hub *hub) {
    if (hub == NULL || atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_acq_rel) != 1) return;
    map_free(&hub->channels);
    map_free(&hub->workers);
    for (size_t i = 0; i < hub->turns.capacity; i++) chief__turn_free(hub->turns.slots[i].value);
    chief__map_fini(&hub->turns);
    chief__counter_unref(hub->late);
    chief__mutex_fini(&hub->lock);
    chief__free(hub);
}

static void retire_all(const chief__map *map) {
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != NULL) chief__channel_retire(map->slots[i].value, CHIEF_ECLOSED);
}

/* The channels hold the hub until here, so that the last to go frees both. */
void chief__hub_close(chief__hub *hub) {
    if (hub == NULL) return;
    (void)chief__hub_ref(hub);
    chief__lock(&hub->lock);
    hub->closed = true;
    retire_all(&hub->channels);
    retire_all(&hub->workers);
    chief__unlock(&hub->lock);
    chief__hub_unref(hub);
}

void chief__hub_dropped(chief__hub *hub, const char *channel, const char *worker) {
    if (hub->on_dropped != NULL) hub->on_dropped(hub->data, channel, worker);
}

uint64_t chief__hub_late_replies(chief__hub *hub) { return atomic_load_explicit(&hub->late->n, memory_order_relaxed); }

/* ---- names ---- */

/* With the lock held: the map's from now on, on success. */
static int put(chief__hub *hub, chief__map *map, const char *name, chief_channel *ch, const char *what) {
    if (hub->closed) return chief__fail(CHIEF_ECLOSED, "the chief has stopped");
    if (chief__map_get(map, name) != NULL) return chief__fail(CHIEF_EEXIST, "there is a %s \"%s\" already", what, name);
    int rc = chief__map_put(map, name, ch);
    if (rc == CHIEF_OK) ch->hub = chief__hub_ref(hub);
    return rc;
}

int chief__hub_add_channel(chief__hub *hub, const char *name, const chief_channel_options *options) {
    chief_channel *ch;
    int rc = chief_channel_new(&ch, name, options);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&hub->lock);
    rc = put(hub, &hub->channels, ch->label->text, ch, "channel");
    chief__unlock(&hub->lock);
    if (rc != CHIEF_OK) chief_channel_unref(ch);
    return rc;
}

/* With the lock held. */
static void leave_turn(chief__hub *hub, chief__turn *turn, const chief_channel *mailbox) {
    chief__turn_remove(turn, mailbox);
    if (turn->n > 0) return;
    chief__map_remove(&hub->turns, turn->name);
    chief__turn_free(turn);
}

/* With the lock held: a plain name has no turn; `*out` NULL otherwise means that there is no memory for one. */
static bool turn_of(chief__hub *hub, const char *name, chief__turn **out) {
    char stem[CHIEF__REPLICA_NAME_SIZE];
    size_t len = chief__replica_stem(name);
    *out = NULL;
    if (chief__replica_number(name) == 0) return false;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)len, name);
    *out = chief__map_get(&hub->turns, stem);
    return true;
}

/* With the lock held. */
static int join_turn(chief__hub *hub, chief_channel *mailbox) {
    chief__turn *turn;
    if (!turn_of(hub, mailbox->owner, &turn)) return CHIEF_OK;
    if (turn == NULL) {
        turn = chief__turn_new(mailbox->owner, chief__replica_stem(mailbox->owner));
        if (turn == NULL) return chief__fail_code(CHIEF_ENOMEM);
        int rc = chief__map_put(&hub->turns, turn->name, turn);
        if (rc != CHIEF_OK) {
            chief__turn_free(turn);
            return rc;
        }
    }
    int rc = chief__turn_add(turn, mailbox);
    if (rc != CHIEF_OK) leave_turn(hub, turn, mailbox); /* one without members goes again */
    return rc;
}

/* With the lock held. */
static int put_worker(chief__hub *hub, chief_channel *mailbox) {
    chief__turn *turn;
    int rc = join_turn(hub, mailbox);
    if (rc != CHIEF_OK) return rc;
    rc = put(hub, &hub->workers, mailbox->owner, mailbox, "worker");
    if (rc != CHIEF_OK && turn_of(hub, mailbox->owner, &turn)) leave_turn(hub, turn, mailbox);
    return rc;
}

int chief__hub_add_worker(chief__hub *hub, const char *name, uint32_t capacity) {
    chief_channel *mailbox;
    chief_channel_options options = {.size = sizeof options, .capacity = capacity};
    int rc = chief__channel_new(&mailbox, "", name, &options);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&hub->lock);
    rc = put_worker(hub, mailbox);
    chief__unlock(&hub->lock);
    if (rc != CHIEF_OK) chief_channel_unref(mailbox);
    return rc;
}

static chief_channel *find(chief__hub *hub, const chief__map *map, const char *name) {
    chief__lock(&hub->lock);
    chief_channel *ch = chief_channel_ref(chief__map_get(map, name));
    chief__unlock(&hub->lock);
    return ch;
}

chief_channel *chief__hub_find(chief__hub *hub, const char *name) { return find(hub, &hub->channels, name); }

chief_channel *chief__hub_mailbox(chief__hub *hub, const char *name) { return find(hub, &hub->workers, name); }

/* With the lock held: CHIEF_ENOENT with the names there are. */
static int unknown(const chief__map *map, const char *message, const char *name) {
    char quoted[QUOTED_SIZE];
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"", CHIEF__REPLICA_NAME_SIZE - 1, name);
    return chief__map_unknown(map, message, quoted);
}

int chief__hub_channel(chief__hub *hub, const char *name, chief_channel **out) {
    int rc = CHIEF_OK;
    *out = NULL;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&hub->lock);
    *out = chief__map_get(&hub->channels, name);
    if (*out == NULL) rc = unknown(&hub->channels, "no channel", name);
    chief__unlock(&hub->lock);
    return rc;
}

/* With the lock held. */
static int check_dead(const chief__map *channels, const chief_channel *ch) {
    char message[2 * QUOTED_SIZE];
    if (ch == NULL || ch->dead == NULL || chief__map_get(channels, ch->dead) != NULL) return CHIEF_OK;
    (void)snprintf(message, sizeof message, "channel \"%.64s\": dead is no channel", ch->label->text);
    return unknown(channels, message, ch->dead);
}

int chief__hub_check(chief__hub *hub) {
    int rc = CHIEF_OK;
    chief__lock(&hub->lock);
    for (size_t i = 0; rc == CHIEF_OK && i < hub->channels.capacity; i++)
        rc = check_dead(&hub->channels, hub->channels.slots[i].value);
    chief__unlock(&hub->lock);
    return rc;
}

/* ---- mailboxes come and go ---- */

void chief__hub_remove_worker(chief__hub *hub, const char *name) {
    chief__lock(&hub->lock);
    chief_channel *mailbox = chief__map_get(&hub->workers, name);
    chief__turn *turn;
    if (mailbox != NULL) chief__map_remove(&hub->workers, name);
    if (mailbox != NULL && turn_of(hub, name, &turn)) leave_turn(hub, turn, mailbox);
    chief__unlock(&hub->lock);
    if (mailbox == NULL) return;
    chief__channel_retire(mailbox, CHIEF_ENOENT);
    chief_channel_unref(mailbox);
}

int chief__hub_open_worker(chief__hub *hub, const char *name, bool open) {
    chief_channel *mailbox = chief__hub_mailbox(hub, name);
    if (mailbox == NULL) return chief__fail(CHIEF_ENOENT, "there is no worker \"%.64s\"", name);
    chief__channel_shut(mailbox, !open);
    chief_channel_unref(mailbox);
    return CHIEF_OK;
}

/* With the lock held: why none of the replicas can be sent to. */
static int fail_turn(const chief__turn *turn, const chief_channel *but) {
    for (size_t i = 0; i < turn->n; i++)
        if (turn->mailboxes[i] == but)
            return chief__fail(CHIEF_EDEADLK,
                               "worker \"%s\" can't wait for its own answer, and of \"%s\" no other is there",
                               but->owner, turn->name);
    return chief__fail(CHIEF_ENOENT, "no replica of worker \"%s\" is there: not enabled, given up or removed",
                       turn->name);
}

int chief__hub_addressee(chief__hub *hub, const char *to, const chief_channel *but, chief_channel **mailbox,
                         bool *shared) {
    int rc = CHIEF_OK;
    chief__lock(&hub->lock);
    *mailbox = chief_channel_ref(chief__map_get(&hub->workers, to));
    chief__turn *turn = *mailbox == NULL ? chief__map_get(&hub->turns, to) : NULL;
    if (turn != NULL) *mailbox = chief__turn_take(turn, but);
    if (*mailbox == NULL) rc = turn != NULL ? fail_turn(turn, but) : unknown(&hub->workers, "no worker", to);
    chief__unlock(&hub->lock);
    *shared = turn != NULL;
    return rc;
}

size_t chief__hub_mailboxes(chief__hub *hub, chief_channel **out, size_t max) {
    size_t n = 0;
    chief__lock(&hub->lock);
    size_t len = hub->workers.len;
    for (size_t i = 0; len <= max && i < hub->workers.capacity; i++)
        if (hub->workers.slots[i].value != NULL) out[n++] = chief_channel_ref(hub->workers.slots[i].value);
    chief__unlock(&hub->lock);
    return len;
}

chief__counter *chief__hub_late_counter(chief__hub *hub) { return hub->late; }

int chief_worker_channel(chief_worker *ctx, const char *name, chief_channel **out) {
    chief__hand *hand;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    chief__party *p = chief__party_of(ctx);
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->hub == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no chief, and so no channels");
    int rc = chief__hub_channel(p->hub, name, out);
    if (rc == CHIEF_OK) rc = chief__hand_get(&hand, p, *out);
    if (rc != CHIEF_OK) *out = NULL;
    return rc;
}
