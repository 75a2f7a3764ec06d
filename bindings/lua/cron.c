#include "cron.h"

#include <chief.h>
#include <lauxlib.h>
#include <time.h>

#include "fail.h"
#include "kind.h"

#define TIMES 5
#define TIMES_MAX 1000
#define MS_PER_SECOND 1000
#define SECONDS_MOST 1.0e14 /* beyond every year that cron knows; in ms it still fits */

typedef struct box {
    chief_zone *zone;
} box;

static const chief__lua_kind kind;

static int close_zone(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief_zone_free(b->zone);
    b->zone = NULL;
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.zone", .methods = methods, .close = close_zone};

/* The moment at `arg` in ms since 1970; now where there is none. [-0, +0, v] */
static int64_t check_moment(lua_State *L, int arg) {
    lua_Number seconds = luaL_optnumber(L, arg, (lua_Number)time(NULL));
    luaL_argcheck(L, seconds > -SECONDS_MOST && seconds < SECONDS_MOST, arg, "seconds since 1970");
    return (int64_t)(seconds * MS_PER_SECOND);
}

/* Appends { time = …, text = … } to the table on top. [-0, +0, m] */
static void add_time(lua_State *L, const chief_zone *zone, int64_t ms, lua_Integer i) {
    char text[64];
    (void)chief_zone_text(zone, ms, text, sizeof text);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, ms / MS_PER_SECOND);
    lua_setfield(L, -2, "time");
    lua_pushstring(L, text);
    lua_setfield(L, -2, "text");
    lua_rawseti(L, -2, i);
}

int chief__lua_cron_times(lua_State *L) {
    chief_cron cron;
    const char *text = luaL_checkstring(L, 1);
    const char *tz = luaL_optstring(L, 2, NULL);
    int64_t at = check_moment(L, 3);
    lua_Integer n = luaL_optinteger(L, 4, TIMES);
    luaL_argcheck(L, n >= 0 && n <= TIMES_MAX, 4, "0 to 1000 times");
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_cron_parse(text, &cron);
    if (rc == CHIEF_OK) rc = chief_zone_new(&b->zone, tz);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        rc = chief_cron_next(&cron, b->zone, at, &at);
        if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
        add_time(L, b->zone, at, i);
    }
    return 1;
}
