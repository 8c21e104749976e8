"""When a victim's work is in other hands, and when its place is taken again."""

from __future__ import annotations

from actors.runtime.process import ProcessIdentity
from experiments.demo.killing import Kind
from experiments.demo.recovery import Kill, Spread, look, spread
from supervisor.messages import ChildView, PoolView, WorkerView
from supervisor.status import LogStatus, SupervisorStatus
from supervisor.tree import Location, Role, Status

HERE = Location(process=ProcessIdentity(4242, 17), node_id="n", host="h")
LOG = LogStatus(path="x", writer=None, error=None, unacknowledged_rows=0, dropped_rows=0)


def status(*children: tuple[str, Status, Role], leader: int = 1, size: int = 1) -> SupervisorStatus:
    tree = tuple(
        ChildView(
            key=name.partition("/")[2].partition("#")[0],
            name=name,
            status=state,
            role=role,
            restarts=0,
            location=HERE,
            last_error="",
        )
        for name, state, role in children
    )
    workers = tuple(
        WorkerView(name=each.name, role=each.role, location=HERE)
        for each in tree
        if each.key.startswith("worker/") and each.status == "running"
    )
    return SupervisorStatus(
        leader_location=None,
        leader=f"demo/supervisor/root#{leader}",
        incarnation=leader,
        failure=None,
        tree=tree,
        pools={"default": PoolView(workers=workers, failure=None, size=size)},
        log=LOG,
    )


def kill(kind: Kind, actor: str) -> Kill:
    return Kill(kind=kind, actor=actor, pid=1, at=10.0, ended=5)


def test_a_worker_is_served_when_a_standby_has_its_place_and_replaced_when_its_successor_runs():
    killed = kill("worker", "demo/worker/default-0#1")
    killed = look(killed, status(("demo/worker/default-0#1", "running", "active")), 10.01)
    assert (killed.served_s, killed.replaced_s) == (None, None)
    taken = ("demo/worker/default-1#1", "running", "active")
    killed = look(killed, status(("demo/worker/default-0#1", "restarting", "service"), taken), 10.5)
    assert (killed.served_s, killed.replaced_s) == (0.5, None)
    killed = look(killed, status(("demo/worker/default-0#2", "starting", "service"), taken), 11.0)
    assert not killed.is_over
    killed = look(killed, status(("demo/worker/default-0#2", "running", "standby"), taken), 12.0)
    assert (killed.served_s, killed.replaced_s) == (0.5, 2.0)
    assert killed.is_over


def test_a_worker_is_not_served_while_the_pool_is_short():
    killed = kill("hung worker", "demo/worker/default-0#1")
    seen = status(("demo/worker/default-1#1", "running", "active"), size=2)
    assert look(killed, seen, 11.0).served_s is None


def test_the_first_time_seen_stays():
    killed = kill("log writer", "demo/event_log/writer#1")
    seen = status(("demo/event_log/writer#2", "running", "service"))
    assert look(look(killed, seen, 11.0), seen, 99.0) == look(killed, seen, 11.0)


def test_service_and_place_are_one_for_the_log_and_the_supervisor():
    seen = status(("demo/event_log/writer#2", "running", "service"))
    log = look(kill("log writer", "demo/event_log/writer#1"), seen, 11.0)
    root = look(kill("supervisor", "demo/supervisor/root#1"), status(leader=2), 10.25)
    assert (log.served_s, log.replaced_s) == (1.0, 1.0)
    assert (root.served_s, root.replaced_s) == (0.25, 0.25)
    assert not look(kill("supervisor", "demo/supervisor/root#1"), status(leader=1), 11.0).is_over


def test_the_key_is_the_name_without_supervisor_and_incarnation():
    assert kill("worker", "demo/worker/default-0#12").key == "worker/default-0"


def test_spread():
    assert spread([]) is None
    assert spread([3.0]) == Spread(p50_s=3.0, max_s=3.0)
    assert spread([4.0, 1.0, 2.0, 3.0]) == Spread(p50_s=2.0, max_s=4.0)
