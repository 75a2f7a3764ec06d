#include "event.h"

#include <limits.h>
#include <poll.h>

#include "fail.h"
#include "kind.h"
#include "log.h"
#include "options.h"
#include "state.h"

#define TAKE 64
#define TAKE_MAX 4096

typedef struct batch {
    size_t max;
    chief_event *events[];
} batch;

static const chief__lua_kind kind;

static void drop_events(batch *b) {
    for (size_t i = 0; i < b->max; i++) {
        chief_event_free(b->events[i]);
        b->events[i] = NULL;
    }
}

static int close_batch(lua_State *L) {
    drop_events(chief__lua_kind_check(L, 1, &kind));
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.events", .methods = methods, .close = close_batch};

static void set_state(lua_State *L, const char *key, chief_state_t state) {
    if (state == 0) return;
    chief__lua_push_state(L, state);
    lua_setfield(L, -2, key);
}

static void set_seconds(lua_State *L, const char *key, int64_t ms) {
    lua_pushnumber(L, (lua_Number)ms / 1000);
    lua_setfield(L, -2, key);
}

/* [-0, +1, m] */
static void push_event(lua_State *L, const chief_event *e) {
    lua_createtable(L, 0, 8);
    lua_pushinteger(L, (lua_Integer)e->seq);
    lua_setfield(L, -2, "seq");
    lua_pushinteger(L, (lua_Integer)e->generation);
    lua_setfield(L, -2, "generation");
    set_seconds(L, "time", e->time_ms);
    if (e->kind == CHIEF_EVENT_RESTART) set_seconds(L, "delay", e->delay_ms);
    set_state(L, "state", e->state);
    set_state(L, "previous", e->previous);
    chief__lua_push_level(L, e->level);
    lua_setfield(L, -2, "level");
    chief__lua_set_text(L, "kind", chief_event_kind_name(e->kind));
    chief__lua_set_text(L, "reason", chief_reason_name(e->reason));
    chief__lua_set_text(L, "worker", e->worker);
    chief__lua_set_text(L, "channel", e->channel);
    chief__lua_set_text(L, "error", e->error);
    chief__lua_set_text(L, "traceback", e->traceback);
}

/* Room for that many, freed with it whatever happens. [-0, +1, m] */
static batch *new_batch(lua_State *L, size_t max) {
    batch *b = chief__lua_kind_new(L, &kind, sizeof *b + max * sizeof *b->events, 0);
    b->max = max;
    return b;
}

/* [-0, +1, m] */
static int push_list(lua_State *L, batch *b, size_t n) {
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_event(L, b->events[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    drop_events(b); /* not when the collector comes to it */
    return 1;
}

int chief__lua_take_events(lua_State *L, chief *c) {
    size_t n = 0;
    lua_Integer max = luaL_optinteger(L, 2, TAKE);
    luaL_argcheck(L, max >= 1 && max <= TAKE_MAX, 2, "1 to 4096 events at once");
    int64_t timeout_ms = chief__lua_timeout(L, 3);
    batch *b = new_batch(L, (size_t)max);
    int rc = chief_take_events(c, b->events, (size_t)max, timeout_ms, &n);
    return rc == CHIEF_OK ? push_list(L, b, n) : chief__lua_fail(L, rc);
}

int chief__lua_take_sim_events(lua_State *L, chief_sim *sim) {
    size_t n = 0;
    batch *b = new_batch(L, TAKE);
    int rc = chief_sim_take_events(sim, b->events, TAKE, &n);
    return rc == CHIEF_OK ? push_list(L, b, n) : chief__lua_fail(L, rc);
}

/* An interruption ends the wait early, as its callers look again in any case. */
int chief__lua_wait_events(lua_State *L, chief *c) {
    int64_t timeout_ms = chief__lua_timeout(L, 2);
    struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
    fds[0].fd = chief_events_fd(c);
    fds[1].fd = chief_context_fd(chief_get_stop_context(c));
    if (fds[0].fd < 0 || fds[1].fd < 0) return chief__lua_fail(L, CHIEF_ESYS);
    (void)poll(fds, 2, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);
    lua_pushboolean(L, 1);
    return 1;
}
