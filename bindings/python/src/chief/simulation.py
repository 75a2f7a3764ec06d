"""Simulations, for tests of one's own policies: a chief that decides as one does and runs nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from ._library import names, quick, text
from ._options import Built, RawWorkerOptions, WorkerOptions, choose
from ._time import Seconds, milliseconds, seconds
from .app import GROUPS, ChiefOptions, RawOptions, changed_or_raise, raw_options
from .errors import check
from .event import Event, RawEvent, take
from .state import Reason, Snapshot

if TYPE_CHECKING:
    from typing_extensions import Unpack

_pointer = ctypes.c_void_p
_strings = ctypes.POINTER(ctypes.c_char_p)
_int = ctypes.c_int
_NAMED = (_int, _pointer, ctypes.c_char_p)

_new = quick("chief_sim_new", _int, ctypes.POINTER(_pointer), ctypes.POINTER(RawOptions))
_free = quick("chief_sim_free", None, _pointer)
_add_worker = quick("chief_sim_add_worker", *_NAMED, ctypes.POINTER(RawWorkerOptions))
_add_group = quick("chief_sim_add_group", *_NAMED, ctypes.c_int32, _strings, ctypes.c_size_t)
_enable_workers = quick("chief_sim_enable_workers", _int, _pointer, _strings, ctypes.c_size_t)
_start = quick("chief_sim_start", _int, _pointer)
_advance = quick("chief_sim_advance", _int, _pointer, ctypes.c_int64)
_now = quick("chief_sim_now", ctypes.c_int64, _pointer)
_deadline = quick("chief_sim_deadline", ctypes.c_int64, _pointer)
_fail = quick("chief_sim_fail", *_NAMED, ctypes.c_int32, ctypes.c_int32, ctypes.c_char_p)
_fail_init = quick("chief_sim_fail_init", *_NAMED, ctypes.c_uint32, ctypes.c_char_p)
_finish = quick("chief_sim_finish", *_NAMED)
_ready = quick("chief_sim_ready", *_NAMED)
_behave = quick("chief_sim_behave", *_NAMED, ctypes.c_int32)
_stop = quick("chief_sim_stop", _int, _pointer)
_force_stop = quick("chief_sim_force_stop", _int, _pointer)
_signal = quick("chief_sim_signal", _int, _pointer)
_start_worker = quick("chief_sim_start_worker", *_NAMED)
_stop_worker = quick("chief_sim_stop_worker", *_NAMED)
_restart_worker = quick("chief_sim_restart_worker", *_NAMED)
_remove_worker = quick("chief_sim_remove_worker", *_NAMED)
_states = quick("chief_sim_states", _int, _pointer, ctypes.POINTER(_pointer))
_take_events = quick(
    "chief_sim_take_events",
    _int,
    _pointer,
    ctypes.POINTER(ctypes.POINTER(RawEvent)),
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_has_stopped = quick("chief_sim_has_stopped", _int, _pointer)
_exit_code = quick("chief_sim_exit_code", _int, _pointer)

_MANNERS = {"obeys": 0, "busy": 1, "stuck": 2}
_BATCH = 64


class Simulation:
    """A chief without workers and with a clock of its own, which begins at 0 and moves when `advance` is called.

    An init is over at once and well, and who is asked to stop does so at once, unless the test says otherwise. All that
    follows from a call has happened when it returns. For one thread.
    """

    __slots__ = ("_handle",)

    def __init__(self, name: str = "chief", **options: Unpack[ChiefOptions]):
        self._handle: Optional[int] = None
        handle = _pointer()
        check(_new(handle, raw_options(name, options, "Simulation")))
        self._handle = handle.value

    def __del__(self) -> None:
        if self._handle:
            _free(self._handle)

    def add_worker(self, name: str, **options: Unpack[WorkerOptions]) -> None:
        """Adds a worker, of which only the options matter."""
        built = Built(options, "add_worker")
        try:
            check(_add_worker(self._handle, text(name, "a worker's name"), built.raw))
        except BaseException:
            built.failed()
            raise

    def add_group(self, name: str, policy: str, workers: Sequence[str]) -> None:
        array, number = names(workers, "workers"), choose(GROUPS, policy, "policy")
        check(_add_group(self._handle, text(name, "a group's name"), number, array, len(array)))

    def enable_workers(self, *workers: str) -> None:
        array = names(workers, "workers")
        check(_enable_workers(self._handle, array, len(array)))

    def start(self) -> None:
        check(_start(self._handle))

    def advance(self, duration: Seconds) -> None:
        """Lets time pass, with all that falls due in it."""
        check(_advance(self._handle, milliseconds(duration)))

    @property
    def now(self) -> float:
        """Seconds since the simulation was made."""
        return seconds(_now(self._handle))

    @property
    def deadline(self) -> Optional[float]:
        """When something falls due next by itself; None when nothing will."""
        due = _deadline(self._handle)
        return None if due < 0 else seconds(due)

    def fail(self, name: str, error: Optional[str] = None, reason: Reason = Reason.ERROR, code: int = 0) -> None:
        """The worker's run fails."""
        message = None if error is None else text(error, "error")
        check(_fail(self._handle, text(name, "a worker's name"), Reason(reason)._number, code, message))

    def fail_init(self, name: str, times: int = 1, error: Optional[str] = None) -> None:
        """The worker's next inits fail."""
        message = None if error is None else text(error, "error")
        check(_fail_init(self._handle, text(name, "a worker's name"), times, message))

    def finish(self, name: str) -> None:
        """The worker's run returns cleanly."""
        check(_finish(self._handle, text(name, "a worker's name")))

    def ready(self, name: str) -> None:
        """The worker says that it is ready."""
        check(_ready(self._handle, text(name, "a worker's name")))

    def behave(self, name: str, manners: str) -> None:
        """How it takes being asked to stop: "obeys", "busy" (ends when it is interrupted), "stuck" (does not end)."""
        check(_behave(self._handle, text(name, "a worker's name"), choose(_MANNERS, manners, "manners")))

    def stop(self) -> None:
        check(_stop(self._handle))

    def force_stop(self) -> None:
        check(_force_stop(self._handle))

    def signal(self) -> None:
        """As a SIGTERM to a chief that catches it."""
        check(_signal(self._handle))

    def start_worker(self, name: str) -> None:
        changed_or_raise(_start_worker(self._handle, text(name, "a worker's name")))

    def stop_worker(self, name: str) -> None:
        changed_or_raise(_stop_worker(self._handle, text(name, "a worker's name")))

    def restart_worker(self, name: str) -> None:
        changed_or_raise(_restart_worker(self._handle, text(name, "a worker's name")))

    def remove_worker(self, name: str) -> None:
        changed_or_raise(_remove_worker(self._handle, text(name, "a worker's name")))

    def states(self) -> Snapshot:
        return Snapshot._taken(lambda out: _states(self._handle, out))

    def events(self) -> list[Event]:
        """The events since the last time, the oldest first; their time is the simulation's."""
        events: list[Event] = []
        while True:
            out: Any = (ctypes.POINTER(RawEvent) * _BATCH)()
            n = ctypes.c_size_t()
            check(_take_events(self._handle, out, _BATCH, n))
            events += take(out, n.value)
            if n.value == 0:
                return events

    @property
    def has_stopped(self) -> bool:
        return bool(_has_stopped(self._handle))

    @property
    def exit_code(self) -> int:
        return int(_exit_code(self._handle))
