"""Bad input and bad disks: an error that names the thing and the remedy, at once, and nothing accepted is lost."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import ray

from supervisor import ConfigError, EventLogError, Policy, Supervisor, SupervisorConfig, launch
from supervisor.election import find_leader
from supervisor.launch import ClusterUnreachableError

ANSWER_WITHIN_S = 5.0


def square(number: int) -> int:
    return number * number


# -- configuration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"pool": {}}, r"pool: unknown key; known keys here: .*pools"),
        ({"pools": {"default": {"sizes": 2}}}, r"pools\.default\.sizes: unknown key"),
        ({"pools": {"default": {"size": "many"}}}, r"pools\.default\.size: .*integer.*given: 'many'"),
        ({"pools": {"default": {"size": 0}}}, r"pools\.default\.size: .*greater than or equal to 1"),
        ({"pools": {}}, r"pools: .*at least one pool is needed"),
        ({"pools": {"a/b": {}}}, r"pools: .*'a/b' cannot name a pool"),
        ({"pools": {"default": {"heartbeat_s": 5}}}, r"hang_timeout_s \(3\) must be larger than heartbeat_s \(5\)"),
        ({"log": {"path": ""}}, r"log\.path: "),
        ({"log": {"scrub": ["(open"]}}, r"'\(open' is not a regular expression"),
        ({"tasks": {"on_full": "drop"}}, r"tasks\.on_full: .*raise, wait"),
        ({"policy": {"retry": {"min_s": 9, "max_s": 1}}}, r"min_s \(9\) is larger than max_s \(1\)"),
        ({"policy": {"timeout_s": -1}}, r"policy\.timeout_s: .*greater than 0"),
        (17, r"expected a SupervisorConfig, a mapping or a YAML file's path, not int"),
    ],
)
def test_a_wrong_configuration_names_the_key_and_starts_nothing(config: Any, said: str):
    with pytest.raises(ConfigError, match=said):
        Supervisor.start(config, name="never")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file; give the path of a YAML file"),
        (b"pools: [unclosed", "is no YAML"),
        (b"- a\n- b\n", "holds a list, not a mapping"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"pools: {default: {siez: 1}}", r"pools\.default\.siez: unknown key; known keys here: .*size"),
    ],
)
def test_a_wrong_configuration_file_is_named(tmp_path: Path, content: bytes | None, said: str):
    path = tmp_path / "supervisor.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        Supervisor.start(path, name="never")
    assert caught.value.source == str(path)


def test_a_folder_is_no_configuration_file_and_an_empty_file_is_one(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        SupervisorConfig.load(tmp_path)
    (tmp_path / "empty.yaml").touch()
    assert SupervisorConfig.load(tmp_path / "empty.yaml") == SupervisorConfig()


@pytest.mark.parametrize("name", ["", "a/b", "a#1", "a b", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused(name: str):
    with pytest.raises(ConfigError, match="cannot name a supervisor"):
        Supervisor.start(name=name)


def test_options_that_are_wrong_are_named(shared: Supervisor):
    with pytest.raises(ConfigError, match="there is no pool 'gpu'; there are: default"):
        shared.options(pool="gpu").submit(square, 1)
    with pytest.raises(ConfigError, match="priority"):
        shared.options(priority=1000)
    with pytest.raises(ConfigError, match="timeout_s"):
        shared.options(timeout_s=-1)
    with pytest.raises(ConfigError, match="key"):
        shared.options(key=cast("str", 7))
    with pytest.raises(ConfigError, match="name"):
        shared.options(name="")
    with pytest.raises(ConfigError, match="on_full"):
        shared.options(on_full=cast("Any", "nope"))
    with pytest.raises(ConfigError, match=r"policy\.timeout: unknown key"):
        shared.options(policy=cast("Any", {"timeout": 1}))
    with pytest.raises(ConfigError, match="Policy: timeout: unknown key"):
        Policy(timeout=1)  # pyright: ignore[reportCallIssue] - the mistake under test
    assert shared.submit(square, 3).result(timeout=30) == 9


# -- clusters that are not there ---------------------------------------------------------------------------------------


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refused(address: str) -> tuple[str, float]:
    """What a fresh process is told that asks for that cluster, and after how long."""
    code = """
import sys, time
from supervisor import Supervisor, SupervisorError
began = time.monotonic()
try:
    Supervisor.connect(address=sys.argv[1])
except SupervisorError as error:
    print(time.monotonic() - began, type(error).__name__, error)
"""
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    ended = subprocess.run(
        [sys.executable, "-c", code, address], capture_output=True, text=True, timeout=60, check=True, env=env
    )
    after_s, _, said = ended.stdout.strip().partition(" ")
    return said, float(after_s)


def test_an_unreachable_cluster_is_told_within_seconds(deaf: int):
    said, after_s = refused(f"127.0.0.1:{closed_port()}")
    assert re.match(r"ClusterUnreachableError .*nothing answers there .*Is the head node up", said)
    assert after_s < ANSWER_WITHIN_S
    said, after_s = refused(f"127.0.0.1:{deaf}")
    assert re.match(r"ClusterUnreachableError .*does not answer as a Ray GCS", said)
    assert after_s < ANSWER_WITHIN_S
    said, after_s = refused("10.255.255.1:6379")
    assert said.startswith("ClusterUnreachableError Ray cluster at 10.255.255.1:6379")
    assert after_s < ANSWER_WITHIN_S


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("head", "is not host:port"),
        ("head:gcs", "is not host:port"),
        (":6379", "is not host:port"),
        ("ray://head:10001", "a Ray client address cannot carry supervised tasks"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(address: str, said: str):
    with pytest.raises(ClusterUnreachableError, match=said):
        launch._connect(address)


def test_another_cluster_than_the_one_at_hand_is_not_taken_for_it(ray_session: object):
    with pytest.raises(ClusterUnreachableError, match="connected"):
        Supervisor.connect("nobody", address=f"127.0.0.1:{closed_port()}")


# -- logs that cannot be written ---------------------------------------------------------------------------------------


def start_with(path: Path, name: str = "never") -> Supervisor:
    return Supervisor.start({"log": {"path": str(path)}}, name=name)


def test_a_log_that_another_process_holds_is_told_with_its_pid(ray_session: object, tmp_path: Path):
    path = tmp_path / "held.duckdb"
    code = f"import duckdb\nc = duckdb.connect({str(path)!r})\nprint('open', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(EventLogError, match=rf"process {holder.pid} has it open.*choose another log path"):
            start_with(path)
        holder.kill()
    assert find_leader("never") is None


def test_a_log_that_is_no_database_or_damaged_or_a_folder_is_told(ray_session: object, tmp_path: Path):
    other = tmp_path / "other.txt"
    other.write_text("a file of somebody else\n" * 100)
    with pytest.raises(EventLogError, match="is not a DuckDB database"):
        start_with(other)
    assert other.read_text() == "a file of somebody else\n" * 100
    damaged = tmp_path / "damaged.duckdb"
    with duckdb.connect(str(damaged)) as made:
        made.execute("create table t as select range as n from range(100000)")
    with damaged.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    with pytest.raises(EventLogError, match=str(damaged)):
        start_with(damaged)
    with pytest.raises(EventLogError, match="it is a folder"):
        start_with(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(EventLogError, match="folder does not exist and cannot be created"):
        start_with(tmp_path / "file" / "log.duckdb")
    assert find_leader("never") is None


def test_a_log_where_nothing_can_be_written_is_told(ray_session: object):
    with pytest.raises(EventLogError, match=r"event log /proc/self/log\.duckdb: "):
        start_with(Path("/proc/self/log.duckdb"))


def limit_files(writer: Any, limit_bytes: int) -> None:
    """Let the writer's process write no file beyond that size: to DuckDB this is a full disk."""

    def apply(_: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))

    ray.get(writer.__ray_call__.remote(apply), timeout=30)


def test_on_a_full_disk_tasks_go_on_and_their_rows_arrive_once_there_is_room(sup: Supervisor, eventually: Any):
    assert sup.submit(square, 1).result(timeout=30) == 1
    assert sup.events.query("select count(*) as n from tasks") == [{"n": 1}]
    writer = sup._writer()
    limit_files(writer, 4096)
    futures = [sup.submit(square, n) for n in range(3000)]
    assert [future.result(timeout=60) for future in futures] == [n * n for n in range(3000)]
    eventually(lambda: sup._emitter.statistics().failures > 0, "a refusal by the disk")
    assert "its disk is full" in sup._emitter.statistics().last_error
    log = sup.status().log
    assert log.unacknowledged_rows > 2_900, "a few fit into what the disk had left"
    assert log.dropped_rows == 0
    limit_files(writer, resource.RLIM_INFINITY)
    eventually(lambda: sup.events.query("select count(distinct task_id) as n from tasks") == [{"n": 3001}], "all rows")
    assert sup.events.query("select count(*) as n from tasks") == [{"n": 3001}]
    assert sup.status().log.dropped_rows == 0


def test_a_log_that_gets_locked_later_stops_no_task(sup: Supervisor, family: Any, eventually: Any, tmp_path: Path):
    """The writer dies and a stranger opens the file before its successor: rows wait until the stranger has gone."""
    path = sup.config.log.path
    code = f"""
import duckdb, time
while True:
    try:
        held = duckdb.connect({path!r})
    except duckdb.IOException:
        time.sleep(0.0002)
    else:
        break
print("open", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None
        family.signal("event_log/writer")
        assert stranger.stdout.readline() == "open\n"
        assert [sup.submit(square, n).result(timeout=30) for n in range(100)] == [n * n for n in range(100)]
        eventually(lambda: str(stranger.pid) in family.child("event_log/writer").last_error, "the reason in the tree")
        assert str(stranger.pid) in (sup.status().log.error or "")
        stranger.kill()
    eventually(family.restored, "a writer")
    assert sup.events.query("select count(*) as n from tasks") == [{"n": 100}]
