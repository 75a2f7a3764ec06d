/*
 * A program as somebody has it: it uses a little of everything whose layout could change, and prints what it saw. The test
 * compiles it against one version of chief.h and runs it over the library of another.
 */
#include <chief.h>
#include <stdio.h>
#include <string.h>

static int records;

static void sink(void *data, const chief_record *record) {
    (void)data;
    if (record->message[0] != '\0' && record->n_fields > 0 && record->fields[0].key[0] != '\0') records++;
}

static int run(chief_worker *ctx, void *instance) {
    chief_msg *msg = NULL;
    int rc = chief_worker_recv(ctx, CHIEF_FOREVER, &msg);
    (void)instance;
    if (rc == CHIEF_OK) rc = chief_msg_reply(msg, chief_worker_args(ctx).data, chief_worker_args(ctx).len);
    chief_msg_free(msg);
    return rc;
}

static int show(const char *what, int rc) {
    if (rc != CHIEF_OK) printf("%s: %s\n", what, chief_last_error());
    return rc;
}

static int add_worker(chief *c) {
    chief_worker_ops ops = {.size = sizeof ops, .run = run};
    chief_restart restart = {.size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO};
    chief_worker_options options = {
        .size = sizeof options, .restart = &restart, .args = {"hello", 5}, .mailbox_capacity = 8};
    return chief_add_worker_with(c, "one", &ops, NULL, &options);
}

static int fill_structures(chief *c) {
    chief_channel *ch = NULL;
    chief_channel_options options = {.size = sizeof options, .capacity = 3};
    int rc = chief_add_channel(c, "jobs", &options);
    if (rc == CHIEF_OK) rc = chief_get_channel(c, "jobs", &ch);
    chief_channel_stats stats = {.size = sizeof stats};
    chief_app_info info = {.size = sizeof info};
    if (rc == CHIEF_OK) rc = chief_channel_get_stats(ch, &stats);
    if (rc == CHIEF_OK) rc = chief_get_info(c, &info);
    if (rc == CHIEF_OK) printf("capacity %u, name %s, tag %s\n", stats.capacity, info.name, info.tag);
    chief_channel_unref(ch);
    return rc;
}

static int look_at_status(chief *c) {
    chief_snapshot *snapshot = NULL;
    int rc = chief_states(c, &snapshot);
    if (rc == CHIEF_OK) {
        const chief_worker_status *one = chief_snapshot_find(snapshot, "one");
        printf("%s: state %d, generation %d, why \"%s\"\n", one->name, (int)one->state, (int)one->generation, one->why);
    }
    chief_snapshot_free(snapshot);
    return rc;
}

static int converse(chief *c) {
    chief_msg *reply = NULL;
    int rc = chief_call(c, "one", "?", 1, CHIEF_FOREVER, &reply);
    if (rc == CHIEF_OK)
        printf("answer %.*s\n", (int)chief_msg_data(reply).len, (const char *)chief_msg_data(reply).data);
    chief_msg_free(reply);
    return rc;
}

static int last_event(chief *c) {
    chief_event *events[64];
    size_t n = 0;
    int rc, kind = 0;
    while ((rc = chief_take_events(c, events, 64, CHIEF_FOREVER, &n)) == CHIEF_OK)
        for (size_t i = 0; i < n; i++) {
            kind = events[i]->traceback[0] == '\0' ? events[i]->kind : -1;
            chief_event_free(events[i]);
        }
    if (rc == CHIEF_ECLOSED) printf("the last event: %s\n", chief_event_kind_name(kind));
    return rc == CHIEF_ECLOSED ? CHIEF_OK : rc;
}

int main(void) {
    chief *c = NULL;
    chief_log *log = NULL;
    chief_log_options quiet = {.size = sizeof quiet, .sink = sink};
    chief_app_info info = {.size = sizeof info, .tag = "test"};
    chief_options options = {.size = sizeof options, .name = "consumer", .exit_when_done = 1, .info = &info};
    if (chief_abi() != CHIEF_ABI) return printf("ABI %u, compiled for %d\n", chief_abi(), CHIEF_ABI), 1;
    int rc = show("log", chief_log_new(&log, &quiet));
    options.log = log;
    if (rc == CHIEF_OK) rc = show("new", chief_new(&c, &options));
    if (rc == CHIEF_OK) rc = show("add", add_worker(c));
    if (rc == CHIEF_OK) rc = show("structures", fill_structures(c));
    if (rc == CHIEF_OK) rc = show("init", chief_init_workers(c, NULL));
    if (rc == CHIEF_OK) rc = show("launch", chief_launch(c, NULL));
    if (rc == CHIEF_OK) rc = show("call", converse(c));
    if (rc == CHIEF_OK) rc = show("join", chief_join(c, CHIEF_FOREVER));
    if (rc == CHIEF_OK) rc = show("status", look_at_status(c));
    if (rc == CHIEF_OK) rc = show("events", last_event(c));
    chief_free(c);
    chief_log_unref(log);
    printf("%s, plug-ins have abi %u\n", records > 0 ? "logged" : "nothing logged", chief_get_api()->abi);
    return rc == CHIEF_OK ? 0 : 1;
}
