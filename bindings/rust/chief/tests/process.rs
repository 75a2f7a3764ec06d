//! Workers of this program in processes of their own: each is this program again. Its tests are told as cargo's are.
#[path = "all/common.rs"]
#[allow(dead_code)]
mod common;

use std::env;
use std::panic;
use std::process::exit;

use chief::{worker_fn, ChannelOptions, Chief, Child, Ctx, ErrorCode, Outcome, Process, Reason, State, WorkerOptions};
use common::*;

/// What a child does, as its spec says.
fn work(spec: &str, ctx: &Ctx) -> Outcome {
    match spec {
        "echo" => {
            let results = ctx.channel("results")?;
            for message in ctx.iter() {
                results.send(vec![ctx.name().to_owned(), message.get::<String>()?])?;
            }
            Ok(())
        }
        "err" => Err("an error of the child".into()),
        "panic" => panic!("a panic of the child"),
        "abort" => std::process::abort(),
        _ => ctx.sleep(limit(3600)).map_err(Into::into),
    }
}

fn be_a_child(child: Child) -> ! {
    let spec = String::from_utf8(child.spec().to_vec()).unwrap();
    if spec == "unknown" {
        child.refuse("there is no such work");
        exit(1);
    }
    exit(child.live(worker_fn(move |ctx| work(&spec, ctx))))
}

fn add(chief: &Chief, spec: &str) {
    let program = env::current_exe().unwrap().to_str().unwrap().to_owned();
    // A child that is told by TERM to end while it looks for leaks would wait for that.
    let asan = env::var("ASAN_OPTIONS").unwrap_or_default() + ":detect_leaks=0";
    let process = Process::new().argv([program]).spec(spec).core(Some(0)).env("ASAN_OPTIONS", &asan);
    chief.add_process(spec, &process, &WorkerOptions::new()).unwrap();
}

fn messages_go_to_a_child_and_come_back() {
    let chief = quiet();
    let results = chief.add_channel("results", &ChannelOptions::new()).unwrap();
    add(&chief, "echo");
    launch(&chief);
    chief.send("echo", "hello").unwrap();
    assert_eq!(results.recv_timeout(limit(20)).unwrap().get::<Vec<String>>().unwrap(), ["echo", "hello"]);
    chief.stop().unwrap();
    chief.join().unwrap();
}

fn a_child_that_fails_says_why() {
    for (spec, text) in
        [("err", "an error of the child"), ("panic", "panicked: a panic of the child"), ("abort", "killed by signal 6")]
    {
        let chief = quiet();
        add(&chief, spec);
        chief.set_exit_when_done(true).unwrap();
        launch(&chief);
        assert_eq!(chief.join_timeout(limit(20)).unwrap_err().code(), ErrorCode::Failed);
        let status = chief.states().unwrap().get(spec).unwrap();
        assert!(status.error.contains(text), "{:?}", status);
    }
}

fn a_child_can_refuse() {
    let chief = quiet();
    add(&chief, "unknown");
    chief.init_workers(None).unwrap();
    let status = chief.states().unwrap().get("unknown").unwrap();
    assert_eq!((status.state, status.reason), (State::Failed, Reason::InitError));
    assert!(status.error.contains("there is no such work"), "{}", status.error);
}

fn a_child_that_waits_is_stopped() {
    let chief = quiet();
    add(&chief, "wait");
    launch(&chief);
    chief.wait_ready(Some(limit(20))).unwrap();
    drop(chief);
}

fn main() {
    if let Some(child) = Child::open().unwrap() {
        be_a_child(child);
    }
    let tests: [(&str, fn()); 4] = [
        ("messages_go_to_a_child_and_come_back", messages_go_to_a_child_and_come_back),
        ("a_child_that_fails_says_why", a_child_that_fails_says_why),
        ("a_child_can_refuse", a_child_can_refuse),
        ("a_child_that_waits_is_stopped", a_child_that_waits_is_stopped),
    ];
    let mut failed = 0;
    for (name, test) in tests {
        let result = panic::catch_unwind(move || within_limit(test));
        failed += i32::from(result.is_err());
        println!("test process::{name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
    }
    exit(failed);
}
