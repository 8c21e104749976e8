"""The supervisor's and the node agent's shells in this process: on real Ray, with real children, and measurable."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from random import Random
from typing import Any

import pytest
import ray

from actors.event_log.transport import LogTransport
from actors.node_agent.actor import NodeAgentActor, ledger_on_board
from actors.runtime.board import BoardReader
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.emitter import Emitter
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.ids import NAMESPACE, ActorName
from actors.runtime.node import board_path
from actors.runtime.process import ProcessIdentity
from actors.runtime.replicated import Replica
from actors.runtime.shell import ActorShell, as_actor
from supervisor import messages as m
from supervisor import requests as r
from supervisor.actor import SupervisorActor
from supervisor.charter import Charter
from supervisor.config import SupervisorConfig
from supervisor.election import elect, inventory, leader_name, living_names
from supervisor.engine import Engine
from supervisor.evicting import Evicting
from supervisor.hosts import Hosts
from supervisor.link import view_on_board
from supervisor.reach import Reach
from supervisor.subtrees import Subtrees
from supervisor.supervision.ledger import ChildEntry, Ledger
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import ROOT, TOP, ChildPlan, GroupPlan, Location
from tests.ray_local.conftest import configuration, unique_name


@pytest.fixture
def charter(ray_session, tmp_path):
    config = SupervisorConfig.load(configuration(tmp_path / "log.duckdb", {"pool": {"size": 1, "standbys": 1}}))
    node_id = ray.get_runtime_context().get_node_id()
    return Charter(name=unique_name(), config=config, log_node_id=node_id, otlp_endpoint=None)


def take_seat(charter: Charter, incarnation: int) -> Any:
    """An actor that holds the leader's name: without one, the agents would elect another leader."""
    return take_seat_of(str(leader_name(charter.name, incarnation)))


def take_seat_of(name: str) -> Any:

    class Seat(ActorShell):
        @ray.method(concurrency_group="poll")
        def observe(self, known_incarnation: int, known_version: int, timeout_s: float) -> None:
            threading.Event().wait(timeout_s)

    seat = as_actor(Seat, extra_groups={"poll": 8})
    made = seat.options(name=name, namespace=NAMESPACE, num_cpus=0).remote(name, 1)
    ray.get(made.describe.remote())
    return made


class Office:
    """A supervisor whose shell lives in this process, and whose name an actor holds for it."""

    def __init__(self, charter: Charter, incarnation: int) -> None:
        name = str(ActorName(charter.name, "supervisor", "root", incarnation))
        self.seat = take_seat(charter, incarnation)
        self.shell: Any = SupervisorActor(name, incarnation, charter)
        self.view: m.ClusterView | None = None
        self._known = (0, 0)

    def seen(self, condition: Any) -> bool:
        replica = self.shell.observe(*self._known, 0.5)
        if replica is not None:
            self._known = (replica.incarnation, replica.version)
            self.view = pickle.loads(replica.payload)
        return self.view is not None and condition(self.view)


def is_whole(view: m.ClusterView) -> bool:
    return (
        len(view.pools["default"].workers) == 2
        and view.event_log is not None
        and all(child.status == "running" for child in view.children)
    )


def serving(view: m.ClusterView) -> set[str]:
    return {worker.name for worker in view.pools["default"].workers}


def test_a_leader_starts_watches_replaces_and_ends_its_children(charter, eventually, is_alive):
    office = Office(charter, 50)
    eventually(lambda: office.seen(is_whole), "the tree")
    assert office.shell.charter() == charter
    assert office.view is not None
    before = {worker.name: worker.location.process.pid for worker in office.view.pools["default"].workers}
    killed, stopped = before.values()
    os.kill(killed, signal.SIGKILL)
    os.kill(stopped, signal.SIGSTOP)
    eventually(lambda: office.seen(lambda view: is_whole(view) and serving(view).isdisjoint(before)), "both successors")
    assert not is_alive(stopped)
    office.shell.announce_exit("no actor name", "task_limit")
    office.shell.shutdown()
    assert [actor.key for actor in inventory(charter.name) if actor.alive] == ["supervisor/root"]
    ray.kill(office.seat)


def test_a_command_that_cannot_be_carried_out_holds_up_no_other(charter, caplog):
    """What is kept of the child cannot be deleted, for want of a thread: who asked is answered, and all hear of it."""
    child = ChildPlan(key="child/a", recipe="what it is built of")
    machine = SupervisorMachine(
        supervisor=charter.name,
        incarnation=50,
        groups=[GroupPlan(path=TOP, parent=None), GroupPlan(path=ROOT, parent=TOP)],
        children=[child],
        rng=Random(0),
        ledger=Ledger(children=(ChildEntry(plan=child, status="stopped", incarnation=1, last=1, restarts=0),)),
    )
    emitter = Emitter(LogTransport(lambda: None))
    subtrees = Subtrees(charter.name)
    announced: list[list[str]] = []
    engine = subtrees.engine = Engine(
        charter,
        leader_name(charter.name, 50),
        machine=machine,
        publish=lambda: announced.append([seen.key for seen in machine.view().children]),
        replicate=lambda: None,
        verify=lambda: None,
        depose=lambda: None,
        emitter=emitter,
        subtrees=subtrees,
        rank=lambda: 50,
    )
    engine.begin(m.LeaderStarted(actors=(), nodes=(), succeeds=True))
    assert engine.begun.wait(20)
    told = engine.feed.changes(0, 0, 20)
    assert told is not None
    engine.runner.wait()  # ends its threads
    asked = r.Delete(member="child/a")
    assert engine.desk.ask("request", asked, 10) == m.Answer(request="request")
    assert announced[-1] == []
    heard = engine.feed.changes(told.incarnation, told.seq, 20)
    assert heard is not None
    assert [(change.key, change.event) for change in heard.changes] == [("child/a", "deleted")]
    assert f"{charter.name}/supervisor/root#50: ForgetChild could not be carried out" in caplog.messages
    engine.end()
    emitter.close(0)


def test_two_who_elect_at_once_elect_one(charter, eventually):
    """The name is the election: whoever comes second follows."""
    barrier = threading.Barrier(2)
    chosen: list[int] = []

    def vote() -> None:
        barrier.wait(20)
        chosen.append(elect(charter, after=0)[0])

    voters = [threading.Thread(target=vote) for _ in range(2)]
    for voter in voters:
        voter.start()
    for voter in voters:
        voter.join(60)
    assert chosen == [1, 1]
    eventually(lambda: leader_name(charter.name, 1) in living_names(), "the leader's name")
    found, leader = elect(charter, after=0)
    assert found == 1
    ray.get(leader.shutdown.remote())
    ray.kill(leader)


class Port:
    """The agent's way to the leader, in a test's hands."""

    def __init__(self) -> None:
        self.lay: Any = None
        self.stopped = False

    def __call__(self, lay: Any) -> Port:
        self.lay = lay
        return self

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def sleeper():
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    with open(f"/proc/{child.pid}/stat", encoding="utf-8") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    yield ProcessIdentity(child.pid, ticks)
    child.kill()
    child.wait()


def test_an_agent_lays_the_view_on_the_board_and_kills_only_what_is_announced(ray_session, sleeper, is_alive):
    name, port = unique_name(), Port()
    agent: Any = NodeAgentActor(f"{name}/node_agent/n#1", 3, port)
    worker = m.WorkerView(
        name=f"{name}/worker/p-0#1",
        role="active",
        location=Location(process=sleeper, node_id=ray.get_runtime_context().get_node_id(), host="h"),
    )
    assert not agent.kill(sleeper, 3), "nobody announced it"
    assert not agent.kill(sleeper, 3, worker.name), "Ray's table knows no such actor"
    assert is_alive(sleeper.pid)
    pool = m.PoolView(workers=(worker,), failure=None)
    view = m.ClusterView(leader=f"{name}/supervisor/root#3", incarnation=3, pools={"p": pool})
    port.lay(Replica(3, 1, pickle.dumps(view)))

    reader = BoardReader(board_path(name))
    assert view_on_board(name) == view
    assert reader.writer_alive(SYSTEM_CLOCK.now_ns(), int(3e9))
    assert agent.evidence(sleeper).state in ("S", "R")

    assert not agent.kill_worker(f"{name}/worker/p-0#2")
    with pytest.raises(StaleIncarnationError):
        agent.kill(sleeper, 2)
    assert is_alive(sleeper.pid)
    assert agent.kill_worker(worker.name)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not agent.kill(sleeper, 3)

    agent.stop(3)
    assert port.stopped
    assert not board_path(name).exists()


def test_a_view_may_be_larger_than_a_page_and_one_that_finds_no_room_hides_the_old_one(ray_session):
    name, port = unique_name(), Port()
    agent: Any = NodeAgentActor(f"{name}/node_agent/n#1", 3, port)
    for version, size in enumerate((10, 200_000, 100), 1):
        view = m.ClusterView(leader=f"{name}/supervisor/root#3", incarnation=3, root_failure="x" * size)
        port.lay(Replica(3, version, pickle.dumps(view)))
        assert view_on_board(name) == view
    huge = m.ClusterView(leader=f"{name}/supervisor/root#3", incarnation=3, root_failure="x" * (8 << 20))
    port.lay(Replica(3, 9, pickle.dumps(huge)))
    assert view_on_board(name) is None, "an old one would mislead"
    agent.stop(3)


def test_an_agent_kills_what_was_not_announced_if_rays_table_says_that_it_is_ours(ray_session, eventually, is_alive):
    name = unique_name()
    seat = take_seat_of(f"{name}/worker/p-0#4")
    where: Any = ray.get(seat.describe.remote())
    agent: Any = NodeAgentActor(f"{name}/node_agent/n#1", 3, Port())
    assert not agent.kill(where.process, 3)
    assert not agent.kill(where.process, 3, f"{name}/worker/p-0#5")
    assert is_alive(where.pid)
    assert agent.kill(where.process, 3, f"{name}/worker/p-0#4")
    eventually(lambda: not is_alive(where.pid), "its end")
    agent.stop(3)


def test_an_actor_that_was_made_for_a_life_that_is_over_is_ended_and_that_is_told(ray_session, eventually, is_alive):
    """The order to kill found nothing yet, and without this word the machine waits for the end until it gives up."""
    seat = take_seat_of(f"{unique_name()}/worker/p-0#4")
    where: Any = ray.get(seat.describe.remote())
    told: list[m.Event] = []
    Evicting(3, Hosts(), Reach(), lambda: 3, told.append, told.clear).discard(("worker/p-0", 4), seat)
    why = "it was ended before it was begun"
    assert told == [m.ChildStartFailed(key="worker/p-0", incarnation=4, error=why)]
    eventually(lambda: not is_alive(where.pid), "its end")


def test_a_new_leaders_word_and_ledger_lie_on_the_board_and_an_old_ones_are_refused(ray_session):
    name = unique_name()
    agent: Any = NodeAgentActor(f"{name}/node_agent/n#1", 3, Port())
    view = m.ClusterView(leader=f"{name}/supervisor/root#4", incarnation=4)
    agent.hear(4, Replica(4, 1, pickle.dumps(view)))
    assert view_on_board(name) == view
    big, late = Replica(4, 2, os.urandom(200_000)), Replica(4, 1, b"late")
    assert agent.keep_ledger(4, big) == 2
    assert agent.keep_ledger(4, late) == 1
    assert agent.ledger() == ledger_on_board(name) == big
    for stale in (lambda: agent.hear(3, Replica(3, 9, b"")), lambda: agent.keep_ledger(3, Replica(3, 9, b""))):
        with pytest.raises(StaleIncarnationError):
            stale()
    huge = Replica(4, 3, os.urandom(12 << 20))
    assert agent.keep_ledger(4, huge) == 3
    assert agent.ledger() == huge, "what the board has no room for is held all the same"
    successor: Any = NodeAgentActor(f"{name}/node_agent/n#2", 4, Port())
    assert successor.ledger() in (None, big)
    agent.stop(4)
    successor.stop(4)
    assert ledger_on_board(name) is None
