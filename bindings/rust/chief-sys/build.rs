//! Says where the two libraries are: in a build tree that CHIEF_BUILD names, else where pkg-config finds them, else where
//! the linker looks by itself.
use std::env;
use std::process::Command;

fn pkg_config() -> Option<String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output = Command::new(program).args(["--variable=libdir", "libchief-lua"]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !folder.is_empty()).then_some(folder)
}

fn main() {
    println!("cargo:rerun-if-env-changed=CHIEF_BUILD");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let folder = env::var("CHIEF_BUILD").map(|build| format!("{build}/lib")).ok().or_else(pkg_config);
    if let Some(folder) = folder {
        println!("cargo:rustc-link-search=native={folder}");
    }
}
