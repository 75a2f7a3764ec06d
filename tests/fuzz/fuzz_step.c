/* The brain under events that bytes choose: core/step_judge.h says what must hold. */
#define CHIEF_STEP_BY_OTHERS
#include "../core/test_step_random.c" /* NOLINT(bugprone-suspicious-include): it is one file with what it tests */

#include "fuzz.h"

static const uint8_t *at;
static const uint8_t *end;

static void wrong(const char *what) {
    (void)fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

/* When the bytes are used up a generator goes on, so that what they began comes to its end. */
static uint32_t pick(uint32_t n) {
    if (at < end) return *at++ % n;
    sim.random = sim.random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(sim.random >> 33) % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    at = data;
    end = data + size;
    one_sequence(1);
    return 0;
}
