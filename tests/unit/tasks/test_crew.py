"""Who is sent to next, and what is known of each worker."""

from __future__ import annotations

from collections.abc import Sequence

from supervisor.tasks.crew import BATCHES_HELD_MAX, Batch, Crew, Route, Worker
from supervisor.tasks.policy import Policy
from supervisor.tasks.task import Callee, Task


def _crew(*names: str, standbys: Sequence[str] = ()) -> Crew:
    crew = Crew(prefetch_s=0.05)
    crew.update(
        [Route(name=name, role="active") for name in names] + [Route(name=name, role="standby") for name in standbys]
    )
    return crew


def _task(number: int) -> Task:
    callee = Callee(digest=b"f", name="f")
    return Task(number=number, task_id="", key=None, callee=callee, arguments=b"", refs=[], policy=Policy())


def _give(crew: Crew, name: str, number: int, *, expected_s: float = 0.0, solo: bool = False, tasks: int = 1) -> Batch:
    held = {index: _task(index) for index in range(tasks)}
    batch = crew[name].batches[number] = Batch(number, name, held, 0.0, expected_s, solo)
    crew.settle_place(crew[name])
    return batch


def _next(crew: Crew, *, alone: bool = False) -> str | None:
    worker = crew.with_room(alone=alone)
    return None if worker is None else worker.name


def test_an_idle_worker_comes_first_then_one_that_will_soon_be_and_then_none() -> None:
    crew = _crew("a", "b")
    assert (_next(crew), crew.has_idle) == ("a", True)
    _give(crew, "a", 1)
    assert _next(crew) == "b"
    _give(crew, "b", 2)
    assert (_next(crew), crew.has_idle) == ("a", False)
    _give(crew, "a", 3)
    _give(crew, "b", 4)
    assert _next(crew) is None


def test_who_was_idle_longest_is_next() -> None:
    crew = _crew("a", "b")
    _give(crew, "a", 1)
    del crew["a"].batches[1]
    crew.settle_place(crew["a"])
    assert _next(crew) == "b"


def test_a_task_that_must_be_alone_is_only_sent_to_an_idle_worker() -> None:
    crew = _crew("a")
    _give(crew, "a", 1)
    assert (_next(crew), _next(crew, alone=True)) == ("a", None)


def test_no_second_batch_for_who_is_slow_expects_long_work_or_has_a_task_that_must_be_alone() -> None:
    crew = _crew("slow", "long", "solo")
    _give(crew, "slow", 1)
    crew["slow"].slow = True
    crew.settle_place(crew["slow"])
    _give(crew, "long", 2, expected_s=0.06)
    _give(crew, "solo", 3, solo=True)
    assert _next(crew) is None


def test_a_blocked_batch_does_not_count_but_those_held_are_bounded() -> None:
    crew = _crew("a")
    for number in range(BATCHES_HELD_MAX):
        assert _next(crew) == "a"
        _give(crew, "a", number, expected_s=9.0).blocked = True
        crew.settle_place(crew["a"])
    assert _next(crew) is None


def test_a_worker_that_is_to_end_has_no_room() -> None:
    crew = _crew("a")
    crew["a"].killing = True
    crew.settle_place(crew["a"])
    assert _next(crew) is None


def test_an_announcement_brings_takes_and_changes_roles() -> None:
    crew = _crew("a", "b", standbys=["c"])
    batch = _give(crew, "b", 1)
    removed, back = crew.update(
        [Route(name="b", role="standby"), Route(name="c", role="active"), Route(name="d", role="active")]
    )
    assert ([worker.name for worker in removed], back) == (["a"], [])
    assert {worker.name: worker.role for worker in crew} == {"b": "standby", "c": "active", "d": "active"}
    assert crew["b"].batches == {1: batch}, "who stands by ends what it has in hand"
    assert (len(crew), crew.get("a")) == (3, None)
    assert _next(crew) == "c"


def test_a_standby_steps_in_for_a_lost_active_worker_only() -> None:
    crew = _crew("a", standbys=["b", "c"])
    crew.remove("b")
    assert _next(crew) == "a"
    crew.remove("a")
    assert _next(crew) == "c"
    crew.remove("c")
    assert _next(crew) is None


def test_a_worker_out_of_reach_is_back_with_what_it_had_in_hand() -> None:
    crew = _crew("a")
    batch = _give(crew, "a", 1)
    lost = crew.remove("a", forgivable=True)
    assert crew.update([Route(name="a", role="standby")]) == ([], [lost])
    assert (crew["a"].batches, crew["a"].role) == ({1: batch}, "standby")
    assert crew.update([Route(name="a", role="active")]) == ([], [])


def test_a_worker_out_of_reach_that_was_replaced_or_died_is_not_back() -> None:
    crew = _crew("a", "b")
    crew.remove("a", forgivable=True)
    crew.remove("b", forgivable=True)
    assert crew.remove("b") is None
    crew.update([])
    removed, back = crew.update([Route(name="a", role="active"), Route(name="b", role="active")])
    assert (removed, back) == ([], [])
    assert crew["a"].batches == {}


def test_a_dead_worker_stays_gone_as_long_as_announcements_name_it() -> None:
    crew = _crew("a")
    crew.remove("a")
    crew.update([Route(name="a", role="active")])
    assert crew.get("a") is None
    assert crew.remove("stranger") is None


def test_the_batch_that_runs_is_the_first_that_neither_ended_nor_waits_for_another() -> None:
    worker = Worker("a", "active")
    assert (worker.running, worker.suspect) == (None, None)
    batches = [Batch(number, "a", {number: _task(number)}, 0.0, 0.0, solo=False) for number in range(4)]
    worker.batches = {batch.number: batch for batch in batches}
    batches[0].closed = True
    batches[1].tasks.clear()
    assert worker.running is batches[2]
    assert worker.suspect is batches[2].tasks[2]
    batches[2].blocked = True
    assert worker.running is batches[3]
    batches[3].blocked = True
    assert worker.running is batches[2], "all wait: one of them must go on some time"


def test_nobody_is_suspected_in_company_or_beside_something_old() -> None:
    worker = Worker("a", "active")
    worker.batches = {1: Batch(1, "a", {1: _task(1), 2: _task(2)}, 0.0, 0.0, solo=False)}
    assert worker.suspect is None
    worker.batches = {
        1: Batch(1, "a", {}, 0.0, 0.0, solo=True, orphan=True),
        2: Batch(2, "a", {2: _task(2)}, 0.0, 0.0, solo=True),
    }
    assert worker.running is worker.batches[1]
    assert worker.suspect is None
