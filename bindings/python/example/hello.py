"""One worker in Python and one in Lua: python3 hello.py

The one in Python sends numbers, the one in Lua (workers/squares.lua) answers with their squares.
"""

from __future__ import annotations

import os

import chief

HERE = os.path.dirname(os.path.abspath(__file__))


def asker(ctx: chief.WorkerContext) -> None:
    numbers = ctx.channel("numbers")
    for number in range(1, 4):
        numbers.send({"number": number})
    for message in ctx:  # what is sent to this worker, until it is asked to stop
        print(f"{message.sender} says: {message.value['number']} squared is {message.value['square']}")
        if message.value["number"] == 3:
            numbers.close()
            return


def main() -> None:
    with chief.Chief("hello", exit_when_done=True, log=chief.Log("warn")) as c:
        c.add_channel("numbers", capacity=8)
        c.add_lua_worker("squares", "workers.squares", path=f"{HERE}/?.lua", receives=["numbers"])
        c.add_worker("asker", asker, restart="on_failure", after=["squares"], sends=["numbers"])
        c.run_all()


if __name__ == "__main__":
    main()
