"""The load and its witness: every task is held against what was seen of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from actors.runtime.context import CURRENT, TaskContext
from experiments.model.experiment import EffectsMode, Load
from experiments.running.load import RunningLoad
from experiments.running.witness import EFFECTS_OF_KEY_MAX, Witness, tell
from experiments.running.work import work
from tests.unit.faults.scene import until


@pytest.fixture
def witness() -> Iterator[Witness]:
    made = Witness("127.0.0.1")
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def load_of(witness: Witness, submit: Callable[[str], Any], **changed: Any) -> RunningLoad:
    load = RunningLoad(Load(per_s=1000, work_s=0, **changed), submit, witness, prefix="r")
    load.start(0.0)
    return load


def test_a_witness_applies_a_key_once_and_counts_who_asks_again(witness: Witness) -> None:
    first = tell(witness.address, "k")
    assert tell(witness.address, "k") == first
    assert tell(witness.address, "l") != first
    assert [effect.key for effect in witness.effects()] == ["k", "l"]
    assert witness.asked_again == 1


def test_a_raw_witness_applies_every_request_and_remembers_whose_it_was(witness: Witness) -> None:
    raw = Witness("127.0.0.1", "raw")
    try:
        first = tell(raw.address, "k")
        CURRENT.set(TaskContext("t1", "k", 2, None, 0, 0))
        assert tell(raw.address, "k") != first
        assert [(effect.key, effect.task, effect.attempt) for effect in raw.effects()] == [
            ("k", "-", 0),
            ("k", "t1", 2),
        ]
        assert raw.asked_again == 1
        for _ in range(EFFECTS_OF_KEY_MAX):
            raw.apply("k")
        assert len(raw.effects()) == EFFECTS_OF_KEY_MAX
        assert raw.asked_again == EFFECTS_OF_KEY_MAX + 1
    finally:
        CURRENT.set(None)
        raw.close()


def test_a_task_that_runs_twice_is_doubled_where_effects_are_raw_and_told_of_where_they_are_not(
    pool: ThreadPoolExecutor,
) -> None:
    modes: tuple[tuple[EffectsMode, int], ...] = (("raw", 5), ("keyed", 0))
    for mode, doubled in modes:
        witness = Witness("127.0.0.1", mode)

        def twice(key: str, witness: Witness = witness) -> str:
            tell(witness.address, key)
            return tell(witness.address, key)

        load = load_of(witness, lambda key, twice=twice: pool.submit(twice, key), tasks=5)
        until(lambda load=load: load.ended == 5)
        load.stop(5.0)
        assert load.checked(at_the_end=True).doubled.count == doubled
        assert (load.measured("doubled"), load.measured("asked_again")) == (doubled, 5.0)
        witness.close()


def test_a_witness_answers_nobody_who_does_not_know_the_word(witness: Witness) -> None:
    stranger = type(witness.address)(witness.address.host, witness.address.port, "guess")
    with pytest.raises(ConnectionError, match="broke off"):
        tell(stranger, "k")
    assert witness.effects() == ()


def test_a_clean_load_is_clean(witness: Witness, pool: ThreadPoolExecutor) -> None:
    load = load_of(witness, lambda key: pool.submit(work, witness.address, key, 0.0), tasks=40)
    until(lambda: load.ended == 40)
    assert load.stop(5.0)
    found = load.checked(at_the_end=True)
    assert (found.ok, found.submitted, found.effects) == (True, 40, 40)
    assert (load.measured("error_share"), load.measured("lost"), load.measured("attempted")) == (0.0, 0.0, 40.0)
    assert load.measured("p99_s") is not None


def test_tasks_share_keys_where_there_are_fewer(witness: Witness, pool: ThreadPoolExecutor) -> None:
    done: dict[str, Future[str]] = {}

    def once(key: str) -> Future[str]:
        return done.setdefault(key, pool.submit(work, witness.address, key, 0.0)) if key not in done else done[key]

    load = load_of(witness, once, tasks=20, keys=5)
    until(lambda: load.ended == 20)
    load.stop(5.0)
    assert load.checked(at_the_end=True).submitted == 5
    assert load.checked(at_the_end=True).ok


def test_what_is_under_way_is_not_lost_before_its_time_is_up(witness: Witness) -> None:
    open_ones: list[Future[str]] = []

    def never(_: str) -> Future[str]:
        open_ones.append(Future())
        return open_ones[-1]

    load = load_of(witness, never, tasks=3, timeout_s=600)
    until(lambda: len(open_ones) == 3)
    assert load.measured("lost") == 0.0
    assert not load.stop(0.01)
    assert load.checked(at_the_end=True).lost.count == 3


def test_a_success_without_an_effect_is_lost_and_a_made_up_one_unexpected(witness: Witness) -> None:
    def lie(key: str) -> Future[str]:
        if key.endswith("1"):
            witness.apply(key)
        done: Future[str] = Future()
        done.set_result("made up")
        return done

    load = load_of(witness, lie, tasks=2)
    until(lambda: load.ended == 2)
    load.stop(1.0)
    found = load.checked(at_the_end=True)
    assert (found.lost.keys, found.unexpected.keys) == (("r-0",), ("r-1",))


def test_failures_and_refusals_are_counted_by_their_error(witness: Witness) -> None:
    lock = threading.Lock()
    seen: list[str] = []

    def fail(key: str) -> Future[str]:
        with lock:
            seen.append(key)
        done: Future[str] = Future()
        done.set_exception(ConnectionError("no"))
        return done

    load = load_of(witness, fail, tasks=4)
    until(lambda: load.ended == 4)
    load.stop(1.0)
    assert load.errors() == {"ConnectionError": 4}
    assert (load.failed, load.measured("error_share")) == (4, 1.0)
    assert [call.ok for call in load.calls()] == [False] * 4
