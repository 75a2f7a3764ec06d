"""Waiting for descriptors in asyncio."""

from __future__ import annotations

import asyncio
import os
from typing import Optional

from ._time import Seconds, milliseconds


async def readable(descriptors: list[int], timeout: Optional[Seconds]) -> bool:
    """Waits until one of them is readable; False when the time is over before."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    # Duplicates, since a loop takes one reader of a number and others may wait for the same thing.
    own = [os.dup(each) for each in descriptors]
    try:
        for each in own:
            loop.add_reader(each, lambda: future.done() or future.set_result(None))
        await asyncio.wait_for(future, None if timeout is None else milliseconds(timeout, "timeout") / 1000)
        return True
    except asyncio.TimeoutError:
        return False
    finally:
        for each in own:
            loop.remove_reader(each)
            os.close(each)
