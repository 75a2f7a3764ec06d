from __future__ import annotations

import unittest

import chief


class Simulated(unittest.TestCase):
    def test_a_policy_is_seen_without_waiting(self) -> None:
        s = chief.Simulation()
        s.add_worker("w", restart={"delay": 1, "factor": 2, "jitter": 0, "max_restarts": 2, "window": 60})
        s.start()
        delays = []
        for _ in range(2):
            s.fail("w", "no luck")
            delays.append(s.states()["w"].until)
            assert s.deadline is not None
            s.advance(s.deadline - s.now)
        self.assertEqual(delays, [1.0, 2.0])
        self.assertEqual(s.now, 3.0)
        s.fail("w")
        status = s.states()["w"]
        self.assertEqual((status.phase, status.state), ("given_up", "failed"))
        kinds = [event.kind for event in s.events()]
        self.assertEqual((kinds.count(chief.EventKind.RESTART), kinds.count(chief.EventKind.GIVEN_UP)), (2, 1))
        self.assertEqual(s.events(), [])

    def test_stops_and_requests(self) -> None:
        s = chief.Simulation("app", force_stop_timeout=10)
        s.add_worker("obeys", ready="explicit")
        s.add_worker("stuck", after=["obeys"])
        s.add_worker("off")
        s.add_group("g", "one_for_all", ["obeys", "stuck"])
        s.enable_workers("obeys", "stuck")
        s.fail_init("obeys", 1, "not yet")
        s.start()
        self.assertEqual(s.states()["obeys"].error, "not yet")
        s.start_worker("obeys")
        s.ready("obeys")
        self.assertEqual(s.states()["stuck"].state, "run")
        with self.assertRaises(chief.WrongStateChange):
            s.start_worker("stuck")
        s.restart_worker("stuck")
        s.stop_worker("stuck")
        s.start_worker("stuck")
        s.behave("stuck", "stuck")
        s.signal()
        s.advance(11)
        self.assertTrue(s.has_stopped)
        self.assertEqual((s.states()["stuck"].phase, s.exit_code), ("abandoned", 75))
        with self.assertRaises(ValueError):
            s.behave("stuck", "rude")

    def test_what_ends_by_itself(self) -> None:
        s = chief.Simulation(exit_when_done=True)
        s.add_worker("w")
        s.add_worker("v")
        s.start()
        s.remove_worker("v")
        s.finish("w")
        self.assertEqual((s.has_stopped, s.exit_code), (True, 0))
        with self.assertRaises(chief.InvalidState):
            s.finish("w")
        for stop in (chief.Simulation.stop, chief.Simulation.force_stop):
            other = chief.Simulation()
            other.add_worker("w")
            other.start()
            stop(other)
            self.assertTrue(other.has_stopped)
