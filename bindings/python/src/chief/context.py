"""Contexts: cancellation, deadlines and values, as a tree."""

from __future__ import annotations

import ctypes
from typing import Any, Optional

from . import _values
from ._library import function, kept, quick, read_text, text
from ._time import Seconds, milliseconds, seconds, timeout_ms, waiting
from ._values import Value
from .errors import EAGAIN, ECANCELED, ENOENT, ETIMEDOUT, Error, check, error_from

_new = quick("chief_context_new", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
_new_deadline = quick(
    "chief_context_new_deadline", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p, ctypes.c_int64
)
_ref = quick("chief_context_ref", ctypes.c_void_p, ctypes.c_void_p)
_unref = quick("chief_context_unref", None, ctypes.c_void_p)
_cancel = function("chief_context_cancel", None, ctypes.c_void_p, ctypes.c_char_p)
_err = quick("chief_context_err", ctypes.c_int, ctypes.c_void_p)
_reason = quick("chief_context_reason", ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_remaining = quick("chief_context_remaining", ctypes.c_int64, ctypes.c_void_p)
_wait = function("chief_context_wait", ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_fd = quick("chief_context_fd", ctypes.c_int, ctypes.c_void_p)
_set = quick("chief_context_set", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Value))
_get = quick("chief_context_get", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Value))

#: Under this name a chief's context holds its logger.
LOG_KEY = "chief-log"


def set_value(call: Any, key: str, value: Any) -> None:
    """Calls `call(key, value)` with a tagged value; on failure an object that only Python understands is let go."""
    tagged = Value()
    name = text(key, "a value's name")
    if _values.is_plain(value):
        tagged.keep = _values.fill(tagged, value)
        check(call(name, tagged))
        return
    number = _values.fill_object(tagged, value)
    code = call(name, tagged)
    if code != 0:
        kept.drop(number)
        raise error_from(code)


class Context:
    """A node in a tree of contexts. It is done when it or one above it is cancelled or past its deadline.

    As a context manager it is cancelled at the end of the block.
    """

    __slots__ = ("_handle", "__weakref__")

    def __init__(self, parent: Optional[Context] = None, timeout: Optional[Seconds] = None):
        handle = ctypes.c_void_p()
        above = parent._handle if parent is not None else None
        self._handle: Optional[int] = None
        if timeout is None:
            check(_new(handle, above))
        else:
            check(_new_deadline(handle, above, milliseconds(timeout, "timeout")))
        self._handle = handle.value

    @classmethod
    def _borrowed(cls, handle: int) -> Context:
        """A context that the library has; this takes a reference of its own."""
        self = cls.__new__(cls)
        self._handle = _ref(handle)
        return self

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            _unref(handle)

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: Any) -> None:
        self.cancel()

    def __repr__(self) -> str:
        return f"<chief.Context {'done: ' + self.reason if self.done else 'not done'}>"

    def cancel(self, reason: Optional[str] = None) -> None:
        """Cancels it and all below it; the first time counts."""
        _cancel(self._handle, None if reason is None else text(reason, "a reason"))

    @property
    def done(self) -> bool:
        return bool(_err(self._handle) != 0)

    @property
    def error(self) -> Optional[Error]:
        """`Cancelled` or `Timeout` with the reason once it is done, else None."""
        code = _err(self._handle)
        return error_from(code, self.reason) if code in (ECANCELED, ETIMEDOUT) else None

    @property
    def reason(self) -> str:
        """Why it is done; "" while it is not."""
        return read_text(lambda buffer, size: _reason(self._handle, buffer, size))

    @property
    def remaining(self) -> Optional[float]:
        """Seconds until its deadline, None when it has none."""
        left = _remaining(self._handle)
        return None if left < 0 else seconds(left)

    def wait(self, timeout: Optional[Seconds] = None) -> bool:
        """Waits until it is done; False when the time is over before."""
        code = waiting(lambda ms: int(_wait(self._handle, ms)), timeout_ms(timeout))
        if code in (ETIMEDOUT, EAGAIN):
            return False
        check(code)
        return True

    def fileno(self) -> int:
        """A descriptor, readable from the moment it is done: for `select`, `poll` and other loops."""
        number: int = _fd(self._handle)
        if number < 0:
            raise error_from(number)
        return number

    def __setitem__(self, key: str, value: Any) -> None:
        set_value(lambda name, tagged: _set(self._handle, name, tagged), key, value)

    def __getitem__(self, key: str) -> Any:
        tagged = Value()
        code = _get(self._handle, text(key, "a value's name"), tagged)
        if code == ENOENT:
            raise KeyError(key)
        check(code)
        if key == LOG_KEY and tagged.type == _values.POINTER:
            from .log import log_of_value

            return log_of_value(tagged)
        return _values.read(tagged)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of that name here or in the nearest context above."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key, self) is not self
