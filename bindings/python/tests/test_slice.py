from __future__ import annotations

import chief
from helper import LUA_PATH, Case, within


def doubler(ctx: chief.WorkerContext) -> None:
    out = ctx.channel("out")
    for message in ctx.channel("jobs"):
        if message.value == "boom":
            raise ValueError("no boom here")
        out.send(message.value * 2)


class Slice(Case):
    def test_a_python_and_a_lua_worker_run_under_one_chief(self) -> None:
        c = self.make()
        jobs, out = c.add_channel("jobs"), c.add_channel("out")
        c.add_worker("doubler", doubler, receives=["jobs"], sends=["out"])
        c.add_lua_worker("echo", "echo", path=LUA_PATH)
        self.go(c)
        jobs.send("mind")
        self.assertEqual(out.recv(within(10)).value, "mindmind")
        self.assertEqual(c.call("echo", {"list": [1, 2.5, "three"]}, within(10)), {"list": [1, 2.5, "three"]})
        self.assertEqual([each.state for each in c.states()], [chief.State.RUN, chief.State.RUN])
        c.stop()
        c.join(within(10))
        self.assertEqual(c.exit_code, 0)
        self.assertEqual([each.state for each in c.states()], ["stopped", "stopped"])
        c.close()
        self.assert_none_kept()

    def test_an_exception_fails_the_worker_and_is_shown(self) -> None:
        c = self.make()
        jobs, out = c.add_channel("jobs"), c.add_channel("out")
        c.add_worker("doubler", doubler, restart={"delay": 0.01})
        self.go(c)
        jobs.send("boom")
        self.wait_event(c, "restart", "doubler")
        status = c.states()["doubler"]
        self.assertEqual(status.error, "ValueError: no boom here")
        self.assertIn('raise ValueError("no boom here")', status.traceback)
        self.assertNotIn("chief/worker.py", status.traceback)
        jobs.send("again")
        self.assertEqual(out.recv(within(10)).value, "againagain")

    def test_the_error_of_a_lua_worker_arrives_with_its_traceback(self) -> None:
        c = self.make()
        c.add_lua_worker("raises", "raises", path=LUA_PATH)
        c.init_workers()
        c.launch()
        event = self.wait_event(c, "state", "raises")
        while event.state != chief.State.FAILED:
            event = self.wait_event(c, "state", "raises")
        self.assertEqual(event.reason, chief.Reason.LUA_ERROR)
        self.assertIn("on purpose", event.error)
        self.assertIn("raises.lua:", event.traceback)

    def test_a_module_that_is_not_there_is_refused(self) -> None:
        c = self.make()
        with self.assertRaises(chief.Invalid) as caught:
            c.add_lua_worker("x", "no.such", path=LUA_PATH)
        self.assertIn("no.such", str(caught.exception))
