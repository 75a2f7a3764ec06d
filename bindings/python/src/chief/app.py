"""The chief: runs workers, keeps them running and stops them without losing work."""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import traceback
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional, TypedDict, Union

from . import _codec, _lua, child
from ._aio import readable
from ._library import function, kept, names, quick, release, text
from ._options import (
    Built,
    ProcessOptions,
    RawProcess,
    RawWorkerOptions,
    WorkerOptions,
    choose,
    fill_bytes,
    known,
    raw_process,
    zeroed,
)
from ._time import FOREVER, Deadline, Seconds, option, timeout_ms, waiting
from ._values import Value
from .channel import Channel, ChannelOptions, channel_options
from .context import Context, set_value
from .errors import ECLOSED, ETIMEDOUT, OK, Closed, Timeout, WouldBlock, check, error_from, tell
from .event import Event, EventKind, RawEvent, take
from .hosted import Hosted
from .log import Log, level_number
from .message import Message
from .pool import Pool, changed
from .state import Snapshot, State, words
from .worker import OPS, Definition, WorkerOps

if TYPE_CHECKING:
    from typing_extensions import Unpack

_pointer = ctypes.c_void_p
_strings = ctypes.POINTER(ctypes.c_char_p)


class RawInfo(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("pid", ctypes.c_int32),
        ("started_ms", ctypes.c_int64),
        ("name", ctypes.c_char_p),
        ("version", ctypes.c_char_p),
        ("build", ctypes.c_char_p),
        ("tag", ctypes.c_char_p),
    ]


class RawOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("require_names", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("force_stop_timeout", ctypes.c_int64),
        ("init_timeout", ctypes.c_int64),
        ("hook_timeout", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
        ("event_capacity", ctypes.c_uint32),
        ("exit_when_done", ctypes.c_int32),
        ("log", _pointer),
        ("thread_stack", ctypes.c_size_t),
        ("force_time", ctypes.c_int64),
        ("event_level", ctypes.c_int32),
        ("fiber_threads", ctypes.c_uint32),
        ("max_restarts", ctypes.c_int64),
        ("restart_window", ctypes.c_int64),
        ("info", ctypes.POINTER(RawInfo)),
    ]


Hook = ctypes.CFUNCTYPE(None, _pointer)
Locker = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer)
Maker = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer, ctypes.POINTER(_pointer))

_int = ctypes.c_int
_new = quick("chief_new", _int, ctypes.POINTER(_pointer), ctypes.POINTER(RawOptions))
_free = function("chief_free", None, _pointer)
_add_worker_with = function(
    "chief_add_worker_with",
    _int,
    _pointer,
    ctypes.c_char_p,
    ctypes.POINTER(WorkerOps),
    _pointer,
    ctypes.POINTER(RawWorkerOptions),
)
_add_process = function(
    "chief_add_process",
    _int,
    _pointer,
    ctypes.c_char_p,
    ctypes.POINTER(RawProcess),
    ctypes.POINTER(RawWorkerOptions),
)
_add_hosted = function(
    "chief_add_hosted",
    _int,
    _pointer,
    ctypes.c_char_p,
    ctypes.POINTER(RawWorkerOptions),
    ctypes.POINTER(_pointer),
)
_add_plugin = function(
    "chief_add_plugin", _int, _pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(RawWorkerOptions)
)
_add_chief = function(
    "chief_add_chief", _int, _pointer, ctypes.c_char_p, Maker, _pointer, ctypes.POINTER(RawWorkerOptions)
)
_nested_states = function("chief_nested_states", _int, _pointer, ctypes.c_char_p, ctypes.POINTER(_pointer))
_add_group = function(
    "chief_add_group", _int, _pointer, ctypes.c_char_p, ctypes.c_int32, _strings, ctypes.c_size_t
)
_add_channel = function(
    "chief_add_channel", _int, _pointer, ctypes.c_char_p, ctypes.POINTER(ChannelOptions)
)
_get_channel = function("chief_get_channel", _int, _pointer, ctypes.c_char_p, ctypes.POINTER(_pointer))
_enable_worker = function("chief_enable_worker", _int, _pointer, ctypes.c_char_p)
_enable_workers = function("chief_enable_workers", _int, _pointer, _strings, ctypes.c_size_t)
_is_enabled = function("chief_is_enabled", _int, _pointer, ctypes.c_char_p)
_set_enable_by_default = function("chief_set_enable_by_default", _int, _pointer, _int)
_set_force_stop_timeout = function("chief_set_force_stop_timeout", _int, _pointer, ctypes.c_int64)
_set_exit_when_done = function("chief_set_exit_when_done", _int, _pointer, _int)
_on_shutdown = function("chief_on_shutdown", _int, _pointer, Hook, _pointer)
_init_workers = function("chief_init_workers", _int, _pointer, _pointer)
_launch = function("chief_launch", _int, _pointer, _pointer)
_join = function("chief_join", _int, _pointer, ctypes.c_int64)
_has_stopped = quick("chief_has_stopped", _int, _pointer)
_run_all = function("chief_run_all", _int, _pointer, ctypes.c_char_p, _strings, ctypes.c_size_t)
_set_locker = function("chief_set_locker", _int, _pointer, Locker, _pointer)
_catch_signals = function("chief_catch_signals", _int, _pointer, ctypes.c_uint32)
_stop = function("chief_stop", _int, _pointer)
_stop_because = function("chief_stop_because", _int, _pointer, ctypes.c_char_p)
_force_stop = function("chief_force_stop", _int, _pointer)
_start_worker = function("chief_start_worker", _int, _pointer, ctypes.c_char_p)
_stop_worker = function("chief_stop_worker", _int, _pointer, ctypes.c_char_p)
_restart_worker = function("chief_restart_worker", _int, _pointer, ctypes.c_char_p)
_remove_worker = function("chief_remove_worker", _int, _pointer, ctypes.c_char_p)
_wait_state = function(
    "chief_wait_state", _int, _pointer, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int64
)
_wait_ready = function("chief_wait_ready", _int, _pointer, ctypes.c_int64)
_traceback = function(
    "chief_traceback",
    _int,
    _pointer,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_states = function("chief_states", _int, _pointer, ctypes.POINTER(_pointer))
_get_pool = quick("chief_get_pool", _pointer, _pointer)
_get_context = quick("chief_get_context", _pointer, _pointer)
_get_stop_context = quick("chief_get_stop_context", _pointer, _pointer)
_add_value = function("chief_add_value", _int, _pointer, ctypes.c_char_p, ctypes.POINTER(Value))
_get_name = quick("chief_get_name", ctypes.c_char_p, _pointer)
_get_info = quick("chief_get_info", _int, _pointer, ctypes.POINTER(RawInfo))
_exit_code = quick("chief_exit_code", _int, _pointer)
_send = function(
    "chief_send", _int, _pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64
)
_broadcast = function(
    "chief_broadcast", _int, _pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)
)
_call = function(
    "chief_call",
    _int,
    _pointer,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(_pointer),
)
_take_events = function(
    "chief_take_events",
    _int,
    _pointer,
    ctypes.POINTER(ctypes.POINTER(RawEvent)),
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_size_t),
)
_set_event_level = function("chief_set_event_level", _int, _pointer, ctypes.c_int32)
_events_dropped = quick("chief_events_dropped", ctypes.c_uint64, _pointer)
_late_replies = quick("chief_late_replies", ctypes.c_uint64, _pointer)
_events_fd = quick("chief_events_fd", _int, _pointer)

GROUPS = {"one_for_one": 1, "one_for_all": 2, "rest_for_one": 3}
_CATCH_STOP = 1
_MOST_EVENTS = 64


@dataclass(frozen=True)
class Info:
    """What an application says of itself."""

    name: str
    version: str
    build: str
    tag: str
    pid: int
    #: When its workers were initialised; None before.
    started: Optional[datetime]


class RestartBudget(TypedDict, total=False):
    """How many restarts all workers together may have within `window` seconds."""

    max_restarts: int
    window: Seconds


class ChiefOptions(TypedDict, total=False):
    """What may be said of a chief, as the keys of an app file say it. Durations are seconds or timedeltas."""

    #: The limit of the whole stop; 45 s unless given.
    force_stop_timeout: Seconds
    init_timeout: Seconds
    hook_timeout: Seconds
    #: What an interrupted worker has to end in, before it is abandoned.
    force_time: Seconds
    #: Workers have to be enabled by name.
    require_names: bool
    #: It ends by itself when nothing runs and nothing is scheduled.
    exit_when_done: bool
    restart_budget: RestartBudget
    event_capacity: int
    event_level: str
    seed: int
    fiber_threads: int
    thread_stack: int
    #: What the application says of itself: "version", "build", "tag".
    info: Mapping[str, str]


def raw_options(name: str, given: ChiefOptions, what: str) -> RawOptions:
    known(given, ChiefOptions, what)
    raw = RawOptions(ctypes.sizeof(RawOptions))
    raw.name = text(name, "name")
    for key in ("force_stop_timeout", "init_timeout", "hook_timeout", "force_time"):
        setattr(raw, key, option(given.get(key), key))  # type: ignore[arg-type]
    for key in ("require_names", "exit_when_done", "event_capacity", "seed", "fiber_threads", "thread_stack"):
        setattr(raw, key, int(given.get(key, 0)))  # type: ignore[call-overload]
    raw.event_level = level_number(given.get("event_level"))
    if "restart_budget" in given:
        budget = given["restart_budget"]
        known(budget, RestartBudget, "restart_budget")
        raw.max_restarts = zeroed(budget.get("max_restarts"))
        raw.restart_window = option(budget.get("window"), "restart_budget.window")
    if "info" in given:
        raw.info = ctypes.pointer(_raw_info(given["info"]))
    return raw


@Hook
def _call_hook(number: int) -> None:
    try:
        kept.get(number)()
    except Exception:
        if sys.stderr:
            traceback.print_exc()


@Locker
def _call_locker(number: int, context: int) -> int:
    try:
        kept.get(number)(Context._borrowed(context))
        return OK
    except BaseException as problem:
        return tell(problem)


@Maker
def _call_maker(_: int, number: int, out: Any) -> int:
    try:
        inner = kept.get(number)()
        if not isinstance(inner, Chief):
            raise TypeError(f"the function of add_chief should return a Chief, got {type(inner).__name__}")
        out[0] = inner._give_away()
        return OK
    except BaseException as problem:
        return tell(problem)


# The chiefs that are not closed, to be stopped before the interpreter ends: callbacks could not run after that.
_alive: weakref.WeakSet[Chief] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for each in list(_alive):
        each.close()


class Events:
    """The events of a chief: `for event in c.events()`, or `async for`, until it has stopped."""

    __slots__ = ("_chief",)

    def __init__(self, chief: Chief):
        self._chief = chief

    def fileno(self) -> int:
        """A descriptor, readable while events wait or none will come any more."""
        number: int = _events_fd(self._chief._handle())
        if number < 0:
            raise error_from(number)
        return number

    def take(self, most: int = _MOST_EVENTS, timeout: Optional[Seconds] = None) -> list[Event]:
        """Between 1 and `most` events. `Timeout` when none came in time, `Closed` when none will come."""
        return self._take(most, timeout_ms(timeout))

    def _take(self, most: int, ms: int) -> list[Event]:
        out, n = (ctypes.POINTER(RawEvent) * most)(), ctypes.c_size_t()
        handle = self._chief._handle()
        check(waiting(lambda piece: int(_take_events(handle, out, most, piece, n)), ms))
        return take(out, n.value)

    # One at a time, so that none is lost by who breaks off.

    def __iter__(self) -> Iterator[Event]:
        while True:
            try:
                (event,) = self._take(1, FOREVER)
            except Closed:
                return
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            try:
                (event,) = self._take(1, 0)
            except Closed:
                return
            except WouldBlock:
                await readable([self.fileno()], None)
            else:
                yield event


class Chief:
    """Runs a named set of workers, keeps them running and stops them without losing work.

    A context manager: at the end of the block it is stopped and closed. Durations are seconds or timedeltas.
    """

    def __init__(self, name: str = "chief", *, log: Optional[Log] = None, **options: Unpack[ChiefOptions]):
        self._pointer: Optional[int] = None
        self._log = log
        self._handlers: list[tuple[Optional[EventKind], Callable[[Event], Any]]] = []
        self._hooks: list[int] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        raw = raw_options(name, options, "Chief")
        raw.log = log._handle if log is not None else None
        handle = _pointer()
        check(_new(handle, raw))
        self._pointer = handle.value
        _alive.add(self)

    def _handle(self) -> int:
        if self._pointer is None:
            raise error_from(ECLOSED, "this chief is closed")
        return self._pointer

    def _give_away(self) -> int:
        """For a chief inside another, which becomes the library's."""
        handle = self._handle()
        self._pointer = None
        _alive.discard(self)
        return handle

    def close(self) -> None:
        """Stops what still runs, within the force_stop_timeout, and frees it. Closing twice is no error."""
        with self._lock:
            handle, self._pointer = self._pointer, None
        _alive.discard(self)
        if handle is None or os.getpid() != self._process:
            return
        _free(handle)
        for number in self._hooks:
            kept.drop(number)

    def __enter__(self) -> Chief:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None and os.getpid() == self._process:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def __repr__(self) -> str:
        return f"<chief.Chief {self.name}>" if self._pointer is not None else "<chief.Chief closed>"

    # What there is

    def add_worker(self, name: str, worker: Any, **options: Unpack[WorkerOptions]) -> None:
        """Adds a worker: a function of ctx (also `async def`), an object with `run(ctx)`, or a class of such objects.

        A class is instantiated with ctx for each life; of an object `init(ctx)`, if it has one, returns what will run.
        An exception fails the worker. `restart_on_fail` of the worker counts where `restart` says nothing. With
        isolation="process" it has to be a function or class of a module, or "module:name", which the process imports.
        """
        if options.get("isolation") == "process":
            return self._add_in_process(name, worker, options)
        definition = Definition(worker)
        built = Built(options, "add_worker")
        if definition.restart_on_fail and "restart" not in options:
            built.restart("on_failure")
        number = kept.keep(definition)
        built.raw.destroy = release
        code = _add_worker_with(self._handle(), text(name, "a worker's name"), OPS, number, built.raw)
        if code != OK:
            kept.drop(number)
            built.failed()
            raise error_from(code)

    def _add_in_process(self, name: str, worker: Any, options: WorkerOptions) -> None:
        spec, definition = child.spec_of(worker)
        how = options.get("process", ProcessOptions()).copy()
        how["env"] = {**child.environment(), **how.get("env", {})}
        own = options.copy()
        own["process"] = how
        self._add_process(name, child.argv(), spec, definition.restart_on_fail, own)

    def add_hosted(self, name: str, worker: Any, **options: Unpack[WorkerOptions]) -> Hosted:
        """Adds a worker, as `add_worker`, whose lives are led by `lead` on threads of the program's own.

        `init_workers` waits for its init too: another thread has to lead it, or it is added afterwards.
        """
        definition, built, out = Definition(worker), Built(options, "add_hosted"), _pointer()
        if definition.restart_on_fail and "restart" not in options:
            built.restart("on_failure")
        self._added(built, lambda: int(_add_hosted(self._handle(), text(name, "a worker's name"), built.raw, out)))
        return Hosted(out.value, definition)

    def add_lua_worker(
        self,
        name: str,
        module: str,
        *,
        path: Optional[str] = None,
        cpath: Optional[str] = None,
        memory_limit: int = 0,
        watchdog: Optional[Seconds] = None,
        libraries: str = "lazy",
        **options: Unpack[WorkerOptions],
    ) -> None:
        """Adds a worker that is a Lua module; `path` and `cpath` are where its state looks for modules."""
        built = Built(options, "add_lua_worker")
        limits = _lua.Limits(memory_limit, watchdog, libraries)
        self._added(built, lambda: _lua.add(self._handle(), name, module, path, cpath, limits, built.raw))

    def add_plugin(self, name: str, path: str, **options: Unpack[WorkerOptions]) -> None:
        """Adds a worker that is a C plug-in, the shared object at `path`."""
        built = Built(options, "add_plugin")
        self._added(
            built,
            lambda: int(_add_plugin(self._handle(), text(name, "a worker's name"), os.fsencode(path), built.raw)),
        )

    def add_process(
        self,
        name: str,
        argv: Sequence[str],
        spec: bytes = b"",
        restart_on_fail: bool = False,
        **options: Unpack[WorkerOptions],
    ) -> None:
        """Adds a worker whose lives are processes of the program `argv`, which takes part as libchief's children do."""
        self._add_process(name, argv, spec, restart_on_fail, options)

    def _add_process(
        self, name: str, argv: Sequence[str], spec: bytes, restart_on_fail: bool, options: WorkerOptions
    ) -> None:
        built = Built(options, "add_process")
        raw = raw_process(options.get("process", ProcessOptions()), built.keep)
        command = names(argv, "argv")
        raw.argv, raw.n_argv = command, len(command)
        raw.restart_on_fail = int(restart_on_fail)
        fill_bytes(raw.spec, spec, built.keep)
        self._added(
            built, lambda: int(_add_process(self._handle(), text(name, "a worker's name"), raw, built.raw))
        )

    def add_chief(self, name: str, make: Callable[[], Chief], **options: Unpack[WorkerOptions]) -> None:
        """Adds a worker that is a chief itself: each life runs what `make()` returns, a chief not yet started."""
        built = Built(options, "add_chief")
        number = kept.keep(make)
        built.raw.destroy = release
        code = _add_chief(self._handle(), text(name, "a worker's name"), _call_maker, number, built.raw)
        if code != OK:
            kept.drop(number)
            built.failed()
            raise error_from(code)

    @staticmethod
    def _added(built: Built, call: Callable[[], int]) -> None:
        code = call()
        if code != OK:
            built.failed()
            raise error_from(code)

    def add_group(self, name: str, policy: str, workers: Sequence[str]) -> None:
        """Makes a group of workers that are restarted together."""
        array = names(workers, "workers")
        number = choose(GROUPS, policy, "policy")
        check(_add_group(self._handle(), text(name, "a group's name"), number, array, len(array)))

    def add_channel(self, name: str, **options: Any) -> Channel:
        """Adds a channel that every worker can ask for by its name, with the options of `Channel`."""
        check(_add_channel(self._handle(), text(name, "a channel's name"), channel_options(**options)))
        return self.channel(name)

    def channel(self, name: str) -> Channel:
        """The channel of that name, which may outlive the chief."""
        out = _pointer()
        check(_get_channel(self._handle(), text(name, "a channel's name"), out))
        return Channel._owned(out.value)

    # Who runs

    def enable_worker(self, name: str) -> None:
        """Enables one worker. By default all are; after the first call of this kind only those named."""
        check(_enable_worker(self._handle(), text(name, "a worker's name")))

    def enable_workers(self, *workers: str) -> None:
        """Enables several: all of them or, when a name is unknown, none."""
        array = names(workers, "workers")
        check(_enable_workers(self._handle(), array, len(array)))

    def is_enabled(self, name: str) -> bool:
        return bool(_is_enabled(self._handle(), text(name, "a worker's name")))

    def enable_by_default(self, on: bool) -> None:
        """Whether all are enabled when none is named; on at first."""
        check(_set_enable_by_default(self._handle(), int(on)))

    def set_force_stop_timeout(self, limit: Seconds) -> None:
        """The limit of the whole stop."""
        check(_set_force_stop_timeout(self._handle(), option(limit, "force_stop_timeout")))

    def set_exit_when_done(self, on: bool) -> None:
        """Whether it ends by itself when nothing runs and nothing is scheduled."""
        check(_set_exit_when_done(self._handle(), int(on)))

    def on_shutdown(self, hook: Callable[[], Any]) -> None:
        """Has a function called after the last worker has stopped; hooks in the reverse of this order."""
        number = kept.keep(hook)
        code = _on_shutdown(self._handle(), _call_hook, number)
        if code != OK:
            kept.drop(number)
            raise error_from(code)
        self._hooks.append(number)

    def set_locker(self, wait: Callable[[Context], Any]) -> None:
        """Gives `run_all` something else to wait for than signals: `wait(context)`; its return begins the stop."""
        number = kept.keep(wait)
        code = _set_locker(self._handle(), _call_locker, number)
        if code != OK:
            kept.drop(number)
            raise error_from(code)
        self._hooks.append(number)

    # Running

    def init_workers(self, log: Optional[Log] = None) -> None:
        """Makes a home for every enabled worker and waits for their inits. A failed init is a failed worker."""
        check(_init_workers(self._handle(), log._handle if log is not None else None))

    def launch(self, parent: Optional[Context] = None) -> None:
        """Lets the workers run, and returns. When `parent` is done, the chief stops."""
        check(_launch(self._handle(), parent._handle if parent is not None else None))

    def start(self, parent: Optional[Context] = None) -> None:
        """`launch` and `join`."""
        self.launch(parent)
        self.join()

    def run_all(self, *workers: str, app: Optional[str] = None) -> None:
        """Enables the workers named (none: as by default), runs them, and stops at SIGTERM and SIGINT."""
        if self._handlers:
            return self._run_all_with_handlers(workers)
        array = names(workers, "workers")
        name = None if app is None else text(app, "app")
        check(_run_all(self._handle(), name, array if workers else None, len(array)))

    def _run_all_with_handlers(self, workers: tuple[str, ...]) -> None:
        if workers:
            self.enable_workers(*workers)
        check(_catch_signals(self._handle(), _CATCH_STOP))
        self.init_workers()
        self.start()

    def join(self, timeout: Optional[Seconds] = None) -> None:
        """Waits until it has stopped; events go to the handlers of `on` meanwhile.

        `Timeout` when the wait was too short, or when workers had to be ended by force, which the text names and
        `has_stopped` tells apart; `WorkerFailed` when a worker's last life had failed.
        """
        ms = timeout_ms(timeout)
        if self._handlers:
            ms = self._pump(ms)
        handle = self._handle()

        def piece(piece_ms: int) -> int:
            code: int = _join(handle, piece_ms)
            # A stop that was not clean looks like a wait that was too short: it ends the waiting all the same.
            return code if code != ETIMEDOUT or not _has_stopped(handle) else OK

        code = waiting(piece, ms)
        check(code if code != OK else _join(handle, FOREVER))

    async def ajoin(self, timeout: Optional[Seconds] = None) -> None:
        """`join` in asyncio, without handlers: it waits in a thread."""
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, self.join, timeout)

    @property
    def has_stopped(self) -> bool:
        return bool(_has_stopped(self._handle()))

    def stop(self, reason: Optional[str] = None) -> None:
        """Asks for a graceful stop, and returns."""
        if reason is None:
            check(_stop(self._handle()))
        else:
            check(_stop_because(self._handle(), text(reason, "a reason")))

    def force_stop(self) -> None:
        """Ends the graceful part: what still runs is forced now."""
        check(_force_stop(self._handle()))

    def start_worker(self, name: str) -> None:
        """Asks for a worker that does not run to be started."""
        changed_or_raise(_start_worker(self._handle(), text(name, "a worker's name")))

    def stop_worker(self, name: str) -> None:
        """Asks for one worker to be stopped; no policy undoes that."""
        changed_or_raise(_stop_worker(self._handle(), text(name, "a worker's name")))

    def restart_worker(self, name: str) -> None:
        """Asks for one worker to be stopped, if it runs, and started."""
        changed_or_raise(_restart_worker(self._handle(), text(name, "a worker's name")))

    def remove_worker(self, name: str) -> None:
        """Asks for one worker to be stopped and forgotten."""
        changed_or_raise(_remove_worker(self._handle(), text(name, "a worker's name")))

    def wait(self, name: str, state: Union[State, str], timeout: Optional[Seconds] = None) -> None:
        """Waits until the worker is in that state."""
        handle, worker, number = self._handle(), text(name, "a worker's name"), State(state).number
        check(waiting(lambda ms: int(_wait_state(handle, worker, number, ms)), timeout_ms(timeout)))

    def wait_ready(self, timeout: Optional[Seconds] = None) -> None:
        """Waits until every enabled worker is ready."""
        handle = self._handle()
        check(waiting(lambda ms: int(_wait_ready(handle, ms)), timeout_ms(timeout)))

    # Looking

    def traceback(self, name: str) -> str:
        """Where a worker is now, without disturbing it: a line, then its traceback."""
        worker, length, size = text(name, "a worker's name"), ctypes.c_size_t(), 4096
        while True:
            buffer = ctypes.create_string_buffer(size)
            check(_traceback(self._handle(), worker, buffer, size, length))
            if length.value < size:
                return words(buffer.value)
            size = length.value * 2

    def states(self) -> Snapshot:
        """The states of all workers at one moment."""
        return Snapshot._taken(lambda out: _states(self._handle(), out))

    def nested_states(self, name: str) -> Snapshot:
        """The states inside a worker that is a chief."""
        return Snapshot._taken(lambda out: _nested_states(self._handle(), text(name, "a worker's name"), out))

    @property
    def pool(self) -> Pool:
        """To look at, and before `init_workers` to write."""
        return Pool._borrowed(_get_pool(self._handle()), self)

    @property
    def context(self) -> Context:
        return Context._borrowed(_get_context(self._handle()))

    @property
    def stop_context(self) -> Context:
        """Done, with the reason, from the moment the chief begins to stop."""
        return Context._borrowed(_get_stop_context(self._handle()))

    def add_value(self, key: str, value: Any) -> None:
        """Sets a value in the chief's context, at any time; running workers see it."""
        set_value(lambda name, tagged: _add_value(self._handle(), name, tagged), key, value)

    @property
    def name(self) -> str:
        return words(_get_name(self._handle()))

    @property
    def info(self) -> Info:
        raw = RawInfo(ctypes.sizeof(RawInfo))
        check(_get_info(self._handle(), raw))
        started = datetime.fromtimestamp(raw.started_ms / 1000, timezone.utc) if raw.started_ms else None
        return Info(words(raw.name), words(raw.version), words(raw.build), words(raw.tag), raw.pid, started)

    @property
    def exit_code(self) -> int:
        """How a program that ran this chief should exit, once it has stopped."""
        return int(_exit_code(self._handle()))

    # Messages from outside

    def send(self, to: str, value: Any, timeout: Optional[Seconds] = None) -> None:
        """Sends to a worker's mailbox."""
        data, handle, worker = _codec.encode(value), self._handle(), text(to, "a worker's name")
        check(waiting(lambda ms: int(_send(handle, worker, data, len(data), ms)), timeout_ms(timeout)))

    def broadcast(self, value: Any) -> int:
        """Sends to every worker without waiting, and says how many took it."""
        data, reached = _codec.encode(value), ctypes.c_size_t()
        check(_broadcast(self._handle(), data, len(data), reached))
        return reached.value

    def call(self, to: str, value: Any, timeout: Optional[Seconds] = None) -> Any:
        """Asks a worker and waits for its answer. `NoReply` when there is none, `CallFailed` when it is a failure."""
        data, out = _codec.encode(value), _pointer()
        check(_call(self._handle(), text(to, "a worker's name"), data, len(data), timeout_ms(timeout), out))
        return Message(out.value).value  # type: ignore[arg-type]

    # Events

    def events(self) -> Events:
        """Its events: iterate over them, or `async for`; nobody has to read them."""
        return Events(self)

    def on(self, kind: Union[EventKind, str, None], handler: Callable[[Event], Any]) -> None:
        """Has `handler` called with each event of that kind (None: of all), in the thread that joins or runs all."""
        self._handlers.append((None if kind is None else EventKind(kind), handler))

    def _pump(self, ms: int) -> int:
        """Hands events to handlers until none will come or the time is over; what is left of it."""
        events, deadline = Events(self), Deadline(ms)
        while True:
            try:
                (event,) = events._take(1, deadline.left())
            except (Closed, Timeout, WouldBlock):
                return deadline.left()
            for kind, handler in self._handlers:
                if kind is None or kind == event.kind:
                    handler(event)

    def set_event_level(self, level: str) -> None:
        """The least level of the events that are kept."""
        check(_set_event_level(self._handle(), level_number(level)))

    @property
    def events_dropped(self) -> int:
        """How many events were lost because nobody read them."""
        return int(_events_dropped(self._handle()))

    @property
    def late_replies(self) -> int:
        """How many answers to calls came too late."""
        return int(_late_replies(self._handle()))


def changed_or_raise(answer: int) -> None:
    if answer < 0:
        raise error_from(answer)
    if answer > 0:
        changed(answer)


def _raw_info(given: Mapping[str, str]) -> RawInfo:
    raw = RawInfo(ctypes.sizeof(RawInfo))
    for key, value in given.items():
        if key not in ("version", "build", "tag"):
            raise TypeError(f"info has no key {key!r}; there are: build, tag, version")
        setattr(raw, key, text(value, f"info.{key}"))
    return raw
