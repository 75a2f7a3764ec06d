/* home: the lives of workers in threads of their own, on the threads of fibers, and beside processes. */
#include "err.h"
#include "loop.h"
#include "proxy.h"

static int64_t now(const chief *c) {
    (void)c;
    return chief__now_ms();
}

static void fiber_thread_begins(void *data) { chief__inbox_enter(data, false); }

static int launch_fiber(chief *c, chief_worker *home) {
    int rc = CHIEF_OK;
    if (c->scheds == NULL)
        rc = chief__scheds_new(&c->scheds, c->fiber_threads, c->thread_stack, fiber_thread_begins, c->inbox);
    return rc == CHIEF_OK ? chief__worker_launch_fiber(home, c->scheds) : rc;
}

static int launch_thread(chief *c, chief_worker *home) {
    int rc = c->crew == NULL ? chief__crew_new(&c->crew, c->thread_stack) : CHIEF_OK;
    return rc == CHIEF_OK ? chief__worker_launch(home, c->crew) : rc;
}

static int init(chief *c, chief__member *member) {
    chief__surroundings around = {
        .inbox = c->inbox, .hub = c->hub, .pool = c->pool, .context = c->context, .log = c->log};
    chief_worker *home = NULL;
    int rc = chief__worker_new(&home, member->unit, member->generation, &around);
    if (rc == CHIEF_OK) {
        chief__worker_set_id(home, member->id);
        rc = member->unit->isolation == CHIEF_FIBER ? launch_fiber(c, home) : launch_thread(c, home);
    }
    if (rc != CHIEF_OK) {
        chief__worker_unref(home);
        return rc;
    }
    member->home = home;
    chief__pool_set_slow(c->pool, member->entry, chief__worker_slow(home));
    return rc;
}

static void run(chief__member *member) { chief__worker_run(member->home); }

static void finish(chief__member *member) { chief__worker_finish(member->home); }

/* A child is told beside its home, which may wait for it. */
static void ask_to_end(chief__member *member, int64_t until, const char *why) {
    chief__worker_cancel(member->home, until, why);
    if (member->unit->isolation == CHIEF_PROCESS) chief__proxy_cancel(member->home, member->unit->data, until, why);
}

/* Each of these may come to one whose home could not be made, before the brain knows that. */
static void cancel(chief__member *member, int64_t until, const char *why) {
    if (member->home != NULL) ask_to_end(member, until, why);
}

/* What waits in a call of the chief's ends by the cancellation, also where nobody had asked yet (an init). */
static void force(chief__member *member, const char *why) {
    if (member->home == NULL) return;
    ask_to_end(member, chief__now_ms(), why);
    chief__worker_force(member->home, why);
}

static void abandon(chief__member *member) {
    if (member->home == NULL) return;
    ask_to_end(member, chief__now_ms(), "abandoned");
    chief__worker_finish(member->home); /* one that is still in its init would wait for its word for ever */
    chief__party_abandon(chief__party_of(member->home));
}

const chief__homes chief__thread_homes = {.now = now,
                                          .init = init,
                                          .run = run,
                                          .finish = finish,
                                          .cancel = cancel,
                                          .force = force,
                                          .abandon = abandon,
                                          .close = chief__loop_close};
