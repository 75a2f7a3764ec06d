//! What else a chief can do, and the parts that can be used alone.
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;

use crate::common::*;
use chief::{
    worker_fn, Actor, Answer, ChannelOptions, ChiefOptions, Context, ContextValue, Ctx, ErrorCode, EventKind,
    GroupPolicy, Level, Log, LogFormat, Message, Outcome, Overflow, Phase, Pool, Reason, Restart, Rule, State, Worker,
    WorkerOptions,
};

fn waits() -> impl Worker {
    worker_fn(|ctx| {
        ctx.context().wait();
        Ok(())
    })
}

#[test]
fn states_have_names_numbers_and_json() {
    assert_eq!((State::Run.to_string(), State::Run as i32), ("run".into(), 6));
    assert_eq!("run".parse::<State>().unwrap(), State::Run);
    assert_eq!("\"failed\"".parse::<State>().unwrap(), State::Failed);
    assert_eq!(State::try_from(7).unwrap(), State::Stopped);
    assert_eq!(State::try_from(0).unwrap_err().code(), ErrorCode::InvalidState);
    assert_eq!("running".parse::<State>().unwrap_err().code(), ErrorCode::InvalidState);
    assert_eq!(State::from_json(&State::Present.to_json()).unwrap(), State::Present);
    assert_eq!(State::Present.transition(State::Run), State::WrongStateChange);
    assert_eq!(State::Stopped.transition(State::Run), State::Run);
}

#[test]
fn a_rule_names_the_unknown_and_lists_the_known() {
    let rule = Rule::new(&["resizer", "api"]).unwrap();
    assert_eq!(rule.available(), ["api", "resizer"]);
    rule.validate(&["api"]).unwrap();
    let unknown = rule.validate(&["api", "foo"]).unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::NotFound);
    assert!(unknown.to_string().starts_with("invalid service name foo"), "{}", unknown);
    let other = rule.error("no such worker").unwrap().validate(&["foo"]).unwrap_err();
    assert!(other.to_string().starts_with("no such worker"), "{}", other);
}

struct Counts;

impl Worker for Counts {
    type Instance = i32;

    fn init(&self, _: &Ctx) -> Outcome<i32> {
        Ok(41)
    }

    fn run(&self, n: &mut i32, _: &Ctx) -> Outcome {
        *n += 1;
        if *n == 42 {
            return Ok(());
        }
        Err("it was not the instance of its init".into())
    }
}

#[test]
fn a_pool_needs_no_chief() {
    let pool = Pool::new().unwrap();
    pool.set_log(Some(&Log::new(Level::Off, LogFormat::Text).unwrap())).unwrap();
    pool.set_worker("counts", Counts).unwrap();
    assert_eq!(pool.set_worker("counts", Counts).unwrap_err().code(), ErrorCode::Exists);
    assert_eq!((pool.state("counts"), pool.state("unknown")), (State::Present, State::Disabled));
    assert_eq!(pool.start("counts").unwrap_err().code(), ErrorCode::WrongStateChange);
    assert_eq!(pool.enable("counts").unwrap(), State::Enabled);
    assert_eq!(pool.run_exec("counts").unwrap_err().code(), ErrorCode::NotInitialized);
    assert_eq!(pool.init("counts", None).unwrap(), State::Initialized);
    std::thread::scope(|scope| scope.spawn(|| pool.run_exec("counts").unwrap()).join().unwrap());
    assert_eq!(pool.state("counts"), State::Stopped);
    pool.set_state("counts", State::Run).unwrap();
    assert!(pool.is_alive("counts") && pool.is_enabled("counts"));
    assert_eq!(pool.states().unwrap().get("counts").unwrap().state, State::Run);
}

#[test]
fn a_context_carries_values_and_its_end() {
    let root = Context::new().unwrap();
    let below = root.child().unwrap();
    root.set("n", 7).unwrap();
    root.set("shared", ContextValue::Any(Arc::new(String::from("kept")))).unwrap();
    assert!(matches!(below.get("n"), Some(ContextValue::Integer(7))));
    assert_eq!(*below.get_any::<String>("shared").unwrap(), "kept");
    assert!(below.get("nothing").is_none() && below.err().is_ok());
    let soon = below.child_with_timeout(Duration::from_millis(1)).unwrap();
    assert!(soon.wait_timeout(limit(10)));
    assert_eq!(soon.err().unwrap_err().code(), ErrorCode::Timeout);
    root.cancel("enough");
    let cancelled = below.err().unwrap_err();
    assert_eq!((cancelled.code(), cancelled.to_string()), (ErrorCode::Cancelled, "enough".into()));
}

#[test]
fn what_a_context_keeps_is_dropped_with_it() {
    let kept = Arc::new(());
    let root = Context::new().unwrap();
    root.set_any("kept", Arc::clone(&kept)).unwrap();
    root.set_any("kept", Arc::clone(&kept)).unwrap();
    assert_eq!(Arc::strong_count(&kept), 2);
    drop(root);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn a_sink_gets_what_workers_log() {
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let log = Log::with_sink(Level::Info, move |record| {
        let _ = say.lock().unwrap().send(record.clone());
    })
    .unwrap();
    let log = log.with_fields(&[("app", "test".into())]).unwrap();
    let chief = chief::Chief::with_options(&ChiefOptions::new().log(&log)).unwrap();
    let logs = worker_fn(|ctx| {
        ctx.log().debug("not this", &[]);
        ctx.log().info("did", &[("number", 3.into())]);
        Ok(())
    });
    chief.add_worker("logs", logs).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    chief.join().unwrap();
    let record = said.try_iter().find(|record| record.message == "did").unwrap();
    let fields = format!("{:?}", record.fields);
    assert!(fields.contains(r#"("app", "test")"#) && fields.contains(r#"("number", 3)"#), "{}", fields);
    assert!(fields.contains(r#"("worker", "logs")"#), "{}", fields);
}

#[test]
fn one_worker_is_stopped_started_and_removed() {
    let chief = quiet();
    chief.add_worker("waits", waits()).unwrap();
    launch(&chief);
    chief.wait_state("waits", State::Run, Some(limit(10))).unwrap();
    assert_eq!(chief.start_worker("waits").unwrap_err().code(), ErrorCode::WrongStateChange);
    chief.stop_worker("waits").unwrap();
    chief.wait_state("waits", State::Stopped, Some(limit(10))).unwrap();
    chief.start_worker("waits").unwrap();
    chief.wait_state("waits", State::Run, Some(limit(10))).unwrap();
    assert_eq!(chief.pool().enable("waits").unwrap_err().code(), ErrorCode::Busy);
    chief.remove_worker("waits").unwrap();
    assert!(chief.events().any(|event| event.kind == EventKind::Removed));
}

#[test]
fn a_policy_of_ones_own_decides() {
    let chief = quiet();
    let fails = worker_fn(|ctx| {
        ctx.set_exit_code(7);
        Err("failed".into())
    });
    let options = WorkerOptions::new().on_exit(|exit| match exit.history.last() {
        Some(end) if exit.failures < 3 && end.code == 7 => Answer::Delay(Duration::ZERO),
        _ => Answer::GiveUp,
    });
    chief.add_worker_with("fails", fails, &options).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    assert_eq!(chief.join().unwrap_err().code(), ErrorCode::Failed);
    let status = chief.states().unwrap().get("fails").unwrap();
    assert_eq!((status.generation, status.phase), (3, Phase::GivenUp));
}

#[test]
fn a_policy_that_panics_leaves_it_to_the_options() {
    let chief = quiet();
    let options =
        WorkerOptions::new().restart(Restart::never()).on_exit(|_| panic!("no idea")).on_exit_timeout(limit(10));
    chief.add_worker_with("fails", worker_fn(|_| Err("failed".into())), &options).unwrap();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    assert!(chief.events().any(|event| event.error.contains("no idea")));
}

#[test]
fn a_chief_is_a_worker_of_another() {
    let chief = quiet();
    let make = |_: &Ctx| {
        let inner = quiet();
        inner.add_worker("inside", waits())?;
        Ok(inner)
    };
    chief.add_chief("app", make, &WorkerOptions::new()).unwrap();
    launch(&chief);
    chief.wait_ready(Some(limit(10))).unwrap();
    assert_eq!(chief.nested_states("app").unwrap().get("inside").unwrap().state, State::Run);
    chief.stop().unwrap();
    chief.join().unwrap();
}

#[test]
fn a_locker_is_waited_for() {
    let chief = quiet();
    chief.add_worker("waits", waits()).unwrap();
    chief.set_locker(|_| Ok(())).unwrap();
    chief.run_all(&[]).unwrap();
    assert!(chief.has_stopped());
    let failing = quiet();
    failing.add_worker("waits", waits()).unwrap();
    failing.set_locker(|_| Err("the key broke".into())).unwrap();
    let failed = failing.run_all(&["waits"]).unwrap_err();
    assert_eq!(failed.code(), ErrorCode::Failed);
    assert!(failed.to_string().contains("the key broke"), "{}", failed);
}

#[test]
fn workers_of_a_group_restart_together() {
    let chief = quiet();
    let fails_once = worker_fn(|ctx| {
        if ctx.generation() == 1 {
            return Err("once".into());
        }
        ctx.context().wait();
        Ok(())
    });
    let options = WorkerOptions::new().restart(Restart::on_failure().delay(Duration::ZERO)).after(["other"]);
    chief.add_worker("other", waits()).unwrap();
    chief.add_worker_with("fails", fails_once, &options).unwrap();
    chief.add_group("both", GroupPolicy::OneForAll, &["other", "fails"]).unwrap();
    launch(&chief);
    assert!(chief
        .events()
        .any(|event| event.kind == EventKind::Ready && event.worker == "fails" && event.generation == 2));
    assert_eq!(chief.states().unwrap().get("other").unwrap().generation, 2);
}

#[test]
fn a_job_runs_again_and_again() {
    let chief = quiet();
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let job = worker_fn(move |ctx| Ok(say.lock().unwrap().send(ctx.generation())?));
    chief.add_worker_with("job", job, &WorkerOptions::new().every(Duration::from_millis(1))).unwrap();
    launch(&chief);
    let runs: Vec<u64> = (0..3).map(|_| said.recv_timeout(limit(10)).unwrap()).collect();
    assert_eq!(runs, [1, 1, 1]);
}

#[test]
fn a_worker_says_when_it_is_ready_and_can_end_itself() {
    let chief = quiet();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let slow = worker_fn(move |ctx| {
        gone.lock().unwrap().recv()?;
        ctx.ready();
        ctx.expire(Reason::Watchdog, "found itself stuck")?;
        ctx.context().wait();
        Ok(())
    });
    chief.add_worker_with("slow", slow, &WorkerOptions::new().says_ready()).unwrap();
    launch(&chief);
    assert_eq!(chief.wait_ready(Some(Duration::ZERO)).unwrap_err().code(), ErrorCode::WouldBlock);
    go.send(()).unwrap();
    chief.wait_state("slow", State::Failed, Some(limit(10))).unwrap();
    let status = chief.states().unwrap().get("slow").unwrap();
    assert_eq!((status.reason, status.error.contains("found itself stuck")), (Reason::Watchdog, true));
}

#[test]
fn a_lua_worker_is_looked_at() {
    let chief = quiet();
    chief.add_lua_worker("echo", "echo", &lua()).unwrap();
    launch(&chief);
    assert_eq!(chief.call("echo", 1, None).unwrap().get::<i64>().unwrap(), 1);
    let place = chief.traceback("echo").unwrap();
    assert!(place.contains("echo.lua:"), "{}", place);
    assert_eq!(chief.traceback("nobody").unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn what_an_application_says_of_itself() {
    let chief = quiet_with(ChiefOptions::new().name("shop").version("1.2.3").tag("staging"));
    assert!(chief.info().unwrap().started.is_none());
    chief.add_worker("waits", waits()).unwrap();
    chief.init_workers(None).unwrap();
    let info = chief.info().unwrap();
    assert_eq!((info.name.as_str(), info.version.as_str(), info.tag.as_str()), ("shop", "1.2.3", "staging"));
    assert_eq!((info.pid, info.started.is_some()), (std::process::id() as i32, true));
    assert!(!chief::version().is_empty());
}

#[test]
fn a_life_is_led_on_a_thread_of_ones_own() {
    let chief = quiet();
    let options = WorkerOptions::new().restart(Restart::on_failure().delay(Duration::ZERO));
    chief.add_worker("waits", waits()).unwrap();
    launch(&chief);
    let hosted = chief.add_hosted("here", &options).unwrap();
    let here = std::rc::Rc::new(std::cell::Cell::new(0)); // stays in this thread
    let failed = hosted.lead(Some(limit(10)), |ctx| {
        here.set(ctx.generation());
        Err("the first one fails".into())
    });
    assert_eq!((failed.unwrap_err().code(), here.get()), (ErrorCode::Failed, 1));
    let panicked = hosted.lead_with(Some(limit(10)), |_| Ok(here.clone()), |_, _| panic!("the second one panics"));
    assert_eq!(panicked.unwrap_err().code(), ErrorCode::Failed);
    let result = hosted.lead_with(
        Some(limit(10)),
        |_| Ok(here.clone()),
        |here, ctx| {
            here.set(ctx.generation());
            chief.send("here", "mail")?;
            assert_eq!(ctx.recv()?.get::<String>()?, "mail");
            chief.stop()?;
            ctx.context().wait();
            Ok(())
        },
    );
    assert_eq!((result, here.get()), (Ok(()), 3));
    chief.join().unwrap();
    assert_eq!(hosted.lead(None, |_| Ok(())).unwrap_err().code(), ErrorCode::Closed);
    assert_eq!(chief.states().unwrap().get("here").unwrap().error, "panicked: the second one panics");
}

/// Adds up what it is sent, tells it when it is asked, and says when time has passed.
struct Adds {
    _held: Arc<()>,
}

impl Actor for Adds {
    type Instance = i64;

    fn init(&self, _: &Ctx) -> Outcome<i64> {
        Ok(0)
    }

    fn on_message(&self, sum: &mut i64, _: &Ctx, message: &Message) -> Outcome {
        if message.kind() == chief::MessageKind::Call {
            message.reply(*sum)?;
            return Ok(());
        }
        *sum += message.get::<i64>()?;
        assert_ne!(*sum, 7, "seven is too much");
        Ok(())
    }

    fn interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn on_timer(&self, _: &mut i64, ctx: &Ctx) -> Outcome {
        ctx.channel("ticks")?.try_send(ctx.name())?;
        Ok(())
    }

    fn restart_on_fail(&self) -> bool {
        true
    }
}

#[test]
fn actors_share_threads_and_fail_alone() {
    let chief = quiet_with(ChiefOptions::new().fiber_threads(1));
    let held = Arc::new(());
    let ticks = chief.add_channel("ticks", &ChannelOptions::new().overflow(Overflow::DropOldest)).unwrap();
    let options = WorkerOptions::new().count(100).restart(Restart::on_failure().delay(Duration::ZERO));
    chief.add_actor("adds", Adds { _held: Arc::clone(&held) }, &options).unwrap();
    launch(&chief);
    chief.wait_ready(Some(limit(10))).unwrap();
    for n in [1, 2] {
        chief.send("adds/5", n).unwrap();
    }
    chief.send("adds/6", 7).unwrap();
    assert_eq!(chief.call("adds/5", "sum", Some(limit(10))).unwrap().get::<i64>().unwrap(), 3);
    let failed = chief.events().find(|event| event.state == Some(State::Failed)).unwrap();
    assert!(failed.worker == "adds/6" && failed.error.contains("seven is too much"), "{:?}", failed);
    chief.wait_state("adds", State::Run, Some(limit(10))).unwrap();
    assert_eq!(chief.call("adds/6", "sum", Some(limit(10))).unwrap().get::<i64>().unwrap(), 0);
    assert!(ticks.recv_timeout(limit(10)).unwrap().get::<String>().unwrap().starts_with("adds/"));
    chief.stop().unwrap();
    chief.join().unwrap();
    assert_eq!(Arc::strong_count(&held), 2);
    drop(chief);
    assert_eq!(Arc::strong_count(&held), 1);
}
