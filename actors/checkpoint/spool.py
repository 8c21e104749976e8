"""The newest small checkpoint of each child, and who has claimed it, where every process of the log's node finds them.

A failover waits for two words of the log: whose the child is now, and that its first new state is kept. Through the
log's writer each is a call of Ray, five to ten milliseconds while the processes of a dead child are cleared away. Here
each is a locked read and write of a file in the kernel's memory, 30 us. The writer looks here before it decides
anything, and copies what lies here into the log; so who lost a claim here is refused there, too.

What lies here outlives every process, and not the node; it is in the log's file a moment later.

    magic 8 | flags 4 | slot 4 | claim 16 | newest 24 | length 8 | crc32 4 | the key's length 4
    at 96 the key, and from 4 KiB on two slots of 64 KiB: the newest, and the one before or what a killed writer left

A header is written by one call, and no signal ends a process in the middle of a page.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from actors.checkpoint.rules import Order, refuse_stale
from actors.runtime.board_file import create_fresh, open_own
from actors.runtime.clock import SYSTEM_CLOCK, Clock, sleep

SMALL_BYTES = 64 << 10
"""Encoded checkpoints up to this size are held; of a larger one only the order is known here."""

LOCK_PATIENCE_S = 1.0
"""How long a process that holds an entry's lock is waited for: one that was stopped there is killed by then."""

_MAGIC = b"\x8aRSSPL1\n"
_HEADER = struct.Struct(">8sIIqqqqqqII")
_KEY_AT = 96
_SLOTS_AT = 4096
_KEY_BYTES_MAX = _SLOTS_AT - _KEY_AT
_CLOSED, _CLAIMED, _WRITTEN, _HELD = 1, 2, 4, 8
_AGAIN_S = 0.0002


class Entry(NamedTuple):
    """What is known of one child.

    Attributes:
        claim: Who has claimed it last: (era, incarnation, 0).
        newest: Its newest checkpoint, whoever wrote it.
        data: That one, encoded; None where it is not held here: then the log may have it.
    """

    claim: Order | None
    newest: Order | None
    data: bytes | None

    @property
    def is_complete(self) -> bool:
        """Whether nobody has to look into the log."""
        return self.newest is None or self.data is not None


@dataclass(frozen=True, slots=True)
class _Header:
    flags: int = 0
    slot: int = 0
    claim: tuple[int, int] = (0, 0)
    newest: Order = (0, 0, 0)
    length: int = 0
    crc: int = 0
    key_bytes: int = 0

    def pack(self) -> bytes:
        return _HEADER.pack(
            _MAGIC, self.flags, self.slot, *self.claim, *self.newest, self.length, self.crc, self.key_bytes
        )

    @property
    def orders(self) -> Iterator[Order]:
        if self.flags & _CLAIMED:
            yield (*self.claim, 0)
        if self.flags & _WRITTEN:
            yield self.newest


class Spool:
    """One supervisor's, on the node of its log. Any process of this user; any thread.

    Only the log's writer makes and removes entries; a later writer of the same file takes them over. For whoever finds
    none, or one in a file of another kind, there is nothing here: he asks the writer.

    Args:
        folder: Where the entries are; need not exist.
        clock: What the patience is counted by.
    """

    def __init__(self, folder: Path, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.folder = folder
        self._marks = folder / "owed"
        self._clock = clock

    def entry(self, key: str) -> Entry | None:
        """What is known of a child; None: nothing.

        Raises:
            OSError: The file cannot be read, or somebody has held its lock for a second.
        """
        with self._opened(self._path(key)) as opened:
            return None if opened is None else opened.entry()

    def claim(self, key: str, claim: Order) -> Entry | None:
        """Refuse what earlier lives put from now on; returns what is known, or None: nothing, and nothing was claimed.

        Raises:
            StaleIncarnationError: A later life has claimed or written already.
            OSError: as `entry`.
        """
        with self._opened(self._path(key)) as opened:
            if opened is None:
                return None
            refuse_stale(key, claim, opened.header.orders)
            opened.write(replace(opened.header, flags=opened.header.flags | _CLAIMED, claim=claim[:2]))
            self._owe(key)
            return opened.entry()

    def put(self, key: str, order: Order, data: bytes) -> bool:
        """A checkpoint is kept, unless a newer one is; False: nothing is known of the child here.

        Of a large one only the order is kept; who puts it sees that the log has it.

        Raises:
            StaleIncarnationError: A later life has claimed or written already.
            OSError: as `entry`, or the disk is full.
        """
        with self._opened(self._path(key)) as opened:
            if opened is None:
                return False
            refuse_stale(key, order, opened.header.orders)
            if not (opened.header.flags & _WRITTEN and opened.header.newest > order):
                opened.put(order, data)
                self._owe(key)
            return True

    # -- the writer's -------------------------------------------------------------------------------------------------

    def open(self, key: str, entry: Entry) -> None:
        """Make the entry of a child, as the log has it; where there is one it stays.

        Raises:
            OSError: No room, no permission, or the key is too long.
        """
        name, text = self._path(key), key.encode()
        if len(text) > _KEY_BYTES_MAX:
            raise OSError(f"the child's key has {len(text)} bytes, and {_KEY_BYTES_MAX} at most fit")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._marks.mkdir(mode=0o700, exist_ok=True)
        with self._opened(self._path(key)) as opened:
            if opened is not None:
                return
        with create_fresh(name, _SLOTS_AT) as descriptor:
            made = _Opened(descriptor, _Header(key_bytes=len(text)))
            os.pwrite(descriptor, text, _KEY_AT)
            flags = 0 if entry.claim is None else _CLAIMED
            made.write(replace(made.header, flags=flags, claim=(entry.claim or (0, 0))[:2]))
            if entry.newest is not None:
                made.put(entry.newest, entry.data)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def remove(self, key: str) -> None:
        """Forget a child; who has opened its entry finds it closed."""
        with self._opened(self._path(key)) as opened:
            if opened is not None:
                self._path(key).unlink(missing_ok=True)
                opened.write(replace(opened.header, flags=_CLOSED))

    def take_owed(self) -> list[str]:
        """Whose entries have changed since the last call: the log is to have that, too. Costs 10 us where none has."""
        owed: list[str] = []
        with suppress(FileNotFoundError), os.scandir(self._marks) as marks:
            for mark in list(marks):
                # Before the entry is read: what changes from now on is told anew.
                Path(mark.path).unlink(missing_ok=True)
                owed += self._key_in(self.folder / f"{mark.name}.entry")
        return owed

    def keys(self) -> list[str]:
        """Of whom something is known."""
        return [key for path in sorted(self.folder.glob("*.entry")) for key in self._key_in(path)]

    # -- inside -----------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.folder / f"{_name(key)}.entry"

    def _owe(self, key: str) -> None:
        with suppress(FileNotFoundError):  # the folder is being taken away
            os.close(os.open(self._marks / _name(key), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))

    def _key_in(self, path: Path) -> list[str]:
        """The key of an entry never changes: whoever holds its lock, stopped perhaps, is not waited for."""
        with suppress(OSError), _descriptor(path) as descriptor:
            opened = None if descriptor is None else _read(descriptor)
            if opened is not None:
                return [opened.key()]
        return []

    @contextmanager
    def _opened(self, path: Path) -> Generator[_Opened | None]:
        with _descriptor(path) as descriptor:
            if descriptor is None:
                yield None
                return
            self._lock(descriptor)
            yield _read(descriptor)

    def _lock(self, descriptor: int) -> None:
        give_up_at = self._clock.now() + LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.now() >= give_up_at:
                    raise
                sleep(_AGAIN_S)
            else:
                return


class _Opened:
    """An entry whose lock is held."""

    def __init__(self, descriptor: int, header: _Header) -> None:
        self._descriptor = descriptor
        self.header = header

    def entry(self) -> Entry:
        header = self.header
        claim = (*header.claim, 0) if header.flags & _CLAIMED else None
        if not header.flags & _WRITTEN:
            return Entry(claim, None, None)
        data = None
        if header.flags & _HELD:
            found = os.pread(self._descriptor, header.length, _at(header.slot))
            data = found if zlib.crc32(found) == header.crc else None
        return Entry(claim, header.newest, data)

    def put(self, order: Order, data: bytes | None) -> None:
        plain = self.header.flags & _CLAIMED
        if data is None or len(data) > SMALL_BYTES:
            self.write(replace(self.header, flags=plain | _WRITTEN, newest=order))
            return
        slot = 1 - self.header.slot
        written = os.pwrite(self._descriptor, data, _at(slot))
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes could be written: the disk is full")
        self.write(
            replace(
                self.header,
                flags=plain | _WRITTEN | _HELD,
                slot=slot,
                newest=order,
                length=len(data),
                crc=zlib.crc32(data),
            )
        )

    def write(self, header: _Header) -> None:
        os.pwrite(self._descriptor, header.pack(), 0)
        self.header = header

    def key(self) -> str:
        return os.pread(self._descriptor, self.header.key_bytes, _KEY_AT).decode()


@contextmanager
def _descriptor(path: Path) -> Generator[int | None]:
    try:
        descriptor = open_own(path, os.O_RDWR)
    except FileNotFoundError:  # there is no folder
        descriptor = None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)  # and with it the lock


def _name(key: str) -> str:
    return blake2b(key.encode(), digest_size=16).hexdigest()


def _read(descriptor: int) -> _Opened | None:
    found = os.pread(descriptor, _HEADER.size, 0)
    if len(found) < _HEADER.size or not found.startswith(_MAGIC):
        return None
    _, flags, slot, era, life, *newest, length, crc, key_bytes = _HEADER.unpack(found)
    if flags & _CLOSED:
        return None
    header = _Header(flags, slot, (era, life), (newest[0], newest[1], newest[2]), length, crc, key_bytes)
    return _Opened(descriptor, header)


def _at(slot: int) -> int:
    return _SLOTS_AT + slot * SMALL_BYTES
