"""Received messages."""

from __future__ import annotations

import ctypes
from typing import Any

from . import _codec
from ._library import Bytes, function, quick
from .errors import check

_data = quick("chief_msg_data", Bytes, ctypes.c_void_p)
_sender = quick("chief_msg_sender", ctypes.c_char_p, ctypes.c_void_p)
_kind = quick("chief_msg_kind", ctypes.c_char_p, ctypes.c_void_p)
_channel = quick("chief_msg_channel", ctypes.c_char_p, ctypes.c_void_p)
_deliveries = quick("chief_msg_deliveries", ctypes.c_uint32, ctypes.c_void_p)
_reply = function("chief_msg_reply", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_fail = function("chief_msg_fail", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)
_free = quick("chief_msg_free", None, ctypes.c_void_p)

_string_at = ctypes.string_at


class Message:
    """One received message. It stays readable for as long as it is referred to."""

    __slots__ = ("_handle",)

    def __init__(self, handle: int):
        self._handle = handle

    def __del__(self) -> None:
        _free(self._handle)

    def __repr__(self) -> str:
        return f"<chief.Message {self.kind} from {self.sender or 'outside'}: {self.value!r}>"

    @property
    def data(self) -> bytes:
        """Its bytes as they were sent; for who sent bytes with `send_bytes`."""
        found = _data(self._handle)
        return _string_at(found.data, found.len) if found.len else b""

    @property
    def value(self) -> Any:
        """What was sent, decoded anew each time it is asked for."""
        found = _data(self._handle)
        return _codec.decode_at(found.data, _string_at(found.data, found.len))

    @property
    def sender(self) -> str:
        """The name of the worker that sent it; "" when it came from outside."""
        found: bytes = _sender(self._handle)
        return found.decode()

    @property
    def kind(self) -> str:
        """ "message", "call" or "broadcast"."""
        found: bytes = _kind(self._handle)
        return found.decode()

    @property
    def channel(self) -> str:
        """The channel it came by; "" for a mailbox."""
        found: bytes = _channel(self._handle)
        return found.decode()

    @property
    def deliveries(self) -> int:
        """How often it has been handed to a receiver, this time included."""
        return int(_deliveries(self._handle))

    def reply(self, value: Any) -> None:
        """Answers a call. `NotFound` when it is none, was answered, or nobody waits any more."""
        self.reply_bytes(_codec.encode(value))

    def reply_bytes(self, data: bytes) -> None:
        """Answers with bytes as they are."""
        check(_reply(self._handle, data, len(data)))

    def fail(self, text: str) -> None:
        """Answers a call with a failure: the caller gets `CallFailed` with this text."""
        check(_fail(self._handle, text.encode("utf-8", "surrogateescape")))
