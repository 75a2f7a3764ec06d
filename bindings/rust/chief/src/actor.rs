//! Workers that share a few threads: what they do is answer messages, and a timer.
use std::mem::{self, ManuallyDrop};
use std::os::raw::{c_int, c_void};
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::cstr;
use crate::error::{check, Result};
use crate::message::Message;
use crate::options::{Isolation, WorkerOptions};
use crate::time;
use crate::worker::{enter, Ctx, Home, Life, Outcome, Worker};
use crate::Chief;

/// A worker that is called when there is something to do, so that ten thousand of them need no more threads than ten. It ends when
/// it is to stop and has had the messages that were queued.
///
/// A call may block all the same: then it keeps its thread, and the others move on to another one.
pub trait Actor: Send + Sync + 'static {
    /// What lives one life; it may be called on another thread each time.
    type Instance: Send;

    /// Makes what will live, fresh at every start.
    fn init(&self, ctx: &Ctx) -> Outcome<Self::Instance>;

    /// A message of its mailbox; an error or a panic fails it.
    fn on_message(&self, instance: &mut Self::Instance, ctx: &Ctx, message: &Message) -> Outcome;

    /// Called after each such time, see [`on_timer`](Self::on_timer).
    fn interval(&self) -> Option<Duration> {
        None
    }

    fn on_timer(&self, instance: &mut Self::Instance, ctx: &Ctx) -> Outcome {
        let _ = (instance, ctx);
        Ok(())
    }

    /// Whether it is restarted after a failure, where its options say nothing.
    fn restart_on_fail(&self) -> bool {
        false
    }
}

/// An actor as a worker whose run is never called.
struct Called<A>(A);

impl<A: Actor> Worker for Called<A> {
    type Instance = A::Instance;

    fn init(&self, ctx: &Ctx) -> Outcome<A::Instance> {
        self.0.init(ctx)
    }

    fn run(&self, _: &mut A::Instance, _: &Ctx) -> Outcome {
        Err("an actor is called by its messages".into())
    }

    fn restart_on_fail(&self) -> bool {
        self.0.restart_on_fail()
    }
}

impl Chief {
    /// Adds a worker that is called by its messages, as a fiber.
    pub fn add_actor<A: Actor>(&self, name: &str, actor: A, options: &WorkerOptions) -> Result<()> {
        let name = cstr(name)?;
        let interval = actor.interval();
        let fiber = sys::chief_fiber_ops {
            size: mem::size_of::<sys::chief_fiber_ops>() as u32,
            reserved: 0,
            resume: None,
            on_message: Some(on_message::<A>),
            on_timer: interval
                .map(|_| on_timer::<A> as unsafe extern "C" fn(*mut sys::chief_worker, *mut c_void) -> c_int),
            interval: interval.map_or(0, time::millis),
        };
        let ops = Home::<Called<A>>::ops();
        let options = options.clone().isolation(Isolation::Fiber);
        options.with_raw(Some(Home::<Called<A>>::destroy), |options| {
            let options = sys::chief_worker_options { fiber: &fiber, ..*options };
            let data = Home::make(Called(actor));
            // SAFETY: all is copied but the data, which is the chief's on success.
            let added = check(unsafe { sys::chief_add_worker_with(self.raw(), name.as_ptr(), &ops, data, &options) });
            if added.is_err() {
                // SAFETY: nobody else has it.
                unsafe { Home::<Called<A>>::destroy(data) }
            }
            added.map(drop)
        })
    }
}

unsafe fn call<A: Actor>(
    ctx: *mut sys::chief_worker,
    instance: *mut c_void,
    part: impl FnOnce(&A, &mut A::Instance, &Ctx) -> Outcome,
) -> c_int {
    let (called, instance) = Life::<Called<A>>::parts(instance);
    enter(ctx, |ctx| part(&called.0, instance, ctx)).err().unwrap_or(sys::CHIEF_OK)
}

unsafe extern "C" fn on_message<A: Actor>(
    ctx: *mut sys::chief_worker,
    instance: *mut c_void,
    message: *const sys::chief_msg,
) -> c_int {
    // The message stays the library's.
    let message = ManuallyDrop::new(Message::from_raw(message as *mut _));
    call::<A>(ctx, instance, |actor, instance, ctx| actor.on_message(instance, ctx, &message))
}

unsafe extern "C" fn on_timer<A: Actor>(ctx: *mut sys::chief_worker, instance: *mut c_void) -> c_int {
    call::<A>(ctx, instance, |actor, instance, ctx| actor.on_timer(instance, ctx))
}
