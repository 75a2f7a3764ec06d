/* plugin: workers whose callbacks come from a shared object, and the table that is all such an object may call. */
#include <dlfcn.h>
#include <string.h>

#include "chief.h"
#include "err.h"

#define ENTRY "chief_plugin_v1"

static const chief_api api = {
    .size = sizeof api,
    .abi = CHIEF_ABI,
    .worker_name = chief_worker_name,
    .worker_generation = chief_worker_generation,
    .worker_context = chief_worker_context,
    .worker_log = chief_worker_log,
    .worker_args = chief_worker_args,
    .worker_ready = chief_worker_ready,
    .worker_set_error = chief_worker_set_error,
    .worker_sleep = chief_worker_sleep,
    .worker_channel = chief_worker_channel,
    .worker_send = chief_worker_send,
    .worker_call = chief_worker_call,
    .worker_broadcast = chief_worker_broadcast,
    .worker_recv = chief_worker_recv,
    .channel_send = chief_channel_send,
    .send_reserve = chief_send_reserve,
    .send_commit = chief_send_commit,
    .send_cancel = chief_send_cancel,
    .channel_recv = chief_channel_recv,
    .channel_ack = chief_channel_ack,
    .select = chief_select,
    .channel_close = chief_channel_close,
    .channel_len = chief_channel_len,
    .msg_data = chief_msg_data,
    .msg_sender = chief_msg_sender,
    .msg_kind = chief_msg_kind,
    .msg_deliveries = chief_msg_deliveries,
    .msg_reply = chief_msg_reply,
    .msg_fail = chief_msg_fail,
    .msg_free = chief_msg_free,
    .context_err = chief_context_err,
    .context_fd = chief_context_fd,
    .context_get = chief_context_get,
    .value_clear = chief_value_clear,
    .log_write = chief_log_write,
    .strerror = chief_strerror,
    .last_error = chief_last_error,
    .pack_read = chief_pack_read,
    .pack_write = chief_pack_write,
    .channel_send_many = chief_channel_send_many,
    .channel_recv_many = chief_channel_recv_many,
    .channel_fd = chief_channel_fd,
    .worker_send_many = chief_worker_send_many,
    .worker_recv_many = chief_worker_recv_many,
    .worker_fd = chief_worker_fd,
    .worker_set_exit_code = chief_worker_set_exit_code,
    .worker_interrupt_reason = chief_worker_interrupt_reason,
    .wait_deadline = chief_wait_deadline,
    .wait_prepare = chief_wait_prepare,
    .wait_park = chief_wait_park,
    .wait_wake = chief_wait_wake,
    .msg_channel = chief_msg_channel,
    .context_reason = chief_context_reason,
    .context_remaining = chief_context_remaining,
    .context_wait = chief_context_wait,
    .set_last_error = chief_set_last_error,
    .msg_origin = chief_msg_origin,
};

const chief_api *chief_get_api(void) { return &api; }

/* The object is never closed: a thread may run in it for ever, and its callbacks outlive every worker. */
int chief_load_plugin(const char *path, chief_worker_ops *out) {
    if (path == NULL || out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = (chief_worker_ops){.size = sizeof *out};
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) return chief__fail(CHIEF_ENOENT, "plug-in %s can't be loaded: %s", path, dlerror());
    chief_plugin_fn fill;
    void *symbol = dlsym(object, ENTRY);
    if (symbol == NULL) return chief__fail(CHIEF_ENOENT, "plug-in %s exports no %s", path, ENTRY);
    memcpy(&fill, &symbol, sizeof fill);
    int rc = fill(&api, out);
    return rc == CHIEF_OK ? rc : chief__fail(CHIEF_EFAILED, "plug-in %s refused: %s returned %d", path, ENTRY, rc);
}

/* Of a table of an older caller, which may be shorter. */
static bool wants_process(const chief_worker_options *options) {
    chief_worker_options o;
    return chief__options_read(&o, sizeof o, options, "chief_worker_options") == CHIEF_OK &&
           o.isolation == CHIEF_PROCESS;
}

int chief_add_plugin(chief *c, const char *name, const char *path, const chief_worker_options *options) {
    chief_worker_ops ops;
    if (c == NULL) return chief__fail_code(CHIEF_EINVAL);
    int rc = chief_load_plugin(path, &ops);
    if (rc != CHIEF_OK) return rc;
    if (!wants_process(options)) return chief_add_worker_with(c, name, &ops, NULL, options);
    chief_process how = {.size = sizeof how, .spec = {path, strlen(path)}};
    how.restart_on_fail = ops.restart_on_fail != NULL && ops.restart_on_fail(NULL) != 0;
    return chief_add_process(c, name, &how, options);
}
