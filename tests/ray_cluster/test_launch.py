"""The supervisor on a Ray started as operators do it: `ray start`, a second node, a submitted job, the commands."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import ray

from supervisor.link import wait_until
from tests.command import supervisor_command
from tests.ray_cluster.marked import end_all, environment, new_mark

BIN = Path(sys.executable).parent
NAME = "launched"
ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True)
class RunningCluster:
    """A head and a second node on this machine, with a token of their own."""

    address: str
    dashboard: str
    env: dict[str, str]
    folder: Path

    def run(
        self, *command: str, env: dict[str, str] | None = None, timeout: float = 90
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.env if env is None else env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def supervisor(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return self.run(*supervisor_command(), *arguments, env=env)

    def python(self, code: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        script = self.folder / f"{secrets.token_hex(4)}.py"
        script.write_text(textwrap.dedent(code))
        return self.run(sys.executable, str(script), *arguments, env=env)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def node(env: dict[str, str], folder: Path, log: Path, *arguments: str) -> Generator[None]:
    """`ray start --block` until it says that it runs, and the end of it.

    Every node's agent has a port of its own: one of them takes the jobs.
    """
    agent = f"--dashboard-agent-listen-port={free_port()}"
    command = [str(BIN / "ray"), "start", "--block", "--disable-usage-stats", agent, *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=env, cwd=folder, stdout=output, stderr=subprocess.STDOUT) as started,
    ):
        try:
            assert wait_until(lambda: "Ray runtime started." in log.read_text(), 60, every_s=0.05), log.read_text()
            yield
        finally:
            started.terminate()
            if not wait_until(lambda: started.poll() is not None, 10):
                started.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    temporary = Path(f"/tmp/rl{secrets.token_hex(3)}")  # a socket's path has 107 characters at most
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    mark = new_mark()
    env = environment(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token), COLUMNS="200")
    # Below `uv run pytest`, and only there, Ray would start each of the job's workers through uv.
    env |= {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"} | dict([mark.split("=")])
    port, dashboard = free_port(), free_port()
    address = f"127.0.0.1:{port}"
    head = ("--head", "--node-ip-address=127.0.0.1", f"--port={port}", f"--dashboard-port={dashboard}")
    with ExitStack() as nodes:
        nodes.callback(shutil.rmtree, temporary, ignore_errors=True)
        nodes.callback(end_all, mark)
        nodes.enter_context(
            node(
                env,
                folder,
                folder / "head.log",
                *head,
                f"--temp-dir={temporary}",
                "--num-cpus=2",
                "--include-dashboard=true",
            )
        )
        nodes.enter_context(
            node(
                env,
                folder,
                folder / "second.log",
                f"--address={address}",
                "--node-ip-address=127.0.0.1",
                "--num-cpus=2",
            )
        )
        made = RunningCluster(address, f"http://127.0.0.1:{dashboard}", env, folder)
        assert wait_until(lambda: is_up(made, nodes=2), 60), (folder / "second.log").read_text()
        yield made


def is_up(cluster: RunningCluster, *, nodes: int) -> bool:
    seen = cluster.run(str(BIN / "ray"), "status", f"--address={cluster.address}")
    return seen.returncode == 0 and len(re.findall(r"^ *1 node_", seen.stdout, re.M)) >= nodes


def on_it(cluster: RunningCluster, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return cluster.supervisor(command, "--name", NAME, "--address", cluster.address, *arguments)


def test_the_doctor_names_what_a_cluster_as_ray_comes_lacks(cluster: RunningCluster):
    seen = cluster.supervisor("doctor", "--address", cluster.address)
    assert seen.returncode == 1, seen.stderr
    assert "lacking  health_check_period_ms = 3000\n" in seen.stdout
    assert "ok       PrestartWorkers = available\n" in seen.stdout, "the token is shown to the raylet, too"
    assert seen.stdout.endswith("6 of 7 are not as they should be\n")


REFUSED = """
import json, sys, time
from supervisor import Supervisor, SupervisorError
began = time.monotonic()
try:
    Supervisor.connect("nobody", address=sys.argv[1])
except SupervisorError as error:
    print(json.dumps({"text": str(error), "kind": type(error).__name__, "after_s": time.monotonic() - began}))
"""


@pytest.mark.parametrize("token", ["wrong", "missing"])
def test_a_wrong_or_missing_token_is_told_at_once(cluster: RunningCluster, tmp_path: Path, token: str):
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64} if token == "wrong" else {}
    client = cluster.python(REFUSED, cluster.address, env=environment(HOME=str(tmp_path), **own))
    assert client.returncode == 0, client.stderr
    told = json.loads(client.stdout.splitlines()[-1])
    assert told["kind"] == "ClusterUnreachableError"
    assert "the token is missing or wrong" in told["text"]
    assert told["after_s"] < ANSWER_WITHIN_S


def test_a_cluster_of_another_ray_is_told_with_both_versions(cluster: RunningCluster):
    client = cluster.python(f"import ray\nray.__version__ = '2.99.0'\n{REFUSED}", cluster.address)
    assert client.returncode == 0, client.stderr
    told = json.loads(client.stdout.splitlines()[-1])
    assert told["kind"] == "ClusterUnreachableError"
    assert f"Ray: {ray.__version__}" in told["text"]
    assert "Ray: 2.99.0" in told["text"]
    assert told["text"].endswith("Install the cluster's versions of Ray and Python here")
    assert told["after_s"] < ANSWER_WITHIN_S


def test_a_port_that_is_not_the_gcs_is_told_at_once(cluster: RunningCluster):
    client = cluster.python(REFUSED, cluster.dashboard.removeprefix("http://"))
    assert client.returncode == 0, client.stderr
    told = json.loads(client.stdout.splitlines()[-1])
    assert "GCS" in told["text"]
    assert told["after_s"] < ANSWER_WITHIN_S


def actors_on(cluster: RunningCluster) -> list[dict[str, str | int | None]]:
    seen = cluster.supervisor("ps", "--all", "--json", "--address", cluster.address)
    assert seen.returncode == 0, seen.stderr
    return [json.loads(line) for line in seen.stdout.splitlines()]


@pytest.mark.soak  # `test_reaping.py` has the same in one process by default
@pytest.mark.timeout(170)
def test_a_lost_supervisor_is_reaped_from_a_shell_and_a_living_one_stays(cluster: RunningCluster):
    for name in ("kept", "lost"):
        config = cluster.folder / f"{name}.yaml"
        pools = {"default": {"size": 2, "standbys": 0}}
        config.write_text(json.dumps({"pools": pools, "log": {"path": str(cluster.folder / f"{name}.duckdb")}}))
        up = cluster.supervisor("up", "--name", name, "--address", cluster.address, "--config", str(config))
        assert up.returncode == 0, up.stderr

    def leads(actor: dict[str, str | int | None]) -> bool:
        return actor["supervisor"] == "lost" and str(actor["key"]).startswith(("supervisor/", "node_agent"))

    def is_complete() -> bool:
        """A leader, its standby and two agents; to kill process 0 would be to kill this one's group."""
        return [bool(actor["pid"]) for actor in actors_on(cluster) if leads(actor)] == [True] * 4

    assert wait_until(is_complete, 30, every_s=0.5)
    before = actors_on(cluster)
    assert {actor["standing"] for actor in before} <= {"owned", "coming"}
    for actor in sorted(filter(leads, before), key=lambda actor: actor["key"] != "supervisor/root"):
        os.kill(int(actor["pid"] or 0), signal.SIGKILL)

    def is_lost() -> bool:
        return {a["standing"] for a in actors_on(cluster) if a["supervisor"] == "lost"} == {"orphan"}

    assert wait_until(is_lost, 30, every_s=0.5)
    told = cluster.supervisor("reap", "--dry-run", "--address", cluster.address)
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, "dry run: 3 actors would be ended"), told.stdout
    done = cluster.supervisor("reap", "--yes", "--address", cluster.address)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "3 actors ended"), done.stdout + done.stderr
    left = actors_on(cluster)
    kept = {actor["actor"] for actor in before if actor["supervisor"] == "kept"}
    assert {actor["actor"] for actor in left} == kept
    assert {actor["standing"] for actor in left} == {"owned"}
    down = cluster.supervisor("down", "--name", "kept", "--address", cluster.address)
    assert down.returncode == 0, down.stderr
    nothing = cluster.supervisor("ps", "--all", "--address", cluster.address)
    assert nothing.stdout == "no actor of any supervisor is on this cluster\n"


# -- last: Ray takes jobs only a while after its nodes are up ---------------------------------------------------------


def submit_job(cluster: RunningCluster, *command: str) -> subprocess.CompletedProcess[str]:
    """`ray job submit`, as soon as Ray takes jobs: it does so a while after its nodes are up, and says when not yet."""
    tries: list[subprocess.CompletedProcess[str]] = []

    def taken() -> bool:
        ray_job = (str(BIN / "ray"), "job", "submit", f"--address={cluster.dashboard}", "--")
        tries.append(cluster.run(*ray_job, *command))
        return "No available agent to submit job" not in tries[-1].stdout + tries[-1].stderr

    wait_until(taken, 60, every_s=0.5)
    return tries[-1]


CLIENT = """
import json, os, sys, time
from collections import Counter
from supervisor import Policy, Retry, Supervisor, TaskTimeoutError

def where():
    import ray
    time.sleep(0.002)  # long enough for one worker not to do them all
    return ray.get_runtime_context().get_node_id()

def slowly(number):
    time.sleep(0.002)
    return number + 1

def endless(path):
    with open(path, "a") as file:
        file.write(where() + "\\n")
    while True:
        time.sleep(0.01)

name, address, path = sys.argv[1:]
with Supervisor.connect(name, address=address) as sup:
    answers = [future.result(timeout=60) for future in [sup.submit(slowly, n) for n in range(300)]]
    nodes, asked, until = set(), 0, time.monotonic() + 60
    while len(nodes) < 2 and time.monotonic() < until:  # a node that is slow yet has its tasks taken back
        nodes |= {future.result(timeout=60) for future in [sup.submit(where) for n in range(300)]}
        asked += 300
    late = [sup.options(policy=Policy(timeout_s=0.5, retry=Retry(attempts=1))).submit(endless, path) for _ in range(6)]
    ended = [type(future.exception(timeout=60)).__name__ for future in late]
    again = [future.result(timeout=60) for future in [sup.submit(slowly, n) for n in range(100)]]
    until = time.monotonic() + 60
    def running(sup):
        return sum(child.key.startswith("worker/") and child.status == "running" for child in sup.status().tree)
    while running(sup) < 6 and time.monotonic() < until:  # the successors of those that were ended with their tasks
        time.sleep(0.05)
    done = sup.events.query("select state, count(*) as n from tasks group by all order by all")
    print(json.dumps({
        "answers": answers == list(range(1, 301)), "nodes": len(nodes), "asked": asked, "ended": ended,
        "again": again == list(range(1, 101)), "states": {row["state"]: row["n"] for row in done},
    }))
"""


@pytest.mark.timeout(170)
def test_up_from_a_job_then_tasks_from_elsewhere_then_down(cluster: RunningCluster):
    config = cluster.folder / "supervisor.yaml"
    pools = {"default": {"size": 6, "standbys": 0, "intensity": 1000}}
    config.write_text(json.dumps({"pools": pools, "log": {"path": str(cluster.folder / "log.duckdb")}}))
    command = [str(BIN / "supervisor"), "up", "--name", NAME, "--config", str(config)]
    job = submit_job(cluster, *command)
    assert job.returncode == 0, job.stdout + job.stderr
    assert "is up: leader launched/supervisor/root#1, " in job.stdout

    client = cluster.python(CLIENT, NAME, cluster.address, str(cluster.folder / "ran"))
    assert client.returncode == 0, client.stderr
    told = json.loads(client.stdout.splitlines()[-1])
    done = 400 + told["asked"]
    assert told == {
        "answers": True,
        "nodes": 2,
        "asked": told["asked"],
        "ended": ["TaskTimeoutError"] * 6,
        "again": True,
        "states": {"done": done, "timeout": 6},
    }
    assert len(set((cluster.folder / "ran").read_text().split())) == 2, "all late tasks ran on one node"

    query = "select (select count(*) from tasks) as n, (select string_agg(distinct exit_class) from restarts) as ends"
    asked = (("status", "--json"), ("status",), ("ps",), ("events", "--json", query), ("up",))
    with ThreadPoolExecutor() as beside:
        seen, plain, listed, rows, taken = beside.map(lambda command: on_it(cluster, *command), asked)
    assert seen.returncode == 0, seen.stderr
    status = json.loads(seen.stdout)
    assert (status["incarnation"], status["failure"]) == (1, None)
    assert len([child for child in status["tree"] if child["key"].startswith("node_agent/")]) == 2
    assert "pool default: 6 of 6 active" in plain.stdout
    assert "launched/supervisor/root#1" in listed.stdout
    assert json.loads(rows.stdout) == {"n": done + 6, "ends": "task_limit"}
    assert taken.returncode == 1
    assert "already runs on this cluster" in taken.stderr

    down = on_it(cluster, "down")
    assert (down.returncode, down.stdout) == (0, "supervisor 'launched' is down\n"), down.stderr
    gone = on_it(cluster, "status")
    assert gone.returncode == 1
    assert gone.stderr.startswith("error: supervisor 'launched': not on this cluster")
    kept = cluster.supervisor(
        "events", "--log", str(cluster.folder / "log.duckdb"), "--json", "select count(*) as n from tasks"
    )
    assert json.loads(kept.stdout) == {"n": done + 6}
