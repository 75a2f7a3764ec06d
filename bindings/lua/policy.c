#include "policy.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"
#include "options.h"
#include "spec.h"

#define MOST_MS 10
#define MOST_BYTES ((size_t)1024 * 1024)
#define LOOK_EVERY 1000 /* instructions */

/* The function: code, or what a module has by that name. */
typedef struct policy {
    chief__lua_spec *spec;
    char name[]; /* "": the code itself */
} policy;

/* One question. */
typedef struct question {
    const policy *policy;
    const chief_exit *exit;
    chief_answer *answer;
    size_t used;   /* bytes */
    int64_t until; /* processor time of this thread, in ns */
} question;

/* ---- its time and its memory ---- */

static int64_t processor_time(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
    question *q = data;
    size_t had = block != NULL ? old_size : 0;
    if (new_size > had && q->used + (new_size - had) > MOST_BYTES) return NULL;
    void *moved = new_size > 0 ? realloc(block, new_size) : NULL;
    if (new_size == 0) free(block);
    else if (moved == NULL) return NULL;
    q->used = q->used - had + new_size;
    return moved;
}

/* From then on every instruction raises, so that no pcall keeps it going. */
static void on_count(lua_State *L, lua_Debug *ar) {
    void *data;
    (void)ar;
    (void)lua_getallocf(L, &data);
    if (processor_time() < ((question *)data)->until) return;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    luaL_error(L, "it took more than %d ms", MOST_MS);
}

/* ---- the state ---- */

/* What can wait, leave the state, or escape its hook is not there: neither io, os, debug nor coroutines. */
static void open_libraries(lua_State *L, const char *path) {
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},       {LUA_LOADLIBNAME, luaopen_package},
                                         {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8}};
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushstring(L, path != NULL ? path : "");
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

/* [-0, +1, v] */
static void push_function(lua_State *L, const policy *p) {
    const chief__lua_source *source = &p->spec->source;
    if (source->module == NULL) {
        if (luaL_loadbufferx(L, source->chunk, source->chunk_len, source->chunkname, "b") != LUA_OK) lua_error(L);
        return;
    }
    lua_getglobal(L, "require");
    lua_pushstring(L, source->module);
    lua_call(L, 1, 1);
    if (!lua_istable(L, -1)) luaL_error(L, "module %s is a %s, not a table", source->module, luaL_typename(L, -1));
    if (lua_getfield(L, -1, p->name) != LUA_TFUNCTION)
        luaL_error(L, "module %s has no function %s", source->module, p->name);
    lua_remove(L, -2);
}

static void set_seconds(lua_State *L, const char *key, int64_t ms) {
    lua_pushnumber(L, (lua_Number)ms / 1000);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

/* [-0, +1, m] */
static void push_end(lua_State *L, const chief_end *end, int64_t now) {
    lua_createtable(L, 0, 5);
    chief__lua_set_text(L, "reason", chief_reason_name(end->reason));
    set_integer(L, "generation", (lua_Integer)end->generation);
    if (end->code != 0) set_integer(L, "code", end->code);
    set_seconds(L, "ago", now - end->time_ms);
    set_seconds(L, "up", end->up_ms);
}

/* [-0, +1, m] */
static void push_history(lua_State *L, const chief_exit *exit) {
    int64_t now = exit->history[exit->n_history - 1].time_ms;
    lua_createtable(L, (int)exit->n_history, 4);
    for (uint32_t i = 0; i < exit->n_history; i++) {
        push_end(L, &exit->history[i], now);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    chief__lua_set_text(L, "worker", exit->worker);
    chief__lua_set_text(L, "error", exit->error);
    set_integer(L, "failures", (lua_Integer)exit->failures);
    set_integer(L, "restarts", (lua_Integer)exit->restarts);
}

/* ---- the answer ---- */

static bool read_word(const char *word, int32_t *kind) {
    static const struct {
        const char *word;
        int32_t kind;
    } words[] = {
        {"restart", CHIEF_ANSWER_RESTART}, {"give_up", CHIEF_ANSWER_GIVE_UP}, {"isolate", CHIEF_ANSWER_ISOLATE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) != 0) continue;
        *kind = words[i].kind;
        return true;
    }
    return false;
}

static int refuse(lua_State *L) {
    const char *got = luaL_tolstring(L, 1, NULL);
    return luaL_error(L, "it should return \"restart\", \"give_up\", \"isolate\" or a delay in seconds, not %s", got);
}

/* The answer is the first value of the stack. [-0, +0, v] */
static void read_answer(lua_State *L, chief_answer *answer) {
    if (lua_type(L, 1) == LUA_TNUMBER) {
        double seconds = lua_tonumber(L, 1);
        if (!(seconds >= 0) || isinf(seconds)) refuse(L);
        answer->delay_ms = chief__lua_to_ms(seconds);
        answer->kind = CHIEF_ANSWER_DELAY;
    } else if (lua_type(L, 1) != LUA_TSTRING || !read_word(lua_tostring(L, 1), &answer->kind)) {
        refuse(L);
    }
}

/* question → nothing */
static int protected(lua_State *L) {
    const question *q = lua_touserdata(L, 1);
    const chief_exit *exit = q->exit;
    lua_settop(L, 0);
    open_libraries(L, q->policy->spec->source.path);
    lua_sethook(L, on_count, LUA_MASKCOUNT, LOOK_EVERY);
    push_function(L, q->policy);
    lua_pushstring(L, chief_reason_name(exit->history[exit->n_history - 1].reason));
    push_history(L, exit);
    lua_call(L, 2, 1);
    lua_sethook(L, NULL, 0, 0);
    read_answer(L, q->answer);
    return 0;
}

/* The error is on top, and needs no memory to be read. */
static int fail(lua_State *L, int status) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it raised what is no text";
    if (status == LUA_ERRMEM) text = "it took more than 1 MiB";
    return chief_set_last_error(CHIEF_EFAILED, text);
}

static int on_exit_(void *data, const chief_exit *exit, chief_answer *answer) {
    question q = {.policy = data, .exit = exit, .answer = answer};
    q.until = processor_time() + (int64_t)MOST_MS * 1000000;
    lua_State *L = lua_newstate(allocate, &q);
    if (L == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    lua_pushcfunction(L, protected);
    lua_pushlightuserdata(L, &q);
    int status = lua_pcall(L, 1, 0, 0);
    int rc = status == LUA_OK ? CHIEF_OK : fail(L, status);
    lua_sethook(L, NULL, 0, 0);
    lua_close(L);
    return rc;
}

/* ---- making one ---- */

static void free_policy(void *data) {
    policy *p = data;
    chief__lua_spec_free(p->spec);
    free(p);
}

static policy *new_policy(const chief__lua_source *source, const char *name) {
    policy *p = malloc(sizeof *p + strlen(name) + 1);
    if (p == NULL) return NULL;
    (void)memcpy(p->name, name, strlen(name) + 1);
    p->spec = chief__lua_spec_new(source);
    if (p->spec != NULL) return p;
    free(p);
    return NULL;
}

/* on_exit is at `at`, in the spec at `t`. [-0, +1, v] */
static policy *read(lua_State *L, int t, int at) {
    const char *name = chief__lua_field_string(L, at, "name");
    chief__lua_source source = {.module = chief__lua_field_string(L, at, "module"),
                                .chunk = chief__lua_field_string(L, at, "chunk"),
                                .chunkname = chief__lua_field_string(L, at, "chunkname"),
                                .path = chief__lua_field_string(L, t, "path")};
    if (source.chunk != NULL) {
        lua_getfield(L, at, "chunk");
        source.chunk_len = (size_t)lua_rawlen(L, -1);
        lua_pop(L, 1);
    }
    return new_policy(&source, name != NULL ? name : "");
}

bool chief__lua_read_policy(lua_State *L, int t, chief_policy *out) {
    *out = (chief_policy){.size = sizeof *out, .on_exit = on_exit_, .destroy = free_policy};
    bool there = lua_getfield(L, t, "on_exit") != LUA_TNIL;
    if (there) {
        luaL_checktype(L, lua_gettop(L), LUA_TTABLE);
        policy *p = read(L, t, lua_gettop(L));
        if (p == NULL) luaL_error(L, "not enough memory");
        out->data = p;
    }
    lua_pop(L, 1);
    return there;
}
