from __future__ import annotations

import asyncio
import select
import threading
import time
from datetime import timedelta

import chief
from helper import Case, within


class Alone(Case):
    """Channels without a chief."""

    def test_what_is_sent_is_received_in_order(self) -> None:
        ch = chief.Channel("c", capacity=8)
        ch.send({"a": [1, 2]})
        self.assertEqual(ch.send_many(["x", "y"]), 2)
        ch.send_bytes(b"\xc1 as it is")
        self.assertEqual((len(ch), bool(ch), ch.name), (4, True, "c"))
        first = ch.recv()
        self.assertEqual(first.value, {"a": [1, 2]})
        self.assertEqual((first.sender, first.kind, first.channel, first.deliveries), ("", "message", "c", 1))
        rest = ch.recv_many(10)
        self.assertEqual([each.value for each in rest[:2]], ["x", "y"])
        self.assertEqual(rest[2].data, b"\xc1 as it is")
        with self.assertRaises(chief.BadData):
            rest[2].value
        self.assertIsNone(ch.try_recv())

    def test_times_are_seconds_or_timedeltas(self) -> None:
        ch = chief.Channel("c", capacity=1)
        began = time.monotonic()
        with self.assertRaises(chief.Timeout):
            ch.recv(0.02)
        with self.assertRaises(TimeoutError):
            ch.recv(timedelta(milliseconds=20))
        self.assertGreaterEqual(time.monotonic() - began, 0.03)
        with self.assertRaises(chief.WouldBlock):
            ch.recv(0)
        ch.send(1)
        with self.assertRaises(chief.Timeout):
            ch.send(2, 0.01)
        self.assertFalse(ch.try_send(2))
        self.assertEqual(chief.Channel("d", capacity=2).send_many([1, 2, 3], 0.3), 2)
        for wrong, kind in ((-1, ValueError), ("1", TypeError), (True, TypeError), (float("nan"), ValueError)):
            with self.assertRaises(kind):
                chief.Channel("e").recv(wrong)  # type: ignore[arg-type]

    def test_a_wait_longer_than_a_piece_in_the_main_thread(self) -> None:
        ch = chief.Channel("c", capacity=1)
        with self.assertRaises(chief.Timeout):
            ch.recv(0.25)
        threading.Timer(0.22, ch.send, [7]).start()
        self.assertEqual(ch.recv(within(10)).value, 7)

    def test_overflow(self) -> None:
        newest = chief.Channel("c", capacity=2, overflow="drop_oldest")
        for n in range(5):
            newest.send(n)
        self.assertEqual([each.value for each in newest.recv_many()], [3, 4])
        self.assertEqual(newest.stats().dropped, 3)
        strict = chief.Channel("c", capacity=1, overflow=chief.Overflow.FAIL)
        strict.send(1)
        with self.assertRaises(chief.Full):
            strict.send(2)
        self.assertFalse(strict.try_send(2))
        small = chief.Channel("c", max_message=10)
        with self.assertRaises(chief.TooBig):
            small.send("x" * 11)
        with self.assertRaises(ValueError):
            chief.Channel("c", overflow="explode")
        with self.assertRaises(chief.Invalid):
            chief.Channel("")

    def test_a_closed_channel_gives_what_it_has(self) -> None:
        ch = chief.Channel("c")
        ch.send_many([1, 2])
        ch.close()
        ch.close()
        self.assertEqual([each.value for each in ch], [1, 2])
        with self.assertRaises(chief.Closed):
            ch.recv()
        with self.assertRaises(chief.Closed):
            ch.send(1)

    def test_closing_wakes_who_waits(self) -> None:
        ch = chief.Channel("c")
        threading.Timer(0.01, ch.close).start()
        with self.assertRaises(chief.Closed):
            ch.recv(within(20))

    def test_select_takes_the_first_that_has_something(self) -> None:
        a, b = chief.Channel("a"), chief.Channel("b")
        b.send("from b")
        source, message = chief.select(a, b, timeout=within(10))
        self.assertIs(source, b)
        self.assertEqual(message.value, "from b")
        with self.assertRaises(chief.Timeout):
            chief.select(a, b, timeout=0.01)

    def test_a_message_outlives_its_channel(self) -> None:
        ch = chief.Channel("c")
        ch.send("still here")
        message = ch.recv()
        del ch
        self.assertEqual(message.value, "still here")

    def test_the_descriptor_is_readable_while_something_is_queued(self) -> None:
        ch = chief.Channel("c")
        self.assertEqual(select.select([ch], [], [], 0)[0], [])
        ch.send(1)
        self.assertEqual(select.select([ch], [], [], within(10))[0], [ch])

    def test_asyncio_receives_without_keeping_the_thread(self) -> None:
        ch = chief.Channel("c")

        async def receiver() -> list[object]:
            return [message.value async for message in ch]

        async def main() -> list[list[object]]:
            tasks = [asyncio.ensure_future(receiver()) for _ in range(2)]
            for n in range(10):
                ch.send(n)
                await asyncio.sleep(0)
            ch.close()
            with self.assertRaises(chief.Closed):
                await ch.arecv()
            return list(await asyncio.gather(*tasks))

        found = asyncio.run(main())
        self.assertEqual(sorted(n for each in found for n in each), list(range(10)))  # type: ignore[type-var]

    def test_asyncio_times_out(self) -> None:
        with self.assertRaises(chief.Timeout):
            asyncio.run(chief.Channel("c").arecv(0.01))


class InAChief(Case):
    def test_a_message_in_hand_at_a_death_comes_again(self) -> None:
        c = self.make()
        jobs, out = c.add_channel("jobs", delivery="at_least_once"), c.add_channel("out")

        def worker(ctx: chief.WorkerContext) -> None:
            for message in ctx.channel("jobs"):
                if message.value == "hard" and message.deliveries < 3:
                    raise RuntimeError("dropped it")
                ctx.channel("out").send([message.value, message.deliveries])

        c.add_worker("w", worker, restart={"delay": 0})
        self.go(c)
        jobs.send_many(["hard", "easy"])
        self.assertEqual([out.recv(within(10)).value for _ in range(2)], [["hard", 3], ["easy", 1]])
        stats = jobs.stats()
        self.assertEqual((stats.sent, stats.redelivered), (2, 2))

    def test_ack_lets_go_of_what_is_in_hand(self) -> None:
        c = self.make(exit_when_done=True)
        jobs = c.add_channel("jobs", delivery="at_least_once")

        def worker(ctx: chief.WorkerContext) -> None:
            own = ctx.channel("jobs")
            own.recv_many(10)
            own.ack()
            raise RuntimeError

        c.add_worker("w", worker)
        jobs.send_many([1, 2])
        c.init_workers()
        with self.assertRaises(chief.WorkerFailed):
            c.start()
        self.assertEqual((jobs.stats().acknowledged, jobs.stats().redelivered), (2, 0))

    def test_a_worker_selects_among_channels_and_its_mailbox(self) -> None:
        c = self.make()
        ch, out = c.add_channel("ch"), c.add_channel("out")

        def worker(ctx: chief.WorkerContext) -> None:
            own = ctx.channel("ch")
            while True:
                source, message = ctx.select(own, chief.MAILBOX)
                ctx.channel("out").send(["ch" if source is own else "mail", message.value])

        c.add_worker("w", worker)
        self.go(c)
        ch.send(1)
        self.assertEqual(out.recv(within(10)).value, ["ch", 1])
        c.send("w", 2)
        self.assertEqual(out.recv(within(10)).value, ["mail", 2])

    def test_an_unknown_channel_is_refused_with_those_there_are(self) -> None:
        c = self.make()
        c.add_channel("jobs")
        with self.assertRaisesRegex(chief.NotFound, "jobs"):
            c.channel("jbos")
