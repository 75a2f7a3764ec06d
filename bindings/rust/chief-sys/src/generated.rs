// Written by bindings/rust/sys.lua from chief.h and chief_lua.h, whose comments say what each of these is.
use std::os::raw::{c_char, c_int, c_void};

pub const CHIEF_EINVAL: i32 = -1001;
pub const CHIEF_ENOMEM: i32 = -1002;
pub const CHIEF_ENOENT: i32 = -1003;
pub const CHIEF_EEXIST: i32 = -1004;
pub const CHIEF_EBUSY: i32 = -1005;
pub const CHIEF_ESTATE: i32 = -1006;
pub const CHIEF_ENOTINIT: i32 = -1007;
pub const CHIEF_ETIMEDOUT: i32 = -1008;
pub const CHIEF_ECANCELED: i32 = -1009;
pub const CHIEF_ECLOSED: i32 = -1010;
pub const CHIEF_EAGAIN: i32 = -1011;
pub const CHIEF_EFULL: i32 = -1012;
pub const CHIEF_ETOOBIG: i32 = -1013;
pub const CHIEF_ENOREPLY: i32 = -1014;
pub const CHIEF_ECALL: i32 = -1015;
pub const CHIEF_EFAILED: i32 = -1016;
pub const CHIEF_ECYCLE: i32 = -1017;
pub const CHIEF_EDEADLK: i32 = -1018;
pub const CHIEF_EFORK: i32 = -1019;
pub const CHIEF_ESYS: i32 = -1020;
pub const CHIEF_ENOTSUP: i32 = -1021;
pub const CHIEF_EDATA: i32 = -1022;
pub const CHIEF_EENABLE: i32 = -1023;
pub const CHIEF_VERSION: &str = "0.1.0";
pub const CHIEF_ABI: i64 = 0;
pub const CHIEF_ZERO: i64 = i64::MIN;
pub const CHIEF_FOREVER: i64 = -1;
pub const CHIEF_CTX_KEY_LOG: &str = "chief-log";
pub const CHIEF_OK: i32 = 0;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_allocator {
    pub size: u32,
    pub realloc: Option<unsafe extern "C" fn(data: *mut c_void, ptr: *mut c_void, size: usize) -> *mut c_void>,
    pub data: *mut c_void,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_bytes {
    pub data: *const c_void,
    pub len: usize,
}
pub type chief_destructor = Option<unsafe extern "C" fn(data: *mut c_void)>;
pub const CHIEF_NIL: i32 = 0;
pub const CHIEF_BOOL: i32 = 1;
pub const CHIEF_INTEGER: i32 = 2;
pub const CHIEF_NUMBER: i32 = 3;
pub const CHIEF_BYTES: i32 = 4;
pub const CHIEF_POINTER: i32 = 5;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_value {
    pub r#type: i32,
    pub boolean: i32,
    pub integer: i64,
    pub number: f64,
    pub bytes: chief_bytes,
    pub pointer: *mut c_void,
    pub destroy: chief_destructor,
    pub owner: *mut c_void,
}
#[repr(C)]
pub struct chief_context {
    _private: [u8; 0],
}
pub const CHIEF_DEBUG: i32 = 1;
pub const CHIEF_INFO: i32 = 2;
pub const CHIEF_WARN: i32 = 3;
pub const CHIEF_ERROR: i32 = 4;
pub const CHIEF_OFF: i32 = 5;
pub const CHIEF_LOG_TEXT: i32 = 0;
pub const CHIEF_LOG_JSON: i32 = 1;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_field {
    pub key: *const c_char,
    pub value: chief_value,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_record {
    pub size: u32,
    pub level: i32,
    pub time_ms: i64,
    pub message: *const c_char,
    pub fields: *const chief_field,
    pub n_fields: usize,
}
pub type chief_sink = Option<unsafe extern "C" fn(data: *mut c_void, record: *const chief_record)>;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_log_options {
    pub size: u32,
    pub level: i32,
    pub format: i32,
    pub sink: chief_sink,
    pub data: *mut c_void,
    pub destroy: chief_destructor,
}
#[repr(C)]
pub struct chief_log {
    _private: [u8; 0],
}
pub type chief_state_t = i32;
pub const CHIEF_WORKER_WRONG_STATE_CHANGE: i32 = -1;
pub const CHIEF_WORKER_NULL: i32 = 1;
pub const CHIEF_WORKER_DISABLED: i32 = 2;
pub const CHIEF_WORKER_PRESENT: i32 = 3;
pub const CHIEF_WORKER_ENABLED: i32 = 4;
pub const CHIEF_WORKER_INITIALIZED: i32 = 5;
pub const CHIEF_WORKER_RUN: i32 = 6;
pub const CHIEF_WORKER_STOPPED: i32 = 7;
pub const CHIEF_WORKER_FAILED: i32 = 8;
#[repr(C)]
pub struct chief_rule {
    _private: [u8; 0],
}
#[repr(C)]
pub struct chief_msg {
    _private: [u8; 0],
}
#[repr(C)]
pub struct chief_worker {
    _private: [u8; 0],
}
pub const CHIEF_BLOCK: i32 = 0;
pub const CHIEF_DROP_OLDEST: i32 = 1;
pub const CHIEF_FAIL: i32 = 2;
pub const CHIEF_AT_MOST_ONCE: i32 = 0;
pub const CHIEF_AT_LEAST_ONCE: i32 = 1;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_channel_options {
    pub size: u32,
    pub overflow: i32,
    pub delivery: i32,
    pub capacity: u32,
    pub max_deliveries: i64,
    pub max_message: i64,
    pub dead: *const c_char,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_channel_stats {
    pub size: u32,
    pub capacity: u32,
    pub sent: u64,
    pub received: u64,
    pub queued: u64,
    pub dropped: u64,
    pub acknowledged: u64,
    pub in_hand: u64,
    pub redelivered: u64,
    pub dead: u64,
}
#[repr(C)]
pub struct chief_channel {
    _private: [u8; 0],
}
#[repr(C)]
pub struct chief_reservation {
    _private: [u8; 0],
}
pub const CHIEF_TOKEN_NIL: i32 = 0;
pub const CHIEF_TOKEN_BOOL: i32 = 1;
pub const CHIEF_TOKEN_INT: i32 = 2;
pub const CHIEF_TOKEN_FLOAT: i32 = 3;
pub const CHIEF_TOKEN_STR: i32 = 4;
pub const CHIEF_TOKEN_BIN: i32 = 5;
pub const CHIEF_TOKEN_ARRAY: i32 = 6;
pub const CHIEF_TOKEN_MAP: i32 = 7;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_token {
    pub kind: i32,
    pub reserved: u32,
    pub integer: i64,
    pub number: f64,
    pub data: *const c_char,
    pub len: u64,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_worker_ops {
    pub size: u32,
    pub init: Option<unsafe extern "C" fn(ctx: *mut chief_worker, data: *mut c_void, instance: *mut *mut c_void) -> c_int>,
    pub run: Option<unsafe extern "C" fn(ctx: *mut chief_worker, instance: *mut c_void) -> c_int>,
    pub fini: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    pub restart_on_fail: Option<unsafe extern "C" fn(data: *mut c_void) -> c_int>,
    pub interrupt: Option<unsafe extern "C" fn(ctx: *mut chief_worker, instance: *mut c_void)>,
    pub look: Option<unsafe extern "C" fn(ctx: *mut chief_worker, buf: *mut c_char, size: usize, timeout_ms: i64) -> usize>,
}
pub const CHIEF_REASON_NONE: i32 = 0;
pub const CHIEF_REASON_OK: i32 = 1;
pub const CHIEF_REASON_ERROR: i32 = 2;
pub const CHIEF_REASON_LUA_ERROR: i32 = 3;
pub const CHIEF_REASON_INIT_ERROR: i32 = 4;
pub const CHIEF_REASON_START_TIMEOUT: i32 = 5;
pub const CHIEF_REASON_WATCHDOG: i32 = 6;
pub const CHIEF_REASON_MEMORY_LIMIT: i32 = 7;
pub const CHIEF_REASON_KILLED: i32 = 8;
pub const CHIEF_REASON_CANCELLED: i32 = 9;
pub const CHIEF_WAIT_TIME: i32 = 0;
pub const CHIEF_WAIT_RECV: i32 = 1;
pub const CHIEF_WAIT_SEND: i32 = 2;
pub const CHIEF_WAIT_REPLY: i32 = 3;
pub const CHIEF_WAIT_FD: i32 = 4;
pub const CHIEF_WAIT_WAKE: i32 = 5;
pub const CHIEF_FD_READ: i32 = 1;
pub const CHIEF_FD_WRITE: i32 = 2;
#[repr(C)]
pub struct chief_pending {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_wait {
    pub size: u32,
    pub kind: i32,
    pub deadline: i64,
    pub channels: *const *mut chief_channel,
    pub n: usize,
    pub call: *mut chief_pending,
    pub fd: i32,
    pub events: u32,
    pub also: *const chief_wait,
    pub received: *mut *mut chief_msg,
}
#[repr(C)]
pub struct chief_snapshot {
    _private: [u8; 0],
}
#[repr(C)]
pub struct chief_pool {
    _private: [u8; 0],
}
pub const CHIEF_PHASE_IDLE: i32 = 0;
pub const CHIEF_PHASE_WAITING: i32 = 1;
pub const CHIEF_PHASE_STARTING: i32 = 2;
pub const CHIEF_PHASE_UP: i32 = 3;
pub const CHIEF_PHASE_STOPPING: i32 = 4;
pub const CHIEF_PHASE_ABANDONED: i32 = 5;
pub const CHIEF_PHASE_GIVEN_UP: i32 = 6;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_worker_status {
    pub size: u32,
    pub state: chief_state_t,
    pub phase: i32,
    pub reason: i32,
    pub name: *const c_char,
    pub generation: u64,
    pub restarts: u64,
    pub until_ms: i64,
    pub waiting_for: *const c_char,
    pub error: *const c_char,
    pub traceback: *const c_char,
    pub why: *const c_char,
    pub slow: i32,
}
pub const CHIEF_EVENT_STATE: i32 = 1;
pub const CHIEF_EVENT_WRONG_STATE_CHANGE: i32 = 2;
pub const CHIEF_EVENT_READY: i32 = 3;
pub const CHIEF_EVENT_RESTART: i32 = 4;
pub const CHIEF_EVENT_GIVEN_UP: i32 = 5;
pub const CHIEF_EVENT_ABANDONED: i32 = 6;
pub const CHIEF_EVENT_REMOVED: i32 = 7;
pub const CHIEF_EVENT_MESSAGE_DROPPED: i32 = 8;
pub const CHIEF_EVENT_NOTE: i32 = 9;
pub const CHIEF_EVENT_SIGNAL: i32 = 10;
pub const CHIEF_EVENT_STOPPING: i32 = 11;
pub const CHIEF_EVENT_HOOK_TIMEOUT: i32 = 12;
pub const CHIEF_EVENT_STOPPED: i32 = 13;
pub const CHIEF_EVENT_FORCED: i32 = 14;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_event {
    pub size: u32,
    pub kind: i32,
    pub seq: u64,
    pub time_ms: i64,
    pub generation: u64,
    pub state: chief_state_t,
    pub previous: chief_state_t,
    pub reason: i32,
    pub level: i32,
    pub delay_ms: i64,
    pub worker: *const c_char,
    pub channel: *const c_char,
    pub error: *const c_char,
    pub traceback: *const c_char,
}
#[repr(C)]
pub struct chief_zone {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_cron {
    pub size: u32,
    pub hours: u32,
    pub minutes: u64,
    pub days: u32,
    pub months: u32,
    pub weekdays: u32,
    pub reserved: u32,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_schedule {
    pub size: u32,
    pub later: i32,
    pub every: i64,
    pub cron: *const c_char,
    pub tz: *const c_char,
}
#[repr(C)]
pub struct chief {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_app_info {
    pub size: u32,
    pub pid: i32,
    pub started_ms: i64,
    pub name: *const c_char,
    pub version: *const c_char,
    pub build: *const c_char,
    pub tag: *const c_char,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_options {
    pub size: u32,
    pub require_names: i32,
    pub name: *const c_char,
    pub force_stop_timeout: i64,
    pub init_timeout: i64,
    pub hook_timeout: i64,
    pub seed: u64,
    pub event_capacity: u32,
    pub exit_when_done: i32,
    pub log: *mut chief_log,
    pub thread_stack: usize,
    pub force_time: i64,
    pub event_level: i32,
    pub fiber_threads: u32,
    pub max_restarts: i64,
    pub restart_window: i64,
    pub info: *const chief_app_info,
}
pub const CHIEF_RESTART_DEFAULT: i32 = 0;
pub const CHIEF_RESTART_NEVER: i32 = 1;
pub const CHIEF_RESTART_ON_FAILURE: i32 = 2;
pub const CHIEF_RESTART_ALWAYS: i32 = 3;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_restart {
    pub size: u32,
    pub policy: i32,
    pub delay: i64,
    pub factor: f64,
    pub max_delay: i64,
    pub jitter: f64,
    pub max_restarts: i64,
    pub window: i64,
    pub isolate_after: i64,
}
pub const CHIEF_WORKER_SAYS_READY: i32 = 1;
pub const CHIEF_WORKER_CRITICAL: i32 = 2;
pub const CHIEF_ISOLATION_DEFAULT: i32 = 0;
pub const CHIEF_THREAD: i32 = 1;
pub const CHIEF_FIBER: i32 = 2;
pub const CHIEF_PROCESS: i32 = 3;
pub const CHIEF_PART_INIT: i32 = 1;
pub const CHIEF_PART_RUN: i32 = 2;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_fiber_ops {
    pub size: u32,
    pub reserved: i32,
    pub resume: Option<unsafe extern "C" fn(ctx: *mut chief_worker, data: *mut c_void, instance: *mut *mut c_void, part: i32) -> c_int>,
    pub on_message: Option<unsafe extern "C" fn(ctx: *mut chief_worker, instance: *mut c_void, msg: *const chief_msg) -> c_int>,
    pub on_timer: Option<unsafe extern "C" fn(ctx: *mut chief_worker, instance: *mut c_void) -> c_int>,
    pub interval: i64,
}
pub const CHIEF_ANSWER_DEFAULT: i32 = 0;
pub const CHIEF_ANSWER_RESTART: i32 = 1;
pub const CHIEF_ANSWER_DELAY: i32 = 2;
pub const CHIEF_ANSWER_GIVE_UP: i32 = 3;
pub const CHIEF_ANSWER_ISOLATE: i32 = 4;
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_answer {
    pub size: u32,
    pub kind: i32,
    pub delay_ms: i64,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_end {
    pub generation: u64,
    pub reason: i32,
    pub code: i32,
    pub time_ms: i64,
    pub up_ms: i64,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_exit {
    pub size: u32,
    pub n_history: u32,
    pub worker: *const c_char,
    pub error: *const c_char,
    pub failures: u64,
    pub restarts: u64,
    pub history: *const chief_end,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_policy {
    pub size: u32,
    pub reserved: i32,
    pub on_exit: Option<unsafe extern "C" fn(data: *mut c_void, exit: *const chief_exit, answer: *mut chief_answer) -> c_int>,
    pub data: *mut c_void,
    pub destroy: chief_destructor,
    pub timeout: i64,
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_worker_options {
    pub size: u32,
    pub flags: u32,
    pub restart: *const chief_restart,
    pub after: *const *const c_char,
    pub n_after: usize,
    pub sends: *const *const c_char,
    pub n_sends: usize,
    pub receives: *const *const c_char,
    pub n_receives: usize,
    pub args: chief_bytes,
    pub grace: i64,
    pub start_timeout: i64,
    pub destroy: chief_destructor,
    pub mailbox_capacity: u32,
    pub isolation: i32,
    pub count: u32,
    pub no_restart_codes: *const i32,
    pub n_no_restart_codes: usize,
    pub fiber: *const chief_fiber_ops,
    pub schedule: *const chief_schedule,
    pub policy: *const chief_policy,
    pub process: *const chief_process,
}
pub const CHIEF_ONE_FOR_ONE: i32 = 1;
pub const CHIEF_ONE_FOR_ALL: i32 = 2;
pub const CHIEF_REST_FOR_ONE: i32 = 3;
pub const CHIEF_CATCH_STOP: i32 = 1;
pub const CHIEF_CATCH_HUP: i32 = 2;
pub const CHIEF_CATCH_USR2: i32 = 4;
pub const CHIEF_CATCH_LAST: i32 = 8;
pub type chief_chief_maker = Option<unsafe extern "C" fn(ctx: *mut chief_worker, data: *mut c_void, out: *mut *mut chief) -> c_int>;
#[repr(C)]
pub struct chief_hosted {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_process {
    pub size: u32,
    pub restart_on_fail: i32,
    pub argv: *const *const c_char,
    pub n_argv: usize,
    pub spec: chief_bytes,
    pub env: *const *const c_char,
    pub n_env: usize,
    pub cwd: *const c_char,
    pub user: *const c_char,
    pub group: *const c_char,
    pub umask: i64,
    pub memory: i64,
    pub cpu: i64,
    pub files: i64,
    pub file_size: i64,
    pub processes: i64,
    pub core: i64,
}
#[repr(C)]
pub struct chief_child {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_api {
    pub size: u32,
    pub abi: u32,
    pub worker_name: Option<unsafe extern "C" fn(_: *const chief_worker) -> *const c_char>,
    pub worker_generation: Option<unsafe extern "C" fn(_: *const chief_worker) -> u64>,
    pub worker_context: Option<unsafe extern "C" fn(_: *mut chief_worker) -> *mut chief_context>,
    pub worker_log: Option<unsafe extern "C" fn(_: *mut chief_worker) -> *mut chief_log>,
    pub worker_args: Option<unsafe extern "C" fn(_: *const chief_worker) -> chief_bytes>,
    pub worker_ready: Option<unsafe extern "C" fn(_: *mut chief_worker)>,
    pub worker_set_error: Option<unsafe extern "C" fn(_: *mut chief_worker, _: i32, _: *const c_char, _: *const c_char)>,
    pub worker_sleep: Option<unsafe extern "C" fn(_: *mut chief_worker, _: i64) -> c_int>,
    pub worker_channel: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const c_char, _: *mut *mut chief_channel) -> c_int>,
    pub worker_send: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const c_char, _: *const c_void, _: usize, _: i64) -> c_int>,
    pub worker_call: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const c_char, _: *const c_void, _: usize, _: i64, _: *mut *mut chief_msg) -> c_int>,
    pub worker_broadcast: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const c_void, _: usize, _: *mut usize) -> c_int>,
    pub worker_recv: Option<unsafe extern "C" fn(_: *mut chief_worker, _: i64, _: *mut *mut chief_msg) -> c_int>,
    pub channel_send: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker, _: *const c_void, _: usize, _: i64) -> c_int>,
    pub send_reserve: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker, _: usize, _: i64, _: *mut *mut chief_reservation, _: *mut *mut c_void) -> c_int>,
    pub send_commit: Option<unsafe extern "C" fn(_: *mut chief_reservation, _: usize) -> c_int>,
    pub send_cancel: Option<unsafe extern "C" fn(_: *mut chief_reservation)>,
    pub channel_recv: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker, _: i64, _: *mut *mut chief_msg) -> c_int>,
    pub channel_ack: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker)>,
    pub select: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const *mut chief_channel, _: usize, _: i64, _: *mut usize, _: *mut *mut chief_msg) -> c_int>,
    pub channel_close: Option<unsafe extern "C" fn(_: *mut chief_channel)>,
    pub channel_len: Option<unsafe extern "C" fn(_: *mut chief_channel) -> usize>,
    pub msg_data: Option<unsafe extern "C" fn(_: *const chief_msg) -> chief_bytes>,
    pub msg_sender: Option<unsafe extern "C" fn(_: *const chief_msg) -> *const c_char>,
    pub msg_kind: Option<unsafe extern "C" fn(_: *const chief_msg) -> *const c_char>,
    pub msg_deliveries: Option<unsafe extern "C" fn(_: *const chief_msg) -> u32>,
    pub msg_reply: Option<unsafe extern "C" fn(_: *mut chief_msg, _: *const c_void, _: usize) -> c_int>,
    pub msg_fail: Option<unsafe extern "C" fn(_: *mut chief_msg, _: *const c_char) -> c_int>,
    pub msg_free: Option<unsafe extern "C" fn(_: *mut chief_msg)>,
    pub context_err: Option<unsafe extern "C" fn(_: *mut chief_context) -> c_int>,
    pub context_fd: Option<unsafe extern "C" fn(_: *mut chief_context) -> c_int>,
    pub context_get: Option<unsafe extern "C" fn(_: *mut chief_context, _: *const c_char, _: *mut chief_value) -> c_int>,
    pub value_clear: Option<unsafe extern "C" fn(_: *mut chief_value)>,
    pub log_write: Option<unsafe extern "C" fn(_: *mut chief_log, _: i32, _: *const c_char, _: *const chief_field, _: usize)>,
    pub strerror: Option<unsafe extern "C" fn(_: c_int) -> *const c_char>,
    pub last_error: Option<unsafe extern "C" fn() -> *const c_char>,
    pub pack_read: Option<unsafe extern "C" fn(_: *const c_void, _: usize, _: *mut chief_token, _: usize, _: *mut usize) -> c_int>,
    pub pack_write: Option<unsafe extern "C" fn(_: *const chief_token, _: usize, _: *mut c_void, _: usize, _: *mut usize) -> c_int>,
    pub channel_send_many: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker, _: *const chief_bytes, _: usize, _: i64, _: *mut usize) -> c_int>,
    pub channel_recv_many: Option<unsafe extern "C" fn(_: *mut chief_channel, _: *mut chief_worker, _: i64, _: *mut *mut chief_msg, _: usize, _: *mut usize) -> c_int>,
    pub channel_fd: Option<unsafe extern "C" fn(_: *mut chief_channel) -> c_int>,
    pub worker_send_many: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const c_char, _: *const chief_bytes, _: usize, _: i64, _: *mut usize) -> c_int>,
    pub worker_recv_many: Option<unsafe extern "C" fn(_: *mut chief_worker, _: i64, _: *mut *mut chief_msg, _: usize, _: *mut usize) -> c_int>,
    pub worker_fd: Option<unsafe extern "C" fn(_: *mut chief_worker) -> c_int>,
    pub worker_set_exit_code: Option<unsafe extern "C" fn(_: *mut chief_worker, _: i32)>,
    pub worker_interrupt_reason: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *mut c_char, _: usize) -> usize>,
    pub wait_deadline: Option<unsafe extern "C" fn(_: i64) -> i64>,
    pub wait_prepare: Option<unsafe extern "C" fn(_: *mut chief_worker, _: *const chief_wait) -> c_int>,
    pub wait_park: Option<unsafe extern "C" fn(_: *mut chief_worker)>,
    pub wait_wake: Option<unsafe extern "C" fn(_: *mut chief_worker)>,
    pub msg_channel: Option<unsafe extern "C" fn(_: *const chief_msg) -> *const c_char>,
    pub context_reason: Option<unsafe extern "C" fn(_: *mut chief_context, _: *mut c_char, _: usize) -> usize>,
    pub context_remaining: Option<unsafe extern "C" fn(_: *mut chief_context) -> i64>,
    pub context_wait: Option<unsafe extern "C" fn(_: *mut chief_context, _: i64) -> c_int>,
    pub set_last_error: Option<unsafe extern "C" fn(_: c_int, _: *const c_char) -> c_int>,
    pub msg_origin: Option<unsafe extern "C" fn(_: *const chief_msg) -> u64>,
}
pub type chief_plugin_fn = Option<unsafe extern "C" fn(api: *const chief_api, out: *mut chief_worker_ops) -> c_int>;
#[repr(C)]
pub struct chief_sim {
    _private: [u8; 0],
}
pub const CHIEF_SIM_OBEYS: i32 = 0;
pub const CHIEF_SIM_BUSY: i32 = 1;
pub const CHIEF_SIM_STUCK: i32 = 2;

#[link(name = "chief")]
extern "C" {
    pub fn chief_abi() -> u32;
    pub fn chief_version() -> *const c_char;
    pub fn chief_strerror(code: c_int) -> *const c_char;
    pub fn chief_error_code(code: c_int) -> *const c_char;
    pub fn chief_last_error() -> *const c_char;
    pub fn chief_last_error_take(buf: *mut c_char, size: usize) -> usize;
    pub fn chief_set_last_error(code: c_int, text: *const c_char) -> c_int;
    pub fn chief_set_allocator(allocator: *const chief_allocator) -> c_int;
    pub fn chief_value_clear(value: *mut chief_value);
    pub fn chief_context_new(out: *mut *mut chief_context, parent: *mut chief_context) -> c_int;
    pub fn chief_context_new_deadline(out: *mut *mut chief_context, parent: *mut chief_context, timeout_ms: i64) -> c_int;
    pub fn chief_context_ref(ctx: *mut chief_context) -> *mut chief_context;
    pub fn chief_context_unref(ctx: *mut chief_context);
    pub fn chief_context_cancel(ctx: *mut chief_context, reason: *const c_char);
    pub fn chief_context_err(ctx: *mut chief_context) -> c_int;
    pub fn chief_context_reason(ctx: *mut chief_context, buf: *mut c_char, size: usize) -> usize;
    pub fn chief_context_remaining(ctx: *mut chief_context) -> i64;
    pub fn chief_context_wait(ctx: *mut chief_context, timeout_ms: i64) -> c_int;
    pub fn chief_context_fd(ctx: *mut chief_context) -> c_int;
    pub fn chief_context_set(ctx: *mut chief_context, key: *const c_char, value: *const chief_value) -> c_int;
    pub fn chief_context_get(ctx: *mut chief_context, key: *const c_char, out: *mut chief_value) -> c_int;
    pub fn chief_log_new(out: *mut *mut chief_log, options: *const chief_log_options) -> c_int;
    pub fn chief_log_ref(log: *mut chief_log) -> *mut chief_log;
    pub fn chief_log_unref(log: *mut chief_log);
    pub fn chief_log_with_fields(out: *mut *mut chief_log, log: *mut chief_log, fields: *const chief_field, n: usize) -> c_int;
    pub fn chief_log_set_level(log: *mut chief_log, level: i32) -> c_int;
    pub fn chief_log_write(log: *mut chief_log, level: i32, message: *const c_char, fields: *const chief_field, n: usize);
    pub fn chief_state_to_string(state: chief_state_t, buf: *mut c_char, size: usize) -> usize;
    pub fn chief_state_validate(state: chief_state_t) -> c_int;
    pub fn chief_state_to_json(state: chief_state_t, buf: *mut c_char, size: usize, len: *mut usize) -> c_int;
    pub fn chief_state_from_json(json: *const c_char, len: usize, out: *mut chief_state_t) -> c_int;
    pub fn chief_state_value(state: chief_state_t) -> *const c_char;
    pub fn chief_state_scan(value: *const chief_value, out: *mut chief_state_t) -> c_int;
    pub fn chief_state_transition(from: chief_state_t, to: chief_state_t) -> chief_state_t;
    pub fn chief_rule_new(out: *mut *mut chief_rule, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_rule_free(rule: *mut chief_rule);
    pub fn chief_rule_validate(rule: *const chief_rule, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_rule_error(out: *mut *mut chief_rule, rule: *const chief_rule, message: *const c_char) -> c_int;
    pub fn chief_rule_available(rule: *const chief_rule, n: *mut usize) -> *const *const c_char;
    pub fn chief_msg_data(msg: *const chief_msg) -> chief_bytes;
    pub fn chief_msg_sender(msg: *const chief_msg) -> *const c_char;
    pub fn chief_msg_kind(msg: *const chief_msg) -> *const c_char;
    pub fn chief_msg_channel(msg: *const chief_msg) -> *const c_char;
    pub fn chief_msg_origin(msg: *const chief_msg) -> u64;
    pub fn chief_msg_deliveries(msg: *const chief_msg) -> u32;
    pub fn chief_msg_reply(msg: *mut chief_msg, data: *const c_void, len: usize) -> c_int;
    pub fn chief_msg_fail(msg: *mut chief_msg, text: *const c_char) -> c_int;
    pub fn chief_msg_free(msg: *mut chief_msg);
    pub fn chief_channel_new(out: *mut *mut chief_channel, name: *const c_char, options: *const chief_channel_options) -> c_int;
    pub fn chief_channel_ref(ch: *mut chief_channel) -> *mut chief_channel;
    pub fn chief_channel_unref(ch: *mut chief_channel);
    pub fn chief_channel_name(ch: *const chief_channel) -> *const c_char;
    pub fn chief_channel_send(ch: *mut chief_channel, r#as: *mut chief_worker, data: *const c_void, len: usize, timeout_ms: i64) -> c_int;
    pub fn chief_channel_send_many(ch: *mut chief_channel, r#as: *mut chief_worker, items: *const chief_bytes, n: usize, timeout_ms: i64, sent: *mut usize) -> c_int;
    pub fn chief_channel_send_parts(ch: *mut chief_channel, r#as: *mut chief_worker, parts: *const chief_bytes, n: usize, timeout_ms: i64) -> c_int;
    pub fn chief_send_reserve(ch: *mut chief_channel, r#as: *mut chief_worker, len: usize, timeout_ms: i64, out: *mut *mut chief_reservation, data: *mut *mut c_void) -> c_int;
    pub fn chief_send_commit(reservation: *mut chief_reservation, len: usize) -> c_int;
    pub fn chief_send_cancel(reservation: *mut chief_reservation);
    pub fn chief_channel_recv(ch: *mut chief_channel, r#as: *mut chief_worker, timeout_ms: i64, out: *mut *mut chief_msg) -> c_int;
    pub fn chief_channel_recv_many(ch: *mut chief_channel, r#as: *mut chief_worker, timeout_ms: i64, out: *mut *mut chief_msg, max: usize, n: *mut usize) -> c_int;
    pub fn chief_channel_ack(ch: *mut chief_channel, r#as: *mut chief_worker);
    pub fn chief_select(r#as: *mut chief_worker, channels: *const *mut chief_channel, n: usize, timeout_ms: i64, index: *mut usize, out: *mut *mut chief_msg) -> c_int;
    pub fn chief_channel_close(ch: *mut chief_channel);
    pub fn chief_channel_len(ch: *mut chief_channel) -> usize;
    pub fn chief_channel_get_stats(ch: *mut chief_channel, out: *mut chief_channel_stats) -> c_int;
    pub fn chief_channel_fd(ch: *mut chief_channel) -> c_int;
    pub fn chief_pack_read(data: *const c_void, len: usize, out: *mut chief_token, max: usize, n: *mut usize) -> c_int;
    pub fn chief_pack_write(tokens: *const chief_token, n: usize, buf: *mut c_void, size: usize, len: *mut usize) -> c_int;
    pub fn chief_reason_name(reason: i32) -> *const c_char;
    pub fn chief_worker_name(ctx: *const chief_worker) -> *const c_char;
    pub fn chief_worker_generation(ctx: *const chief_worker) -> u64;
    pub fn chief_worker_context(ctx: *mut chief_worker) -> *mut chief_context;
    pub fn chief_worker_log(ctx: *mut chief_worker) -> *mut chief_log;
    pub fn chief_worker_args(ctx: *const chief_worker) -> chief_bytes;
    pub fn chief_worker_ready(ctx: *mut chief_worker);
    pub fn chief_worker_set_error(ctx: *mut chief_worker, reason: i32, text: *const c_char, traceback: *const c_char);
    pub fn chief_worker_interrupt_reason(ctx: *mut chief_worker, buf: *mut c_char, size: usize) -> usize;
    pub fn chief_worker_expire(ctx: *mut chief_worker, reason: i32, why: *const c_char, place: *const c_char);
    pub fn chief_worker_set_exit_code(ctx: *mut chief_worker, code: i32);
    pub fn chief_worker_sleep(ctx: *mut chief_worker, ms: i64) -> c_int;
    pub fn chief_worker_channel(ctx: *mut chief_worker, name: *const c_char, out: *mut *mut chief_channel) -> c_int;
    pub fn chief_worker_send(ctx: *mut chief_worker, to: *const c_char, data: *const c_void, len: usize, timeout_ms: i64) -> c_int;
    pub fn chief_worker_send_many(ctx: *mut chief_worker, to: *const c_char, items: *const chief_bytes, n: usize, timeout_ms: i64, sent: *mut usize) -> c_int;
    pub fn chief_worker_broadcast(ctx: *mut chief_worker, data: *const c_void, len: usize, reached: *mut usize) -> c_int;
    pub fn chief_worker_call(ctx: *mut chief_worker, to: *const c_char, data: *const c_void, len: usize, timeout_ms: i64, reply: *mut *mut chief_msg) -> c_int;
    pub fn chief_worker_recv(ctx: *mut chief_worker, timeout_ms: i64, out: *mut *mut chief_msg) -> c_int;
    pub fn chief_worker_recv_many(ctx: *mut chief_worker, timeout_ms: i64, out: *mut *mut chief_msg, max: usize, n: *mut usize) -> c_int;
    pub fn chief_worker_fd(ctx: *mut chief_worker) -> c_int;
    pub fn chief_wait_deadline(timeout_ms: i64) -> i64;
    pub fn chief_wait_prepare(ctx: *mut chief_worker, what: *const chief_wait) -> c_int;
    pub fn chief_wait_park(ctx: *mut chief_worker);
    pub fn chief_wait_wake(ctx: *mut chief_worker);
    pub fn chief_worker_mailbox(ctx: *mut chief_worker, to: *const c_char, but_own: c_int, out: *mut *mut chief_channel) -> c_int;
    pub fn chief_call_begin(ctx: *mut chief_worker, mailbox: *mut chief_channel, data: *const c_void, len: usize, out: *mut *mut chief_pending) -> c_int;
    pub fn chief_call_take(call: *mut chief_pending, reply: *mut *mut chief_msg) -> c_int;
    pub fn chief_call_end(call: *mut chief_pending);
    pub fn chief_worker_states(ctx: *mut chief_worker, out: *mut *mut chief_snapshot) -> c_int;
    pub fn chief_pool_new(out: *mut *mut chief_pool) -> c_int;
    pub fn chief_pool_free(pool: *mut chief_pool);
    pub fn chief_pool_set_log(pool: *mut chief_pool, log: *mut chief_log) -> c_int;
    pub fn chief_pool_set_worker(pool: *mut chief_pool, name: *const c_char, ops: *const chief_worker_ops, data: *mut c_void) -> c_int;
    pub fn chief_pool_get_worker(pool: *mut chief_pool, name: *const c_char, ops: *mut chief_worker_ops, data: *mut *mut c_void) -> c_int;
    pub fn chief_pool_get_state(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_set_state(pool: *mut chief_pool, name: *const c_char, state: chief_state_t) -> chief_state_t;
    pub fn chief_pool_enable(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_disable(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_init(pool: *mut chief_pool, name: *const c_char, parent: *mut chief_context) -> chief_state_t;
    pub fn chief_pool_start(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_stop(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_fail(pool: *mut chief_pool, name: *const c_char) -> chief_state_t;
    pub fn chief_pool_is_enabled(pool: *mut chief_pool, name: *const c_char) -> c_int;
    pub fn chief_pool_is_alive(pool: *mut chief_pool, name: *const c_char) -> c_int;
    pub fn chief_pool_run_exec(pool: *mut chief_pool, name: *const c_char) -> c_int;
    pub fn chief_pool_states(pool: *mut chief_pool, out: *mut *mut chief_snapshot) -> c_int;
    pub fn chief_phase_name(phase: i32) -> *const c_char;
    pub fn chief_snapshot_len(snapshot: *const chief_snapshot) -> usize;
    pub fn chief_snapshot_at(snapshot: *const chief_snapshot, i: usize) -> *const chief_worker_status;
    pub fn chief_snapshot_find(snapshot: *const chief_snapshot, name: *const c_char) -> *const chief_worker_status;
    pub fn chief_snapshot_seq(snapshot: *const chief_snapshot) -> u64;
    pub fn chief_snapshot_json(snapshot: *const chief_snapshot, buf: *mut c_char, size: usize) -> usize;
    pub fn chief_snapshot_free(snapshot: *mut chief_snapshot);
    pub fn chief_event_kind_name(kind: i32) -> *const c_char;
    pub fn chief_event_free(event: *mut chief_event);
    pub fn chief_zone_new(out: *mut *mut chief_zone, name: *const c_char) -> c_int;
    pub fn chief_zone_free(zone: *mut chief_zone);
    pub fn chief_zone_text(zone: *const chief_zone, time_ms: i64, buf: *mut c_char, size: usize) -> usize;
    pub fn chief_cron_parse(text: *const c_char, out: *mut chief_cron) -> c_int;
    pub fn chief_cron_next(cron: *const chief_cron, zone: *const chief_zone, after_ms: i64, next_ms: *mut i64) -> c_int;
    pub fn chief_new(out: *mut *mut chief, options: *const chief_options) -> c_int;
    pub fn chief_free(c: *mut chief);
    pub fn chief_add_worker(c: *mut chief, name: *const c_char, ops: *const chief_worker_ops, data: *mut c_void) -> c_int;
    pub fn chief_add_worker_with(c: *mut chief, name: *const c_char, ops: *const chief_worker_ops, data: *mut c_void, options: *const chief_worker_options) -> c_int;
    pub fn chief_add_group(c: *mut chief, name: *const c_char, policy: i32, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_add_channel(c: *mut chief, name: *const c_char, options: *const chief_channel_options) -> c_int;
    pub fn chief_get_channel(c: *mut chief, name: *const c_char, out: *mut *mut chief_channel) -> c_int;
    pub fn chief_enable_worker(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_enable_workers(c: *mut chief, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_is_enabled(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_set_enable_by_default(c: *mut chief, on: c_int) -> c_int;
    pub fn chief_set_force_stop_timeout(c: *mut chief, ms: i64) -> c_int;
    pub fn chief_set_exit_when_done(c: *mut chief, on: c_int) -> c_int;
    pub fn chief_on_shutdown(c: *mut chief, hook: Option<unsafe extern "C" fn(data: *mut c_void)>, data: *mut c_void) -> c_int;
    pub fn chief_init_workers(c: *mut chief, log: *mut chief_log) -> c_int;
    pub fn chief_launch(c: *mut chief, parent: *mut chief_context) -> c_int;
    pub fn chief_join(c: *mut chief, timeout_ms: i64) -> c_int;
    pub fn chief_has_stopped(c: *mut chief) -> c_int;
    pub fn chief_start(c: *mut chief, parent: *mut chief_context) -> c_int;
    pub fn chief_run_all(c: *mut chief, app: *const c_char, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_set_locker(c: *mut chief, wait: Option<unsafe extern "C" fn(data: *mut c_void, ctx: *mut chief_context) -> c_int>, data: *mut c_void) -> c_int;
    pub fn chief_catch_signals(c: *mut chief, catches: u32) -> c_int;
    pub fn chief_stop(c: *mut chief) -> c_int;
    pub fn chief_stop_because(c: *mut chief, why: *const c_char) -> c_int;
    pub fn chief_force_stop(c: *mut chief) -> c_int;
    pub fn chief_start_worker(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_stop_worker(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_restart_worker(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_remove_worker(c: *mut chief, name: *const c_char) -> c_int;
    pub fn chief_wait_state(c: *mut chief, name: *const c_char, state: chief_state_t, timeout_ms: i64) -> c_int;
    pub fn chief_wait_ready(c: *mut chief, timeout_ms: i64) -> c_int;
    pub fn chief_traceback(c: *mut chief, name: *const c_char, buf: *mut c_char, size: usize, len: *mut usize) -> c_int;
    pub fn chief_states(c: *mut chief, out: *mut *mut chief_snapshot) -> c_int;
    pub fn chief_get_pool(c: *mut chief) -> *mut chief_pool;
    pub fn chief_get_context(c: *mut chief) -> *mut chief_context;
    pub fn chief_get_stop_context(c: *mut chief) -> *mut chief_context;
    pub fn chief_add_value(c: *mut chief, key: *const c_char, value: *const chief_value) -> c_int;
    pub fn chief_get_name(c: *mut chief) -> *const c_char;
    pub fn chief_get_info(c: *mut chief, out: *mut chief_app_info) -> c_int;
    pub fn chief_exit_code(c: *mut chief) -> c_int;
    pub fn chief_send(c: *mut chief, to: *const c_char, data: *const c_void, len: usize, timeout_ms: i64) -> c_int;
    pub fn chief_broadcast(c: *mut chief, data: *const c_void, len: usize, reached: *mut usize) -> c_int;
    pub fn chief_call(c: *mut chief, to: *const c_char, data: *const c_void, len: usize, timeout_ms: i64, reply: *mut *mut chief_msg) -> c_int;
    pub fn chief_take_events(c: *mut chief, out: *mut *mut chief_event, max: usize, timeout_ms: i64, n: *mut usize) -> c_int;
    pub fn chief_set_event_level(c: *mut chief, level: i32) -> c_int;
    pub fn chief_events_dropped(c: *mut chief) -> u64;
    pub fn chief_late_replies(c: *mut chief) -> u64;
    pub fn chief_events_fd(c: *mut chief) -> c_int;
    pub fn chief_add_chief(c: *mut chief, name: *const c_char, make: chief_chief_maker, data: *mut c_void, options: *const chief_worker_options) -> c_int;
    pub fn chief_nested_states(c: *mut chief, name: *const c_char, out: *mut *mut chief_snapshot) -> c_int;
    pub fn chief_add_hosted(c: *mut chief, name: *const c_char, options: *const chief_worker_options, out: *mut *mut chief_hosted) -> c_int;
    pub fn chief_hosted_ref(hosted: *mut chief_hosted) -> *mut chief_hosted;
    pub fn chief_hosted_unref(hosted: *mut chief_hosted);
    pub fn chief_hosted_begin(hosted: *mut chief_hosted, timeout_ms: i64, out: *mut *mut chief_worker) -> c_int;
    pub fn chief_hosted_enter(ctx: *mut chief_worker, timeout_ms: i64) -> c_int;
    pub fn chief_hosted_end(ctx: *mut chief_worker, code: c_int) -> c_int;
    pub fn chief_hosted_fd(hosted: *mut chief_hosted) -> c_int;
    pub fn chief_add_process(c: *mut chief, name: *const c_char, how: *const chief_process, options: *const chief_worker_options) -> c_int;
    pub fn chief_find_program(name: *const c_char, buf: *mut c_char, size: usize) -> c_int;
    pub fn chief_child_open(out: *mut *mut chief_child) -> c_int;
    pub fn chief_child_spec(child: *const chief_child) -> chief_bytes;
    pub fn chief_child_run(child: *mut chief_child, ops: *const chief_worker_ops, data: *mut c_void) -> c_int;
    pub fn chief_child_refuse(child: *mut chief_child, text: *const c_char);
    pub fn chief_child_close(child: *mut chief_child);
    pub fn chief_get_api() -> *const chief_api;
    pub fn chief_load_plugin(path: *const c_char, out: *mut chief_worker_ops) -> c_int;
    pub fn chief_add_plugin(c: *mut chief, name: *const c_char, path: *const c_char, options: *const chief_worker_options) -> c_int;
    pub fn chief_sim_new(out: *mut *mut chief_sim, options: *const chief_options) -> c_int;
    pub fn chief_sim_free(sim: *mut chief_sim);
    pub fn chief_sim_add_worker(sim: *mut chief_sim, name: *const c_char, options: *const chief_worker_options) -> c_int;
    pub fn chief_sim_add_group(sim: *mut chief_sim, name: *const c_char, policy: i32, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_sim_enable_workers(sim: *mut chief_sim, names: *const *const c_char, n: usize) -> c_int;
    pub fn chief_sim_start(sim: *mut chief_sim) -> c_int;
    pub fn chief_sim_advance(sim: *mut chief_sim, ms: i64) -> c_int;
    pub fn chief_sim_now(sim: *const chief_sim) -> i64;
    pub fn chief_sim_deadline(sim: *const chief_sim) -> i64;
    pub fn chief_sim_fail(sim: *mut chief_sim, name: *const c_char, reason: i32, code: i32, text: *const c_char) -> c_int;
    pub fn chief_sim_fail_init(sim: *mut chief_sim, name: *const c_char, n: u32, text: *const c_char) -> c_int;
    pub fn chief_sim_finish(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_ready(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_behave(sim: *mut chief_sim, name: *const c_char, manners: i32) -> c_int;
    pub fn chief_sim_stop(sim: *mut chief_sim) -> c_int;
    pub fn chief_sim_force_stop(sim: *mut chief_sim) -> c_int;
    pub fn chief_sim_signal(sim: *mut chief_sim) -> c_int;
    pub fn chief_sim_start_worker(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_stop_worker(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_restart_worker(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_remove_worker(sim: *mut chief_sim, name: *const c_char) -> c_int;
    pub fn chief_sim_states(sim: *mut chief_sim, out: *mut *mut chief_snapshot) -> c_int;
    pub fn chief_sim_take_events(sim: *mut chief_sim, out: *mut *mut chief_event, max: usize, n: *mut usize) -> c_int;
    pub fn chief_sim_has_stopped(sim: *const chief_sim) -> c_int;
    pub fn chief_sim_exit_code(sim: *const chief_sim) -> c_int;
}

pub const CHIEF_LUA_LEAST_MEMORY: i64 = 65536;
#[repr(C)]
pub struct lua_State {
    _private: [u8; 0],
}
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct chief_lua_options {
    pub size: u32,
    pub path: *const c_char,
    pub cpath: *const c_char,
    pub worker: *const chief_worker_options,
    pub process: *const chief_process,
    pub memory_limit: u64,
    pub watchdog: i64,
    pub eager_libraries: u32,
}

#[link(name = "chief-lua")]
extern "C" {
    pub fn chief_lua_add_worker(c: *mut chief, name: *const c_char, module: *const c_char, options: *const chief_lua_options) -> c_int;
    pub fn chief_lua_open(L: *mut lua_State) -> c_int;
    pub fn chief_lua_live() -> c_int;
}
