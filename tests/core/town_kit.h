/* town_kit: a hub with two workers, what reaches them, and calls between them. */
#ifndef CHIEF_TEST_TOWN_KIT_H
#define CHIEF_TEST_TOWN_KIT_H

#include "channel_kit.h"

#include "call.h"

typedef struct town {
    chief__hub *hub;
    kit_worker a, b;
} town;

static inline void town_open(town *t) {
    memset(t, 0, sizeof *t);
    assert_int_equal(chief__hub_new(&t->hub, NULL, NULL), CHIEF_OK);
    assert_int_equal(chief__hub_add_worker(t->hub, "a", 4), CHIEF_OK);
    assert_int_equal(chief__hub_add_worker(t->hub, "b", 4), CHIEF_OK);
    kit_open(&t->a, "a", t->hub);
    kit_open(&t->b, "b", t->hub);
}

static inline void town_close(town *t) {
    kit_close(&t->a, true);
    kit_close(&t->b, true);
    chief__hub_close(t->hub);
    chief__hub_unref(t->hub);
}

static inline chief_msg *receive(kit_worker *w) {
    chief_msg *msg;
    assert_int_equal(chief_worker_recv(as(w), support_ms(10000), &msg), CHIEF_OK);
    return msg;
}

static inline kit_op call_to(town *t, kit_worker *from, const char *to, int64_t timeout) {
    return (kit_op){.verb = KIT_CALL, .hub = t->hub, .worker = from, .to = to, .number = 20, .timeout = timeout};
}

#endif
