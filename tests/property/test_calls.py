"""Whatever happens to a child, its network and its supervisor: each call ends once, in order, and not too often."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.recovery.retry import Retry
from actors.runtime.errors import OutcomeUnknownError
from supervisor.children.errors import CallTimeoutError, ChildLostError
from tests.property.call_world import FlakyError, World

PATIENT = Retry(attempts=1000, on=())

index = st.integers(0, 30)
troubles = st.one_of(
    st.tuples(st.just("make"), st.integers(1, 6)),
    st.tuples(st.just("make"), st.integers(1, 6)),
    st.tuples(st.just("advance"), st.sampled_from([0.0, 0.001, 0.004, 0.02, 0.2])),
    st.tuples(st.sampled_from(["kill", "kill_told", "fence"]), index),
    st.tuples(st.just("lose"), st.sampled_from([0.0, 0.3, 0.6])),
    st.tuples(st.just("repeat"), st.sampled_from([0.0, 0.5])),
)
giving_up = st.one_of(troubles, troubles, st.tuples(st.sampled_from(["cancel", "hurried"]), index))
scripts = st.lists(troubles, max_size=30)
windows = st.sampled_from([1, 2, 5, 256])
seeds = st.integers(0, 2**16)
thorough = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

OVERTAKEN = [("make", 1), ("lose", 0.3), ("repeat", 0.5), ("make", 2), ("make", 6), ("advance", 0.2)]
"""A call is refused because another is missing, while a second copy of it is still on its way."""


def act(world: World, step: str, value: Any, retry: Retry, raises: int = 0) -> None:
    match step:
        case "make":
            for _ in range(value):
                world.make(retry, raises=raises)
        case "hurried":
            world.make(retry, timeout_s=0.002 * (value + 1))
        case "cancel" if world.histories:
            world.cancel(value % len(world.histories))
        case "advance":
            world.advance(value)
        case "lose":
            world.losses = value
        case "repeat":
            world.duplicates = value
        case "kill" | "kill_told" | "fence":
            key = world.keys[value % len(world.keys)]
            life = world.current(key)
            if life.alive and not life.fenced:
                world.fence(key) if step == "fence" else world.kill(key, told=step == "kill_told")
        case _:
            pass


def play(world: World, script: list[tuple[str, Any]], retry: Retry, raises: int = 0) -> None:
    for step, value in script:
        act(world, step, value, retry, raises)
    world.settle_down()
    world.check()


def assert_in_order(world: World) -> None:
    """At each incarnation calls started in the order made, and what starts again at the next does so in order too."""
    for started in world.starts.values():
        assert started == sorted(started)


@thorough
@given(seed=seeds, window=windows, script=scripts)
def test_every_call_is_answered_once_and_in_order(seed: int, window: int, script: list[tuple[str, Any]]) -> None:
    world = World(seed, window=window)
    play(world, script, PATIENT)
    assert all(history.ended == ["ok"] for history in world.histories)
    assert all(history.effects for history in world.histories)
    assert_in_order(world)


@thorough
@given(seed=seeds, window=windows, script=scripts)
def test_with_each_call_a_call_has_exactly_one_effect_in_the_state(
    seed: int, window: int, script: list[tuple[str, Any]]
) -> None:
    """It may begin again where its first run was lost with its state; what is acknowledged is there once."""
    world = World(seed, each_call=True, window=window)
    play(world, script, Retry(attempts=1000, on=(), unknown="never"))
    assert all(history.ended == ["ok"] for history in world.histories)
    assert all(history.kept_effects == 1 for history in world.histories)
    assert_in_order(world)


@thorough
@given(seed=seeds, window=windows, script=scripts)
def test_what_must_not_run_twice_does_not(seed: int, window: int, script: list[tuple[str, Any]]) -> None:
    world = World(seed, window=window)
    play(world, script, Retry(attempts=1000, on=(), unknown="never"))
    for history in world.histories:
        assert len(history.effects) <= 1
        assert history.ended == ["ok"] or isinstance(history.ended[0], OutcomeUnknownError)
    assert_in_order(world)


@thorough
@given(seed=seeds, window=windows, script=st.lists(giving_up, max_size=40), each_call=st.booleans())
def test_calls_that_are_given_up_hold_no_others(
    seed: int, window: int, script: list[tuple[str, Any]], each_call: bool
) -> None:
    """The numbers that they leave behind are a gap for the next incarnation; the calls behind it are answered too."""
    world = World(seed, window=window, each_call=each_call)
    play(world, script, Retry(attempts=4, on=()))
    for history in world.histories:
        (ended,) = history.ended
        assert ended in ("ok", "cancelled") or isinstance(ended, CallTimeoutError | ChildLostError)
    assert_in_order(world)


@thorough
@given(seed=seeds, script=scripts, raises=st.integers(0, 3), attempts=st.integers(1, 4))
def test_exceptions_are_tried_again_as_often_as_allowed(
    seed: int, script: list[tuple[str, Any]], raises: int, attempts: int
) -> None:
    world = World(seed)
    retry = Retry(attempts=attempts, on=(FlakyError,), min_s=0.001, max_s=0.01)
    play(world, script, retry, raises)
    for history in world.histories:
        (ended,) = history.ended
        assert ended == "ok" or isinstance(ended, FlakyError | ChildLostError)
        assert history.call.attempts <= attempts


@thorough
@example(seed=48690, script=OVERTAKEN, members=4, never=True)
@given(seed=seeds, script=scripts, members=st.integers(1, 4), never=st.booleans())
def test_a_pool_answers_every_call_once(seed: int, script: list[tuple[str, Any]], members: int, never: bool) -> None:
    world = World(seed, members=members)
    play(world, script, Retry(attempts=1000, on=(), unknown="never" if never else "retry"))
    for history in world.histories:
        (ended,) = history.ended
        assert ended == "ok" or (never and isinstance(ended, OutcomeUnknownError))
        assert not never or len(history.effects) <= 1
