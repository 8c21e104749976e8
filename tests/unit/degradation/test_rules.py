"""Each rule has its own hysteresis; the poorest level that is asked for is wanted."""

from __future__ import annotations

from actors.degradation.rules import Asking
from actors.degradation.settings import DegradationSettings
from tests.unit.degradation.scene import BREAKER, QUEUE, SCORE


def _asking() -> Asking:
    return Asking(DegradationSettings(rules=(SCORE, BREAKER, QUEUE)))


def test_it_begins_at_enter_and_ends_at_leave() -> None:
    asking = _asking()
    wanted: list[int] = []
    for value in (51, 50, 60, 69, 70, 60):
        asking.see({("system_score", ""): value}, 0.0)
        wanted.append(asking.wanted()[0])
    assert wanted == [0, 3, 3, 3, 0, 0]


def test_the_poorest_is_wanted_and_named() -> None:
    asking = _asking()
    asking.see({("breaker_openness", "db"): 1.0, ("queue_pressure", "a"): 0.2, ("queue_pressure", "b"): 0.9}, 5.0)
    assert asking.wanted() == (2, "queue_pressure at 0.9 asks for minimal")
    assert asking.wanted(at_once=False) == (1, "breaker_openness of db at 1 asks for reduced")
    assert asking.wanted(at=4.0) == (0, "")
    assert asking.since(poorer_than=1) == [5.0]


def test_what_is_unknown_changes_nothing() -> None:
    asking = _asking()
    asking.see({("breaker_openness", "db"): 1.0}, 0.0)
    asking.see({}, 1.0)
    asking.see({("breaker_openness", "other"): 0.0}, 1.0)
    assert asking.wanted()[0] == 1


def test_of_rules_for_one_level_the_first_is_named() -> None:
    first = QUEUE.model_copy(update={"enter": 0.8})
    asking = Asking(DegradationSettings(rules=(first, QUEUE)))
    asking.see({("queue_pressure", "a"): 1.0}, 0.0)
    assert asking.wanted()[1] == str(first)


def test_what_asked_in_an_earlier_life_asks_on_if_there_is_such_a_rule() -> None:
    asking = _asking()
    asking.see({("system_score", ""): 40.0, ("queue_pressure", "a"): 1.0}, 10.0)
    assert asking.kept(15.0) == ((SCORE, 5.0), (QUEUE, 5.0))
    later = Asking(DegradationSettings(rules=(BREAKER, SCORE)))
    later.resume(asking.kept(15.0), 100.0)
    assert later.kept(100.0) == ((SCORE, 5.0),)
    later.see({("system_score", ""): 60.0}, 100.0)
    assert later.wanted() == (3, str(SCORE))
    later.see({("system_score", ""): 70.0}, 100.0)
    assert later.wanted() == (0, "")
