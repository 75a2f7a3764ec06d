#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "life.h"

enum { EMPTY, FULL, TAKEN };

/* Two looks after the first: 30 ms at least while the thread is being interrupted. */
#define STILL_ENOUGH 2

static void copy_text(char *to, size_t size, const char *from) {
    size_t len = from != NULL ? strlen(from) : 0;
    if (len >= size) len = size - 1;
    if (len > 0) memcpy(to, from, len);
    to[len] = '\0';
}

static bool inside_call(const chief__lua_life *life) {
    return atomic_load_explicit(&life->calls, memory_order_relaxed) % 2 == 1;
}

void chief__lua_place_fill(chief__lua_place *place, lua_State *L) {
    lua_Debug ar;
    place->depth = 0;
    if (lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar)) copy_text(place->name, sizeof place->name, ar.name);
    for (int level = 1; place->depth < CHIEF__LUA_PLACE_DEPTH && lua_getstack(L, level, &ar); level++) {
        chief__lua_frame *frame = &place->frames[place->depth++];
        (void)lua_getinfo(L, "Sl", &ar);
        copy_text(frame->source, sizeof frame->source, ar.short_src);
        frame->line = ar.currentline;
    }
}

/* What is stored is whole. */
static chief__lua_place *place_of(chief__lua_life *life) {
    return atomic_load_explicit(&life->place, memory_order_acquire);
}

void chief__lua_place_make(chief__lua_life *life) {
    if (place_of(life) == NULL)
        atomic_store_explicit(&life->place, calloc(1, sizeof(chief__lua_place)), memory_order_release);
}

void chief__lua_place_note(chief__lua_life *life) {
    chief__lua_place *place = place_of(life);
    lua_State *L = life->running != NULL ? life->running : life->L;
    if (L == NULL || place == NULL) return;
    place->still = place->allocations == life->allocations ? place->still + 1 : 0;
    place->allocations = life->allocations;
    if (place->still < STILL_ENOUGH && !inside_call(life)) return;
    if (atomic_load_explicit(&place->state, memory_order_acquire) != EMPTY) return;
    chief__lua_place_fill(place, L);
    atomic_store_explicit(&place->state, FULL, memory_order_release);
}

void chief__lua_place_forget(chief__lua_life *life) {
    int full = FULL;
    chief__lua_place *place = place_of(life);
    if (place == NULL) return;
    place->still = -1;
    (void)atomic_compare_exchange_strong_explicit(&place->state, &full, EMPTY, memory_order_relaxed,
                                                  memory_order_relaxed);
}

bool chief__lua_place_is_known(chief__lua_life *life) {
    chief__lua_place *place = place_of(life);
    return place != NULL && atomic_load_explicit(&place->state, memory_order_acquire) == FULL;
}

bool chief__lua_place_take(chief__lua_life *life, chief__lua_place *out) {
    int full = FULL;
    chief__lua_place *place = place_of(life);
    if (place == NULL || !atomic_compare_exchange_strong_explicit(&place->state, &full, TAKEN, memory_order_acquire,
                                                                  memory_order_relaxed))
        return false;
    memcpy(out->name, place->name, sizeof out->name);
    memcpy(out->frames, place->frames, sizeof out->frames);
    out->depth = place->depth;
    atomic_store_explicit(&place->state, EMPTY, memory_order_release);
    return true;
}
