/*
 * hosted: workers whose lives are led on threads of the host's (chief_add_hosted). Here the lives that want a thread wait for
 * one, and threads for them.
 */
#ifndef CHIEF_HOSTED_H
#define CHIEF_HOSTED_H

#include "worker.h"

#pragma GCC visibility push(hidden)

/* Whether this worker is a hosted one. */
bool chief__is_hosted(const chief__unit *unit);

/* The life waits for a thread of the host's. */
void chief__hosted_launch(chief_worker *home);

/* Ends the life if it still does. By the loop, which may be inside of an action. */
void chief__hosted_withdraw(chief_worker *home);

/* No life of such a worker's will come any more. */
void chief__hosted_close(const chief__unit *unit);

#pragma GCC visibility pop
#endif
