/* What an application says of itself. */
#include <unistd.h>

#include "support.h"

/* ---- a log that keeps its first line ---- */

typedef struct first_line {
    chief__mutex lock;
    char text[512]; /* under lock */
} first_line;

static void keep_first(void *data, const chief_record *record) {
    first_line *line = data;
    chief__lock(&line->lock);
    if (line->text[0] == '\0') {
        int n = snprintf(line->text, sizeof line->text, "%s", record->message);
        for (size_t i = 0; i < record->n_fields; i++) {
            const chief_field *f = &record->fields[i];
            size_t room = sizeof line->text - (size_t)n;
            if (f->value.type == CHIEF_INTEGER) n += snprintf(line->text + n, room, " %s=#", f->key);
            else
                n += snprintf(line->text + n, room, " %s=%.*s", f->key, (int)f->value.bytes.len,
                              (const char *)f->value.bytes.data);
        }
    }
    chief__unlock(&line->lock);
}

static chief *make(first_line *line, const chief_app_info *info) {
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_INFO, .sink = keep_first, .data = line};
    chief_options o = {.size = sizeof o, .name = "shop", .info = info};
    chief *c;
    chief__mutex_init(&line->lock);
    line->text[0] = '\0';
    assert_int_equal(chief_log_new(&o.log, &log_options), CHIEF_OK);
    assert_int_equal(chief_new(&c, &o), CHIEF_OK);
    chief_log_unref(o.log);
    return c;
}

static int run(chief_worker *ctx, void *instance) {
    (void)instance;
    return chief_worker_sleep(ctx, CHIEF_FOREVER) == CHIEF_ECANCELED ? 0 : 1;
}

static const chief_worker_ops ops = {.size = sizeof ops, .run = run};

static void run_and_stop(chief *c) {
    assert_int_equal(chief_add_worker(c, "a", &ops, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
}

/* ---- tests ---- */

static void test_info__is_what_was_given_and_what_is_known(void **state) {
    (void)state;
    first_line line;
    char version[] = "1.2.3";
    const chief_app_info given = {
        .size = sizeof given, .version = version, .build = "5f3c2a1", .tag = "staging", .pid = 7, .name = "not me"};
    chief *c = make(&line, &given);
    version[0] = '9';
    chief_app_info info = {.size = sizeof info};
    assert_int_equal(chief_get_info(c, &info), CHIEF_OK);
    assert_string_equal(info.name, "shop");
    assert_string_equal(info.version, "1.2.3");
    assert_string_equal(info.build, "5f3c2a1");
    assert_string_equal(info.tag, "staging");
    assert_int_equal(info.pid, 0);
    assert_int_equal(info.started_ms, 0);
    int64_t before = chief__wall_ms();
    run_and_stop(c);
    assert_int_equal(chief_get_info(c, &info), CHIEF_OK);
    assert_int_equal(info.pid, getpid());
    assert_true(info.started_ms >= before && info.started_ms <= chief__wall_ms());
    chief_free(c);
    chief__mutex_fini(&line.lock);
}

static void test_info__is_the_first_line_of_the_log(void **state) {
    (void)state;
    first_line line;
    const chief_app_info given = {.size = sizeof given, .version = "1.2.3", .tag = "staging"};
    chief *c = make(&line, &given);
    run_and_stop(c);
    assert_string_equal(line.text, "starting app=shop version=1.2.3 tag=staging chief=" CHIEF_VERSION " pid=#");
    chief_free(c);
    chief__mutex_fini(&line.lock);
}

static char *json_of(chief *c) {
    chief_snapshot *snapshot;
    assert_int_equal(chief_states(c, &snapshot), CHIEF_OK);
    size_t len = chief_snapshot_json(snapshot, NULL, 0);
    char *json = malloc(len + 1);
    assert_non_null(json);
    assert_int_equal(chief_snapshot_json(snapshot, json, len + 1), len);
    chief_snapshot_free(snapshot);
    return json;
}

static void test_info__is_in_snapshots(void **state) {
    (void)state;
    first_line line;
    const chief_app_info given = {.size = sizeof given, .version = "1 \"2\"", .build = "b", .tag = "t"};
    chief *c = make(&line, &given);
    char *json = json_of(c);
    assert_string_equal(json, "{\"seq\":0,\"app\":{\"name\":\"shop\",\"version\":\"1 \\\"2\\\"\",\"build\":\"b\","
                              "\"tag\":\"t\",\"chief\":\"" CHIEF_VERSION "\"},\"workers\":[]}");
    free(json);
    assert_int_equal(chief_set_exit_when_done(c, 1), CHIEF_OK);
    assert_int_equal(chief_run_all(c, "other", NULL, 0), CHIEF_OK); /* nobody to run: sets the name, and ends */
    json = json_of(c);
    assert_non_null(strstr(json, "\"name\":\"other\""));
    free(json);
    chief_free(c);
    chief__mutex_fini(&line.lock);
}

static void test_info__shows_when_it_started(void **state) {
    (void)state;
    first_line line;
    char pid[32];
    chief *c = make(&line, NULL);
    run_and_stop(c);
    char *json = json_of(c);
    (void)snprintf(pid, sizeof pid, "\"pid\":%d,", (int)getpid());
    assert_non_null(strstr(json, pid));
    assert_non_null(strstr(json, ",\"started_at\":\"20"));
    assert_null(strstr(json, "version"));
    free(json);
    chief_free(c);
    chief__mutex_fini(&line.lock);
}

static void test_info__refuses_what_it_does_not_know(void **state) {
    (void)state;
    const chief_app_info none = {.version = "1"};
    const chief_options o = {.size = sizeof o, .info = &none};
    chief *c;
    assert_int_equal(chief_new(&c, &o), CHIEF_EINVAL);
    support_says("chief_app_info: size is not set");
    first_line line;
    c = make(&line, NULL);
    chief_app_info out = {0};
    assert_int_equal(chief_get_info(c, &out), CHIEF_EINVAL);
    assert_int_equal(chief_get_info(c, NULL), CHIEF_EINVAL);
    out.size = sizeof out;
    assert_int_equal(chief_get_info(NULL, &out), CHIEF_EINVAL);
    /* A host that was compiled against more gets zeroes there, one against less only what it knows. */
    struct {
        chief_app_info info;
        int64_t more;
    } larger = {.info = {.size = sizeof larger}, .more = 5};
    assert_int_equal(chief_get_info(c, &larger.info), CHIEF_OK);
    assert_int_equal(larger.more, 0);
    assert_int_equal(larger.info.size, sizeof larger);
    chief_app_info smaller = {.size = offsetof(chief_app_info, version), .version = "mine"};
    assert_int_equal(chief_get_info(c, &smaller), CHIEF_OK);
    assert_string_equal(smaller.name, "shop");
    assert_string_equal(smaller.version, "mine");
    chief_free(c);
    chief__mutex_fini(&line.lock);
}

static int make_one(void) {
    const chief_app_info given = {.size = sizeof given, .version = "1", .build = "2", .tag = "3"};
    const chief_options o = {.size = sizeof o, .info = &given};
    chief *c;
    int rc = chief_new(&c, &o);
    chief_free(c);
    return rc;
}

static void test_info__out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(make_one) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info__is_what_was_given_and_what_is_known),
        cmocka_unit_test(test_info__is_the_first_line_of_the_log),
        cmocka_unit_test(test_info__is_in_snapshots),
        cmocka_unit_test(test_info__shows_when_it_started),
        cmocka_unit_test(test_info__refuses_what_it_does_not_know),
        cmocka_unit_test(test_info__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
