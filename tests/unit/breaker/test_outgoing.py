"""What a circuit says to others: in order, by one thread at a time, and nobody waits for who is at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.breaker import messages as m
from actors.breaker.outgoing import Outgoing
from actors.breaker.published import State
from actors.breaker.sighting import Transition


def report(number: int) -> tuple[m.Event, ...]:
    return (m.PermitRequested(holder="p", request=number),)


class Link:
    """What is said amid a report is one more report."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.outgoing = Outgoing("b", self)  # type: ignore[arg-type]

    def tell(self, name: str, events: Sequence[Any]) -> None:
        assert name == "b"
        (event,) = events
        if event.request == 1:
            self.outgoing.reports.append(report(3))
            self.outgoing.deliver()  # somebody is at it already
            assert self.told == []
        self.told.append(event.request)


def test_all_is_told_in_order_by_who_is_at_it():
    link = Link()
    link.outgoing.reports += (report(1), report(2))
    link.outgoing.deliver()
    assert link.told == [1, 2, 3]


_AFTER: tuple[State, ...] = ("open", "disabled")


def test_subscribers_hear_news_also_in_a_forked_child_and_closed_ones_are_forgotten():
    outgoing = Outgoing("b", Link())  # type: ignore[arg-type]
    first, second = outgoing.subscribe(), outgoing.subscribe()
    first.close()
    outgoing.subscribe()
    assert len(outgoing._streams) == 2
    lost, news = (Transition(name="b", before="closed", after=after, generation=1) for after in _AFTER)
    outgoing.news.append(lost)
    outgoing.begin_anew()
    outgoing.news.append(news)
    outgoing.deliver()
    assert second.next(0) == news
