"""One Ray for the session, supervisors on it, and a look at the processes behind them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
from ray._private import state

from actors.runtime import process
from supervisor import Group, Supervisor, launch
from supervisor.election import inventory
from supervisor.link import wait_until
from supervisor.messages import ChildView
from tests.ray_local import trials
from tests.ray_local.workload import Gate

PATIENCE_S = 30.0
"""How long a test waits for what must happen; it is over much sooner unless something is broken."""

HEARTBEAT = {"heartbeat_s": 0.2, "hang_timeout_s": 1.0}
POOL = {"size": 2, "standbys": 1, "intensity": 1000, **HEARTBEAT}

PATIENT: Any = {"tasks": {"grace_s": 2.0}}
"""On a busy machine a coroutine may need a while to notice that its time is up."""


class StartSupervisor(Protocol):
    """Start a supervisor on the session's Ray; the fixture's end shuts it down."""

    def __call__(self, *, name: str | None = None, log: Path | None = None, **changes: Any) -> Supervisor: ...


@pytest.fixture(scope="session")
def ray_session() -> Iterator[launch.Cluster]:
    cluster = launch.start_embedded()
    yield cluster
    cluster.leave()


def configuration(log: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    pools = {"default": POOL | changes.get("pool", {})}
    rest = {key: value for key, value in changes.items() if key != "pool"}
    base = {"services": HEARTBEAT, "log": {"path": str(log)}, "warm_processes": 0}
    return {"pools": pools} | base | rest


def unique_name() -> str:
    return f"t{uuid4().hex[:8]}"


@pytest.fixture
def start(ray_session: launch.Cluster, tmp_path: Path) -> Iterator[StartSupervisor]:
    with _starting(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def start_for_module(
    ray_session: launch.Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartSupervisor]:
    """As `start`, for supervisors that a module's tests share."""
    with _starting(tmp_path_factory.mktemp("logs")) as make:
        yield make


@contextmanager
def _starting(logs: Path) -> Generator[StartSupervisor]:
    with ExitStack() as started:

        def make(*, name: str | None = None, log: Path | None = None, **changes: Any) -> Supervisor:
            chosen = name or unique_name()
            made = Supervisor.start(configuration(log or logs / f"{chosen}.duckdb", changes), name=chosen)
            started.callback(made.shutdown)
            return made

        yield make


@pytest.fixture
def sup(start: StartSupervisor) -> Supervisor:
    """A supervisor of this test's own."""
    return start()


@pytest.fixture(scope="module")
def shared(start_for_module: StartSupervisor) -> Supervisor:
    """A supervisor that the module's tests share: they must leave it as they found it."""
    return start_for_module(**PATIENT)


@pytest.fixture(scope="module")
def lab(start_for_module: StartSupervisor, request: pytest.FixtureRequest) -> Supervisor:
    """A supervisor that experiments may be run on; a module says by `LAB_POOL` what is different in its pool."""
    pool = trials.POOL | getattr(request.module, "LAB_POOL", {})
    # On a fast machine more than ten services are killed in ten seconds, which no cluster bears by default.
    services = HEARTBEAT | {"intensity": 1000}
    return start_for_module(pool=pool, chaos=trials.CHAOS, services=services)


@pytest.fixture
def group(shared: Supervisor) -> Iterator[Group]:
    """A group of this test's own that bears many restarts, ended after it."""
    name = unique_name()
    made = shared.group(name, intensity=100, period_s=60)
    yield made
    shared.root.terminate(name)
    shared.root.delete(name)


def pids_of(tree: Iterable[ChildView]) -> dict[str, int]:
    """The pids of those that run, by key."""
    return {
        child.key: child.location.process.pid
        for child in tree
        if child.location is not None and child.status == "running"
    }


class Family:
    """A supervisor's actors as processes: found by key (`worker/default-0`), signalled by pid, waited for."""

    def __init__(self, sup: Supervisor) -> None:
        self.sup = sup

    def child(self, key: str) -> ChildView:
        return next(child for child in self.sup.status().tree if child.key == key)

    def pid(self, key: str) -> int:
        where = self.child(key).location
        assert where is not None, f"{key} runs nowhere"
        return where.process.pid

    def pids(self) -> dict[str, int]:
        return pids_of(self.sup.status().tree)

    def workers(self) -> dict[str, int]:
        return {key: pid for key, pid in self.pids().items() if key.startswith("worker/")}

    def leader_pid(self) -> int:
        """The pid of whoever leads now, straight from Ray's table."""
        rows: Any = state.actors()
        found = [row for row in rows.values() if row["Name"] == self.sup.status().leader and row["State"] == "ALIVE"]
        assert found, f"{self.sup.status().leader} is not alive"
        return int(found[0]["Pid"])

    def signal(self, key: str, number: signal.Signals = signal.SIGKILL) -> int:
        pid = self.pid(key)
        os.kill(pid, number)
        return pid

    def restored(self, *, after: Mapping[str, int] | None = None) -> bool:
        """Whether every child runs, and none with one of the pids in `after`."""
        tree = self.sup.status().tree
        gone = set((after or {}).values())
        return all(child.status == "running" for child in tree) and not gone & set(pids_of(tree).values())

    def living_actors(self) -> list[str]:
        return [actor.key for actor in inventory(self.sup.name) if actor.alive]


@pytest.fixture
def family(sup: Supervisor) -> Family:
    return Family(sup)


@pytest.fixture(scope="session")
def family_of() -> Callable[[Supervisor], Family]:
    return Family


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Wait for a condition; fail with `what` when it has not come true in time."""

    def wait(condition: Callable[[], bool], what: str = "the condition", within_s: float = PATIENCE_S) -> None:
        assert wait_until(condition, within_s), f"{what} did not come true within {within_s:g} s"

    return wait


@pytest.fixture(scope="session")
def is_alive() -> Callable[[int], bool]:
    """Whether a pid is a process that is no zombie."""

    def look(pid: int) -> bool:
        return process.is_alive(process.ProcessIdentity(pid, 0))

    return look


class Marks:
    """Effects that outlive the process that had them: one appended line each, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def lines(self) -> list[str]:
        try:
            return Path(self.path).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path / "marks")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate")
    yield made
    made.open()
