"""Workers for processes, which import this module."""

from __future__ import annotations

import os
import time

import chief


class Worker:
    restart_on_fail = True

    def __init__(self, ctx: chief.WorkerContext):
        self.prefix = ctx.args

    def run(self, ctx: chief.WorkerContext) -> None:
        for message in ctx:
            if message.value == "die":
                os.kill(os.getpid(), 9)
            if message.value == "raise":
                raise ValueError("in a process")
            message.reply([self.prefix, message.value, os.getpid(), ctx.generation])


def refuses(ctx: chief.WorkerContext) -> None:
    while True:
        time.sleep(3600)
