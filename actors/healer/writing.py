"""What the coordinator writes down of incidents: each once for all that has changed since it was written last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from actors.healer import messages as m
from actors.healer import rows
from actors.healer.packing import pack_incident, pack_plan

if TYPE_CHECKING:
    from actors.healer.incident import Incident
    from actors.healer.journal import Journal
    from actors.runtime.clock import Clock
    from actors.runtime.recording import Recorder


class Written:
    """One life's.

    Args:
        recorder: Writes rows.
        writer: Who writes.
        clock: Where the time comes from.
        limit: Incidents of which it remembers what is written; of more only those that are known still.
    """

    def __init__(self, recorder: Recorder, writer: rows.Writer, clock: Clock, *, limit: int) -> None:
        self._recorder = recorder
        self._writer = writer
        self._clock = clock
        self._limit = limit
        self._writing = threading.Lock()
        self._unwritten: dict[str, Incident] = {}
        self._last: dict[str, Incident] = {}
        self._began: dict[str, rows.Began] = {}

    def resume(self, journal: Journal) -> None:
        """So much an earlier life has written."""
        self._last |= journal.last
        self._began |= journal.began

    def latest(self, name: str) -> Incident | None:
        """An incident as it was last noted."""
        return self._unwritten.get(name) or self._last.get(name)

    def verifying_since_us(self, incident: Incident) -> int:
        """Since when it is being verified, microseconds since the Unix epoch."""
        after_s = next((entry.after_s for entry in reversed(incident.history) if entry.what == "verifying"), 0.0)
        return self._began[incident.incident_id].detected_us + round(after_s * 1e6)

    def note(self, incident: Incident, detect_s: Callable[[], float]) -> None:
        """It has changed; `write` writes it."""
        name = incident.incident_id
        if name not in self._began:
            after_s = incident.history[-1].after_s if incident.history else 0.0
            detected_us = self._clock.wall_us() - round(after_s * 1e6)
            self._began[name] = rows.Began(detected_us=detected_us, detect_s=detect_s())
        self._unwritten[name] = incident

    def write_now(self, incident: Incident, written: Callable[[], None]) -> None:
        """Write what a successor goes on from; `written` is called once it is on record."""
        self._recorder.record([self._row(incident)], written)

    def write(self, known: Callable[[], set[str]]) -> None:
        """Write what has changed since; `known` are the incidents that there are."""
        with self._writing:
            changed = [self._unwritten.pop(name) for name in list(self._unwritten)]
            for incident in changed:
                name = incident.incident_id
                told = rows.history_rows(self._last.get(name), incident, self._began[name], self._writer)
                if incident.begun is None:
                    told.append(self._row(incident))
                self._last[name] = incident
                self._recorder.record(told)
                if incident.phase == "resolved":
                    self._forget({name})
            if len(self._last) > self._limit:
                self._forget(self._last.keys() - known())

    def command(self, command: m.RecordHold | m.RecordPlan | m.RecordLesson | m.NoteDropped, who: str) -> None:
        """Write down what is no incident; `who` has said what is planned."""
        at_us = self._clock.wall_us()
        match command:
            case m.RecordHold():
                row = rows.hold_row(command, self._writer, at_us)
            case m.RecordPlan():
                row = rows.plan_row(command, pack_plan(command.rule), who, self._writer, at_us)
            case m.RecordLesson():
                row = rows.lesson_row(command, at_us)
            case m.NoteDropped():
                row = rows.dropped_row(command, self._writer, at_us)
            case _:
                assert_never(command)
        self._recorder.record([row])

    def _row(self, incident: Incident) -> tuple[str, rows.Row]:
        began, at_us = self._began[incident.incident_id], self._clock.wall_us()
        return rows.incident_row(incident, pack_incident(incident), began, self._writer, at_us)

    def _forget(self, names: set[str]) -> None:
        for name in names:
            del self._last[name], self._began[name]
