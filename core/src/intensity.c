#include "intensity.h"

#include "alloc.h"
#include "err.h"

int chief__intensity_init(chief__intensity *in, int64_t most, int64_t window) {
    *in = (chief__intensity){0};
    if (most < 0) return CHIEF_OK;
    if (most > CHIEF__INTENSITY_MOST) return chief__fail_code(CHIEF_EINVAL);
    if (most > 0) {
        in->times = chief__calloc((size_t)most, sizeof *in->times);
        if (in->times == NULL) return chief__fail_code(CHIEF_ENOMEM);
    }
    in->most = (uint32_t)most;
    in->window = window;
    in->limited = true;
    return CHIEF_OK;
}

void chief__intensity_fini(chief__intensity *in) {
    chief__free(in->times);
    *in = (chief__intensity){0};
}

bool chief__intensity_allows(chief__intensity *in, int64_t now) {
    if (!in->limited) return true;
    if (in->most == 0) return false;
    if (in->len == in->most && now - in->times[in->next] <= in->window) return false;
    in->times[in->next] = now;
    in->next = (in->next + 1) % in->most;
    if (in->len < in->most) in->len++;
    return true;
}

void chief__intensity_clear(chief__intensity *in) { in->len = in->next = 0; }
