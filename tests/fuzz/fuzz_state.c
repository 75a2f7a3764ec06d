/* States out of JSON, text and numbers that anybody may have written. */
#include <stdbool.h>
#include <string.h>

#include <chief.h>

#include "fuzz.h"

/* A state that was read is one, and reads the same when it is written again. */
static void check_known(chief_state_t state) {
    char text[64];
    size_t len;
    chief_state_t again;
    MUST(chief_state_validate(state) == CHIEF_OK);
    MUST(chief_state_to_json(state, text, sizeof text, &len) == CHIEF_OK && len == strlen(text));
    MUST(chief_state_from_json(text, len, &again) == CHIEF_OK && again == state);
    chief_value value = {.type = CHIEF_BYTES};
    value.bytes = (chief_bytes){chief_state_value(state), strlen(chief_state_value(state))};
    MUST(chief_state_scan(&value, &again) == CHIEF_OK && again == state);
    MUST(chief_state_transition(state, state) == state || chief_state_transition(state, state) == -1);
}

/* Whatever the buffer, no byte beyond it is written, and the length is the same. */
static void check_any(chief_state_t state) {
    char whole[64];
    char cut[64];
    size_t json;
    size_t len = chief_state_to_string(state, whole, sizeof whole);
    MUST(len < sizeof whole && len == strlen(whole));
    for (size_t size = 0; size < sizeof cut; size += 7) {
        memset(cut, '#', sizeof cut);
        MUST(chief_state_to_string(state, cut, size) == len);
        MUST(size == 0 || strncmp(cut, whole, size - 1) == 0);
        for (size_t i = size; i < sizeof cut; i++) MUST(cut[i] == '#');
    }
    bool known = chief_state_validate(state) == CHIEF_OK;
    MUST((chief_state_value(state) != NULL) == known);
    MUST((chief_state_to_json(state, NULL, 0, &json) == CHIEF_OK) == known);
    MUST(known || chief_state_transition(state, state) == CHIEF_WORKER_WRONG_STATE_CHANGE);
    if (known) check_known(state);
}

static void check_scan(const chief_value *value) {
    chief_state_t state;
    int rc = chief_state_scan(value, &state);
    MUST(rc == CHIEF_OK || (rc == CHIEF_ESTATE && state == 0 && chief_last_error()[0] != '\0'));
    if (rc == CHIEF_OK) check_known(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    chief_state_t state;
    chief_value value = {.type = CHIEF_BYTES, .bytes = {(const char *)data, size}};
    int rc = chief_state_from_json((const char *)data, size, &state);
    MUST(rc == CHIEF_OK || ((rc == CHIEF_ESTATE || rc == CHIEF_EDATA) && state == 0));
    if (rc == CHIEF_OK) check_known(state);
    check_scan(&value);
    if (size < sizeof value.integer) return 0;
    memcpy(&value.integer, data, sizeof value.integer);
    value.type = size % 7 == 0 ? (int32_t)(data[0] % 9) - 1 : CHIEF_INTEGER;
    check_scan(&value);
    check_any((chief_state_t)(value.integer >> (size % 33)));
    return 0;
}
