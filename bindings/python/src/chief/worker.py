"""Workers in Python: what they can call, and how one life of one is led."""

from __future__ import annotations

import ctypes
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

from . import _codec
from ._aio import readable
from ._library import Bytes, function, kept, quick, read_text, text
from ._time import Seconds, milliseconds, timeout_ms
from .channel import MAILBOX, Channel, Holder, received, select_from
from .context import Context
from .errors import (
    EAGAIN,
    ECANCELED,
    ECLOSED,
    OK,
    Cancelled,
    Interrupted,
    check,
    describe,
    error_from,
    number_of,
)
from .log import Log
from .message import Message
from .state import Reason, Snapshot

_HERE = os.path.dirname(__file__)
_pointer = ctypes.c_void_p

Init = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer, ctypes.POINTER(_pointer))
Run = ctypes.CFUNCTYPE(ctypes.c_int, _pointer, _pointer)
Fini = ctypes.CFUNCTYPE(None, _pointer)
RestartOnFail = ctypes.CFUNCTYPE(ctypes.c_int, _pointer)
Interrupt = ctypes.CFUNCTYPE(None, _pointer, _pointer)
Look = ctypes.CFUNCTYPE(ctypes.c_size_t, _pointer, _pointer, ctypes.c_size_t, ctypes.c_int64)


class WorkerOps(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("init", Init),
        ("run", Run),
        ("fini", Fini),
        ("restart_on_fail", RestartOnFail),
        ("interrupt", Interrupt),
        ("look", Look),
    ]


_name = quick("chief_worker_name", ctypes.c_char_p, _pointer)
_generation = quick("chief_worker_generation", ctypes.c_uint64, _pointer)
_context = quick("chief_worker_context", _pointer, _pointer)
_log = quick("chief_worker_log", _pointer, _pointer)
_args = quick("chief_worker_args", Bytes, _pointer)
_ready = function("chief_worker_ready", None, _pointer)
_set_error = function(
    "chief_worker_set_error", None, _pointer, ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p
)
_set_exit_code = function("chief_worker_set_exit_code", None, _pointer, ctypes.c_int32)
_interrupt_reason = quick(
    "chief_worker_interrupt_reason", ctypes.c_size_t, _pointer, ctypes.c_char_p, ctypes.c_size_t
)
_expire = function(
    "chief_worker_expire", None, _pointer, ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p
)
_sleep = function("chief_worker_sleep", ctypes.c_int, _pointer, ctypes.c_int64)
_channel = function("chief_worker_channel", ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.POINTER(_pointer))
_send = function(
    "chief_worker_send", ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64
)
_send_many = function(
    "chief_worker_send_many",
    ctypes.c_int,
    _pointer,
    ctypes.c_char_p,
    ctypes.POINTER(Bytes),
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_size_t),
)
_broadcast = function(
    "chief_worker_broadcast",
    ctypes.c_int,
    _pointer,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_call = function(
    "chief_worker_call",
    ctypes.c_int,
    _pointer,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.POINTER(_pointer),
)
_RECV = (ctypes.c_int, _pointer, ctypes.c_int64, ctypes.POINTER(_pointer))
_recv, _recv_now = function("chief_worker_recv", *_RECV), quick("chief_worker_recv", *_RECV)
_states = function("chief_worker_states", ctypes.c_int, _pointer, ctypes.POINTER(_pointer))


class WorkerContext(Holder):
    """What a worker is given: who it is, when it has to stop, and the others. Only for the worker's own thread.

    Iterating over it receives from the worker's mailbox until it is asked to stop.
    """

    __slots__ = ("_handle", "_thread", "_own_context", "__weakref__")

    def __init__(self, handle: int):
        self._handle: Optional[int] = handle
        self._thread = threading.get_ident()
        self._own_context: Optional[Context] = None

    def handle(self) -> int:
        if self._handle is None:
            raise error_from(ECLOSED, "this life of the worker has ended")
        if threading.get_ident() != self._thread:
            raise RuntimeError("the context of a worker is for its own thread; give others what they need of it")
        return self._handle

    def descriptors(self) -> list[int]:
        return [self.context.fileno()]

    def __repr__(self) -> str:
        return "<chief.WorkerContext>"

    @property
    def name(self) -> str:
        found: bytes = _name(self.handle())
        return found.decode()

    @property
    def generation(self) -> int:
        """Which life this is: 1 at the first start."""
        return int(_generation(self.handle()))

    @property
    def args(self) -> Any:
        """What was given as `args` when it was added; None when nothing was."""
        data = self.args_bytes
        return _codec.decode(data) if data else None

    @property
    def args_bytes(self) -> bytes:
        found = _args(self.handle())
        return ctypes.string_at(found.data, found.len) if found.len else b""

    @property
    def log(self) -> Log:
        """Its logger, with the field `worker`."""
        return Log._borrowed(_log(self.handle()))

    @property
    def context(self) -> Context:
        """The worker's context, done when it is asked to stop. Other threads may have it."""
        if self._own_context is None:
            self._own_context = Context._borrowed(_context(self.handle()))
        return self._own_context

    @property
    def done(self) -> bool:
        """Whether it is asked to stop."""
        return self.context.done

    @property
    def reason(self) -> str:
        """Why it is asked to stop; "" while it is not."""
        return self.context.reason

    def fileno(self) -> int:
        """A descriptor, readable from the moment it is asked to stop."""
        return self.context.fileno()

    def __getitem__(self, key: str) -> Any:
        return self.context[key]

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the chief's context."""
        return self.context.get(key, default)

    def ready(self) -> None:
        """Says that it is ready, where it was added with ready="explicit"."""
        _ready(self.handle())

    def sleep(self, duration: Seconds) -> None:
        """Sleeps; raises `Cancelled` as soon as it is asked to stop."""
        check(_sleep(self.handle(), milliseconds(duration)))

    async def asleep(self, duration: Seconds) -> None:
        """`sleep` in asyncio."""
        if await readable(self.descriptors(), duration):
            raise error_from(ECANCELED, self.reason)

    async def await_stop(self) -> None:
        """Returns, in asyncio, when it is asked to stop."""
        await readable(self.descriptors(), None)

    def channel(self, name: str) -> Channel:
        """A channel of the chief's, for this worker to send to and receive from."""
        out = _pointer()
        check(_channel(self.handle(), text(name, "a channel's name"), out))
        return Channel._borrowed(out.value, self)

    def send(self, to: str, value: Any, timeout: Optional[Seconds] = None) -> None:
        """Sends to the mailbox of the worker `to`; "*" is every other one."""
        data = _codec.encode(value)
        check(_send(self.handle(), text(to, "a worker's name"), data, len(data), timeout_ms(timeout)))

    def send_many(self, to: str, values: Iterable[Any], timeout: Optional[Seconds] = None) -> int:
        """Sends several in order and says how many; less than all only when the time was over."""
        items = _codec.items_of([_codec.encode(each) for each in values])
        sent = ctypes.c_size_t()
        code = _send_many(self.handle(), text(to, "a worker's name"), items, len(items), timeout_ms(timeout), sent)
        if code != OK and sent.value == 0:
            raise error_from(code)
        return sent.value

    def broadcast(self, value: Any) -> int:
        """Sends to every other worker without waiting, and says how many took it."""
        data, reached = _codec.encode(value), ctypes.c_size_t()
        check(_broadcast(self.handle(), data, len(data), reached))
        return reached.value

    def call(self, to: str, value: Any, timeout: Optional[Seconds] = None) -> Any:
        """Asks another worker and waits for its answer. `NoReply` when none comes, `CallFailed` for a failure."""
        data, out = _codec.encode(value), _pointer()
        check(_call(self.handle(), text(to, "a worker's name"), data, len(data), timeout_ms(timeout), out))
        return Message(out.value).value  # type: ignore[arg-type]

    def recv(self, timeout: Optional[Seconds] = None) -> Message:
        """The next message of its mailbox."""
        handle = self.handle()
        return received(
            lambda ms, out: int(_recv(handle, ms, out)), timeout, lambda ms, out: int(_recv_now(handle, ms, out))
        )

    def try_recv(self) -> Optional[Message]:
        """The next message of its mailbox, None when there is none now."""
        out = _pointer()
        code = _recv_now(self.handle(), 0, out)
        if code == EAGAIN:
            return None
        check(code)
        return Message(out.value)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Message]:
        while True:
            out = _pointer()
            code = _recv(self.handle(), -1, out)
            if code in (ECANCELED, ECLOSED):
                return
            check(code)
            yield Message(out.value)  # type: ignore[arg-type]

    def select(self, *sources: Any, timeout: Optional[Seconds] = None) -> tuple[Any, Message]:
        """A message of the first source that has one, and that source: channels, and `MAILBOX` for its own mailbox."""
        return select_from(self, sources or (MAILBOX,), timeout)

    def states(self) -> Snapshot:
        """The states of all workers."""
        return Snapshot._taken(lambda out: _states(self.handle(), out))

    @property
    def interrupt_reason(self) -> str:
        """Why it is ended by force; "" while it is not."""
        handle = self.handle()
        return read_text(lambda buffer, size: _interrupt_reason(handle, buffer, size))

    def expire(self, why: str, reason: Reason = Reason.ERROR, place: Optional[str] = None) -> None:
        """Has this worker ended by force, as at the end of a grace.

        Unless a stop was asked it has failed with this text.
        """
        _expire(self.handle(), reason._number, text(why, "why"), None if place is None else text(place, "place"))


_set_async_exc = ctypes.pythonapi["PyThreadState_SetAsyncExc"]
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_clear_async_exc = ctypes.pythonapi["PyThreadState_SetAsyncExc"]
_clear_async_exc.argtypes = (ctypes.c_ulong, ctypes.c_void_p)


class Definition:
    """What the user gave as a worker: how to make what runs, and to run it."""

    def __init__(self, worker: Any):
        self.worker = worker
        self.restart_on_fail = self._asks_for_restart(worker)
        if inspect.isclass(worker):
            self._demand(worker, "run")
            self.init: Callable[[WorkerContext], Any] = worker
            self.run: Callable[[Any, WorkerContext], Any] = lambda instance, ctx: instance.run(ctx)
        elif callable(getattr(worker, "run", None)):
            self.init = self._init_of_object
            self.run = lambda instance, ctx: instance.run(ctx)
        elif callable(worker):
            self.init = lambda ctx: None
            self.run = lambda instance, ctx: worker(ctx)
        else:
            raise TypeError(
                f"a worker should be a function of ctx, a class or an object with run(ctx), got {type(worker).__name__}"
            )

    @staticmethod
    def _demand(worker: Any, method: str) -> None:
        if not callable(getattr(worker, method, None)):
            raise TypeError(f"{worker.__name__} has no {method}(self, ctx)")

    @staticmethod
    def _asks_for_restart(worker: Any) -> bool:
        asked = getattr(worker, "restart_on_fail", False)
        return bool(asked() if callable(asked) else asked)

    def _init_of_object(self, ctx: WorkerContext) -> Any:
        init = getattr(self.worker, "init", None)
        instance = init(ctx) if init is not None else None
        return self.worker if instance is None else instance


class Life:
    """One life of a worker in its thread."""

    def __init__(self, handle: int, definition: Definition):
        self.ctx = WorkerContext(handle)
        self.definition = definition
        self.thread = threading.get_ident()
        self.instance: Any = None
        #: Ctrl-C, which is not the worker's alone. Other exceptions are let go of, with all that they hold.
        self.interrupted_by: Optional[KeyboardInterrupt] = None
        # Under the lock: whether code of the user's runs, so that it may be interrupted, and what else ends it.
        self._lock = threading.Lock()
        self._interruptible = False
        self._cancel: Optional[Callable[[], Any]] = None

    def guarded(self, handle: int, reason: Reason, work: Callable[[], Any]) -> int:
        """Runs code of the user's; the library's code of how it ended."""
        try:
            with self._lock:
                self._interruptible = True
            try:
                work()
            finally:
                self._leave()
        except BaseException as problem:
            self._leave()
            if isinstance(problem, KeyboardInterrupt):
                self.interrupted_by = problem
            return self._failed(handle, reason, problem)
        return OK

    def _leave(self) -> None:
        with self._lock:
            self._interruptible = False
            self._cancel = None
        # An interrupt that is under way would hit what follows, which is ours.
        _clear_async_exc(self.thread, None)

    def _failed(self, handle: int, reason: Reason, problem: BaseException) -> int:
        if isinstance(problem, SystemExit):
            return self._left(handle, problem)
        if isinstance(problem, Cancelled) and self.ctx.done:
            return ECANCELED
        lines = traceback.format_exception(type(problem), problem, _users_part(problem))
        told = "".join(lines).rstrip("\n")
        _set_error(handle, reason._number, _told(describe(problem)), _told(told))
        return number_of(problem)

    @staticmethod
    def _left(handle: int, problem: SystemExit) -> int:
        code = problem.code
        if code is None or code == 0:
            return OK
        if not isinstance(code, int):
            _set_error(handle, Reason.ERROR._number, _told(str(code)), None)
            code = 1
        _set_exit_code(handle, code)
        return number_of(problem)

    def run(self) -> None:
        result = self.definition.run(self.instance, self.ctx)
        if inspect.isawaitable(result):
            import asyncio  # here, since it takes longer to load than all the rest

            asyncio.run(self._run_async(result))

    async def _run_async(self, result: Any) -> None:
        import asyncio

        task = asyncio.ensure_future(result)
        loop = asyncio.get_running_loop()
        with self._lock:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            raise Interrupted(self.ctx.interrupt_reason or "cancelled") from None

    def interrupt(self) -> None:
        """Called on another thread: makes the user's code end."""
        with self._lock:
            if self._cancel is not None:
                self._cancel()
            elif self._interruptible:
                _set_async_exc(self.thread, Interrupted)

    def look(self) -> str:
        frame = sys._current_frames().get(self.thread)
        if frame is None:
            return "not in Python"
        stack = [each for each in traceback.extract_stack(frame) if os.path.dirname(each.filename) != _HERE]
        if not stack:
            return "in Python"
        return f"in Python, at {stack[-1].filename}:{stack[-1].lineno}\n" + "".join(traceback.format_list(stack))

    def close(self) -> None:
        """What comes after the run: `close` of an instance that was made for this life."""
        close = getattr(self.instance, "close", None) if self.instance is not self.definition.worker else None
        if not callable(close):
            return
        try:
            close()
        except BaseException as problem:
            self.ctx.log.error("close() of a worker failed", error=describe(problem))

    def end(self) -> None:
        """Lets go of everything: who keeps ctx keeps nothing of the library's by it."""
        self.ctx._handle = None
        self.ctx._own_context = None
        self.instance = None


def _told(message: str) -> bytes:
    return message.replace("\0", "\\0").encode("utf-8", "replace")


def _users_part(problem: BaseException) -> Any:
    """The traceback from where the user's code begins."""
    part = problem.__traceback__
    while part is not None and part.tb_next is not None and part.tb_frame.f_code.co_filename == __file__:
        part = part.tb_next
    return part


# The lives by their worker handles, for what comes from other threads.
_lives: dict[int, Life] = {}


@Init
def _init(handle: int, number: int, out: Any) -> int:
    life = Life(handle, kept.get(number))
    _lives[handle] = life

    def work() -> None:
        life.instance = life.definition.init(life.ctx)

    code = life.guarded(handle, Reason.INIT_ERROR, work)
    if code != OK:
        _lives.pop(handle, None)
        life.end()
        return code
    out[0] = kept.keep(life)
    return OK


@Run
def _run(handle: int, number: int) -> int:
    life: Life = kept.get(number)
    return life.guarded(handle, Reason.ERROR, life.run)


@Fini
def _fini(number: int) -> None:
    life: Life = kept.drop(number)
    handle = life.ctx._handle
    life.close()
    if handle is not None:
        _lives.pop(handle, None)
    life.end()


@Interrupt
def _interrupt(handle: int, number: Optional[int]) -> None:
    life = _lives.get(handle)
    if life is not None:
        life.interrupt()


@Look
def _look(handle: int, buffer: int, size: int, timeout_ms: int) -> int:
    life = _lives.get(handle)
    data = _told(life.look() if life is not None else "not in Python")
    if size > 0:
        cut = data[: size - 1] + b"\0"
        ctypes.memmove(buffer, cut, len(cut))
    return len(data)


#: The callbacks of all workers in Python; which worker it is says the number that is their data. Whether it asks for
#: restarts is said by the options, so that nobody waits for the GIL to hear it.
OPS = WorkerOps(ctypes.sizeof(WorkerOps), _init, _run, _fini)
OPS.interrupt, OPS.look = _interrupt, _look
