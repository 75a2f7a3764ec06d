/*
 * fail: how failures leave C. What can be expected is `nil, message, code`; what Lua code raises becomes text and
 * traceback, whatever was raised.
 */
#ifndef CHIEF_LUA_FAIL_H
#define CHIEF_LUA_FAIL_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes nil, the thread's last error and the word of `rc`, and returns 3. [-0, +3, m] */
int chief__lua_fail(lua_State *L, int rc);

/* Pushes true for CHIEF_OK, else as chief__lua_fail; returns how many. [-0, +(1|3), m] */
int chief__lua_done(lua_State *L, int rc);

/* The value on top as text, whatever it is, also when its __tostring raises: replaces it. [-1, +1, m] */
void chief__lua_textify(lua_State *L);

/* Makes the text and the traceback (or nil) on top one failure, which chief__lua_on_error passes on. [-2, +1, m] */
void chief__lua_make_failure(lua_State *L);

/* Message handler: makes a failure of what was raised, with the traceback of here. */
int chief__lua_on_error(lua_State *L);

/* The text and traceback of what lua_pcall left on top, with chief__lua_on_error or without; never NULL. Borrowed
 * from that value. [-0, +0, -] */
const char *chief__lua_failure_text(lua_State *L);
const char *chief__lua_failure_traceback(lua_State *L);

/*
 * Looks at what init or run returned, from stack index `first` up: CHIEF_OK, or CHIEF_EFAILED when it was `nil,
 * err` or false, and the worker has been told why. [-0, +0, m]
 */
int chief__lua_verdict(lua_State *L, int first, chief_worker *worker, const char *what);

#pragma GCC visibility pop
#endif
