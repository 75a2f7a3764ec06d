#include "step_stop.h"

#include <string.h>

#include "step_emit.h"
#include "step_life.h"

/* What only waits has nothing to end: it rests as it is. */
static void end_waiting(chief__model *m) {
    for (chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        chief__model_set_turn(m, w, TURN_NONE);
        if (w->wait == WAIT_NONE) continue;
        chief__model_set_wait(m, w, WAIT_NONE);
        chief__emit_rest(m, w, CHIEF_PHASE_IDLE);
    }
}

static bool is_alive(const chief__life *w) { return w->home != HOME_NONE && w->home != HOME_ABANDONED; }

static void count_levels(chief__model *m) {
    if (m->capacity > 0) memset(m->level_live, 0, sizeof *m->level_live * m->capacity);
    for (const chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        if (is_alive(w)) m->level_live[w->level]++;
    }
    for (uint32_t level = m->capacity; level-- > 0;) {
        m->level_from[level] = m->n_order;
        m->n_order += m->level_live[level];
        if (m->level_live[level] > 0) m->live_levels++;
    }
}

/* The living homes, the highest level first, in registration order within one. */
static void line_up(chief__model *m) {
    count_levels(m);
    for (const chief__life *w = chief__model_next(m, NULL); w != NULL; w = chief__model_next(m, w)) {
        if (is_alive(w)) m->order[m->level_from[w->level]++] = chief__model_id(m, w);
    }
    m->stop_level = m->capacity;
}

static void begin(chief__model *m) {
    /* Levels of an acyclic graph can always be counted. */
    if (m->levels_stale) (void)chief__model_count_levels(m);
    m->stopping = true;
    m->stop_deadline = chief__model_after(m, m->options.force_stop_timeout);
    chief__emit(m, STEP_A_STOPPING, NULL);
    end_waiting(m);
    line_up(m);
}

void chief__stop_all(chief__model *m) {
    if (!m->stopping) begin(m);
}

void chief__stop_signal(chief__model *m) {
    if (!m->signalled) {
        m->signalled = true;
        m->first_signal = m->now;
        chief__stop_all(m);
    } else if (m->now - m->first_signal >= CHIEF__STOP_SIGNAL_GAP) {
        chief__stop_force(m);
    }
}

/* Who was never asked gets a moment to hear of it; who was has had its time; who is interrupted has it still. */
void chief__stop_force(chief__model *m) {
    if (!m->stopping) begin(m);
    for (uint32_t i = 0; i < m->n_order; i++) {
        chief__life *w = &m->members[m->order[i]];
        if (!is_alive(w)) continue;
        if (w->forced) w->asked = true;
        else if (w->asked || w->overdue) chief__life_force(m, w, CHIEF_REASON_KILLED, -1);
        else chief__life_ask(m, w, chief__model_after(m, CHIEF__STOP_FORCE_GRACE));
    }
}

/* Its own grace, else its level's share of what is left; never beyond the whole. */
static int64_t grace_of(const chief__model *m, const chief__life *w, int64_t share, int64_t end) {
    int64_t until = w->grace >= 0 ? chief__model_after(m, w->grace) : share;
    return until < end ? until : end;
}

static void ask_level(chief__model *m) {
    int64_t end = m->stop_deadline > m->now ? m->stop_deadline : m->now;
    int64_t share = m->now + (end - m->now) / (int64_t)m->live_levels;
    for (; m->next_asked < m->n_order; m->next_asked++) {
        chief__life *w = &m->members[m->order[m->next_asked]];
        if (!is_alive(w)) continue;
        if (w->level < m->stop_level) break;
        chief__life_ask(m, w, grace_of(m, w, share, end));
    }
}

void chief__stop_proceed(chief__model *m) {
    if (!m->stopping || m->ended) return;
    if (m->live == 0) {
        m->ended = true;
        chief__emit(m, STEP_A_ALL_ENDED, NULL);
        return;
    }
    uint32_t level = m->stop_level;
    while (level == m->capacity || m->level_live[level] == 0) level--;
    m->stop_level = level;
    ask_level(m);
}
