"""What is healed in tests: a child that can be made sick, functions that fail, effects that outlive their process."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Patient:
    """A child whose state can be spoilt."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def say(self, word: str) -> list[str]:
        self.words.append(word)
        return self.words

    def heard(self) -> list[str]:
        return self.words

    def pid(self) -> int:
        return os.getpid()


class Crasher:
    """A child that does not live long enough."""

    def __init__(self, mark: str) -> None:
        if Path(mark).exists():
            raise RuntimeError("it hurts")

    def pid(self) -> int:
        return os.getpid()


class FlakyError(Exception):
    """What fails now and may not fail later."""


def note(marks: str, word: str) -> int:
    """An effect; returns how many there were of this word before."""
    path = Path(marks)
    before = path.read_text().split().count(word) if path.exists() else 0
    with path.open("a") as file:
        file.write(f"{word}\n")
    return before


def flaky(marks: str, word: str, failures: int) -> str:
    """Fails so often, then tells who has run it."""
    if note(marks, word) < failures:
        raise FlakyError(f"not yet, password=secret{failures}")
    return f"{word} by {os.getpid()}"


def never(marks: str, word: str) -> str:
    note(marks, word)
    raise FlakyError("never")


def backup(marks: str, word: str, failures: int = 0) -> str:
    del failures
    note(marks, f"backup-{word}")
    return f"backup of {word}"


def slow_backup(marks: str, word: str) -> str:
    Path(f"{marks}.pid").write_text(str(os.getpid()))
    note(marks, f"slow-{word}")
    time.sleep(3.0)
    note(marks, f"slow-{word}-done")
    return f"slow backup of {word}"


class Surgery:
    """Functions of a Restore that tell where they are, and wait there to be killed the first time."""

    def __init__(self, marks: str, moment: str) -> None:
        self.marks = marks
        self.moment = moment

    def load(self, component: str) -> str:
        self._at("load")
        return f"state of {component}"

    def verify(self, state: str) -> bool:
        self._at("verify")
        return state.startswith("state of")

    def apply(self, state: str) -> None:
        del state
        self._at("apply")

    def _at(self, moment: str) -> None:
        Path(f"{self.marks}.{moment}").write_text(str(os.getpid()))  # whoever reads the note finds this
        first = note(self.marks, moment) == 0
        if first and moment == self.moment:
            time.sleep(20.0)
            note(self.marks, f"{moment}-went-on")


def timed(number: int) -> tuple[float, float]:
    """A provider that takes a moment; tells when it ran, on the host's monotonic clock."""
    begun = time.monotonic()
    del number
    time.sleep(0.02)
    return begun, time.monotonic()


def refused(number: int) -> tuple[float, float]:
    raise FlakyError(f"no answer to {number}")
