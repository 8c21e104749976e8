from __future__ import annotations

import threading

from actors.healer.calls import ANSWERS_MAX, Answered, WaitingCalls
from actors.healer.incident import Incident
from actors.healer.running import CallPayload

INCIDENT = Incident(incident_id="1", component="db", failure="crash", severity="high")
PAYLOAD = CallPayload(function=b"f", arguments=b"a")


def answer(call: str) -> Answered:
    return Answered(call=call, answer="again", incident=INCIDENT)


def test_answers_go_to_the_process_that_waits_until_it_says_that_they_have_arrived():
    calls = WaitingCalls()
    calls.add("a", "p1", PAYLOAD)
    calls.add("b", "p2", PAYLOAD)
    calls.answer(answer("a"))
    assert [each.call for each in calls.answered("p1", 0.0)] == ["a"]
    assert [each.call for each in calls.answered("p1", 0.0)] == ["a"]
    assert calls.answered("p2", 0.0) == ()
    assert (calls.is_known("a"), calls.is_known("b"), calls.is_known("c")) == (True, True, False)
    calls.forget("a")
    calls.forget("a")
    assert calls.answered("p1", 0.0) == ()
    assert not calls.is_known("a")


def test_who_comes_too_early_waits():
    calls = WaitingCalls()
    found: list[tuple[Answered, ...]] = []
    collector = threading.Thread(target=lambda: found.append(calls.answered("p1", 30.0)))
    collector.start()
    calls.add("a", "p1", PAYLOAD)
    calls.answer(answer("a"))
    collector.join(30)
    assert [each.call for each in found[0]] == ["a"]


def test_a_step_waits_for_what_it_is_to_call():
    calls = WaitingCalls()
    assert calls.payload("a", 0.0) is None
    found: list[CallPayload | None] = []
    runner = threading.Thread(target=lambda: found.append(calls.payload("a", 30.0)))
    runner.start()
    calls.add("a", "p1", PAYLOAD)
    runner.join(30)
    assert found == [PAYLOAD]


def test_a_process_that_died_is_known_by_its_calls_and_all_is_bounded():
    calls = WaitingCalls()
    for number in range(ANSWERS_MAX + 2):
        calls.add(str(number), "p1", PAYLOAD)
    assert len(calls.of_process("p1")) == ANSWERS_MAX + 2
    for number in range(ANSWERS_MAX + 2):
        calls.answer(answer(str(number)))
    assert len(calls.answered("p1", 0.0)) == ANSWERS_MAX
    calls.answer(answer("nobody"))
    assert not calls.is_known("nobody")
    calls.close()
    assert calls.answered("p2", 30.0) == ()
