#include "turn.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

chief__turn *chief__turn_new(const char *name, size_t len) {
    chief__turn *turn = chief__calloc(1, sizeof *turn);
    if (turn == NULL) return NULL;
    turn->name = chief__strndup(name, len);
    if (turn->name != NULL) return turn;
    chief__free(turn);
    return NULL;
}

void chief__turn_free(chief__turn *turn) {
    if (turn == NULL) return;
    chief__free(turn->mailboxes);
    chief__free(turn->name);
    chief__free(turn);
}

int chief__turn_add(chief__turn *turn, chief_channel *mailbox) {
    if (turn->n == turn->capacity) {
        size_t capacity = turn->capacity > 0 ? 2 * turn->capacity : 4;
        chief_channel **grown = chief__realloc(turn->mailboxes, capacity * sizeof *grown);
        if (grown == NULL) return chief__fail_code(CHIEF_ENOMEM);
        turn->mailboxes = grown;
        turn->capacity = capacity;
    }
    turn->mailboxes[turn->n++] = mailbox;
    return CHIEF_OK;
}

/* Those behind it move up, and so does whose turn it is. */
void chief__turn_remove(chief__turn *turn, const chief_channel *mailbox) {
    size_t i = 0;
    while (i < turn->n && turn->mailboxes[i] != mailbox) i++;
    if (i == turn->n) return;
    turn->n--;
    memmove(&turn->mailboxes[i], &turn->mailboxes[i + 1], (turn->n - i) * sizeof *turn->mailboxes);
    if (turn->next > i) turn->next--;
}

chief_channel *chief__turn_take(chief__turn *turn, const chief_channel *but) {
    for (size_t tries = 0; tries < turn->n; tries++) {
        size_t i = (turn->next + tries) % turn->n;
        chief_channel *mailbox = turn->mailboxes[i];
        if (mailbox == but || !chief__channel_is_open(mailbox)) continue;
        turn->next = (i + 1) % turn->n;
        return chief_channel_ref(mailbox);
    }
    return NULL;
}
