from __future__ import annotations

import os

import chief
import in_process
from helper import Case, within


class InProcesses(Case):
    def test_a_worker_in_a_process_of_its_own(self) -> None:
        c = self.make()
        c.add_worker("w", in_process.Worker, isolation="process", args="hello", restart={"delay": 0})
        self.go(c)
        prefix, value, pid, generation = c.call("w", {"n": 1}, within(20))
        self.assertEqual((prefix, value, generation), ("hello", {"n": 1}, 1))
        self.assertNotEqual(pid, os.getpid())
        c.send("w", "raise")
        self.wait_event(c, "restart", "w")
        self.assertIn("in_process.py", c.states()["w"].traceback)
        self.assertEqual(c.states()["w"].error, "ValueError: in a process")
        self.assertEqual(c.call("w", 2, within(20))[3], 2)
        c.send("w", "die")
        self.wait_event(c, "restart", "w")
        self.assertEqual(c.states()["w"].reason, chief.Reason.KILLED)
        self.assertEqual(c.call("w", 3, within(20))[3], 3)
        c.stop()
        c.join(within(20))
        self.assertEqual(c.exit_code, 0)

    def test_one_that_does_not_end_is_killed(self) -> None:
        c = self.make()
        c.add_worker("w", "in_process:refuses", isolation="process", grace=0.1)
        self.go(c)
        c.stop()
        with self.assertRaisesRegex(chief.Timeout, "w"):
            c.join(within(20))
        self.assertEqual(c.exit_code, 75)

    def test_what_a_process_could_not_import_is_refused(self) -> None:
        c = self.make()
        for wrong in (lambda ctx: None, Local().run, "in_process", 7):
            with self.assertRaisesRegex(ValueError, "of a module that can be imported"):
                c.add_worker("w", wrong, isolation="process")
        with self.assertRaises(ImportError):
            c.add_worker("w", "no.such.module:f", isolation="process")
        with self.assertRaises(AttributeError):
            c.add_worker("w", "in_process:nothing", isolation="process")


class Local:
    def run(self, ctx: chief.WorkerContext) -> None:
        pass
