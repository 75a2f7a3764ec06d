#include "state.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

#define BIT(state) (1u << (state))
#define IN(list, state) (((list)&BIT(state)) != 0)

/* Everything there is to know about a state; the index is its number. */
static const struct {
    const char *name;
    unsigned next; /* where it may go */
} table[] = {
    [CHIEF_WORKER_NULL] = {"null", BIT(CHIEF_WORKER_PRESENT)},
    [CHIEF_WORKER_DISABLED] = {"disabled", BIT(CHIEF_WORKER_ENABLED)},
    [CHIEF_WORKER_PRESENT] = {"present", BIT(CHIEF_WORKER_ENABLED) | BIT(CHIEF_WORKER_DISABLED)},
    [CHIEF_WORKER_ENABLED] = {"enabled", BIT(CHIEF_WORKER_ENABLED) | BIT(CHIEF_WORKER_INITIALIZED) |
                                             BIT(CHIEF_WORKER_DISABLED) | BIT(CHIEF_WORKER_FAILED)},
    [CHIEF_WORKER_INITIALIZED] = {"initialized",
                                  BIT(CHIEF_WORKER_RUN) | BIT(CHIEF_WORKER_DISABLED) | BIT(CHIEF_WORKER_FAILED)},
    [CHIEF_WORKER_RUN] = {"run", BIT(CHIEF_WORKER_STOPPED) | BIT(CHIEF_WORKER_FAILED)},
    [CHIEF_WORKER_STOPPED] = {"stopped", BIT(CHIEF_WORKER_INITIALIZED) | BIT(CHIEF_WORKER_RUN) |
                                             BIT(CHIEF_WORKER_FAILED) | BIT(CHIEF_WORKER_DISABLED)},
    [CHIEF_WORKER_FAILED] = {"failed", BIT(CHIEF_WORKER_INITIALIZED) | BIT(CHIEF_WORKER_RUN) |
                                           BIT(CHIEF_WORKER_STOPPED) | BIT(CHIEF_WORKER_DISABLED) |
                                           BIT(CHIEF_WORKER_FAILED)},
};

#define N_STATES ((chief_state_t)(sizeof table / sizeof table[0]))
#define WRONG_NAME "wrong_state_change"

static int is_place(chief_state_t state) { return state >= CHIEF_WORKER_NULL && state < N_STATES; }

const char *chief__state_name(chief_state_t state) {
    if (state == CHIEF_WORKER_WRONG_STATE_CHANGE) return WRONG_NAME;
    return is_place(state) ? table[state].name : NULL;
}

size_t chief_state_to_string(chief_state_t state, char *buf, size_t size) {
    const char *name = chief__state_name(state);
    if (buf == NULL) size = 0;
    int len = name != NULL ? snprintf(buf, size, "%s", name) : snprintf(buf, size, "WorkerState(%" PRId32 ")", state);
    return (size_t)len;
}

static int no_state(chief_state_t state) {
    return chief__fail(CHIEF_ESTATE, "WorkerState(%" PRId32 ") is invalid value", state);
}

int chief_state_validate(chief_state_t state) { return chief__state_name(state) != NULL ? CHIEF_OK : no_state(state); }

int chief_state_to_json(chief_state_t state, char *buf, size_t size, size_t *len) {
    const char *name = chief__state_name(state);
    if (len != NULL) *len = 0;
    if (buf == NULL) size = 0;
    if (size > 0) buf[0] = '\0';
    if (name == NULL) return no_state(state);
    int n = snprintf(buf, size, "\"%s\"", name);
    if (len != NULL) *len = (size_t)n;
    return CHIEF_OK;
}

/* Compared with its length, so that a NUL inside is no end. */
static int from_name(const char *text, size_t len, chief_state_t *out) {
    for (chief_state_t s = CHIEF_WORKER_WRONG_STATE_CHANGE; s < N_STATES; s++) {
        const char *name = chief__state_name(s);
        if (name == NULL || strlen(name) != len || memcmp(name, text, len) != 0) continue;
        *out = s;
        return CHIEF_OK;
    }
    return chief__fail(CHIEF_ESTATE, "WorkerState \"%.*s\" is invalid value", (int)(len < 64 ? len : 64), text);
}

/* cJSON ends a string at an escaped NUL, so what stands behind it would go unseen. No name has an escape. */
static bool has_escaped_nul(const char *json, size_t len) {
    static const char escape[] = "\\u0000";
    for (size_t i = 0; i + sizeof escape - 1 <= len; i++)
        if (memcmp(json + i, escape, sizeof escape - 1) == 0) return true;
    return false;
}

static const char *json_type(const cJSON *json) {
    if (cJSON_IsNumber(json)) return "a number";
    if (cJSON_IsBool(json)) return "a boolean";
    if (cJSON_IsArray(json)) return "an array";
    if (cJSON_IsObject(json)) return "an object";
    return "null";
}

/* cJSON ends at a NUL; what stands behind it or behind the value is not part of a state. */
static cJSON *parse_whole(const char *text, size_t len) {
    const char *end = NULL;
    cJSON *json = memchr(text, '\0', len) == NULL ? cJSON_ParseWithLengthOpts(text, len, &end, 0) : NULL;
    if (json == NULL) return NULL;
    while (end < text + len && strchr(" \t\r\n", *end) != NULL) end++;
    if (end == text + len) return json;
    cJSON_Delete(json);
    return NULL;
}

int chief_state_from_json(const char *text, size_t len, chief_state_t *out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = 0;
    if (text == NULL || len == 0) return chief__fail(CHIEF_EDATA, "WorkerState: no JSON given");
    cJSON *json = parse_whole(text, len);
    if (json == NULL) return chief__fail(CHIEF_EDATA, "WorkerState: not JSON: %.*s", (int)(len < 64 ? len : 64), text);
    int rc;
    if (!cJSON_IsString(json))
        rc = chief__fail(CHIEF_ESTATE, "WorkerState should be a string, got %s", json_type(json));
    else if (has_escaped_nul(text, len)) rc = from_name(text, len, out);
    else rc = from_name(json->valuestring, strlen(json->valuestring), out);
    cJSON_Delete(json);
    return rc;
}

const char *chief_state_value(chief_state_t state) { return chief__state_name(state); }

static int scan_bytes(chief_bytes bytes, chief_state_t *out) {
    const char *text = bytes.data;
    if (bytes.len == 0 || text == NULL) return chief__fail(CHIEF_ESTATE, "WorkerState \"\" is invalid value");
    if (text[0] != '"') return from_name(text, bytes.len, out);
    return chief_state_from_json(text, bytes.len, out) == CHIEF_OK ? CHIEF_OK : CHIEF_ESTATE;
}

int chief_state_scan(const chief_value *value, chief_state_t *out) {
    static const char *const types[] = {"nil", "a boolean", "an integer", "a number", "bytes", "a pointer"};
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = 0;
    if (value == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (value->type == CHIEF_BYTES) return scan_bytes(value->bytes, out);
    if (value->type != CHIEF_INTEGER) {
        const char *type = value->type >= 0 && value->type <= CHIEF_POINTER ? types[value->type] : "an unknown type";
        return chief__fail(CHIEF_ESTATE, "WorkerState should be text or an integer, got %s", type);
    }
    chief_state_t state = (chief_state_t)value->integer;
    if (state != value->integer || chief__state_name(state) == NULL)
        return chief__fail(CHIEF_ESTATE, "WorkerState(%" PRId64 ") is invalid value", value->integer);
    *out = state;
    return CHIEF_OK;
}

chief_state_t chief_state_transition(chief_state_t from, chief_state_t to) {
    if (is_place(from) && is_place(to) && IN(table[from].next, to)) return to;
    return CHIEF_WORKER_WRONG_STATE_CHANGE;
}
