"""Whatever happens to workers, the network and the supervisor's news: each task ends once, none runs too often."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.recovery.retry import Retry
from actors.runtime.errors import OutcomeUnknownError, PoisonTaskError, RestartIntensityError
from supervisor.tasks.policy import Policy
from tests.property.dispatch_world import Plan, World, never

retries = st.builds(
    Retry,
    attempts=st.integers(1, 4),
    unknown=st.sampled_from(["retry", "retry", "retry", "never"]),
    min_s=st.just(0.01),
    max_s=st.just(0.1),
)
policies = st.builds(
    Policy,
    timeout_s=st.sampled_from([None, None, 0.05, 0.5]),
    deadline_s=st.sampled_from([None, None, None, 0.02, 1.0]),
    retry=retries,
    priority=st.integers(0, 2),
)
harmless = st.builds(
    Plan,
    run_s=st.sampled_from([0.0, 0.0, 0.001, 0.003, 0.03, 0.2]),
    does=st.sampled_from(["ok", "ok", "ok", "raise"]),
    times=st.integers(0, 2),
    function=st.sampled_from("fgh"),
    policy=policies,
    fallback=st.booleans(),
)
killing = st.builds(
    Plan, run_s=st.sampled_from([0.0, 0.002]), does=st.just("kill"), times=st.integers(0, 2), policy=policies
)
hanging = st.builds(
    Plan,
    does=st.sampled_from(["hang", "hold"]),
    times=st.integers(0, 1),
    policy=st.builds(Policy, timeout_s=st.sampled_from([0.05, 0.5]), retry=retries),
)
plans = st.one_of(harmless, harmless, harmless, killing, hanging)

index = st.integers(0, 9)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.lists(plans, min_size=1, max_size=8)),
        st.tuples(st.just("advance"), st.sampled_from([0.0, 0.0005, 0.002, 0.01, 0.05, 0.3])),
        st.tuples(st.sampled_from(["kill", "fence", "lose_sight", "cancel", "lost_early"]), index),
        st.tuples(st.sampled_from(["announce", "forget_functions", "lose_a_kill"]), st.just(0)),
    ),
    max_size=25,
)


def act(scene: Any, step: str, value: Any) -> None:
    living = [name for name in scene.accepted if scene.processes[name].alive]
    match step:
        case "submit":
            for plan in value:
                scene.submit(plan)
        case "advance":
            scene.advance(value)
        case "cancel" if scene.histories:
            scene.cancel(1 + value % len(scene.histories))
        case "announce":
            scene.announce(scene.rng.random() * 0.02)
        case "forget_functions":
            scene.forget_functions = not scene.forget_functions
        case "lose_a_kill":
            scene.lose_kills += 1
        case "kill" | "fence" | "lose_sight" if living:
            getattr(scene, step)(living[value % len(living)])
        case "lost_early":
            scene.lost(f"w#{value + 100}", may_live=False)
        case _:
            pass  # nobody is there to whom it could happen


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**16), workers=st.integers(1, 3), script=steps)
def test_every_task_ends_once_and_is_not_run_too_often(seed: int, workers: int, script: list[tuple[str, Any]]) -> None:
    scene = World(seed, workers)
    for step, value in script:
        act(scene, step, value)
        scene.check_always()
    scene.settle_down()
    scene.check_at_rest()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), others=st.lists(harmless, max_size=10))
def test_a_task_that_kills_every_worker_is_set_aside(seed: int, others: list[Any]) -> None:
    """It may kill `poison_after` workers alone, and one more in company; nobody else is blamed for it."""
    scene = World(seed, poison_after=2)
    scene.supervisor_s = 0.03  # the caller sees each death itself; one that it only hears of might be a fenced worker
    poison = scene.submit(Plan(does="kill", policy=Policy(retry=Retry(attempts=10))))
    for plan in others:
        scene.submit(plan)
    scene.settle_down()
    scene.check_at_rest()
    history = scene.histories[poison.number]
    assert isinstance(history.settled[0].error, PoisonTaskError)
    assert poison.deaths == 2
    assert len(history.begun) <= 3


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), size=st.integers(2, 30))
def test_a_slow_task_does_not_hold_the_others_of_its_batch(seed: int, size: int) -> None:
    scene = World(seed)
    scene.submit(Plan(function="f"))
    scene.advance(0.1)
    slow = scene.submit(Plan(function="f", run_s=60.0))
    others = [scene.submit(Plan(function="f")) for _ in range(size)]
    scene.advance(0.5)
    assert [len(scene.histories[task.number].settled) for task in (slow, *others)] == [0] + [1] * size
    scene.settle_down()
    scene.check_at_rest()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), kills=st.lists(index, min_size=1, max_size=5))
def test_what_must_not_run_twice_does_not(seed: int, kills: list[int]) -> None:
    scene = World(seed)
    for _ in range(12):
        scene.submit(Plan(run_s=0.01, policy=never()))
    for kill in kills:
        scene.advance(0.004)
        act(scene, "kill", kill)
    scene.settle_down()
    scene.check_at_rest()
    for history in scene.histories.values():
        assert len(history.begun) <= 1
        assert history.settled[0].kind == "done" or isinstance(history.settled[0].error, OutcomeUnknownError)


@pytest.mark.parametrize("when_s", [0.0, 0.005, 0.02])
def test_a_pool_that_is_given_up_ends_all_its_tasks(when_s: float) -> None:
    """Those that waited, those that were lost with their workers, and those that rested before another attempt."""
    scene = World(7)
    plans = [Plan(run_s=30.0), Plan(does="raise"), Plan(), Plan(run_s=30.0), Plan(run_s=0.01, function="g")]
    for plan in plans:
        scene.submit(plan)
    scene.advance(when_s)
    error = RestartIntensityError("pool default", restarts=21, period_s=10.0)
    scene.fail_pool(error)
    living, scene.accepted = list(scene.accepted), []
    for name in living:
        scene.kill(name)
    scene.advance(120.0)
    scene.check_at_rest()
