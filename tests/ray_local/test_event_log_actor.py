"""The log's actor in a real Ray: killed mid-write again and again, and nothing acknowledged is lost or doubled."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from actors.event_log.actor import APPEND_THREADS, event_log_actor
from actors.event_log.schema import TASKS
from actors.runtime.batches import Batch, BatchRefusedError
from actors.runtime.emitter import Emitter
from actors.runtime.errors import EventLogError, QueryRefusedError
from actors.runtime.ids import NAMESPACE, ActorName

START_US = 1_700_000_000_000_000


def task_row(task_id: str, state: str = "done") -> tuple[Any, ...]:
    row: dict[str, Any] = {column.name: None for column in TASKS.columns}
    row |= {"task_id": task_id, "name": "charge", "state": state, "attempts": 1, "submitted_at": START_US}
    return tuple(row.values())


def batch(seq: int, *task_ids: str, epoch: str = "e") -> bytes:
    columns = [list(column) for column in zip(*map(task_row, task_ids), strict=True)]
    return pickle.dumps(Batch(epoch, seq, {"tasks": columns}))


def get(answer: Any, timeout: float = 60.0) -> Any:
    return ray.get(answer, timeout=timeout)


def eventually(condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
    give_up_at = monotonic() + within_s
    while not condition():
        assert monotonic() < give_up_at, "the condition did not come true in time"
        sleep(0.01)


class Writers:
    """The log's incarnations, one after the other, as a supervisor would make them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ActorName(f"t{uuid4().hex[:8]}", "event_log", "writer", 0)
        self.handle: Any = None
        self.pid = 0

    def start(self, **arguments: Any) -> Any:
        self.name = self.name.successor()
        made = event_log_actor().options(
            name=str(self.name), namespace=NAMESPACE, lifetime="detached", max_concurrency=APPEND_THREADS, num_cpus=0
        )
        handle = made.remote(str(self.name), 1, path=str(self.path), **arguments)
        self.pid = self._pid_of(handle)
        self.handle = handle
        return handle

    @staticmethod
    def _pid_of(handle: Any) -> int:
        """Who ends in its constructor may be out of reach first: Ray tells of the connection before the death."""
        while True:
            try:
                return get(handle.describe.remote(), timeout=60).pid
            except ActorUnavailableError:
                continue

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        if self.handle is not None:
            ray.kill(self.handle)


class ToCurrentWriter:
    """Sends a batch to whichever incarnation is the current one."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers

    def send(self, batch: Batch, done: Callable[[BaseException | None], None]) -> None:
        answer = self._writers.handle.append.remote(pickle.dumps(batch))
        answer.future().add_done_callback(lambda future: done(future.exception()))


@pytest.fixture
def writers(ray_session: object, tmp_path: Path) -> Iterator[Writers]:
    made = Writers(tmp_path / "log" / "events.duckdb")
    yield made
    made.end()


def test_killed_mid_write_it_loses_and_doubles_nothing_acknowledged(writers: Writers):
    writers.start()
    emitters = [Emitter(ToCurrentWriter(writers)) for _ in range(3)]
    accepted: list[list[str]] = [[] for _ in emitters]
    over = threading.Event()

    def emit_on(index: int) -> None:
        for number in itertools.count():
            task_id = f"{index}-{number}"
            if emitters[index].emit("tasks", task_row(task_id)):
                accepted[index].append(task_id)
            if number % 50 == 0 and over.wait(0.005):
                return

    threads = [threading.Thread(target=emit_on, args=(index,)) for index in range(len(emitters))]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = sum(emitter.statistics().acknowledged_rows for emitter in emitters)
        eventually(lambda seen=before: sum(e.statistics().acknowledged_rows for e in emitters) > seen + 300)
        writers.kill()
        writers.start()
    over.set()
    for thread in threads:
        thread.join()
    assert all(emitter.close(30.0) for emitter in emitters)
    stored = get(writers.handle.query.remote("SELECT task_id FROM tasks", row_limit=10_000_000))
    assert sorted(row["task_id"] for row in stored) == sorted(task for tasks in accepted for task in tasks)
    assert all(emitter.statistics().failures > 0 for emitter in emitters)


def test_a_replay_after_a_kill_changes_nothing(writers: Writers):
    get(writers.start().append.remote(batch(1, "a", "b")))
    writers.kill()
    handle = writers.start()
    get([handle.append.remote(batch(seq, "a", "b")) for seq in (1, 1)])
    assert get(handle.query.remote("SELECT count(*) AS n FROM tasks")) == [{"n": 2}]


def test_readers_get_rows_and_clear_refusals(writers: Writers):
    handle = writers.start()
    get(handle.append.remote(batch(1, "a")))
    assert get(handle.query.remote("select task_id from tasks where state = ?", ["done"])) == [{"task_id": "a"}]
    with pytest.raises(QueryRefusedError, match="INSERT"):
        get(handle.query.remote("insert into tasks (task_id) values ('x')"))
    with pytest.raises(EventLogError, match="does not work"):
        get(handle.query.remote("select nosuch from tasks"))


def test_a_batch_that_does_not_fit_is_refused_to_its_sender(writers: Writers):
    handle = writers.start()
    with pytest.raises(BatchRefusedError, match="no table 'nowhere'"):
        get(handle.append.remote(pickle.dumps(Batch("e", 1, {"nowhere": [[1]]}))))
    with pytest.raises(TypeError, match="pickled Batch"):
        get(handle.append.remote(pickle.dumps("hello")))
    assert get(handle.statistics.remote())["refused_batches"] == 1


def test_tail_follows_commits_across_a_restart_of_the_writer(writers: Writers):
    handle = writers.start()
    start = get(handle.tail.remote())
    waiting = handle.tail.remote(start.cursor, wait_s=20.0)
    get(handle.append.remote(batch(1, "a", "b")))
    first = get(waiting, timeout=20)
    writers.kill()
    handle = writers.start()
    get(handle.append.remote(batch(2, "c")))
    second = get(handle.tail.remote(first.cursor, kinds=["tasks"], wait_s=20.0))
    assert [event["task_id"] for event in first.events + second.events] == ["a", "b", "c"]
    assert get(handle.tail.remote(second.cursor)).events == []


def test_those_who_follow_keep_no_query_waiting(writers: Writers):
    handle = writers.start()
    followers = [handle.tail.remote(wait_s=20.0) for _ in range(8)]
    assert get(handle.query.remote("select 1 as one"), timeout=15) == [{"one": 1}]
    get(handle.append.remote(batch(1, "a")))
    assert len(get(followers, timeout=15)) == 8


def test_stop_commits_and_frees_the_file(writers: Writers):
    handle = writers.start()
    get(handle.append.remote(batch(1, "a")))
    get(handle.stop.remote(1))
    with pytest.raises(EventLogError, match="closed"):
        get(handle.append.remote(batch(2, "b")))
    following = Writers(writers.path)
    try:
        assert get(following.start().query.remote("select task_id from tasks")) == [{"task_id": "a"}]
    finally:
        following.end()


def test_a_second_writer_of_the_same_file_is_told_who_has_it(writers: Writers):
    writers.start()
    second = Writers(writers.path)
    with pytest.raises(ActorDiedError, match=f"process {writers.pid} has it open"):
        second.start()
    assert get(writers.handle.heartbeat.remote(1))["committed_rows"] == 0


def test_without_a_collector_the_log_goes_on(writers: Writers):
    handle = writers.start(otlp_endpoint="http://127.0.0.1:9")
    get(handle.append.remote(batch(1, "a")))
    assert get(handle.statistics.remote())["otlp"]["endpoint"] == "http://127.0.0.1:9/v1/traces"
