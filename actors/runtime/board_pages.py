"""Values that are larger than a name on the board may be: laid over several names, and read whole or not at all. Pure.

Each page is a name of its own (`<name>/0`, `<name>/1`, ...) and carries the value's word. The first is laid last and
says how many there are, so that a reader who finds the same word on all of them has one value; a checksum is the proof.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

PAGE_BYTES = 60 * 1024
_HEADER = struct.Struct("=II")

Page = tuple[int, bytes]
"""A page's word and payload."""


def page_name(name: str, number: int) -> str:
    """The name on the board of a value's page."""
    return f"{name}/{number}"


def pages(name: str, payload: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and payloads to lay, in the order in which to lay them."""
    chunks = [payload[at : at + PAGE_BYTES] for at in range(0, len(payload), PAGE_BYTES)] or [b""]
    for number in range(len(chunks) - 1, 0, -1):
        yield page_name(name, number), chunks[number]
    yield page_name(name, 0), _HEADER.pack(len(chunks), zlib.crc32(payload)) + chunks[0]


def join(name: str, read: Callable[[str], Page | None]) -> Page | None:
    """The value's word and payload; None when it is not there, or its pages do not belong together.

    Args:
        name: The value's.
        read: Reads one name from the board.
    """
    first = read(page_name(name, 0))
    if first is None or len(first[1]) < _HEADER.size:
        return None
    word, data = first
    count, check = _HEADER.unpack_from(data)
    parts = [data[_HEADER.size :]]
    for number in range(1, count):
        page = read(page_name(name, number))
        if page is None or page[0] != word:
            return None
        parts.append(page[1])
    payload = b"".join(parts)
    return (word, payload) if zlib.crc32(payload) == check else None
