/* nested: a chief as a worker of another one (chief_add_chief). */
#ifndef CHIEF_NESTED_H
#define CHIEF_NESTED_H

#include "loop.h"

#pragma GCC visibility push(hidden)

/* Whether this worker is a chief. */
bool chief__is_nest(const chief__unit *unit);

#pragma GCC visibility pop
#endif
