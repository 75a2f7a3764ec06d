"""The states of workers, and snapshots of them."""

from __future__ import annotations

import ctypes
import enum
import json
from dataclasses import dataclass
from collections.abc import Iterator
from typing import Any, Optional, Union

from . import _values
from ._library import quick, read_text, text
from ._time import seconds
from ._values import Value
from .errors import check

_state_t = ctypes.c_int32


class State(str, enum.Enum):
    """The state of a worker; it is its name, and `number` is what databases of other programs hold."""

    WRONG_STATE_CHANGE = "wrong_state_change"
    NULL = "null"
    DISABLED = "disabled"
    PRESENT = "present"
    ENABLED = "enabled"
    INITIALIZED = "initialized"
    RUN = "run"
    STOPPED = "stopped"
    FAILED = "failed"

    def __str__(self) -> str:
        return self.value

    @property
    def number(self) -> int:
        position = list(State).index(self)
        return position if position > 0 else -1

    @classmethod
    def scan(cls, stored: Union[str, bytes, int]) -> State:
        """From what a database has: the name, its JSON form, or the number. `InvalidState` for anything else."""
        value, out = Value(), _state_t()
        value.keep = _values.fill(value, stored)
        check(_scan(value, out))
        return _of(out.value)

    @classmethod
    def from_json(cls, document: str) -> State:
        """From the quoted name."""
        data, out = document.encode(), _state_t()
        check(_from_json(data, len(data), out))
        return _of(out.value)

    def to_json(self) -> str:
        """The quoted name."""
        length = ctypes.c_size_t()
        buffer = ctypes.create_string_buffer(64)
        check(_to_json(self.number, buffer, len(buffer), length))
        return buffer.value.decode()

    def transition(self, to: State) -> State:
        """The state after that change, WRONG_STATE_CHANGE for one that is not possible."""
        return _of(_transition(self.number, to.number))


_to_string = quick("chief_state_to_string", ctypes.c_size_t, _state_t, ctypes.c_char_p, ctypes.c_size_t)
_validate = quick("chief_state_validate", ctypes.c_int, _state_t)
_to_json = quick(
    "chief_state_to_json",
    ctypes.c_int,
    _state_t,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
)
_from_json = quick(
    "chief_state_from_json", ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(_state_t)
)
_value = quick("chief_state_value", ctypes.c_char_p, _state_t)
_scan = quick("chief_state_scan", ctypes.c_int, ctypes.POINTER(Value), ctypes.POINTER(_state_t))
_transition = quick("chief_state_transition", _state_t, _state_t, _state_t)
_reason_name = quick("chief_reason_name", ctypes.c_char_p, ctypes.c_int32)
_phase_name = quick("chief_phase_name", ctypes.c_char_p, ctypes.c_int32)


def _of(number: int) -> State:
    """The state of a number that the library gave."""
    check(_validate(number))
    name: bytes = _value(number)
    return State(name.decode())


def state_name(number: int) -> str:
    """The name of any number, `WorkerState(N)` for one that is no state."""
    return read_text(lambda buffer, size: _to_string(number, buffer, size))


class _Word(str, enum.Enum):
    """A word of the library's, of which a later one may have more."""

    def __str__(self) -> str:
        return str(self.value)


class Reason(_Word):
    """Why a life of a worker has ended."""

    NONE = ""
    OK = "ok"
    ERROR = "error"
    LUA_ERROR = "lua_error"
    INIT_ERROR = "init_error"
    START_TIMEOUT = "start_timeout"
    WATCHDOG = "watchdog"
    MEMORY_LIMIT = "memory_limit"
    KILLED = "killed"
    CANCELLED = "cancelled"

    @property
    def _number(self) -> int:
        return list(Reason).index(self)

    @classmethod
    def _of(cls, number: int) -> Reason:
        name: bytes = _reason_name(number)
        try:
            return cls(name.decode())
        except ValueError:
            return cls.ERROR


class Phase(_Word):
    """What a worker does now, beside its state."""

    IDLE = "idle"
    WAITING = "waiting"
    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    ABANDONED = "abandoned"
    GIVEN_UP = "given_up"

    @classmethod
    def _of(cls, number: int) -> Phase:
        name: bytes = _phase_name(number)
        try:
            return cls(name.decode())
        except ValueError:
            return cls.IDLE


class RawStatus(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("state", ctypes.c_int32),
        ("phase", ctypes.c_int32),
        ("reason", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("generation", ctypes.c_uint64),
        ("restarts", ctypes.c_uint64),
        ("until_ms", ctypes.c_int64),
        ("waiting_for", ctypes.c_char_p),
        ("error", ctypes.c_char_p),
        ("traceback", ctypes.c_char_p),
        ("why", ctypes.c_char_p),
        ("slow", ctypes.c_int32),
    ]


@dataclass(frozen=True)
class Status:
    """One worker in a snapshot."""

    name: str
    state: State
    phase: Phase
    #: Of the last life that ended.
    reason: Reason
    #: Which life it is in; 0: never started.
    generation: int
    #: How often its policy has restarted it.
    restarts: int
    #: Seconds that the waiting or stopping may still take; None: no limit.
    until: Optional[float]
    waiting_for: str
    #: Text of the last failure, also after the restart.
    error: str
    traceback: str
    #: Given up: why it is not restarted.
    why: str
    slow: bool


_snapshot_len = quick("chief_snapshot_len", ctypes.c_size_t, ctypes.c_void_p)
_snapshot_at = quick("chief_snapshot_at", ctypes.POINTER(RawStatus), ctypes.c_void_p, ctypes.c_size_t)
_snapshot_find = quick("chief_snapshot_find", ctypes.POINTER(RawStatus), ctypes.c_void_p, ctypes.c_char_p)
_snapshot_seq = quick("chief_snapshot_seq", ctypes.c_uint64, ctypes.c_void_p)
_snapshot_json = quick(
    "chief_snapshot_json", ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
)
_snapshot_free = quick("chief_snapshot_free", None, ctypes.c_void_p)


def words(data: Optional[bytes]) -> str:
    return (data or b"").decode("utf-8", "replace")


def _status(raw: RawStatus) -> Status:
    return Status(
        name=words(raw.name),
        state=_of(raw.state),
        phase=Phase._of(raw.phase),
        reason=Reason._of(raw.reason),
        generation=raw.generation,
        restarts=raw.restarts,
        until=None if raw.until_ms < 0 else seconds(raw.until_ms),
        waiting_for=words(raw.waiting_for),
        error=words(raw.error),
        traceback=words(raw.traceback),
        why=words(raw.why),
        slow=bool(raw.slow),
    )


class Snapshot:
    """The workers at one moment, in the order they were added: `snapshot["api"].state`, or iterate over it."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Optional[int]):
        self._handle = handle

    @classmethod
    def _taken(cls, call: Any) -> Snapshot:
        out = ctypes.c_void_p()
        check(call(out))
        return cls(out.value)

    def __del__(self) -> None:
        _snapshot_free(self._handle)

    @property
    def seq(self) -> int:
        """The number of the last event whose effect it shows."""
        return int(_snapshot_seq(self._handle))

    def __len__(self) -> int:
        return int(_snapshot_len(self._handle))

    def __iter__(self) -> Iterator[Status]:
        for i in range(len(self)):
            yield _status(_snapshot_at(self._handle, i).contents)

    def __getitem__(self, name: str) -> Status:
        found = _snapshot_find(self._handle, text(name, "a worker's name"))
        if not found:
            raise KeyError(name)
        return _status(found.contents)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(_snapshot_find(self._handle, text(name, "a worker's name")))

    def to_json(self) -> str:
        return read_text(lambda buffer, size: _snapshot_json(self._handle, buffer, size))

    def to_dict(self) -> dict[str, Any]:
        """What the JSON says, as a dict."""
        result: dict[str, Any] = json.loads(self.to_json())
        return result

    def __repr__(self) -> str:
        return f"<chief.Snapshot {', '.join(f'{each.name}: {each.state}' for each in self)}>"
