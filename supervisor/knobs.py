"""Ray's settings that failover depends on: what each brings, and what it costs to lack it. Pure.

The embedded start sets them, cluster.yaml sets the same but for one, and `supervisor doctor` compares a running cluster
with them. The numbers were measured on Ray 2.60 on two shared cores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

PRELOADED_MODULES = (
    # What Ray itself imports after an actor's first answer: half of what that answer waits for.
    "ray._common.pydantic_compat",
    "ray._private.arrow_serialization",
    "actors.worker.actor",
    "actors.child.actor",
    "actors.runtime.shell",
    "supervisor.child_ports",
)
"""Imported by each worker process before it has work; a name that does not import is passed over by Ray."""

FORKED_MODULES = (
    *PRELOADED_MODULES,
    "actors.event_log.actor",
    "actors.node_agent.actor",
    "actors.breaker.actor",
    "actors.service.actor",
    "supervisor.actor",
    "supervisor.standby",
    "supervisor.subtree_actor",
)
"""What forked worker processes share, see `actors.runtime.forking`: all that runs in an actor of ours."""

Source = Literal["system config", "environment", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting of Ray.

    Attributes:
        name: Ray's name for it, in `_system_config`; `RAY_<name>` in the environment of `ray start`.
        wanted: What we set. A number is a limit: a smaller one is as good.
        default: Ray's own value.
        lacking: What it costs to leave it at the default.
        in_environment: Whether `RAY_<name>` works, too.
        embedded: What an embedded start sets instead: its only node shares a machine with those who judge it, so what
            is slow to answer there is busy, not lost, and giving it up would end everything.
    """

    name: str
    wanted: int | tuple[str, ...]
    default: int | tuple[str, ...]
    lacking: str
    in_environment: bool = True
    embedded: int | None = None

    def fitting(self, *, embedded: bool) -> int | tuple[str, ...]:
        """What is wanted there."""
        return self.embedded if embedded and self.embedded is not None else self.wanted


KNOBS: tuple[Knob, ...] = (
    Knob(
        name="health_check_period_ms",
        wanted=500,
        default=3000,
        lacking="a lost node is noticed after 13.5 s instead of 1.2 s",
    ),
    Knob(
        name="health_check_timeout_ms",
        wanted=500,
        default=10000,
        lacking="a hung or cut-off node is noticed after most of a minute instead of 2.9 s",
    ),
    Knob(
        name="health_check_failure_threshold",
        wanted=3,
        default=5,
        embedded=60,
        lacking="a lost node is noticed later by two periods; right where the network drops packets",
    ),
    Knob(
        name="timeout_ms_task_wait_for_death_info",
        wanted=0,
        default=1000,
        lacking="a caller on another node learns of its actor's death after 1.1-2.0 s instead of 8-12 ms",
    ),
    Knob(
        name="kill_worker_timeout_milliseconds",
        wanted=500,
        default=5000,
        lacking="ray.kill of a hung process takes 5 s instead of 0.5 s, where we cannot send SIGKILL ourselves",
    ),
    Knob(
        name="preload_python_modules",
        wanted=PRELOADED_MODULES,
        default=(),
        lacking="a replacement in a prestarted process answers after 0.12-0.16 s instead of 0.05 s",
        in_environment=False,
    ),
)

PRESTART = "PrestartWorkers"
_PRESTART_LACKING = "a replacement starts its process first, and answers after 0.6 s instead of 0.05-0.16 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One knob as a cluster has it.

    Attributes:
        name: The knob's, or `PRESTART`.
        running: What is in force.
        source: Where that stands.
        remedy: What to do about it; empty when all is well.
        lacking: What it costs as it is; empty when all is well.
    """

    name: str
    running: object
    source: Source
    lacking: str = ""
    remedy: str = ""

    @property
    def well(self) -> bool:
        return not self.lacking


def profile(is_there: Callable[[str], bool], *, embedded: bool = False) -> dict[str, Any]:
    """Every knob with its value, as Ray's `_system_config` wants it.

    Args:
        is_there: Whether a module exists: those that do not are not preloaded.
        embedded: Whether it is for an embedded start.
    """
    wanted = {knob.name: knob.fitting(embedded=embedded) for knob in KNOBS}
    return {
        name: value if isinstance(value, int) else [module for module in value if is_there(module)]
        for name, value in wanted.items()
    }


def examine(
    system_config: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    prestart_refusal: str | None,
    embedded: bool = False,
) -> tuple[Examined, ...]:
    """Compare a running cluster with the profile.

    Args:
        system_config: What its head was started with; Ray lets it win over the environment.
        environment: The variables of Ray's own processes, as far as they can be seen from here.
        embedded: Whether a program started it, with itself as its only user.
        prestart_refusal: Why worker processes cannot be started ahead of need; None when they can.
    """
    seen = tuple(_examine(knob, system_config, environment, embedded=embedded) for knob in KNOBS)
    if prestart_refusal is None:
        return (*seen, Examined(name=PRESTART, running="available", source="default"))
    remedy = f"Ray said: {prestart_refusal}"
    refused = Examined(
        name=PRESTART, running="not available", source="default", lacking=_PRESTART_LACKING, remedy=remedy
    )
    return (*seen, refused)


def _examine(
    knob: Knob, system_config: Mapping[str, Any], environment: Mapping[str, str], *, embedded: bool
) -> Examined:
    running, source = _in_force(knob, system_config, environment)
    if _is_as_good(running, knob.fitting(embedded=embedded)):
        return Examined(name=knob.name, running=running, source=source)
    return Examined(name=knob.name, running=running, source=source, lacking=knob.lacking, remedy=_remedy(knob))


def _in_force(knob: Knob, config: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[object, Source]:
    if knob.name in config:
        return config[knob.name], "system config"
    text = environment.get(f"RAY_{knob.name}")
    if text is not None and knob.in_environment:
        return int(text) if text.strip().isdigit() else text, "environment"
    return knob.default, "default"


def _is_as_good(running: object, wanted: int | tuple[str, ...]) -> bool:
    if isinstance(wanted, int):
        return isinstance(running, int) and running <= wanted
    return isinstance(running, list | tuple) and set(wanted) <= set(running)


def _remedy(knob: Knob) -> str:
    if isinstance(knob.wanted, int):
        assignment = f'"{knob.name}": {knob.wanted}'
        also = f", or RAY_{knob.name}={knob.wanted} in the environment of `ray start` on every node"
    else:
        names = ", ".join(f'"{name}"' for name in knob.wanted)
        assignment, also = f'"{knob.name}": [{names}]', ""
    return f"Start the head with {assignment} in --system-config (see cluster.yaml){also}"
