"""Checkpoints and trees through the log's real writer: killed, replaced, and nothing acknowledged is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from actors.checkpoint.format import Checkpoint
from actors.checkpoint.log import LogStore
from actors.checkpoint.rules import KEEP, LOG_BYTES_MAX, Found, era_of_session
from actors.event_log.tree_ledger import TreeLedger
from actors.runtime.errors import CheckpointStoreError, StaleIncarnationError
from tests.ray_local.test_event_log_actor import Writers, eventually, get

KEY = "child/shop.cart"


def checkpoint(incarnation: int, number: int, state: bytes = b"state") -> Checkpoint:
    return Checkpoint(
        key=KEY,
        incarnation=incarnation,
        number=number,
        class_name="shop.Cart",
        state_version=1,
        at_us=1_700_000_000_000_000,
        state=state,
    )


def latest(store: LogStore) -> Found:
    return store.latest(KEY, class_name="shop.Cart", state_version=1)


@pytest.fixture
def writers(ray_session: object, tmp_path: Path) -> Iterator[Writers]:
    made = Writers(tmp_path / "log" / "events.duckdb")
    yield made
    made.end()


def test_what_is_acknowledged_survives_the_writer_and_the_next_one_is_found(writers: Writers):
    writers.start()
    store = LogStore(lambda: writers.handle)
    acknowledged, over = [0], threading.Event()

    def put_on() -> None:
        number = 0
        while not over.is_set():
            number += 1
            store.put(checkpoint(1, number, number.to_bytes(4, "big") * 10_000))
            acknowledged[0] = number

    putting = threading.Thread(target=put_on)
    putting.start()
    for _ in range(2):
        before = acknowledged[0]
        eventually(lambda before=before: acknowledged[0] > before + 5)
        writers.kill()
        writers.start()
    over.set()
    putting.join(60)
    assert not putting.is_alive()
    found = latest(store)
    assert found.skipped == ()
    assert found.checkpoint is not None
    assert found.checkpoint.number == acknowledged[0]
    assert found.checkpoint.state == acknowledged[0].to_bytes(4, "big") * 10_000
    (kept,) = get(writers.handle.query.remote("SELECT count(*) AS n, max(number) AS newest FROM checkpoints"))
    assert KEEP <= kept["n"] <= 4 * KEEP
    assert kept["newest"] == acknowledged[0]


def test_errors_arrive_as_themselves_and_the_largest_comes_back(writers: Writers):
    writers.start()
    store = LogStore(lambda: writers.handle, era=era_of_session(ray.get_runtime_context().get_session_name()))
    assert store._era > 20_000_000_000_000
    store.put(checkpoint(1, 1, bytes(LOG_BYTES_MAX - 1_000)))
    store.claim(KEY, 2)
    with pytest.raises(StaleIncarnationError, match="2 has taken over"):
        store.put(checkpoint(1, 2))
    found = latest(store)
    assert found.checkpoint is not None
    assert found.checkpoint.state == bytes(LOG_BYTES_MAX - 1_000)


def test_without_a_writer_it_says_so_in_time(writers: Writers):
    store = LogStore(lambda: None, patience_s=0.3)
    with pytest.raises(CheckpointStoreError, match=r"no answer within 0.3 s; last: no writer is known"):
        store.put(checkpoint(1, 1))


def test_a_leader_finds_its_predecessors_tree(writers: Writers):
    writers.start()
    ledger = TreeLedger("shop", lambda: writers.handle)
    for version in range(1, 6):
        ledger.put(1, version, f"tree {version}".encode(), at_us=1_700_000_000_000_000)
    writers.kill()
    writers.start()
    assert [record.data for record in ledger.records()] == [b"tree 5", b"tree 4", b"tree 3"]
    ledger.put(2, 1, b"mine", at_us=1_700_000_000_000_000)
    with pytest.raises(StaleIncarnationError):
        ledger.put(1, 6, b"late", at_us=1_700_000_000_000_000)
    assert ledger.records()[0].data == b"mine"
