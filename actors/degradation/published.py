"""What every process reads of the degradation: compact, immutable, answered by a dictionary. Pure.

It holds all that a reader needs, so it survives the loss of every actor. A feature that is the same for everybody costs
one look-up; only who asks for a tenant, or for a feature that some tenants get, takes the longer way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.degradation.features import Resolved

Why = Literal["on", "level", "needs", "rollout", "tenant"]

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The degradation at one moment.

    Attributes:
        level: The level that holds.
        number: Its place, 0 is the fullest.
        generation: Counts what was published; what has a smaller one is older.
        reason: Why the level holds.
        resolved: What it leaves.
    """

    level: str
    number: int
    generation: int
    reason: str
    resolved: Resolved


class Reader:
    """What a process asks about features. One object per published state; a newer one replaces it."""

    __slots__ = ("_plain", "published")

    def __init__(self, published: Published) -> None:
        self.published = published
        self._plain = published.resolved.plain

    @property
    def level(self) -> str:
        return self.published.level

    def enabled(self, name: str, *, tenant: str | None = None) -> bool:
        """Whether a feature is on, for a tenant if one is given.

        Raises:
            ConfigError: Nobody declared it.
        """
        on = self._plain.get(name)
        return self._takes(name, tenant) if on is None else on

    def limit(self, name: str) -> float | None:
        """The most that may be used of a capability at this level; None if no level says so.

        Raises:
            ConfigError: Nobody declared it.
        """
        limits = self.published.resolved.limits
        if name not in limits:
            raise _unknown("limit", name, limits)
        return limits[name]

    def why(self, name: str, *, tenant: str | None = None) -> tuple[Why, str]:
        """Why a feature is on or off, in a word, and the feature that this is due to.

        Raises:
            ConfigError: Nobody declared it.
        """
        resolved = self.published.resolved
        if name in resolved.why_off:
            cause = resolved.why_off[name]
            return ("level", name) if cause == "level" else ("needs", cause)
        for portion in resolved.partial.get(name, ()):
            said = None if tenant is None else portion.tenants.get(tenant)
            if not portion.takes(tenant):
                return ("rollout" if said is None else "tenant"), portion.feature
        self.enabled(name)
        return "on", name

    def decided_by(self, name: str, *, tenant: str | None = None) -> Why:
        """What the answer for a tenant is due to: as `why`, but also for what is on, "rollout" or "tenant".

        Raises:
            ConfigError: Nobody declared it.
        """
        why, _ = self.why(name, tenant=tenant)
        portions = self.published.resolved.partial.get(name, ())
        if why != "on" or tenant is None or not portions:
            return why
        return "tenant" if any(tenant in portion.tenants for portion in portions) else "rollout"

    def _takes(self, name: str, tenant: str | None) -> bool:
        portions = self.published.resolved.partial.get(name)
        if portions is None:
            resolved = self.published.resolved
            raise _unknown("feature", name, [*resolved.plain, *resolved.partial])
        return all(portion.takes(tenant) for portion in portions)


def _unknown(what: str, name: str, known: Iterable[str]) -> ConfigError:
    names = sorted(known)
    there = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") or "none"
    problem = f"{name!r} is not declared; declare it with sup.degradation.feature(...), there are: {there}"
    return ConfigError(f"degradation.{what}", problems=(problem,))
