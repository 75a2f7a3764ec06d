#include "spec.h"

#include <pthread.h>
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

/* ---- Where modules are looked for ---- */

/* What the workers of a program mostly have in common, so that each has no more than a reference. */
struct chief__lua_paths {
    size_t refs; /* under lock */
    const char *path, *cpath;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static chief__lua_paths *latest; /* under lock; NULL: it has gone */

static bool same(const char *a, const char *b) { return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0); }

static chief__lua_paths *new_paths(const char *path, const char *cpath) {
    chief__lua_paths *paths = malloc(sizeof *paths + length(path) + length(cpath) + 2);
    if (paths == NULL) return NULL;
    char *at = (char *)(paths + 1);
    paths->refs = 0;
    paths->path = place(&at, path, length(path));
    paths->cpath = place(&at, cpath, length(cpath));
    return paths;
}

static chief__lua_paths *take_paths(const char *path, const char *cpath) {
    (void)pthread_mutex_lock(&lock);
    bool known = latest != NULL && same(latest->path, path) && same(latest->cpath, cpath);
    chief__lua_paths *paths = known ? latest : new_paths(path, cpath);
    if (paths != NULL) {
        latest = paths;
        paths->refs++;
    }
    (void)pthread_mutex_unlock(&lock);
    return paths;
}

static void drop_paths(chief__lua_paths *paths) {
    (void)pthread_mutex_lock(&lock);
    bool gone = --paths->refs == 0;
    if (gone && latest == paths) latest = NULL;
    (void)pthread_mutex_unlock(&lock);
    if (gone) free(paths);
}

/* ---- A spec ---- */

/* One block: the spec and behind it its strings. */
chief__lua_spec *chief__lua_spec_new(const chief__lua_source *s) {
    size_t room = s->chunk_len + length(s->module) + length(s->chunkname) + 3;
    chief__lua_paths *paths = take_paths(s->path, s->cpath);
    chief__lua_spec *spec = paths != NULL ? malloc(sizeof *spec + room) : NULL;
    if (spec == NULL) {
        if (paths != NULL) drop_paths(paths);
        return NULL;
    }
    *spec = (chief__lua_spec){.source = {.chunk_len = s->chunk_len, .eager = s->eager}, .paths = paths};
    char *at = (char *)(spec + 1);
    spec->source.module = place(&at, s->module, length(s->module));
    spec->source.chunk = place(&at, s->chunk, s->chunk_len);
    spec->source.chunkname = place(&at, s->chunkname, length(s->chunkname));
    spec->source.path = paths->path;
    spec->source.cpath = paths->cpath;
    return spec;
}

void chief__lua_spec_free(void *spec) {
    const chief__lua_spec *own = spec;
    if (own != NULL) drop_paths(own->paths);
    free(spec);
}

/* ---- Between processes ---- */

/* Fields, each its length and its bytes with a NUL behind them: what it is, then the path of a plug-in, or all that a spec
 * is. NULL, for a field that is not there, has a length of its own. Both ends are one program's, so numbers are as they
 * are in memory. */
static const char lua_kind[] = "lua";
static const char native_kind[] = "native";

#define ABSENT SIZE_MAX

enum { KIND, MODULE, CHUNK, CHUNKNAME, PATH, CPATH, EAGER, LIMITS, LUA_FIELDS };
enum { NATIVE_PATH = 1, NATIVE_FIELDS };

static chief_bytes text(const char *s) { return (chief_bytes){s, length(s)}; }

static void put(char **at, chief_bytes field) {
    size_t len = field.data != NULL ? field.len : ABSENT;
    memcpy(*at, &len, sizeof len);
    *at += sizeof len;
    (void)place(at, field.data, field.len);
}

static chief_bytes pack(const chief_bytes *fields, size_t n) {
    size_t len = 0;
    for (size_t i = 0; i < n; i++) len += sizeof len + (fields[i].data != NULL ? fields[i].len + 1 : 0);
    char *all = malloc(len);
    if (all == NULL) return (chief_bytes){NULL, 0};
    char *at = all;
    for (size_t i = 0; i < n; i++) put(&at, fields[i]);
    return (chief_bytes){all, len};
}

chief_bytes chief__lua_spec_pack(const chief__lua_source *source, const chief__lua_limits *limits) {
    const chief_bytes fields[LUA_FIELDS] = {
        [KIND] = text(lua_kind),
        [MODULE] = text(source->module),
        [CHUNK] = {source->chunk, source->chunk_len},
        [CHUNKNAME] = text(source->chunkname),
        [PATH] = text(source->path),
        [CPATH] = text(source->cpath),
        [EAGER] = text(source->eager ? "yes" : NULL),
        [LIMITS] = {limits, sizeof *limits},
    };
    return pack(fields, LUA_FIELDS);
}

chief_bytes chief__lua_spec_pack_native(const char *path) {
    const chief_bytes fields[NATIVE_FIELDS] = {[KIND] = text(native_kind), [NATIVE_PATH] = text(path)};
    return pack(fields, NATIVE_FIELDS);
}

/* One field, which points into the bytes; false when there is none whole. */
static bool take(chief_bytes *from, chief_bytes *field) {
    size_t len;
    const char *data = from->data;
    if (from->len < sizeof len) return false;
    memcpy(&len, data, sizeof len);
    *field = (chief_bytes){NULL, 0};
    size_t used = sizeof len;
    if (len != ABSENT) {
        if (len >= from->len - used || data[used + len] != '\0') return false;
        *field = (chief_bytes){data + used, len};
        used += len + 1;
    }
    *from = (chief_bytes){data + used, from->len - used};
    return true;
}

/* How many there are; 0 when the bytes are something else. */
static size_t split(chief_bytes bytes, chief_bytes *fields, size_t max) {
    size_t n = 0;
    while (bytes.len > 0) {
        if (n == max || !take(&bytes, &fields[n])) return 0;
        n++;
    }
    return n;
}

static bool is_kind(const chief_bytes *fields, size_t n, const char *kind, size_t expected) {
    return n == expected && fields[KIND].data != NULL && strcmp(fields[KIND].data, kind) == 0;
}

static int unpack_lua(const chief_bytes *fields, chief__lua_spec **out) {
    chief__lua_source source = {.module = fields[MODULE].data,
                                .chunk = fields[CHUNK].data,
                                .chunk_len = fields[CHUNK].len,
                                .chunkname = fields[CHUNKNAME].data,
                                .path = fields[PATH].data,
                                .cpath = fields[CPATH].data,
                                .eager = fields[EAGER].data != NULL};
    *out = chief__lua_spec_new(&source);
    if (*out == NULL) return chief_set_last_error(CHIEF_ENOMEM, NULL);
    memcpy(&(*out)->limits, fields[LIMITS].data, sizeof(*out)->limits);
    return CHIEF_OK;
}

int chief__lua_spec_unpack(chief_bytes bytes, chief__lua_spec **spec, char **native) {
    chief_bytes fields[LUA_FIELDS];
    size_t n = split(bytes, fields, LUA_FIELDS);
    *spec = NULL;
    *native = NULL;
    if (is_kind(fields, n, native_kind, NATIVE_FIELDS) && fields[NATIVE_PATH].data != NULL) {
        *native = strdup(fields[NATIVE_PATH].data);
        return *native != NULL ? CHIEF_OK : chief_set_last_error(CHIEF_ENOMEM, NULL);
    }
    bool whole = is_kind(fields, n, lua_kind, LUA_FIELDS) && fields[LIMITS].len == sizeof(chief__lua_limits) &&
                 (fields[MODULE].data == NULL) != (fields[CHUNK].data == NULL);
    if (whole) return unpack_lua(fields, spec);
    return chief_set_last_error(CHIEF_EDATA, "what is to run here was not said by this version of chief");
}
