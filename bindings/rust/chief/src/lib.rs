//! A chief runs a named set of workers, in Rust and in Lua, keeps them running, and stops them without losing work.
//!
//! ```no_run
//! use chief::{worker_fn, Chief, LuaOptions};
//! use std::time::Duration;
//!
//! fn main() -> chief::Result<()> {
//!     let chief = Chief::new()?;
//!     chief.add_worker("ticker", worker_fn(|ctx| loop {
//!         ctx.sleep(Duration::from_secs(1))?;
//!         ctx.log().info("tick", &[]);
//!     }))?;
//!     chief.add_lua_worker("greeter", "workers.greeter", &LuaOptions::new().path("./?.lua"))?;
//!     chief.run_all(&[]) // until SIGTERM or SIGINT
//! }
//! ```
// What a thread-local value begins with is found to be a constant with a cell in it.
#![allow(clippy::declare_interior_mutable_const)]
#![warn(missing_debug_implementations, rust_2018_idioms, unreachable_pub)]

/// The code of the README is tried as that of these pages is.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

mod actor;
mod channel;
mod chief;
mod chief_options;
mod child;
mod context;
mod cstr;
mod error;
mod event;
mod hooks;
mod hosted;
mod log;
mod message;
mod options;
mod panics;
mod payload;
mod policy;
mod pool;
mod process;
mod rule;
mod running;
mod schedule;
mod sim;
mod snapshot;
mod state;
mod time;
mod value;
mod worker;

pub use crate::actor::Actor;
pub use crate::channel::{select, Channel, ChannelOptions, ChannelStats, Delivery, Messages, Overflow};
pub use crate::chief::{find_program, version, AppInfo, Catch, Chief, GroupPolicy};
pub use crate::chief_options::ChiefOptions;
pub use crate::child::Child;
pub use crate::context::{Context, ContextValue};
pub use crate::error::{Error, ErrorCode, Result};
pub use crate::event::{Event, Events};
pub use crate::hosted::Hosted;
pub use crate::log::{Log, LogFormat, Record};
pub use crate::message::{Message, MessageKind};
pub use crate::options::{Isolation, LuaOptions, Restart, WorkerOptions};
pub use crate::payload::{Bytes, Encode, Payload, Tokens};
pub use crate::policy::{Answer, End, Exit};
pub use crate::pool::{Pool, PoolView};
pub use crate::process::Process;
pub use crate::rule::Rule;
pub use crate::schedule::{Cron, Zone};
pub use crate::sim::{Manners, Sim};
pub use crate::snapshot::{Snapshot, WorkerStatus};
pub use crate::state::{EventKind, Level, Phase, Reason, State};
pub use crate::value::{FromValue, Value};
pub use crate::worker::{worker_fn, Ctx, Failure, Outcome, Source, Worker, WorkerFn};
