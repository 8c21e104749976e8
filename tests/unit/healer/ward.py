"""What steps are taken on, in memory: children with checkpoints in a real folder, breakers, people who are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.breaker.errors import CircuitOpenError
from actors.checkpoint.folder import FolderStore
from actors.checkpoint.format import Checkpoint
from actors.healer.incident import Incident
from actors.healer.packing import packed
from actors.healer.ports import CannotHealError, ChildState
from actors.healer.running import CallPayload, Ended, Job, StepRunner
from actors.health.published import HealthStanding
from actors.notifier.messages import Alert
from actors.recovery.course import Action, Step, Taken
from actors.recovery.strategies import Strategy
from actors.runtime import wire
from actors.runtime.clock import SYSTEM_CLOCK


class Ward:
    """The ways to what is healed."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(str(folder / "children"))
        self.kept_aside = FolderStore(str(folder / "aside"))
        self.restarts: list[str] = []
        self.broken_restarts = 0
        self.isolated: list[tuple[str, str, float, float]] = []
        self.open_breakers: set[str] = set()
        self.guarded_by: list[str] = []
        self.channels: tuple[str, ...] = ("mail",)
        self.told: list[tuple[Alert, tuple[str, ...]]] = []

    def guarded(self, breaker: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        self.guarded_by.append(breaker)
        if breaker in self.open_breakers:
            raise CircuitOpenError(breaker, retry_after_s=1.0)
        return fn(*args, **kwargs)

    def restart(self, component: str, *, timeout_s: float, between: Callable[[], None] | None = None) -> None:
        del timeout_s
        if component not in ("cart", "child/cart"):
            raise CannotHealError(component, action="restart", reason="there is no such child", remedy="Name one")
        if between is not None:
            between()
        self.restarts.append(component)
        if self.broken_restarts:
            self.broken_restarts -= 1
            raise RuntimeError("it does not start")

    def isolate(self, component: str, node: str, *, drain_s: float, keep_off_s: float) -> None:
        self.isolated.append((component, node, drain_s, keep_off_s))

    def child_state(self, component: str) -> ChildState:
        del component
        return ChildState(key="child/cart", store=self.store, class_name="shop.Cart", state_version=1)

    def checkpoints(self, path: str | None) -> FolderStore:
        return self.kept_aside if path is None else FolderStore(path)

    def notify(self, alert: Alert, channels: tuple[str, ...]) -> tuple[str, ...]:
        self.told.append((alert, channels))
        return self.channels

    def verify(self, component: str) -> Any:
        del component
        return "passed", ""

    def revive(self, component: str) -> None:
        self.restarts.append(f"revived {component}")

    def follow_health(self, take: Callable[[HealthStanding], None]) -> None:
        take(HealthStanding(score=None))

    # -- what a test does

    def keep(self, state: object, *, number: int, incarnation: int = 1, class_name: str = "shop.Cart") -> None:
        """The child puts a state away."""
        self.store.put(
            Checkpoint(
                key="child/cart",
                incarnation=incarnation,
                number=number,
                class_name=class_name,
                state_version=1,
                at_us=1,
                state=wire.dumps(state)[0],
            )
        )

    def newest(self) -> object:
        """What its next life takes up."""
        found = self.store.latest("child/cart", class_name="shop.Cart", state_version=1).checkpoint
        return None if found is None else wire.loads(found.state, ())

    def aside_now(self) -> list[str]:
        """What is kept for further steps."""
        return [
            number
            for number in ("1", "2")
            if self.kept_aside.latest(
                f"restore/7.0.{number}", class_name="supervisor.Restore", state_version=1
            ).checkpoint
        ]


INCIDENT = Incident(incident_id="7", component="cart", failure="crash", severity="high", detail="it hurts", node="n1")


def call(
    fn: Callable[..., Any],
    *args: Any,
    stale: object = None,
    stale_age_s: float = 0.0,
    failed: type[BaseException] | None = None,
) -> CallPayload:
    arguments, refs = wire.dumps((args, {}))
    return CallPayload(
        function=wire.pickle_named(fn),
        arguments=arguments,
        refs=tuple(refs),
        stale=None if stale is None else wire.dumps(stale)[0],
        stale_age_s=stale_age_s,
        failed=b"" if failed is None else wire.pickle_named(failed),
    )


class Hand:
    """Takes steps."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self.runner = StepRunner(ward, clock=SYSTEM_CLOCK)

    def take(
        self,
        strategy: Strategy,
        action: Action,
        *,
        index: int = 0,
        timeout_s: float = 30.0,
        payload: CallPayload | None = None,
        number: int = 0,
        taken: tuple[Taken, ...] = (),
    ) -> Ended:
        step = Step(action=action, number=number, index=index, timeout_s=timeout_s)
        incident = replace(INCIDENT, taken=taken)
        return self.runner.run("r", Job(incident=incident, strategy=packed(strategy), step=step, call=payload))

    @staticmethod
    def result(ended: Ended) -> object:
        assert ended.result is not None, ended
        return wire.loads(ended.result, ())
