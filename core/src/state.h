/*
 * state: the nine worker states, their forms and the one table of legal transitions. Pure.
 */
#ifndef CHIEF_STATE_H
#define CHIEF_STATE_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* A state's name, NULL for an unknown number. */
const char *chief__state_name(chief_state_t state);

#pragma GCC visibility pop
#endif
