"""One step of an experiment, in Chaos Toolkit's shape. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from actors.runtime.errors import ConfigError
from actors.runtime.settings import Settings, shown
from experiments.model.faults import Fault, parse_fault
from experiments.model.functions import ACTIONS, PROBES, Nothing
from experiments.model.tolerance_file import DRIVER, parse_tolerance

if TYPE_CHECKING:
    from experiments.model.tolerances import Tolerance, Yields

_PATIENCE_S_MAX = 3_600.0


class Provider(Settings):
    """The function behind it."""

    type: Literal["python"] = Field(description="Always a function of Python.")
    module: str = Field(min_length=1, max_length=256, description="Its module; our functions are in this one.")
    func: str = Field(min_length=1, max_length=256, description="Its name.")
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any], description="What it is called with.")
    secrets: tuple[str, ...] = Field(default=(), max_length=50, description="Chaos Toolkit's secrets for it.")


class Pauses(Settings):
    """Waiting around a step."""

    before: float = Field(default=0.0, ge=0, le=_PATIENCE_S_MAX, description="Before it, seconds.")
    after: float = Field(default=0.0, ge=0, le=_PATIENCE_S_MAX, description="After it, seconds.")


class Activity(Settings):
    """A probe or an action."""

    type: Literal["probe", "action"] = Field(description="Whether it looks or acts.")
    name: str = Field(min_length=1, max_length=256, description="What it is called.")
    provider: Provider = Field(description="The function.")
    tolerance: Any = Field(default=None, description="What a probe of a hypothesis must give.")
    timeout: float | None = Field(
        default=None,
        gt=0,
        le=_PATIENCE_S_MAX,
        description="A probe cannot be judged after so long, seconds; what is injected ends with its lease.",
    )
    pauses: Pauses = Field(default=Pauses(), description="Waiting around it.")
    background: bool = Field(default=False, description="The next one does not wait for it.")
    controls: tuple[dict[str, Any], ...] = Field(default=(), description="Chaos Toolkit's controls.")

    @property
    def is_ours(self) -> bool:
        """Whether its function is one of ours."""
        return self.provider.module == DRIVER

    def fault(self) -> Fault | None:
        """What it injects, or None.

        Raises:
            ConfigError: The fault is none, or its fields are wrong.
        """
        if not self.is_ours or self.provider.func != "inject":
            return None
        return parse_fault(self.provider.arguments, source=self.name)

    def judge_by(self) -> Tolerance | None:
        """What its value must be, or None when nothing is said.

        Raises:
            ConfigError: What is said is no tolerance.
        """
        return None if self.tolerance is None else parse_tolerance(self.tolerance, source=self.name)

    def problems(self) -> tuple[str, ...]:
        """What is wrong in what Chaos Toolkit does not look into; each with its path."""
        if not self.is_ours:
            return _prefixed("tolerance", self.judge_by)
        return (*self._function_problems(), *self._tolerance_problems())

    def _function_problems(self) -> tuple[str, ...]:
        func, arguments = self.provider.func, self.provider.arguments
        known = tuple(PROBES) if self.type == "probe" else ACTIONS
        if func not in known:
            return (f"provider.func: {shown(func)} is no {self.type} of {DRIVER}; there are {', '.join(known)}",)
        if func == "inject":
            return _prefixed("provider.arguments", self.fault)
        model = PROBES[func][0] if func in PROBES else Nothing
        return _prefixed("provider.arguments", lambda: model.parse(arguments, source=""))

    def _tolerance_problems(self) -> tuple[str, ...]:
        problems = _prefixed("tolerance", self.judge_by)
        if problems or self.tolerance is None or self.provider.func not in PROBES:
            return problems
        yields: Yields = PROBES[self.provider.func][1]
        tolerance = cast("Tolerance", self.judge_by())
        if yields in tolerance.takes:
            return ()
        return (f"tolerance: {self.provider.func} gives {yields}, which {type(tolerance).__name__} cannot judge",)


def _prefixed(path: str, make: Any) -> tuple[str, ...]:
    try:
        make()
    except ConfigError as error:
        return tuple(
            f"{path}: {problem.removeprefix('(top level): ')}"
            if problem.startswith("(top level): ")
            else f"{path}.{problem}"
            for problem in error.problems
        )
    return ()
