"""The whole path as a user walks it: `supervisor demo` as a process, under kills, interrupted, and killed itself."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import supervisor_command

MARK = "SUPERVISOR_TEST_RUN"

START_TIMEOUT_S = 60.0
GONE_TIMEOUT_S = 10.0

ORPHANS_GONE_TIMEOUT_S = 45.0
"""Actors end within seconds; a worker that Ray was just starting, after 25."""

RAY_AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
RAY_AGENTS_GONE_TIMEOUT_S = 90.0
"""Ray's two agents notice at once that their raylet is gone, and then try for 60 s to tell a GCS that is gone, too."""


@dataclass(frozen=True)
class Demo:
    """A running demo; whatever it starts inherits its mark, so that all of it can be found, in whatever session."""

    process: subprocess.Popen[bytes]
    folder: Path
    mark: str

    def output(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    def processes(self) -> list[str]:
        """The living processes of this run."""
        return [name for pid in _pids() if (name := _marked(pid, self.mark)) is not None]

    def signal(self, number: signal.Signals) -> None:
        """As users do it: Ctrl-C goes to the whole process group, `kill` to the one process."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def await_output(self, pattern: str) -> None:
        wait_for(
            lambda: re.search(pattern, self.output()) is not None or self.process.poll() is not None, START_TIMEOUT_S
        )
        assert re.search(pattern, self.output()), self.output()


@pytest.fixture
def start() -> Iterator[Callable[..., Demo]]:
    # A short path: Ray's sockets lie below it, and a socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="d-", dir="/tmp"))
    (folder / "tmp").mkdir()
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        mark = uuid.uuid4().hex
        environment = os.environ | {MARK: mark, "TMPDIR": str(folder / "tmp"), "COLUMNS": "120"}
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(
                [*supervisor_command(), "demo", *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        started.append(Demo(process, folder, mark))
        return started[-1]

    yield begin
    for demo in started:
        for pid in [pid for pid in _pids() if _marked(pid, demo.mark) is not None]:
            os.kill(pid, signal.SIGKILL)
        demo.process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Callable[[], bool], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _marked(pid: int, mark: str) -> str | None:
    """The command of a process whose environment holds the mark; a zombie has neither."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return f"{pid} {command.strip()}" if f"{MARK}={mark}".encode() in environment.split(b"\0") else None


def ask(demo: Demo, *arguments: str) -> str:
    done = subprocess.run(
        [*supervisor_command(), *arguments], capture_output=True, text=True, timeout=60, cwd=demo.folder, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.soak  # `.ci/run` runs the demo itself
@pytest.mark.timeout(180)
def test_nothing_is_lost_and_nothing_is_doubled(start):
    demo = start("--tasks", "200", "--seed", "3", "--log", "demo.duckdb")
    status = demo.process.wait(150)
    output = demo.output()
    assert status == 0, output
    facts = dict(re.findall(r"^  (accepted|done|failed|retried|lost|doubled|requests|log) +(.+)$", output, re.M))
    assert facts["accepted"] == "200"
    assert (facts["lost"], facts["doubled"]) == ("0", "0")
    assert int(facts["done"]) + int(facts["failed"].split()[0]) == 200
    assert int(facts["retried"].split()[0]) > 0
    assert int(facts["requests"].split()[0]) > 200
    assert "suppressed duplicates" in facts["requests"]
    assert facts["log"].startswith("agrees")
    kills = dict(re.findall(r"^ (worker|hung worker|log writer|supervisor|all) +(\d+) +\d", output, re.M))
    assert kills == {"worker": "2", "hung worker": "1", "log writer": "1", "supervisor": "1", "all": "5"}
    assert "attempt 2" in output
    assert "kept: every accepted key ended" in output
    wait_for(lambda: demo.processes() == [], GONE_TIMEOUT_S)
    assert demo.processes() == []
    assert list((demo.folder / "tmp").iterdir()) == []
    trace = re.search(r"supervisor trace (\w+) --log (\S+)$", output, re.M)
    assert trace is not None, output
    assert "attempt 1" in ask(demo, "trace", trace[1], "--log", trace[2])
    counted = ask(demo, "events", "select count(distinct key) as keys from tasks", "--log", trace[2], "--json")
    assert counted.strip() == '{"keys": 200}'


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.soak)],
)
def test_an_interrupted_demo_leaves_nothing_behind(start, number: signal.Signals, code: int):
    demo = start("--tasks", "2000", "--seed", "3")
    demo.await_output(r"killed \(SIGKILL\)")
    assert len(demo.processes()) > 6
    demo.signal(number)
    assert demo.process.wait(60) == code, demo.output()
    wait_for(lambda: demo.processes() == [], GONE_TIMEOUT_S)
    assert demo.processes() == []
    assert list((demo.folder / "tmp").iterdir()) == []


@pytest.mark.soak
@pytest.mark.timeout(240)
@pytest.mark.parametrize("moment", [r"ready after", r"stopped \(SIGSTOP\)"])
def test_all_of_a_killed_demo_ends_by_itself(start, moment: str):
    """Not even a process that is stopped when its demo is killed stays behind."""
    demo = start("--tasks", "400", "--seed", "3")
    demo.await_output(moment)
    demo.signal(signal.SIGKILL)
    demo.process.wait()
    wait_for(lambda: ours(demo) == [], ORPHANS_GONE_TIMEOUT_S)
    assert ours(demo) == []
    wait_for(lambda: demo.processes() == [], RAY_AGENTS_GONE_TIMEOUT_S)
    assert demo.processes() == []


def ours(demo: Demo) -> list[str]:
    return [name for name in demo.processes() if not name.endswith(RAY_AGENTS)]


@pytest.mark.timeout(60)
def test_a_log_that_cannot_be_used_is_said_at_once(start):
    demo = start("--tasks", "10", "--log", "/proc/demo.duckdb")
    assert demo.process.wait(40) == 1
    assert re.search(r"^error: event log /proc/demo.duckdb: ", demo.output(), re.M), demo.output()
    wait_for(lambda: demo.processes() == [], GONE_TIMEOUT_S)
    assert demo.processes() == []
