"""Degradation on a real cluster: read everywhere, kept over deaths, changed by rules and by hand."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from supervisor import ConfigError, DegradationHandle, DegradationSettings, LevelRule, Policy, Retry, Supervisor
from supervisor.cli.main import main
from supervisor.services.keys import DEGRADATION
from tests.ray_local.conftest import Family, StartSupervisor

FAST = {"dwell_down_s": 0.0, "dwell_up_s": 0.2}


@pytest.fixture(scope="module")
def sup(start_for_module: StartSupervisor) -> Supervisor:
    return start_for_module()


@pytest.fixture(autouse=True)
def left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of the supervisor that tests share: no features, and the level that rules ask for, which is the fullest."""
    yield
    shared = request.getfixturevalue("sup") if "sup" in request.fixturenames else None
    if shared is None:
        return
    degradation: DegradationHandle = shared.degradation
    while degradation.features:
        for name in degradation.features:
            with suppress(ConfigError):  # another one needs it still
                degradation.withdraw(name)
    degradation.set_level("full", reason="the next test")
    degradation.auto()


def read_in_worker(handle: DegradationHandle) -> tuple[str, bool, float | None]:
    return handle.level, handle.enabled("search"), handle.limit("rows")


def declare_search(handle: DegradationHandle) -> None:
    handle.feature("search", lowest="reduced", limits={"rows": {"full": 100, "reduced": 10}})


def test_every_process_reads_it_and_it_costs_no_actor_until_it_is_used(sup: Supervisor, family: Family):
    degradation = sup.degradation
    assert degradation.level == "full"
    with pytest.raises(ConfigError, match="not declared"):
        degradation.enabled("search")
    assert sup.status().level is None
    assert DEGRADATION not in family.pids()
    declare_search(degradation)
    degradation.feature("suggestions", needs="search", rollout=0)
    degradation.set_tenant("suggestions", "acme", True)
    assert (degradation.enabled("search"), degradation.enabled("suggestions", tenant="acme")) == (True, True)
    assert not degradation.enabled("suggestions", tenant="other")
    assert sup.submit(read_in_worker, degradation).result(timeout=30) == ("full", True, 100)
    degradation.set_level("minimal", reason="a drill", who="ann")
    assert sup.submit(read_in_worker, degradation).result(timeout=30) == ("minimal", False, 10)
    assert degradation.why("suggestions", tenant="acme") == ("needs", "search")
    assert sup.status().level == "minimal"


def test_bad_input_is_named_and_changes_nothing(sup: Supervisor):
    degradation = sup.degradation
    degradation.feature("a")
    degradation.feature("b", needs="a")
    for wrong, name in [
        (lambda: degradation.feature("c", lowest="tiny"), "'tiny' is not one of full, reduced"),
        (lambda: degradation.feature("c", needs="nobody"), "'nobody' is no feature yet"),
        (lambda: degradation.feature("a", needs="b"), "is a ring"),
        (lambda: degradation.feature("c", rollout=101), "rollout"),
        (lambda: degradation.feature("c", colour="red"), "colour: unknown key"),
        (lambda: degradation.withdraw("a"), "b needs it"),
        (lambda: degradation.set_tenant("nobody", "acme", True), "'nobody' is not declared"),
        (lambda: degradation.set_level("tiny", reason="x"), "'tiny' is not one of"),
        (lambda: degradation.set_level("minimal", reason="x", until_s=-1.0), "until_s"),
        (lambda: degradation.set_level("minimal", reason=""), "reason"),
        (lambda: degradation.enabled("nobody"), "there are: a, b"),
        (lambda: degradation.limit("nobody"), "not declared"),
    ]:
        with pytest.raises(ConfigError, match=name):
            wrong()
    assert (degradation.level, degradation.features) == ("full", ("a", "b"))


@pytest.mark.soak
def test_it_survives_its_owner_which_is_killed_over_and_over(sup: Supervisor, family: Family, eventually):
    degradation = sup.degradation
    declare_search(degradation)
    degradation.set_level("reduced", reason="a drill", who="ann", until_s=600.0)
    for number in range(3):
        killed = family.signal(DEGRADATION)
        assert (degradation.level, degradation.enabled("search"), degradation.limit("rows")) == ("reduced", True, 10)
        degradation.feature(f"f{number}")  # its next life is waited for
        assert family.pid(DEGRADATION) != killed
        assert (degradation.level, degradation.enabled("search")) == ("reduced", True)
    kept = degradation.view().kept
    assert kept.override is not None
    assert kept.override.until_s is not None
    assert kept.override.until_s < 600.0
    assert [feature.name for feature in kept.features] == ["search", "f0", "f1", "f2"]
    statistics = degradation.statistics()
    assert (statistics.changes > 0, statistics.level_s["reduced"] > 0) == (True, True)


def test_every_acknowledged_level_holds_though_its_owner_is_killed_in_the_middle(sup: Supervisor, family: Family):
    degradation = sup.degradation
    degradation.feature("search")
    for number in range(3):
        pid = family.pid(DEGRADATION)
        killer = threading.Timer(0.01 * number, os.kill, (pid, signal.SIGKILL))
        killer.start()
        levels = ["minimal", "reduced"]
        while killer.is_alive() or family.pids().get(DEGRADATION, pid) == pid:
            degradation.set_level(levels[0], reason="a drill")
            assert degradation.level == levels[0]
            levels.reverse()
        assert degradation.view().kept.level == levels[1]


@pytest.mark.soak
def test_reading_survives_the_loss_of_every_actor(sup: Supervisor, family: Family):
    degradation = sup.degradation
    declare_search(degradation)
    degradation.set_level("minimal", reason="a drill")
    pids = [pid for key, pid in family.pids().items() if key.startswith(("degradation/", "node_agent/"))]
    pids.append(family.leader_pid())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(1000):
            assert not degradation.enabled("search")
        assert (degradation.level, degradation.limit("rows")) == ("minimal", 10)
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue  # a follower took its silence for what it was


def test_who_subscribes_is_told_what_changed_and_why(sup: Supervisor, family: Family):
    degradation = sup.degradation
    before = sup.events.query("SELECT coalesce(max(ingest_id), 0) AS latest FROM degradation_state")[0]["latest"]
    with degradation.subscribe() as changes:
        declare_search(degradation)
        degradation.set_level("minimal", reason="a drill", who="ann")
        family.signal(DEGRADATION)
        degradation.auto(who="bob", reason="over")

        async def rest() -> list[str]:
            await degradation.aset_level("emergency", reason="again", who="ann")
            return [(await anext(changes)).kind for _ in range(5)]

        assert asyncio.run(rest()) == ["declared", "override", "recovered", "auto", "override"]
    assert changes.missed == 0
    history = sup.events.query(
        "SELECT level, cause, who, detail, switched_off FROM degradation_state WHERE ingest_id > ? ORDER BY ingest_id",
        [before],
    )
    assert [(row["level"], row["cause"], row["who"]) for row in history] == [
        ("minimal", "override", "ann"),
        ("minimal", "recovered", None),
        ("minimal", "auto", "bob"),
        ("emergency", "override", "ann"),
    ]
    assert (history[0]["detail"], history[0]["switched_off"]) == ("ann: a drill", '["search"]')


@pytest.mark.soak
def test_an_override_ends_with_its_time_and_the_rules_decide_again(start: StartSupervisor, eventually):
    sup = start(degradation={"dwell_up_s": 0.1})
    sup.degradation.set_level("minimal", reason="a drill", until_s=0.5)
    assert sup.degradation.level == "minimal"
    eventually(lambda: sup.degradation.level == "full", "the level comes back, step by step")


def test_rules_follow_breakers_scores_and_queues(start: StartSupervisor, eventually, tmp_path: Path):
    rules = [
        LevelRule(level="reduced", signal="breaker_openness", of="db", enter=1, leave=0),
        LevelRule(level="minimal", signal="system_score", enter=50, leave=70),
        LevelRule(level="emergency", signal="queue_pressure", enter=0.9, leave=0.1, at_once=True),
    ]
    settings = DegradationSettings.parse({"rules": rules, **FAST}, source="test")
    sup = start(degradation=settings, tasks={"queue_limit": 10})
    degradation = sup.degradation
    sup.breaker("db").force_open(reason="a drill")
    eventually(lambda: degradation.level == "reduced", "the breaker degrades")
    assert degradation.reason == "breaker_openness of db at 1 asks for reduced"
    owner = sup.service(DEGRADATION)
    owner.ask("observe", "health", {("system_score", ""): 40.0})
    eventually(lambda: degradation.level == "minimal", "the score degrades further")
    owner.ask("observe", "health", {("system_score", ""): 90.0})
    sup.breaker("db").reset(reason="over")
    eventually(lambda: degradation.level == "full", "it recovers")
    mark = tmp_path / "go"
    waiting = [sup.submit(wait_for, str(mark)) for _ in range(10)]
    eventually(lambda: degradation.level == "emergency", "the queue is full")
    mark.touch()
    assert all(each.result(timeout=30) for each in waiting)
    eventually(lambda: degradation.level == "full", "it is empty again")
    assert degradation.statistics().recoveries == 2


def wait_for(mark: str) -> bool:
    import time  # noqa: PLC0415 - it runs in a worker

    until = time.monotonic() + 60
    while not os.path.exists(mark) and time.monotonic() < until:
        time.sleep(0.01)
    return True


def fail() -> None:
    raise ValueError("on purpose")


@pytest.mark.soak
def test_a_budget_that_burns_degrades(start: StartSupervisor, eventually):
    rule = LevelRule(level="reduced", signal="budget_burn", enter=10, leave=1)
    budget = {"objective": 0.9, "tasks_min": 5, "every_s": 0.1}
    sup = start(degradation=DegradationSettings.parse({"rules": [rule], "budget": budget, **FAST}, source="test"))
    failed = [sup.options(policy=Policy(retry=Retry(attempts=1))).submit(fail) for _ in range(6)]
    assert all(isinstance(each.exception(timeout=30), ValueError) for each in failed)
    eventually(lambda: sup.degradation.level == "reduced", "the budget burns")


@pytest.mark.soak
def test_the_command_shows_and_sets(sup: Supervisor):
    def run(*arguments: str, code: int = 0) -> str:
        ended = CliRunner().invoke(main, ["degradation", *arguments, "--name", sup.name], env={"COLUMNS": "120"})
        assert ended.exit_code == code, ended.output
        return ended.output

    sup.degradation.feature("search", lowest="full", limits={"rows": {"full": 9, "reduced": 3}})
    assert "level full of full, reduced, minimal, emergency" in run("show")
    assert run("set-level", "reduced", "--reason", "a drill", "--who", "ann", "--until-s", "600") == (
        "level reduced, for 600 s more\n"
    )
    shown = run("show")
    assert all(text in shown for text in ("ann: a drill", "search", "the level", "full -> reduced", "rows"))
    assert json.loads(run("show", "--json"))["override"]["who"] == "ann"
    run("tenant", "search", "acme", "on")
    assert "'tiny' is not one of" in run("set-level", "tiny", "--reason", "x", code=1)
    assert "until_s" in run("set-level", "minimal", "--reason", "x", "--until-s", "-1", code=1)
    assert "the rules decide" in run("auto")
    told = CliRunner().invoke(main, ["status", "--name", sup.name], env={"COLUMNS": "120"}).output
    assert "level reduced" in told


def test_a_handle_pickles(sup: Supervisor):
    degradation = sup.degradation
    arrived = pickle.loads(pickle.dumps(degradation))
    assert repr(arrived) == repr(degradation), "with its first use it is this process's own"
    assert arrived.client is degradation.client
    assert repr(degradation) == "<degradation: full>"


FIRST = """
import sys
from supervisor import Supervisor

config = {"pools": {"default": {"size": 1, "standbys": 0}}, "log": {"path": sys.argv[1]}, "warm_processes": 0}
with Supervisor.start(config | {"standby": False}) as sup:
    sup.degradation.feature("search", lowest="reduced")
    sup.degradation.feature("chat", needs=["search"], rollout=0)
    sup.degradation.set_tenant("chat", "acme", True)
    sup.degradation.set_level("minimal", reason="until Monday", who="ann")
"""

SECOND = """
import sys
from supervisor import Supervisor

config = {"pools": {"default": {"size": 1, "standbys": 0}}, "log": {"path": sys.argv[1]}, "warm_processes": 0}
with Supervisor.start(config | {"standby": False}) as sup:
    degradation = sup.degradation
    degradation.feature("search", lowest="reduced")
    print(degradation.level, degradation.reason, degradation.enabled("search"))
    degradation.auto()
    degradation.set_level("full", reason="over")
    print(degradation.enabled("search"), degradation.enabled("chat", tenant="acme"), degradation.enabled("chat"))
    print(sup.events.query("from active_degradation")[0]["overridden_by"] is not None)
    print(sup.events.query("select feature, enabled from feature_flags order by feature"))
    print(sup.events.query("select feature, needs from feature_dependencies"))
"""


def run(program: str, log: Path) -> list[str]:
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
    return ended.stdout.splitlines()


@pytest.mark.soak
def test_level_and_features_outlive_the_whole_cluster(tmp_path: Path):
    log = tmp_path / "kept.duckdb"
    run(FIRST, log)
    assert run(SECOND, log) == [
        "minimal ann: until Monday False",
        "True True False",
        "True",
        "[{'feature': 'chat', 'enabled': True}, {'feature': 'search', 'enabled': True}]",
        "[{'feature': 'chat', 'needs': 'search'}]",
    ]
