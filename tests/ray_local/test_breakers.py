"""One breaker in every process: agreement, probes, deaths of owners and of callers, people's hands."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from click.testing import CliRunner

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.permit import Permit
from actors.breaker.settings import BreakerSettings
from actors.runtime.errors import ConfigError
from supervisor import Fallback, Policy, Retry, Supervisor, TaskTimeoutError
from supervisor.breakers.collection import UnknownBreakerError
from supervisor.breakers.homes import SHARDS
from supervisor.cli.main import main
from tests.ray_local.breaker_crew import (
    EAGER,
    PROCESSES,
    SETTINGS,
    add,
    besieged,
    cached,
    crew_of,
    hang,
    owner_events,
    owner_of,
    owner_pid,
    shared_name,
    states,
)
from tests.ray_local.conftest import HEARTBEAT, unique_name
from tests.ray_local.wards import Ward
from tests.ray_local.workload import wait_for_file


@pytest.fixture(scope="module")
def sup(ray_session, tmp_path_factory) -> Iterator[Supervisor]:
    """With few actors of breakers' own, so that most tests meet those that are shared."""
    config = {
        "pools": {"default": {"size": 1, "standbys": 0, **HEARTBEAT}},
        "services": HEARTBEAT,
        "log": {"path": str(tmp_path_factory.mktemp("log") / "events.duckdb")},
        "warm_processes": 1,
        "standby": False,
        "breaker_actors_max": 1,
    }
    made = Supervisor.start(config, name=unique_name())
    for first in ("own", shared_name()):  # their owners start while the crew does
        made.breaker(first, SETTINGS)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def processes(sup) -> Iterator[list[Any]]:
    made = crew_of(PROCESSES + 1)
    yield made
    for caller in made:
        ray.kill(caller)


@pytest.fixture(scope="module")
def crew(processes) -> list[Any]:
    return processes[:PROCESSES]


@pytest.fixture(scope="module")
def victim(processes) -> Any:
    """One more process, which may be killed."""
    return processes[PROCESSES]


@pytest.fixture
def name() -> str:
    return shared_name()


@pytest.fixture
def everywhere(sup, crew, eventually, name) -> Callable[[BreakerSettings], BreakerHandle]:
    """A breaker whose owner is heard in every process of the crew."""

    def make(settings: BreakerSettings, called: str = name) -> BreakerHandle:
        made = sup.breaker(called, settings)
        eventually(lambda: made.owner_heard, "the owner answering here", 60.0)
        heard = [each.hears.remote for each in crew]
        eventually(lambda: all(ray.get([hears([made]) for hears in heard])), "the owner heard everywhere", 60.0)
        return made

    return make


def test_failures_of_all_processes_open_it_in_all_and_none_is_lost(sup, crew, everywhere, eventually, name):
    breaker = everywhere(SETTINGS)
    ended = ray.get([caller.fail.remote([breaker], 4) for caller in crew])
    assert ended == [["failed"] * 4] * PROCESSES
    eventually(lambda: sup.breakers()[name].view.totals.failures == 4 * PROCESSES, "every failure being counted")
    assert breaker.state == "closed"
    ray.get([caller.fail.remote([breaker], 1) for caller in crew])
    eventually(lambda: states(crew, breaker) == {"open"}, "the breaker being open everywhere")
    assert ray.get(crew[0].succeed.remote([breaker])) == ["refused"]


def test_with_a_quorum_a_process_that_opens_itself_is_alone_and_the_second_opens_all(
    sup, crew, everywhere, eventually, name
):
    breaker = everywhere(BreakerSettings(consecutive_failures=2, quorum=2, open_s=30.0))
    assert ray.get(crew[0].fail.remote([breaker], 3)) == ["failed", "failed", "refused"]
    eventually(lambda: len(sup.breakers()[name].view.voters) == 1, "its vote being heard")
    assert ray.get([caller.state.remote([breaker]) for caller in crew]) == ["open", *["closed"] * (PROCESSES - 1)]
    assert sup.breakers()[name].state == "closed"
    ray.get(crew[1].fail.remote([breaker], 2))
    eventually(lambda: states(crew, breaker) == {"open"}, "it being open everywhere")
    assert sup.breakers()[name].view.opened_by.kind == "agreed"


def test_processes_of_one_node_are_no_quorum_of_two_nodes_and_all_is_told(sup, crew, everywhere, eventually, name):
    breaker = everywhere(BreakerSettings(consecutive_failures=2, quorum=2, quorum_of="nodes", open_s=30.0))
    ray.get([caller.fail.remote([breaker], 2) for caller in crew[:3]])
    eventually(lambda: len(sup.breakers()[name].view.voters) == 3, "their votes being heard")
    assert breaker.state == "closed"
    shown = CliRunner().invoke(main, ["breaker", "show", name, "--name", sup.name]).output
    told = (str(breaker.metrics().votes), str(breaker.explain()), shown)
    assert ["1 of 1 nodes says open, 2 are needed" in each for each in told] == [True] * 3
    breaker.configure(quorum=1, reason="one node is enough")
    ray.get(crew[3].fail.remote([breaker], 2))
    eventually(lambda: states(crew, breaker) == {"open"}, "one node opening it everywhere")


def test_a_subscriber_in_another_process_sees_it_open_half_open_and_closed(crew, everywhere, eventually):
    breaker = everywhere(EAGER.model_copy(update={"half_open_permits": 1, "open_s": 2.0}))
    ray.get(crew[1].watch.remote([breaker]))
    ray.get(crew[0].fail.remote([breaker], 2))
    eventually(lambda: ray.get(crew[1].saw.remote()) == ["open", "half_open"], "it being half-open")
    assert ray.get(crew[0].succeed.remote([breaker])) == ["succeeded"]
    eventually(lambda: ray.get(crew[1].saw.remote()) == ["open", "half_open", "closed"], "it being closed")


def test_no_more_probes_than_permits_run_at_a_time_in_the_whole_cluster(crew, everywhere, eventually, marks):
    besieged(crew, everywhere(EAGER), marks, eventually)


@pytest.mark.soak
def test_nor_do_they_with_eight_processes(crew, everywhere, eventually, marks):
    breaker, more = everywhere(EAGER), crew_of(4)
    eventually(lambda: all(ray.get([each.hears.remote([breaker]) for each in more])), "the owner heard by all eight")
    besieged([*crew, *more], breaker, marks, eventually)
    for caller in more:
        ray.kill(caller)


def test_a_permit_of_a_killed_process_is_free_within_its_lease(victim, everywhere, eventually, name):
    breaker = everywhere(EAGER.model_copy(update={"half_open_permits": 1, "permit_lease_s": 10.0}))
    eventually(lambda: ray.get(victim.hears.remote([breaker])), "the owner heard by it")
    ray.get(victim.fail.remote([breaker], 2))
    eventually(lambda: breaker.state == "half_open", "it being half-open")
    eventually(lambda: bool(ray.get(victim.hold.remote([breaker]))), "a permit")
    assert breaker.try_acquire() is None
    os.kill(ray.get(victim.pid.remote()), signal.SIGKILL)
    permits: list[Permit] = []

    def acquired() -> bool:
        found = breaker.try_acquire()
        permits.extend(() if found is None else (found,))
        return found is not None

    eventually(acquired, "the permit", 10.0)
    permits[0].success()
    eventually(lambda: breaker.state == "closed", "the probe closing it")


def test_an_open_breaker_stays_shut_without_its_owner_until_a_successor(sup, crew, everywhere, eventually, name):
    breaker = everywhere(SETTINGS.model_copy(update={"open_s": 2.0, "open_jitter": 0.0}))
    changes = breaker.subscribe()
    ray.get([caller.fail.remote([breaker], 5) for caller in crew])
    eventually(lambda: breaker.state == "open", "it being open")
    before = sup.breakers()[name].view
    owner, deaths = owner_of(sup, name), "select count(*) as found from restarts where child = ?"
    known = sup.events.query(deaths, [owner.key])[0]["found"]
    os.kill(owner.location.process.pid, signal.SIGKILL)
    assert ray.get(crew[0].succeed.remote([breaker])) == ["refused"]

    def succeeded() -> bool:
        view = sup.breakers()[name].view
        return view is not None and view.published.generation > before.published.generation

    eventually(succeeded, "a successor", 60.0)
    after = sup.breakers()[name].view
    assert after.published.state in ("open", "half_open")
    assert (after.published.openings, after.opened_by.detail) == (1, before.opened_by.detail)
    eventually(lambda: ray.get(crew[1].succeed.remote([breaker], 3)) and breaker.state == "closed", "it closing")
    told = "select count(*) as found from circuit_breaker_state_history where breaker = ? and event = 'recovered'"
    eventually(lambda: sup.events.query(told, [name])[0]["found"] == 1, "the one event of its recovery")
    assert sup.events.query(deaths, [owner.key])[0]["found"] == known + 1, "and the one of its loss"
    assert owner_events(changes, 2) == ["owner_lost", "owner_heard"]


def test_a_closed_breaker_goes_on_by_local_rules_without_its_owner(sup, crew, everywhere, name):
    breaker = everywhere(SETTINGS.model_copy(update={"consecutive_failures": 3}))
    os.kill(owner_pid(sup, name), signal.SIGKILL)
    assert ray.get(crew[0].succeed.remote([breaker], 100)) == ["succeeded"] * 100
    assert ray.get(crew[1].fail.remote([breaker], 5)) == ["failed"] * 3 + ["refused"] * 2


def test_overrides_reach_every_process_and_survive_the_owner_and_the_leader(sup, crew, everywhere, eventually, name):
    breaker = everywhere(SETTINGS)
    breaker.force_open(reason="the bank asked us to", who="ann")
    eventually(lambda: states(crew, breaker) == {"forced_open"}, "it being forced open everywhere")
    generation = sup.breakers()[name].view.published.generation
    os.kill(owner_pid(sup, name), signal.SIGKILL)

    def succeeded() -> bool:
        view = sup.breakers()[name].view
        return view is not None and view.published.generation > generation

    eventually(succeeded, "a successor of the owner", 60.0)
    view = sup.breakers()[name].view
    assert (view.published.state, view.overridden_by.who) == ("forced_open", "ann")
    assert "the bank asked us to" in str(breaker.explain())
    leader = sup.status()
    os.kill(leader.leader_location.process.pid, signal.SIGKILL)
    assert states(crew, breaker) == {"forced_open"}
    assert sup.breakers().enable(name, reason="back") == (name,)
    eventually(lambda: states(crew, breaker) == {"closed"}, "it being closed everywhere")
    eventually(lambda: sup.status().incarnation > leader.incarnation, "another leader")


def test_a_definition_after_the_first_use_stands(sup, eventually, name):
    used = sup.breaker(name)
    assert used.call(int, "1") == 1
    eventually(lambda: used.owner_heard, "the owner being heard")
    sup.breaker(name, BreakerSettings(failure_rate=0.2))
    eventually(lambda: used.settings.failure_rate == 0.2, "the definition being in force")
    assert sup.breakers()[name].view.settings.failure_rate == 0.2


def test_a_glob_reaches_all_that_it_matches_and_no_other(sup, everywhere, eventually, name):
    group = [everywhere(SETTINGS, f"{name}-{number}") for number in range(3)]
    other = everywhere(SETTINGS, f"other-{name}")
    assert len(sup.breakers().disable(f"{name}-*", reason="migration")) == 3
    eventually(lambda: {each.state for each in group} == {"disabled"}, "the disabled ones")
    assert other.state == "closed"
    changed = sup.breakers().configure(f"{name}-[01]", reason="slower", open_s=7.0)
    assert changed == (f"{name}-0", f"{name}-1")
    eventually(lambda: [each.settings.open_s for each in group] == [7.0, 7.0, 30.0], "the new settings")
    with pytest.raises(UnknownBreakerError, match=r"no breaker matches .nobody\*."):
        sup.breakers().reset("nobody*", reason="x")
    unfit: Any = None
    for ask in (sup.breakers().reset, sup.breakers().configure):
        with pytest.raises(ConfigError, match="reason"):
            ask(f"{name}-*", reason=unfit)
    assert {each.state for each in group} == {"disabled"}


def test_the_first_definition_of_a_name_stands_and_a_warning_tells_another(sup, everywhere, crew, eventually, name):
    everywhere(SETTINGS)
    defined = ray.get(crew[0].define.remote(sup.name, f"{name}-2", SETTINGS))
    assert defined == []
    other = SETTINGS.model_copy(update={"open_s": 1.0})
    said = ray.get(crew[1].define.remote(sup.name, f"{name}-2", other))
    assert len(said) == 1
    assert "open_s: 30.0 stands, 1.0 was given" in said[0]


def test_breakers_beyond_the_limit_share_actors(sup, everywhere, name):
    for number in range(6):
        everywhere(SETTINGS, f"{name}-{number}")
    owners = {each.owner for each in sup.breakers()}
    keys = {child.key for child in sup.status().tree if child.key.startswith("breaker/")}
    assert len(owners) <= 1 + SHARDS
    assert len([key for key in keys if not key.startswith("breaker/shard-")]) == 1


def test_a_first_use_blocks_nobody(sup, name):
    made: list[BreakerHandle] = []
    thread = threading.Thread(target=lambda: made.append(sup.breaker(name, SETTINGS)))
    thread.start()
    thread.join(timeout=5.0)
    assert made, "the handle came at once"
    assert made[0].call(lambda: "through") == "through"


def test_what_happened_is_in_the_log(sup, crew, everywhere, eventually, name):
    breaker = everywhere(SETTINGS)
    breaker.force_open(reason="a drill", who="bob")
    breaker.reset(reason="over", who="bob")
    told = sup.events.query(
        "select from_state, to_state, who, reason from circuit_breaker_state_history where breaker = ? "
        "and event = 'transition' order by ingest_id",
        [name],
    )
    assert [tuple(row.values()) for row in told] == [
        ("closed", "forced_open", "bob", "a drill"),
        ("forced_open", "closed", "bob", "over"),
    ]
    breaker.shadow(reason="watch", who="bob")
    active = sup.events.query("select state, overridden_by from active_circuit_breakers where breaker = ?", [name])
    assert active == [{"state": "shadow", "overridden_by": "bob"}]


@pytest.mark.soak  # `test_overrides_reach...` has the owner and the leader by default
def test_state_settings_and_override_survive_a_restart_on_the_same_log(start, tmp_path: Path, eventually):
    log, given = tmp_path / "kept.duckdb", SETTINGS.model_copy(update={"open_s": 11.0})
    first = start(log=log, name=unique_name())
    first.breaker("payments", given).force_open(reason="down until Monday", who="ann")
    first.breaker("orders", given).configure(reason="slower", open_s=13.0)
    first.shutdown()
    second = start(log=log, name=unique_name())
    assert {each.name: each.state for each in second.breakers()} == {"orders": "closed", "payments": "forced_open"}
    payments, orders = second.breaker("payments"), second.breaker("orders")
    eventually(lambda: payments.state == "forced_open", "the override")
    assert payments.settings.open_s == 11.0
    assert second.breakers()["payments"].view.overridden_by.reason == "down until Monday"
    eventually(lambda: orders.settings.open_s == 13.0, "the settings")


def test_a_task_behind_an_open_breaker_is_refused_and_its_span_links_to_the_cause(sup, everywhere, eventually, name):
    breaker = everywhere(SETTINGS)
    policy = Policy(breaker=name, retry=Retry(attempts=1))
    assert sup.options(policy=policy).submit(add, 2, 3).result(timeout=60) == 5
    breaker.force_open(reason="a drill")
    worker = sup.options(policy=policy)

    def refused() -> bool:
        return isinstance(worker.submit(add, 2, 3).exception(timeout=60), CircuitOpenError)

    eventually(refused, "the worker hearing of it")
    careful = Policy(breaker=name, retry=Retry(attempts=1), fallback=Fallback(cached))
    assert sup.options(policy=careful).submit(add, 2, 3).result(timeout=60) == -1
    linked = (
        "select count(*) as found from spans as refusal join circuit_breaker_state_history as cause "
        "on json_extract_string(refusal.attributes, '$.links[0].span_id') = cause.span_id "
        "where refusal.kind = 'refusal' and cause.breaker = ? and cause.to_state = 'forced_open'"
    )
    eventually(lambda: sup.events.query(linked, [name])[0]["found"] > 0, "the span of the refusal")
    breaker.reset(reason="over")


def test_tasks_that_run_until_their_time_is_over_open_their_breaker(sup, everywhere, eventually, name):
    breaker = everywhere(BreakerSettings(consecutive_failures=2, open_s=30.0))
    hurried = sup.options(policy=Policy(breaker=name, timeout_s=0.3, retry=Retry(attempts=1)))
    for _ in range(2):
        assert isinstance(hurried.submit(hang).exception(timeout=60), TaskTimeoutError)
    eventually(lambda: breaker.state == "open", "it being open")


def test_tasks_that_waited_in_a_queue_until_their_deadline_say_nothing(sup, everywhere, gate, name):
    breaker = everywhere(BreakerSettings(consecutive_failures=1))
    blockers = [sup.submit(wait_for_file, gate.path) for _ in range(4)]
    hurried = sup.options(policy=Policy(breaker=name, deadline_s=0.3, retry=Retry(attempts=1)))
    waiting = [hurried.submit(add, 2, 3) for _ in range(4)]
    assert {type(each.exception(timeout=60)) for each in waiting} == {TaskTimeoutError}
    gate.open()
    for blocker in blockers:
        blocker.result(timeout=60)
    assert (breaker.state, sup.breakers()[name].view.totals.failures) == ("closed", 0)


def test_calls_of_a_child_pass_its_breaker_where_they_are_made(sup, everywhere, name):
    breaker = everywhere(SETTINGS.model_copy(update={"consecutive_failures": 2}))
    ward = sup.supervise(Ward, name=f"ward-{name}", breaker=name)
    assert ward.add.remote(2).result(timeout=60) == 2
    for _ in range(2):
        with pytest.raises(KeyError):
            ward.fail.remote().result(timeout=60)
    with pytest.raises(CircuitOpenError) as refused:
        ward.add.remote(1)
    assert refused.value.retry_after_s > 0
    assert ward.add.options(breaker=f"other-{name}").remote(1).result(timeout=60) == 3
    assert breaker.state == "open"


def test_the_command_lists_explains_and_controls(sup, everywhere, eventually, name):
    breaker = everywhere(SETTINGS)

    def run(*arguments: str, code: int = 0) -> str:
        ended = CliRunner().invoke(main, ["breaker", *arguments, "--name", sup.name], env={"COLUMNS": "120"})
        assert ended.exit_code == code, ended.output
        return ended.output

    assert f"{name}: force-open" in run("force-open", f"{name}*", "--reason", "a drill", "--who", "ann")
    eventually(lambda: breaker.state == "forced_open", "it being forced open")
    assert "forced_open" in run("ls", name)
    assert "force open by ann: a drill" in run("explain", name)
    assert f"{name}: open_s=9" in run("configure", name, "open_s=9", "--reason", "slower")
    shown = run("show", name)
    assert "closed -> forced_open: force open by ann: a drill" in shown
    assert "open_s" in shown
    assert "no breaker matches 'nobody'" in run("reset", "nobody", "--reason", "x", code=1)
    assert "failure_rate" in run("configure", name, "failure_rate=7", "--reason", "x", code=1)
    run("reset", name, "--reason", "over")
    eventually(lambda: breaker.state == "closed", "it being closed")
