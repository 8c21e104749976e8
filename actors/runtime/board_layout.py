"""The board's format: where things lie in the file, what makes a record whole, and which room is free.

The file is an array of native 64-bit words:

    header   HEADER_WORDS   magic, format, retired, names, blob bytes, places used, sequence, beat, halted
    places   names x PLACES_PER_NAME, PLACE_WORDS each:  word | locator | name check | name
    blob     records:                                    check | sequence | word | place, length | payload ...

A locator names one record: the low half of its sequence above, its first word below; 0 is none. A record is whole when
its sequence is the locator's, its place is ours, and its check (CRC-32 of all that follows it) is right. Magic, format
and retired keep their places in every later format, so that any writer can retire any older board. All is stored by the
one writer, but for halted: anybody sets that, see `board_halt`.

A place is never given to a second name: a slot of a removed name reads 0 for as long as the file lives, instead of a
stranger's word that happens to equal the one last seen. Worn out places are got back by writing a new file.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = int.from_bytes(b"RSBOARD\0", "little")
FORMAT = 1
HEADER_WORDS = 64
AT_MAGIC, AT_FORMAT, AT_RETIRED, AT_NAMES, AT_BLOB_BYTES, AT_USED, AT_SEQUENCE, AT_BEAT, AT_HALTED = range(9)

PLACES_PER_NAME = 4
PLACE_WORDS = 32
WORD, LOCATOR, NAME_CHECK, NAME = range(4)
NAME_BYTES_MAX = 200

CHECK, SEQUENCE, RECORD_WORD, TAG, PAYLOAD = range(5)
PAYLOAD_BYTES_MAX = 64 * 1024

READ_ATTEMPTS = 1000
"""How often a read is tried. One fails when the writer changes the name twice while it copies."""

_LOW = 0xFFFF_FFFF
_RECORD_HEADER = struct.Struct("=QQQ")
_STEP_WORDS_MIN = 8


class Memory:
    """The mapped file, as words to load and store and as octets to copy.

    Every store of a writer goes through the two methods, so that a test can cut a write at any of them.
    """

    __slots__ = ("octets", "words")

    def __init__(self, buffer: memoryview) -> None:
        self.octets = buffer
        self.words = buffer.cast("Q")

    def store_word(self, index: int, value: int) -> None:
        """Store one word; a reader sees the old one or the new one."""
        self.words[index] = value

    def store_octets(self, offset: int, data: bytes) -> None:
        """Copy `data` in; a reader may see any part of it."""
        self.octets[offset : offset + len(data)] = data


@dataclass(frozen=True, slots=True)
class Geometry:
    """The sizes of a board.

    Attributes:
        names: How many names may live at a time.
        blob_bytes: Room for all records, bytes, a multiple of 8.
    """

    names: int
    blob_bytes: int

    @property
    def places(self) -> int:
        return self.names * PLACES_PER_NAME

    @property
    def blob_start(self) -> int:
        """The first word of the records."""
        return HEADER_WORDS + self.places * PLACE_WORDS

    @property
    def end(self) -> int:
        """The first word after the file."""
        return self.blob_start + self.blob_bytes // 8

    @property
    def size(self) -> int:
        """The file's size, bytes."""
        return self.end * 8

    @classmethod
    def of(cls, memory: Memory) -> Geometry | None:
        """The geometry that a file's header tells, or None when it is not a whole board of this format."""
        words = memory.words
        if len(words) < HEADER_WORDS or words[AT_MAGIC] != MAGIC or words[AT_FORMAT] != FORMAT:
            return None
        geometry = cls(words[AT_NAMES], words[AT_BLOB_BYTES])
        sound = geometry.size == memory.octets.nbytes and words[AT_USED] <= geometry.places
        return geometry if sound else None


def place_at(place: int) -> int:
    """The first word of a place."""
    return HEADER_WORDS + place * PLACE_WORDS


def locator_of(sequence: int, start: int) -> int:
    """The word that names the record `sequence` at word `start`."""
    return (sequence & _LOW) << 32 | start


def start_of(locator: int) -> int:
    """The first word of the record that a locator names."""
    return locator & _LOW


def record_words(length: int) -> int:
    """The room of a record with `length` bytes of payload, words.

    Rounded up by at most a quarter, so that a payload that grows a little finds its former room.
    """
    need = PAYLOAD + (length + 7) // 8
    step = max(_STEP_WORDS_MIN, 1 << (need.bit_length() - 3))
    return -(-need // step) * step


def write_name(memory: Memory, place: int, name: bytes) -> None:
    """Lay a name on a place that no reader looks at yet; an earlier writer may have died over it."""
    at = place_at(place)
    memory.store_word(at + LOCATOR, 0)
    memory.store_word(at + WORD, 0)
    memory.store_octets((at + NAME) * 8, name)
    memory.store_word(at + NAME_CHECK, zlib.crc32(name) << 32 | len(name))


def read_name(memory: Memory, place: int) -> str | None:
    """The name of a place, or None while it is not whole."""
    at = place_at(place)
    check = memory.words[at + NAME_CHECK]
    length = check & _LOW
    if not 0 < length <= NAME_BYTES_MAX:
        return None
    name = bytes(memory.octets[(at + NAME) * 8 : (at + NAME) * 8 + length])
    return name.decode() if zlib.crc32(name) == check >> 32 else None


def write_record(memory: Memory, start: int, *, place: int, sequence: int, word: int, payload: bytes) -> None:
    """Write a record where no locator points, sequence last."""
    tag = place << 32 | len(payload)
    memory.store_word(start + SEQUENCE, 0)
    memory.store_word(start + RECORD_WORD, word)
    memory.store_word(start + TAG, tag)
    memory.store_octets((start + PAYLOAD) * 8, payload)
    memory.store_word(start + CHECK, zlib.crc32(payload, zlib.crc32(_RECORD_HEADER.pack(sequence, word, tag))))
    memory.store_word(start + SEQUENCE, sequence)


def void_record(memory: Memory, start: int) -> None:
    """Tell a reader that still copies the record that its room is being given away."""
    memory.store_word(start + SEQUENCE, 0)


def read_record(memory: Memory, place: int, locator: int) -> tuple[int, bytes] | None:
    """The word and payload of the record that `locator` names, or None when it is not whole (any more)."""
    start = locator & _LOW
    words = memory.words
    if start + PAYLOAD > len(words):
        return None
    length = words[start + TAG] & _LOW
    first, end = (start + SEQUENCE) * 8, (start + PAYLOAD) * 8 + length
    if length > PAYLOAD_BYTES_MAX or end > len(words) * 8:
        return None
    copy = bytes(memory.octets[first:end])
    sequence, word, tag = _RECORD_HEADER.unpack_from(copy)
    if words[start + SEQUENCE] != sequence or sequence & _LOW != locator >> 32 or tag != place << 32 | length:
        return None
    if zlib.crc32(copy) != words[start + CHECK]:
        return None
    return word, copy[_RECORD_HEADER.size :]


def stable_record(memory: Memory, place: int) -> tuple[int, bytes] | None:
    """The current word and payload of a place while its writer may be at work, or None when it holds none.

    Raises:
        BlockingIOError: The writer lapped every attempt, or the record is damaged.
    """
    at = place_at(place) + LOCATOR
    for _ in range(READ_ATTEMPTS):
        locator = memory.words[at]
        if not locator:
            return None
        record = read_record(memory, place, locator)
        if record is not None:
            return record
    raise BlockingIOError(f"place {place} was not whole in {READ_ATTEMPTS} attempts")


def read_values(memory: Memory) -> Iterator[tuple[str, int, bytes]]:
    """Every name with its word and payload; what is not whole is left out."""
    for place in range(memory.words[AT_USED]):
        name = read_name(memory, place)
        try:
            record = stable_record(memory, place)
        except BlockingIOError:
            continue
        if name is not None and record is not None:
            yield name, *record


def retire(memory: Memory) -> None:
    """Refuse the writer of a replaced file of any format, and turn its words to 0, which is nobody's value."""
    if len(memory.words) < HEADER_WORDS or memory.words[AT_MAGIC] != MAGIC:
        return
    memory.store_word(AT_RETIRED, 1)
    if Geometry.of(memory) is not None:
        for place in range(memory.words[AT_USED]):
            memory.store_word(place_at(place) + WORD, 0)


def hand_on_halt(former: Memory, to: Memory) -> None:
    """Halt the new file where its former one is halted: no writer lays that word, so it is among no values.

    Called when the former is retired: whoever sets the word there afterwards sees that, and goes to the new one.
    """
    words = former.words
    if len(words) >= HEADER_WORDS and (words[AT_MAGIC], words[AT_FORMAT]) == (MAGIC, FORMAT) and words[AT_HALTED]:
        to.store_word(AT_HALTED, 1)


class Extents:
    """The free room between two words: first fit, neighbours joined again.

    Kept by the writer alone and never stored: a successor finds what is taken by the records that are whole.
    """

    def __init__(self, start: int, end: int) -> None:
        self._gaps = [(start, end)] if start < end else []

    def take(self, size: int) -> int | None:
        """The first word of `size` words that are yours now, or None when no gap is that long."""
        for index, (start, end) in enumerate(self._gaps):
            if end - start >= size:
                self._gaps[index : index + 1] = [(start + size, end)] if start + size < end else []
                return start
        return None

    def reserve(self, start: int, size: int) -> bool:
        """Take these very words; False when they are not all free."""
        index = bisect_left(self._gaps, (start + 1, 0)) - 1
        if index < 0 or self._gaps[index][1] < start + size:
            return False
        low, high = self._gaps[index]
        self._gaps[index : index + 1] = [gap for gap in ((low, start), (start + size, high)) if gap[0] < gap[1]]
        return True

    def give(self, start: int, size: int) -> None:
        """Give back what `take` or `reserve` handed out."""
        index = bisect_left(self._gaps, (start, 0))
        end = start + size
        if index < len(self._gaps) and self._gaps[index][0] == end:
            end = self._gaps.pop(index)[1]
        if index > 0 and self._gaps[index - 1][1] == start:
            index -= 1
            start = self._gaps.pop(index)[0]
        self._gaps.insert(index, (start, end))

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The free ranges, first word and the one after the last, in order."""
        return tuple(self._gaps)
