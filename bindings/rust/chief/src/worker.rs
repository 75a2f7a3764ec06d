//! Workers, and what they can call.
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::{c_int, c_void};
use std::os::unix::io::BorrowedFd;
use std::ptr;
use std::time::Duration;

use chief_sys as sys;

use crate::channel::{select_raw, with_batch, Channel};
use crate::context::Context;
use crate::cstr::{cstr, readable};
use crate::error::{check, read_text, static_text, Error, Result};
use crate::log::Log;
use crate::message::{bytes, receive_many, Message};
use crate::panics::{contain, Panic};
use crate::payload::Payload;
use crate::snapshot::Snapshot;
use crate::state::Reason;
use crate::time;
use crate::value::{FromValue, Value};

/// What a worker fails with: any error. Its text is the worker's, and the errors below it are its traceback.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How a part of a worker's life ends.
pub type Outcome<T = ()> = std::result::Result<T, Failure>;

/// A worker: what makes instances, each of which lives one life.
///
/// All that happens to one instance happens in one thread, its home; replicas share the worker.
pub trait Worker: Send + Sync + 'static {
    /// What runs; it is dropped in its home when the life ends.
    type Instance;

    /// Makes what will run, fresh at every start.
    fn init(&self, ctx: &Ctx) -> Outcome<Self::Instance>;

    /// Works until its context is done or its work is. A panic is a failure, too.
    fn run(&self, instance: &mut Self::Instance, ctx: &Ctx) -> Outcome;

    /// Whether it is restarted after a failure, where its options say nothing.
    fn restart_on_fail(&self) -> bool {
        false
    }

    /// Called on another thread when a part of its life has used up its time, and perhaps again: makes what blocks outside the
    /// library return. Calls of the library end by themselves. It must not block.
    fn interrupt(&self, why: &str) {
        let _ = why;
    }
}

/// A worker that is a function, called in each of its lives: `chief.add_worker("tick", worker_fn(|ctx| …))`.
pub fn worker_fn<F>(run: F) -> WorkerFn<F>
where
    F: Fn(&Ctx) -> Outcome + Send + Sync + 'static,
{
    WorkerFn { run, restart_on_fail: false }
}

/// See [`worker_fn`].
#[derive(Clone, Copy)]
pub struct WorkerFn<F> {
    run: F,
    restart_on_fail: bool,
}

impl<F> WorkerFn<F> {
    /// Restarted after a failure, where the options say nothing.
    pub fn restart_on_fail(mut self) -> Self {
        self.restart_on_fail = true;
        self
    }
}

impl<F> fmt::Debug for WorkerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerFn").field("restart_on_fail", &self.restart_on_fail).finish()
    }
}

impl<F> Worker for WorkerFn<F>
where
    F: Fn(&Ctx) -> Outcome + Send + Sync + 'static,
{
    type Instance = ();

    fn init(&self, _: &Ctx) -> Outcome {
        Ok(())
    }

    fn run(&self, _: &mut (), ctx: &Ctx) -> Outcome {
        (self.run)(ctx)
    }

    fn restart_on_fail(&self) -> bool {
        self.restart_on_fail
    }
}

thread_local! {
    static CURRENT: Cell<*mut sys::chief_worker> = const { Cell::new(ptr::null_mut()) };
}

/// The worker whose callback this thread is in; NULL: none.
pub(crate) fn current() -> *mut sys::chief_worker {
    CURRENT.try_with(Cell::get).unwrap_or(ptr::null_mut())
}

/// A running worker, seen from inside.
pub struct Ctx {
    raw: *mut sys::chief_worker,
    _here: PhantomData<*mut ()>, // only in the worker's own thread
}

impl Ctx {
    pub fn name(&self) -> &str {
        // SAFETY: the name lives as long as the worker.
        unsafe { static_text(sys::chief_worker_name(self.raw)) }
    }

    /// Which life this is: 1 at the first start.
    pub fn generation(&self) -> u64 {
        // SAFETY: the worker is alive.
        unsafe { sys::chief_worker_generation(self.raw) }
    }

    /// Its context, done when it is to stop.
    pub fn context(&self) -> Context {
        // SAFETY: the worker is alive and holds it.
        unsafe { Context::from_borrowed(sys::chief_worker_context(self.raw)) }
    }

    /// Whether it is to stop.
    pub fn is_done(&self) -> bool {
        // SAFETY: the worker is alive and holds its context.
        unsafe { sys::chief_context_err(sys::chief_worker_context(self.raw)) != sys::CHIEF_OK }
    }

    /// Its logger.
    pub fn log(&self) -> Log {
        // SAFETY: the worker is alive and holds it.
        unsafe { Log::from_borrowed(sys::chief_worker_log(self.raw)) }
    }

    /// The `args` that it was added with, as a value of that type; nil where there are none.
    pub fn args<T: FromValue>(&self) -> Result<T> {
        match self.args_bytes() {
            [] => T::from_value(Value::Nil),
            args => Value::read(args).and_then(T::from_value),
        }
    }

    /// The bytes of its `args`.
    pub fn args_bytes(&self) -> &[u8] {
        // SAFETY: they live as long as the worker.
        unsafe { bytes(sys::chief_worker_args(self.raw)) }
    }

    /// Says that it is ready, where it was added with `says_ready`.
    pub fn ready(&self) {
        // SAFETY: the worker is alive.
        unsafe { sys::chief_worker_ready(self.raw) }
    }

    /// Says with which code this life ends if it fails, as a process has one.
    pub fn set_exit_code(&self, code: i32) {
        // SAFETY: the worker is alive.
        unsafe { sys::chief_worker_set_exit_code(self.raw, code) }
    }

    /// Why it is ended by force; `None` while it is not.
    pub fn interrupt_reason(&self) -> Option<String> {
        // SAFETY: it writes `size` bytes at most.
        let why = read_text(|buf, size| unsafe { sys::chief_worker_interrupt_reason(self.raw, buf, size) });
        (!why.is_empty()).then_some(why)
    }

    /// Asks the chief to end this worker by force now; it has then failed for this reason, however it ends.
    pub fn expire(&self, reason: Reason, why: &str) -> Result<()> {
        let why = cstr(why)?;
        // SAFETY: the text is read during the call.
        unsafe { sys::chief_worker_expire(self.raw, reason.number(), why.as_ptr(), ptr::null()) };
        Ok(())
    }

    /// Sleeps; `Cancelled` as soon as it is to stop.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        // SAFETY: the worker is alive.
        check(unsafe { sys::chief_worker_sleep(self.raw, time::millis(duration)) })?;
        Ok(())
    }

    /// One of the chief's channels; an unknown name is `NotFound`, and the text lists those there are.
    pub fn channel(&self, name: &str) -> Result<Channel> {
        let name = cstr(name)?;
        let mut raw = ptr::null_mut();
        // SAFETY: it is borrowed for the worker's life, and the handle may live longer.
        check(unsafe { sys::chief_worker_channel(self.raw, name.as_ptr(), &mut raw) })?;
        Ok(unsafe { Channel::from_raw(sys::chief_channel_ref(raw)) })
    }

    fn send_within(&self, to: &str, message: &impl Payload, timeout_ms: i64) -> Result<()> {
        let to = cstr(to)?;
        message.with_bytes(|data| {
            // SAFETY: name and bytes are read during the call.
            check(unsafe {
                sys::chief_worker_send(self.raw, to.as_ptr(), data.as_ptr().cast(), data.len(), timeout_ms)
            })
        })?;
        Ok(())
    }

    /// Sends to another worker's mailbox; waits for room.
    pub fn send(&self, to: &str, message: impl Payload) -> Result<()> {
        self.send_within(to, &message, sys::CHIEF_FOREVER)
    }

    pub fn send_timeout(&self, to: &str, message: impl Payload, timeout: Duration) -> Result<()> {
        self.send_within(to, &message, time::millis(timeout))
    }

    pub fn try_send(&self, to: &str, message: impl Payload) -> Result<()> {
        self.send_within(to, &message, 0)
    }

    /// Sends several in order, the timeout (`None`: for ever) over all. Answers how many went, and why the next one did not.
    pub fn send_many<P: Payload>(&self, to: &str, messages: &[P], timeout: Option<Duration>) -> (usize, Result<()>) {
        let to = match cstr(to) {
            Ok(to) => to,
            Err(error) => return (0, Err(error)),
        };
        with_batch(messages, |items| {
            let mut sent = 0;
            // SAFETY: name and items are read during the call.
            let rc = unsafe {
                sys::chief_worker_send_many(
                    self.raw,
                    to.as_ptr(),
                    items.as_ptr(),
                    items.len(),
                    time::timeout(timeout),
                    &mut sent,
                )
            };
            (sent, check(rc).map(drop))
        })
    }

    /// Sends to every other worker that has a mailbox, without waiting; how many took it.
    pub fn broadcast(&self, message: impl Payload) -> Result<usize> {
        let mut reached = 0;
        message.with_bytes(|data| {
            // SAFETY: the bytes are read during the call.
            check(unsafe { sys::chief_worker_broadcast(self.raw, data.as_ptr().cast(), data.len(), &mut reached) })
        })?;
        Ok(reached)
    }

    /// Asks another worker and waits for its answer.
    pub fn call(&self, to: &str, question: impl Payload, timeout: Option<Duration>) -> Result<Message> {
        let to = cstr(to)?;
        let mut reply = ptr::null_mut();
        question.with_bytes(|data| {
            // SAFETY: name and bytes are read during the call.
            check(unsafe {
                sys::chief_worker_call(
                    self.raw,
                    to.as_ptr(),
                    data.as_ptr().cast(),
                    data.len(),
                    time::timeout(timeout),
                    &mut reply,
                )
            })
        })?;
        Ok(unsafe { Message::from_raw(reply) })
    }

    fn recv_within(&self, timeout_ms: i64) -> Result<Message> {
        let mut raw = ptr::null_mut();
        // SAFETY: the worker is alive.
        check(unsafe { sys::chief_worker_recv(self.raw, timeout_ms, &mut raw) })?;
        Ok(unsafe { Message::from_raw(raw) })
    }

    /// Receives from its own mailbox; `Cancelled` when it is to stop and there is nothing.
    pub fn recv(&self) -> Result<Message> {
        self.recv_within(sys::CHIEF_FOREVER)
    }

    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message> {
        self.recv_within(time::millis(timeout))
    }

    pub fn try_recv(&self) -> Result<Message> {
        self.recv_within(0)
    }

    /// Receives as many as are there once there is one, `max` at most; they are in hand as a whole.
    pub fn recv_many(&self, max: usize, timeout: Option<Duration>) -> Result<Vec<Message>> {
        receive_many(max, |out, max, n| {
            // SAFETY: there is room for `max` of them.
            unsafe { sys::chief_worker_recv_many(self.raw, time::timeout(timeout), out, max, n) }
        })
    }

    /// A descriptor that is readable while its mailbox has something, for an event loop. Not to be read from.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the descriptor lives as long as the worker.
        let fd = check(unsafe { sys::chief_worker_fd(self.raw) })?;
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// The messages of its mailbox until it is to stop and has had all of them.
    pub fn iter(&self) -> impl Iterator<Item = Message> + '_ {
        std::iter::from_fn(move || self.recv().ok())
    }

    /// Receives from the first that has something: its place among them, and the message.
    pub fn select(&self, sources: &[Source<'_>], timeout: Option<Duration>) -> Result<(usize, Message)> {
        let raw: Vec<_> = sources.iter().map(Source::raw).collect();
        select_raw(&raw, timeout)
    }

    /// The states of all workers.
    pub fn states(&self) -> Result<Snapshot> {
        let mut raw = ptr::null_mut();
        // SAFETY: the worker is alive.
        check(unsafe { sys::chief_worker_states(self.raw, &mut raw) })?;
        Ok(unsafe { Snapshot::from_raw(raw) })
    }

    /// Says why the part that is about to return has failed.
    fn set_error(&self, text: &str, traceback: &str) {
        let text = readable(text);
        let traceback = readable(traceback);
        // SAFETY: the texts are copied.
        unsafe {
            sys::chief_worker_set_error(self.raw, sys::CHIEF_REASON_NONE, text.as_ptr(), traceback.as_ptr());
        }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("name", &self.name()).field("generation", &self.generation()).finish()
    }
}

/// What [`Ctx::select`] receives from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    Mailbox,
    Channel(&'a Channel),
}

impl Source<'_> {
    fn raw(&self) -> *mut sys::chief_channel {
        match self {
            Self::Mailbox => ptr::null_mut(),
            Self::Channel(channel) => channel.raw(),
        }
    }
}

/// What comes first behind a worker's `data` and its `instance`, so that an interrupt, which is given either, finds the worker.
#[repr(C)]
struct Head<W> {
    worker: *const W,
}

/// Behind `data`: the worker, shared by all its lives.
#[repr(C)]
pub(crate) struct Home<W> {
    head: Head<W>,
    worker: W,
}

/// Behind `instance`: one life.
#[repr(C)]
pub(crate) struct Life<W: Worker> {
    head: Head<W>,
    instance: W::Instance,
}

impl<W: Worker> Life<W> {
    /// The worker and its instance. An interrupt may read the head meanwhile, so only the instance is borrowed.
    pub(crate) unsafe fn parts<'a>(instance: *mut c_void) -> (&'a W, &'a mut W::Instance) {
        let life = instance.cast::<Self>();
        (&*(*life).head.worker, &mut *ptr::addr_of_mut!((*life).instance))
    }
}

impl<W: Worker> Home<W> {
    /// The data of a worker, to be freed with [`Home::destroy`].
    pub(crate) fn make(worker: W) -> *mut c_void {
        let home = Box::into_raw(Box::new(Home { head: Head { worker: ptr::null() }, worker }));
        // SAFETY: nobody else has it yet.
        unsafe { (*home).head.worker = ptr::addr_of!((*home).worker) };
        home.cast()
    }

    pub(crate) unsafe extern "C" fn destroy(data: *mut c_void) {
        let home = Box::from_raw(data.cast::<Self>());
        let _ = contain(|| drop(home));
    }

    pub(crate) fn ops() -> sys::chief_worker_ops {
        sys::chief_worker_ops {
            size: std::mem::size_of::<sys::chief_worker_ops>() as u32,
            init: Some(init::<W>),
            run: Some(run::<W>),
            fini: Some(fini::<W>),
            restart_on_fail: Some(restart_on_fail::<W>),
            interrupt: Some(interrupt::<W>),
            look: None,
        }
    }
}

/// The errors below one, each with a line of its own.
fn sources(failure: &Failure) -> String {
    let below = std::iter::successors(failure.source(), |error| error.source());
    below.map(|error| format!("caused by: {error}\n")).collect()
}

fn fail(ctx: &Ctx, failure: &Failure) -> c_int {
    ctx.set_error(&failure.to_string(), &sources(failure));
    failure.downcast_ref::<Error>().map_or(sys::CHIEF_EFAILED, |error| error.code().number())
}

/// Calls `call` as the worker `raw`, in whose thread this is.
pub(crate) unsafe fn with_ctx<R>(raw: *mut sys::chief_worker, call: impl FnOnce(&Ctx) -> R) -> R {
    /// Puts the outer worker back, also where `call` panics.
    struct Outer(*mut sys::chief_worker);
    impl Drop for Outer {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }
    let _outer = Outer(CURRENT.with(|current| current.replace(raw)));
    call(&Ctx { raw, _here: PhantomData })
}

/// Calls a part of a worker's life; Err is what the library is to be told.
pub(crate) unsafe fn enter<R>(raw: *mut sys::chief_worker, part: impl FnOnce(&Ctx) -> Outcome<R>) -> Result<R, c_int> {
    let result = contain(|| with_ctx(raw, |ctx| part(ctx).map_err(|failure| fail(ctx, &failure))));
    result.unwrap_or_else(|Panic { text, traceback }| {
        Ctx { raw, _here: PhantomData }.set_error(&text, &traceback);
        Err(sys::CHIEF_EFAILED)
    })
}

unsafe extern "C" fn init<W: Worker>(
    ctx: *mut sys::chief_worker,
    data: *mut c_void,
    instance: *mut *mut c_void,
) -> c_int {
    let worker = &(*data.cast::<Home<W>>()).worker;
    match enter(ctx, |ctx| worker.init(ctx)) {
        Ok(made) => {
            let life = Box::new(Life { head: Head { worker }, instance: made });
            *instance = Box::into_raw(life).cast();
            sys::CHIEF_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn run<W: Worker>(ctx: *mut sys::chief_worker, instance: *mut c_void) -> c_int {
    let (worker, instance) = Life::<W>::parts(instance);
    match enter(ctx, |ctx| worker.run(instance, ctx)) {
        Ok(()) => sys::CHIEF_OK,
        Err(code) => code,
    }
}

unsafe extern "C" fn fini<W: Worker>(instance: *mut c_void) {
    let life = Box::from_raw(instance.cast::<Life<W>>());
    let _ = contain(|| drop(life));
}

unsafe extern "C" fn restart_on_fail<W: Worker>(data: *mut c_void) -> c_int {
    let worker = &(*data.cast::<Home<W>>()).worker;
    contain(|| worker.restart_on_fail()).unwrap_or(false).into()
}

unsafe extern "C" fn interrupt<W: Worker>(ctx: *mut sys::chief_worker, reach: *mut c_void) {
    if reach.is_null() {
        return;
    }
    let worker = &*(*reach.cast::<Head<W>>()).worker;
    let why = read_text(|buf, size| sys::chief_worker_interrupt_reason(ctx, buf, size));
    let _ = contain(|| worker.interrupt(&why));
}
