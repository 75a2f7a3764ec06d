#include "plan.h"

#include <limits.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "limits.h" /* NOLINT(readability-duplicate-include): not the C library's */

#define PROGRAM "chief-worker"

static void free_texts(const char *const *texts, size_t n) {
    for (size_t i = 0; texts != NULL && i < n; i++) chief__free((void *)(uintptr_t)texts[i]);
    chief__free((void *)(uintptr_t)texts);
}

static int copy_text(const char **to, const char *from) {
    *to = from != NULL ? chief__strdup(from) : NULL;
    return from == NULL || *to != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static int copy_texts(const char *const **to, size_t *n_to, const char *const *from, size_t n, const char *what) {
    *to = NULL;
    *n_to = 0;
    if (n == 0) return CHIEF_OK;
    if (from == NULL) return chief__fail(CHIEF_EINVAL, "chief_process: %zu texts of %s and no list", n, what);
    const char **list = chief__calloc(n, sizeof *list);
    if (list == NULL) return chief__fail_code(CHIEF_ENOMEM);
    *to = list;
    for (; *n_to < n; (*n_to)++) {
        if (from[*n_to] == NULL) return chief__fail(CHIEF_EINVAL, "chief_process: text %zu of %s is NULL", *n_to, what);
        if (copy_text(&list[*n_to], from[*n_to]) != CHIEF_OK) return CHIEF_ENOMEM;
    }
    return CHIEF_OK;
}

static int copy_bytes(chief_bytes *to, chief_bytes from) {
    *to = (chief_bytes){NULL, 0};
    if (from.len == 0) return CHIEF_OK;
    if (from.data == NULL) return chief__fail(CHIEF_EINVAL, "chief_process: %zu bytes of spec and no data", from.len);
    to->data = chief__strndup(from.data, from.len);
    to->len = from.len;
    return to->data != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

static int copy_program(chief_process *to, const chief_process *from) {
    char path[PATH_MAX];
    const char *program = path;
    if (from->n_argv > 0) return copy_texts(&to->argv, &to->n_argv, from->argv, from->n_argv, "argv");
    int rc = chief_find_program(PROGRAM, path, sizeof path);
    return rc == CHIEF_OK ? copy_texts(&to->argv, &to->n_argv, &program, 1, "argv") : rc;
}

/* Numbers are in it already. */
static int copy_how(chief_process *to, const chief_process *from) {
    to->argv = to->env = NULL;
    to->n_argv = to->n_env = 0;
    to->cwd = to->user = to->group = NULL;
    to->spec = (chief_bytes){NULL, 0};
    int rc = copy_program(to, from);
    if (rc == CHIEF_OK) rc = copy_texts(&to->env, &to->n_env, from->env, from->n_env, "env");
    if (rc == CHIEF_OK) rc = copy_bytes(&to->spec, from->spec);
    if (rc == CHIEF_OK) rc = copy_text(&to->cwd, from->cwd);
    if (rc == CHIEF_OK) rc = copy_text(&to->user, from->user);
    if (rc == CHIEF_OK) rc = copy_text(&to->group, from->group);
    return rc;
}

static int copy_schedule(chief_schedule *to, const chief_schedule *from) {
    *to = *from;
    to->cron = to->tz = NULL;
    int rc = copy_text(&to->cron, from->cron);
    return rc == CHIEF_OK ? copy_text(&to->tz, from->tz) : rc;
}

void chief__plan_free(void *data) {
    chief__plan *plan = data;
    if (plan == NULL) return;
    free_texts(plan->how.argv, plan->how.n_argv);
    free_texts(plan->how.env, plan->how.n_env);
    chief__free((void *)(uintptr_t)plan->how.spec.data);
    chief__free((void *)(uintptr_t)plan->how.cwd);
    chief__free((void *)(uintptr_t)plan->how.user);
    chief__free((void *)(uintptr_t)plan->how.group);
    chief__free((void *)(uintptr_t)plan->schedule.cron);
    chief__free((void *)(uintptr_t)plan->schedule.tz);
    chief__spawner_unref(plan->spawner);
    chief__mutex_fini(&plan->lock);
    chief__free(plan);
}

int chief__plan_new(chief__plan **out, chief__spawner *spawner, const char *worker, const chief_process *how,
                    const chief_schedule *schedule, int64_t grace) {
    chief_process given;
    chief_schedule when;
    *out = NULL;
    int rc = chief__options_read(&given, sizeof given, how, "chief_process");
    if (rc == CHIEF_OK) rc = chief__options_read(&when, sizeof when, schedule, "chief_schedule");
    if (rc == CHIEF_OK) rc = chief__limits_check(&given, worker);
    if (rc != CHIEF_OK) return rc;
    chief__plan *plan = chief__calloc(1, sizeof *plan);
    if (plan == NULL) return chief__fail_code(CHIEF_ENOMEM);
    chief__mutex_init(&plan->lock);
    plan->spawner = chief__spawner_ref(spawner);
    plan->grace = grace;
    plan->how = given;
    rc = copy_how(&plan->how, &given);
    if (rc == CHIEF_OK) rc = copy_schedule(&plan->schedule, &when);
    if (rc == CHIEF_OK) *out = plan;
    else chief__plan_free(plan);
    return rc;
}
