#include "rule.h"

#include <chief.h>

#include "fail.h"
#include "kind.h"
#include "options.h"

typedef struct box {
    chief_rule *rule;
} box;

static const chief__lua_kind kind;

static int close_rule(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    chief_rule_free(b->rule);
    b->rule = NULL;
    return 0;
}

static chief_rule *check_rule(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    luaL_argcheck(L, b->rule != NULL, 1, "the rule is closed");
    return b->rule;
}

static int validate(lua_State *L) {
    size_t n;
    chief_rule *rule = check_rule(L);
    const char *const *names = chief__lua_strings(L, 2, "names", &n);
    return chief__lua_done(L, chief_rule_validate(rule, names, n));
}

static int error(lua_State *L) {
    chief_rule *rule = check_rule(L);
    const char *message = luaL_checkstring(L, 2);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_rule_error(&b->rule, rule, message);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}

static int available(lua_State *L) {
    size_t n;
    const char *const *names = chief_rule_available(check_rule(L), &n);
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"validate", validate}, {"error", error}, {"available", available}, {"close", close_rule}, {NULL, NULL},
};

static const chief__lua_kind kind = {.name = "chief.rule", .methods = methods, .close = close_rule};

int chief__lua_rule(lua_State *L) {
    size_t n;
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *message = luaL_optstring(L, 2, NULL);
    const char *const *names = chief__lua_strings(L, 1, "names", &n);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    int rc = chief_rule_new(&b->rule, names, n);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    if (message == NULL) return 1;
    int before = lua_gettop(L);
    lua_pushcfunction(L, error);
    lua_pushvalue(L, -2);
    lua_pushstring(L, message);
    lua_call(L, 2, LUA_MULTRET);
    return lua_gettop(L) - before;
}
