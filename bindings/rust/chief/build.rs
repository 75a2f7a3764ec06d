//! A panic's backtrace can be had from Rust 1.65 on; before that its place is all there is.
use std::env;
use std::process::Command;

fn minor() -> Option<u32> {
    let output = Command::new(env::var("RUSTC").ok()?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split('.').nth(1)?.parse().ok()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if minor() >= Some(80) {
        println!("cargo:rustc-check-cfg=cfg(chief_backtrace)");
    }
    if minor() >= Some(65) {
        println!("cargo:rustc-cfg=chief_backtrace");
    }
}
