#include "spec.h"

#include <stdlib.h>
#include <string.h>

/* Moves the bytes (NULL stays NULL) to `*at`, with a NUL behind them, and `*at` past them. */
static const char *place(char **at, const char *bytes, size_t len) {
    if (bytes == NULL) return NULL;
    char *copy = *at;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    *at += len + 1;
    return copy;
}

static size_t length(const char *s) { return s == NULL ? 0 : strlen(s); }

/* One block: the spec and behind it its strings. */
chief__lua_spec *chief__lua_spec_new(const chief__lua_source *s) {
    size_t room = s->chunk_len + length(s->module) + length(s->chunkname) + length(s->path) + length(s->cpath) + 5;
    chief__lua_spec *spec = malloc(sizeof *spec + room);
    if (spec == NULL) return NULL;
    *spec = (chief__lua_spec){.source = {.chunk_len = s->chunk_len, .eager = s->eager}};
    char *at = (char *)(spec + 1);
    spec->source.module = place(&at, s->module, length(s->module));
    spec->source.chunk = place(&at, s->chunk, s->chunk_len);
    spec->source.chunkname = place(&at, s->chunkname, length(s->chunkname));
    spec->source.path = place(&at, s->path, length(s->path));
    spec->source.cpath = place(&at, s->cpath, length(s->cpath));
    return spec;
}

void chief__lua_spec_free(void *spec) { free(spec); }

/* ---- Between processes ---- */

/* Strings, each with its NUL: what it is, then the path of a plug-in, or a module's name, path and cpath and, where its
 * libraries are not to fill themselves, "eager". */
static const char eager[] = "eager";
static const char lua_kind[] = "lua";
static const char native_kind[] = "native";

enum { LUA_FIELDS = 5, NATIVE_FIELDS = 2 };

static chief_bytes pack(const char *const *fields, size_t n) {
    size_t len = 0;
    for (size_t i = 0; i < n; i++) len += length(fields[i]) + 1;
    char *all = malloc(len);
    if (all == NULL) return (chief_bytes){NULL, 0};
    char *at = all;
    for (size_t i = 0; i < n; i++) (void)place(&at, fields[i] != NULL ? fields[i] : "", length(fields[i]));
    return (chief_bytes){all, len};
}

chief_bytes chief__lua_spec_pack(const chief__lua_source *source) {
    const char *fields[LUA_FIELDS] = {lua_kind, source->module, source->path, source->cpath,
                                      source->eager ? eager : NULL};
    return pack(fields, LUA_FIELDS);
}

chief_bytes chief__lua_spec_pack_native(const char *path) {
    const char *fields[NATIVE_FIELDS] = {native_kind, path};
    return pack(fields, NATIVE_FIELDS);
}

/* The fields, which point into the bytes; how many there are, 0 when the bytes are something else. */
static size_t split(chief_bytes bytes, const char **fields, size_t max) {
    size_t n = 0;
    const char *at = bytes.data;
    const char *end = at + bytes.len;
    if (bytes.len == 0 || end[-1] != '\0') return 0;
    for (; at < end; at += strlen(at) + 1) {
        if (n == max) return 0;
        fields[n++] = at;
    }
    return n;
}

/* An empty path is none. */
static const char *or_null(const char *s) { return *s != '\0' ? s : NULL; }

int chief__lua_spec_unpack(chief_bytes bytes, chief__lua_spec **spec, char **native) {
    const char *fields[LUA_FIELDS];
    size_t n = split(bytes, fields, LUA_FIELDS);
    *spec = NULL;
    *native = NULL;
    if (n == NATIVE_FIELDS && strcmp(fields[0], native_kind) == 0) {
        *native = strdup(fields[1]);
        return *native != NULL ? CHIEF_OK : chief_set_last_error(CHIEF_ENOMEM, NULL);
    }
    if (n != LUA_FIELDS || strcmp(fields[0], lua_kind) != 0)
        return chief_set_last_error(CHIEF_EDATA, "what is to run here was not said by this version of chief");
    chief__lua_source source = {.module = fields[1],
                                .path = or_null(fields[2]),
                                .cpath = or_null(fields[3]),
                                .eager = strcmp(fields[4], eager) == 0};
    *spec = chief__lua_spec_new(&source);
    return *spec != NULL ? CHIEF_OK : chief_set_last_error(CHIEF_ENOMEM, NULL);
}
