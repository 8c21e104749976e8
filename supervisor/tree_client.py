"""One process's hand on a supervisor's tree: specs go to the leader as plans, handles come back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import (
    AdministrationError,
    ChildStartError,
    ConfigError,
    LeaderUnreachableError,
    StaleIncarnationError,
)
from actors.runtime.long_poll import LongPollFullError
from supervisor import requests as r
from supervisor.administering import Administrator, refusal
from supervisor.applying import Applying
from supervisor.checkpointing import checkpoint_now
from supervisor.group import Group
from supervisor.recipes import (
    ChildRecipe,
    GroupRecipe,
    SubtreeRecipe,
    interface_of,
    plans_of,
    summary_now,
    want_resized,
    wants_of,
)
from supervisor.room import is_demanding, misplaced
from supervisor.scheduling import nodes_now
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.nesting import placing_problems
from supervisor.subscription import Subscription
from supervisor.tree import (
    ROOT,
    SUBTREE,
    ChildPlan,
    GroupPlan,
    Origin,
    child_key,
    group_path,
    is_group,
    path_of,
)
from supervisor.treefile import load_tree

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from supervisor.changes import ChangeBatch
    from supervisor.children.handle import ChildHandle, PoolHandle
    from supervisor.children.interface import ChildInterface
    from supervisor.children.registry import Children
    from supervisor.link import LeaderLink
    from supervisor.messages import ClusterView, GroupView
    from supervisor.planning import Plan
    from supervisor.room import Node

_ANSWER_S = 20.0
_AGAIN_S = 0.02
_SEEN_S = 0.5
_DOWN = ("stopped", "given_up")
_SLACK_S = 30.0
"""What a change may take beyond its members' own time to start or to end, seconds: a failover, a busy leader."""


class TreeClient:
    """Carries a process's wishes to whoever leads.

    Args:
        supervisor: The supervisor's name.
        link: The connection to whoever leads.
        view: Waits for the leader's view, and gives it.
        children: The children that this process calls.
        is_over: Whether the supervisor, or this handle of it, has ended.
    """

    def __init__(
        self,
        supervisor: str,
        link: LeaderLink,
        view: Callable[[], ClusterView],
        children: Children,
        is_over: Callable[[], bool],
    ) -> None:
        self.supervisor = supervisor
        self.view = view
        self._link = link
        self._leader = link.leader
        self._children = children
        children.look_up_by(self._interfaces)
        self._is_over = is_over
        self._administrator = Administrator(link.leader, supervisor)

    # -- adding -----------------------------------------------------------------------------------------------------

    def supervise(self, group: str, cls: type[Any], name: str, settings: dict[str, Any]) -> ChildHandle:
        """See `Group.supervise`."""
        spec = ChildSpec.parse(_given(settings, cls=cls, name=name), source=f"supervise({_text(cls)})")
        self.add(group, spec)
        return self._children.child(child_key(group, spec.name), interface_of(spec))

    def pool(self, group: str, cls: type[Any], name: str, size: int, settings: dict[str, Any]) -> PoolHandle:
        """See `Group.pool`."""
        spec = PoolSpec.parse(_given(settings, cls=cls, name=name, size=size), source=f"pool({_text(cls)})")
        self.add(group, spec)
        return self._children.pool(group_path(group, spec.name), interface_of(spec))

    def group(self, parent: str, name: str, settings: dict[str, Any]) -> Group:
        """See `Group.group`."""
        spec = GroupSpec.parse({"name": name, **settings}, source=f"group({name!r})")
        path = group_path(parent, name)
        there = self.present_view().groups.get(path)
        if there is None:
            try:
                self.add(parent, spec)
            except AdministrationError as error:
                if error.problem not in ("already_started", "already_present"):
                    raise
            else:
                return Group(self, path)
        if settings:
            self._insist_on_same(path, spec)
        return Group(self, path)

    def _insist_on_same(self, path: str, spec: GroupSpec) -> None:
        known = self.plans((f"{SUBTREE}{path}", path))
        plan = known.get(f"{SUBTREE}{path}") or known.get(path)
        wish = plans_of(spec, parent=ROOT, origin="code")
        wanted = wish.groups[0] if wish.groups else wish.children[0]  # one with a supervisor of its own
        if plan is None or not isinstance(plan.recipe, GroupRecipe | SubtreeRecipe):
            return
        there, here = plan.recipe.summary.settings, wanted.recipe.summary.settings
        different = [name for name in here if name in there and here[name].same != there[name].same]
        if not different:
            return
        told = ", ".join(f"{name} is {there[name].shown}, not {here[name].shown}" for name in different)
        raise AdministrationError(
            path, problem="already_present", detail=told, remedy="take it as it is by its name alone"
        )

    def add(self, group: str, spec: ChildSpec | PoolSpec | GroupSpec, *, origin: Origin = "code") -> None:
        """Add what a spec says to a group, and wait until it runs."""
        problems = placing_problems(spec, group=group)
        if problems:
            raise ConfigError(f"{spec.name} in {group}", problems=problems)
        self._refuse_misplaced(group, spec)
        request = uuid4().hex
        wish = plans_of(spec, parent=group, origin=origin, request=request)
        subject = wish.groups[0].path if wish.groups else wish.children[0].key
        timeout_s = _SLACK_S + sum(child.start_timeout_s for child in wish.children)
        self._administrator.ask(wish, subject=subject, timeout_s=timeout_s, request=request)
        self._wait_to_see(subject)

    def _refuse_misplaced(self, group: str, spec: ChildSpec | PoolSpec | GroupSpec) -> None:
        """What the cluster can never run is refused before anything of it is there."""
        wants = list(wants_of(spec, group_path(group, spec.name)))
        if not any(map(is_demanding, wants)):
            return
        problems = misplaced(wants, self.nodes())
        if problems:
            subject = child_key(group, spec.name) if isinstance(spec, ChildSpec) else wants[0].path
            told = "; ".join(problem.removeprefix(f"{wants[0].path}: ") for problem in problems)
            what = "" if isinstance(spec, GroupSpec) else f" ({spec.cls.__module__}.{spec.cls.__qualname__})"
            raise ChildStartError(subject, f"{told}{what}")

    @staticmethod
    def nodes() -> tuple[Node, ...]:
        """The cluster's living nodes, and what they have."""
        return nodes_now()

    def _wait_to_see(self, member: str) -> None:
        """Until this process's own view has what was just started: a handle would take it for what it was before."""
        until = SYSTEM_CLOCK.now() + _SEEN_S
        while not _is_there(self.present_view(), member) and SYSTEM_CLOCK.now() < until:
            sleep(_AGAIN_S)
        self._children.settle()

    def _see_now(self) -> None:
        """Whoever asks for a handle calls it next: what he may have seen in a view, its calls know too."""
        self.present_view()
        self._children.settle()

    # -- finding ----------------------------------------------------------------------------------------------------

    def child(self, name: str) -> ChildHandle:
        """The handle of a child by its name behind those of its groups, or by its key."""
        key = name if name.startswith("child/") else f"child/{name}"
        found = self._interfaces((key,)).get(key)
        if found is None:
            raise self._not_found(key)
        self._see_now()
        return self._children.child(key, found)

    def pool_of(self, path: str) -> PoolHandle:
        """The handle of a pool by its name behind those of its groups."""
        found = self._interfaces((path,)).get(path)
        if found is None:
            raise self._not_found(path)
        self._see_now()
        return self._children.pool(path, found)

    def _interfaces(self, members: Collection[str]) -> dict[str, ChildInterface]:
        """How children and pools are called, by key or path; those that are there."""
        recipes = {name: plan.recipe for name, plan in self.plans(tuple(members)).items()}
        built = {name: recipe.member if isinstance(recipe, GroupRecipe) else recipe for name, recipe in recipes.items()}
        return {
            name: pickle.loads(recipe.interface)  # noqa: S301 - our own leader gave it
            for name, recipe in built.items()
            if isinstance(recipe, ChildRecipe)
        }

    def group_of(self, path: str) -> Group:
        """A group that is there already, by its name behind those of its groups."""
        self.group_view(path)
        return Group(self, path)

    def member(self, group: str, name: str) -> str:
        """The key or path of a member by its name."""
        view = self.group_view(group)
        path = group_path(group, name)
        for candidate in (child_key(group, name), path, f"{SUBTREE}{path}", name):
            if candidate in view.members:
                return candidate
        raise self._not_found(group_path(group, name))

    def group_view(self, path: str, view: ClusterView | None = None) -> GroupView:
        """What the leader announces of a group."""
        found = (view or self.present_view()).groups.get(path)
        if found is None:
            raise self._not_found(path)
        return found

    def spec(self, member: str) -> Mapping[str, str]:
        """A member's settings, as texts."""
        plan = self.plans((member,)).get(member)
        summary = None if plan is None else summary_now(plan)
        if summary is None:
            raise self._not_found(member)
        return {name: setting.shown for name, setting in summary.settings.items()}

    def plans(self, members: tuple[str, ...] | None = None) -> dict[str, ChildPlan | GroupPlan]:
        """The plans that the leader has, by key or path; of all that users have made when none are named."""
        until = SYSTEM_CLOCK.now() + _ANSWER_S
        while SYSTEM_CLOCK.now() < until:
            leader = self._leader()
            if leader is not None:
                try:
                    return pickle.loads(self._link.ask(leader, leader.plans.remote(members), _ANSWER_S))  # noqa: S301 - our own leader gave it
                except (RayError, GetTimeoutError, StaleIncarnationError):
                    pass  # another one leads, at once or in a moment
            sleep(_AGAIN_S)
        raise LeaderUnreachableError(self.supervisor, what="the tree", waited_s=_ANSWER_S)

    @staticmethod
    def _not_found(subject: str) -> AdministrationError:
        return refusal(subject, "not_found")

    def subscribe(self, *, keys: Collection[str] | None, kinds: Collection[str] | None) -> Subscription:
        """See `Supervisor.subscribe`."""
        subscription = Subscription(self._changes, keys=keys, kinds=kinds, over=self._is_over)
        subscription.prime(_ANSWER_S)
        return subscription

    def _changes(self, incarnation: int, seq: int, timeout_s: float) -> ChangeBatch | None:
        leader = self._leader()
        if leader is None:
            sleep(_AGAIN_S)
            return None
        try:
            return ray.get(leader.changes.remote(incarnation, seq, timeout_s), timeout=timeout_s + _ANSWER_S)
        except LongPollFullError:  # the subscription waits as long as that says
            raise
        except (RayError, GetTimeoutError):
            sleep(_AGAIN_S)
            return None

    def present_view(self) -> ClusterView:
        """The view that the leader has at this moment: what was changed before is in it."""
        replica = self._asked_for_view()
        if replica is None:
            return self.view()
        view: ClusterView = pickle.loads(replica.payload)  # noqa: S301 - our own leader gave it
        self._link.offer(replica)
        self._children.on_view(view, (replica.incarnation, replica.version))
        return view

    def _asked_for_view(self) -> Replica | None:
        while (leader := self._leader()) is not None:
            try:
                return self._link.ask(leader, leader.observe.remote(0, 0, 0.0), _ANSWER_S)
            except StaleIncarnationError:
                continue  # its successor is asked
            except (RayError, GetTimeoutError):
                break
        return None

    # -- changing ---------------------------------------------------------------------------------------------------

    def terminate(self, member: str) -> None:
        """End a member."""
        self.ask(r.Terminate(member=member), member)

    def restart(self, member: str, *, ends_first: bool = False) -> None:
        """Start an ended member again, or end and start one that runs."""
        self.ask(r.RestartMember(member=member, ends_first=ends_first), member)
        self._wait_to_see(member)

    def delete(self, member: str) -> None:
        """Forget an ended member."""
        self.ask(r.Delete(member=member), member)

    def resize(self, member: str, *, size: int | None, standbys: int | None) -> None:
        """Change the numbers of a pool or of a child's standbys; more than the cluster can ever run are refused."""
        plan = self.plans((member,)).get(member)
        want = None if plan is None else want_resized(plan, path_of(member), size=size, standbys=standbys)
        if want is not None and is_demanding(want) and (problems := misplaced([want], self.nodes())):
            told = "; ".join(problem.removeprefix(f"{want.path}: ") for problem in problems)
            raise refusal(member, "no_room", told)
        self.ask(r.Resize(member=member, size=size, standbys=standbys), member)

    def checkpoint(self, member: str) -> int:
        """Put the state of a child away now, or of each child in a pool or group that keeps one; returns how many."""
        keeping = [
            plan.key
            for plan in self._inside(member)
            if isinstance(plan.recipe, ChildRecipe) and plan.recipe.recipe.checkpoint is not None
        ]
        if not keeping:
            raise refusal(member, "keeps_no_state")
        checkpoint_now(keeping, self.present_view)
        return len(keeping)

    def ask(self, wish: r.Request, subject: str) -> None:
        """Have a change made that needs no spec."""
        self._administrator.ask(wish, subject=subject, timeout_s=self._patience_s(subject))

    def _patience_s(self, subject: str) -> float:
        """A member may take its own time to start or to end, and a group that of all its members."""
        inside = self._inside(subject)
        ends = (3600.0 if isinstance(plan.shutdown_s, str) else plan.shutdown_s for plan in inside)
        return _SLACK_S + sum(plan.start_timeout_s for plan in inside) + sum(ends)

    def _inside(self, member: str) -> list[ChildPlan]:
        """The plan of a child, or those of all children in a group, a pool, or a subtree."""
        path = path_of(member)
        return [
            plan
            for key, plan in self.plans().items()
            if isinstance(plan, ChildPlan) and (key == member or _is_in(plan.group, path) or plan.group == path)
        ]

    def apply(self, tree: TreeSpec | Mapping[str, Any] | str | Path, *, dry_run: bool, restart_changed: bool) -> Plan:
        """See `Supervisor.apply`."""
        return Applying(self, load_tree(tree)).apply(dry_run=dry_run, restart_changed=restart_changed)


def _is_there(view: ClusterView, member: str) -> bool:
    """Whether a view shows a member as something that was started. One that ended at once never is."""
    if member.startswith(SUBTREE) and member.removeprefix(SUBTREE) not in view.groups:
        return False
    if is_group(member):
        return member in view.groups and view.groups[member].status not in _DOWN
    return any(child.key == member and child.status not in _DOWN for child in view.children)


def _is_in(group: str, path: str) -> bool:
    return path == ROOT or group.startswith(f"{path}.")


def _given(settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What was given; None stands for an empty mapping where the signature has it."""
    given = {name: value for name, value in settings.items() if not (name in ("kwargs", "resources") and value is None)}
    return {**given, **more}


def _text(cls: object) -> str:
    return getattr(cls, "__name__", repr(cls))
