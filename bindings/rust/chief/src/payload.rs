//! What can be sent, and how it becomes a message.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use chief_sys as sys;

use crate::error::{check, Error, ErrorCode, Result};
use crate::value::Value;

/// What can be sent: every [`Encode`], and [`Bytes`] as they are.
pub trait Payload {
    /// Calls `send` with the message.
    fn with_bytes<R>(&self, send: impl FnOnce(&[u8]) -> Result<R>) -> Result<R>;
}

/// A message that is these bytes as they are, for who agrees with the receiver on what they mean. Lua workers expect MessagePack,
/// which everything else is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Payload for Bytes<'_> {
    fn with_bytes<R>(&self, send: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        send(self.0)
    }
}

impl<T: Encode + ?Sized> Payload for T {
    fn with_bytes<R>(&self, send: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        Scratch::with(|scratch| {
            let mut tokens = Tokens { list: &mut scratch.tokens, size: 0, refused: None, _strings: PhantomData };
            self.encode(&mut tokens);
            let Tokens { size, refused, .. } = tokens;
            refused.map_or(Ok(()), Err)?;
            scratch.write(size)?;
            send(&scratch.bytes)
        })
    }
}

/// What has a value: a type of one's own says with it how it is sent.
///
/// ```
/// struct Job { id: i64, tags: Vec<String> }
///
/// impl chief::Encode for Job {
///     fn encode<'a>(&'a self, tokens: &mut chief::Tokens<'a>) {
///         tokens.map(2);
///         tokens.str("id");
///         self.id.encode(tokens);
///         tokens.str("tags");
///         self.tags.encode(tokens);
///     }
/// }
/// ```
pub trait Encode {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>);
}

/// The parts of one value, in order: a container, then what is in it.
#[derive(Debug)]
pub struct Tokens<'a> {
    list: &'a mut Vec<sys::chief_token>,
    size: usize,
    refused: Option<Error>,
    _strings: PhantomData<&'a str>,
}

impl<'a> Tokens<'a> {
    fn put(&mut self, kind: i32, integer: i64, number: f64, data: &'a [u8], len: usize) {
        self.size += 9 + data.len();
        self.list.push(sys::chief_token {
            kind,
            reserved: 0,
            integer,
            number,
            data: data.as_ptr().cast(),
            len: len as u64,
        });
    }

    pub fn nil(&mut self) {
        self.put(sys::CHIEF_TOKEN_NIL, 0, 0.0, &[], 0);
    }

    pub fn bool(&mut self, value: bool) {
        self.put(sys::CHIEF_TOKEN_BOOL, value.into(), 0.0, &[], 0);
    }

    pub fn int(&mut self, value: i64) {
        self.put(sys::CHIEF_TOKEN_INT, value, 0.0, &[], 0);
    }

    pub fn float(&mut self, value: f64) {
        self.put(sys::CHIEF_TOKEN_FLOAT, 0, value, &[], 0);
    }

    pub fn str(&mut self, value: &'a str) {
        self.put(sys::CHIEF_TOKEN_STR, 0, 0.0, value.as_bytes(), value.len());
    }

    pub fn bin(&mut self, value: &'a [u8]) {
        self.put(sys::CHIEF_TOKEN_BIN, 0, 0.0, value, value.len());
    }

    /// What follows are so many elements.
    pub fn array(&mut self, elements: usize) {
        self.put(sys::CHIEF_TOKEN_ARRAY, 0, 0.0, &[], elements);
    }

    /// What follows are so many keys, each with its value.
    pub fn map(&mut self, pairs: usize) {
        self.put(sys::CHIEF_TOKEN_MAP, 0, 0.0, &[], pairs);
    }

    /// The whole can't be sent, for this reason.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.refused.get_or_insert_with(|| Error::new(ErrorCode::Invalid, why));
    }
}

/// Memory that a thread uses again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) tokens: Vec<sys::chief_token>,
    bytes: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// More than that is not kept.
const KEPT: usize = 1 << 16;

impl Scratch {
    /// Calls `call` with the thread's memory, or with fresh one where that is in use or has gone.
    pub(crate) fn with<R>(call: impl FnOnce(&mut Scratch) -> R) -> R {
        let mut call = Some(call);
        let mut result = None;
        let _ = SCRATCH.try_with(|scratch| {
            if let Ok(mut scratch) = scratch.try_borrow_mut() {
                scratch.tokens.clear();
                result = call.take().map(|call| call(&mut scratch));
                if scratch.tokens.capacity() > KEPT || scratch.bytes.capacity() > KEPT {
                    *scratch = Scratch::default();
                }
            }
        });
        result.or_else(|| call.map(|call| call(&mut Scratch::default()))).expect("it was called one way or the other")
    }

    /// Writes the tokens, which take `size` bytes at most.
    fn write(&mut self, size: usize) -> Result<()> {
        let mut len = 0;
        self.bytes.clear();
        self.bytes.reserve(size);
        // SAFETY: there is room for as much as the capacity says; the strings of the tokens are alive.
        check(unsafe {
            sys::chief_pack_write(
                self.tokens.as_ptr(),
                self.tokens.len(),
                self.bytes.as_mut_ptr().cast(),
                self.bytes.capacity(),
                &mut len,
            )
        })?;
        // SAFETY: so many have been written.
        unsafe { self.bytes.set_len(len) };
        Ok(())
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        (**self).encode(tokens);
    }
}

impl Encode for bool {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.bool(*self);
    }
}

// There is none for u8, so that a slice of them is bytes.
macro_rules! integers {
    ($($name:ty)+) => {
        $(impl Encode for $name {
            fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
                match i64::try_from(*self) {
                    Ok(value) => tokens.int(value),
                    Err(_) => tokens.refuse(format!("can't send the integer {}: it should have 64 bits and a sign", self)),
                }
            }
        })+
    };
}

integers! { i8 i16 i32 i64 isize u16 u32 u64 usize }

impl Encode for f32 {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.float((*self).into());
    }
}

impl Encode for f64 {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.float(*self);
    }
}

impl Encode for str {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.str(self);
    }
}

impl Encode for String {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.str(self);
    }
}

impl Encode for [u8] {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.bin(self);
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.bin(self);
    }
}

impl Encode for Vec<u8> {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.bin(self);
    }
}

impl<T: Encode> Encode for [T] {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.array(self.len());
        self.iter().for_each(|element| element.encode(tokens));
    }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        self.as_slice().encode(tokens);
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        self.as_slice().encode(tokens);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        match self {
            Some(value) => value.encode(tokens),
            None => tokens.nil(),
        }
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.map(self.len());
        for (key, value) in self {
            key.encode(tokens);
            value.encode(tokens);
        }
    }
}

impl<K: Encode, V: Encode, S> Encode for HashMap<K, V, S> {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        tokens.map(self.len());
        for (key, value) in self {
            key.encode(tokens);
            value.encode(tokens);
        }
    }
}

impl Encode for Value {
    fn encode<'a>(&'a self, tokens: &mut Tokens<'a>) {
        match self {
            Value::Nil => tokens.nil(),
            Value::Bool(value) => tokens.bool(*value),
            Value::Int(value) => tokens.int(*value),
            Value::Float(value) => tokens.float(*value),
            Value::Str(value) => tokens.str(value),
            Value::Bin(value) => tokens.bin(value),
            Value::Array(values) => values.encode(tokens),
            Value::Map(pairs) => {
                tokens.map(pairs.len());
                for (key, value) in pairs {
                    key.encode(tokens);
                    value.encode(tokens);
                }
            }
        }
    }
}
