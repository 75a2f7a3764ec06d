from __future__ import annotations

import unittest

import chief
from chief import _codec


class Codec(unittest.TestCase):
    def test_values_come_back_as_they_were(self) -> None:
        values = [
            1, -5, 0, 2**63 - 1, -(2**63), 1.5, "h\u00e9", b"\xff\x00", True, False, "", [1, [2, []]], {},
            {"a": 1, "b": {"c": [None, True]}}, {1: "one", b"\xfe": 2}, list(range(1000)), {"k": "x" * 65536},
        ]  # fmt: skip
        for value in values:
            back = _codec.decode(_codec.encode(value))
            self.assertEqual(back, value)
            self.assertIs(type(back), type(value))

    def test_a_text_over_64_kib_comes_as_bytes(self) -> None:
        self.assertEqual(_codec.decode(_codec.encode("x" * 65537)), b"x" * 65537)

    def test_what_cannot_be_sent_is_refused_with_its_path(self) -> None:
        holds_itself: list[object] = []
        holds_itself.append(holds_itself)
        for value, text in (
            (None, "can't send nil; send false or {}"),
            ({"tags": [1, print]}, "can't send a builtin_function_or_method (at ['tags'][1])"),
            (2**63, "can't send an integer beyond 64 bits"),
            ({"a": {(1,): 2}}, "can't send a key that is a tuple (at ['a'][(1,)])"),
            (holds_itself, "can't send what is nested more than 100 deep or holds itself"),
        ):
            with self.assertRaises(chief.Invalid) as caught:
                _codec.encode(value)
            self.assertEqual(str(caught.exception), text)

    def test_malformed_bytes_are_refused(self) -> None:
        for data in (b"", b"\xc1", b"\x93\x01", b"\xdb\xff\xff\xff\xff", b"\x01\x01"):
            with self.assertRaises(chief.BadData):
                _codec.decode(data)
