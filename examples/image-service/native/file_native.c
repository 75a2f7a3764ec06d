/* The Lua module `file_native`: files that are there whole or not at all, also when the power fails or the disk fills.
 *
 *   file_native.create(path)       -> writer     writer:write(bytes), writer:commit(), writer:discard()
 *   file_native.save(path, bytes)  -> true       create, write and commit in one
 *   file_native.move(from, to)     -> true       on one file system
 *   file_native.make_folder(path)  -> true       with the folders above it
 *   file_native.list(path)         -> { name, … } in no order
 *   file_native.lock(path)         -> lock       lock:release(); "locked" when somebody else holds it
 *
 * Each answers nil, message, code when it fails; codes: "no_space", "no_permission", "not_found", "locked", "io". A writer
 * that is neither committed nor discarded discards itself when Lua lets go of it, and a lock is released; the kernel
 * does it for a process that is killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITER "file_native.writer"
#define FOLDER "file_native.folder"
#define LOCK "file_native.lock"

enum { LONGEST_PATH = 4096 };

typedef struct {
    int fd; /* -1 once committed or discarded */
    char path[LONGEST_PATH], part[LONGEST_PATH];
} writer_t;

static const char *code_of(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT: return "no_space";
    case EACCES:
    case EPERM:
    case EROFS: return "no_permission";
    case ENOENT: return "not_found";
    case EWOULDBLOCK: return "locked";
    default: return "io";
    }
}

/* [-0, +3] */
static int fail(lua_State *L, const char *path, int error) {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(error));
    lua_pushstring(L, code_of(error));
    return 3;
}

static int succeed(lua_State *L) {
    lua_pushboolean(L, 1);
    return 1;
}

static const char *check_path(lua_State *L, int index) {
    size_t length;
    const char *path = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, length > 0 && length < LONGEST_PATH - sizeof ".part", index, "the path is empty or too long");
    luaL_argcheck(L, strlen(path) == length, index, "the path has a zero byte in it");
    return path;
}

/* A new name in a folder lasts only when the folder itself has reached the disk. */
static int sync_folder_of(const char *path) {
    char folder[LONGEST_PATH];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) snprintf(folder, sizeof folder, ".");
    else snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}

static void discard(writer_t *writer) {
    if (writer->fd < 0) return;
    close(writer->fd);
    unlink(writer->part);
    writer->fd = -1;
}

static int write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int commit(writer_t *writer) {
    if (fsync(writer->fd) != 0) return errno;
    if (rename(writer->part, writer->path) != 0) return errno;
    close(writer->fd);
    writer->fd = -1;
    return sync_folder_of(writer->path);
}

static writer_t *check_writer(lua_State *L) {
    writer_t *writer = luaL_checkudata(L, 1, WRITER);
    luaL_argcheck(L, writer->fd >= 0, 1, "the writer is done");
    return writer;
}

/* A writer that owns nothing yet. [-0, +1, raises] */
static writer_t *push_writer(lua_State *L, const char *path) {
    writer_t *writer = lua_newuserdatauv(L, sizeof *writer, 0);
    writer->fd = -1;
    snprintf(writer->path, sizeof writer->path, "%s", path);
    snprintf(writer->part, sizeof writer->part, "%.*s.part", (int)(LONGEST_PATH - sizeof ".part"), path);
    luaL_setmetatable(L, WRITER);
    return writer;
}

static int open_part(writer_t *writer) {
    writer->fd = open(writer->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return writer->fd < 0 ? errno : 0;
}

static int file_create(lua_State *L) {
    writer_t *writer = push_writer(L, check_path(L, 1));
    int error = open_part(writer);
    return error == 0 ? 1 : fail(L, writer->path, error);
}

static int writer_write(lua_State *L) {
    writer_t *writer = check_writer(L);
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    int error = write_all(writer->fd, bytes, size);
    return error == 0 ? succeed(L) : fail(L, writer->path, error);
}

static int writer_commit(lua_State *L) {
    writer_t *writer = check_writer(L);
    int error = commit(writer);
    return error == 0 ? succeed(L) : fail(L, writer->path, error);
}

static int writer_discard(lua_State *L) {
    discard(luaL_checkudata(L, 1, WRITER));
    return succeed(L);
}

static int writer_close(lua_State *L) {
    discard(luaL_checkudata(L, 1, WRITER));
    return 0;
}

static int writer_tostring(lua_State *L) {
    const writer_t *writer = luaL_checkudata(L, 1, WRITER);
    lua_pushfstring(L, "%s(%s)", WRITER, writer->path);
    return 1;
}

static int file_save(lua_State *L) {
    const char *path = check_path(L, 1);
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    writer_t *writer = push_writer(L, path);
    int error = open_part(writer);
    if (error == 0) error = write_all(writer->fd, bytes, size);
    if (error == 0) error = commit(writer);
    discard(writer);
    return error == 0 ? succeed(L) : fail(L, path, error);
}

static int file_move(lua_State *L) {
    const char *from = check_path(L, 1), *to = check_path(L, 2);
    if (rename(from, to) != 0) return fail(L, from, errno);
    int error = sync_folder_of(to);
    return error == 0 ? succeed(L) : fail(L, to, error);
}

static int make_one(const char *path) {
    struct stat status;
    if (mkdir(path, 0755) == 0) return sync_folder_of(path);
    if (errno != EEXIST) return errno;
    if (stat(path, &status) != 0) return errno;
    return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

static int file_make_folder(lua_State *L) {
    char path[LONGEST_PATH];
    snprintf(path, sizeof path, "%s", check_path(L, 1));
    int error = 0;
    for (char *slash = strchr(path + 1, '/'); slash != NULL && error == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_one(path);
        *slash = '/';
    }
    if (error == 0) error = make_one(path);
    if (error == 0 && access(path, W_OK | X_OK) != 0) error = errno;
    return error == 0 ? succeed(L) : fail(L, path, error);
}

static int folder_close(lua_State *L) {
    DIR **folder = luaL_checkudata(L, 1, FOLDER);
    if (*folder != NULL) closedir(*folder);
    *folder = NULL;
    return 0;
}

static int file_list(lua_State *L) {
    const char *path = check_path(L, 1);
    DIR **folder = lua_newuserdatauv(L, sizeof *folder, 0);
    *folder = NULL;
    luaL_setmetatable(L, FOLDER);
    lua_toclose(L, -1);
    *folder = opendir(path);
    if (*folder == NULL) return fail(L, path, errno);
    lua_newtable(L);
    lua_Integer count = 0;
    const struct dirent *entry;
    while ((entry = readdir(*folder)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

/* The file says who holds it, for people. [-0, +3] */
static int tell_holder(lua_State *L, int fd, const char *path) {
    char text[32] = "";
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    long holder = length > 0 ? strtol(text, NULL, 10) : 0;
    lua_pushnil(L);
    if (holder > 0) lua_pushfstring(L, "%s: held by process %I", path, (LUAI_UACINT)holder);
    else lua_pushfstring(L, "%s: held by another process", path);
    lua_pushstring(L, code_of(EWOULDBLOCK));
    return 3;
}

/* What the file says is only a hint, so that it cannot be written is no failure. */
static void sign(int fd) {
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0) (void)!pwrite(fd, text, (size_t)length, 0);
}

static int file_lock(lua_State *L) {
    const char *path = check_path(L, 1);
    int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
    *fd = -1;
    luaL_setmetatable(L, LOCK);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0) return fail(L, path, errno);
    int error = flock(*fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (error == 0) {
        sign(*fd);
        return 1;
    }
    int count = error == EWOULDBLOCK ? tell_holder(L, *fd, path) : fail(L, path, error);
    close(*fd);
    *fd = -1;
    return count;
}

static int lock_release(lua_State *L) {
    int *fd = luaL_checkudata(L, 1, LOCK);
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return succeed(L);
}

static const luaL_Reg functions[] = {
    {"create", file_create}, {"save", file_save}, {"move", file_move}, {"make_folder", file_make_folder},
    {"list", file_list},     {"lock", file_lock}, {NULL, NULL}};

static const luaL_Reg writer_methods[] = {
    {"write", writer_write}, {"commit", writer_commit}, {"discard", writer_discard}, {NULL, NULL}};

static const luaL_Reg writer_events[] = {
    {"__gc", writer_close}, {"__close", writer_close}, {"__tostring", writer_tostring}, {NULL, NULL}};

static const luaL_Reg lock_methods[] = {{"release", lock_release}, {NULL, NULL}};

static const luaL_Reg lock_events[] = {{"__gc", lock_release}, {"__close", lock_release}, {NULL, NULL}};

static const luaL_Reg folder_events[] = {{"__gc", folder_close}, {"__close", folder_close}, {NULL, NULL}};

__attribute__((visibility("default"))) int luaopen_file_native(lua_State *L) {
    if (luaL_newmetatable(L, WRITER)) {
        luaL_setfuncs(L, writer_events, 0);
        luaL_newlib(L, writer_methods);
        lua_setfield(L, -2, "__index");
    }
    if (luaL_newmetatable(L, LOCK)) {
        luaL_setfuncs(L, lock_events, 0);
        luaL_newlib(L, lock_methods);
        lua_setfield(L, -2, "__index");
    }
    if (luaL_newmetatable(L, FOLDER)) luaL_setfuncs(L, folder_events, 0);
    lua_pop(L, 3);
    luaL_newlib(L, functions);
    return 1;
}
