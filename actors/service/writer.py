"""Who writes what an owner of shared state puts on record, and how its octets stand there. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes.

    Attributes:
        owner: The actor.
        incarnation: Its life.
        era: The cluster's life.
    """

    owner: str
    incarnation: int
    era: int


def as_text(octets: bytes) -> str:
    """Octets as a column of text has them."""
    return base64.b64encode(octets).decode()


def as_octets(text: str) -> bytes:
    """What was written by `as_text`."""
    return base64.b64decode(text)
