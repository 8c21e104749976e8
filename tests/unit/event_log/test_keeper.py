"""Checkpoints and trees in a real log file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from actors.checkpoint.format import Checkpoint, decode, encode
from actors.checkpoint.rules import LOG_BYTES_MAX
from actors.checkpoint.spool import Entry, Spool
from actors.event_log import keeper as keeping
from actors.event_log.keeper import StateKeeper
from actors.event_log.store import EventStore
from actors.event_log.tree_record import TreeRecord
from actors.runtime.errors import (
    CheckpointStoreError,
    CheckpointTooLargeError,
    EventLogClosedError,
    EventLogError,
    StaleIncarnationError,
)
from tests.unit.event_log.test_store import file_size_limit

KEY = "child/cart"
CHECKPOINT = Checkpoint(key=KEY, incarnation=1, number=1, class_name="Cart", state_version=1, at_us=5, state=b"s")
TREE = TreeRecord(supervisor="s", leader_incarnation=1, version=1, at_us=5, data=b"tree")


def encoded(incarnation: int, number: int, **changes: Any) -> bytes:
    return encode(replace(CHECKPOINT, incarnation=incarnation, number=number, **changes))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def keeper(store: EventStore, spool: Spool) -> StateKeeper:
    return StateKeeper(store, spool)


def kept(keeper: StateKeeper, key: str = KEY) -> list[tuple[int, int, int]]:
    orders: list[tuple[int, int, int]] = []
    while (found := keeper.get_checkpoint(key, orders[-1] if orders else None)) is not None:
        orders.append(found[0])
    return orders


class TestCheckpoints:
    def test_the_last_three_are_kept_newest_first(self, keeper: StateKeeper):
        for incarnation, number in ((1, 9), (1, 10), (2, 1), (2, 2)):
            keeper.put_checkpoint(encoded(incarnation, number), 0)
        assert kept(keeper)[:3] == [(0, 2, 2), (0, 2, 1), (0, 1, 10)]
        for number in range(3, 100):
            keeper.put_checkpoint(encoded(2, number), 0)
            assert 3 <= len(kept(keeper)) <= 12
        keeper.put_checkpoint(encoded(2, 2), 0)
        assert kept(keeper)[0] == (0, 2, 99)
        keeper.delete_checkpoints(KEY)
        keeper.put_checkpoint(encoded(2, 2), 0)
        assert keeper.get_checkpoint(KEY, None) == ((0, 2, 2), encoded(2, 2))

    def test_there_is_none_before_the_first(self, keeper: StateKeeper):
        assert keeper.get_checkpoint(KEY, None) is None

    def test_it_is_there_after_a_new_opening(self, keeper: StateKeeper, store: EventStore, path: Path):
        keeper.put_checkpoint(encoded(1, 1), 0)
        store.close()
        reopened = EventStore(path)
        assert kept(StateKeeper(reopened, Spool(path.parent / "another"))) == [(0, 1, 1)]
        reopened.close()

    def test_its_columns_can_be_read_with_sql(self, keeper: StateKeeper, read: Callable[..., Any]):
        keeper.put_checkpoint(encoded(2, 7), 3)
        assert read(
            "SELECT key, era, incarnation, number, class_name, state_version, epoch_us(at_time) FROM checkpoints"
        ) == [(KEY, 3, 2, 7, "Cart", 1, 5)]

    def test_the_same_one_again_changes_nothing(self, keeper: StateKeeper, read: Callable[..., Any]):
        for _ in range(3):
            keeper.put_checkpoint(encoded(1, 1), 0)
        assert (kept(keeper), read("SELECT count(*) FROM checkpoints")) == ([(0, 1, 1)], [(1,)])

    def test_one_that_arrives_late_is_behind_the_others(self, keeper: StateKeeper):
        for number in (5, 6, 7, 1):
            keeper.put_checkpoint(encoded(1, number), 0)
        assert kept(keeper) == [(0, 1, 7), (0, 1, 6), (0, 1, 5), (0, 1, 1)]

    def test_large_ones_are_dropped_at_once(self, keeper: StateKeeper):
        for number in range(1, 6):
            keeper.put_checkpoint(encoded(1, number, state=bytes(100_000)), 0)
        assert kept(keeper) == [(0, 1, 5), (0, 1, 4), (0, 1, 3)]

    def test_who_could_not_be_written_refuses_the_life_before_all_the_same(
        self, keeper: StateKeeper, store: EventStore
    ):
        keeper.put_checkpoint(encoded(1, 1), 0)
        store._writer.execute("ALTER TABLE checkpoints RENAME TO elsewhere")
        with pytest.raises(EventLogError):
            keeper.put_checkpoint(encoded(2, 1), 0)
        store._writer.execute("ALTER TABLE elsewhere RENAME TO checkpoints")
        with pytest.raises(StaleIncarnationError):
            keeper.put_checkpoint(encoded(1, 2), 0)
        assert kept(keeper) == [(0, 2, 1), (0, 1, 1)], "what the file has was read anew, and what it lacked is written"

    def test_a_replaced_life_is_refused(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(2, 1), 0)
        with pytest.raises(StaleIncarnationError):
            keeper.put_checkpoint(encoded(1, 500), 0)
        keeper.claim(KEY, 0, 3)
        with pytest.raises(StaleIncarnationError, match="3 has taken over"):
            keeper.put_checkpoint(encoded(2, 2), 0)
        with pytest.raises(StaleIncarnationError):
            keeper.claim(KEY, 0, 2)
        keeper.claim(KEY, 0, 3)
        keeper.put_checkpoint(encoded(3, 1), 0)
        assert kept(keeper) == [(0, 3, 1), (0, 2, 1)]

    def test_what_is_only_held_is_found_at_once_and_written_later(self, keeper: StateKeeper, read: Callable[..., Any]):
        numbers = "SELECT incarnation, number FROM checkpoints ORDER BY ALL"
        keeper.hold_checkpoint(encoded(1, 1), 0)
        assert read(numbers) == [(1, 1)], "the first of a child is written: nothing is known of it yet"
        keeper.hold_checkpoint(encoded(1, 2), 0)
        keeper.hold_checkpoint(encoded(1, 3), 0)
        assert read(numbers) == [(1, 1)]
        assert keeper.take_over(KEY, 0, 2) == ((0, 1, 3), encoded(1, 3))
        with pytest.raises(StaleIncarnationError):
            keeper.hold_checkpoint(encoded(1, 4), 0)
        keeper.write_marked()
        keeper.write_marked()
        assert read(numbers) == [(1, 1), (1, 3)], "it was acknowledged before its life was replaced"
        keeper.hold_checkpoint(encoded(2, 1), 0)
        keeper.put_checkpoint(encoded(2, 2), 0)
        keeper.write_all_owed()
        assert read(numbers) == [(1, 1), (1, 3), (2, 2)], "what is older than what is written is not missed"

    def test_whoever_reads_finds_what_is_held(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.hold_checkpoint(encoded(1, 2), 0)
        assert kept(keeper) == [(0, 1, 2), (0, 1, 1)]

    def test_a_writer_that_is_killed_loses_nothing(
        self, keeper: StateKeeper, store: EventStore, spool: Spool, read: Callable[..., Any]
    ):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.hold_checkpoint(encoded(1, 2), 0)
        keeper.take_over(KEY, 0, 2)
        successor = StateKeeper(store, spool)
        with pytest.raises(StaleIncarnationError):
            successor.hold_checkpoint(encoded(1, 3), 0)
        spool.take_owed()  # the marks were seen by whoever was killed
        successor.write_all_owed()
        assert read("SELECT incarnation, number FROM checkpoints ORDER BY ALL") == [(1, 1), (1, 2)]
        assert read("SELECT incarnation FROM checkpoint_claims") == [(2,)]

    def test_what_a_process_of_the_node_puts_into_the_spool_counts(
        self, keeper: StateKeeper, spool: Spool, read: Callable[..., Any]
    ):
        keeper.put_checkpoint(encoded(1, 1), 0)
        assert spool.put(KEY, (0, 1, 2), encoded(1, 2))
        assert spool.claim(KEY, (0, 2, 0)) == Entry((0, 2, 0), (0, 1, 2), encoded(1, 2))
        with pytest.raises(StaleIncarnationError):
            keeper.put_checkpoint(encoded(1, 3), 0)
        assert kept(keeper) == [(0, 1, 2), (0, 1, 1)]
        assert read("SELECT incarnation FROM checkpoint_claims") == [(2,)]

    def test_a_spool_that_cannot_be_written_names_itself_and_the_remedy(self, keeper: StateKeeper, spool: Spool):
        spool.folder.write_text("in the way", encoding="utf-8")
        with pytest.raises(CheckpointStoreError, match=r"child/cart: .* spool .*permission"):
            keeper.put_checkpoint(encoded(1, 1), 0)

    def test_what_is_held_and_deleted_is_gone(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.hold_checkpoint(encoded(1, 2), 0)
        keeper.delete_checkpoints(KEY)
        keeper.write_owed(KEY)
        assert kept(keeper) == []

    def test_a_large_one_is_written_at_once(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.hold_checkpoint(encoded(1, 2, state=bytes(100_000)), 0)
        assert kept(keeper) == [(0, 1, 2), (0, 1, 1)]

    def test_after_one_that_could_not_be_written_the_next_one_tells(self, keeper: StateKeeper, store: EventStore):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.hold_checkpoint(encoded(1, 2), 0)
        store._writer.execute("ALTER TABLE checkpoints RENAME TO elsewhere")
        with pytest.raises(EventLogError):
            keeper.write_marked()
        with pytest.raises(EventLogError):
            keeper.hold_checkpoint(encoded(1, 3), 0)
        store._writer.execute("ALTER TABLE elsewhere RENAME TO checkpoints")
        assert kept(keeper) == [(0, 1, 2), (0, 1, 1)], "what was acknowledged is not lost"
        keeper.hold_checkpoint(encoded(1, 4), 0)

    def test_who_takes_over_is_given_the_newest_and_refuses_whoever_was_before(
        self, keeper: StateKeeper, store: EventStore, tmp_path: Path, read: Callable[..., Any]
    ):
        assert keeper.take_over(KEY, 0, 1) is None
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.put_checkpoint(encoded(1, 2), 0)
        assert keeper.take_over(KEY, 0, 2) == ((0, 1, 2), encoded(1, 2))
        with pytest.raises(StaleIncarnationError):
            keeper.put_checkpoint(encoded(1, 3), 0)
        with pytest.raises(StaleIncarnationError):
            keeper.take_over(KEY, 0, 1)
        assert read("SELECT incarnation FROM checkpoint_claims") == [(1,)], "nobody waited for the file"
        keeper.write_owed(KEY)
        assert read("SELECT incarnation FROM checkpoint_claims") == [(2,)]
        keeper.take_over(KEY, 0, 3)
        keeper.put_checkpoint(encoded(3, 1), 0)
        assert read("SELECT incarnation FROM checkpoint_claims") == [(3,)]
        another = StateKeeper(store, Spool(tmp_path / "another"))
        assert another.take_over(KEY, 0, 4) == ((0, 3, 1), encoded(3, 1)), "read from the file"

    def test_what_is_too_large_to_be_held_is_read_from_the_file(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(1, 1, state=bytes(100_000)), 0)
        found = keeper.take_over(KEY, 0, 2)
        assert found is not None
        assert found[0] == (0, 1, 1)

    def test_a_claim_outlives_a_transaction_that_fails(self, keeper: StateKeeper, store: EventStore):
        keeper.put_checkpoint(encoded(1, 1), 0)
        keeper.take_over(KEY, 0, 2)
        store._writer.execute("ALTER TABLE checkpoints RENAME TO elsewhere")
        with pytest.raises(EventLogError):
            keeper.put_checkpoint(encoded(2, 1), 0)
        store._writer.execute("ALTER TABLE elsewhere RENAME TO checkpoints")
        with pytest.raises(StaleIncarnationError):
            keeper.put_checkpoint(encoded(1, 2), 0)

    def test_a_new_cluster_begins_anew(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(9, 1), 1)
        keeper.claim(KEY, 2, 1)
        keeper.put_checkpoint(encoded(1, 1), 2)
        assert kept(keeper) == [(2, 1, 1), (1, 9, 1)]

    def test_deleted_is_forgotten_claim_and_all(self, keeper: StateKeeper):
        keeper.claim(KEY, 0, 9)
        keeper.put_checkpoint(encoded(9, 1), 0)
        keeper.put_checkpoint(encoded(9, 1, key="child/other"), 0)
        keeper.delete_checkpoints(KEY)
        keeper.put_checkpoint(encoded(1, 1), 0)
        assert (kept(keeper), kept(keeper, "child/other")) == ([(0, 1, 1)], [(0, 9, 1)])

    def test_what_did_not_arrive_whole_is_refused(self, keeper: StateKeeper):
        with pytest.raises(CheckpointStoreError, match="of"):
            keeper.put_checkpoint(encoded(1, 1)[:-1], 0)
        assert kept(keeper) == []

    def test_one_that_is_too_large_names_the_remedy(self, keeper: StateKeeper):
        with pytest.raises(CheckpointTooLargeError, match="checkpoint_path") as caught:
            keeper.put_checkpoint(encoded(1, 1, state=bytes(LOG_BYTES_MAX)), 0)
        assert (caught.value.key, caught.value.limit_bytes) == (KEY, LOG_BYTES_MAX)

    def test_the_largest_come_back_whole(self, keeper: StateKeeper):
        for number in range(1, 6):
            keeper.put_checkpoint(encoded(1, number, state=bytes([number]) * (LOG_BYTES_MAX - 1000)), 0)
        found = keeper.get_checkpoint(KEY, None)
        assert found is not None
        read = decode(found[1])
        assert isinstance(read, Checkpoint)
        assert read.state == b"\x05" * (LOG_BYTES_MAX - 1000)

    def test_steady_checkpoints_do_not_grow_the_file(self, keeper: StateKeeper, path: Path):
        for number in range(400):
            keeper.put_checkpoint(encoded(1, number, state=number.to_bytes(4, "big") * 50_000), 0)
        assert sum(file.stat().st_size for file in path.parent.iterdir()) < 60_000_000

    def test_one_replaced_while_it_was_to_be_read_is_looked_for_anew(self, keeper: StateKeeper, monkeypatch: Any):
        for number in (1, 2):
            keeper.put_checkpoint(encoded(1, number), 0)
        orders, looked = keeping._orders, [0]

        def overtaken(connection: duckdb.DuckDBPyConnection, key: str) -> list[tuple[int, int, int]]:
            found = orders(connection, key)
            looked[0] += 1
            if looked[0] == 1:
                keeper.delete_checkpoints(KEY)
                keeper.put_checkpoint(encoded(1, 3), 0)
            return found

        monkeypatch.setattr(keeping, "_orders", overtaken)
        found = keeper.get_checkpoint(KEY, None)
        assert found is not None
        assert found[0] == (0, 1, 3)

    def test_appends_go_on_beside_it(self, keeper: StateKeeper, store: EventStore, batch_of: Any, task_row: Any):
        def append() -> None:
            for seq in range(40):
                store.append([batch_of(seq, task_row(f"t{seq}"))])

        thread = threading.Thread(target=append)
        thread.start()
        for number in range(40):
            keeper.put_checkpoint(encoded(1, number), 0)
        thread.join(30)
        assert (store.last_id, kept(keeper)[0]) == (40, (0, 1, 39))


class TestTrees:
    def test_the_last_three_are_kept_newest_first(self, keeper: StateKeeper):
        records = [
            replace(TREE, leader_incarnation=leader, version=version) for leader in (1, 2) for version in (9, 10)
        ]
        for record in records:
            keeper.put_tree(record)
        keeper.put_tree(replace(TREE, supervisor="other"))
        assert keeper.get_trees("s") == records[:0:-1]
        assert keeper.get_trees("nobody") == []

    def test_the_same_version_again_changes_nothing(self, keeper: StateKeeper):
        for _ in range(2):
            keeper.put_tree(TREE)
        assert keeper.get_trees("s") == [TREE]

    def test_one_that_arrives_late_is_dropped_at_once(self, keeper: StateKeeper):
        for version in (5, 6, 7, 1):
            keeper.put_tree(replace(TREE, version=version))
        assert [record.version for record in keeper.get_trees("s")] == [7, 6, 5]

    def test_a_replaced_leader_is_refused_until_the_cluster_is_a_new_one(self, keeper: StateKeeper):
        keeper.put_tree(replace(TREE, leader_incarnation=4))
        with pytest.raises(StaleIncarnationError, match="4 has taken over"):
            keeper.put_tree(replace(TREE, leader_incarnation=3, version=99))
        keeper.put_tree(replace(TREE, era=1))
        assert [record.order for record in keeper.get_trees("s")] == [(1, 1, 1), (0, 4, 1)]

    def test_one_that_is_too_large_is_refused(self, keeper: StateKeeper, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(keeping, "TREE_BYTES_MAX", 3)
        with pytest.raises(EventLogError, match="smaller arguments"):
            keeper.put_tree(TREE)


class TestFailures:
    def test_on_a_full_disk_what_was_kept_stays(self, keeper: StateKeeper):
        keeper.put_checkpoint(encoded(1, 1), 0)
        with file_size_limit(600_000), pytest.raises(EventLogError, match="disk is full"):
            keeper.put_checkpoint(encoded(1, 2, state=bytes(2_000_000)), 0)
        assert kept(keeper) == [(0, 1, 1)]
        keeper.put_checkpoint(encoded(1, 2), 0)
        assert kept(keeper)[0] == (0, 1, 2)

    def test_a_closed_log_says_so(self, keeper: StateKeeper, store: EventStore):
        store.close()
        for act in (
            lambda: keeper.put_checkpoint(encoded(1, 1), 0),
            lambda: keeper.get_checkpoint(KEY, None),
            lambda: keeper.get_trees("s"),
        ):
            with pytest.raises(EventLogClosedError):
                act()

    def test_a_failing_read_is_explained(self, keeper: StateKeeper, store: EventStore):
        store._writer.execute("DROP TABLE checkpoints")
        store._writer.execute("DROP TABLE tree_ledger")
        with pytest.raises(EventLogError, match="checkpoints"):
            keeper.get_checkpoint(KEY, None)
        with pytest.raises(EventLogError, match="tree_ledger"):
            keeper.get_trees("s")
