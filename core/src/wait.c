#include "wait.h"

#include <assert.h>

void chief__waiter_wake(chief__waiter *waiter) {
    if (chief__unpark(&waiter->parker)) waiter->ready(waiter->fiber);
}

void chief__queue_join(chief__queue *queue, chief__place *place, chief__waiter *waiter) {
    atomic_store_explicit(&place->waiter, waiter, memory_order_relaxed);
    place->next = NULL;
    place->previous = queue->last;
    if (queue->last != NULL) queue->last->next = place;
    else queue->first = place;
    queue->last = place;
}

static void take_out(chief__queue *queue, chief__place *place) {
    if (place->previous != NULL) place->previous->next = place->next;
    else queue->first = place->next;
    if (place->next != NULL) place->next->previous = place->previous;
    else queue->last = place->previous;
    atomic_store_explicit(&place->waiter, NULL, memory_order_relaxed);
}

static chief__waiter *waiter_of(const chief__place *place) {
    return atomic_load_explicit(&place->waiter, memory_order_relaxed);
}

bool chief__queue_leave(chief__queue *queue, chief__place *place) {
    if (waiter_of(place) == NULL) return false;
    take_out(queue, place);
    return true;
}

bool chief__place_was_woken(const chief__place *place) { return waiter_of(place) == NULL; }

static chief__waiter *take_first(chief__queue *queue) {
    chief__place *place = queue->first;
    if (place == NULL) return NULL;
    chief__waiter *waiter = waiter_of(place);
    assert(waiter != NULL); /* as long as it stands in a queue */
    take_out(queue, place);
    return waiter;
}

void chief__queue_wake_one(chief__queue *queue) {
    chief__waiter *waiter = take_first(queue);
    if (waiter != NULL) chief__waiter_wake(waiter);
}

void chief__queue_wake_all(chief__queue *queue) {
    while (queue->first != NULL) chief__queue_wake_one(queue);
}

void chief__queue_wake_later(chief__queue *queue, chief__sleepers *later) {
    chief__waiter *waiter = take_first(queue);
    if (waiter == NULL) return;
    if (!waiter->lasts || later->n == CHIEF__SLEEPERS) {
        chief__waiter_wake(waiter);
        return;
    }
    chief__unparked was = chief__unpark_softly(&waiter->parker);
    if (was == UNPARKED_ASLEEP) later->parkers[later->n++] = &waiter->parker;
    if (was == UNPARKED_SUSPENDED) waiter->ready(waiter->fiber);
}

void chief__sleepers_rouse(const chief__sleepers *sleepers) {
    for (size_t i = 0; i < sleepers->n; i++) chief__rouse(sleepers->parkers[i]);
}
