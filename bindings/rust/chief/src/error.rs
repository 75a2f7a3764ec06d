//! Errors: a code for the program, a text for people.
use std::ffi::CStr;
use std::fmt;

use chief_sys as sys;

/// What went wrong, as a program sees it. There may be more of them one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An argument that is not what it should be.
    Invalid,
    NoMemory,
    /// There is nothing of that name.
    NotFound,
    /// The name is taken.
    Exists,
    Busy,
    /// Not a state of a worker.
    InvalidState,
    /// A worker, or the chief, has not been initialised.
    NotInitialized,
    Timeout,
    Cancelled,
    /// The channel is closed, or the chief has stopped.
    Closed,
    /// There is nothing to do without waiting.
    WouldBlock,
    /// The channel is full.
    Full,
    /// The message is larger than the channel takes.
    TooBig,
    /// Who was asked ended, or went on, without an answer.
    NoReply,
    /// Who was asked answered with a failure.
    CallFailed,
    /// A worker has failed.
    Failed,
    /// Workers wait for each other in a circle.
    Cycle,
    /// The call would wait for its own thread.
    Deadlock,
    /// Not usable in a forked child.
    Forked,
    System,
    NotSupported,
    /// Data that is not what it should be.
    BadData,
    /// The worker, or no worker, is enabled.
    NotEnabled,
    /// The worker can't go from the state it has to the one that was asked for.
    WrongStateChange,
    /// One that this version does not know.
    Other(i32),
}

const CODES: &[(ErrorCode, i32)] = &[
    (ErrorCode::Invalid, sys::CHIEF_EINVAL),
    (ErrorCode::NoMemory, sys::CHIEF_ENOMEM),
    (ErrorCode::NotFound, sys::CHIEF_ENOENT),
    (ErrorCode::Exists, sys::CHIEF_EEXIST),
    (ErrorCode::Busy, sys::CHIEF_EBUSY),
    (ErrorCode::InvalidState, sys::CHIEF_ESTATE),
    (ErrorCode::NotInitialized, sys::CHIEF_ENOTINIT),
    (ErrorCode::Timeout, sys::CHIEF_ETIMEDOUT),
    (ErrorCode::Cancelled, sys::CHIEF_ECANCELED),
    (ErrorCode::Closed, sys::CHIEF_ECLOSED),
    (ErrorCode::WouldBlock, sys::CHIEF_EAGAIN),
    (ErrorCode::Full, sys::CHIEF_EFULL),
    (ErrorCode::TooBig, sys::CHIEF_ETOOBIG),
    (ErrorCode::NoReply, sys::CHIEF_ENOREPLY),
    (ErrorCode::CallFailed, sys::CHIEF_ECALL),
    (ErrorCode::Failed, sys::CHIEF_EFAILED),
    (ErrorCode::Cycle, sys::CHIEF_ECYCLE),
    (ErrorCode::Deadlock, sys::CHIEF_EDEADLK),
    (ErrorCode::Forked, sys::CHIEF_EFORK),
    (ErrorCode::System, sys::CHIEF_ESYS),
    (ErrorCode::NotSupported, sys::CHIEF_ENOTSUP),
    (ErrorCode::BadData, sys::CHIEF_EDATA),
    (ErrorCode::NotEnabled, sys::CHIEF_EENABLE),
    (ErrorCode::WrongStateChange, sys::CHIEF_WORKER_WRONG_STATE_CHANGE),
];

impl ErrorCode {
    fn from_number(number: i32) -> Self {
        CODES.iter().find(|(_, known)| *known == number).map_or(Self::Other(number), |(code, _)| *code)
    }

    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Other(number) => number,
            code => CODES.iter().find(|(known, _)| *known == code).expect("each code is in the table").1,
        }
    }

    /// The code as one word, as Lua and JSON show it: "timeout", "closed".
    pub fn as_str(self) -> &'static str {
        // SAFETY: the answer is constant and never NULL.
        unsafe { static_text(sys::chief_error_code(self.number())) }
    }

    /// What the code says by itself.
    pub fn description(self) -> &'static str {
        // SAFETY: as above.
        unsafe { static_text(sys::chief_strerror(self.number())) }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text at `text`, which lives for ever; "" for what is not UTF-8.
pub(crate) unsafe fn static_text(text: *const std::os::raw::c_char) -> &'static str {
    CStr::from_ptr(text).to_str().unwrap_or("")
}

/// An error of the library: its code, and a text that says what was wrong, where, and what would be right.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    text: String,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of one's own, as a worker may end with one.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { code, text }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The last error of this thread, whose number is known.
    pub(crate) fn last(number: i32) -> Self {
        // SAFETY: the text lives until this thread's next call and is copied before.
        let text = unsafe { text(sys::chief_last_error()) };
        let code = ErrorCode::from_number(number);
        if text.is_empty() {
            return Self::new(code, code.description());
        }
        Self { code, text }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl std::error::Error for Error {}

/// Ok for CHIEF_OK and everything above (a state, a descriptor), else this thread's last error.
pub(crate) fn check(rc: i32) -> Result<i32> {
    if rc >= 0 {
        Ok(rc)
    } else {
        Err(Error::last(rc))
    }
}

/// A copy of a C string, which is not NULL.
pub(crate) unsafe fn text(text: *const std::os::raw::c_char) -> String {
    CStr::from_ptr(text).to_string_lossy().into_owned()
}

/// Calls `write` with a buffer and its size until the text, whose full length it returns, fits.
pub(crate) fn read_text(mut write: impl FnMut(*mut std::os::raw::c_char, usize) -> usize) -> String {
    let mut buffer = vec![0u8; 256];
    loop {
        let length = write(buffer.as_mut_ptr().cast(), buffer.len());
        if length < buffer.len() {
            buffer.truncate(length);
            return String::from_utf8(buffer).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        }
        buffer = vec![0; length + 1];
    }
}
