#include "mailbox.h"

#include <stdio.h>

#include "alloc.h"
#include "call.h"
#include "err.h"
#include "map.h"
#include "replica.h"
#include "rule.h"
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

/* Memory for one more name, taken while the hub is not locked. */
typedef struct room {
    chief__map_spare names;
    chief__map_spare turns;
    chief__turn *turn; /* for the first of several replicas */
    bool wants_turn;
    chief__turn_spare in_turn;
} room;

static int room_make(room *r, const char *name) {
    int rc = CHIEF_OK;
    if (r->wants_turn && r->turn == NULL) {
        r->turn = chief__turn_new(name, chief__replica_stem(name));
        if (r->turn == NULL) rc = chief__fail_code(CHIEF_ENOMEM);
    }
    if (rc == CHIEF_OK && r->names.wanted > 0) rc = chief__map_spare_make(&r->names);
    if (rc == CHIEF_OK && r->turns.wanted > 0) rc = chief__map_spare_make(&r->turns);
    if (rc == CHIEF_OK && r->in_turn.wanted > 0) rc = chief__turn_spare_make(&r->in_turn);
    return rc;
}

static void room_free(room *r) {
    chief__map_spare_fini(&r->names);
    chief__map_spare_fini(&r->turns);
    chief__turn_spare_fini(&r->in_turn);
    chief__turn_free(r->turn);
}

/* With the lock held: the turn that a replica of this name is in, NULL for another name, or when it would be the first. */
static chief__turn *turn_of(const chief__hub *hub, const char *name) {
    char stem[CHIEF__REPLICA_NAME_SIZE];
    if (chief__replica_number(name) == 0) return NULL;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)chief__replica_stem(name), name);
    return chief__map_get(&hub->turns, stem);
}

/* With the lock held: false when the room is too small. */
static bool join_turn(chief__hub *hub, chief_channel *mailbox, room *r) {
    chief__turn *turn = turn_of(hub, mailbox->owner);
    if (turn != NULL || chief__replica_number(mailbox->owner) == 0)
        return turn == NULL || chief__turn_add(turn, mailbox, &r->in_turn);
    r->wants_turn = true;
    if (r->turn == NULL || !chief__map_put(&hub->turns, r->turn->name, r->turn, &r->turns)) return false;
    turn = r->turn;
    r->turn = NULL;
    return chief__turn_add(turn, mailbox, &r->in_turn); /* a new one has room for some */
}

/* With the lock held: the hub's from now on, on success. CHIEF_EAGAIN when the room is too small. */
static int try_put(chief__hub *hub, chief__map *map, const char *name, chief_channel *ch, room *r) {
    if (hub->closed) return chief__fail(CHIEF_ECLOSED, "the chief has stopped");
    if (chief__map_get(map, name) != NULL)
        return chief__fail(CHIEF_EEXIST, "there is a %s \"%s\" already", ch->owner != NULL ? "worker" : "channel",
                           name);
    if (!chief__map_put(map, name, ch, &r->names)) return CHIEF_EAGAIN;
    if (ch->owner != NULL && !join_turn(hub, ch, r)) {
        chief__map_remove(map, name);
        return CHIEF_EAGAIN;
    }
    ch->hub = chief__hub_ref(hub);
    return CHIEF_OK;
}

/* Takes the channel over. */
static int put(chief__hub *hub, chief__map *map, const char *name, chief_channel *ch) {
    room r = {.wants_turn = false};
    int rc;
    do {
        chief__lock(&hub->lock);
        rc = try_put(hub, map, name, ch, &r);
        chief__unlock(&hub->lock);
    } while (rc == CHIEF_EAGAIN && (rc = room_make(&r, name)) == CHIEF_OK);
    room_free(&r);
    if (rc != CHIEF_OK) chief_channel_unref(ch);
    return rc;
}

int chief__hub_add_channel(chief__hub *hub, const char *name, const chief_channel_options *options) {
    chief_channel *ch;
    int rc = chief_channel_new(&ch, name, options);
    return rc == CHIEF_OK ? put(hub, &hub->channels, ch->label->text, ch) : rc;
}

int chief__hub_add_worker(chief__hub *hub, const char *name, uint32_t capacity) {
    chief_channel *mailbox;
    chief_channel_options options = {.size = sizeof options, .capacity = capacity};
    int rc = chief__channel_new(&mailbox, "", name, &options);
    return rc == CHIEF_OK ? put(hub, &hub->workers, mailbox->owner, mailbox) : rc;
}

static chief_channel *find(chief__hub *hub, const chief__map *map, const char *name) {
    chief__lock(&hub->lock);
    chief_channel *ch = chief_channel_ref(chief__map_get(map, name));
    chief__unlock(&hub->lock);
    return ch;
}

chief_channel *chief__hub_find(chief__hub *hub, const char *name) { return find(hub, &hub->channels, name); }

chief_channel *chief__hub_mailbox(chief__hub *hub, const char *name) { return find(hub, &hub->workers, name); }

/* Fills `out` with up to `max` of the map, each held, when all fit; returns how many there are. */
static size_t copy(chief__hub *hub, const chief__map *map, chief_channel **out, size_t max) {
    size_t n = 0;
    chief__lock(&hub->lock);
    size_t len = map->len;
    for (size_t i = 0; out != NULL && len <= max && i < map->capacity; i++)
        if (map->slots[i].value != NULL) out[n++] = chief_channel_ref(map->slots[i].value);
    chief__unlock(&hub->lock);
    return len;
}

/* All of the map as it is now, each held; memory is taken outside the lock. */
static int list(chief__hub *hub, const chief__map *map, chief_channel ***out, size_t *n) {
    size_t fit = 0;
    *out = NULL;
    while ((*n = copy(hub, map, *out, fit)) > fit) {
        chief__free(*out);
        fit = *n;
        *n = 0;
        *out = chief__calloc(fit, sizeof **out);
        if (*out == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    return CHIEF_OK;
}

int chief__hub_mailboxes(chief__hub *hub, chief_channel ***out, size_t *n) { return list(hub, &hub->workers, out, n); }

void chief__hub_list_free(chief_channel **channels, size_t n) {
    for (size_t i = 0; i < n; i++) chief_channel_unref(channels[i]);
    chief__free(channels);
}

/* CHIEF_ENOENT with the names there are. */
static int unknown(chief__hub *hub, const chief__map *map, const char *message, const char *name) {
    char quoted[QUOTED_SIZE];
    chief_channel **channels;
    size_t n;
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"", CHIEF__REPLICA_NAME_SIZE - 1, name);
    int rc = list(hub, map, &channels, &n);
    const char **names = rc == CHIEF_OK ? chief__calloc(n + 1, sizeof *names) : NULL;
    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = channels[i]->owner != NULL ? channels[i]->owner : channels[i]->label->text;
    rc = chief__rule_unknown(message, quoted, names, n);
    chief__free(names);
    chief__hub_list_free(channels, n);
    return rc;
}

int chief__hub_channel(chief__hub *hub, const char *name, chief_channel **out) {
    *out = NULL;
    if (name == NULL) return chief__fail_code(CHIEF_EINVAL);
    chief__lock(&hub->lock);
    *out = chief__map_get(&hub->channels, name);
    chief__unlock(&hub->lock);
    return *out != NULL ? CHIEF_OK : unknown(hub, &hub->channels, "no channel", name);
}

static int check_dead(chief__hub *hub, const chief_channel *ch) {
    char message[2 * QUOTED_SIZE];
    chief_channel *dead = ch->dead != NULL ? chief__hub_find(hub, ch->dead) : NULL;
    chief_channel_unref(dead);
    if (ch->dead == NULL || dead != NULL) return CHIEF_OK;
    (void)snprintf(message, sizeof message, "channel \"%.64s\": dead is no channel", ch->label->text);
    return unknown(hub, &hub->channels, message, ch->dead);
}

int chief__hub_check(chief__hub *hub) {
    chief_channel **channels;
    size_t n;
    int rc = list(hub, &hub->channels, &channels, &n);
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++) rc = check_dead(hub, channels[i]);
    chief__hub_list_free(channels, n);
    return rc;
}

/* ---- mailboxes come and go ---- */

/* With the lock held: the turn when it has nobody left, to be freed. */
static chief__turn *leave_turn(chief__hub *hub, const chief_channel *mailbox) {
    chief__turn *turn = turn_of(hub, mailbox->owner);
    if (turn == NULL) return NULL;
    chief__turn_remove(turn, mailbox);
    if (turn->n > 0) return NULL;
    chief__map_remove(&hub->turns, turn->name);
    return turn;
}

void chief__hub_remove_worker(chief__hub *hub, const char *name) {
    chief__lock(&hub->lock);
    chief_channel *mailbox = chief__map_get(&hub->workers, name);
    if (mailbox != NULL) chief__map_remove(&hub->workers, name);
    if (mailbox != NULL) atomic_store_explicit(&mailbox->unlisted, true, memory_order_relaxed);
    chief__turn *empty = mailbox != NULL ? leave_turn(hub, mailbox) : NULL;
    chief__unlock(&hub->lock);
    chief__turn_free(empty);
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
    if (turn != NULL && *mailbox == NULL) rc = fail_turn(turn, but);
    chief__unlock(&hub->lock);
    *shared = turn != NULL;
    return *mailbox == NULL && turn == NULL ? unknown(hub, &hub->workers, "no worker", to) : rc;
}

chief__counter *chief__hub_late_counter(chief__hub *hub) { return hub->late; }

int chief_worker_channel(chief_worker *ctx, const char *name, chief_channel **out) {
    chief__hand *hand;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    chief__party *p = chief__party_of(ctx);
    if (p == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (p->far != NULL) return p->far->ops->open(p->far, name, out);
    if (p->hub == NULL) return chief__fail(CHIEF_ENOENT, "this worker has no chief, and so no channels");
    int rc = chief__hub_channel(p->hub, name, out);
    if (rc == CHIEF_OK) rc = chief__hand_get(&hand, p, *out);
    if (rc != CHIEF_OK) *out = NULL;
    return rc;
}
