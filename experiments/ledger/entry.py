"""One line of the ledger, and back: a line that was cut short or changed is told apart. Pure.

    crc32 of the rest, 8 hexadecimal digits | space | a JSON object | line feed

Each line has a sum of its own, so that what stands behind a damaged one still counts: a fault that was armed there must
be found, too.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Step = Literal["planned", "arming", "armed", "injected", "proven", "undone", "kept_on", "observing", "ended"]
STEPS: tuple[Step, ...] = get_args(Step)

_SUM_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened to an experiment.

    Attributes:
        run: Which run of it.
        step: What.
        fault: Which of its faults; nothing where it is about the whole run.
        data: What belongs to the step: the plan's targets and the runner at planned, the undo at arming, the evidence
            at injected and proven, the verdict at ended.
        at_us: When, wall-clock microseconds since the Unix epoch; for people.
    """

    run: str
    step: Step
    fault: str = ""
    data: dict[str, Any]
    at_us: int = 0


def encode(entry: Entry) -> bytes:
    """The line of an entry."""
    fields = {
        "run": entry.run,
        "step": entry.step,
        "fault": entry.fault,
        "data": entry.data,
        "at_us": entry.at_us,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Entry | str:
    """The entry of a line, or why there is none."""
    told, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n"):
        return "its end is missing"
    if len(told) != _SUM_DIGITS or b"%08x" % zlib.crc32(text) != told:
        return "its sum does not fit: bytes have changed"
    try:
        fields: Any = json.loads(text)
        return _entry_of(fields)
    except (ValueError, KeyError, TypeError) as error:
        return f"it is not one of ours ({error})"


def _entry_of(fields: Any) -> Entry:
    step, data = fields["step"], fields["data"]
    if step not in STEPS:
        raise ValueError(f"{step!r} is no step; a later version may have written it")
    if not isinstance(data, dict) or not isinstance(fields["at_us"], int):
        raise TypeError("its data is no mapping")
    return Entry(
        run=str(fields["run"]),
        step=step,
        fault=str(fields["fault"]),
        data=cast("dict[str, Any]", data),
        at_us=fields["at_us"],
    )


def decode_all(data: bytes) -> tuple[list[Entry], list[tuple[int, str]]]:
    """The entries of a file, and its damaged lines with their numbers from 1.

    What is missing at the very end is no damage: its writer was killed before it could act on it.
    """
    entries: list[Entry] = []
    damaged: list[tuple[int, str]] = []
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        found = decode(line)
        if isinstance(found, Entry):
            entries.append(found)
        elif number < len(lines) or line.endswith(b"\n"):
            damaged.append((number, found))
    return entries, damaged
