//! Workers whose lives are led on threads of the program's: the main thread, or one that already runs something else.
use std::fmt;
use std::os::unix::io::BorrowedFd;
use std::ptr::{self, NonNull};
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::cstr;
use crate::error::{check, Error, Result};
use crate::options::WorkerOptions;
use crate::panics;
use crate::time;
use crate::worker::{enter, Ctx, Outcome};
use crate::Chief;

/// Where threads come for the lives of one worker. A clone is the same worker. It may outlive its chief.
pub struct Hosted(NonNull<sys::chief_hosted>);

// SAFETY: each function of it may be called from every thread at once.
unsafe impl Send for Hosted {}
unsafe impl Sync for Hosted {}

impl Chief {
    /// Adds a worker whose lives are led by [`Hosted::lead`]. `init_workers` waits for its init, too, so another thread has to
    /// lead it then, or it is added afterwards.
    pub fn add_hosted(&self, name: &str, options: &WorkerOptions) -> Result<Hosted> {
        let name = cstr(name)?;
        panics::install();
        options.with_raw(None, |options| {
            let mut raw = ptr::null_mut();
            // SAFETY: all is copied.
            check(unsafe { sys::chief_add_hosted(self.raw(), name.as_ptr(), options, &mut raw) })?;
            Ok(Hosted(NonNull::new(raw).expect("a hosted worker is not NULL")))
        })
    }
}

impl Hosted {
    fn raw(&self) -> *mut sys::chief_hosted {
        self.0.as_ptr()
    }

    /// Waits until the worker is wanted, and leads one life of it in this thread, which nothing has to be sent to. `Closed`:
    /// there will be no more; `Failed`: the life has failed, which the chief knows and decides about.
    pub fn lead(&self, timeout: Option<Duration>, run: impl FnOnce(&Ctx) -> Outcome) -> Result<()> {
        self.lead_with(timeout, |_| Ok(()), |(), ctx| run(ctx))
    }

    /// The same with an init, whose instance runs.
    pub fn lead_with<I>(
        &self,
        timeout: Option<Duration>,
        init: impl FnOnce(&Ctx) -> Outcome<I>,
        run: impl FnOnce(I, &Ctx) -> Outcome,
    ) -> Result<()> {
        let mut raw = ptr::null_mut();
        // SAFETY: the worker is this thread's from here to its end, which comes on every way.
        check(unsafe { sys::chief_hosted_begin(self.raw(), time::timeout(timeout), &mut raw) })?;
        let ended = unsafe { live(raw, init, run) };
        let code = ended.err().unwrap_or(sys::CHIEF_OK);
        // SAFETY: nothing of the worker is used after it.
        unsafe { sys::chief_hosted_end(raw, code) };
        if code == sys::CHIEF_OK {
            return Ok(());
        }
        Err(Error::new(crate::ErrorCode::Failed, "the life that was led has failed; the chief's states say why"))
    }

    /// A descriptor that is readable while [`lead`](Self::lead) would not wait for its beginning. Not to be read from.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the descriptor is the worker's and lives as long as this does.
        let fd = check(unsafe { sys::chief_hosted_fd(self.raw()) })?;
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}

/// Init, the word of the chief, run; Err is what the library is to be told.
unsafe fn live<I>(
    raw: *mut sys::chief_worker,
    init: impl FnOnce(&Ctx) -> Outcome<I>,
    run: impl FnOnce(I, &Ctx) -> Outcome,
) -> std::result::Result<(), i32> {
    let instance = enter(raw, init)?;
    match sys::chief_hosted_enter(raw, sys::CHIEF_FOREVER) {
        sys::CHIEF_OK => enter(raw, |ctx| run(instance, ctx)),
        // It is not to run: what was made is undone.
        sys::CHIEF_ECANCELED => enter(raw, |_| {
            drop(instance);
            Ok(())
        }),
        code => Err(code),
    }
}

impl Clone for Hosted {
    fn clone(&self) -> Self {
        // SAFETY: one more reference is what a clone has.
        let raw = unsafe { sys::chief_hosted_ref(self.raw()) };
        Self(NonNull::new(raw).expect("it is what was given"))
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::chief_hosted_unref(self.raw()) }
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hosted")
    }
}
