"""The node's board: one small shared-memory file that one process writes and every process of the node reads.

Intuition: a breaker's state, a route or a halt flag changes now and then and is read a million times a second. The node
agent lays each under a name; a reader holds a `BoardSlot` and compares one word (no system call, no lock, no actor).
Only when the word differs from the one it saw does it read the payload.

Model. Each name has a word and two records. A put writes the record that is not current, then the locator (one store
that makes it current), then the word. So a writer that is SIGKILLed at any byte leaves the former value whole and
readable; its successor repairs the word from the record and goes on in the same file. A reader checks the record's
sequence before and after it copied, and the checksum of the copy; only a writer that laps it twice makes it try again.

Ordering. Needed: an aligned 8-byte load or store is one access. CPython's memoryview of "Q" does a memcpy of 8 bytes,
one instruction on x86-64 and aarch64. On x86-64 stores arrive in order and loads are made in order, so sequence checks
alone suffice. On aarch64 either may be reordered: a torn copy then fails its checksum and is read again, and `read` may
return a value one change older than `word` did; keep the word that `read` returned, and the next look brings the rest.

One writer. The writer holds an flock on the file, which ends with its process. A successor that finds it held (a
stopped process, a fork) copies the board to a new file, renames it into place and retires the old one; the former
writer is refused from then on, and every word of the old file turns 0, which no reader can mistake for a value.

Rejected: one record and an odd/even sequence (a dead writer leaves it odd: no value until a successor comes); a mutex
in shared memory (a killed holder blocks every reader); a lock file (a system call each); a pipe or socket per reader
(a thread each); `multiprocessing.shared_memory` (its resource tracker unlinks the segment when any process ends).

Word 0 is reserved: nothing here, look the name up again.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from actors.runtime import board_layout as layout
from actors.runtime.board_file import create_fresh, leads_to, let_go, map_words, open_own, sweep, try_lock
from actors.runtime.board_layout import Geometry, Memory
from actors.runtime.board_sheet import BoardFullError, Sheet
from actors.runtime.errors import SupervisorError

__all__ = [
    "BoardFencedError",
    "BoardFullError",
    "BoardReader",
    "BoardSlot",
    "BoardSlotGoneError",
    "BoardUnavailableError",
    "BoardWriter",
]

OPEN_ATTEMPTS = 16
"""How often a writer looks again when another one replaces the file under its eyes."""

_WORD_MAX = 2**64 - 1


class BoardUnavailableError(SupervisorError):
    """There is no board to read or write; the owner's long poll means the same and is slower."""

    def __init__(self, path: str, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"board {path}: {reason}. Use the long poll instead. A board needs Linux, room in shared "
            "memory, and a node agent that runs as the same user"
        )


class BoardFencedError(SupervisorError):
    """Another writer has taken the board over, or its file was removed; nothing was written."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"board {path} was taken over by another writer, or its file removed; end this writer or open a new one"
        )


class BoardSlotGoneError(SupervisorError):
    """The slot's name was removed, or its file replaced."""

    def __init__(self, path: str, *, name: str) -> None:
        self.path = path
        self.name = name
        super().__init__(
            f"{name!r} is gone from this file of board {path}: reopen() the reader if it is_stale(), "
            "then ask slot() again"
        )


class BoardWriter:
    """The one process that lays values on the board. Its methods may be called from any thread.

    Args:
        path: The file, usually below /dev/shm. Created with mode 0600, or taken over with its values; one of another
            format or size is replaced by an empty one.
        names: How many names may be on it at a time.
        blob_bytes: Room for the payloads, bytes; each takes about twice its size, and up to a quarter more.
        memory: How the file's bytes are stored to; tests hand in one that stops.
    Raises:
        BoardUnavailableError: No such folder, no room, no permission, or a file of somebody else.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        names: int = 1024,
        blob_bytes: int = 4 << 20,
        memory: Callable[[memoryview], Memory] = Memory,
    ) -> None:
        if names < 1 or blob_bytes < 1:
            raise ValueError(f"a board needs names >= 1 and blob_bytes >= 1, not {names} and {blob_bytes}")
        self._path = Path(path)
        self._geometry = Geometry(names, (blob_bytes + 7) // 8 * 8)
        self._memory = memory
        self._lock = threading.Lock()
        self._closed = False
        with _reported(self._path):
            sweep(self._path)
            self._descriptor, self._sheet = self._open()

    def put(self, name: str, word: int, payload: bytes) -> None:
        """Show `word` and `payload` under `name` to every process of the node.

        Args:
            name: 1 to 200 bytes of UTF-8.
            word: 1 to 2**64 - 1, compared by readers; see `replicated.pack_word`.
            payload: At most 64 KiB.
        Raises:
            BoardFullError: No room; the former value stays.
            BoardFencedError: Another writer has taken over.
            BoardUnavailableError: The writer was closed.
            ValueError: An argument is out of its bounds.
        """
        if not 0 < word <= _WORD_MAX:
            raise ValueError(f"the word of {name!r} is {word}; it must be from 1 to 2**64 - 1 (0 means: nothing here)")
        if not 0 < len(name.encode()) <= layout.NAME_BYTES_MAX:
            raise ValueError(f"a name on the board has 1 to {layout.NAME_BYTES_MAX} bytes of UTF-8; change {name!r}")
        if len(payload) > layout.PAYLOAD_BYTES_MAX:
            limit = layout.PAYLOAD_BYTES_MAX
            raise ValueError(f"{name!r} has {len(payload)} bytes, a board takes {limit}; split it over names")
        with self._lock:
            sheet = self._writable()
            if sheet.needs_new_file(name):
                sheet = self._rewrite()
            sheet.put(name, word, payload)

    def remove(self, name: str) -> bool:
        """Take `name` off the board; slots of it read 0 from now on. False when it was not there."""
        with self._lock:
            return self._writable().remove(name)

    def beat(self, now_ns: int) -> None:
        """Renew the writer's lease, and notice when the path leads elsewhere.

        Args:
            now_ns: CLOCK_MONOTONIC, nanoseconds; all processes of a Linux host share it.
        Raises:
            BoardFencedError: The path leads to another file, or to none.
            BoardUnavailableError: The writer was closed.
        """
        with self._lock:
            sheet = self._writable()
            if not leads_to(self._path, self._descriptor):
                raise BoardFencedError(str(self._path))
            sheet.beat(now_ns)

    def close(self, *, unlink: bool = False) -> None:
        """End the lease and let go of the file; `unlink` also removes it. Readers keep what they have. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._sheet.beat(0)
            if unlink and leads_to(self._path, self._descriptor):
                self._path.unlink()
            let_go(self._descriptor)

    def _writable(self) -> Sheet:
        if self._closed:
            raise BoardUnavailableError(str(self._path), reason="this writer was closed")
        if self._sheet.retired:
            raise BoardFencedError(str(self._path))
        return self._sheet

    def _open(self) -> tuple[int, Sheet]:
        for _ in range(OPEN_ATTEMPTS):
            descriptor = open_own(self._path, os.O_RDWR)
            if descriptor is None:
                return self._create(())
            opened = None
            try:
                opened = self._take_over(descriptor)
            finally:
                if opened is None or opened[0] != descriptor:
                    let_go(descriptor)
            if opened is not None:
                return opened
        raise BoardUnavailableError(str(self._path), reason="other writers keep replacing it; run one node agent on it")

    def _take_over(self, descriptor: int) -> tuple[int, Sheet] | None:
        """Go on in the file, or in a new one when it cannot be ours; None when the path leads elsewhere by now."""
        locked = try_lock(descriptor)
        if not leads_to(self._path, descriptor):
            return None
        memory = self._memory(map_words(descriptor, mmap.ACCESS_WRITE))
        same = Geometry.of(memory) == self._geometry
        if locked and same and not memory.words[layout.AT_RETIRED]:
            os.fchmod(descriptor, 0o600)
            sheet = Sheet(memory, self._geometry)
            if sheet.sound:
                return descriptor, sheet
        return self._replace(memory, keep=same)

    def _rewrite(self) -> Sheet:
        """Go on in a new file, because every place of this one was used."""
        with _reported(self._path):
            former = self._descriptor
            self._descriptor, self._sheet = self._replace(self._sheet.memory, keep=True)
            let_go(former)
        return self._sheet

    def _replace(self, former: Memory, *, keep: bool) -> tuple[int, Sheet]:
        """Put a new file in the place of the former, then fence its writer and send its readers away.

        In this order a replacement that is cut short changes nothing. A put of a living former writer that falls
        between the copy and the fence is lost to this board; the owner's next word brings it.
        """
        created = self._create(tuple(layout.read_values(former)) if keep else ())
        layout.retire(former)
        layout.hand_on_halt(former, created[1].memory)
        return created

    def _create(self, values: tuple[tuple[str, int, bytes], ...]) -> tuple[int, Sheet]:
        """A new file with these values, complete before the path leads to it."""
        with create_fresh(self._path, self._geometry.size) as descriptor:
            sheet = Sheet.blank(self._memory(map_words(descriptor, mmap.ACCESS_WRITE)), self._geometry)
            for name, word, payload in values:
                sheet.put(name, word, payload)
        return descriptor, sheet


class BoardSlot:
    """One name on the board, as one process reads it."""

    __slots__ = ("_at", "_memory", "_name", "_path", "_place", "_words")

    def __init__(self, memory: Memory, place: int, *, name: str, path: str) -> None:
        self._words = memory.words
        self._at = layout.place_at(place) + layout.WORD
        self._memory = memory
        self._place = place
        self._name = name
        self._path = path

    @property
    def words(self) -> Sequence[int]:
        """The board's memory, for whoever compares the word without a call."""
        return self._words

    @property
    def at(self) -> int:
        """The word's place in it."""
        return self._at

    def word(self) -> int:
        """The word last put; 0 once the name is gone from this file. No system call, no lock."""
        return self._words[self._at]

    def read(self) -> tuple[int, bytes]:
        """The word and the payload that were put together, without a system call or a lock.

        While a put is under way the word may be ahead of what `word` returns; keep this one and compare with it.

        Raises:
            BoardSlotGoneError: The name was removed, or the file replaced: ask the reader again.
            BoardUnavailableError: The record is damaged; its next put mends it.
        """
        if self._words[layout.AT_RETIRED]:
            raise BoardSlotGoneError(self._path, name=self._name)
        try:
            record = layout.stable_record(self._memory, self._place)
        except BlockingIOError as error:
            raise BoardUnavailableError(self._path, reason=f"{self._name!r} cannot be read ({error})") from None
        if record is None:
            raise BoardSlotGoneError(self._path, name=self._name)
        return record


class BoardReader:
    """The board as one process reads it. Its methods may be called from any thread.

    What was read goes on being readable when the writer is dead and when the file is unlinked. When `slot.word()` is 0
    or `slot.read()` says that it is gone: `reopen` if `is_stale`, then ask `slot` again.

    Raises:
        BoardUnavailableError: No board there yet, no permission, another user's, or another format.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._load()

    def slot(self, name: str) -> BoardSlot | None:
        """The slot of a name, or None while it is not on the board. Keep it: this is a look-up, `word` is not."""
        with self._lock:
            place = self._scan().get(name)
            memory = self._memory
        if place is None or not memory.words[layout.place_at(place) + layout.LOCATOR]:
            return None
        return BoardSlot(memory, place, name=name, path=str(self._path))

    def read(self, name: str) -> tuple[int, bytes] | None:
        """The word and payload of a name, or None while it is not on the board.

        Raises:
            BoardUnavailableError: It cannot be read whole.
        """
        slot = self.slot(name)
        return None if slot is None else slot.read()

    def names(self) -> tuple[str, ...]:
        """The names on the board, in the order they came."""
        with self._lock:
            words = self._memory.words
            return tuple(name for name, place in self._scan().items() if words[layout.place_at(place) + layout.LOCATOR])

    def writer_alive(self, now_ns: int, lease_ns: int) -> bool:
        """Whether the writer beat within `lease_ns` before `now_ns`, CLOCK_MONOTONIC; both nanoseconds."""
        words = self._memory.words
        beat = words[layout.AT_BEAT]
        # A beat far ahead of now is one from before the host's last boot.
        return beat != 0 and abs(now_ns - beat) <= lease_ns and not words[layout.AT_RETIRED]

    def has(self, slot: BoardSlot) -> bool:
        """Whether the slot is of the file that is open."""
        return slot.words is self._memory.words

    def is_stale(self) -> bool:
        """Whether the path leads to another board than the one that is open. One system call; no hot path."""
        if self._memory.words[layout.AT_RETIRED]:
            return True
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) != self._file

    def reopen(self) -> None:
        """Read from the file that the path leads to now. Slots taken before stay with the former one.

        Raises:
            BoardUnavailableError: There is none; the former one stays open.
        """
        with self._lock:
            self._load()

    def _load(self) -> None:
        with _reported(self._path):
            descriptor = open_own(self._path, os.O_RDONLY)
            if descriptor is None:
                raise BoardUnavailableError(str(self._path), reason="there is no such file; is the node agent running?")
            try:
                found = os.fstat(descriptor)
                memory = Memory(map_words(descriptor, mmap.ACCESS_READ))
            finally:
                os.close(descriptor)
        if Geometry.of(memory) is None:
            reason = f"it is not a board of format {layout.FORMAT}; run one release on the node"
            raise BoardUnavailableError(str(self._path), reason=reason)
        self._memory = memory
        self._file = (found.st_dev, found.st_ino)
        self._places: dict[str, int] = {}
        self._scanned = 0

    def _scan(self) -> dict[str, int]:
        """The places of all names; only those added since the last time are looked at."""
        used = self._memory.words[layout.AT_USED]
        while self._scanned < used:
            name = layout.read_name(self._memory, self._scanned)
            if name is None:
                break
            self._places.pop(name, None)
            self._places[name] = self._scanned
            self._scanned += 1
        return self._places


@contextmanager
def _reported(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise BoardUnavailableError(str(path), reason=error.strerror or str(error)) from error
