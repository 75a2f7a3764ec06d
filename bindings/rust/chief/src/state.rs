//! The states of workers, and the other words of the library.
use std::convert::TryFrom;
use std::fmt;
use std::str::FromStr;

use chief_sys as sys;

use crate::error::{check, read_text, static_text, Error, ErrorCode, Result};

/// The state of a worker. The numbers are permanent, also in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum State {
    WrongStateChange = sys::CHIEF_WORKER_WRONG_STATE_CHANGE,
    Null = sys::CHIEF_WORKER_NULL,
    Disabled = sys::CHIEF_WORKER_DISABLED,
    Present = sys::CHIEF_WORKER_PRESENT,
    Enabled = sys::CHIEF_WORKER_ENABLED,
    Initialized = sys::CHIEF_WORKER_INITIALIZED,
    Run = sys::CHIEF_WORKER_RUN,
    Stopped = sys::CHIEF_WORKER_STOPPED,
    Failed = sys::CHIEF_WORKER_FAILED,
}

impl State {
    const ALL: [State; 9] = [
        State::WrongStateChange,
        State::Null,
        State::Disabled,
        State::Present,
        State::Enabled,
        State::Initialized,
        State::Run,
        State::Stopped,
        State::Failed,
    ];

    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| *state as i32 == number)
    }

    /// The name, which is what a database keeps.
    pub fn as_str(self) -> &'static str {
        // SAFETY: the name of a known state is constant and not NULL.
        unsafe { static_text(sys::chief_state_value(self as i32)) }
    }

    /// The state after a legal transition, `WrongStateChange` after an illegal one.
    pub fn transition(self, to: State) -> State {
        // SAFETY: it takes any number.
        let state = unsafe { sys::chief_state_transition(self as i32, to as i32) };
        Self::from_number(state).unwrap_or(State::WrongStateChange)
    }

    /// The JSON form, the quoted name.
    pub fn to_json(self) -> String {
        read_text(|buf, size| {
            let mut len = 0;
            // SAFETY: it writes `size` bytes at most. A known state does not fail.
            unsafe { sys::chief_state_to_json(self as i32, buf, size, &mut len) };
            len
        })
    }

    pub fn from_json(json: &str) -> Result<Self> {
        let mut state = 0;
        // SAFETY: the text is read during the call.
        check(unsafe { sys::chief_state_from_json(json.as_ptr().cast(), json.len(), &mut state) })?;
        Self::try_from(state)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<i32> for State {
    type Error = Error;

    fn try_from(number: i32) -> Result<Self> {
        // SAFETY: both take any number.
        check(unsafe { sys::chief_state_validate(number) })?;
        Self::from_number(number).ok_or_else(|| {
            let name = read_text(|buf, size| unsafe { sys::chief_state_to_string(number, buf, size) });
            Error::new(ErrorCode::InvalidState, format!("{name} is not known to this version"))
        })
    }
}

/// From the name or its JSON form, as a database may give them.
impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut state = 0;
        let bytes = sys::chief_bytes { data: text.as_ptr().cast(), len: text.len() };
        // SAFETY: zero is the value nil.
        let mut value: sys::chief_value = unsafe { std::mem::zeroed() };
        value.r#type = sys::CHIEF_BYTES;
        value.bytes = bytes;
        // SAFETY: the text is read during the call.
        check(unsafe { sys::chief_state_scan(&value, &mut state) })?;
        Self::try_from(state)
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident by $function:ident { $($(#[$doc:meta])* $variant:ident = $number:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// One that this version does not know.
            Other(i32),
        }

        impl $name {
            pub(crate) fn from_number(number: i32) -> Self {
                match number {
                    $(sys::$number => Self::$variant,)+
                    other => Self::Other(other),
                }
            }

            pub(crate) fn number(self) -> i32 {
                match self {
                    $(Self::$variant => sys::$number,)+
                    Self::Other(other) => other,
                }
            }

            /// The word, as Lua and JSON show it.
            pub fn as_str(self) -> &'static str {
                // SAFETY: the word is constant and never NULL.
                unsafe { static_text(sys::$function(self.number())) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Why a generation of a worker ended.
    Reason by chief_reason_name {
        None = CHIEF_REASON_NONE,
        Ok = CHIEF_REASON_OK,
        /// It returned an error or panicked.
        Error = CHIEF_REASON_ERROR,
        LuaError = CHIEF_REASON_LUA_ERROR,
        InitError = CHIEF_REASON_INIT_ERROR,
        /// It was not ready in time.
        StartTimeout = CHIEF_REASON_START_TIMEOUT,
        Watchdog = CHIEF_REASON_WATCHDOG,
        MemoryLimit = CHIEF_REASON_MEMORY_LIMIT,
        /// It was ended by force.
        Killed = CHIEF_REASON_KILLED,
        /// It ended since it was to stop.
        Cancelled = CHIEF_REASON_CANCELLED,
    }
}

words! {
    /// What a worker does now, beside its state.
    Phase by chief_phase_name {
        Idle = CHIEF_PHASE_IDLE,
        /// For a restart, for others, or for its time.
        Waiting = CHIEF_PHASE_WAITING,
        Starting = CHIEF_PHASE_STARTING,
        Up = CHIEF_PHASE_UP,
        Stopping = CHIEF_PHASE_STOPPING,
        /// It did not end, and nobody waits for it any more.
        Abandoned = CHIEF_PHASE_ABANDONED,
        /// It failed too often.
        GivenUp = CHIEF_PHASE_GIVEN_UP,
    }
}

words! {
    /// What an event tells.
    EventKind by chief_event_kind_name {
        /// A worker has another state.
        State = CHIEF_EVENT_STATE,
        /// A worker was asked for what it can't do in its state.
        WrongStateChange = CHIEF_EVENT_WRONG_STATE_CHANGE,
        Ready = CHIEF_EVENT_READY,
        /// A restart is scheduled.
        Restart = CHIEF_EVENT_RESTART,
        GivenUp = CHIEF_EVENT_GIVEN_UP,
        Abandoned = CHIEF_EVENT_ABANDONED,
        Removed = CHIEF_EVENT_REMOVED,
        MessageDropped = CHIEF_EVENT_MESSAGE_DROPPED,
        /// Something is odd in the configuration or in its use.
        Note = CHIEF_EVENT_NOTE,
        Signal = CHIEF_EVENT_SIGNAL,
        Stopping = CHIEF_EVENT_STOPPING,
        /// A shutdown hook did not end in time.
        HookTimeout = CHIEF_EVENT_HOOK_TIMEOUT,
        /// The last one.
        Stopped = CHIEF_EVENT_STOPPED,
        /// A worker is ended by force.
        Forced = CHIEF_EVENT_FORCED,
    }
}

/// How much a line of the log, or an event, matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum Level {
    Debug = sys::CHIEF_DEBUG,
    Info = sys::CHIEF_INFO,
    Warn = sys::CHIEF_WARN,
    Error = sys::CHIEF_ERROR,
    /// Above all of them.
    Off = sys::CHIEF_OFF,
}

impl Level {
    pub(crate) fn from_number(number: i32) -> Self {
        match number {
            sys::CHIEF_DEBUG => Level::Debug,
            sys::CHIEF_INFO => Level::Info,
            sys::CHIEF_WARN => Level::Warn,
            sys::CHIEF_OFF => Level::Off,
            _ => Level::Error,
        }
    }
}
