"""Who an experiment's fault is meant for. Pure."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.settings import PROBLEM, Settings

TargetKind = Literal[
    "child",
    "worker",
    "breaker",
    "monitor",
    "healer",
    "event_log",
    "supervisor",
    "injector",
    "dependency",
    "node",
    "gcs",
    "rpc",
    "clock",
]

EPHEMERAL_KINDS: frozenset[TargetKind] = frozenset(("node", "gcs", "rpc"))
"""What belongs to the cluster itself: only behind the flag that says that the cluster is thrown away afterwards."""


class Selector(Settings):
    """Conditions that a target must all meet; of those that do, so many are drawn with the experiment's seed."""

    kind: TargetKind | None = Field(default=None, description="What it is; left out: any kind.")
    name: str = Field(default="*", min_length=1, max_length=256, description="Its name, or a pattern as cart-*.")
    labels: dict[str, str] = Field(
        default_factory=dict[str, str], max_length=50, description="Labels that it has, with their values."
    )
    node: str = Field(
        default="*", min_length=1, max_length=256, description="Its node: head, its name, its id; or a pattern."
    )
    group: str = Field(
        default="*",
        min_length=1,
        max_length=256,
        description="Its pool or group, or a pattern; of nodes head, log and others.",
    )
    count: int | None = Field(default=None, ge=1, le=10_000, description="How many of those that match.")
    percentage: float | None = Field(
        default=None, gt=0, le=100, description="The share of those that match, rounded up."
    )
    everything: bool = Field(default=False, description="All that match, even if that is all there is of the kind.")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        given = [self.count is not None, self.percentage is not None, self.everything]
        if sum(given) > 1:
            words = "count, percentage and everything exclude each other; keep one of them"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return self

    def described(self) -> str:
        """The selector as people say it."""
        parts = [self.kind or "target"]
        parts += [f"{what} {text}" for what, text in self._patterns() if text != "*"]
        parts += [f"label {key}={value}" for key, value in sorted(self.labels.items())]
        return ", ".join((*parts, self._measure()))

    def _patterns(self) -> tuple[tuple[str, str], ...]:
        return (("named", self.name), ("on node", self.node), ("of", self.group))

    def _measure(self) -> str:
        if self.everything:
            return "all of them"
        if self.percentage is not None:
            return f"{self.percentage:g} % of them"
        return f"{self.count or 1} of them"
