//! What a chief calls of the program's: hooks at its end, what it waits for, and chiefs inside it.
//!
//! The library takes a pointer for a hook and no destructor. What is behind it is kept by a value of the chief's context,
//! which lives until each hook has returned, also one that is late.
use std::os::raw::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chief_sys as sys;

use crate::context::{Context, ContextValue};
use crate::cstr::{cstr, readable};
use crate::error::{check, text, Error, ErrorCode, Result};
use crate::options::WorkerOptions;
use crate::panics::{contain, Panic};
use crate::worker::{with_ctx, Ctx, Failure, Outcome};
use crate::Chief;

struct Hook(Mutex<Option<Box<dyn FnOnce() + Send>>>);

/// What `run_all` waits for, and what it has failed with.
pub(crate) struct Locker {
    wait: Box<dyn Fn(&Context) -> Outcome + Send + Sync>,
    failure: Mutex<Option<String>>,
}

type Maker = Box<dyn Fn(&Ctx) -> Outcome<Chief> + Send + Sync>;

impl Chief {
    fn keep<T: Send + Sync + 'static>(&self, thing: T) -> Result<*mut c_void> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let thing = Arc::new(thing);
        let pointer = Arc::as_ptr(&thing) as *mut c_void;
        let key = format!("chief-rust-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.add_value(&key, ContextValue::Any(thing))?;
        Ok(pointer)
    }

    /// Adds a hook that runs after the last worker has stopped, the hooks in reverse order.
    pub fn on_shutdown(&self, hook: impl FnOnce() + Send + 'static) -> Result<()> {
        let data = self.keep(Hook(Mutex::new(Some(Box::new(hook)))))?;
        // SAFETY: the data is kept until the hook has returned.
        check(unsafe { sys::chief_on_shutdown(self.raw(), Some(call_hook), data) })?;
        Ok(())
    }

    /// Gives `run_all` something else to wait for than signals: its return begins the stop. It has to return when its
    /// context is done.
    pub fn set_locker(&self, wait: impl Fn(&Context) -> Outcome + Send + Sync + 'static) -> Result<()> {
        let locker = Arc::new(Locker { wait: Box::new(wait), failure: Mutex::default() });
        let data = Arc::as_ptr(&locker) as *mut c_void;
        // SAFETY: it is called by `run_all` alone, during which this chief, and so the locker, is there.
        check(unsafe { sys::chief_set_locker(self.raw(), Some(call_locker), data) })?;
        *lock(&self.locker) = Some(locker);
        Ok(())
    }

    /// What the locker has failed with; the library knows its code alone.
    pub(crate) fn locker_failure(&self) -> Option<Error> {
        let locker = lock(&self.locker).clone()?;
        let text = lock(&locker.failure).take()?;
        Some(Error::new(ErrorCode::Failed, format!("the locker failed: {text}")))
    }

    /// Adds a worker that is a chief itself: `make` makes one for each of its lives, which has not been started.
    pub fn add_chief(
        &self,
        name: &str,
        make: impl Fn(&Ctx) -> Outcome<Chief> + Send + Sync + 'static,
        options: &WorkerOptions,
    ) -> Result<()> {
        let name = cstr(name)?;
        options.with_raw(Some(drop_maker), |options| {
            let data = Box::into_raw(Box::new(Box::new(make) as Maker)).cast();
            // SAFETY: all is copied but the data, which is the chief's on success.
            let added =
                check(unsafe { sys::chief_add_chief(self.raw(), name.as_ptr(), Some(call_maker), data, options) });
            if added.is_err() {
                // SAFETY: nobody else has it.
                unsafe { drop_maker(data) }
            }
            added.map(drop)
        })
    }
}

/// Keeps what a callback has failed with as this thread's last error.
fn failed(result: std::result::Result<Outcome<c_int>, Panic>) -> c_int {
    let (code, text) = match result {
        Ok(Ok(code)) => return code,
        Ok(Err(failure)) => (code_of(&failure), failure.to_string()),
        Err(panic) => (sys::CHIEF_EFAILED, panic.text),
    };
    let text = readable(&text);
    // SAFETY: the text is copied.
    unsafe { sys::chief_set_last_error(code, text.as_ptr()) }
}

fn code_of(failure: &Failure) -> c_int {
    failure.downcast_ref::<Error>().map_or(sys::CHIEF_EFAILED, |error| error.code().number())
}

unsafe extern "C" fn call_hook(data: *mut c_void) {
    let hook = &*data.cast::<Hook>();
    let _ = contain(|| {
        let hook = lock(&hook.0).take();
        if let Some(hook) = hook {
            hook();
        }
    });
}

unsafe extern "C" fn call_locker(data: *mut c_void, context: *mut sys::chief_context) -> c_int {
    let locker = &*data.cast::<Locker>();
    let context = Context::from_borrowed(context);
    let code = failed(contain(|| (locker.wait)(&context).map(|()| sys::CHIEF_OK)));
    *lock(&locker.failure) = (code != sys::CHIEF_OK).then(|| text(sys::chief_last_error()));
    code
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

unsafe extern "C" fn call_maker(ctx: *mut sys::chief_worker, data: *mut c_void, out: *mut *mut sys::chief) -> c_int {
    let make = &*data.cast::<Maker>();
    *out = ptr::null_mut();
    failed(contain(|| {
        with_ctx(ctx, |ctx| make(ctx)).map(|chief| {
            *out = chief.into_raw();
            sys::CHIEF_OK
        })
    }))
}

unsafe extern "C" fn drop_maker(data: *mut c_void) {
    let make = Box::from_raw(data.cast::<Maker>());
    let _ = contain(|| drop(make));
}
