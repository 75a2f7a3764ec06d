//! Messages that were received.
use std::fmt;
use std::ptr::{self, NonNull};
use std::slice;

use chief_sys as sys;

use crate::cstr::cstr;
use crate::error::{check, static_text, Result};
use crate::payload::Payload;
use crate::value::{FromValue, Value};

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    Message,
    /// Somebody waits for an answer: [`Message::reply`] or [`Message::fail`].
    Call,
    Broadcast,
}

/// One received message. Its bytes live as long as it does; dropping it acknowledges nothing.
pub struct Message(NonNull<sys::chief_msg>);

// SAFETY: each function of a message may be called from every thread at once.
unsafe impl Send for Message {}
unsafe impl Sync for Message {}

impl Message {
    /// Takes over the reference.
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_msg) -> Self {
        Self(NonNull::new(raw).expect("a received message is not NULL"))
    }

    /// The payload as it was sent.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes are the message's and do not change.
        unsafe { bytes(sys::chief_msg_data(self.0.as_ptr())) }
    }

    /// The payload as a value of that type: `let id: i64 = message.get()?`, or `get::<Value>()` for whatever it is.
    pub fn get<T: FromValue>(&self) -> Result<T> {
        Value::read(self.bytes()).and_then(T::from_value)
    }

    /// The name of the worker that sent it; "" from the host.
    pub fn sender(&self) -> &str {
        // SAFETY: the name is the message's.
        unsafe { static_text(sys::chief_msg_sender(self.0.as_ptr())) }
    }

    /// The channel that it came by; `None`: a mailbox.
    pub fn channel(&self) -> Option<&str> {
        // SAFETY: the name is the message's.
        let name = unsafe { static_text(sys::chief_msg_channel(self.0.as_ptr())) };
        (!name.is_empty()).then_some(name)
    }

    pub fn kind(&self) -> MessageKind {
        // SAFETY: the word is constant.
        match unsafe { static_text(sys::chief_msg_kind(self.0.as_ptr())) } {
            "call" => MessageKind::Call,
            "broadcast" => MessageKind::Broadcast,
            _ => MessageKind::Message,
        }
    }

    /// How often it has been handed to a receiver, this time included.
    pub fn deliveries(&self) -> u32 {
        // SAFETY: the message is alive.
        unsafe { sys::chief_msg_deliveries(self.0.as_ptr()) }
    }

    /// Answers a call. `NotFound` where nobody waits for an answer (any more).
    pub fn reply(&self, answer: impl Payload) -> Result<()> {
        // SAFETY: the bytes are read during the call.
        answer.with_bytes(|data| {
            check(unsafe { sys::chief_msg_reply(self.0.as_ptr(), data.as_ptr().cast(), data.len()) })
        })?;
        Ok(())
    }

    /// Answers a call with a failure: who asked gets `CallFailed` and this text.
    pub fn fail(&self, text: &str) -> Result<()> {
        let text = cstr(text)?;
        // SAFETY: the text is read during the call.
        check(unsafe { sys::chief_msg_fail(self.0.as_ptr(), text.as_ptr()) })?;
        Ok(())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::chief_msg_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind())
            .field("sender", &self.sender())
            .field("len", &self.bytes().len())
            .finish()
    }
}

/// What `bytes` points to, which has to live as long as the answer.
pub(crate) unsafe fn bytes<'a>(bytes: sys::chief_bytes) -> &'a [u8] {
    if bytes.len == 0 {
        &[]
    } else {
        slice::from_raw_parts(bytes.data.cast(), bytes.len)
    }
}

/// Takes over a batch that `receive` fills, which is given where to put them, how many there may be, and where to say how many
/// there are.
pub(crate) fn receive_many(
    max: usize,
    receive: impl FnOnce(*mut *mut sys::chief_msg, usize, &mut usize) -> i32,
) -> Result<Vec<Message>> {
    let mut raw = vec![ptr::null_mut(); max];
    let mut n = 0;
    check(receive(raw.as_mut_ptr(), raw.len(), &mut n))?;
    // SAFETY: the first `n` are there, and ours.
    Ok(raw[..n].iter().map(|message| unsafe { Message::from_raw(*message) }).collect())
}
