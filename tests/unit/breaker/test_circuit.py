"""A circuit between its calls and an owner that is slow, lost, silent or new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.circuit import IDLE_LOOKS
from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.lane import NEVER
from actors.breaker.link import Word, place_of
from actors.breaker.published import GENERATION_BITS, Published
from actors.breaker.reports import REPORT_S
from tests.unit.breaker.town import Town, good

# -- permits --------------------------------------------------------------------------------------------------------


def test_a_caller_waits_for_its_permit_and_probes():
    town = Town(half_open_permits=1).half_opened()
    owner = town.slow_owner()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(town.breaker.call, good)
        while not owner.waiting:
            assert not call.done()
        owner.answer()
        assert call.result(30) == "fine"
    assert town.breaker.state == "closed"


def test_who_waits_too_long_is_refused_and_a_late_permit_goes_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.breaker.passage.PERMIT_WAIT_S", 0.001)
    town = Town(half_open_permits=1).half_opened()
    owner = town.slow_owner()
    with pytest.raises(CircuitOpenError) as refused:
        town.breaker.call(pytest.fail, "it ran")
    assert refused.value.state == "half_open"
    assert town.view.totals.refused == 1
    owner.answer()
    assert (town.view.permits_out, town.view.totals.permits_granted) == (0, 1)
    with pytest.raises(CircuitOpenError):
        town.breaker.call(good)  # it pauses before it asks again
    assert owner.waiting == []


def test_a_request_that_fails_is_a_refusal():
    town = Town().half_opened()
    owner = town.slow_owner()
    with ThreadPoolExecutor(1) as pool:
        acquired = pool.submit(town.breaker.try_acquire)
        while not owner.waiting:
            assert not acquired.done()
        owner.fail()
        assert acquired.result(30) is None
    assert town.view.totals.refused == 1
    town.later(1.0)
    del town.link.request_permit
    assert town.breaker.try_acquire() is not None


async def test_a_task_cancelled_while_it_waits_gives_the_permit_back_that_comes_later():
    town = Town(half_open_permits=1).half_opened()
    owner = town.slow_owner()
    task = asyncio.ensure_future(town.breaker.acall(asyncio.sleep, 0))
    while not owner.waiting:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    owner.answer()
    assert town.view.permits_out == 0


async def test_a_coroutine_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("actors.breaker.passage.PERMIT_WAIT_S", 0.001)
    town = Town(half_open_permits=1).half_opened()
    owner = town.slow_owner()
    with pytest.raises(CircuitOpenError):
        await town.breaker.acall(asyncio.sleep, 0)
    owner.answer()
    assert town.view.permits_out == 0


def test_a_permit_that_was_under_way_for_longer_than_its_lease_goes_back():
    town = Town(half_open_permits=1, permit_lease_s=0.5).half_opened()
    owner = town.slow_owner()
    with ThreadPoolExecutor(1) as pool:
        acquired = pool.submit(town.breaker.try_acquire)
        while not owner.waiting:
            assert not acquired.done()
        town.clock.time += 0.5
        owner.answer()
        assert acquired.result(30) is None
    assert town.view.permits_out == 0


# -- the owner ------------------------------------------------------------------------------------------------------


def test_while_the_owner_is_lost_nobody_probes_and_open_stays_shut():
    town = Town().half_opened()
    town.circuit.lost()
    with pytest.raises(CircuitOpenError):
        town.breaker.call(good)
    town.circuit.found()
    assert town.breaker.call(good) == "fine"


class SilentLink:
    """A link whose owner says nothing until the test lets it, from a place on a board that may move."""

    is_alone = False
    supervisor = "far"

    def __init__(self) -> None:
        self.board = memoryview(bytearray(64)).cast("Q")
        self.at = 3
        self.said: tuple[int, Word] | None = None
        self.told: list[m.Event] = []
        self.follower: Any = None
        self.reads = 0

    @property
    def words(self) -> Sequence[int]:
        return self.board

    def check(self, name: str) -> None:
        del name

    def attach(self, name: str, settings: Any, follower: Any, *, process: str) -> Any:
        del name, settings, process
        self.follower = follower
        return self

    def read(self) -> tuple[int, Word] | None:
        self.reads += 1
        return self.said

    def detach(self) -> None:
        self.follower = None

    def tell(self, name: str, events: Sequence[m.Event]) -> None:
        del name
        self.told += events

    def say(self, town: Town, word: int, **published: Any) -> None:
        self.said = (word, Word(published=Published(**published), settings=town.settings))
        self.board[self.at] = word


FIRST = 1 << GENERATION_BITS


def far(**fields: Any) -> tuple[Town, SilentLink]:
    town, link = Town(**fields), SilentLink()
    town.breaker = BreakerHandle(town.registry.circuit(link, "b", town.settings))  # type: ignore[arg-type]
    return town, link


def test_a_new_name_waits_for_nobody_and_its_calls_are_told_to_the_owner_that_comes():
    town, link = far(window_calls=10, minimum_calls=10)
    town.breaker.call(good)
    town.fail()
    assert town.breaker.state == "closed"
    town.circuit.flush()
    link.told.clear()
    link.say(town, 7, state="closed", generation=FIRST)
    link.follower.follow(link.said[1] if link.said else None)
    link.follower.found()
    town.later(REPORT_S)
    (report,) = [event for event in link.told if isinstance(event, m.OutcomesReported)]
    assert (report.generation, sorted(report.outcomes)) == (FIRST, [0, 1])


def test_calls_see_a_change_by_the_word_alone_and_read_once():
    town, link = far()
    link.say(town, 7, state="closed", generation=FIRST)
    for _ in range(3):
        town.breaker.call(good)
    read = link.reads
    for _ in range(10):
        town.breaker.call(good)
    assert link.reads == read
    link.say(town, 8, state="open", generation=FIRST + 1, wait_s=5.0)
    with pytest.raises(CircuitOpenError) as refused:
        town.breaker.call(good)
    assert (refused.value.generation, link.reads) == (FIRST + 1, read + 1)


def test_a_place_that_moved_is_found_again():
    town, link = far()
    link.say(town, 7, state="closed", generation=FIRST)
    town.breaker.call(good)
    link.board[link.at] = 0
    link.at = 5
    link.say(town, 9, state="forced_open", generation=FIRST + 1)
    with pytest.raises(CircuitOpenError):
        town.breaker.call(good)
    assert town.circuit.place[0] == 9


def test_an_earlier_word_after_a_later_one_changes_nothing():
    town, link = far()
    link.say(town, 8, state="open", generation=FIRST + 1, wait_s=5.0)
    town.circuit.look()
    late = Word(published=Published(state="closed", generation=FIRST), settings=town.settings)
    town.circuit.follow(late)
    assert town.breaker.state == "open"


def test_reports_lost_on_the_way_are_counted():
    town, link = far()
    town.breaker.call(good)
    town.circuit.flush()
    link.follower.untold(link.told)
    assert town.circuit.gate.reports.dropped == 1


def test_an_ended_circuit_follows_nobody_and_goes_on():
    town, link = far()
    town.circuit.end()
    assert link.follower is None
    assert town.breaker.call(good) == "fine"


def test_another_definition_than_the_owners_is_told(caplog: pytest.LogCaptureFixture):
    town, link = far()
    other = replace_settings(town, failure_rate=0.9)
    link.said = (7, Word(published=Published(state="closed", generation=FIRST), settings=other))
    town.circuit.look()
    (told,) = [record.getMessage() for record in caplog.records]
    assert "failure_rate: 0.9 stands, 0.5 was given" in told
    assert town.breaker.settings is other


def replace_settings(town: Town, **fields: Any) -> Any:
    return town.settings.model_copy(update=fields)


def test_a_place_in_any_sequence_can_be_cut_out():
    words = [4, 5, 6]

    class There:
        at = 2

        def __init__(self) -> None:
            self.words: Sequence[int] = words

    place = place_of(There())  # type: ignore[arg-type]
    assert (place[0], len(place)) == (6, 1)
    words[2] = 9
    assert place[0] == 9


# -- time -----------------------------------------------------------------------------------------------------------


def test_successes_are_told_after_a_while_and_the_keeper_sleeps_when_nobody_calls():
    town = Town()
    for _ in range(3):
        town.breaker.call(good)
    town.later(3 * REPORT_S)
    assert town.link.view("b").result().totals.successes == 3
    assert town.circuit.lane.word != NEVER
    town.later((IDLE_LOOKS + 5) * REPORT_S)
    assert (town.circuit.lane.word, town.keeper.run_due(town.clock.time)) == (NEVER, None)
    town.breaker.call(good)
    town.breaker.call(good)
    assert town.circuit.lane.word != NEVER
    town.later(3 * REPORT_S)
    assert town.link.view("b").result().totals.successes == 5


def test_a_long_call_that_ends_while_the_circuit_is_parked_is_told_with_the_next():
    town = Town()
    town.breaker.call(good)

    def long() -> None:
        town.later((IDLE_LOOKS + 5) * REPORT_S)

    town.breaker.call(long)
    town.breaker.call(good)
    town.later(3 * REPORT_S)
    assert town.link.view("b").result().totals.successes == 3


def test_what_succeeded_before_a_failure_is_judged_before_it():
    town = Town(consecutive_failures=2, failure_rate=None)
    for _ in range(3):
        town.breaker.call(good)
        town.fail()
    assert town.breaker.state == "closed"


def test_many_measured_calls_are_gathered_before_they_are_too_many():
    town = Town(slow_call_s=1.0, slow_call_rate=1.0)
    for _ in range(3000):
        town.breaker.call(good)
    assert len(town.circuit.lane.durations) < 1024
    assert town.view.totals.successes == 3000


def test_a_ramp_lets_a_part_through_and_closes():
    town = Town(ramp=(0.5,), half_open_permits=1).half_opened()
    town.breaker.call(good)
    assert town.breaker.state == "ramping"
    passed = 0
    for _ in range(10):
        permit = town.breaker.try_acquire()
        if permit is not None:
            permit.success()
            passed += 1
    assert passed == 5
    town.later(1.0)
    assert town.breaker.state == "closed"
