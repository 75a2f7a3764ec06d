from __future__ import annotations

import os
import subprocess
import sys
import unittest

from helper import HERE, within


class Examples(unittest.TestCase):
    def test_hello_says_what_the_readme_promises(self) -> None:
        program = os.path.join(os.path.dirname(HERE), "example", "hello.py")
        command = [sys.executable, program]
        result = subprocess.run(command, capture_output=True, text=True, timeout=within(20), check=True)
        said = [f"squares says: {n} squared is {n * n}" for n in (1, 2, 3)]
        self.assertEqual(result.stdout.splitlines(), said)
