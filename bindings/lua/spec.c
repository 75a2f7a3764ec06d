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
    *spec = (chief__lua_spec){.source = {.chunk_len = s->chunk_len}};
    char *at = (char *)(spec + 1);
    spec->source.module = place(&at, s->module, length(s->module));
    spec->source.chunk = place(&at, s->chunk, s->chunk_len);
    spec->source.chunkname = place(&at, s->chunkname, length(s->chunkname));
    spec->source.path = place(&at, s->path, length(s->path));
    spec->source.cpath = place(&at, s->cpath, length(s->cpath));
    return spec;
}

void chief__lua_spec_free(void *spec) { free(spec); }
