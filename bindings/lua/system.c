#include "system.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime.h"

static void nothing(int number) { (void)number; }

/* A handler and not SIG_IGN: children that are executed get the default back. One that is there already stays. */
void chief__lua_outlive_sigpipe(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action = (struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    chief__lua_pin(); /* the handler is in this module, and a program's last writes come after lua_close */
    sigaction(SIGPIPE, &action, NULL);
}

int chief__lua_ignore_sigpipe(lua_State *L) {
    (void)L;
    chief__lua_outlive_sigpipe();
    return 0;
}

int chief__lua_isatty(lua_State *L) {
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* Ends the process without looking back: an abandoned worker's thread may still run, so nothing is taken down. */
int chief__lua_exit(lua_State *L) {
    int code = (int)luaL_optinteger(L, 1, 0);
    fflush(NULL);
    _exit(code);
}
