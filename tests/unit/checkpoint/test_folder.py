"""Checkpoints as files: on a real disk and in fsspec's memory."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest

from actors.checkpoint import files as disk
from actors.checkpoint.files import LocalFiles, RemoteFiles, local_path, open_files
from actors.checkpoint.folder import FolderStore, absolute_url
from actors.checkpoint.format import Checkpoint
from actors.checkpoint.rules import Found
from actors.runtime.errors import CheckpointMismatchError, CheckpointStoreError, StaleIncarnationError

KEY = "child/shop.cart"
CHECKPOINT = Checkpoint(key=KEY, incarnation=1, number=1, class_name="Cart", state_version=1, at_us=0, state=b"1-1")


def checkpoint(incarnation: int, number: int, key: str = KEY) -> Checkpoint:
    state = f"{incarnation}-{number}".encode()
    return replace(CHECKPOINT, key=key, incarnation=incarnation, number=number, state=state)


def latest(store: FolderStore, key: str = KEY) -> Found:
    return store.latest(key, class_name="Cart", state_version=1)


def state(store: FolderStore, key: str = KEY) -> bytes | None:
    found = latest(store, key)
    return found.checkpoint.state if found.checkpoint else None


def overwrite(url: str, incarnation: int, number: int, data: bytes) -> None:
    """Change one checkpoint's bytes behind the store's back."""
    file = f"{url}/child~2fshop.cart/{0:014d}-{incarnation:08d}-{number:012d}.ckpt"
    with fsspec.open(file, "wb") as opened:
        opened.write(data)  # pyright: ignore[reportAttributeAccessIssue] - fsspec types it as a list


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = f"{tmp_path}/deep/folder"
    return {"path": folder, "file": f"file://{folder}", "memory": f"memory://{uuid4().hex}/folder"}[request.param]


@pytest.fixture
def store(url: str) -> FolderStore:
    return FolderStore(url)


class TestStore:
    def test_what_was_put_is_found_by_every_opening(self, store: FolderStore, url: str):
        store.put(checkpoint(1, 1))
        store.put(checkpoint(1, 2))
        assert latest(FolderStore(url)) == Found(checkpoint(1, 2))

    def test_an_empty_store_has_nothing(self, store: FolderStore):
        assert latest(store) == Found(None)
        store.delete(KEY)

    def test_the_last_three_are_kept(self, store: FolderStore):
        for number in range(1, 8):
            store.put(checkpoint(1, number))
        assert store.stored(KEY) == [(0, 1, 7), (0, 1, 6), (0, 1, 5)]

    def test_numbers_are_compared_as_numbers(self, store: FolderStore):
        for incarnation, number in ((1, 9), (1, 10), (9, 1), (10, 1), (10, 100)):
            store.put(checkpoint(incarnation, number))
        assert state(store) == b"10-100"

    def test_the_same_one_again_changes_nothing(self, store: FolderStore, url: str):
        for _ in range(2):
            store.put(checkpoint(1, 1))
        assert (store.stored(KEY), state(store)) == ([(0, 1, 1)], b"1-1")

    def test_a_damaged_one_falls_back_to_the_one_before_and_is_named(self, store: FolderStore, url: str):
        for number in (1, 2, 3):
            store.put(checkpoint(1, number))
        overwrite(url, 1, 3, b"garbage")
        overwrite(url, 1, 2, b"")
        found = latest(store)
        assert found.checkpoint == checkpoint(1, 1)
        assert [reason.partition(": ")[2] for reason in found.skipped] == [
            "it is no checkpoint: it does not begin as one",
            "it is empty",
        ]

    def test_another_class_is_refused(self, store: FolderStore):
        store.put(checkpoint(1, 1))
        with pytest.raises(CheckpointMismatchError):
            store.latest(KEY, class_name="Basket", state_version=1)

    def test_deleted_is_gone_and_others_stay(self, store: FolderStore):
        store.put(checkpoint(1, 1))
        store.put(checkpoint(1, 1, key="child/other"))
        store.delete(KEY)
        assert (state(store), state(store, "child/other")) == (None, b"1-1")

    def test_supervisors_share_a_folder_without_meeting(self, url: str):
        one, other = FolderStore(url, supervisor="one"), FolderStore(url, supervisor="other")
        one.put(checkpoint(5, 1))
        other.put(checkpoint(1, 1))
        one.delete(KEY)
        assert (state(one), state(other)) == (None, b"1-1")

    def test_a_new_cluster_goes_on_from_the_one_before(self, url: str):
        before, after = FolderStore(url, era=1), FolderStore(url, era=2)
        before.put(checkpoint(7, 500))
        assert state(after) == b"7-500"
        after.claim(KEY, 1)
        after.put(checkpoint(1, 1))
        assert state(after) == b"1-1"

    def test_a_file_of_somebody_else_is_left_alone(self, tmp_path: Path):
        store = FolderStore(str(tmp_path))
        store.put(checkpoint(1, 1))
        note = tmp_path / "child~2fshop.cart" / "notes.txt"
        note.write_text("mine")
        for number in range(2, 9):
            store.put(checkpoint(1, number))
        assert (note.read_text(), state(store)) == ("mine", b"1-8")

    def test_none_kept_is_refused(self, url: str):
        with pytest.raises(ValueError, match="at least 1"):
            FolderStore(url, keep=0)


class TestTwoIncarnations:
    def test_a_replaced_one_is_refused_and_its_successors_checkpoint_stays(self, store: FolderStore):
        store.put(checkpoint(1, 1))
        store.put(checkpoint(2, 1))
        with pytest.raises(StaleIncarnationError):
            store.put(checkpoint(1, 500))
        assert store.stored(KEY) == [(0, 2, 1), (0, 1, 1)]

    def test_a_claim_refuses_earlier_ones_before_anything_is_written(self, store: FolderStore):
        store.put(checkpoint(1, 1))
        store.claim(KEY, 2)
        with pytest.raises(StaleIncarnationError, match="2 has taken over"):
            store.put(checkpoint(1, 2))
        assert state(store) == b"1-1"
        with pytest.raises(StaleIncarnationError):
            store.claim(KEY, 1)
        store.claim(KEY, 2)
        store.put(checkpoint(2, 1))
        assert state(store) == b"2-1"

    def test_old_claims_and_unfinished_files_are_cleared_away(self, tmp_path: Path):
        store = FolderStore(str(tmp_path))
        store.claim(KEY, 1)
        folder = tmp_path / "child~2fshop.cart"
        (folder / f"{0:014d}-{1:08d}-{9:012d}.ab.tmp").touch()
        (folder / f"{0:014d}-{3:08d}-{9:012d}.cd.tmp").touch()
        store.claim(KEY, 2)
        store.put(checkpoint(2, 1))
        assert sorted(path.suffix for path in folder.iterdir()) == [".ckpt", ".claim", ".tmp"]
        assert [path.name for path in folder.glob("*.tmp")] == [f"{0:014d}-{3:08d}-{9:012d}.cd.tmp"]

    def test_whoever_loses_his_unfinished_file_to_his_successor_is_told_that(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        store = FolderStore(str(tmp_path))
        written = disk._write_durably

        def overtaken(path: Path, data: bytes) -> None:
            written(path, data)
            if "-00000001-" in path.name:
                store.put(checkpoint(2, 1))

        monkeypatch.setattr(disk, "_write_durably", overtaken)
        with pytest.raises(StaleIncarnationError):
            store.put(checkpoint(1, 1))
        assert state(store) == b"2-1"

    def test_writing_at_the_same_time_the_later_one_never_loses(self, url: str):
        """Whatever of the earlier one was acknowledged before the claim is found; nothing is acknowledged after it."""
        store, acknowledged, claimed = FolderStore(url), [0], threading.Event()

        def earlier() -> None:
            try:
                for number in range(1, 10_000):
                    store.put(checkpoint(1, number))
                    acknowledged[0] = number
                    if number >= 20:
                        claimed.set()
            except StaleIncarnationError:
                pass

        thread = threading.Thread(target=earlier)
        thread.start()
        assert claimed.wait(30)
        store.claim(KEY, 2)
        found = latest(store).checkpoint
        assert found is not None
        for number in range(1, 6):
            store.put(checkpoint(2, number))
        thread.join(30)
        assert found.number >= acknowledged[0]
        assert state(store) == b"2-5"
        store.put(checkpoint(2, 6))  # what could not be removed while both wrote goes with the next
        assert store.stored(KEY) == [(0, 2, 6), (0, 2, 5), (0, 2, 4)]


class TestReading:
    def test_a_file_pruned_while_it_was_to_be_read_is_looked_for_anew(self, store: FolderStore, url: str):
        store.put(checkpoint(1, 1))
        read, other = store._files.read, FolderStore(url)

        def overtaken(folder: str, name: str) -> bytes:
            if other.stored(KEY)[0] == (0, 1, 1):
                for number in range(2, 6):
                    other.put(checkpoint(1, number))
            return read(folder, name)

        store._files.read = overtaken
        assert state(store) == b"1-5"

    def test_files_that_always_vanish_are_an_error(self, store: FolderStore):
        store.put(checkpoint(1, 1))

        def gone(folder: str, name: str) -> bytes:
            raise FileNotFoundError(name)

        store._files.read = gone
        with pytest.raises(CheckpointStoreError, match="removed faster"):
            latest(store)

    def test_a_bad_sector_is_passed_over_and_a_bad_network_is_not(self, store: FolderStore):
        for number in (1, 2):
            store.put(checkpoint(1, number))
        read: Callable[[str, str], bytes] = store._files.read
        error: list[Exception] = [OSError(errno.EIO, "bad sector")]

        def failing(folder: str, name: str) -> bytes:
            if name.endswith("2.ckpt"):
                raise error[0]
            return read(folder, name)

        store._files.read = failing
        assert (state(store), len(latest(store).skipped)) == (b"1-1", 1)
        error[0] = RuntimeError("503 slow down")
        with pytest.raises(CheckpointStoreError, match="503 slow down"):
            latest(store)


class TestFailures:
    def test_a_failed_write_leaves_what_was_there(self, store: FolderStore, monkeypatch: pytest.MonkeyPatch):
        store.put(checkpoint(1, 1))

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(disk, "_write_durably", full)
        if isinstance(store._files, RemoteFiles):
            monkeypatch.setattr(store._files._system, "pipe_file", full, raising=False)
        with pytest.raises(CheckpointStoreError, match=r"disk is full.*Free space there") as caught:
            store.put(checkpoint(1, 2))
        assert (caught.value.key, caught.value.store) == (KEY, store.url)
        monkeypatch.undo()
        assert state(store) == b"1-1"
        assert [name for name in store._files.names("child~2fshop.cart") if name.endswith(".tmp")] == []

    def test_what_cannot_be_removed_stays_for_the_next_time(self, store: FolderStore):
        remove = store._files.remove

        def stuck(folder: str, name: str) -> None:
            raise PermissionError(name)

        store._files.remove = stuck
        for number in range(1, 6):
            store.put(checkpoint(1, number))
        assert len(store.stored(KEY)) == 5
        store._files.remove = remove
        store.put(checkpoint(1, 6))
        assert len(store.stored(KEY)) == 3

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("nosuch://bucket/x", r"[Pp]rotocol.*Name a local path or a URL that fsspec knows"),
            ("s3://bucket/x", r"s3fs.*Install that package on every node"),
        ],
    )
    def test_an_unusable_url_says_what_to_do(self, url: str, says: str):
        with pytest.raises(CheckpointStoreError, match=says):
            FolderStore(url)

    def test_a_file_in_the_way(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(CheckpointStoreError, match="a file stands in its way"):
            FolderStore(f"{tmp_path}/file").claim("child/a", 1)

    @pytest.mark.skipif(os.geteuid() == 0, reason="permissions mean nothing to root")
    def test_a_folder_that_may_not_be_written(self, tmp_path: Path):
        tmp_path.chmod(0o555)
        with pytest.raises(CheckpointStoreError, match="write permission"):
            FolderStore(f"{tmp_path}/x").claim("child/a", 1)

    def test_permission_is_named(self, store: FolderStore):
        def denied(folder: str, name: str, temporary: str, data: bytes) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        store._files.write = denied
        with pytest.raises(CheckpointStoreError, match="Give this user write permission"):
            store.put(checkpoint(1, 1))


class TestFiles:
    def test_local_files_are_for_this_user_only(self, tmp_path: Path):
        FolderStore(f"{tmp_path}/made").put(checkpoint(1, 1))
        (file,) = (tmp_path / "made" / "child~2fshop.cart").iterdir()
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    def test_a_file_and_its_folders_are_synced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        synced: list[str] = []
        sync = os.fsync

        def note(descriptor: int) -> None:
            synced.append(os.readlink(f"/proc/self/fd/{descriptor}").removeprefix(str(tmp_path)))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", note)
        LocalFiles(tmp_path / "a").write("b", "final", "newborn", b"x")
        assert synced == ["", "/a", "/a/b/newborn", "/a/b"]

    def test_a_drive_that_cannot_sync_folders_is_used_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        sync = os.fsync
        code = [errno.EINVAL]

        def refuse(descriptor: int) -> None:
            if Path(f"/proc/self/fd/{descriptor}").is_dir():
                raise OSError(code[0], "no")
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", refuse)
        LocalFiles(tmp_path).write("b", "final", "newborn", b"x")
        code[0] = errno.EIO
        with pytest.raises(OSError, match="no"):
            LocalFiles(tmp_path).write("b", "final", "newborn", b"x")

    def test_a_system_that_renames_onto_no_existing_file(self, monkeypatch: pytest.MonkeyPatch):
        opened = open_files(f"memory://{uuid4().hex}")
        assert isinstance(opened, RemoteFiles)
        opened.write("f", "final", "newborn", b"same")

        def occupied(*_: Any) -> None:
            raise FileExistsError("final")

        monkeypatch.setattr(opened._system, "mv", occupied, raising=False)
        opened.write("f", "final", "newborn", b"same")
        with pytest.raises(FileExistsError):
            opened.write("f", "final", "newborn", b"other")
        with pytest.raises(FileExistsError):
            opened.write("f", "absent", "newborn", b"other")
        assert opened.names("f") == ["final"]

    def test_local_paths_are_told_from_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        assert local_path("ckpt") == local_path("file://ckpt") == tmp_path / "ckpt"
        assert local_path("~/ckpt") == Path.home() / "ckpt"
        assert local_path("s3://bucket/x") is local_path("simplecache::s3://bucket/x") is None
        assert absolute_url("ckpt") == str(tmp_path / "ckpt")
        assert absolute_url("s3://bucket/x") == "s3://bucket/x"
