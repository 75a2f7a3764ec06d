#include "json.h"

#include <chief.h>
#include <cjson/cJSON.h>
#include <lualib.h>
#include <stdio.h>

#include "codec.h"
#include "fail.h"
#include "kind.h"

#define EXACT 9007199254740992.0 /* 2^53: up to here cJSON's double is the integer that was written */

/* What is cJSON's, so that a raise leaks nothing. */
typedef struct box {
    cJSON *tree;
    char *text;
} box;

static const chief__lua_kind kind;

static int close_box(lua_State *L) {
    box *b = chief__lua_kind_check(L, 1, &kind);
    cJSON_Delete(b->tree);
    cJSON_free(b->text);
    *b = (box){0};
    return 0;
}

static const luaL_Reg methods[] = {{NULL, NULL}};

static const chief__lua_kind kind = {.name = "chief.json", .methods = methods, .close = close_box};

/* ---- Encoding ---- */

static cJSON *make_number(lua_State *L, int idx) {
    char digits[32];
    if (!lua_isinteger(L, idx)) return cJSON_CreateNumber(lua_tonumber(L, idx));
    (void)snprintf(digits, sizeof digits, "%lld", (long long)lua_tointeger(L, idx));
    return cJSON_CreateRaw(digits); /* a double would round it */
}

/* As in messages: {} is an array, map{} an object. */
static bool is_object(lua_State *L, int idx) {
    if (lua_rawlen(L, idx) > 0) return false;
    if (chief__lua_is_map(L, idx)) return true;
    lua_pushnil(L);
    if (!lua_next(L, idx)) return false;
    lua_pop(L, 2);
    return true;
}

/* A node without what a table contains. */
static cJSON *make_node(lua_State *L, int idx) {
    switch (lua_type(L, idx)) {
    case LUA_TNIL: return cJSON_CreateNull();
    case LUA_TBOOLEAN: return cJSON_CreateBool(lua_toboolean(L, idx));
    case LUA_TNUMBER: return make_number(L, idx);
    case LUA_TSTRING: return cJSON_CreateString(lua_tostring(L, idx));
    case LUA_TTABLE: return is_object(L, idx) ? cJSON_CreateObject() : cJSON_CreateArray();
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, idx) == NULL) return cJSON_CreateNull();
        break;
    default: break;
    }
    luaL_argerror(L, 1, lua_pushfstring(L, "JSON has no form for a %s", luaL_typename(L, idx)));
    return NULL;
}

static void fill(lua_State *L, int idx, cJSON *node, int depth);

/* Hangs the node into its parent before anything can raise. [-0, +0, v] */
static void add(lua_State *L, int idx, cJSON *parent, const char *key, int depth) {
    cJSON *node = make_node(L, idx);
    int added = key == NULL ? cJSON_AddItemToArray(parent, node) : cJSON_AddItemToObject(parent, key, node);
    if (!added) {
        cJSON_Delete(node);
        luaL_error(L, "not enough memory");
    }
    fill(L, idx, node, depth + 1);
}

static void fill_array(lua_State *L, int idx, cJSON *array, int depth) {
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, idx, i);
        add(L, lua_gettop(L), array, NULL, depth);
        lua_pop(L, 1);
    }
}

static int before(lua_State *L) {
    lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

/* Pushes the list of the keys, as text, in order: the same table gives the same JSON. [-0, +1, v] */
static void push_keys(lua_State *L, int idx) {
    lua_newtable(L);
    int list = lua_gettop(L);
    lua_pushnil(L);
    for (lua_Integer n = 1; lua_next(L, idx); n++) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, 1, "the keys of a JSON object are strings");
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, n);
    }
    luaL_requiref(L, "table", luaopen_table, 0);
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, list);
    lua_pushcfunction(L, before);
    lua_call(L, 2, 0);
    lua_settop(L, list);
}

static void fill_object(lua_State *L, int idx, cJSON *object, int depth) {
    push_keys(L, idx);
    int keys = lua_gettop(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, keys);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, -1);
        lua_rawget(L, idx);
        add(L, lua_gettop(L), object, lua_tostring(L, -2), depth);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

static void fill(lua_State *L, int idx, cJSON *node, int depth) {
    if (!lua_istable(L, idx)) return;
    if (depth > CHIEF__LUA_DEPTH) luaL_argerror(L, 1, "a table nested more than 100 deep, or in itself");
    luaL_checkstack(L, 10, NULL);
    if (cJSON_IsArray(node)) fill_array(L, idx, node, depth);
    else fill_object(L, idx, node, depth);
}

int chief__lua_json_encode(lua_State *L) {
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    b->tree = make_node(L, 1);
    fill(L, 1, b->tree, 1);
    b->text = cJSON_PrintUnformatted(b->tree);
    if (b->text == NULL) return luaL_error(L, "not enough memory");
    lua_pushstring(L, b->text);
    return 1;
}

/* ---- Decoding ---- */

/* [-0, +1, m] */
static void push_node(lua_State *L, const cJSON *node);

static void push_number(lua_State *L, double n) {
    if (n >= -EXACT && n <= EXACT && n == (double)(lua_Integer)n) lua_pushinteger(L, (lua_Integer)n);
    else lua_pushnumber(L, n);
}

static void push_members(lua_State *L, const cJSON *parent) {
    lua_Integer n = 0;
    const cJSON *child;
    luaL_checkstack(L, 4, NULL);
    lua_newtable(L);
    cJSON_ArrayForEach(child, parent) {
        push_node(L, child);
        if (child->string != NULL) lua_setfield(L, -2, child->string);
        else lua_rawseti(L, -2, ++n);
    }
    if (!cJSON_IsObject(parent) || parent->child != NULL) return;
    chief__lua_push_map_mark(L);
    lua_setmetatable(L, -2);
}

static void push_node(lua_State *L, const cJSON *node) {
    if (cJSON_IsObject(node) || cJSON_IsArray(node)) push_members(L, node);
    else if (cJSON_IsString(node)) lua_pushstring(L, node->valuestring);
    else if (cJSON_IsNumber(node)) push_number(L, node->valuedouble);
    else if (cJSON_IsBool(node)) lua_pushboolean(L, cJSON_IsTrue(node));
    else lua_pushlightuserdata(L, NULL);
}

int chief__lua_json_decode(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *end = NULL;
    box *b = chief__lua_kind_new(L, &kind, sizeof *b, 0);
    /* With its NUL, so that cJSON can see that nothing follows. */
    b->tree = cJSON_ParseWithLengthOpts(text, len + 1, &end, 1);
    if (b->tree == NULL) {
        long at = end == NULL ? 1 : (long)(end - text) + 1;
        chief_set_last_error(CHIEF_EDATA, lua_pushfstring(L, "not valid JSON (byte %d)", (int)at));
        return chief__lua_fail(L, CHIEF_EDATA);
    }
    push_node(L, b->tree);
    return 1;
}
