#include "process.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "options.h"
#include "spec.h"

#define PROGRAM "chief-lua-worker"

/* ---- Adding ---- */

int chief__lua_fill_process(chief__lua_launch *child, chief_bytes spec, int restart_on_fail,
                            const chief_process *process) {
    chief_process *how = &child->how;
    *how = (chief_process){.size = sizeof *how};
    if (process != NULL) *how = *process;
    how->spec = spec;
    how->restart_on_fail = restart_on_fail;
    if (how->n_argv > 0) return CHIEF_OK;
    int rc = chief_find_program(PROGRAM, child->program, sizeof child->program);
    child->argv[0] = child->program;
    how->argv = child->argv;
    how->n_argv = 1;
    return rc;
}

int chief__lua_add_process(chief *c, const char *name, chief_bytes spec, int restart_on_fail,
                           const chief_process *process, const chief_worker_options *options) {
    chief__lua_launch child;
    int rc = chief__lua_fill_process(&child, spec, restart_on_fail, process);
    return rc == CHIEF_OK ? chief_add_process(c, name, &child.how, options) : rc;
}

/* It is loaded here, too, so that one that can't be is refused at once, and to ask for its restart policy. */
int chief__lua_add_native_process(chief *c, const char *name, const char *path, const chief_process *process,
                                  const chief_worker_options *options) {
    chief_worker_ops ops;
    int rc = chief_load_plugin(path, &ops);
    if (rc != CHIEF_OK) return rc;
    chief_bytes spec = chief__lua_spec_pack_native(path);
    if (spec.data == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    int restart = ops.restart_on_fail != NULL && ops.restart_on_fail(NULL) != 0;
    rc = chief__lua_add_process(c, name, spec, restart, process, options);
    free((void *)(uintptr_t)spec.data);
    return rc;
}

/* ---- What the Lua table says ---- */

void chief__lua_read_process(lua_State *L, int t, chief_process *out) {
    *out = (chief_process){.size = sizeof *out};
    out->argv = chief__lua_field_strings(L, t, "program", &out->n_argv);
    lua_getfield(L, t, "process");
    int p = lua_gettop(L);
    out->env = chief__lua_field_strings(L, p, "env", &out->n_env);
    if (lua_isnil(L, p)) return;
    luaL_checktype(L, p, LUA_TTABLE);
    out->cwd = chief__lua_field_string(L, p, "cwd");
    out->user = chief__lua_field_string(L, p, "user");
    out->group = chief__lua_field_string(L, p, "group");
    out->umask = chief__lua_field_count(L, p, "umask");
    out->memory = chief__lua_field_count(L, p, "memory");
    out->cpu = chief__lua_field_count(L, p, "cpu");
    out->files = chief__lua_field_count(L, p, "files");
    out->file_size = chief__lua_field_count(L, p, "file_size");
    out->processes = chief__lua_field_count(L, p, "processes");
    out->core = chief__lua_field_count(L, p, "core");
}

int chief__lua_worker_program(lua_State *L) {
#ifdef CHIEF_IN_ROCK
    lua_pushnil(L);
    return 1;
#else
    char path[PATH_MAX];
    int rc = chief_find_program(PROGRAM, path, sizeof path);
    if (rc != CHIEF_OK) return chief__lua_fail(L, rc);
    lua_pushstring(L, path);
    return 1;
#endif
}

int chief__lua_executable(lua_State *L) {
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    if (len <= 0 || (size_t)len == sizeof path) lua_pushnil(L);
    else lua_pushlstring(L, path, (size_t)len);
    return 1;
}

int chief__lua_folder(lua_State *L) {
    char path[PATH_MAX];
    if (getcwd(path, sizeof path) == NULL) lua_pushnil(L);
    else lua_pushstring(L, path);
    return 1;
}
