"""Reports as files: one folder for each run, with the page, the journal, JUnit's XML, and the report itself.

A report is read back only from a file that belongs to this user: it is a pickle, which may do anything when it is read.
"""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import secrets
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console

from actors.runtime.board_file import open_own
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ConfigError
from experiments.errors import ReportUnreadableError, ReportUnsavedError, UnknownRunError
from experiments.report.html import page
from experiments.report.journal import journal
from experiments.report.junit import junit, junit_of_refused
from experiments.report.run import RunReport
from experiments.report.terminal import summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "chaos-reports"
PAGE, JOURNAL, JUNIT, TEXT, REPORT = "report.html", "journal.json", "junit.xml", "summary.txt", "report.pickle"
_SETTINGS = "settings.json"
_KNOWN_MAX = 5
_WIDTH = 120


class Archive:
    """The reports in one folder.

    Args:
        folder: It is made with the first report.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def insist(self) -> None:
        """Make sure that a report can be written, before anything is done that it would tell of.

        Raises:
            ConfigError: It cannot.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            problem = f"{self.folder} cannot be written ({error.strerror}), and the verdict would be lost; give another"
            raise ConfigError("reports", problems=(problem,)) from None

    def save(self, report: RunReport) -> Path:
        """Write a report in all its shapes; its folder.

        Raises:
            ReportUnsavedError: It cannot be written.
        """
        place = self.folder / report.run
        try:
            self._save(report, place)
        except OSError as error:
            reason = error.strerror or str(error)
            unsaved = ReportUnsavedError(report.run, verdict=report.verdict.kind, folder=str(place), reason=reason)
            unsaved.report = report
            raise unsaved from None
        return place

    def save_refused(self, run: str, title: str, reasons: Sequence[str]) -> Path:
        """Tell build servers of a run that never began: there is no report of it; the file.

        Raises:
            OSError: It cannot be written.
        """
        place = self.folder / run
        place.mkdir(parents=True, exist_ok=True)
        text = junit_of_refused(run, title, reasons, at_us=SYSTEM_CLOCK.wall_us())
        (place / JUNIT).write_text(text, encoding="utf-8")
        return place / JUNIT

    def _save(self, report: RunReport, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        fresh = place / f"{REPORT}.new"  # what has the last name is whole
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                pickle.dump(report, file)
            (place / PAGE).write_text(page(report), encoding="utf-8")
            (place / JOURNAL).write_text(json.dumps(journal(report), indent=2, default=str), encoding="utf-8")
            (place / JUNIT).write_text(junit(report), encoding="utf-8")
            (place / TEXT).write_text(as_text(report), encoding="utf-8")
            fresh.rename(place / REPORT)
        finally:
            fresh.unlink(missing_ok=True)

    def load(self, run: str) -> RunReport:
        """The report of a run, by its name or its beginning.

        Raises:
            UnknownRunError: There is none, or several begin so.
            ReportUnreadableError: It is damaged, somebody else's, or of another version.
        """
        names = self.names()
        found = [name for name in names if name == run] or [name for name in names if name.startswith(run)]
        if len(found) != 1:
            known = tuple(found or names)[:_KNOWN_MAX]
            raise UnknownRunError(run, known=known, folder=str(self.folder), several=bool(found))
        (name,) = found
        try:
            report = self._read(name)
        except Exception as error:  # noqa: BLE001 - whatever a damaged pickle makes of itself
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise ReportUnreadableError(name, folder=str(self.folder / name), reason=reason) from None
        if isinstance(report, RunReport):
            return report
        raise ReportUnreadableError(name, folder=str(self.folder / name), reason=f"it is a {type(report).__name__}")

    def _read(self, name: str) -> Any:
        descriptor = open_own(self.folder / name / REPORT, os.O_RDONLY)
        if descriptor is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with os.fdopen(descriptor, "rb") as file:
            return pickle.load(file)  # noqa: S301 - it is this user's own file

    def names(self) -> tuple[str, ...]:
        """All runs that there are reports of, the latest first."""
        try:
            found = [each for each in self.folder.iterdir() if (each / REPORT).exists()]
        except OSError:
            return ()
        return tuple(each.name for each in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True))

    def settings(self) -> dict[str, dict[str, Any]]:
        """What recommendations have changed for scenes and loads, by subject and field."""
        try:
            found: Any = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        given = cast("dict[str, Any]", found)
        return {subject: fields for subject, fields in given.items() if isinstance(fields, dict)}

    def keep_settings(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """From now on scenes are built so.

        Raises:
            ConfigError: They cannot be written.
        """
        told = {subject: dict(fields) for subject, fields in settings.items()}
        keep_text(self.folder / _SETTINGS, json.dumps(told, indent=2))


def run_name(word: str) -> str:
    """A name that no other run has, and that begins with a word."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in word)
    return f"{plain[:40].strip('-') or 'experiment'}-{secrets.token_hex(3)}"


def as_text(report: RunReport) -> str:
    """The summary as plain text."""
    console = Console(file=io.StringIO(), width=_WIDTH, no_color=True, highlight=False)
    console.print(summary(report))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def keep_text(path: Path, text: str) -> None:
    """Put a file there whole, or leave it as it was.

    Raises:
        ConfigError: It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.rename(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(str(path), problems=(f"cannot be written: {error.strerror}",)) from None
