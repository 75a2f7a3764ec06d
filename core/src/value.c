#include "value.h"

#include <stdatomic.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

struct chief__box {
    atomic_uint refs;  /* dropped with release, the last one acquires */
    chief_value value; /* const after new; its bytes follow */
};

static int check(const chief_value *value) {
    if (value->type < CHIEF_NIL || value->type > CHIEF_POINTER)
        return chief__fail(CHIEF_EINVAL, "there is no value type %d", (int)value->type);
    if (value->type == CHIEF_BYTES && value->bytes.data == NULL && value->bytes.len > 0)
        return chief__fail(CHIEF_EINVAL, "%zu bytes and no data", value->bytes.len);
    return CHIEF_OK;
}

static chief__box *box_make(const chief_value *value) {
    size_t len = value->type == CHIEF_BYTES ? value->bytes.len : 0;
    if (len > SIZE_MAX / 2) return NULL;
    chief__box *box = chief__alloc(sizeof *box + len + 1);
    if (box == NULL) return NULL;
    atomic_init(&box->refs, 1);
    box->value = *value;
    box->value.owner = box;
    if (value->type != CHIEF_BYTES) return box;
    char *bytes = (char *)(box + 1);
    if (len > 0) memcpy(bytes, value->bytes.data, len);
    bytes[len] = '\0';
    box->value.bytes.data = bytes;
    return box;
}

int chief__box_new(chief__box **out, const chief_value *value) {
    *out = NULL;
    int rc = check(value);
    if (rc != CHIEF_OK) return rc;
    if (value->owner != NULL) {
        *out = value->owner;
        (void)atomic_fetch_add_explicit(&(*out)->refs, 1, memory_order_relaxed);
        return CHIEF_OK;
    }
    *out = box_make(value);
    return *out != NULL ? CHIEF_OK : chief__fail_code(CHIEF_ENOMEM);
}

void chief__box_unref(chief__box *box) {
    if (box == NULL || atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) != 1) return;
    if (box->value.type == CHIEF_POINTER && box->value.destroy != NULL) box->value.destroy(box->value.pointer);
    chief__free(box);
}

void chief__box_get(chief__box *box, chief_value *out) {
    (void)atomic_fetch_add_explicit(&box->refs, 1, memory_order_relaxed);
    *out = box->value;
}

void chief_value_clear(chief_value *value) {
    if (value == NULL) return;
    chief__box *box = value->owner;
    memset(value, 0, sizeof *value);
    chief__box_unref(box);
}
