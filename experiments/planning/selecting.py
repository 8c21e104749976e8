"""Which targets a selector means, and which of them are drawn. Pure.

A selector that means nobody, or that would leave nobody of a kind, is refused by what it says, not silently obeyed.
What there is only one of (a supervisor, the log) may be hit: there is no more careful choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import ceil
from typing import TYPE_CHECKING

from experiments.planning.lots import shuffled
from experiments.planning.radius import MORE_NODES, is_named

if TYPE_CHECKING:
    from collections.abc import Collection

    from experiments.model.selector import Selector, TargetKind
    from experiments.planning.inventory import Inventory, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a selector comes to.

    Attributes:
        drawn: Those that are hit, by name.
        matched: How many it could have been.
        problem: Why it is refused; nothing if it is not.
    """

    drawn: tuple[Target, ...] = ()
    matched: int = 0
    problem: str = ""


def select(
    selector: Selector,
    inventory: Inventory,
    *,
    fits: Collection[TargetKind],
    seed: int,
    place: int,
    excluded: Collection[str] = (),
) -> Selected:
    """Draw the targets of one fault.

    Args:
        selector: Who is meant.
        inventory: What there is.
        fits: What can bear the fault; nothing else is meant.
        seed: The experiment's.
        place: The fault's place in the method: each draws its own lot.
        excluded: Names that are not meant, whatever is said.
    """
    matching = [target for target in inventory.targets if _matches(selector, target, fits)]
    allowed = [target for target in matching if target.name not in excluded]
    if not allowed:
        return Selected(problem=_nothing(selector, inventory, matching))
    count = _how_many(selector, len(allowed))
    if count > len(allowed):
        return Selected(
            matched=len(allowed),
            problem=f"the selector ({selector.described()}) wants {count}, and only {len(allowed)} match",
        )
    drawn = tuple(sorted(shuffled(allowed, seed, place, name=_name)[:count], key=_name))
    problem = "" if selector.everything else _everything(selector, inventory, drawn)
    return Selected(drawn=drawn, matched=len(allowed), problem=problem)


def is_meant(selector: Selector, target: Target) -> bool:
    """Whether a selector means a target, running or not."""
    return (
        (selector.kind is None or selector.kind == target.kind)
        and is_named(target.name, (selector.name,))
        and any(fnmatchcase(each, selector.node) for each in (target.node, target.node_name))
        and fnmatchcase(target.group, selector.group)
        and all(target.labels.get(label) == value for label, value in selector.labels.items())
    )


def _matches(selector: Selector, target: Target, fits: Collection[TargetKind]) -> bool:
    return target.running and target.kind in fits and is_meant(selector, target)


def _how_many(selector: Selector, matching: int) -> int:
    if selector.everything:
        return matching
    if selector.percentage is not None:
        return ceil(matching * selector.percentage / 100)
    return selector.count or 1


def _nothing(selector: Selector, inventory: Inventory, matching: list[Target]) -> str:
    if matching:
        return f"the selector ({selector.described()}) matches only what is protected: {_names(matching)}"
    there = [target for target in inventory.targets if selector.kind in (None, target.kind) and target.running]
    told = f"; there are {_names(there)}" if there else "; there is none of that kind"
    told += f"; {MORE_NODES}" if selector.kind == "node" and selector.group == "others" else ""
    told += "; give its host as name: nobody lists which hosts a cluster calls" if selector.kind == "dependency" else ""
    return f"the selector ({selector.described()}) matches nothing that runs{told}"


def _everything(selector: Selector, inventory: Inventory, drawn: tuple[Target, ...]) -> str:
    """Whether all of a kind of which there are several would be hit."""
    for kind in sorted({target.kind for target in drawn}):
        there = inventory.running(kind)
        if len(there) > 1 and {target.name for target in there} <= {target.name for target in drawn}:
            return (
                f"the selector ({selector.described()}) matches everything: all {len(there)} of kind {kind}; "
                "choose fewer, or say everything: true"
            )
    return ""


_SHOWN_MAX = 8


def _names(targets: list[Target]) -> str:
    names = sorted(target.name for target in targets)
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return f"{', '.join(names[:_SHOWN_MAX])}{more}"


def _name(target: Target) -> str:
    return target.name
