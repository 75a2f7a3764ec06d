/*
 * The chief command: a Lua state that runs chief.cli, over libchief-lua. What it does is Lua.
 */
#include <chief_lua.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARE "share/lua/5.4"

enum { EXIT_ABANDONED = 75 };

typedef struct command {
    int argc;
    char **argv;
    int code;
} command;

/* The prefix that this program was installed under, or built in: what is two steps above it. */
static int find_prefix(char *out, size_t size) {
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0) return 0;
    out[len] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(out, '/');
        if (slash == NULL) return 0;
        *slash = '\0';
    }
    return 1;
}

/* Puts chief's own Lua files before all others. [-0, +0, v] */
static void add_path(lua_State *L, const char *dir) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", dir, dir, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 2);
}

static void set_path(lua_State *L) {
    char prefix[PATH_MAX];
#ifdef CHIEF_LUA_DIR
    add_path(L, CHIEF_LUA_DIR);
#endif
    if (!find_prefix(prefix, sizeof prefix)) return;
    lua_pushfstring(L, "%s/" SHARE, prefix);
    add_path(L, lua_tostring(L, -1));
    lua_pop(L, 1);
}

static void set_arguments(lua_State *L, const command *c) {
    lua_createtable(L, c->argc, 1);
    for (int i = 0; i < c->argc; i++) {
        lua_pushstring(L, c->argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
}

/* What main returns is the exit code: an integer; true or nothing is 0. */
static int exit_code(lua_State *L) {
    if (lua_isinteger(L, -1)) return (int)lua_tointeger(L, -1);
    return lua_isnil(L, -1) || lua_toboolean(L, -1) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_protected(lua_State *L) {
    command *c = lua_touserdata(L, 1);
    luaL_checkversion(L);
    luaL_openlibs(L);
    if (chief_lua_open(L) != CHIEF_OK) return luaL_error(L, "%s", chief_last_error());
    set_path(L);
    set_arguments(L, c);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "chief.cli");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_getglobal(L, "arg");
    lua_call(L, 1, 1);
    c->code = exit_code(L);
    return 0;
}

static int on_error(lua_State *L) {
    const char *text = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, text, 1);
    return 1;
}

static int run(lua_State *L, command *c) {
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, c);
    if (lua_pcall(L, 1, 0, 1) == LUA_OK) return c->code;
    const char *text = lua_tostring(L, -1);
    fprintf(stderr, "chief: %s\n", text == NULL ? "not enough memory" : text);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    command c = {argc, argv, EXIT_FAILURE};
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        fputs("chief: not enough memory\n", stderr);
        return EXIT_FAILURE;
    }
    int code = run(L, &c);
    if (code == EXIT_ABANDONED) { /* a worker's thread may still run in what would be taken down */
        fflush(NULL);
        _exit(code);
    }
    lua_close(L);
    return code;
}
