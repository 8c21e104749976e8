"""Services: started with their first use, found without a leader, taken over with their state, read without them."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.runtime.replicated import Replica
from actors.service.client import ServiceClient
from actors.service.errors import ServiceUnreachableError
from actors.service.node_board import NodeBoard
from supervisor import Supervisor
from supervisor.services.kinds import KINDS, Kind
from supervisor.services.process import ServiceHomes
from supervisor.views import ClusterView
from tests.ray_local.conftest import Family
from tests.ray_local.echo_service import WORDS, EchoActor, NoWordError

KEY = "notifier/echo"


def teach(_leader: object) -> None:
    """Let a leader's process make echoes of this concern."""
    KINDS["notifier"] = Kind(module="tests.ray_local.echo_service", maker="echo_actor")


def teach_all(sup: Supervisor) -> None:
    """The leader's process, and the standby's, which may lead next."""
    view = sup.view_now()
    assert view is not None
    assert view.standby is not None
    for name in (view.leader, view.standby):
        ray.get(ray.get_actor(name, namespace="supervisor").__ray_call__.remote(teach))


@pytest.fixture
def echo(sup: Supervisor, eventually) -> ServiceClient:
    eventually(lambda: (view := sup.view_now()) is not None and view.standby is not None, "there is a standby")
    teach_all(sup)
    return sup.service(KEY)


def words(data: bytes | None) -> list[str]:
    return [] if data is None else pickle.loads(data)


def seen(follower) -> list[str]:
    replica = follower.look()
    return words(None if replica is None else replica.payload)


def test_it_is_started_once_with_its_first_use_and_answers_both_kinds_of_callers(sup: Supervisor, echo: ServiceClient):
    assert not echo.is_running()
    with pytest.raises(ServiceUnreachableError, match="supervisor ps"):
        echo.ask("words", start=False, timeout_s=0.3)
    assert echo.change("add", "one") == 1

    async def converse() -> list[str]:
        assert await asyncio.wrap_future(echo.in_thread(partial(echo.change, "add", "two"))) == 2
        return await asyncio.wrap_future(echo.in_thread(partial(echo.ask, "words")))

    assert asyncio.run(converse()) == ["one", "two"]
    with pytest.raises(NoWordError, match="say something"):
        echo.change("add", "")
    assert [child.key for child in sup.status().tree if child.key == KEY] == [KEY]


def test_its_next_life_has_its_state_and_processes_read_on_while_it_is_dead(
    echo: ServiceClient, family: Family, eventually
):
    echo.change("add", "one")
    told: list[list[str]] = []
    follower = echo.follow(WORDS, lambda replica: told.append(words(replica.payload)))
    eventually(lambda: seen(follower) == ["one"], "it is read")
    killed = family.signal(KEY)
    assert seen(follower) == ["one"]
    assert echo.change("add", "two") == 2
    assert echo.ask("pid") != killed
    eventually(lambda: ["one", "two"] in told, "who follows is told")
    assert seen(follower) == ["one", "two"]


def test_a_change_is_made_once_though_its_owner_dies_over_it(echo: ServiceClient, tmp_path: Path):
    assert echo.change("add_and_die", "one", str(tmp_path / "died")) == 1
    assert (tmp_path / "died").exists()
    assert echo.ask("words") == ["one"]


@pytest.mark.soak
def test_acknowledged_changes_survive_a_storm_of_kills(echo: ServiceClient, family: Family):
    echo.change("add", "0")
    ended, progress = threading.Event(), threading.Semaphore(0)

    def kill() -> None:
        for _ in range(3):
            assert progress.acquire(timeout=60), "no words were acknowledged in between"
            try:
                os.kill(echo.ask("pid"), signal.SIGKILL)
            except ServiceUnreachableError:
                continue
        ended.set()

    killer = threading.Thread(target=kill)
    killer.start()
    said = ["0"]
    while not ended.is_set():
        said.append(str(len(said)))
        echo.change("add", said[-1])
        if len(said) % 10 == 0:
            progress.release()
    killer.join()
    assert echo.ask("words") == said


def test_no_leader_is_needed_while_it_runs(echo: ServiceClient, family: Family):
    echo.change("add", "one")
    leader = family.leader_pid()
    os.kill(leader, signal.SIGSTOP)
    try:
        assert echo.change("add", "two", timeout_s=2.0) == 2
    finally:
        os.kill(leader, signal.SIGCONT)


@pytest.mark.soak
def test_the_leader_and_the_service_die_together(sup: Supervisor, echo: ServiceClient, family: Family):
    echo.change("add", "one")
    pid = family.pid(KEY)
    os.kill(family.leader_pid(), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert echo.change("add", "two", timeout_s=60.0) == 2
    assert echo.ask("words") == ["one", "two"]


def test_a_process_without_a_board_asks_the_owner_and_brings_what_it_kept(
    sup: Supervisor, echo: ServiceClient, eventually
):
    echo.change("add", "one")
    boardless = ServiceClient(KEY, ServiceHomes(sup.connect_services().connections), NodeBoard(None))
    told: list[list[str]] = []
    follower = boardless.follow(WORDS, lambda replica: told.append(words(replica.payload)))
    eventually(lambda: seen(follower) == ["one"], "the owner has answered")
    echo.change("add", "two")
    eventually(lambda: told[-1:] == [["one", "two"]], "it is told")
    boardless.stop()


class Alone:
    """Ports of a service on a cluster that has no boards."""

    supervisor = "nobody"
    era = 1
    settings = None

    def follow(self, take) -> None:
        view = ClusterView(leader="nobody/supervisor/root#1", incarnation=1)
        take(Replica(1, 1, pickle.dumps(view)))

    def report_sick(self, name: str, detail: str) -> bool:
        del name, detail
        return False

    def service(self, key: str) -> ServiceClient:
        raise AssertionError(f"nobody asks for {key}")


@pytest.mark.soak
def test_without_boards_a_new_life_takes_what_processes_bring(ray_session):
    first: Any = EchoActor("nobody/echo/main#1", 1, Alone())
    second: Any = EchoActor("nobody/echo/main#2", 1, Alone())
    assert first.change("r1", "add", ("one",), {}) == 1
    kept = first.observe("kept", 0, 0, 0.0)
    assert kept is not None
    second.introduce(kept)
    assert second.ask("words", (), {}) == ["one"]
    assert second.change("r1", "add", ("two",), {}) == 1
    assert second.ask("words", (), {}) == ["one"]


def count_until(name: str, ready: str, go: str) -> float:
    """In a worker: when this process saw the word, CLOCK_MONOTONIC."""
    follower = Supervisor.connect(name).service(KEY).follow(WORDS)
    Path(ready).touch()
    until = time.monotonic() + 30
    while "go" not in seen(follower):
        if time.monotonic() > until:
            return float("inf")
    return time.monotonic()


@pytest.mark.soak
def test_workers_see_a_change(sup: Supervisor, echo: ServiceClient, tmp_path: Path, eventually):
    echo.change("add", "ready")
    watched = [sup.submit(count_until, sup.name, str(tmp_path / f"{number}"), "go") for number in range(2)]
    eventually(lambda: len(list(tmp_path.glob("[0-9]"))) == 2, "both follow")
    begun = time.monotonic()
    echo.change("add", "go")
    assert all(each.result(timeout=30) - begun < 10.0 for each in watched)
