#include <string.h>

#include "alloc.h"
#include "err.h"
#include "intensity.h"
#include "replica.h"
#include "worker.h"

#define DELAY_MS 100
#define FACTOR 2.0
#define MAX_DELAY_MS 30000
#define JITTER 0.2
#define WINDOW_MS 30000
#define START_TIMEOUT_MS 30000
#define MAILBOX_CAPACITY 1024
#define POLICY_TIMEOUT_MS 1000

static void free_names(char **names, size_t n) {
    for (size_t i = 0; names != NULL && i < n; i++) chief__free(names[i]);
    chief__free(names);
}

static int copy_names(char ***out, size_t *n_out, const char *const *names, size_t n, const char *what) {
    *n_out = 0;
    *out = NULL;
    if (n == 0) return CHIEF_OK;
    if (names == NULL) return chief__fail(CHIEF_EINVAL, "%s: %zu names and no list", what, n);
    *out = chief__calloc(n, sizeof **out);
    if (*out == NULL) return chief__fail_code(CHIEF_ENOMEM);
    for (; *n_out < n; (*n_out)++) {
        if (names[*n_out] == NULL) return chief__fail(CHIEF_EINVAL, "%s: name %zu is NULL", what, *n_out);
        (*out)[*n_out] = chief__strdup(names[*n_out]);
        if ((*out)[*n_out] == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    return CHIEF_OK;
}

static int copy_args(chief__unit *unit, chief_bytes args) {
    if (args.len == 0) return CHIEF_OK;
    if (args.data == NULL) return chief__fail(CHIEF_EINVAL, "args: %zu bytes and no data", args.len);
    char *copy = chief__strndup(args.data, args.len);
    if (copy == NULL) return chief__fail_code(CHIEF_ENOMEM);
    unit->args.data = copy;
    unit->args.len = args.len;
    return CHIEF_OK;
}

static int copy_codes(chief__unit *unit, const chief_worker_options *o) {
    if (o->n_no_restart_codes == 0) return CHIEF_OK;
    if (o->no_restart_codes == NULL)
        return chief__fail(CHIEF_EINVAL, "no_restart_codes: %zu codes and no list", o->n_no_restart_codes);
    for (size_t i = 0; i < o->n_no_restart_codes; i++) {
        if (o->no_restart_codes[i] >= 1 && o->no_restart_codes[i] <= 255) continue;
        return chief__fail(CHIEF_EINVAL, "worker %s: no_restart_codes should be from 1 to 255, got %d", unit->name,
                           (int)o->no_restart_codes[i]);
    }
    unit->no_restart_codes = chief__calloc(o->n_no_restart_codes, sizeof *unit->no_restart_codes);
    if (unit->no_restart_codes == NULL) return chief__fail_code(CHIEF_ENOMEM);
    memcpy(unit->no_restart_codes, o->no_restart_codes, o->n_no_restart_codes * sizeof *unit->no_restart_codes);
    unit->n_no_restart_codes = o->n_no_restart_codes;
    return CHIEF_OK;
}

static int32_t default_policy(const chief__unit *unit) {
    if (unit->ops.restart_on_fail == NULL) return CHIEF_RESTART_NEVER;
    return unit->ops.restart_on_fail(unit->data) != 0 ? CHIEF_RESTART_ON_FAILURE : CHIEF_RESTART_NEVER;
}

static int check_intensity(const chief_restart *r, const char *name) {
    if ((r->max_restarts < 0 && r->max_restarts != CHIEF_ZERO) || r->max_restarts > CHIEF__INTENSITY_MOST)
        return chief__fail(CHIEF_EINVAL, "worker %s: max_restarts should be from 0 to %d", name,
                           (int)CHIEF__INTENSITY_MOST);
    if (r->window < 0 && r->window != CHIEF_ZERO)
        return chief__fail(CHIEF_EINVAL, "worker %s: the restart window is negative", name);
    if (r->window != 0 && r->max_restarts == 0)
        return chief__fail(CHIEF_EINVAL, "worker %s: a restart window without max_restarts limits nothing", name);
    return CHIEF_OK;
}

static int check_restart(const chief_restart *r, const char *name) {
    if (r->policy < CHIEF_RESTART_DEFAULT || r->policy > CHIEF_RESTART_ALWAYS)
        return chief__fail(CHIEF_EINVAL, "worker %s: restart policy %d is none", name, (int)r->policy);
    if ((r->delay < 0 && r->delay != CHIEF_ZERO) || (r->max_delay < 0 && r->max_delay != CHIEF_ZERO))
        return chief__fail(CHIEF_EINVAL, "worker %s: a restart delay is negative", name);
    /* written so that NaN is refused too */
    if (!(r->factor == 0 || (r->factor >= 1 && r->factor <= 1e6)))
        return chief__fail(CHIEF_EINVAL, "worker %s: restart factor should be 1 or more", name);
    if (r->isolate_after < 0 && r->isolate_after != CHIEF_ZERO)
        return chief__fail(CHIEF_EINVAL, "worker %s: isolate_after is negative", name);
    if (!(r->jitter <= 1)) return chief__fail(CHIEF_EINVAL, "worker %s: restart jitter should be at most 1", name);
    return check_intensity(r, name);
}

static int resolve_restart(chief__unit *unit, const chief_restart *given) {
    chief_restart *r = &unit->restart;
    int rc = chief__options_read(r, sizeof *r, given, "chief_restart");
    if (rc == CHIEF_OK) rc = check_restart(r, unit->name);
    if (rc != CHIEF_OK) return rc;
    if (r->policy == CHIEF_RESTART_DEFAULT) r->policy = default_policy(unit);
    r->delay = chief__or_default(r->delay, DELAY_MS);
    r->max_delay = chief__or_default(r->max_delay, MAX_DELAY_MS);
    if (r->factor == 0) r->factor = FACTOR;
    r->jitter = r->jitter == 0 ? JITTER : r->jitter < 0 ? 0 : r->jitter;
    r->max_restarts = chief__or_default(r->max_restarts, -1);
    r->window = chief__or_default(r->window, WINDOW_MS);
    r->isolate_after = chief__or_default(r->isolate_after, 0);
    return CHIEF_OK;
}

static int copy_lists(chief__unit *unit, const chief_worker_options *o) {
    int rc = copy_names(&unit->after, &unit->n_after, o->after, o->n_after, "after");
    if (rc == CHIEF_OK) rc = copy_names(&unit->sends, &unit->n_sends, o->sends, o->n_sends, "sends");
    if (rc == CHIEF_OK) rc = copy_names(&unit->receives, &unit->n_receives, o->receives, o->n_receives, "receives");
    return rc;
}

static int check_options(const chief__unit *unit, const chief_worker_options *o) {
    if ((o->flags & ~(uint32_t)(CHIEF_WORKER_SAYS_READY | CHIEF_WORKER_CRITICAL)) != 0)
        return chief__fail(CHIEF_EINVAL, "worker %s: unknown flags 0x%x", unit->name, o->flags);
    if (o->count > CHIEF__COUNT_MAX)
        return chief__fail(CHIEF_EINVAL, "worker %s: a count of %u is more than %d", unit->name, (unsigned)o->count,
                           CHIEF__COUNT_MAX);
    if ((o->grace < 0 && o->grace != CHIEF_ZERO) || (o->start_timeout < 0 && o->start_timeout != CHIEF_ZERO))
        return chief__fail(CHIEF_EINVAL, "worker %s: grace and start_timeout can't be negative", unit->name);
    if (o->isolation < CHIEF_ISOLATION_DEFAULT || o->isolation > CHIEF_PROCESS)
        return chief__fail(CHIEF_EINVAL, "worker %s: isolation %d is none", unit->name, (int)o->isolation);
    return CHIEF_OK;
}

static int copy_fiber(chief__unit *unit, const chief_fiber_ops *given) {
    chief_fiber_ops *f = &unit->fiber;
    if (given == NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: a fiber needs chief_fiber_ops beside its ops", unit->name);
    int rc = chief__options_read(f, sizeof *f, given, "chief_fiber_ops");
    if (rc != CHIEF_OK) return rc;
    if (f->resume == NULL && f->on_message == NULL && f->on_timer == NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: its chief_fiber_ops has neither resume, on_message nor on_timer",
                           unit->name);
    if (f->resume != NULL && (f->on_message != NULL || f->on_timer != NULL))
        return chief__fail(CHIEF_EINVAL, "worker %s: a fiber with resume has no on_message and no on_timer",
                           unit->name);
    if (f->on_timer != NULL && f->interval <= 0)
        return chief__fail(CHIEF_EINVAL, "worker %s: on_timer needs an interval of 1 ms or more", unit->name);
    return CHIEF_OK;
}

static int take_schedule(chief__unit *unit, const chief_worker_options *o) {
    if (o->isolation == CHIEF_FIBER && unit->fiber.resume == NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: only a fiber with resume runs by a schedule", unit->name);
    unit->scheduled = o->isolation != CHIEF_PROCESS; /* where the child keeps it (plan.h) */
    return chief__schedule_read(&unit->schedule, o->schedule, unit->name);
}

static int take_policy(chief__unit *unit, const chief_policy *given) {
    chief_policy *policy = &unit->policy;
    int rc = chief__options_read(policy, sizeof *policy, given, "chief_policy");
    if (rc != CHIEF_OK) return rc;
    if (policy->on_exit == NULL) return chief__fail(CHIEF_EINVAL, "worker %s: a policy needs on_exit", unit->name);
    if (policy->timeout < 0)
        return chief__fail(CHIEF_EINVAL, "worker %s: the timeout of its policy is negative", unit->name);
    if (policy->timeout == 0) policy->timeout = POLICY_TIMEOUT_MS;
    return CHIEF_OK;
}

static int fill(chief__unit *unit, const char *name, const chief_worker_ops *ops, const chief_worker_options *given) {
    chief_worker_options o;
    int rc = chief__options_read(&o, sizeof o, given, "chief_worker_options");
    if (rc == CHIEF_OK) rc = chief__options_read(&unit->ops, sizeof unit->ops, ops, "chief_worker_ops");
    if (rc != CHIEF_OK) return rc;
    if (unit->ops.run == NULL && o.isolation != CHIEF_FIBER)
        return chief__fail(CHIEF_EINVAL, "worker %s has no run", name);
    unit->name = chief__strdup(name);
    if (unit->name == NULL) return chief__fail_code(CHIEF_ENOMEM);
    rc = check_options(unit, &o);
    if (rc == CHIEF_OK && o.isolation == CHIEF_FIBER) rc = copy_fiber(unit, o.fiber);
    if (rc == CHIEF_OK) rc = resolve_restart(unit, o.restart);
    if (rc == CHIEF_OK) rc = copy_lists(unit, &o);
    if (rc == CHIEF_OK) rc = copy_args(unit, o.args);
    if (rc == CHIEF_OK) rc = copy_codes(unit, &o);
    if (rc == CHIEF_OK && o.schedule != NULL) rc = take_schedule(unit, &o);
    if (rc == CHIEF_OK && o.policy != NULL) rc = take_policy(unit, o.policy);
    unit->destroy = o.destroy;
    unit->flags = o.flags;
    unit->count = o.count != 0 ? o.count : 1;
    unit->isolation = o.isolation != CHIEF_ISOLATION_DEFAULT ? o.isolation : CHIEF_THREAD;
    unit->grace = chief__or_default(o.grace, -1);
    unit->start_timeout = chief__or_default(o.start_timeout, START_TIMEOUT_MS);
    unit->mailbox_capacity = o.mailbox_capacity != 0 ? o.mailbox_capacity : MAILBOX_CAPACITY;
    return rc;
}

int chief__unit_new(chief__unit **out, const char *name, const chief_worker_ops *ops, void *data,
                    const chief_worker_options *options) {
    *out = NULL;
    int rc = chief__name_check(name, "worker");
    if (rc != CHIEF_OK) return rc;
    if (ops == NULL) return chief__fail(CHIEF_EINVAL, "worker %s has no ops", name);
    chief__unit *unit = chief__calloc(1, sizeof *unit);
    if (unit == NULL) return chief__fail_code(CHIEF_ENOMEM);
    atomic_init(&unit->refs, 1);
    unit->data = data;
    rc = fill(unit, name, ops, options);
    if (rc == CHIEF_OK) *out = unit;
    else chief__unit_unref(unit);
    return rc;
}

int chief__unit_replica(chief__unit **out, chief__unit *whole, uint32_t number) {
    char name[CHIEF__REPLICA_NAME_SIZE];
    *out = NULL;
    chief__replica_name(name, whole->name, number);
    chief__unit *unit = chief__alloc(sizeof *unit);
    char *copy = unit != NULL ? chief__strdup(name) : NULL;
    if (copy == NULL) {
        chief__free(unit);
        return chief__fail_code(CHIEF_ENOMEM);
    }
    memcpy(unit, whole, sizeof *unit);
    atomic_init(&unit->refs, 1);
    unit->whole = chief__unit_ref(whole);
    unit->name = copy;
    unit->apart = NULL;
    int rc = whole->apart != NULL ? chief__unit_replica(&unit->apart, whole->apart, number) : CHIEF_OK;
    if (rc == CHIEF_OK) *out = unit;
    else chief__unit_unref(unit);
    return rc;
}

chief__unit *chief__unit_ref(chief__unit *unit) {
    (void)atomic_fetch_add_explicit(&unit->refs, 1, memory_order_relaxed);
    return unit;
}

void chief__unit_unref(chief__unit *unit) {
    if (unit == NULL || atomic_fetch_sub_explicit(&unit->refs, 1, memory_order_acq_rel) != 1) return;
    chief__unit *whole = unit->whole;
    if (whole == NULL) {
        if (unit->armed && unit->destroy != NULL) unit->destroy(unit->data);
        if (unit->armed && unit->policy.destroy != NULL) unit->policy.destroy(unit->policy.data);
        chief__schedule_fini(&unit->schedule);
        free_names(unit->after, unit->n_after);
        free_names(unit->sends, unit->n_sends);
        free_names(unit->receives, unit->n_receives);
        chief__free(unit->no_restart_codes);
        chief__free((void *)(uintptr_t)unit->args.data);
    }
    chief__unit_unref(unit->apart);
    chief__free(unit->name);
    chief__free(unit);
    chief__unit_unref(whole);
}
