"""What a user says of a probe and of the monitor. Pure.

A component may have one probe of each kind. What is said of the component itself adds up over its probes: it is
critical if one of them says so, depends on all that they name, and weighs as much as the heaviest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from actors.runtime.settings import Settings
from actors.runtime.wording import line, lines

ProbeKind = Literal["startup", "liveness", "readiness"]

EVERY_NODE = "every_node"
"""`on`: the probe runs on each node of the cluster, and the component is as well as its worst place."""

_PLACES = ("node:", "child:")
_DAY_S = 86_400.0


class ProbeSettings(Settings):
    """One registration: whose probe it is, how often it runs, and what its results mean."""

    component: str = Field(min_length=1, max_length=256, description="The component that it tells of.")
    kind: ProbeKind = Field(
        default="liveness",
        description="As with Kubernetes: startup goes before the others, liveness failing means dead, readiness busy.",
    )
    interval_s: float = Field(
        ge=0.01, le=_DAY_S, description="From the start of one check to that of the next, seconds."
    )
    timeout_s: float = Field(gt=0, le=3600, description="A check that takes longer has failed, seconds.")
    failures: int = Field(default=3, ge=1, le=1000, description="So many failed checks in a row mean failing.")
    successes: int = Field(default=1, ge=1, le=1000, description="So many good checks in a row mean passing.")
    delay_s: float = Field(default=0.0, ge=0, le=_DAY_S, description="No check before this time has passed, seconds.")
    weight: float = Field(default=1.0, ge=0, le=1e6, description="The component's share of the system's score.")
    critical: bool = Field(default=False, description="The system is never better than this component.")
    depends_on: tuple[str, ...] = Field(
        default=(), max_length=100, description="Components without which this one cannot be well."
    )
    on: str | None = Field(
        default=None,
        description="Where it runs: None (by the monitor), node:<id>, child:<key> or every_node.",
    )
    phi: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Instead of running a probe, judge its heartbeats: failed at this suspicion (8: one in 10^8).",
    )

    @field_validator("component")
    @classmethod
    def _a_line(cls, name: str) -> str:
        return line(name)

    @field_validator("depends_on")
    @classmethod
    def _lines_only(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        lines(names)
        return names

    @field_validator("depends_on", mode="before")
    @classmethod
    def _one_is_enough(cls, names: object) -> object:
        return (names,) if isinstance(names, str) else names

    @field_validator("on")
    @classmethod
    def _a_place(cls, on: str | None) -> str | None:
        if on is None or on == EVERY_NODE or any(on.startswith(kind) and len(on) > len(kind) for kind in _PLACES):
            return on
        raise ValueError("no such place; give None, node:<id>, child:<key> or every_node")


class MonitorSettings(Settings):
    """How the monitor judges, remembers and watches itself."""

    flap_changes: int = Field(default=6, ge=3, le=1000, description="So many changes in flap_window_s are flapping.")
    flap_window_s: float = Field(default=300.0, gt=0, le=_DAY_S, description="The window of those changes, seconds.")
    flap_calm_s: float = Field(
        default=60.0, gt=0, le=_DAY_S, description="Flapping is over after so long without a change, seconds."
    )
    answer_s: float = Field(
        default=0.5,
        gt=0,
        le=60,
        description="So long after its time-out may the end of a check elsewhere be told, seconds.",
    )
    blind_after_s: float = Field(
        default=2.0, gt=0, le=3600, description="A monitor that was late by more saw nothing in between, seconds."
    )
    cut_off_share: float = Field(
        default=0.5, gt=0, le=1, description="It is cut off when this share of at least two places cannot be reached."
    )
    history_checks: int = Field(default=1000, ge=1, le=100_000, description="Checks remembered of each component.")
    history_s: float = Field(default=_DAY_S, gt=0, le=30 * _DAY_S, description="How long they are, seconds.")
    sample_s: float = Field(default=5.0, gt=0, le=3600, description="How often the trend takes a score, seconds.")
    log_passed_s: float = Field(
        default=60.0, ge=0, le=_DAY_S, description="Of checks that pass one after another, so often one is logged, s."
    )
    snapshot_s: float = Field(
        default=60.0, gt=0, le=_DAY_S, description="How often the whole is written to the log, seconds."
    )
    windows_s: tuple[float, ...] = Field(
        default=(3600.0, _DAY_S, 7 * _DAY_S), min_length=1, max_length=10, description="Windows of availability, s."
    )
    trend_points: int = Field(default=60, ge=5, le=500, description="Scores that a trend is judged on at most.")
    trend_least: int = Field(default=5, ge=3, le=500, description="No trend is told from fewer.")
    trend_confidence: float = Field(default=0.9, gt=0, lt=1, description="What is less certain is called stable.")
    trend_slope_per_min: float = Field(default=0.5, ge=0, description="What changes less, in points a minute, too.")
    replace_children: bool = Field(
        default=True, description="Whether a supervised child of which a startup or liveness probe fails is replaced."
    )
    probes_max: int = Field(default=10_000, ge=1, le=1_000_000, description="Probes at all places together.")

    @field_validator("windows_s")
    @classmethod
    def _windows(cls, windows: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < window <= 366 * _DAY_S for window in windows):
            raise ValueError("a window is longer than 0 seconds and not over a year")
        return windows


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecipe:
    """What a monitor is given of a supervisor's configuration.

    Attributes:
        settings: Its own.
        scrub: The patterns of what is a secret.
        heals_sick: Whether a healer, where there is one, takes sickness for an incident.
        tells: Whether there are channels to people.
        scores_of: The components whose scores the rules of degradation go by; "" is the system. It hears of no others.
    """

    settings: MonitorSettings
    scrub: tuple[str, ...] = ()
    heals_sick: bool = True
    tells: bool = False
    scores_of: frozenset[str] = frozenset()
