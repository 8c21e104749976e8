"""Checkpoints as files in a folder: on a disk, or wherever fsspec reaches (s3, gs, hdfs, memory ...).

A folder per child, a file per checkpoint, and an empty file for each claim. A writer touches what stands before its own
checkpoint and nothing after it. So two incarnations of a child that write at the same time, one of them replaced and
not knowing it, cannot destroy each other's: the earlier finds the later one's claim after it wrote, and is refused.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from actors.checkpoint import names
from actors.checkpoint.files import Files, local_path, open_files
from actors.checkpoint.format import Checkpoint, encode
from actors.checkpoint.rules import KEEP, Found, Order, choose, order_of, refuse_stale, surplus
from actors.runtime.errors import CheckpointStoreError, SupervisorError

_LISTINGS_MAX = 5
"""How often the folder is listed anew because what was listed has been removed meanwhile."""

_Result = TypeVar("_Result")


class FolderStore:
    """Checkpoints below a folder; a `CheckpointStore`.

    Args:
        url: A local path, or a URL that fsspec knows. A relative path means another folder in every process: make it
            absolute where the user wrote it (`absolute_url`).
        supervisor: Who keeps them here; two supervisors may share the folder. Empty: directly in the folder.
        era: Which life of the cluster this is, see `rules`.
        keep: How many of each child are kept.
    Raises:
        CheckpointStoreError: fsspec does not know the protocol, or lacks the package for it.
    """

    def __init__(self, url: str, *, supervisor: str = "", era: int = 0, keep: int = KEEP) -> None:
        if keep < 1:
            raise ValueError(f"keep={keep}: at least 1 checkpoint is kept")
        self.url = url
        self._prefix = f"{names.folder_name(supervisor)}/" if supervisor else ""
        self._era = era
        self._keep = keep
        self._files: Files = self._guard("", lambda: open_files(url))

    def claim(self, key: str, incarnation: int) -> None:
        """See `CheckpointStore.claim`."""
        order = (self._era, incarnation, 0)
        folder = self._folder(key)
        self._guard(key, lambda: self._files.write(folder, names.claim_name(order), _temporary(order), b""))
        refuse_stale(key, order, self._present(key))

    def take_over(self, key: str, incarnation: int, *, class_name: str, state_version: int) -> Found:
        """See `CheckpointStore.take_over`."""
        self.claim(key, incarnation)
        return self.latest(key, class_name=class_name, state_version=state_version)

    def put(self, checkpoint: Checkpoint) -> None:
        """See `CheckpointStore.put`."""
        key, order = checkpoint.key, order_of(checkpoint, self._era)
        folder, data = self._folder(key), encode(checkpoint)
        try:
            self._guard(key, lambda: self._files.write(folder, names.file_name(order), _temporary(order), data))
        except CheckpointStoreError:
            refuse_stale(key, order, self._present(key))
            raise
        # Asked after the write: whoever claims before he reads then either reads this one, or refuses it.
        listed = self._list(key)
        try:
            refuse_stale(key, order, _orders(listed))
        except SupervisorError:
            self._remove(folder, [names.file_name(order)])
            raise
        self._remove(folder, self._outdated(listed, order))

    def put_soon(self, checkpoint: Checkpoint) -> None:
        """See `CheckpointStore.put_soon`: nobody holds anything for a folder, so it is written."""
        self.put(checkpoint)

    def latest(self, key: str, *, class_name: str, state_version: int) -> Found:
        """See `CheckpointStore.latest`."""
        for _ in range(_LISTINGS_MAX):
            candidates = _Candidates(self, key)
            found = choose(key, candidates, class_name=class_name, state_version=state_version)
            if found.checkpoint is not None or not candidates.vanished:
                return found
        raise CheckpointStoreError(
            key,
            store=self.url,
            reason="its files are removed faster than they can be read",
            remedy="Find out who else writes there",
        )

    def delete(self, key: str) -> None:
        """See `CheckpointStore.delete`."""
        self._guard(key, lambda: self._files.remove_folder(self._folder(key)))

    def stored(self, key: str) -> list[Order]:
        """Which checkpoints there are, newest first, good or not."""
        found = (names.parse_file_name(name) for name in self._list(key))
        return sorted((order for order in found if order is not None), reverse=True)

    def read(self, key: str, order: Order) -> bytes | None:
        """The bytes of one checkpoint; None when it is gone, nothing at all when its disk cannot read it."""
        folder, name = self._folder(key), names.file_name(order)

        def read() -> bytes | None:
            try:
                return self._files.read(folder, name)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno == errno.EIO:
                    return b""
                raise

        return self._guard(key, read)

    def _outdated(self, listed: list[str], order: Order) -> list[str]:
        """What the checkpoint `order`, just written, makes superfluous."""
        files = (names.parse_file_name(name) for name in listed)
        doomed = [names.file_name(old) for old in surplus((one for one in files if one is not None), self._keep)]
        for name in listed:
            # A claim or an unfinished file of an earlier life: whoever made it is replaced.
            old = names.parse_claim_name(name) or names.parse_temporary_name(name)
            if old is not None and old[:2] < order[:2]:
                doomed.append(name)
        return doomed

    def _remove(self, folder: str, doomed: list[str]) -> None:
        for name in doomed:
            with suppress(Exception):  # what stays is removed next time; the checkpoint is safe already
                self._files.remove(folder, name)

    def _present(self, key: str) -> Iterator[Order]:
        return _orders(self._list(key))

    def _list(self, key: str) -> list[str]:
        return self._guard(key, lambda: self._files.names(self._folder(key)))

    def _folder(self, key: str) -> str:
        return f"{self._prefix}{names.folder_name(key)}"

    def _guard(self, key: str, act: Callable[[], _Result]) -> _Result:
        try:
            return act()
        except SupervisorError:
            raise
        except Exception as error:  # fsspec's systems raise whatever their libraries raise
            raise _explain(key, self.url, error) from error


class _Candidates:
    """A child's checkpoints, newest first, each read when it is its turn; notes whether one was gone by then."""

    def __init__(self, store: FolderStore, key: str) -> None:
        self._store = store
        self._key = key
        self.vanished = False

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for order in self._store.stored(self._key):
            data = self._store.read(self._key, order)
            if data is None:
                self.vanished = True
            else:
                yield names.file_name(order), data


def absolute_url(url: str) -> str:
    """The same folder for every process of this machine: a relative path is one of the calling process's folder."""
    path = local_path(url)
    return url if path is None else str(path)


def _orders(listed: list[str]) -> Iterator[Order]:
    for name in listed:
        order = names.parse_file_name(name) or names.parse_claim_name(name)
        if order is not None:
            yield order


def _temporary(order: Order) -> str:
    return names.temporary_name(order, os.urandom(8).hex())


def _explain(key: str, url: str, error: Exception) -> CheckpointStoreError:
    reason, remedy = str(error).strip().split("\n", 1)[0] or type(error).__name__, "Check the path and try again"
    if isinstance(error, ImportError):
        remedy = "Install that package on every node"
    elif isinstance(error, ValueError) and "protocol" in reason.lower():
        remedy = "Name a local path or a URL that fsspec knows, for example s3://bucket/folder"
    elif isinstance(error, PermissionError):
        remedy = "Give this user write permission there, or choose another checkpoint_path"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        reason, remedy = f"the disk is full ({reason})", "Free space there; the checkpoints before are untouched"
    elif isinstance(error, (NotADirectoryError, FileExistsError)):
        remedy = "Name a folder: a file stands in its way"
    return CheckpointStoreError(key or "any child", store=url, reason=reason.rstrip(". "), remedy=remedy)
