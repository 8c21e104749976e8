"""What a simulation is asked: how a dependency behaves, phase by phase, and who calls it. Pure."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from actors.runtime.settings import Settings

CALLS_MAX = 1_000_000


class Phase(Settings):
    """A while in which a dependency behaves in one way."""

    duration_s: float = Field(gt=0, le=86_400, description="How long it lasts, in seconds.")
    calls_per_s: float = Field(ge=0, description="Calls that all processes together want to make.")
    failure_rate: float = Field(default=0.0, ge=0, le=1, description="The fraction of the calls that fail.")
    latency_s: float = Field(default=0.05, ge=0, le=3600, description="How long a call takes, in seconds.")
    slow_rate: float = Field(default=0.0, ge=0, le=1, description="The fraction of the calls that take slow_s instead.")
    slow_s: float = Field(default=1.0, ge=0, le=3600, description="How long a slow call takes, in seconds.")


class Scenario(Settings):
    """Phases, one after the other."""

    phases: tuple[Phase, ...] = Field(min_length=1, max_length=1000, description="What happens, in order.")
    processes: int = Field(default=8, ge=1, le=1000, description="Processes that make the calls.")
    nodes: int | None = Field(
        default=None, ge=1, le=1000, description="Nodes that the processes run on, in turn; None: one for each process."
    )
    network_s: float = Field(default=0.001, ge=0, le=10, description="How long a message between processes takes.")
    seed: int = Field(default=0, description="The same seed gives the same run.")

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        calls = sum(phase.duration_s * phase.calls_per_s for phase in self.phases)
        if calls > CALLS_MAX:
            message = f"{calls:,.0f} calls are more than the {CALLS_MAX:,} that are simulated; shorten the phases"
            raise ValueError(message)
        return self

    @property
    def duration_s(self) -> float:
        """How long it takes in all, seconds."""
        return sum(phase.duration_s for phase in self.phases)
