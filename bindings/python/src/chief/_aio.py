"""Waiting for descriptors in asyncio."""

from __future__ import annotations

import os
from typing import Optional

from ._time import Seconds, milliseconds


async def readable(descriptors: list[int], timeout: Optional[Seconds]) -> bool:
    """Waits until one of them is readable; False when the time is over before."""
    import asyncio  # here, since it takes longer to load than all the rest

    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def woken() -> None:
        if not future.done():
            future.set_result(None)

    # Duplicates, since a loop takes one reader of a number and others may wait for the same thing.
    own = [os.dup(each) for each in descriptors]
    try:
        for each in own:
            loop.add_reader(each, woken)
        await asyncio.wait_for(future, None if timeout is None else milliseconds(timeout, "timeout") / 1000)
        return True
    except asyncio.TimeoutError:
        return False
    finally:
        for each in own:
            loop.remove_reader(each)
            os.close(each)
