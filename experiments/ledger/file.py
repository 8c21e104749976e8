"""The ledger as a file beside the node's board: appended under a lock, synced before anything is done, read by anybody.

Several runners of a host write to one file; each append is one write under an flock that ends with its process. When
the file has grown and nothing is on, what has ended is dropped but for the last runs: a new file is renamed into place,
and a writer that finds itself on the former one opens the new one. What is on is kept on a board as well, see
`experiments.ledger.board`: who takes the file away, or fills its disk, hides no fault.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from actors.runtime.board_file import leads_to, open_own
from experiments.errors import LedgerUnwritableError
from experiments.ledger.board import LedgerBoard
from experiments.ledger.entry import Entry, Step, decode_all, encode
from experiments.ledger.standing import RunStanding, fold

BYTES_MAX = 1_048_576
"""Beyond it what has ended is dropped, but for the last runs."""

RUNS_KEPT = 50

LESSENING: frozenset[Step] = frozenset(("undone", "kept_on", "observing", "ended"))
"""Steps that put nothing on: where the disk is full, the board keeps them until the file has room."""

TELLING: frozenset[Step] = frozenset(("armed", "injected", "proven", "observing"))
"""Steps after which the same may be on as before: the board, which is laid at a price, need not know of them."""

_OPEN_ATTEMPTS = 16


class Ledger:
    """The ledger of one host.

    Args:
        path: The file; it is made, with mode 0600, at the first entry. Its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._board = LedgerBoard(path.with_name(f"{path.stem}-chaos.board"))

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def append(self, *entries: Entry) -> None:
        """Write entries; when this returns they outlive every process, and the machine.

        Raises:
            LedgerUnwritableError: They could not be written; nothing may be done that they tell of.
        """
        with self._locked() as descriptor:
            self._write(descriptor, entries)

    def begin(self, entry: Entry, refusal: Callable[[list[RunStanding]], str]) -> str:
        """Write a run's first entry unless the runs that go on forbid it; one start at a time decides.

        Args:
            entry: The first entry.
            refusal: Says why it may not start beside these runs; nothing: it may.
        Returns: Why it did not start, or nothing.
        Raises:
            LedgerUnwritableError: It could not be written.
        """
        with self._locked() as descriptor:
            why = refusal(list(fold(self._known(_read_all(descriptor))[0]).values()))
            if not why:
                self._write(descriptor, (entry,))
            return why

    def entries(self) -> tuple[list[Entry], list[tuple[int, str]]]:
        """What is written, and the damaged lines of the file by number.

        Raises:
            OSError: It cannot be read.
        """
        descriptor = open_own(self._path, os.O_RDONLY)
        if descriptor is None:
            return self._known(b"")
        try:
            return self._known(_read_all(descriptor))
        finally:
            os.close(descriptor)

    def runs(self) -> dict[str, RunStanding]:
        """What it comes to.

        Raises:
            OSError: It cannot be read.
        """
        return fold(self.entries()[0])

    def _known(self, data: bytes) -> tuple[list[Entry], list[tuple[int, str]]]:
        """What the file, of which these are the bytes, and the board say together; and the file's damaged lines."""
        entries, damaged = decode_all(data)
        # Behind the file's: an undo that was written before its fault was armed again must not hide that.
        return [*entries, *_lacking(entries, [*(self._board.standing() or ()), *self._board.owed()])], damaged

    def _write(self, descriptor: int, entries: Iterable[Entry]) -> None:
        new = list(entries)
        owed = [*self._board.owed(), *new]
        standing = self._board.standing()
        lost = os.fstat(descriptor).st_size == 0
        if standing is None and not lost:
            standing = self._known(_read_all(descriptor))[0]
        known = [*(standing or ()), *owed]
        try:
            _put(descriptor, known if lost else owed)
        except OSError as error:
            if all(entry.step in LESSENING for entry in new) and self._board.lay(known, owed):
                return
            raise LedgerUnwritableError(str(self._path), reason=error.strerror or str(error)) from error
        if lost or len(owed) > len(new) or any(entry.step not in TELLING for entry in new):
            if not self._board.lay(known):
                self._board.take_away()

    @contextmanager
    def _locked(self) -> Generator[int]:
        """A descriptor of the file that stands at the path, under its lock."""
        descriptor = self._open()
        try:
            if os.fstat(descriptor).st_size > BYTES_MAX:
                descriptor = self._shortened(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            for _ in range(_OPEN_ATTEMPTS):
                new = not self._path.exists()
                descriptor = os.open(self._path, flags, 0o600)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if leads_to(self._path, descriptor):
                    if new:
                        _sync_folder(self._path.parent)
                    return descriptor
                os.close(descriptor)
        except OSError as error:
            raise LedgerUnwritableError(str(self._path), reason=error.strerror or str(error)) from error
        raise LedgerUnwritableError(str(self._path), reason="it is replaced again and again")

    def _shortened(self, descriptor: int) -> int:
        """The same without what ended long ago; damaged lines go, and what is on stays."""
        entries = self._known(_read_all(descriptor))[0]
        runs = fold(entries)
        last = list(runs)[-RUNS_KEPT:]
        kept = {name for name, run in runs.items() if run.goes_on or run.active or name in last}
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        new = None
        try:
            new = os.open(fresh, flags, 0o600)
            fcntl.flock(new, fcntl.LOCK_EX)
            _put(new, [entry for entry in entries if entry.run in kept])
            fresh.rename(self._path)
            _sync_folder(self._path.parent)
        except OSError:
            if new is not None:
                os.close(new)
                fresh.unlink(missing_ok=True)
            return descriptor  # it stays long
        os.close(descriptor)
        return new


def _lacking(entries: Iterable[Entry], others: Collection[Entry]) -> list[Entry]:
    """Of the others those that are not among the entries."""
    known = {_key(entry) for entry in entries} if others else ()
    return [other for other in others if _key(other) not in known]


def _key(entry: Entry) -> tuple[object, ...]:
    return entry.run, entry.step, entry.fault, entry.at_us


def _put(descriptor: int, entries: Iterable[Entry]) -> None:
    """Append entries; when it returns they are on the disk."""
    data = b"".join(encode(entry) for entry in entries)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data  # whoever wrote before was killed in the middle of a line, or had no room for its end
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def _read_all(descriptor: int) -> bytes:
    parts: list[bytes] = []
    offset = 0
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
