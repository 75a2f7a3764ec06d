/* program: finds the programs that were installed beside this library. */
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chief.h"
#include "err.h"

#define PLACE "libexec/chief/"
#define NAME_MAX_LEN 60
#define STEPS_UP 4 /* lib/x86_64-linux-gnu/libchief.so.0 is two below its prefix */

/* CHIEF_LUA_WORKER for chief-lua-worker. */
static const char *from_environment(const char *name) {
    char variable[NAME_MAX_LEN + 1];
    size_t len = strlen(name);
    for (size_t i = 0; i <= len; i++) {
        char c = name[i];
        if (c == '-') c = '_';
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        variable[i] = c;
    }
    const char *value = getenv(variable);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* The file that this code is in: the library or, where it is linked statically, the program. */
static bool find_self(char out[PATH_MAX]) {
    Dl_info found;
    int (*here)(const char *, char *, size_t) = chief_find_program;
    void *address;
    memcpy(&address, &here, sizeof address);
    if (dladdr(address, &found) == 0 || found.dli_fname == NULL) return false;
    /* a program's own name is as it was called; links are followed, since what is beside the file counts */
    return realpath(strchr(found.dli_fname, '/') != NULL ? found.dli_fname : "/proc/self/exe", out) != NULL;
}

static int copy(char *buf, size_t size, const char *path) {
    if (strlen(path) >= size) return chief__fail(CHIEF_ETOOBIG, "%s does not fit into %zu bytes", path, size);
    (void)strcpy(buf, path);
    return CHIEF_OK;
}

int chief_find_program(const char *name, char *buf, size_t size) {
    char folder[PATH_MAX];
    char path[PATH_MAX + sizeof PLACE + NAME_MAX_LEN];
    if (name == NULL || buf == NULL || size == 0 || strlen(name) > NAME_MAX_LEN) return chief__fail_code(CHIEF_EINVAL);
    buf[0] = '\0';
    const char *given = from_environment(name);
    if (given != NULL) return copy(buf, size, given);
    if (!find_self(folder))
        return chief__fail(CHIEF_ENOENT, "%s can't be found: nor can the file this library is in", name);
    char self[PATH_MAX];
    (void)strcpy(self, folder);
    for (int i = 0; i < STEPS_UP; i++) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL) break;
        *slash = '\0';
        (void)snprintf(path, sizeof path, "%s/" PLACE "%s", folder, name);
        if (access(path, X_OK) == 0) return copy(buf, size, path);
    }
    return chief__fail(CHIEF_ENOENT, "%s is not in a folder " PLACE " beside or above %s", name, self);
}
