"""The view names who leads, who serves and where the log is: running, accepted incarnations only."""

from __future__ import annotations

from actors.runtime.process import ProcessIdentity
from supervisor.messages import ClusterView, PoolView, WorkerView
from supervisor.tree import ROOT, Child, ChildSpec, Group, GroupSpec, Location, Pool, Status
from supervisor.view import build_view

WHERE = Location(process=ProcessIdentity(7, 7), node_id="n1", host="h")


def _child(key: str, status: Status, incarnation: int = 1, **more: str) -> Child:
    group = "pool:p" if key.startswith("worker/") else ROOT
    child = Child(ChildSpec(key=key, group=group, node_id=more.get("node")), incarnation=incarnation, status=status)
    child.location = WHERE if status in ("running", "restarting") else None
    child.last_error = more.get("error", "")
    return child


def _view(*children: Child, stopping: bool = False, failure: str | None = None) -> ClusterView:
    members = [child.spec.key for child in children if child.spec.concern == "worker"]
    group = Group(GroupSpec(name="pool:p", period_s=9.0), restarted_at=(1.0, 2.0), failure=failure)
    return build_view(
        "s",
        4,
        children={child.spec.key: child for child in children},
        groups={ROOT: Group(GroupSpec(name=ROOT)), "pool:p": group},
        pools={"p": Pool("p", 2, members)},
        stopping=stopping,
    )


def test_only_running_members_serve_under_the_name_of_their_incarnation() -> None:
    statuses: list[Status] = ["running", "starting", "restarting", "stopped", "given_up", "waiting"]
    view = _view(*(_child(f"worker/p-{number}", status, 3) for number, status in enumerate(statuses)))
    assert view.pools == {
        "p": PoolView(
            workers=(WorkerView(name="s/worker/p-0#3", role="service", location=WHERE),),
            failure=None,
            restarts=2,
            period_s=9.0,
            size=2,
        )
    }
    assert [child.status for child in view.children] == statuses
    assert (view.leader, view.incarnation, view.stopping) == ("s/supervisor/root#4", 4, False)


def test_the_log_is_named_while_its_writer_runs_and_its_error_told_when_not() -> None:
    assert _view().event_log is None
    running = _view(_child("event_log/writer", "running", 2))
    assert (running.event_log, running.log_error) == ("s/event_log/writer#2", None)
    broken = _view(_child("event_log/writer", "restarting", 2, error="locked"))
    assert (broken.event_log, broken.log_error) == (None, "locked")


def test_agents_are_found_by_their_node() -> None:
    view = _view(_child("node_agent/a", "running", node="a" * 20), _child("node_agent/b", "starting", node="b" * 20))
    assert view.agents == {"a" * 20: "s/node_agent/a#1"}


def test_failures_and_the_end_are_told() -> None:
    view = _view(failure="w: boom", stopping=True)
    assert (view.pools["p"].failure, view.root_failure, view.stopping) == ("w: boom", None, True)
