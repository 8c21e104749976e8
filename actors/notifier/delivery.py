"""How handing a message over ended, as a channel tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from actors.notifier.secret import hide

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAKEN = range(200, 300)
_FOR_NOW = (408, 425, 429)
"""What a receiver answers that may take the message another time."""

_SERVER_ERROR = 500
_PIECE_LEAST = 4
"""Shorter pieces of a path or query open nothing, and to hide them would hide half of what is told."""

_WORDS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How it ended.

    Attributes:
        ok: Whether the message was taken.
        permanent: Whether it never will be.
        retry_after_s: How long the receiver wants to be left alone, seconds.
        detail: In words, without secrets.
    """

    ok: bool
    permanent: bool = False
    retry_after_s: float = 0.0
    detail: str = ""


def of_status(status: int, *, reason: str, retry_after_s: float = 0.0) -> Delivery:
    """What an HTTP answer means."""
    if status in _TAKEN:
        return Delivery(ok=True, detail=f"{status} {reason}".strip())
    passing = status in _FOR_NOW or status >= _SERVER_ERROR
    words = f"the receiver answered {status} {reason}".strip()
    return Delivery(ok=False, permanent=not passing, retry_after_s=retry_after_s, detail=words)


def secrets_in(url: str, values: Iterable[str] = ()) -> tuple[str, ...]:
    """What of an address must never be shown: the whole, and all parts that may open it, as written and as read.

    Args:
        url: The address, with what stands in the environment.
        values: More that is secret: a key, or what a variable holds.
    """
    found = {url, *values}
    try:
        parts = urlsplit(url)
    except ValueError:
        pass  # the whole is hidden
    else:
        found |= {parts.username or "", parts.password or ""}
        pieces = {parts.path, parts.query, parts.fragment, *parts.path.split("/")}
        pieces |= {each.partition("=")[2] for each in parts.query.split("&")}
        found |= {each for each in pieces if len(each) >= _PIECE_LEAST}
    found |= {unquote(each) for each in found}
    return tuple(sorted(each for each in found if each.strip("/ ")))


def told(words: str, secrets: tuple[str, ...]) -> str:
    """In one line, without secrets."""
    return hide(" ".join(words.split()), secrets)[:_WORDS_MAX]
