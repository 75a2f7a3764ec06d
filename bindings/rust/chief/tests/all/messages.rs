//! Messages between the host, workers in Rust and workers in Lua.
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::Mutex;
use std::time::Duration;

use crate::common::*;
use chief::{
    select, worker_fn, Bytes, Channel, ChannelOptions, Delivery, Encode, ErrorCode, MessageKind, Overflow, Payload,
    Restart, Source, Tokens, Value, WorkerOptions,
};

fn there_and_back(value: &Value) -> Value {
    value.with_bytes(Value::read).unwrap()
}

#[test]
fn values_come_back_as_they_were() {
    let long = "x".repeat(70_000);
    let value = Value::map([
        ("nil inside", Value::Array(vec![Value::Nil, 1.into()])),
        ("yes", true.into()),
        ("least", i64::MIN.into()),
        ("float", 1.0.into()),
        ("text", "grün".into()),
        ("bytes", vec![0u8, 255].into()),
        ("empty", Value::Array(vec![])),
        ("empty map", Value::Map(vec![])),
        ("deep", Value::map([(1, Value::from("one"))])),
    ]);
    assert_eq!(there_and_back(&value), value);
    assert_eq!(there_and_back(&long.as_str().into()).as_str(), Some(long.as_str()));
    let many: Value = (0..10_000).map(Value::from).collect();
    assert_eq!(there_and_back(&many), many);
}

#[test]
fn native_types_are_sent_and_taken() {
    let ch = Channel::new("ch", &ChannelOptions::new()).unwrap();
    let map: BTreeMap<String, Vec<i32>> = [("a".to_string(), vec![1, 2])].into_iter().collect();
    ch.send(&map).unwrap();
    assert_eq!(ch.recv().unwrap().get::<BTreeMap<String, Vec<i32>>>().unwrap(), map);
    ch.send("text").unwrap();
    assert_eq!(ch.recv().unwrap().get::<String>().unwrap(), "text");
    ch.send([1u8, 2]).unwrap();
    assert_eq!(ch.recv().unwrap().get::<Vec<u8>>().unwrap(), [1, 2]);
    ch.send(vec![Some(1.5), None]).unwrap();
    assert_eq!(ch.recv().unwrap().get::<Vec<Option<f64>>>().unwrap(), [Some(1.5), None]);
    ch.send(-1).unwrap();
    let refused = ch.recv().unwrap().get::<u32>().unwrap_err();
    assert_eq!(refused.to_string(), "should be from 0 to 4294967295, got -1");
}

struct Job {
    id: i64,
    name: String,
}

impl Encode for Job {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.map(2);
        tokens.str("id");
        self.id.encode(tokens);
        tokens.str("name");
        self.name.encode(tokens);
    }
}

#[test]
fn a_type_of_ones_own_is_sent() {
    let ch = Channel::new("ch", &ChannelOptions::new()).unwrap();
    ch.send(Job { id: 7, name: "seven".into() }).unwrap();
    let value: Value = ch.recv().unwrap().get().unwrap();
    assert_eq!((value["id"].as_i64(), value["name"].as_str(), value["other"].is_nil()), (Some(7), Some("seven"), true));
}

#[test]
fn what_cannot_be_sent_is_refused_and_nothing_is_sent() {
    let ch = Channel::new("ch", &ChannelOptions::new()).unwrap();
    let nil = ch.send(Value::Nil).unwrap_err();
    assert_eq!((nil.code(), nil.to_string().contains("send false or {}")), (ErrorCode::Invalid, true), "{}", nil);
    let key = Value::map([("tags", Value::map([(Value::Float(1.5), Value::Nil)]))]);
    assert!(ch.send(&key).unwrap_err().to_string().contains(".tags"));
    assert_eq!(ch.send(u64::MAX).unwrap_err().code(), ErrorCode::Invalid);
    let mut deep = Value::from(1);
    for _ in 0..200 {
        deep = Value::Array(vec![deep]);
    }
    assert_eq!(ch.send(&deep).unwrap_err().code(), ErrorCode::Invalid);
    assert!(ch.is_empty());
    ch.send(Bytes(&[0xc1])).unwrap();
    let message = ch.recv().unwrap();
    assert_eq!((message.bytes(), message.get::<Value>().unwrap_err().code()), (&[0xc1][..], ErrorCode::BadData));
}

#[test]
fn a_lua_worker_answers_calls() {
    let chief = quiet();
    chief.add_lua_worker("echo", "echo", &lua()).unwrap();
    launch(&chief);
    let value = Value::map([("list", (1..4).map(Value::from).collect()), ("text", "hello".into())]);
    let answer = chief.call("echo", &value, Some(limit(10))).unwrap().get::<Value>().unwrap();
    assert_eq!((&answer["text"], &answer["list"]), (&value["text"], &value["list"]));
    let failure = chief.call("echo", "fail", Some(limit(10))).unwrap_err();
    assert_eq!((failure.code(), failure.to_string()), (ErrorCode::CallFailed, "no answer to that".into()));
    assert_eq!(chief.call("nobody", 1, None).unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn a_worker_answers_calls_and_knows_who_asks() {
    let chief = quiet();
    let adds = worker_fn(|ctx| {
        for message in ctx.iter() {
            assert_eq!(message.kind(), MessageKind::Call);
            match message.get::<Vec<i64>>() {
                Ok(numbers) => message.reply(numbers.iter().sum::<i64>())?,
                Err(error) => message.fail(&error.to_string())?,
            }
        }
        Ok(())
    });
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let asks = worker_fn(move |ctx| {
        let sum: i64 = ctx.call("adds", [1, 2, 3], None)?.get()?;
        let wrong = ctx.call("adds", "text", None).unwrap_err();
        let itself = ctx.call("asks", 1, None).unwrap_err();
        say.lock().unwrap().send((sum, wrong.to_string(), itself.code()))?;
        Ok(())
    });
    chief.add_worker("adds", adds).unwrap();
    chief.add_worker_with("asks", asks, &WorkerOptions::new().after(["adds"])).unwrap();
    launch(&chief);
    let expected = (6, "should be an array, got a string".to_string(), ErrorCode::Deadlock);
    assert_eq!(said.recv_timeout(limit(10)).unwrap(), expected);
}

#[test]
fn what_a_worker_had_in_hand_at_its_death_comes_again() {
    let chief = quiet();
    let jobs = chief.add_channel("jobs", &ChannelOptions::new().delivery(Delivery::AtLeastOnce)).unwrap();
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let fragile = worker_fn(move |ctx| {
        for job in &ctx.channel("jobs")? {
            if job.deliveries() == 1 && job.get::<i64>()? == 2 {
                return Err("dropped it".into());
            }
            say.lock().unwrap().send((job.get::<i64>()?, job.deliveries()))?;
        }
        Ok(())
    });
    let options = WorkerOptions::new().restart(Restart::on_failure().delay(Duration::ZERO)).receives(["jobs"]);
    chief.add_worker_with("fragile", fragile, &options).unwrap();
    let (sent, result) = jobs.send_many(&[1, 2, 3], None);
    assert_eq!((sent, result), (3, Ok(())));
    jobs.close();
    chief.set_exit_when_done(true).unwrap();
    launch(&chief);
    chief.join().unwrap();
    assert_eq!(said.try_iter().collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 1)]);
    let stats = jobs.stats();
    assert_eq!((stats.sent, stats.acknowledged, stats.redelivered), (3, 3, 1));
}

#[test]
fn batches_acks_and_overflow() {
    let chief = quiet();
    let small = ChannelOptions::new().capacity(2).overflow(Overflow::Fail);
    let jobs = chief.add_channel("jobs", &small).unwrap();
    let (sent, refused) = jobs.send_many(&["a", "b", "c"], None);
    assert_eq!((sent, refused.unwrap_err().code()), (2, ErrorCode::Full));
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let takes = worker_fn(move |ctx| {
        let jobs = ctx.channel("jobs")?;
        let batch = jobs.recv_many(10, None)?;
        let before = jobs.stats().in_hand;
        jobs.ack();
        say.lock().unwrap().send((batch.len(), before, jobs.stats().in_hand))?;
        Ok(())
    });
    chief.add_worker("takes", takes).unwrap();
    launch(&chief);
    assert_eq!(said.recv_timeout(limit(10)).unwrap(), (2, 2, 0));
}

#[test]
fn a_message_is_written_in_place() {
    let ch = Channel::new("ch", &ChannelOptions::new()).unwrap();
    ch.send_with(16, None, |room| {
        room[..3].copy_from_slice(b"abc");
        3
    })
    .unwrap();
    assert_eq!(ch.recv().unwrap().bytes(), b"abc");
    assert_eq!(ch.send_with(4, None, |_| 5).unwrap_err().code(), ErrorCode::Invalid);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ch.send_with(4, None, |_| panic!("no"))));
    assert!(panicked.is_err());
    assert_eq!(ch.try_recv().unwrap_err().code(), ErrorCode::WouldBlock);
    ch.close();
    assert_eq!(ch.recv().unwrap_err().code(), ErrorCode::Closed);
}

#[test]
fn select_takes_from_what_is_there() {
    let (a, b) =
        (Channel::new("a", &ChannelOptions::new()).unwrap(), Channel::new("b", &ChannelOptions::new()).unwrap());
    b.send("from b").unwrap();
    let (index, message) = select(&[&a, &b], None).unwrap();
    assert_eq!((index, message.get::<String>().unwrap(), message.channel()), (1, "from b".into(), Some("b")));
    assert_eq!(select(&[&a, &b], Some(Duration::ZERO)).unwrap_err().code(), ErrorCode::WouldBlock);

    let chief = quiet();
    let results = chief.add_channel("results", &ChannelOptions::new()).unwrap();
    chief.add_channel("jobs", &ChannelOptions::new()).unwrap().send("job").unwrap();
    let both = worker_fn(|ctx| {
        let jobs = ctx.channel("jobs")?;
        let results = ctx.channel("results")?;
        for _ in 0..2 {
            let (index, message) = ctx.select(&[Source::Channel(&jobs), Source::Mailbox], None)?;
            results.send(vec![index.to_string(), message.get()?])?;
        }
        Ok(())
    });
    chief.add_worker("both", both).unwrap();
    launch(&chief);
    chief.send("both", "mail").unwrap();
    let mut got: Vec<Vec<String>> = (0..2).map(|_| results.recv_timeout(limit(10)).unwrap().get().unwrap()).collect();
    got.sort();
    assert_eq!(got, [["0", "job"], ["1", "mail"]]);
}

#[test]
fn args_and_values_of_the_context_reach_a_worker() {
    let chief = quiet();
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let tells = worker_fn(move |ctx| {
        let port: i64 = ctx.args::<Value>()?["port"].as_i64().unwrap();
        let context = ctx.context();
        let region = context.get("region").and_then(|value| value.as_str().map(str::to_owned));
        let shared = context.get_any::<Vec<i32>>("shared")?;
        let other_type = context.get_any::<String>("shared").unwrap_err().code();
        say.lock().unwrap().send((port, region, shared.len(), other_type))?;
        Ok(())
    });
    let options = WorkerOptions::new().args(Value::map([("port", 8080.into())]));
    chief.add_worker_with("tells", tells, &options).unwrap();
    chief.add_value("region", "eu").unwrap();
    chief.context().set_any("shared", std::sync::Arc::new(vec![1, 2, 3])).unwrap();
    launch(&chief);
    assert_eq!(said.recv_timeout(limit(10)).unwrap(), (8080, Some("eu".into()), 3, ErrorCode::NotFound));
}

#[test]
fn a_mailbox_is_emptied_in_one_batch() {
    let chief = quiet();
    let (say, said) = mpsc::channel();
    let say = Mutex::new(say);
    let takes = worker_fn(move |ctx| {
        use std::os::unix::io::AsRawFd;
        assert!(ctx.fd()?.as_raw_fd() >= 0);
        say.lock().unwrap().send(ctx.recv_many(10, None)?.len())?;
        Ok(())
    });
    chief.add_worker("takes", takes).unwrap();
    chief.init_workers(None).unwrap();
    for n in 0..3 {
        chief.send("takes", n).unwrap();
    }
    chief.launch(None).unwrap();
    assert_eq!(said.recv_timeout(limit(10)).unwrap(), 3);
}

#[test]
fn a_channel_of_nobody_serves_workers_too() {
    let (jobs, results) = (
        Channel::new("jobs", &ChannelOptions::new()).unwrap(),
        Channel::new("results", &ChannelOptions::new().delivery(Delivery::AtLeastOnce)).unwrap(),
    );
    let chief = quiet();
    let (from, to) = (jobs.clone(), results.clone());
    let works = worker_fn(move |_| {
        for job in &from {
            to.send(job.get::<i64>()? * 2)?;
        }
        Ok(())
    });
    chief.add_worker("works", works).unwrap();
    launch(&chief);
    jobs.send(21).unwrap();
    let result = results.recv_timeout(limit(10)).unwrap();
    assert_eq!((result.get::<i64>().unwrap(), result.sender()), (42, "works"));
    drop(chief);
    assert_eq!(results.send(1), Ok(()));
}
