#include "memory.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"

#define WARNING_SIZE 256

/* So much a fresh state may take before its collector begins: a worker that only waits has nothing that a collection would find,
 * and loading its module would already begin one. */
#define FIRST_CYCLE_KIB 16

/* Every worker's stack comes to be this large. When it does so first, all that follows fills the room that the small one leaves. */
#define STACK_SLOTS (3 * LUA_MINSTACK)

/* The size of a coroutine's block, and so of every block with a mark. Const once known. */
static size_t coroutine_size;
static pthread_mutex_t size_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- how large a coroutine is ---- */

static void *probe_alloc(void *size, void *block, size_t old_size, size_t new_size) {
    if (block == NULL && old_size == LUA_TTHREAD) *(size_t *)size = new_size;
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}

static int make_coroutine(lua_State *L) {
    (void)lua_newthread(L);
    return 0;
}

/* The main coroutine comes first and is of another size. */
static size_t probe(void) {
    size_t size = 0;
    lua_State *L = lua_newstate(probe_alloc, &size);
    if (L == NULL) return 0;
    lua_pushcfunction(L, make_coroutine);
    bool made = lua_pcall(L, 0, 0, 0) == LUA_OK;
    lua_close(L);
    return made ? size : 0;
}

static bool know_size(void) {
    (void)pthread_mutex_lock(&size_lock);
    if (coroutine_size == 0) coroutine_size = probe();
    bool known = coroutine_size != 0;
    (void)pthread_mutex_unlock(&size_lock);
    return known;
}

/* ---- the list ---- */

lua_State *chief__lua_coroutine_of(chief__lua_mark *mark) {
    return (lua_State *)(void *)((char *)mark - coroutine_size + LUA_EXTRASPACE);
}

chief__lua_mark *chief__lua_mark_of(lua_State *coroutine) {
    return (chief__lua_mark *)(void *)((char *)lua_getextraspace(coroutine) + coroutine_size);
}

/* Each link is one store, after what it leads to is whole: a handler of this thread finds a list at every moment. */
static void link_mark(chief__lua_life *life, chief__lua_mark *mark) {
    chief__lua_mark *head = atomic_load_explicit(&life->coroutines, memory_order_relaxed);
    mark->listed = true;
    atomic_store_explicit(&mark->next, head, memory_order_relaxed);
    if (head != NULL) head->previous = mark;
    atomic_signal_fence(memory_order_release);
    atomic_store_explicit(&life->coroutines, mark, memory_order_relaxed);
}

static void unlink_mark(chief__lua_life *life, chief__lua_mark *mark) {
    chief__lua_mark *next = atomic_load_explicit(&mark->next, memory_order_relaxed);
    if (mark->previous != NULL) atomic_store_explicit(&mark->previous->next, next, memory_order_relaxed);
    else atomic_store_explicit(&life->coroutines, next, memory_order_relaxed);
    if (next != NULL) next->previous = mark->previous;
    atomic_signal_fence(memory_order_release);
}

void chief__lua_each_coroutine(chief__lua_life *life,
                               void (*f)(chief__lua_life *, lua_State *, chief__lua_old_hook *)) {
    if (life->L != NULL) f(life, life->L, &life->old_hook);
    chief__lua_mark *mark = atomic_load_explicit(&life->coroutines, memory_order_relaxed);
    while (mark != NULL) {
        f(life, chief__lua_coroutine_of(mark), &mark->old_hook);
        mark = atomic_load_explicit(&mark->next, memory_order_relaxed);
    }
}

/* ---- blocks ---- */

static chief__lua_mark *mark_behind(void *block) { return (chief__lua_mark *)(void *)((char *)block + coroutine_size); }

/* What a block of this size takes, with its mark. */
static size_t room_of(size_t size) { return size == coroutine_size ? size + sizeof(chief__lua_mark) : size; }

/* A block of a coroutine's size. What a handler may find in a coroutine that Lua has not filled yet is zero. */
static void *new_marked(chief__lua_life *life, bool is_coroutine) {
    void *block = chief__arena_take(&life->arena, room_of(coroutine_size));
    if (block == NULL) return NULL;
    memset(block, 0, room_of(coroutine_size));
    if (is_coroutine) link_mark(life, mark_behind(block));
    return block;
}

static void free_block(chief__lua_life *life, void *block, size_t old_size) {
    if (block == NULL) return;
    if (old_size == coroutine_size && mark_behind(block)->listed) unlink_mark(life, mark_behind(block));
    if (block == life->main_block) {
        life->L = NULL;
        atomic_signal_fence(memory_order_release);
    }
    chief__arena_give(&life->arena, block, room_of(old_size));
}

/* Coroutines never change their size, so a mark that comes or goes here is not in the list. */
static void *resize(chief__lua_life *life, void *block, size_t old_size, size_t new_size) {
    char *moved = chief__arena_resize(&life->arena, block, room_of(old_size), room_of(new_size));
    if (moved != NULL && new_size == coroutine_size) memset(moved + new_size, 0, sizeof(chief__lua_mark));
    return moved;
}

static void *take(chief__lua_life *life, void *block, size_t old_size, size_t new_size) {
    if (new_size == 0) {
        free_block(life, block, old_size);
        return NULL;
    }
    if (block != NULL) return resize(life, block, old_size, new_size);
    if (new_size == coroutine_size) return new_marked(life, old_size == LUA_TTHREAD);
    return chief__arena_take(&life->arena, new_size);
}

/* Of its own, so that the short way saves no registers for it. */
__attribute__((noinline)) static void *change(chief__lua_life *life, void *block, size_t old_size, size_t new_size) {
    size_t had = block != NULL ? old_size : 0;
    if (!chief__lua_limit_allows(life, had, new_size)) return NULL;
    void *made = take(life, block, old_size, new_size);
    if (made != NULL || new_size == 0) life->live += new_size - had;
    return made;
}

/* One without a mark. */
static void *take_plain(chief__lua_life *life, size_t size) {
    if (!chief__lua_limit_allows(life, 0, size)) return NULL;
    void *made = chief__arena_take(&life->arena, size);
    if (made != NULL) life->live += size;
    return made;
}

/* A table costs eight calls in its life, for parts that it does not have as well: what neither changes its size nor has a mark goes
 * the short way. */
void *chief__lua_memory_alloc(void *of, void *block, size_t old_size, size_t new_size) {
    chief__lua_life *life = of;
    life->allocations++;
    if (block == NULL && new_size == 0) return NULL;
    if (block == NULL && new_size != coroutine_size) return take_plain(life, new_size);
    if (block == NULL || new_size > 0 || old_size == coroutine_size || block == life->main_block)
        return change(life, block, old_size, new_size);
    chief__arena_give(&life->arena, block, old_size);
    life->live -= old_size;
    return NULL;
}

/* ---- a state ---- */

/* As with luaL_newstate: the text, and then abort, which is Lua's own for an error outside of every protection. */
static int panic(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error object that is no string";
    chief_field field = {.key = "error", .value = {.type = CHIEF_BYTES}};
    field.value.bytes = (chief_bytes){text, strlen(text)};
    chief_log_write(chief_worker_log(life->worker), CHIEF_ERROR, "unprotected error in a worker's state", &field, 1);
    return 0;
}

/* What Lua warns of (errors in __gc, `warn`) is the worker's log's, once it has been switched on by warn("@on"). */
static void warn(void *data, const char *text, int to_be_continued) {
    chief__lua_life *life = data;
    if (life->worker == NULL) return;
    if (!to_be_continued && !life->warned && text[0] == '@') {
        if (strcmp(text, "@on") == 0) life->warns = true;
        if (strcmp(text, "@off") == 0) life->warns = false;
        return;
    }
    if (life->warning == NULL) life->warning = calloc(1, WARNING_SIZE);
    if (life->warning == NULL) return;
    size_t len = strlen(life->warning);
    size_t more = strlen(text);
    if (more > WARNING_SIZE - 1 - len) more = WARNING_SIZE - 1 - len;
    memcpy(life->warning + len, text, more);
    life->warning[len + more] = '\0';
    life->warned = to_be_continued;
    if (to_be_continued) return;
    if (life->warns) chief_log_write(chief_worker_log(life->worker), CHIEF_WARN, life->warning, NULL, 0);
    life->warning[0] = '\0';
}

bool chief__lua_memory_open(chief__lua_life *life) {
    if (!know_size()) return false;
    lua_State *L = lua_newstate(chief__lua_memory_alloc, life);
    if (L == NULL) {
        chief__arena_close(&life->arena);
        return false;
    }
    (void)lua_atpanic(L, panic);
    lua_setwarnf(L, warn, life);
    (void)lua_gc(L, LUA_GCSTEP, -FIRST_CYCLE_KIB);
    (void)lua_checkstack(L, STACK_SLOTS);
    life->main_block = lua_getextraspace(L);
    atomic_signal_fence(memory_order_release);
    life->L = L;
    return true;
}

void chief__lua_memory_close(chief__lua_life *life) {
    if (life->L != NULL) lua_close(life->L);
    life->L = NULL;
    chief__arena_close(&life->arena);
}
