/* home: the lives of workers in threads of their own or the host's, on the threads of fibers, and beside processes. */
#include "err.h"
#include "hosted.h"
#include "loop.h"
#include "proxy.h"

static int64_t now(const chief *c) {
    (void)c;
    return chief__now_ms();
}

/* What leads its present generation: the unit it was registered with, or the same worker in a process. */
static chief__unit *led_by(const chief__member *member) {
    return member->isolated && member->unit->apart != NULL ? member->unit->apart : member->unit;
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

static int launch(chief *c, const chief__unit *unit, chief_worker *home) {
    if (unit->isolation == CHIEF_FIBER) return launch_fiber(c, home);
    if (!chief__is_hosted(unit)) return launch_thread(c, home);
    chief__hosted_launch(home);
    return CHIEF_OK;
}

static int init(chief *c, chief__member *member) {
    chief__unit *unit = led_by(member);
    chief__surroundings around = {
        .inbox = c->inbox, .hub = c->hub, .pool = c->pool, .context = c->context, .log = c->log};
    chief_worker *home = NULL;
    int rc = chief__worker_new(&home, unit, member->generation, &around);
    if (rc == CHIEF_OK) {
        chief__worker_set_id(home, member->id);
        rc = launch(c, unit, home);
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

/* A child is told beside its home, which may wait for it. One that no thread of the host's has come for is over. */
static void ask_to_end(chief__member *member, int64_t until, const char *why) {
    const chief__unit *unit = led_by(member);
    chief__worker_cancel(member->home, until, why);
    if (unit->isolation == CHIEF_PROCESS) chief__proxy_cancel(member->home, unit->data, until, why);
    if (chief__is_hosted(unit)) chief__hosted_withdraw(member->home);
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

static int ask(chief *c, chief__question *q) {
    int rc = c->asker != NULL ? CHIEF_OK : chief__asker_new(&c->asker, c->inbox, c->thread_stack);
    if (rc == CHIEF_OK) chief__asker_ask(c->asker, q);
    return rc;
}

static void close_homes(chief *c) {
    for (size_t i = 0; i < c->n_members; i++)
        if (c->members[i] != NULL && chief__is_hosted(c->members[i]->unit)) chief__hosted_close(c->members[i]->unit);
    chief__loop_close(c);
}

const chief__homes chief__thread_homes = {.now = now,
                                          .init = init,
                                          .run = run,
                                          .finish = finish,
                                          .cancel = cancel,
                                          .force = force,
                                          .abandon = abandon,
                                          .ask = ask,
                                          .close = close_homes};
