"""Values of a context and fields of a log record: the library's tagged values."""

from __future__ import annotations

import ctypes
from typing import Any

from ._library import Bytes, Destructor, kept, quick, release
from .errors import NotSupported

NIL, BOOL, INTEGER, NUMBER, BYTES, POINTER = range(6)


class Value(ctypes.Structure):
    #: What a value that is being told points to.
    keep: Any
    _fields_ = [
        ("type", ctypes.c_int32),
        ("boolean", ctypes.c_int32),
        ("integer", ctypes.c_int64),
        ("number", ctypes.c_double),
        ("bytes", Bytes),
        ("pointer", ctypes.c_void_p),
        ("destroy", Destructor),
        ("owner", ctypes.c_void_p),
    ]


_clear = quick("chief_value_clear", None, ctypes.POINTER(Value))

_RELEASE_ADDRESS = ctypes.cast(release, ctypes.c_void_p).value


def from_bytes(data: bytes) -> Any:
    """Text where it is UTF-8, as in messages; else the bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _fill_bytes(value: Value, data: bytes) -> bytes:
    value.type = BYTES
    value.bytes = Bytes(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))
    return data


def fill(value: Value, thing: Any) -> Any:
    """Makes `value` say what `thing` is. What is returned has to be kept for as long as the value is used."""
    if thing is None:
        value.type = NIL
    elif isinstance(thing, bool):
        value.type, value.boolean = BOOL, int(thing)
    elif isinstance(thing, int) and -(2**63) <= thing < 2**63:
        value.type, value.integer = INTEGER, thing
    elif isinstance(thing, float):
        value.type, value.number = NUMBER, thing
    elif isinstance(thing, str):
        return _fill_bytes(value, thing.encode("utf-8", "surrogateescape"))
    elif isinstance(thing, (bytes, bytearray, memoryview)):
        return _fill_bytes(value, bytes(thing))
    else:
        return None
    return thing


def is_plain(thing: Any) -> bool:
    """Whether it can be told to other languages."""
    if isinstance(thing, int):
        return -(2**63) <= thing < 2**63
    return thing is None or isinstance(thing, (float, str, bytes, bytearray, memoryview))


def fill_object(value: Value, thing: Any) -> int:
    """Makes `value` stand for an object of Python's that only Python understands."""
    number = kept.keep(thing)
    value.type, value.pointer, value.destroy = POINTER, number, release
    return number


def read(value: Value) -> Any:
    """What the value says. It is cleared."""
    try:
        return _read(value)
    finally:
        _clear(value)


def _read(value: Value) -> Any:
    kind = value.type
    if kind == NIL:
        return None
    if kind == BOOL:
        return bool(value.boolean)
    if kind == INTEGER:
        return value.integer
    if kind == NUMBER:
        return value.number
    if kind == BYTES:
        return from_bytes(ctypes.string_at(value.bytes.data, value.bytes.len) if value.bytes.len else b"")
    if ctypes.cast(value.destroy, ctypes.c_void_p).value == _RELEASE_ADDRESS:
        return kept.get(value.pointer)
    raise NotSupported("this value is an object of another language")
