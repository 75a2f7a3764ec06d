#include "bytecode.h"

#include <lauxlib.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LARGEST (CHIEF__LUA_BYTECODE_MAX / 8)
#define BUCKETS 64
#define SETTLED_NS 50000000 /* the time of a file's change is told in steps of a few milliseconds */
#define NS_PER_S 1000000000

typedef struct entry {
    struct entry *next; /* in its bucket; under lock, as the next five */
    size_t users;       /* states that load it now */
    uint64_t used;      /* when, by count */
    bool listed;        /* else it goes with its last user */
    char *module;       /* what the next is about; NULL: nothing is known */
    int findings;
    struct stat about; /* this and the following: const once listed */
    size_t len;
    char *path;
    char *bytes;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under lock. */
static entry *buckets[BUCKETS];
static size_t kept;
static size_t compiled;
static uint64_t uses;

/* ---- Entries ---- */

static void entry_free(entry *e) {
    if (e == NULL) return;
    free(e->module);
    free(e->path);
    free(e->bytes);
    free(e);
}

static entry **bucket_of(const char *path) {
    uint32_t hash = 2166136261U;
    for (; *path != '\0'; path++) hash = (hash ^ (unsigned char)*path) * 16777619U;
    return &buckets[hash % BUCKETS];
}

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

/* A file that may still be being written can change without looking any other. */
static bool is_settled(const struct stat *about) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = (int64_t)(now.tv_sec - about->st_ctim.tv_sec) * NS_PER_S + now.tv_nsec - about->st_ctim.tv_nsec;
    return age > SETTLED_NS;
}

/* With the lock held; the rest with it, too. */
static void unlist(entry **at) {
    entry *e = *at;
    *at = e->next;
    kept -= e->len;
    e->listed = false;
    if (e->users == 0) entry_free(e);
}

static void unlist_oldest(void) {
    entry **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (entry **at = &buckets[i]; *at != NULL; at = &(*at)->next)
            if (oldest == NULL || (*at)->used < (*oldest)->used) oldest = at;
    if (oldest != NULL) unlist(oldest);
}

static entry **find(const char *path) {
    entry **at = bucket_of(path);
    while (*at != NULL && strcmp((*at)->path, path) != 0) at = &(*at)->next;
    return at;
}

static void list(entry *e) {
    entry **at = find(e->path);
    if (*at != NULL) unlist(at);
    while (kept + e->len > CHIEF__LUA_BYTECODE_MAX) unlist_oldest();
    at = bucket_of(e->path);
    e->next = *at;
    e->listed = true;
    e->used = ++uses;
    kept += e->len;
    *at = e;
}

/* When the library goes, nobody can find them any more. */
__attribute__((destructor)) static void unlist_all(void) {
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < BUCKETS; i++)
        while (buckets[i] != NULL) unlist(&buckets[i]);
    (void)pthread_mutex_unlock(&lock);
}

/* ---- Users ---- */

static entry *borrow(const char *path, const struct stat *about) {
    (void)pthread_mutex_lock(&lock);
    entry **at = find(path);
    if (*at != NULL && !same_file(&(*at)->about, about)) unlist(at);
    entry *e = *find(path);
    if (e != NULL) {
        e->users++;
        e->used = ++uses;
    }
    (void)pthread_mutex_unlock(&lock);
    return e;
}

static void give_back(entry *e) {
    (void)pthread_mutex_lock(&lock);
    bool gone = --e->users == 0 && !e->listed;
    (void)pthread_mutex_unlock(&lock);
    if (gone) entry_free(e);
}

/* ---- Compiling ---- */

/* Gives up, by an answer other than 0, where there is no memory or it gets too large. */
static int append(lua_State *L, const void *bytes, size_t len, void *data) {
    entry *e = data;
    (void)L;
    if (len > LARGEST - e->len) return 1;
    char *more = realloc(e->bytes, e->len + len);
    if (more == NULL) return 1;
    memcpy(more + e->len, bytes, len);
    e->bytes = more;
    e->len += len;
    return 0;
}

/* The function on top as an entry; NULL when it is not to be kept. */
static entry *dump(lua_State *L, const char *path, const struct stat *about) {
    entry *e = calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    e->about = *about;
    e->path = strdup(path);
    if (e->path != NULL && lua_dump(L, append, e, 0) == 0) return e;
    entry_free(e);
    return NULL;
}

static bool compile(lua_State *L, const char *path, const struct stat *about) {
    if (luaL_loadfilex(L, path, NULL) != LUA_OK) {
        lua_pop(L, 1);
        return false;
    }
    entry *e = is_settled(about) ? dump(L, path, about) : NULL;
    (void)pthread_mutex_lock(&lock);
    compiled++;
    if (e != NULL) list(e);
    (void)pthread_mutex_unlock(&lock);
    return true;
}

bool chief__lua_bytecode_load(lua_State *L, const char *path, const struct stat *about) {
    entry *e = borrow(path, about);
    if (e == NULL) return compile(L, path, about);
    int status = luaL_loadbufferx(L, e->bytes, e->len, path, "b");
    give_back(e);
    if (status != LUA_OK) lua_pop(L, 1);
    return status == LUA_OK;
}

/* ---- What is known of them ---- */

/* With the lock held. */
static entry *find_same(const char *path, const struct stat *about) {
    entry *e = *find(path);
    return e != NULL && same_file(&e->about, about) ? e : NULL;
}

int chief__lua_bytecode_findings(const char *path, const struct stat *about, const char *module) {
    (void)pthread_mutex_lock(&lock);
    const entry *e = find_same(path, about);
    bool known = e != NULL && e->module != NULL && strcmp(e->module, module) == 0;
    int findings = known ? e->findings : -1;
    (void)pthread_mutex_unlock(&lock);
    return findings;
}

void chief__lua_bytecode_note(const char *path, const struct stat *about, const char *module, int findings) {
    char *name = strdup(module);
    if (name == NULL) return;
    (void)pthread_mutex_lock(&lock);
    entry *e = find_same(path, about);
    char *old = name;
    if (e != NULL) {
        old = e->module;
        e->module = name;
        e->findings = findings;
    }
    (void)pthread_mutex_unlock(&lock);
    free(old);
}

/* ---- For tests ---- */

size_t chief__lua_bytecode_compiled(void) {
    (void)pthread_mutex_lock(&lock);
    size_t n = compiled;
    (void)pthread_mutex_unlock(&lock);
    return n;
}

size_t chief__lua_bytecode_size(void) {
    (void)pthread_mutex_lock(&lock);
    size_t n = kept;
    (void)pthread_mutex_unlock(&lock);
    return n;
}
