"""Random trees, random ends, requests and failing starts: the machine does what OTP does, as a model of it says.

After each step the cluster does all that it is told; then the same children are up, in their same lives, the same specs
are there, and each request had the same answer, once. What is stale is told in between and changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.runtime.process import ProcessIdentity
from supervisor import messages as m
from supervisor import requests as r
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import (
    SYSTEM,
    TOP,
    AutoShutdown,
    BackoffPlan,
    ChildPlan,
    ExitClass,
    GroupPlan,
    Location,
    Restart,
    Strategy,
)
from tests.property.otp_model import ROOT, Group, Member, Otp, Worker

PERIOD_S = 1000.0
SETTLED_S = 0.2
AT_ONCE = BackoffPlan(min_s=0.0001, max_s=0.0001)
WHERE = Location(process=ProcessIdentity(1, 1), node_id="n", host="h")

RESTARTS: st.SearchStrategy[Restart] = st.sampled_from(["permanent", "permanent", "transient", "temporary"])
STRATEGIES: st.SearchStrategy[Strategy] = st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])
EXITS: st.SearchStrategy[ExitClass] = st.sampled_from(["normal", "shutdown", "crash", "killed", "hung"])
SHUTDOWNS: st.SearchStrategy[AutoShutdown] = st.sampled_from(["never", "never", "any_significant", "all_significant"])
LOTS = st.integers(0, 10_000)


@st.composite
def workers(draw: st.DrawFn, name: str, *, significant: bool) -> Worker:
    restart = draw(RESTARTS)
    return Worker(name, restart=restart, significant=significant and restart != "permanent" and draw(st.booleans()))


@st.composite
def groups(draw: st.DrawFn, name: str, depth: int) -> Group:
    group = Group(
        name,
        restart=draw(RESTARTS),
        strategy=draw(STRATEGIES),
        intensity=draw(st.integers(0, 4)),
        period_s=PERIOD_S,
        auto_shutdown=draw(SHUTDOWNS),
    )
    for number in range(draw(st.integers(0, 4))):
        prefix = "" if name == ROOT else f"{name}."
        if depth and draw(st.integers(0, 2)) == 0:
            group.members.append(draw(groups(f"{prefix}g{number}", depth - 1)))
        else:
            child = f"child/{prefix}c{number}"
            group.members.append(draw(workers(child, significant=group.auto_shutdown != "never")))
    return group


class Supervision(RuleBasedStateMachine):
    """The machine and the model, side by side."""

    @initialize(tree=groups(ROOT, 3), intensity=st.integers(1, 8))
    def begin(self, tree: Group, intensity: int) -> None:
        tree.restart, tree.auto_shutdown, tree.intensity, tree.strategy = "permanent", "never", intensity, "one_for_one"
        for member in tree.members:
            if isinstance(member, Worker):
                member.significant = False
        self.now = 0.0
        self.requests = 0
        self.answers: Counter[str] = Counter()
        self.problems: dict[str, str | None] = {}
        self.finished = 0
        self.otp = Otp(tree)
        plans = [
            GroupPlan(path=TOP, parent=None, starts_together=True),
            GroupPlan(path=SYSTEM, parent=TOP, starts_together=True),
            *_plans(tree, TOP),
        ]
        self.machine = SupervisorMachine(
            supervisor="s",
            incarnation=1,
            groups=[plan for plan in plans if isinstance(plan, GroupPlan)],
            children=[plan for plan in plans if isinstance(plan, ChildPlan)],
            order=[plan.path if isinstance(plan, GroupPlan) else plan.key for plan in plans],
            rng=Random(1),
        )
        self.flaky: set[str] = set()
        self.accepted: dict[str, int] = {}
        self.lives: dict[str, int] = {}
        self.tell(m.LeaderStarted(actors=(), nodes=()))
        self.otp.start(tree)

    # -- a cluster that does what it is told ------------------------------------------------------------------------

    def tell(self, *events: m.Event) -> None:
        """Tell all of them at one moment, then let everything that follows happen."""
        todo: deque[m.Command] = deque()
        for event in events:
            todo += self.machine.handle(event, self.now)
        until = self.now + SETTLED_S
        while True:
            while todo:
                follows = self.obey(todo.popleft())
                if follows is not None:
                    todo += self.machine.handle(follows, self.now)
                    assert self.machine.broken() == []
            due = self.machine.next_timer()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            todo += self.machine.handle(m.TimePassed(), self.now)
        self.now = until

    def obey(self, command: m.Command) -> m.Event | None:
        match command:
            case m.StartChild(key=key, incarnation=number):
                if key in self.flaky:
                    self.flaky.remove(key)
                    return m.ChildStartFailed(key=key, incarnation=number, error="no")
                return m.ChildReady(key=key, incarnation=number, location=WHERE)
            case m.AttendStandbys(key=key, incarnation=number, standbys=standbys):
                return m.StandbysAttended(key=key, incarnation=number, standbys=standbys, told=standbys)
            case m.AskStop(key=key, incarnation=number):
                return m.StopAnswered(key=key, incarnation=number)
            case m.KillChild(key=key, incarnation=number):
                return m.ChildDied(key=key, incarnation=number, exit_class="killed", detail="killed")
            case m.Answer(request=request, problem=problem):
                self.answers[request] += 1
                self.problems[request] = problem
            case m.Finish():
                self.finished += 1
            case _:
                pass
        return None

    def ask(self, wish: r.Request) -> str | None:
        self.requests += 1
        request = f"r{self.requests}"
        self.tell(m.Administered(request=request, wish=wish))
        assert self.answers[request] == 1
        return self.problems[request]

    def died(self, worker: Worker, exit_class: ExitClass, ago: int = 0) -> m.ChildDied:
        number = self.accepted[worker.name] - ago
        return m.ChildDied(key=worker.name, incarnation=number, exit_class=exit_class, detail="gone")

    def alive(self) -> list[Worker]:
        return [worker for worker in self.otp.root.workers() if worker.up]

    def members(self) -> list[Member]:
        found: list[Member] = [group for group in self.otp.root.groups() if group is not self.otp.root]
        return [*found, *self.otp.root.workers()]

    # -- steps ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: bool(self.alive()))
    @rule(lot=LOTS, exit_class=EXITS)
    def a_child_ends(self, lot: int, exit_class: ExitClass) -> None:
        worker = self.alive()[lot % len(self.alive())]
        self.otp.now = self.now
        event = self.died(worker, exit_class)
        self.otp.exit(worker.name, exit_class)
        self.tell(event)

    @precondition(lambda self: bool(self.alive()) and not self.flaky)
    @rule(lot=LOTS, other=LOTS, exit_class=EXITS)
    def two_siblings_end_at_once(self, lot: int, other: int, exit_class: ExitClass) -> None:
        """The second is told while the first one's end is still being mended."""
        first = self.alive()[lot % len(self.alive())]
        found = self.otp.root.find(first.name)
        assert found is not None
        siblings = [each for each in found[0].members if isinstance(each, Worker) and each.up and each is not first]
        ending = [first, *([siblings[other % len(siblings)]] if siblings else [])]
        lives = [each.lives for each in ending]
        events = [self.died(each, exit_class) for each in ending]
        self.otp.now = self.now
        for worker, life in zip(ending, lives, strict=True):
            if worker.up and worker.lives == life:  # else the first one's end has concerned it
                self.otp.exit(worker.name, exit_class)
        self.tell(*events)

    @precondition(lambda self: bool(self.alive()))
    @rule(lot=LOTS, ago=st.integers(1, 3), exit_class=EXITS)
    def something_stale_is_told(self, lot: int, ago: int, exit_class: ExitClass) -> None:
        worker = self.alive()[lot % len(self.alive())]
        number = self.accepted[worker.name] - ago
        self.tell(
            self.died(worker, exit_class, ago),
            m.ChildReady(key=worker.name, incarnation=number, location=WHERE),
            m.ChildStartFailed(key=worker.name, incarnation=number, error="late"),
            m.ChildUnhealthy(key=worker.name, incarnation=number, detail="late"),
            m.ExitAnnounced(key=worker.name, incarnation=number, exit_class="normal"),
            m.StopAnswered(key=worker.name, incarnation=number),
            m.ChildStartFailed(key=worker.name, incarnation=number + ago, error="it has answered"),
            m.ChildDied(key="child/stranger", incarnation=1, exit_class="crash", detail="gone"),
        )

    @precondition(lambda self: bool(list(self.otp.root.workers())))
    @rule(lot=LOTS)
    def the_next_start_of_a_child_is_to_fail(self, lot: int) -> None:
        known = list(self.otp.root.workers())
        worker = known[lot % len(known)]
        worker.flaky = True
        self.flaky.add(worker.name)

    @rule()
    def a_long_time_passes(self) -> None:
        self.now += 2 * PERIOD_S
        self.tell(m.TimePassed())

    @precondition(lambda self: bool(self.members()))
    @rule(lot=LOTS)
    def somebody_terminates(self, lot: int) -> None:
        name = self.members()[lot % len(self.members())].name
        self.otp.now = self.now
        assert self.ask(r.Terminate(member=name)) is None
        assert self.otp.terminate(name) == "ok"

    @rule(lot=LOTS)
    def somebody_restarts(self, lot: int) -> None:
        names = [ROOT, *(member.name for member in self.members()), "child/nobody"]
        name = names[lot % len(names)]
        self.otp.now = self.now
        assert _reply(self.ask(r.RestartMember(member=name))) == self.otp.restart(name)

    @rule(lot=LOTS)
    def somebody_deletes(self, lot: int) -> None:
        names = [*(member.name for member in self.members()), "nothing"]
        name = names[lot % len(names)]
        assert _reply(self.ask(r.Delete(member=name))) == self.otp.delete(name)

    @rule(lot=LOTS, data=st.data(), flaky=st.booleans(), name=st.sampled_from(["c0", "c1", "new"]))
    def somebody_adds_a_child(self, lot: int, data: st.DataObject, flaky: bool, name: str) -> None:
        groups = [*self.otp.root.groups(), Group("nowhere")]
        group = groups[lot % len(groups)]
        prefix = "" if group.name == ROOT else f"{group.name}."
        worker = data.draw(workers(f"child/{prefix}{name}", significant=group.auto_shutdown != "never"))
        wish = r.AddMembers(children=(_child_plan(worker, group.name),))
        is_new = self.otp.root.find(worker.name) is None
        if is_new and flaky:
            worker.flaky = True
            self.flaky.add(worker.name)
        self.otp.now = self.now
        assert _reply(self.ask(wish)) == self.otp.add(group.name, worker)
        if is_new and worker.flaky:
            self.flaky.discard(worker.name)  # it was refused before it could fail

    @rule(lot=LOTS, data=st.data())
    def somebody_adds_a_group(self, lot: int, data: st.DataObject) -> None:
        parents = [group for group in self.otp.root.groups() if group.name.count(".") < 2]
        parent = parents[lot % len(parents)]
        prefix = "" if parent.name == ROOT else f"{parent.name}."
        group = data.draw(groups(f"{prefix}g7", 1))
        found = list(_plans(group, parent.name))
        wish = r.AddMembers(
            groups=tuple(plan for plan in found if isinstance(plan, GroupPlan)),
            children=tuple(plan for plan in found if isinstance(plan, ChildPlan)),
            order=tuple(plan.path if isinstance(plan, GroupPlan) else plan.key for plan in found),
        )
        self.otp.now = self.now
        assert _reply(self.ask(wish)) == self.otp.add(parent.name, group)

    # -- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def the_same_children_are_up_and_the_same_were_replaced(self) -> None:
        """Numbers need not be the same: a restart that another end overtakes during its pause has no life."""
        up = {child.key: child.incarnation for child in self.machine.view().children if child.status == "running"}
        lives = {worker.name: worker.lives for worker in self.otp.root.workers() if worker.up}
        assert set(up) == set(lives)
        assert set(_keys(self.machine)) == {worker.name for worker in self.otp.root.workers()}
        assert all(number >= self.accepted.get(key, 0) for key, number in up.items())
        replaced = {key for key, number in up.items() if self.accepted.get(key) != number}
        assert replaced == {key for key, life in lives.items() if self.lives.get(key) != life}
        self.accepted |= up
        self.lives |= lives
        self.flaky &= {worker.name for worker in self.otp.root.workers()}

    @invariant()
    def the_same_groups_are_there_and_up(self) -> None:
        view = self.machine.view()
        shown = {path: group.status == "running" for path, group in view.groups.items() if path not in (TOP, SYSTEM)}
        assert shown == {group.name: group.up for group in self.otp.root.groups()}
        order = {path: view.groups[path].members for path in shown}
        assert order == {group.name: tuple(each.name for each in group.members) for group in self.otp.root.groups()}

    @invariant()
    def no_group_is_over_its_intensity(self) -> None:
        assert all(len(group.restarted_at) <= group.intensity for group in self.otp.root.groups() if group.up)

    @invariant()
    def the_tree_is_sound(self) -> None:
        assert self.machine.broken() == []

    def teardown(self) -> None:
        if not hasattr(self, "machine"):
            return
        self.tell(m.ShutdownRequested())
        assert self.finished == 1
        assert all(child.status in ("stopped", "given_up") for child in self.machine.view().children)
        assert set(self.answers.values()) <= {1}


def _keys(machine: SupervisorMachine) -> list[str]:
    return [child.key for child in machine.view().children]


def _reply(problem: str | None) -> str:
    if problem in ("given_up", "stopping", "restarting"):
        return "down"
    return problem or "ok"


def _child_plan(worker: Worker, group: str) -> ChildPlan:
    return ChildPlan(
        key=worker.name,
        group=group,
        restart=worker.restart,
        significant=worker.significant,
        heartbeat_s=10 * PERIOD_S,
        hang_timeout_s=100 * PERIOD_S,
    )


def _plans(group: Group, parent: str) -> list[Any]:
    found: list[Any] = [
        GroupPlan(
            path=group.name,
            parent=parent,
            strategy=group.strategy,
            intensity=group.intensity,
            period_s=group.period_s,
            auto_shutdown=group.auto_shutdown,
            restart=group.restart,
            backoff=AT_ONCE,
        )
    ]
    for member in group.members:
        if isinstance(member, Group):
            found += _plans(member, group.name)
        else:
            assert isinstance(member, Worker)
            found.append(_child_plan(member, group.name))
    return found


TestSupervision = Supervision.TestCase
TestSupervision.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
