/* Lines, levels, fields; what the built-in sink writes is read from a descriptor in stderr's place. */
#include "support.h"

#include <cjson/cJSON.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define TEXT(text)                                               \
    {                                                            \
        .type = CHIEF_BYTES, .bytes = { text, sizeof(text) - 1 } \
    }
#define AT_04_20 INT64_C(1795494056123) /* 2026-11-24T04:20:56.123Z */

static char line[65536];

static const char *formatted(void (*format)(chief__writer *w, const chief_record *r), const char *message,
                             const chief_field *fields, size_t n) {
    chief_record r = {.size = sizeof r, .level = CHIEF_WARN, .time_ms = AT_04_20, .message = message};
    chief__writer w = {.buf = line, .size = sizeof line};
    r.fields = fields;
    r.n_fields = n;
    format(&w, &r);
    (void)chief__writer_end(&w);
    return line;
}

static const char *text_line(const char *message, const chief_field *fields, size_t n) {
    return formatted(chief__log_text, message, fields, n);
}

/* ---- lines of text ---- */

static void test_log__a_line_of_text(void **state) {
    (void)state;
    const chief_field fields[] = {{"worker", TEXT("api")},
                                  {"port", {.type = CHIEF_INTEGER, .integer = 8080}},
                                  {"share", {.type = CHIEF_NUMBER, .number = 0.5}},
                                  {"ok", {.type = CHIEF_BOOL, .boolean = 1}}};
    assert_string_equal(text_line("listening", fields, 4),
                        "2026-11-24T04:20:56.123Z warn  listening worker=api port=8080 share=0.5 ok=true\n");
}

static void test_log__values_are_quoted_as_needed(void **state) {
    (void)state;
    const chief_field fields[] = {{"a", TEXT("two words")},  {"b", TEXT("x=y")},      {"c", TEXT("")},
                                  {"d", TEXT("say \"hi\"")}, {"e", TEXT("\xC3\xA9")}, {"f", TEXT("\xFF")},
                                  {"g", TEXT("\x1B[31m")}};
    assert_string_equal(
        text_line("m", fields, 7),
        "2026-11-24T04:20:56.123Z warn  m a=\"two words\" b=\"x=y\" c=\"\" d=\"say \\\"hi\\\"\" e=\xC3\xA9 "
        "f=\"" CHIEF__REPLACEMENT "\" g=\"\\u001b[31m\"\n");
}

/* Every line but the first begins with four spaces, whoever wrote the message, the key or the value. */
static void test_log__no_line_can_be_forged(void **state) {
    (void)state;
    static const char *const forged[] = {"a\n2026-11-24T00:00:00.000Z error  forged",
                                         "a\r\nb",
                                         "a\x0B"
                                         "b",
                                         "a\x1B[2K",
                                         "a\xC2\x85"
                                         "b",
                                         "\n\n\nx"};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        chief_field field = {forged[i], {.type = CHIEF_BYTES, .bytes = {forged[i], strlen(forged[i])}}};
        const char *text = text_line(forged[i], &field, 1);
        for (const char *at = strchr(text, '\n'); at[1] != '\0'; at = strchr(at + 1, '\n'))
            assert_int_equal(strncmp(at + 1, "    ", 4), 0);
        assert_null(strpbrk(text, "\r\x0B\x1B"));
        assert_null(strstr(text, "\xC2\x85"));
    }
}

static void test_log__a_traceback_stays_readable(void **state) {
    (void)state;
    const chief_field fields[] = {
        {"traceback", TEXT("stack traceback:\n\t[C]: in function 'error'\n\tx.lua:3: in run\n")},
        {"worker", TEXT("a")}};
    assert_string_equal(text_line("failed", fields, 2), "2026-11-24T04:20:56.123Z warn  failed worker=a\n"
                                                        "    stack traceback:\n"
                                                        "    [C]: in function 'error'\n"
                                                        "    x.lua:3: in run\n");
}

static void test_log__times(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {951782399999, "2000-02-28T23:59:59.999Z"},
                 {951782400000, "2000-02-29T00:00:00.000Z"},
                 {951868800000, "2000-03-01T00:00:00.000Z"},
                 {1704067199001, "2023-12-31T23:59:59.001Z"},
                 {1709164800000, "2024-02-29T00:00:00.000Z"},
                 {4107542400000, "2100-03-01T00:00:00.000Z"},
                 {-5, "1970-01-01T00:00:00.000Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chief_record r = {.size = sizeof r, .level = CHIEF_INFO, .time_ms = cases[i].ms, .message = ""};
        chief__writer w = {.buf = line, .size = sizeof line};
        chief__log_text(&w, &r);
        line[24] = '\0';
        assert_string_equal(line, cases[i].text);
    }
}

/* ---- lines of JSON ---- */

static const char *string_of(const cJSON *json, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return text != NULL ? text : "(none)";
}

static void test_log__a_line_of_json_reads_back(void **state) {
    (void)state;
    const chief_field fields[] = {{"worker", TEXT("a\"b\n\x01")},
                                  {"bad", TEXT("\xC3(")},
                                  {"n", {.type = CHIEF_INTEGER, .integer = -3}},
                                  {"x\ny", {.type = CHIEF_NIL}}};
    const char *text = formatted(chief__log_json, "two\nlines \\ \xFF", fields, 4);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
    assert_true(cJSON_IsObject(json));
    assert_string_equal(string_of(json, "time"), "2026-11-24T04:20:56.123Z");
    assert_string_equal(string_of(json, "level"), "warn");
    assert_string_equal(string_of(json, "message"), "two\nlines \\ " CHIEF__REPLACEMENT);
    assert_string_equal(string_of(json, "worker"), "a\"b\n\x01");
    assert_string_equal(string_of(json, "bad"), CHIEF__REPLACEMENT "(");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "n")->valueint, -3);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "x\ny")));
    cJSON_Delete(json);
}

/* ---- the built-in sink ---- */

/* What one log call writes to stderr, each write as one packet; returns how many there were, the last one in `line`. */
static int written_by(chief_log *log, const char *message, const chief_field *fields, size_t n) {
    int ends[2];
    int saved = dup(2);
    int packets = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    (void)dup2(ends[1], 2);
    chief_log_write(log, CHIEF_ERROR, message, fields, n);
    (void)dup2(saved, 2);
    (void)close(saved);
    (void)close(ends[1]);
    for (ssize_t len; (len = read(ends[0], line, sizeof line - 1)) > 0; packets++) line[len] = '\0';
    (void)close(ends[0]);
    return packets;
}

static void test_log__one_write_per_line(void **state) {
    (void)state;
    chief_log *log = NULL;
    assert_int_equal(chief_log_new(&log, NULL), CHIEF_OK);
    assert_int_equal(written_by(log, "short", NULL, 0), 1);
    assert_non_null(strstr(line, "Z error short\n"));
    chief_log_unref(log);
}

static void test_log__no_line_of_any_length_is_cut(void **state) {
    (void)state;
    static char message[40000];
    chief_log_options options = {.size = sizeof options, .format = CHIEF_LOG_JSON};
    chief_log *log = NULL;
    assert_int_equal(chief_log_new(&log, &options), CHIEF_OK);
    for (size_t len = 900; len < sizeof message; len += len < 1100 ? 1 : 13000) {
        memset(message, 'x', len);
        message[len] = '\0';
        assert_int_equal(written_by(log, message, NULL, 0), 1);
        assert_string_equal(line + strlen(line) - 3, "\"}\n");
        assert_true(strlen(line) > len);
    }
    chief_log_unref(log);
}

static void test_log__a_long_line_without_memory_is_cut(void **state) {
    (void)state;
    static char message[5000];
    static support_heap heap;
    chief_log *log = NULL;
    memset(message, 'x', sizeof message - 1);
    support_heap_begin(&heap, 0);
    assert_int_equal(chief_log_new(&log, NULL), CHIEF_OK);
    atomic_store(&heap.until, 1);
    assert_int_equal(written_by(log, message, NULL, 0), 1);
    assert_true(strlen(line) < sizeof message);
    assert_string_equal(line + strlen(line) - 6, "x ...\n");
    chief_log_unref(log);
    support_heap_end(&heap);
}

/* ---- loggers ---- */

typedef struct memory {
    int records;
    int destroyed;
    char last[1024]; /* message, then " key=value" for each */
} memory;

static void remember(void *data, const chief_record *r) {
    memory *m = data;
    size_t len = (size_t)snprintf(m->last, sizeof m->last, "%d %s", (int)r->level, r->message);
    for (size_t i = 0; i < r->n_fields; i++)
        len += (size_t)snprintf(m->last + len, sizeof m->last - len, " %s=%.*s", r->fields[i].key,
                                (int)r->fields[i].value.bytes.len, (const char *)r->fields[i].value.bytes.data);
    m->records++;
}

static void forget(void *data) { ((memory *)data)->destroyed++; }

static chief_log *remembering(memory *m) {
    chief_log_options options = {.size = sizeof options, .sink = remember, .data = m, .destroy = forget};
    chief_log *log = NULL;
    memset(m, 0, sizeof *m);
    assert_int_equal(chief_log_new(&log, &options), CHIEF_OK);
    return log;
}

static void test_log__levels(void **state) {
    (void)state;
    memory m;
    chief_log *log = remembering(&m);
    for (int32_t least = CHIEF_DEBUG; least <= CHIEF_OFF; least++) {
        m.records = 0;
        assert_int_equal(chief_log_set_level(log, least), CHIEF_OK);
        for (int32_t level = -1; level <= CHIEF_OFF + 1; level++) chief_log_write(log, level, "m", NULL, 0);
        assert_int_equal(m.records, CHIEF_OFF - least);
    }
    assert_int_equal(chief_log_set_level(log, 0), CHIEF_EINVAL);
    assert_int_equal(chief_log_set_level(log, 6), CHIEF_EINVAL);
    chief_log_unref(log);
}

static void test_log__info_is_the_least_by_default(void **state) {
    (void)state;
    memory m;
    chief_log *log = remembering(&m);
    chief_log_write(log, CHIEF_DEBUG, "m", NULL, 0);
    assert_int_equal(m.records, 0);
    chief_log_write(log, CHIEF_INFO, "m", NULL, 0);
    assert_int_equal(m.records, 1);
    chief_log_unref(log);
}

static chief_log *with(chief_log *log, const chief_field *fields, size_t n) {
    chief_log *made = NULL;
    assert_int_equal(chief_log_with_fields(&made, log, fields, n), CHIEF_OK);
    return made;
}

static void test_log__fields_add_up_and_replace(void **state) {
    (void)state;
    memory m;
    const chief_field first[] = {{"service", TEXT("chief")}, {"worker", TEXT("a")}};
    const chief_field second[] = {{"worker", TEXT("b")}, {"n", TEXT("1")}, {"n", TEXT("2")}};
    const chief_field call = {"k", TEXT("v")};
    chief_log *log = remembering(&m);
    chief_log *one = with(log, first, 2);
    chief_log *two = with(one, second, 3);
    chief_log_write(two, CHIEF_WARN, "m", &call, 1);
    assert_string_equal(m.last, "3 m service=chief worker=b n=2 k=v");
    chief_log_write(one, CHIEF_ERROR, "m", NULL, 0);
    assert_string_equal(m.last, "4 m service=chief worker=a");
    chief_log_write(log, CHIEF_ERROR, NULL, NULL, 0);
    assert_string_equal(m.last, "4 ");
    chief_log_unref(log);
    chief_log_unref(one);
    assert_int_equal(m.destroyed, 0);
    chief_log_unref(two);
    assert_int_equal(m.destroyed, 1);
}

static void test_log__fields_are_copied(void **state) {
    (void)state;
    memory m;
    char key[] = "key";
    char value[] = "value";
    chief_field field = {key, {.type = CHIEF_BYTES, .bytes = {value, 5}}};
    chief_log *log = remembering(&m);
    chief_log *made = with(log, &field, 1);
    key[0] = value[0] = '#';
    chief_log_write(made, CHIEF_INFO, "m", NULL, 0);
    assert_string_equal(m.last, "2 m key=value");
    chief_log_unref(made);
    chief_log_unref(log);
}

static void test_log__a_family_shares_its_level(void **state) {
    (void)state;
    memory m;
    chief_log *log = remembering(&m);
    chief_log *made = with(log, NULL, 0);
    assert_int_equal(chief_log_set_level(made, CHIEF_ERROR), CHIEF_OK);
    chief_log_write(log, CHIEF_WARN, "m", NULL, 0);
    assert_int_equal(m.records, 0);
    assert_int_equal(chief_log_set_level(log, CHIEF_DEBUG), CHIEF_OK);
    chief_log_write(made, CHIEF_DEBUG, "m", NULL, 0);
    assert_int_equal(m.records, 1);
    chief_log_unref(made);
    chief_log_unref(log);
}

static void test_log__many_fields(void **state) {
    (void)state;
    memory m;
    chief_field fields[40];
    for (size_t i = 0; i < 40; i++) fields[i] = (chief_field){"k", TEXT("v")};
    chief_log *log = remembering(&m);
    for (size_t n = 14; n <= 40; n++) {
        chief_log_write(log, CHIEF_INFO, "m", fields, n);
        assert_int_equal(strlen(m.last), 3 + 4 * n);
    }
    chief_log_unref(log);
}

static void test_log__wrong_arguments(void **state) {
    (void)state;
    chief_log_options options = {.size = sizeof options, .level = 9};
    chief_field no_key = {NULL, TEXT("v")};
    memory m;
    chief_log *log = remembering(&m);
    chief_log *none = log;
    assert_int_equal(chief_log_new(NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_log_new(&none, &options), CHIEF_EINVAL);
    assert_null(none);
    options = (chief_log_options){.size = sizeof options, .format = 2};
    assert_int_equal(chief_log_new(&none, &options), CHIEF_EINVAL);
    assert_int_equal(chief_log_with_fields(&none, log, &no_key, 1), CHIEF_EINVAL);
    assert_int_equal(chief_log_with_fields(&none, log, NULL, 1), CHIEF_EINVAL);
    assert_int_equal(chief_log_with_fields(&none, NULL, NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_log_set_level(NULL, CHIEF_INFO), CHIEF_EINVAL);
    chief_log_write(log, CHIEF_ERROR, "m", &no_key, 1);
    chief_log_write(NULL, CHIEF_ERROR, "m", NULL, 0);
    assert_int_equal(m.records, 0);
    chief_log_unref(NULL);
    chief_log_unref(log);
}

/* ---- memory and threads ---- */

static memory oom_memory;

static int make_loggers(void) {
    const chief_field fields[] = {{"a", TEXT("1")}, {"b", {.type = CHIEF_INTEGER}}};
    chief_log_options options = {.size = sizeof options, .sink = remember, .data = &oom_memory, .destroy = forget};
    chief_log *log = NULL;
    chief_log *made = NULL;
    oom_memory.destroyed = 0;
    int rc = chief_log_new(&log, &options);
    bool owned = rc == CHIEF_OK;
    if (rc == CHIEF_OK) rc = chief_log_with_fields(&made, log, fields, 2);
    chief_log_unref(log);
    chief_log_unref(made);
    assert_int_equal(oom_memory.destroyed, owned);
    return rc;
}

static void test_log__out_of_memory(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(make_loggers), 6);
}

static atomic_int counted;

static void count(void *data, const chief_record *r) {
    (void)data;
    if (r->n_fields == 1) (void)atomic_fetch_add(&counted, 1);
}

enum { WRITERS = 4, LINES = 500 };

static void write_lines(void *data) {
    const chief_field field = {"worker", TEXT("a")};
    chief_log *made = NULL;
    if (chief_log_with_fields(&made, data, &field, 1) != CHIEF_OK) return;
    for (int i = 0; i < LINES; i++) {
        (void)chief_log_set_level(made, i % 2 == 0 ? CHIEF_DEBUG : CHIEF_INFO);
        chief_log_write(made, CHIEF_INFO, "m", NULL, 0);
    }
    chief_log_unref(made);
}

static void test_log__many_threads(void **state) {
    (void)state;
    chief_log_options options = {.size = sizeof options, .sink = count};
    chief_log *log = NULL;
    chief__thread threads[WRITERS];
    atomic_store(&counted, 0);
    assert_int_equal(chief_log_new(&log, &options), CHIEF_OK);
    for (int i = 0; i < WRITERS; i++) support_thread(&threads[i], write_lines, log);
    for (int i = 0; i < WRITERS; i++) chief__thread_join(&threads[i]);
    assert_int_equal(atomic_load(&counted), WRITERS * LINES);
    chief_log_unref(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__a_line_of_text),
        cmocka_unit_test(test_log__values_are_quoted_as_needed),
        cmocka_unit_test(test_log__no_line_can_be_forged),
        cmocka_unit_test(test_log__a_traceback_stays_readable),
        cmocka_unit_test(test_log__times),
        cmocka_unit_test(test_log__a_line_of_json_reads_back),
        cmocka_unit_test(test_log__one_write_per_line),
        cmocka_unit_test(test_log__no_line_of_any_length_is_cut),
        cmocka_unit_test(test_log__a_long_line_without_memory_is_cut),
        cmocka_unit_test(test_log__levels),
        cmocka_unit_test(test_log__info_is_the_least_by_default),
        cmocka_unit_test(test_log__fields_add_up_and_replace),
        cmocka_unit_test(test_log__fields_are_copied),
        cmocka_unit_test(test_log__a_family_shares_its_level),
        cmocka_unit_test(test_log__many_fields),
        cmocka_unit_test(test_log__wrong_arguments),
        cmocka_unit_test(test_log__out_of_memory),
        cmocka_unit_test(test_log__many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
