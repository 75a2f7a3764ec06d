#include "turn.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

#define CAPACITY_FIRST 4

chief__turn *chief__turn_new(const char *name, size_t len) {
    chief__turn *turn = chief__calloc(1, sizeof *turn);
    if (turn == NULL) return NULL;
    turn->name = chief__strndup(name, len);
    turn->mailboxes = chief__calloc(CAPACITY_FIRST, sizeof(chief_channel *));
    turn->capacity = CAPACITY_FIRST;
    if (turn->name != NULL && turn->mailboxes != NULL) return turn;
    chief__turn_free(turn);
    return NULL;
}

void chief__turn_free(chief__turn *turn) {
    if (turn == NULL) return;
    chief__free(turn->mailboxes);
    chief__free(turn->name);
    chief__free(turn);
}

int chief__turn_spare_make(chief__turn_spare *spare) {
    size_t wanted = spare->wanted;
    chief__turn_spare_fini(spare);
    spare->mailboxes = chief__calloc(wanted, sizeof(chief_channel *));
    if (spare->mailboxes == NULL) return chief__fail_code(CHIEF_ENOMEM);
    spare->capacity = wanted;
    return CHIEF_OK;
}

void chief__turn_spare_fini(chief__turn_spare *spare) {
    chief__free(spare->mailboxes);
    memset(spare, 0, sizeof *spare);
}

/* Its old list is left in the spare, good for freeing only. */
static bool grow(chief__turn *turn, chief__turn_spare *spare) {
    chief_channel **old = turn->mailboxes;
    spare->wanted = 2 * turn->capacity;
    if (spare->capacity < spare->wanted) return false;
    memcpy(spare->mailboxes, old, turn->n * sizeof *old);
    turn->mailboxes = spare->mailboxes;
    turn->capacity = spare->capacity;
    *spare = (chief__turn_spare){.mailboxes = old};
    return true;
}

bool chief__turn_add(chief__turn *turn, chief_channel *mailbox, chief__turn_spare *spare) {
    if (turn->n == turn->capacity && !grow(turn, spare)) return false;
    turn->mailboxes[turn->n++] = mailbox;
    return true;
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
