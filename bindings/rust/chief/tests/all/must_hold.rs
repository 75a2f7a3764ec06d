//! What must hold under load, at the end, and at unlucky moments; each within 30 s.
use std::env;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::common::*;
use chief::{
    worker_fn, Answer, Channel, ChannelOptions, Chief, ChiefOptions, Ctx, ErrorCode, Level, Log, Outcome, Restart,
    Source, State, Worker, WorkerOptions,
};

/// The full size with CHIEF_BINDINGS_FULL=1, else a part of it.
fn sized(full: i64, ordinary: i64) -> i64 {
    if env::var_os("CHIEF_BINDINGS_FULL").map_or(false, |value| value == "1") {
        full
    } else {
        ordinary
    }
}

#[test]
fn a_million_messages_in_batches() {
    within_limit(|| {
        let n = 1_000_000;
        let chief = quiet();
        chief.add_channel("numbers", &ChannelOptions::new().capacity(1000)).unwrap();
        let sum = Arc::new(AtomicU64::new(0));
        let sends = worker_fn(move |ctx| {
            let numbers = ctx.channel("numbers")?;
            for batch in (1..=n).collect::<Vec<i64>>().chunks(100) {
                numbers.send_many(batch, None).1?;
            }
            numbers.close();
            Ok(())
        });
        let total = Arc::clone(&sum);
        let receives = worker_fn(move |ctx| {
            let numbers = ctx.channel("numbers")?;
            loop {
                match numbers.recv_many(100, None) {
                    Ok(batch) => {
                        for message in batch {
                            total.fetch_add(message.get::<u64>()?, Ordering::Relaxed);
                        }
                    }
                    Err(error) if error.code() == ErrorCode::Closed => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        });
        chief.add_worker("receives", receives).unwrap();
        chief.add_worker_with("sends", sends, &WorkerOptions::new().after(["receives"])).unwrap();
        chief.set_exit_when_done(true).unwrap();
        launch(&chief);
        chief.join().unwrap();
        assert_eq!(sum.load(Ordering::Relaxed), (n * (n + 1) / 2) as u64);
    });
}

#[test]
fn messages_one_at_a_time() {
    within_limit(|| {
        let n = sized(1_000_000, 100_000);
        let chief = quiet();
        chief.add_channel("numbers", &ChannelOptions::new()).unwrap();
        let sends = worker_fn(move |ctx| {
            let numbers = ctx.channel("numbers")?;
            (1..=n).try_for_each(|number| numbers.send(number))?;
            numbers.close();
            Ok(())
        });
        let receives = worker_fn(move |ctx| {
            let mut sum = 0;
            for message in &ctx.channel("numbers")? {
                sum += message.get::<i64>()?;
            }
            if sum == n * (n + 1) / 2 {
                return Ok(());
            }
            Err(format!("the sum was {sum}").into())
        });
        chief.add_worker("receives", receives).unwrap();
        chief.add_worker_with("sends", sends, &WorkerOptions::new().after(["receives"])).unwrap();
        chief.set_exit_when_done(true).unwrap();
        launch(&chief);
        chief.join().unwrap();
    });
}

#[test]
fn messages_to_lua_and_back() {
    within_limit(|| {
        let n = sized(1_000_000, 50_000);
        let chief = quiet();
        let numbers = chief.add_channel("numbers", &ChannelOptions::new().capacity(1000)).unwrap();
        chief.add_channel("doubled", &ChannelOptions::new().capacity(1000)).unwrap();
        chief.add_lua_worker("doubles", "doubles", &lua()).unwrap();
        launch(&chief);
        let doubled = chief.channel("doubled").unwrap();
        let feeds = thread::spawn(move || {
            (1..=n).for_each(|number| numbers.send(number).unwrap());
            numbers.close();
        });
        let sum: i64 = doubled.iter().map(|message| message.get::<i64>().unwrap()).sum();
        feeds.join().unwrap();
        assert_eq!(sum, n * (n + 1));
    });
}

#[test]
fn a_thousand_starts_and_stops() {
    within_limit(|| {
        let lives = Arc::new(AtomicU32::new(0));
        for _ in 0..1000 {
            let chief = quiet();
            let lives = Arc::clone(&lives);
            let waits = worker_fn(move |ctx| {
                lives.fetch_add(1, Ordering::Relaxed);
                ctx.context().wait();
                Ok(())
            });
            chief.add_worker("waits", waits).unwrap();
            launch(&chief);
            chief.wait_ready(None).unwrap();
            chief.stop().unwrap();
            chief.join().unwrap();
        }
        assert_eq!(lives.load(Ordering::Relaxed), 1000);
    });
}

#[test]
fn lua_workers_start_and_stop_and_raise() {
    within_limit(|| {
        for _ in 0..sized(1000, 100) {
            let chief = quiet();
            chief.add_lua_worker("echo", "echo", &lua()).unwrap();
            chief.add_lua_worker("raises", "raises", &lua()).unwrap();
            launch(&chief);
            assert_eq!(chief.call("echo", 7, None).unwrap().get::<i64>().unwrap(), 7);
            chief.wait_state("raises", State::Failed, None).unwrap();
            chief.stop().unwrap();
            assert_eq!(chief.join().unwrap_err().code(), ErrorCode::Failed);
        }
    });
}

#[test]
fn a_worker_that_panics_is_restarted_a_thousand_times() {
    within_limit(|| {
        let chief = quiet();
        let panics = worker_fn(|ctx| {
            if ctx.generation() <= 1000 {
                panic!("life {}", ctx.generation());
            }
            Ok(())
        });
        let options = WorkerOptions::new().restart(Restart::on_failure().delay(Duration::ZERO));
        chief.add_worker_with("panics", panics, &options).unwrap();
        chief.set_exit_when_done(true).unwrap();
        launch(&chief);
        chief.join().unwrap();
        let status = chief.states().unwrap().get("panics").unwrap();
        assert_eq!((status.generation, status.error.as_str()), (1001, "panicked: life 1000"));
    });
}

type Way = fn(&Ctx, Duration) -> Outcome;

#[test]
fn a_stop_ends_every_way_to_wait() {
    within_limit(|| {
        let chief = quiet();
        chief.add_channel("empty", &ChannelOptions::new()).unwrap();
        chief.add_channel("full", &ChannelOptions::new().capacity(1)).unwrap().send(1).unwrap();
        let far = Duration::from_secs(3600);
        let ways: [(&str, Way); 7] = [
            ("recv", |ctx, _| Ok(drop_ok(ctx.channel("empty")?.recv())?)),
            ("recv_many", |ctx, _| Ok(drop_ok(ctx.channel("empty")?.recv_many(2, None))?)),
            ("mailbox", |ctx, far| Ok(drop_ok(ctx.recv_timeout(far))?)),
            ("select", |ctx, _| {
                let empty = ctx.channel("empty")?;
                Ok(drop_ok(ctx.select(&[Source::Mailbox, Source::Channel(&empty)], None))?)
            }),
            ("send", |ctx, far| Ok(ctx.channel("full")?.send_timeout(2, far)?)),
            ("sleep", |ctx, far| Ok(ctx.sleep(far)?)),
            ("call", |ctx, _| Ok(drop_ok(ctx.call("sleep", 1, None))?)),
        ];
        for (name, way) in ways {
            chief.add_worker(name, worker_fn(move |ctx| way(ctx, far))).unwrap();
        }
        launch(&chief);
        chief.wait_ready(None).unwrap();
        let host = chief.channel("empty").unwrap();
        let waits = thread::spawn(move || host.recv().unwrap_err().code());
        chief.stop().unwrap();
        let _ = chief.join(); // those that say `Cancelled` have ended as they were to
        let states = chief.states().unwrap();
        assert_ne!(chief.exit_code(), 75, "none had to be forced: {:?}", states);
        drop(chief);
        assert_eq!(waits.join().unwrap(), ErrorCode::Closed);
    });
}

fn drop_ok<T>(result: chief::Result<T>) -> chief::Result<()> {
    result.map(drop)
}

/// Blocks outside the library until it is interrupted.
struct Deaf(Arc<(Mutex<bool>, Condvar)>);

impl Worker for Deaf {
    type Instance = ();

    fn init(&self, _: &Ctx) -> Outcome {
        Ok(())
    }

    fn run(&self, _: &mut (), _: &Ctx) -> Outcome {
        let (told, wake) = &*self.0;
        drop(wake.wait_while(told.lock().unwrap(), |told| !*told).unwrap());
        Ok(())
    }

    fn interrupt(&self, why: &str) {
        assert!(why.contains("grace"), "{}", why);
        *self.0 .0.lock().unwrap() = true;
        self.0 .1.notify_all();
    }
}

#[test]
fn a_worker_that_blocks_elsewhere_is_interrupted() {
    within_limit(|| {
        let chief = quiet_with(ChiefOptions::new().force_time(limit(10)));
        let options = WorkerOptions::new().grace(Duration::from_millis(20));
        chief.add_worker_with("deaf", Deaf(Arc::default()), &options).unwrap();
        launch(&chief);
        chief.wait_ready(None).unwrap();
        chief.stop().unwrap();
        let forced = chief.join().unwrap_err();
        assert_eq!((forced.code(), chief.exit_code()), (ErrorCode::Timeout, 75));
        assert!(forced.to_string().contains("deaf"), "{}", forced);
    });
}

#[test]
fn a_worker_that_never_ends_is_abandoned_and_its_chief_is_freed() {
    within_limit(|| {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let chief = quiet_with(ChiefOptions::new().force_time(Duration::from_millis(10)));
        let open = Arc::clone(&gate);
        let (say, ended) = mpsc::channel();
        let say = Mutex::new(say);
        let stuck = worker_fn(move |ctx| {
            let (told, wake) = &*open;
            drop(wake.wait_while(told.lock().unwrap(), |told| !*told).unwrap());
            say.lock().unwrap().send(ctx.name().to_owned())?; // its handles are good to the end
            Ok(())
        });
        chief.add_worker_with("stuck", stuck, &WorkerOptions::new().grace(Duration::from_millis(10))).unwrap();
        launch(&chief);
        chief.wait_ready(None).unwrap();
        chief.stop().unwrap();
        assert_eq!(chief.join().unwrap_err().code(), ErrorCode::Timeout);
        assert_eq!(chief.states().unwrap().get("stuck").unwrap().phase, chief::Phase::Abandoned);
        drop(chief);
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert_eq!(ended.recv_timeout(limit(10)).unwrap(), "stuck");
    });
}

/// Numbers that are the same for the same seed, which is told.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = env::var("CHIEF_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_124);
        println!("CHIEF_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn handles_are_dropped_at_random_points() {
    within_limit(|| {
        let mut random = Random::new();
        for _ in 0..sized(500, 50) {
            let chief = quiet();
            let ch = chief.add_channel("ch", &ChannelOptions::new().capacity(4)).unwrap();
            let gives = worker_fn(|ctx| {
                let ch = ctx.channel("ch")?;
                while !ctx.is_done() {
                    ch.send("message")?;
                }
                Ok(())
            });
            chief.add_worker_with("gives", gives, &WorkerOptions::new().count(2)).unwrap();
            launch(&chief);
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (ch, context, mut random) =
                        (ch.clone(), chief.stop_context(), Random(random.below(u64::MAX) | 1));
                    thread::spawn(move || keep_some(&ch, &context, &mut random))
                })
                .collect();
            let mut snapshots = vec![];
            for _ in 0..random.below(20) {
                snapshots.push(chief.states().unwrap());
                if random.below(3) == 0 {
                    snapshots.clear();
                }
            }
            drop(ch);
            drop(chief);
            for thread in threads {
                let kept = thread.join().unwrap();
                assert!(kept.iter().all(|message| message.get::<String>().unwrap() == "message"));
            }
        }
    });
}

/// Receives until the end of the chief, and drops what it has when it happens to.
fn keep_some(ch: &Channel, context: &chief::Context, random: &mut Random) -> Vec<chief::Message> {
    let mut kept = vec![];
    while let Ok(message) = ch.recv() {
        kept.push(message);
        let n = random.below(kept.len() as u64 + 1) as usize;
        if n < kept.len() {
            drop(kept.swap_remove(n));
        }
        if random.below(8) == 0 {
            drop(context.clone());
        }
        if kept.len() > 64 {
            kept.clear();
        }
    }
    kept
}

#[test]
fn callbacks_come_until_the_end_and_not_later() {
    within_limit(|| {
        for _ in 0..sized(500, 50) {
            let alive = Arc::new(AtomicBool::new(true));
            let lines = Arc::new(AtomicU32::new(0));
            let (live, counts) = (Arc::clone(&alive), Arc::clone(&lines));
            let log = Log::with_sink(Level::Debug, move |_| {
                assert!(live.load(Ordering::SeqCst));
                counts.fetch_add(1, Ordering::SeqCst);
            })
            .unwrap();
            let chief = Chief::with_options(&ChiefOptions::new().log(&log)).unwrap();
            let fails = worker_fn(|ctx| {
                ctx.log().info("about to fail", &[("life", (ctx.generation() as i64).into())]);
                Err("failed".into())
            });
            let options = WorkerOptions::new().on_exit(|_| Answer::Delay(Duration::ZERO));
            chief.add_worker_with("fails", fails, &options).unwrap();
            let hooked = Arc::new(AtomicU32::new(0));
            for _ in 0..2 {
                let hooked = Arc::clone(&hooked);
                let hook = move || {
                    hooked.fetch_add(1, Ordering::SeqCst);
                };
                chief.on_shutdown(hook).unwrap();
            }
            launch(&chief);
            chief.wait_ready(None).unwrap();
            drop(chief);
            drop(log);
            alive.store(false, Ordering::SeqCst);
            assert_eq!(hooked.load(Ordering::SeqCst), 2);
            assert!(lines.load(Ordering::SeqCst) > 0);
        }
    });
}

#[test]
fn a_worker_drops_its_own_chief() {
    within_limit(|| {
        let chief = Arc::new(Mutex::new(Some(quiet())));
        let (say, said) = mpsc::channel();
        let (held, say) = (Arc::clone(&chief), Mutex::new(say));
        let frees = worker_fn(move |ctx| {
            drop(held.lock().unwrap().take());
            ctx.context().wait();
            say.lock().unwrap().send(())?;
            Ok(())
        });
        {
            let chief = chief.lock().unwrap();
            let chief = chief.as_ref().unwrap();
            chief.add_worker("frees", frees).unwrap();
            launch(chief);
        }
        said.recv_timeout(limit(10)).unwrap();
    });
}
