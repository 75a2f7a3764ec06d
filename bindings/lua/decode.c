#include <lauxlib.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "fail.h"

#define SLOTS 3  /* of the Lua stack, per level of tables: one, a key and its value */
#define LEVELS 8 /* for so many at a time it is looked whether there is room */
#define ROOM (LEVELS * SLOTS + 8)

/* Every container that is open promises items that are still to come, each of at least one byte. As long as what is
 * promised is there, what is allocated ahead stays in proportion to the message. */
typedef struct decoder {
    lua_State *L;
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    size_t promised;
    int depth;
} decoder;

static bool refuse(const decoder *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(const decoder *d, const char *format, ...) {
    char why[160];
    char text[240];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    (void)snprintf(text, sizeof text, "not a valid message: %s (byte %zu)", why, (size_t)(d->at - d->start) + 1);
    chief_set_last_error(CHIEF_EDATA, text);
    return false;
}

static size_t left(const decoder *d) { return (size_t)(d->end - d->at); }

/* What is left for the value that is read now. A number may have taken bytes that others were promised. */
static size_t spare(const decoder *d) { return left(d) > d->promised ? left(d) - d->promised : 0; }

/* The next n bytes as a number, the most significant first. */
static bool take_number(decoder *d, size_t n, uint64_t *out) {
    *out = 0;
    if (left(d) < n) return refuse(d, "it ends in the middle of a value");
    for (; n > 0; n--) *out = *out << 8 | *d->at++;
    return true;
}

static bool take_unsigned(decoder *d, size_t n) {
    uint64_t value;
    if (!take_number(d, n, &value)) return false;
    if (value > (uint64_t)LUA_MAXINTEGER) return refuse(d, "an integer above 2^63 - 1");
    lua_pushinteger(d->L, (lua_Integer)value);
    return true;
}

static bool take_signed(decoder *d, size_t n) {
    uint64_t value;
    if (!take_number(d, n, &value)) return false;
    uint64_t sign = UINT64_C(1) << (8 * n - 1);
    lua_pushinteger(d->L, (lua_Integer)((value ^ sign) - sign));
    return true;
}

static bool take_float32(decoder *d) {
    uint64_t bits;
    if (!take_number(d, 4, &bits)) return false;
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    lua_pushnumber(d->L, (lua_Number)value);
    return true;
}

static bool take_float64(decoder *d) {
    uint64_t bits;
    if (!take_number(d, 8, &bits)) return false;
    double value;
    memcpy(&value, &bits, sizeof value);
    lua_pushnumber(d->L, value);
    return true;
}

static bool take_bytes(decoder *d, uint64_t n) {
    if (n > spare(d)) return refuse(d, "a string of %llu bytes where %zu are left", (unsigned long long)n, spare(d));
    lua_pushlstring(d->L, (const char *)d->at, (size_t)n);
    d->at += n;
    return true;
}

static bool take_value(decoder *d);

static bool enter(decoder *d, uint64_t items) {
    if (items > spare(d))
        return refuse(d, "%llu values promised where %zu bytes are left", (unsigned long long)items, spare(d));
    if (d->depth == CHIEF__LUA_DEPTH) return refuse(d, "nested more than %d deep", CHIEF__LUA_DEPTH);
    d->promised += (size_t)items;
    if (++d->depth % LEVELS == 0) luaL_checkstack(d->L, ROOM, "a message nested too deep");
    return true;
}

/* An item that was promised. Most are a small number or a short string. */
static inline bool take_item(decoder *d) {
    const unsigned char *at = d->at;
    unsigned mark = at < d->end ? *at : 0xc1;
    size_t len = mark & 0x1f;
    d->promised--;
    if (mark < 0x80) {
        lua_pushinteger(d->L, (lua_Integer)mark);
        d->at = at + 1;
        return true;
    }
    if ((mark & 0xe0) != 0xa0 || len >= spare(d)) return take_value(d);
    lua_pushlstring(d->L, (const char *)at + 1, len);
    d->at = at + 1 + len;
    return true;
}

static int prealloc(uint64_t n) { return n > INT_MAX ? INT_MAX : (int)n; }

static bool take_array(decoder *d, uint64_t n) {
    if (!enter(d, n)) return false;
    lua_createtable(d->L, prealloc(n), 0);
    for (uint64_t i = 1; i <= n; i++) {
        if (!take_item(d)) return false;
        lua_rawseti(d->L, -2, (lua_Integer)i);
    }
    d->depth--;
    return true;
}

static bool take_key(decoder *d) {
    bool is_text = d->at < d->end && (*d->at & 0xe0) == 0xa0;
    if (!take_item(d)) return false;
    if (is_text) return true;
    switch (lua_type(d->L, -1)) {
    case LUA_TSTRING:
    case LUA_TBOOLEAN: return true;
    case LUA_TNUMBER:
        if (lua_isinteger(d->L, -1)) return true;
        return refuse(d, "a map key that is a float");
    default: return refuse(d, "a map key that is a %s", luaL_typename(d->L, -1));
    }
}

static bool take_map(decoder *d, uint64_t n) {
    if (!enter(d, 2 * n)) return false;
    lua_createtable(d->L, 0, prealloc(n));
    for (uint64_t i = 0; i < n; i++) {
        if (!take_key(d) || !take_item(d)) return false;
        lua_rawset(d->L, -3);
    }
    if (n == 0) { /* stays a map when it is sent on */
        chief__lua_push_map_mark(d->L);
        lua_setmetatable(d->L, -2);
    }
    d->depth--;
    return true;
}

/* What begins with a length of `width` bytes. */
static bool take_sized(decoder *d, size_t width, bool (*take)(decoder *, uint64_t)) {
    uint64_t n;
    return take_number(d, width, &n) && take(d, n);
}

static bool push_nil(const decoder *d) {
    lua_pushnil(d->L);
    return true;
}

static bool push_boolean(const decoder *d, int value) {
    lua_pushboolean(d->L, value);
    return true;
}

static bool take_marked(decoder *d, unsigned mark) {
    switch (mark) {
    case 0xc0: return push_nil(d);
    case 0xc2: return push_boolean(d, 0);
    case 0xc3: return push_boolean(d, 1);
    case 0xca: return take_float32(d);
    case 0xcb: return take_float64(d);
    case 0xc4:
    case 0xd9: return take_sized(d, 1, take_bytes);
    case 0xc5:
    case 0xda: return take_sized(d, 2, take_bytes);
    case 0xc6:
    case 0xdb: return take_sized(d, 4, take_bytes);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return take_unsigned(d, (size_t)1 << (mark - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return take_signed(d, (size_t)1 << (mark - 0xd0));
    case 0xdc: return take_sized(d, 2, take_array);
    case 0xdd: return take_sized(d, 4, take_array);
    case 0xde: return take_sized(d, 2, take_map);
    case 0xdf: return take_sized(d, 4, take_map);
    case 0xc1: return refuse(d, "the byte c1, which begins nothing");
    default: return refuse(d, "an extension type (mark %02x), which Lua has no value for", mark);
    }
}

static bool take_value(decoder *d) {
    if (d->at == d->end) return refuse(d, "it ends where a value should begin");
    unsigned mark = *d->at++;
    if (mark < 0x80 || mark >= 0xe0) {
        lua_pushinteger(d->L, mark < 0x80 ? (lua_Integer)mark : (lua_Integer)mark - 0x100);
        return true;
    }
    if (mark < 0x90) return take_map(d, mark & 0x0f);
    if (mark < 0xa0) return take_array(d, mark & 0x0f);
    if (mark < 0xc0) return take_bytes(d, mark & 0x1f);
    return take_marked(d, mark);
}

static bool take_whole(decoder *d) {
    if (!take_value(d)) return false;
    if (d->at != d->end) return refuse(d, "%zu bytes after the value", left(d));
    if (lua_isnil(d->L, -1)) return refuse(d, "nil");
    return true;
}

/* Most messages are one small number or one short string, and those need no decoder. */
static bool push_small(lua_State *L, const unsigned char *p, size_t len) {
    unsigned mark = len > 0 ? p[0] : 0xc1;
    if (mark < 0x80 && len == 1) {
        lua_pushinteger(L, mark);
    } else if (mark == 0xce && len == 5) {
        lua_pushinteger(L, (lua_Integer)p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4]);
    } else if (mark == 0xcd && len == 3) {
        lua_pushinteger(L, p[1] << 8 | p[2]);
    } else if (mark == 0xcc && len == 2) {
        lua_pushinteger(L, p[1]);
    } else if (mark >= 0xa0 && mark < 0xc0 && len == 1 + (size_t)(mark & 0x1f)) {
        lua_pushlstring(L, (const char *)p + 1, len - 1);
    } else if (mark == 0xd9 && len > 1 && len == 2 + (size_t)p[1]) {
        lua_pushlstring(L, (const char *)p + 2, len - 2);
    } else {
        return false;
    }
    return true;
}

int chief__lua_decode(lua_State *L, chief_bytes bytes) {
    if (push_small(L, bytes.data, bytes.len)) return CHIEF_OK;
    static const unsigned char none[1] = {0};
    const unsigned char *start = bytes.len == 0 ? none : bytes.data;
    decoder d = {.L = L, .start = start, .at = start, .end = start + bytes.len};
    int top = lua_gettop(L);
    luaL_checkstack(L, ROOM, NULL);
    if (take_whole(&d)) return CHIEF_OK;
    lua_settop(L, top);
    return CHIEF_EDATA;
}

int chief__lua_unpack(lua_State *L) {
    chief_bytes bytes;
    bytes.data = luaL_checklstring(L, 1, &bytes.len);
    int rc = chief__lua_decode(L, bytes);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}
