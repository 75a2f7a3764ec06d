/*
 * options: arguments and fields of option tables. Times are seconds in Lua and milliseconds below. Names are
 * checked in the Lua layer, where people's mistakes get their sentences; here a wrong type is raised.
 */
#ifndef CHIEF_LUA_OPTIONS_H
#define CHIEF_LUA_OPTIONS_H

#include <chief.h>
#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* A timeout argument: none or nil is for ever, 0 does not wait. [-0, +0, v] */
int64_t chief__lua_timeout(lua_State *L, int arg);

/* Seconds in ms, rounded up, so that the shortest wait is not taken for none; what is no more than the noise of a double
 * does not count. */
int64_t chief__lua_to_ms(double seconds);

/* Seconds that must be given. [-0, +0, v] */
int64_t chief__lua_seconds(lua_State *L, int arg);

/* Fields of the table at `t`, which may also be nil. Absent: 0, false, NULL. [-0, +0, v] */
int64_t chief__lua_field_ms(lua_State *L, int t, const char *key);      /* 0 is CHIEF_ZERO */
int64_t chief__lua_field_count(lua_State *L, int t, const char *key);   /* 0 is CHIEF_ZERO */
int64_t chief__lua_field_integer(lua_State *L, int t, const char *key); /* as it is */
double chief__lua_field_number(lua_State *L, int t, const char *key, double otherwise);
bool chief__lua_field_bool(lua_State *L, int t, const char *key);

/* The string stays alive as long as the table has it. */
const char *chief__lua_field_string(lua_State *L, int t, const char *key);

/* The position in `words` (which ends in NULL) of the field's value; absent: `otherwise`. */
int chief__lua_field_word(lua_State *L, int t, const char *key, const char *const *words, int otherwise);

/* Pushes the userdata that holds the list's strings as an array (NULL for an empty one); they live as long as the
 * list has them. [-0, +1, v] */
const char *const *chief__lua_strings(lua_State *L, int idx, const char *what, size_t *n);

/* The same of a field. [-0, +1, v] */
const char *const *chief__lua_field_strings(lua_State *L, int t, const char *key, size_t *n);

/* The same of a list of integers; one that an int32_t can't hold raises. [-0, +1, v] */
const int32_t *chief__lua_field_codes(lua_State *L, int t, const char *key, size_t *n);

/* Sets a string field, nil for "". Table on top. [-0, +0, m] */
void chief__lua_set_text(lua_State *L, const char *key, const char *text);

#pragma GCC visibility pop
#endif
