from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import chief
from helper import Case, within


class Forms(Case):
    def answer(self, worker: Any, **options: Any) -> Any:
        """What the worker sends to the channel `out`."""
        c = self.make(exit_when_done=True)
        out = c.add_channel("out")
        c.add_worker("w", worker, **options)
        c.init_workers()
        c.start()
        return [message.value for message in out]

    def test_a_function(self) -> None:
        self.assertEqual(self.answer(lambda ctx: ctx.channel("out").send(ctx.name)), ["w"])

    def test_a_class_is_made_anew_for_each_life_and_closed(self) -> None:
        closed = []

        class Counter:
            def __init__(self, ctx: chief.WorkerContext) -> None:
                self.lives = ctx.generation

            def run(self, ctx: chief.WorkerContext) -> None:
                ctx.channel("out").send(self.lives)
                if self.lives < 3:
                    raise RuntimeError("once more")

            def close(self) -> None:
                closed.append(self.lives)

        self.assertEqual(self.answer(Counter, restart={"delay": 0}), [1, 2, 3])
        self.assertEqual(closed, [1, 2, 3])

    def test_an_object_whose_init_makes_what_runs(self) -> None:
        class Inner:
            def __init__(self, size: int) -> None:
                self.size = size

            def run(self, ctx: chief.WorkerContext) -> None:
                ctx.channel("out").send(self.size)

        class Outer:
            restart_on_fail = True

            def init(self, ctx: chief.WorkerContext) -> Inner:
                return Inner(ctx.args["size"])

            def run(self, ctx: chief.WorkerContext) -> None:
                raise AssertionError("not me")

        self.assertEqual(self.answer(Outer(), args={"size": 7}), [7])

    def test_restart_on_fail_of_the_worker_counts_where_nothing_else_is_said(self) -> None:
        class Once:
            restart_on_fail = True

            def run(self, ctx: chief.WorkerContext) -> None:
                ctx.channel("out").send(ctx.generation)
                if ctx.generation == 1:
                    raise RuntimeError

        self.assertEqual(self.answer(Once()), [1, 2])

    def test_a_coroutine_function(self) -> None:
        async def worker(ctx: chief.WorkerContext) -> None:
            await asyncio.sleep(0)
            own = ctx.channel("out")
            own.send("first")
            message = await own.arecv(within(10))
            own.send([message.value, "again"])

        self.assertEqual(self.answer(worker), [["first", "again"]])

    def test_what_is_no_worker_is_refused(self) -> None:
        c = self.make()
        for wrong in (7, object(), type("Empty", (), {})):
            with self.assertRaises(TypeError):
                c.add_worker("w", wrong)
        with self.assertRaisesRegex(TypeError, "add_worker has no option 'restrat'; there are: after, args"):
            c.add_worker("w", print, restrat="never")  # type: ignore[call-arg]
        with self.assertRaisesRegex(ValueError, 'restart should be "never" or "on_failure" or "always", got \'often\''):
            c.add_worker("w", print, restart="often")
        with self.assertRaises(chief.Invalid):
            c.add_worker("no spaces", print)
        c.add_worker("w", print)
        with self.assertRaises(chief.Exists):
            c.add_worker("w", print)
        c.close()
        self.assert_none_kept()


class Ends(Case):
    def failed(self, worker: Any, **options: Any) -> chief.Status:
        c = self.make(exit_when_done=True)
        c.add_worker("w", worker, **options)
        c.init_workers()
        with self.assertRaises(chief.WorkerFailed):
            c.start()
        self.assertEqual(c.exit_code, 1)
        status = c.states()["w"]
        c.close()
        self.assert_none_kept()
        return status

    def test_a_failed_init_says_why(self) -> None:
        class Broken:
            def __init__(self, ctx: chief.WorkerContext) -> None:
                raise OSError("no disk")

            def run(self, ctx: chief.WorkerContext) -> None:
                pass

        status = self.failed(Broken)
        self.assertEqual((status.state, status.reason), (chief.State.FAILED, chief.Reason.INIT_ERROR))
        self.assertEqual(status.error, "OSError: no disk")
        self.assertIn('raise OSError("no disk")', status.traceback)

    def test_sys_exit_is_the_exit_code_of_the_worker(self) -> None:
        lives = []

        def worker(ctx: chief.WorkerContext) -> None:
            lives.append(ctx.generation)
            sys.exit(3)

        status = self.failed(worker, restart={"delay": 0}, no_restart_codes=[3])
        self.assertEqual(status.error, "exit 3")
        self.assertEqual(lives, [1])

    def test_a_policy_of_ones_own_is_asked(self) -> None:
        seen: list[chief.Exit] = []

        def on_exit(end: chief.Exit) -> chief.Answer:
            seen.append(end)
            return 0.001 if end.failures < 3 else "give_up"

        def worker(ctx: chief.WorkerContext) -> None:
            raise RuntimeError("no luck")

        status = self.failed(worker, on_exit=on_exit)
        self.assertEqual(status.phase, chief.Phase.GIVEN_UP)
        self.assertEqual([each.failures for each in seen], [1, 2, 3])
        self.assertEqual(seen[2].error, "RuntimeError: no luck")
        self.assertEqual([end.reason for end in seen[2].history], ["error"] * 3)

    def test_a_policy_that_raises_is_told_and_the_restart_decides(self) -> None:
        c = self.make()

        def on_exit(end: chief.Exit) -> chief.Answer:
            raise LookupError("no idea")

        def worker(ctx: chief.WorkerContext) -> None:
            if ctx.generation == 1:
                raise RuntimeError
            ctx.context.wait()

        c.add_worker("w", worker, on_exit=on_exit, restart={"delay": 0})
        self.go(c)
        self.assertIn("no idea", self.wait_event(c, "note").error)
        c.wait("w", "run", within(10))


class Stops(Case):
    def stop(self, c: chief.Chief) -> None:
        c.stop("enough")
        c.join(within(20))

    def test_a_blocked_worker_is_woken_by_the_stop(self) -> None:
        c = self.make()
        c.add_channel("empty")
        c.add_channel("full", capacity=1).send(1)
        ended = []

        def sender(ctx: chief.WorkerContext) -> None:
            ctx.channel("full").send(2)

        blocks = {
            "sleeps": lambda ctx: ctx.sleep(3600),
            "receives": lambda ctx: ctx.channel("empty").recv(),
            "reads": lambda ctx: ctx.recv(),
            "iterates": lambda ctx: list(ctx.channel("empty")),
            "listens": lambda ctx: list(ctx),
            "selects": lambda ctx: ctx.select(ctx.channel("empty"), chief.MAILBOX),
            "waits": lambda ctx: ctx.context.wait(),
            "calls": lambda ctx: ctx.call("sleeps", 1),
            "sends": sender,
        }
        for name, block in blocks.items():

            def worker(ctx: chief.WorkerContext, block: Any = block) -> None:
                try:
                    block(ctx)
                finally:
                    ended.append(ctx.name)

            c.add_worker(name, worker)
        self.go(c)
        self.stop(c)
        self.assertEqual(sorted(ended), sorted(blocks))
        self.assertEqual({each.state for each in c.states()}, {chief.State.STOPPED})

    def test_what_is_queued_is_received_before_the_stop(self) -> None:
        c = self.make()
        jobs = c.add_channel("jobs")
        got, gate = [], threading.Event()

        def worker(ctx: chief.WorkerContext) -> None:
            gate.wait()
            for message in ctx.channel("jobs"):
                got.append(message.value)

        c.add_worker("w", worker)
        self.go(c)
        jobs.send_many([1, 2, 3])
        c.stop()
        gate.set()
        c.join(within(20))
        self.assertEqual(got, [1, 2, 3])

    def test_the_context_is_done_and_says_why(self) -> None:
        c = self.make()
        said, stop = [], c.stop_context

        def worker(ctx: chief.WorkerContext) -> None:
            ctx.context.wait()
            said.append((ctx.done, ctx.reason, stop.reason))

        c.add_worker("w", worker)
        self.go(c)
        self.stop(c)
        self.assertEqual(said, [(True, "the application stops", "enough")])

    def test_one_that_does_not_end_is_interrupted(self) -> None:
        c = self.make(force_time=within(10))
        seen: list[BaseException] = []

        def stubborn(ctx: chief.WorkerContext) -> None:
            try:
                while True:
                    try:
                        while True:
                            pass
                    except Exception:
                        pass
            except BaseException as problem:
                seen.append(problem)
                raise

        c.add_worker("stubborn", stubborn, grace=0.05)
        self.go(c)
        c.stop()
        with self.assertRaisesRegex(chief.Timeout, "stubborn"):
            c.join(within(20))
        self.assertTrue(c.has_stopped)
        self.assertEqual(c.exit_code, 75)
        self.assertIsInstance(seen[0], chief.Interrupted)
        self.assertNotIn("abandoned", [str(each.kind) for each in c.events()])
        c.close()
        self.assert_none_kept()

    def test_a_coroutine_hears_the_stop_and_can_be_ended_by_force(self) -> None:
        c = self.make(force_time=within(10))
        ended = []

        async def polite(ctx: chief.WorkerContext) -> None:
            try:
                await ctx.asleep(3600)
            finally:
                ended.append("polite")

        async def deaf(ctx: chief.WorkerContext) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append("deaf")

        c.add_worker("polite", polite)
        c.add_worker("deaf", deaf, grace=0.05)
        self.go(c)
        c.stop()
        with self.assertRaisesRegex(chief.Timeout, "deaf"):
            c.join(within(20))
        self.assertEqual(ended, ["polite", "deaf"])

    def test_its_place_is_shown_while_it_runs(self) -> None:
        c = self.make()
        gate, inside = threading.Event(), threading.Event()

        def worker(ctx: chief.WorkerContext) -> None:
            inside.set()
            gate.wait()

        c.add_worker("w", worker)
        self.go(c)
        inside.wait(within(10))
        told = c.traceback("w")
        self.assertTrue(told.startswith("in Python, at "), told)
        self.assertIn("gate.wait()", told)
        gate.set()


class Context(Case):
    def test_a_context_is_for_its_own_thread_and_its_own_life(self) -> None:
        c = self.make(exit_when_done=True)
        problems: list[BaseException] = []
        kept: list[chief.WorkerContext] = []

        def other(ctx: chief.WorkerContext) -> None:
            try:
                ctx.recv(0)
            except RuntimeError as problem:
                problems.append(problem)

        def worker(ctx: chief.WorkerContext) -> None:
            kept.append(ctx)
            thread = threading.Thread(target=other, args=(ctx,))
            thread.start()
            thread.join()

        c.add_worker("w", worker)
        c.init_workers()
        c.start()
        self.assertIn("its own thread", str(problems[0]))
        with self.assertRaises(chief.Closed):
            kept[0].recv()

    def test_values_are_seen_by_workers_and_let_go(self) -> None:
        c = self.make(exit_when_done=True)
        thing = object()
        values = {"n": 3, "on": True, "x": 0.5, "text": "h\u00e9", "raw": b"\xff", "nothing": None, "thing": thing}
        for key, value in values.items():
            c.add_value(key, value)
        seen: dict[str, Any] = {}

        def worker(ctx: chief.WorkerContext) -> None:
            seen.update({key: ctx[key] for key in values})
            seen["missing"] = ctx.get("missing", "not there")
            ctx["chief-log"].info("from the context")

        c.add_worker("w", worker)
        c.init_workers()
        c.start()
        self.assertEqual(seen, {**values, "missing": "not there"})
        self.assertIs(seen["thing"], thing)
        with self.assertRaises(KeyError):
            c.context["missing"]
        c.close()
        self.assert_none_kept()

    def test_mail_calls_and_broadcasts(self) -> None:
        c = self.make()
        out = c.add_channel("out")

        def clerk(ctx: chief.WorkerContext) -> None:
            for message in ctx:
                if message.kind != "call":
                    ctx.channel("out").send([ctx.name, message.kind, message.sender, message.value])
                elif message.value == "refuse":
                    message.fail("not today")
                elif message.value != "ignore":
                    message.reply({"asked": message.value})

        def asker(ctx: chief.WorkerContext) -> None:
            ctx.send("clerk", "hello")
            told: list[Any] = [ctx.call("clerk", 1, within(10))]
            for question, expected in (("refuse", chief.CallFailed), ("ignore", chief.NoReply)):
                if question == "ignore":
                    ctx.send("clerk", "next")
                try:
                    if question == "ignore":
                        ctx.call("clerk", question, 0.01)
                    ctx.call("clerk", question, within(10))
                except (expected, chief.Timeout) as problem:
                    told.append([problem.code, str(problem)])
            try:
                ctx.send("nobody", 1)
            except chief.NotFound as problem:
                told.append(problem.code)
            told.append(ctx.send_many("clerk", [1, 2]))
            told.append(ctx.broadcast("all"))
            ctx.channel("out").send(told)

        c.add_worker("clerk", clerk)
        c.add_worker("asker", asker, after=["clerk"])
        self.go(c)
        c.send("clerk", "from outside")
        self.assertEqual(c.call("clerk", [1], within(10)), {"asked": [1]})
        found = [out.recv(within(10)).value for _ in range(7)]
        told = next(each for each in found if each[0] != "clerk")
        self.assertEqual(told[0], {"asked": 1})
        self.assertEqual(told[1], ["call_failed", "not today"])
        self.assertEqual(told[3:], ["not_found", 2, 1])
        self.assertIn(["clerk", "message", "asker", "hello"], found)
        self.assertIn(["clerk", "message", "", "from outside"], found)
        self.assertIn(["clerk", "broadcast", "asker", "all"], found)

    def test_a_worker_says_when_it_is_ready(self) -> None:
        c = self.make()
        gate, order = threading.Event(), []

        def slow(ctx: chief.WorkerContext) -> None:
            gate.wait()
            order.append("slow")
            ctx.ready()
            ctx.context.wait()

        c.add_worker("slow", slow, ready="explicit")
        c.add_worker("next", lambda ctx: order.append("next"), after=["slow"])
        c.init_workers()
        c.launch()
        with self.assertRaises(chief.Timeout):
            c.wait_ready(0.01)
        gate.set()
        c.wait_ready(within(10))
        c.wait("next", "stopped", within(10))
        self.assertEqual(order, ["slow", "next"])

    def test_a_worker_can_have_itself_ended_by_force(self) -> None:
        c = self.make(exit_when_done=True)

        def worker(ctx: chief.WorkerContext) -> None:
            ctx.expire("stuck, it says")
            while True:
                pass

        c.add_worker("w", worker)
        c.init_workers()
        with self.assertRaises(chief.Error):
            c.start()
        self.assertEqual(c.states()["w"].error, "stuck, it says")
