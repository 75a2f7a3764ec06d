#include "search.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "bytecode.h"

/* The upvalues of the searcher. */
enum { PACKAGE = 1, OWN = 2 };

/* The module's place below a folder: its dots are separators there. False when it does not fit. */
static bool put_module(char **at, const char *end, const char *module) {
    if (strlen(module) >= (size_t)(end - *at)) return false;
    for (; *module != '\0'; module++) {
        char c = *module;
        if (c == '.') c = *LUA_DIRSEP;
        *(*at)++ = c;
    }
    return true;
}

/* One template of package.path with the module in the place of each question mark. */
static bool put_candidate(char *out, const char *template, size_t len, const char *module) {
    const char *end = out + CHIEF__LUA_FILE_SIZE;
    for (size_t i = 0; i < len; i++) {
        bool is_mark = template[i] == *LUA_PATH_MARK;
        if (is_mark ? !put_module(&out, end, module) : out + 1 >= end) return false;
        if (!is_mark) *out++ = template[i];
    }
    *out = '\0';
    return true;
}

bool chief__lua_search_find(char *out, const char *path, const char *module, struct stat *about) {
    for (const char *at = path; *at != '\0'; at += *at != '\0') {
        size_t len = strcspn(at, LUA_PATH_SEP);
        if (len == 0 || !put_candidate(out, at, len, module)) return false; /* «;;»: the state's own path follows */
        if (stat(out, about) == 0) return S_ISREG(about->st_mode);
        at += len;
    }
    return false;
}

static int search(lua_State *L) {
    struct stat about;
    char file[CHIEF__LUA_FILE_SIZE];
    const char *module = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    bool has_path = lua_getfield(L, lua_upvalueindex(PACKAGE), "path") == LUA_TSTRING;
    if (has_path && chief__lua_search_find(file, lua_tostring(L, -1), module, &about) &&
        chief__lua_bytecode_load(L, file, &about)) {
        lua_pushstring(L, file);
        return 2;
    }
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(OWN));
    lua_insert(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L);
}

void chief__lua_search_open(lua_State *L, int package) {
    lua_pushvalue(L, package);
    lua_rawgeti(L, -2, 2);
    lua_pushcclosure(L, search, 2);
    lua_rawseti(L, -2, 2);
}
