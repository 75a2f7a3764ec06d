#include "policy.h"

bool chief__policy_restarts(const chief_restart *restart, bool failed) {
    if (restart->policy == CHIEF_RESTART_ALWAYS) return true;
    return failed && restart->policy == CHIEF_RESTART_ON_FAILURE;
}

/* The next number in [0, 1) of splitmix64: good from any seed, 0 too, and the same on every machine. */
static double next_unit(uint64_t *random) {
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

/* By squaring, because k grows for as long as a worker fails; libm's pow may differ in the last bit between machines. */
static double power(double base, uint64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1) {
        if (n & 1) result *= base;
        base *= base;
    }
    return result;
}

int64_t chief__policy_delay(const chief_restart *restart, uint64_t k, uint64_t *random) {
    double scale = 1;
    if (restart->jitter > 0) scale += restart->jitter * (2 * next_unit(random) - 1);
    if (restart->delay <= 0) return 0;
    double delay = (double)restart->delay * power(restart->factor, k > 0 ? k - 1 : 0) * scale;
    /* An infinite power ends here too. */
    return delay < (double)restart->max_delay ? (int64_t)(delay + 0.5) : restart->max_delay;
}

bool chief__policy_healthy(int64_t up, int64_t last_delay) {
    return up >= CHIEF__POLICY_HEALTH && up / 2 >= last_delay;
}
