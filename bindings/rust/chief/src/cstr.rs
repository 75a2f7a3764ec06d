//! Texts and lists of texts as the library takes them.
use std::ffi::CString;
use std::os::raw::c_char;
use std::ptr;

use crate::error::{Error, ErrorCode, Result};

pub(crate) fn cstr(text: &str) -> Result<CString> {
    CString::new(text)
        .map_err(|_| Error::new(ErrorCode::Invalid, format!("a text should have no NUL in it, got {:?}", text)))
}

/// A text for people, which is not refused for a NUL in it.
pub(crate) fn readable(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// A text that may be missing, which is NULL.
pub(crate) struct OptionalText(Option<CString>);

impl OptionalText {
    pub(crate) fn new(text: Option<&str>) -> Result<Self> {
        text.map(cstr).transpose().map(Self)
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }
}

/// Several texts; the pointers are valid as long as this is.
pub(crate) struct TextList {
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl TextList {
    pub(crate) fn new<S: AsRef<str>>(texts: &[S]) -> Result<Self> {
        let texts = texts.iter().map(|text| cstr(text.as_ref())).collect::<Result<Vec<_>>>()?;
        let pointers = texts.iter().map(|text| text.as_ptr()).collect();
        Ok(Self { _texts: texts, pointers })
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        if self.pointers.is_empty() {
            ptr::null()
        } else {
            self.pointers.as_ptr()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pointers.len()
    }
}
