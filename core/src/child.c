/* child: the side of a process worker that is in the child. */
#include "err.h"

int chief_child_open(chief_child **out) {
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = NULL;
    return chief__fail_code(CHIEF_ENOTSUP);
}

chief_bytes chief_child_spec(const chief_child *child) {
    (void)child;
    return (chief_bytes){NULL, 0};
}

int chief_child_run(chief_child *child, const chief_worker_ops *ops, void *data) {
    (void)data;
    if (child == NULL || ops == NULL) return chief__fail_code(CHIEF_EINVAL);
    return chief__fail_code(CHIEF_ENOTSUP);
}

void chief_child_refuse(chief_child *child, const char *text) {
    (void)child;
    (void)text;
}

void chief_child_close(chief_child *child) { (void)child; }
