/* Header readers for JPEG, PNG and WebP. They follow what the decoders do (libjpeg skips garbage between markers,
 * libpng demands IHDR first), since a header read differently here and there would let a bomb through. */
#include "probe.h"

#include <string.h>

enum {
    JPEG_TEM = 0x01,
    JPEG_SOF0 = 0xC0,
    JPEG_DHT = 0xC4,
    JPEG_JPG = 0xC8,
    JPEG_DAC = 0xCC,
    JPEG_SOF15 = 0xCF,
    JPEG_RST0 = 0xD0,
    JPEG_RST7 = 0xD7,
    JPEG_SOI = 0xD8,
    JPEG_EOI = 0xD9,
    JPEG_SOS = 0xDA,
    JPEG_APP1 = 0xE1
};

enum { TIFF_ORIENTATION = 0x0112, TIFF_SHORT = 3 };

typedef struct {
    const uint8_t *at;
    size_t size;
} bytes_t;

static uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

static uint32_t be32(const uint8_t *p) { return be16(p) << 16 | be16(p + 2); }

static uint32_t le16(const uint8_t *p) { return (uint32_t)p[1] << 8 | p[0]; }

static uint32_t le24(const uint8_t *p) { return (uint32_t)p[2] << 16 | le16(p); }

static uint32_t le32(const uint8_t *p) { return le16(p + 2) << 16 | le16(p); }

static bool starts_with(bytes_t b, size_t offset, const char *text) {
    size_t length = strlen(text);
    return offset <= b.size && b.size - offset >= length && memcmp(b.at + offset, text, length) == 0;
}

static probe_result_t sized(probe_t *out, probe_type_t type, uint32_t width, uint32_t height) {
    if (width == 0 || height == 0) return PROBE_BROKEN;
    out->type = type;
    out->width = width;
    out->height = height;
    return PROBE_OK;
}

/* The orientation in the TIFF structure of an Exif segment; 1 when there is none or it makes no sense. */
static int tiff_orientation(bytes_t tiff) {
    if (tiff.size < 8) return 1;
    bool little = starts_with(tiff, 0, "II");
    if (!little && !starts_with(tiff, 0, "MM")) return 1;
    uint32_t (*u16)(const uint8_t *) = little ? le16 : be16;
    uint32_t (*u32)(const uint8_t *) = little ? le32 : be32;
    size_t directory = u32(tiff.at + 4);
    if (directory > tiff.size - 2) return 1;
    size_t count = u16(tiff.at + directory), first = directory + 2;
    for (size_t i = 0; i < count && first + (i + 1) * 12 <= tiff.size; i++) {
        const uint8_t *entry = tiff.at + first + i * 12;
        if (u16(entry) != TIFF_ORIENTATION || u16(entry + 2) != TIFF_SHORT) continue;
        uint32_t value = u16(entry + 8);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static bool is_frame_header(int marker) {
    return marker >= JPEG_SOF0 && marker <= JPEG_SOF15 && marker != JPEG_DHT && marker != JPEG_JPG &&
           marker != JPEG_DAC;
}

static bool stands_alone(int marker) { return marker == JPEG_TEM || (marker >= JPEG_RST0 && marker <= JPEG_RST7); }

/* The next marker at or after *pos, and *pos behind it; -1 at the end of the bytes. */
static int next_marker(bytes_t b, size_t *pos) {
    while (*pos < b.size) {
        const uint8_t *ff = memchr(b.at + *pos, 0xFF, b.size - *pos);
        if (ff == NULL) break;
        size_t i = (size_t)(ff - b.at);
        while (i < b.size && b.at[i] == 0xFF) i++;
        *pos = i;
        if (i == b.size) break;
        *pos = i + 1;
        if (b.at[i] != 0) return b.at[i];
    }
    return -1;
}

static probe_result_t frame_header(bytes_t segment, size_t end, probe_t *out) {
    if (segment.size < 6) return PROBE_BROKEN;
    out->header_end = end;
    return sized(out, PROBE_JPEG, be16(segment.at + 3), be16(segment.at + 1));
}

static probe_result_t probe_jpeg(bytes_t b, probe_t *out) {
    size_t pos = 2;
    out->orientation = 1;
    for (;;) {
        int marker = next_marker(b, &pos);
        if (marker < 0) return PROBE_TRUNCATED;
        if (stands_alone(marker)) continue;
        if (marker == JPEG_SOI || marker == JPEG_EOI || marker == JPEG_SOS) return PROBE_BROKEN;
        if (b.size - pos < 2) return PROBE_TRUNCATED;
        size_t length = be16(b.at + pos);
        if (length < 2) return PROBE_BROKEN;
        if (b.size - pos < length) return PROBE_TRUNCATED;
        bytes_t segment = {b.at + pos + 2, length - 2};
        pos += length;
        if (is_frame_header(marker)) return frame_header(segment, pos, out);
        if (marker == JPEG_APP1 && starts_with(segment, 0, "Exif") && segment.size > 6)
            out->orientation = tiff_orientation((bytes_t){segment.at + 6, segment.size - 6});
    }
}

static probe_result_t probe_png(bytes_t b, probe_t *out) {
    if (b.size < 24) return PROBE_TRUNCATED;
    if (!starts_with(b, 12, "IHDR")) return PROBE_BROKEN;
    return sized(out, PROBE_PNG, be32(b.at + 16), be32(b.at + 20));
}

static probe_result_t probe_webp(bytes_t b, probe_t *out) {
    if (b.size < 30) return PROBE_TRUNCATED;
    const uint8_t *data = b.at + 20;
    if (starts_with(b, 12, "VP8 ")) return sized(out, PROBE_WEBP, le16(data + 6) & 0x3FFF, le16(data + 8) & 0x3FFF);
    if (starts_with(b, 12, "VP8L")) {
        uint32_t bits = le32(data + 1);
        return sized(out, PROBE_WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
    }
    if (!starts_with(b, 12, "VP8X")) return PROBE_BROKEN;
    if (data[0] & 0x02) return PROBE_ANIMATED;
    return sized(out, PROBE_WEBP, le24(data + 4) + 1, le24(data + 7) + 1);
}

probe_result_t probe(const uint8_t *bytes, size_t size, probe_t *out) {
    bytes_t b = {bytes, size};
    probe_t found = {.orientation = 1};
    probe_result_t result = PROBE_UNKNOWN;
    if (starts_with(b, 0, "\xFF\xD8\xFF")) result = probe_jpeg(b, &found);
    else if (starts_with(b, 0, "\x89PNG\r\n\x1A\n")) result = probe_png(b, &found);
    else if (starts_with(b, 0, "RIFF") && starts_with(b, 8, "WEBP")) result = probe_webp(b, &found);
    if (result == PROBE_OK) *out = found;
    return result;
}

/* How often the marker occurs behind the frame header. Coded pixels never hold FF followed by it: they stuff a zero. */
static size_t count_marker(const uint8_t *bytes, size_t size, const probe_t *picture, int wanted) {
    size_t pos = picture->header_end, count = 0;
    int marker;
    while ((marker = next_marker((bytes_t){bytes, size}, &pos)) >= 0)
        if (marker == wanted) count++;
    return count;
}

bool probe_is_whole(const uint8_t *bytes, size_t size, const probe_t *picture) {
    return picture->type != PROBE_JPEG || count_marker(bytes, size, picture, JPEG_EOI) > 0;
}

size_t probe_scans(const uint8_t *bytes, size_t size, const probe_t *picture) {
    return picture->type == PROBE_JPEG ? count_marker(bytes, size, picture, JPEG_SOS) : 1;
}
