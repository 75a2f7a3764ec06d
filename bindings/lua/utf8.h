/*
 * utf8: whether bytes are text. Knows nothing of Lua.
 */
#ifndef CHIEF_LUA_UTF8_H
#define CHIEF_LUA_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Of the eight bytes of a word; ASCII has none. */
#define CHIEF__LUA_HIGH_BITS UINT64_C(0x8080808080808080)

/* Whether they are valid UTF-8: in its shortest form, without surrogates, up to U+10FFFF. */
bool chief__lua_is_utf8(const unsigned char *s, size_t len);

#pragma GCC visibility pop
#endif
