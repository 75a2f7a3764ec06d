#include "limits.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

#define ENTRY_SIZE 1024 /* of a line of the user database, doubled while it is longer */
#define ENTRY_MAX (1024 * 1024)
#define UMASK_MAX 0777

/* ---- whom it becomes ---- */

typedef struct identity {
    bool set_user, set_group;
    uid_t uid;
    gid_t gid;
    const char *user; /* the name for the further groups; NULL: there is none, or it is of no account */
} identity;

static bool is_number(const char *text, unsigned long *out) {
    char *end;
    if (*text < '0' || *text > '9') return false;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *out < UINT32_MAX; /* the last one means «none» to the kernel */
}

static int missing(const char *what, const char *name, int error) {
    if (error != 0 && error != ENOENT && error != ESRCH)
        return chief__fail(CHIEF_ESYS, "%s \"%s\" can't be looked up: %s", what, name, strerror(error));
    return chief__fail(CHIEF_ENOENT, "there is no %s \"%s\"", what, name);
}

/* Looks a name up with a buffer that grows as needed; both databases are asked the same way. */
static int look_up_user(const char *name, uid_t *uid, gid_t *gid) {
    struct passwd entry;
    struct passwd *found = NULL;
    unsigned long number;
    bool by_number = is_number(name, &number);
    int error = ERANGE;
    for (size_t size = ENTRY_SIZE; error == ERANGE && size <= ENTRY_MAX; size *= 2) {
        char *buf = chief__alloc(size);
        if (buf == NULL) return chief__fail_code(CHIEF_ENOMEM);
        error = by_number ? getpwuid_r((uid_t)number, &entry, buf, size, &found)
                          : getpwnam_r(name, &entry, buf, size, &found);
        if (found != NULL) {
            *uid = entry.pw_uid;
            *gid = entry.pw_gid;
        }
        chief__free(buf);
    }
    if (found != NULL) return CHIEF_OK;
    if (!by_number) return missing("user", name, error);
    *uid = (uid_t)number; /* a number needs no entry */
    *gid = (gid_t)number;
    return CHIEF_OK;
}

static int look_up_group(const char *name, gid_t *gid) {
    struct group entry;
    struct group *found = NULL;
    unsigned long number;
    int error = ERANGE;
    if (is_number(name, &number)) {
        *gid = (gid_t)number;
        return CHIEF_OK;
    }
    for (size_t size = ENTRY_SIZE; error == ERANGE && size <= ENTRY_MAX; size *= 2) {
        char *buf = chief__alloc(size);
        if (buf == NULL) return chief__fail_code(CHIEF_ENOMEM);
        error = getgrnam_r(name, &entry, buf, size, &found);
        if (found != NULL) *gid = entry.gr_gid;
        chief__free(buf);
    }
    return found != NULL ? CHIEF_OK : missing("group", name, error);
}

static int find_identity(const chief_process *how, identity *out) {
    unsigned long number;
    *out = (identity){.set_user = how->user != NULL, .set_group = how->user != NULL || how->group != NULL};
    int rc = out->set_user ? look_up_user(how->user, &out->uid, &out->gid) : CHIEF_OK;
    if (rc == CHIEF_OK && how->group != NULL) rc = look_up_group(how->group, &out->gid);
    if (how->user != NULL && !is_number(how->user, &number)) out->user = how->user;
    return rc;
}

/* A process that is not root can «become» only what it is. */
static int check_allowed(const chief_process *how, const identity *who) {
    if (geteuid() == 0) return CHIEF_OK;
    if (who->set_user && who->uid != geteuid())
        return chief__fail(CHIEF_EINVAL, "user = \"%s\" needs a chief that runs as root", how->user);
    if (who->set_group && who->gid != getegid())
        return chief__fail(CHIEF_EINVAL, "group = \"%s\" needs a chief that runs as root",
                           how->group != NULL ? how->group : how->user);
    return CHIEF_OK;
}

static int become(const chief_process *how) {
    identity who;
    int rc = find_identity(how, &who);
    if (rc == CHIEF_OK) rc = check_allowed(how, &who);
    if (rc != CHIEF_OK || geteuid() != 0) return rc;
    if (who.set_group) {
        int failed = who.user != NULL ? initgroups(who.user, who.gid) : setgroups(1, &who.gid);
        if (failed != 0 || setgid(who.gid) != 0)
            return chief__fail(CHIEF_ESYS, "can't become group %lu: %s", (unsigned long)who.gid, strerror(errno));
    }
    if (who.set_user && setuid(who.uid) != 0)
        return chief__fail(CHIEF_ESYS, "can't become user \"%s\": %s", how->user, strerror(errno));
    return CHIEF_OK;
}

/* ---- resources ---- */

/* What setrlimit takes: an enumeration in glibc, a number elsewhere. */
#ifdef __GLIBC__
typedef __rlimit_resource_t resource_kind;
#else
typedef int resource_kind;
#endif

typedef struct resource {
    const char *name;
    resource_kind which;
    int64_t value;
} resource;

#define N_RESOURCES 6

static void list_resources(const chief_process *how, resource *out) {
    resource list[N_RESOURCES] = {
        {"memory", RLIMIT_AS, how->memory},          {"cpu", RLIMIT_CPU, how->cpu},
        {"files", RLIMIT_NOFILE, how->files},        {"file_size", RLIMIT_FSIZE, how->file_size},
        {"processes", RLIMIT_NPROC, how->processes}, {"core", RLIMIT_CORE, how->core}};
    memcpy(out, list, sizeof list);
}

static int set_resource(const resource *r) {
    if (r->value == 0) return CHIEF_OK;
    rlim_t limit = r->value == CHIEF_ZERO ? 0 : (rlim_t)r->value;
    struct rlimit both = {.rlim_cur = limit, .rlim_max = limit};
    /* Its second after the first: SIGXCPU may be caught, what comes at the hard limit may not. */
    if (r->which == RLIMIT_CPU) both.rlim_max = limit + 1;
    if (setrlimit(r->which, &both) == 0) return CHIEF_OK;
    return chief__fail(CHIEF_ESYS, "%s can't be limited to %lld: %s", r->name, (long long)limit,
                       errno == EPERM ? "the limit of the chief is lower, and it does not run as root"
                                      : strerror(errno));
}

static int set_resources(const chief_process *how) {
    resource list[N_RESOURCES];
    int rc = CHIEF_OK;
    list_resources(how, list);
    for (int i = 0; rc == CHIEF_OK && i < N_RESOURCES; i++) rc = set_resource(&list[i]);
    return rc;
}

/* ---- all of it ---- */

static int check_numbers(const chief_process *how) {
    resource list[N_RESOURCES];
    list_resources(how, list);
    for (int i = 0; i < N_RESOURCES; i++)
        if (list[i].value < 0 && list[i].value != CHIEF_ZERO)
            return chief__fail(CHIEF_EINVAL, "%s can't be negative", list[i].name);
    if (how->umask != CHIEF_ZERO && (how->umask < 0 || how->umask > UMASK_MAX))
        return chief__fail(CHIEF_EINVAL, "umask should be from 0 to 0777 (octal), got 0%llo",
                           (unsigned long long)how->umask);
    return CHIEF_OK;
}

static int check_all(const chief_process *how) {
    identity who;
    int rc = check_numbers(how);
    if (rc == CHIEF_OK) rc = find_identity(how, &who);
    return rc == CHIEF_OK ? check_allowed(how, &who) : rc;
}

int chief__limits_check(const chief_process *how, const char *worker) {
    char text[256];
    int rc = check_all(how);
    if (rc == CHIEF_OK || rc == CHIEF_ENOMEM) return rc;
    (void)chief_last_error_take(text, sizeof text);
    return chief__fail(rc, "worker %s: %s", worker, text);
}

/* The folder is entered by whom the process becomes, who may not be allowed to; resources before, while it may raise
 * them, but for the number of processes, which counts for the new user just as well. */
int chief__limits_apply(const chief_process *how) {
    int rc = check_numbers(how);
    if (rc == CHIEF_OK) rc = set_resources(how);
    if (rc == CHIEF_OK) rc = become(how);
    if (rc != CHIEF_OK) return rc;
    if (how->umask != 0) (void)umask(how->umask == CHIEF_ZERO ? 0 : (mode_t)how->umask);
    if (how->cwd != NULL && chdir(how->cwd) != 0)
        return chief__fail(CHIEF_ESYS, "can't go to the folder %s: %s", how->cwd, strerror(errno));
    return CHIEF_OK;
}
