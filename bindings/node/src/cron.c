/* cron: the times of cron expressions, for who shows or tests them. */
#include "chief_node.h"

static int find_next(const char *text, const char *tz, int64_t after, int64_t *next) {
    chief_cron cron = {.size = sizeof cron};
    chief_zone *zone = NULL;
    int rc = text != NULL ? chief_cron_parse(text, &cron) : chief_set_last_error(CHIEF_EINVAL, NULL);
    if (rc == CHIEF_OK) rc = chief_zone_new(&zone, tz);
    if (rc == CHIEF_OK) rc = chief_cron_next(&cron, zone, after, next);
    chief_zone_free(zone);
    return rc;
}

/* (expression, zone, after): the first time after that one, all in ms since 1970 */
static napi_value cron_next(napi_env env, napi_callback_info info) {
    napi_value argv[3];
    arena a = {NULL};
    int64_t next = 0;
    if (!js_args(env, info, argv, 3)) return NULL;
    const char *text = js_get_text(env, &a, argv[0]), *tz = js_get_text(env, &a, argv[1]);
    int rc = find_next(text, tz, js_get_integer(env, argv[2], 0), &next);
    arena_end(&a);
    return rc == CHIEF_OK ? js_number(env, (double)next) : js_throw(env, rc);
}

/* (zone, time): as clocks show it there */
static napi_value zone_text(napi_env env, napi_callback_info info) {
    napi_value argv[2];
    arena a = {NULL};
    char buf[64];
    chief_zone *zone;
    if (!js_args(env, info, argv, 2)) return NULL;
    int rc = chief_zone_new(&zone, js_get_text(env, &a, argv[0]));
    arena_end(&a);
    if (rc != CHIEF_OK) return js_throw(env, rc);
    (void)chief_zone_text(zone, js_get_integer(env, argv[1], 0), buf, sizeof buf);
    chief_zone_free(zone);
    return js_text(env, buf);
}

void cron_define(napi_env env, napi_value exports) {
    static const export list[] = {{"cronNext", cron_next}, {"zoneText", zone_text}};
    define(env, exports, list, sizeof list / sizeof *list);
}
