/* ask: what the loop asks the policies of the host, and what it makes of their answers. */
#include <string.h>

#include "alloc.h"
#include "asker.h"
#include "err.h"
#include "loop.h"

static chief_end *next_end(chief__member *member) {
    if (member->n_history < CHIEF__HISTORY) return &member->history[member->n_history++];
    memmove(member->history, member->history + 1, (CHIEF__HISTORY - 1) * sizeof *member->history);
    return &member->history[CHIEF__HISTORY - 1];
}

static void remember(chief *c, chief__member *member, const chief__action *a) {
    *next_end(member) = (chief_end){.generation = a->generation,
                                    .reason = a->reason,
                                    .code = a->code,
                                    .time_ms = c->homes->now(c),
                                    .up_ms = a->delay};
}

static chief__question *question_of(const chief__member *member, const chief__action *a) {
    chief__question *q =
        chief__question_new(member->unit, member->history, member->n_history, chief__entry_error(member->entry));
    if (q == NULL) return NULL;
    q->id = a->id;
    q->generation = a->generation;
    q->exit.failures = a->count;
    q->exit.restarts = member->restarts;
    return q;
}

/* What can't be asked is not answered, and so the worker's own policy decides when the time is over. */
void chief__act_ask(chief *c, chief__member *member, const chief__action *a) {
    remember(c, member, a);
    chief__question *q = question_of(member, a);
    int rc = q != NULL ? c->homes->ask(c, q) : chief__fail_code(CHIEF_ENOMEM);
    if (rc == CHIEF_OK) return;
    chief__note(c, CHIEF_WARN, member->unit->name, "on_exit can't be asked: %s", chief_last_error());
    chief__question_free(q);
}

void chief__act_unanswered(chief *c, const chief__member *member) {
    chief__note(c, CHIEF_WARN, member->unit->name, "on_exit has not answered within %g s: %s",
                (double)member->unit->policy.timeout / 1000, "what its restart policy says is done");
}

void chief__act_isolate(chief *c, chief__member *member, const chief__action *a) {
    static const char what[] = "from now on it has a process of its own";
    if (member->isolated || member->unit->isolation == CHIEF_PROCESS) return;
    member->isolated = true;
    if (a->count == 0) chief__note(c, CHIEF_INFO, member->unit->name, "on_exit isolates it: %s", what);
    else chief__note(c, CHIEF_WARN, member->unit->name, "failures by force: %u: %s", (unsigned)a->count, what);
}

/* ---- answers ---- */

static bool can_be_isolated(const chief *c, const chief__unit *unit) {
    return c->sim != NULL || unit->apart != NULL || unit->isolation == CHIEF_PROCESS;
}

/* What is wrong about an answer; NULL: nothing. */
static const char *fault_of(const chief *c, const chief__question *q) {
    const chief_answer *answer = &q->answer;
    if (q->rc != CHIEF_OK) return q->text[0] != '\0' ? q->text : chief_strerror(q->rc);
    if (answer->kind < CHIEF_ANSWER_DEFAULT || answer->kind > CHIEF_ANSWER_ISOLATE) return "its answer is none";
    if (answer->kind == CHIEF_ANSWER_DELAY && answer->delay_ms < 0) return "a delay can't be negative";
    if (answer->kind == CHIEF_ANSWER_ISOLATE && !can_be_isolated(c, q->unit))
        return "it can't be isolated: nothing says how its process is to be started";
    return NULL;
}

/* The worker may have gone meanwhile, and another have its id: then the brain knows no such question. */
static void hear(chief *c, const chief__question *q) {
    chief__step_event event = {.kind = STEP_ANSWER,
                               .id = q->id,
                               .generation = q->generation,
                               .answer = q->answer.kind,
                               .delay = q->answer.delay_ms};
    const char *fault = fault_of(c, q);
    if (fault != NULL) {
        event.answer = CHIEF_ANSWER_DEFAULT;
        chief__note(c, CHIEF_WARN, q->unit->name, "on_exit: %s: what its restart policy says is done", fault);
    }
    (void)chief__feed_event(c, &event);
}

void chief__hear_answer(chief *c, chief__question *q) {
    if (!c->ended) hear(c, q);
    chief__question_free(q);
}

void chief__take_answers(chief *c) {
    chief__question *q;
    while (c->asker != NULL && (q = chief__asker_take(c->asker)) != NULL) chief__hear_answer(c, q);
}
