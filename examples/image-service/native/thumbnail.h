/* Pixels: a decoded picture, made smaller and turned upright. Over libgd; knows nothing of Lua. */
#ifndef IMAGE_SERVICE_THUMBNAIL_H
#define IMAGE_SERVICE_THUMBNAIL_H

#include "probe.h"

#include <gd.h>

/* The decoded picture, yours to free with gdImageDestroy; NULL when libgd cannot decode it. */
gdImagePtr thumbnail_decode(const uint8_t *bytes, size_t size, probe_type_t type);

/* A copy whose longer side is `side` pixels; NULL when memory is short. */
gdImagePtr thumbnail_scale(gdImagePtr picture, int side);

/* A copy turned as an EXIF orientation (1 to 8) asks for; NULL when memory is short. */
gdImagePtr thumbnail_upright(gdImagePtr picture, int orientation);

/* The picture in the given format, yours to free with gdFree; NULL when it cannot be encoded. */
void *thumbnail_encode(gdImagePtr picture, probe_type_t type, int *size);

#endif
