/* event: events and snapshots as JavaScript's own values: names instead of numbers, undefined instead of "". */
#include "chief_node.h"

static void set_text(napi_env env, napi_value object, const char *name, const char *text) {
    if (text != NULL && text[0] != '\0') js_set(env, object, name, js_text(env, text));
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
    js_set(env, object, name, js_number(env, number));
}

static void set_state(napi_env env, napi_value object, const char *name, chief_state_t state) {
    char text[64];
    if (state == 0) return;
    (void)chief_state_to_string(state, text, sizeof text);
    js_set(env, object, name, js_text(env, text));
}

napi_value event_show(napi_env env, const chief_event *e) {
    static const char *const levels[] = {"", "debug", "info", "warn", "error", "off"};
    napi_value object;
    if (napi_create_object(env, &object) != napi_ok) return NULL;
    js_set(env, object, "kind", js_text(env, chief_event_kind_name(e->kind)));
    set_number(env, object, "seq", (double)e->seq);
    set_number(env, object, "time", (double)e->time_ms);
    set_text(env, object, "level", e->level > 0 && e->level < 6 ? levels[e->level] : "");
    set_text(env, object, "worker", e->worker);
    set_text(env, object, "channel", e->channel);
    set_state(env, object, "state", e->state);
    set_state(env, object, "previous", e->previous);
    set_text(env, object, "reason", chief_reason_name(e->reason));
    set_text(env, object, "error", e->error);
    set_text(env, object, "traceback", e->traceback);
    if (e->generation > 0) set_number(env, object, "generation", (double)e->generation);
    if (e->kind == CHIEF_EVENT_RESTART) set_number(env, object, "delay", (double)e->delay_ms);
    return object;
}

static napi_value show_status(napi_env env, const chief_worker_status *s) {
    napi_value object;
    if (napi_create_object(env, &object) != napi_ok) return NULL;
    js_set(env, object, "name", js_text(env, s->name));
    set_state(env, object, "state", s->state);
    js_set(env, object, "phase", js_text(env, chief_phase_name(s->phase)));
    set_text(env, object, "reason", chief_reason_name(s->reason));
    set_number(env, object, "generation", (double)s->generation);
    set_number(env, object, "restarts", (double)s->restarts);
    if (s->until_ms >= 0) set_number(env, object, "until", (double)s->until_ms);
    set_text(env, object, "waitingFor", s->waiting_for);
    set_text(env, object, "error", s->error);
    set_text(env, object, "traceback", s->traceback);
    set_text(env, object, "why", s->why);
    js_set(env, object, "slow", js_boolean(env, s->slow != 0));
    return object;
}

napi_value snapshot_show(napi_env env, chief_snapshot *snapshot) {
    napi_value object = NULL, workers;
    if (napi_create_object(env, &object) == napi_ok && napi_create_array(env, &workers) == napi_ok) {
        set_number(env, object, "seq", (double)chief_snapshot_seq(snapshot));
        for (size_t i = 0; i < chief_snapshot_len(snapshot); i++)
            js_push(env, workers, show_status(env, chief_snapshot_at(snapshot, i)));
        js_set(env, object, "workers", workers);
    }
    chief_snapshot_free(snapshot);
    return object;
}
