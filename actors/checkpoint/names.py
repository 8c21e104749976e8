"""Keys and checkpoints as names of folders and files that every file system takes. Pure."""

from __future__ import annotations

import hashlib
import re

from actors.checkpoint.rules import Order

SUFFIX = ".ckpt"
CLAIM_SUFFIX = ".claim"
TEMPORARY_SUFFIX = ".tmp"

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
_LENGTH_MAX = 120
_STEM = r"(\d{1,18})-(\d{1,18})-(\d{1,18})"
_FILE = re.compile(_STEM + re.escape(SUFFIX))
_CLAIM = re.compile(_STEM + re.escape(CLAIM_SUFFIX))
_TEMPORARY = re.compile(_STEM + r"\.[0-9a-f]+" + re.escape(TEMPORARY_SUFFIX))


def folder_name(key: str) -> str:
    """A folder's name for `key`: what may not stand in one is told by `~` and its code in hexadecimal digits.

    No two keys share a name; of a long key the beginning and a digest are left.
    """
    raw = key.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _SAFE else f"~{byte:02x}" for byte in raw) or "~"
    if name.startswith("."):
        name = f"~2e{name[1:]}"  # neither hidden, nor this folder, nor the one above
    if len(name) > _LENGTH_MAX:
        return f"{name[:60]}~~{hashlib.sha256(raw).hexdigest()[:40]}"
    return name


def file_name(order: Order) -> str:
    """The file of one checkpoint; names sort as the checkpoints do."""
    return f"{_stem(order)}{SUFFIX}"


def claim_name(order: Order) -> str:
    """The file that says: this life has taken over, earlier ones are refused. Its number means nothing."""
    return f"{_stem(order)}{CLAIM_SUFFIX}"


def temporary_name(order: Order, token: str) -> str:
    """Where it is written before it gets its name; `token` (hexadecimal digits) is the writer's own."""
    return f"{_stem(order)}.{token}{TEMPORARY_SUFFIX}"


def parse_file_name(name: str) -> Order | None:
    """Which checkpoint the file is, or None when it is not one."""
    return _parse(_FILE, name)


def parse_claim_name(name: str) -> Order | None:
    """Which life claims by this file, or None when it is not a claim."""
    return _parse(_CLAIM, name)


def parse_temporary_name(name: str) -> Order | None:
    """Which checkpoint the file was to become, or None when it is not such a file."""
    return _parse(_TEMPORARY, name)


def _stem(order: Order) -> str:
    era, incarnation, number = order
    return f"{era:014d}-{incarnation:08d}-{number:012d}"


def _parse(pattern: re.Pattern[str], name: str) -> Order | None:
    found = pattern.fullmatch(name)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
