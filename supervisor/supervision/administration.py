"""What people ask of the tree: add, end, start again, forget, resize, change. Pure.

Every request is answered once it is done or refused; a request that is made twice is carried out once.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from itertools import count, islice
from typing import assert_never

from supervisor import messages as m
from supervisor import requests as r
from supervisor.breakers.homes import home_of
from supervisor.supervision.groups import Groups
from supervisor.supervision.ledger import Ledger
from supervisor.supervision.lives import Lives
from supervisor.supervision.refusals import cannot_add, cannot_change, cannot_resize, cannot_start_in, is_up, status_of
from supervisor.supervision.services import service_plan
from supervisor.supervision.state import State
from supervisor.tree import (
    POOLS,
    ROOT,
    SYSTEM,
    TOP,
    Child,
    ChildPlan,
    Group,
    GroupPlan,
    Pool,
    is_group,
    member_plan,
)

REMEMBERED = 1000
"""Answers that are remembered, for requests that are made again."""

HANDED_ON = 64
"""Of those that were carried out, how many a successor is told of."""

_OWN = (TOP, SYSTEM, ROOT)
_COMING = ("waiting", "starting", "restarting")


class Administration:
    """Carries requests out.

    Args:
        state: The tree.
        groups: Starts and ends groups.
        lives: Starts and ends children.
        left: What a predecessor left, if there was one.
    """

    def __init__(self, state: State, groups: Groups, lives: Lives, left: Ledger) -> None:
        self._s = state
        self._groups = groups
        self._lives = lives
        self._answers: OrderedDict[str, m.Answer] = OrderedDict()
        self._open: set[str] = set()
        self._done = deque(left.done, HANDED_ON)
        self._begun = {request: (member, wanted) for request, member, wanted in left.begun}
        self._answers.update((request, m.Answer(request=request)) for request in left.done)

    def handle(self, event: m.Administered) -> None:
        """Carry a request out, or join the one that is under way."""
        known = self._answers.get(event.request)
        if known is not None:
            self._s.emit(known)
        elif event.request not in self._open:
            self._open.add(event.request)
            if not self._go_on(event.request, event.wish):
                self._carry_out(event.request, event.wish)

    def done(self) -> tuple[str, ...]:
        """The last requests that were carried out, the newest last."""
        return tuple(self._done)

    def note(self, answer: m.Answer) -> None:
        """Remember an answer that goes out."""
        self._open.discard(answer.request)
        if answer.problem is None and answer.request not in self._answers:
            self._done.append(answer.request)
        self._answers[answer.request] = answer
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)

    def _go_on(self, request: str, wish: r.Request) -> bool:
        """Whether a predecessor had begun the same, and what is left of it is awaited, or done."""
        member, wanted = self._begun.pop(request, ("", "down"))
        if not member:
            return False
        status = self._status(member)
        if isinstance(wish, r.RestartMember) and wish.ends_first and self._s.is_alive(member):
            return False  # that it lives does not say that it has ended meanwhile
        if wanted == "up" and status in (*_COMING, "running"):
            self._await_up(request, member)
            return True
        if wanted == "down" and status is None:
            self._say(request)  # what is temporary is forgotten as it ends
            return True
        return False

    def _carry_out(self, request: str, wish: r.Request) -> None:
        match wish:
            case r.AddMembers():
                self._add(request, wish)
            case r.Terminate(member=member):
                self._terminate(request, member)
            case r.RestartMember():
                self._restart(request, wish)
            case r.Delete(member=member):
                self._delete(request, member)
            case r.Resize():
                self._resize(request, wish)
            case r.Change():
                self._change(request, wish)
            case r.House():
                key = home_of(wish.breaker, self._s.children, own_max=wish.own_max)
                self._serve(request, key)
            case r.Serve(key=key):
                self._serve(request, key)
            case _:
                assert_never(wish)

    def _say(self, request: str, problem: r.Problem | None = None, detail: str = "") -> None:
        self._s.emit(m.Answer(request=request, problem=problem, detail=detail))

    def _status(self, member: str) -> str | None:
        return status_of(self._s, member)

    # -- adding -----------------------------------------------------------------------------------------------------

    def _add(self, request: str, wish: r.AddMembers) -> None:
        top = wish.groups[0] if wish.groups else wish.children[0]
        member = top.path if isinstance(top, GroupPlan) else top.key
        if self._is_joined(member, request):
            self._await_up(request, member)
            return
        problem, detail = cannot_add(self._s, wish)
        if problem is not None:
            self._say(request, problem, detail)
            return
        for plan in wish.groups:
            self._s.add_group(plan)
        for child in wish.children:
            self._s.add_child(child)
        self._s.arrange(wish.order)
        self._s.new.add(member)
        self._start(request, member)

    def _is_joined(self, member: str, request: str) -> bool:
        """A predecessor was asked the same, and did it."""
        if self._status(member) is None:
            return False
        plan = self._s.groups[member].plan if is_group(member) else self._s.children[member].plan
        return plan.request == request

    def _serve(self, request: str, key: str) -> None:
        problem, detail = cannot_start_in(self._s, self._s.groups[SYSTEM])
        if self._status(key) in ("stopped", "ignored"):
            self._restart(request, r.RestartMember(member=key))
        elif self._status(key) is not None:
            self._await_up(request, key)
        elif problem is not None:
            self._say(request, problem, detail)
        else:
            self._s.add_child(service_plan(self._s, key))
            self._start(request, key)

    def _start(self, request: str, member: str) -> None:
        self._s.await_news(member, request, "up")
        self._s.requested.add(member)
        if self._groups.start(member):
            self._groups.started(member)
        self._s.publish()

    def _await_up(self, request: str, member: str) -> None:
        """It was added already: it is up, or was and has ended since, or its start is awaited."""
        if self._status(member) in _COMING:
            self._s.await_news(member, request, "up")
        else:
            self._say(request)

    # -- ending, starting again, forgetting -------------------------------------------------------------------------

    def _terminate(self, request: str, member: str) -> None:
        if self._status(member) is None:
            self._say(request, "not_found", member)
        elif member in (TOP, SYSTEM):
            self._say(request, "protected", member)
        else:
            self._s.await_news(member, request, "down")
            self._end(member)

    def _end(self, member: str) -> None:
        group = self._s.parent_of(member)
        group.todo.pop(member, None)  # it does not come back, whoever is ending it now
        if member not in group.ending:
            group.begun.discard(member)
        if self._groups.stop(member):
            self._groups.ended(member)

    def _restart(self, request: str, wish: r.RestartMember) -> None:
        member, status = wish.member, self._status(wish.member)
        if status is None:
            self._say(request, "not_found", member)
        elif status == "waiting":
            self._await_up(request, member)
        elif member in (TOP, SYSTEM) and wish.ends_first:
            self._say(request, "protected", member)
        elif status not in ("stopped", "ignored", "given_up") and not wish.ends_first:
            self._say(request, _why_not(status), f"{member} is {status}")
        else:
            problem, detail = cannot_start_in(self._s, self._s.parent_of(member))
            if problem is not None:
                self._say(request, problem, detail)
            elif self._s.is_alive(member):
                self._s.await_news(member, request, "up")
                self._s.requested.add(member)
                self._groups.replace(member)
                self._s.publish()
            else:
                self._start(request, member)

    def _delete(self, request: str, member: str) -> None:
        status = self._status(member)
        if status is None:
            self._say(request, "not_found", member)
        elif member in _OWN or member.startswith(POOLS):
            self._say(request, "protected", member)
        elif status == "waiting" or is_up(self._s, member):
            self._say(request, _why_not(status), f"{member} is {status}")
        else:
            self._s.forget(member)
            self._s.publish()
            self._say(request)

    # -- resizing and changing --------------------------------------------------------------------------------------

    def _resize(self, request: str, wish: r.Resize) -> None:
        problem, detail = cannot_resize(self._s, wish)
        if problem is not None:
            self._say(request, problem, detail)
        elif not is_group(wish.member):
            child = self._s.children[wish.member]
            child.plan = replace(child.plan, standbys=child.plan.standbys if wish.standbys is None else wish.standbys)
            self._adjust(child)
            self._say(request)
        else:
            group = self._s.groups[wish.member]
            size = group.plan.pool_size if wish.size is None else wish.size
            standbys = group.plan.pool_standbys if wish.standbys is None else wish.standbys
            group.plan = replace(group.plan, pool_size=size, pool_standbys=standbys)
            self._bear(group)
            self._fit(group)
            self._say(request)

    def _adjust(self, child: Child) -> None:
        self._lives.standbys.refill(child)
        self._lives.standbys.attend(child)
        self._s.publish()

    def _fit(self, group: Group) -> None:
        """Bring a pool to its size: the youngest members go, the oldest standbys serve."""
        pool, plan = self._s.pools[group.plan.path], group.plan
        assert plan.template is not None
        assert plan.pool_size is not None
        pool.size = plan.pool_size
        staying = [key for key in pool.members if key not in self._s.leaving]
        wanted = pool.size + plan.pool_standbys
        names = (f"{plan.template.key}-{number}" for number in count())
        free = (name for name in names if name not in self._s.children)
        for name in islice(free, max(0, wanted - len(staying))):
            self._add_member(group, member_plan(plan.template, name))
        for key in staying[wanted:]:
            self._s.leaving.add(key)
            self._end(key)
        self._give_places(pool)
        self._s.publish()

    @staticmethod
    def _bear(group: Group) -> None:
        """What a smaller allowance does not bear is past: the next restart is weighed by it."""
        if len(group.restarted_at) > group.plan.allowance:
            group.restarted_at = group.restarted_at[len(group.restarted_at) - group.plan.allowance :]

    def _add_member(self, group: Group, plan: ChildPlan) -> None:
        child = self._s.add_child(plan)
        if group.is_down:
            child.status = group.status
        elif group.status == "stopping" or self._s.stopping:
            child.status = "stopped"
        else:
            self._groups.start(plan.key)

    def _give_places(self, pool: Pool) -> None:
        while pool.active < pool.size and pool.standbys:
            key = next(iter(pool.standbys))
            del pool.standbys[key]
            pool.active += 1
            child = self._s.children[key]
            child.role = "active"
            self._s.record(child, child.accepted, "promoted")

    def _change(self, request: str, wish: r.Change) -> None:
        problem, detail = cannot_change(self._s, wish)
        if problem is not None:
            self._say(request, problem, detail)
            return
        for plan in wish.groups:
            self._change_group(plan)
        for plan in wish.children:
            self._change_child(plan)
        self._s.arrange(wish.order)
        self._s.publish()
        self._say(request)

    def _change_group(self, plan: GroupPlan) -> None:
        group = self._s.groups[plan.path]
        group.plan = replace(plan, parent=group.plan.parent)
        self._bear(group)
        if plan.template is not None and plan.path in self._s.pools:
            for key in self._s.pools[plan.path].members:
                self._change_child(member_plan(plan.template, key))
            self._fit(group)

    def _change_child(self, plan: ChildPlan) -> None:
        child = self._s.children[plan.key]
        plan = replace(plan, group=child.plan.group, pool=child.plan.pool, request=child.plan.request)
        if self._lives.standbys.follow(child, plan):
            self._groups.replace(plan.key)
        self._s.blind_s = min(self._s.blind_s, plan.look_s)
        self._adjust(child)


def _why_not(status: str) -> r.Problem:
    """Why a member that is there cannot be started or forgotten now."""
    match status:
        case "restarting" | "stopping":
            return status
        case _:
            return "running"
