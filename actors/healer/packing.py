"""How strategies travel: users' functions and exception classes each as a pickle, under its name.

Who coordinates decides by numbers and names alone: it need not be able to import what users wrote. The healer that
takes a step loads what that step calls.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from actors.healer.incident import Incident
from actors.healer.named import check_plans
from actors.healer.rows import RESULT_BYTES_MAX
from actors.healer.settings import PlanRule
from actors.recovery.retry import Fallback, Provider, Retry
from actors.recovery.strategies import Restore, Strategy, UserStrategy, title
from actors.runtime import wire
from actors.runtime.errors import ConfigError

PACKED_BYTES_MAX = 1 << 20
"""So much a plan may take: it is written down with each incident that it is for."""


class Carried:
    """A function, class or value of the user's as it travels.

    Attributes:
        name: What people call it.
        data: Its pickle.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Load it, and call it."""
        return self.load()(*args, **kwargs)

    def load(self) -> Any:
        """What was packed.

        Raises: whatever importing or unpickling raises.
        """
        return pickle.loads(self.data)  # noqa: S301 - Ray itself carries pickles between these same processes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Carried) and (other.name, other.data) == (self.name, self.data)

    def __hash__(self) -> int:
        return hash((self.name, self.data))

    def __repr__(self) -> str:
        return self.name


def packed(strategy: Strategy) -> Strategy:
    """The same with everything of the user's as it travels.

    Raises:
        ConfigError: A function of it does not pickle.
    """
    try:
        return _mapped(strategy, _carry)
    except Exception as error:
        problem = f"a function or value of it does not pickle: {type(error).__name__}: {error}"
        raise ConfigError(title(strategy), problems=(problem,)) from error


def loaded(strategy: Strategy) -> Strategy:
    """The same with everything of the user's as it was.

    Raises: whatever importing or unpickling raises.
    """
    return _mapped(strategy, _load)


def pack_plan(rule: PlanRule) -> bytes:
    """A plan as it travels to whoever coordinates.

    Raises:
        ConfigError: A function of it does not pickle, or it takes too much room.
    """
    data = pickle.dumps(
        rule.model_copy(update={"strategies": tuple(packed(each) for each in rule.strategies)}), wire.PROTOCOL
    )
    if len(data) > PACKED_BYTES_MAX:
        problem = (
            f"it takes {len(data)} bytes and may take {PACKED_BYTES_MAX}; put its functions into a module that every "
            "process can import, and what they work on into files or ObjectRefs"
        )
        raise ConfigError(f"plan for {rule.component}", problems=(problem,))
    return data


def unpack_plan(data: bytes) -> PlanRule:
    """A plan, its functions as they travel."""
    return cast("PlanRule", pickle.loads(data))  # noqa: S301 - our own, see `pack_plan`


def taken_plan(data: bytes, channels: Sequence[str]) -> PlanRule:
    """A plan that somebody gives to this process, its functions as they travel.

    Raises:
        ConfigError: It names a strategy that is not installed here, or none of these channels.
    """
    rule = unpack_plan(data)
    check_plans({"": rule}, channels=channels, source=f"plan({rule.component!r})")
    return rule


def pack_incident(incident: Incident) -> bytes:
    """An incident for the journal; too large a result of a function is left out."""
    result = incident.result
    if isinstance(result, bytes) and len(result) > RESULT_BYTES_MAX:
        incident = replace(incident, result=None)
    return pickle.dumps(incident, wire.PROTOCOL)


def unpack_incident(data: bytes) -> Incident:
    """An incident of the journal, the functions of its strategies as they travel."""
    return cast("Incident", pickle.loads(data))  # noqa: S301 - our own, see `pack_incident`


def _mapped(strategy: Strategy, change: Any) -> Strategy:
    changes: dict[str, Any]
    match strategy:
        case Retry():
            changes = {"on": tuple(change(each) for each in strategy.on)}
        case Fallback():
            others = tuple(_provider(each, change) for each in strategy.others)
            changes = {"fn": change(strategy.fn), "others": others}
        case Restore():
            changes = {name: change(getattr(strategy, name)) for name in ("load", "verify", "apply", "roll_back")}
        case UserStrategy():
            changes = {"options": {name: change(value) for name, value in strategy.options.items()}}
        case _:
            changes = {}
    return strategy.model_copy(update=changes)


def _provider(provider: Provider, change: Any) -> Provider:
    return provider.model_copy(update={"fn": change(provider.fn), "name": provider.title})


def _carry(value: Any) -> Any:
    plain = value is None or isinstance(value, Carried | str | bytes | int | float)
    if plain or (isinstance(value, type) and value.__module__ == "builtins"):
        return value
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return Carried(name, wire.pickle_named(value) if callable(value) else wire.dumps(value)[0])


def _load(value: Any) -> Any:
    return value.load() if isinstance(value, Carried) else value
