#include "runtime.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* ISO C has no cast from a function to an object pointer, dladdr wants one. */
static const void *address(void (*function)(void)) {
    void *p;
    memcpy(&p, &function, sizeof p);
    return p;
}

static const void *base_of(const void *symbol) {
    Dl_info found;
    return dladdr(symbol, &found) != 0 ? found.dli_fbase : NULL;
}

static const void *old_symbol(void) { return address((void (*)(void))lua_gettop); }
static const void *new_symbol(void) { return address((void (*)(void))lua_newuserdatauv); }

const char *chief__lua_check_runtime(void) {
    if (base_of(old_symbol()) == base_of(new_symbol())) return NULL;
    return "chief needs Lua 5.4, and this program brings another Lua (LuaJIT?) whose functions hide those of Lua 5.4; "
           "run `chief run app.lua` as a process of its own beside it";
}

/* Loads once more, with further flags, what is loaded already; that reference is never given back. */
static void reload(const void *symbol, int flags) {
    Dl_info found;
    if (dladdr(symbol, &found) != 0 && found.dli_fname != NULL)
        (void)dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD | flags);
}

void chief__lua_pin(void) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done)) return;
    reload(&done, RTLD_NODELETE);
    reload(new_symbol(), RTLD_NODELETE);
}

void chief__lua_promote(void) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&done)) reload(new_symbol(), RTLD_GLOBAL);
}
