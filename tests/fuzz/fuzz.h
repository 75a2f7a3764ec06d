/*
 * fuzz: what the fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput; libFuzzer runs it (./dev fuzz), and
 * replay.c over its corpus in every test run. What must hold and does not ends the program, so that both see it.
 */
#ifndef CHIEF_FUZZ_H
#define CHIEF_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                          \
    do {                                                                                    \
        if (!(what)) {                                                                      \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

#endif
