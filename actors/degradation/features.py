"""Which features a level leaves, and what each tenant gets of them. Pure.

A feature is on while the level is not poorer than its lowest, and all that it needs is on. Who gets it is a matter of a
stable hash: a tenant that has it at 10 % has it at 20 %, in every process and version. A tenant's override decides in
place of the rollout; the level goes before both, and a feature goes with what it needs for each tenant, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from actors.degradation.settings import LEVELS
from actors.runtime.graph import find_cycle, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.degradation.settings import FeatureSettings

_SHARES = 10_000
_PER_CENT = _SHARES // 100
ALL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a level leaves.

    Attributes:
        plain: Features that are the same for everybody, and whether they are on.
        partial: Features that some tenants get, and all that decides for them: their own, then that of what they need.
        limits: Per capability the most of it; None where no fuller level says so either.
        why_off: For each feature that is off: "level", or the feature that it needs.
    """

    plain: Mapping[str, bool]
    partial: Mapping[str, tuple[Portion, ...]]
    limits: Mapping[str, float | None]
    why_off: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Which tenants get one feature, by its own rollout.

    Attributes:
        feature: The feature.
        rollout: Per cent.
        tenants: Those for which it is said by hand.
    """

    feature: str
    rollout: float
    tenants: Mapping[str, bool]

    def takes(self, tenant: str | None) -> bool:
        """Whether a tenant gets it; without one only what everybody gets."""
        if tenant is None:
            return self.rollout >= ALL
        said = self.tenants.get(tenant)
        return share_of(self.feature, tenant) < self.rollout * _PER_CENT if said is None else said


def fitted(feature: FeatureSettings, levels: tuple[str, ...]) -> FeatureSettings:
    """A declaration among levels of other names: what `lowest` is where nobody says it is the poorest of those."""
    if feature.lowest != LEVELS[-1] or feature.lowest in levels:
        return feature
    return feature.model_copy(update={"lowest": levels[-1]})


def share_of(feature: str, tenant: str) -> int:
    """Where a tenant stands in the rollout of a feature: 0 to 9999, the same everywhere and for ever."""
    digest = blake2b(f"{feature}\0{tenant}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _SHARES


def problems_of_feature(
    feature: FeatureSettings, declared: Mapping[str, FeatureSettings], *, levels: tuple[str, ...], features_max: int
) -> tuple[str, ...]:
    """What is wrong with a declaration among those that stand; each problem begins with the path of its field."""
    problems: list[str] = []
    if feature.lowest not in levels:
        problems.append(f"lowest: {feature.lowest!r} is not one of {', '.join(levels)}")
    for name, per_level in feature.limits.items():
        problems += [
            f"limits.{name}.{level}: no such level; there are {', '.join(levels)}"
            for level in per_level
            if level not in levels
        ]
        owner = next((each.name for each in declared.values() if each.name != feature.name and name in each.limits), "")
        if owner:
            problems.append(f"limits.{name}: feature {owner!r} has declared it; a capability belongs to one feature")
    for needed in feature.needs:
        if needed != feature.name and needed not in declared:
            problems.append(f"needs: {needed!r} is no feature yet; declare that first")
    ring = find_cycle({name: each.needs for name, each in {**declared, feature.name: feature}.items()})
    if ring:
        problems.append(f"needs: {' -> '.join(ring)} is a ring; a feature cannot need itself")
    if feature.name not in declared and len(declared) >= features_max:
        problems.append(f"name: {features_max} features are declared, the limit; raise features_max")
    return tuple(problems)


def resolve(declared: Mapping[str, FeatureSettings], *, level: int, levels: tuple[str, ...]) -> Resolved:
    """What the level of this number leaves of the features."""
    plain: dict[str, bool] = {}
    partial: dict[str, tuple[Portion, ...]] = {}
    why_off: dict[str, str] = {}
    for name in in_order({name: each.needs for name, each in declared.items()}):
        feature = declared[name]
        missing = [needed for needed in feature.needs if needed in why_off]
        if level > levels.index(feature.lowest):
            plain[name], why_off[name] = False, "level"
        elif missing:
            plain[name], why_off[name] = False, missing[0]
        else:
            portions = {each.feature: each for needed in feature.needs for each in partial.get(needed, ())}
            if feature.rollout < ALL or feature.tenants:
                portions[name] = Portion(feature=name, rollout=feature.rollout, tenants=feature.tenants)
            if portions:
                partial[name] = tuple(portions.values())
            else:
                plain[name] = True
    limits = {
        name: _limit(per_level, level=level, levels=levels)
        for feature in declared.values()
        for name, per_level in feature.limits.items()
    }
    return Resolved(plain=plain, partial=partial, limits=limits, why_off=why_off)


def _limit(per_level: Mapping[str, float], *, level: int, levels: tuple[str, ...]) -> float | None:
    return next((per_level[name] for name in reversed(levels[: level + 1]) if name in per_level), None)
