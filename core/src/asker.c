#include "asker.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

/* In the order in which they came. */
typedef struct line {
    chief__question *first;
    chief__question *last;
} line;

struct chief__asker {
    atomic_uint refs; /* the loop's and the thread's; dropped with release, the last one acquires */
    /* const after new */
    chief__inbox *inbox;
    chief__thread thread; /* loop thread */

    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    line asked;
    line answered;
    bool closed;
    bool over; /* the thread puts no further question */
};

static void append(line *l, chief__question *q) {
    q->next = NULL;
    if (l->last != NULL) l->last->next = q;
    else l->first = q;
    l->last = q;
}

static chief__question *take(line *l) {
    chief__question *q = l->first;
    if (q == NULL) return NULL;
    l->first = q->next;
    if (l->first == NULL) l->last = NULL;
    return q;
}

static void empty(line *l) {
    chief__question *q;
    while ((q = take(l)) != NULL) chief__question_free(q);
}

/* ---- questions ---- */

chief__question *chief__question_new(chief__unit *unit, const chief_end *history, uint32_t n, const char *error) {
    chief__question *q = chief__calloc(1, sizeof *q);
    if (q == NULL) return NULL;
    q->error = chief__strdup(error != NULL ? error : "");
    if (q->error == NULL) {
        chief__free(q);
        return NULL;
    }
    if (n > 0) memcpy(q->history, history, n * sizeof *history);
    q->unit = chief__unit_ref(unit);
    q->exit = (chief_exit){
        .size = sizeof q->exit, .n_history = n, .worker = unit->name, .error = q->error, .history = q->history};
    q->answer.size = sizeof q->answer;
    return q;
}

void chief__question_free(chief__question *q) {
    if (q == NULL) return;
    chief__unit_unref(q->unit);
    chief__free(q->error);
    chief__free(q);
}

void chief__question_put(chief__question *q) {
    const chief_policy *policy = &q->unit->policy;
    q->text[0] = '\0';
    (void)chief_set_last_error(CHIEF_OK, NULL);
    q->rc = policy->on_exit(policy->data, &q->exit, &q->answer);
    if (q->rc != CHIEF_OK) (void)chief_last_error_take(q->text, sizeof q->text);
}

/* ---- the thread ---- */

static void asker_unref(chief__asker *asker) {
    if (atomic_fetch_sub_explicit(&asker->refs, 1, memory_order_acq_rel) != 1) return;
    empty(&asker->asked);
    empty(&asker->answered);
    chief__inbox_unref(asker->inbox);
    chief__cond_fini(&asker->changed);
    chief__mutex_fini(&asker->lock);
    chief__free(asker);
}

/* Waits for the next question; NULL: there will be none. */
static chief__question *next(chief__asker *asker) {
    chief__lock(&asker->lock);
    while (!asker->closed && asker->asked.first == NULL)
        (void)chief__cond_wait(&asker->changed, &asker->lock, INT64_MAX);
    chief__question *q = asker->closed ? NULL : take(&asker->asked);
    asker->over = q == NULL;
    chief__cond_wake_all(&asker->changed);
    chief__unlock(&asker->lock);
    return q;
}

static void hand_in(chief__asker *asker, chief__question *q) {
    chief__lock(&asker->lock);
    append(&asker->answered, q);
    chief__unlock(&asker->lock);
    chief__inbox_call(asker->inbox, CALL_ANSWERS);
}

static void asker_main(void *arg) {
    chief__asker *asker = arg;
    chief__question *q;
    chief__inbox_enter(asker->inbox, false);
    while ((q = next(asker)) != NULL) {
        chief__question_put(q);
        hand_in(asker, q);
    }
    asker_unref(asker);
}

int chief__asker_new(chief__asker **out, chief__inbox *inbox, size_t stack) {
    *out = NULL;
    chief__asker *asker = chief__calloc(1, sizeof *asker);
    if (asker == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&asker->refs, 2);
    asker->inbox = chief__inbox_ref(inbox);
    chief__mutex_init(&asker->lock);
    chief__cond_init(&asker->changed);
    int rc = chief__thread_start(&asker->thread, asker_main, asker, stack, "chief-policies");
    if (rc == CHIEF_OK) {
        *out = asker;
        return rc;
    }
    asker_unref(asker);
    asker_unref(asker);
    return rc;
}

void chief__asker_ask(chief__asker *asker, chief__question *q) {
    chief__lock(&asker->lock);
    append(&asker->asked, q);
    chief__cond_wake_all(&asker->changed);
    chief__unlock(&asker->lock);
}

chief__question *chief__asker_take(chief__asker *asker) {
    chief__lock(&asker->lock);
    chief__question *q = take(&asker->answered);
    chief__unlock(&asker->lock);
    return q;
}

void chief__asker_close(chief__asker *asker, int64_t deadline) {
    if (asker == NULL) return;
    chief__lock(&asker->lock);
    asker->closed = true;
    chief__cond_wake_all(&asker->changed);
    while (!asker->over && chief__cond_wait(&asker->changed, &asker->lock, deadline)) {
    }
    bool over = asker->over;
    chief__unlock(&asker->lock);
    if (over) chief__thread_join(&asker->thread);
    else chief__thread_detach(&asker->thread);
    asker_unref(asker);
}
