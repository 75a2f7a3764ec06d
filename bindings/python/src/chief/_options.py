"""The options of workers: keywords that mirror the keys of an app file, and the library's structures made of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, TypedDict, Union

from . import _codec
from ._library import Bytes, Destructor, kept, names, release, text
from ._time import ZERO, Seconds, milliseconds, option, seconds
from .errors import tell
from .state import Reason, words

if TYPE_CHECKING:
    from datetime import timedelta

_strings = ctypes.POINTER(ctypes.c_char_p)


class RawRestart(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_int32),
        ("delay", ctypes.c_int64),
        ("factor", ctypes.c_double),
        ("max_delay", ctypes.c_int64),
        ("jitter", ctypes.c_double),
        ("max_restarts", ctypes.c_int64),
        ("window", ctypes.c_int64),
        ("isolate_after", ctypes.c_int64),
    ]


class RawAnswer(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("kind", ctypes.c_int32), ("delay_ms", ctypes.c_int64)]


class RawEnd(ctypes.Structure):
    _fields_ = [
        ("generation", ctypes.c_uint64),
        ("reason", ctypes.c_int32),
        ("code", ctypes.c_int32),
        ("time_ms", ctypes.c_int64),
        ("up_ms", ctypes.c_int64),
    ]


class RawExit(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("n_history", ctypes.c_uint32),
        ("worker", ctypes.c_char_p),
        ("error", ctypes.c_char_p),
        ("failures", ctypes.c_uint64),
        ("restarts", ctypes.c_uint64),
        ("history", ctypes.POINTER(RawEnd)),
    ]


RawOnExit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(RawExit), ctypes.POINTER(RawAnswer))


class RawPolicy(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_int32),
        ("on_exit", RawOnExit),
        ("data", ctypes.c_void_p),
        ("destroy", Destructor),
        ("timeout", ctypes.c_int64),
    ]


class RawSchedule(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("later", ctypes.c_int32),
        ("every", ctypes.c_int64),
        ("cron", ctypes.c_char_p),
        ("tz", ctypes.c_char_p),
    ]


class RawProcess(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("restart_on_fail", ctypes.c_int32),
        ("argv", _strings),
        ("n_argv", ctypes.c_size_t),
        ("spec", Bytes),
        ("env", _strings),
        ("n_env", ctypes.c_size_t),
        ("cwd", ctypes.c_char_p),
        ("user", ctypes.c_char_p),
        ("group", ctypes.c_char_p),
        ("umask", ctypes.c_int64),
        ("memory", ctypes.c_int64),
        ("cpu", ctypes.c_int64),
        ("files", ctypes.c_int64),
        ("file_size", ctypes.c_int64),
        ("processes", ctypes.c_int64),
        ("core", ctypes.c_int64),
    ]


class RawWorkerOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("restart", ctypes.POINTER(RawRestart)),
        ("after", _strings),
        ("n_after", ctypes.c_size_t),
        ("sends", _strings),
        ("n_sends", ctypes.c_size_t),
        ("receives", _strings),
        ("n_receives", ctypes.c_size_t),
        ("args", Bytes),
        ("grace", ctypes.c_int64),
        ("start_timeout", ctypes.c_int64),
        ("destroy", Destructor),
        ("mailbox_capacity", ctypes.c_uint32),
        ("isolation", ctypes.c_int32),
        ("count", ctypes.c_uint32),
        ("no_restart_codes", ctypes.POINTER(ctypes.c_int32)),
        ("n_no_restart_codes", ctypes.c_size_t),
        ("fiber", ctypes.c_void_p),
        ("schedule", ctypes.POINTER(RawSchedule)),
        ("policy", ctypes.POINTER(RawPolicy)),
        ("process", ctypes.POINTER(RawProcess)),
    ]


class RestartOptions(TypedDict, total=False):
    """How a worker is restarted; durations in seconds."""

    policy: str
    delay: Seconds
    factor: float
    max_delay: Seconds
    jitter: float
    max_restarts: int
    window: Seconds
    isolate_after: int


class ProcessOptions(TypedDict, total=False):
    """How the process of a worker is started; sizes in bytes, `cpu` in seconds."""

    cwd: str
    user: str
    group: str
    umask: int
    env: Mapping[str, str]
    memory: int
    cpu: int
    files: int
    file_size: int
    processes: int
    core: int


@dataclass(frozen=True)
class End:
    """How one life of a worker ended."""

    generation: int
    reason: Reason
    #: The exit code of a process or of `sys.exit`; 0: none.
    code: int
    #: Seconds on the monotonic clock.
    time: float
    #: For how many seconds it had been ready.
    up: float


@dataclass(frozen=True)
class Exit:
    """What an `on_exit` policy is asked about."""

    worker: str
    error: str
    #: In a row, this one included; 0: it ended cleanly.
    failures: int
    restarts: int
    #: Its last ends, the oldest first.
    history: list[End]


Answer = Union[None, str, int, float, "timedelta"]
Policy = Callable[[Exit], Answer]


class WorkerOptions(TypedDict, total=False):
    """What may be said of any worker, as the keys of an app file say it. Durations are seconds or timedeltas."""

    restart: Union[str, RestartOptions]
    #: Called with an `Exit` when it has ended by itself, answers what follows: "restart", "give_up", "isolate", seconds
    #: until the restart, or None, as `restart` says.
    on_exit: Policy
    after: Sequence[str]
    sends: Sequence[str]
    receives: Sequence[str]
    #: What `ctx.args` gives; anything that can be sent.
    args: Any
    grace: Seconds
    start_timeout: Seconds
    #: "explicit": ready when it calls `ctx.ready()`.
    ready: str
    critical: bool
    count: int
    mailbox_capacity: int
    #: "thread", "process", for workers in Lua also "fiber".
    isolation: str
    process: ProcessOptions
    no_restart_codes: Sequence[int]
    every: Seconds
    #: "now" or "later", with `every`.
    first: str
    cron: str
    tz: str


_POLICIES = {"never": 1, "on_failure": 2, "always": 3}
_ISOLATIONS = {"thread": 1, "fiber": 2, "process": 3}
_SAYS_READY, _CRITICAL = 1, 2
_ANSWERS = {"restart": 1, "give_up": 3, "isolate": 4}
_DELAY = 2


def choose(choices: Mapping[str, int], given: object, what: str) -> int:
    if isinstance(given, str) and given in choices:
        return choices[given]
    listed = " or ".join(f'"{choice}"' for choice in choices)
    raise ValueError(f"{what} should be {listed}, got {given!r}")


def known(given: Mapping[str, Any], kind: Any, what: str) -> None:
    """Refuses keys that the TypedDict `kind` does not have, as Python refuses unknown keywords."""
    for key in given:
        if key not in kind.__annotations__:
            raise TypeError(f"{what} has no option {key!r}; there are: {', '.join(sorted(kind.__annotations__))}")


def zeroed(number: Optional[int]) -> int:
    """A count as a member of a structure of options: 0 there means the default."""
    return 0 if number is None else number or ZERO


def raw_restart(given: Union[str, RestartOptions]) -> RawRestart:
    raw = RawRestart(ctypes.sizeof(RawRestart))
    if isinstance(given, str):
        raw.policy = choose(_POLICIES, given, "restart")
        return raw
    known(given, RestartOptions, "restart")
    raw.policy = choose(_POLICIES, given.get("policy", "on_failure"), "restart.policy")
    raw.delay = option(given.get("delay"), "restart.delay")
    raw.factor = given.get("factor", 0)
    raw.max_delay = option(given.get("max_delay"), "restart.max_delay")
    jitter = given.get("jitter")
    raw.jitter = 0 if jitter is None else jitter or -1
    raw.max_restarts = zeroed(given.get("max_restarts"))
    raw.window = option(given.get("window"), "restart.window")
    raw.isolate_after = given.get("isolate_after", 0)
    return raw


def _exit(raw: RawExit) -> Exit:
    ends = [raw.history[i] for i in range(raw.n_history)]
    history = [
        End(each.generation, Reason._of(each.reason), each.code, seconds(each.time_ms), seconds(each.up_ms))
        for each in ends
    ]
    return Exit(words(raw.worker), words(raw.error), raw.failures, raw.restarts, history)


@RawOnExit
def _call_policy(number: Optional[int], raw: Any, out: Any) -> int:
    try:
        answer = kept.get(number or 0)(_exit(raw.contents))
        if answer is None:
            return 0
        if isinstance(answer, str):
            out.contents.kind = choose(_ANSWERS, answer, "the answer of on_exit")
        else:
            out.contents.delay_ms = milliseconds(answer, "the answer of on_exit")
            out.contents.kind = _DELAY
        return 0
    except BaseException as problem:
        return tell(problem)


def raw_process(given: ProcessOptions, keep: list[Any]) -> RawProcess:
    known(given, ProcessOptions, "process")
    raw = RawProcess(ctypes.sizeof(RawProcess))
    env = names([f"{key}={value}" for key, value in given.get("env", {}).items()], "process.env")
    raw.env, raw.n_env = env, len(env)
    keep.append(env)
    for key in ("cwd", "user", "group"):
        if key in given:
            setattr(raw, key, text(str(given[key]), f"process.{key}"))  # type: ignore[literal-required]
    for key in ("umask", "memory", "cpu", "files", "file_size", "processes", "core"):
        setattr(raw, key, zeroed(given.get(key)))  # type: ignore[arg-type]
    return raw


def fill_bytes(member: Bytes, data: bytes, keep: list[Any]) -> None:
    keep.append(data)
    member.data, member.len = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data)


class Built:
    """The library's structure made of keywords, and all that it points to. `policy` is the number of a kept policy."""

    def __init__(self, given: WorkerOptions, what: str):
        known(given, WorkerOptions, what)
        self.raw = RawWorkerOptions(ctypes.sizeof(RawWorkerOptions))
        self.keep: list[Any] = []
        self.policy = 0
        self._plain(given)
        self._lists(given)
        self._schedule(given)
        if "restart" in given:
            self.restart(given["restart"])
        if "process" in given:
            self.raw.process = self._pointer(raw_process(given["process"], self.keep))
        if "args" in given:
            fill_bytes(self.raw.args, _codec.encode(given["args"]), self.keep)
        if "on_exit" in given:
            self._policy(given["on_exit"])

    def restart(self, given: Union[str, RestartOptions]) -> None:
        self.raw.restart = self._pointer(raw_restart(given))

    def _pointer(self, structure: ctypes.Structure) -> Any:
        self.keep.append(structure)
        return ctypes.pointer(structure)

    def _plain(self, given: WorkerOptions) -> None:
        raw = self.raw
        if "ready" in given:
            raw.flags |= choose({"explicit": _SAYS_READY}, given["ready"], "ready")
        if given.get("critical"):
            raw.flags |= _CRITICAL
        if "isolation" in given:
            raw.isolation = choose(_ISOLATIONS, given["isolation"], "isolation")
        raw.grace = option(given.get("grace"), "grace")
        raw.start_timeout = option(given.get("start_timeout"), "start_timeout")
        for key, most in (("count", 65535), ("mailbox_capacity", 2**32 - 1)):
            value = given.get(key, 1)
            if not isinstance(value, int) or not 1 <= value <= most:
                raise ValueError(f"{key} should be a number from 1 to {most}, got {value!r}")
            setattr(raw, key, value if key in given else 0)

    def _lists(self, given: WorkerOptions) -> None:
        for key in ("after", "sends", "receives"):
            if key in given:
                array = names(given[key], key)  # type: ignore[literal-required]
                self.keep.append(array)
                setattr(self.raw, key, array)
                setattr(self.raw, "n_" + key, len(array))
        codes = list(given.get("no_restart_codes", ()))
        if codes:
            numbers = (ctypes.c_int32 * len(codes))(*codes)
            self.keep.append(numbers)
            self.raw.no_restart_codes, self.raw.n_no_restart_codes = numbers, len(codes)

    def _schedule(self, given: WorkerOptions) -> None:
        if "every" not in given and "cron" not in given:
            for key in ("first", "tz"):
                if key in given:
                    raise ValueError(f"{key} is for workers that run by a schedule: say `every` or `cron`")
            return
        raw = RawSchedule(ctypes.sizeof(RawSchedule))
        if "every" in given:
            raw.every = milliseconds(given["every"], "every")
        if "first" in given:
            raw.later = choose({"now": 0, "later": 1}, given["first"], "first")
        for key in ("cron", "tz"):
            if key in given:
                setattr(raw, key, text(given[key], key))  # type: ignore[literal-required]
        self.raw.schedule = self._pointer(raw)

    def _policy(self, policy: Policy) -> None:
        if not callable(policy):
            raise TypeError(f"on_exit should be a function, got {type(policy).__name__}")
        self.policy = kept.keep(policy)
        raw = RawPolicy(ctypes.sizeof(RawPolicy), 0, _call_policy, self.policy, release, 0)
        self.raw.policy = self._pointer(raw)

    def failed(self) -> None:
        """What was to become the library's stays here."""
        kept.drop(self.policy)
