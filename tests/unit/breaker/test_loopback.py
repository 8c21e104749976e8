"""A whole breaker in one process, without a cluster."""

from __future__ import annotations

from typing import Any

from actors.breaker import messages as m
from actors.breaker.loopback import COMMANDS_MAX, Loopback
from actors.breaker.outcome import FAILED, SUCCESS
from actors.breaker.verdict import Admitted, Permit, Refused
from tests.unit.breaker.scene import Steady, fast, moves


class Process:
    def __init__(self, **fields: Any) -> None:
        self.now = 0.0
        self.breaker = Loopback(fast(**fields), rng=Steady(), now=self.now)

    def admit(self) -> Any:
        return self.breaker.admit(self.now)

    def call(self, code: int) -> None:
        verdict = self.admit()
        assert isinstance(verdict, Admitted)
        self.breaker.record(code, verdict.ticket, self.now)

    def opened(self) -> Process:
        self.call(FAILED)
        self.call(FAILED)
        return self


def test_it_opens_probes_and_closes_without_anybody_elses_help() -> None:
    process = Process().opened()
    assert process.admit() == Refused(state="open", retry_after_s=5.0, by_itself=False)
    process.now = 5.0
    permits = [process.admit(), process.admit()]
    assert all(isinstance(permit, Permit) for permit in permits)
    assert isinstance(process.admit(), Refused)
    for permit in permits:
        process.breaker.end_permit(permit, "success", process.now)
        process.breaker.end_permit(permit, "success", process.now)
    assert isinstance(process.admit(), Admitted)
    assert moves(process.breaker.take_commands()) == [
        ("closed", "open", "tripped"),
        ("open", "half_open", "wait_over"),
        ("half_open", "closed", "probes_succeeded"),
    ]
    assert process.breaker.take_commands() == []


def test_a_probe_that_fails_reopens_it() -> None:
    process = Process().opened()
    process.now = 5.0
    process.breaker.end_permit(process.admit(), "failure", process.now)
    refused = process.admit()
    assert (refused.state, refused.retry_after_s) == ("open", 10.0)


def test_who_may_not_probe_is_told_to_come_again() -> None:
    process = Process(half_open_permits=1).opened()
    process.now = 5.0
    process.admit()
    refused = process.admit()
    assert (refused.state, refused.by_itself) == ("half_open", False)
    assert refused.retry_after_s > 0


def test_a_quorum_of_others_cannot_be_had_and_the_process_opens_itself() -> None:
    process = Process(quorum=3, half_open_permits=1).opened()
    assert process.breaker.machine.state == "closed"
    refused = process.admit()
    assert (refused.state, refused.by_itself) == ("open", True)
    process.now = 5.0
    permit = process.admit()
    assert isinstance(process.admit(), Refused)
    process.breaker.end_permit(permit, "success", process.now)
    assert isinstance(process.admit(), Admitted)
    assert process.breaker.machine.view(process.now).voters == ()


def test_what_was_gathered_is_told_when_it_is_old_enough() -> None:
    process = Process()
    process.call(SUCCESS)
    process.now = 1.0
    process.admit()
    assert process.breaker.machine.view(process.now).calls == 1


def test_control_reaches_the_gate_at_once_and_the_users_function_is_asked_for() -> None:
    process = Process(open_s=float).opened()
    asked = [each for each in process.breaker.take_commands() if isinstance(each, m.AskOpenWait)]
    assert [each.openings for each in asked] == [1]
    process.breaker.tell(m.OpenWaitAnswered(generation=asked[0].generation, wait_s=1.0), process.now)
    assert process.admit().retry_after_s == 1.0
    process.breaker.tell(m.ControlRequested(action="disable", who="ann", reason="test"), process.now)
    assert isinstance(process.admit(), Admitted)


def test_commands_that_nobody_takes_are_bounded() -> None:
    process = Process()
    for _ in range(COMMANDS_MAX + 5):
        process.breaker.tell(m.ControlRequested(action="reset", who="ann", reason="test"), process.now)
    assert len(process.breaker.take_commands()) == COMMANDS_MAX
