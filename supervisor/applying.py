"""Making a supervisor's tree what a tree file says, one change after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from actors.runtime.errors import AdministrationError, ConfigError
from supervisor import requests as r
from supervisor.planning import Change, Plan, SpecSummary, plan_changes
from supervisor.recipes import plans_of, summary_now, wants_of
from supervisor.room import is_demanding, misplaced
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.summary import summarise_tree, summary_of
from supervisor.tree import ROOT, SUBTREE, ChildPlan, GroupPlan, child_key, group_path, is_group, is_within

if TYPE_CHECKING:
    from supervisor.messages import GroupView
    from supervisor.tree_client import TreeClient

Spec = ChildSpec | PoolSpec | GroupSpec


class Applying:
    """One application of a tree.

    Args:
        client: Carries the changes to whoever leads.
        tree: What is wanted.
    """

    def __init__(self, client: TreeClient, tree: TreeSpec) -> None:
        self._client = client
        self._tree = tree
        self._specs = dict(_walk(tree.members, ROOT))
        self._there = client.plans()

    def apply(self, *, dry_run: bool, restart_changed: bool) -> Plan:
        """Plan the changes, and make them unless it is a dry run; what ends, ends first."""
        there = _summaries(self._there, self._client.view().groups)
        plan = plan_changes(there, summarise_tree(self._tree), restart_changed=restart_changed)
        self._refuse_misplaced(plan)
        if not dry_run:
            self._end(plan)
            self._change(plan)
            self._add(plan)
            self._arrange(plan)
            self._restart(plan)
        return plan

    def _refuse_misplaced(self, plan: Plan) -> None:
        """What the cluster can never run is refused while everything is as it was."""
        starting = {each.path for each in (*plan.added, *filter(_asks_for_room, plan.changed))}
        wants = [want for spec in self._tree.members for want in wants_of(spec, spec.name)]
        new = [want for want in wants if want.path in starting]
        if any(map(is_demanding, new)):
            problems = misplaced(new, self._client.nodes(), [want for want in wants if want.path not in starting])
            if problems:
                raise ConfigError("apply", problems=tuple(problems))

    def _end(self, plan: Plan) -> None:
        kinds = {each.path: each.kind for each in plan.removed}
        for path in plan.ended_tops:
            member = self._member(path, kinds[path])
            self._client.terminate(member)
            try:
                self._client.delete(member)
            except AdministrationError as error:
                if error.problem != "not_found":  # what is temporary is forgotten as it ends
                    raise

    def _add(self, plan: Plan) -> None:
        new = {each.path for each in plan.added}
        for path in (each.path for each in plan.added):
            parent, spec = self._specs[path]
            if parent not in new:
                self._client.add(parent, spec, origin="apply")

    def _change(self, plan: Plan) -> None:
        """A change for each group, its own and that of its members: what they are to each other changes at once.

        All of it is then one supervisor's business. What is added comes after, to groups that are as they are to be.
        """
        changes: dict[str, r.Change] = {}
        for change in plan.changed:
            for group, wish in _changed_plans(*self._specs[change.path]):
                had = changes.get(group, r.Change())
                changes[group] = replace(had, groups=had.groups + wish.groups, children=had.children + wish.children)
        for group, wish in changes.items():
            self._client.ask(wish, group)

    def _arrange(self, plan: Plan) -> None:
        for group, order in self._orders(plan):
            self._client.ask(r.Change(order=order), group)

    def _orders(self, plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The order of members within the groups that were there and in which it is another one now."""
        new = {each.path for each in plan.added}
        disturbed = {self._specs[path][0] for path in (*plan.moved, *new)} - new
        for group in sorted(disturbed):
            members = [spec for parent, spec in self._specs.values() if parent == group]
            yield group, tuple(_key_of(group, spec) for spec in members)

    def _restart(self, plan: Plan) -> None:
        done: list[str] = []
        for change in plan.changed:
            if change.effect != "restarts now" or any(is_within(change.path, group) for group in done):
                continue
            done.append(change.path)
            parent, spec = self._specs[change.path]
            member = self._member(change.path, change.kind)
            self._client.terminate(member)
            if spec.restart == "temporary":
                self._client.add(parent, spec, origin="apply")
            else:
                self._client.restart(member)

    def _member(self, path: str, kind: str) -> str:
        """The key or path of what is there."""
        if kind == "child":
            return f"child/{path}"
        return f"{SUBTREE}{path}" if f"{SUBTREE}{path}" in self._there else path


def _asks_for_room(change: Change) -> bool:
    return change.needs_start or any(setting.name in ("size", "standbys") for setting in change.settings)


def _key_of(group: str, spec: Spec) -> str:
    match spec:
        case ChildSpec():
            return child_key(group, spec.name)
        case GroupSpec(supervisor=True):
            return f"{SUBTREE}{group_path(group, spec.name)}"
        case _:
            return group_path(group, spec.name)


def _changed_plans(parent: str, spec: Spec) -> Iterator[tuple[str, r.Change]]:
    """The new plans of a spec itself, by the group whose business they are; what is in it has changes of its own."""
    if not isinstance(spec, GroupSpec):
        wish = plans_of(spec, parent=parent, origin="apply")
        yield parent, r.Change(groups=wish.groups, children=() if wish.groups else wish.children)
        return
    path = group_path(parent, spec.name)
    if spec.supervisor:  # its next life is built of it as a whole; the one that runs is its own members' supervisor
        yield parent, r.Change(children=plans_of(spec, parent=parent, origin="apply").children)
    own = spec.model_copy(update={"children": (), "supervisor": False, "node": None})
    wish = plans_of(own, parent=parent, origin="apply")
    summary = summary_of(spec, path, "apply")
    groups = tuple(replace(plan, recipe=replace(plan.recipe, summary=summary)) for plan in wish.groups)
    yield path, r.Change(groups=groups)


def _walk(members: tuple[Spec, ...], parent: str) -> Iterator[tuple[str, tuple[str, Spec]]]:
    for spec in members:
        path = group_path(parent, spec.name)
        yield path, (parent, spec)
        if isinstance(spec, GroupSpec):
            yield from _walk(spec.members, path)


def _summaries(plans: Mapping[str, ChildPlan | GroupPlan], groups: Mapping[str, GroupView]) -> dict[str, SpecSummary]:
    """What is there, by path, in start order, groups before what is in them; a pool's members are its own business."""
    found: dict[str, SpecSummary] = {}
    for member in (*_in_start_order(ROOT, groups), *plans):  # what was made a moment ago is in no group's view yet
        plan = plans.get(member)
        summary = None if plan is None or (isinstance(plan, ChildPlan) and plan.pool) else summary_now(plan)
        if summary is not None:
            found.setdefault(summary.path, summary)
    return found


def _in_start_order(path: str, groups: Mapping[str, GroupView]) -> Iterator[str]:
    group = groups.get(path)
    for member in () if group is None else group.members:
        yield member
        if is_group(member) or member.startswith(SUBTREE):
            yield from _in_start_order(member.removeprefix(SUBTREE), groups)
