"""What is told of a command, and what the degradation is told."""

from __future__ import annotations

from actors.health import messages as m
from actors.health.published import HealthStanding
from actors.health.telling import change_of, signals_of


def test_changes_and_blindness_are_told() -> None:
    changed = change_of(
        m.TellChange(
            component="web",
            before="healthy",
            after="unhealthy",
            flapping=False,
            caused_by=("db",),
            detail="refused",
            silent_s=2.0,
        ),
        7,
    )
    assert changed is not None
    assert (changed.kind, changed.component, changed.after, changed.caused_by) == ("state", "web", "unhealthy", ("db",))
    assert (changed.silent_s, changed.at_us) == (2.0, 7)
    blind = change_of(m.AlarmBlindness(cause="starved", gap_s=3.0, detail="late"), 7)
    assert blind is not None
    assert (blind.kind, blind.component, blind.silent_s, blind.detail) == ("blind", "", 3.0, "late")
    seeing = change_of(m.NoteSight(detail="all are reached"), 7)
    assert seeing is not None
    assert seeing.kind == "seeing"
    assert change_of(m.TellScore(score=1.0), 7) is None


def test_what_is_no_more_is_taken_back_and_only_what_is_asked_for_is_told() -> None:
    of = frozenset(("", "db", "web"))
    first = signals_of(HealthStanding(score=80.0, scores={"db": 60.0, "web": 100.0, "other": 1.0}), {}, of)
    assert first == {("system_score", ""): 80.0, ("component_score", "db"): 60.0, ("component_score", "web"): 100.0}
    later = signals_of(HealthStanding(score=None, scores={"db": 50.0}), first, of)
    assert later == {("system_score", ""): None, ("component_score", "db"): 50.0, ("component_score", "web"): None}
    assert signals_of(HealthStanding(score=80.0, scores={"db": 60.0}), {}, {"db"}) == {("component_score", "db"): 60.0}
