//! Values as messages carry them between languages.
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::Index;
use std::slice;

use chief_sys as sys;

use crate::error::{check, Error, ErrorCode, Result};
use crate::payload::Scratch;

/// A value: what a Lua worker sends, and what it gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    /// Bytes that are no text, and texts of more than 64 KiB.
    Bin(Vec<u8>),
    Array(Vec<Value>),
    /// In the order in which it came.
    Map(Vec<(Value, Value)>),
}

static NIL: Value = Value::Nil;

impl Value {
    /// `Value::map([("id", 1.into()), ("name", "a".into())])`
    pub fn map<K: Into<Value>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer, or a float that is whole.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            // 2^63 is the first float that is too large.
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0 => {
                Some(*value as i64)
            }
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// A text, also one that came as bytes since it is long.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(value) => Some(value),
            Self::Bin(value) => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(value) => Some(value.as_bytes()),
            Self::Bin(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            // Lua can't tell an empty map from an empty array.
            Self::Map(pairs) if pairs.is_empty() => Some(&[]),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Self::Map(pairs) => Some(pairs),
            Self::Array(values) if values.is_empty() => Some(&[]),
            _ => None,
        }
    }

    /// What a map has under that name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Reads a message.
    pub fn read(message: &[u8]) -> Result<Self> {
        Scratch::with(|scratch| {
            read_tokens(message, &mut scratch.tokens)?;
            // SAFETY: the strings of the tokens are in the message.
            unsafe { next(&mut scratch.tokens.iter()) }
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bin(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
        }
    }

    fn is_not(&self, wanted: &str) -> Error {
        Error::new(ErrorCode::BadData, format!("should be {wanted}, got {}", self.kind()))
    }
}

/// A map's value under that name, nil where there is none.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NIL)
    }
}

/// An array's element, counted from 0; nil where there is none.
impl Index<usize> for Value {
    type Output = Value;

    fn index(&self, index: usize) -> &Value {
        self.as_array().and_then(|values| values.get(index)).unwrap_or(&NIL)
    }
}

fn read_tokens(message: &[u8], tokens: &mut Vec<sys::chief_token>) -> Result<()> {
    tokens.clear();
    tokens.reserve(64);
    loop {
        let mut n = 0;
        // SAFETY: there is room for as many as the capacity says.
        let rc = unsafe {
            let data = message.as_ptr().cast();
            sys::chief_pack_read(data, message.len(), tokens.as_mut_ptr(), tokens.capacity(), &mut n)
        };
        if rc == sys::CHIEF_ETOOBIG {
            tokens.reserve(n);
            continue;
        }
        check(rc)?;
        // SAFETY: so many have been written.
        unsafe { tokens.set_len(n) };
        return Ok(());
    }
}

/// The value that begins with the next token. The library has counted what is in a container, and how deep it goes.
unsafe fn next(tokens: &mut slice::Iter<'_, sys::chief_token>) -> Result<Value> {
    let token = tokens.next().ok_or_else(|| Error::new(ErrorCode::BadData, "the message ends too soon"))?;
    let len = token.len as usize;
    Ok(match token.kind {
        sys::CHIEF_TOKEN_BOOL => Value::Bool(token.integer != 0),
        sys::CHIEF_TOKEN_INT => Value::Int(token.integer),
        sys::CHIEF_TOKEN_FLOAT => Value::Float(token.number),
        sys::CHIEF_TOKEN_STR => Value::Str(String::from_utf8_lossy(string(token)).into_owned()),
        sys::CHIEF_TOKEN_BIN => Value::Bin(string(token).to_vec()),
        sys::CHIEF_TOKEN_ARRAY => Value::Array((0..len).map(|_| next(tokens)).collect::<Result<_>>()?),
        sys::CHIEF_TOKEN_MAP => {
            Value::Map((0..len).map(|_| Ok((next(tokens)?, next(tokens)?))).collect::<Result<_>>()?)
        }
        _ => Value::Nil,
    })
}

unsafe fn string(token: &sys::chief_token) -> &[u8] {
    if token.len == 0 {
        &[]
    } else {
        slice::from_raw_parts(token.data.cast(), token.len as usize)
    }
}

/// What a value can be taken as: `let id: i64 = message.get()?`.
pub trait FromValue: Sized {
    fn from_value(value: Value) -> Result<Self>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self> {
        Ok(value)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self> {
        value.as_bool().ok_or_else(|| value.is_not("a boolean"))
    }
}

// There is none for u8, so that a vector of them is bytes.
macro_rules! integers {
    ($($name:ty)+) => {
        $(impl FromValue for $name {
            fn from_value(value: Value) -> Result<Self> {
                let number = value.as_i64().ok_or_else(|| value.is_not("an integer"))?;
                Self::try_from(number).map_err(|_| {
                    let text = format!("should be from {} to {}, got {number}", <$name>::MIN, <$name>::MAX);
                    Error::new(ErrorCode::BadData, text)
                })
            }
        })+
    };
}

integers! { i8 i16 i32 i64 isize u16 u32 u64 usize }

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self> {
        value.as_f64().ok_or_else(|| value.is_not("a number"))
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Str(text) => Ok(text),
            other => other.as_str().map(str::to_owned).ok_or_else(|| other.is_not("a string")),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Bin(bytes) => Ok(bytes),
            Value::Str(text) => Ok(text.into_bytes()),
            other => Err(other.is_not("bytes")),
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Array(values) => values.into_iter().map(T::from_value).collect(),
            Value::Map(pairs) if pairs.is_empty() => Ok(Vec::new()),
            other => Err(other.is_not("an array")),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self> {
        if value.is_nil() {
            return Ok(None);
        }
        T::from_value(value).map(Some)
    }
}

fn pairs<K: FromValue, V: FromValue, M: FromIterator<(K, V)>>(value: Value) -> Result<M> {
    match value {
        Value::Map(pairs) => {
            pairs.into_iter().map(|(key, value)| Ok((K::from_value(key)?, V::from_value(value)?))).collect()
        }
        Value::Array(values) if values.is_empty() => Ok(std::iter::empty().collect()),
        other => Err(other.is_not("a map")),
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(value: Value) -> Result<Self> {
        pairs(value)
    }
}

impl<K: FromValue + Eq + Hash, V: FromValue> FromValue for HashMap<K, V> {
    fn from_value(value: Value) -> Result<Self> {
        pairs(value)
    }
}

macro_rules! from {
    ($($name:ty => |$value:ident| $make:expr;)+) => {
        $(impl From<$name> for Value {
            fn from($value: $name) -> Self {
                $make
            }
        })+
    };
}

from! {
    bool => |value| Self::Bool(value);
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u32 => |value| Self::Int(value.into());
    f64 => |value| Self::Float(value);
    &str => |value| Self::Str(value.into());
    String => |value| Self::Str(value);
    &[u8] => |value| Self::Bin(value.into());
    Vec<u8> => |value| Self::Bin(value);
    Vec<Value> => |value| Self::Array(value);
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::Array(values.into_iter().collect())
    }
}
