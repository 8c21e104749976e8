"""The waiting room: who is answered at once, who waits, who is woken, who is sent away."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.long_poll import LongPoll, LongPollFullError
from actors.runtime.replicated import OwnedState, Replica

PATIENCE_S = 10.0


class StepClock:
    """Each look at it finds it a second later."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        self._now += 1.0
        return self._now

    def now_ns(self) -> int:
        return int(self.now() * 1e9)

    def wall_us(self) -> int:
        return 0


def until(condition: Callable[[], bool]) -> None:
    deadline = SYSTEM_CLOCK.now() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert SYSTEM_CLOCK.now() < deadline, "the condition did not come about"
        pause.wait(0.001)


def waiting(pool: ThreadPoolExecutor, room: LongPoll, count: int) -> list[Future[Replica | None]]:
    known = (room.current.incarnation, room.current.version) if room.current else (0, 0)
    futures = [pool.submit(room.observe, *known, PATIENCE_S) for _ in range(count)]
    until(lambda: room.waiters == count)
    return futures


def test_what_is_newer_is_answered_at_once() -> None:
    room = LongPoll(OwnedState(2))
    replica = room.publish(b"a")
    assert room.observe(0, 0, PATIENCE_S) is replica
    assert room.observe(1, 99, PATIENCE_S) is replica


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
def test_asking_without_waiting(timeout_s: float) -> None:
    room = LongPoll(OwnedState(2))
    assert room.observe(0, 0, timeout_s) is None
    assert room.observe(2, 1, timeout_s) is None


def test_time_runs_out_with_nothing_newer() -> None:
    room = LongPoll(OwnedState(2), clock=StepClock())
    room.publish(b"a")
    assert room.observe(2, 1, 0.5) is None
    assert room.observe(3, 0, 0.5) is None
    assert room.waiters == 0


def test_a_change_wakes_every_waiter() -> None:
    room = LongPoll(OwnedState(2))
    room.publish(b"a")
    with ThreadPoolExecutor(5) as pool:
        futures = waiting(pool, room, 5)
        replica = room.publish(b"b")
        assert [future.result(PATIENCE_S) for future in futures] == [replica] * 5
    assert room.waiters == 0


def test_an_unchanged_value_wakes_nobody() -> None:
    room = LongPoll(OwnedState(2))
    replica = room.publish(b"a")
    with ThreadPoolExecutor(1) as pool:
        (future,) = waiting(pool, room, 1)
        assert room.publish(b"a") is replica
        assert room.waiters == 1
        assert room.publish(b"b") == future.result(PATIENCE_S)


def test_a_full_room_turns_callers_away_but_still_answers() -> None:
    room = LongPoll(OwnedState(2), waiters_max=1)
    replica = room.publish(b"a")
    with ThreadPoolExecutor(1) as pool:
        (future,) = waiting(pool, room, 1)
        with pytest.raises(LongPollFullError, match="share its board") as caught:
            room.observe(2, 1, 3.0)
        assert (caught.value.limit, caught.value.retry_after_s) == (1, 3.0)
        assert room.observe(2, 1, 0.0) is None
        assert room.observe(1, 1, 3.0) is replica
        assert room.turned_away == 1
        room.publish(b"b")
        assert future.result(PATIENCE_S) is room.current
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.retry_after_s) == (str(caught.value), 3.0)


def test_closing_sends_everybody_home() -> None:
    room = LongPoll(OwnedState(2))
    with ThreadPoolExecutor(3) as pool:
        futures = waiting(pool, room, 3)
        room.close()
        assert [future.result(PATIENCE_S) for future in futures] == [None] * 3
    assert room.observe(0, 0, PATIENCE_S) is None
    replica = room.publish(b"a")
    assert room.observe(0, 0, PATIENCE_S) is replica


def test_a_room_holds_somebody() -> None:
    with pytest.raises(ValueError, match="waiters_max"):
        LongPoll(OwnedState(1), waiters_max=0)


def test_many_threads_see_every_version_grow() -> None:
    """No waiter misses the last version, none sees one go back."""
    room, last = LongPoll(OwnedState(1)), 200

    def follow() -> list[int]:
        seen = [0]
        while seen[-1] < last:
            replica = room.observe(1, seen[-1], PATIENCE_S)
            assert replica is not None
            seen.append(replica.version)
        return seen

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(follow) for _ in range(4)]
        for number in range(last):
            room.publish(b"%d" % number)
        for future in futures:
            seen = future.result(PATIENCE_S)
            assert seen == sorted(set(seen))
            assert seen[-1] == last


def test_an_inherited_value_wakes_who_waits_and_is_followed_by_the_own_one():
    room = LongPoll(OwnedState(5))
    inherited = Replica(4, 2, b"inherited")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(room.observe, 4, 1, PATIENCE_S)
        room.inherit(inherited)
        assert waiting.result(PATIENCE_S) == inherited
    room.inherit(Replica(4, 1, b"earlier"))
    assert room.current == inherited
    assert room.observe(4, 2, 0) is None
    assert room.publish(b"own") == room.observe(4, 2, 0) == Replica(5, 1, b"own")
