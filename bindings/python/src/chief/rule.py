"""The rule that names have to be known."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Optional

from ._library import names, quick, text
from .errors import check

_strings = ctypes.POINTER(ctypes.c_char_p)
_new = quick("chief_rule_new", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), _strings, ctypes.c_size_t)
_free = quick("chief_rule_free", None, ctypes.c_void_p)
_validate = quick("chief_rule_validate", ctypes.c_int, ctypes.c_void_p, _strings, ctypes.c_size_t)
_error = quick(
    "chief_rule_error", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p, ctypes.c_char_p
)
_available = quick("chief_rule_available", _strings, ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t))


class Rule:
    """The names there are, and what is said of one that is not among them."""

    __slots__ = ("_handle",)

    def __init__(self, known: Iterable[str]):
        self._handle: Optional[int] = None
        handle, array = ctypes.c_void_p(), names(known, "the names")
        check(_new(handle, array, len(array)))
        self._handle = handle.value

    def __del__(self) -> None:
        if self._handle:
            _free(self._handle)

    def validate(self, *given: str) -> None:
        """`NotFound` when one is unknown; the text names it and lists those there are."""
        array = names(given, "the names")
        check(_validate(self._handle, array, len(array)))

    def with_message(self, message: str) -> Rule:
        """A rule over the same names that says something else."""
        handle = ctypes.c_void_p()
        check(_error(handle, self._handle, text(message, "the message")))
        rule = Rule.__new__(Rule)
        rule._handle = handle.value
        return rule

    @property
    def available(self) -> list[str]:
        """The names, sorted."""
        n = ctypes.c_size_t()
        found = _available(self._handle, n)
        return [found[i].decode() for i in range(n.value)]
