"""The calls that wait for a recovery, by the process that made them, and what is to be told to each. Bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.healer.incident import Incident
    from actors.healer.messages import CallAnswer
    from actors.healer.running import CallPayload

ANSWERS_MAX = 10_000
"""Answers that nobody has fetched; the oldest give way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a call is told.

    Attributes:
        call: Which.
        answer: See `messages.AnswerCall`.
        incident: The incident.
        result: What the function returned, as it travels.
    """

    call: str
    answer: CallAnswer
    incident: Incident
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a process fetches.

    Attributes:
        answers: For its calls.
        unknown: Calls of its that this life knows nothing of: it reports them again.
    """

    answers: tuple[Answered, ...]
    unknown: tuple[str, ...]


@dataclass(slots=True)
class _Waiting:
    process: str
    payload: CallPayload


class WaitingCalls:
    """All of them, as one life of the coordinator knows them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, _Waiting] = {}
        self._answers: OrderedDict[str, Answered] = OrderedDict()
        self._process_of: dict[str, str] = {}
        self._by_process: dict[str, dict[str, None]] = {}
        self._ended = False

    def add(self, call: str, process: str, payload: CallPayload) -> None:
        """A call waits."""
        with self._changed:
            self._waiting[call] = _Waiting(process, payload)
            self._changed.notify_all()

    def payload(self, call: str, patience_s: float) -> CallPayload | None:
        """What is to be called again; waits a while for a process that has not told this life yet."""
        with self._changed:
            self._changed.wait_for(lambda: call in self._waiting or self._ended, patience_s)
            found = self._waiting.get(call)
            return None if found is None else found.payload

    def answer(self, answered: Answered) -> None:
        """A call is told this when its process comes for it."""
        with self._changed:
            waiting = self._waiting.pop(answered.call, None)
            if waiting is None:
                return  # its process asks again when it hears that nobody knows of it
            self._answers[answered.call] = answered
            self._by_process.setdefault(waiting.process, {})[answered.call] = None
            self._process_of[answered.call] = waiting.process
            if len(self._answers) > ANSWERS_MAX:
                self._drop(next(iter(self._answers)))
            self._changed.notify_all()

    def answered(self, process: str, timeout_s: float) -> tuple[Answered, ...]:
        """What there is for the calls of a process; waits until there is something."""
        with self._changed:
            self._changed.wait_for(lambda: process in self._by_process or self._ended, timeout_s)
            return tuple(self._answers[call] for call in self._by_process.get(process, ()))

    def is_known(self, call: str) -> bool:
        """Whether it waits, or has its answer."""
        return call in self._waiting or call in self._answers

    def forget(self, call: str) -> None:
        """It waits no more, and has its answer if there was one."""
        with self._changed:
            self._waiting.pop(call, None)
            self._drop(call)

    def _drop(self, call: str) -> None:
        if self._answers.pop(call, None) is None:
            return
        process = self._process_of.pop(call)
        del self._by_process[process][call]
        if not self._by_process[process]:
            del self._by_process[process]

    def of_process(self, process: str) -> list[str]:
        """The calls of a process that wait."""
        with self._changed:
            return [call for call, waiting in self._waiting.items() if waiting.process == process]

    def close(self) -> None:
        """Wait no more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
