"""Workers whose lives are led on a thread of the program's own: the main thread of a graphical program, say."""

from __future__ import annotations

import ctypes
from typing import Any, Optional

from ._library import function, quick
from ._time import FOREVER, Seconds, timeout_ms, waiting
from .errors import OK, Closed, check, error_from
from .state import Reason
from .worker import Definition, Life

_pointer = ctypes.c_void_p

_ref = quick("chief_hosted_ref", _pointer, _pointer)
_unref = quick("chief_hosted_unref", None, _pointer)
_begin = function("chief_hosted_begin", ctypes.c_int, _pointer, ctypes.c_int64, ctypes.POINTER(_pointer))
_enter = function("chief_hosted_enter", ctypes.c_int, _pointer, ctypes.c_int64)
_end = function("chief_hosted_end", ctypes.c_int, _pointer, ctypes.c_int)
_fd = quick("chief_hosted_fd", ctypes.c_int, _pointer)


class Hosted:
    """What `Chief.add_hosted` gives: the thread that calls `lead` or `lead_one` is where the worker lives."""

    __slots__ = ("_handle", "_definition", "__weakref__")

    def __init__(self, handle: Optional[int], definition: Definition):
        self._handle, self._definition = handle, definition

    def __del__(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            _unref(handle)

    def lead(self) -> None:
        """Leads one life after the other in this thread, until the worker is removed or its chief has stopped."""
        try:
            while True:
                self.lead_one()
        except Closed:
            return

    def lead_one(self, timeout: Optional[Seconds] = None) -> None:
        """Waits until the worker is wanted and leads one life. `Closed` when there will be no more.

        A failure is the worker's, as everywhere, and nothing is raised; but Ctrl-C in this thread is raised again.
        """
        # Of its own, so that the handle lasts as long as the call, whoever drops this object meanwhile.
        handle = _ref(self._handle)
        try:
            out = _pointer()
            check(waiting(lambda ms: int(_begin(handle, ms, out)), timeout_ms(timeout)))
        finally:
            _unref(handle)
        interrupt = self._live(out.value)
        if interrupt is not None:
            raise interrupt

    def _live(self, worker: Any) -> Optional[KeyboardInterrupt]:
        life = Life(worker, self._definition)

        def init() -> None:
            life.instance = life.definition.init(life.ctx)

        code = life.guarded(worker, Reason.INIT_ERROR, init)
        if code == OK:
            if waiting(lambda ms: int(_enter(worker, ms)), FOREVER) == OK:
                code = life.guarded(worker, Reason.ERROR, life.run)
            life.close()
        life.end()
        _end(worker, code)
        return life.interrupted_by

    def fileno(self) -> int:
        """A descriptor, readable while `lead_one` would not wait: for a thread that has a loop of its own."""
        number: int = _fd(self._handle)
        if number < 0:
            raise error_from(number)
        return number
