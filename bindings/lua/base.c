#include "base.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <string.h>

#define NAME_SIZE 24

/* A function, or a text; neither: the table of the globals. */
typedef struct entry {
    char name[NAME_SIZE];
    lua_CFunction function;
    char text[NAME_SIZE];
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under lock until they are known, and then const. */
static entry entries[CHIEF__LUA_BASE_MOST];
static int count;
static bool known;

/* ---- finding out ---- */

static bool copy(char *to, const char *text) {
    size_t len = text != NULL ? strlen(text) : NAME_SIZE;
    if (len >= NAME_SIZE) return false;
    memcpy(to, text, len + 1);
    return true;
}

/* The value is on top, its name below; the globals are at 1. Functions have to be C's and to need nothing of their state. */
static bool take(lua_State *L, entry *e) {
    *e = (entry){.function = lua_tocfunction(L, -1)};
    if (lua_type(L, -2) != LUA_TSTRING || !copy(e->name, lua_tostring(L, -2))) return false;
    if (e->function != NULL) return lua_getupvalue(L, -1, 1) == NULL;
    return lua_rawequal(L, -1, 1) || (lua_type(L, -1) == LUA_TSTRING && copy(e->text, lua_tostring(L, -1)));
}

static int look(lua_State *L) {
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    lua_settop(L, 1);
    int n = 0;
    bool fit = true;
    for (lua_pushnil(L); fit && lua_next(L, 1) != 0; lua_settop(L, 2)) {
        fit = n < CHIEF__LUA_BASE_MOST && take(L, &entries[n]);
        n++;
    }
    count = n;
    known = fit;
    return 0;
}

bool chief__lua_base_open(void) {
    (void)pthread_mutex_lock(&lock);
    lua_State *L = known ? NULL : luaL_newstate();
    if (L != NULL) {
        lua_pushcfunction(L, look);
        (void)lua_pcall(L, 0, 0, 0);
        lua_close(L);
    }
    bool is_known = known;
    (void)pthread_mutex_unlock(&lock);
    return is_known;
}

/* ---- what was found ---- */

int chief__lua_base_count(void) { return count; }
const char *chief__lua_base_name(int n) { return entries[n].name; }

void chief__lua_base_push(lua_State *L, int n) {
    const entry *e = &entries[n];
    if (e->function != NULL) lua_pushcfunction(L, e->function);
    else if (e->text[0] != '\0') lua_pushstring(L, e->text);
    else lua_pushglobaltable(L);
}

lua_CFunction chief__lua_base_function(const char *name) {
    int n = 0;
    while (n < count && strcmp(entries[n].name, name) != 0) n++;
    return n < count ? entries[n].function : NULL;
}
