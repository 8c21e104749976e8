"""Groups that are supervisor actors of their own, as the supervisor above them sees them.

To the machine above, such a group is a child like any other: `supervisor/<path>`. Its members are the business of its
own machine. What it announces is taken into what the one above announces, so that callers see one tree; what it must
leave to its next life is kept by the one above, and goes with that one's own state to whoever succeeds.

    in the tree --joined--> followed --dies--> as it was told last, until the next life tells more
         ^                     |
         +---- ended ----------+   all below it has ended with it; its next life has the plans, and begins anew

Whose business something is says the tree, not who is followed: while a subtree is not, whoever asks for what is in it
is told to ask again.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorError
from actors.runtime.vital_threads import steady_thread
from supervisor import requests as r
from supervisor.changes import ChangeBatch, ChangeFollower, ChildChange
from supervisor.messages import Answer
from supervisor.subtree_views import as_seen_above, states_of, view_left
from supervisor.supervision.subtree import at_rest, was_ended
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
_FOR_GOOD = ("stopped", "given_up", "ignored")


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

    def announce_exit(self, actor: str, exit_class: ExitClass) -> bool:
        """Pass on that a child is about to end itself; whether it was taken in."""
        return bool(self._now(lambda: self.handle.announce_exit.remote(actor, exit_class)))

    def report_sick(self, actor: str, detail: str) -> bool:
        """Pass on that a child is sick; whether it was taken in."""
        return bool(self._now(lambda: self.handle.report_sick.remote(actor, detail)))

    def accepts(self, actor: str) -> bool | None:
        """Whether a life is one of this subtree's; None when it cannot say that now."""
        return self._now(lambda: self.handle.accepts.remote(actor))

    def present(self) -> Replica | None:
        """What it announces at this moment; None when it does not answer."""
        return self._now(lambda: self.handle.observe.remote(0, 0, 0.0))

    @staticmethod
    def _now(ask: Callable[[], Any]) -> Any:
        try:
            return ray.get(ask(), timeout=_NOW_S)
        except (RayError, GetTimeoutError, SupervisorError):
            return None


class Subtrees:
    """All subtrees right below one supervisor, whose `engine` is given once it is made.

    Args:
        supervisor: The name of the whole supervisor.
    """

    def __init__(self, supervisor: str) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._living: dict[str, Subtree] = {}
        self._views: dict[str, ClusterView] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._known: dict[str, tuple[int, int]] = {}
        self._ended: dict[str, None] = {}
        self._followers: dict[str, ChangeFollower] = {}
        self.engine: Engine

    def inherit(self, ledgers: Mapping[str, Ledger], whole: ClusterView | None = None) -> None:
        """What a predecessor kept of them, and announced of what is in them; with those further below."""
        with self._lock:
            self._ledgers.update(ledgers)
            for path in [path for path in ledgers if not any(is_within(path, other) for other in ledgers)]:
                view = self._views[path] = view_left(path, self._supervisor, whole, ledgers)
                self._followers[path] = ChangeFollower(states=states_of(view, SYSTEM_CLOCK.wall_us()))
                if was_ended(ledgers[path]):
                    self._ended[path] = None

    def ledgers(self) -> dict[str, Ledger]:
        """What each must leave to its next life, by path; with what those below them left."""
        with self._lock:
            return dict(self._ledgers)

    def told(self) -> list[ChildChange]:
        """The states of the children below, as far as changes of them have been told."""
        with self._lock:
            return [state for follower in self._followers.values() for state in follower.states]

    def keep_only(self, is_known: Callable[[str], bool]) -> list[Ledger]:
        """Forget those that are not in the tree any more, with what is below them: another may get the path.

        Returns: What they left.
        """
        left: list[Ledger] = []
        kept: tuple[dict[str, Any], ...] = (
            *(self._ledgers, self._views, self._living),
            *(self._known, self._ended, self._followers),
        )
        if not any(kept):
            return left
        with self._lock:
            for path in {path for paths in kept for path in paths}:
                if any(map(is_known, _with_those_above(path))):
                    continue
                if path in self._followers:
                    self._tell(self._followers[path].lose("deleted", "its group was deleted"))
                left += [self._ledgers[path]] if path in self._ledgers else []
                for paths in kept:
                    paths.pop(path, None)
        return left

    def ended(self, path: str) -> None:
        """A subtree has ended as a whole: so has all that it announced last, and its next life begins anew."""
        with self._lock:
            self._living.pop(path, None)
            self._ended[path] = None
            for inner in [inner for inner in self._ledgers if is_within(inner, path, strictly=False)]:
                self._ledgers[inner] = at_rest(self._ledgers[inner])
            if path in self._followers:
                self._tell(self._followers[path].lose("stopped", "its group ended"))
        self.engine.stir()

    def _tell(self, changes: Iterable[ChildChange]) -> None:
        for change in changes:
            self.engine.feed.append(change)

    # -- whose business something is --------------------------------------------------------------------------------

    def of_request(self, wish: r.Request) -> str | None:
        """The path of the subtree that a request is about; None: the supervisor itself."""
        match wish:
            case r.AddMembers(groups=groups, children=children):
                top: Any = groups[0] if groups else children[0]
                return self._holding((top.parent if isinstance(top, GroupPlan) else top.group) or "", strictly=False)
            case r.Change(groups=groups, children=children, order=order):
                named = [*(plan.path for plan in groups), *(plan.key for plan in children), *order]
                return self.of_member(named[0]) if named else None
            case r.House() | r.Serve():
                return None
            case _:
                return self.of_member(wish.member)

    def of_member(self, member: str) -> str | None:
        """The path of the subtree that a key or path is in; None: none."""
        return self._holding(path_of(member), strictly=member.startswith(SUBTREE))

    def _holding(self, path: str, *, strictly: bool) -> str | None:
        above = [outer for outer in _with_those_above(path) if outer != path or not strictly]
        return next((outer for outer in reversed(above) if self.engine.plan_of(f"{SUBTREE}{outer}") is not None), None)

    def administer(self, path: str, request: str, wish: bytes, timeout_s: float) -> bytes | None:
        """Pass a request on to the subtree at `path`, and keep what it changed; None: ask again."""
        subtree = self._living.get(path)
        if subtree is None:
            status = self.engine.machine.status_of(f"{SUBTREE}{path}")
            if status in _FOR_GOOD:
                return pickle.dumps(Answer(request=request, problem="stopping", detail=f"its group {path} is {status}"))
            sleep(_AGAIN_S)
            return None
        answer = subtree.administer(request, wish, timeout_s)
        if answer is not None and (replica := subtree.present()) is not None:
            self._learn(subtree, replica)
            self.engine.settle()  # who takes over after the answer must know of it
        return answer

    def announce_exit(self, path: str, actor: str, exit_class: ExitClass) -> bool:
        """Pass on that a child of the subtree at `path` is about to end itself; False: say it again."""
        subtree = self._living.get(path)
        return subtree is not None and subtree.announce_exit(actor, exit_class)

    def report_sick(self, path: str, actor: str, detail: str) -> bool:
        """Pass on that a child of the subtree at `path` is sick; False: say it again."""
        subtree = self._living.get(path)
        return subtree is not None and subtree.report_sick(actor, detail)

    def accepts(self, path: str, actor: str) -> bool | None:
        """Whether a life is one of those of the subtree at `path`; None: it cannot be known now."""
        subtree = self._living.get(path)
        return None if subtree is None else subtree.accepts(actor)

    # -- following them ---------------------------------------------------------------------------------------------

    def joined(self, path: str, handle: Any) -> None:
        """A life of a subtree's supervisor is ready: follow it."""
        subtree = Subtree(path, handle)
        with self._lock:
            self._living[path] = subtree
            follower = self._followers.setdefault(path, ChangeFollower(states=()))
        for follow, *more in ((self._follow_state,), (self._follow_changes, follower)):
            name = f"supervisor-subtree-{path}"
            steady_thread(follow, subtree, *more, name=name).start()

    def _is_current(self, subtree: Subtree) -> bool:
        return self._living.get(subtree.path) is subtree and not self.engine.finished.is_set()

    def _follow_state(self, subtree: Subtree) -> None:
        known = (0, 0)
        while self._is_current(subtree):
            replica: Replica | None = self._poll(
                subtree, lambda known=known: subtree.handle.observe.remote(*known, _POLL_S)
            )
            if replica is not None:
                known = (replica.incarnation, replica.version)
                self._learn(subtree, replica)

    def _learn(self, subtree: Subtree, replica: Replica) -> None:
        view, ledgers = pickle.loads(replica.payload)  # noqa: S301 - our own subtree made it
        path, order = subtree.path, (replica.incarnation, replica.version)
        with self._lock:
            if self._living.get(path) is not subtree or order <= self._known.get(path, (0, 0)):
                return
            self._known[path] = order
            self._views[path] = view
            self._ledgers.update(ledgers)
            self._ended.pop(path, None)
        self.engine.stir()

    def _follow_changes(self, subtree: Subtree, follower: ChangeFollower) -> None:
        while self._is_current(subtree):
            known = follower.known
            batch: ChangeBatch | None = self._poll(
                subtree, lambda known=known: subtree.handle.changes.remote(*known, _POLL_S)
            )
            if batch is None:
                continue
            with self._lock:
                if self._living.get(subtree.path) is subtree:
                    self._tell(follower.take(batch))

    def _poll(self, subtree: Subtree, ask: Callable[[], Any]) -> Any:
        """The answer to a long question; None when there was none, for whatever reason."""
        try:
            return ray.get(ask(), timeout=_POLL_S + _SLACK_S)
        except ActorDiedError:
            with self._lock:
                if self._living.get(subtree.path) is subtree:
                    del self._living[subtree.path]
        except (RayError, GetTimeoutError, SupervisorError):
            sleep(_AGAIN_S)
        return None

    # -- one tree for those who look --------------------------------------------------------------------------------

    def complete(self, view: ClusterView) -> ClusterView:
        """A supervisor's own view, and what is below its subtrees."""
        with self._lock:
            views, ended = dict(self._views), set(self._ended)
        own = [child for child in view.children if path_of(child.key) in views and child.key.startswith(SUBTREE)]
        groups = dict(view.groups)
        children = list(view.children)
        for above in own:
            path = path_of(above.key)
            below = as_seen_above(views[path], above.status, ended=path in ended)
            groups |= {
                inner: replace(group, parent=above.group) if inner == path else group
                for inner, group in below.groups.items()
                if inner != TOP
            }
            children += below.children
        return replace(view, children=tuple(children), groups=groups)


def _with_those_above(path: str) -> Iterator[str]:
    """A path and those of the groups that it is in."""
    while path:
        yield path
        path = path.rpartition(".")[0]
