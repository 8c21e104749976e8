"""A checkpoint as bytes, and back: a file that was cut short, changed or never ours is told apart, and why. Pure.

    magic 8 | format 2 | unused 2 | header length 4 | state length 8 | sha256 of header, state 32 | crc32 of these 4
    header: a JSON object | state: the child's own bytes

The lengths have a sum of their own, so that a file with a changed length is not taken for one cut short.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

MAGIC = b"\x8aRSCKPT\n"
"""The first byte is no text and the last a line feed: a copy in text mode shows."""

FORMAT_VERSION = 1

_PRELUDE = struct.Struct(">8sHHIQ32s")
_SUM = struct.Struct(">I")
PRELUDE_BYTES = _PRELUDE.size + _SUM.size

_FIELDS: dict[str, type] = {
    "key": str,
    "incarnation": int,
    "number": int,
    "class_name": str,
    "state_version": int,
    "at_us": int,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A child's state at one moment.

    Attributes:
        key: The child, as `child/shop.cart`.
        incarnation: Which life of it wrote this.
        number: The how-manieth of that life; later ones have greater numbers.
        class_name: `module.qualname` of the user's class.
        state_version: The class's own version of its state; one of another version is never restored.
        at_us: When it was taken, wall-clock microseconds since the Unix epoch; for people.
        state: The state, pickled.
    """

    key: str
    incarnation: int
    number: int
    class_name: str
    state_version: int
    at_us: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Why bytes are no checkpoint that can be used.

    Attributes:
        kind: `foreign`: never ours. `truncated`: its end is missing. `damaged`: its bytes have changed. `newer`: sound,
            and written by a later version of this package.
        reason: The same for people.
    """

    kind: Literal["foreign", "truncated", "damaged", "newer"]
    reason: str


def encode(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as bytes that `decode` reads and checks."""
    header = json.dumps({name: getattr(checkpoint, name) for name in _FIELDS}).encode()
    digest = _digest(header, checkpoint.state)
    prelude = _PRELUDE.pack(MAGIC, FORMAT_VERSION, 0, len(header), len(checkpoint.state), digest)
    return b"".join((prelude, _SUM.pack(zlib.crc32(prelude)), header, checkpoint.state))


def decode(data: bytes) -> Checkpoint | Damage:
    """The checkpoint in `data`, or why there is none."""
    damage = _damaged_prelude(data)
    if damage is not None:
        return damage
    _, version, _, header_bytes, state_bytes, digest = _PRELUDE.unpack_from(data)
    whole = PRELUDE_BYTES + header_bytes + state_bytes
    if version != FORMAT_VERSION:
        return Damage("newer", f"it has checkpoint format {version}, and this version reads {FORMAT_VERSION}")
    if len(data) < whole:
        return Damage("truncated", f"it has {len(data)} of {whole} bytes")
    if len(data) > whole:
        return Damage("damaged", f"it has {len(data) - whole} bytes too many")
    view = memoryview(data)
    header, state = view[PRELUDE_BYTES : PRELUDE_BYTES + header_bytes], view[PRELUDE_BYTES + header_bytes :]
    if _digest(header, state) != digest:
        return Damage("damaged", "its sha256 does not fit: bytes have changed")
    return _checkpoint_of(bytes(header), bytes(state))


def _damaged_prelude(data: bytes) -> Damage | None:
    """What is wrong with the part that tells the lengths; None when they can be trusted."""
    if not data:
        return Damage("truncated", "it is empty")
    if not data.startswith(MAGIC[: len(data)]):
        return Damage("foreign", "it is no checkpoint: it does not begin as one")
    if len(data) < PRELUDE_BYTES:
        return Damage("truncated", f"it has {len(data)} bytes, fewer than any checkpoint")
    (expected,) = _SUM.unpack_from(data, _PRELUDE.size)
    if zlib.crc32(data[: _PRELUDE.size]) != expected:
        return Damage("damaged", "the sum over its lengths does not fit: bytes have changed")
    return None


def _digest(header: bytes | memoryview, state: bytes | memoryview) -> bytes:
    found = hashlib.sha256(header)
    found.update(state)
    return found.digest()


def _checkpoint_of(header: bytes, state: bytes) -> Checkpoint | Damage:
    try:
        fields: Any = json.loads(header)
        values = {name: fields[name] for name in _FIELDS}
    except (ValueError, KeyError, TypeError):
        return Damage("foreign", "its header is not one of ours")
    if any(type(values[name]) is not type_ for name, type_ in _FIELDS.items()):
        return Damage("foreign", "its header holds values of the wrong kind")
    return Checkpoint(**values, state=state)
