"""A group that is a supervisor of its own: what each of its lives begins with. Pure.

    no life yet --------------------> all of its recipe starts
    its last life ended ------------> all that it left starts, in order: as any group that is started again
         (asked to, over its intensity, or in the middle of its end)
    its last life died -------------> what lives is adopted, what was ended stays so, what died is restarted

What the earlier life left is its ledger; whether it had ended stands in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from supervisor.supervision.ledger import ChildEntry, Ledger
from supervisor.tree import TOP, ChildPlan, GroupPlan

_DOWN = ("stopped", "given_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What the machine of a life is made of.

    Attributes:
        groups: The top, and what is directly or further in it, if no ledger tells that.
        children: The same.
        order: Keys and paths in the order of their start.
        ledger: What the earlier life left, or None.
        succeeds: Whether it goes on where the earlier one was; else it starts everything.
    """

    groups: tuple[GroupPlan, ...]
    children: tuple[ChildPlan, ...] = ()
    order: tuple[str, ...] = ()
    ledger: Ledger | None = None
    succeeds: bool


def beginning(
    groups: Sequence[GroupPlan],
    children: Sequence[ChildPlan],
    order: Sequence[str],
    left: Ledger | None,
    *,
    any_alive: bool,
) -> Beginning:
    """What a life begins with.

    Args:
        groups: The recipe's, the subtree's own first.
        children: The recipe's.
        order: The recipe's.
        left: What its earlier life left. It knows all that the recipe does, and what was changed since.
        any_alive: Whether something of it lives, as it may though nobody remembers an earlier life.
    """
    top = GroupPlan(path=TOP, parent=None, intensity=0)
    if left is None:
        return Beginning(
            groups=(top, *groups), children=tuple(children), order=tuple(order), ledger=None, succeeds=any_alive
        )
    if not was_ended(left):
        return Beginning(groups=(top,), ledger=left, succeeds=True)
    kept = at_rest(left)
    # To come back, each: a life of this number or an earlier one is not adopted any more.
    back = tuple(replace(entry, status="waiting") for entry in kept.children)
    return Beginning(groups=(top,), ledger=replace(kept, children=back), succeeds=False)


def was_ended(ledger: Ledger) -> bool:
    """Whether a subtree's own tree has ended as a whole, or was about to; not so when it died by itself."""
    return any(entry.plan.path == TOP and (entry.status in _DOWN or entry.ends is not None) for entry in ledger.groups)


def at_rest(ledger: Ledger) -> Ledger:
    """What outlives the end of a subtree: plans, order and incarnations; what is temporary is forgotten."""
    gone: set[str] = set()
    for entry in ledger.groups:
        plan = entry.plan
        if plan.parent in gone or (plan.restart == "temporary" and plan.parent not in (None, TOP)):
            gone.add(plan.path)
    children = [entry for entry in ledger.children if not _is_forgotten(entry, gone)]
    lost = [entry for entry in ledger.children if _is_forgotten(entry, gone)]
    names = {entry.plan.key for entry in children} | {entry.plan.path for entry in ledger.groups} - gone
    return replace(
        ledger,
        children=tuple(replace(entry, status="stopped") for entry in children),
        groups=tuple(
            replace(
                entry,
                status="stopped",
                members=tuple(member for member in entry.members if member in names),
                restarted_ago_s=(),
                failure=None,
                ends=None,
            )
            for entry in ledger.groups
            if entry.plan.path not in gone
        ),
        numbers=(*ledger.numbers, *((entry.plan.key, entry.last) for entry in lost if entry.last)),
    )


def _is_forgotten(entry: ChildEntry, gone: set[str]) -> bool:
    return entry.plan.restart == "temporary" or entry.plan.group in gone
