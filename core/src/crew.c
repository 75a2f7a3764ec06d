#include "crew.h"

#include <string.h>

#include "alloc.h"
#include "err.h"
#include "stack.h"

#define NAME_SIZE 16

struct chief__mate {
    chief__mate *next;    /* among those that wait; under lock, as all that follows but where it says otherwise */
    chief__crew *crew;    /* held; const */
    chief__thread thread; /* of who starts and ends jobs */
    chief__parker parker;
    chief__stack stack;
    void (*run)(void *); /* NULL: nothing to do */
    void *arg;
    char name[NAME_SIZE];
    bool used;   /* its thread has had a job; its own */
    bool ended;  /* the job has */
    bool let_go; /* nobody joins it */
    bool leaves; /* told to end */
    bool gone;   /* has seen that, and whether it was let go */
};

struct chief__crew {
    atomic_uint refs; /* dropped with release, the last one acquires */
    size_t stack;     /* const after new */
    chief__mutex lock;
    /* under lock */
    chief__mate *idle;
    size_t n_idle;
    size_t n_ended; /* that stay and are not the crew's again yet */
    bool closed;
};

/* ---- life ---- */

int chief__crew_new(chief__crew **out, size_t stack) {
    chief__crew *crew = *out = chief__calloc(1, sizeof *crew);
    if (crew == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&crew->refs, 1);
    crew->stack = stack;
    chief__mutex_init(&crew->lock);
    return CHIEF_OK;
}

static void crew_unref(chief__crew *crew) {
    if (atomic_fetch_sub_explicit(&crew->refs, 1, memory_order_acq_rel) != 1) return;
    chief__mutex_fini(&crew->lock);
    chief__free(crew);
}

/* Nothing of its thread runs any more. */
static void mate_free(chief__mate *mate) {
    chief__stack_give(mate->stack);
    crew_unref(mate->crew);
    chief__free(mate);
}

static void assign(chief__mate *mate, void (*run)(void *), void *arg, const char *name) {
    size_t len = strnlen(name, NAME_SIZE - 1);
    memset(mate->name, 0, NAME_SIZE);
    memcpy(mate->name, name, len);
    mate->run = run;
    mate->arg = arg;
    mate->ended = mate->let_go = false;
}

/* ---- a thread of the crew ---- */

/* With the lock held: who has ended a job waits for the next, or leaves where there are enough. */
static void settle(chief__mate *mate) {
    chief__crew *crew = mate->crew;
    crew->n_ended--;
    mate->leaves = crew->closed || crew->n_idle == CHIEF__CREW_IDLE;
    if (mate->leaves) {
        (void)chief__unpark(&mate->parker);
        return;
    }
    mate->next = crew->idle;
    crew->idle = mate;
    crew->n_idle++;
}

/* With the lock held, but for waiting: false when it is to leave. */
static bool wait_for_job(chief__mate *mate) {
    while (mate->run == NULL && !mate->leaves) {
        chief__unlock(&mate->crew->lock);
        (void)chief__park(&mate->parker, INT64_MAX);
        chief__lock(&mate->crew->lock);
    }
    return mate->run != NULL;
}

/* With the lock held. Where enough stay this one is gone before anybody has to wake it for that. */
static void end_job(chief__mate *mate) {
    chief__crew *crew = mate->crew;
    mate->ended = true;
    mate->leaves = crew->n_idle + crew->n_ended >= CHIEF__CREW_IDLE;
    if (mate->leaves) return;
    crew->n_ended++;
    if (mate->let_go) settle(mate);
}

/* With the lock held, but for the job itself. */
static void do_job(chief__mate *mate) {
    void (*run)(void *) = mate->run;
    void *arg = mate->arg;
    mate->run = NULL;
    chief__unlock(&mate->crew->lock);
    if (mate->used) chief__thread_renew(mate->name);
    mate->used = true;
    run(arg);
    chief__lock(&mate->crew->lock);
    end_job(mate);
}

static void mate_main(void *arg) {
    chief__mate *mate = arg;
    chief__crew *crew = mate->crew;
    chief__lock(&crew->lock);
    while (wait_for_job(mate)) do_job(mate);
    chief__stack stack = mate->stack;
    bool alone = mate->let_go;
    mate->gone = true;
    chief__unlock(&crew->lock);
    chief__stack_trim(stack);
    if (!alone) return; /* from here on the mate is whose who joins it */
    chief__thread_detach_self();
    chief__stack_leave(stack);
    mate->stack = (chief__stack){.slab = NULL};
    mate_free(mate);
}

/* ---- jobs ---- */

static chief__mate *call_idle(chief__crew *crew, void (*run)(void *), void *arg, const char *name) {
    chief__lock(&crew->lock);
    chief__mate *mate = crew->idle;
    if (mate != NULL) {
        crew->idle = mate->next;
        crew->n_idle--;
        assign(mate, run, arg, name);
        (void)chief__unpark(&mate->parker);
    }
    chief__unlock(&crew->lock);
    return mate;
}

/* The system's own stack where there is none of ours, or where it wants a larger one, as under ThreadSanitizer. */
static int start_thread(chief__mate *mate, const char *name) {
    chief__stack stack = mate->stack = chief__stack_take(mate->crew->stack);
    if (stack.base != NULL &&
        chief__thread_start_on(&mate->thread, mate_main, mate, stack.base, stack.size, name) == CHIEF_OK)
        return CHIEF_OK;
    mate->stack = (chief__stack){.slab = NULL};
    chief__stack_give(stack);
    return chief__thread_start(&mate->thread, mate_main, mate, mate->crew->stack, name);
}

int chief__crew_start(chief__mate **out, chief__crew *crew, void (*run)(void *), void *arg, const char *name) {
    *out = call_idle(crew, run, arg, name);
    if (*out != NULL) return CHIEF_OK;
    chief__mate *mate = chief__calloc(1, sizeof *mate);
    if (mate == NULL) return chief__fail_code(CHIEF_ENOMEM);
    (void)atomic_fetch_add_explicit(&crew->refs, 1, memory_order_relaxed);
    mate->crew = crew;
    assign(mate, run, arg, name);
    int rc = start_thread(mate, name);
    if (rc == CHIEF_OK) *out = mate;
    else mate_free(mate);
    return rc;
}

bool chief__crew_try_end(chief__mate *mate) {
    chief__crew *crew = mate->crew;
    chief__lock(&crew->lock);
    bool ended = mate->ended;
    if (ended && !mate->leaves) settle(mate);
    bool leaves = mate->leaves;
    chief__unlock(&crew->lock);
    if (!ended || !leaves) return ended;
    if (!chief__thread_try_join(&mate->thread)) return false;
    mate_free(mate);
    return true;
}

/* Who had been told to leave and knows of nobody's letting go has a few instructions left. */
void chief__crew_let_go(chief__mate *mate) {
    chief__lock(&mate->crew->lock);
    bool gone = mate->gone;
    mate->let_go = true;
    if (mate->ended && !mate->leaves) settle(mate);
    chief__unlock(&mate->crew->lock);
    if (!gone) return;
    chief__thread_join(&mate->thread);
    mate_free(mate);
}

/* ---- the end ---- */

static chief__mate *dismiss(chief__crew *crew) {
    chief__lock(&crew->lock);
    chief__mate *idle = crew->idle;
    crew->closed = true;
    crew->idle = NULL;
    crew->n_idle = 0;
    for (chief__mate *mate = idle; mate != NULL; mate = mate->next) {
        mate->let_go = false;
        mate->leaves = true;
        (void)chief__unpark(&mate->parker);
    }
    chief__unlock(&crew->lock);
    return idle;
}

void chief__crew_close(chief__crew *crew) {
    if (crew == NULL) return;
    chief__mate *mate = dismiss(crew);
    while (mate != NULL) {
        chief__mate *next = mate->next;
        chief__thread_join(&mate->thread);
        mate_free(mate);
        mate = next;
    }
    crew_unref(crew);
}
