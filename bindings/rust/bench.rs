//! A contender of tests/bench: numbers from one worker to another, both in Rust. --work W --messages N --seed S
use std::env;
use std::process::exit;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::Instant;

use chief::{worker_fn, ChannelOptions, Chief, ChiefOptions, Level, Log, LogFormat, Outcome};

const BATCH: usize = 100;
const UNAVAILABLE: i32 = 69;

fn numbers(messages: i64, seed: i64) -> impl Iterator<Item = i64> {
    (1..=messages).map(move |i| (i * 7 + seed) % 1_000_003)
}

/// Adds the two workers; the receiver adds up what it gets.
fn add(chief: &Chief, in_batches: bool, messages: i64, seed: i64, sum: Arc<AtomicI64>) -> chief::Result<()> {
    let receiver = worker_fn(move |ctx| {
        let ch = ctx.channel("ch")?;
        let mut total = 0;
        let mut seen = 0;
        while seen < messages {
            let batch = if in_batches { ch.recv_many(BATCH, None)? } else { vec![ch.recv()?] };
            seen += batch.len() as i64;
            for message in &batch {
                total += message.get::<i64>()?;
            }
        }
        sum.store(total, Ordering::SeqCst);
        Ok(())
    });
    let sender = worker_fn(move |ctx| -> Outcome {
        let ch = ctx.channel("ch")?;
        if !in_batches {
            numbers(messages, seed).try_for_each(|number| ch.send(number))?;
            return Ok(());
        }
        let all: Vec<i64> = numbers(messages, seed).collect();
        all.chunks(BATCH).try_for_each(|batch| ch.send_many(batch, None).1)?;
        Ok(())
    });
    chief.add_worker("receiver", receiver)?;
    chief.add_worker("sender", sender)
}

fn run(work: &str, messages: i64, seed: i64) -> chief::Result<()> {
    let log = Log::new(Level::Off, LogFormat::Text)?;
    let chief = Chief::with_options(&ChiefOptions::new().name("bench").exit_when_done().log(&log))?;
    let sum = Arc::new(AtomicI64::new(0));
    chief.add_channel("ch", &ChannelOptions::new().capacity(1024))?;
    add(&chief, work == "binding-batch", messages, seed, Arc::clone(&sum))?;
    chief.init_workers(None)?;
    let begun = Instant::now();
    chief.start(None)?;
    let took = begun.elapsed().as_secs_f64();
    println!("{work} {:.3} msg/s {}", messages as f64 / took, sum.load(Ordering::SeqCst));
    Ok(())
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let number = |name: &str| value(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(1);
    let work = value("--work").unwrap_or_default();
    if work != "binding-oneway" && work != "binding-batch" {
        eprintln!("there is no work {work}");
        exit(UNAVAILABLE);
    }
    if let Err(error) = run(&work, number("--messages") / 4 * 4, number("--seed")) {
        eprintln!("bench: {error}");
        exit(1);
    }
}
