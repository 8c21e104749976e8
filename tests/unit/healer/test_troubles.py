from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from actors.healer import messages as m
from actors.healer.settings import HealerSettings
from actors.healer.troubles import BREAKER_OPEN, BREAKERS, CHILDREN, DIED, ESCALATED, GIVEN_UP, Troubles

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW_US = round(AT.timestamp() * 1e6) + 1_500_000


def moment(at_s: int) -> datetime:
    return datetime(2026, 1, 1, 12, 0, at_s, tzinfo=UTC)


def child(event: str, exit_class: str | None = None, key: str = "child/cart", at_s: int = 0) -> dict[str, Any]:
    told = {"event": event, "exit_class": exit_class, "detail": "it hurts", "node_id": "n1", "at_time": moment(at_s)}
    return {"kind": CHILDREN, "child": key} | told


def breaker(to_state: str, event: str = "transition") -> dict[str, Any]:
    return {"kind": BREAKERS, "breaker": "payments", "event": event, "to_state": to_state, "detail": "too many"} | {
        "at_time": AT
    }


def told(troubles: Troubles, *rows: dict[str, Any]) -> list[tuple[str, str] | None]:
    """What each row tells of; None for nothing."""
    found = [event for row in rows for event in troubles.of(row, NOW_US) or (None,)]
    return [
        None
        if each is None
        else ("ended", each.component)
        if isinstance(each, m.TroubleEnded)
        else (each.failure, each.component)
        for each in found
    ]


def test_a_child_that_is_given_up_is_told_and_so_is_its_return():
    troubles = Troubles(HealerSettings())
    rows = (child("ready"), child("given_up"), child("ready"), child("ready"))
    assert told(troubles, *rows) == [None, (GIVEN_UP, "cart"), ("ended", "cart"), None]
    assert told(troubles, child("given_up", key="worker/default-0")) == [None]


def test_what_is_told_says_why_and_where():
    (trouble,) = Troubles(HealerSettings()).of(child("given_up"), NOW_US)
    assert isinstance(trouble, m.TroubleReported)
    assert (trouble.detail, trouble.node, trouble.source, trouble.severity) == ("it hurts", "n1", "supervisor", "high")


def test_how_long_it_has_lasted_is_told_by_its_rows_time():
    troubles = Troubles(HealerSettings(on_child_death="low"))
    for row in (child("died", "killed"), child("given_up"), breaker("open")):
        (trouble,) = troubles.of(row, NOW_US)
        assert isinstance(trouble, m.TroubleReported)
        assert trouble.began_ago_s == 1.5


def test_deaths_are_incidents_only_where_that_is_wanted():
    rows = (child("died", "killed"), child("died", "normal"), child("died", "shutdown"))
    assert told(Troubles(HealerSettings()), *rows) == [None] * 3
    assert told(Troubles(HealerSettings(on_child_death="low")), *rows) == [(DIED, "cart"), None, None]


def test_a_breaker_that_opens_is_one_until_it_closes():
    rows = (breaker("open"), breaker("half_open"), breaker("closed"), breaker("open", event="open_wait"))
    assert told(Troubles(HealerSettings()), *rows) == [(BREAKER_OPEN, "payments"), None, ("ended", "payments"), None]


def test_a_group_that_nobody_above_takes_over_is_the_supervisors_own_trouble_until_it_is_started_again():
    troubles = Troubles(HealerSettings())
    (trouble,) = troubles.of(child("escalated", key="root", at_s=5), NOW_US)
    assert isinstance(trouble, m.TroubleReported)
    assert (trouble.component, trouble.failure, trouble.severity) == ("supervisor/root", ESCALATED, "critical")
    late = child("ready", key="child/g.b", at_s=4)
    assert told(troubles, late) == [None], "what a subtree told before that, and came later"
    assert told(troubles, child("given_up"), child("ready", at_s=9), child("ready", at_s=9)) == [
        *((GIVEN_UP, "cart"), ("ended", "supervisor/root"), ("ended", "cart"), None)
    ]
    assert told(Troubles(HealerSettings(on_escalation=None)), child("escalated", key="root")) == [None]


@pytest.mark.parametrize(
    ("group", "member", "other"),
    [
        ("root", "supervisor/shop", "worker/default-0"),
        ("pool:p-1", "worker/p-1-0", "worker/p-0"),
        ("system", "event_log/writer", "child/cart"),
    ],
)
def test_it_is_over_when_one_of_its_own_is_ready(group: str, member: str, other: str):
    rows = (child("escalated", key=group), child("ready", key=other, at_s=1), child("ready", key=member, at_s=1))
    component = f"supervisor/{group}"
    assert told(Troubles(HealerSettings()), *rows) == [(ESCALATED, component), None, ("ended", component)]


def test_only_what_can_be_an_incident_is_looked_at():
    nothing: dict[str, Any] = {"on_child_given_up": None, "on_escalation": None}
    assert Troubles(HealerSettings()).kinds == [CHILDREN, BREAKERS]
    assert Troubles(HealerSettings(on_child_given_up=None)).kinds == [CHILDREN, BREAKERS]
    assert Troubles(HealerSettings(**nothing)).kinds == [BREAKERS]
    assert Troubles(HealerSettings(**nothing, on_breaker_open=None)).kinds == []
    assert told(Troubles(HealerSettings(on_child_given_up=None)), child("given_up")) == [None]
