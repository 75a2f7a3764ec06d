//! Channels: bounded queues with a name, many senders and many receivers.
use std::fmt;
use std::mem;
use std::os::unix::io::{BorrowedFd, RawFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::{cstr, OptionalText};
use crate::error::{check, static_text, Result};
use crate::message::{receive_many, Message};
use crate::payload::Payload;
use crate::time;
use crate::worker::current;

/// What becomes of a message that finds the channel full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// Its sender waits.
    Block,
    /// The oldest one makes room.
    DropOldest,
    /// Sending it fails.
    Fail,
}

/// What becomes of a message that was in a receiver's hand when that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It is dropped and counted.
    AtMostOnce,
    /// It goes back to the front.
    AtLeastOnce,
}

/// How a channel is: the keys of the app file.
#[derive(Clone, Debug, Default)]
pub struct ChannelOptions {
    capacity: u32,
    overflow: Option<Overflow>,
    delivery: Option<Delivery>,
    max_deliveries: Option<u32>,
    max_message: Option<u32>,
    dead: Option<String>,
}

impl ChannelOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages it holds; 64.
    pub fn capacity(mut self, messages: u32) -> Self {
        self.capacity = messages;
        self
    }

    /// What happens when it is full; its senders wait.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = Some(overflow);
        self
    }

    /// What becomes of a message whose receiver dies; it is dropped.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// How often a message is delivered at most; 5. Zero: no limit.
    pub fn max_deliveries(mut self, times: u32) -> Self {
        self.max_deliveries = Some(times);
        self
    }

    /// How large a message may be, in bytes; 16 MiB.
    pub fn max_message(mut self, bytes: u32) -> Self {
        self.max_message = Some(bytes);
        self
    }

    /// The channel that a message goes to after `max_deliveries`; without one it is dropped.
    pub fn dead(mut self, channel: impl Into<String>) -> Self {
        self.dead = Some(channel.into());
        self
    }

    pub(crate) fn with_raw<R>(&self, call: impl FnOnce(&sys::chief_channel_options) -> Result<R>) -> Result<R> {
        let dead = OptionalText::new(self.dead.as_deref())?;
        call(&sys::chief_channel_options {
            size: mem::size_of::<sys::chief_channel_options>() as u32,
            overflow: match self.overflow {
                None | Some(Overflow::Block) => sys::CHIEF_BLOCK,
                Some(Overflow::DropOldest) => sys::CHIEF_DROP_OLDEST,
                Some(Overflow::Fail) => sys::CHIEF_FAIL,
            },
            delivery: match self.delivery {
                None | Some(Delivery::AtMostOnce) => sys::CHIEF_AT_MOST_ONCE,
                Some(Delivery::AtLeastOnce) => sys::CHIEF_AT_LEAST_ONCE,
            },
            capacity: self.capacity,
            max_deliveries: time::count(self.max_deliveries),
            max_message: time::count(self.max_message),
            dead: dead.as_ptr(),
        })
    }
}

/// The counters of a channel at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    pub capacity: u32,
    /// Accepted from senders: received, queued and dropped together.
    pub sent: u64,
    /// With a receiver, or done with.
    pub received: u64,
    pub queued: u64,
    pub dropped: u64,
    pub acknowledged: u64,
    pub in_hand: u64,
    /// Came back to the front.
    pub redelivered: u64,
    /// Of the dropped: moved to the channel named by `dead`.
    pub dead: u64,
}

/// A channel. A clone is the same channel.
///
/// A handle knows in whose thread it is used: in a worker's, what is sent is from that worker and what is received is in that
/// worker's hand until it asks for the next, calls [`ack`](Self::ack) or ends; elsewhere it is the host's, and what it
/// receives is acknowledged at once.
pub struct Channel(NonNull<sys::chief_channel>);

// SAFETY: each function of a channel may be called from every thread at once, on behalf of a worker only in its own.
unsafe impl Send for Channel {}
unsafe impl Sync for Channel {}

impl Channel {
    /// A channel outside any chief.
    pub fn new(name: &str, options: &ChannelOptions) -> Result<Self> {
        let name = cstr(name)?;
        options.with_raw(|options| {
            let mut raw = ptr::null_mut();
            // SAFETY: name and options are read during the call.
            check(unsafe { sys::chief_channel_new(&mut raw, name.as_ptr(), options) })?;
            Ok(unsafe { Self::from_raw(raw) })
        })
    }

    /// Takes over the reference.
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_channel) -> Self {
        Self(NonNull::new(raw).expect("a channel is not NULL"))
    }

    pub(crate) fn raw(&self) -> *mut sys::chief_channel {
        self.0.as_ptr()
    }

    pub fn name(&self) -> &str {
        // SAFETY: the name is the channel's and does not change.
        unsafe { static_text(sys::chief_channel_name(self.raw())) }
    }

    fn send_within(&self, message: &impl Payload, timeout_ms: i64) -> Result<()> {
        message.with_bytes(|data| {
            // SAFETY: the bytes are read during the call; the worker is this thread's.
            check(unsafe {
                sys::chief_channel_send(self.raw(), current(), data.as_ptr().cast(), data.len(), timeout_ms)
            })
        })?;
        Ok(())
    }

    /// Sends; waits for room where the channel's overflow is to block.
    pub fn send(&self, message: impl Payload) -> Result<()> {
        self.send_within(&message, sys::CHIEF_FOREVER)
    }

    pub fn send_timeout(&self, message: impl Payload, timeout: Duration) -> Result<()> {
        self.send_within(&message, time::millis(timeout))
    }

    /// Sends without waiting: `WouldBlock` when there is no room.
    pub fn try_send(&self, message: impl Payload) -> Result<()> {
        self.send_within(&message, 0)
    }

    /// Sends several in order, the timeout (`None`: for ever) over all. Answers how many went, and why the next one did not.
    pub fn send_many<P: Payload>(&self, messages: &[P], timeout: Option<Duration>) -> (usize, Result<()>) {
        with_batch(messages, |items| {
            let mut sent = 0;
            // SAFETY: the items are read during the call; the worker is this thread's.
            let rc = unsafe {
                sys::chief_channel_send_many(
                    self.raw(),
                    current(),
                    items.as_ptr(),
                    items.len(),
                    time::timeout(timeout),
                    &mut sent,
                )
            };
            (sent, check(rc).map(drop))
        })
    }

    /// Sends a message of at most `len` bytes that `write` writes in place; it answers how many there are.
    pub fn send_with(
        &self,
        len: usize,
        timeout: Option<Duration>,
        write: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<()> {
        let mut room = Reservation { raw: ptr::null_mut() };
        let mut data = ptr::null_mut();
        // SAFETY: the worker is this thread's.
        check(unsafe {
            sys::chief_send_reserve(self.raw(), current(), len, time::timeout(timeout), &mut room.raw, &mut data)
        })?;
        let data = data.cast::<u8>();
        let written = if len == 0 {
            write(&mut [])
        } else {
            // SAFETY: the room is `len` bytes and ours until commit or cancel; zeroed, it may be read, too.
            unsafe {
                ptr::write_bytes(data, 0, len);
                write(slice::from_raw_parts_mut(data, len))
            }
        };
        let raw = mem::replace(&mut room.raw, ptr::null_mut());
        // SAFETY: the reservation is ours and ends here.
        check(unsafe { sys::chief_send_commit(raw, written) })?;
        Ok(())
    }

    fn recv_within(&self, timeout_ms: i64) -> Result<Message> {
        let mut raw = ptr::null_mut();
        // SAFETY: the worker is this thread's.
        check(unsafe { sys::chief_channel_recv(self.raw(), current(), timeout_ms, &mut raw) })?;
        Ok(unsafe { Message::from_raw(raw) })
    }

    /// Receives the next message. When the channel is closed and empty: `Closed`; when the worker is to stop and there is
    /// nothing: `Cancelled`.
    pub fn recv(&self) -> Result<Message> {
        self.recv_within(sys::CHIEF_FOREVER)
    }

    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message> {
        self.recv_within(time::millis(timeout))
    }

    /// Receives without waiting: `WouldBlock` when there is nothing.
    pub fn try_recv(&self) -> Result<Message> {
        self.recv_within(0)
    }

    /// Receives as many as are there once there is one, `max` at most; they are in hand as a whole.
    pub fn recv_many(&self, max: usize, timeout: Option<Duration>) -> Result<Vec<Message>> {
        receive_many(max, |out, max, n| {
            // SAFETY: there is room for `max` of them; the worker is this thread's.
            unsafe { sys::chief_channel_recv_many(self.raw(), current(), time::timeout(timeout), out, max, n) }
        })
    }

    /// The messages until there will be no more: the channel is closed, or the worker is to stop, and all has been received.
    pub fn iter(&self) -> Messages<'_> {
        Messages(self)
    }

    /// Acknowledges all that this thread's worker holds from this channel.
    pub fn ack(&self) {
        let worker = current();
        if !worker.is_null() {
            // SAFETY: the worker is this thread's.
            unsafe { sys::chief_channel_ack(self.raw(), worker) }
        }
    }

    /// No more is sent; what is queued is still received. Closing twice is no error.
    pub fn close(&self) {
        // SAFETY: the channel is alive.
        unsafe { sys::chief_channel_close(self.raw()) }
    }

    /// How many messages are queued now.
    pub fn len(&self) -> usize {
        // SAFETY: the channel is alive.
        unsafe { sys::chief_channel_len(self.raw()) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn stats(&self) -> ChannelStats {
        // SAFETY: all of it may be zero.
        let mut raw: sys::chief_channel_stats = unsafe { mem::zeroed() };
        raw.size = mem::size_of_val(&raw) as u32;
        // SAFETY: its size is set. It fails for nothing but a wrong argument, and then all is zero.
        unsafe { sys::chief_channel_get_stats(self.raw(), &mut raw) };
        ChannelStats {
            capacity: raw.capacity,
            sent: raw.sent,
            received: raw.received,
            queued: raw.queued,
            dropped: raw.dropped,
            acknowledged: raw.acknowledged,
            in_hand: raw.in_hand,
            redelivered: raw.redelivered,
            dead: raw.dead,
        }
    }

    /// A descriptor that is readable while something is queued or the channel is closed, for an event loop. Not to be read
    /// from.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the descriptor is the channel's and lives as long as it does.
        let fd: RawFd = check(unsafe { sys::chief_channel_fd(self.raw()) })?;
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}

impl Clone for Channel {
    fn clone(&self) -> Self {
        // SAFETY: one more reference is what a clone has.
        unsafe { Self::from_raw(sys::chief_channel_ref(self.raw())) }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::chief_channel_unref(self.raw()) }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name()).field("len", &self.len()).finish()
    }
}

/// The messages of a channel, see [`Channel::iter`].
#[derive(Debug)]
pub struct Messages<'a>(&'a Channel);

impl Iterator for Messages<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.0.recv().ok()
    }
}

impl<'a> IntoIterator for &'a Channel {
    type Item = Message;
    type IntoIter = Messages<'a>;

    fn into_iter(self) -> Messages<'a> {
        self.iter()
    }
}

/// Room in a channel, given back where writing into it panics.
struct Reservation {
    raw: *mut sys::chief_reservation,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the reservation is ours and ends here; it may be NULL.
        unsafe { sys::chief_send_cancel(self.raw) }
    }
}

/// Calls `send` with the messages as bytes; one that can't be made ends the batch before it.
pub(crate) fn with_batch<P: Payload>(
    messages: &[P],
    send: impl FnOnce(&[sys::chief_bytes]) -> (usize, Result<()>),
) -> (usize, Result<()>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(messages.len());
    let mut made = Ok(());
    for message in messages {
        made = message.with_bytes(|data| {
            bytes.extend_from_slice(data);
            Ok(())
        });
        if made.is_err() {
            break;
        }
        ends.push(bytes.len());
    }
    let mut from = 0;
    let items: Vec<_> = ends
        .iter()
        .map(|end| {
            let piece = &bytes[from..*end];
            from = *end;
            sys::chief_bytes { data: piece.as_ptr().cast(), len: piece.len() }
        })
        .collect();
    let (sent, result) = send(&items);
    (sent, result.and(made))
}

/// Receives from the first of several channels that has something: its place among them, and the message. `Closed` when all
/// are closed and empty.
pub fn select(channels: &[&Channel], timeout: Option<Duration>) -> Result<(usize, Message)> {
    let raw: Vec<_> = channels.iter().map(|channel| channel.raw()).collect();
    select_raw(&raw, timeout)
}

pub(crate) fn select_raw(channels: &[*mut sys::chief_channel], timeout: Option<Duration>) -> Result<(usize, Message)> {
    let mut index = 0;
    let mut message = ptr::null_mut();
    // SAFETY: the channels are alive during the call; the worker is this thread's.
    check(unsafe {
        sys::chief_select(
            current(),
            channels.as_ptr(),
            channels.len(),
            time::timeout(timeout),
            &mut index,
            &mut message,
        )
    })?;
    Ok((index, unsafe { Message::from_raw(message) }))
}
