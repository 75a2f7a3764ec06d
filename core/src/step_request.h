/*
 * step_request: what people ask of one worker while the chief runs: what is legal when, and what it sets in motion.
 */
#ifndef CHIEF_STEP_REQUEST_H
#define CHIEF_STEP_REQUEST_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* STEP_ADDED to STEP_REMOVE. CHIEF_ENOENT when `id` is nobody, or being removed; else as chief__step says. */
int chief__step_request(chief__model *m, chief__step_kind kind, uint32_t id);

#pragma GCC visibility pop
#endif
