"""What no living supervisor owns is found on a real cluster, and ended; what one owns is left alone."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import ray
from click.testing import CliRunner, Result

from actors.runtime.actor_table import actor_rows
from actors.runtime.ids import NAMESPACE, ROOT_KEY, ActorName
from actors.runtime.shell import ActorShell, as_actor
from supervisor import Supervisor
from supervisor.census import look_around
from supervisor.cli.main import main
from tests.ray_local.conftest import StartSupervisor


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=answer, env={"COLUMNS": "80"})


def lines_of(ended: Result) -> list[str]:
    """What the command said; Ray prints its news of dead workers in between, into whatever is stdout at that moment."""
    return [line for line in ended.stdout.splitlines() if "(raylet)" not in line]


def listed(*arguments: str) -> list[dict[str, Any]]:
    ended = run("ps", "--json", *arguments)
    assert ended.exit_code == 0, ended.output
    return [json.loads(line) for line in lines_of(ended)]


def alive(supervisor: str) -> set[str]:
    return {str(row.name) for row in actor_rows() if row.alive and row.name.supervisor == supervisor}


def lose_leader(sup: Supervisor, eventually: Callable[..., None]) -> None:
    """Kill everyone at once who leads or would see to a successor."""
    eventually(lambda: sup.status().standby is not None, "a standby")
    rows = [row for row in actor_rows() if row.alive and row.name.supervisor == sup.name]
    leading = [row for row in rows if row.name.key == ROOT_KEY or row.name.concern == "node_agent"]
    assert all(row.pid for row in leading), "to kill process 0 is to kill this one's group"
    sup.close()
    for row in sorted(leading, key=lambda row: row.name.key != ROOT_KEY):
        os.kill(row.pid, signal.SIGKILL)


def impostor(name: ActorName) -> Any:
    """A living actor of an earlier incarnation, as a node that was cut off would hold it."""
    actor: Any = as_actor(ActorShell).options(
        name=str(name), namespace=NAMESPACE, lifetime="detached", num_cpus=0, max_restarts=0
    )
    made = actor.remote(str(name), 1)
    ray.get(made.describe.remote(), timeout=60)
    return made


def test_ps_lists_every_actor_with_what_its_supervisor_says(shared: Supervisor, eventually: Callable[..., None]):
    def is_placed() -> bool:
        rows = listed("--name", shared.name)
        keys = {row["key"] for row in rows}
        return expected <= keys and all(row["pid"] and row["node_id"] and row["started_at_us"] for row in rows)

    eventually(lambda: shared.status().standby is not None, "the standby")
    expected = {ROOT_KEY, *(child.key for child in shared.status().tree)}
    eventually(is_placed, "every actor is in Ray's table with its place")
    found = {row["actor"]: row for row in listed("--name", shared.name)}
    assert {row["standing"] for row in found.values()} == {"owned"}
    leader = found[f"{shared.name}/supervisor/root#1"]
    assert (leader["role"], leader["status"], leader["incarnation"]) == ("leader", "running", 1)
    assert set(found) <= alive(shared.name)
    header, *lines = lines_of(run("ps", "--name", shared.name))
    assert header.split() == ["actor", "status", "role", "restarts", "age", "pid", "node"]
    assert len(lines) == len(found)


def test_ps_of_a_supervisor_that_is_not_there_is_an_error(shared: Supervisor):
    ended = run("ps", "--name", "nobody")
    assert ended.exit_code == 1
    assert "not on this cluster (running there: " in ended.output


def test_an_earlier_incarnation_is_fenced_and_reaped_and_the_living_one_stays(
    shared: Supervisor,
):
    before = alive(shared.name)
    name = ActorName(shared.name, "worker", "default-0", 0)
    impostor(name)
    (fenced,) = [resident for resident in look_around(supervisor=shared.name) if resident.standing == "fenced"]
    assert (fenced.name, fenced.status) == (name, "fenced")

    told = run("reap", "--name", shared.name, "--dry-run", "--grace-s", "0")
    assert (told.exit_code, lines_of(told)[-1]) == (0, "dry run: 1 actor would be ended")
    refused = run("reap", "--name", shared.name, "--grace-s", "0", answer="n\n")
    assert refused.exit_code == 1
    assert str(name) in alive(shared.name)

    os.kill(fenced.pid, signal.SIGSTOP)  # as a hung one, it ends at once all the same
    done = run("reap", "--name", shared.name, "--grace-s", "0", answer="y\n")
    assert (done.exit_code, lines_of(done)[-1]) == (0, "1 actor ended"), done.output
    assert str(name) not in alive(shared.name)
    assert before <= alive(shared.name)
    again = run("reap", "--name", shared.name, "--yes")
    assert lines_of(again) == ["nothing to reap: every actor is owned by a living supervisor"]


def test_a_supervisor_without_leader_is_reaped_whole_and_the_others_stay(
    start: StartSupervisor, shared: Supervisor, eventually: Callable[..., None]
):
    lost = start()
    kept = alive(shared.name)
    lose_leader(lost, eventually)
    eventually(lambda: {row["standing"] for row in listed("--name", lost.name)} == {"orphan"}, "all are orphans")
    shown = run("ps", "--all").stdout
    assert "orphan: owned by nobody, to be ended by `supervisor reap`" in shown

    done = run("reap", "--yes", "--grace-s", "0")
    assert done.exit_code == 0, done.output
    assert alive(lost.name) == set()
    assert kept <= alive(shared.name)


def test_a_supervisor_that_gets_its_next_leader_meanwhile_is_left_alone(
    sup: Supervisor, eventually: Callable[..., None]
):
    leader = next(row for row in actor_rows() if row.alive and row.name == ActorName(sup.name, "supervisor", "root", 1))
    children = alive(sup.name) - {str(leader.name)}
    os.kill(leader.pid, signal.SIGKILL)
    done = run("reap", "--name", sup.name, "--yes")
    assert done.exit_code == 0, done.output
    assert children <= alive(sup.name)
