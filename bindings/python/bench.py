"""A contender of tests/bench: numbers from one worker to another, both in Python. --work W --messages N --seed S"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import chief

BATCH = 100
UNAVAILABLE = 69

Worker = Callable[[chief.WorkerContext], None]


def numbers(messages: int, seed: int) -> Iterator[int]:
    return ((i * 7 + seed) % 1000003 for i in range(1, messages + 1))


def one_by_one(messages: int, seed: int, sums: list[int]) -> tuple[Worker, Worker]:
    def sender(ctx: chief.WorkerContext) -> None:
        ch = ctx.channel("ch")
        for number in numbers(messages, seed):
            ch.send(number)

    def receiver(ctx: chief.WorkerContext) -> None:
        ch = ctx.channel("ch")
        sums.append(sum(ch.recv().value for _ in range(messages)))

    return sender, receiver


def in_batches(messages: int, seed: int, sums: list[int]) -> tuple[Worker, Worker]:
    def sender(ctx: chief.WorkerContext) -> None:
        ch, rest = ctx.channel("ch"), list(numbers(messages, seed))
        for i in range(0, messages, BATCH):
            ch.send_many(rest[i : i + BATCH])

    def receiver(ctx: chief.WorkerContext) -> None:
        ch, seen, total = ctx.channel("ch"), 0, 0
        while seen < messages:
            batch = ch.recv_many(BATCH)
            seen += len(batch)
            total += sum(message.value for message in batch)
        sums.append(total)

    return sender, receiver


WORKS = {"binding-oneway": one_by_one, "binding-batch": in_batches}


def main(arguments: dict[str, str]) -> int:
    work = arguments.get("--work", "")
    if work not in WORKS:
        print(f"there is no work {work}", file=sys.stderr)
        return UNAVAILABLE
    messages, sums = int(arguments["--messages"]) // 4 * 4, list[int]()
    sender, receiver = WORKS[work](messages, int(arguments["--seed"]), sums)
    with chief.Chief("bench", exit_when_done=True, log=chief.Log("off")) as c:
        c.add_channel("ch", capacity=1024)
        c.add_worker("receiver", receiver)
        c.add_worker("sender", sender)
        c.init_workers()
        began = time.monotonic()
        c.start()
        took = time.monotonic() - began
    print(f"{work} {messages / took:.3f} msg/s {sums[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(dict(zip(sys.argv[1::2], sys.argv[2::2]))))
