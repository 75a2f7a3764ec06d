//! The Lua workers of examples/image-service, run from Rust: this program is their api.
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use crate::common::*;
use chief::{
    Channel, ChannelOptions, Chief, Delivery, ErrorCode, Isolation, LuaOptions, Process, Reason, State, Value,
    WorkerOptions,
};

/// The data folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("chief-rust-{}-{name}", process::id()));
        for part in ["records", "incoming"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        Self(folder)
    }

    /// Accepts a picture as the api does.
    fn accept(&self, id: &str, picture: &[u8]) {
        fs::write(self.0.join("incoming").join(id), picture).unwrap();
        let record = format!(
            r#"{{"id":"{id}","state":"accepted","type":"jpeg","bytes":{},"width":64,"height":48,"run":"this"}}"#,
            picture.len()
        );
        fs::write(self.record_file(id), record).unwrap();
    }

    fn record_file(&self, id: &str) -> PathBuf {
        self.0.join("records").join(format!("{id}.json"))
    }

    fn record(&self, id: &str) -> String {
        fs::read_to_string(self.record_file(id)).unwrap()
    }

    fn thumb(&self, id: &str) -> PathBuf {
        self.0.join("store/thumbs").join(format!("{id}.jpg"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn build() -> PathBuf {
    env::var_os("CHIEF_BUILD").map_or_else(|| source().join("build/dev"), PathBuf::from)
}

/// Where the service's modules are, in Lua and in C.
fn service(worker: WorkerOptions) -> LuaOptions {
    let example = source().join("examples/image-service");
    let path = format!(
        "{}/?.lua;{}/tests/workers/?.lua;/usr/local/share/lua/5.4/?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua",
        example.display(),
        env!("CARGO_MANIFEST_DIR"),
    );
    let system =
        "/usr/local/lib/lua/5.4/?.so;/usr/lib/x86_64-linux-gnu/lua/5.4/?.so;/usr/lib/aarch64-linux-gnu/lua/5.4/?.so";
    let cpath = format!("{}/examples/image-service/?.so;{system}", build().display());
    LuaOptions::new().path(path).cpath(cpath).worker(worker)
}

fn args(folder: &Path) -> Value {
    Value::map([
        ("data_dir", folder.to_str().unwrap().into()),
        ("side", 32.into()),
        ("max_pixels", 1_000_000.into()),
        ("run", "this".into()),
        ("resizers", 1.into()),
        ("drain", 0.5.into()),
    ])
}

/// The service without its api; «painter» makes pictures.
fn start(folder: &Path) -> (Chief, Channel) {
    let chief = quiet();
    let queue = ChannelOptions::new().delivery(Delivery::AtLeastOnce).max_deliveries(0);
    let uploads = chief.add_channel("uploads", &queue).unwrap();
    chief.add_channel("thumbs", &queue).unwrap();
    chief.add_lua_worker("painter", "painter", &service(WorkerOptions::new())).unwrap();
    let uploader = WorkerOptions::new().args(args(folder)).receives(["thumbs"]);
    chief.add_lua_worker("uploader", "workers.uploader", &service(uploader)).unwrap();
    let resizer = WorkerOptions::new()
        .args(args(folder))
        .receives(["uploads"])
        .sends(["thumbs"])
        .after(["uploader"])
        .isolation(Isolation::Process)
        .process(Process::new().core(Some(0)));
    chief.add_lua_worker("resizer", "workers.resizer", &service(resizer)).unwrap();
    (chief, uploads)
}

fn paint(chief: &Chief) -> Vec<u8> {
    let wish = Value::map([("type", Value::from("jpeg")), ("width", 64.into()), ("height", 48.into())]);
    chief.call("painter", wish, Some(limit(10))).unwrap().get().unwrap()
}

#[test]
fn pictures_go_through_the_service() {
    let folder = Folder::new("service");
    let (chief, uploads) = start(&folder.0);
    launch(&chief);
    chief.wait_ready(Some(limit(20))).unwrap();

    let picture = paint(&chief);
    assert!(picture.starts_with(&[0xff, 0xd8]), "a JPEG");
    let (good, bad) = ("0000000100000000000a", "0000000100000000000b");
    folder.accept(good, &picture);
    folder.accept(bad, &picture[..picture.len() - 100]);
    for id in [good, bad] {
        uploads.send(Value::map([("id", id.into())])).unwrap();
    }
    uploads.close();
    chief.wait_state("resizer", State::Stopped, Some(limit(20))).unwrap();
    chief.channel("thumbs").unwrap().close();
    chief.wait_state("uploader", State::Stopped, Some(limit(20))).unwrap();

    assert!(folder.record(good).contains(r#""state":"stored""#), "{}", folder.record(good));
    assert!(fs::read(folder.thumb(good)).unwrap().starts_with(&[0xff, 0xd8]));
    assert!(folder.record(bad).contains("ends before"), "{}", folder.record(bad));
    chief.stop().unwrap();
    chief.join().unwrap();
}

#[test]
fn its_workers_stop_while_they_wait() {
    let folder = Folder::new("stop");
    let (chief, _uploads) = start(&folder.0);
    launch(&chief);
    chief.wait_ready(Some(limit(20))).unwrap();
    chief.stop().unwrap();
    chief.join().unwrap();
    assert_eq!(chief.exit_code(), 0);
}

#[test]
fn their_errors_arrive() {
    let folder = Folder::new("errors");
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    let (chief, uploads) = start(&file);
    launch(&chief);
    let failed = chief.events().find(|event| event.worker == "uploader" && event.state == Some(State::Failed)).unwrap();
    assert_eq!(failed.reason, Reason::InitError);
    assert!(failed.error.contains("the data folder cannot be used"), "{}", failed.error);
    assert_eq!(uploads.send_timeout(Value::Nil, Duration::ZERO).unwrap_err().code(), ErrorCode::Invalid);
}
