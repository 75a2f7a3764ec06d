"""What the tests share."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Any

import chief

SLOW = float(os.environ.get("CHIEF_TEST_SLOW") or 1)
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("CHIEF_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
LUA_PATH = f"{HERE}/workers/?.lua"


def within(seconds: float) -> float:
    """A time limit for what takes no time, on a slow machine."""
    return seconds * SLOW


def quiet() -> chief.Log:
    """A logger that says nothing."""
    return chief.Log(level="off")


class Case(unittest.TestCase):
    """A test with a chief of its own, `self.c`, which is stopped and closed at its end."""

    def make(self, **options: Any) -> chief.Chief:
        options.setdefault("log", quiet())
        made = chief.Chief("test", **options)
        self.addCleanup(made.close)
        return made

    def setUp(self) -> None:
        self.kept = len(chief._library.kept)

    def go(self, c: chief.Chief) -> None:
        """Starts it and waits until all are ready."""
        c.init_workers()
        c.launch()
        c.wait_ready(within(10))

    def wait_event(self, c: chief.Chief, kind: str, worker: str = "") -> chief.Event:
        for event in c.events():
            if event.kind == kind and worker in ("", event.worker):
                return event
        raise AssertionError(f"no event {kind}")

    def assert_none_kept(self) -> None:
        """The library has let go of all that this test has given it."""
        self.assertEqual(len(chief._library.kept), self.kept)


def note(text: str) -> None:
    """A remark among the results."""
    print(f"# {text}", file=sys.stdout, flush=True)
