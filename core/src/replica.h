/*
 * replica: the names of a worker that there is several times. `count` makes "resizer/1", "resizer/2" of "resizer", the stem;
 * a plain name is its own stem. Knows nothing but names.
 */
#ifndef CHIEF_REPLICA_H
#define CHIEF_REPLICA_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

#define CHIEF__COUNT_MAX 65535
#define CHIEF__REPLICA_NAME_SIZE 72 /* a name of 64 bytes, '/', 5 digits, NUL */

/* How many bytes of the name are its stem. */
size_t chief__replica_stem(const char *name);

/* 2 for "resizer/2", 0 for a plain name. */
uint32_t chief__replica_number(const char *name);

/* Whether `name` is one of the replicas of `stem`. */
bool chief__replica_of(const char *name, const char *stem);

/* Writes "stem/number" into a buffer of CHIEF__REPLICA_NAME_SIZE. */
void chief__replica_name(char *buf, const char *stem, uint32_t number);

/* The order for people: by the stem, then by the number, a plain name first. */
int chief__replica_compare(const char *a, const char *b);

/* The same, but all replicas of a stem are like the stem. */
int chief__replica_compare_stems(const char *a, const char *b);

#pragma GCC visibility pop
#endif
