"""Workers that are Lua modules, by libchief-lua."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple, Optional

from ._library import lua_function, text
from ._options import RawProcess, RawWorkerOptions, choose
from ._time import Seconds, option


class LuaOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("path", ctypes.c_char_p),
        ("cpath", ctypes.c_char_p),
        ("worker", ctypes.POINTER(RawWorkerOptions)),
        ("process", ctypes.POINTER(RawProcess)),
        ("memory_limit", ctypes.c_uint64),
        ("watchdog", ctypes.c_int64),
        ("eager_libraries", ctypes.c_uint32),
    ]


class Limits(NamedTuple):
    memory_limit: int
    watchdog: Optional[Seconds]
    libraries: str


def _function() -> Any:
    return lua_function(
        "chief_lua_add_worker",
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.POINTER(LuaOptions),
    )


def add(
    chief: int,
    name: str,
    module: str,
    path: Optional[str],
    cpath: Optional[str],
    limits: Limits,
    worker: RawWorkerOptions,
) -> int:
    options = LuaOptions(ctypes.sizeof(LuaOptions))
    options.path = None if path is None else text(path, "path")
    options.cpath = None if cpath is None else text(cpath, "cpath")
    options.worker = ctypes.pointer(worker)
    options.process = worker.process
    options.memory_limit = limits.memory_limit
    options.watchdog = option(limits.watchdog, "watchdog")
    options.eager_libraries = choose({"lazy": 0, "eager": 1}, limits.libraries, "libraries")
    code: int = _function()(chief, text(name, "a worker's name"), text(module, "module"), options)
    return code
