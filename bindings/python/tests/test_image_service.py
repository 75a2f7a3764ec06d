"""The image service's workers, which are written in Lua, run from Python."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
import zlib
from typing import Any, Optional

import chief
from helper import HERE, SOURCE, Case, within

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "example"))
import image_service  # noqa: E402

SERVICE = os.path.join(SOURCE, "examples", "image-service")
BUILT = os.path.exists(os.path.join(SERVICE, "native", "image_native.so"))


def png(width: int, height: int) -> bytes:
    """A picture in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xff" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Watch:
    """A log that wakes who waits for a line."""

    def __init__(self) -> None:
        self.lines: list[chief.Record] = []
        self.changed = threading.Condition()

    def __call__(self, record: chief.Record) -> None:
        with self.changed:
            self.lines.append(record)
            self.changed.notify_all()

    def wait_for(self, message: str, worker: str) -> chief.Record:
        def found() -> Optional[chief.Record]:
            fits = (each for each in self.lines if each.message == message and each.fields.get("worker") == worker)
            return next(fits, None)

        with self.changed:
            if not self.changed.wait_for(found, within(20)):
                raise AssertionError(f"no line {message!r} of {worker}: {self.lines}")
            record = found()
            assert record is not None
            return record


@unittest.skipUnless(BUILT, "the C modules of the image service are not built")
class ImageService(Case):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.watch = Watch()

    def test_a_resizer_in_lua_works_for_a_worker_in_python(self) -> None:
        """What the api and the uploader do is done in Python: the messages are the service's own."""
        c = self.make(log=chief.Log(sink=self.watch))
        uploads, _ = c.add_channel("uploads"), c.add_channel("thumbs")
        got = c.add_channel("got")
        args = {"data_dir": self.folder, "side": 320, "max_pixels": 1 << 20, "run": "now", "resizers": 1}
        c.add_lua_worker("resizer", "workers.resizer", path=f"{SERVICE}/?.lua;;", args=args)

        def uploader(ctx: chief.WorkerContext) -> None:
            for message in ctx.channel("thumbs"):
                with open(f"{self.folder}/thumbs/{message.value['id']}", "rb") as file:
                    ctx.channel("got").send([message.sender, message.value["id"], file.read(8)])

        c.add_worker("uploader", uploader)
        self.go(c)
        record = {"id": "0" * 20, "state": "accepted", "run": "now", "type": "png", "bytes": 1, "width": 64}
        with open(f"{self.folder}/records/{record['id']}.json", "w") as file:
            json.dump(record, file)
        with open(f"{self.folder}/incoming/{record['id']}", "wb") as raw:
            raw.write(png(64, 48))
        uploads.send({"id": record["id"]})
        self.assertEqual(got.recv(within(20)).value, ["resizer", record["id"], "\x89PNG\r\n\x1a\n".encode("latin-1")])
        uploads.send(7)
        failed = self.watch.wait_for("worker failed", "resizer")
        self.assertEqual(failed.fields["reason"], "lua_error")
        self.assertIn("resizer.lua:", c.states()["resizer"].traceback)

    def test_the_whole_service_takes_a_picture_and_stops(self) -> None:
        port = free_port()
        c = image_service.make(port, self.folder, chief.Log(sink=self.watch), resizers=1)
        self.addCleanup(c.close)
        self.go(c)
        url = f"http://127.0.0.1:{port}/images"
        request = urllib.request.Request(url, png(640, 480), {"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=within(20)) as answer:
            posted: dict[str, Any] = json.load(answer)
        self.assertEqual(self.watch.wait_for("stored", "uploader").fields["id"], posted["id"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{posted['thumb']}", timeout=within(20)) as answer:
            self.assertEqual(answer.read()[:4], b"\x89PNG")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, b"no picture at all"), timeout=within(20))
        self.assertEqual(refused.exception.code, 415)
        refused.exception.close()
        c.stop()
        c.join(within(25))
        self.assertEqual(c.exit_code, 0)
        self.assertEqual({each.state for each in c.states()}, {chief.State.STOPPED})

    def test_what_a_worker_in_lua_cannot_do_is_told(self) -> None:
        c = self.make(log=chief.Log(sink=self.watch))
        c.add_channel("thumbs")
        args = {"data_dir": "/proc/nowhere", "drain": 1}
        c.add_lua_worker("uploader", "workers.uploader", path=f"{SERVICE}/?.lua;;", args=args, restart="never")
        c.init_workers()
        status = c.states()["uploader"]
        self.assertEqual((status.state, status.reason), (chief.State.FAILED, chief.Reason.INIT_ERROR))
        self.assertIn("the data folder cannot be used", status.error)
