/*
 * Who waits for whom, seen from above: unknown names, cycles, levels. Kahn's algorithm over the edges: a worker gets its
 * level when all it waits for have theirs; who never does is in a cycle or behind one.
 */
#include <string.h>

#include "err.h"
#include "model.h"

/* Lists and paths for people: cut with «…» when they are too long. */
static void append(char *buf, size_t size, const char *separator, const char *text) {
    size_t len = strlen(buf);
    size_t gap = len > 0 ? strlen(separator) : 0;
    size_t n = strlen(text);
    if (len + gap + n + sizeof " …" > size) {
        if (len < size - sizeof " …") memcpy(buf + len, " …", sizeof " …");
        return;
    }
    memcpy(buf + len, separator, gap);
    memcpy(buf + len + gap, text, n + 1);
}

/* In the queue: those that wait for nobody. */
static uint32_t begin_levels(chief__model *m) {
    uint32_t queued = 0;
    for (chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        w->level = 0;
        w->missing = 0;
        for (uint32_t i = 0; i < w->n_after; i++)
            for (const chief__life *d = chief__model_dependency(m, &w->after[i], NULL); d != NULL;
                 d = chief__model_dependency(m, &w->after[i], d))
                w->missing++;
        w->missing += chief__model_before(m, w) != NULL;
        if (w->missing == 0) m->order[queued++] = chief__model_id(m, w);
    }
    return queued;
}

static const chief__life *unlevelled_dependency(const chief__model *m, const chief__life *w) {
    const chief__life *before = chief__model_before(m, w);
    if (before != NULL && before->missing > 0) return before;
    for (uint32_t i = 0; i < w->n_after; i++)
        for (const chief__life *d = chief__model_dependency(m, &w->after[i], NULL); d != NULL;
             d = chief__model_dependency(m, &w->after[i], d))
            if (d->missing > 0) return d;
    return NULL; /* cannot be: `missing` counts them */
}

/* The order of a group takes part in it. */
static bool is_grouped(const chief__model *m, const chief__life *w) {
    const chief__life *before = chief__model_before(m, w);
    return before != NULL && before->missing > 0;
}

/* Each of those left has one it waits for among them, so that a long enough walk ends inside a cycle. */
static int fail_cycle(chief__model *m) {
    const chief__life *w = chief__model_next(m, NULL);
    while (w->missing == 0) w = chief__model_next(m, w);
    for (uint32_t i = 0; i < m->count; i++) w = unlevelled_dependency(m, w);
    char path[512] = "";
    bool grouped = false;
    const chief__life *from = w;
    do {
        grouped = grouped || is_grouped(m, w);
        append(path, sizeof path, " → ", w->name->text);
        w = unlevelled_dependency(m, w);
    } while (w != from);
    append(path, sizeof path, " → ", from->name->text);
    return chief__fail(CHIEF_ECYCLE, "dependency cycle%s: %s", grouped ? ", with the order of a group" : "", path);
}

static void count_down(chief__model *m, chief__life *w, uint32_t *queued) {
    if (--w->missing == 0) m->order[(*queued)++] = chief__model_id(m, w);
}

int chief__model_count_levels(chief__model *m) {
    uint32_t queued = begin_levels(m);
    for (uint32_t done = 0; done < queued; done++) {
        const chief__life *w = &m->members[m->order[done]];
        chief__life *behind = chief__model_behind(m, w);
        if (behind != NULL) count_down(m, behind, &queued);
        for (const chief__edge *edge = chief__model_dependent(w, NULL); edge != NULL;
             edge = chief__model_dependent(w, edge)) {
            chief__life *dependent = &m->members[edge->dependent];
            if (w->expected && dependent->level <= w->level) dependent->level = w->level + 1;
            count_down(m, dependent, &queued);
        }
    }
    m->levels_stale = false;
    return queued == m->count ? CHIEF_OK : fail_cycle(m);
}

/* Replicas are told by their stem, once. */
int chief__model_fail_unknown(const chief__model *m, const char *what, const char *who, const char *list,
                              const char *name) {
    char there[512] = "";
    for (uint32_t id = m->first; id != CHIEF__NONE; id = m->members[id].next) {
        const chief__life *w = &m->members[id];
        if (w->stem != NULL && w->stem->first_replica != id) continue;
        append(there, sizeof there, ", ", w->stem != NULL ? w->stem->text : w->name->text);
    }
    return chief__fail(CHIEF_ENOENT, "%s %s: %s names \"%s\"; there are: %s", what, who, list, name, there);
}

static int check_known(chief__model *m) {
    for (const chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        for (uint32_t i = 0; i < w->n_after; i++) {
            if (chief__model_dependency(m, &w->after[i], NULL) == NULL)
                return chief__model_fail_unknown(m, "worker", w->name->text, "after", w->after[i].dependency->text);
        }
    }
    return CHIEF_OK;
}

int chief__model_link(chief__model *m) {
    int rc = check_known(m);
    if (rc == CHIEF_OK) rc = chief__model_link_groups(m);
    if (rc == CHIEF_OK) rc = chief__model_count_levels(m);
    m->linked = rc == CHIEF_OK;
    return rc;
}

/* Writes at `len` of `buf` as far as there is room; returns the new full length. */
static size_t write_at(char *buf, size_t size, size_t len, const char *text) {
    size_t n = strlen(text);
    if (len < size) {
        size_t room = size - len - 1;
        memcpy(buf + len, text, n < room ? n : room);
        buf[len + (n < room ? n : room)] = '\0';
    }
    return len + n;
}

size_t chief__model_waiting_for(const chief__model *m, uint32_t id, char *buf, size_t size) {
    size_t len = 0;
    if (size > 0) buf[0] = '\0';
    if (chief__model_name(m, id) == NULL) return 0;
    const chief__life *w = &m->members[id];
    if (w->wait == WAIT_ANSWER) return write_at(buf, size, len, "on_exit");
    if (w->wait == WAIT_TURN) {
        len = write_at(buf, size, len, "its group ");
        return write_at(buf, size, len, chief__model_group(m, w)->name);
    }
    for (uint32_t i = 0; w->wait == WAIT_DEPENDENCIES && i < w->n_after; i++)
        for (const chief__life *d = chief__model_dependency(m, &w->after[i], NULL); d != NULL;
             d = chief__model_dependency(m, &w->after[i], d)) {
            if (!d->expected || d->ready) continue;
            if (len > 0) len = write_at(buf, size, len, ", ");
            len = write_at(buf, size, len, d->name->text);
        }
    return len;
}
