/* The groups: who is in which, in which order, and whose turn it is. What follows from that is step_group.c's. */
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "model.h"

/* ---- making ---- */

static int check_new(const chief__model *m, const char *name, int32_t policy, const char *const *names, size_t n) {
    if (policy < CHIEF_ONE_FOR_ONE || policy > CHIEF_REST_FOR_ONE)
        return chief__fail(CHIEF_EINVAL, "group %s: policy %d is none", name, (int)policy);
    if (names == NULL || n == 0 || n >= CHIEF__NONE) return chief__fail(CHIEF_EINVAL, "group %s lists no worker", name);
    if (m->linked)
        return chief__fail(CHIEF_EBUSY, "group %s: groups are made before the workers are initialised", name);
    for (uint32_t i = 0; i < m->n_groups; i++) {
        if (strcmp(m->groups[i]->name, name) == 0)
            return chief__fail(CHIEF_EEXIST, "group %s: there is one of that name", name);
    }
    return CHIEF_OK;
}

static void free_group(chief__model *m, chief__group *group) {
    for (uint32_t i = 0; i < group->n; i++) {
        group->members[i]->group = CHIEF__NONE;
        chief__names_drop(&m->names, group->members[i]);
    }
    chief__free(group->name);
    chief__free(group);
}

/* The next place is this name's, if that is in no group yet. */
static int enter(chief__model *m, chief__group *group, const char *text) {
    if (text == NULL) return chief__fail(CHIEF_EINVAL, "group %s: name %u is NULL", group->name, (unsigned)group->n);
    chief__name *name = chief__names_use(&m->names, text);
    if (name == NULL) return chief__fail_code(CHIEF_ENOMEM);
    if (name->group != CHIEF__NONE) {
        bool twice = name->group == m->n_groups;
        const char *other = twice ? group->name : m->groups[name->group]->name;
        chief__names_drop(&m->names, name);
        return twice ? chief__fail(CHIEF_EINVAL, "group %s lists %s twice", other, text)
                     : chief__fail(CHIEF_EEXIST, "group %s: worker %s is in group %s", group->name, text, other);
    }
    name->group = m->n_groups;
    name->place = group->n;
    group->members[group->n++] = name;
    return CHIEF_OK;
}

int chief__model_add_group(chief__model *m, const char *name, int32_t policy, const char *const *names, size_t n) {
    int rc = check_new(m, name, policy, names, n);
    if (rc != CHIEF_OK) return rc;
    chief__group **groups = chief__realloc(m->groups, (m->n_groups + 1) * sizeof(chief__group *));
    if (groups == NULL) return chief__fail_code(CHIEF_ENOMEM);
    m->groups = groups;
    chief__group *group = chief__calloc(1, sizeof *group + n * sizeof group->members[0]);
    if (group == NULL) return chief__fail_code(CHIEF_ENOMEM);
    group->policy = policy;
    group->name = chief__strdup(name);
    if (group->name == NULL) rc = chief__fail_code(CHIEF_ENOMEM);
    for (size_t i = 0; rc == CHIEF_OK && i < n; i++) rc = enter(m, group, names[i]);
    if (rc == CHIEF_OK) m->groups[m->n_groups++] = group;
    else free_group(m, group);
    return rc;
}

/* ---- replicas ---- */

static uint32_t count_replicas(const chief__model *m, const chief__name *name) {
    uint32_t n = 0;
    for (uint32_t id = name->first_replica; id != CHIEF__NONE; id = m->members[id].next_replica) n++;
    return n;
}

/* The places of the group when each name is one worker's; 0: one is nobody's, and told. */
static uint32_t count_places(const chief__model *m, const chief__group *group) {
    uint32_t n = 0;
    for (uint32_t place = 0; place < group->n; place++) {
        const chief__name *name = group->members[place];
        uint32_t replicas = count_replicas(m, name);
        if (name->id == CHIEF__NONE && replicas == 0) {
            (void)chief__model_fail_unknown(m, "group", group->name, "its list", name->text);
            return 0;
        }
        n += replicas > 0 ? replicas : 1;
    }
    return n;
}

/* A replica that is listed by itself, too. */
static int check_replicas(const chief__model *m, const chief__group *group) {
    for (uint32_t place = 0; place < group->n; place++) {
        for (uint32_t id = group->members[place]->first_replica; id != CHIEF__NONE; id = m->members[id].next_replica) {
            const chief__name *name = m->members[id].name;
            if (name->group == CHIEF__NONE) continue;
            return chief__fail(CHIEF_EEXIST, "group %s: worker %s is in group %s", group->name, name->text,
                               m->groups[name->group]->name);
        }
    }
    return CHIEF_OK;
}

/* The stem gives its place to its replicas; each name that is listed counts as one use. */
static void put_replicas(chief__model *m, chief__group *made, chief__name *stem) {
    for (uint32_t id = stem->first_replica; id != CHIEF__NONE; id = m->members[id].next_replica) {
        m->members[id].name->uses++;
        made->members[made->n++] = m->members[id].name;
    }
    stem->group = CHIEF__NONE;
    chief__names_drop(&m->names, stem);
}

static int put_in_place(chief__model *m, uint32_t index, uint32_t n) {
    chief__group *old = m->groups[index];
    chief__group *made = chief__calloc(1, sizeof *made + n * sizeof made->members[0]);
    if (made == NULL) return chief__fail_code(CHIEF_ENOMEM);
    made->name = old->name;
    made->policy = old->policy;
    for (uint32_t place = 0; place < old->n; place++) {
        if (old->members[place]->first_replica != CHIEF__NONE) put_replicas(m, made, old->members[place]);
        else made->members[made->n++] = old->members[place];
    }
    for (uint32_t place = 0; place < made->n; place++) {
        made->members[place]->group = index;
        made->members[place]->place = place;
    }
    m->groups[index] = made;
    chief__free(old);
    return CHIEF_OK;
}

int chief__model_link_groups(chief__model *m) {
    int rc = CHIEF_OK;
    for (uint32_t i = 0; i < m->n_groups && rc == CHIEF_OK; i++) {
        uint32_t n = count_places(m, m->groups[i]);
        if (n == 0) return CHIEF_ENOENT;
        rc = check_replicas(m, m->groups[i]);
        if (rc == CHIEF_OK) rc = put_in_place(m, i, n);
    }
    return rc;
}

/* ---- the end ---- */

void chief__model_free_groups(chief__model *m) {
    for (uint32_t i = 0; i < m->n_groups; i++) free_group(m, m->groups[i]);
    chief__free(m->groups);
}

/* ---- asking ---- */

chief__group *chief__model_group(const chief__model *m, const chief__life *w) {
    if (w->name == NULL || w->name->group == CHIEF__NONE) return NULL;
    chief__group *group = m->groups[w->name->group];
    return group->policy != CHIEF_ONE_FOR_ONE ? group : NULL;
}

chief__life *chief__model_at(const chief__model *m, const chief__group *group, uint32_t place) {
    uint32_t id = group->members[place]->id;
    return id == CHIEF__NONE ? NULL : &m->members[id];
}

chief__life *chief__model_before(const chief__model *m, const chief__life *w) {
    const chief__group *group = chief__model_group(m, w);
    for (uint32_t place = group != NULL ? w->name->place : 0; place-- > 0;) {
        chief__life *before = chief__model_at(m, group, place);
        if (before != NULL) return before;
    }
    return NULL;
}

chief__life *chief__model_behind(const chief__model *m, const chief__life *w) {
    const chief__group *group = chief__model_group(m, w);
    for (uint32_t place = group != NULL ? w->name->place + 1 : 0; group != NULL && place < group->n; place++) {
        chief__life *behind = chief__model_at(m, group, place);
        if (behind != NULL) return behind;
    }
    return NULL;
}

void chief__model_set_turn(chief__model *m, chief__life *w, chief__turn turn) {
    bool had = w->turn != TURN_NONE;
    bool has = turn != TURN_NONE;
    w->turn = turn;
    if (had == has) return;
    chief__group *group = chief__model_group(m, w);
    group->turns = has ? group->turns + 1 : group->turns - 1;
    m->turns = has ? m->turns + 1 : m->turns - 1;
}
