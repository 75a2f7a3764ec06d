#include "names.h"

#include <string.h>

#include "alloc.h"

/* FNV-1a. */
static uint32_t hash_of(const char *text) {
    uint32_t hash = UINT32_C(2166136261);
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    return hash;
}

static chief__name **bucket(const chief__names *names, uint32_t hash) {
    return &names->buckets[hash & (names->n_buckets - 1)];
}

static chief__name *find(const chief__names *names, const char *text, uint32_t hash) {
    if (names->n_buckets == 0) return NULL;
    for (chief__name *name = *bucket(names, hash); name != NULL; name = name->next) {
        if (name->hash == hash && strcmp(name->text, text) == 0) return name;
    }
    return NULL;
}

chief__name *chief__names_find(const chief__names *names, const char *text) { return find(names, text, hash_of(text)); }

static void free_name(chief__name *name) {
    chief__free(name->text);
    chief__free(name);
}

void chief__names_fini(chief__names *names) {
    for (uint32_t i = 0; i < names->n_buckets; i++) {
        for (chief__name *name = names->buckets[i], *next; name != NULL; name = next) {
            next = name->next;
            free_name(name);
        }
    }
    chief__free(names->buckets);
    memset(names, 0, sizeof *names);
}

/* Keeps at least as many buckets as names. */
static int make_room(chief__names *names) {
    if (names->len < names->n_buckets) return CHIEF_OK;
    chief__names larger = {.n_buckets = names->n_buckets > 0 ? 2 * names->n_buckets : 16, .len = names->len};
    larger.buckets = chief__calloc(larger.n_buckets, sizeof(chief__name *));
    if (larger.buckets == NULL) return CHIEF_ENOMEM;
    for (uint32_t i = 0; i < names->n_buckets; i++) {
        for (chief__name *name = names->buckets[i], *next; name != NULL; name = next) {
            next = name->next;
            name->next = *bucket(&larger, name->hash);
            *bucket(&larger, name->hash) = name;
        }
    }
    chief__free(names->buckets);
    *names = larger;
    return CHIEF_OK;
}

static chief__name *make(chief__names *names, const char *text, uint32_t hash) {
    chief__name *name = make_room(names) == CHIEF_OK ? chief__calloc(1, sizeof *name) : NULL;
    if (name == NULL) return NULL;
    name->text = chief__strdup(text);
    if (name->text == NULL) {
        chief__free(name);
        return NULL;
    }
    name->id = name->group = name->first_replica = name->last_replica = CHIEF__NONE;
    name->hash = hash;
    name->next = *bucket(names, hash);
    *bucket(names, hash) = name;
    names->len++;
    return name;
}

chief__name *chief__names_use(chief__names *names, const char *text) {
    uint32_t hash = hash_of(text);
    chief__name *name = find(names, text, hash);
    if (name == NULL) name = make(names, text, hash);
    if (name != NULL) name->uses++;
    return name;
}

void chief__names_drop(chief__names *names, chief__name *name) {
    if (name == NULL || --name->uses > 0) return;
    chief__name **link = bucket(names, name->hash);
    while (*link != name) link = &(*link)->next;
    *link = name->next;
    names->len--;
    free_name(name);
}

void chief__edge_link(chief__edge *edge) {
    chief__name *name = edge->dependency;
    edge->previous = name->last;
    edge->next = NULL;
    if (name->last != NULL) name->last->next = edge;
    if (name->first == NULL) name->first = edge;
    name->last = edge;
}

void chief__edge_unlink(chief__edge *edge) {
    chief__name *name = edge->dependency;
    if (edge->previous != NULL) edge->previous->next = edge->next;
    if (edge->next != NULL) edge->next->previous = edge->previous;
    if (name->first == edge) name->first = edge->next;
    if (name->last == edge) name->last = edge->previous;
}
