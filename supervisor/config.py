"""The configuration of a supervisor: what may stand in a YAML file or be passed to `Supervisor.start`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from actors.degradation.settings import DegradationSettings
from actors.healer.named import check_plans
from actors.healer.settings import HealerSettings
from actors.health.settings import MonitorSettings
from actors.notifier.settings import NotifierSettings
from actors.runtime.errors import ConfigError
from actors.runtime.ids import is_valid_name
from actors.runtime.scrub import DEFAULT_PATTERNS
from actors.runtime.settings import Settings
from supervisor.chaos_settings import ChaosSettings
from supervisor.services.keys import DEGRADATION
from supervisor.tasks.policy import Policy
from supervisor.tasks.settings import DEFAULT_POOL, DispatchSettings
from supervisor.tree import LOG, POOLS, ROOT, SYSTEM, TOP, ChildPlan, GroupPlan, member_plan
from supervisor.yamlfile import read_mapping


class HeartbeatSettings(Settings):
    """How often a child is asked whether it lives, and how long its silence is borne."""

    heartbeat_s: float = Field(default=1.0, gt=0, le=3600, description="Time between two questions, in seconds.")
    hang_timeout_s: float = Field(
        default=3.0, gt=0, le=3600, description="Silence that makes a child suspect, in seconds."
    )

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.hang_timeout_s <= self.heartbeat_s:
            message = f"hang_timeout_s ({self.hang_timeout_s:g}) must be larger than heartbeat_s ({self.heartbeat_s:g})"
            raise ValueError(message)
        return self


class PoolSettings(HeartbeatSettings):
    """A pool of workers."""

    size: int | None = Field(
        default=None, ge=1, le=10_000, description="Active workers; left out, the cluster's CPUs when it starts."
    )
    standbys: int = Field(default=1, ge=0, le=1000, description="Workers that are ready and idle, to step in.")
    num_cpus: float = Field(default=0.0, ge=0, description="CPUs that each worker reserves with Ray's scheduler.")
    shutdown_s: float = Field(default=5.0, ge=0, description="How long a worker may take to stop when asked, seconds.")
    intensity: int = Field(default=20, ge=0, description="Restarts within period_s that are borne.")
    period_s: float = Field(default=10.0, gt=0, description="The window in which restarts are counted, in seconds.")


class ServiceSettings(HeartbeatSettings):
    """What a supervisor itself consists of: log writer, node agents, breakers' owners, monitor, healers and the like.

    They are one group: with one restart too many all of them end, and tasks and calls go on without them.
    """

    intensity: int = Field(default=10, ge=0, description="Restarts of all together within period_s that are borne.")
    period_s: float = Field(default=10.0, gt=0, description="The window in which restarts are counted, in seconds.")


class RootSettings(Settings):
    """How many restarts of what users put directly under the supervisor are borne.

    More than a group's default: what is there need not have anything to do with each other.
    """

    intensity: int = Field(default=10, ge=0, description="Restarts within period_s that are borne.")
    period_s: float = Field(default=10.0, gt=0, description="The window in which restarts are counted, in seconds.")


class LogSettings(Settings):
    """The event log."""

    path: str = Field(default="supervisor.duckdb", min_length=1, description="The DuckDB file.")
    keep_days: float = Field(
        default=30.0,
        gt=0,
        le=36_500,
        description="How long rows of history are kept, days.",
    )
    scrub: tuple[str, ...] = Field(
        default=DEFAULT_PATTERNS,
        description="Regular expressions: what their first group finds is kept out of the log.",
    )

    @field_validator("scrub")
    @classmethod
    def _patterns_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"{pattern!r} is not a regular expression: {error}"
                raise ValueError(message) from None
        return patterns


class SupervisorConfig(Settings):
    """Everything that can be configured. Every key has a default."""

    pools: dict[str, PoolSettings] = Field(
        default_factory=lambda: {DEFAULT_POOL: PoolSettings()}, description="Worker pools by name."
    )
    policy: Policy = Field(default_factory=Policy, description="What a task may cost when it says nothing itself.")
    tasks: DispatchSettings = Field(default_factory=DispatchSettings, description="Batching and bounds of callers.")
    log: LogSettings = Field(default_factory=LogSettings, description="The event log.")
    services: ServiceSettings = Field(
        default_factory=ServiceSettings, description="The log writer, the node agents and all other services."
    )
    root: RootSettings = Field(default_factory=RootSettings, description="The children directly under the supervisor.")
    health: MonitorSettings = Field(default_factory=MonitorSettings, description="The health monitor.")
    healer: HealerSettings = Field(default_factory=HealerSettings, description="Incidents and what is done about them.")
    notifier: NotifierSettings = Field(default_factory=NotifierSettings, description="Channels to people, and routes.")
    breaker_actors_max: int = Field(
        default=8,
        ge=0,
        le=1000,
        description="Circuit breakers with an actor of their own, in the whole cluster; further ones share a few.",
    )
    breaker_names_max: int = Field(
        default=4096,
        ge=1,
        le=100_000,
        description="Circuit breakers of the whole cluster; a further name is refused with TooManyBreakersError.",
    )
    degradation: DegradationSettings = Field(
        default_factory=DegradationSettings, description="Levels of service, and the rules that change them."
    )
    chaos: ChaosSettings = Field(default_factory=ChaosSettings, description="Bounds of chaos experiments.")
    standby: bool = Field(
        default=True,
        description="Whether a second supervisor process stands by, on another node where there is one, to take over.",
    )
    warm_processes: int = Field(
        default=1,
        ge=0,
        le=100,
        description="Idle processes that stand ready on each node: a replacement need not wait for one to start.",
    )
    orphan_timeout_s: float = Field(
        default=300.0,
        gt=0,
        description="How long actors go on when nobody leads and nobody can be made to, in seconds; then they end.",
    )
    start_timeout_s: float = Field(
        default=60.0, gt=0, description="How long `start` waits for the first workers, in seconds."
    )
    otlp: Literal["auto", "off"] = Field(
        default="auto", description='"auto" exports spans when OTEL_EXPORTER_OTLP_ENDPOINT is set.'
    )

    @field_validator("pools")
    @classmethod
    def _names_fit(cls, pools: dict[str, PoolSettings]) -> dict[str, PoolSettings]:
        if not pools:
            message = "at least one pool is needed"
            raise ValueError(message)
        for name in pools:
            if not is_valid_name(name):
                message = f"{name!r} cannot name a pool: letters, digits, '_', '.', '-', at most 63"
                raise ValueError(message)
        return pools

    @classmethod
    def load(cls, config: SupervisorConfig | Mapping[str, Any] | str | Path | None) -> SupervisorConfig:
        """The configuration from itself, a mapping, a YAML file's path, or the defaults.

        Raises:
            ConfigError: The file is missing or no YAML, or keys or values are wrong; all of them are named. Or a plan
                names a strategy that no package installed here has, or a channel that is none.
        """
        if config is None:
            return cls()
        source = str(config) if isinstance(config, str | Path) else "Supervisor configuration"
        if isinstance(config, SupervisorConfig):
            found = config
        elif isinstance(config, Mapping):
            found = cls.parse(dict(config), source=source)
        elif isinstance(config, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may not check types
            found = cls.parse(read_mapping(Path(config)), source=source)
        else:
            problem = f"expected a SupervisorConfig, a mapping or a YAML file's path, not {type(config).__name__}"
            raise ConfigError(source, problems=(problem,))
        plans = {f"healer.plans[{number}]": rule for number, rule in enumerate(found.healer.plans)}
        check_plans(plans, channels=tuple(each.name for each in found.notifier.channels), source=source)
        return found


def plan(config: SupervisorConfig) -> tuple[list[GroupPlan], list[ChildPlan]]:
    """The groups and children that a configuration asks for; every pool's size must be given."""
    services = config.services
    groups = [
        GroupPlan(path=TOP, parent=None, starts_together=True),
        GroupPlan(
            path=SYSTEM,
            parent=TOP,
            starts_together=True,
            intensity=services.intensity,
            period_s=services.period_s,
        ),
    ]
    children = [
        ChildPlan(
            key=LOG,
            group=SYSTEM,
            heartbeat_s=services.heartbeat_s,
            hang_timeout_s=services.hang_timeout_s,
            shutdown_s=30.0,
        )
    ]
    if config.degradation.rules:  # without rules it begins with its first use
        children.append(replace(children[0], key=DEGRADATION, shutdown_s=5.0))
    for name, settings in config.pools.items():
        path = f"{POOLS}{name}"
        template = ChildPlan(
            key=f"worker/{name}",
            group=path,
            heartbeat_s=settings.heartbeat_s,
            hang_timeout_s=settings.hang_timeout_s,
            shutdown_s=settings.shutdown_s,
            start_timeout_s=config.start_timeout_s,
            pool=path,
        )
        size = settings.size or 1
        groups.append(
            GroupPlan(
                path=path,
                parent=TOP,
                starts_together=True,
                ends_together=True,
                intensity=settings.intensity,
                period_s=settings.period_s,
                pool_size=size,
                pool_standbys=settings.standbys,
                template=template,
            )
        )
        children.extend(member_plan(template, f"worker/{name}-{number}") for number in range(size + settings.standbys))
    root = config.root
    groups.append(GroupPlan(path=ROOT, parent=TOP, intensity=root.intensity, period_s=root.period_s))
    return groups, children
