"""Where in its file stands what an experiment was refused for, once there was a cluster to hold it against."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.model.lines import lines_of, located
from experiments.model.loading import load_experiment, read_experiment

if TYPE_CHECKING:
    from experiments.model.experiment import Experiment

_STEP = re.compile(r"(?:method|rollbacks)\[\d+\]")
_GUARD = re.compile(r"safety\.guards\[\d+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The lines of an experiment's file; without a file nothing is placed.

    Attributes:
        lines: By path.
        probes: The path of each probe of the hypothesis, by its name.
    """

    lines: Mapping[str, int]
    probes: Mapping[str, str]

    @classmethod
    def of(cls, experiment: Experiment, text: str) -> Places:
        """Those of an experiment in the text that it was read from; nothing: it was not."""
        probes = () if experiment.hypothesis is None else experiment.hypothesis.probes
        named = {probe.name: f"steady-state-hypothesis.probes[{number}]" for number, probe in enumerate(probes)}
        return cls(lines=lines_of(text), probes=named)

    def place(self, words: str) -> str:
        """The words with line and path of what they are about, where that is one thing in the file."""
        path = self._path(words)
        if path not in self.lines:
            return words
        told = words if words.startswith(path) else f"{path}: {words}"
        return located(f"{path}: ", self.lines).removesuffix(f"{path}: ") + told

    def _path(self, words: str) -> str:
        if step := _STEP.match(words):
            return step.group()
        if guard := _GUARD.match(words):
            return next((each for each in self.lines if each.endswith(f".{guard.group()}")), "")
        about = words.removeprefix("before: ")
        names = [name for name in self.probes if about != words and about.startswith(f"{name} ")]
        return self.probes[max(names, key=len)] if names else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An experiment, and where what it says stands in its file."""

    experiment: Experiment
    places: Places

    @classmethod
    def load(cls, source: Experiment | Mapping[str, Any] | str | Path) -> Placed:
        """What a source leads to, which is read once.

        Raises:
            ConfigError: As `load_experiment`.
        """
        found, text = read_experiment(source) if isinstance(source, str | Path) else (load_experiment(source), "")
        return cls(experiment=found, places=Places.of(found, text))
