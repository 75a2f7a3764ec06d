/* What kind of picture some bytes are, and how large it says it is, read from its header alone.
 *
 * Knows nothing of Lua and decodes no pixel: it is asked before a decoder is, so that a small file which promises a
 * huge picture is refused while it is still small. Every read is inside the given bytes. */
#ifndef IMAGE_SERVICE_PROBE_H
#define IMAGE_SERVICE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { PROBE_JPEG, PROBE_PNG, PROBE_WEBP } probe_type_t;

typedef enum {
    PROBE_OK,
    PROBE_UNKNOWN,   /* not one of the three formats */
    PROBE_TRUNCATED, /* the bytes end before the size is known */
    PROBE_BROKEN,    /* the format is known and the header is wrong */
    PROBE_ANIMATED   /* several pictures in one, which we do not take */
} probe_result_t;

typedef struct {
    probe_type_t type;
    uint32_t width, height; /* as stored: orientation is not applied */
    int orientation;        /* 1 to 8 as EXIF counts them; 1 where the file says nothing */
    size_t header_end;      /* JPEG: where the frame header ends */
} probe_t;

/* Fills `out` only when it returns PROBE_OK. */
probe_result_t probe(const uint8_t *bytes, size_t size, probe_t *out);

/* True when a JPEG has the marker that ends it; a cut one lacks it. The other formats' decoders notice by themselves. */
bool probe_is_whole(const uint8_t *bytes, size_t size, const probe_t *picture);

/* How many times a JPEG goes over its pixels. Each costs the decoder time: a small file could keep it busy for long. */
size_t probe_scans(const uint8_t *bytes, size_t size, const probe_t *picture);

#endif
