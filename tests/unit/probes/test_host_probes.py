"""Ready-made probes of processes, disks, networks, databases, loops and queues, against real ones of this host."""

from __future__ import annotations

import asyncio
import os
import pickle
import queue
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

import duckdb
import pytest

from actors.health import probes
from actors.health.probes import loops
from actors.health.probes.place import Here, at
from actors.runtime.errors import ConfigError


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_memory_of_this_process_and_of_another(sleeper: subprocess.Popen[bytes]) -> None:
    assert probes.memory(at_most_mb=100_000)()[0]
    is_well, told = probes.memory(at_most_mb=0.1)()
    assert not is_well
    assert told.endswith("MB of 0.1 MB")
    assert probes.memory(at_most_mb=100_000, pid=sleeper.pid)()[0]


def test_a_process_that_is_gone_is_bad_or_raises(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait(10)
    assert probes.cpu(at_most=1, pid=sleeper.pid)() == (False, f"process {sleeper.pid} has ended")
    with pytest.raises(FileNotFoundError):
        probes.memory(at_most_mb=1, pid=sleeper.pid)()


def test_the_processor_is_measured_since_the_check_before() -> None:
    probe = probes.cpu(at_most=0.01)
    probe()
    began = os.times().user
    while os.times().user - began < 0.2:
        sum(range(10_000))
    is_well, told = probe()
    assert not is_well
    assert told.endswith("cores of 0.01")
    assert pickle.loads(pickle.dumps(probe))()[0] in (True, False), "it travels with what it has measured"


def test_open_files_are_counted_against_a_number_or_a_share(tmp_path: Path) -> None:
    assert probes.open_files()()[0]
    held = [(tmp_path / str(number)).open("w") for number in range(20)]
    assert not probes.open_files(at_most=19)()[0]
    for file in held:
        file.close()


def test_a_disk_has_room_or_not(tmp_path: Path) -> None:
    assert probes.disk(str(tmp_path), free_share=0)()[0]
    is_well, told = probes.disk(str(tmp_path), free_share=0, free_mb=1e12)()
    assert not is_well
    assert told.endswith("1000000000000 MB wanted")
    with pytest.raises(FileNotFoundError):
        probes.disk(str(tmp_path / "no"))()


def test_a_nodes_memory_and_load() -> None:
    assert probes.resources(free_memory_share=0)()[0]
    assert not probes.resources(free_memory_share=0.999999)()[0]
    assert not probes.resources(free_memory_share=0, load_per_cpu=1e-9)()[0]


def test_a_port_that_is_open_and_one_that_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        is_well, told = probes.tcp("127.0.0.1", port)()
        assert is_well
        assert told.startswith(f"connected to 127.0.0.1:{port} in ")
    with pytest.raises(ConnectionRefusedError):
        probes.tcp("127.0.0.1", port)()


def test_a_name_resolves_to_what_it_should() -> None:
    assert probes.dns("localhost")()[0]
    assert probes.dns("127.0.0.1", address="127.0.0.1")()[0]
    assert probes.dns("127.0.0.1", address="10.1.1.1")() == (False, "127.0.0.1 is 127.0.0.1, not 10.1.1.1")
    with pytest.raises(OSError):  # noqa: PT011 - the resolver's own, whatever this host's is
        probes.dns("no-such-host.invalid")()


def open_duckdb(path: str) -> Any:
    return duckdb.connect(path)  # the function itself does not pickle


@pytest.mark.parametrize("connect", [sqlite3.connect, open_duckdb])
def test_a_database_says_what_it_should(connect: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "db")
    connection = connect(path)
    connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    connection.commit()
    connection.close()
    probe = probes.sql(partial(connect, path), "SELECT n FROM t", value=7)
    assert pickle.loads(pickle.dumps(probe))() == (True, "it says 7")
    assert probes.sql(partial(connect, path), "SELECT n FROM t", value=8)() == (False, "it says 7, not 8")
    assert probes.sql(partial(connect, path), "SELECT n FROM t WHERE n > 7", value=8)()[0] is False
    assert probes.sql(partial(connect, path))()[0]
    with pytest.raises(Exception, match="nowhere"):
        probes.sql(partial(connect, path), "SELECT n FROM nowhere")()


def test_a_database_by_its_url(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    assert probes.sql(f"sqlite:///{tmp_path}/db", "SELECT 3", value=3)() == (True, "it says 3")


def test_a_url_with_a_password_is_not_shown() -> None:
    assert "secret" not in repr(probes.sql("postgresql://me:secret@host/db"))


@pytest.fixture
def no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests' children have left loops in this process."""
    monkeypatch.setattr(loops, "LOOPS", WeakSet())


@pytest.mark.usefixtures("no_loops")
async def test_an_event_loop_comes_in_time_or_is_late() -> None:
    probes.watch_loop()
    probe = probes.loop_lag(at_most_s=0.1)
    assert (await asyncio.to_thread(probes.loop_lag(at_most_s=30)))[0]
    answers: list[tuple[bool, str]] = []
    asker = threading.Thread(target=lambda: answers.append(probe()))
    asker.start()
    asker.join(20)  # the loop is held here meanwhile
    assert answers[0][0] is False
    assert "1 of 1 loops are late" in answers[0][1]


@pytest.mark.usefixtures("no_loops")
def test_without_a_loop_it_says_what_to_do() -> None:
    with pytest.raises(LookupError, match="watch_loop"):
        probes.loop_lag()()


def test_a_queue_is_measured_by_whatever_tells_its_length() -> None:
    full: queue.Queue[int] = queue.Queue()
    for number in range(3):
        full.put(number)
    assert probes.queue_depth(full, at_most=3)() == (True, "3 wait, at most 3")
    assert probes.queue_depth([1, 2], at_most=1)() == (False, "2 wait, at most 1")
    assert probes.queue_depth(lambda: 5, at_most=10)()[0]


def test_heartbeats_are_not_asked_for() -> None:
    with pytest.raises(LookupError, match="register it"):
        probes.heartbeat()()


@pytest.mark.parametrize(
    ("make", "problems"),
    [
        (lambda: probes.tcp("", 0), ("host: ", "port: ")),
        (lambda: probes.disk("", free_share=1), ("path: ", "free_share: ")),
        (lambda: probes.memory(at_most_mb=0, pid=-1), ("pid: ", "at_most_mb: ")),
        (lambda: probes.cpu(at_most=0), ("at_most: ",)),
        (lambda: probes.open_files(at_most=0, at_most_share=2), ("at_most: ", "at_most_share: ")),
        (lambda: probes.resources(free_memory_share=-1, load_per_cpu=0), ("free_memory_share: ", "load_per_cpu: ")),
        (lambda: probes.loop_lag(at_most_s=0), ("at_most_s: ",)),
        (lambda: probes.dns(""), ("name: ",)),
        (lambda: probes.sql("nowhere", ""), ("connect: ", "statement: ")),
        (lambda: probes.queue_depth(7, at_most=0), ("queue: ", "at_most: ")),
        (lambda: probes.breakers("", open_max=-1), ("pattern: ", "open_max: ")),
        (lambda: probes.child(""), ("child: ",)),
        (lambda: probes.node(""), ("node: ",)),
        (lambda: probes.actor(7), ("actor: ",)),
        (lambda: probes.heartbeat(0), ("phi: ",)),
    ],
)
def test_what_is_wrong_is_named_all_at_once(make: Any, problems: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as refused:
        make()
    assert len(refused.value.problems) == len(problems)
    for told, expected in zip(refused.value.problems, problems, strict=True):
        assert told.startswith(expected)


def test_a_check_has_the_time_of_its_place() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as full:
        address = server.getsockname()
        for _ in range(20):  # nobody accepts: soon no connection is taken any more
            waiting = full.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        with pytest.raises(TimeoutError), at(Here(timeout_s=0.2)):
            probes.tcp(*address)()
