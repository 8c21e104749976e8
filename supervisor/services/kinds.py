"""What the actor of each service is made of; loaded by who makes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The actors of one concern.

    Attributes:
        module: Where the class is made; not loaded before the first such actor is.
        maker: The function in it that returns the Ray actor class, whose arguments are name, leader and ports.
        settings: The configuration's part for it.
    """

    module: str
    maker: str
    settings: Callable[[SupervisorConfig], Any] = lambda _: None

    def actor_class(self) -> Any:
        """The Ray actor class."""
        return getattr(import_module(self.module), self.maker)()


def _recipe(config: SupervisorConfig) -> Any:
    from supervisor.healing.ports import recipe_of  # noqa: PLC0415 - who heals nothing does not load it

    return recipe_of(config)


def _health_recipe(config: SupervisorConfig) -> Any:
    from actors.health.settings import HealthRecipe  # noqa: PLC0415 - who watches nothing does not load it
    from actors.health.telling import SCORES  # noqa: PLC0415 - the same

    return HealthRecipe(
        settings=config.health,
        scrub=config.log.scrub,
        heals_sick=config.healer.on_sick is not None,
        tells=bool(config.notifier.channels),
        scores_of=frozenset(rule.of for rule in config.degradation.rules if rule.signal in SCORES),
    )


KINDS: dict[str, Kind] = {
    "breaker": Kind(
        module="actors.breaker.actor", maker="breaker_actor", settings=lambda config: config.breaker_names_max
    ),
    "health": Kind(
        module="actors.health.actor",
        maker="health_actor",
        settings=_health_recipe,
    ),
    "degradation": Kind(
        module="actors.degradation.actor", maker="degradation_actor", settings=lambda config: config.degradation
    ),
    "healer": Kind(module="actors.healer.actor", maker="healer_actor", settings=_recipe),
    "healer/main": Kind(module="actors.healer.coordinator", maker="coordinator_actor", settings=_recipe),
    "notifier": Kind(module="actors.notifier.actor", maker="notifier_actor", settings=lambda config: config.notifier),
}
"""By concern; a key of its own goes before its concern."""


def kind_of(key: str) -> Kind | None:
    """What a service's actor is made of; None for what is no service."""
    return KINDS.get(key) or KINDS.get(key.partition("/")[0])
