/* Adding, linking, levels; the agenda and the names below; memory that runs out. */
#include "step_kit.h"

#include <stdlib.h>

#include "agenda.h"
#include "names.h"

/* ---- names and cycles ---- */

static void test_model__a_name_is_taken_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    assert_int_equal(kit_try_add(k, "a", WORKER()), CHIEF_EEXIST);
    assert_int_equal(kit_id(k, "a"), 0);
    assert_int_equal(chief__model_state(k->m, 1), CHIEF_WORKER_NULL);
    assert_int_equal(chief__model_phase(k->m, 1), CHIEF_PHASE_IDLE);
    assert_int_equal(chief__model_generation(k->m, 1), 0);
    assert_int_equal(chief__model_level(k->m, 1), 0);
}

static void test_model__after_may_come_before_its_worker(void **state) {
    kit *k = *state;
    kit_add(k, "c", WORKER(AFTER("b")));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_add(k, "a", WORKER());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "a")), 0);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "b")), 1);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "c")), 2);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init a1");
}

/* FAULTS 31. */
static void test_model__an_unknown_name_is_refused_with_who_is_there(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a", "x")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "worker b: after names \"x\"; there are: a, b");
    kit_add(k, "x", WORKER());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
}

/* FAULTS 31. */
static void test_model__a_cycle_is_refused_with_its_path(void **state) {
    kit *k = *state;
    kit_add(k, "before", WORKER());
    kit_add(k, "behind", WORKER(AFTER("before", "a")));
    kit_add(k, "a", WORKER(AFTER("before", "b")));
    kit_add(k, "b", WORKER(AFTER("c")));
    kit_add(k, "c", WORKER(AFTER("a")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
    static const char *const ways[] = {"a → b → c → a", "b → c → a → b", "c → a → b → c"};
    int matches = 0;
    for (size_t i = 0; i < 3; i++) matches += strstr(chief_last_error(), ways[i]) != NULL;
    assert_int_equal(matches, 1);
    assert_null(strstr(chief_last_error(), "before"));
    assert_null(strstr(chief_last_error(), "behind"));
}

static void test_model__a_worker_after_itself_is_a_cycle(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(AFTER("a")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
    assert_string_equal(chief_last_error(), "dependency cycle: a → a");
}

static void test_model__a_cycle_of_disabled_ones_is_refused_too(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED(AFTER("b")));
    kit_add(k, "b", DISABLED(AFTER("a")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
}

static void test_model__a_long_cycle_is_cut(void **state) {
    kit *k = *state;
    char names[100][32];
    for (int i = 0; i < 100; i++) snprintf(names[i], sizeof names[i], "a_rather_long_name_%d", i);
    for (int i = 0; i < 100; i++) kit_add(k, names[i], WORKER(AFTER(names[(i + 1) % 100])));
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
    assert_non_null(strstr(chief_last_error(), " …"));
}

static void test_model__a_late_comer_must_know_whom_it_names(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    assert_int_equal(kit_try_add(k, "b", WORKER(AFTER("x"))), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "worker b: after names \"x\"; there are: a");
    assert_int_equal(kit_try_add(k, "b", WORKER(AFTER("b"))), CHIEF_ECYCLE);
    assert_string_equal(chief_last_error(), "dependency cycle: b → b");
    kit_add(k, "b", WORKER(AFTER("a")));
    assert_int_equal(chief__model_level(k->m, kit_id(k, "b")), 1);
    kit_tell(k, STEP_ADDED, "b");
    kit_expect(k, "init b1");
}

static void test_model__a_late_comer_cannot_close_a_cycle(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_add(k, "c", WORKER(AFTER("b")));
    kit_launch(k);
    kit_tell(k, STEP_REMOVE, "a");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_forget(k);
    assert_int_equal(kit_try_add(k, "a", WORKER(AFTER("b"))), CHIEF_ECYCLE);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "c")), 1);
    assert_int_equal(kit_id(k, "a"), UINT32_MAX);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "b")), 0);
    assert_true(chief__model_all_ready(k->m));
    kit_add(k, "a", WORKER()); /* b still names it */
    assert_int_equal(chief__model_level(k->m, kit_id(k, "b")), 1);
    assert_false(chief__model_all_ready(k->m));
}

static void test_model__levels_pass_over_who_is_not_enabled(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", DISABLED(AFTER("a")));
    kit_add(k, "c", WORKER(AFTER("b")));
    kit_add(k, "d", WORKER(AFTER("c")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "c")), 0);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "d")), 1);
}

static int64_t ten_thousand(kit *k, bool chained) {
    uint32_t id;
    char name[2][16] = {"", ""};
    for (int i = 0; i < 10000; i++) {
        const char *const after[] = {name[(i + 1) % 2]};
        snprintf(name[i % 2], sizeof name[0], "w%d", i);
        chief__model_worker w = kit_resolve(name[i % 2], WORKER(ON_FAILURE, .after = after));
        w.n_after = chained && i > 0;
        assert_int_equal(chief__model_add(k->m, &w, &id), CHIEF_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    return chief__model_level(k->m, 9999);
}

/* Every event costs the same however many there are: this would take minutes if one looked at all. */
static void test_model__ten_thousand_workers(void **state) {
    kit *k = *state;
    const chief__action *actions;
    size_t n;
    chief__step_event event = {.kind = STEP_INIT};
    assert_int_equal(ten_thousand(k, false), 0);
    chief__step(k->m, &event, 0, &actions, &n);
    for (int kind = STEP_INITIALIZED; kind <= STEP_EXITED; kind++) {
        if (kind == STEP_ENTERED) {
            event.kind = STEP_LAUNCH;
            chief__step(k->m, &event, 0, &actions, &n);
        }
        if (kind == STEP_INIT_FAILED || kind == STEP_READY || kind == STEP_EXPIRED) continue;
        for (uint32_t id = 0; id < 10000; id++) {
            event = (chief__step_event){.kind = (chief__step_kind)kind, .id = id, .generation = 1, .reason = 2};
            chief__step(k->m, &event, 0, &actions, &n);
        }
    }
    event = (chief__step_event){.kind = STEP_TICK};
    chief__step(k->m, &event, 100, &actions, &n);
    assert_int_equal(n, 20000); /* phase and init of each */
    event.kind = STEP_STOP_ALL;
    chief__step(k->m, &event, 100, &actions, &n);
    assert_int_equal(n, 20001);
}

static void test_model__a_chain_of_ten_thousand(void **state) {
    kit *k = *state;
    assert_int_equal(ten_thousand(k, true), 9999);
}

/* ---- the agenda ---- */

static void test_agenda__gives_out_by_time_then_id(void **state) {
    (void)state;
    chief__agenda a = {0};
    uint32_t id;
    assert_int_equal(chief__agenda_reserve(&a, 8), CHIEF_OK);
    assert_false(chief__agenda_take(&a, INT64_MAX, &id));
    static const int64_t due[] = {50, 20, 50, 10, 20, 90};
    for (uint32_t i = 0; i < 6; i++) chief__agenda_set(&a, i, due[i]);
    chief__agenda_set(&a, 5, 15);        /* moved up */
    chief__agenda_set(&a, 3, 60);        /* moved down */
    chief__agenda_set(&a, 2, INT64_MAX); /* taken out */
    chief__agenda_clear(&a, 2);
    assert_int_equal(chief__agenda_due(&a, 2), INT64_MAX);
    assert_int_equal(chief__agenda_next(&a), 15);
    assert_false(chief__agenda_take(&a, 14, &id));
    static const uint32_t expected[] = {5, 1, 4, 0, 3};
    for (size_t i = 0; i < 5; i++) {
        assert_true(chief__agenda_take(&a, 60, &id));
        assert_int_equal(id, expected[i]);
    }
    assert_int_equal(chief__agenda_next(&a), INT64_MAX);
    chief__agenda_fini(&a);
}

/* Against the plain way: a look at all. */
static void test_agenda__keeps_its_order_under_random_changes(void **state) {
    (void)state;
    enum { N = 60 };
    chief__agenda a = {0};
    int64_t due[N];
    uint32_t id, random = 12345;
    assert_int_equal(chief__agenda_reserve(&a, N), CHIEF_OK);
    for (uint32_t i = 0; i < N; i++) due[i] = INT64_MAX;
    for (int round = 0; round < 50000; round++) {
        random = random * 1664525 + 1013904223;
        uint32_t which = (random >> 8) % N;
        due[which] = (random >> 24) % 4 == 0 ? INT64_MAX : (random >> 16) % 40;
        chief__agenda_set(&a, which, due[which]);
        uint32_t first = 0;
        for (uint32_t i = 1; i < N; i++) first = due[i] < due[first] ? i : first;
        assert_int_equal(chief__agenda_next(&a), due[first]);
        if ((random >> 12) % 3 == 0 && chief__agenda_take(&a, 30, &id)) {
            assert_int_equal(id, first);
            due[id] = INT64_MAX;
        }
    }
    chief__agenda_fini(&a);
}

/* ---- the names ---- */

static void test_names__live_as_long_as_they_are_used(void **state) {
    (void)state;
    chief__names names = {0};
    assert_null(chief__names_find(&names, "a"));
    chief__name *a = chief__names_use(&names, "a");
    assert_ptr_equal(chief__names_use(&names, "a"), a);
    chief__names_drop(&names, a);
    assert_ptr_equal(chief__names_find(&names, "a"), a);
    chief__names_drop(&names, a);
    assert_null(chief__names_find(&names, "a"));
    chief__names_drop(&names, NULL);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof text, "n%d", i);
        chief__name *name = chief__names_use(&names, text);
        assert_ptr_equal(chief__names_find(&names, text), name);
        if (i % 3 == 0) chief__names_drop(&names, name);
    }
    assert_int_equal(names.len, 666);
    assert_null(chief__names_find(&names, "n999"));
    assert_non_null(chief__names_find(&names, "n998"));
    chief__names_fini(&names);
}

/* ---- memory that runs out ---- */

static struct {
    long left; /* allocations until one fails */
    long blocks;
} memory;

static void *counted_realloc(void *data, void *ptr, size_t size) {
    (void)data;
    if (size == 0) {
        memory.blocks -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (memory.left-- == 0) return NULL;
    void *block = realloc(ptr, size);
    memory.blocks += ptr == NULL && block != NULL;
    return block;
}

static void live_on(chief__model *m) {
    const chief__action *actions;
    size_t n;
    uint32_t id;
    chief__model_worker w = kit_resolve("later", WORKER());
    assert_int_equal(chief__model_add(m, &w, &id), CHIEF_OK);
    for (int i = 40; chief__model_link(m) != CHIEF_OK; i--) { /* those that were named and did not come */
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        w.name = name;
        (void)chief__model_add(m, &w, &id);
    }
    chief__step(m, &(chief__step_event){.kind = STEP_INIT}, 0, &actions, &n);
    assert_true(n >= 2);
}

/* Adds 40 workers, each after the one to come; the first refusal ends it. */
static int life_with_little_memory(void) {
    static const chief__model_options options = {.force_stop_timeout = 1000, .init_timeout = 1000};
    chief__model *m;
    uint32_t id;
    int rc = chief__model_new(&m, &options);
    for (int i = 0; rc == CHIEF_OK && i < 40; i++) {
        char name[16];
        char next[16];
        const char *const after[] = {next};
        snprintf(name, sizeof name, "w%d", i);
        snprintf(next, sizeof next, "w%d", i + 1);
        chief__model_worker w = kit_resolve(name, WORKER(CODES(2), INTENSITY(3, 50), .after = after, .n_after = 1));
        rc = chief__model_add(m, &w, &id);
        assert_int_equal(id, rc == CHIEF_OK ? i : 0);
        if (rc != CHIEF_OK) assert_null(chief__model_name(m, (uint32_t)i)); /* nothing of it stays */
        if (rc != CHIEF_OK && i > 0) live_on(m);                            /* and what is there still works */
    }
    chief__model_free(m);
    return rc;
}

static void test_model__out_of_memory_at_every_allocation(void **state) {
    (void)state;
    const chief_allocator counted = {.size = sizeof counted, .realloc = counted_realloc};
    assert_int_equal(chief_set_allocator(&counted), CHIEF_OK);
    memory.left = -1;
    for (long n = 0; memory.left < 0; n++) { /* until none is left that could fail */
        assert_true(n < 10000);
        memory.left = n;
        int rc = life_with_little_memory();
        assert_int_equal(rc, memory.left < 0 ? CHIEF_ENOMEM : CHIEF_OK);
        assert_int_equal(memory.blocks, 0);
    }
    assert_int_equal(chief_set_allocator(NULL), CHIEF_OK);
}

static void test_model__adding_and_removing_leaves_nothing_behind(void **state) {
    kit *k = *state;
    const chief_allocator counted = {.size = sizeof counted, .realloc = counted_realloc};
    kit_close(k);
    assert_int_equal(chief_set_allocator(&counted), CHIEF_OK);
    memory.left = 1000000;
    memory.blocks = 0;
    kit_open(k);
    kit_launch(k);
    long most = 0;
    for (int i = 0; i < 400; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(chief__model_room(k->m), i == 0 ? 0 : 2);
        kit_add(k, name, WORKER());
        kit_add(k, "next", WORKER(AFTER(name)));
        kit_tell(k, STEP_ADDED, name);
        kit_bring_up(k, name);
        kit_tell(k, STEP_REMOVE, name);
        kit_exit(k, name, CHIEF_REASON_OK);
        kit_tell(k, STEP_REMOVE, "next");
        assert_int_equal(kit_id(k, name), UINT32_MAX);
        kit_forget(k);
        if (i == 0) most = memory.blocks;
        assert_true(memory.blocks <= most);
    }
    kit_close(k);
    assert_int_equal(memory.blocks, 0);
    assert_int_equal(chief_set_allocator(NULL), CHIEF_OK);
    kit_open(k);
}

static void test_model__an_addition_can_be_taken_back(void **state) {
    kit *k = *state;
    kit_add(k, "db", WORKER());
    kit_add(k, "api", WORKER(AFTER("db")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_add(k, "web/1", WORKER(AFTER("api")));
    kit_add(k, "web/2", WORKER(AFTER("api")));
    assert_int_equal(kit_try_add(k, "web", WORKER()), CHIEF_EEXIST);
    assert_int_equal(kit_try_add(k, "web/2", WORKER()), CHIEF_EEXIST);
    chief__model_take_back(k->m, kit_id(k, "web/2"));
    chief__model_take_back(k->m, kit_id(k, "web/1"));
    assert_int_equal(kit_id(k, "web/1"), UINT32_MAX);
    kit_add(k, "web", WORKER(AFTER("api")));
    assert_int_equal(chief__model_level(k->m, kit_id(k, "web")), 2);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init db1");
}

static void test_model__replicas_are_told_by_their_stem(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER());
    kit_add(k, "db/2", WORKER());
    kit_add(k, "api", WORKER(AFTER("dbb")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "worker api: after names \"dbb\"; there are: db, api");
}

static void test_model__the_last_replica_tells_how_many_there_are(void **state) {
    kit *k = *state;
    kit_add(k, "db", WORKER());
    for (int i = 1; i <= 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "web/%d", i);
        kit_add(k, name, WORKER(AFTER("api")));
    }
    assert_int_equal(chief__model_replicas(k->m, "web"), 3);
    assert_int_equal(chief__model_replicas(k->m, "we"), 0);
    assert_int_equal(chief__model_replicas(k->m, "db"), 0);
    assert_int_equal(chief__model_replicas(k->m, "api"), 0);
    chief__model_take_back(k->m, kit_id(k, "web/2"));
    assert_int_equal(chief__model_replicas(k->m, "web"), 3);
    chief__model_take_back(k->m, kit_id(k, "web/3"));
    assert_int_equal(chief__model_replicas(k->m, "web"), 1);
    chief__model_take_back(k->m, kit_id(k, "web/1"));
    assert_int_equal(chief__model_replicas(k->m, "web"), 0);
}

static void test_model__replicas_can_wait_for_none_of_themselves(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER(AFTER("db")));
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
    assert_string_equal(chief_last_error(), "dependency cycle: db/1 → db/1");
    chief__model_take_back(k->m, kit_id(k, "db/1"));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(kit_try_add(k, "db/1", WORKER(AFTER("db"))), CHIEF_ECYCLE);
    assert_string_equal(chief_last_error(), "dependency cycle: db → db");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_model__an_addition_can_be_taken_back),
        KIT_TEST(test_model__replicas_are_told_by_their_stem),
        KIT_TEST(test_model__the_last_replica_tells_how_many_there_are),
        KIT_TEST(test_model__replicas_can_wait_for_none_of_themselves),
        KIT_TEST(test_model__a_name_is_taken_once),
        KIT_TEST(test_model__after_may_come_before_its_worker),
        KIT_TEST(test_model__an_unknown_name_is_refused_with_who_is_there),
        KIT_TEST(test_model__a_cycle_is_refused_with_its_path),
        KIT_TEST(test_model__a_worker_after_itself_is_a_cycle),
        KIT_TEST(test_model__a_cycle_of_disabled_ones_is_refused_too),
        KIT_TEST(test_model__a_long_cycle_is_cut),
        KIT_TEST(test_model__a_late_comer_must_know_whom_it_names),
        KIT_TEST(test_model__a_late_comer_cannot_close_a_cycle),
        KIT_TEST(test_model__levels_pass_over_who_is_not_enabled),
        KIT_TEST(test_model__ten_thousand_workers),
        KIT_TEST(test_model__a_chain_of_ten_thousand),
        cmocka_unit_test(test_agenda__gives_out_by_time_then_id),
        cmocka_unit_test(test_agenda__keeps_its_order_under_random_changes),
        cmocka_unit_test(test_names__live_as_long_as_they_are_used),
        cmocka_unit_test(test_model__out_of_memory_at_every_allocation),
        KIT_TEST(test_model__adding_and_removing_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
