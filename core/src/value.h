/*
 * value: copies of chief_values that several hold at once.
 */
#ifndef CHIEF_VALUE_H
#define CHIEF_VALUE_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* A value with a count of those who hold it. A pointer's destructor runs with the last one, on its thread. */
typedef struct chief__box chief__box;

/* Copies a value that a caller made, or takes a hold on one that came from the library. CHIEF_EINVAL for a type that is
 * none, CHIEF_ENOMEM; then a pointer stays the caller's. */
int chief__box_new(chief__box **out, const chief_value *value);
void chief__box_unref(chief__box *box);

/* Fills `out` with the value and one more hold on it. */
void chief__box_get(chief__box *box, chief_value *out);

#pragma GCC visibility pop
#endif
