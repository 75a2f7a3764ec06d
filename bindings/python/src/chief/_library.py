"""Finds and loads the C library. Each module declares what it calls of it, next to where it calls it.

`CHIEF_LIBRARY` and `CHIEF_LUA_LIBRARY` name the files of the two libraries; without them the loader searches.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Optional

ABI = 0
SONAME, LUA_SONAME = "libchief.so.0", "libchief-lua.so.0"


def _load(path: str, package: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(path)
    except OSError as problem:
        raise ImportError(
            f"can't load {path} ({problem}): install {package}, or say where it is in the environment variable "
            f"{'CHIEF_LIBRARY' if package == 'libchief' else 'CHIEF_LUA_LIBRARY'}"
        ) from None


_core = _load(os.environ.get("CHIEF_LIBRARY") or SONAME, "libchief")
# The same library for calls that end at once: the GIL is kept, which costs less than giving it up.
_core_quick = ctypes.PyDLL(_core._name, handle=_core._handle)
_lua: Optional[ctypes.CDLL] = None


def _declare(library: ctypes.CDLL, name: str, result: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        found = library[name]
    except AttributeError:
        raise ImportError(f"{library._name} has no {name}: it is older than this package") from None
    found.restype = result
    found.argtypes = arguments
    return found


def function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of libchief, called without the GIL: other threads of Python go on meanwhile."""
    return _declare(_core, name, result, arguments)


def quick(name: str, result: Any, *arguments: Any) -> Any:
    """A function of libchief that neither waits nor asks the chief's own thread, called with the GIL."""
    return _declare(_core_quick, name, result, arguments)


def _lua_path() -> str:
    given = os.environ.get("CHIEF_LUA_LIBRARY")
    if given:
        return given
    beside = os.path.join(os.path.dirname(_core._name), "libchief-lua.so")
    return beside if os.path.isabs(beside) and os.path.exists(beside) else LUA_SONAME


def lua_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of libchief-lua, which is loaded when it is first needed."""
    global _lua
    if _lua is None:
        _lua = _load(_lua_path(), "libchief-lua")
    return _declare(_lua, name, result, arguments)


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("len", ctypes.c_size_t)]


Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_abi = quick("chief_abi", ctypes.c_uint32)
_version = quick("chief_version", ctypes.c_char_p)

if _abi() != ABI:
    raise ImportError(f"{_core._name} has ABI {_abi()}, and this package is for ABI {ABI}")


def library_version() -> str:
    """The version of libchief, such as "0.1.0"."""
    version: bytes = _version()
    return version.decode()


def text(value: str, what: str) -> bytes:
    """The bytes of a name or a text as the library takes them."""
    if not isinstance(value, str):
        raise TypeError(f"{what} should be a str, got {type(value).__name__}")
    encoded = value.encode("utf-8", "surrogateescape")
    if b"\0" in encoded:
        raise ValueError(f"{what} holds a NUL")
    return encoded


def names(values: Any, what: str) -> Any:
    """An array of texts; the array keeps them."""
    if isinstance(values, str):
        raise TypeError(f"{what} should be a list of names, got the str {values!r}")
    encoded = [text(value, what) for value in values]
    return (ctypes.c_char_p * len(encoded))(*encoded)


def read_text(call: Any) -> str:
    """The whole of a text that `call(buffer, size)` writes and gives the length of."""
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        length: int = call(buffer, size)
        if length < size:
            return buffer.value.decode("utf-8", "replace")
        size = length + 1


class Kept:
    """Objects that the library holds by number, from when they are given to it until it lets them go."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._last = 0

    def keep(self, thing: Any) -> int:
        while True:
            # Two threads may read the same number; only one of them finds it free.
            number = self._last = self._last + 1
            if self._objects.setdefault(number, thing) is thing:
                return number

    def get(self, number: int) -> Any:
        return self._objects[number]

    def drop(self, number: int) -> Any:
        return self._objects.pop(number, None)

    def __len__(self) -> int:
        return len(self._objects)


#: Everything the library holds: workers and their lives, sinks, values of contexts, policies.
kept = Kept()


@Destructor
def release(number: Optional[int]) -> None:
    """The destructor of all that is kept. What it drops is dropped here, on the thread that lets it go."""
    kept.drop(number or 0)
