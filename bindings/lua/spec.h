/*
 * spec: what a Lua worker is made from: a module by name or a compiled function, and where its state looks for
 * modules. Plain memory, shared by no state: a worker's thread reads it while the host's state goes on.
 */
#ifndef CHIEF_LUA_SPEC_H
#define CHIEF_LUA_SPEC_H

#include <chief.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* What a worker is made from; strings borrowed. */
typedef struct chief__lua_source {
    const char *module; /* NULL: the chunk */
    const char *chunk;  /* string.dump of the function that runs */
    size_t chunk_len;
    const char *chunkname;
    const char *path;  /* package.path; NULL: Lua's own */
    const char *cpath; /* package.cpath */
    bool eager;        /* Lua's libraries are there from the start, and do not fill themselves at first use */
} chief__lua_source;

/* What a worker may have; 0: as much as it likes. */
typedef struct chief__lua_limits {
    uint64_t memory;  /* bytes */
    int64_t watchdog; /* ms */
} chief__lua_limits;

typedef struct chief__lua_paths chief__lua_paths;

typedef struct chief__lua_spec {
    chief__lua_source source; /* its strings are the spec's own, or its paths' */
    chief__lua_paths *paths;  /* held */
    chief__lua_limits limits;
    bool restart_on_fail;
    bool says_ready;
} chief__lua_spec;

/* A copy; NULL without memory. */
chief__lua_spec *chief__lua_spec_new(const chief__lua_source *source);

/* Takes NULL. A chief_destructor. */
void chief__lua_spec_free(void *spec);

/*
 * What a child process is told to host: a Lua module, or a C plug-in by its path. The bytes of chief_process.spec, which
 * only the same version reads. Packed it is malloc's; data NULL without memory.
 */
chief_bytes chief__lua_spec_pack(const chief__lua_source *source, const chief__lua_limits *limits);
chief_bytes chief__lua_spec_pack_native(const char *path);

/* One of both comes out, to be freed (chief__lua_spec_free, free): CHIEF_OK, CHIEF_EDATA, CHIEF_ENOMEM. */
int chief__lua_spec_unpack(chief_bytes bytes, chief__lua_spec **spec, char **native);

#pragma GCC visibility pop
#endif
