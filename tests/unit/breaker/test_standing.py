"""What each transition leaves behind, and what time alone does."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.published import GENERATION_BITS, Published
from actors.breaker.standing import Standing
from tests.unit.breaker.scene import BAD, Scene, Steady, fast, moves, only

WHY = m.Cause(kind="tripped", detail="why")


def _standing(**fields: Any) -> Standing:
    return Standing(fast(**fields), rng=Steady(), incarnation=3, now=10.0)


def test_it_begins_closed_in_the_generations_of_its_life() -> None:
    standing = _standing()
    assert standing.published(10.0) == Published(state="closed", generation=3 << GENERATION_BITS)


def test_each_transition_is_recorded_then_published_and_begins_all_anew() -> None:
    standing = _standing()
    standing.window.add(BAD, 10.0)
    standing.probation.count(success=True)
    standing.agreement.vote("p", 10.0)
    standing.open(WHY)
    generation = (3 << GENERATION_BITS) + 1
    assert standing.take_commands() == [
        m.RecordTransition(before="closed", after="open", generation=generation, cause=WHY, openings=1, wait_s=5.0),
        m.Publish(
            published=Published(state="open", generation=generation, wait_s=5.0, openings=1), settings=standing.settings
        ),
    ]
    assert (standing.window.calls, standing.probation.successes, standing.agreement.voters) == (0, 0, ())
    assert standing.take_commands() == []


def test_the_wait_is_told_as_what_is_left_of_it() -> None:
    standing = _standing()
    standing.open(WHY)
    assert [standing.published(now).wait_s for now in (9.0, 10.0, 12.0, 99.0)] == [5.0, 5.0, 3.0, 0.0]


def test_the_wait_grows_with_openings_in_a_row_and_starts_over_once_closed() -> None:
    scene, waits = Scene(), list[float]()
    for _ in range(4):
        waits.append(scene.half_opened().now if not waits else scene.now)
        grant = scene.grant()
        waits.append(only(m.RecordTransition, scene.end(grant, "failure")).wait_s)
        scene.later(waits[-1])
    assert waits[1::2] == [10.0, 20.0, 20.0, 20.0]
    for grant in (scene.grant(), scene.grant()):
        scene.end(grant)
    assert scene.state == "closed"
    assert only(m.RecordTransition, scene.report(BAD * 2)).wait_s == 5.0


def test_half_open_ends_after_its_longest_time_whatever_hangs() -> None:
    scene = Scene().half_opened()
    scene.grant()
    assert moves(scene.later(29.9)) == []
    assert moves(scene.later(0.1)) == [("half_open", "open", "half_open_too_long")]
    assert scene.machine.published(scene.now).openings == 2


def test_a_breaker_that_nobody_probed_reopens_without_waiting_longer_for_it() -> None:
    scene = Scene().half_opened()
    commands = scene.later(30.0)
    assert moves(commands) == [("half_open", "open", "half_open_too_long")]
    assert only(m.RecordTransition, commands).wait_s == 5.0
    assert scene.machine.published(scene.now).openings == 1


def test_what_begins_late_begins_now_after_the_process_was_stopped() -> None:
    scene = Scene().opened()
    assert moves(scene.later(1000.0)) == [("open", "half_open", "wait_over")]
    assert scene.machine.next_timer() == scene.now + 30.0


def test_a_ramp_lets_more_through_step_by_step_in_one_generation() -> None:
    scene = Scene(ramp=(0.1, 0.5, 1.0)).ramping()
    generation = scene.machine.generation
    seen = [scene.machine.published(scene.now).share]
    for _ in range(2):
        commands = scene.later(1.0)
        step = only(m.NoteRampStep, commands)
        published = only(m.Publish, commands).published
        seen.append(published.share)
        assert (step.share, step.step, step.generation) == (published.share, published.step, generation)
    assert seen == [0.1, 0.5, 1.0]
    assert moves(scene.later(1.0)) == [("ramping", "closed", "ramp_done")]
    assert scene.machine.published(scene.now).openings == 0


def test_a_step_is_judged_at_its_end_on_however_few_calls() -> None:
    scene = Scene(ramp=(0.1, 1.0)).ramping()
    assert moves(scene.report(BAD)) == []
    assert moves(scene.later(1.0)) == [("ramping", "open", "ramp_tripped")]
    assert scene.machine.published(scene.now).openings == 2


def test_a_step_opens_as_soon_as_a_rule_is_broken() -> None:
    scene = Scene(ramp=(0.1, 1.0)).ramping()
    assert moves(scene.report(BAD * 2)) == [("ramping", "open", "ramp_tripped")]


def test_each_step_is_judged_by_its_own_calls() -> None:
    scene = Scene(ramp=(0.1, 0.5, 1.0)).ramping()
    scene.report(bytes(3))
    assert moves(scene.later(1.0)) == []
    scene.report(BAD)
    assert moves(scene.later(1.0)) == [("ramping", "open", "ramp_tripped")]


class TestAFunctionForTheWait:
    def test_it_is_asked_for_and_the_longest_wait_holds_until_it_answers(self) -> None:
        scene = Scene(open_s=float)
        commands = scene.report(BAD * 2)
        asked = only(m.AskOpenWait, commands)
        assert (asked.openings, asked.generation) == (1, scene.machine.generation)
        assert commands.index(asked) > commands.index(only(m.Publish, commands))
        assert only(m.Publish, commands).published.wait_s == 20.0
        scene.later(1.0)
        answered = scene.tell(m.OpenWaitAnswered(generation=asked.generation, wait_s=3.0))
        assert only(m.RecordOpenWait, answered) == m.RecordOpenWait(generation=asked.generation, wait_s=3.0)
        assert only(m.Publish, answered).published.wait_s == 2.0
        assert moves(scene.later(2.0)) == [("open", "half_open", "wait_over")]

    def test_an_answer_that_comes_late_may_end_the_wait_at_once(self) -> None:
        scene = Scene(open_s=float)
        asked = only(m.AskOpenWait, scene.report(BAD * 2))
        scene.later(4.0)
        answered = scene.tell(m.OpenWaitAnswered(generation=asked.generation, wait_s=3.0))
        assert moves(answered) == [("open", "half_open", "wait_over")]

    def test_one_that_fails_or_hangs_leaves_the_longest_wait(self) -> None:
        scene = Scene(open_s=float)
        asked = only(m.AskOpenWait, scene.report(BAD * 2))
        scene.tell(m.OpenWaitAnswered(generation=asked.generation, wait_s=None))
        assert moves(scene.later(19.9)) == []
        assert moves(scene.later(0.1)) == [("open", "half_open", "wait_over")]

    @pytest.mark.parametrize("earlier", [True, False])
    def test_answers_of_another_opening_and_second_ones_change_nothing(self, earlier: bool) -> None:
        scene = Scene(open_s=float)
        asked = only(m.AskOpenWait, scene.report(BAD * 2))
        number = asked.generation - 1 if earlier else asked.generation
        if not earlier:
            scene.tell(m.OpenWaitAnswered(generation=number, wait_s=10.0))
        assert scene.tell(m.OpenWaitAnswered(generation=number, wait_s=1.0)) == []
        assert moves(scene.later(2.0)) == []


class TestShadow:
    def test_it_says_that_it_would_have_opened_and_never_refuses(self) -> None:
        scene = Scene()
        scene.control("shadow")
        commands = scene.report(BAD * 2)
        note = only(m.NoteWouldOpen, commands)
        assert (note.cause.kind, note.generation, len(commands)) == ("tripped", scene.machine.generation, 1)
        assert (scene.state, scene.machine.view(scene.now).would_be_open) == ("shadow", True)

    def test_while_it_would_be_open_nothing_counts_and_then_all_begins_anew(self) -> None:
        scene = Scene()
        scene.control("shadow")
        scene.report(BAD * 2)
        assert scene.report(BAD * 9) == []
        assert scene.machine.view(scene.now).calls == 0
        assert scene.later(5.0) == []
        assert not scene.machine.view(scene.now).would_be_open
        assert scene.report(BAD) == []
        assert only(m.NoteWouldOpen, scene.report(BAD)).cause.kind == "tripped"

    def test_a_function_for_its_wait_is_asked_too(self) -> None:
        scene = Scene(open_s=float)
        scene.control("shadow")
        asked = only(m.AskOpenWait, scene.report(BAD * 2))
        assert scene.tell(m.OpenWaitAnswered(generation=asked.generation, wait_s=3.0)) == []
        scene.later(2.9)
        assert scene.machine.view(scene.now).would_be_open
        scene.later(0.1)
        assert not scene.machine.view(scene.now).would_be_open
