"""What a process tells its subscribers: each change it sees once, with what it could not see counted."""

from __future__ import annotations

from actors.breaker.messages import Cause
from actors.breaker.outcome import FAILED
from actors.breaker.published import GENERATION_BITS
from actors.breaker.sighting import Sighting
from tests.unit.breaker.rig import FIRST, Rig

CAUSE = Cause(kind="tripped", detail="too many")


def seen(rig: Rig, sighting: Sighting) -> tuple[object, ...] | None:
    news = sighting.news(rig.gate, CAUSE, rig.now)
    return None if news is None else (news.before, news.after, news.by_itself, news.skipped)


def test_each_generation_is_news_once():
    rig = Rig()
    sighting = Sighting("b", rig.gate)
    assert seen(rig, sighting) is None
    rig.follow("open", wait_s=5.0)
    news = sighting.news(rig.gate, CAUSE, rig.now)
    assert news is not None
    assert (news.name, news.before, news.after, news.generation, news.cause) == (
        "b",
        "closed",
        "open",
        FIRST + 1,
        CAUSE,
    )
    assert seen(rig, sighting) is None


def test_what_was_not_seen_is_counted():
    rig = Rig()
    sighting = Sighting("b", rig.gate)
    rig.follow("half_open", generation=FIRST + 3)
    assert seen(rig, sighting) == ("closed", "half_open", False, 2)


def test_the_processs_own_opening_and_recovery_are_told_as_its_own():
    rig = Rig(half_open_permits=1)
    sighting = Sighting("b", rig.gate)
    rig.end(FAILED, FAILED)
    own = sighting.news(rig.gate, CAUSE, rig.now)
    assert own is not None
    assert (own.after, own.by_itself) == ("open", True)
    assert own.cause is not None
    assert own.cause.trip is not None
    rig.now += 5.0
    rig.finish(rig.grant())
    assert seen(rig, sighting) == ("open", "closed", True, 0)


def test_a_new_life_of_the_owner_in_the_same_state_is_no_news():
    rig = Rig()
    sighting = Sighting("b", rig.gate)
    rig.follow("closed", generation=2 << GENERATION_BITS)
    assert seen(rig, sighting) is None
    rig.follow("open", generation=(3 << GENERATION_BITS) + 4, wait_s=1.0)
    assert seen(rig, sighting) == ("closed", "open", False, 0)


def test_the_owner_is_lost_once_and_heard_again_once():
    rig = Rig()
    sighting = Sighting("b", rig.gate)
    rig.gate.set_lost(lost=True)

    def told(*, lost: bool) -> list[tuple[str, str, str, int]]:
        heard = sighting.heard(rig.gate, rig.now, lost=lost)
        return [(each.event, each.before, each.after, each.generation) for each in heard]

    assert told(lost=True) == told(lost=False) == [], "an owner that is heard for the first time was not lost"
    assert told(lost=True) == [("owner_lost", "closed", "closed", FIRST)]
    assert told(lost=True) == []
    rig.follow("open", wait_s=5.0)
    assert told(lost=False) == [("owner_heard", "open", "open", FIRST + 1)]
    assert told(lost=False) == []
    assert seen(rig, sighting) == ("closed", "open", False, 0)
