#include "spawn.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "alloc.h"
#include "err.h"
#include "spawned.h"

#define N_EVENTS 64

/* On the stack of a caller of chief__spawn. */
typedef struct request {
    struct request *next;
    const chief__spawn_how *how;
    chief__spawned *made;
    int rc;
    bool done;
    char text[512];
} request;

struct chief__spawner {
    atomic_uint refs; /* as above */
    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    bool started;
    bool closing;
    bool over; /* the thread has no more to do */
    request *first, **last;
    chief__thread thread;
    int wake; /* const once started, and so is the bench's epoll */
    /* spawner's thread */
    chief__spawned *children;
    bool killed_all;
    chief__bench bench;
};

/* ---- the spawner as an object ---- */

int chief__spawner_new(chief__spawner **out) {
    *out = NULL;
    chief__spawner *sp = chief__calloc(1, sizeof *sp);
    if (sp == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&sp->refs, 1);
    chief__mutex_init(&sp->lock);
    chief__cond_init(&sp->changed);
    sp->last = &sp->first;
    sp->bench.epoll = sp->wake = -1;
    *out = sp;
    return CHIEF_OK;
}

chief__spawner *chief__spawner_ref(chief__spawner *sp) {
    (void)atomic_fetch_add_explicit(&sp->refs, 1, memory_order_relaxed);
    return sp;
}

void chief__spawner_unref(chief__spawner *sp) {
    if (sp == NULL || atomic_fetch_sub_explicit(&sp->refs, 1, memory_order_acq_rel) != 1) return;
    chief__fd_close(sp->bench.epoll);
    chief__fd_close(sp->wake);
    chief__cond_fini(&sp->changed);
    chief__mutex_fini(&sp->lock);
    chief__free(sp);
}

void chief__spawner_wake(chief__spawner *sp) { chief__fd_set(sp->wake); }

/* ---- the thread ---- */

static request *next_request(chief__spawner *sp) {
    chief__lock(&sp->lock);
    request *r = sp->first;
    if (r != NULL) sp->first = r->next;
    if (sp->first == NULL) sp->last = &sp->first;
    chief__unlock(&sp->lock);
    return r;
}

static int refuse(const chief__spawn_how *how) {
    return chief__fail(CHIEF_ECLOSED, "worker %s: the chief starts no more processes", how->worker);
}

static void adopt(chief__spawner *sp, chief__spawned *s) {
    chief__sibling *at = chief__spawned_sibling(s);
    *at = (chief__sibling){.next = sp->children, .back = &sp->children};
    if (at->next != NULL) chief__spawned_sibling(at->next)->back = &at->next;
    sp->children = chief__spawned_ref(s);
}

static void drop(chief__spawned *s) {
    const chief__sibling *at = chief__spawned_sibling(s);
    *at->back = at->next;
    if (at->next != NULL) chief__spawned_sibling(at->next)->back = at->back;
    chief__spawned_unref(s);
}

static void answer_requests(chief__spawner *sp) {
    request *r;
    while ((r = next_request(sp)) != NULL) {
        chief__spawned *made = NULL;
        int rc = sp->killed_all ? refuse(r->how) : chief__spawned_start(&made, sp, &sp->bench, r->how);
        if (rc == CHIEF_OK) adopt(sp, made);
        chief__lock(&sp->lock);
        r->rc = rc;
        r->made = made;
        if (rc != CHIEF_OK) (void)chief_last_error_take(r->text, sizeof r->text);
        r->done = true;
        chief__cond_wake_all(&sp->changed);
        chief__unlock(&sp->lock);
    }
}

static int64_t tend_all(chief__spawner *sp) {
    int64_t due = INT64_MAX;
    int64_t now = chief__now_ms();
    for (chief__spawned *s = sp->children, *next; s != NULL; s = next) {
        bool gone;
        next = chief__spawned_sibling(s)->next;
        int64_t wanted = chief__spawned_tend(s, &sp->bench, now, &gone);
        if (wanted < due) due = wanted;
        if (gone) drop(s);
    }
    return due;
}

static void on_event(chief__spawner *sp, const struct epoll_event *event) {
    if (event->data.ptr == NULL) chief__fd_clear(sp->wake);
    else chief__spawned_on_event(&sp->bench, event->data.ptr, event->events);
}

/* Whether the end is asked for; kills what is left then, once. */
static bool is_closing(chief__spawner *sp) {
    chief__lock(&sp->lock);
    bool closing = sp->closing;
    chief__unlock(&sp->lock);
    if (!closing || sp->killed_all) return closing;
    sp->killed_all = true;
    for (chief__spawned *s = sp->children; s != NULL; s = chief__spawned_sibling(s)->next) chief__spawned_kill(s);
    return true;
}

static int wait_ms(int64_t due) {
    if (due == INT64_MAX) return -1;
    int64_t now = chief__now_ms();
    return due > now ? (int)(due - now) : 0;
}

static void spawner_main(void *arg) {
    chief__spawner *sp = arg;
    struct epoll_event events[N_EVENTS];
    int64_t due = INT64_MAX;
    while (!is_closing(sp) || sp->children != NULL) {
        int n = epoll_wait(sp->bench.epoll, events, N_EVENTS, wait_ms(due));
        for (int i = 0; i < n; i++) on_event(sp, &events[i]);
        answer_requests(sp);
        due = tend_all(sp);
    }
    answer_requests(sp); /* none comes any more: who asks has looked at `closing` under the lock */
    chief__lock(&sp->lock);
    sp->over = true;
    chief__cond_wake_all(&sp->changed);
    chief__unlock(&sp->lock);
    chief__spawner_unref(sp);
}

/* ---- what others ask of it ---- */

/* With the lock held. */
static int start_thread(chief__spawner *sp) {
    if (sp->bench.epoll < 0) sp->bench.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sp->wake < 0) sp->wake = chief__fd_new();
    if (sp->bench.epoll < 0 || sp->wake < 0 ||
        (chief__bench_watch(&sp->bench, EPOLL_CTL_ADD, sp->wake, EPOLLIN, NULL) != 0 && errno != EEXIST))
        return chief__fail(CHIEF_ESYS, "the thread that starts processes can't be made: %s", strerror(errno));
    int rc = chief__thread_start(&sp->thread, spawner_main, chief__spawner_ref(sp), 0, "chief-spawner");
    if (rc == CHIEF_OK) sp->started = true;
    else chief__spawner_unref(sp);
    return rc;
}

int chief__spawn(chief__spawned **out, chief__spawner *sp, const chief__spawn_how *how) {
    request r = {.how = how};
    int rc = CHIEF_OK;
    *out = NULL;
    chief__lock(&sp->lock);
    if (sp->closing) rc = refuse(how);
    if (rc == CHIEF_OK && !sp->started) rc = start_thread(sp);
    if (rc == CHIEF_OK) {
        *sp->last = &r;
        /* cppcheck-suppress autoVariables; its answer is waited for here */
        sp->last = &r.next;
        chief__fd_set(sp->wake);
        while (!r.done) (void)chief__cond_wait(&sp->changed, &sp->lock, INT64_MAX);
    }
    chief__unlock(&sp->lock);
    if (rc != CHIEF_OK) return rc;
    if (r.rc != CHIEF_OK) return chief__fail(r.rc, "%s", r.text);
    *out = r.made;
    return CHIEF_OK;
}

void chief__spawner_close(chief__spawner *sp, int64_t deadline) {
    chief__lock(&sp->lock);
    bool first = !sp->closing;
    sp->closing = true;
    if (sp->started) chief__fd_set(sp->wake);
    while (sp->started && !sp->over && chief__cond_wait(&sp->changed, &sp->lock, deadline)) continue;
    bool over = sp->over;
    bool started = sp->started;
    chief__unlock(&sp->lock);
    if (!started || !first) return;
    if (over) chief__thread_join(&sp->thread);
    else chief__thread_detach(&sp->thread);
}
