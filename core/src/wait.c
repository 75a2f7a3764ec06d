#include "wait.h"

#include <assert.h>

void chief__waiter_wake(chief__waiter *waiter) {
    if (chief__unpark(&waiter->parker)) waiter->ready(waiter->fiber);
}

void chief__queue_join(chief__queue *queue, chief__place *place, chief__waiter *waiter) {
    place->waiter = waiter;
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
    place->waiter = NULL;
}

bool chief__queue_leave(chief__queue *queue, chief__place *place) {
    if (place->waiter == NULL) return false;
    take_out(queue, place);
    return true;
}

void chief__queue_wake_one(chief__queue *queue) {
    chief__place *place = queue->first;
    if (place == NULL) return;
    chief__waiter *waiter = place->waiter;
    assert(waiter != NULL); /* as long as it stands in a queue */
    take_out(queue, place);
    chief__waiter_wake(waiter);
}

void chief__queue_wake_all(chief__queue *queue) {
    while (queue->first != NULL) chief__queue_wake_one(queue);
}
