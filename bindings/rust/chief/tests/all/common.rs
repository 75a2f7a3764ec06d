//! What the tests share.
use std::env;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chief::{Chief, ChiefOptions, Level, Log, LogFormat, LuaOptions, WorkerOptions};

/// A time limit, slackened where the machine is slow.
pub fn limit(seconds: u64) -> Duration {
    let slow = env::var("CHIEF_TEST_SLOW").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    Duration::from_secs(seconds * slow.max(1))
}

/// A chief that logs nothing.
pub fn quiet() -> Chief {
    quiet_with(ChiefOptions::new())
}

pub fn quiet_with(options: ChiefOptions) -> Chief {
    let log = Log::new(Level::Off, LogFormat::Text).unwrap();
    Chief::with_options(&options.log(&log)).unwrap()
}

pub fn launch(chief: &Chief) {
    chief.init_workers(None).unwrap();
    chief.launch(None).unwrap();
}

pub fn source() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The Lua modules beside the tests.
pub fn lua() -> LuaOptions {
    lua_with(WorkerOptions::new())
}

pub fn lua_with(worker: WorkerOptions) -> LuaOptions {
    LuaOptions::new().path(format!("{}/tests/workers/?.lua", env!("CARGO_MANIFEST_DIR"))).worker(worker)
}

/// Runs what must not hang on a thread of its own, and fails when it has not ended within 30 s.
pub fn within_limit<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = run();
        let _ = done.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = told.recv_timeout(limit(30)) {
        panic!("it has not ended within {:?}", limit(30));
    }
    match thread.join() {
        Ok(result) => result,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}
