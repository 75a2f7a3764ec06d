#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pause.h"
#include "signals.h"
#include "trace.h"

/* How often a worker that does not come to Lua is asked again, so that its place becomes known. */
#define AGAIN_NS 20000000

/* On the stack of who looks; under the lock of the lives. */
struct chief__lua_look {
    char *text;
    bool done;
};

/* ---- in the worker's thread ---- */

void chief__lua_on_look(void) {
    chief__lua_life *life = chief__lua_life_current();
    for (; life != NULL; life = life->outer) {
        if (life->L == NULL || !atomic_load_explicit(&life->looked_for, memory_order_acquire)) continue;
        chief__lua_place_note(life);
        chief__lua_pause(life);
    }
}

void chief__lua_look_here(lua_State *L, chief__lua_life *life) {
    chief__lua_place_forget(life);
    char *text = chief__lua_where(L);
    chief__lua_lives_lock();
    if (life->look != NULL && text != NULL) {
        life->look->text = text;
        life->look->done = true;
        life->look = NULL;
        text = NULL;
    }
    chief__lua_lives_tell();
    chief__lua_lives_unlock();
    free(text);
}

/* ---- in the thread of who looks ---- */

/* Collects a text in a buffer that may be too small for it. */
typedef struct writer {
    char *buf;
    size_t size;
    size_t len;
} writer;

static void put(writer *w, const char *text) {
    size_t n = strlen(text);
    if (w->len + 1 < w->size) {
        size_t room = w->size - w->len - 1;
        memcpy(w->buf + w->len, text, n < room ? n : room);
        w->buf[w->len + (n < room ? n : room)] = '\0';
    }
    w->len += n;
}

static void put_line(writer *w, const chief__lua_frame *frame) {
    char line[CHIEF__LUA_NAME_SIZE];
    put(w, frame->source);
    if (frame->line < 0) return;
    (void)snprintf(line, sizeof line, ":%d", frame->line);
    put(w, line);
}

static const chief__lua_frame *first_lua_frame(const chief__lua_place *place) {
    for (int i = 0; i < place->depth; i++)
        if (place->frames[i].line >= 0) return &place->frames[i];
    return NULL;
}

static void put_place(writer *w, const chief__lua_place *place) {
    const chief__lua_frame *caller = first_lua_frame(place);
    if (caller != NULL) {
        put(w, ", called from ");
        put_line(w, caller);
    }
    put(w, "\nstack traceback:");
    for (int i = 0; i < place->depth; i++) {
        put(w, "\n\t");
        put_line(w, &place->frames[i]);
    }
}

/* «in ctx:recv», «in C (find)», «in C, after ctx:recv» */
static void put_call(writer *w, chief__lua_life *life, const chief__lua_place *place) {
    const char *call = atomic_load_explicit(&life->last_call, memory_order_relaxed);
    bool inside = atomic_load_explicit(&life->calls, memory_order_acquire) % 2 == 1;
    put(w, "in ");
    put(w, inside && call != NULL ? call : "C");
    if (inside || call == NULL) call = NULL;
    if (!inside && place != NULL && place->name[0] != '\0') {
        put(w, " (");
        put(w, place->name);
        put(w, ")");
    } else if (call != NULL) {
        put(w, ", after ");
        put(w, call);
    }
}

/* With the lock: whether it is entered. One that is not stands still meanwhile, and is read where it waits. */
static bool look_inside(chief__lua_life *life, chief__lua_place *place, bool *waits) {
    chief__lua_life_lock(life);
    bool entered = chief__lua_life_is_entered(life);
    *waits = !entered && life->waiting != NULL;
    if (*waits) chief__lua_place_fill(place, life->waiting);
    chief__lua_life_unlock(life);
    return entered;
}

static void put_life(writer *w, chief__lua_life *life) {
    chief__lua_place place;
    bool known;
    if (look_inside(life, &place, &known)) known = chief__lua_place_take(life, &place);
    else if (!known) {
        put(w, "in C, with no Lua state");
        return;
    }
    put_call(w, life, known ? &place : NULL);
    if (known) put_place(w, &place);
}

static struct timespec after(struct timespec t, int64_t ns) {
    t.tv_sec += (time_t)((t.tv_nsec + ns) / 1000000000);
    t.tv_nsec = (long)((t.tv_nsec + ns) % 1000000000);
    return t;
}

static bool is_past(const struct timespec *now, const struct timespec *end) {
    return now->tv_sec > end->tv_sec || (now->tv_sec == end->tv_sec && now->tv_nsec >= end->tv_nsec);
}

/* With the lock: false when it is not entered. */
static bool ask(chief__lua_life *life) {
    chief__lua_place_make(life);
    chief__lua_life_lock(life);
    bool entered = chief__lua_life_is_entered(life);
    if (entered) chief__lua_signal_look(life);
    chief__lua_life_unlock(life);
    return entered;
}

/* With the lock: asks until it has the text, the time is over, or the life is left or has ended, which it says by NULL. */
static chief__lua_life *wait_for_it(const chief_worker *worker, chief__lua_look *look, int64_t timeout_ms) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec end = after(now, timeout_ms * 1000000);
    chief__lua_life *life = chief__lua_lives_find(worker);
    while (life != NULL && !look->done && !is_past(&now, &end)) {
        struct timespec until = after(now, AGAIN_NS);
        if (life->look == NULL) life->look = look; /* else somebody else looks; then it is our turn */
        atomic_store_explicit(&life->looked_for, true, memory_order_release);
        if (!ask(life)) break;
        chief__lua_lives_wait(is_past(&until, &end) ? &end : &until);
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        life = chief__lua_lives_find(worker);
    }
    if (life != NULL && life->look == look) life->look = NULL;
    if (life != NULL && life->look == NULL) atomic_store_explicit(&life->looked_for, false, memory_order_relaxed);
    return life;
}

size_t chief__lua_look_at(const chief_worker *worker, char *buf, size_t size, int64_t timeout_ms) {
    writer w = {buf, size, 0};
    chief__lua_look look = {0};
    if (size > 0) buf[0] = '\0';
    chief__lua_lives_lock();
    chief__lua_life *life = wait_for_it(worker, &look, timeout_ms);
    if (look.done) put(&w, look.text);
    else if (life != NULL) put_life(&w, life);
    else put(&w, "in C, with no Lua state");
    chief__lua_lives_unlock();
    free(look.text);
    return w.len;
}
