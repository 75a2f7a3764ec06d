/*
 * boss: a chief, as JavaScript holds it.
 */
#ifndef CHIEF_NODE_BOSS_H
#define CHIEF_NODE_BOSS_H

#include "chief_node.h"

typedef struct boss {
    chief *c;      /* NULL: freed */
    host *host;    /* held */
    member member; /* of the host's chiefs; JavaScript's thread */
    int64_t exit_timeout;
} boss;

/* The boss of a handle whose chief is not freed; NULL and an exception. */
boss *boss_of(napi_env env, napi_value handle);

/* The arguments of a call, the first of which is such a handle: its chief. */
chief *boss_args(napi_env env, napi_callback_info info, napi_value *argv, size_t n);

void boss_add_define(napi_env env, napi_value exports);
void boss_call_define(napi_env env, napi_value exports);

#endif
