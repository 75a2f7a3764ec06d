"""Runs the tests with unittest and tells the results as TAP. Arguments are names as unittest takes them.

Each test has 30 s, on a slow machine CHIEF_TEST_SLOW times that; one that takes longer ends all, with where it was.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
import time
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 30 * float(os.environ.get("CHIEF_TEST_SLOW") or 1)


class Tap(unittest.TestResult):
    """Each result as a line, when it is there."""

    count = 0
    began = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.began = time.monotonic()
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def _tell(self, word: str, test: unittest.TestCase, remark: str = "", detail: str = "") -> None:
        self.count += 1
        name = test.id().replace("test_", "").replace("_", " ")
        print(f"{word} {self.count} - {name}{remark} ({time.monotonic() - self.began:.2f} s)")
        for line in detail.splitlines():
            print(f"  # {line}")
        sys.stdout.flush()

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._tell("ok", test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._tell("ok", test, f" # SKIP {reason}")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._tell("not ok", test, detail=self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._tell("not ok", test, detail=self.errors[-1][1])


def main(names: list[str]) -> bool:
    sys.path.insert(0, HERE)
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names) if names else loader.discover(HERE, top_level_dir=HERE)
    result = Tap()
    suite.run(result)
    gc.collect()  # what is garbage by now would not be told to the library at the very end
    print(f"1..{result.count}", flush=True)
    return result.wasSuccessful() and result.count > 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
