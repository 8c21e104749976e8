"""Carries the supervisor machine's commands out on Ray, and reports back as events. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import ChildNotHereError, StaleIncarnationError
from actors.runtime.ids import ActorName
from actors.runtime.replies import when_answered
from actors.runtime.warm import was_warm
from supervisor import messages as m
from supervisor.clearing import Clearing
from supervisor.creating import Creator
from supervisor.election import actor_by_name
from supervisor.evicting import Evicting
from supervisor.exits import classify_exit, raised_by, why
from supervisor.hosting import Hosting, what_and_where
from supervisor.hosts import Life, Start
from supervisor.reach import Reach
from supervisor.recording import Recorder
from supervisor.tree import HOST, LOG, SUBTREE, ChildPlan, GroupPlan, Location
from supervisor.watching import Watching

if TYPE_CHECKING:
    from actors.runtime.emitter import Emitter
    from actors.runtime.shell import Description
    from supervisor.charter import Charter
    from supervisor.subtrees import Subtrees

_REACH_AGAIN_S = 0.2
_FLUSH_TIMEOUT_S = 5.0


class ClusterRunner:
    """One leader's hands.

    Attributes:
        reach: The ways to the processes of all nodes.
        on_started: Called with each node on which a new actor is ready, and whether its process had stood ready.

    Args:
        charter: What the supervisor is made of.
        leader: The leader's own name.
        plan_of: What a child is to be; None for one that was forgotten.
        groups_of: The groups that a child is in, the outermost first.
        post: Takes events for the machine.
        publish: Announces the view.
        answer: Takes answers to requests.
        verify: Called when somebody else made a life of this leader's: ends it if it has been replaced.
        depose: Called when a later leader is found.
        emitter: Where records go.
        subtrees: Told of each that is ready.
        rank: The incarnation in whose name node agents are asked.
    """

    def __init__(  # noqa: PLR0913 - each a port of its own
        self,
        charter: Charter,
        leader: ActorName,
        *,
        plan_of: Callable[[str], ChildPlan | None],
        groups_of: Callable[[str], tuple[GroupPlan, ...]],
        post: Callable[[m.Event], None],
        publish: Callable[[], None],
        answer: Callable[[m.Answer], None],
        finish: Callable[[], None],
        verify: Callable[[], None],
        depose: Callable[[], None],
        emitter: Emitter,
        subtrees: Subtrees,
        rank: Callable[[], int],
    ) -> None:
        self._charter = charter
        self._leader = leader
        self._plan_of = plan_of
        self._post = post
        self._publish, self._answer, self._finish = publish, answer, finish
        self._verify, self._depose = verify, depose
        self._emitter = emitter
        self._orphan_timeout_s = charter.config.orphan_timeout_s
        self._recorder = Recorder(emitter, leader.incarnation)
        self._handles: dict[Life, Any] = {}
        self.reach = Reach()
        self._agents: dict[str, str] = {}
        self._subtrees, self._rank = subtrees, rank
        self._begun: dict[Life, Start] = {}
        self.on_started: Callable[[str, bool], None] = lambda _node, _warm: None
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="supervisor-run")
        # Clearing may wait for the log, and so must not keep a thread from starting its next writer.
        self._clearers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="supervisor-clear")
        self._hosting = Hosting(charter, leader, Creator(charter, leader, subtrees.ledgers, self.log_handle), groups_of)
        self._clearing = Clearing(self._clearers, self._hosting, self._recorder)
        self._watching = Watching(str(leader), self._hosting.hosts, self._threads, post, self._let_go)
        self._evicting = Evicting(leader.incarnation, self._hosting.hosts, self.reach, rank, post, depose)

    def run(self, command: m.Command) -> None:  # noqa: C901, PLR0912 - one branch per command, closed
        """Carry out one command; returns at once, what takes time goes on in a thread."""
        match command:
            case m.StartChild(key=key, incarnation=incarnation):
                self._begun[key, incarnation] = Start(SYSTEM_CLOCK.now())
                self._threads.submit(self._start, command)
            case m.AdoptChild(key=key, incarnation=incarnation):
                self._threads.submit(self._adopt, (key, incarnation))
            case m.PromoteChild(key=key, incarnation=incarnation):
                self._promote((key, incarnation))
            case m.AttendStandbys():
                self._attend(command)
            case m.AskHeartbeat():
                self._ask(command)
            case m.LookAtProcess():
                self._look(command)
            case m.LookForRoom(key=key, incarnation=incarnation):
                self._threads.submit(self._look_for_room, (key, incarnation))
            case m.AskStop(key=key, incarnation=incarnation):
                self._threads.submit(self._ask_stop, (key, incarnation))
            case m.KillChild():
                self._kill(command)
            case m.FenceMember():
                self._fence(command)
            case m.ReapSubtree(path=path):
                self._subtrees.ended(path)
                self._clearing.begin(f"{SUBTREE}{path}", partial(self._hosting.reap, path))
            case m.ForgetChild(plan=plan):
                self._clearing.forget(plan)
            case m.Publish():
                self._publish()
            case m.RecordChild():
                self._recorder.child(command)
            case m.RecordRestart():
                self._recorder.restart(command)
            case m.Escalate():
                self._recorder.escalation(command)
            case m.Answer():
                self._answer(command)
            case m.Finish():
                self._finish()
            case _:
                assert_never(command)

    def wait(self) -> None:
        """Until everything that was begun is done."""
        self._hosting.end_all()
        self._clearers.shutdown(wait=True)
        self._threads.shutdown(wait=True)
        self._watching.close()

    def log_handle(self) -> Any | None:
        """The latest log writer's handle, or None."""
        lives = [life for life in list(self._handles) if life[0] == LOG]
        return self._handles.get(max(lives)) if lives else None

    def with_members(self, actors: tuple[m.KnownActor, ...]) -> tuple[m.KnownActor, ...]:
        """The same actors, and the children that live in those that host several."""
        return self._hosting.with_members(actors)

    # -- starting ---------------------------------------------------------------------------------------------------

    def _name(self, life: Life) -> ActorName:
        concern, _, child = life[0].partition("/")
        return ActorName(self._charter.name, concern, child, life[1])

    def _start(self, command: m.StartChild) -> None:
        life = (command.key, command.incarnation)
        plan = self._plan_of(command.key)
        if plan is None:
            self._begun.pop(life, None)
            return
        self._clearing.wait(life[0])
        try:
            handle = self._hosting.create(self._name(life), plan, command.node_id)
        except (RayError, ValueError) as error:
            if actor_by_name(self._name(life)) is not None:
                self._verify()  # a later leader made it: that life is not this one's to end
            self._fail(life, error)
            return
        if life in self._begun:
            self._hold(life, handle, "standby" if command.standby else "active")
        else:  # it was ended meanwhile, by a hand that may have come before there was anything to end
            self._evicting.discard(life, handle)

    def _fail(self, life: Life, error: BaseException, where: Location | None = None) -> None:
        self._begun.pop(life, None)
        host = self._hosting.hosts.of(life)
        if host is not None and isinstance(error, ActorDiedError):
            self._watching.ended(host.name, classify_exit(str(error)), why(error))
            return
        raised: bytes | None = getattr(raised_by(error), "raised", None)
        reason = why(error) + what_and_where(self._plan_of(life[0]), where)
        self._post(m.ChildStartFailed(key=life[0], incarnation=life[1], error=reason, cause=raised))

    def _find(self, life: Life) -> Any | None:
        """The actor that a predecessor's life is in; None when it is over."""
        return self._hosting.find(self._name(life), self._plan_of(life[0]))

    def _adopt(self, life: Life) -> None:
        handle = self._find(life)
        if handle is None:
            error = "it ended before it could be adopted"
            self._post(m.ChildStartFailed(key=life[0], incarnation=life[1], error=error))
            return
        self._hold(life, handle, "adopted")

    def _hold(self, life: Life, handle: Any, role: str) -> None:
        self._handles[life] = handle
        shared = self._hosting.hosts.begin_watch(life)
        if shared is not None:
            self._watching.watch(shared.name, handle)
        described = handle.describe.remote(self._orphan_timeout_s)
        self._then(described, partial(self._on_described, life, handle, role))

    def _hold_again(self, life: Life, handle: Any, role: str) -> None:
        """Out of reach is not dead: ask again; how long a start may take is the machine's business."""
        sleep(_REACH_AGAIN_S)
        if life in self._handles:
            self._hold(life, handle, role)

    def _on_described(self, life: Life, handle: Any, role: str, reply: Description | BaseException) -> None:
        """The first answer of a process costs 0.3 s more than the second: it is ready only after two."""
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._hold_again, life, handle, role)
            return
        if isinstance(reply, BaseException):
            self._fail(life, reply)
            return
        begun = self._begun.get(life)
        if begun is not None:
            begun.placed = True
        location = Location(process=reply.process, node_id=reply.node_id, host=reply.host)
        second = self._hosting.second_call(life, self._plan_of(life[0]), handle, role)
        self._then(second, partial(self._on_second_answer, life, handle, role, location, reply.name))

    def _on_second_answer(
        self, life: Life, handle: Any, role: str, location: Location, actor: str, reply: object
    ) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._hold_again, life, handle, role)
            return
        if isinstance(reply, BaseException):
            self._fail(life, reply, location)
            return
        key, incarnation = life
        standing = self._hosting.standing(life, reply, role)
        if standing == "ignored":
            self._post(m.ChildIgnored(key=key, incarnation=incarnation))
            return
        if standing == "missing":
            self._post(m.ChildStartFailed(key=key, incarnation=incarnation, error="it was never built"))
            return
        if key.startswith("node_agent/"):
            self._agents[location.node_id] = str(self._name(life))
            self.reach.know(self._agents)
        if key.startswith(SUBTREE):
            self._subtrees.joined(key.removeprefix(SUBTREE), handle)
        self._tell_started(life, location)
        host = "" if actor == str(self._name(life)) else actor
        self._post(
            m.ChildReady(key=key, incarnation=incarnation, location=location, serves=standing == "active", host=host)
        )
        shared = self._hosting.hosts.of(life)
        if shared is None:
            self._watching.watch(str(self._name(life)), handle)
        else:
            shared.location = location
        if location.node_id == self.reach.node_id and life in self._handles:
            self._watching.watch_process(actor, location.process)

    def _tell_started(self, life: Life, where: Location) -> None:
        begun = self._begun.pop(life, None)
        if begun is None:
            return  # adopted
        local = where.node_id == self.reach.node_id
        age_s = process.age_s(where.process) if local else None
        self.on_started(where.node_id, not local or was_warm(age_s, waited_s=SYSTEM_CLOCK.now() - begun.at))

    def _promote(self, life: Life) -> None:
        handle = self._handles.get(life)
        if handle is not None and life[0].startswith("child/"):
            promoted = handle.activate.remote(self._leader.incarnation, *life)
            self._then(promoted, partial(self._on_promoted, life))

    def _on_promoted(self, life: Life, reply: object) -> None:
        """A standby that cannot serve is no better than a dead one; one out of reach may be activated by a caller."""
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        # What a method raised comes as one that is Ray's, too: its cause says what it was.
        if isinstance(reply, BaseException) and not isinstance(raised_by(reply), RayError):
            self._post(m.ChildUnhealthy(key=life[0], incarnation=life[1], detail=f"cannot serve: {why(reply)}"))

    def _attend(self, command: m.AttendStandbys) -> None:
        handle = self._handles.get((command.key, command.incarnation))
        if handle is not None:
            names = tuple(str(self._name((command.key, number))) for number in command.standbys)
            asked = handle.attend.remote(self._leader.incarnation, command.key, names)
            self._then(asked, partial(self._on_attended, command))

    def _on_attended(self, command: m.AttendStandbys, reply: object) -> None:
        """Who could not be given the state catches up with the next call; till then the store has it."""
        if isinstance(reply, tuple | list):
            names = (ActorName.parse(str(name)) for name in reply)
            numbers = tuple(name.incarnation for name in names if name is not None)
            key, incarnation, told = command.key, command.incarnation, command.standbys
            self._post(m.StandbysAttended(key=key, incarnation=incarnation, standbys=numbers, told=told))

    # -- watching ---------------------------------------------------------------------------------------------------

    def _ask(self, command: m.AskHeartbeat) -> None:
        handle = self._handles.get((command.key, command.incarnation))
        if handle is not None:
            asked = handle.heartbeat.remote(self._leader.incarnation, self._orphan_timeout_s)
            self._then(asked, partial(self._on_heartbeat, command))

    def _on_heartbeat(self, asked: m.AskHeartbeat, reply: Any) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        elif not isinstance(reply, BaseException):
            key, incarnation, company = asked.key, asked.incarnation, asked.company
            self._post(m.HeartbeatAnswered(key=key, incarnation=incarnation, company=company))
            unhealthy = reply.get("unhealthy", {})
            for ill, life in ((key, incarnation), *company) if unhealthy else ():
                if ill in unhealthy:
                    told = f"health(): {unhealthy[ill]}"
                    self._post(m.ChildUnhealthy(key=ill, incarnation=life, detail=told))

    def _look(self, command: m.LookAtProcess) -> None:
        where = Location(process=command.process, node_id=command.node_id, host="")
        self.reach.look(where, partial(self._on_evidence, command.key, command.incarnation))

    def _on_evidence(self, key: str, incarnation: int, evidence: process.ProcessEvidence) -> None:
        self._post(m.EvidenceFound(key=key, incarnation=incarnation, evidence=evidence))

    def _look_for_room(self, life: Life) -> None:
        begun, plan = self._begun.get(life), self._plan_of(life[0])
        told = "" if begun is None or begun.placed or plan is None else self._hosting.lacking(plan)
        self._post(m.RoomSeen(key=life[0], incarnation=life[1], lacks=told))

    # -- ending -----------------------------------------------------------------------------------------------------

    def _ask_stop(self, life: Life) -> None:
        """An answer that cannot be had is one, too: what follows is the kill."""
        if life[0] == LOG:
            self._emitter.flush(_FLUSH_TIMEOUT_S)
        handle = self._handles.get(life) or self._find(life)
        if handle is None:
            self._on_stopped(life, ChildNotHereError(life[0], host=str(self._name(life))))
        else:
            asked = self._hosting.stop_call(life, handle)
            self._then(asked, partial(self._on_stopped, life))

    def _on_stopped(self, life: Life, reply: object) -> None:
        in_order = not isinstance(reply, BaseException)
        self._post(m.StopAnswered(key=life[0], incarnation=life[1], in_order=in_order))

    def _kill(self, command: m.KillChild) -> None:
        life = (command.key, command.incarnation)
        self._begun.pop(life, None)
        host = self._hosting.hosts.of(life)
        if host is not None or command.key.startswith(HOST):
            self._hosting.hosts.close(str(self._name(life)) if host is None else host.name)
        if command.process is not None and command.node_id is not None:
            where = Location(process=command.process, node_id=command.node_id, host="")
            self.reach.kill(where, by=self._rank(), name=str(self._name(life)))
        self._threads.submit(self._ray_kill, life)

    def _ray_kill(self, life: Life) -> None:
        handle = self._handles.pop(life, None)
        while True:
            try:
                handle = handle or actor_by_name(self._name(life))
                if handle is not None:
                    ray.kill(handle, no_restart=True)
            except RayError:
                sleep(_REACH_AGAIN_S)  # a kill that was ordered is not dropped because Ray is out of reach
            else:
                return

    def _fence(self, command: m.FenceMember) -> None:
        life = (command.key, command.incarnation)
        self._begun.pop(life, None)
        handle, empty = self._handles.pop(life, None), self._hosting.hosts.leave(life)
        self._threads.submit(self._evicting.evict, life, handle, command.host, empty)

    def _let_go(self, life: Life) -> None:
        """Its actor is dead."""
        self._handles.pop(life, None)
        self._begun.pop(life, None)

    @staticmethod
    def _then(ref: Any, callback: Callable[[Any], None]) -> None:
        when_answered(ref, callback)
