"""Inside its band a level never flaps, steps keep their distance, and a feature never outlives what it needs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.degradation import messages as m
from actors.degradation.features import resolve
from actors.degradation.machine import DegradationMachine
from actors.degradation.published import Published, Reader
from actors.degradation.settings import LEVELS, DegradationSettings, FeatureSettings, LevelRule, OverrideSettings
from actors.runtime.graph import closure

ENTER, LEAVE, DOWN_S, UP_S = 50.0, 70.0, 5.0, 30.0
SCORE = LevelRule(level="emergency", signal="system_score", enter=ENTER, leave=LEAVE)
PRESSURE = LevelRule(level="minimal", signal="queue_pressure", enter=0.9, leave=0.5, at_once=True)
SETTINGS = DegradationSettings(rules=(SCORE, PRESSURE), dwell_down_s=DOWN_S, dwell_up_s=UP_S)
INSIDE = st.floats(ENTER, LEAVE, exclude_min=True, exclude_max=True)
WAITS = st.floats(0, 100)


def _see(machine: DegradationMachine, now: float, score: float) -> list[m.Command]:
    return machine.handle(m.SignalsSeen(signals={("system_score", ""): score}), now)


@settings(deadline=None)
@given(st.lists(st.tuples(INSIDE, WAITS), max_size=40))
def test_a_level_that_nothing_asked_for_does_not_come_from_inside_the_band(seen: list[tuple[float, float]]) -> None:
    machine, now = DegradationMachine(SETTINGS, now=0.0), 0.0
    for score, wait_s in seen:
        assert _see(machine, now, score) == []
        now += wait_s
        assert machine.handle(m.TimePassed(), now) == []


@settings(deadline=None)
@given(st.lists(st.tuples(INSIDE, WAITS), max_size=40))
def test_a_level_that_was_asked_for_does_not_go_inside_the_band(seen: list[tuple[float, float]]) -> None:
    machine, now = DegradationMachine(SETTINGS, now=0.0), 0.0
    _see(machine, now, ENTER)
    for _ in range(3):
        now += DOWN_S
        machine.handle(m.TimePassed(), now)
    assert machine.level == "emergency"
    for score, wait_s in seen:
        assert _see(machine, now, score) == []
        now += wait_s
        assert machine.handle(m.TimePassed(), now) == []


EVENTS = st.one_of(
    st.tuples(st.just("score"), st.floats(0, 100)),
    st.tuples(st.just("pressure"), st.floats(0, 1)),
    st.tuples(st.just("set"), st.floats(1, 200)),
    st.tuples(st.just("auto"), st.just(0.0)),
    st.tuples(st.just("wait"), st.floats(0, 100)),
)


def _event(what: str, value: float) -> m.Event:
    match what:
        case "score":
            return m.SignalsSeen(signals={("system_score", ""): value})
        case "pressure":
            return m.SignalsSeen(signals={("queue_pressure", "q"): value})
        case "set":
            return m.LevelSet(override=OverrideSettings(level="reduced", who="ann", reason="why", until_s=value))
        case "auto":
            return m.AutoRequested(who="ann")
        case _:
            return m.TimePassed()


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_steps_keep_their_distance_and_only_a_rule_or_a_hand_jumps(events: list[tuple[str, float]]) -> None:
    machine, now = DegradationMachine(SETTINGS, now=0.0), 0.0
    changed_at = 0.0
    for what, value in events:
        now += value if what == "wait" else 0.0
        generation = machine.published.generation
        told = machine.handle(_event(what, value), now)
        published = [each.published.generation for each in told if isinstance(each, m.Publish)]
        assert published == list(range(generation + 1, generation + 1 + len(published)))
        moves = [each for each in told if isinstance(each, m.RecordLevel) and each.before != each.after]
        for move in moves:
            step = LEVELS.index(move.after) - LEVELS.index(move.before)
            if move.kind in ("rule", "recovering"):
                assert step == (1 if move.kind == "rule" else -1)
                assert now - changed_at >= (DOWN_S if move.kind == "rule" else UP_S)
            else:
                assert move.kind == "override" or step > 0
            changed_at = now


@st.composite
def features(draw: st.DrawFn) -> dict[str, FeatureSettings]:
    made: dict[str, FeatureSettings] = {}
    for number in range(draw(st.integers(1, 8))):
        name = f"f{number}"
        made[name] = FeatureSettings(
            name=name,
            lowest=draw(st.sampled_from(LEVELS)),
            needs=tuple(draw(st.lists(st.sampled_from(sorted(made)), unique=True)) if made else ()),
            rollout=draw(st.sampled_from([0.0, 30.0, 100.0])),
            tenants=draw(st.dictionaries(st.sampled_from("abc"), st.booleans())),
        )
    return made


@settings(deadline=None)
@given(declared=features(), level=st.integers(0, 3), tenant=st.sampled_from([None, "a", "b", "other", "more"]))
def test_a_feature_is_never_on_without_all_that_it_needs(
    declared: dict[str, FeatureSettings], level: int, tenant: str | None
) -> None:
    resolved = resolve(declared, level=level, levels=LEVELS)
    reader = Reader(Published(level=LEVELS[level], number=level, generation=0, reason="", resolved=resolved))
    needs = {name: each.needs for name, each in declared.items()}
    for name, feature in declared.items():
        on = reader.enabled(name, tenant=tenant)
        assert on == (reader.why(name, tenant=tenant)[0] == "on")
        if on:
            assert all(reader.enabled(each, tenant=tenant) for each in closure(needs, name))
            assert level <= LEVELS.index(feature.lowest)


@settings(deadline=None)
@given(declared=features(), tenant=st.sampled_from([None, "a", "other"]))
def test_a_poorer_level_never_switches_anything_on(declared: dict[str, FeatureSettings], tenant: str | None) -> None:
    on: list[set[str]] = []
    for level in range(4):
        resolved = resolve(declared, level=level, levels=LEVELS)
        reader = Reader(Published(level="", number=level, generation=0, reason="", resolved=resolved))
        on.append({name for name in declared if reader.enabled(name, tenant=tenant)})
    assert on[0] >= on[1] >= on[2] >= on[3]
