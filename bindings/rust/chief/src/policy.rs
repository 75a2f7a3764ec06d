//! Policies of the program's own: what follows when a worker has ended.
use std::mem;
use std::os::raw::{c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::readable;
use crate::error::{text, Result};
use crate::panics::contain;
use crate::state::Reason;
use crate::time;

/// How a generation of a worker ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct End {
    pub generation: u64,
    pub reason: Reason,
    /// The exit code; 0: none, or a clean one.
    pub code: i32,
    /// When, on the clock of the events.
    pub time: Duration,
    /// For how long it had been ready.
    pub up: Duration,
}

/// What a policy is asked about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exit {
    pub worker: String,
    /// Empty: it ended cleanly.
    pub error: String,
    /// In a row, this one included.
    pub failures: u64,
    pub restarts: u64,
    /// Its last ends, the oldest first: the last is this one.
    pub history: Vec<End>,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What its restart options say.
    Default,
    /// It is restarted, after the delay that its options say.
    Restart,
    /// It is restarted after that time.
    Delay(Duration),
    GiveUp,
    /// It is restarted in a process of its own.
    Isolate,
}

type Decide = Arc<dyn Fn(&Exit) -> Answer + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) decide: Decide,
    pub(crate) timeout: Option<Duration>,
}

impl Policy {
    /// Calls `call` with the policy, which is the library's on success; NULL for none.
    pub(crate) fn with_raw<R>(
        policy: Option<&Self>,
        call: impl FnOnce(*const sys::chief_policy) -> Result<R>,
    ) -> Result<R> {
        let policy = match policy {
            None => return call(ptr::null()),
            Some(policy) => policy,
        };
        let data = Box::into_raw(Box::new(Arc::clone(&policy.decide))).cast();
        let result = call(&sys::chief_policy {
            size: mem::size_of::<sys::chief_policy>() as u32,
            reserved: 0,
            on_exit: Some(on_exit),
            data,
            destroy: Some(destroy),
            timeout: policy.timeout.map_or(0, time::millis),
        });
        if result.is_err() {
            // SAFETY: nobody else has it.
            unsafe { destroy(data) }
        }
        result
    }
}

unsafe fn exit_from(raw: &sys::chief_exit) -> Exit {
    let history = if raw.n_history == 0 { &[] } else { slice::from_raw_parts(raw.history, raw.n_history as usize) };
    Exit {
        worker: text(raw.worker),
        error: text(raw.error),
        failures: raw.failures,
        restarts: raw.restarts,
        history: history
            .iter()
            .map(|end| End {
                generation: end.generation,
                reason: Reason::from_number(end.reason),
                code: end.code,
                time: time::duration(end.time_ms).unwrap_or_default(),
                up: time::duration(end.up_ms).unwrap_or_default(),
            })
            .collect(),
    }
}

unsafe extern "C" fn on_exit(data: *mut c_void, exit: *const sys::chief_exit, answer: *mut sys::chief_answer) -> c_int {
    let decide = &*data.cast::<Decide>();
    let exit = exit_from(&*exit);
    let answered = match contain(|| decide(&exit)) {
        Ok(answered) => answered,
        Err(panic) => {
            let text = readable(&panic.text);
            return sys::chief_set_last_error(sys::CHIEF_EFAILED, text.as_ptr());
        }
    };
    (*answer).kind = match answered {
        Answer::Default => sys::CHIEF_ANSWER_DEFAULT,
        Answer::Restart => sys::CHIEF_ANSWER_RESTART,
        Answer::Delay(_) => sys::CHIEF_ANSWER_DELAY,
        Answer::GiveUp => sys::CHIEF_ANSWER_GIVE_UP,
        Answer::Isolate => sys::CHIEF_ANSWER_ISOLATE,
    };
    if let Answer::Delay(delay) = answered {
        (*answer).delay_ms = time::millis(delay);
    }
    sys::CHIEF_OK
}

unsafe extern "C" fn destroy(data: *mut c_void) {
    let decide = Box::from_raw(data.cast::<Decide>());
    let _ = contain(|| drop(decide));
}
