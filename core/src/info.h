/*
 * info: what an application says of itself, in the log, in snapshots, to who asks.
 */
#ifndef CHIEF_INFO_H
#define CHIEF_INFO_H

#include "loop.h"

#pragma GCC visibility push(hidden)

/* Copies what the options say; NULL says nothing. */
int chief__info_take(chief *c, const chief_app_info *given);
void chief__info_clear(chief *c);

/* Puts it into the snapshots to come. With `start` the application starts now. Not under the chief's lock. */
int chief__info_show(chief *c, bool start);

/* The first line of the log. */
void chief__info_log(chief *c);

#pragma GCC visibility pop
#endif
