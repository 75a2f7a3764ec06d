/* process: registers workers whose generations are child processes. */
#include "err.h"
#include "loop.h"

int chief_add_process(chief *c, const char *name, const chief_process *how, const chief_worker_options *options) {
    (void)options;
    if (c == NULL || name == NULL || how == NULL) return chief__fail_code(CHIEF_EINVAL);
    return chief__fail_code(CHIEF_ENOTSUP);
}
