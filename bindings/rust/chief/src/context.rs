//! Contexts: cancellation, a deadline, values by name.
use std::any::Any;
use std::fmt;
use std::mem;
use std::os::raw::c_void;
use std::os::unix::io::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::{cstr, readable};
use crate::error::{check, read_text, Error, ErrorCode, Result};
use crate::message::bytes;
use crate::time;

/// A value of a context.
#[derive(Clone)]
#[non_exhaustive]
pub enum ContextValue {
    Nil,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Bytes(Vec<u8>),
    /// Something of this program's; Lua workers see that it is there, and processes do not get it.
    Any(Arc<dyn Any + Send + Sync>),
    /// A pointer that another language has put there.
    Foreign,
}

impl ContextValue {
    /// A text or bytes as a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// What was put there with [`Context::set_any`], if it is of that type.
    pub fn downcast<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        match self {
            Self::Any(any) => Arc::clone(any).downcast().ok(),
            _ => None,
        }
    }

    /// The value as the library reads it while this one lives; what is `Any` is nil here.
    pub(crate) fn as_shown(&self) -> sys::chief_value {
        let mut raw = nil();
        match self {
            Self::Nil | Self::Foreign | Self::Any(_) => {}
            Self::Bool(value) => {
                raw.r#type = sys::CHIEF_BOOL;
                raw.boolean = i32::from(*value);
            }
            Self::Integer(value) => {
                raw.r#type = sys::CHIEF_INTEGER;
                raw.integer = *value;
            }
            Self::Number(value) => {
                raw.r#type = sys::CHIEF_NUMBER;
                raw.number = *value;
            }
            Self::Bytes(value) => {
                raw.r#type = sys::CHIEF_BYTES;
                raw.bytes = sys::chief_bytes { data: value.as_ptr().cast(), len: value.len() };
            }
        }
        raw
    }

    /// Calls `keep` with the value; what is `Any` becomes the library's.
    pub(crate) fn with_raw<R>(&self, keep: impl FnOnce(&sys::chief_value) -> Result<R>) -> Result<R> {
        match self {
            Self::Any(value) => with_any(value, keep),
            _ => keep(&self.as_shown()),
        }
    }

    pub(crate) unsafe fn from_raw(raw: &sys::chief_value) -> Self {
        match raw.r#type {
            sys::CHIEF_BOOL => Self::Bool(raw.boolean != 0),
            sys::CHIEF_INTEGER => Self::Integer(raw.integer),
            sys::CHIEF_NUMBER => Self::Number(raw.number),
            sys::CHIEF_BYTES => Self::Bytes(bytes(raw.bytes).to_vec()),
            sys::CHIEF_POINTER if ours().contains(&(raw.pointer as usize)) => {
                Self::Any(Arc::clone(&*raw.pointer.cast::<Arc<dyn Any + Send + Sync>>()))
            }
            sys::CHIEF_POINTER => Self::Foreign,
            _ => Self::Nil,
        }
    }
}

/// The addresses that are alive in contexts and were put there by this crate, which tells them from those of others.
fn ours() -> MutexGuard<'static, Vec<usize>> {
    static OURS: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    OURS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The pointer is to a box with the Arc in it; on failure it stays ours.
fn with_any<R>(value: &Arc<dyn Any + Send + Sync>, call: impl FnOnce(&sys::chief_value) -> Result<R>) -> Result<R> {
    let mut raw = nil();
    raw.r#type = sys::CHIEF_POINTER;
    raw.pointer = Box::into_raw(Box::new(Arc::clone(value))).cast();
    raw.destroy = Some(drop_any);
    ours().push(raw.pointer as usize);
    let result = call(&raw);
    if result.is_err() {
        // SAFETY: nobody else has it.
        unsafe { drop_any(raw.pointer) }
    }
    result
}

unsafe extern "C" fn drop_any(pointer: *mut c_void) {
    ours().retain(|address| *address != pointer as usize);
    let value = Box::from_raw(pointer.cast::<Arc<dyn Any + Send + Sync>>());
    let _ = crate::panics::contain(|| drop(value));
}

impl fmt::Debug for ContextValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("Nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Bytes(value) => write!(f, "{:?}", String::from_utf8_lossy(value)),
            Self::Any(_) => f.write_str("Any"),
            Self::Foreign => f.write_str("Foreign"),
        }
    }
}

impl From<bool> for ContextValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for ContextValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for ContextValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for ContextValue {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for ContextValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for ContextValue {
    fn from(value: &str) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl From<String> for ContextValue {
    fn from(value: String) -> Self {
        Self::Bytes(value.into_bytes())
    }
}

impl From<&[u8]> for ContextValue {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for ContextValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

fn nil() -> sys::chief_value {
    // SAFETY: all of it may be zero, which is nil.
    unsafe { mem::zeroed() }
}

/// A node in a tree of contexts. A clone is the same node.
pub struct Context(NonNull<sys::chief_context>);

// SAFETY: each function of a context may be called from every thread at once, and the values that it takes are Send and Sync.
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

impl Context {
    /// A root.
    pub fn new() -> Result<Self> {
        Self::below(None, None)
    }

    /// A root that is done after that time.
    pub fn with_timeout(timeout: Duration) -> Result<Self> {
        Self::below(None, Some(timeout))
    }

    /// A context that is done when this one is, or by itself.
    pub fn child(&self) -> Result<Self> {
        Self::below(Some(self), None)
    }

    /// The same, done after that time at the latest.
    pub fn child_with_timeout(&self, timeout: Duration) -> Result<Self> {
        Self::below(Some(self), Some(timeout))
    }

    fn below(parent: Option<&Context>, timeout: Option<Duration>) -> Result<Self> {
        let parent = parent.map_or(ptr::null_mut(), Context::raw);
        let mut raw = ptr::null_mut();
        // SAFETY: the parent is alive.
        check(unsafe {
            match timeout {
                None => sys::chief_context_new(&mut raw, parent),
                Some(timeout) => sys::chief_context_new_deadline(&mut raw, parent, time::millis(timeout)),
            }
        })?;
        Ok(unsafe { Self::from_raw(raw) })
    }

    /// Takes over the reference.
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_context) -> Self {
        Self(NonNull::new(raw).expect("a context is not NULL"))
    }

    /// Takes a reference to one that is borrowed.
    pub(crate) unsafe fn from_borrowed(raw: *mut sys::chief_context) -> Self {
        Self::from_raw(sys::chief_context_ref(raw))
    }

    pub(crate) fn raw(&self) -> *mut sys::chief_context {
        self.0.as_ptr()
    }

    /// Cancels it and all below it. The first cancellation wins.
    pub fn cancel(&self, reason: &str) {
        let reason = readable(reason);
        // SAFETY: the text is read during the call.
        unsafe { sys::chief_context_cancel(self.raw(), reason.as_ptr()) }
    }

    /// Why it is done: `Cancelled` or `Timeout`, with the reason as its text; Ok while it is not.
    pub fn err(&self) -> Result<()> {
        // SAFETY: the context is alive.
        match unsafe { sys::chief_context_err(self.raw()) } {
            sys::CHIEF_OK => Ok(()),
            code => Err(Error::new(Error::last(code).code(), self.reason().unwrap_or_default())),
        }
    }

    pub fn is_done(&self) -> bool {
        // SAFETY: the context is alive.
        unsafe { sys::chief_context_err(self.raw()) != sys::CHIEF_OK }
    }

    /// Why it is done, for people.
    pub fn reason(&self) -> Option<String> {
        // SAFETY: it writes `size` bytes at most.
        let reason = read_text(|buf, size| unsafe { sys::chief_context_reason(self.raw(), buf, size) });
        (!reason.is_empty()).then_some(reason)
    }

    /// The time that is left until its deadline.
    pub fn remaining(&self) -> Option<Duration> {
        // SAFETY: the context is alive.
        time::duration(unsafe { sys::chief_context_remaining(self.raw()) })
    }

    /// Waits until it is done.
    pub fn wait(&self) {
        // SAFETY: the context is alive.
        unsafe { sys::chief_context_wait(self.raw(), sys::CHIEF_FOREVER) };
    }

    /// Waits until it is done, for that time at most; whether it is.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        // SAFETY: the context is alive.
        unsafe { sys::chief_context_wait(self.raw(), time::millis(timeout)) == sys::CHIEF_OK }
    }

    /// A descriptor that is readable from the moment it is done, for an event loop. Not to be read from.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the descriptor is the context's and lives as long as it does.
        let fd = check(unsafe { sys::chief_context_fd(self.raw()) })?;
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Sets a value, at any time; the contexts below see it.
    pub fn set(&self, key: &str, value: impl Into<ContextValue>) -> Result<()> {
        let key = cstr(key)?;
        value.into().with_raw(|value| {
            // SAFETY: key and value are read during the call.
            check(unsafe { sys::chief_context_set(self.raw(), key.as_ptr(), value) })
        })?;
        Ok(())
    }

    /// Sets something of this program's, see [`Context::get_any`].
    pub fn set_any<T: Any + Send + Sync>(&self, key: &str, value: Arc<T>) -> Result<()> {
        self.set(key, ContextValue::Any(value))
    }

    /// The value of that name here or in the nearest context above.
    pub fn get(&self, key: &str) -> Option<ContextValue> {
        let key = cstr(key).ok()?;
        let mut raw = nil();
        // SAFETY: the value is ours to clear, and copied before.
        unsafe {
            if sys::chief_context_get(self.raw(), key.as_ptr(), &mut raw) != sys::CHIEF_OK {
                return None;
            }
            let value = ContextValue::from_raw(&raw);
            sys::chief_value_clear(&mut raw);
            Some(value)
        }
    }

    /// What was set with [`Context::set_any`]; `NotFound` when there is nothing of that name and type.
    pub fn get_any<T: Any + Send + Sync>(&self, key: &str) -> Result<Arc<T>> {
        self.get(key).and_then(|value| value.downcast()).ok_or_else(|| {
            Error::new(ErrorCode::NotFound, format!("no value {key:?} of the type {}", std::any::type_name::<T>()))
        })
    }
}

impl Clone for Context {
    fn clone(&self) -> Self {
        // SAFETY: one more reference is what a clone has.
        unsafe { Self::from_borrowed(self.raw()) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::chief_context_unref(self.raw()) }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("reason", &self.reason()).finish()
    }
}
