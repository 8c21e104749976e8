"""The upstream as a process: it bears a load, keeps its books under it, and ends with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.demo import upstream_process
from experiments.demo.charge import PaymentRejected, UpstreamUnavailable, charge
from experiments.demo.schedule import outcome
from experiments.demo.upstream_process import UpstreamProcess
from experiments.demo.verdict import Ending, Failed, Paid, judge

SEED = 7
ENDS_WITHIN_S = 5.0


def ended_within(pid: int, limit_s: float) -> bool:
    """Whether the process is gone or a zombie before the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def charge_until_it_ends(url: str, key: str, attempts: int) -> Ending:
    """What a task with retries makes of a key."""
    for attempt in range(attempts):
        try:
            return Paid(charge(url, 100, key)["receipt"])
        except PaymentRejected as error:
            return Failed.of(error)
        except (UpstreamUnavailable, ConnectionError) as error:
            if attempt == attempts - 1:
                return Failed.of(error)
    raise AssertionError("unreachable")


def test_concurrent_clients_with_retries_end_in_an_honest_verdict():
    """Each key is charged by two clients at once, with few attempts, so that all kinds of endings occur."""
    keys = [f"load-{number}" for number in range(150)]
    with UpstreamProcess(SEED) as upstream, ThreadPoolExecutor(24) as pool:
        twice = list(pool.map(lambda key: charge_until_it_ends(upstream.url, key, 3), keys * 2))
        report = upstream.report()
    endings = dict(zip(keys, twice, strict=False))
    paid = {key for key, ending in endings.items() if isinstance(ending, Paid)}
    verdict = judge(submitted=paid, endings={key: endings[key] for key in paid}, report=report)
    assert verdict.doubled == verdict.invented_successes == ()
    assert report["effects"] == len([key for key, book in report["keys"].items() if book["effects"] == 1])
    assert report["suppressed_duplicates"] > 0
    assert set(report["rejected"]) == {key for key in keys if outcome(SEED, key, 1).kind == "rejected"}


def test_one_client_per_key_makes_an_honest_run_with_failures():
    keys = [f"single-{number}" for number in range(150)]
    with UpstreamProcess(SEED) as upstream, ThreadPoolExecutor(24) as pool:
        endings = dict(zip(keys, pool.map(lambda key: charge_until_it_ends(upstream.url, key, 1), keys), strict=True))
        verdict = judge(submitted=keys, endings=endings, report=upstream.report())
    assert verdict.problems == ()
    assert verdict.failed > 0


def test_two_upstreams_with_one_seed_keep_the_same_books():
    def books() -> object:
        with UpstreamProcess(SEED) as upstream:
            for number in range(8):
                charge_until_it_ends(upstream.url, f"same-{number}", 2)
            return upstream.report()

    assert books() == books()


def test_it_ends_when_its_stdin_does():
    upstream = UpstreamProcess(SEED)
    upstream._stdin.close()
    assert upstream._process.wait(ENDS_WITHIN_S) == 0
    upstream.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_quietly_on_a_signal(number):
    upstream = UpstreamProcess(SEED)
    os.kill(upstream.pid, number)
    assert upstream._process.wait(ENDS_WITHIN_S) == 0
    upstream.stop()


def test_it_ends_in_the_middle_of_requests():
    with UpstreamProcess(SEED) as upstream, ThreadPoolExecutor(8) as pool:
        slow = [key for key in map(str, range(1000)) if outcome(SEED, key, 1).delay_s > 0.3][:8]
        answers = [pool.submit(charge, upstream.url, 100, key) for key in slow]
        deadline = time.monotonic() + ENDS_WITHIN_S
        while upstream.report()["slow"] < len(slow) and time.monotonic() < deadline:
            time.sleep(0.005)
        upstream.stop()
        assert all(isinstance(answer.exception(ENDS_WITHIN_S), ConnectionError | None) for answer in answers)


def test_it_does_not_outlive_a_parent_that_was_killed():
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time; from experiments.demo.upstream_process import UpstreamProcess;"
            "print(UpstreamProcess(7).pid, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(upstream_process.__file__).parents[2],
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ended_within(pid, ENDS_WITHIN_S)


def test_stopping_twice_does_nothing():
    upstream = UpstreamProcess(SEED)
    upstream.stop()
    upstream.stop()
    assert ended_within(upstream.pid, ENDS_WITHIN_S)


def test_a_hung_one_is_killed(monkeypatch):
    monkeypatch.setattr(upstream_process, "STOP_TIMEOUT_S", 0.2)
    upstream = UpstreamProcess(SEED)
    os.kill(upstream.pid, signal.SIGSTOP)
    upstream.stop()
    assert upstream._process.returncode == -signal.SIGKILL


def test_one_that_does_not_start_says_how_to_see_why(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match=r"did not start .* run `/bin/false .*upstream"):
        UpstreamProcess(SEED)
