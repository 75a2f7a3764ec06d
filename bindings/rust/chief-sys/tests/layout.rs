//! Whether a C compiler lays the structures out as chief-sys says.
use std::env;
use std::fmt::Write;
use std::fs;
use std::mem::{size_of, MaybeUninit};
use std::path::PathBuf;
use std::process::Command;
use std::ptr::addr_of;

/// Each structure: its name, its size, and its members with their offsets.
type Layouts = Vec<(&'static str, usize, Vec<(&'static str, usize)>)>;

macro_rules! layouts {
    ($($name:ident: $($member:ident)+;)+) => {
        fn layouts() -> Layouts {
            vec![$({
                let it = MaybeUninit::<chief_sys::$name>::uninit();
                let base = it.as_ptr();
                // Addresses are taken and nothing is read.
                let offset = |member: *const u8| member as usize - base as usize;
                let members = vec![$((stringify!($member), offset(unsafe { addr_of!((*base).$member) }.cast()))),+];
                (stringify!($name), size_of::<chief_sys::$name>(), members)
            }),+]
        }
    };
}

include!("layouts.in");

/// A program that prints the lines that C makes of it.
fn program(layouts: &Layouts) -> String {
    let mut text = String::from("#include <chief_lua.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n");
    for (name, _, members) in layouts {
        writeln!(text, "printf(\"{name} %zu\\n\", sizeof({name}));").unwrap();
        for (member, _) in members {
            let member = member.trim_start_matches("r#");
            writeln!(text, "printf(\"{name}.{member} %zu\\n\", offsetof({name}, {member}));").unwrap();
        }
    }
    text + "return 0; }\n"
}

fn expected(layouts: &Layouts) -> String {
    let mut text = String::new();
    for (name, size, members) in layouts {
        writeln!(text, "{name} {size}").unwrap();
        for (member, offset) in members {
            writeln!(text, "{name}.{} {offset}", member.trim_start_matches("r#")).unwrap();
        }
    }
    text
}

#[test]
fn structures_are_laid_out_as_in_c() {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (file, binary) = (folder.join("layout.c"), folder.join("layout"));
    let layouts = layouts();
    fs::write(&file, program(&layouts)).unwrap();
    let compiled = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .env_remove("LD_PRELOAD") // a sanitizer is for this program and not for the compiler
        .arg("-I")
        .arg(source.join("core/include"))
        .arg("-I")
        .arg(source.join("bindings/lua/include"))
        .arg(&file)
        .arg("-o")
        .arg(&binary)
        .status()
        .unwrap();
    assert!(compiled.success());
    let printed = Command::new(&binary).output().unwrap();
    assert!(layouts.len() > 20);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected(&layouts));
}
