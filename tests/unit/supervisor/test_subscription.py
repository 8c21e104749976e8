"""Subscribers over real waiting rooms: sync, async, slow, cancelled, closed, and over a change of the leader."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from actors.runtime.errors import ConfigError, SupervisorError
from actors.runtime.long_poll import LongPollFullError
from supervisor.change_feed import ChangeFeed
from supervisor.changes import ChangeBatch, ChildChange
from supervisor.subscription import Subscription

PATIENCE_S = 10.0
POLL_S = 0.05
CHANGE = ChildChange(key="child/a", name="s/child/a#1", incarnation=1, event="ready", status="running", role="active")
DEATH = replace(CHANGE, event="died", status="restarting")


class Office:
    """Whoever leads now; nobody, at times."""

    def __init__(self) -> None:
        self.feed: ChangeFeed | None = None
        self.asked = 0
        self.over = False
        self.lead(1)

    def lead(self, incarnation: int, *states: ChildChange, capacity: int = 100) -> ChangeFeed:
        feed = ChangeFeed(incarnation, capacity=capacity)
        feed.begin(states)
        self.feed = feed
        return feed

    def read(self, incarnation: int, seq: int, timeout_s: float) -> ChangeBatch | None:
        self.asked += 1
        return None if self.feed is None else self.feed.changes(incarnation, seq, timeout_s)

    def tell(self, *changes: ChildChange) -> None:
        assert self.feed is not None
        for change in changes:
            self.feed.append(change)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def subscription(office: Office) -> Iterator[Subscription]:
    with Subscription(office.read, over=lambda: office.over, poll_s=POLL_S) as made:
        assert made.prime(PATIENCE_S)
        yield made


def event_of(change: ChildChange | None) -> str:
    assert change is not None
    return change.event


class TestIterating:
    def test_changes_come_in_order_until_it_is_closed(self, office: Office, subscription: Subscription):
        office.tell(CHANGE, DEATH)
        found: list[str] = []
        for change in subscription:
            found.append(change.event)
            if len(found) == 2:
                subscription.close()
        assert found == ["ready", "died"]
        assert list(subscription) == []
        assert subscription.next(PATIENCE_S) is None

    def test_one_that_waits_is_woken_by_a_change(self, office: Office, subscription: Subscription):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(next, subscription)
            office.tell(DEATH)
            assert waiting.result(PATIENCE_S) == DEATH

    def test_closing_ends_one_that_waits(self, subscription: Subscription):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(list, subscription)
            subscription.close()
            subscription.close()
            assert waiting.result(PATIENCE_S) == []

    def test_it_ends_when_the_supervisor_has_ended(self, office: Office, subscription: Subscription):
        office.tell(CHANGE)
        office.over = True
        assert list(subscription) == [CHANGE]
        assert subscription.closed

    def test_what_is_told_last_of_all_still_comes(self, office: Office):
        def ends() -> bool:
            if not office.over:
                office.tell(DEATH)
            office.over = True
            return True

        with Subscription(office.read, over=ends, poll_s=POLL_S) as subscription:
            assert subscription.prime(PATIENCE_S)
            assert list(subscription) == [DEATH]

    def test_several_threads_share_it(self, office: Office, subscription: Subscription):
        taken: list[int] = []
        with ThreadPoolExecutor(3) as pool:
            waiting = [pool.submit(lambda: taken.extend(change.at for change in subscription)) for _ in range(3)]
            office.tell(*(replace(CHANGE, at=number) for number in range(80)))
            office.over = True
            for each in waiting:
                each.result(PATIENCE_S)
        assert sorted(taken) == list(range(80))

    def test_waiting_has_a_limit(self, office: Office, subscription: Subscription):
        assert subscription.next(0.0) is None
        assert subscription.next(0.02) is None
        office.tell(CHANGE)
        assert subscription.next(PATIENCE_S) == CHANGE

    def test_waiting_has_a_limit_while_another_waits(self, office: Office):
        gate = threading.Event()

        def slow(incarnation: int, seq: int, timeout_s: float) -> ChangeBatch | None:
            gate.wait(PATIENCE_S)
            return None

        subscription = Subscription(slow, poll_s=POLL_S)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(subscription.next, PATIENCE_S)
            assert subscription.next(0.02) is None
            subscription.close()
            gate.set()
            assert waiting.result(PATIENCE_S) is None


class TestAsync:
    async def test_changes_come_in_order(self, office: Office, subscription: Subscription):
        office.tell(CHANGE, DEATH)
        office.over = True
        assert [change.event async for change in subscription] == ["ready", "died"]
        assert [change async for change in subscription] == []

    async def test_a_cancelled_one_loses_nothing(self, office: Office, subscription: Subscription):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0.01)
        office.tell(CHANGE)
        assert await asyncio.wait_for(anext(subscription), PATIENCE_S) == CHANGE

    async def test_the_loop_goes_on_while_it_waits(self, office: Office, subscription: Subscription):
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        office.tell(CHANGE)
        assert await asyncio.wait_for(waiting, PATIENCE_S) == CHANGE

    async def test_closing_ends_one_that_waits(self, subscription: Subscription):
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        subscription.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, PATIENCE_S)

    async def test_closed_at_the_moment_of_asking_it_ends(self, subscription: Subscription):
        subscription._thread.shutdown()
        with pytest.raises(StopAsyncIteration):
            await anext(subscription)


class TestLeaders:
    def test_it_goes_on_at_the_next_leader(self, office: Office, subscription: Subscription):
        office.tell(CHANGE)
        assert subscription.next(PATIENCE_S) == CHANGE
        office.feed = None
        assert subscription.next(POLL_S) is None
        office.lead(2, replace(CHANGE, event="promoted", incarnation=2))
        found = [subscription.next(PATIENCE_S) for _ in range(2)]
        assert [(event_of(change), change.incarnation) for change in found if change] == [("died", 1), ("promoted", 2)]
        office.tell(replace(DEATH, incarnation=2))
        assert event_of(subscription.next(PATIENCE_S)) == "died"

    def test_one_that_is_too_slow_is_told_what_it_missed(self, office: Office):
        office.lead(1, capacity=2)
        with Subscription(office.read, poll_s=POLL_S) as subscription:
            assert subscription.prime(PATIENCE_S)
            office.tell(*[CHANGE] * 10)
            assert event_of(subscription.next(PATIENCE_S)) == "ready"
            assert subscription.missed == 8

    def test_while_nobody_leads_it_does_not_spin(self, office: Office):
        office.feed = None
        with Subscription(office.read, poll_s=PATIENCE_S) as subscription:
            assert subscription.next(0.2) is None
        assert office.asked < 20

    def test_without_a_leader_it_is_not_primed_in_time_and_begins_later(self, office: Office):
        office.feed = None
        with Subscription(office.read, poll_s=POLL_S) as subscription:
            assert not subscription.prime(0.1)
            office.lead(1, CHANGE)
            assert subscription.prime(PATIENCE_S)
            office.tell(DEATH)
            assert event_of(subscription.next(PATIENCE_S)) == "died"
        assert subscription.prime(0.1)

    def test_a_full_room_is_left_for_a_while(self, office: Office):
        refusals = [LongPollFullError(1, retry_after_s=0.01)]

        def read(incarnation: int, seq: int, timeout_s: float) -> ChangeBatch | None:
            if refusals:
                raise refusals.pop()
            return office.read(incarnation, seq, timeout_s)

        with Subscription(read, poll_s=POLL_S) as subscription:
            assert subscription.prime(PATIENCE_S)

    def test_other_failures_reach_the_user_and_it_can_go_on(self, office: Office, subscription: Subscription):
        feed, office.feed = office.feed, None
        failure = SupervisorError("the cluster is gone")

        def broken(incarnation: int, seq: int, timeout_s: float) -> ChangeBatch | None:
            raise failure

        subscription._read = broken
        with pytest.raises(SupervisorError, match="the cluster is gone"):
            next(subscription)
        office.feed, subscription._read = feed, office.read
        office.tell(CHANGE)
        assert next(subscription) == CHANGE


def test_only_what_was_asked_for_comes(office: Office):
    with Subscription(office.read, keys=["a"], kinds=["died"], poll_s=POLL_S) as subscription:
        assert subscription.prime(PATIENCE_S)
        office.tell(CHANGE, replace(DEATH, key="child/b"), DEATH)
        assert subscription.next(PATIENCE_S) == DEATH
        assert subscription.next(0.0) is None


def test_a_wrong_kind_is_refused_at_once(office: Office):
    with pytest.raises(ConfigError, match="'dead' is not one of"):
        Subscription(office.read, kinds=["dead"])
    assert office.asked == 0
