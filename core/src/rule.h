/*
 * rule: the names there are, and what is said about one that is not among them.
 */
#ifndef CHIEF_RULE_H
#define CHIEF_RULE_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* CHIEF_ENOENT with «<message> <name>; there are: …», the names sorted; without them when there is no memory (or `names` is
 * NULL). */
int chief__rule_unknown(const char *message, const char *name, const char *const *names, size_t n);

#pragma GCC visibility pop
#endif
