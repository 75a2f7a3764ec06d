"""Logs: the library's own, or a sink in Python."""

from __future__ import annotations

import ctypes
import enum
import logging
import sys
import traceback
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Optional, Union

from . import _values
from ._library import Destructor, function, kept, quick, release, text
from ._values import Value
from .errors import check


class Level(str, enum.Enum):
    """The levels of logs and of events, the least first."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    OFF = "off"

    def __str__(self) -> str:
        return self.value

    @property
    def _number(self) -> int:
        return list(Level).index(self) + 1

    @classmethod
    def _of(cls, number: int) -> Level:
        levels: list[Level] = list(cls)
        return levels[min(max(number, 1), len(levels)) - 1]


def level_number(level: Optional[str]) -> int:
    """0, the default, for None."""
    return 0 if level is None else Level(level)._number


class Field(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", Value)]


class RawRecord(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("level", ctypes.c_int32),
        ("time_ms", ctypes.c_int64),
        ("message", ctypes.c_char_p),
        ("fields", ctypes.POINTER(Field)),
        ("n_fields", ctypes.c_size_t),
    ]


RawSink = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(RawRecord))


class LogOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("level", ctypes.c_int32),
        ("format", ctypes.c_int32),
        ("sink", RawSink),
        ("data", ctypes.c_void_p),
        ("destroy", Destructor),
    ]


_new = quick("chief_log_new", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(LogOptions))
_ref = quick("chief_log_ref", ctypes.c_void_p, ctypes.c_void_p)
_unref = quick("chief_log_unref", None, ctypes.c_void_p)
_with_fields = quick(
    "chief_log_with_fields",
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
    ctypes.POINTER(Field),
    ctypes.c_size_t,
)
_set_level = quick("chief_log_set_level", ctypes.c_int, ctypes.c_void_p, ctypes.c_int32)
_write = function(
    "chief_log_write",
    None,
    ctypes.c_void_p,
    ctypes.c_int32,
    ctypes.c_char_p,
    ctypes.POINTER(Field),
    ctypes.c_size_t,
)


@dataclass(frozen=True)
class Record:
    """One line of a log."""

    level: Level
    time: datetime
    message: str
    fields: dict[str, Any]


Sink = Callable[[Record], None]


def _field_value(value: Value) -> Any:
    return hex(value.pointer or 0) if value.type == _values.POINTER else _values._read(value)


def _record(raw: RawRecord) -> Record:
    fields = {
        raw.fields[i].key.decode("utf-8", "replace"): _field_value(raw.fields[i].value) for i in range(raw.n_fields)
    }
    time = datetime.fromtimestamp(raw.time_ms / 1000, timezone.utc)
    return Record(Level._of(raw.level), time, (raw.message or b"").decode("utf-8", "replace"), fields)


@RawSink
def _call_sink(number: Optional[int], record: Any) -> None:
    try:
        kept.get(number or 0)(_record(record.contents))
    except Exception:
        # There is nobody to tell: logging never fails.
        if sys.stderr:
            traceback.print_exc()


def _to_logging(logger: logging.Logger) -> Sink:
    levels = {
        Level.DEBUG: logging.DEBUG,
        Level.INFO: logging.INFO,
        Level.WARN: logging.WARNING,
        Level.ERROR: logging.ERROR,
    }

    def sink(record: Record) -> None:
        fields = "".join(f" {key}={value}" for key, value in record.fields.items())
        logger.log(levels[record.level], "%s%s", record.message, fields, extra={"chief": record.fields})

    return sink


def _fields(given: dict[str, Any]) -> tuple[Any, list[Any]]:
    fields = (Field * len(given))()
    keep: list[Any] = []
    for field, (key, thing) in zip(fields, given.items()):
        field.key = text(key, "a field's name")
        keep.append(_values.fill(field.value, thing if _values.is_plain(thing) else str(thing)))
    return fields, keep


class Log:
    """A logger: where lines go, the least level, and fields that each line has.

    Without `sink` lines go to stderr, as text or as JSON. `sink` is called with each `Record`, from any thread; it may
    be a `logging.Logger`.
    """

    __slots__ = ("_handle", "__weakref__")

    def __init__(
        self,
        level: Optional[str] = None,
        format: str = "text",
        sink: Union[Sink, logging.Logger, None] = None,
    ):
        self._handle: Optional[int] = None
        if format not in ("text", "json"):
            raise ValueError(f'format should be "text" or "json", got {format!r}')
        options = LogOptions(ctypes.sizeof(LogOptions), level_number(level), int(format == "json"))
        number = 0
        if sink is not None:
            number = kept.keep(_to_logging(sink) if isinstance(sink, logging.Logger) else sink)
            options.sink, options.data, options.destroy = _call_sink, number, release
        handle = ctypes.c_void_p()
        try:
            check(_new(handle, options))
        except BaseException:
            kept.drop(number)
            raise
        self._handle = handle.value

    @classmethod
    def _borrowed(cls, handle: int) -> Log:
        self = cls.__new__(cls)
        self._handle = _ref(handle)
        return self

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            _unref(handle)

    def with_fields(self, **fields: Any) -> Log:
        """A logger whose lines have these fields more."""
        raw, keep = _fields(fields)
        handle = ctypes.c_void_p()
        check(_with_fields(handle, self._handle, raw, len(raw)))
        del keep
        log = Log.__new__(Log)
        log._handle = handle.value
        return log

    def set_level(self, level: str) -> None:
        """Sets the least level, also of the loggers it was made from or that were made from it."""
        check(_set_level(self._handle, level_number(level)))

    def write(self, level: str, message: str, **fields: Any) -> None:
        raw, keep = _fields(fields)
        _write(self._handle, level_number(level), message.encode("utf-8", "replace"), raw, len(raw))
        del keep

    def debug(self, message: str, **fields: Any) -> None:
        self.write(Level.DEBUG, message, **fields)

    def info(self, message: str, **fields: Any) -> None:
        self.write(Level.INFO, message, **fields)

    def warn(self, message: str, **fields: Any) -> None:
        self.write(Level.WARN, message, **fields)

    warning = warn

    def error(self, message: str, **fields: Any) -> None:
        self.write(Level.ERROR, message, **fields)


def log_of_value(value: Value) -> Log:
    """The logger that a context holds."""
    try:
        return Log._borrowed(value.pointer)
    finally:
        _values._clear(value)
