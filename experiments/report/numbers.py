"""Numbers and moments as every report writes them."""

from __future__ import annotations

from datetime import UTC, datetime

_US = 1_000_000


def number_text(value: float | None) -> str:
    """A number in few digits; what was not measured is said so."""
    if value is None:
        return "not measured"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004 - exact below


def printable(text: str) -> str:
    """The text without what moves a terminal's cursor or changes its colours, in one line."""
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "\ufffd" for letter in text)


def moment_text(at_us: int) -> str:
    """A moment for people, in UTC."""
    return datetime.fromtimestamp(at_us / _US, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment_iso(at_us: int) -> str:
    """A moment for machines, ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_us / _US, UTC).isoformat()
