#include "snapshot.h"

#include "kind.h"
#include "options.h"
#include "state.h"

typedef struct box {
    chief_snapshot *snapshot;
} box;

static const chief__lua_kind kind;

void chief__lua_drop_snapshot(chief_snapshot **snapshot) {
    chief_snapshot_free(*snapshot);
    *snapshot = NULL;
}

static int close_snapshot(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief__lua_drop_snapshot(&b->snapshot);
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.snapshot", .methods = methods, .close = close_snapshot};

chief_snapshot **chief__lua_new_snapshot(lua_State *L) {
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    return &b->snapshot;
}

void chief__lua_push_state_map(lua_State *L, const chief_snapshot *snapshot) {
    size_t n = chief_snapshot_len(snapshot);
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        const chief_worker_status *status = chief_snapshot_at(snapshot, i);
        chief__lua_push_state(L, status->state);
        lua_setfield(L, -2, status->name);
    }
}

/* [-0, +1, m] */
static void push_status(lua_State *L, const chief_worker_status *status) {
    lua_createtable(L, 0, 8);
    lua_pushstring(L, status->name);
    lua_setfield(L, -2, "name");
    chief__lua_push_state(L, status->state);
    lua_setfield(L, -2, "state");
    chief__lua_set_text(L, "phase", chief_phase_name(status->phase));
    chief__lua_set_text(L, "reason", chief_reason_name(status->reason));
    lua_pushinteger(L, (lua_Integer)status->generation);
    lua_setfield(L, -2, "generation");
    lua_pushinteger(L, (lua_Integer)status->restarts);
    lua_setfield(L, -2, "restarts");
    if (status->slow != 0) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "slow");
    }
    if (status->until_ms >= 0) {
        lua_pushnumber(L, (lua_Number)status->until_ms / 1000);
        lua_setfield(L, -2, "remaining");
    }
    chief__lua_set_text(L, "waiting_for", status->waiting_for);
    chief__lua_set_text(L, "error", status->error);
    chief__lua_set_text(L, "traceback", status->traceback);
    chief__lua_set_text(L, "why", status->why);
}

int chief__lua_push_statuses(lua_State *L, const chief_snapshot *snapshot) {
    size_t n = chief_snapshot_len(snapshot);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_status(L, chief_snapshot_at(snapshot, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(L, (lua_Integer)chief_snapshot_seq(snapshot));
    return 2;
}

int chief__lua_push_snapshot_json(lua_State *L, const chief_snapshot *snapshot) {
    luaL_Buffer b;
    size_t len = chief_snapshot_json(snapshot, NULL, 0);
    char *room = luaL_buffinitsize(L, &b, len + 1);
    chief_snapshot_json(snapshot, room, len + 1);
    luaL_pushresultsize(&b, len);
    return 1;
}
