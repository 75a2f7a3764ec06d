/*
 * Applications as nobody would write them: tables and texts go through what `chief check` does, in Lua (app.lua beside this
 * file). Lua code gives libFuzzer no coverage of its own, so a hook counts its lines for it.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <chief_lua.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fuzz.h"

#define COUNTERS 16384
#define LINES 200000 /* a text that takes longer is cut off */
#define MEMORY ((size_t)256 << 20)

#if defined(__clang__)
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static uint8_t counters[COUNTERS];

static size_t used;
static long lines;
static const char exhausted_key;

/* As much memory as a text may take: more is Lua's own error. */
static void *limited(void *ud, void *ptr, size_t old, size_t size) {
    (void)ud;
    size_t had = ptr != NULL ? old : 0;
    if (size > had && used + size - had > MEMORY) return NULL;
    void *made = NULL;
    if (size > 0) made = realloc(ptr, size);
    else free(ptr);
    if (made != NULL || size == 0) used += size - had;
    return made;
}

/* «file:line», where somebody measures what the corpus reaches. */
static void note_line(const lua_Debug *ar) {
    static FILE *out;
    static bool looked;
    const char *path = looked ? NULL : getenv("CHIEF_FUZZ_LINES");
    if (path != NULL) out = fopen(path, "w");
    looked = true;
    if (out != NULL) (void)fprintf(out, "%s:%d\n", ar->source + 1, ar->currentline);
}

static void on_line(lua_State *L, lua_Debug *ar) {
    uint32_t hash = 2166136261u;
    if (++lines > LINES) {
        lua_pushboolean(L, 1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &exhausted_key);
        luaL_error(L, "too long");
    }
    if (lua_getinfo(L, "Sl", ar) == 0 || strstr(ar->source, "lua/chief/") == NULL) return;
    for (const char *s = ar->source; *s != '\0'; s++) hash = (hash ^ (unsigned char)*s) * 16777619u;
    hash = (hash ^ (uint32_t)ar->currentline) * 16777619u;
    uint8_t *counter = &counters[(hash ^ hash >> 16) % COUNTERS];
    if (*counter < UINT8_MAX) ++*counter;
    note_line(ar);
}

/* Whether the text was cut off. Asked by what stands for pcall: a text that catches all has no second chance. */
static int is_exhausted(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exhausted_key);
    return 1;
}

static void set_path(lua_State *L, const char *source) {
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua", source, source);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

/* The file that texts are written to; gone with the program. */
static char text_file[64];

static void remove_text_file(void) { (void)remove(text_file); }

static const char *make_text_file(void) {
    if (text_file[0] != '\0') return text_file;
    (void)snprintf(text_file, sizeof text_file, "/tmp/chief-fuzz-XXXXXX");
    int fd = mkstemp(text_file);
    MUST(fd >= 0 && close(fd) == 0 && atexit(remove_text_file) == 0);
    return text_file;
}

static lua_State *open_state(void) {
    char path[4096];
    const char *source = getenv("CHIEF_SOURCE");
    lua_State *L = lua_newstate(limited, NULL);
    MUST(L != NULL);
    luaL_openlibs(L);
    MUST(chief_lua_open(L) == CHIEF_OK);
    set_path(L, source != NULL ? source : ".");
    (void)snprintf(path, sizeof path, "%s/tests/fuzz/app.lua", source != NULL ? source : ".");
    lines = 0;
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
    int rc = luaL_loadfile(L, path);
    lua_pushcfunction(L, is_exhausted);
    lua_pushstring(L, make_text_file());
    if (rc != LUA_OK || lua_pcall(L, 2, 1, 0) != LUA_OK) {
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    return L;
}

static void check(lua_State *L, const uint8_t *data, size_t size) {
    lines = 0;
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
    int rc = lua_pcall(L, 1, 0, 0);
    lua_sethook(L, NULL, 0, 0);
    if (rc == LUA_OK || lines > LINES) return;
    (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
}

/* A text may change what it finds, so each gets a state of its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static lua_State *tables; /* reachable at the end */
    static int runs;
    if (size > 0 && data[0] == 't') {
        lua_State *L = open_state();
        check(L, data, size);
        lua_close(L);
        return 0;
    }
    if (tables == NULL) tables = open_state();
    check(tables, data, size);
    if (++runs % 64 == 0) (void)lua_gc(tables, LUA_GCCOLLECT);
    return 0;
}
