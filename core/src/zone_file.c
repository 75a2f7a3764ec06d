/* zone_file: where the system keeps its time zones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "plat.h"
#include "zone.h"

#define FILE_MAX ((size_t)256 * 1024)
#define PATH_SIZE 512
#define NAME_MAX_LEN 128

/* Where libraries look, the first as long as it is set. */
static const char *folder(size_t i) {
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/share/zoneinfo",
                                          "/etc/zoneinfo"};
    if (i == 0) return getenv("TZDIR");
    return i <= sizeof folders / sizeof folders[0] ? folders[i - 1] : NULL;
}

/* No name leads out of the database. */
static bool is_name(const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_LEN || name[0] == '/' || strstr(name, "..") != NULL) return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/.") == len;
}

static int read_zone(chief_zone **out, const char *path, const char *what) {
    char *bytes;
    size_t len;
    int rc = chief__read_file(path, FILE_MAX, &bytes, &len);
    if (rc != CHIEF_OK) return rc;
    rc = chief__zone_of_file(out, bytes, len, what);
    chief__free(bytes);
    return rc;
}

static int in_database(chief_zone **out, const char *name) {
    char path[PATH_SIZE];
    if (!is_name(name)) return CHIEF_ENOENT;
    for (size_t i = 0; i == 0 || folder(i) != NULL; i++) {
        if (folder(i) == NULL) continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder(i), name);
        int rc = read_zone(out, path, name);
        if (rc != CHIEF_ENOENT) return rc;
    }
    return CHIEF_ENOENT;
}

static int not_found(const char *name) {
    return chief__fail(CHIEF_ENOENT,
                       "no time zone is called \"%.64s\" in %s (package tzdata), and a rule would read "
                       "CET-1CEST,M3.5.0,M10.5.0/3",
                       name, folder(0) != NULL ? folder(0) : folder(1));
}

static int by_name(chief_zone **out, const char *name) {
    if (strcmp(name, "UTC") == 0) return chief__zone_of_rule(out, "UTC0", 4);
    int rc = in_database(out, name);
    if (rc != CHIEF_ENOENT) return rc;
    rc = chief__zone_of_rule(out, name, strlen(name));
    if (rc == CHIEF_EINVAL && is_name(name)) return not_found(name);
    return rc;
}

/* As libc reads it: a colon before a name, an absolute path, and what is unknown or empty is UTC. */
static int by_environment(chief_zone **out, const char *tz) {
    if (tz[0] == ':') tz++;
    int rc = tz[0] == '/' ? read_zone(out, tz, tz) : tz[0] == '\0' ? CHIEF_ENOENT : by_name(out, tz);
    return rc == CHIEF_ENOENT || rc == CHIEF_EINVAL ? chief__zone_of_rule(out, "UTC0", 4) : rc;
}

int chief_zone_new(chief_zone **out, const char *name) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    if (name != NULL) return by_name(out, name);
    const char *tz = getenv("TZ");
    if (tz != NULL) return by_environment(out, tz);
    int rc = read_zone(out, "/etc/localtime", "/etc/localtime");
    return rc == CHIEF_ENOENT ? chief__zone_of_rule(out, "UTC0", 4) : rc;
}
