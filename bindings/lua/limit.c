#include "limit.h"

#include <stdio.h>

#include "interrupt.h"
#include "pause.h"

#define LEAST_SLACK ((size_t)1024 * 1024)
#define MIB (1024.0 * 1024)

static size_t slack(const chief__lua_life *life) {
    return life->limit / 4 > LEAST_SLACK ? life->limit / 4 : LEAST_SLACK;
}

void chief__lua_limit_open(chief__lua_life *life, uint64_t bytes) {
    life->limit = bytes < SIZE_MAX / 2 ? (size_t)bytes : SIZE_MAX / 2;
}

/* One that is being ended needs something for its __close handlers and for its traceback. */
static bool fits(const chief__lua_life *life, size_t more) {
    size_t most = life->limit + slack(life);
    if (chief__lua_interrupted(life) != NULL) most += slack(life);
    return life->live <= most && more <= most - life->live;
}

/* Lua collects when it is refused something and then tries once more; a library that does not, or a try that fails, leaves
 * the wish for the next instruction to judge. */
bool chief__lua_limit_judge(chief__lua_life *life, size_t had, size_t wanted) {
    size_t more = wanted - had;
    bool within = life->live <= life->limit && more <= life->limit - life->live;
    bool allowed = within || fits(life, more);
    if (!allowed && more > life->refused) life->refused = more;
    if (allowed && more >= life->refused) life->refused = 0;
    if (!within) {
        life->crossed = true;
        chief__lua_pause(life);
    }
    return allowed;
}

static bool is_over(lua_State *L, const chief__lua_life *life) {
    (void)lua_gc(L, LUA_GCCOLLECT);
    return life->live > life->limit || life->refused > life->limit - life->live;
}

/* What finalizers have had in hand is free at the second collection. */
bool chief__lua_limit_is_over(lua_State *L, chief__lua_life *life) {
    if (!life->crossed) return false;
    bool over = is_over(L, life);
    if (over) over = is_over(L, life);
    life->crossed = false;
    if (!over) life->refused = 0;
    return over;
}

bool chief__lua_limit_refused(const chief__lua_life *life) { return life->refused != 0; }

void chief__lua_limit_text(const chief__lua_life *life, char *buf, size_t size) {
    char more[64] = "";
    if (life->refused != 0)
        (void)snprintf(more, sizeof more, " and %.1f MiB more asked for", (double)life->refused / MIB);
    (void)snprintf(buf, size, "memory limit: %.1f MiB in use%s, %.1f MiB allowed", (double)life->live / MIB, more,
                   (double)life->limit / MIB);
}

void chief__lua_limit_end(lua_State *L, chief__lua_life *life) {
    char why[CHIEF__LUA_WHY_SIZE];
    chief__lua_limit_text(life, why, sizeof why);
    (void)chief__lua_interrupt_here(L, life, CHIEF_REASON_MEMORY_LIMIT, why);
}
