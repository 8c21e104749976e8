"""What a leader leaves to its successor, as a value. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from supervisor.supervision.ledger import Ledger, child_entry, group_entry
from supervisor.tree import SUBTREE, ChildPlan, GroupPlan, is_within, path_of

if TYPE_CHECKING:
    from supervisor.charter import Charter


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepsake:
    """What a child tells a leader that has lost its memory: its plan, and the groups it is in, the outermost first."""

    plan: ChildPlan
    groups: tuple[GroupPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """A leader's state.

    Attributes:
        charter: What the supervisor is made of.
        tree: Its tree; None before the first leader has made one.
        subtrees: The trees of the groups that are supervisor actors of their own, by path.
    """

    charter: Charter
    tree: Ledger | None = None
    subtrees: Mapping[str, Ledger] = field(default_factory=dict[str, Ledger])

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of these children that nobody has told of. A subtree's tell their own supervisor."""
        known = {plan.key for _, plan in self._all() if isinstance(plan, ChildPlan)}
        subtrees = [path_of(key) for key in known if key.startswith(SUBTREE)]
        return [key for key in keys if key not in known and not any(is_within(path_of(key), path) for path in subtrees)]

    def completed(self, told: Iterable[Keepsake]) -> Estate:
        """The same, with what children told of themselves."""
        tree = self.tree or Ledger()
        groups = {entry.plan.path: entry for entry in tree.groups}
        children = {entry.plan.key: entry for entry in tree.children}
        for keepsake in told:
            for plan in keepsake.groups:
                groups.setdefault(plan.path, group_entry(plan))
            children.setdefault(keepsake.plan.key, child_entry(keepsake.plan))
        return replace(self, tree=Ledger(children=tuple(children.values()), groups=tuple(groups.values())))

    def plans(self, members: tuple[str, ...] | None) -> dict[str, ChildPlan | GroupPlan]:
        """The plans of members by key or path; of all that users have made when none are named."""
        known = {name: plan for name, plan in self._all() if plan.recipe is not None}
        return known if members is None else {name: known[name] for name in members if name in known}

    def _all(self) -> Iterator[tuple[str, ChildPlan | GroupPlan]]:
        for tree in (self.tree, *self.subtrees.values()):
            if tree is not None:
                yield from ((entry.plan.path, entry.plan) for entry in tree.groups)
                yield from ((entry.plan.key, entry.plan) for entry in tree.children)
