"""Durations: seconds as a number, or a timedelta, become the library's milliseconds."""

from __future__ import annotations

import math
import threading
import time
from datetime import timedelta
from typing import Callable, Optional, Union

from .errors import EAGAIN, ETIMEDOUT

Seconds = Union[int, float, timedelta]

ZERO = -(2**63)
FOREVER = -1
_MOST = 2**62

# How long the main thread waits before it looks whether Python has a signal for it, Ctrl-C first of all.
_SLICE_MS = 200


def milliseconds(duration: Seconds, what: str = "a duration") -> int:
    """Rounded up, so that a wait is never shorter than asked for."""
    if isinstance(duration, timedelta):
        duration = duration.total_seconds()
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise TypeError(f"{what} should be a number of seconds or a timedelta, got {type(duration).__name__}")
    if duration < 0 or duration != duration:
        raise ValueError(f"{what} should be 0 seconds or more, got {duration}")
    return min(math.ceil(duration * 1000), _MOST) if duration < _MOST else _MOST


def option(duration: Optional[Seconds], what: str) -> int:
    """As a member of a structure of options: 0 there means the default."""
    if duration is None:
        return 0
    return milliseconds(duration, what) or ZERO


def timeout_ms(timeout: Optional[Seconds]) -> int:
    """As the timeout of a call: None waits for ever."""
    return FOREVER if timeout is None else milliseconds(timeout, "timeout")


def seconds(ms: int) -> float:
    return ms / 1000


class Deadline:
    """The end of a time that several waits share."""

    def __init__(self, ms: int):
        self._at = math.inf if ms < 0 else time.monotonic() + ms / 1000

    def left(self) -> int:
        """What is left of it in milliseconds, as the timeout of a call."""
        if self._at == math.inf:
            return FOREVER
        return max(math.ceil((self._at - time.monotonic()) * 1000), 0)


def waiting(call: Callable[[int], int], ms: int, again: tuple[int, ...] = (ETIMEDOUT,)) -> int:
    """What `call(ms)` answers. In the main thread it waits in pieces, so that signal handlers of Python's are run."""
    if 0 <= ms <= _SLICE_MS or threading.current_thread() is not threading.main_thread():
        return call(ms)
    deadline = Deadline(ms)
    while True:
        left = deadline.left()
        piece = left if 0 <= left <= _SLICE_MS else _SLICE_MS
        code = call(piece)
        if piece == 0 or code not in again:
            return ETIMEDOUT if code == EAGAIN else code
