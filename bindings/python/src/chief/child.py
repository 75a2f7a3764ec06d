"""What runs in the process of a worker in Python: python3 -m chief.child, started by a chief."""

from __future__ import annotations

import ctypes
import importlib
import io
import os
import sys
from typing import Any

from . import _codec
from ._library import Bytes, function, kept
from .errors import ECLOSED, ENOTSUP, OK, describe, error_from
from .worker import OPS, Definition, WorkerOps

_pointer = ctypes.c_void_p

_open = function("chief_child_open", ctypes.c_int, ctypes.POINTER(_pointer))
_spec = function("chief_child_spec", Bytes, _pointer)
_run = function("chief_child_run", ctypes.c_int, _pointer, ctypes.POINTER(WorkerOps), _pointer)
_refuse = function("chief_child_refuse", None, _pointer, ctypes.c_char_p)
_close = function("chief_child_close", None, _pointer)

# As the other programs of a chief's children end.
_FAILED, _NO_CHIEF, _CHIEF_GONE = 1, 64, 75


def spec_of(worker: Any) -> tuple[bytes, Definition]:
    """The bytes by which a child finds the worker again, and what it is. It has to be importable by its name."""
    if isinstance(worker, str):
        module, _, name = worker.partition(":")
        if not module or not name:
            raise _refusal(worker)
    else:
        module, name = _names_of(worker)
    found = find(module, name)
    if not isinstance(worker, str) and found is not worker:
        raise _refusal(worker)
    return _codec.encode({"module": module, "name": name, "path": sys.path}), Definition(found)


def _names_of(worker: Any) -> tuple[str, str]:
    module, name = getattr(worker, "__module__", None), getattr(worker, "__qualname__", "<none>")
    if module is None or module == "__main__" or "<" in name:
        raise _refusal(worker)
    return module, name


def _refusal(worker: Any) -> ValueError:
    return ValueError(
        'a worker in a process should be a function or class of a module that can be imported, or "module:name", '
        f"got {worker!r}"
    )


def find(module: str, name: str) -> Any:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def argv() -> list[str]:
    return [sys.executable, "-m", "chief.child"]


def environment() -> dict[str, str]:
    """Lets the child find this package, wherever it is."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    there = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": package + (os.pathsep + there if there else "")}


def _definition(child: Any) -> Definition:
    found = _spec(child)
    spec = _codec.decode(ctypes.string_at(found.data, found.len))
    sys.path[:] = spec["path"]
    return Definition(find(spec["module"], spec["name"]))


def main() -> int:
    # What is printed is read line by line; what a crash would leave in a buffer is lost.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    child = _pointer()
    code = _open(child)
    if code != OK:
        print(f"chief.child: {error_from(code)}", file=sys.stderr)
        return _NO_CHIEF if code == ENOTSUP else _CHIEF_GONE if code == ECLOSED else _FAILED
    try:
        number = kept.keep(_definition(child))
    except BaseException as problem:
        _refuse(child, describe(problem).encode("utf-8", "replace"))
        _close(child)
        return _FAILED
    code = _run(child, OPS, number)
    _close(child)
    return OK if code == OK else _CHIEF_GONE if code == ECLOSED else _FAILED


if __name__ == "__main__":
    sys.exit(main())
