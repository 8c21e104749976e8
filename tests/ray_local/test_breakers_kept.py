"""Overrides, settings and waits outlive the whole cluster: two programs, each with a Ray of its own, on one log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WAIT_ROOM_S = 5.0
"""By so much an end of a wait may be off that was told by one cluster and kept by another."""

FIRST = """
import sys, time
from supervisor import BreakerSettings, CircuitOpenError, Supervisor

config = {"pools": {"default": {"size": 1, "standbys": 0}}, "log": {"path": sys.argv[1]}, "warm_processes": 0}
with Supervisor.start(config | {"standby": False}) as sup:
    ledger = sup.breaker("ledger", BreakerSettings(consecutive_failures=1, open_s=300, open_s_max=300, open_jitter=0))
    until = time.monotonic() + 60
    while not ledger.owner_heard:
        assert time.monotonic() < until
        time.sleep(0.01)
    ledger.acquire().failure()
    while sup.breakers()["ledger"].state != "open":
        assert time.monotonic() < until
        time.sleep(0.01)
    print(time.time() + ledger.retry_after_s)
    sup.breaker("payments").force_open(reason="down until Monday", who="ann")
    sup.breaker("orders", BreakerSettings(open_s=11.0)).configure(reason="slower", open_s=13.0)
    sup.breaker("defined", BreakerSettings(open_s=11.0)).shadow(reason="watch", who="bob")
"""

SECOND = """
import sys, time
from supervisor import BreakerSettings, CircuitOpenError, Supervisor

config = {"pools": {"default": {"size": 1, "standbys": 0}}, "log": {"path": sys.argv[1]}, "warm_processes": 0}
with Supervisor.start(config | {"standby": False}) as sup:
    print(sorted((each.name, each.state) for each in sup.breakers()))
    payments, orders = sup.breaker("payments"), sup.breaker("orders", BreakerSettings(open_s=11.0))
    defined = sup.breaker("defined", BreakerSettings(open_s=12.0))
    until = time.monotonic() + 60
    while (payments.state, defined.state, orders.settings.open_s) != ("forced_open", "shadow", 13.0):
        assert time.monotonic() < until, (payments.state, defined.state, orders.settings.open_s)
        time.sleep(0.01)
    print(payments.explain().why, defined.settings.open_s)
    ledger = sup.breaker("ledger")
    while ledger.state != "open":
        assert time.monotonic() < until, ledger.state
        time.sleep(0.01)
    print(time.time() + ledger.retry_after_s)
"""

SILENT = """
import os, signal, sys, time
from supervisor import Supervisor

config = {"pools": {"default": {"size": 1, "standbys": 0}}, "log": {"path": sys.argv[1]}, "warm_processes": 0}
patient = {"services": {"hang_timeout_s": 60.0}}  # else a silent log is taken for hung, and has a successor at once
with Supervisor.start(config | {"standby": False} | patient) as sup:
    log = next(child for child in sup.status().tree if child.key.startswith("event_log"))
    os.kill(log.location.process.pid, signal.SIGSTOP)
    payments, orders = sup.breaker("payments"), sup.breaker("orders")
    until = time.monotonic() + 90
    while not (payments.owner_heard and orders.owner_heard):
        assert time.monotonic() < until
        time.sleep(0.01)
    print(payments.state, "has not answered yet" in str(payments.explain()))
    os.kill(log.location.process.pid, signal.SIGCONT)
    while (payments.state, orders.settings.open_s) != ("forced_open", 13.0):
        assert time.monotonic() < until, (payments.state, orders.settings)
        time.sleep(0.01)
    print(payments.explain().why)
"""


def run(program: str, log: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    ended = subprocess.run(
        [sys.executable, "-c", program, str(log)],
        env=environment,
        cwd=log.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.soak
def test_they_are_there_again_in_another_cluster_and_code_defines_what_nobody_configured(tmp_path: Path):
    log = tmp_path / "kept.duckdb"
    (shut_until,) = run(FIRST, log).splitlines()
    told = run(SECOND, log).splitlines()
    assert told[0] == "[('defined', 'shadow'), ('ledger', 'open'), ('orders', 'closed'), ('payments', 'forced_open')]"
    assert told[1] == "force open by ann: down until Monday 12.0"
    assert abs(float(told[2]) - float(shut_until)) < WAIT_ROOM_S


@pytest.mark.soak
def test_a_log_that_is_silent_at_the_first_use_of_a_name_loses_no_override(tmp_path: Path):
    log = tmp_path / "kept.duckdb"
    run(FIRST, log)
    assert run(SILENT, log).splitlines() == ["closed True", "force open by ann: down until Monday"]
