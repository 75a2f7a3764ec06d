//! Workers in Rust and in Lua: run, stop, fail.
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::common::*;
use chief::{
    worker_fn, Chief, Context, Ctx, ErrorCode, EventKind, Outcome, Reason, Restart, State, Worker, WorkerOptions,
};

#[test]
fn a_worker_runs_until_it_is_to_stop() {
    let chief = quiet();
    chief
        .add_worker(
            "waits",
            worker_fn(|ctx| {
                ctx.context().wait();
                Ok(())
            }),
        )
        .unwrap();
    launch(&chief);
    chief.wait_ready(Some(limit(10))).unwrap();
    assert_eq!(chief.pool().state("waits"), State::Run);
    chief.stop().unwrap();
    chief.join().unwrap();
    assert!(chief.has_stopped());
    assert_eq!(chief.exit_code(), 0);
}

struct Counts {
    made: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

struct Counted(Arc<AtomicU32>, std::thread::ThreadId);

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(std::thread::current().id(), self.1);
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Worker for Counts {
    type Instance = Counted;

    fn init(&self, _: &Ctx) -> Outcome<Counted> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(Counted(Arc::clone(&self.dropped), std::thread::current().id()))
    }

    fn run(&self, _: &mut Counted, ctx: &Ctx) -> Outcome {
        if ctx.generation() < 3 {
            return Err("not yet".into());
        }
        Ok(())
    }

    fn restart_on_fail(&self) -> bool {
        true
    }
}

#[test]
fn each_life_makes_an_instance_and_drops_it_in_its_home() {
    let (made, dropped) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let chief = quiet();
    let options = WorkerOptions::new().restart(Restart::on_failure().delay(Duration::ZERO));
    chief.add_worker_with("counts", Counts { made: made.clone(), dropped: dropped.clone() }, &options).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    chief.join().unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 3);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert_eq!(chief.states().unwrap().get("counts").unwrap().generation, 3);
}

#[test]
fn dropping_the_chief_drops_its_workers() {
    let data = Arc::new(());
    let held = Arc::clone(&data);
    let chief = quiet();
    chief
        .add_worker(
            "holds",
            worker_fn(move |ctx| {
                let _ = &held;
                ctx.context().wait();
                Ok(())
            }),
        )
        .unwrap();
    launch(&chief);
    assert_eq!(Arc::strong_count(&data), 2);
    drop(chief);
    assert_eq!(Arc::strong_count(&data), 1);
}

#[test]
fn a_worker_that_is_refused_is_dropped() {
    let data = Arc::new(());
    let chief = quiet();
    chief.add_worker("name", worker_fn(|_| Ok(()))).unwrap();
    let held = Arc::clone(&data);
    let refused = chief.add_worker(
        "name",
        worker_fn(move |_| {
            let _ = &held;
            Ok(())
        }),
    );
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Exists);
    assert_eq!(Arc::strong_count(&data), 1);
}

#[derive(Debug)]
struct Above(std::io::Error);

impl std::fmt::Display for Above {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file was not read")
    }
}

impl std::error::Error for Above {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_arrives_with_its_text_and_what_caused_it() {
    let chief = quiet();
    chief
        .add_worker(
            "errs",
            worker_fn(|_| Err(Above(std::io::Error::new(std::io::ErrorKind::Other, "disk on fire")).into())),
        )
        .unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    let ended = chief.join().unwrap_err();
    assert_eq!(ended.code(), ErrorCode::Failed);
    let status = chief.states().unwrap().get("errs").unwrap();
    assert_eq!((status.state, status.reason), (State::Failed, Reason::Error));
    assert_eq!(status.error, "the file was not read");
    assert_eq!(status.traceback, "caused by: disk on fire\n");
    assert_eq!(chief.exit_code(), 1);
}

#[test]
fn a_panic_arrives_with_its_text_and_place() {
    let chief = quiet();
    chief.add_worker("panics", worker_fn(|ctx| panic!("no {}", ctx.name()))).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    let failed = chief.events().find(|event| event.state == Some(State::Failed)).unwrap();
    assert_eq!(failed.error, "panicked: no panics");
    assert!(failed.traceback.contains("tests/all/life.rs:"), "{}", failed.traceback);
    assert_eq!(failed.reason, Reason::Error);
}

#[test]
fn a_panic_in_init_is_a_failed_start() {
    struct Panics;
    impl Worker for Panics {
        type Instance = ();
        fn init(&self, _: &Ctx) -> Outcome {
            panic!("in init")
        }
        fn run(&self, _: &mut (), _: &Ctx) -> Outcome {
            Ok(())
        }
    }
    let chief = quiet();
    chief.add_worker("panics", Panics).unwrap();
    chief.init_workers(None).unwrap();
    let status = chief.states().unwrap().get("panics").unwrap();
    assert_eq!((status.state, status.reason), (State::Failed, Reason::InitError));
    assert_eq!(status.error, "panicked: in init");
}

#[test]
fn events_come_in_order_until_the_end() {
    let chief = quiet();
    chief.add_worker("short", worker_fn(|_| Ok(()))).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    let events: Vec<_> = chief.events().collect();
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(events.last().unwrap().kind, EventKind::Stopped);
    let states: Vec<_> =
        events.iter().filter(|event| event.kind == EventKind::State).map(|event| event.state).collect();
    let expected = [State::Present, State::Enabled, State::Initialized, State::Run, State::Stopped];
    assert_eq!(states, expected.map(Some));
}

#[test]
fn a_parent_context_stops_the_chief() {
    let parent = Context::new().unwrap();
    let chief = quiet();
    let waits = worker_fn(|ctx| {
        ctx.context().wait();
        Ok(())
    });
    chief.add_worker("waits", waits).unwrap();
    chief.init_workers(None).unwrap();
    chief.launch(Some(&parent)).unwrap();
    parent.cancel("the lights are out");
    chief.join().unwrap();
    let reason = chief.stop_context().reason().unwrap();
    assert!(reason.contains("the parent context is done"), "{}", reason);
}

#[test]
fn a_lua_worker_answers_and_stops() {
    let chief = quiet();
    chief.add_lua_worker("echo", "echo", &lua()).unwrap();
    launch(&chief);
    chief.wait_ready(Some(limit(10))).unwrap();
    assert_eq!(chief.pool().state("echo"), State::Run);
    chief.stop().unwrap();
    chief.join().unwrap();
}

#[test]
fn a_lua_error_arrives_with_its_traceback() {
    let chief = quiet();
    chief.add_lua_worker("raises", "raises", &lua()).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    assert_eq!(chief.join().unwrap_err().code(), ErrorCode::Failed);
    let status = chief.states().unwrap().get("raises").unwrap();
    assert_eq!(status.reason, Reason::LuaError);
    assert!(status.error.contains("raised in Lua"), "{}", status.error);
    assert!(status.traceback.contains("in upvalue 'deeper'"), "{}", status.traceback);
}

#[test]
fn errors_have_a_code_and_say_what_would_be_right() {
    let chief = quiet();
    chief.add_worker("api", worker_fn(|_| Ok(()))).unwrap();
    let error = chief.enable_workers(&["apy"]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(error.to_string().contains("apy") && error.to_string().contains("api"), "{}", error);
    assert_eq!(chief.launch(None).unwrap_err().code(), ErrorCode::NotInitialized);
    let nul = chief.add_worker("a\0b", worker_fn(|_| Ok(()))).unwrap_err();
    assert_eq!(nul.code(), ErrorCode::Invalid);
    let missing = chief.add_lua_worker("gone", "no_such_module", &lua()).unwrap_err();
    assert!(missing.to_string().contains("no_such_module"), "{}", missing);
}

/// Send and Sync are what lets handles go between threads; a worker's own `Ctx` must not.
#[test]
fn handles_may_go_between_threads() {
    fn both<T: Send + Sync>() {}
    both::<Chief>();
    both::<Context>();
    both::<chief::Channel>();
    both::<chief::Message>();
    both::<chief::Snapshot>();
    both::<chief::Log>();
    both::<chief::Pool>();
    both::<chief::Error>();
}

#[test]
fn a_simulation_tries_a_policy() {
    let mut sim = chief::Sim::new(&chief::ChiefOptions::new()).unwrap();
    let policy = |exit: &chief::Exit| match exit.failures {
        1 => chief::Answer::Delay(Duration::from_secs(60)),
        _ => chief::Answer::GiveUp,
    };
    sim.add_worker("api", &WorkerOptions::new().on_exit(policy)).unwrap();
    sim.start().unwrap();
    sim.fail("api", Reason::Error, 0, Some("once")).unwrap();
    assert_eq!(sim.deadline(), Some(Duration::from_secs(60)));
    sim.advance(Duration::from_secs(60)).unwrap();
    assert_eq!(sim.states().unwrap().get("api").unwrap().state, State::Run);
    sim.fail("api", Reason::Error, 0, Some("twice")).unwrap();
    assert!(sim.take_events().unwrap().iter().any(|event| event.kind == EventKind::GivenUp));
}

#[test]
fn cron_knows_when() {
    let cron: chief::Cron = "30 2 * * mon-fri".parse().unwrap();
    let zone = chief::Zone::new("UTC").unwrap();
    let next = cron.next(Some(&zone), std::time::SystemTime::UNIX_EPOCH).unwrap(); // a Thursday
    assert_eq!(zone.text(next), "1970-01-01T02:30:00+00:00");
    let wrong = "61 * * * *".parse::<chief::Cron>().unwrap_err();
    assert!(wrong.to_string().contains("minute should be 0 to 59, got 61"), "{}", wrong);
}
