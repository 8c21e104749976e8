"""The six kinds of fault, what each takes, and how long it may last; what each may hit is in `matrix`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.errors import ConfigError
from actors.runtime.settings import PROBLEM, Settings, shown
from experiments.model.matrix import FaultKind, may_hit, way_of
from experiments.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Mapping

Lost = Literal["call", "request", "reply"]
Resource = Literal["cpu", "memory", "disk", "files"]

LEASE_S_MAX = 1_800.0
"""No fault lasts longer: what is to last for hours is an outage, not an experiment."""


class _Fault(Settings):
    """What all faults have."""

    target: Selector = Field(description="Who is hit.")
    lease_s: float | None = Field(
        default=None,
        gt=0,
        le=LEASE_S_MAX,
        description="It is undone after so long, seconds; left out: the experiment's lease_s.",
    )
    after_s: float = Field(default=0.0, ge=0, le=LEASE_S_MAX, description="Injected so long after its turn, seconds.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fault: FaultKind = getattr(self, "fault")  # noqa: B009 - each subclass has one of its own type
        how = self.how_fields()
        allowed = may_hit(fault, how)
        if self.target.kind is not None and self.target.kind not in allowed:
            told = f"{fault} ({way_of(fault, how)}) cannot hit {self.target.kind!r}, only {', '.join(sorted(allowed))}"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": f"target.kind: {told}"})
        return self

    def how_fields(self) -> dict[str, Any]:
        """What is particular to this fault: all but what it hits, when, and for how long."""
        return self.model_dump(exclude={"fault", "target", "lease_s", "after_s"})


class Latency(_Fault):
    """Calls take longer."""

    fault: Literal["latency"] = "latency"
    delay_s: float = Field(gt=0, le=600, description="Added to each call that is hit, seconds.")
    jitter_s: float = Field(default=0.0, ge=0, le=600, description="Up to so much more, drawn evenly, seconds.")
    share: float = Field(default=1.0, gt=0, le=1, description="Of all calls.")


class Error(_Fault):
    """Calls raise; on the clock: its time is wrong."""

    fault: Literal["error"] = "error"
    share: float = Field(default=1.0, gt=0, le=1, description="Of all calls.")
    raises: str = Field(
        default="builtins:RuntimeError",
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        max_length=256,
        description="The exception, as package.module:Class; it is called with one text.",
    )
    message: str = Field(default="injected by a chaos experiment", max_length=1000, description="That text.")
    skew_s: float = Field(default=0.0, ge=-86_400, le=86_400, description="On the clock only: it is off by this.")


class Unavailable(_Fault):
    """Calls do not arrive, or their replies do not."""

    fault: Literal["unavailable"] = "unavailable"
    share: float = Field(default=1.0, gt=0, le=1, description="Of all calls.")
    lost: Lost = Field(
        default="call", description="call: refused at once; request: never arrives; reply: it ran, and nobody is told."
    )


class Crash(_Fault):
    """The process ends."""

    fault: Literal["crash"] = "crash"
    how: Literal["sigkill", "ray_kill", "exit"] = Field(default="sigkill", description="By the kernel, Ray or itself.")
    times: int = Field(default=1, ge=1, le=1000, description="So often: each life of it anew.")
    every_s: float = Field(default=1.0, gt=0, le=600, description="Between two of them, seconds.")


class Hang(_Fault):
    """It is there and does nothing, until the lease ends: then it is resumed, or ended by its supervisor before."""

    fault: Literal["hang"] = "hang"
    how: Literal["sigstop", "block"] = Field(
        default="sigstop", description="The whole process is stopped, or the next call never returns."
    )


class Exhaustion(_Fault):
    """Something runs out."""

    fault: Literal["exhaustion"] = "exhaustion"
    resource: Resource = Field(description="What.")
    amount: float = Field(gt=0, le=1, description="The share of it that is taken; cpu: of each core it may use.")
    leave_mb: float = Field(default=512.0, ge=0, le=1_048_576, description="Memory, disk: so much is left, MiB.")


Fault = Latency | Error | Unavailable | Crash | Hang | Exhaustion

FAULTS: Mapping[str, type[Fault]] = {
    "latency": Latency,
    "error": Error,
    "unavailable": Unavailable,
    "crash": Crash,
    "hang": Hang,
    "exhaustion": Exhaustion,
}


def parse_fault(data: Mapping[str, Any], *, source: str) -> Fault:
    """The fault that a mapping describes.

    Raises:
        ConfigError: No such fault, or its fields are wrong; each with its path.
    """
    kind = data.get("fault")
    model = FAULTS.get(kind) if isinstance(kind, str) else None
    if model is None:
        told = "fault: is missing, and must be given" if kind is None else f"fault: {shown(kind)} is not a fault"
        raise ConfigError(source, problems=(f"{told}; there are {', '.join(FAULTS)}",))
    return model.parse(dict(data), source=source)
