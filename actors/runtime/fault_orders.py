"""A fault at a point as data: what crosses to the process that is to have it. Pure.

No monotonic instant crosses a process, so its end is given as the seconds that are left.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.errors import ConfigError
from actors.runtime.fault_points import CLOCK, LEFT_S_MAX, POINTS, Kind, PointFault
from actors.runtime.settings import PROBLEM, Settings

KINDS: tuple[Kind, ...] = get_args(Kind)

FRESH_S = 0.001
"""A fault of which less is left is not put: it is as good as over."""


class FaultOrder(Settings):
    """Put this fault on."""

    fault_id: str = Field(min_length=1, max_length=256, description="Its name, run and all.")
    run: str = Field(min_length=1, max_length=256, description="The run that it belongs to.")
    point: str = Field(description="Where: the name of a point.")
    subject: str = Field(default="*", min_length=1, max_length=256, description="Whose calls: a name, or a pattern.")
    kind: Literal["latency", "error", "unavailable", "hang", "lost_request", "lost_reply", "exit", "skew"] = Field(
        description="What."
    )
    left_s: float = Field(le=LEFT_S_MAX, description="It is over in so long, seconds.")
    share: float = Field(default=1.0, gt=0, le=1, description="Of the calls that pass.")
    delay_s: float = Field(default=0.0, ge=0, le=600, description="Latency: so much, seconds.")
    jitter_s: float = Field(default=0.0, ge=0, le=600, description="Latency: up to so much more, seconds.")
    skew_s: float = Field(default=0.0, ge=-86_400, le=86_400, description="Skew: the clock is off by this, seconds.")
    message: str = Field(default="", max_length=1000, description="Error: what it says.")
    error: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        max_length=256,
        description="Error: the class that is raised, as package.module:Class, called with the message.",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.point not in POINTS:
            raise _problem(f"point: {self.point!r} is no point; there are {', '.join(POINTS)}")
        if (self.kind == "skew") != (self.point == CLOCK):
            raise _problem("kind: skew acts at the point clock, and nothing else does")
        return self

    def fault(self, now: float) -> PointFault:
        """The fault, which is on from `now`, monotonic seconds.

        Raises:
            ConfigError: This process cannot import its error, or that is no exception.
        """
        error = None if self.error is None else _exception(self.error)
        fields = self.model_dump(exclude={"left_s", "error"})
        return PointFault(**fields, until=now + self.left_s, error=error)


def read_orders(faults: Sequence[Mapping[str, Any]]) -> list[FaultOrder]:
    """Orders from what was sent.

    Raises:
        ConfigError: One of them is wrong; nothing is put then.
    """
    return [FaultOrder.parse(dict(each), source=f"faults[{number}]") for number, each in enumerate(faults)]


def _exception(path: str) -> type[Exception]:
    module, _, name = path.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError("fault", problems=(f"error: {path} cannot be imported here: {error}",)) from None
    if not (isinstance(found, type) and issubclass(found, Exception)):
        raise ConfigError("fault", problems=(f"error: {path} is no exception",))
    return found


def _problem(words: str) -> PydanticCustomError:
    return PydanticCustomError(PROBLEM, "{words}", {"words": words})
