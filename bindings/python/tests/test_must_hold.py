"""What has to hold of every binding. CHIEF_BINDINGS_FULL=1 sends native values where the ordinary run sends bytes."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import threading
import time
import unittest
from typing import Any

import chief
from helper import LUA_PATH, Case, note, quiet, within

FULL = os.environ.get("CHIEF_BINDINGS_FULL") == "1"


def waits(ctx: chief.WorkerContext) -> None:
    ctx.context.wait()


class Many(Case):
    MESSAGES = 1_000_000
    BATCH = 1000

    def count(self, values: bool) -> float:
        c = self.make()
        jobs, out = c.add_channel("jobs", capacity=4 * self.BATCH), c.add_channel("out")

        def counter(ctx: chief.WorkerContext) -> None:
            own = ctx.channel("jobs")
            seen = total = 0
            while seen < self.MESSAGES:
                batch = own.recv_many(self.BATCH)
                seen += len(batch)
                total += sum(each.value for each in batch) if values else sum(len(each.data) for each in batch)
            ctx.channel("out").send(total)

        c.add_worker("counter", counter)
        self.go(c)
        began = time.monotonic()
        for first in range(0, self.MESSAGES, self.BATCH):
            if values:
                jobs.send_many(range(first, first + self.BATCH))
            else:
                jobs.send_many_bytes([b"12345678"] * self.BATCH)
        total = out.recv(within(30)).value
        self.assertEqual(total, sum(range(self.MESSAGES)) if values else 8 * self.MESSAGES)
        return time.monotonic() - began

    def test_a_million_messages(self) -> None:
        taken = self.count(values=False)
        note(f"{self.MESSAGES} messages of bytes in batches in {taken:.1f} s")

    @unittest.skipUnless(FULL, "CHIEF_BINDINGS_FULL=1 runs it")
    def test_a_million_native_values(self) -> None:
        taken = self.count(values=True)
        note(f"{self.MESSAGES} numbers in batches in {taken:.1f} s")

    def test_many_messages_one_at_a_time_to_a_lua_worker_and_back(self) -> None:
        c = self.make()
        c.add_channel("back", capacity=1024)
        c.add_channel("there", capacity=1024)
        c.add_lua_worker("forward", "forward", path=LUA_PATH)
        self.go(c)
        there, back, n = c.channel("there"), c.channel("back"), 20_000

        def send() -> None:
            for i in range(n):
                there.send({"number": i, "text": "m\u00e4h"})

        thread = threading.Thread(target=send)
        thread.start()
        for i in range(n):
            self.assertEqual(back.recv(within(20)).value, {"number": i, "text": "m\u00e4h"})
        thread.join()

    def test_a_thousand_starts_and_stops_of_a_worker(self) -> None:
        lives = []

        class Worker:
            def __init__(self, ctx: chief.WorkerContext) -> None:
                lives.append(ctx.generation)

            run = staticmethod(waits)

        c = self.make(event_level="error")
        c.add_worker("w", Worker)
        self.go(c)
        for _ in range(1000):
            c.stop_worker("w")
            c.wait("w", "stopped", within(10))
            c.start_worker("w")
            c.wait("w", "run", within(10))
        c.close()
        self.assertEqual(lives, list(range(1, 1002)))
        self.assert_none_kept()

    def test_a_thousand_chiefs(self) -> None:
        descriptors = len(os.listdir("/proc/self/fd"))
        log = quiet()
        began, made = time.monotonic(), 0
        # Under a sanitizer or on a busy machine fewer of them have to do.
        while made < 1000 and (made < 50 or time.monotonic() - began < 5):
            with chief.Chief("one", log=log) as c:
                c.add_worker("w", waits)
                c.init_workers()
                c.launch()
                c.stop()
            made += 1
        del log
        note(f"{made} chiefs were started and stopped")
        self.assert_none_kept()
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), descriptors)


class Collected(Case):
    def test_garbage_collection_at_random_points(self) -> None:
        seed = random.randrange(2**32)
        note(f"seed {seed}")
        random.seed(seed)
        threshold = gc.get_threshold()
        self.addCleanup(gc.set_threshold, *threshold)
        gc.set_threshold(7, 2, 2)
        stop = threading.Event()

        def collect() -> None:
            while not stop.is_set():
                gc.collect(random.randrange(3))
                stop.wait(random.random() / 500)

        collector = threading.Thread(target=collect)
        collector.start()
        try:
            for _ in range(20):
                self.a_life_full_of_garbage()
        finally:
            stop.set()
            collector.join()

    def a_life_full_of_garbage(self) -> None:
        c = chief.Chief("test", log=chief.Log("debug", sink=lambda record: None))
        jobs = c.add_channel("jobs", capacity=4)
        c.add_channel("out", capacity=1000)
        circle: dict[str, Any] = {"chief": c, "jobs": jobs}
        circle["self"] = circle

        def worker(ctx: chief.WorkerContext) -> None:
            circle["seen"] = ctx
            for message in ctx.channel("jobs"):
                cycle: list[Any] = [message, ctx.log, ctx.context, ctx.channel("out")]
                cycle.append(cycle)
                if message.value[0] == 13:
                    raise RuntimeError(cycle)
                cycle[3].send(message.value)

        c.add_worker("w", worker, restart={"delay": 0})
        c.add_value("circle", circle)
        c.init_workers()
        c.launch()
        for n in range(40):
            jobs.send([n, "x" * n])
        jobs.close()
        c.wait("w", "stopped", within(20))
        if random.random() < 0.5:
            c.close()

    def test_a_chief_that_is_forgotten_stops(self) -> None:
        gone = threading.Event()

        def worker(ctx: chief.WorkerContext) -> None:
            ctx.context.wait()
            gone.set()

        c = chief.Chief("test", log=quiet())
        c.add_worker("w", worker)
        self.go(c)
        with self.assertWarns(ResourceWarning):
            del c
            gc.collect()
        self.assertTrue(gone.is_set())
        self.assert_none_kept()


class AtTheEnd(unittest.TestCase):
    """Interpreters that end while workers live."""

    def run_program(self, program: str) -> str:
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            capture_output=True,
            text=True,
            timeout=within(25),
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def test_live_workers_are_stopped_when_the_interpreter_ends(self) -> None:
        told = self.run_program(
            """
import chief, os
def worker(ctx):
    try:
        ctx.sleep(3600)
    finally:
        os.write(1, b"ended\\n")
c = chief.Chief(log=chief.Log(level="off"))
c.add_worker("w", worker, count=5)
c.init_workers(); c.launch(); c.wait_ready()
print("the end", flush=True)
"""
        )
        self.assertEqual(told, "the end\n" + "ended\n" * 5)

    def test_one_that_does_not_end_is_left_behind(self) -> None:
        told = self.run_program(
            """
import chief, threading
def deaf(ctx):
    print("waits", flush=True)
    threading.Lock().__enter__(); lock = threading.Lock(); lock.acquire(); lock.acquire()
c = chief.Chief(log=chief.Log(level="off"), force_stop_timeout=0.1, force_time=0.1)
c.add_worker("w", deaf)
c.init_workers(); c.launch(); c.wait_ready()
"""
        )
        self.assertEqual(told, "waits\n")

    def test_callbacks_are_called_during_the_shutdown(self) -> None:
        told = self.run_program(
            """
import chief, sys
class Worker:
    restart_on_fail = True
    def __init__(self, ctx): self.ctx = ctx
    def run(self, ctx):
        for message in ctx.channel("jobs"): pass
        raise RuntimeError("at the end")
    def close(self): print("closed", flush=True)
c = chief.Chief(log=chief.Log("debug", sink=lambda record: None))
jobs = c.add_channel("jobs")
c.add_worker("w", Worker, on_exit=lambda end: None)
c.add_value("value", object())
c.on_shutdown(lambda: print("hook", flush=True))
c.init_workers(); c.launch(); c.wait_ready()
jobs.send_many([1] * 10)
sys.exit(0)
"""
        )
        self.assertEqual(told, "closed\nhook\n")

    def test_a_forked_child_leaves_its_parents_chief_alone(self) -> None:
        told = self.run_program(
            """
import chief, os
c = chief.Chief(log=chief.Log(level="off"))
c.add_worker("w", lambda ctx: ctx.context.wait())
c.init_workers(); c.launch(); c.wait_ready()
child = os.fork()
if child == 0:
    try:
        c.stop()
    except chief.Forked as problem:
        print("child:", problem.code, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent:", c.states()["w"].state, flush=True)
c.close()
"""
        )
        self.assertEqual(told, "child: forked\nparent: run\n")
