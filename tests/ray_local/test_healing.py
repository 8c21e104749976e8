"""Healing on a real Ray: calls that fail get their result, children get well, and who dies over it is replaced."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from actors.healer.settings import HealerSettings
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.keeping_off import keep_off
from supervisor import (
    BreakerSettings,
    ConfigError,
    Escalate,
    Fallback,
    RecoveryExhaustedError,
    Restart,
    Restore,
    Retry,
    Supervisor,
    UnknownIncidentError,
)
from supervisor.cli import healing
from tests.ray_local import ailments
from tests.ray_local.conftest import Marks, StartSupervisor
from tests.unit.notifier.sinks import Sink, http_sink

QUICK = {"verify_s": 5.0, "verify_every_s": 0.1, "on_child_given_up": "high", "record_timeout_s": 1.0}


@pytest.fixture(scope="module")
def ward(start_for_module: StartSupervisor) -> Supervisor:
    return start_for_module(healer=QUICK)


# -- sup.heal


def test_the_function_runs_here_first_and_then_elsewhere(ward: Supervisor, marks: Marks, eventually):
    ward.healer.plan("svc", [Retry(min_s=0.0, max_s=0.01)])
    assert ward.heal("svc", ailments.flaky, args=(marks.path, "a", 0)) == f"a by {os.getpid()}"
    told = ward.heal("svc", ailments.flaky, args=(marks.path, "b", 2), failure="network", severity="high")
    assert told.startswith("b by ")
    assert not told.endswith(str(os.getpid()))
    assert marks.lines() == ["a", "b", "b", "b"]
    eventually(lambda: _latest(ward, "svc").phase == "resolved", "it is well")
    incident = _latest(ward, "svc")
    assert (incident.failure, incident.severity) == ("network", "high")
    assert "secret" not in str(incident)


@pytest.mark.soak
def test_coroutines_are_healed_too(ward: Supervisor, marks: Marks):
    ward.healer.plan("asvc", [Retry(min_s=0.0, max_s=0.01)])

    async def call() -> str:
        return await ward.aheal("asvc", ailments.flaky, args=(marks.path, "c", 1))

    assert asyncio.run(call()).startswith("c by ")


def test_an_error_that_is_not_worth_another_attempt_has_none(ward: Supervisor, marks: Marks):
    ward.healer.plan("picky", [Retry(on=(OSError,), attempts=4, min_s=0.0, max_s=0.01)])
    with pytest.raises(RecoveryExhaustedError) as caught:
        ward.heal("picky", ailments.never, args=(marks.path, "p"))
    assert marks.lines() == ["p"], "it was made here, and not again"
    assert caught.value.incident is not None
    assert "FlakyError is not worth another attempt" in str(caught.value.incident.history)


@pytest.mark.soak
def test_what_nothing_helps_is_told_with_its_incident(ward: Supervisor, marks: Marks):
    ward.healer.plan("dead", [Retry(attempts=2, min_s=0.0, max_s=0.01)])
    with pytest.raises(RecoveryExhaustedError, match="supervisor heal show") as caught:
        ward.heal("dead", ailments.never, args=(marks.path, "d"))
    assert isinstance(caught.value.__cause__, ailments.FlakyError)
    assert caught.value.incident is not None
    assert caught.value.incident.phase == "escalated"
    assert marks.lines() == ["d", "d"]


@pytest.mark.soak
def test_providers_answer_and_an_earlier_result_is_the_last_resort(ward: Supervisor, marks: Marks):
    ward.healer.plan("price", [Fallback(ailments.backup)])
    assert ward.heal("price", ailments.flaky, args=(marks.path, "e", 9)) == "backup of e"
    ward.healer.plan("stale", [Fallback(ailments.never, stale_s=60.0)])
    earlier = ward.heal("stale", len, args=("four",))
    assert earlier == 4

    switch = Path(marks.path + ".off")

    def value(path: str) -> str:
        if Path(path).exists():
            raise ailments.FlakyError("off")
        return "fresh"

    assert ward.heal("stale", value, args=(str(switch),)) == "fresh"
    switch.touch()
    assert ward.heal("stale", value, args=(str(switch),)) == "fresh"


@pytest.mark.soak
def test_of_many_incidents_at_once_all_end_and_the_limit_holds(ward: Supervisor):
    ward.healer.plan("many-*", [Fallback(ailments.timed)])
    with ThreadPoolExecutor(100) as callers:
        heal = partial(ward.heal, fn=ailments.refused)
        spans = list(callers.map(lambda number: heal(f"many-{number}", args=(number,)), range(100)))
    edges = sorted([(begun, 1) for begun, _ in spans] + [(ended, -1) for _, ended in spans])
    assert max(accumulate(step for _, step in edges)) <= HealerSettings().in_flight


# -- bad input


def test_wrong_plans_and_calls_are_refused_by_name(ward: Supervisor):
    with pytest.raises(ConfigError, match="there are Retry, Fallback"):
        ward.healer.plan("x", ["restart"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="repeats"):
        Escalate(repeats=0)
    with pytest.raises(ConfigError, match="severity: 'huge' is none"):
        ward.heal("x", ailments.never, severity="huge")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="severity: 'huge' is none"):
        ward.healer.report("x", severity="huge")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="failure: 5 is no name"):
        ward.healer.dry_run("x", failure=5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="a name is needed"):
        ward.healer.hold("", reason="x")
    with pytest.raises(UnknownIncidentError, match="supervisor heal ls"):
        ward.healer.incident("nowhere")


@pytest.mark.soak
def test_an_unknown_component_is_escalated_with_the_reason(ward: Supervisor, eventually):
    ward.healer.plan("ghost", [Restart()])
    ward.healer.report("ghost", failure="crash")
    eventually(lambda: _latest(ward, "ghost").phase == "escalated", "it is escalated")
    assert "there is no supervised child of that name" in str(_latest(ward, "ghost").history)


# -- children


def test_a_child_is_restarted_and_well_by_its_own_word(ward: Supervisor, eventually):
    child = ward.supervise(ailments.Patient, name="cart")
    before = child.pid.remote().result(timeout=30)
    ward.healer.plan("cart", [Restart()])
    ward.healer.report("cart", failure="crash")
    eventually(lambda: _latest(ward, "cart").phase == "resolved", "it is well")
    assert _latest(ward, "cart").verified
    assert child.pid.remote().result(timeout=30) != before


@pytest.mark.soak
def test_a_child_takes_up_its_last_good_state(ward: Supervisor, eventually):
    child = ward.supervise(ailments.Patient, name="store", checkpoint="each_call")
    assert child.say.remote("good").result(timeout=30) == ["good"]
    ward.healer.plan("store", [Restore()])
    ward.healer.report("store", failure="spoilt")
    eventually(lambda: _latest(ward, "store").phase == "resolved", "it is well")
    assert child.heard.remote().result(timeout=30) == ["good"]
    assert [each.what for each in _latest(ward, "store").history if each.outcome] == [
        "restore: load",
        "restore: verify",
        "restore: cut_over",
    ]


@pytest.mark.soak
def test_a_function_takes_up_the_state_that_was_put_away_for_it(ward: Supervisor, eventually, tmp_path: Path):
    ward.healer.checkpoint("memory", {"facts": 1})
    ward.healer.checkpoint("memory", {"facts": 2})
    assert ward.healer.checkpointed("memory") == {"facts": 2}
    assert asyncio.run(ward.healer.acheckpointed("nothing")) is None
    restored = tmp_path / "restored"

    def apply(state: dict[str, int]) -> None:
        restored.write_text(json.dumps(state))

    ward.health.register("memory", restored.exists, interval_s=60, timeout_s=1.0)
    ward.healer.plan("memory", [Restore(apply=apply)])
    ward.healer.report("memory", failure="lost")
    eventually(lambda: _latest(ward, "memory").phase == "resolved", "it is well, by a look at it now")
    assert json.loads(restored.read_text()) == {"facts": 2}
    kept = ward.events.query("SELECT DISTINCT key FROM checkpoints WHERE key LIKE 'function/%'")
    assert kept == [{"key": "function/memory"}], "beside those of children"
    ward.health.unregister("memory")


@pytest.mark.soak
def test_a_child_that_is_given_up_is_an_incident_by_itself(ward: Supervisor, eventually, tmp_path: Path):
    mark = tmp_path / "sick"
    group = ward.group("fragile", intensity=1, period_s=60, restart="temporary")
    ward.healer.plan("fragile.*", [Escalate(repeats=1)])
    child = group.supervise(ailments.Crasher, name="one", args=(str(mark),))
    mark.touch()
    os.kill(child.pid.remote().result(timeout=30), signal.SIGKILL)
    eventually(lambda: any(each.component == "fragile.one" for each in ward.healer.incidents()), "it is seen")
    incident = _latest(ward, "fragile.one")
    assert (incident.failure, incident.source, incident.severity) == ("given up", "supervisor", "high")


# -- people


def test_nothing_heals_what_an_operator_holds(ward: Supervisor, eventually):
    child = ward.supervise(ailments.Patient, name="held")
    before = child.pid.remote().result(timeout=30)
    ward.healer.plan("held", [Restart()])
    ward.healer.hold("held", reason="upgrade", who="ann")
    ward.healer.report("held", failure="crash")
    assert ward.healer.holds()["held"] == ("ann", "upgrade")
    assert _latest(ward, "held").phase == "diagnosed"
    assert child.pid.remote().result(timeout=30) == before
    assert ward.healer.release("held")
    eventually(lambda: _latest(ward, "held").phase == "resolved", "it is healed")
    assert not ward.healer.release("held")


@pytest.mark.soak
def test_what_worked_is_remembered_shown_and_forgotten(ward: Supervisor, marks: Marks, eventually):
    ward.healer.plan("learn", [Retry(min_s=0.0, max_s=0.01)])
    ward.heal("learn", ailments.flaky, args=(marks.path, "l", 1), failure="network")
    eventually(lambda: any(each["component"] == "learn" for each in ward.healer.lessons()), "it is learned")
    (lesson,) = (each for each in ward.healer.lessons() if each["component"] == "learn")
    assert (lesson["failure"], lesson["strategy"], lesson["tries"], lesson["successes"]) == ("network", "retry", 1, 1)
    assert ward.healer.reset("learn") == 1
    assert all(each["component"] != "learn" for each in ward.healer.lessons())


@pytest.mark.soak
def test_a_dry_run_tells_what_would_be_done(ward: Supervisor):
    ward.healer.plan("dry", [Retry(), Restart()])
    choice = ward.healer.dry_run("dry")
    assert [type(each).__name__ for each in choice.strategies] == ["Restart"]
    assert "plan for component dry" in choice.why[0]


@pytest.mark.soak
def test_subscribers_hear_of_phases(ward: Supervisor, marks: Marks):
    ward.healer.plan("heard", [Retry(min_s=0.0, max_s=0.01)])
    ward.healer.statistics()
    with ward.healer.subscribe() as changes:
        ward.heal("heard", ailments.flaky, args=(marks.path, "h", 1))
        told: list[str] = []
        while not told or told[-1] != "resolved":
            change = changes.next(30.0)
            assert change is not None
            if change.component == "heard":
                told.append(change.after)
    assert told == ["detected", "diagnosed", "recovering", "verifying", "resolved"]


@pytest.mark.soak
def test_the_log_tells_how_well_it_works(ward: Supervisor, marks: Marks, eventually):
    ward.healer.plan("rated", [Retry(min_s=0.0, max_s=0.01)])
    ward.heal("rated", ailments.flaky, args=(marks.path, "r", 1), failure="network")
    sql = "SELECT strategy, incidents, success_rate FROM recovery_success_rate WHERE component = 'rated'"
    eventually(lambda: bool(ward.events.query(sql)), "it is on record")
    assert ward.events.query(sql) == [{"strategy": "retry", "incidents": 1, "success_rate": 1.0}]
    assert ward.healer.statistics().components["rated"].success_rate == 1.0


def _latest(sup: Supervisor, component: str):
    return [each for each in sup.healer.incidents() if each.component == component][-1]


# -- the shell


@pytest.mark.soak
def test_the_shell_shows_holds_and_learns(
    ward: Supervisor, marks: Marks, eventually, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(healing, "attached", lambda name, address: nullcontext(ward))

    def shell(*words: str) -> str:
        done = CliRunner().invoke(healing.heal, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    ward.healer.plan("shell", [Retry(min_s=0.0, max_s=0.01)])
    ward.heal("shell", ailments.flaky, args=(marks.path, "s", 1), failure="network")
    eventually(lambda: _latest(ward, "shell").phase == "resolved", "it is well")
    incident = _latest(ward, "shell").incident_id
    assert "shell" in shell("ls")
    assert "retry: call" in shell("show", incident)
    assert '"phase": "resolved"' in shell("ls", "--json")
    assert "held" in shell("hold", "shell", "--reason", "upgrade", "--who", "ann")
    assert "held: shell by ann: upgrade" in shell("ls", "--open")
    assert "released" in shell("release", "shell")
    assert "nobody held it" in shell("release", "shell")
    assert "plan for component shell" in shell("dry-run", "shell")
    assert "network" in shell("learn", "shell")
    assert shell("learn", "shell", "--export", str(tmp_path / "lessons.json")).startswith("1 written")
    assert "1 forgotten" in shell("learn", "shell", "--reset")
    with pytest.raises(UnknownIncidentError):
        shell("show", "nowhere")


@pytest.mark.soak
def test_who_is_kept_off_is_seen_and_readmitted(ward: Supervisor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(healing, "attached", lambda name, address: nullcontext(ward))

    def shell(*words: str) -> str:
        return CliRunner().invoke(healing.heal, list(words), catch_exceptions=False).output

    nodes = [f"{each}{'0' * 55}" for each in "ab"]  # of no cluster
    for node in (*nodes, f"a1{'0' * 54}"):
        keep_off(ward.name, node, 600.0, SYSTEM_CLOCK.wall_us())
    assert 500.0 < ward.healer.kept_off()[nodes[0]] <= 600.0
    assert f"kept off: node {nodes[1]} for " in shell("ls")
    assert json.loads(shell("ls", "--json"))["kept_off"].keys() >= set(nodes)
    with pytest.raises(ConfigError, match="give more of its id"):
        ward.healer.readmit("a")
    assert "nothing was kept off it" in shell("readmit", "c")
    assert "work goes there again" in shell("readmit", "b")
    assert [ward.healer.readmit(prefix) for prefix in ("a0", "a1", "a", "")] == [True, True, False, False]
    assert ward.healer.kept_off() == {}


def test_people_are_told_take_over_and_are_told_of_the_end(start: StartSupervisor, eventually):
    with http_sink() as sink:
        hook = {"name": "hook", "kind": "webhook", "url": sink.url}
        notifier = {"channels": [hook], "routes": [{"channels": "hook"}], "group_s": 0.0}
        sup = start(healer=QUICK, notifier=notifier)
        sup.healer.plan("db", [Escalate(repeats=3, repeat_s=1.0, runbook="https://wiki/db")])
        sup.healer.report("db", failure="crash", severity="critical", detail="no answer")
        eventually(lambda: len(sink.posted) >= 2, "people are told again")
        alert = json.loads(sink.posted[0].body)["alerts"][0]
        assert (alert["component"], alert["severity"], alert["runbook"]) == ("db", "critical", "https://wiki/db")
        incident = _latest(sup, "db")
        sup.healer.acknowledge(incident.incident_id, who="ann")
        eventually(lambda: _latest(sup, "db").phase == "escalated", "it is hers")
        assert _latest(sup, "db").owner == "ann"
        with pytest.raises(UnknownIncidentError):
            sup.healer.acknowledge("nowhere")
        key = f"{incident.incident_id}/escalated"
        words = "ann has taken it over"
        eventually(lambda: _ends(sink) == [(key, words)], "who was told is told that she has it")
        assert {told["key"] for told in _alerts(sink)} == {key}, "each time under one key"
        sup.healer.client.ask("well", "db")
        eventually(lambda: _ends(sink) == [(key, words), (key, "its component is well again")], "and of its end")


def _alerts(sink: Sink) -> list[dict[str, Any]]:
    return [alert for posted in sink.posted for alert in json.loads(posted.body)["alerts"]]


def _ends(sink: Sink) -> list[tuple[str, str]]:
    return [(each["key"], each["body"]) for each in _alerts(sink) if each["status"] == "resolved"]


@pytest.mark.soak
def test_a_breaker_that_opens_is_an_incident_until_it_closes(ward: Supervisor, eventually):
    ward.healer.plan("payments", [Escalate(repeats=1, repeat_s=0.1)])
    ward.healer.statistics()
    breaker = ward.breaker("payments")
    breaker.force_open(reason="test")
    breaker.reset(reason="test")
    settings = BreakerSettings(consecutive_failures=1, open_s=0.2, open_jitter=0)
    breaker = ward.breaker("orders", settings)
    eventually(lambda: breaker.owner_heard, "its owner is heard")
    with pytest.raises(ailments.FlakyError):
        breaker.call(_fail)
    eventually(lambda: any(each.component == "orders" for each in ward.healer.incidents()), "it is seen")
    assert (_latest(ward, "orders").failure, _latest(ward, "orders").source) == ("breaker open", "breaker")


def _fail() -> None:
    raise ailments.FlakyError("no answer")
