//! The worker-exists rule.
use std::fmt;
use std::ptr::{self, NonNull};
use std::slice;

use chief_sys as sys;

use crate::cstr::{cstr, TextList};
use crate::error::{check, static_text, Result};

/// The names there are, and the message for one that is not among them.
pub struct Rule(NonNull<sys::chief_rule>);

// SAFETY: nothing in it changes.
unsafe impl Send for Rule {}
unsafe impl Sync for Rule {}

impl Rule {
    pub fn new(names: &[&str]) -> Result<Self> {
        let names = TextList::new(names)?;
        let mut raw = ptr::null_mut();
        // SAFETY: the names are copied.
        check(unsafe { sys::chief_rule_new(&mut raw, names.as_ptr(), names.len()) })?;
        Ok(Self(NonNull::new(raw).expect("a rule is not NULL")))
    }

    /// `NotFound` names the first that is unknown and lists those there are.
    pub fn validate(&self, names: &[&str]) -> Result<()> {
        let names = TextList::new(names)?;
        // SAFETY: the names are read during the call.
        check(unsafe { sys::chief_rule_validate(self.0.as_ptr(), names.as_ptr(), names.len()) })?;
        Ok(())
    }

    /// A rule with another message and the same names.
    pub fn error(&self, message: &str) -> Result<Self> {
        let message = cstr(message)?;
        let mut raw = ptr::null_mut();
        // SAFETY: the message is copied.
        check(unsafe { sys::chief_rule_error(&mut raw, self.0.as_ptr(), message.as_ptr()) })?;
        Ok(Self(NonNull::new(raw).expect("a rule is not NULL")))
    }

    /// The names, sorted.
    pub fn available(&self) -> Vec<&str> {
        let mut n = 0;
        // SAFETY: the names are the rule's.
        unsafe {
            let names = sys::chief_rule_available(self.0.as_ptr(), &mut n);
            if n == 0 {
                return Vec::new();
            }
            slice::from_raw_parts(names, n).iter().map(|name| static_text(*name)).collect()
        }
    }
}

impl Drop for Rule {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::chief_rule_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.available()).finish()
    }
}
