/* The Lua module `image_native`: what a picture is, and its thumbnail.
 *
 *   image_native.probe(bytes)               -> { type, width, height, orientation } | nil, message, code
 *   image_native.thumbnail(bytes, options)  -> bytes, width, height | nil, message, code
 *   image_native.sample(options)            -> bytes   a made-up picture, for tests
 *
 * Options: side = 320, max_pixels = 64 million, max_scans = 100.
 * Codes: "not_image", "truncated", "broken", "too_large", "no_memory".
 * What libgd allocates hangs in a box from the moment it exists, so that a Lua error releases it. */
#include "probe.h"
#include "thumbnail.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BOX "image_native.box"

enum { DEFAULT_SIDE = 320, DEFAULT_PIXELS = 64000000, DEFAULT_SCANS = 100, MAX_SIDE = 8192 };

static const char *const type_names[] = {"jpeg", "png", "webp", NULL};

/* What libgd last complained about in this thread; it reports to a callback of the whole process. */
static _Thread_local char complaint[160];

static void keep_complaint(int priority, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

static void keep_complaint(int priority, const char *format, va_list arguments) {
    (void)priority;
    vsnprintf(complaint, sizeof complaint, format, arguments);
    complaint[strcspn(complaint, "\r\n")] = '\0';
}

typedef struct {
    void *held;
    void (*release)(void *);
} box_t;

static void release_image(void *image) { gdImageDestroy(image); }

static int box_close(lua_State *L) {
    box_t *box = luaL_checkudata(L, 1, BOX);
    if (box->held != NULL) box->release(box->held);
    box->held = NULL;
    return 0;
}

/* An empty box that is closed when the calling C function returns or raises. [-0, +1, raises] */
static box_t *push_box(lua_State *L, void (*release)(void *)) {
    box_t *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->held = NULL;
    box->release = release;
    luaL_setmetatable(L, BOX);
    lua_toclose(L, -1);
    return box;
}

/* [-0, +3] */
static int fail(lua_State *L, const char *code, const char *message) {
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushstring(L, code);
    return 3;
}

static int fail_decode(lua_State *L) {
    const char *why = complaint[0] != '\0' ? complaint : "the decoder gives no reason";
    lua_pushnil(L);
    lua_pushfstring(L, "the picture cannot be decoded (%s)", why);
    lua_pushliteral(L, "broken");
    return 3;
}

static int fail_probe(lua_State *L, probe_result_t result) {
    switch (result) {
    case PROBE_TRUNCATED: return fail(L, "truncated", "the picture ends inside its header");
    case PROBE_BROKEN: return fail(L, "broken", "the picture's header is wrong");
    case PROBE_ANIMATED: return fail(L, "not_image", "an animation is not a picture we take");
    default: return fail(L, "not_image", "this is neither a JPEG nor a PNG nor a WebP picture");
    }
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static int image_probe(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    probe_t picture;
    probe_result_t result = probe((const uint8_t *)bytes, size, &picture);
    if (result != PROBE_OK) return fail_probe(L, result);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, type_names[picture.type]);
    lua_setfield(L, -2, "type");
    set_integer(L, "width", picture.width);
    set_integer(L, "height", picture.height);
    set_integer(L, "orientation", picture.orientation);
    return 1;
}

/* A positive whole number from the options table at `index`. [-0, +0, raises] */
static lua_Integer option(lua_State *L, int index, const char *name, lua_Integer otherwise, lua_Integer most) {
    if (lua_isnoneornil(L, index)) return otherwise;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, name);
    int known;
    lua_Integer value = lua_tointegerx(L, -1, &known);
    if (lua_isnil(L, -1)) value = otherwise;
    else if (!known || value < 1 || value > most)
        luaL_error(L, "option %s should be a whole number from 1 to %I, got %s", name, (LUAI_UACINT)most,
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return value;
}

typedef struct {
    int side;
    uint64_t pixels, scans;
} limits_t;

static limits_t check_limits(lua_State *L, int index) {
    limits_t limits;
    limits.side = (int)option(L, index, "side", DEFAULT_SIDE, MAX_SIDE);
    limits.pixels = (uint64_t)option(L, index, "max_pixels", DEFAULT_PIXELS, INT64_MAX);
    limits.scans = (uint64_t)option(L, index, "max_scans", DEFAULT_SCANS, INT64_MAX);
    return limits;
}

/* Refuses what a decoder should not be given at all: 0, or the number of values pushed. */
static int refuse(lua_State *L, const char *bytes, size_t size, const probe_t *picture, const limits_t *limits) {
    if ((uint64_t)picture->width * picture->height > limits->pixels) {
        lua_pushnil(L);
        lua_pushfstring(L, "the picture has %I x %I pixels, more than the %I we take", (LUAI_UACINT)picture->width,
                        (LUAI_UACINT)picture->height, (LUAI_UACINT)limits->pixels);
        lua_pushliteral(L, "too_large");
        return 3;
    }
    if (!probe_is_whole((const uint8_t *)bytes, size, picture))
        return fail(L, "truncated", "the picture ends before its last pixel");
    if (probe_scans((const uint8_t *)bytes, size, picture) > limits->scans)
        return fail(L, "too_large", "the picture repeats itself more often than we take");
    return 0;
}

/* Decodes into a thumbnail that stands upright. The large picture is let go of as soon as the small one is there. */
static gdImagePtr make_thumbnail(box_t *large, box_t *scaled, box_t *upright, const probe_t *picture, int side) {
    scaled->held = thumbnail_scale(large->held, side);
    gdImageDestroy(large->held);
    large->held = NULL;
    if (scaled->held == NULL || picture->orientation == 1) return scaled->held;
    upright->held = thumbnail_upright(scaled->held, picture->orientation);
    return upright->held;
}

static int push_encoded(lua_State *L, gdImagePtr image, probe_type_t type) {
    box_t *encoded = push_box(L, gdFree);
    int size = 0;
    encoded->held = thumbnail_encode(image, type, &size);
    if (encoded->held == NULL) return fail(L, "no_memory", "the thumbnail cannot be encoded");
    lua_pushlstring(L, encoded->held, (size_t)size);
    lua_pushinteger(L, gdImageSX(image));
    lua_pushinteger(L, gdImageSY(image));
    return 3;
}

static int image_thumbnail(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    limits_t limits = check_limits(L, 2);
    probe_t picture;
    probe_result_t result = probe((const uint8_t *)bytes, size, &picture);
    if (result != PROBE_OK) return fail_probe(L, result);
    int refused = refuse(L, bytes, size, &picture, &limits);
    if (refused != 0) return refused;
    box_t *large = push_box(L, release_image);
    box_t *scaled = push_box(L, release_image);
    box_t *upright = push_box(L, release_image);
    complaint[0] = '\0';
    large->held = thumbnail_decode((const uint8_t *)bytes, size, picture.type);
    if (large->held == NULL) return fail_decode(L);
    gdImagePtr image = make_thumbnail(large, scaled, upright, &picture, limits.side);
    if (image == NULL) return fail(L, "no_memory", "there is no memory for the thumbnail");
    return push_encoded(L, image, picture.type);
}

/* A picture with a gradient and grain, so that it is about as hard to compress as a photograph. The same seed gives the
 * same pixels. */
static void paint(gdImagePtr image, uint32_t seed, int grain) {
    int width = gdImageSX(image), height = gdImageSY(image);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            seed = seed * 1664525u + 1013904223u;
            int noise = grain > 0 ? (int)((seed >> 16) % (uint32_t)grain) : 0;
            int red = (255 - grain) * x / width, green = (255 - grain) * y / height;
            gdImageSetPixel(image, x, y, gdTrueColor(red + noise, green + noise, 64 + noise / 2));
        }
}

static int image_sample(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    int width = (int)option(L, 1, "width", DEFAULT_SIDE, 20000),
        height = (int)option(L, 1, "height", DEFAULT_SIDE, 20000);
    uint32_t seed = (uint32_t)option(L, 1, "seed", 1, INT32_MAX);
    int grain = (int)option(L, 1, "grain", 32, 128);
    lua_getfield(L, 1, "type");
    probe_type_t type = (probe_type_t)luaL_checkoption(L, -1, "jpeg", type_names);
    box_t *box = push_box(L, release_image);
    box->held = gdImageCreateTrueColor(width, height);
    if (box->held == NULL) return fail(L, "no_memory", "there is no memory for the picture");
    paint(box->held, seed, grain);
    int pushed = push_encoded(L, box->held, type);
    if (lua_isstring(L, -pushed)) {
        lua_pop(L, pushed - 1);
        pushed = 1;
    }
    return pushed;
}

static const luaL_Reg functions[] = {
    {"probe", image_probe}, {"thumbnail", image_thumbnail}, {"sample", image_sample}, {NULL, NULL}};

__attribute__((visibility("default"))) int luaopen_image_native(lua_State *L) {
    /* libgd keeps this address, so the module is linked to stay loaded (see CMakeLists.txt). */
    gdSetErrorMethod(keep_complaint);
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, box_close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, box_close);
        lua_setfield(L, -2, "__close");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
