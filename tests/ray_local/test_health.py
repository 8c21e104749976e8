"""The health monitor as an actor: what is registered is watched, told and written, and nothing makes it stumble."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
from click.testing import CliRunner

from actors.health.published import HealthStanding
from supervisor import ConfigError, Supervisor, UnknownComponentError, probes
from supervisor.cli.main import main
from supervisor.services.keys import NOTIFIER
from tests.ray_local.conftest import Family, StartSupervisor
from tests.ray_local.sickroom import FAST, QUICK_HEALTH, Ward
from tests.unit.notifier.sinks import http_sink

Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def sup(start_for_module: StartSupervisor) -> Supervisor:
    return start_for_module(health=QUICK_HEALTH)


@pytest.fixture
def ward(sup: Supervisor, tmp_path: Path) -> Iterator[Ward]:
    yield Ward(sup, tmp_path)
    for name in sup.health.report().components:
        sup.health.unregister(name)


def test_what_is_registered_is_watched_and_told(ward: Ward, eventually: Eventually) -> None:
    health = ward.sup.health
    db = ward.patient("db", critical=True, weight=2.0)
    ward.patient("web", depends_on="db")
    eventually(lambda: ward.state("db") == ward.state("web") == "healthy", "both are well")
    with health.subscribe() as changes:
        db.be("bad")
        change = changes.next(20.0)
        assert change is not None
        assert (change.component, change.before, change.after, change.detail) == ("db", "healthy", "unhealthy", "bad")
    report = health.report()
    assert report.components["web"].caused_by == ("db",)
    assert report.score == 0.0
    last = health.component("db").last
    assert last is not None
    assert last.outcome == "failed"
    told = ward.sup.status().health
    assert told is not None
    assert told.components["db"] == "unhealthy"
    db.be("ok")
    eventually(lambda: ward.state("db") == "healthy", "it is well again")
    assert {check.outcome for check in health.history("db", since_s=60.0)} == {"passed", "failed"}
    assert health.unregister("db", kind="readiness") is False
    assert health.unregister("db") is True
    with pytest.raises(UnknownComponentError, match="web"):
        health.component("db")


@pytest.mark.soak
async def test_coroutines_have_the_same(ward: Ward) -> None:
    health = ward.sup.health
    await health.aregister("db", probes.disk("/", free_share=0), **FAST)
    with await health.asubscribe() as changes:
        async with asyncio.timeout(20):
            async for change in changes:
                if change.component == "db":
                    break
    assert (await health.areport()).components["db"].state == "healthy"
    assert (await health.acomponent("db")).name == "db"
    assert (await health.ahistory("db"))[0].outcome == "passed"
    assert await health.aunregister("db") is True


def test_whatever_a_probe_does_the_others_go_on(ward: Ward, eventually: Eventually) -> None:
    well = ward.patient("well")
    ways = {"hang": "timed_out", "raise": "failed", "nonsense": "nonsense", "flood": "failed", "exit": "failed"}
    sick = {how: ward.patient(how, how) for how in ways}
    eventually(lambda: all(ward.state(name) == "unhealthy" for name in ways), "all are found")
    assert {how: ward.outcomes(how) for how in ways} == {how: {outcome} for how, outcome in ways.items()}
    for how in ways:
        assert all(len(check.detail) <= 500 for check in ward.sup.health.history(how))
        assert all("hunter2" not in check.detail for check in ward.sup.health.history(how)), "a secret is scrubbed"
    assert sick["hang"].checks() == 1, "one of a kind is in flight, however long it hangs"
    assert ward.sup.health.statistics().hung == ("hang (liveness)",)
    before = well.checks()
    eventually(lambda: well.checks() > before + 5, "the others go on")
    assert ward.state("well") == "healthy"


def test_bad_input_is_named_all_at_once(ward: Ward) -> None:
    health = ward.sup.health
    with pytest.raises(ConfigError) as refused:
        health.register("db", 7, kind="livenes", interval_s=0, timeout_s=-1, on="moon")  # pyright: ignore[reportArgumentType] - wrong on purpose
    begins = [problem.partition(":")[0] for problem in refused.value.problems]
    assert begins == ["kind", "interval_s", "timeout_s", "on", "probe"]
    with pytest.raises(ConfigError, match="does not pickle"):
        health.register("db", partial(print, (each for each in ())), **FAST)
    with pytest.raises(ConfigError, match="and may take 65536; read"):
        health.register("db", partial(len, "x" * 100_000), **FAST)
    health.register("a", probes.dns("localhost"), depends_on="b", **FAST)
    with pytest.raises(ConfigError, match="a -> b -> a is a ring"):
        health.register("b", probes.dns("localhost"), depends_on="a", **FAST)
    assert set(health.report().components) == {"a"}, "what is refused is not watched"


def test_many_are_registered_at_once_and_those_that_cannot_be_are_named(ward: Ward) -> None:
    health = ward.sup.health
    with health.registering() as many:
        for number in range(100):
            many.register(f"many-{number}", probes.dns("localhost"), interval_s=60, timeout_s=1.0)
    assert len(health.report().components) == 100

    def a_ring() -> None:
        with health.registering() as both:
            both.register("a", probes.dns("localhost"), depends_on="b", **FAST)
            both.register("b", probes.dns("localhost"), depends_on="a", **FAST)

    def one_is_wrong() -> None:
        with health.registering() as none:
            none.register("c", probes.dns("localhost"), **FAST)
            none.register("d", probes.dns("localhost"), interval_s=0, timeout_s=1.0)

    with pytest.raises(ConfigError, match=r"b \(liveness\): depends_on: a -> b -> a is a ring"):
        a_ring()
    with pytest.raises(ConfigError, match="interval_s"):
        one_is_wrong()
    found = health.report().components
    assert ("a" in found, "b" in found, "c" in found) == (True, False, False)


@pytest.mark.soak
def test_heartbeats_are_heard_and_missed(ward: Ward, eventually: Eventually) -> None:
    health = ward.sup.health
    health.register("batch", probes.heartbeat(), interval_s=0.1, timeout_s=0.1, failures=2)

    def beats_and_is_well() -> bool:
        return health.beat("batch") and ward.state("batch") == "healthy"

    eventually(beats_and_is_well, "it is well while it beats")
    eventually(lambda: ward.state("batch") == "unhealthy", "its silence is noticed")
    last = health.component("batch").last
    assert last is not None
    assert last.detail.startswith("no heartbeat: suspicion ")


def test_probes_run_on_nodes_and_in_the_processes_of_children(
    ward: Ward, eventually: Eventually, tmp_path: Path
) -> None:
    sup, family = ward.sup, Family(ward.sup)
    node = ray.get_runtime_context().get_node_id()
    child = sup.supervise(Cart, name="cart")
    assert child.size.remote().result(timeout=30) == 0
    here = ward.patient("here")
    there = ward.patient("there", on=f"node:{node[:12]}", timeout_s=5.0)
    every = ward.patient("every", on="every_node", timeout_s=5.0)
    inside = ward.patient("inside", on="child:cart", timeout_s=5.0)
    watched = ("here", "there", "every", "inside")
    eventually(lambda: all(ward.state(name) == "healthy" for name in watched), "all are well")
    assert inside.pids() == {family.pid("child/cart")}
    assert there.pids() == every.pids()
    assert len(here.pids() | there.pids() | inside.pids()) == 3
    lost = ward.patient("lost", on="child:nobody")
    eventually(lambda: "unreachable" in ward.outcomes("lost"), "there is no such child")
    ward.patient("writer", on="child:event_log/writer", interval_s=0.1)
    eventually(lambda: ward.told("writer").endswith("#1 runs no checks in its process"), "a service runs none")
    assert ward.state("lost") == "unknown"
    assert lost.checks() == 0
    hung = ward.patient("hung", "hang", on="child:cart")
    eventually(lambda: "timed_out" in ward.outcomes("hung") and hung.pids() == inside.pids(), "it hangs in there")
    assert child.size.remote().result(timeout=30) == 0, "and the child goes on"
    sup.root.terminate("cart")
    sup.root.delete("cart")


def test_what_the_monitor_is_cut_off_from_is_unknown_and_nothing_is_restarted(
    ward: Ward, eventually: Eventually
) -> None:
    """The agent of its node does not answer; `ray_cluster/test_health.py` has two nodes of three."""
    sup, family = ward.sup, Family(ward.sup)
    child = sup.supervise(Cart, name="cart")
    assert child.size.remote().result(timeout=30) == 0
    before = family.pid("child/cart")
    node = ray.get_runtime_context().get_node_id()
    agent = next(key for key in family.pids() if key.startswith("node_agent/"))
    cart = ward.patient("cart", on=f"node:{node}", timeout_s=2.0, failures=1)
    eventually(lambda: ward.state("cart") == "healthy", "it is well")
    with sup.health.subscribe() as changes:
        family.signal(agent, signal.SIGSTOP)  # until it is replaced
        eventually(lambda: "unreachable" in ward.outcomes("cart"), "nobody could look")
        assert child.size.remote().result(timeout=30) == 0, "it serves all the while"
        checks = cart.checks()
        eventually(lambda: cart.checks() > checks and ward.state("cart") == "healthy", "it is looked at again")
        told = {each.after for each in iter(lambda: changes.next(0.0), None) if each.component == "cart"}
    assert told <= {"unknown", "healthy"}
    assert ward.outcomes("cart") == {"passed", "unreachable"}
    assert family.pid("child/cart") == before
    assert family.child("child/cart").restarts == 0
    sup.root.terminate("cart")
    sup.root.delete("cart")


@pytest.mark.soak
def test_while_rays_own_table_does_not_answer_nobody_is_taken_for_sick(ward: Ward, eventually: Eventually) -> None:
    sup, family = ward.sup, Family(ward.sup)
    child = sup.supervise(Cart, name="cart")
    assert child.size.remote().result(timeout=30) == 0
    before = family.pid("child/cart")
    each: Any = {"interval_s": 0.3, "timeout_s": 1.0, "failures": 2}
    sup.health.register("cart", probes.child("cart"), **each)
    sup.health.register("node", probes.node(ray.get_runtime_context().get_node_id()), **each)

    def states() -> set[str]:
        return {ward.state(name) for name in ("cart", "node")}

    eventually(lambda: states() == {"healthy"}, "both are well")
    with sup.health.subscribe() as changes:
        table = gcs_pid()
        os.kill(table, signal.SIGSTOP)
        try:
            eventually(lambda: states() == {"unknown"}, "nobody could look")
            assert child.size.remote().result(timeout=30) == 0, "it serves all the while"
        finally:
            os.kill(table, signal.SIGCONT)
        eventually(lambda: states() == {"healthy"}, "they are looked at again")
        told = {change.after for change in iter(lambda: changes.next(0.0), None)}
    assert told == {"unknown", "healthy"}
    assert family.pid("child/cart") == before
    assert family.child("child/cart").restarts == 0
    sup.root.terminate("cart")
    sup.root.delete("cart")


@pytest.mark.soak
def test_while_rays_own_table_does_not_answer_people_are_told_so_once_and_told_when_it_does(
    start: StartSupervisor, eventually: Eventually
) -> None:
    with http_sink() as sink:
        hook = {"name": "hook", "kind": "webhook", "url": sink.url}
        notifier = {"channels": [hook], "routes": [{"channels": "hook"}], "group_s": 0.0}
        sup = start(health=QUICK_HEALTH, notifier=notifier)
        node = probes.node(ray.get_runtime_context().get_node_id())
        sup.health.register("node", node, interval_s=0.3, timeout_s=1.0, failures=2)
        eventually(lambda: sup.health.report().components["node"].state == "healthy", "it is well")

        def told() -> list[tuple[str, str]]:
            alerts = [alert for posted in sink.posted for alert in json.loads(posted.body)["alerts"]]
            return [(each["key"], each["status"]) for each in alerts]

        eventually(lambda: sup.service(NOTIFIER).is_running(), "people can be told before they have to be")
        assert sup.notifier.waiting() == {"hook": 0}
        samples = _standing(sup).samples
        eventually(lambda: _standing(sup).samples >= samples + 3, "the monitor has found who tells them")
        key = "health/main/blind/cut_off"
        table = gcs_pid()
        os.kill(table, signal.SIGSTOP)
        try:
            eventually(lambda: _standing(sup).blind.startswith("Ray's table has not"), "it knows that it is blind")
            eventually(lambda: told() == [(key, "firing")], "people are told while it lasts")
            assert sup.health.report().components["node"].state == "unknown"
        finally:
            os.kill(table, signal.SIGCONT)
        eventually(lambda: told() == [(key, "firing"), (key, "resolved")], "and that it sees again")
        eventually(lambda: _standing(sup).blind == "", "so do all")


def _standing(sup: Supervisor) -> HealthStanding:
    found = sup.health.standing()
    assert found is not None
    return found


def gcs_pid() -> int:
    """Of the embedded Ray that the tests of this process share."""
    from ray._private import worker  # noqa: PLC0415 - private

    node: Any = worker._global_node
    (table,) = node.all_processes["gcs_server"]
    return table.process.pid


class Cart:
    def size(self) -> int:
        return 0


def test_ready_made_probes_of_the_cluster(ward: Ward, eventually: Eventually) -> None:
    sup, health = ward.sup, ward.sup.health
    node = ray.get_runtime_context().get_node_id()
    sup.breaker("payments").force_open(reason="a test")
    queue: list[int] = [1, 2]
    patient: Any = {"interval_s": 0.2, "timeout_s": 5.0, "failures": 1}
    health.register("worker", probes.child("worker/default-0"), **patient)
    health.register("nobody", probes.child("nobody"), **patient)
    health.register("node", probes.node(node[:16]), **patient)
    health.register("moon", probes.node("moon"), **patient)
    health.register("breakers", probes.breakers("pay*"), **patient)
    health.register("others", probes.breakers("x*"), **patient)
    health.register("queue", probes.queue_depth(queue, at_most=2), **patient)
    health.register("memory", probes.memory(at_most_mb=100_000), **patient)
    health.register("agents", probes.resources(free_memory_share=0), on="every_node", **patient)
    named: Any = Ponger.options(name="ponger").remote()
    health.register("actor", probes.actor(named), **patient)
    health.register("method", probes.actor(named, method="pong"), **patient)
    expected = dict.fromkeys(("worker", "node", "others", "queue", "memory", "agents", "actor", "method"), "healthy")
    expected |= dict.fromkeys(("nobody", "moon", "breakers"), "unhealthy")
    eventually(lambda: {name: ward.state(name) for name in expected} == expected, "each says what it should")
    last = health.component("breakers").last
    assert last is not None
    assert last.detail == "1 of 1 breakers are open: payments"
    ray.kill(named)
    eventually(lambda: ward.state("actor") == "unhealthy", "a dead actor is found")


@ray.remote(num_cpus=0)
class Ponger:
    def pong(self) -> None:
        """It lives."""


def test_it_can_be_stopped_and_started(ward: Ward, eventually: Eventually) -> None:
    db = ward.patient("db")
    eventually(lambda: ward.state("db") == "healthy", "it is well")
    ward.sup.health.stop()
    eventually(lambda: ward.state("db") == "unknown", "nobody looks")
    before = db.checks()
    assert ward.sup.health.report().components["db"].state == "unknown"
    ward.sup.health.start()
    eventually(lambda: ward.state("db") == "healthy" and db.checks() > before, "it is watched again")


@pytest.mark.soak
def test_the_log_has_it(ward: Ward, eventually: Eventually) -> None:
    db = ward.patient("db")
    eventually(lambda: ward.state("db") == "healthy", "it is well")
    db.be("bad")
    eventually(lambda: ward.state("db") == "unhealthy", "it is not")
    query = ward.sup.events.query
    eventually(lambda: any(row["component"] == "db" for row in query("from recent_health_failures")), "its failures")
    summary = "SELECT state, score FROM component_health_summary WHERE component = 'db' AND score IS NOT NULL"
    eventually(lambda: query(summary) == [{"state": "unhealthy", "score": 0.0}], "its summary")
    eventually(lambda: "db" in (query("from current_system_status")[0]["sick"] or []), "how the system stands")
    shares = query("SELECT availability FROM component_availability_24h WHERE component = 'db'")
    assert 0 < shares[0]["availability"] < 1


@pytest.mark.soak
def test_the_command_shows_it(ward: Ward, eventually: Eventually) -> None:
    db = ward.patient("db", critical=True)
    ward.patient("web", depends_on="db")
    eventually(lambda: ward.state("db") == ward.state("web") == "healthy", "both are well")
    db.be("bad")
    eventually(lambda: ward.state("db") == "unhealthy", "it is sick")

    def run(*arguments: str, code: int = 0) -> str:
        ended = CliRunner().invoke(main, [*arguments, "--name", ward.sup.name], env={"COLUMNS": "140"})
        assert ended.exit_code == code, ended.output
        return ended.output

    table = run("health")
    assert table.startswith("score 0.0 of 100, ")
    assert [line.split()[:2] for line in table.splitlines()[2:]] == [["db", "unhealthy"], ["web", "healthy"]]
    told = json.loads(run("health", "d*", "--json", "--checks", "60"))
    assert [row["component"] for row in told["components"]] == ["db"]
    assert told["system"]["score"] == 0.0
    assert told["checks"]["db"][-1]["outcome"] == "failed"
    assert "db 0" in run("health", "db", "--checks", "60")
    assert "there are: db, web" in run("health", "moon", code=2)
    assert "health: 0.0 of 100, " in run("status")
