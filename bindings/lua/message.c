#include "message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "codec.h"
#include "fail.h"
#include "kind.h"
#include "local.h"

/* The payload is given back as soon as it is decoded, so the rest is copied. */
typedef struct info {
    chief_msg *call; /* to answer by; NULL: not a call */
    const char *kind;
    uint32_t deliveries;
    uint32_t channel; /* where its name begins in `names`, after the sender's */
    char names[];
} info;

typedef struct batch {
    size_t max;
    chief_msg *msgs[];
} batch;

static const chief__lua_kind info_kind;
static const chief__lua_kind call_kind;
static const chief__lua_kind batch_kind;

void chief__lua_drop(chief_msg **inlet) {
    chief_msg_free(*inlet);
    *inlet = NULL;
}

static int close_call(lua_State *L) {
    info *i = chief__lua_kind_check(L, 1, &call_kind);
    chief__lua_drop(&i->call);
    return 0;
}

static int close_batch(lua_State *L) {
    batch *b = chief__lua_kind_check(L, 1, &batch_kind);
    for (size_t i = 0; i < b->max; i++) chief__lua_drop(&b->msgs[i]);
    return 0;
}

/* ---- Info ---- */

static info *check_info(lua_State *L) {
    info *i = chief__lua_kind_test(L, 1, &info_kind);
    return i != NULL ? i : chief__lua_kind_check(L, 1, &call_kind);
}

static int get_sender(lua_State *L) {
    lua_pushstring(L, check_info(L)->names);
    return 1;
}

static int get_kind(lua_State *L) {
    lua_pushstring(L, check_info(L)->kind);
    return 1;
}

static int get_channel(lua_State *L) {
    const info *i = check_info(L);
    lua_pushstring(L, i->names + i->channel);
    return 1;
}

static int get_deliveries(lua_State *L) {
    lua_pushinteger(L, check_info(L)->deliveries);
    return 1;
}

/* The call to answer, or NULL with what to say instead. */
static chief_msg *call_of(lua_State *L) {
    info *i = check_info(L);
    if (i->call == NULL) chief_set_last_error(CHIEF_ENOENT, "this message is not a call");
    return i->call;
}

static int reply(lua_State *L) {
    luaL_checkany(L, 2);
    chief_bytes bytes = chief__lua_encode(L, 2);
    chief_msg *call = call_of(L);
    return chief__lua_done(L, call == NULL ? CHIEF_ENOENT : chief_msg_reply(call, bytes.data, bytes.len));
}

static int fail(lua_State *L) {
    luaL_checkany(L, 2);
    const char *text = luaL_tolstring(L, 2, NULL);
    chief_msg *call = call_of(L);
    return chief__lua_done(L, call == NULL ? CHIEF_ENOENT : chief_msg_fail(call, text));
}

static const luaL_Reg methods[] = {{"reply", reply}, {"fail", fail}, {NULL, NULL}};

static const luaL_Reg getters[] = {
    {"sender", get_sender}, {"kind", get_kind}, {"channel", get_channel}, {"deliveries", get_deliveries}, {NULL, NULL},
};

static const chief__lua_kind info_kind = {.name = "chief.info", .methods = methods, .getters = getters};
static const chief__lua_kind call_kind = {
    .name = "chief.call", .methods = methods, .getters = getters, .close = close_call};
static const luaL_Reg no_methods[] = {{NULL, NULL}};
static const chief__lua_kind batch_kind = {.name = "chief.batch", .methods = no_methods, .close = close_batch};

static const char message_word[] = "message";
static const char call_word[] = "call";
static const char broadcast_word[] = "broadcast";

/* One of our own words, as the message's goes with it, and so that two of them are compared by their addresses. */
static const char *kind_word(const chief_msg *msg) {
    switch (*chief_msg_kind(msg)) {
    case 'c': return call_word;
    case 'b': return broadcast_word;
    default: return message_word;
    }
}

/* [-0, +1, m] */
static info *new_info(lua_State *L, const chief__lua_kind *kind, const chief_msg *msg, const char *word) {
    const char *sender = chief_msg_sender(msg);
    const char *channel = chief_msg_channel(msg);
    size_t first = strlen(sender) + 1;
    size_t second = strlen(channel) + 1;
    info *i = chief__lua_kind_new(L, kind, sizeof *i + first + second, 0);
    i->kind = word;
    i->deliveries = chief_msg_deliveries(msg);
    i->channel = (uint32_t)first;
    memcpy(i->names, sender, first);
    memcpy(i->names + first, channel, second);
    return i;
}

/* Whether the info says all of this message, so that one serves both: but for calls it never changes. */
static bool says(const info *i, const chief_msg *msg, const char *word) {
    return i != NULL && i->kind == word && i->deliveries == chief_msg_deliveries(msg) &&
           strcmp(i->names, chief_msg_sender(msg)) == 0 && strcmp(i->names + i->channel, chief_msg_channel(msg)) == 0;
}

/* The same by what is known of both without a look at the names. */
static bool is_for(const chief__lua_given *given, const chief_msg *msg, const char *word) {
    uint64_t origin = chief_msg_origin(msg);
    return origin != 0 && given->origin == origin && given->kind == word &&
           given->deliveries == chief_msg_deliveries(msg);
}

static void note(chief__lua_given *given, const chief_msg *msg, const char *word) {
    given->origin = chief_msg_origin(msg);
    given->kind = word;
    given->deliveries = chief_msg_deliveries(msg);
}

/* [-0, +(0|1), -] */
static bool push_kept(lua_State *L, chief__lua_given *given, const chief_msg *msg, const char *word) {
    if (given->key == 0) return false;
    lua_rawgeti(L, LUA_REGISTRYINDEX, given->key);
    if (is_for(given, msg, word)) return true;
    if (says(chief__lua_kind_test(L, -1, &info_kind), msg, word)) {
        note(given, msg, word);
        return true;
    }
    lua_pop(L, 1);
    return false;
}

static unsigned place_of(const chief_msg *msg) {
    const char *sender = chief_msg_sender(msg);
    size_t len = strlen(sender);
    unsigned last = len > 0 ? (unsigned char)sender[len - 1] : 0;
    return ((unsigned)((uintptr_t)chief_msg_channel(msg) >> 4) + last) % CHIEF__LUA_INFOS;
}

/* Those that were given out wait in a few places of the registry, each with the same info until another message comes
 * there; most often it is the one that was given out last. [-0, +1, m] */
static void push_plain_info(lua_State *L, const chief_msg *msg, const char *word) {
    chief__lua_local *local = chief__lua_local_of(L);
    if (push_kept(L, &local->infos[local->last], msg, word)) return;
    local->last = place_of(msg);
    chief__lua_given *given = &local->infos[local->last];
    if (push_kept(L, given, msg, word)) return;
    (void)new_info(L, &info_kind, msg, word);
    lua_pushvalue(L, -1);
    if (given->key == 0) given->key = luaL_ref(L, LUA_REGISTRYINDEX);
    else lua_rawseti(L, LUA_REGISTRYINDEX, given->key);
    note(given, msg, word);
}

/* Pushes the info; that of a call takes the message over. [-0, +1, m] */
static void push_info(lua_State *L, chief_msg **inlet) {
    const char *word = kind_word(*inlet);
    if (word != call_word) {
        push_plain_info(L, *inlet, word);
        return;
    }
    new_info(L, &call_kind, *inlet, word)->call = *inlet;
    *inlet = NULL;
}

/* ---- Receiving ---- */

chief_msg **chief__lua_new_batch(lua_State *L, size_t max) {
    batch *b = chief__lua_kind_new(L, &batch_kind, sizeof *b + max * sizeof *b->msgs, 0);
    b->max = max;
    return b->msgs;
}

chief_msg **chief__lua_inlet(lua_State *L, chief_msg **own) {
    if (*own != NULL) return chief__lua_new_batch(L, 1);
    return own;
}

int chief__lua_push_payload(lua_State *L, chief_msg **inlet) {
    int rc = chief__lua_decode(L, chief_msg_data(*inlet));
    chief__lua_drop(inlet);
    return rc == CHIEF_OK ? 1 : chief__lua_fail(L, rc);
}

int chief__lua_push_message(lua_State *L, chief_msg **inlet) {
    int rc = chief__lua_decode(L, chief_msg_data(*inlet));
    if (rc == CHIEF_OK) push_info(L, inlet);
    chief__lua_drop(inlet);
    return rc == CHIEF_OK ? 2 : chief__lua_fail(L, rc);
}

int chief__lua_received(lua_State *L, int rc, chief_msg **inlet) {
    return rc == CHIEF_OK ? chief__lua_push_message(L, inlet) : chief__lua_fail(L, rc);
}

int chief__lua_push_batch(lua_State *L, chief_msg **msgs, size_t n) {
    lua_Integer good = 0;
    lua_createtable(L, (int)n, 0);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        int pushed = chief__lua_push_message(L, &msgs[i]);
        if (pushed == 2) {
            lua_rawseti(L, -3, ++good);
            lua_rawseti(L, -3, good);
        } else {
            lua_pop(L, pushed);
        }
    }
    if (good == 0) return chief__lua_fail(L, CHIEF_EDATA);
    if ((size_t)good == n) return 2;
    lua_pushinteger(L, (lua_Integer)n - good);
    return 3;
}
