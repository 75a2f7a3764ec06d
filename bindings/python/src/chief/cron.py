"""Time zones, and the times of cron expressions."""

from __future__ import annotations

import ctypes
from datetime import datetime, timezone
from typing import Optional

from ._library import quick, read_text, text
from .errors import check

_zone_new = quick("chief_zone_new", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p)
_zone_free = quick("chief_zone_free", None, ctypes.c_void_p)
_zone_text = quick(
    "chief_zone_text", ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int64, ctypes.c_char_p, ctypes.c_size_t
)


class RawCron(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("hours", ctypes.c_uint32),
        ("minutes", ctypes.c_uint64),
        ("days", ctypes.c_uint32),
        ("months", ctypes.c_uint32),
        ("weekdays", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]


_parse = quick("chief_cron_parse", ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(RawCron))
_next = quick(
    "chief_cron_next",
    ctypes.c_int,
    ctypes.POINTER(RawCron),
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_int64),
)


class Zone:
    """A time zone by its name, such as "Europe/Berlin"; None is the system's own."""

    __slots__ = ("_handle",)

    def __init__(self, name: Optional[str] = None):
        self._handle: Optional[int] = None
        handle = ctypes.c_void_p()
        check(_zone_new(handle, None if name is None else text(name, "a zone's name")))
        self._handle = handle.value

    def __del__(self) -> None:
        if self._handle:
            _zone_free(self._handle)

    def show(self, time: datetime) -> str:
        """A time as clocks show it there: "2026-03-29T03:00:00+02:00"."""
        return read_text(lambda buffer, size: _zone_text(self._handle, _since_1970(time), buffer, size))


def _since_1970(time: datetime) -> int:
    return int(time.timestamp() * 1000)


class Cron:
    """When a cron expression such as "30 2 * * mon-fri" or "@daily" is due."""

    __slots__ = ("expression", "_raw")

    def __init__(self, expression: str):
        self.expression = expression
        self._raw = RawCron(ctypes.sizeof(RawCron))
        check(_parse(text(expression, "a cron expression"), self._raw))

    def __repr__(self) -> str:
        return f"Cron({self.expression!r})"

    def next(self, after: Optional[datetime] = None, zone: Optional[Zone] = None) -> datetime:
        """The first time after `after` (now), in that zone (UTC). The time given back is in UTC."""
        found = ctypes.c_int64()
        begin = _since_1970(after if after is not None else datetime.now(timezone.utc))
        check(_next(self._raw, zone._handle if zone is not None else None, begin, found))
        return datetime.fromtimestamp(found.value / 1000, timezone.utc)
