from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import unittest
from datetime import datetime, timezone
from typing import Any

import chief
from helper import LUA_PATH, Case, quiet, within


def waits(ctx: chief.WorkerContext) -> None:
    ctx.context.wait()


def fails(ctx: chief.WorkerContext) -> None:
    raise RuntimeError("as ever")


def python(program: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A program of its own."""
    return subprocess.Popen([sys.executable, "-c", program, *arguments], text=True, stdout=subprocess.PIPE, **options)


class Running(Case):
    def test_only_those_named_run(self) -> None:
        c = self.make()
        for name in ("a", "b", "d"):
            c.add_worker(name, waits)
        c.enable_workers("a", "b")
        self.assertEqual([c.is_enabled(name) for name in ("a", "b", "d")], [True, True, False])
        with self.assertRaisesRegex(chief.NotFound, "invalid service name x; there are: a, b, d"):
            c.enable_workers("a", "x")
        self.go(c)
        self.assertEqual([each.state for each in c.states()], ["run", "run", "disabled"])

    def test_what_is_too_early_or_too_late_says_so(self) -> None:
        c = self.make()
        with self.assertRaises(chief.NotInitialized):
            c.launch()
        with self.assertRaises(chief.NotInitialized):
            c.stop()
        c.enable_by_default(False)
        c.add_worker("w", waits)
        with self.assertRaises(chief.NotEnabled):
            c.init_workers()
        c.close()
        c.close()
        with self.assertRaisesRegex(chief.Closed, "this chief is closed"):
            c.states()

    def test_workers_are_started_stopped_restarted_and_removed(self) -> None:
        c = self.make()
        c.add_worker("w", waits)
        self.go(c)
        with self.assertRaises(chief.WrongStateChange):
            c.start_worker("w")
        c.stop_worker("w")
        c.wait("w", "stopped", within(10))
        c.start_worker("w")
        c.wait("w", chief.State.RUN, within(10))
        c.restart_worker("w")
        self.wait_event(c, "ready", "w")
        c.remove_worker("w")
        self.wait_event(c, "removed", "w")
        with self.assertRaises(chief.NotFound):
            c.stop_worker("w")
        c.add_worker("w", waits)
        c.wait("w", "run", within(10))

    def test_a_context_above_stops_the_chief(self) -> None:
        c = self.make()
        c.add_worker("w", waits)
        with chief.Context() as parent:
            parent["who"] = "the one above"
            c.init_workers()
            c.launch(parent)
            c.wait_ready(within(10))
            self.assertEqual(c.context["who"], "the one above")
        c.join(within(10))
        self.assertTrue(c.stop_context.done)

    def test_replicas_and_groups(self) -> None:
        c = self.make()
        c.add_worker("r", waits, count=3)
        c.add_worker("x", waits)
        c.add_group("g", "one_for_all", ["x", "r/1"])
        with self.assertRaisesRegex(ValueError, "policy should be"):
            c.add_group("h", "all_for_one", ["x"])
        self.go(c)
        self.assertEqual([each.name for each in c.states()], ["r/1", "r/2", "r/3", "x"])

    def test_a_critical_worker_stops_all(self) -> None:
        c = self.make()
        c.add_worker("w", waits)
        c.add_worker("f", fails, critical=True, restart={"max_restarts": 1, "delay": 0})
        c.init_workers()
        with self.assertRaises(chief.WorkerFailed):
            c.start()
        self.assertEqual(c.exit_code, 70)
        self.assertEqual(c.states()["f"].phase, chief.Phase.GIVEN_UP)

    def test_a_worker_runs_by_a_schedule(self) -> None:
        c = self.make()
        out = c.add_channel("out")
        c.add_worker("w", lambda ctx: ctx.channel("out").send(ctx.generation), every=0.005)
        self.go(c)
        self.assertEqual([out.recv(within(10)).value for _ in range(3)], [1, 1, 1])
        with self.assertRaisesRegex(ValueError, "say `every` or `cron`"):
            c.add_worker("v", waits, first="later")
        with self.assertRaisesRegex(chief.Invalid, "minute should be 0 to 59, got 61"):
            c.add_worker("v", waits, cron="61 * * * *")

    def test_hooks_run_after_the_last_worker(self) -> None:
        c = self.make()
        order: list[str] = []
        c.add_worker("w", lambda ctx: (waits(ctx), order.append("worker")))  # type: ignore[func-returns-value]
        c.on_shutdown(lambda: order.append("first added"))
        c.on_shutdown(lambda: order.append("last added"))
        self.go(c)
        c.stop()
        c.join(within(10))
        self.assertEqual(order, ["worker", "last added", "first added"])

    def test_a_chief_inside_a_chief(self) -> None:
        c = self.make()

        def make() -> chief.Chief:
            inner = chief.Chief("inner")
            inner.add_worker("deep", waits)
            return inner

        c.add_chief("nested", make)
        c.add_chief("broken", lambda: 7)  # type: ignore[arg-type, return-value]
        c.init_workers()
        c.launch()
        self.wait_event(c, "ready", "nested")
        c.wait("broken", "failed", within(10))
        self.assertEqual(c.nested_states("nested")["deep"].state, chief.State.RUN)
        self.assertIn("should return a Chief, got int", c.states()["broken"].error)

    def test_a_lua_worker_in_a_process_and_its_limits(self) -> None:
        c = self.make()
        c.add_lua_worker("p", "echo", path=LUA_PATH, isolation="process", process={"env": {"X": "1"}, "files": 64})
        c.add_lua_worker("f", "echo", path=LUA_PATH, isolation="fiber", memory_limit=1 << 20, watchdog=5)
        with self.assertRaises(chief.Invalid):
            c.add_lua_worker("m", "echo", path=LUA_PATH, memory_limit=1)
        self.go(c)
        for name in ("p", "f"):
            self.assertEqual(c.call(name, {"to": name}, within(10)), {"to": name})


class Signals(unittest.TestCase):
    PROGRAM = """
import chief, os, sys
def worker(ctx):
    ctx.channel("out")
    print("running", flush=True)
    ctx.context.wait()
    os.write(1, b"%r\\n" % (ctx["chief-log"] is not None))
c = chief.Chief("app", log=chief.Log(level="off"))
c.add_channel("out")
c.add_worker("w", worker)
if sys.argv[1] == "handlers":
    c.on("stopping", lambda event: os.write(1, b"stopping\\n"))
with c:
    c.run_all(*sys.argv[2:])
    print("clean", c.exit_code, flush=True)
"""

    def ended_by(self, number: int, *arguments: str) -> list[str]:
        with python(self.PROGRAM, *arguments) as program:
            assert program.stdout is not None
            self.assertEqual(program.stdout.readline(), "running\n")
            program.send_signal(number)
            rest, _ = program.communicate(timeout=within(20))
            self.assertEqual(program.returncode, 0)
            return rest.split("\n")[:-1]

    def test_run_all_ends_by_a_signal(self) -> None:
        self.assertEqual(self.ended_by(signal.SIGTERM, "plain"), ["True", "clean 0"])
        self.assertEqual(self.ended_by(signal.SIGINT, "plain", "w"), ["True", "clean 0"])
        # The worker and the handler hear of it at once.
        self.assertEqual(sorted(self.ended_by(signal.SIGTERM, "handlers")), ["True", "clean 0", "stopping"])

    def test_ctrl_c_is_heard_while_the_main_thread_waits(self) -> None:
        program = """
import chief, threading, os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored by who runs the tests
c = chief.Chief("app", log=chief.Log(level="off"))
c.add_worker("w", lambda ctx: ctx.context.wait())
c.init_workers(); c.launch(); c.wait_ready()
threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    c.join()
except KeyboardInterrupt:
    print("heard")
c.close()
"""
        with python(program) as started:
            self.assertEqual(started.communicate(timeout=within(20))[0], "heard\n")

    def test_a_locker_waits_for_something_else(self) -> None:
        c = chief.Chief("app", log=quiet())
        seen: list[object] = []
        with c:
            c.add_worker("w", waits)
            c.set_locker(lambda context: seen.append(context.done))
            c.run_all()
        self.assertEqual(seen, [False])


class Telling(Case):
    def test_events_tell_all_in_order(self) -> None:
        c = self.make(exit_when_done=True)
        c.add_worker("w", fails)
        c.init_workers()
        with self.assertRaises(chief.WorkerFailed):
            c.start()
        events = list(c.events())
        self.assertEqual([event.seq for event in events], list(range(1, len(events) + 1)))
        states = [(event.previous, event.state) for event in events if event.kind == chief.EventKind.STATE]
        self.assertEqual(states[-1], (chief.State.RUN, chief.State.FAILED))
        failed = next(event for event in events if event.state == "failed")
        self.assertEqual((failed.worker, failed.generation, failed.error), ("w", 1, "RuntimeError: as ever"))
        self.assertEqual(events[-1].kind, "stopped")
        with self.assertRaises(chief.Closed):
            c.events().take()
        self.assertEqual(c.events_dropped, 0)

    def test_events_by_asyncio(self) -> None:
        c = self.make()
        c.add_worker("w", waits)

        async def main() -> list[str]:
            kinds = []
            c.init_workers()
            c.launch()
            async for event in c.events():
                kinds.append(str(event.kind))
                if event.kind == "ready":
                    c.stop()
            await c.ajoin(within(10))
            return kinds

        kinds = asyncio.run(main())
        self.assertIn("stopping", kinds)
        self.assertEqual(kinds[-1], "stopped")

    def test_handlers_are_called_in_the_thread_that_joins(self) -> None:
        c = self.make(event_level="info", exit_when_done=True)
        seen: list[tuple[str, int]] = []
        c.on("stopped", lambda event: seen.append((str(event.kind), threading.get_ident())))
        c.on(None, lambda event: seen.append((str(event.kind), threading.get_ident())))
        with self.assertRaises(ValueError):
            c.on("stoped", print)
        c.add_worker("w", lambda ctx: None)
        c.init_workers()
        c.start()
        self.assertEqual(seen[-2:], [("stopped", threading.get_ident())] * 2)
        c.set_event_level("off")

    def test_snapshots(self) -> None:
        c = self.make(info={"version": "1.2.3", "tag": "staging"})
        c.add_worker("w", waits)
        self.go(c)
        states = c.states()
        self.assertEqual((len(states), "w" in states, "v" in states), (1, True, False))
        self.assertGreater(states.seq, 3)
        with self.assertRaises(KeyError):
            states["v"]
        told = json.loads(states.to_json())
        self.assertEqual((told["app"]["version"], told["workers"][0]["state"]), ("1.2.3", "run"))
        info = c.info
        self.assertEqual((info.name, info.version, info.tag, info.pid), ("test", "1.2.3", "staging", os.getpid()))
        self.assertLess(abs((datetime.now(timezone.utc) - info.started).total_seconds()), within(60))  # type: ignore

    def test_a_sink_gets_every_line(self) -> None:
        records: list[chief.Record] = []
        log = chief.Log("debug", sink=records.append)
        c = self.make(log=log, exit_when_done=True)
        c.add_worker("w", lambda ctx: ctx.log.with_fields(n=1).warn("careful", ratio=0.5, what=[1]))
        c.init_workers()
        c.start()
        record = next(each for each in records if each.message == "careful")
        self.assertEqual(record.level, chief.Level.WARN)
        self.assertEqual(record.fields, {"worker": "w", "n": 1, "ratio": 0.5, "what": "[1]"})
        log.set_level("error")
        log.info("not written")
        self.assertNotIn("not written", [each.message for each in records])
        c.close()
        del c, log
        self.doCleanups()

    def test_lines_go_to_the_logging_of_python(self) -> None:
        with self.assertLogs("chief.test", "DEBUG") as caught:
            log = chief.Log("debug", sink=logging.getLogger("chief.test"))
            log.error("it broke", why="rust")
        self.assertEqual(caught.output, ["ERROR:chief.test:it broke why=rust"])

    def test_an_error_has_a_class_a_code_and_a_text(self) -> None:
        with self.assertRaises(LookupError) as caught:
            self.make().channel("nope")
        problem = caught.exception
        assert isinstance(problem, chief.NotFound)
        self.assertEqual(problem.code, "not_found")
        self.assertIn("nope", str(problem))


class Parts(unittest.TestCase):
    def test_states(self) -> None:
        self.assertEqual((chief.State.RUN.number, chief.State("run")), (6, chief.State.RUN))
        self.assertEqual(chief.State.scan(6), chief.State.scan("run"))
        self.assertEqual(chief.State.from_json(chief.State.FAILED.to_json()), "failed")
        self.assertEqual(chief.State.NULL.transition(chief.State.PRESENT), chief.State.PRESENT)
        self.assertEqual(chief.State.NULL.transition(chief.State.RUN), chief.State.WRONG_STATE_CHANGE)
        names = [chief.state_name(number) for number in (-1, 8, 99)]
        self.assertEqual(names, ["wrong_state_change", "failed", "WorkerState(99)"])
        for wrong in (0, 77, "running", b"\xff"):
            with self.assertRaises(chief.InvalidState):
                chief.State.scan(wrong)
        with self.assertRaises(chief.BadData):
            chief.State.from_json("{")

    def test_a_pool_alone(self) -> None:
        pool = chief.Pool()
        pool.set_log(quiet())
        worker = type("W", (), {"run": lambda self, ctx: None})()
        pool.set_worker("w", worker)
        pool.set_worker("f", fails)
        self.assertIs(pool.get_worker("w"), worker)
        self.assertEqual(pool.get_state("nobody"), "disabled")
        with self.assertRaises(chief.NotInitialized):
            pool.run_exec("w")
        with self.assertRaises(chief.WrongStateChange):
            pool.start("w")
        for name in ("w", "f"):
            self.assertEqual((pool.enable(name), pool.init(name)), ("enabled", "initialized"))
        self.assertTrue(pool.is_enabled("w"))
        pool.run_exec("w")
        with self.assertRaisesRegex(chief.WorkerFailed, "as ever"):
            pool.run_exec("f")
        self.assertEqual([each.state for each in pool.states()], ["stopped", "failed"])
        self.assertEqual(pool.set_state("f", chief.State.RUN), "run")
        self.assertTrue(pool.is_alive("f"))
        self.assertEqual((pool.stop("f"), pool.disable("f")), ("stopped", "disabled"))
        self.assertEqual((pool.enable("f"), pool.fail("f")), ("enabled", "failed"))

    def test_contexts(self) -> None:
        root = chief.Context()
        child = chief.Context(root, timeout=3600)
        root["n"] = 1
        self.assertEqual((child["n"], "m" in child, child.done, child.error), (1, False, False, None))
        assert child.remaining is not None
        self.assertTrue(3500 < child.remaining <= 3600)
        self.assertFalse(child.wait(0))
        root.cancel("over")
        self.assertTrue(child.wait(within(10)))
        self.assertIsInstance(child.error, chief.Cancelled)
        self.assertEqual(child.reason, "over")
        late = chief.Context(timeout=0.001)
        self.assertTrue(late.wait(within(10)))
        self.assertIsInstance(late.error, chief.Timeout)
        self.assertIsNone(root.remaining)
        self.assertGreater(root.fileno(), 2)

    def test_rules(self) -> None:
        rule = chief.Rule(["b", "a/2", "a/1"])
        rule.validate("a", "b")
        self.assertEqual(rule.available, ["a/1", "a/2", "b"])
        with self.assertRaisesRegex(chief.NotFound, "invalid service name foo"):
            rule.validate("a", "foo")
        with self.assertRaisesRegex(chief.NotFound, "no such thing"):
            rule.with_message("no such thing").validate("foo")

    def test_cron(self) -> None:
        after = datetime(2026, 3, 28, 12, tzinfo=timezone.utc)
        berlin = chief.Zone("Europe/Berlin")
        due = chief.Cron("30 2 * * *").next(after, berlin)
        self.assertEqual(berlin.show(due), "2026-03-29T03:00:00+02:00")
        self.assertEqual(chief.Cron("@daily").next(after).isoformat(), "2026-03-29T00:00:00+00:00")
        with self.assertRaises(chief.Invalid):
            chief.Cron("every day")

    def test_the_version(self) -> None:
        self.assertRegex(chief.library_version(), r"^\d+\.\d+\.\d+")
