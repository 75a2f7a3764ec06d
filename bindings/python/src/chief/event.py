"""What a chief tells: events."""

from __future__ import annotations

import ctypes
import enum
from dataclasses import dataclass
from typing import Any, Optional

from ._library import quick
from ._time import seconds
from .log import Level
from .state import Reason, State, _of, words


class EventKind(str, enum.Enum):
    """What an event tells."""

    STATE = "state"
    WRONG_STATE_CHANGE = "wrong_state_change"
    READY = "ready"
    RESTART = "restart"
    GIVEN_UP = "given_up"
    ABANDONED = "abandoned"
    REMOVED = "removed"
    MESSAGE_DROPPED = "message_dropped"
    NOTE = "note"
    SIGNAL = "signal"
    STOPPING = "stopping"
    HOOK_TIMEOUT = "hook_timeout"
    STOPPED = "stopped"
    FORCED = "forced"

    def __str__(self) -> str:
        return self.value


class RawEvent(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("kind", ctypes.c_int32),
        ("seq", ctypes.c_uint64),
        ("time_ms", ctypes.c_int64),
        ("generation", ctypes.c_uint64),
        ("state", ctypes.c_int32),
        ("previous", ctypes.c_int32),
        ("reason", ctypes.c_int32),
        ("level", ctypes.c_int32),
        ("delay_ms", ctypes.c_int64),
        ("worker", ctypes.c_char_p),
        ("channel", ctypes.c_char_p),
        ("error", ctypes.c_char_p),
        ("traceback", ctypes.c_char_p),
    ]


_kind_name = quick("chief_event_kind_name", ctypes.c_char_p, ctypes.c_int32)
_free = quick("chief_event_free", None, ctypes.POINTER(RawEvent))


@dataclass(frozen=True)
class Event:
    """One event. What does not apply is None or ""."""

    kind: EventKind
    #: 1, 2, 3 …: a gap is what was dropped, or was below the level of the events.
    seq: int
    #: Seconds on the monotonic clock.
    time: float
    level: Level
    worker: str
    generation: int
    state: Optional[State]
    previous: Optional[State]
    reason: Reason
    #: Of a restart: seconds until it.
    delay: float
    channel: str
    error: str
    traceback: str


def _kind(number: int) -> EventKind:
    name: bytes = _kind_name(number)
    try:
        return EventKind(name.decode())
    except ValueError:
        return EventKind.NOTE


def _event(raw: RawEvent) -> Event:
    return Event(
        kind=_kind(raw.kind),
        seq=raw.seq,
        time=seconds(raw.time_ms),
        level=Level._of(raw.level),
        worker=words(raw.worker),
        generation=raw.generation,
        state=_of(raw.state) if raw.state else None,
        previous=_of(raw.previous) if raw.previous else None,
        reason=Reason._of(raw.reason),
        delay=seconds(raw.delay_ms),
        channel=words(raw.channel),
        error=words(raw.error),
        traceback=words(raw.traceback),
    )


def take(out: Any, n: int) -> list[Event]:
    """The events of an array that the library has filled; they are freed."""
    try:
        return [_event(out[i].contents) for i in range(n)]
    finally:
        for i in range(n):
            _free(out[i])
