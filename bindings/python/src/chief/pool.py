"""Pools: workers and their states, without a chief."""

from __future__ import annotations

import ctypes
from typing import Any, Optional

from ._library import function, kept, quick, text
from .context import Context
from .errors import check, error_from
from .log import Log
from .state import Snapshot, State, _of
from .worker import OPS, Definition, WorkerOps

_pointer = ctypes.c_void_p
_state_t = ctypes.c_int32

_new = quick("chief_pool_new", ctypes.c_int, ctypes.POINTER(_pointer))
_free = function("chief_pool_free", None, _pointer)
_set_log = quick("chief_pool_set_log", ctypes.c_int, _pointer, _pointer)
_set_worker = function(
    "chief_pool_set_worker", ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.POINTER(WorkerOps), _pointer
)
_get_worker = quick(
    "chief_pool_get_worker",
    ctypes.c_int,
    _pointer,
    ctypes.c_char_p,
    ctypes.POINTER(WorkerOps),
    ctypes.POINTER(_pointer),
)
_get_state = quick("chief_pool_get_state", _state_t, _pointer, ctypes.c_char_p)
_set_state = function("chief_pool_set_state", _state_t, _pointer, ctypes.c_char_p, _state_t)
_VERB = (_state_t, _pointer, ctypes.c_char_p)
_enable = function("chief_pool_enable", *_VERB)
_disable = function("chief_pool_disable", *_VERB)
_init = function("chief_pool_init", *_VERB, _pointer)
_start = function("chief_pool_start", *_VERB)
_stop = function("chief_pool_stop", *_VERB)
_fail = function("chief_pool_fail", *_VERB)
_is_enabled = quick("chief_pool_is_enabled", ctypes.c_int, _pointer, ctypes.c_char_p)
_is_alive = quick("chief_pool_is_alive", ctypes.c_int, _pointer, ctypes.c_char_p)
_run_exec = function("chief_pool_run_exec", ctypes.c_int, _pointer, ctypes.c_char_p)
_states = quick("chief_pool_states", ctypes.c_int, _pointer, ctypes.POINTER(_pointer))


def changed(answer: int) -> State:
    """The new state, or the exception for why there is none."""
    if answer < 0:
        raise error_from(answer)
    return _of(answer)


class Pool:
    """A registry of workers and their states. Its verbs record; only `init` and `run_exec` run code, in this thread.

    `Chief.pool` is that of a chief, to look at, and before `init_workers` to write.
    """

    __slots__ = ("_handle", "_keeper", "_numbers")

    def __init__(self) -> None:
        self._keeper: Any = None
        self._numbers: list[int] = []
        self._handle: Optional[int] = None
        handle = _pointer()
        check(_new(handle))
        self._handle = handle.value

    @classmethod
    def _borrowed(cls, handle: int, keeper: Any) -> Pool:
        self = cls.__new__(cls)
        self._handle, self._keeper, self._numbers = handle, keeper, []
        return self

    def __del__(self) -> None:
        if self._handle and self._keeper is None:
            _free(self._handle)
            for number in self._numbers:
                kept.drop(number)

    def set_log(self, log: Optional[Log]) -> None:
        """Where refused verbs are logged."""
        check(_set_log(self._handle, log._handle if log is not None else None))

    def set_worker(self, name: str, worker: Any) -> None:
        """Registers a worker, as `Chief.add_worker` does."""
        number = kept.keep(Definition(worker))
        code = _set_worker(self._handle, text(name, "a worker's name"), OPS, number)
        if code != 0:
            kept.drop(number)
            raise error_from(code)
        self._numbers.append(number)

    def get_worker(self, name: str) -> Any:
        """What was given as the worker of that name; None for one in another language."""
        ops, data = WorkerOps(ctypes.sizeof(WorkerOps)), _pointer()
        check(_get_worker(self._handle, text(name, "a worker's name"), ops, data))
        ours = ctypes.cast(ops.run, _pointer).value == ctypes.cast(OPS.run, _pointer).value
        return kept.get(data.value or 0).worker if ours else None

    def get_state(self, name: str) -> State:
        """The state of a worker; of an unknown one "disabled"."""
        return _of(_get_state(self._handle, text(name, "a worker's name")))

    def set_state(self, name: str, state: State) -> State:
        """Sets a state whatever it was."""
        return changed(_set_state(self._handle, text(name, "a worker's name"), State(state).number))

    def enable(self, name: str) -> State:
        return changed(_enable(self._handle, text(name, "a worker's name")))

    def disable(self, name: str) -> State:
        return changed(_disable(self._handle, text(name, "a worker's name")))

    def init(self, name: str, parent: Optional[Context] = None) -> State:
        """Runs the worker's init in this thread."""
        above = parent._handle if parent is not None else None
        return changed(_init(self._handle, text(name, "a worker's name"), above))

    def start(self, name: str) -> State:
        return changed(_start(self._handle, text(name, "a worker's name")))

    def stop(self, name: str) -> State:
        return changed(_stop(self._handle, text(name, "a worker's name")))

    def fail(self, name: str) -> State:
        return changed(_fail(self._handle, text(name, "a worker's name")))

    def is_enabled(self, name: str) -> bool:
        return bool(_is_enabled(self._handle, text(name, "a worker's name")))

    def is_alive(self, name: str) -> bool:
        return bool(_is_alive(self._handle, text(name, "a worker's name")))

    def run_exec(self, name: str) -> None:
        """Runs one initialised worker in this thread until it ends; `WorkerFailed` with its text when it fails."""
        check(_run_exec(self._handle, text(name, "a worker's name")))

    def states(self) -> Snapshot:
        return Snapshot._taken(lambda out: _states(self._handle, out))
