"""The way to the writer, with a real log and a Ray that is made up: its handles answer at once, or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, GetTimeoutError, RayTaskError

from actors.checkpoint.format import Checkpoint
from actors.checkpoint.log import LogStore
from actors.checkpoint.rules import LOG_BYTES_MAX, Found
from actors.checkpoint.spool import SMALL_BYTES, Spool
from actors.event_log import asking
from actors.event_log.asking import KnownWriter, ask_writer
from actors.event_log.keeper import StateKeeper
from actors.event_log.store import EventStore
from actors.event_log.tree_ledger import TreeLedger
from actors.runtime.errors import (
    CheckpointMismatchError,
    CheckpointStoreError,
    CheckpointTooLargeError,
    EventLogClosedError,
    EventLogError,
    StaleIncarnationError,
    WriterUnavailableError,
)

CHECKPOINT = Checkpoint(key="child/a", incarnation=1, number=1, class_name="A", state_version=1, at_us=0, state=b"s")


class MadeUpRay:
    """A clock that moves by what is waited, and answers that are ready, failed, or never come."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.asked: list[str] = []

    def now(self) -> float:
        return self.time_s

    def now_ns(self) -> int:
        return int(self.time_s * 1e9)

    def wall_us(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds

    def get(self, answer: Callable[[], Any], timeout: float) -> Any:
        try:
            return answer()
        except GetTimeoutError:
            self.time_s += timeout
            raise
        except (EventLogError, StaleIncarnationError, CheckpointStoreError, KeyError) as error:
            raise RayTaskError("put", "trace", error).as_instanceof_cause() from None


SHORTER = {"claim_checkpoints": "claim", "take_over_checkpoints": "take_over"}
"""What has another name in the keeper."""


class Handle:
    """Calls the keeper, or fails each call."""

    def __init__(self, ray: MadeUpRay, keeper: StateKeeper | None = None, failure: Exception | None = None) -> None:
        self._ray, self._keeper, self._failure = ray, keeper, failure

    def __getattr__(self, method: str) -> Any:
        return _Method(self, method)

    def answer(self, method: str, arguments: tuple[Any, ...]) -> Any:
        self._ray.asked.append(method)
        if self._failure is not None:
            raise self._failure
        return getattr(self._keeper, SHORTER.get(method, method))(*arguments)


class _Method:
    def __init__(self, handle: Handle, method: str) -> None:
        self._handle, self._method = handle, method

    def remote(self, *arguments: Any) -> Callable[[], Any]:
        return lambda: self._handle.answer(self._method, arguments)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> MadeUpRay:
    made = MadeUpRay()
    monkeypatch.setattr(asking.ray, "get", made.get)
    monkeypatch.setattr(asking, "sleep", made.sleep)
    return made


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    opened = EventStore(tmp_path / "events.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def writer(ray: MadeUpRay, log: EventStore, spool: Spool) -> Handle:
    return Handle(ray, StateKeeper(log, spool))


class TestAsking:
    def test_one_that_is_being_replaced_is_waited_for(self, ray: MadeUpRay, writer: Handle):
        def missing() -> Any:
            raise ValueError("Failed to look up actor with name 's/event_log/writer#2'")

        stages: list[Callable[[], Any]] = [
            lambda: None,
            missing,
            lambda: Handle(ray, failure=ActorDiedError()),
            lambda: Handle(ray, failure=GetTimeoutError("slow")),
            lambda: Handle(ray, failure=EventLogClosedError("p")),
            lambda: writer,
        ]

        def next_stage() -> Any:
            return stages.pop(0)()

        assert ask_writer(next_stage, "get_trees", "s", clock=ray) == []
        assert ray.asked == ["get_trees"] * 4

    def test_one_that_is_known_is_asked_first_and_looked_for_only_when_it_fails(self, ray: MadeUpRay, writer: Handle):
        looked: list[str] = []

        def find() -> Handle:
            looked.append("looked")
            return writer

        assert ask_writer(KnownWriter(find, writer), "get_trees", "s", clock=ray) == []
        assert looked == []
        dead = KnownWriter(find, Handle(ray, failure=ActorDiedError()))
        assert [ask_writer(dead, "get_trees", "s", clock=ray) for _ in range(2)] == [[], []]
        assert looked == ["looked"]

    @pytest.mark.parametrize(
        ("failure", "last"),
        [
            (None, "no writer is known"),
            (GetTimeoutError("too slow\nmore"), "too slow"),
            (EventLogClosedError("p"), "closed"),
        ],
    )
    def test_patience_ends(self, ray: MadeUpRay, failure: Exception | None, last: str):
        handle = Handle(ray, failure=failure) if failure else None
        with pytest.raises(WriterUnavailableError, match=last) as caught:
            ask_writer(lambda: handle, "get_trees", "s", patience_s=20.0, clock=ray)
        assert caught.value.patience_s == 20.0
        assert 20.0 <= ray.time_s < 21.0

    @pytest.mark.parametrize("failure", [StaleIncarnationError("x", sent_by=1, accepted=2), KeyError("bug")])
    def test_what_the_writer_raises_arrives_as_itself_and_at_once(self, ray: MadeUpRay, failure: Exception):
        with pytest.raises(type(failure)) as caught:
            ask_writer(lambda: Handle(ray, failure=failure), "put_tree", clock=ray)
        assert caught.value is failure
        assert ray.time_s == 0.0


class TestLogStore:
    @pytest.fixture
    def store(self, writer: Handle) -> LogStore:
        return LogStore(lambda: writer, era=4)

    def test_what_was_put_is_found(self, store: LogStore):
        store.claim("child/a", 1)
        for number in (1, 2):
            store.put(replace(CHECKPOINT, number=number))
        found = store.latest("child/a", class_name="A", state_version=1)
        assert found == Found(replace(CHECKPOINT, number=2))
        store.delete("child/a")
        assert store.latest("child/a", class_name="A", state_version=1) == Found(None)

    def test_a_damaged_one_falls_back_and_is_named(self, store: LogStore, log: EventStore):
        for number in (1, 2):
            store.put(replace(CHECKPOINT, number=number))
        log._writer.execute("UPDATE checkpoints SET data = 'rot'::BLOB WHERE number = 2")
        assert store.latest("child/a", class_name="A", state_version=1) == Found(
            CHECKPOINT, ("checkpoint 1.2 in the event log: it is no checkpoint: it does not begin as one",)
        )

    def test_another_class_is_refused(self, store: LogStore):
        store.put(CHECKPOINT)
        with pytest.raises(CheckpointMismatchError):
            store.latest("child/a", class_name="B", state_version=1)

    def test_one_that_is_too_large_is_not_even_sent(self, store: LogStore, ray: MadeUpRay):
        with pytest.raises(CheckpointTooLargeError, match="checkpoint_path"):
            store.put(replace(CHECKPOINT, state=bytes(LOG_BYTES_MAX)))
        assert ray.asked == []

    def test_a_replaced_life_is_refused(self, store: LogStore):
        store.claim("child/a", 2)
        with pytest.raises(StaleIncarnationError):
            store.put(CHECKPOINT)

    def test_on_the_logs_node_a_failover_waits_for_nobody(
        self, store: LogStore, writer: Handle, spool: Spool, ray: MadeUpRay
    ):
        near = LogStore(lambda: writer, era=4, spool=spool)
        assert near.take_over("child/a", 1, class_name="A", state_version=1) == Found(None)
        assert ray.asked == ["take_over_checkpoints"], "nothing is known here of a child that is new"
        near.put_soon(CHECKPOINT)
        near.put_soon(replace(CHECKPOINT, number=2))
        found = near.take_over("child/a", 2, class_name="A", state_version=1)
        assert found == Found(replace(CHECKPOINT, number=2))
        assert ray.asked[1:] == [], "it finds what is put there by itself"
        for far_or_near in (near, store):
            with pytest.raises(StaleIncarnationError):
                far_or_near.put_soon(replace(CHECKPOINT, number=3))
        assert store.latest("child/a", class_name="A", state_version=1) == found

    def test_of_a_large_state_the_log_is_asked(self, writer: Handle, spool: Spool, ray: MadeUpRay):
        near = LogStore(lambda: writer, era=4, spool=spool)
        large = replace(CHECKPOINT, state=bytes(SMALL_BYTES + 1))
        near.put_soon(large)
        assert near.take_over("child/a", 2, class_name="A", state_version=1) == Found(large)
        assert ray.asked == ["hold_checkpoint", "take_over_checkpoints"]

    def test_a_spool_that_cannot_be_read_leaves_it_to_the_log(self, writer: Handle, tmp_path: Path, ray: MadeUpRay):
        (tmp_path / "in the way").write_text("", encoding="utf-8")
        blind = LogStore(lambda: writer, era=4, spool=Spool(tmp_path / "in the way"))
        blind.put_soon(CHECKPOINT)
        assert blind.take_over("child/a", 2, class_name="A", state_version=1) == Found(CHECKPOINT)
        assert ray.asked == ["hold_checkpoint", "take_over_checkpoints"]

    def test_a_failing_log_is_a_store_error_with_its_remedy(self, ray: MadeUpRay):
        full = EventLogError("/log", reason="its disk is full", remedy="Free space there")
        store = LogStore(lambda: Handle(ray, failure=full))
        with pytest.raises(CheckpointStoreError, match=r"child/a: .* /log: its disk is full\. Free space there"):
            store.put(CHECKPOINT)


def test_the_tree_ledger_puts_and_reads(writer: Handle):
    ledger = TreeLedger("s", lambda: writer, era=2)
    for version in (1, 2):
        ledger.put(3, version, b"tree", at_us=7)
    assert [(record.order, record.data, record.at_us) for record in ledger.records()] == [
        ((2, 3, 2), b"tree", 7),
        ((2, 3, 1), b"tree", 7),
    ]
    with pytest.raises(StaleIncarnationError):
        ledger.put(2, 9, b"tree", at_us=7)
