/*
 * signals: the two real-time signals by which a worker's thread is reached, taken from those that nobody uses when the first
 * Lua worker of the process begins. One looks: calls that can be restarted are. One ends: calls that wait return EINTR.
 */
#ifndef CHIEF_LUA_SIGNALS_H
#define CHIEF_LUA_SIGNALS_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* Installs the handlers, once, and lets both signals through to this thread. Without a free signal nothing is ever sent. */
void chief__lua_signals_open(void);

/* The life's gate is held and it is entered. */
void chief__lua_signal_look(chief__lua_life *life);

/* Sends the ending signal now and again every 15 ms, by a timer of the kernel that knows the thread, until stopped. */
void chief__lua_signal_end(chief__lua_life *life);
void chief__lua_signal_stop(chief__lua_life *life);

/* Starts a detached thread that takes no signal, which are the host's and the workers', and needs little stack. */
bool chief__lua_start_quiet(void *(*run)(void *));

/* On the life's own thread: the next one in 15 ms from now. */
void chief__lua_signal_pace(chief__lua_life *life);

#pragma GCC visibility pop
#endif
