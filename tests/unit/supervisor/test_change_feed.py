"""The waiting room of changes: who is answered at once, who waits, who is woken, who is sent away."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.long_poll import LongPollFullError
from supervisor.change_feed import ChangeFeed
from supervisor.changes import ChildChange
from supervisor.leading import GROUPS

PATIENCE_S = 10.0
CHANGE = ChildChange(key="child/a", name="s/child/a#1", incarnation=1, event="ready", status="running", role="active")


def until(condition: Callable[[], bool]) -> None:
    deadline = SYSTEM_CLOCK.now() + PATIENCE_S
    pause = threading.Event()
    while not condition():
        assert SYSTEM_CLOCK.now() < deadline, "the condition did not come about"
        pause.wait(0.001)


@pytest.fixture
def feed() -> ChangeFeed:
    made = ChangeFeed(3)
    made.begin(())
    return made


def test_what_came_is_answered_at_once_and_crosses_processes(feed: ChangeFeed):
    feed.append(CHANGE)
    batch = feed.changes(3, 0, PATIENCE_S)
    assert batch is not None
    assert (batch.incarnation, batch.seq, batch.changes) == (3, 1, (CHANGE,))
    assert pickle.loads(pickle.dumps(batch)) == batch


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, 0.01])
def test_nothing_new_is_none(feed: ChangeFeed, timeout_s: float):
    assert feed.changes(3, 0, timeout_s) is None


def test_all_who_wait_are_woken(feed: ChangeFeed):
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(feed.changes, 3, 0, PATIENCE_S) for _ in range(4)]
        until(lambda: feed.waiters == 4)
        feed.append(CHANGE)
        assert [batch.changes for each in waiting if (batch := each.result(PATIENCE_S))] == [(CHANGE,)] * 4
    assert feed.waiters == 0


def test_before_the_leader_has_begun_all_wait():
    feed = ChangeFeed(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.changes, 0, 0, PATIENCE_S)
        until(lambda: feed.waiters == 1)
        feed.append(CHANGE)
        feed.begin(())
        assert waiting.result(PATIENCE_S) is not None


def test_a_thread_of_the_leader_stays_free_to_turn_callers_away():
    """A caller beyond the actor's threads would wait in Ray's queue, and never be told to come back."""
    feed = ChangeFeed(1)
    feed.begin(())
    with ThreadPoolExecutor(GROUPS["changes"]) as pool:
        asked = [pool.submit(feed.changes, 1, 0, PATIENCE_S) for _ in range(GROUPS["changes"])]
        until(lambda: feed.turned_away == 1)
        feed.close()
        assert sum(isinstance(each.exception(PATIENCE_S), LongPollFullError) for each in asked) == 1


def test_a_full_room_says_when_to_come_back():
    feed = ChangeFeed(1, waiters_max=1)
    feed.begin(())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.changes, 1, 0, PATIENCE_S)
        until(lambda: feed.waiters == 1)
        with pytest.raises(LongPollFullError) as caught:
            feed.changes(1, 0, 2.0)
        assert (caught.value.retry_after_s, feed.turned_away) == (2.0, 1)
        feed.close()
        assert waiting.result(PATIENCE_S) is None


def test_a_closed_room_answers_and_lets_nobody_wait(feed: ChangeFeed):
    feed.close()
    assert feed.changes(3, 0, PATIENCE_S) is None
    feed.append(CHANGE)
    assert feed.changes(3, 0, PATIENCE_S) is not None


def test_somebody_must_be_able_to_wait():
    with pytest.raises(ValueError, match="at least 1"):
        ChangeFeed(1, waiters_max=0)
