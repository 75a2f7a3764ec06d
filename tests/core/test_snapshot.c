/* Snapshots by themselves: texts in one block, JSON, words. */
#include "support.h"

#include <cjson/cJSON.h>

#include "snapshot.h"

static const chief_worker_status statuses[] = {
    {.state = CHIEF_WORKER_RUN, .phase = CHIEF_PHASE_UP, .name = "api", .generation = 2, .restarts = 1, .until_ms = -1},
    {.state = CHIEF_WORKER_FAILED,
     .phase = CHIEF_PHASE_WAITING,
     .reason = CHIEF_REASON_LUA_ERROR,
     .name = "resizer",
     .generation = 3,
     .until_ms = 250,
     .waiting_for = "restart",
     .error = "no \"such\"\nfile \xFF",
     .traceback = "a\n\tb"},
};

static chief_snapshot *make(void) {
    size_t size = chief__snapshot_text_size(&statuses[0]) + chief__snapshot_text_size(&statuses[1]);
    chief_snapshot *s = chief__snapshot_new(2, size);
    if (s == NULL) return NULL;
    s->seq = 7;
    for (size_t i = 0; i < 2; i++) chief__snapshot_add(s, &statuses[i]);
    assert_ptr_equal(s->text, s->end);
    return s;
}

static void test_snapshot__its_texts_are_never_null(void **state) {
    (void)state;
    chief_snapshot *s = make();
    const chief_worker_status *api = chief_snapshot_at(s, 0);
    assert_int_equal(api->size, sizeof *api);
    assert_int_equal(api->state, CHIEF_WORKER_RUN);
    assert_string_equal(api->name, "api");
    assert_string_equal(api->waiting_for, "");
    assert_string_equal(api->error, "");
    assert_string_equal(api->traceback, "");
    assert_string_equal(chief_snapshot_at(s, 1)->error, statuses[1].error);
    assert_string_equal(chief_snapshot_at(s, 1)->traceback, "a\n\tb");
    chief_snapshot_free(s);
}

static void test_snapshot__looking_at_it(void **state) {
    (void)state;
    chief_snapshot *s = make();
    assert_int_equal(chief_snapshot_len(s), 2);
    assert_int_equal(chief_snapshot_seq(s), 7);
    assert_null(chief_snapshot_at(s, 2));
    assert_null(chief_snapshot_at(s, SIZE_MAX));
    assert_ptr_equal(chief_snapshot_find(s, "resizer"), chief_snapshot_at(s, 1));
    assert_null(chief_snapshot_find(s, "res"));
    assert_null(chief_snapshot_find(s, NULL));
    chief_snapshot_free(s);
}

static void test_snapshot__of_nothing(void **state) {
    (void)state;
    char text[64];
    assert_int_equal(chief_snapshot_len(NULL), 0);
    assert_int_equal(chief_snapshot_seq(NULL), 0);
    assert_null(chief_snapshot_at(NULL, 0));
    assert_null(chief_snapshot_find(NULL, "a"));
    (void)chief_snapshot_json(NULL, text, sizeof text);
    assert_string_equal(text, "{\"seq\":0,\"workers\":[]}");
    chief_snapshot_free(NULL);
}

static const char *string_of(const cJSON *json, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static int number_of(const cJSON *json, const char *key) {
    return (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static void test_snapshot__json_reads_back(void **state) {
    (void)state;
    char text[1024];
    chief_snapshot *s = make();
    size_t len = chief_snapshot_json(s, text, sizeof text);
    assert_int_equal(len, strlen(text));
    cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
    assert_int_equal(number_of(json, "seq"), 7);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "workers");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    const cJSON *resizer = cJSON_GetArrayItem(list, 1);
    assert_string_equal(string_of(cJSON_GetArrayItem(list, 0), "state"), "run");
    assert_string_equal(string_of(resizer, "name"), "resizer");
    assert_string_equal(string_of(resizer, "phase"), "waiting");
    assert_string_equal(string_of(resizer, "waiting_for"), "restart");
    assert_string_equal(string_of(resizer, "reason"), "lua_error");
    assert_string_equal(string_of(resizer, "error"), "no \"such\"\nfile \xEF\xBF\xBD");
    assert_string_equal(string_of(resizer, "traceback"), "a\n\tb");
    assert_int_equal(number_of(resizer, "until_ms"), 250);
    assert_int_equal(number_of(resizer, "generation"), 3);
    cJSON_Delete(json);
    chief_snapshot_free(s);
}

static void test_snapshot__json_is_cut_and_measured(void **state) {
    (void)state;
    char whole[1024];
    char part[1024];
    chief_snapshot *s = make();
    size_t len = chief_snapshot_json(s, whole, sizeof whole);
    assert_int_equal(chief_snapshot_json(s, NULL, 0), len);
    assert_int_equal(chief_snapshot_json(s, NULL, 5), len);
    for (size_t size = 1; size <= len + 1; size++) {
        memset(part, '#', sizeof part);
        assert_int_equal(chief_snapshot_json(s, part, size), len);
        assert_int_equal(strlen(part), size - 1);
        assert_memory_equal(part, whole, size - 1);
        assert_int_equal(part[size], '#');
    }
    chief_snapshot_free(s);
}

static void test_snapshot__words(void **state) {
    (void)state;
    static const char *const phases[] = {"idle", "waiting", "starting", "up", "stopping", "abandoned", "given_up"};
    static const char *const reasons[] = {
        "",         "ok",           "error",  "lua_error", "init_error", "start_timeout",
        "watchdog", "memory_limit", "killed", "cancelled"};
    for (int32_t i = 0; i < 7; i++) assert_string_equal(chief_phase_name(i), phases[i]);
    for (int32_t i = 0; i < 10; i++) assert_string_equal(chief_reason_name(i), reasons[i]);
    assert_string_equal(chief_phase_name(-1), "");
    assert_string_equal(chief_phase_name(7), "");
    assert_string_equal(chief_reason_name(-1), "");
    assert_string_equal(chief_reason_name(10), "");
}

static int make_one(void) {
    chief_snapshot *s = make();
    chief_snapshot_free(s);
    return s != NULL ? CHIEF_OK : CHIEF_ENOMEM;
}

static void test_snapshot__is_one_block(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(make_one), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot__its_texts_are_never_null),
        cmocka_unit_test(test_snapshot__looking_at_it),
        cmocka_unit_test(test_snapshot__of_nothing),
        cmocka_unit_test(test_snapshot__json_reads_back),
        cmocka_unit_test(test_snapshot__json_is_cut_and_measured),
        cmocka_unit_test(test_snapshot__words),
        cmocka_unit_test(test_snapshot__is_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
