#include "msg.h"

#include <stddef.h>
#include <string.h>

#include "alloc.h"
#include "call.h"

#define SMALL 128 /* bytes of a sender's name and a payload for which all messages are alike */

struct chief__body {
    atomic_uint refs; /* dropped with release, the last one acquires */
    size_t len;
    unsigned char data[];
};

/* ---- labels ---- */

chief__label *chief__label_new(const char *text) {
    size_t len = strlen(text);
    chief__label *label = chief__alloc(sizeof *label + len + 1);
    if (label == NULL) return NULL;
    atomic_init(&label->refs, 1);
    memcpy(label->text, text, len + 1);
    return label;
}

chief__label *chief__label_ref(chief__label *label) {
    (void)atomic_fetch_add_explicit(&label->refs, 1, memory_order_relaxed);
    return label;
}

void chief__label_unref(chief__label *label) {
    if (label != NULL && atomic_fetch_sub_explicit(&label->refs, 1, memory_order_acq_rel) == 1) chief__free(label);
}

/* ---- bodies ---- */

chief__body *chief__body_new(const void *data, size_t len) {
    if (len > SIZE_MAX / 2) return NULL;
    chief__body *body = chief__alloc(sizeof *body + len);
    if (body == NULL) return NULL;
    atomic_init(&body->refs, 1);
    body->len = len;
    if (len > 0) memcpy(body->data, data, len);
    return body;
}

void chief__body_unref(chief__body *body) {
    if (body != NULL && atomic_fetch_sub_explicit(&body->refs, 1, memory_order_acq_rel) == 1) chief__free(body);
}

/* ---- messages ---- */

uint64_t chief__origin_number(void) {
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static chief_msg *msg_alloc(const char *sender, chief__label *channel, size_t len) {
    const char *from = sender != NULL ? sender : "";
    size_t name = strlen(from) + 1;
    if (len > SIZE_MAX / 2) return NULL;
    size_t room = name + len > SMALL ? name + len : SMALL;
    unsigned char *block = chief__alloc(offsetof(chief_msg, sender) + room + CHIEF__CACHE_LINE - 1);
    if (block == NULL) return NULL;
    size_t gap = -(uintptr_t)block & (CHIEF__CACHE_LINE - 1);
    chief_msg *msg = (chief_msg *)(void *)(block + gap);
    memset(msg, 0, offsetof(chief_msg, sender));
    msg->gap = (uint8_t)gap;
    atomic_init(&msg->refs, 1);
    msg->channel = chief__label_ref(channel);
    msg->is_small = room == SMALL;
    memcpy(msg->sender, from, name);
    return msg;
}

bool chief__msg_fits(const char *sender, chief_bytes bytes) {
    return bytes.len < SMALL && strlen(sender != NULL ? sender : "") < SMALL - bytes.len;
}

/* Most often it comes from where the one before came from, whose name is there already. */
bool chief__msg_reuse(chief_msg *msg, chief__origin from, chief_bytes bytes) {
    bool same = from.number != 0 && msg->origin == from.number;
    const char *sender = from.sender != NULL ? from.sender : "";
    size_t name = same ? (size_t)(msg->data - (const unsigned char *)msg->sender) : strlen(sender) + 1;
    if (bytes.len > SMALL || name > SMALL - bytes.len) return false;
    atomic_store_explicit(&msg->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&msg->deliveries, 0, memory_order_relaxed);
    unsigned char *data = (unsigned char *)msg->sender + name;
    if (!same) {
        memcpy(msg->sender, sender, name);
        msg->data = data;
        msg->origin = from.number;
    }
    if (bytes.len > 0) memcpy(data, bytes.data, bytes.len);
    msg->len = bytes.len;
    return true;
}

unsigned char *chief__msg_room(chief_msg *msg) { return (unsigned char *)msg->sender + strlen(msg->sender) + 1; }

chief_msg *chief__msg_new(const char *sender, chief__label *channel, const void *data, size_t len) {
    chief_msg *msg = msg_alloc(sender, channel, len);
    if (msg == NULL) return NULL;
    if (data != NULL && len > 0) memcpy(chief__msg_room(msg), data, len);
    msg->data = chief__msg_room(msg);
    msg->len = len;
    return msg;
}

chief_msg *chief__msg_new_shared(const char *sender, chief__label *channel, chief__body *body) {
    chief_msg *msg = msg_alloc(sender, channel, 0);
    if (msg == NULL) return NULL;
    (void)atomic_fetch_add_explicit(&body->refs, 1, memory_order_relaxed);
    msg->body = body;
    msg->data = body->data;
    msg->len = body->len;
    return msg;
}

static bool is_last(chief_msg *msg) {
    return atomic_load_explicit(&msg->refs, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(&msg->refs, 1, memory_order_acq_rel) == 1;
}

void chief_msg_free(chief_msg *msg) {
    if (msg == NULL || !is_last(msg)) return;
    chief__call_unref(msg->call);
    chief__body_unref(msg->body);
    chief__label_unref(msg->channel);
    chief__free((unsigned char *)msg - msg->gap);
}

chief_bytes chief_msg_data(const chief_msg *msg) {
    chief_bytes none = {NULL, 0};
    return msg != NULL ? (chief_bytes){msg->data, msg->len} : none;
}

const char *chief_msg_sender(const chief_msg *msg) { return msg != NULL ? msg->sender : ""; }

const char *chief_msg_channel(const chief_msg *msg) { return msg != NULL ? msg->channel->text : ""; }

const char *chief_msg_kind(const chief_msg *msg) {
    static const char *const names[] = {"message", "call", "broadcast"};
    return msg != NULL ? names[msg->kind] : "";
}

uint64_t chief_msg_origin(const chief_msg *msg) { return msg != NULL ? msg->origin : 0; }

uint32_t chief_msg_deliveries(const chief_msg *msg) {
    return msg != NULL ? atomic_load_explicit(&msg->deliveries, memory_order_relaxed) : 0;
}

/* ---- lists ---- */

void chief__list_merge(chief__msg_list *list, chief__msg_list *more) {
    chief__msg_list both = {0};
    while (list->first != NULL && more->first != NULL)
        chief__list_push(&both, chief__list_pop(list->first->seq < more->first->seq ? list : more));
    chief__list_append(&both, more);
    chief__list_append(&both, list);
    *list = both;
}

void chief__list_discard_all(chief__msg_list *list) {
    chief_msg *msg;
    while ((msg = chief__list_pop(list)) != NULL) {
        if (msg->call != NULL) chief__call_end(msg->call);
        chief_msg_free(msg);
    }
}
