/*
 * policy: whether and after how long a worker that ended is restarted. Pure arithmetic over one worker's own restart
 * options; knows no worker, no clock and no model.
 */
#ifndef CHIEF_POLICY_H
#define CHIEF_POLICY_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* The least health in ms after which failures are counted from the beginning again. */
enum { CHIEF__POLICY_HEALTH = 10000 };

/* Whether a worker that ended by itself, with a failure or without, is to run again. */
bool chief__policy_restarts(const chief_restart *restart, bool failed);

/*
 * The delay in ms before the k-th restart in a row (k from 1): min(max_delay, delay * factor^(k-1) * (1 ± jitter)).
 * `random` is the generator's state; it is moved on only where there is jitter.
 */
int64_t chief__policy_delay(const chief_restart *restart, uint64_t k, uint64_t *random);

/* Whether `up` ms of health end the row of failures whose last restart came after `last_delay` ms. */
bool chief__policy_healthy(int64_t up, int64_t last_delay);

#pragma GCC visibility pop
#endif
