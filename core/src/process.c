/* process: registers workers whose generations are child processes. */
#include "err.h"
#include "loop.h"
#include "proxy.h"

#define GRACE_MS 5000 /* of a group whose leader has ended unasked, where the worker has none of its own */

/* The one of the chief, made at first use; no thread yet. */
static int get_spawner(chief *c, chief__spawner **out) {
    int rc = CHIEF_OK;
    chief__lock(&c->lock);
    *out = c->spawner;
    chief__unlock(&c->lock);
    if (*out != NULL) return rc;
    chief__spawner *made;
    rc = chief__spawner_new(&made);
    if (rc != CHIEF_OK) return rc;
    chief__lock(&c->lock);
    if (c->spawner == NULL) {
        c->spawner = made;
        made = NULL;
    }
    *out = c->spawner;
    chief__unlock(&c->lock);
    chief__spawner_unref(made);
    return rc;
}

static int read_options(chief_worker_options *out, const char *name, const chief_worker_options *given) {
    int rc = chief__options_read(out, sizeof *out, given, "chief_worker_options");
    if (rc != CHIEF_OK) return rc;
    if (out->isolation != CHIEF_ISOLATION_DEFAULT && out->isolation != CHIEF_PROCESS)
        return chief__fail(CHIEF_EINVAL, "worker %s: chief_add_process is for the isolation process", name);
    out->isolation = CHIEF_PROCESS;
    return CHIEF_OK;
}

/* The plan is the unit's. */
static int make_unit(chief__unit **out, const char *name, chief__plan *plan, chief_worker_options *options) {
    chief_worker_ops ops;
    chief__proxy_ops(&ops);
    options->destroy = chief__plan_free;
    return chief__unit_new(out, name, &ops, plan, options);
}

static int make(chief *c, chief__unit **out, chief__plan **plan, const char *name, const chief_process *how,
                chief_worker_options *o) {
    chief__spawner *spawner;
    *out = NULL;
    int rc = get_spawner(c, &spawner);
    if (rc == CHIEF_OK)
        rc = chief__plan_new(plan, spawner, name, how, o->schedule, chief__or_default(o->grace, GRACE_MS));
    if (rc != CHIEF_OK) return rc;
    rc = make_unit(out, name, *plan, o);
    if (rc != CHIEF_OK) chief__plan_free(*plan);
    return rc;
}

int chief_add_process(chief *c, const char *name, const chief_process *how, const chief_worker_options *options) {
    chief_worker_options o;
    chief__plan *plan;
    chief__unit *unit;
    if (c == NULL || name == NULL || how == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief__check(c);
    if (rc == CHIEF_OK) rc = read_options(&o, name, options);
    if (rc == CHIEF_OK) rc = make(c, &unit, &plan, name, how, &o);
    if (rc != CHIEF_OK) return rc;
    rc = chief__add_unit(c, unit);
    chief__unit_unref(unit);
    if (rc != CHIEF_OK) chief__plan_free(plan);
    return rc;
}

/* Its plan is the library's from the start. */
int chief__unit_set_apart(chief *c, chief__unit *unit, const chief_worker_options *options) {
    chief_worker_options o;
    chief__plan *plan;
    int rc = chief__options_read(&o, sizeof o, options, "chief_worker_options");
    if (rc != CHIEF_OK) return rc;
    if (o.process == NULL && unit->restart.isolate_after > 0 && c->sim == NULL)
        return chief__fail(CHIEF_EINVAL, "worker %s: isolate_after needs to know how its process is started",
                           unit->name);
    if (o.process == NULL) return rc;
    o.isolation = CHIEF_PROCESS;
    o.policy = NULL;
    rc = make(c, &unit->apart, &plan, unit->name, o.process, &o);
    if (rc == CHIEF_OK) unit->apart->armed = true;
    return rc;
}
