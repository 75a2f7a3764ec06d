#include "pipes.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>

#include "interrupt.h"
#include "life.h"

/* What Lua itself closes such a file with; the same function every time. */
static lua_CFunction _Atomic lua_close_pipe;

static void *wait_for_program(void *file) {
    (void)pclose(file);
    return NULL;
}

/* The thread is the process's and not the worker's: it ends when the program does. */
static bool close_later(FILE *file) {
    pthread_t thread;
    pthread_attr_t attr;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool begun = pthread_create(&thread, &attr, wait_for_program, file) == 0;
    (void)pthread_attr_destroy(&attr);
    return begun;
}

static int close_pipe(lua_State *L) {
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    if (chief__lua_interrupted(chief__lua_life_of(L)) != NULL && close_later(stream->f)) return 0;
    return lua_close_pipe(L);
}

static int open_pipe(lua_State *L) {
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, LUA_MULTRET);
    luaL_Stream *stream = luaL_testudata(L, 1, LUA_FILEHANDLE);
    if (stream != NULL && stream->closef != NULL) {
        lua_close_pipe = stream->closef;
        stream->closef = close_pipe;
    }
    return lua_gettop(L);
}

void chief__lua_pipes_adjust(lua_State *L) {
    lua_getfield(L, -1, "popen");
    lua_pushcclosure(L, open_pipe, 1);
    lua_setfield(L, -2, "popen");
}
