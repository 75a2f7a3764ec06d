//! The C interface of libchief and libchief-lua as it is: what each function does, who owns what, which thread may call it
//! and how long it waits is said in `chief.h` and `chief_lua.h`. The crate `chief` is the safe one over it.
#![allow(non_camel_case_types, non_snake_case)]
// For each function the header says what its caller has to keep to.
#![allow(clippy::missing_safety_doc)]

#[rustfmt::skip]
mod generated;

pub use generated::*;
