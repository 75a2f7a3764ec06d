/*
 * Gives every structure that a caller fills, and whose first member is its size, to the function that reads it: cut before
 * each field and with noise behind it, longer than the library knows, and with CHIEF_ZERO. It knows what to call for each
 * structure; which fields there are comes from fields.inc, made of the headers.
 */
#include <chief_lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { INT64 = 1, OTHER = 2, ROOM = 1024, NOISE = 0xA5 };

typedef struct field {
    const char *structure;
    const char *name;
    size_t offset;
    int kind;
    size_t whole; /* sizeof the structure */
} field;

#define FIELD(structure, name, kind) {#structure, #name, offsetof(structure, name), kind, sizeof(structure)},
static const field fields[] = {
#include "fields.inc"
};
#undef FIELD

static int run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

static int on_message(chief_worker *ctx, void *instance, const chief_msg *msg) {
    (void)msg;
    return run(ctx, instance);
}

static int try_options(const void *given) {
    chief *c = NULL;
    int rc = chief_new(&c, given);
    chief_free(c);
    return rc;
}

static int add_worker(const chief_worker_ops *ops, const chief_worker_options *options) {
    chief *c = NULL;
    int rc = chief_new(&c, NULL);
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, "one", ops, NULL, options);
    chief_free(c);
    return rc;
}

static const chief_worker_ops runs = {.size = sizeof runs, .run = run};

static int try_ops(const void *given) { return add_worker(given, NULL); }
static int try_worker(const void *given) { return add_worker(&runs, given); }

static int try_restart(const void *given) {
    return try_worker(&(chief_worker_options){.size = sizeof(chief_worker_options), .restart = given});
}

static int try_schedule(const void *given) {
    return try_worker(&(chief_worker_options){.size = sizeof(chief_worker_options), .schedule = given});
}

static int try_policy(const void *given) {
    return try_worker(&(chief_worker_options){.size = sizeof(chief_worker_options), .policy = given});
}

static int try_fiber(const void *given) {
    return try_worker(
        &(chief_worker_options){.size = sizeof(chief_worker_options), .isolation = CHIEF_FIBER, .fiber = given});
}

static int try_info(const void *given) {
    return try_options(&(chief_options){.size = sizeof(chief_options), .info = given});
}

static int try_log(const void *given) {
    chief_log *log = NULL;
    int rc = chief_log_new(&log, given);
    chief_log_unref(log);
    return rc;
}

static int try_channel(const void *given) {
    chief_channel *ch = NULL;
    int rc = chief_channel_new(&ch, "one", given);
    chief_channel_unref(ch);
    return rc;
}

static int try_process(const void *given) {
    chief *c = NULL;
    int rc = chief_new(&c, NULL);
    if (rc == CHIEF_OK) rc = chief_add_process(c, "one", given, NULL);
    chief_free(c);
    return rc;
}

static int on_exit_(void *data, const chief_exit *exit, chief_answer *answer) {
    (void)data;
    (void)exit;
    (void)answer;
    return 0;
}

static int try_lua(const void *given) {
    chief *c = NULL;
    int rc = chief_new(&c, NULL);
    if (rc == CHIEF_OK) rc = chief_lua_add_worker(c, "one", "echo", given);
    chief_free(c);
    return rc;
}

/* What must be set in a structure before it says anything, and where it ends. */
static void fill_ops(void *s) { ((chief_worker_ops *)s)->run = run; }
static void fill_fiber(void *s) { ((chief_fiber_ops *)s)->on_message = on_message; }
static void fill_policy(void *s) { ((chief_policy *)s)->on_exit = on_exit_; }
static void fill_schedule(void *s) { ((chief_schedule *)s)->every = 1000; }

static int on_timer(chief_worker *ctx, void *instance) { return run(ctx, instance); }

/* What else must be set for CHIEF_ZERO to be looked at. */
static void limit_all(void *s) { ((chief_options *)s)->max_restarts = 1; }
static void limit_one(void *s) { ((chief_restart *)s)->max_restarts = 1; }
static void add_timer(void *s) { ((chief_fiber_ops *)s)->on_timer = on_timer; }

typedef struct reader {
    const char *structure;
    int (*give)(const void *structure);
    void (*fill)(void *structure);
    size_t least; /* the offset behind what `fill` has set */
    void (*besides)(void *structure);
    const char *not_zero; /* the int64_t fields that CHIEF_ZERO is nothing for */
} reader;

#define BEHIND(structure, member) (offsetof(structure, member) + sizeof(((structure *)NULL)->member))
static const reader readers[] = {
    {"chief_options", try_options, NULL, 0, limit_all, ""},
    {"chief_app_info", try_info, NULL, 0, NULL, ""},
    {"chief_log_options", try_log, NULL, 0, NULL, ""},
    {"chief_channel_options", try_channel, NULL, 0, NULL, ""},
    {"chief_worker_ops", try_ops, fill_ops, BEHIND(chief_worker_ops, run), NULL, ""},
    {"chief_worker_options", try_worker, NULL, 0, NULL, ""},
    {"chief_restart", try_restart, NULL, 0, limit_one, ""},
    {"chief_fiber_ops", try_fiber, fill_fiber, BEHIND(chief_fiber_ops, on_message), add_timer, " interval "},
    {"chief_schedule", try_schedule, fill_schedule, BEHIND(chief_schedule, every), NULL, " every "},
    {"chief_policy", try_policy, fill_policy, BEHIND(chief_policy, on_exit), NULL, " timeout "},
    {"chief_lua_options", try_lua, NULL, 0, NULL, " watchdog "},
    {"chief_process", try_process, NULL, 0, NULL, ""},
};

/* Not read as options: the library fills them, they are tables of functions, or their members say what is asked for. */
static const char *const others = " chief_allocator chief_answer chief_api chief_channel_stats chief_cron chief_event "
                                  "chief_exit chief_record chief_wait chief_worker_status ";

static int number, failed;

static void expect(bool good, const char *structure, const char *what, const char *detail) {
    printf("%s %d - %s%s%s\n", good ? "ok" : "not ok", ++number, structure, what, detail);
    if (!good) failed = 1;
    if (!good) printf("  # %s\n", chief_last_error());
}

typedef union space {
    int64_t aligned;
    unsigned char bytes[ROOM];
} space;

static void prepare(space *s, const reader *r, size_t size) {
    uint32_t said = (uint32_t)size;
    if (r->fill != NULL) r->fill(s->bytes);
    memcpy(s->bytes, &said, sizeof said);
}

static bool cut_before(const reader *r, const field *f) {
    space s;
    memset(s.bytes, 0, sizeof s.bytes);
    memset(s.bytes + f->offset, NOISE, sizeof s.bytes - f->offset);
    prepare(&s, r, f->offset);
    if (f->offset >= r->least) memset(s.bytes + f->offset, NOISE, sizeof s.bytes - f->offset);
    return r->give(s.bytes) == CHIEF_OK;
}

static bool takes_zero(const reader *r, const field *f) {
    space s = {0};
    const int64_t zero = CHIEF_ZERO;
    prepare(&s, r, f->whole);
    if (r->besides != NULL) r->besides(s.bytes);
    memcpy(s.bytes + f->offset, &zero, sizeof zero);
    return r->give(s.bytes) == CHIEF_OK;
}

static bool names(const char *list, const char *name) {
    char word[80];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(list, word) != NULL;
}

static void check_field(const reader *r, const field *f) {
    char name[80];
    snprintf(name, sizeof name, ".%s", f->name);
    if (f->offset >= r->least && f->offset > 0)
        expect(cut_before(r, f), r->structure, name, ": a caller that does not know it is understood");
    if (f->kind == INT64) expect(takes_zero(r, f) == !names(r->not_zero, f->name), r->structure, name, ": CHIEF_ZERO");
}

static void check_whole(const reader *r, size_t whole) {
    space s = {0};
    prepare(&s, r, whole);
    expect(r->give(s.bytes) == CHIEF_OK, r->structure, "", ": zero in all its fields");
    prepare(&s, r, whole + 16);
    expect(r->give(s.bytes) == CHIEF_OK, r->structure, "", ": longer than the library's, with zeros");
    s.bytes[whole + 15] = 1;
    expect(r->give(s.bytes) == CHIEF_EINVAL, r->structure, "", ": longer than the library's, with something in it");
    memset(s.bytes, 0, sizeof s.bytes);
    prepare(&s, r, 0);
    expect(r->give(s.bytes) == CHIEF_EINVAL, r->structure, "", ": without its size");
}

static const reader *reader_of(const char *structure) {
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].structure, structure) == 0) return &readers[i];
    return NULL;
}

int main(void) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const field *f = &fields[i];
        const reader *r = reader_of(f->structure);
        if (r == NULL && !names(others, f->structure))
            expect(false, f->structure, ": tests/abi/fields.c does not know what reads it", "");
        if (r == NULL) continue;
        if (strcmp(f->name, "size") == 0) check_whole(r, f->whole);
        check_field(r, f);
    }
    printf("1..%d\n", number);
    return failed;
}
