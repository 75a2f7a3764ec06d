//! The other end of a worker in a process of its own: what the child has of its chief.
use std::fmt;
use std::ptr::{self, NonNull};

use chief_sys as sys;

use crate::cstr::readable;
use crate::error::{check, ErrorCode, Result};
use crate::message::bytes;
use crate::panics;
use crate::worker::{Home, Worker};

/// What a process has of the chief that has started it by [`Chief::add_process`](crate::Chief::add_process).
///
/// A program can be its own child: with `argv` its own path, its `main` begins with
///
/// ```no_run
/// # use chief::{worker_fn, Child, Outcome};
/// # fn work(_: &chief::Ctx) -> Outcome { Ok(()) }
/// if let Some(child) = Child::open().unwrap() {
///     std::process::exit(child.live(worker_fn(work)));
/// }
/// ```
pub struct Child(NonNull<sys::chief_child>);

impl Child {
    /// To be called early, once: takes over the descriptors that lead to the chief. `None`: no chief has started this process.
    pub fn open() -> Result<Option<Self>> {
        panics::install();
        let mut raw = ptr::null_mut();
        // SAFETY: it fails where the process was not started by a chief.
        match check(unsafe { sys::chief_child_open(&mut raw) }) {
            Ok(_) => Ok(NonNull::new(raw).map(Self)),
            Err(error) if error.code() == ErrorCode::NotSupported => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is to run here: the `spec` of its [`Process`](crate::Process).
    pub fn spec(&self) -> &[u8] {
        // SAFETY: the bytes are the child's.
        unsafe { bytes(sys::chief_child_spec(self.0.as_ptr())) }
    }

    /// Lives the one generation that this process is for, in this thread. `Failed`: the worker has failed, which the chief
    /// knows; `Closed`: the chief has gone.
    pub fn run<W: Worker>(self, worker: W) -> Result<()> {
        let data = Home::make(worker);
        // SAFETY: the data is ours and alive until it returns.
        let ended = check(unsafe { sys::chief_child_run(self.0.as_ptr(), &Home::<W>::ops(), data) });
        unsafe { Home::<W>::destroy(data) };
        ended.map(drop)
    }

    /// The same; answers the code that the process is to exit with.
    pub fn live<W: Worker>(self, worker: W) -> i32 {
        match self.run(worker) {
            Ok(()) => 0,
            Err(error) if error.code() == ErrorCode::Closed => 75,
            Err(_) => 1,
        }
    }

    /// Tells the chief that what the spec asks for can't be run here: the init has failed with this text.
    pub fn refuse(self, text: &str) {
        // SAFETY: the text is read during the call.
        unsafe { sys::chief_child_refuse(self.0.as_ptr(), readable(text).as_ptr()) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::chief_child_close(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("spec", &String::from_utf8_lossy(self.spec())).finish()
    }
}
