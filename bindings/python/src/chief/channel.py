"""Channels: bounded queues with a name, many senders and many receivers."""

from __future__ import annotations

import ctypes
import enum
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional

from . import _codec
from ._aio import readable
from ._library import Bytes, function, quick, text
from ._time import FOREVER, ZERO, Seconds, timeout_ms, waiting
from .errors import EAGAIN, ECANCELED, ECLOSED, EFULL, ETIMEDOUT, OK, check, error_from
from .message import Message

_pointer = ctypes.c_void_p


class ChannelOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("overflow", ctypes.c_int32),
        ("delivery", ctypes.c_int32),
        ("capacity", ctypes.c_uint32),
        ("max_deliveries", ctypes.c_int64),
        ("max_message", ctypes.c_int64),
        ("dead", ctypes.c_char_p),
    ]


class RawStats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("capacity", ctypes.c_uint32)] + [
        (name, ctypes.c_uint64)
        for name in ("sent", "received", "queued", "dropped", "acknowledged", "in_hand", "redelivered", "dead")
    ]


_new = quick(
    "chief_channel_new", ctypes.c_int, ctypes.POINTER(_pointer), ctypes.c_char_p, ctypes.POINTER(ChannelOptions)
)
_ref = quick("chief_channel_ref", _pointer, _pointer)
_unref = quick("chief_channel_unref", None, _pointer)
_name = quick("chief_channel_name", ctypes.c_char_p, _pointer)
_SEND = (ctypes.c_int, _pointer, _pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64)
_send, _send_now = function("chief_channel_send", *_SEND), quick("chief_channel_send", *_SEND)
_SEND_MANY = (
    ctypes.c_int,
    _pointer,
    _pointer,
    ctypes.POINTER(Bytes),
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_size_t),
)
_send_many = function("chief_channel_send_many", *_SEND_MANY)
_send_many_now = quick("chief_channel_send_many", *_SEND_MANY)
_RECV = (ctypes.c_int, _pointer, _pointer, ctypes.c_int64, ctypes.POINTER(_pointer))
_recv, _recv_now = function("chief_channel_recv", *_RECV), quick("chief_channel_recv", *_RECV)
_RECV_MANY = (
    ctypes.c_int,
    _pointer,
    _pointer,
    ctypes.c_int64,
    ctypes.POINTER(_pointer),
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_recv_many = function("chief_channel_recv_many", *_RECV_MANY)
_recv_many_now = quick("chief_channel_recv_many", *_RECV_MANY)
_ack = quick("chief_channel_ack", None, _pointer, _pointer)
_select = function(
    "chief_select",
    ctypes.c_int,
    _pointer,
    ctypes.POINTER(_pointer),
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_size_t),
    ctypes.POINTER(_pointer),
)
_close = function("chief_channel_close", None, _pointer)
_len = quick("chief_channel_len", ctypes.c_size_t, _pointer)
_get_stats = quick("chief_channel_get_stats", ctypes.c_int, _pointer, ctypes.POINTER(RawStats))
_fd = quick("chief_channel_fd", ctypes.c_int, _pointer)


class Overflow(str, enum.Enum):
    """What a full channel does with one message more."""

    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"
    FAIL = "fail"


class Delivery(str, enum.Enum):
    """What becomes of a message whose receiver dies with it in hand."""

    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"


def channel_options(
    capacity: Optional[int] = None,
    overflow: str = "block",
    delivery: str = "at_most_once",
    max_deliveries: Optional[int] = None,
    max_message: Optional[int] = None,
    dead: Optional[str] = None,
) -> ChannelOptions:
    options = ChannelOptions(ctypes.sizeof(ChannelOptions))
    options.overflow = list(Overflow).index(Overflow(overflow))
    options.delivery = list(Delivery).index(Delivery(delivery))
    if capacity is not None:
        if not 1 <= capacity < 2**32:
            raise ValueError(f"capacity should be 1 message or more, got {capacity}")
        options.capacity = capacity
    if max_deliveries is not None:
        options.max_deliveries = max_deliveries or ZERO
    if max_message is not None:
        options.max_message = max_message or ZERO
    if dead is not None:
        options.dead = text(dead, "dead")
    return options


@dataclass(frozen=True)
class ChannelStats:
    """Counters, all of one moment: sent = received + queued + dropped, and received = acknowledged + in_hand."""

    capacity: int
    sent: int
    received: int
    queued: int
    dropped: int
    acknowledged: int
    in_hand: int
    redelivered: int
    dead: int


class Holder:
    """Who asks: a worker in its own thread, or the program around it. It says what the library calls `as`."""

    __slots__ = ()

    def handle(self) -> Optional[int]:
        return None

    def descriptors(self) -> list[int]:
        """What else ends a wait in asyncio: that of a stop."""
        return []


OUTSIDE = Holder()


def received(call: Callable[[int, Any], int], timeout: Optional[Seconds], now: Callable[[int, Any], int]) -> Message:
    """A message, tried for at once and then waited for."""
    out = _pointer()
    code = now(0, out)
    if code == EAGAIN:
        ms = timeout_ms(timeout)
        if ms != 0:
            code = waiting(lambda piece: call(piece, out), ms)
    if code != OK:
        raise error_from(code)
    return Message(out.value)  # type: ignore[arg-type]


class Channel:
    """A bounded queue of messages.

    Iterating over it receives until it is closed and empty, or the worker is asked to stop. A channel of one's own is
    made by `Channel(name, …)`, one of a chief's by `add_channel`. A worker gets those of its chief by
    `ctx.channel(name)`; what it receives through them is in its hand until it asks for the next, or calls `ack`.
    """

    __slots__ = ("_handle", "_holder", "__weakref__")

    def __init__(self, name: str, **options: Any):
        self._handle: Optional[int] = None
        handle = _pointer()
        check(_new(handle, text(name, "a channel's name"), channel_options(**options)))
        self._handle, self._holder = handle.value, OUTSIDE

    @classmethod
    def _owned(cls, handle: Optional[int], holder: Holder = OUTSIDE) -> Channel:
        self = cls.__new__(cls)
        self._handle, self._holder = handle, holder
        return self

    @classmethod
    def _borrowed(cls, handle: Optional[int], holder: Holder) -> Channel:
        return cls._owned(_ref(handle), holder)

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            _unref(handle)

    def __repr__(self) -> str:
        return f"<chief.Channel {self.name}: {len(self)} queued>"

    @property
    def name(self) -> str:
        found: bytes = _name(self._handle)
        return found.decode()

    def send(self, value: Any, timeout: Optional[Seconds] = None) -> None:
        """Sends a value; waits for room where the channel's overflow is "block"."""
        self.send_bytes(_codec.encode(value), timeout)

    def send_bytes(self, data: bytes, timeout: Optional[Seconds] = None) -> None:
        """Sends bytes as they are."""
        handle, holder = self._handle, self._holder.handle()
        code = _send_now(handle, holder, data, len(data), 0)
        if code == EAGAIN:
            ms = timeout_ms(timeout)
            if ms != 0:
                code = waiting(lambda piece: int(_send(handle, holder, data, len(data), piece)), ms)
        if code != OK:
            raise error_from(code)

    def try_send(self, value: Any) -> bool:
        """Sends without waiting; False when there is no room."""
        data = _codec.encode(value)
        code = _send_now(self._handle, self._holder.handle(), data, len(data), 0)
        if code in (EAGAIN, EFULL):
            return False
        check(code)
        return True

    def send_many(self, values: Iterable[Any], timeout: Optional[Seconds] = None) -> int:
        """Sends several in order and says how many; less than all of them only when the time was over."""
        return self.send_many_bytes(map(_codec.encode, values), timeout)

    def send_many_bytes(self, values: Iterable[bytes], timeout: Optional[Seconds] = None) -> int:
        items = _codec.items_of(list(values))
        handle, holder = self._handle, self._holder.handle()
        code, sent = send_items(
            lambda some, n, ms, done: int((_send_many if ms else _send_many_now)(handle, holder, some, n, ms, done)),
            items,
            timeout,
        )
        if code != OK and sent == 0:
            raise error_from(code)
        return sent

    def recv(self, timeout: Optional[Seconds] = None) -> Message:
        """The next message.

        `Closed` when none will come, `Cancelled` when the worker is asked to stop and none is queued.
        """
        handle, holder = self._handle, self._holder.handle()
        return received(
            lambda ms, out: int(_recv(handle, holder, ms, out)),
            timeout,
            lambda ms, out: int(_recv_now(handle, holder, ms, out)),
        )

    def try_recv(self) -> Optional[Message]:
        """The next message, None when nothing is queued now."""
        out = _pointer()
        code = _recv_now(self._handle, self._holder.handle(), 0, out)
        if code == EAGAIN:
            return None
        check(code)
        return Message(out.value)  # type: ignore[arg-type]

    def recv_many(self, most: int = 100, timeout: Optional[Seconds] = None) -> list[Message]:
        """Between 1 and `most` messages: as many as are there once there is one. They are in hand as a whole."""
        out, n = (_pointer * most)(), ctypes.c_size_t()
        handle, holder = self._handle, self._holder.handle()
        code = _recv_many_now(handle, holder, 0, out, most, n)
        if code == EAGAIN:
            ms = timeout_ms(timeout)
            if ms != 0:
                code = waiting(lambda piece: int(_recv_many(handle, holder, piece, out, most, n)), ms)
        check(code)
        handles: list[Any] = out[: n.value]
        return [Message(each) for each in handles]

    def __iter__(self) -> Iterator[Message]:
        out = _pointer()
        handle = self._handle
        while True:
            holder = self._holder.handle()
            code = _recv_now(handle, holder, 0, out)
            if code == EAGAIN:
                code = waiting(lambda ms: int(_recv(handle, holder, ms, out)), FOREVER)
            if code in (ECLOSED, ECANCELED):
                return
            if code != OK:
                raise error_from(code)
            yield Message(out.value)  # type: ignore[arg-type]

    async def _readable(self, timeout: Optional[Seconds]) -> None:
        if not await readable([self.fileno(), *self._holder.descriptors()], timeout):
            raise error_from(ETIMEDOUT, "timed out")

    async def arecv(self, timeout: Optional[Seconds] = None) -> Message:
        """`recv` in asyncio: waits without keeping the thread."""
        while True:
            message = self.try_recv()
            if message is not None:
                return message
            await self._readable(timeout)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            out = _pointer()
            code = _recv_now(self._handle, self._holder.handle(), 0, out)
            if code == EAGAIN:
                await self._readable(None)
            elif code in (ECLOSED, ECANCELED):
                return
            else:
                check(code)
                yield Message(out.value)  # type: ignore[arg-type]

    def ack(self) -> None:
        """Acknowledges all that the worker holds from this channel."""
        _ack(self._handle, self._holder.handle())

    def close(self) -> None:
        """No more sends; what is queued is still received, then receivers get `Closed`."""
        _close(self._handle)

    def __len__(self) -> int:
        return int(_len(self._handle))

    def __bool__(self) -> bool:
        return True

    def stats(self) -> ChannelStats:
        raw = RawStats(ctypes.sizeof(RawStats))
        check(_get_stats(self._handle, raw))
        return ChannelStats(*(getattr(raw, name) for name in ChannelStats.__dataclass_fields__))

    def fileno(self) -> int:
        """A descriptor, readable while something is queued or the channel is closed."""
        number: int = _fd(self._handle)
        if number < 0:
            raise error_from(number)
        return number


def send_items(
    call: Callable[[Any, int, int, Any], int], items: Any, timeout: Optional[Seconds]
) -> tuple[int, int]:
    """Sends an array of items, tried at once and then in pieces of time; what went is left out of the next piece."""
    total, n = 0, len(items)

    def piece(piece_ms: int) -> int:
        nonlocal total
        done = ctypes.c_size_t()
        rest = ctypes.addressof(items) + total * ctypes.sizeof(Bytes)
        code = call(ctypes.cast(rest, ctypes.POINTER(Bytes)), n - total, piece_ms, done)
        total += done.value
        return code

    code = piece(0)
    if code == EAGAIN:
        ms = timeout_ms(timeout)
        if ms != 0:
            code = waiting(piece, ms)
    return code, total


class Mailbox:
    """Among the sources of a `select`: the worker's own mailbox."""

    def __repr__(self) -> str:
        return "chief.MAILBOX"


MAILBOX = Mailbox()


def select_from(holder: Holder, sources: tuple[Any, ...], timeout: Optional[Seconds]) -> tuple[Any, Message]:
    handles = (_pointer * len(sources))(*(None if each is MAILBOX else each._handle for each in sources))
    index, out, worker = ctypes.c_size_t(), _pointer(), holder.handle()
    code = waiting(lambda ms: int(_select(worker, handles, len(sources), ms, index, out)), timeout_ms(timeout))
    check(code)
    return sources[index.value], Message(out.value)  # type: ignore[arg-type]


def select(*channels: Channel, timeout: Optional[Seconds] = None) -> tuple[Channel, Message]:
    """A message of the first channel that has one, and that channel."""
    return select_from(OUTSIDE, channels, timeout)
