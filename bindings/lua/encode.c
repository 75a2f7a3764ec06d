#include <endian.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "buffer.h"
#include "codec.h"
#include "utf8.h"

#define SLOTS 2  /* of the Lua stack, per level of tables */
#define LEVELS 8 /* for so many at a time it is looked whether there is room */
#define ROOM (LEVELS * SLOTS + 8)
#define STR_MAX ((size_t)64 << 10)
#define LARGE ((size_t)4 << 10)        /* strings from here on are worth two parts */
#define SIZE_LIMIT ((size_t)256 << 20) /* a table that shares its parts many times over must not fill the memory */

/* Where a value is, as a chain on the C stack: what a refusal names, and how a cycle is found. */
typedef struct place {
    struct place *up;  /* NULL: the value itself */
    const void *table; /* the one that is being written here, once one in it is; else NULL */
    int idx;           /* where on the Lua stack that is */
    int key;           /* stack index of its key, or 0 */
    int depth;
    lua_Integer index; /* where key is 0 */
} place;

typedef struct encoder {
    lua_State *L;
    chief__lua_buffer *out; /* knows what was written only after `written` */
    char *at;               /* where in it the next byte goes */
    char *end;
} encoder;

static const char map_key;

/* ---- Refusals ---- */

static bool is_identifier(const char *s) {
    if (*s == '\0' || (*s >= '0' && *s <= '9')) return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* [-0, +1, m] */
static void push_step(lua_State *L, const place *at) {
    if (at->key == 0) lua_pushfstring(L, "[%I]", (LUAI_UACINT)at->index);
    else if (lua_type(L, at->key) == LUA_TBOOLEAN) lua_pushstring(L, lua_toboolean(L, at->key) ? "[true]" : "[false]");
    else if (lua_isinteger(L, at->key)) lua_pushfstring(L, "[%I]", (LUAI_UACINT)lua_tointeger(L, at->key));
    else if (lua_type(L, at->key) != LUA_TSTRING) lua_pushliteral(L, "");
    else if (is_identifier(lua_tostring(L, at->key))) lua_pushfstring(L, ".%s", lua_tostring(L, at->key));
    else lua_pushfstring(L, "[\"%s\"]", lua_tostring(L, at->key));
}

/* [-0, +1, m] */
static void push_path(lua_State *L, const place *at) {
    if (at->up == NULL) {
        lua_pushliteral(L, "");
        return;
    }
    push_path(L, at->up);
    push_step(L, at);
    lua_concat(L, 2);
}

static void refuse(const encoder *e, const place *at, const char *what) {
    lua_State *L = e->L;
    luaL_checkstack(L, 8, NULL);
    push_path(L, at);
    const char *path = lua_tostring(L, -1);
    if (*path == '\0') luaL_error(L, "can't send %s", what);
    else luaL_error(L, "can't send %s (at %s)", what, path);
}

static void refuse_type(const encoder *e, int idx, const place *at) {
    switch (lua_type(e->L, idx)) {
    case LUA_TNIL: refuse(e, at, "nil; send false or {}"); break;
    case LUA_TFUNCTION: refuse(e, at, "a function"); break;
    case LUA_TTHREAD: refuse(e, at, "a coroutine"); break;
    default: refuse(e, at, "a userdata"); break;
    }
}

/* ---- Bytes ---- */

static encoder begin_in(lua_State *L, chief__lua_buffer *out) {
    return (encoder){.L = L, .out = out, .at = out->data + out->len, .end = out->data + out->cap};
}

static size_t length(const encoder *e) { return (size_t)(e->at - e->out->data); }

static chief_bytes written(const encoder *e) {
    e->out->len = length(e);
    return (chief_bytes){e->out->data, e->out->len};
}

/* Its own, so that the short way saves no registers for it. */
__attribute__((noinline)) static void grow(encoder *e, size_t n) {
    chief__lua_buffer *out = e->out;
    (void)written(e);
    if (n > SIZE_LIMIT || out->len > SIZE_LIMIT - n) luaL_error(e->L, "can't send more than 256 MiB at once");
    (void)chief__lua_buffer_extend(e->L, out, n);
    out->len -= n;
    *e = begin_in(e->L, out);
}

/* Room for n more bytes; who writes there moves on. */
static inline char *reserve(encoder *e, size_t n) {
    if ((size_t)(e->end - e->at) < n) grow(e, n);
    return e->at;
}

static inline void put_byte(encoder *e, unsigned value) {
    *reserve(e, 1) = (char)(unsigned char)value;
    e->at++;
}

/* A first byte and n bytes of `value`, the most significant first: they are those at the front of a word. */
static inline void put_number(encoder *e, unsigned first, uint64_t value, size_t n) {
    uint64_t word = htobe64(value << (64 - 8 * n));
    char *p = reserve(e, 1 + sizeof word);
    *p = (char)(unsigned char)first;
    memcpy(p + 1, &word, sizeof word);
    e->at = p + 1 + n;
}

/* The heads of strings, arrays and maps: c8 is 0 where the format has none. */
static void put_length(encoder *e, unsigned c8, unsigned c16, unsigned c32, size_t n) {
    if (c8 != 0 && n <= 0xff) put_number(e, c8, n, 1);
    else if (n <= 0xffff) put_number(e, c16, n, 2);
    else put_number(e, c32, n, 4);
}

static void put_unsigned(encoder *e, uint64_t n) {
    if (n < 0x80) put_byte(e, (unsigned)n);
    else if (n <= 0xff) put_number(e, 0xcc, n, 1);
    else if (n <= 0xffff) put_number(e, 0xcd, n, 2);
    else put_number(e, n <= 0xffffffff ? 0xce : 0xcf, n, n <= 0xffffffff ? 4 : 8);
}

static void put_negative(encoder *e, int64_t n) {
    if (n >= -32) put_byte(e, (unsigned)(n & 0xff));
    else if (n >= INT8_MIN) put_number(e, 0xd0, (uint64_t)n, 1);
    else if (n >= INT16_MIN) put_number(e, 0xd1, (uint64_t)n, 2);
    else put_number(e, n >= INT32_MIN ? 0xd2 : 0xd3, (uint64_t)n, n >= INT32_MIN ? 4 : 8);
}

static void put_float(encoder *e, double n) {
    uint64_t bits;
    memcpy(&bits, &n, sizeof bits);
    put_number(e, 0xcb, bits, 8);
}

static void put_text_head(encoder *e, const char *s, size_t len) {
    if (len > STR_MAX || !chief__lua_is_utf8((const unsigned char *)s, len)) put_length(e, 0xc4, 0xc5, 0xc6, len);
    else if (len < 32) put_byte(e, 0xa0 | (unsigned)len);
    else put_length(e, 0xd9, 0xda, 0xdb, len);
}

/* Its own, as `grow`. */
__attribute__((noinline)) static void put_text(encoder *e, const char *s, size_t len) {
    put_text_head(e, s, len);
    memcpy(reserve(e, len), s, len);
    e->at += len;
}

/* Copies up to eight bytes and gives them back as a word. */
static inline uint64_t copy_word(char *to, const char *from, size_t n) {
    uint64_t word = 0;
    memcpy(&word, from, n);
    memcpy(to, &word, n);
    return word;
}

/* Copies a string and says whether it is ASCII. Its words overlap at the end, as what follows is not ours to read. */
static inline bool copy_ascii(char *to, const char *from, size_t len) {
    uint64_t seen = 0;
    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8) seen |= copy_word(to + i, from + i, 8);
        seen |= copy_word(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        seen = copy_word(to, from, 4) | copy_word(to + len - 4, from + len - 4, 4);
    } else if (len > 0) {
        seen = copy_word(to, from, 1) | copy_word(to + len / 2, from + len / 2, 1);
        seen |= copy_word(to + len - 1, from + len - 1, 1);
    }
    return (seen & CHIEF__LUA_HIGH_BITS) == 0;
}

/* Most strings are short and ASCII: head and bytes in one go. What turns out to be another is written over it. */
static inline void put_string(encoder *e, int idx) {
    size_t len;
    const char *s = lua_tolstring(e->L, idx, &len);
    size_t head = len < 32 ? 1 : 2;
    char *p = len <= 0xff ? reserve(e, 2 + len) : NULL;
    if (p == NULL || !copy_ascii(p + head, s, len)) {
        put_text(e, s, len);
        return;
    }
    p[head - 1] = (char)(unsigned char)len;
    if (head == 1) p[0] |= (char)(unsigned char)0xa0;
    else p[0] = (char)(unsigned char)0xd9;
    e->at = p + head + len;
}

static void put_integer(encoder *e, lua_Integer n) {
    if (n >= 0) put_unsigned(e, (uint64_t)n);
    else put_negative(e, n);
}

/* ---- Tables ---- */

void chief__lua_push_map_mark(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &map_key) != LUA_TNIL) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "chief.map");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &map_key);
}

bool chief__lua_is_map(lua_State *L, int idx) {
    if (!lua_getmetatable(L, idx)) return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &map_key); /* nil when nothing was ever marked */
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

/* Whether the keys are exactly 1..n. The first other key ends the search. */
static bool is_array(lua_State *L, int idx, size_t n) {
    size_t found = 0;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (key < 1 || (lua_Unsigned)key > n) {
            lua_pop(L, 2);
            return false;
        }
        lua_pop(L, 1);
        found++;
    }
    return found == n;
}

/* What is no table; false for what is one, or nothing to be sent. */
static inline bool put_leaf(encoder *e, int idx, int type) {
    lua_State *L = e->L;
    switch (type) {
    case LUA_TSTRING: put_string(e, idx); return true;
    case LUA_TBOOLEAN: put_byte(e, lua_toboolean(L, idx) ? 0xc3 : 0xc2); return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx)) put_integer(e, lua_tointeger(L, idx));
        else put_float(e, lua_tonumber(L, idx));
        return true;
    default: return false;
    }
}

static void put_table(encoder *e, int idx, place *at);

static void put_value(encoder *e, int idx, place *at) {
    int type = lua_type(e->L, idx);
    if (put_leaf(e, idx, type)) return;
    if (type == LUA_TTABLE) put_table(e, idx, at);
    else refuse_type(e, idx, at);
}

/* Before a table in the one at `at` is written, which might be that one or what that is in. A table of leaves need not be known. */
static void enter(const encoder *e, place *at) {
    if (at->table != NULL) return;
    at->table = lua_topointer(e->L, at->idx);
    for (const place *up = at->up; up != NULL; up = up->up)
        if (up->table == at->table) refuse(e, at, "a table that contains itself");
}

/* What is no leaf. */
static void put_inner(encoder *e, int idx, place *at) {
    enter(e, at->up);
    put_value(e, idx, at);
}

static void look_deeper(const encoder *e, place *at) {
    if (at->depth > CHIEF__LUA_DEPTH) {
        enter(e, at); /* a cycle is refused as such */
        refuse(e, at, "a table nested more than 100 deep");
    }
    luaL_checkstack(e->L, ROOM, "a table nested too deep");
}

/* The head of the table that begins at `begin`, now that its n items are known; room was left for that of a small one. */
static void put_table_head(encoder *e, size_t begin, size_t n, unsigned small, unsigned large) {
    size_t more = n < 16 ? 0 : n <= 0xffff ? 2 : 4;
    if (more > 0) {
        (void)reserve(e, more);
        char *items = e->out->data + begin + 1;
        memmove(items + more, items, length(e) - begin - 1);
        e->at += more;
    }
    char *head = e->out->data + begin;
    *head = (char)(unsigned char)(more == 0 ? small | n : more == 2 ? large : large + 1);
    for (size_t i = more; i > 0; i--, n >>= 8) head[i] = (char)(unsigned char)(n & 0xff);
}

static void put_array(encoder *e, int idx, place *at, size_t n) {
    size_t begin = length(e);
    place item = {.up = at, .depth = at->depth + 1};
    int value = lua_gettop(e->L) + 1;
    put_byte(e, 0);
    while ((size_t)item.index < n) {
        int type = lua_rawgeti(e->L, idx, ++item.index);
        if (!put_leaf(e, value, type)) put_inner(e, value, &item);
        lua_pop(e->L, 1);
    }
    put_table_head(e, begin, n, 0x90, 0xdc);
}

static bool is_number(lua_State *L, int idx, lua_Integer n) {
    return lua_isinteger(L, idx) && lua_tointeger(L, idx) == n;
}

/* Whether the keys that follow the one at `key` go on in their order. */
static bool goes_on(lua_State *L, int idx, int key) {
    lua_Integer i = lua_tointeger(L, key);
    lua_pushvalue(L, key);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (is_number(L, -1, ++i)) continue;
        lua_pop(L, 1);
        return false;
    }
    return true;
}

/*
 * An array's keys mostly come in their order, so that one walk sees that they are 1..n and writes the values. Where they do not
 * nothing is written, and put_disordered looks closer. Before a table in it is written the rest is looked at, so that no table is
 * written twice: one in another in another would be a thousand times. The first key and its value are on top. [-2, +0, v]
 */
static bool put_in_order(encoder *e, int idx, place *at) {
    lua_State *L = e->L;
    size_t begin = length(e);
    int key = lua_gettop(L) - 1;
    place item = {.up = at, .depth = at->depth + 1};
    bool sure = false;
    put_byte(e, 0);
    do {
        item.index++;
        if (!sure && !is_number(L, key, item.index)) break;
        if (!put_leaf(e, key + 1, lua_type(L, key + 1))) {
            sure = sure || goes_on(L, idx, key);
            if (!sure) break;
            put_inner(e, key + 1, &item);
        }
        lua_pop(L, 1);
    } while (lua_next(L, idx));
    bool done = lua_gettop(L) < key;
    lua_settop(L, key - 1);
    if (done) put_table_head(e, begin, (size_t)item.index, 0x90, 0xdc);
    else e->at = e->out->data + begin;
    return done;
}

static void put_key(encoder *e, int idx, place *at) {
    lua_State *L = e->L;
    int type = lua_type(L, idx);
    if (type == LUA_TSTRING) put_string(e, idx);
    else if (type == LUA_TBOOLEAN) put_byte(e, lua_toboolean(L, idx) ? 0xc3 : 0xc2);
    else if (lua_isinteger(L, idx)) put_integer(e, lua_tointeger(L, idx));
    else refuse(e, at->up, lua_pushfstring(L, "a table with a key that is a %s", luaL_typename(L, idx)));
}

/* The first key and its value are on top. [-2, +0, v] */
static void put_map(encoder *e, int idx, place *at) {
    lua_State *L = e->L;
    size_t begin = length(e);
    size_t n = 0;
    int key = lua_gettop(L) - 1;
    place item = {.up = at, .depth = at->depth + 1, .key = key};
    put_byte(e, 0);
    do {
        put_key(e, key, &item);
        if (!put_leaf(e, key + 1, lua_type(L, key + 1))) put_inner(e, key + 1, &item);
        lua_pop(L, 1);
        n++;
    } while (lua_next(L, idx));
    put_table_head(e, begin, n, 0x80, 0xde);
}

/* A length is that of an array if it is one. */
static void put_disordered(encoder *e, int idx, place *at) {
    size_t n = (size_t)lua_rawlen(e->L, idx);
    if (is_array(e->L, idx, n)) {
        put_array(e, idx, at, n);
        return;
    }
    lua_pushnil(e->L);
    if (lua_next(e->L, idx)) put_map(e, idx, at);
}

/* What begins with a key that is no integer is no array. */
static void put_table(encoder *e, int idx, place *at) {
    lua_State *L = e->L;
    at->idx = idx;
    at->table = NULL;
    if (at->depth % LEVELS == 0 || at->depth > CHIEF__LUA_DEPTH) look_deeper(e, at);
    lua_pushnil(L);
    if (!lua_next(L, idx)) put_byte(e, chief__lua_is_map(L, idx) ? 0x80 : 0x90);
    else if (!lua_isinteger(L, -2) || chief__lua_is_map(L, idx)) put_map(e, idx, at);
    else if (!put_in_order(e, idx, at)) put_disordered(e, idx, at);
}

/* ---- Entries ---- */

/* From the moment that the scratch buffer is taken nothing may run the collector: a finalizer might send something, too, and
 * the buffer is one. */
static encoder begin(lua_State *L) {
    luaL_checkstack(L, ROOM, NULL);
    return begin_in(L, chief__lua_buffer_scratch(L));
}

chief_bytes chief__lua_encode(lua_State *L, int idx) {
    encoder e = begin(L);
    place root = {.depth = 1};
    put_value(&e, lua_absindex(L, idx), &root);
    return written(&e);
}

/* Only its head goes into the room. */
static void put_large(encoder *e, int arg, chief__lua_item *item) {
    const char *s = lua_tolstring(e->L, arg, &item->bytes.len);
    put_text_head(e, s, item->bytes.len);
    item->head = length(e);
    item->bytes.data = s;
}

/* What is in the room can't grow, and neither can it be too large. What is no string has no length. */
void chief__lua_encode_item(lua_State *L, int arg, chief__lua_item *item, bool in_parts) {
    chief__lua_buffer small = {.data = item->room, .cap = CHIEF__LUA_ROOM};
    encoder e = begin_in(L, &small);
    item->head = 0;
    if (lua_isinteger(L, arg)) {
        put_integer(&e, lua_tointeger(L, arg));
        item->bytes = written(&e);
        return;
    }
    size_t len = lua_type(L, arg) == LUA_TSTRING ? (size_t)lua_rawlen(L, arg) : SIZE_MAX;
    if (len <= CHIEF__LUA_ROOM - CHIEF__LUA_HEAD) {
        put_string(&e, arg);
        item->bytes = written(&e);
    } else if (in_parts && len >= LARGE && len <= SIZE_LIMIT - CHIEF__LUA_HEAD) {
        put_large(&e, arg, item);
    } else {
        luaL_checkany(L, arg);
        item->bytes = chief__lua_encode(L, arg);
    }
}

const chief_bytes *chief__lua_encode_list(lua_State *L, int idx, size_t *n) {
    luaL_checktype(L, idx, LUA_TTABLE);
    *n = (size_t)lua_rawlen(L, idx);
    chief_bytes *items = lua_newuserdatauv(L, (*n + 1) * sizeof *items, 0);
    place list = {.depth = 0};
    encoder e = begin(L);
    for (size_t i = 0; i < *n; i++) {
        place item = {.up = &list, .depth = 1, .index = (lua_Integer)i + 1};
        size_t before = length(&e);
        lua_rawgeti(L, idx, item.index);
        put_value(&e, lua_gettop(L), &item);
        lua_pop(L, 1);
        items[i].len = length(&e) - before;
    }
    /* Only now, as the buffer has moved while it grew. */
    const char *data = written(&e).data;
    for (size_t i = 0; i < *n; data += items[i++].len) items[i].data = data;
    return items;
}

int chief__lua_pack(lua_State *L) {
    luaL_checkany(L, 1);
    chief_bytes bytes = chief__lua_encode(L, 1);
    lua_pushlstring(L, bytes.data, bytes.len);
    return 1;
}

int chief__lua_map(lua_State *L) {
    lua_settop(L, 1);
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    chief__lua_push_map_mark(L);
    lua_setmetatable(L, 1);
    return 1;
}
