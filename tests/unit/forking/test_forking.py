"""A forked worker is one that was started, whoever of those that start it is killed, stopped or of another kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.forking import SWITCH_OFF, forked_workers, shim
from tests.unit.forking import told

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)
    return found


class Node:
    """A process in a raylet's place, and workers that are started as it would."""

    def __init__(self, folder: Path, loads: str) -> None:
        self.folder = folder
        self.raylet = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        self.environment = {
            **os.environ,
            "RAY_RAYLET_PID": str(self.raylet.pid),
            "RAY_JOB_ID": "01000000",
            "RAY_SUPERVISOR_FORK_LOADS": loads,
            "PYTHONPATH": str(ROOT),
        }
        self.socket = folder / f"fork-{self.raylet.pid}-01000000.sock"
        self._number = 0

    def start(self, *last: str, **variables: str) -> dict[str, Any]:
        """Start a worker; what it tells of itself."""
        self._number += 1
        to = self.folder / f"told-{self._number}"
        argv = [told.__file__, f"--temp-dir={self.folder}", f"--to={to}", "--language=PYTHON", *last]
        with (self.folder / f"said-{self._number}").open("wb") as output:
            done = subprocess.run(
                [sys.executable, shim.__file__, *argv],
                stdout=output,
                cwd=self.folder,
                env={**self.environment, "A_VARIABLE": f"of {self._number}", **variables},
                check=False,
            )
        assert done.returncode == 0
        found = json.loads(until(lambda: to.exists() and to.read_text(encoding="utf-8")))
        assert until((self.folder / f"said-{self._number}").read_text) == "said\n"
        assert found["variable"] == f"of {self._number}"
        return found

    def served(self) -> None:
        """Until the server listens; it begins with the first worker."""
        until(self.socket.exists)

    def server(self) -> int:
        """The pid of the server, which leads its session; what it has forked has its name still. 0: there is none."""
        found = [
            pid
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if b"forking/server.py" in (line := _line(path)) and str(self.folder).encode() in line
            if (pid := int(path.parent.name)) == _session(pid)
        ]
        assert len(found) <= 1, "a second server"
        return found[0] if found else 0

    def end(self) -> None:
        self.raylet.kill()
        self.raylet.wait()
        until(lambda: not self.server())


def _session(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def _line(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


@pytest.fixture
def node_that_loads(tmp_path: Path) -> Iterator[Callable[[str], Node]]:
    made: list[Node] = []

    def make(loads: str) -> Node:
        made.append(Node(tmp_path, loads))
        return made[-1]

    yield make
    for node in made:
        node.end()


@pytest.fixture
def node(node_that_loads: Callable[[str], Node]) -> Node:
    return node_that_loads("actors.runtime.ids,no.such.module")


def test_a_forked_worker_is_like_one_that_was_started(node: Node) -> None:
    started = node.start()
    assert (started["pid"] == started["parent"], started["modules"]) == (False, [])
    node.served()
    forked = [node.start() for _ in range(3)]
    for one in forked:
        assert one["parent"] == node.server()
        assert one["group"] == one["pid"]
        assert "actors.runtime.ids" in one["modules"]
        for same in ("path", "name", "file", "folder", "open"):
            assert one[same] == started[same], same
        assert one["argv"][:2] == started["argv"][:2] == [told.__file__, f"--temp-dir={node.folder}"]
    assert len({one["drawn"] for one in (started, *forked)}) == 4, "two workers draw the same ids"


def test_one_that_needs_another_environment_or_a_runtime_environment_is_started(node: Node) -> None:
    node.start()
    node.served()
    for variables in ({"RAY_BACKEND_LOG_LEVEL": "debug"}, {"PYTHONHASHSEED": "1"}, {"LD_PRELOAD": ""}):
        assert node.start(**variables)["modules"] == [], variables
    setup = Path(told.__file__).with_name("setup_worker.py")
    setup.write_text("import os, sys\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n", encoding="utf-8")
    try:
        context = '--serialized-runtime-env-context={"env_vars": {}}'
        assert node.start(context)["argv"][-2:] == ["--language=PYTHON", context]
    finally:
        setup.unlink()
    assert node.start()["parent"] == node.server()


def test_without_its_server_a_worker_is_started_and_the_next_server_too(node: Node) -> None:
    node.start()
    node.served()
    os.kill(node.server(), signal.SIGKILL)
    until(lambda: not node.server())
    assert node.start()["modules"] == []
    node.served()
    until(lambda: node.start()["parent"] == node.server())


def test_a_server_that_is_stopped_is_not_waited_for_and_starts_no_second_worker(node: Node) -> None:
    node.start()
    node.served()
    os.kill(node.server(), signal.SIGSTOP)
    alone = node.start()
    assert alone["modules"] == []
    os.kill(node.server(), signal.SIGCONT)
    assert node.start()["parent"] == node.server()
    again = json.loads((node.folder / "told-2").read_text(encoding="utf-8"))
    assert again["pid"] == alone["pid"], "it was started twice"


@pytest.mark.parametrize("loads", ["begins_a_thread", "draws_an_id"])
def test_nothing_is_forked_once_that_would_be_wrong(node_that_loads: Callable[[str], Node], loads: str) -> None:
    node = node_that_loads(f"tests.unit.forking.{loads}")
    node.start()
    until(node.socket.with_suffix(".off").exists)
    until(lambda: not node.server())
    assert node.start()["modules"] == []
    assert not node.socket.exists()
    assert not node.server()


def test_the_server_ends_with_its_raylet(node: Node) -> None:
    node.start()
    node.served()
    node.raylet.kill()
    node.raylet.wait()
    until(lambda: not node.server() and not node.socket.exists())


def test_other_languages_and_nodes_that_are_none_are_left_to_ray(node: Node) -> None:
    assert node.start(RAY_JOB_ID="ffffffff")["modules"] == []
    assert node.start(RAY_RAYLET_PID="")["modules"] == []
    assert not node.socket.with_suffix(".lock").exists()


def test_it_is_switched_for_a_while_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray._private import ray_constants  # noqa: PLC0415 - private, as in `switch`

    before = ray_constants.SETUP_WORKER_FILENAME
    with forked_workers(["a", "b"]) as switched:
        assert switched
        assert Path(ray_constants.SETUP_WORKER_FILENAME).samefile(shim.__file__)
        assert os.environ["RAY_SUPERVISOR_FORK_LOADS"] == "a,b"
    assert before == ray_constants.SETUP_WORKER_FILENAME
    assert "RAY_SUPERVISOR_FORK_LOADS" not in os.environ
    monkeypatch.setenv(SWITCH_OFF, "1")
    with forked_workers() as switched:
        assert not switched
        assert before == ray_constants.SETUP_WORKER_FILENAME
