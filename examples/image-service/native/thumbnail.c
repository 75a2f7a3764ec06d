#include "thumbnail.h"

#include <limits.h>

enum { JPEG_QUALITY = 85, PNG_COMPRESSION = 6, WEBP_QUALITY = 80 };

gdImagePtr thumbnail_decode(const uint8_t *bytes, size_t size, probe_type_t type) {
    if (size > INT_MAX) return NULL;
    /* libgd takes a pointer to writable memory here and only reads it. */
    void *data = (void *)(uintptr_t)bytes;
    switch (type) {
    case PROBE_JPEG: return gdImageCreateFromJpegPtr((int)size, data);
    case PROBE_PNG: return gdImageCreateFromPngPtr((int)size, data);
    case PROBE_WEBP: return gdImageCreateFromWebpPtr((int)size, data);
    }
    return NULL;
}

/* The picture's transparency is kept as it is, instead of being painted over a black ground. */
static gdImagePtr new_canvas(int width, int height) {
    gdImagePtr canvas = gdImageCreateTrueColor(width, height);
    if (canvas != NULL) {
        gdImageAlphaBlending(canvas, 0);
        gdImageSaveAlpha(canvas, 1);
    }
    return canvas;
}

static int in_proportion(int part, int whole, int side) {
    int scaled = (int)(((int64_t)part * side + whole / 2) / whole);
    return scaled > 0 ? scaled : 1;
}

gdImagePtr thumbnail_scale(gdImagePtr picture, int side) {
    int sx = gdImageSX(picture), sy = gdImageSY(picture);
    int width = sx >= sy ? side : in_proportion(sx, sy, side);
    int height = sy >= sx ? side : in_proportion(sy, sx, side);
    gdImagePtr scaled = new_canvas(width, height);
    if (scaled != NULL) gdImageCopyResampled(scaled, picture, 0, 0, 0, 0, width, height, sx, sy);
    return scaled;
}

/* The pixel of the stored picture that an upright one shows at (x, y). */
static int source_pixel(gdImagePtr picture, int orientation, int x, int y) {
    int right = gdImageSX(picture) - 1, bottom = gdImageSY(picture) - 1;
    switch (orientation) {
    case 2: return gdImageGetTrueColorPixel(picture, right - x, y);
    case 3: return gdImageGetTrueColorPixel(picture, right - x, bottom - y);
    case 4: return gdImageGetTrueColorPixel(picture, x, bottom - y);
    case 5: return gdImageGetTrueColorPixel(picture, y, x);
    case 6: return gdImageGetTrueColorPixel(picture, y, bottom - x);
    case 7: return gdImageGetTrueColorPixel(picture, right - y, bottom - x);
    case 8: return gdImageGetTrueColorPixel(picture, right - y, x);
    default: return gdImageGetTrueColorPixel(picture, x, y);
    }
}

gdImagePtr thumbnail_upright(gdImagePtr picture, int orientation) {
    int sx = gdImageSX(picture), sy = gdImageSY(picture);
    int width = orientation >= 5 ? sy : sx, height = orientation >= 5 ? sx : sy;
    gdImagePtr upright = new_canvas(width, height);
    if (upright == NULL) return NULL;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) gdImageSetPixel(upright, x, y, source_pixel(picture, orientation, x, y));
    return upright;
}

void *thumbnail_encode(gdImagePtr picture, probe_type_t type, int *size) {
    switch (type) {
    case PROBE_JPEG: return gdImageJpegPtr(picture, size, JPEG_QUALITY);
    case PROBE_PNG: return gdImagePngPtrEx(picture, size, PNG_COMPRESSION);
    case PROBE_WEBP: return gdImageWebpPtrEx(picture, size, WEBP_QUALITY);
    }
    return NULL;
}
