"""What can go wrong, as exceptions. Each has a `code`, one word, and the text that the library gives."""

from __future__ import annotations

import ctypes
from typing import Optional

from ._library import quick

_strerror = quick("chief_strerror", ctypes.c_char_p, ctypes.c_int)
_error_code = quick("chief_error_code", ctypes.c_char_p, ctypes.c_int)
_last_error = quick("chief_last_error", ctypes.c_char_p)
_set_last_error = quick("chief_set_last_error", ctypes.c_int, ctypes.c_int, ctypes.c_char_p)

OK = 0
WRONG_STATE_CHANGE = -1
EINVAL, ENOMEM, ENOENT, EEXIST, EBUSY = -1001, -1002, -1003, -1004, -1005
ESTATE, ENOTINIT, ETIMEDOUT, ECANCELED, ECLOSED = -1006, -1007, -1008, -1009, -1010
EAGAIN, EFULL, ETOOBIG, ENOREPLY, ECALL = -1011, -1012, -1013, -1014, -1015
EFAILED, ECYCLE, EDEADLK, EFORK, ESYS = -1016, -1017, -1018, -1019, -1020
ENOTSUP, EDATA, EENABLE = -1021, -1022, -1023


class Error(Exception):
    """Anything that the library refuses or reports."""

    #: What kind of error it is, as one word: "timeout", "closed", "not_found" …
    code = "unknown"

    def __init__(self, message: Optional[str] = None):
        super().__init__(message or self.code)


class WrongStateChange(Error):
    """The worker is in a state from which that is not possible."""


class Invalid(Error, ValueError):
    """An argument or option is wrong; the text says which and what would be right."""


class NoMemory(Error, MemoryError):
    """There is no memory left."""


class NotFound(Error, LookupError):
    """There is nothing of that name; the text lists what there is."""


class Exists(Error):
    """The name is taken."""


class Busy(Error):
    """It is in use, or is not possible any more."""


class InvalidState(Error, ValueError):
    """That is no state of a worker."""


class NotInitialized(Error):
    """`init_workers` has not been called."""


class Timeout(Error, TimeoutError):
    """The time was over before it happened."""


class Cancelled(Error):
    """The worker was asked to stop while it waited, or its context is done."""


class Closed(Error):
    """The channel is closed and empty, or the chief has stopped."""


class WouldBlock(Error, BlockingIOError):
    """It would have to wait, and was told not to."""


class Full(Error):
    """The channel is full and was made so that it refuses what has no room."""


class TooBig(Error):
    """The message is bigger than its channel takes."""


class NoReply(Error):
    """Who was asked has ended, or taken its next message, without answering."""


class CallFailed(Error):
    """Who was asked has answered with a failure; the text is its own."""


class WorkerFailed(Error):
    """A worker has failed; the text is its own."""


class Cycle(Error):
    """Workers wait for each other in a circle."""


class Deadlock(Error):
    """The call would wait for its own thread."""


class Forked(Error):
    """The process was forked: the chief is its parent's."""


class SystemFailure(Error, OSError):
    """A call to the system has failed."""


class NotSupported(Error):
    """That is not possible here."""


class BadData(Error, ValueError):
    """The bytes are not what they should be."""


class NotEnabled(Error):
    """No worker is enabled."""


_classes: dict[int, type[Error]] = {
    WRONG_STATE_CHANGE: WrongStateChange,
    EINVAL: Invalid,
    ENOMEM: NoMemory,
    ENOENT: NotFound,
    EEXIST: Exists,
    EBUSY: Busy,
    ESTATE: InvalidState,
    ENOTINIT: NotInitialized,
    ETIMEDOUT: Timeout,
    ECANCELED: Cancelled,
    ECLOSED: Closed,
    EAGAIN: WouldBlock,
    EFULL: Full,
    ETOOBIG: TooBig,
    ENOREPLY: NoReply,
    ECALL: CallFailed,
    EFAILED: WorkerFailed,
    ECYCLE: Cycle,
    EDEADLK: Deadlock,
    EFORK: Forked,
    ESYS: SystemFailure,
    ENOTSUP: NotSupported,
    EDATA: BadData,
    EENABLE: NotEnabled,
}

for _number, _class in _classes.items():
    _class.code = _error_code(_number).decode()


class Interrupted(BaseException):
    """Raised inside a worker that did not end within its grace, so that it ends now. Not to be caught."""


def error_from(code: int, message: Optional[str] = None) -> Error:
    """The exception for a code of the library, with the text of the last failure of this thread."""
    if message is None:
        message = _last_error().decode("utf-8", "replace") or _strerror(code).decode()
    return _classes.get(code, Error)(message)


def number_of(error: BaseException) -> int:
    """The library's code for an exception: its own, or that a worker has failed."""
    for number, kind in _classes.items():
        if type(error) is kind:
            return number
    return EFAILED


def check(code: int) -> None:
    """Raises unless the call went well."""
    if code != OK:
        raise error_from(code)


def tell(error: BaseException) -> int:
    """Gives an exception to the library, whose callback it ends, as this thread's last error."""
    result: int = _set_last_error(number_of(error), describe(error).encode("utf-8", "replace"))
    return result


def describe(error: BaseException) -> str:
    """The error in one line, with its kind where that says something the text does not."""
    message = str(error)
    kind = type(error).__name__
    if not message:
        return kind
    return message if isinstance(error, Error) else f"{kind}: {message}"
