"""The image service from Python: its workers in Lua, and one in Python that keeps count, under one chief.

    python3 image_service.py [PORT [DATA_DIR]]

What the service is and does: examples/image-service.
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from typing import Any, Optional

import chief

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICE = os.environ.get("IMAGE_SERVICE") or os.path.join(HERE, "../../../examples/image-service")
RESTART: Any = {"delay": 0.1, "max_delay": 5, "max_restarts": 5, "window": 30}


class Counter:
    """Answers calls with how many pictures have been stored; the uploader is asked for nothing, its log tells it."""

    def __init__(self, ctx: chief.WorkerContext):
        self.stored: list[str] = []

    def run(self, ctx: chief.WorkerContext) -> None:
        for message in ctx:
            if message.kind == "call":
                message.reply({"stored": self.stored})
            else:
                self.stored.append(message.value)


def make(port: int, data_dir: str, log: Optional[chief.Log] = None, resizers: int = 2) -> chief.Chief:
    """The service; it runs when its `run_all` is called."""
    service = os.path.realpath(SERVICE)
    c = chief.Chief("image-service", log=log, force_stop_timeout=30)
    common = {"data_dir": data_dir, "run": uuid.uuid4().hex, "drain": 10}
    for channel in ("uploads", "thumbs"):
        c.add_channel(channel, capacity=64, delivery="at_least_once", max_deliveries=0)

    def add(name: str, args: dict[str, Any], **options: Any) -> None:
        c.add_lua_worker(
            name, f"workers.{name}", path=f"{service}/?.lua;;", args={**common, **args}, restart=RESTART, **options
        )

    add("uploader", {}, receives=["thumbs"], critical=True)
    picture = {"side": 320, "max_pixels": 64_000_000, "resizers": resizers}
    flow: Any = {"receives": ["uploads"], "sends": ["thumbs"], "after": ["uploader"]}
    add("resizer", picture, count=resizers, isolation="process", **flow)
    limits = {"max_bytes": 32 << 20, "max_pixels": 64_000_000, "max_connections": 512}
    times = {"idle_timeout": 10, "request_timeout": 120}
    http = {"host": "127.0.0.1", "port": port, "queue": 64, **limits, **times}
    add("api", http, sends=["uploads"], after=["resizer"], critical=True)
    c.add_worker("counter", Counter)
    return c


def main(port: str = "8080", data_dir: str = "") -> int:
    with tempfile.TemporaryDirectory() as folder, make(int(port), data_dir or folder) as c:
        try:
            c.run_all()
        except chief.Error as problem:
            print(problem, file=sys.stderr)
        return c.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
