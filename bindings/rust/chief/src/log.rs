//! Loggers.
use std::ffi::CString;
use std::fmt;
use std::mem;
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::time::{Duration, SystemTime};

use chief_sys as sys;

use crate::context::ContextValue;
use crate::cstr::{cstr, readable};
use crate::error::{check, text, Result};
use crate::panics::contain;
use crate::state::Level;
use crate::time;

/// How the built-in sink writes to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    Text,
    Json,
}

/// A record, as a sink gets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    pub level: Level,
    pub time: SystemTime,
    pub message: String,
    pub fields: Vec<(String, ContextValue)>,
}

type Sink = Box<dyn Fn(&Record) + Send + Sync>;

/// A logger. A clone is the same logger.
pub struct Log(NonNull<sys::chief_log>);

// SAFETY: each function of a logger may be called from every thread at once, and its sink is Send and Sync.
unsafe impl Send for Log {}
unsafe impl Sync for Log {}

fn no_options() -> sys::chief_log_options {
    // SAFETY: all of it may be zero, which is the default.
    let mut options: sys::chief_log_options = unsafe { mem::zeroed() };
    options.size = mem::size_of_val(&options) as u32;
    options
}

impl Log {
    /// Writes to stderr what is of that level at least.
    pub fn new(level: Level, format: LogFormat) -> Result<Self> {
        let mut options = no_options();
        options.level = level as i32;
        options.format = match format {
            LogFormat::Text => sys::CHIEF_LOG_TEXT,
            LogFormat::Json => sys::CHIEF_LOG_JSON,
        };
        Self::make(&options)
    }

    /// Gives each record of that level at least to `sink`, from any thread and several at once.
    pub fn with_sink(level: Level, sink: impl Fn(&Record) + Send + Sync + 'static) -> Result<Self> {
        let mut options = no_options();
        options.level = level as i32;
        options.sink = Some(call_sink);
        options.destroy = Some(drop_sink);
        options.data = Box::into_raw(Box::new(Box::new(sink) as Sink)).cast();
        let log = Self::make(&options);
        if log.is_err() {
            // SAFETY: nobody else has it.
            unsafe { drop_sink(options.data) }
        }
        log
    }

    fn make(options: &sys::chief_log_options) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: the options are read during the call.
        check(unsafe { sys::chief_log_new(&mut raw, options) })?;
        Ok(unsafe { Self::from_raw(raw) })
    }

    unsafe fn from_raw(raw: *mut sys::chief_log) -> Self {
        Self(NonNull::new(raw).expect("a logger is not NULL"))
    }

    /// Takes a reference to one that is borrowed.
    pub(crate) unsafe fn from_borrowed(raw: *mut sys::chief_log) -> Self {
        Self::from_raw(sys::chief_log_ref(raw))
    }

    pub(crate) fn raw(&self) -> *mut sys::chief_log {
        self.0.as_ptr()
    }

    /// A logger with these fields more.
    pub fn with_fields(&self, fields: &[(&str, ContextValue)]) -> Result<Self> {
        let mut raw = ptr::null_mut();
        with_fields(fields, |fields| {
            // SAFETY: the fields are read during the call.
            check(unsafe { sys::chief_log_with_fields(&mut raw, self.raw(), fields.as_ptr(), fields.len()) })
        })?;
        Ok(unsafe { Self::from_raw(raw) })
    }

    /// Sets the least level of this logger and of all that share its sink.
    pub fn set_level(&self, level: Level) {
        // SAFETY: the logger is alive, and the level is one.
        unsafe { sys::chief_log_set_level(self.raw(), level as i32) };
    }

    /// Writes one record. Logging never fails: what can't be written is lost.
    pub fn write(&self, level: Level, message: &str, fields: &[(&str, ContextValue)]) {
        let message = readable(message);
        let _ = with_fields(fields, |fields| {
            // SAFETY: message and fields are read during the call.
            unsafe { sys::chief_log_write(self.raw(), level as i32, message.as_ptr(), fields.as_ptr(), fields.len()) };
            Ok(())
        });
    }

    pub fn debug(&self, message: &str, fields: &[(&str, ContextValue)]) {
        self.write(Level::Debug, message, fields);
    }

    pub fn info(&self, message: &str, fields: &[(&str, ContextValue)]) {
        self.write(Level::Info, message, fields);
    }

    pub fn warn(&self, message: &str, fields: &[(&str, ContextValue)]) {
        self.write(Level::Warn, message, fields);
    }

    pub fn error(&self, message: &str, fields: &[(&str, ContextValue)]) {
        self.write(Level::Error, message, fields);
    }
}

/// Calls `call` with the fields as the library takes them.
fn with_fields<R>(fields: &[(&str, ContextValue)], call: impl FnOnce(&[sys::chief_field]) -> Result<R>) -> Result<R> {
    let keys = fields.iter().map(|(key, _)| cstr(key)).collect::<Result<Vec<CString>>>()?;
    let raw: Vec<_> = keys
        .iter()
        .zip(fields)
        .map(|(key, (_, value))| sys::chief_field { key: key.as_ptr(), value: value.as_shown() })
        .collect();
    call(&raw)
}

unsafe extern "C" fn call_sink(data: *mut c_void, record: *const sys::chief_record) {
    let sink = &*data.cast::<Sink>();
    let raw = &*record;
    let fields = if raw.n_fields == 0 { &[][..] } else { slice::from_raw_parts(raw.fields, raw.n_fields) };
    let _ = contain(|| {
        sink(&Record {
            level: Level::from_number(raw.level),
            time: SystemTime::UNIX_EPOCH + time::duration(raw.time_ms).unwrap_or(Duration::ZERO),
            message: text(raw.message),
            fields: fields.iter().map(|field| (text(field.key), ContextValue::from_raw(&field.value))).collect(),
        })
    });
}

unsafe extern "C" fn drop_sink(data: *mut c_void) {
    let sink = Box::from_raw(data.cast::<Sink>());
    let _ = contain(|| drop(sink));
}

impl Clone for Log {
    fn clone(&self) -> Self {
        // SAFETY: one more reference is what a clone has.
        unsafe { Self::from_borrowed(self.raw()) }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::chief_log_unref(self.raw()) }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}
