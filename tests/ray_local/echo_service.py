"""A service that remembers words: what is promised of every service is tested on it."""

from __future__ import annotations

import os
import pickle
import threading
from typing import Any

from actors.runtime.errors import SupervisorError
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.ports import ServicePorts

WORDS = "words"


class NoWordError(SupervisorError):
    """Not every word is taken."""


class EchoActor(ServiceActor):
    """Keeps the words that it is told, in their order."""

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        self._guard = threading.Lock()
        self._words: list[str] = []
        self.deaths: list[str] = []
        self.changes = {"add": self._add, "add_and_die": self._add_and_die, "die": lambda: os._exit(1)}
        self.questions = {"words": lambda: list(self._words), "deaths": lambda: self.deaths, "pid": os.getpid}
        self.begin()

    def take_over(self, left: Left | None) -> None:
        with self._guard:
            self._words = [] if left is None else pickle.loads(left.payload)
            self._say()

    def on_process_died(self, process: str) -> None:
        self.deaths.append(process)

    def _add(self, word: str) -> int:
        if not word:
            raise NoWordError("an empty word is none; say something")
        with self._guard:
            self._words.append(word)
            self._say()
            return len(self._words)

    def _add_and_die(self, word: str, mark: str) -> int:
        """Die after the word is on the boards and before anybody is answered, the first time."""
        number = self._add(word)
        self.post()
        self._wait_laid()
        if not os.path.exists(mark):
            open(mark, "w").close()
            os._exit(1)
        return number

    def _say(self) -> None:
        self.lay(WORDS, pickle.dumps(self._words))
        self.keep(pickle.dumps(self._words))


def echo_actor() -> Any:
    return service_actor(EchoActor)
