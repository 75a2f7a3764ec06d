"""Messages as native values, by the library's own reader and writer of tokens; it has all the rules."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ._library import Bytes, quick
from .errors import ETOOBIG, OK, Invalid, check, error_from

NIL, BOOL, INT, FLOAT, STR, BIN, ARRAY, MAP = range(8)

_TOKEN = struct.Struct("=iIqdQQ")  # chief_token, which stays as it is for ever
_ITEM = struct.Struct("@PN")  # chief_bytes
_MOST_DEPTH = 100

_read = quick(
    "chief_pack_read",
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_write = quick(
    "chief_pack_write",
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)


class _Area:
    """Memory that the library writes to or reads from, with its address."""

    __slots__ = ("size", "memory", "address", "view", "length")

    def __init__(self, size: int):
        self.size = size
        self.memory = ctypes.create_string_buffer(size)
        self.address = ctypes.addressof(self.memory)
        self.view = memoryview(self.memory).cast("B")
        self.length = ctypes.c_size_t()


_USUAL = 64 * _TOKEN.size
# Used again by whoever needs one next: taken out while in use, so that each belongs to one thread at a time.
_areas: list[_Area] = []


def _area(size: int) -> _Area:
    if size <= _USUAL:
        try:
            return _areas.pop()
        except IndexError:
            return _Area(_USUAL)
    return _Area(size)


def _back(area: _Area) -> None:
    if area.size == _USUAL:
        _areas.append(area)


# Reading


def decode(data: bytes) -> Any:
    """The value of a message's bytes."""
    return decode_at(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0, data)


def decode_at(address: int, data: bytes) -> Any:
    """The value of bytes that are also at an address."""
    area = _area(0)
    try:
        length = area.length
        code = _read(address, len(data), area.address, area.size // _TOKEN.size, length)
        if code == ETOOBIG:
            _back(area)
            area = _area(length.value * _TOKEN.size)
            code = _read(address, len(data), area.address, area.size // _TOKEN.size, length)
        if code != OK:
            raise error_from(code)
        if length.value == 1:
            return _value(partial(_TOKEN.unpack_from, area.view), address, data)
        tokens = _TOKEN.iter_unpack(area.view[: length.value * _TOKEN.size])
        return _value(tokens.__next__, address, data)
    finally:
        _back(area)


def _value(token: Callable[[], tuple[Any, ...]], address: int, data: bytes) -> Any:
    kind, _, integer, number, at, length = token()
    if kind == STR:
        return data[at - address : at - address + length].decode()
    if kind == INT:
        return integer
    if kind == MAP:
        result = {}
        for _ in range(length):
            key = _value(token, address, data)
            result[key] = _value(token, address, data)
        return result
    if kind == ARRAY:
        return [_value(token, address, data) for _ in range(length)]
    if kind == FLOAT:
        return number
    if kind == BIN:
        return data[at - address : at - address + length]
    return bool(integer) if kind == BOOL else None


# Writing


class _Tokens:
    """The tokens of a value, and the strings they point to."""

    __slots__ = ("list", "strings", "bytes")

    def __init__(self) -> None:
        self.list: list[tuple[int, int, int, float, int, int]] = []
        self.strings: list[bytes] = []
        self.bytes = 0

    def string(self, kind: int, data: bytes) -> None:
        self.list.append((kind, 0, 0, 0.0, self.bytes, len(data)))
        self.strings.append(data)
        self.bytes += len(data)

    def container(self, kind: int, length: int) -> None:
        self.list.append((kind, 0, 0, 0.0, 0, length))


def _add(tokens: _Tokens, value: Any, path: tuple[Any, ...]) -> None:
    if isinstance(value, str):
        tokens.string(STR, value.encode("utf-8", "surrogateescape"))
    elif value is None:
        tokens.list.append((NIL, 0, 0, 0.0, 0, 0))
    elif isinstance(value, bool):
        tokens.list.append((BOOL, 0, int(value), 0.0, 0, 0))
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise _refusal("an integer beyond 64 bits", path)
        tokens.list.append((INT, 0, value, 0.0, 0, 0))
    elif isinstance(value, float):
        tokens.list.append((FLOAT, 0, 0, value, 0, 0))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        tokens.string(BIN, bytes(value))
    elif isinstance(value, (Mapping, list, tuple)):
        _add_container(tokens, value, path)
    else:
        raise _refusal(f"a {type(value).__name__}", path)


def _add_container(tokens: _Tokens, value: Any, path: tuple[Any, ...]) -> None:
    if len(path) >= _MOST_DEPTH:
        raise Invalid(f"can't send what is nested more than {_MOST_DEPTH} deep or holds itself")
    if isinstance(value, Mapping):
        tokens.container(MAP, len(value))
        for key, element in value.items():
            if not isinstance(key, (str, bytes, int)):
                raise _refusal(f"a key that is a {type(key).__name__}", (*path, key))
            _add(tokens, key, path)
            _add(tokens, element, (*path, key))
    else:
        tokens.container(ARRAY, len(value))
        for number, element in enumerate(value):
            _add(tokens, element, (*path, number))


def _refusal(what: str, path: tuple[Any, ...]) -> Invalid:
    """The library's words, the path as Python would have it."""
    return Invalid(f"can't send {what}" + (f" (at {''.join(f'[{key!r}]' for key in path)})" if path else ""))


def _encode_int(value: int) -> bytes:
    """What is sent most often, without a detour."""
    area = _area(0)
    try:
        view = area.view
        _TOKEN.pack_into(view, 0, INT, 0, value, 0.0, 0, 0)
        check(_write(area.address, 1, area.address + _TOKEN.size, 9, area.length))
        return view[_TOKEN.size : _TOKEN.size + area.length.value].tobytes()
    finally:
        _back(area)


def encode(value: Any) -> bytes:
    """The bytes of a message that says this value."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return _encode_int(value)
    tokens = _Tokens()
    _add(tokens, value, ())
    n, size = len(tokens.list), _TOKEN.size
    # First the tokens, then what they point to; the message is written behind both.
    strings_at = n * size
    out_at = strings_at + tokens.bytes
    most = 9 * n + tokens.bytes
    area = _area(out_at + most)
    try:
        view, base = area.view, area.address + strings_at
        offset = 0
        for token in tokens.list:
            if token[0] == STR or token[0] == BIN:
                token = (*token[:4], base + token[4], token[5])
            _TOKEN.pack_into(view, offset, *token)
            offset += size
        if tokens.bytes:
            view[strings_at:out_at] = b"".join(tokens.strings)
        length = area.length
        check(_write(area.address, n, area.address + out_at, most, length))
        return view[out_at : out_at + length.value].tobytes()
    finally:
        _back(area)


# Batches


def items_of(values: list[bytes]) -> Any:
    """The library's array of byte strings; it keeps the bytes that it points to."""
    joined = b"".join(values)
    address = ctypes.cast(ctypes.c_char_p(joined), ctypes.c_void_p).value or 0
    items: Any = (Bytes * len(values))()
    view = memoryview(items).cast("B")
    for number, data in enumerate(values):
        _ITEM.pack_into(view, number * _ITEM.size, address, len(data))
        address += len(data)
    items._joined = joined
    return items
