"""Groups that are supervisor actors of their own, as the supervisor above them sees them.

To the machine above, such a group is a child like any other: `supervisor/<path>`. Its members are the business of its
own machine. What it announces is taken into what the one above announces, so that callers see one tree; what it must
leave to its next life is kept by the one above, and goes with that one's own state to whoever succeeds.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from actors.runtime.clock import sleep
from actors.runtime.errors import SupervisorError
from supervisor import requests as r
from supervisor.changes import ChangeBatch, ChangeFollower
from supervisor.tree import SUBTREE, TOP, GroupPlan, is_within, path_of

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from supervisor.engine import Engine
    from supervisor.messages import ClusterView
    from supervisor.supervision.ledger import Ledger
    from supervisor.tree import ExitClass

_POLL_S = 10.0
_SLACK_S = 5.0
_AGAIN_S = 0.05
_NOW_S = 2.0


class Subtree:
    """One life of a subtree's supervisor."""

    def __init__(self, path: str, handle: Any) -> None:
        self.path = path
        self.handle = handle

    def administer(self, request: str, wish: bytes, timeout_s: float) -> bytes | None:
        """Pass a request on; None when there is no answer yet, or it died over it: the asker asks again."""
        try:
            return ray.get(self.handle.administer.remote(request, wish, timeout_s), timeout=timeout_s + _SLACK_S)
        except (RayError, GetTimeoutError, SupervisorError):
            sleep(_AGAIN_S)
            return None

    def announce_exit(self, actor: str, exit_class: ExitClass) -> None:
        """Pass on that a child is about to end itself."""
        try:
            ray.get(self.handle.announce_exit.remote(actor, exit_class), timeout=_NOW_S)
        except (RayError, GetTimeoutError):
            return  # its next life reads Ray's own words


class Subtrees:
    """All subtrees right below one supervisor, whose `engine` is given once it is made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._living: dict[str, Subtree] = {}
        self._views: dict[str, ClusterView] = {}
        self._ledgers: dict[str, Ledger] = {}
        self.engine: Engine

    def inherit(self, ledgers: Mapping[str, Ledger]) -> None:
        """What a predecessor kept of them."""
        with self._lock:
            self._ledgers.update(ledgers)

    def ledgers(self) -> dict[str, Ledger]:
        """What each must leave to its next life, by path; with what those below them left."""
        with self._lock:
            return dict(self._ledgers)

    def keep_only(self, is_known: Callable[[str], bool]) -> None:
        """Forget those that are not in the tree any more, with what is below them: another may get the path."""
        known: tuple[dict[str, Any], ...] = (self._ledgers, self._views, self._living)
        if not any(known):
            return
        with self._lock:
            for paths in known:
                for path in [path for path in paths if not any(map(is_known, _with_those_above(path)))]:
                    del paths[path]

    def ended(self, path: str) -> None:
        """A subtree has ended for good: so has all that it announced last."""
        with self._lock:
            self._living.pop(path, None)
            view = self._views.get(path)
            if view is not None:
                self._views[path] = replace(
                    view,
                    children=tuple(
                        replace(child, status="stopped", location=None, standbys=()) for child in view.children
                    ),
                    groups={inner: replace(group, status="stopped") for inner, group in view.groups.items()},
                )
        self.engine.stir()

    # -- whose business something is --------------------------------------------------------------------------------

    def of_request(self, wish: r.Request) -> Subtree | None:
        """The subtree that a request is about; None: the supervisor itself."""
        match wish:
            case r.AddMembers(groups=groups, children=children):
                top: Any = groups[0] if groups else children[0]
                return self._holding((top.parent if isinstance(top, GroupPlan) else top.group) or "", strictly=False)
            case r.Change(groups=groups, children=children, order=order):
                named = [*(plan.path for plan in groups), *(plan.key for plan in children), *order]
                return self.of_member(named[0]) if named else None
            case _:
                return self.of_member(wish.member)

    def of_member(self, member: str) -> Subtree | None:
        """The subtree that a key or path is in; None: none."""
        return self._holding(path_of(member), strictly=member.startswith(SUBTREE))

    def _holding(self, path: str, *, strictly: bool) -> Subtree | None:
        with self._lock:
            for subtree in self._living.values():
                if is_within(path, subtree.path, strictly=strictly):
                    return subtree
        return None

    # -- following them ---------------------------------------------------------------------------------------------

    def joined(self, path: str, handle: Any) -> None:
        """A life of a subtree's supervisor is ready: follow it."""
        subtree = Subtree(path, handle)
        with self._lock:
            self._living[path] = subtree
        for follow in (self._follow_state, self._follow_changes):
            threading.Thread(target=follow, args=(subtree,), name=f"supervisor-subtree-{path}", daemon=True).start()

    def _is_current(self, subtree: Subtree) -> bool:
        return self._living.get(subtree.path) is subtree and not self.engine.finished.is_set()

    def _follow_state(self, subtree: Subtree) -> None:
        known = (0, 0)
        while self._is_current(subtree):
            try:
                replica: Replica | None = ray.get(
                    subtree.handle.observe.remote(*known, _POLL_S), timeout=_POLL_S + _SLACK_S
                )
            except ActorDiedError:
                return
            except (RayError, GetTimeoutError, SupervisorError):
                sleep(_AGAIN_S)
                continue
            if replica is None:
                continue
            known = (replica.incarnation, replica.version)
            view, ledgers = pickle.loads(replica.payload)  # noqa: S301 - our own subtree made it
            with self._lock:
                self._views[subtree.path] = view
                self._ledgers.update(ledgers)
            self.engine.stir()

    def _follow_changes(self, subtree: Subtree) -> None:
        follower = ChangeFollower()
        while self._is_current(subtree):
            try:
                batch: ChangeBatch | None = ray.get(
                    subtree.handle.changes.remote(*follower.known, _POLL_S), timeout=_POLL_S + _SLACK_S
                )
            except ActorDiedError:
                return
            except (RayError, GetTimeoutError, SupervisorError):
                sleep(_AGAIN_S)
                continue
            for change in follower.take(batch) if batch is not None else ():
                self.engine.feed.append(change)

    # -- one tree for those who look --------------------------------------------------------------------------------

    def complete(self, view: ClusterView) -> ClusterView:
        """A supervisor's own view, and what is below its subtrees."""
        with self._lock:
            views = {path: below for path, below in self._views.items() if f"{SUBTREE}{path}" in self._own_keys(view)}
        if not views:
            return view
        groups = dict(view.groups)
        children = list(view.children)
        for path, below in views.items():
            parent = next(child.group for child in view.children if child.key == f"{SUBTREE}{path}")
            groups |= {
                inner: replace(group, parent=parent) if inner == path else group
                for inner, group in below.groups.items()
                if inner != TOP
            }
            children += below.children
        return replace(view, children=tuple(children), groups=groups)

    @staticmethod
    def _own_keys(view: ClusterView) -> set[str]:
        return {child.key for child in view.children}


def _with_those_above(path: str) -> Iterator[str]:
    """A path and those of the groups that it is in."""
    while path:
        yield path
        path = path.rpartition(".")[0]
