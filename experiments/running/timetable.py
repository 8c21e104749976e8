"""Schedules as they are kept and run: what was decided and what came of it is in a file beside the reports."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from actors.runtime.errors import ConfigError, SupervisorError
from actors.runtime.settings import Settings
from experiments.errors import ReportUnsavedError
from experiments.model.lines import lines_of, located
from experiments.model.loading import load_experiment
from experiments.running.archive import keep_text
from experiments.running.chaos import ChaosHandle
from experiments.scheduling.cron import times_between
from experiments.scheduling.schedule import PastRun, Schedule, decide, remember
from supervisor.yamlfile import parse_mapping, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.running.archive import Archive
    from supervisor import Supervisor

_FILE = "schedules.json"


class Schedules(Settings):
    """A file of schedules."""

    schedules: tuple[Schedule, ...] = Field(min_length=1, max_length=1000, description="Each with a name of its own.")


@dataclass(slots=True)
class _Kept:
    seen_us: int
    history: tuple[PastRun, ...] = ()


def load_schedules(path: Path) -> tuple[Schedule, ...]:
    """The schedules of a file; their experiments are read, too, so that a wrong one is told now.

    Raises:
        ConfigError: The file, a cron expression, a zone or an experiment is wrong; each problem with its line and path.
    """
    text = read_text(path)
    given = parse_mapping(text, source=str(path))
    try:
        found = Schedules.parse(given, source=str(path)).schedules
        problems = tuple(problem for number, each in enumerate(found) for problem in _problems(number, each, found))
    except ConfigError as error:
        found, problems = (), error.problems
    if problems:
        lines = lines_of(text)
        raise ConfigError(str(path), problems=tuple(located(problem, lines) for problem in problems))
    return found


def _problems(number: int, schedule: Schedule, among: Sequence[Schedule]) -> Iterator[str]:
    """What is wrong with one of a file's schedules, besides its fields."""
    place = f"schedules[{number}]"
    if schedule.name in {each.name for each in among[:number]}:
        yield f"{place}.name: {schedule.name!r} is given twice"
    try:
        times_between(schedule.cron, schedule.zone, after_us=0, until_us=0)
    except ConfigError as error:
        yield from (f"{place}.{problem}" for problem in error.problems)
    try:
        load_experiment(schedule.experiment)
    except ConfigError as error:
        yield from (f"{place}.experiment: {error.source}: {problem}" for problem in error.problems)


def histories(archive: Archive) -> dict[str, tuple[PastRun, ...]]:
    """The last runs of each schedule that was run with these reports, oldest first."""
    return {name: kept.history for name, kept in _read(archive.folder / _FILE).items()}


class Timetable:
    """Runs what is due.

    Args:
        sup: The supervisor.
        schedules: What is to be run, and when.
        archive: Where reports are, and what was decided is kept.

    Attributes:
        was_interrupted: The last run was, and so no other begins.
    """

    def __init__(self, sup: Supervisor, schedules: Sequence[Schedule], archive: Archive) -> None:
        self._handle = ChaosHandle(sup, reports=archive.folder)
        self._schedules = schedules
        self._path = archive.folder / _FILE
        self._kept = _read(self._path)
        self.was_interrupted = False

    def look(self, now_us: int) -> Iterator[str]:
        """Run what is due at a moment, wall-clock microseconds; what was done, a line each.

        Raises:
            KeyboardInterrupt: A run was interrupted; it is undone and remembered, and no other begins.
            ConfigError: What was decided cannot be kept: nothing is run that would be run again.
        """
        for schedule in self._schedules:
            kept = self._kept.setdefault(schedule.name, _Kept(now_us))
            due = times_between(schedule.cron, schedule.zone, after_us=kept.seen_us, until_us=now_us)
            decision = decide(schedule, due, now_us=now_us, seen_us=kept.seen_us, running=False)
            yield from (f"{schedule.name}: skipped, {why}" for _, why in decision.skipped)
            for due_us in decision.run:
                kept.seen_us = due_us  # whoever is killed meanwhile does not run it again, and runs the later ones
                self._write()
                past = self._run(schedule, due_us)
                kept.history = remember(kept.history, past, limit=schedule.history)
                yield f"{schedule.name}: {past.run} {past.verdict}"
                if self.was_interrupted:
                    self._write()
                    raise KeyboardInterrupt
            kept.seen_us = decision.seen_us
            if due:
                self._write()

    def history(self, name: str) -> tuple[PastRun, ...]:
        """The last runs of a schedule."""
        kept = self._kept.get(name)
        return () if kept is None else kept.history

    def _run(self, schedule: Schedule, due_us: int) -> PastRun:
        try:
            report = self._handle.run(schedule.experiment)
        except ReportUnsavedError as error:
            self.was_interrupted = error.report is not None and error.report.was_interrupted
            return PastRun(due_us=due_us, run=f"{error.run} ({error})", verdict=error.verdict)
        except SupervisorError as error:
            return PastRun(due_us=due_us, run=f"({error})", verdict="not_started")
        self.was_interrupted = report.was_interrupted
        return PastRun(due_us=due_us, run=report.run, verdict=report.verdict.kind)

    def _write(self) -> None:
        told = {
            name: {"seen_us": kept.seen_us, "history": [asdict(each) for each in kept.history]}
            for name, kept in self._kept.items()
        }
        keep_text(self._path, json.dumps(told, indent=2))


def _read(path: Path) -> dict[str, _Kept]:
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): _Kept(int(kept["seen_us"]), tuple(PastRun(**each) for each in kept["history"]))
            for name, kept in told.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # the first time, or damaged: times count from now on
