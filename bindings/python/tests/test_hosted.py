from __future__ import annotations

import select
import threading

import chief
from helper import Case, within


class OnOnesOwnThread(Case):
    def test_the_thread_that_leads_is_where_it_lives(self) -> None:
        c = self.make()
        seen: list[tuple[str, int]] = []

        class Worker:
            restart_on_fail = True

            def __init__(self, ctx: chief.WorkerContext) -> None:
                seen.append((f"init {ctx.generation}", threading.get_ident()))

            def run(self, ctx: chief.WorkerContext) -> None:
                for message in ctx:
                    if message.value == "fail":
                        raise ValueError("as asked")
                    message.reply([ctx.name, message.value])

            def close(self) -> None:
                seen.append(("close", threading.get_ident()))

        c.init_workers()
        c.launch()
        hosted = c.add_hosted("main", Worker, restart={"delay": 0})

        def others() -> None:
            c.send("main", "fail")
            seen.append((str(c.call("main", 1, within(10))), 0))
            c.stop()

        thread = threading.Thread(target=others)
        thread.start()
        hosted.lead()
        thread.join()
        own = threading.get_ident()
        self.assertEqual(
            seen, [("init 1", own), ("close", own), ("init 2", own), ("['main', 1]", 0), ("close", own)]
        )
        status = c.states()["main"]
        self.assertEqual((status.state, status.error), ("stopped", "ValueError: as asked"))
        self.assertIn("as asked", status.traceback)

    def test_ctrl_c_ends_the_life_and_is_raised(self) -> None:
        c = self.make()

        def worker(ctx: chief.WorkerContext) -> None:
            raise KeyboardInterrupt

        c.init_workers()
        c.launch()
        hosted = c.add_hosted("main", worker)
        with self.assertRaises(KeyboardInterrupt):
            hosted.lead_one(within(10))
        c.wait("main", "failed", within(10))

    def test_its_descriptor_says_when_it_is_wanted(self) -> None:
        c = self.make(exit_when_done=True)
        c.init_workers()
        done: list[str] = []
        hosted = c.add_hosted("later", lambda ctx: done.append(ctx.name))
        with self.assertRaises(chief.WouldBlock):
            while True:
                hosted.lead_one(0)
        c.launch()
        while not done:
            self.assertEqual(select.select([hosted], [], [], within(10))[0], [hosted])
            try:
                hosted.lead_one(0)
            except chief.WouldBlock:
                pass
        c.join(within(10))
        with self.assertRaises(chief.Closed):
            hosted.lead_one()
