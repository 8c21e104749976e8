"""The code in a guide below `docs/`: the files that it asks for, and the program that its other blocks are together."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "supervision.md"
BREAKER_GUIDE = GUIDE.with_name("breaker.md")
HEALTH_GUIDE = GUIDE.with_name("health.md")
DEGRADATION_GUIDE = GUIDE.with_name("degradation.md")
HEALING_GUIDE = GUIDE.with_name("healing.md")
CHAOS_GUIDE = GUIDE.with_name("chaos.md")

_BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_PRINTED = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)


def blocks(kind: str, guide: Path = GUIDE) -> list[str]:
    """Every block of a kind (`python`, `yaml`), those of files included, in their order."""
    return [block["text"] for block in _BLOCK.finditer(_text(guide)) if block["kind"] == kind]


def files() -> dict[str, str]:
    """The files that the reader is asked to save, by name."""
    return {block["file"]: block["text"] for block in _BLOCK.finditer(_text()) if block["file"]}


def program(guide: Path = GUIDE) -> str:
    """The Python blocks that are no files, from top to bottom."""
    found = _BLOCK.finditer(_text(guide))
    parts = [block["text"] for block in found if block["kind"] == "python" and not block["file"]]
    return "\n".join(parts)


def printed(guide: Path = GUIDE) -> list[str]:
    """The lines that the program prints, by its own comments."""
    return _PRINTED.findall(program(guide))


def settings(guide: Path = GUIDE) -> list[tuple[str, str]]:
    """The rows of the tables of settings: a name and its default, as Python."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (required|`[^`|]*`) \|", _text(guide), re.MULTILINE)
    return [(name, default.strip("`")) for names, default in rows for name in re.findall(r"\w+", names)]


def _text(guide: Path = GUIDE) -> str:
    return guide.read_text(encoding="utf-8")
