/*
 * asker: puts questions to the policies of the host, one after the other, on a thread of its own that is made for the
 * first one. Knows no brain and no loop: who has an answer to take is told through the inbox (CALL_ANSWERS). A policy
 * that does not come back holds up nothing but the other policies.
 */
#ifndef CHIEF_ASKER_H
#define CHIEF_ASKER_H

#include "worker.h"

#pragma GCC visibility push(hidden)

enum { CHIEF__HISTORY = 32 };

/* One question and its answer: of whoever has it, the maker, the asker, and then whoever takes it. */
typedef struct chief__question {
    struct chief__question *next;
    chief__unit *unit; /* whose policy is asked; a reference */
    uint32_t id;
    uint64_t generation;
    chief_exit exit; /* borrows from the next two and from `unit` */
    char *error;
    chief_end history[CHIEF__HISTORY];
    chief_answer answer;
    int rc;
    char text[256]; /* the last error of a policy that answered with one */
} chief__question;

/* About a worker of `unit`; `history` (`n` of them) and `error` are copied. NULL without memory. */
chief__question *chief__question_new(chief__unit *unit, const chief_end *history, uint32_t n, const char *error);
void chief__question_free(chief__question *q);

/* Calls the policy, here and now. */
void chief__question_put(chief__question *q);

typedef struct chief__asker chief__asker;

/* CHIEF_ENOMEM, CHIEF_ESYS: there can be no thread. `stack` as chief__thread_start takes it. */
int chief__asker_new(chief__asker **out, chief__inbox *inbox, size_t stack);

/* The question is the asker's. */
void chief__asker_ask(chief__asker *asker, chief__question *q);

/* The oldest answer that nobody has taken, or NULL. */
chief__question *chief__asker_take(chief__asker *asker);

/* Puts no further question, and waits until `deadline` for one that is on its way; a policy that takes longer keeps the
 * thread, which goes on by itself. Frees the asker. Takes NULL. */
void chief__asker_close(chief__asker *asker, int64_t deadline);

#pragma GCC visibility pop
#endif
